#include "server/held.h"

#include <set>
#include <string>

#include "server/own_edit.h"
#include "sync/environment.h"
#include "sync/record.h"
#include "sync/status.h"

namespace zhibu::server {

using records::v1::HeldEdit;

namespace {

const RecordType& HeldType() { return *CatalogueSchema()->Find(HeldEdit::descriptor()); }

void AddScopes(const RecordType& type, const Id& id, absl::string_view body, std::set<Id>* scopes) {
  for (const Placed& placed : PlacesOf(type, id, body)) {
    if (placed.place != PERSON) scopes->insert(placed.scope);
  }
}

}  // namespace

absl::Status AddHeld(Reader& reader, const Schema& schema, const sync::v1::NumberedEdit& submitted,
                     const AuditRow& row, const Id& author, sync::v1::Edit* own) {
  HeldEdit held;
  sync::v1::Edit edit;
  edit.ParseFromString(row.edit);  // what cannot be read touches nothing
  std::set<Id> scopes;
  for (const sync::v1::Change& change : edit.changes()) {
    // A decision that is late is made anew, or not, by whoever may decide now.
    if (change.type() == HeldType().number) return absl::OkStatus();
    const RecordType* type = schema.Find(change.type());
    const auto id = Id::FromBytes(change.id());
    if (type == nullptr || !id) continue;
    ASSIGN_OR_RETURN(const RecordState state, reader.GetRecord({type->number, *id}));
    if (state.exists) AddScopes(*type, *id, state.body, &scopes);
    AddScopes(*type, *id, change.set(), &scopes);
  }
  // What it changes may be in an edit that is held itself.
  for (const uint64_t below : submitted.builds_on()) {
    held.add_builds_on(below);
    ASSIGN_OR_RETURN(const auto foundation, reader.GetAudit(row.device, EditNumber(below)));
    ASSIGN_OR_RETURN(const auto waiting, FindHeld(reader, foundation ? foundation->edit : ""));
    if (waiting) {
      for (const std::string& scope : waiting->scopes()) {
        if (const auto id = Id::FromBytes(scope)) scopes.insert(*id);
      }
    }
  }
  for (const Id& scope : scopes) held.add_scopes(scope.str());
  held.set_author_id(author.str());
  held.set_device(row.device.value);
  held.set_number(row.number.value);
  held.set_edit(row.edit);
  held.set_reason(row.answer.reason());
  held.set_detail(row.answer.detail());
  SetTime(row.received_ms, held.mutable_received());
  held.set_state(HeldEdit::WAITING);
  const Id id = HeldId(row.edit);
  ASSIGN_OR_RETURN(const RecordState before, reader.GetRecord({HeldType().number, id}));
  if (!before.alive()) AddChange(HeldType(), id, before, held, own);
  return absl::OkStatus();
}

absl::StatusOr<std::optional<HeldEdit>> FindHeld(Reader& reader, absl::string_view edit) {
  ASSIGN_OR_RETURN(const RecordState state, reader.GetRecord({HeldType().number, HeldId(edit)}));
  HeldEdit held;
  if (!state.alive() || !held.ParseFromString(state.body)) return std::nullopt;
  return held;
}

}  // namespace zhibu::server
