// A server that moves: what devices are told before it does.
#include "absl/strings/numbers.h"
#include "server/admin/acts.h"
#include "server/admin/admin.h"
#include "server/identity/whereabouts.h"
#include "sync/base/status.h"
#include "zhibu/records/v1/organisation.pb.h"

namespace zhibu::server {
namespace {

using records::v1::OperatorAct;

// Those in use, and which of them have been told: who was here since has been.
void CountDevices(const admin::v1::DevicesReply& all, admin::v1::AnnounceReply* reply) {
  const int64_t announced_ms = reply->announced_ms();
  for (const auto& device : all.devices()) {
    if (device.state() != records::v1::Device::ACTIVE) continue;
    reply->set_devices(reply->devices() + 1);
    const bool knows = announced_ms != 0 && device.last_seen_ms() >= announced_ms;
    reply->set_know(reply->know() + (knows ? 1 : 0));
    if (announced_ms != 0 && !knows) *reply->add_untold() = device;
  }
}

}  // namespace

absl::StatusOr<admin::v1::AnnounceReply> Admin::Announce(
    const admin::v1::AnnounceRequest& request) {
  const bool changes = request.withdraw() || request.certificate() || !request.address().empty();
  if (changes) {
    RETURN_IF_ERROR(CheckOperatorName(request.operator_name()));
    Announcement announcement{request.address(), std::nullopt};
    if (request.certificate()) {
      ASSIGN_OR_RETURN(announcement.certificate, MakeCertificate());
    }
    RETURN_IF_ERROR(hub_.Write([&](Writer& writer) -> absl::Status {
      ASSIGN_OR_RETURN(const std::string before, AnnouncedBy(writer));
      if (request.withdraw()) RETURN_IF_ERROR(WithdrawAnnouncement(writer));
      if (request.certificate() || !request.address().empty()) {
        RETURN_IF_ERROR(server::Announce(writer, announcement, hub_.environment().now_ms()));
      }
      ASSIGN_OR_RETURN(const std::string after, AnnouncedBy(writer));
      if (after == before) return absl::OkStatus();
      OperatorAct act;
      act.set_kind(request.withdraw() ? OperatorAct::MOVE_WITHDRAWN : OperatorAct::MOVE_ANNOUNCED);
      return WriteAct(writer, request.operator_name(), act);
    }));
  }
  admin::v1::AnnounceReply reply;
  RETURN_IF_ERROR(hub_.store().Read([&](Reader& reader) -> absl::Status {
    ASSIGN_OR_RETURN(*reply.mutable_reached_at(), ReachedAt(reader));
    ASSIGN_OR_RETURN(const std::string announced, reader.GetSetting(kAnnounced));
    int64_t announced_ms = 0;
    if (absl::SimpleAtoi(announced, &announced_ms)) reply.set_announced_ms(announced_ms);
    return absl::OkStatus();
  }));
  ASSIGN_OR_RETURN(const admin::v1::DevicesReply devices, Devices());
  CountDevices(devices, &reply);
  return reply;
}

absl::Status Admin::ChangeCertificate(const std::string& by) {
  return hub_.Write([&](Writer& writer) -> absl::Status {
    ASSIGN_OR_RETURN(const bool another, TakeAnnouncedCertificate(writer));
    if (!another) return absl::OkStatus();
    OperatorAct act;
    act.set_kind(OperatorAct::CERTIFICATE_CHANGED);
    return WriteAct(writer, by, act);
  });
}

}  // namespace zhibu::server
