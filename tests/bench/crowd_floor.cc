#include "tests/bench/crowd_floor.h"

#include <google/protobuf/wrappers.pb.h>
#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <asio/ip/address.hpp>
#include <asio/steady_timer.hpp>
#include <chrono>
#include <cstring>
#include <deque>
#include <map>
#include <memory>
#include <random>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "sync/crypto/handshake.h"
#include "tests/bench/report.h"
#include "tests/load/call.h"
#include "tests/load/device.h"

namespace zhibu::bench {
namespace {

using google::protobuf::BytesValue;
using grpc::ByteBuffer;

// What each frame begins with, so that it can be relayed and timed.
struct Head {
  int32_t group = 0;
  int32_t relayed = 0;  // to whoever has not sent it
  int64_t sent_us = 0;
};

std::string FrameOf(const Head& head, size_t size) {
  std::string frame(std::max(size, sizeof(head)), 'x');
  std::memcpy(frame.data(), &head, sizeof(head));
  return frame;
}

std::string BytesOf(const ByteBuffer& buffer) {
  std::vector<grpc::Slice> slices;
  std::string bytes;
  if (buffer.Dump(&slices).ok()) {
    for (const auto& slice : slices)
      bytes.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
  }
  return bytes;
}

// ---- The server --------------------------------------------------------------

class RawHub;

class RawStream final : public grpc::ServerGenericBidiReactor {
 public:
  explicit RawStream(RawHub* hub) : hub_(*hub), itself_(this) { StartRead(&in_); }

  // Any thread may call.
  void Say(absl::string_view bytes) {
    BytesValue value;
    value.set_value(std::string(bytes));
    const std::string message = value.SerializeAsString();
    const grpc::Slice slice(message);
    absl::MutexLock lock(&mutex_);
    if (finished_) return;
    out_.emplace_back(&slice, 1);
    if (out_.size() == 1) StartWrite(&out_.front());
  }

 private:
  void OnReadDone(bool ok) override;
  void OnWriteDone(bool ok) override {
    absl::MutexLock lock(&mutex_);
    out_.pop_front();
    if (ok && !finished_ && !out_.empty()) StartWrite(&out_.front());
  }
  void OnDone() override { itself_.reset(); }

  RawHub& hub_;
  std::shared_ptr<RawStream> itself_;
  ByteBuffer in_;
  bool joined_ = false;
  absl::Mutex mutex_;
  bool finished_ ABSL_GUARDED_BY(mutex_) = false;
  std::deque<ByteBuffer> out_ ABSL_GUARDED_BY(mutex_);  // the first is being written
};

class RawHub {
 public:
  RawHub(const RawPlan& plan, const std::string& file)
      : plan_(plan), table_(file, RawTable::Layout::kAppend), writer_([this] { Write(); }) {}
  ~RawHub() {
    {
      absl::MutexLock lock(&mutex_);
      ended_ = true;
    }
    writer_.join();
  }

  void Join(const std::shared_ptr<RawStream>& stream, int32_t group) {
    absl::MutexLock lock(&mutex_);
    groups_[group].push_back(stream);
  }
  void Take(std::shared_ptr<RawStream> stream, std::string bytes) {
    absl::MutexLock lock(&mutex_);
    queue_.emplace_back(std::move(stream), std::move(bytes));
  }
  bool relays() const { return plan_.relay_bytes > 0; }

 private:
  using Taken = std::pair<std::shared_ptr<RawStream>, std::string>;

  void Write() {
    while (true) {
      std::vector<Taken> taken;
      {
        absl::MutexLock lock(&mutex_);
        const auto something = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
          return ended_ || !queue_.empty();
        };
        mutex_.Await(absl::Condition(&something));
        if (queue_.empty()) return;
        taken.swap(queue_);
      }
      std::vector<RawTable::Row> rows;
      for (const auto& [stream, bytes] : taken) {
        for (int i = 0; i < plan_.rows; ++i) {
          rows.push_back(
              {0, "", bytes.substr(plan_.row_bytes * static_cast<size_t>(i), plan_.row_bytes)});
        }
      }
      table_.Insert(rows);
      for (const auto& [stream, bytes] : taken) Answer(stream, bytes);
    }
  }

  void Answer(const std::shared_ptr<RawStream>& stream, const std::string& bytes) {
    Head head;
    std::memcpy(&head, bytes.data(), sizeof(head));
    stream->Say(FrameOf(head, plan_.ack_bytes));
    if (!relays()) return;
    head.relayed = 1;
    std::vector<std::shared_ptr<RawStream>> others;
    {
      absl::MutexLock lock(&mutex_);
      for (const auto& other : groups_[head.group]) {
        if (other != stream) others.push_back(other);
      }
    }
    for (const auto& other : others) other->Say(FrameOf(head, plan_.relay_bytes));
  }

