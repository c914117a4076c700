// kill -9, on either side, at any moment.
#include <gmock/gmock.h>
#include <signal.h>

#include <cstdlib>
#include <iostream>
#include <map>
#include <random>
#include <thread>

#include "absl/strings/str_cat.h"
#include "tests/e2e/township.h"

namespace zhibu::e2e {
namespace {

using Clock = std::chrono::steady_clock;

uint32_t Seed() {
  const char* given = std::getenv("ZHIBU_SEED");
  const uint32_t seed =
      given != nullptr ? static_cast<uint32_t>(std::stoul(given)) : std::random_device()();
  std::cout << "seed " << seed << " (ZHIBU_SEED=" << seed << " tries it again)" << std::endl;
  return seed;
}

// Tens of seconds for a test; at night more: ./dev nightly.
int Effort() {
  const char* given = std::getenv("ZHIBU_CRASH_EFFORT");
  return given == nullptr ? 1 : std::stoi(given);
}

class CrashTest : public ::testing::Test {
 protected:
  // Up to `longest`.
  void WaitAwhile(Duration longest) {
    std::this_thread::sleep_for(
        Duration(std::uniform_int_distribution<Duration::rep>(0, longest.count())(random_)));
  }
  // Enough rounds or time, and something was hit at all.
  bool Enough(int rounds, int rounds_max, std::chrono::seconds longest, int hits) const {
    const Duration spent = (Clock::now() - began_) / Effort();
    rounds_max *= Effort();
    return spent > kPatience || ((rounds >= rounds_max || spent > longest) && hits > 0);
  }

