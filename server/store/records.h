// What the store keeps of every record, and what writing one does to the feeds.
#ifndef ZHIBU_SERVER_STORE_RECORDS_H_
#define ZHIBU_SERVER_STORE_RECORDS_H_

#include <cstdint>
#include <optional>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "server/store/feed.h"
#include "sync/base/types.h"
#include "sync/merge/state.h"

namespace zhibu::server {

// Beside what rules look up (sync/rules/lookup.h).
class RecordReader {
 public:
  virtual ~RecordReader() = default;

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
};

class RecordWriter {
 public:
  virtual ~RecordWriter() = default;

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
};

}  // namespace zhibu::server

#endif  // ZHIBU_SERVER_STORE_RECORDS_H_
