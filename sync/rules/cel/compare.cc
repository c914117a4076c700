#include "sync/rules/cel/compare.h"

#include <google/protobuf/util/message_differencer.h>

#include "sync/rules/cel/collections.h"

namespace zhibu::cel {
namespace {

using Ordering = std::partial_ordering;

Ordering OrderOf(absl::string_view a, absl::string_view b) { return a.compare(b) <=> 0; }

template <typename T>
Ordering OrderOf(const T& a, const T& b) {
  if (a == b) return Ordering::equivalent;
  return a < b ? Ordering::less : Ordering::greater;
}

double AsDouble(const Value& number) {
  if (number.kind() == Kind::kInt) return static_cast<double>(number.int_value());
  if (number.kind() == Kind::kUint) return static_cast<double>(number.uint_value());
  return number.double_value();
}

Ordering OrderOfMixed(int64_t a, uint64_t b) {
  return a < 0 ? Ordering::less : Ordering(static_cast<uint64_t>(a) <=> b);
}

Ordering OrderOfNumbers(const Value& a, const Value& b) {
  if (a.kind() == Kind::kDouble || b.kind() == Kind::kDouble) return AsDouble(a) <=> AsDouble(b);
  if (a.kind() == Kind::kInt && b.kind() == Kind::kInt) return a.int_value() <=> b.int_value();
  if (a.kind() == Kind::kUint && b.kind() == Kind::kUint) return a.uint_value() <=> b.uint_value();
  if (a.kind() == Kind::kInt) return OrderOfMixed(a.int_value(), b.uint_value());
  return 0 <=> OrderOfMixed(b.int_value(), a.uint_value());
}

bool AreEqualLists(const List& a, const List& b, Meter* meter) {
  if (a.size() != b.size()) return false;
  for (size_t i = 0; i < a.size(); ++i) {
    if (!AreEqual(a.At(i), b.At(i), meter)) return false;
  }
  return true;
}

bool AreEqualMaps(const Map& a, const Map& b, Meter* meter) {
  if (a.size() != b.size()) return false;
  for (const auto& [key, value] : a.entries()) {
    const Value* other = b.Find(key);
    if (other == nullptr || !AreEqual(value, *other, meter)) return false;
  }
  return true;
}

bool AreEqualMessages(const MessageRef& a, const MessageRef& b, Meter* meter) {
  if (a.message->GetDescriptor() != b.message->GetDescriptor()) return false;
  if (!meter->Charge(a.message->ByteSizeLong() + b.message->ByteSizeLong())) return false;
  return google::protobuf::util::MessageDifferencer::Equals(*a.message, *b.message);
}

}  // namespace

std::optional<Ordering> Compare(const Value& a, const Value& b) {
  if (IsNumber(a.kind()) && IsNumber(b.kind())) return OrderOfNumbers(a, b);
  if (a.kind() != b.kind()) return std::nullopt;
  switch (a.kind()) {
    case Kind::kBool:
      return OrderOf(a.bool_value(), b.bool_value());
    case Kind::kString:
    case Kind::kBytes:
      return OrderOf(a.text(), b.text());
    case Kind::kTimestamp:
      return OrderOf(a.time(), b.time());
    case Kind::kDuration:
      return OrderOf(a.duration(), b.duration());
    default:
      return std::nullopt;
  }
}

bool AreEqual(const Value& a, const Value& b, Meter* meter) {
  if (!meter->Charge(1)) return false;
  if (const auto order = Compare(a, b); order.has_value()) {
    if (a.kind() == Kind::kString || a.kind() == Kind::kBytes) meter->ChargeBytes(a.text().size());
    return *order == Ordering::equivalent;
  }
  if (a.kind() != b.kind()) return false;
  switch (a.kind()) {
    case Kind::kNull:
      return true;
    case Kind::kType:
      return a.text() == b.text();
    case Kind::kList:
      return AreEqualLists(a.list(), b.list(), meter);
    case Kind::kMap:
      return AreEqualMaps(a.map(), b.map(), meter);
    case Kind::kMessage:
      return AreEqualMessages(a.message(), b.message(), meter);
    default:
      return false;
  }
}

}  // namespace zhibu::cel
