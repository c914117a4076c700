#include "client-core/store.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <set>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "client-core/match.h"
#include "client-core/tables.h"
#include "sync/courier.h"
#include "sync/diff.h"
#include "sync/handshake.h"
#include "sync/merge.h"
#include "sync/reason.h"
#include "sync/record.h"
#include "sync/status.h"
#include "zhibu/records/v1/held.pb.h"
#include "zhibu/stored/v1/client.pb.h"
#include "zhibu/sync/v1/trace.pb.h"

namespace zhibu::client {
namespace {

using google::protobuf::Message;
using records::v1::HeldEdit;
using sync::v1::Change;
using sync::v1::NumberedEdit;

// Names in the setting table.
constexpr char kDevice[] = "device";
constexpr char kPerson[] = "person";
constexpr char kServerId[] = "server_id";
constexpr char kAddress[] = "address";
constexpr char kFingerprint[] = "fingerprint";
constexpr char kSecretKey[] = "secret_key";
constexpr char kIncarnation[] = "incarnation";
constexpr char kCourierKey[] = "courier_key";
constexpr char kRecord[] = "record";
// The last edit that a courier's receipt says is in, though it is still pending.
constexpr char kDelivered[] = "delivered";
constexpr char kFormers[] = "formers";  // stored.v1.Formers
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

uint32_t HeldType() {
  static const uint32_t type = CatalogueSchema()->Find(HeldEdit::descriptor())->number;
  return type;
}

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

  void ChangedAll() { changes_.all = true; }

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

  // An edit to be offered, and the number that the device had when it was made.
  struct Offer {
    DeviceNumber device;
    Tables::PendingEdit entry;
  };

  // Takes all that has no answer out of the queue.
  absl::StatusOr<std::vector<Offer>> TakeQueue() {
    std::vector<Offer> offers;
    tables_.ListPending(EditNumber(0), [&](const Tables::PendingEdit& entry) {
      offers.push_back({Device(), entry});
      return true;
    });
    for (const Offer& offer : offers) {
      ASSIGN_OR_RETURN(const sync::v1::Edit edit, EditOf(offer.entry));
      for (const Change& change : edit.changes()) {
        tables_.DeleteTouched(KeyOf(change), offer.entry.number);
      }
      tables_.DeletePending(offer.entry.number);
    }
    return offers;
  }

  // Takes all that was answered and is not known to be safe.
  std::vector<Offer> TakeKept() {
    std::vector<Offer> offers;
    for (auto& [device, entry] : tables_.ListKept()) offers.push_back({device, std::move(entry)});
    tables_.DropKept(DeviceNumber(), EditNumber());
    return offers;
  }
  // Those of former numbers first; those of the latest as they were made, whether
  // they had an answer or not.
  static void Order(DeviceNumber latest, std::vector<Offer>* offers) {
    std::stable_sort(offers->begin(), offers->end(), [&](const Offer& a, const Offer& b) {
      if (a.device != latest || b.device != latest) return a.device != latest && b.device == latest;
      return a.entry.number < b.entry.number;
    });
  }
  // What has been set aside without having been sent (see Follows) is sent after all.
  absl::Status SendSetAside() {
    std::vector<SetAside> unsent;
    tables_.ListSetAside([&](const SetAside& item) {
      if (item.answer.link() == 0) unsent.push_back(item);
    });
    std::vector<Offer> offers;
    Stamp last = LastEdit().stamp;
    for (const SetAside& item : unsent) {
      Tables::PendingEdit entry;
      last = entry.stamp = std::max(
          StampAt(item.edit.device_time_ms() + tables_.GetNumber(kOffset)), Stamp(last.value + 1));
      entry.edit = item.edit.SerializeAsString();
      entry.salt = item.edit.salt();
      offers.push_back({Device(), std::move(entry)});
      tables_.DeleteSetAside(item.place);
    }
    return Renumber(offers, LastEdit());
  }

  // What is left shows what this device alone knows.
  absl::Status EraseAnswered() {
    RETURN_IF_ERROR(SendSetAside());
    tables_.EraseAnswered();
    any_stale_.reset();
    ChangedAll();
    return RecomputePending();
  }

