// Checks of the rule book, compiled. What expressions may name is made once for each type.
#ifndef ZHIBU_SYNC_RULES_BOOK_CHECK_COMPILER_H_
#define ZHIBU_SYNC_RULES_BOOK_CHECK_COMPILER_H_

#include <cstdint>
#include <map>

#include "absl/status/statusor.h"
#include "sync/rules/book/book.h"
#include "sync/rules/cel/environment.h"

namespace zhibu::rules {

// The field of a type that says why a late entry is not as the rules have it.
inline constexpr char kIrregularBecause[] = "irregular_because";

class CheckCompiler {
 public:
  // All but `patterns` outlive the checks.
  CheckCompiler(const Parameters& parameters, const Calendars& calendars, const Schema& schema,
                Author author, cel::Patterns* patterns)
      : parameters_(parameters),
        calendars_(calendars),
        schema_(schema),
        author_(author),
        patterns_(*patterns) {}

  // INVALID_ARGUMENT names the rule, its field and the place. The type is one of the schema's.
  absl::StatusOr<Check> Compile(const rules::v1::Check& text);

 private:
  struct Names {
    cel::Environment environment;
    cel::Variable self;
    cel::Variable id;
  };
  const Names& NamesFor(const RecordType& type);

  const Parameters& parameters_;
  const Calendars& calendars_;
  const Schema& schema_;
  const Author author_;
  cel::Patterns& patterns_;
  std::map<uint32_t, Names> names_;
};

}  // namespace zhibu::rules

#endif  // ZHIBU_SYNC_RULES_BOOK_CHECK_COMPILER_H_
