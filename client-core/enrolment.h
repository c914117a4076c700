// Makes a device known to its server by a one-time code, whoever moves the call:
//
//   ASSIGN_OR_RETURN(Enrolment enrolment, Enrolment::Begin(store, "zhibu1/…", "李的手机"));
//   …Sync/Enrol(enrolment.request()) at enrolment.ticket().address, where the certificate has
//   enrolment.ticket().fingerprint, and nowhere else…
//   RETURN_IF_ERROR(enrolment.Finish(reply));
//
// The device's key is made here and stays here; nothing is stored before the answer has come. One
// that is enrolled comes again with the key that it has, if the server has forgotten it or wants to
// know again whose it is: copies of it that enrol again must be known for what they are.
#ifndef ZHIBU_CLIENT_CORE_ENROLMENT_H_
#define ZHIBU_CLIENT_CORE_ENROLMENT_H_

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "client-core/store/store.h"
#include "sync/crypto/handshake.h"
#include "zhibu/sync/v1/sync.pb.h"

namespace zhibu::client {

class Enrolment {
 public:
  // BAD_CODE: the text is no code. ALREADY_HERE: the device is enrolled, and nothing is wrong that
  // a code would mend. `store` outlives it.
  static absl::StatusOr<Enrolment> Begin(Store* store, absl::string_view code,
                                         absl::string_view device_name);

  const EnrolmentTicket& ticket() const { return ticket_; }
  const sync::v1::EnrolRequest& request() const { return request_; }

  // OTHER_SERVER: it is not the one for which this device has recorded what it holds.
  absl::Status Finish(const sync::v1::EnrolReply& reply);

 private:
  Enrolment() = default;

  Store* store_ = nullptr;
  EnrolmentTicket ticket_;
  sync::v1::EnrolRequest request_;
  std::string secret_key_;
  std::optional<Identity> known_;  // as it is enrolled already
  bool same_key_ = false;
};

}  // namespace zhibu::client

#endif  // ZHIBU_CLIENT_CORE_ENROLMENT_H_
