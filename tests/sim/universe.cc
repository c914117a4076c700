#include "tests/sim/universe.h"

#include <algorithm>
#include <optional>

#include "absl/strings/str_cat.h"
#include "server/feed/incarnation.h"
#include "server/figures/making.h"
#include "server/identity/enrolment.h"
#include "server/ingest/passage.h"
#include "sync/base/reason.h"
#include "sync/base/status.h"
#include "sync/crypto/handshake.h"
#include "sync/merge/own_edit.h"
#include "tests/sim/hostile.h"
#include "tests/support/unpacked.h"

namespace zhibu::sim {

using sync::v1::ClientFrame;
using sync::v1::ServerFrame;

namespace {

// Enough for any session; more is a conversation that never ends.
constexpr int kMovesMax = 20'000;
constexpr int kSessionsMax = 8;
// That an honest device waits for, beside one for each of its edits.
constexpr uint64_t kTurnsMax = 4;
// What the writer takes for a unit of work (Result::work), on a slow machine.
constexpr server::Turns::Duration kTimeOfWork = std::chrono::microseconds(20);
// Units for each so many bytes.
constexpr size_t kCostBytes = 128;
constexpr uint64_t kCostMax = 2000;
constexpr int64_t kUnseenMsMax = int64_t{60} * 86'400'000;

uint64_t SaltOf(const std::string& bytes) {
  sync::v1::Edit edit;
  return edit.ParseFromString(bytes) ? edit.salt() : 0;
}

}  // namespace

Universe::Universe(const Options& options)
    : dice_(options.seed ^ 0x5bd1e995), server_(options.seed * 31 + 7, &now_ms_) {
  SeedSqlite(options.seed);
  server_.observer = &watch_;
  old_clients = options.Has(Act::kOldClient);
  server_.old = options.Has(Act::kOldServer);
  if (!OpenServer().ok()) ledger_.Fail(kIntegrity, "the server cannot be opened");
  Found(options.devices);
  if (options.Has(Act::kHostile)) {
    for (const Id& person : people_) hostiles_.push_back(std::make_unique<Hostile>(this, person));
  }
}

Universe::~Universe() { HangUpAll(); }  // before the stores that they use

void Universe::HangUpAll() {
  for (const auto& device : devices_) HangUp(*device);
  for (const auto& hostile : hostiles_) hostile->HangUp();
  stranded_.clear();
}

absl::Status Universe::OpenServer() {
  ledger_.ServerRuns(server_.old);
  absl::Status status = server_.Open();
  if (!status.ok() && !server_.disk.dead()) {
    server_.disk.Mend();
    status = server_.Open();
  }
  if (status.ok()) status = TakePlace();
  if (!status.ok()) return status;
  return server_.disk.Quietly(
      [&] { return server::BeginSums(*server_.store, rules::ShippedBook()); });
}

absl::Status Universe::BeginServer(bool restored) {
  RETURN_IF_ERROR(server::EnsureIncarnation(*server_.store, *server_.schema(),
                                            server_.environment(), restored));
  return server::BeginSums(*server_.store, rules::ShippedBook());
}

// ---- Streams -------------------------------------------------------------------

void Universe::Connect(Device& device) {
  if (device.stream != nullptr || device.away_until_ms > now_ms_ || device.store == nullptr ||
      server_.store == nullptr) {
    return;
  }
  // One that was not seen for long is given a code.
  const auto state = device.store->State();
  if (state.ok() && state->problem == sync::v1::REAUTHENTICATE) Enrol(device);
  // To one that does not find the server the operator gives a code, too.
  if (!Finds(device)) return Enrol(device);
  // Small updates, so that catching up takes several.
  const size_t update_bytes = dice_.OneIn(3) ? 256 << 10 : 50 + dice_.Below(2000);
  auto stream =
      std::make_unique<Stream>(++streams_made_, &device, &server_, LimitsOf(update_bytes));
  const absl::Status status = stream->client.Start();
  // One that was lost has been found, and the operator gives it a code.
  if (ReasonOf(status).reason == sync::v1::DEVICE_WIPED) return Enrol(device);
  if (!status.ok()) return Reap();
  ++stats.sessions;
  device.stream = stream.get();
  streams_[stream->id] = std::move(stream);
}

server::SessionLimits Universe::LimitsOf(size_t update_bytes) {
  server::SessionLimits limits;
  limits.unseen_ms_max = kUnseenMsMax;
  limits.update_bytes = update_bytes;
  return limits;
}

void Universe::HangUp(Device& device) {
  if (device.stream == nullptr) return;
  const uint64_t id = device.stream->id;
  device.stream = nullptr;
  questions_.erase(id);
  streams_.erase(id);
}

void Universe::Strand(Device& device) {
  if (device.stream == nullptr) return;
  questions_.erase(device.stream->id);
  const auto it = streams_.find(device.stream->id);
  stranded_.push_back(std::move(it->second));
  streams_.erase(it);
  device.stream = nullptr;
}

void Universe::DeliverStranded(Dice* dice) {
  if (stranded_.empty()) return;
  const size_t which = dice->Below(stranded_.size());
  if (ServerHears(*stranded_[which])) return;
  stranded_.erase(stranded_.begin() + static_cast<std::ptrdiff_t>(which));
}

void Universe::Tear(Stream& stream, bool at_server, Dice* dice) {
  auto& frames = at_server ? stream.up : stream.down;
  if (frames.empty()) return;
  std::string& frame = frames.front();
  frame.resize(dice->Below(frame.size()));
  if (!at_server) return HangUp(stream.device);  // it is no message: the transport's error
  ClientFrame torn;
  if (torn.ParseFromString(frame)) return;  // nothing of it came, or nothing that is known
  stream.server.OnGarbage("frame");
  stream.up.clear();
}

// The conversation is over: what the syncer does then.
void Universe::EndStream(Stream& stream) {
  Device& device = stream.device;
  const absl::Status status = stream.client.status();
  const bool again = stream.client.again();
  (void)device.store->EndAttempt(status);
  HangUp(device);
  NoteRevoked(device);  // it may have gone back to a number that was revoked
  // The operator gives a new code to a device that the restored server has forgotten.
  if (ReasonOf(status).reason == sync::v1::UNKNOWN_DEVICE) Enrol(device);
  if (again) Connect(device);
}

bool Universe::ClientSays(Stream& stream) {
  ClientFrame sent;
  if (stream.client.closed() || !stream.client.Next(&sent)) {
    if (stream.client.closed()) EndStream(stream);
    return false;
  }
  const ClientFrame frame = test::Unpacked(sent);
  const bool allowed = frame.has_hello() ? stream.said == 0
                       : frame.has_proof()
                           ? stream.said == 1 && stream.heard == Stream::Heard::kChallenge
                           : stream.welcomed;
  if (!allowed) ledger_.Fail(kProtocol, absl::StrCat("device says ", frame.ShortDebugString()));
  ++stream.said;
  if (frame.has_push()) {
    CheckStamps(stream, frame.push());
    stream.device.last_push = frame.SerializeAsString();
    stream.device.last_push_by = stream.device.Number();
  }
  stream.up.push_back(sent.SerializeAsString());
  return true;
}

bool Universe::ServerHears(Stream& stream) {
  if (stream.up.empty()) return false;
  ClientFrame came;
  if (!came.ParseFromString(stream.up.front())) ledger_.Fail(kProtocol, "a frame cannot be read");
  stream.up.pop_front();
  ++stats.frames;
  const ClientFrame frame = test::Unpacked(came);
  if (frame.has_ask()) AnswerIsDue(stream);
  if (frame.has_proof()) stream.whereabouts = Whereabouts();
  stream.server.OnFrame(came);
  if (frame.has_ask()) Absorb();
  auto edits = stream.server.TakeSubmitted();
  if (!edits.empty()) Submit(stream.server, stream.id, std::move(edits));
  return true;
}

// As the hub notes it.
void Universe::Seen(DeviceNumber number, const std::string& who) {
  int64_t before_ms = 0;
  const absl::Status status = server_.store->Write([&](server::Writer& writer) -> absl::Status {
    ASSIGN_OR_RETURN(const auto row, writer.GetDevice(number));
    if (!row || row->revoked()) return absl::OkStatus();
    before_ms = row->last_seen_ms;
    return server::NoteSeen(writer, *server_.ingest, {{number, server_ms()}});
  });
  if (!status.ok()) return;
  // It may have proved itself a while before it is welcomed.
  const int64_t unseen_ms = server_ms() - before_ms;
  // By the same clock.
  const bool right = server_.clock == Clock() && before_ms <= now_ms_;
  if (right && before_ms != 0 && unseen_ms > 2 * kUnseenMsMax) {
    ledger_.Fail(kRight, absl::StrCat(who, " is welcome after ", unseen_ms / 86'400'000, " days"));
  }
  Absorb();
  TellOfMoved();
}

bool Universe::ServerSays(Stream& stream) {
  using Heard = Stream::Heard;
  ServerFrame sent;
  if (stream.down.size() > 3) return false;
  const bool speaks = stream.server.Next(&sent);
  if (!server_.moved.empty()) {
    Absorb();
    TellOfMoved();
  }
  if (!speaks) return false;
  const ServerFrame frame = test::Unpacked(sent);
  bool allowed = frame.has_refusal();
  Heard next = Heard::kEnd;
  if (frame.has_challenge()) {
    allowed = stream.heard == Heard::kNothing;
    next = Heard::kChallenge;
    stream.clock_was_right = server_.clock == Clock();
  } else if (frame.has_welcome() || frame.has_restored()) {
    allowed = stream.heard == Heard::kChallenge;
    next = frame.has_welcome() ? Heard::kWelcome : Heard::kEnd;
  } else if (frame.has_page()) {
    allowed = stream.heard == Heard::kWelcome;
    next = Heard::kWelcome;
    CheckPage(stream, frame.page());
  } else if (frame.has_update() || frame.has_renumber()) {
    allowed = stream.heard == Heard::kWelcome;
    next = frame.has_update() ? Heard::kWelcome : Heard::kEnd;
    if (frame.has_renumber()) ++stats.forks;
    if (frame.has_renumber()) {
      Renumbered(stream.server.device(), DeviceNumber(frame.renumber().device()));
    }
    if (frame.has_renumber() && !copies) {
      ledger_.Fail(kForks, absl::StrCat("device ", stream.device.index, " ",
                                        frame.renumber().ShortDebugString()));
    }
  }
  if (!allowed || stream.heard == Heard::kEnd) {
    ledger_.Fail(kProtocol, absl::StrCat("server says ", frame.ShortDebugString()));
  }
  const Hearer hearer = HearerOf(stream.device);
  if (frame.has_welcome()) Seen(stream.server.device(), hearer.name);
  // It may have been announced since the server has heard the proof.
  if (frame.has_welcome() && stream.whereabouts != Whereabouts()) stream.whereabouts.clear();
  if (frame.has_update()) CheckUpdate(hearer, frame.update());
  if (frame.has_update()) CheckRepeats(stream, frame.update());
  stream.heard = next;
  stream.down.push_back(sent.SerializeAsString());
  return true;
}

bool Universe::ClientHears(Stream& stream) {
  if (stream.down.empty()) {
    if (stream.server.closed()) EndStream(stream);
    return false;
  }
  ServerFrame came;
  if (!came.ParseFromString(stream.down.front())) ledger_.Fail(kProtocol, "a frame cannot be read");
  stream.down.pop_front();
  ++stats.frames;
  const ServerFrame frame = test::Unpacked(came);
  std::vector<uint64_t> merged;
  stream.welcomed = stream.welcomed || frame.has_welcome();
  if (frame.has_update()) TakeAnswers(stream, frame.update(), &merged);
  if (frame.has_challenge()) stream.compared_ms = now_ms_;
  stream.client.OnFrame(came);
  if (frame.has_page()) TakePage(stream);
  if (stream.device.disk.dead()) return true;
  if (stream.client.closed()) {
    EndStream(stream);
  } else {
    CheckCursors(stream.device, merged);
    if (frame.has_welcome()) CheckWhereabouts(stream);
    if (frame.has_update()) CheckOwn(stream.device);
  }
  return true;
}

// Whatever becomes of the frame, the server has said it.
void Universe::TakeAnswers(Stream& stream, const sync::v1::Update& update,
                           std::vector<uint64_t>* merged) {
  Device& device = stream.device;
  for (const auto& answer : update.answers()) {
    if (answer.verdict() != sync::v1::MERGED &&
        (WordsFor(answer.reason(), answer.detail()).zh().empty() ||
         WordsFor(answer.reason(), answer.detail()).en().empty())) {
      ledger_.Fail(kWords, answer.ShortDebugString());
    }
    const auto pending = device.disk.Quietly(
        [&] { return device.store->Pending(EditNumber(answer.number() - 1), 1); });
    if (!pending.ok() || pending->empty() || (*pending)[0].number() != answer.number()) continue;
    // Of another copy of the device, which used the number for something else.
    if (answer.link() != LinkTo((*pending)[0].edit())) continue;
    const uint64_t salt = SaltOf((*pending)[0].edit());
    if (answer.verdict() == sync::v1::MERGED) {
      merged->push_back(salt);
      if (!ledger_.Merged(salt)) {
        ledger_.Fail(kAcknowledgedKept, absl::StrCat("device ", device.index, " is told that edit ",
                                                     answer.number(), " is in, and it is not"));
      }
    }
  }
}

// Under another number it is as much out of service as before.
void Universe::Renumbered(DeviceNumber before, DeviceNumber number) {
  if (ledger_.Revoked(before)) ledger_.Revoke(number);
  if (ledger_.Lost(before)) ledger_.Lose(number);
}

// Whether the record is as this edit has left it. One that deletes what was deleted, or writes
// what another has outvoted, changes nothing.
bool Universe::LastChangedBy(const Ledger::Row& row, const RecordKey& key) {
  if (server_.store == nullptr || server_.disk.dead()) return false;
  const auto state = server_.disk.Quietly([&]() -> absl::StatusOr<RecordState> {
    RecordState read;
    RETURN_IF_ERROR(server_.store->Read([&](server::Reader& reader) -> absl::Status {
      ASSIGN_OR_RETURN(read, reader.GetRecord(key));
      return absl::OkStatus();
    }));
    return read;
  });
  return state.ok() && state->version() == row.audit.version;
}

// Whether the device is to see what this edit has left there.
bool Universe::IsToSee(const Device& device, const Ledger::Row& row,
                       const sync::v1::Change& change) {
  const RecordKey key = server::KeyOf(change);
  const Ledger::Record* record = ledger_.Find(key);
  if (record == nullptr) return false;
  // Where something is hidden from somebody, they may see nothing of the change.
  const bool shows = change.kind() != sync::v1::Change::UPDATE ||
                     !HasRestricted(*record->expected.message->GetDescriptor());
  return shows && ledger_.MayRead(device.person, *record, key.id, "", server_ms()) &&
         LastChangedBy(row, key);
}

// By clocks that are right, however wrong they were before.
void Universe::CheckStamps(Stream& stream, const sync::v1::Push& push) {
  const bool right = server_.clock == Clock() && stream.clock_was_right;
  if (!right || stream.device.clock != Clock()) return;
  // For so long the word of the server may have been on the way.
  const int64_t close_ms = 5'000 + stream.compared_ms - stream.began_ms;
  const auto wrong = [&](const sync::v1::NumberedEdit& edit, absl::string_view how) {
    ledger_.Fail(kStamps,
                 absl::StrCat("device ", stream.device.index, ", edit ", edit.number(),
                              " is stamped ", how, ": ", edit.stamp() >> 16, " at ", now_ms_));
  };
  // What came after an edit tells when it was not made yet.
  bool all_right = true;
  for (auto edit = push.edits().rbegin(); edit != push.edits().rend(); ++edit) {
    const auto known = known_.find(SaltOf(edit->edit()));
    const auto stamp_ms = static_cast<int64_t>(edit->stamp() >> 16);
    // So far ahead may lie what its author had seen: nobody calls that a clock that is wrong.
    if (stamp_ms > now_ms_ + kStampAheadMsMax + close_ms) wrong(*edit, "later than now");
    all_right = all_right && known != known_.end() && known->second.made_ms;
    if (all_right && stamp_ms < *known->second.made_ms - close_ms) {
      wrong(*edit, absl::StrCat("earlier than it was made, ", *known->second.made_ms));
    }
  }
}

void Universe::CheckCursors(Device& device, const std::vector<uint64_t>& merged) {
  // A cursor does not pass what is damaged.
  if (merged.empty() || !damaged_.empty()) return;
  const auto cursors = device.disk.Quietly([&] { return device.store->Cursors(); });
  if (!cursors.ok()) return;
  for (const uint64_t salt : merged) {
    const Ledger::Row* row = ledger_.RowOf(salt);
    if (row == nullptr) continue;
    // In a scope where its owner may not see the change the cursor stays.
    std::optional<uint64_t> furthest;
    for (const auto& cursor : *cursors) {
      const auto scope = Id::FromBytes(cursor.scope());
      // Half read as one audience, half as another: it says no more than it did.
      const bool mixed = (cursor.audience() >> 31) != 0;
      if (!scope || row->scopes.count(*scope) == 0) continue;
      furthest = std::max(furthest.value_or(0), mixed ? ~uint64_t{0} : cursor.version());
    }
    if (!furthest || *furthest >= row->audit.version.value) continue;
    for (const sync::v1::Change& change : row->edit.changes()) {
      if (!IsToSee(device, *row, change)) continue;
      ledger_.Fail(kAnswers,
                   absl::StrCat("device ", device.index, ": version ", row->audit.version.value,
                                " is answered at cursor ", *furthest),
                   server::KeyOf(change));
    }
  }
}

void Universe::Deliver(Stream& stream, size_t frames_max) {
  for (size_t i = 0; i < frames_max && ServerHears(stream); ++i) continue;
}

void Universe::Talk(Dice* dice, int moves) {
  for (int i = 0; i < moves && !failure(); ++i) {
    if (streams_.empty()) return;
    auto it = streams_.begin();
    std::advance(it, dice->Below(streams_.size()));
    Stream& stream = *it->second;
    switch (dice->Below(6)) {
      case 0:
        ClientSays(stream);
        break;
      case 1:
        ServerHears(stream);
        break;
      case 2:
        if (slow_ > 0) {
          --slow_;
        } else {
          CommitQueue(1 + dice->Below(4));
        }
        break;
      case 3:
        ServerSays(stream);
        break;
      case 4:
        DeliverStranded(dice);
        break;
      default:
        ClientHears(stream);
    }
    Reap();
  }
}

void Universe::Sync(Device& device, uint64_t frames_max) {
  const uint64_t frames_before = stats.frames;
  for (int session = 0; session < kSessionsMax; ++session) {
    Connect(device);
    if (device.stream == nullptr) return;
    const uint64_t id = device.stream->id;
    int moves = 0;
    bool moved = true;
    while (moved) {
      moved = false;
      const auto one = [&](bool (Universe::*move)(Stream&)) {
        const auto it = streams_.find(id);
        if (it == streams_.end()) return;
        if (stats.frames - frames_before >= frames_max) return HangUp(device);
        moved = (this->*move)(*it->second) || moved;
        Reap();
      };
      one(&Universe::ClientSays);
      one(&Universe::ServerHears);
      if (!turns_.empty()) {
        CommitQueue(100);
        Reap();
        moved = true;
      }
      one(&Universe::ServerSays);
      one(&Universe::ClientHears);
      if (++moves > kMovesMax) return ledger_.Fail(kQuiet, "a session goes on for ever");
      if (failure()) return;
    }
    const auto it = streams_.find(id);
    if (it != streams_.end()) {
      if (it->second->client.caught_up()) (void)device.store->EndAttempt(absl::OkStatus());
      HangUp(device);
      Reap();
      return;
    }
    // It ended: renumbered and connected anew, or refused.
    if (device.stream == nullptr) return;
  }
  ledger_.Fail(kQuiet, absl::StrCat("device ", device.index, " is told to begin again for ever"));
}

// ---- The server ----------------------------------------------------------------

void Universe::CommitQueue(size_t groups_max) {
  for (size_t i = 0; i < groups_max && !turns_.empty() && !server_.disk.dead(); ++i) {
    CommitGroup(turns_.Take());
  }
}

// An honest device has its turn soon, however much others have brought.
void Universe::Submit(const server::Session& session, uint64_t stream,
                      std::vector<server::Submitted> edits) {
  const DeviceNumber device = session.device();
  const bool hostile = ledger_.Hostile(device);
  const uint64_t due = groups_ + edits.size() + kTurnsMax;
  const auto told = [=, this](absl::StatusOr<std::vector<server::Result>> results) {
    if (!hostile && groups_ > due) {
      ledger_.Fail(kWaiting, absl::StrCat("device ", device.value, " has waited for ",
                                          groups_ - due + kTurnsMax, " turns"));
    }
    server::Session* open = SessionOf(stream);
    if (open == nullptr) return;
    if (results.ok()) {
      open->OnResults(*results);
    } else {
      open->OnTrouble(results.status());
    }
  };
  turns_.Add(session.device_record(), told, std::move(edits));
}

// As the hub does.
void Universe::CommitGroup(const server::Turns::Group& group) {
  ++groups_;
  ledger_.NoteTime(server_ms());
  MakeFigures();
  const auto committed = server_.ingest->Commit(*server_.store, group.edits);
  if (server_.disk.dead()) return;  // nobody hears of it
  if (!committed.ok()) return CommitEach(group);
  Absorb();
  std::vector<uint64_t> work;
  uint64_t all = 0;
  auto result = committed->begin();
  auto edit = group.edits.begin();
  for (const server::Turns::Part& part : group.parts) {
    const auto end = result + static_cast<std::ptrdiff_t>(part.edits);
    uint64_t& sum = work.emplace_back();
    for (auto it = result; it != end; ++it) {
      sum += it->work;
      CheckCost(*edit++, *it);
    }
    all += sum;
    (*part.on_committed)(std::vector<server::Result>(result, end));
    result = end;
  }
  TellOfMoved();
  turns_.Took(group, work, kTimeOfWork * static_cast<int64_t>(all));
}

void Universe::CommitEach(const server::Turns::Group& group) {
  std::set<DeviceNumber> troubled;
  auto edit = group.edits.begin();
  for (const server::Turns::Part& part : group.parts) {
    for (size_t i = 0; i < part.edits; ++i, ++edit) {
      if (troubled.count(edit->device) > 0) continue;
      const auto committed = server_.ingest->Commit(*server_.store, {&*edit, 1});
      if (server_.disk.dead()) return;
      if (committed.ok()) {
        Absorb();
        (*part.on_committed)(*committed);
        TellOfMoved();
        continue;
      }
      troubled.insert(edit->device);
      (*part.on_committed)(committed.status());
      for (const auto& dropped : turns_.Drop(part.whose, edit->device)) {
        if (dropped != part.on_committed) (*dropped)(committed.status());
      }
    }
  }
}

// What an edit costs the writer follows from what it brings, not from what it names.
void Universe::CheckCost(const server::Submitted& submitted, const server::Result& result) {
  const size_t brings = submitted.edit.ByteSizeLong() / kCostBytes + 1;
  stats.dearest = std::max(stats.dearest, result.work / brings);
  if (result.work <= kCostMax * brings) return;
  ledger_.Fail(kPaid,
               absl::StrCat("edit ", submitted.edit.number(), " of device ", submitted.device.value,
                            ", of ", submitted.edit.ByteSizeLong(), " bytes, costs ", result.work));
}

void Universe::TellOfMoved() {
  const absl::flat_hash_set<Id> moved = server_.moved.Take();
  const auto tell = [&](server::Session* session) {
    const std::vector<Id> scopes = session->Scopes();
    if (std::any_of(scopes.begin(), scopes.end(),
                    [&](const Id& scope) { return moved.contains(scope); })) {
      session->OnMoved();
    }
  };
  for (const auto& [id, stream] : streams_) tell(&stream->server);
  for (const auto& hostile : hostiles_) {
    if (hostile->session() != nullptr) tell(hostile->session());
  }
}

server::Session* Universe::SessionOf(uint64_t stream) {
  const auto it = streams_.find(stream);
  if (it != streams_.end()) return &it->second->server;
  for (const auto& hostile : hostiles_) {
    if (hostile->stream() == stream) return hostile->session();
  }
  return nullptr;
}

void Universe::Absorb() {
  if (server_.store == nullptr || server_.disk.dead()) return;
  const absl::Status status = server_.disk.Quietly([&] {
    return server_.store->Read([&](server::Reader& reader) { return ledger_.Absorb(reader); });
  });
  if (!status.ok()) ledger_.Fail(kAudit, absl::StrCat("cannot be read: ", status.ToString()));
}

void Universe::RestartServer(bool power_lost) {
  ++stats.restarts;
  HangUpAll();
  turns_ = {};
  server_.Kill(power_lost);
  if (const std::string whole = server_.CheckIntegrity(); whole != "ok") {
    ledger_.Fail(kIntegrity, absl::StrCat("server: ", whole));
  }
  if (const absl::Status status = OpenServer(); !status.ok()) {
    return ledger_.Fail(kIntegrity, absl::StrCat("the server does not start: ", status.ToString()));
  }
  Absorb();
}

void Universe::SetServerClock(Clock clock) {
  server_clock_until_ms_ = now_ms_ + 3'600'000;
  versions_ahead_until_ms_ = std::max(versions_ahead_until_ms_, server_ms());
  server_.clock = clock;
  RestartServer(false);
}

void Universe::PutServerClockRight() {
  if (server_.clock == Clock() || now_ms_ < server_clock_until_ms_) return;
  versions_ahead_until_ms_ = std::max(versions_ahead_until_ms_, server_ms());
  server_.clock = Clock();
  RestartServer(false);
}

void Universe::BackUpServer() {
  MendServer();
  const absl::Status status = server::BackUp(*server_.store, [&] {
    backup_ = {server_.disk.Copy(), server_.old};
    return absl::OkStatus();
  });
  if (!status.ok()) Reap();  // it is there; devices have not heard of it
}

void Universe::RestoreServer() {
  // The versions of the new life would not be above those of the old one.
  const bool below = server_.clock != Clock() || now_ms_ < versions_ahead_until_ms_;
  if (!backup_ || failure() || below) return;
  damaged_.clear();
  ++stats.restarts;
  Wait(10 * 60'000);  // nobody does it faster
  HangUpAll();
  turns_ = {};
  server_.Kill(false);
  server_.disk.Replace(backup_->image);
  server_.old = backup_->old;
  absl::Status status = OpenServer();
  if (status.ok()) status = BeginServer(/*restored=*/true);
  if (!status.ok()) {
    return ledger_.Fail(kIntegrity, absl::StrCat("the backup does not start: ", status.ToString()));
  }
  ledger_.Forget();
  Absorb();
  const absl::Status read = server_.store->Read([&](server::Reader& reader) -> absl::Status {
    ASSIGN_OR_RETURN(incarnation_, reader.GetSetting(server::kIncarnation));
    ASSIGN_OR_RETURN(const auto rows, reader.ListDevices());
    for (const server::DeviceRow& row : rows) {
      if (row.revoked()) ledger_.Revoke(row.number);
      if (row.lost()) ledger_.Lose(row.number);
    }
    return absl::OkStatus();
  });
  if (!read.ok()) ledger_.Fail(kIntegrity, read.ToString());
  for (const auto& device : devices_) {
    if (device->store == nullptr) continue;
    device->revoked = !device->Number();
    // Nobody can offer again what it has removed.
    if (device->lost) device->committed.clear();
    for (Device::Backup& backup : device->backups) {
      if (backup.lost) backup.committed.clear();
    }
    NoteRevoked(*device);
  }
}

void Universe::UpdateServer() {
  MendServer();
  Wait(60'000);
  server_.old = false;
  RestartServer(false);
  if (failure()) return;
  // As every start of a server does: it writes down what it declares.
  absl::Status status = BeginServer();
  if (!status.ok()) {
    server_.disk.Mend();
    RestartServer(false);
    if (!failure()) status = BeginServer();
  }
  if (!status.ok() && !failure()) {
    ledger_.Fail(kIntegrity, absl::StrCat("the update does not start: ", status.ToString()));
  }
}

void Universe::Reap() {
  if (server_.disk.dead()) RestartServer(dice_.OneIn(2));
  for (const auto& device : devices_) {
    if (device->disk.dead()) RestartDevice(*device, dice_.OneIn(2));
  }
}

// ---- Devices -------------------------------------------------------------------

void Universe::RestartDevice(Device& device, bool power_lost) {
  ++stats.restarts;
  HangUp(device);
  device.Kill(power_lost);
  if (const std::string whole = device.CheckIntegrity(); whole != "ok") {
    ledger_.Fail(kIntegrity, absl::StrCat("device ", device.index, ": ", whole));
  }
  absl::Status status = device.Open();
  if (!status.ok()) {
    device.disk.Mend();
    status = device.Open();
  }
  if (!status.ok()) {
    return ledger_.Fail(
        kIntegrity, absl::StrCat("device ", device.index, " does not start: ", status.ToString()));
  }
  AdoptPending(device);
  CheckAccount(device);
  // Whether what was being let go of is set aside still is on the disk now.
  std::set<uint64_t> set_aside;
  (void)device.disk.Quietly([&] {
    return device.store->ListSetAside(
        [&](const client::SetAside& item) { set_aside.insert(item.edit.salt()); });
  });
  for (const uint64_t salt : std::exchange(device.letting_go, {})) {
    if (set_aside.count(salt) == 0) device.committed.erase(salt);
  }
}

// An edit whose commit was cut short by a crash may be there or not.
void Universe::AdoptPending(Device& device) {
  const auto pending =
      device.disk.Quietly([&] { return device.store->Pending(EditNumber(0), SIZE_MAX); });
  if (!pending.ok()) return;
  for (const auto& one : *pending) {
    Known known;
    known.edit.ParseFromString(one.edit());
    const uint64_t salt = known.edit.salt();
    if (known_.count(salt) == 0) {
      known.deltas = std::exchange(device.in_doubt, {});
      NoteFoundations(device, one, salt);
    }
    known_.try_emplace(salt, std::move(known));
    if (!one.withdrawn()) device.committed.insert(salt);
  }
  device.in_doubt.clear();
}

Universe::Done Universe::Commit(Device& device, const std::vector<client::Draft*>& drafts,
                                const Deltas& deltas, std::optional<uint64_t> begun_at) {
  (void)device.disk.TakeFailed();
  const auto number = device.store->Commit(drafts);
  const bool failed = device.disk.TakeFailed();
  if (device.disk.dead()) {
    device.in_doubt = deltas;
    return Done::kUnknown;
  }
  if (!number.ok()) {
    ++stats.refused;
    // What a sync that failed has left on the disk may yet come to light.
    if (failed) device.in_doubt = deltas;
    const bool reason = ReasonOf(number.status()).reason != sync::v1::NO_REASON ||
                        absl::IsAlreadyExists(number.status()) || absl::IsNotFound(number.status());
    if (!failed && !reason) {
      ledger_.Fail(kRefusal,
                   absl::StrCat("device ", device.index, ": ", number.status().ToString()));
    }
    return failed ? Done::kUnknown : Done::kNo;
  }
  if (number->value == 0) return Done::kYes;
  device.in_doubt.clear();
  const auto pending =
      device.disk.Quietly([&] { return device.store->Pending(EditNumber(number->value - 1), 1); });
  if (!pending.ok() || pending->empty() || (*pending)[0].number() != number->value) {
    ledger_.Fail(kCommittedKept,
                 absl::StrCat("device ", device.index, ": edit ", number->value, " is not there"));
    return Done::kYes;
  }
  Known known;
  known.edit.ParseFromString((*pending)[0].edit());
  known.deltas = deltas;
  if (device.clock == Clock()) known.made_ms = now_ms_;
  NoteFoundations(device, (*pending)[0], known.edit.salt());
  if (begun_at) {
    CheckBase(device, known.edit, *begun_at);
  } else {
    CheckMeant(device, known.edit, drafts);
  }
  device.committed.insert(known.edit.salt());
  known_[known.edit.salt()] = std::move(known);
  ++stats.edits;
  return Done::kYes;
}

void Universe::Amend(Device& device, const client::SetAside& item) {
  auto drafts = device.store->Amend(item.place);
  if (!drafts.ok()) return Reap();
  const uint64_t salt = item.edit.salt();
  std::vector<client::Draft*> pointers;
  for (client::Draft& draft : *drafts) pointers.push_back(&draft);
  const Done done = Commit(device, pointers, known_[salt].deltas);
  if (done == Done::kYes) ++stats.amended;
  LetGo(device, item, done);
}

void Universe::Discard(Device& device, const client::SetAside& item) {
  (void)device.disk.TakeFailed();
  const absl::Status status = device.store->Discard(item.place);
  const bool unknown = device.disk.TakeFailed() || device.disk.dead();
  if (status.ok()) ++stats.discarded;
  LetGo(device, item, unknown ? Done::kUnknown : status.ok() ? Done::kYes : Done::kNo);
}

// Nothing else may make a set-aside edit go.
void Universe::LetGo(Device& device, const client::SetAside& item, Done done) {
  const uint64_t salt = item.edit.salt();
  if (done != Done::kNo) ledger_.LetGo(salt);
  if (done == Done::kYes) {
    device.committed.erase(salt);
    if (item.answer.verdict() == sync::v1::RETURNED) let_go_.insert(salt);
  }
  if (done == Done::kUnknown) device.letting_go.insert(salt);
}

void Universe::NoteFoundations(Device& device, const sync::v1::NumberedEdit& edit, uint64_t salt) {
  for (const uint64_t number : edit.builds_on()) {
    const auto below =
        device.disk.Quietly([&] { return device.store->Pending(EditNumber(number - 1), 1); });
    if (!below.ok() || below->empty() || (*below)[0].number() != number) continue;  // answered
    ledger_.BuildsOn(salt, SaltOf((*below)[0].edit()));
  }
}

void Universe::CheckAccount(Device& device) {
  if (device.store == nullptr || device.disk.dead()) return;
  std::set<uint64_t> there;
  const absl::Status status = device.disk.Quietly([&]() -> absl::Status {
    ASSIGN_OR_RETURN(const auto pending, device.store->Pending(EditNumber(0), SIZE_MAX));
    for (const auto& one : pending) {
      if (!one.withdrawn()) there.insert(SaltOf(one.edit()));
    }
    ASSIGN_OR_RETURN(const client::SyncState state, device.store->State());
    if (state.unsent != pending.size()) {
      ledger_.Fail(kUnsent, absl::StrCat("device ", device.index, " counts ", state.unsent, " of ",
                                         pending.size()));
    }
    CheckDelivered(device, pending, state.delivered);
    return device.store->ListSetAside([&](const client::SetAside& item) {
      there.insert(item.edit.salt());
      if (WordsFor(item.answer.reason(), item.answer.detail()).zh().empty()) {
        ledger_.Fail(kWords, absl::StrCat("device ", device.index, ": set aside without a reason"));
      }
    });
  });
  if (!status.ok()) {
    return ledger_.Fail(kIntegrity, absl::StrCat("device ", device.index, ": ", status.ToString()));
  }
  if (backup_) {
    for (const std::string& edit : device.Kept()) there.insert(SaltOf(edit));
  }
  for (auto it = device.committed.begin(); it != device.committed.end();) {
    if (const Ledger::Row* row = ledger_.RowOf(*it); row != nullptr) {
      if (row->edit.SerializeAsString() != known_[*it].edit.SerializeAsString()) {
        ledger_.Fail(kUnaltered, absl::StrCat("edit ", row->audit.number.value, " of device ",
                                              row->audit.device.value));
      }
      ++it;
      continue;
    }
    if (there.count(*it) == 0 && device.letting_go.count(*it) > 0) {
      it = device.committed.erase(it);
      continue;
    }
    if (there.count(*it) == 0 && !(device.lost && ledger_.Answered(*it))) {
      const auto& change = known_[*it].edit.changes(0);
      ledger_.Fail(kCommittedKept,
                   absl::StrCat("device ", device.index, ": neither waiting nor set aside nor in"),
                   RecordKey{change.type(), Id::FromBytes(change.id()).value_or(Id())});
    }
    ++it;
  }
}

}  // namespace zhibu::sim
