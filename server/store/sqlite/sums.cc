#include "absl/strings/str_cat.h"
#include "server/store/layout.h"
#include "server/store/sqlite/transaction.h"
#include "sync/base/status.h"

namespace zhibu::server::sqlite {
namespace {

constexpr char kGetSums[] = "SELECT entries FROM sums WHERE scope_no = ? AND year = ?";
constexpr char kPutSums[] = "REPLACE INTO sums (scope_no, year, entries) VALUES (?, ?, ?)";
constexpr char kDeleteSums[] = "DELETE FROM sums WHERE scope_no = ? AND year = ?";
// That of all times is the year 0.
constexpr char kReadSums[] =
    "SELECT sums.scope_no, sums.year, sums.entries FROM scope JOIN sums ON sums.scope_no = scope.no"
    " WHERE scope.id = ? AND (sums.year = 0 OR sums.year >= ?)";

constexpr char kHangingOn[] =
    "SELECT type, id FROM hanging WHERE on_type = ? AND on_id = ? AND (type, id) > (?, ?)"
    " ORDER BY type, id LIMIT ?";
constexpr char kPutHanging[] =
    "INSERT OR IGNORE INTO hanging (on_type, on_id, type, id) VALUES (?, ?, ?, ?)";
constexpr char kDropHanging[] =
    "DELETE FROM hanging WHERE on_type = ? AND on_id = ? AND type = ? AND id = ?";

constexpr char kDropSums[] =
    "DELETE FROM sums WHERE (scope_no, year) IN (SELECT scope_no, year FROM sums LIMIT ?)";
constexpr char kDropAllHanging[] =
    "DELETE FROM hanging WHERE (on_type, on_id, type, id) IN"
    " (SELECT on_type, on_id, type, id FROM hanging LIMIT ?)";
constexpr char kAnyLeft[] = "SELECT EXISTS (SELECT 1 FROM sums) OR EXISTS (SELECT 1 FROM hanging)";

// What a value is sealed under, as kSealAll spells it in schema.cc.
std::string PlaceOf(int64_t scope_no, int64_t year) {
  return absl::StrCat("sums.entries/", scope_no, "/", year);
}

}  // namespace

absl::Status Transaction::ReadSums(
    absl::Span<const Id> organisations, int from_year,
    absl::FunctionRef<void(const Id&, const SumKey&, const Sum&)> visit) {
  return Reading([&] {
    absl::Status damaged;
    for (const Id& organisation : organisations) {
      const auto of_one = [&](const SumKey& key, const Sum& sum) { visit(organisation, key, sum); };
      Statement row(connection_, kReadSums, organisation, int64_t{from_year});
      while (row.Step()) {
        const auto entries = row.TryOpen(2, seal_, PlaceOf(row.Int(0), row.Int(1)));
        if (entries && layout::VisitSums(*entries, of_one)) continue;
        damaged.Update(Note({.what = Damage::What::kSums, .scope = organisation}));
      }
    }
    return damaged;
  });
}

absl::Status Transaction::AddToSums(const Id& organisation, const SumChanges& changes) {
  return Writing([&]() -> absl::Status {
    const int64_t scope_no = LoadScope(organisation).no;
    for (const auto& [year, of_year] : layout::ByYear(changes)) {
      RETURN_IF_ERROR(AddToYear(organisation, scope_no, year, of_year));
    }
    return absl::OkStatus();
  });
}

absl::Status Transaction::AddToYear(const Id& organisation, int64_t scope_no, int64_t year,
                                    const SumChanges& changes) {
  const std::string place = PlaceOf(scope_no, year);
  std::optional<SumChanges> sums = SumChanges();
  {
    Statement row(connection_, kGetSums, scope_no, year);
    if (row.Step()) sums = layout::UnpackSums(row.TryOpen(0, seal_, place));
  }
  if (!sums) return Note({.what = Damage::What::kSums, .scope = organisation});
  layout::AddTo(changes, &*sums);
  if (sums->empty()) {
    Statement(connection_, kDeleteSums, scope_no, year).Run();
  } else {
    const std::string sealed = seal_.Close(place, layout::PackSums(*sums));
    Statement(connection_, kPutSums, scope_no, year, sealed).Run();
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<RecordKey>> Transaction::HangingOn(const RecordKey& on,
                                                              const RecordKey& after, size_t most) {
  return Reading([&]() -> absl::StatusOr<std::vector<RecordKey>> {
    std::vector<RecordKey> keys;
    Statement row(connection_, kHangingOn, on.type, on.id, after.type, after.id,
                  static_cast<int64_t>(most));
    while (row.Step()) keys.push_back({static_cast<uint32_t>(row.Int(0)), row.IdAt(1)});
    return keys;
  });
}

absl::Status Transaction::PutHanging(const RecordKey& on, const RecordKey& record) {
  return Writing([&] {
    Statement(connection_, kPutHanging, on.type, on.id, record.type, record.id).Run();
    return absl::OkStatus();
  });
}

absl::Status Transaction::DropHanging(const RecordKey& on, const RecordKey& record) {
  return Writing([&] {
    Statement(connection_, kDropHanging, on.type, on.id, record.type, record.id).Run();
    return absl::OkStatus();
  });
}

absl::StatusOr<bool> Transaction::DropSums(size_t most) {
  return Writing([&]() -> absl::StatusOr<bool> {
    const auto limit = static_cast<int64_t>(most);
    Statement(connection_, kDropSums, limit).Run();
    Statement(connection_, kDropAllHanging, limit).Run();
    Statement left(connection_, kAnyLeft);
    left.Step();
    return left.Int(0) != 0;
  });
}

}  // namespace zhibu::server::sqlite
