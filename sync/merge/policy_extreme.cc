// MAX and MIN: only ever rises, or falls.
#include <string>

#include "sync/base/reason.h"
#include "sync/merge/policy.h"
#include "sync/wire/scalar.h"
#include "sync/wire/wire.h"

namespace zhibu::merging {
namespace {

using sync::v1::Without;

class Extreme final : public MergePolicy {
 public:
  absl::Status Take(const FieldIn& field, absl::string_view raw, const Without&) const override {
    const FieldRule& rule = *field.rule;
    const absl::string_view value = field.value();
    const Scalar ours = ScalarOf(rule, raw);
    const Scalar theirs = ScalarOf(rule, value);
    const bool written = !value.empty() || field.touch() != Touch();
    if (written && !(rule.policy == MAX ? theirs < ours : ours < theirs)) return absl::OkStatus();
    // Zero is kept as protobuf keeps it: by the field's absence.
    const bool zero = !ours.is_nonzero() && !rule.descriptor->has_presence();
    field.Put(zero ? absl::string_view() : raw);
    return absl::OkStatus();
  }

  absl::Status Clear(const FieldIn& field) const override {
    return Refuse(sync::v1::BAD_VALUE, field.path());
  }

  // It knows no absence where protobuf knows none: zero is a value.
  void Diff(uint32_t slot, const FieldRule* rule, absl::string_view before, absl::string_view after,
            Difference difference) const override {
    if (before != after && after.empty() && !rule->descriptor->has_presence()) {
      return AppendZero(*rule, &difference.set);
    }
    MergePolicy::Diff(slot, rule, before, after, difference);
  }

 private:
  static void AppendZero(const FieldRule& rule, std::string* set) {
    using google::protobuf::FieldDescriptor;
    switch (rule.descriptor->type()) {
      case FieldDescriptor::TYPE_STRING:
      case FieldDescriptor::TYPE_BYTES:
        return wire::AppendBytesField(rule.number, "", set);
      case FieldDescriptor::TYPE_FIXED64:
      case FieldDescriptor::TYPE_SFIXED64:
        return wire::AppendFixed64Field(rule.number, 0, set);
      case FieldDescriptor::TYPE_FIXED32:
      case FieldDescriptor::TYPE_SFIXED32:
        return wire::AppendFixed32Field(rule.number, 0, set);
      default:
        return wire::AppendVarintField(rule.number, 0, set);
    }
  }
};

}  // namespace

const MergePolicy& ExtremePolicy() {
  static const Extreme kPolicy;
  return kPolicy;
}

}  // namespace zhibu::merging
