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
#include "sync/types.h"
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
inline constexpr char kRefusal[] = "an edit is refused at the device only for a reason";
inline constexpr char kQuiet[] = "everybody comes to rest";

using Places = std::set<std::pair<Id, Place>>;

// The empty message of a record type; null if there is none.
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
    // Was answered under another number: then so is it again, whatever has changed.
    bool repeated = false;
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
  void ServerRuns(bool old, int64_t now_ms) { versions_[now_ms] = old; }
  // From here on nothing that the device sends may be merged.
  void Revoke(DeviceNumber device) { revoked_.insert(device); }
  void Lose(DeviceNumber device) { lost_.insert(device); }

  // ---- What is so ----
  bool Merged(uint64_t salt) const { return merged_.count(salt) > 0; }
  bool Answered(uint64_t salt) const { return answered_.count(salt) > 0; }
  // Null: not merged.
  const Row* RowOf(uint64_t salt) const;
  const Row* Find(DeviceNumber device, uint64_t number) const;
  const std::map<RecordKey, Record>& records() const { return records_; }
  const Record* Find(const RecordKey& key) const;
  // The entries in the register that are this person (DuplicatePerson), by their ids.
  std::set<std::string> EntriesOf(const Id& person) const;
  // The offices of a person in a scope: bits as in sync/schema.h.
  uint32_t OfficesIn(const Id& person, const Id& scope, int64_t now_ms) const;
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
  void Judge(Row* row);
  void JudgeOwn(const Row& row);
  void Doubt(const server::AuditRow& row, absl::string_view invariant, std::string detail,
             const RecordKey& key);
  // `guest`: of this branch, besides.
  bool Entitled(const Id& person, const google::protobuf::Message& message,
                const sync::v1::Change& change, const Places& before, const Places& after,
                int64_t now_ms, const std::optional<Id>& guest) const;
  // Whether the steps from one to the other are theirs (taken_by).
  bool MayStep(const Id& person, const google::protobuf::Message& before,
               const google::protobuf::Message& after, const Places& places, int64_t now_ms) const;
  Sight SightIn(const Id& person, const Places& places, int64_t now_ms) const;
  // None: they may not read the record at all.
  std::optional<Sight> SightOf(const Id& person, const google::protobuf::Message& message,
                               const Id& id, int64_t now_ms) const;
  void CheckNotes();

  // ---- Those above (superiors.cc) ----
  std::set<Id> ParentsOf(const Id& organisation) const;
  // The organisation and all above it, by how many steps.
  std::map<Id, int> AboveOf(const Id& organisation) const;
  bool ActsAbove(const Id& person, const Id& organisation, int64_t now_ms) const;
  std::optional<Id> BranchOf(const Id& member) const;
  bool HasAccess(const Id& asker, const Id& member, int64_t now_ms) const;
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
  bool ServerWasOld(int64_t ms) const;
  void JudgeVersion(const Row& row);
  bool DecidesOnUnknown(const sync::v1::Edit& decision) const;

  struct Doubted {
    int64_t at_ms = 0;
    std::set<uint32_t> unless;  // a record of such a type was changed at that moment
    Failure failure;
    std::optional<records::v1::DuplicatePerson> found;  // there may have been reason by the end
  };
  std::vector<Doubted> doubted_;
  std::set<std::pair<int64_t, uint32_t>> changed_;  // when, and what type of record
  std::map<int64_t, bool> versions_;                // since when the server is old, or is not
  std::map<uint32_t, std::map<uint64_t, Row>> devices_;
  std::map<uint32_t, Id> persons_;
  std::map<RecordKey, Record> records_;
  std::map<uint64_t, std::pair<uint32_t, uint64_t>> merged_;  // salt → device, number
  std::map<uint64_t, std::set<uint64_t>> below_;
  std::map<std::string, Shown> shown_;
  std::map<RecordKey, std::vector<Scan>> scans_;
  std::set<DeviceNumber> shows_no_more_;  // as the server's own table says
  std::set<DeviceNumber> revoked_;
  std::set<DeviceNumber> lost_;
  std::set<uint64_t> answered_;  // salts
  std::map<Id, uint64_t> scope_versions_;
  std::optional<Failure> failure_;
  uint64_t rows_count_ = 0;
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
