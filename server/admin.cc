#include "server/admin.h"

#include <google/protobuf/util/time_util.h>

#include <algorithm>
#include <filesystem>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "server/certificate.h"
#include "server/courier.h"
#include "server/enrolment.h"
#include "server/incarnation.h"
#include "server/ingest/chains.h"
#include "server/roster/import.h"
#include "server/roster/roster.h"
#include "sync/handshake.h"
#include "sync/own_edit.h"
#include "sync/reason.h"
#include "sync/record.h"
#include "sync/rules/above.h"
#include "sync/rules/persons.h"
#include "sync/rules/registration.h"
#include "sync/rules/typed.h"
#include "sync/shown.h"
#include "sync/status.h"
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
using records::v1::Organisation;

constexpr uint32_t kCodeMinutes = 24 * 60;
constexpr size_t kDeviceNameMax = 100;
constexpr size_t kCrowdShownMax = 1000;

// The one record of type T that `text` means, by id or by name.
template <typename T>
absl::StatusOr<Id> FindNamed(Reader& reader, const std::string& text) {
  const RecordType& type = TypeOf<T>();
  if (const auto id = IdFromText(text)) {
    ASSIGN_OR_RETURN(const RecordState state, reader.GetRecord({type.number, *id}));
    if (state.alive()) return *id;
  }
  std::vector<Id> found;
  RETURN_IF_ERROR(
      reader.ListRecords(type.number, std::nullopt, [&](const Id& id, const RecordState& state) {
        if (Parse<T>(state.body).name() == text) found.push_back(id);
      }));
  if (found.size() == 1) return found[0];
  if (found.empty()) return absl::NotFoundError(absl::StrCat("no ", type.name, " is named ", text));
  return absl::FailedPreconditionError(absl::StrCat(
      found.size(), " bear the name ", text,
      "; name one by its id: ", absl::StrJoin(found, ", ", [](std::string* out, const Id& id) {
        absl::StrAppend(out, TextOf(id));
      })));
}

// A grant that is given again while it runs has run all along.
int64_t BeginningOf(const RecordState& before, int64_t now_ms) {
  records::v1::Grant grant;
  if (!before.alive() || !grant.ParseFromString(before.body)) return now_ms;
  const int64_t from = TimeUtil::TimestampToMilliseconds(grant.from());
  const bool runs = from <= now_ms && (!grant.has_until() ||
                                       now_ms < TimeUtil::TimestampToMilliseconds(grant.until()));
  return runs ? from : now_ms;
}

}  // namespace

absl::StatusOr<admin::v1::InitReply> Admin::Init() {
  admin::v1::InitReply reply;
  RETURN_IF_ERROR(hub_.Write([&](absl::flat_hash_set<Id>*) {
    return hub_.store().Write([&](Writer& writer) -> absl::Status {
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
      return writer.PutSetting(kServerId, reply.server_id());
    });
  }));
  return reply;
}

absl::StatusOr<admin::v1::ImportReply> Admin::Import(const admin::v1::ImportRequest& request) {
  absl::StatusOr<Roster> roster = ParseRoster(request.csv());
  if (!roster.ok()) {
    const Words words = WordsOf(roster.status());
    return absl::InvalidArgumentError(absl::StrCat(words.zh(), " ", words.en()));
  }
  admin::v1::ImportReply reply;
  RETURN_IF_ERROR(hub_.Write([&](absl::flat_hash_set<Id>* moved) -> absl::Status {
    ASSIGN_OR_RETURN(Importer importer,
                     Importer::Open(&hub_.store(), &hub_.ingest(), hub_.environment()));
    return importer.Run(*roster, &reply, moved);
  }));
  return reply;
}

absl::StatusOr<admin::v1::EnrolCodeReply> Admin::Enrol(const admin::v1::EnrolCodeRequest& request) {
  admin::v1::EnrolCodeReply reply;
  const int64_t minutes = request.valid_minutes() == 0 ? kCodeMinutes : request.valid_minutes();
  EnrolmentCode code;
  code.code = Hex(hub_.environment().random_bytes(10));
  code.expires_ms = hub_.environment().now_ms() + minutes * 60'000;
  RETURN_IF_ERROR(hub_.Write([&](absl::flat_hash_set<Id>* moved) {
    return hub_.store().Write([&](Writer& writer) -> absl::Status {
      ASSIGN_OR_RETURN(code.person, FindNamed<Member>(writer, request.who().member()));
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
      return NoteHandedOut(writer, code, request.operator_name(), moved);
    });
  }));
  reply.set_person_id(code.person.str());
  reply.set_expires_ms(code.expires_ms);
  return reply;
}

