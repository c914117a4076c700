#include "sync/rules/cel/environment.h"

#include <cstdlib>
#include <utility>

#include "absl/strings/str_cat.h"
#include "sync/base/status.h"
#include "sync/rules/cel/checker.h"
#include "sync/rules/cel/parser.h"

namespace zhibu::cel {

Environment::Environment() {
  for (int kind = 0; kind <= static_cast<int>(Kind::kType); ++kind) {
    if (static_cast<Kind>(kind) == Kind::kMessage) continue;
    const std::string name(NameOf(static_cast<Kind>(kind)));
    AddConstant(name, Value::TypeNamed(name), Type::TypeType());
  }
}

Variable Environment::AddVariable(absl::string_view name, Type type) {
  const Variable variable{declarations_.variables.size()};
  const DeclaredVariable declared{variable, std::move(type)};
  if (!declarations_.variables.emplace(name, declared).second) std::abort();
  return variable;
}

void Environment::AddConstant(absl::string_view name, Value value, Type type) {
  const DeclaredConstant declared{std::move(value), std::move(type)};
  if (!declarations_.constants.emplace(name, declared).second) std::abort();
}

void Environment::AddEnum(absl::string_view prefix,
                          const google::protobuf::EnumDescriptor& descriptor) {
  for (int i = 0; i < descriptor.value_count(); ++i) {
    const auto& value = *descriptor.value(i);
    AddConstant(absl::StrCat(prefix, ".", value.name()), Value::Int(value.number()),
                Type::Enum(descriptor));
  }
}

void Environment::AddFunction(Function function) {
  auto& named = declarations_.functions[function.name];
  named.push_back(std::make_shared<const Function>(std::move(function)));
}

absl::StatusOr<Program> Environment::Compile(absl::string_view source, const Type& result) const {
  Patterns patterns;
  return Compile(source, result, &patterns);
}

absl::StatusOr<Program> Environment::Compile(absl::string_view source, const Type& result,
                                             Patterns* patterns) const {
  ASSIGN_OR_RETURN(const Expr expr, Parse(source));
  ASSIGN_OR_RETURN(Code code, Checker(declarations_, Checking::kStatic, patterns).Check(expr));
  if (!Bindings().Assign(result, code.type)) {
    return ErrorAt(expr.at, absl::StrCat("the whole is ", code.type.ToText(), ", and should be ",
                                         result.ToText()));
  }
  code.source = std::string(source);
  return Program(std::move(code));
}

absl::StatusOr<Program> Environment::CompileUnchecked(absl::string_view source) const {
  ASSIGN_OR_RETURN(const Expr expr, Parse(source));
  Patterns patterns;
  ASSIGN_OR_RETURN(Code code,
                   Checker(declarations_, Checking::kWhenEvaluated, &patterns).Check(expr));
  code.source = std::string(source);
  return Program(std::move(code));
}

}  // namespace zhibu::cel
