#include "server/ingest/ingest.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/authority/held.h"
#include "server/authority/notes.h"
#include "server/feed/incarnation.h"
#include "server/feed/sight.h"
#include "server/figures/sums.h"
#include "server/ingest/composing.h"
#include "server/ingest/foresight.h"
#include "server/ingest/known_offices.h"
#include "server/ingest/merging.h"
#include "server/ingest/passage.h"
#include "server/ingest/waiting.h"
#include "sync/base/reason.h"
#include "sync/base/require.h"
#include "sync/base/status.h"
#include "sync/crypto/handshake.h"

namespace zhibu::server {
namespace {

using sync::v1::Change;
using sync::v1::Edit;

std::vector<Id> ScopesOf(const std::vector<Placed>& places) {
  std::vector<Id> scopes;
  for (const Placed& placed : places) scopes.push_back(placed.scope);
  return scopes;
}

Version HighestOf(const Sent* sent) {
  Version highest;
  if (sent == nullptr) return highest;
  for (const auto& cursor : sent->cursors) highest = std::max(highest, cursor.second);
  return highest;
}

}  // namespace

// One transaction.
class Ingest::Batch {
 public:
  Batch(const Ingest& ingest, Writer& writer)
      : work_{*ingest.schema_,  ingest.rules_, ingest.book_,     ingest.environment_,
              ingest.observer_, writer,        ingest.own_chain_},
        writer_(writer),
        chains_(work_),
        offices_(work_),
        waiting_(work_, chains_, offices_),
        merging_(work_, offices_),
        composing_(work_, [this](Edit edit) { return TakeOwn(std::move(edit)).status(); }),
        sums_(writer, work_.schema, work_.book) {}

  absl::Status Fetch(absl::Span<const Submitted> batch) { return FetchFor(work_, batch); }

  absl::StatusOr<Result> Take(const Submitted& submitted) {
    const uint64_t before = writer_.Work();
    ASSIGN_OR_RETURN(Result result, TakeNumbered(submitted));
    result.work = writer_.Work() - before;
    return result;
  }

  // Composed by the server.
  absl::StatusOr<Version> TakeOwn(Edit edit) {
    // What stands in the audit's hashes must not be open to guessing.
    edit.set_salt(work_.environment.NewSalt());
    AuditRow row;
    row.device = work_.own_chain;
    row.author = kServerDevice;
    row.stamp = StampAt(work_.environment.now_ms());
    row.edit = edit.SerializeAsString();
    Passage passage{edit, row};
    passage.seen_up_to = kPendingVersion;
    REQUIRE(passage.composed());
    RETURN_IF_ERROR(Attempt([&] { return TakeIn(passage, &row.version); }));
    row.answer.set_verdict(sync::v1::MERGED);
    RETURN_IF_ERROR(chains_.RecordInOwnChain(&row));
    return row.version;
  }

  absl::Status Finish() { return chains_.Finish(); }

 private:
  // ---- What comes, and what is answered ----------------------------------------

  absl::StatusOr<Result> TakeNumbered(const Submitted& submitted) {
    ASSIGN_OR_RETURN(DeviceState * device, chains_.StateOf(submitted.device));
    if (device->forked) return Fork(device);
    const EditNumber number(submitted.edit.number());
    if (number <= device->row.last_number) return Repeat(submitted, device);
    if (number.value != device->row.last_number.value + 1 ||
        submitted.edit.previous() != device->link) {
      return Fork(device);
    }
    AuditRow row;
    row.device = row.author = submitted.device;
    row.number = number;
    row.stamp = Stamp(submitted.edit.stamp());
    row.edit = submitted.edit.edit();
    row.builds_on.assign(submitted.edit.builds_on().begin(), submitted.edit.builds_on().end());
    row.withdrawn = submitted.edit.withdrawn();
    row.sent = HighestOf(submitted.sent.get());
    Edit edit;
    if (!edit.ParseFromString(row.edit)) edit.Clear();  // is refused
    row.made_ms = edit.device_time_ms();
    ASSIGN_OR_RETURN(const bool answered, AnsweredBefore(&row, device));
    if (answered) return Repeat(submitted, device);
    Passage passage{edit, row};
    passage.author = passage.decider = device->row.person;
    // What a device had seen in an earlier life of the server it has no cursor of any more.
    ASSIGN_OR_RETURN(passage.seen_up_to, writer_.EarlierVersions());
    passage.seen_up_to = std::max(passage.seen_up_to, row.sent);
    return Judge(passage, device, &row);
  }

