// Literals of text and numbers.
//
//   'a\n' "a" '''a''' r'\d+' b'\xff' br"…"        12 0x0c 12u 1.5 .5 2e3
#ifndef ZHIBU_SYNC_RULES_CEL_LITERAL_H_
#define ZHIBU_SYNC_RULES_CEL_LITERAL_H_

#include <cstddef>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "sync/rules/cel/lexer.h"
#include "sync/rules/cel/position.h"
#include "sync/rules/cel/value.h"

namespace zhibu::cel {

struct TextLiteral {
  bool is_bytes = false;
  std::string value;
  size_t length = 0;  // in the source
};

// The bytes before the quote of a literal that `source` begins with; npos where it begins
// with none.
size_t TextPrefix(absl::string_view source);

// `prefix` is what TextPrefix has said.
absl::StatusOr<TextLiteral> ReadTextLiteral(absl::string_view source, size_t prefix, Position at);

// Of kInt, kUint or kDouble.
absl::StatusOr<Value> ReadNumberLiteral(const Token& token, bool negative);

}  // namespace zhibu::cel

#endif  // ZHIBU_SYNC_RULES_CEL_LITERAL_H_
