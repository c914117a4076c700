#include "server/roster.h"

#include <csv.h>
#include <google/protobuf/descriptor.h>
#include <iconv.h>

#include <algorithm>
#include <array>
#include <initializer_list>
#include <optional>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/ascii.h"
#include "absl/strings/cord.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "absl/time/civil_time.h"

namespace zhibu::server {
namespace {

using google::protobuf::EnumDescriptor;
using google::protobuf::EnumValueDescriptor;
using records::v1::Member;
using records::v1::Organisation;
using records::v1::PrivateDetail;

constexpr char kWordsUrl[] = "zhibu/words";
constexpr char kByteOrderMark[] = "\xEF\xBB\xBF";
constexpr char kWideSpace[] = "\u3000";
constexpr char kNoBreakSpace[] = "\u00A0";

// ---- What is said ----

Words Say(absl::string_view zh, absl::string_view en) {
  Words words;
  words.set_zh(std::string(zh));
  words.set_en(std::string(en));
  return words;
}

absl::Status Unusable(absl::string_view zh, absl::string_view en) {
  absl::Status status = absl::InvalidArgumentError(en);
  status.SetPayload(kWordsUrl, absl::Cord(Say(zh, en).SerializeAsString()));
  return status;
}

// All that is wrong with one row.
class Problems {
 public:
  void Add(absl::string_view zh, absl::string_view en) {
    absl::StrAppend(&zh_, zh_.empty() ? "" : "；", zh);
    absl::StrAppend(&en_, en_.empty() ? "" : "; ", en);
  }
  bool empty() const { return zh_.empty(); }
  Words Said() const { return Say(zh_, en_); }

 private:
  std::string zh_;
  std::string en_;
};

// A cell may hold a whole page: enough of it to be recognised, cut between characters. And in a
// shifted row any cell may hold a phone or an identity number: no more digits than a date has.
std::string Excerpt(absl::string_view text) {
  constexpr size_t kBytesMax = 40;
  if (std::count_if(text.begin(), text.end(), absl::ascii_isdigit) > 8) return "…";
  if (text.size() <= kBytesMax) return std::string(text);
  size_t end = kBytesMax;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return absl::StrCat(text.substr(0, end), "…");
}

// ---- Text ----

absl::string_view Trim(absl::string_view text) {
  bool again = true;
  while (again) {
    text = absl::StripAsciiWhitespace(text);
    again = absl::ConsumePrefix(&text, kWideSpace) || absl::ConsumeSuffix(&text, kWideSpace) ||
            absl::ConsumePrefix(&text, kNoBreakSpace) || absl::ConsumeSuffix(&text, kNoBreakSpace);
  }
  return text;
}

// The form in which headers and words are compared: "Ethnic_Group " is "ethnicgroup".
std::string Fold(absl::string_view text) {
  return absl::StrReplaceAll(absl::AsciiStrToLower(text), {{" ", ""},
                                                           {"_", ""},
                                                           {"\t", ""},
                                                           {"\r", ""},
                                                           {"\n", ""},
                                                           {kWideSpace, ""},
                                                           {kNoBreakSpace, ""}});
}

bool AllDigits(absl::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), absl::ascii_isdigit);
}

// Into UTF-8. INVALID_ARGUMENT where `bytes` are no text in the encoding `from`.
absl::StatusOr<std::string> Recode(const char* from, absl::string_view bytes) {
  const iconv_t converter = iconv_open("UTF-8", from);
  if (converter == reinterpret_cast<iconv_t>(-1)) {
    return absl::InternalError(absl::StrCat("this system's iconv does not know ", from));
  }
  std::string text(bytes.size() * 2, '\0');  // two bytes of GB18030 make at most three of UTF-8
  char* in = const_cast<char*>(bytes.data());
  size_t in_left = bytes.size();
  char* out = text.data();
  size_t out_left = text.size();
  const size_t result = iconv(converter, &in, &in_left, &out, &out_left);
  iconv_close(converter);
  if (result == static_cast<size_t>(-1)) return absl::InvalidArgumentError(from);
  text.resize(text.size() - out_left);
  return text;
}

