// Source into a tree, by CEL's grammar. Macros (has, all, exists, exists_one, map, filter) are
// told here, because no function can take their arguments.
//
// Nothing that can be written makes it deep: see limits.h.
#ifndef ZHIBU_SYNC_RULES_CEL_PARSER_H_
#define ZHIBU_SYNC_RULES_CEL_PARSER_H_

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "sync/rules/cel/ast.h"

namespace zhibu::cel {

// INVALID_ARGUMENT says at which line and column what was expected.
absl::StatusOr<Expr> Parse(absl::string_view source);

bool IsMacro(absl::string_view name);
// A name that may stand alone: no keyword of CEL, nor of languages that it is put into.
bool IsReserved(absl::string_view name);

}  // namespace zhibu::cel

#endif  // ZHIBU_SYNC_RULES_CEL_PARSER_H_
