#include "client-core/actions/ledger.h"

#include <google/protobuf/util/time_util.h>

#include <map>
#include <set>
#include <utility>

#include "client-core/actions/known.h"
#include "sync/base/reason.h"
#include "sync/base/status.h"
#include "sync/rules/book/check.h"
#include "sync/rules/exports.h"
#include "sync/rules/offices.h"
#include "zhibu/records/v1/access.pb.h"
#include "zhibu/records/v1/organisation.pb.h"

namespace zhibu::client {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::util::TimeUtil;
using records::v1::Grant;
using records::v1::LedgerExport;
using rules::LedgerTable;

// As whom the owner acts where, as far as this device knows; asked once for each scope.
class OwnOffices {
 public:
  static absl::StatusOr<OwnOffices> Of(Store& store) {
    ASSIGN_OR_RETURN(const Identity identity, store.GetIdentity());
    ASSIGN_OR_RETURN(const int64_t now_ms, store.ServerNow());
    return OwnOffices(store, identity.person, now_ms);
  }

  uint32_t In(const Id& scope) const {
    const auto [it, fresh] = known_.try_emplace(scope);
    if (fresh) it->second = OfficesKnownIn(scope, person_, now_ms_, BodyOf());
    return it->second;
  }
  const Id& person() const { return person_; }
  int64_t now_ms() const { return now_ms_; }

 private:
  OwnOffices(Store& store, const Id& person, int64_t now_ms)
      : store_(store), person_(person), now_ms_(now_ms) {}

  std::function<std::string(const RecordKey&)> BodyOf() const {
    return [this](const RecordKey& key) {
      const absl::StatusOr<Draft> draft = store_.Edit(*store_.schema().Find(key.type), key.id);
      return draft.ok() ? draft->message().SerializePartialAsString() : "";
    };
  }

  Store& store_;
  const Id person_;
  const int64_t now_ms_;
  mutable std::map<Id, uint32_t> known_;
};

class OfThisDevice final : public rules::LedgerSource {
 public:
  OfThisDevice(Store& store, const OwnOffices& offices, const Id& organisation)
      : store_(store), offices_(offices), here_(offices.In(organisation)) {}

  absl::Status List(const RecordType& type,
                    absl::FunctionRef<void(const Id&, const Message&)> visit) override {
    return ListReadable(store_, type, visit);
  }
  bool ReadsAll(const RecordType& type) const override {
    return (type.readers.at_home & here_) != 0;
  }
  bool MayRead(const RecordType& type, const Id& id, const Message& record,
               const FieldDescriptor& field) const override {
    return !rules::IsHiddenFrom(type, id, record, field,
                                [&](const Id& scope) { return offices_.In(scope); });
  }

 private:
  Store& store_;
  const OwnOffices& offices_;
  const uint32_t here_;
};

absl::StatusOr<std::set<Id>> OrganisationsActedFor(Store& store, const OwnOffices& offices) {
  std::set<Id> organisations;
  RETURN_IF_ERROR(Each<Grant>(store, [&](const Id&, const Grant& grant) {
    const auto organisation = Id::FromBytes(grant.organisation_id());
    const bool ended =
        grant.has_until() && TimeUtil::TimestampToMilliseconds(grant.until()) <= offices.now_ms();
    const bool own = grant.person_id() == offices.person().bytes();
    if (own && !ended && organisation) organisations.insert(*organisation);
    return true;
  }));
  return organisations;
}

// Persons by what is given of them: one element for all of whom the same fields are.
using Groups = std::map<std::pair<uint32_t, std::set<uint32_t>>, std::set<Id>>;

Groups GroupsOf(absl::Span<const LedgerTable> tables, const Id& owner) {
  rules::Given all;
  for (const LedgerTable& table : tables) {
    for (const auto& [whose, fields] : table.given) all[whose].insert(fields.begin(), fields.end());
  }
  Groups groups;
  for (const auto& [whose, fields] : all) {
    if (whose.first != owner) groups[{whose.second->number, fields}].insert(whose.first);
  }
  return groups;
}

// What one export says, and as many more as there are too many persons for one.
std::vector<LedgerExport> PartsOf(const LedgerExport& whole, const Groups& groups) {
  std::vector<LedgerExport> parts = {whole};
  int persons = 0;
  for (const auto& [what, members] : groups) {
    LedgerExport::Given* given = nullptr;
    for (const Id& member : members) {
      if (persons == kGivenMax) {
        parts.push_back(whole);
        persons = 0;
        given = nullptr;
      }
      if (given == nullptr) {
        given = parts.back().add_given();
        given->set_record_type(what.first);
        for (const uint32_t field : what.second) given->add_fields(field);
      }
      given->add_member_ids(member.str());
      ++persons;
    }
  }
  return parts;
}

}  // namespace

