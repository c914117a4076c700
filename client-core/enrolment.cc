#include "client-core/enrolment.h"

#include <utility>

#include "sync/base/reason.h"
#include "sync/base/status.h"

namespace zhibu::client {
namespace {

absl::Status EnrolledAlready() {
  return Refuse(sync::v1::ALREADY_HERE,
                InBoth("这台设备的登记。要给别人用，请另用一个文件夹（--home）登记",
                       "this device's enrolment; for somebody else use another folder (--home)"));
}

bool MendedByACode(const SyncState& state) {
  return state.problem == sync::v1::UNKNOWN_DEVICE || state.problem == sync::v1::REAUTHENTICATE ||
         state.problem == sync::v1::OTHER_SERVER || state.problem == sync::v1::OFFLINE ||
         (state.problem == sync::v1::DEVICE_REVOKED && state.unsent == 0);
}

// A server that cannot be reached is one that has moved only if it is said to be elsewhere.
bool SaidToBeWhereItWas(const SyncState& state, const Identity& known,
                        const EnrolmentTicket& ticket) {
  const bool moved = state.problem == sync::v1::OTHER_SERVER || state.problem == sync::v1::OFFLINE;
  return moved && known.fingerprint == ticket.fingerprint && known.address == ticket.address;
}

}  // namespace

absl::StatusOr<Enrolment> Enrolment::Begin(Store* store, absl::string_view code,
                                           absl::string_view device_name) {
  Enrolment enrolment;
  enrolment.store_ = store;
  ASSIGN_OR_RETURN(const SyncState state, store->State());
  if (auto known = store->GetIdentity(); known.ok()) enrolment.known_ = *std::move(known);
  const auto& known = enrolment.known_;
  if (known && !MendedByACode(state)) return EnrolledAlready();
  ASSIGN_OR_RETURN(enrolment.ticket_, EnrolmentTicket::FromText(code));
  if (known && SaidToBeWhereItWas(state, *known, enrolment.ticket_)) return EnrolledAlready();
  enrolment.same_key_ = known && state.problem != sync::v1::DEVICE_REVOKED;
  enrolment.secret_key_ =
      enrolment.same_key_ ? known->secret_key : NewKeyPair(store->environment()).secret_key;
  sync::v1::EnrolRequest& request = enrolment.request_;
  request.set_code(enrolment.ticket_.code);
  request.set_public_key(PublicKeyOf(enrolment.secret_key_));
  request.set_device_name(std::string(device_name));
  if (enrolment.same_key_) request.set_device(known->device.value);
  return enrolment;
}

absl::Status Enrolment::Finish(const sync::v1::EnrolReply& reply) {
  const auto person = Id::FromBytes(reply.person_id());
  if (!person) return Refuse(sync::v1::PROTOCOL_ERROR, "person");
  // What was recorded for one server goes to no other, whoever has handed out the code.
  const bool proves = known_ && (known_->fingerprint == ticket_.fingerprint ||
                                 VerifyEnrolment(known_->courier_key, PublicKeyOf(secret_key_),
                                                 ticket_.fingerprint, reply.signature()));
  if (same_key_ && (!proves || known_->server_id != reply.server_id())) {
    return Refuse(sync::v1::OTHER_SERVER, "");
  }
  return store_->SetIdentity({DeviceNumber(reply.device()), *person, reply.server_id(),
                              ticket_.address, ticket_.fingerprint, secret_key_,
                              reply.incarnation(), reply.courier_key()});
}

}  // namespace zhibu::client
