#include "sync/crypto/handshake.h"

#include <sodium.h>

#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "sync/base/reason.h"
#include "sync/crypto/sodium_bytes.h"

namespace zhibu {
namespace {

constexpr char kSession[] = "zhibu session v2";
constexpr char kEnrolment[] = "zhibu enrolment v1";
constexpr size_t kFingerprintDigits = 64;
constexpr char kTicketName[] = "zhibu1";

std::string Payload(absl::string_view nonce, absl::string_view fingerprint,
                    absl::string_view hello) {
  return absl::StrCat(kSession, nonce, absl::HexStringToBytes(fingerprint), hello);
}

std::string EnrolmentPayload(absl::string_view public_key, absl::string_view fingerprint) {
  return absl::StrCat(kEnrolment, public_key, absl::HexStringToBytes(fingerprint));
}

std::string Sign(absl::string_view secret_key, const std::string& payload) {
  std::string signature(crypto_sign_BYTES, '\0');
  crypto_sign_detached(Bytes(&signature), nullptr, Bytes(payload), payload.size(),
                       Bytes(secret_key));
  return signature;
}

bool IsSigned(absl::string_view public_key, const std::string& payload,
              absl::string_view signature) {
  return public_key.size() == crypto_sign_PUBLICKEYBYTES && signature.size() == crypto_sign_BYTES &&
         crypto_sign_verify_detached(Bytes(signature), Bytes(payload), payload.size(),
                                     Bytes(public_key)) == 0;
}

}  // namespace

KeyPair NewKeyPair(const Environment& environment) {
  KeyPair keys;
  keys.public_key.resize(crypto_sign_PUBLICKEYBYTES);
  keys.secret_key.resize(crypto_sign_SECRETKEYBYTES);
  const std::string seed = environment.random_bytes(crypto_sign_SEEDBYTES);
  crypto_sign_seed_keypair(Bytes(&keys.public_key), Bytes(&keys.secret_key), Bytes(seed));
  return keys;
}

bool IsPublicKey(absl::string_view bytes) {
  return bytes.size() == crypto_core_ed25519_BYTES &&
         crypto_core_ed25519_is_valid_point(reinterpret_cast<const unsigned char*>(bytes.data())) ==
             1;
}

std::string PublicKeyOf(absl::string_view secret_key) {
  std::string public_key(crypto_sign_PUBLICKEYBYTES, '\0');
  crypto_sign_ed25519_sk_to_pk(Bytes(&public_key), Bytes(secret_key));
  return public_key;
}

std::string SignProof(absl::string_view secret_key, absl::string_view nonce,
                      absl::string_view fingerprint, absl::string_view hello) {
  return Sign(secret_key, Payload(nonce, fingerprint, hello));
}

bool VerifyProof(absl::string_view public_key, absl::string_view nonce,
                 absl::string_view fingerprint, absl::string_view hello,
                 absl::string_view signature) {
  return fingerprint.size() == kFingerprintDigits &&
         IsSigned(public_key, Payload(nonce, fingerprint, hello), signature);
}

std::string SignEnrolment(absl::string_view courier_secret_key, absl::string_view public_key,
                          absl::string_view fingerprint) {
  return Sign(courier_secret_key, EnrolmentPayload(public_key, fingerprint));
}

bool VerifyEnrolment(absl::string_view courier_key, absl::string_view public_key,
                     absl::string_view fingerprint, absl::string_view signature) {
  return fingerprint.size() == kFingerprintDigits &&
         IsSigned(courier_key, EnrolmentPayload(public_key, fingerprint), signature);
}

uint64_t LinkTo(absl::string_view previous_edit) {
  const std::string digest = Digest(previous_edit);
  uint64_t link = 0;
  for (int i = 0; i < 8; ++i) link = (link << 8) | static_cast<uint8_t>(digest[i]);
  return link;
}

std::string FingerprintOf(absl::string_view certificate_pem) {
  constexpr absl::string_view kBegin = "-----BEGIN CERTIFICATE-----";
  constexpr absl::string_view kEnd = "-----END CERTIFICATE-----";
  const size_t begin = certificate_pem.find(kBegin);
  const size_t end = certificate_pem.find(kEnd);
  if (begin == absl::string_view::npos || end == absl::string_view::npos || end < begin) return "";
  const absl::string_view base64 =
      certificate_pem.substr(begin + kBegin.size(), end - begin - kBegin.size());
  std::string der;
  if (!absl::Base64Unescape(base64, &der)) return "";
  return FingerprintOfDer(der);
}

std::string FingerprintOfDer(absl::string_view der) {
  std::string digest(crypto_hash_sha256_BYTES, '\0');
  crypto_hash_sha256(Bytes(&digest), Bytes(der), der.size());
  return Hex(digest);
}

std::string EnrolmentTicket::ToText() const {
  return absl::StrCat(kTicketName, "/", address, "/", fingerprint, "/", code);
}

absl::StatusOr<EnrolmentTicket> EnrolmentTicket::FromText(absl::string_view text) {
  const std::vector<std::string> parts = absl::StrSplit(absl::StripAsciiWhitespace(text), '/');
  if (parts.size() != 4 || parts[0] != kTicketName || parts[1].empty() ||
      parts[2].size() != kFingerprintDigits || parts[3].empty()) {
    return Refuse(sync::v1::BAD_CODE, "");
  }
  return EnrolmentTicket{parts[1], absl::AsciiStrToLower(parts[2]), parts[3]};
}

}  // namespace zhibu
