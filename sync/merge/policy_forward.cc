// FORWARD: a state machine; only steps that the enum declares, in the order of the server.
#include <string>

#include "absl/strings/str_cat.h"
#include "sync/base/reason.h"
#include "sync/merge/policy.h"
#include "sync/wire/value.h"

namespace zhibu::merging {
namespace {

using sync::v1::Without;

class Forward final : public MergePolicy {
 public:
  absl::Status Take(const FieldIn& field, absl::string_view raw, const Without&) const override {
    const FieldRule& rule = *field.rule;
    const int from = EnumOf(rule, field.value());
    const int to = EnumOf(rule, raw);
    if (from == to) return absl::OkStatus();
    if (!rule.steps.contains({from, to}) && field.mode() == Mode::kSeen) {
      return Refuse(sync::v1::STEP_NOT_ALLOWED,
                    absl::StrCat(field.path(), ": ", NameOf(rule, from), " → ", NameOf(rule, to)));
    }
    field.Put(raw);
    return absl::OkStatus();
  }

  absl::Status Clear(const FieldIn& field) const override {
    if (field.value().empty()) return absl::OkStatus();
    if (field.mode() == Mode::kSeen) return Refuse(sync::v1::STEP_NOT_ALLOWED, field.path());
    field.Put({});
    return absl::OkStatus();
  }

 private:
  static std::string NameOf(const FieldRule& rule, int number) {
    const auto* value = rule.descriptor->enum_type()->FindValueByNumber(number);
    return value == nullptr ? absl::StrCat(number) : std::string(value->name());
  }
};

}  // namespace

const MergePolicy& ForwardPolicy() {
  static const Forward kPolicy;
  return kPolicy;
}

}  // namespace zhibu::merging
