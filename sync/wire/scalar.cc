#include "sync/wire/scalar.h"

#include "sync/wire/value.h"
#include "sync/wire/wire.h"

namespace zhibu::merging {

Scalar ScalarOf(const FieldRule& rule, absl::string_view raw) {
  using google::protobuf::FieldDescriptor;
  Scalar scalar;
  if (rule.descriptor->type() == FieldDescriptor::TYPE_MESSAGE) {  // Timestamp
    scalar.is_signed = true;
    ForEachPayload(*rule.descriptor, raw, [&](absl::string_view payload) {
      wire::Reader parts(payload);
      wire::Field field;
      while (parts.Next(&field)) {
        if (field.type != wire::Type::kVarint) continue;
        if (field.number == 1) scalar.number = field.scalar;
        if (field.number == 2) scalar.nanos = static_cast<int32_t>(field.scalar);
      }
    });
    return scalar;
  }
  const auto value = LastOf(*rule.descriptor, raw);
  if (!value) return scalar;
  scalar.number = value->scalar;
  scalar.text = value->payload;
  switch (rule.descriptor->type()) {
    case FieldDescriptor::TYPE_SINT32:
    case FieldDescriptor::TYPE_SINT64:
      scalar.number = static_cast<uint64_t>(wire::UnZigZag(scalar.number));
      scalar.is_signed = true;
      break;
    case FieldDescriptor::TYPE_SFIXED32:
      scalar.number =
          static_cast<uint64_t>(static_cast<int64_t>(static_cast<int32_t>(scalar.number)));
      scalar.is_signed = true;
      break;
    case FieldDescriptor::TYPE_INT32:
    case FieldDescriptor::TYPE_INT64:
    case FieldDescriptor::TYPE_SFIXED64:
      scalar.is_signed = true;
      break;
    default:
      break;
  }
  return scalar;
}

std::string SumField(const FieldRule& rule, absl::string_view value, absl::string_view addend) {
  // Two's complement: addition wraps, and so is the same in every order.
  const uint64_t sum = ScalarOf(rule, value).number + ScalarOf(rule, addend).number;
  if (sum == 0) return "";
  const bool zigzag = rule.descriptor->type() == google::protobuf::FieldDescriptor::TYPE_SINT64;
  std::string raw;
  wire::AppendVarintField(rule.number, zigzag ? wire::ZigZag(static_cast<int64_t>(sum)) : sum,
                          &raw);
  return raw;
}

}  // namespace zhibu::merging
