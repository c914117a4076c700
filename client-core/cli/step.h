// One step of a record on which several people work, each in their turn: a stay away
// from home, a transfer, a pass, an edit that is held.
#ifndef ZHIBU_CLIENT_CORE_CLI_STEP_H_
#define ZHIBU_CLIENT_CORE_CLI_STEP_H_

#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client-core/cli/commands.h"
#include "client-core/store.h"
#include "sync/status.h"

namespace zhibu::client {

// The record that `begin` finds or makes is brought to the state, if the step leads to
// one, and gets what else `write` says; then it is committed.
template <typename T, typename Arguments>
OnStore<Arguments> Step(absl::StatusOr<Draft> (*begin)(const Arguments&, Store&),
                        std::optional<typename T::State> to,
                        absl::Status (*write)(const Arguments&, Store&, T&) = nullptr) {
  return [=](const Arguments& arguments, Store& store, const Output& output) -> absl::Status {
    ASSIGN_OR_RETURN(Draft draft, begin(arguments, store));
    T& record = draft.message<T>();
    if (to) record.set_state(*to);
    if (write != nullptr) RETURN_IF_ERROR(write(arguments, store, record));
    return Commit(store, output, std::move(draft));
  };
}

}  // namespace zhibu::client

#endif  // ZHIBU_CLIENT_CORE_CLI_STEP_H_
