// What a check of the rule book may say, when it says nothing, and what is told of one that is
// wrong.
#include "sync/rules/book/check.h"

#include <gmock/gmock.h>

#include "tests/sync/rules/book/around.h"
#include "zhibu/records/v1/catalogue.pb.h"

namespace zhibu::rules {
namespace {

using records::v1::DevelopmentCase;
using records::v1::DevelopmentStep;
using records::v1::Flow;
using records::v1::Member;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const std::string kSaid = R"t( source: "s" certainty: SURE words { zh: "甲" en: "a" } )t";

std::unique_ptr<const Book> BookOf(const std::string& text) {
  const std::vector<RuleText> files = {{"test.textproto", text}};
  auto book = Book::Compile(files, *CatalogueSchema());
  EXPECT_TRUE(book.ok()) << book.status();
  return book.ok() ? *std::move(book) : nullptr;
}

std::string WrongIn(const std::string& text) {
  const std::vector<RuleText> files = {{"test.textproto", text}};
  const auto book = Book::Compile(files, *CatalogueSchema());
  EXPECT_FALSE(book.ok());
  return book.ok() ? "" : std::string(book.status().message());
}

std::string StepCheck(const std::string& said) {
  return R"t(check { key: "c" of: "DevelopmentStep" )t" + kSaid + said + "}";
}

class CheckTest : public testing::Test {
 protected:
  CheckTest() {
    DevelopmentCase one;
    one.set_member_id(member_.str());
    one.set_lead_branch_id(branch_.str());
    one.set_activist_since("2025-03-01");
    case_ = around.Put(one);
    step.set_case_id(case_.str());
    step.set_member_id(member_.str());
    step.set_branch_id(branch_.str());
    step.set_attempt(1);
    step.set_step(DevelopmentStep::CANDIDATE_CHOSEN);
    step.set_done_on("2026-03-02");
  }
  std::vector<std::string> By(const std::string& said) {
    book_ = BookOf(StepCheck(said));
    return Judge(*book_, step, around, "c", InMemory::IdOf(99), true);
  }

  const Id branch_ = InMemory::IdOf(50);
  const Id member_ = InMemory::IdOf(51);
  Id case_;
  InMemory around;
  DevelopmentStep step;

