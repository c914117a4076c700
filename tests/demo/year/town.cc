#include "tests/demo/year/town.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "sync/base/date.h"
#include "tests/demo/year/clock.h"

namespace zhibu::year {

using records::v1::DuesBase;
using records::v1::Member;

namespace {

// How long somebody is on the way, from the application to the file: the applicants of the
// branches are spread over it, so that every stage is met with.
constexpr int kWayDays = 1100;

const std::vector<std::string>& Surnames() {
  static const std::vector<std::string> kSurnames = {
      "王", "李", "张", "刘", "陈", "杨", "赵", "黄", "周", "吴", "徐", "孙", "胡", "朱",
      "高", "林", "何", "郭", "马", "罗", "梁", "宋", "郑", "谢", "韩", "唐", "冯", "于",
      "董", "萧", "程", "曹", "袁", "邓", "许", "傅", "沈", "曾", "彭", "吕"};
  return kSurnames;
}

const std::vector<std::string>& Given(bool woman) {
  static const std::vector<std::string> kMen = {
      "国", "建", "志", "明", "军", "强", "平", "福", "生", "德", "永", "文", "海",
      "山", "春", "林", "勇", "刚", "伟", "涛", "波", "辉", "贵", "庆", "义"};
  static const std::vector<std::string> kWomen = {
      "秀", "英", "玉", "兰", "芳", "桂", "珍", "华", "丽", "敏", "燕", "红", "霞",
      "琴", "梅", "娟", "莉", "萍", "凤", "慧", "雪", "云", "洁", "静", "月"};
  return woman ? kWomen : kMen;
}

const std::vector<std::string>& VillageNames() {
  static const std::vector<std::string> kNames = {
      "青石", "柳湾", "竹溪", "石桥", "东岭", "西坪", "枫树", "白沙", "龙潭", "双河",
      "杨柳", "松林", "莲塘", "金鸡", "黄泥", "高坡", "水口", "大坝", "新田", "茶园",
      "桃源", "长冲", "清水", "红岩", "梅子", "银杏", "凤凰", "古井", "三合"};
  return kNames;
}

std::string IdentityNumber(absl::CivilDay born, int sequence) {
  static constexpr int kWeights[] = {7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2};
  std::string digits = absl::StrFormat("000000%04d%02d%02d%03d", static_cast<int>(born.year()),
                                       born.month(), born.day(), sequence);
  int sum = 0;
  for (size_t i = 0; i < digits.size(); ++i) sum += (digits[i] - '0') * kWeights[i];
  return absl::StrCat(digits, std::string(1, "10X98765432"[sum % 11]));
}

const char* StageOf(Member::Stage stage) {
  switch (stage) {
    case Member::APPLICANT:
      return "入党申请人";
    case Member::ACTIVIST:
      return "入党积极分子";
    case Member::CANDIDATE:
      return "发展对象";
    case Member::PROBATIONARY:
      return "预备党员";
    default:
      return "正式党员";
  }
}

std::string RowOf(const Person& person, const std::string& branch, const std::string& superior,
                  const std::string& host) {
  std::string joined;
  std::string confirmed;
  if (person.joined.has_value()) {
    joined = DateOf(*person.joined);
    if (person.stage == Member::FULL) confirmed = DateOf(AddMonths(*person.joined, 12));
  }
  return absl::StrFormat("%s,%s,汉族,%s,高中,%s,%s,%s,%s,%s,%s,000-0000-%s,%s\n", person.name,
                         person.woman ? "女" : "男", DateOf(person.born), StageOf(person.stage),
                         joined, confirmed, branch, superior, host,
                         person.identity_number.substr(13, 4), person.identity_number);
}

}  // namespace

Dues DuesOf(const Person& person) {
  switch (person.kind) {
    case DuesBase::FARMER:
      return {0, 50};
    case DuesBase::UNEMPLOYED:
      return {0, 20};
    default:
      break;
  }
  const int64_t yuan = (person.base_fen + 99) / 100;
  uint32_t rate = yuan <= 3000 ? 50 : yuan <= 5000 ? 100 : yuan <= 10'000 ? 150 : 200;
  if (person.kind == DuesBase::RETIRED) rate = yuan <= 5000 ? 50 : 100;
  const int64_t due = (person.base_fen * rate + 5000) / 10'000;
  return {rate, std::min<int64_t>(due, 100'000)};
}

Town::Town(uint64_t seed, size_t branches, size_t members, absl::CivilDay first_day)
    : dice_(seed), first_day_(first_day) {
  for (size_t i = 0; i < branches; ++i) {
    Village village;
    village.index = i;
    const bool host = i + 1 == branches;  // where those gather who work in the city
    village.short_name = host ? "驻滨海市" : absl::StrCat(VillageNames().at(i), "村");
    village.name = absl::StrCat("云溪镇", village.short_name, host ? "流动党支部" : "党支部");
    villages_.push_back(village);
  }
  // As many in each, then some go from one to the next.
  for (size_t i = 0; i < members; ++i) {
    Village& village = villages_[i % branches];
    village.members.push_back(NewPerson(25, 82));
  }
  for (size_t i = 0; i + 1 < branches; i += 2) {
    for (uint32_t moved = dice_.Below(9); moved > 0; --moved) {
      villages_[i].members.push_back(villages_[i + 1].members.back());
      villages_[i + 1].members.pop_back();
    }
  }
  for (Village& village : villages_) AddApplicant(&village, branches);
  leader_ = villages_.front().members.back();
}

std::string Town::NewName(bool woman) {
  while (true) {
    std::string name = absl::StrCat(dice_.Of(Surnames()), dice_.Of(Given(woman)));
    if (!dice_.OneIn(4)) absl::StrAppend(&name, dice_.Of(Given(woman)));
    const auto at = std::lower_bound(names_.begin(), names_.end(), name);
    if (at != names_.end() && *at == name) continue;
    names_.insert(at, name);
    return name;
  }
}

Person Town::NewPerson(int youngest, int oldest) {
  Person person;
  person.woman = dice_.OneIn(3);
  person.name = NewName(person.woman);
  const auto age_days = dice_.Between(youngest * 365 + 30, oldest * 365);
  person.born = first_day_ - age_days;
  person.joined = AddMonths(person.born, 12 * 19 + dice_.Between(0, 36));
  person.identity_number =
      IdentityNumber(person.born, static_cast<int>(dice_.Below(499) * 2 + (person.woman ? 2 : 1)));
  GiveWork(&person);
  return person;
}

void Town::GiveWork(Person* person) {
  const bool old = first_day_ - person->born > 60 * 365;
  const uint32_t any = dice_.Below(10);
  if (any < 5) {
    person->kind = DuesBase::FARMER;
  } else if (any == 5) {
    person->kind = DuesBase::UNEMPLOYED;
  } else {
    person->kind = old ? DuesBase::RETIRED : DuesBase::WAGE;
    person->base_fen = dice_.Between(1800, old ? 7000 : 13'000) * 100;
  }
}

void Town::AddApplicant(Village* village, size_t branches) {
  const auto place = static_cast<int>(village->index);
  const auto all = static_cast<int>(branches);
  village->applicant = NewPerson(22, 40);
  village->applicant.joined.reset();
  // One asks to join within the year, and the last was confirmed as it begins.
  village->applied_before = place * kWayDays / all - 60;
  if (place > 0 && place < 5) village->applied_before = 450;  // whose way has a story of its own
  const int days = village->applied_before;
  Member::Stage& stage = village->applicant.stage;
  stage = days < 200   ? Member::APPLICANT
          : days < 600 ? Member::ACTIVIST
          : days < 720 ? Member::CANDIDATE
                       : Member::PROBATIONARY;
  if (stage == Member::PROBATIONARY) village->applicant.joined = first_day_ - (days - 685);
}

std::string Town::Roster() const {
  std::string text =
      "姓名,性别,民族,出生日期,学历,党员类别,入党日期,转正日期,所在支部,上级组织,流入地上级组织,"
      "手机,身份证号\n";
  for (const Village& village : villages_) {
    const bool host = village.index + 1 == villages_.size();
    const std::string above = host ? kHostCommittee : "";
    for (const Person& person : village.members) {
      absl::StrAppend(&text, RowOf(person, village.name, kTownCommittee, above));
    }
    if (village.applied_before < 0) continue;
    absl::StrAppend(&text, RowOf(village.applicant, village.name, kTownCommittee, above));
  }
  return text;
}

}  // namespace zhibu::year
