#include "server/sessions/admission.h"

#include <algorithm>

namespace zhibu::server {

Admission::Stream Admission::Enter(const Stream& stream, int streams_max, Streams* streams) {
  streams->push_back(stream);
  if (streams->size() <= static_cast<size_t>(streams_max)) return nullptr;
  Stream oldest = streams->front();
  streams->erase(streams->begin());
  return oldest;
}

Admission::Stream Admission::Arrive(const Stream& stream) {
  absl::MutexLock lock(&mutex_);
  return Enter(stream, limits_.streams_unproven_max, &unproven_);
}

Admission::Stream Admission::Prove(const Stream& stream, const Id& device) {
  absl::MutexLock lock(&mutex_);
  std::erase(unproven_, stream);
  return Enter(stream, limits_.streams_per_device_max, &proven_[device]);
}

void Admission::Leave(const Stream& stream, const Id& device) {
  absl::MutexLock lock(&mutex_);
  if (device.empty()) {
    std::erase(unproven_, stream);
    return;
  }
  const auto it = proven_.find(device);
  if (it == proven_.end()) return;
  std::erase(it->second, stream);
  if (it->second.empty()) proven_.erase(it);
}

Admission::Clock::time_point Admission::Charge(const Id& device, int64_t edits,
                                               Clock::time_point now) {
  absl::MutexLock lock(&mutex_);
  return devices_.Charge(device, CostOf(edits), now);
}

bool Admission::MayCarry(const Id& device, Clock::time_point now) {
  absl::MutexLock lock(&mutex_);
  return !carried_.Owes(device, now);
}

void Admission::ChargeCarried(const Id& device, int64_t edits, Clock::time_point now) {
  absl::MutexLock lock(&mutex_);
  carried_.Charge(device, CostOf(edits), now);
}

bool Admission::MayTry(absl::string_view address, Clock::time_point now) {
  absl::MutexLock lock(&mutex_);
  return !tries_.Owes(std::string(address), now);
}

void Admission::ChargeTry(absl::string_view address, int64_t edits, Clock::time_point now) {
  absl::MutexLock lock(&mutex_);
  tries_.Charge(std::string(address), CostOf(edits), now);
}

size_t Admission::remembered() {
  absl::MutexLock lock(&mutex_);
  return proven_.size() + devices_.size() + carried_.size() + tries_.size();
}

Admission::Clock::duration Admission::CostOf(int64_t edits) const {
  using std::chrono::nanoseconds;
  return nanoseconds(nanoseconds::period::den) * edits / limits_.edits_per_second;
}

}  // namespace zhibu::server
