// An open store and what hangs on it: closed with it.
#ifndef ZHIBU_CLIENT_CORE_C_OPEN_STORE_H_
#define ZHIBU_CLIENT_CORE_C_OPEN_STORE_H_

#include <memory>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "client-core/c/handles.h"
#include "client-core/c/zhibu.h"
#include "client-core/store/store.h"

namespace zhibu::client {

// What hangs on a store. It holds the store itself, so that a call which is under way on another
// thread ends as it began.
class OnAStore : public Object {
 public:
  explicit OnAStore(std::shared_ptr<Store> store) : store_(std::move(store)) {}
  Store& store() { return *store_; }
  // The store is about to be suspended.
  virtual void Suspend() {}

 private:
  const std::shared_ptr<Store> store_;
};

class OpenStore final : public Object {
 public:
  explicit OpenStore(std::shared_ptr<Store> store) : store_(std::move(store)) {}

  const std::shared_ptr<Store>& shared() const { return store_; }
  Store& store() { return *store_; }

  // NotOpen: the store was closed meanwhile.
  absl::StatusOr<zhibu_handle> Add(std::shared_ptr<OnAStore> object);
  void Suspend();
  void Close() override;

 private:
  const std::shared_ptr<Store> store_;
  absl::Mutex mutex_;
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<zhibu_handle> hanging_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace zhibu::client

#endif  // ZHIBU_CLIENT_CORE_C_OPEN_STORE_H_
