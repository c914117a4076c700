#include <algorithm>

#include "absl/strings/str_cat.h"
#include "server/store/layout.h"
#include "server/store/sqlite/transaction.h"
#include "sync/base/require.h"
#include "sync/base/status.h"

namespace zhibu::server::sqlite {
namespace {

constexpr char kFindScope[] = "SELECT no, version FROM scope WHERE id = ?";
constexpr char kAddScope[] = "INSERT INTO scope (id, version) VALUES (?, 0) RETURNING no";
constexpr char kMoveScope[] = "UPDATE scope SET version = ? WHERE no = ?";

// They nest: each name means the innermost.
constexpr char kSavepoint[] = "SAVEPOINT attempt";
constexpr char kUndo[] = "ROLLBACK TO attempt";
constexpr char kRelease[] = "RELEASE attempt";

constexpr char kGetFloor[] = "SELECT value FROM counter WHERE name = 'version'";
constexpr char kHighestVersion[] = "SELECT ifnull(max(version), 0) FROM scope";
constexpr char kRaiseCounter[] =
    "INSERT INTO counter (name, value) VALUES (?, ?)"
    " ON CONFLICT (name) DO UPDATE SET value = max(value, excluded.value)";

// Among the counters.
std::string MovesName(uint32_t type) { return absl::StrCat("moves/", type); }

}  // namespace

absl::StatusOr<int64_t> Transaction::MovesOf(uint32_t type) { return GetCount(MovesName(type)); }

absl::StatusOr<Version> Transaction::ScopeVersion(const Id& scope) {
  return Reading([&]() -> absl::StatusOr<Version> {
    if (const auto known = scopes_.find(scope); known != scopes_.end()) {
      return known->second.version;
    }
    Statement row(connection_, kFindScope, scope);
    return row.Step() ? row.Number<Version>(1) : Version();
  });
}

absl::StatusOr<Version> Transaction::NextVersion(absl::Span<const Id> scopes, Version at_least) {
  return Writing([&]() -> absl::StatusOr<Version> {
    Version highest = Floor();
    for (const Id& scope : scopes) highest = std::max(highest, LoadScope(scope).version);
    const Version next = std::max(Version(highest.value + 1), at_least);
    for (const Id& scope : scopes) MoveScope(scope, next);
    REQUIRE(next > highest && next >= at_least);
    return next;
  });
}

absl::StatusOr<Version> Transaction::EarlierVersions() {
  return Reading([&]() -> absl::StatusOr<Version> { return Floor(); });
}

Version Transaction::Floor() {
  if (!floor_) {
    Statement row(connection_, kGetFloor);
    floor_ = row.Step() ? row.Number<Version>(0) : Version();
  }
  return *floor_;
}

absl::Status Transaction::RaiseCounters(Version version, DeviceNumber device) {
  return Writing([&] {
    // A clock that was ahead may have given more.
    Statement highest(connection_, kHighestVersion);
    highest.Step();
    version = std::max(version, highest.Number<Version>(0));
    Statement(connection_, kRaiseCounter, Text{layout::kVersionCounter}, version).Run();
    Statement(connection_, kRaiseCounter, Text{layout::kDeviceCounter}, device).Run();
    floor_.reset();
    return absl::OkStatus();
  });
}

Transaction::ScopeRow& Transaction::LoadScope(const Id& scope) {
  const auto known = scopes_.find(scope);
  if (known != scopes_.end()) return known->second;
  KeepForUndo(scope);
  const auto it = scopes_.try_emplace(scope).first;
  Statement row(connection_, kFindScope, scope);
  if (row.Step()) {
    it->second = {row.Int(0), row.Number<Version>(1), false};
  } else {
    Statement insert(connection_, kAddScope, scope);
    insert.Step();
    it->second = {insert.Int(0), Version(), false};
  }
  return it->second;
}

void Transaction::MoveScope(const Id& scope, Version version) {
  ScopeRow& row = LoadScope(scope);
  if (row.version >= version) return;
  KeepForUndo(scope);
  row.version = version;
  row.moved = true;
}

void Transaction::KeepForUndo(const Id& scope) {
  if (attempts_ == 0) return;
  const auto it = scopes_.find(scope);
  undo_.emplace_back(scope, it == scopes_.end() ? std::nullopt : std::optional(it->second));
}

void Transaction::UndoScopes(size_t to) {
  for (; undo_.size() > to; undo_.pop_back()) {
    const auto& [scope, before] = undo_.back();
    if (before) {
      scopes_[scope] = *before;
    } else {
      scopes_.erase(scope);
    }
  }
}

absl::Status Transaction::Attempt(absl::FunctionRef<absl::Status()> body) {
  RETURN_IF_ERROR(Writing([&] {
    Statement(connection_, kSavepoint).Run();
    return absl::OkStatus();
  }));
  const size_t undo = undo_.size();
  ++attempts_;
  absl::Status status = body();
  --attempts_;
  RETURN_IF_ERROR(Writing([&] {
    if (!status.ok()) {
      Statement(connection_, kUndo).Run();
      UndoScopes(undo);
    }
    Statement(connection_, kRelease).Run();
    return absl::OkStatus();
  }));
  if (attempts_ == 0) undo_.clear();
  return status;
}

absl::flat_hash_set<Id> Transaction::Moved() const {
  absl::flat_hash_set<Id> moved;
  for (const auto& [id, row] : scopes_) {
    if (row.moved) moved.insert(id);
  }
  return moved;
}

absl::Status Transaction::WriteMoves() {
  for (const uint32_t type : types_) RETURN_IF_ERROR(AddToCount(MovesName(type), 1));
  return Writing([&] {
    for (const auto& [id, row] : scopes_) {
      if (row.moved) Statement(connection_, kMoveScope, row.version, row.no).Run();
    }
    return absl::OkStatus();
  });
}

}  // namespace zhibu::server::sqlite
