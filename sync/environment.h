// What comes from outside: the time and chance. Both sides are handed one, so
// that a simulator can hand them its own.
#ifndef ZHIBU_SYNC_ENVIRONMENT_H_
#define ZHIBU_SYNC_ENVIRONMENT_H_

#include <cstdint>
#include <functional>
#include <string>

#include "absl/strings/string_view.h"
#include "sync/types.h"

namespace zhibu {

struct Environment {
  std::function<int64_t()> now_ms;                  // wall clock, since 1970
  std::function<std::string(size_t)> random_bytes;  // fit for keys
  std::function<int64_t()> now_us = nullptr;        // the same clock, where it is finer

  int64_t NowMicros() const { return now_us ? now_us() : now_ms() * 1000; }

  // A fresh id, in time order.
  Id NewId() const;
  // What makes an edit unlike any other (sync.v1.Edit).
  uint64_t NewSalt() const;
};

// The machine's own clock and entropy.
Environment SystemEnvironment();

// Hexadecimal, lower case: for fingerprints and digests that people compare.
std::string Hex(absl::string_view bytes);
// BLAKE2b of 32 bytes.
std::string Digest(absl::string_view bytes);

}  // namespace zhibu

#endif  // ZHIBU_SYNC_ENVIRONMENT_H_
