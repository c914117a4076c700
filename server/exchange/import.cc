#include "server/exchange/import.h"

#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "server/identity/named.h"
#include "sync/base/damage.h"
#include "sync/base/status.h"
#include "sync/exchange/text.h"
#include "sync/exchange/values.h"
#include "sync/merge/own_edit.h"
#include "sync/merge/touched.h"
#include "sync/rules/registration.h"
#include "sync/rules/typed.h"
#include "sync/wire/record.h"
#include "sync/wire/shown.h"
#include "zhibu/records/v1/flow.pb.h"
#include "zhibu/records/v1/member.pb.h"
#include "zhibu/records/v1/organisation.pb.h"

namespace zhibu::server {
namespace {

using records::v1::Member;
using records::v1::Organisation;
using records::v1::Placement;
using records::v1::PrivateDetail;
using records::v1::Transfer;

// To an edit; each row makes up to five records.
constexpr int kChangesToAnEdit = 300;
// Of merges on merges; as sync/rules/persons.cc.
constexpr int kStepsMax = 32;

bool IsSame(const PrivateDetail& detail, const RecordState& state) {
  return detail.SerializeAsString() == Parse<PrivateDetail>(state.body).SerializeAsString();
}

// What of a record of this type is set anew.
void AddWords(const google::protobuf::Message& type, const std::string& set,
              std::vector<Words>* words) {
  const std::unique_ptr<google::protobuf::Message> changed(type.New());
  changed->ParseFromString(set);
  std::vector<const google::protobuf::FieldDescriptor*> fields;
  changed->GetReflection()->ListFields(*changed, &fields);
  for (const auto* field : fields) {
    if (IsSaidApart(*field)) continue;
    words->emplace_back();
    words->back().set_zh(field->options().GetExtension(label));
    words->back().set_en(std::string(field->name()));
  }
}

void AddRowTo(uint32_t line, const Words& words, admin::v1::BadRow* row) {
  row->set_line(line);
  *row->mutable_reason() = words;
}

void AddCells(uint32_t line, const std::vector<DoubtfulCell>& cells,
              admin::v1::ImportReply* reply) {
  for (const DoubtfulCell& cell : cells) {
    auto* told = reply->add_cells();
    told->set_line(line);
    if (cell.place) told->set_letter(LetterOf(*cell.place));
    told->set_heading(cell.heading);
    *told->mutable_reason() = cell.reason;
  }
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
      index(id, state);
    });
  };
  RETURN_IF_ERROR(load(Organisation::descriptor(), [&](const Id& id, const RecordState& state) {
    IndexOrganisation(RegisteredName(Parse<Organisation>(state.body)), id);
  }));
  RETURN_IF_ERROR(load(Member::descriptor(), [](const Id&, const RecordState&) {}));
  for (const auto& [key, state] : states_) {
    if (key.type != Type(Member::descriptor()).number) continue;
    Index(key.id, Parse<Member>(state.body));
    if (const Id kept = KeptOf(key.id); kept != key.id) merged_[kept].insert(key.id);
  }
  RETURN_IF_ERROR(load(Placement::descriptor(), [](const Id&, const RecordState&) {}));
  RETURN_IF_ERROR(reader.ListRecords(
      Type(Transfer::descriptor()).number, std::nullopt, [&](const Id&, const RecordState& state) {
        const auto transfer = Parse<Transfer>(state.body);
        const auto member = Id::FromBytes(transfer.member_id());
        const auto from = Id::FromBytes(transfer.from_branch_id());
        const bool received =
            transfer.state() == Transfer::RECEIVED || transfer.state() == Transfer::CLOSED;
        if (received && member && from) moved_.emplace(*member, *from);
      }));
  RETURN_IF_ERROR(load(PrivateDetail::descriptor(),
                       [&](const Id& id, const RecordState& state) { IndexNumber(id, state); }));
  RETURN_IF_ERROR(said_.Load(reader));
  return LoadDeleted(reader);
}

absl::Status Importer::LoadDeleted(Reader& reader) {
  const auto visit = [&](const google::protobuf::Descriptor* descriptor, auto index) {
    return PassOver(
        reader.ListEver(Type(descriptor).number, [&](const Id& id, const RecordState& state) {
          if (!state.alive()) index(id, state);
        }));
  };
  RETURN_IF_ERROR(visit(Organisation::descriptor(), [&](const Id&, const RecordState& state) {
    deleted_organisations_.insert(RegisteredName(Parse<Organisation>(state.body)));
  }));
  return visit(Member::descriptor(), [&](const Id& id, const RecordState& state) {
    const auto member = Parse<Member>(state.body);
    deleted_[{RegisteredName(member), member.born(),
              Id::FromBytes(member.branch_id()).value_or(Id())}]
        .insert(id);
  });
}

