// A server that moves: what devices are told before it does.
#include "absl/strings/numbers.h"
#include "server/admin/acts.h"
#include "server/admin/admin.h"
#include "server/identity/whereabouts.h"
#include "sync/base/status.h"

namespace zhibu::server {
namespace {

using records::v1::OperatorAct;

// Those in use, and which of them have been told: who was here since has been.
absl::Status CountDevices(Reader& reader, admin::v1::AnnounceReply* reply) {
  ASSIGN_OR_RETURN(const std::string announced, reader.GetSetting(kAnnounced));
  int64_t announced_ms = 0;
  if (absl::SimpleAtoi(announced, &announced_ms)) reply->set_announced_ms(announced_ms);
  ASSIGN_OR_RETURN(const std::vector<DeviceRow> rows, reader.ListDevices());
  for (const DeviceRow& row : rows) {
    if (row.of_server() || row.revoked()) continue;
    reply->set_devices(reply->devices() + 1);
    const bool knows = announced_ms != 0 && row.last_seen_ms >= announced_ms;
    reply->set_know(reply->know() + (knows ? 1 : 0));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<admin::v1::AnnounceReply> Admin::Announce(
    const admin::v1::AnnounceRequest& request) {
  const bool changes = request.withdraw() || request.certificate() || !request.address().empty();
  if (changes) {
    RETURN_IF_ERROR(CheckOperatorName(request.operator_name()));
    RETURN_IF_ERROR(hub_.Write([&](Writer& writer) -> absl::Status {
      if (request.withdraw()) RETURN_IF_ERROR(WithdrawAnnouncement(writer));
      if (request.certificate() || !request.address().empty()) {
        RETURN_IF_ERROR(server::Announce(writer, {request.address(), request.certificate()},
                                         hub_.environment().now_ms()));
      }
      OperatorAct act;
      act.set_kind(OperatorAct::MOVE_ANNOUNCED);
      return WriteAct(writer, request.operator_name(), act);
    }));
  }
  admin::v1::AnnounceReply reply;
  RETURN_IF_ERROR(hub_.store().Read([&](Reader& reader) -> absl::Status {
    ASSIGN_OR_RETURN(*reply.mutable_reached_at(), ReachedAt(reader));
    return CountDevices(reader, &reply);
  }));
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
