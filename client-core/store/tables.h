// The device's SQLite file.
//
//   record     one row for each record that is here, confirmed or not
//   pending    own edits without an answer, by number
//   touched    which records each pending edit changes
//   set_aside  own edits that the server held or returned
//   kept       own edits with an answer, until they are in a backup of the server
//   stale      records that a restored server has not yet spoken of
//   cursor     how far each scope has been seen
//   sketch     forms that somebody has begun
//   setting    small values by name
//   seal       the file's own key, sealed with the app's; no row: not sealed
//
// What is done with them lies in a file for each idea: tables_file.cc (what the file is),
// tables_edits.cc (own edits), tables.cc (all else). Only types, ids, scopes, numbers and versions
// stand in columns of their own; what people wrote is inside the blobs. Each blob is sealed by
// itself (sync/crypto/seal.h) under the name of its place, as SealAll spells it.
#ifndef ZHIBU_CLIENT_CORE_STORE_TABLES_H_
#define ZHIBU_CLIENT_CORE_STORE_TABLES_H_

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "client-core/store/store.h"
#include "sync/crypto/seal.h"
#include "sync/merge/state.h"
#include "sync/sqlite/connection.h"

namespace zhibu::client {

using sqlite::Statement;

// Throws SQLite::Exception; Store turns that into a status (StatusOf). Not
// thread-safe.
class Tables {
 public:
  struct Record {
    RecordState confirmed;
    std::optional<RecordState> view;  // set while pending edits change the record

    const RecordState& shown() const { return view ? *view : confirmed; }
  };
  struct PendingEdit {
    EditNumber number;
    Stamp stamp;
    Stamp floor;  // the latest stamp the author had seen
    uint64_t previous = 0;
    std::string edit;
    uint64_t salt = 0;                // the edit's: names it for ever on this device
    std::vector<uint64_t> builds_on;  // salts of own edits
    bool withdrawn = false;           // its author has let go of it: it shows nothing
  };

  // A file that was not sealed is sealed where there is a key.
  static absl::StatusOr<std::unique_ptr<Tables>> Open(const Store::Options& options);

  absl::Status Rekey(const Store::Options& options, const std::string& new_key);

  void Begin() { Statement(connection_, "BEGIN IMMEDIATE").Run(); }
  void BeginRead() { Statement(connection_, "BEGIN").Run(); }
  void CommitWork() { Statement(connection_, "COMMIT").Run(); }
  void Rollback() noexcept;
  // Changes when another connection commits; costs no transaction.
  int64_t CommitsOfOthers();

  Record GetRecord(const RecordKey& key);
  // A record of which nothing is left takes no row.
  void PutRecord(const RecordKey& key, const Record& record);
  void PutConfirmed(const RecordKey& key, const RecordState& confirmed);
  void DeleteRecord(const RecordKey& key);
  std::vector<uint32_t> Types();  // of the records that are here
  // One that cannot be read is a DATA_LOSS that names it.
  void ListRecords(uint32_t type,
                   absl::FunctionRef<bool(const Id&, const absl::StatusOr<Record>&)> visit);

  void AddPending(const PendingEdit& edit);
  void DeletePending(EditNumber number);
  void ListPending(EditNumber after, absl::FunctionRef<bool(const PendingEdit&)> visit);
  std::optional<PendingEdit> GetPending(EditNumber number);
  std::optional<PendingEdit> LastPending();
  uint64_t CountPending();
  // What an own edit has as its number, as long as it is pending, or kept or set
  // aside under the device's number.
  std::optional<EditNumber> NumberOf(DeviceNumber device, uint64_t salt);

  // By the device's number of then; listed in the order in which they were made.
  void Keep(DeviceNumber device, const PendingEdit& edit);
  std::vector<std::pair<DeviceNumber, PendingEdit>> ListKept();
  // Nothing where it is not kept.
  void Withdraw(uint64_t salt);
  // Those of `device` up to that number, and all of its former numbers.
  void DropKept(DeviceNumber device, EditNumber up_to);

  // What is here is what a server said that has forgotten it.
  void MakeStale();
  bool AnyStale();
  bool IsStale(const RecordKey& key);
  void Refreshed(const RecordKey& key);
  std::vector<RecordKey> ListStale();

  void AddTouched(const RecordKey& key, EditNumber number);
  void DeleteTouched(const RecordKey& key, EditNumber number);
  std::vector<EditNumber> TouchedBy(const RecordKey& key);
  std::set<Id> Touched(uint32_t type);

  void AddSetAside(const SetAside& set_aside);
  void ListSetAside(absl::FunctionRef<void(const SetAside&)> visit);
  bool DeleteSetAside(int64_t place);  // whether it was there

  // Of 0 a new one; the place under which it is kept. 0: there is none of that place.
  int64_t PutSketch(int64_t place, absl::string_view sketch);
  void ListSketches(absl::FunctionRef<void(int64_t place, const std::string& sketch)> visit);
  bool DeleteSketch(int64_t place);  // whether it was there

  std::vector<sync::v1::Cursor> Cursors();
  // One without an audience is forgotten.
  void PutCursor(const sync::v1::Cursor& cursor);

  // What a device that was lost lets go of, in two steps: all that has an answer or came
  // from the server; then the rest. Sweep overwrites what the file still holds of it;
  // it is done when the file is opened next, too.
  void EraseAnswered();
  void EraseAll();
  void Sweep();

  std::string GetSetting(const std::string& name);
  int64_t GetNumber(const std::string& name);
  void PutSetting(const std::string& name, absl::string_view value);
  void PutNumber(const std::string& name, int64_t value);

 private:
  explicit Tables(const Store::Options& options);

  sqlite::Connection connection_;
  Seal seal_;
};

absl::Status StatusOf(const SQLite::Exception& error);

}  // namespace zhibu::client

#endif  // ZHIBU_CLIENT_CORE_STORE_TABLES_H_
