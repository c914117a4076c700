#include "client-core/cli/resolve.h"

#include "sync/date.h"
#include "sync/reason.h"
#include "sync/record.h"
#include "sync/shown.h"
#include "zhibu/records/v1/member.pb.h"
#include "zhibu/records/v1/organisation.pb.h"

namespace zhibu::client {
namespace {

using records::v1::Member;
using records::v1::Organisation;
using records::v1::Placement;

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

absl::StatusOr<Id> BranchOfMember(Store& store, const Id& member) {
  Placement placement;
  placement.set_member_id(member.str());
  const RecordType& type = *store.schema().Find(Placement::descriptor());
  ASSIGN_OR_RETURN(const Id id, DeriveId(type, placement.SerializeAsString()));
  ASSIGN_OR_RETURN(const Draft draft, store.Edit(type, id));
  const auto branch = Id::FromBytes(static_cast<const Placement&>(draft.message()).branch_id());
  if (!branch) return absl::NotFoundError("the member is in no branch");
  return *branch;
}

std::string NameOfMember(Store& store, const std::string& bytes) {
  const auto id = Id::FromBytes(bytes);
  if (!id) return "";
  const absl::StatusOr<Draft> draft = store.Edit<Member>(*id);
  return draft.ok() ? static_cast<const Member&>(draft->message()).name() : TextOf(*id);
}

absl::StatusOr<std::string> DateOrToday(Store& store, const std::string& text) {
  if (IsDate(text)) return text;
  if (!text.empty()) return Refuse(sync::v1::BAD_VALUE, absl::StrCat(text, ": 2026-01-31"));
  ASSIGN_OR_RETURN(const int64_t now_ms, store.ServerNow());
  return DateAt(now_ms);
}

}  // namespace zhibu::client
