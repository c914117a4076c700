// What the store keeps of figures: their sums, and which records hang on which.
//
//   a sum = what was added to it; one that has come to nothing is gone
//
// What the numbers mean, and which book made them, is server/figures/sums.h.
#ifndef ZHIBU_SERVER_STORE_SUMS_H_
#define ZHIBU_SERVER_STORE_SUMS_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "sync/base/sum.h"
#include "sync/base/types.h"

namespace zhibu::server {

using SumChanges = std::map<SumKey, Sum>;

// The setting that says how far they are made.
inline constexpr char kSumsSetting[] = "sums";

class SumReader {
 public:
  virtual ~SumReader() = default;

  // Of these organisations, one after the other, those of all times and of the months from the year
  // on, in no order. DATA_LOSS where some cannot be read; all others have been visited then.
  virtual absl::Status ReadSums(
      absl::Span<const Id> organisations, int from_year,
      absl::FunctionRef<void(const Id& organisation, const SumKey&, const Sum&)> visit) = 0;
  // Of the records that hang on this one those after `after`, ascending, no more than `most`.
  virtual absl::StatusOr<std::vector<RecordKey>> HangingOn(const RecordKey& on,
                                                           const RecordKey& after, size_t most) = 0;
};

class SumWriter {
 public:
  virtual ~SumWriter() = default;

  // Costs the same whatever else is summed in other years or elsewhere.
  virtual absl::Status AddToSums(const Id& organisation, const SumChanges& changes) = 0;
  // That `record` hangs on `on`, which need not be there. Once is as good as twice.
  virtual absl::Status PutHanging(const RecordKey& on, const RecordKey& record) = 0;
  virtual absl::Status DropHanging(const RecordKey& on, const RecordKey& record) = 0;
  // Forgets about so many rows of sums, and of what hangs on what; false: nothing is left.
  virtual absl::StatusOr<bool> DropSums(size_t most) = 0;
};

}  // namespace zhibu::server

#endif  // ZHIBU_SERVER_STORE_SUMS_H_
