#include "server/exchange/row.h"

#include <string>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "sync/base/identity_number.h"
#include "sync/exchange/flaw_words.h"
#include "sync/exchange/headings.h"
#include "sync/exchange/text.h"
#include "sync/exchange/values.h"
#include "sync/wire/shown.h"

namespace zhibu::server {
namespace {

using records::v1::Member;
using records::v1::Organisation;

// Reads one row's cells, and keeps what is wrong with them.
class RowReader {
 public:
  RowReader(const Header& header, const SheetRow& row, const RowContext& context,
            Problems* problems)
      : header_(header), row_(row), context_(context), problems_(problems) {}

  RosterRow Read();

 private:
  // Empty where the cell says that there is nothing.
  absl::string_view Cell(Column column);
  std::string Text(Column column) { return TidyText(Cell(column)); }
  std::string NameIn(Column column, bool required, absl::string_view otherwise = "");
  std::string DateIn(Column column);
  template <typename Enum>
  Enum WordIn(Column column, Enum (*from)(absl::string_view));
  std::string PhoneIn();
  std::string IdentityNumberIn();

  void ReadEntry(RosterRow* row);
  void ReadOrganisations(RosterRow* row);
  void ReadStanding(Member* member);
  void ReadMember(Member* member);
  void ReadDetail(records::v1::PrivateDetail* detail);
  void ReconcileWith(absl::string_view identity_number, Member* member);

  // "“1990”只有年份…": of a cell that the row does without.
  void Doubt(Column column, Flaw flaw, absl::string_view text) {
    const Words words = Describe(flaw, text);
    Doubt(column, words.zh(), words.en());
  }
  // Without the value, for what is private.
  void Doubt(Column column, absl::string_view zh, absl::string_view en) {
    if (!header_.Has(column)) return;
    cells_.push_back(
        {*header_.PlaceOf(column), std::string(header_.HeadingOf(column)), Say(zh, en)});
  }
  // "出生日期“2008-07”…" and "born \"2008-07\" …": of the row.
  void AddAbout(Column column, absl::string_view text, absl::string_view zh, absl::string_view en) {
    const ColumnRule& rule = RuleOf(column);
    problems_->Add(absl::StrCat(rule.zh, "“", Excerpt(text), "”", zh),
                   absl::StrCat(rule.en, " \"", Excerpt(text), "\" ", en));
  }
  void AddAbout(Column column, absl::string_view zh, absl::string_view en) {
    const ColumnRule& rule = RuleOf(column);
    problems_->Add(absl::StrCat(rule.zh, zh), absl::StrCat(rule.en, " ", en));
  }

