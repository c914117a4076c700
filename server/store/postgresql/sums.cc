#include <algorithm>
#include <utility>

#include "server/store/postgresql/transaction.h"
#include "sync/base/status.h"

namespace zhibu::server::postgresql {
namespace {

constexpr char kGetSums[] =
    "SELECT s.scope, s.year, s.entries FROM unnest($1::bytea[], $2::bigint[]) AS w (scope, year)"
    " JOIN sums s ON s.spread = get_byte(w.scope, 15) AND s.scope = w.scope AND s.year = w.year";
constexpr char kLastSums[] =
    "SELECT s.scope, s.year, s.entries FROM unnest($1::bytea[]) AS w (scope) CROSS JOIN LATERAL"
    " (SELECT f.scope, f.year, f.entries FROM sums f"
    "   WHERE f.spread = get_byte(w.scope, 15) AND f.scope = w.scope AND f.year = 0"
    "  UNION ALL"
    "  (SELECT l.scope, l.year, l.entries FROM sums l"
    "   WHERE l.spread = get_byte(w.scope, 15) AND l.scope = w.scope AND l.year > 0"
    "   ORDER BY l.year DESC LIMIT 1)) AS s";
static_assert(layout::kAllYears == 0, "as kLastSums and kReadSums spell it");
constexpr char kReadSums[] =
    "SELECT s.scope, s.year, s.entries FROM unnest($1::bytea[]) WITH ORDINALITY AS w (scope, place)"
    " JOIN sums s ON s.spread = get_byte(w.scope, 15) AND s.scope = w.scope"
    " WHERE s.year = 0 OR s.year >= $2 ORDER BY w.place, s.year";
constexpr char kPutSums[] =
    "INSERT INTO sums (scope, year, entries)"
    " SELECT * FROM unnest($1::bytea[], $2::bigint[], $3::bytea[])"
    " ON CONFLICT (spread, scope, year) DO UPDATE SET entries = excluded.entries";
constexpr char kDeleteSums[] =
    "DELETE FROM sums s USING unnest($1::bytea[], $2::bigint[]) AS w (scope, year)"
    " WHERE s.spread = get_byte(w.scope, 15) AND s.scope = w.scope AND s.year = w.year";

constexpr char kHangingOn[] =
    "SELECT type, id FROM hanging WHERE spread = get_byte($2, 15) AND on_type = $1 AND on_id = $2"
    " AND (type, id) > ($3, $4) ORDER BY type, id LIMIT $5";
// A record that more than so many hang on is read page by page, and not beforehand.
constexpr size_t kHangingFetchedMax = 100;
constexpr char kFetchHanging[] =
    "SELECT w.type, w.id, h.type, h.id FROM unnest($1::bigint[], $2::bytea[]) AS w (type, id)"
    " JOIN LATERAL (SELECT type, id FROM hanging WHERE spread = get_byte(w.id, 15)"
    " AND on_type = w.type AND on_id = w.id LIMIT $3) h ON true ORDER BY h.type, h.id";
constexpr char kPutHanging[] =
    "INSERT INTO hanging (on_type, on_id, type, id) VALUES ($1, $2, $3, $4)"
    " ON CONFLICT (spread, on_type, on_id, type, id) DO NOTHING";
constexpr char kDropHanging[] =
    "DELETE FROM hanging WHERE spread = get_byte($2, 15) AND on_type = $1 AND on_id = $2"
    " AND type = $3 AND id = $4";

constexpr char kDropSums[] =
    "DELETE FROM sums WHERE (spread, scope, year) IN"
    " (SELECT spread, scope, year FROM sums ORDER BY spread, scope, year LIMIT $1)";
constexpr char kDropAllHanging[] =
    "DELETE FROM hanging WHERE (spread, on_type, on_id, type, id) IN"
    " (SELECT spread, on_type, on_id, type, id FROM hanging"
    "  ORDER BY spread, on_type, on_id, type, id LIMIT $1)";
constexpr char kAnyLeft[] = "SELECT EXISTS (SELECT 1 FROM sums) OR EXISTS (SELECT 1 FROM hanging)";

// Rows of some kilobytes each.
constexpr size_t kOrganisationsAtOnce = 200;

// As two arrays of one statement.
struct Keys {
  std::vector<std::string> ids;
  std::vector<int64_t> numbers;

