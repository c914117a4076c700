#include "sync/rules/cel/kind.h"

namespace zhibu::cel {

absl::string_view NameOf(Kind kind) {
  switch (kind) {
    case Kind::kNull:
      return "null_type";
    case Kind::kBool:
      return "bool";
    case Kind::kInt:
      return "int";
    case Kind::kUint:
      return "uint";
    case Kind::kDouble:
      return "double";
    case Kind::kString:
      return "string";
    case Kind::kBytes:
      return "bytes";
    case Kind::kDuration:
      return "google.protobuf.Duration";
    case Kind::kTimestamp:
      return "google.protobuf.Timestamp";
    case Kind::kList:
      return "list";
    case Kind::kMap:
      return "map";
    case Kind::kMessage:
      return "message";
    case Kind::kType:
      return "type";
    case Kind::kDyn:
    case Kind::kParameter:
      return "dyn";
    case Kind::kUnknown:
      return "unknown";
    case Kind::kError:
      return "error";
  }
  return "";
}

}  // namespace zhibu::cel
