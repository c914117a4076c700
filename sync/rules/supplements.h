// Rules that organisations add to the book (sync/rules/book/supplement.h), and for whom:
//
//   in force for an organisation = what is shipped, and the supplements that it was sent by those
//                                  above it
//
// Nobody makes rules for their own organisation: whoever acts for it beside them would be stopped.
// One is taken only if it compiles, and no organisation makes more of them than its branches can
// bear. What this build cannot compile, because a newer one wrote it, is left out and guessed at by
// nobody.
//
// From when it is in force the server writes into it, once: whoever wrote a record before, or says
// in it that it was before, could not know of the rules.
#ifndef ZHIBU_SYNC_RULES_SUPPLEMENTS_H_
#define ZHIBU_SYNC_RULES_SUPPLEMENTS_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "sync/rules/book/supplement.h"
#include "sync/rules/rule.h"
#include "zhibu/records/v1/supplement.pb.h"

namespace zhibu {

// Of one organisation: what would be more asks too much of its branches and of whoever judges.
inline constexpr size_t kSupplementsMax = 5;
// With those that are repealed and not deleted: whoever judges reads past them.
inline constexpr size_t kSupplementsKeptMax = 50;

std::unique_ptr<const Rule> SupplementRule();

// The number of their type: whoever judges a record lists those where it is kept.
uint32_t SupplementType();

struct InForce {
  rules::BookPtr book;
  int64_t since_ms = 0;
};

// What all checks of supplements may cost for one edit: a few milliseconds. Beyond it they judge
// nothing, and the edit is taken.
inline constexpr uint64_t kAddedStepsMax = 200'000;

// Those that are in force for the organisation: of each maker the first kSupplementsMax by id.
absl::StatusOr<std::vector<InForce>> SupplementsFor(Lookup& lookup, const Id& organisation);

// Nothing: the server has not said so yet.
std::optional<int64_t> InForceSince(const records::v1::RuleSupplement& supplement);

bool IsInForceFor(const records::v1::RuleSupplement& supplement, const Id& organisation);

}  // namespace zhibu

#endif  // ZHIBU_SYNC_RULES_SUPPLEMENTS_H_
