// A tree as text, with every bracket: equal texts are equal trees, but for positions.
#ifndef ZHIBU_TESTS_SYNC_RULES_CEL_OUTLINE_H_
#define ZHIBU_TESTS_SYNC_RULES_CEL_OUTLINE_H_

#include <string>

#include "absl/strings/str_cat.h"
#include "sync/rules/cel/ast.h"
#include "sync/rules/cel/text.h"

namespace zhibu::cel {

inline std::string Outline(const Expr& expr) {
  std::string text =
      absl::StrCat("(", static_cast<int>(expr.form), ".", static_cast<int>(expr.macro),
                   expr.rooted ? " rooted" : "", expr.receiver ? " on " : " ",
                   Literal(Value::String(expr.name)), " ", Literal(expr.constant));
  for (const std::string& field : expr.fields) {
    absl::StrAppend(&text, " ", Literal(Value::String(field)));
  }
  for (const Expr& child : expr.children) absl::StrAppend(&text, " ", Outline(child));
  return text + ")";
}

}  // namespace zhibu::cel

#endif  // ZHIBU_TESTS_SYNC_RULES_CEL_OUTLINE_H_
