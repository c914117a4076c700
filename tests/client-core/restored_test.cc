// The server is restored from a backup, behind its devices.
#include <gmock/gmock.h>

#include "absl/strings/str_cat.h"
#include "server/feed/incarnation.h"
#include "sync/base/reason.h"
#include "sync/base/status.h"
#include "sync/wire/record.h"
#include "tests/support/village.h"

namespace zhibu::test {
namespace {

using records::v1::HeldEdit;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class Restored : public Village {
 protected:
  int64_t SumOn(Phone& phone, const Id& sampler) { return phone.Get<Sampler>(sampler).sum(); }
  // An edit that an ordinary member may not make whole.
  void AddAndMeet(Phone& phone, const Id& sampler, int64_t much) {
    auto sum = phone.store().Edit<Sampler>(sampler);
    auto meeting = phone.store().New<Meeting>();
    ASSERT_EQ(sum.status(), absl::OkStatus());
    sum->message<Sampler>().set_sum(sum->message<Sampler>().sum() + much);
    meeting.message<Meeting>().set_branch_id(branch.str());
    phone.Commit({&*sum, &meeting});
  }
  void ExpectRefused(Phone& phone) {
    EXPECT_EQ(ReasonOf(world.Sync(phone)).reason, sync::v1::UNKNOWN_DEVICE);
  }
};

TEST_F(Restored, WhatItHasForgottenIsOfferedAgainAndCountsOnce) {
  const Id sampler = MakeSampler(zhangs);
  AddTo(zhangs, sampler, 1);
  world.SyncAll();
  const std::string backup = world.BackUp();
  AddTo(zhangs, sampler, 10);
  AddTo(lis, sampler, 100);
  const Id meeting = MakeMeeting(lis);
  world.SyncAll();
  AddTo(wangs, sampler, 1000);  // not yet sent
  world.RestoreServer(backup);
  ExpectConverged();
  for (Phone* phone : {&zhangs, &lis, &wangs}) {
    EXPECT_EQ(SumOn(*phone, sampler), 1111);
    EXPECT_TRUE(phone->Has<Meeting>(meeting));
  }
}

TEST_F(Restored, WhatIsInABackupIsNotKeptOnTheDevice) {
  const Id sampler = MakeSampler(zhangs);
  for (int i = 0; i < 5; ++i) AddTo(zhangs, sampler, 1);
  world.SyncAll();
  const std::string backup = world.BackUp();
  world.SyncAll();
  AddTo(zhangs, sampler, 1);
  world.SyncAll();
  world.RestoreServer(backup);
  Stream stream(&world, &zhangs);
  stream.Run();
  EXPECT_TRUE(stream.client().again());
  EXPECT_EQ(zhangs.State().unsent, 1u);
  ExpectConverged();
  EXPECT_EQ(SumOn(zhangs, sampler), 6);
}

TEST_F(Restored, AnEditThatWasReturnedIsJudgedAgainAndSetAsideOnce) {
  const std::string backup = world.BackUp();
  wangs.Make<Meeting>([&](Meeting& meeting) {  // an ordinary member may not
    meeting.set_branch_id(branch.str());
  });
  world.SyncAll();
  const std::vector<std::string> before = wangs.SetAside();
  ASSERT_EQ(before.size(), 1u);
  world.RestoreServer(backup);
  ExpectConverged();
  EXPECT_EQ(wangs.SetAside(), before);
}

// Its author may by now: judged again, it would come in.
TEST_F(Restored, WhatWasReturnedAndDiscardedIsNotJudgedAgain) {
  const Id sampler = MakeSampler(zhangs);
  world.SyncAll();
  const std::string backup = world.BackUp();
  AddAndMeet(wangs, sampler, 10);
  world.SyncAll();
  ASSERT_EQ(wangs.SetAside().size(), 1u);
  ASSERT_EQ(wangs.store().Discard(1), absl::OkStatus());
  world.RestoreServer(backup);
  world.Appoint(wang, branch, DEPUTY);
  AddTo(wangs, sampler, 100);
  ExpectConverged();
  EXPECT_EQ(SumOn(zhangs, sampler), 100);
  EXPECT_THAT(wangs.SetAside(), IsEmpty()) << "of its own will";
}

TEST_F(Restored, WhatWasSentAgainAmendedCountsOnce) {
  const Id sampler = MakeSampler(zhangs);
  world.SyncAll();
  const std::string backup = world.BackUp();
  AddAndMeet(wangs, sampler, 10);
  world.SyncAll();
  world.Appoint(wang, branch, DEPUTY);
  world.SyncAll();
  auto drafts = wangs.store().Amend(1);
  ASSERT_EQ(drafts.status(), absl::OkStatus());
  wangs.Commit({&(*drafts)[0], &(*drafts)[1]});
  world.SyncAll();
  ASSERT_EQ(SumOn(wangs, sampler), 10);
  world.RestoreServer(backup);
  world.Appoint(wang, branch, DEPUTY);
  const std::string later = world.BackUp();
  for (int times = 0; times < 2; ++times) {
    {
      Stream stream(&world, &wangs);
      stream.Run();
      EXPECT_EQ(SumOn(wangs, sampler), 10) << "as soon as it is offered again";
    }
    ExpectConverged();
    EXPECT_EQ(SumOn(zhangs, sampler), 10);
    EXPECT_THAT(wangs.SetAside(), IsEmpty());
    world.RestoreServer(later);
  }
}

// Its entry goes from the author's list; the edit is no longer the author's to take back.
TEST_F(Restored, WhatWasTakenIsOfferedAgainThoughItsEntryWasCleared) {
  const Id sampler = MakeSampler(zhangs);
  world.SyncAll();
  const std::string backup = world.BackUp();
  AddAndMeet(lis, sampler, 10);
  const std::string edit = lis.store().Pending(EditNumber(0), SIZE_MAX)->back().edit();
  world.Dismiss(li, branch, DEPUTY);
  world.SyncAll();
  zhangs.Change<HeldEdit>(HeldId(edit), [](HeldEdit& held) { held.set_state(HeldEdit::TAKEN); });
  world.SyncAll();
  ASSERT_EQ(SumOn(zhangs, sampler), 10);
  ASSERT_EQ(lis.store().Discard(1), absl::OkStatus());
  world.RestoreServer(backup);
  ExpectConverged();
  EXPECT_EQ(SumOn(zhangs, sampler), 10);
}

// "2.7" is the post of a member, which was for others than it is now.
TEST_F(Restored, AnUpdateThatShowsAFieldToOthersIsReadAnewByAllAndOneThatAddsAFieldIsNot) {
  const auto start = [&](const std::string& was) {
    EXPECT_EQ(
        world.store().Write([&](server::Writer& w) { return w.PutSetting("audiences", was); }),
        absl::OkStatus());
    EXPECT_EQ(server::EnsureIncarnation(world.store(), *world.schema(), world.fate().environment()),
              absl::OkStatus());
    std::string incarnation;
    EXPECT_EQ(world.store().Read([&](server::Reader& reader) -> absl::Status {
      ASSIGN_OR_RETURN(incarnation, reader.GetSetting(server::kIncarnation));
      return absl::OkStatus();
    }),
              absl::OkStatus());
    return incarnation;
  };
  // As it is declared now, but for one.
  const auto but = [&](const std::string& changed) {
    std::string audiences;
    EXPECT_EQ(world.store().Read([&](server::Reader& reader) -> absl::Status {
      ASSIGN_OR_RETURN(audiences, reader.GetSetting("audiences"));
      return absl::OkStatus();
    }),
              absl::OkStatus());
    return absl::StrCat(changed, " ", audiences);
  };
  MakeMeeting(lis);
  world.SyncAll();
  const std::string before = start("4000.1=1/1");
  EXPECT_EQ(start(but("2.99=1/1")), before) << "there is no such type or field any more";
  EXPECT_NE(start("2=0/0"), before);
  const std::string then = start("4000.1=1/1");
  EXPECT_NE(start(but("2.7=1/1")), then);
  const std::string latest = start("4000.1=1/1");
  EXPECT_NE(start(""), latest) << "of a version that did not write it down";
  EXPECT_EQ(world.Sync(zhangs), absl::OkStatus());
  EXPECT_GT(zhangs.State().records_received, 4u) << "not only what is new";
  ExpectConverged();
  EXPECT_EQ(world.Sync(zhangs), absl::OkStatus());
  EXPECT_EQ(zhangs.State().records_received, 0u);
}

// Where a record of a type that the app did not know lay in a scope that was dropped, the
// next session reads everything anew. What is edited before it has is not written blindly.
TEST_F(Restored, AnEditOfWhatIsBeingReadAnewOverwritesNothingUnseen) {
  const Id meeting = MakeMeeting(lis, "改名之前");
  world.SyncAll();
  sync::v1::Update of_a_newer_server;
  auto* group = of_a_newer_server.add_groups();
  group->set_type(60'000);
  group->set_version(1);
  group->set_ids(std::string(16, 'i'));
  group->add_bodies("");
  ASSERT_EQ(zhangs.store().ApplyUpdate(of_a_newer_server), absl::OkStatus());
  of_a_newer_server.clear_groups();
  of_a_newer_server.add_dropped(std::string(16, 's'));
  ASSERT_EQ(zhangs.store().ApplyUpdate(of_a_newer_server), absl::OkStatus());
  Stream stream(&world, &zhangs);
  ASSERT_TRUE(stream.StepClient());  // says hello, with nothing unsent
  zhangs.Change<Meeting>(meeting, [](Meeting& m) { m.set_topic("改名"); });
  stream.Run();
  world.SyncAll();
  EXPECT_EQ(lis.Get<Meeting>(meeting).topic(), "改名");
  EXPECT_THAT(lis.All<ConflictNote>(), IsEmpty());
}

TEST_F(Restored, WhatNobodyOffersGoesFromTheDevices) {
  const std::string backup = world.BackUp();
  const Id meeting = MakeMeeting(lis);
  world.SyncAll();
  ASSERT_TRUE(zhangs.Has<Meeting>(meeting));
  world.RestoreServer(backup);
  for (int round = 0; round < 2; ++round) ASSERT_EQ(world.Sync(zhangs), absl::OkStatus());
  EXPECT_FALSE(zhangs.Has<Meeting>(meeting));
  EXPECT_THAT(world.Differences(zhangs), IsEmpty());
  EXPECT_EQ(world.Sync(lis), absl::OkStatus());  // the author is back
  ExpectConverged();
  EXPECT_TRUE(zhangs.Has<Meeting>(meeting));
}

// However far the reading anew has come: nothing shows twice, nothing is gone.
TEST_F(Restored, UntilTheServerHasSpokenOfItARecordStaysAsItIsShown) {
  world.limits.update_bytes = 60;  // many updates
  const Id sampler = MakeSampler(zhangs);
  for (int i = 0; i < 6; ++i) MakeMeeting(zhangs);
  world.SyncAll();
  const std::string backup = world.BackUp();
  AddTo(zhangs, sampler, 5);
  const Id meeting = MakeMeeting(zhangs, "备份之后");
  world.SyncAll();
  world.RestoreServer(backup);
  Stream first(&world, &zhangs);
  first.Run();
  ASSERT_TRUE(first.client().again());
  EXPECT_EQ(SumOn(zhangs, sampler), 5);
  Stream second(&world, &zhangs);
  for (int steps = 0; second.Step(); ++steps) {
    ASSERT_EQ(SumOn(zhangs, sampler), 5) << "after " << steps << " frames";
    ASSERT_TRUE(zhangs.Has<Meeting>(meeting)) << "after " << steps << " frames";
  }
  EXPECT_THAT(world.Differences(zhangs), IsEmpty());
}

TEST_F(Restored, WhatIsWrittenMeanwhileIsNotTakenForSeen) {
  const Id meeting = MakeMeeting(zhangs);
  world.SyncAll();
  const std::string backup = world.BackUp();
  for (int i = 0; i < 3; ++i) {
    lis.Change<Meeting>(meeting, [&](Meeting& m) { m.set_topic(std::to_string(i)); });
    world.SyncAll();
  }
  // On top of what the server will have forgotten.
  zhangs.Change<Meeting>(meeting, [&](Meeting& m) { m.set_place("礼堂"); });
  world.RestoreServer(backup);
  world.Wait(1000);
  // New edits take versions that the old life had given: the floor keeps them apart.
  for (int i = 0; i < 5; ++i) {
    ASSERT_EQ(world.Sync(lis), absl::OkStatus());
    lis.Change<Meeting>(meeting, [&](Meeting& m) { m.set_place(std::to_string(i)); });
  }
  ExpectConverged();
  EXPECT_EQ(world.Get<Meeting>(meeting).topic(), "2");
  EXPECT_THAT(lis.View(), Contains(HasSubstr("礼堂"))) << "in the place, or in a note of it";
}

TEST_F(Restored, ADeviceThatIsForgottenIsEnrolledAgainWithAllThatItHas) {
  const Id sampler = MakeSampler(zhangs);
  world.SyncAll();
  const std::string backup = world.BackUp();
  Phone& second = world.Enrol(zhang);
  world.SyncAll();
  AddTo(second, sampler, 1);
  world.SyncAll();
  AddTo(second, sampler, 10);
  Phone& copy = world.Clone(second);
  AddTo(copy, sampler, 100);
  world.RestoreServer(backup);
  world.Enrol(li);  // gets a number that no device had
  ExpectRefused(second);
  EXPECT_EQ(SumOn(second, sampler), 11);
  world.EnrolAgain(second);
  EXPECT_EQ(second.State().unsent, 2u);
  ExpectRefused(copy);
  world.EnrolAgain(copy);
  ExpectConverged();
  EXPECT_EQ(SumOn(zhangs, sampler), 111);
  EXPECT_EQ(SumOn(copy, sampler), 111);
}

TEST_F(Restored, ADeviceThatWasRenumberedSinceGoesBackToItsNumber) {
  const Id sampler = MakeSampler(lis);
  world.SyncAll();
  AddTo(zhangs, sampler, 1);
  Phone& copy = world.Clone(zhangs);
  AddTo(copy, sampler, 10);
  ASSERT_EQ(world.Sync(zhangs), absl::OkStatus());
  const std::string backup = world.BackUp();
  world.SyncAll();
  AddTo(copy, sampler, 100);
  AddTo(zhangs, sampler, 1000);
  world.SyncAll();
  ASSERT_NE(copy.number(), zhangs.number());
  AddTo(copy, sampler, 10'000);
  world.RestoreServer(backup);
  ExpectConverged();
  EXPECT_EQ(SumOn(lis, sampler), 11'111);
}

TEST_F(Restored, TwiceFromTheSameBackup) {
  const Id sampler = MakeSampler(lis);
  world.SyncAll();
  const std::string backup = world.BackUp();
  for (const int64_t add : {1, 10}) {
    AddTo(zhangs, sampler, add);
    world.SyncAll();
    AddTo(lis, sampler, 10 * add);
    world.Wait(3'600'000);
    world.RestoreServer(backup);
    ExpectConverged();
  }
  EXPECT_EQ(SumOn(zhangs, sampler), 121);
}

// Every device and every place in the conversation.
TEST_F(Restored, CutOffAnywhere) {
  for (int frames = 1; frames < 14; ++frames) {
    const Id sampler = MakeSampler(zhangs);
    world.SyncAll();
    const std::string backup = world.BackUp();
    AddTo(zhangs, sampler, 1);
    world.SyncAll();
    AddTo(zhangs, sampler, 10);
    AddTo(lis, sampler, 100);
    world.RestoreServer(backup);
    world.SyncCutAfter(zhangs, 3);  // up to the news that the server was restored
    world.SyncCutAfter(zhangs, frames);
    zhangs.Crash();
    world.SyncCutAfter(lis, frames, true);
    world.Wait(3'600'000);
    ExpectConverged();
    EXPECT_EQ(SumOn(lis, sampler), 111) << frames;
  }
}

}  // namespace
}  // namespace zhibu::test
