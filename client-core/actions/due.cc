#include "client-core/actions/due.h"

#include <google/protobuf/util/time_util.h>

#include <algorithm>
#include <map>

#include "client-core/actions/held_here.h"
#include "client-core/actions/known.h"
#include "sync/base/status.h"
#include "sync/wire/record.h"
#include "sync/wire/shown.h"
#include "zhibu/records/v1/organisation.pb.h"

namespace zhibu::client {
namespace {

using google::protobuf::Message;
using google::protobuf::util::TimeUtil;
using records::v1::Grant;
using records::v1::Placement;

// What all added obligations may cost for one list.
constexpr uint64_t kAddedDueStepsMax = 10'000'000;

// In which offices the owner acts where: as themself in their own scope, as a member where they
// are placed, and by grants.
class Own {
 public:
  static absl::StatusOr<Own> Of(Store& store) {
    Own own;
    ASSIGN_OR_RETURN(const Identity identity, store.GetIdentity());
    ASSIGN_OR_RETURN(const int64_t now_ms, store.ServerNow());
    const Id& person = identity.person;
    own.offices_[person] = AudienceOf(SELF);
    RETURN_IF_ERROR(Each<Grant>(store, [&](const Id&, const Grant& grant) {
      const bool ended =
          grant.has_until() && TimeUtil::TimestampToMilliseconds(grant.until()) <= now_ms;
      if (!ended && grant.person_id() == person.bytes()) {
        own.Add(grant.organisation_id(), AudienceOf(grant.office()));
      }
      return true;
    }));
    RETURN_IF_ERROR(Each<Placement>(store, [&](const Id&, const Placement& placement) {
      if (placement.member_id() == person.bytes()) {
        own.Add(placement.branch_id(), AudienceOf(MEMBER));
      }
      return true;
    }));
    return own;
  }

  // Whether it is for the owner to see to, and they may read what would have met it.
  bool IsFor(const rules::Obligation& obligation, const Id& id, const Message& record) const {
    uint32_t here = 0;
    for (const Placed& placed : PlacesOf(*obligation.each, id, record.SerializeAsString())) {
      if (SeesTo(obligation, placed.place)) here |= In(placed.scope);
    }
    const bool acts = (here & ~AudienceOf(MEMBER)) != 0;
    return acts && std::all_of(obligation.met_by.begin(), obligation.met_by.end(),
                               [&](const rules::MetBy& met_by) {
                                 return (here & met_by.type->readers.at_home) != 0;
                               });
  }

 private:
  void Add(const std::string& scope, uint32_t audience) {
    if (const auto id = Id::FromBytes(scope)) offices_[*id] |= audience;
  }
  uint32_t In(const Id& scope) const {
    const auto it = offices_.find(scope);
    return it == offices_.end() ? 0 : it->second;
  }
  // The person sees to what is theirs, and so does, with that, whoever keeps it.
  static bool SeesTo(const rules::Obligation& obligation, Place place) {
    const auto& who = obligation.text.who();
    const auto& at = obligation.text.at();
    if (place == PERSON) return std::count(who.begin(), who.end(), SELF) > 0;
    if (at.empty()) return place == OWNER;
    return std::count(at.begin(), at.end(), place) > 0;
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
  cel::Purse purse(kAddedDueStepsMax);
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
