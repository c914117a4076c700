#include "server/ingest.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "server/authority.h"
#include "server/check_in.h"
#include "server/flow.h"
#include "server/held.h"
#include "server/incarnation.h"
#include "server/notes.h"
#include "server/notice.h"
#include "server/own_edit.h"
#include "server/persons.h"
#include "server/registration.h"
#include "server/sight.h"
#include "server/typed.h"
#include "sync/audience.h"
#include "sync/canonical.h"
#include "sync/handshake.h"
#include "sync/merge.h"
#include "sync/reason.h"
#include "sync/record.h"
#include "sync/status.h"
#include "sync/value.h"
#include "sync/wire.h"
#include "zhibu/records/v1/duplicate.pb.h"
#include "zhibu/records/v1/member.pb.h"

namespace zhibu::server {
namespace {

using records::v1::DuplicatePerson;
using records::v1::HeldEdit;
using records::v1::Member;
using records::v1::PrivateDetail;
using sync::v1::Change;
using sync::v1::Edit;

// What the records that one edit of a device touches may hold in all.
constexpr size_t kTouchedBytesMax = 8 << 20;
// Of an edit that the server composes, as long as it has more than one change: the others
// follow in edits of their own.
constexpr size_t kComposedBytes = 256 << 10;
// An edit has consequences, which may have consequences. No chain that is meant is longer.
constexpr int kDepthMax = 8;
// What is said to have happened may be so much later than the edit that says it: a phone
// whose clock runs in another zone is no liar.
constexpr int64_t kHappenedMsMax = int64_t{24} * 3600 * 1000;

std::vector<Id> ScopesOf(const std::vector<Placed>& places) {
  std::vector<Id> scopes;
  for (const Placed& placed : places) scopes.push_back(placed.scope);
  return scopes;
}

bool IsHeld(sync::v1::Reason reason) {
  return reason == sync::v1::GRANT_ENDED || reason == sync::v1::MOVED_AWAY ||
         reason == sync::v1::OF_REVOKED_DEVICE || reason == sync::v1::BUILDS_ON_HELD;
}

RecordKey KeyOf(const Change& change) { return {change.type(), *Id::FromBytes(change.id())}; }

uint32_t DuplicateType() { return TypeOf<DuplicatePerson>().number; }

// What says who somebody is, or that two are one.
bool IsOfPersons(uint32_t type) {
  return type == TypeOf<Member>().number || type == TypeOf<PrivateDetail>().number ||
         type == DuplicateType();
}

// Times that have happened (FieldRule::happened) lie before `latest_ms`, in elements too.
absl::Status CheckHappened(const Fields& fields, absl::string_view set, int64_t latest_ms) {
  absl::Status status;
  for (const FieldRule& rule : fields.rules()) {
    if (!rule.happened && rule.element == nullptr) continue;
    ForEachPayload(*rule.descriptor, set, [&](absl::string_view payload) {
      if (rule.element != nullptr) {
        return status.Update(CheckHappened(*rule.element, payload, latest_ms));
      }
      google::protobuf::Timestamp time;
      time.ParseFromArray(payload.data(), static_cast<int>(payload.size()));
      if (time.seconds() <= latest_ms / 1000) return;
      status.Update(Refuse(sync::v1::BAD_VALUE, rule.descriptor->name()));
    });
  }
  return status;
}

// Name of a count: how often somebody has tried to take a held edit in vain.
std::string TriesOf(const Id& held) { return absl::StrCat("held.tries/", Hex(held.bytes())); }

Version HighestOf(const Sent* sent) {
  Version highest;
  if (sent == nullptr) return highest;
  for (const auto& cursor : sent->cursors) highest = std::max(highest, cursor.second);
  return highest;
}

}  // namespace

std::string ChainAfter(absl::string_view before, const AuditRow& row) {
  std::string link(before);
  wire::AppendVarintField(1, row.device.value, &link);
  wire::AppendVarintField(2, row.number.value, &link);
  wire::AppendVarintField(3, static_cast<uint64_t>(row.received_ms), &link);
  wire::AppendVarintField(4, row.stamp.value, &link);
  wire::AppendBytesField(5, row.edit, &link);
  wire::AppendBytesField(6, row.answer.SerializeAsString(), &link);
  wire::AppendVarintField(7, row.version.value, &link);
  // A row from before these were written down has none of them, and its chain as it was.
  if (row.author != row.device) wire::AppendVarintField(8, row.author.value, &link);
  if (!row.decided_by.empty()) wire::AppendBytesField(9, row.decided_by.bytes(), &link);
  for (const uint64_t below : row.builds_on) wire::AppendVarintField(10, below, &link);
  if (row.withdrawn) wire::AppendVarintField(11, 1, &link);
  if (row.sent.value > 0) wire::AppendVarintField(12, row.sent.value, &link);
  for (const uint64_t base : row.bases) wire::AppendVarintField(13, base, &link);
  return Digest(link);
}

// One transaction.
class Ingest::Batch {
 public:
  Batch(const Ingest& ingest, Writer& writer, absl::flat_hash_set<Id>* moved)
      : ingest_(ingest), schema_(*ingest.schema_), writer_(writer), moved_(*moved) {}

