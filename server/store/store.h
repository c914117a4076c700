// What the server keeps, whatever database keeps it. Two implementations stand
// behind this one interface and one contract suite (tests/server/store_contract.h).
//
//   store->Write([&](Writer& writer) {       // one durable transaction
//     ASSIGN_OR_RETURN(Version version, writer.NextVersion(scopes, at_least));
//     return writer.PutRecord(key, state, before, after);  // after: see server/feed/sight.h
//   });
//   store->Read([&](Reader& reader) { … });  // one snapshot
//
// For every scope the store keeps a feed. Each record that lies or lay in it stands there
// once for every office that can see it or could, at the version at which what that office
// sees of it last changed; offices for which that is the same share a row. "What has changed
// since v" is the rows past v; no log is kept and none is compacted. To an office that a
// row does not name the row does not exist.
//
// Any thread may call. Writes run one at a time per scope; reads never wait for
// them. A Status other than OK from the callback rolls the transaction back and
// is returned. UNAVAILABLE: the database cannot be reached or is full, and the
// call may be tried again; DATA_LOSS: what is stored cannot be read.
//
// A row that is damaged (sync/base/damage.h) spoils neither the transaction nor its
// neighbours: whoever asks for it is given the status, a list visits all others before it
// gives that, and the store's observer is told.
#ifndef ZHIBU_SERVER_STORE_STORE_H_
#define ZHIBU_SERVER_STORE_STORE_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "sync/base/damage.h"
#include "sync/base/types.h"
#include "sync/merge/state.h"
#include "sync/rules/lookup.h"
#include "zhibu/sync/v1/answer.pb.h"

namespace zhibu::server {

// Sets of offices, as AudienceOf makes them.
inline constexpr uint32_t kAllOffices = 0x7fff'ffff;
// Among them, though nobody holds it: for it a record is present wherever it lies, though
// nobody may see it there.
inline constexpr uint32_t kLiesThere = 1u << 30;

// A scope in which a record lies, the offices there that may see it now, and those of them
// for which what they see has changed.
struct Showing {
  Id scope;
  uint32_t offices = 0;
  uint32_t moved = kAllOffices;
};

struct FeedRow {
  RecordKey key;
  Version version;       // at which what `offices` see of it last changed
  bool present = false;  // they may see it now; else it left, or was hidden, at `version`
  uint32_t offices = 0;
  Version since;         // at which they first could; 0: before that was written down
  RecordState state;     // as it is now
  bool damaged = false;  // the record cannot be read, and `state` is empty
};

struct DeviceRow {
  // As numbers they are stored. Later ones take in what those before them say.
  enum class Standing { kActive = 0, kRevoked = 1, kLost = 2, kWiped = 3 };

  bool revoked() const { return standing != Standing::kActive; }
  bool lost() const { return standing >= Standing::kLost; }

  DeviceNumber number;
  std::string public_key;  // Ed25519, 32 bytes
  Id person;
  Id record;  // its Device record
  std::string name;
  Standing standing = Standing::kActive;
  int64_t enrolled_ms = 0;
  int64_t last_seen_ms = 0;
  EditNumber last_number;  // highest edit that has been answered
  EditNumber safe_number;  // edits up to here are in a backup
};

// One answered edit. Never changed, never removed.
struct AuditRow {
  DeviceNumber device;  // in whose chain it stands
  EditNumber number;
  int64_t received_ms = 0;
  Stamp stamp;
  std::string edit;  // the Edit as it came
  sync::v1::Answer answer;
  Version version;      // 0 unless merged
  std::string chain;    // hash over the device's previous chain value and this row
  int64_t made_ms = 0;  // the edit's device_time_ms; 0 where it cannot be read

  // The device that made it. It is `device`, but for a held edit that somebody has taken:
  // that stands in the server's chain, and `decided_by` says who took it.
  DeviceNumber author;
  Id decided_by;
  // As they came beside the edit (sync.v1.NumberedEdit).
  std::vector<uint64_t> builds_on;
  bool withdrawn = false;
  // The highest version that had been sent to the device: see Submitted::sent. 0: unknown.
  Version sent;
  // Of each change the base that was believed; empty: what the edit says.
  std::vector<uint64_t> bases;
  // It cannot be read: `edit`, `answer` and what stands beside them are empty.
  bool damaged = false;
};

// What a device is told of an edit. Where the answer cannot be read it says no more than
// the verdict.
struct Answered {
  EditNumber number;
  sync::v1::Answer answer;  // with the link
  Version version;
};

// What is known of an answered edit without opening it.
struct Verdict {
  sync::v1::Verdict verdict = sync::v1::VERDICT_UNSPECIFIED;
  uint64_t link = 0;  // LinkTo the edit
};

struct EnrolmentCode {
  std::string code;  // as it was handed out
  Id person;
  int64_t expires_ms = 0;
};

// Set in a copy that Store::Backup has made, and nowhere else.
inline constexpr char kCopy[] = "copy";

// Beside what rules look up.
class Reader : public Lookup {
 public:
  // 0 for a scope that nothing has touched.
  virtual absl::StatusOr<Version> ScopeVersion(const Id& scope) = 0;

