#include "sync/rules/book/shelf.h"

#include <utility>

#include "sync/base/status.h"

namespace zhibu::rules {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

absl::StatusOr<const Shelf::All*> Shelf::AllOf(const RecordType& type) {
  if (const auto known = all_.find(type.number); known != all_.end()) return &known->second;
  All& all = all_[type.number];
  RETURN_IF_ERROR(records_.List(type, [&](const Id& id, const Message& message) {
    std::unique_ptr<Message> kept(message.New());
    kept->CopyFrom(message);
    all.push_back({id, std::move(kept)});
  }));
  return &all;
}

absl::StatusOr<const Shelf::Index*> Shelf::By(const RecordType& type,
                                              const FieldDescriptor* field) {
  const auto [it, fresh] = by_.try_emplace(field);
  if (!fresh) return &it->second;
  ASSIGN_OR_RETURN(const All* all, AllOf(type));
  for (const Entry& entry : *all) {
    it->second[entry.record->GetReflection()->GetString(*entry.record, field)].push_back(&entry);
  }
  return &it->second;
}

absl::StatusOr<const Shelf::Entry*> Shelf::Find(const RecordType& type, const Id& id) {
  const auto [ids, fresh] = by_id_.try_emplace(type.number);
  if (fresh) {
    ASSIGN_OR_RETURN(const All* all, AllOf(type));
    for (const Entry& entry : *all) ids->second.emplace(entry.id, &entry);
  }
  const auto found = ids->second.find(id);
  return found == ids->second.end() ? nullptr : found->second;
}

}  // namespace zhibu::rules
