#include "server/sessions/access.h"

#include <google/protobuf/util/time_util.h>

#include <algorithm>
#include <string>

#include "absl/time/time.h"
#include "sync/base/status.h"
#include "sync/merge/audience.h"
#include "sync/merge/own_edit.h"
#include "sync/rules/registration.h"
#include "sync/rules/typed.h"
#include "zhibu/records/v1/access.pb.h"
#include "zhibu/records/v1/conflict.pb.h"
#include "zhibu/records/v1/held.pb.h"
#include "zhibu/records/v1/member.pb.h"
#include "zhibu/sync/v1/edit.pb.h"
#include "zhibu/sync/v1/trace.pb.h"

namespace zhibu::server {

using google::protobuf::util::TimeUtil;
using records::v1::AccessLog;
using records::v1::ConflictNote;
using records::v1::HeldEdit;
using records::v1::Member;

namespace {

// To one edit.
constexpr int kRowsMax = 500;
// Answers to one reader within such a time count as one look: each is a row of the audit for good.
constexpr int64_t kLookMs = 60'000;

// Whether it says more than what is written down already.
bool Add(const RecordType& type, uint64_t fields, Way way, int64_t now_ms, AccessLog* log) {
  const int64_t last_ms = TimeUtil::TimestampToMilliseconds(log->last());
  // A clock that has been put back hides nothing.
  const bool one_look = last_ms <= now_ms && now_ms - last_ms < kLookMs;
  bool more = log->times() == 0 || (way == Way::kQuery && !one_look);
  for (size_t i = 0; i < type.restricted.size(); ++i) {
    if ((fields >> i & 1) == 0) continue;
    const std::string& label = type.restricted[i]->descriptor->options().GetExtension(zhibu::label);
    if (std::count(log->fields().begin(), log->fields().end(), label) > 0) continue;
    log->add_fields(label);
    more = true;
  }
  log->set_times(log->times() + 1);
  *log->mutable_last() = TimeUtil::MillisecondsToTimestamp(now_ms);
  return more;
}

// The field by itself, as a set of RecordType::restricted; nothing where it is not sensitive.
uint64_t SensitiveAt(const RecordType& type, uint32_t field) {
  for (size_t i = 0; i < type.restricted.size(); ++i) {
    const FieldRule& rule = *type.restricted[i];
    if (rule.sensitive && rule.number == field) return uint64_t{1} << i;
  }
  return 0;
}

// Who is told of by what somebody is given.
class Told {
 public:
  Told(Reader& reader, const Schema& schema, const std::vector<Id>& persons,
       Disclosures* disclosures)
      : reader_(reader), schema_(schema), persons_(persons), disclosures_(*disclosures) {}

  void AddRecord(const RecordType& type, const Id& id, const RecordState& given) {
    AddLife(type, id, given.body);
    if (given.trace.empty()) return;
    sync::v1::Trace trace;
    trace.ParseFromString(given.trace);
    AddTrace(type, id, given.body, trace);
  }

  // It holds two values of one field.
  absl::Status AddNote(const ConflictNote& note) {
    const RecordType* type = schema_.Find(note.record_type());
    const auto id = Id::FromBytes(note.record_id());
    if (type == nullptr || !id) return absl::OkStatus();
    const absl::string_view path = note.field();
    const absl::string_view name = path.substr(0, path.find_first_of(".["));
    const auto* field = type->descriptor->FindFieldByName(std::string(name));
    const auto number = field == nullptr ? 0 : static_cast<uint32_t>(field->number());
    return AddQuoted(*type, *id, SensitiveAt(*type, number), "");
  }

  absl::Status AddHeld(const HeldEdit& held) {
    sync::v1::Edit edit;
    if (!edit.ParseFromString(held.edit())) return absl::OkStatus();
    for (const sync::v1::Change& change : edit.changes()) {
      const RecordType* type = schema_.Find(change.type());
      const auto id = Id::FromBytes(change.id());
      if (type == nullptr || !id) continue;
      RETURN_IF_ERROR(AddQuoted(*type, *id, SensitiveIn(*type, change.set()), change.set()));
    }
    return absl::OkStatus();
  }

