// What is due in several organisations, as it is told.
#include "sync/rules/book/due_report.h"

#include <gmock/gmock.h>

#include "absl/strings/str_cat.h"

namespace zhibu::rules {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::SizeIs;

class DueReported : public testing::Test {
 protected:
  static Obligation Rule(const std::string& key, const std::string& words) {
    Obligation rule;
    rule.text.set_key(key);
    rule.text.mutable_words()->set_zh(words);
    rule.text.add_who(SECRETARY);
    return rule;
  }
  static DueList Of(std::vector<DueItem> items) { return {.items = std::move(items)}; }
  static DueItem Item(const Obligation& rule, Standing standing, int day) {
    return {.obligation = &rule, .last = absl::CivilDay(2026, 3, day), .standing = standing};
  }
  static Id Named(char c) { return Id::FromBytes(std::string(Id::kSize, c)).value(); }
  std::vector<std::string> Keys() {
    std::vector<std::string> keys;
    const v1::DueReport report = reporter.Tell();
    for (const auto& rule : report.rules()) keys.push_back(rule.key());
    return keys;
  }

  DueReporter reporter{absl::CivilDay(2026, 4, 1)};
};

TEST_F(DueReported, CountsByStandingWithTheOldestDayAndTheMostUrgentRuleAndOrganisationFirst) {
  const Obligation dues = Rule("dues", "交纳党费");
  const Obligation meeting = Rule("meeting", "党员大会");
  reporter.Add(Named('a'), Of({Item(meeting, Standing::kComing, 31)}), false);
  reporter.Add(Named('b'), Of({Item(dues, Standing::kDue, 9), Item(dues, Standing::kOverdue, 2)}),
               false);
  reporter.Add(Named('c'), Of({Item(dues, Standing::kQuestion, 20)}), false);
  reporter.Add(Named('d'), Of({}), false);
  const v1::DueReport report = reporter.Tell();
  EXPECT_EQ(report.organisations(), 4u);
  EXPECT_FALSE(report.incomplete());
  EXPECT_THAT(Keys(), ElementsAre("dues", "meeting"));
  const auto& rule = report.rules(0);
  EXPECT_EQ(rule.all().overdue() + rule.all().due() + rule.all().questions(), 3u);
  ASSERT_THAT(rule.parts(), SizeIs(2));
  EXPECT_EQ(rule.parts(0).organisation_id(), Named('b').str());
  EXPECT_EQ(rule.parts(0).oldest(), "2026-03-02");
  EXPECT_EQ(rule.parts(1).count().questions(), 1u);
}

TEST_F(DueReported, TwoRulesUnderOneKeyAreTwoWhateverTheySay) {
  const Obligation one = Rule("local.visit", "走访");
  Obligation another = one;
  another.text.set_source("柳河镇规定");
  reporter.Add(Named('a'), Of({Item(one, Standing::kDue, 1)}), false);
  reporter.Add(Named('b'), Of({Item(another, Standing::kDue, 1)}), false);
  EXPECT_THAT(Keys(), ElementsAre("local.visit", "local.visit"));
}

TEST_F(DueReported, SaysWhatItCouldNotReadAndAnOfficeThatThisBuildDoesNotKnow) {
  Obligation rule = Rule("dues", "交纳党费");
  rule.text.add_who(static_cast<Office>(99));
  reporter.Add(Named('a'), Of({Item(rule, Standing::kDue, 1)}), true);
  const std::string text = TextOf(reporter.Tell(), Language::kChinese);
  EXPECT_THAT(text, HasSubstr("读不出"));
  EXPECT_THAT(text, HasSubstr("书记、本版本不认识的值"));
}

TEST_F(DueReported, NamesTenOrganisationsToPeopleAndSaysHowManyMoreThereAre) {
  const Obligation rule = Rule("dues", "交纳党费");
  for (char c = 'a'; c < 'a' + 12; ++c) {
    reporter.Add(Named(c), Of({Item(rule, Standing::kDue, 1)}), false);
  }
  v1::DueReport report = reporter.Tell();
  ASSERT_THAT(report.rules(0).parts(), SizeIs(12));
  for (int i = 0; i < 12; ++i) {
    report.mutable_rules(0)->mutable_parts(i)->set_organisation_name(absl::StrCat("支部", i, "号"));
  }
  const std::string text = TextOf(report, Language::kEnglish);
  EXPECT_THAT(text, HasSubstr("支部9号"));
  EXPECT_THAT(text, Not(HasSubstr("支部10号")));
  EXPECT_THAT(text, HasSubstr("more organisations: 2"));
}

}  // namespace
}  // namespace zhibu::rules
