#include "sync/wire/canonical.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "sync/base/reason.h"
#include "sync/base/status.h"
#include "sync/base/text.h"
#include "sync/wire/slots.h"
#include "sync/wire/value.h"
#include "sync/wire/wire.h"

namespace zhibu {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;

// So deep may keyed elements nest: what the merge remembers of them nests up to five
// times as deep, and protobuf reads no more than a hundred levels.
constexpr int kElementDepthMax = 16;
// So deep messages that are one value, each inside the last.
constexpr int kPlainDepthMax = 16;

// A field that this build knows; `rule` is none in messages that are one value.
struct Known {
  const FieldDescriptor* field = nullptr;
  const FieldRule* rule = nullptr;

  bool is_set() const { return rule != nullptr && rule->policy == ADD_WINS; }
  bool is_keyed() const { return field->is_map() || (rule != nullptr && rule->element != nullptr); }
  // Zero is a value, where protobuf knows no absence.
  bool may_say_zero() const {
    return rule != nullptr && (rule->policy == MAX || rule->policy == MIN);
  }
  const FieldDescriptor* key() const {
    return rule != nullptr && rule->element != nullptr
               ? rule->element->Find(rule->key_number)->descriptor
               : field->message_type()->map_key();
  }
};

// What kind of message: by the rules of a record or element, or as its type has it.
struct Kind {
  const Fields* rules = nullptr;
  const Descriptor* descriptor = nullptr;
  bool is_entry = false;  // of a map: key and value always stand, and nothing else

  Known Find(uint32_t number) const {
    if (rules == nullptr) {
      return {descriptor->FindFieldByNumber(static_cast<int>(number)), nullptr};
    }
    const FieldRule* rule = rules->Find(number);
    return rule == nullptr ? Known() : Known{rule->descriptor, rule};
  }
  // Where it is kept: the members of a oneof are one value.
  uint32_t SlotOf(uint32_t number, const Known& known) const {
    if (known.rule != nullptr) return known.rule->slot;
    const auto* oneof = known.field == nullptr ? nullptr : known.field->real_containing_oneof();
    uint32_t slot = number;
    for (int i = 0; oneof != nullptr && i < oneof->field_count(); ++i) {
      slot = std::min(slot, static_cast<uint32_t>(oneof->field(i)->number()));
    }
    return slot;
  }
};

Kind KindOf(const Known& message) {
  const bool keyed = message.rule != nullptr && message.rule->element != nullptr;
  return {keyed ? message.rule->element : nullptr, message.field->message_type(),
          message.field->is_map()};
}

bool IsNumber(const FieldDescriptor& field) { return WireTypeOf(field) != wire::Type::kBytes; }

bool IsTimestamp(const Descriptor& message) {
  return message.well_known_type() == Descriptor::WELLKNOWNTYPE_TIMESTAMP;
}

// The way from the record to a field, for whoever is told.
struct Path {
  const Path* up = nullptr;
  std::string name;  // of the whole
  const FieldDescriptor* field = nullptr;
  uint32_t number = 0;

  std::string Text() const {
    const std::string step = field != nullptr ? std::string(field->name())
                             : number != 0    ? absl::StrCat(number)
                                              : name;
    return up == nullptr || up->number == 0 ? step : absl::StrCat(up->Text(), ".", step);
  }
};

absl::Status Malformed(const Path& path) { return Refuse(sync::v1::MALFORMED, path.Text()); }

absl::Status BadValue(const Path& path, absl::string_view what) {
  return Refuse(sync::v1::BAD_VALUE, absl::StrCat(path.Text(), ": ", what));
}

struct Depth {
  int elements = kElementDepthMax;
  int plain = kPlainDepthMax;
};

class Checker {
 public:
  // `judged`: the values as well as the form.
  absl::Status Check(const Kind& kind, absl::string_view bytes, const Path& path, Depth depth,
                     bool judged) {
    if (depth.elements == 0 || depth.plain == 0) return Refuse(sync::v1::MALFORMED, "depth");
    wire::Reader reader(bytes);
    wire::Field field;
    uint32_t last = 0;  // slot
    int numbers = 0;
    Order order;
    while (reader.Next(&field)) {
      const Known known = kind.Find(field.number);
      const uint32_t slot = kind.SlotOf(field.number, known);
      const Path here{&path, {}, known.field, field.number};
      if (slot < last || !wire::IsShortest(field)) return Malformed(here);
      if (slot != last) {
        order = Order();
        ++numbers;
      } else if (!MayRepeat(known)) {
        return Malformed(here);
      }
      last = slot;
      if (known.field == nullptr && kind.is_entry) return Malformed(here);
      if (known.field == nullptr) continue;
      RETURN_IF_ERROR(CheckField(known, field, here, depth, judged, kind.is_entry));
      if (!order.Take(known, field)) return Malformed(here);
    }
    if (!reader.ok()) return Malformed(path);
    return kind.is_entry && numbers < 2 ? Malformed(path) : absl::OkStatus();
  }

