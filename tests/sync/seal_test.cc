#include "sync/crypto/seal.h"

#include <gmock/gmock.h>

#include "absl/strings/match.h"
#include "sync/base/environment.h"

namespace zhibu {
namespace {

using ::testing::Eq;
using ::testing::Optional;

const std::string kKey(Seal::kKeySize, 'k');
const std::string kOther(Seal::kKeySize, 'o');

Seal SealWith(const std::string& key) { return {key, SystemEnvironment().random_bytes}; }

TEST(Seal, OpensWhatItClosedUnderTheSamePlaceAndKeyOnly) {
  const Seal seal = SealWith(kKey);
  const std::string sealed = seal.Close("record.body/31/ab", "会议纪要");
  EXPECT_FALSE(absl::StrContains(sealed, "会议"));
  EXPECT_THAT(seal.Open("record.body/31/ab", sealed), Optional(Eq("会议纪要")));
  EXPECT_EQ(seal.Open("record.body/31/ac", sealed), std::nullopt);
  EXPECT_EQ(SealWith(kOther).Open("record.body/31/ab", sealed), std::nullopt);
}

TEST(Seal, NoticesEveryChangedBitAndEveryMissingByte) {
  const Seal seal = SealWith(kKey);
  const std::string sealed = seal.Close("p", "会议纪要");
  for (size_t i = 0; i < sealed.size() * 8; ++i) {
    std::string changed = sealed;
    changed[i / 8] = static_cast<char>(changed[i / 8] ^ (1 << (i % 8)));
    EXPECT_EQ(seal.Open("p", changed), std::nullopt) << "bit " << i;
  }
  for (size_t size = 1; size < sealed.size(); ++size) {
    EXPECT_EQ(seal.Open("p", sealed.substr(0, size)), std::nullopt) << size << " bytes";
  }
}

TEST(Seal, ClosesTheSameTwiceAndNobodySeesThatItIsTheSame) {
  const Seal seal = SealWith(kKey);
  EXPECT_NE(seal.Close("p", "会议"), seal.Close("p", "会议"));
}

TEST(Seal, SealsNothingAsNothing) {
  EXPECT_EQ(SealWith(kKey).Close("p", ""), "");
  EXPECT_THAT(SealWith(kKey).Open("p", ""), Optional(Eq("")));
}

TEST(Seal, WithoutAKeyLeavesValuesAsTheyAre) {
  EXPECT_FALSE(Seal().has_key());
  EXPECT_EQ(Seal().Close("p", "会议"), "会议");
  EXPECT_THAT(Seal().Open("q", "会议"), Optional(Eq("会议")));
}

using SealDeathTest = ::testing::Test;
TEST_F(SealDeathTest, RatherEndsTheProgramThanSealWithoutChance) {
  const Seal seal(kKey, [](size_t) { return std::string(); });
  EXPECT_DEATH(seal.Close("p", "会议"), "does not hold: sealed.size\\(\\) == kNonceSize");
}

}  // namespace
}  // namespace zhibu
