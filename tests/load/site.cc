#include "tests/load/site.h"

#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <atomic>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "server/net/address.h"
#include "sync/base/environment.h"
#include "sync/base/status.h"
#include "zhibu/admin/v1/admin.grpc.pb.h"
#include "zhibu/sync/v1/sync.pb.h"

namespace zhibu::load {
namespace {

using asio::ip::tcp;

// The server takes no more enrolments at once.
constexpr size_t kAtOnce = 8;
constexpr absl::Duration kPatience = absl::Minutes(10);

absl::Status FromGrpc(const grpc::Status& status) {
  return absl::Status(static_cast<absl::StatusCode>(status.error_code()), status.error_message());
}

template <typename Request, typename Reply>
absl::Status Ask(admin::v1::Admin::Stub& admin,
                 grpc::Status (admin::v1::Admin::Stub::*method)(grpc::ClientContext*,
                                                                const Request&, Reply*),
                 const Request& request, Reply* reply) {
  grpc::ClientContext context;
  context.set_deadline(absl::ToChronoTime(absl::Now() + kPatience));
  return FromGrpc((admin.*method)(&context, request, reply));
}

class EnrolCall : public Listener {
 public:
  absl::StatusOr<sync::v1::EnrolReply> Run(const ServerPlace& server,
                                           const sync::v1::EnrolRequest& request) {
    asio::io_context io;
    const auto call = Call::Open(&io, server, "Enrol", this);
    call->Send(request);
    call->Finish();
    io.run();
    RETURN_IF_ERROR(why_);
    return reply_;
  }

 private:
  void OnReady() override {}
  void OnMessage(absl::string_view bytes) override {
    if (!reply_.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) reply_.Clear();
  }
  void OnEnd(const absl::Status& why) override { why_ = why; }

  sync::v1::EnrolReply reply_;
  absl::Status why_;
};

// Names that no other run has taken.
class Names {
 public:
  Names() : run_(Hex(SystemEnvironment().random_bytes(4))) {}
  std::string Member(size_t i) const { return absl::StrCat("压测", run_, "-", i); }
  std::string Branch(size_t i) const { return absl::StrCat("压测", run_, "第", i, "党支部"); }

 private:
  const std::string run_;
};

absl::Status Import(admin::v1::Admin::Stub& admin, const Names& names, const Plan& plan,
                    const std::string& operator_name) {
  admin::v1::ImportRequest request;
  std::string roster = "姓名,所在支部\n";
  for (int i = 0; i < plan.devices; ++i) {
    absl::StrAppend(&roster, names.Member(i), ",", names.Branch(i / plan.per_branch), "\n");
  }
  request.set_file(std::move(roster));
  request.set_found(true);
  request.set_operator_name(operator_name);
  admin::v1::ImportReply reply;
  RETURN_IF_ERROR(Ask(admin, &admin::v1::Admin::Stub::Import, request, &reply));
  if (reply.members() == static_cast<uint32_t>(plan.devices)) return absl::OkStatus();
  return absl::InternalError(
      absl::StrCat("the roster went in with ", reply.members(), " of ", plan.devices));
}

class Settling {
 public:
  Settling(const std::shared_ptr<grpc::Channel>& admin, std::string operator_name, const Plan& plan,
           Site* site)
      : admin_(admin::v1::Admin::NewStub(admin)),
        operator_name_(std::move(operator_name)),
        plan_(plan),
        site_(*site) {}

