// Both sides together: what people do on their phones, and what becomes of it.
#include <algorithm>

#include "sync/reason.h"
#include "tests/support/village.h"

namespace zhibu::test {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

using Sync = Village;

// ---- A day in the branch -------------------------------------------------------

TEST_F(Sync, WhatThreePeopleRecordOfflineIsOneAndTheSameForAllOnceTheyHaveConnected) {
  const Id meeting = MakeMeeting(zhangs);
  world.SyncAll();

  zhangs.Change<Meeting>(meeting, [&](Meeting& m) {
    m.set_place("礼堂");
    m.add_present(zhang.str());
  });
  world.Wait(1'000);
  lis.Change<Meeting>(meeting, [&](Meeting& m) {
    m.set_place("村委会");
    m.add_present(li.str());
  });
  wangs.Make<CheckIn>([&](CheckIn& c) {
    c.set_activity_id(meeting.str());
    c.set_member_id(wang.str());
    c.set_branch_id(branch.str());
    c.set_how(CheckIn::BY_SELF);
  });
  wangs.Make<DuesPayment>([&](DuesPayment& d) {
    d.set_member_id(wang.str());
    d.set_branch_id(branch.str());
    d.set_amount_fen(500);
    d.set_month("2026-11");
  });
  ExpectConverged();

  for (Phone* phone : {&zhangs, &lis, &wangs}) {
    const Meeting seen = phone->Get<Meeting>(meeting);
    EXPECT_EQ(seen.place(), "村委会");
    EXPECT_THAT(seen.present(), UnorderedElementsAre(zhang.str(), li.str()));
  }
  for (Phone* phone : {&zhangs, &lis}) {
    ASSERT_THAT(phone->All<ConflictNote>(), SizeIs(1));
    const ConflictNote note = phone->All<ConflictNote>()[0];
    EXPECT_EQ(note.field(), "place");
    EXPECT_EQ(note.kept(), "\"村委会\"");
    EXPECT_EQ(note.lost(), "\"礼堂\"");
    EXPECT_EQ(note.kept_by_id(), li.str());
    EXPECT_EQ(note.lost_by_id(), zhang.str());
    EXPECT_THAT(phone->All<CheckIn>(), SizeIs(1));
    EXPECT_THAT(phone->All<DuesPayment>(), SizeIs(1));
  }
  EXPECT_THAT(wangs.All<ConflictNote>(), IsEmpty());
  EXPECT_THAT(wangs.All<DuesPayment>(), SizeIs(1));
}

TEST_F(Sync, WhoeverConnectsFirstTheOutcomeIsTheSame) {
  std::vector<std::string> first;
  for (const bool deputy_first : {false, true}) {
    World other(42);
    const Id home = other.Branch("支部");
    const Id a = other.Person("甲", home);
    const Id b = other.Person("乙", home);
    other.Appoint(a, home, SECRETARY);
    other.Appoint(b, home, DEPUTY);
    Phone& as = other.Enrol(a);
    Phone& bs = other.Enrol(b);
    other.SyncAll();
    const Id meeting = as.Make<Meeting>([&](Meeting& m) { m.set_branch_id(home.str()); });
    other.SyncAll();
    as.Change<Meeting>(meeting, [](Meeting& m) { m.set_place("一"); });
    other.Wait(5);
    bs.Change<Meeting>(meeting, [](Meeting& m) { m.set_place("二"); });
    EXPECT_EQ(other.Sync(deputy_first ? bs : as), absl::OkStatus());
    other.SyncAll();
    EXPECT_EQ(as.Get<Meeting>(meeting).place(), "二");
    if (first.empty()) first = as.View();
    EXPECT_EQ(as.View(), first);
    EXPECT_EQ(bs.View(), other.ViewOf(b));
  }
}

TEST_F(Sync, ATypeThatOnlyATestDeclaresSyncsLikeAnyOther) {
  const Id bicycle = zhangs.Make<Bicycle>([&](Bicycle& b) {
    b.set_branch_id(branch.str());
    b.set_colour("黑");
  });
  world.SyncAll();
  zhangs.Change<Bicycle>(bicycle, [](Bicycle& b) { b.add_riders("张"); });
  lis.Change<Bicycle>(bicycle, [](Bicycle& b) { b.add_riders("李"); });
  ExpectConverged();
  EXPECT_THAT(wangs.Get<Bicycle>(bicycle).riders(), UnorderedElementsAre("张", "李"));
}

TEST_F(Sync, ACheckInByTheMemberAndARollCallByTheSecretaryAreOneRecord) {
  const Id meeting = MakeMeeting(zhangs);
  world.SyncAll();
  const auto check_in = [&](CheckIn::How how, int64_t at) {
    return [&, how, at](CheckIn& c) {
      c.set_activity_id(meeting.str());
      c.set_member_id(wang.str());
      c.set_branch_id(branch.str());
      c.set_how(how);
      c.mutable_at()->set_seconds(at);
    };
  };
  const Id by_self = wangs.Make<CheckIn>(check_in(CheckIn::BY_SELF, 1000));
  const Id by_call = zhangs.Make<CheckIn>(check_in(CheckIn::ROLL_CALL, 2000));
  EXPECT_EQ(by_self, by_call);
  ExpectConverged();
  EXPECT_EQ(lis.Get<CheckIn>(by_self).at().seconds(), 1000);
}

// ---- Lost answers, cut streams, killed processes --------------------------------

TEST_F(Sync, AnAnswerIsLostTheEditIsNotTakenTwice) {
  const Id sampler = MakeSampler(zhangs);
  world.SyncAll();
  AddTo(zhangs, sampler, 5);
  {
    Stream stream(&world, &zhangs);
    while (stream.StepClient() || stream.StepServer()) {
      if (world.Get<Sampler>(sampler).sum() == 5) break;  // it is in; the answer is not sent
    }
  }
  EXPECT_EQ(zhangs.State().unsent, 1u);
  ExpectConverged();
  EXPECT_EQ(world.Get<Sampler>(sampler).sum(), 5);
  EXPECT_EQ(zhangs.Get<Sampler>(sampler).sum(), 5);
  EXPECT_THAT(world.AuditOf(zhangs.number()), SizeIs(2));
}

class CutAnywhere : public Village, public ::testing::WithParamInterface<std::tuple<bool, bool>> {};

// Cut after 0, 1, 2 … frames until a whole session needs fewer.
TEST_P(CutAnywhere, TheNextSessionGoesOnFromThereAndNothingIsLostOrDoubled) {
  const auto [server_first, crash] = GetParam();
  const Id sampler = MakeSampler(zhangs);
  const Id a = MakeMeeting(lis, "甲");
  const Id b = MakeMeeting(lis, "乙");
  world.SyncAll();
  world.limits.update_bytes = 1;
  int64_t sum = 0;
  int cut = 0;
  for (bool cut_off = true; cut_off; ++cut) {
    ASSERT_LT(cut, 200);
    for (int i = 0; i < 3; ++i) {
      AddTo(zhangs, sampler, ++sum % 7);
      AddTo(lis, sampler, 100);
    }
    SetBoth(lis, a, b, absl::StrCat(cut));
    EXPECT_EQ(world.Sync(lis), absl::OkStatus());
    cut_off = world.SyncCutAfter(zhangs, cut, server_first);
    if (crash) zhangs.Crash();
    EXPECT_EQ(zhangs.Get<Meeting>(a).place(), zhangs.Get<Meeting>(b).place());
  }
  EXPECT_GT(cut, 6);
  ExpectConverged();
  int64_t expected = 300 * cut;
  for (int64_t i = 1; i <= sum; ++i) expected += i % 7;
  EXPECT_EQ(world.Get<Sampler>(sampler).sum(), expected);
  EXPECT_EQ(zhangs.Get<Sampler>(sampler).sum(), expected);
}

INSTANTIATE_TEST_SUITE_P(Sync, CutAnywhere,
                         ::testing::Combine(::testing::Bool(), ::testing::Bool()));

TEST_F(Sync, AnEditOverTwoRecordsNeverShowsHalfOnAnotherPhone) {
  world.limits.update_bytes = 1;
  const Id a = MakeMeeting(zhangs, "甲");
  const Id b = MakeMeeting(zhangs, "乙");
  for (int i = 0; i < 5; ++i) {
    SetBoth(zhangs, a, b, absl::StrCat("礼堂", i));
    EXPECT_EQ(world.Sync(zhangs), absl::OkStatus());
    if (i % 2 == 0) {
      for (int noise = 0; noise < 3; ++noise) MakeMeeting(zhangs, "别的");
    }
  }
  int looks = 0;
  const auto subscription = wangs.store().Subscribe([&](const client::Changes&) {
    ++looks;
    EXPECT_EQ(wangs.Get<Meeting>(a).place(), wangs.Get<Meeting>(b).place());
    EXPECT_EQ(wangs.Has<Meeting>(a), wangs.Has<Meeting>(b));
  });
  EXPECT_EQ(world.Sync(wangs), absl::OkStatus());
  EXPECT_GT(looks, 3);
  ExpectConverged();
}

TEST_F(Sync, AFirstSyncInChunksGoesOnAfterACrashBetweenTwoOfThem) {
  world.limits.update_bytes = 200;
  for (int i = 0; i < 50; ++i) MakeMeeting(zhangs, absl::StrCat("第", i, "次会议"));
  EXPECT_EQ(world.Sync(zhangs), absl::OkStatus());
  const Id chen = world.Person("陈", branch);
  Phone& chens = world.Enrol(chen);
  size_t before = 0;
  int rounds = 0;
  while (world.SyncCutAfter(chens, 6)) {
    chens.Crash();
    ASSERT_LT(++rounds, 100);
    EXPECT_GE(chens.View().size(), before);
    before = chens.View().size();
  }
  EXPECT_GT(rounds, 5);
  ExpectConverged();
}

TEST_F(Sync, MoreEditsThanOneFrameHoldsAreAllSent) {
  std::vector<Id> meetings;
  for (int i = 0; i < 3000; ++i) meetings.push_back(MakeMeeting(zhangs, ""));
  EXPECT_EQ(world.Sync(zhangs), absl::OkStatus());
  for (const Id& id : meetings) zhangs.Delete<Meeting>(id);
  EXPECT_EQ(world.Sync(zhangs), absl::OkStatus());
  EXPECT_EQ(zhangs.State().unsent, 0u);
  EXPECT_THAT(zhangs.All<Meeting>(), IsEmpty());
}

}  // namespace
}  // namespace zhibu::test
