#include "sync/wire/slots.h"

#include <algorithm>

#include "sync/base/text.h"
#include "sync/wire/value.h"
#include "sync/wire/wire.h"

namespace zhibu {

using google::protobuf::FieldDescriptor;

namespace {

constexpr size_t kNumberKeySize = 8;

}  // namespace

bool Slots::Parse(const Fields& fields, absl::string_view bytes) {
  wire::Reader reader(bytes);
  wire::Field field;
  bool ascending = true;
  while (reader.Next(&field)) {
    const uint32_t slot = fields.SlotOf(field.number);
    if (!slots_.empty() && slots_.back().first == slot) {
      // What was read last ends where this begins.
      absl::string_view& last = slots_.back().second;
      last = absl::string_view(last.data(), last.size() + field.whole.size());
      continue;
    }
    ascending = ascending && (slots_.empty() || slots_.back().first < slot);
    slots_.emplace_back(slot, field.whole);
  }
  if (!ascending) Gather();
  return reader.ok();
}

// Brings what belongs to one slot together, in the order it stood.
void Slots::Gather() {
  std::stable_sort(slots_.begin(), slots_.end(),
                   [](const Slot& a, const Slot& b) { return a.first < b.first; });
  auto out = slots_.begin();
  for (auto it = slots_.begin(); it != slots_.end();) {
    const auto end =
        std::find_if(it, slots_.end(), [&](const Slot& slot) { return slot.first != it->first; });
    *out = *it;
    if (end - it > 1) {
      std::string together;
      for (; it != end; ++it) together.append(it->second.data(), it->second.size());
      out->second = Own(std::move(together));
    }
    ++out;
    it = end;
  }
  slots_.erase(out, slots_.end());
}

absl::string_view Slots::Get(uint32_t slot) const {
  const auto it = std::lower_bound(slots_.begin(), slots_.end(), slot,
                                   [](const Slot& s, uint32_t n) { return s.first < n; });
  return it != slots_.end() && it->first == slot ? it->second : absl::string_view();
}

void Slots::Set(uint32_t slot, absl::string_view raw) {
  const auto it = std::lower_bound(slots_.begin(), slots_.end(), slot,
                                   [](const Slot& s, uint32_t n) { return s.first < n; });
  const bool there = it != slots_.end() && it->first == slot;
  if (raw.empty()) {
    if (there) slots_.erase(it);
  } else if (there) {
    it->second = raw;
  } else {
    slots_.insert(it, {slot, raw});
  }
}

std::string Slots::Join() const {
  size_t size = 0;
  for (const auto& [slot, raw] : slots_) size += raw.size();
  std::string joined;
  joined.reserve(size);
  for (const auto& [slot, raw] : slots_) joined.append(raw.data(), raw.size());
  return joined;
}

std::string CanonicalKey(const FieldDescriptor& key, absl::string_view element) {
  const auto value = LastOf(key, element);
  if (WireTypeOf(key) == wire::Type::kBytes) {
    return value ? std::string(value->payload) : std::string();
  }
  std::string bytes(kNumberKeySize, '\0');
  const uint64_t number = value ? value->scalar : 0;
  for (int i = 0; i < 8; ++i) bytes[i] = static_cast<char>(number >> (8 * (7 - i)));
  return bytes;
}

std::string CanonicalKey(const FieldRule& rule, absl::string_view element) {
  return CanonicalKey(*rule.element->Find(rule.key_number)->descriptor, element);
}

bool IsPossibleKey(const FieldRule& rule, absl::string_view key) {
  const FieldDescriptor& declared =
      rule.element == nullptr ? *rule.descriptor : *rule.element->Find(rule.key_number)->descriptor;
  if (declared.type() == FieldDescriptor::TYPE_STRING) return IsUtf8(key);
  if (declared.type() == FieldDescriptor::TYPE_BYTES) return true;
  if (key.size() != kNumberKeySize) return false;
  uint64_t number = 0;
  for (const char byte : key) number = (number << 8) | static_cast<uint8_t>(byte);
  const bool fits = WireTypeOf(declared) != wire::Type::kFixed32 || number <= UINT32_MAX;
  return fits && NumberAs(declared, number) == number;
}

std::vector<Element> ElementsOf(const FieldRule& rule, absl::string_view raw) {
  std::vector<Element> elements;
  wire::Reader reader(raw);
  wire::Field field;
  while (reader.Next(&field)) {
    if (field.type != wire::Type::kBytes) continue;
    elements.push_back({CanonicalKey(rule, field.payload), field.payload});
  }
  std::stable_sort(elements.begin(), elements.end(),
                   [](const Element& a, const Element& b) { return a.key < b.key; });
  // Keep the last of equal keys, as a parser of a map does.
  auto out = elements.begin();
  for (auto it = elements.begin(); it != elements.end(); ++it) {
    if (std::next(it) != elements.end() && std::next(it)->key == it->key) continue;
    if (out != it) *out = std::move(*it);
    ++out;
  }
  elements.erase(out, elements.end());
  return elements;
}

std::vector<absl::string_view> MembersOf(absl::string_view raw) {
  std::vector<absl::string_view> members;
  wire::Reader reader(raw);
  wire::Field field;
  while (reader.Next(&field)) {
    if (field.type == wire::Type::kBytes) members.push_back(field.payload);
  }
  std::sort(members.begin(), members.end());
  members.erase(std::unique(members.begin(), members.end()), members.end());
  return members;
}

}  // namespace zhibu
