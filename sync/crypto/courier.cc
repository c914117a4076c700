#include "sync/crypto/courier.h"

#include <sodium.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "sync/base/reason.h"
#include "sync/crypto/handshake.h"
#include "sync/crypto/sodium_bytes.h"

namespace zhibu {
namespace {

using sync::v1::Letter;
using sync::v1::Parcel;

constexpr size_t kWhereBytesMax = 300;  // an address and a port, a fingerprint

absl::string_view FormOf(Cargo cargo) {
  return cargo == Cargo::kBundle ? "zhibu bundles 1" : "zhibu receipts 1";
}

absl::Status Damaged() { return Refuse(sync::v1::COURIER_DAMAGED, ""); }

// What is signed names the reader, so that nobody can pass it on as meant for another.
std::string Payload(Cargo cargo, absl::string_view content, absl::string_view reader) {
  return absl::StrCat(cargo == Cargo::kBundle ? "zhibu bundle v1" : "zhibu receipt v1", reader,
                      content);
}

}  // namespace

absl::StatusOr<std::string> Seal(Cargo cargo, absl::string_view content,
                                 absl::string_view secret_key, absl::string_view reader) {
  std::string box_key(crypto_box_PUBLICKEYBYTES, '\0');
  if (reader.size() != crypto_sign_PUBLICKEYBYTES ||
      crypto_sign_ed25519_pk_to_curve25519(Bytes(&box_key), Bytes(reader)) != 0) {
    return Damaged();
  }
  const std::string payload = Payload(cargo, content, reader);
  std::string signature(crypto_sign_BYTES, '\0');
  crypto_sign_detached(Bytes(&signature), nullptr, Bytes(payload), payload.size(),
                       Bytes(secret_key));
  Letter letter;
  letter.set_content(std::string(content));
  letter.set_signature(signature);
  const std::string plain = letter.SerializeAsString();
  std::string sealed(plain.size() + crypto_box_SEALBYTES, '\0');
  crypto_box_seal(Bytes(&sealed), Bytes(plain), plain.size(), Bytes(box_key));
  return sealed;
}

absl::StatusOr<Letter> Unseal(absl::string_view sealed, absl::string_view secret_key) {
  if (sealed.size() > kSealedBytesMax) {
    return TooLarge("bundle", sealed.size(), kSealedBytesMax);
  }
  if (sealed.size() < crypto_box_SEALBYTES || secret_key.size() != crypto_sign_SECRETKEYBYTES) {
    return Damaged();
  }
  std::string box_secret(crypto_box_SECRETKEYBYTES, '\0');
  std::string box_public(crypto_box_PUBLICKEYBYTES, '\0');
  std::string plain(sealed.size() - crypto_box_SEALBYTES, '\0');
  crypto_sign_ed25519_sk_to_curve25519(Bytes(&box_secret), Bytes(secret_key));
  crypto_scalarmult_base(Bytes(&box_public), Bytes(box_secret));
  const bool opened = crypto_box_seal_open(Bytes(&plain), Bytes(sealed), sealed.size(),
                                           Bytes(box_public), Bytes(box_secret)) == 0;
  sodium_memzero(box_secret.data(), box_secret.size());
  Letter letter;
  if (!opened || !letter.ParseFromString(plain)) return Damaged();
  return letter;
}

bool SignedBy(absl::string_view public_key, Cargo cargo, const Letter& letter,
              absl::string_view reader) {
  const std::string payload = Payload(cargo, letter.content(), reader);
  return public_key.size() == crypto_sign_PUBLICKEYBYTES &&
         letter.signature().size() == crypto_sign_BYTES &&
         crypto_sign_verify_detached(Bytes(letter.signature()), Bytes(payload), payload.size(),
                                     Bytes(public_key)) == 0;
}

std::string ToFile(Cargo cargo, Parcel parcel) {
  parcel.set_form(std::string(FormOf(cargo)));
  return parcel.SerializeAsString();
}

absl::StatusOr<Parcel> FromFile(Cargo cargo, absl::string_view bytes) {
  if (bytes.size() > kParcelBytesMax) {
    return TooLarge("parcel", bytes.size(), kParcelBytesMax);
  }
  Parcel parcel;
  const bool read = parcel.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()));
  const bool good =
      read && parcel.form() == FormOf(cargo) && !parcel.sealed().empty() &&
      parcel.sealed_size() <= kSealedMax && parcel.address().size() <= kWhereBytesMax &&
      parcel.fingerprint().size() <= kWhereBytesMax &&
      parcel.GetReflection()->GetUnknownFields(parcel).empty() &&
      std::all_of(parcel.sealed().begin(), parcel.sealed().end(),
                  [](const std::string& sealed) { return sealed.size() <= kSealedBytesMax; });
  if (!good) return Damaged();
  return parcel;
}

}  // namespace zhibu
