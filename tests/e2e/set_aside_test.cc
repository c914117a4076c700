// What the server returned, from the command line: amended and sent again, or
// discarded.
#include <gmock/gmock.h>

#include "tests/e2e/township.h"

namespace zhibu::e2e {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

TEST(SetAsideTest, WhatWasReturnedIsAmendedAndSentAgainOnceItsAuthorMay) {
  Township township;
  const Device secretary = township.Enrol(kSecretary);
  const Device deputy = township.Enrol(kDeputy);
  Json meeting = Meeting(secretary, "代书记召集");
  township.Admin({"revoke", kDeputy, kBranch, "--office", "deputy"});
  deputy.Do({"sync"});
  township.Stop();
  // The device does not know who acts for another branch; the server does.
  Json elsewhere = meeting;
  elsewhere["branchId"] = MadeUpId(7);
  deputy.Put("Meeting", elsewhere);
  deputy.Put("Meeting", elsewhere);
  township.Start();
  deputy.Do({"sync"});
  const Json aside = deputy.Do({"set-aside"});
  ASSERT_THAT(aside, SizeIs(2));
  EXPECT_EQ(aside[0].value("reason", ""), "NOT_ENTITLED") << aside;

  township.Admin({"grant", kDeputy, kBranch, "--office", "deputy"});
  deputy.Do({"sync"});
  const std::string first = std::to_string(aside[0].value("place", 0));
  const std::string second = std::to_string(aside[1].value("place", 0));
  const Json right = {{"branchId", meeting["branchId"]}};
  const std::string id = deputy.Do({"resend", first, right.dump()}).value("id", "");
  deputy.Do({"discard", second});
  EXPECT_THAT(deputy.Do({"set-aside"}), IsEmpty());
  EXPECT_EQ(deputy.Refused({"discard", second}).value("code", ""), "NOT_FOUND");
  EXPECT_EQ(deputy.Refused({"resend", second}).value("code", ""), "NOT_FOUND");

  deputy.Do({"sync"});
  secretary.Do({"sync"});
  EXPECT_EQ(secretary.Record("Meeting", id).value("topic", ""), "代书记召集");
  EXPECT_THAT(deputy.Do({"set-aside"}), IsEmpty());
  EXPECT_EQ(deputy.Unsent(), 0u);
}

}  // namespace
}  // namespace zhibu::e2e
