#include "sync/rules/book/shelf.h"

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
                                              const FieldDescriptor& field) {
  const auto [it, fresh] = by_.try_emplace(&field);
  if (!fresh) return &it->second;
  ASSIGN_OR_RETURN(const All* all, AllOf(type));
  for (const Shelved& one : *all) {
    it->second[one.record->GetReflection()->GetString(*one.record, &field)].push_back(&one);
  }
  return &it->second;
}

absl::StatusOr<const Shelved*> Shelf::Find(const RecordType& type, const Id& id) {
  const auto [it, fresh] = by_id_.try_emplace(type.number);
  if (fresh) {
    ASSIGN_OR_RETURN(const All* all, AllOf(type));
    for (const Shelved& one : *all) it->second.emplace(one.id, &one);
  }
  const auto found = it->second.find(id);
  return found == it->second.end() ? nullptr : found->second;
}

}  // namespace zhibu::rules
