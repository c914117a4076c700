#include <algorithm>

#include "server/store/sqlite_transaction.h"

namespace zhibu::server::sqlite {
namespace {

constexpr char kFindScope[] = "SELECT no, version FROM scope WHERE id = ?";
constexpr char kAddScope[] = "INSERT INTO scope (id, version) VALUES (?, 0) RETURNING no";
constexpr char kMoveScope[] = "UPDATE scope SET version = ? WHERE no = ?";

constexpr char kGetFloor[] = "SELECT value FROM counter WHERE name = 'version'";
constexpr char kRaiseCounter[] =
    "INSERT INTO counter (name, value) VALUES (?, ?)"
    " ON CONFLICT (name) DO UPDATE SET value = max(value, excluded.value)";

}  // namespace

absl::StatusOr<Version> Transaction::ScopeVersion(const Id& scope) {
  return Reading([&]() -> absl::StatusOr<Version> {
    if (const auto known = scopes_.find(scope); known != scopes_.end()) {
      return known->second.version;
    }
    Query row(connection_, kFindScope, scope);
    return row.Step() ? row.Number<Version>(1) : Version();
  });
}

absl::StatusOr<Version> Transaction::NextVersion(absl::Span<const Id> scopes) {
  return Writing([&]() -> absl::StatusOr<Version> {
    Version highest = Floor();
    for (const Id& scope : scopes) highest = std::max(highest, LoadScope(scope).version);
    Version next(highest.value + 1);
    for (const Id& scope : scopes) MoveScope(LoadScope(scope), next);
    return next;
  });
}

Version Transaction::Floor() {
  if (!floor_) {
    Query row(connection_, kGetFloor);
    floor_ = row.Step() ? row.Number<Version>(0) : Version();
  }
  return *floor_;
}

absl::Status Transaction::RaiseCounters(Version version, DeviceNumber device) {
  return Writing([&] {
    Query(connection_, kRaiseCounter, Text{"version"}, version).Run();
    Query(connection_, kRaiseCounter, Text{"device"}, device).Run();
    floor_.reset();
    return absl::OkStatus();
  });
}

Transaction::ScopeRow& Transaction::LoadScope(const Id& scope) {
  auto [it, added] = scopes_.try_emplace(scope);
  if (!added) return it->second;
  Query row(connection_, kFindScope, scope);
  if (row.Step()) {
    it->second = {row.Int(0), row.Number<Version>(1), false};
  } else {
    Query insert(connection_, kAddScope, scope);
    insert.Step();
    it->second = {insert.Int(0), Version(), false};
  }
  return it->second;
}

void Transaction::MoveScope(ScopeRow& row, Version version) {
  if (row.version >= version) return;
  row.version = version;
  row.moved = true;
}

absl::Status Transaction::WriteScopes() {
  return Writing([&] {
    for (const auto& [id, row] : scopes_) {
      if (row.moved) Query(connection_, kMoveScope, row.version, row.no).Run();
    }
    return absl::OkStatus();
  });
}

}  // namespace zhibu::server::sqlite
