// SUM: an edit carries what is to be added, and each addition counts once.
#include "sync/merge/policy.h"
#include "sync/wire/scalar.h"
#include "sync/wire/wire.h"

namespace zhibu::merging {
namespace {

using sync::v1::Without;

class Sum final : public MergePolicy {
 public:
  absl::Status Take(const FieldIn& field, absl::string_view raw, const Without&) const override {
    field.Put(field.Own(SumField(*field.rule, field.value(), raw)));
    return absl::OkStatus();
  }

  void Diff(uint32_t, const FieldRule* rule, absl::string_view before, absl::string_view after,
            Difference difference) const override {
    const uint64_t addend = NumberOf(*rule, after) - NumberOf(*rule, before);
    if (addend == 0) return;
    wire::AppendVarintField(rule->number,
                            IsZigZag(*rule) ? wire::ZigZag(static_cast<int64_t>(addend)) : addend,
                            &difference.set);
  }

 private:
  static bool IsZigZag(const FieldRule& rule) {
    return rule.descriptor->type() == google::protobuf::FieldDescriptor::TYPE_SINT64;
  }

  static uint64_t NumberOf(const FieldRule& rule, absl::string_view raw) {
    wire::Reader reader(raw);
    wire::Field field;
    uint64_t value = 0;
    while (reader.Next(&field)) value = field.scalar;
    return IsZigZag(rule) ? static_cast<uint64_t>(wire::UnZigZag(value)) : value;
  }
};

}  // namespace

const MergePolicy& SumPolicy() {
  static const Sum kPolicy;
  return kPolicy;
}

}  // namespace zhibu::merging
