// Records as a screen lists them: what each says, what was seen of it, and how it stands.
//
//   ASSIGN_OR_RETURN(const RowPage page, ListRows(*store, selection, "", 100));
//   for (const Row& row : page.rows) …row.draft.message()… row.marks.pending…
//   …ListRows(*store, selection, page.next, 100)…
//
// Threads and errors: as the store.
#ifndef ZHIBU_CLIENT_CORE_QUERY_ROWS_H_
#define ZHIBU_CLIENT_CORE_QUERY_ROWS_H_

#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "client-core/query/selection.h"
#include "client-core/store/store.h"

namespace zhibu::client {

struct Marks {
  bool pending = false;  // see ShownRecord, as the next two
  bool delivered = false;
  bool stale = false;
  bool returned = false;  // an own edit of it came back, or was not sent with one that did
  bool held = false;      // an own edit of it waits for a decision
  bool conflict = false;  // an open ConflictNote is about it

  friend bool operator==(const Marks&, const Marks&) = default;
};

struct Row {
  Draft draft;
  Marks marks;
};

// What is known of records elsewhere than in them.
struct KnownBeside {
  std::set<RecordKey> returned;
  std::set<RecordKey> held;
  std::set<RecordKey> in_conflict;
};
absl::StatusOr<KnownBeside> ReadKnownBeside(Store& store);

// Those that are here, in the order of `ids`.
absl::StatusOr<std::vector<Row>> ShowRows(Store& store, const RecordType& type,
                                          absl::Span<const Id> ids, const KnownBeside& known);
absl::StatusOr<std::vector<Row>> ShowRows(Store& store, const RecordType& type,
                                          absl::Span<const Id> ids);

// A record that is selected, by what places it.
struct Keyed {
  std::string key;
  Id id;

  friend auto operator<=>(const Keyed&, const Keyed&) = default;
};
// All of them, in no order. `damage`: one could not be read; the others are here.
absl::StatusOr<std::vector<Keyed>> SelectAll(Store& store, const Selection& selection,
                                             absl::Status* damage);

struct RowPage {
  std::vector<Row> rows;
  std::string next;     // the key that it goes on after; empty where that was all
  absl::Status damage;  // see SelectAll
};
absl::StatusOr<RowPage> ListRows(Store& store, const Selection& selection, const std::string& after,
                                 size_t limit);

// Conflicts that nobody has settled, as their notes (records.v1.ConflictNote).
absl::StatusOr<std::vector<Row>> OpenConflicts(Store& store);
// INVALID_ARGUMENT: it is no ConflictNote.
absl::StatusOr<Draft> SettleConflict(Draft note);

}  // namespace zhibu::client

#endif  // ZHIBU_CLIENT_CORE_QUERY_ROWS_H_