  absl::StatusOr<Result> Judge(const Passage& passage, DeviceState* device, AuditRow* row) {
    Version version;
    tried_.reset();
    absl::Status status = row->withdrawn ? Refuse(sync::v1::WITHDRAWN, "")
                                         : Attempt([&] { return TakeIn(passage, &version); });
    // It stays damaged however often the device tries.
    Refused refused = IsDamagedRow(status) ? DamageToldTo(passage) : ReasonOf(status);
    // The store's trouble, not the edit's.
    if (!status.ok() && refused.reason == sync::v1::NO_REASON) return status;
    if (refused.reason == sync::v1::SERVER_FAULT) NoteFault(*row, status);
    // Of what is undone with the attempt, this remains.
    if (tried_) RETURN_IF_ERROR(CountTry(writer_, *tried_));
    if (IsHeld(refused.reason)) {
      ASSIGN_OR_RETURN(const bool room, HasRoom(writer_, work_.schema, *row, device->row.record));
      if (!room) refused = {sync::v1::HELD_FULL, device->row.name};
    }
    row->answer.set_number(row->number.value);
    row->answer.set_verdict(status.ok()              ? sync::v1::MERGED
                            : IsHeld(refused.reason) ? sync::v1::HELD
                                                     : sync::v1::RETURNED);
    row->answer.set_reason(refused.reason);
    row->answer.set_detail(refused.detail);
    if (status.ok()) {
      row->version = version;
    } else {
      row->bases.clear();
    }
    RETURN_IF_ERROR(chains_.Record(row, device));
    if (row->answer.verdict() == sync::v1::HELD) {
      RETURN_IF_ERROR(WriteHeld(*row, device->row));
    }
    return Result{.answer = row->answer, .version = row->version};
  }

  // Who may read none of its records is told of them what is told of nothing.
  Refused DamageToldTo(const Passage& passage) {
    const Refused damage{sync::v1::SERVER_FAULT, "damage"};
    const absl::StatusOr<const Offices*> offices = offices_.Of(passage.author);
    if (!offices.ok() || passage.edit.changes().empty()) return damage;
    for (const Change& change : passage.edit.changes()) {
      const RecordType* type = work_.schema.Find(change.type());
      const absl::StatusOr<std::vector<Id>> scopes = writer_.ScopesOf(KeyOf(change));
      // What lies nowhere is not what is damaged.
      if (type == nullptr || !scopes.ok() || scopes->empty()) return damage;
      const Eyes& readers = type->readers;
      if (std::any_of(scopes->begin(), scopes->end(), [&](const Id& scope) {
            return ((*offices)->In(scope) & (readers.at_home | readers.as_host)) != 0;
          })) {
        return damage;
      }
    }
    return {sync::v1::NO_SUCH_RECORD, work_.schema.Find(passage.edit.changes(0).type())->name};
  }

  void NoteFault(const AuditRow& row, const absl::Status& status) {
    work_.observer.OnTrouble({.what = Trouble::What::kFault,
                              .status = status,
                              .device = row.author,
                              .edit = row.number});
  }

  // What follows in the batch is of that copy too, and is not looked at.
  static Result Fork(DeviceState* device) {
    device->forked = true;
    return Result{.forked = true};
  }

