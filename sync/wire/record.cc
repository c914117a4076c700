#include "sync/wire/record.h"

#include <google/protobuf/dynamic_message.h>
#include <google/protobuf/util/json_util.h>
#include <sodium.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <set>
#include <tuple>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "absl/time/civil_time.h"
#include "sync/base/date.h"
#include "sync/base/environment.h"
#include "sync/base/reason.h"
#include "sync/base/status.h"
#include "sync/wire/canonical.h"
#include "sync/wire/contact.h"
#include "sync/wire/slots.h"
#include "sync/wire/value.h"
#include "sync/wire/wire.h"

namespace zhibu {
namespace {

using google::protobuf::Message;
using sync::v1::Change;
using sync::v1::Without;

// So deep may a change take things away, as elements nest (sync/wire/canonical.cc).
constexpr int kDepthMax = 16;

// An empty message of a type, also of one that this build was not compiled with.
class Blank {
 public:
  explicit Blank(const google::protobuf::Descriptor* descriptor) {
    const auto* generated = google::protobuf::DescriptorPool::generated_pool();
    google::protobuf::MessageFactory* factory =
        google::protobuf::MessageFactory::generated_factory();
    if (descriptor->file()->pool() != generated) factory = &dynamic_.emplace();
    message_.reset(factory->GetPrototype(descriptor)->New());
  }
  Message* operator->() { return message_.get(); }
  Message& operator*() { return *message_; }

