#include "server/exchange/roster.h"

#include <gmock/gmock.h>
#include <iconv.h>

#include <fstream>
#include <iterator>
#include <map>
#include <set>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "server/exchange/columns.h"

namespace zhibu::server {
namespace {

using records::v1::Member;
using records::v1::Organisation;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

// Invented: there is no region 000000. A man and a woman.
constexpr char kHisNumber[] = "000000196105221035";  // born 1961-05-22
constexpr char kHerNumber[] = "000000197802041042";  // born 1978-02-04

Roster Parse(absl::string_view bytes) {
  absl::StatusOr<Roster> roster = ParseRoster(bytes);
  EXPECT_TRUE(roster.ok()) << roster.status();
  return roster.ok() ? *std::move(roster) : Roster();
}

// "2 甲 @支部": the good rows of a file.
std::vector<std::string> RowsOf(absl::string_view bytes) {
  std::vector<std::string> shown;
  for (const RosterRow& row : Parse(bytes).rows) {
    shown.push_back(absl::StrCat(row.line, " ", row.member.name(), " @", row.branch));
  }
  return shown;
}

// "3: 姓名为空 | name is empty": the bad ones.
std::vector<std::string> BadRowsOf(absl::string_view bytes) {
  std::vector<std::string> shown;
  for (const BadRow& bad : Parse(bytes).bad_rows) {
    shown.push_back(absl::StrCat(bad.line, ": ", bad.reason.zh(), " | ", bad.reason.en()));
  }
  return shown;
}

// A file with one more column and one row, in which that column has the value given.
std::string WithCell(absl::string_view header, absl::string_view value) {
  return absl::StrCat("姓名,所在支部,", header, "\n甲,支部,", value, "\n");
}

RosterRow RowWith(absl::string_view header, absl::string_view value) {
  const Roster roster = Parse(WithCell(header, value));
  EXPECT_THAT(roster.rows, SizeIs(1)) << value;
  return roster.rows.empty() ? RosterRow() : roster.rows[0];
}

// "姓名: 旁边…": what is doubtful in a row that goes in.
std::vector<std::string> DoubtsOf(const RosterRow& row) {
  std::vector<std::string> shown;
  for (const DoubtfulCell& cell : row.cells) {
    shown.push_back(absl::StrCat(cell.heading, ": ", cell.reason.zh(), " | ", cell.reason.en()));
  }
  return shown;
}

std::string DoubtWith(absl::string_view header, absl::string_view value) {
  const std::vector<std::string> doubts = DoubtsOf(RowWith(header, value));
  EXPECT_THAT(doubts, SizeIs(1)) << value;
  return doubts.empty() ? "" : doubts[0];
}

std::string Recoded(const char* encoding, absl::string_view text) {
  const iconv_t converter = iconv_open(encoding, "UTF-8");
  std::string bytes(text.size() * 2, '\0');
  char* in = const_cast<char*>(text.data());
  size_t in_left = text.size();
  char* out = bytes.data();
  size_t out_left = bytes.size();
  EXPECT_EQ(iconv(converter, &in, &in_left, &out, &out_left), 0u);
  iconv_close(converter);
  bytes.resize(bytes.size() - out_left);
  return bytes;
}

std::string ToGb18030(absl::string_view text) { return Recoded("GB18030", text); }

// ---- Whole files ----

TEST(Roster, EveryColumnGoesIntoItsField) {
  const Roster roster = Parse(
      "姓名,性别,民族,出生日期,学历,工作岗位,党员类别,入党日期,转正日期,手机,身份证号,住址,"
      "所在支部,上级组织,流入地上级组织\n"
      "甲青石,男,汉族,1961-05-22,高中,村会计,正式党员,1983-06-14,1984-06-14,000-0000-0001,"
      "000000196105221035,青石村一组,云溪镇驻滨海市流动党支部,中共云溪镇委员会,临港街道工委\n");
  ASSERT_THAT(roster.rows, SizeIs(1));
  const RosterRow& row = roster.rows[0];
  EXPECT_EQ(row.line, 2u);
  EXPECT_EQ(row.branch, "云溪镇驻滨海市流动党支部");
  EXPECT_EQ(row.superior, "中共云溪镇委员会");
  EXPECT_EQ(row.host_superior, "临港街道工委");
  EXPECT_EQ(row.organisation_kind, Organisation::MIGRANT_BRANCH);
  EXPECT_EQ(row.member.ShortDebugString(), [] {
    Member member;
    member.set_name("甲青石");
    member.set_sex(Member::MALE);
    member.set_ethnic_group("汉族");
    member.set_born("1961-05-22");
    member.set_education("高中");
    member.set_post("村会计");
    member.set_stage(Member::FULL);
    member.set_joined("1983-06-14");
    member.set_confirmed("1984-06-14");
    return member.ShortDebugString();
  }());
  EXPECT_EQ(row.detail.phone(), "000-0000-0001");
  EXPECT_EQ(row.detail.identity_number(), kHisNumber);
  EXPECT_EQ(row.detail.address(), "青石村一组");
  EXPECT_THAT(roster.bad_rows, IsEmpty());
}

TEST(Roster, EnglishHeadersWhateverTheirCaseSpacesAndUnderscores) {
  const Roster roster = Parse(
      "NAME,Sex,Ethnic_Group,born,Education,post,STAGE,joined,confirmed,Branch,superior,"
      "host superior,Phone,identity_number,Address,Branch Kind\n"
      "甲,female,苗族,1978-02-04,中专,教师,probationary,2025-07-01,,一支部,镇党委,街道党委,12345,"
      "000000197802041042,某路,JOINT_BRANCH\n");
  ASSERT_THAT(roster.rows, SizeIs(1));
  const RosterRow& row = roster.rows[0];
  EXPECT_EQ(row.member.sex(), Member::FEMALE);
  EXPECT_EQ(row.member.ethnic_group(), "苗族");
  EXPECT_EQ(row.member.stage(), Member::PROBATIONARY);
  EXPECT_EQ(row.member.joined(), "2025-07-01");
  EXPECT_EQ(row.branch, "一支部");
  EXPECT_EQ(row.superior, "镇党委");
  EXPECT_EQ(row.host_superior, "街道党委");
  EXPECT_EQ(row.organisation_kind, Organisation::JOINT_BRANCH);
  EXPECT_EQ(row.detail.phone(), "12345");
  EXPECT_EQ(row.detail.identity_number(), kHerNumber);
}

TEST(Roster, ChineseHeadersWithSpacesAndAliases) {
  EXPECT_THAT(RowsOf(" 姓　名 ,\"所在\n党支部\"\n甲,一支部\n"), ElementsAre("3 甲 @一支部"));
}

TEST(Roster, UnknownColumnsArePassedOver) {
  EXPECT_THAT(RowsOf("序号,姓名,备注,所在支部\n1,甲,某事,一支部\n"), ElementsAre("2 甲 @一支部"));
}

// "Phone no." was left out in silence, and everybody's number with it.
TEST(Roster, ColumnsThatNobodyReadsAreNamed) {
  const auto unread = [](absl::string_view bytes) {
    std::vector<std::string> shown;
    for (const UnreadColumn& column : Parse(bytes).unread_columns) {
      shown.push_back(absl::StrCat(LetterOf(column.place), " ", column.heading, ": ",
                                   column.reason.zh(), " | ", column.reason.en()));
    }
    return shown;
  };
  EXPECT_THAT(unread("序号,姓名, 备注 ,所在支部,,姓名\n1,甲,某事,一支部,丁,乙\n"),
              ElementsAre("A 序号: 列名不认识 | its heading is unknown", HasSubstr("C 备注"),
                          "F 姓名: 与“姓名”列意思相同 | it means the same as \"姓名\"",
                          "E : 没有列名 | it has no heading"));
  EXPECT_THAT(unread("姓名,所在支部,\n甲,一支部,\n"), IsEmpty());
  std::string wide = "姓名,所在支部";
  for (int i = 0; i < 90; ++i) absl::StrAppend(&wide, ",列", std::string(200, 'x'), i);
  const Roster roster = Parse(wide + "\n甲,一支部\n");
  ASSERT_THAT(roster.unread_columns, SizeIs(50));
  EXPECT_EQ(roster.unread_columns[0].heading, "…");
}

TEST(Roster, ThePageNamesEveryHeading) {
  std::ifstream file(ZHIBU_DOCS "/operating.md");
  const std::string page((std::istreambuf_iterator<char>(file)), {});
  for (size_t i = 0; i < kColumns; ++i) {
    const ColumnRule& rule = RuleOf(Column{i});
    std::string line = absl::StrCat("| ", rule.zh, " | ", rule.en, " |");
    for (const std::string& alias : rule.aliases) {
      absl::StrAppend(&line, &alias == rule.aliases.data() ? " " : ", ", alias);
    }
    EXPECT_TRUE(absl::StrContains(page, absl::StrCat("\n", line, " |\n"))) << line;
  }
}

TEST(Roster, OfTwoColumnsThatMeanTheSameTheOneThatSaysItBestCounts) {
  for (const char* text : {"姓名,所在支部,手机,联系电话\n甲,支部,11111,22222\n",
                           "姓名,所在支部,联系电话,手机号码\n甲,支部,22222,11111\n"}) {
    const Roster roster = Parse(text);
    ASSERT_THAT(roster.rows, SizeIs(1));
    EXPECT_EQ(roster.rows[0].detail.phone(), "11111");
  }
}

TEST(Roster, Utf8WithByteOrderMark) {
  EXPECT_THAT(RowsOf("\xEF\xBB\xBF姓名,所在支部\n甲,一支部\n"), ElementsAre("2 甲 @一支部"));
}

TEST(Roster, Gb18030IncludingCharactersOfFourBytes) {
  // 𠮷 lies outside the two-byte part of GB18030.
  const std::string bytes = ToGb18030("姓名,所在支部\n甲𠮷,一支部\n");
  ASSERT_NE(bytes.find("\xBC\xD7"), std::string::npos) << "甲 as GB18030 has it";
  EXPECT_THAT(RowsOf(bytes), ElementsAre("2 甲𠮷 @一支部"));
}

TEST(Roster, WhatLiesBeyondUnicodeIsNotUtf8) {
  // In GB18030 the four bytes are two characters.
  EXPECT_THAT(RowsOf("Name,Branch\nA\xF6\xA5\x97\x9E,B\n"), ElementsAre("2 A謦棡 @B"));
}

TEST(Roster, SemicolonsOrTabs) {
  EXPECT_THAT(RowsOf("姓名;所在支部;住址\n甲;一支部;某路,1号\n"), ElementsAre("2 甲 @一支部"));
  EXPECT_THAT(RowsOf("姓名\t所在支部\t住址\n甲\t一支部\t\n乙\t\t某路\n丙\t二支部\n丁\t二支部\n"),
              ElementsAre("2 甲 @一支部", "4 丙 @二支部", "5 丁 @二支部"));
}

TEST(Roster, EndsOfLinesOfEverySystem) {
  const auto two_rows = ElementsAre("2 甲 @一支部", "3 乙 @一支部");
  EXPECT_THAT(RowsOf("姓名,所在支部\n甲,一支部\n乙,一支部"), two_rows);
  EXPECT_THAT(RowsOf("姓名,所在支部\r\n甲,一支部\r\n乙,一支部\r\n"), two_rows);
  EXPECT_THAT(RowsOf("姓名,所在支部\r甲,一支部\r乙,一支部\r"), two_rows);
}

TEST(Roster, EmptyLinesAreSkippedAndCounted) {
  EXPECT_THAT(RowsOf("\n,,\n姓名,所在支部\n\n甲,一支部\n,\n　, \n  \n乙,一支部\n\n"),
              ElementsAre("5 甲 @一支部", "9 乙 @一支部"));
  EXPECT_THAT(BadRowsOf("姓名,所在支部\n\n,\n"), IsEmpty());
}

TEST(Roster, QuotedCellsHoldSeparatorsQuotesAndLineBreaks) {
  for (const absl::string_view end : {"\n", "\r\n"}) {
    const std::string text = absl::StrReplaceAll(
        "姓名,所在支部,住址\n"
        "甲,一支部,\"青石村,一组\n\"\"老\"\"校\n旁边\"\n"
        "乙,一支部,\n",
        {{"\n", end}});
    const Roster roster = Parse(text);
    ASSERT_THAT(roster.rows, SizeIs(2));
    EXPECT_EQ(roster.rows[0].line, 2u);
    EXPECT_EQ(roster.rows[0].detail.address(),
              absl::StrCat("青石村,一组", end, "\"老\"校", end, "旁边"));
    EXPECT_EQ(roster.rows[1].line, 5u) << "the address before takes three lines";
  }
}

TEST(Roster, AQuotationMarkWithoutItsPartnerCostsOneRow) {
  // Read to the letter, the mark in line 3 runs to the end of the file.
  EXPECT_THAT(RowsOf("姓名,所在支部\n甲,一支部\n\"乙,一支部\n丙,一支部\n丁,一支部\n"),
              ElementsAre("2 甲 @一支部", "4 丙 @一支部", "5 丁 @一支部"));
  EXPECT_THAT(BadRowsOf("姓名,所在支部\n甲,一支部\n\"乙,一支部\n丙,一支部\n"),
              ElementsAre(AllOf(HasSubstr("3: 引号没有成对"), HasSubstr("quotation mark"))));
  // And here to the name in line 5.
  const std::string two = "姓名,所在支部\n\"乙,一支部\n丙,一支部\n丁\"己,一支部\n\"戊\",一支部\n";
  EXPECT_THAT(RowsOf(two), ElementsAre("3 丙 @一支部", "5 戊 @一支部"));
  EXPECT_THAT(BadRowsOf(two), ElementsAre(HasSubstr("2: 引号"), HasSubstr("4: 引号")));
}

TEST(Roster, SpacesAroundValuesGo) {
  const Roster roster = Parse("姓名,所在支部,性别\n　甲　, 一支部 ,\" 　男\t\"\n");
  ASSERT_THAT(roster.rows, SizeIs(1));
  EXPECT_EQ(roster.rows[0].member.name(), "甲");
  EXPECT_EQ(roster.rows[0].branch, "一支部");
  EXPECT_EQ(roster.rows[0].member.sex(), Member::MALE);
}

TEST(Roster, ShortRowsHaveEmptyCellsAtTheirEnd) {
  const Roster roster = Parse("姓名,所在支部,住址\n甲,一支部\n");
  ASSERT_THAT(roster.rows, SizeIs(1));
  EXPECT_EQ(roster.rows[0].detail.address(), "");
}

// ---- Files that cannot be used ----

struct Unusable {
  std::string zh;
  std::string en;
};

Unusable RefusalOf(absl::string_view bytes, const SheetLimits& limits = {}) {
  const absl::StatusOr<Roster> roster = ParseRoster(bytes, limits);
  EXPECT_TRUE(absl::IsInvalidArgument(roster.status())) << roster.status();
  const Words words = WordsOf(roster.status());
  EXPECT_EQ(words.en(), roster.status().message());
  return {words.zh(), words.en()};
}

TEST(UnusableRoster, NoTextInEitherEncoding) {
  EXPECT_THAT(RefusalOf("姓名,所在支部\n\xFF\xFE\x01").zh, HasSubstr("也不是 UTF-8"));
  // Would pass for GB18030, had it not the mark of UTF-8.
  EXPECT_THAT(RefusalOf("\xEF\xBB\xBF\xA1,\xB2\xBF\n").en, HasSubstr("neither a workbook"));
  // An .xls.
  EXPECT_THAT(RefusalOf(absl::string_view("\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1", 8)).en,
              HasSubstr("password"));
}

TEST(UnusableRoster, NoHeader) {
  EXPECT_THAT(RefusalOf("").zh, HasSubstr("没有表头"));
  EXPECT_THAT(RefusalOf("\xEF\xBB\xBF\n,,\n").en, HasSubstr("no header"));
}

TEST(UnusableRoster, NamesTheColumnsThatAreMissing) {
  EXPECT_THAT(RefusalOf("姓名,性别\n甲,男\n").zh,
              AllOf(HasSubstr("“所在支部”"), Not(HasSubstr("姓名"))));
  EXPECT_THAT(RefusalOf("branch\n一支部\n").en, HasSubstr("姓名 (name)"));
  EXPECT_THAT(RefusalOf("甲,一支部\n").zh, HasSubstr("“姓名”、“所在支部”"));
}

TEST(UnusableRoster, TooManyBytesOrRows) {
  const std::string text = "姓名,所在支部\n甲,一支部\n,二支部\n\n乙,一支部\n";
  EXPECT_THAT(RefusalOf(text, {.bytes_max = 20}).zh, HasSubstr("超过 20 字节"));
  EXPECT_THAT(RefusalOf(text, {.rows_max = 2}).en, HasSubstr("more than 2 rows"));
  EXPECT_TRUE(ParseRoster(text, {.bytes_max = text.size(), .rows_max = 3}).ok());
}

TEST(UnusableRoster, WordsOfAnyOtherStatusAreItsMessage) {
  EXPECT_EQ(WordsOf(absl::InternalError("trouble")).zh(), "trouble");
}

// ---- Values ----

TEST(RosterValues, DatesInTheFormsThatPeopleWrite) {
  for (const absl::string_view text :
       {"2008-07-01", "2008-7-1", "2008/7/1", "2008/07/01", "2008.7.1", "2008.07.01", "20080701",
        "2008年7月1日", "2008年07月01日", "2008 年 7 月 1 日"}) {
    EXPECT_EQ(RowWith("入党日期", text).member.joined(), "2008-07-01") << text;
  }
  EXPECT_EQ(RowWith("出生日期", "2008-02-29").member.born(), "2008-02-29");
  EXPECT_EQ(RowWith("转正日期", "").member.confirmed(), "");
}

TEST(RosterValues, AMonthStaysAMonth) {
  for (const absl::string_view text : {"2008-07", "2008/7", "2008.07", "200807", "2008年7月"}) {
    EXPECT_EQ(RowWith("入党日期", text).member.joined(), "2008-07") << text;
  }
}

TEST(RosterValues, WhatIsNoDateCostsTheCellAndNotThePerson) {
  for (const absl::string_view text :
       {"08-7-1", "七月一日", "2008-07-01x", "2008--1", "+208-1-1", "7/1/2008"}) {
    EXPECT_THAT(DoubtWith("born", text),
                AllOf(HasSubstr(absl::StrCat("born: “", text, "”不是有效日期")),
                      HasSubstr(absl::StrCat("\"", text, "\" is no date"))));
    EXPECT_EQ(RowWith("born", text).member.born(), "");
  }
}

TEST(RosterValues, Sexes) {
  for (const absl::string_view text : {"男", "男性", "male", "Male", "M", "m"}) {
    EXPECT_EQ(RowWith("性别", text).member.sex(), Member::MALE) << text;
  }
  for (const absl::string_view text : {"女", "女性", "FEMALE", "f"}) {
    EXPECT_EQ(RowWith("性别", text).member.sex(), Member::FEMALE) << text;
  }
  EXPECT_EQ(RowWith("性别", "").member.sex(), Member::SEX_UNSPECIFIED);
  EXPECT_THAT(DoubtWith("性别", "X"),
              AllOf(HasSubstr("性别: “X”无法识别"), HasSubstr("\"X\" is not understood")));
  EXPECT_THAT(DoubtWith("性别", "SEX_UNSPECIFIED"), HasSubstr("is not understood"));
}

TEST(RosterValues, StagesByLabelNameOrShortForm) {
  const std::map<std::string, Member::Stage> stages = {{"正式党员", Member::FULL},
                                                       {"full", Member::FULL},
                                                       {"中共党员", Member::FULL},
                                                       {"党员", Member::FULL},
                                                       {"预备党员", Member::PROBATIONARY},
                                                       {"预备", Member::PROBATIONARY},
                                                       {"Probationary", Member::PROBATIONARY},
                                                       {"发展对象", Member::CANDIDATE},
                                                       {"入党积极分子", Member::ACTIVIST},
                                                       {"积极分子", Member::ACTIVIST},
                                                       {"入党申请人", Member::APPLICANT},
                                                       {"applicant", Member::APPLICANT},
                                                       {"", Member::FULL}};
  for (const auto& [text, stage] : stages) {
    EXPECT_EQ(RowWith("党员类别", text).member.stage(), stage) << text;
  }
  // Who is none must not become a member because nobody understands the word.
  EXPECT_THAT(DoubtWith("stage", "群众"), HasSubstr("“群众”无法识别"));
  EXPECT_EQ(RowWith("stage", "群众").member.stage(), Member::STAGE_UNSPECIFIED);
}

TEST(RosterValues, TheIdentityNumberFillsWhatIsEmpty) {
  const RosterRow his = RowWith("身份证号", kHisNumber);
  EXPECT_EQ(his.member.born(), "1961-05-22");
  EXPECT_EQ(his.member.sex(), Member::MALE);
  const RosterRow hers = RowWith("身份证号", kHerNumber);
  EXPECT_EQ(hers.member.born(), "1978-02-04");
  EXPECT_EQ(hers.member.sex(), Member::FEMALE);
  EXPECT_EQ(RowWith("身份证号", "").detail.identity_number(), "");
}

TEST(RosterValues, AnIdentityNumberMayEndInX) {
  EXPECT_EQ(RowWith("身份证号", "00000019610522106x").detail.identity_number(),
            "00000019610522106X");
}

TEST(RosterValues, AWrongIdentityNumberIsRefusedAndNotRepeated) {
  const std::map<std::string, std::string> wrong = {
      {"000000196105221036", "check digit"},     // its check digit is 5
      {"000000196113221035", "the date in it"},  // a thirteenth month
      {"00000019610522103A", "check digit"},
      {"000000610522103", "an old one of 15"},  // as they were before 1999
      {"00000061052210", "18 characters"}};
  for (const auto& [number, said] : wrong) {
    EXPECT_EQ(RowWith("身份证号", number).detail.identity_number(), "");
    EXPECT_THAT(DoubtWith("身份证号", number),
                AllOf(HasSubstr("身份证号"), HasSubstr(said), Not(HasSubstr(number))));
  }
}

TEST(RosterValues, TheIdentityNumberMustAgreeWithSexAndBirth) {
  const std::string header = "姓名,所在支部,性别,出生日期,身份证号\n";
  EXPECT_THAT(RowsOf(absl::StrCat(header, "甲,一支部,男,1961.5.22,", kHisNumber)), SizeIs(1));
  EXPECT_THAT(BadRowsOf(absl::StrCat(header, "甲,一支部,女,1961-05-23,", kHisNumber)),
              ElementsAre("2: 出生日期“1961-05-23”与身份证号不符；性别“女”与身份证号不符 | "
                          "born \"1961-05-23\" does not agree with the identity number; "
                          "sex \"女\" does not agree with the identity number"));
}

TEST(RosterValues, ANumberThatTheSpreadsheetRounded) {
  for (const absl::string_view header : {"身份证号", "手机"}) {
    for (const absl::string_view text : {"1.1E+17", "1.10101E+17", "1e17"}) {
      EXPECT_THAT(DoubtWith(header, text),
                  AllOf(HasSubstr(absl::StrCat(header, ": 被表格软件当作数值")),
                        HasSubstr("format the column as text")));
    }
  }
}

TEST(RosterValues, Phones) {
  for (const absl::string_view text :
       {"1234", "123456789012345678901", "12345x", "+----", "某某"}) {
    EXPECT_THAT(DoubtWith("手机", text), HasSubstr("must be 5 to 20 digits"));
  }
}

TEST(RosterValues, KindOfBranchByItsColumnOrElseByItsName) {
  EXPECT_EQ(RowWith("支部类别", "联合党支部").organisation_kind, Organisation::JOINT_BRANCH);
  EXPECT_EQ(RowWith("支部类别", "党总支").organisation_kind, Organisation::GENERAL_BRANCH);
  EXPECT_EQ(RowWith("branch kind", "migrant branch").organisation_kind,
            Organisation::MIGRANT_BRANCH);
  EXPECT_EQ(RowWith("支部类别", "").organisation_kind, Organisation::BRANCH);
  EXPECT_THAT(DoubtWith("支部类别", "小队"), HasSubstr("支部类别: “小队”无法识别"));
}

TEST(RosterValues, WhatANameTellsOfTheKind) {
  const std::map<std::string, Organisation::Kind> kinds = {
      {"云溪镇青石村党支部", Organisation::BRANCH},
      {"云溪镇驻滨海市流动党支部", Organisation::MIGRANT_BRANCH},
      {"云溪镇驻滨海市流动党员党支部", Organisation::MIGRANT_BRANCH},
      {"青石柳湾联合党支部", Organisation::JOINT_BRANCH},
      {"引水工程临时党支部", Organisation::TEMPORARY_BRANCH},
      {"云溪镇中学党总支", Organisation::GENERAL_BRANCH},
      {"云溪镇中学党总支部", Organisation::GENERAL_BRANCH},
      {"云溪镇党委", Organisation::COMMITTEE},
      {"中共云溪镇委员会", Organisation::COMMITTEE},
      {"中共滨海市临港街道工作委员会", Organisation::COMMITTEE},
      // The last telling word counts.
      {"云溪镇中学党总支第一党支部", Organisation::BRANCH},
      {"云溪镇党委机关党支部", Organisation::BRANCH},
      {"青石村村民委员会党支部", Organisation::BRANCH},
      {"中共青石村支部委员会", Organisation::BRANCH},
      {"中共云溪镇中学总支部委员会", Organisation::GENERAL_BRANCH},
      {"青石村", Organisation::BRANCH},
      {"", Organisation::BRANCH}};
  for (const auto& [name, kind] : kinds) EXPECT_EQ(KindFromName(name), kind) << name;
}

// ---- Bad rows ----

TEST(BadRows, TheRestGoesIn) {
  const std::string text =
      "姓名,所在支部,入党日期\n"
      "甲,一支部,2008-07-01\n"
      ",一支部,\n"
      "丙,,\n"
      "丁,一支部,2008-07-32\n"
      "戊,一支部,\n";
  EXPECT_THAT(RowsOf(text), ElementsAre("2 甲 @一支部", "5 丁 @一支部", "6 戊 @一支部"));
  EXPECT_THAT(BadRowsOf(text),
              ElementsAre("3: 姓名为空 | name is empty", "4: 所在支部为空 | branch is empty"));
}

TEST(BadRows, AllThatIsWrongIsSaidAtOnce) {
  EXPECT_THAT(BadRowsOf("姓名,性别,所在支部\n,男,\n"),
              ElementsAre("2: 姓名为空；所在支部为空 | name is empty; branch is empty"));
  EXPECT_THAT(
      DoubtsOf(Parse("姓名,性别,党员类别,入党日期,手机,所在支部\n甲,X,Y,Z,1,支部\n").rows[0]),
      ElementsAre(HasSubstr("性别: “X”"), HasSubstr("党员类别: “Y”"), HasSubstr("入党日期: “Z”"),
                  HasSubstr("手机: 应为")));
}

TEST(BadRows, MoreCellsThanTheHeader) {
  EXPECT_THAT(
      BadRowsOf("姓名,所在支部\n甲,一支部,某事\n乙,一支部,,　,\n"),
      ElementsAre("2: 有 3 格，比表头的 2 格多 | has 3 cells, more than the 2 of the header"));
}

TEST(BadRows, LongCellsAreCutBetweenCharacters) {
  std::string page;
  for (int i = 0; i < 100; ++i) page += "很长";
  EXPECT_THAT(DoubtWith("性别", page), HasSubstr("性别: “很长很长很长很长很长很长很…”"));
}

TEST(BadRows, APhoneInTheWrongColumnIsNotRepeated) {
  EXPECT_THAT(DoubtWith("性别", "000-0000-0001"), HasSubstr("性别: “…”无法识别"));
  EXPECT_THAT(DoubtWith("性别", "１３８０００００００１"), HasSubstr("性别: “…”无法识别"));
}

TEST(BadRows, TheSameIdentityNumberTwice) {
  const std::string text = absl::StrCat("姓名,所在支部,身份证号\n", "甲,一支部,", kHisNumber,
                                        "\n乙,一支部,\n丙,二支部,", kHisNumber, "\n");
  EXPECT_THAT(RowsOf(text), ElementsAre("2 甲 @一支部", "3 乙 @一支部"));
  EXPECT_THAT(BadRowsOf(text),
              ElementsAre("4: 身份证号与第 2 行相同 | has the same identity number as line 2"));
}

TEST(BadRows, TheSamePersonTwice) {
  const std::string text =
      "姓名,所在支部,出生日期\n"
      "甲,一支部,1970-01-01\n"
      "甲,二支部,1970-01-01\n"
      "甲,一支部,1970-01-02\n"
      "甲,一支部,1970年1月1日\n"
      "乙,一支部,\n"
      "乙,一支部,\n";
  EXPECT_THAT(RowsOf(text),
              ElementsAre("2 甲 @一支部", "3 甲 @二支部", "4 甲 @一支部", "6 乙 @一支部"));
  EXPECT_THAT(BadRowsOf(text), ElementsAre("5: 姓名、出生日期和所在支部与第 2 行相同 | "
                                           "has the same name, date of birth and branch as line 2",
                                           HasSubstr("7: 姓名、出生日期和所在支部与第 6 行相同")));
}

TEST(BadRows, ARowRepeatsWithItsNumberAndIsNamedOnce) {
  const std::string row = absl::StrCat("甲,一支部,", kHisNumber, "\n");
  EXPECT_THAT(BadRowsOf(absl::StrCat("姓名,所在支部,身份证号\n", row, row)),
              ElementsAre("3: 身份证号与第 2 行相同 | has the same identity number as line 2"));
}

// ---- Files as offices have them (tests/data/rosters, made after what people complain of) ----

std::string FileOf(const std::string& name) {
  std::ifstream file(absl::StrCat(ZHIBU_TEST_DATA, "/rosters/", name), std::ios::binary);
  EXPECT_TRUE(file.is_open()) << name;
  return std::string(std::istreambuf_iterator<char>(file), {});
}

// "4: 是合计行": what was not read as a row of somebody.
std::vector<std::string> LeftOutOf(absl::string_view bytes) {
  std::vector<std::string> shown;
  for (const BadRow& row : Parse(bytes).left_out) {
    shown.push_back(absl::StrCat(row.line, ": ", row.reason.zh()));
  }
  return shown;
}

std::vector<std::string> BornOf(absl::string_view bytes) {
  std::vector<std::string> shown;
  for (const RosterRow& row : Parse(bytes).rows) {
    shown.push_back(absl::StrCat(row.member.name(), " ", row.member.born()));
  }
  return shown;
}

TEST(OfficeFiles, TitlesMergedBranchesSumsAndSignatures) {
  const Roster roster = Parse(FileOf("r01-title-merged-sum-gb18030.csv"));
  std::vector<std::string> shown;
  for (const RosterRow& row : roster.rows) {
    shown.push_back(absl::StrCat(row.member.name(), " @", row.branch, " ", row.member.joined()));
  }
  EXPECT_THAT(shown, ElementsAre("甲一 @枫林村党支部 2008-07", "甲二 @枫林村党支部 2012-06",
                                 "甲三 @枫林村党支部 2001-07-01", "甲四 @竹溪村党支部 2015-12-20",
                                 "甲五 @竹溪村党支部 1991-07-01"));
  EXPECT_THAT(roster.bad_rows, IsEmpty());
  EXPECT_THAT(LeftOutOf(FileOf("r01-title-merged-sum-gb18030.csv")),
              ElementsAre("1: 在表头上面", "2: 在表头上面", "9: 是合计行", "10: 是落款或说明"));
  EXPECT_EQ(roster.read_as.zh(), "GB18030，表头在第 3 行");
  EXPECT_THAT(DoubtsOf(roster.rows[1]), ElementsAre(HasSubstr("是空的，取了上面的“枫林村党支部”")));
  EXPECT_THAT(DoubtsOf(roster.rows[0]), IsEmpty());
  for (const char* other : {"r01b-merged-sum.csv", "r01c-merged-sum-known-header.csv"}) {
    EXPECT_THAT(Parse(FileOf(other)).rows, SizeIs(5)) << other;
  }
}

TEST(OfficeFiles, NumbersOfWhichASpreadsheetMadeTheLastDigits0AreRefusedForWhatTheyAre) {
  for (const auto& [name, people] : std::map<std::string, size_t>{{"r02-id-digits-zeroed.csv", 4},
                                                                  {"r02b-second-file.csv", 1}}) {
    const Roster roster = Parse(FileOf(name));
    ASSERT_THAT(roster.rows, SizeIs(people));
    for (const RosterRow& row : roster.rows) {
      EXPECT_EQ(row.detail.identity_number(), "");
      EXPECT_THAT(DoubtsOf(row), ::testing::Contains(HasSubstr("末几位已变成 0"))) << name;
    }
  }
}

TEST(OfficeFiles, SpellingsOfNumbers) {
  const Roster roster = Parse(FileOf("r03-id-and-phone-spellings.csv"));
  std::vector<std::string> shown;
  for (const RosterRow& row : roster.rows) {
    shown.push_back(absl::StrCat(row.member.name(), " ", row.detail.identity_number(), " ",
                                 row.detail.phone()));
  }
  EXPECT_THAT(
      shown,
      ElementsAre("丁一 33010219850312201X 13800002201", "丁二 330102198601012113 13800002202",
                  "丁三 330102198702022126 13800002203", "丁四 33010219880606008X 13800002204",
                  "丁五 33010219890909205X 0571-88000005转8", "丁六  13800002206 / 13900002206",
                  "丁七 330102199101012074 0571-88000007"));
  EXPECT_THAT(DoubtsOf(roster.rows[5]), ElementsAre(HasSubstr("15 位的旧号码")));
  // 丁八 has the number of 丁四, but for an X that is Cyrillic.
  EXPECT_THAT(BadRowsOf(FileOf("r03-id-and-phone-spellings.csv")),
              ElementsAre(HasSubstr("9: 身份证号与第 5 行相同")));
}

TEST(OfficeFiles, DatesAsPeopleWriteThem) {
  EXPECT_THAT(BornOf(FileOf("r04-dates.csv")),
              ElementsAre("戊一 1990-01-02", "戊二 1990-01", "戊三 1990-01", "戊四 1990-01-02",
                          "戊五 1990-01-02", "戊六 1990-01-02", "戊七 1990-01-02",
                          "戊八 1990-01-02", "戊九 1990-01-02", "戊十 ", "己一 1990-01", "己二 ",
                          "己三 1990-01", "己四 1990-01-02", "己五 1990-01-02", "己六 1990-01-02",
                          "己七 1990-01-02", "己八 1990-01"));
  const Roster roster = Parse(FileOf("r04-dates.csv"));
  EXPECT_THAT(DoubtsOf(roster.rows[9]), ElementsAre(HasSubstr("“1990”只有年份")));
  EXPECT_THAT(DoubtsOf(roster.rows[11]), ElementsAre(HasSubstr("日历上没有这一天")));
}

TEST(OfficeFiles, ANumberThatTellsTheDayAgreesWithTheMonth) {
  EXPECT_THAT(BornOf(FileOf("r04b-month-with-id.csv")),
              ElementsAre("庚一 1990-01-02", "庚二 1990-03-05"));
}

TEST(OfficeFiles, WhatIsFilledInWhereThereIsNothing) {
  const Roster roster = Parse(FileOf("r05-fill-ins.csv"));
  ASSERT_THAT(roster.rows, SizeIs(6));
  EXPECT_EQ(roster.rows[0].detail.phone(), "");
  EXPECT_THAT(DoubtsOf(roster.rows[0]), IsEmpty());
  EXPECT_EQ(roster.rows[1].member.confirmed(), "");
  EXPECT_EQ(roster.rows[2].member.education(), "");
  EXPECT_EQ(roster.rows[2].detail.ByteSizeLong(), 0u);
  EXPECT_THAT(DoubtsOf(roster.rows[2]), IsEmpty());
  EXPECT_EQ(roster.rows[3].member.stage(), Member::FULL);
  EXPECT_THAT(DoubtsOf(roster.rows[3]),
              ElementsAre(HasSubstr("“#N/A”是表格软件的错误值"), HasSubstr("“#VALUE!”")));
  EXPECT_EQ(roster.rows[4].member.stage(), Member::FULL);
  EXPECT_TRUE(roster.rows[4].member.migrant());
  EXPECT_THAT(DoubtsOf(roster.rows[4]), ElementsAre(HasSubstr("########")));
  EXPECT_EQ(roster.rows[5].member.membership(), Member::SUSPENDED);
  EXPECT_EQ(roster.rows[5].member.sex(), Member::MALE) << "by the number";
}

TEST(OfficeFiles, SpellingsOfNames) {
  EXPECT_THAT(RowsOf(FileOf("r06-names.csv")),
              ElementsAre("2 李明 @枫林村党支部", "5 阿不都·买买提 @枫林村党支部",
                          "9 王芳 @枫林村党支部", "11 张三（大） @枫林村党支部",
                          "12 赵建国 @枫林村党支部", "13 欧阳娜 @枫林村党支部"));
  EXPECT_THAT(BadRowsOf(FileOf("r06-names.csv")), SizeIs(6)) << "the same person again";
  EXPECT_THAT(DoubtsOf(Parse(FileOf("r06-names.csv")).rows[4]),
              ElementsAre(HasSubstr("“赵建国*”旁边的标记没有读取")));
}

TEST(OfficeFiles, SpellingsOfBranches) {
  std::vector<std::string> branches;
  for (const RosterRow& row : Parse(FileOf("r06b-branch-spellings.csv")).rows) {
    branches.push_back(row.branch);
  }
  EXPECT_THAT(branches, ElementsAre("枫林村党支部", "枫林村党支部", "中共枫林村支部委员会",
                                    "枫林村党支部（流动）", "枫林村党支部（流动）"));
}

TEST(OfficeFiles, EveryEncoding) {
  EXPECT_THAT(RowsOf(FileOf("r07-unicode-text-utf16le.txt")),
              ElementsAre("2 癸一 @枫林村党支部", "3 癸二 @枫林村党支部"));
  const auto rare =
      ElementsAre("2 王䶮 @枫林村党支部", "3 李𬀩 @枫林村党支部", HasSubstr("4 "));
  EXPECT_THAT(RowsOf(FileOf("r08-rare-utf8.csv")), rare);
  EXPECT_THAT(RowsOf(FileOf("r08-rare-gb18030.csv")), rare);
  EXPECT_THAT(RowsOf(FileOf("r08-rare-gbk-fe9f.csv")), ElementsAre("2 王䶮 @枫林村党支部"));
  EXPECT_THAT(RowsOf(FileOf("r15-two-encodings-in-one-file.csv")),
              ElementsAre("2 辰一 @枫林村党支部", "3 辰二 @枫林村党支部", "4 辰三 @枫林村党支部"));
  EXPECT_THAT(RowsOf(FileOf("r18-no-bom-big5.csv")), ElementsAre("2 陳一 @楓林村黨支部"));
  EXPECT_THAT(RowsOf(Recoded("UTF-16BE", "姓名\t所在支部\n甲\t一支部\n")),
              ElementsAre("2 甲 @一支部"));
  EXPECT_THAT(RowsOf(Recoded("BIG5", "黨員姓名,所屬黨支部\n陳一,楓林村黨支部\n")),
              ElementsAre("2 陳一 @楓林村黨支部"));
}

TEST(OfficeFiles, ColumnsThatNobodyReadsAndCellsBeyondTheHeader) {
  for (const char* name : {"r10-columns.csv", "r10b-columns-known-header.csv"}) {
    const Roster roster = Parse(FileOf(name));
    ASSERT_THAT(roster.rows, SizeIs(3));
    EXPECT_EQ(roster.rows[0].detail.phone(), "13800010001");
    EXPECT_EQ(roster.rows[0].member.native_place(), "浙江");
    std::vector<std::string> unread;
    for (const UnreadColumn& column : roster.unread_columns) unread.push_back(column.heading);
    EXPECT_THAT(unread, ElementsAre("序号", "党内职务", "流出地", "流出日期", "外出地点",
                                    "联系电话", "备注"));
  }
}

TEST(OfficeFiles, AHeaderOfTwoRows) {
  const Roster roster = Parse(FileOf("r11-two-row-header.csv"));
  ASSERT_THAT(roster.rows, SizeIs(1));
  EXPECT_EQ(roster.rows[0].branch, "枫林村党支部");
  EXPECT_EQ(roster.rows[0].member.sex(), Member::MALE);
  EXPECT_EQ(roster.rows[0].member.born(), "1980-01-01");
  EXPECT_EQ(roster.rows[0].detail.phone(), "13800011001");
  EXPECT_EQ(roster.rows[0].detail.address(), "枫林村1号");
}

TEST(OfficeFiles, NamesThatLostACharacterAreNobodys) {
  EXPECT_THAT(Parse(FileOf("r16-question-marks.csv")).rows, IsEmpty());
  EXPECT_THAT(BadRowsOf(FileOf("r16-question-marks.csv")),
              ElementsAre(HasSubstr("2: 姓名“王?”里有问号"), HasSubstr("“李?”"), HasSubstr("“?林”"),
                          HasSubstr("lost a rare character")));
}

TEST(OfficeFiles, AWorkbook) {
  const Roster roster = Parse(FileOf("r12-roster.xlsx"));
  ASSERT_THAT(roster.rows, SizeIs(1));
  EXPECT_EQ(roster.rows[0].member.name(), "卯一");
  EXPECT_EQ(roster.rows[0].branch, "枫林村党支部");
  EXPECT_EQ(roster.read_as.zh(), "XLSX，工作表“花名册”，表头在第 1 行");
}

TEST(OfficeFiles, HeadersAgainDittosAndRowsBelow) {
  const std::string text =
      "姓名,所在支部,学历\n甲,一支部,高中\n乙,同上,〃\n姓名,所在支部,学历\n丙,二支部,\n丁,二支部,\n"
      "书记,二支部,\n小计：3人,,\n注：本表由各支部填写,,\n";
  EXPECT_THAT(RowsOf(text),
              ElementsAre("2 甲 @一支部", "3 乙 @一支部", "5 丙 @二支部", "6 丁 @二支部"));
  EXPECT_EQ(Parse(text).rows[1].member.education(), "高中");
  EXPECT_THAT(LeftOutOf(text),
              ElementsAre("4: 又是表头", "7: 是落款或说明", "8: 是合计行", "9: 是落款或说明"));
}

TEST(OfficeFiles, TheBranchOfRowsThatNameNone) {
  const std::string text = "姓名\n甲\n";
  EXPECT_THAT(RefusalOf(text).zh, HasSubstr("--branch"));
  const auto roster = ParseRoster(text, {}, "一支部");
  ASSERT_TRUE(roster.ok()) << roster.status();
  EXPECT_EQ(roster->rows[0].branch, "一支部");
}

// ---- The sample township ----

std::string Township() {
  std::ifstream file(std::string(ZHIBU_TEST_DATA) + "/township.csv", std::ios::binary);
  EXPECT_TRUE(file.is_open());
  return std::string(std::istreambuf_iterator<char>(file), {});
}

TEST(Township, EveryRowIsGood) {
  EXPECT_THAT(BadRowsOf(Township()), IsEmpty());
  const Roster roster = Parse(Township());
  EXPECT_THAT(roster.rows, SizeIs(120));
  std::set<std::string> names;
  std::map<std::string, int> members_of;
  for (const RosterRow& row : roster.rows) {
    names.insert(row.member.name());
    ++members_of[row.branch];
    EXPECT_EQ(row.superior, "中共云溪镇委员会");
    EXPECT_THAT(row.detail.phone(), HasSubstr("000-0000-")) << "must be nobody's";
    EXPECT_THAT(row.detail.identity_number(),
                ::testing::AnyOf("", ::testing::StartsWith("000000")));
  }
  EXPECT_THAT(names, SizeIs(120));
  EXPECT_THAT(members_of, SizeIs(5));
}

TEST(Township, HasThoseWhomTheDemoIsAbout) {
  std::map<std::string, RosterRow> by_name;
  for (const RosterRow& row : Parse(Township()).rows) by_name[row.member.name()] = row;
  for (const char* name : {"甲青石", "乙青石", "丙滨海"}) {
    EXPECT_EQ(by_name[name].branch, "云溪镇青石村党支部") << name;
    EXPECT_EQ(by_name[name].member.stage(), Member::FULL) << name;
  }
  const RosterRow& migrant = by_name["滨海党员01"];
  EXPECT_EQ(migrant.branch, "云溪镇驻滨海市流动党支部");
  EXPECT_EQ(migrant.organisation_kind, Organisation::MIGRANT_BRANCH);
  EXPECT_EQ(migrant.host_superior, "中共滨海市临港街道工作委员会");
}

TEST(Township, ReadsTheSameInGb18030) {
  EXPECT_EQ(RowsOf(ToGb18030(Township())), RowsOf(Township()));
}

}  // namespace
}  // namespace zhibu::server
