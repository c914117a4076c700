// Transfer of membership (组织关系转接): request, letter (介绍信) and receipt, by the home
// branch, the new branch and the member. Whose step is whose, and what becomes of two
// that meet, is in docs/flow.md.
//
//   ASSIGN_OR_RETURN(Draft transfer, store->Edit<Transfer>(id));     // as it is shown
//   ASSIGN_OR_RETURN(transfer, ReceiveLetter(*store, std::move(transfer)));
//   ASSIGN_OR_RETURN(EditNumber number, store->Commit({&transfer}));
//
// The home branch stays responsible until the receipt is merged: the server moves the
// member then, and not before.
//
// `transfer` is the Transfer as whoever acts saw it. A step that is not declared for its
// state is refused by Store::Commit (STEP_NOT_ALLOWED). A remark or answer that is empty
// leaves what is there.
//
// Threads and errors: actions/known.h.
#ifndef ZHIBU_CLIENT_CORE_ACTIONS_TRANSFER_H_
#define ZHIBU_CLIENT_CORE_ACTIONS_TRANSFER_H_

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/civil_time.h"
#include "client-core/store/store.h"
#include "sync/rules/flow.h"
#include "zhibu/records/v1/flow.pb.h"

namespace zhibu::client {

struct Letter {
  std::string number;
  std::optional<absl::CivilDay> issued;  // default: today
  int days = kLetterDaysMax;             // after that day on which it can be received
};

// By the member, or by the home branch. NOT_FOUND: this device does not know which branch
// the member belongs to.
absl::StatusOr<Draft> RequestTransfer(Store& store, const Id& member, const Id& to_branch,
                                      const std::string& why);

// By the home branch: for a request, or of its own accord. LETTER_TOO_LONG: without a
// number, or it would run longer than a letter may.
absl::StatusOr<Draft> IssueLetter(Store& store, Draft transfer, const Letter& letter);
absl::StatusOr<Draft> IssueLetterUnasked(Store& store, const Id& member, const Id& to_branch,
                                         const std::string& why, const Letter& letter);

// By the new branch. LETTER_EXPIRED: its last day has passed, in China and by the server's
// clock.
absl::StatusOr<Draft> ReceiveLetter(Store& store, Draft transfer);
absl::StatusOr<Draft> RefuseLetter(Draft transfer, const std::string& answer);

// By the former branch, once it has the receipt.
absl::StatusOr<Draft> CloseTransfer(Draft transfer);

// By the home branch or the member, as long as no letter has been received.
absl::StatusOr<Draft> CancelTransfer(Draft transfer, const std::string& remark);

// Closed, cancelled or refused: nothing of it is to be done any longer.
bool IsOver(const records::v1::Transfer& transfer);
// Of who is transferred: as the letter says, or as registered where it does not yet.
std::string NameOfMember(Store& store, const records::v1::Transfer& transfer);

}  // namespace zhibu::client

#endif  // ZHIBU_CLIENT_CORE_ACTIONS_TRANSFER_H_