  const RawPlan& plan_;
  RawTable table_;
  absl::Mutex mutex_;
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<Taken> queue_ ABSL_GUARDED_BY(mutex_);
  std::map<int32_t, std::vector<std::shared_ptr<RawStream>>> groups_ ABSL_GUARDED_BY(mutex_);
  std::thread writer_;
};

void RawStream::OnReadDone(bool ok) {
  if (!ok) {
    {
      absl::MutexLock lock(&mutex_);
      finished_ = true;
    }
    return Finish(grpc::Status::OK);
  }
  BytesValue value;
  std::string bytes = BytesOf(in_);
  Check(value.ParseFromString(bytes) && value.value().size() >= sizeof(Head), "the floor's frame");
  Head head;
  std::memcpy(&head, value.value().data(), sizeof(head));
  if (hub_.relays() && !std::exchange(joined_, true)) hub_.Join(itself_, head.group);
  if (head.sent_us > 0) hub_.Take(itself_, std::move(*value.mutable_value()));
  StartRead(&in_);
}

class RawService final : public grpc::CallbackGenericService {
 public:
  explicit RawService(RawHub* hub) : hub_(*hub) {}
  grpc::ServerGenericBidiReactor* CreateReactor(
      grpc::GenericCallbackServerContext* /*context*/) override {
    return new RawStream(&hub_);
  }

 private:
  RawHub& hub_;
};

// ---- The devices -------------------------------------------------------------

struct RawShared {
  asio::io_context io;
  load::ServerPlace server;
  RawPlan plan;
  std::mt19937_64 random{1};
  bool counts = false;
  int opened = 0;
  uint64_t acknowledged = 0;  // frames
  load::Histogram others;
};

class RawDevice final : public load::Listener {
 public:
  RawDevice(RawShared* shared, int32_t group)
      : shared_(*shared), group_(group), timer_(shared->io) {}
  ~RawDevice() override {
    if (call_ != nullptr) call_->Drop();
  }

  void Open() { call_ = load::Call::Open(&shared_.io, shared_.server, "Connect", this); }
  void Begin() {
    if (shared_.plan.storm) return Open();
    if (shared_.plan.rate > 0) return SendInTime();
    Send(load::SteadyMicros());
  }

 private:
  void Send(int64_t sent_us) {
    BytesValue frame;
    frame.set_value(FrameOf({group_, 0, sent_us},
                            shared_.plan.row_bytes * static_cast<size_t>(shared_.plan.rows)));
    call_->Send(frame);
  }
  void SendInTime() {
    const double mean_us = 1e6 * shared_.plan.streams / shared_.plan.rate;
    timer_.expires_after(std::chrono::microseconds(
        static_cast<int64_t>(std::exponential_distribution(1 / mean_us)(shared_.random))));
    timer_.async_wait([this](std::error_code put_off) {
      if (put_off) return;
      Send(load::SteadyMicros());
      SendInTime();
    });
  }

  void OnReady() override {
    if (shared_.plan.storm) return Send(load::SteadyMicros());
    Send(0);  // who it is
    ++shared_.opened;
  }
  void OnMessage(absl::string_view bytes) override {
    BytesValue value;
    Check(value.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())), "the floor's frame");
    Head head;
    std::memcpy(&head, value.value().data(), sizeof(head));
    if (head.relayed != 0) {
      if (shared_.counts) shared_.others.Add(load::SteadyMicros() - head.sent_us);
      return;
    }
    if (shared_.counts) ++shared_.acknowledged;
    if (shared_.plan.storm) {
      std::exchange(call_, nullptr)->Drop();
      return Open();
    }
    if (shared_.plan.rate == 0) Send(load::SteadyMicros());
  }
  void OnEnd(const absl::Status& why) override { Check(why, "the floor's stream"); }

  RawShared& shared_;
  const int32_t group_;
  asio::steady_timer timer_;
  std::shared_ptr<load::Call> call_;
};

}  // namespace

RawOutcome RunRawCrowd(const Tls& tls, const RawPlan& plan, const std::string& file) {
  RawHub hub(plan, file);
  RawService service(&hub);
  grpc::SslServerCredentialsOptions options;
  options.pem_key_cert_pairs.push_back({tls.key_pem, tls.certificate_pem});
  int port = 0;
  grpc::ServerBuilder builder;
  builder.AddListeningPort("127.0.0.1:0", grpc::SslServerCredentials(options), &port);
  builder.RegisterCallbackGenericService(&service);
  const auto server = builder.BuildAndStart();
  Check(server != nullptr && port != 0, "the floor's server does not start");

  RawShared shared;
  shared.plan = plan;
  shared.server = {{asio::ip::make_address("127.0.0.1"), static_cast<uint16_t>(port)},
                   FingerprintOf(tls.certificate_pem)};
  std::vector<std::unique_ptr<RawDevice>> devices;
  for (int i = 0; i < plan.streams; ++i) {
    devices.push_back(std::make_unique<RawDevice>(&shared, i / plan.per_group));
    if (plan.storm) continue;
    devices.back()->Open();
    while (shared.opened <= i) shared.io.run_one();
  }
  for (const auto& device : devices) device->Begin();
  shared.io.run_for(std::chrono::milliseconds(500));  // until it goes evenly
  shared.counts = true;
  const Stopwatch watch;
  shared.io.run_for(std::chrono::seconds(plan.seconds));
  const double seconds = watch.seconds();
  devices.clear();
  server->Shutdown(std::chrono::system_clock::now());
  server->Wait();
  return {static_cast<double>(shared.acknowledged) * (plan.storm ? 1 : plan.rows) / seconds,
          shared.others};
}

}  // namespace zhibu::bench
