#include "client-core/cli/check_in.h"

#include <unistd.h>

#include <chrono>
#include <iostream>
#include <memory>
#include <string>
#include <thread>

#include "absl/strings/str_cat.h"
#include "client-core/check_in.h"
#include "sync/qr.h"
#include "sync/status.h"

namespace zhibu::client {
namespace {

constexpr char kClearScreen[] = "\x1b[2J\x1b[H";

struct Arguments {
  std::string activity;
  std::string member;
  std::string text;
  bool once = false;
  bool as_text = false;
};

absl::Status PrintCode(const ShownCheckIn& shown, const Arguments& arguments,
                       const Output& output) {
  if (output.as_json || arguments.as_text) {
    output.Print({{"text", shown.text}, {"nextMs", shown.next_ms}}, shown.text);
    return absl::OkStatus();
  }
  ASSIGN_OR_RETURN(const std::string drawn, DrawQr(shown.text));
  const bool screen = !arguments.once && isatty(STDOUT_FILENO) != 0;
  output.Print({}, absl::StrCat(screen ? kClearScreen : "", drawn,
                                output.Say("请扫码签到，签到码每 30 秒更换",
                                           "scan to check in; the code changes every 30 s")));
  return absl::OkStatus();
}

// Until it is interrupted, or once.
absl::Status Show(const Arguments& arguments, Store& store, const Output& output) {
  ASSIGN_OR_RETURN(const Id activity, ParseId(arguments.activity));
  while (true) {
    ASSIGN_OR_RETURN(const ShownCheckIn shown, ShowCheckIn(store, activity));
    RETURN_IF_ERROR(PrintCode(shown, arguments, output));
    if (arguments.once) return absl::OkStatus();
    std::this_thread::sleep_for(std::chrono::milliseconds(shown.next_ms));
  }
}

absl::Status Scan(const Arguments& arguments, Store& store, const Output& output) {
  ASSIGN_OR_RETURN(Draft draft, CheckInByCode(store, arguments.text));
  const auto number = store.Commit({&draft});
  return output.Committed(number, draft.type(), draft.id());
}

absl::Status Manual(const Arguments& arguments, Store& store, const Output& output) {
  ASSIGN_OR_RETURN(const Id activity, ParseId(arguments.activity));
  ASSIGN_OR_RETURN(const Identity identity, store.GetIdentity());
  Id member = identity.person;
  if (!arguments.member.empty()) {
    ASSIGN_OR_RETURN(member, ParseId(arguments.member));
  }
  ASSIGN_OR_RETURN(Draft draft, CheckInByHand(store, activity, member));
  const auto number = store.Commit({&draft});
  return output.Committed(number, draft.type(), draft.id());
}

}  // namespace

void AddCheckInCommands(CLI::App* device,
                        const std::function<void(CLI::App*, StoreCommand)>& on_chosen) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* check_in =
      device->add_subcommand("check-in", "Check in to an activity (签到), offline");
  check_in->require_subcommand(1);
  const auto add = [&](const char* name, const char* help,
                       absl::Status (*run)(const Arguments&, Store&, const Output&)) {
    CLI::App* command = check_in->add_subcommand(name, help);
    on_chosen(command,
              [=](Store& store, const Output& output) { return run(*arguments, store, output); });
    return command;
  };
  const auto activity = [&](CLI::App* command) {
    command->add_option("--activity", arguments->activity, "Id of the meeting")->required();
  };

  CLI::App* show = add("show", "Show the activity's code; it changes every 30 s", &Show);
  activity(show);
  show->add_flag("--once", arguments->once, "Show one code and end");
  show->add_flag("--text", arguments->as_text, "As text, not as a QR");

  CLI::App* scan = add("scan", "Check in by a code", &Scan);
  scan->add_option("TEXT", arguments->text, "What the QR holds: ZB1:…")->required();

  CLI::App* manual = add("manual", "Check in without a code; a roll-call for others", &Manual);
  activity(manual);
  manual->add_option("--member", arguments->member, "Id of the member; if not given, yourself");
}

}  // namespace zhibu::client
