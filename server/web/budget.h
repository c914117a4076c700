// Memory for what is on its way to or from devices over the web, in messages that have begun.
//
//   bytes(all)                        ≤ bytes_max
//   bytes(strangers)                  ≤ bytes_max / 2
//   bytes(strangers from one address) ≤ bytes_max / 8
//
// So strangers that send without end end strangers, and never a device; and from an
// address that has sent too much strangers are turned away, and from no other. gRPC has the same
// for its own messages, which nobody else can be charged to.
#ifndef ZHIBU_SERVER_WEB_BUDGET_H_
#define ZHIBU_SERVER_WEB_BUDGET_H_

#include <cstddef>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"

namespace zhibu::server {

// Any thread may call.
class Budget {
 public:
  explicit Budget(size_t bytes_max) : bytes_max_(bytes_max) {}

  // What one message takes; given back with it. Calls must not overlap.
  class Share {
   public:
    // `address`: whose share it is (Peer).
    Share(Budget* budget, std::string address) : budget_(*budget), address_(std::move(address)) {}
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
    const std::string address_;
    bool stranger_ = true;
    size_t bytes_ = 0;
  };

 private:
  // `stranger`: their address; null: a device.
  bool Take(size_t bytes, const std::string* stranger);
  void Give(size_t bytes, const std::string* stranger);

  const size_t bytes_max_;
  absl::Mutex mutex_;
  size_t all_ ABSL_GUARDED_BY(mutex_) = 0;
  size_t strangers_ ABSL_GUARDED_BY(mutex_) = 0;
  absl::flat_hash_map<std::string, size_t> by_address_ ABSL_GUARDED_BY(mutex_);  // strangers'
};

}  // namespace zhibu::server

#endif  // ZHIBU_SERVER_WEB_BUDGET_H_
