#include "sync/merge/diff.h"

#include <algorithm>
#include <map>
#include <set>

#include "sync/merge/policy.h"
#include "sync/wire/slots.h"
#include "sync/wire/wire.h"

namespace zhibu {
namespace {

using sync::v1::Change;
using sync::v1::Without;

// Which of the fields that a change speaks of must be known to be merged.
class Marks {
 public:
  void Gather(const Fields& fields, absl::string_view set, const Without& without) {
    wire::Reader reader(set);
    wire::Field field;
    while (reader.Next(&field)) {
      const FieldRule* rule = Mark(fields, field.number);
      if (rule == nullptr || rule->element == nullptr) continue;
      within_[field.number].Gather(*rule->element, field.payload, {});
    }
    for (const uint32_t slot : without.cleared()) Mark(fields, slot);
    for (const auto& removed : without.removed()) Mark(fields, removed.field());
    for (const auto& nested : without.nested()) {
      const FieldRule* rule = Mark(fields, nested.field());
      within_[nested.field()].Gather(*rule->element, {}, nested.without());
    }
  }

  // Into a Change, or a Within of it.
  template <typename Marked>
  void Write(Marked* marked) const {
    marked->mutable_special()->Add(special_.begin(), special_.end());
    for (const auto& [field, marks] : within_) {
      if (marks.empty()) continue;
      auto* within = marked->add_within();
      within->set_field(field);
      marks.Write(within);
    }
  }

 private:
  const FieldRule* Mark(const Fields& fields, uint32_t number) {
    const FieldRule* rule = fields.Find(number);
    if (rule != nullptr && rule->special) special_.insert(number);
    return rule;
  }
  bool empty() const {
    return special_.empty() && std::all_of(within_.begin(), within_.end(),
                                           [](const auto& entry) { return entry.second.empty(); });
  }

  std::set<uint32_t> special_;
  std::map<uint32_t, Marks> within_;
};

}  // namespace

void merging::DiffFields(const Fields& fields, absl::string_view before, absl::string_view after,
                         Difference difference) {
  Slots old_slots;
  Slots new_slots;
  old_slots.Parse(fields, before);
  new_slots.Parse(fields, after);
  std::set<uint32_t> slots;
  for (const auto& [slot, raw] : old_slots) slots.insert(slot);
  for (const auto& [slot, raw] : new_slots) slots.insert(slot);
  for (const uint32_t slot : slots) {
    const FieldRule* rule = fields.Find(slot);
    PolicyOf(rule).Diff(slot, rule, old_slots.Get(slot), new_slots.Get(slot), difference);
  }
}

bool Diff(const RecordType& type, absl::string_view before, absl::string_view after,
          Change* change) {
  // What is stored may be from before anybody asked for one spelling.
  const std::string was = Canonical(type.fields, before);
  merging::DiffFields(type.fields, was, after,
                      {*change->mutable_set(), *change->mutable_without()});
  Marks marks;
  marks.Gather(type.fields, change->set(), change->without());
  marks.Write(change);
  const bool takes = change->without().ByteSizeLong() > 0;
  if (!takes) change->clear_without();
  return takes || !change->set().empty();
}

}  // namespace zhibu
