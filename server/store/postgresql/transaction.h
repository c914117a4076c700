// A transaction on the database of PostgresStore. What it does lies in a file for each idea, as
// that of the SQLite store does (server/store/sqlite/transaction.h).
//
//   what is written is queued, and travels with the next question or the commit
//   what was asked for or written once is remembered, and not asked for again
//
// What is remembered is what the transaction would read: an attempt that fails takes back what it
// has put there.
#ifndef ZHIBU_SERVER_STORE_POSTGRESQL_TRANSACTION_H_
#define ZHIBU_SERVER_STORE_POSTGRESQL_TRANSACTION_H_

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "server/base/observer.h"
#include "server/store/layout.h"
#include "server/store/postgresql/connection.h"
#include "server/store/store.h"
#include "sync/base/types.h"
#include "sync/crypto/seal.h"
#include "sync/merge/state.h"

namespace zhibu::server::postgresql {

// The first eight columns wherever a record is read: see Transaction::StateOf.
#define ZHIBU_STATE_COLUMNS                                              \
  "r.touch_version, r.touch_writer, r.touch_stamp, r.deletion_version, " \
  "r.deletion_writer, r.deletion_stamp, r.body, r.trace"
inline constexpr int kAfterState = 8;
inline constexpr char kFeedsOf[] =
    "SELECT f.scope, f.type, f.id, f.offices, f.version, f.present, f.since FROM feed f"
    " JOIN unnest($1::bytea[], $2::bigint[], $3::bytea[]) AS w (scope, type, id)"
    " ON f.scope = w.scope AND f.type = w.type AND f.id = w.id";

// A process's share of what all of them count, and when what it writes comes about: later for each.
struct Lane {
  uint32_t number = 0;
  int64_t arrived = 0;
};

// Both kinds: Read hands it out as a Reader only.
class Transaction final : public Writer {
 public:
  // `lane`: of one that writes.
  Transaction(Connection& connection, const Seal& seal, Observer& observer, Lane* lane)
      : connection_(connection), seal_(seal), observer_(observer), lane_(lane) {}

  // Takes the snapshot now, where nothing has been read yet.
  absl::Status TakeSnapshot();
  // Once, before the commit: what has moved, and the sums that have changed. It is queued.
  void QueueLast();
  // The scopes that have moved, and how far.
  absl::flat_hash_map<Id, Version> Moves() const;
  // Whether anything has travelled.
  bool asked() const { return asked_; }

  // OK unless the transaction cannot be committed any more.
  const absl::Status& broken() const { return broken_; }

