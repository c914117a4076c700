// The calls that are none: their first argument names what runs through the list.
//
//   this.agenda.all(item, item.number > 0u)        has(this.vote)
#ifndef ZHIBU_SYNC_RULES_CEL_MACROS_H_
#define ZHIBU_SYNC_RULES_CEL_MACROS_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "sync/rules/cel/ast.h"
#include "sync/rules/cel/position.h"

namespace zhibu::cel {

// kNone for what is an ordinary call, also for a macro's name with another number of arguments.
Macro MacroCalled(absl::string_view name, size_t arguments);
absl::string_view NameOf(Macro macro);

// What MacroCalled has said not to be kNone. Its depth is still to be told.
absl::StatusOr<Expr> MacroCall(Expr target, Position at, absl::string_view name,
                               std::vector<Expr> arguments);
absl::StatusOr<Expr> HasCall(Position at, std::vector<Expr> arguments);

}  // namespace zhibu::cel

#endif  // ZHIBU_SYNC_RULES_CEL_MACROS_H_
