// What the operator of a universe does: sets it up, gives and ends offices, moves
// people, revokes devices.
#include <google/protobuf/util/time_util.h>

#include "absl/strings/str_cat.h"
#include "proto/policies.pb.h"
#include "server/feed/incarnation.h"
#include "server/identity/certificate.h"
#include "server/identity/enrolment.h"
#include "server/identity/marks.h"
#include "server/identity/whereabouts.h"
#include "server/sessions/courier.h"
#include "sync/base/status.h"
#include "sync/crypto/handshake.h"
#include "sync/merge/diff.h"
#include "sync/merge/own_edit.h"
#include "sync/rules/duplicates.h"
#include "sync/wire/record.h"
#include "tests/sim/universe.h"
#include "zhibu/records/v1/catalogue.pb.h"

namespace zhibu::sim {

using google::protobuf::util::TimeUtil;

using google::protobuf::Message;
using records::v1::DuplicatePerson;
using zhibu::testing::Sampler;

namespace {

constexpr char kServerId[] = "the simulated server";
constexpr int64_t kDayMs = 86'400'000;

}  // namespace

bool Universe::OwnWrite(const Message& message, const Id& id) {
  const RecordType& type = *TodaysSchema()->Find(message.GetDescriptor());
  Id key = id;
  if (!type.id_from.empty()) {
    key = DeriveId(type, Canonical(type.fields, message.SerializeAsString())).value();
  }
  const absl::Status status = server_.store->Write([&](server::Writer& writer) -> absl::Status {
    ASSIGN_OR_RETURN(const RecordState before, writer.GetRecord({type.number, key}));
    sync::v1::Edit edit;
    if (!AddChange(type, key, before, message, &edit)) return absl::OkStatus();
    return server_.ingest->WriteOwn(writer, edit).status();
  });
  if (server_.disk.dead() || !status.ok()) {
    Reap();
    return false;
  }
  Absorb();
  TellOfMoved();
  return true;
}

void Universe::Appoint(const Id& person, const Id& organisation, Office office, int64_t until_ms) {
  records::v1::Grant grant;
  grant.set_person_id(person.str());
  grant.set_organisation_id(organisation.str());
  grant.set_office(office);
  *grant.mutable_from() = TimeUtil::MillisecondsToTimestamp(server_ms());
  if (until_ms != 0) *grant.mutable_until() = TimeUtil::MillisecondsToTimestamp(until_ms);
  OwnWrite(grant, Id());
}

void Universe::Place(const Id& person, const Id& branch) {
  records::v1::Placement placement;
  placement.set_member_id(person.str());
  placement.set_branch_id(branch.str());
  OwnWrite(placement, Id());
}

void Universe::Move(const Id& person, const Id& branch) {
  Place(person, branch);
  const RecordKey key{TodaysSchema()->Find(records::v1::Member::descriptor())->number, person};
  const Ledger::Record* record = ledger_.Find(key);
  if (record == nullptr || !record->expected.alive) return;
  records::v1::Member member;
  member.CopyFrom(*record->expected.message);
  member.set_branch_id(branch.str());
  OwnWrite(member, person);
}

// Two members are found to be one person, or not to be after all.
void Universe::Join(const Id& one, const Id& other, Dice* dice) {
  if (one == other || server_.old) return;
  DuplicatePerson same;
  const RecordKey key{TodaysSchema()->Find(same.GetDescriptor())->number, DuplicateId(one, other)};
  const Ledger::Record* record = ledger_.Find(key);
  if (record == nullptr) {
    same.set_first_id(std::min(one, other).str());
    same.set_second_id(std::max(one, other).str());
    same.add_scopes(branches_[0].str());
    same.set_by(DuplicatePerson::OPERATOR);
    same.set_state(DuplicatePerson::OPEN);
    if (!OwnWrite(same, Id())) return;
  } else {
    same.CopyFrom(*record->expected.message);
  }
  const bool merged = same.state() == DuplicatePerson::MERGED;
  same.set_state(merged ? DuplicatePerson::UNDONE : DuplicatePerson::MERGED);
  if (!merged) {
    same.set_kept_id((dice->OneIn(2) ? one : other).str());
    // Whom the operator has asked.
    same.clear_agreed_ids();
    same.add_agreed_ids(same.first_id());
    same.add_agreed_ids(same.second_id());
  }
  OwnWrite(same, Id());
}

void Universe::Enrol(Device& device) {
  // One that the restored server has forgotten enrols with the key that it has.
  const auto known = device.store->GetIdentity();
  const std::string secret_key =
      known.ok() ? known->secret_key : NewKeyPair(device.environment()).secret_key;
  sync::v1::EnrolRequest request;
  request.set_public_key(PublicKeyOf(secret_key));
  request.set_device_name(absl::StrCat("device ", device.index));
  if (known.ok()) request.set_device(known->device.value);
  server::DeviceRow row;
  std::string incarnation;
  std::string courier_key;
  const absl::Status status = server_.disk.Quietly([&] {
    return server_.store->Write([&](server::Writer& writer) -> absl::Status {
      ASSIGN_OR_RETURN(row, server::EnrolDevice(writer, *server_.ingest, server_.environment(),
                                                device.person, request));
      ASSIGN_OR_RETURN(incarnation, writer.GetSetting(server::kIncarnation));
      ASSIGN_OR_RETURN(courier_key, server::CourierKeyOf(writer));
      return absl::OkStatus();
    });
  });
  Reap();
  // One that was to authenticate again is what it was; a new one never came to be.
  if (!status.ok()) {
    if (!known.ok()) device.revoked = true;
    return;
  }
  Absorb();
  TellOfMoved();
  const absl::Status enrolled = device.store->SetIdentity({.device = row.number,
                                                           .person = device.person,
                                                           .server_id = kServerId,
                                                           .address = server_.address,
                                                           .fingerprint = server_.fingerprint,
                                                           .secret_key = secret_key,
                                                           .incarnation = incarnation,
                                                           .courier_key = courier_key});
  if (enrolled.ok() || !known.ok()) device.revoked = !enrolled.ok() || row.revoked();
}

Device& Universe::AddDevice(const Id& person, bool old) {
  devices_.push_back(
      std::make_unique<Device>(static_cast<int>(devices_.size()), dice_.Next(), &now_ms_));
  Device& device = *devices_.back();
  device.person = person;
  device.old = old;
  return device;
}

void Universe::Revoke(Device& device, bool lost) {
  const auto number = device.Number();
  if (number) Revoke(*number, lost);
}

void Universe::Revoke(DeviceNumber number, bool lost) {
  const auto standing =
      lost ? server::DeviceRow::Standing::kLost : server::DeviceRow::Standing::kRevoked;
  std::vector<server::DeviceRow> rows;
  const absl::Status status = server_.store->Write([&](server::Writer& writer) -> absl::Status {
    RETURN_IF_ERROR(
        server::RevokeDevice(writer, *server_.ingest, server_.environment(), number, standing));
    ASSIGN_OR_RETURN(rows, writer.ListDevices());
    return absl::OkStatus();
  });
  if (!status.ok()) return Reap();
  for (const server::DeviceRow& row : rows) {
    if (row.revoked()) ledger_.Revoke(row.number);
    if (row.lost()) ledger_.Lose(row.number);
  }
  for (const auto& other : devices_) NoteRevoked(*other);
  Absorb();
  TellOfMoved();
}

void Universe::NoteRevoked(Device& device) {
  if (device.store == nullptr) return;
  const auto number = device.Number();
  if (number && ledger_.Revoked(*number)) device.revoked = true;
  if (number && ledger_.Lost(*number)) device.lost = true;
}

// A township, and a city where one of its branches lives; a branch that hangs on another.
void Universe::FoundOrganisations() {
  const auto found = [&](records::v1::Organisation::Kind kind, const char* name,
                         const std::vector<Id>& parents, std::vector<Id>* list) {
    list->push_back(server_.environment().NewId());
    records::v1::Organisation organisation;
    organisation.set_kind(kind);
    organisation.set_name(name);
    if (!parents.empty()) organisation.set_parent_id(parents[0].str());
    if (parents.size() > 1) organisation.set_host_parent_id(parents[1].str());
    OwnWrite(organisation, list->back());
  };
  using records::v1::Organisation;
  found(Organisation::COMMITTEE, "云溪镇党委", {}, &superiors_);
  found(Organisation::COMMITTEE, "深圳市某区党委", {}, &superiors_);
  found(Organisation::BRANCH, "青石村党支部", {superiors_[0]}, &branches_);
  found(Organisation::MIGRANT_BRANCH, "驻深圳流动党支部", superiors_, &branches_);
  found(Organisation::BRANCH, "柳河村党支部", {branches_[0]}, &branches_);
}

std::vector<Id> Universe::organisations() const {
  std::vector<Id> all = branches_;
  all.insert(all.end(), superiors_.begin(), superiors_.end());
  return all;
}

std::vector<Id> Universe::MayHangOn(const Id& organisation) const {
  if (organisation == branches_[2]) return {superiors_[0], branches_[0], branches_[1]};
  if (organisation == branches_[0] || organisation == branches_[1]) return superiors_;
  return {};
}

void Universe::Found(int devices) {
  absl::Status status = server_.store->Write([&](server::Writer& writer) -> absl::Status {
    server::DeviceRow own;
    own.number = kServerDevice;
    own.name = "server";
    RETURN_IF_ERROR(writer.PutDevice(own));
    const server::Certificate certificate = CertificateOf("zhibu");
    RETURN_IF_ERROR(writer.PutSetting(server::kServerKey, certificate.key_pem));
    RETURN_IF_ERROR(writer.PutSetting(server::kServerCertificate, certificate.certificate_pem));
    return writer.PutSetting("server_id", kServerId);
  });
  if (status.ok()) status = TakePlace();
  if (status.ok()) status = BeginServer();
  if (status.ok()) status = server::EnsureCourierKey(*server_.store, server_.environment());
  if (!status.ok()) return ledger_.Fail(kIntegrity, status.ToString());
  status = server_.store->Read([&](server::Reader& reader) -> absl::Status {
    ASSIGN_OR_RETURN(incarnation_, reader.GetSetting(server::kIncarnation));
    return absl::OkStatus();
  });
  if (!status.ok()) return ledger_.Fail(kIntegrity, status.ToString());
  status = server::EnsureMarks(*server_.store, *server_.ingest, server_.environment());
  if (!status.ok()) return ledger_.Fail(kIntegrity, status.ToString());
  FoundOrganisations();
  const int people = std::max(5, devices * 3 / 4);
  for (int i = 0; i < people; ++i) {
    people_.push_back(server_.environment().NewId());
    const Id& branch = branches_[i % 3 == 2 && i > 2 ? 2 : i % 2];
    records::v1::Member member;
    member.set_branch_id(branch.str());
    member.set_name(absl::StrCat("党员", i));
    OwnWrite(member, people_.back());
    Place(people_.back(), branch);
  }
  Appoint(people_[0], branches_[0], SECRETARY, 0);
  Appoint(people_[1], branches_[1], SECRETARY, 0);
  Appoint(people_[2], branches_[0], DEPUTY, 0);
  Appoint(people_[3], branches_[1], DEPUTY, 0);
  Appoint(people_[0], branches_[2], SECRETARY, 0);
  Appoint(people_[3], branches_[2], GROUP_LEADER, 0);
  Appoint(people_[4], superiors_[0], SECRETARY, 0);
  Appoint(people_[2], superiors_[1], SECRETARY, 0);
  for (int i = 0; i < devices; ++i) {
    Device& device = AddDevice(people_[i % people], old_clients && i % 3 == 1);
    if (!device.Open().ok()) return ledger_.Fail(kIntegrity, "a new device cannot be opened");
    Enrol(device);
    Wait(1000);
  }
}

void Universe::Operate(uint64_t seed) {
  Dice dice(seed);
  const Id& person = dice.Of(people_);
  const Id& branch = dice.OneIn(5) ? dice.Of(superiors_) : dice.Of(branches_);
  static const std::vector<Office> kOffices = {SECRETARY, DEPUTY, COMMITTEE, GROUP_LEADER};
  switch (dice.Below(7)) {
    case 0:
      return Appoint(person, branch, dice.Of(kOffices), 0);
    case 1:  // for a while, from now or for ever over
      return Appoint(person, branch, dice.Of(kOffices), server_ms() + dice.Between(1, 30) * kDayMs);
    case 2:
      return Appoint(person, branch, dice.Of(kOffices), server_ms());
    case 3:
      return Move(person, branch);
    case 5:
      return Join(person, dice.Of(people_), &dice);
    case 4:  // so that there always is somebody
      return Appoint(people_[dice.Below(4)], branches_[dice.Below(2)], SECRETARY, 0);
    default: {  // what only the server writes, if it knows of it
      if (server_.old) return;
      for (const auto& [key, record] : ledger_.records()) {
        if (key.type != 9001 || !record.expected.alive || record.expected.unclear) continue;
        if (!dice.OneIn(4)) continue;
        Sampler sampler;
        sampler.CopyFrom(*record.expected.message);
        sampler.set_server(absl::StrCat("登记", dice.Below(100)));
        OwnWrite(sampler, key.id);
        return;
      }
    }
  }
}

}  // namespace zhibu::sim
