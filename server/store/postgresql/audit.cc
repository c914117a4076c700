#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/store/postgresql/transaction.h"
#include "sync/base/status.h"
#include "sync/crypto/handshake.h"

namespace zhibu::server::postgresql {
namespace {

// Rows that are fetched at once where many are read.
#define ZHIBU_PAGE " LIMIT 64"
constexpr int kPage = 64;

#define ZHIBU_AUDIT_COLUMNS \
  "device, number, received_ms, stamp, edit, answer, version, chain, made_ms, beside"
constexpr char kGetAudit[] =
    "SELECT " ZHIBU_AUDIT_COLUMNS " FROM audit WHERE device = $1 AND number = $2";
constexpr char kReadAudit[] = "SELECT " ZHIBU_AUDIT_COLUMNS
                              " FROM audit WHERE device = $1 AND number > $2"
                              " ORDER BY number" ZHIBU_PAGE;
constexpr char kReadVersions[] =
    "SELECT version FROM audit WHERE device = $1 AND number > $2 AND version > 0";
// Where they were taken they stand in a chain of the server's, in stores of earlier versions
// without made_ms.
constexpr char kReadTaken[] =
    "SELECT taken.version FROM audit AS held JOIN audit AS taken"
    " ON taken.made_ms IN (held.made_ms, 0) AND taken.link = held.link"
    " WHERE held.device = $1 AND held.number > $2 AND held.verdict = $3 AND taken.version > 0";
constexpr char kFindEdit[] = "SELECT " ZHIBU_AUDIT_COLUMNS
                             " FROM audit WHERE made_ms = $1 AND link = $2"
                             " ORDER BY arrived LIMIT 1";
#define ZHIBU_APPEND_AUDIT                  \
  "INSERT INTO audit (" ZHIBU_AUDIT_COLUMNS \
  ", link, verdict, arrived)"               \
  " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)"
constexpr char kAppendAudit[] = ZHIBU_APPEND_AUDIT;
constexpr char kAppendUnlessThere[] =
    ZHIBU_APPEND_AUDIT " ON CONFLICT (device, number) DO NOTHING RETURNING number";
constexpr char kGetVerdict[] = "SELECT link, verdict FROM audit WHERE device = $1 AND number = $2";
constexpr char kGetChain[] = "SELECT chain FROM audit WHERE device = $1 AND number = $2";
constexpr char kReadAnswered[] =
    "SELECT number, answer, version, verdict, link FROM audit WHERE device = $1 AND number > $2"
    " ORDER BY number" ZHIBU_PAGE;
constexpr char kGetAnswered[] =
    "SELECT number, answer, version, verdict, link FROM audit WHERE device = $1 AND number = $2";

}  // namespace

// Without what cannot be read.
AuditRow Transaction::AuditOf(const Rows& rows, int row) {
  AuditRow audit;
  audit.device = audit.author = rows.Number<DeviceNumber>(row, 0);
  audit.number = rows.Number<EditNumber>(row, 1);
  audit.received_ms = rows.Int(row, 2);
  audit.stamp = rows.Number<Stamp>(row, 3);
  audit.version = rows.Number<Version>(row, 6);
  audit.chain = rows.Bytes(row, 7);
  audit.made_ms = rows.Int(row, 8);
  auto edit = Open(rows, row, 4, layout::Edit(audit.device, audit.number));
  const auto answer = Open(rows, row, 5, layout::Answer(audit.device, audit.number));
  layout::FillIn(std::move(edit), answer, rows.View(row, 9), &audit);
  if (audit.damaged) observer_.OnDamage(layout::DamageOf(audit));
  return audit;
}

absl::StatusOr<AuditRow> Transaction::WholeAuditOf(const Rows& rows, int row) {
  AuditRow audit = AuditOf(rows, row);
  if (audit.damaged) return StatusOf(layout::DamageOf(audit));
  return audit;
}

absl::StatusOr<std::optional<AuditRow>> Transaction::GetAudit(DeviceNumber device,
                                                              EditNumber number) {
  ASSIGN_OR_RETURN(const Rows rows, Ask(kGetAudit, device, number));
  if (rows.empty()) return std::nullopt;
  return WholeAuditOf(rows, 0);
}

absl::StatusOr<std::optional<Verdict>> Transaction::GetVerdict(DeviceNumber device,
                                                               EditNumber number) {
  if (!broken_.ok()) return broken_;
  if (const auto known = verdicts_.find({device, number}); known != verdicts_.end()) {
    ++work_;
    return known->second;
  }
  ASSIGN_OR_RETURN(const Rows rows, Ask(kGetVerdict, device, number));
  if (rows.empty()) return std::nullopt;
  return Verdict{static_cast<sync::v1::Verdict>(rows.Int(0, 1)),
                 static_cast<uint64_t>(rows.Int(0, 0))};
}

absl::StatusOr<std::optional<std::string>> Transaction::GetChain(DeviceNumber device,
                                                                 EditNumber number) {
  if (!broken_.ok()) return broken_;
  if (const auto known = chains_.find({device, number}); known != chains_.end()) {
    ++work_;
    return known->second;
  }
  ASSIGN_OR_RETURN(const Rows rows, Ask(kGetChain, device, number));
  if (rows.empty()) return std::nullopt;
  return rows.Bytes(0, 0);
}

Answered Transaction::AnsweredOf(DeviceNumber device, const Rows& rows, int row) {
  Answered answered;
  answered.number = rows.Number<EditNumber>(row, 0);
  answered.version = rows.Number<Version>(row, 2);
  const auto answer = Open(rows, row, 1, layout::Answer(device, answered.number));
  if (!layout::FillIn(answer, static_cast<sync::v1::Verdict>(rows.Int(row, 3)),
                      static_cast<uint64_t>(rows.Int(row, 4)), &answered)) {
    observer_.OnDamage({.what = Damage::What::kEdit, .device = device, .edit = answered.number});
  }
  return answered;
}

absl::StatusOr<std::optional<Answered>> Transaction::GetAnswered(DeviceNumber device,
                                                                 EditNumber number) {
  ASSIGN_OR_RETURN(const Rows rows, Ask(kGetAnswered, device, Bounded(number)));
  if (rows.empty()) return std::nullopt;
  return AnsweredOf(device, rows, 0);
}

absl::Status Transaction::ReadAnswered(DeviceNumber device, EditNumber after,
                                       absl::FunctionRef<bool(const Answered&)> visit) {
  after = Bounded(after);
  bool more = true;
  while (more) {
    ASSIGN_OR_RETURN(const Rows rows, Ask(kReadAnswered, device, after));
    for (int row = 0; more && row < rows.size(); ++row) {
      after = rows.Number<EditNumber>(row, 0);
      more = visit(AnsweredOf(device, rows, row));
    }
    more = more && rows.size() == kPage;
  }
  return broken_;
}

absl::StatusOr<std::optional<AuditRow>> Transaction::FindEdit(int64_t made_ms,
                                                              absl::string_view edit) {
  if (!broken_.ok()) return broken_;
  const MadeEdit made{made_ms, LinkTo(edit)};
  if (edits_missing_.contains(made)) {
    ++work_;
    return std::nullopt;
  }
  ASSIGN_OR_RETURN(const Rows rows, Ask(kFindEdit, made.made_ms, made.link));
  if (rows.empty()) return std::nullopt;
  return WholeAuditOf(rows, 0);
}

absl::Status Transaction::ReadAudit(DeviceNumber device, EditNumber after,
                                    absl::FunctionRef<bool(const AuditRow&)> visit) {
  after = Bounded(after);
  bool more = true;
  while (more) {
    ASSIGN_OR_RETURN(const Rows rows, Ask(kReadAudit, device, after));
    for (int row = 0; more && row < rows.size(); ++row) {
      after = rows.Number<EditNumber>(row, 1);
      more = visit(AuditOf(rows, row));
    }
    more = more && rows.size() == kPage;
  }
  return broken_;
}

absl::Status Transaction::ReadVersions(DeviceNumber device, EditNumber after,
                                       absl::FunctionRef<void(Version)> visit) {
  ASSIGN_OR_RETURN(const Rows rows, Ask(kReadVersions, device, Bounded(after)));
  for (int row = 0; row < rows.size(); ++row) visit(rows.Number<Version>(row, 0));
  ASSIGN_OR_RETURN(const Rows taken,
                   Ask(kReadTaken, device, Bounded(after), static_cast<int64_t>(sync::v1::HELD)));
  for (int row = 0; row < taken.size(); ++row) visit(taken.Number<Version>(row, 0));
  return absl::OkStatus();
}

// An edit past the last of its device's is not there, and need not be asked for.
bool Transaction::IsNew(const EditKey& key) const {
  if (const auto last = appended_.find(key.device); last != appended_.end()) {
    return key.number > last->second;
  }
  const auto device = devices_.find(key.device);
  return device != devices_.end() && device->second && key.number > device->second->last_number;
}

absl::Status Transaction::AppendAudit(const AuditRow& row) {
  if (row.number.value > kHighest || row.version.value > kHighest) {
    return absl::InvalidArgumentError("an edit's number and version are below 2^63");
  }
  if (!broken_.ok()) return broken_;
  const EditKey key{row.device, row.number};
  const std::string edit = Close(layout::Edit(row.device, row.number), row.edit);
  const std::string answer =
      Close(layout::Answer(row.device, row.number), row.answer.SerializeAsString());
  const uint64_t link = LinkTo(row.edit);
  const bool is_new = IsNew(key);
  const std::vector<Value> values = {row.device,
                                     row.number,
                                     row.received_ms,
                                     row.stamp,
                                     edit,
                                     answer,
                                     row.version,
                                     row.chain,
                                     row.made_ms,
                                     layout::BesideOf(row),
                                     link,
                                     static_cast<int64_t>(row.answer.verdict()),
                                     ++lane_->arrived};
  edits_missing_.erase({row.made_ms, link});
  if (is_new) {
    Remember(appended_, row.device, row.number);
    return QueueValues(kAppendAudit, values);
  }
  ASSIGN_OR_RETURN(const Rows rows, AskValues(kAppendUnlessThere, values));
  if (!rows.empty()) return absl::OkStatus();
  return absl::AlreadyExistsError(absl::StrCat("edit ", row.number.value, " of device ",
                                               row.device.value, " has been answered"));
}

}  // namespace zhibu::server::postgresql
