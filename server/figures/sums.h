// Keeps the sums of figures as records change, by the difference that each edit makes.
//
//   sums = what all living records add to them (sync/rules/book/count.h)
//
// holds after every transaction, once they are made; while they are made anew, of the records up to
// the one that is reached. What an edit costs follows from what it changes: a record that no figure
// counts costs nothing, nor does one of whose fields no figure reads any that has changed.
//
// A record counts for more than it says itself where a figure looks at another by its id, where
// another takes it back (undone_by), or the next ends it (followed_by). So what hangs on what is
// kept beside the sums, and a record that changes has all counted anew that hang on it:
//
//   hangs(r) = the records that its figures asked for, the one that it takes back, and the one of
//              which it says, as others do, how things are now
//
// Sums belong to the book that made them, and to the life of the database: where either is another,
// they are made anew (server/figures/making.h), and until then nothing is added to those that are
// there. So they are right after a restoration, a repair, and an update. Where another program's
// server, beside this one on the same database, has made them by its own book, an edit here cannot
// follow them, and says that they are incomplete from then on.
#ifndef ZHIBU_SERVER_FIGURES_SUMS_H_
#define ZHIBU_SERVER_FIGURES_SUMS_H_

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "server/store/store.h"
#include "sync/merge/state.h"
#include "sync/rules/book/book.h"
#include "sync/rules/book/count.h"
#include "sync/schema/schema.h"
#include "zhibu/stored/v1/server.pb.h"

namespace zhibu::server {

// How far they are made, by this book and in this life. One that has not begun is DROPPING.
absl::StatusOr<stored::v1::SumsState> SumsStateOf(Reader& reader, const rules::Book& book);
// Whether those that are there were made by another book, or in another life, or never.
absl::StatusOr<bool> AreSumsOfOthers(Reader& reader, const rules::Book& book);
absl::Status PutSumsState(Writer& writer, const stored::v1::SumsState& state);

// A record that an edit has changed, and that is written. All stay until Follow returns.
struct ChangedRecord {
  const RecordType* type = nullptr;
  Id id;
  const RecordState* was = nullptr;
  const RecordState* now = nullptr;
};

// Adds what Follow is going to ask for, of a record of which an edit sets these fields.
void ForeseeSums(const rules::Book& book, const RecordType& type, const Id& id,
                 absl::string_view set, Foreseen* foreseen);

// Of one transaction.
class Sums {
 public:
  // All outlive it.
  Sums(Writer& writer, const Schema& schema, const rules::Book& book)
      : writer_(writer), schema_(schema), book_(book) {}

  absl::Status Follow(absl::Span<const ChangedRecord> changed);

  // From here on it is counted, as though it had just been made.
  absl::Status Count(const ChangedRecord& reached);
  // Whether they are incomplete from here on, because a record could not be read.
  bool passed_over() const { return passed_over_; }

 private:
  using Figures = std::set<const rules::Figure*>;
  using Affected = std::map<RecordKey, Figures>;
  using Changes = std::map<Id, SumChanges>;
  using Hanging = std::map<RecordKey, std::set<RecordKey>>;  // on what a record hangs
  class World;

  absl::StatusOr<bool> AreKept();
  absl::Status TellThatOthersLack();
  bool IsCounted(const RecordKey& key) const;
  absl::Status FollowCounted(absl::Span<const ChangedRecord> changed);
  absl::Status AddAffected(const ChangedRecord& changed, World* world, Affected* affected);
  absl::Status AddHangingOn(const RecordKey& on, const RecordType& type, const Figures& figures,
                            Affected* affected);
  absl::Status CountIn(World& world, const Affected& affected, bool after, Changes* changes,
                       Hanging* hangs);
  void AddSaid(const ChangedRecord& changed, Hanging* hung, Hanging* hangs) const;
  absl::Status PutHanging(const Hanging& before, const Hanging& after);
  absl::Status DropHanging(const Hanging& before, const Hanging& after);
  absl::Status Write(const Changes& changes);

  Writer& writer_;
  const Schema& schema_;
  const rules::Book& book_;
  std::optional<stored::v1::SumsState> state_;
  bool passed_over_ = false;
};

}  // namespace zhibu::server

#endif  // ZHIBU_SERVER_FIGURES_SUMS_H_
