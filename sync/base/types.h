// The names that everything else is told by. Each is a type of its own, so that
// a version cannot be passed where an edit's number is meant.
#ifndef ZHIBU_SYNC_BASE_TYPES_H_
#define ZHIBU_SYNC_BASE_TYPES_H_

#include <array>
#include <compare>
#include <cstdint>
#include <cstring>
#include <limits>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/string_view.h"

namespace zhibu {

template <typename Tag, typename T>
struct Strong {
  T value = 0;

  constexpr Strong() = default;
  constexpr explicit Strong(T v) : value(v) {}
  friend constexpr auto operator<=>(Strong a, Strong b) = default;

  template <typename H>
  friend H AbslHashValue(H h, Strong s) {
    return H::combine(std::move(h), s.value);
  }
};

// Given by the server when an edit commits; grows within every scope.
using Version = Strong<struct VersionTag, uint64_t>;
// Counts a device's edits: 1, 2, 3 … without a gap.
using EditNumber = Strong<struct EditNumberTag, uint64_t>;
// Given by the server at enrolment.
using DeviceNumber = Strong<struct DeviceNumberTag, uint32_t>;
// Hybrid logical clock: milliseconds since 1970 << 16, plus a counter. Orders
// concurrent writes and decides nothing else.
using Stamp = Strong<struct StampTag, uint64_t>;

// The server's own edits (imports, conflict notes, registrations).
inline constexpr DeviceNumber kServerDevice{1};
// Of changes that the server has not seen yet: later than all it ever gave.
inline constexpr Version kPendingVersion{std::numeric_limits<uint64_t>::max()};

inline constexpr Stamp StampAt(int64_t ms, uint64_t counter = 0) {
  return Stamp((static_cast<uint64_t>(ms < 0 ? 0 : ms) << 16) | counter);
}
inline constexpr int64_t MillisOf(Stamp stamp) { return static_cast<int64_t>(stamp.value >> 16); }

// By the server's clock: a stamp from later than this is of a clock that was wrong. Nobody
// counts it as a time.
inline constexpr int64_t kStampAheadMsMax = 60'000;
inline constexpr Stamp LatestStamp(int64_t now_ms) { return StampAt(now_ms + kStampAheadMsMax); }
// One that lies ahead counts as now.
inline constexpr Stamp Believed(Stamp stamp, int64_t now_ms) {
  return stamp > LatestStamp(now_ms) ? StampAt(now_ms) : stamp;
}

// Names a record, and a scope. Sixteen bytes: the first six are the
// milliseconds at which it was made, so that keys come in time order; the rest
// is random, or follows from what the record is about (see DeriveId).
class Id {
 public:
  static constexpr size_t kSize = 16;

  Id() = default;
  // Nothing unless `bytes` has the right length.
  static std::optional<Id> FromBytes(absl::string_view bytes) {
    if (bytes.size() != kSize) return std::nullopt;
    Id id;
    std::memcpy(id.bytes_.data(), bytes.data(), kSize);
    return id;
  }

  absl::string_view bytes() const { return {bytes_.data(), kSize}; }
  std::string str() const { return std::string(bytes_.data(), kSize); }
  bool empty() const { return *this == Id(); }

  // The order of the bytes, as databases have it; a char may have a sign.
  friend std::strong_ordering operator<=>(const Id& a, const Id& b) {
    return std::memcmp(a.bytes_.data(), b.bytes_.data(), kSize) <=> 0;
  }
  friend bool operator==(const Id&, const Id&) = default;

  template <typename H>
  friend H AbslHashValue(H h, const Id& id) {
    return H::combine(std::move(h), id.bytes());
  }

 private:
  std::array<char, kSize> bytes_{};
};

struct RecordKey {
  uint32_t type = 0;
  Id id;

  friend auto operator<=>(const RecordKey&, const RecordKey&) = default;

  template <typename H>
  friend H AbslHashValue(H h, const RecordKey& key) {
    return H::combine(std::move(h), key.type, key.id);
  }
};

}  // namespace zhibu

#endif  // ZHIBU_SYNC_BASE_TYPES_H_
