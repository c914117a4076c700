// BY_KEY: a keyed list, whose elements are things with a life of their own (sync/merge/lives.h),
// each of their fields by its own policy.
#include <algorithm>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "sync/base/status.h"
#include "sync/merge/diff.h"
#include "sync/merge/policy.h"
#include "sync/wire/slots.h"
#include "sync/wire/wire.h"

namespace zhibu::merging {
namespace {

using sync::v1::Without;

using sync::v1::ElementTrace;
using sync::v1::FieldTrace;

// What a change takes away from the elements of one field, by key.
using NestedByKey = absl::flat_hash_map<absl::string_view, const Without::Nested*>;

NestedByKey NestedOf(const Without& without, uint32_t field) {
  NestedByKey by_key;
  for (const auto& nested : without.nested()) {
    if (nested.field() == field) by_key.try_emplace(nested.key(), &nested);
  }
  return by_key;
}

std::vector<Element>::iterator Position(std::vector<Element>* elements, absl::string_view key) {
  return std::lower_bound(elements->begin(), elements->end(), key,
                          [](const Element& e, absl::string_view k) { return e.key < k; });
}

// An element that is there has its body in the field, one that is gone in its
// trace.
Thing ThingOf(ElementTrace* element, absl::string_view body) {
  Thing thing;
  thing.exists = element->has_touch();
  thing.touch = Read(element->touch());
  if (element->has_removal()) thing.end = Read(element->removal());
  thing.body = thing.end ? std::move(*element->mutable_body()) : std::string(body);
  if (element->has_trace()) thing.trace.Swap(element->mutable_trace());
  thing.trace.mutable_frontier()->Swap(element->mutable_frontier());
  return thing;
}

void Keep(Thing thing, ElementTrace* element) {
  Write(thing.touch, element->mutable_touch());
  element->clear_removal();
  element->clear_body();
  if (thing.end) {
    Write(*thing.end, element->mutable_removal());
    element->set_body(std::move(thing.body));
  }
  element->mutable_frontier()->Swap(thing.trace.mutable_frontier());
  thing.trace.clear_frontier();
  element->clear_trace();
  if (thing.trace.ByteSizeLong() > 0) element->mutable_trace()->Swap(&thing.trace);
}

class ByKey final : public MergePolicy {
 public:
  absl::Status Take(const FieldIn& field, absl::string_view raw,
                    const Without& without) const override {
    const FieldRule& rule = *field.rule;
    std::vector<Element> elements = ElementsOf(rule, field.value());
    FieldTrace& trace = field.trace();
    const NestedByKey nested_by_key = NestedOf(without, rule.number);
    std::vector<Element> fresh;  // ascending, as what is taken is
    for (const Element& change : ElementsOf(rule, raw)) {
      const auto found = nested_by_key.find(change.key);
      RETURN_IF_ERROR(TakeElement(field, change,
                                  found == nested_by_key.end() ? nullptr : found->second, &trace,
                                  &elements, &fresh));
    }
    std::vector<Element> all;
    std::merge(std::make_move_iterator(elements.begin()), std::make_move_iterator(elements.end()),
               std::make_move_iterator(fresh.begin()), std::make_move_iterator(fresh.end()),
               std::back_inserter(all),
               [](const Element& a, const Element& b) { return a.key < b.key; });
    PutElements(field, all);
    return absl::OkStatus();
  }

  absl::Status Remove(const FieldIn& field, const Without::Removed& removed) const override {
    std::vector<Element> elements = ElementsOf(*field.rule, field.value());
    FieldTrace& trace = field.trace();
    for (const std::string& key : removed.elements()) {
      const auto it = Position(&elements, key);
      if (it == elements.end() || it->key != key) continue;
      ElementTrace& element = field.ElementOf(&trace, key, true);
      Thing thing = ThingOf(&element, it->body);
      field.LivesOf(key, &thing).Delete();
      if (thing.end) elements.erase(it);
      Keep(std::move(thing), &element);
    }
    PutElements(field, elements);
    return absl::OkStatus();
  }

  void Diff(uint32_t, const FieldRule* rule, absl::string_view before, absl::string_view after,
            Difference difference) const override {
    auto old_elements = ElementsOf(*rule, before);
    auto new_elements = ElementsOf(*rule, after);
    const auto find = [](std::vector<Element>& elements, const std::string& key) {
      const auto it = Position(&elements, key);
      return it != elements.end() && it->key == key ? &*it : nullptr;
    };
    for (const Element& element : new_elements) {
      const Element* old_element = find(old_elements, element.key);
      DiffElement(*rule, old_element, element, difference);
    }
    Without::Removed removed;
    for (const Element& element : old_elements) {
      if (find(new_elements, element.key) == nullptr) removed.add_elements(element.key);
    }
    DiffRemoved(*rule, std::move(removed), difference);
  }

 private:
  // Into `elements`; where there is none with its key, behind those that are `fresh`.
  static absl::Status TakeElement(const FieldIn& field, const Element& change,
                                  const Without::Nested* nested, FieldTrace* trace,
                                  std::vector<Element>* elements, std::vector<Element>* fresh) {
    static const Without kNothing;
    const auto it = Position(elements, change.key);
    const bool there = it != elements->end() && it->key == change.key;
    ElementTrace& element = field.ElementOf(trace, change.key, there);
    Thing thing = ThingOf(&element, there ? it->body : absl::string_view());
    RETURN_IF_ERROR(field.LivesOf(change.key, &thing)
                        .Change(change.body, nested == nullptr ? kNothing : nested->without(),
                                nested != nullptr && nested->created()));
    const absl::string_view body = field.Own(std::move(thing.body));
    Keep(std::move(thing), &element);
    if (there) {
      it->body = body;
    } else {
      fresh->push_back({change.key, body});
    }
    return absl::OkStatus();
  }

  static void PutElements(const FieldIn& field, const std::vector<Element>& elements) {
    std::string raw;
    for (const Element& element : elements) {
      wire::AppendBytesField(field.rule->number, element.body, &raw);
    }
    field.Put(field.Own(std::move(raw)));
  }

  // `was`: null where the element is new.
  static void DiffElement(const FieldRule& rule, const Element* was, const Element& is,
                          Difference difference) {
    std::string set;
    Without nested;
    DiffFields(*rule.element, was == nullptr ? absl::string_view() : was->body, is.body,
               {set, nested});
    const bool takes = nested.ByteSizeLong() > 0;
    if (set.empty() && !takes && was != nullptr) return;
    wire::AppendBytesField(rule.number, WithKey(rule, set, is.body), &difference.set);
    if (!takes && was != nullptr) return;
    auto* entry = difference.without.add_nested();
    entry->set_field(rule.number);
    entry->set_key(is.key);
    entry->set_created(was == nullptr);
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
};

}  // namespace

const MergePolicy& ByKeyPolicy() {
  static const ByKey kPolicy;
  return kPolicy;
}

}  // namespace zhibu::merging
