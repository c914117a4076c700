// What a figure must be, and what records count for.
#include <gmock/gmock.h>

#include "absl/strings/str_cat.h"
#include "sync/rules/book/count.h"
#include "sync/rules/book/report.h"
#include "tests/sync/rules/book/summed.h"
#include "zhibu/records/v1/catalogue.pb.h"

namespace zhibu::rules {
namespace {

using records::v1::DuesBase;
using records::v1::DuesPayment;
using records::v1::Meeting;
using records::v1::Member;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr char kHeld[] = R"(
  figure {
    key: "held" words { zh: "会议" en: "meetings" } source: "s" certainty: SURE
    of: "Meeting" when: "this.state in [HELD, CLOSED]" day: "this.starts_at"
    unit { zh: "次" en: "meetings" }
    by { key: "kind" words { zh: "类型" en: "kind" } is: "this.kind" }
  })";

// With something else in the place of a part of it.
std::string Instead(std::string text, absl::string_view part, absl::string_view with) {
  const size_t at = text.find(part.data(), 0, part.size());
  EXPECT_NE(at, std::string::npos) << part;
  return text.replace(at, part.size(), with.data(), with.size());
}

std::string WrongWith(const std::string& text) {
  const std::vector<RuleText> files = {{"test.textproto", text}};
  return std::string(Book::Compile(files, *CatalogueSchema()).status().message());
}

// ---- Said before it is given out -------------------------------------------------------

TEST(FigureText, ItIsCheckedBeforeItIsGivenOutAndNamesFigureFieldAndPlace) {
  EXPECT_EQ(WrongWith(kHeld), "");
  EXPECT_THAT(WrongWith(Instead(kHeld, "this.starts_at", "this.started")),
              HasSubstr("test.textproto: held: day: line 1, column 6: zhibu.records.v1.Meeting has "
                        "no field 'started'"));
  EXPECT_THAT(WrongWith(Instead(kHeld, "this.state in [HELD, CLOSED]", "this.state")),
              HasSubstr("held: when: "));
  EXPECT_THAT(WrongWith(Instead(kHeld, "day: \"this.starts_at\"", "")),
              HasSubstr("held: day: it is to be said"));
  EXPECT_THAT(WrongWith(Instead(kHeld, "source: \"s\"", "")), HasSubstr("held: source: "));
  EXPECT_THAT(WrongWith(Instead(kHeld, "unit {", "out_of: \"due\" unit {")),
              HasSubstr("held: out_of: there is no due"));
}

TEST(FigureText, WhatPeopleWriteFreelyMakesNoBuckets) {
  EXPECT_THAT(WrongWith(Instead(kHeld, "this.kind", "this.topic")),
              HasSubstr("held: by.is: it is string: of that there is no end"));
  EXPECT_THAT(WrongWith(Instead(kHeld, "this.kind", "this.expected")),
              HasSubstr("held: by.is: it is uint: of that there is no end"));
  EXPECT_EQ(
      WrongWith(Instead(kHeld, "this.kind\"",
                        "this.expected\" band { up_to: 10 words { zh: \"少\" en: \"few\" } }")),
      "");
}

TEST(FigureText, WhereASuperiorMayNotReadItIsSaidHowSmallAGroupIsTold) {
  const std::string grades = R"text(
    figure { key: "g" words { zh: "评" en: "g" } source: "s" certainty: SURE of: "MemberAppraisal"
      day: "day(string(this.year) + '-12-31')" unit { zh: "人" en: "people" } })text";
  EXPECT_THAT(WrongWith(grades), HasSubstr("g: smallest_group: "));
  EXPECT_EQ(WrongWith(Instead(grades, "unit {", "smallest_group: 3 unit {")), "");
}

TEST(FigureText, ABalanceIsOfFiguresThatThereAre) {
  const std::string balance = std::string(kHeld) + R"(
    balance { key: "b" words { zh: "平" en: "b" } source: "s" certainty: SURE stock: "held" })";
  EXPECT_THAT(WrongWith(balance), HasSubstr("b: stock: held does not stand"));
  EXPECT_THAT(WrongWith(Instead(balance, "stock: \"held\"", "stock: \"x\"")),
              HasSubstr("b: stock: there is no x"));
}

