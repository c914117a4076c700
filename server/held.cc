#include "server/held.h"

#include <google/protobuf/util/time_util.h>

#include <algorithm>
#include <iterator>
#include <set>
#include <string>
#include <utility>

#include "server/own_edit.h"
#include "sync/audience.h"
#include "sync/environment.h"
#include "sync/record.h"
#include "sync/status.h"

namespace zhibu::server {

using google::protobuf::util::TimeUtil;

using records::v1::HeldEdit;

namespace {

const RecordType& HeldType() { return *CatalogueSchema()->Find(HeldEdit::descriptor()); }

using Scopes = std::set<Id>;

// Those in which a secretary may read what the change writes.
void AddScopes(const RecordType& type, const sync::v1::Change& change, const Id& id,
               absl::string_view body, Scopes* scopes) {
  const uint64_t written = WrittenBy(type, change);
  for (const Placed& placed : PlacesOf(type, id, body)) {
    if (placed.place != OWNER && placed.place != GUEST) continue;
    if (placed.place == GUEST && type.writers.as_host == 0) continue;  // nobody could take it
    const Eyes eyes = EyesOn({placed}, [](const Id&) { return AudienceOf(SECRETARY); });
    if ((written & HiddenFrom(type, eyes)) == 0) scopes->insert(placed.scope);
  }
}

// Where the records lie that an edit touches, or are to lie.
class Reach {
 public:
  void Add(const Scopes& scopes) {
    any_.insert(scopes.begin(), scopes.end());
    if (std::exchange(first_, false)) {
      common_ = scopes;
      return;
    }
    Scopes both;
    std::set_intersection(common_.begin(), common_.end(), scopes.begin(), scopes.end(),
                          std::inserter(both, both.begin()));
    common_ = std::move(both);
  }

  // Who acts for one of these may see all of it.
  bool shown() const { return !common_.empty(); }
  const Scopes& scopes() const { return shown() ? common_ : any_; }

 private:
  bool first_ = true;
  Scopes common_;
  Scopes any_;
};

// What is not there yet lies where the edits put it that this one builds on, if they
// are held too.
absl::StatusOr<Scopes> ScopesBelow(Reader& reader, DeviceNumber device,
                                   const sync::v1::NumberedEdit& submitted, HeldEdit* held) {
  Scopes scopes;
  for (const uint64_t below : submitted.builds_on()) {
    held->add_builds_on(below);
    ASSIGN_OR_RETURN(const auto foundation, reader.GetAudit(device, EditNumber(below)));
    ASSIGN_OR_RETURN(const auto waiting, FindHeld(reader, foundation ? foundation->edit : ""));
    if (!waiting || waiting->edit().empty()) continue;
    for (const std::string& scope : waiting->scopes()) {
      if (const auto id = Id::FromBytes(scope)) scopes.insert(*id);
    }
  }
  return scopes;
}

}  // namespace

absl::Status AddHeld(Reader& reader, const Schema& schema, const sync::v1::NumberedEdit& submitted,
                     const AuditRow& row, const Id& author, sync::v1::Edit* own) {
  HeldEdit held;
  sync::v1::Edit edit;
  edit.ParseFromString(row.edit);  // what cannot be read touches nothing
  ASSIGN_OR_RETURN(const Scopes below, ScopesBelow(reader, row.device, submitted, &held));
  Reach reach;
  for (const sync::v1::Change& change : edit.changes()) {
    // A decision that is late is made anew, or not, by whoever may decide now.
    if (change.type() == HeldType().number) return absl::OkStatus();
    const RecordType* type = schema.Find(change.type());
    const auto id = Id::FromBytes(change.id());
    Scopes scopes;
    if (type != nullptr && id) {
      ASSIGN_OR_RETURN(const RecordState state, reader.GetRecord({type->number, *id}));
      if (state.exists) AddScopes(*type, change, *id, state.body, &scopes);
      AddScopes(*type, change, *id, change.set(), &scopes);
    }
    reach.Add(scopes.empty() ? below : scopes);
  }
  for (const Id& scope : reach.scopes()) held.add_scopes(scope.str());
  held.set_author_id(author.str());
  held.set_device(row.device.value);
  held.set_number(row.number.value);
  if (reach.shown()) held.set_edit(row.edit);
  held.set_reason(row.answer.reason());
  held.set_detail(row.answer.detail());
  *held.mutable_received() = TimeUtil::MillisecondsToTimestamp(row.received_ms);
  held.set_state(HeldEdit::WAITING);
  const Id id = HeldId(row.edit);
  ASSIGN_OR_RETURN(const RecordState before, reader.GetRecord({HeldType().number, id}));
  if (!before.alive()) AddChange(HeldType(), id, before, held, own);
  return absl::OkStatus();
}

absl::StatusOr<std::optional<HeldEdit>> FindHeld(Reader& reader, absl::string_view edit) {
  ASSIGN_OR_RETURN(const RecordState state, reader.GetRecord({HeldType().number, HeldId(edit)}));
  HeldEdit held;
  if (!state.alive() || !held.ParseFromString(state.body)) return std::nullopt;
  return held;
}

}  // namespace zhibu::server