  // The view of whatever own edits change.
  absl::Status RecomputePending() {
    std::set<RecordKey> affected;
    absl::Status status;
    tables_.ListPending(EditNumber(0), [&](const Tables::PendingEdit& entry) {
      const absl::StatusOr<sync::v1::Edit> edit = EditOf(entry);
      status.Update(edit.status());
      if (!edit.ok()) return false;
      for (const Change& change : edit->changes()) affected.insert(KeyOf(change));
      return true;
    });
    RETURN_IF_ERROR(status);
    for (const RecordKey& key : affected) RETURN_IF_ERROR(Recompute(key));
    return absl::OkStatus();
  }

  // What had been set aside and is offered again is to be judged again.
  void ForgetVerdicts() {
    std::vector<int64_t> places;
    tables_.ListSetAside([&](const SetAside& item) {
      if (offered_.count(item.edit.salt()) > 0) places.push_back(item.place);
    });
    for (const int64_t place : places) tables_.DeleteSetAside(place);
  }

  // Queues it as it is.
  absl::Status Requeue(const Offer& offer) {
    ASSIGN_OR_RETURN(const sync::v1::Edit edit, EditOf(offer.entry));
    for (const Change& change : edit.changes()) {
      if (offer.entry.withdrawn) break;
      tables_.AddTouched(KeyOf(change), offer.entry.number);
    }
    tables_.AddPending(offer.entry);
    offered_.insert(edit.salt());
    return absl::OkStatus();
  }

  // Queues them as they were, as though they had never had an answer. Ascending.
  absl::Status OfferAgain(const std::vector<Offer>& offers) {
    std::set<RecordKey> affected;
    for (const Offer& offer : offers) {
      const Tables::PendingEdit& entry = offer.entry;
      if (entry.number <= EditNumber(tables_.GetNumber(kLastNumber))) {
        SetDevice(offer.device, {EditNumber(entry.number.value - 1), entry.previous, {}});
      }
      RETURN_IF_ERROR(Requeue(offer));
      ASSIGN_OR_RETURN(const sync::v1::Edit edit, EditOf(entry));
      for (const Change& change : edit.changes()) affected.insert(KeyOf(change));
    }
    for (const RecordKey& key : affected) RETURN_IF_ERROR(Recompute(key));
    return absl::OkStatus();
  }

  // Queues them under new numbers, after `last`.
  absl::Status Renumber(const std::vector<Offer>& offers, Last last) {
    std::map<uint64_t, sync::v1::Answer> refused;
    ListSetAside([&](const SetAside& item) {
      if (item.standing != SetAside::Standing::kTaken) refused[item.edit.salt()] = item.answer;
    });
    for (const Offer& offer : offers) refused.erase(offer.entry.salt);  // is judged again
    std::set<RecordKey> affected;
    for (const auto& [device, offered] : offers) {
      Tables::PendingEdit entry = offered;
      ASSIGN_OR_RETURN(const sync::v1::Edit edit, EditOf(entry));
      for (const Change& change : edit.changes()) affected.insert(KeyOf(change));
      const auto below = std::find_if(entry.builds_on.begin(), entry.builds_on.end(),
                                      [&](uint64_t salt) { return refused.count(salt) > 0; });
      if (below != entry.builds_on.end()) {
        const sync::v1::Answer answer = Follows(refused[*below], entry.number);
        refused[entry.salt] = answer;
        RETURN_IF_ERROR(PutAside(device, entry, answer));
        continue;
      }
      last.number = entry.number = EditNumber(last.number.value + 1);
      entry.previous = last.link;
      last.link = LinkTo(entry.edit);
      RETURN_IF_ERROR(Requeue({device, entry}));
    }
    for (const RecordKey& key : affected) RETURN_IF_ERROR(Recompute(key));
    return absl::OkStatus();
  }

  // As the server would have answered, had it been asked under the old number.
  static sync::v1::Answer Follows(const sync::v1::Answer& below, EditNumber number) {
    sync::v1::Answer answer;
    answer.set_number(number.value);
    answer.set_verdict(below.verdict());
    answer.set_reason(below.verdict() == sync::v1::HELD ? sync::v1::BUILDS_ON_HELD
                                                        : sync::v1::BUILDS_ON_RETURNED);
    answer.set_detail(absl::StrCat(below.number()));
    return answer;
  }

