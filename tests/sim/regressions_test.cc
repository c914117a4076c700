// One test for each bug that the simulator has found, told without it.
#include <gtest/gtest.h>

#include "tests/sim/universe.h"
#include "tests/support/village.h"

namespace zhibu::test {
namespace {

using RegressionInVillage = Village;

// Two copies of a copy each have an edit that the number's first owner has not.
// Each was given a device number of its own, and the edit was merged twice.
// Minimal plan: clone 3; edit 3 on each; clone the copy; sync all.
TEST_F(RegressionInVillage, AnEditOfACopyThatIsCopiedAgainCountsOnce) {
  const Id sampler = MakeSampler(lis);
  world.SyncAll();
  Phone& copy = world.Clone(zhangs);
  AddTo(zhangs, sampler, 1);
  AddTo(copy, sampler, 10);
  Phone& copy_of_copy = world.Clone(copy);
  world.SyncAll();
  EXPECT_EQ(lis.Get<Sampler>(sampler).sum(), 11);
  AddTo(copy, sampler, 100);
  AddTo(copy_of_copy, sampler, 1000);
  ExpectConverged();
  EXPECT_EQ(lis.Get<Sampler>(sampler).sum(), 1111);
}

// The same by a backup: the copy is renumbered, sends its edit, and is restored
// to a state from before it was renumbered.
TEST_F(RegressionInVillage, AnEditIsKnownAgainAfterABackupFromBeforeTheRenumbering) {
  const Id sampler = MakeSampler(lis);
  world.SyncAll();
  Phone& copy = world.Clone(zhangs);
  AddTo(zhangs, sampler, 1);
  AddTo(copy, sampler, 10);
  const std::string backup = copy.Save();
  world.SyncAll();
  copy.Restore(backup);
  ExpectConverged();
  EXPECT_EQ(lis.Get<Sampler>(sampler).sum(), 11);
}

// A device had been renumbered, the server was restored to after that: what it had
// set aside under its former number was gone.
TEST_F(RegressionInVillage, WhatWasSetAsideUnderAFormerNumberStays) {
  wangs.Make<Meeting>([&](Meeting& meeting) {  // an ordinary member may not
    meeting.set_branch_id(branch.str());
  });
  Phone& copy = world.Clone(wangs);
  world.SyncAll();
  MakeSampler(wangs);
  MakeSampler(copy);
  world.SyncAll();
  ASSERT_NE(copy.number(), wangs.number());
  const std::vector<std::string> before = copy.SetAside();
  ASSERT_EQ(before.size(), 1u);
  world.RestoreServer(world.BackUp());
  ExpectConverged();
  EXPECT_EQ(copy.SetAside(), before);
}

// Two copies hold an edit that the server has taken, forgotten, taken again from
// one of them under a new number, and forgotten again. One of the copies believed
// that its first number had come further than the server knows, and the edit was
// merged twice.
TEST_F(RegressionInVillage, AnEditOfCopiesCountsOnceThroughTwoRestorations) {
  const Id sampler = MakeSampler(lis);
  world.SyncAll();
  const std::string backup = world.BackUp();
  Phone& other = world.Clone(zhangs);
  AddTo(other, sampler, 100);
  AddTo(zhangs, sampler, 1);
  Phone& unsent = world.Clone(zhangs);
  ASSERT_EQ(world.Sync(zhangs), absl::OkStatus());
  for (int life = 0; life < 2; ++life) {
    world.RestoreServer(backup);
    for (Phone* phone : {&other, &unsent, &zhangs}) {
      ASSERT_EQ(world.Sync(*phone), absl::OkStatus());
    }
    world.Wait(3'600'000);
  }
  ExpectConverged();
  EXPECT_EQ(lis.Get<Sampler>(sampler).sum(), 101);
}

// A person lost two offices, and got one of them back while the device was being
// told: a record that lies in both branches was taken from it and not given back.
TEST_F(RegressionInVillage, AnOfficeThatComesBackMidwayBringsBackWhatLiesInTwoBranches) {
  world.limits.update_bytes = 60;
  const Id host = world.Branch("驻深圳流动党支部");
  world.Appoint(zhang, host, SECRETARY);
  world.SyncAll();
  zhangs.Make<Flow>([&](Flow& flow) {
    flow.set_member_id(wang.str());
    flow.set_home_branch_id(branch.str());
    flow.set_host_branch_id(host.str());
    flow.set_left("2026-03-01");
    flow.set_state(Flow::REPORTED);
  });
  for (int i = 0; i < 6; ++i) MakeMeeting(zhangs);
  for (int updates = 1; updates < 12; ++updates) {
    world.SyncAll();
    Stream stream(&world, &zhangs);
    stream.Run();
    world.Wait(1000);
    world.Dismiss(zhang, branch, SECRETARY);
    world.Dismiss(zhang, host, SECRETARY);
    for (int i = 0; i < updates; ++i) stream.StepServer();
    world.Wait(1000);
    world.Appoint(zhang, host, SECRETARY);
    stream.Run();
    EXPECT_THAT(world.Differences(zhangs), ::testing::IsEmpty()) << "after " << updates;
    world.Appoint(zhang, branch, SECRETARY);
  }
}

// A device that could not store the news that the server was restored, because its
// disk was full, was told it again for ever.
TEST(Regression, ADeviceThatCannotStoreTheNewsGivesUpAndSaysWhy) {
  sim::Universe universe({.seed = 3, .steps = 0, .devices = 5, .faults = {}});
  sim::Device& device = *universe.devices()[0];
  universe.Sync(device);
  universe.BackUpServer();
  universe.RestoreServer();
  device.disk.SetFull(true);
  universe.Sync(device);
  EXPECT_FALSE(universe.failure());
  EXPECT_EQ(device.stream, nullptr);
  device.disk.Mend();
  universe.CheckAll();
  EXPECT_FALSE(universe.failure());
}

// A server of an earlier version, and a device of today's.
class RegressionAtEarlierServer : public ::testing::Test {
 protected:
  RegressionAtEarlierServer() {
    universe.Sync(device);
    client::Draft draft = device.store->New<Sampler>();
    draft.message<Sampler>().set_branch_id(universe.branches()[0].str());
    draft.message<Sampler>().add_by_key()->set_key("甲");
    universe.Commit(device, {&draft}, {});
    sampler = draft.id();
    universe.Sync(device);
  }

