// What somebody means who types the name of a type, a name, an id or a day.
#ifndef ZHIBU_CLIENT_CORE_CLI_RESOLVE_H_
#define ZHIBU_CLIENT_CORE_CLI_RESOLVE_H_

#include <optional>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/civil_time.h"
#include "client-core/actions/known.h"
#include "client-core/store/store.h"
#include "sync/base/status.h"

namespace zhibu::client {

// The record type of that name. INVALID_ARGUMENT: there is none; says which there are.
absl::StatusOr<const RecordType*> TypeFrom(Store& store, const std::string& name);

// The only one that is meant, if any is. FAILED_PRECONDITION, in the words of `several`:
// several are.
template <typename T>
absl::StatusOr<std::optional<Id>> OnlyOne(Store& store,
                                          absl::FunctionRef<bool(const Id&, const T&)> meant,
                                          absl::string_view several) {
  std::optional<Id> found;
  int many = 0;
  RETURN_IF_ERROR(Each<T>(store, [&](const Id& id, const T& record) {
    if (!meant(id, record)) return true;
    found = id;
    return ++many < 2;
  }));
  if (many < 2) return found;
  return absl::FailedPreconditionError(absl::StrCat(several, ": name one by its id"));
}

// The id, or that of the one Member or Organisation here that bears the name.
// NOT_FOUND: nobody here is named so. FAILED_PRECONDITION: several are.
absl::StatusOr<Id> MemberFrom(Store& store, const std::string& text);
absl::StatusOr<Id> BranchFrom(Store& store, const std::string& text);

// The member that `text` means; whose device this is where it is empty.
absl::StatusOr<Id> MemberOrOwner(Store& store, const std::string& text);

// BAD_VALUE: it is no day, as 2026-01-31 is.
absl::StatusOr<absl::CivilDay> DayFrom(const std::string& text);
// None where it is empty.
absl::StatusOr<std::optional<absl::CivilDay>> DayIfGiven(const std::string& text);

}  // namespace zhibu::client

#endif  // ZHIBU_CLIENT_CORE_CLI_RESOLVE_H_
