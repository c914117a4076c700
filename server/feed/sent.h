// What a device is known to have been sent, by scope: the server's own word, which the
// device's base (zhibu.sync.v1.Change.base) cannot go beyond.
//
//   whatever a device says that it has seen, it has seen up to at most the highest of these
#ifndef ZHIBU_SERVER_FEED_SENT_H_
#define ZHIBU_SERVER_FEED_SENT_H_

#include "absl/container/flat_hash_map.h"
#include "sync/base/types.h"

namespace zhibu::server {

struct Sent {
  absl::flat_hash_map<Id, Version> cursors;
};

}  // namespace zhibu::server

#endif  // ZHIBU_SERVER_FEED_SENT_H_
