// What an app embeds: the records of a device, readable and writable without a
// network.
//
//   view(record) = merge(confirmed(record), pending edits(record))
//
// `confirmed` is what the server last said, `pending` the queue of own edits,
// and the view is what the app reads; it is kept ready, so reading never replays
// the queue. An app edits plain messages:
//
//   ASSIGN_OR_RETURN(auto store, Store::Open({.file = path, .key = key}));
//   ASSIGN_OR_RETURN(auto draft, store->Edit<Meeting>(id));   // as it is now
//   draft.message<Meeting>().set_place("礼堂");
//   ASSIGN_OR_RETURN(auto number, store->Commit({&draft}));   // durable from here
//
// A draft remembers what the app saw, so what others changed meanwhile is not
// undone when it is committed.
//
// Durability: what Commit returned survives kill -9 and power loss. A failure
// leaves everything as it was before the call.
//
// Threads: any thread may call anything; calls wait for each other's disk
// access, never for the network. Several processes may open one file.
//
// At rest: with a key, all that people wrote and every secret is encrypted in the file
// and its log; types, ids, scopes, numbers and versions are not. An app keeps the key
// in the platform's key store. A file without a key that is opened with one is
// encrypted in place, in one transaction; then every page of it is written anew and
// the log emptied, at the next opening if it cannot be done in this one. (What blocks of
// a disk held that are no longer part of the file is the platform's affair.) Every
// process that opens the file hands in the same key.
//
// Errors: NOT_FOUND, ALREADY_EXISTS and the refusals of sync/base/reason.h say what is
// wrong with the call; RESOURCE_EXHAUSTED: the disk is full; UNAVAILABLE: the
// file cannot be written now; DATA_LOSS: it is damaged, and the message names the
// row; FAILED_PRECONDITION: it was written by a newer version of the app, or with
// another key (WRONG_KEY), and has not been touched.
#ifndef ZHIBU_CLIENT_CORE_STORE_STORE_H_
#define ZHIBU_CLIENT_CORE_STORE_STORE_H_

#include <google/protobuf/message.h>

#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "sync/base/environment.h"
#include "sync/base/types.h"
#include "sync/rules/rule_book.h"
#include "sync/schema/schema.h"
#include "zhibu/sync/v1/answer.pb.h"
#include "zhibu/sync/v1/courier.pb.h"
#include "zhibu/sync/v1/edit.pb.h"
#include "zhibu/sync/v1/sync.pb.h"

namespace zhibu::client {

// A record as somebody saw it, and what they make of it.
class Draft {
 public:
  const RecordType& type() const { return *type_; }
  const Id& id() const { return key_.id; }
  google::protobuf::Message& message() { return *message_; }
  const google::protobuf::Message& message() const { return *message_; }
  template <typename T>
  T& message() {
    return static_cast<T&>(*message_);
  }
  // The record is to be deleted when the draft is committed.
  void Delete() { deleted_ = true; }
  bool deleted() const { return deleted_; }

  // What was seen, as bytes that an app keeps while somebody works on it, across its own end too:
  // Store::DraftFrom makes a draft of them again. What was made of it is not in them, but what the
  // edit that it makes again had said is.
  std::string Seen() const;

 private:
  friend class Store;

  const RecordType* type_ = nullptr;
  RecordKey key_;
  bool is_new_ = false;
  bool deleted_ = false;
  uint64_t base_ = 0;
  uint64_t builds_on_ = 0;  // the salt of the own edit that `before_` ends with
  int64_t amends_ = 0;      // the place of the set-aside edit that it makes again
  int amends_records_ = 0;  // how many records that edit is about
  std::string before_;
  std::optional<std::string> amended_;  // what that edit comes to on `before_`
  std::unique_ptr<google::protobuf::Message> message_;
};

// Who the device is, once it is enrolled.
struct Identity {
  DeviceNumber device;
  Id person;
  std::string server_id;
  std::string address;      // host:port
  std::string fingerprint;  // of the server's certificate
  std::string secret_key;
  std::string incarnation;  // of the server's database; see zhibu.sync.v1.Restored
  std::string courier_key;  // the server's; see zhibu.sync.v1.Welcome
  Id record;                // the Device record of this device; empty before its first session
  std::string reached_at;   // what the server has told of its addresses: zhibu.sync.v1.Welcome
};

// An edit that the server did not take. It stays until somebody discards it.
struct SetAside {
  enum class Standing {
    kReturned,  // by the server, or by whoever acts for the branch now
    kWaiting,   // held, until they decide
    kTaken,     // they have: it is in
    kNotSent,   // held with another that it builds on
  };

