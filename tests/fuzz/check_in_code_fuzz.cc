// What somebody's camera reads, and what a check-in says that it has read.
#include <gtest/gtest.h>

#include "sync/base/reason.h"
#include "sync/crypto/check_in_code.h"

namespace {

using namespace zhibu;

void Expect(const absl::StatusOr<sync::v1::CheckInCode>& code) {
  if (!code.ok()) {
    EXPECT_EQ(ReasonOf(code.status()).reason, sync::v1::CODE_INVALID);
    return;
  }
  // There is one form of it, and nobody has signed this one.
  const auto again = CheckInCodeFromText(ToText(*code));
  EXPECT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->SerializeAsString(), code->SerializeAsString());
  EXPECT_FALSE(VerifyCheckInCode(*code, std::string(32, 'k')));
  EXPECT_GE(ShownAtMs(*code), 0);
  EXPECT_NE(TimingOf(*code, 0), CheckInTiming::kLate);
  EXPECT_EQ(TimingOf(*code, ShownAtMs(*code)), CheckInTiming::kFresh);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view bytes(reinterpret_cast<const char*>(data), size);
  Expect(CheckInCodeFromText(bytes));
  Expect(CheckInCodeFromBytes(bytes));
  return 0;
}
