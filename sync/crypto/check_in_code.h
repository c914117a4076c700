// The code of a check-in (签到码): made anew every half minute by the device that
// shows it, scanned by others, judged by the server.
//
//   CheckInCode code = MakeCheckInCode(activity, branch, device, now_ms, secret_key);
//   ToText(code)                        // what the QR holds: "ZB1:CiAx…"
//   CheckInCodeFromText(text)           // on the phone that scans it
//   VerifyCheckInCode(code, public_key) // on the server
//
// A code says who shows it, for which activity, in which half minute. It says
// nothing of who scans it: everybody at the activity scans the same.
#ifndef ZHIBU_SYNC_CRYPTO_CHECK_IN_CODE_H_
#define ZHIBU_SYNC_CRYPTO_CHECK_IN_CODE_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "sync/base/types.h"
#include "zhibu/sync/v1/check_in.pb.h"

namespace zhibu {

// How long a code is shown.
inline constexpr int64_t kCheckInStepMs = 30'000;
// Scanned within this of the half minute in which it was shown, a code is fresh:
// two clocks a little off, and people who take their time.
inline constexpr int64_t kCheckInFreshMs = 120'000;
// Nobody scans a code that is older; then one of the two clocks was wrong.
inline constexpr int64_t kCheckInLateMs = 86'400'000;

enum class CheckInTiming {
  kFresh,
  kLate,      // scanned long after it was shown: forwarded, perhaps
  kClockOff,  // before it was shown, or days after
};

// `now_ms` is in 1970 or later.
sync::v1::CheckInCode MakeCheckInCode(const Id& activity, const Id& branch, DeviceNumber device,
                                      int64_t now_ms, absl::string_view secret_key);

std::string ToText(const sync::v1::CheckInCode& code);
// Whitespace around it is passed over. CODE_INVALID: it is no code.
absl::StatusOr<sync::v1::CheckInCode> CheckInCodeFromText(absl::string_view text);

// As a check-in keeps it (CheckIn.codes). CODE_INVALID as above.
absl::StatusOr<sync::v1::CheckInCode> CheckInCodeFromBytes(absl::string_view bytes);

// False for a key that is none, too.
bool VerifyCheckInCode(const sync::v1::CheckInCode& code, absl::string_view public_key);

// When it was first shown, in milliseconds since 1970.
int64_t ShownAtMs(const sync::v1::CheckInCode& code);
CheckInTiming TimingOf(const sync::v1::CheckInCode& code, int64_t scanned_ms);

}  // namespace zhibu

#endif  // ZHIBU_SYNC_CRYPTO_CHECK_IN_CODE_H_
