// Unsent edits that travel by hand: exported here as a file, brought to the server
// by whoever can reach it, the answers received back as a file.
//
//   ASSIGN_OR_RETURN(Exported exported, Export(store.get()));     // → a USB stick
//   … Deliver(exported.file, …), elsewhere (transport/syncer.h) …
//   ASSIGN_OR_RETURN(Received received, Receive(store.get(), receipts));
//
// Whatever is lost, repeated, late or altered on the way, the device is as safe as
// before: an edit that is in stays in its queue, marked as delivered, until a
// session brings its effect.
#ifndef ZHIBU_CLIENT_CORE_COURIER_H_
#define ZHIBU_CLIENT_CORE_COURIER_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "client-core/store/store.h"

namespace zhibu::client {

struct Exported {
  std::string file;
  uint64_t edits = 0;
  uint64_t left = 0;  // edits that had no room: to be exported once these have arrived
};
// What is unsent and not known to be at the server. COURIER_NOTHING: there is
// nothing such; COURIER_NO_KEY: the device has not met a server that takes
// bundles; NOT_ENROLLED.
absl::StatusOr<Exported> Export(Store* store);

struct Received {
  uint64_t delivered = 0;  // edits that are now known to be at the server
  uint64_t set_aside = 0;
  // All of it was about what this device is no longer, or was known already.
  bool nothing_new = true;
  sync::v1::Refusal refusal;  // why the server did not take all of it; NO_REASON: it did
};
// COURIER_DAMAGED: not a receipt for this device as its server made it; nothing of
// it is used.
absl::StatusOr<Received> Receive(Store* store, absl::string_view file);

}  // namespace zhibu::client

#endif  // ZHIBU_CLIENT_CORE_COURIER_H_
