#include "server/sessions/catch_up.h"

#include <limits>
#include <tuple>
#include <utility>

#include "sync/base/reason.h"
#include "sync/base/require.h"
#include "sync/base/status.h"
#include "sync/merge/audience.h"
#include "sync/wire/record.h"

namespace zhibu::server {
namespace {

// In a cursor's set of offices, none of which it is: others of the device's have been sent
// less, or what it has dropped is not all there again.
constexpr uint32_t kMixed = 1u << 31;
static_assert((kMixed & kAllOffices) == 0);

size_t SizeOf(const FeedRow& row) {
  return row.state.body.size() + row.state.trace.size() + Id::kSize;
}

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

// Edits that are on their way to be committed keep what was so when they came.
void NoteSent(const Id& scope, Version version, std::shared_ptr<const Sent>* sent) {
  const auto it = (*sent)->cursors.find(scope);
  if (it == (*sent)->cursors.end() ? version.value == 0 : it->second >= version) return;
  Sent more = **sent;
  more.cursors[scope] = version;
  *sent = std::make_shared<const Sent>(std::move(more));
}

}  // namespace

// What one reading of the feeds has found, before it becomes an update.
struct CatchUp::Pass {
  struct Found {
    FeedRow row;
    bool removable = false;  // the device was sent it, and it is to be seen there no longer
  };
  // Of every row that the device may know of, ascending: of those that there is nothing to
  // say of, too.
  using Known = std::vector<Version>;

  std::vector<Found> rows;
  std::map<const Open*, Known> known;
  std::vector<Version> counted;  // of those that CountRows counts, in no order
  std::vector<RecordKey> damaged;
  // Everything up to here has been read, in every scope: an update that ends
  // here splits no edit.
  Version cut{std::numeric_limits<uint64_t>::max()};

  bool complete() const { return cut.value == std::numeric_limits<uint64_t>::max(); }

  // Each channel was read up to the limit; all of them together keep it as well.
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
  Version KnownUpToCut(const Open& channel) const {
    const Known& versions = known.at(&channel);
    const auto end = std::upper_bound(versions.begin(), versions.end(), cut);
    return end == versions.begin() ? Version() : *std::prev(end);
  }