 private:
  std::unique_ptr<const Book> book_;
};

TEST_F(CheckTest, WhatHoldsIsNotTold) {
  EXPECT_THAT(By(R"t(holds: "this.attempt == 1")t"), IsEmpty());
  EXPECT_THAT(By(R"t(holds: "this.attempt == 2")t"), ElementsAre("BROKEN c: 甲"));
}

TEST_F(CheckTest, ItIsAskedOfThoseThatWhenSays) {
  EXPECT_THAT(By(R"t(when: "this.step == OATH" holds: "false")t"), IsEmpty());
  EXPECT_THAT(By(R"t(when: "this.step == CANDIDATE_CHOSEN" holds: "false")t"),
              ElementsAre("BROKEN c: 甲"));
}

TEST_F(CheckTest, TheDayOfTheActTellsWhetherItWasInForce) {
  const std::string never = R"t(holds: "false" day: "this.done_on" )t";
  EXPECT_THAT(By(never + R"t(from: "2026-03-02")t"), ElementsAre("BROKEN c: 甲"));
  EXPECT_THAT(By(never + R"t(from: "2026-03-03")t"), IsEmpty());
  EXPECT_THAT(By(never + R"t(until: "2026-03-02")t"), ElementsAre("BROKEN c: 甲"));
  EXPECT_THAT(By(never + R"t(until: "2026-03-01")t"), IsEmpty());
}

TEST_F(CheckTest, TheDayOfTheActChoosesTheParameter) {
  const std::string rows =
      R"t(parameter { key: "k" value: 1 from: "2014-05-28" unit: "u" source: "s" }
      parameter { key: "k" value: 2 from: "2026-05-18" unit: "u" source: "s" })t";
  const auto book = BookOf(rows + StepCheck(R"t(holds: "param('k') == 1" day: "this.done_on")t"));
  EXPECT_THAT(Judge(*book, step, around, "c"), IsEmpty());
  step.set_done_on("2026-05-18");
  EXPECT_THAT(Judge(*book, step, around, "c"), ElementsAre("BROKEN c"));
  step.set_done_on("2014-05-27");
  EXPECT_THAT(Judge(*book, step, around, "c"), ElementsAre("UNKNOWN c")) << "none was in force";
}

TEST_F(CheckTest, WhatHasNoDayHasNotBeenDone) {
  step.clear_done_on();
  EXPECT_THAT(By(R"t(holds: "false" day: "this.done_on")t"), ElementsAre("UNKNOWN c"));
}

TEST_F(CheckTest, AnotherRecordIsReadByItsId) {
  const std::string activist =
      R"t(holds: "day(DevelopmentCase(this.case_id).activist_since) <= day('2025-02-28')")t";
  EXPECT_THAT(By(activist), ElementsAre("BROKEN c: 甲"));
  around.Lacks("DevelopmentCase");
  EXPECT_THAT(By(activist), ElementsAre("UNKNOWN c")) << "it is not on this device";
}

TEST_F(CheckTest, OfNoSuchRecordNothingIsKnown) {
  step.set_case_id(InMemory::IdOf(77).str());
  EXPECT_THAT(By(R"t(holds: "DevelopmentCase(this.case_id).attempt > 7")t"),
              ElementsAre("UNKNOWN c"));
}

TEST_F(CheckTest, AnotherRecordIsReadByWhatMakesItsId) {
  const std::string trained =
      R"t(holds: "DevelopmentStepOf(this.case_id, this.attempt, TRAINING).result == PASSED")t";
  EXPECT_THAT(By(trained), ElementsAre("BROKEN c: 甲")) << "nobody has recorded it";
  DevelopmentStep training = step;
  training.set_step(DevelopmentStep::TRAINING);
  training.set_result(DevelopmentStep::PASSED);
  around.Put(training);
  EXPECT_THAT(By(trained), IsEmpty());
  around.Lacks("DevelopmentStep");
  EXPECT_THAT(By(trained), ElementsAre("UNKNOWN c"));
}

TEST_F(CheckTest, ItsOwnIdMakesOthers) {
  const auto book = BookOf(R"t(check { key: "c" of: "DevelopmentCase" )t" + kSaid + R"t(
      holds: "DevelopmentStepOf(id, this.attempt, CANDIDATE_CHOSEN).done_on == ''" })t");
  around.Put(step);
  DevelopmentCase one;
  one.set_member_id(member_.str());
  one.set_lead_branch_id(branch_.str());
  one.set_attempt(1);
  EXPECT_THAT(Judge(*book, one, around, "c", case_), ElementsAre("BROKEN c"));
}

// Else an answer would tell whoever names any id what another branch has written.
TEST_F(CheckTest, WhatIsKeptElsewhereSaysNothing) {
  Member member;
  member.set_branch_id(branch_.str());
  member.set_born("2009-01-01");
  around.Put(member_, member);
  const std::string born = R"t(holds: "Member(this.member_id).born < '2008'")t";
  EXPECT_THAT(By(born), ElementsAre("BROKEN c: 甲"));
  step.set_branch_id(InMemory::IdOf(60).str());
  step.clear_member_id();
  const std::string named = R"t(holds: "Member(this.meeting_id).born < '2008'")t";
  step.set_meeting_id(member_.str());
  EXPECT_THAT(By(named), ElementsAre("UNKNOWN c"));
  DevelopmentStep training = step;
  training.set_branch_id(branch_.str());
  training.set_step(DevelopmentStep::TRAINING);
  training.set_result(DevelopmentStep::PASSED);
  around.Put(training);
  EXPECT_THAT(
      By(R"t(holds: "DevelopmentStepOf(this.case_id, this.attempt, TRAINING).result != PASSED")t"),
      IsEmpty())
      << "as though it were not there";
}

TEST_F(CheckTest, WhatMayNotBeReadHereIsUnknown) {
  around.Lacks("DevelopmentStep.result");
  EXPECT_THAT(By(R"t(holds: "this.result == PASSED")t"), ElementsAre("UNKNOWN c"));
  EXPECT_THAT(By(R"t(holds: "this.result == PASSED || this.attempt == 1")t"), IsEmpty());
}

TEST_F(CheckTest, ARuleThatGoesWrongSaysNothingOfTheRecord) {
  EXPECT_THAT(By(R"t(holds: "10 / (int(this.attempt) - 1) > 0")t"),
              ElementsAre(AllOf(HasSubstr("WRONG c: "), HasSubstr("zero"))));
}

