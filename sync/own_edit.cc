#include "sync/own_edit.h"

#include "sync/diff.h"

namespace zhibu {

bool AddChange(const RecordType& type, const Id& id, const RecordState& before,
               const google::protobuf::Message& after, sync::v1::Edit* edit) {
  sync::v1::Change change;
  change.set_type(type.number);
  change.set_id(id.str());
  change.set_kind(before.alive() ? sync::v1::Change::UPDATE : sync::v1::Change::CREATE);
  change.set_base(kPendingVersion.value);
  const std::string body = Canonical(type.fields, after.SerializeAsString());
  if (!Diff(type, before.alive() ? before.body : "", body, &change)) return false;
  *edit->add_changes() = std::move(change);
  return true;
}

}  // namespace zhibu
