// SERVER: only the server writes it.
#include "sync/base/reason.h"
#include "sync/merge/policy.h"

namespace zhibu::merging {
namespace {

using sync::v1::Without;

class Server final : public MergePolicy {
 public:
  absl::Status Take(const FieldIn& field, absl::string_view raw, const Without&) const override {
    if (field.author().device != kServerDevice) return Refuse(sync::v1::SERVER_ONLY, field.path());
    field.Put(raw);
    return absl::OkStatus();
  }

  absl::Status Clear(const FieldIn& field) const override { return Take(field, {}, {}); }
};

}  // namespace

const MergePolicy& ServerPolicy() {
  static const Server kPolicy;
  return kPolicy;
}

}  // namespace zhibu::merging
