#include "client-core/actions/transfer.h"

#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "client-core/cli/commands.h"
#include "client-core/cli/resolve.h"
#include "sync/base/status.h"
#include "zhibu/records/v1/flow.pb.h"

namespace zhibu::client {

using records::v1::Transfer;

namespace {

using Json = nlohmann::json;

struct TransferArguments {
  std::string transfer;
  std::string member;
  std::string to;
  std::string reason;
  std::string letter;
  std::string date;
  int days = kLetterDaysMax;
  bool all = false;
};

// By its id or title, its letter's number, or the name of the member whose only one it is that
// is not over.
absl::StatusOr<Draft> TransferFrom(Store& store, const std::string& text) {
  const absl::StatusOr<Id> named = MemberFrom(store, text);
  const auto meant = [&](const Id& id, const Transfer& transfer) {
    const bool of_member =
        transfer.member_name() == text || (named.ok() && transfer.member_id() == named->bytes());
    return (of_member && !IsOver(transfer)) || transfer.letter_number() == text ||
           (named.ok() && id == *named);
  };
  ASSIGN_OR_RETURN(const std::optional<Id> found, OnlyOne<Transfer>(store, meant, text));
  return found ? store.Edit<Transfer>(*found) : DraftFrom<Transfer>(store, text);
}

absl::StatusOr<Draft> Request(const TransferArguments& arguments, Store& store) {
  ASSIGN_OR_RETURN(const Id member, MemberOrOwner(store, arguments.member));
  ASSIGN_OR_RETURN(const Id to, BranchFrom(store, arguments.to));
  return RequestTransfer(store, member, to, arguments.reason);
}

absl::StatusOr<Draft> Issue(const TransferArguments& arguments, Store& store) {
  Letter letter{.number = arguments.letter, .days = arguments.days};
  ASSIGN_OR_RETURN(letter.issued, DayIfGiven(arguments.date));
  if (!arguments.transfer.empty()) {
    ASSIGN_OR_RETURN(Draft transfer, TransferFrom(store, arguments.transfer));
    return IssueLetter(store, std::move(transfer), letter);
  }
  ASSIGN_OR_RETURN(const Id member, MemberOrOwner(store, arguments.member));
  ASSIGN_OR_RETURN(const Id to, BranchFrom(store, arguments.to));
  return IssueLetterUnasked(store, member, to, arguments.reason, letter);
}

absl::StatusOr<Draft> Receive(const TransferArguments& arguments, Store& store) {
  ASSIGN_OR_RETURN(Draft transfer, TransferFrom(store, arguments.transfer));
  return ReceiveLetter(store, std::move(transfer));
}

absl::StatusOr<Draft> SendBack(const TransferArguments& arguments, Store& store) {
  ASSIGN_OR_RETURN(Draft transfer, TransferFrom(store, arguments.transfer));
  return RefuseLetter(std::move(transfer), arguments.reason);
}

absl::StatusOr<Draft> Close(const TransferArguments& arguments, Store& store) {
  ASSIGN_OR_RETURN(Draft transfer, TransferFrom(store, arguments.transfer));
  return CloseTransfer(std::move(transfer));
}

absl::StatusOr<Draft> Cancel(const TransferArguments& arguments, Store& store) {
  ASSIGN_OR_RETURN(Draft transfer, TransferFrom(store, arguments.transfer));
  return CancelTransfer(std::move(transfer), arguments.reason);
}

absl::Status ListTransfers(const TransferArguments& arguments, Store& store, const Output& output) {
  Json found = Json::array();
  std::string text;
  const RecordType& type = *store.schema().Find(Transfer::descriptor());
  Names names(store, output.language);
  RETURN_IF_ERROR(Each<Transfer>(store, [&](const Id& id, const Transfer& transfer) {
    if (IsOver(transfer) && !arguments.all) return true;
    const std::string member = NameOfMember(store, transfer);
    found.push_back({{"id", TextOf(id)},
                     {"member", member},
                     {"from", transfer.from_name()},
                     {"to", transfer.to_name()},
                     {"state", Transfer::State_Name(transfer.state())},
                     {"letterNumber", transfer.letter_number()},
                     {"validUntil", transfer.valid_until()}});
    absl::StrAppend(&text, names.TitleOf(type, id, transfer), "  ",
                    output.Label(*Transfer::State_descriptor(), transfer.state()), "  ",
                    transfer.from_name(), " → ", transfer.to_name(), "  ", transfer.letter_number(),
                    output.Say("  有效期至 ", "  valid until "), transfer.valid_until(),
                    output.IdIfShown(id), "\n");
    return true;
  }));
  output.PrintFound(found, text);
  return absl::OkStatus();
}

}  // namespace

void AddTransferCommands(const Parent& device) {
  using O = Option<TransferArguments>;
  const char* which = "The letter's number, or the member's name";
  const char* branch = "The branch to go to, by name; by its id where the name is not known here";
  const O transfer{"TRANSFER", &TransferArguments::transfer, which, kRequired};
  const O member{"--member", &TransferArguments::member, "Name; if not given, yourself"};
  const O why{"--reason", &TransferArguments::reason, "Why"};
  const Parent above = device.AddGroup(
      "transfer", "Transfer of membership (组织关系转接): letter, receipt; offline");
  Commands<TransferArguments> commands(above);
  commands.Add("request", "Ask the home branch for a transfer", Committing(&Request),
               {member, {"--to", &TransferArguments::to, branch, kRequired}, why});
  commands
      .Add("issue",
           "Issue the letter (home): for a request, or of your own accord with --member and --to",
           Committing(&Issue),
           {{"TRANSFER", &TransferArguments::transfer, which},
            member,
            {"--to", &TransferArguments::to, branch},
            why,
            {"--letter", &TransferArguments::letter, "The letter's number", kRequired},
            {"--date", &TransferArguments::date, "Day of issue; default: today"},
            {"--days", &TransferArguments::days, "How long it can be received; 90 at most"}})
      ->get_option("--days")
      ->check(CLI::Range(1, kLetterDaysMax));
  commands.Add("receive",
               "Receive the letter (new branch): the member is yours once this is synced",
               Committing(&Receive), {transfer});
  commands.Add("refuse", "Send the letter back (new branch)", Committing(&SendBack),
               {transfer, why});
  commands.Add("close", "File the receipt (former branch)", Committing(&Close), {transfer});
  commands.Add("cancel", "Withdraw request or letter (home, member)", Committing(&Cancel),
               {transfer, why});
  commands.Add("list", "Show the transfers that are not over", &ListTransfers,
               {{"--all", &TransferArguments::all, "Also those that are"}});
}

}  // namespace zhibu::client
