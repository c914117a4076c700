// An edit by the server's own device, which has seen everything.
#ifndef ZHIBU_SYNC_OWN_EDIT_H_
#define ZHIBU_SYNC_OWN_EDIT_H_

#include <google/protobuf/message.h>

#include "absl/status/statusor.h"
#include "sync/schema.h"
#include "sync/state.h"
#include "sync/types.h"
#include "zhibu/sync/v1/edit.pb.h"

namespace zhibu {

// Adds what turns `before` into `after`; nothing where they are equal. Returns
// whether anything was added.
bool AddChange(const RecordType& type, const Id& id, const RecordState& before,
               const google::protobuf::Message& after, sync::v1::Edit* edit);

}  // namespace zhibu

#endif  // ZHIBU_SYNC_OWN_EDIT_H_
