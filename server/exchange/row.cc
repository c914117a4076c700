#include "server/exchange/row.h"

#include <string>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "server/exchange/text.h"
#include "server/exchange/values.h"
#include "sync/base/identity_number.h"

namespace zhibu::server {
namespace {

using records::v1::Member;
using records::v1::Organisation;

// Reads one row's cells, and keeps what is wrong with them.
class RowReader {
 public:
  RowReader(const Header& header, const CsvRow& row, Problems* problems)
      : header_(header), row_(row), problems_(problems) {}

  RosterRow Read();

 private:
  absl::string_view Cell(Column column) const { return header_.Cell(row_, column); }
  std::string Text(Column column) const { return std::string(Cell(column)); }
  std::string NameIn(Column column);
  std::string DateIn(Column column);
  template <typename Enum>
  Enum WordIn(Column column, Enum (*from)(absl::string_view));
  bool RefuseRounded(Column column);
  std::string PhoneIn();
  std::string IdentityNumberIn();

  void ReadOrganisations(RosterRow* row);
  void ReadMember(Member* member);
  void ReconcileWith(absl::string_view identity_number, Member* member);

  // "出生日期“2008-07”…" and "born \"2008-07\" …"
  void AddAbout(Column column, absl::string_view text, absl::string_view zh, absl::string_view en) {
    const ColumnRule& rule = RuleOf(column);
    problems_->Add(absl::StrCat(rule.zh, "“", Excerpt(text), "”", zh),
                   absl::StrCat(rule.en, " \"", Excerpt(text), "\" ", en));
  }
  // Without the value, for what is private.
  void AddAbout(Column column, absl::string_view zh, absl::string_view en) {
    const ColumnRule& rule = RuleOf(column);
    problems_->Add(absl::StrCat(rule.zh, zh), absl::StrCat(rule.en, " ", en));
  }

