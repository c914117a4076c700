// The judge of a universe: what is compared when everybody has come to rest.
#include <google/protobuf/text_format.h>

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "proto/policies.pb.h"
#include "sync/base/environment.h"
#include "sync/base/reason.h"
#include "sync/base/status.h"
#include "tests/sim/hostile.h"
#include "tests/sim/universe.h"

namespace zhibu::sim {

using google::protobuf::Message;

namespace {

constexpr int kRoundsMax = 8;
constexpr uint32_t kNewType = 9002;  // that an app of the earlier version has never heard of

// As an app of today shows it: what an app does not know it keeps.
std::string ShownAs(uint32_t type, const Message& message) {
  std::unique_ptr<Message> today(PrototypeOf(type)->New());
  today->ParsePartialFromString(message.SerializePartialAsString());
  return Render(*today);
}

// One record; empty if there is none.
std::string ShownBy(Device& device, const RecordKey& key) {
  const RecordType* type = device.store->schema().Find(key.type);
  const auto draft = device.disk.Quietly([&] { return device.store->Edit(*type, key.id); });
  return draft.ok() ? ShownAs(key.type, draft->message()) : "";
}

// Without what only some may see: whether the person could when the server last spoke
// of the record is not known.
std::string Open(const Message& prototype, const std::string& shown) {
  if (shown.empty() || !HasRestricted(*prototype.GetDescriptor())) return shown;
  const std::unique_ptr<Message> message(prototype.New());
  google::protobuf::TextFormat::ParseFromString(shown, message.get());
  Hide({}, message.get());
  return Render(*message);
}

// The record as the device sees it if the server has said as much as `said`; none
// if the device refuses one of its own edits on top of that.
std::optional<std::string> Above(const Message& prototype, History said, const History& own) {
  for (const Accepted& edit : own) {
    // What has left the device is not there to be changed, but can be made anew.
    if (said.empty() && edit.change.kind() != sync::v1::Change::CREATE) continue;
    said.push_back(edit);
  }
  const Expected expected = Evaluate(prototype, said);
  if (expected.unclear || !expected.breach.empty()) return std::nullopt;
  return expected.alive ? Render(*expected.message) : "";
}

}  // namespace

void Universe::CheckAll() {
  ++stats.checks;
  if (failure()) return;
  slow_ = 0;
  server_.disk.Mend();
  Wait(60'000);
  server_clock_until_ms_ = now_ms_;
  PutServerClockRight();
  MendServer();
  for (const auto& device : devices_) {
    HangUp(*device);
    device->disk.Mend();
    device->away_until_ms = 0;
  }
  for (const auto& hostile : hostiles_) hostile->HangUp();
  for (const auto& stream : stranded_) Deliver(*stream, SIZE_MAX);
  stranded_.clear();
  CommitQueue(SIZE_MAX);
  Reap();
  uint64_t rows = 0;
  for (int round = 0; round < kRoundsMax && !failure(); ++round) {
    rows = ledger_.rows();
    for (const auto& device : devices_) {
      Sync(*device);
      if (failure()) return;
    }
    if (rows == ledger_.rows() && round > 0) break;
  }
  if (rows != ledger_.rows()) ledger_.Fail(kQuiet, "there is always something new");
  const absl::Status status = server_.store->Read([&](server::Reader& reader) -> absl::Status {
    RETURN_IF_ERROR(ledger_.CheckAudit(reader));
    return ledger_.CheckRecords(reader);
  });
  if (!status.ok()) ledger_.Fail(kIntegrity, absl::StrCat("server: ", status.ToString()));
  CheckSealed(server_.disk, "server");
  CheckSums();
  if (!failure()) CheckFigures();
  CheckLetGo();
  for (const auto& device : devices_) {
    if (failure()) return;
    CheckSealed(device->disk, absl::StrCat("device ", device->index));
    CheckAccount(*device);
    if (device->revoked) {
      CheckGone(*device);
    } else {
      CheckView(*device);
      if (!failure()) CheckJudgedAlike(*device);
      if (!failure()) CheckCountedAlike(*device);
    }
  }
}

// What it had not sent waits for those who act for its branches, and it has nothing of
// theirs any more. One that was to be wiped has been, and is a new one by now.
void Universe::CheckGone(Device& device) {
  const auto number = device.Number();
  const auto state = device.store->State();
  if (!number || !ledger_.Revoked(*number)) return;  // it was never enrolled
  const std::string who = absl::StrCat("device ", device.index);
  if (!state.ok() || state->unsent != 0 || ledger_.Lost(*number)) {
    return ledger_.Fail(kQuiet, absl::StrCat(who, " is out of service: ",
                                             state.ok() ? absl::StrCat(state->unsent, " unsent")
                                                        : state.status().ToString()));
  }
  const std::map<RecordKey, std::string> shown = Shown(device);
  if (shown.empty()) return;
  ledger_.Fail(kRight, absl::StrCat(who, " is out of service, and holds ", shown.begin()->second),
               shown.begin()->first);
}

void Universe::CheckSealed(const Disk& disk, const std::string& whose) {
  for (const auto& [name, content] : disk.Copy()) {
    // Every branch's name has it.
    if (absl::StrContains(content, "党支部")) {
      ledger_.Fail(kSealed, absl::StrCat(whose, ": ", name));
    }
  }
}

std::map<RecordKey, std::string> Universe::Shown(Device& device) {
  std::map<RecordKey, std::string> shown;
  for (const RecordType& type : device.store->schema().types()) {
    const absl::Status status =
        device.store->List({.type = type.number}, [&](const Id& id, const Message& message) {
          shown[{type.number, id}] = ShownAs(type.number, message);
          return true;
        });
    if (!status.ok()) {
      ledger_.Fail(kIntegrity, absl::StrCat("device ", device.index, ": ", status.ToString()));
    }
  }
  return shown;
}

void Universe::CheckView(Device& device) {
  const auto state = device.store->State();
  if (!state.ok() || state->unsent != 0 || state->problem != sync::v1::NO_REASON) {
    return ledger_.Fail(
        kQuiet, absl::StrCat("device ", device.index, ": ",
                             state.ok() ? absl::StrCat(state->unsent, " unsent, ",
                                                       sync::v1::Reason_Name(state->problem), " ",
                                                       state->problem_detail)
                                        : state.status().ToString()));
  }
  std::map<RecordKey, std::string> expected = ledger_.ViewOf(device.person, server_ms());
  if (device.old) {
    expected.erase(expected.lower_bound({kNewType, Id()}),
                   expected.lower_bound({kNewType + 1, Id()}));
  }
  const std::map<RecordKey, std::string> shown = Shown(device);
  const std::string who = absl::StrCat("device ", device.index, " of ", Hex(device.person.bytes()));
  for (const auto& [key, text] : shown) {
    if (expected.count(key) == 0) {
      return ledger_.Fail(kRight, absl::StrCat(who, " holds ", NameOf(key), " ", text), key);
    }
  }
  for (const auto& [key, text] : expected) {
    const auto it = shown.find(key);
    if (it != shown.end() && it->second == text) continue;
    return ledger_.Fail(
        kView,
        absl::StrCat(who, ": ", NameOf(key), "\n  shows     ",
                     it == shown.end() ? "nothing" : it->second, "\n  should be ", text),
        key);
  }
}

// What somebody has just recorded is what they are shown.
void Universe::CheckMeant(Device& device, const sync::v1::Edit& edit,
                          const std::vector<client::Draft*>& drafts) {
  if (OfEarlierLife(device)) return;
  for (const sync::v1::Change& change : edit.changes()) {
    const auto draft = std::find_if(drafts.begin(), drafts.end(), [&](const client::Draft* d) {
      return d->type().number == change.type() && d->id().bytes() == change.id();
    });
    if (draft == drafts.end()) {
      return ledger_.Fail(kMeant, absl::StrCat("device ", device.index, " commits another record"));
    }
    const RecordKey key{change.type(), (*draft)->id()};
    std::string meant;
    if (change.kind() != sync::v1::Change::DELETE) {
      // Read as though it were new, which leaves one of what is there twice.
      sync::v1::Change whole;
      whole.set_kind(sync::v1::Change::CREATE);
      whole.set_set((*draft)->message().SerializePartialAsString());
      meant = Render(*Evaluate(*PrototypeOf(key.type), {{{}, whole}}).message);
    }
    const std::string shown = ShownBy(device, key);
    if (shown == meant) continue;
    ledger_.Fail(kMeant,
                 absl::StrCat("device ", device.index, ": ", NameOf(key), "\n  shows     ", shown,
                              "\n  was meant ", meant),
                 key);
  }
}

bool Universe::OfEarlierLife(Device& device) {
  const auto identity = device.disk.Quietly([&] { return device.store->GetIdentity(); });
  return !identity.ok() || identity->incarnation != incarnation_ || device.Stale();
}

// What came in after the draft was begun its author had not seen.
void Universe::CheckBase(Device& device, const sync::v1::Edit& edit, uint64_t begun_at) {
  if (OfEarlierLife(device)) return;
  for (const sync::v1::Change& change : edit.changes()) {
    if (change.kind() == sync::v1::Change::CREATE || change.base() <= begun_at) continue;
    ledger_.Fail(kMeant, absl::StrCat("device ", device.index, ": begun at version ", begun_at,
                                      ", and said to have seen ", change.base()));
  }
}

// How much the server has said of a record only the device knows: it shows what
// its own edits make of one of the values that the record has had.
void Universe::CheckOwn(Device& device) {
  const auto number = device.Number();
  const auto pending =
      device.disk.Quietly([&] { return device.store->Pending(EditNumber(0), SIZE_MAX); });
  // What is damaged may come later than its answer.
  if (!number || !pending.ok() || OfEarlierLife(device) || !damaged_.empty()) return;
  std::map<RecordKey, History> own;
  for (const auto& one : *pending) {
    sync::v1::Edit edit;
    if (one.withdrawn()) continue;
    edit.ParseFromString(one.edit());
    for (const auto& change : edit.changes()) {
      own[{change.type(), *Id::FromBytes(change.id())}].push_back(
          {{kPendingVersion.value, number->value, one.stamp(), change.base(), UINT64_MAX}, change});
    }
  }
  for (const auto& [key, edits] : own) {
    const Message& prototype = *PrototypeOf(key.type);
    const std::string shown = Open(prototype, ShownBy(device, key));
    const Ledger::Record* record = ledger_.Find(key);
    History said = record == nullptr ? History() : record->history;
    const auto above = [&, &own = edits]() -> std::optional<std::string> {
      const auto whole = Above(prototype, said, own);
      return whole ? std::optional(Open(prototype, *whole)) : std::nullopt;
    };
    std::optional<std::string> could = above();
    const std::string latest = could.value_or("");
    while (could && *could != shown && !said.empty()) {
      said.pop_back();
      could = above();
    }
    if (!could || *could == shown) continue;
    ledger_.Fail(kOwn,
                 absl::StrCat("device ", device.index, ": ", NameOf(key), "\n  shows     ", shown,
                              "\n  should be ", latest),
                 key);
  }
}

// Counted from what people did, not from what was sent; of hostile phones what they sent.
void Universe::CheckSums() {
  static const uint32_t kSampler =
      TodaysSchema()->Find(zhibu::testing::Sampler::descriptor())->number;
  std::map<RecordKey, int64_t> expected;
  for (const auto& [salt, known] : known_) {
    if (!ledger_.Merged(salt)) continue;
    for (const auto& [key, delta] : known.deltas) {
      // What is written once is the same in each copy's.
      expected[key] = key.type == kSampler ? expected[key] + delta : delta;
    }
  }
  for (const auto& [key, sum] : expected) {
    const Ledger::Record* record = ledger_.Find(key);
    if (record == nullptr || record->expected.unclear) continue;
    // A record that was deleted may have begun again at nothing.
    if (std::any_of(record->history.begin(), record->history.end(), [](const Accepted& accepted) {
          return accepted.change.kind() == sync::v1::Change::DELETE;
        })) {
      continue;
    }
    const auto& message = *record->expected.message;
    const bool sampler = key.type == kSampler;
    const auto* field = message.GetDescriptor()->FindFieldByName(sampler ? "sum" : "amount_fen");
    int64_t added = sum;
    for (const Accepted& accepted : record->history) {
      if (!sampler || !ledger_.Hostile(DeviceNumber(accepted.by.device))) continue;
      zhibu::testing::Sampler set;
      set.ParsePartialFromString(accepted.change.set());
      added = static_cast<int64_t>(static_cast<uint64_t>(added) + static_cast<uint64_t>(set.sum()));
    }
    const int64_t stands = message.GetReflection()->GetInt64(message, field);
    if (stands != added) {
      ledger_.Fail(kSums, absl::StrCat(NameOf(key), ": ", stands, " instead of ", added), key);
    }
  }
}

// However often the server is restored. (A copy does not know that it was let go of.)
void Universe::CheckLetGo() {
  for (const uint64_t salt : let_go_) {
    if (copied.count(salt) > 0 || !ledger_.Merged(salt)) continue;
    const auto& change = known_[salt].edit.changes(0);
    ledger_.Fail(kLetGo, "an edit that was returned and let go of is in",
                 RecordKey{change.type(), Id::FromBytes(change.id()).value_or(Id())});
  }
}

std::string Universe::Digest() {
  std::string all;
  const absl::Status status = server_.store->Read([&](server::Reader& reader) -> absl::Status {
    ASSIGN_OR_RETURN(const auto devices, reader.ListDevices());
    for (const auto& device : devices) {
      RETURN_IF_ERROR(
          reader.ReadAudit(device.number, EditNumber(0), [&](const server::AuditRow& row) {
            absl::StrAppend(&all, row.chain);
            return true;
          }));
    }
    for (const auto& [key, record] : ledger_.records()) {
      ASSIGN_OR_RETURN(const RecordState state, reader.GetRecord(key));
      absl::StrAppend(&all, key.type, key.id.bytes(), state.body, state.trace,
                      state.version().value);
    }
    return absl::OkStatus();
  });
  if (!status.ok()) absl::StrAppend(&all, status.ToString());
  for (const auto& device : devices_) {
    for (const auto& [key, text] : Shown(*device)) absl::StrAppend(&all, key.id.bytes(), text);
  }
  absl::StrAppend(&all, now_ms_, " ", stats.frames, " ", stats.sessions, " ", stats.edits);
  return Hex(zhibu::Digest(all)).substr(0, 16);
}

}  // namespace zhibu::sim
