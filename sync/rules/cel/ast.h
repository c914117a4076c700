// An expression as it was written: what the parser makes, and Unparse writes again.
//
//   Parse(Unparse(e)) = e, but for positions
#ifndef ZHIBU_SYNC_RULES_CEL_AST_H_
#define ZHIBU_SYNC_RULES_CEL_AST_H_

#include <string>
#include <vector>

#include "sync/rules/cel/position.h"
#include "sync/rules/cel/value.h"

namespace zhibu::cel {

enum class Macro { kNone, kHas, kAll, kExists, kExistsOne, kMap, kFilter };

struct Expr {
  enum class Form {
    kConstant,
    kName,    // a variable or constant; rooted: `.name`
    kSelect,  // children[0].name
    kHas,     // has(children[0].name)
    kCall,    // operators too (operators.h); receiver: children[0] is what it is called on
    kList,
    kMap,      // key, value, key, value …
    kMessage,  // name{fields[i]: children[i]}
    kMacro,    // children[0].macro(name, children[1] …): with kMap and a filter, that comes first
  };
  Form form = Form::kConstant;
  Position at;
  int depth = 1;
  Value constant;
  std::string name;
  bool rooted = false;
  bool receiver = false;
  Macro macro = Macro::kNone;
  std::vector<std::string> fields;
  std::vector<Expr> children;
};

}  // namespace zhibu::cel

#endif  // ZHIBU_SYNC_RULES_CEL_AST_H_