 private:
  std::optional<google::protobuf::DynamicMessageFactory> dynamic_;
  std::unique_ptr<Message> message_;  // goes before its factory
};

// Of a date or a month.
bool HasFormat(Format format, absl::string_view text) {
  constexpr size_t kMonthBytes = 7;
  const bool is_month = format == MONTH || (format == DAY_OR_MONTH && text.size() == kMonthBytes);
  const std::string date = is_month ? absl::StrCat(text, "-01") : std::string(text);
  absl::CivilDay day;
  return absl::ParseCivilTime(date, &day) && date.size() == 10 &&
         absl::FormatCivilTime(day) == date;  // no blanks, no short month
}

const char* PatternOf(Format format) {
  if (format == MONTH) return "2026-01";
  return format == DATE ? "2026-01-31" : "2026-01-31 / 2026-01";
}

std::string NameOf(const FieldRule& rule) { return std::string(rule.descriptor->name()); }

// Days of which records do not tell are not said anew; one that stands is nobody's fault now.
absl::Status CheckDays(const RecordType& type, absl::string_view set) {
  absl::Status status;
  for (const FieldRule& rule : type.fields.rules()) {
    if (rule.format != DATE && rule.format != MONTH && rule.format != DAY_OR_MONTH) continue;
    ForEachPayload(*rule.descriptor, set, [&](absl::string_view value) {
      const std::optional<absl::CivilDay> day = DayFrom(value);
      if (!day || (kFirstDay <= *day && *day <= kLastDay)) return;
      status.Update(
          Refuse(sync::v1::BAD_VALUE, absl::StrCat(NameOf(rule), ": ", PatternOf(rule.format))));
    });
  }
  return status;
}

bool DepthWithin(const sync::v1::Without& without, int depth) {
  return depth > 0 &&
         std::all_of(without.nested().begin(), without.nested().end(),
                     [&](const auto& nested) { return DepthWithin(nested.without(), depth - 1); });
}

absl::Status CheckIdentity(const RecordType& type, const Change& change) {
  if (change.kind() == Change::CREATE) return absl::OkStatus();
  const auto fixed = [&](uint32_t number) {
    const FieldRule* rule = type.fields.Find(number);
    return rule != nullptr && rule->identity ? Refuse(sync::v1::IDENTITY_FIXED, NameOf(*rule))
                                             : absl::OkStatus();
  };
  wire::Reader reader(change.set());
  wire::Field field;
  while (reader.Next(&field)) RETURN_IF_ERROR(fixed(field.number));
  for (const uint32_t number : change.without().cleared()) RETURN_IF_ERROR(fixed(number));
  return absl::OkStatus();
}

absl::Status UnknownField(absl::string_view name, uint32_t number) {
  return Refuse(sync::v1::UNKNOWN_FIELD, absl::StrCat(name, ".", number));
}

absl::Status Malformed(absl::string_view name, uint32_t number) {
  return Refuse(sync::v1::MALFORMED, absl::StrCat(name, ".", number));
}

// Of a Change, or a Within of it: `name` is the record's, or the field's.
template <typename Marked>
absl::Status CheckKnown(const Fields& fields, const Marked& marked, const std::string& name) {
  const auto unknown = [&](uint32_t number) { return UnknownField(name, number); };
  uint32_t last = 0;
  for (const uint32_t number : marked.special()) {
    if (number <= std::exchange(last, number)) return Malformed(name, number);
    if (fields.Find(number) == nullptr) return unknown(number);
  }
  last = 0;
  for (const auto& within : marked.within()) {
    const uint32_t number = within.field();
    if (number <= std::exchange(last, number)) return Malformed(name, number);
    const FieldRule* rule = fields.Find(number);
    if (rule == nullptr || rule->element == nullptr) return unknown(number);
    if (within.special().empty() && within.within().empty()) return Malformed(name, number);
    RETURN_IF_ERROR(CheckKnown(*rule->element, within, absl::StrCat(name, ".", NameOf(*rule))));
  }
  return absl::OkStatus();
}

bool TakesNothing(const Without& without) {
  return without.cleared().empty() && without.removed().empty() && without.nested().empty();
}

// The keys of a keyed list, the members of a set, as `raw` has them.
std::set<std::string> KeysIn(const FieldRule& rule, absl::string_view raw) {
  std::set<std::string> keys;
  if (rule.element == nullptr) {
    for (const absl::string_view member : MembersOf(raw)) keys.emplace(member);
  } else {
    for (Element& element : ElementsOf(rule, raw)) keys.insert(std::move(element.key));
  }
  return keys;
}

// How many elements the field has that has most of them, of a message or of one within it.
size_t LongestIn(const Fields& fields, absl::string_view bytes) {
  absl::flat_hash_map<uint32_t, size_t> many;
  size_t longest = 0;
  wire::Reader reader(bytes);
  wire::Field field;
  while (reader.Next(&field)) {
    const FieldRule* rule = fields.Find(field.number);
    if (rule == nullptr || !rule->descriptor->is_repeated()) continue;
    // Numbers are packed, each of a byte at least.
    const size_t more = rule->descriptor->is_packed() ? field.payload.size() : 1;
    longest = std::max(longest, many[field.number] += more);
    if (rule->element != nullptr) {
      longest = std::max(longest, LongestIn(*rule->element, field.payload));
    }
  }
  return longest;
}

// What is taken away is named in order and once, is something that can be there, and is
// nothing that is set or added as well.
absl::Status CheckRemoved(const Fields& fields, const Slots& set, const Without& without,
                          const std::string& name) {
  uint32_t last = 0;
  for (const Without::Removed& removed : without.removed()) {
    const uint32_t number = removed.field();
    if (number <= std::exchange(last, number)) return Malformed(name, number);
    const FieldRule* rule = fields.Find(number);
    if (rule == nullptr) return UnknownField(name, number);
    if (removed.elements().empty() || (rule->policy != ADD_WINS && rule->policy != BY_KEY)) {
      return Malformed(name, number);
    }
    const std::set<std::string> added = KeysIn(*rule, set.Get(number));
    const std::string* before = nullptr;
    for (const std::string& key : removed.elements()) {
      const bool ascends = before == nullptr || *before < key;
      if (!ascends || !IsPossibleKey(*rule, key) || added.contains(key)) {
        return Malformed(name, number);
      }
      before = &key;
    }
  }
  return absl::OkStatus();
}

absl::Status CheckWithout(const Fields& fields, absl::string_view bytes, const Without& without,
                          const std::string& name);

absl::Status CheckNested(const Fields& fields, const Slots& set, const Without& without,
                         const std::string& name) {
  std::pair<uint32_t, absl::string_view> last;
  std::vector<Element> elements;  // of the field that is last
  for (const Without::Nested& nested : without.nested()) {
    const uint32_t number = nested.field();
    const FieldRule* rule = fields.Find(number);
    if (rule == nullptr) return UnknownField(name, number);
    if (rule->element == nullptr) return Malformed(name, number);
    const std::pair<uint32_t, absl::string_view> here(number, nested.key());
    if (number != last.first) {
      elements = ElementsOf(*rule, set.Get(number));
    } else if (here <= last) {
      return Malformed(name, number);
    }
    if (number < last.first) return Malformed(name, number);
    last = here;
    const auto element =
        std::lower_bound(elements.begin(), elements.end(), nested.key(),
                         [](const Element& e, const std::string& key) { return e.key < key; });
    if (element == elements.end() || element->key != nested.key()) return Malformed(name, number);
    const bool takes = !TakesNothing(nested.without());
    if (nested.has_without() != takes || (!takes && !nested.created())) {
      return Malformed(name, number);
    }
    RETURN_IF_ERROR(CheckWithout(*rule->element, element->body, nested.without(),
                                 absl::StrCat(name, ".", NameOf(*rule))));
  }
  return absl::OkStatus();
}

absl::Status CheckWithout(const Fields& fields, absl::string_view bytes, const Without& without,
                          const std::string& name) {
  Slots set;
  set.Parse(fields, bytes);
  uint32_t last = 0;
  for (const uint32_t number : without.cleared()) {
    const bool ascends = number > std::exchange(last, number);
    if (!ascends || number > wire::kNumberMax || fields.SlotOf(number) != number ||
        !set.Get(number).empty()) {
      return Malformed(name, number);
    }
  }
  RETURN_IF_ERROR(CheckRemoved(fields, set, without, name));
  return CheckNested(fields, set, without, name);
}

// A change says something, and what it says goes with its kind.
absl::Status CheckKind(const Change& change, const std::string& name) {
  if (!Change::Kind_IsValid(change.kind())) return Refuse(sync::v1::MALFORMED, "kind");
  const bool takes = !TakesNothing(change.without());
  if (change.has_without() != takes) return Refuse(sync::v1::MALFORMED, name);
  const bool says = takes || !change.set().empty();
  const bool marks = !change.special().empty() || !change.within().empty();
  switch (change.kind()) {
    case Change::DELETE:
      return says || marks ? Refuse(sync::v1::MALFORMED, name) : absl::OkStatus();
    case Change::UPDATE:
      return says ? absl::OkStatus() : Refuse(sync::v1::MALFORMED, name);
    default:
      return absl::OkStatus();
  }
}

// "CheckIn: activity_id, member_id"
std::string WhatMakesId(const RecordType& type) {
  return absl::StrCat(type.name, ": ",
                      absl::StrJoin(type.id_from, ", ", [&](std::string* out, uint32_t number) {
                        out->append(NameOf(*type.fields.Find(number)));
                      }));
}

bool Stands(const FieldRule& rule, absl::string_view raw) {
  return rule.descriptor->is_repeated() ? !raw.empty() : LastOf(*rule.descriptor, raw).has_value();
}

absl::Status CheckFormat(const FieldRule& rule, absl::string_view value) {
  if (rule.place != NOWHERE && !Id::FromBytes(value)) {
    return Refuse(sync::v1::BAD_VALUE, absl::StrCat(NameOf(rule), ": 16 bytes"));
  }
  if (rule.format == ANY || value.empty()) return absl::OkStatus();
  if (rule.format == NO_CONTACT) {
    return HoldsContact(value) ? Refuse(sync::v1::HOLDS_CONTACT, NameOf(rule)) : absl::OkStatus();
  }
  if (HasFormat(rule.format, value)) return absl::OkStatus();
  return Refuse(sync::v1::BAD_VALUE, absl::StrCat(NameOf(rule), ": ", PatternOf(rule.format)));
}

}  // namespace

absl::Status CheckEditSize(size_t bytes, const sync::v1::Edit& edit) {
  if (bytes > kEditBytesMax) return TooLarge("edit", bytes, kEditBytesMax);
  const auto changes = static_cast<size_t>(edit.changes_size());
  return changes <= kChangesMax ? absl::OkStatus()
                                : TooLarge("edit", changes, kChangesMax, "changes");
}

std::vector<Placed> PlacesOf(const RecordType& type, const Id& id, absl::string_view body) {
  std::vector<Placed> places;
  if (type.own_scope != NOWHERE) places.push_back({id, type.own_scope});
  for (const FieldRule& rule : type.fields.rules()) {
    if (rule.place == NOWHERE) continue;
    ForEachPayload(*rule.descriptor, body, [&](absl::string_view value) {
      if (const auto scope = Id::FromBytes(value)) places.push_back({*scope, rule.place});
    });
  }
  // Whoever is shown it as a host and has another part in it as well has that one.
  const auto order = [](const Placed& placed) {
    return std::tuple(placed.scope, placed.place == GUEST, placed.place);
  };
  std::sort(places.begin(), places.end(),
            [&](const Placed& a, const Placed& b) { return order(a) < order(b); });
  places.erase(std::unique(places.begin(), places.end(),
                           [](const Placed& a, const Placed& b) { return a.scope == b.scope; }),
               places.end());
  return places;
}

HostSight HostSightOf(const RecordType& type, absl::string_view body) {
  if (type.at_host == nullptr) return HOST_SEES_ALL;
  const auto& rules = type.fields.rules();
  const bool taken = std::any_of(rules.begin(), rules.end(), [&](const FieldRule& rule) {
    return rule.taken_by_host && LastOf(*rule.descriptor, body);
  });
  if (taken) return HOST_SEES_ALL;
  const auto sight = type.at_host->at_host.find(EnumOf(*type.at_host, body));
  return sight == type.at_host->at_host.end() ? HOST_SEES_ALL : sight->second;
}

Eyes ReadersOf(const Schema& schema, const RecordType& type, absl::string_view body) {
  Eyes readers = type.readers;
  if (HostSightOf(type, body) == HOST_SEES_NOTHING) readers.as_host = 0;
  const RecordType* as = nullptr;
  absl::string_view path;
  for (const FieldRule& rule : type.fields.rules()) {
    if (!rule.reads_as && !rule.reads_field) continue;
    const auto value = LastOf(*rule.descriptor, body);
    if (!value) continue;
    if (rule.reads_field) path = value->payload;
    if (!rule.reads_as) continue;
    as = schema.Find(static_cast<uint32_t>(value->scalar));
    readers = readers & (as == nullptr ? Eyes() : as->readers);
  }
  if (as == nullptr || path.empty()) return readers;
  const absl::string_view name = path.substr(0, path.find_first_of(".["));
  for (const FieldRule* rule : as->restricted) {
    if (rule->descriptor->name() == name) readers = readers & rule->readers;
  }
  return readers;
}

absl::StatusOr<Id> DeriveId(const RecordType& type, absl::string_view body) {
  crypto_generichash_state hash;
  unsigned char digest[Id::kSize];
  crypto_generichash_init(&hash, nullptr, 0, sizeof(digest));
  std::string named;
  wire::AppendVarint(type.number, &named);
  absl::string_view prefix;
  for (const uint32_t number : type.id_from) {
    const FieldRule& rule = *type.fields.Find(number);
    const auto value = LastOf(*rule.descriptor, body);
    if (!value) return Refuse(sync::v1::MISSING_FIELD, NameOf(rule));
    std::string raw;
    wire::AppendField(*value, &raw);
    wire::AppendBytesField(number, raw, &named);
    if (prefix.empty()) prefix = value->payload;
  }
  crypto_generichash_update(&hash, reinterpret_cast<const unsigned char*>(named.data()),
                            named.size());
  crypto_generichash_final(&hash, digest, sizeof(digest));
  std::string bytes(reinterpret_cast<const char*>(digest), sizeof(digest));
  // In time order, beside what it hangs on.
  if (prefix.size() == Id::kSize) bytes.replace(0, 6, std::string(prefix.substr(0, 6)));
  return *Id::FromBytes(bytes);
}

absl::Status CheckChange(const Schema& schema, const Change& change) {
  const RecordType* type = schema.Find(change.type());
  if (type == nullptr) return Refuse(sync::v1::UNKNOWN_TYPE, absl::StrCat(change.type()));
  if (!Id::FromBytes(change.id())) return Refuse(sync::v1::MALFORMED, "id");
  RETURN_IF_ERROR(CheckKind(change, type->name));
  if (type->permanent && change.kind() == Change::DELETE) {
    return Refuse(sync::v1::PERMANENT, type->label);
  }
  if (!DepthWithin(change.without(), kDepthMax)) return Refuse(sync::v1::MALFORMED, "depth");
  RETURN_IF_ERROR(CheckKnown(type->fields, change, type->name));
  RETURN_IF_ERROR(CheckCanonical(type->fields, change.set(), type->name));
  RETURN_IF_ERROR(CheckUnknown(*type, "", change.set()));
  RETURN_IF_ERROR(CheckElements(*type, "", change.set()));
  RETURN_IF_ERROR(CheckDays(*type, change.set()));
  RETURN_IF_ERROR(CheckWithout(type->fields, change.set(), change.without(), type->name));
  return CheckIdentity(*type, change);
}

absl::Status CheckUnknown(const RecordType& type, absl::string_view before,
                          absl::string_view after) {
  if (after.size() <= kUnknownBytesMax) return absl::OkStatus();
  const size_t unknown = UnknownBytes(type.fields, after);
  if (unknown <= kUnknownBytesMax || unknown <= UnknownBytes(type.fields, before)) {
    return absl::OkStatus();
  }
  return TooLarge(absl::StrCat(type.label, " ", type.name, ".?"), unknown, kUnknownBytesMax);
}

absl::Status CheckElements(const RecordType& type, absl::string_view before,
                           absl::string_view after) {
  if (after.size() <= kElementsMax) return absl::OkStatus();  // each takes bytes
  const size_t elements = LongestIn(type.fields, after);
  if (elements <= kElementsMax || elements <= LongestIn(type.fields, before)) {
    return absl::OkStatus();
  }
  return TooLarge(absl::StrCat(type.label, " ", type.name), elements, kElementsMax, "elements");
}

absl::Status CheckRecordSize(const RecordType& type, absl::string_view body,
                             absl::string_view trace) {
  const size_t size = body.size() + trace.size();
  return size <= kRecordBytesMax ? absl::OkStatus() : TooLarge(type.label, size, kRecordBytesMax);
}

absl::Status CheckRecord(const RecordType& type, const Id& id, absl::string_view body) {
  Slots slots;
  if (!slots.Parse(type.fields, body)) return Refuse(sync::v1::MALFORMED, type.name);
  for (const FieldRule& rule : type.fields.rules()) {
    const absl::string_view raw = slots.Get(rule.slot);
    if (rule.required && !Stands(rule, raw)) return Refuse(sync::v1::MISSING_FIELD, NameOf(rule));
    if (rule.place == NOWHERE && rule.format == ANY) continue;
    absl::Status status;
    ForEachPayload(*rule.descriptor, raw, [&](absl::string_view value) {
      status.Update(CheckFormat(rule, value));
      // Nothing stands above itself.
      if (rule.place == ABOVE && value == id.bytes()) {
        status.Update(Refuse(sync::v1::BAD_VALUE, NameOf(rule)));
      }
    });
    RETURN_IF_ERROR(status);
  }
  if (type.id_from.empty()) return absl::OkStatus();
  const absl::StatusOr<Id> derived = DeriveId(type, body);
  if (!derived.ok()) return derived.status();
  return *derived == id ? absl::OkStatus() : Refuse(sync::v1::WRONG_ID, WhatMakesId(type));
}

std::string JsonOf(const FieldRule* rule, absl::string_view raw) {
  if (raw.empty()) return "null";
  if (rule == nullptr) return absl::StrCat("\"", absl::Base64Escape(raw), "\"");
  Blank message(rule->descriptor->containing_type());
  std::string json;
  if (!message->ParseFromString(std::string(raw)) ||
      !google::protobuf::util::MessageToJsonString(*message, &json).ok()) {
    return absl::StrCat("\"", absl::Base64Escape(raw), "\"");
  }
  // {"place":"礼堂"} → "礼堂"
  absl::string_view value = json;
  const size_t colon = value.find(':');
  if (colon == absl::string_view::npos) return "null";
  value.remove_prefix(colon + 1);
  absl::ConsumeSuffix(&value, "}");
  return std::string(value);
}

Id HeldId(absl::string_view edit) { return *Id::FromBytes(Digest(edit).substr(0, Id::kSize)); }

}  // namespace zhibu
