// Syncs a store with its server over gRPC.
//
//   RETURN_IF_ERROR(Enrol(store.get(), "zhibu1/…", "李的手机"));   // once
//   Syncer syncer(store.get());
//   absl::Status status = syncer.SyncOnce(absl::Seconds(30));
//
// or, while an app is open, `Run` and `Stop`: it stays connected, receives what
// others do as they do it, sends what the app commits, and connects again when
// the link comes back. While nothing happens it sleeps: what this process commits
// wakes it, and so does the server; for what other processes commit to the same file
// see `Options::look` and `Look`.
//
// UNAVAILABLE means offline, which is a state and not a fault: nothing is lost
// and the next attempt goes on where this one stopped. CANCELLED: Stop was called
// before it was done; of that Store::State tells nothing, as stopped is not synced. The
// other codes are those of sync/base/reason.h, and Store::State tells the outcome.
//
// Threads: calls of one Syncer must not overlap, but for Stop, Hurry and Look, which any
// thread may call. The store's other users are not held up. What was stopped stays stopped: to
// go on, make another Syncer.
#ifndef ZHIBU_CLIENT_CORE_TRANSPORT_SYNCER_H_
#define ZHIBU_CLIENT_CORE_TRANSPORT_SYNCER_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "client-core/sessions.h"
#include "client-core/store/store.h"
#include "zhibu/sync/v1/sync.pb.h"

namespace zhibu::client {

// Makes this device known to the server, by a one-time code. The key is made
// here and stays here. ALREADY_EXISTS: enrolled before.
absl::Status Enrol(Store* store, absl::string_view ticket, absl::string_view device_name,
                   absl::Duration timeout = absl::Seconds(30));

// Hands over what somebody else's device has exported (client-core/courier.h), to the
// server with that certificate. Needs no device. To be called again where it failed
// midway: what comes twice is taken once.
struct Delivered {
  std::string receipts;       // a file for the author's device
  sync::v1::Refusal refusal;  // why not all of it was taken; NO_REASON: it was
};
absl::StatusOr<Delivered> Deliver(absl::string_view bundles, const std::string& address,
                                  const std::string& fingerprint,
                                  absl::Duration timeout = absl::Seconds(30));

struct SyncerOptions {
  // How often to look whether another process has committed to the same file. A file
  // that one process has open needs no looking.
  absl::Duration look = absl::InfiniteDuration();
  // A path that died in silence is noticed after so long without a word, and so long
  // without an answer to a ping. A server takes no more than one ping in half a minute.
  absl::Duration ping = absl::Minutes(1);
  absl::Duration pong = absl::Seconds(20);
};

class Syncer {
 public:
  explicit Syncer(Store* store, SyncerOptions options = {});
  ~Syncer();

  // Until everything is sent, answered and received.
  absl::Status SyncOnce(absl::Duration timeout);

  // Asks for records that are not held here, and are not held afterwards: what an
  // officer looks at below their organisation, or of one member (zhibu.sync.v1.Ask).
  // `on_page` is given them as they come; false: it has enough. OK: it has, or that was
  // the last page.
  absl::Status Ask(sync::v1::Ask ask, absl::FunctionRef<bool(const sync::v1::Page&)> on_page,
                   absl::Duration timeout);

  // Stays connected until Stop; `on_change` is told the outcome of each attempt
  // and each time the device is in step with the server (OK).
  void Run(const std::function<void(const absl::Status&)>& on_change);
  void Stop();
  // There may be a network again, or somebody asks for it: an attempt is not waited for.
  void Hurry();
  // Another process has committed to the same file, as the app has heard otherwise.
  void Look();

 private:
  class Stream;
  // What `sessions` advise, until they are done, `enough` says so, or Stop. `enough` is asked
  // whenever something has happened; `on_change`: see Run.
  absl::Status Follow(Sessions* sessions, absl::Time deadline, absl::FunctionRef<bool()> enough,
                      const std::function<void(const absl::Status&)>& on_change);
  std::unique_ptr<Stream> Open(const Advice& advice, absl::Time deadline);
  // What has come, and the end. False once Stop was called.
  bool Hear(Sessions* sessions, Stream* stream);
  // Until there is something to do. `commits`: of others, as far as they have been looked through.
  void Rest(absl::Time until, const absl::StatusOr<int64_t>& commits);
  // False once Stop was called; no longer than until Hurry.
  bool Sleep(int64_t ms);
  // Whether Hurry was called since.
  bool TakeHurry();

  Store& store_;
  const SyncerOptions options_;
  struct Shared;
  const std::shared_ptr<Shared> shared_;
};

}  // namespace zhibu::client

#endif  // ZHIBU_CLIENT_CORE_TRANSPORT_SYNCER_H_
