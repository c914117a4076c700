#include "sync/rules/persons.h"

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "sync/base/reason.h"
#include "sync/base/status.h"
#include "sync/crypto/handshake.h"
#include "sync/merge/own_edit.h"
#include "sync/merge/touched.h"
#include "sync/rules/duplicates.h"
#include "sync/rules/registration.h"
#include "sync/rules/typed.h"
#include "sync/wire/record.h"
#include "zhibu/records/v1/member.pb.h"
#include "zhibu/records/v1/organisation.pb.h"

namespace zhibu {

using records::v1::DuplicatePerson;
using records::v1::Member;
using records::v1::Organisation;
using records::v1::PrivateDetail;

namespace {

// No person has as many entries in a register; a circle ends.
constexpr size_t kStepsMax = 32;

// Those that records of DuplicatePerson join to `person`, directly or by others.
absl::StatusOr<std::vector<Id>> Joined(Lookup& reader, const Id& person) {
  std::vector<Id> persons = {person};
  for (size_t at = 0; at < persons.size() && at < kStepsMax; ++at) {
    ASSIGN_OR_RETURN(const auto pairs, reader.FindMarked(JoinedMark(persons[at]), kStepsMax));
    for (const Id& pair : pairs) {
      ASSIGN_OR_RETURN(const auto duplicate, Find<DuplicatePerson>(reader, pair));
      if (!duplicate || duplicate->state() != DuplicatePerson::MERGED) continue;
      for (const std::string& other : {duplicate->first_id(), duplicate->second_id()}) {
        const auto id = Id::FromBytes(other);
        if (id && std::count(persons.begin(), persons.end(), *id) == 0) persons.push_back(*id);
      }
    }
  }
  return persons;
}

absl::Status Point(Lookup& reader, const Id& from, const std::string& at, sync::v1::Edit* own) {
  const RecordType& type = TypeOf<Member>();
  ASSIGN_OR_RETURN(const RecordState before, reader.GetRecord({type.number, from}));
  Member member;
  if (!before.alive() || !member.ParseFromString(before.body)) {
    return Refuse(sync::v1::NO_SUCH_RECORD, type.name);
  }
  member.set_merged_into_id(at);
  AddChange(type, from, before, member, own);
  return absl::OkStatus();
}

absl::Status MergeInto(Lookup& reader, const Id& kept, const Id& other, sync::v1::Edit* own) {
  for (const Id& id : {kept, other}) {
    ASSIGN_OR_RETURN(const auto member, Find<Member>(reader, id));
    if (!member) return Refuse(sync::v1::NO_SUCH_RECORD, TypeOf<Member>().name);
    // Whoever that is is to be merged, or that be undone first.
    if (!member->merged_into_id().empty()) {
      return Refuse(sync::v1::STEP_NOT_ALLOWED, absl::StrCat(member->name(), " merged_into_id"));
    }
  }
  return Point(reader, other, kept.str(), own);
}

// Name and branch, as registered.
absl::StatusOr<std::string> Named(Lookup& reader, absl::string_view person) {
  ASSIGN_OR_RETURN(const Member member, Get<Member>(reader, person));
  ASSIGN_OR_RETURN(const std::string branch,
                   RegisteredNameOf<Organisation>(reader, member.branch_id()));
  return absl::StrCat(RegisteredName(member), " ", branch);
}

// The record lies with both from then on, whatever becomes of it.
absl::Status AskBoth(Lookup& reader, DuplicatePerson* duplicate) {
  if (!duplicate->asked_ids().empty()) return absl::OkStatus();
  duplicate->add_asked_ids(duplicate->first_id());
  duplicate->add_asked_ids(duplicate->second_id());
  ASSIGN_OR_RETURN(*duplicate->mutable_first_named(), Named(reader, duplicate->first_id()));
  ASSIGN_OR_RETURN(*duplicate->mutable_second_named(), Named(reader, duplicate->second_id()));
  return absl::OkStatus();
}

bool Keeps(const DuplicatePerson& duplicate, const std::string& person) {
  return duplicate.kept_id() == person;
}

absl::Status CheckKept(const DuplicatePerson& duplicate) {
  if (duplicate.kept_id().empty() || Keeps(duplicate, duplicate.first_id()) ||
      Keeps(duplicate, duplicate.second_id())) {
    return absl::OkStatus();
  }
  return Refuse(sync::v1::BAD_VALUE, "kept_id");
}

absl::Status Merge(Lookup& reader, const DuplicatePerson& duplicate, sync::v1::Edit* own) {
  RETURN_IF_ERROR(CheckKept(duplicate));
  const auto first = Id::FromBytes(duplicate.first_id());
  const auto second = Id::FromBytes(duplicate.second_id());
  if (!first || !second) return Refuse(sync::v1::MALFORMED, "first_id, second_id");
  return Keeps(duplicate, duplicate.second_id()) ? MergeInto(reader, *second, *first, own)
                                                 : MergeInto(reader, *first, *second, own);
}

// Before anything is written, so that whoever agreed last is told why not.
absl::Status CheckMerge(Lookup& reader, const DuplicatePerson& duplicate) {
  sync::v1::Edit tried;
  return Merge(reader, duplicate, &tried);
}

absl::Status Part(Lookup& reader, const DuplicatePerson& duplicate, sync::v1::Edit* own) {
  const auto first = Id::FromBytes(duplicate.first_id());
  const auto second = Id::FromBytes(duplicate.second_id());
  if (!first || !second) return absl::OkStatus();
  for (const auto& [one, other] : {std::pair(*first, *second), std::pair(*second, *first)}) {
    ASSIGN_OR_RETURN(const auto member, Find<Member>(reader, one));
    if (member && member->merged_into_id() == other.bytes()) {
      RETURN_IF_ERROR(Point(reader, one, "", own));
    }
  }
  return absl::OkStatus();
}

bool HasAgreed(const DuplicatePerson& duplicate, const std::string& person) {
  const auto& agreed = duplicate.agreed_ids();
  return std::count(agreed.begin(), agreed.end(), person) > 0;
}

bool BothHaveAgreed(const DuplicatePerson& duplicate) {
  return HasAgreed(duplicate, duplicate.first_id()) && HasAgreed(duplicate, duplicate.second_id());
}

// Whether it was found that they are one, or who is to be kept, after that version.
bool FoundSince(const RecordState& state, Version seen) {
  return LastTouchOf(state, DuplicatePerson::kStateFieldNumber).version > seen ||
         LastTouchOf(state, DuplicatePerson::kKeptIdFieldNumber).version > seen;
}

bool Is(const std::vector<Id>& persons, absl::string_view bytes) {
  return std::any_of(persons.begin(), persons.end(),
                     [&](const Id& person) { return person.bytes() == bytes; });
}

// May somebody who goes by `author`, and knew the record up to `seen`, make this of a
// DuplicatePerson? Beside what is declared: nobody finds whether they are somebody else, and
// everybody agrees for themself alone, to what they have seen, which then stays.
// NOT_ENTITLED; STEP_NOT_ALLOWED: nobody is asked, or not about that any more; BAD_VALUE: the
// one to keep is neither.
absl::Status JudgeDecision(const RecordState& before, absl::string_view after,
                           const std::vector<Id>& author, Version seen) {
  if (!before.alive()) return Refuse(sync::v1::SERVER_ONLY, TypeOf<DuplicatePerson>().label);
  const auto was = Parse<DuplicatePerson>(before.body);
  const auto now = Parse<DuplicatePerson>(after);
  const absl::Status refused = Refuse(sync::v1::NOT_ENTITLED, TypeOf<DuplicatePerson>().label);
  RETURN_IF_ERROR(CheckKept(now));
  // Whoever has agreed has agreed to this.
  if (!was.agreed_ids().empty() && was.kept_id() != now.kept_id() &&
      was.state() == DuplicatePerson::AGREED) {
    return Refuse(sync::v1::STEP_NOT_ALLOWED, "kept_id");
  }
  for (const std::string& person : was.agreed_ids()) {
    if (!HasAgreed(now, person)) return refused;
  }
  for (const std::string& person : now.agreed_ids()) {
    if (HasAgreed(was, person)) continue;
    const bool asked = person == now.first_id() || person == now.second_id();
    if (!asked || !Is(author, person)) return refused;
    if (now.state() != DuplicatePerson::AGREED || FoundSince(before, seen)) {
      return Refuse(sync::v1::STEP_NOT_ALLOWED, "agreed_ids");
    }
  }
  if (!Is(author, now.first_id()) && !Is(author, now.second_id())) return absl::OkStatus();
  const bool steps = was.state() != now.state() && now.state() != DuplicatePerson::UNDONE;
  return steps || was.kept_id() != now.kept_id() ? refused : absl::OkStatus();
}

// What follows from a DuplicatePerson that is to be as `state` says, and was as `before`
// says. Adds to `own` that both are asked, that they are merged once both have agreed, and
// the pointers that change. BAD_VALUE: the one to keep is neither of the two;
// STEP_NOT_ALLOWED: one of them is merged with somebody else.
absl::Status FollowDecision(Lookup& reader, const Id& id, const RecordState& before,
                            const RecordState& state, sync::v1::Edit* own) {
  const auto was = Parse<DuplicatePerson>(before.alive() ? before.body : "");
  auto now = Parse<DuplicatePerson>(state.body);
  const bool stepped = was.state() != now.state();
  switch (now.state()) {
    case DuplicatePerson::AGREED:
      RETURN_IF_ERROR(AskBoth(reader, &now));
      if (!BothHaveAgreed(now)) break;
      RETURN_IF_ERROR(CheckMerge(reader, now));
      now.set_state(DuplicatePerson::MERGED);
      break;
    case DuplicatePerson::MERGED:
      RETURN_IF_ERROR(AskBoth(reader, &now));
      if (stepped) RETURN_IF_ERROR(Merge(reader, now, own));
      break;
    case DuplicatePerson::UNDONE:
      RETURN_IF_ERROR(AskBoth(reader, &now));
      if (stepped) RETURN_IF_ERROR(Part(reader, now, own));
      now.clear_agreed_ids();
      break;
    default:
      now.clear_agreed_ids();
  }
  AddChange(TypeOf<DuplicatePerson>(), id, state, now, own);
  return absl::OkStatus();
}

class OneRegisteredTwice : public Rule {
 public:
  bool Concerns(const RecordType& type) const override {
    return IsA<Member>(type) || IsA<PrivateDetail>(type) || IsA<DuplicatePerson>(type);
  }

