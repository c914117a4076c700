#include "client-core/cli/commands.h"

#include <sys/stat.h>

#include <filesystem>
#include <system_error>

#include "sync/base/status.h"
#include "sync/cli/key_file.h"

namespace zhibu::client {
namespace {

absl::StatusOr<std::unique_ptr<Store>> OpenDevice(const Invocation& invocation) {
  std::error_code error;
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
      ->callback([run = std::move(run), typed = parent.invocation] {
        if (typed->home.empty()) throw CLI::RequiredError("--home");
        *typed->chosen = [=]() -> absl::Status {
          ASSIGN_OR_RETURN(const std::unique_ptr<Store> store, OpenDevice(*typed));
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

absl::Status Commit(Store& store, const Output& output, Draft draft) {
  const auto number = store.Commit({&draft});
  return output.Committed(store, number, draft);
}

}  // namespace zhibu::client
