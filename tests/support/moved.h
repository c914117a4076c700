// The scopes that have moved since they were last taken, for tests that tell of them when they
// like.
#ifndef ZHIBU_TESTS_SUPPORT_MOVED_H_
#define ZHIBU_TESTS_SUPPORT_MOVED_H_

#include <utility>

#include "server/store/store.h"

namespace zhibu::test {

class Moved : public server::Watcher {
 public:
  void OnMoved(const absl::flat_hash_set<Id>& scopes) override {
    scopes_.insert(scopes.begin(), scopes.end());
  }
  bool empty() const { return scopes_.empty(); }
  absl::flat_hash_set<Id> Take() { return std::exchange(scopes_, {}); }

 private:
  absl::flat_hash_set<Id> scopes_;
};

}  // namespace zhibu::test

#endif  // ZHIBU_TESTS_SUPPORT_MOVED_H_