TEST_F(CheckTest, TheWordsSayWhatWasToBe) {
  const std::string words = R"t(check { key: "c" of: "DevelopmentStep" source: "s" certainty: SURE
      words { zh: "{}起" en: "from {}" } )t";
  const auto judge = [&](const std::string& said) {
    const auto book = BookOf(words + said + "}");
    return Judge(*book, step, around, "c", InMemory::IdOf(99), true);
  };
  EXPECT_THAT(judge(R"t(holds: "false" shows: "day(this.done_on).addDays(5)")t"),
              ElementsAre("BROKEN c: 2026-03-07起"));
  EXPECT_THAT(judge(R"t(holds: "false" shows: "int(this.attempt) + 2")t"),
              ElementsAre("BROKEN c: 3起"));
  EXPECT_THAT(judge(R"t(holds: "false" shows: "day(this.notice_from)")t"),
              ElementsAre("BROKEN c: …起"));
}

TEST(CheckText, WhatIsWrongIsToldWithTheRuleAndThePlace) {
  EXPECT_THAT(
      WrongIn(StepCheck(R"t(holds: "this.colour == 'red'")t")),
      AllOf(HasSubstr("test.textproto: c: holds: line 1, column 6: "), HasSubstr("colour")));
  EXPECT_THAT(WrongIn(StepCheck(R"t(holds: "Wish(this.case_id).done")t")),
              HasSubstr("c: holds: line 1, column 1: "));
  EXPECT_THAT(WrongIn(StepCheck(
                  R"t(holds: "DevelopmentStepOf(this.case_id, this.step, OATH).attempt == 1")t")),
              HasSubstr("DevelopmentStepOf() cannot take"));
  EXPECT_THAT(WrongIn(StepCheck("")), HasSubstr("c: holds: it is to be said"));
  EXPECT_THAT(WrongIn(StepCheck(R"t(holds: "true" field: "colour")t")),
              HasSubstr("c: field: DevelopmentStep has no field \"colour\""));
  EXPECT_THAT(WrongIn(StepCheck(R"t(holds: "true" shows: "1")t")), HasSubstr("c: shows: "));
  EXPECT_THAT(WrongIn(StepCheck(R"t(holds: "true" until: "2026-13-01")t")),
              HasSubstr("c: until: it is no day"));
  EXPECT_THAT(WrongIn(R"t(check { key: "c" of: "DevelopmentStep" holds: "true" })t"),
              HasSubstr("c: words: "));
}

TEST(CheckText, AHardOneHasADayAReasonForLateEntriesAndASource) {
  EXPECT_THAT(WrongIn(StepCheck(R"t(holds: "true" hard: true)t")), HasSubstr("c: day: "));
  EXPECT_THAT(WrongIn(R"t(check { key: "c" of: "Flow" hard: true holds: "true" day: "this.left")t" +
                      kSaid + "}"),
              HasSubstr("c: hard: Flow has no field \"irregular_because\""));
  EXPECT_THAT(WrongIn(R"t(check { key: "c" of: "DevelopmentStep" hard: true holds: "true"
      day: "this.done_on" source: "s" certainty: LOCAL words { zh: "甲" en: "a" } })t"),
              HasSubstr("c: hard: what differs from place to place"));
}

TEST(CheckText, AHardOneReadsOfOtherRecordsWhatAllWhoWriteTheRecordMayRead) {
  const std::string hard = R"t(hard: true day: "this.done_on" )t";
  EXPECT_THAT(
      WrongIn(StepCheck(
          hard +
          R"t(holds: "PoliticalReviewOf(this.member_id, this.attempt, this.branch_id).finding == PASSED")t")),
      HasSubstr("c: hard: not all who write a DevelopmentStep may read PoliticalReview.finding"));
  EXPECT_NE(BookOf(StepCheck(hard + R"t(holds: "Member(this.member_id).born != ''")t")), nullptr);
}

TEST(CheckText, ACheckOfATypeThatThisBuildDoesNotKnowIsKeptAndSaidToBeUnknown) {
  const auto book = BookOf(R"t(check { key: "new" of: "Pilgrimage" holds: "this.on" })t");
  EXPECT_THAT(book->unknown(), ElementsAre("new: no record type Pilgrimage"));
  EXPECT_THAT(book->checks(), IsEmpty());
}

TEST(CheckText, EveryShippedCheckSaysWhatIsToBeLookedAt) {
  int checks = 0;
  for (const auto& [number, of_type] : ShippedBook().checks()) {
    for (const Check& check : of_type) {
      ++checks;
      EXPECT_NE(check.field, nullptr) << check.text.key();
      EXPECT_FALSE(check.text.source().empty()) << check.text.key();
    }
  }
  EXPECT_GE(checks, 50);
}

