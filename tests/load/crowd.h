// All simulated devices, on a few threads, through one run:
//
//   opening    every device dials, at most kDialling of each thread at once (not of a storm)
//   offering   for Plan.seconds: they write, as the plan has it
//   draining   what has no answer yet gets it, for at most Plan.drain_seconds
#ifndef ZHIBU_TESTS_LOAD_CROWD_H_
#define ZHIBU_TESTS_LOAD_CROWD_H_

#include <memory>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "tests/load/plan.h"
#include "tests/load/site.h"
#include "tests/load/tally.h"

namespace zhibu::load {

struct Outcome {
  Tally tally;
  double opening_seconds = 0;
  double seconds = 0;        // of offering
  double drain_seconds = 0;  // after that
  int64_t opened = 0;        // streams that were there when offering began
  int64_t waiting = 0;       // edits without an answer when offering ended
  int64_t unanswered = 0;    // and at the end
};

// What is to be looked at in between.
struct Moments {
  absl::FunctionRef<void()> opened;   // the streams are open, and nothing is offered yet
  absl::FunctionRef<void()> offered;  // offering has just ended
};

// DEADLINE_EXCEEDED: the devices do not come to be in step. Where nothing is left without an
// answer, the same devices may run again.
absl::StatusOr<Outcome> RunCrowd(const Plan& plan, Site* site, const Moments& moments);

}  // namespace zhibu::load

#endif  // ZHIBU_TESTS_LOAD_CROWD_H_
