#include "server/exchange/roster.h"

#include <gmock/gmock.h>
#include <iconv.h>

#include <fstream>
#include <iterator>
#include <map>
#include <set>

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

std::string ProblemWith(absl::string_view header, absl::string_view value) {
  const std::vector<std::string> bad = BadRowsOf(WithCell(header, value));
  EXPECT_THAT(bad, SizeIs(1)) << value;
  return bad.empty() ? "" : bad[0];
}

std::string ToGb18030(absl::string_view text) {
  const iconv_t converter = iconv_open("GB18030", "UTF-8");
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
  EXPECT_THAT(Parse("序号,姓名, 备注 ,所在支部,,姓名\n1,甲,某事,一支部,,乙\n").unread_columns,
              ElementsAre("序号", "备注", "姓名"));
  EXPECT_THAT(Parse("姓名,所在支部\n甲,一支部\n").unread_columns, IsEmpty());
  std::string wide = "姓名,所在支部";
  for (int i = 0; i < 50; ++i) absl::StrAppend(&wide, ",列", std::string(200, 'x'), i);
  const Roster roster = Parse(wide + "\n甲,一支部\n");
  ASSERT_THAT(roster.unread_columns, SizeIs(20));
  EXPECT_LE(roster.unread_columns[0].size(), 100u);
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
    EXPECT_THAT(page, HasSubstr(absl::StrCat("\n", line, " |\n")));
  }
}

