// Those above: what hangs on what, what an answer to a question must be at this moment,
// and what is opened for a time. As design and proto/ say it; shares no code with
// server/sessions/ask.cc.
#include <algorithm>
#include <deque>

#include "absl/strings/str_cat.h"
#include "tests/sim/ledger.h"
#include "zhibu/records/v1/catalogue.pb.h"

namespace zhibu::sim {

using google::protobuf::Message;
using records::v1::Member;
using records::v1::Organisation;
using records::v1::TemporaryAccess;

namespace {

constexpr uint32_t kActing = 1u << SECRETARY | 1u << DEPUTY | 1u << COMMITTEE;
constexpr int64_t kOpenMs = int64_t{4} * 3'600'000;

int64_t Millis(const google::protobuf::Timestamp& time) {
  return time.seconds() * 1000 + time.nanos() / 1'000'000;
}

}  // namespace

std::set<Id> Ledger::ParentsOf(const Id& organisation) const {
  std::set<Id> parents;
  const Record* record = Find({TypeOf(Organisation::descriptor()), organisation});
  if (record == nullptr || !record->expected.alive) return parents;
  const auto& known = static_cast<const Organisation&>(*record->expected.message);
  for (const std::string& bytes : {known.parent_id(), known.host_parent_id()}) {
    if (const auto parent = Id::FromBytes(bytes)) parents.insert(*parent);
  }
  return parents;
}

std::optional<Id> Ledger::SuperiorOf(const Id& organisation) const {
  const Record* record = Find({TypeOf(Organisation::descriptor()), organisation});
  if (record == nullptr || !record->expected.alive) return std::nullopt;
  const auto& known = static_cast<const Organisation&>(*record->expected.message);
  const auto at_home = Id::FromBytes(known.parent_id());
  return at_home ? at_home : Id::FromBytes(known.host_parent_id());
}

std::map<Id, int> Ledger::AboveOf(const Id& organisation) const {
  std::map<Id, int> above = {{organisation, 0}};
  std::deque<Id> waiting = {organisation};
  while (!waiting.empty()) {
    const int steps = above[waiting.front()] + 1;
    for (const Id& parent : ParentsOf(waiting.front())) {
      if (above.try_emplace(parent, steps).second) waiting.push_back(parent);
    }
    waiting.pop_front();
  }
  return above;
}

bool Ledger::ActsAbove(const Id& person, const Id& organisation, int64_t now_ms) const {
  const auto above = AboveOf(organisation);
  return std::any_of(above.begin(), above.end(), [&](const auto& one) {
    return one.second > 0 && (OfficesIn(person, one.first, now_ms) & kActing) != 0;
  });
}

std::optional<Id> Ledger::BranchOf(const Id& member) const {
  const Record* record = Find({TypeOf(Member::descriptor()), member});
  if (record == nullptr || !record->expected.alive) return std::nullopt;
  return Id::FromBytes(static_cast<const Member&>(*record->expected.message).branch_id());
}

bool Ledger::HasAccess(const Id& asker, const Id& member, int64_t now_ms) const {
  bool has = false;
  ForEach<TemporaryAccess>([&](const TemporaryAccess& access) {
    has = has || (access.member_id() == member.bytes() && access.reader_id() == asker.bytes() &&
                  now_ms < Millis(access.until()));
  });
  return has;
}

Ledger::Answer Ledger::AnswerTo(const Id& asker, const sync::v1::Ask& ask, int64_t now_ms) const {
  Answer answer;
  answer.own = EntriesOf(asker);
  std::map<Id, uint32_t> known;
  const auto offices = [&](const Id& scope) {
    const auto [it, fresh] = known.try_emplace(scope, 0);
    if (fresh) it->second = OfficesIn(asker, scope, now_ms);
    return it->second;
  };
  const auto acts = [&](const Id& scope) { return (offices(scope) & kActing) != 0; };
  std::set<Id> asked;  // what lies in one of these
  std::set<Id> below;  // and is seen as by a superior in one of these
  // Opened by a reason: what this branch keeps of this member and of nobody else.
  std::optional<std::pair<Id, Id>> opened;
  Sight without;  // a reason, of what the branch keeps of the member
  if (const auto top = Id::FromBytes(ask.organisation_id())) {
    const bool above = ActsAbove(asker, *top, now_ms);
    if (!above && offices(*top) == 0) {
      answer.refusal = sync::v1::ASK_NOT_BELOW;
      return answer;
    }
    answer.tree[*top] = ParentsOf(*top);
    ForEachRecord(TypeOf(Organisation::descriptor()), [&](const Id& id, const Record&) {
      const bool hangs = AboveOf(id).count(*top) > 0 && (above || acts(*top));
      if (hangs) answer.tree[id] = ParentsOf(id);
    });
    for (const auto& entry : answer.tree) {
      asked.insert(entry.first);
      if (above || (entry.first != *top && acts(*top))) below.insert(entry.first);
    }
  } else {
    const Id member = Id::FromBytes(ask.member_id()).value_or(Id());
    const auto branch = BranchOf(member);
    const bool above = branch && ActsAbove(asker, *branch, now_ms);
    if (!above && !(branch && acts(*branch))) {
      answer.refusal = sync::v1::ASK_NOT_BELOW;
      return answer;
    }
    asked = {member};
    if (above) below = {*branch};
    without.home = offices(member) | offices(*branch) | (above ? 1u << SUPERIOR : 0);
    if (!ask.reason().empty() || HasAccess(asker, member, now_ms)) opened = {*branch, member};
  }
  ForEachRecord(ask.type(), [&](const Id& id, const Record& record) {
    const Message& message = *record.expected.message;
    if (record.expected.unclear) {
      answer.unclear.insert(id);
      return;
    }
    const Places places = PlacesIn(message, id);
    if (std::none_of(places.begin(), places.end(),
                     [&](const auto& place) { return asked.count(place.first) > 0; })) {
      return;
    }
    Sight sight;
    for (const auto& [scope, place] : places) {
      (place == GUEST ? sight.host : sight.home) |=
          offices(scope) | (below.count(scope) > 0 ? 1u << SUPERIOR : 0);
    }
    if (opened && places.count({opened->first, OWNER}) > 0 &&
        !message.GetDescriptor()->options().GetExtension(zhibu::record).made_by_server() &&
        std::none_of(places.begin(), places.end(), [&](const auto& place) {
          return place.second == PERSON && place.first != opened->second;
        })) {
      sight.home |= 1u << SECRETARY;
    }
    sight = SightOn(message, sight);
    if (!MayReadAs(sight, message)) return;
    auto& sheet = answer.sheets[id];
    sheet.places = places;
    sheet.message.reset(message.New());
    sheet.message->CopyFrom(message);
    Hide(sight, sheet.message.get());
  });
  // Of what only a reason opens nobody is told without one whether it is there.
  const Message& type = *PrototypeOf(ask.type());
  const bool opens =
      !type.GetDescriptor()->options().GetExtension(zhibu::record).made_by_server() &&
      !MayReadAs(without, type) && MayReadAs({.home = 1u << SECRETARY}, type);
  if (!ask.member_id().empty() && ask.after().empty() && !opened && answer.sheets.empty() &&
      opens) {
    answer.refusal = sync::v1::ASK_WITHOUT_REASON;
  }
  return answer;
}

// Another that the reader opened before, and that has not run out.
bool Ledger::HasOther(const TemporaryAccess& access, const Id& id) const {
  bool has = false;
  ForEachRecord(TypeOf(TemporaryAccess::descriptor()), [&](const Id& other, const Record& record) {
    const auto& known = static_cast<const TemporaryAccess&>(*record.expected.message);
    has = has || (other != id && known.member_id() == access.member_id() &&
                  known.reader_id() == access.reader_id() &&
                  Millis(known.from()) <= Millis(access.from()) &&
                  Millis(access.from()) < Millis(known.until()));
  });
  return has;
}

// When the server opens it.
void Ledger::JudgeAccess(const server::AuditRow& row, const TemporaryAccess& access,
                         const RecordKey& key) {
  ++opened_;
  const auto branch = BranchOf(Id::FromBytes(access.member_id()).value_or(Id()));
  const auto reader = Id::FromBytes(access.reader_id());
  std::set<Id> superiors;
  for (const std::string& bytes : access.superior_ids()) {
    superiors.insert(Id::FromBytes(bytes).value_or(Id()));
  }
  const int64_t now_ms = row.received_ms;
  const char* objection = nullptr;
  if (!branch || !reader ||
      (!ActsAbove(*reader, *branch, now_ms) &&
       (OfficesIn(*reader, *branch, now_ms) & kActing) == 0)) {
    objection = "the reader is neither of the branch nor above it";
  } else if (access.reason().empty()) {
    objection = "there is no reason";
  } else if (Millis(access.from()) != now_ms || Millis(access.until()) != now_ms + kOpenMs) {
    objection = "it does not last for four hours from now";
  } else if (HasOther(access, key.id)) {
    objection = "the reader has it open already";
  } else if (superiors != ParentsOf(*branch)) {
    objection = "not all above the branch see it, or others do";
  }
  if (objection != nullptr) Fail(kOpened, absl::StrCat(NameOf(key), ": ", objection), key);
}

}  // namespace zhibu::sim
