// A message, changed as somebody writes it on a command line: by JSON, from an argument, a file or
// what comes in; by FIELD=VALUE; or by one element of a list.
#ifndef ZHIBU_CLIENT_CORE_CLI_PATCH_H_
#define ZHIBU_CLIENT_CORE_CLI_PATCH_H_

#include <google/protobuf/message.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client-core/actions/names.h"

namespace zhibu::client {

// "-": what comes in; "@FILE": what the file holds; else as it is. NOT_HERE: there is no such file.
absl::StatusOr<std::string> ContentFrom(const std::string& argument);

// What somebody has written of a record, as protobuf's JSON: an argument of ContentFrom, which may
// be empty, and "FIELD=VALUE" for each of `set`; an empty value empties the field. NOT_UNDERSTOOD
// and the errors of AsProto (cli/spoken.h).
absl::StatusOr<nlohmann::json> Spoken(const std::string& argument,
                                      const std::vector<std::string>& set,
                                      const google::protobuf::Descriptor& type, Names& names);

// Puts what Spoken gave in the place of the fields that it names; null empties one.
absl::Status Patch(const nlohmann::json& object, google::protobuf::Message* message);

// "present=甲青石": one more element of a list. Taken away by value, or by key.
absl::Status AddElement(const std::string& assignment, Names& names,
                        google::protobuf::Message* message);
absl::Status RemoveElement(const std::string& assignment, Names& names,
                           google::protobuf::Message* message);

}  // namespace zhibu::client

#endif  // ZHIBU_CLIENT_CORE_CLI_PATCH_H_
