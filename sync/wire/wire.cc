#include "sync/wire/wire.h"

#include <limits>

namespace zhibu::wire {
namespace {

// As protobuf: a message and all in it is less than 2 GiB.
constexpr uint64_t kLengthMax = std::numeric_limits<int32_t>::max();

// Takes what it reads off the front of `in`.
bool TakeVarint(absl::string_view* in, uint64_t* value) {
  *value = 0;
  for (size_t i = 0; i < in->size() && i < 10; ++i) {
    const uint64_t byte = static_cast<uint8_t>((*in)[i]);
    *value |= (byte & 0x7f) << (7 * i);
    if (byte < 0x80) {
      in->remove_prefix(i + 1);
      return true;
    }
  }
  return false;
}

bool TakeFixed(size_t size, absl::string_view* in, uint64_t* value) {
  if (in->size() < size) return false;
  *value = 0;
  for (size_t i = size; i-- > 0;) *value = (*value << 8) | static_cast<uint8_t>((*in)[i]);
  in->remove_prefix(size);
  return true;
}

bool TakeBytes(absl::string_view* in, absl::string_view* payload) {
  uint64_t length = 0;
  if (!TakeVarint(in, &length) || length > kLengthMax || length > in->size()) return false;
  *payload = in->substr(0, length);
  in->remove_prefix(length);
  return true;
}

bool TakeValue(absl::string_view* in, Field* field) {
  field->payload = {};
  field->scalar = 0;
  switch (field->type) {
    case Type::kVarint:
      return TakeVarint(in, &field->scalar);
    case Type::kFixed64:
      return TakeFixed(8, in, &field->scalar);
    case Type::kFixed32:
      return TakeFixed(4, in, &field->scalar);
    case Type::kBytes:
      return TakeBytes(in, &field->payload);
  }
  return false;  // a group, or no type at all
}

size_t VarintSize(uint64_t value) {
  size_t size = 1;
  for (; value >= 0x80; value >>= 7) ++size;
  return size;
}

size_t ValueSize(const Field& field) {
  switch (field.type) {
    case Type::kVarint:
      return VarintSize(field.scalar);
    case Type::kFixed64:
      return 8;
    case Type::kFixed32:
      return 4;
    case Type::kBytes:
      return VarintSize(field.payload.size()) + field.payload.size();
  }
  return 0;
}

}  // namespace

bool Reader::Fail() {
  ok_ = false;
  rest_ = {};
  return false;
}

bool Reader::Next(Field* field) {
  if (rest_.empty()) return false;
  absl::string_view in = rest_;
  uint64_t tag = 0;
  if (!TakeVarint(&in, &tag) || (tag >> 3) == 0 || (tag >> 3) > kNumberMax) return Fail();
  field->number = static_cast<uint32_t>(tag >> 3);
  field->type = static_cast<Type>(tag & 7);
  if (!TakeValue(&in, field)) return Fail();
  field->whole = rest_.substr(0, rest_.size() - in.size());
  rest_ = in;
  return true;
}

void AppendVarint(uint64_t value, std::string* out) {
  for (; value >= 0x80; value >>= 7) out->push_back(static_cast<char>(value | 0x80));
  out->push_back(static_cast<char>(value));
}

void AppendVarintField(uint32_t number, uint64_t value, std::string* out) {
  AppendVarint(number << 3, out);
  AppendVarint(value, out);
}

void AppendFixed32Field(uint32_t number, uint32_t value, std::string* out) {
  AppendVarint((number << 3) | static_cast<uint32_t>(Type::kFixed32), out);
  for (int i = 0; i < 4; ++i) out->push_back(static_cast<char>(value >> (8 * i)));
}

void AppendFixed64Field(uint32_t number, uint64_t value, std::string* out) {
  AppendVarint((number << 3) | static_cast<uint32_t>(Type::kFixed64), out);
  for (int i = 0; i < 8; ++i) out->push_back(static_cast<char>(value >> (8 * i)));
}

void AppendBytesField(uint32_t number, absl::string_view payload, std::string* out) {
  AppendVarint((number << 3) | static_cast<uint32_t>(Type::kBytes), out);
  AppendVarint(payload.size(), out);
  out->append(payload.data(), payload.size());
}

std::string ValuesIn(absl::string_view message, uint32_t number) {
  std::string values;
  Reader reader(message);
  Field one;
  while (reader.Next(&one)) {
    if (one.number == number) values.append(one.whole.data(), one.whole.size());
  }
  return values;
}

void AppendField(const Field& field, std::string* out) {
  switch (field.type) {
    case Type::kVarint:
      return AppendVarintField(field.number, field.scalar, out);
    case Type::kFixed64:
      return AppendFixed64Field(field.number, field.scalar, out);
    case Type::kFixed32:
      return AppendFixed32Field(field.number, static_cast<uint32_t>(field.scalar), out);
    case Type::kBytes:
      return AppendBytesField(field.number, field.payload, out);
  }
}

bool IsShortest(const Field& field) {
  const size_t tag = field.number == 0 ? 0 : VarintSize(uint64_t{field.number} << 3);
  if (field.whole.size() != tag + ValueSize(field)) return false;
  // Of a tenth byte only one bit counts.
  return field.type != Type::kVarint || field.whole.size() != tag + 10 || field.whole.back() == 1;
}

bool PackedReader::Next(Field* field) {
  if (rest_.empty()) return false;
  absl::string_view in = rest_;
  field->number = 0;
  field->type = type_;
  ok_ = type_ != Type::kBytes && TakeValue(&in, field);
  field->whole = rest_.substr(0, rest_.size() - in.size());
  rest_ = ok_ ? in : absl::string_view();
  return ok_;
}

}  // namespace zhibu::wire
