// A device becomes known to its server: a request, and the answer.
#include "client-core/enrolment.h"

#include <memory>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "client-core/c/call.h"
#include "client-core/c/open_store.h"
#include "client-core/c/told.h"
#include "sync/base/reason.h"

namespace zhibu::client {
namespace {

class OpenEnrolment final : public OnAStore {
 public:
  OpenEnrolment(std::shared_ptr<Store> store, Enrolment enrolment)
      : OnAStore(std::move(store)), enrolment_(std::move(enrolment)) {}

  absl::Status Finish(const sync::v1::EnrolReply& reply) {
    absl::MutexLock lock(&mutex_);
    return enrolment_.Finish(reply);
  }

 private:
  absl::Mutex mutex_;
  Enrolment enrolment_ ABSL_GUARDED_BY(mutex_);
};

api::v1::EnrolCall CallOf(const Enrolment& enrolment) {
  api::v1::EnrolCall call;
  call.set_address(enrolment.ticket().address);
  call.set_fingerprint(enrolment.ticket().fingerprint);
  call.set_request(enrolment.request().SerializeAsString());
  return call;
}

}  // namespace
}  // namespace zhibu::client

using namespace zhibu;          // NOLINT
using namespace zhibu::client;  // NOLINT

int32_t zhibu_enrol_open(zhibu_handle store, zhibu_in options, zhibu_handle* enrolment,
                         zhibu_out* call, zhibu_out* error) {
  return Call(call, error, [&]() -> Answer {
    if (enrolment == nullptr) return absl::InvalidArgumentError("no place for the handle");
    *enrolment = 0;
    ASSIGN_OR_RETURN(const auto open, Opened<OpenStore>(store));
    ASSIGN_OR_RETURN(const auto wanted, Read<api::v1::EnrolOptions>(options));
    ASSIGN_OR_RETURN(Enrolment begun,
                     Enrolment::Begin(&open->store(), wanted.code(), wanted.device_name()));
    const std::string bytes = Bytes(CallOf(begun));
    ASSIGN_OR_RETURN(*enrolment,
                     open->Add(std::make_shared<OpenEnrolment>(open->shared(), std::move(begun))));
    return bytes;
  });
}

int32_t zhibu_enrol_reply(zhibu_handle enrolment, zhibu_in reply, zhibu_out* error) {
  return Call(nullptr, error, [&]() -> Answer {
    ASSIGN_OR_RETURN(const auto open, Opened<OpenEnrolment>(enrolment));
    ASSIGN_OR_RETURN(const auto answer, Read<sync::v1::EnrolReply>(reply));
    return Done(open->Finish(answer));
  });
}

int32_t zhibu_enrol_refused(zhibu_handle enrolment, zhibu_in end, zhibu_out* error) {
  return Call(nullptr, error, [&]() -> Answer {
    RETURN_IF_ERROR(Opened<OpenEnrolment>(enrolment).status());
    ASSIGN_OR_RETURN(const auto why, Read<api::v1::StreamEnd>(end));
    RETURN_IF_ERROR(StatusOf(why));
    return Refuse(sync::v1::OFFLINE, "");
  });
}

int32_t zhibu_enrol_close(zhibu_handle enrolment, zhibu_out* error) {
  return Call(nullptr, error, [&] { return Done(CloseHandle<OpenEnrolment>(enrolment)); });
}
