// A good link and a bad one.
#include <gmock/gmock.h>
#include <signal.h>

#include <iostream>
#include <random>

#include "absl/strings/str_cat.h"
#include "tests/e2e/proxy.h"
#include "tests/e2e/township.h"

namespace zhibu::e2e {
namespace {

using Clock = std::chrono::steady_clock;

bool Has(const Device& device, const std::string& type, const std::string& id) {
  return device.Run({"get", type, id}).status == 0;
}

// Until the watching process says that it is in step.
testing::AssertionResult InStep(Process* watch) {
  while (const auto line = watch->ReadLine()) {
    if (Json::parse(*line, nullptr, false).value("inStep", false))
      return testing::AssertionSuccess();
  }
  const Finished finished = watch->Wait();
  return testing::AssertionFailure() << finished.out << finished.err;
}

TEST(WatchTest, ReceivesWhatAnotherSyncsAndSendsWhatIsPutMeanwhile) {
  Township township;
  const Device secretary = township.Enrol(kSecretary);
  const Device deputy = township.Enrol(kDeputy);
  const auto watch = Process::Start(deputy.Command({"sync", "--watch"}));
  ASSERT_TRUE(InStep(watch.get()));

  const std::string meeting = secretary.Put("Meeting", Meeting(secretary, "七月"));
  secretary.Do({"sync"});
  EXPECT_TRUE(
      Eventually([&] { return Has(deputy, "Meeting", meeting); }, std::chrono::seconds(10)));

  deputy.Do({"edit", "Meeting", meeting, R"({"place": "礼堂"})"});  // by another process
  EXPECT_TRUE(Eventually([&] { return deputy.Unsent() == 0; }, std::chrono::seconds(10)));
  secretary.Do({"sync"});
  EXPECT_EQ(secretary.Record("Meeting", meeting).value("place", ""), "礼堂");

  watch->Signal(SIGTERM);
  EXPECT_EQ(watch->Wait(std::chrono::seconds(10)).status, 0);
}

TEST(WatchTest, GoesOnWhenTheServerIsBack) {
  Township township;
  const Device secretary = township.Enrol(kSecretary);
  const auto watch = Process::Start(secretary.Command({"sync", "--watch"}));
  ASSERT_TRUE(InStep(watch.get()));
  township.Kill();
  const auto line = watch->ReadLine();
  ASSERT_TRUE(line.has_value());
  EXPECT_FALSE(Json::parse(*line).value("inStep", true));
  secretary.Put("Meeting", Meeting(secretary, "七月"));
  township.Start();
  ASSERT_TRUE(InStep(watch.get()));
  EXPECT_TRUE(Eventually([&] { return secretary.Unsent() == 0; }, std::chrono::seconds(10)));
  watch->Signal(SIGTERM);
  EXPECT_EQ(watch->Wait(std::chrono::seconds(10)).status, 0);
}

TEST(WatchTest, EndsOnSigtermThoughTheLinkStalls) {
  Township township;
  Proxy proxy(township.port());
  const Device secretary = township.Enrol(kSecretary, "", proxy.port());
  // In the handshake, and in an open session.
  for (const int64_t bytes : {0, 1'000'000}) {
    proxy.After(bytes, Proxy::Trouble::kStall);
    const int before = proxy.connections();
    const auto watch = Process::Start(secretary.Command({"sync", "--watch"}));
    if (bytes > 0) {
      ASSERT_TRUE(InStep(watch.get()));
      proxy.After(0, Proxy::Trouble::kStall);
      secretary.Put("Meeting", Meeting(secretary, "七月"));
    } else {
      ASSERT_TRUE(Eventually([&] { return proxy.connections() > before; }));
    }
    watch->Signal(SIGTERM);
    EXPECT_EQ(watch->Wait(std::chrono::seconds(10)).status, 0) << bytes;
  }
}

TEST(LinkTest, CutsAnywhereLoseNothingAndRepeatNothing) {
  const uint32_t seed = std::random_device()();
  std::cout << "seed " << seed << std::endl;
  std::mt19937 random(seed);
  Township township;
  Proxy proxy(township.port());
  const Device secretary = township.Enrol(kSecretary, "", proxy.port());
  const std::string branch = secretary.BranchId();
  const std::string member = secretary.IdOf(kSecretary);
  proxy.Heal();
  secretary.Do({"sync"});
  const int64_t whole = proxy.passed();
  ASSERT_GT(whole, 0);

  std::set<std::string> paid;
  int cut = 0;
  for (int round = 0; round < 15; ++round) {
    paid.insert(secretary.Put("DuesPayment", Dues(member, branch, 1 << round)));
    proxy.After(std::uniform_int_distribution<int64_t>(0, whole + whole / 4)(random),
                Proxy::Trouble::kCut);
    const Finished sync = secretary.Run({"sync", "--timeout", "20"});
    ASSERT_TRUE(sync.status == 0 || sync.status == 1) << sync.status << sync.out << sync.err;
    if (sync.status == 0) continue;
    ++cut;
    const Json error = sync.json()["error"];
    EXPECT_EQ(error.value("code", ""), "UNAVAILABLE") << error;
    EXPECT_EQ(error.value("reason", ""), "OFFLINE") << error;
    EXPECT_FALSE(error.value("words", "").empty());
  }
  EXPECT_GT(cut, 0);
  proxy.Heal();
  secretary.Do({"sync"});
  EXPECT_EQ(secretary.Unsent(), 0);
  const Device fresh = township.Enrol(kDeputy);
  EXPECT_EQ(IdsOn(fresh, "DuesPayment"), paid);
  EXPECT_EQ(fresh.List("DuesPayment"), secretary.List("DuesPayment"));
  township.Admin({"audit", "verify"});
}

TEST(LinkTest, AStallEndsAtTheTimeoutAndNothingIsLost) {
  const uint32_t seed = std::random_device()();
  std::cout << "seed " << seed << std::endl;
  std::mt19937 random(seed);
  Township township;
  Proxy proxy(township.port());
  const Device secretary = township.Enrol(kSecretary, "", proxy.port());
  proxy.Heal();
  secretary.Do({"sync"});
  const int64_t whole = proxy.passed();
  const std::string branch = secretary.BranchId();
  const std::string member = secretary.IdOf(kSecretary);
  std::set<std::string> paid;
  for (int round = 0; round < 3; ++round) {
    paid.insert(secretary.Put("DuesPayment", Dues(member, branch, 100)));
    proxy.After(std::uniform_int_distribution<int64_t>(0, whole / 2)(random),
                Proxy::Trouble::kStall);
    const auto began = Clock::now();
    const Json error = secretary.Refused({"sync", "--timeout", "1"});
    EXPECT_EQ(error.value("code", ""), "UNAVAILABLE") << error;
    EXPECT_LT(Clock::now() - began, std::chrono::seconds(10));
  }
  proxy.Heal();
  secretary.Do({"sync"});
  EXPECT_EQ(secretary.Unsent(), 0);
  const Device fresh = township.Enrol(kDeputy);
  EXPECT_EQ(IdsOn(fresh, "DuesPayment"), paid);
}

}  // namespace
}  // namespace zhibu::e2e
