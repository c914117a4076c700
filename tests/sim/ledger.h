// What the server has accepted, read from its audit and remembered outside of it,
// and what follows from that: the value of every record, who may do what, what
// every device should hold. Each new row is judged when it is first seen.
//
//   ledger.Absorb(reader)          after everything that the server has committed
//   ledger.failure()               the first invariant that does not hold
//
// Uses the reference and the declared options, not the merge or the authority of
// the server.
#ifndef ZHIBU_TESTS_SIM_LEDGER_H_
#define ZHIBU_TESTS_SIM_LEDGER_H_

#include <google/protobuf/message.h>

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "server/store/store.h"
#include "sync/base/types.h"
#include "tests/sim/reference.h"
#include "tests/sim/sight.h"
#include "zhibu/records/v1/access.pb.h"
#include "zhibu/records/v1/duplicate.pb.h"
#include "zhibu/schema/v1/options.pb.h"
#include "zhibu/sync/v1/sync.pb.h"

namespace zhibu::sim {

// An invariant that does not hold, and what is known about it.
struct Failure {
  std::string invariant;
  std::string detail;
  std::optional<RecordKey> record;
};

// The invariants by name, as the output has them.
inline constexpr char kAcknowledgedKept[] = "no acknowledged edit is lost";
inline constexpr char kCommittedKept[] = "no committed edit vanishes";
inline constexpr char kMeant[] = "what is committed is what was meant";
inline constexpr char kOwn[] = "a device shows its own edits over what the server has said";
inline constexpr char kOnce[] = "nothing is applied twice";
inline constexpr char kUnaltered[] = "an edit is merged as it was made";
inline constexpr char kLetGo[] = "what its author has let go of does not come in";
inline constexpr char kSums[] = "sums are exact";
inline constexpr char kValue[] = "every record is what the accepted edits make of it";
inline constexpr char kView[] = "every device shows what the server has for it";
inline constexpr char kRight[] = "no device holds what it has no right to";
inline constexpr char kAuthority[] = "nothing is merged without authority";
inline constexpr char kReading[] = "what is merged has one reading";
inline constexpr char kGranted[] = "nobody is refused what is theirs to do";
inline constexpr char kTold[] = "nobody is told of what they may not see";
inline constexpr char kSent[] = "nobody counts as having seen what they were not sent";
inline constexpr char kProof[] = "proofs go by the name that was registered";
inline constexpr char kPaid[] = "nobody has more work done than they pay for";
inline constexpr char kWaiting[] = "no honest edit waits for a hostile phone";
inline constexpr char kFoundation[] = "nothing is merged without what it builds on";
inline constexpr char kVersions[] = "versions grow within a scope";
inline constexpr char kNotes[] = "a conflict note for every overwritten value, and no other";
inline constexpr char kSteps[] = "only declared steps, and what is written once";
inline constexpr char kAudit[] = "the audit is whole and never changes";
inline constexpr char kUnsent[] = "the unsent count is true";
inline constexpr char kIntegrity[] = "the database is whole after a crash";
inline constexpr char kSealed[] = "what people wrote is nowhere to be read without the key";
inline constexpr char kProtocol[] = "sessions take only declared transitions";
inline constexpr char kForks[] = "a device gets another number only if copies of it may live";
inline constexpr char kWords[] = "every answer has words";
inline constexpr char kAnswers[] = "an answer does not come before what it tells of";
inline constexpr char kLogged[] = "nobody is sent what is sensitive without a note of it";
inline constexpr char kShown[] = "who asks is shown all that they may see, once, and nothing else";
inline constexpr char kOpened[] = "what is opened for a time is, for a reason and for all to see";
inline constexpr char kDuplicates[] = "who may be registered twice is told to whom it concerns";
inline constexpr char kCodes[] = "a code is verified, marked or returned as it must be";
inline constexpr char kBeyond[] = "a server merges what it knows how to, and returns the rest";
inline constexpr char kStamps[] = "a stamp tells when, once the clocks are right";
inline constexpr char kRefusal[] = "an edit is refused at the device only for a reason";
inline constexpr char kJudgedAlike[] = "device and server judge alike by the rule book";
inline constexpr char kWhereabouts[] = "a device that was told where the server will be finds it";
inline constexpr char kSummedUp[] = "sums are what is counted from nothing";
inline constexpr char kCountedAlike[] = "device and server count a record alike";
inline constexpr char kPassedOver[] = "what is damaged stops nobody else";
inline constexpr char kQuiet[] = "everybody comes to rest";

using Places = std::set<std::pair<Id, Place>>;

// The empty messages of all record types.
const std::map<uint32_t, const google::protobuf::Message*>& Types();
// That of one of them; null if there is none.
const google::protobuf::Message* PrototypeOf(uint32_t type);
uint32_t TypeOf(const google::protobuf::Descriptor* type);
Places PlacesIn(const google::protobuf::Message& message, const Id& id);
// Whether such eyes may read the record at all.
bool MayReadAs(const Sight& sight, const google::protobuf::Message& message);

class Ledger {
 public:
  struct Row {
    server::AuditRow audit;
    sync::v1::Edit edit;
    std::set<Id> scopes;  // that it touched
    // Who made the edit: a held one that is taken stands in the server's chain.
    DeviceNumber author;
    uint64_t number = 0;        // that it had there
    std::optional<Id> decider;  // who took it
    // By which it is known again: its salt, where that is to be believed.
    uint64_t identity = 0;
    // Was answered under another number: then so is it again, whatever has changed.
    bool repeated = false;
    bool by_old_server = false;  // of an earlier version
  };
  struct Record {
    History history;
    Expected expected;
  };

