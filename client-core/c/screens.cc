// What screens ask beside records: what things are called, who acts here, what is due.
#include "absl/strings/str_cat.h"
#include "client-core/actions/due.h"
#include "client-core/actions/known.h"
#include "client-core/actions/names.h"
#include "client-core/actions/offices.h"
#include "client-core/actions/set_aside.h"
#include "client-core/c/call.h"
#include "client-core/c/rows.h"
#include "client-core/query/search.h"
#include "sync/base/reason.h"
#include "sync/wire/shown.h"
#include "sync/wire/worded.h"
#include "zhibu/records/v1/organisation.pb.h"
#include "zhibu/sync/v1/edit.pb.h"

namespace zhibu::client {
namespace {

constexpr uint32_t kHits = 20;
constexpr uint32_t kHitsMax = 100;

// Of what nobody here knows: nothing.
absl::StatusOr<std::string> NameIn(Store& store, Names& names,
                                   const api::v1::NamesRequest::Named& named) {
  ASSIGN_OR_RETURN(const RecordType* type, TypeIn(store, named.type()));
  const auto id = Id::FromBytes(named.id());
  if (!id) return std::string();
  if (named.field().empty()) return names.TitleOf(*type, *id);
  ASSIGN_OR_RETURN(const auto* field, FieldIn(*type, named.field()));
  return names.NameOf(*field, *id);
}

absl::StatusOr<api::v1::FoundRecords> Find(Store& store, const api::v1::SearchRequest& request) {
  Names names(store, LanguageIn(request.words()));
  std::vector<const RecordType*> types;
  if (!request.field().empty()) {
    ASSIGN_OR_RETURN(const RecordType* of, TypeIn(store, request.type()));
    ASSIGN_OR_RETURN(const auto* field, FieldIn(*of, request.field()));
    types = ChoicesFor(names, *field);
  }
  for (const std::string& name : request.types()) {
    ASSIGN_OR_RETURN(const RecordType* type, TypeIn(store, name));
    types.push_back(type);
  }
  const uint32_t limit = request.limit() == 0 ? kHits : std::min(request.limit(), kHitsMax);
  ASSIGN_OR_RETURN(const SearchHits hits, Search(store, names, types, request.text(), limit));
  api::v1::FoundRecords found;
  for (const SearchHit& hit : hits.hits) {
    auto& told = *found.add_found();
    told.set_type(hit.type->name);
    told.set_id(hit.id.str());
    told.set_title(hit.title);
    told.set_about(hit.about);
  }
  found.set_more(hits.more);
  return found;
}

absl::StatusOr<api::v1::Rows> InWords(Store& store, const api::v1::EditWords& request) {
  sync::v1::Edit edit;
  if (!edit.ParseFromString(request.edit())) return Refuse(sync::v1::MALFORMED, "edit");
  Names names(store, LanguageIn(request.words()));
  api::v1::Rows rows;
  for (const sync::v1::Change& change : edit.changes()) {
    const RecordType* type = store.schema().Find(change.type());
    const auto id = Id::FromBytes(change.id());
    if (type == nullptr || !id) continue;  // a newer app's
    api::v1::Row& row = *rows.add_rows();
    row.set_type(type->name);
    row.set_id(change.id());
    row.set_deleted(change.kind() == sync::v1::Change::DELETE);
    row.set_title(names.TitleOf(*type, *id));
    const auto set = WhatIsSet(store.schema(), change);
    if (set == nullptr) continue;
    if (row.title().empty()) row.set_title(names.TitleOf(*type, *id, *set));
    AddLines(*set, names, &row);
  }
  return rows;
}

absl::StatusOr<api::v1::Offices> OfficesIn(Store& store) {
  ASSIGN_OR_RETURN(const Identity identity, store.GetIdentity());
  ASSIGN_OR_RETURN(const std::vector<OfficeHere> here, OfficesHere(store));
  Names names(store, Language::kChinese);
  const RecordType& organisation = *store.schema().Find(records::v1::Organisation::descriptor());
  api::v1::Offices told;
  told.set_person_id(identity.person.str());
  told.set_name(NameOfMember(store, identity.person.bytes()));
  for (const OfficeHere& one : here) {
    if (one.office == SELF) continue;
    auto& held = *told.add_held();
    held.set_office(one.office);
    held.set_organisation_id(one.scope.str());
    held.set_organisation(names.TitleOf(organisation, one.scope));
  }
  return told;
}

api::v1::DueList::Standing ToApi(rules::Standing standing) {
  switch (standing) {
    case rules::Standing::kOverdue:
      return api::v1::DueList::OVERDUE;
    case rules::Standing::kDue:
      return api::v1::DueList::DUE;
    case rules::Standing::kQuestion:
      return api::v1::DueList::QUESTION;
    case rules::Standing::kComing:
      return api::v1::DueList::COMING;
  }
  return api::v1::DueList::STANDING_UNSPECIFIED;
}

absl::StatusOr<api::v1::DueList> Due(Store& store, const api::v1::DueRequest& request) {
  std::optional<absl::CivilDay> on;
  if (!request.on().empty()) {
    ASSIGN_OR_RETURN(on, DayIn(request.on()));
  }
  ASSIGN_OR_RETURN(const DueHere due, WhatIsDue(store, on));
  const Language language = LanguageIn(request.words());
  Names names(store, language);
  api::v1::DueList told;
  told.set_as_of(absl::FormatCivilTime(due.as_of));
  for (const rules::DueItem& item : due.list.items) {
    const rules::v1::Obligation& text = item.obligation->text;
    api::v1::DueList::Item& one = *told.add_items();
    one.set_standing(ToApi(item.standing));
    one.set_key(text.key());
    one.set_words(In(language, text.words()));
    one.set_next(In(language, text.next()));
    one.set_source(text.source());
    one.set_last(absl::FormatCivilTime(item.last));
    one.set_period(item.period);
    one.set_missing(item.missing);
    one.mutable_of()->set_type(item.obligation->each->name);
    one.mutable_of()->set_id(item.subject.str());
    one.set_title(names.TitleOf(*item.obligation->each, item.subject));
    if (item.same_as) {
      one.mutable_same_as()->set_type(item.obligation->each->name);
      one.mutable_same_as()->set_id(item.same_as->str());
      one.set_same_as_title(names.TitleOf(*item.obligation->each, *item.same_as));
    }
  }
  for (const std::string& fault : due.list.faults) told.add_faults(fault);
  return told;
}

}  // namespace
}  // namespace zhibu::client

