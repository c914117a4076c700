// Cells as people write them, kind by kind.
#include "sync/exchange/values.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "sync/exchange/headings.h"
#include "sync/exchange/number_format.h"

namespace zhibu::server {
namespace {

using records::v1::Member;

struct Case {
  const char* text;
  const char* value;
  Flaw flaw = Flaw::kNone;
};

void Check(const std::vector<Case>& cases, Tidied (*tidy)(absl::string_view)) {
  for (const Case& one : cases) {
    const Tidied tidied = tidy(one.text);
    EXPECT_EQ(tidied.value, one.value) << one.text;
    EXPECT_EQ(static_cast<int>(tidied.flaw), static_cast<int>(one.flaw)) << one.text;
  }
}

TEST(Values, Dates) {
  Check({{"2008-07-01", "2008-07-01"},
         {"2008.7.1", "2008-07-01"},
         {"2008．7．1", "2008-07-01"},
         {"２００８－７－１", "2008-07-01"},
         {"2008、7、1", "2008-07-01"},
         {"2008。7。1", "2008-07-01"},
         {"2008·7·1", "2008-07-01"},
         {"2008年 7月 1日", "2008-07-01"},
         {"2008年7月1号", "2008-07-01"},
         {"2008/7/1 0:00:00", "2008-07-01"},
         {"2008-07-01T00:00:00", "2008-07-01"},
         {"'2008-07-01", "2008-07-01"},
         {"=\"2008-07-01\"", "2008-07-01"},
         {"二〇〇八年七月一日", "2008-07-01"},
         {"一九七八年十二月二十三日", "1978-12-23"},
         {"一九七八年十月廿三日", "1978-10-23"},
         {"1-Jul-2008", "2008-07-01"},
         {"1 July 08", "", Flaw::kNotUnderstood},
         {"1-Jul-08", "2008-07-01"},
         {"90.1.2", "1990-01-02"},
         {"32874", "1990-01-01"},
         {"19900102", "1990-01-02"},
         // A month stays one.
         {"2008.07", "2008-07"},
         {"2008年7月", "2008-07"},
         {"200807", "2008-07"},
         {"Jul-08", "2008-07"},
         {"一九九〇年元月", "1990-01"},
         {"1990.12", "1990-12"},
         {"1990.2", "1990-02"},
         // Written as a number, 1990.10 has lost its zero.
         {"1990.1", "", Flaw::kLostZero},
         {"1990年", "", Flaw::kOnlyYear},
         {"1990", "", Flaw::kOnlyYear},
         {"2007-02-29", "", Flaw::kNotInCalendar},
         {"1990/13/2", "", Flaw::kNotInCalendar},
         {"1990.13", "", Flaw::kNotInCalendar},
         {"20080732", "", Flaw::kNotInCalendar},
         {"2.00807E+07", "", Flaw::kRounded},
         {"08-7-1", "", Flaw::kNotUnderstood},
         {"7/1/2008", "", Flaw::kNotUnderstood},
         {"至今", "", Flaw::kNotUnderstood},
         {"", "", Flaw::kNotUnderstood},
         {"-", "", Flaw::kNotUnderstood},
         {"12345678901234567890", "", Flaw::kNotUnderstood}},
        [](absl::string_view text) { return TidyDate(text); });
  EXPECT_EQ(TidyDate("31412", true).value, "1990-01-01") << "counted from 1904";
}

TEST(Values, Telephones) {
  Check({{"138 0000 2203", "13800002203"},
         {"138-0000-2203", "13800002203"},
         {"+86 138 0000 2203", "13800002203"},
         {"0086-13800002203", "13800002203"},
         {"'13800002203", "13800002203"},
         {"１３８００００２２０３", "13800002203"},
         {"（0571）8800 0007", "0571-88000007"},
         {"0571-88000007", "0571-88000007"},
         {"0571-88000005转8", "0571-88000005转8"},
         {"0571-88000005 转分机 8", "0571-88000005转8"},
         {"0571-88000005 ext. 12", "0571-88000005转12"},
         {"13800002206/13900002206", "13800002206 / 13900002206"},
         {"13800002206、13900002206", "13800002206 / 13900002206"},
         {"13800002206；13900002206", "13800002206 / 13900002206"},
         {"13800002206 13900002206", "13800002206 / 13900002206"},
         {"13800002206\n13900002206", "13800002206 / 13900002206"},
         {"13800002206或0571-88000007", "13800002206 / 0571-88000007"},
         {"000-0000-0001", "000-0000-0001"},
         {"+852 2345 6789", "+85223456789"},
         {"12345", "12345"},
         {"1.38E+10", "", Flaw::kRounded},
         {"1234", "", Flaw::kNotUnderstood},
         {"同张三", "", Flaw::kNotUnderstood},
         {"13800002206/某", "", Flaw::kNotUnderstood},
         {"+----", "", Flaw::kNotUnderstood},
         {"123456789012345678901", "", Flaw::kNotUnderstood}},
        TidyPhone);
}

TEST(Values, IdentityNumbers) {
  Check({{"000000196105221035", "000000196105221035"},
         {"00000019610522106x", "00000019610522106X"},
         {"00000019610522106Ｘ", "00000019610522106X"},
         {"00000019610522106Х", "00000019610522106X"},
         {"00000019610522106×", "00000019610522106X"},
         {"'000000196105221035", "000000196105221035"},
         {"‘000000196105221035", "000000196105221035"},
         {"=\"000000196105221035\"", "000000196105221035"},
         {"000000 19610522 1035", "000000196105221035"},
         {"000000-19610522-1035", "000000196105221035"},
         {"０００００0196105221035", "000000196105221035"},
         {"000000196105221035\t", "000000196105221035"},
         {"\u200B000000196105221035\u00A0", "000000196105221035"},
         {"330102198503120000", "", Flaw::kRounded},
         {"3.30102E+17", "", Flaw::kRounded},
         {"330102700101123", "", Flaw::kOldNumber},
         {"00000019610522103", "", Flaw::kWrongLength},
         {"000000196105221036", "", Flaw::kWrongCheck},
         {"000000********1035", "", Flaw::kWrongCheck}},
        TidyIdentityNumber);
}

TEST(Values, Names) {
  Check({{"李　明", "李明"},
         {"李 明", "李明"},
         {"欧阳\n娜", "欧阳娜"},
         {"王\u200B芳", "王芳"},
         {"阿不都•买买提", "阿不都·买买提"},
         {"阿不都．买买提", "阿不都·买买提"},
         {"阿不都.买买提", "阿不都·买买提"},
         {"阿不都・买买提", "阿不都·买买提"},
         {"张三(大)", "张三（大）"},
         {"张三（大）", "张三（大）"},
         {"枫林村 党支部", "枫林村党支部"},
         {"John  Smith", "John Smith"},
         {"J. Smith", "J. Smith"},
         {"Ｊohn", "John"},
         {"王䶮", "王䶮"},
         {"李𬀩", "李𬀩"},
         {"赵建国*", "赵建国", Flaw::kMarkLeftOut},
         {"★赵建国", "赵建国", Flaw::kMarkLeftOut},
         {"王?", "", Flaw::kLostCharacter},
         {"王？", "", Flaw::kLostCharacter},
         {"张\uFFFD", "", Flaw::kLostCharacter},
         {"", ""}},
        TidyName);
}

TEST(Values, BranchesThatAreSpelledAlike) {
  for (const char* other : {"枫林村 党支部", "中共枫林村支部委员会", "中共枫林村党支部",
                            "楓林村黨支部", "枫林村支部", "中国共产党枫林村支部委员会"}) {
    EXPECT_EQ(LikenessOf(other), LikenessOf("枫林村党支部")) << other;
  }
  for (const char* other : {"枫林村党总支", "枫林村第二党支部", "枫林村流动党支部", "枫村党支部"}) {
    EXPECT_NE(LikenessOf(other), LikenessOf("枫林村党支部")) << other;
  }
}

TEST(Values, CategoriesWithAdditions) {
  const auto shown = [](absl::string_view text) {
    const Standing standing = StandingFrom(text);
    return Member::Stage_Name(standing.stage) + (standing.migrant ? " migrant" : "") +
           (standing.membership == Member::SUSPENDED ? " suspended" : "");
  };
  EXPECT_EQ(shown("中共正式党员"), "FULL");
  EXPECT_EQ(shown("正式党员（流动）"), "FULL migrant");
  EXPECT_EQ(shown("预备党员(流动党员)"), "PROBATIONARY migrant");
  EXPECT_EQ(shown("流动党员"), "FULL migrant");
  EXPECT_EQ(shown("中共预备党员"), "PROBATIONARY");
  EXPECT_EQ(shown("正式黨員"), "FULL");
  EXPECT_EQ(shown("停止党籍"), "FULL suspended");
  EXPECT_EQ(shown("群众"), "STAGE_UNSPECIFIED");
  EXPECT_EQ(shown("共青团员"), "STAGE_UNSPECIFIED");
}

TEST(Values, WordsForNothingForErrorsForSumsAndForSignatures) {
  for (const char* word : {"", "无", "—", "——", "－", "/", "不详", "暂缺", "N/A", "NULL"}) {
    EXPECT_TRUE(IsBlankWord(word)) << word;
  }
  for (const char* word : {"#N/A", "#VALUE!", "########", "＃Ｎ／Ａ"}) {
    EXPECT_TRUE(IsErrorWord(word)) << word;
  }
  for (const char* word : {"无锡", "0", "王", "#1"}) {
    EXPECT_FALSE(IsBlankWord(word) || IsErrorWord(word)) << word;
  }
  for (const char* word : {"合计", "合 计", "合计：", "小计5人", "本页合计"}) {
    EXPECT_TRUE(IsSum(word)) << word;
  }
  EXPECT_FALSE(IsSum("合计村党支部"));
  for (const char* word : {"制表人：乙一", "注: 本表", "填报日期", "审核人（签字）"}) {
    EXPECT_TRUE(IsFoot(word)) << word;
  }
  EXPECT_FALSE(IsFoot("审核科党支部"));
}

TEST(Numbers, HowASpreadsheetShowsThem) {
  const auto shown = [](absl::string_view code) { return static_cast<int>(ShownByCode(code)); };
  EXPECT_EQ(shown("yyyy\"年\"m\"月\"d\"日\""), static_cast<int>(Shown::kDay));
  EXPECT_EQ(shown("[$-804]yyyy/m/d;@"), static_cast<int>(Shown::kDay));
  EXPECT_EQ(shown("yyyy\\.mm"), static_cast<int>(Shown::kMonth));
  EXPECT_EQ(shown("yyyy\"年\"m\"月\""), static_cast<int>(Shown::kMonth));
  for (const char* code : {"General", "0.00", "0.00E+00", "[Red]0", "\"day\"0", "h:mm", "@"}) {
    EXPECT_EQ(shown(code), static_cast<int>(Shown::kNumber)) << code;
  }
  EXPECT_EQ(DayOfNumber(1, Shown::kDay, false), "1900-01-01");
  EXPECT_EQ(DayOfNumber(59, Shown::kDay, false), "1900-02-28");
  EXPECT_EQ(DayOfNumber(61, Shown::kDay, false), "1900-03-01");
  EXPECT_EQ(DayOfNumber(32874.5, Shown::kMonth, false), "1990-01");
  EXPECT_EQ(DayOfNumber(0, Shown::kDay, true), "");
  EXPECT_EQ(shown("yyyy\\-mm\\-dd hh:mm"), static_cast<int>(Shown::kTime));
  EXPECT_EQ(DayOfNumber(32874.375, Shown::kTime, false), "1990-01-01 09:00");
  EXPECT_EQ(DayOfNumber(1e9, Shown::kDay, false), "");
  EXPECT_EQ(TextOfNumber(13800002206), "13800002206");
  EXPECT_EQ(TextOfNumber(1990.01), "1990.01");
  EXPECT_EQ(TextOfNumber(330102198503120000.0), "3.30102198503120E+17");
}

}  // namespace
}  // namespace zhibu::server
