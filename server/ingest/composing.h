// What the server writes because of an edit, in edits of its own.
//
// None is ever refused: where one is, that is a fault of the program, which is logged, and
// the edit that it follows from goes back to its author rather than stand by halves. An edit
// has consequences, which may have consequences: to a depth of kDepthMax.
#ifndef ZHIBU_SERVER_INGEST_COMPOSING_H_
#define ZHIBU_SERVER_INGEST_COMPOSING_H_

#include <functional>
#include <utility>

#include "absl/status/status.h"
#include "server/ingest/work.h"
#include "sync/rules/rule.h"
#include "zhibu/sync/v1/edit.pb.h"

namespace zhibu::server {

// No chain that is meant is longer.
inline constexpr int kDepthMax = 8;

class Composing {
 public:
  using TakeOwn = std::function<absl::Status(sync::v1::Edit)>;

  // `take_own` takes an edit of the server's, and calls this for what follows from it.
  Composing(const Work& work, TakeOwn take_own) : work_(work), take_own_(std::move(take_own)) {}

  // In parts that travel well. SERVER_FAULT.
  absl::Status Write(sync::v1::Edit edit);
  absl::Status Write(Consequences follows);

 private:
  absl::Status WritePart(sync::v1::Edit part);

  const Work work_;
  const TakeOwn take_own_;
  int depth_ = 0;
};

}  // namespace zhibu::server

#endif  // ZHIBU_SERVER_INGEST_COMPOSING_H_
