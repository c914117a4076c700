// What is carried by hand between a device and the server, as bytes: who can
// read it, who signed it, and what a file must look like (courier.proto).
//
//   ASSIGN_OR_RETURN(sealed, SealCargo(Cargo::kBundle, bundle.SerializeAsString(),
//                                      device_secret_key, courier_public_key));
//   ASSIGN_OR_RETURN(Letter letter, UnsealCargo(sealed, courier_secret_key));
//   SignedBy(device_public_key, Cargo::kBundle, letter, courier_public_key)
//
// Keys are Ed25519 pairs (sync/crypto/handshake.h), converted for sealing. The nonces of
// sealed boxes are libsodium's own chance; nothing depends on them.
#ifndef ZHIBU_SYNC_CRYPTO_COURIER_H_
#define ZHIBU_SYNC_CRYPTO_COURIER_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "zhibu/sync/v1/courier.pb.h"

namespace zhibu {

enum class Cargo { kBundle, kReceipt };

// Of one bundle. An edit has at most kEditBytesMax, and a bundle at least one.
inline constexpr int kBundleEditsMax = 1000;
inline constexpr size_t kBundleBytes = 1 << 20;  // it grows to about this
inline constexpr size_t kSealedBytesMax = 2 << 20;
// Of a file.
inline constexpr int kSealedMax = 32;
inline constexpr size_t kParcelBytesMax = 66 << 20;

// Signed with `secret_key`, to be read by whoever has the secret key of `reader`
// and by nobody else. INVALID_ARGUMENT (COURIER_DAMAGED): `reader` is no key.
absl::StatusOr<std::string> SealCargo(Cargo cargo, absl::string_view content,
                                      absl::string_view secret_key, absl::string_view reader);

// COURIER_DAMAGED where it is not sealed for this key, or not as it was. Who has
// signed it is still to be asked.
absl::StatusOr<sync::v1::Letter> UnsealCargo(absl::string_view sealed,
                                             absl::string_view secret_key);
bool SignedBy(absl::string_view public_key, Cargo cargo, const sync::v1::Letter& letter,
              absl::string_view reader);

std::string ToFile(Cargo cargo, sync::v1::Parcel parcel);
// COURIER_DAMAGED where it is no such file, TOO_LARGE.
absl::StatusOr<sync::v1::Parcel> FromFile(Cargo cargo, absl::string_view bytes);

}  // namespace zhibu

#endif  // ZHIBU_SYNC_CRYPTO_COURIER_H_
