#include "sync/merge.h"

#include <algorithm>
#include <optional>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "sync/reason.h"
#include "sync/slots.h"
#include "sync/wire.h"
#include "zhibu/sync/v1/trace.pb.h"

namespace zhibu {
namespace {

using google::protobuf::RepeatedPtrField;
using sync::v1::Change;
using sync::v1::ElementTrace;
using sync::v1::FieldTrace;
using sync::v1::Tag;
using sync::v1::Trace;
using sync::v1::Without;

Touch Read(const sync::v1::Touch& proto) {
  return {Version(proto.version()), DeviceNumber(proto.writer()), Stamp(proto.stamp())};
}

void Write(const Touch& touch, sync::v1::Touch* proto) {
  proto->set_version(touch.version.value);
  proto->set_writer(touch.writer.value);
  proto->set_stamp(touch.stamp.value);
}

bool Later(const Touch& a, const Touch& b) {
  return std::pair(a.stamp, a.writer) > std::pair(b.stamp, b.writer);
}

// The last step of every change: it replaces what its author had seen.
struct Author {
  DeviceNumber device;
  Version base;
  Touch touch;

  bool Saw(const Touch& t) const { return !t.ConcurrentWith(device, base); }
  // Of a Tag, or of a Touch in the trace: by where and whose it was.
  template <typename Proto>
  bool Saw(const Proto& tag) const {
    return tag.writer() == device.value || tag.version() <= base.value;
  }
};

void Prune(const Author& author, RepeatedPtrField<Tag>* frontier) {
  frontier->erase(std::remove_if(frontier->begin(), frontier->end(),
                                 [&](const Tag& tag) { return author.Saw(tag); }),
                  frontier->end());
}

void Add(const Touch& touch, RepeatedPtrField<Tag>* frontier) {
  Tag* tag = frontier->Add();
  tag->set_version(touch.version.value);
  tag->set_writer(touch.writer.value);
}

bool Is(const RepeatedPtrField<Tag>& frontier, const Touch& touch) {
  return frontier.size() == 1 && frontier[0].version() == touch.version.value &&
         frontier[0].writer() == touch.writer.value;
}

// A scalar as MAX, MIN and FORWARD compare it.
struct Scalar {
  bool is_signed = false;
  uint64_t number = 0;
  int32_t nanos = 0;
  absl::string_view text;

  bool is_nonzero() const { return number != 0 || nanos != 0 || !text.empty(); }