// Whoever has a code can become the person, so it is not handed out unseen.
absl::Status Admin::NoteHandedOut(Writer& writer, const EnrolmentCode& code, const std::string& by,
                                  absl::flat_hash_set<Id>* moved) {
  records::v1::HandedCode handed;
  handed.set_member_id(code.person.str());
  handed.set_by(ShortName(by));
  *handed.mutable_at() = TimeUtil::MillisecondsToTimestamp(hub_.environment().now_ms());
  *handed.mutable_until() = TimeUtil::MillisecondsToTimestamp(code.expires_ms);
  sync::v1::Edit edit;
  AddChange(TypeOf<records::v1::HandedCode>(), hub_.environment().NewId(), RecordState(), handed,
            &edit);
  return hub_.ingest().WriteOwn(writer, edit, moved).status();
}

absl::Status Admin::WriteOwn(const sync::v1::Edit& edit) {
  if (edit.changes().empty()) return absl::OkStatus();
  return hub_.Write([&](absl::flat_hash_set<Id>* moved) {
    return hub_.ingest().CommitOwn(hub_.store(), edit, moved).status();
  });
}

absl::StatusOr<admin::v1::GrantReply> Admin::Grant(const admin::v1::GrantRequest& request) {
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
    ASSIGN_OR_RETURN(const Id person, FindNamed<Member>(reader, request.who().member()));
    ASSIGN_OR_RETURN(const Id organisation,
                     FindNamed<Organisation>(reader, request.organisation()));
    records::v1::Grant grant;
    grant.set_person_id(person.str());
    grant.set_organisation_id(organisation.str());
    grant.set_office(request.office());
    ASSIGN_OR_RETURN(const Id id, DeriveId(type, grant.SerializeAsString()));
    ASSIGN_OR_RETURN(const RecordState before, reader.GetRecord({type.number, id}));
    *grant.mutable_from() = TimeUtil::MillisecondsToTimestamp(
        request.from_ms() == 0 ? BeginningOf(before, hub_.environment().now_ms())
                               : request.from_ms());
    if (request.until_ms() != 0)
      *grant.mutable_until() = TimeUtil::MillisecondsToTimestamp(request.until_ms());
    AddChange(type, id, before, grant, &edit);
    reply.set_grant_id(id.str());
    reply.set_person_id(person.str());
    reply.set_organisation_id(organisation.str());
    return absl::OkStatus();
  }));
  RETURN_IF_ERROR(WriteOwn(edit));
  return reply;
}

absl::Status Admin::RevokeGrant(const admin::v1::GrantRequest& request) {
  const Schema& schema = hub_.ingest().schema();
  const RecordType& type = *schema.Find(records::v1::Grant::descriptor());
  sync::v1::Edit edit;
  RETURN_IF_ERROR(hub_.store().Read([&](Reader& reader) -> absl::Status {
    ASSIGN_OR_RETURN(const Id person, FindNamed<Member>(reader, request.who().member()));
    ASSIGN_OR_RETURN(const Id organisation,
                     FindNamed<Organisation>(reader, request.organisation()));
    records::v1::Grant grant;
    grant.set_person_id(person.str());
    grant.set_organisation_id(organisation.str());
    grant.set_office(request.office());
    ASSIGN_OR_RETURN(const Id id, DeriveId(type, grant.SerializeAsString()));
    ASSIGN_OR_RETURN(const RecordState before, reader.GetRecord({type.number, id}));
    if (!before.alive() || !grant.ParseFromString(before.body)) {
      return absl::NotFoundError("there is no such grant");
    }
    *grant.mutable_until() = TimeUtil::MillisecondsToTimestamp(hub_.environment().now_ms());
    AddChange(type, id, before, grant, &edit);
    return absl::OkStatus();
  }));
  return WriteOwn(edit);
}

