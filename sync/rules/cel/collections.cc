#include "sync/rules/cel/collections.h"

#include <cmath>

namespace zhibu::cel {
namespace {

MapKey KeyOfUint(uint64_t number) {
  if (number > INT64_MAX) return number;
  return static_cast<int64_t>(number);
}

std::optional<MapKey> KeyOfDouble(double number) {
  constexpr double kTwoTo63 = 9223372036854775808.0;
  if (number != std::trunc(number)) return std::nullopt;
  if (number >= -kTwoTo63 && number < kTwoTo63) return static_cast<int64_t>(number);
  if (number >= kTwoTo63 && number < 2 * kTwoTo63) return static_cast<uint64_t>(number);
  return std::nullopt;
}

}  // namespace

std::optional<MapKey> KeyOf(const Value& value) {
  switch (value.kind()) {
    case Kind::kBool:
      return value.bool_value();
    case Kind::kInt:
      return value.int_value();
    case Kind::kUint:
      return KeyOfUint(value.uint_value());
    case Kind::kDouble:
      return KeyOfDouble(value.double_value());
    case Kind::kString:
      return value.text();
    default:
      return std::nullopt;
  }
}

bool Map::Index() {
  index_.reserve(entries_.size());
  for (size_t i = 0; i < entries_.size(); ++i) {
    const Value& key = entries_[i].first;
    if (key.kind() == Kind::kDouble) return false;
    const std::optional<MapKey> known = KeyOf(key);
    if (!known.has_value() || !index_.emplace(*known, i).second) return false;
  }
  return true;
}

const Value* Map::Find(const Value& key) const {
  const std::optional<MapKey> known = KeyOf(key);
  if (!known.has_value()) return nullptr;
  const auto found = index_.find(*known);
  return found == index_.end() ? nullptr : &entries_[found->second].second;
}

}  // namespace zhibu::cel