 private:
  // Of the elements of one field.
  struct Order {
    bool Take(const Known& known, const wire::Field& field) {
      if (!known.is_set() && !known.is_keyed()) return true;
      std::string key =
          known.is_set() ? std::string(field.payload) : CanonicalKey(*known.key(), field.payload);
      if (!first && key <= last) return false;
      first = false;
      last = std::move(key);
      return true;
    }
    bool first = true;
    std::string last;
  };

  static bool MayRepeat(const Known& known) {
    return known.field == nullptr || (known.field->is_repeated() && !known.field->is_packed());
  }

  static absl::Status CheckField(const Known& known, const wire::Field& field, const Path& path,
                                 Depth depth, bool judged, bool in_entry) {
    judged = judged && (known.rule == nullptr || known.rule->policy != SERVER);
    if (known.field->is_repeated() && known.field->is_packed()) {
      return CheckPacked(*known.field, field, path);
    }
    if (field.type != WireTypeOf(*known.field)) return Malformed(path);
    if (IsNumber(*known.field)) {
      RETURN_IF_ERROR(CheckNumber(known, field, path, judged));
    } else if (known.field->message_type() != nullptr) {
      return CheckMessage(known, field.payload, path, depth, judged);
    } else {
      RETURN_IF_ERROR(CheckText(known, field.payload, path, judged));
    }
    const bool implicit = !known.field->is_repeated() && !known.field->has_presence();
    const bool is_default = field.scalar == 0 && field.payload.empty();
    return implicit && is_default && !in_entry && !known.may_say_zero() ? Malformed(path)
                                                                        : absl::OkStatus();
  }

  static absl::Status CheckPacked(const FieldDescriptor& declared, const wire::Field& field,
                                  const Path& path) {
    if (field.type != wire::Type::kBytes || field.payload.empty()) return Malformed(path);
    wire::PackedReader reader(WireTypeOf(declared), field.payload);
    wire::Field number;
    while (reader.Next(&number)) {
      if (!wire::IsShortest(number) || NumberAs(declared, number.scalar) != number.scalar) {
        return Malformed(path);
      }
    }
    return reader.ok() ? absl::OkStatus() : Malformed(path);
  }

  static absl::Status CheckNumber(const Known& known, const wire::Field& field, const Path& path,
                                  bool judged) {
    if (NumberAs(*known.field, field.scalar) != field.scalar) return Malformed(path);
    const bool state = known.rule != nullptr && known.rule->policy == FORWARD;
    const int value = static_cast<int>(field.scalar);
    if (judged && state && known.field->enum_type()->FindValueByNumber(value) == nullptr) {
      return BadValue(path, absl::StrCat(value));
    }
    const int64_t most = known.rule != nullptr ? known.rule->number_max : 0;
    const auto amount = static_cast<int64_t>(field.scalar);
    if (judged && most > 0 && (amount > most || amount < -most)) {
      return BadValue(path, absl::StrCat(-most, " … ", most));
    }
    return absl::OkStatus();
  }

