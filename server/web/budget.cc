#include "server/web/budget.h"

#include <utility>

#include "sync/base/require.h"

namespace zhibu::server {

bool Budget::Share::GrowTo(size_t bytes) {
  if (bytes <= bytes_) return true;
  if (!budget_.Take(bytes - bytes_, stranger_ ? &address_ : nullptr)) return false;
  bytes_ = bytes;
  return true;
}

void Budget::Share::Clear() {
  budget_.Give(std::exchange(bytes_, 0), stranger_ ? &address_ : nullptr);
}

void Budget::Share::Prove() {
  Clear();
  stranger_ = false;
}

bool Budget::Take(size_t bytes, const std::string* stranger) {
  absl::MutexLock lock(&mutex_);
  if (all_ + bytes > bytes_max_) return false;
  if (stranger != nullptr) {
    const auto from_there = by_address_.find(*stranger);
    const size_t there = from_there == by_address_.end() ? 0 : from_there->second;
    if (strangers_ + bytes > bytes_max_ / 2 || there + bytes > bytes_max_ / 8) return false;
    strangers_ += bytes;
    by_address_[*stranger] = there + bytes;
  }
  all_ += bytes;
  return true;
}

void Budget::Give(size_t bytes, const std::string* stranger) {
  absl::MutexLock lock(&mutex_);
  all_ -= bytes;
  if (stranger == nullptr || bytes == 0) return;
  strangers_ -= bytes;
  const auto from_there = by_address_.find(*stranger);
  REQUIRE(from_there != by_address_.end() && from_there->second >= bytes);
  if ((from_there->second -= bytes) == 0) by_address_.erase(from_there);
}

}  // namespace zhibu::server
