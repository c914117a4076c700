#include <map>

#include "absl/strings/str_cat.h"
#include "server/store/sqlite/transaction.h"
#include "sync/base/status.h"
#include "zhibu/stored/v1/server.pb.h"

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
    "SELECT type, id FROM hanging WHERE on_type = ? AND on_id = ? ORDER BY type, id";
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

constexpr int kNumbers = 6;

int32_t YearOf(const SumKey& key) { return key.month / 12; }

// What a value is sealed under, as kSealAll spells it in schema.cc.
std::string PlaceOf(int64_t scope_no, int64_t year) {
  return absl::StrCat("sums.entries/", scope_no, "/", year);
}

SumChanges Unpacked(const std::string& bytes) {
  SumChanges sums;
  stored::v1::SumsOfYear stored;
  if (!stored.ParseFromString(bytes)) return sums;
  const auto& numbers = stored.numbers();
  for (int i = 0; i + kNumbers <= numbers.size(); i += kNumbers) {
    const SumKey key{static_cast<uint32_t>(numbers[i]), static_cast<uint32_t>(numbers[i + 1]),
                     static_cast<int32_t>(numbers[i + 2]), numbers[i + 3]};
    // They stand in order.
    sums.emplace_hint(sums.end(), key, Sum{numbers[i + 4], numbers[i + 5]});
  }
  return sums;
}

std::string Packed(const SumChanges& sums) {
  stored::v1::SumsOfYear stored;
  stored.mutable_numbers()->Reserve(static_cast<int>(sums.size()) * kNumbers);
  for (const auto& [key, sum] : sums) {
    for (const int64_t number : {int64_t{key.figure}, int64_t{key.by}, int64_t{key.month},
                                 key.bucket, sum.amount, sum.records}) {
      stored.add_numbers(number);
    }
  }
  return stored.SerializeAsString();
}

}  // namespace

absl::Status Transaction::ReadSums(
    absl::Span<const Id> organisations, int from_year,
    absl::FunctionRef<void(const Id&, const SumKey&, const Sum&)> visit) {
  return Reading([&] {
    absl::Status damaged;
    stored::v1::SumsOfYear stored;
    for (const Id& organisation : organisations) {
      Statement row(connection_, kReadSums, organisation, int64_t{from_year});
      while (row.Step()) {
        const auto entries = row.TryOpen(2, seal_, PlaceOf(row.Int(0), row.Int(1)));
        if (!entries || !stored.ParseFromString(*entries)) {
          damaged.Update(Note({.what = Damage::What::kSums, .scope = organisation}));
          continue;
        }
        const auto& numbers = stored.numbers();
        for (int i = 0; i + kNumbers <= numbers.size(); i += kNumbers) {
          visit(organisation,
                {static_cast<uint32_t>(numbers[i]), static_cast<uint32_t>(numbers[i + 1]),
                 static_cast<int32_t>(numbers[i + 2]), numbers[i + 3]},
                {numbers[i + 4], numbers[i + 5]});
        }
      }
    }
    return damaged;
  });
}

absl::Status Transaction::AddToSums(const Id& organisation, const SumChanges& changes) {
  std::map<int64_t, SumChanges> by_year;
  for (const auto& [key, change] : changes) by_year[YearOf(key)].emplace(key, change);
  return Writing([&]() -> absl::Status {
    const int64_t scope_no = LoadScope(organisation).no;
    for (const auto& [year, of_year] : by_year) {
      RETURN_IF_ERROR(AddToYear(organisation, scope_no, year, of_year));
    }
    return absl::OkStatus();
  });
}

absl::Status Transaction::AddToYear(const Id& organisation, int64_t scope_no, int64_t year,
                                    const SumChanges& changes) {
  const std::string place = PlaceOf(scope_no, year);
  SumChanges sums;
  {
    Statement row(connection_, kGetSums, scope_no, year);
    if (row.Step()) {
      const auto entries = row.TryOpen(0, seal_, place);
      if (!entries) return Note({.what = Damage::What::kSums, .scope = organisation});
      sums = Unpacked(*entries);
    }
  }
  for (const auto& [key, change] : changes) {
    const auto it = sums.emplace(key, Sum()).first;
    it->second += change;
    if (it->second.empty()) sums.erase(it);
  }
  if (sums.empty()) {
    Statement(connection_, kDeleteSums, scope_no, year).Run();
  } else {
    const std::string sealed = seal_.Close(place, Packed(sums));
    Statement(connection_, kPutSums, scope_no, year, sealed).Run();
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<RecordKey>> Transaction::HangingOn(const RecordKey& key) {
  return Reading([&]() -> absl::StatusOr<std::vector<RecordKey>> {
    std::vector<RecordKey> keys;
    Statement row(connection_, kHangingOn, key.type, key.id);
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
