// A field's value as bytes that stand in the order of the values: numbers by size, times and dates
// by time, enums by number, text by its characters' numbers.
#ifndef ZHIBU_CLIENT_CORE_QUERY_SORT_KEY_H_
#define ZHIBU_CLIENT_CORE_QUERY_SORT_KEY_H_

#include <google/protobuf/message.h>

#include <optional>
#include <string>

#include "absl/strings/string_view.h"

namespace zhibu::client {

// Whether there is such an order: it is a single field, of a value or a time.
bool HasOrder(const google::protobuf::FieldDescriptor& field);

// `field` has an order.
void AppendKey(const google::protobuf::Message& message,
               const google::protobuf::FieldDescriptor& field, std::string* key);

// Of a value as somebody writes it. Nothing: the field has no such.
std::optional<std::string> KeyOfText(const google::protobuf::FieldDescriptor& field,
                                     absl::string_view text);

// The other way round.
void Reverse(size_t from, std::string* key);

}  // namespace zhibu::client

#endif  // ZHIBU_CLIENT_CORE_QUERY_SORT_KEY_H_
