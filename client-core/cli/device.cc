#include "client-core/cli/device.h"

#include <memory>

#include "client-core/cli/commands.h"

namespace zhibu::client {

void AddDeviceCommand(CLI::App* app, const bool* json, const Language* language,
                      std::function<absl::Status()>* chosen) {
  const auto invocation = std::make_shared<Invocation>(
      Invocation{.json = json, .language = language, .chosen = chosen});
  const Parent device = Parent{app, invocation}.AddGroup(
      "device", "A device: record offline, sync when there is a link");
  device.app->add_option("--home", invocation->home,
                         "Folder of the device; made if it is not there");
  device.app->add_option(
      "--key-file", invocation->key_file,
      "Key of what is stored; made if it is not there. Default: device.key in --home");
  device.app->add_flag("--ids", invocation->ids,
                       "Show the ids of records too; --json always has them");
  // In the order of --help.
  for (AddCommands* add_commands :
       {&AddEnrolCommand,    &AddRecordCommands,   &AddRegisterCommand,  &AddSyncCommand,
        &AddCheckInCommands, &AddFlowCommands,     &AddTransferCommands, &AddPassCommands,
        &AddPersonsCommands, &AddNoticeCommand,    &AddScreenCommand,    &AddDueCommand,
        &AddChecksCommand,   &AddReportCommand,    &AddLedgerCommand,    &AddImportCommand,
        &AddRulesCommands,   &AddQueryCommands,    &AddDevicesCommands,  &AddCourierCommands,
        &AddStatusCommand,   &AddConflictsCommand, &AddSetAsideCommands}) {
    add_commands(device);
  }
}

}  // namespace zhibu::client
