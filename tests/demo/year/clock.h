// The time and chance of a year that passes in a minute. Every device and the server are handed
// one clock, which the program moves from day to day:
//
//   Clock clock(first_day);
//   clock.SetTo(day, 9);                       // nine in the morning, in China
//   Store::Open({.environment = clock.EnvironmentOf(seed)});
//
// Ids come from the seed, so that the same seed gives the same year; keys come from the machine.
//
// Threads: the program moves the clock, anybody reads it.
#ifndef ZHIBU_TESTS_DEMO_YEAR_CLOCK_H_
#define ZHIBU_TESTS_DEMO_YEAR_CLOCK_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/civil_time.h"
#include "sync/base/date.h"
#include "sync/base/environment.h"
#include "tests/sim/dice.h"

namespace zhibu::year {

inline std::string DateOf(absl::CivilDay day) { return absl::FormatCivilTime(day); }
inline std::string MonthOf(absl::CivilDay day) {
  return absl::FormatCivilTime(absl::CivilMonth(day));
}

class Clock {
 public:
  explicit Clock(absl::CivilDay day) { SetTo(day, 0); }

  void SetTo(absl::CivilDay day, int hour) {
    today_ = day;
    now_ms_ = BeginningOf(day) + hour * int64_t{3'600'000};
  }
  // To the machine's own time, with which the real program goes on.
  void SetToNow() {
    now_ms_ = SystemEnvironment().now_ms();
    today_ = DayAt(now_ms_);
  }
  void Pass(int64_t ms) { now_ms_ += ms; }

  absl::CivilDay today() const { return today_; }
  int64_t now_ms() const { return now_ms_; }

  // The clock must outlive it.
  Environment EnvironmentOf(uint64_t seed) const {
    const auto chance = std::make_shared<Chance>(seed);
    return {.now_ms = [this] { return now_ms(); },
            .random_bytes = [chance](size_t size) { return chance->Bytes(size); },
            .steady_ms = [this] { return now_ms(); }};
  }

 private:
  class Chance {
   public:
    explicit Chance(uint64_t seed) : dice_(seed) {}
    std::string Bytes(size_t size) {
      if (size >= kKeyBytes) return SystemEnvironment().random_bytes(size);
      absl::MutexLock lock(&mutex_);
      return dice_.Bytes(size);
    }

   private:
    static constexpr size_t kKeyBytes = 24;
    absl::Mutex mutex_;
    sim::Dice dice_ ABSL_GUARDED_BY(mutex_);
  };

  absl::CivilDay today_;
  std::atomic<int64_t> now_ms_{0};
};

}  // namespace zhibu::year

#endif  // ZHIBU_TESTS_DEMO_YEAR_CLOCK_H_
