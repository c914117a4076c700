// How a device proves who it is, and what an enrolment code carries.
#ifndef ZHIBU_SYNC_CRYPTO_HANDSHAKE_H_
#define ZHIBU_SYNC_CRYPTO_HANDSHAKE_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "sync/base/environment.h"

namespace zhibu {

inline constexpr uint32_t kProtocolVersion = 3;

// Ed25519. The secret key never leaves the device.
struct KeyPair {
  std::string public_key;  // 32 bytes
  std::string secret_key;  // 64 bytes
};
KeyPair NewKeyPair(const Environment& environment);
// Whether there can be a secret key to it: a point of the curve, and of its large group. To
// one that is not, anybody might make a signature.
bool IsPublicKey(absl::string_view bytes);
// The public one that belongs to it.
std::string PublicKeyOf(absl::string_view secret_key);

// A signature over the server's nonce and the bytes of the Hello that opened the session,
// so that neither can be used again; and over the fingerprint (FingerprintOf) of the certificate
// that the device knows the server by, so that who stands in between with one of its own cannot
// pass the signature on.
std::string SignProof(absl::string_view secret_key, absl::string_view nonce,
                      absl::string_view fingerprint, absl::string_view hello);
// False also where `fingerprint` is none.
bool VerifyProof(absl::string_view public_key, absl::string_view nonce,
                 absl::string_view fingerprint, absl::string_view hello,
                 absl::string_view signature);

// By the server's courier key: that it has enrolled the device, under the certificate that the
// device sees. So a device that comes again knows that it is the server that it knew, though that
// has another certificate by now.
std::string SignEnrolment(absl::string_view courier_secret_key, absl::string_view public_key,
                          absl::string_view fingerprint);
bool VerifyEnrolment(absl::string_view courier_key, absl::string_view public_key,
                     absl::string_view fingerprint, absl::string_view signature);

// What an edit says of the one before it (NumberedEdit.previous).
uint64_t LinkTo(absl::string_view previous_edit);

// SHA-256 of a certificate in PEM form, in hexadecimal; empty if it is none.
std::string FingerprintOf(absl::string_view certificate_pem);
// The same of its DER form, which may be any bytes.
std::string FingerprintOfDer(absl::string_view certificate_der);

// What a device needs to enrol: where the server is, how to know it, and a
// one-time secret. One line of text, also what a QR code holds.
struct EnrolmentTicket {
  std::string address;      // host:port
  std::string fingerprint;  // SHA-256 of the server's certificate, hexadecimal
  std::string code;

  std::string ToText() const;
  // INVALID_ARGUMENT (BAD_CODE) where the text is not such a line.
  static absl::StatusOr<EnrolmentTicket> FromText(absl::string_view text);
};

}  // namespace zhibu

#endif  // ZHIBU_SYNC_CRYPTO_HANDSHAKE_H_
