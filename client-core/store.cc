#include "client-core/store.h"

#include <algorithm>
#include <set>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "client-core/match.h"
#include "client-core/tables.h"
#include "sync/diff.h"
#include "sync/handshake.h"
#include "sync/merge.h"
#include "sync/reason.h"
#include "sync/record.h"
#include "sync/status.h"
#include "zhibu/sync/v1/trace.pb.h"

namespace zhibu::client {
namespace {

using google::protobuf::Message;
using sync::v1::Change;
using sync::v1::NumberedEdit;

// Names in the setting table.
constexpr char kDevice[] = "device";
constexpr char kPerson[] = "person";
constexpr char kServerId[] = "server_id";
constexpr char kAddress[] = "address";
constexpr char kFingerprint[] = "fingerprint";
constexpr char kSecretKey[] = "secret_key";
// Of the last of the edits that were answered.
constexpr char kLastNumber[] = "last_number";
constexpr char kLastLink[] = "last_link";
constexpr char kLastStamp[] = "last_stamp";
constexpr char kObserved[] = "observed_stamp";  // the latest that the server has shown
constexpr char kOffset[] = "offset_ms";
constexpr char kLastSuccess[] = "last_success_ms";
constexpr char kProgressDone[] = "progress_done";
constexpr char kProgressTotal[] = "progress_total";
constexpr char kRecordsReceived[] = "records_received";
constexpr char kBytesReceived[] = "bytes_received";
constexpr char kProblem[] = "problem";
constexpr char kProblemDetail[] = "problem_detail";

// Clocks this close are the same: not worth stamping everything anew.
constexpr int64_t kOffsetToleranceMs = 2'000;

std::unique_ptr<Message> NewMessage(const RecordType& type) {
  return std::unique_ptr<Message>(
      google::protobuf::MessageFactory::generated_factory()->GetPrototype(type.descriptor)->New());
}

std::string Serialized(const Message& message) { return message.SerializePartialAsString(); }

RecordKey KeyOf(const Change& change) {
  return {change.type(), Id::FromBytes(change.id()).value_or(Id())};
}

// The latest stamp that a trace tells of: a field's may be later than that of
// the record's last change.
uint64_t LatestIn(const sync::v1::Trace& trace) {
  uint64_t latest = trace.rest().stamp();
  const auto see = [&](uint64_t stamp) { latest = std::max(latest, stamp); };
  for (const auto& field : trace.fields()) {
    see(field.touch().stamp());
    for (const auto& candidate : field.candidates()) see(candidate.touch().stamp());
    for (const auto& element : field.elements()) {
      see(element.touch().stamp());
      see(element.removal().stamp());
      see(LatestIn(element.trace()));
    }
  }
  for (const auto& life : trace.former_lives()) {
    see(life.touch().stamp());
    see(life.removal().stamp());
    see(LatestIn(life.trace()));
  }
  return latest;
}

}  // namespace

// Tables and what one transaction has changed in them.
class Store::Transaction {
 public:
  Transaction(const Store& store, Tables& tables) : store_(store), tables_(tables) {}

  Tables& tables() { return tables_; }
  const Changes& changes() const { return changes_; }

  void Changed(const RecordKey& key) {
    if (changes_.keys.size() < Changes::kKeysMax) {
      changes_.keys.push_back(key);
    } else {
      changes_.all = true;
    }
  }

  DeviceNumber Device() { return DeviceNumber(static_cast<uint32_t>(tables_.GetNumber(kDevice))); }

  // What the device gave out last.
  struct Last {
    EditNumber number;
    uint64_t link = 0;
    Stamp stamp;
  };
  Last LastEdit() {
    const EditNumber answered(tables_.GetNumber(kLastNumber));
    const auto pending = tables_.LastPending();
    // Answers come in any order: a later edit than those pending may have one.
    if (pending && pending->number > answered) {
      return {pending->number, LinkTo(pending->edit), pending->stamp};
    }
    return {answered, static_cast<uint64_t>(tables_.GetNumber(kLastLink)),
            Stamp(tables_.GetNumber(kLastStamp))};
  }

