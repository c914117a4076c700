#include "server/store/layout.h"
#include "server/store/sqlite/transaction.h"

namespace zhibu::server::sqlite {
namespace {

// The first eight columns wherever a record is read: see Transaction::StateOf.
#define ZHIBU_STATE_COLUMNS                                              \
  "r.touch_version, r.touch_writer, r.touch_stamp, r.deletion_version, " \
  "r.deletion_writer, r.deletion_stamp, r.body, r.trace"
constexpr int kAfterState = 8;

constexpr char kGetRecord[] =
    "SELECT " ZHIBU_STATE_COLUMNS " FROM record r WHERE r.type = ? AND r.id = ?";
constexpr char kPutRecord[] =
    "INSERT INTO record (type, id, touch_version, touch_writer, touch_stamp, deletion_version,"
    " deletion_writer, deletion_stamp, body, trace) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
    " ON CONFLICT (type, id) DO UPDATE SET touch_version = excluded.touch_version,"
    " touch_writer = excluded.touch_writer, touch_stamp = excluded.touch_stamp,"
    " deletion_version = excluded.deletion_version, deletion_writer = excluded.deletion_writer,"
    " deletion_stamp = excluded.deletion_stamp, body = excluded.body, trace = excluded.trace"
    " RETURNING no";
constexpr char kListRecords[] = "SELECT " ZHIBU_STATE_COLUMNS
                                ", r.id FROM record r INDEXED BY record_key"
                                " WHERE r.type = ? AND r.deletion_version IS NULL ORDER BY r.id";

constexpr char kListEver[] = "SELECT " ZHIBU_STATE_COLUMNS
                             ", r.id FROM record r INDEXED BY record_key"
                             " WHERE r.type = ? ORDER BY r.id";

constexpr char kReadRecords[] = "SELECT " ZHIBU_STATE_COLUMNS
                                ", r.id, r.type FROM record r INDEXED BY record_key"
                                " WHERE (r.type, r.id) > (?, ?) ORDER BY r.type, r.id";
constexpr char kFindLost[] =
    "SELECT DISTINCT f.type, f.id FROM feed f"
    " WHERE NOT EXISTS (SELECT 1 FROM record r WHERE r.no = f.record_no) LIMIT ?";
// By the scopes, of which there are fewer than rows of feeds.
constexpr char kScopesOf[] =
    "SELECT s.id FROM scope s WHERE EXISTS"
    " (SELECT 1 FROM feed f WHERE f.scope_no = s.no AND f.type = ? AND f.id = ?)";

constexpr char kFeedOf[] =
    "SELECT offices, version, present, since FROM feed"
    " WHERE scope_no = ? AND type = ? AND id = ?";
constexpr char kDropFeed[] = "DELETE FROM feed WHERE scope_no = ? AND type = ? AND id = ?";
constexpr char kPutFeed[] =
    "INSERT INTO feed (scope_no, type, id, offices, record_no, version, present, since)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
    " ON CONFLICT (scope_no, type, id, offices) DO UPDATE SET version = excluded.version,"
    " present = excluded.present, since = excluded.since";
constexpr char kKeepLast[] =
    "DELETE FROM feed WHERE (version, offices) <> (SELECT g.version, g.offices FROM feed g"
    " WHERE g.scope_no = feed.scope_no AND g.type = feed.type AND g.id = feed.id"
    " ORDER BY g.version DESC, g.offices DESC LIMIT 1)";
constexpr char kForgetSeen[] = "UPDATE feed SET offices = 0, present = 0";
constexpr char kPutSeen[] =
    "UPDATE feed SET offices = ?, present = 1"
    " WHERE scope_no = (SELECT no FROM scope WHERE id = ?) AND type = ? AND id = ?";
// LEFT, so that a row whose record is missing shows as damage and is not skipped.
constexpr char kReadFeed[] =
    "SELECT " ZHIBU_STATE_COLUMNS
    ", f.version, f.type, f.id, f.present, f.offices, f.since"
    " FROM feed f INDEXED BY feed_version LEFT JOIN record r ON r.no = f.record_no"
    " WHERE f.scope_no = (SELECT no FROM scope WHERE id = ?) AND f.version > ?"
    " AND f.offices & ? <> 0 ORDER BY f.version, f.type, f.id";
constexpr char kCountFeed[] =
    "SELECT count(*) FROM feed INDEXED BY feed_version"
    " WHERE scope_no = (SELECT no FROM scope WHERE id = ?1) AND version > ?2 AND offices & ?3 <> 0"
    " AND (present = 1 OR since <= ?2)";
constexpr char kLastInFeed[] =
    "SELECT version FROM feed INDEXED BY feed_version"
    " WHERE scope_no = (SELECT no FROM scope WHERE id = ?) AND offices & ? <> 0"
    " ORDER BY version DESC LIMIT 1";
constexpr char kLastShown[] =
    "SELECT max(version) FROM feed"
    " WHERE scope_no = (SELECT no FROM scope WHERE id = ?) AND type = ? AND id = ?"
    " AND present = 1 AND offices & ? <> 0";
constexpr char kEverIn[] =
    "SELECT 1 FROM feed"
    " WHERE scope_no = (SELECT no FROM scope WHERE id = ?) AND type = ? AND id = ?";
constexpr char kListFeed[] =
    "SELECT " ZHIBU_STATE_COLUMNS
    ", f.id FROM feed f LEFT JOIN record r ON r.no = f.record_no"
    " WHERE f.scope_no = (SELECT no FROM scope WHERE id = ?) AND f.type = ? AND f.id > ?"
    " AND f.present = 1 AND f.offices & 0x40000000 <> 0 AND r.deletion_version IS NULL ORDER BY "
    "f.id";

static_assert(kLiesThere == 0x40000000, "as kListFeed and the migrations spell it");

}  // namespace

absl::StatusOr<RecordState> Transaction::StateOf(const Statement& row, const RecordKey& key) {
  const Damage damage{.what = Damage::What::kRecord, .record = key};
  if (row.IsNull(0)) return Note(damage);  // a feed's, and there is no such record
  RecordState state;
  state.exists = true;
  state.touch = {row.Number<Version>(0), row.Number<DeviceNumber>(1), row.Number<Stamp>(2)};
  if (!row.IsNull(3)) {
    state.deletion =
        Touch{row.Number<Version>(3), row.Number<DeviceNumber>(4), row.Number<Stamp>(5)};
  }
  auto body = row.TryOpen(6, seal_, layout::Body(key));
  auto trace = row.TryOpen(7, seal_, layout::Trace(key));
  if (!body || !trace) return Note(damage);
  state.body = *std::move(body);
  state.trace = *std::move(trace);
  return state;
}

absl::StatusOr<RecordState> Transaction::GetRecord(const RecordKey& key) {
  return Reading([&]() -> absl::StatusOr<RecordState> {
    Statement row(connection_, kGetRecord, key.type, key.id);
    return row.Step() ? StateOf(row, key) : RecordState();
  });
}

absl::Status Transaction::ReadFeed(const Id& scope, Version after, uint32_t offices,
                                   absl::FunctionRef<bool(const FeedRow&)> visit) {
  return Reading([&] {
    Statement row(connection_, kReadFeed, scope, Bounded(after), offices);
    bool more = true;
    while (more && row.Step()) {
      FeedRow feed;
      feed.version = row.Number<Version>(kAfterState);
      feed.key.type = static_cast<uint32_t>(row.Int(kAfterState + 1));
      feed.key.id = row.IdAt(kAfterState + 2);
      absl::StatusOr<RecordState> state = StateOf(row, feed.key);
      feed.damaged = !state.ok();
      if (state.ok()) feed.state = *std::move(state);
      feed.present = row.Int(kAfterState + 3) != 0;
      feed.offices = static_cast<uint32_t>(row.Int(kAfterState + 4));
      feed.since = row.Number<Version>(kAfterState + 5);
      more = visit(feed);
    }
    return absl::OkStatus();
  });
}

absl::StatusOr<uint64_t> Transaction::CountFeed(const Id& scope, Version after, uint32_t offices) {
  return Reading([&]() -> absl::StatusOr<uint64_t> {
    Statement row(connection_, kCountFeed, scope, Bounded(after), offices);
    return row.Step() ? static_cast<uint64_t>(row.Int(0)) : 0;
  });
}

absl::StatusOr<Version> Transaction::LastInFeed(const Id& scope, uint32_t offices) {
  return Reading([&]() -> absl::StatusOr<Version> {
    Statement row(connection_, kLastInFeed, scope, offices);
    return row.Step() ? row.Number<Version>(0) : Version();
  });
}

absl::StatusOr<Version> Transaction::LastShown(const Id& scope, uint32_t offices,
                                               const RecordKey& key) {
  return Reading([&]() -> absl::StatusOr<Version> {
    Statement row(connection_, kLastShown, scope, key.type, key.id, offices);
    return row.Step() && !row.IsNull(0) ? row.Number<Version>(0) : Version();
  });
}

absl::StatusOr<bool> Transaction::EverIn(const Id& scope, const RecordKey& key) {
  return Reading([&]() -> absl::StatusOr<bool> {
    Statement row(connection_, kEverIn, scope, key.type, key.id);
    return row.Step();
  });
}

absl::Status Transaction::VisitAll(uint32_t type, Statement& row,
                                   absl::FunctionRef<bool(const Id&, const RecordState&)> visit) {
  absl::Status damaged;
  bool more = true;
  while (more && row.Step()) {
    const Id id = row.IdAt(kAfterState);
    const absl::StatusOr<RecordState> state = StateOf(row, {type, id});
    damaged.Update(state.status());
    if (state.ok()) more = visit(id, *state);
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
  return Reading([&] {
    Statement everywhere(connection_, kListRecords, type);
    return VisitAll(type, everywhere, each);
  });
}

// No id is below one of zeros, which nothing has.
absl::Status Transaction::ListFrom(uint32_t type, const Id& scope, const std::optional<Id>& after,
                                   absl::FunctionRef<bool(const Id&, const RecordState&)> visit) {
  const Id from = after.value_or(Id());
  return Reading([&] {
    Statement row(connection_, kListFeed, scope, type, from);
    return VisitAll(type, row, visit);
  });
}

absl::Status Transaction::ListEver(uint32_t type,
                                   absl::FunctionRef<void(const Id&, const RecordState&)> visit) {
  return Reading([&] {
    Statement row(connection_, kListEver, type);
    return VisitAll(type, row, [&](const Id& id, const RecordState& state) {
      visit(id, state);
      return true;
    });
  });
}

absl::Status Transaction::ReadRecords(
    const RecordKey& after, absl::FunctionRef<bool(const RecordKey&, const RecordState*)> visit) {
  return Reading([&] {
    Statement row(connection_, kReadRecords, after.type, after.id);
    bool more = true;
    while (more && row.Step()) {
      const RecordKey key{static_cast<uint32_t>(row.Int(kAfterState + 1)), row.IdAt(kAfterState)};
      const absl::StatusOr<RecordState> state = StateOf(row, key);
      more = visit(key, state.ok() ? &*state : nullptr);
    }
    return absl::OkStatus();
  });
}

absl::StatusOr<std::vector<RecordKey>> Transaction::FindLost(size_t most) {
  return Reading([&]() -> absl::StatusOr<std::vector<RecordKey>> {
    std::vector<RecordKey> lost;
    Statement row(connection_, kFindLost, static_cast<int64_t>(most));
    while (row.Step()) lost.push_back({static_cast<uint32_t>(row.Int(0)), row.IdAt(1)});
    return lost;
  });
}

absl::StatusOr<std::vector<Id>> Transaction::ScopesOf(const RecordKey& key) {
  return Reading([&]() -> absl::StatusOr<std::vector<Id>> {
    std::vector<Id> scopes;
    Statement row(connection_, kScopesOf, key.type, key.id);
    while (row.Step()) scopes.push_back(row.IdAt(0));
    return scopes;
  });
}

absl::Status Transaction::PutRecord(const RecordKey& key, const RecordState& state,
                                    absl::Span<const Id> before, absl::Span<const Showing> after) {
  if (!layout::Storable(state)) {
    return absl::InvalidArgumentError("a record is stored with the version the server gave it");
  }
  types_.insert(key.type);
  return Writing([&] {
    int64_t record_no = StoreRecord(key, state);
    for (const Showing& showing : layout::AllShowings(before, after)) {
      MoveRows(showing, key, record_no, state.version());
    }
    return absl::OkStatus();
  });
}

absl::Status Transaction::ForgetSeen() {
  return Writing([&] {
    Statement(connection_, kKeepLast).Run();
    Statement(connection_, kForgetSeen).Run();
    return absl::OkStatus();
  });
}

absl::Status Transaction::PutSeen(const RecordKey& key, absl::Span<const Showing> showings) {
  return Writing([&] {
    for (const Showing& showing : showings) {
      Statement(connection_, kPutSeen, showing.offices | kLiesThere, showing.scope, key.type,
                key.id)
          .Run();
    }
    return absl::OkStatus();
  });
}

int64_t Transaction::StoreRecord(const RecordKey& key, const RecordState& state) {
  std::optional<Version> version;
  std::optional<DeviceNumber> writer;
  std::optional<Stamp> stamp;
  if (state.deletion.has_value()) {
    version = state.deletion->version;
    writer = state.deletion->writer;
    stamp = state.deletion->stamp;
  }
  const std::string body = seal_.Close(layout::Body(key), state.body);
  const std::string trace = seal_.Close(layout::Trace(key), state.trace);
  Statement put(connection_, kPutRecord, key.type, key.id, state.touch.version, state.touch.writer,
                state.touch.stamp, version, writer, stamp, body, trace);
  put.Step();
  return put.Int(0);
}

void Transaction::MoveRows(const Showing& showing, const RecordKey& key, int64_t record_no,
                           Version version) {
  // No row of a feed is past its scope's version, or a later one could be given
  // the same version and be missed.
  MoveScope(showing.scope, version);
  const int64_t scope_no = LoadScope(showing.scope).no;
  layout::FeedRows were;
  Statement known(connection_, kFeedOf, scope_no, key.type, key.id);
  while (known.Step()) {
    were[static_cast<uint32_t>(known.Int(0))] = {known.Number<Version>(1), known.Int(2) != 0,
                                                 known.Number<Version>(3)};
  }
  const layout::FeedRows are = layout::Move(were, showing, version);
  if (are == were) return;
  if (!layout::SameOffices(are, were)) {
    Statement(connection_, kDropFeed, scope_no, key.type, key.id).Run();
  }
  for (const auto& [offices, row] : are) {
    Statement(connection_, kPutFeed, scope_no, key.type, key.id, offices, record_no, row.version,
              row.present, row.since)
        .Run();
  }
}

}  // namespace zhibu::server::sqlite
