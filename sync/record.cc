#include "sync/record.h"

#include <google/protobuf/dynamic_message.h>
#include <google/protobuf/util/json_util.h>
#include <sodium.h>

#include <algorithm>
#include <memory>
#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/time/civil_time.h"
#include "sync/contact.h"
#include "sync/environment.h"
#include "sync/reason.h"
#include "sync/slots.h"
#include "sync/status.h"
#include "sync/wire.h"

namespace zhibu {
namespace {

using google::protobuf::Message;
using sync::v1::Change;

// So deep may a change go: what the merge remembers of it nests up to five times
// as deep, and protobuf reads no more than a hundred levels.
constexpr int kDepthMax = 16;

// An empty message of a type, also of one that this build was not compiled with.
class Blank {
 public:
  explicit Blank(const google::protobuf::Descriptor* descriptor) {
    const auto* generated = google::protobuf::DescriptorPool::generated_pool();
    google::protobuf::MessageFactory* factory =
        google::protobuf::MessageFactory::generated_factory();
    if (descriptor->file()->pool() != generated) factory = &dynamic_.emplace();
    message_.reset(factory->GetPrototype(descriptor)->New());
  }
  Message* operator->() { return message_.get(); }
  Message& operator*() { return *message_; }

 private:
  std::optional<google::protobuf::DynamicMessageFactory> dynamic_;
  std::unique_ptr<Message> message_;  // goes before its factory
};

// Of a date or a month.
bool HasFormat(Format format, absl::string_view text) {
  const std::string date = format == MONTH ? absl::StrCat(text, "-01") : std::string(text);
  absl::CivilDay day;
  return absl::ParseCivilTime(date, &day) && date.size() == 10 &&
         absl::FormatCivilTime(day) == date;  // no blanks, no short month
}

absl::string_view PayloadOf(absl::string_view raw) {
  wire::Reader reader(raw);
  wire::Field field;
  absl::string_view payload;
  while (reader.Next(&field)) payload = field.payload;
  return payload;
}

std::string NameOf(const FieldRule& rule) { return std::string(rule.descriptor->name()); }

bool DepthWithin(const sync::v1::Without& without, int depth) {
  return depth > 0 &&
         std::all_of(without.nested().begin(), without.nested().end(),
                     [&](const auto& nested) { return DepthWithin(nested.without(), depth - 1); });
}

bool DepthWithin(const Fields& fields, absl::string_view body, int depth) {
  if (depth == 0) return false;
  wire::Reader reader(body);
  wire::Field field;
  while (reader.Next(&field)) {
    const FieldRule* rule = fields.Find(field.number);
    if (rule == nullptr || rule->element == nullptr) continue;
    if (!DepthWithin(*rule->element, field.payload, depth - 1)) return false;
  }
  return true;
}

absl::Status CheckSet(const RecordType& type, const Change& change) {
  Blank message(type.descriptor);
  if (!message->ParseFromString(change.set())) {
    // Well-formed bytes that do not parse hold text that is not UTF-8, or nest
    // too deep.
    wire::Reader reader(change.set());
    wire::Field field;
    while (reader.Next(&field)) continue;
    return Refuse(reader.ok() ? sync::v1::INVALID_TEXT : sync::v1::MALFORMED, type.name);
  }
  if (change.kind() == Change::CREATE) return absl::OkStatus();
  const auto fixed = [&](uint32_t number) {
    const FieldRule* rule = type.fields.Find(number);
    return rule != nullptr && rule->identity ? Refuse(sync::v1::IDENTITY_FIXED, NameOf(*rule))
                                             : absl::OkStatus();
  };
  wire::Reader reader(change.set());
  wire::Field field;
  while (reader.Next(&field)) {
    if (auto status = fixed(field.number); !status.ok()) return status;
  }
  for (const uint32_t number : change.without().cleared()) {
    if (auto status = fixed(number); !status.ok()) return status;
  }
  return absl::OkStatus();
}

// Of a Change, or a Within of it: `name` is the record's, or the field's.
template <typename Marked>
absl::Status CheckKnown(const Fields& fields, const Marked& marked, const std::string& name) {
  const auto unknown = [&](uint32_t number) {
    return Refuse(sync::v1::UNKNOWN_FIELD, absl::StrCat(name, ".", number));
  };
  for (const uint32_t number : marked.special()) {
    if (fields.Find(number) == nullptr) return unknown(number);
  }
  for (const auto& within : marked.within()) {
    const FieldRule* rule = fields.Find(within.field());
    if (rule == nullptr || rule->element == nullptr) return unknown(within.field());
    RETURN_IF_ERROR(CheckKnown(*rule->element, within, absl::StrCat(name, ".", NameOf(*rule))));
  }
  return absl::OkStatus();
}

}  // namespace

std::vector<Placed> PlacesOf(const RecordType& type, const Id& id, absl::string_view body) {
  std::vector<Placed> places;
  if (type.own_scope != NOWHERE) places.push_back({id, type.own_scope});
  wire::Reader reader(body);
  wire::Field field;
  while (reader.Next(&field)) {
    const FieldRule* rule = type.fields.Find(field.number);
    if (rule == nullptr || rule->place == NOWHERE) continue;
    if (const auto scope = Id::FromBytes(field.payload)) places.push_back({*scope, rule->place});
  }
  std::sort(places.begin(), places.end());
  places.erase(std::unique(places.begin(), places.end(),
                           [](const Placed& a, const Placed& b) { return a.scope == b.scope; }),
               places.end());
  return places;
}

Eyes ReadersOf(const Schema& schema, const RecordType& type, absl::string_view body) {
  Eyes readers = type.readers;
  const RecordType* as = nullptr;
  absl::string_view path;
  wire::Reader reader(body);
  wire::Field field;
  while (reader.Next(&field)) {
    const FieldRule* rule = type.fields.Find(field.number);
    if (rule == nullptr) continue;
    if (rule->reads_field) path = field.payload;
    if (!rule->reads_as) continue;
    as = schema.Find(static_cast<uint32_t>(field.scalar));
    readers = readers & (as == nullptr ? Eyes() : as->readers);
  }
  if (as == nullptr || path.empty()) return readers;
  const absl::string_view name = path.substr(0, path.find_first_of(".["));
  for (const FieldRule* rule : as->restricted) {
    if (rule->descriptor->name() == name) readers = readers & rule->readers;
  }
  return readers;
}

absl::StatusOr<Id> DeriveId(const RecordType& type, absl::string_view body) {
  Slots slots;
  slots.Parse(type.fields, body);
  crypto_generichash_state hash;
  unsigned char digest[Id::kSize];
  crypto_generichash_init(&hash, nullptr, 0, sizeof(digest));
  std::string named;
  wire::AppendVarint(type.number, &named);
  absl::string_view prefix;
  for (const uint32_t number : type.id_from) {
    const absl::string_view raw = slots.Get(number);
    if (raw.empty()) return Refuse(sync::v1::MISSING_FIELD, NameOf(*type.fields.Find(number)));
    wire::AppendBytesField(number, raw, &named);
    if (prefix.empty()) prefix = PayloadOf(raw);
  }
  crypto_generichash_update(&hash, reinterpret_cast<const unsigned char*>(named.data()),
                            named.size());
  crypto_generichash_final(&hash, digest, sizeof(digest));
  std::string bytes(reinterpret_cast<const char*>(digest), sizeof(digest));
  // In time order, beside what it hangs on.
  if (prefix.size() == Id::kSize) bytes.replace(0, 6, std::string(prefix.substr(0, 6)));
  return *Id::FromBytes(bytes);
}

absl::Status CheckChange(const Schema& schema, const Change& change) {
  const RecordType* type = schema.Find(change.type());
  if (type == nullptr) return Refuse(sync::v1::UNKNOWN_TYPE, absl::StrCat(change.type()));
  if (!Id::FromBytes(change.id())) return Refuse(sync::v1::MALFORMED, "id");
  if (!Change::Kind_IsValid(change.kind())) return Refuse(sync::v1::MALFORMED, "kind");
  if (type->permanent && change.kind() == Change::DELETE) {
    return Refuse(sync::v1::PERMANENT, type->label);
  }
  if (!DepthWithin(change.without(), kDepthMax) ||
      !DepthWithin(type->fields, change.set(), kDepthMax)) {
    return Refuse(sync::v1::MALFORMED, "depth");
  }
  RETURN_IF_ERROR(CheckKnown(type->fields, change, type->name));
  return CheckSet(*type, change);
}

absl::Status CheckRecord(const RecordType& type, const Id& id, absl::string_view body) {
  Slots slots;
  if (!slots.Parse(type.fields, body)) return Refuse(sync::v1::MALFORMED, type.name);
  for (const FieldRule& rule : type.fields.rules()) {
    const absl::string_view raw = slots.Get(rule.slot);
    if (raw.empty()) {
      if (rule.required) return Refuse(sync::v1::MISSING_FIELD, NameOf(rule));
      continue;
    }
    wire::Reader reader(raw);
    wire::Field field;
    while (reader.Next(&field)) {
      if (field.number != rule.number) continue;  // another member of its oneof
      if (rule.place != NOWHERE && !Id::FromBytes(field.payload)) {
        return Refuse(sync::v1::BAD_VALUE, absl::StrCat(NameOf(rule), ": 16 bytes"));
      }
      if (rule.format == ANY || field.payload.empty()) continue;
      if (rule.format == NO_CONTACT) {
        if (HoldsContact(field.payload)) return Refuse(sync::v1::HOLDS_CONTACT, NameOf(rule));
        continue;
      }
      if (!HasFormat(rule.format, field.payload)) {
        return Refuse(
            sync::v1::BAD_VALUE,
            absl::StrCat(NameOf(rule), ": ", rule.format == DATE ? "2026-01-31" : "2026-01"));
      }
    }
  }
  if (type.id_from.empty()) return absl::OkStatus();
  const absl::StatusOr<Id> derived = DeriveId(type, body);
  if (!derived.ok()) return derived.status();
  if (*derived != id)
    return Refuse(sync::v1::IDENTITY_FIXED, NameOf(*type.fields.Find(type.id_from[0])));
  return absl::OkStatus();
}

std::string JsonOf(const FieldRule* rule, absl::string_view raw) {
  if (raw.empty()) return "null";
  if (rule == nullptr) return absl::StrCat("\"", absl::Base64Escape(raw), "\"");
  Blank message(rule->descriptor->containing_type());
  std::string json;
  if (!message->ParseFromString(std::string(raw)) ||
      !google::protobuf::util::MessageToJsonString(*message, &json).ok()) {
    return absl::StrCat("\"", absl::Base64Escape(raw), "\"");
  }
  // {"place":"礼堂"} → "礼堂"
  absl::string_view value = json;
  const size_t colon = value.find(':');
  if (colon == absl::string_view::npos) return "null";
  value.remove_prefix(colon + 1);
  absl::ConsumeSuffix(&value, "}");
  return std::string(value);
}

Id HeldId(absl::string_view edit) { return *Id::FromBytes(Digest(edit).substr(0, Id::kSize)); }

}  // namespace zhibu
