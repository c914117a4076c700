// One transaction on the device's file: the tables, the views that follow from them, and
// what it has changed. Between the tables (tables.h), which know nothing of merging, and
// the calls of Store, each of which is one of these.
#ifndef ZHIBU_CLIENT_CORE_STORE_TRANSACTION_H_
#define ZHIBU_CLIENT_CORE_STORE_TRANSACTION_H_

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/types/span.h"
#include "client-core/store/store.h"
#include "client-core/store/tables.h"
#include "sync/wire/record.h"
#include "zhibu/stored/v1/client.pb.h"
#include "zhibu/sync/v1/sync.pb.h"

namespace zhibu::client {

// Names in the setting table.
inline constexpr char kDevice[] = "device";
inline constexpr char kPerson[] = "person";
inline constexpr char kServerId[] = "server_id";
inline constexpr char kAddress[] = "address";
inline constexpr char kFingerprint[] = "fingerprint";
// All that the server has told, as it wrote it (sync.v1.Welcome.reached_at).
inline constexpr char kReachedAt[] = "reached_at";
// A sync.v1.ServerAddress: of the enrolment code. It may be a way that the server does not know of.
inline constexpr char kEnrolledAt[] = "enrolled_at";
inline constexpr char kSecretKey[] = "secret_key";
inline constexpr char kIncarnation[] = "incarnation";
inline constexpr char kCourierKey[] = "courier_key";
inline constexpr char kRecord[] = "record";
// The last edit that a courier's receipt says is in, though it is still pending.
inline constexpr char kDelivered[] = "delivered";
inline constexpr char kFormers[] = "formers";  // stored.v1.Formers
// Of the last of the edits that were answered.
inline constexpr char kLastNumber[] = "last_number";
inline constexpr char kLastLink[] = "last_link";
inline constexpr char kLastStamp[] = "last_stamp";
inline constexpr char kObserved[] = "observed_stamp";  // the latest that the server has shown
inline constexpr char kOffset[] = "offset_ms";
inline constexpr char kMerged[] = "merged";  // how many edits the server has taken
inline constexpr char kLastSuccess[] = "last_success_ms";
inline constexpr char kProgressDone[] = "progress_done";
inline constexpr char kProgressTotal[] = "progress_total";
inline constexpr char kRecordsReceived[] = "records_received";
inline constexpr char kBytesReceived[] = "bytes_received";
inline constexpr char kSeen[] = "seen";           // stored.v1.Seen
inline constexpr char kReadAnew[] = "read_anew";  // see Store::ReadAnewWhatIsUnknown
inline constexpr char kProblem[] = "problem";
inline constexpr char kProblemDetail[] = "problem_detail";
inline constexpr char kPreferences[] = "preferences";

inline RecordKey KeyOf(const sync::v1::Change& change) {
  return {change.type(), Id::FromBytes(change.id()).value_or(Id())};
}

struct Store::Shared {
  absl::Mutex mutex;
  std::unique_ptr<Tables> tables ABSL_GUARDED_BY(mutex);  // null while the store is suspended
  absl::Status CheckOpen() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex);
  // How far the server's clock is ahead of Environment::steady_ms, since this process has
  // compared them: then it does not matter to what this device's clock is set.
  std::optional<int64_t> server_clock ABSL_GUARDED_BY(mutex);

  absl::Mutex subscriptions_mutex;
  std::vector<std::weak_ptr<std::function<void(const Changes&)>>> subscriptions
      ABSL_GUARDED_BY(subscriptions_mutex);
};

class Store::Transaction {
 public:
  // `server_clock`: see Store::Shared.
  Transaction(const Store& store, Tables& tables, std::optional<int64_t>& server_clock)
      : store_(store), tables_(tables), server_clock_(server_clock) {}

  Tables& tables() { return tables_; }
  const Changes& changes() const { return changes_; }

  void Changed(const RecordKey& key);
  // How the records of a pending edit stand is otherwise.
  absl::Status ChangedBy(const Tables::PendingEdit& pending);

  void AddPending(const Tables::PendingEdit& entry);
  void DeletePending(EditNumber number);

  void ChangedAll() { changes_.all = true; }

  // The server's time, as well as it is known here.
  int64_t ServerNowMs();

  DeviceNumber Device() { return DeviceNumber(static_cast<uint32_t>(tables_.GetNumber(kDevice))); }

  // What the device gave out last.
  struct Last {
    EditNumber number;
    uint64_t link = 0;
    Stamp stamp;
  };
  Last LastEdit();

  // Answers come many at a time: what is kept of them all is written once.
  void Answered(const Tables::PendingEdit& edit, sync::v1::Verdict verdict);
  void WriteAnswered();

  // An edit to be offered, and the number that the device had when it was made.
  struct Offer {
    DeviceNumber device;
    Tables::PendingEdit entry;
  };

  // Takes all that has no answer out of the queue.
  absl::StatusOr<std::vector<Offer>> TakeQueue();

