#include "sync/crypto/check_in_code.h"

#include <sodium.h>

#include <limits>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "sync/base/reason.h"
#include "sync/base/status.h"
#include "sync/crypto/sodium_bytes.h"

namespace zhibu {

using sync::v1::CheckInCode;

namespace {

constexpr char kPrefix[] = "ZB1:";
constexpr char kContext[] = "zhibu check-in v1";
// So that its time in milliseconds is a number of 64 bits.
constexpr uint64_t kStepMax = std::numeric_limits<int64_t>::max() / kCheckInStepMs;
// Two ids, a signature, two numbers, and what stands before each.
constexpr size_t kBytesMax = 128;

std::string Payload(CheckInCode code) {
  code.clear_signature();
  return absl::StrCat(kContext, code.SerializeAsString());
}

}  // namespace

CheckInCode MakeCheckInCode(const Id& activity, const Id& branch, DeviceNumber device,
                            int64_t now_ms, absl::string_view secret_key) {
  CheckInCode code;
  code.set_activity_id(activity.str());
  code.set_branch_id(branch.str());
  code.set_device(device.value);
  code.set_step(static_cast<uint64_t>(now_ms / kCheckInStepMs));
  const std::string payload = Payload(code);
  std::string signature(crypto_sign_BYTES, '\0');
  crypto_sign_detached(Bytes(&signature), nullptr, Bytes(payload), payload.size(),
                       Bytes(secret_key));
  code.set_signature(signature);
  return code;
}

std::string ToText(const CheckInCode& code) {
  return absl::StrCat(kPrefix, absl::WebSafeBase64Escape(code.SerializeAsString()));
}

absl::StatusOr<CheckInCode> CheckInCodeFromText(absl::string_view text) {
  text = absl::StripAsciiWhitespace(text);
  std::string bytes;
  if (text.size() > 2 * kBytesMax || !absl::ConsumePrefix(&text, kPrefix) ||
      !absl::WebSafeBase64Unescape(text, &bytes) || absl::WebSafeBase64Escape(bytes) != text) {
    return Refuse(sync::v1::CODE_INVALID, kPrefix);
  }
  return CheckInCodeFromBytes(bytes);
}

absl::StatusOr<CheckInCode> CheckInCodeFromBytes(absl::string_view bytes) {
  CheckInCode code;
  if (bytes.size() > kBytesMax ||
      !code.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())) ||
      code.activity_id().size() != Id::kSize || code.branch_id().size() != Id::kSize ||
      code.device() == 0 || code.step() > kStepMax ||
      code.signature().size() != crypto_sign_BYTES || code.SerializeAsString() != bytes) {
    return Refuse(sync::v1::CODE_INVALID, "form");
  }
  // What is unknown is kept in the order in which it came.
  if (!code.GetReflection()->GetUnknownFields(code).empty()) {
    return Refuse(sync::v1::CODE_INVALID, "form");
  }
  return code;
}

bool VerifyCheckInCode(const CheckInCode& code, absl::string_view public_key) {
  const std::string payload = Payload(code);
  return public_key.size() == crypto_sign_PUBLICKEYBYTES &&
         code.signature().size() == crypto_sign_BYTES &&
         crypto_sign_verify_detached(Bytes(code.signature()), Bytes(payload), payload.size(),
                                     Bytes(public_key)) == 0;
}

int64_t ShownAtMs(const CheckInCode& code) {
  return static_cast<int64_t>(code.step()) * kCheckInStepMs;
}

CheckInTiming TimingOf(const CheckInCode& code, int64_t scanned_ms) {
  // Neither is negative, so the difference is a number too.
  const int64_t after = scanned_ms - ShownAtMs(code);
  if (after < -kCheckInFreshMs || after > kCheckInLateMs) return CheckInTiming::kClockOff;
  return after <= kCheckInStepMs + kCheckInFreshMs ? CheckInTiming::kFresh : CheckInTiming::kLate;
}

}  // namespace zhibu
