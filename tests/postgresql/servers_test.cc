// Several servers on one database, real processes all of them: who dies loses nothing that was
// acknowledged, and its devices go on at another.
#include <gmock/gmock.h>
#include <signal.h>
#include <stdlib.h>

#include <filesystem>
#include <iostream>
#include <map>
#include <random>
#include <thread>

#include "absl/strings/str_cat.h"
#include "tests/e2e/proxy.h"
#include "tests/e2e/township.h"
#include "tests/postgresql/server.h"

namespace zhibu::e2e {
namespace {

using test::DatabaseServer;
using Clock = std::chrono::steady_clock;

// What every process of ours finds in its environment.
class SharedDatabase {
 public:
  SharedDatabase() : SharedDatabase(DatabaseServer::Shared().NewSchema()) {}
  explicit SharedDatabase(const std::string& where) { setenv("ZHIBU_STORE", where.c_str(), 1); }
  ~SharedDatabase() { unsetenv("ZHIBU_STORE"); }
};

// A second server beside the township's, with a folder of its own and the same key.
class SecondServer {
 public:
  explicit SecondServer(const Township& township) : data_(folder_ / "server") {
    std::filesystem::create_directories(data_);
    std::filesystem::copy_file(township.data() + "/zhibu.key", data_ + "/zhibu.key");
    Start();
  }
  void Start() {
    process_ = Process::Start(
        {"--json", "serve", "--data", data_, "--listen", absl::StrCat("127.0.0.1:", port_)});
    const auto line = process_->ReadLine();
    const Json ready = Json::parse(line.value_or(""), nullptr, false);
    ASSERT_TRUE(ready.is_object() && ready.value("ready", false)) << process_->Wait().err;
    port_ = ready["port"];
  }
  void Kill() {
    process_->Signal(SIGKILL);
    process_->Wait();
  }
  int port() const { return port_; }
  const std::string& data() const { return data_; }

