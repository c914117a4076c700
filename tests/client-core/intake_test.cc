// Sheets of offices into records, on the secretary's own phone, without a network.
#include "client-core/exchange/intake.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "client-core/actions/ledger.h"
#include "sync/exchange/new_file.h"
#include "sync/exchange/quantities.h"
#include "sync/exchange/write_csv.h"
#include "sync/exchange/write_workbook.h"
#include "sync/rules/book/book.h"
#include "tests/support/village.h"

namespace zhibu::test {
namespace {

using client::Intake;
using client::IntakeAsked;
using client::IntakeRow;
using client::TakeIn;
using records::v1::Attendance;
using records::v1::Training;
using rules::ShippedBook;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

class Intaken : public Village {
 protected:
  IntakeAsked Asked(const std::string& key) const {
    return {.ledger = ShippedBook().FindLedger(key), .organisation = branch};
  }
  Intake Take(const IntakeAsked& asked, const std::string& bytes) {
    auto taken = TakeIn(zhangs.store(), asked, bytes);
    EXPECT_TRUE(taken.ok()) << WordsOf(taken.status()).zh();
    return taken.ok() ? *std::move(taken) : Intake();
  }
  // "2 新建", "3 没有导入 A 列“姓名”：…"
  static std::vector<std::string> Told(const Intake& taken) {
    static const char* const kFates[] = {"新建", "补充", "已有", "待核对", "没有导入", "不读"};
    std::vector<std::string> lines;
    for (const IntakeRow& row : taken.rows) {
      std::string line = absl::StrCat(row.line, " ", kFates[static_cast<int>(row.fate)]);
      for (const auto& note : row.notes) {
        absl::StrAppend(&line, " ", note.letter, note.words.zh());
      }
      lines.push_back(line);
    }
    return lines;
  }
  std::vector<std::string> Dues() {
    std::vector<std::string> lines;
    for (const DuesPayment& paid : zhangs.All<DuesPayment>()) {
      lines.push_back(absl::StrCat(paid.member_id() == wang.bytes() ? "王" : "李", " ",
                                   paid.month(), " ", paid.amount_fen(), " ",
                                   DuesPayment::Method_Name(paid.method())));
    }
    return lines;
  }

