// What a session and a courier do with a device's store.
#include <algorithm>
#include <iterator>
#include <utility>

#include "absl/strings/str_cat.h"
#include "client-core/store/store.h"
#include "client-core/store/transaction.h"
#include "sync/base/reason.h"
#include "sync/base/status.h"
#include "sync/crypto/courier.h"
#include "sync/crypto/handshake.h"
#include "sync/wire/record.h"
#include "zhibu/sync/v1/trace.pb.h"

namespace zhibu::client {
namespace {

using sync::v1::Change;
using sync::v1::NumberedEdit;

// A field's may be later than that of the record's last change.
void EachStamp(const sync::v1::Trace& trace, absl::FunctionRef<void(Stamp)> see) {
  see(Stamp(trace.rest().stamp()));
  for (const auto& field : trace.fields()) {
    see(Stamp(field.touch().stamp()));
    for (const auto& candidate : field.candidates()) see(Stamp(candidate.touch().stamp()));
    for (const auto& element : field.elements()) {
      see(Stamp(element.touch().stamp()));
      see(Stamp(element.removal().stamp()));
      EachStamp(element.trace(), see);
    }
  }
  for (const auto& life : trace.former_lives()) {
    see(Stamp(life.touch().stamp()));
    see(Stamp(life.removal().stamp()));
    EachStamp(life.trace(), see);
  }
}

}  // namespace

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
    identity.reached_at = tables.GetSetting(kReachedAt);
    return absl::OkStatus();
  }));
  return identity;
}

absl::Status Store::SetIdentity(const Identity& identity) {
  return Do([&](Transaction& transaction) -> absl::Status {
    Tables& tables = transaction.tables();
    if (transaction.Device().value != 0) RETURN_IF_ERROR(transaction.MayEnrolAgain(identity));
    // A server that had another certificate may have been put back to before the device came.
    const int64_t problem = tables.GetNumber(kProblem);
    const bool forgotten = problem == sync::v1::UNKNOWN_DEVICE ||
                           problem == sync::v1::OTHER_SERVER || problem == sync::v1::OFFLINE;
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
    tables.PutSetting(kReachedAt, identity.reached_at);
    sync::v1::ServerAddress enrolled;
    enrolled.set_address(identity.address);
    enrolled.set_fingerprint(identity.fingerprint);
    tables.PutSetting(kEnrolledAt, enrolled.SerializeAsString());
    return absl::OkStatus();
  });
}

absl::StatusOr<int64_t> Store::CommitsOfOthers() {
  absl::MutexLock lock(&shared_->mutex);
  RETURN_IF_ERROR(shared_->CheckOpen());
  try {
    return shared_->tables->CommitsOfOthers();
  } catch (const SQLite::Exception& error) {
    return StatusOf(error);
  }
}

absl::StatusOr<std::vector<sync::v1::Cursor>> Store::Cursors() {
  std::vector<sync::v1::Cursor> cursors;
  RETURN_IF_ERROR(Look([&](Transaction& transaction) -> absl::Status {
    cursors = transaction.tables().Cursors();
    return absl::OkStatus();
  }));
  return cursors;
}

absl::Status Store::ReadAnewWhatIsUnknown() {
  bool due = false;
  RETURN_IF_ERROR(Look([&](Transaction& transaction) -> absl::Status {
    due = transaction.tables().GetNumber(kReadAnew) != 0;
    return absl::OkStatus();
  }));
  if (!due) return absl::OkStatus();
  return Do([&](Transaction& transaction) -> absl::Status {
    transaction.MakeStale();
    transaction.tables().PutNumber(kReadAnew, 0);
    return absl::OkStatus();
  });
}

