// Both sides together: what people do on their phones, and what becomes of it.
#include <algorithm>

#include "sync/base/reason.h"
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
    c.add_ways()->set_how(CheckIn::BY_SELF);
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

// ---- Fewer bytes -------------------------------------------------------------------

TEST_F(Sync, WhatAPhoneMadeIsThereThoughItIsNotSentBack) {
  Stream stream(&world, &zhangs);
  stream.Run();
  const Id meeting = MakeMeeting(zhangs);
  const Id sampler = MakeSampler(zhangs);
  int as_made = 0;
  int groups = 0;
  stream.watch = [&](const sync::v1::ServerFrame& frame) {
    for (const auto& answer : frame.update().answers()) as_made += answer.as_made_at() != 0 ? 1 : 0;
    groups += frame.update().groups_size();
  };
  stream.Run();
  EXPECT_EQ(as_made, 2);
  EXPECT_EQ(groups, 0);
  EXPECT_THAT(world.Differences(zhangs), IsEmpty());
  EXPECT_EQ(zhangs.State().unsent, 0u);
  // Later changes are made on it, by others and by itself.
  ASSERT_EQ(world.Sync(lis), absl::OkStatus());
  lis.Change<Meeting>(meeting, [](Meeting& m) { m.set_place("祠堂"); });
  AddTo(zhangs, sampler, 3);
  ExpectConverged();
}

sync::v1::Update SaysItStandsAsMade(const sync::v1::NumberedEdit& edit) {
  sync::v1::Update update;
  auto& answer = *update.add_answers();
  answer.set_number(edit.number());
  answer.set_link(LinkTo(edit.edit()));
  answer.set_verdict(sync::v1::MERGED);
  answer.set_as_made_at(1);
  return update;
}

TEST_F(Sync, AServerThatSaysOfAChangeThatItStandsAsMadeIsNotBelieved) {
  const Id meeting = MakeMeeting(zhangs);
  world.SyncAll();
  zhangs.Change<Meeting>(meeting, [](Meeting& m) { m.set_place("祠堂"); });
  const auto edit = zhangs.store().Pending(EditNumber(0), 1 << 20).value().at(0);
  const sync::v1::Update update = SaysItStandsAsMade(edit);
  EXPECT_EQ(ReasonOf(zhangs.store().ApplyUpdate(update)).reason, sync::v1::PROTOCOL_ERROR);
  EXPECT_EQ(zhangs.State().unsent, 1u) << "nothing of the update is taken";
  ExpectConverged();
}

// Another of its streams has brought the answer, and the record has been taken away since.
TEST_F(Sync, AnUpdateThatCountsOnAnEditWhichIsNoLongerHereIsNotTaken) {
  const Id meeting = MakeMeeting(zhangs);
  const auto edit = zhangs.store().Pending(EditNumber(0), 1 << 20).value().at(0);
  world.SyncAll();
  const auto before = zhangs.store().Cursors().value().size();
  sync::v1::Update update = SaysItStandsAsMade(edit);
  update.add_dropped(branch.str());
  EXPECT_EQ(ReasonOf(zhangs.store().ApplyUpdate(update)).reason, sync::v1::PROTOCOL_ERROR);
  EXPECT_EQ(zhangs.store().Cursors().value().size(), before);
  EXPECT_TRUE(zhangs.Has<Meeting>(meeting)) << "nothing of the update is taken";
  ExpectConverged();
}

TEST_F(Sync, ACompressedFrameThatCannotBeReadEndsTheStreamAndNothingIsLost) {
  MakeMeeting(zhangs);
  Compressor compressor;
  const auto say = [&](const std::string& compressed) {
    Stream stream(&world, &zhangs);
    while (stream.StepClient() || (stream.frames() < 4 && stream.StepServer())) continue;
    sync::v1::ServerFrame frame;
    frame.set_compressed(compressed);
    stream.client().OnFrame(frame);
    EXPECT_TRUE(stream.client().closed());
    return ReasonOf(stream.client().status()).reason;
  };
  EXPECT_EQ(say("no frame"), sync::v1::PROTOCOL_ERROR);
  EXPECT_EQ(say(compressor.Compress(std::string((8 << 20) + 1, '\0'))), sync::v1::PROTOCOL_ERROR);
  ExpectConverged();
}