absl::StatusOr<std::vector<LedgerTable>> WriteUpLedgers(Store& store, LedgerAsked asked) {
  ASSIGN_OR_RETURN(const OwnOffices offices, OwnOffices::Of(store));
  ASSIGN_OR_RETURN(asked.query.today, Today(store));
  OfThisDevice source(store, offices, asked.query.organisation);
  rules::LedgerShelf shelf(source);
  std::vector<LedgerTable> tables;
  for (const rules::Ledger* ledger : asked.ledgers) {
    ASSIGN_OR_RETURN(LedgerTable table, WriteUp(*ledger, asked.query, &shelf));
    tables.push_back(std::move(table));
  }
  return tables;
}

absl::StatusOr<Id> OwnOrganisation(Store& store) {
  ASSIGN_OR_RETURN(const OwnOffices offices, OwnOffices::Of(store));
  ASSIGN_OR_RETURN(const std::set<Id> acted_for, OrganisationsActedFor(store, offices));
  if (acted_for.size() == 1) return *acted_for.begin();
  if (acted_for.size() > 1) {
    return absl::FailedPreconditionError(
        "您为几个党组织任职，请指明是哪一个 / you act for several organisations: name one");
  }
  return BranchOfMember(store, offices.person());
}

absl::Status NoteExport(Store& store, const LedgerAsked& asked,
                        absl::Span<const LedgerTable> tables, const std::string& digest) {
  const uint32_t kOfficers =
      AudienceOf(SECRETARY) | AudienceOf(DEPUTY) | AudienceOf(COMMITTEE) | AudienceOf(GROUP_LEADER);
  ASSIGN_OR_RETURN(const OwnOffices offices, OwnOffices::Of(store));
  if (offices.In(asked.query.organisation) == 0) {
    return Refuse(sync::v1::NOT_ENTITLED, "branch_id");
  }
  LedgerExport whole;
  whole.set_branch_id(asked.query.organisation.str());
  whole.set_by_id(offices.person().str());
  const bool has_office = (offices.In(asked.query.organisation) & kOfficers) != 0;
  if (!has_office) whole.set_member_id(offices.person().str());
  *whole.mutable_at() = TimeUtil::MillisecondsToTimestamp(offices.now_ms());
  for (const rules::Ledger* ledger : asked.ledgers) whole.add_ledgers(ledger->text.key());
  whole.set_year(static_cast<uint32_t>(asked.query.year.value_or(0)));
  size_t rows = 0;
  for (const LedgerTable& table : tables) rows += table.rows.size();
  whole.set_rows(static_cast<uint32_t>(rows));
  whole.set_file(digest);
  for (const LedgerExport& part : PartsOf(whole, GroupsOf(tables, offices.person()))) {
    Draft draft = store.New<LedgerExport>();
    draft.message<LedgerExport>() = part;
    RETURN_IF_ERROR(store.Commit({&draft}).status());
  }
  return absl::OkStatus();
}

}  // namespace zhibu::client
