// A message on the wire cut into slots: for each field (each oneof) the bytes it
// takes, all occurrences together, in ascending order.
#ifndef ZHIBU_SYNC_WIRE_SLOTS_H_
#define ZHIBU_SYNC_WIRE_SLOTS_H_

#include <deque>
#include <string>
#include <utility>

#include "absl/container/inlined_vector.h"
#include "absl/strings/string_view.h"
#include "sync/schema/schema.h"

namespace zhibu {

// Holds views of the bytes it was cut from; those must outlive it.
class Slots {
 public:
  using Slot = std::pair<uint32_t, absl::string_view>;

  Slots() = default;
  Slots(const Slots&) = delete;  // views point into owned_
  Slots& operator=(const Slots&) = delete;

  // False where `bytes` is no message. Once only.
  bool Parse(const Fields& fields, absl::string_view bytes);

  absl::string_view Get(uint32_t slot) const;
  // An empty value takes the slot away. `raw` must outlive this; Own keeps it.
  void Set(uint32_t slot, absl::string_view raw);
  absl::string_view Own(std::string bytes) { return owned_.emplace_back(std::move(bytes)); }

  auto begin() const { return slots_.begin(); }
  auto end() const { return slots_.end(); }
  bool empty() const { return slots_.empty(); }
  std::string Join() const;

 private:
  void Gather();

  absl::InlinedVector<Slot, 16> slots_;  // ascending
  std::deque<std::string> owned_;
};

// The elements of a repeated message by canonical key (see CanonicalKey).
struct Element {
  std::string key;
  absl::string_view body;
};
// Bytes that sort as the keys do: big-endian for numbers, the text itself for
// strings. An absent key is the number 0 or the empty text.
std::string CanonicalKey(const google::protobuf::FieldDescriptor& key, absl::string_view element);
std::string CanonicalKey(const FieldRule& rule, absl::string_view element);
// Whether an element can have this key, or a set this member: text that is UTF-8, a
// number of the key's type.
bool IsPossibleKey(const FieldRule& rule, absl::string_view key);
// Ascending by key; of two elements with one key the last stands.
std::vector<Element> ElementsOf(const FieldRule& rule, absl::string_view raw);
// The payloads of a repeated field, ascending, each once.
std::vector<absl::string_view> MembersOf(absl::string_view raw);

}  // namespace zhibu

#endif  // ZHIBU_SYNC_WIRE_SLOTS_H_
