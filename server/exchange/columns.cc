#include "server/exchange/columns.h"

#include <google/protobuf/descriptor.h>

#include "absl/container/flat_hash_map.h"
#include "server/exchange/text.h"
#include "zhibu/records/v1/member.pb.h"
#include "zhibu/records/v1/organisation.pb.h"
#include "zhibu/schema/v1/options.pb.h"

namespace zhibu::server {
namespace {

using records::v1::Member;
using records::v1::Organisation;
using records::v1::PrivateDetail;

template <typename Record>
std::string LabelOf(int field_number) {
  return Record::descriptor()->FindFieldByNumber(field_number)->options().GetExtension(label);
}

// In the order of Column.
const std::array<ColumnRule, kColumns>& ColumnRules() {
  static const auto& rules = *new std::array<ColumnRule, kColumns>{{
      {LabelOf<Member>(Member::kNameFieldNumber), "name", {"党员姓名"}},
      {LabelOf<Member>(Member::kSexFieldNumber), "sex", {"gender"}},
      {LabelOf<Member>(Member::kEthnicGroupFieldNumber), "ethnic group", {"ethnicity"}},
      {LabelOf<Member>(Member::kBornFieldNumber),
       "born",
       {"出生年月日", "出生年月", "出生时间", "生日", "birthday", "date of birth"}},
      {LabelOf<Member>(Member::kEducationFieldNumber), "education", {"文化程度"}},
      {LabelOf<Member>(Member::kPostFieldNumber), "post", {"岗位", "工作单位及岗位"}},
      {LabelOf<Member>(Member::kStageFieldNumber), "stage", {"人员类别", "发展阶段"}},
      {LabelOf<Member>(Member::kJoinedFieldNumber), "joined", {"入党时间", "加入党组织日期"}},
      {LabelOf<Member>(Member::kConfirmedFieldNumber),
       "confirmed",
       {"转正时间", "转为正式党员日期"}},
      {LabelOf<PrivateDetail>(PrivateDetail::kPhoneFieldNumber),
       "phone",
       {"手机号", "手机号码", "联系电话", "电话", "mobile"}},
      {LabelOf<PrivateDetail>(PrivateDetail::kIdentityNumberFieldNumber),
       "identity number",
       {"身份证", "身份证号码", "公民身份号码", "公民身份证号", "id number"}},
      {LabelOf<PrivateDetail>(PrivateDetail::kAddressFieldNumber),
       "address",
       {"家庭住址", "现居住地", "地址"}},
      {LabelOf<Member>(Member::kBranchIdFieldNumber),
       "branch",
       {"所在党支部", "所属支部", "所属党支部", "党支部", "支部", "支部名称"}},
      // The field's own label, 类别, could mean anything in a sheet of members.
      {"支部类别", "branch kind", {"支部类型", "党支部类别"}},
      {LabelOf<Organisation>(Organisation::kParentIdFieldNumber), "superior", {"上级党组织"}},
      {LabelOf<Organisation>(Organisation::kHostParentIdFieldNumber),
       "host superior",
       {"流入地上级党组织"}},
  }};
  return rules;
}

const absl::flat_hash_map<std::string, Column>& ColumnsByName() {
  static const auto& columns = *[] {
    auto* made = new absl::flat_hash_map<std::string, Column>;
    for (size_t i = 0; i < kColumns; ++i) {
      const ColumnRule& rule = ColumnRules()[i];
      made->emplace(Fold(rule.zh), Column{i});
      made->emplace(Fold(rule.en), Column{i});
      for (const std::string& alias : rule.aliases) made->emplace(Fold(alias), Column{i});
    }
    return made;
  }();
  return columns;
}

}  // namespace

const ColumnRule& RuleOf(Column column) { return ColumnRules()[column]; }

Header::Header(const CsvRow& row) : width_(row.cells.size()) {
  for (size_t i = 0; i < width_; ++i) {
    const auto found = ColumnsByName().find(Fold(row.cells[i]));
    if (found == ColumnsByName().end() || places_[found->second]) {
      const absl::string_view heading = Trim(row.cells[i]);
      if (!heading.empty()) unread_.emplace_back(heading);
      continue;
    }
    places_[found->second] = i;
    ++known_;
  }
}

absl::string_view Header::Cell(const CsvRow& row, Column column) const {
  const std::optional<size_t> place = places_[column];
  return place && *place < row.cells.size() ? Trim(row.cells[*place]) : absl::string_view();
}

char SeparatorOf(absl::string_view text) {
  char best = ',';
  size_t known_best = 0;
  for (const char separator : {',', ';', '\t'}) {
    CsvRow row;
    if (!CsvReader(text, separator).Next(&row)) continue;
    const size_t known = Header(row).known();
    if (known > known_best) {
      best = separator;
      known_best = known;
    }
  }
  return best;
}

}  // namespace zhibu::server
