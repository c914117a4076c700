// zhibu device courier, and what a device does at a sync with the parcels that it
// carries for others.
#ifndef ZHIBU_CLIENT_CORE_CLI_COURIER_H_
#define ZHIBU_CLIENT_CORE_CLI_COURIER_H_

#include <nlohmann/json.hpp>
#include <string>

#include "absl/status/statusor.h"
#include "client-core/cli/output.h"
#include "client-core/store/store.h"

namespace zhibu::client {

// Says of each parcel in the satchel of `home` what became of it; as a JSON array, too.
// One that cannot be delivered stays, and does not keep the others from it.
absl::StatusOr<nlohmann::json> DeliverCarried(Store& store, const std::string& home,
                                              const Output& output);

}  // namespace zhibu::client

#endif  // ZHIBU_CLIENT_CORE_CLI_COURIER_H_
