#include "server/hub.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <asio/post.hpp>
#include <thread>

#include "absl/synchronization/notification.h"
#include "server/courier.h"
#include "server/enrolment.h"
#include "sync/reason.h"
#include "sync/status.h"

namespace zhibu::server {
namespace {

// Edits to one transaction: enough to share an fsync among many, few enough that
// nobody waits long.
constexpr size_t kGroupMax = 500;
// An edit counts once more for each so many bytes.
constexpr size_t kBytesPerEdit = 4096;
// A device that goes on under a new number leaves a row behind for each.
constexpr int64_t kEditsPerRenumbering = 1000;
// A page is looked for in many scopes.
constexpr int64_t kEditsPerPage = 20;
constexpr int64_t kDayMs = 86'400'000;

// A frame is work even where it holds no edit.
int64_t EditsIn(const sync::v1::ClientFrame& frame) {
  int64_t edits = frame.has_ask() ? kEditsPerPage : 1;
  for (const auto& edit : frame.push().edits()) {
    edits += 1 + static_cast<int64_t>(edit.edit().size() / kBytesPerEdit);
  }
  return edits;
}

}  // namespace

Connection::Connection(Hub* hub, Transport* transport)
    : hub_(*hub),
      strand_(asio::make_strand(hub->readers_)),
      session_(&hub->store_, &hub->ingest_, hub->environment_,
               {.unseen_ms_max = hub->limits_.reauthenticate_days * kDayMs}),
      transport_(transport),
      rest_(strand_),
      deadline_(strand_) {}

template <typename F>
void Connection::Post(F work) {
  asio::post(strand_, [self = shared_from_this(), work = std::move(work)]() mutable {
    work();
    self->Advance();
  });
}

void Connection::Start() {
  Post([this] {
    Expect(std::chrono::seconds(hub_.limits_.handshake_seconds_max));
    const auto oldest = hub_.admission_.Arrive(shared_from_this());
    if (oldest != nullptr) oldest->OnLimit("streams");
  });
}

void Connection::OnFrame(sync::v1::ClientFrame frame) {
  Post([this, frame = std::move(frame)] {
    reading_ = false;
    Charge(EditsIn(frame));
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
  Post([this] {
    writing_ = false;
    // The handshake has one deadline for all of it.
    if (!device_.empty()) deadline_.expires_at(Clock::time_point::max());
  });
}

void Connection::OnGone() {
  Post([this] { End(); });
}

void Connection::OnResults(std::vector<Result> results) {
  Post([this, results = std::move(results)] {
    waiting_bytes_ -= waiting_.front();
    waiting_.pop_front();
    session_.OnResults(results);
  });
}

void Connection::OnTrouble(absl::Status status) {
  Post([this, status = std::move(status)] { session_.OnTrouble(status); });
}

void Connection::OnMoved() {
  Post([this] { session_.OnMoved(); });
}

void Connection::OnLimit(absl::string_view what) {
  Post([this, what = std::string(what)] { GiveUp(what); });
}

void Connection::Advance() {
  if (transport_ == nullptr) return;
  if (auto edits = session_.TakeSubmitted(); !edits.empty()) Submit(std::move(edits));
  if (!writing_) {
    sync::v1::ServerFrame frame;
    if (session_.Next(&frame)) Write(std::move(frame));
  }
  if (const auto moved = session_.TakeMoved(); !moved.empty()) hub_.Tell(moved);
  if (session_.closed()) {
    if (!writing_) End();
    return;
  }
  if (!reading_ && waiting_bytes_ < static_cast<size_t>(hub_.limits_.backlog_bytes_max)) Read();
}

void Connection::Submit(std::vector<Submitted> edits) {
  size_t bytes = 0;
  for (const Submitted& submitted : edits)
    bytes += sizeof(submitted) + submitted.edit.edit().size();
  waiting_.push_back(bytes);
  waiting_bytes_ += bytes;
  hub_.Submit(
      [self = shared_from_this()](absl::StatusOr<std::vector<Result>> results) {
        if (results.ok()) return self->OnResults(*std::move(results));
        self->OnTrouble(results.status());
      },
      std::move(edits));
}

void Connection::Write(sync::v1::ServerFrame frame) {
  writing_ = true;
  if (frame.has_welcome()) Prove();
  if (frame.has_renumber()) Charge(kEditsPerRenumbering);
  if (!frame.has_challenge()) Expect(std::chrono::seconds(hub_.limits_.unread_seconds_max));
  Follow();
  transport_->Write(std::move(frame));
}

void Connection::Read() {
  if (Clock::now() >= rests_until_) {
    reading_ = true;
    return transport_->Read();
  }
  if (std::exchange(resting_, true)) return;
  rest_.expires_at(rests_until_);
  rest_.async_wait([self = shared_from_this()](const std::error_code&) {
    self->resting_ = false;
    self->Advance();
  });
}

void Connection::Prove() {
  hub_.Seen(session_.device());
  device_ = session_.device_record();
  const auto oldest = hub_.admission_.Prove(shared_from_this(), device_);
  if (oldest != nullptr) oldest->OnLimit("streams");
}

void Connection::Charge(int64_t edits) {
  if (!device_.empty()) rests_until_ = hub_.admission_.Charge(device_, edits, Clock::now());
}

void Connection::Expect(std::chrono::seconds patience) {
  deadline_.expires_after(patience);
  deadline_.async_wait([self = shared_from_this()](const std::error_code& put_off) {
    if (put_off || self->deadline_.expiry() > Clock::now()) return;
    self->GiveUp("time");
    self->Advance();
  });
}

void Connection::GiveUp(absl::string_view what) {
  if (transport_ == nullptr) return;
  // Who does not take what is written would not take the refusal.
  if (writing_) return transport_->Cancel();
  session_.OnTrouble(Refuse(sync::v1::LIMIT_REACHED, what));
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
  hub_.admission_.Leave(shared_from_this(), device_);
  if (!device_.empty()) hub_.Seen(session_.device());  // streams last for weeks
  rest_.cancel();
  deadline_.cancel();
  std::exchange(transport_, nullptr)->Finish();
}

Hub::Hub(Store* store, Ingest* ingest, Environment environment, const Limits& limits)
    : store_(*store),
      ingest_(*ingest),
      environment_(std::move(environment)),
      limits_(limits),
      admission_(limits),
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

absl::StatusOr<sync::v1::DeliverReply> Hub::Deliver(absl::string_view sealed) {
  const auto now = Admission::Clock::now();
  if (!admission_.MayDeliver(now)) return Refuse(sync::v1::LIMIT_REACHED, "couriers");
  // Opening it is work, whatever comes out.
  admission_.ChargeCouriers(1 + static_cast<int64_t>(sealed.size() / kBytesPerEdit), now);
  ASSIGN_OR_RETURN(const Delivery delivery, OpenBundle(store_, sealed));
  absl::StatusOr<std::vector<Result>> results = std::vector<Result>();
  if (!delivery.edits.empty()) {
    admission_.ChargeCouriers(static_cast<int64_t>(delivery.edits.size()), now);
    absl::Notification committed;
    Submit(
        [&](absl::StatusOr<std::vector<Result>> told) {
          results = std::move(told);
          committed.Notify();
        },
        delivery.edits);
    committed.WaitForNotification();
  }
  RETURN_IF_ERROR(results.status());
  return ReplyTo(delivery, *results);
}

void Hub::Submit(OnCommitted on_committed, std::vector<Submitted> edits) {
  absl::MutexLock lock(&mutex_);
  queue_.push_back({std::move(on_committed), std::move(edits)});
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
      slice[0].on_committed(committed.status());
    }
    return;
  }
  auto result = committed->results.begin();
  for (const Waiting& waiting : slice) {
    const auto end = result + static_cast<std::ptrdiff_t>(waiting.edits.size());
    waiting.on_committed(std::vector<Result>(result, end));
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
  absl::flat_hash_set<Id> moved;
  const absl::Status status = store_.Write([&](Writer& writer) {
    moved.clear();
    return NoteSeen(writer, ingest_, seen, &moved);
  });
  if (!status.ok()) {
    spdlog::warn("cannot note when devices were seen: {}", std::string(status.message()));
    return;
  }
  Tell(moved);
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
