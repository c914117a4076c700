// What people do about their own devices.
//
//   ASSIGN_OR_RETURN(Draft device, ThisDevice(*store));
//   ASSIGN_OR_RETURN(device, RenameDevice(std::move(device), "李的手机"));
//   ASSIGN_OR_RETURN(EditNumber number, store->Commit({&device}));
//
// Threads and errors: actions/known.h.
#ifndef ZHIBU_CLIENT_CORE_ACTIONS_DEVICES_H_
#define ZHIBU_CLIENT_CORE_ACTIONS_DEVICES_H_

#include <string>

#include "absl/status/statusor.h"
#include "client-core/store/store.h"

namespace zhibu::client {

// The Device record of this device. NOT_FOUND: it has had no session yet.
absl::StatusOr<Draft> ThisDevice(Store& store);

// `device`: this one, or another one of the owner's, as they saw it.
absl::StatusOr<Draft> RenameDevice(Draft device, const std::string& name);

}  // namespace zhibu::client

#endif  // ZHIBU_CLIENT_CORE_ACTIONS_DEVICES_H_