absl::StatusOr<std::string> Decode(absl::string_view bytes) {
  // No text has a NUL in it, but UTF-16 and the spreadsheet programs' own files have.
  if (!absl::StrContains(bytes, '\0')) {
    absl::StatusOr<std::string> text = Recode("UTF-8", bytes);
    if (absl::IsInvalidArgument(text.status()) && !absl::StartsWith(bytes, kByteOrderMark)) {
      text = Recode("GB18030", bytes);
    }
    if (text.ok()) return std::string(absl::StripPrefix(*text, kByteOrderMark));
    if (!absl::IsInvalidArgument(text.status())) return text.status();
  }
  return Unusable(
      "文件既不是 UTF-8 也不是 GB18030 文本，没有导入任何内容。请在表格软件中另存为 CSV 后再试",
      "the file is text neither in UTF-8 nor in GB18030, and nothing was imported; save it as CSV "
      "in the spreadsheet program and try again");
}

// ---- Cells ----

struct CsvRow {
  uint32_t line = 0;
  std::vector<std::string> cells;
  bool broken = false;  // a quotation mark without its partner: the cells mean nothing
};

bool IsBlank(const CsvRow& row) {
  return !row.broken && std::all_of(row.cells.begin(), row.cells.end(),
                                    [](const std::string& cell) { return Trim(cell).empty(); });
}

// The rows of `text`, which must outlive it. Lines are handed to libcsv one by one, because it
// does not tell where a row starts.
class CsvReader {
 public:
  CsvReader(absl::string_view text, char separator) : text_(text), separator_(separator) {
    Start();
  }
  ~CsvReader() { csv_free(&parser_); }
  CsvReader(const CsvReader&) = delete;  // the parser owns its buffer
  CsvReader& operator=(const CsvReader&) = delete;

  // False at the end. Rows without anything in them are passed over: spreadsheets write ",,,".
  bool Next(CsvRow* row) {
    while (NextRow(row)) {
      if (!IsBlank(*row)) return true;
    }
    return false;
  }

 private:
  struct Mark {
    size_t offset = 0;
    uint32_t line = 1;
  };

  void Start();
  bool NextRow(CsvRow* row);
  absl::string_view TakeLine();
  bool GiveBroken(const Mark& resume, CsvRow* row);

  static void OnCell(void* cell, size_t size, void* reader) {
    static_cast<CsvReader*>(reader)->cells_->emplace_back(static_cast<const char*>(cell), size);
  }
  static void OnRow(int, void* reader) { static_cast<CsvReader*>(reader)->ended_ = true; }

  const absl::string_view text_;
  const char separator_;
  csv_parser parser_;
  Mark at_;
  std::vector<std::string>* cells_ = nullptr;
  bool ended_ = false;
};

void CsvReader::Start() {
  csv_init(&parser_, CSV_STRICT | CSV_STRICT_FINI);
  csv_set_delim(&parser_, static_cast<unsigned char>(separator_));
  csv_set_blk_size(&parser_, 4096);
}

// One line with its end, be that LF, CRLF or CR.
absl::string_view CsvReader::TakeLine() {
  absl::string_view line = text_.substr(at_.offset);
  size_t end = line.find_first_of("\r\n");
  if (end != absl::string_view::npos) {
    end += absl::StartsWith(line.substr(end), "\r\n") ? 2 : 1;
    line = line.substr(0, end);
  }
  at_.offset += line.size();
  ++at_.line;
  return line;
}

// An open quotation mark may have run over many good rows: reading goes on right after the line
// in which the row started.
bool CsvReader::GiveBroken(const Mark& resume, CsvRow* row) {
  csv_free(&parser_);
  Start();
  at_ = resume;
  row->broken = true;
  return true;
}

