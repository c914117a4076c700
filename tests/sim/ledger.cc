#include "tests/sim/ledger.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "proto/policies.pb.h"
#include "server/ingest/chains.h"
#include "server/ingest/ingest.h"
#include "sync/base/environment.h"
#include "sync/base/status.h"
#include "tests/sim/authority.h"
#include "tests/sim/bytes.h"
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

std::string NameOf(const AuditRow& row) {
  return absl::StrCat(row.device.value, "/", row.number.value, "/", row.chain);
}

uint64_t LatestAt(int64_t ms) { return static_cast<uint64_t>(ms + kFutureMsMax) << 16; }

uint64_t StampIn(const AuditRow& row) {
  if (row.stamp.value <= LatestAt(row.received_ms)) return row.stamp.value;
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

// An organisation has one part in a record: it is the host of what it has no other part in.
Places PartsIn(const Places& places) {
  static const std::vector<Place> kParts = {OWNER, PERSON, ABOVE, GUEST};
  Places parts;
  std::set<Id> had;
  for (const Place part : kParts) {
    for (const auto& [scope, place] : places) {
      if (place == part && had.insert(scope).second) parts.insert({scope, place});
    }
  }
  return parts;
}

}  // namespace

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
  return PartsIn(places);
}

bool MayReadAs(const Sight& whole, const Message& message) {
  const Sight sight = SightOn(message, whole);
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
    const auto [known_as, fresh] = persons_.try_emplace(device.number.value, device.person);
    if (fresh) NoteReader(device.person, device.enrolled_ms);
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
  // theirs in the register. The server's clock tells; unless it was wrong: what was read
  // before, before the server was restored, is read in the order of then.
  const auto order = [&](const AuditRow& row) {
    const auto known = taken_.find(NameOf(row));
    return known != taken_.end()
               ? std::tuple(known->second.place, int64_t{0}, Version())
               : std::tuple(SIZE_MAX, row.version.value == 0 ? 0 : row.received_ms, row.version);
  };
  const auto when = [](const AuditRow& row) {
    return row.version.value == 0 ? 0 : row.received_ms;
  };
  std::stable_sort(rows.begin(), rows.end(),
                   [&](const AuditRow& a, const AuditRow& b) { return order(a) < order(b); });
  // Those that were returned come first, and were judged in between.
  std::vector<AuditRow> suspicious;
  for (size_t i = 0; i < rows.size(); ++i) {
    Take(rows[i]);
    if (Suspicion(rows[i])) suspicious.push_back(rows[i]);
    // By what was so in that moment: a restored server's whole life is read at once.
    if (i + 1 == rows.size() || when(rows[i + 1]) != when(rows[i])) JudgeDoubted();
  }
  for (const AuditRow& row : suspicious) {
    const auto failure = Suspicion(row);
    if (failure) Doubt(row, failure->invariant, failure->detail, *failure->record);
  }
  JudgeDoubted();
  changed_.clear();
  return absl::OkStatus();
}

std::optional<Failure> Ledger::Suspicion(const AuditRow& audit) const {
  const Row& row = *Find(audit.device, audit.number.value);
  if (audit.answer.verdict() != sync::v1::RETURNED || row.repeated) return std::nullopt;
  const bool code = ReturnedForNothing(row);
  if (!code && !RefusedForNothing(row)) return std::nullopt;
  return Failure{
      code ? kCodes : kGranted,
      absl::StrCat("edit ", audit.number.value, " of device ", audit.device.value,
                   code ? ": a good code came back, " : " came back, ",
                   sync::v1::Reason_Name(audit.answer.reason()), " ", audit.answer.detail()),
      KeyOf(row.edit.changes(0))};
}

// In which offices an author acts may hang on who they are found to be.
void Ledger::Doubt(const AuditRow& row, absl::string_view invariant, std::string detail,
                   const RecordKey& key) {
  doubted_.push_back({row.received_ms,
                      {TypeOf(DuplicatePerson::descriptor())},
                      {},
                      {std::string(invariant), std::move(detail), key},
                      std::nullopt});
}

