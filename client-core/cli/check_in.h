// zhibu device check-in: show a code, scan one, or do without.
#ifndef ZHIBU_CLIENT_CORE_CLI_CHECK_IN_H_
#define ZHIBU_CLIENT_CORE_CLI_CHECK_IN_H_

#include <CLI/CLI.hpp>
#include <functional>

#include "absl/status/status.h"
#include "client-core/cli/output.h"
#include "client-core/store.h"

namespace zhibu::client {

// What a command does with the device's store.
using StoreCommand = std::function<absl::Status(Store&, const Output&)>;

// Adds the commands to `device`; each is handed to `on_chosen` with what it does.
void AddCheckInCommands(CLI::App* device,
                        const std::function<void(CLI::App*, StoreCommand)>& on_chosen);

}  // namespace zhibu::client

#endif  // ZHIBU_CLIENT_CORE_CLI_CHECK_IN_H_