  // Takes all that was answered and is not known to be safe.
  std::vector<Offer> TakeKept();
  // Those of former numbers first; those of the latest as they were made, whether
  // they had an answer or not.
  static void Order(DeviceNumber latest, std::vector<Offer>* offers);
  // What has been set aside without having been sent (see Follows) is sent after all.
  absl::Status SendSetAside();

  // What is left shows what this device alone knows.
  absl::Status EraseAnswered();

  // The edit that is being made has one more change, which leaves its record so.
  void Made(const RecordType& type, const RecordKey& key, RecordState before, RecordState after);
  // Refuses what the server would, as far as the rules can tell here. `edit`: all that was
  // made; at `now_ms` by the server's clock, as well as it is known.
  absl::Status JudgeMade(const RuleBook& rules, const sync::v1::Edit& edit, Stamp stamp,
                         int64_t now_ms);

  // The view of whatever own edits change.
  absl::Status RecomputePending();

  // What had been set aside and is offered again is to be judged again.
  void ForgetVerdicts();

  // Queues it as it is.
  absl::Status Requeue(const Offer& offer);

  // Queues them as they were, as though they had never had an answer. Ascending.
  absl::Status OfferAgain(const std::vector<Offer>& offers);

  // Queues them under new numbers, after `last`.
  absl::Status Renumber(const std::vector<Offer>& offers, Last last);

  // As the server would have answered, had it been asked under the old number.
  static sync::v1::Answer Follows(const sync::v1::Answer& below, EditNumber number);

  // What was set aside and has been made again by these drafts goes.
  absl::Status Amended(absl::Span<Draft* const> drafts);

  // Of what waits for others to decide, or was taken by them, only the entry goes. What was
  // returned never comes in, though the server be restored and judge anew.
  absl::Status LetGo(int64_t place);

  // The tables do not know what became of the edits since.
  void ListSetAside(absl::FunctionRef<void(const SetAside&)> visit);

  void FindStanding(SetAside* item);

  absl::Status PutAside(DeviceNumber device, const Tables::PendingEdit& entry,
                        sync::v1::Answer answer);

  // From now on; what is numbered next follows `last`.
  void SetDevice(DeviceNumber device, const Last& last);

  stored::v1::Formers Formers();
  void SetFormers(const stored::v1::Formers& formers);

  static absl::StatusOr<sync::v1::Edit> EditOf(const Tables::PendingEdit& entry);

  // See Store::Restamp. When an edit was made is told
  //
  //   by its device's clock, put right by what that is off by now, where that is possible:
  //   not before what its author had seen, not after what they did next, nor after now;
  //   else by the stamp that it has, if that is possible;
  //   else by the nearest that is possible.
  //
  // So neither a clock that was wrong for one edit nor one that is put right between two
  // sessions tells of others; and they stay in the order in which they were made.
  absl::Status Restamp(int64_t offset_ms, int64_t late_ms);

  bool AnyStale();
  void MakeStale();

  // The cursors are about to go: they are kept to be shown beside what was made on what they
  // say.
  void KeepSeen();
  // Those that were kept, while anything is unsent or has yet to be read anew.
  std::vector<sync::v1::Cursor> Seen();
  absl::Status BeginIncarnation(const std::string& incarnation);

  // The server has told all that it has: what it did not speak of it has forgotten.
  absl::Status Sweep();

  size_t LookElsewhere();
  absl::Status MayEnrolAgain(const Identity& identity);

  // The server has forgotten this device: it is to judge anew, as `device`, all that
  // is not known to be in a backup.
  absl::Status OfferAll(DeviceNumber device);

  // Works out the view of a record again, from what is confirmed and pending. One
  // that is stale stays as it is shown: what is confirmed of it may hold what is
  // pending once more.
  absl::Status Recompute(const RecordKey& key);

  // As it is sent.
  sync::v1::NumberedEdit Numbered(const Tables::PendingEdit& pending);

  // Names a pending edit for as long as it is one: its number may change.
  uint64_t SaltOf(EditNumber number);

  // The version up to which this device has seen what lies in these places.
  uint64_t SeenUpTo(const RecordType& type, const std::vector<Placed>& places);

 private:
  // A pending edit as it is read once for all of its records.
  struct Opened {
    Stamp stamp;
    sync::v1::Edit edit;
    std::map<RecordKey, int> places;  // of the changes in it
  };
  absl::StatusOr<const Opened*> Open(EditNumber number);
  absl::Status ApplyPending(const RecordKey& key, EditNumber number, RecordState* state);

  const Store& store_;
  Tables& tables_;
  std::optional<int64_t>& server_clock_;
  Changes changes_;
  std::optional<Last> answered_;
  int64_t merged_ = 0;
  std::map<EditNumber, Opened> opened_;
  size_t opened_bytes_ = 0;
  std::optional<bool> any_stale_;
  std::set<uint64_t> offered_;  // the salts of what was queued anew

  struct MadeRecord {
    const RecordType& type;
    RecordKey key;
    RecordState before;
    RecordState after;
  };
  std::vector<MadeRecord> made_;
};

}  // namespace zhibu::client

#endif  // ZHIBU_CLIENT_CORE_STORE_TRANSACTION_H_
