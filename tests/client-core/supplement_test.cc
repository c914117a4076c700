// What a superior adds to the rule book is in force below it, on phones without a network and on
// the server, and asks for more and never for less.
#include <map>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "client-core/actions/books.h"
#include "client-core/actions/checks.h"
#include "client-core/actions/due.h"
#include "client-core/exchange/intake.h"
#include "server/figures/due.h"
#include "sync/base/date.h"
#include "sync/base/reason.h"
#include "sync/base/status.h"
#include "sync/rules/supplements.h"
#include "tests/support/village.h"

namespace zhibu::test {
namespace {

using records::v1::Election;
using records::v1::RuleSupplement;
using ::testing::Contains;
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
  // A hard check of elections, which the branch writes, and whoever stands above.
  static std::string OfElections(const std::string& holds, const std::string& shows = "") {
    const std::string words = shows.empty() ? "值" : "值{}";
    return absl::StrCat(R"(check { key: "local.e" of: "Election" hard: true words { zh: ")", words,
                        "\" en: \"", words,
                        R"(" } source: "s" certainty: SURE day: "this.held_on" holds: ")", holds,
                        "\" shows: \"", shows, "\" }");
  }
  // In which words edits came back.
  static std::vector<std::string> ToldTo(Phone& phone) {
    std::vector<std::string> details;
    const absl::Status listed = phone.store().ListSetAside(
        [&](const client::SetAside& one) { details.push_back(one.answer.detail()); });
    EXPECT_TRUE(listed.ok()) << listed;
    return details;
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

TEST_F(Supplements, TheServerFindsItDueInTheBranchThatItIsForAndInNoOther) {
  Issue(kRules, {branch});
  world.Wait(31 * kDay);
  world.SyncAll();
  rules::v1::DueReport report;
  EXPECT_EQ(world.store().Read([&](server::Reader& reader) -> absl::Status {
    ASSIGN_OR_RETURN(report, server::DueIn(reader, world.ingest().book(), {branch, other},
                                           DayAt(world.now_ms())));
    return absl::OkStatus();
  }),
            absl::OkStatus());
  std::map<Id, uint32_t> found;
  for (const auto& rule : report.rules()) {
    if (rule.key() != "local.study") continue;
    for (const auto& part : rule.parts()) {
      const auto& count = part.count();
      found[*Id::FromBytes(part.organisation_id())] =
          count.overdue() + count.due() + count.questions() + count.coming();
    }
  }
  const std::map<Id, uint32_t> here = {{branch, DueBy(zhangs, "local.study")}};
  EXPECT_EQ(found, here);
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

TEST_F(Supplements, NoRuleReadsWhatSomebodyWhomItJudgesMayNotRead) {
  EXPECT_EQ(Wrong(OfElections("this.answer == ''", "this.answer")), "");
  EXPECT_EQ(Wrong(OfElections("Member(b'x').name == ''")), "");
  // By home, and not by whoever stands above.
  for (const char* field :
       {"Member(b'x').born", "Member(b'x').suspended_on", "PrivateDetailOf(b'x').health"}) {
    EXPECT_THAT(Wrong(OfElections("this.answer == ''", field)), HasSubstr("may read")) << field;
    EXPECT_THAT(Wrong(OfElections(absl::StrCat(field, " == ''"))), HasSubstr("may read")) << field;
    EXPECT_THAT(Wrong(OfElections(absl::StrCat("has(", field, ")"))), HasSubstr("may read"));
  }
  for (const char* whole : {"[P][0].health", "(true ? P : P).health", "dyn(P).health", "P",
                            "[P].map(x, x.health)", "{'a': P}.a.health", "[P] == [P]", "P == P",
                            "type(P)", "[this][0].answer", "dyn(this).answer"}) {
    const std::string read = absl::StrReplaceAll(whole, {{"P", "PrivateDetailOf(b'x')"}});
    EXPECT_THAT(Wrong(OfElections("this.answer == ''", read)), HasSubstr("its fields only"))
        << read;
  }
}

TEST_F(Supplements, WhoeverStandsAboveIsToldNothingOfWhatLiesBelow) {
  const Id meeting = MakeMeeting(zhangs, "支部自己的事");
  const auto make = [&](uint32_t number) {
    return zhangs.Make<Election>([&](Election& one) {
      one.set_branch_id(branch.str());
      one.set_term_number(number);
      one.set_state(Election::REQUESTED);
      one.set_request_number("1");
      one.set_until(DateAt(world.now_ms()));
    });
  };
  const Id election = make(1);
  world.SyncAll();
  std::string id;
  for (const unsigned char byte : meeting.str()) {
    absl::StrAppend(&id, "\\\\x", absl::Hex(byte, absl::kZeroPad2));
  }
  const std::string topic = absl::StrCat("Meeting(b'", id, "').topic");
  Issue(absl::StrReplaceAll(OfElections(absl::StrCat(topic, " == '' || this.answer == '-'"), topic),
                            {{"this.held_on", "this.until"}}));
  suns.Change<Election>(election, [](Election& one) {
    one.set_answer("请补充材料");
    one.set_state(Election::SENT_BACK);
  });
  world.SyncAll();
  EXPECT_THAT(ToldTo(suns), IsEmpty()) << "what they do not hold decides nothing for them";
  make(2);
  world.SyncAll();
  EXPECT_THAT(ToldTo(zhangs), ElementsAre(HasSubstr("支部自己的事"))) << "whose it is";
}

TEST_F(Supplements, NoRuleReachesBackOverWhatWasRecordedOrDoneBeforeIt) {
  Lecture(zhangs, "");
  world.Wait(5 * kDay);
  auto draft = client::IssueSupplement(suns.store(), above, {.title = "新规定", .text = kRules});
  ASSERT_TRUE(draft.ok()) << draft.status();
  suns.Commit({&*draft});
  world.SyncAll();
  world.SyncAll();
  EXPECT_THAT(zhangs.SetAside(), IsEmpty()) << "recorded offline before anybody knew the rule";
  zhangs.Make<Meeting>([&](Meeting& meeting) {
    meeting.set_branch_id(branch.str());
    meeting.set_kind(Meeting::LECTURE);
    meeting.set_state(Meeting::HELD);
    meeting.mutable_starts_at()->set_seconds((world.now_ms() - 2 * kDay) / 1000);
  });
  world.SyncAll();
  EXPECT_THAT(zhangs.SetAside(), IsEmpty()) << "held before";
  Lecture(zhangs, "");
  world.SyncAll();
  EXPECT_THAT(zhangs.SetAside(), SizeIs(1)) << "and of now it judges";
  for (const char* day :
       {"'2099-01-01'", "this.held_on == '' ? '2099-01-01' : '2099-01-01'", "Member(b'x').name"}) {
    EXPECT_THAT(Wrong(absl::StrReplaceAll(OfElections("true"), {{"this.held_on", day}})),
                HasSubstr("day: of a hard check it is a field"))
        << day;
  }
}

TEST_F(Supplements, WhatARuleSaysIsShortAndText) {
  EXPECT_THAT(Wrong(absl::StrReplaceAll(OfElections("true", "this.answer"), {{"{}", "{}{}"}})),
              HasSubstr("{} stands in them once"));
  EXPECT_THAT(Wrong(absl::StrReplaceAll(OfElections("true"), {{"值", "\\xff"}})),
              HasSubstr("zh is no text"));
  EXPECT_THAT(Wrong(absl::StrReplaceAll(OfElections("true"), {{"值", "\\x1f"}})),
              HasSubstr("zh is no text"));
  std::string shown(kRules);
  shown = absl::StrReplaceAll(shown, {{"党课未写讲课人", "长：{}"},
                                      {"the lecture has no lecturer", "long: {}"},
                                      {"field: \"lecturer\"", "shows: \"this.minutes\""}});
  Issue(shown);
  zhangs.Make<Meeting>([&](Meeting& meeting) {
    meeting.set_branch_id(branch.str());
    meeting.set_kind(Meeting::LECTURE);
    meeting.set_state(Meeting::HELD);
    for (int i = 0; i < 100'000; ++i) meeting.mutable_minutes()->append("记");
    meeting.mutable_starts_at()->set_seconds(world.now_ms() / 1000);
  });
  world.SyncAll();
  ASSERT_THAT(ToldTo(zhangs), ElementsAre(HasSubstr("记…")));
  EXPECT_LT(ToldTo(zhangs)[0].size(), 2 * kDetailBytesMax + 2);
}

TEST_F(Supplements, ItsRegularExpressionsAreFewAndSmall) {
  const auto matching = [&](const std::string& pattern, int times) {
    std::string all = "true";
    for (int i = 0; i < times; ++i)
      absl::StrAppend(&all, " && this.answer.matches('", pattern, "')");
    return OfElections(all);
  };
  EXPECT_EQ(Wrong(matching("^第[0-9]+号$", 3)), "");
  EXPECT_THAT(Wrong(matching("(abc){999}", 1)), HasSubstr("regular expression"));
  EXPECT_THAT(Wrong(matching("x{150}", 20)), HasSubstr("too large together"));
  EXPECT_THAT(Wrong(matching("x", 95)), HasSubstr("too large together")) << "each takes memory";
  // Together: not each check or obligation by itself.
  std::string many;
  for (int i = 0; i < 15; ++i) {
    absl::StrAppend(&many, absl::StrReplaceAll(matching("x{150}", 1),
                                               {{"local.e", absl::StrCat("local.e", i)}}));
  }
  EXPECT_THAT(Wrong(many), HasSubstr("too large together"));
}

TEST_F(Supplements, OnlyTheTextsThatAreAskedForAreKept) {
  const auto padded = [&](int number) {
    return absl::StrCat(OfElections("true"), "\n# ", number, std::string(15'000, 'x'));
  };
  const rules::BookPtr first = rules::CompileSupplement(padded(0)).value();
  const rules::BookPtr used = rules::CompileSupplement(padded(1)).value();
  EXPECT_EQ(rules::CompileSupplement(padded(0)).value(), first) << "compiled once";
  for (int i = 2; i < 60; ++i) {
    ASSERT_TRUE(rules::CompileSupplement(padded(i)).ok());
    EXPECT_EQ(rules::CompileSupplement(padded(1)).value(), used) << i;
  }
  EXPECT_NE(rules::CompileSupplement(padded(0)).value(), first) << "it is not held for ever";
}

TEST_F(Supplements, BeyondTheBudgetOfOneEditAddedRulesRefuseNothingAndThatIsSaid) {
  const std::string ten = "[0,1,2,3,4,5,6,7,8,9]";
  std::string burning;
  for (int i = 0; i < 20; ++i) {
    absl::StrAppend(&burning, R"(check { key: "local.b)", i, R"(" of: "Meeting" hard: true
      words { zh: "甲" en: "a" } source: "s" certainty: SURE day: "this.starts_at" holds: ")",
                    ten, ".all(a, ", ten, ".all(b, ", ten, ".all(c, ", ten,
                    ".all(d, true))))\" }\n");
  }
  Issue(burning);
  world.Wait(1'000);
  Issue();
  world.Wait(1'000);
  Lecture(zhangs, "");
  world.SyncAll();
  EXPECT_THAT(zhangs.SetAside(), IsEmpty()) << "the other rule would have refused it";
  const auto here = client::WhatIsIrregular(zhangs.store());
  ASSERT_TRUE(here.ok()) << here.status();
  EXPECT_THAT(here->faults, Contains(HasSubstr("all added rules have together")));
}

TEST_F(Supplements, AnImportIsCheckedByThemAsItIsCommitted) {
  Issue(absl::StrReplaceAll(kRules, {{"this.lecturer != ''", "this.topic == '学习'"}}));
  const rules::Ledger* ledger = rules::ShippedBook().FindLedger("meeting.life");
  ASSERT_NE(ledger, nullptr);
  const std::string table =
      absl::StrCat("会议类型,时间,主题\r\n党课,", DateAt(world.now_ms() + kDay), ",学习\r\n党课,",
                   DateAt(world.now_ms() + 2 * kDay), ",闲谈\r\n");
  const auto taken = client::TakeIn(
      zhangs.store(), {.ledger = ledger, .organisation = branch, .check = true}, table);
  ASSERT_TRUE(taken.ok()) << taken.status();
  ASSERT_THAT(taken->rows, SizeIs(2));
  EXPECT_EQ(taken->rows[0].fate, client::IntakeRow::Fate::kMade);
  EXPECT_EQ(taken->rows[1].fate, client::IntakeRow::Fate::kWrong);
  EXPECT_EQ(taken->rows[1].notes.back().words.en(), "the lecture has no lecturer");
}

TEST_F(Supplements, WhatItsObligationsCostAPhoneIsBoundedAndSaid) {
  EXPECT_THAT(Wrong(absl::StrReplaceAll(kRules, {{"who: SEC", "warn_days: 400 who: SEC"}})),
              HasSubstr("warn_days: 400 days > 366"));
  const std::string ten = "[0,1,2,3,4,5,6,7,8,9]";
  const std::string burning = absl::StrCat("this.kind != LECTURE || ", ten, ".all(a, ", ten,
                                           ".all(b, ", ten, ".all(c, ", ten, ".all(d, true))))");
  std::string text;
  for (int i = 0; i < 20; ++i) {
    absl::StrAppend(&text, R"(obligation { key: "local.o)", i, R"(" words { zh: "甲" en: "a" }
      source: "s" certainty: SURE each: "Meeting" where: ")",
                    burning, R"(" counts_from: "registered"
      due_on: "from" who: SECRETARY next { zh: "甲" en: "a" } })");
  }
  Issue(text);
  for (int i = 0; i < 60; ++i) Lecture(zhangs, "孙书记");
  const auto due = client::WhatIsDue(zhangs.store(), DayFrom(DateAt(world.now_ms())));
  ASSERT_TRUE(due.ok()) << due.status();
  EXPECT_THAT(due->list.faults, Contains(HasSubstr("all added rules have together")));
}

}  // namespace
}  // namespace zhibu::test
