#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/civil_time.h"
#include "client-core/cli/commands.h"
#include "client-core/cli/resolve.h"
#include "client-core/cli/step.h"
#include "sync/reason.h"
#include "sync/status.h"
#include "zhibu/records/v1/flow.pb.h"

namespace zhibu::client {

using records::v1::Transfer;

namespace {

using Json = nlohmann::json;

struct Arguments {
  std::string transfer;
  std::string member;
  std::string to;
  std::string reason;
  std::string letter;
  std::string date;
  int days = 90;
  bool all = false;
};

bool Over(const Transfer& transfer) {
  return transfer.state() == Transfer::CLOSED || transfer.state() == Transfer::CANCELLED ||
         transfer.state() == Transfer::REFUSED;
}

// By its id, its letter's number, or the name of the member whose only one it is that
// is not over.
absl::StatusOr<Draft> NamedTransfer(const Arguments& arguments, Store& store) {
  const std::string& text = arguments.transfer;
  const absl::StatusOr<Id> named = MemberFrom(store, text);
  const auto meant = [&](const Id& id, const Transfer& transfer) {
    const bool of_member =
        transfer.member_name() == text || (named.ok() && transfer.member_id() == named->bytes());
    return (of_member && !Over(transfer)) || transfer.letter_number() == text ||
           (named.ok() && id == *named);
  };
  ASSIGN_OR_RETURN(
      const std::optional<Id> found,
      OnlyOne<Transfer>(store, meant, absl::StrCat("several transfers are meant by ", text)));
  if (!found) return absl::NotFoundError(absl::StrCat("no transfer here is meant by ", text));
  return store.Edit<Transfer>(*found);
}

absl::StatusOr<Draft> NewTransfer(const Arguments& arguments, Store& store) {
  Draft draft = store.New<Transfer>();
  auto& transfer = draft.message<Transfer>();
  ASSIGN_OR_RETURN(const Id member, MemberOrOwner(store, arguments.member));
  ASSIGN_OR_RETURN(const Id from, BranchOfMember(store, member));
  ASSIGN_OR_RETURN(const Id to, BranchFrom(store, arguments.to));
  transfer.set_member_id(member.str());
  transfer.set_from_branch_id(from.str());
  transfer.set_to_branch_id(to.str());
  transfer.set_reason(arguments.reason);
  return draft;
}

absl::StatusOr<Draft> NamedOrNewTransfer(const Arguments& arguments, Store& store) {
  return arguments.transfer.empty() ? NewTransfer(arguments, store)
                                    : NamedTransfer(arguments, store);
}

absl::Status WriteLetter(const Arguments& arguments, Store& store, Transfer& transfer) {
  ASSIGN_OR_RETURN(const std::string issued, DateOrToday(store, arguments.date));
  absl::CivilDay day;
  absl::ParseCivilTime(issued, &day);
  transfer.set_letter_number(arguments.letter);
  transfer.set_issued(issued);
  transfer.set_valid_until(absl::FormatCivilTime(day + arguments.days));
  return absl::OkStatus();
}

absl::Status WriteReceipt(const Arguments& /*arguments*/, Store& store, Transfer& transfer) {
  ASSIGN_OR_RETURN(const Identity identity, store.GetIdentity());
  ASSIGN_OR_RETURN(const std::string today, DateOrToday(store, ""));
  // As the server would say.
  if (today > transfer.valid_until()) {
    return Refuse(sync::v1::LETTER_EXPIRED, transfer.valid_until());
  }
  transfer.set_received(today);
  transfer.set_received_by_id(identity.person.str());
  return absl::OkStatus();
}

absl::Status AnswerWhy(const Arguments& arguments, Store& /*store*/, Transfer& transfer) {
  if (!arguments.reason.empty()) transfer.set_answer(arguments.reason);
  return absl::OkStatus();
}

absl::Status SayWhy(const Arguments& arguments, Store& /*store*/, Transfer& transfer) {
  if (!arguments.reason.empty()) transfer.set_remark(arguments.reason);
  return absl::OkStatus();
}

absl::Status List(const Arguments& arguments, Store& store, const Output& output) {
  Json found = Json::array();
  std::string text;
  RETURN_IF_ERROR(Each<Transfer>(store, [&](const Id& id, const Transfer& transfer) {
    if (Over(transfer) && !arguments.all) return true;
    const std::string member = transfer.member_name().empty()
                                   ? NameOfMember(store, transfer.member_id())
                                   : transfer.member_name();
    found.push_back({{"id", TextOf(id)},
                     {"member", member},
                     {"from", transfer.from_name()},
                     {"to", transfer.to_name()},
                     {"state", Transfer::State_Name(transfer.state())},
                     {"letterNumber", transfer.letter_number()},
                     {"validUntil", transfer.valid_until()}});
    absl::StrAppend(&text, TextOf(id), "  ", member, "  ",
                    output.Label(*Transfer::State_descriptor(), transfer.state()), "  ",
                    transfer.from_name(), " → ", transfer.to_name(), "  ", transfer.letter_number(),
                    "  ", transfer.valid_until(), "\n");
    return true;
  }));
  output.PrintFound(found, text);
  return absl::OkStatus();
}

}  // namespace

void AddTransferCommands(const Parent& device) {
  using O = Option<Arguments>;
  const char* which = "Its id, its letter's number, or the member's name";
  const char* branch = "The branch to go to: its id, or its name if it is known here";
  const O transfer{"TRANSFER", &Arguments::transfer, which, kRequired};
  const O member{"--member", &Arguments::member, "Name or id; if not given, yourself"};
  const O why{"--reason", &Arguments::reason, "Why"};
  const Parent above = device.AddGroup(
      "transfer", "Transfer of membership (组织关系转接): letter, receipt; offline");
  Commands<Arguments> commands(above);
  commands.Add("request", "Ask the home branch for a transfer",
               Step<Transfer>(&NewTransfer, Transfer::REQUESTED),
               {member, {"--to", &Arguments::to, branch, kRequired}, why});
  commands
      .Add("issue",
           "Issue the letter (home): for a request, or of your own accord with --member and --to",
           Step<Transfer>(&NamedOrNewTransfer, Transfer::ISSUED, &WriteLetter),
           {{"TRANSFER", &Arguments::transfer, which},
            member,
            {"--to", &Arguments::to, branch},
            why,
            {"--letter", &Arguments::letter, "The letter's number", kRequired},
            {"--date", &Arguments::date, "Day of issue; default: today"},
            {"--days", &Arguments::days, "How long it can be received; 90 at most"}})
      ->get_option("--days")
      ->check(CLI::Range(1, 90));
  commands.Add("receive",
               "Receive the letter (new branch): the member is yours once this is synced",
               Step<Transfer>(&NamedTransfer, Transfer::RECEIVED, &WriteReceipt), {transfer});
  commands.Add("refuse", "Send the letter back (new branch)",
               Step<Transfer>(&NamedTransfer, Transfer::REFUSED, &AnswerWhy), {transfer, why});
  commands.Add("close", "File the receipt (former branch)",
               Step<Transfer>(&NamedTransfer, Transfer::CLOSED), {transfer});
  commands.Add("cancel", "Withdraw request or letter (home, member)",
               Step<Transfer>(&NamedTransfer, Transfer::CANCELLED, &SayWhy), {transfer, why});
  commands.Add("list", "Show the transfers that are not over", &List,
               {{"--all", &Arguments::all, "Also those that are"}});
}

}  // namespace zhibu::client