void Importer::IndexNumber(const Id& id, const RecordState& state) {
  const auto detail = Parse<PrivateDetail>(state.body);
  const auto member = Id::FromBytes(detail.member_id());
  if (!member || detail.identity_number().empty()) return;
  const Touch touch = LastTouchOf(state, PrivateDetail::kIdentityNumberFieldNumber);
  if (!states_.contains({Type(Member::descriptor()).number, *member})) {
    deleted_numbers_[detail.identity_number()] = *member;
  } else if (touch.writer == kServerDevice) {
    identities_[detail.identity_number()].insert(*member);
    numbers_[*member] = detail.identity_number();
  } else {
    unconfirmed_.insert(id);
  }
}

// What the row at hand is about to say anew.
void Importer::Forget(const Id& id) {
  const auto member = Parse<Member>(states_[{Type(Member::descriptor()).number, id}].body);
  const std::string name = RegisteredName(member);
  const Id branch = Id::FromBytes(member.branch_id()).value_or(Id());
  members_[{name, member.born(), branch}].erase(id);
  namesakes_[{name, branch}].erase(id);
  people_[{name, member.born()}].erase(id);
}

void Importer::Index(const Id& id, const Member& member) {
  const std::string name = RegisteredName(member);
  const Id branch = Id::FromBytes(member.branch_id()).value_or(Id());
  members_[{name, member.born(), branch}].insert(id);
  namesakes_[{name, branch}].insert(id);
  people_[{name, member.born()}].insert(id);
}

void Importer::IndexOrganisation(const std::string& name, const Id& id) {
  organisations_[name].insert(id);
  alike_[LikenessOf(name)].insert(name);
}

// Two who were merged are one, whatever the roster says of either.
Id Importer::KeptOf(Id member) const {
  for (int step = 0; step < kStepsMax; ++step) {
    const auto it = states_.find({Type(Member::descriptor()).number, member});
    if (it == states_.end()) break;
    const auto into = Id::FromBytes(Parse<Member>(it->second.body).merged_into_id());
    if (!into) break;
    member = *into;
  }
  return member;
}

std::set<Id> Importer::PersonsOf(const std::set<Id>& entries) const {
  std::set<Id> persons;
  for (const Id& entry : entries) persons.insert(KeptOf(entry));
  return persons;
}

std::set<Id> Importer::EntriesIn(const Id& branch, const Id& person) const {
  std::set<Id> entries = {person};
  if (const auto it = merged_.find(person); it != merged_.end()) {
    entries.insert(it->second.begin(), it->second.end());
  }
  std::set<Id> in;
  for (const Id& entry : entries) {
    const auto it = states_.find({Type(Member::descriptor()).number, entry});
    if (it == states_.end()) continue;
    if (Parse<Member>(it->second.body).branch_id() == branch.bytes()) in.insert(entry);
  }
  return in;
}

std::string Importer::NameOfBranch(absl::string_view id) const {
  const auto branch = Id::FromBytes(id).value_or(Id());
  const auto it = states_.find({Type(Organisation::descriptor()).number, branch});
  return it == states_.end() ? "" : RegisteredName(Parse<Organisation>(it->second.body));
}

admin::v1::Registered Importer::RegisteredAs(const Id& id) const {
  admin::v1::Registered registered;
  registered.set_id(id.str());
  const auto it = states_.find({Type(Member::descriptor()).number, id});
  registered.set_deleted(it == states_.end());
  if (registered.deleted()) return registered;
  const auto member = Parse<Member>(it->second.body);
  registered.set_name(RegisteredName(member));
  registered.set_branch(NameOfBranch(member.branch_id()));
  return registered;
}

// What the roster says is written over what is stored; where it says nothing,
// that stays.
bool Importer::Add(const google::protobuf::Message& wanted, const Id& id, sync::v1::Edit* edit,
                   FieldWords* changed) {
  const RecordType& type = Type(wanted.GetDescriptor());
  RecordState& state = states_[{type.number, id}];
  const std::unique_ptr<google::protobuf::Message> merged(wanted.New());
  merged->ParseFromString(state.body);
  merged->MergeFrom(wanted);
  if (!AddChange(type, id, state, *merged, edit)) return false;
  if (changed != nullptr) AddWords(wanted, edit->changes(edit->changes_size() - 1).set(), changed);
  state.exists = true;
  state.body = merged->SerializeAsString();
  return true;
}

