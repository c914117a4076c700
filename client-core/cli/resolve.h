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
#include "sync/base/reason.h"
#include "sync/base/status.h"
#include "sync/base/words.h"

namespace zhibu::client {

// The record type of that name or label. NOT_UNDERSTOOD: there is none; says which there are.
absl::StatusOr<const RecordType*> TypeFrom(Store& store, const std::string& name);

// The only one that is meant by `text`, if any is. SEVERAL_MEANT: several are.
template <typename T>
absl::StatusOr<std::optional<Id>> OnlyOne(Store& store,
                                          absl::FunctionRef<bool(const Id&, const T&)> meant,
                                          const std::string& text) {
  std::optional<Id> found;
  int many = 0;
  RETURN_IF_ERROR(Each<T>(store, [&](const Id& id, const T& record) {
    if (!meant(id, record)) return true;
    found = id;
    return ++many < 2;
  }));
  if (many < 2) return found;
  const auto label = [](Language language) { return WordsOf(*T::descriptor(), language); };
  return Refuse(sync::v1::SEVERAL_MEANT,
                InBoth(absl::StrCat("“", text, "”的", label(Language::kChinese),
                                    "有几条，可用 list 查看后写全名称"),
                       absl::StrCat("there are several of ", label(Language::kEnglish), " of ",
                                    text, "; list shows their whole names")));
}

// The record that a title or an id means (Names::Find). NOT_HERE, SEVERAL_MEANT.
absl::StatusOr<Id> RecordFrom(Store& store, const RecordType& type, const std::string& text);
template <typename T>
absl::StatusOr<Draft> DraftFrom(Store& store, const std::string& text) {
  ASSIGN_OR_RETURN(const Id id, RecordFrom(store, *store.schema().Find(T::descriptor()), text));
  return store.Edit<T>(id);
}
absl::StatusOr<Id> MemberFrom(Store& store, const std::string& text);
absl::StatusOr<Id> BranchFrom(Store& store, const std::string& text);

// The branch that `text` means; the owner's where it is empty.
absl::StatusOr<Id> BranchOrOwn(Store& store, const std::string& text);
// The member that `text` means; whose device this is where it is empty.
absl::StatusOr<Id> MemberOrOwner(Store& store, const std::string& text);

// BAD_VALUE: it is no day, as 2026-01-31 is.
absl::StatusOr<absl::CivilDay> DayFrom(const std::string& text);
// None where it is empty.
absl::StatusOr<std::optional<absl::CivilDay>> DayIfGiven(const std::string& text);

}  // namespace zhibu::client

#endif  // ZHIBU_CLIENT_CORE_CLI_RESOLVE_H_
