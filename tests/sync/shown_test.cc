// Records and refusals in words.
#include "sync/wire/shown.h"

#include <gmock/gmock.h>

#include "sync/base/reason.h"
#include "sync/wire/worded.h"
#include "tests/sync/story.h"

namespace zhibu {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::Optional;

const Wording kInEnglish{Language::kEnglish, nullptr};
const Id kShownId = *Id::FromBytes("\xfb\xff 4567890abcdef");

// ---- Ids -----------------------------------------------------------------------

TEST(IdText, IsReadAsItIsShownAndAsAddressesHaveIt) {
  EXPECT_EQ(TextOf(kShownId), "+/8gNDU2Nzg5MGFiY2RlZg==");
  EXPECT_THAT(IdFromText(TextOf(kShownId)), Optional(kShownId));
  EXPECT_THAT(IdFromText("-_8gNDU2Nzg5MGFiY2RlZg"), Optional(kShownId));
}

TEST(IdText, OfAnotherLengthOrNoBase64IsNone) {
  EXPECT_EQ(IdFromText("AAAA"), std::nullopt);
  EXPECT_EQ(IdFromText("不是"), std::nullopt);
}

// ---- JSON ----------------------------------------------------------------------

TEST(Json, IsReadAsItIsShown) {
  Sampler sampler;
  sampler.set_latest("礼堂");
  sampler.add_add_wins("a");
  EXPECT_EQ(ToJson(sampler), R"({"latest":"礼堂","addWins":["a"]})");
  Sampler read;
  EXPECT_EQ(FromJson(ToJson(sampler), &read), absl::OkStatus());
  EXPECT_EQ(TextOf(read), TextOf(sampler));
}

TEST(Json, SaysWhatItIsNot) {
  Sampler sampler;
  const absl::Status status = FromJson(R"({"nothing": 1})", &sampler);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), AllOf(HasSubstr("Sampler"), HasSubstr("nothing")));
}

TEST(Json, QuotesNoValueWhenItIsRefused) {
  for (const char* json :
       {R"({"latest": "11010519491231002X" "first": 1})", R"({"forward": "11010519491231002X"})",
        R"({"sum": "11010519491231002X"})", R"({"max": "11010519491231002X"})",
        R"({"latest": ["11010519491231002X"]})", R"(["11010519491231002X"])",
        R"({"present": [{"latest": "11010519491231002X"}]})", R"("11010519491231002X")",
        R"({"latest": "11010519491231002X)", R"({"forward": 11010519491231002})"}) {
    Sampler sampler;
    const std::string message(FromJson(json, &sampler).message());
    EXPECT_THAT(message, AllOf(HasSubstr("not a Sampler: "), Not(HasSubstr("1101051949")))) << json;
  }
}

TEST(Json, ATimeThatHasNoNameLeavesTheRestToBeRead) {
  Sampler sampler;
  sampler.set_latest("礼堂");
  sampler.mutable_max()->set_seconds(std::numeric_limits<int64_t>::max());
  EXPECT_EQ(ToJson(sampler), R"({"latest":"礼堂"})");
  EXPECT_THAT(Lines(sampler, kInEnglish),
              AllOf(HasSubstr("  latest: 礼堂\n"), HasSubstr("  max: ?\n")));
}

// Stored before anybody refused it: clear the screen, ring, forge a line, turn a name.
const char kOld[] = "\x1b[2J\x07\n共 0 条\u202e\u2066\xc2\x9b\x7f";

TEST(Json, CommandsNoTerminalAndSaysTheSame) {
  Sampler sampler;
  sampler.set_latest(kOld);
  const std::string json = ToJson(sampler);
  for (const char* hidden : {"\x1b", "\x07", "\n", "\u202e", "\u2066", "\xc2\x9b", "\x7f"}) {
    EXPECT_THAT(json, Not(HasSubstr(hidden)));
  }
  Sampler read;
  EXPECT_EQ(FromJson(json, &read), absl::OkStatus());
  EXPECT_EQ(read.latest(), kOld);
}

TEST(Lines, AreOneForEachFieldWhateverStandsInIt) {
  Sampler sampler;
  sampler.set_latest(kOld);
  EXPECT_EQ(Lines(sampler, kInEnglish),
            "  latest: \\u001b[2J\\u0007\\n共 0 条\\u202e\\u2066\\u009b\\u007f\n");
}

TEST(Told, CommandsNoTerminal) {
  EXPECT_THAT(Told(Refuse(sync::v1::GRANT_ENDED, kOld), Language::kChinese),
              AllOf(Not(HasSubstr("\x1b")), HasSubstr("\\u001b[2J")));
}

// ---- Refusals ------------------------------------------------------------------

TEST(Told, ARefusalInEitherLanguageAnythingElseAsItIs) {
  const absl::Status refused = Refuse(sync::v1::NOT_ENROLLED, "");
  EXPECT_NE(Told(refused, Language::kChinese), Told(refused, Language::kEnglish));
  EXPECT_EQ(Told(refused, Language::kEnglish), refused.message());
  EXPECT_EQ(Told(absl::DataLossError("damaged"), Language::kChinese), "damaged");
}

}  // namespace
}  // namespace zhibu
