// The pass of a migrant member (流动党员活动证): issued by the home branch, shown by the
// member's phone and verified by the host's, none of which needs a network for it.
//
//   ASSIGN_OR_RETURN(auto pass, IssuePass(*store, member, {.number = "1", .until = day}));
//   ASSIGN_OR_RETURN(auto number, store->Commit({&pass}));    // signed at the next sync
//
//   ASSIGN_OR_RETURN(auto shown, ShowPass(*store, member));   // on the member's phone
//   DrawQr(shown.text);
//
//   ASSIGN_OR_RETURN(auto checked, VerifyPass(*store, text)); // on the host's
//   checked.standing == PassStanding::kValid
//
// What is signed is whose pass it is, which branch issued it, and for how long. The
// activities and dues beside it are what the device knows, signed by nobody.
//
// Threads and errors: actions/known.h.
#ifndef ZHIBU_CLIENT_CORE_ACTIONS_PASS_H_
#define ZHIBU_CLIENT_CORE_ACTIONS_PASS_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/civil_time.h"
#include "client-core/store/store.h"
#include "zhibu/records/v1/flow.pb.h"
#include "zhibu/records/v1/meeting.pb.h"
#include "zhibu/sync/v1/pass.pb.h"

namespace zhibu::client {

struct NewPass {
  std::string number;
  std::optional<absl::CivilDay> from;  // the first day; default: today
  absl::CivilDay until;                // the last day
};
// By the branch that the member belongs to. NOT_FOUND: this device does not know which.
absl::StatusOr<Draft> IssuePass(Store& store, const Id& member, const NewPass& pass);
// By the same. `pass`: as they saw it.
absl::StatusOr<Draft> RevokePass(Draft pass);

struct ShownPass {
  Id id;
  records::v1::Pass pass;
  std::string text;  // for a QR: ASCII
  // Within the days of the pass, as far as this device knows.
  std::vector<records::v1::CheckIn> activities;
  std::map<std::string, int64_t> dues_fen;  // by month
};

// The pass of `member` that runs longest and is not revoked. NOT_FOUND: there is none
// here. FAILED_PRECONDITION: the server has not signed it yet; it will at a sync.
absl::StatusOr<ShownPass> ShowPass(Store& store, const Id& member);

enum class PassStanding { kValid, kNotYet, kExpired, kForged, kOtherServer, kRevoked };

struct CheckedPass {
  PassStanding standing = PassStanding::kForged;
  sync::v1::PassToken token;  // to be believed unless forged, or of another server
};

// kRevoked: the pass is known on this device, and revoked. PASS_INVALID: the text is
// no pass. NOT_ENROLLED, COURIER_NO_KEY: this device cannot verify one yet.
absl::StatusOr<CheckedPass> VerifyPass(Store& store, absl::string_view text);

}  // namespace zhibu::client

#endif  // ZHIBU_CLIENT_CORE_ACTIONS_PASS_H_