absl::Status Admin::RevokeDevice(DeviceNumber number, DeviceRow::Standing standing) {
  return hub_.Write([&](absl::flat_hash_set<Id>* moved) {
    return hub_.store().Write([&](Writer& writer) {
      return server::RevokeDevice(writer, hub_.ingest(), hub_.environment(), number, standing,
                                  moved);
    });
  });
}

absl::StatusOr<admin::v1::RevokeReply> Admin::Revoke(const admin::v1::RevokeRequest& request) {
  switch (request.what_case()) {
    case admin::v1::RevokeRequest::kGrant:
      RETURN_IF_ERROR(RevokeGrant(request.grant()));
      break;
    case admin::v1::RevokeRequest::kDevice:
      RETURN_IF_ERROR(RevokeDevice(
          DeviceNumber(request.device()),
          request.wipe() ? DeviceRow::Standing::kLost : DeviceRow::Standing::kRevoked));
      break;
    default:
      return absl::InvalidArgumentError("name a grant or a device");
  }
  return admin::v1::RevokeReply();
}

absl::StatusOr<sync::v1::EnrolReply> Admin::EnrolDevice(const sync::v1::EnrolRequest& request) {
  if (request.public_key().size() != 32 || request.device_name().size() > kDeviceNameMax) {
    return absl::InvalidArgumentError("a device has a key of 32 bytes and a name of at most 100");
  }
  sync::v1::EnrolReply reply;
  RETURN_IF_ERROR(hub_.store().Read([&](Reader& reader) -> absl::Status {
    ASSIGN_OR_RETURN(const bool known, reader.HasCode(request.code(), hub_.environment().now_ms()));
    return known ? absl::OkStatus() : Refuse(sync::v1::BAD_CODE, "");
  }));
  RETURN_IF_ERROR(hub_.Write([&](absl::flat_hash_set<Id>* moved) {
    return hub_.store().Write([&](Writer& writer) -> absl::Status {
      const absl::StatusOr<EnrolmentCode> code = writer.TakeCode(request.code());
      if (absl::IsNotFound(code.status()) ||
          (code.ok() && code->expires_ms < hub_.environment().now_ms())) {
        return Refuse(sync::v1::BAD_CODE, "");
      }
      RETURN_IF_ERROR(code.status());
      ASSIGN_OR_RETURN(const DeviceRow row,
                       server::EnrolDevice(writer, hub_.ingest(), hub_.environment(), code->person,
                                           request, moved));
      reply.set_device(row.number.value);
      reply.set_person_id(row.person.str());
      ASSIGN_OR_RETURN(*reply.mutable_server_id(), writer.GetSetting(kServerId));
      ASSIGN_OR_RETURN(*reply.mutable_incarnation(), writer.GetSetting(kIncarnation));
      ASSIGN_OR_RETURN(*reply.mutable_courier_key(), CourierKeyOf(writer));
      return absl::OkStatus();
    });
  }));
  return reply;
}