  // Rows of `scope` past `after` that name one of `offices`, ascending by (version, type,
  // id), until `visit` returns false or there are no more; damaged ones too.
  virtual absl::Status ReadFeed(const Id& scope, Version after, uint32_t offices,
                                absl::FunctionRef<bool(const FeedRow&)> visit) = 0;
  // Of these rows those of what is there, and of what has gone that was there at `after`.
  virtual absl::StatusOr<uint64_t> CountFeed(const Id& scope, Version after, uint32_t offices) = 0;
  // The highest version of such a row; 0: there is none.
  virtual absl::StatusOr<Version> LastInFeed(const Id& scope, uint32_t offices) = 0;
  // The version at which what one of `offices` sees of the record in `scope` last changed; 0:
  // none of them sees it there now.
  virtual absl::StatusOr<Version> LastShown(const Id& scope, uint32_t offices,
                                            const RecordKey& key) = 0;

  // Every record of a type that was ever written, the deleted ones too. Ascending by id.
  virtual absl::Status ListEver(uint32_t type,
                                absl::FunctionRef<void(const Id&, const RecordState&)> visit) = 0;

  // As ListRecords, past `after`, until `visit` returns false.
  virtual absl::Status ListFrom(uint32_t type, const Id& scope, const std::optional<Id>& after,
                                absl::FunctionRef<bool(const Id&, const RecordState&)> visit) = 0;
  // Grows with each transaction that writes a record of the type: as long as it stays, what
  // follows from all of them is as it was.
  virtual absl::StatusOr<int64_t> MovesOf(uint32_t type) = 0;
  // Every record past `after` that was ever written, ascending by key, until `visit` returns
  // false; null where it cannot be read.
  virtual absl::Status ReadRecords(
      const RecordKey& after,
      absl::FunctionRef<bool(const RecordKey&, const RecordState*)> visit) = 0;
  // What stands in a feed and is not there, at most so many. Looks at all feeds.
  virtual absl::StatusOr<std::vector<RecordKey>> FindLost(size_t most) = 0;
  // The scopes in whose feeds it stands, or stood.
  virtual absl::StatusOr<std::vector<Id>> ScopesOf(const RecordKey& key) = 0;

  // A name that cannot be read is empty.
  virtual absl::StatusOr<std::optional<DeviceRow>> GetDevice(DeviceNumber number) = 0;
  absl::StatusOr<std::optional<KnownDevice>> FindDevice(DeviceNumber number) final;
  virtual absl::StatusOr<std::vector<DeviceRow>> ListDevices() = 0;
  // Under each number, ascending, that a device with this key, or with this record, goes by.
  virtual absl::StatusOr<std::vector<DeviceRow>> DevicesWithKey(absl::string_view public_key) = 0;
  virtual absl::StatusOr<std::vector<DeviceRow>> DevicesWithRecord(const Id& record) = 0;
  // Whether it could be taken: whoever tries codes must not keep the writer busy.
  virtual absl::StatusOr<bool> HasCode(absl::string_view code, int64_t now_ms) = 0;

  virtual absl::StatusOr<std::optional<AuditRow>> GetAudit(DeviceNumber device,
                                                           EditNumber number) = 0;
  // Costs the same whatever the size of the edit.
  virtual absl::StatusOr<std::optional<Verdict>> GetVerdict(DeviceNumber device,
                                                            EditNumber number) = 0;
  // The hash of the device's chain after this edit; the edit is not looked at.
  virtual absl::StatusOr<std::optional<std::string>> GetChain(DeviceNumber device,
                                                              EditNumber number) = 0;
  virtual absl::StatusOr<std::optional<Answered>> GetAnswered(DeviceNumber device,
                                                              EditNumber number) = 0;
  // Ascending by number, until `visit` returns false.
  virtual absl::Status ReadAnswered(DeviceNumber device, EditNumber after,
                                    absl::FunctionRef<bool(const Answered&)> visit) = 0;
  // The first row that has this edit, under whatever number it came.
  virtual absl::StatusOr<std::optional<AuditRow>> FindEdit(int64_t made_ms,
                                                           absl::string_view edit) = 0;
  // Ascending by number, damaged ones too. The rows of the server's own device are under
  // kServerDevice.
  virtual absl::Status ReadAudit(DeviceNumber device, EditNumber after,
                                 absl::FunctionRef<bool(const AuditRow&)> visit) = 0;

