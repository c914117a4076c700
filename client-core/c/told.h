// A status as an app is told it: code, reason, and words for people in both languages; and one that
// an app tells.
#ifndef ZHIBU_CLIENT_CORE_C_TOLD_H_
#define ZHIBU_CLIENT_CORE_C_TOLD_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "zhibu/api/v1/api.pb.h"
#include "zhibu/sync/v1/answer.pb.h"

namespace zhibu::client {

// `status` is not OK.
api::v1::Error ErrorOf(const absl::Status& status);
api::v1::Error ErrorOf(sync::v1::Reason reason, absl::string_view detail);
absl::Status StatusOf(const api::v1::StreamEnd& end);

}  // namespace zhibu::client

#endif  // ZHIBU_CLIENT_CORE_C_TOLD_H_
