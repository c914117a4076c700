// How much one evaluation may cost. A step is a node of the tree evaluated once; what grows
// or looks through text, lists and messages is charged by size. So time and memory are bounded
// by the budget, whatever the expression:
//
//   bytes made <= steps * kBytesPerStep, things made or looked at <= steps
#ifndef ZHIBU_SYNC_RULES_CEL_BUDGET_H_
#define ZHIBU_SYNC_RULES_CEL_BUDGET_H_

#include <cstddef>
#include <cstdint>

namespace zhibu::cel {

struct Budget {
  uint64_t steps = 10'000;
};

inline constexpr size_t kBytesPerStep = 16;

class Meter {
 public:
  explicit Meter(Budget budget) : left_(budget.steps) {}

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

 private:
  uint64_t left_;
  bool exhausted_ = false;
};

}  // namespace zhibu::cel

#endif  // ZHIBU_SYNC_RULES_CEL_BUDGET_H_
