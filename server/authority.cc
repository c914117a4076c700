#include "server/authority.h"

#include <google/protobuf/util/time_util.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "sync/audience.h"
#include "sync/reason.h"
#include "sync/status.h"
#include "zhibu/records/v1/organisation.pb.h"

namespace zhibu::server {

using google::protobuf::util::TimeUtil;
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

uint32_t In(const absl::flat_hash_map<Id, uint32_t>& offices, const Id& scope) {
  const auto it = offices.find(scope);
  return it == offices.end() ? 0 : it->second;
}

// Somebody who acts for one of the places may write there, and may place a
// record in the care of an organisation only if they belong to it.
bool Entitled(const RecordType& type, uint64_t written,
              const absl::flat_hash_map<Id, uint32_t>& offices, const std::vector<Placed>& before,
              const std::vector<Placed>& after) {
  const auto acts_in = [&](const std::vector<Placed>& places) {
    const Eyes eyes = EyesOn(places, [&](const Id& scope) { return In(offices, scope); });
    return eyes.Meet(type.writers) && (written & NotWritableBy(type, eyes)) == 0;
  };
  if (!before.empty() && !acts_in(before)) return false;
  if (!acts_in(after)) return false;
  return std::all_of(after.begin(), after.end(), [&](const Placed& placed) {
    return placed.place != OWNER || In(offices, placed.scope) != 0 ||
           std::find(before.begin(), before.end(), placed) != before.end();
  });
}

}  // namespace

uint32_t Offices::In(const Id& scope) const { return server::In(now, scope); }

absl::StatusOr<Offices> OfficesOf(Reader& reader, const Id& person, int64_t now_ms) {
  Offices offices;
  offices.now[person] = AudienceOf(SELF);
  const Schema& schema = *CatalogueSchema();
  RETURN_IF_ERROR(reader.ListRecords(schema.Find(records::v1::Grant::descriptor())->number, person,
                                     [&](const Id&, const RecordState& state) {
                                       records::v1::Grant grant;
                                       if (grant.ParseFromString(state.body) &&
                                           grant.person_id() == person.bytes()) {
                                         AddGrant(grant, now_ms, &offices);
                                       }
                                     }));
  RETURN_IF_ERROR(reader.ListRecords(schema.Find(records::v1::Placement::descriptor())->number,
                                     person, [&](const Id&, const RecordState& state) {
                                       records::v1::Placement placement;
                                       if (!placement.ParseFromString(state.body)) return;
                                       if (const auto branch =
                                               Id::FromBytes(placement.branch_id())) {
                                         offices.now[*branch] |= AudienceOf(MEMBER);
                                       }
                                     }));
  return offices;
}

namespace {

// The ids follow from what the records say, so it is known where to look.
absl::StatusOr<bool> WasIn(Reader& reader, const Id& scope,
                           const google::protobuf::Message& record) {
  const RecordType& type = *CatalogueSchema()->Find(record.GetDescriptor());
  ASSIGN_OR_RETURN(const Id id, DeriveId(type, record.SerializeAsString()));
  return reader.EverIn(scope, {type.number, id});
}

absl::StatusOr<bool> WasPlacedIn(Reader& reader, const Id& person, const Id& scope) {
  records::v1::Placement placement;
  placement.set_member_id(person.str());
  return WasIn(reader, scope, placement);
}

}  // namespace

absl::StatusOr<bool> EverHadOffice(Reader& reader, const Id& person, const Id& scope) {
  if (person == scope) return true;
  ASSIGN_OR_RETURN(bool had, WasPlacedIn(reader, person, scope));
  records::v1::Grant grant;
  grant.set_person_id(person.str());
  grant.set_organisation_id(scope.str());
  for (int office = SECRETARY; !had && office <= GROUP_LEADER; ++office) {
    grant.set_office(static_cast<Office>(office));
    ASSIGN_OR_RETURN(had, WasIn(reader, scope, grant));
  }
  return had;
}

absl::StatusOr<Offices> WithFormerPlacements(Reader& reader, const Id& person, Offices offices,
                                             const std::vector<Placed>& places) {
  for (const Placed& placed : places) {
    ASSIGN_OR_RETURN(const bool was, WasPlacedIn(reader, person, placed.scope));
    if (was) offices.ended[placed.scope] |= AudienceOf(MEMBER);
  }
  return offices;
}

absl::Status MayWrite(const RecordType& type, uint64_t written, const Offices& offices,
                      const std::vector<Placed>& before, const std::vector<Placed>& after) {
  if (Entitled(type, written, offices.now, before, after)) return absl::OkStatus();
  absl::flat_hash_map<Id, uint32_t> once = offices.now;
  for (const auto& [scope, audience] : offices.ended) once[scope] |= audience;
  const std::string what = absl::StrCat(type.label, " ", type.name);
  return Refuse(
      Entitled(type, written, once, before, after) ? sync::v1::GRANT_ENDED : sync::v1::NOT_ENTITLED,
      what);
}

}  // namespace zhibu::server
