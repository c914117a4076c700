#include "client-core/store/transaction.h"

#include <algorithm>
#include <cstdlib>
#include <iterator>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "client-core/store/confirmed_lookup.h"
#include "sync/base/reason.h"
#include "sync/base/status.h"
#include "sync/crypto/handshake.h"
#include "sync/merge/merge.h"
#include "zhibu/records/v1/held.pb.h"

namespace zhibu::client {

using records::v1::HeldEdit;
using sync::v1::Change;
using sync::v1::NumberedEdit;

namespace {

// Clocks this close are the same: not worth stamping anything anew.
constexpr int64_t kSameMs = 2'000;
// Of edits that are kept open while records are worked out again.
constexpr size_t kOpenedBytesMax = 8 << 20;

uint32_t HeldType() {
  static const uint32_t type = CatalogueSchema()->Find(HeldEdit::descriptor())->number;
  return type;
}

}  // namespace

void Store::Transaction::Changed(const RecordKey& key) {
  if (changes_.keys.size() < Changes::kKeysMax) {
    changes_.keys.push_back(key);
  } else {
    changes_.all = true;
  }
}

void Store::Transaction::AddPending(const Tables::PendingEdit& entry) {
  opened_.erase(entry.number);
  tables_.AddPending(entry);
}

void Store::Transaction::DeletePending(EditNumber number) {
  opened_.erase(number);
  tables_.DeletePending(number);
}

Store::Transaction::Last Store::Transaction::LastEdit() {
  const EditNumber answered(tables_.GetNumber(kLastNumber));
  const auto pending = tables_.LastPending();
  // Answers come in any order: a later edit than those pending may have one.
  if (pending && pending->number > answered) {
    return {pending->number, LinkTo(pending->edit), pending->stamp};
  }
  return {answered, static_cast<uint64_t>(tables_.GetNumber(kLastLink)),
          Stamp(tables_.GetNumber(kLastStamp))};
}

void Store::Transaction::Answered(const Tables::PendingEdit& edit, sync::v1::Verdict verdict) {
  if (verdict == sync::v1::MERGED) ++merged_;
  if (answered_ && answered_->number >= edit.number) return;
  answered_ = {edit.number, LinkTo(edit.edit), edit.stamp};
}

void Store::Transaction::WriteAnswered() {
  if (merged_ > 0) tables_.PutNumber(kMerged, tables_.GetNumber(kMerged) + merged_);
  if (!answered_ || answered_->number <= EditNumber(tables_.GetNumber(kLastNumber))) return;
  tables_.PutNumber(kLastNumber, static_cast<int64_t>(answered_->number.value));
  tables_.PutNumber(kLastLink, static_cast<int64_t>(answered_->link));
  tables_.PutNumber(kLastStamp, static_cast<int64_t>(answered_->stamp.value));
}

absl::StatusOr<std::vector<Store::Transaction::Offer>> Store::Transaction::TakeQueue() {
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
    DeletePending(offer.entry.number);
  }
  return offers;
}

std::vector<Store::Transaction::Offer> Store::Transaction::TakeKept() {
  std::vector<Offer> offers;
  for (auto& [device, entry] : tables_.ListKept()) offers.push_back({device, std::move(entry)});
  tables_.DropKept(DeviceNumber(), EditNumber());
  return offers;
}

void Store::Transaction::Order(DeviceNumber latest, std::vector<Offer>* offers) {
  std::stable_sort(offers->begin(), offers->end(), [&](const Offer& a, const Offer& b) {
    if (a.device != latest || b.device != latest) return a.device != latest && b.device == latest;
    return a.entry.number < b.entry.number;
  });
}

absl::Status Store::Transaction::SendSetAside() {
  std::vector<SetAside> unsent;
  tables_.ListSetAside([&](const SetAside& item) {
    if (item.answer.link() == 0) unsent.push_back(item);
  });
  std::vector<Offer> offers;
  Stamp last = LastEdit().stamp;
  for (const SetAside& item : unsent) {
    Tables::PendingEdit entry;
    last = entry.stamp = std::max(StampAt(item.edit.device_time_ms() + tables_.GetNumber(kOffset)),
                                  Stamp(last.value + 1));
    entry.edit = item.edit.SerializeAsString();
    entry.salt = item.edit.salt();
    offers.push_back({Device(), std::move(entry)});
    tables_.DeleteSetAside(item.place);
  }
  return Renumber(offers, LastEdit());
}

absl::Status Store::Transaction::EraseAnswered() {
  RETURN_IF_ERROR(SendSetAside());
  tables_.EraseAnswered();
  any_stale_.reset();
  ChangedAll();
  return RecomputePending();
}

void Store::Transaction::Made(const RecordType& type, const RecordKey& key, RecordState before,
                              RecordState after) {
  made_.push_back({type, key, std::move(before), std::move(after)});
}

