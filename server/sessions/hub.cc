#include "server/sessions/hub.h"

#include <time.h>

#include <algorithm>
#include <asio/post.hpp>
#include <thread>

#include "absl/synchronization/notification.h"
#include "server/identity/enrolment.h"
#include "server/sessions/charge.h"
#include "server/sessions/courier.h"
#include "sync/base/date.h"
#include "sync/base/reason.h"
#include "sync/base/refusal.h"
#include "sync/base/require.h"
#include "sync/base/status.h"

namespace zhibu::server {
namespace {

// A device that goes on under a new number leaves a row behind for each.
constexpr int64_t kEditsPerRenumbering = 1000;
// Looking for it costs little, but nobody needs many.
constexpr int64_t kEditsPerWrongCode = 20;
// While more than this waits for the writer, no more is read of those it waits of.
constexpr std::chrono::seconds kBacklogMax{1};
// How many that were held back are told of room at once, each of which may send a frame.
constexpr size_t kToldAtOnce = 64;
// When a device comes back that could not prove itself, because too many come at once or the
// server is too busy: most of those who were before it have been served by then.
constexpr uint32_t kCrowdMs = 5'000;
// The clock that sessions go by may be set while a timer runs.
constexpr int64_t kWakeMsMax = 3'600'000;

// Processor time that the thread has used.
std::chrono::nanoseconds TimeOfThread() {
  timespec used{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
  return std::chrono::seconds(used.tv_sec) + std::chrono::nanoseconds(used.tv_nsec);
}

Turns::OnCommitted Collect(absl::StatusOr<std::vector<Result>>* results, size_t awaited,
                           absl::Notification* done) {
  return [=](absl::StatusOr<std::vector<Result>> told) {
    if (told.ok()) {
      (*results)->insert((*results)->end(), told->begin(), told->end());
    } else {
      *results = told.status();
    }
    if (!results->ok() || (*results)->size() == awaited) done->Notify();
  };
}

}  // namespace

Connection::Connection(Hub* hub, Transport* transport)
    : hub_(*hub),
      strand_(asio::make_strand(hub->readers_)),
      session_(&hub->store_, &hub->ingest_, hub->environment_,
               {.message_bytes_max = static_cast<size_t>(hub->limits_.message_bytes_max),
                .compress = hub->limits_.compress,
                .unseen_ms_max = hub->limits_.reauthenticate_days * kDayMs},
               &hub->observer_),
      transport_(transport),
      rest_(strand_),
      deadline_(strand_),
      wake_(strand_) {}

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
    Charge(1);  // a frame is work even where it holds no edit
    Charging([&] {
      session_.OnFrame(frame);
      return true;
    });
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
    int64_t beyond = 0;
    REQUIRE(results.size() <= waiting_.size());
    for (const Result& result : results) {
      beyond += EditsBeyond(waiting_.front(), result.work);
      waiting_bytes_ -= sizeof(Submitted) + waiting_.front();
      waiting_.pop_front();
    }
    Charge(beyond);
    session_.OnResults(results);
  });
}

void Connection::OnTrouble(absl::Status status) {
  Post([this, status = std::move(status)] { session_.OnTrouble(status); });
}

void Connection::OnMoved() {
  Post([this] { session_.OnMoved(); });
}

void Connection::OnRoom() {
  Post([this] { held_back_ = false; });
}

void Connection::OnLimit(absl::string_view what) {
  Post([this, what = std::string(what)] { GiveUp(what); });
}

