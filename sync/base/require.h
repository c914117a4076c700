// What the code relies on, asked in release too:
//
//   REQUIRE(next > highest);
//
// A program that goes on with what it has misunderstood writes that down. So it says where and
// what, and ends; what was committed stays. It is for what the code itself has made sure of, never
// for what comes from outside or from a disk.
#ifndef ZHIBU_SYNC_BASE_REQUIRE_H_
#define ZHIBU_SYNC_BASE_REQUIRE_H_

#include "absl/base/optimization.h"

namespace zhibu {

[[noreturn]] void DoesNotHold(const char* file, int line, const char* condition);

}  // namespace zhibu

#define REQUIRE(condition)                                  \
  do {                                                      \
    if (ABSL_PREDICT_FALSE(!(condition))) {                 \
      ::zhibu::DoesNotHold(__FILE__, __LINE__, #condition); \
    }                                                       \
  } while (false)

#endif  // ZHIBU_SYNC_BASE_REQUIRE_H_
