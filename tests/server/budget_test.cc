#include "server/web/budget.h"

#include <gtest/gtest.h>

namespace zhibu::server {
namespace {

TEST(BudgetTest, StrangersTakeHalfAndADeviceTakesTheRest) {
  Budget budget(800);
  Budget::Share first(&budget, "10.0.0.1");
  Budget::Share second(&budget, "10.0.0.2");
  Budget::Share third(&budget, "10.0.0.3");
  Budget::Share fourth(&budget, "10.0.0.4");
  Budget::Share fifth(&budget, "10.0.0.5");
  EXPECT_TRUE(first.GrowTo(50));
  EXPECT_TRUE(first.GrowTo(100)) << "50 more";
  EXPECT_TRUE(second.GrowTo(100));
  EXPECT_TRUE(third.GrowTo(100));
  EXPECT_TRUE(fourth.GrowTo(90));
  EXPECT_FALSE(fifth.GrowTo(11));
  EXPECT_TRUE(fifth.GrowTo(10));
  Budget::Share device(&budget, "10.0.0.1");
  device.Prove();
  EXPECT_FALSE(device.GrowTo(401));
  EXPECT_TRUE(device.GrowTo(400));
}

TEST(BudgetTest, StrangersFromOneAddressLeaveRoomForThoseFromAnother) {
  Budget budget(800);
  Budget::Share first(&budget, "10.0.0.1");
  EXPECT_TRUE(first.GrowTo(60));
  {
    Budget::Share again(&budget, "10.0.0.1");
    EXPECT_FALSE(again.GrowTo(41));
    EXPECT_TRUE(again.GrowTo(40));
    Budget::Share more(&budget, "10.0.0.1");
    EXPECT_FALSE(more.GrowTo(1));
    Budget::Share other(&budget, "10.0.0.2");
    EXPECT_TRUE(other.GrowTo(100));
  }
  Budget::Share later(&budget, "10.0.0.1");
  EXPECT_TRUE(later.GrowTo(40)) << "what has ended is given back";
}

TEST(BudgetTest, WhatIsDoneWithIsGivenBack) {
  Budget budget(800);
  {
    Budget::Share share(&budget, "10.0.0.1");
    EXPECT_TRUE(share.GrowTo(100));
    share.Clear();
    EXPECT_TRUE(share.GrowTo(100));
    share.Prove();
    EXPECT_TRUE(share.GrowTo(800)) << "what it took as a stranger it has no more";
  }
  Budget::Share next(&budget, "10.0.0.1");
  EXPECT_TRUE(next.GrowTo(100));
}

}  // namespace
}  // namespace zhibu::server
