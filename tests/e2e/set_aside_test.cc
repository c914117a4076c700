// What the server returned or held, from the command line: amended and sent again,
// discarded, taken.
#include <gmock/gmock.h>

#include <fstream>

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

TEST(SetAsideTest, WhatIsHeldIsTakenByTheSecretaryAndItsAuthorSeesIt) {
  Township township;
  const Device secretary = township.Enrol(kSecretary);
  const Device deputy = township.Enrol(kDeputy);
  const Json meeting = Meeting(deputy, "卸任前的会议");
  township.Stop();
  const std::string taken = deputy.Put("Meeting", meeting);
  const std::string given_back = deputy.Put("Meeting", meeting);
  township.Admin({"revoke", kDeputy, kBranch, "--office", "deputy"});
  township.Start();
  deputy.Do({"sync"});
  const Json waiting = deputy.Do({"set-aside"});
  ASSERT_THAT(waiting, SizeIs(2));
  EXPECT_EQ(waiting[0].value("standing", ""), "WAITING");
  const Json too_early = deputy.Refused({"resend", std::to_string(waiting[0].value("place", 0))});
  EXPECT_EQ(too_early.value("code", ""), "FAILED_PRECONDITION");
  secretary.Do({"sync"});
  const Json held = secretary.Do({"held"});
  ASSERT_THAT(held, SizeIs(2));
  EXPECT_EQ(held[0].value("reason", ""), "GRANT_ENDED");
  EXPECT_EQ(held[0]["changes"][0]["set"].value("topic", ""), "卸任前的会议");

  township.Stop();  // decided without a link
  for (const Json& item : held) {
    const std::string id = item.value("id", "");
    if (item["changes"][0].value("id", "") == taken) {
      secretary.Do({"take", id});
    } else {
      secretary.Do({"return", id, "请重新开会"});
    }
  }
  EXPECT_THAT(secretary.Do({"held"}), IsEmpty());
  township.Start();
  secretary.Do({"sync"});
  secretary.Do({"sync"});
  deputy.Do({"sync"});
  EXPECT_EQ(secretary.Record("Meeting", taken).value("topic", ""), "卸任前的会议");
  EXPECT_EQ(IdsOn(secretary, "Meeting").count(given_back), 0u);
  const Json status = deputy.Do({"status"});
  EXPECT_EQ(status.value("unsent", -1), 0);
  EXPECT_EQ(status.value("setAside", 0), 1);
  EXPECT_EQ(status.value("returned", 0), 1);
  EXPECT_EQ(status.value("held", -1), 0);
  EXPECT_FALSE(status.value("synced", true)) << "one of the edits is not in";
  for (const Json& item : deputy.Do({"set-aside"})) {
    const bool back = item["changes"][0].value("id", "") == given_back;
    EXPECT_EQ(item.value("standing", ""), back ? "RETURNED" : "TAKEN");
    EXPECT_EQ(item.value("reply", ""), back ? "请重新开会" : "");
    // What has been taken would count twice.
    if (!back) {
      const std::string place = std::to_string(item.value("place", 0));
      EXPECT_EQ(deputy.Refused({"resend", place}).value("code", ""), "FAILED_PRECONDITION");
    }
  }
  const std::string file = deputy.home() + "/returned.json";
  for (const Json& item : deputy.Do({"set-aside"})) {
    if (item.value("standing", "") != "RETURNED") continue;
    deputy.Do({"export", std::to_string(item.value("place", 0)), file});
    EXPECT_EQ(Json::parse(std::ifstream(file)), item);
    deputy.Do({"discard", std::to_string(item.value("place", 0))});
  }
  EXPECT_EQ(deputy.Refused({"export", "99", file}).value("code", ""), "NOT_FOUND");
  for (const Json& item : held) {
    const Json record = deputy.Record("HeldEdit", item.value("id", ""));
    const bool back = item["changes"][0].value("id", "") == given_back;
    EXPECT_EQ(record.value("state", ""), back ? "RETURNED" : "TAKEN");
    EXPECT_EQ(record.value("reply", ""), back ? "请重新开会" : "");
  }
}

}  // namespace
}  // namespace zhibu::e2e
