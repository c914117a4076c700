#include "absl/strings/str_cat.h"
#include "server/store/sqlite/transaction.h"
#include "sync/crypto/handshake.h"
#include "zhibu/stored/v1/server.pb.h"

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

// What a value is sealed under, as kSealAll spells it in schema.cc.
constexpr char kEdit[] = "audit.edit";
constexpr char kAnswer[] = "audit.answer";
std::string PlaceOf(const char* column, DeviceNumber device, EditNumber number) {
  return absl::StrCat(column, "/", device.value, "/", number.value);
}

AuditRow AuditOf(const Statement& row, const Seal& seal) {
  AuditRow audit;
  audit.device = row.Number<DeviceNumber>(0);
  audit.number = row.Number<EditNumber>(1);
  audit.received_ms = row.Int(2);
  audit.stamp = row.Number<Stamp>(3);
  audit.edit = row.Opened(4, seal, PlaceOf(kEdit, audit.device, audit.number));
  const std::string place = PlaceOf(kAnswer, audit.device, audit.number);
  if (!audit.answer.ParseFromString(row.Opened(5, seal, place))) {
    ThrowDamage("an answer");
  }
  audit.version = row.Number<Version>(6);
  audit.chain = row.Bytes(7);
  audit.made_ms = row.Int(8);
  stored::v1::Beside beside;
  if (!beside.ParseFromString(row.Bytes(9))) ThrowDamage("what stands beside an edit");
  audit.author = beside.author() == 0 ? audit.device : DeviceNumber(beside.author());
  audit.decided_by = Id::FromBytes(beside.decided_by()).value_or(Id());
  audit.builds_on.assign(beside.builds_on().begin(), beside.builds_on().end());
  audit.withdrawn = beside.withdrawn();
  audit.sent = Version(beside.sent());
  audit.bases.assign(beside.bases().begin(), beside.bases().end());
  return audit;
}

std::string BesideOf(const AuditRow& row) {
  stored::v1::Beside beside;
  if (row.author != row.device) beside.set_author(row.author.value);
  if (!row.decided_by.empty()) beside.set_decided_by(row.decided_by.str());
  beside.mutable_builds_on()->Add(row.builds_on.begin(), row.builds_on.end());
  beside.set_withdrawn(row.withdrawn);
  beside.set_sent(row.sent.value);
  beside.mutable_bases()->Add(row.bases.begin(), row.bases.end());
  return beside.SerializeAsString();
}

}  // namespace

absl::StatusOr<std::optional<AuditRow>> Transaction::GetAudit(DeviceNumber device,
                                                              EditNumber number) {
  return Reading([&]() -> absl::StatusOr<std::optional<AuditRow>> {
    Statement row(connection_, kGetAudit, device, number);
    if (!row.Step()) return std::nullopt;
    return AuditOf(row, seal_);
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
      const AuditRow audit = AuditOf(whole, seal_);
      known = {audit.answer.verdict(), LinkTo(audit.edit)};
    }
    return known;
  });
}

absl::StatusOr<std::optional<AuditRow>> Transaction::FindEdit(int64_t made_ms,
                                                              absl::string_view edit) {
  return Reading([&]() -> absl::StatusOr<std::optional<AuditRow>> {
    Statement row(connection_, kFindEdit, made_ms, static_cast<int64_t>(LinkTo(edit)));
    if (!row.Step()) return std::nullopt;
    return AuditOf(row, seal_);
  });
}

absl::Status Transaction::ReadAudit(DeviceNumber device, EditNumber after,
                                    absl::FunctionRef<bool(const AuditRow&)> visit) {
  return Reading([&] {
    Statement row(connection_, kReadAudit, device, Bounded(after));
    bool more = true;
    while (more && row.Step()) more = visit(AuditOf(row, seal_));
    return absl::OkStatus();
  });
}

absl::Status Transaction::ReadVersions(DeviceNumber device, EditNumber after,
                                       absl::FunctionRef<void(Version)> visit) {
  return Reading([&] {
    Statement row(connection_, kReadVersions, device, Bounded(after));
    while (row.Step()) visit(row.Number<Version>(0));
    return absl::OkStatus();
  });
}

absl::Status Transaction::AppendAudit(const AuditRow& row) {
  if (row.number.value > kHighest || row.version.value > kHighest) {
    return absl::InvalidArgumentError("an edit's number and version are below 2^63");
  }
  return Writing([&]() -> absl::Status {
    const std::string edit = seal_.Close(PlaceOf(kEdit, row.device, row.number), row.edit);
    const std::string answer =
        seal_.Close(PlaceOf(kAnswer, row.device, row.number), row.answer.SerializeAsString());
    const std::string beside = BesideOf(row);
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