void Connection::Advance() {
  if (transport_ == nullptr) return;
  if (auto edits = session_.TakeSubmitted(); !edits.empty()) Submit(std::move(edits));
  // Whoever owes is read for no sooner because they come again.
  const bool rests = !device_.empty() && !greeted_ && Clock::now() < rests_until_;
  if (!writing_ && !rests) {
    sync::v1::ServerFrame frame;
    // What is read for it at its own pace is charged, what it has missed included; not what
    // others write.
    Charging([&] {
      const bool first = !device_.empty() && !std::exchange(greeted_, true);
      return session_.Next(&frame) && (first || session_.catching_up());
    });
    if (frame.frame_case() != sync::v1::ServerFrame::FRAME_NOT_SET) Write(std::move(frame));
  }
  if (session_.closed()) {
    if (!writing_) End();
    return;
  }
  Wake();
  if (reading_ || held_back_) return;
  if (waiting_bytes_ >= static_cast<size_t>(hub_.limits_.backlog_bytes_max)) return;
  held_back_ = !hub_.MayRead(shared_from_this(), device_);
  if (!held_back_) Read();
}

void Connection::Submit(std::vector<Submitted> edits) {
  int64_t charged = 0;
  for (const Submitted& submitted : edits) {
    waiting_.push_back(BytesKept(submitted.edit));
    waiting_bytes_ += sizeof(submitted) + waiting_.back();
    charged += EditsFor(waiting_.back());
  }
  Charge(charged);
  hub_.Submit(
      device_,
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
  hub_.observer_.OnSessionOpened(session_.device());
  hub_.Seen(session_.device());
  device_ = session_.device_record();
  transport_->Proved();
  rests_until_ = hub_.admission_.Charge(device_, 0, Clock::now());
  const auto oldest = hub_.admission_.Prove(shared_from_this(), device_);
  if (oldest != nullptr) oldest->OnLimit("streams");
}

void Connection::Charge(int64_t edits) {
  if (device_.empty() || edits == 0) return;
  rests_until_ = hub_.admission_.Charge(device_, edits, Clock::now());
}

template <typename F>
void Connection::Charging(F work) {
  const auto before = TimeOfThread();
  if (work()) Charge(EditsFor(TimeOfThread() - before));
}

void Connection::Wake() {
  const int64_t at_ms = session_.wakes_at_ms();
  const int64_t now_ms = hub_.environment_.now_ms();
  // What is due is looked at when the write is done.
  if (at_ms == wakes_at_ms_ || at_ms <= now_ms) return;
  wakes_at_ms_ = at_ms;
  wake_.expires_after(std::chrono::milliseconds(std::min(at_ms - now_ms, kWakeMsMax)));
  wake_.async_wait([self = shared_from_this()](const std::error_code& put_off) {
    if (put_off) return;
    self->wakes_at_ms_ = 0;
    self->Advance();
  });
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
  const absl::Status refused = Refuse(sync::v1::LIMIT_REACHED, what);
  session_.OnTrouble(device_.empty() ? ComeBackIn(kCrowdMs, refused) : refused);
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
  if (!device_.empty()) {
    hub_.observer_.OnSessionEnded(session_.device());
    hub_.Seen(session_.device());  // streams last for weeks
  }
  rest_.cancel();
  deadline_.cancel();
  wake_.cancel();
  std::exchange(transport_, nullptr)->Finish();
}

Hub::Hub(Store* store, Ingest* ingest, Environment environment, const Limits& limits,
         Observer* observer)
    : store_(*store),
      ingest_(*ingest),
      environment_(std::move(environment)),
      limits_(limits),
      observer_(*observer),
      admission_(limits),
      readers_(std::max(2u, std::thread::hardware_concurrency())) {
  store_.Watch(this);
}

Hub::~Hub() {
  Stop();
  store_.StopWatching(this);
}

void Hub::Stop() {
  readers_.join();
  writer_.join();
}

std::shared_ptr<Connection> Hub::Connect(Transport* transport) {
  return std::make_shared<Connection>(this, transport);
}

absl::Status Hub::Write(absl::FunctionRef<absl::Status(Writer&)> body) {
  absl::Status status;
  absl::Notification done;
  asio::post(writer_, [&] {
    status = store_.Write(body);
    TellOfMoved();
    done.Notify();
  });
  done.WaitForNotification();
  return status;
}

absl::StatusOr<sync::v1::DeliverReply> Hub::Deliver(absl::string_view sealed,
                                                    absl::string_view address) {
  absl::StatusOr<sync::v1::DeliverReply> reply = TakeDelivery(sealed, address);
  const sync::v1::Reason reason =
      reply.ok() ? reply->refusal().reason() : ReasonOf(reply.status()).reason;
  if (reason != sync::v1::NO_REASON) observer_.OnRefused(reason, DeviceNumber());
  return reply;
}

absl::StatusOr<sync::v1::DeliverReply> Hub::TakeDelivery(absl::string_view sealed,
                                                         absl::string_view address) {
  const auto now = Admission::Clock::now();
  if (!admission_.MayTry(address, now)) return Refuse(sync::v1::LIMIT_REACHED, "couriers");
  const Unseen unseen{environment_.now_ms(), limits_.reauthenticate_days * kDayMs};
  const absl::StatusOr<Delivery> delivery = OpenBundle(store_, sealed, unseen);
  // Opening it is work, whatever comes out.
  const int64_t opened = EditsFor(sealed.size());
  if (!delivery.ok() || !admission_.MayCarry(delivery->device, now)) {
    admission_.ChargeTry(address, opened, now);
    RETURN_IF_ERROR(delivery.status());
    return Refuse(sync::v1::LIMIT_REACHED, "couriers");
  }
  const auto edits = static_cast<int64_t>(delivery->edits.size());
  admission_.ChargeCarried(delivery->device, opened + edits, now);
  absl::StatusOr<std::vector<Result>> results = std::vector<Result>();
  if (!delivery->edits.empty()) {
    absl::Notification committed;
    Submit(delivery->device, Collect(&results, delivery->edits.size(), &committed),
           delivery->edits);
    committed.WaitForNotification();
  }
  RETURN_IF_ERROR(results.status());
  int64_t beyond = 0;
  for (size_t i = 0; i < results->size(); ++i) {
    beyond += EditsBeyond(delivery->edits[i].edit.edit().size(), (*results)[i].work);
  }
  admission_.ChargeCarried(delivery->device, beyond, now);
  return ReplyTo(*delivery, *results);
}

absl::Status Hub::MayTryCode(absl::string_view address) {
  if (admission_.MayTry(address, Admission::Clock::now())) return absl::OkStatus();
  observer_.OnRefused(sync::v1::LIMIT_REACHED, DeviceNumber());
  return Refuse(sync::v1::LIMIT_REACHED, "codes");
}

void Hub::WrongCode(absl::string_view address) {
  admission_.ChargeTry(address, kEditsPerWrongCode, Admission::Clock::now());
}

void Hub::Submit(const Id& whose, Turns::OnCommitted on_committed, std::vector<Submitted> edits) {
  absl::MutexLock lock(&mutex_);
  turns_.Add(whose, std::move(on_committed), std::move(edits));
  if (std::exchange(committing_, true)) return;
  asio::post(writer_, [this] { CommitQueued(); });
}

void Hub::CommitQueued() {
  Turns::Group group;
  {
    absl::MutexLock lock(&mutex_);
    group = turns_.Take();
    committing_ = !turns_.empty();
    if (committing_) asio::post(writer_, [this] { CommitQueued(); });
  }
  CommitGroup(group);
  TellOfRoom();
}

void Hub::CommitGroup(const Turns::Group& group) {
  const auto began = Admission::Clock::now();
  const absl::StatusOr<std::vector<Result>> results = ingest_.Commit(store_, group.edits);
  if (!results.ok()) return CommitEach(group);
  std::vector<uint64_t> work;
  auto result = results->begin();
  for (const Turns::Part& part : group.parts) {
    const auto end = result + static_cast<std::ptrdiff_t>(part.edits);
    uint64_t& sum = work.emplace_back();
    for (auto it = result; it != end; ++it) sum += it->work;
    (*part.on_committed)(std::vector<Result>(result, end));
    result = end;
  }
  REQUIRE(result == results->end());
  TellOfMoved();
  const auto took = Admission::Clock::now() - began;
  observer_.OnCommitted(group.edits.size(), took);
  absl::MutexLock lock(&mutex_);
  turns_.Took(group, work, took);
}

// What the device has sent after an edit that cannot be written was written upon it: it
// offers all of that again.
void Hub::CommitEach(const Turns::Group& group) {
  absl::flat_hash_map<DeviceNumber, absl::Status> troubled;
  absl::flat_hash_map<std::shared_ptr<const Turns::OnCommitted>, absl::Status> told;
  const absl::Span<const Submitted> edits(group.edits);
  size_t begin = 0;
  for (const Turns::Part& part : group.parts) {
    const DeviceNumber device = edits[begin].device;
    absl::Status& trouble = troubled[device];
    if (trouble.ok()) trouble = CommitEach(*part.on_committed, edits.subspan(begin, part.edits));
    begin += part.edits;
    if (trouble.ok()) continue;
    told.emplace(part.on_committed, trouble);
    absl::MutexLock lock(&mutex_);
    for (auto& dropped : turns_.Drop(part.whose, device)) told.emplace(std::move(dropped), trouble);
  }
  for (const auto& [on_committed, trouble] : told) (*on_committed)(trouble);
}

absl::Status Hub::CommitEach(const Turns::OnCommitted& told, absl::Span<const Submitted> edits) {
  for (const Submitted& submitted : edits) {
    absl::StatusOr<std::vector<Result>> results = ingest_.Commit(store_, {&submitted, 1});
    if (!results.ok()) {
      observer_.OnTrouble({.what = Trouble::What::kEdit,
                           .status = results.status(),
                           .device = submitted.device,
                           .edit = EditNumber(submitted.edit.number())});
      return results.status();
    }
    told(*std::move(results));
    TellOfMoved();
  }
  return absl::OkStatus();
}

bool Hub::MayRead(const std::shared_ptr<Connection>& connection, const Id& whose) {
  absl::MutexLock lock(&mutex_);
  if (HasRoom(whose)) return true;
  held_back_.push_back({connection, whose});
  return false;
}

bool Hub::HasRoom(const Id& whose) const {
  if (whose.empty()) return true;  // who is unproven has no edits
  const auto most = static_cast<size_t>(limits_.backlog_bytes_all_max);
  if (!turns_.Holds(whose)) return turns_.bytes() < most;
  return turns_.bytes() < most / 2 && turns_.work() < kBacklogMax;
}

// Those with nothing queued first.
void Hub::TellOfRoom() {
  std::vector<std::shared_ptr<Connection>> told;
  {
    absl::MutexLock lock(&mutex_);
    const size_t most = turns_.empty() ? held_back_.size() : kToldAtOnce;
    for (const bool queued : {false, true}) {
      std::erase_if(held_back_, [&](const HeldBack& held) {
        mutex_.AssertHeld();
        if (told.size() >= most || turns_.Holds(held.whose) != queued) return false;
        if (!HasRoom(held.whose)) return false;
        if (auto connection = held.connection.lock()) told.push_back(std::move(connection));
        return true;
      });
    }
  }
  for (const auto& connection : told) connection->OnRoom();
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
  const absl::Status status =
      store_.Write([&](Writer& writer) { return NoteSeen(writer, ingest_, seen); });
  if (!status.ok()) observer_.OnTrouble({.what = Trouble::What::kSeen, .status = status});
  TellOfMoved();
}

void Hub::OnMoved(const absl::flat_hash_set<Id>& scopes) {
  absl::MutexLock lock(&mutex_);
  if (moved_.empty()) asio::post(writer_, [this] { TellOfMoved(); });
  moved_.insert(scopes.begin(), scopes.end());
}

std::vector<Id> Hub::Followed() {
  absl::MutexLock lock(&mutex_);
  std::vector<Id> followed;
  for (const auto& [scope, followers] : followers_) followed.push_back(scope);
  return followed;
}

void Hub::TellOfMoved() {
  std::set<std::shared_ptr<Connection>> told;
  {
    absl::MutexLock lock(&mutex_);
    for (const Id& scope : std::exchange(moved_, {})) {
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
