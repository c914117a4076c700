// Changing a message by JSON, as `zhibu device edit` does.
#ifndef ZHIBU_CLIENT_CORE_CLI_PATCH_H_
#define ZHIBU_CLIENT_CORE_CLI_PATCH_H_

#include <google/protobuf/message.h>

#include <string>

#include "absl/status/status.h"

namespace zhibu::client {

// Fields that `json` names are replaced, null empties them; the others stay.
absl::Status Patch(const std::string& json, google::protobuf::Message* message);
// "present=…": one more element of a repeated field; JSON, or plain text.
absl::Status AddElement(const std::string& assignment, google::protobuf::Message* message);
// The elements that have this value, or for messages this key.
absl::Status RemoveElement(const std::string& assignment, google::protobuf::Message* message);

}  // namespace zhibu::client

#endif  // ZHIBU_CLIENT_CORE_CLI_PATCH_H_
