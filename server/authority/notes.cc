#include "server/authority/notes.h"

#include <google/protobuf/util/time_util.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "sync/base/environment.h"
#include "sync/base/status.h"
#include "sync/crypto/handshake.h"
#include "sync/merge/own_edit.h"
#include "sync/rules/typed.h"
#include "sync/wire/wire.h"
#include "zhibu/records/v1/conflict.pb.h"

namespace zhibu::server {

using google::protobuf::util::TimeUtil;
using records::v1::ConflictNote;
using sync::v1::Edit;

namespace {

constexpr absl::string_view kNote = "note";

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

ConflictNote::Kind KindOf(Conflict::Kind kind) {
  switch (kind) {
    case Conflict::Kind::kOverwritten:
      return ConflictNote::OVERWRITTEN;
    case Conflict::Kind::kOpenQuestion:
      return ConflictNote::OPEN_QUESTION;
    case Conflict::Kind::kKeptFromDeletion:
      return ConflictNote::KEPT_FROM_DELETION;
  }
  return ConflictNote::KIND_UNSPECIFIED;
}

absl::StatusOr<std::string> PersonOf(Reader& reader, DeviceNumber number) {
  ASSIGN_OR_RETURN(const std::optional<DeviceRow> row, reader.GetDevice(number));
  return !row || row->person.empty() ? "" : row->person.str();
}

// Not for hosts who only see the record, nor for those that are still asked.
void SetPlaces(const RecordType& type, HostSight at_host, const std::vector<Placed>& places,
               ConflictNote* note) {
  const bool hosts = type.writers.as_host != 0 && at_host == HOST_SEES_ALL;
  note->clear_scopes();
  note->clear_guest_scopes();
  note->clear_person_scopes();
  for (const Placed& placed : places) {
    if (placed.place == GUEST && !hosts) continue;
    auto* scopes = placed.place == GUEST    ? note->mutable_guest_scopes()
                   : placed.place == PERSON ? note->mutable_person_scopes()
                                            : note->mutable_scopes();
    scopes->Add(placed.scope.str());
  }
}

// What is kept stands in the record: of a long one the note shows the beginning, so that it
// costs what the other value does.
constexpr size_t kKeptBytesMax = 2000;

std::string Cut(std::string json) {
  if (json.size() <= kKeptBytesMax) return json;
  size_t end = kKeptBytesMax;
  while (end > 0 && (static_cast<unsigned char>(json[end]) & 0xC0) == 0x80) --end;
  return absl::StrCat(json.substr(0, end), "…\"");
}

absl::StatusOr<ConflictNote> NoteFor(Reader& reader, const RecordType& type, const RecordKey& key,
                                     const Conflict& conflict, HostSight at_host,
                                     const std::vector<Placed>& places) {
  ConflictNote note;
  SetPlaces(type, at_host, places, &note);
  note.set_record_type(key.type);
  note.set_record_id(key.id.str());
  note.set_field(conflict.path);
  note.set_kind(KindOf(conflict.kind));
  if (conflict.kind != Conflict::Kind::kKeptFromDeletion) {
    note.set_kept(Cut(JsonOf(conflict.rule, conflict.kept)));
    note.set_lost(JsonOf(conflict.rule, conflict.lost));
  }
  ASSIGN_OR_RETURN(*note.mutable_kept_by_id(), PersonOf(reader, conflict.kept_touch.writer));
  ASSIGN_OR_RETURN(*note.mutable_lost_by_id(), PersonOf(reader, conflict.lost_touch.writer));
  *note.mutable_kept_at() = TimeUtil::MillisecondsToTimestamp(MillisOf(conflict.kept_touch.stamp));
  *note.mutable_lost_at() = TimeUtil::MillisecondsToTimestamp(MillisOf(conflict.lost_touch.stamp));
  note.set_state(ConflictNote::OPEN);
  return note;
}

// A note that is there already keeps the state that people gave it.
absl::Status AddNote(Reader& reader, const Id& id, ConflictNote note, Edit* edit) {
  const RecordType& type = TypeOf<ConflictNote>();
  ASSIGN_OR_RETURN(const RecordState before, reader.GetRecord({type.number, id}));
  if (before.alive()) note.set_state(Parse<ConflictNote>(before.body).state());
  AddChange(type, id, before, note, edit);
  return absl::OkStatus();
}

absl::Status Settle(Reader& reader, const Id& id, Edit* edit) {
  const RecordType& type = TypeOf<ConflictNote>();
  ASSIGN_OR_RETURN(const RecordState before, reader.GetRecord({type.number, id}));
  if (!before.alive()) return absl::OkStatus();
  auto note = Parse<ConflictNote>(before.body);
  note.set_state(ConflictNote::SETTLED);
  AddChange(type, id, before, note, edit);
  return absl::OkStatus();
}

}  // namespace

std::string MarkAbout(absl::string_view what, const RecordKey& key) {
  return Digest(absl::StrCat("zhibu mark about ", what, " ", key.type, " ", key.id.bytes()));
}

absl::Status AddNotes(Writer& writer, const Schema& schema, const RecordKey& key,
                      const Outcome& outcome, const std::vector<Placed>& places, Edit* edit) {
  const RecordType& type = *schema.Find(key.type);
  HostSight at_host = HOST_SEES_ALL;
  if (!outcome.conflicts.empty()) {
    ASSIGN_OR_RETURN(const RecordState record, writer.GetRecord(key));
    at_host = HostSightOf(type, record.body);
  }
  for (const Conflict& conflict : outcome.conflicts) {
    const Id id = NoteId(key, conflict.path, conflict.lost_touch);
    ASSIGN_OR_RETURN(ConflictNote note, NoteFor(writer, type, key, conflict, at_host, places));
    RETURN_IF_ERROR(AddNote(writer, id, std::move(note), edit));
    RETURN_IF_ERROR(writer.PutMark(MarkAbout(kNote, key), id));
  }
  for (const Settled& settled : outcome.settled) {
    RETURN_IF_ERROR(Settle(writer, NoteId(key, settled.path, settled.touch), edit));
  }
  return absl::OkStatus();
}

absl::Status MoveNotes(Reader& reader, const Schema& schema, const RecordKey& key,
                       const std::vector<Placed>& places, Edit* edit) {
  ASSIGN_OR_RETURN(const std::vector<Id> notes, reader.FindMarked(MarkAbout(kNote, key)));
  const RecordType& type = TypeOf<ConflictNote>();
  const RecordType& quoted = *schema.Find(key.type);
  ASSIGN_OR_RETURN(const RecordState record, reader.GetRecord(key));
  for (const Id& id : notes) {
    ASSIGN_OR_RETURN(const RecordState before, reader.GetRecord({type.number, id}));
    if (!before.alive()) continue;
    auto note = Parse<ConflictNote>(before.body);
    SetPlaces(quoted, HostSightOf(quoted, record.body), places, &note);
    AddChange(type, id, before, note, edit);
  }
  return absl::OkStatus();
}

}  // namespace zhibu::server
