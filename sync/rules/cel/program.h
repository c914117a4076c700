// A compiled expression. Immutable; any thread may evaluate it; a copy shares it.
//
//   const Value held = program.Evaluate(activation, Budget{10'000});
//   if (held.is_bool(false)) …            // it does not hold
//   if (held.is_unknown()) …              // held.unknown() says what would have to be known
//   if (held.is_error()) …                // the rule is wrong here: held.ToText() says where
//
// Evaluation is bounded by the budget, and the same everywhere: it depends on the expression, the
// activation and nothing else. Beyond the budget the result is an error, whatever the logic.
#ifndef ZHIBU_SYNC_RULES_CEL_PROGRAM_H_
#define ZHIBU_SYNC_RULES_CEL_PROGRAM_H_

#include <google/protobuf/descriptor.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/types/span.h"
#include "sync/rules/cel/activation.h"
#include "sync/rules/cel/budget.h"
#include "sync/rules/cel/node.h"
#include "sync/rules/cel/type.h"
#include "sync/rules/cel/value.h"

namespace zhibu::cel {

// One call of a function of the embedder's.
struct FunctionUse {
  std::string name;
  std::vector<std::optional<Value>> arguments;  // nothing for what is no constant
  Position at;
};

// `this.vote.present`: root "this", and the two fields. What a macro runs through is read by the
// path of its list; what a function gives has the root "name()". An empty path: the whole.
struct FieldUse {
  std::string root;
  std::vector<const google::protobuf::FieldDescriptor*> path;

  // "this.vote.present"
  std::string ToText() const;
  friend bool operator==(const FieldUse&, const FieldUse&) = default;
};

struct Code {
  std::string source;
  NodePtr root;
  Type type = Type::Dyn();
  size_t locals = 0;
  std::vector<FunctionUse> functions;
  std::vector<FieldUse> fields;
};

class Program {
 public:
  explicit Program(Code code) : code_(std::make_shared<const Code>(std::move(code))) {}

  Value Evaluate(const Activation& activation, Budget budget) const;
  // Where somebody asks afterwards what it has cost.
  Value Evaluate(const Activation& activation, Meter* meter) const;

  const std::string& source() const { return code_->source; }
  const Type& type() const { return code_->type; }
  // In the order in which they stand.
  absl::Span<const FunctionUse> functions() const { return code_->functions; }
  // Each once.
  absl::Span<const FieldUse> fields() const { return code_->fields; }

 private:
  std::shared_ptr<const Code> code_;
};

}  // namespace zhibu::cel

#endif  // ZHIBU_SYNC_RULES_CEL_PROGRAM_H_
