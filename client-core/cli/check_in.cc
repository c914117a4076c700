#include "client-core/actions/check_in.h"

#include <unistd.h>

#include <chrono>
#include <iostream>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "client-core/cli/commands.h"
#include "client-core/cli/resolve.h"
#include "sync/base/status.h"
#include "sync/cli/qr.h"
#include "zhibu/records/v1/meeting.pb.h"

namespace zhibu::client {
namespace {

constexpr char kClearScreen[] = "\x1b[2J\x1b[H";

struct CheckInArguments {
  std::string activity;
  std::string member;
  std::string text;
  bool once = false;
  bool as_text = false;
};

absl::Status PrintCode(const ShownCheckIn& shown, const CheckInArguments& arguments,
                       const Output& output) {
  if (output.as_json || arguments.as_text) {
    output.Print({{"text", shown.text}, {"nextMs", shown.next_ms}}, shown.text);
    return absl::OkStatus();
  }
  ASSIGN_OR_RETURN(const std::string drawn, DrawQr(shown.text));
  const bool screen = !arguments.once && isatty(STDOUT_FILENO) != 0;
  output.Print(
      {},
      output.Say("请扫码签到，签到码每 30 秒更换", "scan to check in; the code changes every 30 s"),
      absl::StrCat(screen ? kClearScreen : "", drawn));
  return absl::OkStatus();
}

absl::StatusOr<Id> ActivityFrom(Store& store, const std::string& text) {
  return RecordFrom(store, *store.schema().Find(records::v1::Meeting::descriptor()), text);
}

// Until it is interrupted, or once.
absl::Status Show(const CheckInArguments& arguments, Store& store, const Output& output) {
  ASSIGN_OR_RETURN(const Id activity, ActivityFrom(store, arguments.activity));
  while (true) {
    ASSIGN_OR_RETURN(const ShownCheckIn shown, ShowCheckIn(store, activity));
    RETURN_IF_ERROR(PrintCode(shown, arguments, output));
    if (arguments.once) return absl::OkStatus();
    std::this_thread::sleep_for(std::chrono::milliseconds(shown.next_ms));
  }
}

absl::StatusOr<Draft> Scan(const CheckInArguments& arguments, Store& store) {
  return CheckInByCode(store, arguments.text);
}

absl::StatusOr<Draft> Manual(const CheckInArguments& arguments, Store& store) {
  ASSIGN_OR_RETURN(const Id activity, ActivityFrom(store, arguments.activity));
  ASSIGN_OR_RETURN(const Identity identity, store.GetIdentity());
  Id member = identity.person;
  if (!arguments.member.empty()) {
    ASSIGN_OR_RETURN(member, MemberFrom(store, arguments.member));
  }
  return CheckInByHand(store, activity, member);
}

}  // namespace

void AddCheckInCommands(const Parent& device) {
  const Option<CheckInArguments> activity{"--activity", &CheckInArguments::activity,
                                          "The meeting, by its topic", kRequired};
  const Parent check_in = device.AddGroup("check-in", "Check in to an activity (签到), offline");
  Commands<CheckInArguments> commands(check_in);
  commands.Add("show", "Show the activity's code; it changes every 30 s", &Show,
               {activity,
                {"--once", &CheckInArguments::once, "Show one code and end"},
                {"--text", &CheckInArguments::as_text, "As text, not as a QR"}});
  commands.Add("scan", "Check in by a code", Committing(&Scan),
               {{"TEXT", &CheckInArguments::text, "What the QR holds: ZB1:…", kRequired}});
  commands.Add(
      "manual", "Check in without a code; a roll-call for others", Committing(&Manual),
      {activity,
       {"--member", &CheckInArguments::member, "Name of the member; if not given, yourself"}});
}

}  // namespace zhibu::client
