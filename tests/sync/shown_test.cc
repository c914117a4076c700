// Records and refusals in words.
#include "sync/wire/shown.h"

#include <gmock/gmock.h>

#include "absl/strings/str_cat.h"
#include "sync/base/reason.h"
#include "tests/sync/story.h"
#include "zhibu/records/v1/catalogue.pb.h"

namespace zhibu {
namespace {

using records::v1::Meeting;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::Optional;

const Id kId = *Id::FromBytes("\xfb\xff 4567890abcdef");

// ---- Ids -----------------------------------------------------------------------

TEST(IdText, IsReadAsItIsShownAndAsAddressesHaveIt) {
  EXPECT_EQ(TextOf(kId), "+/8gNDU2Nzg5MGFiY2RlZg==");
  EXPECT_THAT(IdFromText(TextOf(kId)), Optional(kId));
  EXPECT_THAT(IdFromText("-_8gNDU2Nzg5MGFiY2RlZg"), Optional(kId));
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
  EXPECT_THAT(Lines(sampler, Language::kEnglish),
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
  EXPECT_EQ(Lines(sampler, Language::kEnglish),
            "  latest: \\u001b[2J\\u0007\\n共 0 条\\u202e\\u2066\\u009b\\u007f\n");
}

TEST(Told, CommandsNoTerminal) {
  EXPECT_THAT(Told(Refuse(sync::v1::GRANT_ENDED, kOld), Language::kChinese),
              AllOf(Not(HasSubstr("\x1b")), HasSubstr("\\u001b[2J")));
}

// ---- Words ---------------------------------------------------------------------

TEST(Describe, GivesALineForEachFieldByItsLabel) {
  Meeting meeting;
  meeting.set_topic("七月党员大会");
  meeting.mutable_starts_at()->set_seconds(1'795'000'000);
  const RecordType& type = *CatalogueSchema()->FindByName("Meeting");
  EXPECT_THAT(Describe(type, kId, meeting, Language::kChinese),
              AllOf(HasSubstr("会议 " + TextOf(kId) + "\n"), HasSubstr(": 七月党员大会\n"),
                    HasSubstr(": 2026-11-18T11:06:40Z\n")));
  EXPECT_THAT(Describe(type, kId, meeting, Language::kEnglish),
              AllOf(HasSubstr("Meeting " + TextOf(kId)), HasSubstr("topic: 七月党员大会\n")));
}

TEST(Describe, GivesEveryKindOfValue) {
  Sampler sampler;
  sampler.set_branch_id("id");
  sampler.set_sum(-3);
  sampler.set_forward(Sampler::TAKEN);
  sampler.add_add_wins("a");
  sampler.add_add_wins("b");
  auto* item = sampler.add_by_key();
  item->set_key("k");
  item->add_parts()->set_votes(2);
  sampler.add_numbers(1);
  sampler.add_numbers(2);
  EXPECT_EQ(Describe(SamplerType(), kId, sampler, Language::kEnglish),
            "Sampler " + TextOf(kId) +
                "\n  branch: aWQ=\n  sum: -3\n  add wins: a, b\n"
                "  by key: {key: k; parts: {votes: 2}}\n  forward: taken\n  numbers: 1, 2\n");
}

// ---- Codes ---------------------------------------------------------------------

TEST(Describe, GivesTheWordsOfACodeAndTheCodeWhereThereAreNone) {
  records::v1::Member member;
  member.set_ethnic_group("15");
  EXPECT_EQ(Lines(member, Language::kChinese), "  民族: 土家\n");
  EXPECT_EQ(Lines(member, Language::kEnglish), "  ethnic group: Tujia\n");
  for (const char* kept : {"77", "土家族"}) {
    member.set_ethnic_group(kept);
    EXPECT_EQ(Lines(member, Language::kChinese), absl::StrCat("  民族: ", kept, "\n"));
  }
}

TEST(Told, ARefusalInEitherLanguageAnythingElseAsItIs) {
  const absl::Status refused = Refuse(sync::v1::NOT_ENROLLED, "");
  EXPECT_NE(Told(refused, Language::kChinese), Told(refused, Language::kEnglish));
  EXPECT_EQ(Told(refused, Language::kEnglish), refused.message());
  EXPECT_EQ(Told(absl::DataLossError("damaged"), Language::kChinese), "damaged");
}

}  // namespace
}  // namespace zhibu
