// zhibu serve and zhibu admin: the server on the command line.
#ifndef ZHIBU_SERVER_CLI_SERVER_H_
#define ZHIBU_SERVER_CLI_SERVER_H_

#include <CLI/CLI.hpp>
#include <functional>
#include <string>

#include "absl/status/status.h"
#include "sync/wire/shown.h"

namespace zhibu::server {

inline constexpr char kKeyFileHelp[] =
    "Key of what is stored; made with a new store. Default: zhibu.key in --data";

// --store, and the environment's ZHIBU_STORE: a password is better not seen in a list of processes.
void AddStoreOption(CLI::App* command, std::string* store);

// Who runs this, for what is written down of it; before `sudo`, where that was used.
std::string UserName();

// Add the commands to `app`; the one chosen is left in `chosen`. `json` and
// `language` are read when it runs.
void AddServeCommand(CLI::App* app, const bool* json, const Language* language,
                     std::function<absl::Status()>* chosen);
void AddAdminCommand(CLI::App* app, const bool* json, const Language* language,
                     std::function<absl::Status()>* chosen);

}  // namespace zhibu::server

#endif  // ZHIBU_SERVER_CLI_SERVER_H_
