#include "client-core/cli/flow.h"

#include <google/protobuf/util/time_util.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "client-core/cli/resolve.h"
#include "sync/status.h"
#include "zhibu/records/v1/flow.pb.h"
#include "zhibu/records/v1/organisation.pb.h"

namespace zhibu::client {

using google::protobuf::Message;
using google::protobuf::util::TimeUtil;
using records::v1::Contact;
using records::v1::Flow;
using records::v1::Grant;

namespace {

using Json = nlohmann::json;

struct Arguments {
  std::string flow;
  std::string member;
  std::string host;
  std::string left;
  std::string back;
  std::string reason;
  std::string destination;
  std::string contact;
  std::string how;
  std::string said;
  std::string date;
  bool transferred = false;
  bool all = false;
};

bool Ended(const Flow& flow) {
  return flow.state() == Flow::ENDED || flow.state() == Flow::DECLINED;
}

absl::Status EachFlow(Store& store, absl::FunctionRef<void(const Id&, const Flow&)> visit) {
  return store.List({.type = store.schema().Find(Flow::descriptor())->number},
                    [&](const Id& id, const Message& message) {
                      visit(id, static_cast<const Flow&>(message));
                      return true;
                    });
}

// By its id, or by the name of the member whose only stay it is that lasts.
absl::StatusOr<Draft> FlowFrom(Store& store, const std::string& text) {
  ASSIGN_OR_RETURN(const Id named, MemberFrom(store, text));
  std::optional<Id> found;
  int many = 0;
  RETURN_IF_ERROR(EachFlow(store, [&](const Id& id, const Flow& flow) {
    if (id != named && (flow.member_id() != named.bytes() || Ended(flow))) return;
    found = id;
    ++many;
  }));
  if (many > 1) {
    return absl::FailedPreconditionError(
        absl::StrCat(text, " has several stays: name one by its id"));
  }
  return store.Edit<Flow>(found.value_or(named));
}

absl::Status Commit(Store& store, const Output& output, Draft draft) {
  const auto number = store.Commit({&draft});
  return output.Committed(number, draft.type(), draft.id());
}

absl::StatusOr<google::protobuf::Timestamp> Now(Store& store) {
  ASSIGN_OR_RETURN(const int64_t now_ms, store.ServerNow());
  return TimeUtil::MillisecondsToTimestamp(now_ms);
}

absl::StatusOr<Draft> Reported(const Arguments& arguments, Store& store, const Id& member,
                               const Id& home) {
  Draft draft = store.New<Flow>();
  auto& flow = draft.message<Flow>();
  flow.set_member_id(member.str());
  flow.set_home_branch_id(home.str());
  if (!arguments.host.empty()) {
    ASSIGN_OR_RETURN(const Id host, BranchFrom(store, arguments.host));
    flow.set_host_branch_id(host.str());
  }
  ASSIGN_OR_RETURN(*flow.mutable_left(), DateOrToday(store, arguments.left));
  flow.set_expected_back(arguments.back);
  flow.set_reason(arguments.reason);
  flow.set_destination(arguments.destination);
  flow.set_state(Flow::REPORTED);
  return draft;
}

absl::Status Report(const Arguments& arguments, Store& store, const Output& output) {
  ASSIGN_OR_RETURN(const Id member, MemberOrOwner(store, arguments.member));
  ASSIGN_OR_RETURN(const Id home, BranchOfMember(store, member));
  ASSIGN_OR_RETURN(Draft draft, Reported(arguments, store, member, home));
  return Commit(store, output, std::move(draft));
}

absl::Status NameHost(const Arguments& arguments, Store& store, const Output& output) {
  ASSIGN_OR_RETURN(Draft draft, FlowFrom(store, arguments.flow));
  ASSIGN_OR_RETURN(const Id host, BranchFrom(store, arguments.host));
  draft.message<Flow>().set_host_branch_id(host.str());
  return Commit(store, output, std::move(draft));
}

absl::Status Accept(const Arguments& arguments, Store& store, const Output& output) {
  ASSIGN_OR_RETURN(Draft draft, FlowFrom(store, arguments.flow));
  ASSIGN_OR_RETURN(const Identity identity, store.GetIdentity());
  auto& flow = draft.message<Flow>();
  flow.set_state(Flow::ACCEPTED);
  flow.set_accepted_by_id(identity.person.str());
  flow.set_host_contact(arguments.contact);
  ASSIGN_OR_RETURN(*flow.mutable_accepted_at(), Now(store));
  return Commit(store, output, std::move(draft));
}

absl::Status Decline(const Arguments& arguments, Store& store, const Output& output) {
  ASSIGN_OR_RETURN(Draft draft, FlowFrom(store, arguments.flow));
  draft.message<Flow>().set_state(Flow::DECLINED);
  draft.message<Flow>().set_remark(arguments.reason);
  return Commit(store, output, std::move(draft));
}

absl::Status AskExtension(const Arguments& arguments, Store& store, const Output& output) {
  ASSIGN_OR_RETURN(Draft draft, FlowFrom(store, arguments.flow));
  draft.message<Flow>().set_state(Flow::EXTENSION_ASKED);
  draft.message<Flow>().set_asked_back(arguments.date);
  return Commit(store, output, std::move(draft));
}

absl::Status Extend(const Arguments& arguments, Store& store, const Output& output) {
  ASSIGN_OR_RETURN(Draft draft, FlowFrom(store, arguments.flow));
  auto& flow = draft.message<Flow>();
  const std::string until = arguments.date.empty() ? flow.asked_back() : arguments.date;
  if (until.empty()) {
    return absl::InvalidArgumentError(
        output.Say("没有人申请过延期，请写明延至哪一天", "nobody has asked for it: give the date"));
  }
  // One that was extended before is extended by its date.
  flow.set_state(Flow::EXTENDED);
  flow.set_expected_back(until);
  return Commit(store, output, std::move(draft));
}

absl::Status RefuseExtension(const Arguments& arguments, Store& store, const Output& output) {
  ASSIGN_OR_RETURN(Draft draft, FlowFrom(store, arguments.flow));
  draft.message<Flow>().set_state(Flow::NOT_EXTENDED);
  if (!arguments.reason.empty()) draft.message<Flow>().set_remark(arguments.reason);
  return Commit(store, output, std::move(draft));
}

// Whether the owner of this device belongs to the branch, or has been given an office
// in it.
absl::StatusOr<bool> ActsFor(Store& store, const Id& owner, absl::string_view branch) {
  const absl::StatusOr<Id> own = BranchOfMember(store, owner);
  if (own.ok() && own->bytes() == branch) return true;
  bool acts = false;
  RETURN_IF_ERROR(store.List(
      {.type = store.schema().Find(Grant::descriptor())->number}, [&](const Id&, const Message& m) {
        const auto& grant = static_cast<const Grant&>(m);
        acts = acts || (grant.person_id() == owner.bytes() && grant.organisation_id() == branch);
        return !acts;
      }));
  return acts;
}

absl::Status AddContact(const Arguments& arguments, Store& store, const Output& output) {
  ASSIGN_OR_RETURN(Draft draft, FlowFrom(store, arguments.flow));
  ASSIGN_OR_RETURN(const Identity identity, store.GetIdentity());
  auto& flow = draft.message<Flow>();
  Draft made = store.New<Contact>();
  auto& contact = made.message<Contact>();
  ASSIGN_OR_RETURN(const bool host, ActsFor(store, identity.person, flow.host_branch_id()));
  const bool by_member = flow.member_id() == identity.person.bytes();
  contact.set_branch_id(host && !by_member ? flow.host_branch_id() : flow.home_branch_id());
  contact.set_flow_id(draft.id().str());
  contact.set_member_id(flow.member_id());
  contact.set_by_id(identity.person.str());
  contact.set_how(arguments.how);
  contact.set_said(arguments.said);
  ASSIGN_OR_RETURN(*contact.mutable_at(), Now(store));
  *flow.mutable_last_contact() = contact.at();
  const auto number = store.Commit({&made, &draft});
  return output.Committed(number, made.type(), made.id());
}

absl::Status EndAs(Flow::Ending ending, const Arguments& arguments, Store& store, Draft* draft) {
  auto& flow = draft->message<Flow>();
  flow.set_state(Flow::ENDED);
  flow.set_ending(ending);
  ASSIGN_OR_RETURN(*flow.mutable_ended(), DateOrToday(store, arguments.date));
  return absl::OkStatus();
}

absl::Status End(const Arguments& arguments, Store& store, const Output& output) {
  ASSIGN_OR_RETURN(Draft draft, FlowFrom(store, arguments.flow));
  const auto ending = arguments.transferred ? Flow::TRANSFERRED : Flow::RETURNED;
  RETURN_IF_ERROR(EndAs(ending, arguments, store, &draft));
  return Commit(store, output, std::move(draft));
}

// The old stay ends and the new one begins in one edit.
absl::Status MoveOn(const Arguments& arguments, Store& store, const Output& output) {
  ASSIGN_OR_RETURN(Draft before, FlowFrom(store, arguments.flow));
  auto& flow = before.message<Flow>();
  const auto member = Id::FromBytes(flow.member_id());
  const auto home = Id::FromBytes(flow.home_branch_id());
  ASSIGN_OR_RETURN(Draft after,
                   Reported(arguments, store, member.value_or(Id()), home.value_or(Id())));
  after.message<Flow>().set_follows_id(before.id().str());
  if (arguments.reason.empty()) after.message<Flow>().set_reason(flow.reason());
  RETURN_IF_ERROR(EndAs(Flow::MOVED_ON, arguments, store, &before));
  const auto number = store.Commit({&before, &after});
  return output.Committed(number, after.type(), after.id());
}

absl::Status List(const Arguments& arguments, Store& store, const Output& output) {
  Json found = Json::array();
  std::string text;
  RETURN_IF_ERROR(EachFlow(store, [&](const Id& id, const Flow& flow) {
    if (Ended(flow) && !arguments.all) return;
    const auto& state = *Flow::State_descriptor()->FindValueByNumber(flow.state());
    const std::string member = NameOfMember(store, flow.member_id());
    found.push_back({{"id", TextOf(id)},
                     {"member", member},
                     {"home", flow.home_name()},
                     {"host", flow.host_name()},
                     {"state", state.name()},
                     {"left", flow.left()},
                     {"expectedBack", flow.expected_back()},
                     {"hostContact", flow.host_contact()}});
    absl::StrAppend(&text, TextOf(id), "  ", member, "  ",
                    output.Say(state.options().GetExtension(value_label), state.name()), "  ",
                    flow.left(), " – ", flow.expected_back(), "  ",
                    flow.host_name().empty() ? flow.destination() : flow.host_name(), "\n");
  }));
  absl::StrAppend(&text, output.Say("共 ", ""), found.size(), output.Say(" 条", " found"));
  output.Print(found, text);
  return absl::OkStatus();
}

}  // namespace

void AddFlowCommands(CLI::App* device,
                     const std::function<void(CLI::App*, StoreCommand)>& on_chosen) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* above = device->add_subcommand(
      "flow", "Members who stay away from home (流动党员): each side's steps, offline");
  above->require_subcommand(1);
  const auto add = [&](const char* name, const char* help,
                       absl::Status (*run)(const Arguments&, Store&, const Output&)) {
    CLI::App* command = above->add_subcommand(name, help);
    on_chosen(command,
              [=](Store& store, const Output& output) { return run(*arguments, store, output); });
    return command;
  };
  const auto add_to_flow = [&](const char* name, const char* help,
                               absl::Status (*run)(const Arguments&, Store&, const Output&)) {
    CLI::App* command = add(name, help, run);
    command
        ->add_option("FLOW", arguments->flow, "Id of the stay, or the name of the member who stays")
        ->required();
    return command;
  };
  const auto host = [&](CLI::App* command) {
    return command->add_option("--host", arguments->host,
                               "The host branch: its id, or its name if it is known here");
  };
  const auto journey = [&](CLI::App* command) {
    host(command);
    command->add_option("--left", arguments->left, "Day of leaving; default: today");
    command->add_option("--back", arguments->back, "Day on which they expect to be back");
    command->add_option("--reason", arguments->reason, "Why they go");
    command->add_option("--destination", arguments->destination, "Where they go");
  };

