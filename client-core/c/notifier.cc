#include "client-core/c/notifier.h"

#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

namespace zhibu::client {

struct Notifier::State {
  const std::function<void()> notify;
  const std::function<void()> over;
  absl::Mutex mutex;
  bool rung ABSL_GUARDED_BY(mutex) = false;
  bool closed ABSL_GUARDED_BY(mutex) = false;

  // False once it is closed.
  bool AwaitRing() {
    absl::MutexLock lock(&mutex);
    const auto something = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) { return rung || closed; };
    mutex.Await(absl::Condition(&something));
    rung = false;
    return !closed;
  }
};

Notifier::Notifier(std::function<void()> notify, std::function<void()> over)
    : state_(new State{std::move(notify), std::move(over)}),
      thread_([state = state_] { Run(state); }) {}

void Notifier::Run(const std::shared_ptr<State>& state) {
  while (state->AwaitRing()) state->notify();
  state->over();
}

void Notifier::Ring() {
  absl::MutexLock lock(&state_->mutex);
  state_->rung = true;
}

void Notifier::Close() {
  {
    absl::MutexLock lock(&state_->mutex);
    state_->closed = true;
  }
  if (!thread_.joinable()) return;
  if (thread_.get_id() == std::this_thread::get_id()) {
    thread_.detach();
  } else {
    thread_.join();
  }
}

}  // namespace zhibu::client