  friend bool operator<(const Scalar& a, const Scalar& b) {
    if (a.text != b.text) return a.text < b.text;
    if (a.number != b.number) {
      return a.is_signed ? static_cast<int64_t>(a.number) < static_cast<int64_t>(b.number)
                         : a.number < b.number;
    }
    return a.nanos < b.nanos;
  }
};

Scalar ScalarOf(const FieldRule& rule, absl::string_view raw) {
  using google::protobuf::FieldDescriptor;
  Scalar scalar;
  wire::Reader reader(raw);
  wire::Field field;
  while (reader.Next(&field)) {
    scalar.number = field.scalar;
    scalar.text = field.payload;
  }
  switch (rule.descriptor->type()) {
    case FieldDescriptor::TYPE_SINT32:
    case FieldDescriptor::TYPE_SINT64:
      scalar.number = static_cast<uint64_t>(wire::UnZigZag(scalar.number));
      scalar.is_signed = true;
      break;
    case FieldDescriptor::TYPE_SFIXED32:
      scalar.number =
          static_cast<uint64_t>(static_cast<int64_t>(static_cast<int32_t>(scalar.number)));
      scalar.is_signed = true;
      break;
    case FieldDescriptor::TYPE_INT32:
    case FieldDescriptor::TYPE_INT64:
    case FieldDescriptor::TYPE_SFIXED64:
      scalar.is_signed = true;
      break;
    case FieldDescriptor::TYPE_MESSAGE: {  // Timestamp
      scalar.is_signed = true;
      wire::Reader parts(scalar.text);
      scalar.number = 0;
      while (parts.Next(&field)) {
        if (field.number == 1) scalar.number = field.scalar;
        if (field.number == 2) scalar.nanos = static_cast<int32_t>(field.scalar);
      }
      scalar.text = {};
      break;
    }
    default:
      break;
  }
  return scalar;
}

std::string SumField(const FieldRule& rule, absl::string_view value, absl::string_view addend) {
  // Two's complement: addition wraps, and so is the same in every order.
  const uint64_t sum = ScalarOf(rule, value).number + ScalarOf(rule, addend).number;
  if (sum == 0) return "";
  const bool zigzag = rule.descriptor->type() == google::protobuf::FieldDescriptor::TYPE_SINT64;
  std::string raw;
  wire::AppendVarintField(rule.number, zigzag ? wire::ZigZag(static_cast<int64_t>(sum)) : sum,
                          &raw);
  return raw;
}

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

// A record, or an element of a BY_KEY field, as the merge works on it.
struct Thing {
  bool exists = false;
  Touch touch;
  std::optional<Touch> end;  // while it is deleted
  std::string body;
  Trace trace;  // its frontier written out
};

enum class Mode {
  kSeen,
  // A former life (see Lives): what is decided by the server's order has been
  // decided in the life that is seen, and is only followed.
  kFormer,
};

// A thing through deletion and re-creation.
//
//   thing = every change but those of lives that are over
//   a life is over = the thing was made anew by someone who had seen all of it
//                    gone, and nobody has changed it who knew of neither
//
// The second line can cease to be true when a late change arrives, so a former
// life is kept as it would stand had it never ended: with all that was done
// since. The late change then finds the two lives in one, as it would have had
// it come before the deletion.
//
// All this is kept in field 0 of the trace, which no message can declare:
//   candidates  changes of the present life that a deletion had seen and no
//               later change; absent while deleted: the thing's touch alone
//   elements    former lives, oldest first: touch, trace and body, `removal`
//               that ended it, in trace.frontier its last changes, in frontier
//               those that made the thing anew
class Lives {
 public:
  Lives(const Fields& fields, const Author& author, Mode mode, std::string path, Thing* thing,
        Outcome* outcome)
      : fields_(fields),
        author_(author),
        mode_(mode),
        path_(std::move(path)),
        thing_(*thing),
        outcome_(*outcome) {}

  // `anew`: the author saw no such thing, so that what there is of it that they
  // know of was gone: by its own deletion, or with what it is a part of.
  absl::Status Change(absl::string_view set, const Without& without, bool anew);
  void Delete();

 private:
  FieldTrace TakePast();
  void KeepPast(FieldTrace past);
  void Rejoin(ElementTrace* former, Touch* before);
  bool IsElement() const { return !path_.empty(); }
  bool SawAll(const FieldTrace& past) const;
  void Bury(FieldTrace* past);
  bool Knew(ElementTrace* former, bool anew) const;
  void KeptFromDeletion(const Touch& kept, const Touch& lost);

  const Fields& fields_;
  const Author& author_;
  const Mode mode_;
  const std::string path_;
  Thing& thing_;
  Outcome& outcome_;
};

// The merge of one message: a record, or an element of a BY_KEY field.
//
// While it works every touch of the trace is written out; Pin and Unpin do and
// undo that, so that a record changed by one edit has an empty trace.
class Node {
 public:
  Node(const Fields& fields, const Author& author, Mode mode, std::string path, Outcome* outcome)
      : fields_(fields), author_(author), mode_(mode), path_(std::move(path)), outcome_(*outcome) {}

