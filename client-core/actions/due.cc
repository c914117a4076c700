#include "client-core/actions/due.h"

#include <algorithm>
#include <map>

#include "client-core/actions/held_here.h"
#include "client-core/actions/known.h"
#include "client-core/actions/offices.h"
#include "sync/base/status.h"
#include "sync/wire/record.h"
#include "sync/wire/shown.h"

namespace zhibu::client {
namespace {

using google::protobuf::Message;

class Own {
 public:
  static absl::StatusOr<Own> Of(Store& store) {
    Own own;
    ASSIGN_OR_RETURN(const std::vector<OfficeHere> offices, OfficesHere(store));
    for (const OfficeHere& here : offices) own.offices_[here.scope] |= AudienceOf(here.office);
    return own;
  }

  // Whether it is for the owner to see to, and they may read what would have met it.
  bool IsFor(const rules::Obligation& obligation, const Id& id, const Message& record) const {
    uint32_t here = 0;
    for (const Placed& placed : PlacesOf(*obligation.each, id, record.SerializeAsString())) {
      if (rules::SeesTo(obligation, placed.place)) here |= In(placed.scope);
    }
    const bool acts = (here & ~AudienceOf(MEMBER)) != 0;
    return acts && std::all_of(obligation.met_by.begin(), obligation.met_by.end(),
                               [&](const rules::MetBy& met_by) {
                                 return (here & met_by.type->readers.at_home) != 0;
                               });
  }

 private:
  uint32_t In(const Id& scope) const {
    const auto it = offices_.find(scope);
    return it == offices_.end() ? 0 : it->second;
  }

  std::map<Id, uint32_t> offices_;
};

}  // namespace

absl::StatusOr<DueHere> WhatIsDue(Store& store, const std::optional<absl::CivilDay>& day) {
  ASSIGN_OR_RETURN(const Own own, Own::Of(store));
  DueHere due;
  if (day) {
    due.as_of = *day;
  } else {
    ASSIGN_OR_RETURN(due.as_of, Today(store));
  }
  HeldHere records(store);
  ASSIGN_OR_RETURN(due.books, BooksHere(store));
  cel::Purse purse(rules::kAddedDueStepsMax);
  for (const BookHere& here : due.books) {
    if (here.book == nullptr) continue;
    const auto concerns = [&](const rules::Obligation& obligation, const Id& id,
                              const Message& record) {
      return here.IsFor(*obligation.each, id, record) && own.IsFor(obligation, id, record);
    };
    ASSIGN_OR_RETURN(rules::DueList list,
                     rules::WorkOutDue(*here.book, records, due.as_of, concerns,
                                       here.shipped() ? nullptr : &purse));
    rules::Add(std::move(list), &due.list);
  }
  return due;
}

std::string NameOfSubject(Store& store, const rules::DueItem& item) {
  return NameOfRecord(store, *item.obligation->each, item.subject);
}

}  // namespace zhibu::client
