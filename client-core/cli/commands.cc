#include "client-core/cli/commands.h"

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <iostream>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "sync/base/reason.h"
#include "sync/base/status.h"
#include "sync/base/text.h"
#include "sync/cli/key_file.h"

namespace zhibu::client {
namespace {

// A mistyped --home is no empty device, in which what is recorded would be found by nobody.
absl::StatusOr<std::unique_ptr<Store>> OpenDevice(const Invocation& invocation, bool makes_home) {
  std::error_code error;
  if (!makes_home && !std::filesystem::exists(invocation.home + "/device.db", error)) {
    return Refuse(sync::v1::NOT_HERE,
                  InBoth(absl::StrCat("设备文件夹 ", invocation.home,
                                      "（新设备请先 enrol 登记，或用 init 建立）"),
                         absl::StrCat("device in ", invocation.home,
                                      " (a new one is made by enrol, or by init)")));
  }
  std::filesystem::create_directories(invocation.home, error);
  umask(0077);
  const std::string file = invocation.home + "/device.db";
  const std::string key_file =
      invocation.key_file.empty() ? invocation.home + "/device.key" : invocation.key_file;
  ASSIGN_OR_RETURN(std::string key,
                   KeyFor(key_file, file, [&] { return Store::Open({.file = file}).status(); }));
  return Store::Open({.file = file, .key = std::move(key)});
}

}  // namespace

Parent Parent::AddGroup(const char* name, const char* help) const {
  CLI::App* group = app->add_subcommand(name, help);
  group->require_subcommand(1);
  return {group, invocation};
}

CLI::App* AddCommand(const Parent& parent, const char* name, const char* help, StoreCommand run) {
  return parent.app->add_subcommand(name, help)
      ->callback([run = std::move(run), typed = parent.invocation, makes_home = parent.makes_home] {
        if (typed->home.empty()) throw CLI::RequiredError("--home");
        *typed->chosen = [=]() -> absl::Status {
          ASSIGN_OR_RETURN(const std::unique_ptr<Store> store, OpenDevice(*typed, makes_home));
          return run(*store, {*typed->json, *typed->language, typed->ids});
        };
      });
}

CLI::App* AddCommand(const Parent& parent, const char* name, const char* help, PlainCommand run) {
  return parent.app->add_subcommand(name, help)
      ->callback([run = std::move(run), typed = parent.invocation] {
        *typed->chosen = [=] { return run({*typed->json, *typed->language, typed->ids}); };
      });
}

absl::Status Confirm(const Output& output, bool yes, const std::string& what) {
  if (yes || output.as_json) return absl::OkStatus();
  const auto refused = [&](absl::string_view zh, absl::string_view en) {
    return Refuse(sync::v1::NOT_UNDERSTOOD, InBoth(zh, en));
  };
  if (isatty(STDIN_FILENO) == 0) {
    return refused("无法当面确认，确定的话请加 --yes", "nobody can be asked here: say --yes");
  }
  std::cout << Printable(what) << output.Say("确定吗？输入 是 或 y：", " Sure? Say y: ")
            << std::flush;
  std::string said;
  std::getline(std::cin, said);
  if (said == "是" || said == "y" || said == "Y" || said == "yes") return absl::OkStatus();
  return refused("没有确认", "it was not confirmed");
}

absl::Status Commit(Store& store, const Output& output, Draft draft) {
  const auto number = store.Commit({&draft});
  return output.Committed(store, number, draft);
}

}  // namespace zhibu::client
