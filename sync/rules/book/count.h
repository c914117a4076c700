// What one record counts for by one figure, and what that adds to which sums.
//
//   ASSIGN_OR_RETURN(const std::vector<Counted> counted, CountBy(figure, id, message, &around));
//   for (const Counted& one : counted) {
//     AddShares(figure, one, [&](const SumKey& key, const Sum& sum) { sums[key] += sum; });
//   }
//
//   a sum = what all living records add to it
//
// so that an edit changes a sum by what its records add afterwards less what they added before. The
// sums of a month are of what happened in it; of what stands (Figure::stands) they are of what
// began less what ended, and those of all times (kAllTimes) say what stands in the end:
//
//   standing at the end of m = all times - sum of the months after m
//
// Pure: device and server count by the same code. What is not known here is counted as such
// (kNotKnown), and never guessed.
#ifndef ZHIBU_SYNC_RULES_BOOK_COUNT_H_
#define ZHIBU_SYNC_RULES_BOOK_COUNT_H_

#include <google/protobuf/message.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/time/civil_time.h"
#include "sync/base/sum.h"
#include "sync/base/types.h"
#include "sync/rules/book/figure.h"
#include "sync/rules/book/surroundings.h"

namespace zhibu::rules {

// Of one record, either way: so many of these do not overflow a sum. More is not known.
inline constexpr int64_t kAmountMax = 1'000'000'000'000;

struct Counted {
  Id organisation;
  bool known = true;                   // else it is one of which it is not known what it counts for
  std::optional<absl::CivilDay> from;  // of what is counted on its day always
  std::optional<absl::CivilDay> until;  // of what stands; nothing: it still does
  int64_t amount = 1;
  std::vector<int64_t> buckets;  // one for each way of breaking it down
  std::vector<Id> persons;
  std::string fault;  // of a rule that is wrong: "key: what, and where"
};

// Nothing where it does not count. `looked_at`: gets the keys of other records that it hangs on by
// an expression; null: nobody asks. Errors: of the neighbours.
absl::StatusOr<std::vector<Counted>> CountBy(const Figure& figure, const Id& id,
                                             const google::protobuf::Message& record,
                                             Neighbours* around,
                                             std::vector<RecordKey>* looked_at = nullptr);

// Which other record this one ends, by a figure that has a followed_by.
absl::StatusOr<std::optional<Id>> EndedBy(const Figure& figure, const Id& id,
                                          const google::protobuf::Message& record,
                                          Neighbours* around);

void AddShares(const Figure& figure, const Counted& counted,
               absl::FunctionRef<void(const SumKey&, const Sum&)> add);

}  // namespace zhibu::rules

#endif  // ZHIBU_SYNC_RULES_BOOK_COUNT_H_
