// One test for each bug that the simulator has found, told without it.
#include <gtest/gtest.h>

#include "tests/support/village.h"

namespace zhibu::test {
namespace {

using Regression = Village;

// Two copies of a copy each have an edit that the number's first owner has not.
// Each was given a device number of its own, and the edit was merged twice.
// Minimal plan: clone 3; edit 3 on each; clone the copy; sync all.
TEST_F(Regression, AnEditOfACopyThatIsCopiedAgainCountsOnce) {
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
TEST_F(Regression, AnEditIsKnownAgainAfterABackupFromBeforeTheRenumbering) {
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

}  // namespace
}  // namespace zhibu::test