  bool IsFar() const override { return true; }
  absl::Status Fetch(const Foreseen& foreseen) override;
  absl::StatusOr<RecordState> GetRecord(const RecordKey& key) override;
  absl::StatusOr<Version> ScopeVersion(const Id& scope) override;
  absl::Status ReadFeed(const Id& scope, Version after, uint32_t offices,
                        absl::FunctionRef<bool(const FeedRow&)> visit) override;
  absl::StatusOr<uint64_t> CountFeed(const Id& scope, Version after, uint32_t offices) override;
  absl::StatusOr<Version> LastInFeed(const Id& scope, uint32_t offices) override;
  absl::StatusOr<Version> LastShown(const Id& scope, uint32_t offices,
                                    const RecordKey& key) override;
  absl::StatusOr<bool> EverIn(const Id& scope, const RecordKey& key) override;
  absl::Status ListRecords(uint32_t type, std::optional<Id> scope,
                           absl::FunctionRef<void(const Id&, const RecordState&)> visit) override;
  absl::Status ListEver(uint32_t type,
                        absl::FunctionRef<void(const Id&, const RecordState&)> visit) override;
  absl::Status ListFrom(uint32_t type, const Id& scope, const std::optional<Id>& after,
                        absl::FunctionRef<bool(const Id&, const RecordState&)> visit) override;
  absl::StatusOr<int64_t> MovesOf(uint32_t type) override;
  absl::Status ReadRecords(
      const RecordKey& after,
      absl::FunctionRef<bool(const RecordKey&, const RecordState*)> visit) override;
  absl::StatusOr<std::vector<RecordKey>> FindLost(size_t most) override;
  absl::StatusOr<std::vector<Id>> ScopesOf(const RecordKey& key) override;
  absl::StatusOr<std::optional<DeviceRow>> GetDevice(DeviceNumber number) override;
  absl::StatusOr<std::vector<DeviceRow>> ListDevices() override;
  absl::StatusOr<std::vector<DeviceRow>> DevicesWithKey(absl::string_view public_key) override;
  absl::StatusOr<std::vector<DeviceRow>> DevicesWithRecord(const Id& record) override;
  absl::StatusOr<std::optional<AuditRow>> GetAudit(DeviceNumber device, EditNumber number) override;
  absl::StatusOr<std::optional<Verdict>> GetVerdict(DeviceNumber device,
                                                    EditNumber number) override;
  absl::StatusOr<std::optional<std::string>> GetChain(DeviceNumber device,
                                                      EditNumber number) override;
  absl::StatusOr<std::optional<Answered>> GetAnswered(DeviceNumber device,
                                                      EditNumber number) override;
  absl::Status ReadAnswered(DeviceNumber device, EditNumber after,
                            absl::FunctionRef<bool(const Answered&)> visit) override;
  absl::StatusOr<std::optional<AuditRow>> FindEdit(int64_t made_ms,
                                                   absl::string_view edit) override;
  absl::Status ReadVersions(DeviceNumber device, EditNumber after,
                            absl::FunctionRef<void(Version)> visit) override;
  absl::Status ReadAudit(DeviceNumber device, EditNumber after,
                         absl::FunctionRef<bool(const AuditRow&)> visit) override;
  absl::StatusOr<std::vector<Id>> FindMarked(absl::string_view mark, size_t most) override;
  absl::StatusOr<std::vector<std::string>> FindCommonMarks(size_t many) override;
  absl::StatusOr<Version> EarlierVersions() override;
  absl::StatusOr<int64_t> GetCount(absl::string_view name) override;
  absl::StatusOr<std::string> GetSetting(absl::string_view name) override;
  absl::Status ReadSums(
      absl::Span<const Id> organisations, int from_year,
      absl::FunctionRef<void(const Id&, const SumKey&, const Sum&)> visit) override;
  absl::StatusOr<std::vector<RecordKey>> HangingOn(const RecordKey& on, const RecordKey& after,
                                                   size_t most) override;
  absl::Status ReadPart(Part part, const PartRow& after, size_t most,
                        absl::FunctionRef<bool(const PartRow&)> visit) override;

  uint64_t Work() const override { return work_; }

  absl::Status Attempt(absl::FunctionRef<absl::Status()> body) override;
  absl::StatusOr<Version> NextVersion(absl::Span<const Id> scopes, Version at_least) override;
  absl::Status RaiseCounters(Version version, DeviceNumber device) override;
  absl::Status PutRecord(const RecordKey& key, const RecordState& state,
                         absl::Span<const Id> before, absl::Span<const Showing> after) override;
  absl::Status ForgetSeen() override;
  absl::Status PutSeen(const RecordKey& key, absl::Span<const Showing> showings) override;
  absl::Status PutDevice(const DeviceRow& device) override;
  absl::StatusOr<DeviceNumber> NextDevice() override;
  absl::Status AddToCount(absl::string_view name, int64_t more) override;
  absl::Status AppendAudit(const AuditRow& row) override;
  absl::Status PutMark(absl::string_view mark, const Id& person) override;
  absl::Status DeleteMark(absl::string_view mark, const Id& person) override;
  absl::Status PutSetting(absl::string_view name, absl::string_view value) override;
  absl::StatusOr<bool> HasCode(absl::string_view code, int64_t now_ms) override;
  absl::Status PutCode(const EnrolmentCode& code) override;
  absl::Status DropCodes(int64_t before_ms) override;
  absl::StatusOr<EnrolmentCode> TakeCode(absl::string_view code) override;
  absl::Status AddToSums(const Id& organisation, const SumChanges& changes) override;
  absl::Status PutHanging(const RecordKey& on, const RecordKey& record) override;
  absl::Status DropHanging(const RecordKey& on, const RecordKey& record) override;
  absl::StatusOr<bool> DropSums(size_t most) override;
  absl::Status PutPart(Part part, absl::Span<const PartRow> rows) override;

