// A server that gets another address, another certificate or both: announced first, or not at all.
#include "absl/strings/str_cat.h"
#include "server/identity/whereabouts.h"
#include "sync/base/reason.h"
#include "sync/base/status.h"
#include "sync/crypto/handshake.h"
#include "tests/sim/universe.h"

namespace zhibu::sim {

void Universe::MoveServer(Dice* dice) {
  if (server_.store == nullptr || !server_.disk.Sound()) return;
  const bool takes = dice->OneIn(2);
  const bool withdraws = dice->OneIn(8);
  server::Announcement announcement;
  if (dice->OneIn(2)) announcement.address = absl::StrCat("server-", dice->Below(1000));
  if (announcement.address.empty() || dice->OneIn(2)) {
    announcement.certificate = CertificateOf(dice->Bytes(8));
  }
  std::string address = server_.address;
  const absl::Status status = server_.disk.Quietly([&] {
    return server_.store->Write([&](server::Writer& writer) -> absl::Status {
      if (withdraws) return server::WithdrawAnnouncement(writer);
      if (!takes) return server::Announce(writer, announcement, server_ms());
      // It may never have been announced: an address by nobody's will, or in a hurry.
      ASSIGN_OR_RETURN(const auto reached, server::ReachedAt(writer));
      if (!reached.at().empty()) address = reached.at().rbegin()->address();
      if (dice->OneIn(4)) address = absl::StrCat("server-", dice->Below(1000));
      const auto taken = server::TakeAnnouncedCertificate(writer);
      return absl::IsFailedPrecondition(taken.status()) ? absl::OkStatus() : taken.status();
    });
  });
  if (!status.ok()) return Reap();
  server_.address = address;
  if (takes && !withdraws) RestartServer(false);
}

// As it starts.
absl::Status Universe::TakePlace() {
  std::string address;
  RETURN_IF_ERROR(server_.disk.Quietly([&] {
    return server_.store->Read([&](server::Reader& reader) -> absl::Status {
      ASSIGN_OR_RETURN(const auto certificate, reader.GetSetting(server::kServerCertificate));
      server_.fingerprint = FingerprintOf(certificate);
      ASSIGN_OR_RETURN(address, reader.GetSetting(server::kServerAddress));
      return absl::OkStatus();
    });
  }));
  if (address == server_.address) return absl::OkStatus();
  return server_.disk.Quietly([&] {
    return server_.store->Write(
        [&](server::Writer& writer) { return server::SetAddress(writer, server_.address); });
  });
}

bool Universe::Finds(Device& device) {
  bool there = false;
  for (size_t tried = 1;; ++tried) {
    const auto identity = device.store->GetIdentity();
    if (!identity.ok()) return true;  // what it says of that is the session's affair
    there = identity->address == server_.address;
    if (there && identity->fingerprint == server_.fingerprint) return true;
    const auto places = device.store->LookElsewhere();
    if (!places.ok()) return true;
    if (tried < *places) continue;
    sync::v1::ServerAddresses known;
    known.ParseFromString(identity->reached_at);
    for (const auto& at : known.at()) {
      if (at.address() != server_.address || at.fingerprint() != server_.fingerprint) continue;
      ledger_.Fail(kWhereabouts, absl::StrCat("device ", device.index, " knows ", at.address()));
    }
    break;
  }
  (void)device.store->EndAttempt(
      zhibu::Refuse(there ? sync::v1::OTHER_SERVER : sync::v1::OFFLINE, server_.address));
  return false;
}

std::string Universe::Whereabouts() {
  std::string whereabouts;
  (void)server_.disk.Quietly([&] {
    return server_.store->Read([&](server::Reader& reader) -> absl::Status {
      ASSIGN_OR_RETURN(const std::string announced, reader.GetSetting(server::kAnnounced));
      ASSIGN_OR_RETURN(const auto reached, server::ReachedAt(reader));
      if (!announced.empty()) whereabouts = reached.SerializeAsString();
      return absl::OkStatus();
    });
  });
  return whereabouts;
}

void Universe::CheckWhereabouts(const Stream& stream) {
  if (stream.whereabouts.empty()) return;
  const auto identity =
      stream.device.disk.Quietly([&] { return stream.device.store->GetIdentity(); });
  if (!identity.ok() || identity->reached_at == stream.whereabouts) return;
  ledger_.Fail(kWhereabouts, absl::StrCat("device ", stream.device.index, " was not told"));
}

}  // namespace zhibu::sim
