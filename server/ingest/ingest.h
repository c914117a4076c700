// Where edits become records: checks, merges, writes and answers them.
//
// A batch is one transaction (group commit): the answers may be told to the
// devices once Commit has returned, and not before. An edit is taken whole or
// not at all; one that is refused does not disturb the others.
//
//   accepted edits = audit rows with the verdict MERGED, but not ANSWERED_BEFORE
//   records        = fold of the accepted edits, in the order of their versions
//
// Each edit is taken within a savepoint, in one order:
//
//   limits      of the edit, and what it builds on
//               (server/authority/held.h: what waits, and for whom)
//
//   authority   may its author touch these records? (server/authority/authority.h)
//
//   merge       in memory (sync/merge/merge.h); a rule may lend its author an office (Rule::Lend)
//
//   authority   may they leave them so? And: are they as declared, and not too large?
//
//   judge       by the rules (sync/rules/rule.h)
//
//   write       records and feeds, the sums that hang on them (server/figures/sums.h), notes of
//               what the merge has decided (server/authority/notes.h), and marks
//
//   follow      for each record by each rule; then for all of the edit
//
// What follows is an edit of the server's, which is taken in the same order, but that nobody
// asks for authority or judges it; it may have consequences in turn, to a fixed depth. Ingest
// names no record type: what is special about one is declared, or is a rule.
//
// An author, who made the edit; a decider, whose authority counts; and the server, which
// composes what follows: these are three, and the audit has all of them.
//
// An edit that meets a damaged row goes back to its author (SERVER_FAULT) with nothing of it
// taken, and stops nobody: not those behind it either.
//
// Any thread may call: nothing is kept between calls, and the store orders the writes.
#ifndef ZHIBU_SERVER_INGEST_INGEST_H_
#define ZHIBU_SERVER_INGEST_INGEST_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "server/base/observer.h"
#include "server/feed/sent.h"
#include "server/store/store.h"
#include "sync/base/environment.h"
#include "sync/rules/rule_book.h"
#include "sync/schema/schema.h"
#include "zhibu/sync/v1/answer.pb.h"
#include "zhibu/sync/v1/edit.pb.h"
#include "zhibu/sync/v1/sync.pb.h"

namespace zhibu::server {

struct Submitted {
  DeviceNumber device;
  sync::v1::NumberedEdit edit;
  // What the device had been sent when the edit came. Null: nothing is known of it,
  // and no base is believed.
  std::shared_ptr<const Sent> sent = nullptr;
};

struct Result {
  // The number, or one before it, was used for another edit: another copy of
  // the device lives, and this one must go on under a new number. There is no
  // answer then.
  bool forked = false;
  sync::v1::Answer answer;
  Version version;  // at which it was merged; 0 otherwise
  // What writing it took, answered or not: in units of Reader::Work. About 12 for an ordinary edit.
  uint64_t work = 0;
};

class Ingest {
 public:
  // `book`, whose figures are kept, outlives it. `own_chain`: where others write to the same store,
  // one that no other process has.
  Ingest(std::shared_ptr<const Schema> schema, Environment environment,
         Observer* observer = Observer::None(), const rules::Book& book = rules::ShippedBook(),
         DeviceNumber own_chain = kServerDevice);

  // A result for each submitted edit, in their order. An error means that nothing of the batch was
  // written.
  absl::StatusOr<std::vector<Result>> Commit(Store& store, absl::Span<const Submitted> batch) const;

  // An edit by the server's own device, which no grant limits. Returns the
  // version; refused like any other where it breaks a rule.
  absl::StatusOr<Version> CommitOwn(Store& store, const sync::v1::Edit& edit) const;
  // The same within a transaction of the caller's.
  absl::StatusOr<Version> WriteOwn(Writer& writer, const sync::v1::Edit& edit) const;

  const Schema& schema() const { return *schema_; }
  const rules::Book& book() const { return book_; }

 private:
  class Batch;

  const std::shared_ptr<const Schema> schema_;
  const rules::Book& book_;
  const RuleBook rules_;
  const Environment environment_;
  Observer& observer_;
  const DeviceNumber own_chain_;
};

}  // namespace zhibu::server

#endif  // ZHIBU_SERVER_INGEST_INGEST_H_
