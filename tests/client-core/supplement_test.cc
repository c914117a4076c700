// What a superior adds to the rule book is in force below it, on phones without a network and on
// the server, and asks for more and never for less.
#include "absl/strings/str_cat.h"
#include "client-core/actions/books.h"
#include "client-core/actions/checks.h"
#include "client-core/actions/due.h"
#include "sync/base/date.h"
#include "sync/base/reason.h"
#include "sync/rules/supplements.h"
#include "tests/support/village.h"

namespace zhibu::test {
namespace {

using records::v1::RuleSupplement;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// Lectures are to have a lecturer, and each branch is visited once a month.
constexpr char kRules[] = R"rules(
parameter { key: "local.visits" value: 1 unit: "per month" source: "云溪镇规定" certainty: LOCAL }
check {
  key: "local.lecturer"
  words { zh: "党课未写讲课人" en: "the lecture has no lecturer" }
  source: "云溪镇规定" certainty: SURE
  of: "Meeting" when: "this.kind == LECTURE && this.state == HELD" holds: "this.lecturer != ''"
  day: "this.starts_at" hard: true field: "lecturer"
}
obligation {
  key: "local.study"
  words { zh: "每月集中学习" en: "study together each month" }
  source: "云溪镇规定" certainty: LOCAL
  each: "Organisation" where: "this.kind == BRANCH" counts_from: "registered"
  every: MONTH times: "param('local.visits')"
  met_by { type: "Meeting" via: "branch_id" when: "met.kind == LECTURE" on: "met.starts_at" }
  who: SECRETARY next { zh: "组织学习" en: "study" }
}
)rules";

class Supplements : public Village {
 protected:
  Supplements() {
    world.Appoint(sun, above, SECRETARY);
    Hang(branch, above);
    Hang(other, above);
    world.SyncAll();
    world.Wait(60'000);
  }
  void Hang(const Id& organisation, const Id& parent) {
    auto below = world.Get<Organisation>(organisation);
    below.set_parent_id(parent.str());
    below.set_kind(Organisation::BRANCH);
    world.Write(below, organisation);
  }
  Id Issue(const std::string& text = kRules, const std::vector<Id>& to = {}) {
    auto draft = client::IssueSupplement(
        suns.store(), above, {.title = "云溪镇补充规定", .text = text, .addressees = to});
    EXPECT_TRUE(draft.ok()) << draft.status();
    if (!draft.ok()) return Id();
    suns.Commit({&*draft});
    world.SyncAll();
    return draft->id();
  }
  void Lecture(Phone& phone, const std::string& lecturer) {
    phone.Make<Meeting>([&](Meeting& meeting) {
      meeting.set_branch_id(branch.str());
      meeting.set_kind(Meeting::LECTURE);
      meeting.set_state(Meeting::HELD);
      meeting.set_lecturer(lecturer);
      meeting.mutable_starts_at()->set_seconds(world.now_ms() / 1000);
    });
  }
  // As an app has it: it judges by itself.
  absl::Status TryLecture(const std::string& lecturer) {
    auto opened = client::Store::Open({.file = zhangs.file(),
                                       .schema = world.schema(),
                                       .environment = zhangs.store().environment(),
                                       .key = kPhoneKey});
    EXPECT_TRUE(opened.ok()) << opened.status();
    client::Draft draft = (*opened)->New<Meeting>();
    auto& meeting = draft.message<Meeting>();
    meeting.set_branch_id(branch.str());
    meeting.set_kind(Meeting::LECTURE);
    meeting.set_state(Meeting::HELD);
    meeting.set_lecturer(lecturer);
    meeting.mutable_starts_at()->set_seconds(world.now_ms() / 1000);
    return (*opened)->Commit({&draft}).status();
  }
  size_t DueBy(Phone& phone, absl::string_view key) {
    const auto due = client::WhatIsDue(phone.store(), DayFrom(DateAt(world.now_ms())));
    EXPECT_TRUE(due.ok()) << due.status();
    EXPECT_THAT(due->list.faults, IsEmpty());
    return static_cast<size_t>(std::count_if(
        due->list.items.begin(), due->list.items.end(),
        [&](const rules::DueItem& item) { return item.obligation->text.key() == key; }));
  }
  static std::string Wrong(const std::string& text) {
    const auto book = rules::CompileSupplement(text);
    return book.ok() ? "" : std::string(book.status().message());
  }

  const Id above = world.Branch("云溪镇党委");
  const Id other = world.Branch("柳湾村党支部");
  const Id elsewhere = world.Branch("柳河镇党委");
  const Id sun = world.Person("孙", above);
  Phone& suns = world.Enrol(sun);
};

TEST_F(Supplements, ARuleOfTheTownshipIsInForceInItsBranchesWithoutANetwork) {
  EXPECT_EQ(TryLecture(""), absl::OkStatus()) << "before there was such a rule";
  Issue();
  const absl::Status refused = TryLecture("");
  EXPECT_EQ(ReasonOf(refused).reason, sync::v1::AGAINST_A_RULE) << refused;
  EXPECT_THAT(ReasonOf(refused).detail, HasSubstr("云溪镇规定"));
  EXPECT_EQ(TryLecture("孙书记"), absl::OkStatus());
}

TEST_F(Supplements, TheServerJudgesByItWhoeverHasOtherSoftware) {
  Issue();
  Lecture(zhangs, "");
  world.SyncAll();
  EXPECT_THAT(zhangs.SetAside(), ElementsAre(HasSubstr("RETURNED AGAINST_A_RULE")));
}

TEST_F(Supplements, WhatItAsksForIsDueAndRecordingItSettlesThat) {
  Issue();
  world.Wait(31 * kDay);
  const size_t before = DueBy(zhangs, "local.study");
  EXPECT_GT(before, 0u);
  Lecture(zhangs, "孙书记");
  EXPECT_EQ(DueBy(zhangs, "local.study") + 1, before) << "offline: nothing was synced";
}

TEST_F(Supplements, ItHoldsOnlyForThoseThatItNamesAndForNobodyOnceItIsRepealed) {
  const Id rules = Issue(kRules, {other});
  EXPECT_THAT(world.Get<RuleSupplement>(rules).receiver_ids(), ElementsAre(other.str()));
  EXPECT_EQ(TryLecture(""), absl::OkStatus());
  const Id all = Issue();
  EXPECT_FALSE(TryLecture("").ok());
  auto repealed =
      client::RepealSupplement(suns.store(), suns.store().Edit<RuleSupplement>(all).value());
  ASSERT_TRUE(repealed.ok()) << repealed.status();
  suns.Commit({&*repealed});
  world.SyncAll();
  EXPECT_EQ(TryLecture(""), absl::OkStatus());
  EXPECT_EQ(DueBy(zhangs, "local.study"), 0u);
}

TEST_F(Supplements, ABranchThatMovesLeavesTheRulesOfItsOldSuperiorBehindAndFindsThoseOfTheNew) {
  const Id rules = Issue();
  EXPECT_THAT(world.Get<RuleSupplement>(rules).receiver_ids(), SizeIs(2));
  Hang(branch, elsewhere);
  world.SyncAll();
  EXPECT_THAT(world.Get<RuleSupplement>(rules).receiver_ids(), ElementsAre(other.str()));
  EXPECT_EQ(TryLecture(""), absl::OkStatus());
  EXPECT_FALSE(zhangs.Has<RuleSupplement>(rules));
  Hang(branch, above);
  world.SyncAll();
  EXPECT_THAT(world.Get<RuleSupplement>(rules).receiver_ids(), SizeIs(2));
  EXPECT_FALSE(TryLecture("").ok());
}

TEST_F(Supplements, WhatIsNoRuleIsRefusedWithThePlaceAndWhatIsWrong) {
  EXPECT_THAT(Wrong("check { key: \"local.a\" of: \"Meeting\" "), HasSubstr("text:1:"));
  EXPECT_THAT(Wrong(R"(check { key: "local.a" words { zh: "甲" en: "a" } source: "s" of: "Meeting"
                      holds: "this.topik == ''" day: "this.starts_at" })"),
              HasSubstr("no field 'topik'"));
  EXPECT_THAT(Wrong(R"(check { key: "meeting.own" of: "Meeting" })"), HasSubstr("local."));
  EXPECT_THAT(Wrong(R"(parameter { key: "dev.notice_min" value: 1 })"), HasSubstr("no rule"));
  EXPECT_THAT(Wrong("calendar { year: 2026 }"), HasSubstr("only"));
  EXPECT_THAT(Wrong(absl::StrCat(kRules, R"(parameter { key: "dev.notice_min" value: 1 })")),
              HasSubstr("local."))
      << "what is shipped is not made less strict";
}

TEST_F(Supplements, AServerTakesNoneThatDoesNotCompileAndNoMoreThanBranchesCanBear) {
  suns.Make<RuleSupplement>([&](RuleSupplement& made) {
    made.set_organisation_id(above.str());
    made.set_title("乱写");
    made.set_text("check {");
    made.set_state(RuleSupplement::IN_FORCE);
  });
  world.SyncAll();
  ASSERT_THAT(suns.SetAside(), SizeIs(1));
  EXPECT_THAT(suns.SetAside()[0], HasSubstr("RETURNED BAD_VALUE"));
  for (size_t i = 0; i <= kSupplementsMax; ++i) Issue();
  ASSERT_THAT(suns.SetAside(), SizeIs(2));
  EXPECT_THAT(suns.SetAside()[1], HasSubstr("RETURNED TOO_LARGE"));
}

TEST_F(Supplements, ABranchGivesNoRulesToAnotherAndNobodyToTheirOwn) {
  const Id rules = zhangs.Make<RuleSupplement>([&](RuleSupplement& made) {
    made.set_organisation_id(branch.str());
    made.set_title("自己的");
    made.add_addressee_ids(other.str());
    made.set_text(kRules);
    made.set_state(RuleSupplement::IN_FORCE);
  });
  world.SyncAll();
  EXPECT_THAT(world.Get<RuleSupplement>(rules).receiver_ids(), IsEmpty());
  EXPECT_EQ(TryLecture(""), absl::OkStatus()) << "the deputy would be stopped by the secretary";
}

}  // namespace
}  // namespace zhibu::test
