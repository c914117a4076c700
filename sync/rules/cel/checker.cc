#include "sync/rules/cel/checker.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "sync/base/status.h"
#include "sync/rules/cel/macros.h"

namespace zhibu::cel {

using google::protobuf::EnumDescriptor;
using google::protobuf::FieldDescriptor;
using Form = Expr::Form;

namespace {

std::string ValuesOf(const EnumDescriptor& descriptor) {
  std::string names;
  for (int i = 0; i < descriptor.value_count(); ++i) {
    absl::StrAppend(&names, i == 0 ? "" : ", ", descriptor.value(i)->name());
  }
  return names;
}

// Of elements that have no type in common, dyn.
void Widen(const Type& element, std::optional<Type>* all) {
  *all = all->has_value() ? Join(**all, element).value_or(Type::Dyn()) : element;
}

}  // namespace

absl::StatusOr<Code> Checker::Check(const Expr& expr) {
  ASSIGN_OR_RETURN(Checked checked, Compile(expr));
  code_.root = std::move(checked.node);
  code_.type = std::move(checked.type);
  return std::move(code_);
}

absl::StatusOr<Checker::Checked> Checker::Compile(const Expr& expr, Hint hint, bool keeps_path) {
  ASSIGN_OR_RETURN(Checked checked, CompileForm(expr, hint));
  if (checking_ == Checking::kWhenEvaluated) checked.type = Type::Dyn();
  if (!keeps_path) Note(checked.path);
  return checked;
}

absl::StatusOr<Checker::Checked> Checker::CompileForm(const Expr& expr, Hint hint) {
  switch (expr.form) {
    case Form::kConstant: {
      const bool becomes_uint = hint != nullptr && hint->is(Kind::kUint) && IsNamedByHint(expr);
      if (!becomes_uint) return MakeConstantOf(expr.at, expr.constant, TypeOfValue(expr.constant));
      const auto number = static_cast<uint64_t>(expr.constant.int_value());
      return MakeConstantOf(expr.at, Value::Uint(number), Type::Uint());
    }
    case Form::kName:
      return CompileName(expr, hint);
    case Form::kSelect:
    case Form::kHas:
      return CompileSelect(expr);
    case Form::kCall:
      return CompileCall(expr, hint);
    case Form::kList:
      return CompileList(expr, hint);
    case Form::kMap:
      return CompileMap(expr);
    case Form::kMessage:
      return Wrong(expr.at, absl::StrCat("messages are read here, not made: ", expr.name, "{…}"));
    case Form::kMacro:
      return CompileMacro(expr);
  }
  return Wrong(expr.at, "no expression");
}

absl::StatusOr<Checker::Checked> Checker::Wrong(Position at, const std::string& words) const {
  if (checking_ == Checking::kStatic) return ErrorAt(at, words);
  Checked checked;
  checked.node = MakeFailure(at, words);
  return checked;
}

Checker::Checked Checker::MakeConstantOf(Position at, Value value, Type type) {
  Checked checked;
  checked.node = MakeConstant(at, value);
  checked.type = std::move(type);
  checked.constant = std::move(value);
  return checked;
}

std::optional<Checker::Checked> Checker::Declared(Position at, const std::string& name) const {
  if (const auto found = declarations_.variables.find(name);
      found != declarations_.variables.end()) {
    const DeclaredVariable& declared = found->second;
    Checked checked;
    checked.node = MakeVariable(at, declared.variable, name, declared.type);
    checked.type = declared.type;
    checked.path = FieldUse{name, {}};
    return checked;
  }
  if (const auto found = declarations_.constants.find(name);
      found != declarations_.constants.end()) {
    return MakeConstantOf(at, found->second.value, found->second.type);
  }
  return std::nullopt;
}

const Checker::Local* Checker::FindLocal(const Expr& name) const {
  if (name.rooted) return nullptr;
  const auto found = std::find_if(locals_.rbegin(), locals_.rend(),
                                  [&](const Local& local) { return local.name == name.name; });
  return found == locals_.rend() ? nullptr : &*found;
}

absl::StatusOr<Checker::Checked> Checker::CompileName(const Expr& expr, Hint hint) {
  if (const Local* local = FindLocal(expr); local != nullptr) {
    Checked checked;
    checked.node = MakeLocal(expr.at, static_cast<size_t>(local - locals_.data()));
    checked.type = local->type;
    checked.path = local->path;
    return checked;
  }
  if (std::optional<Checked> declared = Declared(expr.at, expr.name); declared.has_value()) {
    return *std::move(declared);
  }
  const EnumDescriptor* named = hint == nullptr ? nullptr : hint->enumeration();
  if (named == nullptr) return Wrong(expr.at, absl::StrCat("nothing is called '", expr.name, "'"));
  if (const auto* value = named->FindValueByName(expr.name); value != nullptr) {
    return MakeConstantOf(expr.at, Value::Int(value->number()), Type::Enum(*named));
  }
  return Wrong(expr.at, absl::StrCat("no value '", expr.name, "' in ", named->full_name(),
                                     ", which has: ", ValuesOf(*named)));
}

// "a.b.c", where `a` is no local.
std::optional<std::string> Checker::QualifiedName(const Expr& expr) const {
  if (expr.form == Form::kName) {
    return FindLocal(expr) == nullptr ? std::make_optional(expr.name) : std::nullopt;
  }
  if (expr.form != Form::kSelect) return std::nullopt;
  const std::optional<std::string> of = QualifiedName(expr.children[0]);
  return of.has_value() ? std::make_optional(absl::StrCat(*of, ".", expr.name)) : std::nullopt;
}

// The longest name that is declared goes first: "a.b" before the field b of a.
absl::StatusOr<Checker::Checked> Checker::CompileSelect(const Expr& expr) {
  if (const std::optional<std::string> name = QualifiedName(expr);
      name.has_value() && expr.form == Form::kSelect) {
    if (std::optional<Checked> declared = Declared(expr.at, *name); declared.has_value()) {
      return *std::move(declared);
    }
  }
  ASSIGN_OR_RETURN(Checked of, Compile(expr.children[0], nullptr, /*keeps_path=*/true));
  return CompileField(expr, std::move(of));
}

absl::StatusOr<Checker::Checked> Checker::CompileField(const Expr& expr, Checked of) {
  const bool has = expr.form == Form::kHas;
  Checked checked;
  if (of.type.is(Kind::kMessage)) {
    const FieldDescriptor* field = of.type.message()->FindFieldByName(expr.name);
    if (field == nullptr) {
      return Wrong(expr.at, absl::StrCat(of.type.ToText(), " has no field '", expr.name, "'"));
    }
    checked.path = std::move(of.path);
    if (checked.path.has_value()) checked.path->path.push_back(field);
    checked.type = has ? Type::Bool() : TypeOfField(*field);
    checked.node = (has ? MakeHasField : MakeField)(expr.at, std::move(of.node), *field);
    return checked;
  }
  if (!of.type.is(Kind::kDyn) && !of.type.is(Kind::kMap)) {
    return Wrong(expr.at, absl::StrCat(of.type.ToText(), " has no field '", expr.name, "'"));
  }
  Note(of.path);
  checked.type = of.type.is(Kind::kMap) ? of.type.mapped() : Type::Dyn();
  if (has) checked.type = Type::Bool();
  checked.node = (has ? MakeHasNamedField : MakeNamedField)(expr.at, std::move(of.node), expr.name);
  return checked;
}

absl::StatusOr<Checker::Checked> Checker::CompileList(const Expr& expr, Hint hint) {
  const Hint of_element = hint != nullptr && hint->is(Kind::kList) ? &hint->element() : nullptr;
  std::optional<Type> element;
  std::vector<NodePtr> nodes;
  std::optional<std::vector<Value>> constants(std::in_place);
  for (const Expr& child : expr.children) {
    ASSIGN_OR_RETURN(Checked checked, Compile(child, of_element));
    Widen(checked.type, &element);
    if (!checked.constant.has_value()) constants.reset();
    if (constants.has_value()) constants->push_back(*checked.constant);
    nodes.push_back(std::move(checked.node));
  }
  const Type type = Type::List(element.value_or(Type::Dyn()));
  if (constants.has_value()) {
    return MakeConstantOf(expr.at, Value::ListOf(*std::move(constants)), type);
  }
  Checked checked;
  checked.type = type;
  checked.node = MakeList(expr.at, std::move(nodes));
  return checked;
}

absl::StatusOr<Checker::Checked> Checker::CompileMap(const Expr& expr) {
  std::optional<Type> key, mapped;
  std::vector<NodePtr> nodes;
  for (size_t i = 0; i < expr.children.size(); ++i) {
    ASSIGN_OR_RETURN(Checked checked, Compile(expr.children[i]));
    Widen(checked.type, i % 2 == 0 ? &key : &mapped);
    nodes.push_back(std::move(checked.node));
  }
  Checked checked;
  checked.type = Type::Map(key.value_or(Type::Dyn()), mapped.value_or(Type::Dyn()));
  checked.node = zhibu::cel::MakeMap(expr.at, std::move(nodes));
  return checked;
}

absl::StatusOr<Type> Checker::ElementType(const Expr& expr, const Checked& range) {
  if (range.type.is(Kind::kList)) return range.type.element();
  if (range.type.is(Kind::kMap)) return range.type.key();
  if (range.type.is(Kind::kDyn)) return Type::Dyn();
  return ErrorAt(expr.at,
                 absl::StrCat(NameOf(expr.macro), " runs through a list or map, not through ",
                              range.type.ToText()));
}

absl::StatusOr<Checker::Checked> Checker::CompileBody(const Expr& expr, bool is_predicate) {
  if (is_predicate) return CompileBool(expr, "a condition");
  return Compile(expr);
}

absl::StatusOr<Checker::Checked> Checker::CompileMacro(const Expr& expr) {
  ASSIGN_OR_RETURN(Checked range, Compile(expr.children[0]));
  ASSIGN_OR_RETURN(const Type element, ElementType(expr, range));
  const size_t slot = locals_.size();
  const bool of_map = range.type.is(Kind::kMap);
  locals_.push_back({expr.name, element, of_map ? std::nullopt : range.path});
  code_.locals = std::max(code_.locals, locals_.size());
  Checked filter;
  if (expr.children.size() == 3) {
    ASSIGN_OR_RETURN(filter, CompileBody(expr.children[1], /*is_predicate=*/true));
  }
  const bool maps = expr.macro == Macro::kMap;
  ASSIGN_OR_RETURN(Checked body, CompileBody(expr.children.back(), /*is_predicate=*/!maps));
  locals_.pop_back();
  Checked checked;
  checked.type = maps                           ? Type::List(body.type)
                 : expr.macro == Macro::kFilter ? Type::List(element)
                                                : Type::Bool();
  checked.node = zhibu::cel::MakeMacro(expr.at, expr.macro, slot, std::move(range.node),
                                       std::move(filter.node), std::move(body.node));
  return checked;
}

void Checker::Note(const std::optional<FieldUse>& path) {
  if (!path.has_value()) return;
  auto& fields = code_.fields;
  if (std::find(fields.begin(), fields.end(), *path) == fields.end()) fields.push_back(*path);
}

}  // namespace zhibu::cel
