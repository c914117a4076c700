// Where in a source something stands, as people count: lines and characters from 1.
//
//   ErrorAt({2, 7}, "nothing is called 'stepp'")  ->  line 2, column 7: nothing is called 'stepp'
#ifndef ZHIBU_SYNC_RULES_CEL_POSITION_H_
#define ZHIBU_SYNC_RULES_CEL_POSITION_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace zhibu::cel {

// A column is a Unicode character. Line 0: nowhere.
struct Position {
  uint32_t line = 0;
  uint32_t column = 0;

  bool is_known() const { return line != 0; }
  friend bool operator==(const Position&, const Position&) = default;
};

inline std::string WordsAt(Position at, absl::string_view words) {
  if (!at.is_known()) return std::string(words);
  return absl::StrCat("line ", at.line, ", column ", at.column, ": ", words);
}

// INVALID_ARGUMENT is what every error of compiling is.
inline absl::Status ErrorAt(Position at, absl::string_view words) {
  return absl::InvalidArgumentError(WordsAt(at, words));
}

}  // namespace zhibu::cel

#endif  // ZHIBU_SYNC_RULES_CEL_POSITION_H_
