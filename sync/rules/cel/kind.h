// The kinds of values and of types.
#ifndef ZHIBU_SYNC_RULES_CEL_KIND_H_
#define ZHIBU_SYNC_RULES_CEL_KIND_H_

#include <cstdint>

#include "absl/strings/string_view.h"

namespace zhibu::cel {

enum class Kind : uint8_t {
  kNull,
  kBool,
  kInt,
  kUint,
  kDouble,
  kString,
  kBytes,
  kDuration,
  kTimestamp,
  kList,
  kMap,
  kMessage,
  kType,
  // Of types only.
  kDyn,
  kParameter,
  // Of values only.
  kUnknown,
  kError,
};

// As an expression writes it: "int", "google.protobuf.Timestamp".
absl::string_view NameOf(Kind kind);

inline bool IsNumber(Kind kind) {
  return kind == Kind::kInt || kind == Kind::kUint || kind == Kind::kDouble;
}

}  // namespace zhibu::cel

#endif  // ZHIBU_SYNC_RULES_CEL_KIND_H_
