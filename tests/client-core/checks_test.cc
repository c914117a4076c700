// What the rule book forbids is refused on the phone at once, and by the server of whoever has
// other software; what was done on paper is entered late with its reason, and shown to be
// irregular.
#include "client-core/actions/checks.h"

#include "absl/strings/str_cat.h"
#include "sync/base/date.h"
#include "sync/base/reason.h"
#include "sync/wire/record.h"
#include "tests/support/village.h"

namespace zhibu::test {
namespace {

using records::v1::DevelopmentCase;
using records::v1::DevelopmentStep;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class Checks : public Village {
 protected:
  // Zhang's phone, as an app has it: it judges. The one of zhangs is as anybody's may be.
  Checks() {
    case_ = zhangs.Make<DevelopmentCase>([&](DevelopmentCase& one) {
      one.set_member_id(wang.str());
      one.set_lead_branch_id(branch.str());
      one.set_attempt(1);
      one.set_stage(DevelopmentCase::ACTIVIST);
      one.set_activist_since(DayBefore(200));
    });
    DevelopmentCase made;
    made.set_member_id(wang.str());
    case_ = DeriveId(*world.schema()->Find(DevelopmentCase::descriptor()), made.SerializeAsString())
                .value();
    world.SyncAll();
    Reopen();
  }
  void Reopen() {
    store.reset();
    auto opened = client::Store::Open({.file = zhangs.file(),
                                       .schema = world.schema(),
                                       .environment = zhangs.store().environment(),
                                       .key = kPhoneKey});
    ASSERT_TRUE(opened.ok()) << opened.status();
    store = *std::move(opened);
  }

  std::string DayBefore(int days) { return DateAt(world.now_ms() - days * kDay); }
  void Candidate(DevelopmentStep* step, const std::string& on, const std::string& because = "") {
    step->set_case_id(case_.str());
    step->set_attempt(1);
    step->set_step(DevelopmentStep::CANDIDATE_CHOSEN);
    step->set_member_id(wang.str());
    step->set_branch_id(branch.str());
    step->set_done_on(on);
    step->set_state(DevelopmentStep::RECORDED);
    if (!because.empty()) step->set_irregular_because(because);
  }
  absl::Status Try(const std::string& on, const std::string& because = "") {
    client::Draft draft = store->New<DevelopmentStep>();
    Candidate(&draft.message<DevelopmentStep>(), on, because);
    absl::Status status = store->Commit({&draft}).status();
    step = draft.id();
    return status;
  }
  static std::string ReasonIn(const absl::Status& status) {
    return status.ok() ? "COMMITTED" : sync::v1::Reason_Name(ReasonOf(status).reason);
  }
  // "dev.observed: 因故", of the hard ones.
  std::vector<std::string> Irregular(client::Store& on) {
    const auto found = client::WhatIsIrregular(on);
    EXPECT_TRUE(found.ok()) << found.status();
    EXPECT_THAT(found->faults, IsEmpty());
    std::vector<std::string> lines;
    for (const client::Irregular& one : found->records) {
      if (!one.finding.check->text.hard()) continue;
      lines.push_back(absl::StrCat(one.finding.check->text.key(), ": ", one.because));
    }
    return lines;
  }

  Id case_;
  Id step;
  std::unique_ptr<client::Store> store;
};

// Case 10 of the domain's worked examples.
TEST_F(Checks, Case10ACandidateTooEarlyIsRefusedOnThePhoneInWords) {
  const absl::Status status = Try(DayBefore(0));
  EXPECT_EQ(ReasonIn(status), "AGAINST_A_RULE");
  const Refused refused = ReasonOf(status);
  const Words words = WordsFor(refused.reason, refused.detail);
  EXPECT_THAT(words.zh(), HasSubstr("确定为积极分子满一年（"));
  EXPECT_THAT(words.zh(), HasSubstr("发展党员步骤·日期; dev.observed; FZ14, FZ26 art.13"));
  EXPECT_THAT(words.en(), HasSubstr("a candidate has been an activist for a year: from "));
  EXPECT_THAT(words.en(), HasSubstr("Development step: done on; dev.observed"));
  EXPECT_EQ(store->State()->unsent, 0u) << "nothing of it stays";
}

TEST_F(Checks, Case10WhatWasDoneOnPaperIsEnteredWithItsReasonAndShownToBeIrregular) {
  EXPECT_EQ(ReasonIn(Try(DayBefore(10))), "AGAINST_A_RULE") << "nobody says why";
  EXPECT_EQ(ReasonIn(Try(DayBefore(10), "按当时县里的口径办理")), "COMMITTED");
  EXPECT_THAT(Irregular(*store), ElementsAre("dev.observed: 按当时县里的口径办理"));
  ExpectConverged();
  EXPECT_THAT(zhangs.SetAside(), IsEmpty()) << "the server takes it too";
  EXPECT_THAT(Irregular(lis.store()), ElementsAre("dev.observed: 按当时县里的口径办理"));
}

TEST_F(Checks, AReasonExcusesNothingThatIsDoneTodayOrTomorrow) {
  EXPECT_EQ(ReasonIn(Try(DayBefore(0), "急")), "AGAINST_A_RULE");
  EXPECT_EQ(ReasonIn(Try(DayBefore(-3), "急")), "AGAINST_A_RULE");
}

TEST_F(Checks, ThePhoneJudgesByWhatIsUnsentToo) {
  auto draft = store->Edit<DevelopmentCase>(case_);
  ASSERT_TRUE(draft.ok());
  draft->message<DevelopmentCase>().set_activist_since(DayBefore(400));
  ASSERT_TRUE(store->Commit({&*draft}).ok());
  EXPECT_EQ(ReasonIn(Try(DayBefore(0))), "COMMITTED");
  ExpectConverged();
  EXPECT_THAT(zhangs.SetAside(), IsEmpty());
}

TEST_F(Checks, WhatOneEditSaysTogetherIsJudgedTogether) {
  auto one = store->Edit<DevelopmentCase>(case_);
  ASSERT_TRUE(one.ok());
  one->message<DevelopmentCase>().set_activist_since(DayBefore(400));
  client::Draft draft = store->New<DevelopmentStep>();
  Candidate(&draft.message<DevelopmentStep>(), DayBefore(0));
  EXPECT_EQ(ReasonIn(store->Commit({&draft, &*one}).status()), "COMMITTED");
  ExpectConverged();
  EXPECT_THAT(zhangs.SetAside(), IsEmpty());
}

TEST_F(Checks, WhatIsDoneOnADayIsJudgedByThatDayHoweverLateItArrives) {
  EXPECT_EQ(ReasonIn(Try(DayBefore(10), "补录")), "COMMITTED");
  world.Wait(30 * kDay);
  ExpectConverged();
  EXPECT_THAT(zhangs.SetAside(), IsEmpty());
}

// A phone that does not judge, or that has other software.
TEST_F(Checks, TheServerReturnsItInTheSameWords) {
  const absl::Status refused = Try(DayBefore(0));
  zhangs.Make<DevelopmentStep>([&](DevelopmentStep& draft) { Candidate(&draft, DayBefore(0)); });
  world.SyncAll();
  EXPECT_THAT(zhangs.SetAside(), Contains(HasSubstr("RETURNED AGAINST_A_RULE")));
  std::string detail;
  ASSERT_TRUE(
      zhangs.store()
          .ListSetAside([&](const client::SetAside& item) { detail = item.answer.detail(); })
          .ok());
  EXPECT_EQ(detail, ReasonOf(refused).detail);
  EXPECT_TRUE(world.Get<DevelopmentStep>(step).done_on().empty());
}

TEST_F(Checks, ACorrectionOfAnOldMistakeIsTaken) {
  EXPECT_EQ(ReasonIn(Try(DayBefore(0))), "AGAINST_A_RULE");
  zhangs.Change<DevelopmentCase>(
      case_, [&](DevelopmentCase& one) { one.set_activist_since(DayBefore(400)); });
  zhangs.Make<DevelopmentStep>([&](DevelopmentStep& draft) { Candidate(&draft, DayBefore(10)); });
  world.SyncAll();
  ASSERT_THAT(zhangs.SetAside(), IsEmpty());
  // It turns out that they had been an activist for less.
  zhangs.Change<DevelopmentCase>(
      case_, [&](DevelopmentCase& one) { one.set_activist_since(DayBefore(200)); });
  world.SyncAll();
  Reopen();
  EXPECT_THAT(Irregular(*store), ElementsAre("dev.observed: "));
  const auto change = [&](const std::function<void(DevelopmentStep&)>& how) {
    auto draft = store->Edit<DevelopmentStep>(step);
    EXPECT_TRUE(draft.ok());
    how(draft->message<DevelopmentStep>());
    return ReasonIn(store->Commit({&*draft}).status());
  };
  EXPECT_EQ(change([](DevelopmentStep& s) { s.set_opinion("同意"); }), "COMMITTED");
  EXPECT_EQ(change([](DevelopmentStep& s) { s.set_result(DevelopmentStep::PASSED); }), "COMMITTED")
      << "it reads the result, and was broken before";
  EXPECT_EQ(change([](DevelopmentStep& s) { s.set_irregular_because("当时日期记错"); }),
            "COMMITTED");
  EXPECT_EQ(change([](DevelopmentStep& s) { s.clear_irregular_because(); }), "AGAINST_A_RULE")
      << "who has said why does not take it back";
  ExpectConverged();
  EXPECT_THAT(zhangs.SetAside(), IsEmpty());
  EXPECT_THAT(Irregular(*store), ElementsAre("dev.observed: 当时日期记错"));
}

TEST_F(Checks, WhatAnotherRecordWouldTellAndIsNotHereTheServerJudges) {
  const std::string today = DayBefore(0);
  auto fresh = client::Store::Open({.file = absl::StrCat(zhangs.file(), "-fresh"),
                                    .schema = world.schema(),
                                    .environment = zhangs.store().environment(),
                                    .key = kPhoneKey});
  ASSERT_TRUE(fresh.ok()) << fresh.status();
  client::Draft draft = (*fresh)->New<DevelopmentStep>();
  Candidate(&draft.message<DevelopmentStep>(), today);
  EXPECT_EQ(ReasonIn((*fresh)->Commit({&draft}).status()), "COMMITTED");
}

TEST_F(Checks, ASoftOneRefusesNothingAndIsShown) {
  client::Draft draft = store->New<Flow>();
  auto& stay = draft.message<Flow>();
  stay.set_member_id(wang.str());
  stay.set_home_branch_id(branch.str());
  stay.set_left("2026-11-20");
  stay.set_expected_back("2026-10-20");
  stay.set_state(Flow::REPORTED);
  EXPECT_EQ(ReasonIn(store->Commit({&draft}).status()), "COMMITTED");
  ExpectConverged();
  EXPECT_THAT(zhangs.SetAside(), IsEmpty());
  const auto found = client::WhatIsIrregular(*store);
  ASSERT_TRUE(found.ok()) << found.status();
  std::vector<std::string> keys;
  for (const client::Irregular& one : found->records) keys.push_back(one.finding.check->text.key());
  EXPECT_THAT(keys, Contains("order.stay"));
}

// ---- What a record points at (K6 of the field cases) -----------------------------------------

class References : public Village {
 protected:
  std::string Fate(Phone& phone) {
    world.SyncAll();
    const std::vector<std::string> aside = phone.SetAside();
    return aside.empty() ? "" : aside.back().substr(aside.back().find(' ') + 1);
  }
  Id Talk(Phone& phone, const Id& flow) {
    return phone.Make<Contact>([&](Contact& contact) {
      contact.set_flow_id(flow.str());
      contact.set_member_id(wang.str());
      contact.set_branch_id(branch.str());
    });
  }
};

TEST_F(References, WhatPointsAtNothingComesBackInWords) {
  Talk(zhangs, zhang);  // the id of a person, not of a stay
  EXPECT_EQ(Fate(zhangs), "RETURNED POINTS_NOWHERE");
  zhangs.Make<DuesPayment>([&](DuesPayment& paid) {
    paid.set_member_id(wang.str());
    paid.set_branch_id(branch.str());
    paid.set_amount_fen(-2000);
    paid.set_month("2026-11");
    paid.set_reverses_id(zhang.str());
  });
  EXPECT_EQ(Fate(zhangs), "RETURNED BAD_VALUE");
}

TEST_F(References, WhatPointsAtAnothersStayIsAnsweredAsThoughItWereNotThere) {
  const Id other = world.Branch("竹溪村党支部");
  const Id sun = world.Person("孙", other);
  world.Appoint(sun, other, SECRETARY);
  Phone& suns = world.Enrol(sun);
  world.SyncAll();
  const Id theirs = suns.Make<Flow>([&](Flow& stay) {
    stay.set_member_id(sun.str());
    stay.set_home_branch_id(other.str());
    stay.set_state(Flow::REPORTED);
  });
  world.SyncAll();
  Talk(zhangs, theirs);
  EXPECT_EQ(Fate(zhangs), "RETURNED POINTS_NOWHERE");
}

TEST_F(References, WhatIsThereIsTakenAndIsMadeInOneEditToo) {
  const Id stay = zhangs.Make<Flow>([&](Flow& made) {
    made.set_member_id(wang.str());
    made.set_home_branch_id(branch.str());
    made.set_state(Flow::REPORTED);
  });
  Talk(zhangs, stay);
  EXPECT_EQ(Fate(zhangs), "");
  auto first = zhangs.store().New<Flow>();
  first.message<Flow>().set_member_id(wang.str());
  first.message<Flow>().set_home_branch_id(branch.str());
  first.message<Flow>().set_state(Flow::REPORTED);
  auto second = zhangs.store().New<Contact>();
  second.message<Contact>().set_flow_id(first.id().str());
  second.message<Contact>().set_member_id(wang.str());
  second.message<Contact>().set_branch_id(branch.str());
  zhangs.Commit({&second, &first});
  EXPECT_EQ(Fate(zhangs), "");
  ExpectConverged();
}

}  // namespace
}  // namespace zhibu::test