bool CsvReader::NextRow(CsvRow* row) {
  *row = CsvRow();
  cells_ = &row->cells;
  ended_ = false;
  bool begun = false;
  Mark resume;
  while (at_.offset < text_.size()) {
    if (!begun) row->line = at_.line;
    const absl::string_view line = TakeLine();
    if (!begun && !Trim(line).empty()) {
      begun = true;
      resume = at_;
    }
    const size_t read = csv_parse(&parser_, line.data(), line.size(), OnCell, OnRow, this);
    if (read < line.size()) return GiveBroken(resume, row);
    if (ended_) return true;
  }
  if (!begun) return false;
  if (csv_fini(&parser_, OnCell, OnRow, this) != 0) return GiveBroken(resume, row);
  return true;
}

// ---- Columns ----

enum Column : size_t {
  kName,
  kSex,
  kEthnicGroup,
  kBorn,
  kEducation,
  kPost,
  kStage,
  kJoined,
  kConfirmed,
  kPhone,
  kIdentityNumber,
  kAddress,
  kBranch,
  kBranchKind,
  kSuperior,
  kHostSuperior,
  kColumns,
};

struct ColumnRule {
  std::string zh;
  std::string en;
  std::vector<std::string> aliases;
};

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

// Where in a row each column stands.
class Header {
 public:
  explicit Header(const CsvRow& row) : width_(row.cells.size()) {
    for (size_t i = 0; i < width_; ++i) {
      const auto found = ColumnsByName().find(Fold(row.cells[i]));
      if (found == ColumnsByName().end() || places_[found->second]) continue;
      places_[found->second] = i;
      ++known_;
    }
  }

  size_t width() const { return width_; }
  size_t known() const { return known_; }
  bool Has(Column column) const { return places_[column].has_value(); }
  // Empty where the row is short or the column missing.
  absl::string_view Cell(const CsvRow& row, Column column) const {
    const std::optional<size_t> place = places_[column];
    return place && *place < row.cells.size() ? Trim(row.cells[*place]) : absl::string_view();
  }

 private:
  size_t width_;
  size_t known_ = 0;
  std::array<std::optional<size_t>, kColumns> places_;
};

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

absl::Status CheckHeader(const Header& header) {
  std::vector<std::string> zh, en;
  for (const Column column : {kName, kBranch}) {
    if (header.Has(column)) continue;
    const ColumnRule& rule = ColumnRules()[column];
    zh.push_back(absl::StrCat("“", rule.zh, "”"));
    en.push_back(absl::StrCat(rule.zh, " (", rule.en, ")"));
  }
  if (zh.empty()) return absl::OkStatus();
  return Unusable(
      absl::StrCat("表头缺少", absl::StrJoin(zh, "、"), "列，没有导入任何内容"),
      absl::StrCat("the header lacks the column ", absl::StrJoin(en, " and the column "),
                   ", and nothing was imported"));
}

// ---- Values ----

using Dictionary = absl::flat_hash_map<std::string, int>;

// The words for an enum's values: their labels, their names, and short forms.
Dictionary* MakeDictionary(const EnumDescriptor* type,
                           std::initializer_list<std::pair<const char*, int>> short_forms) {
  auto* words = new Dictionary;
  for (int i = 0; i < type->value_count(); ++i) {
    const EnumValueDescriptor* value = type->value(i);
    if (value->number() == 0) continue;
    words->emplace(Fold(value->name()), value->number());
    words->emplace(Fold(value->options().GetExtension(value_label)), value->number());
  }
  for (const auto& [word, number] : short_forms) words->emplace(word, number);
  return words;
}

const Dictionary& SexWords() {
  static const Dictionary& words =
      *MakeDictionary(Member::Sex_descriptor(), {{"男性", Member::MALE},
                                                 {"女性", Member::FEMALE},
                                                 {"m", Member::MALE},
                                                 {"f", Member::FEMALE}});
  return words;
}

