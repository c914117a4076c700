// The one program: it serves, administers, acts as a device, simulates, and loads.
#include <sodium.h>
#include <sqlite3.h>

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>

#include "client-core/cli/device.h"
#include "server/cli/server.h"
#include "sync/base/reason.h"
#include "sync/wire/shown.h"
#include "tests/load/command.h"
#include "tests/sim/command.h"

namespace {

constexpr int kFailed = 1;
constexpr int kWrongUsage = 2;

void ShowError(const absl::Status& status, bool json, zhibu::Language language) {
  const std::string told = zhibu::Told(status, language);
  if (!json) {
    std::cerr << (language == zhibu::Language::kChinese ? "失败: " : "failed: ") << told
              << std::endl;
    return;
  }
  const zhibu::Refused refused = zhibu::ReasonOf(status);
  std::cout << nlohmann::json({{"error",
                                {{"code", absl::StatusCodeToString(status.code())},
                                 {"reason", zhibu::sync::v1::Reason_Name(refused.reason)},
                                 {"message", std::string(status.message())},
                                 {"words", told}}}})
                   .dump()
            << std::endl;
}

}  // namespace

int main(int argc, char** argv) {
  if (sodium_init() < 0) {
    std::cerr << "failed: libsodium cannot start" << std::endl;
    return kFailed;
  }
  // It would count its memory, which takes a lock at every malloc of its own.
  sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
  CLI::App app(
      "支部 Zhibu: branch records, written offline, reconciled without losing anyone's work");
  app.require_subcommand(1);
  app.fallthrough();
  bool json = false;
  std::string chosen_language =
      std::getenv("ZHIBU_LANG") != nullptr ? std::getenv("ZHIBU_LANG") : "zh";
  zhibu::Language language = zhibu::Language::kChinese;
  app.add_flag("--json", json, "For other programs: one JSON value on a line");
  app.add_option("--lang", chosen_language, "zh or en; default: ZHIBU_LANG, else zh")
      ->check(CLI::IsMember({"zh", "en"}));

  std::function<absl::Status()> chosen;
  zhibu::server::AddServeCommand(&app, &json, &language, &chosen);
  zhibu::server::AddAdminCommand(&app, &json, &language, &chosen);
  zhibu::client::AddDeviceCommand(&app, &json, &language, &chosen);
  zhibu::sim::AddSimCommand(&app, &json, &language, &chosen);
  zhibu::load::AddLoadCommand(&app, &json, &language, &chosen);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const int code = app.exit(error);
    return code == 0 ? 0 : kWrongUsage;
  }
  if (chosen_language == "en") language = zhibu::Language::kEnglish;
  const absl::Status status = chosen();
  if (status.ok()) return 0;
  ShowError(status, json, language);
  return kFailed;
}
