#include "client-core/actions/offices.h"

#include <google/protobuf/util/time_util.h>

#include "client-core/actions/known.h"
#include "sync/base/status.h"
#include "zhibu/records/v1/organisation.pb.h"

namespace zhibu::client {

using google::protobuf::util::TimeUtil;
using records::v1::Grant;
using records::v1::Placement;

absl::StatusOr<std::vector<OfficeHere>> OfficesHere(Store& store) {
  ASSIGN_OR_RETURN(const Identity identity, store.GetIdentity());
  ASSIGN_OR_RETURN(const int64_t now_ms, store.ServerNow());
  const Id& person = identity.person;
  std::vector<OfficeHere> offices = {{SELF, person}};
  const auto add = [&](Office office, const std::string& scope) {
    if (const auto id = Id::FromBytes(scope)) offices.push_back({office, *id});
  };
  RETURN_IF_ERROR(Each<Grant>(store, [&](const Id&, const Grant& grant) {
    const bool ended =
        grant.has_until() && TimeUtil::TimestampToMilliseconds(grant.until()) <= now_ms;
    if (!ended && grant.person_id() == person.bytes()) {
      add(grant.office(), grant.organisation_id());
    }
    return true;
  }));
  RETURN_IF_ERROR(Each<Placement>(store, [&](const Id&, const Placement& placement) {
    if (placement.member_id() == person.bytes()) add(MEMBER, placement.branch_id());
    return true;
  }));
  return offices;
}

}  // namespace zhibu::client
