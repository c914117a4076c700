// One session after another, for as long as an app wants to be in step with its server: when to
// connect, where, how long to wait after that has failed, and what is noted of each attempt. Like
// the session itself without I/O; whoever moves frames (transport/, c/zhibu.h) asks what to do:
//
//   Sessions sessions(&store, {.app = "app 1.0"});
//   while (true) {
//     const Advice advice = sessions.Advise();
//     kConnect: close the stream there is, open one; sessions.Connected()
//     kSend:    sessions.Next(&frame), send it
//     kIdle:    sessions.Receive(frame) when one comes; ask again when the app has committed
//     kWait:    close the stream there is; ask again after wait_ms
//     kDone, kStop: the end
//   }
//
//   what is noted of an attempt = what Store::State tells, whoever moved the frames
//
// The server is looked for at each of its addresses, then again after half a second, after twice
// that and so on to a minute; where a stream had been open for a minute, after half a second. Each
// is by chance up to half shorter or longer, so that devices that were cut off together come back
// apart:
//
//   wait = max(pause × 0.5…1.5, what the server asked for × 1…2)
//
// A server asks for ten minutes at most; who is told to hurry does not wait. While the store is
// suspended there is nothing to do but wait.
//
// Calls must not overlap.
#ifndef ZHIBU_CLIENT_CORE_SESSIONS_H_
#define ZHIBU_CLIENT_CORE_SESSIONS_H_

#include <cstdint>
#include <deque>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "client-core/session.h"
#include "client-core/store/store.h"
#include "zhibu/sync/v1/sync.pb.h"

namespace zhibu::client {

struct Advice {
  enum class What { kConnect, kWait, kSend, kIdle, kDone, kStop };
  What what = What::kStop;
  int64_t ms = 0;           // of kWait; of kIdle, where it has an end
  std::string address;      // of kConnect: host:port
  std::string fingerprint;  // of kConnect: of the certificate that is to be met there
  absl::Status why;         // of kWait and kStop
  uint64_t stream = 0;      // of kConnect: names it to Ended
};

// Why a stream ended, as gRPC tells it. `details`: a sync.v1.Refusal, if any.
absl::Status WhyEnded(absl::StatusCode code, absl::string_view text, absl::string_view details);

class Sessions {
 public:
  struct Options {
    std::string app = "zhibu";
    // kStay: until nobody asks any longer. kOnce: until all is sent, answered and received, or
    // that has failed. kUnnoted: as kOnce, but the end is the caller's to see, and nothing is
    // noted of it.
    enum class Mode { kStay, kOnce, kUnnoted };
    Mode mode = Mode::kStay;
    int64_t within_ms = 0;  // gives up then; 0: never
  };
  // `store` outlives it.
  Sessions(Store* store, Options options);

  Advice Advise();

  // The stream that was asked for is open. Nothing where none was.
  void Connected();
  // False where there is nothing to send now.
  bool Next(sync::v1::ClientFrame* frame);
  void Receive(const sync::v1::ServerFrame& frame);
  // The stream has ended, or could not be opened. OK: the server closed it. `stream`: as kConnect
  // named it, so that the end of one that was given up since ends no other; 0: the one there is.
  void Ended(const absl::Status& why, uint64_t stream = 0);
  // The stream is given up for no fault of anybody's: nothing is noted, and nothing waits.
  void Drop();
  // There may be a network again, or somebody wants it now: waits no longer.
  void Hurry();

  // As Session::Ask, in this session or the next: asked again where a stream was lost before the
  // answer came, and not once there was one. Pages come in the order of the questions.
  void Ask(sync::v1::Ask ask);
  std::optional<sync::v1::Page> TakePage();

  // Everything received, and everything sent so far answered.
  bool caught_up() const { return session_ && session_->caught_up(); }

 private:
  // Nothing where the conversation is over.
  std::optional<Advice> Converse();
  std::optional<Advice> Connect();
  void Fail(absl::Status status);
  void EndAttempt(absl::Status status);
  bool TimeIsUp() const { return NowMs() >= until_ms_; }
  // 0 to `most_ms`: what was cut off together comes back apart.
  int64_t ByChance(int64_t most_ms) const;
  int64_t NowMs() const { return store_.environment().SteadyMs(); }

  Store& store_;
  const Options options_;
  const int64_t until_ms_;
  std::optional<Session> session_;
  std::optional<sync::v1::ClientFrame> next_;
  std::deque<sync::v1::Ask> asks_;  // without an answer
  bool connecting_ = false;
  uint64_t stream_ = 0;  // the latest that was asked for
  bool in_step_ = false;
  size_t tried_ = 0;                     // addresses, in this attempt
  std::optional<int64_t> connected_ms_;  // its stream was open then
  int64_t pause_ms_ = 0;                 // before it
  int64_t wait_until_ms_;
  absl::Status why_;  // it waits
  std::optional<Advice> end_;
};

}  // namespace zhibu::client

#endif  // ZHIBU_CLIENT_CORE_SESSIONS_H_
