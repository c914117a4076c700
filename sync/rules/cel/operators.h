// Operators are functions, by names that nobody can write: a + b calls "_+_".
#ifndef ZHIBU_SYNC_RULES_CEL_OPERATORS_H_
#define ZHIBU_SYNC_RULES_CEL_OPERATORS_H_

#include "absl/strings/string_view.h"

namespace zhibu::cel {

inline constexpr char kConditional[] = "_?_:_";
inline constexpr char kAnd[] = "_&&_";
inline constexpr char kOr[] = "_||_";
inline constexpr char kNot[] = "!_";
inline constexpr char kNegate[] = "-_";
inline constexpr char kIndex[] = "_[_]";
inline constexpr char kIn[] = "@in";
inline constexpr char kEqual[] = "_==_";
inline constexpr char kUnequal[] = "_!=_";

// "+" of "_+_", "in", "[ ]", "?", "!"; empty for what is no operator.
absl::string_view SignOf(absl::string_view function);
// That it stands between two: "+", not "!".
bool IsBetweenTwo(absl::string_view function);
// The sign, or the name of what is no operator: as somebody has written it.
absl::string_view ShownName(absl::string_view function);

}  // namespace zhibu::cel

#endif  // ZHIBU_SYNC_RULES_CEL_OPERATORS_H_
