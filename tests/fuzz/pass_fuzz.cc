// What somebody's camera reads of a pass, and what the server has put into its record.
#include <gtest/gtest.h>

#include "sync/base/reason.h"
#include "sync/crypto/pass.h"

namespace {

using namespace zhibu;

void Expect(const absl::StatusOr<sync::v1::PassToken>& token) {
  if (!token.ok()) {
    EXPECT_EQ(ReasonOf(token.status()).reason, sync::v1::PASS_INVALID);
    return;
  }
  // There is one form of it, and nobody has signed this one.
  const auto again = PassFromText(ToText(*token));
  EXPECT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->SerializeAsString(), token->SerializeAsString());
  const PassFinding finding = JudgePass(*token, std::string(32, 'k'), "2026-11-21");
  EXPECT_TRUE(finding == PassFinding::kForged || finding == PassFinding::kOtherServer);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view bytes(reinterpret_cast<const char*>(data), size);
  Expect(PassFromText(bytes));
  Expect(PassFromBytes(bytes));
  return 0;
}
