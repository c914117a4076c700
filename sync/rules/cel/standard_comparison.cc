// == != < <= > >= and !
#include "sync/rules/cel/compare.h"
#include "sync/rules/cel/operators.h"
#include "sync/rules/cel/standard.h"

namespace zhibu::cel {
namespace {

void AddEquality(std::vector<Function>* functions) {
  const std::vector<Type> two = {Type::Parameter(0), Type::Parameter(0)};
  functions->push_back({kEqual, Style::kGlobal, two, Type::Bool(), [](Call& call) {
                          return Value::Bool(AreEqual(call[0], call[1], &call.meter()));
                        }});
  functions->push_back({kUnequal, Style::kGlobal, two, Type::Bool(), [](Call& call) {
                          return Value::Bool(!AreEqual(call[0], call[1], &call.meter()));
                        }});
}

// Nothing else is in order with a NaN, so each asks for what it wants and for nothing less.
void AddOrder(const Type& a, const Type& b, std::vector<Function>* functions) {
  const auto add = [&](const char* name, bool (*holds)(std::partial_ordering)) {
    functions->push_back({name, Style::kGlobal, {a, b}, Type::Bool(), [holds](Call& call) {
                            return Value::Bool(holds(*Compare(call[0], call[1])));
                          }});
  };
  add("_<_", [](std::partial_ordering order) { return order < 0; });
  add("_<=_", [](std::partial_ordering order) { return order <= 0; });
  add("_>_", [](std::partial_ordering order) { return order > 0; });
  add("_>=_", [](std::partial_ordering order) { return order >= 0; });
}

}  // namespace

void AddComparison(std::vector<Function>* functions) {
  AddEquality(functions);
  const Type numbers[] = {Type::Int(), Type::Uint(), Type::Double()};
  for (const Type& a : numbers) {
    for (const Type& b : numbers) AddOrder(a, b, functions);
  }
  for (const Type& type :
       {Type::Bool(), Type::String(), Type::Bytes(), Type::Duration(), Type::Timestamp()}) {
    AddOrder(type, type, functions);
  }
  functions->push_back({kNot, Style::kGlobal, {Type::Bool()}, Type::Bool(), [](Call& call) {
                          return Value::Bool(!call[0].bool_value());
                        }});
}

}  // namespace zhibu::cel