// What a device holds of a record that its owner may not read whole.
TEST(Hidden, AnEmptyFieldMayBeHiddenFromWhoMayNotReadIt) {
  const Id branch = InMemory::IdOf(50);
  DevelopmentStep step;
  step.set_branch_id(branch.str());
  const auto hidden = [&](Office office, const char* field) {
    const RecordType& type = *CatalogueSchema()->Find(DevelopmentStep::descriptor());
    return MayBeHidden(type, InMemory::IdOf(1), step, *type.descriptor->FindFieldByName(field),
                       [&](const Id& scope) { return scope == branch ? AudienceOf(office) : 0; });
  };
  EXPECT_FALSE(hidden(SECRETARY, "result"));
  EXPECT_TRUE(hidden(OFFICE_UNSPECIFIED, "result")) << "it stays at home";
  EXPECT_FALSE(hidden(OFFICE_UNSPECIFIED, "done_on")) << "whoever holds it sees that";
  step.add_second_branch_ids(branch.str());
  step.set_branch_id(InMemory::IdOf(60).str());
  EXPECT_TRUE(hidden(SECRETARY, "result")) << "as a host's";
  step.set_result(DevelopmentStep::PASSED);
  EXPECT_FALSE(hidden(SECRETARY, "result")) << "it is there";
}

TEST(Hidden, AHostThatIsAskedSeesLittle) {
  const Id host = InMemory::IdOf(50);
  Flow stay;
  stay.set_host_branch_id(host.str());
  stay.set_home_branch_id(InMemory::IdOf(60).str());
  const auto hidden = [&](const char* field) {
    const RecordType& type = *CatalogueSchema()->Find(Flow::descriptor());
    return MayBeHidden(type, InMemory::IdOf(1), stay, *type.descriptor->FindFieldByName(field),
                       [&](const Id& scope) { return scope == host ? AudienceOf(SECRETARY) : 0; });
  };
  stay.set_state(Flow::REPORTED);
  EXPECT_TRUE(hidden("remark"));
  EXPECT_FALSE(hidden("left"));
  stay.set_state(Flow::ACCEPTED);
  stay.set_was_accepted(true);
  EXPECT_FALSE(hidden("remark"));
}

// A purse is for what others have added, and what it does not reach is told and refuses nothing.
TEST_F(CheckTest, ChecksThatShareAPurseJudgeAsLongAsItLasts) {
  const auto book = BookOf(StepCheck(R"t(holds: "[1,2,3,4,5].all(i, i > 9)")t"));
  const Check& check = book->ChecksOf(*CatalogueSchema()->Find(DevelopmentStep::descriptor()))[0];
  const auto judge = [&](cel::Purse* purse) {
    return JudgeBy(check, InMemory::IdOf(99), step, absl::CivilDay(2026, 3, 2), &around,
                   {.purse = purse})
        .value();
  };
  cel::Purse purse(40);
  EXPECT_EQ(judge(&purse).outcome, Outcome::kBroken);
  Finding last;
  for (int i = 0; i < 10; ++i) last = judge(&purse);
  EXPECT_EQ(last.outcome, Outcome::kWrong);
  EXPECT_THAT(last.fault, HasSubstr("more than the 40 steps that all added rules have together"));
}

TEST_F(CheckTest, ReadingARecordCostsByItsSizeAndOnceInAnExpression) {
  std::string reads = "true", others = "true";
  for (int i = 0; i < 8; ++i) {
    records::v1::Meeting meeting;
    meeting.set_branch_id(branch_.str());
    meeting.set_topic("议题");
    meeting.set_minutes(std::string(1 << 20, 'x'));
    around.Put(InMemory::IdOf(60 + i), meeting);
    const std::string id = std::string(Id::kSize - 1, 'x') + static_cast<char>(60 + i);
    absl::StrAppend(&others, " && Meeting(b'", id, "').topic == '议题'");
    absl::StrAppend(&reads, " && Meeting(b'", std::string(Id::kSize - 1, 'x'),
                    "<').topic == '议题'");
  }
  EXPECT_THAT(By(absl::StrCat("holds: \"", reads, "\"")), IsEmpty()) << "one, eight times";
  EXPECT_THAT(By(absl::StrCat("holds: \"", others, "\"")), ElementsAre(HasSubstr("steps")))
      << "eight";
}

}  // namespace
}  // namespace zhibu::rules
