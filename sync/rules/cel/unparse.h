// An expression as text again: one line, no brackets but those that are needed.
//
//   Unparse(*Parse("(a+b) * (c)"))  ->  (a + b) * c
#ifndef ZHIBU_SYNC_RULES_CEL_UNPARSE_H_
#define ZHIBU_SYNC_RULES_CEL_UNPARSE_H_

#include <string>

#include "sync/rules/cel/ast.h"

namespace zhibu::cel {

std::string Unparse(const Expr& expr);

}  // namespace zhibu::cel

#endif  // ZHIBU_SYNC_RULES_CEL_UNPARSE_H_