  CLI::App* report = add("report", "Report a stay: by the member, or by the home branch", &Report);
  report->add_option("--member", arguments->member, "Name or id; if not given, yourself");
  journey(report);
  host(add_to_flow("host", "Name the host branch of a stay, once it is known", &NameHost))
      ->required();
  add_to_flow("accept", "Accept a member who stays with your branch (host)", &Accept)
      ->add_option("--contact", arguments->contact, "Whom the member turns to here, and how");
  add_to_flow("decline", "Say that the member is not with your branch (host)", &Decline)
      ->add_option("--reason", arguments->reason, "Why");
  add_to_flow("contact", "Record that you were in touch; both branches see it", &AddContact);
  above->get_subcommand("contact")->add_option("--how", arguments->how, "Telephone, visit, …");
  above->get_subcommand("contact")->add_option("--said", arguments->said, "What was said");
  add_to_flow("ask-extension", "Ask the home branch for a longer stay", &AskExtension)
      ->add_option("DATE", arguments->date, "Day on which the member would be back")
      ->required();
  add_to_flow("extend", "Agree to a longer stay (home)", &Extend)
      ->add_option("DATE", arguments->date, "Until then; default: as was asked");
  add_to_flow("refuse-extension", "Not agree to a longer stay (home)", &RefuseExtension)
      ->add_option("--reason", arguments->reason, "Why");
  CLI::App* end = add_to_flow("end", "The member is back home", &End);
  end->add_option("--date", arguments->date, "Day of return; default: today");
  end->add_flag("--transferred", arguments->transferred,
                "Not back: their membership has been transferred");
  journey(add_to_flow("move-on",
                      "The member goes on to another place: ends this stay and "
                      "reports the next, in one edit",
                      &MoveOn));
  add("list", "Show the stays that last", &List)
      ->add_flag("--all", arguments->all, "Also those that have ended");
}

}  // namespace zhibu::client
