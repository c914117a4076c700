#include "sync/environment.h"

#include <sodium.h>

#include <cstring>

#include "absl/strings/escaping.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"

namespace zhibu {

Id Environment::NewId() const {
  std::string bytes = random_bytes(Id::kSize);
  const auto ms = static_cast<uint64_t>(now_ms());
  for (int i = 0; i < 6; ++i) bytes[i] = static_cast<char>(ms >> (8 * (5 - i)));
  return *Id::FromBytes(bytes);
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
          .now_us = [] { return absl::ToUnixMicros(absl::Now()); }};
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
