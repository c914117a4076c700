#include "server/ingest/foresight.h"

#include <optional>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "server/figures/sums.h"
#include "sync/base/status.h"
#include "sync/crypto/handshake.h"
#include "sync/rules/persons.h"
#include "sync/rules/supplements.h"
#include "sync/wire/record.h"
#include "sync/wire/value.h"
#include "zhibu/sync/v1/edit.pb.h"

namespace zhibu::server {
namespace {

using sync::v1::Change;
using sync::v1::Edit;

// As far as they can be read; the others are refused later.
struct Read {
  const RecordType* type;
  RecordKey key;
  const Change* change;
};

std::vector<Read> ChangesIn(const Work& work, const std::vector<Edit>& edits) {
  std::vector<Read> changes;
  for (const Edit& edit : edits) {
    for (const Change& change : edit.changes()) {
      const RecordType* type = work.schema.Find(change.type());
      const auto id = Id::FromBytes(change.id());
      if (type != nullptr && id) changes.push_back({type, {change.type(), *id}, &change});
    }
  }
  return changes;
}

// And those that they point at.
std::vector<RecordKey> RecordsOf(const std::vector<Read>& changes) {
  std::vector<RecordKey> keys;
  for (const Read& read : changes) {
    keys.push_back(read.key);
    for (const FieldRule& rule : read.type->fields.rules()) {
      if (rule.refers_to == nullptr) continue;
      const auto said = LastOf(*rule.descriptor, read.change->set());
      const auto id = said ? Id::FromBytes(said->payload) : std::nullopt;
      if (id) keys.push_back({rule.refers_to->number, *id});
    }
  }
  return keys;
}

absl::Status FetchAuthors(const Work& work, absl::Span<const Submitted> batch, Foreseen* foreseen) {
  absl::flat_hash_set<Id> persons;
  for (const Submitted& submitted : batch) {
    ASSIGN_OR_RETURN(const std::optional<DeviceRow> device,
                     work.writer.GetDevice(submitted.device));
    if (device) persons.insert(device->person);
  }
  foreseen->small_scopes.assign(persons.begin(), persons.end());
  for (const Id& person : persons) foreseen->marks.push_back(JoinedMark(person));
  return absl::OkStatus();
}

// Those where the records lie, and those that the edits name.
absl::Status FetchScopes(const Work& work, const std::vector<Read>& changes, Foreseen* foreseen) {
  absl::flat_hash_set<Id> moving;
  for (const Read& read : changes) {
    const absl::StatusOr<RecordState> state = work.writer.GetRecord(read.key);
    if (!state.ok()) continue;  // whoever needs it is told
    absl::flat_hash_set<Id> scopes;
    for (const absl::string_view body :
         {absl::string_view(state->body), absl::string_view(read.change->set())}) {
      for (const Placed& placed : PlacesOf(*read.type, read.key.id, body)) {
        scopes.insert(placed.scope);
      }
    }
    for (const Id& scope : scopes) {
      moving.insert(scope);
      if (state->exists) foreseen->feeds.emplace_back(scope, read.key);
    }
  }
  foreseen->moving.assign(moving.begin(), moving.end());
  for (const Id& scope : moving) foreseen->lists.emplace_back(SupplementType(), scope);
  return absl::OkStatus();
}

}  // namespace

absl::Status FetchFor(const Work& work, absl::Span<const Submitted> batch) {
  if (!work.writer.IsFar()) return absl::OkStatus();
  Foreseen first;
  std::vector<Edit> edits(batch.size());
  absl::flat_hash_set<DeviceNumber> devices = {work.own_chain};
  for (size_t i = 0; i < batch.size(); ++i) {
    devices.insert(batch[i].device);
    const std::string& edit = batch[i].edit.edit();
    if (!edits[i].ParseFromString(edit)) edits[i].Clear();
    first.edits.emplace_back(edits[i].device_time_ms(), LinkTo(edit));
  }
  first.devices.assign(devices.begin(), devices.end());
  const std::vector<Read> changes = ChangesIn(work, edits);
  first.records = RecordsOf(changes);
  for (const Read& read : changes) {
    ForeseeSums(work.book, *read.type, read.key.id, read.change->set(), &first);
  }
  RETURN_IF_ERROR(work.writer.Fetch(first));
  Foreseen then;
  RETURN_IF_ERROR(FetchAuthors(work, batch, &then));
  RETURN_IF_ERROR(FetchScopes(work, changes, &then));
  if (!first.settings.empty()) then.sums = then.moving;
  return work.writer.Fetch(then);
}

}  // namespace zhibu::server