 private:
  static constexpr size_t kBytesPerWork = 4096;

  struct ScopeRow {
    Version version;
    bool locked = false;
    bool moved = false;  // not written yet: an edit moves several, a batch the same ones often
  };
  struct EditKey {
    DeviceNumber device;
    EditNumber number;
    friend auto operator<=>(const EditKey&, const EditKey&) = default;
    template <typename H>
    friend H AbslHashValue(H h, const EditKey& key) {
      return H::combine(std::move(h), key.device, key.number);
    }
  };
  struct MadeEdit {
    int64_t made_ms = 0;
    uint64_t link = 0;
    friend bool operator==(const MadeEdit&, const MadeEdit&) = default;
    template <typename H>
    friend H AbslHashValue(H h, const MadeEdit& edit) {
      return H::combine(std::move(h), edit.made_ms, edit.link);
    }
  };
  struct FeedKey {
    Id scope;
    RecordKey record;
    friend bool operator==(const FeedKey&, const FeedKey&) = default;
    template <typename H>
    friend H AbslHashValue(H h, const FeedKey& key) {
      return H::combine(std::move(h), key.scope, key.record);
    }
  };
  struct YearKey {
    Id organisation;
    int64_t year = layout::kAllYears;
    friend auto operator<=>(const YearKey&, const YearKey&) = default;
  };
  struct YearRow {
    std::optional<SumChanges> sums;  // nothing: it cannot be read
    bool stored = false;
    bool changed = false;  // not written yet: a batch changes the same ones often
  };
  // All that lies in a scope, but for records of the types that were moved since it was read.
  struct Lying {
    std::map<uint32_t, std::vector<Id>> ids;  // ascending; of what is in records_
    absl::flat_hash_set<uint32_t> moved;
  };

  // The floor travels with the first question.
  template <typename... Args>
  absl::StatusOr<Rows> Ask(const char* sql, const Args&... args) {
    if (!broken_.ok()) return broken_;
    return AskValues(sql, {Value(args)...});
  }
  absl::StatusOr<Rows> AskValues(const char* sql, std::vector<Value> values);
  // Where the floor is not known, it is the first of them.
  absl::StatusOr<std::vector<Rows>> AskFrom(size_t at);
  template <typename... Args>
  absl::Status Queue(const char* sql, const Args&... args) {
    return QueueValues(sql, {Value(args)...});
  }
  absl::Status QueueValues(const char* sql, std::vector<Value> values);

  // Puts `value` there until the attempt that runs fails.
  template <typename Map, typename Key, typename Mapped>
  void Remember(Map& map, const Key& key, Mapped value) {
    if (attempts_ > 0) {
      const auto it = map.find(key);
      std::optional<typename Map::mapped_type> before;
      if (it != map.end()) before = it->second;
      undo_.push_back([&map, key, before = std::move(before)] {
        if (before) {
          map.insert_or_assign(key, *before);
        } else {
          map.erase(key);
        }
      });
    }
    map.insert_or_assign(key, std::move(value));
  }

  // Tells the observer, and gives what whoever asked for the row is told.
  absl::Status Note(const Damage& damage) {
    observer_.OnDamage(damage);
    return StatusOf(damage);
  }
  std::string Close(const std::string& place, absl::string_view value) {
    work_ += value.size() / kBytesPerWork;
    return seal_.Close(place, value);
  }
  std::optional<std::string> Open(const Rows& rows, int row, int column, const std::string& place) {
    work_ += rows.View(row, column).size() / kBytesPerWork;
    return seal_.Open(place, rows.View(row, column));
  }

