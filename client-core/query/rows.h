// Records as a screen lists them: what each says, what was seen of it, and how it stands.
//
//   ASSIGN_OR_RETURN(const RowPage page, ListRows(*store, {.type = meeting}, std::nullopt, 100));
//   for (const Row& row : page.rows) …row.draft.message()… row.marks.pending…
//   …ListRows(*store, query, page.next, 100)…
//
// Ascending by id. Threads and errors: as the store.
#ifndef ZHIBU_CLIENT_CORE_QUERY_ROWS_H_
#define ZHIBU_CLIENT_CORE_QUERY_ROWS_H_

#include <optional>
#include <set>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
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

struct RowPage {
  std::vector<Row> rows;
  std::optional<Id> next;  // what it goes on after; nothing where that was all
  absl::Status damage;     // one that fits could not be read; the others are here
};
absl::StatusOr<RowPage> ListRows(Store& store, const Query& query, const std::optional<Id>& after,
                                 size_t limit);

// Those that are here, in the order of `ids`.
absl::StatusOr<std::vector<Row>> ShowRows(Store& store, const RecordType& type,
                                          absl::Span<const Id> ids);

// Conflicts that nobody has settled, as their notes (records.v1.ConflictNote).
absl::StatusOr<std::vector<Row>> OpenConflicts(Store& store);
// INVALID_ARGUMENT: it is no ConflictNote.
absl::StatusOr<Draft> SettleConflict(Draft note);

}  // namespace zhibu::client

#endif  // ZHIBU_CLIENT_CORE_QUERY_ROWS_H_