TEST_F(Sync, AServerThatDoesNotCompressIsSentNothingCompressed) {
  world.limits.compress = false;
  for (int i = 0; i < 20; ++i) MakeMeeting(zhangs);
  Stream stream(&world, &zhangs);
  sync::v1::ClientFrame frame;
  while (stream.client().Next(&frame)) {
    EXPECT_FALSE(frame.has_compressed());
    stream.server().OnFrame(frame);
    stream.server().OnResults(world.Commit(stream.server().TakeSubmitted()));
    while (stream.StepServer()) continue;
  }
  EXPECT_EQ(zhangs.State().unsent, 0u);
  sync::v1::ServerFrame compressed;
  compressed.set_compressed(Compressor().Compress("x"));
  stream.client().OnFrame(compressed);
  EXPECT_EQ(ReasonOf(stream.client().status()).reason, sync::v1::PROTOCOL_ERROR);
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
    EXPECT_THAT(other.Differences(bs), IsEmpty());
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
      c.add_ways()->set_how(how);
      c.mutable_at()->set_seconds(at);
    };
  };
  const Id by_self = wangs.Make<CheckIn>(check_in(CheckIn::BY_SELF, 1000));
  const Id by_call = zhangs.Make<CheckIn>(check_in(CheckIn::ROLL_CALL, 2000));
  EXPECT_EQ(by_self, by_call);
  ExpectConverged();
  EXPECT_EQ(lis.Get<CheckIn>(by_self).at().seconds(), 1000);
  EXPECT_EQ(lis.Get<CheckIn>(by_self).ways_size(), 2);  // how it is known is not lost
  EXPECT_THAT(lis.All<ConflictNote>(), IsEmpty());
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

