// What was counted and how long things took, in memory that does not grow with how much there was.
#ifndef ZHIBU_TESTS_LOAD_TALLY_H_
#define ZHIBU_TESTS_LOAD_TALLY_H_

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace zhibu::load {

// Of durations in microseconds, each to within 3 % of itself.
class Histogram {
 public:
  void Add(int64_t us);
  void Merge(const Histogram& other);
  uint64_t count() const { return count_; }
  int64_t max() const { return max_; }
  // At which so much of all lies below it: 0.99.
  int64_t Percentile(double part) const;

 private:
  static constexpr int kStepBits = 5;  // steps for each power of two: 32
  static constexpr size_t kSteps = size_t{40} << kStepBits;

  static size_t StepOf(int64_t us);
  static int64_t EndOf(size_t step);

  std::array<uint64_t, kSteps> counts_{};
  uint64_t count_ = 0;
  int64_t max_ = 0;
};

// One for each thread; merged at the end.
struct Tally {
  Histogram answers;   // from when an edit was due until it is answered
  Histogram others;    // from when it was sent until another device of its branch has it
  Histogram cycles;    // of a storm: from dialling to the end
  Histogram openings;  // from dialling until in step
  std::vector<uint64_t> answered_by_second;
  uint64_t sent = 0;
  uint64_t merged = 0;
  uint64_t not_offered = 0;  // due on a device that had too many without an answer
  uint64_t records = 0;      // received
  uint64_t bytes_up = 0;
  uint64_t bytes_down = 0;
  std::map<std::string, uint64_t> errors;  // "refused LIMIT_REACHED"

  void Merge(const Tally& other);
  void AnsweredIn(size_t second);
  void Error(absl::string_view what) { ++errors[std::string(what)]; }
};

}  // namespace zhibu::load

#endif  // ZHIBU_TESTS_LOAD_TALLY_H_
