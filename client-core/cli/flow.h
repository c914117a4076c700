// zhibu device flow and transfer: stays away from home, contacts, and transfers of
// membership, each side's steps; all of it offline.
#ifndef ZHIBU_CLIENT_CORE_CLI_FLOW_H_
#define ZHIBU_CLIENT_CORE_CLI_FLOW_H_

#include <CLI/CLI.hpp>
#include <functional>

#include "client-core/cli/check_in.h"

namespace zhibu::client {

// Add the commands to `device`; each is handed to `on_chosen` with what it does.
void AddFlowCommands(CLI::App* device,
                     const std::function<void(CLI::App*, StoreCommand)>& on_chosen);
void AddTransferCommands(CLI::App* device,
                         const std::function<void(CLI::App*, StoreCommand)>& on_chosen);

}  // namespace zhibu::client

#endif  // ZHIBU_CLIENT_CORE_CLI_FLOW_H_