  std::mt19937 random_{Seed()};
  const Clock::time_point began_ = Clock::now();
};

TEST_F(CrashTest, AServerKilledWhileDevicesPushLosesNothingAndAppliesNothingTwice) {
  Township township;
  const std::vector<Device> devices = {township.Enrol(kSecretary), township.Enrol(kDeputy)};
  const std::string branch = devices[0].BranchId();
  const std::string member = devices[0].IdOf(kSecretary);
  const std::string meeting = devices[0].Put("Meeting", Meeting(devices[0], "七月"));
  const auto first = Clock::now();
  devices[0].Do({"sync"});
  const Duration usual = Clock::now() - first;
  devices[1].Do({"sync"});

  std::set<std::string> present;
  std::map<std::string, int64_t> paid;
  int rounds = 0;
  int interrupted = 0;
  for (; !Enough(rounds, 24, std::chrono::seconds(14), interrupted); ++rounds) {
    std::vector<std::unique_ptr<Process>> work;
    for (size_t i = 0; i < devices.size(); ++i) {
      const uint32_t number = static_cast<uint32_t>(2 * rounds + i);
      const std::string person = MadeUpId(number);
      devices[i].Do({"edit", "Meeting", meeting, "--add", absl::StrCat("present=", person)});
      present.insert(person);
      const int64_t fen = 1 + number;
      paid[devices[i].Put("DuesPayment", Dues(member, branch, fen))] = fen;
      work.push_back(Process::Start(devices[i].Command({"sync"})));
    }
    WaitAwhile(usual * 3 / 2);
    township.Kill();
    for (const auto& sync : work) {
      const Finished finished = sync->Wait();
      ASSERT_TRUE(finished.status == 0 || finished.status == 1) << finished.out << finished.err;
      interrupted += finished.status;
    }
    township.Start();
  }
  std::cout << rounds << " rounds, " << interrupted << " of " << 2 * rounds << " syncs interrupted"
            << std::endl;
  EXPECT_GT(interrupted, 0);
  for (const Device& device : devices) device.Do({"sync"});
  const Device fresh = township.Enrol(kDeputy);
  const Json now = fresh.Record("Meeting", meeting).value("present", Json::array());
  EXPECT_EQ(std::multiset<std::string>(now.begin(), now.end()),
            std::multiset<std::string>(present.begin(), present.end()));
  std::map<std::string, int64_t> received;
  for (const Json& one : fresh.List("DuesPayment")) {
    received[one["id"]] = std::stoll(one["record"].value("amountFen", "0"));
  }
  EXPECT_EQ(received, paid);
  devices[0].Do({"sync"});
  for (const Device& device : devices) {
    EXPECT_EQ(device.Unsent(), 0);
    EXPECT_EQ(device.List("DuesPayment"), fresh.List("DuesPayment"));
    EXPECT_EQ(device.List("Meeting"), fresh.List("Meeting"));
    EXPECT_EQ(device.Do({"set-aside"}), Json::array());
    EXPECT_EQ(device.Do({"conflicts"}), Json::array());
  }
  // Two edits of each device in each round, and the meeting: applied once.
  uint64_t edits = 0;
  const Json known = township.Admin({"devices"});
  for (const Json& device : known["devices"]) {
    edits += std::stoull(device.value("lastNumber", "0"));
  }
  EXPECT_EQ(edits, 4 * static_cast<uint64_t>(rounds) + 1);
  township.Admin({"audit", "verify"});
}

TEST_F(CrashTest, ADeviceKilledWhileItRecordsKeepsWhatItSaidIsSaved) {
  const TempFolder folder;
  const Device device(folder / "device");
  device.Do({"init"});
  const std::string branch = MadeUpId(1);
  const auto first = Clock::now();
  std::set<std::string> saved = {device.Put("DuesPayment", Dues(MadeUpId(2), branch, 1))};
  const Duration usual = Clock::now() - first;
  int rounds = 0;
  int killed = 0;
  for (; !Enough(rounds, 80, std::chrono::seconds(5), killed); ++rounds) {
    const auto put = Process::Start(
        device.Command({"put", "DuesPayment", Dues(MadeUpId(2), branch, 2 + rounds).dump()}));
    WaitAwhile(usual * 5 / 4);
    put->Signal(SIGKILL);
    const Finished finished = put->Wait();
    ASSERT_TRUE(finished.status == 0 || finished.status == -SIGKILL)
        << finished.out << finished.err;
    killed += finished.status != 0;
    const Json said = finished.json();
    if (said.is_object()) saved.insert(said.value("id", ""));
  }
  std::cout << rounds << " rounds, " << killed << " killed" << std::endl;
  EXPECT_GT(killed, 0);
  const std::set<std::string> there = IdsOn(device, "DuesPayment");
  for (const std::string& id : saved) EXPECT_TRUE(there.count(id) > 0) << id;
  EXPECT_EQ(device.Unsent(), there.size());
}

TEST_F(CrashTest, ADeviceKilledWhileItSyncsSendsEverythingOnce) {
  Township township;
  const Device device = township.Enrol(kSecretary);
  const std::string branch = device.BranchId();
  const std::string member = device.IdOf(kSecretary);
  const auto first = Clock::now();
  device.Do({"sync"});
  const Duration usual = Clock::now() - first;
  std::set<std::string> saved;
  int rounds = 0;
  int killed = 0;
  for (; !Enough(rounds, 40, std::chrono::seconds(8), killed); ++rounds) {
    saved.insert(device.Put("DuesPayment", Dues(member, branch, 1 + rounds)));
    const auto sync = Process::Start(device.Command({"sync"}));
    WaitAwhile(usual * 5 / 4);
    sync->Signal(SIGKILL);
    killed += sync->Wait().status != 0;
    EXPECT_LE(device.Unsent(), saved.size());
  }
  std::cout << rounds << " rounds, " << killed << " killed" << std::endl;
  EXPECT_GT(killed, 0);
  device.Do({"sync"});
  EXPECT_EQ(device.Unsent(), 0);
  EXPECT_EQ(IdsOn(device, "DuesPayment"), saved);
  const Device fresh = township.Enrol(kDeputy);
  EXPECT_EQ(fresh.List("DuesPayment"), device.List("DuesPayment"));
  EXPECT_EQ(fresh.List("Member"), device.List("Member"));
  township.Admin({"audit", "verify"});
}

TEST_F(CrashTest, AFirstDownloadThatIsKilledIsFinishedLater) {
  Township township;
  const TempFolder folder;
  const Device device(folder / "device");
  device.Do({"enrol", township.Code(kSecretary)});
  for (int round = 0; round < 10; ++round) {
    const auto sync = Process::Start(device.Command({"sync"}));
    WaitAwhile(std::chrono::milliseconds(150));
    sync->Signal(SIGKILL);
    sync->Wait();
  }
  device.Do({"sync"});
  const Device other = township.Enrol(kSecretary);
  for (const char* type : {"Organisation", "Member", "Placement", "PrivateDetail", "Grant"}) {
    EXPECT_EQ(device.List(type), other.List(type)) << type;
  }
}

}  // namespace
}  // namespace zhibu::e2e