  // Answers come many at a time: what is kept of the last is written once.
  void Answered(const Tables::PendingEdit& edit) {
    if (answered_ && answered_->number >= edit.number) return;
    answered_ = {edit.number, LinkTo(edit.edit), edit.stamp};
  }
  void WriteAnswered() {
    if (!answered_ || answered_->number <= EditNumber(tables_.GetNumber(kLastNumber))) return;
    tables_.PutNumber(kLastNumber, static_cast<int64_t>(answered_->number.value));
    tables_.PutNumber(kLastLink, static_cast<int64_t>(answered_->link));
    tables_.PutNumber(kLastStamp, static_cast<int64_t>(answered_->stamp.value));
  }

  // Works out the view of a record again, from what is confirmed and pending.
  absl::Status Recompute(const RecordKey& key) {
    Tables::Record record = tables_.GetRecord(key);
    RecordState state = record.confirmed;
    const std::vector<EditNumber> numbers = tables_.TouchedBy(key);
    for (const EditNumber number : numbers) RETURN_IF_ERROR(ApplyPending(key, number, &state));
    record.view.reset();
    if (!numbers.empty() && state.exists) record.view = std::move(state);
    tables_.PutRecord(key, record);
    Changed(key);
    return absl::OkStatus();
  }

  // The version up to which this device has seen what lies in these places.
  uint64_t SeenUpTo(const RecordType& type, const std::vector<Placed>& places) {
    uint64_t seen = 0;
    for (const auto& cursor : tables_.Cursors()) {
      const bool reads = (cursor.audience() & type.readers) != 0;
      const bool placed = std::any_of(places.begin(), places.end(), [&](const Placed& p) {
        return p.scope.bytes() == absl::string_view(cursor.scope());
      });
      if (reads && placed) seen = std::max<uint64_t>(seen, cursor.version());
    }
    return seen;
  }

 private:
  absl::Status ApplyPending(const RecordKey& key, EditNumber number, RecordState* state) {
    const auto pending = tables_.GetPending(number);
    sync::v1::Edit edit;
    if (!pending || !edit.ParseFromString(pending->edit)) {
      return absl::DataLossError(absl::StrCat("pending edit ", number.value, " cannot be read"));
    }
    for (const Change& change : edit.changes()) {
      if (KeyOf(change) != key) continue;
      Outcome outcome;
      const auto status = Apply(store_.schema().Find(key.type), change,
                                {Device(), kPendingVersion, pending->stamp}, state, &outcome);
      // What the server will refuse shows no effect; it comes back set aside.
      if (!status.ok() && ReasonOf(status).reason == sync::v1::NO_REASON) return status;
    }
    return absl::OkStatus();
  }

  const Store& store_;
  Tables& tables_;
  Changes changes_;
  std::optional<Last> answered_;
};

struct Store::Shared {
  absl::Mutex mutex;
  std::unique_ptr<Tables> tables ABSL_GUARDED_BY(mutex);

