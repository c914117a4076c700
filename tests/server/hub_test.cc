// Everything at once: each device has threads that record, read and listen while another moves
// its frames, and the operator writes too. It proves that what any thread was told is
// written is on the server once, that all who may see it do, and, under ./dev tsan, that no two
// threads touch the same thing unguarded.
#include "server/hub.h"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "client-core/courier.h"
#include "server/own_edit.h"
#include "sync/courier.h"
#include "sync/reason.h"
#include "tests/support/village.h"

namespace zhibu::test {
namespace {

using namespace std::chrono_literals;

// A device's end of a stream: frames go from thread to thread as they would over a network.
class Link : public server::Transport {
 public:
  Link(server::Hub* hub, client::Store* store)
      : session_(store), heard_(store->Subscribe([this](const client::Changes&) { Wake(); })) {
    EXPECT_EQ(session_.Start(), absl::OkStatus());
    connection_ = hub->Connect(this);
    connection_->Start();
    thread_ = std::thread([this] { Move(); });
  }
  // Once the device has everything, and the server all of the device's.
  void Close() {
    leaving_ = true;
    Wake();
    thread_.join();
    connection_->OnGone();
    std::unique_lock lock(mutex_);
    EXPECT_TRUE(changed_.wait_for(lock, 30s, [this] { return finished_; }));
  }

  void Read() override {
    const std::lock_guard lock(mutex_);
    reading_ = woken_ = true;
    changed_.notify_all();
  }
  void Write(sync::v1::ServerFrame frame) override {
    {
      const std::lock_guard lock(mutex_);
      inbox_.push_back(std::move(frame));
      changed_.notify_all();
    }
    connection_->OnWritten();
  }
  void Cancel() override { ADD_FAILURE() << "nobody goes beyond a limit here"; }
  void Finish() override {
    const std::lock_guard lock(mutex_);
    finished_ = true;
    changed_.notify_all();
  }

 private:
  void Wake() {
    const std::lock_guard lock(mutex_);
    woken_ = true;
    changed_.notify_all();
  }

  void Move() {
    const auto deadline = std::chrono::steady_clock::now() + 100s;
    while (std::chrono::steady_clock::now() < deadline) {
      std::deque<sync::v1::ServerFrame> frames;
      bool may_send = false;
      {
        std::unique_lock lock(mutex_);
        changed_.wait_for(lock, 100ms, [this] { return woken_ || !inbox_.empty(); });
        woken_ = false;
        frames.swap(inbox_);
        may_send = reading_;
      }
      for (const auto& frame : frames) session_.OnFrame(frame);
      sync::v1::ClientFrame frame;
      if (may_send && session_.Next(&frame)) {
        const std::lock_guard lock(mutex_);
        reading_ = false;
        connection_->OnFrame(std::move(frame));
      } else if (leaving_ && may_send && session_.caught_up()) {
        return;
      }
    }
    ADD_FAILURE() << "still not in step: " << session_.status();
  }

  client::Session session_;  // of the moving thread alone
  std::shared_ptr<server::Connection> connection_;
  std::atomic<bool> leaving_ = false;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<sync::v1::ServerFrame> inbox_;  // this and what follows: guarded by it
  bool reading_ = false;                     // the server waits for a frame
  bool woken_ = false;
  bool finished_ = false;

  client::Store::Subscription heard_;
  std::thread thread_;
};

class HubTest : public Village {
 protected:
  static constexpr int kEdits = 25;  // by each thread

  // Of many threads, unlike the world's own.
  Environment ForThreads() const {
    const int64_t now_ms = world.now_ms();
    return {.now_ms = [now_ms] { return now_ms; },
            .random_bytes = SystemEnvironment().random_bytes};
  }
  std::unique_ptr<client::Store> StoreOf(Phone& phone) {
    return client::Store::Open({.file = phone.file(),
                                .schema = world.schema(),
                                .environment = ForThreads(),
                                .key = kPhoneKey})
        .value();
  }

