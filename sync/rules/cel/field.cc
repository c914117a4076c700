#include "sync/rules/cel/field.h"

#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "sync/rules/cel/collections.h"

namespace zhibu::cel {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

namespace {

// `seconds` and `nanos`, whose numbers Timestamp and Duration share.
struct SecondsAndNanos {
  int64_t seconds = 0;
  int32_t nanos = 0;
};

SecondsAndNanos PartsOf(const Message& message) {
  const Reflection& reflection = *message.GetReflection();
  const auto& descriptor = *message.GetDescriptor();
  return {reflection.GetInt64(message, descriptor.FindFieldByNumber(1)),
          reflection.GetInt32(message, descriptor.FindFieldByNumber(2))};
}

Value ReadTimestamp(const Message& message) {
  const SecondsAndNanos parts = PartsOf(message);
  if (parts.nanos < 0 || parts.nanos > 999'999'999) return Value::Error("a damaged time");
  return Value::Timestamp(absl::FromUnixSeconds(parts.seconds) + absl::Nanoseconds(parts.nanos));
}

Value ReadDuration(const Message& message) {
  const SecondsAndNanos parts = PartsOf(message);
  return Value::Duration(absl::Seconds(parts.seconds) + absl::Nanoseconds(parts.nanos));
}

Value ReadMessage(const Message& message, const Owner& owner) {
  switch (message.GetDescriptor()->well_known_type()) {
    case google::protobuf::Descriptor::WELLKNOWNTYPE_TIMESTAMP:
      return ReadTimestamp(message);
    case google::protobuf::Descriptor::WELLKNOWNTYPE_DURATION:
      return ReadDuration(message);
    default:
      return Value::OfMessage(&message, owner);
  }
}

Value ReadText(const FieldDescriptor& field, const std::string& text, const std::string& scratch,
               const Owner& owner) {
  const bool is_bytes = field.type() == FieldDescriptor::TYPE_BYTES;
  if (&text == &scratch) return is_bytes ? Value::Bytes(text) : Value::String(text);
  const Text shared{text, owner};
  return is_bytes ? Value::Bytes(shared) : Value::String(shared);
}

// Reads either the field, or one element of it: `get(of one, of the i-th)`.
template <typename Getter>
Value ReadScalar(const FieldDescriptor& field, Getter get) {
  using R = Reflection;
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_BOOL:
      return Value::Bool(get(&R::GetBool, &R::GetRepeatedBool));
    case FieldDescriptor::CPPTYPE_INT32:
      return Value::Int(get(&R::GetInt32, &R::GetRepeatedInt32));
    case FieldDescriptor::CPPTYPE_INT64:
      return Value::Int(get(&R::GetInt64, &R::GetRepeatedInt64));
    case FieldDescriptor::CPPTYPE_UINT32:
      return Value::Uint(get(&R::GetUInt32, &R::GetRepeatedUInt32));
    case FieldDescriptor::CPPTYPE_UINT64:
      return Value::Uint(get(&R::GetUInt64, &R::GetRepeatedUInt64));
    case FieldDescriptor::CPPTYPE_FLOAT:
      return Value::Double(get(&R::GetFloat, &R::GetRepeatedFloat));
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return Value::Double(get(&R::GetDouble, &R::GetRepeatedDouble));
    case FieldDescriptor::CPPTYPE_ENUM:
      return Value::Int(get(&R::GetEnumValue, &R::GetRepeatedEnumValue));
    case FieldDescriptor::CPPTYPE_STRING:
    case FieldDescriptor::CPPTYPE_MESSAGE:
      break;
  }
  return Value::Error("a field that cannot be read");
}

Value ReadSingle(const MessageRef& of, const FieldDescriptor& field) {
  const Message& message = *of.message;
  const Reflection& reflection = *message.GetReflection();
  if (field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
    return ReadMessage(reflection.GetMessage(message, &field), of.owner);
  }
  if (field.cpp_type() == FieldDescriptor::CPPTYPE_STRING) {
    std::string scratch;
    const std::string& text = reflection.GetStringReference(message, &field, &scratch);
    return ReadText(field, text, scratch, of.owner);
  }
  return ReadScalar(field, [&](auto one, auto) { return (reflection.*one)(message, &field); });
}

Value ReadElement(const MessageRef& of, const FieldDescriptor& field, int index) {
  const Message& message = *of.message;
  const Reflection& reflection = *message.GetReflection();
  if (field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
    return ReadMessage(reflection.GetRepeatedMessage(message, &field, index), of.owner);
  }
  if (field.cpp_type() == FieldDescriptor::CPPTYPE_STRING) {
    std::string scratch;
    const std::string& text =
        reflection.GetRepeatedStringReference(message, &field, index, &scratch);
    return ReadText(field, text, scratch, of.owner);
  }
  return ReadScalar(field,
                    [&](auto, auto nth) { return (reflection.*nth)(message, &field, index); });
}

class FieldList : public List {
 public:
  FieldList(const MessageRef& of, const FieldDescriptor& field) : of_(of), field_(field) {}

  size_t size() const override {
    return static_cast<size_t>(of_.message->GetReflection()->FieldSize(*of_.message, &field_));
  }
  Value At(size_t index) const override {
    return ReadElement(of_, field_, static_cast<int>(index));
  }

 private:
  const MessageRef of_;
  const FieldDescriptor& field_;
};

Value ReadMap(const MessageRef& of, const FieldDescriptor& field) {
  const Reflection& reflection = *of.message->GetReflection();
  const int size = reflection.FieldSize(*of.message, &field);
  Map::Entries entries;
  for (int i = 0; i < size; ++i) {
    const MessageRef entry{&reflection.GetRepeatedMessage(*of.message, &field, i), of.owner};
    const auto& descriptor = *entry.message->GetDescriptor();
    entries.emplace_back(ReadSingle(entry, *descriptor.map_key()),
                         ReadSingle(entry, *descriptor.map_value()));
  }
  return Value::MapOf(std::move(entries));
}

}  // namespace

Value ReadField(const MessageRef& of, const FieldDescriptor& field) {
  if (field.is_map()) return ReadMap(of, field);
  if (field.is_repeated()) return Value::OfList(std::make_shared<const FieldList>(of, field));
  return ReadSingle(of, field);
}

bool HasField(const MessageRef& of, const FieldDescriptor& field) {
  const Reflection& reflection = *of.message->GetReflection();
  if (field.is_repeated()) return reflection.FieldSize(*of.message, &field) > 0;
  return reflection.HasField(*of.message, &field);
}

}  // namespace zhibu::cel
