// A record of any type of the catalogue, with something in every field, that lies wherever
// its fields can place it.
//
//   Specimen(type, {.person = wang, .owner = branch}, environment)
#ifndef ZHIBU_TESTS_SUPPORT_SPECIMEN_H_
#define ZHIBU_TESTS_SUPPORT_SPECIMEN_H_

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "server/feed/sight.h"
#include "sync/base/environment.h"
#include "sync/base/status.h"
#include "sync/merge/audience.h"
#include "sync/schema/schema.h"
#include "tests/support/world.h"
#include "zhibu/records/v1/member.pb.h"
#include "zhibu/records/v1/supplement.pb.h"

namespace zhibu::test {

// Where a field of each kind of place puts it; empty: nowhere.
struct Whereabouts {
  Id person;
  Id owner;
  Id guest;
  Id above;
};

inline void SetSpecimenField(const FieldRule& rule, const Whereabouts& where,
                             const Environment& environment, const std::string& text,
                             google::protobuf::Message* record) {
  using google::protobuf::FieldDescriptor;
  const auto& reflection = *record->GetReflection();
  const FieldDescriptor* field = rule.descriptor;
  if (rule.place != NOWHERE) {
    const Id id = rule.place == PERSON  ? where.person
                  : rule.place == OWNER ? where.owner
                  : rule.place == GUEST ? where.guest
                                        : where.above;
    if (id.empty()) return;
    if (field->is_repeated()) return reflection.AddString(record, field, id.str());
    return reflection.SetString(record, field, id.str());
  }
  if (field->is_repeated() || field->containing_oneof() != nullptr) return;
  switch (field->cpp_type()) {
    case FieldDescriptor::CPPTYPE_STRING: {
      const bool bytes = field->type() == FieldDescriptor::TYPE_BYTES;
      return reflection.SetString(record, field,
                                  rule.format == DATE           ? "2026-11-18"
                                  : rule.format == DAY_OR_MONTH ? "2026-11"
                                  : rule.format == MONTH        ? "2026-11"
                                  : bytes                       ? environment.NewId().str()
                                                                : text);
    }
    case FieldDescriptor::CPPTYPE_UINT32:
      // What reads as another type is about the most private one.
      return reflection.SetUInt32(
          record, field,
          rule.reads_as ? CatalogueSchema()->Find(records::v1::PrivateDetail::descriptor())->number
                        : 7);
    case FieldDescriptor::CPPTYPE_ENUM:
      return reflection.SetEnum(record, field, field->enum_type()->value(1));
    default:
      return;
  }
}

// The text of a supplement to the rule book is rules, or nothing.
inline constexpr char kAnyRule[] = R"(check {
  key: "local.topic" words { zh: "没有主题" en: "no topic" } source: "本级规定" certainty: SURE
  of: "Meeting" holds: "this.topic != ''" day: "this.starts_at"
})";

inline std::unique_ptr<google::protobuf::Message> Specimen(const RecordType& type,
                                                           const Whereabouts& where,
                                                           const Environment& environment,
                                                           const std::string& text = "内容") {
  std::unique_ptr<google::protobuf::Message> record(
      google::protobuf::MessageFactory::generated_factory()->GetPrototype(type.descriptor)->New());
  for (const FieldRule& rule : type.fields.rules()) {
    SetSpecimenField(rule, where, environment, text, record.get());
  }
  if (auto* rules = dynamic_cast<records::v1::RuleSupplement*>(record.get())) {
    rules->set_text(kAnyRule);
  }
  return record;
}

// By hand, past all rules, as what follows from an edit may be written.
inline void Plant(World& world, const RecordType& type, const Id& id, const std::string& body,
                  bool deleted = false) {
  EXPECT_EQ(world.store().Write([&](server::Writer& writer) -> absl::Status {
    const RecordKey key{type.number, id};
    ASSIGN_OR_RETURN(RecordState state, writer.GetRecord(key));
    std::vector<Id> before;
    for (const Placed& p : PlacesOf(type, id, state.body)) before.push_back(p.scope);
    std::vector<Id> scopes = before;
    for (const Placed& p : PlacesOf(type, id, body)) scopes.push_back(p.scope);
    std::sort(scopes.begin(), scopes.end());
    scopes.erase(std::unique(scopes.begin(), scopes.end()), scopes.end());
    state.exists = true;
    ASSIGN_OR_RETURN(state.touch.version, writer.NextVersion(scopes, Version()));
    state.touch.writer = kServerDevice;
    state.touch.stamp = StampAt(world.now_ms());
    state.deletion = deleted ? std::optional(state.touch) : std::nullopt;
    state.body = body;
    return writer.PutRecord(key, state, before,
                            server::ShowingsOf(*world.schema(), type, id, {}, state));
  }),
            absl::OkStatus());
}

}  // namespace zhibu::test

#endif  // ZHIBU_TESTS_SUPPORT_SPECIMEN_H_
