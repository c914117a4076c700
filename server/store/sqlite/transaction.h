// A transaction on the file of SqliteStore. What it does lies in a file for each idea:
//
//   scopes.cc    scopes and the versions they are at
//   records.cc   records, and the feeds that they lie in
//   audit.cc     edits as they came, and their answers
//   devices.cc   devices, and the codes by which they become known
//   settings.cc  small values by name, and marks on persons
//   sums.cc      sums of figures, and which records hang on which
//   whole.cc     all of it, row by row
//
// each with its statements; the tables are in schema.cc.
#ifndef ZHIBU_SERVER_STORE_SQLITE_TRANSACTION_H_
#define ZHIBU_SERVER_STORE_SQLITE_TRANSACTION_H_

#include <cstdint>
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
#include "server/store/store.h"
#include "sync/base/types.h"
#include "sync/crypto/seal.h"
#include "sync/merge/state.h"
#include "sync/sqlite/connection.h"
#include "zhibu/stored/v1/server.pb.h"

namespace zhibu::server::sqlite {

using zhibu::sqlite::Bounded;
using zhibu::sqlite::Catching;
using zhibu::sqlite::Connection;
using zhibu::sqlite::kHighest;
using zhibu::sqlite::Statement;
using zhibu::sqlite::Text;
using zhibu::sqlite::ThrowDamage;

// Both kinds: Read hands it out as a Reader only.
class Transaction final : public Writer {
 public:
  Transaction(Connection& connection, absl::string_view file, const Seal& seal, Observer& observer)
      : connection_(connection),
        file_(file),
        seal_(seal),
        observer_(observer),
        work_before_(connection.work()) {}

  // Once, before the commit: what has moved.
  absl::Status WriteMoves();
  // The scopes that have moved.
  absl::flat_hash_set<Id> Moved() const;

  // OK unless the transaction cannot be committed any more.
  const absl::Status& broken() const { return broken_; }

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

  uint64_t Work() const override { return connection_.work() - work_before_; }

  absl::Status Attempt(absl::FunctionRef<absl::Status()> body) override;
  absl::StatusOr<Version> NextVersion(absl::Span<const Id> scopes, Version at_least) override;
  absl::Status RaiseCounters(Version version, DeviceNumber device) override;
  absl::Status PutRecord(const RecordKey& key, const RecordState& state,
                         absl::Span<const Id> before, absl::Span<const Showing> after) override;
  absl::Status ForgetSeen() override;
  absl::Status PutSeen(const RecordKey& key, absl::Span<const Showing> showings) override;
  absl::Status AddToSums(const Id& organisation, const SumChanges& changes) override;
  absl::Status PutHanging(const RecordKey& on, const RecordKey& record) override;
  absl::Status DropHanging(const RecordKey& on, const RecordKey& record) override;
  absl::StatusOr<bool> DropSums(size_t most) override;
  absl::Status PutPart(Part part, absl::Span<const PartRow> rows) override;
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

 private:
  struct ScopeRow {
    int64_t no = 0;
    Version version;
    bool moved = false;  // not written yet: an edit moves several, a batch the same ones often
  };

  Version Floor();

  // A read that failed spoils the transaction only if SQLite has ended it.
  template <typename Body>
  auto Reading(Body body) -> decltype(body()) {
    if (!broken_.ok()) return broken_;
    absl::Status thrown;
    auto result = Catching(file_, &thrown, body);
    if (!thrown.ok() && !connection_.InTransaction()) broken_ = thrown;
    return result;
  }
  // A write that failed may have done half its work.
  template <typename Body>
  auto Writing(Body body) -> decltype(body()) {
    if (!broken_.ok()) return broken_;
    return Catching(file_, &broken_, body);
  }

  // Tells the observer, and gives what whoever asked for the row is told.
  absl::Status Note(const Damage& damage) {
    observer_.OnDamage(damage);
    return StatusOf(damage);
  }

  absl::StatusOr<RecordState> StateOf(const Statement& row, const RecordKey& key);
  absl::Status VisitAll(uint32_t type, Statement& row,
                        absl::FunctionRef<bool(const Id&, const RecordState&)> visit);
  AuditRow AuditOf(const Statement& row);
  absl::StatusOr<AuditRow> WholeAuditOf(const Statement& row);
  Answered AnsweredOf(const Statement& row);
  DeviceRow DeviceOf(const Statement& row);
  PartRow RowOf(const Statement& statement, Part part);
  static void BindCell(Statement& statement, int at, char kind, const stored::v1::Cell& cell);
  ScopeRow& LoadScope(const Id& scope);
  void KeepForUndo(const Id& scope);
  void UndoScopes(size_t to);
  void MoveScope(const Id& scope, Version version);
  int64_t StoreRecord(const RecordKey& key, const RecordState& state);
  absl::Status AddToYear(const Id& organisation, int64_t scope_no, int64_t year,
                         const SumChanges& changes);
  void MoveRows(const Showing& showing, const RecordKey& key, int64_t record_no, Version version);

  Connection& connection_;
  absl::string_view file_;
  const Seal& seal_;
  Observer& observer_;
  absl::Status broken_;
  std::optional<Version> floor_;              // below every version that is given
  absl::flat_hash_map<Id, ScopeRow> scopes_;  // those written to so far
  absl::flat_hash_set<uint32_t> types_;       // and the types of records
  // While an attempt runs: what scopes_ held before each change, oldest first.
  std::vector<std::pair<Id, std::optional<ScopeRow>>> undo_;
  int attempts_ = 0;
  const uint64_t work_before_;
};

}  // namespace zhibu::server::sqlite

#endif  // ZHIBU_SERVER_STORE_SQLITE_TRANSACTION_H_