  // What was set aside and has been made again by these drafts goes.
  absl::Status Amended(absl::Span<Draft* const> drafts) {
    std::map<int64_t, int> records;
    for (const Draft* draft : drafts) {
      if (draft->amends_ != 0) ++records[draft->amends_];
    }
    for (const Draft* draft : drafts) {
      if (draft->amends_ != 0 && records[draft->amends_] != draft->amends_records_) {
        return absl::InvalidArgumentError(
            absl::StrCat("what was set aside as ", draft->amends_, " is to be committed whole"));
      }
    }
    for (const auto& [place, count] : records) {
      RETURN_IF_ERROR(LetGo(place));
    }
    return absl::OkStatus();
  }

  // Of what waits for others to decide, or was taken by them, only the entry goes. What was
  // returned never comes in, though the server be restored and judge anew.
  absl::Status LetGo(int64_t place) {
    std::optional<SetAside> found;
    ListSetAside([&](const SetAside& item) {
      if (item.place == place) found = item;
    });
    if (!found) return absl::NotFoundError(absl::StrCat("nothing is set aside as ", place));
    if (found->standing == SetAside::Standing::kReturned) tables_.Withdraw(found->edit.salt());
    tables_.DeleteSetAside(place);
    return absl::OkStatus();
  }

  // The tables do not know what became of the edits since.
  void ListSetAside(absl::FunctionRef<void(const SetAside&)> visit) {
    std::vector<SetAside> all;
    tables_.ListSetAside([&](const SetAside& item) { all.push_back(item); });
    for (SetAside& item : all) {
      if (item.answer.verdict() == sync::v1::HELD) FindStanding(&item);
      visit(item);
    }
  }

  void FindStanding(SetAside* item) {
    // See Follows: what was sent is answered with its link.
    if (item->answer.link() == 0) {
      item->standing = SetAside::Standing::kNotSent;
      return;
    }
    const RecordKey key{HeldType(), HeldId(item->edit.SerializeAsString())};
    HeldEdit held;
    held.ParseFromString(tables_.GetRecord(key).confirmed.body);  // not here yet: it waits
    item->standing = held.state() == HeldEdit::TAKEN      ? SetAside::Standing::kTaken
                     : held.state() == HeldEdit::RETURNED ? SetAside::Standing::kReturned
                                                          : SetAside::Standing::kWaiting;
    item->reply = held.reply();
  }

  absl::Status PutAside(DeviceNumber device, const Tables::PendingEdit& entry,
                        sync::v1::Answer answer) {
    SetAside item;
    item.device = device;
    ASSIGN_OR_RETURN(item.edit, EditOf(entry));
    item.answer = std::move(answer);
    item.at_ms = store_.environment().now_ms();
    tables_.AddSetAside(item);
    return absl::OkStatus();
  }

  // From now on; what is numbered next follows `last`.
  void SetDevice(DeviceNumber device, const Last& last) {
    tables_.PutNumber(kDevice, device.value);
    tables_.PutNumber(kDelivered, 0);
    tables_.PutNumber(kLastNumber, static_cast<int64_t>(last.number.value));
    tables_.PutNumber(kLastLink, static_cast<int64_t>(last.link));
  }

  stored::v1::Formers Formers() {
    stored::v1::Formers formers;
    formers.ParseFromString(tables_.GetSetting(kFormers));
    return formers;
  }
  void SetFormers(const stored::v1::Formers& formers) {
    tables_.PutSetting(kFormers, formers.SerializeAsString());
  }

  static absl::StatusOr<sync::v1::Edit> EditOf(const Tables::PendingEdit& entry) {
    sync::v1::Edit edit;
    if (!edit.ParseFromString(entry.edit)) {
      return absl::DataLossError(absl::StrCat("edit ", entry.number.value, " cannot be read"));
    }
    return edit;
  }

  bool AnyStale() {
    if (!any_stale_) any_stale_ = tables_.AnyStale();
    return *any_stale_;
  }
  void MakeStale() {
    tables_.MakeStale();
    any_stale_.reset();
  }
  absl::Status BeginIncarnation(const std::string& incarnation) {
    MakeStale();
    // The server knows the number: so it has all that came before it under others.
    std::vector<Offer> offers = TakeKept();
    offers.erase(std::remove_if(offers.begin(), offers.end(),
                                [&](const Offer& offer) { return offer.device != Device(); }),
                 offers.end());
    RETURN_IF_ERROR(OfferAgain(offers));
    ForgetVerdicts();
    SetFormers({});
    tables_.PutNumber(kDelivered, 0);
    tables_.PutSetting(kIncarnation, incarnation);
    return absl::OkStatus();
  }

