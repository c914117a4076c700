#include "sync/base/environment.h"

#include <sodium.h>
#include <time.h>

#include <cstdlib>
#include <cstring>

#include "absl/strings/escaping.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"

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
          .random_bytes =
              [](size_t size) {
                std::string bytes(size, '\0');
                randombytes_buf(bytes.data(), bytes.size());
                return bytes;
              },
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
