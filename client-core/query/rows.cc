#include "client-core/query/rows.h"

#include <utility>

#include "client-core/actions/known.h"
#include "client-core/actions/step.h"
#include "sync/base/status.h"
#include "zhibu/records/v1/conflict.pb.h"

namespace zhibu::client {

using google::protobuf::Message;
using records::v1::ConflictNote;

namespace {

// What is known of records elsewhere than in them: read once for all rows of a page.
struct KnownBeside {
  std::set<RecordKey> returned;
  std::set<RecordKey> held;
  std::set<RecordKey> in_conflict;
};

void AddSetAside(const SetAside& item, KnownBeside* known) {
  for (const auto& change : item.edit.changes()) {
    const auto id = Id::FromBytes(change.id());
    if (!id || item.standing == SetAside::Standing::kTaken) continue;
    const bool waits = item.standing == SetAside::Standing::kWaiting;
    (waits ? known->held : known->returned).insert({change.type(), *id});
  }
}

absl::StatusOr<KnownBeside> ReadKnownBeside(Store& store) {
  KnownBeside known;
  RETURN_IF_ERROR(store.ListSetAside([&](const SetAside& item) { AddSetAside(item, &known); }));
  const absl::Status read = Each<ConflictNote>(store, [&](const Id&, const ConflictNote& note) {
    const auto id = Id::FromBytes(note.record_id());
    if (id && note.state() == ConflictNote::OPEN) {
      known.in_conflict.insert({note.record_type(), *id});
    }
    return true;
  });
  if (!read.ok() && !absl::IsDataLoss(read)) return read;  // a damaged note marks nothing
  return known;
}

Row RowOf(ShownRecord record, const KnownBeside& known) {
  const RecordKey key{record.draft.type().number, record.draft.id()};
  const Marks marks{.pending = record.pending,
                    .delivered = record.delivered,
                    .stale = record.stale,
                    .returned = known.returned.count(key) > 0,
                    .held = known.held.count(key) > 0,
                    .conflict = known.in_conflict.count(key) > 0};
  return {std::move(record.draft), marks};
}

}  // namespace

absl::StatusOr<std::vector<Row>> ShowRows(Store& store, const RecordType& type,
                                          absl::Span<const Id> ids) {
  ASSIGN_OR_RETURN(std::vector<ShownRecord> shown, store.Show(type, ids));
  ASSIGN_OR_RETURN(const KnownBeside known, ReadKnownBeside(store));
  std::vector<Row> rows;
  for (ShownRecord& record : shown) rows.push_back(RowOf(std::move(record), known));
  return rows;
}

absl::StatusOr<RowPage> ListRows(Store& store, const Query& query, const std::optional<Id>& after,
                                 size_t limit) {
  RowPage page;
  std::vector<Id> ids;
  page.damage = store.List(query, [&](const Id& id, const Message&) {
    if (after && id <= *after) return true;
    if (ids.size() == limit) {
      page.next = ids.back();
      return false;
    }
    ids.push_back(id);
    return true;
  });
  if (!page.damage.ok() && !absl::IsDataLoss(page.damage)) return page.damage;
  ASSIGN_OR_RETURN(page.rows, ShowRows(store, *store.schema().Find(query.type), ids));
  return page;
}

absl::StatusOr<std::vector<Row>> OpenConflicts(Store& store) {
  std::vector<Id> ids;
  RETURN_IF_ERROR(Each<ConflictNote>(store, [&](const Id& id, const ConflictNote& note) {
    if (note.state() == ConflictNote::OPEN) ids.push_back(id);
    return true;
  }));
  return ShowRows(store, *store.schema().Find(ConflictNote::descriptor()), ids);
}

absl::StatusOr<Draft> SettleConflict(Draft note) {
  return TakeStep<ConflictNote>(std::move(note), ConflictNote::SETTLED);
}

}  // namespace zhibu::client