  // Reads what is new. Rows that vanish or change are found by CheckAudit.
  absl::Status Absorb(server::Reader& reader);
  // The server was restored: what it has accepted is to be read anew.
  void Forget();
  // Every row again, and its chain.
  absl::Status CheckAudit(server::Reader& reader);
  // Every record against the reference, and the notes of conflicts.
  absl::Status CheckRecords(server::Reader& reader);
  // Every edit that was returned for the version of the server.
  void CheckVersions();

  // A row as though it had been read. For tests of this class too.
  void Take(const server::AuditRow& row);
  // An answer that should not have been given; none: it may be as it is.
  std::optional<Failure> Suspicion(const server::AuditRow& audit) const;
  // All rows of the moment have been taken: whatever speaks against one of them is a
  // failure, if nothing happened at the same moment that may have come before it.
  void JudgeDoubted();
  void SetPerson(DeviceNumber device, const Id& person) { persons_[device.value] = person; }
  // What its author had before them when they made an edit, by salt: numbers change.
  void BuildsOn(uint64_t salt, uint64_t below) { below_[salt].insert(below); }
  // It was set aside, and discarded or made again: nothing is said to build on it.
  void LetGo(uint64_t salt) {
    for (auto& [above, below] : below_) below.erase(salt);
  }
  // A code of a check-in that a device has shown, as a check-in keeps it.
  struct Shown {
    Id activity;
    Id branch;
    DeviceNumber device;
    Id person;
    int64_t at_ms = 0;  // as the code says
  };
  void Show(const std::string& code, const Shown& shown) { shown_[code] = shown; }
  // From this moment on it runs today's version, or the earlier one.
  void ServerRuns(bool old) { server_is_old_ = old; }
  // Offices begin and end by the server's clock, too: what they read is theirs from then on.
  void NoteTime(const Id& person, int64_t now_ms);
  std::map<Id, uint32_t> OfficesAt(const Id& person, int64_t now_ms) const {
    return OfficesOf(person, now_ms).in;
  }
  void NoteTime(int64_t now_ms) {
    for (const Id& person : Watched()) NoteTime(person, now_ms);
  }
  // From here on nothing that the device sends may be merged.
  void Revoke(DeviceNumber device) { revoked_.insert(device); }
  void Lose(DeviceNumber device) { lost_.insert(device); }

