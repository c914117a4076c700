// What no expression may exceed, whoever wrote it.
#ifndef ZHIBU_SYNC_RULES_CEL_LIMITS_H_
#define ZHIBU_SYNC_RULES_CEL_LIMITS_H_

#include <cstddef>
#include <cstdint>

namespace zhibu::cel {

// The longest rule of a regulation fills half a page.
inline constexpr size_t kSourceBytesMax = size_t{16} * 1024;
// Of the tree: `a + b + c` is three deep.
inline constexpr int kDepthMax = 100;
// Of brackets and signs, which need not deepen the tree. Above twice kDepthMax, so that
// what Unparse puts in brackets can be read again.
inline constexpr int kNestingMax = 2 * kDepthMax + 10;
// Of one regular expression, compiled.
inline constexpr int64_t kPatternMemoryBytesMax = int64_t{64} * 1024;
// Of all in a text, in instructions of RE2; and what each costs beside its own.
inline constexpr size_t kPatternInstructionsMax = 2'000;
inline constexpr size_t kPatternInstructionsEach = 20;

}  // namespace zhibu::cel

#endif  // ZHIBU_SYNC_RULES_CEL_LIMITS_H_
