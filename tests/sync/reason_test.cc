#include "sync/base/reason.h"

#include <gmock/gmock.h>

#include "sync/base/text.h"

namespace zhibu {
namespace {

using sync::v1::Reason;
using ::testing::HasSubstr;
using ::testing::Not;

std::vector<Reason> Reasons() {
  std::vector<Reason> reasons;
  const auto* all = sync::v1::Reason_descriptor();
  for (int i = 0; i < all->value_count(); ++i) {
    const auto reason = static_cast<Reason>(all->value(i)->number());
    if (reason != sync::v1::NO_REASON) reasons.push_back(reason);
  }
  return reasons;
}

TEST(Reason, EachHasWordsInBothLanguagesWithTheDetailPutIn) {
  for (const Reason reason : Reasons()) {
    const Words words = WordsFor(reason, "<detail>");
    SCOPED_TRACE(Reason_Name(reason));
    EXPECT_THAT(words.zh(), HasSubstr("<detail>"));
    EXPECT_THAT(words.en(), HasSubstr("<detail>"));
    EXPECT_THAT(words.zh(), Not(HasSubstr("{}")));
    EXPECT_THAT(words.en(), Not(HasSubstr("{}")));
  }
}

TEST(Reason, TravelsInAStatusAndComesOutAgain) {
  for (const Reason reason : Reasons()) {
    const absl::Status status = Refuse(reason, "Meeting.topic {}");
    SCOPED_TRACE(Reason_Name(reason));
    EXPECT_FALSE(status.ok());
    EXPECT_EQ(status.message(), WordsFor(reason, "Meeting.topic {}").en());
    EXPECT_EQ(ReasonOf(status).reason, reason);
    EXPECT_EQ(ReasonOf(status).detail, "Meeting.topic {}");
  }
}

TEST(Reason, TellsTheKindOfRefusalByTheCode) {
  using absl::StatusCode;
  EXPECT_EQ(Refuse(sync::v1::NOT_ENTITLED, "").code(), StatusCode::kPermissionDenied);
  EXPECT_EQ(Refuse(sync::v1::UNKNOWN_DEVICE, "").code(), StatusCode::kUnauthenticated);
  EXPECT_EQ(Refuse(sync::v1::NO_SUCH_RECORD, "").code(), StatusCode::kNotFound);
  EXPECT_EQ(Refuse(sync::v1::ALREADY_WRITTEN, "").code(), StatusCode::kFailedPrecondition);
  EXPECT_EQ(Refuse(sync::v1::SERVER_TROUBLE, "").code(), StatusCode::kUnavailable);
  EXPECT_EQ(Refuse(sync::v1::LIMIT_REACHED, "").code(), StatusCode::kResourceExhausted);
  EXPECT_EQ(Refuse(sync::v1::BAD_VALUE, "").code(), StatusCode::kInvalidArgument);
}

TEST(Reason, ADetailThatIsWordsOfItsOwnIsSaidInTheLanguageThatIsAskedFor) {
  const Words words = WordsFor(sync::v1::AGAINST_A_RULE, InBoth("早了", "too early"));
  EXPECT_THAT(words.zh(), HasSubstr("不符合规定：早了。"));
  EXPECT_THAT(words.en(), HasSubstr("as the rules have it: too early."));
}

TEST(Reason, ADetailOfAnyLengthIsCutInEachLanguageBehindAWholeCharacter) {
  std::string long_zh;
  for (int i = 0; i < 100'000; ++i) long_zh += "长";
  const std::string detail =
      ReasonOf(Refuse(sync::v1::AGAINST_A_RULE, InBoth(long_zh, std::string(100'000, 'x')))).detail;
  EXPECT_LE(detail.size(), 2 * kDetailBytesMax + 1);
  EXPECT_TRUE(IsUtf8(detail));
  const Words words = WordsFor(sync::v1::AGAINST_A_RULE, detail);
  EXPECT_THAT(words.zh(), HasSubstr("长…"));
  EXPECT_THAT(words.en(), HasSubstr("x…"));
  EXPECT_EQ(ReasonOf(Refuse(sync::v1::BAD_VALUE, std::string(100'000, 'x'))).detail.size(),
            kDetailBytesMax);
}

TEST(Reason, IsNoneForAStatusOfOtherMake) {
  EXPECT_EQ(ReasonOf(absl::OkStatus()).reason, sync::v1::NO_REASON);
  EXPECT_EQ(ReasonOf(absl::InternalError("disk")).reason, sync::v1::NO_REASON);
}

TEST(Reason, OfANewerServerStillHasWords) {
  EXPECT_THAT(WordsFor(static_cast<Reason>(999), "x").en(), HasSubstr("could not be read (x)"));
}

}  // namespace
}  // namespace zhibu
