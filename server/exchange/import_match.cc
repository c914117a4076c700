// Whom a row means, and what of it contradicts what is known (import.h).
#include <google/protobuf/descriptor.h>

#include <algorithm>
#include <memory>
#include <numeric>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "server/exchange/import.h"
#include "server/identity/named.h"
#include "sync/base/date.h"
#include "sync/base/text.h"
#include "sync/exchange/text.h"
#include "sync/exchange/values.h"
#include "sync/merge/touched.h"
#include "sync/rules/registration.h"
#include "sync/rules/typed.h"
#include "sync/schema/codes.h"
#include "sync/wire/record.h"
#include "zhibu/records/v1/organisation.pb.h"

namespace zhibu::server {
namespace {

using records::v1::Member;
using records::v1::PrivateDetail;

// 1990-01 and 1990-01-02 may be one day, of which a roster says the month.
bool MayBeOneDay(absl::string_view one, absl::string_view other) {
  return !one.empty() && !other.empty() &&
         (absl::StartsWith(one, other) || absl::StartsWith(other, one));
}

std::set<Id> FindIn(const std::map<std::tuple<std::string, std::string, Id>, std::set<Id>>& index,
                    const RosterRow& row, const Id& branch) {
  const auto it = index.find({ShortName(row.member.name()), row.member.born(), branch});
  return it == index.end() ? std::set<Id>() : it->second;
}

std::string ShownIn(const google::protobuf::Message& record,
                    const google::protobuf::FieldDescriptor& field) {
  const auto& reflection = *record.GetReflection();
  if (field.enum_type() != nullptr) {
    return reflection.GetEnum(record, &field)->options().GetExtension(value_label);
  }
  return field.type() == field.TYPE_STRING ? reflection.GetString(record, &field) : "";
}

std::u32string CharactersOf(absl::string_view text) {
  std::u32string characters;
  for (char32_t one = 0; !text.empty() && TakeCharacter(&text, &one);) characters += one;
  return characters;
}

// How many characters are put in, left out or taken for others (Levenshtein).
size_t Distance(const std::u32string& one, const std::u32string& other) {
  std::vector<size_t> row(other.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 1; i <= one.size(); ++i) {
    size_t diagonal = std::exchange(row[0], i);
    for (size_t j = 1; j <= other.size(); ++j) {
      const size_t taken = diagonal + (one[i - 1] == other[j - 1] ? 0 : 1);
      diagonal = std::exchange(row[j], std::min({taken, row[j] + 1, row[j - 1] + 1}));
    }
  }
  return row.back();
}

}  // namespace

std::string RowOf(const RosterRow& row) {
  return absl::StrJoin(
      {ShortName(row.member.name()), row.member.born(), row.detail.identity_number(), row.branch},
      "\n");
}

bool IsSaidApart(const google::protobuf::FieldDescriptor& field) {
  return field.name() == "branch_id" || field.name() == "member_id" ||
         field.name() == "registered_name";
}

std::string Importer::NumberOf(const Id& entry) const {
  const auto it = numbers_.find(entry);
  return it == numbers_.end() ? "" : it->second;
}

std::string Importer::BornOf(const Id& entry) const {
  const auto it = states_.find({Type(Member::descriptor()).number, entry});
  return it == states_.end() ? "" : Parse<Member>(it->second.body).born();
}

std::string Importer::Listed(const std::set<Id>& entries) const {
  return absl::StrJoin(entries, "; ", [&](std::string* out, const Id& id) {
    absl::StrAppend(out, InWords(RegisteredAs(id)));
  });
}

bool Importer::SaysNothingNew(const RosterRow& row, const Id& entry) const {
  const auto says = [&](const Id& id, const google::protobuf::Message& said) {
    const auto it = states_.find({Type(said.GetDescriptor()).number, id});
    const std::unique_ptr<google::protobuf::Message> merged(said.New());
    if (it != states_.end()) merged->ParseFromString(it->second.body);
    const std::string before = merged->SerializeAsString();
    merged->MergeFrom(said);
    return merged->SerializeAsString() != before;
  };
  Member member = row.member;
  for (const int said_apart :
       {Member::kNameFieldNumber, Member::kStageFieldNumber, Member::kStatusFieldNumber,
        Member::kMembershipFieldNumber, Member::kMigrantFieldNumber}) {
    member.GetReflection()->ClearField(&member,
                                       member.GetDescriptor()->FindFieldByNumber(said_apart));
  }
  if (says(entry, member)) return false;
  if (row.detail.ByteSizeLong() == 0) return true;
  PrivateDetail detail = row.detail;
  detail.set_member_id(entry.str());
  const auto id = DeriveId(Type(PrivateDetail::descriptor()), detail.SerializeAsString());
  return id.ok() && !says(*id, detail);
}

void Importer::Claim(const Roster& roster) {
  for (const RosterRow& row : roster.rows) {
    if (row.entry) claimed_.insert(*row.entry);
    const auto by_number = identities_.find(row.detail.identity_number());
    if (by_number != identities_.end()) {
      claimed_.insert(by_number->second.begin(), by_number->second.end());
    }
    const auto branch = FindOrganisation(row.branch);
    if (!branch || row.member.born().empty()) continue;
    const std::set<Id> named = FindIn(members_, row, *branch);
    claimed_.insert(named.begin(), named.end());
  }
}

std::optional<Id> Importer::FindMember(const RosterRow& row, Problems* problems) const {
  if (row.entry && !states_.contains({Type(Member::descriptor()).number, *row.entry})) {
    problems->Add("没有这个登记编号", "there is no entry of that id");
  }
  if (row.entry) return row.entry;
  if (row.is_new) return FindMade(row, problems);
  std::set<Id> found;
  const auto by_number = identities_.find(row.detail.identity_number());
  if (by_number != identities_.end()) found = by_number->second;
  std::set<Id> meant = PersonsOf(found);
  const bool numbered = !meant.empty();
  const auto branch = FindOrganisation(row.branch);
  if (branch) {
    const std::set<Id> by_name = FindIn(members_, row, *branch);
    const std::set<Id> named = PersonsOf(by_name);
    // A number tells apart those who share the rest.
    const bool tells = meant.size() == 1 && named.count(*meant.begin()) > 0;
    found.insert(by_name.begin(), by_name.end());
    if (!tells) meant.insert(named.begin(), named.end());
  }
  if (meant.size() > 1) {
    const std::string both = Listed(meant);
    problems->Add(
        absl::StrCat(numbered ? "身份证号和姓名" : "姓名和出生日期", "可能指几个人: ", both),
        absl::StrCat(numbered ? "identity number and name" : "name and date of birth",
                     " may mean several: ", both));
    return std::nullopt;
  }
  if (meant.size() == 1) {
    CheckContradiction(row, numbered, numbered ? by_number->second : found, problems);
    return EntryOf(row, *meant.begin(), found);
  }
  std::optional<Id> entry;
  if (branch) {
    entry = FindNamesake(row, *branch, problems);
    if (!entry) entry = FindMovedAway(row, *branch);
  }
  if (!entry) CheckDeleted(row, problems);
  return entry;
}

// The row may have come before: then it speaks of whom it made.
std::optional<Id> Importer::FindMade(const RosterRow& row, Problems* problems) const {
  for (const Id& made : said_.FindMade(RowOf(row))) {
    if (made_again_.count(made) > 0) continue;
    if (states_.contains({Type(Member::descriptor()).number, made})) return made;
    CheckDeleted(row, problems);
  }
  return std::nullopt;
}

void Importer::CheckContradiction(const RosterRow& row, bool numbered, const std::set<Id>& entries,
                                  Problems* problems) const {
  const std::string whom = Listed(entries);
  const std::string name = ShortName(row.member.name());
  const auto bears_name = [&](const Id& id) { return RegisteredAs(id).name() == name; };
  if (numbered) {
    if (std::none_of(entries.begin(), entries.end(), bears_name)) {
      problems->Add(
          absl::StrCat("这个身份证号登记的是另一个姓名: ", whom,
                       "。请核对；确是同一人的，把编号写进“登记编号”列"),
          absl::StrCat("this identity number is registered under another name: ", whom,
                       "; if it is the same person, write that id into the column \"entry\""));
    }
    return;
  }
  const std::string& number = row.detail.identity_number();
  const auto has_another = [&](const Id& id) {
    return !number.empty() && !NumberOf(id).empty() && NumberOf(id) != number;
  };
  if (std::any_of(entries.begin(), entries.end(), has_another)) {
    problems->Add(
        absl::StrCat("同名同生日，登记的却是另一个身份证号: ", whom,
                     "。是同一人的，把编号写进“登记编号”列"),
        absl::StrCat("name and birth are those of ", whom,
                     ", who is registered with another identity number; if it is the same person, "
                     "write that id into the column \"entry\""));
  } else if (row.member.born().empty() &&
             std::none_of(entries.begin(), entries.end(),
                          [&](const Id& id) { return SaysNothingNew(row, id); })) {
    problems->Add(
        absl::StrCat("只有姓名，分不清是不是 ", whom, "。是的把编号写进“登记编号”列，不是的写“新”"),
        absl::StrCat("has a name only, and may or may not be ", whom,
                     "; write that id into the column \"entry\", or \"new\""));
  }
}

std::optional<Id> Importer::FindNamesake(const RosterRow& row, const Id& branch,
                                         Problems* problems) const {
  const auto it = namesakes_.find({ShortName(row.member.name()), branch});
  if (it == namesakes_.end()) return std::nullopt;
  const std::string& number = row.detail.identity_number();
  std::set<Id> others;
  std::set<Id> same;
  for (const Id& id : it->second) {
    const bool two_numbers = !number.empty() && !NumberOf(id).empty() && NumberOf(id) != number;
    if (claimed_.count(id) > 0 || two_numbers) continue;
    others.insert(id);
    const bool known = row.member.born().empty() && SaysNothingNew(row, id);
    if (known || MayBeOneDay(row.member.born(), BornOf(id))) same.insert(id);
  }
  if (others.empty()) return std::nullopt;
  if (others.size() == 1 && same.size() == 1) return *same.begin();
  const std::string whom = Listed(others);
  problems->Add(
      absl::StrCat("本支部已有同名的人，出生日期不同或缺少: ", whom,
                   "。请核对：是同一人的，把编号写进“登记编号”列；不是的写“新”"),
      absl::StrCat(
          "the branch has somebody of that name whose date of birth is another "
          "or is not known: ",
          whom,
          "; write that id into the column \"entry\" if it is the same person, else \"new\""));
  return std::nullopt;
}

std::optional<Id> Importer::FindMovedAway(const RosterRow& row, const Id& branch) const {
  const auto it = people_.find({ShortName(row.member.name()), row.member.born()});
  if (it == people_.end() || row.member.born().empty()) return std::nullopt;
  for (const Id& id : it->second) {
    if (moved_.count({id, branch}) > 0) return id;
  }
  return std::nullopt;
}

void Importer::CheckDeleted(const RosterRow& row, Problems* problems) const {
  bool deleted = deleted_numbers_.contains(row.detail.identity_number());
  if (const auto branch = FindOrganisation(row.branch); branch && !deleted) {
    deleted = !FindIn(deleted_, row, *branch).empty();
  }
  if (!deleted) return;
  problems->Add("这个人的条目已被删除，没有重新建立；要重新登记，请由支部在设备上登记",
                "the entry of this person was deleted, and was not made again; whoever is to be "
                "registered again is registered on a device of the branch");
}

// Of the person's entries the one in the row's branch, else the one that they count as: if
// the row has not found that, it speaks of another and moves nobody.
Id Importer::EntryOf(const RosterRow& row, const Id& person, const std::set<Id>& found) const {
  std::set<Id> entries;
  if (const auto branch = FindOrganisation(row.branch)) entries = EntriesIn(*branch, person);
  if (entries.empty()) {
    for (const Id& entry : found) {
      if (KeptOf(entry) == person) entries.insert(entry);
    }
  }
  if (entries.count(person) > 0) return person;
  for (const Id& entry : entries) {
    if (found.count(entry) > 0) return entry;
  }
  return *entries.begin();
}

Id Importer::BranchOf(const RosterRow& row, const Id& entry, const Id& said,
                      std::vector<DoubtfulCell>* doubts) const {
  const RecordState& state = states_.at({Type(Member::descriptor()).number, entry});
  const auto member = Parse<Member>(state.body);
  const Id now = Id::FromBytes(member.branch_id()).value_or(said);
  if (now == said) return said;
  const bool by_people = LastTouchOf(state, Member::kBranchIdFieldNumber).writer != kServerDevice;
  const bool is_news = said_.Find(entry, Type(Member::descriptor()).number,
                                  Member::kBranchIdFieldNumber, said.str()) == Said::Was::kNever;
  if (is_news && moved_.count({entry, said}) == 0 && !by_people) return said;
  const std::string where = Excerpt(NameOfBranch(member.branch_id()));
  doubts->push_back(Doubt(RuleOf(kBranch).zh,
                          absl::StrCat("现在在“", where, "”，没有移回“", Excerpt(row.branch), "”"),
                          absl::StrCat("is in \"", where, "\" now, and was not moved back")));
  return now;
}

void Importer::KeepWhatPeopleWrote(const Id& member, const Id& id,
                                   google::protobuf::Message* wanted,
                                   std::vector<DoubtfulCell>* doubts) const {
  const RecordType& type = Type(wanted->GetDescriptor());
  const auto it = states_.find({type.number, id});
  const RecordState state = it == states_.end() ? RecordState() : it->second;
  const std::unique_ptr<google::protobuf::Message> stored(wanted->New());
  stored->ParseFromString(state.body);
  std::vector<const google::protobuf::FieldDescriptor*> fields;
  wanted->GetReflection()->ListFields(*wanted, &fields);
  for (const auto* field : fields) {
    if (IsSaidApart(*field)) continue;
    const std::string stands = ShownIn(*stored, *field);
    const std::string says = ShownIn(*wanted, *field);
    if (stands == says) continue;
    const auto number = static_cast<uint32_t>(field->number());
    const Said::Was was = said_.Find(member, type.number, number, says);
    const bool is_news = was == Said::Was::kNever;
    // A month does not make a day less known.
    const bool less = field->options().GetExtension(format) == DAY_OR_MONTH && !stands.empty() &&
                      absl::StartsWith(stands, says);
    const bool by_people = !stands.empty() && LastTouchOf(state, number).writer != kServerDevice;
    if (is_news && !less && !by_people) continue;
    wanted->GetReflection()->ClearField(wanted, field);
    if (less || was == Said::Was::kLast) continue;
    const char* zh =
        is_news ? "是在设备上填写的，没有改动" : "是后来的名册或设备上填写的，没有改回";
    const char* en = is_news ? "which was written on a device, was not changed"
                             : "which was written later, was not set back";
    const std::string& heading = field->options().GetExtension(label);
    if (field->options().GetExtension(sensitive)) {
      doubts->push_back(Doubt(heading, absl::StrCat("与现有的不同，现有的", zh),
                              absl::StrCat("differs from what stands; that, ", en)));
    } else {
      doubts->push_back(
          Doubt(heading, absl::StrCat("是“", Excerpt(says), "”，现有的“", Excerpt(stands), "”", zh),
                absl::StrCat("says \"", Excerpt(says), "\"; \"", Excerpt(stands), "\", ", en)));
    }
  }
}

void Importer::NoteSaid(const Id& member, const google::protobuf::Message& record) {
  std::vector<const google::protobuf::FieldDescriptor*> fields;
  record.GetReflection()->ListFields(record, &fields);
  for (const auto* field : fields) {
    said_.Say(member, Type(record.GetDescriptor()).number, static_cast<uint32_t>(field->number()),
              ShownIn(record, *field));
  }
}

std::vector<std::string> Importer::NearlyNamed(const std::string& name) const {
  const std::u32string meant = CharactersOf(ShortName(name));
  constexpr size_t kShort = 8;  // characters; in a longer name two may differ
  const size_t most = meant.size() < kShort ? 1 : 2;
  std::vector<std::string> near;
  for (const auto& [registered, ids] : organisations_) {
    const std::u32string other = CharactersOf(registered);
    if (registered != ShortName(name) && Distance(meant, other) <= most) near.push_back(registered);
  }
  std::sort(near.begin(), near.end());
  return near;
}

void Importer::DoubtMember(Member* member, std::vector<DoubtfulCell>* doubts) const {
  const std::string today = DateAt(environment_.now_ms());
  std::vector<const google::protobuf::FieldDescriptor*> fields;
  member->GetReflection()->ListFields(*member, &fields);
  for (const auto* field : fields) {
    if (field->type() != field->TYPE_STRING || field->is_repeated()) continue;
    const std::string text = member->GetReflection()->GetString(*member, field);
    const std::string& label_zh = field->options().GetExtension(label);
    const Format format = field->options().GetExtension(zhibu::format);
    if ((format == DAY_OR_MONTH || format == DATE) && text > today) {
      doubts->push_back(Doubt(label_zh, absl::StrCat(text, " 还没有到，没有写入"),
                              absl::StrCat(text, " is yet to come, and was not taken")));
      member->GetReflection()->ClearField(member, field);
    }
    const std::string& table = field->options().GetExtension(code_table);
    const bool is_code = !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
      return absl::ascii_isalnum(static_cast<unsigned char>(c));
    });
    if (!table.empty() && is_code && FindCode(table, text) == nullptr) {
      doubts->push_back(
          Doubt(label_zh, absl::StrCat("代码表中没有 ", text, "，照原样保存"),
                absl::StrCat("no table has the code ", text, "; it is kept as it is")));
    }
  }
}

