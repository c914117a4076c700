#include "client-core/store/match.h"

#include <string>

#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "zhibu/schema/v1/options.pb.h"

namespace zhibu::client {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

bool BytesMatch(const std::string& bytes, absl::string_view value) {
  std::string decoded;
  return (absl::Base64Unescape(value, &decoded) && decoded == bytes) ||
         (absl::WebSafeBase64Unescape(value, &decoded) && decoded == bytes);
}

bool EnumMatches(const google::protobuf::EnumValueDescriptor& found, absl::string_view value) {
  return value == found.name() || value == found.options().GetExtension(zhibu::value_label) ||
         value == absl::StrCat(found.number());
}

// Element `index` of a repeated field, or the value of a single one.
template <typename Single, typename Repeated>
auto Value(const Message& message, const FieldDescriptor* field, int index, Single single,
           Repeated repeated) {
  const auto* reflection = message.GetReflection();
  return field->is_repeated() ? (reflection->*repeated)(message, field, index)
                              : (reflection->*single)(message, field);
}

bool ElementMatches(const Message& message, const FieldDescriptor* field, int index,
                    absl::string_view value) {
  using R = google::protobuf::Reflection;
  switch (field->cpp_type()) {
    case FieldDescriptor::CPPTYPE_STRING: {
      const std::string text = Value(message, field, index, &R::GetString, &R::GetRepeatedString);
      return field->type() == FieldDescriptor::TYPE_BYTES ? BytesMatch(text, value) : text == value;
    }
    case FieldDescriptor::CPPTYPE_ENUM:
      return EnumMatches(*Value(message, field, index, &R::GetEnum, &R::GetRepeatedEnum), value);
    case FieldDescriptor::CPPTYPE_BOOL:
      return value ==
             (Value(message, field, index, &R::GetBool, &R::GetRepeatedBool) ? "true" : "false");
    case FieldDescriptor::CPPTYPE_INT32:
      return value ==
             absl::StrCat(Value(message, field, index, &R::GetInt32, &R::GetRepeatedInt32));
    case FieldDescriptor::CPPTYPE_INT64:
      return value ==
             absl::StrCat(Value(message, field, index, &R::GetInt64, &R::GetRepeatedInt64));
    case FieldDescriptor::CPPTYPE_UINT32:
      return value ==
             absl::StrCat(Value(message, field, index, &R::GetUInt32, &R::GetRepeatedUInt32));
    case FieldDescriptor::CPPTYPE_UINT64:
      return value ==
             absl::StrCat(Value(message, field, index, &R::GetUInt64, &R::GetRepeatedUInt64));
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return value ==
             absl::StrCat(Value(message, field, index, &R::GetDouble, &R::GetRepeatedDouble));
    case FieldDescriptor::CPPTYPE_FLOAT:
      return value ==
             absl::StrCat(Value(message, field, index, &R::GetFloat, &R::GetRepeatedFloat));
    default:
      return false;
  }
}

}  // namespace

const FieldDescriptor* FindField(const google::protobuf::Descriptor& message,
                                 absl::string_view name) {
  const std::string text(name);
  const FieldDescriptor* field = message.FindFieldByName(text);
  return field != nullptr ? field : message.FindFieldByCamelcaseName(text);
}

absl::StatusOr<bool> FieldMatches(const Message& message, absl::string_view field,
                                  absl::string_view value) {
  const FieldDescriptor* descriptor = FindField(*message.GetDescriptor(), field);
  if (descriptor == nullptr || descriptor->message_type() != nullptr) {
    return absl::InvalidArgumentError(
        absl::StrCat(message.GetDescriptor()->name(), " has no field ", field, " to compare"));
  }
  if (!descriptor->is_repeated()) return ElementMatches(message, descriptor, 0, value);
  for (int i = 0; i < message.GetReflection()->FieldSize(message, descriptor); ++i) {
    if (ElementMatches(message, descriptor, i, value)) return true;
  }
  return false;
}

}  // namespace zhibu::client
