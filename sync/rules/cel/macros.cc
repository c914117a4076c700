#include "sync/rules/cel/macros.h"

#include <iterator>
#include <utility>

#include "absl/strings/str_cat.h"

namespace zhibu::cel {
namespace {

struct Form {
  Macro macro;
  absl::string_view name;
  size_t arguments_max;
};

constexpr Form kForms[] = {
    {Macro::kHas, "has", 1},       {Macro::kAll, "all", 2},
    {Macro::kExists, "exists", 2}, {Macro::kExistsOne, "exists_one", 2},
    {Macro::kMap, "map", 3},       {Macro::kFilter, "filter", 2},
};

}  // namespace

Macro MacroCalled(absl::string_view name, size_t arguments) {
  for (const Form& form : kForms) {
    if (form.macro == Macro::kHas || form.name != name) continue;
    return arguments >= 2 && arguments <= form.arguments_max ? form.macro : Macro::kNone;
  }
  return Macro::kNone;
}

absl::string_view NameOf(Macro macro) {
  for (const Form& form : kForms) {
    if (form.macro == macro) return form.name;
  }
  return "";
}

absl::StatusOr<Expr> MacroCall(Expr target, Position at, absl::string_view name,
                               std::vector<Expr> arguments) {
  const Expr& variable = arguments[0];
  if (variable.form != Expr::Form::kName || variable.rooted) {
    return ErrorAt(variable.at, absl::StrCat("the first argument of ", name, " is a plain name"));
  }
  Expr expr{Expr::Form::kMacro, at};
  expr.macro = MacroCalled(name, arguments.size());
  expr.name = variable.name;
  expr.children.push_back(std::move(target));
  std::move(arguments.begin() + 1, arguments.end(), std::back_inserter(expr.children));
  return expr;
}

absl::StatusOr<Expr> HasCall(Position at, std::vector<Expr> arguments) {
  if (arguments.size() != 1 || arguments[0].form != Expr::Form::kSelect) {
    return ErrorAt(at, "has() asks for one field: has(this.vote)");
  }
  Expr expr = std::move(arguments[0]);
  expr.form = Expr::Form::kHas;
  return expr;
}

}  // namespace zhibu::cel
