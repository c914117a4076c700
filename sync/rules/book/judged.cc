#include "sync/rules/book/judged.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "sync/base/status.h"

namespace zhibu::rules {

using cel::Value;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

namespace {

const Message& PrototypeOf(const RecordType& type) {
  return *google::protobuf::MessageFactory::generated_factory()->GetPrototype(type.descriptor);
}

bool ShareAScope(const std::vector<Placed>& some, const std::vector<Placed>& others) {
  return std::any_of(some.begin(), some.end(), [&](const Placed& one) {
    return std::any_of(others.begin(), others.end(),
                       [&](const Placed& other) { return one.scope == other.scope; });
  });
}

}  // namespace

absl::StatusOr<ReadingPtr> Surroundings::Read(const RecordType& type, const Id& id) {
  ASSIGN_OR_RETURN(const std::optional<std::string> body, Find(type, id));
  if (!body) return nullptr;
  auto reading = std::make_shared<Reading>();
  reading->bytes = body->size();
  reading->places = PlacesOf(type, id, *body);
  std::unique_ptr<Message> record(PrototypeOf(type).New());
  if (record->ParsePartialFromString(*body)) reading->record = std::move(record);
  return ReadingPtr(std::move(reading));
}

Judged::Judged(absl::CivilDay day, const RecordType& type, const Id& id, const Message& record,
               const std::vector<Placed>& places, Surroundings& surroundings, absl::Status* trouble,
               std::vector<RecordKey>* looked_at)
    : JudgedRecord(day),
      places_(places),
      surroundings_(surroundings),
      trouble_(*trouble),
      looked_at_(looked_at) {
  known_.push_back({&record, &type, id, nullptr});
}

bool Judged::Hides(const Message& of, const FieldDescriptor& field) const {
  // What lies within a record is seen with it.
  return std::any_of(known_.begin(), known_.end(), [&](const Known& one) {
    return one.record == &of && surroundings_.Hides(*one.type, one.id, of, field);
  });
}

Value Judged::RecordWith(const RecordType& type, absl::string_view id, cel::Meter* meter) const {
  const auto known = Id::FromBytes(id);
  if (!known) return Value::Unknown(absl::StrCat("which ", type.name));
  const ReadingPtr reading = Look(type, *known);
  if (reading == nullptr || !IsNear(*reading)) return Value::Unknown(type.name);
  return Show(type, *known, reading, meter);
}

Value Judged::RecordMadeBy(const RecordType& type, const std::optional<Id>& id,
                           cel::Meter* meter) const {
  if (!id) return Value::Unknown(absl::StrCat("which ", type.name));
  const ReadingPtr reading = Look(type, *id);
  if (reading == nullptr) return Value::Unknown(type.name);
  // There is none that this one has to do with: nothing is hidden in what is not there.
  if (!IsNear(*reading)) return Value::OfMessage(&PrototypeOf(type));
  return Show(type, *id, reading, meter);
}

// Null: that is not known here. What this evaluation has read it does not read again.
ReadingPtr Judged::Look(const RecordType& type, const Id& id) const {
  const auto kept = std::find_if(known_.begin(), known_.end(), [&](const Known& one) {
    return one.kept != nullptr && one.type == &type && one.id == id;
  });
  if (kept != known_.end()) return kept->kept;
  if (looked_at_ != nullptr) looked_at_->push_back({type.number, id});
  absl::StatusOr<ReadingPtr> found = surroundings_.Read(type, id);
  trouble_.Update(found.status());
  return found.ok() ? *std::move(found) : nullptr;
}

bool Judged::IsNear(const Reading& reading) const {
  return reading.bytes > 0 && ShareAScope(places_, reading.places);
}

Value Judged::Show(const RecordType& type, const Id& id, const ReadingPtr& reading,
                   cel::Meter* meter) const {
  const Message* record = reading->record.get();
  if (record == nullptr) return Value::Unknown(type.name);
  const bool paid = std::any_of(known_.begin(), known_.end(),
                                [&](const Known& one) { return one.record == record; });
  if (!paid) {
    if (!meter->Charge(reading->bytes / kBytesReadPerStep)) return Value::Error("too many steps");
    known_.push_back({record, &type, id, reading});
  }
  return Value::OfMessage(record, reading);
}

}  // namespace zhibu::rules
