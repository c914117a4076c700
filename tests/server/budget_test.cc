#include "server/web/budget.h"

#include <gtest/gtest.h>

namespace zhibu::server {
namespace {

TEST(BudgetTest, StrangersTakeHalfAndADeviceTakesTheRest) {
  Budget budget(100);
  Budget::Share stranger(&budget);
  Budget::Share other(&budget);
  EXPECT_TRUE(stranger.GrowTo(30));
  EXPECT_TRUE(stranger.GrowTo(40)) << "10 more";
  EXPECT_FALSE(other.GrowTo(11));
  EXPECT_TRUE(other.GrowTo(10));
  Budget::Share device(&budget);
  device.Prove();
  EXPECT_FALSE(device.GrowTo(51));
  EXPECT_TRUE(device.GrowTo(50));
}

TEST(BudgetTest, WhatIsDoneWithIsGivenBack) {
  Budget budget(100);
  {
    Budget::Share share(&budget);
    EXPECT_TRUE(share.GrowTo(50));
    share.Clear();
    EXPECT_TRUE(share.GrowTo(50));
    share.Prove();
    EXPECT_TRUE(share.GrowTo(100)) << "what it took as a stranger it has no more";
  }
  Budget::Share next(&budget);
  EXPECT_TRUE(next.GrowTo(50));
}

}  // namespace
}  // namespace zhibu::server
