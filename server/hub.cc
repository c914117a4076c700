#include "server/hub.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <asio/post.hpp>
#include <thread>

#include "absl/synchronization/notification.h"
#include "sync/status.h"

namespace zhibu::server {
namespace {

// A connection with this many edits waiting is not read from until some of them
// are answered.
constexpr size_t kWaitingMax = 4000;
// Edits to one transaction: enough to share an fsync among many, few enough that
// nobody waits long.
constexpr size_t kGroupMax = 500;

}  // namespace

Connection::Connection(Hub* hub, Transport* transport)
    : hub_(*hub),
      strand_(asio::make_strand(hub->readers_)),
      session_(&hub->store_, &hub->ingest_.schema(), hub->environment_, hub->limits_),
      transport_(transport) {}

template <typename F>
void Connection::Post(F work) {
  asio::post(strand_, [self = shared_from_this(), work = std::move(work)]() mutable {
    work();
    self->Advance();
  });
}

void Connection::Start() {
  Post([] {});
}

void Connection::OnFrame(sync::v1::ClientFrame frame) {
  Post([this, frame = std::move(frame)] {
    reading_ = false;
    session_.OnFrame(frame);
  });
}

void Connection::OnGarbage(std::string what) {
  Post([this, what = std::move(what)] {
    reading_ = false;
    session_.OnGarbage(what);
  });
}

void Connection::OnWritten() {
  Post([this] { writing_ = false; });
}

void Connection::OnGone() {
  Post([this] { End(); });
}

void Connection::OnResults(std::vector<Result> results) {
  Post([this, results = std::move(results)] {
    waiting_ -= results.size();
    session_.OnResults(results);
  });
}

void Connection::OnTrouble(absl::Status status) {
  Post([this, status = std::move(status)] { session_.OnTrouble(status); });
}

void Connection::OnMoved() {
  Post([this] { session_.OnMoved(); });
}

void Connection::Advance() {
  if (transport_ == nullptr) return;
  if (auto edits = session_.TakeSubmitted(); !edits.empty()) {
    waiting_ += edits.size();
    hub_.Submit(shared_from_this(), std::move(edits));
  }
  if (!writing_) {
    sync::v1::ServerFrame frame;
    if (session_.Next(&frame)) {
      writing_ = true;
      if (frame.has_welcome()) hub_.Seen(session_.device());
      Follow();
      transport_->Write(std::move(frame));
    }
  }
  if (session_.closed()) {
    if (!writing_) End();
    return;
  }
  if (!reading_ && waiting_ < kWaitingMax) {
    reading_ = true;
    transport_->Read();
  }
}

// The scopes of the session may have changed with what it has just said. What
// moved between its reading them and being told of them, it must read again.
void Connection::Follow() {
  std::vector<Id> scopes = session_.Scopes();
  if (scopes == followed_) return;
  hub_.Follow(shared_from_this(), followed_, scopes);
  followed_ = std::move(scopes);
  session_.OnMoved();
}

void Connection::End() {
  if (transport_ == nullptr) return;
  hub_.Follow(shared_from_this(), followed_, {});
  followed_.clear();
  std::exchange(transport_, nullptr)->Finish();
}

Hub::Hub(Store* store, Ingest* ingest, Environment environment, SessionLimits limits)
    : store_(*store),
      ingest_(*ingest),
      environment_(std::move(environment)),
      limits_(limits),
      readers_(std::max(2u, std::thread::hardware_concurrency())) {}

Hub::~Hub() { Stop(); }

void Hub::Stop() {
  readers_.join();
  writer_.join();
}

std::shared_ptr<Connection> Hub::Connect(Transport* transport) {
  return std::make_shared<Connection>(this, transport);
}

absl::Status Hub::Write(absl::FunctionRef<absl::Status(absl::flat_hash_set<Id>*)> work) {
  absl::Status status;
  absl::Notification done;
  asio::post(writer_, [&] {
    absl::flat_hash_set<Id> moved;
    status = work(&moved);
    if (status.ok()) Tell(moved);
    done.Notify();
  });
  done.WaitForNotification();
  return status;
}

void Hub::Submit(std::shared_ptr<Connection> connection, std::vector<Submitted> edits) {
  absl::MutexLock lock(&mutex_);
  queue_.push_back({std::move(connection), std::move(edits)});
  if (std::exchange(committing_, true)) return;
  asio::post(writer_, [this] { CommitQueued(); });
}

void Hub::CommitQueued() {
  std::vector<Waiting> slice;
  {
    absl::MutexLock lock(&mutex_);
    size_t edits = 0;
    while (!queue_.empty() && edits < kGroupMax) {
      edits += queue_.front().edits.size();
      slice.push_back(std::move(queue_.front()));
      queue_.pop_front();
    }
    committing_ = !queue_.empty();
    if (committing_) asio::post(writer_, [this] { CommitQueued(); });
  }
  CommitSlice(slice);
}

void Hub::CommitSlice(const std::vector<Waiting>& slice) {
  std::vector<Submitted> batch;
  for (const Waiting& waiting : slice) {
    batch.insert(batch.end(), waiting.edits.begin(), waiting.edits.end());
  }
  absl::StatusOr<Committed> committed = ingest_.Commit(store_, batch);
  if (!committed.ok()) {
    // One edit that cannot be written must not take its neighbours along.
    if (slice.size() > 1) {
      for (const Waiting& waiting : slice) CommitSlice({waiting});
    } else {
      slice[0].connection->OnTrouble(committed.status());
    }
    return;
  }
  auto result = committed->results.begin();
  for (const Waiting& waiting : slice) {
    const auto end = result + static_cast<std::ptrdiff_t>(waiting.edits.size());
    waiting.connection->OnResults({result, end});
    result = end;
  }
  Tell(committed->moved);
}

void Hub::Seen(DeviceNumber device) {
  absl::MutexLock lock(&mutex_);
  const bool scheduled = !seen_.empty();
  seen_[device] = environment_.now_ms();
  if (!scheduled) asio::post(writer_, [this] { WriteSeen(); });
}

void Hub::WriteSeen() {
  absl::flat_hash_map<DeviceNumber, int64_t> seen;
  {
    absl::MutexLock lock(&mutex_);
    seen.swap(seen_);
  }
  const absl::Status status = store_.Write([&](Writer& writer) -> absl::Status {
    for (const auto& [number, at_ms] : seen) {
      ASSIGN_OR_RETURN(auto device, writer.GetDevice(number));
      if (!device) continue;
      device->last_seen_ms = at_ms;
      RETURN_IF_ERROR(writer.PutDevice(*device));
    }
    return absl::OkStatus();
  });
  if (!status.ok())
    spdlog::warn("cannot note when devices were seen: {}", std::string(status.message()));
}

void Hub::Tell(const absl::flat_hash_set<Id>& moved) {
  std::set<std::shared_ptr<Connection>> told;
  {
    absl::MutexLock lock(&mutex_);
    for (const Id& scope : moved) {
      const auto it = followers_.find(scope);
      if (it == followers_.end()) continue;
      for (const auto& weak : it->second) {
        if (auto connection = weak.lock()) told.insert(std::move(connection));
      }
    }
  }
  for (const auto& connection : told) connection->OnMoved();
}

void Hub::Follow(const std::shared_ptr<Connection>& connection, const std::vector<Id>& before,
                 const std::vector<Id>& after) {
  absl::MutexLock lock(&mutex_);
  for (const Id& scope : before) {
    const auto it = followers_.find(scope);
    if (it == followers_.end()) continue;
    it->second.erase(connection);
    if (it->second.empty()) followers_.erase(it);
  }
  for (const Id& scope : after) followers_[scope].insert(connection);
}

}  // namespace zhibu::server
