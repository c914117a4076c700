// What is to be done to a server, and by how many.
#ifndef ZHIBU_TESTS_LOAD_PLAN_H_
#define ZHIBU_TESTS_LOAD_PLAN_H_

#include <cstdint>
#include <string>

namespace zhibu::load {

enum class Mode {
  kPush,     // edits on open streams
  kCheckIn,  // check-ins by code on open streams
  kStorm,    // each dials, proves who it is, pushes, receives, closes; and again
  kIdle,     // open streams that say nothing
};

struct Plan {
  Mode mode = Mode::kPush;
  int devices = 100;
  int per_branch = 6;
  int threads = 1;
  int seconds = 10;
  int drain_seconds = 60;  // for what is still without an answer then
  int edits = 1;           // at once, in one frame
  double rate = 0;         // edits a second of all together; 0: each waits for its answer
  int think_ms = 0;        // before the next, by chance up to twice that; where `rate` is 0
  int slow_percent = 0;    // of the devices: read one message a second
  int wrong_clock_percent = 0;
  uint64_t seed = 1;
};

}  // namespace zhibu::load

#endif  // ZHIBU_TESTS_LOAD_PLAN_H_
