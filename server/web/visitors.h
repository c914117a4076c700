// Who is connected over the web, so that a server that stops can tell them, and waits for them.
#ifndef ZHIBU_SERVER_WEB_VISITORS_H_
#define ZHIBU_SERVER_WEB_VISITORS_H_

#include <memory>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

namespace zhibu::server {

// One connection. It lives as long as anything is awaited of it, and is among the visitors from
// Enter until its end.
class Visitor : public std::enable_shared_from_this<Visitor> {
 public:
  virtual ~Visitor();
  // The server stops. Any thread may call these.
  virtual void Leave() = 0;
  virtual void Cut() = 0;  // at once

 private:
  friend class Visitors;
  class Visitors* among_ = nullptr;
};

// Any thread may call.
class Visitors {
 public:
  // One that comes once others have been cut is cut as well.
  void Enter(const std::shared_ptr<Visitor>& visitor);
  // Tells all to leave, cuts those that have not within `grace`, and waits for those.
  void EndAll(absl::Duration grace);

 private:
  friend class Visitor;
  void Forget(Visitor* visitor);
  void ForEach(void (Visitor::*tell)());
  bool IsEmpty() const ABSL_SHARED_LOCKS_REQUIRED(mutex_) { return visitors_.empty(); }

  absl::Mutex mutex_;
  bool cut_ ABSL_GUARDED_BY(mutex_) = false;
  absl::flat_hash_map<Visitor*, std::weak_ptr<Visitor>> visitors_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace zhibu::server

#endif  // ZHIBU_SERVER_WEB_VISITORS_H_