TEST(Roster, OfTwoColumnsThatMeanTheSameTheFirstCounts) {
  const Roster roster = Parse("姓名,所在支部,手机,联系电话\n甲,支部,11111,22222\n");
  ASSERT_THAT(roster.rows, SizeIs(1));
  EXPECT_EQ(roster.rows[0].detail.phone(), "11111");
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
  EXPECT_THAT(RowsOf("姓名\t所在支部\t住址\n甲\t一支部\t\n乙\t\t某路\n丙\t二支部\n"),
              ElementsAre("2 甲 @一支部", "4 丙 @二支部"));
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

Unusable RefusalOf(absl::string_view bytes, const RosterLimits& limits = {}) {
  const absl::StatusOr<Roster> roster = ParseRoster(bytes, limits);
  EXPECT_TRUE(absl::IsInvalidArgument(roster.status())) << roster.status();
  const Words words = WordsOf(roster.status());
  EXPECT_EQ(words.en(), roster.status().message());
  return {words.zh(), words.en()};
}

TEST(UnusableRoster, NoTextInEitherEncoding) {
  EXPECT_THAT(RefusalOf("姓名,所在支部\n\xFF\xFE\x01").zh, HasSubstr("既不是 UTF-8"));
  // Would pass for GB18030, had it not the mark of UTF-8.
  EXPECT_THAT(RefusalOf("\xEF\xBB\xBF\xA1,\xB2\xBF\n").en, HasSubstr("neither in UTF-8"));
  // UTF-16, and every .xls, has NULs in it; iconv would let them through.
  EXPECT_THAT(RefusalOf(absl::string_view("n\0a\0m\0e\0", 8)).en, HasSubstr("save it as CSV"));
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

TEST(RosterValues, AMonthIsNoDate) {
  for (const absl::string_view text : {"2008-07", "2008/7", "2008.07", "200807", "2008年7月"}) {
    EXPECT_THAT(ProblemWith("入党日期", text),
                AllOf(HasSubstr(absl::StrCat("入党日期“", text, "”没有写到日")),
                      HasSubstr(absl::StrCat("joined \"", text, "\" has no day"))));
  }
}

TEST(RosterValues, WhatIsNotInTheCalendarIsNoDate) {
  for (const absl::string_view text :
       {"2007-02-29", "2008-04-31", "2008-13-01", "2008-00-01", "2008-07-00", "20080732", "39630",
        "08-7-1", "2008", "七月一日", "2008-07-01x", "2008--1", "+208-1-1", "7/1/2008"}) {
    EXPECT_THAT(ProblemWith("born", text),
                AllOf(HasSubstr(absl::StrCat("2: 出生日期“", text, "”不是有效日期")),
                      HasSubstr(absl::StrCat("born \"", text, "\" is no date"))));
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
  EXPECT_THAT(ProblemWith("性别", "X"),
              AllOf(HasSubstr("性别“X”无法识别"), HasSubstr("sex \"X\" is not understood")));
  EXPECT_THAT(ProblemWith("性别", "SEX_UNSPECIFIED"), HasSubstr("is not understood"));
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
  EXPECT_THAT(ProblemWith("stage", "群众"), HasSubstr("党员类别“群众”无法识别"));
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
      {"000000610522103", "18 characters"},  // as they were before 1999
      {"无", "18 characters"}};
  for (const auto& [number, said] : wrong) {
    EXPECT_THAT(ProblemWith("身份证号", number),
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
      EXPECT_THAT(ProblemWith(header, text),
                  AllOf(HasSubstr(absl::StrCat(header, "被表格软件变成了")),
                        HasSubstr("format the column as text")));
    }
  }
}

TEST(RosterValues, Phones) {
  for (const absl::string_view text : {"000-0000-0001", "+86 000 0000 0001", "12345"}) {
    EXPECT_EQ(RowWith("手机", text).detail.phone(), text);
  }
  for (const absl::string_view text :
       {"1234", "123456789012345678901", "12345x", "无", "+----", "11111/22222"}) {
    EXPECT_THAT(ProblemWith("手机", text), HasSubstr("phone must be 5 to 20 digits"));
  }
}

TEST(RosterValues, KindOfBranchByItsColumnOrElseByItsName) {
  EXPECT_EQ(RowWith("支部类别", "联合党支部").organisation_kind, Organisation::JOINT_BRANCH);
  EXPECT_EQ(RowWith("支部类别", "党总支").organisation_kind, Organisation::GENERAL_BRANCH);
  EXPECT_EQ(RowWith("branch kind", "migrant branch").organisation_kind,
            Organisation::MIGRANT_BRANCH);
  EXPECT_EQ(RowWith("支部类别", "").organisation_kind, Organisation::BRANCH);
  EXPECT_THAT(ProblemWith("支部类别", "小队"), HasSubstr("支部类别“小队”无法识别"));
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
  EXPECT_THAT(RowsOf(text), ElementsAre("2 甲 @一支部", "6 戊 @一支部"));
  EXPECT_THAT(BadRowsOf(text),
              ElementsAre("3: 姓名为空 | name is empty", "4: 所在支部为空 | branch is empty",
                          "5: 入党日期“2008-07-32”不是有效日期，应写成 2008-07-01 | "
                          "joined \"2008-07-32\" is no date; write it as 2008-07-01"));
}

TEST(BadRows, AllThatIsWrongIsSaidAtOnce) {
  EXPECT_THAT(BadRowsOf("姓名,性别,党员类别,入党日期,手机,所在支部\n,X,Y,Z,1,\n"),
              ElementsAre(AllOf(HasSubstr("姓名为空；"), HasSubstr("性别“X”"),
                                HasSubstr("党员类别“Y”"), HasSubstr("入党日期“Z”"),
                                HasSubstr("手机应为"), HasSubstr("所在支部为空"))));
}

TEST(BadRows, MoreCellsThanTheHeader) {
  EXPECT_THAT(
      BadRowsOf("姓名,所在支部\n甲,一支部,某事\n乙,一支部,\n"),
      ElementsAre("2: 有 3 格，比表头的 2 格多 | has 3 cells, more than the 2 of the header",
                  HasSubstr("3: 有 3 格")));
}

TEST(BadRows, ALineBreakInAName) {
  EXPECT_THAT(BadRowsOf("姓名,所在支部\n\"甲\n乙\",一支部\n"),
              ElementsAre("2: 姓名里有换行 | name has a line break in it"));
}

TEST(BadRows, LongCellsAreCutBetweenCharacters) {
  std::string page;
  for (int i = 0; i < 100; ++i) page += "很长";
  EXPECT_THAT(ProblemWith("性别", page), HasSubstr("性别“很长很长很长很长很长很长很…”"));
}

TEST(BadRows, APhoneInTheWrongColumnIsNotRepeated) {
  EXPECT_THAT(ProblemWith("性别", "000-0000-0001"), HasSubstr("性别“…”无法识别"));
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
