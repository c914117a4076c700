// zhibu device pass: issue one, show one, verify one without a network.
#ifndef ZHIBU_CLIENT_CORE_CLI_PASS_H_
#define ZHIBU_CLIENT_CORE_CLI_PASS_H_

#include <CLI/CLI.hpp>
#include <functional>

#include "client-core/cli/check_in.h"

namespace zhibu::client {

// Adds the commands to `device`; each is handed to `on_chosen` with what it does.
void AddPassCommands(CLI::App* device,
                     const std::function<void(CLI::App*, StoreCommand)>& on_chosen);

}  // namespace zhibu::client

#endif  // ZHIBU_CLIENT_CORE_CLI_PASS_H_
