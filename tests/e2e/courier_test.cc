// Edits that reach the server by hand, from a device that has no link.
#include <gmock/gmock.h>

#include <memory>

#include "absl/strings/str_cat.h"
#include "tests/e2e/proxy.h"
#include "tests/e2e/township.h"

namespace zhibu::e2e {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class CourierTest : public ::testing::Test {
 protected:
  // In the village there is no signal any more.
  CourierTest() { link_.reset(); }

  Json Courier(const Device& device, const std::string& what, const std::string& file) const {
    return device.Do({"courier", what, file});
  }
  // At the office, on a computer that is nobody's device.
  Words DeliverCommand(const std::string& file) const {
    return {"--json",
            "device",
            "courier",
            "deliver",
            file,
            "--server",
            absl::StrCat("127.0.0.1:", township_.port()),
            "--receipts",
            answers_};
  }
  void ExpectOffline() const {
    EXPECT_EQ(author_.Refused({"sync", "--timeout", "5"}).value("reason", ""), "OFFLINE");
  }
  std::string PutMeeting() const { return author_.Put("Meeting", Meeting(author_, "七月")); }

  Township township_;
  std::unique_ptr<Proxy> link_ = std::make_unique<Proxy>(township_.port());
  const Device author_ = township_.Enrol(kSecretary, "", link_->port());
  const Device deputy_ = township_.Enrol(kDeputy);
  const TempFolder stick_;
  const std::string bundles_ = stick_ / "七月.zhibu";
  const std::string answers_ = stick_ / "回执.zhibu";
};

TEST_F(CourierTest, AnotherDeviceCarriesItAndBringsTheAnswersBackTheAuthorNeverHasALink) {
  const std::string meeting = PutMeeting();
  author_.Do({"edit", "Meeting", meeting, R"({"place": "礼堂"})"});
  ExpectOffline();
  EXPECT_EQ(Courier(author_, "export", bundles_).value("edits", 0), 2);
  EXPECT_THAT(ReadFile(bundles_), Not(HasSubstr("礼堂")));

  const std::string receipts = Courier(deputy_, "carry", bundles_).value("receipts", "");
  const Json synced = deputy_.Do({"sync"});
  ASSERT_EQ(synced["courier"].size(), 1u) << synced;
  EXPECT_EQ(synced["courier"][0].value("receipts", ""), receipts);
  EXPECT_FALSE(deputy_.Do({"sync"}).contains("courier")) << "it has been delivered";
  EXPECT_EQ(deputy_.Record("Meeting", meeting).value("place", ""), "礼堂");

  EXPECT_EQ(Courier(author_, "receive", receipts).value("delivered", 0), 2);
  const Json status = author_.Do({"status"});
  EXPECT_EQ(status.value("unsent", 0), 2) << "until a session brings their effect";
  EXPECT_EQ(status.value("delivered", 0), 2);
  EXPECT_EQ(author_.Record("Meeting", meeting).value("place", ""), "礼堂");
  EXPECT_EQ(author_.Refused({"courier", "export", bundles_}).value("reason", ""),
            "COURIER_NOTHING");
  EXPECT_TRUE(township_.Admin({"audit", "verify"}).is_object());
}

TEST_F(CourierTest, AnyComputerDeliversItAsOftenAsItLikes) {
  const std::string member = author_.IdOf(kSecretary);
  author_.Put("DuesPayment", Dues(member, author_.BranchId(), 100));
  Courier(author_, "export", bundles_);
  Succeed(DeliverCommand(bundles_));
  township_.Kill();
  township_.Start();
  const Json again = Succeed(DeliverCommand(bundles_));
  EXPECT_EQ(again.value("receipts", ""), answers_);
  EXPECT_EQ(Courier(author_, "receive", answers_).value("delivered", 0), 1);
  EXPECT_TRUE(Courier(author_, "receive", answers_).value("nothingNew", false));
  deputy_.Do({"sync"});
  EXPECT_EQ(deputy_.List("DuesPayment").size(), 1u);
}

TEST_F(CourierTest, WhatIsReturnedComesBackInWords) {
  Json meeting = Meeting(author_, "七月");
  meeting["branchId"] = MadeUpId(7);  // a branch that is not the secretary's
  author_.Put("Meeting", meeting);
  Courier(author_, "export", bundles_);
  Succeed(DeliverCommand(bundles_));
  EXPECT_EQ(Courier(author_, "receive", answers_).value("setAside", 0), 1);
  const Json set_aside = author_.Do({"set-aside"});
  ASSERT_EQ(set_aside.size(), 1u);
  EXPECT_THAT(set_aside[0].value("words", ""), HasSubstr("权限"));
  EXPECT_EQ(author_.Unsent(), 0u);
}

TEST_F(CourierTest, OfARevokedDeviceItIsHeldAndItsOwnerIsTold) {
  const std::string meeting = PutMeeting();
  Courier(author_, "export", bundles_);
  const Json devices = township_.Admin({"devices"});
  for (const Json& device : devices["devices"]) {
    if (device.value("name", "") != kSecretary) continue;
    township_.Admin({"revoke", "--device", device["number"].dump()});
  }
  Succeed(DeliverCommand(bundles_));
  deputy_.Do({"sync"});
  EXPECT_THAT(IdsOn(deputy_, "Meeting"), IsEmpty());
  Courier(author_, "receive", answers_);
  const Json set_aside = author_.Do({"set-aside"});
  ASSERT_EQ(set_aside.size(), 1u);
  EXPECT_EQ(set_aside[0].value("verdict", ""), "HELD");
  EXPECT_THAT(set_aside[0].value("words", ""), Not(IsEmpty()));
}

TEST_F(CourierTest, AlteredOrNotAtTheServerOrForSomebodyElseItIsRefusedInWords) {
  PutMeeting();
  Courier(author_, "export", bundles_);
  const std::string whole = ReadFile(bundles_);
  std::string altered = whole;
  altered[whole.size() / 2] ^= 1;
  WriteFile(bundles_, altered);
  const Json damaged = Fail(DeliverCommand(bundles_));
  EXPECT_EQ(damaged.value("reason", ""), "COURIER_DAMAGED");
  EXPECT_THAT(damaged.value("words", ""), HasSubstr("重新导出"));
  WriteFile(bundles_, whole.substr(0, whole.size() / 2));
  EXPECT_EQ(deputy_.Refused({"courier", "carry", bundles_}).value("reason", ""), "COURIER_DAMAGED");
  WriteFile(bundles_, whole);
  // Where the file says that the server is, there is none any more.
  EXPECT_EQ(Fail({"--json", "device", "courier", "deliver", bundles_}).value("reason", ""),
            "OFFLINE");
  Words other = DeliverCommand(bundles_);
  other.insert(other.end(), {"--fingerprint", std::string(64, 'a')});
  EXPECT_EQ(Fail(other).value("reason", ""), "OTHER_SERVER");
  Succeed(DeliverCommand(bundles_));
  EXPECT_EQ(deputy_.Refused({"courier", "receive", answers_}).value("reason", ""),
            "COURIER_DAMAGED");
  EXPECT_EQ(author_.Do({"status"}).value("delivered", 1), 0);
}

TEST_F(CourierTest, WhatCannotBeDeliveredYetStaysWithTheCarrier) {
  PutMeeting();
  Courier(author_, "export", bundles_);
  Courier(deputy_, "carry", bundles_);
  township_.Kill();
  EXPECT_EQ(deputy_.Refused({"sync", "--timeout", "5"}).value("reason", ""), "OFFLINE");
  township_.Start();
  EXPECT_EQ(deputy_.Do({"sync"})["courier"].size(), 1u);
}

}  // namespace
}  // namespace zhibu::e2e
