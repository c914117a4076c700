#include "client-core/store/store.h"

#include <google/protobuf/message.h>

#include <algorithm>
#include <set>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "client-core/store/match.h"
#include "client-core/store/transaction.h"
#include "sync/base/reason.h"
#include "sync/base/require.h"
#include "sync/base/status.h"
#include "sync/base/words.h"
#include "sync/crypto/handshake.h"
#include "sync/merge/diff.h"
#include "sync/merge/merge.h"
#include "sync/wire/record.h"
#include "sync/wire/slots.h"

namespace zhibu::client {
namespace {

using google::protobuf::Message;
using sync::v1::Change;

std::unique_ptr<Message> NewMessage(const RecordType& type) {
  return std::unique_ptr<Message>(
      google::protobuf::MessageFactory::generated_factory()->GetPrototype(type.descriptor)->New());
}

absl::Status CheckKey(const std::string& key) {
  if (key.size() == Seal::kKeySize) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("a key has ", Seal::kKeySize, " bytes"));
}

std::string Serialized(const Message& message) { return message.SerializePartialAsString(); }

// Of two entries with one key only one would stay.
absl::Status CheckKeys(const RecordType& type, const google::protobuf::Message& record) {
  for (const FieldRule& rule : type.fields.rules()) {
    if (rule.policy != BY_KEY || rule.descriptor->is_map()) continue;
    const google::protobuf::Reflection& reflection = *record.GetReflection();
    std::set<std::string> keys;
    for (int i = 0; i < reflection.FieldSize(record, rule.descriptor); ++i) {
      const auto& element = reflection.GetRepeatedMessage(record, rule.descriptor, i);
      if (keys.insert(CanonicalKey(rule, Serialized(element))).second) continue;
      const std::string& key = rule.descriptor->options().GetExtension(zhibu::key);
      return Refuse(sync::v1::BAD_VALUE,
                    absl::StrCat(rule.descriptor->name(), "[", i, "].", key, " ×2"));
    }
  }
  return absl::OkStatus();
}

}  // namespace

Store::Store(Options options) : options_(std::move(options)), shared_(std::make_unique<Shared>()) {}
Store::~Store() = default;

absl::StatusOr<std::unique_ptr<Store>> Store::Open(Options options) {
  if (!options.key.empty()) RETURN_IF_ERROR(CheckKey(options.key));
  std::unique_ptr<Store> store(new Store(std::move(options)));
  RETURN_IF_ERROR(store->Resume());
  return store;
}

absl::Status Store::Resume() {
  absl::MutexLock lock(&shared_->mutex);
  if (shared_->tables != nullptr) return absl::OkStatus();
  try {
    ASSIGN_OR_RETURN(shared_->tables, Tables::Open(options_));
  } catch (const SQLite::Exception& error) {
    return StatusOf(error);
  }
  return absl::OkStatus();
}

void Store::Suspend() {
  absl::MutexLock lock(&shared_->mutex);
  shared_->tables.reset();
}

bool Store::suspended() {
  absl::MutexLock lock(&shared_->mutex);
  return shared_->tables == nullptr;
}

absl::Status Store::Rekey(const std::string& key) {
  RETURN_IF_ERROR(CheckKey(key));
  absl::MutexLock lock(&shared_->mutex);
  RETURN_IF_ERROR(shared_->CheckOpen());
  try {
    RETURN_IF_ERROR(shared_->tables->Rekey(options_, key));
  } catch (const SQLite::Exception& error) {
    return StatusOf(error);
  }
  options_.key = key;
  return absl::OkStatus();
}

absl::Status Store::Shared::CheckOpen() const {
  if (tables != nullptr) return absl::OkStatus();
  return Refuse(sync::v1::SUSPENDED, "");
}

