// Cuts a failing plan down to what makes it fail: the same invariant, fewer
// steps, devices and faults.
#ifndef ZHIBU_TESTS_SIM_SHRINK_H_
#define ZHIBU_TESTS_SIM_SHRINK_H_

#include <functional>

#include "tests/sim/plan.h"

namespace zhibu::sim {

// `fails` runs a plan and says whether it still fails in the same way. It is
// called at most `runs_max` times.
Plan Shrink(const Plan& plan, int runs_max, const std::function<bool(const Plan&)>& fails);

}  // namespace zhibu::sim

#endif  // ZHIBU_TESTS_SIM_SHRINK_H_
