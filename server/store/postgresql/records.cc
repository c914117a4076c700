#include "server/store/postgresql/transaction.h"
#include "sync/base/require.h"
#include "sync/base/status.h"

namespace zhibu::server::postgresql {
namespace {

// Rows that are fetched at once where many are read.
#define ZHIBU_PAGE " LIMIT 256"
constexpr int kPage = 256;

constexpr char kGetRecord[] = "SELECT " ZHIBU_STATE_COLUMNS
                              " FROM record r"
                              " WHERE r.spread = get_byte($2, 15) AND r.type = $1 AND r.id = $2";
constexpr char kPutRecord[] =
    "INSERT INTO record (type, id, touch_version, touch_writer, touch_stamp, deletion_version,"
    " deletion_writer, deletion_stamp, body, trace) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, "
    "$10)"
    " ON CONFLICT (spread, type, id) DO UPDATE SET touch_version = excluded.touch_version,"
    " touch_writer = excluded.touch_writer, touch_stamp = excluded.touch_stamp,"
    " deletion_version = excluded.deletion_version, deletion_writer = excluded.deletion_writer,"
    " deletion_stamp = excluded.deletion_stamp, body = excluded.body, trace = excluded.trace";
constexpr char kListRecords[] = "SELECT " ZHIBU_STATE_COLUMNS
                                ", r.id FROM record r"
                                " WHERE r.type = $1 AND r.id > $2 AND r.deletion_version IS NULL"
                                " ORDER BY r.id" ZHIBU_PAGE;
constexpr char kListEver[] = "SELECT " ZHIBU_STATE_COLUMNS
                             ", r.id FROM record r"
                             " WHERE r.type = $1 AND r.id > $2 ORDER BY r.id" ZHIBU_PAGE;
constexpr char kReadRecords[] = "SELECT " ZHIBU_STATE_COLUMNS
                                ", r.id, r.type FROM record r"
                                " WHERE (r.type, r.id) > ($1, $2)"
                                " ORDER BY r.type, r.id" ZHIBU_PAGE;
constexpr char kFindLost[] =
    "SELECT DISTINCT f.type, f.id FROM feed f WHERE NOT EXISTS (SELECT 1 FROM record r"
    " WHERE r.spread = get_byte(f.id, 15) AND r.type = f.type AND r.id = f.id) LIMIT $1";
// By the scopes, of which there are fewer than rows of feeds.
constexpr char kScopesOf[] =
    "SELECT s.id FROM scope s WHERE EXISTS"
    " (SELECT 1 FROM feed f WHERE f.scope = s.id AND f.type = $1 AND f.id = $2)";

constexpr char kDropFeed[] = "DELETE FROM feed WHERE scope = $1 AND type = $2 AND id = $3";
constexpr char kPutFeed[] =
    "INSERT INTO feed (scope, type, id, offices, version, present, since)"
    " VALUES ($1, $2, $3, $4, $5, $6, $7)"
    " ON CONFLICT (scope, type, id, offices) DO UPDATE SET version = excluded.version,"
    " present = excluded.present, since = excluded.since";
constexpr char kKeepLast[] =
    "DELETE FROM feed WHERE (version, offices) <> (SELECT g.version, g.offices FROM feed g"
    " WHERE g.scope = feed.scope AND g.type = feed.type AND g.id = feed.id"
    " ORDER BY g.version DESC, g.offices DESC LIMIT 1)";
constexpr char kForgetSeen[] = "UPDATE feed SET offices = 0, present = false";
constexpr char kPutSeen[] =
    "UPDATE feed SET offices = $1, present = true WHERE scope = $2 AND type = $3 AND id = $4";

// LEFT, so that a row whose record is missing shows as damage and is not skipped.
#define ZHIBU_FEED_WITH_RECORDS                                      \
  " FROM feed f LEFT JOIN record r ON r.spread = get_byte(f.id, 15)" \
  " AND r.type = f.type AND r.id = f.id"
constexpr char kReadFeed[] =
    "SELECT " ZHIBU_STATE_COLUMNS
    ", f.version, f.type, f.id, f.present, f.offices, f.since" ZHIBU_FEED_WITH_RECORDS
    " WHERE f.scope = $1 AND (f.version, f.type, f.id, f.offices) > ($2, $3, $4, $5)"
    " AND f.offices & $6 <> 0 ORDER BY f.version, f.type, f.id, f.offices" ZHIBU_PAGE;
constexpr char kListFeed[] = "SELECT " ZHIBU_STATE_COLUMNS ", f.id" ZHIBU_FEED_WITH_RECORDS
                             " WHERE f.scope = $1 AND f.type = $2 AND f.id > $3 AND f.present"
                             " AND f.offices & 1073741824 <> 0 AND r.deletion_version IS NULL"
                             " ORDER BY f.id" ZHIBU_PAGE;
static_assert(kLiesThere == 1073741824, "as kListFeed spells it");
constexpr char kCountFeed[] =
    "SELECT count(*) FROM feed WHERE scope = $1 AND version > $2 AND offices & $3 <> 0"
    " AND (present OR since <= $2)";
constexpr char kLastInFeed[] =
    "SELECT version FROM feed WHERE scope = $1 AND offices & $2 <> 0 ORDER BY version DESC LIMIT 1";
constexpr char kLastShown[] =
    "SELECT coalesce(max(version), 0) FROM feed"
    " WHERE scope = $1 AND type = $2 AND id = $3 AND present AND offices & $4 <> 0";
constexpr char kEverIn[] = "SELECT 1 FROM feed WHERE scope = $1 AND type = $2 AND id = $3 LIMIT 1";

}  // namespace

absl::StatusOr<RecordState> Transaction::StateOf(const Rows& rows, int row, const RecordKey& key) {
  const Damage damage{.what = Damage::What::kRecord, .record = key};
  if (rows.IsNull(row, 0)) return Note(damage);  // a feed's, and there is no such record
  RecordState state;
  state.exists = true;
  state.touch = {rows.Number<Version>(row, 0), rows.Number<DeviceNumber>(row, 1),
                 rows.Number<Stamp>(row, 2)};
  if (!rows.IsNull(row, 3)) {
    state.deletion = Touch{rows.Number<Version>(row, 3), rows.Number<DeviceNumber>(row, 4),
                           rows.Number<Stamp>(row, 5)};
  }
  auto body = Open(rows, row, 6, layout::Body(key));
  auto trace = Open(rows, row, 7, layout::Trace(key));
  if (!body || !trace) return Note(damage);
  state.body = *std::move(body);
  state.trace = *std::move(trace);
  return state;
}

absl::StatusOr<RecordState> Transaction::GetRecord(const RecordKey& key) {
  if (!broken_.ok()) return broken_;
  if (const auto known = records_.find(key); known != records_.end()) {
    work_ += 1 + (known->second.body.size() + known->second.trace.size()) / kBytesPerWork;
    return known->second;
  }
  ASSIGN_OR_RETURN(const Rows rows, Ask(kGetRecord, key.type, key.id));
  RecordState state;
  if (!rows.empty()) {
    ASSIGN_OR_RETURN(state, StateOf(rows, 0, key));
  }
  records_.try_emplace(key, state);
  return state;
}

absl::Status Transaction::ReadFeed(const Id& scope, Version after, uint32_t offices,
                                   absl::FunctionRef<bool(const FeedRow&)> visit) {
  FeedRow feed;
  feed.version = Bounded(after);
  feed.key.type = std::numeric_limits<uint32_t>::max();  // past all that is at this version
  bool more = true;
  while (more) {
    ASSIGN_OR_RETURN(const Rows rows, Ask(kReadFeed, scope, feed.version, feed.key.type,
                                          feed.key.id, feed.offices, offices));
    for (int row = 0; more && row < rows.size(); ++row) {
      feed = FeedRow();
      feed.version = rows.Number<Version>(row, kAfterState);
      feed.key = {rows.Small(row, kAfterState + 1), rows.IdAt(row, kAfterState + 2)};
      absl::StatusOr<RecordState> state = StateOf(rows, row, feed.key);
      feed.damaged = !state.ok();
      if (state.ok()) feed.state = *std::move(state);
      feed.present = rows.Bool(row, kAfterState + 3);
      feed.offices = rows.Small(row, kAfterState + 4);
      feed.since = rows.Number<Version>(row, kAfterState + 5);
      more = visit(feed);
    }
    more = more && rows.size() == kPage;
  }
  return broken_;
}

absl::StatusOr<uint64_t> Transaction::CountFeed(const Id& scope, Version after, uint32_t offices) {
  ASSIGN_OR_RETURN(const Rows rows, Ask(kCountFeed, scope, Bounded(after), offices));
  return static_cast<uint64_t>(rows.Int(0, 0));
}

absl::StatusOr<Version> Transaction::LastInFeed(const Id& scope, uint32_t offices) {
  ASSIGN_OR_RETURN(const Rows rows, Ask(kLastInFeed, scope, offices));
  return rows.empty() ? Version() : rows.Number<Version>(0, 0);
}

absl::StatusOr<Version> Transaction::LastShown(const Id& scope, uint32_t offices,
                                               const RecordKey& key) {
  ASSIGN_OR_RETURN(const Rows rows, Ask(kLastShown, scope, key.type, key.id, offices));
  return rows.Number<Version>(0, 0);
}

absl::StatusOr<bool> Transaction::EverIn(const Id& scope, const RecordKey& key) {
  if (!broken_.ok()) return broken_;
  if (const auto known = feeds_.find({scope, key}); known != feeds_.end()) {
    ++work_;
    return !known->second.empty();
  }
  ASSIGN_OR_RETURN(const Rows rows, Ask(kEverIn, scope, key.type, key.id));
  return !rows.empty();
}

// A page after another, as `ask` gives them. No id is below one of zeros, which nothing has.
absl::Status Transaction::VisitList(uint32_t type,
                                    absl::FunctionRef<absl::StatusOr<Rows>(const Id&)> ask,
                                    Id after,
                                    absl::FunctionRef<bool(const Id&, const RecordState&)> visit) {
  absl::Status damaged;
  bool more = true;
  while (more) {
    ASSIGN_OR_RETURN(const Rows rows, ask(after));
    for (int row = 0; more && row < rows.size(); ++row) {
      after = rows.IdAt(row, kAfterState);
      const absl::StatusOr<RecordState> state = StateOf(rows, row, {type, after});
      damaged.Update(state.status());
      if (state.ok()) more = visit(after, *state);
    }
    more = more && rows.size() == kPage;
  }
  return damaged;
}

absl::Status Transaction::ListRecords(
    uint32_t type, std::optional<Id> scope,
    absl::FunctionRef<void(const Id&, const RecordState&)> visit) {
  const auto each = [&](const Id& id, const RecordState& state) {
    visit(id, state);
    return true;
  };
  if (scope.has_value()) return ListFrom(type, *scope, std::nullopt, each);
  return VisitList(
      type, [&](const Id& after) { return Ask(kListRecords, type, after); }, Id(), each);
}

absl::Status Transaction::ListFrom(uint32_t type, const Id& scope, const std::optional<Id>& after,
                                   absl::FunctionRef<bool(const Id&, const RecordState&)> visit) {
  if (!broken_.ok()) return broken_;
  if (const auto known = ListKnown(type, scope)) {
    ++work_;
    for (const Id& id : *known) {
      if (after && !(*after < id)) continue;
      ASSIGN_OR_RETURN(const RecordState state, GetRecord({type, id}));
      if (!visit(id, state)) break;
    }
    return absl::OkStatus();
  }
  return VisitList(
      type, [&](const Id& from) { return Ask(kListFeed, scope, type, from); }, after.value_or(Id()),
      visit);
}

absl::Status Transaction::ListEver(uint32_t type,
                                   absl::FunctionRef<void(const Id&, const RecordState&)> visit) {
  return VisitList(
      type, [&](const Id& after) { return Ask(kListEver, type, after); }, Id(),
      [&](const Id& id, const RecordState& state) {
        visit(id, state);
        return true;
      });
}

absl::Status Transaction::ReadRecords(
    const RecordKey& after, absl::FunctionRef<bool(const RecordKey&, const RecordState*)> visit) {
  RecordKey key = after;
  bool more = true;
  while (more) {
    ASSIGN_OR_RETURN(const Rows rows, Ask(kReadRecords, key.type, key.id));
    for (int row = 0; more && row < rows.size(); ++row) {
      key = {rows.Small(row, kAfterState + 1), rows.IdAt(row, kAfterState)};
      const absl::StatusOr<RecordState> state = StateOf(rows, row, key);
      more = visit(key, state.ok() ? &*state : nullptr);
    }
    more = more && rows.size() == kPage;
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<RecordKey>> Transaction::FindLost(size_t most) {
  ASSIGN_OR_RETURN(const Rows rows, Ask(kFindLost, static_cast<int64_t>(most)));
  std::vector<RecordKey> lost;
  for (int row = 0; row < rows.size(); ++row)
    lost.push_back({rows.Small(row, 0), rows.IdAt(row, 1)});
  return lost;
}

absl::StatusOr<std::vector<Id>> Transaction::ScopesOf(const RecordKey& key) {
  ASSIGN_OR_RETURN(const Rows rows, Ask(kScopesOf, key.type, key.id));
  std::vector<Id> scopes;
  for (int row = 0; row < rows.size(); ++row) scopes.push_back(rows.IdAt(row, 0));
  return scopes;
}

absl::Status Transaction::PutRecord(const RecordKey& key, const RecordState& state,
                                    absl::Span<const Id> before, absl::Span<const Showing> after) {
  if (!layout::Storable(state)) {
    return absl::InvalidArgumentError("a record is stored with the version the server gave it");
  }
  types_.insert(key.type);
  const std::vector<Showing> showings = layout::AllShowings(before, after);
  std::vector<Id> scopes;
  for (const Showing& showing : showings) scopes.push_back(showing.scope);
  RETURN_IF_ERROR(LoadScopes(std::move(scopes)));
  RETURN_IF_ERROR(LoadFeeds(key, showings));
  RETURN_IF_ERROR(QueueRecord(key, state));
  for (const Showing& showing : showings) {
    RETURN_IF_ERROR(MoveRows(showing, key, state.version()));
  }
  return absl::OkStatus();
}

absl::Status Transaction::QueueRecord(const RecordKey& key, const RecordState& state) {
  std::optional<Version> version;
  std::optional<DeviceNumber> writer;
  std::optional<Stamp> stamp;
  if (state.deletion.has_value()) {
    version = state.deletion->version;
    writer = state.deletion->writer;
    stamp = state.deletion->stamp;
  }
  Remember(records_, key, state);
  return Queue(kPutRecord, key.type, key.id, state.touch.version, state.touch.writer,
               state.touch.stamp, version, writer, stamp, Close(layout::Body(key), state.body),
               Close(layout::Trace(key), state.trace));
}

// What was never written lies in no feed.
absl::Status Transaction::LoadFeeds(const RecordKey& key, absl::Span<const Showing> showings) {
  const auto record = records_.find(key);
  const bool fresh = record != records_.end() && !record->second.exists;
  std::vector<FeedKey> asked;
  for (const Showing& showing : showings) {
    const FeedKey one{showing.scope, key};
    if (feeds_.contains(one)) continue;
    if (fresh) {
      feeds_.try_emplace(one);
    } else {
      asked.push_back(one);
    }
  }
  if (asked.empty()) return broken_;
  std::vector<std::string> scopes;
  for (const FeedKey& one : asked) scopes.push_back(one.scope.str());
  ASSIGN_OR_RETURN(
      const Rows rows,
      Ask(kFeedsOf, scopes, std::vector<int64_t>(asked.size(), static_cast<int64_t>(key.type)),
          std::vector<std::string>(asked.size(), key.id.str())));
  RememberFeeds(rows, asked);
  return absl::OkStatus();
}

void Transaction::RememberFeeds(const Rows& rows, absl::Span<const FeedKey> asked) {
  absl::flat_hash_map<FeedKey, layout::FeedRows> found;
  for (const FeedKey& one : asked) found[one];
  for (int row = 0; row < rows.size(); ++row) {
    const FeedKey one{rows.IdAt(row, 0), {rows.Small(row, 1), rows.IdAt(row, 2)}};
    found[one][rows.Small(row, 3)] = {rows.Number<Version>(row, 4), rows.Bool(row, 5),
                                      rows.Number<Version>(row, 6)};
  }
  for (auto& [one, are] : found) feeds_.try_emplace(one, std::move(are));
}

absl::Status Transaction::MoveRows(const Showing& showing, const RecordKey& key, Version version) {
  // No row of a feed is past its scope's version, or a later one could be given
  // the same version and be missed.
  MoveScope(showing.scope, version);
  ForgetList(key.type, showing.scope);
  const layout::FeedRows were = feeds_.at({showing.scope, key});
  const layout::FeedRows are = layout::Move(were, showing, version);
  if (are == were) return broken_;
  Remember(feeds_, FeedKey{showing.scope, key}, are);
  if (!were.empty() && !layout::SameOffices(are, were)) {
    RETURN_IF_ERROR(Queue(kDropFeed, showing.scope, key.type, key.id));
  }
  for (const auto& [offices, row] : are) {
    RETURN_IF_ERROR(Queue(kPutFeed, showing.scope, key.type, key.id, offices, row.version,
                          row.present, row.since));
  }
  return absl::OkStatus();
}

absl::Status Transaction::ForgetSeen() {
  feeds_.clear();
  lying_.clear();
  lists_.clear();
  RETURN_IF_ERROR(Queue(kKeepLast));
  return Queue(kForgetSeen);
}

absl::Status Transaction::PutSeen(const RecordKey& key, absl::Span<const Showing> showings) {
  for (const Showing& showing : showings) {
    feeds_.erase({showing.scope, key});
    ForgetList(key.type, showing.scope);
    RETURN_IF_ERROR(Queue(kPutSeen, showing.offices | kLiesThere, showing.scope, key.type, key.id));
  }
  return absl::OkStatus();
}

}  // namespace zhibu::server::postgresql
