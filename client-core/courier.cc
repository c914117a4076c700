#include "client-core/courier.h"

#include <utility>
#include <vector>

#include "sync/base/reason.h"
#include "sync/base/status.h"
#include "sync/crypto/courier.h"
#include "sync/crypto/handshake.h"

namespace zhibu::client {

absl::StatusOr<Exported> Export(Store* store) {
  ASSIGN_OR_RETURN(const Identity identity, store->GetIdentity());
  if (identity.courier_key.empty()) return Refuse(sync::v1::COURIER_NO_KEY, "");
  ASSIGN_OR_RETURN(const std::vector<sync::v1::Bundle> bundles, store->Bundles(kSealedMax));
  if (bundles.empty()) return Refuse(sync::v1::COURIER_NOTHING, "");
  Exported exported;
  sync::v1::Parcel parcel;
  parcel.set_address(identity.address);
  parcel.set_fingerprint(identity.fingerprint);
  for (const sync::v1::Bundle& bundle : bundles) {
    ASSIGN_OR_RETURN(*parcel.add_sealed(), SealCargo(Cargo::kBundle, bundle.SerializeAsString(),
                                                     identity.secret_key, identity.courier_key));
    exported.edits += static_cast<uint64_t>(bundle.edits_size());
  }
  ASSIGN_OR_RETURN(const SyncState state, store->State());
  exported.left = state.unsent - state.delivered - exported.edits;
  exported.file = ToFile(Cargo::kBundle, std::move(parcel));
  return exported;
}

absl::StatusOr<Received> Receive(Store* store, absl::string_view file) {
  ASSIGN_OR_RETURN(const Identity identity, store->GetIdentity());
  ASSIGN_OR_RETURN(const sync::v1::Parcel parcel, FromFile(Cargo::kReceipt, file));
  const std::string own_key = PublicKeyOf(identity.secret_key);
  std::vector<sync::v1::Receipt> receipts;
  for (const std::string& sealed : parcel.sealed()) {
    ASSIGN_OR_RETURN(const sync::v1::Letter letter, UnsealCargo(sealed, identity.secret_key));
    if (!SignedBy(identity.courier_key, Cargo::kReceipt, letter, own_key) ||
        !receipts.emplace_back().ParseFromString(letter.content())) {
      return Refuse(sync::v1::COURIER_DAMAGED, "");
    }
  }
  Received received;
  for (const sync::v1::Receipt& receipt : receipts) {
    ASSIGN_OR_RETURN(const Store::Receipt taken, store->TakeReceipt(receipt));
    if (!taken.current) continue;
    received.delivered += taken.delivered;
    received.set_aside += taken.set_aside;
    received.nothing_new = received.nothing_new && taken.delivered == 0 && taken.set_aside == 0 &&
                           !receipt.has_refusal();
    if (received.refusal.reason() == sync::v1::NO_REASON) received.refusal = receipt.refusal();
  }
  return received;
}

}  // namespace zhibu::client
