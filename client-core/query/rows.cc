#include "client-core/query/rows.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "client-core/actions/known.h"
#include "client-core/actions/step.h"
#include "sync/base/status.h"
#include "zhibu/records/v1/conflict.pb.h"

namespace zhibu::client {

using google::protobuf::Message;
using records::v1::ConflictNote;

namespace {

void AddSetAside(const SetAside& item, KnownBeside* known) {
  for (const auto& change : item.edit.changes()) {
    const auto id = Id::FromBytes(change.id());
    if (!id || item.standing == SetAside::Standing::kTaken) continue;
    const bool waits = item.standing == SetAside::Standing::kWaiting;
    (waits ? known->held : known->returned).insert({change.type(), *id});
  }
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

absl::StatusOr<std::vector<Row>> ShowRows(Store& store, const RecordType& type,
                                          absl::Span<const Id> ids, const KnownBeside& known) {
  ASSIGN_OR_RETURN(std::vector<ShownRecord> shown, store.Show(type, ids));
  std::vector<Row> rows;
  for (ShownRecord& record : shown) rows.push_back(RowOf(std::move(record), known));
  return rows;
}

absl::StatusOr<std::vector<Row>> ShowRows(Store& store, const RecordType& type,
                                          absl::Span<const Id> ids) {
  ASSIGN_OR_RETURN(const KnownBeside known, ReadKnownBeside(store));
  return ShowRows(store, type, ids, known);
}

absl::StatusOr<std::vector<Keyed>> SelectAll(Store& store, const Selection& selection,
                                             absl::Status* damage) {
  std::vector<Keyed> selected;
  *damage = store.List(selection.InStore(), [&](const Id& id, const Message& record) {
    if (std::optional<std::string> key = selection.KeyOf(id, record)) {
      selected.push_back({*std::move(key), id});
    }
    return true;
  });
  if (!damage->ok() && !absl::IsDataLoss(*damage)) return *damage;
  return selected;
}

absl::StatusOr<RowPage> ListRows(Store& store, const Selection& selection, const std::string& after,
                                 size_t limit) {
  RowPage page;
  ASSIGN_OR_RETURN(std::vector<Keyed> all, SelectAll(store, selection, &page.damage));
  const auto rest =
      std::partition(all.begin(), all.end(), [&](const Keyed& keyed) { return keyed.key > after; });
  all.erase(rest, all.end());
  const size_t size = std::min(limit, all.size());
  std::partial_sort(all.begin(), all.begin() + static_cast<ptrdiff_t>(size), all.end());
  std::vector<Id> ids;
  for (size_t i = 0; i < size; ++i) ids.push_back(all[i].id);
  if (size > 0 && size < all.size()) page.next = all[size - 1].key;
  ASSIGN_OR_RETURN(page.rows, ShowRows(store, selection.type(), ids));
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
