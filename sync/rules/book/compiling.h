// What compiling any rule has in common: its expressions, its words and where it comes from. An
// error names the rule, its field, and the place in it.
#ifndef ZHIBU_SYNC_RULES_BOOK_COMPILING_H_
#define ZHIBU_SYNC_RULES_BOOK_COMPILING_H_

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "sync/rules/cel/environment.h"
#include "sync/rules/cel/patterns.h"
#include "sync/rules/cel/program.h"
#include "zhibu/rules/v1/rules.pb.h"

namespace zhibu::rules {

class Compiling {
 public:
  // `patterns`, which outlives it: of all rules that are compiled together. Null: each expression
  // has its own.
  explicit Compiling(std::string key, cel::Patterns* patterns = nullptr)
      : key_(std::move(key)), patterns_(patterns) {}

  // INVALID_ARGUMENT.
  absl::Status Wrong(absl::string_view field, absl::string_view what) const;

  // An empty expression is none.
  absl::Status Compile(const cel::Environment& environment, absl::string_view field,
                       const std::string& source, const cel::Type& type,
                       std::optional<cel::Program>* program) const;
  // Dates are text in records, and times are times.
  absl::Status CompileDay(const cel::Environment& environment, absl::string_view field,
                          const std::string& source, std::optional<cel::Program>* program) const;

  absl::Status CheckInBoth(absl::string_view field, const zhibu::Words& words) const;
  absl::Status CheckSource(const std::string& source, rules::v1::Certainty certainty) const;
  // Empty, or a day.
  absl::Status CheckDay(absl::string_view field, const std::string& day) const;

 private:
  const std::string key_;
  cel::Patterns* const patterns_;
};

}  // namespace zhibu::rules

#endif  // ZHIBU_SYNC_RULES_BOOK_COMPILING_H_