const Dictionary& StageWords() {
  static const Dictionary& words =
      *MakeDictionary(Member::Stage_descriptor(), {{"党员", Member::FULL},
                                                   {"中共党员", Member::FULL},
                                                   {"正式", Member::FULL},
                                                   {"预备", Member::PROBATIONARY},
                                                   {"中共预备党员", Member::PROBATIONARY},
                                                   {"积极分子", Member::ACTIVIST},
                                                   {"申请人", Member::APPLICANT}});
  return words;
}

const Dictionary& KindWords() {
  static const Dictionary& words = *MakeDictionary(Organisation::Kind_descriptor(),
                                                   {{"党委", Organisation::COMMITTEE},
                                                    {"总支", Organisation::GENERAL_BRANCH},
                                                    {"支部", Organisation::BRANCH},
                                                    {"联合支部", Organisation::JOINT_BRANCH},
                                                    {"临时支部", Organisation::TEMPORARY_BRANCH},
                                                    {"流动支部", Organisation::MIGRANT_BRANCH}});
  return words;
}

struct ParsedDate {
  enum Kind { kDay, kOnlyMonth, kNoDate };
  Kind kind = kNoDate;
  std::string text;  // 2008-07-01
};

ParsedDate ParseDate(absl::string_view text) {
  std::string dashed = absl::StrReplaceAll(
      text, {{"年", "-"}, {"月", "-"}, {"日", ""}, {"/", "-"}, {".", "-"}, {" ", ""}});
  if (AllDigits(dashed) && (dashed.size() == 8 || dashed.size() == 6)) {
    if (dashed.size() == 8) dashed.insert(6, "-");
    dashed.insert(4, "-");
  }
  // 2008年7月 ends in a dash.
  const std::vector<absl::string_view> parts = absl::StrSplit(absl::StripSuffix(dashed, "-"), '-');
  std::array<int, 3> numbers = {0, 0, 1};
  if (parts.size() < 2 || parts.size() > 3 || parts[0].size() != 4) return {};
  for (size_t i = 0; i < parts.size(); ++i) {
    if (!AllDigits(parts[i]) || (i > 0 && parts[i].size() > 2)) return {};
    if (!absl::SimpleAtoi(parts[i], &numbers[i])) return {};
  }
  // CivilDay turns the 31st of April into the 1st of May.
  const absl::CivilDay day(numbers[0], numbers[1], numbers[2]);
  if (day.month() != numbers[1] || day.day() != numbers[2]) return {};
  if (parts.size() == 2) return {ParsedDate::kOnlyMonth, ""};
  return {ParsedDate::kDay, absl::FormatCivilTime(day)};
}

// A long number that a spreadsheet took for a quantity: 1.1E+17.
bool IsRounded(absl::string_view text) {
  double value = 0;
  return !text.empty() && absl::ascii_isdigit(text[0]) &&
         text.find_first_of("Ee") != absl::string_view::npos && absl::SimpleAtod(text, &value);
}

// GB 11643: region (6), date of birth (8), sequence (3), check character.
bool IsIdentityNumber(absl::string_view number) {
  constexpr int kWeights[] = {7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2};
  if (number.size() != 18 || !AllDigits(number.substr(0, 17))) return false;
  int sum = 0;
  for (size_t i = 0; i < 17; ++i) sum += kWeights[i] * (number[i] - '0');
  return number[17] == "10X98765432"[sum % 11] &&
         ParseDate(number.substr(6, 8)).kind == ParsedDate::kDay;
}

bool IsPhone(absl::string_view text) {
  const auto digits = std::count_if(text.begin(), text.end(), absl::ascii_isdigit);
  return digits >= 5 && digits <= 20 &&
         text.find_first_not_of("0123456789 +-") == absl::string_view::npos;
}

