#include "sync/base/environment.h"

#include <pthread.h>
#include <sodium.h>
#include <time.h>

#include <array>
#include <atomic>
#include <cstdlib>
#include <cstring>

#include "absl/strings/escaping.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "sync/base/require.h"

namespace zhibu {
namespace {

constexpr int64_t kSetMs = 2'000;

// Goes on while the machine sleeps, where the platform has such a clock.
int64_t SteadyMs() {
#ifdef CLOCK_BOOTTIME
  constexpr clockid_t kClock = CLOCK_BOOTTIME;
#else
  constexpr clockid_t kClock = CLOCK_MONOTONIC;
#endif
  timespec time{};
  clock_gettime(kClock, &time);
  return absl::ToInt64Milliseconds(absl::DurationFromTimespec(time));
}

// How often this process has been forked off: what was fetched before is the other's as well.
std::atomic<int> forks{0};

// The kernel's randomness, many requests' worth at a time: each sealed value takes a nonce, and a
// call of the kernel costs more than to seal. What has been given out is not kept.
class Randomness {
 public:
  void Give(char* to, size_t size) {
    if (size > kLargest) return randombytes_buf(to, size);
    if (left_ < size || forks_ != forks.load(std::memory_order_relaxed)) Fetch();
    left_ -= size;
    std::memcpy(to, bytes_.data() + left_, size);
    sodium_memzero(bytes_.data() + left_, size);
  }

 private:
  static constexpr size_t kLargest = 64;

  void Fetch() {
    static const int kHears = pthread_atfork(nullptr, nullptr, [] { ++forks; });
    REQUIRE(kHears == 0);  // or a fork would give out the same
    forks_ = forks;
    randombytes_buf(bytes_.data(), bytes_.size());
    left_ = bytes_.size();
  }

  std::array<char, 2048> bytes_;
  size_t left_ = 0;
  int forks_ = 0;
};

std::string RandomBytes(size_t size) {
  thread_local Randomness randomness;
  std::string bytes(size, '\0');
  randomness.Give(bytes.data(), size);
  return bytes;
}

}  // namespace

Id Environment::NewId() const {
  std::string bytes = random_bytes(Id::kSize);
  const auto ms = static_cast<uint64_t>(now_ms());
  for (int i = 0; i < 6; ++i) bytes[i] = static_cast<char>(ms >> (8 * (5 - i)));
  return *Id::FromBytes(bytes);
}

int64_t MadeAtMs(const Id& id) {
  int64_t ms = 0;
  for (int i = 0; i < 6; ++i) ms = ms << 8 | static_cast<uint8_t>(id.bytes()[i]);
  return ms;
}

uint64_t Environment::NewSalt() const {
  uint64_t salt = 0;
  const std::string bytes = random_bytes(sizeof(salt));
  std::memcpy(&salt, bytes.data(), sizeof(salt));
  return salt;
}

Environment SystemEnvironment() {
  return {.now_ms = [] { return absl::ToUnixMillis(absl::Now()); },
          .random_bytes = &RandomBytes,
          .now_us = [] { return absl::ToUnixMicros(absl::Now()); },
          .steady_ms = &SteadyMs};
}

int64_t ClockWatch::Apart(const Environment& environment) {
  return environment.steady_ms ? environment.now_ms() - environment.steady_ms() : 0;
}

bool ClockWatch::WasSet(const Environment& environment) const {
  return std::abs(Apart(environment) - apart_ms_) >= kSetMs;
}

std::string Hex(absl::string_view bytes) { return absl::BytesToHexString(bytes); }

std::string Digest(absl::string_view bytes) {
  std::string digest(crypto_generichash_BYTES, '\0');
  crypto_generichash(reinterpret_cast<unsigned char*>(digest.data()), digest.size(),
                     reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), nullptr,
                     0);
  return digest;
}

}  // namespace zhibu
