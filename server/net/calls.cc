#include "server/net/calls.h"

#include "sync/base/reason.h"
#include "sync/base/status.h"

namespace zhibu::server {

absl::StatusOr<sync::v1::EnrolReply> Calls::Enrol(const sync::v1::EnrolRequest& request,
                                                  absl::string_view address) {
  RETURN_IF_ERROR(hub_.MayTryCode(address));
  absl::StatusOr<sync::v1::EnrolReply> enrolled = admin_.EnrolDevice(request);
  if (ReasonOf(enrolled.status()).reason == sync::v1::BAD_CODE) hub_.WrongCode(address);
  return enrolled;
}

absl::StatusOr<sync::v1::DeliverReply> Calls::Deliver(const sync::v1::DeliverRequest& request,
                                                      absl::string_view address) {
  return hub_.Deliver(request.bundle(), address);
}

}  // namespace zhibu::server