  static absl::Status CheckText(const Known& known, absl::string_view value, const Path& path,
                                bool judged) {
    const bool text = known.field->type() == FieldDescriptor::TYPE_STRING;
    if (text && !IsUtf8(value)) return Refuse(sync::v1::INVALID_TEXT, path.Text());
    if (!judged) return absl::OkStatus();
    const size_t most = known.rule != nullptr ? known.rule->bytes_max : BytesMaxOf(*known.field);
    if (value.size() > most) {
      return TooLarge(path.Text(), value.size(), most);
    }
    if (!text) return absl::OkStatus();
    // It would be taken for a name, or for a reason.
    if (IsBlank(value)) return BadValue(path, "“ ”");
    const std::optional<char32_t> hidden = FirstHidden(value, most <= kLineBytesMax);
    return hidden ? BadValue(path, absl::StrFormat("U+%04X", static_cast<unsigned>(*hidden)))
                  : absl::OkStatus();
  }

  static absl::Status CheckMessage(const Known& known, absl::string_view payload, const Path& path,
                                   Depth depth, bool judged) {
    const Kind kind = KindOf(known);
    if (kind.rules != nullptr) {
      --depth.elements;
    } else {
      --depth.plain;
    }
    RETURN_IF_ERROR(Checker().Check(kind, payload, path, depth, judged));
    return judged && IsTimestamp(*kind.descriptor) ? CheckTime(*kind.descriptor, payload, path)
                                                   : absl::OkStatus();
  }

  // As google/protobuf/timestamp.proto has it.
  static absl::Status CheckTime(const Descriptor& timestamp, absl::string_view payload,
                                const Path& path) {
    constexpr int64_t kFirst = -62'135'596'800;
    constexpr int64_t kLast = 253'402'300'799;
    constexpr int64_t kNanos = 1'000'000'000;
    const auto seconds = LastOf(*timestamp.FindFieldByNumber(1), payload);
    const auto nanos = LastOf(*timestamp.FindFieldByNumber(2), payload);
    const int64_t second = seconds ? static_cast<int64_t>(seconds->scalar) : 0;
    const int64_t nano = nanos ? static_cast<int64_t>(nanos->scalar) : 0;
    if (second >= kFirst && second <= kLast && nano >= 0 && nano < kNanos) return absl::OkStatus();
    return BadValue(path, "0001-01-01T00:00:00Z … 9999-12-31T23:59:59.999999999Z");
  }
};

// Writes a message again as it is to be written.
class Writer {
 public:
  static std::string Write(const Kind& kind, absl::string_view bytes, int depth) {
    if (depth == 0) return std::string(bytes);
    std::map<uint32_t, std::vector<wire::Field>> slots;
    wire::Reader reader(bytes);
    wire::Field field;
    while (reader.Next(&field)) {
      slots[kind.SlotOf(field.number, kind.Find(field.number))].push_back(field);
    }
    if (kind.is_entry) slots[1], slots[2];
    std::string out;
    for (const auto& [slot, fields] : slots) WriteSlot(kind, slot, fields, depth, &out);
    return out;
  }

 private:
  using Fields = std::vector<wire::Field>;

  static void WriteSlot(const Kind& kind, uint32_t slot, const Fields& fields, int depth,
                        std::string* out) {
    // Of the members of a oneof the last stands.
    const uint32_t number = fields.empty() ? slot : fields.back().number;
    const Known known = kind.Find(number);
    if (known.field == nullptr) {
      if (kind.is_entry) return;  // protobuf keeps nothing else there
      for (const wire::Field& field : fields) wire::AppendField(field, out);
    } else if (IsNumber(*known.field)) {
      WriteNumbers(kind, known, fields, out);
    } else {
      WritePayloads(kind, known, fields, depth, out);
    }
  }

  static void WriteNumbers(const Kind& kind, const Known& known, const Fields& fields,
                           std::string* out) {
    const FieldDescriptor& declared = *known.field;
    wire::Field number;
    number.number = static_cast<uint32_t>(declared.number());
    number.type = WireTypeOf(declared);
    std::vector<uint64_t> values;
    for (const wire::Field& field : fields) {
      if (field.number != number.number) continue;
      if (field.type == number.type) values.push_back(field.scalar);
      if (field.type != wire::Type::kBytes || !declared.is_repeated()) continue;
      wire::PackedReader reader(number.type, field.payload);
      for (wire::Field one; reader.Next(&one);) values.push_back(one.scalar);
    }
    if (!declared.is_repeated()) {
      number.scalar = values.empty() ? 0 : NumberAs(declared, values.back());
      const bool stands =
          declared.has_presence() || known.may_say_zero() ? !values.empty() : number.scalar != 0;
      if (stands || kind.is_entry) wire::AppendField(number, out);
      return;
    }
    std::string packed;
    for (const uint64_t value : values) {
      number.scalar = NumberAs(declared, value);
      std::string one;
      wire::AppendField(number, &one);
      std::string tag;
      wire::AppendVarint(uint64_t{number.number} << 3, &tag);
      packed += declared.is_packed() ? one.substr(tag.size()) : one;
    }
    if (declared.is_packed() && !packed.empty()) {
      wire::AppendBytesField(number.number, packed, out);
    } else {
      *out += packed;
    }
  }