  absl::StatusOr<Result> Take(const Submitted& submitted) {
    const uint64_t before = writer_.Work();
    ASSIGN_OR_RETURN(Result result, TakeNumbered(submitted));
    result.work = writer_.Work() - before;
    return result;
  }

  // Composed by the server.
  absl::StatusOr<Version> TakeOwn(Edit edit) {
    // What stands in the audit's hashes must not be open to guessing.
    edit.set_salt(ingest_.environment_.NewSalt());
    AuditRow row;
    row.device = row.author = kServerDevice;
    row.stamp = StampAt(ingest_.environment_.now_ms());
    row.edit = edit.SerializeAsString();
    Passage passage{edit, row};
    passage.seen_up_to = kPendingVersion;
    RETURN_IF_ERROR(Attempt([&] { return Merge(passage, &row.version); }));
    row.answer.set_verdict(sync::v1::MERGED);
    RETURN_IF_ERROR(RecordInOwnChain(&row));
    return row.version;
  }

  // The devices' last numbers, once for the whole batch.
  absl::Status Finish() {
    for (const auto& [number, device] : devices_) {
      if (device.dirty) RETURN_IF_ERROR(writer_.PutDevice(device.row));
    }
    return absl::OkStatus();
  }

 private:
  struct DeviceState {
    DeviceRow row;
    std::string chain;  // of the last audit row
    uint64_t link = 0;  // to the last edit
    bool dirty = false;
    bool forked = false;  // an edit of this batch was of another copy
  };

  // An edit on its way into the records, and whose part in it is what:
  //
  //   the author    made it: the rules and the order of the merge are about them
  //   the decider   has the authority: the author, or whoever took what was held
  //   the composer  is the server, whose own edits nobody is asked for
  struct Passage {
    const Edit& edit;
    AuditRow& row;  // as far as it is known: device, author, stamp, edit
    Id author;      // the person; empty: composed
    Id decider;     // the person
    // What of Change::base is believed: no more than had been sent to the device.
    Version seen_up_to;
    // Of an edit that waited: what its device made after it.
    const absl::flat_hash_set<Version>* made_later = nullptr;

    bool composed() const { return row.author == kServerDevice; }
  };

  // A record as the edit leaves it, before any of it is written.
  struct Staged {
    const RecordType* type = nullptr;
    std::vector<Placed> before;
    std::string body_before;
    RecordState was;
    RecordState state;
    Outcome outcome;
    absl::Status hidden;  // why it is not its maker's (HideUnseen)
    std::optional<CheckInFinding> finding;
    const Change* change = nullptr;  // of an author's edit, the only one
  };
  using Staging = std::map<RecordKey, Staged>;

  // ---- What comes, and what is answered ----------------------------------------