using namespace zhibu;          // NOLINT
using namespace zhibu::client;  // NOLINT

int32_t zhibu_names(zhibu_handle store, zhibu_in request, zhibu_out* names, zhibu_out* error) {
  return OnStore(store, names, error, [&](Store& open) -> Answer {
    ASSIGN_OR_RETURN(const auto wanted, Read<api::v1::NamesRequest>(request));
    Names known(open, LanguageIn(wanted.words()));
    api::v1::Names told;
    for (const auto& named : wanted.named()) {
      ASSIGN_OR_RETURN(*told.add_names(), NameIn(open, known, named));
    }
    return Bytes(told);
  });
}

int32_t zhibu_search(zhibu_handle store, zhibu_in request, zhibu_out* found, zhibu_out* error) {
  return OnStore(store, found, error, [&](Store& open) -> Answer {
    ASSIGN_OR_RETURN(const auto wanted, Read<api::v1::SearchRequest>(request));
    ASSIGN_OR_RETURN(const auto told, Find(open, wanted));
    return Bytes(told);
  });
}

int32_t zhibu_edit_words(zhibu_handle store, zhibu_in edit, zhibu_out* rows, zhibu_out* error) {
  return OnStore(store, rows, error, [&](Store& open) -> Answer {
    ASSIGN_OR_RETURN(const auto wanted, Read<api::v1::EditWords>(edit));
    ASSIGN_OR_RETURN(const auto told, InWords(open, wanted));
    return Bytes(told);
  });
}

int32_t zhibu_offices(zhibu_handle store, zhibu_out* offices, zhibu_out* error) {
  return OnStore(store, offices, error, [](Store& open) -> Answer {
    ASSIGN_OR_RETURN(const auto told, OfficesIn(open));
    return Bytes(told);
  });
}

int32_t zhibu_due(zhibu_handle store, zhibu_in request, zhibu_out* due, zhibu_out* error) {
  return OnStore(store, due, error, [&](Store& open) -> Answer {
    ASSIGN_OR_RETURN(const auto wanted, Read<api::v1::DueRequest>(request));
    ASSIGN_OR_RETURN(const auto told, Due(open, wanted));
    return Bytes(told);
  });
}
