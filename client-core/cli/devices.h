// zhibu device devices and rename: one's own devices.
#ifndef ZHIBU_CLIENT_CORE_CLI_DEVICES_H_
#define ZHIBU_CLIENT_CORE_CLI_DEVICES_H_

#include <CLI/CLI.hpp>
#include <functional>

#include "client-core/cli/check_in.h"  // StoreCommand

namespace zhibu::client {

// Adds the commands to `device`; each is handed to `on_chosen` with what it does.
void AddDevicesCommands(CLI::App* device,
                        const std::function<void(CLI::App*, StoreCommand)>& on_chosen);

}  // namespace zhibu::client

#endif  // ZHIBU_CLIENT_CORE_CLI_DEVICES_H_
