#include "tests/load/tally.h"

#include <algorithm>
#include <bit>

namespace zhibu::load {

size_t Histogram::StepOf(int64_t us) {
  const auto value = static_cast<uint64_t>(std::max<int64_t>(us, 0));
  constexpr uint64_t kExact = uint64_t{1} << kStepBits;
  if (value < kExact) return static_cast<size_t>(value);
  const int shift = std::bit_width(value) - kStepBits - 1;
  const size_t step = (static_cast<size_t>(shift + 1) << kStepBits) + (value >> shift) - kExact;
  return std::min(step, kSteps - 1);
}

int64_t Histogram::EndOf(size_t step) {
  constexpr size_t kExact = size_t{1} << kStepBits;
  if (step < kExact) return static_cast<int64_t>(step);
  const size_t shift = (step >> kStepBits) - 1;
  return static_cast<int64_t>((((step & (kExact - 1)) + kExact + 1) << shift) - 1);
}

void Histogram::Add(int64_t us) {
  ++counts_[StepOf(us)];
  ++count_;
  max_ = std::max(max_, us);
}

void Histogram::Merge(const Histogram& other) {
  for (size_t i = 0; i < kSteps; ++i) counts_[i] += other.counts_[i];
  count_ += other.count_;
  max_ = std::max(max_, other.max_);
}

int64_t Histogram::Percentile(double part) const {
  const double below = part * static_cast<double>(count_);
  uint64_t seen = 0;
  for (size_t i = 0; i < kSteps; ++i) {
    seen += counts_[i];
    if (seen > 0 && static_cast<double>(seen) >= below) return std::min(EndOf(i), max_);
  }
  return max_;
}

void Tally::AnsweredIn(size_t second) {
  if (answered_by_second.size() <= second) answered_by_second.resize(second + 1);
  ++answered_by_second[second];
}

void Tally::Merge(const Tally& other) {
  answers.Merge(other.answers);
  others.Merge(other.others);
  cycles.Merge(other.cycles);
  openings.Merge(other.openings);
  if (answered_by_second.size() < other.answered_by_second.size()) {
    answered_by_second.resize(other.answered_by_second.size());
  }
  for (size_t i = 0; i < other.answered_by_second.size(); ++i) {
    answered_by_second[i] += other.answered_by_second[i];
  }
  sent += other.sent;
  merged += other.merged;
  not_offered += other.not_offered;
  records += other.records;
  bytes_up += other.bytes_up;
  bytes_down += other.bytes_down;
  for (const auto& [what, times] : other.errors) errors[what] += times;
}

}  // namespace zhibu::load
