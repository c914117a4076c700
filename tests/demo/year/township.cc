#include "tests/demo/year/township.h"

#include <grpcpp/grpcpp.h>

#include <filesystem>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "tests/demo/year/must.h"
#include "zhibu/admin/v1/admin.grpc.pb.h"
#include "zhibu/records/v1/catalogue.pb.h"

namespace zhibu::year {

namespace v1 = admin::v1;
using records::v1::Member;
using records::v1::Organisation;

namespace {

constexpr char kOperator[] = "year";
// Every so many branches have a deputy with a device.
constexpr size_t kDeputyEvery = 10;

}  // namespace

struct Township::Admin {
  std::unique_ptr<v1::Admin::Stub> stub;

  template <typename Request, typename Reply>
  Reply Call(grpc::Status (v1::Admin::Stub::*method)(grpc::ClientContext*, const Request&, Reply*),
             Request request) {
    request.set_operator_name(kOperator);
    grpc::ClientContext context;
    Reply reply;
    const grpc::Status status = (stub.get()->*method)(&context, request, &reply);
    Check(status.ok(), status.error_message());
    return reply;
  }
};

Township::Township(const std::string& folder, uint64_t seed, size_t branches, size_t members,
                   absl::CivilDay first_day)
    : clock(first_day),
      dice(seed * 31 + 7),
      folder_(folder),
      seed_(seed),
      town_(seed, branches, members, first_day) {
  clock.SetTo(first_day, 6);
  // How fast the year passes is nobody's misuse.
  const server::Limits limits{.edits_per_second = std::numeric_limits<int>::max()};
  node_ = Must(server::Node::Open({.folder = absl::StrCat(folder, "/server")}, false, limits,
                                  clock.EnvironmentOf(seed + 1)),
               "the server's folder");
  server::NetworkOptions network;
  network.listen = "127.0.0.1:0";
  network.operator_name = kOperator;
  port_ = Must(node_->Serve(network), "the server").grpc;
  admin_ = std::make_shared<Admin>();
  admin_->stub = v1::Admin::NewStub(node_->AdminChannel());
  Import();
  AppointAll();
  LearnIds();
}

void Township::Import() {
  const std::string roster = town_.Roster();
  v1::ImportRequest request;
  request.set_file(roster);
  const v1::ImportReply reply = admin_->Call(&v1::Admin::Stub::Import, request);
  Check(reply.bad_rows().empty(), "the roster has a row that does not go in");
}

void Township::Grant(const Person& person, const std::string& organisation, Office office) {
  v1::GrantRequest request;
  request.mutable_who()->set_member(person.name);
  request.set_organisation(organisation);
  request.set_office(office);
  admin_->Call(&v1::Admin::Stub::Grant, request);
}

std::unique_ptr<Device> Township::Enrol(const std::string& name, const Person& person) {
  v1::EnrolCodeRequest request;
  request.mutable_who()->set_member(person.name);
  const v1::EnrolCodeReply reply = admin_->Call(&v1::Admin::Stub::Enrol, request);
  Person owner = person;
  owner.id = *Id::FromBytes(reply.person().id());
  auto device = std::make_unique<Device>(folder_, name, owner, &clock,
                                         seed_ + 100 + dice.Below(1u << 30), reply.code(), &tally);
  device->Sync();
  return device;
}

void Township::AppointAll() {
  Grant(town_.leader(), kTownCommittee, SECRETARY);
  leader_ = Enrol("town", town_.leader());
  for (Village& village : villages()) {
    Grant(village.secretary(), village.name, SECRETARY);
    secretaries_.push_back(Enrol(absl::StrCat("secretary", village.index), village.secretary()));
    if (village.index % kDeputyEvery != 0) continue;
    Grant(village.deputy(), village.name, DEPUTY);
    deputies_[village.index] = Enrol(absl::StrCat("deputy", village.index), village.deputy());
  }
  member_ = Enrol("member", villages().front().members[5]);
  debtor_ = Enrol("debtor", villages().front().members[6]);
}

void Township::LearnIds() {
  for (Village& village : villages()) {
    std::map<std::string, Id> ids;
    client::Store& store = secretary(village.index).store();
    const uint32_t members = store.schema().Find(Member::descriptor())->number;
    Check(store.List({.type = members},
                     [&](const Id& id, const google::protobuf::Message& message) {
                       const auto& member = static_cast<const Member&>(message);
                       ids[member.name()] = id;
                       village.id = *Id::FromBytes(member.branch_id());
                       return true;
                     }),
          village.name);
    for (Person& person : village.members) person.id = ids[person.name];
    village.applicant.id = ids[village.applicant.name];
    Check(!village.members.back().id.empty(), village.name);
    const auto branch = secretary(village.index).Get<Organisation>(village.id);
    committee_ = *Id::FromBytes(branch.parent_id());
    if (!branch.host_parent_id().empty()) host_committee_ = *Id::FromBytes(branch.host_parent_id());
  }
}

Device* Township::deputy(size_t village) {
  const auto found = deputies_.find(village);
  return found == deputies_.end() ? nullptr : found->second.get();
}

std::vector<Device*> Township::devices() {
  std::vector<Device*> all = {leader_.get()};
  for (const auto& device : secretaries_) all.push_back(device.get());
  for (const auto& [village, device] : deputies_) all.push_back(device.get());
  all.push_back(member_.get());
  all.push_back(debtor_.get());
  return all;
}

void Township::Close() {
  for (Device* device : devices()) device->Close();
  admin_.reset();
  node_.reset();
}

}  // namespace zhibu::year
