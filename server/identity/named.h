// What an operator's words mean, and how those they are about are shown to the operator:
//
//   what is typed = an id, or the name under which somebody is registered
//   what is shown = registered name, branch and id
//
// What people call themselves on their phones leads an operator nowhere, as it leads no row
// of a roster anywhere (sync/rules/registration.h). Nothing is guessed: a name under which
// several have ever been registered is refused with all of them, for who deletes an entry
// and makes another of that name must not be taken for the first.
#ifndef ZHIBU_SERVER_IDENTITY_NAMED_H_
#define ZHIBU_SERVER_IDENTITY_NAMED_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "server/store/store.h"
#include "zhibu/admin/v1/admin.pb.h"

namespace zhibu::server {

// May one whose entry was deleted be meant? Who is given something is to be there; what
// somebody has can be ended whatever became of the entry.
enum class Among { kThere, kEver };

// The one Member or Organisation that `text` means. NOT_FOUND; FAILED_PRECONDITION: several
// are registered so, or the one that is meant was deleted. In words, which name them.
template <typename T>
absl::StatusOr<Id> FindRegistered(Reader& reader, const std::string& text, Among among);

// Of a Member or an Organisation, deleted ones too.
template <typename T>
absl::StatusOr<admin::v1::Registered> RegisteredAs(Reader& reader, const Id& id);

// "甲 (一支部) 3f2a…", in one line; without a branch where there is none.
std::string InWords(const admin::v1::Registered& registered);

// For whom a message is, is not known where it is made.
std::string InBoth(absl::string_view zh, absl::string_view en);

}  // namespace zhibu::server

#endif  // ZHIBU_SERVER_IDENTITY_NAMED_H_