  // The versions of the device's merged edits past `after`; their edits are not looked at.
  virtual absl::Status ReadVersions(DeviceNumber device, EditNumber after,
                                    absl::FunctionRef<void(Version)> visit) = 0;
  // The marks that were put on more than `many`. Looks at all of them.
  virtual absl::StatusOr<std::vector<std::string>> FindCommonMarks(size_t many) = 0;

  // Every version up to here was given in an earlier life of the server, before it was
  // restored; 0: there was none.
  virtual absl::StatusOr<Version> EarlierVersions() = 0;

  // 0 where nothing was ever counted under this name.
  virtual absl::StatusOr<int64_t> GetCount(absl::string_view name) = 0;

  // What this transaction has cost so far: one for each row that was read or written, and
  // one more for each 4 KiB of values. The same calls cost the same on every machine.
  virtual uint64_t Work() const = 0;
};

class Writer : public Reader {
 public:
  // Runs `body`. Where that ends with an error, all that it has written is undone and the
  // transaction goes on as though it had not begun. Gives what `body` gave.
  virtual absl::Status Attempt(absl::FunctionRef<absl::Status()> body) = 0;

  // Locks the scopes, gives a version above that of each, `at_least` if that is more, and
  // moves them all to it.
  virtual absl::StatusOr<Version> NextVersion(absl::Span<const Id> scopes, Version at_least) = 0;
  // From now on NextVersion and NextDevice give what is above these, and above every version
  // that any scope has.
  virtual absl::Status RaiseCounters(Version version, DeviceNumber device) = 0;

  // Stores the record. In the feed of every scope in `after` its rows move to
  // state.version(): for the offices that are to see it and for whom it has moved or is new,
  // and for those that could see it and no longer may. In those of `before` that are not in
  // `after` nobody sees it any longer.
  virtual absl::Status PutRecord(const RecordKey& key, const RecordState& state,
                                 absl::Span<const Id> before, absl::Span<const Showing> after) = 0;
  // Who may see what is to be what the caller says next: ForgetSeen leaves one row of each
  // record in each scope, which names nobody, and PutSeen says whom it names and that they
  // see it. No row moves.
  virtual absl::Status ForgetSeen() = 0;
  virtual absl::Status PutSeen(const RecordKey& key, absl::Span<const Showing> showings) = 0;

  virtual absl::Status PutDevice(const DeviceRow& device) = 0;
  // One above the highest ever given; the first is 2, after kServerDevice.
  virtual absl::StatusOr<DeviceNumber> NextDevice() = 0;

  // Counts something under a name, so that nobody has to list it.
  virtual absl::Status AddToCount(absl::string_view name, int64_t more) = 0;

  // ALREADY_EXISTS where (device, number) is there.
  virtual absl::Status AppendAudit(const AuditRow& row) = 0;

  // A mark says something of a person that others may share; only its bytes are kept.
  virtual absl::Status PutMark(absl::string_view mark, const Id& person) = 0;
  virtual absl::Status DeleteMark(absl::string_view mark, const Id& person) = 0;

  virtual absl::Status PutSetting(absl::string_view name, absl::string_view value) = 0;

  // Only a digest of the code is kept.
  virtual absl::Status PutCode(const EnrolmentCode& code) = 0;
  // Those that ran out before.
  virtual absl::Status DropCodes(int64_t before_ms) = 0;
  // Takes the code, so that it works once. NOT_FOUND: unknown or already taken.
  virtual absl::StatusOr<EnrolmentCode> TakeCode(absl::string_view code) = 0;
};

// What was found on a record, and no longer is.
absl::Status PutMarks(Writer& writer, const Marks& marks);

class Store {
 public:
  virtual ~Store() = default;
  virtual absl::Status Read(absl::FunctionRef<absl::Status(Reader&)> body) = 0;
  virtual absl::Status Write(absl::FunctionRef<absl::Status(Writer&)> body) = 0;
  // A consistent copy while the store is in use. It has the setting kCopy, by
  // which whoever opens it knows what it is. ALREADY_EXISTS: `file` is there.
  virtual absl::Status Backup(const std::string& file) = 0;
};

}  // namespace zhibu::server

#endif  // ZHIBU_SERVER_STORE_STORE_H_
