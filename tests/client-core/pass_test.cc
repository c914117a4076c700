// A pass shown and verified with no network: each row of the table in docs/flow.md.
#include "client-core/actions/pass.h"

#include "sync/base/reason.h"
#include "sync/crypto/pass.h"
#include "tests/support/migration.h"

namespace zhibu::test {
namespace {

using client::PassStanding;
using client::ShowPass;
using client::VerifyPass;
using ::testing::ElementsAre;
using ::testing::Pair;
using ::testing::SizeIs;

class PassTest : public Migration {
 protected:
  PassTest() { world.SyncAll(); }

  Id Issue(const std::string& from, const std::string& until) {
    return zhangs.Make<Pass>([&](Pass& pass) {
      pass.set_number("青石 001");
      pass.set_member_id(wang.str());
      pass.set_branch_id(branch.str());
      pass.set_from(from);
      pass.set_until(until);
      pass.set_state(Pass::ISSUED);
    });
  }
  std::string Shown() {
    const auto shown = ShowPass(wangs.store(), wang);
    EXPECT_TRUE(shown.ok()) << shown.status();
    return shown.ok() ? shown->text : "";
  }
  // By the host's device, which is never synced for it.
  PassStanding Verified(const std::string& text) {
    const auto checked = VerifyPass(chens.store(), text);
    EXPECT_TRUE(checked.ok()) << checked.status();
    return checked.ok() ? checked->standing : PassStanding::kForged;
  }
};

TEST_F(PassTest, AHostThatHasNeverHeardOfTheMemberVerifiesThePassOffline) {
  Issue("2026-11-18", "2027-11-17");
  ASSERT_EQ(world.Sync(zhangs), absl::OkStatus());
  ASSERT_EQ(world.Sync(wangs), absl::OkStatus());
  const std::string text = Shown();
  EXPECT_FALSE(chens.Has<Member>(wang));
  const auto checked = VerifyPass(chens.store(), text);
  ASSERT_TRUE(checked.ok()) << checked.status();
  EXPECT_EQ(checked->standing, PassStanding::kValid);
  EXPECT_EQ(checked->token.name(), "王");
  EXPECT_EQ(checked->token.issuer(), "青石村党支部");
  EXPECT_EQ(checked->token.member_id(), wang.str());
}

TEST_F(PassTest, BeforeItsFirstDayAndAfterItsLastItIsNotValid) {
  Issue("2026-11-20", "2026-11-21");
  world.SyncAll();
  const std::string text = Shown();
  EXPECT_EQ(Verified(text), PassStanding::kNotYet);
  world.Wait(2 * kDay);
  EXPECT_EQ(Verified(text), PassStanding::kValid);
  world.Wait(kDay);
  EXPECT_EQ(Verified(text), PassStanding::kValid);
  world.Wait(kDay);
  EXPECT_EQ(Verified(text), PassStanding::kExpired);
}

TEST_F(PassTest, AHostsClockThatIsKnownToBeYearsOffJudgesByTheServersTime) {
  Issue("2026-11-18", "2027-11-17");
  chens.clock_error_ms() = 3650 * kDay;
  world.SyncAll();
  EXPECT_EQ(Verified(Shown()), PassStanding::kValid);
}

TEST_F(PassTest, WithAnotherNameOrLongerDaysItIsForged) {
  Issue("2026-11-18", "2027-11-17");
  world.SyncAll();
  auto token = *PassFromText(Shown());
  token.set_until("2037-11-17");
  EXPECT_EQ(Verified(ToText(token)), PassStanding::kForged);
}

TEST_F(PassTest, APassOfAnotherServerIsNotTakenForAForgery) {
  World other(99);
  other.Branch("别处");
  Issue("2026-11-18", "2027-11-17");
  world.SyncAll();
  auto token = *PassFromText(Shown());
  token = SignPass(
      token,
      other.Enrol(other.Person("孙", other.Branch("远方"))).store().GetIdentity()->secret_key);
  EXPECT_EQ(Verified(ToText(token)), PassStanding::kOtherServer);
}

TEST_F(PassTest, ARevokedOneIsKnownWhereTheHostHasHeardOfIt) {
  const Id pass = Issue("2026-11-18", "2027-11-17");
  world.SyncAll();
  const std::string text = Shown();
  zhangs.Change<Pass>(pass, [](Pass& p) { p.set_state(Pass::REVOKED); });
  world.SyncAll();
  // The member is no guest of this branch: nothing of it is here, and it looks valid.
  EXPECT_EQ(Verified(text), PassStanding::kValid);
  Stay();
  EXPECT_EQ(Verified(text), PassStanding::kRevoked);
  EXPECT_TRUE(absl::IsNotFound(ShowPass(wangs.store(), wang).status()));
}

TEST_F(PassTest, WhatIsNoPassIsRefusedInWords) {
  EXPECT_EQ(ReasonOf(VerifyPass(chens.store(), "https://example.invalid/").status()).reason,
            sync::v1::PASS_INVALID);
}

TEST_F(PassTest, ItIsShownOnceTheServerHasSignedIt) {
  EXPECT_TRUE(absl::IsNotFound(ShowPass(zhangs.store(), wang).status()));
  Issue("2026-11-18", "2027-11-17");
  EXPECT_TRUE(absl::IsFailedPrecondition(ShowPass(zhangs.store(), wang).status()));
  ASSERT_EQ(world.Sync(zhangs), absl::OkStatus());
  EXPECT_TRUE(ShowPass(zhangs.store(), wang).ok());
}

TEST_F(PassTest, OfSeveralTheOneThatRunsLongestIsShown) {
  Issue("2026-11-18", "2027-11-17");
  const Id longest = Issue("2026-11-18", "2028-11-17");
  Issue("2026-11-18", "2027-05-17");
  world.SyncAll();
  EXPECT_EQ(ShowPass(wangs.store(), wang)->id, longest);
}

TEST_F(PassTest, ItGoesWithTheActivitiesAndDuesOfItsDays) {
  Issue("2026-11-18", "2027-11-17");
  for (const auto& [month, fen] :
       {std::pair("2026-10", 100), std::pair("2026-11", 500), std::pair("2026-11", -200)}) {
    wangs.Make<DuesPayment>([&, m = month, f = fen](DuesPayment& payment) {
      payment.set_member_id(wang.str());
      payment.set_branch_id(branch.str());
      payment.set_amount_fen(f);
      payment.set_month(m);
    });
  }
  for (const int64_t at : {world.now_ms() / 1000, world.now_ms() / 1000 - 30 * 86'400}) {
    wangs.Make<CheckIn>([&](CheckIn& check_in) {
      check_in.set_activity_id(MakeMeeting(zhangs).str());
      check_in.set_member_id(wang.str());
      check_in.set_branch_id(branch.str());
      check_in.mutable_at()->set_seconds(at);
    });
  }
  EXPECT_EQ(world.Sync(zhangs), absl::OkStatus());  // of whose meetings they are
  world.SyncAll();
  const auto shown = ShowPass(wangs.store(), wang);
  ASSERT_TRUE(shown.ok()) << shown.status();
  EXPECT_THAT(shown->activities, SizeIs(1));
  EXPECT_THAT(shown->dues_fen, ElementsAre(Pair("2026-11", 300)));
}

}  // namespace
}  // namespace zhibu::test
