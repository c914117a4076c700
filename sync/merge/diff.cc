#include "sync/merge/diff.h"

#include <algorithm>
#include <map>
#include <set>

#include "sync/wire/slots.h"
#include "sync/wire/wire.h"

namespace zhibu {
namespace {

using sync::v1::Change;
using sync::v1::Without;

// One pass over a message; `set` and `without` gather what differs.
class Differ {
 public:
  Differ(const Fields& fields, std::string* set, Without* without)
      : fields_(fields), set_(*set), without_(*without) {}

  void Run(absl::string_view before, absl::string_view after) {
    Slots old_slots;
    Slots new_slots;
    old_slots.Parse(fields_, before);
    new_slots.Parse(fields_, after);
    std::set<uint32_t> numbers;
    for (const auto& [slot, raw] : old_slots) numbers.insert(slot);
    for (const auto& [slot, raw] : new_slots) numbers.insert(slot);
    for (const uint32_t slot : numbers) One(slot, old_slots.Get(slot), new_slots.Get(slot));
  }

 private:
  void One(uint32_t slot, absl::string_view before, absl::string_view after) {
    const FieldRule* rule = fields_.Find(slot);
    switch (rule == nullptr ? LATEST : rule->policy) {
      case SUM:
        return Sum(*rule, before, after);
      case ADD_WINS:
        return Members(*rule, before, after);
      case BY_KEY:
        return Elements(*rule, before, after);
      default:
        if (before == after) return;
        if (after.empty() && IsZero(rule)) {
          Zero(*rule);
        } else if (after.empty()) {
          without_.add_cleared(slot);
        } else {
          set_.append(after.data(), after.size());
        }
    }
  }

  // MAX and MIN know no absence where protobuf knows none: zero is a value.
  static bool IsZero(const FieldRule* rule) {
    return rule != nullptr && (rule->policy == MAX || rule->policy == MIN) &&
           !rule->descriptor->has_presence();
  }

  void Zero(const FieldRule& rule) {
    using google::protobuf::FieldDescriptor;
    switch (rule.descriptor->type()) {
      case FieldDescriptor::TYPE_STRING:
      case FieldDescriptor::TYPE_BYTES:
        return wire::AppendBytesField(rule.number, "", &set_);
      case FieldDescriptor::TYPE_FIXED64:
      case FieldDescriptor::TYPE_SFIXED64:
        return wire::AppendFixed64Field(rule.number, 0, &set_);
      case FieldDescriptor::TYPE_FIXED32:
      case FieldDescriptor::TYPE_SFIXED32:
        return wire::AppendFixed32Field(rule.number, 0, &set_);
      default:
        return wire::AppendVarintField(rule.number, 0, &set_);
    }
  }

  static uint64_t Number(const FieldRule& rule, absl::string_view raw) {
    wire::Reader reader(raw);
    wire::Field field;
    uint64_t value = 0;
    while (reader.Next(&field)) value = field.scalar;
    return IsZigZag(rule) ? static_cast<uint64_t>(wire::UnZigZag(value)) : value;
  }

  static bool IsZigZag(const FieldRule& rule) {
    return rule.descriptor->type() == google::protobuf::FieldDescriptor::TYPE_SINT64;
  }

  void Sum(const FieldRule& rule, absl::string_view before, absl::string_view after) {
    const uint64_t addend = Number(rule, after) - Number(rule, before);
    if (addend == 0) return;
    wire::AppendVarintField(
        rule.number, IsZigZag(rule) ? wire::ZigZag(static_cast<int64_t>(addend)) : addend, &set_);
  }

  void Members(const FieldRule& rule, absl::string_view before, absl::string_view after) {
    const auto old_members = MembersOf(before);
    const auto new_members = MembersOf(after);
    for (const absl::string_view member : new_members) {
      if (!std::binary_search(old_members.begin(), old_members.end(), member)) {
        wire::AppendBytesField(rule.number, member, &set_);
      }
    }
    Without::Removed removed;
    for (const absl::string_view member : old_members) {
      if (!std::binary_search(new_members.begin(), new_members.end(), member)) {
        removed.add_elements(std::string(member));
      }
    }
    Remove(rule, std::move(removed));
  }

  void Remove(const FieldRule& rule, Without::Removed removed) {
    if (removed.elements().empty()) return;
    removed.set_field(rule.number);
    *without_.add_removed() = std::move(removed);
  }

  void Elements(const FieldRule& rule, absl::string_view before, absl::string_view after) {
    const auto find = [](const std::vector<Element>& elements, const std::string& key) {
      const auto it =
          std::lower_bound(elements.begin(), elements.end(), key,
                           [](const Element& e, const std::string& k) { return e.key < k; });
      return it != elements.end() && it->key == key ? &*it : nullptr;
    };
    const auto old_elements = ElementsOf(rule, before);
    const auto new_elements = ElementsOf(rule, after);
    for (const Element& element : new_elements) {
      const Element* old_element = find(old_elements, element.key);
      OneElement(rule, element.key,
                 old_element == nullptr ? absl::string_view() : old_element->body, element.body,
                 old_element == nullptr);
    }
    Without::Removed removed;
    for (const Element& element : old_elements) {
      if (find(new_elements, element.key) == nullptr) removed.add_elements(element.key);
    }
    Remove(rule, std::move(removed));
  }

  void OneElement(const FieldRule& rule, const std::string& key, absl::string_view before,
                  absl::string_view after, bool created) {
    std::string set;
    Without nested;
    Differ(*rule.element, &set, &nested).Run(before, after);
    const bool takes = nested.ByteSizeLong() > 0;
    if (set.empty() && !takes && !created) return;
    wire::AppendBytesField(rule.number, WithKey(rule, set, after), &set_);
    if (!takes && !created) return;
    auto* entry = without_.add_nested();
    entry->set_field(rule.number);
    entry->set_key(key);
    entry->set_created(created);
    if (takes) *entry->mutable_without() = std::move(nested);
  }

  // What changed in an element always names it.
  static std::string WithKey(const FieldRule& rule, absl::string_view set,
                             absl::string_view element) {
    Slots slots;
    Slots whole;
    slots.Parse(*rule.element, set);
    whole.Parse(*rule.element, element);
    slots.Set(rule.key_number, whole.Get(rule.key_number));
    return slots.Join();
  }

  const Fields& fields_;
  std::string& set_;
  Without& without_;
};

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

bool Diff(const RecordType& type, absl::string_view before, absl::string_view after,
          Change* change) {
  // What is stored may be from before anybody asked for one spelling.
  const std::string was = Canonical(type.fields, before);
  Differ(type.fields, change->mutable_set(), change->mutable_without()).Run(was, after);
  Marks marks;
  marks.Gather(type.fields, change->set(), change->without());
  marks.Write(change);
  const bool takes = change->without().ByteSizeLong() > 0;
  if (!takes) change->clear_without();
  return takes || !change->set().empty();
}

}  // namespace zhibu