  const Header& header_;
  const SheetRow& row_;
  const RowContext& context_;
  Problems* const problems_;
  std::vector<DoubtfulCell> cells_;
};

absl::string_view RowReader::Cell(Column column) {
  const absl::string_view text = header_.Cell(row_, column);
  if (IsErrorWord(text)) {
    Doubt(column, absl::StrCat("“", Excerpt(text), "”是表格软件的错误值，按空处理"),
          absl::StrCat("\"", Excerpt(text), "\" is an error of the spreadsheet, taken as empty"));
    return "";
  }
  return IsBlankWord(text) ? absl::string_view() : text;
}

// People and organisations are found by their names: who has lost a character of it is nobody.
std::string RowReader::NameIn(Column column, bool required, absl::string_view otherwise) {
  const absl::string_view text = Cell(column);
  Tidied name = TidyName(text);
  if (name.flaw == Flaw::kLostCharacter) {
    const FlawWords words = WordsFor(name.flaw);
    AddAbout(column, text, words.zh, words.en);
    return "";
  }
  if (name.flaw != Flaw::kNone) Doubt(column, name.flaw, text);
  if (name.value.empty()) name.value = std::string(otherwise);
  if (name.value.empty() && required) AddAbout(column, "为空", "is empty");
  return std::move(name.value);
}

std::string RowReader::DateIn(Column column) {
  const absl::string_view text = Cell(column);
  if (text.empty()) return "";
  Tidied date = TidyDate(text, context_.days_from_1904);
  if (date.flaw == Flaw::kNotUnderstood) {
    Doubt(column, absl::StrCat("“", Excerpt(text), "”不是有效日期，应写成 2008-07-01 或 2008-07"),
          absl::StrCat("\"", Excerpt(text), "\" is no date; write it as 2008-07-01 or 2008-07"));
  } else if (date.flaw != Flaw::kNone) {
    Doubt(column, date.flaw, text);
  }
  return std::move(date.value);
}

// 0 for an empty cell, and for a word that is not understood.
template <typename Enum>
Enum RowReader::WordIn(Column column, Enum (*from)(absl::string_view)) {
  const absl::string_view text = Cell(column);
  const Enum value = from(text);
  if (value == Enum{} && !text.empty()) Doubt(column, Flaw::kNotUnderstood, text);
  return value;
}

std::string RowReader::PhoneIn() {
  const absl::string_view text = Cell(kPhone);
  if (text.empty()) return "";
  Tidied phone = TidyPhone(text);
  if (phone.flaw == Flaw::kNotUnderstood) {
    Doubt(kPhone, "应为 5 到 20 位数字，几个号码用 / 分开，分机写成 转8",
          "must be 5 to 20 digits, several with / between them, an extension as 转8");
  } else if (phone.flaw != Flaw::kNone) {
    Doubt(kPhone, phone.flaw, text);
  }
  return std::move(phone.value);
}

std::string RowReader::IdentityNumberIn() {
  const absl::string_view text = Cell(kIdentityNumber);
  if (text.empty()) return "";
  Tidied number = TidyIdentityNumber(text);
  if (number.flaw != Flaw::kNone) Doubt(kIdentityNumber, number.flaw, text);
  return std::move(number.value);
}

void RowReader::ReadEntry(RosterRow* row) {
  const absl::string_view text = Cell(kEntry);
  if (text.empty()) return;
  const std::string word = FoldHeading(text);
  row->is_new = word == "新" || word == "new";
  if (row->is_new) return;
  row->entry = IdFromText(std::string(text));
  if (!row->entry) AddAbout(kEntry, "不是登记编号，也不是“新”", "is neither an id nor \"new\"");
}

void RowReader::ReadOrganisations(RosterRow* row) {
  row->branch = NameIn(kBranch, true, context_.branch);
  row->superior = NameIn(kSuperior, false);
  row->host_superior = NameIn(kHostSuperior, false);
  const Organisation::Kind kind = WordIn(kBranchKind, KindFrom);
  row->organisation_kind =
      kind != Organisation::KIND_UNSPECIFIED ? kind : KindFromName(row->branch);
}

// Who is not a member must not become one because a word is not understood.
void RowReader::ReadStanding(Member* member) {
  const absl::string_view text = Cell(kStage);
  if (text.empty()) return member->set_stage(Member::FULL);
  const Standing standing = StandingFrom(text);
  if (!standing.understood) Doubt(kStage, Flaw::kNotUnderstood, text);
  member->set_stage(standing.stage);
  member->set_membership(standing.membership);
  member->set_migrant(standing.migrant);
}

void RowReader::ReadMember(Member* member) {
  member->set_name(NameIn(kName, true));
  // 0 is "unknown" in the standard's table of codes.
  if (Cell(kSex) != "0") member->set_sex(WordIn(kSex, SexFrom));
  member->set_ethnic_group(Text(kEthnicGroup));
  member->set_born(DateIn(kBorn));
  member->set_education(Text(kEducation));
  member->set_degree(Text(kDegree));
  member->set_native_place(Text(kNativePlace));
  member->set_working_since(DateIn(kWorkingSince));
  member->set_post(Text(kPost));
  ReadStanding(member);
  member->set_joined(DateIn(kJoined));
  member->set_confirmed(DateIn(kConfirmed));
  member->set_status(WordIn(kStatus, StatusFrom));
}

void RowReader::ReadDetail(records::v1::PrivateDetail* detail) {
  detail->set_phone(PhoneIn());
  detail->set_identity_number(IdentityNumberIn());
  detail->set_address(Text(kAddress));
  detail->set_registered_place(Text(kRegisteredPlace));
}

// What the identity number says fills empty cells and tells the day of a month, and must not
// contradict the others.
void RowReader::ReconcileWith(absl::string_view identity_number, Member* member) {
  if (identity_number.empty()) return;
  const std::string born = BornBy(identity_number);
  if (absl::StartsWith(born, member->born())) {
    member->set_born(born);
  } else {
    AddAbout(kBorn, member->born(), "与身份证号不符", "does not agree with the identity number");
  }
  const Member::Sex sex = SexBy(identity_number);
  if (member->sex() == Member::SEX_UNSPECIFIED || member->sex() == Member::NOT_STATED) {
    member->set_sex(sex);
  } else if (member->sex() != sex) {
    AddAbout(kSex, header_.Cell(row_, kSex), "与身份证号不符",
             "does not agree with the identity number");
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
  size_t width = row_.cells.size();
  while (width > 0 && Trim(row_.cells[width - 1]).empty()) --width;
  if (width > header_.width()) {
    problems_->Add(
        absl::StrCat("有 ", width, " 格，比表头的 ", header_.width(), " 格多"),
        absl::StrCat("has ", width, " cells, more than the ", header_.width(), " of the header"));
  }
  ReadEntry(&row);
  ReadMember(&row.member);
  ReadOrganisations(&row);
  ReadDetail(&row.detail);
  ReconcileWith(row.detail.identity_number(), &row.member);
  row.cells = std::move(cells_);
  return row;
}

}  // namespace

void Problems::Add(absl::string_view zh, absl::string_view en) {
  absl::StrAppend(words_.mutable_zh(), empty() ? "" : "；", zh);
  absl::StrAppend(words_.mutable_en(), words_.en().empty() ? "" : "; ", en);
}

RosterRow ReadRow(const Header& header, const SheetRow& cells, const RowContext& context,
                  Problems* problems) {
  return RowReader(header, cells, context, problems).Read();
}

}  // namespace zhibu::server