// In which order the edits beneath it were made is nobody's business but the wire's.
TEST_F(Sync, AnEditOfTwoRecordsThatTwoUnsentEditsMadeIsTakenLikeAnyOther) {
  for (int i = 0; i < 12; ++i) {
    const Id a = MakeMeeting(zhangs);
    const Id b = MakeMeeting(zhangs);
    SetBoth(zhangs, a, b, absl::StrCat("礼堂", i));
  }
  world.SyncAll();
  EXPECT_THAT(zhangs.SetAside(), IsEmpty());
  for (const Meeting& meeting : lis.All<Meeting>()) EXPECT_FALSE(meeting.place().empty());
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

TEST_F(Sync, WhileAnAnswerIsMissingASumShowsNoMoreThanWasAdded) {
  const Id sampler = MakeSampler(zhangs);
  world.SyncAll();
  AddTo(zhangs, sampler, 5);
  world.SyncCutAfter(zhangs, 5);  // the edit is in, the update with its answer is lost
  ASSERT_EQ(world.Get<Sampler>(sampler).sum(), 5);
  ASSERT_EQ(zhangs.State().unsent, 1u);
  Stream stream(&world, &zhangs);
  stream.server_first = true;
  while (stream.Step()) EXPECT_EQ(zhangs.Get<Sampler>(sampler).sum(), 5);
}

TEST_F(Sync, AnswersOfEditsInDifferentScopesComeWithTheirRecords) {
  const Id other = world.Branch("云溪村党支部");
  world.Appoint(zhang, other, SECRETARY);
  world.SyncAll();
  // Versions of one branch run far ahead of those of the other.
  for (int i = 0; i < 30; ++i) MakeMeeting(lis);
  const Id here = MakeSampler(zhangs);
  const Id there = zhangs.Make<Sampler>([&](Sampler& s) { s.set_branch_id(other.str()); });
  world.SyncAll();
  for (int i = 0; i < 30; ++i) MakeMeeting(lis);
  EXPECT_EQ(world.Sync(lis), absl::OkStatus());
  AddTo(zhangs, here, 5);
  AddTo(zhangs, there, 7);
  world.limits.update_bytes = 100;
  Stream stream(&world, &zhangs);
  while (stream.Step()) {
    EXPECT_EQ(zhangs.Get<Sampler>(here).sum(), 5);
    EXPECT_EQ(zhangs.Get<Sampler>(there).sum(), 7);
  }
  EXPECT_TRUE(stream.client().caught_up());
  EXPECT_EQ(zhangs.State().unsent, 0u);
}

TEST_F(Sync, AnAnswerForTheOtherCopysEditIsNotTakenForOnesOwn) {
  const Id sampler = MakeSampler(zhangs);
  world.SyncAll();
  Phone& copy = world.Clone(zhangs);
  AddTo(zhangs, sampler, 1);
  EXPECT_EQ(world.Sync(zhangs), absl::OkStatus());
  AddTo(copy, sampler, 10);
  Stream stream(&world, &copy);
  stream.server_first = true;
  stream.Run();
  EXPECT_EQ(copy.State().unsent, 1u);
  ExpectConverged();
  EXPECT_EQ(world.Get<Sampler>(sampler).sum(), 11);
}

// ---- While connected -------------------------------------------------------------

TEST_F(Sync, WhatOneCommitsReachesEveryOpenSessionAtOnce) {
  Stream a(&world, &zhangs);
  Stream b(&world, &lis);
  Stream c(&world, &wangs);
  for (Stream* stream : {&a, &b, &c}) stream->Run();
  const Id meeting = MakeMeeting(zhangs);
  a.Run();
  b.Run();
  c.Run();
  EXPECT_TRUE(lis.Has<Meeting>(meeting));
  EXPECT_TRUE(wangs.Has<Meeting>(meeting));
  lis.Change<Meeting>(meeting, [](Meeting& m) { m.set_place("礼堂"); });
  b.Run();
  a.Run();
  c.Run();
  EXPECT_EQ(zhangs.Get<Meeting>(meeting).place(), "礼堂");
  EXPECT_EQ(wangs.Get<Meeting>(meeting).place(), "礼堂");
}

TEST_F(Sync, AGrantIsGivenWhileConnectedItsScopeArrives) {
  const Id other = world.Branch("云溪村党支部");
  world.Person("赵", other);
  Stream stream(&world, &wangs);
  stream.Run();
  EXPECT_FALSE(wangs.Has<Organisation>(other));
  world.Appoint(wang, other, COMMITTEE);
  stream.Run();
  EXPECT_TRUE(wangs.Has<Organisation>(other));
  EXPECT_THAT(world.Differences(wangs), IsEmpty());
}

TEST_F(Sync, AGrantEndsWhileConnectedItsScopeIsWipedAndWhatWasPendingIsAnswered) {
  const Id other = world.Branch("云溪村党支部");
  world.Appoint(wang, other, SECRETARY);
  EXPECT_EQ(world.Sync(wangs), absl::OkStatus());
  Stream stream(&world, &wangs);
  stream.Run();
  world.Wait(1'000);
  wangs.Make<Meeting>([&](Meeting& m) { m.set_branch_id(other.str()); });
  world.Dismiss(wang, other, SECRETARY);
  EXPECT_TRUE(stream.StepServer());
  EXPECT_FALSE(wangs.Has<Organisation>(other));
  EXPECT_EQ(wangs.State().unsent, 1u);
  stream.Run();
  EXPECT_EQ(wangs.State().unsent, 0u);
  EXPECT_THAT(wangs.SetAside(), ElementsAre("1 HELD GRANT_ENDED"));
  EXPECT_THAT(world.Differences(wangs), IsEmpty());
  ExpectConverged();
}

TEST_F(Sync, AGrantEndsWhileThePhoneIsAwayItsScopeIsWipedAtTheNextContact) {
  const Id other = world.Branch("云溪村党支部");
  world.Appoint(wang, other, SECRETARY);
  world.SyncAll();
  wangs.Make<Meeting>([&](Meeting& m) { m.set_branch_id(other.str()); });
  const Id meeting = MakeMeeting(zhangs);
  EXPECT_EQ(world.Sync(zhangs), absl::OkStatus());
  const Id check_in = wangs.Make<CheckIn>([&](CheckIn& c) {
    c.set_activity_id(meeting.str());
    c.set_member_id(wang.str());
    c.set_branch_id(branch.str());
  });
  world.Dismiss(wang, other, SECRETARY);
  ExpectConverged();
  EXPECT_FALSE(wangs.Has<Organisation>(other));
  EXPECT_THAT(wangs.SetAside(), ElementsAre("1 HELD GRANT_ENDED"));
  EXPECT_TRUE(lis.Has<CheckIn>(check_in));  // what came after goes on
}

// ---- Moves -------------------------------------------------------------------------

TEST_F(Sync, AMemberMovesToAnotherBranchTheOldOneNoLongerHoldsWhatItMayNotSee) {
  const Id other = world.Branch("云溪村党支部");
  const Id zhao = world.Person("赵", other);
  world.Appoint(zhao, other, SECRETARY);
  Phone& zhaos = world.Enrol(zhao);
  world.SyncAll();
  EXPECT_TRUE(zhangs.Has<Member>(wang));
  EXPECT_FALSE(zhaos.Has<Member>(wang));

  Member member = world.Get<Member>(wang);
  member.set_branch_id(other.str());
  world.Write(member, wang);
  world.Place(wang, other);
  ExpectConverged();
  EXPECT_FALSE(zhangs.Has<Member>(wang));
  EXPECT_TRUE(zhaos.Has<Member>(wang));
  EXPECT_TRUE(wangs.Has<Organisation>(other));
  EXPECT_FALSE(wangs.Has<Organisation>(branch));
}

// In small parts it goes with the one scope, and comes with the other's last change of it.
TEST_F(Sync, ARecordThatMovesBetweenTwoHeldScopesSplitsNoEditAndStaysWhereItComesAtOnce) {
  const Id other = world.Branch("云溪村党支部");
  world.Appoint(zhang, other, SECRETARY);
  world.SyncAll();
  const Id moved = MakeMeeting(zhangs, "甲");
  const Id beside = zhangs.Make<Meeting>([&](Meeting& m) { m.set_branch_id(other.str()); });
  world.SyncAll();
  Phone& second = world.Enrol(zhang);
  EXPECT_EQ(world.Sync(second), absl::OkStatus());
  zhangs.Change<Meeting>(moved, [&](Meeting& m) { m.set_branch_id(other.str()); });
  for (int i = 0; i < 5; ++i) {
    zhangs.Make<Meeting>([&](Meeting& m) { m.set_branch_id(other.str()); });
  }
  EXPECT_EQ(world.Sync(zhangs), absl::OkStatus());
  world.limits.update_bytes = 1;
  int shown = 0;
  {
    const auto subscription = second.store().Subscribe([&](const client::Changes&) {
      EXPECT_TRUE(second.Has<Meeting>(moved));
      ++shown;
    });
    EXPECT_EQ(world.Sync(second), absl::OkStatus());
  }
  EXPECT_GT(shown, 5);
  ExpectConverged();
  zhangs.Change<Meeting>(moved, [&](Meeting& m) { m.set_branch_id(branch.str()); });
  zhangs.Make<Meeting>([&](Meeting& m) { m.set_branch_id(other.str()); });
  SetBoth(zhangs, moved, beside, "礼堂");
  EXPECT_EQ(world.Sync(zhangs), absl::OkStatus());
  const auto subscription = second.store().Subscribe([&](const client::Changes&) {
    if (!second.Has<Meeting>(moved)) return;
    EXPECT_EQ(second.Get<Meeting>(moved).place(), second.Get<Meeting>(beside).place());
  });
  EXPECT_EQ(world.Sync(second), absl::OkStatus());
  EXPECT_TRUE(second.Has<Meeting>(moved));
  ExpectConverged();
}

// ---- What an office sees ------------------------------------------------------------

class Audience : public Village {
 protected:
  Audience() {
    for (const Id& person : {zhang, li, wang}) {
      PrivateDetail detail;
      detail.set_member_id(person.str());
      detail.set_branch_id(branch.str());
      detail.set_phone("13800000000");
      world.Write(detail, Id());
    }
    MakeMeeting(zhangs);
    world.SyncAll();
  }
};

TEST_F(Audience, AMemberWhoBecomesSecretaryReceivesWhatBecomesVisibleAndLosesItAgain) {
  EXPECT_THAT(wangs.All<PrivateDetail>(), SizeIs(1));
  world.Appoint(wang, branch, SECRETARY);
  ExpectConverged();
  EXPECT_THAT(wangs.All<PrivateDetail>(), SizeIs(3));
  world.Wait(1);
  world.Dismiss(wang, branch, SECRETARY);
  ExpectConverged();
  EXPECT_THAT(wangs.All<PrivateDetail>(), SizeIs(1));
  EXPECT_THAT(wangs.All<Meeting>(), SizeIs(1));
}

TEST_F(Audience, AnOfficeThatComesAndGoesWhileConnectedLeavesNothingBehind) {
  Stream stream(&world, &wangs);
  stream.Run();
  world.Appoint(wang, branch, SECRETARY);
  stream.Run();
  EXPECT_THAT(wangs.All<PrivateDetail>(), SizeIs(3));
  world.Wait(1);
  world.Dismiss(wang, branch, SECRETARY);
  stream.Run();
  EXPECT_THAT(world.Differences(wangs), IsEmpty());
}

TEST_F(Audience, AGrantRunsOutByItselfWhatItShowedIsGoneAtTheNextContact) {
  world.Appoint(wang, branch, SECRETARY, world.now_ms() + 1'000);
  ExpectConverged();
  EXPECT_THAT(wangs.All<PrivateDetail>(), SizeIs(3));
  world.Wait(1'000);
  ExpectConverged();
  EXPECT_THAT(wangs.All<PrivateDetail>(), SizeIs(1));
}

TEST_F(Audience, AMemberIsNotToldOfRecordsThatOnlyTheSecretaryReads) {
  const Id chen = world.Person("陈", branch);
  Phone& chens = world.Enrol(chen);
  Stream stream(&world, &chens);
  int removals = 0;
  stream.watch = [&](const sync::v1::ServerFrame& frame) {
    removals += frame.update().removals_size();
  };
  stream.Run();
  EXPECT_EQ(removals, 0);
  EXPECT_THAT(world.Differences(chens), IsEmpty());
}

// The office changes, the reading again of the scope is cut anywhere, and the
// office changes back.
TEST_F(Audience, AReadingAgainIsCutAndTheOfficeTakenBackNothingIsLeftOrMissing) {
  for (int i = 0; i < 10; ++i) MakeMeeting(zhangs);
  const Id settled = world.Person("陈", branch);
  PrivateDetail detail;
  detail.set_member_id(settled.str());
  detail.set_branch_id(branch.str());
  world.Write(detail, Id());
  world.SyncAll();
  world.limits.update_bytes = 1;
  int cuts = 0;
  for (bool cut = true; cut; ++cuts) {
    ASSERT_LT(cuts, 300);
    world.Appoint(wang, branch, SECRETARY);
    cut = world.SyncCutAfter(wangs, 4 + cuts);
    world.Wait(1);
    world.Dismiss(wang, branch, SECRETARY);
    if (cuts % 2 == 0) wangs.Crash();
    EXPECT_EQ(world.Sync(wangs), absl::OkStatus());
    ASSERT_THAT(world.Differences(wangs), IsEmpty()) << "cut after " << 4 + cuts << " frames";
    // And the other way: what a secretary has is cut down and given back.
    world.Appoint(wang, branch, SECRETARY);
    EXPECT_EQ(world.Sync(wangs), absl::OkStatus());
    world.Wait(1);
    world.Dismiss(wang, branch, SECRETARY);
    cut = world.SyncCutAfter(wangs, 4 + cuts) || cut;
    world.Wait(1);
    world.Appoint(wang, branch, SECRETARY);
    EXPECT_EQ(world.Sync(wangs), absl::OkStatus());
    ASSERT_THAT(world.Differences(wangs), IsEmpty()) << "cut after " << 4 + cuts << " frames";
    world.Wait(1);
    world.Dismiss(wang, branch, SECRETARY);
    EXPECT_EQ(world.Sync(wangs), absl::OkStatus());
  }
  EXPECT_GT(cuts, 5);
}

TEST_F(Audience, TheOfficeIsTakenBackWhileTheScopeIsBeingReadAgainNothingIsLeftOrMissing) {
  for (int i = 0; i < 10; ++i) MakeMeeting(zhangs);
  world.SyncAll();
  world.limits.update_bytes = 1;
  for (int steps = 0; steps < 30; ++steps) {
    Stream stream(&world, &wangs);
    stream.Run();
    world.Appoint(wang, branch, SECRETARY);
    for (int i = 0; i < steps; ++i) stream.Step();
    world.Wait(1);
    world.Dismiss(wang, branch, SECRETARY);
    stream.Run();
    EXPECT_TRUE(stream.client().caught_up()) << steps;
    ASSERT_THAT(world.Differences(wangs), IsEmpty()) << steps;
  }
}

TEST_F(Audience, AConflictAboutWhatIsPrivateIsNotShownToADeputy) {
  const Id detail = [&] {
    Id found;
    EXPECT_EQ(zhangs.store().List({.type = 3},
                                  [&](const Id& id, const google::protobuf::Message& message) {
                                    if (static_cast<const PrivateDetail&>(message).member_id() ==
                                        wang.str()) {
                                      found = id;
                                    }
                                    return true;
                                  }),
              absl::OkStatus());
    return found;
  }();
  zhangs.Change<PrivateDetail>(detail, [](PrivateDetail& d) { d.set_phone("139"); });
  world.Wait(5);
  wangs.Change<PrivateDetail>(detail, [](PrivateDetail& d) { d.set_phone("137"); });
  ExpectConverged();
  EXPECT_THAT(zhangs.All<ConflictNote>(), SizeIs(1));
  EXPECT_THAT(wangs.All<ConflictNote>(), SizeIs(1));  // as SELF
  EXPECT_THAT(lis.All<ConflictNote>(), IsEmpty());
}

// ---- Deletion -----------------------------------------------------------------------

TEST_F(Sync, ADeletedRecordIsGoneFromEveryPhone) {
  const Id meeting = MakeMeeting(zhangs);
  world.SyncAll();
  lis.Delete<Meeting>(meeting);
  EXPECT_FALSE(lis.Has<Meeting>(meeting));
  ExpectConverged();
  EXPECT_FALSE(zhangs.Has<Meeting>(meeting));
  EXPECT_FALSE(wangs.Has<Meeting>(meeting));
}

TEST_F(Sync, ADeletionMeetsAChangeItHadNotSeenTheRecordStaysAndBothAreTold) {
  for (const bool deletion_first : {true, false}) {
    const Id meeting = MakeMeeting(zhangs);
    world.SyncAll();
    const size_t notes = zhangs.All<ConflictNote>().size();
    lis.Delete<Meeting>(meeting);
    world.Wait(5);
    zhangs.Change<Meeting>(meeting, [](Meeting& m) { m.set_place("礼堂"); });
    EXPECT_EQ(world.Sync(deletion_first ? lis : zhangs), absl::OkStatus());
    ExpectConverged();
    EXPECT_EQ(lis.Get<Meeting>(meeting).place(), "礼堂");
    for (Phone* phone : {&zhangs, &lis}) {
      const auto all = phone->All<ConflictNote>();
      ASSERT_EQ(all.size(), notes + 1);
      EXPECT_EQ(std::count_if(all.begin(), all.end(),
                              [&](const ConflictNote& note) {
                                return note.kind() == ConflictNote::KEPT_FROM_DELETION &&
                                       note.record_id() == meeting.str();
                              }),
                1);
    }
  }
}

// ---- Edits that come back ------------------------------------------------------------

TEST_F(Sync, AnEditForABranchWithoutAGrantComesBackAndTheNextGoesOn) {
  const Id other = world.Branch("云溪村党支部");
  zhangs.Make<Meeting>([&](Meeting& m) { m.set_branch_id(other.str()); });
  const Id own = MakeMeeting(zhangs);
  ExpectConverged();
  EXPECT_THAT(zhangs.SetAside(), ElementsAre("1 RETURNED NOT_ENTITLED"));
  EXPECT_TRUE(lis.Has<Meeting>(own));
  EXPECT_THAT(zhangs.All<Meeting>(), SizeIs(1));
}

TEST_F(Sync, WhatBuildsOnAReturnedEditComesBackAndSaysSo) {
  const Id other = world.Branch("云溪村党支部");
  const Id foreign = zhangs.Make<Meeting>([&](Meeting& m) { m.set_branch_id(other.str()); });
  zhangs.Change<Meeting>(foreign, [](Meeting& m) { m.set_place("礼堂"); });
  zhangs.Change<Meeting>(foreign, [](Meeting& m) { m.set_topic("学习"); });
  MakeMeeting(zhangs);
  ExpectConverged();
  EXPECT_THAT(zhangs.SetAside(),
              ElementsAre("1 RETURNED NOT_ENTITLED", "2 RETURNED BUILDS_ON_RETURNED",
                          "3 RETURNED BUILDS_ON_RETURNED"));
}

TEST_F(Sync, TwoPeopleTakeDifferentStepsTheSecondIsToldAndSeesTheFirst) {
  const Id meeting = MakeMeeting(zhangs);
  zhangs.Change<Meeting>(meeting, [](Meeting& m) { m.set_state(Meeting::PLANNED); });
  world.SyncAll();
  zhangs.Change<Meeting>(meeting, [](Meeting& m) { m.set_state(Meeting::CANCELLED); });
  lis.Change<Meeting>(meeting, [](Meeting& m) { m.set_state(Meeting::HELD); });
  EXPECT_EQ(lis.Get<Meeting>(meeting).state(), Meeting::HELD);
  ExpectConverged();
  EXPECT_EQ(lis.Get<Meeting>(meeting).state(), Meeting::CANCELLED);
  EXPECT_THAT(lis.SetAside(), ElementsAre("1 RETURNED STEP_NOT_ALLOWED"));
}

TEST_F(Sync, ADeviceRevokedMidSessionIsToldAndItsEditsOnTheWayAreHeld) {
  Stream stream(&world, &zhangs);
  stream.Run();
  MakeMeeting(zhangs);
  const DeviceNumber number = zhangs.number();
  sync::v1::ClientFrame push;
  ASSERT_TRUE(stream.client().Next(&push));
  stream.server().OnFrame(push);
  world.Revoke(number);
  const auto results = world.Commit(stream.server().TakeSubmitted());
  ASSERT_THAT(results, SizeIs(1));
  EXPECT_EQ(results[0].answer.verdict(), sync::v1::HELD);
  stream.server().OnResults(results);
  stream.Run();
  EXPECT_TRUE(stream.client().again());
  EXPECT_EQ(ReasonOf(world.Sync(zhangs)).reason, sync::v1::DEVICE_REVOKED);
  EXPECT_EQ(zhangs.State().problem, sync::v1::DEVICE_REVOKED);
  EXPECT_THAT(zhangs.SetAside(), ElementsAre("1 HELD OF_REVOKED_DEVICE"));
  world.CheckAudit();
}

// ---- Clocks --------------------------------------------------------------------------

TEST_F(Sync, AClockThatIsYearsOffNeitherWinsNorLoses) {
  constexpr int64_t kYearsMs = int64_t{5} * 365 * 86'400'000;
  for (const int64_t error : {kYearsMs, -kYearsMs}) {
    zhangs.clock_error_ms() = error;
    const Id meeting = MakeMeeting(lis);
    world.SyncAll();
    zhangs.clock_error_ms() = 0;
    world.SyncAll();
    zhangs.clock_error_ms() = error;
    // The wrong clock writes first, the right one later: later wins.
    zhangs.Change<Meeting>(meeting, [](Meeting& m) { m.set_place("先"); });
    world.Wait(60'000);
    lis.Change<Meeting>(meeting, [](Meeting& m) { m.set_place("后"); });
    ExpectConverged();
    EXPECT_EQ(zhangs.Get<Meeting>(meeting).place(), "后") << error;
    // And the other way round.
    lis.Change<Meeting>(meeting, [](Meeting& m) { m.set_topic("先"); });
    world.Wait(60'000);
    zhangs.Change<Meeting>(meeting, [](Meeting& m) { m.set_topic("后"); });
    ExpectConverged();
    EXPECT_EQ(lis.Get<Meeting>(meeting).topic(), "后") << error;
    zhangs.clock_error_ms() = 0;
  }
}

// ---- Copies of a device ----------------------------------------------------------------

TEST_F(Sync, TwoCopiesOfOnePhoneBothGoOnAndNothingIsLostOrDoubled) {
  const Id sampler = MakeSampler(zhangs);
  AddTo(zhangs, sampler, 1);
  world.SyncAll();
  AddTo(zhangs, sampler, 10);
  Phone& copy = world.Clone(zhangs);
  AddTo(zhangs, sampler, 100);
  AddTo(copy, sampler, 1000);
  AddTo(copy, sampler, 10000);
  ExpectConverged();
  EXPECT_EQ(world.Get<Sampler>(sampler).sum(), 11111);
  EXPECT_NE(copy.number(), zhangs.number());
  AddTo(zhangs, sampler, 100000);
  AddTo(copy, sampler, 1000000);
  ExpectConverged();
  EXPECT_EQ(world.Get<Sampler>(sampler).sum(), 1111111);
}

TEST_F(Sync, TwoCopiesOfOnePhoneAreConnectedAtOnceAndNothingIsLostOrDoubled) {
  const Id sampler = MakeSampler(zhangs);
  world.SyncAll();
  Phone& copy = world.Clone(zhangs);
  Stream a(&world, &zhangs);
  Stream b(&world, &copy);
  a.Run();
  b.Run();
  AddTo(zhangs, sampler, 1);
  AddTo(copy, sampler, 10);
  a.Run();
  b.Run();
  AddTo(zhangs, sampler, 100);
  a.Run();
  b.Run();
  EXPECT_TRUE(b.client().again());
  ExpectConverged();
  EXPECT_EQ(world.Get<Sampler>(sampler).sum(), 111);
}

TEST_F(Sync, AnOlderCopyOfTheFileIsRestoredAtAnyPointAndNothingIsLostOrDoubled) {
  for (int at = 0; at <= 6; ++at) {
    for (const bool synced_before_saving : {false, true}) {
      const Id sampler = MakeSampler(zhangs);
      world.SyncAll();
      std::string saved = zhangs.Save();
      for (int i = 0; i < 6; ++i) {
        if (i == at) {
          if (synced_before_saving) {
            EXPECT_EQ(world.Sync(zhangs), absl::OkStatus());
          }
          saved = zhangs.Save();
        }
        AddTo(zhangs, sampler, 1);
      }
      if (at == 6) saved = zhangs.Save();
      EXPECT_EQ(world.Sync(zhangs), absl::OkStatus());
      ASSERT_EQ(world.Get<Sampler>(sampler).sum(), 6);
      zhangs.Restore(saved);
      if (at % 2 == 0) AddTo(zhangs, sampler, 100);  // before it has heard of its own past
      EXPECT_EQ(world.Sync(zhangs), absl::OkStatus());
      AddTo(zhangs, sampler, 1000);
      ExpectConverged();
      EXPECT_EQ(world.Get<Sampler>(sampler).sum(), 1006 + (at % 2 == 0 ? 100 : 0)) << at;
    }
  }
}

TEST_F(Sync, APhoneIsRenumberedEditsThatBuildOnEachOtherGoAlong) {
  const std::string saved = zhangs.Save();
  MakeMeeting(zhangs, "旧");
  world.SyncAll();
  zhangs.Restore(saved);
  const Id other = world.Branch("云溪村党支部");
  const Id meeting = MakeMeeting(zhangs, "新");
  const Id foreign = zhangs.Make<Meeting>([&](Meeting& m) { m.set_branch_id(other.str()); });
  zhangs.Change<Meeting>(meeting, [](Meeting& m) { m.set_place("礼堂"); });
  zhangs.Change<Meeting>(foreign, [](Meeting& m) { m.set_place("礼堂"); });
  ExpectConverged();
  EXPECT_EQ(lis.Get<Meeting>(meeting).place(), "礼堂");
  EXPECT_THAT(zhangs.All<Meeting>(), SizeIs(2));
  EXPECT_THAT(zhangs.SetAside(),
              ElementsAre("2 RETURNED NOT_ENTITLED", "4 RETURNED BUILDS_ON_RETURNED"));
}

TEST_F(Sync, ARevokedDeviceIsRevokedUnderANewNumberToo) {
  Phone& copy = world.Clone(zhangs);
  MakeMeeting(zhangs);
  EXPECT_EQ(world.Sync(zhangs), absl::OkStatus());
  MakeMeeting(copy);
  Stream stream(&world, &copy);
  while (copy.State().unsent == 0 || stream.frames() < 4) ASSERT_TRUE(stream.Step());
  // Revoked in the moment before the fork is answered; nobody has told the session.
  EXPECT_EQ(world.store().Write([&](server::Writer& writer) -> absl::Status {
    auto row = writer.GetDevice(zhangs.number());
    (*row)->standing = server::DeviceRow::Standing::kRevoked;
    return writer.PutDevice(**row);
  }),
            absl::OkStatus());
  stream.Run();
  EXPECT_TRUE(stream.client().again());
  EXPECT_EQ(ReasonOf(world.Sync(copy)).reason, sync::v1::DEVICE_REVOKED);
  EXPECT_EQ(copy.State().unsent, 0u);
  EXPECT_THAT(copy.SetAside(), ElementsAre("1 HELD OF_REVOKED_DEVICE"));
  EXPECT_THAT(copy.View(), IsEmpty());
}

// ---- Large things -----------------------------------------------------------------------

TEST_F(Sync, AnUpdateStaysSmallHoweverManyScopesADeviceHolds) {
  std::vector<Id> branches;
  for (int i = 0; i < 20; ++i) {
    branches.push_back(world.Branch(absl::StrCat("支部", i)));
    world.Appoint(zhang, branches.back(), SECRETARY);
  }
  EXPECT_EQ(world.Sync(zhangs), absl::OkStatus());
  for (int i = 0; i < 10; ++i) {
    for (const Id& home : branches) {
      Meeting meeting;
      meeting.set_branch_id(home.str());
      meeting.set_minutes(std::string(1000, 'x'));
      world.Write(meeting, world.fate().environment().NewId());
    }
  }
  world.limits.update_bytes = 5'000;
  Stream stream(&world, &zhangs);
  size_t largest = 0;
  stream.watch = [&](const sync::v1::ServerFrame& frame) {
    largest = std::max<size_t>(largest, frame.ByteSizeLong());
  };
  stream.Run();
  EXPECT_LT(largest, 40'000u);  // versions of different scopes coincide: some overshoot
  EXPECT_THAT(world.Differences(zhangs), IsEmpty());
}

TEST_F(Sync, TwoLargeTextsConflictBothAreKept) {
  const Id meeting = MakeMeeting(zhangs);
  world.SyncAll();
  zhangs.Change<Meeting>(meeting, [](Meeting& m) { m.set_minutes(std::string(700'000, 'a')); });
  world.Wait(5);
  lis.Change<Meeting>(meeting, [](Meeting& m) { m.set_minutes(std::string(700'000, 'b')); });
  ExpectConverged();
  EXPECT_THAT(zhangs.SetAside(), IsEmpty());
  EXPECT_THAT(lis.SetAside(), IsEmpty());
  ASSERT_THAT(zhangs.All<ConflictNote>(), SizeIs(1));
  EXPECT_EQ(zhangs.All<ConflictNote>()[0].lost().size(), 700'002u);
  EXPECT_EQ(zhangs.Get<Meeting>(meeting).minutes()[0], 'b');
}

// ---- Progress ------------------------------------------------------------------------------

TEST_F(Sync, ProgressGrowsToExactlyItsTotalThoughMuchMayNotBeRead) {
  for (int i = 0; i < 40; ++i) {
    const Id id = world.fate().environment().NewId();
    Meeting meeting;
    meeting.set_branch_id(branch.str());
    meeting.set_topic("第" + std::to_string(i) + "次");
    world.Write(meeting, id);
    // For the secretary and the person only.
    PrivateDetail detail;
    detail.set_member_id(id.str());
    detail.set_branch_id(branch.str());
    detail.set_phone("000-0000-0000");
    world.Write(detail, DeriveId(*world.schema()->Find(PrivateDetail::descriptor()),
                                 detail.SerializeAsString())
                            .value());
  }
  world.limits.update_bytes = 300;
  Phone& fresh = world.Enrol(wang);
  Stream stream(&world, &fresh);
  uint64_t last = 0;
  uint64_t total = 0;
  int steps = 0;
  while (stream.Step()) {
    const client::SyncState state = fresh.State();
    if (total == 0) total = state.progress_total;
    EXPECT_EQ(state.progress_total, total);
    EXPECT_GE(state.progress_done, last);
    if (state.progress_done > last) ++steps;
    last = state.progress_done;
  }
  EXPECT_EQ(last, total);
  EXPECT_GT(steps, 5);
  EXPECT_LT(fresh.State().records_received, total) << "what may not be read is looked through too";
}

}  // namespace
}  // namespace zhibu::test