  absl::Status Run(const std::string& address) {
    RETURN_IF_ERROR(Import(*admin_, names_, plan_, operator_name_));
    ASSIGN_OR_RETURN(site_.server.endpoint, Find(address));
    site_.devices.resize(plan_.devices);
    // The first says what all of them share.
    RETURN_IF_ERROR(Enrol(0));
    std::vector<std::thread> threads;
    std::vector<absl::Status> became(kAtOnce);
    std::atomic<size_t> next = 1;
    for (size_t i = 0; i < kAtOnce; ++i) {
      threads.emplace_back([&, i] {
        for (size_t at = next++; at < site_.devices.size() && became[i].ok(); at = next++) {
          became[i] = Enrol(at);
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    for (const absl::Status& one : became) RETURN_IF_ERROR(one);
    return absl::OkStatus();
  }

 private:
  absl::Status Enrol(size_t at) {
    Enrolled& device = site_.devices[at];
    const size_t branch = at / plan_.per_branch;
    device.shows = branch * plan_.per_branch;
    admin::v1::GrantRequest grant;
    grant.mutable_who()->set_member(names_.Member(at));
    grant.set_organisation(names_.Branch(branch));
    grant.set_office(device.shows == at ? SECRETARY : COMMITTEE);
    grant.set_operator_name(operator_name_);
    admin::v1::GrantReply granted;
    RETURN_IF_ERROR(Ask(*admin_, &admin::v1::Admin::Stub::Grant, grant, &granted));
    device.branch = Id::FromBytes(granted.organisation().id()).value_or(Id());
    admin::v1::EnrolCodeRequest wanted;
    wanted.mutable_who()->set_member(names_.Member(at));
    wanted.set_operator_name(operator_name_);
    admin::v1::EnrolCodeReply code;
    RETURN_IF_ERROR(Ask(*admin_, &admin::v1::Admin::Stub::Enrol, wanted, &code));
    ASSIGN_OR_RETURN(const EnrolmentTicket ticket, EnrolmentTicket::FromText(code.code()));
    if (at == 0) site_.server.fingerprint = ticket.fingerprint;
    device.keys = NewKeyPair(SystemEnvironment());
    sync::v1::EnrolRequest request;
    request.set_code(ticket.code);
    request.set_public_key(device.keys.public_key);
    request.set_device_name("zhibu load");
    ASSIGN_OR_RETURN(const sync::v1::EnrolReply reply, EnrolCall().Run(site_.server, request));
    device.number = DeviceNumber(reply.device());
    device.person = Id::FromBytes(reply.person_id()).value_or(Id());
    if (at > 0) return absl::OkStatus();
    site_.server_id = reply.server_id();
    site_.incarnation = reply.incarnation();
    return absl::OkStatus();
  }

  const std::unique_ptr<admin::v1::Admin::Stub> admin_;
  const std::string operator_name_;
  const Plan& plan_;
  const Names names_;
  Site& site_;
};

}  // namespace

absl::StatusOr<tcp::endpoint> Find(const std::string& address) {
  ASSIGN_OR_RETURN(const server::Address parsed, server::ParseAddress(address));
  asio::io_context io;
  tcp::resolver resolver(io);
  std::error_code error;
  const auto found = resolver.resolve(parsed.host, std::to_string(parsed.port), error);
  if (error || found.empty()) {
    return absl::FailedPreconditionError(absl::StrCat("nothing is found at ", address));
  }
  return found.begin()->endpoint();
}

absl::StatusOr<std::string> AddressOf(const std::shared_ptr<grpc::Channel>& admin) {
  admin::v1::AnnounceReply reply;
  RETURN_IF_ERROR(Ask(*admin::v1::Admin::NewStub(admin), &admin::v1::Admin::Stub::Announce,
                      admin::v1::AnnounceRequest(), &reply));
  if (reply.reached_at().at().empty()) {
    return absl::FailedPreconditionError("the server does not say where it is: give --address");
  }
  return reply.reached_at().at(0).address();
}

absl::StatusOr<Site> Settle(const std::shared_ptr<grpc::Channel>& admin, const std::string& address,
                            const Plan& plan, const std::string& operator_name) {
  Site site;
  RETURN_IF_ERROR(Settling(admin, operator_name, plan, &site).Run(address));
  return site;
}

}  // namespace zhibu::load
