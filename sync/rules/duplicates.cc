#include "sync/rules/duplicates.h"

#include <google/protobuf/util/time_util.h>
#include <sodium.h>

#include <algorithm>
#include <limits>
#include <memory>
#include <optional>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "sync/base/status.h"
#include "sync/merge/own_edit.h"
#include "sync/rules/above.h"
#include "sync/rules/persons.h"
#include "sync/rules/typed.h"
#include "sync/wire/record.h"
#include "sync/wire/wire.h"
#include "zhibu/records/v1/member.pb.h"
#include "zhibu/records/v1/organisation.pb.h"

namespace zhibu {

using google::protobuf::util::TimeUtil;

using records::v1::DuplicatePerson;
using records::v1::Member;
using records::v1::Organisation;
using records::v1::PrivateDetail;

namespace {

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

absl::StatusOr<std::vector<Id>> NearestAboveBoth(Lookup& reader, const Id& one, const Id& other) {
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

absl::StatusOr<std::string> Shown(Lookup& reader, const Member& member) {
  ASSIGN_OR_RETURN(const std::string branch, NameOf<Organisation>(reader, member.branch_id()));
  return absl::StrCat(member.name(), " ", member.born(), " ", branch);
}

// What a record says of a person by which they may be known again.
struct Marked {
  Id person;
  DuplicatePerson::By by = DuplicatePerson::BY_UNSPECIFIED;
  std::string mark;

  bool operator==(const Marked& other) const {
    return person == other.person && mark == other.mark;
  }
};

// None: it is of another type, or says nothing such.
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

// Compares those whom one edit has changed with those who are known. What it has read of
// somebody it reads once: many may be compared with the same few.
class Comparison {
 public:
  Comparison(Lookup& reader, absl::string_view key, int64_t now_ms, Consequences* own)
      : reader_(reader), key_(key), now_ms_(now_ms), own_(*own) {}

  absl::Status Compare(const Id& person) {
    // What one of their entries has is known of all that count as one with it.
    ASSIGN_OR_RETURN(const std::vector<Id> entries, PersonsOf(reader_, person));
    std::vector<RecordKey> records;  // the numbers first: they say more than the names
    for (const Id& one : entries) {
      records.push_back({TypeOf<PrivateDetail>().number, DetailId(one)});
    }
    for (const Id& one : entries) records.push_back({TypeOf<Member>().number, one});
    for (const RecordKey& record : records) {
      ASSIGN_OR_RETURN(const RecordState state, reader_.GetRecord(record));
      for (const Marked& one : MarksOf(key_, record, state)) RETURN_IF_ERROR(CompareBy(one));
    }
    return absl::OkStatus();
  }

  absl::Status Add(const Id& one, const Id& other, DuplicatePerson::By by) {
    // Of those who are one already, whom they count as.
    ASSIGN_OR_RETURN(const Known* first, Know(one));
    ASSIGN_OR_RETURN(const Known* second, Know(other));
    if (first->kept == second->kept || !first->member || !second->member) return absl::OkStatus();
    if (second->kept < first->kept) std::swap(first, second);
    if (added_.contains({first->kept, second->kept})) return absl::OkStatus();
    const Id id = DuplicateId(first->kept, second->kept);
    ASSIGN_OR_RETURN(const RecordState before,
                     reader_.GetRecord({TypeOf<DuplicatePerson>().number, id}));
    if (before.exists) return absl::OkStatus();
    if (by == DuplicatePerson::NAME_AND_BIRTH && !MayBeOne(*first, *second)) {
      return absl::OkStatus();
    }
    if (added_.size() >= kPairsMax) {
      if (!full_) {
        own_.warnings.push_back(
            absl::StrCat("one edit makes more than ", kPairsMax, " pairs of members"));
      }
      full_ = true;
      return absl::OkStatus();
    }
    added_.insert({first->kept, second->kept});
    ASSIGN_OR_RETURN(const DuplicatePerson duplicate, Pair(*first, *second, by));
    AddChange(TypeOf<DuplicatePerson>(), id, before, duplicate, &own_.edit);
    return absl::OkStatus();
  }

 private:
  // Of whom somebody counts as.
  struct Known {
    Id kept;
    std::optional<Member> member;
    std::string number;
  };

  absl::Status CompareBy(const Marked& one) {
    if (crowded_.contains(one.mark)) return absl::OkStatus();
    ASSIGN_OR_RETURN(const std::vector<Id> others, reader_.FindMarked(one.mark, kBearersMax + 1));
    if (others.size() > kBearersMax) {
      crowded_.insert(one.mark);
      own_.warnings.push_back(absl::StrCat("more than ", kBearersMax, " members have one ",
                                           DuplicatePerson::By_Name(one.by)));
      return absl::OkStatus();
    }
    for (const Id& other : others) RETURN_IF_ERROR(Add(one.person, other, one.by));
    return absl::OkStatus();
  }

  // Valid as long as this is.
  absl::StatusOr<const Known*> Know(const Id& person) {
    std::unique_ptr<Known>& known = known_[person];
    if (known != nullptr) return known.get();
    auto found = std::make_unique<Known>();
    ASSIGN_OR_RETURN(found->kept, KeptOf(reader_, person));
    ASSIGN_OR_RETURN(found->member, Find<Member>(reader_, found->kept));
    ASSIGN_OR_RETURN(const auto detail, Find<PrivateDetail>(reader_, DetailId(found->kept)));
    if (detail) found->number = Plain(detail->identity_number());
    known = std::move(found);
    return known.get();
  }

  // Many share a name and a birth date: not one person, if their numbers say otherwise.
  static bool MayBeOne(const Known& one, const Known& other) {
    const std::string& first = one.number;
    const std::string& second = other.number;
    return first.empty() || second.empty() || first == second;
  }

  absl::StatusOr<DuplicatePerson> Pair(const Known& first, const Known& second,
                                       DuplicatePerson::By by) {
    DuplicatePerson duplicate;
    const auto first_branch = Id::FromBytes(first.member->branch_id());
    const auto second_branch = Id::FromBytes(second.member->branch_id());
    if (first_branch && second_branch) {
      ASSIGN_OR_RETURN(const auto above, NearestAboveBoth(reader_, *first_branch, *second_branch));
      for (const Id& scope : above) duplicate.add_scopes(scope.str());
    }
    duplicate.set_first_id(first.kept.str());
    duplicate.set_second_id(second.kept.str());
    ASSIGN_OR_RETURN(*duplicate.mutable_first_shown(), Shown(reader_, *first.member));
    ASSIGN_OR_RETURN(*duplicate.mutable_second_shown(), Shown(reader_, *second.member));
    duplicate.set_by(by);
    *duplicate.mutable_found() = TimeUtil::MillisecondsToTimestamp(now_ms_);
    duplicate.set_state(DuplicatePerson::OPEN);
    return duplicate;
  }

  Lookup& reader_;
  const std::string key_;
  const int64_t now_ms_;
  Consequences& own_;
  absl::flat_hash_map<Id, std::unique_ptr<Known>> known_;
  absl::flat_hash_set<std::pair<Id, Id>> added_;
  absl::flat_hash_set<std::string> crowded_;
  bool full_ = false;
};

}  // namespace

void MarkPersons(absl::string_view key, const RecordKey& record, const RecordState& before,
                 const RecordState& after, Marks* marks, std::set<Id>* persons) {
  // Their number may have been there before them, and whom they count as is compared by all theirs.
  const auto counts_as = [](const RecordState& state) {
    return state.alive() ? Parse<Member>(state.body).merged_into_id() : "nobody";
  };
  if (record.type == TypeOf<Member>().number && counts_as(before) != counts_as(after)) {
    persons->insert(record.id);
  }
  const std::vector<Marked> had = MarksOf(key, record, before);
  const std::vector<Marked> has = MarksOf(key, record, after);
  for (const Marked& one : had) {
    if (std::count(has.begin(), has.end(), one) > 0) continue;
    persons->insert(one.person);
    marks->drop.emplace_back(one.mark, one.person);
  }
  for (const Marked& one : has) {
    if (std::count(had.begin(), had.end(), one) > 0) continue;
    persons->insert(one.person);
    marks->put.emplace_back(one.mark, one.person);
  }
}

absl::Status FindDuplicates(Lookup& reader, absl::string_view key, const std::set<Id>& persons,
                            int64_t now_ms, Consequences* own) {
  Comparison comparison(reader, key, now_ms, own);
  for (const Id& person : persons) RETURN_IF_ERROR(comparison.Compare(person));
  return absl::OkStatus();
}

Id DuplicateId(const Id& one, const Id& other) {
  DuplicatePerson duplicate;
  duplicate.set_first_id(std::min(one, other).str());
  duplicate.set_second_id(std::max(one, other).str());
  return DeriveId(TypeOf<DuplicatePerson>(), duplicate.SerializeAsString()).value();
}

absl::Status AddDuplicate(Lookup& reader, const Id& one, const Id& other, DuplicatePerson::By by,
                          int64_t now_ms, sync::v1::Edit* own) {
  Consequences follows;
  RETURN_IF_ERROR(Comparison(reader, "", now_ms, &follows).Add(one, other, by));
  own->MergeFrom(follows.edit);
  return absl::OkStatus();
}

}  // namespace zhibu
