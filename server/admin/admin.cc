#include "server/admin/admin.h"

#include <google/protobuf/util/time_util.h>

#include <algorithm>
#include <filesystem>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "server/admin/acts.h"
#include "server/admin/check.h"
#include "server/exchange/import.h"
#include "server/exchange/roster.h"
#include "server/feed/incarnation.h"
#include "server/identity/certificate.h"
#include "server/identity/enrolment.h"
#include "server/identity/named.h"
#include "server/identity/whereabouts.h"
#include "server/ingest/chains.h"
#include "server/sessions/courier.h"
#include "sync/base/reason.h"
#include "sync/base/status.h"
#include "sync/base/text.h"
#include "sync/crypto/handshake.h"
#include "sync/exchange/text.h"
#include "sync/merge/own_edit.h"
#include "sync/rules/above.h"
#include "sync/rules/duplicates.h"
#include "sync/rules/registration.h"
#include "sync/rules/typed.h"
#include "sync/wire/record.h"
#include "sync/wire/shown.h"
#include "zhibu/records/v1/conflict.pb.h"
#include "zhibu/records/v1/duplicate.pb.h"
#include "zhibu/records/v1/enrolment.pb.h"
#include "zhibu/records/v1/member.pb.h"
#include "zhibu/records/v1/organisation.pb.h"

