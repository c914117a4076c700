#include "sync/rules/cel/standard.h"

#include <utility>

namespace zhibu::cel {
namespace {

Functions MakeStandard() {
  std::vector<Function> all;
  AddArithmetic(&all);
  AddComparison(&all);
  AddCollections(&all);
  AddStrings(&all);
  AddConversions(&all);
  AddTime(&all);
  Functions functions;
  for (Function& function : all) {
    auto& named = functions[function.name];
    named.push_back(std::make_shared<const Function>(std::move(function)));
  }
  return functions;
}

}  // namespace

const Functions& StandardFunctions() {
  static const auto& functions = *new Functions(MakeStandard());
  return functions;
}

}  // namespace zhibu::cel
