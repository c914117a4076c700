// Unsent edits that travel by hand.
#include "client-core/courier.h"

#include "client-core/c/call.h"
#include "client-core/c/told.h"

using namespace zhibu;          // NOLINT
using namespace zhibu::client;  // NOLINT

int32_t zhibu_parcel_export(zhibu_handle store, zhibu_out* parcel, zhibu_out* error) {
  return OnStore(store, parcel, error, [](Store& open) -> Answer {
    ASSIGN_OR_RETURN(const Exported exported, Export(&open));
    api::v1::Parcel told;
    told.set_file(exported.file);
    told.set_edits(exported.edits);
    told.set_left(exported.left);
    return Bytes(told);
  });
}

int32_t zhibu_parcel_receive(zhibu_handle store, zhibu_in file, zhibu_out* receipts,
                             zhibu_out* error) {
  return OnStore(store, receipts, error, [&](Store& open) -> Answer {
    ASSIGN_OR_RETURN(const absl::string_view brought, BytesIn(file));
    ASSIGN_OR_RETURN(const Received received, Receive(&open, brought));
    api::v1::Receipts told;
    told.set_delivered(received.delivered);
    told.set_set_aside(received.set_aside);
    told.set_nothing_new(received.nothing_new);
    if (received.refusal.reason() != sync::v1::NO_REASON) {
      *told.mutable_refusal() = ErrorOf(received.refusal.reason(), received.refusal.detail());
    }
    return Bytes(told);
  });
}
