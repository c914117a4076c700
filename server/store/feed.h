// For every scope the store keeps a feed. Each record that lies or lay in it stands there
// once for every office that can see it or could, at the version at which what that office
// sees of it last changed; offices for which that is the same share a row. "What has changed
// since v" is the rows past v; no log is kept and none is compacted. To an office that a
// row does not name the row does not exist.
#ifndef ZHIBU_SERVER_STORE_FEED_H_
#define ZHIBU_SERVER_STORE_FEED_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "sync/base/types.h"
#include "sync/merge/state.h"

namespace zhibu::server {

// Sets of offices, as AudienceOf makes them.
inline constexpr uint32_t kAllOffices = 0x7fff'ffff;
// Among them, though nobody holds it: for it a record is present wherever it lies, though
// nobody may see it there.
inline constexpr uint32_t kLiesThere = 1u << 30;

// A scope in which a record lies, the offices there that may see it now, and those of them
// for which what they see has changed.
struct Showing {
  Id scope;
  uint32_t offices = 0;
  uint32_t moved = kAllOffices;
};

struct FeedRow {
  RecordKey key;
  Version version;       // at which what `offices` see of it last changed
  bool present = false;  // they may see it now; else it left, or was hidden, at `version`
  uint32_t offices = 0;
  Version since;         // at which they first could; 0: before that was written down
  RecordState state;     // as it is now
  bool damaged = false;  // the record cannot be read, and `state` is empty
};

class FeedReader {
 public:
  virtual ~FeedReader() = default;

  // 0 for a scope that nothing has touched.
  virtual absl::StatusOr<Version> ScopeVersion(const Id& scope) = 0;
  // Rows of `scope` past `after` that name one of `offices`, ascending by (version, type,
  // id), until `visit` returns false or there are no more; damaged ones too.
  virtual absl::Status ReadFeed(const Id& scope, Version after, uint32_t offices,
                                absl::FunctionRef<bool(const FeedRow&)> visit) = 0;
  // Of these rows those of what is there, and of what has gone that was there at `after`.
  virtual absl::StatusOr<uint64_t> CountFeed(const Id& scope, Version after, uint32_t offices) = 0;
  // The highest version of such a row; 0: there is none.
  virtual absl::StatusOr<Version> LastInFeed(const Id& scope, uint32_t offices) = 0;
  // The version at which what one of `offices` sees of the record in `scope` last changed; 0:
  // none of them sees it there now.
  virtual absl::StatusOr<Version> LastShown(const Id& scope, uint32_t offices,
                                            const RecordKey& key) = 0;
  // What stands in a feed and is not there, at most so many. Looks at all feeds.
  virtual absl::StatusOr<std::vector<RecordKey>> FindLost(size_t most) = 0;
  // The scopes in whose feeds it stands, or stood.
  virtual absl::StatusOr<std::vector<Id>> ScopesOf(const RecordKey& key) = 0;
};

}  // namespace zhibu::server

#endif  // ZHIBU_SERVER_STORE_FEED_H_