  // The server has told all that it has: what it did not speak of it has forgotten.
  absl::Status Sweep() {
    for (const RecordKey& key : tables_.ListStale()) {
      tables_.Refreshed(key);
      Tables::Record record = tables_.GetRecord(key);
      record.confirmed = RecordState();
      tables_.PutRecord(key, record);
      RETURN_IF_ERROR(Recompute(key));
    }
    return absl::OkStatus();
  }

  absl::Status MayEnrolAgain(const Identity& identity) {
    const bool same = tables_.GetSetting(kPerson) == identity.person.bytes() &&
                      tables_.GetSetting(kServerId) == identity.server_id;
    const int64_t problem = tables_.GetNumber(kProblem);
    const bool forgotten = problem == sync::v1::UNKNOWN_DEVICE;
    const bool goes_on = problem == sync::v1::REAUTHENTICATE && identity.device == Device();
    const bool begins_anew = problem == sync::v1::DEVICE_REVOKED && tables_.CountPending() == 0;
    if (same && (forgotten || goes_on || begins_anew)) return absl::OkStatus();
    return absl::AlreadyExistsError("this device is enrolled already");
  }

  // The server has forgotten this device: it is to judge anew, as `device`, all that
  // is not known to be in a backup.
  absl::Status OfferAll(DeviceNumber device) {
    std::vector<Offer> offers = TakeKept();
    ASSIGN_OR_RETURN(std::vector<Offer> queue, TakeQueue());
    std::move(queue.begin(), queue.end(), std::back_inserter(offers));
    Order(Device(), &offers);
    MakeStale();
    SetDevice(device, {});
    RETURN_IF_ERROR(Renumber(offers, {}));
    ForgetVerdicts();
    return absl::OkStatus();
  }