void Importer::CheckOrganisation(const std::string& name, Problems* problems) const {
  const auto it = organisations_.find(ShortName(name));
  if (it == organisations_.end()) {
    if (deleted_organisations_.count(ShortName(name)) > 0) {
      return problems->Add(
          absl::StrCat("“", Excerpt(name), "”的条目已被删除，没有重新建立"),
          absl::StrCat("the entry of \"", Excerpt(name), "\" was deleted, and was not made again"));
    }
    if (name.empty()) return;
    const auto alike = alike_.find(LikenessOf(name));
    if (alike == alike_.end()) return CheckFounding(name, problems);
    const std::string registered = absl::StrJoin(alike->second, ", ");
    return problems->Add(
        absl::StrCat("“", Excerpt(name), "”与已登记的“", registered, "”写法相近，请写成登记的名称"),
        absl::StrCat("\"", Excerpt(name), "\" is spelled like \"", registered,
                     "\", which is registered; write that"));
  }
  if (it->second.size() < 2) return;
  const std::string ids = absl::StrJoin(
      it->second, ", ", [](std::string* out, const Id& id) { absl::StrAppend(out, TextOf(id)); });
  problems->Add(
      absl::StrCat("有几个党组织登记为“", Excerpt(name), "”: ", ids),
      absl::StrCat("several organisations are registered as \"", Excerpt(name), "\": ", ids));
}

// A name that is mistyped would found a branch that nobody meant.
void Importer::CheckFounding(const std::string& name, Problems* problems) const {
  if (may_found_) return;
  const std::string near = absl::StrJoin(NearlyNamed(name), ", ");
  problems->Add(absl::StrCat("没有登记过“", Excerpt(name), "”",
                             near.empty() ? "" : absl::StrCat("（相近的有“", near, "”）"),
                             "。写错的请改正；确要新建的，导入时加 --found"),
                absl::StrCat("\"", Excerpt(name), "\" is not registered",
                             near.empty() ? "" : absl::StrCat(" (nearly the same: \"", near, "\")"),
                             "; correct it, or import with --found if it is a new organisation"));
}

std::optional<Id> Importer::FindOrganisation(const std::string& name) const {
  const auto it = organisations_.find(ShortName(name));
  return it == organisations_.end() ? std::nullopt : std::optional(*it->second.begin());
}

Id Importer::OrganisationFor(const std::string& name, Organisation::Kind kind,
                             const std::string& superior, const std::string& host_superior,
                             sync::v1::Edit* edit, admin::v1::ImportReply* reply) {
  if (const auto known = FindOrganisation(name)) return *known;
  Organisation organisation;
  organisation.set_name(name);
  organisation.set_registered_name(ShortName(name));
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
  auto* told = reply->add_new_organisations();
  told->set_name(ShortName(name));
  for (std::string& near : NearlyNamed(name)) told->add_alike(std::move(near));
  const Id id = environment_.NewId();
  IndexOrganisation(ShortName(name), id);
  Add(organisation, id, edit);
  reply->set_organisations(reply->organisations() + 1);
  return id;
}

absl::Status Importer::AddRow(const RosterRow& row, sync::v1::Edit* edit,
                              admin::v1::ImportReply* reply) {
  Problems problems;
  CheckOrganisation(row.branch, &problems);
  if (!FindOrganisation(row.branch)) {
    CheckOrganisation(row.superior, &problems);
    CheckOrganisation(row.host_superior, &problems);
  }
  const std::optional<Id> known = FindMember(row, &problems);
  if (!problems.empty()) {
    AddRowTo(row.line, problems.words(), reply->add_bad_rows());
    return absl::OkStatus();
  }
  const Id said = OrganisationFor(row.branch, row.organisation_kind, row.superior,
                                  row.host_superior, edit, reply);
  const Id id = known ? *known : environment_.NewId();
  claimed_.insert(id);
  if (row.is_new) {
    made_again_.insert(id);
    said_.SayMade(id, RowOf(row));
  }
  std::vector<DoubtfulCell> doubts = row.cells;
  const Id branch = known ? BranchOf(row, id, said, &doubts) : said;
  Member member = row.member;
  DoubtMember(&member, &doubts);
  DoubtSuperior(row, said, &doubts);
  PrivateDetail detail = row.detail;
  member.set_registered_name(ShortName(member.name()));
  member.set_branch_id(branch.str());
  if (known) {
    member.clear_stage();
    member.clear_status();
    member.clear_membership();
    member.clear_migrant();
    KeepWhatPeopleWrote(id, id, &member, &doubts);
    detail.set_member_id(id.str());
    ASSIGN_OR_RETURN(const Id detail_id,
                     DeriveId(Type(PrivateDetail::descriptor()), detail.SerializeAsString()));
    KeepWhatPeopleWrote(id, detail_id, &detail, &doubts);
    detail.clear_member_id();
  } else if (member.status() == Member::STATUS_UNSPECIFIED) {
    member.set_status(Member::ACTIVE);
  }
  NoteSaid(id, row.member);
  NoteSaid(id, row.detail);
  said_.Say(id, Type(Member::descriptor()).number, Member::kBranchIdFieldNumber, said.str());
  AddCells(row.line, doubts, reply);
  const auto before = Parse<Member>(states_[{Type(Member::descriptor()).number, id}].body);
  if (known) Forget(id);
  FieldWords fields;
  bool changed = Add(member, id, edit, &fields);
  Placement placement;
  placement.set_member_id(id.str());
  placement.set_branch_id(branch.str());
  ASSIGN_OR_RETURN(const Id placement_id,
                   DeriveId(Type(Placement::descriptor()), placement.SerializeAsString()));
  changed |= Add(placement, placement_id, edit);
  if (detail.ByteSizeLong() > 0) {
    ASSIGN_OR_RETURN(const bool more, AddDetail(detail, id, branch, edit, &fields));
    changed |= more;
  }
  Index(id, Parse<Member>(states_[{Type(Member::descriptor()).number, id}].body));
  if (known) {
    Tell(row, id, before, changed, fields, reply);
  } else {
    reply->set_members(reply->members() + 1);
  }
  return absl::OkStatus();
}

