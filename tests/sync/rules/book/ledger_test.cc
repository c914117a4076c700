// Ledgers: what does not compile and where, and what a row says of what is known, hidden or not
// there.
#include "sync/rules/book/ledger.h"

#include <gmock/gmock.h>

#include "sync/base/date.h"
#include "tests/sync/rules/book/kept.h"
#include "zhibu/records/v1/catalogue.pb.h"

namespace zhibu::rules {
namespace {

using records::v1::Attendance;
using records::v1::CheckIn;
using records::v1::DuesBase;
using records::v1::DuesPayment;
using records::v1::Meeting;
using records::v1::Member;
using records::v1::Organisation;
using records::v1::PrivateDetail;
using records::v1::Training;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr char kHead[] = R"(ledger { key: "x" words { zh: "一" en: "one" } source: "A"
  certainty: SURE each: "Meeting" )";
constexpr char kColumn[] = R"(column { head { zh: "主题" en: "topic" } value: "this.topic" } )";

std::string Complaint(const std::string& text) {
  const auto book =
      Book::Compile({{"x.textproto", absl::StrCat(kHead, text, "}")}}, *CatalogueSchema());
  return book.ok() ? "" : std::string(book.status().message());
}

TEST(LedgerCompiles, WhatIsWrongIsToldWithTheLedgerTheColumnAndThePlace) {
  EXPECT_EQ(Complaint(kColumn), "");
  EXPECT_THAT(Complaint(R"(column { head { zh: "主题" en: "t" } value: "this.topik" })"),
              AllOf(HasSubstr("x.textproto: x: column 主题: line 1, column 6"),
                    HasSubstr("no field 'topik'")));
  EXPECT_THAT(Complaint(R"(column { head { zh: "主题" en: "t" } value: "this" })"),
              HasSubstr("nothing to read"));
  EXPECT_THAT(
      Complaint(R"(column { head { zh: "应到" en: "t" } value: "this.topic" shown: YUAN })"),
      HasSubstr("column 应到: it is string: shown YUAN"));
  EXPECT_THAT(Complaint(R"(column { head { zh: "主题" } value: "this.topic" })"),
              HasSubstr("in both languages"));
  EXPECT_THAT(
      Complaint(R"(column { head { zh: "a" en: "a" } value: "this.topic" codes: "nothing" })"),
      HasSubstr("no codes of a table \"nothing\""));
  EXPECT_THAT(Complaint(absl::StrCat(kColumn, R"(where: "this.topic")")), HasSubstr("x: where: "));
  EXPECT_THAT(Complaint(absl::StrCat(kColumn, R"(rows: "this.topic")")),
              HasSubstr("x: rows: it is string, no list"));
  EXPECT_THAT(Complaint(absl::StrCat(kColumn, R"(sorted_by: "this.present")")),
              HasSubstr("have no order"));
  EXPECT_THAT(Complaint(""), HasSubstr("x: column: there is to be one"));
  EXPECT_THAT(
      Complaint(
          R"x(column { head { zh: "a" en: "a" } value: "AttendanceWith('state', id)[0].reason" })x"),
      HasSubstr("Attendance has no field 'state' with an id"));
}

TEST(LedgerCompiles, OneThatIsReadNamesFieldsThatThereAre) {
  const auto intake = [](absl::string_view into, absl::string_view more) {
    return Complaint(
        absl::StrCat(R"(column { head { zh: "a" en: "a" } value: "this.topic" into: ")", into,
                     "\" } intake { ", more, " }"));
  };
  EXPECT_EQ(intake("topic", R"(same: "topic")"), "");
  EXPECT_THAT(intake("topik", R"(same: "topic")"), HasSubstr("Meeting has no such single field"));
  EXPECT_THAT(intake("topic", ""), HasSubstr("same: it is said of a type whose ids follow from"));
  EXPECT_THAT(intake("member_id", R"(type: "Attendance" same: "state")"), HasSubstr("same"));
  EXPECT_EQ(intake("meeting_id.topic", R"(type: "Attendance")"), "");
  EXPECT_THAT(intake("state.topic", R"(type: "Attendance")"), HasSubstr("it points at no record"));
}

