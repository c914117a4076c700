// Bundles of edits that were carried here by hand (zhibu/sync/v1/courier.proto):
// opened, handed to the same ingest as everybody's, answered by a receipt.
//
//   ASSIGN_OR_RETURN(Delivery delivery, OpenBundle(store, sealed));
//   results = …                        // of committing delivery.edits, in their order
//   return ReplyTo(delivery, results);
//
// A bundle may come twice, late, or after its author: ingest knows each edit by
// (device, number), and repeats its answer.
#ifndef ZHIBU_SERVER_SESSIONS_COURIER_H_
#define ZHIBU_SERVER_SESSIONS_COURIER_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "server/ingest/ingest.h"
#include "server/store/store.h"
#include "sync/base/environment.h"
#include "zhibu/sync/v1/courier.pb.h"

namespace zhibu::server {

// To be called before anything is served. Makes the server's courier key, where
// there is none yet.
absl::Status EnsureCourierKey(Store& store, const Environment& environment);
// The public one; empty where there is none.
absl::StatusOr<std::string> CourierKeyOf(Reader& reader);
// The secret one, with which the server signs what devices verify offline.
absl::StatusOr<std::string> CourierSecretOf(Reader& reader);

struct Delivery {
  Id device;                     // the author's, by its record
  std::vector<Submitted> edits;  // to be committed; none where nothing is to be taken
  // Of the author's device, to seal the receipt for, and ours to sign it with.
  std::string public_key;
  std::string secret_key;
  sync::v1::Receipt receipt;  // without answers
};

// When a device was not in contact for longer it must be authenticated again, as in a session.
struct Unseen {
  int64_t now_ms = 0;
  int64_t ms_max = 0;  // 0: never
};

// COURIER_DAMAGED, UNKNOWN_DEVICE (also where it is not signed by it), TOO_LARGE: nobody can be
// given a receipt for this. A bundle that comes before an earlier one, from before the server was
// restored, or of a device that must be authenticated again, is a delivery without edits, and its
// receipt says so.
absl::StatusOr<Delivery> OpenBundle(Store& store, absl::string_view sealed,
                                    const Unseen& unseen = {});

absl::StatusOr<sync::v1::DeliverReply> ReplyTo(const Delivery& delivery,
                                               absl::Span<const Result> results);

}  // namespace zhibu::server

#endif  // ZHIBU_SERVER_SESSIONS_COURIER_H_
