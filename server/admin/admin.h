// What an operator does, apart from how the call arrives. What it changes are
// records, written by the server's own device through the one ingest.
#ifndef ZHIBU_SERVER_ADMIN_ADMIN_H_
#define ZHIBU_SERVER_ADMIN_ADMIN_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "server/base/log.h"
#include "server/sessions/hub.h"
#include "zhibu/admin/v1/admin.pb.h"
#include "zhibu/records/v1/enrolment.pb.h"
#include "zhibu/sync/v1/sync.pb.h"

namespace zhibu::server {

// Names in the settings of the store.
inline constexpr char kServerId[] = "server_id";

class Admin {
 public:
  // `log`: what Counts tells; null: nothing is counted.
  explicit Admin(Hub* hub, const Log* log = nullptr)
      : hub_(*hub), log_(log), began_ms_(hub->environment().now_ms()) {}

  // The codes are those of zhibu.admin.v1.Admin. NOT_FOUND and
  // FAILED_PRECONDITION where a person or organisation is not named well enough:
  // server/identity/named.h.
  absl::StatusOr<admin::v1::InitReply> Init(const admin::v1::InitRequest& request);
  absl::StatusOr<admin::v1::ImportReply> Import(const admin::v1::ImportRequest& request);
  absl::StatusOr<admin::v1::LedgerReply> Ledger(const admin::v1::LedgerRequest& request);
  absl::StatusOr<admin::v1::EnrolCodeReply> Enrol(const admin::v1::EnrolCodeRequest& request);
  absl::StatusOr<admin::v1::GrantReply> Grant(const admin::v1::GrantRequest& request);
  absl::StatusOr<admin::v1::RevokeReply> Revoke(const admin::v1::RevokeRequest& request);
  absl::StatusOr<admin::v1::AffiliateReply> Affiliate(const admin::v1::AffiliateRequest& request);
  absl::StatusOr<admin::v1::AnnounceReply> Announce(const admin::v1::AnnounceRequest& request);
  // Takes the certificate that was announced, before the server serves. FAILED_PRECONDITION: none.
  absl::Status ChangeCertificate(const std::string& by);
  absl::StatusOr<admin::v1::DevicesReply> Devices();
  absl::StatusOr<admin::v1::ConflictsReply> Conflicts(const admin::v1::ConflictsRequest& request);
  absl::StatusOr<admin::v1::DuplicatesReply> Duplicates();
  absl::StatusOr<admin::v1::MergePersonsReply> MergePersons(
      const admin::v1::MergePersonsRequest& request);
  absl::StatusOr<admin::v1::VerifyAuditReply> VerifyAudit();
  absl::StatusOr<admin::v1::BackupReply> Backup(const admin::v1::BackupRequest& request);
  absl::StatusOr<admin::v1::ActsReply> Acts(const admin::v1::ActsRequest& request);
  absl::StatusOr<admin::v1::CountsReply> Counts();
  absl::StatusOr<admin::v1::CheckReply> Check();
  absl::StatusOr<admin::v1::ReportReply> Report(const admin::v1::ReportRequest& request);
  absl::StatusOr<admin::v1::DueReply> Due(const admin::v1::DueRequest& request);

  // The other end of Enrol: a device comes with its code. BAD_CODE.
  absl::StatusOr<sync::v1::EnrolReply> EnrolDevice(const sync::v1::EnrolRequest& request);

 private:
  absl::Status WriteOwn(const sync::v1::Edit& edit);
  absl::StatusOr<std::string> RegisteredBranch(const std::string& text);
  absl::StatusOr<sync::v1::EnrolReply> TakeDevice(const sync::v1::EnrolRequest& request);
  // As an edit by itself.
  absl::Status WriteAct(Writer& writer, const std::string& by, records::v1::OperatorAct act);
  absl::Status NoteAct(const std::string& by, const records::v1::OperatorAct& act);
  absl::Status RevokeGrant(const admin::v1::GrantRequest& request, const std::string& by,
                           admin::v1::RevokeReply* reply);
  absl::Status RevokeDevice(DeviceNumber number, DeviceRow::Standing standing,
                            const std::string& by, admin::v1::RevokeReply* reply);

  Hub& hub_;
  const Log* const log_;
  const int64_t began_ms_;
  absl::Mutex import_mutex_;  // the second of two rosters sees what the first has made
};

}  // namespace zhibu::server

#endif  // ZHIBU_SERVER_ADMIN_ADMIN_H_
