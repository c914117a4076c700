// Steps of what several people work on, each on their own phone.
#include <optional>

#include "client-core/actions/distinct.h"
#include "client-core/actions/flow.h"
#include "client-core/actions/known.h"
#include "client-core/actions/persons.h"
#include "client-core/actions/transfer.h"
#include "client-core/c/call.h"
#include "sync/base/reason.h"

namespace zhibu::client {
namespace {

using api::v1::PairStep;
using api::v1::StayStep;
using api::v1::TransferStep;
using Drafts = absl::StatusOr<std::vector<Draft>>;

absl::StatusOr<std::optional<absl::CivilDay>> DayIfGiven(const std::string& text) {
  if (text.empty()) return std::nullopt;
  return DayIn(text);
}

Drafts One(absl::StatusOr<Draft> draft) {
  RETURN_IF_ERROR(draft.status());
  std::vector<Draft> drafts;
  drafts.push_back(*std::move(draft));
  return drafts;
}

absl::Status NoSuchStep() { return Refuse(sync::v1::MALFORMED, "step"); }

Drafts Report(Store& store, const StayStep& step) {
  ASSIGN_OR_RETURN(const Id member, IdIn(step.member_id()));
  Journey journey{.reason = step.words(), .destination = step.place()};
  if (!step.host_branch_id().empty()) {
    ASSIGN_OR_RETURN(journey.host, IdIn(step.host_branch_id()));
  }
  ASSIGN_OR_RETURN(journey.left, DayIfGiven(step.from()));
  ASSIGN_OR_RETURN(journey.back, DayIfGiven(step.until()));
  return One(ReportStay(store, member, journey));
}

Drafts Step(Store& store, const StayStep& step) {
  if (step.step() == StayStep::REPORT) return Report(store, step);
  ASSIGN_OR_RETURN(Draft stay, store.DraftFrom(step.seen()));
  ASSIGN_OR_RETURN(const std::optional<absl::CivilDay> until, DayIfGiven(step.until()));
  switch (step.step()) {
    case StayStep::ACCEPT:
      return One(AcceptStay(store, std::move(stay), step.words()));
    case StayStep::DECLINE:
      return One(DeclineStay(std::move(stay), step.words()));
    case StayStep::ASK_FOR_EXTENSION:
      if (!until) return Refuse(sync::v1::MISSING_FIELD, "Flow.asked_back");
      return One(AskForExtension(std::move(stay), *until));
    case StayStep::EXTEND:
      return One(ExtendStay(std::move(stay), until));
    case StayStep::REFUSE_EXTENSION:
      return One(RefuseExtension(std::move(stay), step.words()));
    case StayStep::CONTACT:
      return RecordContact(store, std::move(stay), {.how = step.place(), .said = step.words()});
    case StayStep::END:
      return One(EndStay(store, std::move(stay), records::v1::Flow::RETURNED, until));
    default:
      return NoSuchStep();
  }
}

Drafts Step(Store& store, const TransferStep& step) {
  if (step.step() == TransferStep::REQUEST) {
    ASSIGN_OR_RETURN(const Id member, IdIn(step.member_id()));
    ASSIGN_OR_RETURN(const Id to, IdIn(step.to_branch_id()));
    return One(RequestTransfer(store, member, to, step.words()));
  }
  ASSIGN_OR_RETURN(Draft transfer, store.DraftFrom(step.seen()));
  switch (step.step()) {
    case TransferStep::ISSUE:
      return One(IssueLetter(store, std::move(transfer), {.number = step.number()}));
    case TransferStep::RECEIVE:
      return One(ReceiveLetter(store, std::move(transfer)));
    case TransferStep::REFUSE:
      return One(RefuseLetter(std::move(transfer), step.words()));
    case TransferStep::CLOSE:
      return One(CloseTransfer(std::move(transfer)));
    case TransferStep::CANCEL:
      return One(CancelTransfer(std::move(transfer), step.words()));
    default:
      return NoSuchStep();
  }
}

absl::StatusOr<Draft> Distinct(Store& store, const PairStep& step) {
  const RecordType* type = store.schema().FindByName(step.of().type());
  if (type == nullptr) return Refuse(sync::v1::NOT_UNDERSTOOD, step.of().type());
  ASSIGN_OR_RETURN(const Id id, IdIn(step.of().id()));
  return SayDistinct(store, *type, id, step.words());
}

Drafts Step(Store& store, const PairStep& step) {
  if (step.step() == PairStep::DISTINCT) return One(Distinct(store, step));
  ASSIGN_OR_RETURN(Draft pair, store.DraftFrom(step.seen()));
  std::optional<Id> keep;
  if (!step.keep_id().empty()) {
    ASSIGN_OR_RETURN(keep, IdIn(step.keep_id()));
  }
  switch (step.step()) {
    case PairStep::SAME:
      return One(FindOnePerson(std::move(pair), keep));
    case PairStep::NOT_SAME:
      return One(FindTwoPersons(std::move(pair)));
    case PairStep::AGREE:
      return One(AgreeToBeOne(store, std::move(pair)));
    case PairStep::WITHDRAW:
      return One(Separate(std::move(pair)));
    default:
      return NoSuchStep();
  }
}

template <typename Message>
int32_t Take(zhibu_handle store, zhibu_in bytes, zhibu_out* committed, zhibu_out* error) {
  return OnStore(store, committed, error, [&](Store& open) -> Answer {
    ASSIGN_OR_RETURN(const auto step, Read<Message>(bytes));
    ASSIGN_OR_RETURN(std::vector<Draft> drafts, Step(open, step));
    ASSIGN_OR_RETURN(const EditNumber number, CommitTogether(open, absl::MakeSpan(drafts)));
    api::v1::Committed told;
    told.set_number(number.value);
    for (const Draft& draft : drafts) told.add_ids(draft.id().str());
    return Bytes(told);
  });
}

}  // namespace
}  // namespace zhibu::client

using namespace zhibu;          // NOLINT
using namespace zhibu::client;  // NOLINT

int32_t zhibu_stay_step(zhibu_handle store, zhibu_in step, zhibu_out* committed, zhibu_out* error) {
  return Take<api::v1::StayStep>(store, step, committed, error);
}

int32_t zhibu_transfer_step(zhibu_handle store, zhibu_in step, zhibu_out* committed,
                            zhibu_out* error) {
  return Take<api::v1::TransferStep>(store, step, committed, error);
}

int32_t zhibu_pair_step(zhibu_handle store, zhibu_in step, zhibu_out* committed, zhibu_out* error) {
  return Take<api::v1::PairStep>(store, step, committed, error);
}
