#include "tests/sim/shrink.h"

#include <algorithm>
#include <set>

namespace zhibu::sim {
namespace {

class Shrinker {
 public:
  Shrinker(const Plan& plan, int runs_max, const std::function<bool(const Plan&)>& fails)
      : best_(plan), runs_left_(runs_max), fails_(fails) {}

  Plan Go() {
    size_t before = 0;
    do {
      before = best_.steps.size();
      WithoutKinds();
      WithoutDevices();
      WithoutSteps();
    } while (best_.steps.size() < before && runs_left_ > 0);
    return best_;
  }

 private:
  bool Try(Plan plan) {
    if (runs_left_ <= 0 || plan.steps.size() >= best_.steps.size()) return false;
    --runs_left_;
    if (!fails_(plan)) return false;
    best_ = std::move(plan);
    best_.options.steps = static_cast<int>(best_.steps.size());
    return true;
  }
  template <typename Unwanted>
  bool TryWithout(Unwanted unwanted) {
    Plan plan = best_;
    auto& steps = plan.steps;
    steps.erase(std::remove_if(steps.begin(), steps.end(), unwanted), steps.end());
    return Try(std::move(plan));
  }

  // All faults of one kind, all talk …
  void WithoutKinds() {
    std::set<Act> kinds;
    for (const Step& step : best_.steps) kinds.insert(step.act);
    for (const Act kind : kinds) {
      TryWithout([&](const Step& step) { return step.act == kind; });
    }
  }
  void WithoutDevices() {
    for (int device = best_.options.devices - 1; device >= 0; --device) {
      TryWithout([&](const Step& step) { return static_cast<int>(step.device) == device; });
    }
  }
  // By halves, quarters, … single steps.
  void WithoutSteps() {
    for (size_t size = std::max<size_t>(1, best_.steps.size() / 2);; size /= 2) {
      for (size_t at = 0; at < best_.steps.size() && runs_left_ > 0;) {
        Plan plan = best_;
        const size_t end = std::min(at + size, plan.steps.size());
        plan.steps.erase(plan.steps.begin() + static_cast<std::ptrdiff_t>(at),
                         plan.steps.begin() + static_cast<std::ptrdiff_t>(end));
        if (!Try(std::move(plan))) at += size;
      }
      if (size <= 1) break;
    }
  }

  Plan best_;
  int runs_left_;
  const std::function<bool(const Plan&)>& fails_;
};

}  // namespace

Plan Shrink(const Plan& plan, int runs_max, const std::function<bool(const Plan&)>& fails) {
  return Shrinker(plan, runs_max, fails).Go();
}

}  // namespace zhibu::sim