void Importer::Tell(const RosterRow& row, const Id& id, const Member& before, bool changed,
                    const FieldWords& fields, admin::v1::ImportReply* reply) const {
  const Id kept = KeptOf(id);
  if (changed) {
    reply->set_changed(reply->changed() + 1);
  } else {
    reply->set_unchanged(reply->unchanged() + 1);
  }
  if (!changed && kept == id) return;
  auto* told = reply->add_found_rows();
  told->set_line(row.line);
  *told->mutable_member() = RegisteredAs(id);
  if (kept != id) *told->mutable_counts_as() = RegisteredAs(kept);
  const std::string was_in = NameOfBranch(before.branch_id());
  if (was_in != told->member().branch()) told->set_moved_from(was_in);
  const std::string was_named = RegisteredName(before);
  if (was_named != told->member().name()) told->set_registered_before(was_named);
  *told->mutable_changed() = {fields.begin(), fields.end()};
}

absl::StatusOr<bool> Importer::AddDetail(PrivateDetail detail, const Id& member, const Id& branch,
                                         sync::v1::Edit* edit, FieldWords* changed) {
  const RecordType& type = Type(PrivateDetail::descriptor());
  detail.set_member_id(member.str());
  detail.set_branch_id(branch.str());
  ASSIGN_OR_RETURN(const Id id, DeriveId(type, detail.SerializeAsString()));
  const auto before = Parse<PrivateDetail>(states_[{type.number, id}].body);
  const std::string& number = detail.identity_number();
  if (!number.empty() && before.identity_number() != number) {
    identities_[before.identity_number()].erase(member);
  }
  if (!number.empty()) numbers_[member] = number;
  const bool confirms =
      !number.empty() && before.identity_number() == number && unconfirmed_.erase(id) > 0;
  if (confirms) Unsay(id);
  FieldWords fields;
  const bool added = Add(detail, id, edit, &fields);
  if (!number.empty()) identities_[number].insert(member);
  if (!added || (confirms && IsSame(before, states_[{type.number, id}]))) return false;
  changed->insert(changed->end(), fields.begin(), fields.end());
  return true;
}

// A number that a phone has written and the roster says as well is the operator's word
// from then on: it is written once more.
void Importer::Unsay(const Id& detail) {
  RecordState& state = states_[{Type(PrivateDetail::descriptor()).number, detail}];
  auto stored = Parse<PrivateDetail>(state.body);
  stored.clear_identity_number();
  state.body = stored.SerializeAsString();
}

absl::Status Importer::Run(const Roster& roster, Commit commit, admin::v1::ImportReply* reply) {
  read_columns_ = roster.read_columns;
  Claim(roster);
  for (const BadRow& bad : roster.bad_rows) AddRowTo(bad.line, bad.reason, reply->add_bad_rows());
  for (const BadRow& row : roster.left_out) AddRowTo(row.line, row.reason, reply->add_left_out());
  for (const UnreadColumn& column : roster.unread_columns) {
    auto* told = reply->add_unread_columns();
    told->set_letter(LetterOf(column.place));
    told->set_heading(column.heading);
    *told->mutable_reason() = column.reason;
  }
  *reply->mutable_read_as() = roster.read_as;
  sync::v1::Edit edit;
  const auto commit_part = [&]() -> absl::Status {
    if (edit.changes().empty()) return absl::OkStatus();
    return commit(std::exchange(edit, {}));
  };
  for (const RosterRow& row : roster.rows) {
    RETURN_IF_ERROR(AddRow(row, &edit, reply));
    if (edit.changes_size() >= kChangesToAnEdit) RETURN_IF_ERROR(commit_part());
  }
  return commit_part();
}

absl::Status Importer::Remember() {
  return store_.Write([&](Writer& writer) { return said_.Save(writer); });
}

}  // namespace zhibu::server
