#include "sync/rules/book/judged.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"

namespace zhibu::rules {

using cel::Value;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

namespace {

bool ShareAScope(const std::vector<Placed>& some, const std::vector<Placed>& others) {
  return std::any_of(some.begin(), some.end(), [&](const Placed& one) {
    return std::any_of(others.begin(), others.end(),
                       [&](const Placed& other) { return one.scope == other.scope; });
  });
}

}  // namespace

Judged::Judged(absl::CivilDay day, const RecordType& type, const Id& id, const Message& record,
               const std::vector<Placed>& places, Surroundings& surroundings, absl::Status* trouble,
               std::vector<RecordKey>* looked_at)
    : JudgedRecord(day),
      places_(places),
      surroundings_(surroundings),
      trouble_(*trouble),
      looked_at_(looked_at) {
  known_.push_back({&record, &type, id});
}

bool Judged::Hides(const Message& of, const FieldDescriptor& field) const {
  // What lies within a record is seen with it.
  return std::any_of(known_.begin(), known_.end(), [&](const Known& one) {
    return one.record == &of && surroundings_.Hides(*one.type, one.id, of, field);
  });
}

Value Judged::RecordWith(const RecordType& type, absl::string_view id) const {
  const auto known = Id::FromBytes(id);
  if (!known) return Value::Unknown(absl::StrCat("which ", type.name));
  const std::optional<std::string> body = Look(type, *known);
  return body && !body->empty() ? Read(type, *known, *body) : Value::Unknown(type.name);
}

Value Judged::RecordMadeBy(const RecordType& type, const std::optional<Id>& id) const {
  if (!id) return Value::Unknown(absl::StrCat("which ", type.name));
  const std::optional<std::string> body = Look(type, *id);
  return body ? Read(type, *id, *body) : Value::Unknown(type.name);
}

// Empty: there is none that this one has to do with.
std::optional<std::string> Judged::Look(const RecordType& type, const Id& id) const {
  if (looked_at_ != nullptr) looked_at_->push_back({type.number, id});
  absl::StatusOr<std::optional<std::string>> found = surroundings_.Find(type, id);
  trouble_.Update(found.status());
  if (!found.ok() || !*found) return std::nullopt;
  const bool near = ShareAScope(places_, PlacesOf(type, id, **found));
  return near ? *std::move(found) : std::make_optional<std::string>();
}

Value Judged::Read(const RecordType& type, const Id& id, const std::string& body) const {
  const std::shared_ptr<Message> record(
      google::protobuf::MessageFactory::generated_factory()->GetPrototype(type.descriptor)->New());
  if (!record->ParsePartialFromString(body)) return Value::Unknown(type.name);
  // Nothing is hidden in what is not there.
  if (!body.empty()) known_.push_back({record.get(), &type, id});
  return Value::OfMessage(record.get(), record);
}

}  // namespace zhibu::rules
