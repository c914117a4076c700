// What a branch makes public (公示): a notice of something that it says itself, or of a
// record that it keeps. What is shown of that record the server writes, and only what an
// ordinary member elsewhere may read.
//
//   ASSIGN_OR_RETURN(Draft notice,
//                    PutUpNotice(*store, branch, {.title = "公示", .until = last_day}));
//   ASSIGN_OR_RETURN(EditNumber number, store->Commit({&notice}));
//
// A title or text that holds an identity or telephone number is refused by Store::Commit
// (HOLDS_CONTACT).
//
// Threads and errors: actions/known.h.
#ifndef ZHIBU_CLIENT_CORE_ACTIONS_NOTICE_H_
#define ZHIBU_CLIENT_CORE_ACTIONS_NOTICE_H_

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/civil_time.h"
#include "client-core/store/store.h"

namespace zhibu::client {

struct NewNotice {
  std::string title;
  std::string text;
  std::optional<absl::CivilDay> from;  // the first day; default: today
  absl::CivilDay until;                // the last day
  std::optional<RecordKey> about;      // a record that the branch keeps
};

absl::StatusOr<Draft> PutUpNotice(Store& store, const Id& branch, const NewNotice& notice);

}  // namespace zhibu::client

#endif  // ZHIBU_CLIENT_CORE_ACTIONS_NOTICE_H_