absl::StatusOr<std::vector<sync::v1::Cursor>> Store::Seen() {
  std::vector<sync::v1::Cursor> seen;
  RETURN_IF_ERROR(Look([&](Transaction& transaction) -> absl::Status {
    seen = transaction.Seen();
    return absl::OkStatus();
  }));
  return seen;
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

// The records of an own edit that stand as it made them, as though they had been sent. Where the
// edit is not here any longer, nothing of the update is taken: the next session is sent the
// records.
absl::Status Store::AddAsMade(Transaction& transaction, const sync::v1::Answer& answer,
                              std::vector<sync::v1::Group>* groups) {
  if (answer.as_made_at() == 0) return absl::OkStatus();
  const auto pending = transaction.tables().GetPending(EditNumber(answer.number()));
  if (!pending || answer.link() != LinkTo(pending->edit)) {
    return Refuse(sync::v1::PROTOCOL_ERROR, "as made");
  }
  ASSIGN_OR_RETURN(const sync::v1::Edit edit, Transaction::EditOf(*pending));
  for (const Change& change : edit.changes()) {
    if (answer.verdict() != sync::v1::MERGED || change.kind() != Change::CREATE) {
      return Refuse(sync::v1::PROTOCOL_ERROR, "as made");
    }
    sync::v1::Group& group = groups->emplace_back();
    group.set_type(change.type());
    group.set_version(answer.as_made_at());
    group.set_writer(transaction.Device().value);
    group.set_stamp(pending->stamp.value);
    group.set_ids(change.id());
    group.add_bodies(change.set());
  }
  return absl::OkStatus();
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
  transaction.Answered(*pending, answer.verdict());
  tables.Keep(transaction.Device(), *pending);
  transaction.DeletePending(number);
  return absl::OkStatus();
}

absl::Status Store::TakeGroup(Transaction& transaction, const sync::v1::Group& group,
                              bool any_pending, std::set<RecordKey>* affected,
                              absl::FunctionRef<void(Stamp)> see) {
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
      EachStamp(trace, see);
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
    Remove(transaction, key, any_pending, affected);
  }
  return absl::OkStatus();
}

// Own edits that have no answer stay.
void Store::Remove(Transaction& transaction, const RecordKey& key, bool any_pending,
                   std::set<RecordKey>* affected) {
  transaction.tables().DeleteRecord(key);
  if (transaction.AnyStale()) transaction.tables().Refreshed(key);
  transaction.Changed(key);
  if (any_pending && !transaction.tables().TouchedBy(key).empty()) affected->insert(key);
}

// What this device still sees of them through another scope comes again.
absl::Status Store::TakeDropped(Transaction& transaction, const sync::v1::Update& update,
                                std::set<RecordKey>* affected) {
  if (update.dropped().empty()) return absl::OkStatus();
  Tables& tables = transaction.tables();
  std::set<std::string> dropped(update.dropped().begin(), update.dropped().end());
  const auto lies_there = [&](const RecordType& type, const Id& id, absl::string_view body) {
    const std::vector<Placed> places = PlacesOf(type, id, body);
    return std::any_of(places.begin(), places.end(),
                       [&](const Placed& placed) { return dropped.count(placed.scope.str()) > 0; });
  };
  std::vector<RecordKey> gone;
  for (const uint32_t number : tables.Types()) {
    const RecordType* type = schema().Find(number);
    if (type == nullptr) tables.PutNumber(kReadAnew, 1);
    tables.ListRecords(number, [&](const Id& id, const absl::StatusOr<Tables::Record>& record) {
      // One that cannot be read shows nothing either.
      if (type != nullptr && record.ok() && !lies_there(*type, id, record->confirmed.body)) {
        return true;
      }
      if (!record.ok()) tables.PutNumber(kReadAnew, 1);
      gone.push_back({number, id});
      return true;
    });
  }
  const bool any_pending = tables.CountPending() > 0;
  for (const RecordKey& key : gone) Remove(transaction, key, any_pending, affected);
  return absl::OkStatus();
}

