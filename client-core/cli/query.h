// zhibu device query, accesses: look at what is not held here, and see who has looked
// at what is kept of oneself.
#ifndef ZHIBU_CLIENT_CORE_CLI_QUERY_H_
#define ZHIBU_CLIENT_CORE_CLI_QUERY_H_

#include <CLI/CLI.hpp>
#include <functional>

#include "client-core/cli/check_in.h"

namespace zhibu::client {

// As AddCheckInCommands.
void AddQueryCommands(CLI::App* device,
                      const std::function<void(CLI::App*, StoreCommand)>& on_chosen);

}  // namespace zhibu::client

#endif  // ZHIBU_CLIENT_CORE_CLI_QUERY_H_
