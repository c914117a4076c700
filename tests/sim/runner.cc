// The simulator by itself, without gRPC: `zhibu_sim_runner sim --seed 1`.
#include <sodium.h>

#include <CLI/CLI.hpp>
#include <iostream>

#include "tests/sim/command.h"

int main(int argc, char** argv) {
  if (sodium_init() < 0) return 1;
  CLI::App app("zhibu sim");
  app.require_subcommand(1);
  app.fallthrough();
  bool json = false;
  zhibu::Language language = zhibu::Language::kEnglish;
  app.add_flag("--json", json, "One JSON value on a line");
  std::function<absl::Status()> chosen;
  zhibu::sim::AddSimCommand(&app, &json, &language, &chosen);
  CLI11_PARSE(app, argc, argv);
  const absl::Status status = chosen();
  if (!status.ok()) std::cerr << "failed: " << status.message() << std::endl;
  return status.ok() ? 0 : 1;
}
