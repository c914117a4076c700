#include "client-core/c/handles.h"

#include <utility>

namespace zhibu::client {

uint64_t Handles::Add(std::shared_ptr<Object> object) {
  absl::MutexLock lock(&mutex_);
  if (empty_.empty()) {
    empty_.push_back(static_cast<uint32_t>(places_.size()));
    places_.emplace_back();
  }
  const uint32_t index = empty_.back();
  empty_.pop_back();
  places_[index].object = std::move(object);
  return static_cast<uint64_t>(places_[index].generation) << 32 | index;
}

Handles::Place* Handles::PlaceOf(uint64_t handle) {
  const auto index = static_cast<uint32_t>(handle);
  if (index >= places_.size()) return nullptr;
  Place& place = places_[index];
  return place.object != nullptr && place.generation == handle >> 32 ? &place : nullptr;
}

std::shared_ptr<Object> Handles::Find(uint64_t handle) {
  absl::MutexLock lock(&mutex_);
  const Place* place = PlaceOf(handle);
  return place == nullptr ? nullptr : place->object;
}

std::shared_ptr<Object> Handles::Take(uint64_t handle) {
  absl::MutexLock lock(&mutex_);
  Place* place = PlaceOf(handle);
  if (place == nullptr) return nullptr;
  ++place->generation;
  empty_.push_back(static_cast<uint32_t>(handle));
  return std::move(place->object);
}

uint64_t Handles::live() {
  absl::MutexLock lock(&mutex_);
  return places_.size() - empty_.size();
}

Handles& AllHandles() {
  static Handles* const handles = new Handles;
  return *handles;
}

}  // namespace zhibu::client