namespace zhibu::server {

using google::protobuf::util::TimeUtil;
namespace {

using records::v1::ConflictNote;
using records::v1::DuplicatePerson;
using records::v1::Member;
using records::v1::OperatorAct;
using records::v1::Organisation;

constexpr uint32_t kCodeMinutes = 24 * 60;
constexpr uint32_t kCodeMinutesMax = 7 * kCodeMinutes;
constexpr size_t kCrowdShownMax = 1000;
constexpr size_t kActsShown = 100;

// A grant that is given again while it runs has run all along.
int64_t BeginningOf(const RecordState& before, int64_t now_ms) {
  records::v1::Grant grant;
  if (!before.alive() || !grant.ParseFromString(before.body)) return now_ms;
  const int64_t from = TimeUtil::TimestampToMilliseconds(grant.from());
  const bool runs = from <= now_ms && (!grant.has_until() ||
                                       now_ms < TimeUtil::TimestampToMilliseconds(grant.until()));
  return runs ? from : now_ms;
}

// The grant that a request means: whose it is, and as it is stored.
struct MeantGrant {
  Id person;
  Id organisation;
  Id id;
  RecordState before;
  records::v1::Grant grant;  // what its id follows from
};

absl::StatusOr<MeantGrant> FindGrant(Reader& reader, const admin::v1::GrantRequest& request,
                                     Among among) {
  const RecordType& type = TypeOf<records::v1::Grant>();
  MeantGrant meant;
  ASSIGN_OR_RETURN(meant.person, FindRegistered<Member>(reader, request.who().member(), among));
  ASSIGN_OR_RETURN(meant.organisation,
                   FindRegistered<Organisation>(reader, request.organisation(), among));
  meant.grant.set_person_id(meant.person.str());
  meant.grant.set_organisation_id(meant.organisation.str());
  meant.grant.set_office(request.office());
  ASSIGN_OR_RETURN(meant.id, DeriveId(type, meant.grant.SerializeAsString()));
  ASSIGN_OR_RETURN(meant.before, reader.GetRecord({type.number, meant.id}));
  return meant;
}

OperatorAct ActOn(const MeantGrant& meant, OperatorAct::Kind kind) {
  OperatorAct act;
  act.set_kind(kind);
  act.set_member_id(meant.person.str());
  act.set_organisation_id(meant.organisation.str());
  act.set_office(meant.grant.office());
  if (meant.grant.has_until()) *act.mutable_until() = meant.grant.until();
  return act;
}

// Empty where the entry is damaged, as below.
absl::StatusOr<std::string> NameIfRead(Reader& reader, const std::string& member) {
  const absl::StatusOr<std::string> name = RegisteredNameOf<Member>(reader, member);
  RETURN_IF_ERROR(PassOver(name.status()));
  return name.ok() ? *name : "";
}

absl::Status ShowIfRead(Reader& reader, const Id& member, admin::v1::Registered* shown) {
  const auto registered = RegisteredAs<Member>(reader, member);
  RETURN_IF_ERROR(PassOver(registered.status()));
  if (registered.ok()) *shown = *registered;
  shown->set_id(member.str());
  return absl::OkStatus();
}

// Under this and every other number that the device has gone by.
absl::StatusOr<bool> IsStopped(Reader& reader, DeviceNumber number, DeviceRow::Standing standing) {
  ASSIGN_OR_RETURN(const auto device, reader.GetDevice(number));
  if (!device) return false;
  ASSIGN_OR_RETURN(const std::vector<DeviceRow> rows, reader.DevicesWithRecord(device->record));
  return std::all_of(rows.begin(), rows.end(),
                     [&](const DeviceRow& row) { return row.standing >= standing; });
}

// What an organisation hangs on, for a reply.
absl::Status ShowParents(Reader& reader, const Organisation& organisation,
                         admin::v1::AffiliateReply* reply) {
  if (const auto parent = Id::FromBytes(organisation.parent_id())) {
    ASSIGN_OR_RETURN(*reply->mutable_parent(), RegisteredAs<Organisation>(reader, *parent));
  }
  if (const auto parent = Id::FromBytes(organisation.host_parent_id())) {
    ASSIGN_OR_RETURN(*reply->mutable_host_parent(), RegisteredAs<Organisation>(reader, *parent));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<admin::v1::InitReply> Admin::Init(const admin::v1::InitRequest& request) {
  RETURN_IF_ERROR(CheckOperatorName(request.operator_name()));
  admin::v1::InitReply reply;
  RETURN_IF_ERROR(hub_.Write([&](Writer& writer) -> absl::Status {
    ASSIGN_OR_RETURN(const std::string known, writer.GetSetting(kServerId));
    if (!known.empty()) return absl::AlreadyExistsError("the data folder is initialised already");
    ASSIGN_OR_RETURN(const Certificate certificate, MakeCertificate());
    DeviceRow own;
    own.number = kServerDevice;
    own.name = "server";
    own.enrolled_ms = hub_.environment().now_ms();
    RETURN_IF_ERROR(writer.PutDevice(own));
    reply.set_server_id(hub_.environment().random_bytes(Id::kSize));
    reply.set_fingerprint(FingerprintOf(certificate.certificate_pem));
    RETURN_IF_ERROR(writer.PutSetting(kServerKey, certificate.key_pem));
    RETURN_IF_ERROR(writer.PutSetting(kServerCertificate, certificate.certificate_pem));
    RETURN_IF_ERROR(writer.PutSetting(kServerId, reply.server_id()));
    OperatorAct act;
    act.set_kind(OperatorAct::FOUNDED);
    return WriteAct(writer, request.operator_name(), act);
  }));
  return reply;
}

// The registered name of the organisation that `text` means; empty: that of nobody.
absl::StatusOr<std::string> Admin::RegisteredBranch(const std::string& text) {
  std::string name;
  if (text.empty()) return name;
  RETURN_IF_ERROR(hub_.store().Read([&](Reader& reader) -> absl::Status {
    ASSIGN_OR_RETURN(const Id id, FindRegistered<Organisation>(reader, text, Among::kThere));
    ASSIGN_OR_RETURN(const admin::v1::Registered branch, RegisteredAs<Organisation>(reader, id));
    name = branch.name();
    return absl::OkStatus();
  }));
  return name;
}

absl::StatusOr<admin::v1::ImportReply> Admin::Import(const admin::v1::ImportRequest& request) {
  RETURN_IF_ERROR(CheckOperatorName(request.operator_name()));
  absl::MutexLock lock(&import_mutex_);
  ASSIGN_OR_RETURN(const std::string branch, RegisteredBranch(request.branch()));
  absl::StatusOr<Roster> roster = ParseRoster(request.file(), {}, branch);
  if (!roster.ok()) {
    const Words words = WordsOf(roster.status());
    return absl::InvalidArgumentError(absl::StrCat(words.zh(), " ", words.en()));
  }
  admin::v1::ImportReply reply;
  bool noted = false;
  // Before the first change: what is committed of it stands, should the rest fail.
  const auto note = [&]() -> absl::Status {
    if (std::exchange(noted, true)) return absl::OkStatus();
    OperatorAct act;
    act.set_kind(OperatorAct::IMPORTED);
    act.set_file(Hex(Digest(request.file())));
    return NoteAct(request.operator_name(), act);
  };
  ASSIGN_OR_RETURN(Importer importer,
                   Importer::Open(&hub_.store(), &hub_.ingest(), hub_.environment()));
  importer.MayFound(request.found());
  RETURN_IF_ERROR(importer.Run(
      *roster,
      [&](const sync::v1::Edit& part) -> absl::Status {
        if (request.check()) return absl::OkStatus();
        RETURN_IF_ERROR(note());
        return WriteOwn(part);
      },
      &reply));
  if (!request.check()) RETURN_IF_ERROR(importer.Remember());
  return reply;
}

absl::StatusOr<admin::v1::EnrolCodeReply> Admin::Enrol(const admin::v1::EnrolCodeRequest& request) {
  RETURN_IF_ERROR(CheckOperatorName(request.operator_name()));
  if (request.valid_minutes() > kCodeMinutesMax) {
    return absl::InvalidArgumentError(
        InBoth(absl::StrCat("登记码有效期为 1 至 ", kCodeMinutesMax, " 分钟"),
               absl::StrCat("a code is good for 1 to ", kCodeMinutesMax, " minutes")));
  }
  admin::v1::EnrolCodeReply reply;
  const int64_t minutes = request.valid_minutes() == 0 ? kCodeMinutes : request.valid_minutes();
  EnrolmentCode code;
  code.code = Hex(hub_.environment().random_bytes(10));
  code.expires_ms = hub_.environment().now_ms() + minutes * 60'000;
  RETURN_IF_ERROR(hub_.Write([&](Writer& writer) -> absl::Status {
    ASSIGN_OR_RETURN(code.person,
                     FindRegistered<Member>(writer, request.who().member(), Among::kThere));
    ASSIGN_OR_RETURN(*reply.mutable_person(), RegisteredAs<Member>(writer, code.person));
    ASSIGN_OR_RETURN(const std::string address, writer.GetSetting(kServerAddress));
    if (address.empty()) {
      return absl::FailedPreconditionError(
          "the server has no address yet; start it once with `zhibu serve`, then ask again");
    }
    ASSIGN_OR_RETURN(const std::string certificate, writer.GetSetting(kServerCertificate));
    const EnrolmentTicket ticket{address, FingerprintOf(certificate), code.code};
    reply.set_code(ticket.ToText());
    RETURN_IF_ERROR(writer.DropCodes(hub_.environment().now_ms()));
    RETURN_IF_ERROR(writer.PutCode(code));
    // Whoever has a code can become the person, so it is not handed out unseen.
    OperatorAct act;
    act.set_kind(OperatorAct::CODE_HANDED_OUT);
    act.set_member_id(code.person.str());
    *act.mutable_until() = TimeUtil::MillisecondsToTimestamp(code.expires_ms);
    return WriteAct(writer, request.operator_name(), act);
  }));
  reply.set_expires_ms(code.expires_ms);
  return reply;
}

absl::Status Admin::WriteAct(Writer& writer, const std::string& by, OperatorAct act) {
  sync::v1::Edit edit;
  AddAct(hub_.environment(), by, std::move(act), &edit);
  return hub_.ingest().WriteOwn(writer, edit).status();
}

absl::Status Admin::NoteAct(const std::string& by, const OperatorAct& act) {
  sync::v1::Edit edit;
  AddAct(hub_.environment(), by, act, &edit);
  return WriteOwn(edit);
}

absl::Status Admin::WriteOwn(const sync::v1::Edit& edit) {
  if (edit.changes().empty()) return absl::OkStatus();
  return hub_.Write([&](Writer& writer) { return hub_.ingest().WriteOwn(writer, edit).status(); });
}

absl::StatusOr<admin::v1::GrantReply> Admin::Grant(const admin::v1::GrantRequest& request) {
  RETURN_IF_ERROR(CheckOperatorName(request.operator_name()));
  const Schema& schema = hub_.ingest().schema();
  const RecordType& type = *schema.Find(records::v1::Grant::descriptor());
  const uint32_t office = AudienceOf(request.office());
  if (!Office_IsValid(request.office()) || office == AudienceOf(OFFICE_UNSPECIFIED) ||
      office == AudienceOf(MEMBER) || office == AudienceOf(SELF)) {
    return absl::InvalidArgumentError(
        "a grant is for SECRETARY, DEPUTY, COMMITTEE or GROUP_LEADER");
  }
  admin::v1::GrantReply reply;
  sync::v1::Edit edit;
  RETURN_IF_ERROR(hub_.store().Read([&](Reader& reader) -> absl::Status {
    ASSIGN_OR_RETURN(MeantGrant meant, FindGrant(reader, request, Among::kThere));
    const int64_t now_ms = hub_.environment().now_ms();
    const int64_t from_ms =
        request.from_ms() == 0 ? BeginningOf(meant.before, now_ms) : request.from_ms();
    if (request.until_ms() != 0 && request.until_ms() <= std::max(from_ms, now_ms)) {
      return absl::InvalidArgumentError(InBoth("授权的结束早于开始，或已经过去",
                                               "the grant would end before it begins, or has "
                                               "ended by now"));
    }
    *meant.grant.mutable_from() = TimeUtil::MillisecondsToTimestamp(from_ms);
    if (request.until_ms() != 0) {
      *meant.grant.mutable_until() = TimeUtil::MillisecondsToTimestamp(request.until_ms());
    }
    reply.set_changed(AddChange(type, meant.id, meant.before, meant.grant, &edit));
    if (reply.changed()) {
      AddAct(hub_.environment(), request.operator_name(), ActOn(meant, OperatorAct::GRANTED),
             &edit);
    }
    reply.set_grant_id(meant.id.str());
    ASSIGN_OR_RETURN(*reply.mutable_person(), RegisteredAs<Member>(reader, meant.person));
    ASSIGN_OR_RETURN(*reply.mutable_organisation(),
                     RegisteredAs<Organisation>(reader, meant.organisation));
    return absl::OkStatus();
  }));
  RETURN_IF_ERROR(WriteOwn(edit));
  return reply;
}

// Also of a member whose entry was deleted: made anew, they would hold it again.
absl::Status Admin::RevokeGrant(const admin::v1::GrantRequest& request, const std::string& by,
                                admin::v1::RevokeReply* reply) {
  sync::v1::Edit edit;
  RETURN_IF_ERROR(hub_.store().Read([&](Reader& reader) -> absl::Status {
    ASSIGN_OR_RETURN(MeantGrant meant, FindGrant(reader, request, Among::kEver));
    ASSIGN_OR_RETURN(*reply->mutable_person(), RegisteredAs<Member>(reader, meant.person));
    ASSIGN_OR_RETURN(*reply->mutable_organisation(),
                     RegisteredAs<Organisation>(reader, meant.organisation));
    const std::string whose =
        absl::StrCat(InWords(reply->person()), ", ", InWords(reply->organisation()));
    if (!meant.before.alive() || !meant.grant.ParseFromString(meant.before.body)) {
      return absl::NotFoundError(InBoth(absl::StrCat("没有这项授权: ", whose),
                                        absl::StrCat("there is no such grant: ", whose)));
    }
    const int64_t now_ms = hub_.environment().now_ms();
    const int64_t from_ms = TimeUtil::TimestampToMilliseconds(meant.grant.from());
    if (meant.grant.has_until() &&
        TimeUtil::TimestampToMilliseconds(meant.grant.until()) <= now_ms) {
      const std::string when = TimeUtil::ToString(meant.grant.until());
      return absl::FailedPreconditionError(
          InBoth(absl::StrCat("该授权已于 ", when, " 结束，未作改动: ", whose),
                 absl::StrCat("that grant ended at ", when, ", nothing was changed: ", whose)));
    }
    *meant.grant.mutable_until() = TimeUtil::MillisecondsToTimestamp(std::max(from_ms, now_ms));
    AddChange(TypeOf<records::v1::Grant>(), meant.id, meant.before, meant.grant, &edit);
    AddAct(hub_.environment(), by, ActOn(meant, OperatorAct::GRANT_ENDED), &edit);
    return absl::OkStatus();
  }));
  return WriteOwn(edit);
}

absl::Status Admin::RevokeDevice(DeviceNumber number, DeviceRow::Standing standing,
                                 const std::string& by, admin::v1::RevokeReply* reply) {
  return hub_.Write([&](Writer& writer) -> absl::Status {
    ASSIGN_OR_RETURN(const bool stopped, IsStopped(writer, number, standing));
    if (stopped) {
      return absl::FailedPreconditionError(
          InBoth(absl::StrCat("设备 ", number.value, " 早已如此，未作改动"),
                 absl::StrCat("device ", number.value, " is so already, nothing was changed")));
    }
    RETURN_IF_ERROR(
        server::RevokeDevice(writer, hub_.ingest(), hub_.environment(), number, standing));
    ASSIGN_OR_RETURN(const auto device, writer.GetDevice(number));
    ASSIGN_OR_RETURN(*reply->mutable_person(), RegisteredAs<Member>(writer, device->person));
    const bool lost = standing == DeviceRow::Standing::kLost;
    OperatorAct act;
    act.set_kind(lost ? OperatorAct::DEVICE_LOST : OperatorAct::DEVICE_REVOKED);
    act.set_member_id(device->person.str());
    act.set_device(number.value);
    return WriteAct(writer, by, act);
  });
}

absl::StatusOr<admin::v1::RevokeReply> Admin::Revoke(const admin::v1::RevokeRequest& request) {
  const std::string& by = request.operator_name();
  RETURN_IF_ERROR(CheckOperatorName(by));
  admin::v1::RevokeReply reply;
  switch (request.what_case()) {
    case admin::v1::RevokeRequest::kGrant:
      RETURN_IF_ERROR(RevokeGrant(request.grant(), by, &reply));
      break;
    case admin::v1::RevokeRequest::kDevice:
      RETURN_IF_ERROR(RevokeDevice(
          DeviceNumber(request.device()),
          request.wipe() ? DeviceRow::Standing::kLost : DeviceRow::Standing::kRevoked, by, &reply));
      break;
    default:
      return absl::InvalidArgumentError("name a grant or a device");
  }
  return reply;
}

absl::StatusOr<sync::v1::EnrolReply> Admin::EnrolDevice(const sync::v1::EnrolRequest& request) {
  absl::StatusOr<sync::v1::EnrolReply> reply = TakeDevice(request);
  const sync::v1::Reason reason = ReasonOf(reply.status()).reason;
  if (reason != sync::v1::NO_REASON) hub_.observer().OnRefused(reason, DeviceNumber());
  return reply;
}

absl::StatusOr<sync::v1::EnrolReply> Admin::TakeDevice(const sync::v1::EnrolRequest& request) {
  sync::v1::EnrolReply reply;
  RETURN_IF_ERROR(hub_.store().Read([&](Reader& reader) -> absl::Status {
    ASSIGN_OR_RETURN(const bool known, reader.HasCode(request.code(), hub_.environment().now_ms()));
    if (!known) return Refuse(sync::v1::BAD_CODE, "");
    return CheckEnrolment(hub_.ingest().schema(), request);
  }));
  RETURN_IF_ERROR(hub_.Write([&](Writer& writer) -> absl::Status {
    const absl::StatusOr<EnrolmentCode> code = writer.TakeCode(request.code());
    if (absl::IsNotFound(code.status()) ||
        (code.ok() && code->expires_ms < hub_.environment().now_ms())) {
      return Refuse(sync::v1::BAD_CODE, "");
    }
    RETURN_IF_ERROR(code.status());
    ASSIGN_OR_RETURN(
        const DeviceRow row,
        server::EnrolDevice(writer, hub_.ingest(), hub_.environment(), code->person, request));
    reply.set_device(row.number.value);
    reply.set_person_id(row.person.str());
    ASSIGN_OR_RETURN(*reply.mutable_server_id(), writer.GetSetting(kServerId));
    ASSIGN_OR_RETURN(*reply.mutable_incarnation(), writer.GetSetting(kIncarnation));
    ASSIGN_OR_RETURN(*reply.mutable_courier_key(), CourierKeyOf(writer));
    ASSIGN_OR_RETURN(const std::string secret_key, CourierSecretOf(writer));
    ASSIGN_OR_RETURN(const std::string certificate, writer.GetSetting(kServerCertificate));
    reply.set_signature(
        SignEnrolment(secret_key, request.public_key(), FingerprintOf(certificate)));
    return absl::OkStatus();
  }));
  return reply;
}

absl::StatusOr<admin::v1::AffiliateReply> Admin::Affiliate(
    const admin::v1::AffiliateRequest& request) {
  RETURN_IF_ERROR(CheckOperatorName(request.operator_name()));
  const RecordType& type = TypeOf<Organisation>();
  if (!request.has_parent() && !request.has_host_parent()) {
    return absl::InvalidArgumentError(
        InBoth("未说明隶属于哪个组织", "say what the organisation is to hang on"));
  }
  admin::v1::AffiliateReply reply;
  const auto affiliate = [&](Writer& writer) -> absl::Status {
    ASSIGN_OR_RETURN(const Id id,
                     FindRegistered<Organisation>(writer, request.organisation(), Among::kThere));
    ASSIGN_OR_RETURN(const std::vector<Id> below, Below(writer, id));
    const auto parent_id = [&](const std::string& named) -> absl::StatusOr<std::string> {
      if (named.empty()) return std::string();
      ASSIGN_OR_RETURN(const Id parent, FindRegistered<Organisation>(writer, named, Among::kThere));
      if (std::count(below.begin(), below.end(), parent) == 0) return parent.str();
      return absl::FailedPreconditionError(
          absl::StrCat(named, " is the organisation itself, or below it"));
    };
    ASSIGN_OR_RETURN(const RecordState before, writer.GetRecord({type.number, id}));
    auto organisation = Parse<Organisation>(before.body);
    if (request.has_parent()) {
      ASSIGN_OR_RETURN(*organisation.mutable_parent_id(), parent_id(request.parent()));
    }
    if (request.has_host_parent()) {
      ASSIGN_OR_RETURN(*organisation.mutable_host_parent_id(), parent_id(request.host_parent()));
    }
    ASSIGN_OR_RETURN(*reply.mutable_organisation(), RegisteredAs<Organisation>(writer, id));
    RETURN_IF_ERROR(ShowParents(writer, organisation, &reply));
    sync::v1::Edit edit;
    reply.set_changed(AddChange(type, id, before, organisation, &edit));
    if (!reply.changed()) return absl::OkStatus();
    OperatorAct act;
    act.set_kind(OperatorAct::AFFILIATED);
    act.set_organisation_id(id.str());
    AddAct(hub_.environment(), request.operator_name(), act, &edit);
    return hub_.ingest().WriteOwn(writer, edit).status();
  };
  RETURN_IF_ERROR(hub_.Write(affiliate));
  return reply;
}

absl::StatusOr<admin::v1::DevicesReply> Admin::Devices() {
  admin::v1::DevicesReply reply;
  RETURN_IF_ERROR(hub_.store().Read([&](Reader& reader) -> absl::Status {
    const RecordType& type = *hub_.ingest().schema().Find(records::v1::Device::descriptor());
    ASSIGN_OR_RETURN(const std::vector<DeviceRow> rows, reader.ListDevices());
    for (const DeviceRow& row : rows) {
      if (row.of_server()) continue;
      // As its owner calls it.
      const absl::StatusOr<RecordState> state = reader.GetRecord({type.number, row.record});
      RETURN_IF_ERROR(PassOver(state.status()));
      records::v1::Device record;
      if (state.ok()) record.ParseFromString(state->body);
      auto* device = reply.add_devices();
      device->set_number(row.number.value);
      device->set_person_id(row.person.str());
      const auto owner = RegisteredAs<Member>(reader, row.person);
      RETURN_IF_ERROR(PassOver(owner.status()));
      if (owner.ok()) device->set_person_name(owner->name());
      device->set_name(record.name());
      device->set_state(StateOf(row.standing));
      device->set_enrolled_ms(row.enrolled_ms);
      device->set_last_seen_ms(row.last_seen_ms);
      device->set_last_number(row.last_number.value);
    }
    return absl::OkStatus();
  }));
  return reply;
}

absl::StatusOr<admin::v1::ConflictsReply> Admin::Conflicts(
    const admin::v1::ConflictsRequest& request) {
  const Schema& schema = hub_.ingest().schema();
  admin::v1::ConflictsReply reply;
  RETURN_IF_ERROR(hub_.store().Read([&](Reader& reader) -> absl::Status {
    std::vector<std::pair<Id, ConflictNote>> notes;
    RETURN_IF_ERROR(
        PassOver(reader.ListRecords(schema.Find(ConflictNote::descriptor())->number, std::nullopt,
                                    [&](const Id& id, const RecordState& state) {
                                      notes.emplace_back(id, Parse<ConflictNote>(state.body));
                                    })));
    for (const auto& [id, note] : notes) {
      if (note.state() == ConflictNote::SETTLED && !request.settled_too()) continue;
      auto* conflict = reply.add_conflicts();
      conflict->set_id(id.str());
      const RecordType* type = schema.Find(note.record_type());
      conflict->set_record_type(type == nullptr ? absl::StrCat(note.record_type()) : type->name);
      conflict->set_record_id(note.record_id());
      conflict->set_field(note.field());
      conflict->set_kind(ConflictNote::Kind_Name(note.kind()));
      conflict->set_kept(note.kept());
      conflict->set_lost(note.lost());
      conflict->set_state(ConflictNote::State_Name(note.state()));
      ASSIGN_OR_RETURN(*conflict->mutable_kept_by(), NameIfRead(reader, note.kept_by_id()));
      ASSIGN_OR_RETURN(*conflict->mutable_lost_by(), NameIfRead(reader, note.lost_by_id()));
    }
    return absl::OkStatus();
  }));
  return reply;
}

absl::StatusOr<admin::v1::DuplicatesReply> Admin::Duplicates() {
  admin::v1::DuplicatesReply reply;
  RETURN_IF_ERROR(hub_.store().Read([&](Reader& reader) -> absl::Status {
    const RecordType& type = *hub_.ingest().schema().Find(DuplicatePerson::descriptor());
    ASSIGN_OR_RETURN(const std::vector<std::string> crowded, reader.FindCommonMarks(kBearersMax));
    for (const std::string& mark : crowded) {
      ASSIGN_OR_RETURN(const std::vector<Id> marked, reader.FindMarked(mark, kCrowdShownMax));
      admin::v1::DuplicatesReply::Crowd crowd;
      for (const Id& id : marked) {
        const auto member = Find<Member>(reader, id);
        RETURN_IF_ERROR(PassOver(member.status()));
        if (!member.ok() || !*member) continue;
        RETURN_IF_ERROR(ShowIfRead(reader, id, crowd.add_persons()));
      }
      // There are other marks too, of records.
      if (crowd.persons_size() > 1) *reply.add_crowds() = std::move(crowd);
    }
    RETURN_IF_ERROR(PassOver(
        reader.ListRecords(type.number, std::nullopt, [&](const Id& id, const RecordState& state) {
          auto* duplicate = reply.add_duplicates();
          duplicate->set_id(id.str());
          duplicate->mutable_duplicate()->ParseFromString(state.body);
        })));
    for (auto& one : *reply.mutable_duplicates()) {
      const auto first = Id::FromBytes(one.duplicate().first_id());
      const auto second = Id::FromBytes(one.duplicate().second_id());
      if (!first || !second) continue;
      RETURN_IF_ERROR(ShowIfRead(reader, *first, one.mutable_first()));
      RETURN_IF_ERROR(ShowIfRead(reader, *second, one.mutable_second()));
    }
    return absl::OkStatus();
  }));
  return reply;
}

absl::StatusOr<admin::v1::MergePersonsReply> Admin::MergePersons(
    const admin::v1::MergePersonsRequest& request) {
  RETURN_IF_ERROR(CheckOperatorName(request.operator_name()));
  Ingest& ingest = hub_.ingest();
  const RecordType& type = *ingest.schema().Find(DuplicatePerson::descriptor());
  const DuplicatePerson::State wanted =
      request.undo() ? DuplicatePerson::UNDONE : DuplicatePerson::MERGED;
  admin::v1::MergePersonsReply reply;
  const auto merge = [&](Writer& writer) -> absl::Status {
    // What was merged can be undone, whatever became of an entry.
    const Among among = request.undo() ? Among::kEver : Among::kThere;
    ASSIGN_OR_RETURN(const Id keep, FindRegistered<Member>(writer, request.keep().member(), among));
    ASSIGN_OR_RETURN(const Id other,
                     FindRegistered<Member>(writer, request.other().member(), among));
    ASSIGN_OR_RETURN(*reply.mutable_keep(), RegisteredAs<Member>(writer, keep));
    ASSIGN_OR_RETURN(*reply.mutable_other(), RegisteredAs<Member>(writer, other));
    const std::string both = absl::StrCat(InWords(reply.keep()), "; ", InWords(reply.other()));
    if (keep == other) {
      return absl::InvalidArgumentError(
          InBoth(absl::StrCat("两次指的是同一条目: ", both),
                 absl::StrCat("that is one entry, named twice: ", both)));
    }
    const Id id = DuplicateId(keep, other);
    if (!request.undo()) {
      sync::v1::Edit found;
      RETURN_IF_ERROR(AddDuplicate(writer, keep, other, DuplicatePerson::OPERATOR,
                                   hub_.environment().now_ms(), &found));
      if (!found.changes().empty()) RETURN_IF_ERROR(ingest.WriteOwn(writer, found).status());
    }
    ASSIGN_OR_RETURN(const RecordState before, writer.GetRecord({type.number, id}));
    DuplicatePerson duplicate;
    duplicate.ParseFromString(before.body);
    // Two who have been asked and are not one yet are asked no longer.
    const bool undoes = duplicate.state() == DuplicatePerson::MERGED ||
                        duplicate.state() == DuplicatePerson::AGREED;
    if (!before.alive() || (request.undo() ? !undoes : duplicate.state() == wanted)) {
      return absl::FailedPreconditionError(
          request.undo()
              ? InBoth(absl::StrCat("二人并未合并: ", both),
                       absl::StrCat("they are not merged: ", both))
              : InBoth(absl::StrCat("二人已合并，或其中一人已与他人合并: ", both),
                       absl::StrCat("they are one already, or one of them is merged with somebody "
                                    "else: ",
                                    both)));
    }
    duplicate.set_state(wanted);
    if (!request.undo()) duplicate.set_kept_id(keep.str());
    sync::v1::Edit edit;
    AddChange(type, id, before, duplicate, &edit);
    OperatorAct act;
    act.set_kind(request.undo() ? OperatorAct::PERSONS_PARTED : OperatorAct::PERSONS_MERGED);
    act.set_member_id(keep.str());
    act.set_other_id(other.str());
    AddAct(hub_.environment(), request.operator_name(), act, &edit);
    reply.set_duplicate_id(id.str());
    return ingest.WriteOwn(writer, edit).status();
  };
  RETURN_IF_ERROR(hub_.Write(merge));
  return reply;
}

absl::StatusOr<admin::v1::VerifyAuditReply> Admin::VerifyAudit() {
  admin::v1::VerifyAuditReply reply;
  std::string heads;
  RETURN_IF_ERROR(hub_.store().Read([&](Reader& reader) -> absl::Status {
    ASSIGN_OR_RETURN(const std::vector<DeviceRow> devices, reader.ListDevices());
    for (const DeviceRow& device : devices) {
      std::string chain;
      EditNumber last;
      bool whole = true;
      RETURN_IF_ERROR(reader.ReadAudit(device.number, EditNumber(), [&](const AuditRow& row) {
        whole = !row.damaged && row.number.value == last.value + 1 &&
                row.chain == ChainAfter(chain, row);
        last = row.number;
        chain = row.chain;
        return whole;
      }));
      if (!whole || last != device.last_number) {
        return absl::DataLossError(absl::StrCat("audit: the chain of device ", device.number.value,
                                                " is broken at edit ", last.value));
      }
      reply.set_edits(reply.edits() + last.value);
      if (last.value > 0) reply.set_chains(reply.chains() + 1);
      absl::StrAppend(&heads, device.number.value, ":", chain, ";");
    }
    return absl::OkStatus();
  }));
  reply.set_digest(Hex(Digest(heads)));
  return reply;
}

absl::StatusOr<admin::v1::BackupReply> Admin::Backup(const admin::v1::BackupRequest& request) {
  RETURN_IF_ERROR(CheckOperatorName(request.operator_name()));
  RETURN_IF_ERROR(BackUp(hub_.store(), [&] { return hub_.store().Backup(request.file()); }));
  OperatorAct act;
  act.set_kind(OperatorAct::BACKED_UP);
  act.set_file(request.file());
  RETURN_IF_ERROR(NoteAct(request.operator_name(), act));
  admin::v1::BackupReply reply;
  std::error_code error;
  reply.set_bytes(std::filesystem::file_size(request.file(), error));
  return reply;
}

absl::StatusOr<admin::v1::ActsReply> Admin::Acts(const admin::v1::ActsRequest& request) {
  admin::v1::ActsReply reply;
  const size_t most = request.limit() == 0 ? kActsShown : request.limit();
  RETURN_IF_ERROR(
      hub_.store().Read([&](Reader& reader) { return ListActs(reader, most, &reply); }));
  return reply;
}

absl::StatusOr<admin::v1::CountsReply> Admin::Counts() {
  admin::v1::CountsReply reply;
  reply.set_since_ms(began_ms_);
  if (log_ == nullptr) return reply;
  for (const auto& [name, value] : log_->Counts()) {
    auto* count = reply.add_counts();
    count->set_name(name);
    count->set_value(value);
  }
  return reply;
}

absl::StatusOr<admin::v1::CheckReply> Admin::Check() {
  admin::v1::CheckReply reply;
  RETURN_IF_ERROR(CheckStore(hub_.store(), hub_.ingest().schema(), &reply));
  return reply;
}

}  // namespace zhibu::server
