// What changed between the record that somebody saw and the one they want: the
// app edits a plain message, and this works out the edit.
//
//   Apply(before, Diff(before, after)) == after, had nobody else written
#ifndef ZHIBU_SYNC_MERGE_DIFF_H_
#define ZHIBU_SYNC_MERGE_DIFF_H_

#include "absl/strings/string_view.h"
#include "sync/schema/schema.h"
#include "sync/wire/canonical.h"
#include "zhibu/sync/v1/edit.pb.h"

namespace zhibu {

// Fills `set`, `without`, `special` and `within` of `change`. Both bodies must be
// well-formed messages of the type, `after` in canonical form. Returns false where
// nothing changed.
bool Diff(const RecordType& type, absl::string_view before, absl::string_view after,
          sync::v1::Change* change);

}  // namespace zhibu

#endif  // ZHIBU_SYNC_MERGE_DIFF_H_
