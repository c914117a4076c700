// The code of a check-in: one form, one time, one key.
#include "sync/crypto/check_in_code.h"

#include <gmock/gmock.h>

#include "absl/strings/str_cat.h"
#include "sync/base/reason.h"
#include "sync/crypto/handshake.h"

namespace zhibu {
namespace {

using sync::v1::CheckInCode;

constexpr int64_t kNow = 1'795'000'010'000;

Id IdOf(char c) { return *Id::FromBytes(std::string(Id::kSize, c)); }

class CheckInCodeTest : public ::testing::Test {
 protected:
  CheckInCode At(int64_t now_ms) {
    return MakeCheckInCode(IdOf('a'), IdOf('b'), DeviceNumber(7), now_ms, keys_.secret_key);
  }
  std::string ReasonFor(absl::string_view text) {
    const auto code = CheckInCodeFromText(text);
    return code.ok() ? "" : sync::v1::Reason_Name(ReasonOf(code.status()).reason);
  }

  const Environment environment_{
      .now_ms = [] { return kNow; },
      .random_bytes = [next = '\0'](size_t size) mutable { return std::string(size, ++next); }};
  const KeyPair keys_ = NewKeyPair(environment_);
  const KeyPair others_ = NewKeyPair(environment_);
};

TEST_F(CheckInCodeTest, ComesBackFromItsTextAndHoldsUnderTheKeyOfTheDevice) {
  const std::string text = ToText(At(kNow));
  EXPECT_EQ(text.substr(0, 4), "ZB1:");
  EXPECT_LE(text.size(), 200u);
  const auto code = CheckInCodeFromText(absl::StrCat(" ", text, "\n"));
  ASSERT_TRUE(code.ok()) << code.status();
  EXPECT_EQ(code->activity_id(), IdOf('a').str());
  EXPECT_EQ(code->branch_id(), IdOf('b').str());
  EXPECT_EQ(code->device(), 7u);
  EXPECT_EQ(ShownAtMs(*code), kNow / 30'000 * 30'000);
  EXPECT_TRUE(VerifyCheckInCode(*code, keys_.public_key));
  EXPECT_EQ(ToText(*code), text);
}

TEST_F(CheckInCodeTest, IsTheSameForHalfAMinuteAndThenAnother) {
  const int64_t begin = kNow / 30'000 * 30'000;
  EXPECT_EQ(ToText(At(begin)), ToText(At(begin + 29'999)));
  EXPECT_NE(ToText(At(begin)), ToText(At(begin + 30'000)));
}

TEST_F(CheckInCodeTest, WithAnyBitOtherThanItWasIsNoCodeOrDoesNotHold) {
  const std::string bytes = At(kNow).SerializeAsString();
  for (size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    std::string other = bytes;
    other[bit / 8] = static_cast<char>(other[bit / 8] ^ (1 << (bit % 8)));
    const auto code = CheckInCodeFromBytes(other);
    EXPECT_FALSE(code.ok() && VerifyCheckInCode(*code, keys_.public_key)) << "bit " << bit;
  }
}

TEST_F(CheckInCodeTest, DoesNotHoldUnderAnotherKeyOrWhatIsNoKey) {
  EXPECT_FALSE(VerifyCheckInCode(At(kNow), others_.public_key));
  EXPECT_FALSE(VerifyCheckInCode(At(kNow), ""));
  EXPECT_FALSE(VerifyCheckInCode(At(kNow), keys_.public_key.substr(1)));
}

TEST_F(CheckInCodeTest, IsNotWhatADeviceSignsForASession) {
  // The nonce is chosen so that the rest of what is signed is the same.
  CheckInCode code = At(kNow);
  CheckInCode unsigned_code = code;
  unsigned_code.clear_signature();
  code.set_signature(SignProof(keys_.secret_key, unsigned_code.SerializeAsString(), {}, {}));
  EXPECT_FALSE(VerifyCheckInCode(code, keys_.public_key));
}

TEST_F(CheckInCodeTest, TextThatIsNotExactlyACodeIsRefusedInWords) {
  const std::string text = ToText(At(kNow));
  const auto changed = [&](auto change) {
    CheckInCode code = At(kNow);
    change(&code);
    return ToText(code);
  };
  const std::string wrong[] = {
      "",
      "ZB1:",
      "ZB2:" + text.substr(4),
      text.substr(4),
      text + "=",
      text + "A",
      text.substr(0, text.size() - 1),
      text.substr(0, 20) + " " + text.substr(20),
      "zhibu1/127.0.0.1:7430/fingerprint/code",
      "ZB1:" + std::string(4000, 'A'),
      changed([](CheckInCode* c) { c->set_activity_id("short"); }),
      changed([](CheckInCode* c) { c->clear_branch_id(); }),
      changed([](CheckInCode* c) { c->set_device(0); }),
      changed([](CheckInCode* c) { c->set_step(UINT64_MAX); }),
      changed([](CheckInCode* c) { c->clear_signature(); }),
      // A field that is not known: it would not be covered by the signature.
      changed([](CheckInCode* c) { c->GetReflection()->MutableUnknownFields(c)->AddVarint(9, 1); }),
  };
  for (const std::string& one : wrong) EXPECT_EQ(ReasonFor(one), "CODE_INVALID") << one;
  EXPECT_EQ(ReasonFor(text), "");
}

TEST_F(CheckInCodeTest, IsFreshForTwoMinutesEitherWayThenLateThenAMatterOfClocks) {
  const CheckInCode code = At(kNow);
  const int64_t shown = ShownAtMs(code);
  EXPECT_EQ(TimingOf(code, shown), CheckInTiming::kFresh);
  EXPECT_EQ(TimingOf(code, shown - 120'000), CheckInTiming::kFresh);
  EXPECT_EQ(TimingOf(code, shown - 120'001), CheckInTiming::kClockOff);
  EXPECT_EQ(TimingOf(code, shown + 150'000), CheckInTiming::kFresh);
  EXPECT_EQ(TimingOf(code, shown + 150'001), CheckInTiming::kLate);
  EXPECT_EQ(TimingOf(code, shown + 24 * 3'600'000), CheckInTiming::kLate);
  EXPECT_EQ(TimingOf(code, shown + 24 * 3'600'000 + 1), CheckInTiming::kClockOff);
  EXPECT_EQ(TimingOf(code, 0), CheckInTiming::kClockOff);
}

}  // namespace
}  // namespace zhibu
