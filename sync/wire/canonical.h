// One spelling for each meaning. Protobuf lets one message be written in many ways: a
// single field twice, in another wire type, a number with idle bytes, fields in any
// order. Readers that take the first, the last or each of them then see different
// records. So what comes in is in the one form that the merge keeps and that
// protobuf's C++ serialiser writes, at every depth, or it is refused as MALFORMED:
//
//   CheckCanonical(fields, bytes).ok()  ⇒  Canonical(fields, bytes) == bytes
//                                       ⇒  protobuf reads and writes what it knows so
//
//   order     fields ascend; a single one stands once, of a oneof one member;
//             sets ascend by their bytes, keyed elements and maps by their keys, each once
//   form      the declared wire type, repeated numbers packed as declared; tags,
//             lengths and numbers in as few bytes as there are; numbers within their type
//   absence   a field at its default is left out, as protobuf leaves it out (a MAX or
//             MIN may say zero, which is no absence there; a map's entry has key and value)
//   unknown   a field that this build does not know ascends with the others, in as few
//             bytes; what is in it is nobody's business, how much it is (UnknownBytes) is
//
// In a record, values are looked at as well: text (sync/base/text.h), lengths (bytes_max),
// amounts (number_max), times within the years 1 to 9999, declared states of a FORWARD field
// (BAD_VALUE, INVALID_TEXT, TOO_LARGE, each with the name of the field). Other enums are open: a
// newer app may know more values, and none of them gives anybody a right. What the
// server alone writes is held to its form only.
#ifndef ZHIBU_SYNC_WIRE_CANONICAL_H_
#define ZHIBU_SYNC_WIRE_CANONICAL_H_

#include <google/protobuf/descriptor.h>

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "sync/schema/schema.h"

namespace zhibu {

// Of a record, or a part of one (Change.set); `name` is told where there is no field to
// name.
absl::Status CheckCanonical(const Fields& fields, absl::string_view bytes, absl::string_view name);

// Of any message, a Hello or an Edit: its form alone.
absl::Status CheckCanonicalMessage(const google::protobuf::Descriptor& descriptor,
                                   absl::string_view bytes);

// How much of a record, or a part of one, this build does not know: all that stands in
// fields it has no declaration of, at every depth.
size_t UnknownBytes(const Fields& fields, absl::string_view body);

// The canonical form of a body that may have been written before anybody checked it, or
// by an app that does not sort: read as protobuf reads it, fields in order, sets and
// keyed elements sorted.
std::string Canonical(const Fields& fields, absl::string_view body);

}  // namespace zhibu

#endif  // ZHIBU_SYNC_WIRE_CANONICAL_H_
