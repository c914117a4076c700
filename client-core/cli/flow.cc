#include "client-core/actions/flow.h"

#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "client-core/cli/commands.h"
#include "client-core/cli/resolve.h"
#include "sync/base/reason.h"
#include "sync/base/status.h"
#include "zhibu/records/v1/flow.pb.h"

namespace zhibu::client {

using records::v1::Flow;

namespace {

using Json = nlohmann::json;

struct FlowArguments {
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

// By its id or title, or by the name of the member whose only stay it is that lasts.
absl::StatusOr<Draft> StayFrom(Store& store, const std::string& text) {
  const absl::StatusOr<Id> named = MemberFrom(store, text);
  if (!named.ok() && !absl::IsNotFound(named.status())) return named.status();
  // A host that is asked to take somebody in knows of them what the stay says.
  const auto meant = [&](const Id& id, const Flow& flow) {
    if (!named.ok()) return flow.member_name() == text && !IsOver(flow);
    return id == *named || (flow.member_id() == named->bytes() && !IsOver(flow));
  };
  ASSIGN_OR_RETURN(const std::optional<Id> found, OnlyOne<Flow>(store, meant, text));
  return found ? store.Edit<Flow>(*found) : DraftFrom<Flow>(store, text);
}

absl::StatusOr<Journey> JourneyFrom(const FlowArguments& arguments, Store& store) {
  Journey journey{.reason = arguments.reason, .destination = arguments.destination};
  if (!arguments.host.empty()) {
    ASSIGN_OR_RETURN(journey.host, BranchFrom(store, arguments.host));
  }
  ASSIGN_OR_RETURN(journey.left, DayIfGiven(arguments.left));
  ASSIGN_OR_RETURN(journey.back, DayIfGiven(arguments.back));
  return journey;
}

absl::StatusOr<Draft> Report(const FlowArguments& arguments, Store& store) {
  ASSIGN_OR_RETURN(const Id member, MemberOrOwner(store, arguments.member));
  ASSIGN_OR_RETURN(const Journey journey, JourneyFrom(arguments, store));
  return ReportStay(store, member, journey);
}

absl::StatusOr<Draft> Host(const FlowArguments& arguments, Store& store) {
  ASSIGN_OR_RETURN(Draft stay, StayFrom(store, arguments.flow));
  ASSIGN_OR_RETURN(const Id host, BranchFrom(store, arguments.host));
  return NameHost(std::move(stay), host);
}

absl::StatusOr<Draft> Accept(const FlowArguments& arguments, Store& store) {
  ASSIGN_OR_RETURN(Draft stay, StayFrom(store, arguments.flow));
  return AcceptStay(store, std::move(stay), arguments.contact);
}

absl::StatusOr<Draft> Decline(const FlowArguments& arguments, Store& store) {
  ASSIGN_OR_RETURN(Draft stay, StayFrom(store, arguments.flow));
  return DeclineStay(std::move(stay), arguments.reason);
}

absl::Status Contact(const FlowArguments& arguments, Store& store, const Output& output) {
  ASSIGN_OR_RETURN(Draft stay, StayFrom(store, arguments.flow));
  ASSIGN_OR_RETURN(std::vector<Draft> drafts,
                   RecordContact(store, std::move(stay), {arguments.how, arguments.said}));
  return output.Committed(store, CommitTogether(store, absl::MakeSpan(drafts)), drafts.front());
}

absl::StatusOr<Draft> AskExtension(const FlowArguments& arguments, Store& store) {
  ASSIGN_OR_RETURN(Draft stay, StayFrom(store, arguments.flow));
  ASSIGN_OR_RETURN(const absl::CivilDay back, DayFrom(arguments.date));
  return AskForExtension(std::move(stay), back);
}

absl::Status Extend(const FlowArguments& arguments, Store& store, const Output& output) {
  ASSIGN_OR_RETURN(Draft stay, StayFrom(store, arguments.flow));
  ASSIGN_OR_RETURN(const std::optional<absl::CivilDay> until, DayIfGiven(arguments.date));
  absl::StatusOr<Draft> draft = ExtendStay(std::move(stay), until);
  if (ReasonOf(draft.status()).reason == sync::v1::MISSING_FIELD) {
    return Refuse(sync::v1::NOT_UNDERSTOOD, InBoth("没有人申请过延期，请写明延至哪一天",
                                                   "nobody has asked for it: give the date"));
  }
  RETURN_IF_ERROR(draft.status());
  return Commit(store, output, *std::move(draft));
}

absl::StatusOr<Draft> NotExtend(const FlowArguments& arguments, Store& store) {
  ASSIGN_OR_RETURN(Draft stay, StayFrom(store, arguments.flow));
  return RefuseExtension(std::move(stay), arguments.reason);
}

absl::StatusOr<Draft> End(const FlowArguments& arguments, Store& store) {
  ASSIGN_OR_RETURN(Draft stay, StayFrom(store, arguments.flow));
  ASSIGN_OR_RETURN(const std::optional<absl::CivilDay> day, DayIfGiven(arguments.date));
  return EndStay(store, std::move(stay), arguments.transferred ? Flow::TRANSFERRED : Flow::RETURNED,
                 day);
}

absl::Status GoOn(const FlowArguments& arguments, Store& store, const Output& output) {
  ASSIGN_OR_RETURN(Draft stay, StayFrom(store, arguments.flow));
  ASSIGN_OR_RETURN(const Journey journey, JourneyFrom(arguments, store));
  ASSIGN_OR_RETURN(std::vector<Draft> drafts, MoveOn(store, std::move(stay), journey));
  return output.Committed(store, CommitTogether(store, absl::MakeSpan(drafts)), drafts.back());
}

absl::Status ListStays(const FlowArguments& arguments, Store& store, const Output& output) {
  Json found = Json::array();
  std::string text;
  const RecordType& type = *store.schema().Find(Flow::descriptor());
  Names names(store, output.language);
  RETURN_IF_ERROR(Each<Flow>(store, [&](const Id& id, const Flow& flow) {
    if (IsOver(flow) && !arguments.all) return true;
    const std::string member = NameOfMember(store, flow);
    found.push_back({{"id", TextOf(id)},
                     {"member", member},
                     {"home", flow.home_name()},
                     {"host", flow.host_name()},
                     {"state", Flow::State_Name(flow.state())},
                     {"left", flow.left()},
                     {"expectedBack", flow.expected_back()},
                     {"hostContact", flow.host_contact()}});
    absl::StrAppend(&text, names.TitleOf(type, id, flow), "  ",
                    output.Label(*Flow::State_descriptor(), flow.state()),
                    output.Say("  预计返回 ", "  back by "), flow.expected_back(), "  ",
                    flow.host_name().empty() ? flow.destination() : flow.host_name(),
                    output.IdIfShown(id), "\n");
    return true;
  }));
  output.PrintFound(found, text);
  return absl::OkStatus();
}

}  // namespace

void AddFlowCommands(const Parent& device) {
  using O = Option<FlowArguments>;
  const O flow{
      "FLOW", &FlowArguments::flow,
      "Name of the member who stays; their stay as flow list shows it where there are several",
      kRequired};
  const char* branch = "The host branch, by name; by its id where the name is not known here";
  const O why{"--reason", &FlowArguments::reason, "Why"};
  const auto journey = [&](const O& of) -> std::vector<O> {
    return {of,
            {"--host", &FlowArguments::host, branch},
            {"--left", &FlowArguments::left, "Day of leaving; default: today"},
            {"--back", &FlowArguments::back, "Day on which they expect to be back"},
            {"--reason", &FlowArguments::reason, "Why they go"},
            {"--destination", &FlowArguments::destination, "Where they go"}};
  };
  const Parent above = device.AddGroup(
      "flow", "Members who stay away from home (流动党员): each side's steps, offline");
  Commands<FlowArguments> commands(above);
  commands.Add("report", "Report a stay: by the member, or by the home branch", Committing(&Report),
               journey({"--member", &FlowArguments::member, "Name; if not given, yourself"}));
  commands.Add("host", "Name the host branch of a stay, once it is known", Committing(&Host),
               {flow, {"--host", &FlowArguments::host, branch, kRequired}});
  commands.Add(
      "accept", "Accept a member who stays with your branch (host)", Committing(&Accept),
      {flow, {"--contact", &FlowArguments::contact, "Whom the member turns to here, and how"}});
  commands.Add("decline", "Say that the member is not with your branch (host)",
               Committing(&Decline), {flow, why});
  commands.Add("contact", "Record that you were in touch; both branches see it", &Contact,
               {flow,
                {"--how", &FlowArguments::how, "Telephone, visit, …"},
                {"--said", &FlowArguments::said, "What was said"}});
  commands.Add(
      "ask-extension", "Ask the home branch for a longer stay", Committing(&AskExtension),
      {flow, {"DATE", &FlowArguments::date, "Day on which the member would be back", kRequired}});
  commands.Add("extend", "Agree to a longer stay (home)", &Extend,
               {flow, {"DATE", &FlowArguments::date, "Until then; default: as was asked"}});
  commands.Add("refuse-extension", "Not agree to a longer stay (home)", Committing(&NotExtend),
               {flow, why});
  commands.Add("end", "The member is back home", Committing(&End),
               {flow,
                {"--date", &FlowArguments::date, "Day of return; default: today"},
                {"--transferred", &FlowArguments::transferred,
                 "Not back: their membership has been transferred"}});
  commands.Add(
      "move-on",
      "The member goes on to another place: ends this stay and reports the next, in one edit",
      &GoOn, journey(flow));
  commands.Add("list", "Show the stays that last", &ListStays,
               {{"--all", &FlowArguments::all, "Also those that have ended"}});
}

}  // namespace zhibu::client
