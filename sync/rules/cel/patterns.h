// What the regular expressions that are compiled together may come to: each takes time, and stays
// in memory as long as its program. Whoever compiles a text of several expressions has one for all.
#ifndef ZHIBU_SYNC_RULES_CEL_PATTERNS_H_
#define ZHIBU_SYNC_RULES_CEL_PATTERNS_H_

#include <cstddef>

#include "sync/rules/cel/limits.h"

namespace zhibu::cel {

class Patterns {
 public:
  // Of RE2's program. False from the moment on when it is too much.
  bool Take(size_t instructions) {
    taken_ += instructions + kPatternInstructionsEach;
    return taken_ <= kPatternInstructionsMax;
  }

 private:
  size_t taken_ = 0;
};

}  // namespace zhibu::cel

#endif  // ZHIBU_SYNC_RULES_CEL_PATTERNS_H_
