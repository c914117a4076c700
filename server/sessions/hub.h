// Where sessions meet the store: threads, queues, and who is told of what.
//
//   transport ─frames→ Connection (a strand each) ─edits→ writer (one at a time)
//   transport ←frames─ Connection ←─answers, "your scope has moved"──┘
//
// A transport is told what to write only when the last write is done, so a slow
// reader holds back itself and nobody else, and is given up after a time. Reading
// goes on only while a connection has little waiting to be committed, all of them together
// not too much, and its device keeps to its pace (server/sessions/limits.h). The writer takes from
// each device in turn (server/sessions/turns.h).
#ifndef ZHIBU_SERVER_SESSIONS_HUB_H_
#define ZHIBU_SERVER_SESSIONS_HUB_H_

#include <asio/steady_timer.hpp>
#include <asio/strand.hpp>
#include <asio/thread_pool.hpp>
#include <chrono>
#include <deque>
#include <limits>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "server/base/observer.h"
#include "server/ingest/ingest.h"
#include "server/sessions/admission.h"
#include "server/sessions/limits.h"
#include "server/sessions/session.h"
#include "server/sessions/turns.h"

namespace zhibu::server {

// One stream, as seen from a Connection. Calls come from one strand, and none
// after Finish. The transport must live until then.
class Transport {
 public:
  virtual ~Transport() = default;
  virtual void Read() = 0;  // → Connection::OnFrame, OnGarbage or OnGone
  virtual void Write(sync::v1::ServerFrame frame) = 0;  // → OnWritten or OnGone
  virtual void Cancel() = 0;                            // → OnGone
  virtual void Proved() = 0;  // a device has proved that the stream is its own
  virtual void Finish() = 0;
};

class Hub;

class Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(Hub* hub, Transport* transport);

  // Any thread may call these; they return at once.
  void Start();
  void OnFrame(sync::v1::ClientFrame frame);
  void OnGarbage(std::string what);
  void OnWritten();
  void OnGone();
  void OnResults(std::vector<Result> results);
  void OnTrouble(absl::Status status);
  void OnMoved();
  // It was held back, and the hub has room again.
  void OnRoom();
  // The stream is to end, because it takes more of the server than it may.
  void OnLimit(absl::string_view what);

 private:
  friend class Hub;
  using Clock = Admission::Clock;

  template <typename F>
  void Post(F work);
  // What follows from anything that has happened: edits to the writer, a frame
  // to the transport, the next read, the end.
  void Advance();
  void Submit(std::vector<Submitted> edits);
  void Write(sync::v1::ServerFrame frame);
  void Read();
  void Prove();
  void Charge(int64_t edits);
  // Does the work, and charges the device for what it costs.
  template <typename F>
  void Charging(F work);
  // Looks again once the session says so.
  void Wake();
  void Follow();
  // The stream ends unless `deadline_` is put off in time.
  void Expect(std::chrono::seconds patience);
  void GiveUp(absl::string_view what);
  void End();

  Hub& hub_;
  asio::strand<asio::thread_pool::executor_type> strand_;
  // All on the strand.
  Session session_;
  Transport* transport_;
  bool reading_ = false;
  bool writing_ = false;
  // Bytes of the edits handed to the writer and not yet answered, edit by edit.
  std::deque<size_t> waiting_;
  size_t waiting_bytes_ = 0;
  Id device_;  // once it has proved itself
  Clock::time_point rests_until_;
  bool greeted_ = false;  // it has been read for since it proved itself
  bool resting_ = false;
  bool held_back_ = false;  // by the hub, which will say when there is room
  asio::steady_timer rest_;
  asio::steady_timer deadline_;
  asio::steady_timer wake_;
  int64_t wakes_at_ms_ = std::numeric_limits<int64_t>::max();  // what `wake_` waits for
  std::vector<Id> followed_;
};

class Hub : private Watcher {
 public:
  Hub(Store* store, Ingest* ingest, Environment environment, const Limits& limits = {},
      Observer* observer = Observer::None());
  ~Hub() override;

  std::shared_ptr<Connection> Connect(Transport* transport);

  // A transaction of the store's on the writer's thread; waits for it.
  absl::Status Write(absl::FunctionRef<absl::Status(Writer&)> body);

  // What a courier has brought, as though its author had come: committed with what
  // else is queued. Gives what is to be said to the carrier; blocks until then.
  // Refused where the bundle cannot be opened (server/sessions/courier.h), which costs `address`,
  // where it comes from, and nobody else; LIMIT_REACHED: more comes from there, or of
  // that device, than its share.
  absl::StatusOr<sync::v1::DeliverReply> Deliver(absl::string_view sealed,
                                                 absl::string_view address);

  // Whoever tries codes of enrolment from `address`. LIMIT_REACHED: too many were wrong.
  absl::Status MayTryCode(absl::string_view address);
  void WrongCode(absl::string_view address);

  // Commits what is queued, then stops. Connections must have ended.
  void Stop();

  Store& store() { return store_; }
  Ingest& ingest() { return ingest_; }
  const Environment& environment() const { return environment_; }
  Observer& observer() { return observer_; }

 private:
  friend class Connection;

  absl::StatusOr<sync::v1::DeliverReply> TakeDelivery(absl::string_view sealed,
                                                      absl::string_view address);
  // `on_committed` is told on the writer's thread, and not to be kept waiting.
  void Submit(const Id& whose, Turns::OnCommitted on_committed, std::vector<Submitted> edits);
  void CommitQueued();
  void CommitGroup(const Turns::Group& group);
  // After the group could not be written: each edit by itself, once.
  void CommitEach(const Turns::Group& group);
  // Up to the first that cannot be written, and why.
  absl::Status CommitEach(const Turns::OnCommitted& told, absl::Span<const Submitted> edits);
  // Whether to read from the connection of this device; if not, it is told when.
  bool MayRead(const std::shared_ptr<Connection>& connection, const Id& whose);
  bool HasRoom(const Id& whose) const ABSL_SHARED_LOCKS_REQUIRED(mutex_);
  void TellOfRoom();
  // Notes when the device was last here, many in one transaction.
  void Seen(DeviceNumber device);
  void WriteSeen();
  // Once the writer has done what it is at: what an edit has changed is told with its answer.
  void OnMoved(const absl::flat_hash_set<Id>& scopes) override;
  std::vector<Id> Followed() override;
  void TellOfMoved();
  void Follow(const std::shared_ptr<Connection>& connection, const std::vector<Id>& before,
              const std::vector<Id>& after);

  Store& store_;
  Ingest& ingest_;
  const Environment environment_;
  const Limits limits_;
  Observer& observer_;
  Admission admission_;

  absl::Mutex mutex_;
  Turns turns_ ABSL_GUARDED_BY(mutex_);
  bool committing_ ABSL_GUARDED_BY(mutex_) = false;
  struct HeldBack {
    std::weak_ptr<Connection> connection;
    Id whose;
  };
  std::vector<HeldBack> held_back_ ABSL_GUARDED_BY(mutex_);  // in the order in which they came
  absl::flat_hash_map<DeviceNumber, int64_t> seen_ ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_set<Id> moved_ ABSL_GUARDED_BY(mutex_);  // and nobody has been told
  absl::flat_hash_map<Id, std::set<std::weak_ptr<Connection>, std::owner_less<>>> followers_
      ABSL_GUARDED_BY(mutex_);

  asio::thread_pool readers_;
  asio::thread_pool writer_{1};
};

}  // namespace zhibu::server

#endif  // ZHIBU_SERVER_SESSIONS_HUB_H_
