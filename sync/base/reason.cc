#include "sync/base/reason.h"

#include <utility>

#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "sync/base/text.h"

namespace zhibu {
namespace {

using sync::v1::Reason;

constexpr char kReasonUrl[] = "zhibu/reason";
constexpr char kDetailUrl[] = "zhibu/reason-detail";
constexpr char kTypeUrl[] = "zhibu/reason-type";
// Between the two languages of a detail: the separator of units, which no text of people has.
constexpr char kBetweenBoth[] = "\x1f";

absl::StatusCode CodeFor(Reason reason) {
  switch (reason) {
    case sync::v1::NOT_ENTITLED:
    case sync::v1::GRANT_ENDED:
    case sync::v1::DEVICE_REVOKED:
    case sync::v1::DEVICE_WIPED:
    case sync::v1::REAUTHENTICATE:
    case sync::v1::BAD_CODE:
    case sync::v1::KEY_OF_ANOTHER:
    case sync::v1::OF_REVOKED_DEVICE:
    case sync::v1::OTHERS_TO_SAY:
    case sync::v1::CODE_WITHOUT_OFFICE:
    case sync::v1::CODE_OF_REVOKED_DEVICE:
    case sync::v1::CODE_OF_OTHER_MEMBER:
    case sync::v1::ASK_NOT_BELOW:
    case sync::v1::ASK_WITHOUT_REASON:
    case sync::v1::NOT_YOUR_STEP:
    case sync::v1::MOVED_AWAY:
      return absl::StatusCode::kPermissionDenied;
    case sync::v1::UNKNOWN_DEVICE:
      return absl::StatusCode::kUnauthenticated;
    case sync::v1::NO_SUCH_RECORD:
    case sync::v1::NOT_ENROLLED:
    case sync::v1::COURIER_NOTHING:
    case sync::v1::NOT_HERE:
      return absl::StatusCode::kNotFound;
    case sync::v1::ALREADY_HERE:
      return absl::StatusCode::kAlreadyExists;
    case sync::v1::ALREADY_WRITTEN:
    case sync::v1::STEP_NOT_ALLOWED:
    case sync::v1::BUILDS_ON_RETURNED:
    case sync::v1::BUILDS_ON_HELD:
    case sync::v1::NOT_DECIDED:
    case sync::v1::UNSUPPORTED_VERSION:
    case sync::v1::OTHER_SERVER:
    case sync::v1::WRONG_KEY:
    case sync::v1::COURIER_GAP:
    case sync::v1::COURIER_COPY:
    case sync::v1::COURIER_RESTORED:
    case sync::v1::COURIER_NO_KEY:
    case sync::v1::NOT_OF_BRANCH:
    case sync::v1::LETTER_EXPIRED:
    case sync::v1::AGAINST_A_RULE:
    case sync::v1::SEVERAL_MEANT:
    case sync::v1::SUSPENDED:
      return absl::StatusCode::kFailedPrecondition;
    case sync::v1::LIMIT_REACHED:
      return absl::StatusCode::kResourceExhausted;
    case sync::v1::PROTOCOL_ERROR:
    case sync::v1::SERVER_TROUBLE:
    case sync::v1::OFFLINE:
      return absl::StatusCode::kUnavailable;
    default:
      return absl::StatusCode::kInvalidArgument;
  }
}

// Each of its languages.
std::string Bounded(absl::string_view detail) {
  const std::pair<absl::string_view, absl::string_view> both =
      absl::StrSplit(detail, absl::MaxSplits(kBetweenBoth, 1));
  std::string first = CutTo(both.first, kDetailBytesMax);
  if (both.first.size() == detail.size()) return first;
  return InBoth(first, CutTo(both.second, kDetailBytesMax));
}

}  // namespace

absl::Status Refuse(Reason reason, absl::string_view said) {
  const std::string detail = Bounded(said);
  absl::Status status(CodeFor(reason), WordsFor(reason, detail).en());
  status.SetPayload(kReasonUrl, absl::Cord(absl::StrCat(static_cast<int>(reason))));
  status.SetPayload(kDetailUrl, absl::Cord(detail));
  return status;
}

absl::Status TooLarge(absl::string_view what, size_t is, size_t most, absl::string_view unit) {
  return Refuse(sync::v1::TOO_LARGE,
                absl::StrCat(what, ": ", is, " ", unit, " > ", most, " ", unit));
}

Refused ReasonOf(const absl::Status& status) {
  Refused refused;
  const auto reason = status.GetPayload(kReasonUrl);
  int number = 0;
  if (!reason || !absl::SimpleAtoi(std::string(*reason), &number)) return refused;
  refused.reason = static_cast<Reason>(number);
  if (const auto detail = status.GetPayload(kDetailUrl)) refused.detail = std::string(*detail);
  if (const auto type = status.GetPayload(kTypeUrl)) {
    if (!absl::SimpleAtoi(std::string(*type), &refused.type)) refused.type = 0;
  }
  return refused;
}

absl::Status Of(uint32_t type, absl::Status status) {
  const bool said = status.ok() || status.GetPayload(kTypeUrl).has_value();
  if (!said && ReasonOf(status).reason != sync::v1::NO_REASON) {
    status.SetPayload(kTypeUrl, absl::Cord(absl::StrCat(type)));
  }
  return status;
}

std::string InBoth(absl::string_view zh, absl::string_view en) {
  return absl::StrCat(zh, kBetweenBoth, en);
}

Words WordsFor(Reason reason, absl::string_view detail) {
  const auto* value = sync::v1::Reason_descriptor()->FindValueByNumber(reason);
  // A reason from a newer server than this build.
  if (value == nullptr)
    value = sync::v1::Reason_descriptor()->FindValueByNumber(sync::v1::MALFORMED);
  Words words = value->options().GetExtension(zhibu::words);
  const std::pair<absl::string_view, absl::string_view> both =
      absl::StrSplit(detail, absl::MaxSplits(kBetweenBoth, 1));
  words.set_zh(absl::StrReplaceAll(words.zh(), {{"{}", both.first}}));
  words.set_en(
      absl::StrReplaceAll(words.en(), {{"{}", both.second.empty() ? detail : both.second}}));
  return words;
}

}  // namespace zhibu
