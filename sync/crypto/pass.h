// What a pass shows (流动党员活动证): signed by the server when it is issued, shown by
// the member's phone, verified by the host's; neither needs a network for it.
//
//   token = SignPass(token, courier_secret_key);   // on the server
//   ToText(token)                                  // what the QR holds: "ZP1:ChAB…"
//   ASSIGN_OR_RETURN(token, PassFromText(text));   // on the host's device
//   JudgePass(token, courier_public_key, "2026-11-21")
#ifndef ZHIBU_SYNC_CRYPTO_PASS_H_
#define ZHIBU_SYNC_CRYPTO_PASS_H_

#include <cstddef>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "zhibu/sync/v1/pass.pb.h"

namespace zhibu {

enum class PassFinding {
  kValid,
  kNotYet,       // before its first day
  kExpired,      // after its last
  kForged,       // not what the server signed
  kOtherServer,  // of a server whose key is not known here
};

// Fills in whose server's it is, and the signature.
sync::v1::PassToken SignPass(sync::v1::PassToken token, absl::string_view secret_key);

// More than this fits into no QR that a phone reads.
inline constexpr size_t kPassBytesMax = 600;

std::string ToText(const sync::v1::PassToken& token);
// Whitespace around it is passed over. PASS_INVALID: it is no pass.
absl::StatusOr<sync::v1::PassToken> PassFromText(absl::string_view text);
// As the record of the pass keeps it. PASS_INVALID as above.
absl::StatusOr<sync::v1::PassToken> PassFromBytes(absl::string_view bytes);

// `today` as a date (sync/base/date.h).
PassFinding JudgePass(const sync::v1::PassToken& token, absl::string_view public_key,
                      absl::string_view today);

}  // namespace zhibu

#endif  // ZHIBU_SYNC_CRYPTO_PASS_H_