  absl::StatusOr<Result> TakeNumbered(const Submitted& submitted) {
    ASSIGN_OR_RETURN(DeviceState * device, StateOf(submitted.device));
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
                                         : Attempt([&] { return Merge(passage, &version); });
    Refused refused = ReasonOf(status);
    // The store's trouble, not the edit's.
    if (!status.ok() && refused.reason == sync::v1::NO_REASON) return status;
    // Of what is undone with the attempt, this remains.
    if (tried_) RETURN_IF_ERROR(writer_.AddToCount(TriesOf(*tried_), 1));
    if (IsHeld(refused.reason)) {
      ASSIGN_OR_RETURN(const bool room, HasRoom(writer_, schema_, *row, device->row.record));
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
    RETURN_IF_ERROR(Record(row, &Changing(device)));
    if (row->answer.verdict() == sync::v1::HELD) {
      RETURN_IF_ERROR(WriteHeld(*row, device->row));
    }
    return Result{.answer = row->answer, .version = row->version};
  }

  absl::StatusOr<DeviceState*> StateOf(DeviceNumber number) {
    const auto [it, fresh] = devices_.try_emplace(number);
    DeviceState& device = it->second;
    if (!fresh) return &device;
    ASSIGN_OR_RETURN(std::optional<DeviceRow> row, writer_.GetDevice(number));
    if (!row) return Refuse(sync::v1::UNKNOWN_DEVICE, absl::StrCat(number.value));
    device.row = *std::move(row);
    if (device.row.last_number.value > 0) {
      ASSIGN_OR_RETURN(std::optional<AuditRow> last,
                       writer_.GetAudit(number, device.row.last_number));
      if (!last)
        return absl::DataLossError(
            absl::StrCat("audit: device ", number.value, ": last row missing"));
      device.chain = last->chain;
      device.link = LinkTo(last->edit);
    }
    return &device;
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
    ASSIGN_OR_RETURN(const auto row, writer_.GetAudit(submitted.device, number));
    return Result{.answer = row->answer, .version = row->version};
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
    RETURN_IF_ERROR(Record(row, &Changing(device)));
    return true;
  }

  // Appends the row to the chain of `device`.
  absl::Status Record(AuditRow* row, DeviceState* device) {
    row->received_ms = ingest_.environment_.now_ms();
    row->chain = ChainAfter(device->chain, *row);
    RETURN_IF_ERROR(writer_.AppendAudit(*row));
    device->chain = row->chain;
    device->link = LinkTo(row->edit);
    device->row.last_number = row->number;
    return absl::OkStatus();
  }

  // What follows from the edit may have taken numbers meanwhile.
  absl::Status RecordInOwnChain(AuditRow* row) {
    ASSIGN_OR_RETURN(DeviceState * own, StateOf(kServerDevice));
    row->number = EditNumber(own->row.last_number.value + 1);
    row->answer.set_number(row->number.value);
    return Record(row, &Changing(own));
  }

  // ---- One edit, whole or not at all -------------------------------------------

  // Where `body` is refused, the store and what is remembered here are as before it.
  absl::Status Attempt(absl::FunctionRef<absl::Status()> body) {
    const size_t undo = undo_.size();
    absl::flat_hash_set<Id> moved = std::exchange(moved_now_, {});
    ++attempts_;
    absl::Status status = writer_.Attempt(body);
    --attempts_;
    if (status.ok()) {
      moved.insert(moved_now_.begin(), moved_now_.end());
    } else {
      for (; undo_.size() > undo; undo_.pop_back()) {
        devices_[undo_.back().first] = std::move(undo_.back().second);
      }
      // They may have been worked out from what is undone.
      offices_.clear();
    }
    moved_now_ = std::move(moved);
    if (attempts_ > 0) return status;
    undo_.clear();
    moved_.insert(moved_now_.begin(), moved_now_.end());
    moved_now_.clear();
    return status;
  }

  // To be called before anything of it is changed.
  DeviceState& Changing(DeviceState* device) {
    if (attempts_ > 0) undo_.emplace_back(device->row.number, *device);
    device->dirty = true;
    return *device;
  }

  absl::Status Merge(const Passage& passage, Version* version) {
    RETURN_IF_ERROR(CheckLimits(passage));
    Staging staging;
    for (const Change& change : passage.edit.changes()) {
      RETURN_IF_ERROR(Load(change, &staging));
    }
    // The device's own store does not make such an edit.
    if (staging.size() < static_cast<size_t>(passage.edit.changes_size())) {
      return Refuse(sync::v1::MALFORMED, "a record twice");
    }
    if (!passage.composed()) {
      RETURN_IF_ERROR(HideUnseen(passage, &staging));
      RETURN_IF_ERROR(MayBeJudged(passage, staging));
    }
    ASSIGN_OR_RETURN(*version, NextVersion(passage.edit, staging));
    for (const Change& change : passage.edit.changes()) {
      RETURN_IF_ERROR(MergeChange(passage, change, *version, &staging.at(KeyOf(change))));
    }
    if (!passage.composed()) {
      RETURN_IF_ERROR(CheckResult(passage, staging));
      ForgetBasesAsSaid(passage);
    }
    Edit follows;
    for (const auto& [key, staged] : staging) {
      if (key.type != DuplicateType()) continue;
      RETURN_IF_ERROR(FollowDecision(writer_, key.id, staged.was, staged.state, &follows));
    }
    RETURN_IF_ERROR(Write(staging));
    // Once the decision stands: what is merged then may change the held edit's record too.
    for (const auto& [key, staged] : staging) {
      if (!passage.composed()) RETURN_IF_ERROR(DecideOnHeld(key, staged, staging.size(), passage));
    }
    RETURN_IF_ERROR(FindDuplicates(staging, &follows));
    return Compose(std::move(follows));
  }

  static absl::Status CheckLimits(const Passage& passage) {
    const AuditRow& row = passage.row;
    if (passage.edit.changes().empty()) {
      return Refuse(sync::v1::MALFORMED, "zhibu.sync.v1.Edit: changes: 0");
    }
    if (passage.composed()) return absl::OkStatus();
    RETURN_IF_ERROR(CheckEditSize(row.edit.size(), passage.edit));
    RETURN_IF_ERROR(CheckCanonicalMessage(*Edit::descriptor(), row.edit));
    return CheckBuildsOn(row);
  }

  // Earlier edits, ascending, each once.
  static absl::Status CheckBuildsOn(const AuditRow& row) {
    // No record is changed twice, so there is no more than one of these to a change.
    if (row.builds_on.size() > kChangesMax) {
      return TooLarge("builds_on", row.builds_on.size(), kChangesMax, "edits");
    }
    uint64_t last = 0;
    for (const uint64_t below : row.builds_on) {
      if (below <= std::exchange(last, below) || below >= row.number.value) {
        return Refuse(sync::v1::MALFORMED,
                      absl::StrCat("builds_on: [", absl::StrJoin(row.builds_on, ", "), "] < ",
                                   row.number.value));
      }
    }
    return absl::OkStatus();
  }

  absl::Status Load(const Change& change, Staging* staging) {
    RETURN_IF_ERROR(CheckChange(schema_, change));
    const auto [it, fresh] = staging->try_emplace(KeyOf(change));
    if (!fresh) return absl::OkStatus();
    Staged& staged = it->second;
    staged.type = schema_.Find(change.type());
    ASSIGN_OR_RETURN(staged.state, writer_.GetRecord(it->first));
    if (staged.state.exists) {
      staged.before = PlacesOf(*staged.type, it->first.id, staged.state.body);
    }
    if (staged.state.alive()) staged.body_before = staged.state.body;
    staged.was = staged.state;
    return absl::OkStatus();
  }

  // Whoever makes what is there already, and not for them to see or change, is judged in all
  // as though it were not, so that no answer tells them; and then refused (CheckResult).
  absl::Status HideUnseen(const Passage& passage, Staging* staging) {
    ASSIGN_OR_RETURN(const Author judged, JudgedAs(passage));
    for (const Change& change : passage.edit.changes()) {
      Staged& staged = staging->at(KeyOf(change));
      if (change.kind() != Change::CREATE || !staged.was.exists) continue;
      const Id id = KeyOf(change).id;
      if (MaySee(schema_, *staged.type, judged.offices, id, staged.was.body)) continue;
      absl::Status may = MayTouch(writer_, schema_, judged, *staged.type, id, change, staged.was);
      if (may.ok()) continue;
      staged = Staged{.type = staged.type, .hidden = std::move(may)};
    }
    return absl::OkStatus();
  }

  // Before anything of it is merged: what it builds on is in, and its device in service.
  // What is to wait, waits only where its author has, or once had, a right to it, and for
  // what is not there yet, where what it builds on makes it: who is held learns where a
  // record lies, or that there is one.
  absl::Status MayBeJudged(const Passage& passage, const Staging& staging) {
    absl::Status status = CheckFoundations(passage.row);
    if (passage.row.decided_by.empty() && status.ok()) {
      ASSIGN_OR_RETURN(const DeviceState* device, StateOf(passage.row.author));
      if (device->row.revoked()) status = Refuse(sync::v1::OF_REVOKED_DEVICE, device->row.name);
    }
    if (!IsHeld(ReasonOf(status).reason)) return status;
    ASSIGN_OR_RETURN(const Offices* offices, OfficesFor(passage.author));
    std::optional<std::set<RecordKey>> below;
    for (const Change& change : passage.edit.changes()) {
      const RecordKey key = KeyOf(change);
      const Staged& staged = staging.at(key);
      const std::vector<Placed> named = PlacesOf(*staged.type, key.id, change.set());
      if (staged.before.empty() && change.kind() != Change::CREATE) {
        if (!below) {
          ASSIGN_OR_RETURN(below, HeldBelow(passage.row));
        }
        if (below->count(key) > 0) continue;
        return Refuse(sync::v1::NO_SUCH_RECORD, staged.type->name);
      }
      // Whom a branch has shown its code is its guest for this one record. Of a record that
      // is somebody else's it says nothing.
      const absl::string_view body =
          staged.before.empty() ? absl::string_view(change.set()) : staged.state.body;
      const auto finding = JudgeCheckIn(writer_, change, body, passage.author,
                                        MillisOf(passage.row.stamp), ingest_.environment_.now_ms());
      const auto reason = ReasonOf(finding.status()).reason;
      if (!finding.ok() && reason != sync::v1::CODE_OF_OTHER_MEMBER) return finding.status();
      if (finding.ok() && finding->has_value()) continue;
      std::vector<Placed> after = staged.before;
      after.insert(after.end(), named.begin(), named.end());
      ASSIGN_OR_RETURN(const bool once,
                       MightOnce(writer_, *staged.type, WrittenBy(*staged.type, change),
                                 HostSightOf(*staged.type, body), key.id, passage.author, *offices,
                                 staged.before, after));
      if (once) continue;
      return change.kind() == Change::CREATE ? Refuse(sync::v1::NOT_ENTITLED, staged.type->label)
                                             : Refuse(sync::v1::NO_SUCH_RECORD, staged.type->name);
    }
    return status;
  }

  // The records that the held edits are about on which this one builds.
  absl::StatusOr<std::set<RecordKey>> HeldBelow(const AuditRow& row) {
    std::set<RecordKey> records;
    for (const uint64_t below : row.builds_on) {
      ASSIGN_OR_RETURN(const auto known, writer_.GetVerdict(row.author, EditNumber(below)));
      if (!known || known->verdict != sync::v1::HELD) continue;
      ASSIGN_OR_RETURN(const auto waiting, writer_.GetAudit(row.author, EditNumber(below)));
      Edit edit;
      if (!waiting || !edit.ParseFromString(waiting->edit)) continue;
      for (const Change& change : edit.changes()) {
        if (const auto id = Id::FromBytes(change.id())) records.insert({change.type(), *id});
      }
    }
    return records;
  }

  absl::Status MergeChange(const Passage& passage, const Change& change, Version version,
                           Staged* staged) {
    const RecordKey key = KeyOf(change);
    staged->change = &change;
    if (!passage.composed()) {
      ASSIGN_OR_RETURN(const Author judged, JudgedAs(passage));
      RETURN_IF_ERROR(
          MayTouch(writer_, schema_, judged, *staged->type, key.id, change, staged->was));
    }
    const Origin origin{.device = passage.row.author,
                        .version = version,
                        .stamp = StampFor(passage.row.stamp),
                        .latest = LatestStamp(ingest_.environment_.now_ms()),
                        .base_max = passage.seen_up_to,
                        .made_later = passage.made_later};
    RETURN_IF_ERROR(Apply(staged->type, change, origin, &staged->state, &staged->outcome));
    if (passage.composed()) return absl::OkStatus();
    passage.row.bases.push_back(std::min(change.base(), origin.base_max.value));
    ASSIGN_OR_RETURN(staged->finding,
                     JudgeCheckIn(writer_, change, staged->state.body, passage.author,
                                  MillisOf(passage.row.stamp), ingest_.environment_.now_ms()));
    return absl::OkStatus();
  }

  // What the edit says itself is not written down again.
  static void ForgetBasesAsSaid(const Passage& passage) {
    const auto& changes = passage.edit.changes();
    auto& bases = passage.row.bases;
    const bool as_said =
        std::equal(bases.begin(), bases.end(), changes.begin(), changes.end(),
                   [](uint64_t base, const Change& change) { return base == change.base(); });
    if (as_said) bases.clear();
  }

  absl::Status CheckResult(const Passage& passage, const Staging& staging) {
    size_t touched = 0;
    for (const auto& [key, staged] : staging) {
      RETURN_IF_ERROR(Check(key, staged, staging, passage));
      touched += staged.state.body.size() + staged.state.trace.size();
    }
    if (touched > kTouchedBytesMax) {
      return TooLarge("records of the edit", touched, kTouchedBytesMax);
    }
    // Whoever may not write there is not told what the rules find.
    const Stamp stamp = StampFor(passage.row.stamp);
    FlowJudge flow(writer_);
    for (const auto& [key, staged] : staging) {
      RETURN_IF_ERROR(CheckHappened(staged.type->fields, staged.change->set(),
                                    MillisOf(stamp) + kHappenedMsMax));
      RETURN_IF_ERROR(flow.Judge(*staged.type, key.id, staged.body_before, staged.state.body,
                                 MillisOf(std::max(stamp, StampFor(staged.was.touch.stamp)))));
    }
    for (const auto& [key, staged] : staging) RETURN_IF_ERROR(staged.hidden);
    return absl::OkStatus();
  }

  absl::StatusOr<Author> JudgedAs(const Passage& passage) {
    ASSIGN_OR_RETURN(const Offices* offices, OfficesFor(passage.decider));
    // Nobody decides about an edit of their own as about somebody else's, whoever they are
    // as well.
    const std::vector<Id>& own = offices->persons;
    const bool decides = !passage.row.decided_by.empty() &&
                         std::find(own.begin(), own.end(), passage.author) == own.end();
    Author judged{passage.decider, *offices, decides, own};
    if (passage.author != passage.decider) {
      ASSIGN_OR_RETURN(judged.wrote, PersonsOf(writer_, passage.author));
    }
    return judged;
  }

  absl::Status Check(const RecordKey& key, const Staged& staged, const Staging& staging,
                     const Passage& passage) {
    if (staged.state.alive()) RETURN_IF_ERROR(CheckRecord(*staged.type, key.id, staged.state.body));
    RETURN_IF_ERROR(CheckUnknown(*staged.type, staged.was.body, staged.state.body));
    RETURN_IF_ERROR(CheckRecordSize(*staged.type, staged.state.body, staged.state.trace));
    ASSIGN_OR_RETURN(const Author judged, JudgedAs(passage));
    const Step step{
        *staged.type,      key.id,
        *staged.change,    staged.was,
        staged.state.body, staged.finding ? std::optional(staged.finding->branch) : std::nullopt};
    RETURN_IF_ERROR(MayLeave(writer_, judged, step, [&](const RecordKey& other) {
      const auto it = staging.find(other);
      return it == staging.end() ? writer_.GetRecord(other)
                                 : absl::StatusOr<RecordState>(it->second.state);
    }));
    if (key.type != DuplicateType()) return absl::OkStatus();
    const Version seen = std::min(Version(staged.change->base()), passage.seen_up_to);
    return JudgeDecision(staged.was, staged.state.body, judged.offices.persons, seen);
  }

  absl::StatusOr<const Offices*> OfficesFor(const Id& person) {
    auto& [known_at, offices] = offices_[person];
    ASSIGN_OR_RETURN(const Version version, OfficesVersion(writer_, offices.persons));
    if (known_at != version || version.value == 0) {
      ASSIGN_OR_RETURN(offices, OfficesOf(writer_, person, ingest_.environment_.now_ms()));
      ASSIGN_OR_RETURN(known_at, OfficesVersion(writer_, offices.persons));
    }
    return &offices;
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
    moved_now_.insert(scopes.begin(), scopes.end());
    std::vector<Id> sorted(scopes.begin(), scopes.end());
    std::sort(sorted.begin(), sorted.end());  // one order of locking for all
    // What follows from an edit comes after it, though it lies nowhere that the edit does.
    const Version at_least =
        std::max(VersionAt(ingest_.environment_.NowMicros()), Version(given_.value + 1));
    ASSIGN_OR_RETURN(given_, writer_.NextVersion(sorted, at_least));
    return given_;
  }

  // One that lies ahead counts as now.
  Stamp StampFor(Stamp stamp) const {
    const int64_t now = ingest_.environment_.now_ms();
    return stamp > LatestStamp(now) ? StampAt(now) : stamp;
  }

  // ---- What it builds on, and what waits ----------------------------------------

  // An edit on top of an own one that is not in cannot be taken either.
  absl::Status CheckFoundations(const AuditRow& row) {
    for (const uint64_t below : row.builds_on) {
      RETURN_IF_ERROR(CheckTaken(row.author, EditNumber(below)));
    }
    return absl::OkStatus();
  }

  // That edit is in, or has been taken since it was held; or nothing is known of it.
  absl::Status CheckTaken(DeviceNumber device, EditNumber number) {
    ASSIGN_OR_RETURN(const auto known, writer_.GetVerdict(device, number));
    if (!known || known->verdict == sync::v1::MERGED) return absl::OkStatus();
    if (known->verdict == sync::v1::HELD) {
      ASSIGN_OR_RETURN(const auto row, writer_.GetAudit(device, number));
      ASSIGN_OR_RETURN(const auto held, FindHeld(writer_, row->edit));
      const auto state = held ? held->state() : HeldEdit::WAITING;
      if (state == HeldEdit::TAKEN) return absl::OkStatus();
      if (state == HeldEdit::WAITING) {
        return Refuse(sync::v1::BUILDS_ON_HELD, absl::StrCat(number.value));
      }
    }
    return Refuse(sync::v1::BUILDS_ON_RETURNED, absl::StrCat(number.value));
  }

  absl::Status WriteHeld(const AuditRow& row, const DeviceRow& device) {
    Edit own;
    RETURN_IF_ERROR(AddHeld(writer_, schema_, row, device.person, device.record, &own));
    return Compose(std::move(own));
  }

  // Where a change decides that a held edit is taken, that edit is merged, as its author's,
  // at the time that they gave it, under the authority of whoever decides.
  absl::Status DecideOnHeld(const RecordKey& key, const Staged& staged, size_t changes,
                            const Passage& decision) {
    if (key.type != TypeOf<HeldEdit>().number) return absl::OkStatus();
    const auto before = Parse<HeldEdit>(staged.body_before);
    const auto held = Parse<HeldEdit>(staged.state.body);
    if (before.state() != HeldEdit::WAITING || held.state() == HeldEdit::WAITING) {
      return absl::OkStatus();
    }
    if (changes != 1) return Refuse(sync::v1::MALFORMED, "a decision stands alone");
    ASSIGN_OR_RETURN(const std::optional<AuditRow> waiting,
                     writer_.GetAudit(DeviceNumber(held.device()), EditNumber(held.number())));
    if (!waiting) return Refuse(sync::v1::MALFORMED, "edit");
    ASSIGN_OR_RETURN(DeviceState * device, StateOf(waiting->device));
    RETURN_IF_ERROR(CountDecided(writer_, before, waiting->edit.size(), device->row.record));
    if (held.state() != HeldEdit::TAKEN) return absl::OkStatus();
    ASSIGN_OR_RETURN(const int64_t tries, writer_.GetCount(TriesOf(key.id)));
    if (tries >= kTriesMax) return Refuse(sync::v1::STEP_NOT_ALLOWED, absl::StrCat(tries));
    const absl::Status taken = TakeHeld(*waiting, device->row.person, decision.decider);
    if (!taken.ok()) tried_ = key.id;
    return taken;
  }

  absl::Status TakeHeld(const AuditRow& waiting, const Id& author, const Id& decider) {
    Edit edit;
    if (!edit.ParseFromString(waiting.edit)) return Refuse(sync::v1::MALFORMED, "edit");
    for (const Change& change : edit.changes()) {
      if (change.type() == TypeOf<HeldEdit>().number) {
        return Refuse(sync::v1::MALFORMED, "a decision");
      }
    }
    if (absl::Status in = CheckFoundations(waiting); !in.ok()) {
      const Refused refused = ReasonOf(in);
      // Those first.
      return refused.reason == sync::v1::BUILDS_ON_HELD
                 ? Refuse(sync::v1::STEP_NOT_ALLOWED, refused.detail)
                 : in;
    }
    absl::flat_hash_set<Version> made_later;
    RETURN_IF_ERROR(writer_.ReadVersions(waiting.device, waiting.number,
                                         [&](Version later) { made_later.insert(later); }));
    AuditRow row;
    row.device = kServerDevice;
    row.author = waiting.author;
    row.decided_by = decider;
    row.stamp = waiting.stamp;
    row.edit = waiting.edit;
    row.sent = waiting.sent;
    Passage passage{edit, row};
    passage.author = author;
    passage.decider = decider;
    ASSIGN_OR_RETURN(passage.seen_up_to, writer_.EarlierVersions());
    passage.seen_up_to = std::max(passage.seen_up_to, waiting.sent);
    passage.made_later = &made_later;
    RETURN_IF_ERROR(Merge(passage, &row.version));
    row.answer.set_verdict(sync::v1::MERGED);
    return RecordInOwnChain(&row);
  }

  // ---- What is written, and what follows ----------------------------------------

  absl::Status Write(const Staging& staging) {
    Edit follows;
    for (const auto& [key, staged] : staging) {
      const std::vector<Placed> after = PlacesOf(*staged.type, key.id, staged.state.body);
      RETURN_IF_ERROR(writer_.PutRecord(key, staged.state, ScopesOf(staged.before),
                                        ShowingsOf(schema_, *staged.type, key.id, staged.state)));
      RETURN_IF_ERROR(AddNotes(writer_, schema_, key, staged.outcome, after, &follows));
      if (staged.finding) {
        AddFinding(*staged.type, key.id, staged.state, *staged.finding, &follows);
      }
    }
    RETURN_IF_ERROR(Compose(std::move(follows)));
    // Once all of the edit is there.
    for (const auto& [key, staged] : staging) RETURN_IF_ERROR(WriteConsequences(key, staged));
    return absl::OkStatus();
  }

  absl::Status WriteConsequences(const RecordKey& key, const Staged& staged) {
    Edit edit;
    RETURN_IF_ERROR(MarkAsked(writer_, *staged.type, key.id, staged.body_before, staged.state));
    RETURN_IF_ERROR(AddFlow(writer_, schema_, key, staged.body_before, &edit));
    RETURN_IF_ERROR(AddShown(writer_, schema_, key, &edit));
    RETURN_IF_ERROR(Compose(std::move(edit)));
    Edit registers;  // apart: an edit changes a record once
    FollowRegistration(key, staged.was, staged.state, &registers);
    RETURN_IF_ERROR(Compose(std::move(registers)));
    const std::vector<Placed> after = PlacesOf(*staged.type, key.id, staged.state.body);
    const bool shown_alike =
        HostSightOf(*staged.type, staged.was.body) == HostSightOf(*staged.type, staged.state.body);
    if (staged.before.empty() || (after == staged.before && shown_alike)) return absl::OkStatus();
    Edit along;
    RETURN_IF_ERROR(MoveNotes(writer_, schema_, key, after, &along));
    RETURN_IF_ERROR(MoveHeld(writer_, schema_, key, &along));
    return Compose(std::move(along));
  }

  absl::Status FindDuplicates(const Staging& staging, Edit* own) {
    std::set<Id> persons;
    for (const auto& [key, staged] : staging) {
      if (!IsOfPersons(key.type)) continue;
      if (!mark_key_) {
        ASSIGN_OR_RETURN(mark_key_, MarkKeyOf(writer_));
      }
      RETURN_IF_ERROR(UpdateMarks(writer_, *mark_key_, key, staged.was, staged.state, &persons));
    }
    if (persons.empty()) return absl::OkStatus();
    return server::FindDuplicates(writer_, *mark_key_, persons, ingest_.environment_.now_ms(), own);
  }

  // Writes what the server composes because of an edit, in parts that travel well. None is
  // ever refused: where one is, that is a fault of the program, which is logged, and the
  // edit that it follows from goes back to its author rather than stand by halves.
  absl::Status Compose(Edit edit) {
    Edit part;
    size_t bytes = 0;
    for (Change& change : *edit.mutable_changes()) {
      ASSIGN_OR_RETURN(const RecordState state, writer_.GetRecord(KeyOf(change)));
      bytes += change.ByteSizeLong() + state.body.size() + state.trace.size();
      *part.add_changes() = std::move(change);
      if (bytes < kComposedBytes && part.changes_size() < kChangesMax) continue;
      RETURN_IF_ERROR(ComposePart(std::exchange(part, {})));
      bytes = 0;
    }
    return part.changes().empty() ? absl::OkStatus() : ComposePart(std::move(part));
  }

  absl::Status ComposePart(Edit part) {
    const uint32_t type = part.changes(0).type();
    ++depth_;
    const absl::Status status = depth_ > kDepthMax ? Refuse(sync::v1::SERVER_FAULT, "depth")
                                                   : TakeOwn(std::move(part)).status();
    --depth_;
    const Refused refused = ReasonOf(status);
    if (status.ok() || refused.reason == sync::v1::NO_REASON) return status;
    if (refused.reason == sync::v1::SERVER_FAULT && refused.detail != "depth") return status;
    spdlog::error("an edit that the server composed was refused: record type {}, {} {}", type,
                  sync::v1::Reason_Name(refused.reason), refused.detail);
    return Refuse(sync::v1::SERVER_FAULT, absl::StrCat(type));
  }

  const Ingest& ingest_;
  const Schema& schema_;
  Writer& writer_;
  absl::flat_hash_set<Id>& moved_;
  std::map<DeviceNumber, DeviceState> devices_;
  absl::flat_hash_map<Id, std::pair<Version, Offices>> offices_;
  std::optional<std::string> mark_key_;
  Version given_;  // the last one of this transaction
  int depth_ = 0;  // of consequences of consequences
  // The held edit that somebody has just tried to take, and which was refused.
  std::optional<Id> tried_;

  // While attempts run: scopes that the innermost has moved, and what the devices were
  // before each change, oldest first.
  int attempts_ = 0;
  absl::flat_hash_set<Id> moved_now_;
  std::vector<std::pair<DeviceNumber, DeviceState>> undo_;
};

Ingest::Ingest(std::shared_ptr<const Schema> schema, Environment environment)
    : schema_(std::move(schema)), environment_(std::move(environment)) {}

absl::StatusOr<Committed> Ingest::Commit(Store& store, absl::Span<const Submitted> batch) const {
  Committed committed;
  RETURN_IF_ERROR(store.Write([&](Writer& writer) -> absl::Status {
    committed = {};
    Batch work(*this, writer, &committed.moved);
    for (const Submitted& submitted : batch) {
      ASSIGN_OR_RETURN(Result result, work.Take(submitted));
      committed.results.push_back(std::move(result));
    }
    return work.Finish();
  }));
  return committed;
}

absl::StatusOr<Version> Ingest::WriteOwn(Writer& writer, const Edit& edit,
                                         absl::flat_hash_set<Id>* moved) const {
  Batch work(*this, writer, moved);
  ASSIGN_OR_RETURN(const Version version, work.TakeOwn(edit));
  RETURN_IF_ERROR(work.Finish());
  return version;
}

absl::StatusOr<Version> Ingest::CommitOwn(Store& store, const Edit& edit,
                                          absl::flat_hash_set<Id>* moved) const {
  Version version;
  RETURN_IF_ERROR(store.Write([&](Writer& writer) -> absl::Status {
    ASSIGN_OR_RETURN(version, WriteOwn(writer, edit, moved));
    return absl::OkStatus();
  }));
  return version;
}

}  // namespace zhibu::server
