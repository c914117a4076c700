// Does a field of a message have a value that a person wrote as text?
#ifndef ZHIBU_CLIENT_CORE_STORE_MATCH_H_
#define ZHIBU_CLIENT_CORE_STORE_MATCH_H_

#include <google/protobuf/message.h>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace zhibu::client {

// By its name in proto or in JSON; null if there is none.
const google::protobuf::FieldDescriptor* FindField(const google::protobuf::Descriptor& message,
                                                   absl::string_view name);

// `value` as protobuf's JSON form has it, without quotes: an enum's name or
// label, bytes in base64. A repeated field matches if one element does.
// INVALID_ARGUMENT: no such field, or a message, which has no such form.
absl::StatusOr<bool> FieldMatches(const google::protobuf::Message& message, absl::string_view field,
                                  absl::string_view value);

}  // namespace zhibu::client

#endif  // ZHIBU_CLIENT_CORE_STORE_MATCH_H_
