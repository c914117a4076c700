// What people write of a record, turned into protobuf's JSON form:
//
//   {"主题": "七月党员大会", "时间": "2026-07-01 09:00", "主持人": "甲青石", "类型":
//   "支部党员大会"}
//   {"topic": "七月党员大会", "startsAt": "2026-07-01T01:00:00Z", "chairId": "…", "kind":
//   "MEMBERS"}
//
// Fields go by their label or their name in the .proto; whom or what one names by its title, as
// lists show it (Names), or its id; an enum's value, a code and a type of record by their words; a
// time by China's clock; money as 18.50元 or 1850分; a share as 0.5%. What programs write stays as
// it is.
#ifndef ZHIBU_CLIENT_CORE_CLI_SPOKEN_H_
#define ZHIBU_CLIENT_CORE_CLI_SPOKEN_H_

#include <google/protobuf/descriptor.h>

#include <nlohmann/json.hpp>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client-core/actions/names.h"

namespace zhibu::client {

// Null where the type has no such field.
const google::protobuf::FieldDescriptor* FieldMeant(const google::protobuf::Descriptor& type,
                                                    const std::string& text);
// NOT_UNDERSTOOD: it has none; says which it has.
absl::StatusOr<const google::protobuf::FieldDescriptor*> FieldFrom(
    const google::protobuf::Descriptor& type, const std::string& text);

// NOT_UNDERSTOOD: an amount under a label, with no unit. Under the name in the .proto it is fen.
absl::Status CheckUnit(const google::protobuf::Descriptor& type, const std::string& name,
                       const google::protobuf::FieldDescriptor& field, const nlohmann::json& value);

// NOT_UNDERSTOOD, NOT_HERE, SEVERAL_MEANT: says of which field.
absl::StatusOr<nlohmann::json> AsProto(const nlohmann::json& object,
                                       const google::protobuf::Descriptor& type, Names& names);

// One value of that field, as AsProto takes it.
absl::StatusOr<nlohmann::json> ValueAsProto(const nlohmann::json& value,
                                            const google::protobuf::FieldDescriptor& field,
                                            Names& names);

}  // namespace zhibu::client

#endif  // ZHIBU_CLIENT_CORE_CLI_SPOKEN_H_
