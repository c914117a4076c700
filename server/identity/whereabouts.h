// Where devices find the server: its address and certificate, and those to which it is to move.
//
//   reached_at = (address, certificate), and with what is announced: each address that there is
//                or will be, with each certificate
//
// A device believes what it is told over a stream whose certificate it knows. So what is announced
// while the old certificate holds is known by the new one, and nobody has to enrol again but who
// was not here in between.
#ifndef ZHIBU_SERVER_IDENTITY_WHEREABOUTS_H_
#define ZHIBU_SERVER_IDENTITY_WHEREABOUTS_H_

#include <optional>
#include <string>

#include "server/identity/certificate.h"
#include "server/store/store.h"
#include "zhibu/sync/v1/sync.pb.h"

namespace zhibu::server {

// Names in the settings of the store, beside that of the certificate (certificate.h).
inline constexpr char kServerKey[] = "server_key";
inline constexpr char kServerAddress[] = "server_address";
inline constexpr char kAnnounced[] = "announced_ms";

// Empty where the server has had no address yet.
absl::StatusOr<sync::v1::ServerAddresses> ReachedAt(Reader& reader);

struct Announcement {
  std::string address;                     // empty: it stays
  std::optional<Certificate> certificate;  // is to come, unless one is announced already
};
absl::Status Announce(Writer& writer, const Announcement& announcement, int64_t now_ms);
absl::Status WithdrawAnnouncement(Writer& writer);
// What is announced, as one text: another where it has changed.
absl::StatusOr<std::string> AnnouncedBy(Reader& reader);

// From now on the server has this address. One that was announced is so no longer.
absl::Status SetAddress(Writer& writer, const std::string& address);
// From now on it has the certificate that was announced; it has it already where one was taken and
// none was announced since. Gives whether it is another. FAILED_PRECONDITION: none ever was.
absl::StatusOr<bool> TakeAnnouncedCertificate(Writer& writer);

}  // namespace zhibu::server

#endif  // ZHIBU_SERVER_IDENTITY_WHEREABOUTS_H_
