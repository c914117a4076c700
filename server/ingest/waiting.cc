#include "server/ingest/waiting.h"

#include <optional>
#include <vector>

#include "absl/strings/str_cat.h"
#include "server/authority/held.h"
#include "sync/base/reason.h"
#include "sync/base/status.h"
#include "sync/merge/audience.h"

namespace zhibu::server {

using sync::v1::Change;
using sync::v1::Edit;

bool IsHeld(sync::v1::Reason reason) {
  return reason == sync::v1::GRANT_ENDED || reason == sync::v1::MOVED_AWAY ||
         reason == sync::v1::OF_REVOKED_DEVICE || reason == sync::v1::BUILDS_ON_HELD;
}

absl::Status Waiting::CheckFoundations(const AuditRow& row) {
  for (const uint64_t below : row.builds_on) {
    RETURN_IF_ERROR(CheckTaken(row.author, EditNumber(below)));
  }
  return absl::OkStatus();
}

// That edit is in, or has been taken since it was held; or nothing is known of it.
absl::Status Waiting::CheckTaken(DeviceNumber device, EditNumber number) {
  ASSIGN_OR_RETURN(const auto known, work_.writer.GetVerdict(device, number));
  if (!known || known->verdict == sync::v1::MERGED) return absl::OkStatus();
  if (known->verdict == sync::v1::HELD) {
    ASSIGN_OR_RETURN(const auto row, work_.writer.GetAudit(device, number));
    ASSIGN_OR_RETURN(const HeldFate fate, HeldFateOf(work_.writer, row->edit));
    if (fate == HeldFate::kTaken) return absl::OkStatus();
    if (fate == HeldFate::kWaits) {
      return Refuse(sync::v1::BUILDS_ON_HELD, absl::StrCat(number.value));
    }
  }
  return Refuse(sync::v1::BUILDS_ON_RETURNED, absl::StrCat(number.value));
}

absl::Status Waiting::MayBeJudged(const Passage& passage, const Staging& staging) {
  absl::Status status = CheckFoundations(passage.row);
  if (passage.row.decided_by.empty() && status.ok()) {
    ASSIGN_OR_RETURN(const DeviceState* device, chains_.StateOf(passage.row.author));
    if (device->row.revoked()) status = Refuse(sync::v1::OF_REVOKED_DEVICE, device->row.name);
  }
  if (!IsHeld(ReasonOf(status).reason)) return status;
  std::optional<std::set<RecordKey>> below;
  for (const Change& change : passage.edit.changes()) {
    const RecordKey key = KeyOf(change);
    const Staged& staged = staging.at(key);
    if (staged.before.empty() && change.kind() != Change::CREATE) {
      if (!below) {
        ASSIGN_OR_RETURN(below, HeldBelow(passage.row));
      }
      if (below->count(key) > 0) continue;
      return Refuse(sync::v1::NO_SUCH_RECORD, staged.type->name);
    }
    ASSIGN_OR_RETURN(const bool right, HasRight(passage, change, staged));
    if (right) continue;
    return change.kind() == Change::CREATE ? Refuse(sync::v1::NOT_ENTITLED, staged.type->label)
                                           : Refuse(sync::v1::NO_SUCH_RECORD, staged.type->name);
  }
  return status;
}

absl::StatusOr<bool> Waiting::HasRight(const Passage& passage, const Change& change,
                                       const Staged& staged) {
  const RecordKey key = KeyOf(change);
  Staged as_said = staged;
  as_said.change = &change;
  if (staged.before.empty()) as_said.state.body = change.set();
  // Whom a branch has shown its code is its guest for this one record.
  ASSIGN_OR_RETURN(
      const std::optional<Loan> loan,
      work_.rules.Lend(CaseOf(work_, passage, {}), StepOf(work_, passage, key, as_said)));
  if (loan) return true;
  std::vector<Placed> after = staged.before;
  const std::vector<Placed> named = PlacesOf(*staged.type, key.id, change.set());
  after.insert(after.end(), named.begin(), named.end());
  ASSIGN_OR_RETURN(const Offices* offices, offices_.Of(passage.author));
  return MightOnce(work_.writer, *staged.type, WrittenBy(*staged.type, change),
                   HostSightOf(*staged.type, as_said.state.body), key.id, passage.author, *offices,
                   staged.before, after);
}

// The records that the held edits are about on which this one builds.
absl::StatusOr<std::set<RecordKey>> Waiting::HeldBelow(const AuditRow& row) {
  std::set<RecordKey> records;
  for (const uint64_t below : row.builds_on) {
    ASSIGN_OR_RETURN(const auto known, work_.writer.GetVerdict(row.author, EditNumber(below)));
    if (!known || known->verdict != sync::v1::HELD) continue;
    ASSIGN_OR_RETURN(const auto waiting, work_.writer.GetAudit(row.author, EditNumber(below)));
    Edit edit;
    if (!waiting || !edit.ParseFromString(waiting->edit)) continue;
    for (const Change& change : edit.changes()) {
      if (const auto id = Id::FromBytes(change.id())) records.insert({change.type(), *id});
    }
  }
  return records;
}

absl::StatusOr<absl::flat_hash_set<Version>> Waiting::MadeAfter(const AuditRow& row) {
  absl::flat_hash_set<Version> versions;
  RETURN_IF_ERROR(work_.writer.ReadVersions(row.device, row.number,
                                            [&](Version later) { versions.insert(later); }));
  return versions;
}

}  // namespace zhibu::server
