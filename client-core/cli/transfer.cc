#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/civil_time.h"
#include "client-core/cli/flow.h"
#include "client-core/cli/resolve.h"
#include "sync/reason.h"
#include "sync/status.h"
#include "zhibu/records/v1/flow.pb.h"

namespace zhibu::client {

using google::protobuf::Message;
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

absl::Status EachTransfer(Store& store, absl::FunctionRef<void(const Id&, const Transfer&)> visit) {
  return store.List({.type = store.schema().Find(Transfer::descriptor())->number},
                    [&](const Id& id, const Message& message) {
                      visit(id, static_cast<const Transfer&>(message));
                      return true;
                    });
}

// By its id, its letter's number, or the name of the member whose only one it is that
// is not over.
absl::StatusOr<Draft> TransferFrom(Store& store, const std::string& text) {
  const absl::StatusOr<Id> named = MemberFrom(store, text);
  std::optional<Id> found;
  int many = 0;
  RETURN_IF_ERROR(EachTransfer(store, [&](const Id& id, const Transfer& transfer) {
    const bool of_member =
        !Over(transfer) &&
        (transfer.member_name() == text || (named.ok() && transfer.member_id() == named->bytes()));
    if (!of_member && transfer.letter_number() != text && !(named.ok() && id == *named)) return;
    found = id;
    ++many;
  }));
  if (many > 1) {
    return absl::FailedPreconditionError(
        absl::StrCat("several transfers are meant by ", text, ": name one by its id"));
  }
  if (!found) return absl::NotFoundError(absl::StrCat("no transfer here is meant by ", text));
  return store.Edit<Transfer>(*found);
}

absl::Status Commit(Store& store, const Output& output, Draft draft) {
  const auto number = store.Commit({&draft});
  return output.Committed(number, draft.type(), draft.id());
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

absl::Status Request(const Arguments& arguments, Store& store, const Output& output) {
  ASSIGN_OR_RETURN(Draft draft, NewTransfer(arguments, store));
  draft.message<Transfer>().set_state(Transfer::REQUESTED);
  return Commit(store, output, std::move(draft));
}

absl::Status Issue(const Arguments& arguments, Store& store, const Output& output) {
  absl::StatusOr<Draft> draft = arguments.transfer.empty()
                                    ? NewTransfer(arguments, store)
                                    : TransferFrom(store, arguments.transfer);
  RETURN_IF_ERROR(draft.status());
  auto& transfer = draft->message<Transfer>();
  ASSIGN_OR_RETURN(const std::string issued, DateOrToday(store, arguments.date));
  absl::CivilDay day;
  absl::ParseCivilTime(issued, &day);
  transfer.set_state(Transfer::ISSUED);
  transfer.set_letter_number(arguments.letter);
  transfer.set_issued(issued);
  transfer.set_valid_until(absl::FormatCivilTime(day + arguments.days));
  return Commit(store, output, *std::move(draft));
}

absl::Status Receive(const Arguments& arguments, Store& store, const Output& output) {
  ASSIGN_OR_RETURN(Draft draft, TransferFrom(store, arguments.transfer));
  ASSIGN_OR_RETURN(const Identity identity, store.GetIdentity());
  auto& transfer = draft.message<Transfer>();
  ASSIGN_OR_RETURN(const std::string today, DateOrToday(store, ""));
  // As the server would say.
  if (today > transfer.valid_until()) {
    return Refuse(sync::v1::LETTER_EXPIRED, transfer.valid_until());
  }
  transfer.set_state(Transfer::RECEIVED);
  transfer.set_received(today);
  transfer.set_received_by_id(identity.person.str());
  return Commit(store, output, std::move(draft));
}

absl::Status StepTo(Transfer::State state, const Arguments& arguments, Store& store,
                    const Output& output) {
  ASSIGN_OR_RETURN(Draft draft, TransferFrom(store, arguments.transfer));
  draft.message<Transfer>().set_state(state);
  if (!arguments.reason.empty()) draft.message<Transfer>().set_remark(arguments.reason);
  return Commit(store, output, std::move(draft));
}

absl::Status Close(const Arguments& arguments, Store& store, const Output& output) {
  return StepTo(Transfer::CLOSED, arguments, store, output);
}
absl::Status Cancel(const Arguments& arguments, Store& store, const Output& output) {
  return StepTo(Transfer::CANCELLED, arguments, store, output);
}
absl::Status GiveBack(const Arguments& arguments, Store& store, const Output& output) {
  return StepTo(Transfer::REFUSED, arguments, store, output);
}

absl::Status List(const Arguments& arguments, Store& store, const Output& output) {
  Json found = Json::array();
  std::string text;
  RETURN_IF_ERROR(EachTransfer(store, [&](const Id& id, const Transfer& transfer) {
    if (Over(transfer) && !arguments.all) return;
    const auto& state = *Transfer::State_descriptor()->FindValueByNumber(transfer.state());
    const std::string member = transfer.member_name().empty()
                                   ? NameOfMember(store, transfer.member_id())
                                   : transfer.member_name();
    found.push_back({{"id", TextOf(id)},
                     {"member", member},
                     {"from", transfer.from_name()},
                     {"to", transfer.to_name()},
                     {"state", state.name()},
                     {"letterNumber", transfer.letter_number()},
                     {"validUntil", transfer.valid_until()}});
    absl::StrAppend(&text, TextOf(id), "  ", member, "  ",
                    output.Say(state.options().GetExtension(value_label), state.name()), "  ",
                    transfer.from_name(), " → ", transfer.to_name(), "  ", transfer.letter_number(),
                    "  ", transfer.valid_until(), "\n");
  }));
  absl::StrAppend(&text, output.Say("共 ", ""), found.size(), output.Say(" 条", " found"));
  output.Print(found, text);
  return absl::OkStatus();
}

}  // namespace

void AddTransferCommands(CLI::App* device,
                         const std::function<void(CLI::App*, StoreCommand)>& on_chosen) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* above = device->add_subcommand(
      "transfer", "Transfer of membership (组织关系转接): letter, receipt; offline");
  above->require_subcommand(1);
  const auto add = [&](const char* name, const char* help,
                       absl::Status (*run)(const Arguments&, Store&, const Output&)) {
    CLI::App* command = above->add_subcommand(name, help);
    on_chosen(command,
              [=](Store& store, const Output& output) { return run(*arguments, store, output); });
    return command;
  };
  const auto which = [&](CLI::App* command) {
    return command->add_option("TRANSFER", arguments->transfer,
                               "Its id, its letter's number, or the member's name");
  };
  const auto why = [&](CLI::App* command) {
    command->add_option("--reason", arguments->reason, "Why");
    return command;
  };
  const auto what = [&](CLI::App* command) {
    command->add_option("--member", arguments->member, "Name or id; if not given, yourself");
    command->add_option("--to", arguments->to,
                        "The branch to go to: its id, or its name if it is known here");
    why(command);
  };

  CLI::App* request = add("request", "Ask the home branch for a transfer", &Request);
  what(request);
  request->get_option("--to")->required();
  CLI::App* issue = add("issue",
                        "Issue the letter (home): for a request, or of your own accord "
                        "with --member and --to",
                        &Issue);
  which(issue);
  what(issue);
  issue->add_option("--letter", arguments->letter, "The letter's number")->required();
  issue->add_option("--date", arguments->date, "Day of issue; default: today");
  issue->add_option("--days", arguments->days, "How long it can be received; 90 at most")
      ->check(CLI::Range(1, 90));
  which(add("receive", "Receive the letter (new branch): the member is yours once this is synced",
            &Receive))
      ->required();
  which(why(add("refuse", "Send the letter back (new branch)", &GiveBack)))->required();
  which(add("close", "File the receipt (former branch)", &Close))->required();
  which(why(add("cancel", "Withdraw request or letter (home, member)", &Cancel)))->required();
  add("list", "Show the transfers that are not over", &List)
      ->add_flag("--all", arguments->all, "Also those that are");
}

}  // namespace zhibu::client
