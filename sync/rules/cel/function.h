// Functions that expressions may call, of CEL and of whoever embeds it. Several of one name are
// told apart by style and types.
//
//   Function{"param", Style::kGlobal, {Type::String()}, Type::Int(),
//            [](Call& call) { return Book(call.host()).Find(call[0].text()); }}
//   Function{"addMonths", Style::kReceiver, {Type::Timestamp(), Type::Int()}, Type::Timestamp(), …}
//
// A function sees proper values only, of the kinds that it has declared: where an argument is an
// error or unknown, that is the result. It may answer Value::Error or Value::Unknown itself.
#ifndef ZHIBU_SYNC_RULES_CEL_FUNCTION_H_
#define ZHIBU_SYNC_RULES_CEL_FUNCTION_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "sync/rules/cel/activation.h"
#include "sync/rules/cel/budget.h"
#include "sync/rules/cel/patterns.h"
#include "sync/rules/cel/type.h"
#include "sync/rules/cel/value.h"

namespace zhibu::cel {

class Call {
 public:
  Call(absl::Span<const Value> arguments, const Host* host, Meter* meter)
      : arguments_(arguments), host_(host), meter_(*meter) {}

  const Value& operator[](size_t index) const { return arguments_[index]; }
  size_t size() const { return arguments_.size(); }
  // Null where the evaluation has none.
  const Host* host() const { return host_; }
  // For what costs more than looking at the arguments.
  Meter& meter() { return meter_; }

 private:
  const absl::Span<const Value> arguments_;
  const Host* const host_;
  Meter& meter_;
};

using Implementation = std::function<Value(Call&)>;
// Asked once at compile time, with null for each argument that is no constant: gives what is to be
// run instead, or an error of compiling. What becomes a regular expression is taken of `patterns`.
using Specialisation = std::function<absl::StatusOr<Implementation>(
    absl::Span<const Value* const> constants, Patterns* patterns)>;

enum class Style { kGlobal, kReceiver };  // f(x, y) or x.f(y)

struct Function {
  std::string name;
  Style style = Style::kGlobal;
  std::vector<Type> parameters;  // of kReceiver the first is what it is called on
  Type result = Type::Dyn();
  Implementation run;
  Specialisation specialise;  // may be empty
};

using Functions = absl::flat_hash_map<std::string, std::vector<std::shared_ptr<const Function>>>;

}  // namespace zhibu::cel

#endif  // ZHIBU_SYNC_RULES_CEL_FUNCTION_H_
