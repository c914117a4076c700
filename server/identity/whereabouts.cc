#include "server/identity/whereabouts.h"

#include <set>

#include "absl/strings/str_cat.h"
#include "server/identity/named.h"
#include "sync/base/reason.h"
#include "sync/base/status.h"
#include "sync/crypto/handshake.h"

namespace zhibu::server {
namespace {

constexpr char kNextAddress[] = "next_address";
constexpr char kNextCertificate[] = "next_certificate";
constexpr char kNextKey[] = "next_key";
// Whether a certificate that was announced has ever been taken.
constexpr char kTaken[] = "certificate_taken";

// Nothing is announced any more once neither is.
absl::Status EndAnnouncement(Writer& writer) {
  for (const char* name : {kNextAddress, kNextCertificate}) {
    ASSIGN_OR_RETURN(const std::string next, writer.GetSetting(name));
    if (!next.empty()) return absl::OkStatus();
  }
  return writer.PutSetting(kAnnounced, "");
}

}  // namespace

absl::StatusOr<sync::v1::ServerAddresses> ReachedAt(Reader& reader) {
  sync::v1::ServerAddresses reached;
  ASSIGN_OR_RETURN(const std::string address, reader.GetSetting(kServerAddress));
  if (address.empty()) return reached;
  ASSIGN_OR_RETURN(const std::string next_address, reader.GetSetting(kNextAddress));
  for (const char* which : {kServerCertificate, kNextCertificate}) {
    ASSIGN_OR_RETURN(const std::string certificate, reader.GetSetting(which));
    if (certificate.empty()) continue;
    for (const std::string& there : {address, next_address}) {
      if (there.empty()) continue;
      sync::v1::ServerAddress& at = *reached.add_at();
      at.set_address(there);
      at.set_fingerprint(FingerprintOf(certificate));
    }
  }
  return reached;
}

absl::Status Announce(Writer& writer, const Announcement& announcement, int64_t now_ms) {
  if (!announcement.address.empty()) {
    RETURN_IF_ERROR(writer.PutSetting(kNextAddress, announcement.address));
  }
  if (announcement.certificate) {
    ASSIGN_OR_RETURN(const std::string next, writer.GetSetting(kNextCertificate));
    if (next.empty()) {
      const Certificate& made = *announcement.certificate;
      RETURN_IF_ERROR(writer.PutSetting(kNextKey, made.key_pem));
      RETURN_IF_ERROR(writer.PutSetting(kNextCertificate, made.certificate_pem));
    }
  }
  return writer.PutSetting(kAnnounced, absl::StrCat(now_ms));
}

absl::Status WithdrawAnnouncement(Writer& writer) {
  for (const char* name : {kNextAddress, kNextCertificate, kNextKey, kAnnounced}) {
    RETURN_IF_ERROR(writer.PutSetting(name, ""));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> AnnouncedBy(Reader& reader) {
  ASSIGN_OR_RETURN(const std::string address, reader.GetSetting(kNextAddress));
  ASSIGN_OR_RETURN(const std::string certificate, reader.GetSetting(kNextCertificate));
  return absl::StrCat(address, "\n", certificate);
}

absl::Status SetAddress(Writer& writer, const std::string& address) {
  RETURN_IF_ERROR(writer.PutSetting(kServerAddress, address));
  ASSIGN_OR_RETURN(const std::string next, writer.GetSetting(kNextAddress));
  if (next == address) RETURN_IF_ERROR(writer.PutSetting(kNextAddress, ""));
  return EndAnnouncement(writer);
}

absl::StatusOr<bool> TakeAnnouncedCertificate(Writer& writer) {
  ASSIGN_OR_RETURN(const std::string certificate, writer.GetSetting(kNextCertificate));
  ASSIGN_OR_RETURN(const std::string key, writer.GetSetting(kNextKey));
  ASSIGN_OR_RETURN(const std::string taken, writer.GetSetting(kTaken));
  if (certificate.empty() && !taken.empty()) return false;  // by an earlier start
  if (certificate.empty()) {
    return absl::FailedPreconditionError(
        InBoth("没有预告过新证书，未作更换。请先运行 zhibu admin announce --certificate",
               "no new certificate was announced, and none was taken; run zhibu admin announce "
               "--certificate first"));
  }
  RETURN_IF_ERROR(writer.PutSetting(kServerCertificate, certificate));
  RETURN_IF_ERROR(writer.PutSetting(kServerKey, key));
  RETURN_IF_ERROR(writer.PutSetting(kNextCertificate, ""));
  RETURN_IF_ERROR(writer.PutSetting(kNextKey, ""));
  RETURN_IF_ERROR(writer.PutSetting(kTaken, "1"));
  RETURN_IF_ERROR(EndAnnouncement(writer));
  return true;
}

}  // namespace zhibu::server
