// How the processes on one database learn what the others have moved.
//
//   who writes     → Told(moved) → NOTIFY, from a thread of its own, once it is committed
//   who listens    ← LISTEN      → on_moved, in a millisecond or two
//   and as a net   every few seconds: the versions of the scopes that somebody follows
//
// A process that dies between its COMMIT and its NOTIFY, a connection that breaks, a database that
// knows no LISTEN: the net finds what was not told. It asks for as many rows as scopes are followed
// here, and tells only of those that are further than anybody has said.
#ifndef ZHIBU_SERVER_STORE_POSTGRESQL_LISTENER_H_
#define ZHIBU_SERVER_STORE_POSTGRESQL_LISTENER_H_

#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "server/store/postgresql/connection.h"
#include "sync/base/types.h"

namespace zhibu::server::postgresql {

using Moves = absl::flat_hash_map<Id, Version>;

class Listener {
 public:
  struct Options {
    std::string where;
    std::string self;  // which process's word is its own
    absl::Duration look_every;
    // Called on the listener's thread.
    std::function<void(const absl::flat_hash_set<Id>&)> on_moved;
    std::function<std::vector<Id>()> followed;
  };

  explicit Listener(Options options);
  ~Listener();
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  // What this process has committed: the others are told soon.
  void Told(const Moves& moved);

 private:
  void Run();
  absl::Status Connect();
  absl::Status ListenOnce();
  absl::Status TellOthers();
  absl::Status Look();
  void Hear(const std::vector<std::string>& payloads);
  void Wake();

  const Options options_;
  const int wake_;  // an eventfd
  absl::Mutex mutex_;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  Moves untold_ ABSL_GUARDED_BY(mutex_);
  Moves known_ ABSL_GUARDED_BY(mutex_);  // how far each followed scope is known to be
  // On the thread.
  std::unique_ptr<Connection> connection_;
  std::string channel_;
  absl::Time looked_ = absl::InfinitePast();
  std::thread thread_;
};

// As they travel: "self id:version id:version …", each short enough for NOTIFY.
std::vector<std::string> PayloadsOf(const std::string& self, const Moves& moved);
// Nothing where it is the process's own word, or no word of ours.
Moves MovesIn(const std::string& payload, const std::string& self);

}  // namespace zhibu::server::postgresql

#endif  // ZHIBU_SERVER_STORE_POSTGRESQL_LISTENER_H_
