// An edit by the server's own device, which has seen everything.
#ifndef ZHIBU_SERVER_OWN_EDIT_H_
#define ZHIBU_SERVER_OWN_EDIT_H_

#include <google/protobuf/message.h>

#include "absl/status/statusor.h"
#include "sync/schema.h"
#include "sync/state.h"
#include "sync/types.h"
#include "zhibu/sync/v1/edit.pb.h"

namespace zhibu::server {

// Adds what turns `before` into `after`; nothing where they are equal. Returns
// whether anything was added.
bool AddChange(const RecordType& type, const Id& id, const RecordState& before,
               const google::protobuf::Message& after, sync::v1::Edit* edit);

}  // namespace zhibu::server

#endif  // ZHIBU_SERVER_OWN_EDIT_H_