  void Record(client::Store* store, const Id& sampler) {
    for (int i = 0; i < kEdits; ++i) {
      auto made = store->New<Meeting>();
      made.message<Meeting>().set_branch_id(branch.str());
      EXPECT_TRUE(store->Commit({&made}).ok());
      auto counted = store->Edit<Sampler>(sampler);
      ASSERT_TRUE(counted.ok()) << counted.status();
      counted->message<Sampler>().set_sum(counted->message<Sampler>().sum() + 1);
      EXPECT_TRUE(store->Commit({&*counted}).ok());
    }
  }
  void Look(client::Store* store) {
    const uint32_t type = store->schema().Find(Meeting::descriptor())->number;
    size_t last = 0;
    for (int i = 0; i < kEdits; ++i) {
      std::atomic<int> told = 0;
      const auto subscription = store->Subscribe([&](const client::Changes&) { ++told; });
      size_t meetings = 0;
      EXPECT_EQ(store->List({.type = type},
                            [&](const Id&, const google::protobuf::Message&) {
                              ++meetings;
                              return true;
                            }),
                absl::OkStatus());
      EXPECT_GE(meetings, last);  // nothing comes and goes
      last = meetings;
      EXPECT_TRUE(store->State().ok());
    }
  }
};

TEST_F(HubTest, ManyThreadsOnBothSidesLoseNothingAndCountNothingTwice) {
  const Id sampler = MakeSampler(zhangs);
  world.SyncAll();
  server::Ingest ingest(world.schema(), ForThreads());
  server::Hub hub(&world.store(), &ingest, ForThreads());
  std::vector<Phone*> phones = {&zhangs, &lis};
  std::vector<std::unique_ptr<client::Store>> stores;
  std::vector<std::unique_ptr<Link>> links;
  std::vector<std::thread> threads;
  for (Phone* phone : phones) {
    client::Store* store = stores.emplace_back(StoreOf(*phone)).get();
    links.push_back(std::make_unique<Link>(&hub, store));
    threads.emplace_back([this, store, sampler] { Record(store, sampler); });
    threads.emplace_back([this, store, sampler] { Record(store, sampler); });
    threads.emplace_back([this, store] { Look(store); });
  }
  for (int i = 0; i < kEdits; ++i) {
    Organisation renamed;
    renamed.set_kind(Organisation::BRANCH);
    renamed.set_name("青石村党支部 " + std::to_string(i));
    const RecordType& type = *world.schema()->Find(Organisation::descriptor());
    sync::v1::Edit edit;
    server::AddChange(type, branch, world.StateOf({type.number, branch}), renamed, &edit);
    EXPECT_EQ(hub.Write([&](absl::flat_hash_set<Id>* moved) {
      return ingest.CommitOwn(world.store(), edit, moved).status();
    }),
              absl::OkStatus());
  }
  for (std::thread& thread : threads) thread.join();
  for (const auto& link : links) link->Close();
  hub.Stop();

  const int writers = 4;
  EXPECT_EQ(world.Get<Sampler>(sampler).sum(), writers * kEdits);
  for (Phone* phone : phones) {
    EXPECT_EQ(phone->State().unsent, 0);
    EXPECT_THAT(phone->SetAside(), ::testing::IsEmpty());
  }
  ExpectConverged();
  EXPECT_THAT(lis.All<Meeting>(), ::testing::SizeIs(writers * kEdits));
  world.CheckAudit();
}

TEST_F(HubTest, CouriersMayBringTheSameBundleAtOnceWhileItsAuthorSyncs) {
  const Id sampler = MakeSampler(zhangs);
  world.SyncAll();
  const auto zhang_store = StoreOf(zhangs);
  Record(zhang_store.get(), sampler);
  const std::string bundles = client::Export(zhang_store.get())->file;
  const auto parcel = FromFile(Cargo::kBundle, bundles);
  ASSERT_TRUE(parcel.ok()) << parcel.status();
  server::Ingest ingest(world.schema(), ForThreads());
  server::Hub hub(&world.store(), &ingest, ForThreads());
  Link link(&hub, zhang_store.get());
  std::vector<std::thread> couriers;
  for (int i = 0; i < 3; ++i) {
    couriers.emplace_back([&] {
      for (const std::string& sealed : parcel->sealed()) {
        const auto reply = hub.Deliver(sealed);
        ASSERT_TRUE(reply.ok()) << reply.status();
        EXPECT_EQ(reply->refusal().reason(), sync::v1::NO_REASON);
      }
    });
  }
  for (std::thread& courier : couriers) courier.join();
  link.Close();
  hub.Stop();
  EXPECT_EQ(world.Get<Sampler>(sampler).sum(), kEdits);
  ExpectConverged();
}

// What they bring again and again costs its author nothing, and the others little.
TEST_F(HubTest, CouriersWhoBringTooMuchAreToldToComeLater) {
  for (int i = 0; i < 20; ++i) MakeMeeting(zhangs);
  const auto exported = client::Export(&zhangs.store());
  const std::string sealed = FromFile(Cargo::kBundle, exported->file)->sealed(0);
  server::Ingest ingest(world.schema(), ForThreads());
  server::Hub hub(&world.store(), &ingest, ForThreads(), {.edits_per_second = 1});
  EXPECT_TRUE(hub.Deliver(sealed).ok());  // ten are saved up
  EXPECT_EQ(ReasonOf(hub.Deliver(sealed).status()).reason, sync::v1::LIMIT_REACHED);
  hub.Stop();
  ExpectConverged();
}

}  // namespace
}  // namespace zhibu::test