  void Add(const Id& id, int64_t number) {
    ids.push_back(id.str());
    numbers.push_back(number);
  }
};

Keys KeysOf(const std::vector<RecordKey>& records) {
  Keys keys;
  for (const RecordKey& key : records) keys.Add(key.id, key.type);
  return keys;
}

}  // namespace

absl::Status Transaction::ReadSums(
    absl::Span<const Id> organisations, int from_year,
    absl::FunctionRef<void(const Id&, const SumKey&, const Sum&)> visit) {
  QueueChangedSums();
  absl::Status damaged;
  for (; !organisations.empty();
       organisations.remove_prefix(std::min(organisations.size(), kOrganisationsAtOnce))) {
    std::vector<std::string> some;
    for (const Id& id : organisations.subspan(0, kOrganisationsAtOnce)) some.push_back(id.str());
    ASSIGN_OR_RETURN(const Rows rows, Ask(kReadSums, some, int64_t{from_year}));
    for (int row = 0; row < rows.size(); ++row) {
      const Id organisation = rows.IdAt(row, 0);
      const auto of_one = [&](const SumKey& key, const Sum& sum) { visit(organisation, key, sum); };
      const auto entries = Open(rows, row, 2, layout::SumsOf(organisation, rows.Int(row, 1)));
      if (entries && layout::VisitSums(*entries, of_one)) continue;
      damaged.Update(Note({.what = Damage::What::kSums, .scope = organisation}));
    }
  }
  return damaged;
}

// ---- Adding ------------------------------------------------------------------------

absl::Status Transaction::AddToSums(const Id& organisation, const SumChanges& changes) {
  const std::map<int64_t, SumChanges> by_year = layout::ByYear(changes);
  RETURN_IF_ERROR(LoadYears(organisation, by_year));
  for (const auto& [year, of_year] : by_year) {
    YearRow row = sums_[{organisation, year}];
    if (!row.sums) return Note({.what = Damage::What::kSums, .scope = organisation});
    layout::AddTo(of_year, &*row.sums);
    row.changed = true;
    Remember(sums_, YearKey{organisation, year}, std::move(row));
    ++work_;
  }
  return absl::OkStatus();
}

absl::Status Transaction::LoadYears(const Id& organisation,
                                    const std::map<int64_t, SumChanges>& changes_by_year) {
  const auto last = last_years_.find(organisation);
  Keys unknown;
  for (const auto& [year, changes] : changes_by_year) {
    if (sums_.count({organisation, year}) > 0) continue;
    const bool later = last != last_years_.end() && year > last->second;
    if (!later) unknown.Add(organisation, year);
    if (later) sums_.try_emplace({organisation, year}, YearRow{SumChanges()});
  }
  if (unknown.ids.empty()) return broken_;
  ASSIGN_OR_RETURN(const Rows rows, Ask(kGetSums, unknown.ids, unknown.numbers));
  TakeInSums(rows);
  for (const int64_t year : unknown.numbers) {
    sums_.try_emplace({organisation, year}, YearRow{SumChanges()});
  }
  return absl::OkStatus();
}

void Transaction::TakeInSums(const Rows& rows) {
  for (int row = 0; row < rows.size(); ++row) {
    const YearKey key{rows.IdAt(row, 0), rows.Int(row, 1)};
    if (sums_.count(key) > 0) continue;
    const auto entries = Open(rows, row, 2, layout::SumsOf(key.organisation, key.year));
    sums_.emplace(key, YearRow{layout::UnpackSums(entries), true});
  }
}

Transaction::TakeIn Transaction::QueueSums(const Foreseen& foreseen) {
  std::vector<std::string> organisations;
  for (const Id& id : foreseen.sums) organisations.push_back(id.str());
  connection_.Queue(kLastSums, {organisations});
  return [this, asked = foreseen.sums](const Rows& rows) {
    TakeInSums(rows);
    for (const Id& id : asked) {
      sums_.try_emplace({id, layout::kAllYears}, YearRow{SumChanges()});
      last_years_.try_emplace(id, layout::kAllYears);
    }
    for (int row = 0; row < rows.size(); ++row) {
      int64_t& last = last_years_[rows.IdAt(row, 0)];
      last = std::max(last, rows.Int(row, 1));
    }
  };
}

// All transactions write them in one order, and at their end: none waits for one that waits for it.
void Transaction::QueueChangedSums() {
  Keys put, gone;
  std::vector<std::string> entries;
  for (const auto& [key, row] : sums_) {
    if (!row.changed) continue;
    if (!row.sums->empty()) {
      put.Add(key.organisation, key.year);
      entries.push_back(
          Close(layout::SumsOf(key.organisation, key.year), layout::PackSums(*row.sums)));
    } else if (row.stored) {
      gone.Add(key.organisation, key.year);
    }
    Remember(sums_, key, YearRow{row.sums, !row.sums->empty()});
  }
  if (!put.ids.empty()) connection_.Queue(kPutSums, {put.ids, put.numbers, entries});
  if (!gone.ids.empty()) connection_.Queue(kDeleteSums, {gone.ids, gone.numbers});
}

absl::StatusOr<bool> Transaction::DropSums(size_t most) {
  QueueChangedSums();
  const auto limit = static_cast<int64_t>(most);
  RETURN_IF_ERROR(Queue(kDropSums, limit));
  RETURN_IF_ERROR(Queue(kDropAllHanging, limit));
  ASSIGN_OR_RETURN(const Rows left, Ask(kAnyLeft));
  ForgetRead();
  return left.Bool(0, 0);
}

// ---- What hangs on what --------------------------------------------------------------

absl::StatusOr<std::vector<RecordKey>> Transaction::HangingOn(const RecordKey& on,
                                                              const RecordKey& after, size_t most) {
  if (!broken_.ok()) return broken_;
  std::vector<RecordKey> keys;
  if (const auto known = hanging_.find(on); known != hanging_.end()) {
    ++work_;
    const auto first = std::upper_bound(known->second.begin(), known->second.end(), after);
    const auto left = static_cast<size_t>(known->second.end() - first);
    keys.assign(first, first + static_cast<ptrdiff_t>(std::min(most, left)));
    return keys;
  }
  ASSIGN_OR_RETURN(const Rows rows, Ask(kHangingOn, on.type, on.id, after.type, after.id,
                                        static_cast<int64_t>(most)));
  for (int row = 0; row < rows.size(); ++row) {
    keys.push_back({rows.Small(row, 0), rows.IdAt(row, 1)});
  }
  return keys;
}

Transaction::TakeIn Transaction::QueueHanging(const Foreseen& foreseen) {
  const Keys asked = KeysOf(foreseen.hanging);
  connection_.Queue(kFetchHanging,
                    {asked.numbers, asked.ids, static_cast<int64_t>(kHangingFetchedMax)});
  return [this, keys = foreseen.hanging](const Rows& rows) {
    absl::flat_hash_map<RecordKey, std::vector<RecordKey>> read;
    for (const RecordKey& key : keys) read.try_emplace(key);
    for (int row = 0; row < rows.size(); ++row) {
      read[{rows.Small(row, 0), rows.IdAt(row, 1)}].push_back(
          {rows.Small(row, 2), rows.IdAt(row, 3)});
    }
    // Of what more hangs on than that is read page by page.
    absl::erase_if(read, [](const auto& one) { return one.second.size() >= kHangingFetchedMax; });
    hanging_.merge(read);
  };
}

absl::Status Transaction::PutHanging(const RecordKey& on, const RecordKey& record) {
  if (const auto known = hanging_.find(on); known != hanging_.end()) {
    std::vector<RecordKey> keys = known->second;
    const auto place = std::lower_bound(keys.begin(), keys.end(), record);
    if (place != keys.end() && *place == record) return broken_;
    keys.insert(place, record);
    Remember(hanging_, on, std::move(keys));
  }
  return Queue(kPutHanging, on.type, on.id, record.type, record.id);
}

absl::Status Transaction::DropHanging(const RecordKey& on, const RecordKey& record) {
  if (const auto known = hanging_.find(on); known != hanging_.end()) {
    std::vector<RecordKey> keys = known->second;
    std::erase(keys, record);
    Remember(hanging_, on, std::move(keys));
  }
  return Queue(kDropHanging, on.type, on.id, record.type, record.id);
}

}  // namespace zhibu::server::postgresql