  // ---- What is so ----
  bool Merged(uint64_t salt) const { return merged_.count(salt) > 0; }
  bool Answered(uint64_t salt) const { return answered_.count(salt) > 0; }
  // A phone with other software: it may use any salt, and anybody's.
  void Distrust(DeviceNumber device) { hostile_.insert(device); }
  bool Hostile(DeviceNumber device) const { return hostile_.count(device) > 0; }
  // What a hostile phone has been sent, by scope, when it pushed the edit: more it cannot
  // have seen, whatever it says (Change.base).
  void Sent(DeviceNumber device, uint64_t number, std::map<Id, uint64_t> cursors) {
    sent_[{device, number}] = std::move(cursors);
  }
  // Whether the person ever had the right to read the record, on whatever device.
  bool EverRead(const Id& person, const RecordKey& key) const;
  // Of the scope's changes the last; 0: there is none.
  uint64_t LastIn(const Id& scope) const {
    const auto it = scope_versions_.find(scope);
    return it == scope_versions_.end() ? 0 : it->second;
  }
  // Whether it ever lay in a scope in which the person ever had an office.
  bool EverLayWith(const RecordKey& key, const Id& person) const;
  bool EverBelonged(const Id& person, const Id& scope) const;
  // Null: not merged.
  const Row* RowOf(uint64_t salt) const;
  const Row* Find(DeviceNumber device, uint64_t number) const;
  const std::map<RecordKey, Record>& records() const { return records_; }
  const Record* Find(const RecordKey& key) const;
  // The entries in the register that are this person (DuplicatePerson), by their ids.
  std::set<std::string> EntriesOf(const Id& person) const;
  // Every living record of a type.
  template <typename Visit>
  void ForEachRecord(uint32_t type, const Visit& visit) const {
    for (auto it = records_.lower_bound({type, Id()});
         it != records_.end() && it->first.type == type; ++it) {
      if (it->second.expected.alive) visit(it->first.id, it->second);
    }
  }
  template <typename T, typename Visit>
  void ForEach(const Visit& visit) const {
    ForEachRecord(TypeOf(T::descriptor()), [&](const Id&, const Record& record) {
      visit(static_cast<const T&>(*record.expected.message));
    });
  }
  // The offices of a person in a scope: bits as in sync/schema/schema.h.
  uint32_t OfficesIn(const Id& person, const Id& scope, int64_t now_ms) const;
  // As whom they see what lies there.
  Sight SightIn(const Id& person, const Places& places, int64_t now_ms) const;
  // Whether a device of the person may be sent `body` for this record.
  bool MayRead(const Id& person, const Record& record, const Id& id, absl::string_view body,
               int64_t now_ms) const;
  // Whether the person can see that `reader` was given these fields of such a record of
  // theirs, then or later.
  bool Logged(const Id& member, const Id& reader, uint32_t type,
              const std::vector<std::string>& labels, int64_t since_ms) const;
  // What must be shown to whoever asks, of all that there is (superiors.cc).
  struct Answer {
    struct Sheet {
      Places places;
      std::shared_ptr<google::protobuf::Message> message;  // without what they may not see
    };
    sync::v1::Reason refusal = sync::v1::NO_REASON;
    std::set<std::string> own;  // the asker's entries in the register
    std::map<Id, Sheet> sheets;
    std::set<Id> unclear;             // of which the reference has no opinion
    std::map<Id, std::set<Id>> tree;  // what is below whom was asked about, and its parents
  };
  Answer AnswerTo(const Id& asker, const sync::v1::Ask& ask, int64_t now_ms) const;
  bool Revoked(DeviceNumber device) const { return revoked_.count(device) > 0; }
  bool Lost(DeviceNumber device) const { return lost_.count(device) > 0; }
  // What a device of the person must show when all is synced: Render by key.
  std::map<RecordKey, std::string> ViewOf(const Id& person, int64_t now_ms) const;
  std::string HistoryOf(const RecordKey& key) const;

