#include "server/session.h"

#include <algorithm>
#include <limits>
#include <tuple>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "server/ask.h"
#include "server/courier.h"
#include "server/incarnation.h"
#include "sync/audience.h"
#include "sync/canonical.h"
#include "sync/handshake.h"
#include "sync/reason.h"
#include "sync/record.h"
#include "sync/status.h"

namespace zhibu::server {

using sync::v1::ClientFrame;
using sync::v1::ServerFrame;

namespace {

// In one update; more than a device leaves without an answer.
constexpr size_t kAnswersMax = 3000;
constexpr int64_t kHourMs = 3'600'000;
constexpr int64_t kDayMs = 24 * kHourMs;

// At which version the record left the scope or was deleted, the last thing that happens to
// its row; kPendingVersion: it is there.
Version GoneAt(const FeedRow& row) {
  return row.present && row.state.alive() ? kPendingVersion : row.version;
}

size_t SizeOf(const FeedRow& row) {
  return row.state.body.size() + row.state.trace.size() + Id::kSize;
}

}  // namespace

// What one reading of the feeds has found, before it becomes an update.
struct Session::Pass {
  struct Found {
    FeedRow row;
    bool removable = false;  // the device may have been shown it
  };
  std::vector<Found> rows;
  // Of every row that the device may know of, scope by scope and ascending: of those that
  // there is nothing to say of, too.
  std::map<Id, std::vector<Version>> known;
  // Everything up to here has been read, in every scope: an update that ends
  // here splits no edit.
  Version cut{std::numeric_limits<uint64_t>::max()};

  bool complete() const { return cut.value == std::numeric_limits<uint64_t>::max(); }

  // Each scope was read up to the limit; all of them together keep it as well.
  // `rows` ascend by version.
  void LimitTo(size_t bytes_max) {
    size_t bytes = 0;
    Version last;
    for (const auto& [row, removable] : rows) {
      if (row.version > cut) return;
      if (bytes >= bytes_max && row.version != last) {
        cut = last;
        return;
      }
      bytes += SizeOf(row);
      last = row.version;
    }
  }

  // The last that the device may know of, as far as was read; 0: none.
  Version KnownUpToCut(const Id& scope) const {
    const auto it = known.find(scope);
    if (it == known.end()) return Version();
    const auto end = std::upper_bound(it->second.begin(), it->second.end(), cut);
    return end == it->second.begin() ? Version() : *std::prev(end);
  }

  uint64_t Passed() const {
    uint64_t passed = 0;
    for (const auto& [scope, versions] : known) {
      const auto end = std::upper_bound(versions.begin(), versions.end(), cut);
      passed += static_cast<uint64_t>(end - versions.begin());
    }
    return passed;
  }
};

namespace {

// Rows of one edit and type stand together: a Group.
class GroupWriter {
 public:
  explicit GroupWriter(sync::v1::Update* update) : update_(*update) {}

  // Takes the body and the trace out of the row.
  void Add(FeedRow* row) {
    const Touch& touch = row->state.touch;
    if (group_ == nullptr || group_->type() != row->key.type || touch != touch_) {
      Close();
      group_ = update_.add_groups();
      group_->set_type(row->key.type);
      group_->set_version(touch.version.value);
      group_->set_writer(touch.writer.value);
      group_->set_stamp(touch.stamp.value);
      touch_ = touch;
    }
    const absl::string_view id = row->key.id.bytes();
    group_->mutable_ids()->append(id.data(), id.size());
    group_->add_bodies(std::move(row->state.body));
    group_->add_traces(std::move(row->state.trace));
  }

  void Close() {
    if (group_ == nullptr) return;
    const bool bare = std::all_of(group_->traces().begin(), group_->traces().end(),
                                  [](const std::string& trace) { return trace.empty(); });
    if (bare) group_->clear_traces();
    group_ = nullptr;
  }

