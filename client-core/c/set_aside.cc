// Edits that wait to be sent, came back, or wait for somebody's decision.
#include "client-core/actions/set_aside.h"

#include "client-core/c/call.h"
#include "client-core/c/rows.h"
#include "client-core/c/told.h"
#include "zhibu/records/v1/held.pb.h"

namespace zhibu::client {
namespace {

api::v1::SetAsideEdit::Standing ToApi(SetAside::Standing standing) {
  switch (standing) {
    case SetAside::Standing::kReturned:
      return api::v1::SetAsideEdit::RETURNED;
    case SetAside::Standing::kWaiting:
      return api::v1::SetAsideEdit::WAITING;
    case SetAside::Standing::kTaken:
      return api::v1::SetAsideEdit::TAKEN;
    case SetAside::Standing::kNotSent:
      return api::v1::SetAsideEdit::NOT_SENT;
  }
  return api::v1::SetAsideEdit::STANDING_UNSPECIFIED;
}

api::v1::SetAsideEdit ToApi(const SetAside& item) {
  api::v1::SetAsideEdit told;
  told.set_place(item.place);
  told.set_standing(ToApi(item.standing));
  if (item.answer.reason() != sync::v1::NO_REASON) {
    *told.mutable_why() = ErrorOf(item.answer.reason(), item.answer.detail());
  }
  told.set_reply(item.reply);
  told.set_edit(item.edit.SerializeAsString());
  return told;
}

absl::StatusOr<api::v1::Rows> Amend(Store& store, const api::v1::Place& at) {
  ASSIGN_OR_RETURN(std::vector<Draft> drafts, store.Amend(at.place()));
  api::v1::Rows rows;
  for (Draft& draft : drafts) {
    *rows.add_rows() = ToApi(Row{std::move(draft), {.returned = true}}, at.json());
  }
  return rows;
}

absl::StatusOr<api::v1::HeldEdits> HeldHere(Store& store) {
  const RecordType& type = *store.schema().Find(records::v1::HeldEdit::descriptor());
  std::vector<Id> ids;
  RETURN_IF_ERROR(
      ListWaitingEdits(store, [&](const WaitingEdit& waiting) { ids.push_back(waiting.id); }));
  ASSIGN_OR_RETURN(const std::vector<Row> rows, ShowRows(store, type, ids));
  api::v1::HeldEdits held;
  for (const Row& row : rows) {
    api::v1::HeldEdit& edit = *held.add_edits();
    *edit.mutable_row() = ToApi(row);
    edit.set_edit(static_cast<const records::v1::HeldEdit&>(row.draft.message()).edit());
  }
  return held;
}

absl::StatusOr<Draft> SeenIn(Store& store, zhibu_in seen) {
  ASSIGN_OR_RETURN(const absl::string_view bytes, BytesIn(seen));
  return store.DraftFrom(bytes);
}

}  // namespace
}  // namespace zhibu::client

using namespace zhibu;          // NOLINT
using namespace zhibu::client;  // NOLINT

int32_t zhibu_unsent(zhibu_handle store, zhibu_out* edits, zhibu_out* error) {
  return OnStore(store, edits, error, [](Store& open) -> Answer {
    api::v1::UnsentEdits told;
    RETURN_IF_ERROR(open.ListUnsent([&](const UnsentEdit& unsent) {
      auto& edit = *told.add_edits();
      edit.set_number(unsent.number.value);
      edit.set_delivered(unsent.delivered);
      edit.set_edit(unsent.edit.SerializeAsString());
    }));
    return Bytes(told);
  });
}

int32_t zhibu_set_aside(zhibu_handle store, zhibu_out* edits, zhibu_out* error) {
  return OnStore(store, edits, error, [](Store& open) -> Answer {
    api::v1::SetAsideEdits told;
    RETURN_IF_ERROR(
        open.ListSetAside([&](const SetAside& item) { *told.add_edits() = ToApi(item); }));
    return Bytes(told);
  });
}

int32_t zhibu_amend(zhibu_handle store, zhibu_in place, zhibu_out* rows, zhibu_out* error) {
  return OnStore(store, rows, error, [&](Store& open) -> Answer {
    ASSIGN_OR_RETURN(const auto at, Read<api::v1::Place>(place));
    ASSIGN_OR_RETURN(const auto again, Amend(open, at));
    return Bytes(again);
  });
}

int32_t zhibu_discard(zhibu_handle store, zhibu_in place, zhibu_out* error) {
  return OnStore(store, nullptr, error, [&](Store& open) -> Answer {
    ASSIGN_OR_RETURN(const auto at, Read<api::v1::Place>(place));
    return Done(open.Discard(at.place()));
  });
}

int32_t zhibu_held(zhibu_handle store, zhibu_out* edits, zhibu_out* error) {
  return OnStore(store, edits, error, [](Store& open) -> Answer {
    ASSIGN_OR_RETURN(const auto held, HeldHere(open));
    return Bytes(held);
  });
}

int32_t zhibu_held_take(zhibu_handle store, zhibu_in seen, zhibu_out* committed, zhibu_out* error) {
  return OnStore(store, committed, error, [&](Store& open) -> Answer {
    ASSIGN_OR_RETURN(Draft held, SeenIn(open, seen));
    return CommitDraft(open, TakeHeldEdit(std::move(held)));
  });
}

int32_t zhibu_held_return(zhibu_handle store, zhibu_in request, zhibu_out* committed,
                          zhibu_out* error) {
  return OnStore(store, committed, error, [&](Store& open) -> Answer {
    ASSIGN_OR_RETURN(const auto wanted, Read<api::v1::ReturnRequest>(request));
    ASSIGN_OR_RETURN(Draft held, open.DraftFrom(wanted.seen()));
    return CommitDraft(open, ReturnHeldEdit(std::move(held), wanted.reply()));
  });
}

int32_t zhibu_conflicts(zhibu_handle store, zhibu_out* rows, zhibu_out* error) {
  return OnStore(store, rows, error, [](Store& open) -> Answer {
    ASSIGN_OR_RETURN(const std::vector<Row> notes, OpenConflicts(open));
    return Bytes(ToApi(notes));
  });
}

int32_t zhibu_conflict_settle(zhibu_handle store, zhibu_in seen, zhibu_out* committed,
                              zhibu_out* error) {
  return OnStore(store, committed, error, [&](Store& open) -> Answer {
    ASSIGN_OR_RETURN(Draft note, SeenIn(open, seen));
    return CommitDraft(open, SettleConflict(std::move(note)));
  });
}
