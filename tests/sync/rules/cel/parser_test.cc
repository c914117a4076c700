#include "sync/rules/cel/parser.h"

#include <gmock/gmock.h>

#include "sync/rules/cel/limits.h"
#include "sync/rules/cel/unparse.h"
#include "tests/sync/rules/cel/outline.h"
#include "tests/sync/rules/cel/said.h"

namespace zhibu::cel {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

std::string ErrorOf(absl::string_view source) {
  const auto expr = Parse(source);
  return expr.ok() ? "none" : std::string(expr.status().message());
}

// Written again.
std::string Again(absl::string_view source) {
  const auto expr = Parse(source);
  if (!expr.ok()) return std::string(expr.status().message());
  const std::string text = Unparse(*expr);
  const auto again = Parse(text);
  EXPECT_EQ(again.ok() ? Outline(*again) : again.status().ToString(), Outline(*expr)) << text;
  return text;
}

std::string Repeated(absl::string_view text, int times) {
  std::string all;
  for (int i = 0; i < times; ++i) absl::StrAppend(&all, text);
  return all;
}

TEST(Parser, AnErrorSaysLineAndColumnInCharactersAndWhatWasExpected) {
  EXPECT_EQ(ErrorOf("1 +"), "line 1, column 4: a value should stand where the end does");
  EXPECT_EQ(ErrorOf("a &&\n  && b"), "line 2, column 3: a value should stand where '&&' does");
  EXPECT_EQ(ErrorOf("'党员' in ['支部' x"),
            "line 1, column 15: ',' or ']' should stand where 'x' does");
  EXPECT_EQ(ErrorOf("// 说明\n(a"), "line 2, column 3: ')' should stand where the end does");
  EXPECT_EQ(ErrorOf("a b"), "line 1, column 3: an operator or the end should stand where 'b' does");
  EXPECT_EQ(ErrorOf("a ? b"), "line 1, column 6: ':' should stand where the end does");
  EXPECT_EQ(ErrorOf("a.1"),
            "line 1, column 2: an operator or the end should stand where '.1' does");
  EXPECT_EQ(ErrorOf("a.in"),
            "line 1, column 3: the name of a field or function should stand where 'in' does");
  EXPECT_EQ(ErrorOf("{'a' 1}"), "line 1, column 6: ':' should stand where '1' does");
  EXPECT_EQ(ErrorOf(""), "line 1, column 1: a value should stand where the end does");
}

TEST(Parser, AnErrorOfTheLexerSaysWhereTheWordBegins) {
  EXPECT_EQ(ErrorOf("a == 'b"), "line 1, column 6: a text is not closed by '");
  EXPECT_EQ(ErrorOf("'''a\n'"), "line 1, column 1: a text is not closed by '''");
  EXPECT_EQ(ErrorOf("'a\nb'"), "line 1, column 1: a text is not closed by '");
  EXPECT_THAT(ErrorOf("1 + '\\q'"), StartsWith("line 1, column 5: a text with a \\"));
  EXPECT_THAT(ErrorOf("'\\ud800'"), StartsWith("line 1, column 1: a text with a \\"));
  EXPECT_THAT(ErrorOf("b'\\u0041'"), StartsWith("line 1, column 1: a text with a \\"));
  EXPECT_EQ(ErrorOf("a § b"), "line 1, column 3: '§' cannot stand here");
  EXPECT_EQ(ErrorOf("a = b"), "line 1, column 3: '=' cannot stand here");
  EXPECT_EQ(ErrorOf("9223372036854775808"),
            "line 1, column 1: 9223372036854775808 is too large a number");
  EXPECT_EQ(ErrorOf("-9223372036854775808"), "none");
  EXPECT_EQ(ErrorOf("18446744073709551616u"),
            "line 1, column 1: 18446744073709551616 is too large a number");
  EXPECT_EQ(ErrorOf("1e999"), "line 1, column 1: 1e999 is too large a number");
  EXPECT_THAT(ErrorOf("a.`b"), StartsWith("line 1, column 3: a name in `"));
  EXPECT_EQ(ErrorOf("'\xff'"), "an expression that is not UTF-8");
}

TEST(Parser, AReservedWordNamesNothingButFieldsAndMethods) {
  EXPECT_EQ(ErrorOf("while"), "line 1, column 1: 'while' is reserved, and names nothing");
  EXPECT_EQ(ErrorOf("for(a)"), "line 1, column 1: 'for' is reserved, and names nothing");
  EXPECT_EQ(ErrorOf("a.while.for()"), "none");
}

TEST(Parser, AMacroAsksForAPlainName) {
  EXPECT_EQ(ErrorOf("[1].all(a.b, true)"),
            "line 1, column 11: the first argument of all is a plain name");
  EXPECT_EQ(ErrorOf("1 + has(a)"), "line 1, column 5: has() asks for one field: has(this.vote)");
  EXPECT_EQ(ErrorOf("has(a.b, c)"), "line 1, column 1: has() asks for one field: has(this.vote)");
  // With another number of arguments it is a function like any other.
  EXPECT_EQ(ErrorOf("a.all()"), "none");
}

TEST(Parser, WhatIsWrittenDeeperThanItMayBeIsAnErrorAndNoOverflow) {
  for (const absl::string_view open : {"(", "[", "{1:", "!", "-", "a.b(", "a[", "f(", "1?2:"}) {
    EXPECT_THAT(ErrorOf(Repeated(open, 1500)), HasSubstr("nested too deep")) << open;
  }
  for (const absl::string_view next : {" + a", " && a", ".a", "[0]", ".a()", " in a"}) {
    EXPECT_THAT(ErrorOf("a" + Repeated(next, 2000)), HasSubstr("nested too deep")) << next;
    EXPECT_EQ(ErrorOf("a" + Repeated(next, kDepthMax - 1)), "none") << next;
    EXPECT_THAT(ErrorOf("a" + Repeated(next, kDepthMax)), HasSubstr("nested too deep")) << next;
  }
  EXPECT_EQ(ErrorOf(Repeated("(", kDepthMax) + "a" + Repeated(")", kDepthMax)), "none");
}

TEST(Parser, AnExpressionHasALength) {
  EXPECT_EQ(ErrorOf(std::string(kSourceBytesMax, ' ').replace(0, 1, "a")), "none");
  EXPECT_EQ(ErrorOf("a" + std::string(kSourceBytesMax, ' ')),
            "an expression of 16385 bytes: at most 16384");
}

TEST(Parser, TextIsReadInEveryForm) {
  EXPECT_EQ(Said(R"cel('\x41\101B\U00000043\n' == "AABC\n")cel"), "true");
  EXPECT_EQ(Said(R"cel(r'\n' + R"\d" == '\\n\\d')cel"), "true");
  EXPECT_EQ(Said("'''it's\ntwo lines''' == 'it\\'s\\ntwo lines'"), "true");
  EXPECT_EQ(Said("b'\\xff\\101党' == b'\\377A\\xe5\\x85\\x9a'"), "true");
  EXPECT_EQ(Said("b\"\"\"a\"b\"\"\""), "b'a\"b'");
  EXPECT_EQ(Said("[0x1F, -0x10, 7u, 0xFu, 1.5, .5, 2e3, 1E-2, -0.0]"),
            "[31, -16, 7u, 15u, 1.5, 0.5, 2000.0, 0.01, -0.0]");
  EXPECT_EQ(Said("[1, 2, // two\n 3,] // the last"), "[1, 2, 3]");
}

TEST(Unparse, BracketsStandWhereTheyAreNeededAndNowhereElse) {
  EXPECT_EQ(Again("((a+b)) * (c)"), "(a + b) * c");
  EXPECT_EQ(Again("a-(b-c)-d"), "a - (b - c) - d");
  EXPECT_EQ(Again("(a||b)&&!(c||d)"), "(a || b) && !(c || d)");
  EXPECT_EQ(Again("(a?b:c)?(d?e:f):(g?h:i)"), "(a ? b : c) ? (d ? e : f) : g ? h : i");
  EXPECT_EQ(Again("-(5) + -5 - -a - -(-5)"), "-(5) + -5 - -a - --5");
  EXPECT_EQ(Again("(a in b)in[c,d,]"), "a in b in [c, d]");
  EXPECT_EQ(Again("(a+b).c[(d)].e(f , g)"), "(a + b).c[d].e(f, g)");
  EXPECT_EQ(Again("-(5.f()) + -(-5.f()) + -(0[1])"), "-(5.f()) + --5.f() + -(0[1])");
  EXPECT_EQ(Again("x.map(i,i>0,i*2).all(j,has(j.k))"), "x.map(i, i > 0, i * 2).all(j, has(j.k))");
  EXPECT_EQ(Again("{'a':1,\"b\":2u}.`b-c`"), "{'a': 1, 'b': 2u}.`b-c`");
  EXPECT_EQ(Again(".a.b + a.b.C{d: 1, `e-f`: [2]}"), ".a.b + a.b.C{d: 1, `e-f`: [2]}");
  EXPECT_EQ(Again("-5.f() + 1.5.g() - (-a).h()"), "-5.f() + 1.5.g() - (-a).h()");
  EXPECT_EQ(Again("'\\n\\x01党' + r'\\'"), "'\\n\\x01党' + '\\\\'");
  EXPECT_EQ(Again("b'\\xff\\n' == b'党'"), "b'\\xff\\n' == b'\\xe5\\x85\\x9a'");
  EXPECT_EQ(Again("1e100 + 3.0 + 1.0e-7"), "1e+100 + 3.0 + 1e-07");
}

// A function that has the name of an operator's function is none.
TEST(Unparse, NamesWithUnderlinesAreNoOperators) {
  EXPECT_EQ(Again("_in_(a, b) + _a_(b, c) + ___(d, e)"), "_in_(a, b) + _a_(b, c) + ___(d, e)");
}

}  // namespace
}  // namespace zhibu::cel
