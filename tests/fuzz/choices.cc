#include "tests/fuzz/choices.h"

#include <limits>
#include <memory>

#include "sync/wire/slots.h"

namespace zhibu::test {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using sync::v1::Change;

namespace {

// Deeper than any record that people fill in, shallower than what protobuf reads.
constexpr int kDepthMax = 40;

}  // namespace

uint8_t Choices::Byte() {
  if (rest_.empty()) return 0;
  const auto byte = static_cast<uint8_t>(rest_[0]);
  rest_.remove_prefix(1);
  return byte;
}

uint64_t Choices::Number() {
  constexpr uint64_t kEdges[] = {
      std::numeric_limits<int32_t>::max(),  std::numeric_limits<uint32_t>::max(),
      std::numeric_limits<int64_t>::max(),  uint64_t{1} << 63,
      std::numeric_limits<uint64_t>::max(), uint64_t{1'795'000'000'000} << 16,
  };
  const uint8_t byte = Byte();
  if (byte < 0xe0) return byte;
  if (const size_t edge = byte - 0xe0u; edge < std::size(kEdges)) return kEdges[edge];
  uint64_t number = 0;
  for (int i = 0; i < 8; ++i) number = (number << 8) | Byte();
  return number;
}

absl::string_view Choices::Bytes() {
  size_t size = Byte();
  if (size == 0xff) size = Byte() * size_t{16};
  const absl::string_view bytes = rest_.substr(0, size);
  rest_.remove_prefix(bytes.size());
  return bytes;
}

std::string Choices::Text() {
  static const std::vector<std::string> kTexts = {
      "", "a", "b", "礼堂", "2026-11-21", "2026-11", std::string(300, 'x'), "\xff"};
  const uint8_t byte = Byte();
  return byte < 0xf0 ? kTexts[byte % kTexts.size()] : std::string(Bytes());
}

Id Choices::AnId() {
  const uint8_t byte = Byte();
  if (byte < ids_.size()) return ids_[byte];
  std::string bytes(Id::kSize, '\0');
  bytes.back() = static_cast<char>(byte);
  return *Id::FromBytes(bytes);
}

const RecordType& Choices::Type(const Schema& schema) {
  const uint8_t byte = Byte();
  return byte < 0xa0 ? *schema.FindByName("Sampler") : schema.types()[byte % schema.types().size()];
}

void Choices::FillField(Message* message, const FieldDescriptor& field, int depth) {
  const auto& reflection = *message->GetReflection();
  const auto put = [&](auto set, auto add, auto value) {
    if (field.is_repeated()) {
      (reflection.*add)(message, &field, value);
    } else {
      (reflection.*set)(message, &field, value);
    }
  };
  using R = google::protobuf::Reflection;
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32:
      return put(&R::SetInt32, &R::AddInt32, static_cast<int32_t>(Number()));
    case FieldDescriptor::CPPTYPE_INT64:
      return put(&R::SetInt64, &R::AddInt64, static_cast<int64_t>(Number()));
    case FieldDescriptor::CPPTYPE_UINT32:
      return put(&R::SetUInt32, &R::AddUInt32, static_cast<uint32_t>(Number()));
    case FieldDescriptor::CPPTYPE_UINT64:
      return put(&R::SetUInt64, &R::AddUInt64, Number());
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return put(&R::SetDouble, &R::AddDouble, static_cast<double>(Number()));
    case FieldDescriptor::CPPTYPE_FLOAT:
      return put(&R::SetFloat, &R::AddFloat, static_cast<float>(Number()));
    case FieldDescriptor::CPPTYPE_BOOL:
      return put(&R::SetBool, &R::AddBool, Coin());
    case FieldDescriptor::CPPTYPE_ENUM:
      return put(&R::SetEnumValue, &R::AddEnumValue, static_cast<int>(Number()));
    case FieldDescriptor::CPPTYPE_STRING:
      return put(&R::SetString, &R::AddString,
                 field.type() == FieldDescriptor::TYPE_BYTES ? AnId().str() : Text());
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return Fill(field.is_repeated() ? reflection.AddMessage(message, &field)
                                      : reflection.MutableMessage(message, &field),
                  depth + 1);
  }
}

void Choices::Fill(Message* message, int depth) {
  const auto& descriptor = *message->GetDescriptor();
  if (descriptor.field_count() == 0) return;
  for (uint32_t n = Below(6); n > 0; --n) {
    const auto& field =
        *descriptor.field(static_cast<int>(Below(static_cast<uint32_t>(descriptor.field_count()))));
    if (field.message_type() == nullptr || depth < kDepthMax) FillField(message, field, depth);
  }
}

std::string Choices::Body(const RecordType& type) {
  const uint8_t kind = Byte();
  if (kind >= 0xf8) return std::string(Bytes());
  const std::unique_ptr<Message> message(
      google::protobuf::MessageFactory::generated_factory()->GetPrototype(type.descriptor)->New());
  Fill(message.get());
  std::string body = message->SerializePartialAsString();
  // Fields that this build does not know, or in a form that it does not expect.
  if (kind >= 0xe0) body.append(std::string(Bytes()));
  return body;
}

sync::v1::Without Choices::Without(const Fields& fields, int depth) {
  sync::v1::Without without;
  const auto number = [&] {
    const uint8_t byte = Byte();
    return byte < 0xf0 && !fields.rules().empty()
               ? fields.rules()[byte % fields.rules().size()].number
               : static_cast<uint32_t>(Number());
  };
  for (uint32_t n = Below(3); n > 0; --n) without.add_cleared(number());
  for (uint32_t n = Below(3); n > 0; --n) {
    auto* removed = without.add_removed();
    removed->set_field(number());
    for (uint32_t m = Below(3); m > 0; --m) removed->add_elements(Text());
  }
  for (uint32_t n = Below(3); n > 0 && depth < kDepthMax; --n) {
    auto* nested = without.add_nested();
    nested->set_field(number());
    nested->set_key(Text());
    nested->set_created(Coin());
    const FieldRule* rule = fields.Find(nested->field());
    *nested->mutable_without() =
        Without(rule == nullptr || rule->element == nullptr ? fields : *rule->element, depth + 1);
  }
  return without;
}

void Choices::Fill(const RecordType& type, Change* change) {
  change->set_type(type.number);
  change->set_kind(static_cast<Change::Kind>(Below(Change::Kind_ARRAYSIZE)));
  change->set_base(Number());
  if (change->kind() == Change::DELETE) return;
  change->set_set(Body(type));
  if (Coin()) *change->mutable_without() = Without(type.fields);
}

}  // namespace zhibu::test
