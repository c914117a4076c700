// An edit by the server's own device, which has seen everything.
#ifndef ZHIBU_SYNC_MERGE_OWN_EDIT_H_
#define ZHIBU_SYNC_MERGE_OWN_EDIT_H_

#include <google/protobuf/message.h>

#include <vector>

#include "sync/base/types.h"
#include "sync/merge/state.h"
#include "sync/schema/schema.h"
#include "zhibu/sync/v1/edit.pb.h"

namespace zhibu {

// Adds what turns `before` into `after`; nothing where they are equal. Returns
// whether anything was added.
bool AddChange(const RecordType& type, const Id& id, const RecordState& before,
               const google::protobuf::Message& after, sync::v1::Edit* edit);

// Adds what writes these fields of a living record as `record` has them, and touches no other:
// what else a record holds is not for a consequence to write, however it was written.
void AddFields(const RecordType& type, const Id& id, const RecordState& before,
               const std::vector<const FieldRule*>& fields, const google::protobuf::Message& record,
               sync::v1::Edit* edit);

}  // namespace zhibu

#endif  // ZHIBU_SYNC_MERGE_OWN_EDIT_H_