// ---- What a record counts for ----------------------------------------------------------

class Figures : public Summed {};

TEST_F(Figures, ADayIsChinasAndAYearEndsThere) {
  Meeting meeting;
  meeting.set_branch_id(branch.str());
  meeting.set_state(Meeting::HELD);
  meeting.set_kind(Meeting::LECTURE);
  // A minute before the new year there, and at its first moment.
  meeting.mutable_starts_at()->set_seconds(1767196740);
  around.Put(meeting);
  meeting.mutable_starts_at()->set_seconds(1767196800);
  around.Put(meeting);
  EXPECT_EQ(Whole("meeting.held", "2025"), 1);
  EXPECT_EQ(Whole("meeting.held", "2026"), 1);
  EXPECT_EQ(Whole("meeting.held", "2026-01"), 1);
  EXPECT_EQ(Whole("meeting.held", "2025-Q4"), 1);
}

TEST_F(Figures, ATimeThatWasNotWrittenDownIsNotKnownAndCountedNowhere) {
  Meeting meeting;
  meeting.set_branch_id(branch.str());
  meeting.set_state(Meeting::HELD);
  around.Put(meeting);
  EXPECT_EQ(Whole("meeting.held", "2026"), 0);
  EXPECT_EQ(NotKnown("meeting.held", "2026"), 1);
  EXPECT_EQ(Whole("meeting.held", "1970"), 0);
}

TEST_F(Figures, AKindThatThisVersionDoesNotKnowIsAnother) {
  Meeting meeting;
  meeting.set_branch_id(branch.str());
  meeting.set_state(Meeting::HELD);
  meeting.set_kind(static_cast<Meeting::Kind>(77));
  meeting.mutable_starts_at()->set_seconds(1780000000);
  around.Put(meeting);
  meeting.set_kind(Meeting::KIND_UNSPECIFIED);
  around.Put(meeting);
  EXPECT_THAT(Parts("meeting.held", "kind", "2026"), ElementsAre("not said 1", "other 1"));
}

TEST_F(Figures, AnAmountBeyondAllMeasureIsToldOfAndNotCounted) {
  const auto book = BookOf(R"(
    figure { key: "f" words { zh: "f" en: "f" } source: "s" certainty: SURE of: "Meeting"
      counting: STANDS counts: "int(this.expected) * 1000000000000" unit { zh: "n" en: "n" } })");
  Meeting meeting;
  meeting.set_branch_id(branch.str());
  meeting.set_expected(2);
  around.Put(meeting);
  EXPECT_EQ(Whole("f", "2026", *book), 0);
  EXPECT_EQ(NotKnown("f", "2026", *book), 1);
  EXPECT_THAT(faults, Each("f: counts: 2000000000000 is more than can be"));
}

TEST_F(Figures, APaymentAndWhatTakesItBackCountForNothing) {
  DuesPayment paid;
  paid.set_branch_id(branch.str());
  paid.set_member_id(IdOf(50).str());
  paid.set_month("2026-03");
  paid.set_amount_fen(4800);
  const Id first = around.Put(paid);
  around.Put(paid);
  EXPECT_EQ(Whole("dues.paid", "2026"), 9600);
  DuesPayment back = paid;
  back.set_amount_fen(-4800);
  back.set_reverses_id(first.str());
  around.Put(back);
  EXPECT_EQ(Whole("dues.paid", "2026-03"), 4800);
  EXPECT_EQ(Whole("dues.payments", "2026"), 1);
}

TEST_F(Figures, Case7ANewBaseCountsFromItsMonthAndEndsTheOneBefore) {
  DuesBase base;
  base.set_branch_id(branch.str());
  base.set_member_id(IdOf(50).str());
  base.set_from("2026-01");
  base.set_monthly_due_fen(4800);
  around.Put(base);
  // Pay rises in June 2026: by DF17 from January 2027.
  base.set_from("2027-01");
  base.set_monthly_due_fen(6000);
  around.Put(base);
  today = *DayFrom("2027-02-10");
  EXPECT_EQ(Whole("dues.due", "2026"), 12 * 4800);
  EXPECT_EQ(Whole("dues.due", "2027"), 2 * 6000) << "of the months that have begun";
  EXPECT_EQ(Whole("dues.due", "2026-12"), 4800);
}

