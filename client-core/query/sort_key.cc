#include "client-core/query/sort_key.h"

#include <google/protobuf/timestamp.pb.h>
#include <google/protobuf/util/time_util.h>

#include <bit>
#include <cstdint>

#include "absl/strings/numbers.h"
#include "zhibu/schema/v1/options.pb.h"

namespace zhibu::client {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Timestamp;

void AppendUnsigned(uint64_t value, std::string* key) {
  for (int shift = 56; shift >= 0; shift -= 8) key->push_back(static_cast<char>(value >> shift));
}
// The sign's bit turned over: what is below nought stands before.
void AppendSigned(int64_t value, std::string* key) {
  AppendUnsigned(static_cast<uint64_t>(value) ^ (uint64_t{1} << 63), key);
}
// As IEEE has it: of what is below nought, every bit turned over.
void AppendDouble(double value, std::string* key) {
  const auto bits = std::bit_cast<uint64_t>(value == 0 ? 0.0 : value);
  AppendUnsigned(bits >> 63 != 0 ? ~bits : bits | uint64_t{1} << 63, key);
}
// No text that was taken holds a NUL, so that what goes on stands after what ends.
void AppendText(absl::string_view text, std::string* key) {
  key->append(text.data(), text.size());
  key->push_back('\0');
}
void AppendTime(const Timestamp& time, std::string* key) {
  AppendSigned(time.seconds(), key);
  AppendUnsigned(static_cast<uint64_t>(time.nanos()), key);
}

bool IsTime(const FieldDescriptor& field) {
  return field.message_type() == Timestamp::descriptor();
}

const google::protobuf::EnumValueDescriptor* ValueCalled(const FieldDescriptor& field,
                                                         const std::string& text) {
  const auto& type = *field.enum_type();
  if (const auto* value = type.FindValueByName(text)) return value;
  for (int i = 0; i < type.value_count(); ++i) {
    if (type.value(i)->options().GetExtension(zhibu::value_label) == text) return type.value(i);
  }
  return nullptr;
}

template <typename T>
std::optional<T> NumberIn(absl::string_view text) {
  T value = 0;
  if (!absl::SimpleAtoi(text, &value)) return std::nullopt;
  return value;
}

}  // namespace

bool HasOrder(const FieldDescriptor& field) {
  return !field.is_repeated() && (field.message_type() == nullptr || IsTime(field));
}

void AppendKey(const Message& message, const FieldDescriptor& field, std::string* key) {
  const auto& reflection = *message.GetReflection();
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_STRING:
      return AppendText(reflection.GetString(message, &field), key);
    case FieldDescriptor::CPPTYPE_ENUM:
      return AppendSigned(reflection.GetEnumValue(message, &field), key);
    case FieldDescriptor::CPPTYPE_BOOL:
      return AppendSigned(reflection.GetBool(message, &field) ? 1 : 0, key);
    case FieldDescriptor::CPPTYPE_INT32:
      return AppendSigned(reflection.GetInt32(message, &field), key);
    case FieldDescriptor::CPPTYPE_INT64:
      return AppendSigned(reflection.GetInt64(message, &field), key);
    case FieldDescriptor::CPPTYPE_UINT32:
      return AppendUnsigned(reflection.GetUInt32(message, &field), key);
    case FieldDescriptor::CPPTYPE_UINT64:
      return AppendUnsigned(reflection.GetUInt64(message, &field), key);
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return AppendDouble(reflection.GetDouble(message, &field), key);
    case FieldDescriptor::CPPTYPE_FLOAT:
      return AppendDouble(reflection.GetFloat(message, &field), key);
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return AppendTime(static_cast<const Timestamp&>(reflection.GetMessage(message, &field)), key);
  }
}

std::optional<std::string> KeyOfText(const FieldDescriptor& field, absl::string_view text) {
  std::string key;
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_STRING:
      AppendText(text, &key);
      return key;
    case FieldDescriptor::CPPTYPE_ENUM: {
      const auto* value = ValueCalled(field, std::string(text));
      if (value == nullptr) return std::nullopt;
      AppendSigned(value->number(), &key);
      return key;
    }
    case FieldDescriptor::CPPTYPE_BOOL:
      if (text != "true" && text != "false") return std::nullopt;
      AppendSigned(text == "true" ? 1 : 0, &key);
      return key;
    case FieldDescriptor::CPPTYPE_INT32:
    case FieldDescriptor::CPPTYPE_INT64: {
      const auto value = NumberIn<int64_t>(text);
      if (!value) return std::nullopt;
      AppendSigned(*value, &key);
      return key;
    }
    case FieldDescriptor::CPPTYPE_UINT32:
    case FieldDescriptor::CPPTYPE_UINT64: {
      const auto value = NumberIn<uint64_t>(text);
      if (!value) return std::nullopt;
      AppendUnsigned(*value, &key);
      return key;
    }
    case FieldDescriptor::CPPTYPE_DOUBLE:
    case FieldDescriptor::CPPTYPE_FLOAT: {
      double value = 0;
      if (!absl::SimpleAtod(text, &value)) return std::nullopt;
      AppendDouble(value, &key);
      return key;
    }
    case FieldDescriptor::CPPTYPE_MESSAGE: {
      Timestamp time;
      if (!google::protobuf::util::TimeUtil::FromString(std::string(text), &time)) {
        return std::nullopt;
      }
      AppendTime(time, &key);
      return key;
    }
  }
  return std::nullopt;
}

void Reverse(size_t from, std::string* key) {
  for (size_t i = from; i < key->size(); ++i) (*key)[i] = static_cast<char>(~(*key)[i]);
}

}  // namespace zhibu::client
