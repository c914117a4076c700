// Checking in while the server cannot be reached by anybody.
#include <gmock/gmock.h>

#include "absl/strings/str_split.h"
#include "tests/e2e/township.h"

namespace zhibu::e2e {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::StartsWith;

class CheckInTest : public ::testing::Test {
 protected:
  CheckInTest() { township_.Stop(); }

  std::string Shown() {
    return secretary_.Do({"check-in", "show", "--activity", meeting_, "--once"}).value("text", "");
  }
  void SyncAll() {
    township_.Start();
    for (const Device* device : {&secretary_, &member_, &secretary_}) device->Do({"sync"});
  }

  Township township_;
  const Device secretary_ = township_.Enrol(kSecretary);
  const Device member_ = township_.Enrol(kMigrant);
  const std::string meeting_ = secretary_.Put("Meeting", Meeting(secretary_, "七月"));
};

TEST_F(CheckInTest, ACodeIsShownAndScannedOfflineAndVerifiedOnceBothHaveSynced) {
  const Json scanned = member_.Do({"check-in", "scan", Shown()});
  const std::string id = scanned.value("id", "");
  EXPECT_EQ(member_.Do({"check-in", "scan", Shown()}).value("edit", -1), 0);  // once is enough
  EXPECT_EQ(member_.Unsent(), 1);
  // The roll is called as well.
  EXPECT_EQ(secretary_
                .Do({"check-in", "manual", "--activity", meeting_, "--member",
                     member_.Record("CheckIn", id).value("memberId", "")})
                .value("id", ""),
            id);
  SyncAll();
  const Json record = secretary_.Record("CheckIn", id);
  EXPECT_EQ(record.value("standing", ""), "VERIFIED") << record;
  EXPECT_EQ(record["ways"], Json::parse(R"([{"how": "ROLL_CALL"}, {"how": "QR"}])"));
  EXPECT_THAT(secretary_.List("ConflictNote"), IsEmpty());
  EXPECT_THAT(member_.Do({"set-aside"}), IsEmpty());
}

TEST_F(CheckInTest, ACodeOfADeviceWithoutAnOfficeComesBackInWordsAndTheManualWayStaysOpen) {
  // The member's device knows the meeting, and shows a code of its own for it.
  township_.Start();
  secretary_.Do({"sync"});
  member_.Do({"sync"});
  const std::string code =
      member_.Do({"check-in", "show", "--activity", meeting_, "--once"}).value("text", "");
  member_.Do({"check-in", "scan", code});
  member_.Do({"sync"});
  const Json aside = member_.Do({"set-aside"});
  ASSERT_THAT(aside, SizeIs(1));
  EXPECT_EQ(aside[0].value("reason", ""), "CODE_WITHOUT_OFFICE");
  EXPECT_THAT(aside[0].value("words", ""), HasSubstr("手动签到"));
  const std::string id = member_.Do({"check-in", "manual", "--activity", meeting_}).value("id", "");
  SyncAll();
  const Json record = secretary_.Record("CheckIn", id);
  EXPECT_EQ(record["ways"], Json::parse(R"([{"how": "BY_SELF"}])"));
  EXPECT_FALSE(record.contains("standing"));
}

TEST_F(CheckInTest, AsTextItIsOneLineAndElseAQrAsWideAsHigh) {
  const Finished text = RunToEnd({"device", "--home", secretary_.home(), "check-in", "show",
                                  "--activity", meeting_, "--once", "--text"});
  EXPECT_EQ(text.status, 0) << text.err;
  EXPECT_THAT(text.out, StartsWith("ZB1:"));
  const Finished drawn = RunToEnd({"device", "--home", secretary_.home(), "check-in", "show",
                                   "--activity", meeting_, "--once"});
  EXPECT_EQ(drawn.status, 0) << drawn.err;
  EXPECT_THAT(drawn.out, HasSubstr("█"));
  const std::vector<std::string> lines = absl::StrSplit(drawn.out, '\n', absl::SkipEmpty());
  // Two rows to a line, and a line of words below.
  const size_t rows = 2 * (lines.size() - 1);
  EXPECT_GE(rows, 21u);
  EXPECT_THAT(lines.back(), HasSubstr("扫码签到"));
}

TEST_F(CheckInTest, WhatIsNoCodeIsRefusedAtOnceAndSaysWhatToDo) {
  const Json error = member_.Refused({"check-in", "scan", "https://example.invalid/"});
  EXPECT_EQ(error.value("code", ""), "INVALID_ARGUMENT");
  EXPECT_THAT(error.value("words", ""), HasSubstr("重新扫码"));
  EXPECT_EQ(
      member_.Refused({"check-in", "show", "--activity", MadeUpId(3), "--once"}).value("code", ""),
      "NOT_FOUND");
  EXPECT_EQ(member_.Unsent(), 0);
}

}  // namespace
}  // namespace zhibu::e2e
