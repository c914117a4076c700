// A person goes on the books of a branch: the register has them, and they are placed in it
// (编入组织), in one edit. A Member alone is on no branch's list.
//
//   Draft member = store->New<Member>();
//   member.message<Member>().set_name("周枫林");
//   ASSIGN_OR_RETURN(std::vector<Draft> both, RegisterMember(*store, std::move(member), branch));
//   ASSIGN_OR_RETURN(EditNumber number, CommitTogether(*store, absl::MakeSpan(both)));
//
// Threads and errors: actions/known.h.
#ifndef ZHIBU_CLIENT_CORE_ACTIONS_REGISTER_H_
#define ZHIBU_CLIENT_CORE_ACTIONS_REGISTER_H_

#include <vector>

#include "absl/status/statusor.h"
#include "client-core/store/store.h"

namespace zhibu::client {

// By the branch's secretary. `member`: a new Member, as they have filled it in but for the branch.
absl::StatusOr<std::vector<Draft>> RegisterMember(Store& store, Draft member, const Id& branch);

}  // namespace zhibu::client

#endif  // ZHIBU_CLIENT_CORE_ACTIONS_REGISTER_H_