TEST(LedgerCompiles, OneOfATypeThatThisBuildDoesNotKnowIsKeptAsUnknown) {
  const auto book = Book::Compile(
      {{"x", R"(ledger { key: "x" words { zh: "一" en: "one" } source: "A" certainty: SURE
                each: "Spaceship" column { head { zh: "a" en: "a" } value: "this.a" } })"}},
      *CatalogueSchema());
  ASSERT_TRUE(book.ok()) << book.status();
  EXPECT_THAT((*book)->ledgers(), IsEmpty());
  EXPECT_THAT((*book)->unknown(), ElementsAre("x: no record type Spaceship"));
}

class ABranch : public ::testing::Test {
 protected:
  ABranch() {
    Organisation organisation;
    organisation.set_name("青石村党支部");
    branch = kept.Put(organisation);
    wang = Enter("王");
    li = Enter("李");
    query = {.organisation = branch, .today = absl::CivilDay(2026, 11, 20)};
  }

  Id Enter(const std::string& name) {
    Member member;
    member.set_name(name);
    member.set_branch_id(branch.str());
    member.set_stage(Member::FULL);
    return kept.Put(member);
  }
  Id Pay(const Id& who, const std::string& month, int64_t fen, const std::string& on = "") {
    DuesPayment paid;
    paid.set_member_id(who.str());
    paid.set_branch_id(branch.str());
    paid.set_month(month);
    paid.set_amount_fen(fen);
    paid.set_paid_on(on);
    return kept.Put(paid);
  }
  void SetBase(const Id& who, const std::string& from, int64_t base_fen, uint32_t rate,
               int64_t due_fen) {
    DuesBase base;
    base.set_member_id(who.str());
    base.set_branch_id(branch.str());
    base.set_from(from);
    base.set_base_fen(base_fen);
    base.set_rate_basis_points(rate);
    base.set_monthly_due_fen(due_fen);
    kept.Put(base);
  }
  LedgerTable Of(const std::string& key) {
    LedgerTable table = Written(*ShippedBook().FindLedger(key), kept, query);
    EXPECT_THAT(table.faults, IsEmpty());
    return table;
  }

  Kept kept;
  Id branch, wang, li;
  LedgerQuery query;
};

