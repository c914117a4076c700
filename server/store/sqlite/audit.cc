#include "absl/strings/str_cat.h"
#include "server/store/layout.h"
#include "server/store/sqlite/transaction.h"
#include "sync/base/status.h"
#include "sync/crypto/handshake.h"

namespace zhibu::server::sqlite {
namespace {

#define ZHIBU_AUDIT_COLUMNS \
  "device, number, received_ms, stamp, edit, answer, version, chain, made_ms, beside"
constexpr char kGetAudit[] =
    "SELECT " ZHIBU_AUDIT_COLUMNS " FROM audit WHERE device = ? AND number = ?";
constexpr char kReadAudit[] =
    "SELECT " ZHIBU_AUDIT_COLUMNS " FROM audit WHERE device = ? AND number > ? ORDER BY number";
// From the index alone.
constexpr char kReadVersions[] =
    "SELECT version FROM audit INDEXED BY audit_verdict"
    " WHERE device = ? AND number > ? AND version > 0";
// Where they were taken they stand in a chain of the server's, in stores of earlier versions
// without made_ms.
constexpr char kReadTaken[] =
    "SELECT taken.version FROM audit AS held INDEXED BY audit_verdict"
    " JOIN audit AS taken INDEXED BY audit_edit"
    " ON taken.made_ms IN (held.made_ms, 0) AND taken.link = held.link"
    " WHERE held.device = ? AND held.number > ? AND held.verdict = ? AND taken.version > 0";
constexpr char kFindEdit[] =
    "SELECT " ZHIBU_AUDIT_COLUMNS " FROM audit WHERE made_ms = ? AND link = ? ORDER BY no LIMIT 1";
constexpr char kAppendAudit[] = "INSERT INTO audit (" ZHIBU_AUDIT_COLUMNS
                                ", link, verdict)"
                                " SELECT ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?"
                                " WHERE NOT EXISTS (SELECT 1 FROM audit INDEXED BY audit_verdict"
                                "   WHERE device = ? AND number = ?)"
                                " RETURNING no";
constexpr char kGetVerdict[] =
    "SELECT link, verdict FROM audit INDEXED BY audit_verdict WHERE device = ? AND number = ?";

constexpr char kGetChain[] = "SELECT chain FROM audit WHERE device = ? AND number = ?";
constexpr char kReadAnswered[] =
    "SELECT device, number, answer, version, verdict, link FROM audit"
    " WHERE device = ? AND number > ? ORDER BY number";

}  // namespace

// Without what cannot be read.
AuditRow Transaction::AuditOf(const Statement& row) {
  AuditRow audit;
  audit.device = audit.author = row.Number<DeviceNumber>(0);
  audit.number = row.Number<EditNumber>(1);
  audit.received_ms = row.Int(2);
  audit.stamp = row.Number<Stamp>(3);
  audit.version = row.Number<Version>(6);
  audit.chain = row.Bytes(7);
  audit.made_ms = row.Int(8);
  auto edit = row.TryOpen(4, seal_, layout::Edit(audit.device, audit.number));
  const auto answer = row.TryOpen(5, seal_, layout::Answer(audit.device, audit.number));
  layout::FillIn(std::move(edit), answer, row.Bytes(9), &audit);
  if (audit.damaged) observer_.OnDamage(layout::DamageOf(audit));
  return audit;
}

absl::StatusOr<AuditRow> Transaction::WholeAuditOf(const Statement& row) {
  AuditRow audit = AuditOf(row);
  if (audit.damaged) return StatusOf(layout::DamageOf(audit));
  return audit;
}

absl::StatusOr<std::optional<AuditRow>> Transaction::GetAudit(DeviceNumber device,
                                                              EditNumber number) {
  return Reading([&]() -> absl::StatusOr<std::optional<AuditRow>> {
    Statement row(connection_, kGetAudit, device, number);
    if (!row.Step()) return std::nullopt;
    return WholeAuditOf(row);
  });
}

absl::StatusOr<std::optional<Verdict>> Transaction::GetVerdict(DeviceNumber device,
                                                               EditNumber number) {
  return Reading([&]() -> absl::StatusOr<std::optional<Verdict>> {
    Statement row(connection_, kGetVerdict, device, number);
    if (!row.Step()) return std::nullopt;
    Verdict known{static_cast<sync::v1::Verdict>(row.Int(1)), static_cast<uint64_t>(row.Int(0))};
    // From before verdicts had a column.
    if (known.verdict == sync::v1::VERDICT_UNSPECIFIED) {
      Statement whole(connection_, kGetAudit, device, number);
      whole.Step();
      ASSIGN_OR_RETURN(const AuditRow audit, WholeAuditOf(whole));
      known = {audit.answer.verdict(), LinkTo(audit.edit)};
    }
    return known;
  });
}

absl::StatusOr<std::optional<std::string>> Transaction::GetChain(DeviceNumber device,
                                                                 EditNumber number) {
  return Reading([&]() -> absl::StatusOr<std::optional<std::string>> {
    Statement row(connection_, kGetChain, device, number);
    if (!row.Step()) return std::nullopt;
    return row.Bytes(0);
  });
}

Answered Transaction::AnsweredOf(const Statement& row) {
  const DeviceNumber device = row.Number<DeviceNumber>(0);
  Answered answered;
  answered.number = row.Number<EditNumber>(1);
  answered.version = row.Number<Version>(3);
  const auto answer = row.TryOpen(2, seal_, layout::Answer(device, answered.number));
  if (!layout::FillIn(answer, static_cast<sync::v1::Verdict>(row.Int(4)),
                      static_cast<uint64_t>(row.Int(5)), &answered)) {
    observer_.OnDamage({.what = Damage::What::kEdit, .device = device, .edit = answered.number});
  }
  return answered;
}

absl::StatusOr<std::optional<Answered>> Transaction::GetAnswered(DeviceNumber device,
                                                                 EditNumber number) {
  std::optional<Answered> found;
  RETURN_IF_ERROR(ReadAnswered(device, EditNumber(number.value - 1), [&](const Answered& answered) {
    if (answered.number == number) found = answered;
    return false;
  }));
  return found;
}

absl::Status Transaction::ReadAnswered(DeviceNumber device, EditNumber after,
                                       absl::FunctionRef<bool(const Answered&)> visit) {
  return Reading([&]() -> absl::Status {
    Statement row(connection_, kReadAnswered, device, Bounded(after));
    bool more = true;
    while (more && row.Step()) {
      Answered answered = AnsweredOf(row);
      // From before links and verdicts had columns.
      if (row.Int(4) == sync::v1::VERDICT_UNSPECIFIED) {
        Statement whole(connection_, kGetAudit, device, answered.number);
        whole.Step();
        ASSIGN_OR_RETURN(const AuditRow audit, WholeAuditOf(whole));
        answered.answer = audit.answer;
        answered.answer.set_link(LinkTo(audit.edit));
      }
      more = visit(answered);
    }
    return absl::OkStatus();
  });
}

absl::StatusOr<std::optional<AuditRow>> Transaction::FindEdit(int64_t made_ms,
                                                              absl::string_view edit) {
  return Reading([&]() -> absl::StatusOr<std::optional<AuditRow>> {
    Statement row(connection_, kFindEdit, made_ms, static_cast<int64_t>(LinkTo(edit)));
    if (!row.Step()) return std::nullopt;
    return WholeAuditOf(row);
  });
}

absl::Status Transaction::ReadAudit(DeviceNumber device, EditNumber after,
                                    absl::FunctionRef<bool(const AuditRow&)> visit) {
  return Reading([&] {
    Statement row(connection_, kReadAudit, device, Bounded(after));
    bool more = true;
    while (more && row.Step()) more = visit(AuditOf(row));
    return absl::OkStatus();
  });
}

absl::Status Transaction::ReadVersions(DeviceNumber device, EditNumber after,
                                       absl::FunctionRef<void(Version)> visit) {
  return Reading([&] {
    Statement row(connection_, kReadVersions, device, Bounded(after));
    while (row.Step()) visit(row.Number<Version>(0));
    Statement taken(connection_, kReadTaken, device, Bounded(after),
                    static_cast<int64_t>(sync::v1::HELD));
    while (taken.Step()) visit(taken.Number<Version>(0));
    return absl::OkStatus();
  });
}

absl::Status Transaction::AppendAudit(const AuditRow& row) {
  if (row.number.value > kHighest || row.version.value > kHighest) {
    return absl::InvalidArgumentError("an edit's number and version are below 2^63");
  }
  return Writing([&]() -> absl::Status {
    const std::string edit = seal_.Close(layout::Edit(row.device, row.number), row.edit);
    const std::string answer =
        seal_.Close(layout::Answer(row.device, row.number), row.answer.SerializeAsString());
    const std::string beside = layout::BesideOf(row);
    Statement insert(connection_, kAppendAudit, row.device, row.number, row.received_ms, row.stamp,
                     edit, answer, row.version, row.chain, row.made_ms, beside,
                     static_cast<int64_t>(LinkTo(row.edit)),
                     static_cast<int64_t>(row.answer.verdict()), row.device, row.number);
    if (insert.Step()) return absl::OkStatus();
    return absl::AlreadyExistsError(absl::StrCat("edit ", row.number.value, " of device ",
                                                 row.device.value, " has been answered"));
  });
}

}  // namespace zhibu::server::sqlite
