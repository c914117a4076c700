#include "server/roster/import.h"

#include <memory>
#include <utility>

#include "server/own_edit.h"
#include "sync/record.h"
#include "sync/status.h"
#include "zhibu/records/v1/member.pb.h"
#include "zhibu/records/v1/organisation.pb.h"

namespace zhibu::server {
namespace {

using records::v1::Member;
using records::v1::Organisation;
using records::v1::Placement;
using records::v1::PrivateDetail;

// To an edit; each row makes up to five records.
constexpr int kChangesToAnEdit = 300;

void AddBadRow(uint32_t line, const Words& words, admin::v1::ImportReply* reply) {
  auto* bad = reply->add_bad_rows();
  bad->set_line(line);
  *bad->mutable_reason() = words;
}

}  // namespace

Importer::Importer(Store* store, Ingest* ingest, Environment environment)
    : store_(*store), ingest_(*ingest), environment_(std::move(environment)) {}

absl::StatusOr<Importer> Importer::Open(Store* store, Ingest* ingest, Environment environment) {
  Importer importer(store, ingest, std::move(environment));
  RETURN_IF_ERROR(store->Read([&](Reader& reader) { return importer.Load(reader); }));
  return importer;
}

const RecordType& Importer::Type(const google::protobuf::Descriptor* descriptor) const {
  return *ingest_.schema().Find(descriptor);
}

absl::Status Importer::Load(Reader& reader) {
  const auto load = [&](const google::protobuf::Descriptor* descriptor, auto index) {
    const uint32_t type = Type(descriptor).number;
    return reader.ListRecords(type, std::nullopt, [&](const Id& id, const RecordState& state) {
      states_[{type, id}] = state;
      index(id, state.body);
    });
  };
  RETURN_IF_ERROR(load(Organisation::descriptor(), [&](const Id& id, const std::string& body) {
    Organisation organisation;
    if (organisation.ParseFromString(body)) organisations_.try_emplace(organisation.name(), id);
  }));
  RETURN_IF_ERROR(load(Member::descriptor(), [&](const Id& id, const std::string& body) {
    Member member;
    if (!member.ParseFromString(body)) return;
    members_[{member.name(), member.born(), Id::FromBytes(member.branch_id()).value_or(Id())}] = id;
  }));
  RETURN_IF_ERROR(load(Placement::descriptor(), [](const Id&, const std::string&) {}));
  return load(PrivateDetail::descriptor(), [&](const Id&, const std::string& body) {
    PrivateDetail detail;
    if (!detail.ParseFromString(body) || detail.identity_number().empty()) return;
    if (const auto member = Id::FromBytes(detail.member_id())) {
      identities_[detail.identity_number()] = *member;
    }
  });
}

// What the roster says is written over what is stored; where it says nothing,
// that stays.
bool Importer::Add(const google::protobuf::Message& wanted, const Id& id, sync::v1::Edit* edit) {
  const RecordType& type = Type(wanted.GetDescriptor());
  RecordState& state = states_[{type.number, id}];
  const std::unique_ptr<google::protobuf::Message> merged(wanted.New());
  merged->ParseFromString(state.body);
  merged->MergeFrom(wanted);
  if (!AddChange(type, id, state, *merged, edit)) return false;
  state.exists = true;
  state.body = merged->SerializeAsString();
  return true;
}

Id Importer::OrganisationFor(const std::string& name, Organisation::Kind kind,
                             const std::string& superior, const std::string& host_superior,
                             sync::v1::Edit* edit, admin::v1::ImportReply* reply) {
  if (const auto it = organisations_.find(name); it != organisations_.end()) return it->second;
  Organisation organisation;
  organisation.set_name(name);
  organisation.set_kind(kind);
  organisation.set_status(Organisation::ACTIVE);
  if (!superior.empty() && superior != name) {
    organisation.set_parent_id(
        OrganisationFor(superior, KindFromName(superior), "", "", edit, reply).str());
  }
  if (!host_superior.empty() && host_superior != name) {
    organisation.set_host_parent_id(
        OrganisationFor(host_superior, KindFromName(host_superior), "", "", edit, reply).str());
  }
  const Id id = environment_.NewId();
  organisations_[name] = id;
  Add(organisation, id, edit);
  reply->set_organisations(reply->organisations() + 1);
  return id;
}

std::optional<Id> Importer::FindMember(const RosterRow& row, const Id& branch) const {
  if (const auto it = identities_.find(row.detail.identity_number()); it != identities_.end()) {
    return it->second;
  }
  const auto it = members_.find({row.member.name(), row.member.born(), branch});
  return it == members_.end() ? std::nullopt : std::optional(it->second);
}

absl::Status Importer::AddRow(const RosterRow& row, sync::v1::Edit* edit,
                              admin::v1::ImportReply* reply) {
  const Id branch = OrganisationFor(row.branch, row.organisation_kind, row.superior,
                                    row.host_superior, edit, reply);
  const std::optional<Id> known = FindMember(row, branch);
  const Id id = known ? *known : environment_.NewId();
  Member member = row.member;
  member.set_branch_id(branch.str());
  // A register that moved on is not set back by an old roster.
  if (known) {
    member.clear_stage();
  } else {
    member.set_status(Member::ACTIVE);
  }
  bool changed = Add(member, id, edit);
  Placement placement;
  placement.set_member_id(id.str());
  placement.set_branch_id(branch.str());
  ASSIGN_OR_RETURN(const Id placement_id,
                   DeriveId(Type(Placement::descriptor()), placement.SerializeAsString()));
  changed |= Add(placement, placement_id, edit);
  PrivateDetail detail = row.detail;
  if (detail.ByteSizeLong() > 0) {
    detail.set_member_id(id.str());
    detail.set_branch_id(branch.str());
    ASSIGN_OR_RETURN(const Id detail_id,
                     DeriveId(Type(PrivateDetail::descriptor()), detail.SerializeAsString()));
    changed |= Add(detail, detail_id, edit);
    if (!detail.identity_number().empty()) identities_[detail.identity_number()] = id;
  }
  members_[{member.name(), member.born(), branch}] = id;
  if (!known) {
    reply->set_members(reply->members() + 1);
  } else if (changed) {
    reply->set_changed(reply->changed() + 1);
  } else {
    reply->set_unchanged(reply->unchanged() + 1);
  }
  return absl::OkStatus();
}

absl::Status Importer::Run(const Roster& roster, admin::v1::ImportReply* reply,
                           absl::flat_hash_set<Id>* moved) {
  for (const BadRow& bad : roster.bad_rows) AddBadRow(bad.line, bad.reason, reply);
  sync::v1::Edit edit;
  const auto commit = [&]() -> absl::Status {
    if (edit.changes().empty()) return absl::OkStatus();
    return ingest_.CommitOwn(store_, std::exchange(edit, {}), moved).status();
  };
  for (const RosterRow& row : roster.rows) {
    RETURN_IF_ERROR(AddRow(row, &edit, reply));
    if (edit.changes_size() >= kChangesToAnEdit) RETURN_IF_ERROR(commit());
  }
  return commit();
}

}  // namespace zhibu::server
