#include "sync/base/refusal.h"

#include <string>

#include "absl/strings/cord.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "sync/base/reason.h"

namespace zhibu {
namespace {

constexpr char kComeBackUrl[] = "zhibu/come-back-ms";

}  // namespace

sync::v1::Refusal RefusalOf(const absl::Status& status) {
  const Refused refused = ReasonOf(status);
  sync::v1::Refusal refusal;
  refusal.set_reason(refused.reason);
  refusal.set_detail(refused.detail);
  uint32_t ms = 0;
  const auto come_back = status.GetPayload(kComeBackUrl);
  if (come_back && absl::SimpleAtoi(std::string(*come_back), &ms)) refusal.set_come_back_ms(ms);
  return refusal;
}

absl::Status StatusOf(const sync::v1::Refusal& refusal) {
  return ComeBackIn(refusal.come_back_ms(), Refuse(refusal.reason(), refusal.detail()));
}

absl::Status ComeBackIn(uint32_t ms, absl::Status status) {
  if (ms > 0) status.SetPayload(kComeBackUrl, absl::Cord(absl::StrCat(ms)));
  return status;
}

}  // namespace zhibu
