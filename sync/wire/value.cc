#include "sync/wire/value.h"

namespace zhibu {

using google::protobuf::FieldDescriptor;

wire::Type WireTypeOf(const FieldDescriptor& field) {
  switch (field.type()) {
    case FieldDescriptor::TYPE_STRING:
    case FieldDescriptor::TYPE_BYTES:
    case FieldDescriptor::TYPE_MESSAGE:
    case FieldDescriptor::TYPE_GROUP:
      return wire::Type::kBytes;
    case FieldDescriptor::TYPE_FIXED64:
    case FieldDescriptor::TYPE_SFIXED64:
    case FieldDescriptor::TYPE_DOUBLE:
      return wire::Type::kFixed64;
    case FieldDescriptor::TYPE_FIXED32:
    case FieldDescriptor::TYPE_SFIXED32:
    case FieldDescriptor::TYPE_FLOAT:
      return wire::Type::kFixed32;
    default:
      return wire::Type::kVarint;
  }
}

uint64_t NumberAs(const FieldDescriptor& field, uint64_t scalar) {
  switch (field.type()) {
    case FieldDescriptor::TYPE_INT32:
    case FieldDescriptor::TYPE_ENUM:
      return static_cast<uint64_t>(static_cast<int64_t>(static_cast<int32_t>(scalar)));
    case FieldDescriptor::TYPE_UINT32:
    case FieldDescriptor::TYPE_SINT32:
      return static_cast<uint32_t>(scalar);
    case FieldDescriptor::TYPE_BOOL:
      return scalar != 0 ? 1 : 0;
    default:
      return scalar;
  }
}

std::optional<wire::Field> LastOf(const FieldDescriptor& field, absl::string_view bytes) {
  const wire::Type type = WireTypeOf(field);
  std::optional<wire::Field> last;
  wire::Reader reader(bytes);
  wire::Field one;
  while (reader.Next(&one)) {
    if (one.number == static_cast<uint32_t>(field.number()) && one.type == type) last = one;
  }
  if (last) last->scalar = NumberAs(field, last->scalar);
  return last;
}

void ForEachPayload(const FieldDescriptor& field, absl::string_view bytes,
                    absl::FunctionRef<void(absl::string_view)> visit) {
  if (!field.is_repeated() && field.message_type() == nullptr) {
    if (const auto last = LastOf(field, bytes)) visit(last->payload);
    return;
  }
  wire::Reader reader(bytes);
  wire::Field one;
  while (reader.Next(&one)) {
    if (one.number == static_cast<uint32_t>(field.number()) && one.type == wire::Type::kBytes) {
      visit(one.payload);
    }
  }
}

std::vector<Id> IdsIn(const FieldRule& rule, absl::string_view body) {
  std::vector<Id> ids;
  ForEachPayload(*rule.descriptor, body, [&](absl::string_view payload) {
    if (const auto id = Id::FromBytes(payload)) ids.push_back(*id);
  });
  return ids;
}

int EnumOf(const FieldRule& rule, absl::string_view body) {
  const auto value = LastOf(*rule.descriptor, body);
  return value ? static_cast<int>(value->scalar) : 0;
}

std::vector<int> EnumsOf(const FieldRule& rule, absl::string_view body) {
  std::vector<int> values;
  wire::Reader reader(body);
  for (wire::Field one; reader.Next(&one);) {
    if (one.number != rule.number) continue;
    if (one.type == wire::Type::kVarint) values.push_back(static_cast<int>(one.scalar));
    if (one.type != wire::Type::kBytes || !rule.descriptor->is_repeated()) continue;
    wire::PackedReader packed(wire::Type::kVarint, one.payload);
    for (wire::Field number; packed.Next(&number);) {
      values.push_back(static_cast<int>(number.scalar));
    }
  }
  // Of a single one the last stands.
  if (!rule.descriptor->is_repeated() && values.size() > 1) values = {values.back()};
  return values;
}

}  // namespace zhibu