  int64_t place = 0;    // names it on this device
  DeviceNumber device;  // the number that the device had then
  sync::v1::Answer answer;
  sync::v1::Edit edit;
  int64_t at_ms = 0;
  Standing standing = Standing::kReturned;
  std::string reply;  // of whoever returned one that was held
};

// An own edit that has no answer yet.
struct UnsentEdit {
  EditNumber number;
  sync::v1::Edit edit;
  bool delivered = false;  // a courier has brought it to the server
};

// Why and how far the device is synced. Survives a restart.
//
//   set_aside = returned + held + not_sent, all but what has been taken since
struct SyncState {
  uint64_t unsent = 0;     // edits that have no answer yet
  uint64_t delivered = 0;  // of them, those that a courier has brought to the server
  uint64_t merged = 0;     // edits that the server has taken; again, after it has forgotten them
  uint64_t set_aside = 0;
  uint64_t returned = 0;        // see SetAside::Standing, as the next two
  uint64_t held = 0;            // others decide on them
  uint64_t not_sent = 0;        // with one on which they build
  int64_t last_success_ms = 0;  // all was sent and received; 0: never
  // Of the last session: how much of what there was to look through is done
  // (done == total once the device has caught up), and what came of it.
  uint64_t progress_done = 0;
  uint64_t progress_total = 0;
  uint64_t records_received = 0;
  uint64_t bytes_received = 0;
  // Empty while nothing is wrong: why the last attempt did not succeed.
  sync::v1::Reason problem = sync::v1::NO_REASON;
  std::string problem_detail;

  // Nothing that was written here is anywhere else than in the server's records.
  bool synced() const {
    return unsent == 0 && set_aside == 0 && last_success_ms != 0 && problem == sync::v1::NO_REASON;
  }
};

// A record that is here, and how it stands beside what it says.
struct ShownRecord {
  Draft draft;
  bool pending = false;    // own edits of it have no answer yet
  bool delivered = false;  // and a courier has brought them all to the server
  bool stale = false;      // of a restored server, which has not spoken of it again
};

struct Query {
  uint32_t type = 0;
  std::optional<Id> scope;
  // Single fields compare with the value in protobuf's JSON form or as plain
  // text; repeated ones are searched for it.
  std::vector<std::pair<std::string, std::string>> where;
};

// What changed in one transaction. `keys` is cut off at kKeysMax, and `all` says
// that anything may have changed.
struct Changes {
  static constexpr size_t kKeysMax = 1000;
  std::vector<RecordKey> keys;
  bool all = false;
};

class Store {
 public:
  struct Options {
    std::string file;
    std::shared_ptr<const Schema> schema = CatalogueSchema();
    // Asked before anything is committed, so that nobody learns at the next sync only what
    // cannot be. Null: none are asked (tests of the server, which believes no phone).
    std::shared_ptr<const RuleBook> rules = CatalogueRules();
    Environment environment = SystemEnvironment();
    // 32 bytes; empty: the file is not encrypted (tests, tools).
    std::string key;
    std::string vfs;  // name of an SQLite VFS; empty: the system's
  };

  static absl::StatusOr<std::unique_ptr<Store>> Open(Options options);
  ~Store();

  Store(const Store&) = delete;  // subscriptions hold its address
  Store& operator=(const Store&) = delete;

  // ---- Records -----------------------------------------------------------

  // An empty record, with a new id; the id of a type whose fields make it is
  // known once it is committed (see Commit).
  Draft New(const RecordType& type);
  template <typename T>
  Draft New() {
    return New(*schema().Find(T::descriptor()));
  }
  // NOT_FOUND: there is no such record here.
  absl::StatusOr<Draft> Edit(const RecordType& type, const Id& id);
  template <typename T>
  absl::StatusOr<Draft> Edit(const Id& id) {
    return Edit(*schema().Find(T::descriptor()), id);
  }
  // Every living record that fits, ascending by id, until `visit` returns false.
  // INVALID_ARGUMENT: no such type or field. DATA_LOSS: one could not be read; the
  // others have been visited all the same.
  absl::Status List(const Query& query,
                    absl::FunctionRef<bool(const Id&, const google::protobuf::Message&)> visit);

  // Those of the type that are here, in the order of `ids`.
  absl::StatusOr<std::vector<ShownRecord>> Show(const RecordType& type, absl::Span<const Id> ids);
  // As somebody saw it (Draft::Seen), whatever it is by now. MALFORMED: these are not such bytes.
  absl::StatusOr<Draft> DraftFrom(absl::string_view seen);

  // All drafts as one edit, taken whole or not at all. Returns its number, or 0
  // where nothing was changed. ALREADY_EXISTS: the fields of a new record make
  // the id of one that is here; open and change that one. Refused like by the server where
  // a rule can tell from what is known here (sync/rules/rule.h): a letter that is too long.
  absl::StatusOr<EditNumber> Commit(absl::Span<Draft* const> drafts);
  // What Commit would return; nothing is written.
  absl::Status Try(absl::Span<Draft* const> drafts);

