#include "sync/rules/cel/operators.h"

#include "absl/strings/ascii.h"

namespace zhibu::cel {

bool IsBetweenTwo(absl::string_view function) {
  if (function == kIn) return true;
  return function.size() > 2 && function.front() == '_' && function.back() == '_' &&
         absl::ascii_ispunct(static_cast<unsigned char>(function[1])) && function[1] != '_' &&
         function != kConditional && function != kIndex;
}

absl::string_view SignOf(absl::string_view function) {
  if (function == kIn) return "in";
  if (function == kIndex) return "[ ]";
  if (function == kConditional) return "?";
  if (function == kNot || function == kNegate) return function.substr(0, 1);
  return IsBetweenTwo(function) ? function.substr(1, function.size() - 2) : "";
}

absl::string_view ShownName(absl::string_view function) {
  const absl::string_view sign = SignOf(function);
  return sign.empty() ? function : sign;
}

}  // namespace zhibu::cel
