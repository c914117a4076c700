// What lies on a disk, sealed: XChaCha20-Poly1305 (libsodium), a random nonce for
// each value.
//
//   sealed = nonce (24) | ciphertext | tag (16)
//
//   Seal seal(key, environment.random_bytes);
//   column = seal.Close("record.body/31/ab…", body);
//   seal.Open("record.body/31/ab…", column)      // body; none where it is damaged
//
// `place` names table, column and row and is authenticated, so that a value opens
// only where it was put. Nothing is sealed as nothing: whether a value is empty
// and how long it is can be seen. Who can write the file can still take rows away
// or put older ones back.
//
// A Seal without a key leaves values as they are. Any thread may call, if
// `random_bytes` may be called from any thread.
#ifndef ZHIBU_SYNC_CRYPTO_SEAL_H_
#define ZHIBU_SYNC_CRYPTO_SEAL_H_

#include <cstddef>
#include <functional>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"

namespace zhibu {

class Seal {
 public:
  static constexpr size_t kKeySize = 32;

  Seal() = default;
  // `key` has kKeySize bytes.
  Seal(std::string key, std::function<std::string(size_t)> random_bytes);

  bool has_key() const { return !key_.empty(); }

  std::string Close(absl::string_view place, absl::string_view plain) const;
  std::optional<std::string> Open(absl::string_view place, absl::string_view sealed) const;

 private:
  std::string key_;
  std::function<std::string(size_t)> random_bytes_;
};

}  // namespace zhibu

#endif  // ZHIBU_SYNC_CRYPTO_SEAL_H_