// The text is that of docs/rules.md.
TEST_F(Figures, AFigureWithoutCppIsSummedUp) {
  const auto book = BookOf(R"(
figure {
  key: "aid.money"  words { zh: "困难党员帮扶" en: "aid given" }
  source: "our township"  certainty: LOCAL
  of: "FundEntry"  when: "this.use == HARDSHIP"  day: "this.booked_on"
  counts: "-this.amount_fen"  undone_by: "reverses_id"
  unit { zh: "元" en: "yuan" }  in_hundredths: true
})");
  records::v1::FundEntry entry;
  entry.set_branch_id(branch.str());
  entry.set_use(records::v1::FundEntry::HARDSHIP);
  entry.set_booked_on("2026-02-03");
  entry.set_amount_fen(-50000);
  around.Put(entry);
  EXPECT_EQ(Whole("aid.money", "2026", *book), 50000);
  EXPECT_THAT(
      TextOf(rules::ReportOf(TallyOf("2026", *book), [](const Figure&) { return Sight::kAll; }),
             Language::kChinese),
      HasSubstr("困难党员帮扶  500.00 元"));
}

TEST_F(Figures, OfManyThatFollowEachOtherEachIsLookedAtOnce) {
  for (int month = 0; month < 120; ++month) {
    records::v1::DuesBase base;
    base.set_branch_id(branch.str());
    base.set_member_id(IdOf(50).str());
    base.set_from(absl::FormatCivilTime(absl::CivilMonth(2010, 1) + month));
    base.set_monthly_due_fen(month);
    around.Put(base);
  }
  EXPECT_EQ(Whole("dues.due", "2011-03"), 14);
  EXPECT_EQ(Whole("dues.due", "2019-12"), 119);
  EXPECT_EQ(around.visited(), 120);
}

// ---- Told to others ---------------------------------------------------------------------

TEST_F(Figures, AGroupThatIsTooSmallIsNotToldNorCanItBeSubtracted) {
  const auto put = [&](int person, records::v1::MemberAppraisal::Grade grade) {
    records::v1::MemberAppraisal appraisal;
    appraisal.set_branch_id(branch.str());
    appraisal.set_member_id(IdOf(person).str());
    appraisal.set_year(2026);
    appraisal.set_settled(grade);
    around.Put(appraisal);
  };
  for (int i = 0; i < 4; ++i) put(50 + i, records::v1::MemberAppraisal::EXCELLENT);
  for (int i = 0; i < 9; ++i) put(60 + i, records::v1::MemberAppraisal::QUALIFIED);
  put(80, records::v1::MemberAppraisal::UNQUALIFIED);
  const v1::Line line = LineOf("appraisal.graded", "2026", Sight::kGroups);
  EXPECT_EQ(line.amount(), 14);
  std::vector<std::string> told;
  for (const v1::Part& part : line.ways(0).parts()) {
    told.push_back(
        absl::StrCat(part.words().en(), " ", part.telling() == v1::FEW ? -1 : part.amount()));
  }
  EXPECT_THAT(told, ElementsAre("excellent -1", "qualified 9", "unqualified -1"))
      << "14 - 9 - 4 would tell of one";
  EXPECT_EQ(LineOf("appraisal.graded", "2026-Q4", Sight::kGroups).telling(), v1::NOT_TOLD);
  EXPECT_EQ(LineOf("appraisal.graded", "2026", Sight::kUnknown).telling(), v1::NOT_KNOWN_HERE);
  EXPECT_EQ(LineOf("appraisal.graded", "2026", Sight::kAll).ways(0).parts(2).amount(), 1);
}

