// What comes from outside: the time and chance. Both sides are handed one, so
// that a simulator can hand them its own.
#ifndef ZHIBU_SYNC_BASE_ENVIRONMENT_H_
#define ZHIBU_SYNC_BASE_ENVIRONMENT_H_

#include <cstdint>
#include <functional>
#include <string>

#include "absl/strings/string_view.h"
#include "sync/base/types.h"

namespace zhibu {

struct Environment {
  std::function<int64_t()> now_ms;                  // wall clock, since 1970
  std::function<std::string(size_t)> random_bytes;  // fit for keys
  std::function<int64_t()> now_us = nullptr;        // the same clock, where it is finer
  // Goes on evenly from anywhere, whatever that clock is set to. Null: nobody notices here
  // that it was set.
  std::function<int64_t()> steady_ms = nullptr;

  int64_t NowMicros() const { return now_us ? now_us() : now_ms() * 1000; }
  // To tell how long something took.
  int64_t SteadyMs() const { return steady_ms ? steady_ms() : now_ms(); }

  // A fresh id, in time order.
  Id NewId() const;
  // What makes an edit unlike any other (sync.v1.Edit).
  uint64_t NewSalt() const;
};

// When a fresh id was made, by the clock of whoever made it; of one that follows from what a
// record is about it says nothing.
int64_t MadeAtMs(const Id& id);

// Whether a machine's clock was set since this was made: what has been worked out by it
// then is wrong now. A clock that runs badly is noticed once it is two seconds off.
class ClockWatch {
 public:
  explicit ClockWatch(const Environment& environment) : apart_ms_(Apart(environment)) {}
  bool WasSet(const Environment& environment) const;

 private:
  static int64_t Apart(const Environment& environment);

  int64_t apart_ms_;
};

// The machine's own clock and entropy.
Environment SystemEnvironment();

// Hexadecimal, lower case: for fingerprints and digests that people compare.
std::string Hex(absl::string_view bytes);
// BLAKE2b of 32 bytes.
std::string Digest(absl::string_view bytes);

}  // namespace zhibu

#endif  // ZHIBU_SYNC_BASE_ENVIRONMENT_H_
