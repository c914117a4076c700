// The marks of persons, in a store that was made before there were any.
#ifndef ZHIBU_SERVER_IDENTITY_MARKS_H_
#define ZHIBU_SERVER_IDENTITY_MARKS_H_

#include "absl/status/status.h"
#include "server/ingest/ingest.h"
#include "server/store/store.h"
#include "sync/base/environment.h"

namespace zhibu::server {

// Once for every store, before anything else is written: makes the key of the marks of
// persons (sync/rules/duplicates.h), looks through the members that are there, and indexes who
// was joined, and which stays lasted, before there was an index.
absl::Status EnsureMarks(Store& store, Ingest& ingest, const Environment& environment);

}  // namespace zhibu::server

#endif  // ZHIBU_SERVER_IDENTITY_MARKS_H_
