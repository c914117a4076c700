#include "sync/merge/audience.h"

#include <algorithm>
#include <string>

#include "sync/merge/frontier.h"
#include "sync/wire/wire.h"
#include "zhibu/sync/v1/trace.pb.h"

namespace zhibu {
namespace {

template <typename Fits>
uint64_t Restricted(const RecordType& type, const Fits& fits) {
  uint64_t set = 0;
  for (size_t i = 0; i < type.restricted.size(); ++i) {
    if (fits(*type.restricted[i])) set |= uint64_t{1} << i;
  }
  return set;
}

bool Has(absl::string_view body, uint32_t number) {
  wire::Reader reader(body);
  wire::Field field;
  while (reader.Next(&field)) {
    if (field.number == number) return true;
  }
  return false;
}

// Without the hosts, as long as they are not shown the field.
Eyes AsShown(const FieldRule& rule, Eyes eyes, HostSight at_host) {
  if (at_host != HOST_SEES_ALL && !rule.shown_when_asked) eyes.as_host = 0;
  return eyes;
}

// What is taken out of one record.
class Redaction {
 public:
  Redaction(const RecordType& type, uint64_t hidden) : type_(type), hidden_(hidden) {}

  std::string Body(absl::string_view body) const {
    std::string left;
    wire::Reader reader(body);
    wire::Field field;
    while (reader.Next(&field)) {
      if (!Hides(field.number)) left.append(field.whole.data(), field.whole.size());
    }
    return left;
  }

  // `touch` becomes that of the last change that is left.
  void Trace(sync::v1::Touch* touch, sync::v1::Trace* trace) const {
    auto* fields = trace->mutable_fields();
    fields->erase(std::remove_if(fields->begin(), fields->end(),
                                 [&](const auto& one) { return Hides(one.field()); }),
                  fields->end());
    const sync::v1::Touch record = *touch;
    if (!trace->has_rest()) *trace->mutable_rest() = record;
    *touch = trace->rest();
    for (auto& field : *fields) {
      if (!field.has_touch()) *field.mutable_touch() = record;
      NoteLater(field.touch(), touch);
      for (const auto& element : field.elements()) {
        if (element.has_touch()) NoteLater(element.touch(), touch);
        for (const auto& tag : element.frontier()) NoteLater(tag, record, touch);
      }
    }
    for (auto& field : *fields) {
      if (Same(field.touch(), *touch)) field.clear_touch();
    }
    if (Same(trace->rest(), *touch)) trace->clear_rest();
    // Whose changes keep it alive tells of those that are hidden, too.
    trace->clear_frontier();
    trace->clear_deleted();
    for (auto& life : *trace->mutable_former_lives()) {
      life.set_body(Body(life.body()));
      Trace(life.mutable_touch(), life.mutable_trace());
    }
  }

 private:
  static bool Same(const sync::v1::Touch& a, const sync::v1::Touch& b) {
    return a.version() == b.version() && a.writer() == b.writer() && a.stamp() == b.stamp();
  }
  static void NoteLater(const sync::v1::Touch& touch, sync::v1::Touch* last) {
    if (touch.version() > last->version()) *last = touch;
  }
  // A tag has no stamp: the record's where it is that change, else the latest that is known.
  static void NoteLater(const sync::v1::Tag& tag, const sync::v1::Touch& record,
                        sync::v1::Touch* last) {
    if (tag.version() <= last->version()) return;
    if (tag.version() == record.version()) {
      *last = record;
      return;
    }
    last->set_version(tag.version());
    last->set_writer(tag.writer());
  }
  bool Hides(uint32_t number) const {
    const FieldRule* rule = type_.fields.Find(number);
    const auto at = std::find(type_.restricted.begin(), type_.restricted.end(), rule);
    return at != type_.restricted.end() && (hidden_ >> (at - type_.restricted.begin()) & 1) != 0;
  }

  const RecordType& type_;
  const uint64_t hidden_;
};

}  // namespace

uint64_t HiddenFrom(const RecordType& type, const Eyes& eyes, HostSight at_host) {
  return Restricted(type, [&](const FieldRule& rule) {
    return !eyes.Meet(AsShown(rule, rule.readers, at_host));
  });
}

uint64_t NotWritableBy(const RecordType& type, const Eyes& eyes, HostSight at_host) {
  return Restricted(type, [&](const FieldRule& rule) {
    return !eyes.Meet(AsShown(rule, rule.writers, at_host));
  });
}

bool Touches(const sync::v1::Change& change, uint32_t field) {
  const sync::v1::Without& without = change.without();
  const auto names = [&](const auto& one) { return one.field() == field; };
  return Has(change.set(), field) ||
         std::count(without.cleared().begin(), without.cleared().end(), field) > 0 ||
         std::any_of(without.removed().begin(), without.removed().end(), names) ||
         std::any_of(without.nested().begin(), without.nested().end(), names);
}

uint64_t WrittenBy(const RecordType& type, const sync::v1::Change& change) {
  return Restricted(type, [&](const FieldRule& rule) { return Touches(change, rule.number); });
}

uint64_t SensitiveIn(const RecordType& type, absl::string_view body) {
  return Restricted(
      type, [&](const FieldRule& rule) { return rule.sensitive && Has(body, rule.number); });
}

void Redact(const RecordType& type, uint64_t hidden, RecordState* state) {
  if (hidden == 0) return;
  const Redaction redaction(type, hidden);
  state->body = redaction.Body(state->body);
  if (state->trace.empty()) return;
  sync::v1::Trace trace;
  trace.ParseFromString(state->trace);
  sync::v1::Touch touch;
  merging::Write(state->touch, &touch);
  redaction.Trace(&touch, &trace);
  state->touch = merging::Read(touch);
  state->trace = trace.SerializeAsString();
}

}  // namespace zhibu