absl::Status Store::Transaction::JudgeMade(const RuleBook& rules, const sync::v1::Edit& edit,
                                           Stamp stamp, int64_t now_ms) {
  ConfirmedLookup known(tables_);
  std::vector<Step> steps;
  for (int i = 0; i < edit.changes_size(); ++i) {
    const MadeRecord& made = made_[static_cast<size_t>(i)];
    const Change& change = edit.changes(i);
    steps.push_back({made.type, made.key.id, change, made.before, made.after,
                     Version(change.base()),
                     MillisOf(std::max(stamp, Believed(made.before.touch.stamp, now_ms)))});
  }
  const Id person = Id::FromBytes(tables_.GetSetting(kPerson)).value_or(Id());
  return rules.JudgeWhatIsKnown({known, person, person, MillisOf(stamp), now_ms, steps});
}

absl::Status Store::Transaction::RecomputePending() {
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

void Store::Transaction::ForgetVerdicts() {
  std::vector<int64_t> places;
  tables_.ListSetAside([&](const SetAside& item) {
    if (offered_.count(item.edit.salt()) > 0) places.push_back(item.place);
  });
  for (const int64_t place : places) tables_.DeleteSetAside(place);
}

absl::Status Store::Transaction::Requeue(const Offer& offer) {
  ASSIGN_OR_RETURN(const sync::v1::Edit edit, EditOf(offer.entry));
  for (const Change& change : edit.changes()) {
    if (offer.entry.withdrawn) break;
    tables_.AddTouched(KeyOf(change), offer.entry.number);
  }
  AddPending(offer.entry);
  offered_.insert(edit.salt());
  return absl::OkStatus();
}

absl::Status Store::Transaction::OfferAgain(const std::vector<Offer>& offers) {
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

absl::Status Store::Transaction::Renumber(const std::vector<Offer>& offers, Last last) {
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

sync::v1::Answer Store::Transaction::Follows(const sync::v1::Answer& below, EditNumber number) {
  sync::v1::Answer answer;
  answer.set_number(number.value);
  answer.set_verdict(below.verdict());
  answer.set_reason(below.verdict() == sync::v1::HELD ? sync::v1::BUILDS_ON_HELD
                                                      : sync::v1::BUILDS_ON_RETURNED);
  answer.set_detail(absl::StrCat(below.number()));
  return answer;
}

absl::Status Store::Transaction::Amended(absl::Span<Draft* const> drafts) {
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

absl::Status Store::Transaction::LetGo(int64_t place) {
  std::optional<SetAside> found;
  ListSetAside([&](const SetAside& item) {
    if (item.place == place) found = item;
  });
  if (!found)
    return Refuse(sync::v1::NOT_HERE, InBoth(absl::StrCat("未采纳的第 ", place, " 项"),
                                             absl::StrCat("edit set aside as ", place)));
  if (found->standing == SetAside::Standing::kReturned) tables_.Withdraw(found->edit.salt());
  tables_.DeleteSetAside(place);
  return absl::OkStatus();
}

void Store::Transaction::ListSetAside(absl::FunctionRef<void(const SetAside&)> visit) {
  std::vector<SetAside> all;
  tables_.ListSetAside([&](const SetAside& item) { all.push_back(item); });
  for (SetAside& item : all) {
    if (item.answer.verdict() == sync::v1::HELD) FindStanding(&item);
    visit(item);
  }
}

void Store::Transaction::FindStanding(SetAside* item) {
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

absl::Status Store::Transaction::PutAside(DeviceNumber device, const Tables::PendingEdit& entry,
                                          sync::v1::Answer answer) {
  SetAside item;
  item.device = device;
  ASSIGN_OR_RETURN(item.edit, EditOf(entry));
  item.answer = std::move(answer);
  item.at_ms = store_.environment().now_ms();
  tables_.AddSetAside(item);
  return absl::OkStatus();
}

void Store::Transaction::SetDevice(DeviceNumber device, const Last& last) {
  tables_.PutNumber(kDevice, device.value);
  tables_.PutNumber(kDelivered, 0);
  tables_.PutNumber(kLastNumber, static_cast<int64_t>(last.number.value));
  tables_.PutNumber(kLastLink, static_cast<int64_t>(last.link));
}

stored::v1::Formers Store::Transaction::Formers() {
  stored::v1::Formers formers;
  formers.ParseFromString(tables_.GetSetting(kFormers));
  return formers;
}

void Store::Transaction::SetFormers(const stored::v1::Formers& formers) {
  tables_.PutSetting(kFormers, formers.SerializeAsString());
}

absl::StatusOr<sync::v1::Edit> Store::Transaction::EditOf(const Tables::PendingEdit& entry) {
  sync::v1::Edit edit;
  if (!edit.ParseFromString(entry.edit)) {
    return absl::DataLossError(absl::StrCat("edit ", entry.number.value, " cannot be read"));
  }
  return edit;
}

int64_t Store::Transaction::ServerNowMs() {
  const Environment& environment = store_.environment();
  return server_clock_ ? environment.steady_ms() + *server_clock_
                       : environment.now_ms() + tables_.GetNumber(kOffset);
}

absl::Status Store::Transaction::Restamp(int64_t offset_ms, int64_t late_ms) {
  // What was known of it stands, as far as that can be.
  const int64_t known_ms = ServerNowMs() - store_.environment().now_ms();
  offset_ms = std::clamp(known_ms, offset_ms, offset_ms + late_ms);
  if (std::abs(offset_ms - tables_.GetNumber(kOffset)) >= kSameMs) {
    tables_.PutNumber(kOffset, offset_ms);
  }
  const int64_t now_ms = store_.environment().now_ms() + offset_ms;
  if (const auto& steady_ms = store_.environment().steady_ms) server_clock_ = now_ms - steady_ms();
  const Stamp latest = LatestStamp(now_ms);
  const auto forget_beyond = [&](const char* name, Stamp bound) {
    if (Stamp(tables_.GetNumber(name)) <= bound) return;
    tables_.PutNumber(name, static_cast<int64_t>(StampAt(now_ms).value));
  };
  forget_beyond(kLastStamp, StampAt(now_ms + kSameMs));
  forget_beyond(kObserved, latest);

  std::vector<Tables::PendingEdit> pending;
  tables_.ListPending(EditNumber(0), [&](const Tables::PendingEdit& entry) {
    pending.push_back(entry);
    return true;
  });
  const auto floor_of = [&](const Tables::PendingEdit& entry) {
    return entry.floor <= latest ? entry.floor : Stamp();
  };
  std::vector<Stamp> made(pending.size());
  Stamp bound = StampAt(now_ms + kSameMs);
  for (size_t i = pending.size(); i-- > 0;) {
    const Tables::PendingEdit& entry = pending[i];
    const Stamp floor = floor_of(entry);
    ASSIGN_OR_RETURN(const sync::v1::Edit edit, EditOf(entry));
    Stamp said = StampAt(edit.device_time_ms() + offset_ms);
    if (std::abs(MillisOf(said) - MillisOf(entry.stamp)) < kSameMs) said = entry.stamp;
    const auto possible = [&](Stamp stamp) { return floor <= stamp && stamp <= bound; };
    if (possible(said)) {
      made[i] = bound = said;
    } else if (possible(entry.stamp)) {
      made[i] = entry.stamp;
    } else {
      made[i] = said > bound ? std::min(bound, StampAt(now_ms)) : floor;
    }
  }
  std::set<RecordKey> affected;
  Stamp last;
  for (size_t i = 0; i < pending.size(); ++i) {
    Tables::PendingEdit& entry = pending[i];
    last = std::max({made[i], Stamp(floor_of(entry).value + 1), Stamp(last.value + 1)});
    if (last == entry.stamp) continue;
    entry.stamp = last;
    AddPending(entry);
    ASSIGN_OR_RETURN(const sync::v1::Edit edit, EditOf(entry));
    for (const Change& change : edit.changes()) affected.insert(KeyOf(change));
  }
  for (const RecordKey& key : affected) RETURN_IF_ERROR(Recompute(key));
  return absl::OkStatus();
}

bool Store::Transaction::AnyStale() {
  if (!any_stale_) any_stale_ = tables_.AnyStale();
  return *any_stale_;
}

void Store::Transaction::KeepSeen() {
  stored::v1::Seen seen;
  seen.ParseFromString(tables_.GetSetting(kSeen));
  for (auto& cursor : tables_.Cursors()) *seen.add_cursors() = std::move(cursor);
  std::map<std::string, sync::v1::Cursor> by_scope;
  for (auto& cursor : *seen.mutable_cursors()) {
    auto& kept = by_scope[cursor.scope()];
    if (kept.version() <= cursor.version()) kept = std::move(cursor);
  }
  seen.Clear();
  for (auto& [scope, cursor] : by_scope) *seen.add_cursors() = std::move(cursor);
  tables_.PutSetting(kSeen, seen.SerializeAsString());
}

std::vector<sync::v1::Cursor> Store::Transaction::Seen() {
  stored::v1::Seen seen;
  // While a record is as it was before, somebody may yet make an edit on it.
  if (AnyStale() || tables_.CountPending() > 0) seen.ParseFromString(tables_.GetSetting(kSeen));
  return {seen.cursors().begin(), seen.cursors().end()};
}

void Store::Transaction::MakeStale() {
  KeepSeen();
  tables_.MakeStale();
  any_stale_.reset();
}

absl::Status Store::Transaction::BeginIncarnation(const std::string& incarnation) {
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

absl::Status Store::Transaction::Sweep() {
  for (const RecordKey& key : tables_.ListStale()) {
    tables_.Refreshed(key);
    Tables::Record record = tables_.GetRecord(key);
    record.confirmed = RecordState();
    tables_.PutRecord(key, record);
    RETURN_IF_ERROR(Recompute(key));
  }
  return absl::OkStatus();
}

size_t Store::Transaction::LookElsewhere() {
  sync::v1::ServerAddresses addresses;
  addresses.ParseFromString(tables_.GetSetting(kReachedAt));
  sync::v1::ServerAddress enrolled;
  enrolled.ParseFromString(tables_.GetSetting(kEnrolledAt));
  const auto find = [&](absl::string_view address, absl::string_view fingerprint) {
    return std::find_if(addresses.at().begin(), addresses.at().end(), [&](const auto& one) {
      return one.address() == address && one.fingerprint() == fingerprint;
    });
  };
  if (!enrolled.address().empty() &&
      find(enrolled.address(), enrolled.fingerprint()) == addresses.at().end()) {
    *addresses.add_at() = enrolled;
  }
  if (addresses.at_size() < 2) return 1;
  auto used = find(tables_.GetSetting(kAddress), tables_.GetSetting(kFingerprint));
  if (used == addresses.at().end() || ++used == addresses.at().end()) used = addresses.at().begin();
  tables_.PutSetting(kAddress, used->address());
  tables_.PutSetting(kFingerprint, used->fingerprint());
  return static_cast<size_t>(addresses.at_size());
}

absl::Status Store::Transaction::MayEnrolAgain(const Identity& identity) {
  const bool same = tables_.GetSetting(kPerson) == identity.person.bytes() &&
                    tables_.GetSetting(kServerId) == identity.server_id;
  const int64_t problem = tables_.GetNumber(kProblem);
  const bool forgotten = problem == sync::v1::UNKNOWN_DEVICE || problem == sync::v1::OTHER_SERVER ||
                         problem == sync::v1::OFFLINE;
  const bool goes_on = problem == sync::v1::REAUTHENTICATE && identity.device == Device();
  const bool begins_anew = problem == sync::v1::DEVICE_REVOKED && tables_.CountPending() == 0;
  if (same && (forgotten || goes_on || begins_anew)) return absl::OkStatus();
  return Refuse(sync::v1::ALREADY_HERE,
                InBoth("这台设备的登记。要给别人用，请另用一个文件夹（--home）登记",
                       "this device's enrolment; for somebody else use another folder (--home)"));
}

absl::Status Store::Transaction::OfferAll(DeviceNumber device) {
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

absl::Status Store::Transaction::Recompute(const RecordKey& key) {
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

NumberedEdit Store::Transaction::Numbered(const Tables::PendingEdit& pending) {
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
  // Ascending, as the wire has it; salts are in no order.
  std::sort(edit.mutable_builds_on()->begin(), edit.mutable_builds_on()->end());
  return edit;
}

uint64_t Store::Transaction::SaltOf(EditNumber number) {
  const auto pending = tables_.GetPending(number);
  return pending ? pending->salt : 0;
}

uint64_t Store::Transaction::SeenUpTo(const RecordType& type, const std::vector<Placed>& places) {
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

absl::StatusOr<const Store::Transaction::Opened*> Store::Transaction::Open(EditNumber number) {
  if (const auto known = opened_.find(number); known != opened_.end()) return &known->second;
  const auto pending = tables_.GetPending(number);
  if (!pending) return absl::DataLossError(absl::StrCat("edit ", number.value, " is missing"));
  opened_bytes_ += pending->edit.size();
  if (opened_bytes_ > kOpenedBytesMax) {
    opened_.clear();
    opened_bytes_ = pending->edit.size();
  }
  Opened opened;
  opened.stamp = pending->stamp;
  ASSIGN_OR_RETURN(opened.edit, EditOf(*pending));
  for (int i = 0; i < opened.edit.changes_size(); ++i) {
    opened.places[KeyOf(opened.edit.changes(i))] = i;
  }
  return &(opened_[number] = std::move(opened));
}

absl::Status Store::Transaction::ApplyPending(const RecordKey& key, EditNumber number,
                                              RecordState* state) {
  ASSIGN_OR_RETURN(const Opened* opened, Open(number));
  const auto place = opened->places.find(key);
  if (place == opened->places.end()) return absl::OkStatus();
  Outcome outcome;
  const auto status = Apply(store_.schema().Find(key.type), opened->edit.changes(place->second),
                            {Device(), kPendingVersion, opened->stamp}, state, &outcome);
  // What the server will refuse shows no effect; it comes back set aside.
  return ReasonOf(status).reason == sync::v1::NO_REASON ? status : absl::OkStatus();
}

}  // namespace zhibu::client
