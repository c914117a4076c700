#include "sync/base/require.h"

#include <cstdio>
#include <cstdlib>

namespace zhibu {

void DoesNotHold(const char* file, int line, const char* condition) {
  std::fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, condition);
  std::abort();
}

}  // namespace zhibu