  Sampler Shown() { return device.store->Edit<Sampler>(sampler)->message<Sampler>(); }
  void Change(const std::function<void(Sampler*)>& change) {
    auto draft = device.store->Edit<Sampler>(sampler);
    change(&draft->message<Sampler>());
    universe.Commit(device, {&*draft}, {});
    universe.Sync(device);
  }
  std::vector<client::SetAside> SetAside() {
    std::vector<client::SetAside> items;
    EXPECT_EQ(device.store->ListSetAside([&](const auto& item) { items.push_back(item); }),
              absl::OkStatus());
    return items;
  }
  void ExpectReturned(const std::string& field) {
    const auto items = SetAside();
    ASSERT_EQ(items.size(), 1u);
    EXPECT_EQ(items[0].answer.reason(), sync::v1::UNKNOWN_FIELD);
    EXPECT_EQ(items[0].answer.detail(), field);
    universe.UpdateServer();
    universe.Amend(device, items[0]);
    universe.CheckAll();
    EXPECT_TRUE(SetAside().empty());
    EXPECT_FALSE(universe.failure()) << universe.failure()->detail;
  }

  sim::Universe universe{{.seed = 3, .steps = 0, .devices = 5, .faults = {sim::Act::kOldServer}}};
  sim::Device& device = *universe.devices()[0];
  Id sampler;
};

// It kept both members of a oneof, and everybody saw the one that stood last.
TEST_F(RegressionAtEarlierServer, AOneofThatItDoesNotKnowComesBack) {
  Change([](Sampler* s) { s->set_number(5); });
  ExpectReturned("Sampler.15");
  EXPECT_EQ(Shown().number(), 5);
}

// It took what was to be added to a set for the whole set.
TEST_F(RegressionAtEarlierServer, ASetInAnElementThatItKnowsComesBack) {
  Change([](Sampler* s) { s->mutable_by_key(0)->add_tags("红"); });
  ExpectReturned("Sampler.by_key.4");
  EXPECT_EQ(Shown().by_key(0).tags(0), "红");
}

}  // namespace
}  // namespace zhibu::test
