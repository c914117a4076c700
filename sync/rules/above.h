// Which organisations (上级) stand above which.
#ifndef ZHIBU_SYNC_RULES_ABOVE_H_
#define ZHIBU_SYNC_RULES_ABOVE_H_

#include <map>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "sync/rules/lookup.h"
#include "zhibu/records/v1/organisation.pb.h"

namespace zhibu {

// Of home and, for a migrant-member branch, of the host place.
std::vector<Id> ParentsOf(const records::v1::Organisation& organisation);
// The one of these that decides on what is asked of it: at home, or, of a branch that hangs on
// none there, at the host place.
std::optional<Id> SuperiorOf(const records::v1::Organisation& organisation);
// None where there is no such organisation.
absl::StatusOr<std::vector<Id>> ParentsOf(Lookup& reader, const Id& organisation);

// The organisation itself and all above it, by how many steps above it they are. One
// that is above itself ends it.
absl::StatusOr<std::map<Id, int>> Above(Lookup& reader, const Id& organisation);

// The organisation and all below it, each after what it hangs on.
absl::StatusOr<std::vector<Id>> Below(Lookup& reader, const Id& organisation);

}  // namespace zhibu

#endif  // ZHIBU_SYNC_RULES_ABOVE_H_
