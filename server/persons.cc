#include "server/persons.h"

#include <google/protobuf/util/time_util.h>
#include <sodium.h>

#include <algorithm>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "server/above.h"
#include "server/ingest.h"
#include "server/own_edit.h"
#include "server/typed.h"
#include "sync/reason.h"
#include "sync/record.h"
#include "sync/status.h"
#include "sync/wire.h"
#include "zhibu/records/v1/member.pb.h"
#include "zhibu/records/v1/organisation.pb.h"

namespace zhibu::server {

using google::protobuf::util::TimeUtil;

using records::v1::DuplicatePerson;
using records::v1::Member;
using records::v1::Organisation;
using records::v1::PrivateDetail;

namespace {

// Name in the settings of the store.
constexpr char kMarkKey[] = "mark_key";
// No person has as many entries in a register; a circle ends.
constexpr int kStepsMax = 32;

std::string MarkFor(absl::string_view key, DuplicatePerson::By by, absl::string_view first,
                    absl::string_view second) {
  std::string said;
  wire::AppendVarintField(1, static_cast<uint64_t>(by), &said);
  wire::AppendBytesField(2, first, &said);
  wire::AppendBytesField(3, second, &said);
  std::string mark(crypto_generichash_BYTES, '\0');
  crypto_generichash(reinterpret_cast<unsigned char*>(mark.data()), mark.size(),
                     reinterpret_cast<const unsigned char*>(said.data()), said.size(),
                     reinterpret_cast<const unsigned char*>(key.data()), key.size());
  return mark;
}

// As people write it: with spaces, or with a small x at the end.
std::string Plain(absl::string_view identity_number) {
  return absl::AsciiStrToUpper(absl::StrReplaceAll(identity_number, {{" ", ""}}));
}

Id DetailId(const Id& person) {
  PrivateDetail detail;
  detail.set_member_id(person.str());
  return DeriveId(TypeOf<PrivateDetail>(), detail.SerializeAsString()).value();
}

absl::StatusOr<std::string> IdentityNumberOf(Reader& reader, const Id& person) {
  ASSIGN_OR_RETURN(const auto found, Find<PrivateDetail>(reader, DetailId(person)));
  return found ? Plain(found->identity_number()) : "";
}

// Many share a name and a birth date: not one person, if their numbers say otherwise.
absl::StatusOr<bool> MayBeOne(Reader& reader, const Id& one, const Id& other) {
  ASSIGN_OR_RETURN(const std::string first, IdentityNumberOf(reader, one));
  ASSIGN_OR_RETURN(const std::string second, IdentityNumberOf(reader, other));
  return first.empty() || second.empty() || first == second;
}

absl::StatusOr<std::vector<Id>> NearestAboveBoth(Reader& reader, const Id& one, const Id& other) {
  ASSIGN_OR_RETURN(const auto first, Above(reader, one));
  ASSIGN_OR_RETURN(const auto second, Above(reader, other));
  std::vector<Id> nearest;
  int least = std::numeric_limits<int>::max();
  for (const auto& [id, distance] : first) {
    const auto it = second.find(id);
    if (it == second.end() || distance + it->second > least) continue;
    if (distance + it->second < least) nearest.clear();
    least = distance + it->second;
    nearest.push_back(id);
  }
  return nearest;
}

absl::StatusOr<std::string> Shown(Reader& reader, const Member& member) {
  ASSIGN_OR_RETURN(const std::string branch, NameOf<Organisation>(reader, member.branch_id()));
  return absl::StrCat(member.name(), " ", member.born(), " ", branch);
}

// Those that records of DuplicatePerson join to `person`, directly or by others.
absl::StatusOr<std::vector<Id>> Joined(Reader& reader, const Id& person, bool ever) {
  std::vector<Id> persons = {person};
  for (size_t at = 0; at < persons.size() && at < kStepsMax; ++at) {
    std::vector<std::string> others;
    RETURN_IF_ERROR(reader.ListRecords(
        TypeOf<DuplicatePerson>().number, persons[at], [&](const Id&, const RecordState& state) {
          DuplicatePerson duplicate;
          if (!duplicate.ParseFromString(state.body)) return;
          const bool joins = duplicate.state() == DuplicatePerson::MERGED ||
                             (ever && duplicate.state() == DuplicatePerson::UNDONE);
          if (joins) others.insert(others.end(), {duplicate.first_id(), duplicate.second_id()});
        }));
    for (const std::string& other : others) {
      const auto id = Id::FromBytes(other);
      if (id && std::find(persons.begin(), persons.end(), *id) == persons.end()) {
        persons.push_back(*id);
      }
    }
  }
  return persons;
}

absl::Status Point(Reader& reader, const Id& from, const std::string& at, sync::v1::Edit* own) {
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

absl::Status MergeInto(Reader& reader, const Id& kept, const Id& other, sync::v1::Edit* own) {
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

}  // namespace

absl::StatusOr<std::string> MarkKeyOf(Reader& reader) { return reader.GetSetting(kMarkKey); }

std::vector<Marked> MarksOf(absl::string_view key, const RecordKey& record,
                            const RecordState& state) {
  if (key.empty() || !state.alive()) return {};
  if (record.type == TypeOf<Member>().number) {
    Member member;
    if (!member.ParseFromString(state.body) || !member.merged_into_id().empty() ||
        member.name().empty() || member.born().empty()) {
      return {};
    }
    return {{record.id, DuplicatePerson::NAME_AND_BIRTH,
             MarkFor(key, DuplicatePerson::NAME_AND_BIRTH, member.name(), member.born())}};
  }
  if (record.type == TypeOf<PrivateDetail>().number) {
    PrivateDetail detail;
    if (!detail.ParseFromString(state.body) || Plain(detail.identity_number()).empty()) return {};
    const auto person = Id::FromBytes(detail.member_id());
    if (!person) return {};
    return {{*person, DuplicatePerson::IDENTITY_NUMBER,
             MarkFor(key, DuplicatePerson::IDENTITY_NUMBER, Plain(detail.identity_number()), "")}};
  }
  return {};
}

absl::Status UpdateMarks(Writer& writer, const std::vector<Marked>& before,
                         const std::vector<Marked>& after) {
  const auto in = [](const std::vector<Marked>& all, const Marked& one) {
    return std::find(all.begin(), all.end(), one) != all.end();
  };
  for (const Marked& one : before) {
    if (!in(after, one)) RETURN_IF_ERROR(writer.DeleteMark(one.mark, one.person));
  }
  for (const Marked& one : after) {
    if (!in(before, one)) RETURN_IF_ERROR(writer.PutMark(one.mark, one.person));
  }
  return absl::OkStatus();
}

absl::Status FindDuplicates(Reader& reader, absl::string_view key, const Id& person, int64_t now_ms,
                            sync::v1::Edit* own) {
  // What one of their entries has is known of all that count as one with it.
  ASSIGN_OR_RETURN(const std::vector<Id> entries, PersonsOf(reader, person));
  std::vector<RecordKey> records;  // the numbers first: they say more than the names
  for (const Id& one : entries) records.push_back({TypeOf<PrivateDetail>().number, DetailId(one)});
  for (const Id& one : entries) records.push_back({TypeOf<Member>().number, one});
  for (const RecordKey& record : records) {
    ASSIGN_OR_RETURN(const RecordState state, reader.GetRecord(record));
    for (const Marked& one : MarksOf(key, record, state)) {
      ASSIGN_OR_RETURN(const std::vector<Id> others, reader.FindMarked(one.mark));
      for (const Id& other : others) {
        RETURN_IF_ERROR(AddDuplicate(reader, one.person, other, one.by, now_ms, own));
      }
    }
  }
  return absl::OkStatus();
}

absl::Status EnsureMarks(Store& store, Ingest& ingest, const Environment& environment) {
  return store.Write([&](Writer& writer) -> absl::Status {
    ASSIGN_OR_RETURN(const std::string known, MarkKeyOf(writer));
    if (!known.empty()) return absl::OkStatus();
    const std::string key = environment.random_bytes(crypto_generichash_KEYBYTES);
    RETURN_IF_ERROR(writer.PutSetting(kMarkKey, key));
    std::vector<Marked> marks;
    for (const RecordType* type : {&TypeOf<PrivateDetail>(), &TypeOf<Member>()}) {
      RETURN_IF_ERROR(writer.ListRecords(
          type->number, std::nullopt, [&](const Id& id, const RecordState& state) {
            for (Marked& one : MarksOf(key, {type->number, id}, state)) {
              marks.push_back(std::move(one));
            }
          }));
    }
    sync::v1::Edit edit;
    RETURN_IF_ERROR(UpdateMarks(writer, {}, marks));
    for (const Marked& one : marks) {
      RETURN_IF_ERROR(FindDuplicates(writer, key, one.person, environment.now_ms(), &edit));
    }
    absl::flat_hash_set<Id> moved;  // nobody is connected yet
    return edit.changes().empty() ? absl::OkStatus()
                                  : ingest.WriteOwn(writer, edit, &moved).status();
  });
}

Id DuplicateId(const Id& one, const Id& other) {
  DuplicatePerson duplicate;
  duplicate.set_first_id(std::min(one, other).str());
  duplicate.set_second_id(std::max(one, other).str());
  return DeriveId(TypeOf<DuplicatePerson>(), duplicate.SerializeAsString()).value();
}

absl::Status AddDuplicate(Reader& reader, const Id& one, const Id& other, DuplicatePerson::By by,
                          int64_t now_ms, sync::v1::Edit* own) {
  // Of those who are one already, whom they count as.
  ASSIGN_OR_RETURN(const Id kept, KeptOf(reader, one));
  ASSIGN_OR_RETURN(const Id other_kept, KeptOf(reader, other));
  if (kept == other_kept) return absl::OkStatus();
  const Id id = DuplicateId(kept, other_kept);
  const RecordType& type = TypeOf<DuplicatePerson>();
  ASSIGN_OR_RETURN(const RecordState before, reader.GetRecord({type.number, id}));
  const bool added = std::any_of(own->changes().begin(), own->changes().end(),
                                 [&](const auto& change) { return change.id() == id.bytes(); });
  if (before.exists || added) return absl::OkStatus();
  if (by == DuplicatePerson::NAME_AND_BIRTH) {
    ASSIGN_OR_RETURN(const bool may, MayBeOne(reader, kept, other_kept));
    if (!may) return absl::OkStatus();
  }
  const Id first = std::min(kept, other_kept);
  const Id second = std::max(kept, other_kept);
  ASSIGN_OR_RETURN(const auto first_member, Find<Member>(reader, first));
  ASSIGN_OR_RETURN(const auto second_member, Find<Member>(reader, second));
  if (!first_member || !second_member) return absl::OkStatus();
  DuplicatePerson duplicate;
  const auto first_branch = Id::FromBytes(first_member->branch_id());
  const auto second_branch = Id::FromBytes(second_member->branch_id());
  if (first_branch && second_branch) {
    ASSIGN_OR_RETURN(const auto above, NearestAboveBoth(reader, *first_branch, *second_branch));
    for (const Id& scope : above) duplicate.add_scopes(scope.str());
  }
  duplicate.set_first_id(first.str());
  duplicate.set_second_id(second.str());
  ASSIGN_OR_RETURN(*duplicate.mutable_first_shown(), Shown(reader, *first_member));
  ASSIGN_OR_RETURN(*duplicate.mutable_second_shown(), Shown(reader, *second_member));
  duplicate.set_by(by);
  *duplicate.mutable_found() = TimeUtil::MillisecondsToTimestamp(now_ms);
  duplicate.set_state(DuplicatePerson::OPEN);
  AddChange(type, id, before, duplicate, own);
  return absl::OkStatus();
}

absl::Status Decide(Reader& reader, const RecordState& before, const RecordState& state,
                    sync::v1::Edit* own) {
  DuplicatePerson was;
  DuplicatePerson now;
  if (!was.ParseFromString(before.body) || !now.ParseFromString(state.body) ||
      was.state() == now.state()) {
    return absl::OkStatus();
  }
  const auto first = Id::FromBytes(now.first_id());
  const auto second = Id::FromBytes(now.second_id());
  if (!first || !second) return absl::OkStatus();
  if (now.state() == DuplicatePerson::MERGED) {
    const bool keeps_second = now.kept_id() == now.second_id();
    if (!keeps_second && !now.kept_id().empty() && now.kept_id() != now.first_id()) {
      return Refuse(sync::v1::BAD_VALUE, "kept_id");
    }
    return keeps_second ? MergeInto(reader, *second, *first, own)
                        : MergeInto(reader, *first, *second, own);
  }
  if (now.state() != DuplicatePerson::UNDONE) return absl::OkStatus();
  for (const auto& [one, other] : {std::pair(*first, *second), std::pair(*second, *first)}) {
    ASSIGN_OR_RETURN(const auto member, Find<Member>(reader, one));
    if (member && member->merged_into_id() == other.bytes()) {
      RETURN_IF_ERROR(Point(reader, one, "", own));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<Id>> PersonsOf(Reader& reader, const Id& person) {
  return Joined(reader, person, /*ever=*/false);
}

absl::StatusOr<std::vector<Id>> PersonsEver(Reader& reader, const Id& person) {
  return Joined(reader, person, /*ever=*/true);
}

absl::StatusOr<Id> KeptOf(Reader& reader, const Id& person) {
  Id kept = person;
  for (int step = 0; step < kStepsMax; ++step) {
    ASSIGN_OR_RETURN(const auto member, Find<Member>(reader, kept));
    const auto into = member ? Id::FromBytes(member->merged_into_id()) : std::nullopt;
    if (!into) break;
    kept = *into;
  }
  return kept;
}

}  // namespace zhibu::server
