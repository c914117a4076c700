#include "server/ingest.h"

#include <google/protobuf/util/time_util.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "server/authority.h"
#include "server/check_in.h"
#include "server/flow.h"
#include "server/held.h"
#include "server/notice.h"
#include "server/own_edit.h"
#include "server/persons.h"
#include "server/registration.h"
#include "server/typed.h"
#include "sync/audience.h"
#include "sync/handshake.h"
#include "sync/merge.h"
#include "sync/reason.h"
#include "sync/record.h"
#include "sync/status.h"
#include "sync/wire.h"
#include "zhibu/records/v1/conflict.pb.h"
#include "zhibu/records/v1/duplicate.pb.h"
#include "zhibu/records/v1/member.pb.h"

namespace zhibu::server {

using google::protobuf::util::TimeUtil;
namespace {

using records::v1::ConflictNote;
using records::v1::DuplicatePerson;
using records::v1::HeldEdit;
using records::v1::Member;
using records::v1::PrivateDetail;
using sync::v1::Answer;
using sync::v1::Change;
using sync::v1::Edit;

// What the records that one edit touches may hold in all. They travel in one
// update, and a device takes no message of more than 16 MiB.
constexpr size_t kTouchedBytesMax = 8 << 20;
// A note holds two values, as JSON; notes of more than this go by several edits.
constexpr size_t kNotesBytes = 1 << 20;
// A stamp from later than this is a clock that is wrong: it counts as now.
constexpr int64_t kFutureMsMax = 60'000;

std::vector<Id> ScopesOf(const std::vector<Placed>& places) {
  std::vector<Id> scopes;
  for (const Placed& placed : places) scopes.push_back(placed.scope);
  return scopes;
}

// The same note for the same conflict, whatever else happens.
Id NoteId(const RecordKey& key, absl::string_view path, const Touch& lost) {
  std::string named;
  wire::AppendVarint(key.type, &named);
  wire::AppendBytesField(1, key.id.bytes(), &named);
  wire::AppendBytesField(2, path, &named);
  wire::AppendVarintField(3, lost.writer.value, &named);
  wire::AppendVarintField(4, lost.stamp.value, &named);
  std::string bytes = Digest(named).substr(0, Id::kSize);
  bytes.replace(0, 6, key.id.str().substr(0, 6));
  return *Id::FromBytes(bytes);
}

bool IsHeld(sync::v1::Reason reason) {
  return reason == sync::v1::GRANT_ENDED || reason == sync::v1::MOVED_AWAY ||
         reason == sync::v1::BUILDS_ON_HELD;
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
  return Digest(link);
}

// One transaction.
class Ingest::Batch {
 public:
  Batch(const Ingest& ingest, Writer& writer, absl::flat_hash_set<Id>* moved)
      : ingest_(ingest), schema_(*ingest.schema_), writer_(writer), moved_(*moved) {}

  absl::StatusOr<Result> Take(const Submitted& submitted) {
    ASSIGN_OR_RETURN(DeviceState * device, StateOf(submitted.device));
    const EditNumber number(submitted.edit.number());
    if (number <= device->row.last_number) return Repeat(submitted);
    if (number.value != device->row.last_number.value + 1 ||
        submitted.edit.previous() != device->link) {
      return Result{.forked = true};
    }

    Edit edit;
    if (!edit.ParseFromString(submitted.edit.edit())) edit.Clear();  // is refused
    ASSIGN_OR_RETURN(const bool answered, AnsweredBefore(submitted, edit, device));
    if (answered) return Repeat(submitted);
    Version version;
    const absl::Status status = submitted.edit.withdrawn()
                                    ? Refuse(sync::v1::WITHDRAWN, "")
                                    : Merge(submitted, edit, *device, &version);
    Answer answer;
    answer.set_number(number.value);
    answer.set_verdict(sync::v1::MERGED);
    if (!status.ok()) {
      const Refused refused = ReasonOf(status);
      // The store's trouble, not the edit's.
      if (refused.reason == sync::v1::NO_REASON) return status;
      answer.set_verdict(IsHeld(refused.reason) ? sync::v1::HELD : sync::v1::RETURNED);
      answer.set_reason(refused.reason);
      answer.set_detail(refused.detail);
    }
    ASSIGN_OR_RETURN(const AuditRow row, Record(submitted, edit, answer, version, device));
    if (answer.verdict() == sync::v1::HELD) {
      RETURN_IF_ERROR(WriteHeld(submitted, row, device->row.person));
    }
    return Result{false, answer, version};
  }

