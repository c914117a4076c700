#include "server/authority.h"

#include <google/protobuf/util/time_util.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "server/persons.h"
#include "sync/audience.h"
#include "sync/reason.h"
#include "sync/status.h"
#include "sync/wire.h"
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

// A writer in one of the places that are of such a kind.
bool ActsIn(const RecordType& type, const absl::flat_hash_map<Id, uint32_t>& offices,
            uint32_t kinds, const std::vector<Placed>& places) {
  return std::any_of(places.begin(), places.end(), [&](const Placed& placed) {
    if ((kinds & BitOf(placed.place)) == 0) return false;
    return EyesOn({placed}, [&](const Id& scope) { return In(offices, scope); }).Meet(type.writers);
  });
}

// The last value of an enum's field, 0 where there is none.
int ValueOf(uint32_t number, absl::string_view body) {
  wire::Reader reader(body);
  wire::Field field;
  int value = 0;
  while (reader.Next(&field)) {
    if (field.number == number) value = static_cast<int>(field.scalar);
  }
  return value;
}

absl::flat_hash_map<Id, uint32_t> OnceAndNow(const Offices& offices) {
  absl::flat_hash_map<Id, uint32_t> once = offices.now;
  for (const auto& [scope, audience] : offices.ended) once[scope] |= audience;
  return once;
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
  const Schema& schema = *CatalogueSchema();
  const uint32_t grant_type = schema.Find(records::v1::Grant::descriptor())->number;
  const uint32_t placement_type = schema.Find(records::v1::Placement::descriptor())->number;
  Offices offices;
  ASSIGN_OR_RETURN(offices.persons, PersonsOf(reader, person));
  for (const Id& one : offices.persons) offices.now[one] |= AudienceOf(SELF);
  // Each entry's for itself: who is merged with somebody does not come into their offices.
  RETURN_IF_ERROR(reader.ListRecords(grant_type, person, [&](const Id&, const RecordState& state) {
    records::v1::Grant grant;
    if (grant.ParseFromString(state.body) && grant.person_id() == person.bytes()) {
      AddGrant(grant, now_ms, &offices);
    }
  }));
  // A person belongs to one branch, however often they are registered.
  ASSIGN_OR_RETURN(const Id kept, KeptOf(reader, person));
  RETURN_IF_ERROR(
      reader.ListRecords(placement_type, kept, [&](const Id&, const RecordState& state) {
        records::v1::Placement placement;
        if (!placement.ParseFromString(state.body)) return;
        if (const auto branch = Id::FromBytes(placement.branch_id())) {
          offices.now[*branch] |= AudienceOf(MEMBER);
        }
      }));
  return offices;
}

absl::StatusOr<Version> OfficesVersion(Reader& reader, const std::vector<Id>& persons) {
  uint64_t sum = 0;  // each of them only ever rises
  for (const Id& person : persons) {
    ASSIGN_OR_RETURN(const Version version, reader.ScopeVersion(person));
    sum += version.value;
  }
  return Version(sum);
}

absl::StatusOr<bool> EverHadOffice(Reader& reader, const Id& person, const Id& scope) {
  // The ids follow from what the records say, so it is known where to look.
  const auto was_there = [&](const google::protobuf::Message& record) -> absl::StatusOr<bool> {
    const RecordType& type = *CatalogueSchema()->Find(record.GetDescriptor());
    ASSIGN_OR_RETURN(const Id id, DeriveId(type, record.SerializeAsString()));
    return reader.EverIn(scope, {type.number, id});
  };
  if (person == scope) return true;
  ASSIGN_OR_RETURN(const std::vector<Id> persons, PersonsEver(reader, person));
  for (const Id& one : persons) {
    if (one == scope) return true;
    records::v1::Placement placement;
    placement.set_member_id(one.str());
    ASSIGN_OR_RETURN(bool had, was_there(placement));
    records::v1::Grant grant;
    grant.set_person_id(one.str());
    grant.set_organisation_id(scope.str());
    for (int office = SECRETARY; !had && office <= GROUP_LEADER; ++office) {
      grant.set_office(static_cast<Office>(office));
      ASSIGN_OR_RETURN(had, was_there(grant));
    }
    if (had) return true;
  }
  return false;
}

absl::Status MayWrite(const RecordType& type, uint64_t written, const Offices& offices,
                      const std::vector<Placed>& before, const std::vector<Placed>& after) {
  if (Entitled(type, written, offices.now, before, after)) return absl::OkStatus();
  const std::string what = absl::StrCat(type.label, " ", type.name);
  return Refuse(Entitled(type, written, OnceAndNow(offices), before, after)
                    ? sync::v1::GRANT_ENDED
                    : sync::v1::NOT_ENTITLED,
                what);
}

absl::Status MayStep(const RecordType& type, const Offices& offices,
                     const std::vector<Placed>& before, absl::string_view body_before,
                     absl::string_view body_after) {
  for (const FieldRule& rule : type.fields.rules()) {
    if (rule.taken_by.empty()) continue;
    const int to = ValueOf(rule.number, body_after);
    const auto takers = rule.taken_by.find(to);
    if (takers == rule.taken_by.end() || ValueOf(rule.number, body_before) == to) continue;
    if (ActsIn(type, offices.now, takers->second, before)) continue;
    const bool once = ActsIn(type, OnceAndNow(offices), takers->second, before);
    const auto& value = rule.descriptor->enum_type()->FindValueByNumber(to)->options();
    return Refuse(once ? sync::v1::GRANT_ENDED : sync::v1::NOT_YOUR_STEP,
                  absl::StrCat(type.label, " ", value.GetExtension(value_label)));
  }
  return absl::OkStatus();
}

absl::StatusOr<bool> MightOnce(Reader& reader, const RecordType& type, uint64_t written,
                               const Id& id, const Id& person, const Offices& offices,
                               const std::vector<Placed>& before,
                               const std::vector<Placed>& after) {
  absl::flat_hash_map<Id, uint32_t> once = OnceAndNow(offices);
  for (const Placed& placed : after) {
    if (placed.place != OWNER) continue;
    ASSIGN_OR_RETURN(const bool belonged, EverHadOffice(reader, person, placed.scope));
    if (belonged) once[placed.scope] |= AudienceOf(MEMBER);
  }
  std::vector<Placed> formerly;  // where they act, and it lay once
  for (const auto& entry : offices.now) {
    const Id& scope = entry.first;
    if ((entry.second & type.writers.at_home) == 0) continue;
    if (std::any_of(before.begin(), before.end(),
                    [&](const Placed& placed) { return placed.scope == scope; })) {
      continue;  // it lies there now, and they see it as a guest
    }
    ASSIGN_OR_RETURN(const bool there, reader.EverIn(scope, {type.number, id}));
    if (there) formerly.push_back({scope, OWNER});
  }
  const auto and_formerly = [&](std::vector<Placed> places) {
    places.insert(places.end(), formerly.begin(), formerly.end());
    return places;
  };
  return Entitled(type, written, once, and_formerly(before), and_formerly(after));
}

}  // namespace zhibu::server