  absl::StatusOr<Result> Repeat(const Submitted& submitted, DeviceState* device) {
    const EditNumber number(submitted.edit.number());
    // Without opening what may be a megabyte.
    ASSIGN_OR_RETURN(const auto known, writer_.GetVerdict(submitted.device, number));
    if (!known || known->link != LinkTo(submitted.edit.edit())) return Fork(device);
    ASSIGN_OR_RETURN(const auto told, writer_.GetAnswered(submitted.device, number));
    return Result{.answer = told->answer, .version = told->version};
  }

  // Copies of a device that part, and go back to a former number because the server
  // was restored, may send one edit under several. It counts once.
  absl::StatusOr<bool> AnsweredBefore(AuditRow* row, DeviceState* device) {
    ASSIGN_OR_RETURN(const std::optional<AuditRow> first,
                     writer_.FindEdit(row->made_ms, row->edit));
    if (!first || first->edit != row->edit) return false;
    ASSIGN_OR_RETURN(const std::optional<DeviceRow> author, writer_.GetDevice(first->device));
    if (!author || author->person != device->row.person) return false;
    row->answer = first->answer;
    row->answer.set_number(row->number.value);
    row->version = first->version;
    if (row->answer.verdict() == sync::v1::MERGED) {
      row->answer.set_reason(sync::v1::ANSWERED_BEFORE);
      row->answer.set_detail(absl::StrCat(first->device.value, "/", first->number.value));
    }
    RETURN_IF_ERROR(chains_.Record(row, device));
    return true;
  }

  // ---- One edit, whole or not at all -------------------------------------------

  // Where `body` is refused, the store and what is remembered here are as before it.
  absl::Status Attempt(absl::FunctionRef<absl::Status()> body) {
    const size_t begun = chains_.Begin();
    absl::Status status = writer_.Attempt(body);
    chains_.End(begun, status.ok());
    if (!status.ok()) offices_.Forget();
    return status;
  }

  // In the order that the header states.
  absl::Status TakeIn(const Passage& passage, Version* version) {
    RETURN_IF_ERROR(Merging::CheckLimits(passage));
    Staging staging;
    RETURN_IF_ERROR(merging_.Load(passage, &staging));
    if (!passage.composed()) {
      RETURN_IF_ERROR(merging_.HideUnseen(passage, &staging));
      RETURN_IF_ERROR(waiting_.MayBeJudged(passage, staging));
    }
    ASSIGN_OR_RETURN(*version, NextVersion(passage.edit, staging));
    RETURN_IF_ERROR(merging_.Merge(passage, *version, &staging));
    if (!passage.composed()) RETURN_IF_ERROR(merging_.Judge(passage, staging));
    RETURN_IF_ERROR(Write(staging));
    const std::vector<Step> steps = StepsOf(work_, passage, staging);
    const Case of = CaseOf(work_, passage, steps);
    RETURN_IF_ERROR(Mark(of));
    RETURN_IF_ERROR(FollowEach(of, staging));
    // Once the decision stands: what is merged then may change the held edit's record too.
    for (const auto& [key, staged] : staging) {
      if (!passage.composed()) RETURN_IF_ERROR(DecideOnHeld(key, staged, staging.size(), passage));
    }
    return FollowAll(of);
  }

  // Over every scope that the edit may touch: those where its records lie, and
  // those that its place fields name.
  absl::StatusOr<Version> NextVersion(const Edit& edit, const Staging& staging) {
    absl::flat_hash_set<Id> scopes;
    for (const auto& [key, staged] : staging) {
      for (const Placed& placed : staged.before) scopes.insert(placed.scope);
    }
    for (const Change& change : edit.changes()) {
      const RecordKey key = KeyOf(change);
      for (const Placed& placed : PlacesOf(*staging.at(key).type, key.id, change.set())) {
        scopes.insert(placed.scope);
      }
    }
    std::vector<Id> sorted(scopes.begin(), scopes.end());
    std::sort(sorted.begin(), sorted.end());  // one order of locking for all
    // What follows from an edit comes after it, though it lies nowhere that the edit does.
    const Version at_least =
        std::max(VersionAt(work_.environment.NowMicros()), Version(given_.value + 1));
    ASSIGN_OR_RETURN(given_, writer_.NextVersion(sorted, at_least));
    REQUIRE(given_ >= at_least);
    return given_;
  }