TEST_F(ABranch, DuesShowTheBaseThatCountedInTheMonthAndTheSumBelow) {
  SetBase(wang, "2025-01", 300'000, 50, 1500);
  SetBase(wang, "2026-03", 480'000, 100, 4800);
  Pay(wang, "2026-02", 1500, "2026-02-20");
  Pay(wang, "2026-04", 4800, "2026-06-03");
  Pay(wang, "2025-12", 1500);
  query.year = 2026;
  const LedgerTable table = Of("dues.payments");
  EXPECT_EQ(table.title, "青石村党支部 党费台账（2026 年）");
  EXPECT_THAT(RowsOf(table),
              ElementsAre("1|王|青石村党支部|2026|2|3000.00|0.5%|15.00|15.00|2026-02-20||||已交|",
                          "2|王|青石村党支部|2026|4|4800.00|1.0%|48.00|48.00|2026-06-03||||补交|"));
  EXPECT_EQ(table.sums[0].text, "合计");
  EXPECT_EQ(table.sums[8].text, "63.00");
  EXPECT_EQ(table.rows[0][8].kind, Cell::Kind::kYuan);
  EXPECT_EQ(table.rows[0][9].kind, Cell::Kind::kDay);
}

TEST_F(ABranch, WhoHasLeftStandsInTheYearsInWhichTheyPaid) {
  Member member;
  member.set_name("赵");
  member.set_branch_id(branch.str());
  member.set_stage(Member::FULL);
  member.set_status(Member::LEFT);
  const Id zhao = kept.Put(member);
  Pay(zhao, "2025-12", 1500);
  query.year = 2025;
  EXPECT_EQ(Of("dues.year").rows.size(), 3u);
  EXPECT_EQ(Of("dues.year").sums[14].text, "15.00");
  query.year = 2026;
  EXPECT_EQ(Of("dues.year").rows.size(), 2u);
}

TEST_F(ABranch, WhatIsPaidForAMonthOfAnotherYearIsInNoneOfThis) {
  Pay(wang, "2025-12", 1500);
  query.year = 2026;
  EXPECT_THAT(Of("dues.payments").rows, IsEmpty());
  EXPECT_EQ(Of("dues.year").rows[0][3].kind, Cell::Kind::kEmpty);
  EXPECT_EQ(Of("dues.year").title, "青石村党支部 党费年度台账（2026 年）");
  EXPECT_EQ(Of("member.roster").title, "青石村党支部 党员名册") << "it is as it stands";
  query.year.reset();
  EXPECT_EQ(Of("dues.payments").rows.size(), 1u);
}

TEST_F(ABranch, WhoeverMayNotReadBasesGetsADashAndIsToldHowMany) {
  SetBase(wang, "2025-01", 300'000, 50, 1500);
  Pay(wang, "2026-02", 1500);
  kept.Lacks("DuesBase");
  const LedgerTable table = Of("dues.payments");
  EXPECT_THAT(RowsOf(table), ElementsAre("1|王|青石村党支部|2026|2|—|—|—|15.00|||||已交|"));
  EXPECT_EQ(table.unknown_cells, 3u);
  EXPECT_THAT(table.notes, ElementsAre(HasSubstr("3 格为“—”")));
}

TEST_F(ABranch, ALedgerOfWhichOnlyAPartIsHereSaysSo) {
  Pay(wang, "2026-02", 1500);
  kept.Lacks("DuesPayment");
  EXPECT_THAT(Of("dues.payments").notes, testing::Contains(HasSubstr("不完整")));
}

TEST_F(ABranch, WhoWasThereCountsOnceHoweverItIsKnown) {
  Meeting meeting;
  meeting.set_branch_id(branch.str());
  meeting.set_kind(Meeting::MEMBERS);
  meeting.set_state(Meeting::HELD);
  meeting.set_topic("七月党员大会");
  meeting.set_expected(2);
  meeting.add_present(wang.str());
  meeting.mutable_starts_at()->set_seconds(1'783'386'000);  // 2026-07-07 09:00
  const Id id = kept.Put(meeting);
  CheckIn checked_in;
  checked_in.set_activity_id(id.str());
  checked_in.set_member_id(wang.str());
  checked_in.set_branch_id(branch.str());
  checked_in.mutable_at()->set_seconds(1'783'386'060);
  kept.Put(checked_in);
  Attendance absent;
  absent.set_meeting_id(id.str());
  absent.set_member_id(li.str());
  absent.set_branch_id(branch.str());
  absent.set_state(Attendance::LEAVE);
  absent.set_reason("病假");
  kept.Put(absent);

  EXPECT_THAT(
      RowsOf(Of("meeting.life")),
      ElementsAre("1|支部党员大会|七月党员大会|2026-07-07 09:00|||||2|1|50.0%|李 病假||||"));
  EXPECT_THAT(RowsOf(Of("meeting.attendance")),
              ElementsAre("1|七月党员大会|2026-07-07|李|否|请假|病假||",
                          "2|七月党员大会|2026-07-07|王|是|||2026-07-07 09:01|"));
  query.person = li;
  EXPECT_EQ(Of("meeting.attendance").rows.size(), 1u) << "in a person's dossier: theirs";
}

TEST_F(ABranch, AMeetingWithoutADayIsInNoYearAndIsCounted) {
  Meeting meeting;
  meeting.set_branch_id(branch.str());
  meeting.set_state(Meeting::HELD);
  kept.Put(meeting);
  EXPECT_EQ(Of("meeting.life").rows.size(), 1u);
  query.year = 2026;
  const LedgerTable table = Of("meeting.life");
  EXPECT_THAT(table.rows, IsEmpty());
  EXPECT_EQ(table.undated_rows, 1u);
  EXPECT_THAT(table.notes, ElementsAre(HasSubstr("1 行未列入：没有日期")));
}

class ARoster : public ABranch {
 protected:
  ARoster() {
    PrivateDetail detail;
    detail.set_member_id(wang.str());
    detail.set_branch_id(branch.str());
    detail.set_identity_number("11010519491231002X");
    detail.set_phone("13800002206");
    kept.Put(detail);
  }
  std::string CellUnder(const LedgerTable& table, const std::string& head, size_t row) {
    for (size_t i = 0; i < table.heads.size(); ++i) {
      if (table.heads[i] == head) return table.rows[row][i].text;
    }
    return "no such column";
  }
};

TEST_F(ARoster, NumbersStandInFullForWhoeverMayReadThemAndThatIsTold) {
  const LedgerTable table = Of("member.roster");
  EXPECT_EQ(CellUnder(table, "身份证号", 1), "11010519491231002X");
  EXPECT_EQ(CellUnder(table, "手机", 1), "13800002206");
  const auto* detail = CatalogueSchema()->Find(PrivateDetail::descriptor());
  ASSERT_EQ(table.given.size(), 1u);
  EXPECT_EQ(table.given.begin()->first.first, wang);
  EXPECT_EQ(table.given.begin()->first.second, detail);
  EXPECT_THAT(table.given.begin()->second, ElementsAre(PrivateDetail::kIdentityNumberFieldNumber,
                                                       PrivateDetail::kPhoneFieldNumber));
}

TEST_F(ARoster, NumbersAreMaskedForWhoeverMayNotReadThemThoughTheyAreHere) {
  for (const char* what :
       {"PrivateDetail", "PrivateDetail.identity_number", "PrivateDetail.phone"}) {
    kept.Lacks(what);
  }
  const LedgerTable table = Of("member.roster");
  EXPECT_EQ(CellUnder(table, "身份证号", 1), "110***********002X");
  EXPECT_EQ(CellUnder(table, "手机", 1), "138****2206");
  EXPECT_EQ(CellUnder(table, "身份证号", 0), "—") << "of 李 nothing is here";
  EXPECT_THAT(table.given, IsEmpty());
}

TEST_F(ARoster, NumbersAreMaskedForEverybodyWhereThatIsAskedFor) {
  query.mask = true;
  const LedgerTable table = Of("member.roster");
  EXPECT_EQ(CellUnder(table, "身份证号", 1), "110***********002X");
  EXPECT_THAT(table.given, IsEmpty());
}

TEST(MaskedText, HidesAllOfWhatIsShortAndTheMiddleOfEachOfSeveral) {
  EXPECT_EQ(Masked("13800002206 / 13900002207"), "138****2206 / 139****2207");
  EXPECT_EQ(Masked("青石村三组"), "*****");
  EXPECT_EQ(Masked(""), "");
}

TEST_F(ABranch, CodesStandAsTheirWordsAndWhatHasNoneAsItIs) {
  Member member;
  member.set_name("周");
  member.set_branch_id(branch.str());
  member.set_stage(Member::FULL);
  member.set_ethnic_group("15");
  member.set_born("1990-01");
  kept.Put(member);
  const LedgerTable table = Of("member.roster");
  EXPECT_EQ(table.rows[0][3].text + table.rows[1][3].text + table.rows[2][3].text, "土家");
  query.language = Language::kEnglish;
  EXPECT_EQ(Of("member.roster").heads[1], "name");
}

// docs/rules.md shows it.
TEST_F(ABranch, AFurtherLedgerIsTextAndNoCode) {
  const auto book = Book::Compile({{"classes.textproto", R"(
        ledger {
          key: "study.classes"  words { zh: "外出培训统计" en: "classes elsewhere" }
          source: "LOC"  certainty: LOCAL
          each: "Training"  where: "this.level >= COUNTY"  day: "this.from"
          sorted_by: "this.from"  person: "this.member_id"
          column { head { zh: "姓名" en: "name" }  value: "this.member_id" }
          column { head { zh: "班次" en: "course" }  value: "this.course" }
          column { head { zh: "开始" en: "from" }  value: "this.from"  shown: DAY }
          column { head { zh: "学时" en: "hours" }  value: "this.hours"  summed: true }
        })"}},
                                  *CatalogueSchema());
  ASSERT_TRUE(book.ok()) << book.status();
  for (const auto level : {Training::BRANCH, Training::COUNTY, Training::CITY}) {
    Training training;
    training.set_member_id(li.str());
    training.set_branch_id(branch.str());
    training.set_level(level);
    training.set_course(absl::StrCat("第", level, "期"));
    training.set_from("2026-05-0" + std::to_string(level));
    training.set_hours(8);
    kept.Put(training);
  }
  query.year = 2026;
  const LedgerTable table = Written((*book)->ledgers()[0], kept, query);
  EXPECT_THAT(RowsOf(table), ElementsAre("李|第3期|2026-05-03|8", "李|第4期|2026-05-04|8"));
  EXPECT_EQ(table.sums[3].text, "16");
}

}  // namespace
}  // namespace zhibu::rules
