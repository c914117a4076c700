// What expressions may name, and the compiler. CEL, the Common Expression Language, is small,
// has no loops but over lists, and always ends. docs/rules.md says what of it there is.
//
//   Environment environment;
//   const Variable step = environment.AddVariable("this", Type::Message(*Step::descriptor()));
//   environment.AddFunction({"param", Style::kGlobal, {Type::String()}, Type::Int(), …});
//
//   ASSIGN_OR_RETURN(const Program program,
//                    environment.Compile("this.votes * 2 > param('quorum')", Type::Bool()));
//   Activation activation;
//   activation.Set(step, Value::OfMessage(&message));
//   program.Evaluate(activation, Budget{})  ->  true
//
// An enum is int, and where one is compared or handed over, its values may be named as in proto:
//
//   this.state in [HELD, CLOSED]        taken_by(SECRETARY)
//
// A whole number that is written beside a uint is one: this.votes * 2 needs no 2u.
//
// Once declared, any number of threads may compile, and programs outlive the environment, but
// not the descriptors.
#ifndef ZHIBU_SYNC_RULES_CEL_ENVIRONMENT_H_
#define ZHIBU_SYNC_RULES_CEL_ENVIRONMENT_H_

#include <google/protobuf/descriptor.h>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "sync/rules/cel/activation.h"
#include "sync/rules/cel/declarations.h"
#include "sync/rules/cel/function.h"
#include "sync/rules/cel/patterns.h"
#include "sync/rules/cel/program.h"
#include "sync/rules/cel/type.h"
#include "sync/rules/cel/value.h"

namespace zhibu::cel {

class Environment {
 public:
  // Knows what CEL has of itself.
  Environment();

  // A name may have dots. Nothing is declared twice.
  Variable AddVariable(absl::string_view name, Type type);
  void AddConstant(absl::string_view name, Value value, Type type);
  // Each value by its name under the prefix: "Meeting.HELD".
  void AddEnum(absl::string_view prefix, const google::protobuf::EnumDescriptor& descriptor);
  void AddFunction(Function function);

  // INVALID_ARGUMENT says at which line and column what is wrong; also where the expression's
  // type is not `result`.
  absl::StatusOr<Program> Compile(absl::string_view source, const Type& result = Type::Dyn()) const;
  // One of several that are compiled together.
  absl::StatusOr<Program> Compile(absl::string_view source, const Type& result,
                                  Patterns* patterns) const;

  // As CEL without declarations does it: types are looked at when it is evaluated, and what is
  // not known is an error then. For what must be shown though this build cannot compile it.
  absl::StatusOr<Program> CompileUnchecked(absl::string_view source) const;

 private:
  Declarations declarations_;
};

}  // namespace zhibu::cel

#endif  // ZHIBU_SYNC_RULES_CEL_ENVIRONMENT_H_