absl::Status Store::ApplyUpdate(const sync::v1::Update& update, std::optional<size_t> came) {
  return Do([&](Transaction& transaction) -> absl::Status {
    Tables& tables = transaction.tables();
    std::set<RecordKey> affected;
    std::vector<sync::v1::Group> made;
    for (const auto& answer : update.answers()) {
      RETURN_IF_ERROR(AddAsMade(transaction, answer, &made));
      RETURN_IF_ERROR(TakeAnswer(transaction, answer, &affected));
    }
    transaction.WriteAnswered();
    RETURN_IF_ERROR(TakeDropped(transaction, update, &affected));
    const bool any_pending = tables.CountPending() > 0;
    int64_t records = 0;
    const Stamp latest = LatestStamp(transaction.ServerNowMs());
    Stamp observed(static_cast<uint64_t>(tables.GetNumber(kObserved)));
    const auto see = [&](Stamp stamp) {
      if (stamp <= latest) observed = std::max(observed, stamp);
    };
    const auto take = [&](const sync::v1::Group& group) {
      see(Stamp(group.stamp()));
      records += group.bodies_size();
      return TakeGroup(transaction, group, any_pending, &affected, see);
    };
    for (const auto& group : made) RETURN_IF_ERROR(take(group));
    for (const auto& group : update.groups()) RETURN_IF_ERROR(take(group));
    for (const auto& removal : update.removals()) {
      RETURN_IF_ERROR(TakeRemoval(transaction, removal, any_pending, &affected));
      records += static_cast<int64_t>(removal.ids().size() / Id::kSize);
    }
    for (const RecordKey& key : affected) RETURN_IF_ERROR(transaction.Recompute(key));
    if (!update.catching_up() && transaction.AnyStale()) RETURN_IF_ERROR(transaction.Sweep());
    // Of what is dropped the cursors begin again.
    if (!update.dropped().empty() && any_pending) transaction.KeepSeen();
    for (const auto& cursor : update.cursors()) tables.PutCursor(cursor);
    tables.PutNumber(kObserved, static_cast<int64_t>(observed.value));
    tables.PutNumber(kRecordsReceived, tables.GetNumber(kRecordsReceived) + records);
    const size_t bytes = came ? *came : update.ByteSizeLong();
    tables.PutNumber(kBytesReceived,
                     tables.GetNumber(kBytesReceived) + static_cast<int64_t>(bytes));
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

absl::Status Store::Restamp(int64_t offset_ms, int64_t late_ms) {
  return Do([&](Transaction& transaction) { return transaction.Restamp(offset_ms, late_ms); });
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
    if (!welcome.reached_at().empty()) tables.PutSetting(kReachedAt, welcome.reached_at());
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
    if (shared_->tables != nullptr) shared_->tables->Sweep();  // else when it is opened
  }
  return wiped;
}

absl::StatusOr<size_t> Store::LookElsewhere() {
  size_t addresses = 1;
  RETURN_IF_ERROR(Do([&](Transaction& transaction) -> absl::Status {
    addresses = transaction.LookElsewhere();
    return absl::OkStatus();
  }));
  return addresses;
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
    std::vector<sync::v1::Cursor> cursors = tables.Cursors();
    for (auto& seen : transaction.Seen()) cursors.push_back(std::move(seen));
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
                           bundle.mutable_cursors()->Add(cursors.begin(), cursors.end());
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
        RETURN_IF_ERROR(transaction.ChangedBy(*pending));
        continue;
      }
      RETURN_IF_ERROR(TakeAnswer(transaction, answer, &affected));
      if (!pending->withdrawn) ++taken.set_aside;
    }
    transaction.WriteAnswered();
    tables.PutNumber(kDelivered, static_cast<int64_t>(delivered));
    for (const RecordKey& key : affected) RETURN_IF_ERROR(transaction.Recompute(key));
    return absl::OkStatus();
  }));
  return taken;
}

}  // namespace zhibu::client
