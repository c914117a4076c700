#include "absl/strings/str_cat.h"
#include "server/store/sqlite_transaction.h"
#include "sync/handshake.h"

namespace zhibu::server::sqlite {
namespace {

#define ZHIBU_AUDIT_COLUMNS \
  "device, number, received_ms, stamp, edit, answer, version, chain, made_ms"
constexpr char kGetAudit[] =
    "SELECT " ZHIBU_AUDIT_COLUMNS " FROM audit WHERE device = ? AND number = ?";
constexpr char kReadAudit[] =
    "SELECT " ZHIBU_AUDIT_COLUMNS " FROM audit WHERE device = ? AND number > ? ORDER BY number";
constexpr char kFindEdit[] =
    "SELECT " ZHIBU_AUDIT_COLUMNS " FROM audit WHERE made_ms = ? AND link = ? ORDER BY no LIMIT 1";
constexpr char kAppendAudit[] = "INSERT INTO audit (" ZHIBU_AUDIT_COLUMNS
                                ", link) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
                                " ON CONFLICT (device, number) DO NOTHING RETURNING no";

// What a value is sealed under, as kSealAll spells it in sqlite_schema.cc.
constexpr char kEdit[] = "audit.edit";
constexpr char kAnswer[] = "audit.answer";
std::string PlaceOf(const char* column, DeviceNumber device, EditNumber number) {
  return absl::StrCat(column, "/", device.value, "/", number.value);
}

AuditRow AuditOf(const Query& row, const Seal& seal) {
  AuditRow audit;
  audit.device = row.Number<DeviceNumber>(0);
  audit.number = row.Number<EditNumber>(1);
  audit.received_ms = row.Int(2);
  audit.stamp = row.Number<Stamp>(3);
  audit.edit = row.Opened(4, seal, PlaceOf(kEdit, audit.device, audit.number));
  const std::string place = PlaceOf(kAnswer, audit.device, audit.number);
  if (!audit.answer.ParseFromString(row.Opened(5, seal, place))) {
    ThrowDamage("an answer cannot be read");
  }
  audit.version = row.Number<Version>(6);
  audit.chain = row.Bytes(7);
  audit.made_ms = row.Int(8);
  return audit;
}

}  // namespace

absl::StatusOr<std::optional<AuditRow>> Transaction::GetAudit(DeviceNumber device,
                                                              EditNumber number) {
  return Reading([&]() -> absl::StatusOr<std::optional<AuditRow>> {
    Query row(connection_, kGetAudit, device, number);
    if (!row.Step()) return std::nullopt;
    return AuditOf(row, seal_);
  });
}

absl::StatusOr<std::optional<AuditRow>> Transaction::FindEdit(int64_t made_ms,
                                                              absl::string_view edit) {
  return Reading([&]() -> absl::StatusOr<std::optional<AuditRow>> {
    Query row(connection_, kFindEdit, made_ms, static_cast<int64_t>(LinkTo(edit)));
    if (!row.Step()) return std::nullopt;
    return AuditOf(row, seal_);
  });
}

absl::Status Transaction::ReadAudit(DeviceNumber device, EditNumber after,
                                    absl::FunctionRef<bool(const AuditRow&)> visit) {
  return Reading([&] {
    Query row(connection_, kReadAudit, device, Bounded(after));
    bool more = true;
    while (more && row.Step()) more = visit(AuditOf(row, seal_));
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
    Query insert(connection_, kAppendAudit, row.device, row.number, row.received_ms, row.stamp,
                 edit, answer, row.version, row.chain, row.made_ms,
                 static_cast<int64_t>(LinkTo(row.edit)));
    if (insert.Step()) return absl::OkStatus();
    return absl::AlreadyExistsError(absl::StrCat("edit ", row.number.value, " of device ",
                                                 row.device.value, " has been answered"));
  });
}

}  // namespace zhibu::server::sqlite
