// zhibu device: a device on the command line. One folder is one device.
#ifndef ZHIBU_CLIENT_CORE_CLI_DEVICE_H_
#define ZHIBU_CLIENT_CORE_CLI_DEVICE_H_

#include <CLI/CLI.hpp>
#include <functional>

#include "absl/status/status.h"
#include "sync/wire/shown.h"

namespace zhibu::client {

// Adds the command to `app`; the one chosen is left in `chosen`. `json` and
// `language` are read when it runs.
void AddDeviceCommand(CLI::App* app, const bool* json, const Language* language,
                      std::function<absl::Status()>* chosen);

}  // namespace zhibu::client

#endif  // ZHIBU_CLIENT_CORE_CLI_DEVICE_H_
