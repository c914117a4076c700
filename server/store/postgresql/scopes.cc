#include <algorithm>

#include "absl/strings/str_cat.h"
#include "server/store/postgresql/transaction.h"
#include "sync/base/require.h"
#include "sync/base/status.h"

namespace zhibu::server::postgresql {
namespace {

constexpr char kFindScope[] = "SELECT version FROM scope WHERE id = $1";
// Sorted before they are locked: one order for all.
constexpr char kLockScopes[] =
    "SELECT id, version FROM scope WHERE id = ANY ($1) ORDER BY id FOR UPDATE";
constexpr char kMoveScopes[] =
    "INSERT INTO scope (id, version) SELECT * FROM unnest($1::bytea[], $2::bigint[])"
    " ON CONFLICT (id) DO UPDATE SET version = excluded.version";

constexpr char kSavepoint[] = "SAVEPOINT attempt";
constexpr char kUndo[] = "ROLLBACK TO SAVEPOINT attempt";
constexpr char kRelease[] = "RELEASE SAVEPOINT attempt";

constexpr char kHighestVersion[] = "SELECT coalesce(max(version), 0) FROM scope";
constexpr char kRaiseCounter[] =
    "INSERT INTO counter (name, value) VALUES ($1, $2)"
    " ON CONFLICT (name) DO UPDATE SET value = greatest(counter.value, excluded.value)";
constexpr char kMovesOf[] = "SELECT coalesce(sum(value), 0)::bigint FROM moves WHERE type = $1";
constexpr char kAddMoves[] =
    "INSERT INTO moves (type, lane, value) SELECT type, $2, 1 FROM unnest($1::bigint[]) AS t (type)"
    " ON CONFLICT (type, lane) DO UPDATE SET value = moves.value + 1";

}  // namespace

const char Transaction::kGetFloor[] =
    "SELECT coalesce((SELECT value FROM counter WHERE name = 'version'), 0)";

absl::Status Transaction::TakeSnapshot() {
  if (floor_) return absl::OkStatus();
  const size_t at = connection_.queued();
  connection_.Queue(kGetFloor);
  return AskFrom(at).status();
}

absl::StatusOr<Rows> Transaction::AskValues(const char* sql, std::vector<Value> values) {
  if (!broken_.ok()) return broken_;
  const size_t at = connection_.queued();
  if (!floor_) connection_.Queue(kGetFloor);
  connection_.Queue(sql, std::move(values));
  ASSIGN_OR_RETURN(std::vector<Rows> rows, AskFrom(at));
  return std::move(rows.back());
}

absl::Status Transaction::QueueValues(const char* sql, std::vector<Value> values) {
  if (!broken_.ok()) return broken_;
  connection_.Queue(sql, std::move(values));
  ++work_;
  return absl::OkStatus();
}

absl::StatusOr<std::vector<Rows>> Transaction::AskFrom(size_t at) {
  asked_ = true;
  absl::StatusOr<std::vector<Rows>> rows = connection_.AskFrom(at);
  if (!rows.ok()) {
    broken_ = rows.status();
    return rows;
  }
  if (!floor_) floor_ = rows->front().Number<Version>(0, 0);
  for (const Rows& one : *rows) work_ += 1 + static_cast<uint64_t>(one.size());
  return rows;
}

absl::StatusOr<int64_t> Transaction::MovesOf(uint32_t type) {
  ASSIGN_OR_RETURN(const Rows rows, Ask(kMovesOf, type));
  return rows.Int(0, 0);
}

absl::StatusOr<Version> Transaction::ScopeVersion(const Id& scope) {
  if (!broken_.ok()) return broken_;
  if (const auto known = scopes_.find(scope); known != scopes_.end()) return known->second.version;
  ASSIGN_OR_RETURN(const Rows rows, Ask(kFindScope, scope));
  const Version version = rows.empty() ? Version() : rows.Number<Version>(0, 0);
  scopes_.try_emplace(scope, ScopeRow{version});
  return version;
}

absl::StatusOr<Version> Transaction::NextVersion(absl::Span<const Id> scopes, Version at_least) {
  RETURN_IF_ERROR(LoadScopes({scopes.begin(), scopes.end()}));
  if (!floor_) RETURN_IF_ERROR(TakeSnapshot());
  Version highest = *floor_;
  for (const Id& scope : scopes) highest = std::max(highest, scopes_.at(scope).version);
  const Version next = std::max(Version(highest.value + 1), at_least);
  for (const Id& scope : scopes) MoveScope(scope, next);
  REQUIRE(next > highest && next >= at_least);
  return next;
}

absl::StatusOr<Version> Transaction::EarlierVersions() {
  if (!floor_) RETURN_IF_ERROR(TakeSnapshot());
  return *floor_;
}

absl::Status Transaction::RaiseCounters(Version version, DeviceNumber device) {
  // A clock that was ahead may have given more.
  ASSIGN_OR_RETURN(const Rows highest, Ask(kHighestVersion));
  version = std::max(version, highest.Number<Version>(0, 0));
  RETURN_IF_ERROR(Queue(kRaiseCounter, Text{layout::kVersionCounter}, version));
  RETURN_IF_ERROR(Queue(kRaiseCounter, Text{layout::kDeviceCounter}, device));
  floor_.reset();
  return absl::OkStatus();
}

// Locks those that are not. One that is not there yet is at version 0: whoever else makes it is
// in the way of this transaction's commit.
absl::Status Transaction::LoadScopes(std::vector<Id> scopes) {
  std::erase_if(scopes, [&](const Id& scope) {
    const auto known = scopes_.find(scope);
    return known != scopes_.end() && known->second.locked;
  });
  if (scopes.empty()) return broken_;
  std::vector<std::string> asked;
  for (const Id& scope : scopes) asked.push_back(scope.str());
  ASSIGN_OR_RETURN(const Rows rows, Ask(kLockScopes, asked));
  TakeInLocked(scopes, rows);
  return absl::OkStatus();
}

// An attempt that fails may let go of the lock, and not of the snapshot: who moves the scope
// meanwhile is in the way of this transaction all the same.
void Transaction::TakeInLocked(absl::Span<const Id> scopes, const Rows& rows) {
  for (const Id& scope : scopes) scopes_[scope].locked = true;
  for (int row = 0; row < rows.size(); ++row) {
    ScopeRow& scope = scopes_[rows.IdAt(row, 0)];
    if (!scope.moved) scope.version = rows.Number<Version>(row, 1);
  }
}

Transaction::TakeIn Transaction::QueueMoving(const Foreseen& foreseen) {
  std::vector<std::string> asked;
  for (const Id& scope : foreseen.moving) asked.push_back(scope.str());
  connection_.Queue(kLockScopes, {asked});
  return [this, scopes = foreseen.moving](const Rows& rows) { TakeInLocked(scopes, rows); };
}

void Transaction::MoveScope(const Id& scope, Version version) {
  const ScopeRow& row = scopes_.at(scope);
  if (row.version < version) Remember(scopes_, scope, ScopeRow{version, row.locked, true});
}

// A savepoint is made only where something travels while the attempt runs.
absl::Status Transaction::Attempt(absl::FunctionRef<absl::Status()> body) {
  if (!broken_.ok()) return broken_;
  const size_t at = connection_.queued();
  const uint64_t trips = connection_.round_trips();
  connection_.Queue(kSavepoint);
  const size_t undo = undo_.size();
  ++attempts_;
  absl::Status status = body();
  --attempts_;
  if (!broken_.ok()) return broken_;
  const bool travelled = connection_.round_trips() != trips;
  for (; !status.ok() && undo_.size() > undo; undo_.pop_back()) undo_.back()();
  if (!status.ok() && travelled) ForgetRead();
  if (attempts_ == 0) undo_.clear();
  if (!travelled) {
    status.ok() ? connection_.DropOne(at) : connection_.DropFrom(at);
    return status;
  }
  if (!status.ok()) connection_.Queue(kUndo);
  connection_.Queue(kRelease);
  return status;
}

absl::flat_hash_map<Id, Version> Transaction::Moves() const {
  absl::flat_hash_map<Id, Version> moves;
  for (const auto& [id, row] : scopes_) {
    if (row.moved) moves.emplace(id, row.version);
  }
  return moves;
}

void Transaction::QueueLast() {
  std::vector<std::string> scopes;
  std::vector<int64_t> versions;
  for (const auto& [id, version] : Moves()) {
    scopes.push_back(id.str());
    versions.push_back(static_cast<int64_t>(version.value));
  }
  if (!scopes.empty()) connection_.Queue(kMoveScopes, {scopes, versions});
  const std::vector<int64_t> types(types_.begin(), types_.end());
  if (!types.empty()) connection_.Queue(kAddMoves, {types, lane_->number});
  QueueChangedSums();
}

}  // namespace zhibu::server::postgresql
