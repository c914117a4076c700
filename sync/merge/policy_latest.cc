// LATEST: the later write wins; a concurrent loser is kept as a conflict note.
#include "sync/merge/policy.h"

namespace zhibu::merging {
namespace {

using sync::v1::Without;

class Latest final : public MergePolicy {
 public:
  absl::Status Take(const FieldIn& field, absl::string_view raw, const Without&) const override {
    const Author& author = field.author();
    const Touch current = field.touch();
    const absl::string_view value = field.value();
    const bool later = author.Beats(current);
    if (!author.Saw(current) && value != raw) {
      Conflict& conflict = field.outcome().conflicts.emplace_back();
      conflict.path = field.path();
      conflict.rule = field.rule;
      conflict.kept = std::string(later ? raw : value);
      conflict.lost = std::string(later ? value : raw);
      conflict.kept_touch = later ? author.touch : current;
      conflict.lost_touch = later ? current : author.touch;
    }
    if (author.Saw(current) || later) field.Put(raw);
    return absl::OkStatus();
  }

  absl::Status Clear(const FieldIn& field) const override { return Take(field, {}, {}); }
};

}  // namespace

const MergePolicy& LatestPolicy() {
  static const Latest kPolicy;
  return kPolicy;
}

}  // namespace zhibu::merging
