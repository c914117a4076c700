#include "sync/rules/book/ledger_sight.h"

#include <algorithm>
#include <string>

#include "sync/wire/record.h"

namespace zhibu::rules {

using cel::Value;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

void LedgerSight::Show(const RecordType& type, const Shelved& entry) const {
  seen_.emplace(entry.record.get(), Seen{&type, &entry});
}

void LedgerSight::BeginColumn(bool masked) const {
  masked_ = masked;
  kept_back_ = false;
  read_.clear();
}

void LedgerSight::AddTo(Given* given) const {
  for (const auto& [record, field] : read_) {
    const Seen& seen = seen_.find(record)->second;
    for (const Placed& placed :
         PlacesOf(*seen.type, seen.entry->id, record->SerializePartialAsString())) {
      if (placed.place != PERSON) continue;
      (*given)[{placed.scope, seen.type}].insert(static_cast<uint32_t>(field->number()));
    }
  }
}

bool LedgerSight::Hides(const Message& of, const FieldDescriptor& field) const {
  const auto found = seen_.find(&of);
  if (found == seen_.end()) return false;
  const Seen& seen = found->second;
  const FieldRule* rule = seen.type->fields.Find(static_cast<uint32_t>(field.number()));
  const auto& restricted = seen.type->restricted;
  const bool open = std::count(restricted.begin(), restricted.end(), rule) == 0;
  if (open && !rule->sensitive) return false;
  const bool may = shelf_.source().MayRead(*seen.type, seen.entry->id, of, field);
  const auto& reflection = *of.GetReflection();
  const bool said =
      field.is_repeated() ? reflection.FieldSize(of, &field) > 0 : reflection.HasField(of, &field);
  if (!said) return !may;
  if (may && rule->sensitive) read_.emplace_back(&of, &field);
  if (may) return false;
  kept_back_ = true;
  return !masked_;
}

Value LedgerSight::RecordWith(const RecordType& type, absl::string_view id,
                              cel::Meter* /*meter*/) const {
  const auto known = Id::FromBytes(id);
  const Shelved* entry = known ? Look(type, *known) : nullptr;
  return entry == nullptr ? Value::Unknown(type.name) : Value::OfMessage(entry->record.get());
}

Value LedgerSight::RecordMadeBy(const RecordType& type, const std::optional<Id>& id,
                                cel::Meter* /*meter*/) const {
  const Shelved* entry = id ? Look(type, *id) : nullptr;
  if (entry != nullptr) return Value::OfMessage(entry->record.get());
  if (!shelf_.source().ReadsAll(type)) return Value::Unknown(type.name);
  return Value::OfMessage(
      google::protobuf::MessageFactory::generated_factory()->GetPrototype(type.descriptor));
}

Value LedgerSight::RecordsWith(const RecordType& type, const FieldDescriptor& field,
                               absl::string_view id) const {
  if (!shelf_.source().ReadsAll(type)) return Value::Unknown(type.name);
  const auto index = shelf_.By(type, field);
  trouble_.Update(index.status());
  std::vector<Value> records;
  if (!index.ok()) return Value::Unknown(type.name);
  if (const auto found = (*index)->find(std::string(id)); found != (*index)->end()) {
    for (const Shelved* entry : found->second) {
      Show(type, *entry);
      records.push_back(Value::OfMessage(entry->record.get()));
    }
  }
  return Value::ListOf(std::move(records));
}

Value LedgerSight::NameOf(absl::string_view id) const {
  const auto known = Id::FromBytes(id);
  if (!known) return Value::Unknown("whose name");
  for (const char* type_name : {"Member", "Organisation"}) {
    const RecordType* type = CatalogueSchema()->FindByName(type_name);
    const Shelved* entry = Look(*type, *known);
    if (entry == nullptr) continue;
    const FieldDescriptor* name = type->descriptor->FindFieldByName("name");
    return Value::String(entry->record->GetReflection()->GetString(*entry->record, name));
  }
  return Value::Unknown("whose name");
}

const Shelved* LedgerSight::Look(const RecordType& type, const Id& id) const {
  const auto found = shelf_.Find(type, id);
  trouble_.Update(found.status());
  if (!found.ok() || *found == nullptr) return nullptr;
  Show(type, **found);
  return *found;
}

}  // namespace zhibu::rules
