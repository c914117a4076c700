// The lives of a server's database. One that is restored from a backup has
// forgotten what came after it; devices know by the incarnation that they must
// offer that again and read everything anew (docs/design.md). So they must where an
// update of the server shows somebody less, or more, of what they hold.
#ifndef ZHIBU_SERVER_FEED_INCARNATION_H_
#define ZHIBU_SERVER_FEED_INCARNATION_H_

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "server/store/store.h"
#include "sync/base/environment.h"
#include "sync/schema/schema.h"

namespace zhibu::server {

// Name in the settings of the store: a few bytes that no other life has had.
inline constexpr char kIncarnation[] = "incarnation";

// What a version is at a moment (microseconds since 1970): 256 of them to a millisecond, so
// that the versions of two edits tell when they were merged, and not what was in between.
Version VersionAt(int64_t us);

// To be called before anything is served. Begins a life where the database has
// none yet, or is a backup's copy (kCopy), or where the caller knows that it was
// put back by other means; and where a type or field that was declared before has other
// readers now, or it is not known who they were. What was sown in fields that this
// version has just declared is cleared before that (server/feed/sown.h).
absl::Status EnsureIncarnation(Store& store, const Schema& schema, const Environment& environment,
                               bool restored = false);

// `make_copy` makes a durable copy of the store. Then devices are told, when they
// come, that what was in it is safe.
absl::Status BackUp(Store& store, absl::FunctionRef<absl::Status()> make_copy);

}  // namespace zhibu::server

#endif  // ZHIBU_SERVER_FEED_INCARNATION_H_
