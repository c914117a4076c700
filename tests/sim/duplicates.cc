// The judge of who may be registered twice: against all that the register says.
#include "sync/rules/duplicates.h"

#include <algorithm>
#include <cctype>

#include "absl/strings/str_cat.h"
#include "sync/base/environment.h"
#include "tests/sim/ledger.h"
#include "zhibu/records/v1/catalogue.pb.h"

namespace zhibu::sim {

using records::v1::DuplicatePerson;
using records::v1::Member;
using records::v1::Organisation;
using records::v1::PrivateDetail;

namespace {

std::string Plain(const std::string& number) {
  std::string plain;
  for (const char c : number) {
    if (c != ' ') plain += static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  }
  return plain;
}

Id IdOf(const std::string& bytes) { return Id::FromBytes(bytes).value_or(Id()); }

}  // namespace

// What one member's entry in the register says of who they are.
struct Ledger::Entry {
  std::string number;
  std::string name_and_birth;  // empty: one of them is missing
  Id merged_into;
};

std::map<Id, Ledger::Entry> Ledger::Register() const {
  std::map<Id, Entry> entries;
  ForEachRecord(TypeOf(Member::descriptor()), [&](const Id& id, const Record& record) {
    const auto& member = static_cast<const Member&>(*record.expected.message);
    Entry& entry = entries[id];
    entry.merged_into = IdOf(member.merged_into_id());
    if (member.name().empty() || member.born().empty()) return;
    entry.name_and_birth = absl::StrCat(member.name(), " ", member.born());
  });
  ForEach<PrivateDetail>([&](const PrivateDetail& detail) {
    const auto it = entries.find(IdOf(detail.member_id()));
    if (it != entries.end()) it->second.number = Plain(detail.identity_number());
  });
  return entries;
}

bool Ledger::SameNumber(const Entry& one, const Entry& other) {
  return !one.number.empty() && one.number == other.number;
}

// Whoever counts as somebody else is known by their number alone.
bool Ledger::SameName(const Entry& one, const Entry& other) {
  return one.merged_into.empty() && other.merged_into.empty() && !one.name_and_birth.empty() &&
         one.name_and_birth == other.name_and_birth &&
         (one.number.empty() || other.number.empty() || one.number == other.number);
}

// By the steps from both of them together.
std::set<Id> Ledger::NearestAbove(const Id& one, const Id& other) const {
  const auto above_other = AboveOf(other);
  std::map<int, std::set<Id>> by_distance;
  for (const auto& [organisation, steps] : AboveOf(one)) {
    const auto it = above_other.find(organisation);
    if (it != above_other.end()) by_distance[steps + it->second].insert(organisation);
  }
  return by_distance.empty() ? std::set<Id>() : by_distance.begin()->second;
}

std::string Ledger::Objection(const DuplicatePerson& found) const {
  const Id first = IdOf(found.first_id());
  const Id second = IdOf(found.second_id());
  const std::map<Id, Entry> entries = Register();
  if (entries.count(first) + entries.count(second) < 2) return "one of them is no member";
  if (!(first < second) || found.state() != DuplicatePerson::OPEN) return "it begins wrongly";
  const std::set<std::string> joined = EntriesOf(first);
  if (joined.count(second.str()) > 0) return "they are one person already";
  if (found.by() == DuplicatePerson::NAME_AND_BIRTH) {
    if (!SameName(entries.at(first), entries.at(second))) return "name, birth or number differ";
  } else {
    const std::set<std::string> others = EntriesOf(second);
    const auto shares = [&](const std::string& one, const std::string& other) {
      const auto a = entries.find(IdOf(one));
      const auto b = entries.find(IdOf(other));
      return a != entries.end() && b != entries.end() && SameNumber(a->second, b->second);
    };
    if (std::none_of(joined.begin(), joined.end(), [&](const std::string& one) {
          return std::any_of(others.begin(), others.end(),
                             [&](const std::string& other) { return shares(one, other); });
        })) {
      return "their identity numbers differ";
    }
  }
  std::set<Id> scopes;
  for (const std::string& scope : found.scopes()) scopes.insert(IdOf(scope));
  if (scopes != NearestAbove(*BranchOf(first), *BranchOf(second))) {
    return "it is not shown to the nearest organisation above both";
  }
  return "";
}

// When the server has found it. What organisations hung on at that moment versions do not
// tell, since they need not have a scope in common with the two; nor what number somebody
// had who is one of the two as well, nor what stood between two changes of the same entry.
void Ledger::JudgeFound(const server::AuditRow& row, const RecordKey& key,
                        const DuplicatePerson& found) {
  if (found.by() == DuplicatePerson::OPERATOR) return;
  ++found_twice_;
  const std::string objection = Objection(found);
  if (objection.empty()) return;
  std::set<uint32_t> unless = {TypeOf(Organisation::descriptor())};
  if (EntriesOf(IdOf(found.first_id())).size() + EntriesOf(IdOf(found.second_id())).size() > 2) {
    unless.insert(TypeOf(PrivateDetail::descriptor()));
  }
  doubted_.push_back({row.received_ms,
                      unless,
                      {TypeOf(Member::descriptor()), TypeOf(PrivateDetail::descriptor())},
                      {kDuplicates, absl::StrCat(NameOf(key), ": ", objection), key},
                      found});
}

void Ledger::CheckDuplicates() {
  const std::map<Id, Entry> entries = Register();
  std::set<std::pair<std::string, std::string>> found;
  std::set<std::pair<std::string, std::string>> merged;
  ForEach<DuplicatePerson>([&](const DuplicatePerson& same) {
    for (auto* pairs : {&found, &merged}) {
      if (pairs == &merged && same.state() != DuplicatePerson::MERGED) continue;
      if (pairs == &merged && same.agreed_ids_size() != 2) {
        Fail(kDuplicates, "two were merged who had not both agreed",
             RecordKey{TypeOf(Member::descriptor()), IdOf(same.first_id())});
      }
      pairs->insert({same.first_id(), same.second_id()});
      pairs->insert({same.second_id(), same.first_id()});
    }
  });
  // So many of one number, or one name and birth date, make no pairs. There may have been
  // more of them than there are now.
  std::map<std::string, size_t> bearers;
  for (const auto& [id, entry] : entries) {
    ++bearers[entry.number];
    ++bearers[entry.name_and_birth];
  }
  const auto crowded = [&](const Entry& one, const Entry& other) {
    const size_t most = kBearersMax / 2;
    return (SameNumber(one, other) && bearers[one.number] > most) ||
           (SameName(one, other) && bearers[one.name_and_birth] > most);
  };
  const auto points = [&](const std::string& one, const std::string& other) {
    const auto it = entries.find(IdOf(one));
    return it != entries.end() && it->second.merged_into.bytes() == other;
  };
  for (const auto& [one, other] : merged) {
    // One of them may have been taken out of the register since.
    if (entries.count(IdOf(one)) + entries.count(IdOf(other)) < 2) continue;
    if (points(one, other) != points(other, one)) continue;
    Fail(kDuplicates, "of two who were merged not one points at the other",
         RecordKey{TypeOf(Member::descriptor()), IdOf(one)});
  }
  for (const auto& [id, entry] : entries) {
    if (entry.merged_into.empty() || merged.count({id.str(), entry.merged_into.str()}) > 0) {
      continue;
    }
    Fail(kDuplicates, "a member points at another, though nobody has merged them",
         RecordKey{TypeOf(Member::descriptor()), id});
  }
  for (auto one = entries.begin(); one != entries.end(); ++one) {
    for (auto other = std::next(one); other != entries.end(); ++other) {
      if (!SameNumber(one->second, other->second) && !SameName(one->second, other->second)) {
        continue;
      }
      if (crowded(one->second, other->second)) continue;
      const std::set<std::string> mine = EntriesOf(one->first);
      const std::set<std::string> theirs = EntriesOf(other->first);
      const bool known =
          mine == theirs || std::any_of(mine.begin(), mine.end(), [&](const auto& a) {
            return std::any_of(theirs.begin(), theirs.end(), [&](const auto& b) {
              return found.count({a, b}) > 0;
            });
          });
      if (known) continue;
      Fail(kDuplicates,
           absl::StrCat("nobody is told of ", Hex(one->first.bytes()), " and ",
                        Hex(other->first.bytes())),
           RecordKey{TypeOf(Member::descriptor()), other->first});
    }
  }
}

}  // namespace zhibu::sim
