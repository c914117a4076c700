#include <gmock/gmock.h>

#include "tests/sync/rules/cel/said.h"

namespace zhibu::cel {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

TEST(Logic, OneSideThatSettlesItOutweighsErrorsAndUnknown) {
  const Truths truths;
  for (const char* source : {"f && e", "e && f", "f && u", "u && f", "f && f"}) {
    EXPECT_EQ(truths.Say(source), "false") << source;
  }
  for (const char* source : {"t || e", "e || t", "t || u", "u || t", "t || t"}) {
    EXPECT_EQ(truths.Say(source), "true") << source;
  }
}

TEST(Logic, WhatIsNotSettledIsAnErrorAtItsPlaceOrUnknown) {
  const Truths truths;
  for (const char* source : {"t && e", "e && t", "f || e", "e || f", "e ? t : f", "!e"}) {
    EXPECT_THAT(truths.Say(source), StartsWith("error: line 1, column ")) << source;
  }
  EXPECT_EQ(truths.Say("t && e"), "error: line 1, column 6: wrong");
  EXPECT_EQ(truths.Say("e && e2"), "error: line 1, column 1: wrong");
  for (const char* source : {"t && u", "u && t", "f || u", "u || f", "u ? t : f", "!u", "u == t"}) {
    EXPECT_EQ(truths.Say(source), "unknown: ref(a)") << source;
  }
}

TEST(Logic, UnknownGoesBeforeErrorsAndSaysAllThatIsUnknown) {
  const Truths truths;
  for (const char* source : {"e && u", "u && e", "e || u", "u || e", "e == u", "[e, u] == []"}) {
    EXPECT_EQ(truths.Say(source), "unknown: ref(a)") << source;
  }
  for (const char* source : {"u && u2", "u2 || u", "u2 == u", "[u2, e, u] == []"}) {
    EXPECT_EQ(truths.Say(source), "unknown: ref(a), ref(b)") << source;
  }
}

TEST(Logic, OnlyTheBranchThatIsTakenIsAsked) {
  const Truths truths;
  EXPECT_EQ(truths.Say("t ? f : e"), "false");
  EXPECT_EQ(truths.Say("f ? u : t"), "true");
}

TEST(Logic, WhatIsNoBoolIsRefusedOrAnErrorWhereOnlyEvaluationTells) {
  EXPECT_EQ(Said("true && 1"), "refused: line 1, column 9: each side of && is bool, not int");
  EXPECT_EQ(Said("1 ? 2 : 3"), "refused: line 1, column 1: what stands before ? is bool, not int");
  EXPECT_EQ(Said("true ? 1 : ''"),
            "refused: line 1, column 6: ? gives int or string: both must be of one type");
  EXPECT_EQ(Said("true && dyn(1)"), "error: line 1, column 6: && asks for bool, not int");
  EXPECT_EQ(Said("dyn('') || true"), "true");
  EXPECT_EQ(Said("dyn(0) ? 1 : 2"), "error: line 1, column 8: ? asks for bool, not int");
}

TEST(Logic, AllAndExistsAreTheAndsAndOrsOfTheirElements) {
  const Truths truths;
  EXPECT_EQ(truths.Say("[1, 2, 3].all(i, i == 2 ? e : i == 3 ? f : t)"), "false");
  EXPECT_EQ(truths.Say("[1, 2, 3].exists(i, i == 1 ? u : i == 2 ? e : t)"), "true");
  EXPECT_EQ(truths.Say("[1, 2].all(i, i == 1 ? e : u)"), "unknown: ref(a)");
  EXPECT_EQ(truths.Say("[1, 2].exists(i, i == 1 ? u2 : u)"), "unknown: ref(a), ref(b)");
  EXPECT_THAT(truths.Say("[1, 2].all(i, i == 1 ? e : t)"), HasSubstr("wrong"));
}

TEST(Logic, TheOtherMacrosStopAtTheFirstErrorOrUnknown) {
  const Truths truths;
  EXPECT_EQ(truths.Say("[1, 2].exists_one(i, i == 1 ? t : u)"), "unknown: ref(a)");
  EXPECT_EQ(truths.Say("[1, 2].filter(i, u)"), "unknown: ref(a)");
  EXPECT_EQ(truths.Say("[1, 2].map(i, i == 2, u)"), "unknown: ref(a)");
  EXPECT_THAT(truths.Say("[1, 2].map(i, e)"), StartsWith("error"));
  EXPECT_THAT(truths.Say("[1, 0].filter(i, 1 / i > 0)"),
              ::testing::Eq("error: line 1, column 20: division by zero"));
}

}  // namespace
}  // namespace zhibu::cel