  absl::StatusOr<Version> TakeOwn(Edit edit) {
    // What stands in the audit's hashes must not be open to guessing.
    edit.set_salt(ingest_.environment_.NewSalt());
    ASSIGN_OR_RETURN(DeviceState * own, StateOf(kServerDevice));
    Submitted submitted{kServerDevice, {}};
    submitted.edit.set_stamp(StampAt(ingest_.environment_.now_ms()).value);
    submitted.edit.set_edit(edit.SerializeAsString());
    Version version;
    RETURN_IF_ERROR(Merge(submitted, edit, *own, &version));
    // What follows from it has taken numbers meanwhile.
    submitted.edit.set_number(own->row.last_number.value + 1);
    Answer answer;
    answer.set_number(submitted.edit.number());
    answer.set_verdict(sync::v1::MERGED);
    RETURN_IF_ERROR(Record(submitted, edit, answer, version, own).status());
    return version;
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
  };

  // A record as the edit leaves it, before any of it is written.
  struct Staged {
    const RecordType* type = nullptr;
    std::vector<Placed> before;
    std::string body_before;
    RecordState was;
    RecordState state;
    Outcome outcome;
    std::optional<CheckInFinding> finding;
    uint64_t written = 0;  // restricted fields; see WrittenBy
  };
  using Staging = std::map<RecordKey, Staged>;

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

  absl::StatusOr<Result> Repeat(const Submitted& submitted) {
    ASSIGN_OR_RETURN(std::optional<AuditRow> row,
                     writer_.GetAudit(submitted.device, EditNumber(submitted.edit.number())));
    if (!row || row->edit != submitted.edit.edit()) return Result{.forked = true};
    return Result{false, row->answer, row->version};
  }

  // Copies of a device that part, and go back to a former number because the server
  // was restored, may send one edit under several. It counts once.
  absl::StatusOr<bool> AnsweredBefore(const Submitted& submitted, const Edit& edit,
                                      DeviceState* device) {
    ASSIGN_OR_RETURN(const std::optional<AuditRow> first,
                     writer_.FindEdit(edit.device_time_ms(), submitted.edit.edit()));
    if (!first || first->edit != submitted.edit.edit()) return false;
    ASSIGN_OR_RETURN(const std::optional<DeviceRow> author, writer_.GetDevice(first->device));
    if (!author || author->person != device->row.person) return false;
    Answer answer = first->answer;
    answer.set_number(submitted.edit.number());
    if (answer.verdict() == sync::v1::MERGED) {
      answer.set_reason(sync::v1::ANSWERED_BEFORE);
      answer.set_detail(absl::StrCat(first->device.value, "/", first->number.value));
    }
    RETURN_IF_ERROR(Record(submitted, edit, answer, first->version, device).status());
    return true;
  }

  absl::StatusOr<AuditRow> Record(const Submitted& submitted, const Edit& edit,
                                  const Answer& answer, Version version, DeviceState* device) {
    AuditRow row;
    row.device = submitted.device;
    row.number = EditNumber(submitted.edit.number());
    row.received_ms = ingest_.environment_.now_ms();
    row.stamp = Stamp(submitted.edit.stamp());
    row.edit = submitted.edit.edit();
    row.made_ms = edit.device_time_ms();
    row.answer = answer;
    row.version = version;
    row.chain = ChainAfter(device->chain, row);
    RETURN_IF_ERROR(writer_.AppendAudit(row));
    device->chain = row.chain;
    device->link = LinkTo(row.edit);
    device->row.last_number = row.number;
    device->dirty = true;
    return row;
  }

