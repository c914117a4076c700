// The device's transport as an app has it, in this process, against a server of its own:
// what stopping, sleeping and a path that died come to.
#include "client-core/transport/syncer.h"

#include <gmock/gmock.h>

#include <atomic>
#include <filesystem>
#include <future>
#include <thread>

#include "absl/time/clock.h"
#include "client-core/actions/ask.h"
#include "tests/e2e/proxy.h"
#include "tests/e2e/township.h"
#include "zhibu/records/v1/catalogue.pb.h"

namespace zhibu::e2e {
namespace {

using client::Store;
using client::Syncer;

class SyncerTest : public ::testing::Test {
 protected:
  SyncerTest() { store_ = Opened(); }

  std::unique_ptr<Store> Opened() {
    auto store = Store::Open({.file = folder_ / "device.db"});
    EXPECT_TRUE(store.ok()) << store.status();
    return *std::move(store);
  }
  void Enrol() {
    const std::string code = WithPort(township_.Code(kSecretary), proxy_.port());
    ASSERT_EQ(client::Enrol(store_.get(), code, "电话"), absl::OkStatus());
  }
  static void Record(Store& store) {
    auto draft = store.New<records::v1::Meeting>();
    draft.message<records::v1::Meeting>().set_branch_id(std::string(Id::kSize, 'b'));
    ASSERT_TRUE(store.Commit({&draft}).ok());
  }
  uint64_t Unsent() { return store_->State()->unsent; }

  Township township_;
  Proxy proxy_{township_.port()};
  TempFolder folder_;
  std::unique_ptr<Store> store_;
};

// Connected until the test ends, and what it has told.
class Connected {
 public:
  explicit Connected(Syncer* syncer)
      : syncer_(*syncer), thread_([this] {
          syncer_.Run([this](const absl::Status& status) { ++(status.ok() ? in_step : troubled); });
        }) {}
  ~Connected() {
    syncer_.Stop();
    thread_.join();
  }

  std::atomic<int> in_step = 0;
  std::atomic<int> troubled = 0;

 private:
  Syncer& syncer_;
  std::thread thread_;
};

// How often the threads of this process have slept, but for gRPC's own, which have names.
int64_t OwnWakeUps() {
  int64_t sum = 0;
  const std::string own = ReadFile("/proc/self/comm");
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
    if (ReadFile(task.path() / "comm") != own) continue;
    const std::string status = ReadFile(task.path() / "status");
    const std::string key = "\nvoluntary_ctxt_switches:\t";
    sum += std::stoll(status.substr(status.find(key) + key.size()));
  }
  return sum;
}

TEST_F(SyncerTest, StoppedIsNotSynced) {
  Enrol();
  Record(*store_);
  Syncer stopped(store_.get());
  stopped.Stop();
  EXPECT_TRUE(absl::IsCancelled(stopped.SyncOnce(absl::Seconds(20))));

  proxy_.After(0, Proxy::Trouble::kStall);
  const int before = proxy_.connections();
  Syncer halfway(store_.get());
  auto ends = std::async(std::launch::async, [&] { return halfway.SyncOnce(absl::Seconds(60)); });
  EXPECT_TRUE(Eventually([&] { return proxy_.connections() > before; }));
  halfway.Stop();
  EXPECT_TRUE(absl::IsCancelled(ends.get()));

  const auto state = store_->State();
  EXPECT_EQ(state->last_success_ms, 0);
  EXPECT_EQ(state->unsent, 1u);
  EXPECT_FALSE(state->synced());

  proxy_.Heal();
  EXPECT_EQ(Syncer(store_.get()).SyncOnce(absl::Seconds(20)), absl::OkStatus());
  EXPECT_GT(store_->State()->last_success_ms, 0);
}

TEST_F(SyncerTest, APageThatIsMissingIsNotTheLast) {
  Enrol();
  ASSERT_EQ(Syncer(store_.get()).SyncOnce(absl::Seconds(20)), absl::OkStatus());
  const auto ask =
      client::AskBelow(*store_->schema().Find(records::v1::Member::descriptor()), Id());
  int pages = 0;
  const auto count = [&](const sync::v1::Page&) { return ++pages > 0; };
  proxy_.After(0, Proxy::Trouble::kStall);
  const int before = proxy_.connections();
  Syncer syncer(store_.get());
  auto ends =
      std::async(std::launch::async, [&] { return syncer.Ask(ask, count, absl::Seconds(60)); });
  EXPECT_TRUE(Eventually([&] { return proxy_.connections() > before; }));
  syncer.Stop();
  EXPECT_TRUE(absl::IsCancelled(ends.get()));
  EXPECT_EQ(pages, 0);
}

TEST_F(SyncerTest, ADeviceThatHasNothingToDoSleeps) {
  Enrol();
  Syncer syncer(store_.get());
  Connected connected(&syncer);
  ASSERT_TRUE(Eventually([&] { return connected.in_step > 0; }));
  absl::SleepFor(absl::Seconds(1));
  const int64_t before = OwnWakeUps();
  absl::SleepFor(absl::Seconds(5));
  EXPECT_LE(OwnWakeUps() - before, 5) << "five looks a second are 25 and more";
  // What is committed here wakes it all the same.
  Record(*store_);
  EXPECT_TRUE(Eventually([&] { return Unsent() == 0; }, std::chrono::seconds(5)));
}

TEST_F(SyncerTest, WhatAnotherProcessCommitsIsSentOnceItIsLookedFor) {
  Enrol();
  Syncer syncer(store_.get());
  Connected connected(&syncer);
  ASSERT_TRUE(Eventually([&] { return connected.in_step > 0; }));
  Record(*Opened());
  absl::SleepFor(absl::Seconds(1));
  EXPECT_EQ(Unsent(), 1u);
  syncer.Look();
  EXPECT_TRUE(Eventually([&] { return Unsent() == 0; }, std::chrono::seconds(5)));
}

TEST_F(SyncerTest, WhatAnotherProcessCommitsIsSentWhereItIsLookedForNowAndThen) {
  Enrol();
  Syncer syncer(store_.get(), {.look = absl::Milliseconds(300)});
  Connected connected(&syncer);
  ASSERT_TRUE(Eventually([&] { return connected.in_step > 0; }));
  Record(*Opened());
  EXPECT_TRUE(Eventually([&] { return Unsent() == 0; }, std::chrono::seconds(5)));
}

TEST_F(SyncerTest, APathThatDiedInSilenceIsNoticedThoughTheDeviceHasNothingToSay) {
  Enrol();
  Syncer syncer(store_.get(), {.ping = absl::Seconds(1), .pong = absl::Seconds(1)});
  Connected connected(&syncer);
  ASSERT_TRUE(Eventually([&] { return connected.in_step > 0; }));
  absl::SleepFor(absl::Milliseconds(2'600));  // two pings that no data went with
  EXPECT_EQ(connected.troubled, 0);
  proxy_.After(0, Proxy::Trouble::kStall);
  EXPECT_TRUE(Eventually([&] { return connected.troubled > 0; }, std::chrono::seconds(8)));
  EXPECT_EQ(store_->State()->problem, sync::v1::OFFLINE);
}

}  // namespace
}  // namespace zhibu::e2e
