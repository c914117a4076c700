#include "client-core/actions/flow.h"

#include <google/protobuf/util/time_util.h>

#include <utility>

#include "client-core/actions/known.h"
#include "client-core/actions/step.h"
#include "sync/base/reason.h"
#include "sync/base/status.h"
#include "sync/wire/shown.h"
#include "zhibu/records/v1/organisation.pb.h"

namespace zhibu::client {

using google::protobuf::util::TimeUtil;
using records::v1::Contact;
using records::v1::Flow;
using records::v1::Grant;

namespace {

absl::StatusOr<google::protobuf::Timestamp> Now(Store& store) {
  ASSIGN_OR_RETURN(const int64_t now_ms, store.ServerNow());
  return TimeUtil::MillisecondsToTimestamp(now_ms);
}

absl::StatusOr<Draft> NewStay(Store& store, const std::string& member_id,
                              const std::string& home_branch_id, const Journey& journey) {
  Draft draft = store.New<Flow>();
  auto& stay = draft.message<Flow>();
  stay.set_member_id(member_id);
  stay.set_home_branch_id(home_branch_id);
  if (journey.host) stay.set_host_branch_id(journey.host->str());
  ASSIGN_OR_RETURN(*stay.mutable_left(), DateOrToday(store, journey.left));
  if (journey.back) stay.set_expected_back(absl::FormatCivilTime(*journey.back));
  stay.set_reason(journey.reason);
  stay.set_destination(journey.destination);
  stay.set_state(Flow::REPORTED);
  return draft;
}

std::vector<Draft> Both(Draft first, Draft second) {
  std::vector<Draft> both;
  both.push_back(std::move(first));
  both.push_back(std::move(second));
  return both;
}

// Whether the person belongs to the branch, or has been given an office in it.
absl::StatusOr<bool> ActsFor(Store& store, const Id& person, absl::string_view branch) {
  const absl::StatusOr<Id> own = BranchOfMember(store, person);
  if (own.ok() && own->bytes() == branch) return true;
  bool acts = false;
  RETURN_IF_ERROR(Each<Grant>(store, [&](const Id&, const Grant& grant) {
    acts = grant.person_id() == person.bytes() && grant.organisation_id() == branch;
    return !acts;
  }));
  return acts;
}

}  // namespace

absl::StatusOr<Draft> ReportStay(Store& store, const Id& member, const Journey& journey) {
  ASSIGN_OR_RETURN(const Id home, BranchOfMember(store, member));
  return NewStay(store, member.str(), home.str(), journey);
}

absl::StatusOr<Draft> NameHost(Draft stay, const Id& host) {
  RETURN_IF_ERROR(CheckIsA<Flow>(stay));
  stay.message<Flow>().set_host_branch_id(host.str());
  return stay;
}

absl::StatusOr<Draft> AcceptStay(Store& store, Draft stay, const std::string& contact) {
  ASSIGN_OR_RETURN(stay, TakeStep<Flow>(std::move(stay), Flow::ACCEPTED));
  ASSIGN_OR_RETURN(const Identity identity, store.GetIdentity());
  auto& accepted = stay.message<Flow>();
  accepted.set_accepted_by_id(identity.person.str());
  if (!contact.empty()) accepted.set_host_contact(contact);
  ASSIGN_OR_RETURN(*accepted.mutable_accepted_at(), Now(store));
  return stay;
}

absl::StatusOr<Draft> DeclineStay(Draft stay, const std::string& why) {
  ASSIGN_OR_RETURN(stay, TakeStep<Flow>(std::move(stay), Flow::DECLINED));
  // In a field of its own: the host is not shown what home remarks before it has accepted.
  if (!why.empty()) stay.message<Flow>().set_answer(why);
  return stay;
}

absl::StatusOr<std::vector<Draft>> RecordContact(Store& store, Draft stay,
                                                 const Conversation& conversation) {
  RETURN_IF_ERROR(CheckIsA<Flow>(stay));
  ASSIGN_OR_RETURN(const Identity identity, store.GetIdentity());
  auto& flow = stay.message<Flow>();
  ASSIGN_OR_RETURN(const bool host, ActsFor(store, identity.person, flow.host_branch_id()));
  const bool by_member = flow.member_id() == identity.person.bytes();
  Draft made = store.New<Contact>();
  auto& contact = made.message<Contact>();
  contact.set_branch_id(host && !by_member ? flow.host_branch_id() : flow.home_branch_id());
  contact.set_flow_id(stay.id().str());
  contact.set_member_id(flow.member_id());
  contact.set_by_id(identity.person.str());
  contact.set_how(conversation.how);
  contact.set_said(conversation.said);
  ASSIGN_OR_RETURN(*contact.mutable_at(), Now(store));
  // Somebody whose clock is ahead may have been in touch later.
  if (contact.at() > flow.last_contact()) *flow.mutable_last_contact() = contact.at();
  return Both(std::move(made), std::move(stay));
}

absl::StatusOr<Draft> AskForExtension(Draft stay, absl::CivilDay back) {
  ASSIGN_OR_RETURN(stay, TakeStep<Flow>(std::move(stay), Flow::EXTENSION_ASKED));
  stay.message<Flow>().set_asked_back(absl::FormatCivilTime(back));
  return stay;
}

absl::StatusOr<Draft> ExtendStay(Draft stay, const std::optional<absl::CivilDay>& until) {
  // One that was extended before is extended by its date.
  ASSIGN_OR_RETURN(stay, TakeStep<Flow>(std::move(stay), Flow::EXTENDED));
  auto& extended = stay.message<Flow>();
  const std::string back = until ? absl::FormatCivilTime(*until) : extended.asked_back();
  if (back.empty()) return Refuse(sync::v1::MISSING_FIELD, "asked_back");
  extended.set_expected_back(back);
  return stay;
}

absl::StatusOr<Draft> RefuseExtension(Draft stay, const std::string& why) {
  return TakeStep<Flow>(std::move(stay), Flow::NOT_EXTENDED, why);
}

absl::StatusOr<Draft> EndStay(Store& store, Draft stay, Flow::Ending ending,
                              const std::optional<absl::CivilDay>& day) {
  ASSIGN_OR_RETURN(stay, TakeStep<Flow>(std::move(stay), Flow::ENDED));
  auto& ended = stay.message<Flow>();
  ended.set_ending(ending);
  ASSIGN_OR_RETURN(*ended.mutable_ended(), DateOrToday(store, day));
  return stay;
}

absl::StatusOr<std::vector<Draft>> MoveOn(Store& store, Draft stay, const Journey& journey) {
  ASSIGN_OR_RETURN(stay, EndStay(store, std::move(stay), Flow::MOVED_ON, std::nullopt));
  const auto& left = stay.message<Flow>();
  ASSIGN_OR_RETURN(Draft reported,
                   NewStay(store, left.member_id(), left.home_branch_id(), journey));
  auto& next = reported.message<Flow>();
  next.set_follows_id(stay.id().str());
  if (journey.reason.empty()) next.set_reason(left.reason());
  return Both(std::move(stay), std::move(reported));
}

bool IsOver(const Flow& stay) {
  return stay.state() == Flow::ENDED || stay.state() == Flow::DECLINED;
}

std::string NameOfMember(Store& store, const Flow& stay) {
  const std::string known = NameOfMember(store, stay.member_id());
  const auto member = Id::FromBytes(stay.member_id());
  const bool is_here = !member || known != TextOf(*member);
  return is_here || stay.member_name().empty() ? known : stay.member_name();
}

}  // namespace zhibu::client