  absl::Status Merge(const Submitted& submitted, const Edit& edit, const DeviceState& device,
                     Version* version) {
    // Notes of conflicts hold two values each: they may be larger than what made
    // them, and must never be what an author's edit is refused for.
    const bool own = submitted.device == kServerDevice;
    if (!own && submitted.edit.edit().size() > kEditBytesMax) {
      return Refuse(sync::v1::TOO_LARGE, absl::StrCat(submitted.edit.edit().size(), " B"));
    }
    if (device.row.revoked()) return Refuse(sync::v1::GRANT_ENDED, device.row.name);
    if (edit.changes().empty()) return Refuse(sync::v1::MALFORMED, "edit");
    if (!own && std::max(edit.changes_size(), submitted.edit.builds_on_size()) > kChangesMax) {
      return Refuse(sync::v1::TOO_LARGE, absl::StrCat(edit.changes_size(), " changes"));
    }
    RETURN_IF_ERROR(CheckFoundations(submitted));
    Staging staging;
    for (const Change& change : edit.changes()) RETURN_IF_ERROR(Load(change, &staging));
    // The device's own store does not make such an edit.
    if (!own && staging.size() < static_cast<size_t>(edit.changes_size())) {
      return Refuse(sync::v1::MALFORMED, "a record twice");
    }
    ASSIGN_OR_RETURN(*version, NextVersion(edit, staging));
    const Origin origin{submitted.device, *version, StampFor(submitted)};
    for (const Change& change : edit.changes()) {
      Staged& staged = staging.at(KeyOf(change));
      staged.written |= WrittenBy(*staged.type, change);
      RETURN_IF_ERROR(Apply(staged.type, change, origin, &staged.state, &staged.outcome));
      if (own) continue;
      RETURN_IF_ERROR(JudgeFlow(writer_, *staged.type, staged.body_before, staged.state.body,
                                MillisOf(origin.stamp)));
      ASSIGN_OR_RETURN(
          staged.finding,
          JudgeCheckIn(writer_, change, staged.state.body, device.row.person,
                       MillisOf(Stamp(submitted.edit.stamp())), ingest_.environment_.now_ms()));
    }
    size_t touched = 0;
    for (auto& [key, staged] : staging) {
      RETURN_IF_ERROR(Check(key, staged, device));
      touched += staged.state.body.size() + staged.state.trace.size();
    }
    if (!own && touched > kTouchedBytesMax) {
      return Refuse(sync::v1::TOO_LARGE, absl::StrCat(touched, " B"));
    }
    if (!own) {
      for (const auto& [key, staged] : staging) {
        RETURN_IF_ERROR(TakeHeld(key, staged, staging.size(), device));
      }
    }
    Edit follows;
    for (const auto& [key, staged] : staging) {
      if (key.type != DuplicateType()) continue;
      RETURN_IF_ERROR(FollowDecision(writer_, key.id, staged.was, staged.state, &follows));
    }
    RETURN_IF_ERROR(Write(staging));
    RETURN_IF_ERROR(FindDuplicates(staging, &follows));
    return follows.changes().empty() ? absl::OkStatus() : TakeOwn(follows).status();
  }

