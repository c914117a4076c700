// Which organisations (上级) stand above which.
#ifndef ZHIBU_SERVER_ABOVE_H_
#define ZHIBU_SERVER_ABOVE_H_

#include <map>
#include <vector>

#include "absl/status/statusor.h"
#include "server/store/store.h"
#include "zhibu/records/v1/organisation.pb.h"

namespace zhibu::server {

// Of home and, for a migrant-member branch, of the host place.
std::vector<Id> ParentsOf(const records::v1::Organisation& organisation);
// None where there is no such organisation.
absl::StatusOr<std::vector<Id>> ParentsOf(Reader& reader, const Id& organisation);

// The organisation itself and all above it, by how many steps above it they are. One
// that is above itself ends it.
absl::StatusOr<std::map<Id, int>> Above(Reader& reader, const Id& organisation);

// The organisation and all below it, each after what it hangs on.
absl::StatusOr<std::vector<Id>> Below(Reader& reader, const Id& organisation);

}  // namespace zhibu::server

#endif  // ZHIBU_SERVER_ABOVE_H_
