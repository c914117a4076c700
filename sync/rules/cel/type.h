// The type of an expression, known before it is evaluated.
//
//   Type::Int()                       int, uint, double, bool, string, bytes …
//   Type::Enum(*Meeting_State_descriptor())   int, that knows the names of its values
//   Type::List(Type::Message(*Meeting::descriptor()))   list(zhibu.records.v1.Meeting)
//   Type::Dyn()                       anything: then evaluation tells
//   Type::Parameter(0)                in the declaration of a function: any one type
//
// A Timestamp or Duration of protobuf is a type of its own, not a message.
#ifndef ZHIBU_SYNC_RULES_CEL_TYPE_H_
#define ZHIBU_SYNC_RULES_CEL_TYPE_H_

#include <google/protobuf/descriptor.h>

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sync/rules/cel/kind.h"
#include "sync/rules/cel/value.h"

namespace zhibu::cel {

class Type {
 public:
  explicit Type(Kind kind) : kind_(kind) {}

  static Type Dyn() { return Type(Kind::kDyn); }
  static Type Null() { return Type(Kind::kNull); }
  static Type Bool() { return Type(Kind::kBool); }
  static Type Int() { return Type(Kind::kInt); }
  static Type Uint() { return Type(Kind::kUint); }
  static Type Double() { return Type(Kind::kDouble); }
  static Type String() { return Type(Kind::kString); }
  static Type Bytes() { return Type(Kind::kBytes); }
  static Type Duration() { return Type(Kind::kDuration); }
  static Type Timestamp() { return Type(Kind::kTimestamp); }
  static Type Enum(const google::protobuf::EnumDescriptor& descriptor);
  static Type List(const Type& element);
  static Type Map(Type key, Type value);
  static Type Message(const google::protobuf::Descriptor& descriptor);
  static Type TypeType() { return Type(Kind::kType); }
  static Type Parameter(int number);

  Kind kind() const { return kind_; }
  bool is(Kind kind) const { return kind_ == kind; }
  const google::protobuf::Descriptor* message() const { return message_; }
  const google::protobuf::EnumDescriptor* enumeration() const { return enum_; }  // of ints, or null
  int parameter() const { return parameter_; }
  const Type& element() const { return (*arguments_)[0]; }  // of a list
  const Type& key() const { return (*arguments_)[0]; }      // of a map
  const Type& mapped() const { return (*arguments_)[1]; }

  std::string ToText() const;

 private:
  Kind kind_;
  int parameter_ = 0;
  const google::protobuf::Descriptor* message_ = nullptr;
  const google::protobuf::EnumDescriptor* enum_ = nullptr;
  std::shared_ptr<const std::vector<Type>> arguments_;
};

// What a field holds: of a repeated one a list, of a map field a map.
Type TypeOfField(const google::protobuf::FieldDescriptor& field);
// Lists and maps are of dyn.
Type TypeOfValue(const Value& value);

// Whether `value` is of the type, as far as can be told without looking at elements.
bool Accepts(const Type& type, const Value& value);
// Null too, where it may stand for none: for messages, times and durations.
bool AcceptsOrNull(const Type& type, const Value& value);

// What the parameters of a declaration stand for, in one call.
class Bindings {
 public:
  // Whether something of type `from` may stand for `to`, in which parameters may occur.
  bool Assign(const Type& to, const Type& from);
  // With each parameter replaced; by dyn where it is bound to nothing.
  Type Substitute(const Type& type) const;

 private:
  bool AssignToParameter(int number, const Type& from);

  static constexpr size_t kParametersMax = 4;
  std::array<std::optional<Type>, kParametersMax> bound_;
};

// The type of what is either; nothing where none fits both.
std::optional<Type> Join(const Type& a, const Type& b);

}  // namespace zhibu::cel

#endif  // ZHIBU_SYNC_RULES_CEL_TYPE_H_
