// An observer that keeps what it is told, for a test to look at.
#ifndef ZHIBU_TESTS_SUPPORT_HEARD_H_
#define ZHIBU_TESTS_SUPPORT_HEARD_H_

#include <set>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "server/base/observer.h"

namespace zhibu::test {

class Heard : public server::Observer {
 public:
  void OnRefused(sync::v1::Reason reason, DeviceNumber /*device*/) override {
    absl::MutexLock lock(&mutex_);
    refused_.push_back(reason);
  }
  void OnTrouble(const server::Trouble& trouble) override {
    absl::MutexLock lock(&mutex_);
    troubles_.push_back(trouble);
  }
  void OnDamage(const server::Damage& damage) override {
    absl::MutexLock lock(&mutex_);
    damaged_.insert(server::TextOf(damage));
  }

  std::vector<sync::v1::Reason> refused() const {
    absl::MutexLock lock(&mutex_);
    return refused_;
  }
  std::vector<server::Trouble> troubles() const {
    absl::MutexLock lock(&mutex_);
    return troubles_;
  }
  std::set<std::string> damaged() const {
    absl::MutexLock lock(&mutex_);
    return damaged_;
  }
  void Forget() {
    absl::MutexLock lock(&mutex_);
    refused_.clear();
    troubles_.clear();
    damaged_.clear();
  }

 private:
  mutable absl::Mutex mutex_;
  std::vector<sync::v1::Reason> refused_ ABSL_GUARDED_BY(mutex_);
  std::vector<server::Trouble> troubles_ ABSL_GUARDED_BY(mutex_);
  std::set<std::string> damaged_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace zhibu::test

#endif  // ZHIBU_TESTS_SUPPORT_HEARD_H_
