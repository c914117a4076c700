// Disks that are full, on either side.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <signal.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "absl/strings/str_cat.h"
#include "tests/e2e/township.h"

namespace zhibu::e2e {
namespace {

// A file system of 8 MB, if this test may mount one.
class SmallDisk {
 public:
  SmallDisk() { error_ = mount("zhibu", path().c_str(), "tmpfs", 0, "size=8m") == 0 ? 0 : errno; }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;
  ~SmallDisk() {
    if (error_ == 0) umount2(path().c_str(), MNT_DETACH);
  }

  std::string path() const { return folder_.path(); }
  // Why there is none; empty: there is.
  std::string why_not() const {
    return error_ == 0 ? "" : absl::StrCat("cannot mount a tmpfs here: ", strerror(error_));
  }
  // Takes every byte that is left.
  void Fill() {
    const int file = open(filler().c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    const std::string block(1 << 16, 'x');
    size_t size = block.size();
    while (size > 0) {
      if (write(file, block.data(), size) <= 0) size /= 2;
    }
    close(file);
  }
  void Free() { std::filesystem::remove(filler()); }

 private:
  std::string filler() const { return folder_ / "filler"; }

  const TempFolder folder_;
  int error_ = 0;
};

TEST(DiskTest, AFullDeviceRefusesInWordsAndKeepsWhatWasThere) {
  SmallDisk disk;
  if (!disk.why_not().empty()) GTEST_SKIP() << disk.why_not();
  Township township;
  const Device device = township.Enrol(kSecretary, disk.path() + "/device");
  const std::string meeting = device.Put("Meeting", Meeting(device, "七月"));
  const std::string dues = Dues(device.IdOf(kSecretary), device.BranchId(), 100).dump();

  // Another process has the store open, as an app has.
  const auto watch = Process::Start(device.Command({"sync", "--watch"}));
  ASSERT_TRUE(watch->ReadLine().has_value());
  EXPECT_TRUE(Eventually([&] { return device.Unsent() == 0; }));
  const Json before = device.List("Meeting");
  disk.Fill();
  const Json error = device.Refused({"put", "DuesPayment", dues});
  EXPECT_EQ(error.value("code", ""), "RESOURCE_EXHAUSTED") << error;
  EXPECT_THAT(error.value("words", ""), testing::HasSubstr("full"));
  EXPECT_EQ(device.List("Meeting"), before);

  disk.Free();
  watch->Signal(SIGTERM);
  EXPECT_EQ(watch->Wait().status, 0);
  EXPECT_EQ(device.List("Meeting"), before);
  EXPECT_EQ(device.List("DuesPayment"), Json::array());
  device.Do({"put", "DuesPayment", dues});
  device.Do({"sync"});
  EXPECT_EQ(device.Unsent(), 0);
  const Device fresh = township.Enrol(kDeputy);
  EXPECT_EQ(fresh.List("Meeting"), before);
  EXPECT_EQ(fresh.List("DuesPayment"), device.List("DuesPayment"));
}

TEST(DiskTest, AFullDeviceThatIsOpenedRefusesInWordsAndLosesNothing) {
  SmallDisk disk;
  if (!disk.why_not().empty()) GTEST_SKIP() << disk.why_not();
  const Device device(disk.path() + "/device");
  device.Do({"init"});
  const Json record = {{"branchId", MadeUpId(1)}, {"topic", "七月"}};
  const std::string meeting = device.Put("Meeting", record);
  disk.Fill();
  const Json error = device.Refused({"put", "Meeting", record.dump()});
  EXPECT_FALSE(error.value("words", "").empty());
  disk.Free();
  EXPECT_EQ(device.Record("Meeting", meeting), record);
  EXPECT_EQ(device.Unsent(), 1);
  device.Put("Meeting", record);
}

// Opening needs room for SQLite's shared memory, unless its files persist.
TEST(DiskTest, AFullDeviceCanStillBeRead) {
  SmallDisk disk;
  if (!disk.why_not().empty()) GTEST_SKIP() << disk.why_not();
  const Device device(disk.path() + "/device");
  device.Do({"init"});
  const Json record = {{"branchId", MadeUpId(1)}, {"topic", "七月"}};
  const std::string meeting = device.Put("Meeting", record);
  disk.Fill();
  EXPECT_EQ(device.Record("Meeting", meeting), record);
  EXPECT_EQ(device.Unsent(), 1);
  EXPECT_EQ(device.Refused({"put", "Meeting", record.dump()}).value("code", ""),
            "RESOURCE_EXHAUSTED");
}

TEST(DiskTest, AFullServerIsToldOfAndTheEditsAreMergedLater) {
  SmallDisk disk;
  if (!disk.why_not().empty()) GTEST_SKIP() << disk.why_not();
  Township township(disk.path() + "/server");
  const Device secretary = township.Enrol(kSecretary);
  // More than what an earlier write may have left free in the files.
  Json meeting = Meeting(secretary, "七月");
  meeting["minutes"] = std::string(60'000, 'x');
  std::vector<std::string> ids;
  disk.Fill();
  for (int i = 0; i < 5; ++i) ids.push_back(secretary.Put("Meeting", meeting));
  // The journal may have some room left from before.
  Json error;
  for (int i = 0; i < 100 && error.is_null(); ++i) {
    const Finished sync = secretary.Run({"sync"});
    if (sync.status == 0) {
      for (int j = 0; j < 5; ++j) ids.push_back(secretary.Put("Meeting", meeting));
    } else {
      ASSERT_EQ(sync.status, 1) << sync.out << sync.err;
      error = sync.json()["error"];
    }
  }
  ASSERT_FALSE(error.is_null()) << "the disk is never full";
  EXPECT_EQ(error.value("code", ""), "UNAVAILABLE") << error;
  EXPECT_EQ(error.value("reason", ""), "SERVER_TROUBLE") << error;
  EXPECT_FALSE(error.value("words", "").empty());
  EXPECT_GT(secretary.Unsent(), 0);
  disk.Free();
  secretary.Do({"sync"});
  EXPECT_EQ(secretary.Unsent(), 0);
  const Device fresh = township.Enrol(kDeputy);
  EXPECT_EQ(IdsOn(fresh, "Meeting"), std::set<std::string>(ids.begin(), ids.end()));
  township.Admin({"audit", "verify"});
}

}  // namespace
}  // namespace zhibu::e2e