 private:
  void AddLife(const RecordType& type, const Id& id, absl::string_view body) {
    Add(type, SensitiveIn(type, body), PlacesOf(type, id, body));
  }

  // `body`: of the life that the trace is of.
  void AddTrace(const RecordType& type, const Id& id, absl::string_view body,
                const sync::v1::Trace& trace) {
    for (const sync::v1::FormerLife& life : trace.former_lives()) {
      AddLife(type, id, life.body());
      AddTrace(type, id, life.body(), life.trace());
    }
    for (const sync::v1::FieldTrace& field : trace.fields()) {
      const bool holds = !field.candidates().empty() || !field.elements().empty();
      if (holds) Add(type, SensitiveAt(type, field.field()), PlacesOf(type, id, body));
    }
  }

  // Of whom the record is now, and of whom it would be with what is quoted.
  absl::Status AddQuoted(const RecordType& type, const Id& id, uint64_t fields,
                         absl::string_view quoted) {
    if (fields == 0) return absl::OkStatus();
    const absl::StatusOr<RecordState> state = reader_.GetRecord({type.number, id});
    RETURN_IF_ERROR(PassOver(state.status()));
    if (state.ok()) Add(type, fields, PlacesOf(type, id, state->body));
    Add(type, fields, PlacesOf(type, id, quoted));
    return absl::OkStatus();
  }

  void Add(const RecordType& type, uint64_t fields, const std::vector<Placed>& places) {
    if (fields == 0) return;
    for (const Placed& placed : places) {
      if (placed.place != PERSON) continue;
      if (std::count(persons_.begin(), persons_.end(), placed.scope) > 0) continue;
      disclosures_[{placed.scope, &type}] |= fields;
    }
  }

  Reader& reader_;
  const Schema& schema_;
  const std::vector<Id>& persons_;
  Disclosures& disclosures_;
};

}  // namespace

absl::Status AddDisclosures(Reader& reader, const Schema& schema, const RecordType& type,
                            const Id& id, const RecordState& given, const std::vector<Id>& persons,
                            Disclosures* disclosures) {
  Told told(reader, schema, persons, disclosures);
  told.AddRecord(type, id, given);
  if (type.number == TypeOf<ConflictNote>().number) {
    return told.AddNote(Parse<ConflictNote>(given.body));
  }
  if (type.number == TypeOf<HeldEdit>().number) return told.AddHeld(Parse<HeldEdit>(given.body));
  return absl::OkStatus();
}

absl::Status LogAccess(Writer& writer, const Ingest& ingest, const Environment& environment,
                       const Id& reader, Way way, const Disclosures& disclosures) {
  const RecordType& log_type = *ingest.schema().Find(AccessLog::descriptor());
  const int64_t now_ms = environment.now_ms();
  sync::v1::Edit edit;
  const auto write = [&]() -> absl::Status {
    if (edit.changes().empty()) return absl::OkStatus();
    RETURN_IF_ERROR(ingest.WriteOwn(writer, edit).status());
    edit.Clear();
    return absl::OkStatus();
  };
  for (const auto& [of, fields] : disclosures) {
    const auto& [member, type] = of;
    AccessLog log;
    log.set_member_id(member.str());
    log.set_reader_id(reader.str());
    log.set_record_type(type->number);
    log.set_day(absl::FormatTime("%Y-%m-%d", absl::FromUnixMillis(now_ms), absl::UTCTimeZone()));
    ASSIGN_OR_RETURN(const Id id, DeriveId(log_type, log.SerializeAsString()));
    const absl::StatusOr<RecordState> stored = writer.GetRecord({log_type.number, id});
    // It is there: that the reader was given something that day is written down.
    if (IsDamagedRow(stored.status())) continue;
    ASSIGN_OR_RETURN(const RecordState before, stored);
    if (before.alive()) log.ParseFromString(before.body);
    ASSIGN_OR_RETURN(*log.mutable_reader_name(), RegisteredNameOf<Member>(writer, reader.bytes()));
    if (!Add(*type, fields, way, now_ms, &log)) continue;
    AddChange(log_type, id, before, log, &edit);
    if (edit.changes_size() >= kRowsMax) RETURN_IF_ERROR(write());
  }
  return write();
}

}  // namespace zhibu::server
