#include "server/admission.h"

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
  unproven_.erase(std::remove(unproven_.begin(), unproven_.end(), stream), unproven_.end());
  return Enter(stream, limits_.streams_per_device_max, &devices_[device].streams);
}

void Admission::Leave(const Stream& stream, const Id& device) {
  absl::MutexLock lock(&mutex_);
  Streams& streams = device.empty() ? unproven_ : devices_[device].streams;
  streams.erase(std::remove(streams.begin(), streams.end(), stream), streams.end());
}

Admission::Clock::time_point Admission::Charge(const Id& device, int64_t edits,
                                               Clock::time_point now) {
  absl::MutexLock lock(&mutex_);
  Clock::time_point& paid_until = devices_[device].paid_until;
  paid_until = std::max(paid_until, now - kSaved) + CostOf(edits);
  return paid_until;
}

bool Admission::MayDeliver(Clock::time_point now) {
  absl::MutexLock lock(&mutex_);
  return couriers_paid_until_ <= now;
}

void Admission::ChargeCouriers(int64_t edits, Clock::time_point now) {
  absl::MutexLock lock(&mutex_);
  couriers_paid_until_ = std::max(couriers_paid_until_, now - kSaved) + CostOf(edits);
}

Admission::Clock::duration Admission::CostOf(int64_t edits) const {
  using std::chrono::nanoseconds;
  return nanoseconds(nanoseconds::period::den) * edits / limits_.edits_per_second;
}

}  // namespace zhibu::server