  const std::optional<Failure>& failure() const { return failure_; }
  void Fail(absl::string_view invariant, std::string detail,
            std::optional<RecordKey> record = std::nullopt);
  uint64_t rows() const { return rows_count_; }
  uint64_t merged_rows() const { return merged_.size(); }
  uint64_t hostile_rows() const { return hostile_rows_; }  // of those
  uint64_t notes() const { return notes_; }
  uint64_t verified() const { return verified_; }
  uint64_t opened() const { return opened_; }            // temporary access
  uint64_t found_twice() const { return found_twice_; }  // members, by the server
  uint64_t decided() const { return decided_; }          // by people: who is whom
  // By a server of the earlier version: edits that it returned because it did not know how
  // to merge them, and those with what it did not know that it could merge all the same.
  uint64_t returned_unknown() const { return returned_unknown_; }
  uint64_t merged_unknown() const { return merged_unknown_; }

 private:
  void Judge(Row* row);
  void JudgeOwn(const Row& row);
  void Doubt(const server::AuditRow& row, absl::string_view invariant, std::string detail,
             const RecordKey& key);
  // Finds out whose it is.
  void Attribute(Row* row);
  uint64_t SeenBy(const Row& row) const;
  By ByOf(const Row& row, const sync::v1::Change& change) const;
  // What each record of the edit is once it is merged, by the reference of the merge.
  std::map<RecordKey, Expected> Fold(const Row& row) const;
  // Why authority (authority.h) or its one reading speaks against the edit; empty: nothing
  // does. `made`: its records as they are then.
  std::string ObjectionTo(const Row& row, const std::map<RecordKey, Expected>& made) const;
  // It was refused for want of authority, which its author has.
  bool RefusedForNothing(const Row& row) const;
  std::optional<std::string> RegisteredAs(const std::string& person) const;
  void JudgeNames(const RecordKey& key, const google::protobuf::Message& message);
  void JudgePlaces(const Row& row, const std::map<RecordKey, Expected>& made);
  void JudgeSent(const Row& row, const std::map<RecordKey, Expected>& made);
  struct Offices {
    int64_t from_ms = 0;  // so long this holds
    int64_t until_ms = 0;
    std::map<Id, uint32_t> in;
  };
  Offices OfficesOf(const Id& person, int64_t now_ms) const;
  // Who may read what, and belongs where, from now on or until now.
  void NoteReader(const Id& person, int64_t now_ms);
  void NoteReaders(const std::map<RecordKey, Expected>& changed, int64_t now_ms);
  void NoteOffices(const Row& row);
  static bool Names(const Row& row, const Id& person);
  void NoteDecision(const Row& row, const google::protobuf::Message& decided);
  // All who have a device.
  std::set<Id> Watched() const;
  // None: they may not read the record at all.
  std::optional<Sight> SightOf(const Id& person, const google::protobuf::Message& message,
                               const Id& id, int64_t now_ms) const;
  void CheckNotes();

  // ---- Those above (superiors.cc) ----
  std::set<Id> ParentsOf(const Id& organisation) const;
  // The one at home, or if there is none the one at the host place.
  std::optional<Id> SuperiorOf(const Id& organisation) const;
  // The organisation and all above it, by how many steps.
  std::map<Id, int> AboveOf(const Id& organisation) const;
  bool ActsAbove(const Id& person, const Id& organisation, int64_t now_ms) const;
  std::optional<Id> BranchOf(const Id& member) const;
  bool HasAccess(const Id& asker, const Id& member, int64_t now_ms) const;
  bool HasOther(const records::v1::TemporaryAccess& access, const Id& id) const;
  void JudgeAccess(const server::AuditRow& row, const records::v1::TemporaryAccess& access,
                   const RecordKey& key);

  // ---- Registered twice (duplicates.cc) ----
  struct Entry;
  std::map<Id, Entry> Register() const;
  static bool SameNumber(const Entry& one, const Entry& other);
  static bool SameName(const Entry& one, const Entry& other);
  std::set<Id> NearestAbove(const Id& one, const Id& other) const;
  // Why the two should not have been found, or not so; empty if they should.
  std::string Objection(const records::v1::DuplicatePerson& found) const;
  void JudgeFound(const server::AuditRow& row, const RecordKey& key,
                  const records::v1::DuplicatePerson& found);
  void CheckDuplicates();

