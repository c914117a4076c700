// Numbers, texts, lists and maps, times.
#include <gmock/gmock.h>

#include "tests/sync/rules/cel/said.h"

namespace zhibu::cel {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

TEST(Numbers, WholeOnesEndWhereTheyEndAndSayWhere) {
  const std::string too_large = "error: line 1, column 21: a number too large";
  EXPECT_EQ(Said("9223372036854775806 + 1"), "9223372036854775807");
  EXPECT_EQ(Said("9223372036854775807 + 1"), too_large);
  EXPECT_EQ(Said("9223372036854775807 * 2"), too_large);
  EXPECT_EQ(Said("-9223372036854775808 - 1"), "error: line 1, column 22: a number too large");
  EXPECT_THAT(Said("-(-9223372036854775808)"), HasSubstr("too large"));
  EXPECT_THAT(Said("-9223372036854775808 / -1"), HasSubstr("too large"));
  EXPECT_THAT(Said("-9223372036854775808 % -1"), HasSubstr("too large"));
  EXPECT_THAT(Said("18446744073709551615u + 1u"), HasSubstr("too large"));
  EXPECT_THAT(Said("1u - 2u"), HasSubstr("too large"));
  EXPECT_EQ(Said("7 / 0"), "error: line 1, column 3: division by zero");
  EXPECT_EQ(Said("7u % 0u"), "error: line 1, column 4: remainder of a division by zero");
  EXPECT_EQ(Said("[-7 / 2, -7 % 2, 7 % -2]"), "[-3, -1, 1]");
}

TEST(Numbers, DoublesFollowTheirStandard) {
  EXPECT_EQ(Said("[1.0 / 0.0, -1.0 / 0.0, 0.0 / 0.0].map(x, string(x))"), "['inf', '-inf', 'nan']");
  EXPECT_EQ(Said("0.0 / 0.0 == 0.0 / 0.0"), "false");
  EXPECT_EQ(Said("0.0 / 0.0 < 1.0 || 0.0 / 0.0 >= 1.0"), "false");
  EXPECT_EQ(Said("0.1 + 0.2"), "0.30000000000000004");
}

TEST(Numbers, KindsAreComparedAndNotMixed) {
  EXPECT_EQ(Said("1 < 2u && 2u < 2.5 && -1 < 0u && 18446744073709551615u > -1"), "true");
  EXPECT_EQ(Said("dyn(1) == 1u && dyn(1u) == 1.0 && dyn([1]) != [1.5]"), "true");
  EXPECT_EQ(Said("1 + 1.0"), "refused: line 1, column 3: '+' cannot stand with int and double");
  EXPECT_EQ(Said("1 == ''"), "refused: line 1, column 3: '==' cannot stand with int and string");
  EXPECT_EQ(Said("dyn(1) + 1.0"), "error: line 1, column 8: '+' is not declared for int, double");
}

// So that a rule can say `this.votes * 2`.
TEST(Numbers, AWholeNumberBesideAUintIsOne) {
  EXPECT_EQ(Said("3u * 2"), "6u");
  EXPECT_EQ(Said("2 * 3u == 6"), "true");
  EXPECT_EQ(Said("3u in [1, 2, 3]"), "true");
  EXPECT_EQ(Said("3 in [1u, 3u]"), "true");
  EXPECT_EQ(Said("3u == (true ? 3 : 4)"), "true");
  EXPECT_EQ(Said("3u * -2"), "refused: line 1, column 4: '*' cannot stand with uint and int");
}

TEST(Conversions, SayWhatCannotBe) {
  EXPECT_EQ(Said("[int('-12'), int(3.99), int(-3.99), int(7u)]"), "[-12, 3, -3, 7]");
  EXPECT_EQ(Said("int('1 2')"), "error: line 1, column 1: '1 2' is no int");
  EXPECT_EQ(Said("int(' 1')"), "error: line 1, column 1: ' 1' is no int");
  EXPECT_EQ(Said("int(1e19)"), "error: line 1, column 1: 1e+19 is no int");
  EXPECT_EQ(Said("int(0.0 / 0.0) == 0 || true"), "true");
  EXPECT_EQ(Said("uint(-1)"), "error: line 1, column 1: -1 is no uint");
  EXPECT_EQ(Said("uint(-0.5)"), "error: line 1, column 1: -0.5 is no uint");
  EXPECT_EQ(Said("double('1e3') + double(2u)"), "1002.0");
  EXPECT_EQ(Said("string(true) + string(1u) + string(2.5) + string(b'\\xe5\\x85\\x9a')"),
            "'true12.5党'");
  EXPECT_EQ(Said("string(b'\\xff')"), "error: line 1, column 1: b'\\xff' is no UTF-8");
  EXPECT_EQ(Said("bool('yes')"), "error: line 1, column 1: 'yes' is no bool");
  EXPECT_EQ(Said("int([])"),
            "refused: line 1, column 1: int() cannot take list(dyn); there is int(int), int(uint), "
            "int(double), int(string), int(timestamp)");
  EXPECT_EQ(Said("[type(1), type(1u) == uint, type(type('')), type(null)]"),
            "[int, true, type, null_type]");
}

TEST(Texts, AreCountedInCharacters) {
  EXPECT_EQ(Said("[size('党支部'), '党'.size(), size(b'党')]"), "[3, 1, 3]");
  EXPECT_EQ(Said("'党支部'.contains('支') && '党支部'.startsWith('党') && !'a'.endsWith('b')"),
            "true");
  EXPECT_EQ(Said("'a' < 'b' && 'B' < 'a' && b'' < b'a'"), "true");
}

TEST(Texts, MatchRegularExpressionsAnywhereInThem) {
  EXPECT_EQ(Said("'第12号'.matches('[0-9]+') && !matches('十二', '^[0-9]+$')"), "true");
  EXPECT_THAT(Said("'a'.matches('(')"), StartsWith("refused: line 1, column 5: not a regular"));
  EXPECT_THAT(Said("['('].exists(p, 'a'.matches(p))"),
              StartsWith("error: line 1, column 21: not a regular"));
  // Too large to be compiled.
  EXPECT_THAT(Said("'a'.matches('((a{500}){500})')"), StartsWith("refused"));
}

TEST(Collections, AreIndexedByWholeNumbersAndKeys) {
  EXPECT_EQ(Said("[7, 8][1] + {'a': 5}['a'] + {'a': 5}.a + {2: 3}[2]"), "21");
  EXPECT_EQ(Said("[7][1]"), "error: line 1, column 4: no element 1 in a list of 1");
  EXPECT_EQ(Said("[7][-1]"), "error: line 1, column 4: no element -1 in a list of 1");
  EXPECT_EQ(Said("{'a': 1}['b']"), "error: line 1, column 9: no such key: 'b'");
  EXPECT_EQ(Said("{'a': 1}.b"), "error: line 1, column 10: no such key: 'b'");
  EXPECT_EQ(Said("{1: 'a', 2u: 'b'}[dyn(2.0)]"), "'b'");
  EXPECT_EQ(Said("{1: 1, 1u: 2}"),
            "error: line 1, column 1: a key of a map that comes twice, or cannot be one");
  EXPECT_EQ(Said("[1] + [2, 'a']"), "[1, 2, 'a']");
  EXPECT_EQ(Said("'a' in {'a': 1} && !(2 in [1]) && size({'a': 1}) == 1"), "true");
  EXPECT_EQ(Said("{'a': [1, {}]} == {'a': [1.0, {}]}"), "true");
}

TEST(Collections, KeysAreEqualAcrossKindsOfNumbers) {
  EXPECT_EQ(Said("{true: 1, false: 2}[false] + {18446744073709551615u: 3}[18446744073709551615u]"),
            "5");
  EXPECT_EQ(Said("{9223372036854775808u: 3}[dyn(9223372036854775808.0)]"), "3");
  EXPECT_EQ(Said("dyn(1e300) in {1: 1} || dyn(0.5) in {1: 1} || dyn(null) in {1: 1}"), "false");
  EXPECT_EQ(Said("dyn(-1e300) in {1: 1}"), "false");
  EXPECT_EQ(Said("2u in {1u: 1, 2u: 1} && 2 in {1u: 1, 2u: 1}"), "true");
  EXPECT_EQ(Said("[1][18446744073709551615u]"),
            "error: line 1, column 4: no element 18446744073709551615u in a list of 1");
}

TEST(Comparisons, OfTruthNullAndTypes) {
  EXPECT_EQ(Said("false < true && true <= true && !(true < false)"), "true");
  EXPECT_EQ(Said("null == null && dyn(null) != 0 && type(1) == int && type(1) != type(1u)"),
            "true");
  EXPECT_EQ(Said("{1: null} == {1: null} && {1: null} != {1: dyn(2)} && {1: 1} != {2: 1}"), "true");
  EXPECT_EQ(Said("1 < null"), "refused: line 1, column 3: '<' cannot stand with int and null");
  EXPECT_EQ(Said("dyn([]) < dyn([])"),
            "error: line 1, column 9: '<' is not declared for list, list");
}

TEST(Macros, RunThroughListsAndTheKeysOfMaps) {
  EXPECT_EQ(Said("[1, 2, 3].all(i, i > 0) && [1, 2].exists(i, i == 2)"), "true");
  EXPECT_EQ(Said("[1, 2, 2].exists_one(i, i == 2) || [].exists(i, true) || ![].all(i, false)"),
            "false");
  EXPECT_EQ(Said("[1, 2, 3].filter(i, i != 2).map(i, i * 10)"), "[10, 30]");
  EXPECT_EQ(Said("[1, 2, 3].map(i, i > 1, string(i))"), "['2', '3']");
  EXPECT_EQ(Said("{'a': 1, 'b': 2}.filter(k, k != 'a')"), "['b']");
  EXPECT_EQ(Said("[[1, 2], [3]].map(x, x.map(y, [x, y].size() + y))"), "[[3, 4], [5]]");
  EXPECT_EQ(Said("[1].map(x, [2].map(x, x))"), "[[2]]");
}

TEST(Macros, SayWhatTheyCannotRunThrough) {
  EXPECT_EQ(Said("5.all(i, true)"),
            "refused: line 1, column 3: all runs through a list or map, not through int");
  EXPECT_EQ(Said("dyn('a').map(i, i)"),
            "error: line 1, column 10: map runs through a list or map, not through string");
  EXPECT_EQ(Said("[1].filter(i, i)"), "refused: line 1, column 15: a condition is bool, not int");
  EXPECT_EQ(Said("[1].all(i, j)"), "refused: line 1, column 12: nothing is called 'j'");
}

TEST(Time, IsReadAsItsStandardWritesItAndNoOtherWay) {
  EXPECT_EQ(Said("timestamp('2026-05-18T08:00:00+08:00')"), "timestamp('2026-05-18T00:00:00Z')");
  EXPECT_EQ(Said("string(timestamp('2026-05-18T00:00:00.250Z'))"), "'2026-05-18T00:00:00.25Z'");
  EXPECT_EQ(Said("int(timestamp(1795000000))"), "1795000000");
  for (const char* wrong : {"2026-05-18", "2026-05-18T00:00:00", "2026-02-30T00:00:00Z",
                            " 2026-05-18T00:00:00Z", "infinite-future", ""}) {
    EXPECT_THAT(Said(absl::StrCat("timestamp('", wrong, "')")), HasSubstr("is no time")) << wrong;
  }
  EXPECT_THAT(Said("timestamp('9999-12-31T23:59:59Z') + duration('1s')"),
              HasSubstr("outside the years 1 to 9999"));
}

TEST(Time, DurationsHaveUnitsAndAnEnd) {
  EXPECT_EQ(Said("[duration('1h30m'), duration('-1.5s'), duration('0'), -1 * 0 == 0]"),
            "[duration('5400s'), duration('-1.5s'), duration('0s'), true]");
  EXPECT_EQ(Said("string(duration('-0.5s'))"), "'-0.5s'");
  for (const char* wrong : {"", "1", "1d", "s", " 1s"}) {
    EXPECT_THAT(Said(absl::StrCat("duration('", wrong, "')")), HasSubstr("is no duration"))
        << wrong;
  }
  EXPECT_THAT(Said("duration('inf')"), HasSubstr("more than 292 years"));
  EXPECT_THAT(Said("timestamp('2300-01-01T00:00:00Z') - timestamp('2000-01-01T00:00:00Z')"),
              HasSubstr("more than 292 years"));
  EXPECT_EQ(Said("timestamp('2026-05-18T00:00:00Z') - duration('24h') < timestamp("
                 "'2026-05-17T00:00:01Z') && duration('1h') > duration('59m')"),
            "true");
  EXPECT_EQ(Said("[duration('90m').getHours(), duration('90m').getMinutes(), "
                 "duration('1.5s').getMilliseconds(), duration('90m').getSeconds()]"),
            "[1, 90, 500, 5400]");
}

TEST(Time, ACalendarIsUtcUnlessAZoneIsNamed) {
  const std::string eve = "timestamp('2025-12-31T16:30:05.7Z')";
  EXPECT_EQ(Said(absl::StrCat("[", eve, ".getFullYear(), ", eve, ".getFullYear('+08:00'), ", eve,
                              ".getFullYear('Asia/Shanghai')]")),
            "[2025, 2026, 2026]");
  EXPECT_EQ(Said(absl::StrCat("['+08:00'].map(z, [", eve, ".getMonth(z), ", eve, ".getDate(z), ",
                              eve, ".getDayOfMonth(z), ", eve, ".getDayOfYear(z), ", eve,
                              ".getDayOfWeek(z), ", eve, ".getHours(z), ", eve, ".getMinutes(z), ",
                              eve, ".getSeconds(z), ", eve, ".getMilliseconds(z)])")),
            "[[0, 1, 0, 0, 4, 0, 30, 5, 700]]");
  for (const char* wrong :
       {"Mars/Base", "../../etc/passwd", "/etc/localtime", "file:x", "+8", ""}) {
    EXPECT_THAT(Said(absl::StrCat(eve, ".getHours('", wrong, "')")), HasSubstr("no time zone"))
        << wrong;
  }
}

TEST(Values, OfWhatIsLongTheBeginningIsShown) {
  // Ten lists of ten of the same: small in memory, ten thousand million when written out.
  std::string nested = "'x'";
  for (int i = 0; i < 10; ++i) {
    nested = absl::StrCat("[", nested, "].map(a", i, ", [a", i, ", a", i, ", a", i, ", a", i, ", a",
                          i, ", a", i, ", a", i, ", a", i, ", a", i, ", a", i, "])");
  }
  EXPECT_LT(Said(nested).size(), 2000u);
  EXPECT_THAT(Value::String(std::string(5000, 'x')).ToText(), ::testing::EndsWith("x'…"));
}

}  // namespace
}  // namespace zhibu::cel