  const Header& header_;
  const CsvRow& row_;
  Problems* const problems_;
};

// People and organisations are found by their names, so those stand on one line.
std::string RowReader::NameIn(Column column) {
  const absl::string_view name = Cell(column);
  if (name.find_first_of("\r\n") != absl::string_view::npos) {
    AddAbout(column, "里有换行", "has a line break in it");
  }
  return std::string(name);
}

std::string RowReader::DateIn(Column column) {
  const absl::string_view text = Cell(column);
  if (text.empty()) return "";
  ParsedDate date = ParseDate(text);
  if (date.only_month) {
    AddAbout(column, text, "没有写到日，应写成 2008-07-01", "has no day; write it as 2008-07-01");
  } else if (date.day.empty()) {
    AddAbout(column, text, "不是有效日期，应写成 2008-07-01", "is no date; write it as 2008-07-01");
  }
  return std::move(date.day);
}

// 0 for an empty cell, and for a word that is not understood.
template <typename Enum>
Enum RowReader::WordIn(Column column, Enum (*from)(absl::string_view)) {
  const absl::string_view text = Cell(column);
  const Enum value = from(text);
  if (value == Enum{} && !text.empty()) {
    AddAbout(column, text, "无法识别", "is not understood");
  }
  return value;
}

bool RowReader::RefuseRounded(Column column) {
  if (!IsRounded(Cell(column))) return false;
  AddAbout(column,
           "被表格软件变成了 1.1E+17 这样的数，原号码已丢失：请把该列设为文本格式后重新填写",
           "was turned into a number like 1.1E+17 by the spreadsheet program, and its digits are "
           "lost; format the column as text and enter it again");
  return true;
}

std::string RowReader::PhoneIn() {
  const absl::string_view text = Cell(kPhone);
  if (text.empty() || RefuseRounded(kPhone)) return "";
  if (!IsPhone(text)) {
    AddAbout(kPhone, "应为 5 到 20 位数字，可含空格、+ 和 -",
             "must be 5 to 20 digits, with spaces, + and - between them");
  }
  return std::string(text);
}

std::string RowReader::IdentityNumberIn() {
  std::string number = absl::AsciiStrToUpper(Cell(kIdentityNumber));
  if (number.empty() || RefuseRounded(kIdentityNumber)) return "";
  if (IsIdentityNumber(number)) return number;
  if (number.size() != 18) {
    AddAbout(kIdentityNumber, "不是 18 位", "does not have 18 characters");
  } else {
    AddAbout(kIdentityNumber, "有误：校验码或出生日期不对",
             "is wrong: its check digit or the date in it is not right");
  }
  return "";
}

void RowReader::ReadOrganisations(RosterRow* row) {
  row->branch = NameIn(kBranch);
  if (row->branch.empty()) AddAbout(kBranch, "为空", "is empty");
  row->superior = NameIn(kSuperior);
  row->host_superior = NameIn(kHostSuperior);
  const Organisation::Kind kind = WordIn(kBranchKind, KindFrom);
  row->organisation_kind =
      kind != Organisation::KIND_UNSPECIFIED ? kind : KindFromName(row->branch);
}

void RowReader::ReadMember(Member* member) {
  member->set_name(NameIn(kName));
  if (member->name().empty()) AddAbout(kName, "为空", "is empty");
  member->set_sex(WordIn(kSex, SexFrom));
  member->set_ethnic_group(Text(kEthnicGroup));
  member->set_born(DateIn(kBorn));
  member->set_education(Text(kEducation));
  member->set_post(Text(kPost));
  const Member::Stage stage = WordIn(kStage, StageFrom);
  member->set_stage(stage != Member::STAGE_UNSPECIFIED ? stage : Member::FULL);
  member->set_joined(DateIn(kJoined));
  member->set_confirmed(DateIn(kConfirmed));
}

// What the identity number says fills empty cells, and must not contradict the others.
void RowReader::ReconcileWith(absl::string_view identity_number, Member* member) {
  if (identity_number.empty()) return;
  const std::string born = BornBy(identity_number);
  if (Cell(kBorn).empty()) {
    member->set_born(born);
  } else if (!member->born().empty() && member->born() != born) {
    AddAbout(kBorn, member->born(), "与身份证号不符", "does not agree with the identity number");
  }
  const Member::Sex sex = SexBy(identity_number);
  if (Cell(kSex).empty()) {
    member->set_sex(sex);
  } else if (member->sex() != Member::SEX_UNSPECIFIED && member->sex() != sex) {
    AddAbout(kSex, Cell(kSex), "与身份证号不符", "does not agree with the identity number");
  }
}

RosterRow RowReader::Read() {
  RosterRow row;
  row.line = row_.line;
  if (row_.broken) {
    problems_->Add("引号没有成对：引号内的引号要写两遍",
                   "a quotation mark lacks its partner; inside quotation marks write it twice");
    return row;
  }
  if (row_.cells.size() > header_.width()) {
    problems_->Add(
        absl::StrCat("有 ", row_.cells.size(), " 格，比表头的 ", header_.width(), " 格多"),
        absl::StrCat("has ", row_.cells.size(), " cells, more than the ", header_.width(),
                     " of the header"));
  }
  ReadMember(&row.member);
  ReadOrganisations(&row);
  row.detail.set_phone(PhoneIn());
  row.detail.set_identity_number(IdentityNumberIn());
  row.detail.set_address(Text(kAddress));
  ReconcileWith(row.detail.identity_number(), &row.member);
  return row;
}

}  // namespace

void Problems::Add(absl::string_view zh, absl::string_view en) {
  absl::StrAppend(words_.mutable_zh(), empty() ? "" : "；", zh);
  absl::StrAppend(words_.mutable_en(), words_.en().empty() ? "" : "; ", en);
}

RosterRow ReadRow(const Header& header, const CsvRow& cells, Problems* problems) {
  return RowReader(header, cells, problems).Read();
}

}  // namespace zhibu::server