  // ---- Codes (codes.cc) ----
  // A code in somebody's own check-in, and whether its time agrees with that of the scan.
  struct Scan {
    DeviceNumber display;
    bool fresh = false;
  };
  // Null: nobody has shown the code that the change brings, or it brings none.
  const Shown* CodeIn(const sync::v1::Change& change) const;
  // Why the code may not be taken for this check-in; empty if it may.
  std::string Objection(const Row& row, const google::protobuf::Message& check_in,
                        const Shown& shown) const;
  void JudgeScan(const Row& row, const sync::v1::Change& change,
                 const google::protobuf::Message& check_in);
  bool ReturnedForNothing(const Row& row) const;
  void CheckStandings();

  // ---- Versions of the server (versions.cc) ----
  void JudgeVersion(const Row& row);
  bool DecidesOnUnknown(const sync::v1::Edit& decision) const;

  struct Doubted {
    int64_t at_ms = 0;
    std::set<uint32_t> unless;        // a record of such a type was changed at that moment
    std::set<uint32_t> unless_twice;  // the same record of such a type was, more than once
    Failure failure;
    std::optional<records::v1::DuplicatePerson> found;  // there may have been reason by the end
  };
  std::vector<Doubted> doubted_;
  std::map<int64_t, std::map<RecordKey, int>> changed_;  // when, what, and how often
  bool server_is_old_ = false;                           // runs an earlier version
  // Of rows, by whose they are and their hash: when they were read first.
  struct Taken {
    size_t place = 0;
    bool by_old = false;  // by an earlier version of the server
  };
  std::map<std::string, Taken> taken_;
  std::set<RecordKey> noted_by_old_server_;
  std::map<uint32_t, std::map<uint64_t, Row>> devices_;
  std::map<uint32_t, Id> persons_;
  std::map<RecordKey, Record> records_;
  std::map<uint64_t, std::pair<uint32_t, uint64_t>> merged_;  // salt → device, number
  std::map<uint64_t, std::set<uint64_t>> below_;
  std::map<std::string, std::map<uint32_t, uint64_t>> held_;  // by edit: device, number
  std::map<std::pair<uint32_t, uint64_t>, Id> decided_by_;
  std::set<DeviceNumber> hostile_;
  std::map<std::pair<DeviceNumber, uint64_t>, std::map<Id, uint64_t>> sent_;
  std::map<Id, std::set<RecordKey>> read_;      // by person
  std::map<Id, std::set<Id>> belonged_;         // by person: where they ever had an office
  std::map<Id, std::map<Id, uint32_t>> noted_;  // by person: as whom they were asked last
  mutable std::map<Id, Offices> offices_;       // as far as they are known
  std::map<std::string, Shown> shown_;
  std::map<RecordKey, std::vector<Scan>> scans_;
  std::set<DeviceNumber> shows_no_more_;  // as the server's own table says
  std::set<DeviceNumber> revoked_;
  std::set<DeviceNumber> lost_;
  std::set<uint64_t> answered_;  // salts
  std::map<Id, uint64_t> scope_versions_;
  std::optional<Failure> failure_;
  uint64_t rows_count_ = 0;
  uint64_t hostile_rows_ = 0;
  uint64_t notes_ = 0;
  uint64_t verified_ = 0;
  uint64_t opened_ = 0;
  uint64_t found_twice_ = 0;
  uint64_t decided_ = 0;
  uint64_t returned_unknown_ = 0;
  uint64_t merged_unknown_ = 0;
};

std::string NameOf(const RecordKey& key);
// Of a field, from the path to it as a server has it that may not know it: by number.
std::string NameToday(const google::protobuf::Descriptor* type, const std::string& path);

}  // namespace zhibu::sim

#endif  // ZHIBU_TESTS_SIM_LEDGER_H_
