// Which record somebody means who types a name, an id or a date.
#ifndef ZHIBU_CLIENT_CORE_CLI_RESOLVE_H_
#define ZHIBU_CLIENT_CORE_CLI_RESOLVE_H_

#include <string>

#include "absl/status/statusor.h"
#include "client-core/store.h"

namespace zhibu::client {

// The id, or that of the one Member or Organisation here that bears the name.
// NOT_FOUND: nobody here is named so. FAILED_PRECONDITION: several are.
absl::StatusOr<Id> MemberFrom(Store& store, const std::string& text);
absl::StatusOr<Id> BranchFrom(Store& store, const std::string& text);

// The member that `text` means; whose device this is where it is empty.
absl::StatusOr<Id> MemberOrOwner(Store& store, const std::string& text);

// The branch that the member belongs to, as this device knows. NOT_FOUND.
absl::StatusOr<Id> BranchOfMember(Store& store, const Id& member);

// The name, or the id as text where the member's record is not here.
std::string NameOfMember(Store& store, const std::string& id);

// The date; today, by the server's clock, where it is empty. BAD_VALUE: it is no date.
absl::StatusOr<std::string> DateOrToday(Store& store, const std::string& text);

}  // namespace zhibu::client

#endif  // ZHIBU_CLIENT_CORE_CLI_RESOLVE_H_