  absl::Status Judge(const Case& of, const Step& step) const override {
    if (!IsA<DuplicatePerson>(step.type)) return absl::OkStatus();
    ASSIGN_OR_RETURN(const std::vector<Id> persons, PersonsOf(of.lookup, of.decider));
    return JudgeDecision(step.before, step.after.body, persons, step.seen);
  }

  absl::Status Mark(const Case& of, const Step& step, Marks* marks) const override {
    if (IsA<DuplicatePerson>(step.type)) {
      MarkJoined(step.id, step.after, marks);
      return absl::OkStatus();
    }
    ASSIGN_OR_RETURN(const std::string key, of.lookup.GetSetting(kMarkKeySetting));
    std::set<Id> persons;
    MarkPersons(key, {step.type.number, step.id}, step.before, step.after, marks, &persons);
    return absl::OkStatus();
  }

  absl::Status FollowAll(const Case& of, Consequences* follows) const override {
    ASSIGN_OR_RETURN(const std::string key, of.lookup.GetSetting(kMarkKeySetting));
    Marks known;
    std::set<Id> persons;
    for (const Step& step : of.steps) {
      if (IsA<DuplicatePerson>(step.type)) {
        RETURN_IF_ERROR(
            FollowDecision(of.lookup, step.id, step.before, step.after, &follows->edit));
      } else if (Concerns(step.type)) {
        MarkPersons(key, {step.type.number, step.id}, step.before, step.after, &known, &persons);
      }
    }
    RETURN_IF_ERROR(AddLeftOfCrowds(of.lookup, known, &persons));
    return FindDuplicates(of.lookup, key, persons, of.now_ms, follows);
  }

