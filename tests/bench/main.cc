#include <signal.h>
#include <sqlite3.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <string>

#include "absl/strings/match.h"
#include "absl/synchronization/mutex.h"
#include "tests/bench/report.h"

namespace zhibu::bench {
namespace {

struct Scenario {
  const char* name;
  void (*measure)(const Options& options, Report* report);
};

constexpr Scenario kScenarios[] = {
    {"local_write", MeasureLocalWrite},
    {"first_download", MeasureFirstDownload},
    {"push", MeasurePush},
    {"wire", MeasureWire},
    {"check_in", MeasureCheckIn},
    {"many", MeasureMany},
    {"scope", MeasureScope},
    {"sync_idle", MeasureIdle},
    {"merge", MeasureMerge},
    {"rules", MeasureRules},
    {"lists", MeasureLists},
    {"due", MeasureDue},
    {"ledger", MeasureLedger},
    {"checks", MeasureChecks},
    {"figures", MeasureFigures},
};

int Main(int argc, char** argv) {
  // Both as in zhibu: on by default where abseil is built for debugging, and in SQLite.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
  signal(SIGPIPE, SIG_IGN);
  CLI::App app("What Zhibu costs, as ratios to floors measured in the same run");
  Options options;
  std::string only;
  std::string json;
  std::string directory = std::filesystem::temp_directory_path();
  app.add_option("--rounds", options.rounds, "How often floor and subject take turns")
      ->capture_default_str();
  app.add_option("--only", only, "Scenarios whose names begin so");
  app.add_option("--json", json, "File to write the figures to");
  app.add_option("--dir", directory, "Where the databases lie; must be a disk, not memory")
      ->capture_default_str();
  app.add_flag("--quick", options.quick, "Small sizes: checks that it works, measures nothing");
  CLI11_PARSE(app, argc, argv);

  options.folder = directory + "/zhibu-bench-XXXXXX";
  Check(mkdtemp(options.folder.data()) != nullptr, "cannot make a folder in " + directory);
  Report report;
  report.PrintHeader(std::cout);
  for (const Scenario& scenario : kScenarios) {
    if (!absl::StartsWith(scenario.name, only)) continue;
    scenario.measure(options, &report);
    report.PrintNew(std::cout);
  }
  std::filesystem::remove_all(options.folder);
  if (!json.empty()) {
    std::ofstream file(json);
    file << report.Json(options) << "\n";
    Check(file.good(), "cannot write " + json);
  }
  return 0;
}

}  // namespace
}  // namespace zhibu::bench

int main(int argc, char** argv) { return zhibu::bench::Main(argc, argv); }