  // Works out the view of a record again, from what is confirmed and pending. One
  // that is stale stays as it is shown: what is confirmed of it may hold what is
  // pending once more.
  absl::Status Recompute(const RecordKey& key) {
    if (AnyStale() && tables_.IsStale(key)) return absl::OkStatus();
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

  // As it is sent.
  NumberedEdit Numbered(const Tables::PendingEdit& pending) {
    NumberedEdit edit;
    edit.set_number(pending.number.value);
    edit.set_stamp(pending.stamp.value);
    edit.set_previous(pending.previous);
    edit.set_edit(pending.edit);
    edit.set_withdrawn(pending.withdrawn);
    // One that has left the device's number was answered before.
    for (const uint64_t salt : pending.builds_on) {
      if (const auto below = tables_.NumberOf(Device(), salt)) edit.add_builds_on(below->value);
    }
    return edit;
  }

  // Names a pending edit for as long as it is one: its number may change.
  uint64_t SaltOf(EditNumber number) {
    const auto pending = tables_.GetPending(number);
    return pending ? pending->salt : 0;
  }

  // The version up to which this device has seen what lies in these places.
  uint64_t SeenUpTo(const RecordType& type, const std::vector<Placed>& places) {
    uint64_t seen = 0;
    for (const auto& cursor : tables_.Cursors()) {
      const bool reads = (cursor.audience() & type.readers.at_home) != 0;
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
    if (!pending) return absl::DataLossError(absl::StrCat("edit ", number.value, " is missing"));
    ASSIGN_OR_RETURN(const sync::v1::Edit edit, EditOf(*pending));
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
  std::optional<bool> any_stale_;
  std::set<uint64_t> offered_;  // the salts of what was queued anew
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
  if (!options.key.empty() && options.key.size() != Seal::kKeySize) {
    return absl::InvalidArgumentError(absl::StrCat("a key has ", Seal::kKeySize, " bytes"));
  }
  std::unique_ptr<Store> store(new Store(std::move(options)));
  try {
    absl::MutexLock lock(&store->shared_->mutex);
    store->shared_->tables = std::make_unique<Tables>(store->options_);
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
  RETURN_IF_ERROR(Look([&](Transaction& transaction) { return FillDraft(transaction, &draft); }));
  return draft;
}

absl::Status Store::FillDraft(Transaction& transaction, Draft* draft) {
  const std::string& name = draft->type_->name;
  const Tables::Record record = transaction.tables().GetRecord(draft->key_);
  if (!record.shown().alive()) {
    return absl::NotFoundError(absl::StrCat("there is no such ", name, " on this device"));
  }
  const std::vector<EditNumber> own = transaction.tables().TouchedBy(draft->key_);
  draft->base_ = record.confirmed.exists ? record.confirmed.version().value : 0;
  draft->builds_on_ = own.empty() ? 0 : transaction.SaltOf(own.back());
  draft->before_ = record.shown().body;
  if (!draft->message_->ParsePartialFromString(draft->before_)) {
    return absl::DataLossError(absl::StrCat("a ", name, " cannot be read"));
  }
  return absl::OkStatus();
}

absl::Status Store::List(const Query& query,
                         absl::FunctionRef<bool(const Id&, const Message&)> visit) {
  const RecordType* type = schema().Find(query.type);
  if (type == nullptr) {
    return absl::InvalidArgumentError(absl::StrCat("no record type ", query.type));
  }
  // Matched under the lock, shown without it: the visitor may call the store.
  std::vector<std::pair<Id, std::unique_ptr<Message>>> found;
  absl::Status damage;  // the first; it hides no other record
  RETURN_IF_ERROR(Look([&](Transaction& transaction) -> absl::Status {
    absl::Status status;
    transaction.tables().ListRecords(
        type->number, [&](const Id& id, const absl::StatusOr<Tables::Record>& record) {
          if (!record.ok()) {
            damage.Update(record.status());
          } else if (record->shown().alive()) {
            status = Fits(query, *type, id, record->shown().body, &found).status();
          }
          if (absl::IsDataLoss(status)) damage.Update(std::exchange(status, absl::OkStatus()));
          return status.ok();
        });
    return status;
  }));
  for (const auto& [id, message] : found) {
    if (!visit(id, *message)) break;
  }
  return damage;
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
                               sync::v1::Edit* edit, std::set<uint64_t>* builds_on) {
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
  if (draft.builds_on_ != 0) builds_on->insert(draft.builds_on_);
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
    edit.set_salt(environment().NewSalt());
    std::set<uint64_t> builds_on;
    for (Draft* draft : drafts) {
      RETURN_IF_ERROR(MakeChange(transaction, *draft, pending.stamp, &edit, &builds_on));
    }
    pending.salt = edit.salt();
    pending.builds_on.assign(builds_on.begin(), builds_on.end());
    RETURN_IF_ERROR(transaction.Amended(drafts));
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

absl::StatusOr<int64_t> Store::ServerNow() {
  int64_t now = environment().now_ms();
  RETURN_IF_ERROR(Look([&](Transaction& transaction) -> absl::Status {
    now += transaction.tables().GetNumber(kOffset);
    return absl::OkStatus();
  }));
  return now;
}

// ---- Sync, as a person sees it -----------------------------------------------

absl::StatusOr<SyncState> Store::State() {
  SyncState state;
  RETURN_IF_ERROR(Look([&](Transaction& transaction) -> absl::Status {
    Tables& tables = transaction.tables();
    state.unsent = tables.CountPending();
    const EditNumber delivered(tables.GetNumber(kDelivered));
    tables.ListPending(EditNumber(0), [&](const Tables::PendingEdit& pending) {
      if (pending.number > delivered) return false;
      ++state.delivered;
      return true;
    });
    transaction.ListSetAside([&](const SetAside& item) {
      state.set_aside += item.standing == SetAside::Standing::kTaken ? 0 : 1;
    });
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
    transaction.ListSetAside([&](const SetAside& item) { found.push_back(item); });
    return absl::OkStatus();
  }));
  for (const SetAside& item : found) visit(item);
  return absl::OkStatus();
}

absl::StatusOr<Draft> Store::AmendOne(Transaction& transaction, const Change& change) {
  Draft draft;
  draft.type_ = schema().Find(change.type());
  if (draft.type_ == nullptr) return Refuse(sync::v1::UNKNOWN_TYPE, absl::StrCat(change.type()));
  draft.key_ = KeyOf(change);
  draft.message_ = NewMessage(*draft.type_);
  const absl::Status here = FillDraft(transaction, &draft);
  if (change.kind() == Change::CREATE && absl::IsNotFound(here)) {
    draft.is_new_ = true;
    draft.message_->ParsePartialFromString(change.set());
    return draft;
  }
  RETURN_IF_ERROR(here);
  if (change.kind() == Change::DELETE) {
    draft.Delete();
    return draft;
  }
  // Its author has now seen what is shown.
  Change again = change;
  again.set_kind(Change::UPDATE);
  again.set_base(kPendingVersion.value);
  RecordState state = transaction.tables().GetRecord(draft.key_).shown();
  Outcome outcome;
  RETURN_IF_ERROR(Apply(draft.type_, again,
                        {transaction.Device(), kPendingVersion, StampAt(environment().now_ms())},
                        &state, &outcome));
  draft.message_->Clear();
  draft.message_->ParsePartialFromString(state.body);
  return draft;
}

absl::StatusOr<std::vector<Draft>> Store::Amend(int64_t place) {
  std::vector<Draft> drafts;
  RETURN_IF_ERROR(Look([&](Transaction& transaction) -> absl::Status {
    std::optional<SetAside> found;
    transaction.ListSetAside([&](const SetAside& item) {
      if (item.place == place) found = item;
    });
    if (!found) return absl::NotFoundError(absl::StrCat("nothing is set aside as ", place));
    if (found->standing == SetAside::Standing::kWaiting ||
        found->standing == SetAside::Standing::kTaken) {
      return Refuse(sync::v1::NOT_DECIDED, absl::StrCat(place));
    }
    for (const Change& change : found->edit.changes()) {
      ASSIGN_OR_RETURN(Draft draft, AmendOne(transaction, change));
      draft.amends_ = place;
      draft.amends_records_ = found->edit.changes_size();
      drafts.push_back(std::move(draft));
    }
    return absl::OkStatus();
  }));
  return drafts;
}

absl::Status Store::Discard(int64_t place) {
  return Do([&](Transaction& transaction) { return transaction.LetGo(place); });
}

// ---- Sync, as the session sees it --------------------------------------------

absl::StatusOr<Identity> Store::GetIdentity() {
  Identity identity;
  RETURN_IF_ERROR(Look([&](Transaction& transaction) -> absl::Status {
    Tables& tables = transaction.tables();
    identity.device = transaction.Device();
    if (identity.device.value == 0) {
      return tables.GetNumber(kProblem) == sync::v1::DEVICE_WIPED
                 ? Refuse(sync::v1::DEVICE_WIPED, tables.GetSetting(kProblemDetail))
                 : Refuse(sync::v1::NOT_ENROLLED, "");
    }
    identity.person = Id::FromBytes(tables.GetSetting(kPerson)).value_or(Id());
    identity.server_id = tables.GetSetting(kServerId);
    identity.address = tables.GetSetting(kAddress);
    identity.fingerprint = tables.GetSetting(kFingerprint);
    identity.secret_key = tables.GetSetting(kSecretKey);
    identity.incarnation = tables.GetSetting(kIncarnation);
    identity.courier_key = tables.GetSetting(kCourierKey);
    identity.record = Id::FromBytes(tables.GetSetting(kRecord)).value_or(Id());
    return absl::OkStatus();
  }));
  return identity;
}

absl::Status Store::SetIdentity(const Identity& identity) {
  return Do([&](Transaction& transaction) -> absl::Status {
    Tables& tables = transaction.tables();
    if (transaction.Device().value != 0) RETURN_IF_ERROR(transaction.MayEnrolAgain(identity));
    const bool forgotten = tables.GetNumber(kProblem) == sync::v1::UNKNOWN_DEVICE;
    const bool same_number = identity.device == transaction.Device();
    if (!same_number && forgotten) RETURN_IF_ERROR(transaction.OfferAll(identity.device));
    if (!same_number) {
      transaction.SetDevice(identity.device, {});
      transaction.SetFormers({});
      // Of what was recorded before, this device is the author now.
      RETURN_IF_ERROR(transaction.RecomputePending());
      // One that goes on must yet be told that the server was restored meanwhile.
      tables.PutSetting(kIncarnation, identity.incarnation);
    }
    tables.PutNumber(kProblem, sync::v1::NO_REASON);
    tables.PutSetting(kProblemDetail, "");
    tables.PutSetting(kPerson, identity.person.bytes());
    tables.PutSetting(kServerId, identity.server_id);
    tables.PutSetting(kAddress, identity.address);
    tables.PutSetting(kFingerprint, identity.fingerprint);
    tables.PutSetting(kSecretKey, identity.secret_key);
    tables.PutSetting(kCourierKey, identity.courier_key);
    tables.PutSetting(kRecord, identity.record.bytes());
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
      edits.push_back(transaction.Numbered(pending));
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
  ASSIGN_OR_RETURN(const sync::v1::Edit edit, Transaction::EditOf(*pending));
  for (const Change& change : edit.changes()) {
    tables.DeleteTouched(KeyOf(change), number);
    affected->insert(KeyOf(change));
  }
  if (answer.verdict() != sync::v1::MERGED && !pending->withdrawn) {
    RETURN_IF_ERROR(transaction.PutAside(transaction.Device(), *pending, answer));
  }
  transaction.Answered(*pending);
  tables.Keep(transaction.Device(), *pending);
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
    if (transaction.AnyStale()) tables.Refreshed(key);
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
    if (transaction.AnyStale()) transaction.tables().Refreshed(key);
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
    if (!update.catching_up() && transaction.AnyStale()) RETURN_IF_ERROR(transaction.Sweep());
    for (const auto& cursor : update.cursors()) tables.PutCursor(cursor);
    tables.PutNumber(kObserved, static_cast<int64_t>(observed));
    tables.PutNumber(kRecordsReceived, tables.GetNumber(kRecordsReceived) + records);
    tables.PutNumber(kBytesReceived, tables.GetNumber(kBytesReceived) +
                                         static_cast<int64_t>(update.ByteSizeLong()));
    // What happens while a session is open was not known when it began.
    const auto done = static_cast<int64_t>(static_cast<uint64_t>(tables.GetNumber(kProgressDone)) +
                                           update.passed());
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
    stored::v1::Formers formers = transaction.Formers();
    auto* former = formers.add_formers();
    former->set_device(transaction.Device().value);
    former->set_last_number(static_cast<uint64_t>(tables.GetNumber(kLastNumber)));
    former->set_last_link(static_cast<uint64_t>(tables.GetNumber(kLastLink)));
    transaction.SetFormers(formers);
    ASSIGN_OR_RETURN(std::vector<Transaction::Offer> offers, transaction.TakeQueue());
    transaction.SetDevice(device, {});
    return transaction.Renumber(offers, {});
  });
}

absl::Status Store::BeginIncarnation(const std::string& incarnation) {
  return Do([&](Transaction& transaction) { return transaction.BeginIncarnation(incarnation); });
}

absl::StatusOr<bool> Store::GoBack() {
  bool went = false;
  RETURN_IF_ERROR(Do([&](Transaction& transaction) -> absl::Status {
    stored::v1::Formers formers = transaction.Formers();
    if (formers.formers().empty()) return absl::OkStatus();
    const auto former = formers.formers().rbegin();
    const DeviceNumber device(former->device());
    const Transaction::Last last{EditNumber(former->last_number()), former->last_link(), {}};
    formers.mutable_formers()->RemoveLast();
    transaction.SetFormers(formers);
    ASSIGN_OR_RETURN(std::vector<Transaction::Offer> queue, transaction.TakeQueue());
    const DeviceNumber latest = transaction.Device();
    transaction.SetDevice(device, last);
    std::vector<Transaction::Offer> as_they_were;
    std::vector<Transaction::Offer> offers;
    for (Transaction::Offer& offer : transaction.TakeKept()) {
      if (offer.device == device) {
        as_they_were.push_back(std::move(offer));
      } else if (offer.device == latest) {
        offers.push_back(std::move(offer));
      } else {
        transaction.tables().Keep(offer.device, offer.entry);
      }
    }
    std::move(queue.begin(), queue.end(), std::back_inserter(offers));
    Transaction::Order(latest, &offers);
    transaction.MakeStale();
    RETURN_IF_ERROR(transaction.OfferAgain(as_they_were));
    RETURN_IF_ERROR(transaction.Renumber(offers, last));
    transaction.ForgetVerdicts();
    went = true;
    return absl::OkStatus();
  }));
  return went;
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

absl::Status Store::BeginDownload(const sync::v1::Welcome& welcome) {
  return Do([&](Transaction& transaction) -> absl::Status {
    Tables& tables = transaction.tables();
    if (welcome.service() == sync::v1::Welcome::LOST) {
      RETURN_IF_ERROR(transaction.EraseAnswered());
    }
    if (welcome.safe() > 0) {
      // And with it all that went before it under other numbers.
      tables.DropKept(transaction.Device(), EditNumber(welcome.safe()));
      transaction.SetFormers({});
    }
    if (!welcome.device_id().empty()) tables.PutSetting(kRecord, welcome.device_id());
    if (!welcome.courier_key().empty()) tables.PutSetting(kCourierKey, welcome.courier_key());
    tables.PutNumber(kProgressTotal, static_cast<int64_t>(welcome.to_pass()));
    tables.PutNumber(kProgressDone, 0);
    tables.PutNumber(kRecordsReceived, 0);
    tables.PutNumber(kBytesReceived, 0);
    return absl::OkStatus();
  });
}

absl::StatusOr<bool> Store::Wipe(const std::string& detail) {
  bool wiped = false;
  RETURN_IF_ERROR(Do([&](Transaction& transaction) -> absl::Status {
    Tables& tables = transaction.tables();
    wiped = tables.CountPending() == 0;
    if (!wiped) return absl::OkStatus();
    tables.EraseAll();
    tables.PutNumber(kProblem, sync::v1::DEVICE_WIPED);
    tables.PutSetting(kProblemDetail, detail);
    transaction.ChangedAll();
    return absl::OkStatus();
  }));
  if (wiped) {
    absl::MutexLock lock(&shared_->mutex);
    shared_->tables->Sweep();
  }
  return wiped;
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

// ---- Sync, as a courier sees it ------------------------------------------------

absl::StatusOr<std::vector<sync::v1::Bundle>> Store::Bundles(size_t bundles_max) {
  std::vector<sync::v1::Bundle> bundles;
  RETURN_IF_ERROR(Look([&](Transaction& transaction) -> absl::Status {
    Tables& tables = transaction.tables();
    size_t bytes = 0;
    tables.ListPending(EditNumber(tables.GetNumber(kDelivered)),
                       [&](const Tables::PendingEdit& pending) {
                         bytes += pending.edit.size();
                         if (bundles.empty() || bytes > kBundleBytes ||
                             bundles.back().edits_size() >= kBundleEditsMax) {
                           if (bundles.size() >= bundles_max) return false;
                           bytes = pending.edit.size();
                           sync::v1::Bundle& bundle = bundles.emplace_back();
                           bundle.set_device(transaction.Device().value);
                           bundle.set_incarnation(tables.GetSetting(kIncarnation));
                         }
                         *bundles.back().add_edits() = transaction.Numbered(pending);
                         return true;
                       });
    return absl::OkStatus();
  }));
  return bundles;
}

absl::StatusOr<Store::Receipt> Store::TakeReceipt(const sync::v1::Receipt& receipt) {
  Receipt taken;
  RETURN_IF_ERROR(Do([&](Transaction& transaction) -> absl::Status {
    Tables& tables = transaction.tables();
    taken = {};
    // The numbers of another life, or of before the device was renumbered, may have
    // come to mean something else.
    taken.current = DeviceNumber(receipt.device()) == transaction.Device() &&
                    receipt.incarnation() == tables.GetSetting(kIncarnation);
    if (!taken.current) return absl::OkStatus();
    if (receipt.has_restored()) {
      return transaction.BeginIncarnation(receipt.restored().incarnation());
    }
    uint64_t delivered = static_cast<uint64_t>(tables.GetNumber(kDelivered));
    std::set<RecordKey> affected;
    for (const auto& answer : receipt.answers()) {
      const auto pending = tables.GetPending(EditNumber(answer.number()));
      if (!pending || answer.link() != LinkTo(pending->edit)) continue;
      if (answer.verdict() == sync::v1::MERGED) {
        if (answer.number() > delivered) ++taken.delivered;
        delivered = std::max(delivered, answer.number());
        continue;
      }
      RETURN_IF_ERROR(TakeAnswer(transaction, answer, &affected));
      ++taken.set_aside;
    }
    transaction.WriteAnswered();
    tables.PutNumber(kDelivered, static_cast<int64_t>(delivered));
    for (const RecordKey& key : affected) RETURN_IF_ERROR(transaction.Recompute(key));
    return absl::OkStatus();
  }));
  return taken;
}

}  // namespace zhibu::client