 private:
  // Of a crowd with one mark no pairs are made; once it is none, all who are left are compared.
  static absl::Status AddLeftOfCrowds(Lookup& lookup, const Marks& marks, std::set<Id>* persons) {
    std::map<std::string, size_t> gone;
    for (const auto& [mark, person] : marks.drop) ++gone[mark];
    for (const auto& [mark, many] : gone) {
      ASSIGN_OR_RETURN(const std::vector<Id> left, lookup.FindMarked(mark, kBearersMax + 1));
      if (left.size() > kBearersMax || left.size() + many <= kBearersMax) continue;
      persons->insert(left.begin(), left.end());
    }
    return absl::OkStatus();
  }
};

}  // namespace

std::unique_ptr<const Rule> PersonsRule() { return std::make_unique<OneRegisteredTwice>(); }

std::string JoinedMark(const Id& person) { return Digest(absl::StrCat("joined ", person.bytes())); }

void MarkJoined(const Id& id, const RecordState& state, Marks* marks) {
  const auto duplicate = Parse<DuplicatePerson>(state.body);
  const bool joins = state.alive() && duplicate.state() == DuplicatePerson::MERGED;
  for (const std::string& bytes : {duplicate.first_id(), duplicate.second_id()}) {
    const auto person = Id::FromBytes(bytes);
    if (!person) continue;
    (joins ? marks->put : marks->drop).emplace_back(JoinedMark(*person), id);
  }
}

absl::StatusOr<std::vector<Id>> PersonsOf(Lookup& reader, const Id& person) {
  return Joined(reader, person);
}

absl::StatusOr<Id> KeptOf(Lookup& reader, const Id& person) {
  Id kept = person;
  for (size_t step = 0; step < kStepsMax; ++step) {
    ASSIGN_OR_RETURN(const auto member, Find<Member>(reader, kept));
    const auto into = member ? Id::FromBytes(member->merged_into_id()) : std::nullopt;
    if (!into) break;
    kept = *into;
  }
  return kept;
}

}  // namespace zhibu
