// Members who go away, from the command line: both branches and the member on one stay
// while the server cannot be reached, a transfer, a pass.
#include <gmock/gmock.h>

#include "tests/e2e/township.h"

namespace zhibu::e2e {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::StartsWith;

constexpr char kHost[] = "云溪镇驻滨海市流动党支部";
constexpr char kHostSecretary[] = "滨海党员01";

class FlowTest : public ::testing::Test {
 protected:
  FlowTest() {
    township_.Admin({"grant", kHostSecretary, kHost});
    host_.Do({"sync"});
  }

  // As in the field: offline, then everybody comes by, twice so that all is told.
  void SyncAll() {
    township_.Start();
    for (int round = 0; round < 2; ++round) {
      for (const Device* device : {&member_, &home_, &host_}) device->Do({"sync"});
    }
    township_.Stop();
  }
  std::string HostId() {
    for (const Json& one : host_.List("Organisation")) {
      if (one["record"].value("name", "") == kHost) return one.value("id", "");
    }
    ADD_FAILURE() << "no host";
    return "";
  }
  std::string Stay() {
    township_.Stop();
    const std::string flow = member_
                                 .Do({"flow", "report", "--host", HostId(), "--left", "2026-11-20",
                                      "--back", "2027-01-25", "--destination", "滨海市"})
                                 .value("id", "");
    SyncAll();
    host_.Do({"flow", "accept", kMigrant, "--contact", "陈书记 000-2"});
    SyncAll();
    return flow;
  }
  std::string ReasonsOf(const Device& device) {
    std::string reasons;
    for (const Json& one : device.Do({"set-aside"})) {
      reasons += (reasons.empty() ? "" : " ") + one.value("reason", "");
    }
    return reasons;
  }
  bool Holds(const Device& device, const std::string& member) {
    return !device.Do({"list", "Member", "--where", "name=" + member}).empty();
  }

