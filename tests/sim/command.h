// zhibu sim: years of bad luck in minutes, the same again from the same seed.
//
//   zhibu sim --seed 7 --steps 2000 --devices 6 --faults cut,clone
//   zhibu sim --plan failing.txt
#ifndef ZHIBU_TESTS_SIM_COMMAND_H_
#define ZHIBU_TESTS_SIM_COMMAND_H_

#include <CLI/CLI.hpp>
#include <functional>

#include "absl/status/status.h"
#include "sync/wire/shown.h"

namespace zhibu::sim {

// Adds the command to `app`; if it is chosen it is left in `chosen`. `json` and
// `language` are read when it runs. An invariant that does not hold is INTERNAL.
void AddSimCommand(CLI::App* app, const bool* json, const Language* language,
                   std::function<absl::Status()>* chosen);

}  // namespace zhibu::sim

#endif  // ZHIBU_TESTS_SIM_COMMAND_H_
