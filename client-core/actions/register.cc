#include "client-core/actions/register.h"

#include <utility>

#include "client-core/actions/known.h"
#include "client-core/actions/step.h"
#include "sync/base/status.h"
#include "zhibu/records/v1/member.pb.h"
#include "zhibu/records/v1/organisation.pb.h"

namespace zhibu::client {

using records::v1::Member;
using records::v1::Placement;

absl::StatusOr<std::vector<Draft>> RegisterMember(Store& store, Draft member, const Id& branch) {
  RETURN_IF_ERROR(CheckIsA<Member>(member));
  member.message<Member>().set_branch_id(branch.str());
  Draft placed = store.New<Placement>();
  auto& placement = placed.message<Placement>();
  placement.set_member_id(member.id().str());
  placement.set_branch_id(branch.str());
  ASSIGN_OR_RETURN(*placement.mutable_since(), DateOrToday(store, std::nullopt));
  std::vector<Draft> both;
  both.push_back(std::move(member));
  both.push_back(std::move(placed));
  return both;
}

}  // namespace zhibu::client