TEST_F(Figures, AWholeThatIsNotToldIsNotToldBesideItsPart) {
  records::v1::DuesBase base;
  base.set_branch_id(branch.str());
  base.set_member_id(IdOf(50).str());
  base.set_from("2026-01");
  base.set_monthly_due_fen(1234);
  around.Put(base);
  records::v1::DuesPayment paid;
  paid.set_branch_id(branch.str());
  paid.set_member_id(IdOf(50).str());
  paid.set_amount_fen(1500);
  paid.set_month("2026-03");
  around.Put(paid);
  const v1::Report report = rules::ReportOf(TallyOf("2026-03"), [](const Figure& figure) {
    return figure.text.smallest_group() > 0 ? Sight::kGroups : Sight::kAll;
  });
  for (const v1::Line& line : report.lines()) {
    if (line.key() == "dues.due") {
      EXPECT_EQ(line.telling(), v1::NOT_TOLD);
    }
    if (line.key() != "dues.paid") continue;
    EXPECT_EQ(line.amount(), 1500);
    EXPECT_EQ(line.out_of(), "");
    EXPECT_EQ(line.out_of_amount(), 0);
  }
}

TEST_F(Figures, OnePersonsDuesOfAYearAreNoGroup) {
  const auto put = [&](int person) {
    for (int month = 1; month <= 11; ++month) {
      records::v1::DuesBase base;
      base.set_branch_id(branch.str());
      base.set_member_id(IdOf(person).str());
      base.set_from(absl::StrCat("2026-", month < 10 ? "0" : "", month));
      base.set_monthly_due_fen(100 * month);
      around.Put(base);
    }
  };
  put(50);
  EXPECT_EQ(LineOf("dues.due", "2026", Sight::kGroups).telling(), v1::FEW);
  for (int person = 51; person < 55; ++person) put(person);
  EXPECT_EQ(LineOf("dues.due", "2026", Sight::kGroups).telling(), v1::TOLD);
}

TEST_F(Figures, NeitherFromMonthToMonthNorAheadDoesASuperiorSeeWhoPassesFromOneAgeToTheNext) {
  records::v1::Member member;
  member.set_branch_id(branch.str());
  member.set_stage(records::v1::Member::FULL);
  member.set_status(records::v1::Member::ACTIVE);
  member.set_joined("2000-07-01");
  member.set_born("1990-07-15");
  around.Put(member);
  const v1::Line month = LineOf("member.count", "2026-07", Sight::kGroups);
  EXPECT_EQ(month.amount(), 1);
  EXPECT_EQ(month.ways_size(), 0);
  EXPECT_EQ(LineOf("member.count", "2027", Sight::kGroups).telling(), v1::NOT_TOLD);
  EXPECT_GT(LineOf("member.count", "2026", Sight::kGroups).ways_size(), 0);
  EXPECT_GT(LineOf("member.count", "2026-07", Sight::kAll).ways_size(), 0);
}

TEST_F(Figures, AReportIsATableInBothLanguagesWithNumeratorAndDenominator) {
  Meeting meeting;
  meeting.set_branch_id(branch.str());
  meeting.set_state(Meeting::HELD);
  meeting.set_kind(Meeting::MEMBERS);
  meeting.mutable_starts_at()->set_seconds(1780000000);
  meeting.set_expected(4);
  for (int i = 0; i < 3; ++i) meeting.add_present(IdOf(50 + i).str());
  around.Put(meeting);
  const v1::Report report = ReportOf("2026", Sight::kAll);
  EXPECT_THAT(TextOf(report, Language::kChinese), HasSubstr("3 / 4 人次 (75.0%)"));
  EXPECT_THAT(TextOf(report, Language::kChinese), HasSubstr("    类型：支部党员大会 1\n"));
  EXPECT_THAT(TextOf(report, Language::kEnglish), HasSubstr("3 / 4 attendances (75.0%)"));
}

// ---- In the shipped book ------------------------------------------------------------------

TEST(ShippedFigures, EachHasWordsInBothLanguagesAndEveryBreakdownToo) {
  EXPECT_THAT(ShippedBook().figures(), Not(IsEmpty()));
  for (const Figure& figure : ShippedBook().figures()) {
    EXPECT_NE(figure.text.words().zh(), "") << figure.text.key();
    for (const Breakdown& by : figure.by) {
      EXPECT_NE(by.text.words().en(), "") << figure.text.key();
    }
  }
}

}  // namespace
}  // namespace zhibu::rules
