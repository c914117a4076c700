// What a notice (公示) shows of the record that it is about.
#ifndef ZHIBU_SERVER_NOTICE_H_
#define ZHIBU_SERVER_NOTICE_H_

#include "absl/status/status.h"
#include "server/store/store.h"
#include "sync/schema.h"
#include "zhibu/sync/v1/edit.pb.h"

namespace zhibu::server {

// Called once a change of the record is written: adds to `edit` what follows from it, and
// nothing where that is so already, or it is no notice.
absl::Status AddShown(Reader& reader, const Schema& schema, const RecordKey& key,
                      sync::v1::Edit* edit);

}  // namespace zhibu::server

#endif  // ZHIBU_SERVER_NOTICE_H_
