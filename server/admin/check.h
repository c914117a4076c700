// Reads all that is stored and tells what is wrong with it, whom that concerns and what to do.
//
//   each record can be read, lies where something is, and stands in the feeds of its scopes
//   each row of a feed has its record
//   each device has its record and its owner, and its chain in the audit is whole
//   each setting that the server needs can be read
//
// A few hundred rows to a transaction and none kept, so that it may run beside sessions and
// the writer, over a store of any size; what is written meanwhile may be passed by.
#ifndef ZHIBU_SERVER_ADMIN_CHECK_H_
#define ZHIBU_SERVER_ADMIN_CHECK_H_

#include "absl/status/status.h"
#include "server/store/store.h"
#include "sync/schema/schema.h"
#include "zhibu/admin/v1/admin.pb.h"

namespace zhibu::server {

absl::Status CheckStore(Store& store, const Schema& schema, admin::v1::CheckReply* reply);

}  // namespace zhibu::server

#endif  // ZHIBU_SERVER_ADMIN_CHECK_H_