absl::Status Store::Do(absl::FunctionRef<absl::Status(Transaction&)> body) {
  Changes changes;
  {
    absl::MutexLock lock(&shared_->mutex);
    RETURN_IF_ERROR(shared_->CheckOpen());
    Tables& tables = *shared_->tables;
    try {
      tables.Begin();
      Transaction transaction(*this, tables, shared_->server_clock);
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
  RETURN_IF_ERROR(shared_->CheckOpen());
  Tables& tables = *shared_->tables;
  try {
    tables.BeginRead();
    Transaction transaction(*this, tables, shared_->server_clock);
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
    const auto label = [&](Language language) {
      return WordsOf(*draft->type_->descriptor, language);
    };
    return Refuse(sync::v1::NOT_HERE, InBoth(absl::StrCat("这一条", label(Language::kChinese)),
                                             absl::StrCat("such ", label(Language::kEnglish))));
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
  RETURN_IF_ERROR(CheckKeys(type, *draft.message_));
  const std::string after = Canonical(type.fields, Serialized(*draft.message_));
  Change change;
  if (draft.is_new_ && !type.id_from.empty()) {
    ASSIGN_OR_RETURN(draft.key_.id, DeriveId(type, after));
  }
  const RecordKey& key = draft.key_;
  Tables::Record record = tables.GetRecord(key);
  if (draft.is_new_ && record.shown().alive()) {
    return Refuse(sync::v1::ALREADY_HERE, InBoth(WordsOf(*type.descriptor, Language::kChinese),
                                                 WordsOf(*type.descriptor, Language::kEnglish)));
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
  RETURN_IF_ERROR(CheckUnknown(type, record.shown().body, state.body));
  RETURN_IF_ERROR(CheckElements(type, record.shown().body, state.body));
  transaction.Made(type, key, record.shown(), state);
  record.view = std::move(state);
  tables.PutRecord(key, record);
  *edit->add_changes() = std::move(change);
  if (draft.builds_on_ != 0) builds_on->insert(draft.builds_on_);
  return absl::OkStatus();
}

absl::StatusOr<EditNumber> Store::MakeEdit(Transaction& transaction,
                                           absl::Span<Draft* const> drafts) {
  Tables& tables = transaction.tables();
  const Transaction::Last last = transaction.LastEdit();
  Tables::PendingEdit pending;
  pending.number = EditNumber(last.number.value + 1);
  pending.previous = last.link;
  pending.floor = Stamp(tables.GetNumber(kObserved));
  pending.stamp = std::max({StampAt(transaction.ServerNowMs()), Stamp(last.stamp.value + 1),
                            Stamp(pending.floor.value + 1)});
  REQUIRE(pending.stamp > last.stamp && pending.stamp > pending.floor);
  sync::v1::Edit edit;
  edit.set_device_time_ms(environment().now_ms());
  edit.set_salt(environment().NewSalt());
  std::set<uint64_t> builds_on;
  for (Draft* draft : drafts) {
    RETURN_IF_ERROR(
        Of(draft->key_.type, MakeChange(transaction, *draft, pending.stamp, &edit, &builds_on)));
  }
  pending.salt = edit.salt();
  pending.builds_on.assign(builds_on.begin(), builds_on.end());
  RETURN_IF_ERROR(transaction.Amended(drafts));
  if (edit.changes().empty()) return EditNumber();
  std::set<RecordKey> keys;
  for (const Change& change : edit.changes()) {
    if (!keys.insert(KeyOf(change)).second) {
      return absl::InvalidArgumentError("an edit may change a record once");
    }
    tables.AddTouched(KeyOf(change), pending.number);
    transaction.Changed(KeyOf(change));
  }
  pending.edit = edit.SerializeAsString();
  RETURN_IF_ERROR(CheckEditSize(pending.edit.size(), edit));
  if (options_.rules != nullptr) {
    const absl::Status judged =
        transaction.JudgeMade(*options_.rules, edit, pending.stamp, transaction.ServerNowMs());
    RETURN_IF_ERROR(keys.size() == 1 ? Of(keys.begin()->type, judged) : judged);
  }
  transaction.AddPending(pending);
  return pending.number;
}

absl::StatusOr<EditNumber> Store::Commit(absl::Span<Draft* const> drafts) {
  EditNumber number;
  RETURN_IF_ERROR(Do([&](Transaction& transaction) -> absl::Status {
    ASSIGN_OR_RETURN(number, MakeEdit(transaction, drafts));
    return absl::OkStatus();
  }));
  return number;
}

absl::Status Store::Try(absl::Span<Draft* const> drafts) {
  absl::Status made = absl::UnknownError("");
  // What ends without success is rolled back.
  const absl::Status undone = Do([&](Transaction& transaction) -> absl::Status {
    made = MakeEdit(transaction, drafts).status();
    return absl::AbortedError("tried");
  });
  return absl::IsAborted(undone) ? made : undone;
}

// ---- Forms that are not saved yet ----------------------------------------------

absl::StatusOr<int64_t> Store::KeepSketch(int64_t place, absl::string_view sketch) {
  int64_t kept = 0;
  RETURN_IF_ERROR(Do([&](Transaction& transaction) -> absl::Status {
    kept = transaction.tables().PutSketch(place, sketch);
    if (kept != 0) return absl::OkStatus();
    return Refuse(sync::v1::NOT_HERE, InBoth("这份草稿", "such form"));
  }));
  return kept;
}

absl::Status Store::ListSketches(absl::FunctionRef<void(int64_t, const std::string&)> visit) {
  std::vector<std::pair<int64_t, std::string>> found;
  RETURN_IF_ERROR(Look([&](Transaction& transaction) -> absl::Status {
    transaction.tables().ListSketches(
        [&](int64_t place, const std::string& sketch) { found.emplace_back(place, sketch); });
    return absl::OkStatus();
  }));
  std::for_each(found.rbegin(), found.rend(),
                [&](const auto& one) { visit(one.first, one.second); });
  return absl::OkStatus();
}

absl::Status Store::DropSketch(int64_t place) {
  return Do([&](Transaction& transaction) -> absl::Status {
    transaction.tables().DeleteSketch(place);
    return absl::OkStatus();
  });
}

absl::StatusOr<std::string> Store::Preferences() {
  std::string preferences;
  RETURN_IF_ERROR(Look([&](Transaction& transaction) -> absl::Status {
    preferences = transaction.tables().GetSetting(kPreferences);
    return absl::OkStatus();
  }));
  return preferences;
}

absl::Status Store::KeepPreferences(absl::string_view preferences) {
  return Do([&](Transaction& transaction) -> absl::Status {
    transaction.tables().PutSetting(kPreferences, preferences);
    return absl::OkStatus();
  });
}

absl::StatusOr<int64_t> Store::ServerNow() {
  int64_t now = 0;
  RETURN_IF_ERROR(Look([&](Transaction& transaction) -> absl::Status {
    now = transaction.ServerNowMs();
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
    state.merged = static_cast<uint64_t>(tables.GetNumber(kMerged));
    transaction.ListSetAside([&](const SetAside& item) {
      state.returned += item.standing == SetAside::Standing::kReturned ? 1 : 0;
      state.held += item.standing == SetAside::Standing::kWaiting ? 1 : 0;
      state.not_sent += item.standing == SetAside::Standing::kNotSent ? 1 : 0;
    });
    state.set_aside = state.returned + state.held + state.not_sent;
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

absl::Status Store::ListUnsent(absl::FunctionRef<void(const UnsentEdit&)> visit) {
  std::vector<UnsentEdit> found;
  RETURN_IF_ERROR(Look([&](Transaction& transaction) -> absl::Status {
    const EditNumber delivered(transaction.tables().GetNumber(kDelivered));
    absl::Status status;
    transaction.tables().ListPending(EditNumber(0), [&](const Tables::PendingEdit& pending) {
      absl::StatusOr<sync::v1::Edit> edit = Transaction::EditOf(pending);
      status = edit.status();
      if (edit.ok())
        found.push_back({pending.number, *std::move(edit), pending.number <= delivered});
      return status.ok();
    });
    return status;
  }));
  for (const UnsentEdit& edit : found) visit(edit);
  return absl::OkStatus();
}

absl::StatusOr<std::set<Id>> Store::UnsentRecords(const RecordType& type) {
  std::set<Id> ids;
  RETURN_IF_ERROR(Look([&](Transaction& transaction) -> absl::Status {
    ids = transaction.tables().Touched(type.number);
    return absl::OkStatus();
  }));
  return ids;
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
    if (!found)
      return Refuse(sync::v1::NOT_HERE, InBoth(absl::StrCat("未采纳的第 ", place, " 项"),
                                               absl::StrCat("edit set aside as ", place)));
    if (found->standing == SetAside::Standing::kWaiting ||
        found->standing == SetAside::Standing::kTaken) {
      return Refuse(sync::v1::NOT_DECIDED, absl::StrCat(place));
    }
    for (const Change& change : found->edit.changes()) {
      ASSIGN_OR_RETURN(Draft draft, AmendOne(transaction, change));
      draft.amends_ = place;
      draft.amends_records_ = found->edit.changes_size();
      if (!draft.deleted()) draft.amended_ = draft.message().SerializePartialAsString();
      drafts.push_back(std::move(draft));
    }
    return absl::OkStatus();
  }));
  return drafts;
}

absl::Status Store::Discard(int64_t place) {
  return Do([&](Transaction& transaction) { return transaction.LetGo(place); });
}

}  // namespace zhibu::client
