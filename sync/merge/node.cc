#include "sync/merge/node.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "sync/base/reason.h"
#include "sync/wire/canonical.h"
#include "sync/wire/scalar.h"
#include "sync/wire/value.h"

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
    if (auto status = Take(slot, raw, without); !status.ok()) return status;
  }
  for (const uint32_t number : without.cleared()) {
    if (auto status = Clear(fields_.SlotOf(number)); !status.ok()) return status;
  }
  for (const auto& removed : without.removed()) {
    if (auto status = Remove(removed); !status.ok()) return status;
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

// A field that is empty and that nobody emptied has never been written.
Touch Node::TouchOf(uint32_t slot) {
  if (const FieldTrace* field = FindTrace(slot)) return Read(field->touch());
  return value_.Get(slot).empty() ? Touch() : Read(trace_->rest());
}

// A thing that is being made: `rest` speaks for what is put into the slot, and
// an entry of its own would be taken away again by Unpin.
bool Node::RestSpeaksFor(uint32_t slot) { return made_now_ && FindTrace(slot) == nullptr; }

absl::Status Node::Take(uint32_t slot, absl::string_view raw, const Without& without) {
  const FieldRule* rule = fields_.Find(slot);
  switch (rule == nullptr ? LATEST : rule->policy) {
    case ASK:
      return Ask(slot, *rule, raw);
    case FIRST:
      return First(slot, *rule, raw);
    case SUM:
      Put(slot, value_.Own(SumField(*rule, value_.Get(slot), raw)));
      return absl::OkStatus();
    case MAX:
    case MIN:
      return Extreme(slot, *rule, raw);
    case ADD_WINS:
      return AddMembers(slot, *rule, raw);
    case BY_KEY:
      return MergeElements(slot, *rule, raw, without);
    case FORWARD:
      return Step(slot, *rule, raw);
    case SERVER:
      if (author_.device != kServerDevice) {
        return Refuse(sync::v1::SERVER_ONLY, PathTo(slot, rule));
      }
      Put(slot, raw);
      return absl::OkStatus();
    default:
      Latest(slot, rule, raw);
      return absl::OkStatus();
  }
}

absl::Status Node::Clear(uint32_t slot) {
  const FieldRule* rule = fields_.Find(slot);
  switch (rule == nullptr ? LATEST : rule->policy) {
    case LATEST:
      Latest(slot, rule, {});
      return absl::OkStatus();
    case ASK:
      return Ask(slot, *rule, {});
    case FIRST:
    case FORWARD:
      if (value_.Get(slot).empty()) return absl::OkStatus();
      if (mode_ == Mode::kSeen) {
        return Refuse(
            rule->policy == FIRST ? sync::v1::ALREADY_WRITTEN : sync::v1::STEP_NOT_ALLOWED,
            PathTo(slot, rule));
      }
      Put(slot, {});
      return absl::OkStatus();
    case MAX:
    case MIN:
      return Refuse(sync::v1::BAD_VALUE, PathTo(slot, rule));
    case SERVER:
      if (author_.device != kServerDevice) {
        return Refuse(sync::v1::SERVER_ONLY, PathTo(slot, rule));
      }
      Put(slot, {});
      return absl::OkStatus();
    default:
      return Refuse(sync::v1::MALFORMED, PathTo(slot, rule));
  }
}

absl::Status Node::Remove(const Without::Removed& removed) {
  const FieldRule* rule = fields_.Find(removed.field());
  if (rule == nullptr) return Refuse(sync::v1::UNKNOWN_FIELD, PathTo(removed.field(), rule));
  if (rule->policy == ADD_WINS) return RemoveMembers(*rule, removed);
  if (rule->policy == BY_KEY) return RemoveElements(*rule, removed);
  return Refuse(sync::v1::MALFORMED, PathTo(removed.field(), rule));
}

void Node::Put(uint32_t slot, absl::string_view raw) {
  // A value from the change lives as long as the merge; one made here is owned.
  value_.Set(slot, raw);
  if (!raw.empty() && RestSpeaksFor(slot)) return;
  Write(author_.touch, TraceOf(slot).mutable_touch());
}

void Node::Latest(uint32_t slot, const FieldRule* rule, absl::string_view raw) {
  const Touch current = TouchOf(slot);
  const absl::string_view value = value_.Get(slot);
  const bool later = author_.Beats(current);
  if (!author_.Saw(current) && value != raw) {
    Conflict& conflict = outcome_.conflicts.emplace_back();
    conflict.path = PathTo(slot, rule);
    conflict.rule = rule;
    conflict.kept = std::string(later ? raw : value);
    conflict.lost = std::string(later ? value : raw);
    conflict.kept_touch = later ? author_.touch : current;
    conflict.lost_touch = later ? current : author_.touch;
  }
  if (author_.Saw(current) || later) Put(slot, raw);
}

// The field holds the earliest of the writes that nobody has settled.
absl::Status Node::Ask(uint32_t slot, const FieldRule& rule, absl::string_view raw) {
  const Touch current = TouchOf(slot);
  FieldTrace& trace = TraceOf(slot);
  auto& open = *trace.mutable_candidates();
  if (open.empty() && current.version.value != 0) {
    auto* candidate = open.Add();
    Write(current, candidate->mutable_touch());
    candidate->set_value(std::string(value_.Get(slot)));
  }
  const bool were_open = open.size() > 1;
  auto kept = open.begin();
  for (auto it = open.begin(); it != open.end(); ++it) {
    if (author_.Saw(Read(it->touch()))) {
      if (were_open) outcome_.settled.push_back({PathTo(slot, &rule), Read(it->touch())});
      continue;
    }
    if (kept != it) kept->Swap(&*it);
    ++kept;
  }
  open.erase(kept, open.end());
  auto* mine = open.Add();
  Write(author_.touch, mine->mutable_touch());
  mine->set_value(std::string(raw));
  std::sort(open.begin(), open.end(),
            [](const auto& a, const auto& b) { return Later(Read(b.touch()), Read(a.touch())); });
  const auto& holder = open[0];
  for (int i = 1; i < open.size(); ++i) {
    const bool news =
        Read(open[i].touch()) == author_.touch || Read(holder.touch()) == author_.touch;
    if (!news || open[i].value() == holder.value()) continue;
    Conflict& conflict = outcome_.conflicts.emplace_back();
    conflict.kind = Conflict::Kind::kOpenQuestion;
    conflict.path = PathTo(slot, &rule);
    conflict.rule = &rule;
    conflict.kept = holder.value();
    conflict.lost = open[i].value();
    conflict.kept_touch = Read(holder.touch());
    conflict.lost_touch = Read(open[i].touch());
  }
  value_.Set(slot, value_.Own(holder.value()));
  *trace.mutable_touch() = holder.touch();
  if (open.size() == 1) open.Clear();
  return absl::OkStatus();
}

absl::Status Node::First(uint32_t slot, const FieldRule& rule, absl::string_view raw) {
  const absl::string_view value = value_.Get(slot);
  // What stands may be from before anybody asked for one spelling.
  if (value == raw || Canonical(fields_, value) == raw) return absl::OkStatus();
  if (!value.empty() && mode_ == Mode::kSeen) {
    return Refuse(sync::v1::ALREADY_WRITTEN, PathTo(slot, &rule));
  }
  Put(slot, raw);
  return absl::OkStatus();
}

absl::Status Node::Extreme(uint32_t slot, const FieldRule& rule, absl::string_view raw) {
  const absl::string_view value = value_.Get(slot);
  const Scalar ours = ScalarOf(rule, raw);
  const Scalar theirs = ScalarOf(rule, value);
  const bool written = !value.empty() || TouchOf(slot) != Touch();
  if (written && !(rule.policy == MAX ? theirs < ours : ours < theirs)) return absl::OkStatus();
  // Zero is kept as protobuf keeps it: by the field's absence.
  const bool zero = !ours.is_nonzero() && !rule.descriptor->has_presence();
  Put(slot, zero ? absl::string_view() : raw);
  return absl::OkStatus();
}

absl::Status Node::Step(uint32_t slot, const FieldRule& rule, absl::string_view raw) {
  const int from = EnumOf(rule, value_.Get(slot));
  const int to = EnumOf(rule, raw);
  if (from == to) return absl::OkStatus();
  if (!rule.steps.contains({from, to}) && mode_ == Mode::kSeen) {
    const auto name = [&](int number) {
      const auto* value = rule.descriptor->enum_type()->FindValueByNumber(number);
      return value == nullptr ? absl::StrCat(number) : std::string(value->name());
    };
    return Refuse(sync::v1::STEP_NOT_ALLOWED,
                  absl::StrCat(PathTo(slot, &rule), ": ", name(from), " → ", name(to)));
  }
  Put(slot, raw);
  return absl::OkStatus();
}

std::string Node::PathTo(uint32_t slot, const FieldRule* rule) const {
  return absl::StrCat(path_, path_.empty() ? "" : ".",
                      rule == nullptr ? absl::StrCat(slot) : rule->descriptor->name());
}

}  // namespace zhibu::merging
