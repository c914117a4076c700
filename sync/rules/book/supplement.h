// Rules that an organisation adds to the book, as text:
//
//   ASSIGN_OR_RETURN(const BookPtr book, CompileSupplement(text));
//   for (const Check& check : book->ChecksOf(type)) …
//
// More is asked for and never less: a supplement holds obligations, checks and numbers of its own,
// each under a key that begins with "local.", and changes none that is shipped. Whoever wrote it
// may mean ill: no hard check of it reads what somebody whom it judges may not read, and what it
// costs to compile, to keep and to judge by is bounded. For whom it is in force stands in
// sync/rules/supplements.h.
#ifndef ZHIBU_SYNC_RULES_BOOK_SUPPLEMENT_H_
#define ZHIBU_SYNC_RULES_BOOK_SUPPLEMENT_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "sync/rules/book/book.h"

namespace zhibu::rules {

// Obligations and checks together.
inline constexpr int kSupplementRulesMax = 20;

using BookPtr = std::shared_ptr<const Book>;

// Compiled, and kept as long as others are not asked for more lately; what does not compile is not
// kept. INVALID_ARGUMENT names the rule, the place and what is wrong. Any thread.
absl::StatusOr<BookPtr> CompileSupplement(const std::string& text);

}  // namespace zhibu::rules

#endif  // ZHIBU_SYNC_RULES_BOOK_SUPPLEMENT_H_
