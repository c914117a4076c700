#include "client-core/actions/transfer.h"

#include <utility>

#include "client-core/actions/known.h"
#include "client-core/actions/step.h"
#include "sync/base/status.h"
#include "sync/rules/flow.h"

namespace zhibu::client {

using records::v1::Transfer;

namespace {

absl::Status WriteLetter(Store& store, const Letter& letter, Transfer* transfer) {
  absl::CivilDay issued;
  if (letter.issued) {
    issued = *letter.issued;
  } else {
    ASSIGN_OR_RETURN(issued, Today(store));
  }
  transfer->set_letter_number(letter.number);
  transfer->set_issued(absl::FormatCivilTime(issued));
  transfer->set_valid_until(absl::FormatCivilTime(issued + letter.days));
  return CheckLetter(*transfer);
}

}  // namespace

absl::StatusOr<Draft> RequestTransfer(Store& store, const Id& member, const Id& to_branch,
                                      const std::string& why) {
  ASSIGN_OR_RETURN(const Id from, BranchOfMember(store, member));
  Draft draft = store.New<Transfer>();
  auto& transfer = draft.message<Transfer>();
  transfer.set_member_id(member.str());
  transfer.set_from_branch_id(from.str());
  transfer.set_to_branch_id(to_branch.str());
  transfer.set_reason(why);
  transfer.set_state(Transfer::REQUESTED);
  return draft;
}

absl::StatusOr<Draft> IssueLetter(Store& store, Draft transfer, const Letter& letter) {
  ASSIGN_OR_RETURN(transfer, TakeStep<Transfer>(std::move(transfer), Transfer::ISSUED));
  RETURN_IF_ERROR(WriteLetter(store, letter, &transfer.message<Transfer>()));
  return transfer;
}

absl::StatusOr<Draft> IssueLetterUnasked(Store& store, const Id& member, const Id& to_branch,
                                         const std::string& why, const Letter& letter) {
  ASSIGN_OR_RETURN(Draft draft, RequestTransfer(store, member, to_branch, why));
  return IssueLetter(store, std::move(draft), letter);
}

absl::StatusOr<Draft> ReceiveLetter(Store& store, Draft transfer) {
  ASSIGN_OR_RETURN(transfer, TakeStep<Transfer>(std::move(transfer), Transfer::RECEIVED));
  ASSIGN_OR_RETURN(const Identity identity, store.GetIdentity());
  ASSIGN_OR_RETURN(const std::string today, DateOrToday(store, std::nullopt));
  auto& letter = transfer.message<Transfer>();
  RETURN_IF_ERROR(CheckRuns(letter, today));
  letter.set_received(today);
  letter.set_received_by_id(identity.person.str());
  return transfer;
}

absl::StatusOr<Draft> RefuseLetter(Draft transfer, const std::string& answer) {
  ASSIGN_OR_RETURN(transfer, TakeStep<Transfer>(std::move(transfer), Transfer::REFUSED));
  if (!answer.empty()) transfer.message<Transfer>().set_answer(answer);
  return transfer;
}

absl::StatusOr<Draft> CloseTransfer(Draft transfer) {
  return TakeStep<Transfer>(std::move(transfer), Transfer::CLOSED);
}

absl::StatusOr<Draft> CancelTransfer(Draft transfer, const std::string& remark) {
  return TakeStep<Transfer>(std::move(transfer), Transfer::CANCELLED, remark);
}

bool IsOver(const Transfer& transfer) {
  return transfer.state() == Transfer::CLOSED || transfer.state() == Transfer::CANCELLED ||
         transfer.state() == Transfer::REFUSED;
}

std::string NameOfMember(Store& store, const Transfer& transfer) {
  return transfer.member_name().empty() ? NameOfMember(store, transfer.member_id())
                                        : transfer.member_name();
}

}  // namespace zhibu::client