// ---- Rows ----

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
  int WordIn(Column column, const Dictionary& words);
  bool RefuseRounded(Column column);
  std::string PhoneIn();
  std::string IdentityNumberIn();

  void ReadOrganisations(RosterRow* row);
  void ReadMember(Member* member);
  void ReconcileWith(absl::string_view identity_number, Member* member);

  // "出生日期“2008-07”…" and "born \"2008-07\" …"
  void AddAbout(Column column, absl::string_view text, absl::string_view zh, absl::string_view en) {
    const ColumnRule& rule = ColumnRules()[column];
    problems_->Add(absl::StrCat(rule.zh, "“", Excerpt(text), "”", zh),
                   absl::StrCat(rule.en, " \"", Excerpt(text), "\" ", en));
  }
  // Without the value, for what is private.
  void AddAbout(Column column, absl::string_view zh, absl::string_view en) {
    const ColumnRule& rule = ColumnRules()[column];
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
  if (date.kind == ParsedDate::kOnlyMonth) {
    AddAbout(column, text, "没有写到日，应写成 2008-07-01", "has no day; write it as 2008-07-01");
  } else if (date.kind == ParsedDate::kNoDate) {
    AddAbout(column, text, "不是有效日期，应写成 2008-07-01", "is no date; write it as 2008-07-01");
  }
  return std::move(date.text);
}

// 0 for an empty cell, and for a word that is not understood.
int RowReader::WordIn(Column column, const Dictionary& words) {
  const absl::string_view text = Cell(column);
  if (text.empty()) return 0;
  const auto found = words.find(Fold(text));
  if (found != words.end()) return found->second;
  AddAbout(column, text, "无法识别", "is not understood");
  return 0;
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
  const int kind = WordIn(kBranchKind, KindWords());
  row->organisation_kind =
      kind != 0 ? static_cast<Organisation::Kind>(kind) : KindFromName(row->branch);
}

void RowReader::ReadMember(Member* member) {
  member->set_name(NameIn(kName));
  if (member->name().empty()) AddAbout(kName, "为空", "is empty");
  member->set_sex(static_cast<Member::Sex>(WordIn(kSex, SexWords())));
  member->set_ethnic_group(Text(kEthnicGroup));
  member->set_born(DateIn(kBorn));
  member->set_education(Text(kEducation));
  member->set_post(Text(kPost));
  const int stage = WordIn(kStage, StageWords());
  member->set_stage(stage != 0 ? static_cast<Member::Stage>(stage) : Member::FULL);
  member->set_joined(DateIn(kJoined));
  member->set_confirmed(DateIn(kConfirmed));
}

// What the identity number says fills empty cells, and must not contradict the others.
void RowReader::ReconcileWith(absl::string_view identity_number, Member* member) {
  if (identity_number.empty()) return;
  const std::string born = ParseDate(identity_number.substr(6, 8)).text;
  if (Cell(kBorn).empty()) {
    member->set_born(born);
  } else if (!member->born().empty() && member->born() != born) {
    AddAbout(kBorn, member->born(), "与身份证号不符", "does not agree with the identity number");
  }
  const Member::Sex sex = (identity_number[16] - '0') % 2 == 1 ? Member::MALE : Member::FEMALE;
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

// Who has been read so far, in good rows and bad.
class Seen {
 public:
  void Check(const RosterRow& row, Problems* problems) {
    const std::string& number = row.detail.identity_number();
    const uint32_t same_number = number.empty() ? 0 : Remember(number, row.line, &by_number_);
    const uint32_t same_person = row.member.name().empty() || row.branch.empty()
                                     ? 0
                                     : Remember(PersonKey(row), row.line, &by_person_);
    if (same_number != 0) {
      problems->Add(absl::StrCat("身份证号与第 ", same_number, " 行相同"),
                    absl::StrCat("has the same identity number as line ", same_number));
    } else if (same_person != 0) {
      problems->Add(
          absl::StrCat("姓名、出生日期和所在支部与第 ", same_person, " 行相同"),
          absl::StrCat("has the same name, date of birth and branch as line ", same_person));
    }
  }

 private:
  using Lines = absl::flat_hash_map<std::string, uint32_t>;

  static std::string PersonKey(const RosterRow& row) {
    return absl::StrCat(row.member.name(), "\n", row.member.born(), "\n", row.branch);
  }
  // The line of the first that had this key; 0 where this one is the first.
  static uint32_t Remember(const std::string& key, uint32_t line, Lines* lines) {
    const auto [entry, is_new] = lines->emplace(key, line);
    return is_new ? 0 : entry->second;
  }

  Lines by_number_;
  Lines by_person_;
};

}  // namespace

