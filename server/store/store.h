// What the server keeps, whatever database keeps it. Two implementations stand
// behind this one interface and one contract suite (tests/server/store_contract.h).
//
//   store->Write([&](Writer& writer) {       // one durable transaction
//     ASSIGN_OR_RETURN(Version version, writer.NextVersion(scopes, at_least));
//     return writer.PutRecord(key, state, before, after);  // after: see server/feed/sight.h
//   });
//   store->Read([&](Reader& reader) { … });  // one snapshot
//
// Any thread may call. Writes run one at a time per scope; reads never wait for
// them. A Status other than OK from the callback rolls the transaction back and
// is returned. The callback of a Write may be run several times, from its beginning, before
// one of its runs counts: what it leaves outside is what its last run has left.
// UNAVAILABLE: the database cannot be reached or is full, and the call may be tried again;
// DATA_LOSS: what is stored cannot be read.
//
// A row that is damaged (sync/base/damage.h) spoils neither the transaction nor its
// neighbours: whoever asks for it is given the status, a list visits all others before it
// gives that, and the store's observer is told.
#ifndef ZHIBU_SERVER_STORE_STORE_H_
#define ZHIBU_SERVER_STORE_STORE_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "server/store/audit.h"
#include "server/store/devices.h"
#include "server/store/feed.h"
#include "server/store/records.h"
#include "server/store/sums.h"
#include "server/store/whole.h"
#include "sync/base/damage.h"
#include "sync/base/types.h"
#include "sync/rules/lookup.h"

namespace zhibu::server {

// Set in a copy that Store::Backup has made, and nowhere else.
inline constexpr char kCopy[] = "copy";

// What a transaction is going to ask for, said beforehand: a store that is far away then fetches it
// at once, and not row by row. Whatever is not foreseen is read when it is asked for.
struct Foreseen {
  std::vector<DeviceNumber> devices;                // and their last edits
  std::vector<std::pair<int64_t, uint64_t>> edits;  // as FindEdit looks for them: made_ms, LinkTo
  std::vector<RecordKey> records;
  std::vector<Id> small_scopes;                 // all that lies in them, where that is not much
  std::vector<std::pair<uint32_t, Id>> lists;   // of this type in this scope, where that is little
  std::vector<Id> moving;                       // that it will move: locked now, in one order
  std::vector<std::pair<Id, RecordKey>> feeds;  // rows of records in scopes, to be moved
  std::vector<std::string> marks;
  std::vector<std::string> settings;
  std::vector<Id> sums;            // of these organisations: of all times, and of the last year
  std::vector<RecordKey> hanging;  // what hangs on these
};

// One interface for each subject, and what has none of its own.
class Reader : public Lookup,
               public RecordReader,
               public FeedReader,
               public DeviceReader,
               public AuditReader,
               public SumReader,
               public WholeReader {
 public:
  absl::StatusOr<std::optional<KnownDevice>> FindDevice(DeviceNumber number) final;

  // Whether each question is a journey, so that it pays to foresee them.
  virtual bool IsFar() const { return false; }
  virtual absl::Status Fetch(const Foreseen& /*foreseen*/) { return absl::OkStatus(); }

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

class Writer : public Reader,
               public RecordWriter,
               public DeviceWriter,
               public AuditWriter,
               public SumWriter,
               public WholeWriter {
 public:
  // Runs `body`. Where that ends with an error, all that it has written is undone and the
  // transaction goes on as though it had not begun. Gives what `body` gave.
  virtual absl::Status Attempt(absl::FunctionRef<absl::Status()> body) = 0;

  // Counts something under a name, so that nobody has to list it.
  virtual absl::Status AddToCount(absl::string_view name, int64_t more) = 0;

  // A mark says something of a person that others may share; only its bytes are kept.
  virtual absl::Status PutMark(absl::string_view mark, const Id& person) = 0;
  virtual absl::Status DeleteMark(absl::string_view mark, const Id& person) = 0;

  virtual absl::Status PutSetting(absl::string_view name, absl::string_view value) = 0;
};

// What was found on a record, and no longer is.
absl::Status PutMarks(Writer& writer, const Marks& marks);

// Is told of each transaction that has moved scopes, once it is durable: on the thread that has
// written it and before Write returns; of what other processes have written to the same database,
// soon after, on a thread of the store's. Must not use the store meanwhile.
class Watcher {
 public:
  virtual ~Watcher() = default;
  // More than once, it may be, and of scopes that have not moved since.
  virtual void OnMoved(const absl::flat_hash_set<Id>& scopes) = 0;
  // What it is to hear of in any case: the store looks at those by itself, should another process
  // not have come to tell.
  virtual std::vector<Id> Followed() { return {}; }
};

class Store {
 public:
  virtual ~Store() = default;
  // Until StopWatching returns; the watcher must live so long.
  virtual void Watch(Watcher* watcher) = 0;
  virtual void StopWatching(Watcher* watcher) = 0;
  virtual absl::Status Read(absl::FunctionRef<absl::Status(Reader&)> body) = 0;
  virtual absl::Status Write(absl::FunctionRef<absl::Status(Writer&)> body) = 0;
  // A consistent copy while the store is in use. It has the setting kCopy, by
  // which whoever opens it knows what it is. ALREADY_EXISTS: `file` is there.
  virtual absl::Status Backup(const std::string& file) = 0;
};

}  // namespace zhibu::server

#endif  // ZHIBU_SERVER_STORE_STORE_H_
