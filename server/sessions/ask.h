// Looking at what one does not hold: a superior at its subtree, page by page, and
// whoever has to at one member's records for a time.
//
//   may look at an organisation = acts for it, or for one above it
//   may look at a member        = the same of the member's branch
//
// An organisation is above another where `parent_id` or `host_parent_id` lead to it.
#ifndef ZHIBU_SERVER_SESSIONS_ASK_H_
#define ZHIBU_SERVER_SESSIONS_ASK_H_

#include <cstdint>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "server/ingest/ingest.h"
#include "server/sessions/access.h"
#include "server/store/store.h"
#include "sync/base/environment.h"
#include "zhibu/sync/v1/sync.pb.h"

namespace zhibu::server {

// How long temporary access lasts.
inline constexpr int64_t kTemporaryMs = int64_t{4} * 3600 * 1000;

// Writes that `asker` may read what is kept of the member for a time, and why. One at a time:
// while one of theirs is open, nothing more is written.
// ASK_NOT_BELOW; MALFORMED: it is not about a member; what CheckReason refuses.
absl::Status OpenAccess(Writer& writer, const Ingest& ingest, const Environment& environment,
                        const Id& asker, const sync::v1::Ask& ask);

// What hangs below an organisation, as it was when a page was last asked for. Page after page
// of one question goes by it, as long as no organisation has changed.
struct KnownTree {
  Id root;
  int64_t at = -1;         // Reader::MovesOf organisations
  std::vector<Id> scopes;  // the root first
  absl::flat_hash_set<Id> all;
};

// Sums too (Ask.sum_up): by `book`, to who acts for the organisation or above it. What they may
// not read is told of groups only (sync/rules/book/report.h).
// ASK_NOT_BELOW, UNKNOWN_TYPE, MALFORMED; ASK_WITHOUT_REASON: only temporary access shows such
// records, if there are any.
absl::Status AnswerAsk(Reader& reader, const Ingest& ingest, const Id& asker, int64_t now_ms,
                       const sync::v1::Ask& ask, KnownTree* tree, sync::v1::Page* page,
                       Disclosures* disclosures);

}  // namespace zhibu::server

#endif  // ZHIBU_SERVER_SESSIONS_ASK_H_