  static void WritePayloads(const Kind& kind, const Known& known, const Fields& fields, int depth,
                            std::string* out) {
    const FieldDescriptor& declared = *known.field;
    const auto number = static_cast<uint32_t>(declared.number());
    std::vector<std::string> payloads;
    for (const wire::Field& field : fields) {
      if (field.number != number || field.type != wire::Type::kBytes) continue;
      if (payloads.empty() || declared.is_repeated()) {
        payloads.emplace_back(field.payload);
      } else if (declared.message_type() != nullptr) {
        payloads.back().append(field.payload.data(), field.payload.size());  // merges with it
      } else {
        payloads.back() = std::string(field.payload);
      }
    }
    if (declared.message_type() != nullptr) {
      for (std::string& payload : payloads) payload = Write(KindOf(known), payload, depth - 1);
    }
    if (known.is_keyed()) SortByKey(*known.key(), &payloads);
    if (known.is_set()) {
      std::sort(payloads.begin(), payloads.end());
      payloads.erase(std::unique(payloads.begin(), payloads.end()), payloads.end());
    }
    const bool implicit = !declared.is_repeated() && !declared.has_presence();
    if (kind.is_entry && payloads.empty()) payloads.emplace_back();
    for (const std::string& payload : payloads) {
      const bool stands = !implicit || !payload.empty() || known.may_say_zero() || kind.is_entry;
      if (stands) wire::AppendBytesField(number, payload, out);
    }
  }

  // Of equal keys the last stands, as a parser of a map has it.
  static void SortByKey(const FieldDescriptor& key, std::vector<std::string>* elements) {
    std::map<std::string, std::string> by_key;
    for (std::string& element : *elements) {
      by_key.insert_or_assign(CanonicalKey(key, element), std::move(element));
    }
    elements->clear();
    for (auto& [name, element] : by_key) elements->push_back(std::move(element));
  }
};

constexpr int kStoredDepthMax = 100;  // as protobuf

size_t UnknownIn(const Kind& kind, absl::string_view bytes, int depth) {
  size_t unknown = 0;
  wire::Reader reader(bytes);
  for (wire::Field field; reader.Next(&field);) {
    const Known known = kind.Find(field.number);
    if (known.field == nullptr || depth == 0) {
      unknown += field.whole.size();
    } else if (known.field->message_type() != nullptr && field.type == wire::Type::kBytes) {
      unknown += UnknownIn(KindOf(known), field.payload, depth - 1);
    }
  }
  return unknown;
}

}  // namespace

absl::Status CheckCanonical(const Fields& fields, absl::string_view bytes, absl::string_view name) {
  return Checker().Check({&fields, nullptr, false}, bytes, {nullptr, std::string(name)}, {}, true);
}

absl::Status CheckCanonicalMessage(const Descriptor& descriptor, absl::string_view bytes) {
  // A change's Without and Within nest with its elements.
  const Depth depth{kElementDepthMax, 5 * kPlainDepthMax};
  return Checker().Check({nullptr, &descriptor, false}, bytes,
                         {nullptr, std::string(descriptor.name())}, depth, false);
}

size_t UnknownBytes(const Fields& fields, absl::string_view body) {
  return UnknownIn({&fields, nullptr, false}, body, kStoredDepthMax);
}

std::string Canonical(const Fields& fields, absl::string_view body) {
  const Kind kind{&fields, nullptr, false};
  if (Checker().Check(kind, body, {}, {}, false).ok()) return std::string(body);
  return Writer::Write(kind, body, kStoredDepthMax);
}

}  // namespace zhibu
