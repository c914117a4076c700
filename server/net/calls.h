// The single calls of devices and couriers, by whichever way they come: what is refused, counted
// and charged to the address that they come from is the same.
//
// Any thread may call; each call blocks until the writer is done with it.
#ifndef ZHIBU_SERVER_NET_CALLS_H_
#define ZHIBU_SERVER_NET_CALLS_H_

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "server/admin/admin.h"
#include "server/sessions/hub.h"
#include "zhibu/sync/v1/sync.pb.h"

namespace zhibu::server {

class Calls {
 public:
  Calls(Hub* hub, Admin* admin) : hub_(*hub), admin_(*admin) {}

  absl::StatusOr<sync::v1::EnrolReply> Enrol(const sync::v1::EnrolRequest& request,
                                             absl::string_view address);
  absl::StatusOr<sync::v1::DeliverReply> Deliver(const sync::v1::DeliverRequest& request,
                                                 absl::string_view address);

 private:
  Hub& hub_;
  Admin& admin_;
};

}  // namespace zhibu::server

#endif  // ZHIBU_SERVER_NET_CALLS_H_
