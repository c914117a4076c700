// Source into words. Literals of text come decoded; numbers as they are written, because a sign
// before them decides what fits.
#ifndef ZHIBU_SYNC_RULES_CEL_LEXER_H_
#define ZHIBU_SYNC_RULES_CEL_LEXER_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "sync/rules/cel/position.h"

namespace zhibu::cel {

struct Token {
  enum class Kind {
    kEnd,
    kName,
    kQuotedName,  // `content-type`, without the quotes
    kInt,
    kUint,  // without its u
    kDouble,
    kString,
    kBytes,
    kSign,  // operators and brackets; `in` is a name
  };
  Kind kind = Kind::kEnd;
  Position at;
  std::string text;
};

// The last is kEnd. INVALID_ARGUMENT says where it cannot be read on.
absl::StatusOr<std::vector<Token>> Tokens(absl::string_view source);

}  // namespace zhibu::cel

#endif  // ZHIBU_SYNC_RULES_CEL_LEXER_H_
