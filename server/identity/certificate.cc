#include "server/identity/certificate.h"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include <memory>

#include "absl/status/status.h"

namespace zhibu::server {
namespace {

constexpr long kValidSeconds = 20L * 365 * 24 * 3600;  // NOLINT(google-runtime-int): OpenSSL's type

template <typename T, void (*Free)(T*)>
struct Deleter {
  void operator()(T* object) const { Free(object); }
};
using Key = std::unique_ptr<EVP_PKEY, Deleter<EVP_PKEY, EVP_PKEY_free>>;
using Cert = std::unique_ptr<X509, Deleter<X509, X509_free>>;
using Bio = std::unique_ptr<BIO, Deleter<BIO, BIO_free_all>>;

std::string TextOf(BIO* bio) {
  char* data = nullptr;
  const auto size = BIO_get_mem_data(bio, &data);
  return std::string(data, static_cast<size_t>(size));
}

}  // namespace

absl::StatusOr<Certificate> MakeCertificate() {
  const Key key(EVP_EC_gen("P-256"));
  const Cert cert(X509_new());
  if (key == nullptr || cert == nullptr) return absl::InternalError("cannot make a key");
  X509_set_version(cert.get(), 2);
  unsigned char serial[8];
  RAND_bytes(serial, sizeof(serial));
  uint64_t number = 0;
  for (const unsigned char byte : serial) number = (number << 8) | byte;
  ASN1_INTEGER_set_uint64(X509_get_serialNumber(cert.get()), number >> 1);
  X509_gmtime_adj(X509_getm_notBefore(cert.get()), -24L * 3600);  // a device's clock may be behind
  X509_gmtime_adj(X509_getm_notAfter(cert.get()), kValidSeconds);
  X509_NAME* name = X509_get_subject_name(cert.get());
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>("zhibu"), -1, -1, 0);
  X509_set_issuer_name(cert.get(), name);
  X509_set_pubkey(cert.get(), key.get());
  if (X509_sign(cert.get(), key.get(), EVP_sha256()) == 0) {
    return absl::InternalError("cannot sign the certificate");
  }
  const Bio key_text(BIO_new(BIO_s_mem()));
  const Bio cert_text(BIO_new(BIO_s_mem()));
  PEM_write_bio_PrivateKey(key_text.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr);
  PEM_write_bio_X509(cert_text.get(), cert.get());
  return Certificate{TextOf(key_text.get()), TextOf(cert_text.get())};
}

}  // namespace zhibu::server
