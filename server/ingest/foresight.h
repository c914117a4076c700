// What a batch is going to read, said to a store that is far away before it is read row by row:
//
//   first   what the edits say themselves: their devices, their records with what hangs on them for
//           a figure's sake, whether they came before
//   then    what follows from that: their authors' own scopes, the scopes that they move, with sums
//           and with rules that superiors have added there
//
// It decides nothing: what is not foreseen costs a journey each, and no more.
#ifndef ZHIBU_SERVER_INGEST_FORESIGHT_H_
#define ZHIBU_SERVER_INGEST_FORESIGHT_H_

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "server/ingest/ingest.h"
#include "server/ingest/work.h"

namespace zhibu::server {

absl::Status FetchFor(const Work& work, absl::Span<const Submitted> batch);

}  // namespace zhibu::server

#endif  // ZHIBU_SERVER_INGEST_FORESIGHT_H_
