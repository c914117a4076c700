#include "server/identity/named.h"

#include <type_traits>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "sync/base/damage.h"
#include "sync/base/status.h"
#include "sync/base/text.h"
#include "sync/rules/registration.h"
#include "sync/rules/typed.h"
#include "sync/wire/shown.h"
#include "zhibu/records/v1/member.pb.h"
#include "zhibu/records/v1/organisation.pb.h"

namespace zhibu::server {

using records::v1::Member;
using records::v1::Organisation;

namespace {

// Of those who call themselves so, as a hint.
constexpr size_t kHintsMax = 5;

template <typename T>
absl::StatusOr<std::string> Listed(Reader& reader, const std::vector<Id>& ids) {
  std::vector<std::string> all;
  for (const Id& id : ids) {
    ASSIGN_OR_RETURN(const admin::v1::Registered one, RegisteredAs<T>(reader, id));
    all.push_back(InWords(one));
  }
  return absl::StrJoin(all, "; ");
}

template <typename T>
absl::StatusOr<Id> Take(Reader& reader, const Id& id, bool alive, Among among) {
  if (alive || among == Among::kEver) return id;
  ASSIGN_OR_RETURN(const std::string who, Listed<T>(reader, {id}));
  return absl::FailedPreconditionError(
      InBoth(absl::StrCat("该条目已删除: ", who), absl::StrCat("that entry was deleted: ", who)));
}

template <typename T>
absl::Status NobodyIs(Reader& reader, const std::string& text, const std::vector<Id>& so_called) {
  const RecordType& type = TypeOf<T>();
  std::string zh = absl::StrCat("没有登记为“", text, "”的", type.label);
  std::string en = absl::StrCat("no ", type.name, " is registered as \"", text, "\"");
  if (!so_called.empty()) {
    ASSIGN_OR_RETURN(const std::string who, Listed<T>(reader, so_called));
    absl::StrAppend(&zh, "；现自称如此的登记为: ", who);
    absl::StrAppend(&en, "; who goes by that now is registered as: ", who);
  }
  return absl::NotFoundError(InBoth(zh, en));
}

}  // namespace

std::string InBoth(absl::string_view zh, absl::string_view en) {
  return absl::StrCat(zh, "。 ", en, ".");
}

std::string InWords(const admin::v1::Registered& registered) {
  return absl::StrCat(PrintableLine(registered.name()), " ",
                      registered.branch().empty()
                          ? ""
                          : absl::StrCat("(", PrintableLine(registered.branch()), ") "),
                      TextOf(Id::FromBytes(registered.id()).value_or(Id())),
                      registered.deleted() ? " 已删除 deleted" : "");
}

template <typename T>
absl::StatusOr<admin::v1::Registered> RegisteredAs(Reader& reader, const Id& id) {
  ASSIGN_OR_RETURN(const RecordState state, reader.GetRecord({TypeOf<T>().number, id}));
  const T record = Parse<T>(state.body);
  admin::v1::Registered registered;
  registered.set_id(id.str());
  registered.set_name(RegisteredName(record));
  registered.set_deleted(!state.alive());
  if constexpr (std::is_same_v<T, Member>) {
    ASSIGN_OR_RETURN(*registered.mutable_branch(),
                     RegisteredNameOf<Organisation>(reader, record.branch_id()));
  }
  return registered;
}

template <typename T>
absl::StatusOr<Id> FindRegistered(Reader& reader, const std::string& text, Among among) {
  const uint32_t type = TypeOf<T>().number;
  if (const auto id = IdFromText(text)) {
    ASSIGN_OR_RETURN(const RecordState state, reader.GetRecord({type, *id}));
    if (state.exists) return Take<T>(reader, *id, state.alive(), among);
  }
  const std::string name = ShortName(text);
  std::vector<Id> found;
  std::vector<Id> so_called;
  bool alive = false;
  // One that cannot be read is found by its id only, and hides nobody else.
  RETURN_IF_ERROR(PassOver(reader.ListEver(type, [&](const Id& id, const RecordState& state) {
    const T record = Parse<T>(state.body);
    if (RegisteredName(record) == name) {
      found.push_back(id);
      alive = state.alive();
    } else if (state.alive() && record.name() == text && so_called.size() < kHintsMax) {
      so_called.push_back(id);
    }
  })));
  if (found.size() == 1) return Take<T>(reader, found[0], alive, among);
  if (found.empty()) return NobodyIs<T>(reader, text, so_called);
  ASSIGN_OR_RETURN(const std::string all, Listed<T>(reader, found));
  return absl::FailedPreconditionError(InBoth(
      absl::StrCat(found.size(), " 个", TypeOf<T>().label, "登记为“", text,
                   "”，请用编号指明: ", all),
      absl::StrCat(found.size(), " are registered as \"", text, "\"; name one by its id: ", all)));
}

template absl::StatusOr<admin::v1::Registered> RegisteredAs<Member>(Reader&, const Id&);
template absl::StatusOr<admin::v1::Registered> RegisteredAs<Organisation>(Reader&, const Id&);
template absl::StatusOr<Id> FindRegistered<Member>(Reader&, const std::string&, Among);
template absl::StatusOr<Id> FindRegistered<Organisation>(Reader&, const std::string&, Among);

}  // namespace zhibu::server
