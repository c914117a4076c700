// One device's conversation with the server, as a state machine without I/O.
//
//   frames in  → OnFrame, then TakeSubmitted: edits for the ingest queue
//   answers in → OnResults, once the batch is committed
//   moved out  ← TakeMoved: scopes in which it has written of itself
//   news       → OnMoved: some scope has moved
//   frames out ← Next, whenever the transport can write one
//
// Next builds an update only when the transport asks for it, so a device that
// reads slowly costs one frame of memory, not a queue.
//
// What the device holds and is sent next is told by CatchUp (server/sessions/catch_up.h). What the
// device may not see does not exist for it: where there is nothing else, no frame is sent.
//
// Sensitive fields leave only once it is written down who is given them (server/
// access.h).
//
// A record that is damaged is left out of what is sent, and that is written down first
// (server/feed/damage.h): everything is read anew once it is mended.
//
// A device that is out of service has no offices: what it holds is taken away as
// from anybody who may no longer see it. It is heard until it has nothing unsent.
//
// Calls must not overlap: the host keeps each session on a strand of its own.
#ifndef ZHIBU_SERVER_SESSIONS_SESSION_H_
#define ZHIBU_SERVER_SESSIONS_SESSION_H_

#include <cstdint>
#include <deque>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "server/authority/authority.h"
#include "server/base/observer.h"
#include "server/feed/sent.h"
#include "server/ingest/ingest.h"
#include "server/sessions/access.h"
#include "server/sessions/as_made.h"
#include "server/sessions/ask.h"
#include "server/sessions/catch_up.h"
#include "server/store/store.h"
#include "sync/base/environment.h"
#include "zhibu/sync/v1/sync.pb.h"

namespace zhibu::server {

struct SessionLimits {
  size_t update_bytes = 256 << 10;  // an update grows to about this
  // One change may be larger than that: then the update goes in as many frames, each of at
  // most this and one record.
  size_t frame_bytes = 2 << 20;
  int push_edits_max = 1000;              // in one frame
  size_t message_bytes_max = 4 << 20;     // of a frame that came compressed, its content
  size_t compressed_fields_max = 16'000;  // of its frame, push and edits
  bool compress = true;                   // with devices that can
  size_t hello_bytes_max = 256 << 10;
  size_t ask_bytes_max = 4 << 10;
  int renumbered_max = 60;    // times that a device may fork, in an hour
  int64_t unseen_ms_max = 0;  // then a device must be authenticated again; 0: never
};

class Session {
 public:
  Session(Store* store, const Ingest* ingest, Environment environment, SessionLimits limits = {},
          Observer* observer = Observer::None());

  void OnFrame(const sync::v1::ClientFrame& frame);
  // A frame that could not be used at all: not a message, or too large.
  void OnGarbage(absl::string_view what);
  void OnResults(const std::vector<Result>& results);
  // The batch could not be committed: the device will offer it again.
  void OnTrouble(const absl::Status& status);
  void OnMoved() { moved_ = true; }

  // Edits to commit, in order; each is answered by OnResults.
  std::vector<Submitted> TakeSubmitted();
  // False where there is nothing to say now.
  bool Next(sync::v1::ServerFrame* frame);

  // Nothing more will be said, and nothing more is heard.
  bool closed() const { return state_ == State::kClosed && out_.empty(); }
  // What the device was told last.
  bool catching_up() const { return catching_up_; }
  DeviceNumber device() const { return device_.number; }
  // The same under whatever number the device goes.
  const Id& device_record() const { return device_.record; }
  // Once this time is reached the device may hold more or less than before, though nothing
  // has moved: Next must be asked again.
  int64_t wakes_at_ms() const;
  // Those whose moves it wants to hear of, ascending.
  std::vector<Id> Scopes() const { return catch_up_.Scopes(); }

 private:
  enum class State { kHello, kProof, kOpen, kClosed };

  void OnHello(const std::string& bytes);
  void OnProof(const sync::v1::Proof& proof);
  void OnPush(const sync::v1::Push& push);
  void OnAsk(const sync::v1::Ask& ask);
  void OnLeave();
  void OnCompressed(const std::string& compressed);
  void Refuse(sync::v1::Reason reason, absl::string_view detail);
  void End(const absl::Status& refused);
  void Renumber();
  void MakeUpdate();
  void Send(sync::v1::Update update);

  absl::Status CheckHello(const std::string& bytes);
  absl::Status Open(Reader& reader);
  absl::Status ReadAnswers(Reader& reader);
  void AddAnswer(const Answered& answered);
  absl::Status CountRenumbering(Writer& writer) const;
  absl::Status RefreshOffices(Reader& reader);
  absl::Status BuildUpdate(Reader& reader, sync::v1::Update* update, Disclosures* disclosures,
                           std::vector<RecordKey>* passed_over);
  absl::Status Log(Way way, const Disclosures& disclosures);
  // Gives the version of what each of them changed.
  std::vector<Version> AddAnswers(Version cut, sync::v1::Update* update);

  Store& store_;
  const Ingest& ingest_;
  const Schema& schema_;
  const Environment environment_;
  const SessionLimits limits_;
  Observer& observer_;

  State state_ = State::kHello;
  std::deque<sync::v1::ServerFrame> out_;
  std::optional<ClockWatch> clock_;  // since the device was told the time
  std::string hello_bytes_;          // as they were signed
  sync::v1::Hello hello_;
  std::string nonce_;
  std::string fingerprint_;  // of the certificate that devices know the server by
  DeviceRow device_;
  std::string incarnation_;
  CatchUp catch_up_;
  KnownTree tree_;  // of the organisation that was last asked for
  std::shared_ptr<const Sent> sent_;
  std::vector<Submitted> submitted_;
  // Those handed out and not yet answered, in order.
  struct OnTheWay {
    EditNumber number;
    uint64_t previous = 0;
    bool repeated = false;  // the device has the answer, or will have it, and asks again
  };
  std::deque<OnTheWay> on_the_way_;
  EditNumber pushed_;                // the highest
  std::vector<EditNumber> repeats_;  // to be answered again
  EditNumber unasked_;               // up to here the device has said that it has the answers
  EditNumber heard_;                 // up to here the audit's answers have been read
  std::deque<Result> answers_;       // those that wait for their changes
  std::vector<Id> persons_;          // the entries of the device's owner in the register
  Version offices_at_;               // OfficesVersion of these, which the audiences follow
  int64_t offices_valid_until_ms_ = 0;
  bool moved_ = false;
  AsMade as_made_;
  bool compresses_ = false;         // both sides have said that they may
  bool greeted_ = false;            // the first update has been made
  bool catching_up_ = false;        // what the device was last told
  std::optional<OnTheWay> forked_;  // see Result::forked
};

}  // namespace zhibu::server

#endif  // ZHIBU_SERVER_SESSIONS_SESSION_H_
