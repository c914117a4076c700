// The one reader of a field's value. What comes in has one spelling
// (sync/wire/canonical.h); of what was stored before that was checked, everybody reads the
// same as protobuf does: of a single field the last of its declared wire type, of a
// repeated one all of them.
#ifndef ZHIBU_SYNC_WIRE_VALUE_H_
#define ZHIBU_SYNC_WIRE_VALUE_H_

#include <google/protobuf/descriptor.h>

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/strings/string_view.h"
#include "sync/base/types.h"
#include "sync/schema/schema.h"
#include "sync/wire/wire.h"

namespace zhibu {

// How one value of the field stands on the wire.
wire::Type WireTypeOf(const google::protobuf::FieldDescriptor& field);

// A number of that wire type as it fits the field's type: an int32 is sign-extended, a
// bool is 0 or 1.
uint64_t NumberAs(const google::protobuf::FieldDescriptor& field, uint64_t scalar);

// The value of a single field in `bytes`, which may hold other fields as well.
std::optional<wire::Field> LastOf(const google::protobuf::FieldDescriptor& field,
                                  absl::string_view bytes);

// Every value of a single or repeated string, bytes or message field, as it stands.
void ForEachPayload(const google::protobuf::FieldDescriptor& field, absl::string_view bytes,
                    absl::FunctionRef<void(absl::string_view)> visit);

// The ids that a single or repeated field names; what is no id is left out.
std::vector<Id> IdsIn(const FieldRule& rule, absl::string_view body);

// The state that a body is in by a FORWARD field, or the value of another enum; 0: none.
int EnumOf(const FieldRule& rule, absl::string_view body);
// Every value of an enum, single or repeated.
std::vector<int> EnumsOf(const FieldRule& rule, absl::string_view body);

}  // namespace zhibu

#endif  // ZHIBU_SYNC_WIRE_VALUE_H_
