// For those who write actions: one step of a record on which several people work, each in
// their turn: a stay away from home, a transfer, a pass, an edit that is held.
//
//   return TakeStep<Flow>(std::move(stay), Flow::NOT_EXTENDED, why);
#ifndef ZHIBU_CLIENT_CORE_ACTIONS_STEP_H_
#define ZHIBU_CLIENT_CORE_ACTIONS_STEP_H_

#include <google/protobuf/descriptor.h>

#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "client-core/store/store.h"
#include "sync/base/status.h"

namespace zhibu::client {

// INVALID_ARGUMENT: the draft is of another type than T.
template <typename T>
absl::Status CheckIsA(const Draft& draft) {
  if (draft.message().GetDescriptor() == T::descriptor()) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("the draft is of type ", draft.type().name,
                                                 ", and not ", T::descriptor()->name()));
}

// The step that leads to that state. Whether it is declared, Store::Commit says.
template <typename T>
absl::StatusOr<Draft> TakeStep(Draft draft, typename T::State to) {
  RETURN_IF_ERROR(CheckIsA<T>(draft));
  draft.message<T>().set_state(to);
  return draft;
}
// The same, with a remark; an empty one leaves what is there.
template <typename T>
absl::StatusOr<Draft> TakeStep(Draft draft, typename T::State to, const std::string& remark) {
  ASSIGN_OR_RETURN(draft, TakeStep<T>(std::move(draft), to));
  if (!remark.empty()) draft.message<T>().set_remark(remark);
  return draft;
}

}  // namespace zhibu::client

#endif  // ZHIBU_CLIENT_CORE_ACTIONS_STEP_H_
