#include "client-core/cli/resolve.h"

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
  ASSIGN_OR_RETURN(const std::optional<Id> found,
                   OnlyOne<T>(
                       store, [&](const Id&, const T& record) { return record.name() == text; },
                       absl::StrCat("several bear the name ", text)));
  if (found) return *found;
  // A name of Chinese characters is never an id; what is here need not be known.
  if (const auto id = IdFromText(text)) return *id;
  return absl::NotFoundError(
      absl::StrCat("nobody here bears the name ", text, ", and it is no id: name it by its id"));
}

}  // namespace

absl::StatusOr<const RecordType*> TypeFrom(Store& store, const std::string& name) {
  const RecordType* type = store.schema().FindByName(name);
  if (type != nullptr) return type;
  std::string known;
  for (const RecordType& one : store.schema().types()) absl::StrAppend(&known, " ", one.name);
  return absl::InvalidArgumentError(absl::StrCat("no record type ", name, "; there are", known));
}

absl::StatusOr<Id> MemberFrom(Store& store, const std::string& text) {
  return Named<Member>(store, text);
}

absl::StatusOr<Id> BranchFrom(Store& store, const std::string& text) {
  return Named<Organisation>(store, text);
}

absl::StatusOr<Id> MemberOrOwner(Store& store, const std::string& text) {
  if (!text.empty()) return MemberFrom(store, text);
  ASSIGN_OR_RETURN(const Identity identity, store.GetIdentity());
  return identity.person;
}

absl::StatusOr<absl::CivilDay> DayFrom(const std::string& text) {
  absl::CivilDay day;
  if (IsDate(text) && absl::ParseCivilTime(text, &day)) return day;
  return Refuse(sync::v1::BAD_VALUE, absl::StrCat(text, ": 2026-01-31"));
}

absl::StatusOr<std::optional<absl::CivilDay>> DayIfGiven(const std::string& text) {
  if (text.empty()) return std::nullopt;
  ASSIGN_OR_RETURN(const absl::CivilDay day, DayFrom(text));
  return day;
}

}  // namespace zhibu::client