  absl::StatusOr<RecordState> StateOf(const Rows& rows, int row, const RecordKey& key);
  absl::Status VisitList(uint32_t type, absl::FunctionRef<absl::StatusOr<Rows>(const Id&)> ask,
                         Id after, absl::FunctionRef<bool(const Id&, const RecordState&)> visit);
  std::optional<std::vector<Id>> ListKnown(uint32_t type, const Id& scope) const;
  void ForgetList(uint32_t type, const Id& scope);
  // What was read meanwhile may have been of what is undone.
  void ForgetRead();
  // Each queues a question, and gives what takes in the answer.
  using TakeIn = std::function<void(const Rows&)>;
  TakeIn QueueDevices(const Foreseen& foreseen);
  TakeIn QueueEdits(const Foreseen& foreseen);
  TakeIn QueueRecords(const Foreseen& foreseen);
  TakeIn QueueLying(const Foreseen& foreseen);
  TakeIn QueueLists(const Foreseen& foreseen);
  TakeIn QueueVersions(const Foreseen& foreseen);
  TakeIn QueueMoving(const Foreseen& foreseen);
  TakeIn QueueFeeds(const Foreseen& foreseen);
  TakeIn QueueMarks(const Foreseen& foreseen);
  TakeIn QueueSetting(const std::string& name);
  TakeIn QueueSums(const Foreseen& foreseen);
  TakeIn QueueHanging(const Foreseen& foreseen);
  void TakeInRecord(const Rows& rows, int row, const RecordKey& key);
  void TakeInLocked(absl::Span<const Id> scopes, const Rows& rows);
  absl::Status LoadScopes(std::vector<Id> scopes);
  absl::Status LoadFeeds(const RecordKey& key, absl::Span<const Showing> showings);
  void RememberFeeds(const Rows& rows, absl::Span<const FeedKey> asked);
  absl::Status MoveRows(const Showing& showing, const RecordKey& key, Version version);
  absl::Status QueueRecord(const RecordKey& key, const RecordState& state);
  void MoveScope(const Id& scope, Version version);
  absl::Status LoadYears(const Id& organisation,
                         const std::map<int64_t, SumChanges>& changes_by_year);
  void TakeInSums(const Rows& rows);
  void QueueChangedSums();
  AuditRow AuditOf(const Rows& rows, int row);
  absl::StatusOr<AuditRow> WholeAuditOf(const Rows& rows, int row);
  Answered AnsweredOf(DeviceNumber device, const Rows& rows, int row);
  bool IsNew(const EditKey& key) const;
  DeviceRow DeviceOf(const Rows& rows, int row);
  absl::StatusOr<PartRow> RowOf(const Rows& rows, int at, Part part);
  absl::StatusOr<std::vector<DeviceRow>> DevicesIn(const absl::StatusOr<Rows>& rows);

  static const char kGetFloor[];

  Connection& connection_;
  const Seal& seal_;
  Observer& observer_;
  Lane* const lane_;
  absl::Status broken_;
  bool asked_ = false;
  uint64_t work_ = 0;
  std::optional<Version> floor_;         // below every version that is given
  absl::flat_hash_set<uint32_t> types_;  // of the records that were written

  // What is known of the rows as this transaction would read them.
  absl::flat_hash_map<Id, ScopeRow> scopes_;
  absl::flat_hash_map<RecordKey, RecordState> records_;
  absl::flat_hash_map<FeedKey, layout::FeedRows> feeds_;
  absl::flat_hash_map<Id, Lying> lying_;
  absl::flat_hash_map<std::pair<uint32_t, Id>, std::vector<Id>> lists_;  // as Lying::ids
  absl::flat_hash_map<std::string, std::vector<Id>> marked_;
  absl::flat_hash_map<DeviceNumber, std::optional<DeviceRow>> devices_;
  absl::flat_hash_map<EditKey, Verdict> verdicts_;
  absl::flat_hash_map<EditKey, std::string> chains_;
  absl::flat_hash_set<MadeEdit> edits_missing_;
  absl::flat_hash_map<DeviceNumber, EditNumber> appended_;  // the last of each device
  absl::flat_hash_map<std::string, std::string> settings_;
  std::map<YearKey, YearRow> sums_;              // in the order in which all write them
  absl::flat_hash_map<Id, int64_t> last_years_;  // none that is stored is later
  absl::flat_hash_map<RecordKey, std::vector<RecordKey>> hanging_;  // ascending

  // While an attempt runs: what takes back each change to what is known.
  std::vector<std::function<void()>> undo_;
  int attempts_ = 0;
};

}  // namespace zhibu::server::postgresql

#endif  // ZHIBU_SERVER_STORE_POSTGRESQL_TRANSACTION_H_