void Ledger::JudgeDoubted() {
  for (const Doubted& doubted : doubted_) {
    const std::map<RecordKey, int>& changed = changed_[doubted.at_ms];
    if (std::any_of(changed.begin(), changed.end(), [&](const auto& record) {
          const auto& [key, times] = record;
          return doubted.unless.count(key.type) > 0 ||
                 (times > 1 && doubted.unless_twice.count(key.type) > 0);
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
  anew.hostile_ = std::move(hostile_);
  anew.sent_ = std::move(sent_);
  anew.read_ = std::move(read_);  // what they know they know
  anew.belonged_ = std::move(belonged_);
  anew.server_is_old_ = server_is_old_;
  anew.taken_ = std::move(taken_);
  anew.failure_ = std::move(failure_);
  *this = std::move(anew);
}

void Ledger::Take(const AuditRow& audit) {
  Row row{audit, {}, {}, {}, 0, {}, 0, false, false};
  // Of a restored server it is known from when it was read first.
  row.by_old_server =
      taken_.try_emplace(NameOf(audit), Taken{taken_.size(), server_is_old_}).first->second.by_old;
  const bool readable = row.edit.ParseFromString(audit.edit);
  Attribute(&row);
  ++rows_count_;
  row.repeated = !answered_.insert(row.identity).second;
  const bool again = audit.answer.reason() == sync::v1::ANSWERED_BEFORE;
  if (audit.answer.verdict() == sync::v1::HELD) {
    held_[audit.edit].try_emplace(audit.device.value, audit.number.value);
  }
  if (readable && !again) JudgeVersion(row);
  if (readable && audit.answer.verdict() == sync::v1::MERGED && !again) Judge(&row);
  devices_[audit.device.value][audit.number.value] = std::move(row);
}

// A held edit that is taken stands in the server's chain, as it came.
void Ledger::Attribute(Row* row) {
  const AuditRow& audit = row->audit;
  row->author = audit.device;
  row->number = audit.number.value;
  const auto held = audit.device == kServerDevice ? held_.find(audit.edit) : held_.end();
  if (held != held_.end()) {
    const auto as_said = held->second.find(audit.author.value);
    const auto [author, number] = as_said == held->second.end() ? *held->second.begin() : *as_said;
    row->author = DeviceNumber(author);
    row->number = number;
    const auto decider = decided_by_.find({author, number});
    row->decider = decider == decided_by_.end() ? Id() : decider->second;
  }
  if (audit.author != row->author || audit.decided_by != row->decider.value_or(Id())) {
    Fail(kAudit,
         absl::StrCat("edit ", audit.number.value, " of device ", audit.device.value,
                      " is not by device ", audit.author.value, ", but by ", row->author.value));
  }
  row->identity = row->edit.salt();
  if (!Hostile(row->author)) return;
  row->identity = 0;
  const std::string digest = Digest(absl::StrCat(row->author.value, "/", row->number));
  for (const char c : digest.substr(0, 8)) {
    row->identity = row->identity << 8 | static_cast<uint8_t>(c);
  }
}

By Ledger::ByOf(const Row& row, const Change& change) const {
  return {row.audit.version.value,
          row.author.value,
          StampIn(row.audit),
          std::min(change.base(), SeenBy(row)),
          row.number,
          LatestAt(row.audit.received_ms)};
}

// The highest version of the record that its author can have seen.
uint64_t Ledger::SeenBy(const Row& row) const {
  const auto sent = sent_.find({row.author, row.number});
  if (sent == sent_.end()) return UINT64_MAX;
  uint64_t seen = 0;
  for (const auto& cursor : sent->second) seen = std::max(seen, cursor.second);
  return seen;
}

std::map<RecordKey, Expected> Ledger::Fold(const Row& row) const {
  std::map<RecordKey, History> histories;
  for (const Change& change : row.edit.changes()) {
    const RecordKey key = KeyOf(change);
    const auto [it, fresh] = histories.try_emplace(key);
    const Record* record = fresh ? Find(key) : nullptr;
    if (record != nullptr) it->second = record->history;
    it->second.push_back({ByOf(row, change), change});
    if (row.audit.version.value == 0) it->second.back().by.version = UINT64_MAX;
  }
  std::map<RecordKey, Expected> made;
  for (const auto& [key, history] : histories) {
    made[key] = Evaluate(*PrototypeOf(key.type), history);
  }
  return made;
}

std::string Ledger::ObjectionTo(const Row& row, const std::map<RecordKey, Expected>& made) const {
  const auto person = persons_.find(row.author.value);
  Claim claim;
  claim.author = person == persons_.end() ? Id() : person->second;
  claim.decider = row.decider.value_or(claim.author);
  claim.taken = row.decider.has_value();
  claim.at_ms = row.audit.received_ms;
  for (const Change& change : row.edit.changes()) {
    const RecordKey key = KeyOf(change);
    if (made.at(key).unclear) continue;
    const Shown* code = CodeIn(change);
    claim.shown_at = code == nullptr ? std::nullopt : std::optional(code->branch);
    const std::string objection = Authority(*this, claim, made).Objection(key, change);
    if (objection.empty()) continue;
    return absl::StrCat(NameOf(key), ", by ", Hex(claim.decider.bytes()), ": ", objection);
  }
  return "";
}

bool Ledger::RefusedForNothing(const Row& row) const {
  switch (row.audit.answer.reason()) {
    case sync::v1::NOT_ENTITLED:
    case sync::v1::NOT_YOUR_STEP:
    case sync::v1::OTHERS_TO_SAY:
    case sync::v1::NO_SUCH_RECORD:
    case sync::v1::SERVER_ONLY:
      break;
    default:
      return false;
  }
  if (row.edit.changes().empty() || row.by_old_server) return false;
  // What it builds on may not be in; then it was not asked whether it is theirs now.
  if (!row.audit.builds_on.empty()) return false;
  for (const Change& change : row.edit.changes()) {
    if (PrototypeOf(change.type()) == nullptr || !Id::FromBytes(change.id())) return false;
    // What somebody decides on may not be theirs to take.
    if (change.type() == TypeOf(records::v1::HeldEdit::descriptor())) return false;
  }
  const auto made = Fold(row);
  return std::none_of(
             made.begin(), made.end(),
             [](const auto& one) { return one.second.unclear || !one.second.breach.empty(); }) &&
         ObjectionTo(row, made).empty();
}

void Ledger::Judge(Row* judged) {
  const Row& row = *judged;
  const AuditRow& audit = row.audit;
  const std::string name = absl::StrCat("edit ", audit.number.value, " of device ",
                                        audit.device.value, " at version ", audit.version.value);
  // The server's own are salted too; one that was held and has been taken is among them.
  const auto [it, fresh] =
      merged_.try_emplace(row.identity, audit.device.value, audit.number.value);
  if (!fresh) {
    Fail(kOnce,
         absl::StrCat(name, " was merged before, as edit ", it->second.second, " of device ",
                      it->second.first),
         KeyOf(row.edit.changes(0)));
  }
  if (Revoked(audit.device)) Fail(kAuthority, absl::StrCat(name, ", which was revoked"));
  for (const uint64_t below : below_[row.identity]) {
    if (Merged(below)) continue;
    Fail(kFoundation, absl::StrCat(name, ": what it builds on is not in"),
         KeyOf(row.edit.changes(0)));
  }
  for (const Change& change : row.edit.changes()) {
    const Message* prototype = PrototypeOf(change.type());
    if (prototype == nullptr || !Id::FromBytes(change.id())) {
      return Fail(kValue, absl::StrCat(name, ": unknown type or id"), KeyOf(change));
    }
    const std::string twice = Ambiguity(*prototype->GetDescriptor(), change.set());
    if (!twice.empty()) Fail(kReading, absl::StrCat(name, ": ", twice), KeyOf(change));
  }
  const std::string again = Ambiguity(*sync::v1::Edit::descriptor(), audit.edit);
  if (!again.empty() || row.edit.SerializeAsString() != audit.edit) {
    Fail(kReading, absl::StrCat(name, ": ", again), KeyOf(row.edit.changes(0)));
  }
  std::map<RecordKey, Expected> made = Fold(row);
  if (Hostile(row.author)) ++hostile_rows_;
  const bool composed = row.author == kServerDevice;
  if (!composed) {
    const std::string objection = ObjectionTo(row, made);
    if (!objection.empty()) {
      Doubt(audit, kAuthority, absl::StrCat(name, ": ", objection), KeyOf(row.edit.changes(0)));
    }
    for (const Change& change : row.edit.changes()) {
      const RecordKey key = KeyOf(change);
      if (made.at(key).unclear) continue;
      if (key.type == TypeOf(DuplicatePerson::descriptor())) ++decided_;
      JudgeScan(row, change, *made.at(key).message);
      NoteDecision(row, *made.at(key).message);
    }
  }
  std::set<Id>& touched = judged->scopes;
  for (const Change& change : row.edit.changes()) {
    records_[KeyOf(change)].history.push_back({ByOf(row, change), change});
  }
  for (const auto& [key, expected] : made) {
    const Message* was = records_[key].expected.message.get();
    const Places before = was == nullptr ? Places() : PlacesIn(*was, key.id);
    for (const auto& [scope, place] : before) touched.insert(scope);
    for (const auto& [scope, place] : PlacesIn(*expected.message, key.id)) touched.insert(scope);
    if (!expected.breach.empty()) Fail(kSteps, absl::StrCat(name, ": ", expected.breach), key);
    ++changed_[audit.received_ms][key];
  }
  for (const auto& [key, expected] : made) {
    const bool note = key.type == TypeOf(ConflictNote::descriptor());
    if (note && row.by_old_server && records_[key].history.size() == 1) {
      noted_by_old_server_.insert(key);
    }
  }
  if (composed) {
    JudgePlaces(row, made);
    JudgeSent(row, made);
  }
  NoteReaders(made, audit.received_ms);
  // The offices that count are those from before the edit.
  for (auto& [key, expected] : made) records_[key].expected = std::move(expected);
  NoteOffices(*judged);
  if (composed) JudgeOwn(row);
  for (const Id& scope : touched) {
    uint64_t& last = scope_versions_[scope];
    if (audit.version.value <= last) {
      Fail(kVersions, absl::StrCat(name, ", after version ", last, " in ", Hex(scope.bytes())),
           KeyOf(row.edit.changes(0)));
    }
    last = std::max(last, audit.version.value);
  }
}

// Who takes a held edit, for when it is merged.
void Ledger::NoteDecision(const Row& row, const Message& decided) {
  const auto* held = dynamic_cast<const records::v1::HeldEdit*>(&decided);
  if (held == nullptr || held->state() != records::v1::HeldEdit::TAKEN) return;
  decided_by_.try_emplace({held->device(), held->number()}, persons_[row.author.value]);
}

// The name of a member when they were first registered; none: it is not clear.
std::optional<std::string> Ledger::RegisteredAs(const std::string& person) const {
  const Record* record = Find({TypeOf(Member::descriptor()), Id::FromBytes(person).value_or(Id())});
  if (record == nullptr || record->expected.unclear || !record->expected.alive) {
    return std::nullopt;
  }
  if (std::any_of(record->history.begin(), record->history.end(),
                  [](const Accepted& one) { return one.change.kind() == Change::DELETE; })) {
    return std::nullopt;
  }
  Member first;
  first.ParsePartialFromString(record->history[0].change.set());
  return first.name();
}

// Whatever a phone has called them since.
void Ledger::JudgeNames(const RecordKey& key, const Message& message) {
  std::string of;
  std::string name;
  if (const auto* log = dynamic_cast<const AccessLog*>(&message)) {
    of = log->reader_id();
    name = log->reader_name();
  } else if (const auto* access = dynamic_cast<const TemporaryAccess*>(&message)) {
    of = access->reader_id();
    name = access->reader_name();
  } else if (const auto* letter = dynamic_cast<const records::v1::Transfer*>(&message)) {
    of = letter->member_id();
    name = letter->member_name();
  }
  const auto registered = RegisteredAs(of);
  if (name.empty() || !registered || absl::StartsWith(*registered, name)) return;
  Fail(kProof, absl::StrCat(NameOf(key), " says ", name, " of ", *registered), key);
}

// What the server makes of itself, when it is there.
void Ledger::JudgeOwn(const Row& row) {
  for (const Change& change : row.edit.changes()) {
    const RecordKey key = KeyOf(change);
    const Record& record = records_[key];
    if (!record.expected.unclear) JudgeNames(key, *record.expected.message);
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
  Offices& known = offices_[person];
  if (now_ms < known.from_ms || now_ms >= known.until_ms) known = OfficesOf(person, now_ms);
  const auto it = known.in.find(scope);
  return it == known.in.end() ? 0 : it->second;
}

Ledger::Offices Ledger::OfficesOf(const Id& person, int64_t now_ms) const {
  Offices offices;
  offices.until_ms = INT64_MAX;
  const std::set<std::string> entries = EntriesOf(person);
  for (const std::string& entry : entries) offices.in[*Id::FromBytes(entry)] |= 1u << SELF;
  const auto turns_at = [&](int64_t ms) {
    if (ms <= now_ms) offices.from_ms = std::max(offices.from_ms, ms);
    if (ms > now_ms) offices.until_ms = std::min(offices.until_ms, ms);
  };
  // What an entry was is over once it was taken out of the register.
  const auto taken_out = [&](const Id& entry) {
    const Record* record = Find({TypeOf(Member::descriptor()), entry});
    return record != nullptr && record->expected.message != nullptr && !record->expected.alive;
  };
  ForEach<Grant>([&](const Grant& grant) {
    const auto scope = Id::FromBytes(grant.organisation_id());
    // Those of the one entry: offices are not united.
    if (grant.person_id() != person.bytes() || !scope || taken_out(person)) return;
    turns_at(Millis(grant.from()));
    if (grant.has_until()) turns_at(Millis(grant.until()));
    if (now_ms < Millis(grant.from())) return;
    if (grant.has_until() && now_ms >= Millis(grant.until())) return;
    offices.in[*scope] |= 1u << grant.office();
  });
  // Of the entries the one that was kept says where they belong.
  Id kept = person;
  while (const Record* record = Find({TypeOf(Member::descriptor()), kept})) {
    if (record->expected.message == nullptr) break;
    const auto into =
        Id::FromBytes(static_cast<const Member&>(*record->expected.message).merged_into_id());
    if (!record->expected.alive || !into) break;
    kept = *into;
  }
  if (taken_out(kept)) return offices;
  ForEach<Placement>([&](const Placement& placement) {
    const auto scope = Id::FromBytes(placement.branch_id());
    if (placement.member_id() == kept.bytes() && scope) offices.in[*scope] |= 1u << MEMBER;
  });
  return offices;
}

// Oneself counts where one is the subject, an office where the organisation keeps, hosts or
// stands above.
Sight Ledger::SightIn(const Id& person, const Places& places, int64_t now_ms) const {
  constexpr uint32_t kSelf = 1u << SELF;
  Sight sight;
  for (const auto& [scope, place] : places) {
    const uint32_t offices = OfficesIn(person, scope, now_ms);
    (place == GUEST ? sight.host : sight.home) |= offices & (place == PERSON ? kSelf : ~kSelf);
  }
  return sight;
}

bool Ledger::EverRead(const Id& person, const RecordKey& key) const {
  const auto read = read_.find(person);
  return read != read_.end() && read->second.count(key) > 0;
}

bool Ledger::EverBelonged(const Id& person, const Id& scope) const {
  const auto belonged = belonged_.find(person);
  if (belonged != belonged_.end() && belonged->second.count(scope) > 0) return true;
  // Before they had a device, too.
  const uint32_t type = TypeOf(Placement::descriptor());
  for (auto it = records_.lower_bound({type, Id()}); it != records_.end() && it->first.type == type;
       ++it) {
    const Record& record = it->second;
    const auto& message = static_cast<const Placement&>(*record.expected.message);
    if (message.member_id() != person.bytes()) continue;
    return std::any_of(record.history.begin(), record.history.end(), [&](const Accepted& one) {
      Placement placed;
      return placed.ParseFromString(one.change.set()) && placed.branch_id() == scope.bytes();
    });
  }
  return false;
}

bool Ledger::EverLayWith(const RecordKey& key, const Id& person) const {
  const Record* record = Find(key);
  if (record == nullptr) return false;
  History history;
  for (const Accepted& accepted : record->history) {
    history.push_back(accepted);
    const Places places = PlacesIn(*Evaluate(*PrototypeOf(key.type), history).message, key.id);
    if (std::any_of(places.begin(), places.end(),
                    [&](const auto& place) { return EverBelonged(person, place.first); })) {
      return true;
    }
  }
  return false;
}

void Ledger::NoteReader(const Id& person, int64_t now_ms) {
  // An entry that is over placed them there, too.
  for (const auto& in : OfficesOf(person, now_ms).in) belonged_[person].insert(in.first);
  // Those too that were over when they were given.
  ForEach<Grant>([&](const Grant& grant) {
    const auto scope = Id::FromBytes(grant.organisation_id());
    if (grant.person_id() != person.bytes() || !scope) return;
    belonged_[person].insert(*scope);
  });
  for (const auto& [key, record] : records_) {
    const Expected& expected = record.expected;
    if (expected.message == nullptr || (!expected.alive && !expected.unclear)) continue;
    if (SightOf(person, *expected.message, key.id, now_ms)) read_[person].insert(key);
  }
}

void Ledger::NoteTime(const Id& person, int64_t now_ms) {
  const Offices now = OfficesOf(person, now_ms);
  if (std::exchange(noted_[person], now.in) != now.in) NoteReader(person, now_ms);
}

void Ledger::NoteReaders(const std::map<RecordKey, Expected>& changed, int64_t now_ms) {
  for (const Id& person : Watched()) {
    for (const auto& [key, expected] : changed) {
      if (!expected.alive && !expected.unclear) continue;
      if (SightOf(person, *expected.message, key.id, now_ms)) read_[person].insert(key);
    }
  }
}

// Whether it gives the person an office, be it one that is over.
bool Ledger::Names(const Row& row, const Id& person) {
  return std::any_of(
      row.edit.changes().begin(), row.edit.changes().end(), [&](const Change& change) {
        Grant grant;
        return change.type() == TypeOf(Grant::descriptor()) &&
               grant.ParseFromString(change.set()) && grant.person_id() == person.bytes();
      });
}

// Whoever may have another office now may have something else to read.
void Ledger::NoteOffices(const Row& row) {
  static const std::set<uint32_t> kTypes = {
      TypeOf(Grant::descriptor()), TypeOf(Placement::descriptor()), TypeOf(Member::descriptor()),
      TypeOf(DuplicatePerson::descriptor())};
  if (std::none_of(row.edit.changes().begin(), row.edit.changes().end(),
                   [](const Change& change) { return kTypes.count(change.type()) > 0; })) {
    return;
  }
  const auto before = std::exchange(offices_, {});
  for (const Id& person : Watched()) {
    const auto known = before.find(person);
    const Offices now = OfficesOf(person, row.audit.received_ms);
    const bool as_before = known != before.end() && known->second.in == now.in;
    if (!as_before || Names(row, person)) NoteReader(person, row.audit.received_ms);
  }
}

std::set<Id> Ledger::Watched() const {
  std::set<Id> persons;
  for (const auto& [device, person] : persons_) {
    if (!person.empty()) persons.insert(person);
  }
  return persons;
}

std::optional<Sight> Ledger::SightOf(const Id& person, const Message& message, const Id& id,
                                     int64_t now_ms) const {
  const Sight sight = SightOn(message, SightIn(person, PlacesIn(message, id), now_ms));
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
    const std::string field =
        noted_by_old_server_.count(it->first) > 0
            ? NameToday(PrototypeOf(about.type)->GetDescriptor(), note.field())
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
