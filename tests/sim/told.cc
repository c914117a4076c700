// The judge of what devices are told: every frame that goes to anybody, when it is sent.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "tests/sim/universe.h"
#include "zhibu/sync/v1/trace.pb.h"

namespace zhibu::sim {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

namespace {

constexpr size_t kCursorsMax = 60;

std::vector<Id> IdsIn(const std::string& bytes) {
  std::vector<Id> ids;
  for (size_t at = 0; at + Id::kSize <= bytes.size(); at += Id::kSize) {
    ids.push_back(*Id::FromBytes(absl::string_view(bytes).substr(at, Id::kSize)));
  }
  return ids;
}

}  // namespace

Universe::Hearer Universe::HearerOf(Device& device) {
  return {device.Number().value_or(DeviceNumber()), device.person,
          absl::StrCat("device ", device.index)};
}

// At the moment when it is sent, however long the session has been open.
void Universe::CheckUpdate(const Hearer& hearer, const sync::v1::Update& update) {
  ledger_.NoteTime(hearer.person, server_ms());
  if (ledger_.Revoked(hearer.number) && !update.groups().empty()) {
    return ledger_.Fail(kRight, absl::StrCat(hearer.name, " was revoked, and is sent records"));
  }
  for (const auto& group : update.groups()) {
    const std::vector<Id> ids = IdsIn(group.ids());
    for (int i = 0; i < group.bodies_size(); ++i) {
      const RecordKey key{group.type(), ids[static_cast<size_t>(i)]};
      shown_[hearer.person].insert(key);
      const Ledger::Record* record = ledger_.Find(key);
      if (record == nullptr || record->expected.unclear) continue;
      if (!ledger_.MayRead(hearer.person, *record, key.id, group.bodies(i), server_ms())) {
        ledger_.Fail(kRight, absl::StrCat(hearer.name, " is sent ", NameOf(key)), key);
      }
      CheckMoment(hearer, key, *record, group.version());
      if (i < group.traces_size()) CheckTrace(hearer, key, *record, group.traces(i));
      CheckLogged(hearer, ledger_.EntriesOf(hearer.person), key, group.bodies(i), 0);
    }
  }
  for (const auto& removal : update.removals()) {
    for (const Id& id : IdsIn(removal.ids())) {
      const RecordKey key{removal.type(), id};
      const bool had = shown_[hearer.person].count(key) > 0;
      if (had || ledger_.EverRead(hearer.person, key)) continue;
      ledger_.Fail(kTold,
                   absl::StrCat(hearer.name, " is to remove ", NameOf(key), ", which it never had"),
                   key);
    }
  }
  for (const auto& cursor : update.cursors()) {
    // For those who would pass for an honest device.
    if (!ledger_.Hostile(hearer.number) && cursors_.size() < kCursorsMax) {
      cursors_.push_back(cursor);
    }
    if (cursor.audience() != 0) CheckScope(hearer, cursor.scope());
  }
  // Whoever makes up cursors is told to drop what they name, whatever it is.
  if (ledger_.Hostile(hearer.number)) return;
  for (const std::string& scope : update.dropped()) CheckScope(hearer, scope);
}

// That a record comes tells that something of it has changed that they may see. Where their
// offices change, or while they catch up, it may come again as it was, through another scope.
void Universe::CheckRepeats(Stream& stream, const sync::v1::Update& update) {
  const Hearer hearer = HearerOf(stream.device);
  const auto offices = ledger_.OfficesAt(hearer.person, server_ms());
  const bool catches_up = std::exchange(stream.catches_up, update.catching_up());
  const bool anew =
      catches_up || update.catching_up() || !update.dropped().empty() || stream.told_as != offices;
  if (anew) stream.told.clear();
  stream.told_as = offices;
  for (const auto& removal : update.removals()) {
    for (const Id& id : IdsIn(removal.ids())) stream.told.erase({removal.type(), id});
  }
  for (const auto& group : update.groups()) {
    const std::vector<Id> ids = IdsIn(group.ids());
    for (int i = 0; i < group.bodies_size(); ++i) {
      const RecordKey key{group.type(), ids[static_cast<size_t>(i)]};
      std::string& told = stream.told[key];
      const std::string now =
          absl::StrCat(group.version(), "/", group.bodies(i), "/",
                       i < group.traces_size() ? group.traces(i) : std::string());
      if (told == now) {
        ledger_.Fail(kTold, absl::StrCat(hearer.name, " is sent ", NameOf(key), " as it was"), key);
      }
      told = now;
    }
  }
}

void Universe::CheckScope(const Hearer& hearer, const std::string& bytes) {
  const auto scope = Id::FromBytes(bytes);
  if (scope && ledger_.EverBelonged(hearer.person, *scope)) return;
  ledger_.Fail(kTold, absl::StrCat(hearer.name, " is told of a scope that never was theirs"));
}

// When, and by whom, a record last changed is told of what is seen of it alone.
void Universe::CheckMoment(const Hearer& hearer, const RecordKey& key, const Ledger::Record& record,
                           uint64_t version) {
  const auto change = std::find_if(record.history.begin(), record.history.end(),
                                   [&](const auto& one) { return one.by.version == version; });
  if (change == record.history.end() || change->change.kind() != sync::v1::Change::UPDATE) return;
  const Message& message = *record.expected.message;
  const Sight sight =
      SightOn(message, ledger_.SightIn(hearer.person, PlacesIn(message, key.id), server_ms()));
  const auto written = WrittenIn(change->change, *message.GetDescriptor());
  const bool hidden = std::all_of(written.begin(), written.end(), [&](const auto* field) {
    return Restricted(*field) && !Sees(sight, *field);
  });
  if (written.empty() || !hidden) return;
  ledger_.Fail(kTold, absl::StrCat(hearer.name, " is told when ", written[0]->name(), " changed"),
               key);
}

// What is remembered of who wrote what tells no more than the record.
void Universe::CheckTrace(const Hearer& hearer, const RecordKey& key, const Ledger::Record& record,
                          const std::string& bytes) {
  sync::v1::Trace trace;
  if (!trace.ParseFromString(bytes)) return ledger_.Fail(kProtocol, "a trace cannot be read", key);
  const Message& message = *record.expected.message;
  const Sight sight =
      SightOn(message, ledger_.SightIn(hearer.person, PlacesIn(message, key.id), server_ms()));
  const std::function<void(const sync::v1::Trace&)> look = [&](const sync::v1::Trace& one) {
    for (const auto& traced : one.fields()) {
      const FieldDescriptor* field =
          message.GetDescriptor()->FindFieldByNumber(static_cast<int>(traced.field()));
      if (field == nullptr || !Restricted(*field) || Sees(sight, *field)) continue;
      ledger_.Fail(kTold, absl::StrCat(hearer.name, " is told who wrote ", field->name()), key);
    }
    for (const auto& life : one.former_lives()) {
      look(life.trace());
      CheckLogged(hearer, ledger_.EntriesOf(hearer.person), key, life.body(), 0);
      if (ledger_.MayRead(hearer.person, record, key.id, life.body(), server_ms())) continue;
      ledger_.Fail(kTold, absl::StrCat(hearer.name, " is told what was before"), key);
    }
  };
  look(trace);
}

void Universe::CheckLogged(const Hearer& hearer, const std::set<std::string>& own,
                           const RecordKey& key, const std::string& body, int64_t since_ms) {
  const std::unique_ptr<Message> sent(PrototypeOf(key.type)->New());
  sent->ParsePartialFromString(body);
  const std::vector<std::string> labels = SensitiveIn(*sent);
  if (labels.empty()) return;
  for (const auto& [scope, place] : PlacesIn(*sent, key.id)) {
    if (place != PERSON || own.count(scope.str()) > 0) continue;
    // Answers within a minute of one another are one look.
    if (ledger_.Logged(scope, hearer.person, key.type, labels, since_ms - 60'000)) continue;
    ledger_.Fail(kLogged, absl::StrCat(hearer.name, " is sent ", NameOf(key)), key);
  }
}

}  // namespace zhibu::sim
