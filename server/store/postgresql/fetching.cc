#include <algorithm>
#include <utility>

#include "server/store/postgresql/schema.h"
#include "server/store/postgresql/transaction.h"
#include "sync/base/status.h"

namespace zhibu::server::postgresql {
namespace {

constexpr char kDevices[] =
    "SELECT d.number, d.public_key, d.person, d.record, d.name, d.revoked, d.enrolled_ms,"
    " d.last_seen_ms, d.last_number, d.safe_number, a.chain, a.link, a.verdict"
    " FROM device d LEFT JOIN audit a ON a.device = d.number AND a.number = d.last_number"
    " WHERE d.number = ANY ($1)";
constexpr int kChain = 10;
constexpr char kEdits[] =
    "SELECT a.made_ms, a.link FROM audit a"
    " JOIN unnest($1::bigint[], $2::bigint[]) AS w (made_ms, link)"
    " ON a.link = w.link AND a.made_ms = w.made_ms";
constexpr char kRecords[] = "SELECT " ZHIBU_STATE_COLUMNS
                            ", w.type, w.id FROM unnest($1::bigint[], $2::bytea[]) AS w (type, id)"
                            " JOIN record r ON r.spread = get_byte(w.id, 15)"
                            " AND r.type = w.type AND r.id = w.id";
// One more than counts as little.
constexpr size_t kLittle = 64;
constexpr char kLying[] =
    "SELECT " ZHIBU_STATE_COLUMNS
    ", r.type, r.id, w.scope FROM unnest($1::bytea[]) AS w (scope) CROSS JOIN LATERAL"
    " (SELECT f.type, f.id FROM feed f WHERE f.scope = w.scope AND f.present"
    "   AND f.offices & 1073741824 <> 0 ORDER BY f.type, f.id LIMIT 65) AS f"
    " JOIN record r ON r.spread = get_byte(f.id, 15) AND r.type = f.type AND r.id = f.id"
    " ORDER BY w.scope, r.type, r.id";
static_assert(kLiesThere == 1073741824 && kLittle + 1 == 65, "as kLying and kLists spell them");
constexpr char kLists[] =
    "SELECT " ZHIBU_STATE_COLUMNS
    ", r.type, r.id, w.scope FROM unnest($1::bigint[], $2::bytea[]) AS w (type, scope)"
    " CROSS JOIN LATERAL (SELECT f.type, f.id FROM feed f WHERE f.scope = w.scope"
    "   AND f.type = w.type AND f.present AND f.offices & 1073741824 <> 0"
    "   ORDER BY f.id LIMIT 65) AS f"
    " JOIN record r ON r.spread = get_byte(f.id, 15) AND r.type = f.type AND r.id = f.id"
    " ORDER BY w.scope, r.type, r.id";
constexpr char kMarked[] = "SELECT mark, person FROM mark WHERE mark = ANY ($1) ORDER BY person";

std::vector<std::string> BytesOf(const std::vector<Id>& ids) {
  std::vector<std::string> bytes;
  for (const Id& id : ids) bytes.push_back(id.str());
  return bytes;
}

}  // namespace

// All in one journey.
absl::Status Transaction::Fetch(const Foreseen& foreseen) {
  if (!broken_.ok()) return broken_;
  const size_t at = connection_.queued();
  const bool floor = !floor_.has_value();
  if (floor) connection_.Queue(kGetFloor);
  std::vector<TakeIn> answers;
  if (!foreseen.devices.empty()) answers.push_back(QueueDevices(foreseen));
  if (!foreseen.edits.empty()) answers.push_back(QueueEdits(foreseen));
  if (!foreseen.records.empty()) answers.push_back(QueueRecords(foreseen));
  if (!foreseen.small_scopes.empty()) {
    answers.push_back(QueueLying(foreseen));
    answers.push_back(QueueVersions(foreseen));
  }
  if (!foreseen.lists.empty()) answers.push_back(QueueLists(foreseen));
  if (!foreseen.moving.empty()) answers.push_back(QueueMoving(foreseen));
  if (!foreseen.feeds.empty()) answers.push_back(QueueFeeds(foreseen));
  if (!foreseen.marks.empty()) answers.push_back(QueueMarks(foreseen));
  for (const std::string& name : foreseen.settings) answers.push_back(QueueSetting(name));
  if (!foreseen.sums.empty()) answers.push_back(QueueSums(foreseen));
  if (!foreseen.hanging.empty()) answers.push_back(QueueHanging(foreseen));
  if (answers.empty() && !floor) return absl::OkStatus();
  const uint64_t work = work_;
  ASSIGN_OR_RETURN(const std::vector<Rows> rows, AskFrom(at));
  for (size_t i = 0; i < answers.size(); ++i) answers[i](rows[i + (floor ? 1 : 0)]);
  work_ = work;  // it counts when it is asked for
  return absl::OkStatus();
}

Transaction::TakeIn Transaction::QueueDevices(const Foreseen& foreseen) {
  std::vector<int64_t> numbers;
  for (const DeviceNumber number : foreseen.devices) numbers.push_back(number.value);
  connection_.Queue(kDevices, {numbers});
  return [this, asked = foreseen.devices](const Rows& rows) {
    for (int row = 0; row < rows.size(); ++row) {
      const DeviceRow device = DeviceOf(rows, row);
      devices_.try_emplace(device.number, device);
      if (rows.IsNull(row, kChain)) continue;
      const EditKey last{device.number, device.last_number};
      chains_.try_emplace(last, rows.Bytes(row, kChain));
      verdicts_.try_emplace(last, Verdict{static_cast<sync::v1::Verdict>(rows.Int(row, kChain + 2)),
                                          static_cast<uint64_t>(rows.Int(row, kChain + 1))});
    }
    for (const DeviceNumber number : asked) devices_.try_emplace(number, std::nullopt);
  };
}

Transaction::TakeIn Transaction::QueueEdits(const Foreseen& foreseen) {
  std::vector<int64_t> made_ms;
  std::vector<int64_t> links;
  for (const auto& [made, link] : foreseen.edits) {
    made_ms.push_back(made);
    links.push_back(static_cast<int64_t>(link));
  }
  connection_.Queue(kEdits, {made_ms, links});
  return [this, asked = foreseen.edits](const Rows& rows) {
    for (const auto& [made, link] : asked) edits_missing_.insert({made, link});
    for (int row = 0; row < rows.size(); ++row) {
      edits_missing_.erase({rows.Int(row, 0), static_cast<uint64_t>(rows.Int(row, 1))});
    }
  };
}

// What is damaged is left to whoever asks for it.
void Transaction::TakeInRecord(const Rows& rows, int row, const RecordKey& key) {
  absl::StatusOr<RecordState> state = StateOf(rows, row, key);
  if (state.ok()) records_.try_emplace(key, *std::move(state));
}

Transaction::TakeIn Transaction::QueueRecords(const Foreseen& foreseen) {
  std::vector<int64_t> types;
  std::vector<std::string> ids;
  for (const RecordKey& key : foreseen.records) {
    types.push_back(key.type);
    ids.push_back(key.id.str());
  }
  connection_.Queue(kRecords, {types, ids});
  return [this, asked = foreseen.records](const Rows& rows) {
    absl::flat_hash_set<RecordKey> found;
    for (int row = 0; row < rows.size(); ++row) {
      const RecordKey key{rows.Small(row, kAfterState), rows.IdAt(row, kAfterState + 1)};
      found.insert(key);
      TakeInRecord(rows, row, key);
    }
    for (const RecordKey& key : asked) {
      if (!found.contains(key)) records_.try_emplace(key);
    }
  };
}

// Of a scope in which much lies, or something damaged, nothing is remembered.
Transaction::TakeIn Transaction::QueueLying(const Foreseen& foreseen) {
  connection_.Queue(kLying, {BytesOf(foreseen.small_scopes)});
  return [this, asked = foreseen.small_scopes](const Rows& rows) {
    absl::flat_hash_map<Id, size_t> counts;
    for (int row = 0; row < rows.size(); ++row) ++counts[rows.IdAt(row, kAfterState + 2)];
    for (const Id& scope : asked) {
      if (counts[scope] <= kLittle) lying_.try_emplace(scope);
    }
    for (int row = 0; row < rows.size(); ++row) {
      const auto lying = lying_.find(rows.IdAt(row, kAfterState + 2));
      if (lying == lying_.end()) continue;
      const RecordKey key{rows.Small(row, kAfterState), rows.IdAt(row, kAfterState + 1)};
      TakeInRecord(rows, row, key);
      const auto state = records_.find(key);
      if (state == records_.end()) {
        lying->second.moved.insert(key.type);
      } else if (state->second.alive()) {
        lying->second.ids[key.type].push_back(key.id);
      }
    }
  };
}

// Nor of a list that is long, or has something damaged.
Transaction::TakeIn Transaction::QueueLists(const Foreseen& foreseen) {
  std::vector<int64_t> types;
  std::vector<std::string> scopes;
  for (const auto& [type, scope] : foreseen.lists) {
    types.push_back(type);
    scopes.push_back(scope.str());
  }
  connection_.Queue(kLists, {types, scopes});
  return [this, asked = foreseen.lists](const Rows& rows) {
    absl::flat_hash_map<std::pair<uint32_t, Id>, std::vector<Id>> all;
    for (int row = 0; row < rows.size(); ++row) {
      const RecordKey key{rows.Small(row, kAfterState), rows.IdAt(row, kAfterState + 1)};
      TakeInRecord(rows, row, key);
      all[{key.type, rows.IdAt(row, kAfterState + 2)}].push_back(key.id);
    }
    for (const auto& list : asked) {
      std::vector<Id>& ids = all[list];
      const auto state = [&](const Id& id) { return records_.find({list.first, id}); };
      const bool whole = std::all_of(ids.begin(), ids.end(),
                                     [&](const Id& id) { return state(id) != records_.end(); });
      if (!whole || ids.size() > kLittle) continue;
      std::erase_if(ids, [&](const Id& id) { return !state(id)->second.alive(); });
      lists_.try_emplace(list, ids);
    }
  };
}

void Transaction::ForgetList(uint32_t type, const Id& scope) {
  lists_.erase({type, scope});
  if (const auto it = lying_.find(scope); it != lying_.end()) it->second.moved.insert(type);
}

std::optional<std::vector<Id>> Transaction::ListKnown(uint32_t type, const Id& scope) const {
  if (const auto list = lists_.find({type, scope}); list != lists_.end()) return list->second;
  const auto lying = lying_.find(scope);
  if (lying == lying_.end() || lying->second.moved.contains(type)) return std::nullopt;
  const auto ids = lying->second.ids.find(type);
  return ids == lying->second.ids.end() ? std::vector<Id>() : ids->second;
}

void Transaction::ForgetRead() {
  lying_.clear();
  lists_.clear();
  marked_.clear();
  hanging_.clear();
  last_years_.clear();
  std::erase_if(sums_, [](const auto& one) { return !one.second.changed; });
}

Transaction::TakeIn Transaction::QueueVersions(const Foreseen& foreseen) {
  connection_.Queue(kVersionsOfScopes, {BytesOf(foreseen.small_scopes)});
  return [this, asked = foreseen.small_scopes](const Rows& rows) {
    for (int row = 0; row < rows.size(); ++row) {
      scopes_.try_emplace(rows.IdAt(row, 0), ScopeRow{rows.Number<Version>(row, 1)});
    }
    for (const Id& scope : asked) scopes_.try_emplace(scope);
  };
}

Transaction::TakeIn Transaction::QueueFeeds(const Foreseen& foreseen) {
  std::vector<FeedKey> asked;
  std::vector<std::string> scopes;
  std::vector<int64_t> types;
  std::vector<std::string> ids;
  for (const auto& [scope, key] : foreseen.feeds) {
    asked.push_back({scope, key});
    scopes.push_back(scope.str());
    types.push_back(key.type);
    ids.push_back(key.id.str());
  }
  connection_.Queue(kFeedsOf, {scopes, types, ids});
  return [this, asked = std::move(asked)](const Rows& rows) { RememberFeeds(rows, asked); };
}

Transaction::TakeIn Transaction::QueueMarks(const Foreseen& foreseen) {
  connection_.Queue(kMarked, {foreseen.marks});
  return [this, asked = foreseen.marks](const Rows& rows) {
    for (const std::string& mark : asked) marked_.try_emplace(mark);
    for (int row = 0; row < rows.size(); ++row) {
      marked_[rows.Bytes(row, 0)].push_back(rows.IdAt(row, 1));
    }
  };
}

}  // namespace zhibu::server::postgresql
