#include "server/web/visitors.h"

#include <utility>
#include <vector>

namespace zhibu::server {

Visitor::~Visitor() {
  if (among_ != nullptr) among_->Forget(this);
}

void Visitors::Enter(const std::shared_ptr<Visitor>& visitor) {
  absl::MutexLock lock(&mutex_);
  visitor->among_ = this;
  visitors_.emplace(visitor.get(), visitor);
  if (cut_) visitor->Cut();
}

void Visitors::EndAll(absl::Duration grace) {
  ForEach(&Visitor::Leave);
  const absl::Condition none(this, &Visitors::IsEmpty);
  {
    absl::MutexLock lock(&mutex_);
    if (mutex_.AwaitWithTimeout(none, grace)) return;
    cut_ = true;
  }
  ForEach(&Visitor::Cut);
  absl::MutexLock lock(&mutex_);
  mutex_.Await(none);
}

void Visitors::Forget(Visitor* visitor) {
  absl::MutexLock lock(&mutex_);
  visitors_.erase(visitor);
}

void Visitors::ForEach(void (Visitor::*tell)()) {
  std::vector<std::shared_ptr<Visitor>> all;
  {
    absl::MutexLock lock(&mutex_);
    for (const auto& [visitor, weak] : visitors_) {
      if (auto held = weak.lock()) all.push_back(std::move(held));
    }
  }
  for (const auto& visitor : all) (visitor.get()->*tell)();
}

}  // namespace zhibu::server