  uint64_t Passed() const {
    return static_cast<uint64_t>(std::count_if(counted.begin(), counted.end(),
                                               [&](Version version) { return version <= cut; }));
  }
};

absl::Status CatchUp::Resume(CursorSeal seal,
                             const google::protobuf::RepeatedPtrField<sync::v1::Cursor>& cursors) {
  seal_ = std::move(seal);
  const bool anew = !std::all_of(cursors.begin(), cursors.end(),
                                 [&](const auto& cursor) { return seal_->Good(cursor); });
  for (const auto& cursor : cursors) {
    const auto scope = Id::FromBytes(cursor.scope());
    if (!scope) return zhibu::Refuse(sync::v1::MALFORMED, "cursor");
    if (anew) {
      forgotten_.insert(*scope);
      continue;
    }
    ScopeState& state = scopes_[*scope];
    state.channels.clear();
    state.cursor = cursor.SerializeAsString();
    for (const Channel& channel : CursorSeal::ChannelsIn(cursor)) {
      state.channels.push_back({channel, Version()});
    }
  }
  return absl::OkStatus();
}

CatchUp::Open CatchUp::ChannelOf(uint32_t offices) {
  Open channel;
  channel.offices = offices;
  return channel;
}

absl::Status CatchUp::SetOffices(Reader& reader, const std::map<Id, uint32_t>& offices) {
  bool sees_any = false;
  for (const auto& [scope, audience] : offices) {
    if (audience == 0) continue;
    sees_any = true;
    scopes_.try_emplace(scope);
  }
  for (auto& [scope, state] : scopes_) {
    const auto it = offices.find(scope);
    state.audience = it == offices.end() ? 0 : it->second;
    uint32_t held = 0;
    for (const Open& channel : state.channels) held |= channel.owned();
    if ((held & ~state.audience) != 0) {
      held = 0;
      state.channels.clear();
      state.to_drop = true;
      if (sees_any) state.channels.push_back(ChannelOf(kLiesThere));
    }
    const uint32_t fresh = state.audience & ~held;
    if (fresh != 0) RETURN_IF_ERROR(OpenChannel(reader, scope, fresh, &state));
  }
  return absl::OkStatus();
}

absl::Status CatchUp::OpenChannel(Reader& reader, const Id& scope, uint32_t offices,
                                  ScopeState* state) {
  ASSIGN_OR_RETURN(const Version began, reader.LastInFeed(scope, offices));
  // What begins together is read together.
  for (Open& channel : state->channels) {
    if (channel.from().value != 0 || channel.owned() != 0) continue;
    channel.offices |= offices;
    channel.began = began;
    return absl::OkStatus();
  }
  state->channels.push_back(ChannelOf(offices));
  state->channels.back().began = began;
  return absl::OkStatus();
}

// What left the scope, or was hidden, at the row's version: whether the device had it.
bool CatchUp::Open::WasSent(const FeedRow& row) const {
  if (row.present) return false;
  if (began.value == 0) return row.since <= version;
  return row.since <= whole || (row.since <= version && row.version > began);
}

absl::StatusOr<uint64_t> CatchUp::CountRows(Reader& reader) const {
  uint64_t count = 0;
  for (const auto& [scope, state] : scopes_) {
    for (const Open& channel : state.channels) {
      if (channel.owned() == 0) continue;
      ASSIGN_OR_RETURN(const uint64_t rows,
                       reader.CountFeed(scope, channel.from(), channel.owned()));
      count += rows;
    }
  }
  return count;
}

std::vector<Id> CatchUp::Scopes() const {
  std::vector<Id> scopes;
  for (const auto& [scope, state] : scopes_) scopes.push_back(scope);
  return scopes;
}

CatchUp::Sight CatchUp::SightOf(const FeedRow& row, OfficesIn offices_in) const {
  if (!row.state.alive()) return {};
  const RecordType* type = schema_.Find(row.key.type);
  if (type == nullptr) return {};
  const Eyes eyes =
      EyesOn(PlacesOf(*type, row.key.id, row.state.body), [&](const Id& scope) -> uint32_t {
        const auto it = scopes_.find(scope);
        return it == scopes_.end() ? 0 : offices_in(scope, it->second);
      });
  if (!eyes.Meet(ReadersOf(schema_, *type, row.state.body))) return {};
  return {true, HiddenFrom(*type, eyes, HostSightOf(*type, row.state.body))};
}

CatchUp::Sight CatchUp::SightNow(const FeedRow& row) const {
  return SightOf(row, [](const Id&, const ScopeState& state) { return state.audience; });
}

// Whether the device has it already, through other channels.
bool CatchUp::HasAlready(const Id& scope, const FeedRow& row, const Sight& now) const {
  const auto sent = [&](const Id& other, const ScopeState& state) {
    const bool this_row = other == scope && row.present;
    const Version at = this_row ? row.version : row.state.version();
    uint32_t offices = 0;
    for (const Open& channel : state.channels) {
      if (channel.again() || channel.version < at) continue;
      offices |= this_row ? channel.offices & row.offices : channel.offices;
    }
    return offices & state.audience;
  };
  return SightOf(row, sent) == now;
}

absl::Status CatchUp::ReadChannel(Reader& reader, const Id& scope, const Open& channel,
                                  Pass* pass) const {
  size_t bytes = 0;
  Version last;
  bool more = false;
  Pass::Known& known = pass->known[&channel];
  RETURN_IF_ERROR(reader.ReadFeed(scope, channel.from(), channel.offices, [&](const FeedRow& row) {
    if (bytes >= update_bytes_ && row.version != last) {
      more = true;
      return false;
    }
    REQUIRE(row.version >= last && row.version > channel.from());
    last = row.version;
    const bool may_know = (row.offices & channel.owned()) != 0;
    if (row.damaged) {
      if (may_know) known.push_back(row.version);
      if (may_know && row.present) pass->counted.push_back(row.version);
      pass->damaged.push_back(row.key);
      ++bytes;
      return true;
    }
    const Sight now = SightNow(row);
    const bool removable = may_know && channel.WasSent(row);
    // What is sent again moves it too, or a reading that is broken off would never end.
    if (may_know || (channel.again() && now.visible)) known.push_back(row.version);
    // What had gone when the device came was never there for it to count.
    if (may_know && (row.present || removable)) pass->counted.push_back(row.version);
    if (!removable && (!now.visible || (!channel.again() && HasAlready(scope, row, now)))) {
      ++bytes;  // passing over is work too
      return true;
    }
    bytes += SizeOf(row);
    pass->rows.push_back({row, removable});
    return true;
  }));
  if (more) pass->cut = std::min(pass->cut, last);
  return absl::OkStatus();
}

// What the device may see of the record has changed since, and comes with that change.
absl::StatusOr<bool> CatchUp::ComesLater(Reader& reader, const FeedRow& row, Version cut) const {
  if (row.state.version() <= cut) return false;
  const RecordType& type = *schema_.Find(row.key.type);
  for (const Placed& placed : PlacesOf(type, row.key.id, row.state.body)) {
    const auto it = scopes_.find(placed.scope);
    if (it == scopes_.end()) continue;
    for (const Open& channel : it->second.channels) {
      ASSIGN_OR_RETURN(const Version shown,
                       reader.LastShown(placed.scope, channel.owned(), row.key));
      if (shown > cut && shown > channel.version) return true;
    }
  }
  return false;
}

absl::Status CatchUp::Write(Reader& reader, const std::vector<Id>& persons, Pass* pass,
                            sync::v1::Update* update, Disclosures* disclosures) const {
  struct Said {
    size_t last = 0;
    bool removable = false;
  };
  const auto end = std::find_if(pass->rows.begin(), pass->rows.end(),
                                [&](const auto& found) { return found.row.version > pass->cut; });
  const size_t count = static_cast<size_t>(end - pass->rows.begin());
  // A record that is found several times, in two scopes or for two offices, is said once.
  std::map<RecordKey, Said> said;
  for (size_t i = 0; i < count; ++i) {
    Said& one = said[pass->rows[i].row.key];
    one.last = i;
    one.removable = one.removable || pass->rows[i].removable;
  }
  GroupWriter groups(update);
  for (size_t i = 0; i < count; ++i) {
    FeedRow& row = pass->rows[i].row;
    const Said& one = said.at(row.key);
    if (one.last != i) continue;
    const Sight sight = SightNow(row);
    bool shown = sight.visible;
    if (shown) {
      ASSIGN_OR_RETURN(const bool later, ComesLater(reader, row, pass->cut));
      shown = !later;
    }
    if (shown) {
      const RecordType& type = *schema_.Find(row.key.type);
      Redact(type, sight.hidden, &row.state);
      RETURN_IF_ERROR(
          AddDisclosures(reader, schema_, type, row.key.id, row.state, persons, disclosures));
      groups.Add(&row);
    } else if (one.removable) {
      AddRemoval(row.key, update);
    }
  }
  groups.Close();
  return absl::OkStatus();
}

void CatchUp::AddCursor(const Id& scope, bool dropped, ScopeState* state,
                        sync::v1::Update* update) const {
  sync::v1::Cursor cursor;
  cursor.set_scope(scope.str());
  if (!state->channels.empty()) {
    const auto furthest =
        std::max_element(state->channels.begin(), state->channels.end(),
                         [](const Open& a, const Open& b) { return a.version < b.version; });
    cursor.set_version(furthest->version.value);
    const bool mixed = state->channels.size() > 1 || furthest->again();
    cursor.set_audience(furthest->owned() | (mixed ? kMixed : 0));
    seal_->Put({state->channels.begin(), state->channels.end()}, &cursor);
  }
  std::string bytes = cursor.SerializeAsString();
  const bool nothing = state->cursor.empty() && cursor.version() == 0 && !dropped;
  if (nothing || bytes == state->cursor) return;
  state->cursor = std::move(bytes);
  *update->add_cursors() = std::move(cursor);
}

absl::Status CatchUp::Advance(Reader& reader, const Pass& pass, std::shared_ptr<const Sent>* sent,
                              sync::v1::Update* update) {
  for (const Id& scope : std::exchange(forgotten_, {})) {
    update->add_dropped(scope.str());
    update->add_cursors()->set_scope(scope.str());  // if it is to have one, that comes next
  }
  for (auto it = scopes_.begin(); it != scopes_.end();) {
    auto& [scope, state] = *it;
    const bool dropped = std::exchange(state.to_drop, false);
    if (dropped) update->add_dropped(scope.str());
    ASSIGN_OR_RETURN(const Version end, reader.ScopeVersion(scope));
    Open whole = ChannelOf(state.audience);
    whole.looked = end;
    for (Open& channel : state.channels) {
      if (!pass.complete() && channel.began.value == 0) {
        ASSIGN_OR_RETURN(channel.began, reader.LastInFeed(scope, channel.owned()));
        channel.whole = channel.version;
      }
      channel.version = std::max(channel.version, pass.KnownUpToCut(channel));
      channel.looked = std::max(channel.looked, std::min(pass.cut, end));
      if (channel.version >= channel.began) channel.began = channel.whole = Version();
      NoteSent(scope, channel.version, sent);
      whole.version = std::max(whole.version, channel.version);
    }
    if (pass.complete()) {
      state.channels.clear();
      if (state.audience != 0) state.channels.push_back(whole);
    }
    AddCursor(scope, dropped, &state, update);
    it = state.channels.empty() ? scopes_.erase(it) : std::next(it);
  }
  return absl::OkStatus();
}

absl::StatusOr<CatchUp::Part> CatchUp::Read(Reader& reader, const std::vector<Id>& persons,
                                            std::shared_ptr<const Sent>* sent,
                                            sync::v1::Update* update, Disclosures* disclosures) {
  Pass pass;
  for (const auto& [scope, state] : scopes_) {
    for (const Open& channel : state.channels) {
      RETURN_IF_ERROR(ReadChannel(reader, scope, channel, &pass));
    }
  }
  const auto before = [](const Pass::Found& a, const Pass::Found& b) {
    return std::tie(a.row.version, a.row.key) < std::tie(b.row.version, b.row.key);
  };
  // Most often only one of the channels has anything.
  if (!std::is_sorted(pass.rows.begin(), pass.rows.end(), before)) {
    std::sort(pass.rows.begin(), pass.rows.end(), before);
  }
  pass.LimitTo(update_bytes_);
  RETURN_IF_ERROR(Write(reader, persons, &pass, update, disclosures));
  const Part part{pass.cut, pass.complete(), pass.Passed(), std::move(pass.damaged)};
  RETURN_IF_ERROR(Advance(reader, pass, sent, update));
  return part;
}

}  // namespace zhibu::server