void Importer::DoubtSuperior(const RosterRow& row, const Id& branch,
                             std::vector<DoubtfulCell>* doubts) {
  const auto it = states_.find({Type(records::v1::Organisation::descriptor()).number, branch});
  if (row.superior.empty() || it == states_.end()) return;
  const auto organisation = Parse<records::v1::Organisation>(it->second.body);
  const std::string stands = NameOfBranch(organisation.parent_id());
  const std::string said = ShortName(row.superior);
  if (stands == said || said == RegisteredName(organisation)) return;
  if (!told_superiors_.insert(absl::StrCat(row.branch, "\n", said)).second) return;
  const std::string shown_zh = stands.empty() ? "无" : absl::StrCat("“", stands, "”");
  const std::string shown_en = stands.empty() ? "none" : absl::StrCat("\"", stands, "\"");
  doubts->push_back(
      Doubt("上级组织",
            absl::StrCat("“", row.branch, "”的上级组织登记的是", shown_zh,
                         "，没有改动；确已调整的请用 affiliate"),
            absl::StrCat("the superior of \"", row.branch, "\" is registered as ", shown_en,
                         ", and was not changed; where it has changed use affiliate")));
}

DoubtfulCell Importer::Doubt(absl::string_view label, absl::string_view zh,
                             absl::string_view en) const {
  for (const ReadColumn& column : read_columns_) {
    if (RuleOf(column.column).zh == label) return {column.place, column.heading, Say(zh, en)};
  }
  return {std::nullopt, std::string(label), Say(zh, en)};
}

}  // namespace zhibu::server
