// Fills a device with records, many to an edit, so that filling it is soon done.
//
//   Filling filling(store.get());
//   const Id branch = filling.Add(organisation);
//   filling.Commit();  // the last of them
#ifndef ZHIBU_TESTS_BENCH_FILLING_H_
#define ZHIBU_TESTS_BENCH_FILLING_H_

#include <cstddef>
#include <vector>

#include "client-core/store/store.h"
#include "sync/base/types.h"
#include "tests/bench/report.h"

namespace zhibu::bench {

class Filling {
 public:
  // The store outlives it.
  explicit Filling(client::Store* store) : store_(*store) {}

  template <typename T>
  Id Add(const T& record) {
    auto& draft = drafts_.emplace_back(store_.New<T>());
    draft.template message<T>() = record;
    const Id id = draft.id();
    ++records_;
    if (drafts_.size() == kToOneEdit) Commit();
    return id;
  }
  void Commit() {
    std::vector<client::Draft*> drafts;
    for (client::Draft& draft : drafts_) drafts.push_back(&draft);
    if (!drafts.empty()) Check(store_.Commit(drafts).status(), "commit");
    drafts_.clear();
  }
  // That were added.
  size_t records() const { return records_; }

 private:
  static constexpr size_t kToOneEdit = 200;

  client::Store& store_;
  std::vector<client::Draft> drafts_;
  size_t records_ = 0;
};

}  // namespace zhibu::bench

#endif  // ZHIBU_TESTS_BENCH_FILLING_H_
