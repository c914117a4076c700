// A person's devices from the command line: which there are, lost and found, not seen for
// long.
#include <gmock/gmock.h>
#include <sqlite3.h>

#include "absl/strings/str_cat.h"
#include "tests/e2e/township.h"

namespace zhibu::e2e {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::StartsWith;

// As the operator sees it.
Json InRegister(const Township& township, const std::string& name) {
  const Json devices = township.Admin({"devices"});
  for (const Json& device : devices["devices"]) {
    if (device.value("name", "") == name) return device;
  }
  ADD_FAILURE() << "no device " << name;
  return {};
}

std::string NumberOf(const Township& township, const std::string& name) {
  return InRegister(township, name)["number"].dump();
}

TEST(DeviceTest, ALostPhoneIsWipedAtItsNextContactAndItsUnsentWorkIsReviewed) {
  Township township;
  const Device secretary = township.Enrol(kSecretary);
  const Device deputy = township.Enrol(kDeputy);
  township.Stop();
  const std::string meeting = deputy.Put("Meeting", Meeting(deputy, "丢失前的会议"));
  township.Start();
  township.Admin({"revoke", "--device", NumberOf(township, kDeputy), "--wipe"});
  EXPECT_EQ(InRegister(township, kDeputy).value("state", ""), "LOST");

  const Json told = deputy.Refused({"sync"});
  EXPECT_EQ(told.value("reason", ""), "DEVICE_WIPED");
  EXPECT_THAT(told.value("words", ""), HasSubstr("登记码"));
  EXPECT_EQ(deputy.Do({"status"}).value("problem", ""), "DEVICE_WIPED");
  EXPECT_EQ(deputy.Unsent(), 0u);
  for (const char* type : {"Meeting", "Member", "Organisation", "Device"}) {
    EXPECT_THAT(deputy.List(type), IsEmpty()) << type;
  }
  EXPECT_EQ(deputy.Refused({"sync"}).value("reason", ""), "DEVICE_WIPED");

  secretary.Do({"sync"});
  EXPECT_EQ(InRegister(township, kDeputy).value("state", ""), "WIPED");
  EXPECT_THAT(secretary.List("Meeting"), IsEmpty());
  const Json held = secretary.Do({"held"});
  ASSERT_THAT(held, SizeIs(1));
  secretary.Do({"take", held[0].value("id", "")});
  secretary.Do({"sync"});
  secretary.Do({"sync"});
  EXPECT_EQ(secretary.Record("Meeting", meeting).value("topic", ""), "丢失前的会议");

  // It is found.
  deputy.Do({"enrol", township.Code(kDeputy), "--name", "找回的手机"});
  deputy.Do({"sync"});
  EXPECT_EQ(deputy.Record("Meeting", meeting).value("topic", ""), "丢失前的会议");
  EXPECT_EQ(InRegister(township, "找回的手机").value("state", ""), "ACTIVE");
}

TEST(DeviceTest, ItsOwnerSeesAllDevicesAndNamesThemWithoutALink) {
  Township township;
  const Device phone = township.Enrol(kSecretary);
  const Device laptop = township.Enrol(kSecretary);
  township.Stop();
  EXPECT_THAT(laptop.Do({"rename", "办公室电脑"}).value("id", ""), Not(IsEmpty()));
  township.Start();
  laptop.Do({"sync"});
  phone.Do({"sync"});
  EXPECT_EQ(InRegister(township, "办公室电脑").value("personName", ""), kSecretary);
  Json devices = phone.Do({"devices"});
  ASSERT_THAT(devices, SizeIs(2));
  for (const Json& device : devices) {
    EXPECT_EQ(device.value("thisDevice", false), device.value("name", "") != "办公室电脑");
    EXPECT_EQ(device.value("state", ""), "ACTIVE");
    EXPECT_GT(device.value("lastSeenMs", int64_t{0}), 0);
  }

  township.Admin({"revoke", "--device", NumberOf(township, "办公室电脑"), "--wipe"});
  laptop.Refused({"sync"});
  phone.Do({"sync"});
  for (const Json& device : phone.Do({"devices"})) {
    const bool lost = device.value("name", "") == "办公室电脑";
    EXPECT_EQ(device.value("state", ""), lost ? "WIPED" : "ACTIVE");
  }
  const Finished shown = RunToEnd({"device", "--home", phone.home(), "devices"});
  EXPECT_THAT(shown.out, HasSubstr("已挂失，已清除"));
  EXPECT_THAT(shown.out, HasSubstr("（本机）"));
}

TEST(DeviceTest, NotSeenForLongItNeedsACodeAndGoesOnWithItsUnsentWork) {
  Township township("", {"--reauthenticate-days", "30"});
  const Device secretary = township.Enrol(kSecretary);
  const Device deputy = township.Enrol(kDeputy);
  const std::string number = NumberOf(township, kDeputy);
  const std::string meeting = deputy.Put("Meeting", Meeting(deputy, "久未联系"));
  township.Stop();
  sqlite3* store = nullptr;
  ASSERT_EQ(sqlite3_open((township.data() + "/zhibu.db").c_str(), &store), SQLITE_OK);
  // A month passes, in which only the secretary is seen.
  const std::string sql = absl::StrCat(
      "UPDATE device SET last_seen_ms = last_seen_ms - 31 * 86400000 WHERE number = ", number);
  EXPECT_EQ(sqlite3_exec(store, sql.c_str(), nullptr, nullptr, nullptr), SQLITE_OK);
  sqlite3_close(store);
  township.Start();

  const Json told = deputy.Refused({"sync"});
  EXPECT_EQ(told.value("reason", ""), "REAUTHENTICATE");
  EXPECT_THAT(told.value("words", ""), HasSubstr("31 天"));
  EXPECT_EQ(deputy.Unsent(), 1u);
  secretary.Do({"sync"});
  EXPECT_EQ(deputy.Refused({"enrol", township.Code(kSecretary)}).value("reason", ""),
            "KEY_OF_ANOTHER");
  deputy.Do({"enrol", township.Code(kDeputy)});
  deputy.Do({"sync"});
  EXPECT_EQ(deputy.Unsent(), 0u);
  EXPECT_THAT(deputy.Do({"set-aside"}), IsEmpty());
  EXPECT_EQ(NumberOf(township, kDeputy), number);
  secretary.Do({"sync"});
  EXPECT_EQ(secretary.Record("Meeting", meeting).value("topic", ""), "久未联系");
}

TEST(DeviceTest, TheCodeIsAlsoAQr) {
  Township township;
  const Words admin = {"admin", "--data", township.data(), "enrol", kSecretary};
  const Finished drawn = RunToEnd(admin);
  EXPECT_THAT(drawn.out, HasSubstr("█"));
  EXPECT_THAT(drawn.out, HasSubstr("zhibu1/"));
  Words as_text = admin;
  as_text.push_back("--text");
  EXPECT_THAT(RunToEnd(as_text).out, StartsWith("zhibu1/"));
}

}  // namespace
}  // namespace zhibu::e2e
