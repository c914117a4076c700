// What an expression yields, or is given.
//
//   Value::Int(3), Value::String("礼堂"), Value::OfMessage(&meeting), Value::ListOf({...})
//
// Two kinds are no values proper, and travel as such. An error says what went wrong, and where.
// Unknown says that the answer lies in what is not held here, and names that. Of several,
// unknown goes before error:
//
//   f(unknown, error) = unknown        false && unknown = false        true || error = true
//
// A value shares what it holds, so it is cheap to copy. A message, and the text and lists that are
// read from it, are borrowed from whoever gave the message, unless an Owner came with it: then
// they keep that alive.
#ifndef ZHIBU_SYNC_RULES_CEL_VALUE_H_
#define ZHIBU_SYNC_RULES_CEL_VALUE_H_

#include <google/protobuf/message.h>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "sync/rules/cel/kind.h"
#include "sync/rules/cel/position.h"

namespace zhibu::cel {

class List;
class Map;

using Owner = std::shared_ptr<const void>;

struct Text {
  absl::string_view view;
  Owner owner;  // null: borrowed
};

struct MessageRef {
  const google::protobuf::Message* message = nullptr;
  Owner owner;  // null: borrowed
};

struct Fault {
  std::string words;
  Position at;
};

class Value {
 public:
  Value() = default;  // null

  static Value Null() { return Value(); }
  static Value Bool(bool value) { return Value(Kind::kBool, value); }
  static Value Int(int64_t value) { return Value(Kind::kInt, value); }
  static Value Uint(uint64_t value) { return Value(Kind::kUint, value); }
  static Value Double(double value) { return Value(Kind::kDouble, value); }
  static Value String(std::string text);
  static Value String(Text text) { return Value(Kind::kString, std::move(text)); }
  static Value Bytes(std::string bytes);
  static Value Bytes(Text bytes) { return Value(Kind::kBytes, std::move(bytes)); }
  // An error where CEL has no such time: within the years 1 to 9999, and for durations 292 years.
  static Value Timestamp(absl::Time time);
  static Value Duration(absl::Duration duration);
  static Value ListOf(std::vector<Value> elements);
  static Value OfList(std::shared_ptr<const List> list) {
    return Value(Kind::kList, std::move(list));
  }
  // An error where a key is no bool, int, uint or string, or comes twice.
  static Value MapOf(std::vector<std::pair<Value, Value>> entries);
  static Value OfMessage(const google::protobuf::Message* message, Owner owner = nullptr) {
    return Value(Kind::kMessage, MessageRef{message, std::move(owner)});
  }
  static Value TypeNamed(std::string name);
  static Value Unknown(const std::string& what);
  static Value Error(std::string words, Position at = {});

  Kind kind() const { return kind_; }
  bool is_unknown() const { return kind_ == Kind::kUnknown; }
  bool is_error() const { return kind_ == Kind::kError; }
  // Neither of the two.
  bool is_proper() const { return kind_ < Kind::kUnknown; }
  bool is_bool(bool which) const { return kind_ == Kind::kBool && bool_value() == which; }

  // Each of its kind only: of another, the program ends.
  bool bool_value() const { return std::get<bool>(held_); }
  int64_t int_value() const { return std::get<int64_t>(held_); }
  uint64_t uint_value() const { return std::get<uint64_t>(held_); }
  double double_value() const { return std::get<double>(held_); }
  // Of strings, bytes and types.
  absl::string_view text() const { return std::get<Text>(held_).view; }
  absl::Time time() const { return std::get<absl::Time>(held_); }
  absl::Duration duration() const { return std::get<absl::Duration>(held_); }
  const List& list() const { return *std::get<std::shared_ptr<const List>>(held_); }
  const Map& map() const { return *std::get<std::shared_ptr<const Map>>(held_); }
  const MessageRef& message() const { return std::get<MessageRef>(held_); }
  const Fault& fault() const { return *std::get<std::shared_ptr<const Fault>>(held_); }
  // What would have to be known; sorted.
  const std::vector<std::string>& unknown() const;

  // Of an error without a position: with this one. Others stay as they are.
  Value At(Position at) &&;
  // Of two that are not proper, or one: what both together come to.
  static Value Worse(const Value& a, const Value& b);

  // As CEL's type(): "int", "zhibu.records.v1.Meeting".
  std::string TypeName() const;
  // As CEL writes it, for messages to people and for tests. Of what is long, the beginning.
  std::string ToText() const;

 private:
  using Unknowns = std::shared_ptr<const std::vector<std::string>>;

  template <typename Held>
  Value(Kind kind, Held held) : kind_(kind), held_(std::move(held)) {}

  Kind kind_ = Kind::kNull;
  std::variant<std::monostate, bool, int64_t, uint64_t, double, absl::Time, absl::Duration, Text,
               MessageRef, std::shared_ptr<const List>, std::shared_ptr<const Map>,
               std::shared_ptr<const Fault>, Unknowns>
      held_;
};

}  // namespace zhibu::cel

#endif  // ZHIBU_SYNC_RULES_CEL_VALUE_H_
