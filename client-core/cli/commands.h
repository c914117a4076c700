// The commands of zhibu device, a file for each group. A group has a struct of what can
// be typed, a function for each thing that is done, and a list that says what each is
// called, what it does and what it takes:
//
//   struct Arguments { std::string name; };
//   absl::Status Rename(const Arguments& arguments, Store& store, const Output& output);
//
//   void AddDevicesCommands(const Parent& device) {
//     Commands<Arguments> commands(device);
//     commands.Add("rename", "Give this device another name", &Rename,
//                  {{"NAME", &Arguments::name, "Shown to you and to the operator", kRequired}});
//   }
#ifndef ZHIBU_CLIENT_CORE_CLI_COMMANDS_H_
#define ZHIBU_CLIENT_CORE_CLI_COMMANDS_H_

#include <CLI/CLI.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client-core/cli/output.h"
#include "client-core/store/store.h"
#include "sync/base/status.h"
#include "sync/wire/shown.h"

namespace zhibu::client {

// What stands before the command, and where the one that was typed is left to be run.
// All but `chosen` is read when it runs.
struct Invocation {
  std::string home;
  std::string key_file;
  bool ids = false;
  const bool* json;
  const Language* language;
  std::function<absl::Status()>* chosen;
};

// What commands are added to: zhibu device, or one that only has commands below it.
struct Parent {
  Parent AddGroup(const char* name, const char* help) const;

  CLI::App* app;
  std::shared_ptr<const Invocation> invocation;
  bool makes_home = false;  // a --home that is not there is made
};

// What a command does with the device's store.
using StoreCommand = std::function<absl::Status(Store&, const Output&)>;
// One that needs no device.
using PlainCommand = std::function<absl::Status(const Output&)>;

// If the command is the one that was typed, `run` is chosen. For a StoreCommand --home
// must be given, and the device there is opened; NOT_HERE: there is none.
CLI::App* AddCommand(const Parent& parent, const char* name, const char* help, StoreCommand run);
CLI::App* AddCommand(const Parent& parent, const char* name, const char* help, PlainCommand run);

// Where an option's value goes; a bool is a flag.
template <typename Arguments>
struct Option {
  const char* name;
  std::variant<std::string Arguments::*, std::vector<std::string> Arguments::*, int Arguments::*,
               int64_t Arguments::*, bool Arguments::*>
      value;
  const char* help;
  bool required = false;
};
inline constexpr bool kRequired = true;

template <typename Arguments>
using OnStore = std::function<absl::Status(const Arguments&, Store&, const Output&)>;
template <typename Arguments>
using Plain = std::function<absl::Status(const Arguments&, const Output&)>;

// Commands that share what can be typed after them.
template <typename Arguments>
class Commands {
 public:
  explicit Commands(Parent parent, Arguments defaults = {})
      : parent_(std::move(parent)), arguments_(std::make_shared<Arguments>(std::move(defaults))) {}

  CLI::App* Add(const char* name, const char* help, OnStore<Arguments> run,
                const std::vector<Option<Arguments>>& options = {}) {
    return AddOptions(options, AddCommand(parent_, name, help,
                                          [run = std::move(run), arguments = arguments_](
                                              Store& store, const Output& output) {
                                            return run(*arguments, store, output);
                                          }));
  }
  CLI::App* Add(const char* name, const char* help, Plain<Arguments> run,
                const std::vector<Option<Arguments>>& options = {}) {
    return AddOptions(
        options, AddCommand(parent_, name, help,
                            [run = std::move(run), arguments = arguments_](const Output& output) {
                              return run(*arguments, output);
                            }));
  }

  // For an option of another kind. As long-lived as the commands.
  Arguments& arguments() { return *arguments_; }

 private:
  CLI::App* AddOptions(const std::vector<Option<Arguments>>& options, CLI::App* command) {
    for (const Option<Arguments>& option : options) {
      std::visit([&](auto member) { AddOption(command, option, &((*arguments_).*member)); },
                 option.value);
    }
    return command;
  }

  template <typename Value>
  static void AddOption(CLI::App* command, const Option<Arguments>& option, Value* value) {
    if constexpr (std::is_same_v<Value, bool>) {
      command->add_flag(option.name, *value, option.help);
    } else {
      command->add_option(option.name, *value, option.help)->required(option.required);
    }
  }

  const Parent parent_;
  const std::shared_ptr<Arguments> arguments_;
};

// Of what cannot be undone: whoever is at the terminal is asked, in the words of `what`; not where
// they have said --yes, nor of a program (--json). NOT_UNDERSTOOD: it is not confirmed.
absl::Status Confirm(const Output& output, bool yes, const std::string& what);

// Commits the draft, and says what became of it.
absl::Status Commit(Store& store, const Output& output, Draft draft);

// A command that commits what an action gives.
template <typename Arguments>
OnStore<Arguments> Committing(absl::StatusOr<Draft> (*act)(const Arguments&, Store&)) {
  return [act](const Arguments& arguments, Store& store, const Output& output) -> absl::Status {
    ASSIGN_OR_RETURN(Draft draft, act(arguments, store));
    return Commit(store, output, std::move(draft));
  };
}

using AddCommands = void(const Parent& device);

AddCommands AddEnrolCommand;      // devices.cc: enrol, init
AddCommands AddRecordCommands;    // records.cc: put, edit, delete, get, list
AddCommands AddRegisterCommand;   // register.cc: a person and where they belong, in one step
AddCommands AddSyncCommand;       // sync.cc
AddCommands AddCheckInCommands;   // check_in.cc: show a code, scan one, or do without
AddCommands AddFlowCommands;      // flow.cc: stays away from home, each side's steps
AddCommands AddTransferCommands;  // transfer.cc: of membership, each side's steps
AddCommands AddPassCommands;      // pass.cc: issue one, show one, verify one
AddCommands AddPersonsCommands;   // persons.cc: who is registered twice
AddCommands AddNoticeCommand;     // notice.cc: put one up
AddCommands AddScreenCommand;     // screen.cc: the pages, in a browser
AddCommands AddDueCommand;        // due.cc: what the rule book asks for
AddCommands AddChecksCommand;     // checks.cc: what is not as it has it
AddCommands AddReportCommand;     // report.cc: what it adds up to
AddCommands AddLedgerCommand;     // ledger.cc: what is handed in, out of what is held
AddCommands AddImportCommand;     // import.cc: a sheet of an office, read by a ledger
AddCommands AddRulesCommands;     // rules.cc: the rule book itself
AddCommands AddQueryCommands;     // query.cc: what is not held here; who has looked at oneself
AddCommands AddDevicesCommands;   // devices.cc: one's own devices
AddCommands AddCourierCommands;   // courier.cc
AddCommands AddStatusCommand;     // sync.cc
AddCommands AddConflictsCommand;  // records.cc
AddCommands AddSetAsideCommands;  // set_aside.cc: what was not merged, and what waits for one

}  // namespace zhibu::client

#endif  // ZHIBU_CLIENT_CORE_CLI_COMMANDS_H_
