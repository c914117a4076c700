// What every function of zhibu.h does around what it is for: bytes in and out, errors as values,
// and nothing that is thrown gets out.
//
//   int32_t zhibu_state(zhibu_handle store, zhibu_out* state, zhibu_out* error) {
//     return OnStore(store, state, error, [](Store& open) -> absl::StatusOr<std::string> {
//       …return Bytes(message);
//     });
//   }
#ifndef ZHIBU_CLIENT_CORE_C_CALL_H_
#define ZHIBU_CLIENT_CORE_C_CALL_H_

#include <google/protobuf/message_lite.h>

#include <memory>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/civil_time.h"
#include "client-core/c/handles.h"
#include "client-core/c/zhibu.h"
#include "client-core/store/store.h"
#include "sync/base/status.h"
#include "zhibu/api/v1/api.pb.h"

namespace zhibu::client {

using Answer = absl::StatusOr<std::string>;

// What `body` gives goes to `reply`; where it fails, nothing, and `error` says why.
int32_t Call(zhibu_out* reply, zhibu_out* error, absl::FunctionRef<Answer()> body) noexcept;

// An answer of nothing.
inline Answer Done(const absl::Status& status) {
  if (!status.ok()) return status;
  return std::string();
}
std::string Bytes(const google::protobuf::MessageLite& message);

// INVALID_ARGUMENT: no such bytes, or more than any message has.
absl::StatusOr<absl::string_view> BytesIn(zhibu_in in);
absl::Status ReadInto(zhibu_in in, google::protobuf::MessageLite* message);
template <typename T>
absl::StatusOr<T> Read(zhibu_in in) {
  T message;
  RETURN_IF_ERROR(ReadInto(in, &message));
  return message;
}
// MALFORMED: not 16 bytes.
absl::StatusOr<Id> IdIn(absl::string_view bytes);
absl::StatusOr<Id> IdIn(zhibu_in in);

// "2026-01-31". BAD_VALUE.
absl::StatusOr<absl::CivilDay> DayIn(const std::string& text);

absl::Status NotOpen();
// Errors: NotOpen.
template <typename T>
absl::StatusOr<std::shared_ptr<T>> Opened(zhibu_handle handle) {
  auto object = std::dynamic_pointer_cast<T>(AllHandles().Find(handle));
  if (object == nullptr) return NotOpen();
  return object;
}
// Closes it, if it is a T.
template <typename T>
absl::Status CloseHandle(zhibu_handle handle) {
  RETURN_IF_ERROR(Opened<T>(handle).status());
  const std::shared_ptr<Object> object = AllHandles().Take(handle);
  if (object == nullptr) return NotOpen();  // another thread was first
  object->Close();
  return absl::OkStatus();
}

int32_t OnStore(zhibu_handle store, zhibu_out* reply, zhibu_out* error,
                absl::FunctionRef<Answer(Store&)> body) noexcept;

// The type of that name, label or number. INVALID_ARGUMENT: UNKNOWN_TYPE.
absl::StatusOr<const RecordType*> TypeIn(const Store& store, absl::string_view name);

// One edit of what `draft` has become. Errors: its own, and Store::Commit's.
Answer CommitDraft(Store& store, absl::StatusOr<Draft> draft);

}  // namespace zhibu::client

#endif  // ZHIBU_CLIENT_CORE_C_CALL_H_
