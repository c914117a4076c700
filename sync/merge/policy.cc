#include "sync/merge/policy.h"

#include <utility>

#include "sync/base/reason.h"

namespace zhibu::merging {

absl::Status MergePolicy::Clear(const FieldIn& field) const {
  return Refuse(sync::v1::MALFORMED, field.path());
}

absl::Status MergePolicy::Remove(const FieldIn& field, const sync::v1::Without::Removed&) const {
  return Refuse(sync::v1::MALFORMED, field.path());
}

void MergePolicy::Diff(uint32_t slot, const FieldRule*, absl::string_view before,
                       absl::string_view after, Difference difference) const {
  if (before == after) return;
  if (after.empty()) {
    difference.without.add_cleared(slot);
  } else {
    difference.set.append(after.data(), after.size());
  }
}

void DiffRemoved(const FieldRule& rule, sync::v1::Without::Removed removed, Difference difference) {
  if (removed.elements().empty()) return;
  removed.set_field(rule.number);
  *difference.without.add_removed() = std::move(removed);
}

const MergePolicy& PolicyOf(const FieldRule* rule) {
  switch (rule == nullptr ? LATEST : rule->policy) {
    case ASK:
      return AskPolicy();
    case FIRST:
      return FirstPolicy();
    case SUM:
      return SumPolicy();
    case MAX:
    case MIN:
      return ExtremePolicy();
    case ADD_WINS:
      return AddWinsPolicy();
    case BY_KEY:
      return ByKeyPolicy();
    case FORWARD:
      return ForwardPolicy();
    case SERVER:
      return ServerPolicy();
    default:
      return LatestPolicy();
  }
}

}  // namespace zhibu::merging