 private:
  sync::v1::Update& update_;
  sync::v1::Group* group_ = nullptr;
  Touch touch_;
};

void AddRemoval(const RecordKey& key, sync::v1::Update* update) {
  if (update->removals().empty() || update->removals().rbegin()->type() != key.type) {
    update->add_removals()->set_type(key.type);
  }
  const absl::string_view id = key.id.bytes();
  update->mutable_removals()->rbegin()->mutable_ids()->append(id.data(), id.size());
}

// The groups of one update, cut where a frame is full; all else is in the last part.
std::vector<sync::v1::Update> PartsOf(sync::v1::Update update, size_t bytes_max) {
  google::protobuf::RepeatedPtrField<sync::v1::Group> groups;
  groups.Swap(update.mutable_groups());
  std::vector<sync::v1::Update> parts(1);
  size_t bytes = 0;
  for (sync::v1::Group& group : groups) {
    sync::v1::Group* part = nullptr;
    for (int i = 0; i < group.bodies_size(); ++i) {
      const bool traced = !group.traces().empty();
      const size_t size =
          Id::kSize + group.bodies(i).size() + (traced ? group.traces(i).size() : 0);
      if (bytes > 0 && bytes + size > bytes_max) {
        parts.emplace_back();
        bytes = 0;
        part = nullptr;
      }
      if (part == nullptr) {
        part = parts.back().add_groups();
        part->set_type(group.type());
        part->set_version(group.version());
        part->set_writer(group.writer());
        part->set_stamp(group.stamp());
      }
      const size_t at = static_cast<size_t>(i) * Id::kSize;
      part->mutable_ids()->append(group.ids(), at, Id::kSize);
      part->add_bodies(std::move(*group.mutable_bodies(i)));
      if (traced) part->add_traces(std::move(*group.mutable_traces(i)));
      bytes += size;
    }
  }
  update.mutable_groups()->Swap(parts.back().mutable_groups());
  parts.back() = std::move(update);
  for (size_t i = 0; i + 1 < parts.size(); ++i) parts[i].set_continues(true);
  return parts;
}

}  // namespace

Session::Session(Store* store, const Ingest* ingest, Environment environment, SessionLimits limits)
    : store_(*store),
      ingest_(*ingest),
      schema_(ingest->schema()),
      environment_(std::move(environment)),
      limits_(limits) {}

void Session::Refuse(sync::v1::Reason reason, absl::string_view detail) {
  if (state_ == State::kClosed) return;  // the last word has been said
  auto* refusal = out_.emplace_back().mutable_refusal();
  refusal->set_reason(reason);
  refusal->set_detail(std::string(detail));
  state_ = State::kClosed;
}

void Session::OnGarbage(absl::string_view what) { Refuse(sync::v1::MALFORMED, what); }

void Session::OnTrouble(const absl::Status& status) {
  const Refused refused = ReasonOf(status);
  if (refused.reason == sync::v1::NO_REASON) {
    Refuse(sync::v1::SERVER_TROUBLE, absl::StatusCodeToString(status.code()));
  } else {
    Refuse(refused.reason, refused.detail);
  }
}

void Session::OnFrame(const ClientFrame& frame) {
  if (state_ == State::kClosed) return;
  switch (frame.frame_case()) {
    case ClientFrame::kHello:
      return OnHello(frame.hello());
    case ClientFrame::kProof:
      return OnProof(frame.proof());
    case ClientFrame::kPush:
      return OnPush(frame.push());
    case ClientFrame::kAsk:
      return OnAsk(frame.ask());
    case ClientFrame::kLeave:
      return OnLeave();
    default:
      // A kind of frame from a newer app: it can wait, the stream goes on.
      if (state_ != State::kOpen) Refuse(sync::v1::PROTOCOL_ERROR, "frame");
      return;
  }
}

absl::Status Session::CheckHello(const std::string& bytes) {
  if (bytes.size() > limits_.hello_bytes_max) {
    return TooLarge("hello", bytes.size(), limits_.hello_bytes_max);
  }
  sync::v1::Hello& hello = hello_;
  // One reading of what is signed: bytes that say a thing twice have two.
  RETURN_IF_ERROR(CheckCanonicalMessage(*sync::v1::Hello::descriptor(), bytes));
  if (!hello.ParseFromString(bytes)) return zhibu::Refuse(sync::v1::MALFORMED, "hello");
  if (hello.protocol() != kProtocolVersion) {
    return zhibu::Refuse(sync::v1::UNSUPPORTED_VERSION,
                         absl::StrCat(hello.protocol(), " / ", kProtocolVersion));
  }
  return store_.Read([&](Reader& reader) -> absl::Status {
    ASSIGN_OR_RETURN(const std::string server_id, reader.GetSetting("server_id"));
    if (hello.server_id() != server_id) return zhibu::Refuse(sync::v1::OTHER_SERVER, "");
    ASSIGN_OR_RETURN(incarnation_, reader.GetSetting(kIncarnation));
    ASSIGN_OR_RETURN(const auto device, reader.GetDevice(DeviceNumber(hello.device())));
    const bool known = device && device->number != kServerDevice;
    device_ = known ? *device : DeviceRow();
    // A number that there is not has a key that nobody has: strangers cannot count devices.
    if (!known) device_.public_key = NewKeyPair(environment_).public_key;
    return absl::OkStatus();
  });
}

void Session::OnHello(const std::string& bytes) {
  if (state_ != State::kHello) return Refuse(sync::v1::PROTOCOL_ERROR, "hello");
  if (const auto status = CheckHello(bytes); !status.ok()) return OnTrouble(status);
  hello_bytes_ = bytes;
  nonce_ = environment_.random_bytes(32);
  auto* challenge = out_.emplace_back().mutable_challenge();
  challenge->set_nonce(nonce_);
  challenge->set_server_time_ms(environment_.now_ms());
  clock_.emplace(environment_);
  state_ = State::kProof;
}

void Session::OnProof(const sync::v1::Proof& proof) {
  if (state_ != State::kProof) return Refuse(sync::v1::PROTOCOL_ERROR, "proof");
  if (!VerifyProof(device_.public_key, nonce_, hello_bytes_, proof.signature())) {
    return Refuse(sync::v1::UNKNOWN_DEVICE, absl::StrCat(hello_.device()));
  }
  const int64_t unseen_ms = environment_.now_ms() - device_.last_seen_ms;
  if (!device_.revoked() && limits_.unseen_ms_max > 0 && unseen_ms > limits_.unseen_ms_max) {
    return Refuse(sync::v1::REAUTHENTICATE, absl::StrCat(unseen_ms / kDayMs));
  }
  if (hello_.incarnation() != incarnation_) {
    out_.emplace_back().mutable_restored()->set_incarnation(incarnation_);
    state_ = State::kClosed;
    return;
  }
  const auto status = store_.Read([&](Reader& reader) { return Open(reader); });
  if (!status.ok()) return OnTrouble(status);
  state_ = State::kOpen;
  moved_ = true;
}

absl::Status Session::Open(Reader& reader) {
  ASSIGN_OR_RETURN(const auto device, reader.GetDevice(device_.number));
  if (!device) return zhibu::Refuse(sync::v1::UNKNOWN_DEVICE, absl::StrCat(device_.number.value));
  device_ = *device;
  ASSIGN_OR_RETURN(seal_, CursorSeal::Of(reader, device_.person));
  auto shown = hello_.cursors();
  shown.MergeFrom(hello_.seen());
  sent_ = SentBy(*seal_, shown);
  for (const auto& cursor : hello_.cursors()) {
    const auto scope = Id::FromBytes(cursor.scope());
    if (!scope) return zhibu::Refuse(sync::v1::MALFORMED, "cursor");
    if (device_.lost()) continue;  // it is told to remove all at once
    // Else one could make up cursors, and be told what has gone since.
    if (!seal_->Good(cursor)) continue;
    ScopeState& state = scopes_[*scope];
    state.cursor = state.looked = Version(cursor.version());
    state.seen = cursor.audience();
    const bool mixed = (cursor.audience() & kMixed) != 0;
    state.held = mixed ? cursor.held() : cursor.audience();
    state.unfinished = seal_->UnfinishedIn(cursor);
    // Of one from before that was said: whatever the device may have been sent since.
    if (mixed && !state.unfinished) state.unfinished.emplace();
  }
  RETURN_IF_ERROR(RefreshOffices(reader));
  unasked_ = hello_.unanswered() == 0 ? device->last_number : EditNumber(hello_.unanswered() - 1);
  heard_ = unasked_;
  uint64_t to_pass = 0;
  for (const auto& [scope, state] : scopes_) {
    if (state.dropping()) continue;
    ASSIGN_OR_RETURN(const uint64_t rows, reader.CountFeed(scope, state.from(), state.MayKnow()));
    to_pass += rows;
  }
  auto* welcome = out_.emplace_back().mutable_welcome();
  welcome->set_to_pass(to_pass);
  welcome->set_safe(device->safe_number.value);
  ASSIGN_OR_RETURN(*welcome->mutable_courier_key(), CourierKeyOf(reader));
  welcome->set_device_id(device_.record.str());
  welcome->set_service(device_.lost()      ? sync::v1::Welcome::LOST
                       : device_.revoked() ? sync::v1::Welcome::REVOKED
                                           : sync::v1::Welcome::IN_SERVICE);
  return absl::OkStatus();
}

void Session::OnPush(const sync::v1::Push& push) {
  if (state_ != State::kOpen) return Refuse(sync::v1::PROTOCOL_ERROR, "push");
  // They are stamped by a time that was wrong here: the device comes again, and hears the
  // right one.
  if (clock_->WasSet(environment_)) {
    state_ = State::kClosed;
    return;
  }
  if (push.edits_size() > limits_.push_edits_max) {
    return Refuse(sync::v1::TOO_LARGE, absl::StrCat("push: ", push.edits_size(), " edits > ",
                                                    limits_.push_edits_max, " edits"));
  }
  if (forked_) return;
  for (const auto& edit : push.edits()) {
    const EditNumber number(edit.number());
    on_the_way_.push_back({number, edit.previous(), number <= std::max(unasked_, pushed_)});
    pushed_ = std::max(pushed_, number);
    submitted_.push_back({device_.number, edit, sent_});
  }
}

// What cannot be answered does not end the stream.
void Session::OnAsk(const sync::v1::Ask& ask) {
  if (state_ != State::kOpen) return Refuse(sync::v1::PROTOCOL_ERROR, "ask");
  sync::v1::Page page;
  Disclosures disclosures;
  absl::Status status;
  if (const size_t bytes = ask.ByteSizeLong(); bytes > limits_.ask_bytes_max) {
    status = TooLarge("ask", bytes, limits_.ask_bytes_max);
  }
  if (status.ok()) status = store_.Read([&](Reader& reader) { return RefreshOffices(reader); });
  // A device that is out of service has no offices to ask with.
  if (device_.revoked()) return Refuse(sync::v1::DEVICE_REVOKED, device_.name);
  if (status.ok() && !ask.reason().empty()) {
    status = store_.Write([&](Writer& writer) {
      return OpenAccess(writer, ingest_, environment_, device_.person, ask, &moved_scopes_);
    });
  }
  if (status.ok()) {
    status = store_.Read([&](Reader& reader) {
      return AnswerAsk(reader, schema_, device_.person, environment_.now_ms(), ask, &page,
                       &disclosures);
    });
  }
  if (status.ok()) status = Log(Way::kQuery, disclosures);
  if (!status.ok()) {
    const Refused refused = ReasonOf(status);
    if (refused.reason == sync::v1::NO_REASON) return OnTrouble(status);
    page.Clear();
    page.mutable_refusal()->set_reason(refused.reason);
    page.mutable_refusal()->set_detail(refused.detail);
  }
  page.set_id(ask.id());
  *out_.emplace_back().mutable_page() = std::move(page);
}

absl::Status Session::Log(Way way, const Disclosures& disclosures) {
  if (disclosures.empty()) return absl::OkStatus();
  return store_.Write([&](Writer& writer) {
    return LogAccess(writer, ingest_, environment_, device_.person, way, disclosures,
                     &moved_scopes_);
  });
}

void Session::OnLeave() {
  if (state_ != State::kOpen || !device_.revoked()) {
    return Refuse(sync::v1::PROTOCOL_ERROR, "leave");
  }
  if (!device_.lost()) return Refuse(sync::v1::DEVICE_REVOKED, device_.name);
  const auto status = store_.Write([&](Writer& writer) -> absl::Status {
    ASSIGN_OR_RETURN(auto device, writer.GetDevice(device_.number));
    if (!device) return zhibu::Refuse(sync::v1::UNKNOWN_DEVICE, device_.name);
    device->standing = DeviceRow::Standing::kWiped;
    return writer.PutDevice(*device);
  });
  if (!status.ok()) return OnTrouble(status);
  Refuse(sync::v1::DEVICE_WIPED, device_.name);
}

std::vector<Submitted> Session::TakeSubmitted() { return std::exchange(submitted_, {}); }

// What the answers are stands in the audit (ReadAnswers); here it matters that
// there are some, and whether all were for this copy of the device.
void Session::OnResults(const std::vector<Result>& results) {
  moved_ = true;
  for (const Result& result : results) {
    if (on_the_way_.empty()) break;
    const OnTheWay edit = on_the_way_.front();
    on_the_way_.pop_front();
    if (result.forked) {
      if (!forked_) forked_ = edit;
    } else if (edit.repeated) {
      repeats_.push_back(edit.number);
    }
  }
}

// The device gets a number that no other copy of it has, with the standing that it
// has, and begins again with a new session. What was answered before the fork has been
// told by now.
void Session::Renumber() {
  DeviceRow copy;
  sync::v1::Renumber renumber;
  renumber.set_came_number(forked_->number.value);
  renumber.set_came_previous(forked_->previous);
  const auto status = store_.Write([&](Writer& writer) -> absl::Status {
    RETURN_IF_ERROR(CountRenumbering(writer));
    ASSIGN_OR_RETURN(const auto device, writer.GetDevice(device_.number));
    if (!device) return zhibu::Refuse(sync::v1::UNKNOWN_DEVICE, device_.name);
    renumber.set_expected_number(device->last_number.value + 1);
    ASSIGN_OR_RETURN(const auto last, writer.GetAudit(device->number, device->last_number));
    if (last) renumber.set_expected_previous(LinkTo(last->edit));
    copy = *device;
    ASSIGN_OR_RETURN(copy.number, writer.NextDevice());
    copy.last_number = copy.safe_number = EditNumber();
    copy.enrolled_ms = copy.last_seen_ms = environment_.now_ms();
    return writer.PutDevice(copy);
  });
  if (!status.ok()) return OnTrouble(status);
  renumber.set_device(copy.number.value);
  *out_.emplace_back().mutable_renumber() = std::move(renumber);
  state_ = State::kClosed;
}

// A device whose links are never right would use up a number for each edit.
absl::Status Session::CountRenumbering(Writer& writer) const {
  const std::string setting = absl::StrCat("renumbered/", Hex(device_.record.bytes()));
  const std::string hour = absl::StrCat(environment_.now_ms() / kHourMs);
  ASSIGN_OR_RETURN(const std::string known, writer.GetSetting(setting));
  const std::pair<std::string, std::string> last = absl::StrSplit(known, ' ');
  int times = 0;
  if (last.first == hour && !absl::SimpleAtoi(last.second, &times)) times = 0;
  if (times >= limits_.renumbered_max) {
    return zhibu::Refuse(sync::v1::LIMIT_REACHED, "renumber");
  }
  return writer.PutSetting(setting, absl::StrCat(hour, " ", times + 1));
}

absl::Status Session::RefreshOffices(Reader& reader) {
  if (persons_.empty()) persons_ = {device_.person};
  ASSIGN_OR_RETURN(const Version version, OfficesVersion(reader, persons_));
  const int64_t now = environment_.now_ms();
  if (version == offices_at_ && version.value != 0 && now < offices_valid_until_ms_) {
    return absl::OkStatus();
  }
  ASSIGN_OR_RETURN(const auto device, reader.GetDevice(device_.number));
  // It begins again, and is told.
  const bool as_welcomed = device && device->standing == device_.standing;
  if (!as_welcomed) return zhibu::Refuse(sync::v1::DEVICE_REVOKED, device_.name);
  Offices offices;
  if (!device_.revoked()) {
    ASSIGN_OR_RETURN(offices, OfficesOf(reader, device_.person, now));
  }
  for (const auto& [scope, audience] : offices.now) {
    const auto [it, fresh] = scopes_.try_emplace(scope);
    ScopeState& state = it->second;
    if (state.cursor.value == 0 && state.seen == 0) {
      state.seen = audience;  // nothing is there that could be seen otherwise
    }
  }
  for (auto& [scope, state] : scopes_) {
    const uint32_t audience = offices.In(scope);
    if (audience == state.audience) continue;
    if (state.reread.value > 0 || state.dropped) state.seen = state.Mixed();
    if (state.dropped) state.unfinished.reset();
    state.reread = Version();
    state.dropped = false;
    state.audience = audience;
  }
  if (!offices.persons.empty()) persons_ = offices.persons;
  ASSIGN_OR_RETURN(offices_at_, OfficesVersion(reader, persons_));
  offices_valid_until_ms_ = offices.valid_until_ms;
  return absl::OkStatus();
}

std::vector<Id> Session::Scopes() const {
  std::vector<Id> scopes;
  for (const auto& [scope, state] : scopes_) scopes.push_back(scope);
  return scopes;
}

Session::Sight Session::SightOf(const FeedRow& row,
                                absl::FunctionRef<uint32_t(const ScopeState&)> audience) const {
  if (!row.state.alive()) return {};
  const RecordType* type = schema_.Find(row.key.type);
  if (type == nullptr) return {};
  const Eyes eyes =
      EyesOn(PlacesOf(*type, row.key.id, row.state.body), [&](const Id& scope) -> uint32_t {
        const auto it = scopes_.find(scope);
        return it == scopes_.end() ? 0 : audience(it->second);
      });
  const HostSight at_host = HostSightOf(*type, row.state.body);
  return {eyes.Meet(ReadersOf(schema_, *type, row.state.body)), HiddenFrom(*type, eyes, at_host),
          ((eyes.at_home | eyes.as_host) & kMixed) != 0};
}

Session::Sight Session::SightNow(const FeedRow& row) const {
  return SightOf(row, [](const ScopeState& state) { return state.audience; });
}

// While a scope is read again, what the device holds already is passed over.
bool Session::Wanted(const FeedRow& row, const ScopeState& state) const {
  const Sight now = SightNow(row);
  if (state.dropping()) return row.present && now.visible;
  // Past its cursor, or because nothing is certain to be there.
  if (row.version > state.cursor || state.seen == kMixed) return true;
  const Sight held =
      SightOf(row, [&](const ScopeState& other) { return other.Shown(row.version); });
  if (!now.visible || !held.visible) return true;
  return now.hidden != held.hidden || (now.hidden != 0 && held.mixed);
}

// Whether the device may hold the record because it lies in this scope. One that came there
// after all that the device has been sent of it, it has never had; one that was gone by then
// it has been told of, or never had.
bool Session::MayHold(const FeedRow& row, const ScopeState& state) {
  const Version gone = GoneAt(row);
  if (state.dropping() || gone <= state.cursor) return false;
  if (state.unfinished && gone <= state.unfinished->began) {
    return (row.seen & state.unfinished->held) != 0 && row.since <= state.unfinished->whole;
  }
  if ((row.seen & state.held) == 0) return false;
  const bool in_part = (state.seen & kMixed) != 0;  // how far that came is not known
  return in_part || row.since <= std::max(state.cursor, state.reread);
}

absl::Status Session::ReadScope(Reader& reader, const Id& scope, const ScopeState& state,
                                Pass* pass) {
  size_t bytes = 0;
  Version last;
  bool more = false;
  std::vector<Version> known;
  // Of what was dropped nothing is there, be it seen through another scope alone.
  const bool dropped = state.rereading() && state.seen == kMixed;
  const uint32_t offices = state.dropping() || dropped ? kAllOffices : state.MayKnow();
  RETURN_IF_ERROR(reader.ReadFeed(scope, state.from(), offices, [&](const FeedRow& row) {
    const bool may_know = (row.seen & state.MayKnow()) != 0;
    if (dropped && !may_know && !(row.present && SightNow(row).visible)) return true;
    if (bytes >= limits_.update_bytes && row.version != last) {
      more = true;
      return false;
    }
    last = row.version;
    if (!state.dropping() && may_know) known.push_back(row.version);
    if (state.rereading() && !Wanted(row, state)) {
      if (!state.dropping()) ++bytes;  // passing over is work too, where it may be known of
      return true;
    }
    const bool removable = MayHold(row, state);
    if (!removable && GoneAt(row) != kPendingVersion) {
      if (may_know) ++bytes;
      return true;
    }
    bytes += SizeOf(row);
    pass->rows.push_back({row, removable});
    return true;
  }));
  pass->known[scope] = std::move(known);
  if (more) pass->cut = std::min(pass->cut, last);
  return absl::OkStatus();
}

void Session::AddCursor(const Id& scope, Version version, const ScopeState& as,
                        sync::v1::Update* update) {
  sync::v1::Cursor& cursor = *update->add_cursors();
  cursor.set_scope(scope.str());
  if (as.audience == 0 && !as.rereading()) return;  // it is to forget this one
  cursor.set_version(version.value);
  cursor.set_audience(as.rereading() ? as.Mixed() : as.audience);
  if (as.rereading()) cursor.set_held(as.MayKnow());
  seal_->Put(as.unfinished, &cursor);
}

// Edits that are on their way to be committed keep what was so when they came.
void Session::NoteSent(const Id& scope, Version version) {
  const auto it = sent_->cursors.find(scope);
  if (it == sent_->cursors.end() ? version.value == 0 : it->second >= version) return;
  Sent sent = *sent_;
  sent.cursors[scope] = version;
  sent_ = std::make_shared<const Sent>(std::move(sent));
}

absl::Status Session::MoveCursors(Reader& reader, const Pass& pass, sync::v1::Update* update) {
  for (auto it = scopes_.begin(); it != scopes_.end();) {
    auto& [scope, state] = *it;
    ASSIGN_OR_RETURN(const Version end, reader.ScopeVersion(scope));
    const Version to = std::min(pass.cut, end);
    const bool was_rereading = state.rereading();
    if (state.dropping() && !state.dropped) {
      update->add_dropped(scope.str());
      state.dropped = true;
      state.held = 0;
      state.unfinished.reset();
    }
    if (pass.complete()) {
      state.unfinished.reset();
    } else if (!state.unfinished || state.held == 0) {
      ASSIGN_OR_RETURN(const Version last, reader.LastInFeed(scope, state.MayKnow()));
      state.unfinished = Unfinished{last, state.cursor, state.held};
    }
    state.known = std::max(state.known, pass.KnownUpToCut(scope));
    // A scope that is read again has been sent up to where the reading has come.
    NoteSent(scope, std::max({state.cursor, state.known, was_rereading ? to : Version()}));
    if (was_rereading && !pass.complete()) {
      if (state.reread.value == 0 && to.value > 0) AddCursor(scope, state.cursor, state, update);
      state.held |= state.audience;
      state.reread = std::max(state.reread, to);
      ++it;
      continue;
    }
    const Version cursor = std::max(state.cursor, state.known);
    state.looked = std::max(state.looked, to);
    state.held = state.audience;
    if (cursor > state.cursor || was_rereading) {
      state.cursor = cursor;
      state.seen = state.audience;
      state.reread = Version();
      state.dropped = false;
      AddCursor(scope, state.cursor, state, update);
    }
    it = state.audience == 0 ? scopes_.erase(it) : std::next(it);
  }
  return absl::OkStatus();
}

// From the same snapshot as the changes: a device that saw a change of its own
// without the answer would count it twice. Another copy of the device may have
// used the number; the link tells.
absl::Status Session::ReadAnswers(Reader& reader) {
  for (const EditNumber number : std::exchange(repeats_, {})) {
    if (number > heard_) continue;  // is told below
    ASSIGN_OR_RETURN(const auto row, reader.GetAudit(device_.number, number));
    if (row) AddAnswer(*row);
  }
  return reader.ReadAudit(device_.number, heard_, [&](const AuditRow& row) {
    AddAnswer(row);
    heard_ = row.number;
    return answers_.size() < kAnswersMax;
  });
}

void Session::AddAnswer(const AuditRow& row) {
  Result& result = answers_.emplace_back();
  result.answer = row.answer;
  result.answer.set_link(LinkTo(row.edit));
  result.version = row.version;
}

// Each with what it changed, and so not always in their order: versions of
// different scopes do not compare.
void Session::AddAnswers(const Pass& pass, sync::v1::Update* update) {
  std::deque<Result> waiting;
  for (Result& result : answers_) {
    if (result.version <= pass.cut) {
      *update->add_answers() = std::move(result.answer);
    } else {
      waiting.push_back(std::move(result));
    }
  }
  answers_ = std::move(waiting);
}

absl::Status Session::BuildUpdate(Reader& reader, sync::v1::Update* update,
                                  Disclosures* disclosures) {
  RETURN_IF_ERROR(RefreshOffices(reader));
  RETURN_IF_ERROR(ReadAnswers(reader));
  Pass pass;
  for (const auto& [scope, state] : scopes_) {
    RETURN_IF_ERROR(ReadScope(reader, scope, state, &pass));
  }
  const auto before = [](const Pass::Found& a, const Pass::Found& b) {
    return std::tie(a.row.version, a.row.key) < std::tie(b.row.version, b.row.key);
  };
  // Most often only one of the scopes has anything.
  if (!std::is_sorted(pass.rows.begin(), pass.rows.end(), before)) {
    std::sort(pass.rows.begin(), pass.rows.end(), before);
  }
  pass.LimitTo(limits_.update_bytes);
  GroupWriter groups(update);
  const RecordKey* last = nullptr;
  for (auto& [row, removable] : pass.rows) {
    if (row.version > pass.cut) break;
    if (last != nullptr && *last == row.key) continue;  // it lies in two of the scopes
    const Sight sight = SightNow(row);
    // What has left for another of the scopes comes with that one, in its turn.
    if (sight.visible && !row.present) continue;
    if (!sight.visible && !removable) continue;
    last = &row.key;
    if (sight.visible) {
      const RecordType& type = *schema_.Find(row.key.type);
      Redact(type, sight.hidden, &row.state);
      RETURN_IF_ERROR(
          AddDisclosures(reader, schema_, type, row.key.id, row.state, persons_, disclosures));
      groups.Add(&row);
    } else {
      AddRemoval(row.key, update);
    }
  }
  groups.Close();
  RETURN_IF_ERROR(MoveCursors(reader, pass, update));
  AddAnswers(pass, update);
  update->set_passed(pass.Passed());
  update->set_catching_up(!pass.complete());
  return absl::OkStatus();
}

void Session::MakeUpdate() {
  sync::v1::Update update;
  Disclosures disclosures;
  auto status =
      store_.Read([&](Reader& reader) { return BuildUpdate(reader, &update, &disclosures); });
  if (status.ok()) status = Log(Way::kDevice, disclosures);
  if (!status.ok()) return OnTrouble(status);
  moved_ = update.catching_up() || update.answers_size() >= static_cast<int>(kAnswersMax);
  // One is sent even where it is empty, to say that there is no more.
  const bool said = greeted_ && catching_up_ == update.catching_up();
  greeted_ = true;
  catching_up_ = update.catching_up();
  if (!said || update.ByteSizeLong() > 0) Send(std::move(update));
}

void Session::Send(sync::v1::Update update) {
  if (update.ByteSizeLong() <= limits_.frame_bytes) {
    *out_.emplace_back().mutable_update() = std::move(update);
    return;
  }
  for (sync::v1::Update& part : PartsOf(std::move(update), limits_.frame_bytes)) {
    *out_.emplace_back().mutable_update() = std::move(part);
  }
}

int64_t Session::wakes_at_ms() const {
  return state_ == State::kOpen ? offices_valid_until_ms_ : std::numeric_limits<int64_t>::max();
}

bool Session::Next(ServerFrame* frame) {
  if (environment_.now_ms() >= wakes_at_ms()) moved_ = true;
  if (out_.empty() && state_ == State::kOpen && moved_) MakeUpdate();
  // Also where the update had nothing to say: nothing else may come that asks again.
  if (out_.empty() && state_ == State::kOpen && !moved_ && forked_) Renumber();
  if (out_.empty()) return false;
  *frame = std::move(out_.front());
  out_.pop_front();
  return true;
}

}  // namespace zhibu::server