  // ---- Forms that somebody has begun and not saved --------------------------

  // As the app keeps them, sealed like all else, and on this device alone: they go with what the
  // server has, once it is lost. `place`: 0 for a new one. The place under which it is kept;
  // NOT_HERE: there is none of that place.
  absl::StatusOr<int64_t> KeepSketch(int64_t place, absl::string_view sketch);
  // The latest first.
  absl::Status ListSketches(absl::FunctionRef<void(int64_t, const std::string&)> visit);
  // One that is not there is as good as dropped.
  absl::Status DropSketch(int64_t place);

  // How this device's owner likes its pages, as the app keeps it; empty: they have not said.
  absl::StatusOr<std::string> Preferences();
  absl::Status KeepPreferences(absl::string_view preferences);

  // The time by the server's clock, in milliseconds since 1970, as well as this
  // device knows it: as of its last session.
  absl::StatusOr<int64_t> ServerNow();

  // ---- Sync, as a person sees it ------------------------------------------

  absl::StatusOr<SyncState> State();
  // As they were made; `visit` may call the store.
  absl::Status ListUnsent(absl::FunctionRef<void(const UnsentEdit&)> visit);
  // The records of a type that edits without an answer change.
  absl::StatusOr<std::set<Id>> UnsentRecords(const RecordType& type);
  absl::Status ListSetAside(absl::FunctionRef<void(const SetAside&)> visit);
  // A set-aside edit, made again on what the device shows now: a draft for each of
  // its records, to be amended and committed together. What was set aside goes with
  // that commit, and not before. NOT_FOUND: there is no such place, or a record that
  // the edit changes is not here any longer; NOT_DECIDED: it waits or has been taken,
  // and would count twice; refused where what the record is now does not allow it (a
  // value that is written once, a step that is not declared).
  absl::StatusOr<std::vector<Draft>> Amend(int64_t place);
  // Lets go of a set-aside edit for good. NOT_FOUND: there is no such place.
  absl::Status Discard(int64_t place);

  // Called after each transaction that changed records or the state, on the
  // thread that made it, without locks held. The callback must not destroy the
  // store. Ends when the returned handle is destroyed.
  using Subscription = std::shared_ptr<std::function<void(const Changes&)>>;
  Subscription Subscribe(std::function<void(const Changes&)> callback);

  // Closes the file, so that nothing of it is locked while the platform has put the app to sleep;
  // whatever is asked meanwhile is SUSPENDED. Twice is as good as once. Resume opens it
  // again, as Open does.
  void Suspend();
  absl::Status Resume();
  bool suspended();
  // The file opens with this key from now on, and no longer with the one before. INVALID_ARGUMENT:
  // it has another size. FAILED_PRECONDITION: the file is not sealed.
  absl::Status Rekey(const std::string& key);

  const Schema& schema() const { return *options_.schema; }
  const Environment& environment() const { return options_.environment; }

  // Another number than before: another process has committed to the same file since.
  absl::StatusOr<int64_t> CommitsOfOthers();

  // ---- Sync, as the session sees it ----------------------------------------

  // NOT_ENROLLED; DEVICE_WIPED: not any longer, because it was lost.
  absl::StatusOr<Identity> GetIdentity();
  // ALREADY_EXISTS: enrolled before. But for the same person a device may be enrolled
  // again that its restored server has forgotten: it offers all it has; that must be
  // authenticated again (REAUTHENTICATE): it goes on under its number as it is; or that
  // was revoked, once nothing is unsent: it is a new one.
  absl::Status SetIdentity(const Identity& identity);

