#include "sync/rules/cel/value.h"

#include <algorithm>
#include <iterator>

#include "sync/rules/cel/collections.h"

namespace zhibu::cel {
namespace {

Text Owned(std::string text) {
  auto owner = std::make_shared<const std::string>(std::move(text));
  const absl::string_view view = *owner;
  return {view, std::move(owner)};
}

bool IsInRange(absl::Time time) {
  return time >= absl::FromUnixSeconds(-62'135'596'800) &&
         time < absl::FromUnixSeconds(253'402'300'800);
}

bool IsInRange(absl::Duration duration) {
  return duration >= absl::Nanoseconds(INT64_MIN) && duration <= absl::Nanoseconds(INT64_MAX);
}

}  // namespace

Value Value::String(std::string text) { return Value(Kind::kString, Owned(std::move(text))); }
Value Value::Bytes(std::string bytes) { return Value(Kind::kBytes, Owned(std::move(bytes))); }
Value Value::TypeNamed(std::string name) { return Value(Kind::kType, Owned(std::move(name))); }

Value Value::Timestamp(absl::Time time) {
  if (!IsInRange(time)) return Error("a time outside the years 1 to 9999");
  return Value(Kind::kTimestamp, time);
}

Value Value::Duration(absl::Duration duration) {
  if (!IsInRange(duration)) return Error("a duration of more than 292 years");
  return Value(Kind::kDuration, duration);
}

Value Value::ListOf(std::vector<Value> elements) {
  return OfList(std::make_shared<const ValueList>(std::move(elements)));
}

Value Value::MapOf(std::vector<std::pair<Value, Value>> entries) {
  auto map = std::make_shared<Map>(std::move(entries));
  if (!map->Index()) return Error("a key of a map that comes twice, or cannot be one");
  return Value(Kind::kMap, std::shared_ptr<const Map>(std::move(map)));
}

Value Value::Unknown(const std::string& what) {
  return Value(Kind::kUnknown, Unknowns(std::make_shared<std::vector<std::string>>(1, what)));
}

Value Value::Error(std::string words, Position at) {
  return Value(Kind::kError, std::make_shared<const Fault>(Fault{std::move(words), at}));
}

const std::vector<std::string>& Value::unknown() const { return *std::get<Unknowns>(held_); }

Value Value::At(Position at) && {
  if (!is_error() || fault().at.is_known()) return std::move(*this);
  return Error(fault().words, at);
}

Value Value::Worse(const Value& a, const Value& b) {
  if (a.is_unknown() && b.is_unknown()) {
    auto both = std::make_shared<std::vector<std::string>>();
    std::set_union(a.unknown().begin(), a.unknown().end(), b.unknown().begin(), b.unknown().end(),
                   std::back_inserter(*both));
    return Value(Kind::kUnknown, Unknowns(std::move(both)));
  }
  if (a.is_unknown() || b.is_unknown()) return a.is_unknown() ? a : b;
  return a.is_error() ? a : b;
}

std::string Value::TypeName() const {
  if (kind_ == Kind::kMessage) return message().message->GetDescriptor()->full_name();
  return std::string(NameOf(kind_));
}

}  // namespace zhibu::cel
