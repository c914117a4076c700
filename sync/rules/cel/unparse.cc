#include "sync/rules/cel/unparse.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "sync/rules/cel/macros.h"
#include "sync/rules/cel/operators.h"
#include "sync/rules/cel/text.h"

namespace zhibu::cel {
namespace {

using Form = Expr::Form;

// How tightly a form binds.
enum Strength { kTernary, kOrs, kAnds, kRelations, kSums, kProducts, kUnary, kPrimary };

Strength StrengthOf(absl::string_view operation) {
  if (operation == "||") return kOrs;
  if (operation == "&&") return kAnds;
  if (operation == "+" || operation == "-") return kSums;
  if (operation == "*" || operation == "/" || operation == "%") return kProducts;
  return kRelations;
}

bool IsNegated(const Expr& expr) { return expr.name == kNot || expr.name == kNegate; }

Strength StrengthOf(const Expr& expr) {
  if (expr.form != Form::kCall) return kPrimary;
  if (expr.name == kConditional) return kTernary;
  if (IsNegated(expr)) return kUnary;
  return IsBetweenTwo(expr.name) ? StrengthOf(SignOf(expr.name)) : kPrimary;
}

std::string FieldName(absl::string_view name) {
  const bool plain = !name.empty() && !absl::ascii_isdigit(name[0]) &&
                     std::all_of(name.begin(), name.end(), [](char byte) {
                       return absl::ascii_isalnum(byte) || byte == '_';
                     });
  const bool literal = name == "in" || name == "true" || name == "false" || name == "null";
  return plain && !literal ? std::string(name) : absl::StrCat("`", name, "`");
}

std::string Written(const Expr& expr);

std::string WrittenAtLeast(const Expr& expr, int strength) {
  if (StrengthOf(expr) >= strength) return Written(expr);
  return absl::StrCat("(", Written(expr), ")");
}

std::string WrittenList(absl::Span<const Expr> exprs) {
  std::string text;
  for (const Expr& expr : exprs) absl::StrAppend(&text, text.empty() ? "" : ", ", Written(expr));
  return text;
}

std::string WrittenNegation(const Expr& expr) {
  const std::string text = WrittenAtLeast(expr.children[0], kUnary);
  if (expr.name == kNot) return absl::StrCat("!", text);
  // "-5" would be a number.
  return absl::ascii_isdigit(text[0]) ? absl::StrCat("-(", text, ")") : absl::StrCat("-", text);
}

std::string WrittenCall(const Expr& expr) {
  const auto& children = expr.children;
  if (IsNegated(expr)) return WrittenNegation(expr);
  if (expr.name == kConditional) {
    return absl::StrCat(WrittenAtLeast(children[0], kOrs), " ? ", WrittenAtLeast(children[1], kOrs),
                        " : ", Written(children[2]));
  }
  if (expr.name == kIndex) {
    return absl::StrCat(WrittenAtLeast(children[0], kPrimary), "[", Written(children[1]), "]");
  }
  if (IsBetweenTwo(expr.name)) {
    const absl::string_view operation = SignOf(expr.name);
    const Strength strength = StrengthOf(operation);
    return absl::StrCat(WrittenAtLeast(children[0], strength), " ", operation, " ",
                        WrittenAtLeast(children[1], strength + 1));
  }
  const auto arguments = absl::MakeConstSpan(children).subspan(expr.receiver ? 1 : 0);
  const std::string target =
      expr.receiver ? absl::StrCat(WrittenAtLeast(children[0], kPrimary), ".") : "";
  return absl::StrCat(expr.rooted ? "." : "", target, expr.name, "(", WrittenList(arguments), ")");
}

std::string WrittenPairs(const Expr& expr) {
  std::string text;
  for (size_t i = 0; i + 1 < expr.children.size(); i += 2) {
    absl::StrAppend(&text, i == 0 ? "" : ", ", Written(expr.children[i]), ": ",
                    Written(expr.children[i + 1]));
  }
  return absl::StrCat("{", text, "}");
}

std::string WrittenMessage(const Expr& expr) {
  std::string text;
  for (size_t i = 0; i < expr.children.size(); ++i) {
    absl::StrAppend(&text, i == 0 ? "" : ", ", FieldName(expr.fields[i]), ": ",
                    Written(expr.children[i]));
  }
  return absl::StrCat(expr.name, "{", text, "}");
}

std::string WrittenSelect(const Expr& expr) {
  return absl::StrCat(WrittenAtLeast(expr.children[0], kPrimary), ".", FieldName(expr.name));
}

std::string Written(const Expr& expr) {
  switch (expr.form) {
    case Form::kConstant:
      return Literal(expr.constant);
    case Form::kName:
      return absl::StrCat(expr.rooted ? "." : "", expr.name);
    case Form::kSelect:
      return WrittenSelect(expr);
    case Form::kHas:
      return absl::StrCat("has(", WrittenSelect(expr), ")");
    case Form::kCall:
      return WrittenCall(expr);
    case Form::kList:
      return absl::StrCat("[", WrittenList(expr.children), "]");
    case Form::kMap:
      return WrittenPairs(expr);
    case Form::kMessage:
      return WrittenMessage(expr);
    case Form::kMacro:
      return absl::StrCat(WrittenAtLeast(expr.children[0], kPrimary), ".", NameOf(expr.macro), "(",
                          expr.name, ", ",
                          WrittenList(absl::MakeConstSpan(expr.children).subspan(1)), ")");
  }
  return "";
}

}  // namespace

std::string Unparse(const Expr& expr) { return Written(expr); }

}  // namespace zhibu::cel
