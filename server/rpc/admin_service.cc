#include <utility>

#include "server/rpc/services.h"
#include "zhibu/admin/v1/admin.grpc.pb.h"

namespace zhibu::server {
namespace {

using grpc::ServerContext;
using grpc::Status;

template <typename Reply>
Status Answer(absl::StatusOr<Reply> result, Reply* reply) {
  if (!result.ok()) {
    return Status(static_cast<grpc::StatusCode>(result.status().code()),
                  std::string(result.status().message()));
  }
  *reply = *std::move(result);
  return Status::OK;
}

class AdminService final : public admin::v1::Admin::Service {
 public:
  explicit AdminService(server::Admin* admin) : admin_(*admin) {}

  Status Init(ServerContext*, const admin::v1::InitRequest* request,
              admin::v1::InitReply* reply) override {
    return Answer(admin_.Init(*request), reply);
  }
  Status Import(ServerContext*, const admin::v1::ImportRequest* request,
                admin::v1::ImportReply* reply) override {
    return Answer(admin_.Import(*request), reply);
  }
  Status Enrol(ServerContext*, const admin::v1::EnrolCodeRequest* request,
               admin::v1::EnrolCodeReply* reply) override {
    return Answer(admin_.Enrol(*request), reply);
  }
  Status Grant(ServerContext*, const admin::v1::GrantRequest* request,
               admin::v1::GrantReply* reply) override {
    return Answer(admin_.Grant(*request), reply);
  }
  Status Revoke(ServerContext*, const admin::v1::RevokeRequest* request,
                admin::v1::RevokeReply* reply) override {
    return Answer(admin_.Revoke(*request), reply);
  }
  Status Affiliate(ServerContext*, const admin::v1::AffiliateRequest* request,
                   admin::v1::AffiliateReply* reply) override {
    return Answer(admin_.Affiliate(*request), reply);
  }
  Status Announce(ServerContext*, const admin::v1::AnnounceRequest* request,
                  admin::v1::AnnounceReply* reply) override {
    return Answer(admin_.Announce(*request), reply);
  }
  Status Devices(ServerContext*, const admin::v1::DevicesRequest*,
                 admin::v1::DevicesReply* reply) override {
    return Answer(admin_.Devices(), reply);
  }
  Status Conflicts(ServerContext*, const admin::v1::ConflictsRequest* request,
                   admin::v1::ConflictsReply* reply) override {
    return Answer(admin_.Conflicts(*request), reply);
  }
  Status Duplicates(ServerContext*, const admin::v1::DuplicatesRequest*,
                    admin::v1::DuplicatesReply* reply) override {
    return Answer(admin_.Duplicates(), reply);
  }
  Status MergePersons(ServerContext*, const admin::v1::MergePersonsRequest* request,
                      admin::v1::MergePersonsReply* reply) override {
    return Answer(admin_.MergePersons(*request), reply);
  }
  Status VerifyAudit(ServerContext*, const admin::v1::VerifyAuditRequest*,
                     admin::v1::VerifyAuditReply* reply) override {
    return Answer(admin_.VerifyAudit(), reply);
  }
  Status Backup(ServerContext*, const admin::v1::BackupRequest* request,
                admin::v1::BackupReply* reply) override {
    return Answer(admin_.Backup(*request), reply);
  }
  Status Ledger(ServerContext*, const admin::v1::LedgerRequest* request,
                admin::v1::LedgerReply* reply) override {
    return Answer(admin_.Ledger(*request), reply);
  }
  Status Acts(ServerContext*, const admin::v1::ActsRequest* request,
              admin::v1::ActsReply* reply) override {
    return Answer(admin_.Acts(*request), reply);
  }
  Status Counts(ServerContext*, const admin::v1::CountsRequest*,
                admin::v1::CountsReply* reply) override {
    return Answer(admin_.Counts(), reply);
  }
  Status Check(ServerContext*, const admin::v1::CheckRequest*,
               admin::v1::CheckReply* reply) override {
    return Answer(admin_.Check(), reply);
  }
  Status Report(ServerContext*, const admin::v1::ReportRequest* request,
                admin::v1::ReportReply* reply) override {
    return Answer(admin_.Report(*request), reply);
  }
  Status Due(ServerContext*, const admin::v1::DueRequest* request,
             admin::v1::DueReply* reply) override {
    return Answer(admin_.Due(*request), reply);
  }

 private:
  server::Admin& admin_;
};

}  // namespace

std::unique_ptr<grpc::Service> MakeAdminService(Admin* admin) {
  return std::make_unique<AdminService>(admin);
}

}  // namespace zhibu::server
