// What has happened, told without saying it, and asked for where the app likes.
#include <functional>
#include <memory>
#include <set>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/cleanup/cleanup.h"
#include "absl/synchronization/mutex.h"
#include "client-core/c/call.h"
#include "client-core/c/notifier.h"
#include "client-core/c/open_store.h"

namespace zhibu::client {
namespace {

// What an app has not asked for yet. At most as much as one transaction may name: an app that
// never asks costs no more.
class Happened {
 public:
  void Add(const Changes& changes) {
    absl::MutexLock lock(&mutex_);
    any_ = true;
    all_ = all_ || changes.all || keys_.size() + changes.keys.size() > Changes::kKeysMax;
    keys_.insert(changes.keys.begin(), changes.keys.end());
    if (all_) keys_.clear();
  }

  api::v1::Events Take(const Schema& schema) {
    absl::MutexLock lock(&mutex_);
    api::v1::Events events;
    events.set_state(std::exchange(any_, false));
    events.set_all(std::exchange(all_, false));
    for (const RecordKey& key : keys_) {
      const RecordType* type = schema.Find(key.type);
      if (type == nullptr) continue;  // a newer app's
      auto& changed = *events.add_changed();
      changed.set_type(type->name);
      changed.set_id(key.id.str());
    }
    keys_.clear();
    return events;
  }

 private:
  absl::Mutex mutex_;
  bool any_ ABSL_GUARDED_BY(mutex_) = false;
  bool all_ ABSL_GUARDED_BY(mutex_) = false;
  std::set<RecordKey> keys_ ABSL_GUARDED_BY(mutex_);
};

class OpenEvents final : public OnAStore {
 public:
  using OnAStore::OnAStore;

  // From now on; not before the app has its handle. NotOpen: another thread has closed it already.
  absl::Status Begin(std::function<void()> notify, std::function<void()> over) {
    absl::MutexLock lock(&mutex_);
    if (closed_) return NotOpen();
    shared_ = std::make_shared<Shared>(std::move(notify), std::move(over));
    subscription_ = store().Subscribe([shared = shared_](const Changes& changes) {
      shared->happened.Add(changes);
      shared->notifier.Ring();
    });
    return absl::OkStatus();
  }
  api::v1::Events Take() {
    absl::MutexLock lock(&mutex_);
    return shared_ == nullptr ? api::v1::Events() : shared_->happened.Take(store().schema());
  }
  void Close() override {
    std::shared_ptr<Shared> shared;
    {
      absl::MutexLock lock(&mutex_);
      closed_ = true;
      subscription_.reset();
      shared.swap(shared_);
    }
    if (shared != nullptr) shared->notifier.Close();
  }

 private:
  // A commit of another thread may still be telling of itself while this is closed.
  struct Shared {
    Shared(std::function<void()> notify, std::function<void()> over)
        : notifier(std::move(notify), std::move(over)) {}
    Happened happened;
    Notifier notifier;
  };

  absl::Mutex mutex_;
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
  std::shared_ptr<Shared> shared_ ABSL_GUARDED_BY(mutex_);
  Store::Subscription subscription_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace
}  // namespace zhibu::client

using namespace zhibu;          // NOLINT
using namespace zhibu::client;  // NOLINT

int32_t zhibu_events_open(zhibu_handle store, void (*notify)(void* user), void* user,
                          void (*free_user)(void* user), zhibu_handle* events, zhibu_out* error) {
  return Call(nullptr, error, [&]() -> Answer {
    if (events == nullptr || notify == nullptr) {
      return absl::InvalidArgumentError("no place for the handle, or nobody to notify");
    }
    *events = 0;
    ASSIGN_OR_RETURN(const auto open, Opened<OpenStore>(store));
    const auto told = std::make_shared<OpenEvents>(open->shared());
    const auto over = [user, free_user] {
      if (free_user != nullptr) free_user(user);
    };
    ASSIGN_OR_RETURN(*events, open->Add(told));
    absl::Cleanup take_back = [events] { AllHandles().Take(std::exchange(*events, 0)); };
    RETURN_IF_ERROR(told->Begin([user, notify] { notify(user); }, over));
    std::move(take_back).Cancel();
    return std::string();
  });
}

int32_t zhibu_events_next(zhibu_handle events, zhibu_out* next, zhibu_out* error) {
  return Call(next, error, [&]() -> Answer {
    ASSIGN_OR_RETURN(const auto open, Opened<OpenEvents>(events));
    return Bytes(open->Take());
  });
}

int32_t zhibu_events_close(zhibu_handle events, zhibu_out* error) {
  return Call(nullptr, error, [&] { return Done(CloseHandle<OpenEvents>(events)); });
}
