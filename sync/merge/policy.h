// How the concurrent writes to one field become one value: a file for each policy
// (zhibu.Policy in zhibu/schema/v1/options.proto), behind one table.
//
//   PolicyOf(rule).Take(field, raw, without)            merges what an edit says (node.cc)
//   PolicyOf(rule).Diff(field, before, after, …)        what an edit is to say (diff.cc)
//
//   Take(before, Diff(before, after)) == after, had nobody else written
//
// Policies have no state and are shared. Internal to the merge (sync/merge/merge.h).
#ifndef ZHIBU_SYNC_MERGE_POLICY_H_
#define ZHIBU_SYNC_MERGE_POLICY_H_

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "sync/merge/node.h"
#include "sync/schema/schema.h"
#include "zhibu/sync/v1/edit.pb.h"

namespace zhibu::merging {

// What differs, as a change says it.
struct Difference {
  std::string& set;
  sync::v1::Without& without;
};

class MergePolicy {
 public:
  virtual ~MergePolicy() = default;

  // `raw`: what the edit says of the field, with its tags; lives as long as the merge.
  virtual absl::Status Take(const FieldIn& field, absl::string_view raw,
                            const sync::v1::Without& without) const = 0;
  // The edit empties the field. MALFORMED where the policy knows no such thing, as for Remove.
  virtual absl::Status Clear(const FieldIn& field) const;
  // The edit takes elements away.
  virtual absl::Status Remove(const FieldIn& field,
                              const sync::v1::Without::Removed& removed) const;

  // What makes `after` of `before`, both as they stand in the record. The whole value, unless
  // the policy says it otherwise.
  virtual void Diff(uint32_t slot, const FieldRule* rule, absl::string_view before,
                    absl::string_view after, Difference difference) const;
};

// Null: a field that this build does not know.
const MergePolicy& PolicyOf(const FieldRule* rule);

const MergePolicy& LatestPolicy();
const MergePolicy& AskPolicy();
const MergePolicy& FirstPolicy();
const MergePolicy& SumPolicy();
const MergePolicy& ExtremePolicy();  // MAX, MIN
const MergePolicy& AddWinsPolicy();
const MergePolicy& ByKeyPolicy();
const MergePolicy& ForwardPolicy();
const MergePolicy& ServerPolicy();

// Every field of a record or an element.
void DiffFields(const Fields& fields, absl::string_view before, absl::string_view after,
                Difference difference);
// Of a set, or a keyed list.
void DiffRemoved(const FieldRule& rule, sync::v1::Without::Removed removed, Difference difference);

}  // namespace zhibu::merging

#endif  // ZHIBU_SYNC_MERGE_POLICY_H_
