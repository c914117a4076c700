// Everything at once: each device has threads that record, read and listen while another moves
// its frames, and the operator writes too. It proves that what any thread was told is
// written is on the server once, that all who may see it do, and, under ./dev tsan, that no two
// threads touch the same thing unguarded.
#include "server/sessions/hub.h"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "absl/synchronization/notification.h"
#include "client-core/courier.h"
#include "sync/base/reason.h"
#include "sync/base/status.h"
#include "sync/crypto/courier.h"
#include "sync/merge/own_edit.h"
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
  void Proved() override {}
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

  // The phone's only bundle.
  static std::string Sealed(Phone& phone) {
    const auto exported = client::Export(&phone.store());
    const auto parcel = FromFile(Cargo::kBundle, exported->file);
    EXPECT_EQ(parcel->sealed_size(), 1);
    return parcel->sealed(0);
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
    AddChange(type, branch, world.StateOf({type.number, branch}), renamed, &edit);
    EXPECT_EQ(
        hub.Write([&](server::Writer& writer) { return ingest.WriteOwn(writer, edit).status(); }),
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
        const auto reply = hub.Deliver(sealed, "10.0.0.1");
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

// A stream that is moved by the test itself.
class ByHand : public server::Transport {
 public:
  ByHand(server::Hub* hub, client::Store* store)
      : session_(store), connection_(hub->Connect(this)) {
    EXPECT_EQ(session_.Start(), absl::OkStatus());
    connection_->Start();
  }
  ~ByHand() override {
    connection_->OnGone();
    std::unique_lock lock(mutex_);
    EXPECT_TRUE(changed_.wait_for(lock, 30s, [this] { return finished_; }));
  }

  // Whether the server reads the next frame within that time; then it has it.
  bool Say(std::chrono::milliseconds within) {
    {
      std::unique_lock lock(mutex_);
      if (!changed_.wait_for(lock, within, [this] { return reading_; })) return false;
      reading_ = false;
    }
    sync::v1::ClientFrame frame;
    EXPECT_TRUE(session_.Next(&frame));
    compressed = frame.has_compressed();
    connection_->OnFrame(std::move(frame));
    return true;
  }
  // Until so many frames have come.
  void Hear(int frames) {
    for (; frames > 0; --frames) {
      std::unique_lock lock(mutex_);
      ASSERT_TRUE(changed_.wait_for(lock, 30s, [this] { return !inbox_.empty(); }));
      const sync::v1::ServerFrame frame = std::move(inbox_.front());
      inbox_.pop_front();
      lock.unlock();
      session_.OnFrame(frame);
    }
  }
  bool answered() const { return session_.caught_up(); }
  bool compressed = false;  // what it said last

  void Read() override {
    Tell([this] { reading_ = true; });
  }
  void Write(sync::v1::ServerFrame frame) override {
    Tell([&] { inbox_.push_back(std::move(frame)); });
    connection_->OnWritten();
  }
  void Proved() override {}
  void Cancel() override {}
  void Finish() override {
    Tell([this] { finished_ = true; });
  }

 private:
  void Tell(absl::FunctionRef<void()> what) {
    const std::lock_guard lock(mutex_);
    what();
    changed_.notify_all();
  }

  client::Session session_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<sync::v1::ServerFrame> inbox_;  // this and what follows: guarded by it
  bool reading_ = false;
  bool finished_ = false;
  std::shared_ptr<server::Connection> connection_;  // the last: it calls this from its threads
};

// It travels in a few bytes, and is as much work.
TEST_F(HubTest, WhatComesCompressedIsChargedByTheEditsInIt) {
  for (int i = 0; i < 100; ++i) MakeMeeting(zhangs);
  const auto store = StoreOf(zhangs);
  server::Ingest ingest(world.schema(), ForThreads());
  server::Hub hub(&world.store(), &ingest, ForThreads(), {.edits_per_second = 1});
  {
    ByHand stream(&hub, store.get());
    ASSERT_TRUE(stream.Say(30s));  // Hello
    stream.Hear(1);
    ASSERT_TRUE(stream.Say(30s));  // Proof
    stream.Hear(2);                // Welcome, and that there is nothing
    ASSERT_TRUE(stream.Say(30s));
    EXPECT_TRUE(stream.compressed);
    while (!stream.answered()) stream.Hear(1);
    // Ten edits are saved up; for the others it rests a minute and a half.
    EXPECT_FALSE(stream.Say(500ms));
  }
  hub.Stop();
  ExpectConverged();
}

// What they bring again and again costs its author nothing, and the others little.
TEST_F(HubTest, CouriersWhoBringTooMuchAreToldToComeLater) {
  for (int i = 0; i < 20; ++i) MakeMeeting(zhangs);
  MakeMeeting(lis);
  const std::string sealed = Sealed(zhangs);
  server::Ingest ingest(world.schema(), ForThreads());
  server::Hub hub(&world.store(), &ingest, ForThreads(), {.edits_per_second = 1});
  EXPECT_TRUE(hub.Deliver(sealed, "10.0.0.1").ok());  // ten are saved up
  EXPECT_EQ(ReasonOf(hub.Deliver(sealed, "10.0.0.2").status()).reason, sync::v1::LIMIT_REACHED);
  EXPECT_TRUE(hub.Deliver(Sealed(lis), "10.0.0.1").ok()) << "it is another's";
  hub.Stop();
  ExpectConverged();
}

TEST_F(HubTest, RubbishFromOneAddressDoesNotShutOutWhatIsBroughtFromAnother) {
  MakeMeeting(zhangs);
  const std::string sealed = Sealed(zhangs);
  server::Ingest ingest(world.schema(), ForThreads());
  server::Hub hub(&world.store(), &ingest, ForThreads(), {.edits_per_second = 1});
  std::vector<sync::v1::Reason> told;
  for (int i = 0; i < 20; ++i) {
    told.push_back(ReasonOf(hub.Deliver("rubbish", "10.0.0.1").status()).reason);
  }
  EXPECT_EQ(told.front(), sync::v1::COURIER_DAMAGED);
  EXPECT_EQ(told.back(), sync::v1::LIMIT_REACHED);
  EXPECT_TRUE(hub.Deliver(sealed, "10.0.0.2").ok());
  hub.Stop();
  ExpectConverged();
}

// Fails where the transaction has an edit of this device and number.
class FailingStore : public server::Store {
 public:
  FailingStore(server::Store* store, DeviceNumber device, EditNumber number)
      : store_(*store), device_(device), number_(number) {}
  absl::Status Read(absl::FunctionRef<absl::Status(server::Reader&)> body) override {
    return store_.Read(body);
  }
  absl::Status Write(absl::FunctionRef<absl::Status(server::Writer&)> body) override {
    ++writes;
    return store_.Write([&](server::Writer& writer) -> absl::Status {
      RETURN_IF_ERROR(body(writer));
      ASSIGN_OR_RETURN(const auto row, writer.GetAudit(device_, number_));
      return row ? absl::DataLossError("a damaged row") : absl::OkStatus();
    });
  }
  void Watch(server::Watcher* watcher) override { store_.Watch(watcher); }
  void StopWatching(server::Watcher* watcher) override { store_.StopWatching(watcher); }
  absl::Status Backup(const std::string& file) override { return store_.Backup(file); }

  int writes = 0;

 private:
  server::Store& store_;
  const DeviceNumber device_;
  const EditNumber number_;
};

TEST_F(HubTest, AnEditThatCannotBeWrittenTakesNobodyElsesAlongNorWhatCameBeforeIt) {
  const auto last = world.RowOf(zhangs.number()).last_number;
  for (int i = 0; i < 5; ++i) MakeMeeting(zhangs);
  for (int i = 0; i < 5; ++i) MakeMeeting(lis);
  FailingStore store(&world.store(), zhangs.number(), EditNumber(last.value + 3));
  server::Ingest ingest(world.schema(), ForThreads());
  server::Hub hub(&store, &ingest, ForThreads());
  // Both wait for the same transaction.
  absl::Notification go;
  std::thread operators([&] {
    EXPECT_TRUE(hub.Write([&](server::Writer&) {
                     go.WaitForNotification();
                     return absl::OkStatus();
                   })
                    .ok());
  });
  absl::Status of_zhang;
  absl::Status of_li;
  std::thread zhang_comes([&] { of_zhang = hub.Deliver(Sealed(zhangs), "10.0.0.1").status(); });
  std::thread li_comes([&] { of_li = hub.Deliver(Sealed(lis), "10.0.0.2").status(); });
  std::this_thread::sleep_for(300ms);
  go.Notify();
  for (std::thread* thread : {&operators, &zhang_comes, &li_comes}) thread->join();
  hub.Stop();
  EXPECT_EQ(of_zhang.code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(of_li, absl::OkStatus());
  EXPECT_EQ(world.RowOf(zhangs.number()).last_number.value, last.value + 2);
  EXPECT_LE(store.writes, 1 + 10) << "the group, then each edit once";
  ExpectConverged();  // what was not written is still zhang's, and goes once it can
}

TEST_F(HubTest, OneDevicesLongWayBehindDelaysNobodyElse) {
  for (int i = 0; i < 400; ++i) MakeMeeting(zhangs);
  MakeMeeting(lis);
  const std::string long_one = Sealed(zhangs);
  const std::string short_one = Sealed(lis);
  server::Ingest ingest(world.schema(), ForThreads());
  server::Hub hub(&world.store(), &ingest, ForThreads());
  absl::Notification go;
  std::thread operators([&] {
    EXPECT_TRUE(hub.Write([&](server::Writer&) {
                     go.WaitForNotification();
                     return absl::OkStatus();
                   })
                    .ok());
  });
  uint64_t zhangs_when_li_was_answered = 0;
  std::thread zhang_comes([&] { EXPECT_TRUE(hub.Deliver(long_one, "10.0.0.1").ok()); });
  std::this_thread::sleep_for(300ms);
  std::thread li_comes([&] {
    EXPECT_TRUE(hub.Deliver(short_one, "10.0.0.2").ok());
    zhangs_when_li_was_answered = world.RowOf(zhangs.number()).last_number.value;
  });
  std::this_thread::sleep_for(300ms);
  go.Notify();
  for (std::thread* thread : {&operators, &zhang_comes, &li_comes}) thread->join();
  hub.Stop();
  EXPECT_LT(zhangs_when_li_was_answered, 400u);
  ExpectConverged();
}

// The clock goes on, as it does.
TEST_F(HubTest, AGrantThatEndsWhileAStreamIsOpenEndsOnItByItself) {
  const Id other = world.Branch("柳湾村党支部");
  world.Appoint(wang, other, COMMITTEE, world.now_ms() + 1500);
  world.SyncAll();
  ASSERT_TRUE(wangs.Has<Organisation>(other));
  const auto began = std::chrono::steady_clock::now();
  const int64_t begin_ms = world.now_ms();
  const Environment moving = {
      .now_ms =
          [=] {
            const auto gone = std::chrono::steady_clock::now() - began;
            return begin_ms + std::chrono::duration_cast<std::chrono::milliseconds>(gone).count();
          },
      .random_bytes = SystemEnvironment().random_bytes};
  server::Ingest ingest(world.schema(), moving);
  server::Hub hub(&world.store(), &ingest, moving);
  const auto store = StoreOf(wangs);
  Link link(&hub, store.get());
  bool there = true;
  while (there && std::chrono::steady_clock::now() - began < 30s) {
    std::this_thread::sleep_for(50ms);
    there = store->Edit<Organisation>(other).ok();
  }
  EXPECT_FALSE(there) << "nothing has moved but the clock";
  link.Close();
  hub.Stop();
}

// Many streams bring more than the hub may hold: it reads on as it gets rid of it, and nobody
// is refused.
TEST_F(HubTest, WhatAllStreamsTogetherBringWaitsOutsideAndNothingIsLost) {
  constexpr int kMeetings = 30;
  server::Ingest ingest(world.schema(), ForThreads());
  server::Hub hub(&world.store(), &ingest, ForThreads(), {.backlog_bytes_all_max = 1});
  std::vector<std::unique_ptr<client::Store>> stores;
  std::vector<std::unique_ptr<Link>> links;
  for (Phone* phone : {&zhangs, &lis}) {
    for (int i = 0; i < kMeetings; ++i) MakeMeeting(*phone);
    links.push_back(std::make_unique<Link>(&hub, stores.emplace_back(StoreOf(*phone)).get()));
  }
  links[0]->Close();
  // The other is told of them in its turn.
  const auto deadline = std::chrono::steady_clock::now() + 30s;
  while (lis.All<Meeting>().size() < 2 * kMeetings && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(10ms);
  }
  links[1]->Close();
  hub.Stop();
  EXPECT_THAT(lis.All<Meeting>(), ::testing::SizeIs(2 * kMeetings));
  ExpectConverged();
}

}  // namespace
}  // namespace zhibu::test
