// How much one evaluation may cost. A step is a node of the tree evaluated once; what grows
// or looks through text, lists and messages is charged by size. So time and memory are bounded
// by the budget, whatever the expression:
//
//   bytes made <= steps * kBytesPerStep, things made or looked at <= steps
// Where many evaluations share one budget they are paid from one purse, each with at most its own:
//
//   steps of all <= purse
#ifndef ZHIBU_SYNC_RULES_CEL_BUDGET_H_
#define ZHIBU_SYNC_RULES_CEL_BUDGET_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace zhibu::cel {

struct Budget {
  uint64_t steps = 10'000;
};

inline constexpr size_t kBytesPerStep = 16;

class Meter {
 public:
  explicit Meter(Budget budget) : budget_(budget), left_(budget.steps) {}

  // False from the moment on when the budget does not suffice.
  bool Charge(uint64_t steps) {
    if (steps > left_) {
      left_ = 0;
      exhausted_ = true;
      return false;
    }
    left_ -= steps;
    return !exhausted_;
  }
  bool ChargeBytes(size_t bytes) { return Charge(bytes / kBytesPerStep); }

  bool exhausted() const { return exhausted_; }
  Budget budget() const { return budget_; }
  uint64_t spent() const { return budget_.steps - left_; }

 private:
  const Budget budget_;
  uint64_t left_;
  bool exhausted_ = false;
};

class Purse {
 public:
  explicit Purse(uint64_t steps) : steps_(steps), left_(steps) {}

  Budget ForOne(Budget most) const { return {std::min(most.steps, left_)}; }
  void Pay(uint64_t steps) { left_ -= std::min(steps, left_); }

  bool empty() const { return left_ == 0; }
  uint64_t steps() const { return steps_; }

 private:
  const uint64_t steps_;
  uint64_t left_;
};

}  // namespace zhibu::cel

#endif  // ZHIBU_SYNC_RULES_CEL_BUDGET_H_
