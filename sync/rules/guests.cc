#include "sync/rules/guests.h"

#include <google/protobuf/message.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "sync/base/status.h"
#include "sync/crypto/handshake.h"
#include "sync/merge/own_edit.h"
#include "sync/rules/offices.h"
#include "sync/rules/parse.h"
#include "sync/rules/typed.h"
#include "sync/wire/record.h"
#include "sync/wire/value.h"
#include "zhibu/records/v1/conflict.pb.h"
#include "zhibu/records/v1/flow.pb.h"
#include "zhibu/records/v1/meeting.pb.h"
#include "zhibu/records/v1/member.pb.h"

namespace zhibu {

using google::protobuf::Message;
using records::v1::CheckIn;
using records::v1::Flow;
using records::v1::Member;
using sync::v1::Edit;

namespace {

bool IsGuest(const FieldRule& rule) {
  return rule.place == GUEST && rule.policy == SERVER && rule.sent_to == nullptr;
}

// The branches that have to do with a person.
struct Branches {
  std::string home;
  std::set<std::string> all;  // that one, and the hosts of stays that last
};

// A stay that was reported from a former home says nothing any longer.
absl::StatusOr<Branches> BranchesOf(Lookup& reader, const Id& person) {
  Branches branches;
  ASSIGN_OR_RETURN(branches.home, HomeOf(reader, person.bytes()));
  if (branches.home.empty()) return branches;
  branches.all.insert(branches.home);
  ASSIGN_OR_RETURN(const std::vector<Id> stays, reader.FindMarked(StaysMark(person)));
  for (const Id& id : stays) {
    ASSIGN_OR_RETURN(const RecordState state, reader.GetRecord({TypeOf<Flow>().number, id}));
    // A mark may be left behind by a server of an earlier version, which puts none and takes none
    // off.
    if (!state.alive() || !StayLasts(state.body)) continue;
    const Flow flow = Parse<Flow>(state.body);
    if (flow.home_branch_id() == branches.home && !flow.host_branch_id().empty()) {
      branches.all.insert(flow.host_branch_id());
    }
  }
  return branches;
}

// Whether whoever keeps the record has to do with the person now: they are placed there, or
// stay there. What others write of somebody, or wrote when they still had, tells them
// nothing about where that one is.
bool HasToDo(const RecordType& type, const std::vector<Placed>& places, const Branches& branches) {
  if (type.own_scope == PERSON) return true;
  bool kept = false;
  for (const Placed& placed : places) {
    if (placed.place != OWNER) continue;
    kept = true;
    if (branches.all.count(placed.scope.str()) > 0) return true;
  }
  return !kept;  // nobody but the person has it
}

// The branches that are to see it, of those that have to do with the person. Once its keeper
// has to do with them no longer, nobody is added and hosts see it no more; a home of theirs
// goes on seeing what it has seen, be it a former one, so that it does not tell when they
// leave that as well.
absl::StatusOr<std::set<std::string>> OthersOf(Lookup& reader, const RecordType& type,
                                               const Id& person, const std::vector<Placed>& places,
                                               const Branches& branches) {
  std::set<std::string> others;
  if (HasToDo(type, places, branches)) {
    others = branches.all;
  } else {
    ASSIGN_OR_RETURN(const RecordKey placement, PlacementKey(person));
    for (const Placed& placed : places) {
      if (placed.place != GUEST) continue;
      ASSIGN_OR_RETURN(const bool home, reader.EverIn(placed.scope, placement));
      if (home) others.insert(placed.scope.str());
    }
  }
  for (const Placed& placed : places) {
    if (placed.place == OWNER) others.erase(placed.scope.str());
  }
  return others;
}

// Whether the home of now is that of then: the check-in has just been made, or has just been
// verified. A former branch that writes it again years later is told nothing.
bool IsMadeNow(const RecordType& type, const std::vector<Placed>& places, const Branches& branches,
               absl::string_view before, absl::string_view after) {
  if (type.number == TypeOf<CheckIn>().number) {
    const auto standing = [](absl::string_view body) { return Parse<CheckIn>(body).standing(); };
    if (standing(after) != CheckIn::STANDING_UNSPECIFIED) {
      return standing(before) == CheckIn::STANDING_UNSPECIFIED;
    }
  }
  return before.empty() && HasToDo(type, places, branches);
}

absl::Status SetGuests(Lookup& reader, const RecordType& type, const Id& id, const Id& person,
                       absl::string_view before, const RecordState& state, const Branches& branches,
                       Edit* edit) {
  const std::vector<Placed> places = PlacesOf(type, id, state.body);
  ASSIGN_OR_RETURN(const std::set<std::string> others,
                   OthersOf(reader, type, person, places, branches));
  const std::unique_ptr<Message> record = ParseAs(type, state.body);
  const auto& reflection = *record->GetReflection();
  std::vector<const FieldRule*> guests;
  for (const FieldRule& rule : type.fields.rules()) {
    if (!IsGuest(rule)) continue;
    if (!rule.descriptor->is_repeated()) {
      // As it was at the time: what was done elsewhere stays with the home of then.
      const bool at_home = std::count(places.begin(), places.end(),
                                      Placed{Id::FromBytes(branches.home).value_or(Id()), OWNER});
      if (branches.home.empty() || at_home || reflection.HasField(*record, rule.descriptor) ||
          !IsMadeNow(type, places, branches, before, state.body)) {
        continue;
      }
      reflection.SetString(record.get(), rule.descriptor, branches.home);
      guests.push_back(&rule);
      continue;
    }
    reflection.ClearField(record.get(), rule.descriptor);
    for (const std::string& branch : others) {
      reflection.AddString(record.get(), rule.descriptor, branch);
    }
    guests.push_back(&rule);
  }
  AddFields(type, id, state, guests, *record, edit);
  return absl::OkStatus();
}

// Of all records of the person that hosts see as long as a stay lasts.
absl::Status AddGuestsOfAll(Lookup& reader, const Schema& schema, const Id& person,
                            const Branches& branches, Edit* edit) {
  for (const RecordType& type : schema.types()) {
    const auto& rules = type.fields.rules();
    if (std::none_of(rules.begin(), rules.end(), [](const FieldRule& rule) {
          return IsGuest(rule) && rule.descriptor->is_repeated();
        })) {
      continue;
    }
    if (!TakesGuests(type)) continue;
    std::vector<std::pair<Id, RecordState>> records;
    RETURN_IF_ERROR(reader.ListRecords(
        type.number, person,
        [&](const Id& id, const RecordState& state) { records.emplace_back(id, state); }));
    for (const auto& [id, state] : records) {
      RETURN_IF_ERROR(SetGuests(reader, type, id, person, state.body, state, branches, edit));
    }
  }
  return absl::OkStatus();
}

// Whether the person's own record says so already: then their other records do.
absl::StatusOr<bool> HasGuests(Lookup& reader, const Id& person, const Branches& branches) {
  ASSIGN_OR_RETURN(const std::optional<Member> member, Find<Member>(reader, person));
  if (!member) return false;
  std::set<std::string> expected = branches.all;
  expected.erase(member->branch_id());
  return std::set<std::string>(member->host_branch_ids().begin(),
                               member->host_branch_ids().end()) == expected;
}

}  // namespace

bool StayLasts(absl::string_view body) {
  switch (EnumOf(*TypeOf<Flow>().fields.Find(Flow::kStateFieldNumber), body)) {
    case Flow::ACCEPTED:
    case Flow::EXTENSION_ASKED:
    case Flow::EXTENDED:
    case Flow::NOT_EXTENDED:
      return true;
    default:
      return false;
  }
}

std::string StaysMark(const Id& person) { return Digest(absl::StrCat("stays ", person.bytes())); }

void MarkStay(const Id& id, const RecordState& before, const RecordState& after, Marks* marks) {
  const auto mark_of = [](const RecordState& state) -> std::string {
    const auto person = Id::FromBytes(Parse<Flow>(state.body).member_id());
    return state.alive() && person && StayLasts(state.body) ? StaysMark(*person) : "";
  };
  const std::string had = mark_of(before);
  const std::string has = mark_of(after);
  if (had == has) return;
  if (!had.empty()) marks->drop.emplace_back(had, id);
  if (!has.empty()) marks->put.emplace_back(has, id);
}

bool TakesGuests(const RecordType& type) {
  const auto& rules = type.fields.rules();
  return type.number != TypeOf<records::v1::ConflictNote>().number &&
         std::any_of(rules.begin(), rules.end(), IsGuest);
}

absl::Status AddGuests(Lookup& reader, const RecordType& type, const Id& id, const Id& person,
                       absl::string_view before, const RecordState& state, Edit* edit) {
  ASSIGN_OR_RETURN(const Branches branches, BranchesOf(reader, person));
  return SetGuests(reader, type, id, person, before, state, branches, edit);
}

absl::Status FollowPerson(Lookup& reader, const Schema& schema, const Id& person, bool placed,
                          Edit* edit) {
  ASSIGN_OR_RETURN(const Branches branches, BranchesOf(reader, person));
  ASSIGN_OR_RETURN(const bool known, HasGuests(reader, person, branches));
  if (known && !placed) return absl::OkStatus();
  return AddGuestsOfAll(reader, schema, person, branches, edit);
}

}  // namespace zhibu
