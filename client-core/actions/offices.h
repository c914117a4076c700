// In which offices this device's owner acts, and where: as themself in their own scope, as a member
// where they are placed, and by the grants that have not ended.
//
//   ASSIGN_OR_RETURN(const std::vector<OfficeHere> offices, OfficesHere(*store));
//
// It is what this device knows; what they may do with it the server says.
//
// Threads and errors: actions/known.h; NOT_ENROLLED where the device has no owner yet.
#ifndef ZHIBU_CLIENT_CORE_ACTIONS_OFFICES_H_
#define ZHIBU_CLIENT_CORE_ACTIONS_OFFICES_H_

#include <vector>

#include "absl/status/statusor.h"
#include "client-core/store/store.h"
#include "zhibu/schema/v1/options.pb.h"

namespace zhibu::client {

struct OfficeHere {
  Office office = OFFICE_UNSPECIFIED;
  Id scope;  // of an organisation; of SELF the person's own
};

// SELF first.
absl::StatusOr<std::vector<OfficeHere>> OfficesHere(Store& store);

}  // namespace zhibu::client

#endif  // ZHIBU_CLIENT_CORE_ACTIONS_OFFICES_H_
