#include "sync/merge/node.h"

#include <algorithm>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "sync/base/reason.h"
#include "sync/base/status.h"
#include "sync/merge/policy.h"

namespace zhibu::merging {

using sync::v1::ElementTrace;
using sync::v1::FieldTrace;
using sync::v1::Trace;
using sync::v1::Without;

absl::Status Node::Merge(absl::string_view set, const Without& without, const Touch& before,
                         std::string* body, Trace* trace) {
  Slots change;
  if (!change.Parse(fields_, set) || !value_.Parse(fields_, *body)) {
    return Refuse(sync::v1::MALFORMED, path_);
  }
  trace_ = trace;
  Pin(before);
  for (const auto& [slot, raw] : change) {
    const FieldRule* rule = fields_.Find(slot);
    RETURN_IF_ERROR(PolicyOf(rule).Take({*this, slot, rule}, raw, without));
  }
  for (const uint32_t number : without.cleared()) {
    const uint32_t slot = fields_.SlotOf(number);
    const FieldRule* rule = fields_.Find(slot);
    RETURN_IF_ERROR(PolicyOf(rule).Clear({*this, slot, rule}));
  }
  for (const auto& removed : without.removed()) {
    RETURN_IF_ERROR(Remove(removed));
  }
  std::string merged = value_.Join();
  *body = std::move(merged);
  Unpin();
  return absl::OkStatus();
}

void Node::Pin(const Touch& before) {
  if (!trace_->has_rest()) Write(before, trace_->mutable_rest());
  for (FieldTrace& field : *trace_->mutable_fields()) {
    if (!field.has_touch()) Write(before, field.mutable_touch());
  }
  made_now_ = Read(trace_->rest()) == author_.touch;
}

void Node::Unpin() {
  const Touch rest = Read(trace_->rest());
  for (FieldTrace& field : *trace_->mutable_fields()) {
    if (Read(field.touch()) == author_.touch) field.clear_touch();
    auto& elements = *field.mutable_elements();
    elements.erase(std::remove_if(elements.begin(), elements.end(),
                                  [&](const ElementTrace& element) {
                                    return Is(element.frontier(), rest) && !element.has_trace() &&
                                           (!element.has_touch() || Read(element.touch()) == rest);
                                  }),
                   elements.end());
  }
  auto* fields = trace_->mutable_fields();
  // A field that `rest` speaks for as well needs no entry.
  fields->erase(
      std::remove_if(fields->begin(), fields->end(),
                     [&](const FieldTrace& field) {
                       const Touch touch = field.has_touch() ? Read(field.touch()) : author_.touch;
                       return touch == rest && field.elements().empty() &&
                              field.candidates().empty() && !value_.Get(field.field()).empty();
                     }),
      fields->end());
  if (rest == author_.touch) trace_->clear_rest();
}

FieldTrace* Node::FindTrace(uint32_t slot) {
  for (FieldTrace& field : *trace_->mutable_fields()) {
    if (field.field() == slot) return &field;
  }
  return nullptr;
}

FieldTrace& Node::TraceOf(uint32_t slot) {
  auto& fields = *trace_->mutable_fields();
  const auto it = std::lower_bound(fields.begin(), fields.end(), slot,
                                   [](const FieldTrace& f, uint32_t n) { return f.field() < n; });
  if (it != fields.end() && it->field() == slot) return *it;
  const int at = static_cast<int>(it - fields.begin());
  fields.Add()->set_field(slot);
  for (int i = fields.size() - 1; i > at; --i) fields.SwapElements(i, i - 1);
  *fields[at].mutable_touch() = trace_->rest();
  return fields[at];
}

absl::Status Node::Remove(const Without::Removed& removed) {
  const FieldRule* rule = fields_.Find(removed.field());
  if (rule == nullptr) return Refuse(sync::v1::UNKNOWN_FIELD, PathTo(removed.field(), rule));
  return PolicyOf(rule).Remove({*this, rule->slot, rule}, removed);
}

std::string Node::PathTo(uint32_t slot, const FieldRule* rule) const {
  return absl::StrCat(path_, path_.empty() ? "" : ".",
                      rule == nullptr ? absl::StrCat(slot) : rule->descriptor->name());
}

// ---- One field ----------------------------------------------------------------------

static std::string KeyName(const FieldRule& rule, absl::string_view key) {
  using google::protobuf::FieldDescriptor;
  const FieldDescriptor& field = *rule.element->Find(rule.key_number)->descriptor;
  // A path is text.
  if (field.type() == FieldDescriptor::TYPE_BYTES) return absl::BytesToHexString(key);
  if (field.cpp_type() == FieldDescriptor::CPPTYPE_STRING) return std::string(key);
  uint64_t number = 0;
  for (const char c : key) number = (number << 8) | static_cast<uint8_t>(c);
  return absl::StrCat(number);
}

std::string FieldIn::PathTo(absl::string_view key) const {
  return absl::StrCat(path(), "[", KeyName(*rule, key), "]");
}

Touch FieldIn::touch() const {
  if (const FieldTrace* trace = node.FindTrace(slot)) return Read(trace->touch());
  return value().empty() ? Touch() : Read(node.trace_->rest());
}

void FieldIn::Put(absl::string_view raw) const {
  Set(raw);
  if (!raw.empty() && RestSpeaksFor()) return;
  Write(author().touch, trace().mutable_touch());
}

ElementTrace& FieldIn::ElementOf(FieldTrace* trace, absl::string_view key, bool there) const {
  auto& elements = *trace->mutable_elements();
  const auto it =
      std::lower_bound(elements.begin(), elements.end(), key,
                       [](const ElementTrace& e, absl::string_view k) { return e.key() < k; });
  if (it != elements.end() && it->key() == key) return *it;
  const int at = static_cast<int>(it - elements.begin());
  elements.Add()->set_key(std::string(key));
  for (int i = elements.size() - 1; i > at; --i) elements.SwapElements(i, i - 1);
  if (there) {
    *elements[at].mutable_touch() = node.trace_->rest();
    Add(Read(node.trace_->rest()), elements[at].mutable_frontier());
  }
  return elements[at];
}

}  // namespace zhibu::merging
