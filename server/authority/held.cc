#include "server/authority/held.h"

#include <google/protobuf/util/time_util.h>

#include <algorithm>
#include <iterator>
#include <set>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/authority/authority.h"
#include "server/authority/notes.h"
#include "sync/base/environment.h"
#include "sync/base/reason.h"
#include "sync/base/status.h"
#include "sync/merge/audience.h"
#include "sync/merge/own_edit.h"
#include "sync/rules/typed.h"
#include "sync/wire/record.h"
#include "zhibu/records/v1/held.pb.h"
#include "zhibu/records/v1/organisation.pb.h"

namespace zhibu::server {

using google::protobuf::util::TimeUtil;

using records::v1::HeldEdit;

namespace {

constexpr absl::string_view kHeld = "held";

using Scopes = std::set<Id>;

// Those whose secretary decides: who could make the change themselves. `body`: the record as
// it is; where it is not there yet, as the change makes it. What nobody could make but the
// person lies with those who keep it and may read it all, who can but return it.
Scopes DecidersOf(const RecordType& type, const sync::v1::Change& change, const Id& id,
                  const RecordState& state) {
  const std::string& body = state.exists ? state.body : change.set();
  Scopes might;
  Scopes keep;
  for (const Placed& placed : PlacesOf(type, id, body)) {
    if (placed.place != OWNER && placed.place != GUEST) continue;
    if (SecretaryMight(type, change, state, placed)) might.insert(placed.scope);
    const Eyes eyes = EyesOn({placed}, [](const Id&) { return AudienceOf(SECRETARY); });
    const bool reads = (WrittenBy(type, change) & HiddenFrom(type, eyes, HOST_SEES_ALL)) == 0;
    if (placed.place == OWNER && reads) keep.insert(placed.scope);
  }
  return might.empty() ? keep : might;
}

// What an edit names as its keeper need be none.
absl::Status KeepOrganisations(Reader& reader, Scopes* scopes) {
  for (auto it = scopes->begin(); it != scopes->end();) {
    const absl::StatusOr<RecordState> organisation =
        reader.GetRecord({TypeOf<records::v1::Organisation>().number, *it});
    RETURN_IF_ERROR(PassOver(organisation.status()));  // if damaged, it is there
    const bool exists = !organisation.ok() || organisation->exists;
    it = exists ? std::next(it) : scopes->erase(it);
  }
  return absl::OkStatus();
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

// Nothing where it was not held.
absl::StatusOr<std::optional<HeldEdit>> FindHeld(Reader& reader, absl::string_view edit) {
  ASSIGN_OR_RETURN(const RecordState state,
                   reader.GetRecord({TypeOf<HeldEdit>().number, HeldId(edit)}));
  HeldEdit held;
  if (!state.alive() || !held.ParseFromString(state.body)) return std::nullopt;
  return held;
}

// What is not there yet lies where the edits put it that this one builds on, if they
// are held too.
absl::StatusOr<Scopes> ScopesBelow(Reader& reader, const AuditRow& row) {
  Scopes scopes;
  for (const uint64_t below : row.builds_on) {
    ASSIGN_OR_RETURN(const auto verdict, reader.GetVerdict(row.device, EditNumber(below)));
    if (!verdict || verdict->verdict != sync::v1::HELD) continue;
    ASSIGN_OR_RETURN(const auto foundation, reader.GetAudit(row.device, EditNumber(below)));
    ASSIGN_OR_RETURN(const auto waiting, FindHeld(reader, foundation ? foundation->edit : ""));
    if (!waiting || waiting->edit().empty()) continue;
    for (const std::string& scope : waiting->scopes()) {
      if (const auto id = Id::FromBytes(scope)) scopes.insert(*id);
    }
  }
  return scopes;
}

// What cannot be read touches nothing.
sync::v1::Edit EditIn(const AuditRow& row) {
  sync::v1::Edit edit;
  if (!edit.ParseFromString(row.edit)) edit.Clear();
  return edit;
}

absl::StatusOr<Reach> ReachOf(Reader& reader, const Schema& schema, const AuditRow& row) {
  std::optional<Scopes> below;  // is looked for where it is needed
  Reach reach;
  const sync::v1::Edit edit = EditIn(row);
  for (const sync::v1::Change& change : edit.changes()) {
    const RecordType* type = schema.Find(change.type());
    const auto id = Id::FromBytes(change.id());
    Scopes scopes;
    if (type != nullptr && id) {
      ASSIGN_OR_RETURN(const RecordState state, reader.GetRecord({type->number, *id}));
      scopes = DecidersOf(*type, change, *id, state);
      RETURN_IF_ERROR(KeepOrganisations(reader, &scopes));
    }
    if (scopes.empty()) {
      if (!below) {
        ASSIGN_OR_RETURN(below, ScopesBelow(reader, row));
      }
      scopes = *below;
    }
    reach.Add(scopes);
  }
  return reach;
}

// Names of counts (Reader::GetCount).
std::string EditsOf(const Id& device) { return absl::StrCat("held.edits/", Hex(device.bytes())); }
std::string BytesOf(const Id& device) { return absl::StrCat("held.bytes/", Hex(device.bytes())); }
std::string EditsFor(absl::string_view scope) { return absl::StrCat("held.for/", Hex(scope)); }
std::string TriesOf(const Id& held) { return absl::StrCat("held.tries/", Hex(held.bytes())); }

// Writes where it lies now into `held`, and counts it there.
absl::Status SetReach(Writer& writer, const Reach& reach, const AuditRow& row, HeldEdit* held) {
  for (const std::string& scope : held->scopes()) {
    RETURN_IF_ERROR(writer.AddToCount(EditsFor(scope), -1));
  }
  held->clear_scopes();
  for (const Id& scope : reach.scopes()) {
    held->add_scopes(scope.str());
    RETURN_IF_ERROR(writer.AddToCount(EditsFor(scope.bytes()), 1));
  }
  held->set_edit(reach.shown() ? row.edit : "");
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<bool> HasRoom(Reader& reader, const Schema& schema, const AuditRow& row,
                             const Id& device_record) {
  ASSIGN_OR_RETURN(const int64_t edits, reader.GetCount(EditsOf(device_record)));
  ASSIGN_OR_RETURN(const int64_t bytes, reader.GetCount(BytesOf(device_record)));
  if (edits >= kHeldEditsMax || bytes + static_cast<int64_t>(row.edit.size()) > kHeldBytesMax) {
    return false;
  }
  ASSIGN_OR_RETURN(const Reach reach, ReachOf(reader, schema, row));
  for (const Id& scope : reach.scopes()) {
    ASSIGN_OR_RETURN(const int64_t waiting, reader.GetCount(EditsFor(scope.bytes())));
    if (waiting >= kHeldForOneMax) return false;
  }
  return true;
}

absl::Status AddHeld(Writer& writer, const Schema& schema, const AuditRow& row, const Id& author,
                     const Id& device_record, sync::v1::Edit* own) {
  const sync::v1::Edit edit = EditIn(row);
  // A decision that is late is made anew, or not, by whoever may decide now.
  if (DecidesOnHeld(edit)) return absl::OkStatus();
  const Id id = HeldId(row.edit);
  ASSIGN_OR_RETURN(const RecordState before, writer.GetRecord({TypeOf<HeldEdit>().number, id}));
  if (before.alive()) return absl::OkStatus();
  ASSIGN_OR_RETURN(const Reach reach, ReachOf(writer, schema, row));
  HeldEdit held;
  RETURN_IF_ERROR(SetReach(writer, reach, row, &held));
  held.set_author_id(author.str());
  held.set_device(row.device.value);
  held.set_number(row.number.value);
  held.mutable_builds_on()->Add(row.builds_on.begin(), row.builds_on.end());
  held.set_reason(row.answer.reason());
  held.set_detail(row.answer.detail());
  *held.mutable_received() = TimeUtil::MillisecondsToTimestamp(row.received_ms);
  held.set_state(HeldEdit::WAITING);
  for (const auto& change : edit.changes()) {
    const auto of = Id::FromBytes(change.id());
    if (of) RETURN_IF_ERROR(writer.PutMark(MarkAbout(kHeld, {change.type(), *of}), id));
  }
  RETURN_IF_ERROR(writer.AddToCount(EditsOf(device_record), 1));
  RETURN_IF_ERROR(writer.AddToCount(BytesOf(device_record), static_cast<int64_t>(row.edit.size())));
  AddChange(TypeOf<HeldEdit>(), id, before, held, own);
  return absl::OkStatus();
}

bool DecidesOnHeld(const sync::v1::Edit& edit) {
  return std::any_of(edit.changes().begin(), edit.changes().end(),
                     [](const auto& change) { return change.type() == TypeOf<HeldEdit>().number; });
}

std::optional<HeldDecision> HeldDecisionIn(const RecordKey& key, absl::string_view before,
                                           absl::string_view after) {
  if (key.type != TypeOf<HeldEdit>().number) return std::nullopt;
  const auto held = Parse<HeldEdit>(after);
  if (Parse<HeldEdit>(before).state() != HeldEdit::WAITING || held.state() == HeldEdit::WAITING) {
    return std::nullopt;
  }
  return HeldDecision{DeviceNumber(held.device()), EditNumber(held.number()),
                      held.state() == HeldEdit::TAKEN};
}

absl::Status CountDecided(Writer& writer, absl::string_view held, size_t bytes,
                          const Id& device_record) {
  const auto was = Parse<HeldEdit>(held);
  for (const std::string& scope : was.scopes()) {
    RETURN_IF_ERROR(writer.AddToCount(EditsFor(scope), -1));
  }
  RETURN_IF_ERROR(writer.AddToCount(EditsOf(device_record), -1));
  return writer.AddToCount(BytesOf(device_record), -static_cast<int64_t>(bytes));
}

absl::Status CheckTries(Reader& reader, const Id& held) {
  ASSIGN_OR_RETURN(const int64_t tries, reader.GetCount(TriesOf(held)));
  return tries < kTriesMax ? absl::OkStatus()
                           : Refuse(sync::v1::STEP_NOT_ALLOWED, absl::StrCat(tries));
}

absl::Status CountTry(Writer& writer, const Id& held) {
  return writer.AddToCount(TriesOf(held), 1);
}

absl::Status MoveHeld(Writer& writer, const Schema& schema, const RecordKey& key,
                      sync::v1::Edit* own) {
  ASSIGN_OR_RETURN(const std::vector<Id> waiting, writer.FindMarked(MarkAbout(kHeld, key)));
  for (const Id& id : waiting) {
    ASSIGN_OR_RETURN(const RecordState before, writer.GetRecord({TypeOf<HeldEdit>().number, id}));
    auto held = Parse<HeldEdit>(before.body);
    if (!before.alive() || held.state() != HeldEdit::WAITING) continue;
    ASSIGN_OR_RETURN(const auto row,
                     writer.GetAudit(DeviceNumber(held.device()), EditNumber(held.number())));
    if (!row) continue;
    ASSIGN_OR_RETURN(const Reach reach, ReachOf(writer, schema, *row));
    RETURN_IF_ERROR(SetReach(writer, reach, *row, &held));
    AddChange(TypeOf<HeldEdit>(), id, before, held, own);
  }
  return absl::OkStatus();
}

absl::StatusOr<HeldFate> HeldFateOf(Reader& reader, absl::string_view edit) {
  ASSIGN_OR_RETURN(const auto held, FindHeld(reader, edit));
  const auto state = held ? held->state() : HeldEdit::WAITING;
  return state == HeldEdit::TAKEN     ? HeldFate::kTaken
         : state == HeldEdit::WAITING ? HeldFate::kWaits
                                      : HeldFate::kReturned;
}

}  // namespace zhibu::server