  absl::Status Merge(absl::string_view set, const Without& without, const Touch& before,
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

 private:
  void Pin(const Touch& before) {
    if (!trace_->has_rest()) Write(before, trace_->mutable_rest());
    for (FieldTrace& field : *trace_->mutable_fields()) {
      if (!field.has_touch()) Write(before, field.mutable_touch());
    }
  }

  void Unpin() {
    const Touch rest = Read(trace_->rest());
    for (FieldTrace& field : *trace_->mutable_fields()) {
      if (Read(field.touch()) == author_.touch) field.clear_touch();
      auto& elements = *field.mutable_elements();
      elements.erase(
          std::remove_if(elements.begin(), elements.end(),
                         [&](const ElementTrace& element) {
                           return Is(element.frontier(), rest) && !element.has_trace() &&
                                  (!element.has_touch() || Read(element.touch()) == rest);
                         }),
          elements.end());
    }
    auto* fields = trace_->mutable_fields();
    // A field that `rest` speaks for as well needs no entry.
    fields->erase(std::remove_if(fields->begin(), fields->end(),
                                 [&](const FieldTrace& field) {
                                   const Touch touch =
                                       field.has_touch() ? Read(field.touch()) : author_.touch;
                                   return touch == rest && field.elements().empty() &&
                                          field.candidates().empty() &&
                                          !value_.Get(field.field()).empty();
                                 }),
                  fields->end());
    if (rest == author_.touch) trace_->clear_rest();
  }

  std::string PathTo(uint32_t slot, const FieldRule* rule) const {
    return absl::StrCat(path_, path_.empty() ? "" : ".",
                        rule == nullptr ? absl::StrCat(slot) : rule->descriptor->name());
  }

  FieldTrace* FindTrace(uint32_t slot) {
    for (FieldTrace& field : *trace_->mutable_fields()) {
      if (field.field() == slot) return &field;
    }
    return nullptr;
  }

  FieldTrace& TraceOf(uint32_t slot) {
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
  Touch TouchOf(uint32_t slot) {
    if (const FieldTrace* field = FindTrace(slot)) return Read(field->touch());
    return value_.Get(slot).empty() ? Touch() : Read(trace_->rest());
  }

  void Put(uint32_t slot, absl::string_view raw) {
    // A value from the change lives as long as the merge; one made here is owned.
    value_.Set(slot, raw);
    Write(author_.touch, TraceOf(slot).mutable_touch());
  }

  absl::Status Take(uint32_t slot, absl::string_view raw, const Without& without) {
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

  absl::Status Clear(uint32_t slot) {
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

  void Latest(uint32_t slot, const FieldRule* rule, absl::string_view raw) {
    const Touch current = TouchOf(slot);
    const absl::string_view value = value_.Get(slot);
    const bool later = Later(author_.touch, current);
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
  absl::Status Ask(uint32_t slot, const FieldRule& rule, absl::string_view raw) {
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

  absl::Status First(uint32_t slot, const FieldRule& rule, absl::string_view raw) {
    const absl::string_view value = value_.Get(slot);
    if (value == raw) return absl::OkStatus();
    if (!value.empty() && mode_ == Mode::kSeen) {
      return Refuse(sync::v1::ALREADY_WRITTEN, PathTo(slot, &rule));
    }
    Put(slot, raw);
    return absl::OkStatus();
  }

  absl::Status Extreme(uint32_t slot, const FieldRule& rule, absl::string_view raw) {
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

  absl::Status Step(uint32_t slot, const FieldRule& rule, absl::string_view raw) {
    const int from = static_cast<int>(ScalarOf(rule, value_.Get(slot)).number);
    const int to = static_cast<int>(ScalarOf(rule, raw).number);
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

  // The frontier of an element: its own entry, made on first need from `rest`
  // where the element is there.
  ElementTrace& ElementOf(FieldTrace* field, absl::string_view key, bool there) {
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

  void SetMembers(const FieldRule& rule, const std::vector<absl::string_view>& members) {
    std::string raw;
    for (const absl::string_view member : members)
      wire::AppendBytesField(rule.number, member, &raw);
    Put(rule.slot, value_.Own(std::move(raw)));
  }

  absl::Status AddMembers(uint32_t slot, const FieldRule& rule, absl::string_view raw) {
    std::vector<absl::string_view> members = MembersOf(value_.Get(slot));
    const std::vector<absl::string_view> before = members;
    FieldTrace& trace = TraceOf(slot);
    for (const absl::string_view member : MembersOf(raw)) {
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

  absl::Status Remove(const Without::Removed& removed) {
    const FieldRule* rule = fields_.Find(removed.field());
    if (rule == nullptr) return Refuse(sync::v1::UNKNOWN_FIELD, PathTo(removed.field(), rule));
    if (rule->policy == ADD_WINS) return RemoveMembers(*rule, removed);
    if (rule->policy == BY_KEY) return RemoveElements(*rule, removed);
    return Refuse(sync::v1::MALFORMED, PathTo(removed.field(), rule));
  }

  absl::Status RemoveMembers(const FieldRule& rule, const Without::Removed& removed) {
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

  absl::Status MergeElements(uint32_t slot, const FieldRule& rule, absl::string_view raw,
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

  absl::Status RemoveElements(const FieldRule& rule, const Without::Removed& removed) {
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

  static std::vector<Element>::iterator Position(std::vector<Element>* elements,
                                                 absl::string_view key) {
    return std::lower_bound(elements->begin(), elements->end(), key,
                            [](const Element& e, absl::string_view k) { return e.key < k; });
  }

  std::string PathTo(const FieldRule& rule, absl::string_view key) const {
    return absl::StrCat(PathTo(rule.slot, &rule), "[", KeyName(rule, key), "]");
  }

  // An element that is there has its body in the field, one that is gone in its
  // trace.
  static Thing ThingOf(ElementTrace* element, absl::string_view body) {
    Thing thing;
    thing.exists = element->has_touch();
    thing.touch = Read(element->touch());
    if (element->has_removal()) thing.end = Read(element->removal());
    thing.body = thing.end ? std::move(*element->mutable_body()) : std::string(body);
    if (element->has_trace()) thing.trace.Swap(element->mutable_trace());
    thing.trace.mutable_frontier()->Swap(element->mutable_frontier());
    return thing;
  }

  static void Keep(Thing thing, ElementTrace* element) {
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

  void SetElements(const FieldRule& rule, const std::vector<Element>& elements) {
    std::string raw;
    for (const Element& element : elements) wire::AppendBytesField(rule.number, element.body, &raw);
    Put(rule.slot, value_.Own(std::move(raw)));
  }

  const Fields& fields_;
  const Author& author_;
  const Mode mode_;
  const std::string path_;
  Outcome& outcome_;
  Slots value_;
  Trace* trace_ = nullptr;
};

absl::Status Lives::Change(absl::string_view set, const Without& without, bool anew) {
  FieldTrace past = TakePast();
  auto& former = *past.mutable_elements();
  Touch before = thing_.exists ? thing_.touch : author_.touch;
  int known = 0;
  while (known < former.size() && Knew(&former[known], anew)) ++known;
  if (known < former.size()) {
    Rejoin(&former[known], &before);
    former.DeleteSubrange(known, former.size() - known);
  } else if (anew && (thing_.end || IsElement()) && SawAll(past)) {
    Bury(&past);
    before = author_.touch;
  } else if (thing_.end) {
    KeptFromDeletion(author_.touch, *thing_.end);
  }
  Node node(fields_, author_, mode_, path_, &outcome_);
  if (auto status = node.Merge(set, without, before, &thing_.body, &thing_.trace); !status.ok()) {
    return status;
  }
  for (ElementTrace& life : former) {
    Outcome untold;
    Node follower(fields_, author_, Mode::kFormer, path_, &untold);
    if (auto status = follower.Merge(set, without, Read(life.touch()), life.mutable_body(),
                                     life.mutable_trace());
        !status.ok()) {
      return status;
    }
    Write(author_.touch, life.mutable_touch());
  }
  auto& candidates = *past.mutable_candidates();
  candidates.erase(std::remove_if(candidates.begin(), candidates.end(),
                                  [&](const auto& c) { return author_.Saw(c.touch()); }),
                   candidates.end());
  Prune(author_, thing_.trace.mutable_frontier());
  Add(author_.touch, thing_.trace.mutable_frontier());
  thing_.touch = author_.touch;
  thing_.end.reset();
  thing_.exists = true;
  KeepPast(std::move(past));
  return absl::OkStatus();
}

void Lives::Delete() {
  if (!thing_.exists || thing_.end) return;
  FieldTrace past = TakePast();
  for (const Tag& tag : thing_.trace.frontier()) {
    if (!author_.Saw(tag)) continue;
    auto* touch = past.add_candidates()->mutable_touch();
    touch->set_version(tag.version());
    touch->set_writer(tag.writer());
  }
  Prune(author_, thing_.trace.mutable_frontier());
  if (thing_.trace.frontier().empty()) {
    thing_.end = author_.touch;
  } else {
    KeptFromDeletion(thing_.touch, author_.touch);
  }
  KeepPast(std::move(past));
}

FieldTrace Lives::TakePast() {
  FieldTrace past;
  auto& fields = *thing_.trace.mutable_fields();
  if (!fields.empty() && fields[0].field() == 0) {
    past.Swap(&fields[0]);
    fields.DeleteSubrange(0, 1);
  }
  if (thing_.end && past.candidates().empty()) {
    Write(thing_.touch, past.add_candidates()->mutable_touch());
  }
  return past;
}

void Lives::KeepPast(FieldTrace past) {
  const auto& last = past.candidates();
  if (thing_.end && last.size() == 1 && last[0].touch().version() == thing_.touch.version.value &&
      last[0].touch().writer() == thing_.touch.writer.value) {
    past.clear_candidates();
  }
  if (past.candidates().empty() && past.elements().empty()) return;
  auto& fields = *thing_.trace.mutable_fields();
  fields.Add()->Swap(&past);
  for (int i = fields.size() - 1; i > 0; --i) fields.SwapElements(i, i - 1);
}

// Its author knew neither that this life had ended nor that a new one began:
// the two are one.
void Lives::Rejoin(ElementTrace* former, Touch* before) {
  KeptFromDeletion(author_.touch, thing_.end ? *thing_.end : Read(former->removal()));
  *before = Read(former->touch());
  thing_.body = std::move(*former->mutable_body());
  former->mutable_trace()->mutable_frontier()->Swap(thing_.trace.mutable_frontier());
  thing_.trace.Swap(former->mutable_trace());
}

bool Lives::SawAll(const FieldTrace& past) const {
  const auto& frontier = thing_.trace.frontier();
  const auto& last = past.candidates();
  return thing_.exists &&
         std::all_of(frontier.begin(), frontier.end(),
                     [&](const Tag& tag) { return author_.Saw(tag); }) &&
         std::all_of(last.begin(), last.end(),
                     [&](const auto& candidate) { return author_.Saw(candidate.touch()); });
}

void Lives::Bury(FieldTrace* past) {
  ElementTrace& life = *past->add_elements();
  Write(thing_.touch, life.mutable_touch());
  Write(thing_.end ? *thing_.end : author_.touch, life.mutable_removal());
  life.set_body(std::move(thing_.body));
  life.mutable_trace()->Swap(&thing_.trace);
  for (const auto& candidate : past->candidates()) {
    Add(Read(candidate.touch()), life.mutable_trace()->mutable_frontier());
  }
  Add(author_.touch, life.mutable_frontier());
  past->clear_candidates();
  thing_.body.clear();
}

bool Lives::Knew(ElementTrace* former, bool anew) const {
  const auto saw = [&](const Tag& tag) { return author_.Saw(tag); };
  const auto& founders = former->frontier();
  if (std::any_of(founders.begin(), founders.end(), saw)) return true;
  const auto& last = former->trace().frontier();
  if (!anew || !std::all_of(last.begin(), last.end(), saw)) return false;
  Add(author_.touch, former->mutable_frontier());
  return true;
}

void Lives::KeptFromDeletion(const Touch& kept, const Touch& lost) {
  Conflict& conflict = outcome_.conflicts.emplace_back();
  conflict.kind = Conflict::Kind::kKeptFromDeletion;
  conflict.path = path_;
  conflict.kept_touch = kept;
  conflict.lost_touch = lost;
}

const Fields& FieldsOf(const RecordType* type) {
  static const Fields kUnknown;
  return type == nullptr ? kUnknown : type->fields;
}

}  // namespace

absl::Status Apply(const RecordType* type, const Change& change, const Origin& origin,
                   RecordState* state, Outcome* outcome) {
  const Author author{
      origin.device, Version(change.base()), {origin.version, origin.device, origin.stamp}};
  if (!state->exists && change.kind() != Change::CREATE) {
    return Refuse(sync::v1::NO_SUCH_RECORD, type == nullptr ? "" : type->name);
  }
  Thing thing{state->exists, state->touch, state->deletion, state->body, {}};
  if (!thing.trace.ParseFromString(state->trace)) {
    return absl::DataLossError("a record's trace is damaged");
  }
  // A frontier is stored as nothing where it says no more than the touch.
  auto& frontier = *thing.trace.mutable_frontier();
  if (state->alive() && frontier.empty()) Add(thing.touch, &frontier);
  Lives lives(FieldsOf(type), author, Mode::kSeen, "", &thing, outcome);
  if (change.kind() == Change::DELETE) {
    lives.Delete();
  } else if (auto status =
                 lives.Change(change.set(), change.without(), change.kind() == Change::CREATE);
             !status.ok()) {
    return status;
  }
  if (Is(frontier, thing.touch)) frontier.Clear();
  state->exists = thing.exists;
  state->touch = thing.touch;
  state->deletion = thing.end;
  state->body = std::move(thing.body);
  state->trace = thing.trace.SerializeAsString();
  return absl::OkStatus();
}

}  // namespace zhibu
