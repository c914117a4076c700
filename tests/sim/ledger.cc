#include "tests/sim/ledger.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "proto/policies.pb.h"
#include "server/ingest.h"
#include "sync/environment.h"
#include "sync/status.h"
#include "zhibu/records/v1/catalogue.pb.h"

namespace zhibu::sim {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using records::v1::AccessLog;
using records::v1::ConflictNote;
using records::v1::DuplicatePerson;
using records::v1::Grant;
using records::v1::Member;
using records::v1::Organisation;
using records::v1::Placement;
using records::v1::TemporaryAccess;
using server::AuditRow;
using sync::v1::Change;

namespace {

// As the server says: a stamp from later than this counts as the time of receipt.
constexpr int64_t kFutureMsMax = 60'000;

uint64_t StampIn(const AuditRow& row) {
  const int64_t ms = static_cast<int64_t>(row.stamp.value >> 16);
  if (ms <= row.received_ms + kFutureMsMax) return row.stamp.value;
  return static_cast<uint64_t>(row.received_ms) << 16;
}

void AddTypes(const google::protobuf::FileDescriptor* file, std::map<uint32_t, const Message*>* all,
              std::set<const google::protobuf::FileDescriptor*>* seen) {
  if (!seen->insert(file).second) return;
  for (int i = 0; i < file->dependency_count(); ++i) AddTypes(file->dependency(i), all, seen);
  for (int i = 0; i < file->message_type_count(); ++i) {
    const auto& options = file->message_type(i)->options();
    if (!options.HasExtension(zhibu::record)) continue;
    (*all)[options.GetExtension(zhibu::record).type()] =
        google::protobuf::MessageFactory::generated_factory()->GetPrototype(file->message_type(i));
  }
}

const std::map<uint32_t, const Message*>& Types() {
  static const auto* types = [] {
    auto* all = new std::map<uint32_t, const Message*>;
    std::set<const google::protobuf::FileDescriptor*> seen;
    AddTypes(records::v1::Catalogue::descriptor()->file(), all, &seen);
    AddTypes(zhibu::testing::Sampler::descriptor()->file(), all, &seen);
    return all;
  }();
  return *types;
}

const RecordOptions& OptionsOf(const Message& message) {
  return message.GetDescriptor()->options().GetExtension(zhibu::record);
}

uint32_t Bits(const google::protobuf::RepeatedField<int>& offices) {
  uint32_t bits = 0;
  for (const int office : offices) bits |= 1u << office;
  return bits;
}

int64_t Millis(const google::protobuf::Timestamp& time) {
  return time.seconds() * 1000 + time.nanos() / 1'000'000;
}

RecordKey KeyOf(const Change& change) {
  return {change.type(), Id::FromBytes(change.id()).value_or(Id())};
}

uint32_t ReadersOf(const Message& message) {
  uint32_t readers = Bits(OptionsOf(message).readers());
  const auto* descriptor = message.GetDescriptor();
  for (int i = 0; i < descriptor->field_count(); ++i) {
    const FieldDescriptor* field = descriptor->field(i);
    if (!field->options().GetExtension(zhibu::reads_as)) continue;
    const uint32_t as = message.GetReflection()->GetUInt32(message, field);
    if (as == 0) continue;
    const Message* other = PrototypeOf(as);
    readers &= other == nullptr ? 0 : Bits(OptionsOf(*other).readers());
  }
  return readers;
}

// The field that a note is about, where only some may read it.
const FieldDescriptor* FieldTold(const Message& message) {
  const FieldDescriptor* path = nullptr;
  const Message* other = nullptr;
  const auto* descriptor = message.GetDescriptor();
  for (int i = 0; i < descriptor->field_count(); ++i) {
    const FieldDescriptor* field = descriptor->field(i);
    if (field->options().GetExtension(zhibu::reads_field)) path = field;
    if (!field->options().GetExtension(zhibu::reads_as)) continue;
    other = PrototypeOf(message.GetReflection()->GetUInt32(message, field));
  }
  if (path == nullptr || other == nullptr) return nullptr;
  const std::string name = message.GetReflection()->GetString(message, path);
  const FieldDescriptor* told =
      other->GetDescriptor()->FindFieldByName(name.substr(0, name.find_first_of(".[")));
  return told != nullptr && Restricted(*told) ? told : nullptr;
}

}  // namespace

const Message* PrototypeOf(uint32_t type) {
  const auto it = Types().find(type);
  return it == Types().end() ? nullptr : it->second;
}

uint32_t TypeOf(const google::protobuf::Descriptor* type) {
  return type->options().GetExtension(zhibu::record).type();
}

Places PlacesIn(const Message& message, const Id& id) {
  Places places;
  const Place own = OptionsOf(message).own_scope();
  if (own != NOWHERE) places.insert({id, own});
  const auto* descriptor = message.GetDescriptor();
  for (int i = 0; i < descriptor->field_count(); ++i) {
    const FieldDescriptor* field = descriptor->field(i);
    const Place place = field->options().GetExtension(zhibu::place);
    if (place == NOWHERE) continue;
    const auto add = [&](const std::string& bytes) {
      if (const auto scope = Id::FromBytes(bytes)) places.insert({*scope, place});
    };
    const auto& reflection = *message.GetReflection();
    if (!field->is_repeated()) {
      add(reflection.GetString(message, field));
      continue;
    }
    for (int j = 0; j < reflection.FieldSize(message, field); ++j) {
      add(reflection.GetRepeatedString(message, field, j));
    }
  }
  return places;
}

bool MayReadAs(const Sight& sight, const Message& message) {
  const uint32_t readers = ReadersOf(message);
  const Sight reading{sight.home & readers, sight.host & readers};
  if ((reading.home | reading.host) == 0) return false;
  const FieldDescriptor* told = FieldTold(message);
  return told == nullptr || Sees(reading, *told);
}

std::string NameOf(const RecordKey& key) {
  const Message* type = PrototypeOf(key.type);
  return absl::StrCat(type == nullptr ? absl::StrCat("type ", key.type)
                                      : std::string(type->GetDescriptor()->name()),
                      " ", Hex(key.id.bytes()));
}

void Ledger::Fail(absl::string_view invariant, std::string detail,
                  std::optional<RecordKey> record) {
  if (!failure_) failure_ = Failure{std::string(invariant), std::move(detail), record};
}

const Ledger::Row* Ledger::Find(DeviceNumber device, uint64_t number) const {
  const auto rows = devices_.find(device.value);
  if (rows == devices_.end()) return nullptr;
  const auto row = rows->second.find(number);
  return row == rows->second.end() ? nullptr : &row->second;
}

const Ledger::Row* Ledger::RowOf(uint64_t salt) const {
  const auto it = merged_.find(salt);
  return it == merged_.end() ? nullptr : Find(DeviceNumber(it->second.first), it->second.second);
}

const Ledger::Record* Ledger::Find(const RecordKey& key) const {
  const auto it = records_.find(key);
  return it == records_.end() ? nullptr : &it->second;
}

absl::Status Ledger::Absorb(server::Reader& reader) {
  ASSIGN_OR_RETURN(const std::vector<server::DeviceRow> devices, reader.ListDevices());
  std::vector<AuditRow> rows;
  for (const server::DeviceRow& device : devices) {
    persons_[device.number.value] = device.person;
    if (device.revoked()) shows_no_more_.insert(device.number);
    const auto& known = devices_[device.number.value];
    const uint64_t last = known.empty() ? 0 : known.rbegin()->first;
    if (device.last_number.value < last) {
      Fail(kAudit, absl::StrCat("device ", device.number.value, " went back from edit ", last,
                                " to ", device.last_number.value));
    }
    if (device.last_number.value <= last) continue;
    RETURN_IF_ERROR(reader.ReadAudit(device.number, EditNumber(last), [&](const AuditRow& row) {
      rows.push_back(row);
      return true;
    }));
  }
  // Versions of scopes that have nothing to do with each other do not compare, but in
  // which offices somebody acts may hang on another scope: that of another entry of
  // theirs in the register. The server's clock tells.
  const auto order = [](const AuditRow& row) {
    return std::pair(row.version.value == 0 ? 0 : row.received_ms, row.version);
  };
  std::stable_sort(rows.begin(), rows.end(),
                   [&](const AuditRow& a, const AuditRow& b) { return order(a) < order(b); });
  // Those that were returned come first, and were judged in between.
  const auto returned_for_nothing = [&](const AuditRow& row) {
    const Row& known = devices_[row.device.value][row.number.value];
    return row.answer.verdict() == sync::v1::RETURNED && !known.repeated &&
           ReturnedForNothing(known);
  };
  std::vector<AuditRow> suspicious;
  for (size_t i = 0; i < rows.size(); ++i) {
    Take(rows[i]);
    if (returned_for_nothing(rows[i])) suspicious.push_back(rows[i]);
    // By what was so in that moment: a restored server's whole life is read at once.
    if (i + 1 == rows.size() || order(rows[i + 1]).first != order(rows[i]).first) JudgeDoubted();
  }
  for (const AuditRow& row : suspicious) {
    if (!returned_for_nothing(row)) continue;
    Doubt(row, kCodes,
          absl::StrCat("edit ", row.number.value, " of device ", row.device.value,
                       ": a good code came back, ", sync::v1::Reason_Name(row.answer.reason()), " ",
                       row.answer.detail()),
          KeyOf(devices_[row.device.value][row.number.value].edit.changes(0)));
  }
  JudgeDoubted();
  changed_.clear();
  return absl::OkStatus();
}

// In which offices an author acts may hang on who they are found to be.
void Ledger::Doubt(const AuditRow& row, absl::string_view invariant, std::string detail,
                   const RecordKey& key) {
  doubted_.push_back({row.received_ms,
                      {TypeOf(DuplicatePerson::descriptor())},
                      {std::string(invariant), std::move(detail), key},
                      std::nullopt});
}

void Ledger::JudgeDoubted() {
  for (const Doubted& doubted : doubted_) {
    if (std::any_of(doubted.unless.begin(), doubted.unless.end(), [&](uint32_t type) {
          return changed_.count({doubted.at_ms, type}) > 0;
        })) {
      continue;
    }
    if (doubted.found && Objection(*doubted.found).empty()) continue;
    Fail(doubted.failure.invariant, doubted.failure.detail, doubted.failure.record);
  }
  doubted_.clear();
}

void Ledger::Forget() {
  Ledger anew;
  anew.below_ = std::move(below_);
  // What was in is not built on any longer, though it may be judged otherwise when it
  // is offered again.
  for (auto& [salt, below] : anew.below_) {
    for (auto it = below.begin(); it != below.end();) {
      it = merged_.count(*it) > 0 ? below.erase(it) : std::next(it);
    }
  }
  anew.shown_ = std::move(shown_);
  anew.versions_ = std::move(versions_);
  anew.failure_ = std::move(failure_);
  *this = std::move(anew);
}

void Ledger::Take(const AuditRow& audit) {
  Row row{audit, {}, {}, false};
  const bool readable = row.edit.ParseFromString(audit.edit);
  ++rows_count_;
  row.repeated = !answered_.insert(row.edit.salt()).second;
  const bool again = audit.answer.reason() == sync::v1::ANSWERED_BEFORE;
  if (readable && !again) JudgeVersion(row);
  if (readable && audit.answer.verdict() == sync::v1::MERGED && !again) Judge(&row);
  devices_[audit.device.value][audit.number.value] = std::move(row);
}

void Ledger::Judge(Row* judged) {
  const Row& row = *judged;
  const AuditRow& audit = row.audit;
  const std::string name = absl::StrCat("edit ", audit.number.value, " of device ",
                                        audit.device.value, " at version ", audit.version.value);
  // The server's own are salted too; one that was held and has been taken is among them.
  const auto [it, fresh] =
      merged_.try_emplace(row.edit.salt(), audit.device.value, audit.number.value);
  if (!fresh) {
    Fail(kOnce,
         absl::StrCat(name, " was merged before, as edit ", it->second.second, " of device ",
                      it->second.first),
         KeyOf(row.edit.changes(0)));
  }
  if (Revoked(audit.device)) Fail(kAuthority, absl::StrCat(name, ", which was revoked"));
  for (const uint64_t below : below_[row.edit.salt()]) {
    if (Merged(below)) continue;
    Fail(kFoundation, absl::StrCat(name, ": what it builds on is not in"),
         KeyOf(row.edit.changes(0)));
  }
  std::set<Id>& touched = judged->scopes;
  struct Changed {
    const Change* change;
    const Message* prototype;
    Places before;
    Places after;
  };
  std::vector<Changed> changed;
  for (const Change& change : row.edit.changes()) {
    const RecordKey key = KeyOf(change);
    const Message* prototype = PrototypeOf(key.type);
    if (prototype == nullptr) return Fail(kValue, absl::StrCat(name, ": unknown type"), key);
    changed.push_back({&change, prototype, {}, {}});
    Record& record = records_[key];
    if (record.expected.message != nullptr) {
      changed.back().before = PlacesIn(*record.expected.message, key.id);
    }
    record.history.push_back(
        {{audit.version.value, audit.device.value, StampIn(audit), change.base()}, change});
  }
  std::map<RecordKey, Expected> made;
  for (Changed& one : changed) {
    const RecordKey key = KeyOf(*one.change);
    Expected expected = Evaluate(*one.prototype, records_[key].history);
    one.after = PlacesIn(*expected.message, key.id);
    for (const auto& [scope, place] : one.before) touched.insert(scope);
    for (const auto& [scope, place] : one.after) touched.insert(scope);
    if (!expected.breach.empty()) Fail(kSteps, absl::StrCat(name, ": ", expected.breach), key);
    const bool unclear = expected.unclear;
    made[key] = std::move(expected);
    changed_.insert({audit.received_ms, key.type});
    if (audit.device == kServerDevice || unclear) continue;
    if (key.type == TypeOf(DuplicatePerson::descriptor())) ++decided_;
    const Id person = persons_[audit.device.value];
    const Shown* code = CodeIn(*one.change);
    JudgeScan(row, *one.change, *made[key].message);
    if (!Entitled(person, *one.prototype, *one.change, one.before, one.after, audit.received_ms,
                  code == nullptr ? std::nullopt : std::optional(code->branch))) {
      Doubt(audit, kAuthority, absl::StrCat(name, ", by ", Hex(person.bytes())), key);
    }
    const Record& record = records_[key];
    const Message* was = record.expected.message.get();
    if (!MayStep(person, was == nullptr ? *one.prototype : *was, *made[key].message,
                 one.before.empty() ? one.after : one.before, audit.received_ms)) {
      Doubt(audit, kAuthority, absl::StrCat(name, ": not their step, by ", Hex(person.bytes())),
            key);
    }
  }
  // The offices that count are those from before the edit.
  for (auto& [key, expected] : made) records_[key].expected = std::move(expected);
  if (audit.device == kServerDevice) JudgeOwn(row);
  for (const Id& scope : touched) {
    uint64_t& last = scope_versions_[scope];
    if (audit.version.value <= last) {
      Fail(kVersions, absl::StrCat(name, ", after version ", last, " in ", Hex(scope.bytes())),
           KeyOf(row.edit.changes(0)));
    }
    last = std::max(last, audit.version.value);
  }
}

// What the server makes of itself, when it is there.
void Ledger::JudgeOwn(const Row& row) {
  for (const Change& change : row.edit.changes()) {
    const RecordKey key = KeyOf(change);
    const Record& record = records_[key];
    if (record.history.size() > 1) continue;
    if (key.type == TypeOf(TemporaryAccess::descriptor())) {
      JudgeAccess(row.audit, static_cast<const TemporaryAccess&>(*record.expected.message), key);
    }
    if (key.type == TypeOf(DuplicatePerson::descriptor())) {
      JudgeFound(row.audit, key, static_cast<const DuplicatePerson&>(*record.expected.message));
    }
  }
}

std::set<std::string> Ledger::EntriesOf(const Id& person) const {
  std::set<std::string> entries = {person.str()};
  for (size_t before = 0; before != entries.size();) {
    before = entries.size();
    ForEach<DuplicatePerson>([&](const DuplicatePerson& same) {
      if (same.state() != DuplicatePerson::MERGED) return;
      if (entries.count(same.first_id()) + entries.count(same.second_id()) == 0) return;
      entries.insert(same.first_id());
      entries.insert(same.second_id());
    });
  }
  return entries;
}

uint32_t Ledger::OfficesIn(const Id& person, const Id& scope, int64_t now_ms) const {
  const std::set<std::string> entries = EntriesOf(person);
  uint32_t offices = entries.count(scope.str()) > 0 ? 1u << SELF : 0;
  ForEach<Grant>([&](const Grant& grant) {
    // Those of the one entry: offices are not united.
    if (grant.person_id() != person.bytes() || grant.organisation_id() != scope.bytes()) return;
    if (now_ms < Millis(grant.from())) return;
    if (grant.has_until() && now_ms >= Millis(grant.until())) return;
    offices |= 1u << grant.office();
  });
  // Of the entries the one that was kept says where they belong.
  Id kept = person;
  while (const Record* record = Find({TypeOf(Member::descriptor()), kept})) {
    const auto into =
        Id::FromBytes(static_cast<const Member&>(*record->expected.message).merged_into_id());
    if (!record->expected.alive || !into) break;
    kept = *into;
  }
  ForEach<Placement>([&](const Placement& placement) {
    if (placement.member_id() == kept.bytes() && placement.branch_id() == scope.bytes()) {
      offices |= 1u << MEMBER;
    }
  });
  return offices;
}

Sight Ledger::SightIn(const Id& person, const Places& places, int64_t now_ms) const {
  Sight sight;
  for (const auto& [scope, place] : places) {
    (place == GUEST ? sight.host : sight.home) |= OfficesIn(person, scope, now_ms);
  }
  return sight;
}

bool Ledger::Entitled(const Id& person, const Message& message, const Change& change,
                      const Places& before, const Places& after, int64_t now_ms,
                      const std::optional<Id>& guest) const {
  const uint32_t writers = Bits(OptionsOf(message).writers());
  const bool at_home = OptionsOf(message).written_at_home();
  const auto fields = RestrictedIn(change, *message.GetDescriptor());
  const auto acts = [&](const Places& places) {
    const Sight sight = SightIn(person, places, now_ms);
    return ((at_home ? sight.home : sight.home | sight.host) & writers) != 0 &&
           std::all_of(fields.begin(), fields.end(),
                       [&](const FieldDescriptor* field) { return MayWrite(sight, *field); });
  };
  if (!before.empty() && !acts(before)) return false;
  if (!acts(after)) return false;
  return std::all_of(after.begin(), after.end(), [&](const auto& place) {
    return place.second != OWNER || before.count(place) > 0 || guest == place.first ||
           OfficesIn(person, place.first, now_ms) != 0;
  });
}

bool Ledger::MayStep(const Id& person, const Message& before, const Message& after,
                     const Places& places, int64_t now_ms) const {
  const auto* descriptor = after.GetDescriptor();
  const uint32_t writers = Bits(OptionsOf(after).writers());
  for (int i = 0; i < descriptor->field_count(); ++i) {
    const FieldDescriptor* field = descriptor->field(i);
    if (field->options().GetExtension(zhibu::merge) != FORWARD) continue;
    const auto* to = after.GetReflection()->GetEnum(after, field);
    const auto& takers = to->options().GetRepeatedExtension(zhibu::taken_by);
    if (takers.empty() || before.GetReflection()->GetEnum(before, field) == to) continue;
    if (std::none_of(places.begin(), places.end(), [&](const auto& place) {
          return std::count(takers.begin(), takers.end(), place.second) > 0 &&
                 (OfficesIn(person, place.first, now_ms) & writers) != 0;
        })) {
      return false;
    }
  }
  return true;
}

std::optional<Sight> Ledger::SightOf(const Id& person, const Message& message, const Id& id,
                                     int64_t now_ms) const {
  const Sight sight = SightIn(person, PlacesIn(message, id), now_ms);
  return MayReadAs(sight, message) ? std::optional(sight) : std::nullopt;
}

bool Ledger::MayRead(const Id& person, const Record& record, const Id& id, absl::string_view body,
                     int64_t now_ms) const {
  const auto sight = SightOf(person, *record.expected.message, id, now_ms);
  if (!record.expected.alive || !sight) return false;
  const std::unique_ptr<Message> sent(record.expected.message->New());
  sent->ParsePartialFromString(std::string(body));
  std::vector<const FieldDescriptor*> fields;
  sent->GetReflection()->ListFields(*sent, &fields);
  return std::none_of(fields.begin(), fields.end(), [&](const FieldDescriptor* field) {
    return Restricted(*field) && !Sees(*sight, *field);
  });
}

bool Ledger::Logged(const Id& member, const Id& reader, uint32_t type,
                    const std::vector<std::string>& labels, int64_t since_ms) const {
  bool logged = false;
  ForEach<AccessLog>([&](const AccessLog& log) {
    logged = logged || (log.member_id() == member.bytes() && log.reader_id() == reader.bytes() &&
                        log.record_type() == type && Millis(log.last()) >= since_ms &&
                        std::all_of(labels.begin(), labels.end(), [&](const std::string& label) {
                          return std::count(log.fields().begin(), log.fields().end(), label) > 0;
                        }));
  });
  return logged;
}

std::map<RecordKey, std::string> Ledger::ViewOf(const Id& person, int64_t now_ms) const {
  std::map<RecordKey, std::string> view;
  for (const auto& [key, record] : records_) {
    if (!record.expected.alive) continue;
    const auto sight = SightOf(person, *record.expected.message, key.id, now_ms);
    if (!sight) continue;
    const std::unique_ptr<Message> shown(record.expected.message->New());
    shown->CopyFrom(*record.expected.message);
    Hide(*sight, shown.get());
    view[key] = Render(*shown);
  }
  return view;
}

absl::Status Ledger::CheckAudit(server::Reader& reader) {
  for (const auto& entry : devices_) {
    const uint32_t device = entry.first;
    const auto& rows = entry.second;
    for (const auto& [number, row] : rows) {
      if (row.audit.answer.reason() != sync::v1::ANSWERED_BEFORE) continue;
      if (Merged(row.edit.salt())) continue;
      Fail(kAcknowledgedKept,
           absl::StrCat("device ", device, ", edit ", number, " was not merged before"));
    }
    std::string chain;
    auto expected = rows.begin();
    RETURN_IF_ERROR(reader.ReadAudit(DeviceNumber(device), EditNumber(0), [&](const AuditRow& row) {
      const std::string name = absl::StrCat("device ", device, ", edit ", row.number.value);
      chain = server::ChainAfter(chain, row);
      if (row.chain != chain) Fail(kAudit, absl::StrCat(name, ": the chain is broken"));
      if (expected == rows.end() || expected->first != row.number.value) {
        Fail(kAudit, absl::StrCat(name, ": a row has vanished or is out of place"));
        return false;
      }
      const AuditRow& known = expected->second.audit;
      if (row.edit != known.edit || row.version != known.version || row.stamp != known.stamp ||
          row.received_ms != known.received_ms ||
          row.answer.SerializeAsString() != known.answer.SerializeAsString()) {
        Fail(kAudit, absl::StrCat(name, ": the row has changed"));
      }
      ++expected;
      return true;
    }));
    if (expected != rows.end()) {
      Fail(kAudit, absl::StrCat("device ", device, ", edit ", expected->first, ": vanished"));
    }
  }
  return absl::OkStatus();
}

absl::Status Ledger::CheckRecords(server::Reader& reader) {
  for (auto& [key, record] : records_) {
    ASSIGN_OR_RETURN(const RecordState state, reader.GetRecord(key));
    std::unique_ptr<Message> message(PrototypeOf(key.type)->New());
    message->ParsePartialFromString(state.body);
    if (record.expected.unclear) {
      // The reference has no opinion: what the server says is what devices show.
      record.expected.alive = state.alive();
      record.expected.message = std::move(message);
      continue;
    }
    if (state.alive() != record.expected.alive) {
      Fail(kValue,
           absl::StrCat(NameOf(key), state.alive() ? " lives" : " is deleted",
                        " on the server, and should not"),
           key);
    } else if (state.alive() && Render(*message) != Render(*record.expected.message)) {
      Fail(kValue,
           absl::StrCat(NameOf(key), "\n  is        ", Render(*message), "\n  should be ",
                        Render(*record.expected.message)),
           key);
    }
  }
  CheckNotes();
  CheckStandings();
  CheckDuplicates();
  CheckVersions();
  return absl::OkStatus();
}

void Ledger::CheckNotes() {
  using Named = std::tuple<RecordKey, std::string, std::string, int64_t>;
  std::set<Named> expected;
  std::set<RecordKey> unclear;
  for (const auto& [key, record] : records_) {
    if (record.expected.unclear) unclear.insert(key);
    for (const auto& [path, device, stamp] : record.expected.overwritten) {
      const auto person = persons_.find(device);
      const bool known = person != persons_.end() && !person->second.empty();
      expected.insert(
          {key, path, known ? person->second.str() : "", static_cast<int64_t>(stamp >> 16)});
    }
  }
  const uint32_t type = TypeOf(ConflictNote::descriptor());
  std::set<Named> found;
  for (auto it = records_.lower_bound({type, Id()}); it != records_.end() && it->first.type == type;
       ++it) {
    const auto& note = static_cast<const ConflictNote&>(*it->second.expected.message);
    if (note.kind() != ConflictNote::OVERWRITTEN) continue;
    const RecordKey about{note.record_type(), Id::FromBytes(note.record_id()).value_or(Id())};
    // When the server wrote it first.
    const auto written_ms = static_cast<int64_t>(it->second.history[0].by.stamp >> 16);
    const std::string field =
        ServerWasOld(written_ms) ? NameToday(PrototypeOf(about.type)->GetDescriptor(), note.field())
                                 : note.field();
    found.insert({about, field, note.lost_by_id(), Millis(note.lost_at())});
  }
  notes_ = found.size();
  const auto complain = [&](const Named& named, const char* what) {
    if (unclear.count(std::get<0>(named)) > 0) return;
    Fail(kNotes,
         absl::StrCat(what, ": ", NameOf(std::get<0>(named)), " ", std::get<1>(named), ", lost at ",
                      std::get<3>(named)),
         std::get<0>(named));
  };
  for (const Named& named : expected) {
    if (found.count(named) == 0) complain(named, "there is no note");
  }
  for (const Named& named : found) {
    if (expected.count(named) == 0) complain(named, "a note of nothing");
  }
}

std::string Ledger::HistoryOf(const RecordKey& key) const {
  std::string text = absl::StrCat(NameOf(key), "\n");
  const Record* record = Find(key);
  if (record == nullptr) return absl::StrCat(text, "  nothing accepted\n");
  for (const Accepted& accepted : record->history) {
    std::unique_ptr<Message> set(PrototypeOf(key.type)->New());
    set->ParsePartialFromString(accepted.change.set());
    absl::StrAppend(&text, "  v", accepted.by.version, " device ", accepted.by.device, " base ",
                    accepted.by.base, " stamp ", accepted.by.stamp >> 16, "+",
                    accepted.by.stamp & 0xffff, " ", Change::Kind_Name(accepted.change.kind()), " ",
                    Render(*set));
    if (accepted.change.has_without()) {
      absl::StrAppend(&text, " without {", Render(accepted.change.without()), "}");
    }
    absl::StrAppend(&text, "\n");
  }
  absl::StrAppend(&text, "  = ", record->expected.alive ? "" : "(deleted) ",
                  Render(*record->expected.message), "\n");
  return text;
}

}  // namespace zhibu::sim
