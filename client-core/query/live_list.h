// A list that is watched: what it shows, and from then on what has become otherwise.
//
//   LiveList list(store, std::move(selection), 50);
//   ASSIGN_OR_RETURN(auto first, list.Next());   // all of it, as inserted
//   …list.Happened(changes), on each transaction…
//   ASSIGN_OR_RETURN(auto then, list.Next());
//
//   shown(n + 1) = shown(n) with `then` done to it; one that is asked for late has what many
//   transactions came to
//
// A window is kept by keys: it stays full when a row leaves it, as long as there are others. A row
// whose marks alone are others is told, as that. What is kept in memory is ids and keys of what is
// selected, and a digest of each row that is shown; on suspension it may be let go of by
// closing the list.
//
// Happened may be called by any thread, also while Next is under way; Next by one at a time. What
// happens while a difference is worked out is told by the next.
#ifndef ZHIBU_CLIENT_CORE_QUERY_LIVE_LIST_H_
#define ZHIBU_CLIENT_CORE_QUERY_LIVE_LIST_H_

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "client-core/query/rows.h"
#include "client-core/query/selection.h"
#include "client-core/store/store.h"

namespace zhibu::client {

// To be done in this order: what is removed or moved is taken out, by the places that it had; then
// what is moved or inserted is put in, ascending by the places that it has.
struct Difference {
  struct Placed {
    size_t at = 0;
    Row row;
  };
  struct Changed {
    size_t at = 0;  // afterwards
    Row row;
    bool marks_only = false;
  };
  struct Moved {
    size_t from = 0;
    size_t to = 0;
  };

  std::vector<size_t> removed;  // ascending
  std::vector<Moved> moved;     // ascending by `to`
  std::vector<Placed> inserted;
  std::vector<Changed> changed;
  size_t selected = 0;  // in and beyond the window
  absl::Status damage;  // one could not be read, and is not in it

  // Whether every row that is selected on the server can be here.
  enum class Known { kNotYet, kInPart, kWhole };
  Known known = Known::kNotYet;
  int64_t as_of_ms = 0;  // when that was last so; 0: never

  bool empty() const {
    return removed.empty() && moved.empty() && inserted.empty() && changed.empty();
  }
};

class LiveList {
 public:
  // `window`: rows that are shown at most. `store` outlives it.
  LiveList(Store* store, Selection selection, size_t window);

  void Happened(const Changes& changes);
  // Nothing where nothing is otherwise. After an error the next tells what has become otherwise
  // since the last that was none.
  absl::StatusOr<std::optional<Difference>> Next();

 private:
  struct Shown {
    Id id;
    size_t body = 0;  // a digest
    Marks marks;
  };
  struct Happenings {
    bool any = false;
    bool all = false;
    std::set<Id> touched;
  };
  using Rows = absl::flat_hash_map<Id, Row>;

  Happenings TakeHappenings();
  absl::StatusOr<Difference> Become(const Happenings& happened);
  absl::Status Reread();
  // Reads what was touched, and what comes into the window for it, until all that is to be shown
  // has been: another thread may have deleted some of it meanwhile.
  absl::StatusOr<Rows> Update(const std::set<Id>& touched);
  // In the window, but neither shown before nor among `fresh`.
  std::vector<Id> Unread(const Rows& fresh) const;
  void Place(const Id& id, const std::optional<std::string>& key);
  void AddMarkedAnew(const KnownBeside& before, const KnownBeside& now,
                     std::set<Id>* touched) const;
  std::vector<Id> Window() const;
  absl::StatusOr<Difference> Compare(Rows fresh);
  absl::Status AddKnown(Difference* difference);

  Store& store_;
  const Selection selection_;
  const size_t window_;

  absl::Mutex mutex_;
  Happenings happenings_ ABSL_GUARDED_BY(mutex_) = {.any = true, .all = true};

  // Of what is selected.
  std::set<Keyed> in_order_;
  absl::flat_hash_map<Id, std::string> keys_;
  KnownBeside known_;
  absl::Status damage_;
  std::vector<Shown> shown_;
  Difference::Known told_ = Difference::Known::kNotYet;
};

}  // namespace zhibu::client

#endif  // ZHIBU_CLIENT_CORE_QUERY_LIVE_LIST_H_
