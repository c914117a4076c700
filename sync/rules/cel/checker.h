// A tree into a program: names are looked up, types told, functions chosen. Internal to
// Environment.
//
// What is wrong is said at its place, in the words of whoever wrote it: "DevelopmentStep has no
// field 'stepp'", "no value 'CANDIDAT' in DevelopmentStep.Step". With kWhenEvaluated everything is
// dyn, and what is wrong is an error of evaluation.
#ifndef ZHIBU_SYNC_RULES_CEL_CHECKER_H_
#define ZHIBU_SYNC_RULES_CEL_CHECKER_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "sync/rules/cel/ast.h"
#include "sync/rules/cel/declarations.h"
#include "sync/rules/cel/node.h"
#include "sync/rules/cel/program.h"
#include "sync/rules/cel/type.h"

namespace zhibu::cel {

enum class Checking { kStatic, kWhenEvaluated };

class Checker {
 public:
  // Both outlive it.
  Checker(const Declarations& declarations, Checking checking, Patterns* patterns)
      : declarations_(declarations), checking_(checking), patterns_(*patterns) {}

  // Once.
  absl::StatusOr<Code> Check(const Expr& expr);

 private:
  // What has become of an expression.
  struct Checked {
    NodePtr node;
    Type type = Type::Dyn();
    std::optional<FieldUse> path;   // where it lies in a message that a variable holds
    std::optional<Value> constant;  // what it is, whenever it is evaluated
  };
  // What a macro runs through.
  struct Local {
    std::string name;
    Type type;
    std::optional<FieldUse> path;
  };
  using Hint = const Type*;  // what stands beside it; null: nothing is known
  using Candidates = std::vector<std::shared_ptr<const Function>>;

  // checker.cc: names, fields, lists, macros.
  // The path is noted, unless `keeps_path`: whoever reads on from it.
  absl::StatusOr<Checked> Compile(const Expr& expr, Hint hint = nullptr, bool keeps_path = false);
  absl::StatusOr<Checked> CompileForm(const Expr& expr, Hint hint);
  absl::StatusOr<Checked> CompileName(const Expr& expr, Hint hint);
  absl::StatusOr<Checked> CompileSelect(const Expr& expr);
  absl::StatusOr<Checked> CompileField(const Expr& expr, Checked of);
  absl::StatusOr<Checked> CompileList(const Expr& expr, Hint hint);
  absl::StatusOr<Checked> CompileMap(const Expr& expr);
  absl::StatusOr<Checked> CompileMacro(const Expr& expr);
  absl::StatusOr<Checked> CompileBody(const Expr& expr, bool is_predicate);
  absl::StatusOr<Type> ElementType(const Expr& expr, const Checked& range);

  // In a static check an error; else a program that fails there.
  absl::StatusOr<Checked> Wrong(Position at, const std::string& words) const;
  static Checked MakeConstantOf(Position at, Value value, Type type);
  // The variable or constant of that name; nothing where none is declared.
  std::optional<Checked> Declared(Position at, const std::string& name) const;
  const Local* FindLocal(const Expr& name) const;
  std::optional<std::string> QualifiedName(const Expr& expr) const;
  void Note(const std::optional<FieldUse>& path);

  // checker_calls.cc: operators and functions.
  absl::StatusOr<Checked> CompileCall(const Expr& expr, Hint hint);
  absl::StatusOr<Checked> CompileLogic(const Expr& expr);
  absl::StatusOr<Checked> CompileConditional(const Expr& expr, Hint hint);
  absl::StatusOr<Checked> CompileBool(const Expr& expr, absl::string_view whose);
  absl::StatusOr<std::vector<Checked>> CompileArguments(const Expr& expr,
                                                        const Candidates& candidates);
  absl::StatusOr<std::vector<Checked>> CompileBeside(const Expr& expr);
  absl::StatusOr<Checked> Resolve(const Expr& expr, const Candidates& candidates,
                                  std::vector<Checked> arguments);
  static Candidates Fitting(const Candidates& candidates, const std::vector<Checked>& arguments,
                            Type* result);
  static Checked Folded(Position at, Checked checked);
  absl::Status Specialise(Position at, const std::vector<Checked>& arguments,
                          Candidates* candidates) const;
  Candidates CandidatesFor(const Expr& expr) const;
  std::string NoneFits(const Expr& expr, const Candidates& candidates,
                       const std::vector<Checked>& arguments) const;
  bool IsNamedByHint(const Expr& expr) const;
  void NoteCall(const Expr& expr, const std::vector<Checked>& arguments);

  const Declarations& declarations_;
  const Checking checking_;
  Patterns& patterns_;
  std::vector<Local> locals_;
  Code code_;
};

}  // namespace zhibu::cel

#endif  // ZHIBU_SYNC_RULES_CEL_CHECKER_H_