  // ---- What is written, and what follows ----------------------------------------

  absl::Status Write(const Staging& staging) {
    Edit follows;
    std::vector<ChangedRecord> changed;
    for (const auto& [key, staged] : staging) {
      const std::vector<Placed> after = PlacesOf(*staged.type, key.id, staged.state.body);
      RETURN_IF_ERROR(writer_.PutRecord(
          key, staged.state, ScopesOf(staged.before),
          ShowingsOf(work_.schema, *staged.type, key.id, staged.was, staged.state)));
      RETURN_IF_ERROR(AddNotes(writer_, work_.schema, key, staged.outcome, after, &follows));
      if (staged.loan) follows.MergeFrom(staged.loan->proved);
      changed.push_back({staged.type, key.id, &staged.was, &staged.state});
    }
    RETURN_IF_ERROR(sums_.Follow(changed));
    return composing_.Write(std::move(follows));
  }

  // Once all of the edit is there.
  absl::Status FollowEach(const Case& of, const Staging& staging) {
    for (const Step& step : of.steps) {
      RETURN_IF_ERROR(work_.rules.Follow(
          of, step, [&](Consequences follows) { return composing_.Write(std::move(follows)); }));
      const RecordKey key{step.type.number, step.id};
      RETURN_IF_ERROR(TakeAlong(key, staging.at(key)));
    }
    return absl::OkStatus();
  }

  // What is said of a record lies where that lies.
  absl::Status TakeAlong(const RecordKey& key, const Staged& staged) {
    const std::vector<Placed> after = PlacesOf(*staged.type, key.id, staged.state.body);
    const bool shown_alike =
        HostSightOf(*staged.type, staged.was.body) == HostSightOf(*staged.type, staged.state.body);
    if (staged.before.empty() || (after == staged.before && shown_alike)) return absl::OkStatus();
    Edit along;
    RETURN_IF_ERROR(MoveNotes(writer_, work_.schema, key, after, &along));
    RETURN_IF_ERROR(MoveHeld(writer_, work_.schema, key, &along));
    return composing_.Write(std::move(along));
  }

  absl::Status Mark(const Case& of) {
    Marks marks;
    RETURN_IF_ERROR(work_.rules.Mark(of, &marks));
    return PutMarks(writer_, marks);
  }

  absl::Status FollowAll(const Case& of) {
    return work_.rules.FollowAll(
        of, [&](Consequences follows) { return composing_.Write(std::move(follows)); });
  }

  // ---- What waits, and who decides on it -----------------------------------------

  absl::Status WriteHeld(const AuditRow& row, const DeviceRow& device) {
    Edit own;
    RETURN_IF_ERROR(AddHeld(writer_, work_.schema, row, device.person, device.record, &own));
    return composing_.Write(std::move(own));
  }

  // Where a change decides that a held edit is taken, that edit is merged, as its author's,
  // at the time that they gave it, under the authority of whoever decides.
  absl::Status DecideOnHeld(const RecordKey& key, const Staged& staged, size_t changes,
                            const Passage& decision) {
    const auto decided = HeldDecisionIn(key, staged.body_before, staged.state.body);
    if (!decided) return absl::OkStatus();
    if (changes != 1) return Refuse(sync::v1::MALFORMED, "a decision stands alone");
    ASSIGN_OR_RETURN(const std::optional<AuditRow> waiting,
                     writer_.GetAudit(decided->device, decided->number));
    if (!waiting) return Refuse(sync::v1::MALFORMED, "edit");
    ASSIGN_OR_RETURN(DeviceState * device, chains_.StateOf(waiting->device));
    RETURN_IF_ERROR(
        CountDecided(writer_, staged.body_before, waiting->edit.size(), device->row.record));
    if (!decided->taken) return absl::OkStatus();
    RETURN_IF_ERROR(CheckTries(writer_, key.id));
    const absl::Status taken = TakeHeld(*waiting, device->row.person, decision.decider);
    if (!taken.ok()) tried_ = key.id;
    return taken;
  }

