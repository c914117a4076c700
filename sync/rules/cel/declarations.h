// What an Environment has declared, as the checker looks it up.
#ifndef ZHIBU_SYNC_RULES_CEL_DECLARATIONS_H_
#define ZHIBU_SYNC_RULES_CEL_DECLARATIONS_H_

#include <string>

#include "absl/container/flat_hash_map.h"
#include "sync/rules/cel/activation.h"
#include "sync/rules/cel/function.h"
#include "sync/rules/cel/type.h"
#include "sync/rules/cel/value.h"

namespace zhibu::cel {

struct DeclaredVariable {
  Variable variable;
  Type type;
};

struct DeclaredConstant {
  Value value;
  Type type;
};

struct Declarations {
  absl::flat_hash_map<std::string, DeclaredVariable> variables;
  absl::flat_hash_map<std::string, DeclaredConstant> constants;
  Functions functions;  // of the embedder; those of CEL are in StandardFunctions
};

}  // namespace zhibu::cel

#endif  // ZHIBU_SYNC_RULES_CEL_DECLARATIONS_H_
