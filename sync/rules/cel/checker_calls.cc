// Which function a call means, and what names and numbers mean beside others.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "sync/base/status.h"
#include "sync/rules/cel/checker.h"
#include "sync/rules/cel/operators.h"
#include "sync/rules/cel/standard.h"

namespace zhibu::cel {
namespace {

using Form = Expr::Form;

bool IsOperator(const Expr& expr) { return !SignOf(expr.name).empty(); }

// What it costs to fold a constant: far more than anybody writes.
constexpr Budget kFolding{2'000};

// What one side says of the other: nothing, as dyn does, where it says nothing.
Type TypeBeside(bool in, bool is_left, const Type& side) {
  if (!in) return side;
  if (is_left) return Type::List(side);
  if (side.is(Kind::kList)) return side.element();
  return side.is(Kind::kMap) ? side.key() : Type::Dyn();
}

// As somebody would declare it: "param(string)", "timestamp.addMonths(int)".
std::string Signature(const Function& function) {
  std::vector<std::string> types;
  for (const Type& type : function.parameters) types.push_back(type.ToText());
  if (function.style == Style::kGlobal) {
    return absl::StrCat(function.name, "(", absl::StrJoin(types, ", "), ")");
  }
  const std::string on = types[0];
  types.erase(types.begin());
  return absl::StrCat(on, ".", function.name, "(", absl::StrJoin(types, ", "), ")");
}

}  // namespace

absl::StatusOr<Checker::Checked> Checker::CompileCall(const Expr& expr, Hint hint) {
  if (expr.name == kAnd || expr.name == kOr) return CompileLogic(expr);
  if (expr.name == kConditional) return CompileConditional(expr, hint);
  const Candidates candidates = CandidatesFor(expr);
  if (candidates.empty()) {
    return Wrong(expr.at, absl::StrCat("there is no ", expr.receiver ? "x." : "", expr.name,
                                       "() of so many arguments"));
  }
  ASSIGN_OR_RETURN(std::vector<Checked> arguments, CompileArguments(expr, candidates));
  NoteCall(expr, arguments);
  return Resolve(expr, candidates, std::move(arguments));
}

absl::StatusOr<Checker::Checked> Checker::CompileBool(const Expr& expr, absl::string_view whose) {
  ASSIGN_OR_RETURN(Checked checked, Compile(expr));
  if (checked.type.is(Kind::kBool) || checked.type.is(Kind::kDyn)) return checked;
  return ErrorAt(expr.at, absl::StrCat(whose, " is bool, not ", checked.type.ToText()));
}

absl::StatusOr<Checker::Checked> Checker::CompileLogic(const Expr& expr) {
  const std::string whose = absl::StrCat("each side of ", ShownName(expr.name));
  ASSIGN_OR_RETURN(Checked left, CompileBool(expr.children[0], whose));
  ASSIGN_OR_RETURN(Checked right, CompileBool(expr.children[1], whose));
  Checked checked;
  checked.type = Type::Bool();
  checked.node =
      (expr.name == kAnd ? MakeAnd : MakeOr)(expr.at, std::move(left.node), std::move(right.node));
  return checked;
}

absl::StatusOr<Checker::Checked> Checker::CompileConditional(const Expr& expr, Hint hint) {
  ASSIGN_OR_RETURN(Checked condition, CompileBool(expr.children[0], "what stands before ?"));
  ASSIGN_OR_RETURN(Checked yes, Compile(expr.children[1], hint));
  ASSIGN_OR_RETURN(Checked no, Compile(expr.children[2], hint));
  const std::optional<Type> type = Join(yes.type, no.type);
  if (!type.has_value()) {
    return ErrorAt(expr.at, absl::StrCat("? gives ", yes.type.ToText(), " or ", no.type.ToText(),
                                         ": both must be of one type"));
  }
  Checked checked;
  checked.type = *type;
  checked.node =
      MakeConditional(expr.at, std::move(condition.node), std::move(yes.node), std::move(no.node));
  return checked;
}

Checker::Candidates Checker::CandidatesFor(const Expr& expr) const {
  Candidates candidates;
  const Style style = expr.receiver ? Style::kReceiver : Style::kGlobal;
  for (const Functions* functions : {&declarations_.functions, &StandardFunctions()}) {
    const auto named = functions->find(expr.name);
    if (named == functions->end()) continue;
    for (const auto& function : named->second) {
      if (function->style == style && function->parameters.size() == expr.children.size()) {
        candidates.push_back(function);
      }
    }
  }
  return candidates;
}

// Whether what stands beside it says what it means: a name that nobody has declared, a number
// that may be uint, a list of such.
bool Checker::IsNamedByHint(const Expr& expr) const {
  if (checking_ == Checking::kWhenEvaluated) return false;
  switch (expr.form) {
    case Form::kConstant:
      return expr.constant.kind() == Kind::kInt && expr.constant.int_value() >= 0;
    case Form::kName:
      return FindLocal(expr) == nullptr && !Declared(expr.at, expr.name).has_value();
    case Form::kList:
      return std::any_of(expr.children.begin(), expr.children.end(),
                         [this](const Expr& child) { return IsNamedByHint(child); });
    case Form::kCall:
      return expr.name == kConditional &&
             (IsNamedByHint(expr.children[1]) || IsNamedByHint(expr.children[2]));
    default:
      return false;
  }
}

absl::StatusOr<std::vector<Checker::Checked>> Checker::CompileArguments(
    const Expr& expr, const Candidates& candidates) {
  if (IsBetweenTwo(expr.name)) {
    return CompileBeside(expr);
  }
  std::vector<Checked> arguments;
  for (size_t i = 0; i < expr.children.size(); ++i) {
    const auto hints = [i](const auto& function) {
      return function->parameters[i].enumeration() != nullptr;
    };
    const auto named = std::find_if(candidates.begin(), candidates.end(), hints);
    const Hint hint = named == candidates.end() ? nullptr : &(*named)->parameters[i];
    ASSIGN_OR_RETURN(arguments.emplace_back(), Compile(expr.children[i], hint));
  }
  return arguments;
}

// Of an operator between two: the side that means something by itself goes first.
absl::StatusOr<std::vector<Checker::Checked>> Checker::CompileBeside(const Expr& expr) {
  std::vector<Checked> both(2);
  const size_t first = IsNamedByHint(expr.children[0]) && !IsNamedByHint(expr.children[1]) ? 1 : 0;
  ASSIGN_OR_RETURN(both[first], Compile(expr.children[first]));
  const Type hint = TypeBeside(expr.name == kIn, first == 0, both[first].type);
  const size_t second = 1 - first;
  ASSIGN_OR_RETURN(both[second], Compile(expr.children[second], &hint));
  return both;
}

// Several fit where only evaluation tells what the arguments are.
Checker::Candidates Checker::Fitting(const Candidates& candidates,
                                     const std::vector<Checked>& arguments, Type* result) {
  Candidates fitting;
  for (const auto& function : candidates) {
    Bindings bindings;
    bool fits = true;
    for (size_t i = 0; i < arguments.size() && fits; ++i) {
      fits = bindings.Assign(function->parameters[i], arguments[i].type);
    }
    if (!fits) continue;
    const Type type = bindings.Substitute(function->result);
    *result = fitting.empty() ? type : Join(*result, type).value_or(Type::Dyn());
    fitting.push_back(function);
  }
  return fitting;
}

absl::StatusOr<Checker::Checked> Checker::Resolve(const Expr& expr, const Candidates& candidates,
                                                  std::vector<Checked> arguments) {
  Checked checked;
  Candidates fitting = Fitting(candidates, arguments, &checked.type);
  if (fitting.empty()) return Wrong(expr.at, NoneFits(expr, candidates, arguments));
  RETURN_IF_ERROR(Specialise(expr.at, arguments, &fitting));
  bool is_constant = declarations_.functions.count(expr.name) == 0;
  std::vector<NodePtr> nodes;
  for (Checked& argument : arguments) {
    is_constant = is_constant && argument.constant.has_value();
    nodes.push_back(std::move(argument.node));
  }
  checked.node = zhibu::cel::MakeCall(expr.at, std::move(fitting), std::move(nodes));
  if (checked.type.is(Kind::kMessage)) checked.path = FieldUse{absl::StrCat(expr.name, "()"), {}};
  return is_constant ? Folded(expr.at, std::move(checked)) : std::move(checked);
}

// What yields the same whenever it is evaluated, as that; an error stays, and is told then.
Checker::Checked Checker::Folded(Position at, Checked checked) {
  const Activation nothing;
  Meter meter(kFolding);
  Frame frame{nothing, meter, {}};
  Value folded = checked.node->Evaluate(frame);
  if (!folded.is_proper() || meter.exhausted()) return checked;
  return MakeConstantOf(at, std::move(folded), std::move(checked.type));
}

absl::Status Checker::Specialise(Position at, const std::vector<Checked>& arguments,
                                 Candidates* candidates) const {
  std::vector<const Value*> constants;
  for (const Checked& argument : arguments) {
    constants.push_back(argument.constant.has_value() ? &*argument.constant : nullptr);
  }
  for (auto& function : *candidates) {
    if (!function->specialise) continue;
    auto run = function->specialise(constants, &patterns_);
    if (!run.ok() && checking_ == Checking::kWhenEvaluated) continue;
    if (!run.ok()) return ErrorAt(at, run.status().message());
    auto special = std::make_shared<Function>(*function);
    special->run = *std::move(run);
    function = std::move(special);
  }
  return absl::OkStatus();
}

std::string Checker::NoneFits(const Expr& expr, const Candidates& candidates,
                              const std::vector<Checked>& arguments) const {
  std::vector<std::string> types;
  for (const Checked& argument : arguments) types.push_back(argument.type.ToText());
  if (IsOperator(expr)) {
    return absl::StrCat("'", ShownName(expr.name), "' cannot stand with ",
                        absl::StrJoin(types, " and "));
  }
  std::vector<std::string> declared;
  for (const auto& function : candidates) declared.push_back(Signature(*function));
  return absl::StrCat(expr.name, "() cannot take ", absl::StrJoin(types, ", "), "; there is ",
                      absl::StrJoin(declared, ", "));
}

void Checker::NoteCall(const Expr& expr, const std::vector<Checked>& arguments) {
  if (declarations_.functions.count(expr.name) == 0) return;
  FunctionUse use{expr.name, {}, expr.at};
  for (const Checked& argument : arguments) use.arguments.push_back(argument.constant);
  code_.functions.push_back(std::move(use));
}

}  // namespace zhibu::cel
