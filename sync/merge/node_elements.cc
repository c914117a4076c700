// Sets (ADD_WINS), whose elements have a frontier each, and keyed lists (BY_KEY),
// whose elements are things with a life of their own.
#include <algorithm>
#include <iterator>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "sync/merge/node.h"
#include "sync/wire/wire.h"

namespace zhibu::merging {

using sync::v1::ElementTrace;
using sync::v1::FieldTrace;
using sync::v1::Without;

namespace {

std::string KeyName(const FieldRule& rule, absl::string_view key) {
  if (rule.element->Find(rule.key_number)->descriptor->cpp_type() ==
      google::protobuf::FieldDescriptor::CPPTYPE_STRING) {
    return std::string(key);
  }
  uint64_t number = 0;
  for (const char c : key) number = (number << 8) | static_cast<uint8_t>(c);
  return absl::StrCat(number);
}

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

}  // namespace

// The frontier of an element: its own entry, made on first need from `rest`
// where the element is there.
ElementTrace& Node::ElementOf(FieldTrace* field, absl::string_view key, bool there) {
  auto& elements = *field->mutable_elements();
  const auto it =
      std::lower_bound(elements.begin(), elements.end(), key,
                       [](const ElementTrace& e, absl::string_view k) { return e.key() < k; });
  if (it != elements.end() && it->key() == key) return *it;
  const int at = static_cast<int>(it - elements.begin());
  elements.Add()->set_key(std::string(key));
  for (int i = elements.size() - 1; i > at; --i) elements.SwapElements(i, i - 1);
  if (there) {
    *elements[at].mutable_touch() = trace_->rest();
    Add(Read(trace_->rest()), elements[at].mutable_frontier());
  }
  return elements[at];
}

absl::Status Node::AddMembers(uint32_t slot, const FieldRule& rule, absl::string_view raw) {
  std::vector<absl::string_view> members = MembersOf(value_.Get(slot));
  const std::vector<absl::string_view> added = MembersOf(raw);
  if (!added.empty() && RestSpeaksFor(slot)) {
    std::vector<absl::string_view> all;
    std::set_union(members.begin(), members.end(), added.begin(), added.end(),
                   std::back_inserter(all));
    SetMembers(rule, all);
    return absl::OkStatus();
  }
  FieldTrace& trace = TraceOf(slot);
  for (const absl::string_view member : added) {
    const auto it = std::lower_bound(members.begin(), members.end(), member);
    const bool there = it != members.end() && *it == member;
    if (!there) members.insert(it, member);
    ElementTrace& element = ElementOf(&trace, member, there);
    element.clear_touch();
    Prune(author_, element.mutable_frontier());
    Add(author_.touch, element.mutable_frontier());
  }
  SetMembers(rule, members);
  return absl::OkStatus();
}

absl::Status Node::RemoveMembers(const FieldRule& rule, const Without::Removed& removed) {
  std::vector<absl::string_view> members = MembersOf(value_.Get(rule.slot));
  FieldTrace& trace = TraceOf(rule.slot);
  for (const std::string& member : removed.elements()) {
    const auto it = std::lower_bound(members.begin(), members.end(), absl::string_view(member));
    if (it == members.end() || *it != member) continue;
    ElementTrace& element = ElementOf(&trace, member, true);
    element.clear_touch();
    Prune(author_, element.mutable_frontier());
    if (!element.frontier().empty()) continue;  // somebody added it unseen: it stays
    members.erase(it);
    auto& elements = *trace.mutable_elements();
    elements.erase(std::find_if(elements.begin(), elements.end(),
                                [&](const ElementTrace& e) { return e.key() == member; }));
  }
  SetMembers(rule, members);
  return absl::OkStatus();
}

void Node::SetMembers(const FieldRule& rule, const std::vector<absl::string_view>& members) {
  std::string raw;
  for (const absl::string_view member : members) wire::AppendBytesField(rule.number, member, &raw);
  Put(rule.slot, value_.Own(std::move(raw)));
}

absl::Status Node::MergeElements(uint32_t slot, const FieldRule& rule, absl::string_view raw,
                                 const Without& without) {
  std::vector<Element> elements = ElementsOf(rule, value_.Get(slot));
  FieldTrace& trace = TraceOf(slot);
  static const Without kNothing;
  const NestedByKey nested_by_key = NestedOf(without, rule.number);
  for (const Element& change : ElementsOf(rule, raw)) {
    const auto it = Position(&elements, change.key);
    const bool there = it != elements.end() && it->key == change.key;
    const auto found = nested_by_key.find(change.key);
    const Without::Nested* nested = found == nested_by_key.end() ? nullptr : found->second;
    ElementTrace& element = ElementOf(&trace, change.key, there);
    Thing thing = ThingOf(&element, there ? it->body : absl::string_view());
    Lives lives(*rule.element, author_, mode_, PathTo(rule, change.key), &thing, &outcome_);
    if (auto status = lives.Change(change.body, nested == nullptr ? kNothing : nested->without(),
                                   nested != nullptr && nested->created());
        !status.ok()) {
      return status;
    }
    const absl::string_view body = value_.Own(std::move(thing.body));
    Keep(std::move(thing), &element);
    if (there) {
      it->body = body;
    } else {
      elements.insert(it, {change.key, body});
    }
  }
  SetElements(rule, elements);
  return absl::OkStatus();
}

absl::Status Node::RemoveElements(const FieldRule& rule, const Without::Removed& removed) {
  std::vector<Element> elements = ElementsOf(rule, value_.Get(rule.slot));
  FieldTrace& trace = TraceOf(rule.slot);
  for (const std::string& key : removed.elements()) {
    const auto it = Position(&elements, key);
    if (it == elements.end() || it->key != key) continue;
    ElementTrace& element = ElementOf(&trace, key, true);
    Thing thing = ThingOf(&element, it->body);
    Lives(*rule.element, author_, mode_, PathTo(rule, key), &thing, &outcome_).Delete();
    if (thing.end) elements.erase(it);
    Keep(std::move(thing), &element);
  }
  SetElements(rule, elements);
  return absl::OkStatus();
}

void Node::SetElements(const FieldRule& rule, const std::vector<Element>& elements) {
  std::string raw;
  for (const Element& element : elements) wire::AppendBytesField(rule.number, element.body, &raw);
  Put(rule.slot, value_.Own(std::move(raw)));
}

std::string Node::PathTo(const FieldRule& rule, absl::string_view key) const {
  return absl::StrCat(PathTo(rule.slot, &rule), "[", KeyName(rule, key), "]");
}

}  // namespace zhibu::merging
