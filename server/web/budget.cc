#include "server/web/budget.h"

#include <utility>

namespace zhibu::server {

bool Budget::Share::GrowTo(size_t bytes) {
  if (bytes <= bytes_) return true;
  if (!budget_.Take(bytes - bytes_, stranger_)) return false;
  bytes_ = bytes;
  return true;
}

void Budget::Share::Clear() { budget_.Give(std::exchange(bytes_, 0), stranger_); }

void Budget::Share::Prove() {
  Clear();
  stranger_ = false;
}

bool Budget::Take(size_t bytes, bool stranger) {
  absl::MutexLock lock(&mutex_);
  if (all_ + bytes > bytes_max_) return false;
  if (stranger && strangers_ + bytes > bytes_max_ / 2) return false;
  all_ += bytes;
  if (stranger) strangers_ += bytes;
  return true;
}

void Budget::Give(size_t bytes, bool stranger) {
  absl::MutexLock lock(&mutex_);
  all_ -= bytes;
  if (stranger) strangers_ -= bytes;
}

}  // namespace zhibu::server