  absl::Mutex subscriptions_mutex;
  std::vector<std::weak_ptr<std::function<void(const Changes&)>>> subscriptions
      ABSL_GUARDED_BY(subscriptions_mutex);
};

Store::Store(Options options) : options_(std::move(options)), shared_(std::make_unique<Shared>()) {}
Store::~Store() = default;

absl::StatusOr<std::unique_ptr<Store>> Store::Open(Options options) {
  std::unique_ptr<Store> store(new Store(std::move(options)));
  try {
    absl::MutexLock lock(&store->shared_->mutex);
    store->shared_->tables = std::make_unique<Tables>(store->options_.file, store->options_.vfs);
  } catch (const SQLite::Exception& error) {
    return StatusOf(error);
  }
  return store;
}

absl::Status Store::Do(absl::FunctionRef<absl::Status(Transaction&)> body) {
  Changes changes;
  {
    absl::MutexLock lock(&shared_->mutex);
    Tables& tables = *shared_->tables;
    try {
      tables.Begin();
      Transaction transaction(*this, tables);
      if (absl::Status status = body(transaction); !status.ok()) {
        tables.Rollback();
        return status;
      }
      tables.CommitWork();
      changes = transaction.changes();
    } catch (const SQLite::Exception& error) {
      tables.Rollback();
      return StatusOf(error);
    }
  }
  Notify(changes);
  return absl::OkStatus();
}

absl::Status Store::Look(absl::FunctionRef<absl::Status(Transaction&)> body) {
  absl::MutexLock lock(&shared_->mutex);
  Tables& tables = *shared_->tables;
  try {
    tables.BeginRead();
    Transaction transaction(*this, tables);
    absl::Status status = body(transaction);
    tables.Rollback();
    return status;
  } catch (const SQLite::Exception& error) {
    tables.Rollback();
    return StatusOf(error);
  }
}

void Store::Notify(const Changes& changes) {
  std::vector<Subscription> callbacks;
  {
    absl::MutexLock lock(&shared_->subscriptions_mutex);
    auto& all = shared_->subscriptions;
    all.erase(std::remove_if(all.begin(), all.end(), [](const auto& s) { return s.expired(); }),
              all.end());
    for (const auto& subscription : all) {
      if (auto callback = subscription.lock()) callbacks.push_back(std::move(callback));
    }
  }
  for (const Subscription& callback : callbacks) (*callback)(changes);
}

Store::Subscription Store::Subscribe(std::function<void(const Changes&)> callback) {
  auto subscription = std::make_shared<std::function<void(const Changes&)>>(std::move(callback));
  absl::MutexLock lock(&shared_->subscriptions_mutex);
  shared_->subscriptions.push_back(subscription);
  return subscription;
}

// ---- Records -----------------------------------------------------------------

Draft Store::New(const RecordType& type) {
  Draft draft;
  draft.type_ = &type;
  draft.key_ = {type.number, environment().NewId()};
  draft.is_new_ = true;
  draft.message_ = NewMessage(type);
  return draft;
}

absl::StatusOr<Draft> Store::Edit(const RecordType& type, const Id& id) {
  Draft draft;
  draft.type_ = &type;
  draft.key_ = {type.number, id};
  draft.message_ = NewMessage(type);
  RETURN_IF_ERROR(Look([&](Transaction& transaction) -> absl::Status {
    const Tables::Record record = transaction.tables().GetRecord(draft.key_);
    if (!record.shown().alive()) {
      return absl::NotFoundError(absl::StrCat("there is no such ", type.name, " on this device"));
    }
    const std::vector<EditNumber> own = transaction.tables().TouchedBy(draft.key_);
    draft.base_ = record.confirmed.exists ? record.confirmed.version().value : 0;
    draft.builds_on_ = own.empty() ? 0 : own.back().value;
    draft.before_ = record.shown().body;
    return absl::OkStatus();
  }));
  if (!draft.message_->ParsePartialFromString(draft.before_)) {
    return absl::DataLossError(absl::StrCat("a ", type.name, " cannot be read"));
  }
  return draft;
}

absl::Status Store::List(const Query& query,
                         absl::FunctionRef<bool(const Id&, const Message&)> visit) {
  const RecordType* type = schema().Find(query.type);
  if (type == nullptr) {
    return absl::InvalidArgumentError(absl::StrCat("no record type ", query.type));
  }
  // Matched under the lock, shown without it: the visitor may call the store.
  std::vector<std::pair<Id, std::unique_ptr<Message>>> found;
  RETURN_IF_ERROR(Look([&](Transaction& transaction) -> absl::Status {
    absl::Status status;
    transaction.tables().ListRecords(type->number, [&](const Id& id, const Tables::Record& record) {
      if (!record.shown().alive()) return true;
      const absl::StatusOr<bool> fits = Fits(query, *type, id, record.shown().body, &found);
      if (!fits.ok()) status = fits.status();
      return fits.ok();
    });
    return status;
  }));
  for (const auto& [id, message] : found) {
    if (!visit(id, *message)) break;
  }
  return absl::OkStatus();
}

absl::StatusOr<bool> Store::Fits(const Query& query, const RecordType& type, const Id& id,
                                 const std::string& body,
                                 std::vector<std::pair<Id, std::unique_ptr<Message>>>* found) {
  if (query.scope) {
    const auto places = PlacesOf(type, id, body);
    if (std::none_of(places.begin(), places.end(),
                     [&](const Placed& placed) { return placed.scope == *query.scope; })) {
      return false;
    }
  }
  auto message = NewMessage(type);
  if (!message->ParsePartialFromString(body)) {
    return absl::DataLossError(absl::StrCat("a ", type.name, " cannot be read"));
  }
  for (const auto& [field, value] : query.where) {
    ASSIGN_OR_RETURN(const bool matches, FieldMatches(*message, field, value));
    if (!matches) return false;
  }
  found->emplace_back(id, std::move(message));
  return true;
}

absl::Status Store::MakeChange(Transaction& transaction, Draft& draft, Stamp stamp,
                               sync::v1::Edit* edit) {
  Tables& tables = transaction.tables();
  const RecordType& type = *draft.type_;
  const std::string after = Canonical(type.fields, Serialized(*draft.message_));
  Change change;
  if (draft.is_new_ && !type.id_from.empty()) {
    ASSIGN_OR_RETURN(draft.key_.id, DeriveId(type, after));
  }
  const RecordKey& key = draft.key_;
  Tables::Record record = tables.GetRecord(key);
  if (draft.is_new_ && record.shown().alive()) {
    return absl::AlreadyExistsError(
        absl::StrCat("there is such a ", type.name, " already; change that one"));
  }
  change.set_type(key.type);
  change.set_id(key.id.str());
  change.set_base(draft.is_new_ ? transaction.SeenUpTo(type, PlacesOf(type, key.id, after))
                                : draft.base_);
  // An own edit that has been answered since is no longer built on.
  if (draft.builds_on_ != 0 && tables.GetPending(EditNumber(draft.builds_on_))) {
    change.set_builds_on(draft.builds_on_);
  }
  if (draft.deleted_) {
    change.set_kind(Change::DELETE);
  } else {
    change.set_kind(draft.is_new_ ? Change::CREATE : Change::UPDATE);
    if (!Diff(type, draft.before_, after, &change) && !draft.is_new_) return absl::OkStatus();
  }
  RETURN_IF_ERROR(CheckChange(schema(), change));
  RecordState state = record.shown();
  Outcome outcome;
  RETURN_IF_ERROR(
      Apply(&type, change, {transaction.Device(), kPendingVersion, stamp}, &state, &outcome));
  if (state.alive()) RETURN_IF_ERROR(CheckRecord(type, key.id, state.body));
  record.view = std::move(state);
  tables.PutRecord(key, record);
  *edit->add_changes() = std::move(change);
  return absl::OkStatus();
}

absl::StatusOr<EditNumber> Store::Commit(absl::Span<Draft* const> drafts) {
  EditNumber number;
  RETURN_IF_ERROR(Do([&](Transaction& transaction) -> absl::Status {
    Tables& tables = transaction.tables();
    const Transaction::Last last = transaction.LastEdit();
    Tables::PendingEdit pending;
    pending.number = EditNumber(last.number.value + 1);
    pending.previous = last.link;
    pending.floor = Stamp(tables.GetNumber(kObserved));
    const int64_t now = environment().now_ms();
    pending.stamp = std::max({StampAt(now + tables.GetNumber(kOffset)), Stamp(last.stamp.value + 1),
                              Stamp(pending.floor.value + 1)});
    sync::v1::Edit edit;
    edit.set_device_time_ms(now);
    uint64_t salt = 0;
    const std::string random = environment().random_bytes(sizeof(salt));
    std::copy(random.begin(), random.end(), reinterpret_cast<char*>(&salt));
    edit.set_salt(salt);
    for (Draft* draft : drafts) {
      RETURN_IF_ERROR(MakeChange(transaction, *draft, pending.stamp, &edit));
    }
    if (edit.changes().empty()) return absl::OkStatus();
    std::set<RecordKey> keys;
    for (const Change& change : edit.changes()) {
      if (!keys.insert(KeyOf(change)).second) {
        return absl::InvalidArgumentError("an edit may change a record once");
      }
      tables.AddTouched(KeyOf(change), pending.number);
      transaction.Changed(KeyOf(change));
    }
    pending.edit = edit.SerializeAsString();
    if (pending.edit.size() > kEditBytesMax || edit.changes_size() > kChangesMax) {
      return Refuse(sync::v1::TOO_LARGE, absl::StrCat(pending.edit.size(), " B"));
    }
    tables.AddPending(pending);
    number = pending.number;
    return absl::OkStatus();
  }));
  return number;
}

// ---- Sync, as a person sees it -----------------------------------------------

absl::StatusOr<SyncState> Store::State() {
  SyncState state;
  RETURN_IF_ERROR(Look([&](Transaction& transaction) -> absl::Status {
    Tables& tables = transaction.tables();
    state.unsent = tables.CountPending();
    state.set_aside = tables.CountSetAside();
    state.last_success_ms = tables.GetNumber(kLastSuccess);
    state.progress_done = tables.GetNumber(kProgressDone);
    state.progress_total = tables.GetNumber(kProgressTotal);
    state.records_received = tables.GetNumber(kRecordsReceived);
    state.bytes_received = tables.GetNumber(kBytesReceived);
    state.problem = static_cast<sync::v1::Reason>(tables.GetNumber(kProblem));
    state.problem_detail = tables.GetSetting(kProblemDetail);
    return absl::OkStatus();
  }));
  return state;
}

absl::Status Store::ListSetAside(absl::FunctionRef<void(const SetAside&)> visit) {
  std::vector<SetAside> found;
  RETURN_IF_ERROR(Look([&](Transaction& transaction) -> absl::Status {
    transaction.tables().ListSetAside([&](const SetAside& item) { found.push_back(item); });
    return absl::OkStatus();
  }));
  for (const SetAside& item : found) visit(item);
  return absl::OkStatus();
}

// ---- Sync, as the session sees it --------------------------------------------

absl::StatusOr<Identity> Store::GetIdentity() {
  Identity identity;
  RETURN_IF_ERROR(Look([&](Transaction& transaction) -> absl::Status {
    Tables& tables = transaction.tables();
    identity.device = transaction.Device();
    if (identity.device.value == 0) return Refuse(sync::v1::NOT_ENROLLED, "");
    identity.person = Id::FromBytes(tables.GetSetting(kPerson)).value_or(Id());
    identity.server_id = tables.GetSetting(kServerId);
    identity.address = tables.GetSetting(kAddress);
    identity.fingerprint = tables.GetSetting(kFingerprint);
    identity.secret_key = tables.GetSetting(kSecretKey);
    return absl::OkStatus();
  }));
  return identity;
}

absl::Status Store::SetIdentity(const Identity& identity) {
  return Do([&](Transaction& transaction) -> absl::Status {
    Tables& tables = transaction.tables();
    if (transaction.Device().value != 0) {
      return absl::AlreadyExistsError("this device is enrolled already");
    }
    tables.PutNumber(kDevice, identity.device.value);
    tables.PutSetting(kPerson, identity.person.bytes());
    tables.PutSetting(kServerId, identity.server_id);
    tables.PutSetting(kAddress, identity.address);
    tables.PutSetting(kFingerprint, identity.fingerprint);
    tables.PutSetting(kSecretKey, identity.secret_key);
    return absl::OkStatus();
  });
}

absl::StatusOr<std::vector<sync::v1::Cursor>> Store::Cursors() {
  std::vector<sync::v1::Cursor> cursors;
  RETURN_IF_ERROR(Look([&](Transaction& transaction) -> absl::Status {
    cursors = transaction.tables().Cursors();
    return absl::OkStatus();
  }));
  return cursors;
}

absl::StatusOr<std::vector<NumberedEdit>> Store::Pending(EditNumber after, size_t bytes_max) {
  std::vector<NumberedEdit> edits;
  RETURN_IF_ERROR(Look([&](Transaction& transaction) -> absl::Status {
    size_t bytes = 0;
    transaction.tables().ListPending(after, [&](const Tables::PendingEdit& pending) {
      bytes += pending.edit.size();
      if (!edits.empty() && bytes > bytes_max) return false;
      NumberedEdit& edit = edits.emplace_back();
      edit.set_number(pending.number.value);
      edit.set_stamp(pending.stamp.value);
      edit.set_previous(pending.previous);
      edit.set_edit(pending.edit);
      return true;
    });
    return absl::OkStatus();
  }));
  return edits;
}

absl::Status Store::TakeAnswer(Transaction& transaction, const sync::v1::Answer& answer,
                               std::set<RecordKey>* affected) {
  Tables& tables = transaction.tables();
  const EditNumber number(answer.number());
  const auto pending = tables.GetPending(number);
  if (!pending) return absl::OkStatus();  // told before
  if (answer.link() != LinkTo(pending->edit)) {
    return absl::OkStatus();  // of another copy's edit: see Renumber
  }
  SetAside item{.answer = answer, .at_ms = environment().now_ms()};
  if (!item.edit.ParseFromString(pending->edit)) {
    return absl::DataLossError(absl::StrCat("pending edit ", number.value, " cannot be read"));
  }
  for (const Change& change : item.edit.changes()) {
    tables.DeleteTouched(KeyOf(change), number);
    affected->insert(KeyOf(change));
  }
  if (answer.verdict() != sync::v1::MERGED) tables.AddSetAside(item);
  transaction.Answered(*pending);
  tables.DeletePending(number);
  return absl::OkStatus();
}

absl::Status Store::TakeGroup(Transaction& transaction, const sync::v1::Group& group,
                              bool any_pending, std::set<RecordKey>* affected, uint64_t* observed) {
  Tables& tables = transaction.tables();
  const size_t count = static_cast<size_t>(group.bodies_size());
  const bool traced = !group.traces().empty();
  if (group.ids().size() != count * Id::kSize ||
      (traced && static_cast<size_t>(group.traces_size()) != count)) {
    return Refuse(sync::v1::PROTOCOL_ERROR, "group");
  }
  RecordState state;
  state.exists = true;
  state.touch = {Version(group.version()), DeviceNumber(group.writer()), Stamp(group.stamp())};
  for (size_t i = 0; i < count; ++i) {
    const RecordKey key{
        group.type(),
        *Id::FromBytes(absl::string_view(group.ids()).substr(i * Id::kSize, Id::kSize))};
    state.body = group.bodies(static_cast<int>(i));
    if (traced) {
      state.trace = group.traces(static_cast<int>(i));
      sync::v1::Trace trace;
      if (!trace.ParseFromString(state.trace)) return Refuse(sync::v1::PROTOCOL_ERROR, "trace");
      *observed = std::max(*observed, LatestIn(trace));
    }
    tables.PutConfirmed(key, state);
    transaction.Changed(key);
    if (any_pending && !tables.TouchedBy(key).empty()) {
      affected->insert(key);
    } else {
      affected->erase(key);  // what is confirmed now is the view
    }
  }
  return absl::OkStatus();
}

absl::Status Store::TakeRemoval(Transaction& transaction, const sync::v1::Removal& removal,
                                bool any_pending, std::set<RecordKey>* affected) {
  if (removal.ids().size() % Id::kSize != 0) return Refuse(sync::v1::PROTOCOL_ERROR, "removal");
  for (size_t at = 0; at < removal.ids().size(); at += Id::kSize) {
    const RecordKey key{removal.type(),
                        *Id::FromBytes(absl::string_view(removal.ids()).substr(at, Id::kSize))};
    transaction.tables().DeleteRecord(key);
    transaction.Changed(key);
    if (any_pending && !transaction.tables().TouchedBy(key).empty()) affected->insert(key);
  }
  return absl::OkStatus();
}

absl::Status Store::ApplyUpdate(const sync::v1::Update& update) {
  return Do([&](Transaction& transaction) -> absl::Status {
    Tables& tables = transaction.tables();
    std::set<RecordKey> affected;
    for (const auto& answer : update.answers()) {
      RETURN_IF_ERROR(TakeAnswer(transaction, answer, &affected));
    }
    transaction.WriteAnswered();
    const bool any_pending = tables.CountPending() > 0;
    int64_t records = 0;
    uint64_t observed = static_cast<uint64_t>(tables.GetNumber(kObserved));
    for (const auto& group : update.groups()) {
      RETURN_IF_ERROR(TakeGroup(transaction, group, any_pending, &affected, &observed));
      observed = std::max<uint64_t>(observed, group.stamp());
      records += group.bodies_size();
    }
    for (const auto& removal : update.removals()) {
      RETURN_IF_ERROR(TakeRemoval(transaction, removal, any_pending, &affected));
      records += static_cast<int64_t>(removal.ids().size() / Id::kSize);
    }
    for (const RecordKey& key : affected) RETURN_IF_ERROR(transaction.Recompute(key));
    for (const auto& cursor : update.cursors()) tables.PutCursor(cursor);
    tables.PutNumber(kObserved, static_cast<int64_t>(observed));
    tables.PutNumber(kRecordsReceived, tables.GetNumber(kRecordsReceived) + records);
    tables.PutNumber(kBytesReceived, tables.GetNumber(kBytesReceived) +
                                         static_cast<int64_t>(update.ByteSizeLong()));
    // What happens while a session is open was not known when it began.
    const int64_t done = tables.GetNumber(kProgressDone) + static_cast<int64_t>(update.passed());
    tables.PutNumber(kProgressDone, done);
    if (!update.catching_up() || done > tables.GetNumber(kProgressTotal)) {
      tables.PutNumber(kProgressTotal, done);
    }
    return absl::OkStatus();
  });
}

absl::Status Store::Renumber(DeviceNumber device) {
  return Do([&](Transaction& transaction) -> absl::Status {
    Tables& tables = transaction.tables();
    std::vector<Tables::PendingEdit> pending;
    tables.ListPending(EditNumber(0), [&](const Tables::PendingEdit& edit) {
      pending.push_back(edit);
      return true;
    });
    std::map<uint64_t, uint64_t> renumbered;
    std::set<RecordKey> affected;
    uint64_t link = 0;
    for (Tables::PendingEdit& entry : pending) {
      sync::v1::Edit edit;
      if (!edit.ParseFromString(entry.edit)) {
        return absl::DataLossError(
            absl::StrCat("pending edit ", entry.number.value, " cannot be read"));
      }
      const EditNumber old = entry.number;
      entry.number = EditNumber(renumbered.size() + 1);
      renumbered[old.value] = entry.number.value;
      tables.DeletePending(old);
      for (Change& change : *edit.mutable_changes()) {
        // What it built on either goes along or has been answered.
        const auto below = renumbered.find(change.builds_on());
        change.set_builds_on(below == renumbered.end() ? 0 : below->second);
        tables.DeleteTouched(KeyOf(change), old);
        tables.AddTouched(KeyOf(change), entry.number);
        affected.insert(KeyOf(change));
      }
      entry.edit = edit.SerializeAsString();
      entry.previous = link;
      link = LinkTo(entry.edit);
      tables.AddPending(entry);
    }
    tables.PutNumber(kDevice, device.value);
    tables.PutNumber(kLastNumber, 0);
    tables.PutNumber(kLastLink, 0);
    for (const RecordKey& key : affected) RETURN_IF_ERROR(transaction.Recompute(key));
    return absl::OkStatus();
  });
}

absl::Status Store::Restamp(int64_t offset_ms) {
  return Do([&](Transaction& transaction) -> absl::Status {
    Tables& tables = transaction.tables();
    if (std::abs(offset_ms - tables.GetNumber(kOffset)) < kOffsetToleranceMs)
      return absl::OkStatus();
    tables.PutNumber(kOffset, offset_ms);
    std::vector<Tables::PendingEdit> pending;
    tables.ListPending(EditNumber(0), [&](const Tables::PendingEdit& edit) {
      pending.push_back(edit);
      return true;
    });
    std::set<RecordKey> affected;
    // Stamps given by the wrong clock bind nothing: only what the author had
    // seen, and the author's own order.
    Stamp last;
    for (Tables::PendingEdit& entry : pending) {
      sync::v1::Edit edit;
      if (!edit.ParseFromString(entry.edit)) {
        return absl::DataLossError(
            absl::StrCat("pending edit ", entry.number.value, " cannot be read"));
      }
      entry.stamp = std::max({StampAt(edit.device_time_ms() + offset_ms), Stamp(last.value + 1),
                              Stamp(entry.floor.value + 1)});
      last = entry.stamp;
      tables.AddPending(entry);
      for (const Change& change : edit.changes()) affected.insert(KeyOf(change));
    }
    tables.PutNumber(kLastStamp, 0);
    for (const RecordKey& key : affected) RETURN_IF_ERROR(transaction.Recompute(key));
    return absl::OkStatus();
  });
}

absl::Status Store::BeginDownload(uint64_t to_pass) {
  return Do([&](Transaction& transaction) -> absl::Status {
    Tables& tables = transaction.tables();
    tables.PutNumber(kProgressTotal, static_cast<int64_t>(to_pass));
    tables.PutNumber(kProgressDone, 0);
    tables.PutNumber(kRecordsReceived, 0);
    tables.PutNumber(kBytesReceived, 0);
    return absl::OkStatus();
  });
}

absl::Status Store::EndAttempt(const absl::Status& status) {
  return Do([&](Transaction& transaction) -> absl::Status {
    Tables& tables = transaction.tables();
    const Refused refused = ReasonOf(status);
    if (status.ok()) tables.PutNumber(kLastSuccess, environment().now_ms());
    tables.PutNumber(kProblem, status.ok()                             ? sync::v1::NO_REASON
                               : refused.reason == sync::v1::NO_REASON ? sync::v1::SERVER_TROUBLE
                                                                       : refused.reason);
    tables.PutSetting(kProblemDetail, status.ok()                             ? ""
                                      : refused.reason == sync::v1::NO_REASON ? status.message()
                                                                              : refused.detail);
    return absl::OkStatus();
  });
}

}  // namespace zhibu::client
