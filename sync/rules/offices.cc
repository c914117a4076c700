#include "sync/rules/offices.h"

#include <google/protobuf/util/time_util.h>

#include <algorithm>

#include "sync/base/status.h"
#include "sync/rules/persons.h"
#include "sync/rules/typed.h"
#include "sync/schema/schema.h"
#include "sync/wire/record.h"
#include "zhibu/records/v1/member.pb.h"
#include "zhibu/records/v1/organisation.pb.h"

namespace zhibu {

using google::protobuf::util::TimeUtil;
using records::v1::Member;
using records::v1::Placement;

namespace {

void AddGrant(const records::v1::Grant& grant, int64_t now_ms, Offices* offices) {
  const auto scope = Id::FromBytes(grant.organisation_id());
  if (!scope) return;
  const uint32_t office = AudienceOf(grant.office());
  const int64_t from = TimeUtil::TimestampToMilliseconds(grant.from());
  const int64_t until = grant.has_until() ? TimeUtil::TimestampToMilliseconds(grant.until())
                                          : std::numeric_limits<int64_t>::max();
  if (now_ms >= until) {
    offices->ended[*scope] |= office;
    return;
  }
  if (now_ms < from) {
    offices->valid_until_ms = std::min(offices->valid_until_ms, from);
    return;
  }
  offices->now[*scope] |= office;
  offices->valid_until_ms = std::min(offices->valid_until_ms, until);
}

// Whether the entry was taken out of the register. What it was is over then, until it is
// made anew.
absl::StatusOr<bool> IsOutOfRegister(Lookup& reader, const Id& person) {
  ASSIGN_OR_RETURN(const RecordState state, reader.GetRecord({TypeOf<Member>().number, person}));
  return state.exists && !state.alive();
}

void EndAll(Offices* offices) {
  for (auto& [scope, audience] : offices->now) {
    const uint32_t over = audience & ~AudienceOf(SELF);
    if (over != 0) offices->ended[scope] |= over;
    audience &= AudienceOf(SELF);
  }
}

}  // namespace

uint32_t Offices::In(const Id& scope) const {
  const auto it = now.find(scope);
  return it == now.end() ? 0 : it->second;
}

absl::StatusOr<RecordKey> PlacementKey(const Id& person) {
  Placement placement;
  placement.set_member_id(person.str());
  ASSIGN_OR_RETURN(const Id id, DeriveId(TypeOf<Placement>(), placement.SerializeAsString()));
  return RecordKey{TypeOf<Placement>().number, id};
}

absl::StatusOr<std::string> HomeOf(Lookup& reader, absl::string_view person) {
  const auto id = Id::FromBytes(person);
  if (!id) return "";
  ASSIGN_OR_RETURN(const RecordKey key, PlacementKey(*id));
  ASSIGN_OR_RETURN(const Placement placement, Get<Placement>(reader, key.id.bytes()));
  return placement.branch_id();
}

absl::StatusOr<Offices> OfficesOf(Lookup& reader, const Id& person, int64_t now_ms) {
  const Schema& schema = *CatalogueSchema();
  const uint32_t grant_type = schema.Find(records::v1::Grant::descriptor())->number;
  const uint32_t placement_type = schema.Find(records::v1::Placement::descriptor())->number;
  Offices offices;
  offices.at_ms = now_ms;
  ASSIGN_OR_RETURN(offices.persons, PersonsOf(reader, person));
  for (const Id& one : offices.persons) offices.now[one] |= AudienceOf(SELF);
  // Each entry's for itself: who is merged with somebody does not come into their offices.
  RETURN_IF_ERROR(reader.ListRecords(grant_type, person, [&](const Id&, const RecordState& state) {
    records::v1::Grant grant;
    if (grant.ParseFromString(state.body) && grant.person_id() == person.bytes()) {
      AddGrant(grant, now_ms, &offices);
    }
  }));
  ASSIGN_OR_RETURN(const bool out, IsOutOfRegister(reader, person));
  if (out) EndAll(&offices);
  // A person belongs to one branch, however often they are registered.
  ASSIGN_OR_RETURN(const Id kept, KeptOf(reader, person));
  ASSIGN_OR_RETURN(const bool kept_is_out, IsOutOfRegister(reader, kept));
  auto& placed = kept_is_out ? offices.ended : offices.now;
  RETURN_IF_ERROR(
      reader.ListRecords(placement_type, kept, [&](const Id&, const RecordState& state) {
        Placement placement;
        if (!placement.ParseFromString(state.body)) return;
        if (const auto branch = Id::FromBytes(placement.branch_id())) {
          placed[*branch] |= AudienceOf(MEMBER);
        }
      }));
  return offices;
}

uint32_t OfficesKnownIn(const Id& scope, const Id& person, int64_t now_ms,
                        absl::FunctionRef<std::string(const RecordKey&)> body_of) {
  Offices offices;
  if (scope == person) offices.now[scope] |= AudienceOf(SELF);
  for (const Office office : {SECRETARY, DEPUTY, COMMITTEE, GROUP_LEADER}) {
    records::v1::Grant grant;
    grant.set_person_id(person.str());
    grant.set_organisation_id(scope.str());
    grant.set_office(office);
    const auto id = DeriveId(TypeOf<records::v1::Grant>(), grant.SerializeAsString());
    const std::string body = body_of({TypeOf<records::v1::Grant>().number, *id});
    if (!body.empty()) AddGrant(Parse<records::v1::Grant>(body), now_ms, &offices);
  }
  if (const auto key = PlacementKey(person); key.ok()) {
    const auto placement = Parse<Placement>(body_of(*key));
    if (placement.branch_id() == scope.bytes()) offices.now[scope] |= AudienceOf(MEMBER);
  }
  return offices.In(scope);
}

}  // namespace zhibu