absl::StatusOr<admin::v1::AffiliateReply> Admin::Affiliate(
    const admin::v1::AffiliateRequest& request) {
  const RecordType& type = TypeOf<Organisation>();
  admin::v1::AffiliateReply reply;
  const auto affiliate = [&](Writer& writer, absl::flat_hash_set<Id>* moved) -> absl::Status {
    ASSIGN_OR_RETURN(const Id id, FindNamed<Organisation>(writer, request.organisation()));
    ASSIGN_OR_RETURN(const std::vector<Id> below, Below(writer, id));
    const auto parent_id = [&](const std::string& named) -> absl::StatusOr<std::string> {
      if (named.empty()) return std::string();
      ASSIGN_OR_RETURN(const Id parent, FindNamed<Organisation>(writer, named));
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
    reply.set_organisation_id(id.str());
    sync::v1::Edit edit;
    if (!AddChange(type, id, before, organisation, &edit)) return absl::OkStatus();
    return hub_.ingest().WriteOwn(writer, edit, moved).status();
  };
  RETURN_IF_ERROR(hub_.Write([&](absl::flat_hash_set<Id>* moved) {
    return hub_.store().Write([&](Writer& writer) { return affiliate(writer, moved); });
  }));
  return reply;
}

absl::StatusOr<admin::v1::DevicesReply> Admin::Devices() {
  admin::v1::DevicesReply reply;
  RETURN_IF_ERROR(hub_.store().Read([&](Reader& reader) -> absl::Status {
    const RecordType& type = *hub_.ingest().schema().Find(records::v1::Device::descriptor());
    ASSIGN_OR_RETURN(const std::vector<DeviceRow> rows, reader.ListDevices());
    for (const DeviceRow& row : rows) {
      if (row.number == kServerDevice) continue;
      // As its owner calls it.
      ASSIGN_OR_RETURN(const RecordState state, reader.GetRecord({type.number, row.record}));
      records::v1::Device record;
      record.ParseFromString(state.body);
      auto* device = reply.add_devices();
      device->set_number(row.number.value);
      device->set_person_id(row.person.str());
      ASSIGN_OR_RETURN(*device->mutable_person_name(), NameOf<Member>(reader, row.person.bytes()));
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
    RETURN_IF_ERROR(reader.ListRecords(schema.Find(ConflictNote::descriptor())->number,
                                       std::nullopt, [&](const Id& id, const RecordState& state) {
                                         notes.emplace_back(id, ConflictNote());
                                         notes.back().second.ParseFromString(state.body);
                                       }));
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
      ASSIGN_OR_RETURN(*conflict->mutable_kept_by(), NameOf<Member>(reader, note.kept_by_id()));
      ASSIGN_OR_RETURN(*conflict->mutable_lost_by(), NameOf<Member>(reader, note.lost_by_id()));
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
        ASSIGN_OR_RETURN(const auto member, Find<Member>(reader, id));
        if (member) crowd.add_person_ids(id.str());
      }
      // There are other marks too, of records.
      if (crowd.person_ids_size() > 1) *reply.add_crowds() = std::move(crowd);
    }
    return reader.ListRecords(type.number, std::nullopt,
                              [&](const Id& id, const RecordState& state) {
                                auto* duplicate = reply.add_duplicates();
                                duplicate->set_id(id.str());
                                duplicate->mutable_duplicate()->ParseFromString(state.body);
                              });
  }));
  return reply;
}

absl::StatusOr<admin::v1::MergePersonsReply> Admin::MergePersons(
    const admin::v1::MergePersonsRequest& request) {
  Ingest& ingest = hub_.ingest();
  const RecordType& type = *ingest.schema().Find(DuplicatePerson::descriptor());
  const DuplicatePerson::State wanted =
      request.undo() ? DuplicatePerson::UNDONE : DuplicatePerson::MERGED;
  admin::v1::MergePersonsReply reply;
  const auto merge = [&](Writer& writer, absl::flat_hash_set<Id>* moved) -> absl::Status {
    ASSIGN_OR_RETURN(const Id keep, FindNamed<Member>(writer, request.keep().member()));
    ASSIGN_OR_RETURN(const Id other, FindNamed<Member>(writer, request.other().member()));
    const Id id = DuplicateId(keep, other);
    sync::v1::Edit found;
    RETURN_IF_ERROR(AddDuplicate(writer, keep, other, DuplicatePerson::OPERATOR,
                                 hub_.environment().now_ms(), &found));
    if (!found.changes().empty()) RETURN_IF_ERROR(ingest.WriteOwn(writer, found, moved).status());
    ASSIGN_OR_RETURN(const RecordState before, writer.GetRecord({type.number, id}));
    DuplicatePerson duplicate;
    duplicate.ParseFromString(before.body);
    if (!before.alive() || duplicate.state() == wanted) {
      return absl::FailedPreconditionError(
          "they are that already, or one of them is merged with somebody else");
    }
    duplicate.set_state(wanted);
    if (!request.undo()) duplicate.set_kept_id(keep.str());
    sync::v1::Edit edit;
    AddChange(type, id, before, duplicate, &edit);
    reply.set_duplicate_id(id.str());
    return ingest.WriteOwn(writer, edit, moved).status();
  };
  RETURN_IF_ERROR(hub_.Write([&](absl::flat_hash_set<Id>* moved) {
    return hub_.store().Write([&](Writer& writer) { return merge(writer, moved); });
  }));
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
        whole = row.number.value == last.value + 1 && row.chain == ChainAfter(chain, row);
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
  RETURN_IF_ERROR(BackUp(hub_.store(), [&] { return hub_.store().Backup(request.file()); }));
  admin::v1::BackupReply reply;
  std::error_code error;
  reply.set_bytes(std::filesystem::file_size(request.file(), error));
  return reply;
}

}  // namespace zhibu::server
