// The device's side of one conversation with the server, as a state machine
// without I/O: it asks the store, and says what to send.
//
//   Session session(&store);
//   session.Start();
//   while (session.Next(&frame)) send(frame);     // until it has nothing to say
//   session.OnFrame(received);                    // then Next again
//
// synced = everything was sent and answered, and everything was received
//
// A device that is out of service (Welcome.service) sends what it has not sent, for
// review, takes the answers, and leaves; one that was lost has removed what it held
// before it sends anything, and removes its keys last. Broken off anywhere, the next
// session goes on with it.
//
// What is sent has been stamped by this device's clock, put right by what the Challenge
// says. Where that clock was set since, the session begins again before it sends more.
//
// Calls must not overlap. After closed() the transport ends the stream; when the
// session says again(), a new one should be started at once.
#ifndef ZHIBU_CLIENT_CORE_SESSION_H_
#define ZHIBU_CLIENT_CORE_SESSION_H_

#include <deque>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "client-core/store/store.h"
#include "sync/base/environment.h"
#include "sync/wire/compression.h"
#include "zhibu/sync/v1/sync.pb.h"

namespace zhibu::client {

class Session {
 public:
  explicit Session(Store* store, std::string app = "zhibu");

  // NOT_FOUND: the device is not enrolled.
  absl::Status Start();
  // It may be compressed.
  void OnFrame(const sync::v1::ServerFrame& frame);
  // False where there is nothing to send now. Ask again after OnFrame and after
  // the app has committed something.
  bool Next(sync::v1::ClientFrame* frame);

  // About records that are not held here (zhibu.sync.v1.Ask); sent once the session is
  // open, and answered by a page, in the order of the questions.
  // A reason that no server would take is refused by a page at once.
  void Ask(sync::v1::Ask ask);
  std::optional<sync::v1::Page> TakePage();

  bool closed() const { return state_ == State::kClosed; }
  bool again() const { return again_; }
  // Everything received, and everything sent so far answered.
  bool caught_up() const { return in_service_ && done(); }
  // Why the session closed: a refusal, or a failure of the store.
  const absl::Status& status() const { return status_; }

 private:
  enum class State { kIdle, kHello, kProof, kOpen, kClosed };

  bool done() const { return state_ == State::kOpen && caught_up_ && unanswered_.empty(); }
  void OnRefusal(const sync::v1::Refusal& refusal);
  void OnChallenge(const sync::v1::Challenge& challenge);
  void OnWelcome(const sync::v1::Welcome& welcome);
  // `bytes`: that the frame has on the way.
  void TakeFrame(const sync::v1::ServerFrame& frame, size_t bytes);
  void OnUpdate(const sync::v1::Update& update, size_t bytes);
  void OnWholeUpdate(const sync::v1::Update& update, size_t bytes);
  void OnRenumber(const sync::v1::Renumber& renumber);
  void OnCompressed(const std::string& compressed, size_t bytes);
  void Push();
  void Leave();
  void BeginAgain(absl::Status stored);
  void Close(absl::Status status);

  Store& store_;
  const std::string app_;
  State state_ = State::kIdle;
  std::deque<sync::v1::ClientFrame> out_;
  std::string hello_;  // as it is signed
  std::string secret_key_;
  std::string fingerprint_;  // see Identity
  // The parts of an update that goes on in the next frame (Update.continues).
  sync::v1::Update parts_;
  size_t parts_bytes_ = 0;
  size_t parts_came_ = 0;  // bytes that they had on the way
  EditNumber sent_;
  std::map<uint64_t, uint64_t> unanswered_;  // links of those sent; answers come in any order
  std::deque<sync::v1::Ask> asks_;
  std::deque<sync::v1::Page> pages_;
  int64_t began_ms_ = 0;             // by Environment::SteadyMs
  std::optional<ClockWatch> clock_;  // since the server's was compared with it
  Compressor compressor_;
  bool compresses_ = false;  // both sides have said that they may
  bool in_service_ = true;
  bool left_ = false;
  bool caught_up_ = false;
  bool again_ = false;
  absl::Status status_;
};

}  // namespace zhibu::client

#endif  // ZHIBU_CLIENT_CORE_SESSION_H_
