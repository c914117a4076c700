// Check-in (签到) where nobody has a network: one phone shows a code, the others
// scan it, and the server judges the code when the check-in reaches it.
//
//   ASSIGN_OR_RETURN(auto shown, ShowCheckIn(*store, meeting));  // on the host's phone
//   DrawQr(shown.text);                                          // anew in shown.next_ms
//
//   ASSIGN_OR_RETURN(auto draft, CheckInByCode(*store, scanned));  // on the member's
//   ASSIGN_OR_RETURN(auto number, store->Commit({&draft}));
//
// A check-in is one record for each activity and member, however often and by whom
// it is made: by code, by hand, by roll-call. What the server makes of a code is in
// docs/check-in.md; it may be told from CheckIn.standing and marks, or, where the
// code could not be true, from Store::ListSetAside.
//
// Threads and errors: actions/known.h; NOT_ENROLLED where the device has no owner yet.
#ifndef ZHIBU_CLIENT_CORE_ACTIONS_CHECK_IN_H_
#define ZHIBU_CLIENT_CORE_ACTIONS_CHECK_IN_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "client-core/store/store.h"

namespace zhibu::client {

struct ShownCheckIn {
  std::string text;     // for a QR: ASCII, at most 200 characters
  int64_t next_ms = 0;  // from now, until another is to be shown
};

// The code of a meeting that is on this device. NOT_FOUND: it is not. Whether the
// device's owner has an office in the branch is the server's to say.
absl::StatusOr<ShownCheckIn> ShowCheckIn(Store& store, const Id& meeting);

// The check-in of this device's owner by a code that they have scanned, to be
// committed. The activity need not be known here. A second code is added only
// where the server has marked the first: else nothing is changed. CODE_INVALID: the
// text is no code.
absl::StatusOr<Draft> CheckInByCode(Store& store, absl::string_view text);

// Without a code: by this device's owner for themselves, else as a roll-call. To be
// committed. NOT_FOUND: neither the meeting is here, nor in which branch the member is.
absl::StatusOr<Draft> CheckInByHand(Store& store, const Id& meeting, const Id& member);

}  // namespace zhibu::client

#endif  // ZHIBU_CLIENT_CORE_ACTIONS_CHECK_IN_H_
