#include "sync/rules/cel/type.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace zhibu::cel {

using google::protobuf::Descriptor;
using google::protobuf::EnumDescriptor;
using google::protobuf::FieldDescriptor;

namespace {

bool IsNullable(const Type& type) {
  return type.is(Kind::kMessage) || type.is(Kind::kTimestamp) || type.is(Kind::kDuration);
}

Type TypeOfElement(const FieldDescriptor& field) {
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_BOOL:
      return Type::Bool();
    case FieldDescriptor::CPPTYPE_INT32:
    case FieldDescriptor::CPPTYPE_INT64:
      return Type::Int();
    case FieldDescriptor::CPPTYPE_UINT32:
    case FieldDescriptor::CPPTYPE_UINT64:
      return Type::Uint();
    case FieldDescriptor::CPPTYPE_FLOAT:
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return Type::Double();
    case FieldDescriptor::CPPTYPE_ENUM:
      return Type::Enum(*field.enum_type());
    case FieldDescriptor::CPPTYPE_STRING:
      return field.type() == FieldDescriptor::TYPE_BYTES ? Type::Bytes() : Type::String();
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return Type::Message(*field.message_type());
  }
  return Type::Dyn();
}

}  // namespace

Type Type::Enum(const EnumDescriptor& descriptor) {
  Type type(Kind::kInt);
  type.enum_ = &descriptor;
  return type;
}

Type Type::List(const Type& element) {
  Type type(Kind::kList);
  type.arguments_ = std::make_shared<const std::vector<Type>>(1, element);
  return type;
}

Type Type::Map(Type key, Type value) {
  Type type(Kind::kMap);
  type.arguments_ = std::make_shared<const std::vector<Type>>(
      std::vector<Type>{std::move(key), std::move(value)});
  return type;
}

Type Type::Message(const Descriptor& descriptor) {
  if (descriptor.full_name() == NameOf(Kind::kTimestamp)) return Timestamp();
  if (descriptor.full_name() == NameOf(Kind::kDuration)) return Duration();
  Type type(Kind::kMessage);
  type.message_ = &descriptor;
  return type;
}

Type Type::Parameter(int number) {
  Type type(Kind::kParameter);
  type.parameter_ = number;
  return type;
}

std::string Type::ToText() const {
  if (enum_ != nullptr) return enum_->full_name();
  if (message_ != nullptr) return message_->full_name();
  if (kind_ == Kind::kTimestamp) return "timestamp";
  if (kind_ == Kind::kDuration) return "duration";
  if (kind_ == Kind::kNull) return "null";
  if (kind_ == Kind::kList) return absl::StrCat("list(", element().ToText(), ")");
  if (kind_ != Kind::kMap) return std::string(NameOf(kind_));
  return absl::StrCat("map(", key().ToText(), ", ", mapped().ToText(), ")");
}

Type TypeOfField(const FieldDescriptor& field) {
  if (field.is_map()) {
    return Type::Map(TypeOfElement(*field.message_type()->map_key()),
                     TypeOfElement(*field.message_type()->map_value()));
  }
  const Type element = TypeOfElement(field);
  return field.is_repeated() ? Type::List(element) : element;
}

Type TypeOfValue(const Value& value) {
  switch (value.kind()) {
    case Kind::kList:
      return Type::List(Type::Dyn());
    case Kind::kMap:
      return Type::Map(Type::Dyn(), Type::Dyn());
    case Kind::kMessage:
      return Type::Message(*value.message().message->GetDescriptor());
    case Kind::kUnknown:
    case Kind::kError:
      return Type::Dyn();
    default:
      return Type(value.kind());
  }
}

bool Accepts(const Type& type, const Value& value) {
  if (type.is(Kind::kDyn) || type.is(Kind::kParameter)) return true;
  if (!type.is(value.kind())) return false;
  return !type.is(Kind::kMessage) || type.message() == value.message().message->GetDescriptor();
}

bool AcceptsOrNull(const Type& type, const Value& value) {
  return (value.kind() == Kind::kNull && IsNullable(type)) || Accepts(type, value);
}

bool Bindings::AssignToParameter(int number, const Type& from) {
  std::optional<Type>& bound = bound_[static_cast<size_t>(number)];
  if (!bound.has_value()) {
    bound = from;
    return true;
  }
  const std::optional<Type> both = Join(*bound, from);
  if (both.has_value()) bound = both;
  return both.has_value();
}

bool Bindings::Assign(const Type& to, const Type& from) {
  if (to.is(Kind::kParameter)) return AssignToParameter(to.parameter(), from);
  if (to.is(Kind::kDyn) || from.is(Kind::kDyn)) return true;
  if (from.is(Kind::kNull) && IsNullable(to)) return true;
  if (!to.is(from.kind()) || to.message() != from.message()) return false;
  switch (to.kind()) {
    case Kind::kInt:
      return to.enumeration() == nullptr || from.enumeration() == nullptr ||
             to.enumeration() == from.enumeration();
    case Kind::kList:
      return Assign(to.element(), from.element());
    case Kind::kMap:
      return Assign(to.key(), from.key()) && Assign(to.mapped(), from.mapped());
    default:
      return true;
  }
}

Type Bindings::Substitute(const Type& type) const {
  switch (type.kind()) {
    case Kind::kParameter:
      return bound_[static_cast<size_t>(type.parameter())].value_or(Type::Dyn());
    case Kind::kList:
      return Type::List(Substitute(type.element()));
    case Kind::kMap:
      return Type::Map(Substitute(type.key()), Substitute(type.mapped()));
    default:
      return type;
  }
}

std::optional<Type> Join(const Type& a, const Type& b) {
  if (a.is(Kind::kDyn) || b.is(Kind::kDyn)) return Type::Dyn();
  if (Bindings().Assign(a, b)) return a.enumeration() == nullptr ? a : b;
  if (Bindings().Assign(b, a)) return b;
  return std::nullopt;
}

}  // namespace zhibu::cel
