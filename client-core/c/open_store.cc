#include "client-core/c/open_store.h"

#include <algorithm>

#include "client-core/c/call.h"

namespace zhibu::client {

absl::StatusOr<zhibu_handle> OpenStore::Add(std::shared_ptr<OnAStore> object) {
  absl::MutexLock lock(&mutex_);
  if (closed_) return NotOpen();
  const auto gone = [](zhibu_handle handle) { return AllHandles().Find(handle) == nullptr; };
  hanging_.erase(std::remove_if(hanging_.begin(), hanging_.end(), gone), hanging_.end());
  hanging_.push_back(AllHandles().Add(std::move(object)));
  return hanging_.back();
}

void OpenStore::Suspend() {
  {
    absl::MutexLock lock(&mutex_);
    for (const zhibu_handle handle : hanging_) {
      const auto object = std::dynamic_pointer_cast<OnAStore>(AllHandles().Find(handle));
      if (object != nullptr) object->Suspend();
    }
  }
  store_->Suspend();
}

void OpenStore::Close() {
  std::vector<zhibu_handle> hanging;
  {
    absl::MutexLock lock(&mutex_);
    closed_ = true;
    hanging.swap(hanging_);
  }
  for (const zhibu_handle handle : hanging) {
    if (const auto object = AllHandles().Take(handle)) object->Close();
  }
  // A call that is under way on another thread may hold the store yet, but not its file.
  store_->Suspend();
}

}  // namespace zhibu::client
