#include "sync/crypto/seal.h"

#include <sodium.h>

#include <utility>

#include "sync/base/require.h"
#include "sync/crypto/sodium_bytes.h"

namespace zhibu {
namespace {

constexpr size_t kNonceSize = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES;
constexpr size_t kTagSize = crypto_aead_xchacha20poly1305_ietf_ABYTES;
static_assert(Seal::kKeySize == crypto_aead_xchacha20poly1305_ietf_KEYBYTES);

}  // namespace

Seal::Seal(std::string key, std::function<std::string(size_t)> random_bytes)
    : key_(std::move(key)), random_bytes_(std::move(random_bytes)) {
  REQUIRE(sodium_init() >= 0);
  REQUIRE(key_.size() == kKeySize);
}

std::string Seal::Close(absl::string_view place, absl::string_view plain) const {
  if (!has_key() || plain.empty()) return std::string(plain);
  std::string sealed = random_bytes_(kNonceSize);
  REQUIRE(sealed.size() == kNonceSize);  // or it would be sealed with what is used again
  sealed.resize(kNonceSize + plain.size() + kTagSize);
  crypto_aead_xchacha20poly1305_ietf_encrypt(Bytes(&sealed) + kNonceSize, nullptr, Bytes(plain),
                                             plain.size(), Bytes(place), place.size(), nullptr,
                                             Bytes(sealed), Bytes(key_));
  return sealed;
}

std::optional<std::string> Seal::Open(absl::string_view place, absl::string_view sealed) const {
  if (!has_key() || sealed.empty()) return std::string(sealed);
  if (sealed.size() < kNonceSize + kTagSize) return std::nullopt;
  std::string plain(sealed.size() - kNonceSize - kTagSize, '\0');
  if (crypto_aead_xchacha20poly1305_ietf_decrypt(
          Bytes(&plain), nullptr, nullptr, Bytes(sealed) + kNonceSize, sealed.size() - kNonceSize,
          Bytes(place), place.size(), Bytes(sealed), Bytes(key_)) != 0) {
    return std::nullopt;
  }
  return plain;
}

}  // namespace zhibu
