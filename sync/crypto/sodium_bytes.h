// Text as libsodium takes it.
#ifndef ZHIBU_SYNC_CRYPTO_SODIUM_BYTES_H_
#define ZHIBU_SYNC_CRYPTO_SODIUM_BYTES_H_

#include <string>

#include "absl/strings/string_view.h"

namespace zhibu {

inline const unsigned char* Bytes(absl::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}
inline unsigned char* Bytes(std::string* text) {
  return reinterpret_cast<unsigned char*>(text->data());
}

}  // namespace zhibu

#endif  // ZHIBU_SYNC_CRYPTO_SODIUM_BYTES_H_
