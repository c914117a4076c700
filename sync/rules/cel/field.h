// Fields of protobuf messages as values, by reflection: generated messages and dynamic ones.
//
// A field that is not set reads as its default, as in protobuf; has() tells. An enum reads as int,
// a Timestamp or Duration as one, other messages as they are.
#ifndef ZHIBU_SYNC_RULES_CEL_FIELD_H_
#define ZHIBU_SYNC_RULES_CEL_FIELD_H_

#include <google/protobuf/descriptor.h>

#include "sync/rules/cel/value.h"

namespace zhibu::cel {

// `field` is one of the message's own descriptor. A list is read as it is looked at; a map at once.
Value ReadField(const MessageRef& of, const google::protobuf::FieldDescriptor& field);

// As has(): a list or map that is not empty, a number or text that is not the default.
bool HasField(const MessageRef& of, const google::protobuf::FieldDescriptor& field);

}  // namespace zhibu::cel

#endif  // ZHIBU_SYNC_RULES_CEL_FIELD_H_
