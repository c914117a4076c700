// What is due (sync/rules/book/due.h), worked out of what this device holds: in a hall without
// signal too.
//
//   ASSIGN_OR_RETURN(const DueHere due, WhatIsDue(*store));
//   for (const rules::DueItem& item : due.list.items) …
//
// It has what is for the device's owner to see to: of the organisations that they act for, and
// their own. Where they may not read what would have met it, it says nothing of it.
#ifndef ZHIBU_CLIENT_CORE_ACTIONS_DUE_H_
#define ZHIBU_CLIENT_CORE_ACTIONS_DUE_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/civil_time.h"
#include "client-core/actions/books.h"
#include "client-core/store/store.h"
#include "sync/rules/book/due.h"

namespace zhibu::client {

struct DueHere {
  absl::CivilDay as_of;
  rules::DueList list;
  std::vector<BookHere> books;  // whose obligations the list names
};

// As of that day; today by the server's clock where none is given. NOT_ENROLLED.
absl::StatusOr<DueHere> WhatIsDue(Store& store,
                                  const std::optional<absl::CivilDay>& day = std::nullopt);

// What people call the record that something is due of: the member's name, or its first line.
std::string NameOfSubject(Store& store, const rules::DueItem& item);

}  // namespace zhibu::client

#endif  // ZHIBU_CLIENT_CORE_ACTIONS_DUE_H_
