// Which streams there are, and how much each device has written: what one of them
// takes is bounded, so that the others do not notice.
//
//   streams(unproven)     ≤ streams_unproven_max
//   streams(device)       ≤ streams_per_device_max
//   edits(device, t)      ≤ edits_per_second × (t + kSaved)
//   carried(device, t)    ≤ the same, of what couriers bring, and one bundle more
//   tries(address, t)     ≤ the same, of what nobody can be charged for, and one more
//
// A device is known here by its record, which stays the same under whatever
// numbers it goes. What says nothing any more is forgotten.
#ifndef ZHIBU_SERVER_SESSIONS_ADMISSION_H_
#define ZHIBU_SERVER_SESSIONS_ADMISSION_H_

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "server/sessions/limits.h"
#include "sync/base/types.h"

namespace zhibu::server {

class Connection;

// Until when all that each has sent will be worked off. What it has not used is saved up
// to kSaved.
template <typename Key>
class Accounts {
 public:
  using Clock = std::chrono::steady_clock;
  static constexpr std::chrono::seconds kSaved{10};

  Clock::time_point Charge(const Key& whose, Clock::duration cost, Clock::time_point now) {
    if (paid_until_.size() >= sweep_at_) Sweep(now);
    Clock::time_point& paid_until = paid_until_[whose];
    return paid_until = std::max(paid_until, now - kSaved) + cost;
  }
  bool Owes(const Key& whose, Clock::time_point now) const {
    const auto it = paid_until_.find(whose);
    return it != paid_until_.end() && it->second > now;
  }
  size_t size() const { return paid_until_.size(); }

 private:
  static constexpr size_t kSweepMin = 64;

  // Who has saved up all is as one who was never here.
  void Sweep(Clock::time_point now) {
    absl::erase_if(paid_until_, [&](const auto& one) { return one.second <= now - kSaved; });
    sweep_at_ = std::max(kSweepMin, 2 * paid_until_.size());
  }

  absl::flat_hash_map<Key, Clock::time_point> paid_until_;
  size_t sweep_at_ = kSweepMin;
};

// Any thread may call.
class Admission {
 public:
  using Clock = std::chrono::steady_clock;
  using Stream = std::shared_ptr<Connection>;

  explicit Admission(const Limits& limits) : limits_(limits) {}

  // Each gives the stream that must end to make room, the oldest of those that
  // share the limit; null where there is room.
  Stream Arrive(const Stream& stream);
  Stream Prove(const Stream& stream, const Id& device);
  // Of one that has not proved itself the device is empty.
  void Leave(const Stream& stream, const Id& device);

  // The device has sent what counts as so many edits. Gives the time before which
  // no more should be read from it.
  Clock::time_point Charge(const Id& device, int64_t edits, Clock::time_point now);
  // What couriers bring of a device's has an account of its own: whoever brings it again and
  // again must not slow down its author. False while they have brought too much.
  bool MayCarry(const Id& device, Clock::time_point now);
  void ChargeCarried(const Id& device, int64_t edits, Clock::time_point now);
  // Of an address: wrong codes, and bundles that do not open.
  bool MayTry(absl::string_view address, Clock::time_point now);
  void ChargeTry(absl::string_view address, int64_t edits, Clock::time_point now);

  // How many devices and addresses something is known of.
  size_t remembered();

 private:
  using Streams = std::vector<Stream>;  // oldest first

  Clock::duration CostOf(int64_t edits) const;
  static Stream Enter(const Stream& stream, int streams_max, Streams* streams);

  const Limits limits_;
  absl::Mutex mutex_;
  Streams unproven_ ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_map<Id, Streams> proven_ ABSL_GUARDED_BY(mutex_);
  Accounts<Id> devices_ ABSL_GUARDED_BY(mutex_);
  Accounts<Id> carried_ ABSL_GUARDED_BY(mutex_);
  Accounts<std::string> tries_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace zhibu::server

#endif  // ZHIBU_SERVER_SESSIONS_ADMISSION_H_
