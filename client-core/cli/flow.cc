#include <google/protobuf/util/time_util.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "client-core/cli/commands.h"
#include "client-core/cli/resolve.h"
#include "client-core/cli/step.h"
#include "sync/status.h"
#include "zhibu/records/v1/flow.pb.h"
#include "zhibu/records/v1/organisation.pb.h"

namespace zhibu::client {

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

// By its id, or by the name of the member whose only stay it is that lasts.
absl::StatusOr<Draft> NamedFlow(const Arguments& arguments, Store& store) {
  const std::string& text = arguments.flow;
  const absl::StatusOr<Id> named = MemberFrom(store, text);
  if (!named.ok() && !absl::IsNotFound(named.status())) return named.status();
  // A host that is asked to take somebody in knows of them what the stay says.
  const auto meant = [&](const Id& id, const Flow& flow) {
    if (!named.ok()) return flow.member_name() == text && !Ended(flow);
    return id == *named || (flow.member_id() == named->bytes() && !Ended(flow));
  };
  ASSIGN_OR_RETURN(const std::optional<Id> found,
                   OnlyOne<Flow>(store, meant, absl::StrCat(text, " has several stays")));
  if (!found) RETURN_IF_ERROR(named.status());
  return store.Edit<Flow>(found ? *found : *named);
}

absl::StatusOr<google::protobuf::Timestamp> Now(Store& store) {
  ASSIGN_OR_RETURN(const int64_t now_ms, store.ServerNow());
  return TimeUtil::MillisecondsToTimestamp(now_ms);
}

absl::Status NameHost(const Arguments& arguments, Store& store, Flow& flow) {
  ASSIGN_OR_RETURN(const Id host, BranchFrom(store, arguments.host));
  flow.set_host_branch_id(host.str());
  return absl::OkStatus();
}

absl::StatusOr<Draft> NewFlowOf(const Id& member, const Id& home, const Arguments& arguments,
                                Store& store) {
  Draft draft = store.New<Flow>();
  auto& flow = draft.message<Flow>();
  flow.set_member_id(member.str());
  flow.set_home_branch_id(home.str());
  if (!arguments.host.empty()) RETURN_IF_ERROR(NameHost(arguments, store, flow));
  ASSIGN_OR_RETURN(*flow.mutable_left(), DateOrToday(store, arguments.left));
  flow.set_expected_back(arguments.back);
  flow.set_reason(arguments.reason);
  flow.set_destination(arguments.destination);
  return draft;
}

absl::StatusOr<Draft> NewFlow(const Arguments& arguments, Store& store) {
  ASSIGN_OR_RETURN(const Id member, MemberOrOwner(store, arguments.member));
  ASSIGN_OR_RETURN(const Id home, BranchOfMember(store, member));
  return NewFlowOf(member, home, arguments, store);
}

absl::Status NameContact(const Arguments& arguments, Store& store, Flow& flow) {
  ASSIGN_OR_RETURN(const Identity identity, store.GetIdentity());
  flow.set_accepted_by_id(identity.person.str());
  flow.set_host_contact(arguments.contact);
  ASSIGN_OR_RETURN(*flow.mutable_accepted_at(), Now(store));
  return absl::OkStatus();
}

absl::Status SayWhy(const Arguments& arguments, Store& /*store*/, Flow& flow) {
  flow.set_remark(arguments.reason);
  return absl::OkStatus();
}

// The host, which is not shown what home remarks before it has accepted.
absl::Status AnswerWhy(const Arguments& arguments, Store& /*store*/, Flow& flow) {
  flow.set_answer(arguments.reason);
  return absl::OkStatus();
}

absl::Status SayWhyIfGiven(const Arguments& arguments, Store& store, Flow& flow) {
  return arguments.reason.empty() ? absl::OkStatus() : SayWhy(arguments, store, flow);
}

absl::Status AskForDate(const Arguments& arguments, Store& /*store*/, Flow& flow) {
  flow.set_asked_back(arguments.date);
  return absl::OkStatus();
}

absl::Status Extend(const Arguments& arguments, Store& store, const Output& output) {
  ASSIGN_OR_RETURN(Draft draft, NamedFlow(arguments, store));
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

// Whether the owner of this device belongs to the branch, or has been given an office
// in it.
absl::StatusOr<bool> ActsFor(Store& store, const Id& owner, absl::string_view branch) {
  const absl::StatusOr<Id> own = BranchOfMember(store, owner);
  if (own.ok() && own->bytes() == branch) return true;
  bool acts = false;
  RETURN_IF_ERROR(Each<Grant>(store, [&](const Id&, const Grant& grant) {
    acts = acts || (grant.person_id() == owner.bytes() && grant.organisation_id() == branch);
    return !acts;
  }));
  return acts;
}

absl::Status AddContact(const Arguments& arguments, Store& store, const Output& output) {
  ASSIGN_OR_RETURN(Draft draft, NamedFlow(arguments, store));
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
  return output.Committed(number, made);
}

absl::Status EndAs(Flow::Ending ending, const Arguments& arguments, Store& store, Flow& flow) {
  flow.set_ending(ending);
  ASSIGN_OR_RETURN(*flow.mutable_ended(), DateOrToday(store, arguments.date));
  return absl::OkStatus();
}

absl::Status SayHowItEnded(const Arguments& arguments, Store& store, Flow& flow) {
  return EndAs(arguments.transferred ? Flow::TRANSFERRED : Flow::RETURNED, arguments, store, flow);
}

// The old stay ends and the new one begins in one edit.
absl::Status MoveOn(const Arguments& arguments, Store& store, const Output& output) {
  ASSIGN_OR_RETURN(Draft before, NamedFlow(arguments, store));
  auto& left = before.message<Flow>();
  const auto member = Id::FromBytes(left.member_id());
  const auto home = Id::FromBytes(left.home_branch_id());
  ASSIGN_OR_RETURN(Draft after,
                   NewFlowOf(member.value_or(Id()), home.value_or(Id()), arguments, store));
  auto& next = after.message<Flow>();
  next.set_state(Flow::REPORTED);
  next.set_follows_id(before.id().str());
  if (arguments.reason.empty()) next.set_reason(left.reason());
  left.set_state(Flow::ENDED);
  RETURN_IF_ERROR(EndAs(Flow::MOVED_ON, arguments, store, left));
  const auto number = store.Commit({&before, &after});
  return output.Committed(number, after);
}

absl::Status List(const Arguments& arguments, Store& store, const Output& output) {
  Json found = Json::array();
  std::string text;
  RETURN_IF_ERROR(Each<Flow>(store, [&](const Id& id, const Flow& flow) {
    if (Ended(flow) && !arguments.all) return true;
    std::string member = NameOfMember(store, flow.member_id());
    const auto id_of_member = Id::FromBytes(flow.member_id());
    if (id_of_member && member == TextOf(*id_of_member) && !flow.member_name().empty()) {
      member = flow.member_name();  // their record is not here yet
    }
    found.push_back({{"id", TextOf(id)},
                     {"member", member},
                     {"home", flow.home_name()},
                     {"host", flow.host_name()},
                     {"state", Flow::State_Name(flow.state())},
                     {"left", flow.left()},
                     {"expectedBack", flow.expected_back()},
                     {"hostContact", flow.host_contact()}});
    absl::StrAppend(&text, TextOf(id), "  ", member, "  ",
                    output.Label(*Flow::State_descriptor(), flow.state()), "  ", flow.left(), " – ",
                    flow.expected_back(), "  ",
                    flow.host_name().empty() ? flow.destination() : flow.host_name(), "\n");
    return true;
  }));
  output.PrintFound(found, text);
  return absl::OkStatus();
}

}  // namespace

void AddFlowCommands(const Parent& device) {
  using O = Option<Arguments>;
  const O flow{"FLOW", &Arguments::flow, "Id of the stay, or the name of the member who stays",
               kRequired};
  const char* branch = "The host branch: its id, or its name if it is known here";
  const O why{"--reason", &Arguments::reason, "Why"};
  const auto journey = [&](const O& of) -> std::vector<O> {
    return {of,
            {"--host", &Arguments::host, branch},
            {"--left", &Arguments::left, "Day of leaving; default: today"},
            {"--back", &Arguments::back, "Day on which they expect to be back"},
            {"--reason", &Arguments::reason, "Why they go"},
            {"--destination", &Arguments::destination, "Where they go"}};
  };
  const Parent above = device.AddGroup(
      "flow", "Members who stay away from home (流动党员): each side's steps, offline");
  Commands<Arguments> commands(above);
  commands.Add("report", "Report a stay: by the member, or by the home branch",
               Step<Flow>(&NewFlow, Flow::REPORTED),
               journey({"--member", &Arguments::member, "Name or id; if not given, yourself"}));
  commands.Add("host", "Name the host branch of a stay, once it is known",
               Step<Flow>(&NamedFlow, std::nullopt, &NameHost),
               {flow, {"--host", &Arguments::host, branch, kRequired}});
  commands.Add(
      "accept", "Accept a member who stays with your branch (host)",
      Step<Flow>(&NamedFlow, Flow::ACCEPTED, &NameContact),
      {flow, {"--contact", &Arguments::contact, "Whom the member turns to here, and how"}});
  commands.Add("decline", "Say that the member is not with your branch (host)",
               Step<Flow>(&NamedFlow, Flow::DECLINED, &AnswerWhy), {flow, why});
  commands.Add("contact", "Record that you were in touch; both branches see it", &AddContact,
               {flow,
                {"--how", &Arguments::how, "Telephone, visit, …"},
                {"--said", &Arguments::said, "What was said"}});
  commands.Add(
      "ask-extension", "Ask the home branch for a longer stay",
      Step<Flow>(&NamedFlow, Flow::EXTENSION_ASKED, &AskForDate),
      {flow, {"DATE", &Arguments::date, "Day on which the member would be back", kRequired}});
  commands.Add("extend", "Agree to a longer stay (home)", &Extend,
               {flow, {"DATE", &Arguments::date, "Until then; default: as was asked"}});
  commands.Add("refuse-extension", "Not agree to a longer stay (home)",
               Step<Flow>(&NamedFlow, Flow::NOT_EXTENDED, &SayWhyIfGiven), {flow, why});
  commands.Add("end", "The member is back home",
               Step<Flow>(&NamedFlow, Flow::ENDED, &SayHowItEnded),
               {flow,
                {"--date", &Arguments::date, "Day of return; default: today"},
                {"--transferred", &Arguments::transferred,
                 "Not back: their membership has been transferred"}});
  commands.Add(
      "move-on",
      "The member goes on to another place: ends this stay and reports the next, in one edit",
      &MoveOn, journey(flow));
  commands.Add("list", "Show the stays that last", &List,
               {{"--all", &Arguments::all, "Also those that have ended"}});
}

}  // namespace zhibu::client
