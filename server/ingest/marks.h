// The marks by which rules find records (Rule::Mark), as the store keeps them.
#ifndef ZHIBU_SERVER_INGEST_MARKS_H_
#define ZHIBU_SERVER_INGEST_MARKS_H_

#include "absl/status/status.h"
#include "server/ingest/ingest.h"
#include "server/store/store.h"
#include "sync/base/environment.h"
#include "sync/rules/rule.h"

namespace zhibu::server {

absl::Status PutMarks(Writer& writer, const Marks& marks);

// Once for every store, before anything else is written: makes the key of the marks of
// persons (sync/rules/duplicates.h), looks through the members that are there, and indexes who
// was joined before there was an index.
absl::Status EnsureMarks(Store& store, Ingest& ingest, const Environment& environment);

}  // namespace zhibu::server

#endif  // ZHIBU_SERVER_INGEST_MARKS_H_
