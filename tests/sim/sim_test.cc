// A bounded part of what `zhibu sim` does, on every build.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "tests/sim/every.h"
#include "tests/sim/shrink.h"
#include "tests/sim/simulation.h"

namespace zhibu::sim {
namespace {

void ExpectHolds(const Options& options) {
  const Report report = sim::Run(MakePlan(options));
  if (!report.failure) return;
  ADD_FAILURE() << "seed " << options.seed << ", step " << report.step << ": "
                << report.failure->invariant << "\n"
                << report.failure->detail << "\n"
                << report.history << "replay: zhibu sim --seed " << options.seed << " --steps "
                << options.steps << " --devices " << options.devices << " --faults "
                << TextOf(options.faults);
}

// But for damage and moves, which are simulated by themselves: docs/proof.md.
TEST(Sim, AllFaultsTogether) {
  std::vector<Act> faults = AllFaults();
  for (const Act alone : {Act::kDamage, Act::kServerMoved}) {
    faults.erase(std::remove(faults.begin(), faults.end(), alone), faults.end());
  }
  for (uint64_t seed = 1; seed <= 20; seed += Every()) {
    ExpectHolds({.seed = seed, .steps = 1000, .devices = 6, .faults = faults});
  }
}

TEST(Sim, NoFaultsAtAll) {
  for (uint64_t seed = 1; seed <= 10; seed += Every()) ExpectHolds({.seed = seed, .steps = 1000});
}

class OneFault : public ::testing::TestWithParam<Act> {};

TEST_P(OneFault, Alone) {
  for (uint64_t seed = 100; seed < 105; seed += Every()) {
    ExpectHolds({.seed = seed, .steps = 500, .devices = 5, .faults = {GetParam()}});
  }
}

INSTANTIATE_TEST_SUITE_P(Sim, OneFault, ::testing::ValuesIn(AllFaults()), [](const auto& info) {
  std::string name(NameOf(info.param));
  name.erase(std::remove(name.begin(), name.end(), '-'), name.end());
  return name;
});

// What comes about in many seeds together is counted where there is time for all of them.
class SimCounts : public ::testing::Test {
 protected:
  void SetUp() override {
    if (Every() > 1) GTEST_SKIP() << "one seed of " << Every() << " is run";
  }
};

// Else the fault would find nothing because there is nothing to find.
TEST_F(SimCounts, AnOldServerMeetsWhatItKnowsNot) {
  Report all;
  for (uint64_t seed = 1; seed <= 5; ++seed) {
    const Report report = sim::Run(
        MakePlan({.seed = seed, .steps = 1000, .devices = 6, .faults = {Act::kOldServer}}));
    all.returned_unknown += report.returned_unknown;
    all.merged_unknown += report.merged_unknown;
    all.stats.amended += report.stats.amended;
    all.stats.discarded += report.stats.discarded;
  }
  EXPECT_GT(all.returned_unknown, 20u);
  EXPECT_GT(all.merged_unknown, 10u);
  EXPECT_GT(all.stats.amended, 20u);
  EXPECT_GT(all.stats.discarded, 10u);
  const Report today = sim::Run(MakePlan({.seed = 1, .steps = 1000, .devices = 6}));
  EXPECT_EQ(today.returned_unknown + today.merged_unknown, 0u);
}

TEST_F(SimCounts, ThoseAboveLookAndDecide) {
  Report all;
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    const Report report =
        sim::Run(MakePlan({.seed = seed, .steps = 1000, .devices = 6, .faults = AllFaults()}));
    all.stats.questions += report.stats.questions;
    all.stats.pages += report.stats.pages;
    all.stats.looked_at += report.stats.looked_at;
    all.opened += report.opened;
    all.found_twice += report.found_twice;
    all.decided += report.decided;
  }
  EXPECT_GT(all.stats.questions, 30u);
  EXPECT_GT(all.stats.pages, 20u);
  EXPECT_GT(all.stats.looked_at, 100u);
  EXPECT_GT(all.opened, 3u);
  EXPECT_GT(all.found_twice, 10u);
  EXPECT_GT(all.decided, 3u);
}

// What they write lawfully stands; what is not there must be answered as what is not theirs.
TEST_F(SimCounts, HostilePhonesSayAnything) {
  Report all;
  for (uint64_t seed = 1; seed <= 5; ++seed) {
    const Report report =
        sim::Run(MakePlan({.seed = seed, .steps = 1000, .devices = 6, .faults = {Act::kHostile}}));
    all.hostile += report.hostile;
    all.stats.hostile_edits += report.stats.hostile_edits;
    all.stats.hostile_asked += report.stats.hostile_asked;
  }
  EXPECT_GT(all.stats.hostile_edits, 500u);
  EXPECT_GT(all.hostile, 30u);
  EXPECT_GT(all.stats.hostile_asked, 20u);
}

TEST(Sim, TheSameSeedIsTheSameRun) {
  const Plan plan = MakePlan({.seed = 77, .steps = 1200, .devices = 6, .faults = AllFaults()});
  const Report first = sim::Run(plan);
  const Report second = sim::Run(plan);
  EXPECT_EQ(first.digest, second.digest);
  EXPECT_EQ(first.stats.frames, second.stats.frames);
  const Plan other = MakePlan({.seed = 78, .steps = 1200, .devices = 6, .faults = AllFaults()});
  EXPECT_NE(sim::Run(other).digest, first.digest);
}

TEST(Plan, ReadsBackWhatItWrote) {
  const Plan plan = MakePlan({.seed = 9, .steps = 50, .devices = 3, .faults = AllFaults()});
  const auto read = Plan::FromText(plan.ToText());
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->ToText(), plan.ToText());
  EXPECT_FALSE(Plan::FromText("jump 1 2").ok());
  EXPECT_FALSE(FaultsFromText("cut,bite").ok());
  EXPECT_EQ(FaultsFromText("all,-clone")->size(), AllFaults().size() - 1);
}

TEST(Shrinker, FindsTheStepsThatMatter) {
  const Plan plan = MakePlan({.seed = 4, .steps = 300, .devices = 6, .faults = AllFaults()});
  const uint64_t one = plan.steps[17].seed;
  const uint64_t two = plan.steps[230].seed;
  const Plan least = Shrink(plan, 1000, [&](const Plan& smaller) {
    int found = 0;
    for (const Step& step : smaller.steps) found += step.seed == one || step.seed == two;
    return found == 2;
  });
  ASSERT_EQ(least.steps.size(), 2u);
  EXPECT_EQ(least.steps[0].seed, one);
  EXPECT_EQ(least.steps[1].seed, two);
}

}  // namespace
}  // namespace zhibu::sim
