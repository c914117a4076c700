// zhibu load: many devices at once, as they would be there, against one server.
//
//   zhibu load push --serve --devices 500 --seconds 30
//   zhibu load storm --data DIR --devices 2000
#ifndef ZHIBU_TESTS_LOAD_COMMAND_H_
#define ZHIBU_TESTS_LOAD_COMMAND_H_

#include <CLI/CLI.hpp>
#include <functional>

#include "absl/status/status.h"
#include "sync/wire/shown.h"

namespace zhibu::load {

// Adds the command to `app`; if it is chosen it is left in `chosen`. `json` and `language` are read
// when it runs.
void AddLoadCommand(CLI::App* app, const bool* json, const Language* language,
                    std::function<absl::Status()>* chosen);

}  // namespace zhibu::load

#endif  // ZHIBU_TESTS_LOAD_COMMAND_H_