absl::StatusOr<Roster> ParseRoster(absl::string_view bytes, const RosterLimits& limits) {
  if (bytes.size() > limits.bytes_max) {
    return Unusable(
        absl::StrCat("文件超过 ", limits.bytes_max, " 字节，没有导入任何内容。请分成几个文件"),
        absl::StrCat("the file has more than ", limits.bytes_max,
                     " bytes, and nothing was imported; divide it into several"));
  }
  const absl::StatusOr<std::string> text = Decode(bytes);
  if (!text.ok()) return text.status();

  CsvReader reader(*text, SeparatorOf(*text));
  CsvRow cells;
  if (!reader.Next(&cells)) {
    return Unusable("文件没有表头，没有导入任何内容",
                    "the file has no header line, and nothing was imported");
  }
  const Header header(cells);
  if (absl::Status checked = CheckHeader(header); !checked.ok()) return checked;

  Roster roster;
  Seen seen;
  while (reader.Next(&cells)) {
    if (roster.rows.size() + roster.bad_rows.size() == limits.rows_max) {
      return Unusable(
          absl::StrCat("文件超过 ", limits.rows_max, " 行，没有导入任何内容。请分成几个文件"),
          absl::StrCat("the file has more than ", limits.rows_max,
                       " rows, and nothing was imported; divide it into several"));
    }
    Problems problems;
    RosterRow row = RowReader(header, cells, &problems).Read();
    seen.Check(row, &problems);
    if (problems.empty()) {
      roster.rows.push_back(std::move(row));
    } else {
      roster.bad_rows.push_back({cells.line, problems.Said()});
    }
  }
  return roster;
}

Words WordsOf(const absl::Status& status) {
  Words words;
  const auto payload = status.GetPayload(kWordsUrl);
  if (payload && words.ParseFromString(std::string(*payload))) return words;
  const std::string message(status.message());
  return Say(message, message);
}

Organisation::Kind KindFromName(absl::string_view name) {
  constexpr std::pair<absl::string_view, Organisation::Kind> kTelling[] = {
      {"流动党支部", Organisation::MIGRANT_BRANCH},
      {"流动党员党支部", Organisation::MIGRANT_BRANCH},
      {"流动党员支部", Organisation::MIGRANT_BRANCH},
      {"联合党支部", Organisation::JOINT_BRANCH},
      {"联合支部", Organisation::JOINT_BRANCH},
      {"临时党支部", Organisation::TEMPORARY_BRANCH},
      {"临时支部", Organisation::TEMPORARY_BRANCH},
      {"总支部", Organisation::GENERAL_BRANCH},
      {"总支", Organisation::GENERAL_BRANCH},
      {"支部", Organisation::BRANCH},
      {"党委", Organisation::COMMITTEE},
      {"委员会", Organisation::COMMITTEE},
  };
  // In the full form of a name, 中共青石村支部委员会, the last word tells nothing.
  if (absl::EndsWith(name, "支部委员会") || absl::EndsWith(name, "总支委员会")) {
    name.remove_suffix(absl::string_view("委员会").size());
  }
  Organisation::Kind kind = Organisation::BRANCH;
  size_t last_end = 0;
  for (const auto& [word, told] : kTelling) {
    const size_t at = name.rfind(word);
    if (at == absl::string_view::npos || at + word.size() <= last_end) continue;
    last_end = at + word.size();
    kind = told;
  }
  return kind;
}

}  // namespace zhibu::server
