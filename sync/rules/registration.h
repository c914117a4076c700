// The names under which members and organisations are registered: what stands where a name
// is proof (logs, passes, letters), and what a roster knows them by.
//
//   registered name = the name at first, or as the operator's roster has it
//
// Whoever keeps the record changes its `name`, and nothing here.
#ifndef ZHIBU_SYNC_RULES_REGISTRATION_H_
#define ZHIBU_SYNC_RULES_REGISTRATION_H_

#include <cstddef>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "sync/merge/state.h"
#include "sync/rules/lookup.h"
#include "sync/rules/rule.h"
#include "sync/rules/typed.h"
#include "zhibu/sync/v1/edit.pb.h"

namespace zhibu {

// A longer one would be copied into every log and letter.
inline constexpr size_t kRegisteredNameBytesMax = 200;

// At most that many bytes of it, cut between characters.
std::string ShortName(absl::string_view name);

// Of a Member or an Organisation. One that nobody has registered goes by the name it has.
template <typename T>
std::string RegisteredName(const T& record) {
  return ShortName(record.registered_name().empty() ? record.name() : record.registered_name());
}
// By the bytes of its id; empty where there is none.
template <typename T>
absl::StatusOr<std::string> RegisteredNameOf(Lookup& reader, absl::string_view id) {
  ASSIGN_OR_RETURN(const T record, Get<T>(reader, id));
  return RegisteredName(record);
}

// Adds to `own` what registers a Member or Organisation that has no such name yet. One that
// was there before (`was`), and has been made anew, is who it was.
void FollowRegistration(const RecordKey& key, const RecordState& was, const RecordState& state,
                        sync::v1::Edit* own);

std::unique_ptr<const Rule> RegistrationRule();

}  // namespace zhibu

#endif  // ZHIBU_SYNC_RULES_REGISTRATION_H_
