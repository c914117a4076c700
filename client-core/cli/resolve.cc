#include "client-core/cli/resolve.h"

#include <algorithm>

#include "absl/strings/str_join.h"
#include "client-core/actions/names.h"
#include "sync/base/date.h"
#include "sync/base/reason.h"
#include "sync/wire/shown.h"
#include "zhibu/records/v1/member.pb.h"
#include "zhibu/records/v1/organisation.pb.h"

namespace zhibu::client {
namespace {

using records::v1::Member;
using records::v1::Organisation;

template <typename T>
absl::StatusOr<Id> Named(Store& store, const std::string& text) {
  return RecordFrom(store, *store.schema().Find(T::descriptor()), text);
}

}  // namespace

absl::StatusOr<const RecordType*> TypeFrom(Store& store, const std::string& name) {
  const auto& types = store.schema().types();
  const auto found = std::find_if(types.begin(), types.end(), [&](const RecordType& type) {
    return name == type.name || name == type.label ||
           name == WordsOf(*type.descriptor, Language::kEnglish);
  });
  if (found != types.end()) return &*found;
  const auto all = [&](Language language) {
    return absl::StrJoin(types, language == Language::kChinese ? "、" : ", ",
                         [&](std::string* out, const RecordType& type) {
                           out->append(language == Language::kChinese ? type.label : type.name);
                         });
  };
  return Refuse(
      sync::v1::NOT_UNDERSTOOD,
      InBoth(absl::StrCat("没有“", name, "”这种记录，有 ", all(Language::kChinese)),
             absl::StrCat("no record type ", name, "; there are ", all(Language::kEnglish))));
}

absl::StatusOr<Id> RecordFrom(Store& store, const RecordType& type, const std::string& text) {
  // A title may hold the words of a value, in either language.
  Names names(store, Language::kChinese);
  absl::StatusOr<Id> found = names.Find(type, text);
  if (!absl::IsNotFound(found.status())) return found;
  Names english(store, Language::kEnglish);
  absl::StatusOr<Id> by_english = english.Find(type, text);
  return by_english.ok() ? by_english : found;
}

absl::StatusOr<Id> MemberFrom(Store& store, const std::string& text) {
  return Named<Member>(store, text);
}

absl::StatusOr<Id> BranchFrom(Store& store, const std::string& text) {
  return Named<Organisation>(store, text);
}

absl::StatusOr<Id> BranchOrOwn(Store& store, const std::string& text) {
  if (!text.empty()) return BranchFrom(store, text);
  ASSIGN_OR_RETURN(const Identity identity, store.GetIdentity());
  return BranchOfMember(store, identity.person);
}

absl::StatusOr<Id> MemberOrOwner(Store& store, const std::string& text) {
  if (!text.empty()) return MemberFrom(store, text);
  ASSIGN_OR_RETURN(const Identity identity, store.GetIdentity());
  return identity.person;
}

absl::StatusOr<absl::CivilDay> DayFrom(const std::string& text) {
  absl::CivilDay day;
  if (IsDate(text) && absl::ParseCivilTime(text, &day)) return day;
  return Refuse(
      sync::v1::BAD_VALUE,
      InBoth(absl::StrCat("“", text, "”不是日期，应写作年-月-日，例如 2026-01-31"),
             absl::StrCat(text, " is no day; a day is written year-month-day, as 2026-01-31 is")));
}

absl::StatusOr<std::optional<absl::CivilDay>> DayIfGiven(const std::string& text) {
  if (text.empty()) return std::nullopt;
  ASSIGN_OR_RETURN(const absl::CivilDay day, DayFrom(text));
  return day;
}

}  // namespace zhibu::client