 private:
  TempFolder folder_;
  const std::string data_;
  int port_ = 0;
  std::unique_ptr<Process> process_;
};

bool Has(const Device& device, const std::string& type, const std::string& id) {
  return device.Run({"get", type, id}).status == 0;
}

// What the branch's dues of the year come to, by the server of this folder; -1: they are being
// made.
int64_t DuesPaid(const std::string& data) {
  const Json reply = Succeed(
      {"--json", "admin", "--data", data, "report", "--organisation", kBranch, "--period", "2026"});
  const Json report = reply.value("report", Json::object());
  if (report.value("beingMade", false)) return -1;
  for (const Json& line : report.value("lines", Json::array())) {
    if (line.value("key", "") == "dues.paid") return std::stoll(line.value("amount", "0"));
  }
  return 0;
}

testing::AssertionResult InStep(Process* watch) {
  while (const auto line = watch->ReadLine()) {
    if (Json::parse(*line, nullptr, false).value("inStep", false))
      return testing::AssertionSuccess();
  }
  const Finished finished = watch->Wait();
  return testing::AssertionFailure() << finished.out << finished.err;
}

TEST(ServersTest, WhatIsSentToOneServerComesToTheDevicesOfTheOther) {
  const SharedDatabase database;
  Township first;
  const SecondServer second(first);
  const Device secretary = first.Enrol(kSecretary, "", first.port());
  const Device deputy = first.Enrol(kDeputy, "", second.port());
  const auto watch = Process::Start(deputy.Command({"sync", "--watch"}));
  ASSERT_TRUE(InStep(watch.get()));
  const std::string meeting = secretary.Put("Meeting", Meeting(secretary, "七月"));
  secretary.Do({"sync"});
  EXPECT_TRUE(
      Eventually([&] { return Has(deputy, "Meeting", meeting); }, std::chrono::seconds(10)));
  // And back.
  deputy.Do({"edit", "Meeting", meeting, R"({"place": "礼堂"})"});
  EXPECT_TRUE(Eventually([&] { return deputy.Unsent() == 0; }, std::chrono::seconds(10)));
  secretary.Do({"sync"});
  EXPECT_EQ(secretary.Record("Meeting", meeting).value("place", ""), "礼堂");
  watch->Signal(SIGTERM);
  EXPECT_EQ(watch->Wait(std::chrono::seconds(10)).status, 0);
}

TEST(ServersTest, AdministeredAtOneOfThemAllKnow) {
  const SharedDatabase database;
  Township first;
  const SecondServer second(first);
  const Device deputy = first.Enrol(kDeputy, "", second.port());
  const Json devices = Succeed({"--json", "admin", "--data", second.data(), "devices"});
  EXPECT_EQ(devices["devices"].size(), 1u) << "the servers' own chains are nobody's device";
  first.Admin({"revoke", "--device", std::to_string(devices["devices"][0].value("number", 0))});
  EXPECT_NE(deputy.Run({"sync"}).status, 0);
}

TEST(ServersTest, ASecondServerWithoutTheKeyIsRefusedAndNothingIsTouched) {
  const SharedDatabase database;
  Township first;
  const TempFolder folder;
  const Finished refused =
      RunToEnd({"--json", "serve", "--data", folder / "server", "--listen", "127.0.0.1:0"});
  EXPECT_EQ(refused.status, 1);
  EXPECT_THAT(refused.out + refused.err, testing::HasSubstr("WRONG_KEY"));
  first.Admin({"audit", "verify"});
}

TEST(ServersTest, ABackupFillsAnotherDatabaseAndDevicesOfferAgainWhatCameAfterIt) {
  const SharedDatabase database;
  Township first;
  const Device secretary = first.Enrol(kSecretary);
  const std::string before = secretary.Put("Meeting", Meeting(secretary, "七月"));
  secretary.Do({"sync"});
  const TempFolder folder;
  first.Admin({"backup", folder / "backup"});
  const std::string after = secretary.Put("Meeting", Meeting(secretary, "八月"));
  secretary.Do({"sync"});
  first.Stop();
  const SharedDatabase another;
  const std::string key = first.data() + "/zhibu.key";
  Succeed({"--json", "admin", "--data", folder / "server", "--key-file", key, "restore",
           folder / "backup"});
  Fail({"--json", "admin", "--data", folder / "server", "--key-file", key, "restore",
        folder / "backup"});
  const auto restored =
      Process::Start({"--json", "serve", "--data", folder / "server", "--key-file", key, "--listen",
                      absl::StrCat("127.0.0.1:", first.port())});
  ASSERT_TRUE(restored->ReadLine().has_value());
  secretary.Do({"sync"});
  EXPECT_EQ(secretary.Unsent(), 0);
  const auto devices = Succeed({"--json", "admin", "--data", folder / "server", "enrol", kDeputy});
  const Device deputy(folder / "deputy");
  deputy.Do({"enrol", devices.value("code", "")});
  deputy.Do({"sync"});
  EXPECT_TRUE(Has(deputy, "Meeting", before));
  EXPECT_TRUE(Has(deputy, "Meeting", after));
}

TEST(ServersTest, AStoreThatMovesIntoADatabaseAndBackTakesItsDevicesAlong) {
  Township first;
  const Device secretary = first.Enrol(kSecretary);
  std::set<std::string> meetings;
  const auto hold = [&](const std::string& topic) {
    meetings.insert(secretary.Put("Meeting", Meeting(secretary, topic)));
    secretary.Do({"sync"});
    EXPECT_EQ(secretary.Unsent(), 0u);
  };
  hold("七月");
  first.Stop();
  const std::string where = DatabaseServer::Shared().NewSchema();
  const Json there = first.Admin({"move", "--to", where});
  EXPECT_EQ(RunToEnd({"--json", "serve", "--data", first.data(), "--listen", "127.0.0.1:0"}).status,
            1)
      << "nobody serves from the file any more";
  const TempFolder folder;
  const std::string back = folder / "back";
  {
    const SharedDatabase database(where);
    first.Start();
    hold("八月");
    first.Admin({"audit", "verify"});
    Fail({"--json", "admin", "--data", folder / "other", "--key-file", first.data() + "/zhibu.key",
          "move", "--to", back});
    first.Stop();
    EXPECT_GT(first.Admin({"move", "--to", back}).value("rows", 0), there.value("rows", 0));
  }
  std::filesystem::copy_file(first.data() + "/zhibu.key", back + "/zhibu.key");
  const auto moved = Process::Start(
      {"--json", "serve", "--data", back, "--listen", absl::StrCat("127.0.0.1:", first.port())});
  ASSERT_TRUE(moved->ReadLine().has_value());
  hold("九月");
  const Json code = Succeed({"--json", "admin", "--data", back, "enrol", kDeputy});
  const Device deputy(folder / "deputy");
  deputy.Do({"enrol", code.value("code", "")});
  deputy.Do({"sync"});
  EXPECT_EQ(IdsOn(deputy, "Meeting"), meetings);
  Succeed({"--json", "admin", "--data", back, "audit", "verify"});
  Succeed({"--json", "admin", "--data", back, "check"});
}

// A load balancer in front of two servers, one of which is killed at any moment, round for round.
TEST(ServersTest, AServerThatIsKilledLosesNothingAndItsDevicesGoOnAtTheOther) {
  const SharedDatabase database;
  Township first;
  SecondServer second(first);
  Proxy balancer(first.port());
  const std::vector<Device> devices = {first.Enrol(kSecretary, "", balancer.port()),
                                       first.Enrol(kDeputy, "", balancer.port())};
  const std::string branch = devices[0].BranchId();
  const std::string member = devices[0].IdOf(kSecretary);
  const std::string meeting = devices[0].Put("Meeting", Meeting(devices[0], "七月"));
  const auto before = Clock::now();
  devices[0].Do({"sync"});
  const auto usual = Clock::now() - before;
  devices[1].Do({"sync"});

  std::mt19937 random(std::random_device{}());
  std::set<std::string> present;
  std::map<std::string, int64_t> paid;
  int interrupted = 0;
  constexpr int kRounds = 12;
  for (int round = 0; round < kRounds; ++round) {
    const bool first_dies = round % 2 == 0;
    balancer.To(first_dies ? first.port() : second.port());
    std::vector<std::unique_ptr<Process>> work;
    for (size_t i = 0; i < devices.size(); ++i) {
      const auto number = static_cast<uint32_t>(2 * round + i);
      devices[i].Do(
          {"edit", "Meeting", meeting, "--add", absl::StrCat("present=", MadeUpId(number))});
      present.insert(MadeUpId(number));
      const int64_t fen = 1 + number;
      paid[devices[i].Put("DuesPayment", Dues(member, branch, fen))] = fen;
      work.push_back(Process::Start(devices[i].Command({"sync"})));
    }
    std::this_thread::sleep_for(Clock::duration(
        std::uniform_int_distribution<Clock::duration::rep>(0, (usual * 3 / 4).count())(random)));
    first_dies ? first.Kill() : second.Kill();
    balancer.To(first_dies ? second.port() : first.port());
    for (const auto& sync : work) interrupted += sync->Wait().status != 0 ? 1 : 0;
    for (const Device& device : devices) {
      device.Do({"sync"});  // at the other
      EXPECT_EQ(device.Unsent(), 0);
    }
    first_dies ? first.Start() : second.Start();
  }
  std::cout << interrupted << " of " << 2 * kRounds << " syncs interrupted" << std::endl;

  for (const Device& device : devices) device.Do({"sync"});
  const Device fresh = first.Enrol(kDeputy, "", second.port());
  const Json now = fresh.Record("Meeting", meeting).value("present", Json::array());
  EXPECT_EQ(std::multiset<std::string>(now.begin(), now.end()),
            std::multiset<std::string>(present.begin(), present.end()));
  std::map<std::string, int64_t> received;
  for (const Json& one : fresh.List("DuesPayment")) {
    received[one["id"]] = std::stoll(one["record"].value("amountFen", "0"));
  }
  EXPECT_EQ(received, paid);
  int64_t sum = 0;
  for (const auto& [id, fen] : paid) sum += fen;
  for (const std::string& data : {first.data(), second.data()}) {
    EXPECT_TRUE(Eventually([&] { return DuesPaid(data) == sum; }, std::chrono::seconds(10)))
        << data << " says " << DuesPaid(data) << ", and " << sum << " were paid";
  }
  for (const Device& device : devices) {
    EXPECT_EQ(device.List("DuesPayment"), fresh.List("DuesPayment"));
    EXPECT_EQ(device.List("Meeting"), fresh.List("Meeting"));
    EXPECT_EQ(device.Do({"set-aside"}), Json::array());
    EXPECT_EQ(device.Do({"conflicts"}), Json::array());
  }
  // Two edits of each device in each round, and the meeting: applied once.
  uint64_t edits = 0;
  const Json known = first.Admin({"devices"});
  for (const Json& device : known["devices"]) {
    edits += std::stoull(device.value("lastNumber", "0"));
  }
  EXPECT_EQ(edits, 4u * kRounds + 1);
  first.Admin({"audit", "verify"});
}

}  // namespace
}  // namespace zhibu::e2e