  Township township_;
  const Device home_ = township_.Enrol(kSecretary);
  const Device host_ = township_.Enrol(kHostSecretary);
  const Device member_ = township_.Enrol(kMigrant);
};

TEST_F(FlowTest, BothBranchesAndTheMemberWorkOnOneStayWithoutALink) {
  const std::string flow = Stay();
  member_.Do({"flow", "ask-extension", flow, "2027-06-30"});
  host_.Do({"flow", "contact", kMigrant, "--how", "走访", "--said", "表现很好"});
  home_.Do({"flow", "contact", kMigrant, "--how", "电话"});
  SyncAll();
  home_.Do({"flow", "extend", kMigrant});
  SyncAll();
  for (const Device* device : {&home_, &host_, &member_}) {
    const Json stays = device->Do({"flow", "list"});
    ASSERT_THAT(stays, SizeIs(1));
    EXPECT_EQ(stays[0].value("member", ""), kMigrant);
    EXPECT_EQ(stays[0].value("state", ""), "EXTENDED");
    EXPECT_EQ(stays[0].value("expectedBack", ""), "2027-06-30");
    EXPECT_EQ(stays[0].value("hostContact", ""), "陈书记 000-2");
    EXPECT_EQ(stays[0].value("home", ""), kBranch);
    EXPECT_EQ(stays[0].value("host", ""), kHost);
    EXPECT_THAT(device->List("Contact"), SizeIs(2));
    EXPECT_EQ(ReasonsOf(*device), "");
  }
  EXPECT_THAT(home_.List("ConflictNote"), IsEmpty());
  EXPECT_TRUE(Holds(host_, kMigrant));

  member_.Do({"flow", "end", kMigrant, "--date", "2027-06-29"});
  SyncAll();
  EXPECT_FALSE(Holds(host_, kMigrant));
  EXPECT_THAT(host_.Do({"flow", "list"}), IsEmpty());
  EXPECT_THAT(host_.Do({"flow", "list", "--all"}), SizeIs(1));
  // Of the two contacts the host keeps its own.
  ASSERT_THAT(host_.List("Contact"), SizeIs(1));
  EXPECT_EQ(host_.List("Contact")[0]["record"].value("how", ""), "走访");
}

TEST_F(FlowTest, AStepOfTheOtherSideComesBackInWords) {
  township_.Stop();
  member_.Do({"flow", "report", "--host", HostId()});
  member_.Do({"flow", "accept", kMigrant});
  SyncAll();
  const Json aside = member_.Do({"set-aside"});
  ASSERT_THAT(aside, SizeIs(1));
  EXPECT_EQ(aside[0].value("reason", ""), "NOT_YOUR_STEP");
  EXPECT_THAT(aside[0].value("words", ""), AllOf(HasSubstr("另一方"), HasSubstr("已接收")));
  EXPECT_EQ(host_.Do({"flow", "list"})[0].value("state", ""), "REPORTED");
  // A step that is not declared is refused on the device.
  host_.Do({"flow", "decline", kMigrant, "--reason", "查无此人"});
  EXPECT_EQ(host_.Refused({"flow", "accept", kMigrant}).value("reason", ""), "STEP_NOT_ALLOWED");
}

TEST_F(FlowTest, WhoMovesOnLeavesTheFirstHostAndIsReportedToTheNextInOneEdit) {
  const std::string flow = Stay();
  const uint64_t before = member_.Unsent();
  member_.Do({"flow", "move-on", kMigrant, "--destination", "省城"});
  EXPECT_EQ(member_.Unsent(), before + 1);
  SyncAll();
  EXPECT_FALSE(Holds(host_, kMigrant));
  const Json now = home_.Do({"flow", "list"});
  ASSERT_THAT(now, SizeIs(1));
  EXPECT_EQ(home_.Record("Flow", now[0].value("id", "")).value("followsId", ""), flow);
  EXPECT_EQ(home_.Record("Flow", flow).value("ending", ""), "MOVED_ON");
}

TEST_F(FlowTest, AMemberIsTransferredByLetterAndReceiptWithEverybodyOffline) {
  const std::string member_id = home_.IdOf(kMigrant);
  const std::string host_id = HostId();
  township_.Stop();
  home_.Put("DuesPayment", Dues(member_id, home_.BranchId(), 1850));
  member_.Do({"transfer", "request", "--to", host_id, "--reason", "定居"});
  SyncAll();
  home_.Do({"transfer", "issue", kMigrant, "--letter", "云组介-17", "--days", "30"});
  SyncAll();
  EXPECT_TRUE(Holds(home_, kMigrant));
  EXPECT_FALSE(Holds(host_, kMigrant));
  const Json letters = host_.Do({"transfer", "list"});
  ASSERT_THAT(letters, SizeIs(1));
  EXPECT_EQ(letters[0].value("member", ""), kMigrant);
  EXPECT_EQ(letters[0].value("from", ""), kBranch);

  host_.Do({"transfer", "receive", kMigrant});
  township_.Start();
  host_.Do({"sync"});
  township_.Stop();
  home_.Do({"edit", "Member", member_id, R"({"education": "大学本科"})"});  // not told yet
  SyncAll();
  EXPECT_EQ(ReasonsOf(home_), "MOVED_AWAY");
  const Json held = host_.Do({"held"});
  ASSERT_THAT(held, SizeIs(1));
  host_.Do({"take", held[0].value("id", "")});
  home_.Do({"transfer", "close", "云组介-17"});
  SyncAll();
  EXPECT_FALSE(Holds(home_, kMigrant));
  // The old branch's dues list still says whose they are, and where they have gone.
  const std::string dues = RunToEnd({"device", "--home", home_.home(), "list", "党费"}).out;
  EXPECT_THAT(dues, AllOf(HasSubstr(kMigrant), HasSubstr(std::string("转往") + kHost),
                          HasSubstr("18.50 元"), Not(HasSubstr(member_id))));
  EXPECT_EQ(host_.Record("Member", member_id).value("education", ""), "大学本科");
  EXPECT_EQ(host_.Record("Member", member_id).value("branchId", ""), host_id);
  EXPECT_EQ(host_.Do({"transfer", "list", "--all"})[0].value("state", ""), "CLOSED");
  EXPECT_THAT(host_.Do({"list", "PrivateDetail", "--where", "memberId=" + member_id}), SizeIs(1));
}

TEST_F(FlowTest, APassIsShownAndVerifiedWithoutALink) {
  township_.Stop();
  const std::string id = home_
                             .Do({"pass", "issue", kMigrant, "--number", "青石-001", "--from",
                                  "2026-01-01", "--until", "2099-12-31"})
                             .value("id", "");
  EXPECT_EQ(home_.Refused({"pass", "show", "--member", kMigrant}).value("code", ""),
            "FAILED_PRECONDITION");
  SyncAll();
  const Json shown = member_.Do({"pass", "show"});
  const std::string text = shown.value("text", "");
  EXPECT_THAT(text, StartsWith("ZP1:"));
  EXPECT_EQ(shown.value("number", ""), "青石-001");
  const Json checked = host_.Do({"pass", "verify", text});
  EXPECT_EQ(checked.value("standing", ""), "VALID");
  EXPECT_EQ(checked.value("name", ""), kMigrant);
  EXPECT_EQ(checked.value("issuer", ""), kBranch);
  const Json no_pass = host_.Refused({"pass", "verify", "https://example.invalid/"});
  EXPECT_EQ(no_pass.value("reason", ""), "PASS_INVALID");
  // As people see it.
  const Finished drawn = RunToEnd({"device", "--home", member_.home(), "pass", "show"});
  EXPECT_THAT(drawn.out, AllOf(HasSubstr("█"), HasSubstr("流动党员活动证 青石-001")));

  member_.Do({"flow", "report", "--host", HostId()});
  SyncAll();
  host_.Do({"flow", "accept", kMigrant});
  home_.Do({"pass", "revoke", id});
  SyncAll();
  EXPECT_EQ(host_.Do({"pass", "verify", text}).value("standing", ""), "REVOKED");
}

TEST_F(FlowTest, WhoIsMeantIsSaidByNameOrIdAndElseAskedFor) {
  township_.Stop();
  EXPECT_EQ(home_.Refused({"flow", "report", "--member", "查无此人"}).value("code", ""),
            "NOT_FOUND");
  EXPECT_EQ(home_.Refused({"flow", "end", kMigrant}).value("code", ""), "NOT_FOUND");
  EXPECT_EQ(
      home_.Refused({"flow", "report", "--member", kMigrant, "--left", "昨天"}).value("reason", ""),
      "BAD_VALUE");
  home_.Do({"flow", "report", "--member", kMigrant});
  home_.Do({"flow", "report", "--member", kMigrant});
  EXPECT_EQ(home_.Refused({"flow", "end", kMigrant}).value("code", ""), "FAILED_PRECONDITION");
  EXPECT_EQ(home_.Run({"transfer", "issue", kMigrant, "--letter", "1", "--days", "91"}).status, 2);
  EXPECT_EQ(
      home_.Refused({"transfer", "issue", "--member", kMigrant, "--letter", "1"}).value("code", ""),
      "NOT_FOUND");
}

}  // namespace
}  // namespace zhibu::e2e
