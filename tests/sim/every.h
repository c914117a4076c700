// One story, or seed, of so many, where all of them would take too long: under a sanitizer.
#ifndef ZHIBU_TESTS_SIM_EVERY_H_
#define ZHIBU_TESTS_SIM_EVERY_H_

#include <algorithm>
#include <cstdlib>

namespace zhibu::sim {

// 1 unless ZHIBU_SIM_EVERY says another number.
inline int Every() {
  const char* every = std::getenv("ZHIBU_SIM_EVERY");
  return every == nullptr ? 1 : std::max(1, std::atoi(every));
}

}  // namespace zhibu::sim

#endif  // ZHIBU_TESTS_SIM_EVERY_H_
