// Memory for what is on its way to or from devices over the web, in messages that have begun.
//
//   bytes(all)        ≤ bytes_max
//   bytes(strangers)  ≤ bytes_max / 2
//
// So strangers that send without end end strangers, and never a device. gRPC has the same for
// its own messages, which nobody else can be charged to.
#ifndef ZHIBU_SERVER_WEB_BUDGET_H_
#define ZHIBU_SERVER_WEB_BUDGET_H_

#include <cstddef>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

namespace zhibu::server {

// Any thread may call.
class Budget {
 public:
  explicit Budget(size_t bytes_max) : bytes_max_(bytes_max) {}

  // What one message takes; given back with it. Calls must not overlap.
  class Share {
   public:
    explicit Share(Budget* budget) : budget_(*budget) {}
    Share(const Share&) = delete;  // what it has taken is given back once
    Share& operator=(const Share&) = delete;
    ~Share() { Clear(); }

    // False where there is not so much.
    bool GrowTo(size_t bytes);
    void Clear();
    // What it takes from now on is a device's.
    void Prove();

   private:
    Budget& budget_;
    bool stranger_ = true;
    size_t bytes_ = 0;
  };

 private:
  bool Take(size_t bytes, bool stranger);
  void Give(size_t bytes, bool stranger);

  const size_t bytes_max_;
  absl::Mutex mutex_;
  size_t all_ ABSL_GUARDED_BY(mutex_) = 0;
  size_t strangers_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace zhibu::server

#endif  // ZHIBU_SERVER_WEB_BUDGET_H_
