// Makes the sums of figures anew, where the figures are others than those that they were made by,
// the database is in another life, or a record could not be read that may be repaired by now.
//
//   RETURN_IF_ERROR(BeginSums(store, book));
//   while (true) {
//     ASSIGN_OR_RETURN(const bool made, MakeSums(store, schema, book, kSumsAtOnce));
//     if (made) break;
//   }
//
// Each step is a transaction of a bounded size, so that edits go on between them; what they change
// is followed from the first step on. Several servers on one database make them together, one step
// at a time; where their books differ, whoever began last makes those of its own, and the others
// leave it to that.
#ifndef ZHIBU_SERVER_FIGURES_MAKING_H_
#define ZHIBU_SERVER_FIGURES_MAKING_H_

#include <cstddef>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "server/base/observer.h"
#include "server/store/store.h"
#include "sync/rules/book/book.h"
#include "sync/schema/schema.h"

namespace zhibu::server {

// Some 20 ms of the writer's time.
inline constexpr size_t kSumsAtOnce = 100;

// At the start of a server.
absl::Status BeginSums(Store& store, const rules::Book& book);

// One step: drops about so many rows, or counts about so many records. True: they are made, or
// another book has begun to make its own.
absl::StatusOr<bool> MakeSums(Store& store, const Schema& schema, const rules::Book& book,
                              size_t at_once);

// Makes them beside all else, from the beginning of its life on.
class SumsMaker {
 public:
  // All outlive it. Trouble is told to the observer, and ends it until the next start, unless it is
  // UNAVAILABLE.
  SumsMaker(Store* store, const Schema* schema, const rules::Book* book, Observer* observer);
  // Ends after the step that it is at.
  ~SumsMaker();

 private:
  void Run();
  bool Try(absl::FunctionRef<absl::StatusOr<bool>()> step);
  bool IsStoppedWithin(absl::Duration patience);

  Store& store_;
  const Schema& schema_;
  const rules::Book& book_;
  Observer& observer_;
  absl::Mutex mutex_;
  bool stopped_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace zhibu::server

#endif  // ZHIBU_SERVER_FIGURES_MAKING_H_