  absl::StatusOr<std::vector<sync::v1::Cursor>> Cursors();
  // See sync.v1.Hello.seen.
  absl::StatusOr<std::vector<sync::v1::Cursor>> Seen();
  // Where a scope was dropped and records of types that this build does not know are here,
  // nobody can tell which of them lay there: all that the server has is read anew.
  absl::Status ReadAnewWhatIsUnknown();
  // Edits numbered above `after`, up to about `bytes_max` and at least one.
  absl::StatusOr<std::vector<sync::v1::NumberedEdit>> Pending(EditNumber after, size_t bytes_max);
  // One transaction: answers, changes and cursors.
  // `came`: how many bytes it had on the way, where it was compressed.
  absl::Status ApplyUpdate(const sync::v1::Update& update,
                           std::optional<size_t> came = std::nullopt);
  // Another copy of this device lives: go on as `device`, unanswered edits
  // numbered from 1.
  absl::Status Renumber(DeviceNumber device);
  // The server was restored from a backup: what was answered and is not known to
  // be safe waits for an answer again. Records stay as they are shown until the
  // server has spoken of them, or has told all that it has.
  absl::Status BeginIncarnation(const std::string& incarnation);
  // The server does not know this device: so it was restored to before the device
  // was renumbered, if it was. Goes on under the number of then; false where there
  // is none.
  absl::StatusOr<bool> GoBack();
  // The server's clock is `offset_ms` ahead of ours, or up to `late_ms` more, as its word may
  // have been on the way for so long: unanswered edits are stamped anew, so that a wrong
  // clock neither wins for ever nor loses all. Nothing that was derived from a clock which
  // has been put right since, be it this device's or the server's, bounds what is stamped
  // from now on.
  absl::Status Restamp(int64_t offset_ms, int64_t late_ms = 0);
  // Own edits up to `safe` are in a backup of the server; what else it says, too. Where
  // the device is LOST, all that the server has is removed: but for the keys, what it
  // has not stays, is shown and unsent, and goes with Wipe.
  absl::Status BeginDownload(const sync::v1::Welcome& welcome);
  // Removes everything, keys included; the state says that it was done, and `detail`.
  // False, and nothing is removed, where something is unsent.
  absl::StatusOr<bool> Wipe(const std::string& detail);
  // The server was not found where it was looked for: next it is looked for at the next of the
  // addresses that it has told, and of that in the enrolment code. Gives how many there are; with
  // one, nothing changes.
  absl::StatusOr<size_t> LookElsewhere();
  absl::Status EndAttempt(const absl::Status& status);

  // ---- Sync, as a courier sees it (client-core/courier.h) --------------------

  // The unsent edits that are not known to be at the server, in so many bundles at
  // most; none where there are none.
  absl::StatusOr<std::vector<sync::v1::Bundle>> Bundles(size_t bundles_max);
  // What a receipt has brought about.
  struct Receipt {
    bool current = false;    // it was for this device as it is now
    uint64_t delivered = 0;  // edits that are now known to be in
    uint64_t set_aside = 0;
  };
  // An edit that was held or returned is set aside. One that is in stays in the
  // queue until a session brings its effect: else it would be gone from the view.
  absl::StatusOr<Receipt> TakeReceipt(const sync::v1::Receipt& receipt);

 private:
  class Transaction;
  struct Shared;

  // As `draft.key_` is shown now. NOT_FOUND.
  absl::Status FillDraft(Transaction& transaction, Draft* draft);
  absl::StatusOr<Draft> AmendOne(Transaction& transaction, const sync::v1::Change& change);

  explicit Store(Options options);
  // One transaction that writes, all or nothing.
  absl::Status Do(absl::FunctionRef<absl::Status(Transaction&)> body);
  // One that only reads.
  absl::Status Look(absl::FunctionRef<absl::Status(Transaction&)> body);
  void Notify(const Changes& changes);

  // What the drafts are as an edit, in the queue. 0: nothing is changed.
  absl::StatusOr<EditNumber> MakeEdit(Transaction& transaction, absl::Span<Draft* const> drafts);
  absl::Status MakeChange(Transaction& transaction, Draft& draft, Stamp stamp, sync::v1::Edit* edit,
                          std::set<uint64_t>* builds_on);
  absl::StatusOr<bool> Fits(
      const Query& query, const RecordType& type, const Id& id, const std::string& body,
      std::vector<std::pair<Id, std::unique_ptr<google::protobuf::Message>>>* found);
  absl::Status TakeAnswer(Transaction& transaction, const sync::v1::Answer& answer,
                          std::set<RecordKey>* affected);
  absl::Status AddAsMade(Transaction& transaction, const sync::v1::Answer& answer,
                         std::vector<sync::v1::Group>* groups);
  absl::Status TakeGroup(Transaction& transaction, const sync::v1::Group& group, bool any_pending,
                         std::set<RecordKey>* affected, absl::FunctionRef<void(Stamp)> see);
  absl::Status TakeRemoval(Transaction& transaction, const sync::v1::Removal& removal,
                           bool any_pending, std::set<RecordKey>* affected);
  absl::Status TakeDropped(Transaction& transaction, const sync::v1::Update& update,
                           std::set<RecordKey>* affected);
  static void Remove(Transaction& transaction, const RecordKey& key, bool any_pending,
                     std::set<RecordKey>* affected);

  Options options_;  // as they were, but for the key: Rekey, under the lock of the tables
  const std::unique_ptr<Shared> shared_;
};

}  // namespace zhibu::client

#endif  // ZHIBU_CLIENT_CORE_STORE_STORE_H_