  static uint32_t DuplicateType() { return TypeOf<DuplicatePerson>().number; }
  // What says who somebody is, or that two are one.
  static bool IsOfPersons(uint32_t type) {
    return type == DuplicateType() || type == TypeOf<Member>().number ||
           type == TypeOf<PrivateDetail>().number;
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

  static RecordKey KeyOf(const Change& change) {
    return {change.type(), *Id::FromBytes(change.id())};
  }

  absl::Status Load(const Change& change, Staging* staging) {
    RETURN_IF_ERROR(CheckChange(schema_, change));
    const auto [it, fresh] = staging->try_emplace(KeyOf(change));
    Staged& staged = it->second;
    if (fresh) {
      staged.type = schema_.Find(change.type());
      ASSIGN_OR_RETURN(staged.state, writer_.GetRecord(it->first));
      if (staged.state.exists) {
        staged.before = PlacesOf(*staged.type, it->first.id, staged.state.body);
      }
      if (staged.state.alive()) staged.body_before = staged.state.body;
      if (IsOfPersons(change.type())) staged.was = staged.state;
    }
    return absl::OkStatus();
  }

  // An edit on top of an own one that is not in cannot be taken either.
  absl::Status CheckFoundations(const Submitted& submitted) {
    for (const uint64_t below : submitted.edit.builds_on()) {
      ASSIGN_OR_RETURN(const std::optional<AuditRow> row,
                       writer_.GetAudit(submitted.device, EditNumber(below)));
      if (row) RETURN_IF_ERROR(CheckTaken(*row));
    }
    return absl::OkStatus();
  }

  // The edit in this row is in, or has been taken since it was held.
  absl::Status CheckTaken(const AuditRow& row) {
    if (row.answer.verdict() == sync::v1::MERGED) return absl::OkStatus();
    const std::string number = absl::StrCat(row.number.value);
    if (row.answer.verdict() == sync::v1::HELD) {
      ASSIGN_OR_RETURN(const auto held, FindHeld(writer_, row.edit));
      const auto state = held ? held->state() : HeldEdit::WAITING;
      if (state == HeldEdit::TAKEN) return absl::OkStatus();
      if (state == HeldEdit::WAITING) return Refuse(sync::v1::BUILDS_ON_HELD, number);
    }
    return Refuse(sync::v1::BUILDS_ON_RETURNED, number);
  }

  absl::Status WriteHeld(const Submitted& submitted, const AuditRow& row, const Id& author) {
    Edit own;
    RETURN_IF_ERROR(AddHeld(writer_, schema_, submitted.edit, row, author, &own));
    return own.changes().empty() ? absl::OkStatus() : TakeOwn(own).status();
  }

  // Where a change decides that a held edit is taken, that edit is merged: with the
  // authority of whoever decides, at the time that its author gave it.
  absl::Status TakeHeld(const RecordKey& key, const Staged& staged, size_t changes,
                        const DeviceState& decider) {
    if (key.type != TypeOf<HeldEdit>().number) return absl::OkStatus();
    HeldEdit held;
    HeldEdit before;
    ASSIGN_OR_RETURN(const RecordState state, writer_.GetRecord(key));
    if (!held.ParseFromString(staged.state.body) || !before.ParseFromString(state.body) ||
        before.state() != HeldEdit::WAITING || held.state() != HeldEdit::TAKEN) {
      return absl::OkStatus();
    }
    if (changes != 1) return Refuse(sync::v1::MALFORMED, "a decision stands alone");
    ASSIGN_OR_RETURN(const std::optional<AuditRow> row,
                     writer_.GetAudit(DeviceNumber(held.device()), EditNumber(held.number())));
    Edit edit;
    if (!row || !edit.ParseFromString(row->edit)) return Refuse(sync::v1::MALFORMED, "edit");
    for (const Change& change : edit.changes()) {
      if (change.type() == key.type) return Refuse(sync::v1::MALFORMED, "a decision");
    }
    for (const uint64_t below : held.builds_on()) {
      ASSIGN_OR_RETURN(const std::optional<AuditRow> foundation,
                       writer_.GetAudit(row->device, EditNumber(below)));
      const absl::Status in = foundation ? CheckTaken(*foundation) : absl::OkStatus();
      if (ReasonOf(in).reason == sync::v1::BUILDS_ON_HELD) {
        return Refuse(sync::v1::STEP_NOT_ALLOWED, absl::StrCat(below));
      }
      RETURN_IF_ERROR(in);
    }
    ASSIGN_OR_RETURN(DeviceState * own, StateOf(kServerDevice));
    Submitted again{kServerDevice, {}};
    again.edit.set_number(own->row.last_number.value + 1);
    again.edit.set_stamp(row->stamp.value);
    again.edit.set_edit(row->edit);
    Version version;
    RETURN_IF_ERROR(Merge(again, edit, decider, &version));
    Answer answer;
    answer.set_verdict(sync::v1::MERGED);
    // Conflict notes have taken numbers meanwhile.
    again.edit.set_number(own->row.last_number.value + 1);
    answer.set_number(again.edit.number());
    return Record(again, edit, answer, version, own).status();
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
    moved_.insert(scopes.begin(), scopes.end());
    std::vector<Id> sorted(scopes.begin(), scopes.end());
    std::sort(sorted.begin(), sorted.end());  // one order of locking for all
    return writer_.NextVersion(sorted);
  }

  Stamp StampFor(const Submitted& submitted) const {
    const int64_t now = ingest_.environment_.now_ms();
    const Stamp stamp(submitted.edit.stamp());
    return MillisOf(stamp) > now + kFutureMsMax ? StampAt(now) : stamp;
  }

  absl::Status Check(const RecordKey& key, const Staged& staged, const DeviceState& device) {
    if (staged.state.alive()) RETURN_IF_ERROR(CheckRecord(*staged.type, key.id, staged.state.body));
    if (device.row.number == kServerDevice) return absl::OkStatus();
    ASSIGN_OR_RETURN(const Offices* offices, OfficesFor(device.row.person));
    const std::vector<Placed> after = PlacesOf(*staged.type, key.id, staged.state.body);
    const absl::Status status = MayWriteTo(staged, *offices, after);
    if (ReasonOf(status).reason == sync::v1::NOT_ENTITLED) {
      ASSIGN_OR_RETURN(const bool once,
                       MightOnce(writer_, *staged.type, staged.written, key.id, device.row.person,
                                 *offices, staged.before, after));
      if (once) return Refuse(sync::v1::MOVED_AWAY, staged.type->label);
    }
    RETURN_IF_ERROR(status);
    if (key.type == DuplicateType()) {
      RETURN_IF_ERROR(JudgeDecision(staged.body_before, staged.state.body, offices->persons));
    }
    return MayStep(*staged.type, *offices, staged.before.empty() ? after : staged.before,
                   staged.body_before, staged.state.body);
  }

  static absl::Status MayWriteTo(const Staged& staged, const Offices& offices,
                                 const std::vector<Placed>& after) {
    if (!staged.finding) {
      return MayWrite(*staged.type, staged.written, offices, staged.before, after);
    }
    return MayWrite(*staged.type, staged.written, AsGuest(offices, *staged.finding), staged.before,
                    after);
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

  absl::Status Write(const Staging& staging) {
    for (const auto& [key, staged] : staging) {
      const std::vector<Placed> after = PlacesOf(*staged.type, key.id, staged.state.body);
      RETURN_IF_ERROR(
          writer_.PutRecord(key, staged.state, ScopesOf(staged.before), ScopesOf(after)));
      RETURN_IF_ERROR(WriteNotes(key, staged.outcome, after));
      RETURN_IF_ERROR(WriteFinding(key, staged));
    }
    // Once all of the edit is there.
    for (const auto& [key, staged] : staging) RETURN_IF_ERROR(WriteConsequences(key, staged));
    return absl::OkStatus();
  }

  absl::Status WriteConsequences(const RecordKey& key, const Staged& staged) {
    Edit edit;
    RETURN_IF_ERROR(AddFlow(writer_, schema_, key, staged.body_before, &edit));
    RETURN_IF_ERROR(AddShown(writer_, schema_, key, &edit));
    if (!edit.changes().empty()) RETURN_IF_ERROR(TakeOwn(edit).status());
    Edit registers;  // apart: an edit changes a record once
    FollowRegistration(key, staged.state, &registers);
    return registers.changes().empty() ? absl::OkStatus() : TakeOwn(registers).status();
  }

  absl::Status WriteFinding(const RecordKey& key, const Staged& staged) {
    Edit edit;
    if (staged.finding) AddFinding(*staged.type, key.id, staged.state, *staged.finding, &edit);
    if (edit.changes().empty()) return absl::OkStatus();
    return TakeOwn(edit).status();
  }

  // Conflict notes are records, written by the server's own device.
  absl::Status WriteNotes(const RecordKey& key, const Outcome& outcome,
                          const std::vector<Placed>& places) {
    Edit edit;
    for (const Conflict& conflict : outcome.conflicts) {
      ASSIGN_OR_RETURN(ConflictNote note, NoteFor(key, conflict, places));
      RETURN_IF_ERROR(AddNote(NoteId(key, conflict.path, conflict.lost_touch), note, &edit));
      if (edit.ByteSizeLong() < kNotesBytes) continue;
      RETURN_IF_ERROR(TakeOwn(edit).status());
      edit.Clear();
    }
    for (const Settled& settled : outcome.settled) {
      RETURN_IF_ERROR(Settle(NoteId(key, settled.path, settled.touch), &edit));
    }
    if (edit.changes().empty()) return absl::OkStatus();
    return TakeOwn(edit).status();
  }

  static uint32_t NoteType() { return TypeOf<ConflictNote>().number; }

  // A note that is there already keeps the state that people gave it.
  absl::Status AddNote(const Id& id, ConflictNote note, Edit* edit) {
    ASSIGN_OR_RETURN(const RecordState before, writer_.GetRecord({NoteType(), id}));
    ConflictNote known;
    if (before.alive() && known.ParseFromString(before.body)) note.set_state(known.state());
    AddChange(*schema_.Find(NoteType()), id, before, note, edit);
    return absl::OkStatus();
  }

  absl::Status Settle(const Id& id, Edit* edit) {
    ASSIGN_OR_RETURN(const RecordState before, writer_.GetRecord({NoteType(), id}));
    ConflictNote note;
    if (!before.alive() || !note.ParseFromString(before.body)) return absl::OkStatus();
    note.set_state(ConflictNote::SETTLED);
    AddChange(*schema_.Find(NoteType()), id, before, note, edit);
    return absl::OkStatus();
  }

  absl::StatusOr<ConflictNote> NoteFor(const RecordKey& key, const Conflict& conflict,
                                       const std::vector<Placed>& places) {
    ConflictNote note;
    // Not for hosts who only see the record.
    const bool hosts = schema_.Find(key.type)->writers.as_host != 0;
    for (const Placed& placed : places) {
      if (placed.place == GUEST && !hosts) continue;
      (placed.place == GUEST ? note.mutable_guest_scopes() : note.mutable_scopes())
          ->Add(placed.scope.str());
    }
    note.set_record_type(key.type);
    note.set_record_id(key.id.str());
    note.set_field(conflict.path);
    note.set_kind(conflict.kind == Conflict::Kind::kOverwritten ? ConflictNote::OVERWRITTEN
                  : conflict.kind == Conflict::Kind::kOpenQuestion
                      ? ConflictNote::OPEN_QUESTION
                      : ConflictNote::KEPT_FROM_DELETION);
    if (conflict.kind != Conflict::Kind::kKeptFromDeletion) {
      note.set_kept(JsonOf(conflict.rule, conflict.kept));
      note.set_lost(JsonOf(conflict.rule, conflict.lost));
    }
    ASSIGN_OR_RETURN(*note.mutable_kept_by_id(), PersonOf(conflict.kept_touch.writer));
    ASSIGN_OR_RETURN(*note.mutable_lost_by_id(), PersonOf(conflict.lost_touch.writer));
    *note.mutable_kept_at() =
        TimeUtil::MillisecondsToTimestamp(MillisOf(conflict.kept_touch.stamp));
    *note.mutable_lost_at() =
        TimeUtil::MillisecondsToTimestamp(MillisOf(conflict.lost_touch.stamp));
    note.set_state(ConflictNote::OPEN);
    return note;
  }

  absl::StatusOr<std::string> PersonOf(DeviceNumber number) {
    ASSIGN_OR_RETURN(const std::optional<DeviceRow> row, writer_.GetDevice(number));
    return !row || row->person.empty() ? "" : row->person.str();
  }

  const Ingest& ingest_;
  const Schema& schema_;
  Writer& writer_;
  absl::flat_hash_set<Id>& moved_;
  std::map<DeviceNumber, DeviceState> devices_;
  absl::flat_hash_map<Id, std::pair<Version, Offices>> offices_;
  std::optional<std::string> mark_key_;
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