  static constexpr char kDues[] =
      "青石村党支部党费台账\r\n"
      "序号,姓名,月份,金额,缴费日期,缴费方式,交纳方式,鞋码\r\n"
      "1,王,2026-03,¥15.00,2026.3.20,,微信,42\r\n"
      "2,李 ,2026年4月,\"1,048.5元\",2026/4/2,,现金,41\r\n"
      "合计,,,1063.50,,,,\r\n"
      "填报人：张,,,,,,,\r\n";
};

TEST_F(Intaken, ADuesSheetAsOfficesWriteItMakesPaymentsAndSaysWhatItDidNotRead) {
  const Intake taken = Take(Asked("dues.payments"), kDues);
  EXPECT_THAT(Told(taken), ElementsAre("1 不读 在表头上面", "3 新建",
                                       "4 新建 一次多交一千元以上的，全部上缴中央",
                                       "5 不读 是合计行", "6 不读 是落款或说明"));
  EXPECT_THAT(Dues(), UnorderedElementsAre("王 2026-03 1500 ONLINE", "李 2026-04 104850 CASH"));
  std::vector<std::string> unread;
  for (const auto& column : taken.unread) unread.push_back(column.heading);
  EXPECT_THAT(unread, ElementsAre("缴费方式", "鞋码"));
  EXPECT_THAT(taken.read_as.zh(), HasSubstr("表头在第 2 行"));
  EXPECT_EQ(taken.rows[1].says, "2026-03；王；¥15.00；2026.3.20；微信");
}

TEST_F(Intaken, TriedOnlyItTellsTheSameAndWritesNothing) {
  IntakeAsked asked = Asked("dues.payments");
  asked.check = true;
  EXPECT_EQ(Take(asked, kDues).Count(IntakeRow::Fate::kMade), 2u);
  EXPECT_THAT(Dues(), IsEmpty());
  EXPECT_EQ(zhangs.State().unsent, 0u);
}

TEST_F(Intaken, ReadTwiceItMakesNothingTwice) {
  Take(Asked("dues.payments"), kDues);
  const Intake again = Take(Asked("dues.payments"), kDues);
  EXPECT_EQ(again.Count(IntakeRow::Fate::kSame), 2u);
  EXPECT_EQ(again.Count(IntakeRow::Fate::kMade), 0u);
  EXPECT_THAT(Dues(), SizeIs(2));
}

TEST_F(Intaken, ItIsAnOrdinaryEditOfWhoeverReadsItAndReachesTheOthers) {
  Take(Asked("dues.payments"), kDues);
  EXPECT_EQ(zhangs.State().unsent, 1u) << "all of it is one edit";
  ExpectConverged();
  EXPECT_THAT(lis.All<DuesPayment>(), SizeIs(2));
}

TEST_F(Intaken, WhatSaysSomethingElseThanIsRecordedIsAskedAndOverwritesNothing) {
  Take(Asked("dues.payments"), kDues);
  const Intake taken = Take(Asked("dues.payments"), "姓名,月,实交,备注\n王,2026-03,20,补三月\n");
  EXPECT_THAT(Told(taken), ElementsAre("2 待核对 C已登记为“15.00”，未改；以文件为准请加 --take 2"));
  EXPECT_EQ(zhangs.All<DuesPayment>()[0].amount_fen() + zhangs.All<DuesPayment>()[1].amount_fen(),
            1500 + 104850);
}

TEST_F(Intaken, APaymentThatWasTakenBackIsNone) {
  Take(Asked("dues.payments"), "姓名,月,实交\n王,2026-03,15\n");
  const Id wrong = [&] {
    Id found;
    EXPECT_EQ(zhangs.store().List({.type = 51},
                                  [&](const Id& id, const google::protobuf::Message&) {
                                    found = id;
                                    return true;
                                  }),
              absl::OkStatus());
    return found;
  }();
  zhangs.Make<DuesPayment>([&](DuesPayment& back) {
    back.set_member_id(wang.str());
    back.set_branch_id(branch.str());
    back.set_month("2026-03");
    back.set_amount_fen(-1500);
    back.set_reverses_id(wrong.str());
  });
  EXPECT_THAT(Told(Take(Asked("dues.payments"), "姓名,月,实交\n王,2026-03,20\n")),
              ElementsAre("2 新建"));
}

TEST_F(Intaken, EachRowThatMeansNothingSaysWhyAndKeepsNoOtherOut) {
  const Intake taken = Take(Asked("dues.payments"),
                            "姓名,月,实交,交纳日期\n"
                            "赵,2026-03,15,\n"
                            "王,三月,15,\n"
                            "王,2026-04,十五,\n"
                            "王,2026-05,,\n"
                            "王,2026-06,15,去年\n"
                            "王,2026-06,15,\n"
                            "李,2026-06,15.005,\n"
                            "\"李,2026-07,15,\n");
  EXPECT_THAT(Told(taken),
              ElementsAre("2 没有导入 A“赵”：本支部名册上没有这个人",
                          "3 没有导入 B不知是哪一年哪一月，请写成 2026-03，或用 --year 指明年份",
                          "4 没有导入 C“十五”不是金额，请写成 15.00", "5 没有导入 C是空的",
                          "6 新建 D“去年”无法识别", "7 没有导入 与第 6 行说的是同一条",
                          "8 没有导入 C“15.005”不是金额，请写成 15.00", "9 没有导入 引号不成对"));
  EXPECT_THAT(Dues(), ElementsAre("王 2026-06 1500 METHOD_UNSPECIFIED"));
}

TEST_F(Intaken, AMonthByItsNumberHasTheYearOfItsOwnColumnOrTheOneThatIsNamed) {
  Take(Asked("dues.payments"), "姓名,年,月,实交\n王,2025,3,15\n");
  IntakeAsked asked = Asked("dues.payments");
  asked.year = 2026;
  Take(asked, "姓名,月份,实交\n李,3月,15\n");
  EXPECT_THAT(Dues(), UnorderedElementsAre("王 2025-03 1500 METHOD_UNSPECIFIED",
                                           "李 2026-03 1500 METHOD_UNSPECIFIED"));
}

TEST_F(Intaken, OfTwoWhoBearOneNameTheLastDigitsTell) {
  const Id other = world.Person("王", branch);
  world.SyncAll();
  for (const auto& [who, number] :
       {std::pair(wang, "11010519491231002X"), std::pair(other, "110105194912310021")}) {
    zhangs.Make<PrivateDetail>([&, who = who, number = number](PrivateDetail& detail) {
      detail.set_member_id(who.str());
      detail.set_branch_id(branch.str());
      detail.set_identity_number(number);
    });
  }
  const Intake taken = Take(Asked("dues.payments"),
                            "姓名,身份证号,月,实交\n"
                            "王,,2026-01,15\n"
                            "王,110***********0021,2026-02,15\n"
                            "王（002x）,,2026-03,15\n"
                            "王,9999,2026-04,15\n");
  EXPECT_EQ(taken.rows[0].fate, IntakeRow::Fate::kWrong);
  EXPECT_THAT(taken.rows[0].notes[0].words.zh(), HasSubstr("有 2 人同名"));
  EXPECT_EQ(taken.rows[3].fate, IntakeRow::Fate::kWrong);
  ASSERT_THAT(zhangs.All<DuesPayment>(), SizeIs(2));
  for (const DuesPayment& paid : zhangs.All<DuesPayment>()) {
    EXPECT_EQ(paid.member_id(), paid.month() == "2026-02" ? other.bytes() : wang.bytes());
  }
}

TEST_F(Intaken, WhoBearsANameAloneIsNotMeantByAnothersNumber) {
  zhangs.Make<PrivateDetail>([&](PrivateDetail& detail) {
    detail.set_member_id(wang.str());
    detail.set_branch_id(branch.str());
    detail.set_identity_number("11010519491231002X");
  });
  const Intake taken = Take(Asked("dues.payments"),
                            "姓名,身份证号,月,实交\n"
                            "王(1234),,2026-01,15\n"
                            "王,330102198001011234,2026-02,15\n"
                            "王(002x),,2026-03,15\n");
  EXPECT_EQ(taken.rows[0].fate, IntakeRow::Fate::kWrong);
  EXPECT_THAT(taken.rows[0].notes[0].words.zh(), HasSubstr("身份证号后四位不同"));
  EXPECT_EQ(taken.rows[1].fate, IntakeRow::Fate::kWrong);
  EXPECT_THAT(zhangs.All<DuesPayment>(), SizeIs(1));
}

TEST_F(Intaken, MeetingsComeWithTheirTimeAndWhatSomebodyAddedSinceStays) {
  constexpr char kMeetings[] =
      "类型,主题,时间,地点,主持人,记录人,应到\n"
      "党员大会,七月党员大会,2026-07-07 09:00,村委会,张,李,3\n"
      "支委会,研究发展党员,2026年7月9日 下午3点半,,张,,3\n"
      "座谈会,别的,2026-07-10,,,,\n";
  const Intake taken = Take(Asked("meeting.life"), kMeetings);
  EXPECT_THAT(Told(taken),
              ElementsAre("2 新建", HasSubstr("3 新建"),
                          AllOf(HasSubstr("4 没有导入"), HasSubstr("支部党员大会、"))));
  ASSERT_THAT(zhangs.All<Meeting>(), SizeIs(2));
  Id first;
  (void)zhangs.store().List({.type = 31, .where = {{"topic", "七月党员大会"}}},
                            [&](const Id& id, const google::protobuf::Message&) {
                              first = id;
                              return false;
                            });
  zhangs.Change<Meeting>(first, [](Meeting& meeting) {
    EXPECT_EQ(meeting.starts_at().seconds(), 1'783'386'000);
    EXPECT_EQ(meeting.state(), Meeting::HELD);
    EXPECT_EQ(meeting.kind(), Meeting::MEMBERS);
    meeting.set_place("礼堂");
    meeting.clear_expected();
  });
  EXPECT_THAT(Told(Take(Asked("meeting.life"), kMeetings))[0],
              AllOf(HasSubstr("2 待核对"), HasSubstr("已登记为“礼堂”，未改")));
  zhangs.Change<Meeting>(first, [](Meeting& meeting) {
    EXPECT_EQ(meeting.place(), "礼堂");
    EXPECT_EQ(meeting.expected(), 3u) << "what nobody had written down is filled in";
  });
  IntakeAsked asked = Asked("meeting.life");
  asked.take = {2};
  Take(asked, kMeetings);
  zhangs.Change<Meeting>(first, [](Meeting& meeting) { EXPECT_EQ(meeting.place(), "村委会"); });
}

TEST_F(Intaken, AttendanceFindsItsMeetingByDayAndTopic) {
  Take(Asked("meeting.life"), "类型,主题,时间\n党员大会,七月党员大会,2026-07-07 09:00\n");
  const Intake taken = Take(Asked("meeting.attendance"),
                            "会议,日期,姓名,考勤,原因\n"
                            "七月党员大会,2026-07-07,王,到会,\n"
                            "七月党员大会,2026-07-07,李,病假,住院\n"
                            "七月党员大会,2026-07-08,张,到会,\n");
  EXPECT_THAT(Told(taken),
              ElementsAre("2 新建", "3 新建", "4 没有导入 A没有登记这样的会议，请先登记"));
  std::vector<std::string> lines;
  for (const Attendance& one : zhangs.All<Attendance>()) {
    lines.push_back(absl::StrCat(Attendance::State_Name(one.state()), " ", one.reason()));
  }
  EXPECT_THAT(lines, UnorderedElementsAre("PRESENT ", "LEAVE 住院"));
}

TEST_F(Intaken, TrainingHoursAreReadAndAHardRuleIsToldBeforeAnythingIsWritten) {
  const Intake taken = Take(Asked("study.training"),
                            "学员,班次,开始,结束,学时\n王,春季班,2026-03-02,2026-03-04,24学时\n");
  EXPECT_THAT(Told(taken), ElementsAre(HasSubstr("2 新建")));
  ASSERT_THAT(zhangs.All<Training>(), SizeIs(1));
  EXPECT_EQ(zhangs.All<Training>()[0].hours(), 24u);
}

// ---- Out, and in again

TEST_F(Intaken, WhatIsWrittenOutAndReadAgainMakesNothingNew) {
  Take(Asked("dues.payments"), kDues);
  Take(Asked("meeting.life"),
       "类型,主题,时间,主持人,应到\n党员大会,七月党员大会,2026-07-07 09:00,张,3\n"
       "党课,党史,2026-08-01,张,3\n");
  Take(Asked("meeting.attendance"),
       "会议,日期,姓名,考勤,原因\n七月党员大会,2026-07-07,王,到会,\n"
       "七月党员大会,2026-07-07,李,请假,病假\n");
  Take(Asked("study.training"), "姓名,班次,开始,学时\n王,春季班,2026-03-02,24\n");
  world.SyncAll();
  const auto folder =
      std::filesystem::temp_directory_path() / ("zhibu_intake_" + std::to_string(getpid()));
  std::filesystem::create_directory(folder);
  for (const char* key :
       {"dues.payments", "meeting.life", "meeting.attendance", "study.training"}) {
    const auto tables =
        client::WriteUpLedgers(zhangs.store(), {.ledgers = {ShippedBook().FindLedger(key)},
                                                .query = {.organisation = branch, .year = 2026}});
    ASSERT_TRUE(tables.ok()) << tables.status();
    const std::string path = (folder / (std::string(key) + ".xlsx")).string();
    auto file = NewFile::Begin(path);
    ASSERT_TRUE(file.ok());
    ASSERT_EQ(WriteWorkbook(*tables, *file), absl::OkStatus());
    ASSERT_EQ(file->Finish(), absl::OkStatus());
    ASSERT_EQ(file->Keep(), absl::OkStatus());
    std::ifstream stream(path, std::ios::binary);
    const std::string workbook{std::istreambuf_iterator<char>(stream), {}};
    for (const std::string& bytes : {workbook, CsvOf((*tables)[0])}) {
      const Intake again = Take(Asked(key), bytes);
      EXPECT_EQ(again.Count(IntakeRow::Fate::kSame), (*tables)[0].rows.size())
          << key << "\n"
          << absl::StrJoin(Told(again), "\n");
      EXPECT_EQ(again.Count(IntakeRow::Fate::kMade), 0u) << key;
      EXPECT_EQ(again.Count(IntakeRow::Fate::kWrong), 0u) << key;
    }
  }
  std::filesystem::remove_all(folder);
  EXPECT_EQ(zhangs.State().unsent, 0u);
}

// ---- Files that are none

TEST_F(Intaken, AFileThatIsNoSheetOfTheLedgerIsRefusedInWords) {
  const auto refused = [&](const std::string& bytes) {
    const auto taken = TakeIn(zhangs.store(), Asked("dues.payments"), bytes);
    EXPECT_FALSE(taken.ok());
    return WordsOf(taken.status()).zh();
  };
  EXPECT_THAT(refused("甲,乙\n1,2\n"), HasSubstr("没有找到表头"));
  EXPECT_THAT(refused("姓名,月\n王,2026-03\n"), HasSubstr("表头缺少“实交”列"));
  EXPECT_THAT(refused(""), HasSubstr("没有表头"));
  EXPECT_THAT(refused("PK\x03\x04" + std::string(1000, '\xFF')), Not(IsEmpty()));
  EXPECT_THAT(refused(std::string(100, '\0')), Not(IsEmpty()));
  EXPECT_EQ(zhangs.State().unsent, 0u);
}

TEST(Quantities, AreReadAsPeopleWriteThem) {
  EXPECT_EQ(FenFrom("15"), 1500);
  EXPECT_EQ(FenFrom("￥1,048.50元"), 104850);
  EXPECT_EQ(FenFrom("１５．５"), 1550);
  EXPECT_EQ(FenFrom("-20.00"), -2000);
  EXPECT_EQ(FenFrom("15.001"), std::nullopt);
  EXPECT_EQ(FenFrom("十五"), std::nullopt);
  EXPECT_EQ(CountFrom("12人"), 12);
  EXPECT_EQ(CountFrom("24.0"), 24);
  EXPECT_EQ(CountFrom("12.5"), std::nullopt);
  const auto at = [](absl::string_view text) {
    const auto read = MinuteFrom(text);
    return read ? absl::FormatCivilTime(read->minute) : "";
  };
  EXPECT_EQ(at("2026-07-07 09:00"), "2026-07-07T09:00");
  EXPECT_EQ(at("2026年7月7日上午9时05分"), "2026-07-07T09:05");
  EXPECT_EQ(at("2026.7.7 下午3点半"), "2026-07-07T15:30");
  EXPECT_EQ(at("2026/7/7"), "2026-07-07T00:00");
  EXPECT_EQ(at("明天"), "");
  EXPECT_EQ(MonthFrom({"2026年", "3月"}, std::nullopt), "2026-03");
  EXPECT_EQ(MonthFrom({"", "2026-03"}, std::nullopt), "2026-03");
  EXPECT_EQ(MonthFrom({"202603"}, std::nullopt), "2026-03");
  EXPECT_EQ(MonthFrom({"13"}, 2026), std::nullopt);
  EXPECT_EQ(MonthFrom({"3"}, std::nullopt), std::nullopt);
}

}  // namespace
}  // namespace zhibu::test
