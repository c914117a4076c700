// FIRST: written once; a second, different value is returned to its author.
#include "sync/base/reason.h"
#include "sync/merge/policy.h"
#include "sync/wire/canonical.h"

namespace zhibu::merging {
namespace {

using sync::v1::Without;

class First final : public MergePolicy {
 public:
  absl::Status Take(const FieldIn& field, absl::string_view raw, const Without&) const override {
    const absl::string_view value = field.value();
    // What stands may be from before anybody asked for one spelling.
    if (value == raw || Canonical(field.node.fields(), value) == raw) return absl::OkStatus();
    if (!value.empty() && field.mode() == Mode::kSeen) {
      return Refuse(sync::v1::ALREADY_WRITTEN, field.path());
    }
    field.Put(raw);
    return absl::OkStatus();
  }

  absl::Status Clear(const FieldIn& field) const override {
    if (field.value().empty()) return absl::OkStatus();
    if (field.mode() == Mode::kSeen) return Refuse(sync::v1::ALREADY_WRITTEN, field.path());
    field.Put({});
    return absl::OkStatus();
  }
};

}  // namespace

const MergePolicy& FirstPolicy() {
  static const First kPolicy;
  return kPolicy;
}

}  // namespace zhibu::merging
