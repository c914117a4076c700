// The server's own certificate: made on the first start, known to devices by its
// fingerprint, which travels in the enrolment code.
#ifndef ZHIBU_SERVER_IDENTITY_CERTIFICATE_H_
#define ZHIBU_SERVER_IDENTITY_CERTIFICATE_H_

#include <string>

#include "absl/status/statusor.h"

namespace zhibu::server {

// Name in the settings of the store: of the certificate, in PEM form.
inline constexpr char kServerCertificate[] = "server_certificate";

struct Certificate {
  std::string key_pem;
  std::string certificate_pem;
};

// A new P-256 key and a certificate that it signs itself.
absl::StatusOr<Certificate> MakeCertificate();

}  // namespace zhibu::server

#endif  // ZHIBU_SERVER_IDENTITY_CERTIFICATE_H_