  absl::Status TakeHeld(const AuditRow& waiting, const Id& author, const Id& decider) {
    Edit edit;
    if (!edit.ParseFromString(waiting.edit)) return Refuse(sync::v1::MALFORMED, "edit");
    if (DecidesOnHeld(edit)) return Refuse(sync::v1::MALFORMED, "a decision");
    if (absl::Status in = waiting_.CheckFoundations(waiting); !in.ok()) {
      const Refused refused = ReasonOf(in);
      // Those first.
      return refused.reason == sync::v1::BUILDS_ON_HELD
                 ? Refuse(sync::v1::STEP_NOT_ALLOWED, refused.detail)
                 : in;
    }
    ASSIGN_OR_RETURN(const absl::flat_hash_set<Version> made_later, waiting_.MadeAfter(waiting));
    AuditRow row;
    row.device = work_.own_chain;
    row.author = waiting.author;
    row.decided_by = decider;
    row.stamp = Believed(waiting.stamp, waiting.received_ms);  // as it would have been then
    row.edit = waiting.edit;
    row.made_ms = waiting.made_ms;
    row.sent = waiting.sent;
    Passage passage{edit, row};
    passage.author = author;
    passage.decider = decider;
    ASSIGN_OR_RETURN(passage.seen_up_to, writer_.EarlierVersions());
    passage.seen_up_to = std::max(passage.seen_up_to, waiting.sent);
    passage.made_later = &made_later;
    RETURN_IF_ERROR(TakeIn(passage, &row.version));
    row.answer.set_verdict(sync::v1::MERGED);
    return chains_.RecordInOwnChain(&row);
  }

  const Work work_;
  Writer& writer_;
  Chains chains_;
  KnownOffices offices_;
  Waiting waiting_;
  Merging merging_;
  Composing composing_;
  Sums sums_;

  Version given_;  // the last one of this transaction
  // The held edit that somebody has just tried to take, and which was refused.
  std::optional<Id> tried_;
};

Ingest::Ingest(std::shared_ptr<const Schema> schema, Environment environment, Observer* observer,
               const rules::Book& book, DeviceNumber own_chain)
    : schema_(std::move(schema)),
      book_(book),
      rules_(schema_, book_),
      environment_(std::move(environment)),
      observer_(*observer),
      own_chain_(own_chain) {}

absl::StatusOr<std::vector<Result>> Ingest::Commit(Store& store,
                                                   absl::Span<const Submitted> batch) const {
  std::vector<Result> results;
  RETURN_IF_ERROR(store.Write([&](Writer& writer) -> absl::Status {
    results.clear();
    Batch work(*this, writer);
    RETURN_IF_ERROR(work.Fetch(batch));
    for (const Submitted& submitted : batch) {
      ASSIGN_OR_RETURN(Result result, work.Take(submitted));
      results.push_back(std::move(result));
    }
    return work.Finish();
  }));
  REQUIRE(results.size() == batch.size());
  for (size_t i = 0; i < batch.size(); ++i) {
    const sync::v1::Reason reason = results[i].answer.reason();
    if (reason != sync::v1::NO_REASON) observer_.OnRefused(reason, batch[i].device);
  }
  return results;
}

absl::StatusOr<Version> Ingest::WriteOwn(Writer& writer, const Edit& edit) const {
  Batch work(*this, writer);
  ASSIGN_OR_RETURN(const Version version, work.TakeOwn(edit));
  RETURN_IF_ERROR(work.Finish());
  return version;
}

absl::StatusOr<Version> Ingest::CommitOwn(Store& store, const Edit& edit) const {
  Version version;
  RETURN_IF_ERROR(store.Write([&](Writer& writer) -> absl::Status {
    ASSIGN_OR_RETURN(version, WriteOwn(writer, edit));
    return absl::OkStatus();
  }));
  return version;
}

}  // namespace zhibu::server
