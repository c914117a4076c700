#include "server/exchange/roster.h"

#include <algorithm>
#include <array>
#include <optional>
#include <set>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "server/exchange/columns.h"
#include "server/exchange/row.h"
#include "sync/base/status.h"
#include "sync/exchange/headings.h"
#include "sync/exchange/open.h"
#include "sync/exchange/text.h"

namespace zhibu::server {
namespace {

using records::v1::Organisation;

constexpr size_t kUnreadColumnsMax = 50;
constexpr size_t kHeadingBytesMax = 100;

absl::Status CheckHeader(const Header& header, bool has_branch) {
  std::vector<std::string> zh, en;
  for (const Column column : {kName, kBranch}) {
    if (header.Has(column) || (column == kBranch && has_branch)) continue;
    const ColumnRule& rule = RuleOf(column);
    zh.push_back(absl::StrCat("“", rule.zh, "”"));
    en.push_back(absl::StrCat(rule.zh, " (", rule.en, ")"));
  }
  if (zh.empty()) return absl::OkStatus();
  const bool branch_only = header.Has(kName);
  return Unusable(absl::StrCat("表头缺少", absl::StrJoin(zh, "、"), "列，没有导入任何内容",
                               branch_only ? "。全表属于一个支部的，请用 --branch 指明" : ""),
                  absl::StrCat("the header lacks the column ",
                               absl::StrJoin(en, " and the column "), ", and nothing was imported",
                               branch_only ? "; name the branch of all rows by --branch" : ""));
}

// Who has been read so far, in good rows and bad.
class Seen {
 public:
  void Check(const RosterRow& row, Problems* problems) {
    const std::string& number = row.detail.identity_number();
    const uint32_t same_number = number.empty() ? 0 : Remember(number, row.line, &by_number_);
    const bool answered = row.is_new || row.entry;
    const uint32_t same_person = answered || row.member.name().empty() || row.branch.empty()
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

// All rows of a sheet, from its titles to its signatures.
class RosterReader {
 public:
  RosterReader(OpenedSheet opened, Header header, absl::string_view branch)
      : sheet_(std::move(opened.sheet)),
        header_(std::move(header)),
        first_(opened.header.first + opened.header.rows),
        header_line_(sheet_.rows[opened.header.first].line),
        others_(std::move(opened.others)),
        context_{branch, sheet_.days_from_1904} {
    for (size_t i = 0; i < opened.header.first; ++i) {
      LeaveOut(sheet_.rows[i], Say("在表头上面", "stands above the header"));
    }
  }

  Roster Read();

 private:
  void LeaveOut(const SheetRow& row, const Words& why) {
    roster_.left_out.push_back({row.line, why});
  }
  std::optional<Words> WhyLeftOut(const SheetRow& row) const;
  bool WritesOnlyChangesOf(Column column) const;
  void FillFromAbove(SheetRow* row);
  void ReadOne(const SheetRow& row);
  void ListUnread();

  Sheet sheet_;
  const Header header_;
  const size_t first_;  // row after the header
  const uint32_t header_line_;
  const std::vector<Words> others_;
  const RowContext context_;
  std::array<bool, kColumns> merged_ = {};  // columns in which an empty cell is the one above
  std::vector<std::string> above_;
  std::vector<DoubtfulCell> filled_;  // cells of the row at hand
  std::set<size_t> unheaded_;         // columns that have values and no heading
  Seen seen_;
  Roster roster_;
};

std::optional<Words> RosterReader::WhyLeftOut(const SheetRow& row) const {
  if (row.broken) return std::nullopt;
  if (header_.IsRepeatedBy(row)) return Say("又是表头", "is the header again");
  absl::string_view first;
  size_t place = 0;
  while (first.empty() && place < row.cells.size()) first = Trim(row.cells[place++]);
  if (IsSum(first)) return Say("是合计行", "sums up");
  // 书记 may be what somebody is: signatures have a colon, or stand where nobody is named.
  const absl::string_view name = header_.Cell(row, kName);
  const bool names_nobody = name.empty() || name == first;
  if (IsFoot(first) && (names_nobody || absl::StrContains(FoldWord(first), ":"))) {
    return Say("是落款或说明", "is a signature or a remark");
  }
  return std::nullopt;
}

// Where merged cells were written as CSV, only the first row of each branch names it; a sheet in
// which every row names its branch says the same twice in a row.
bool RosterReader::WritesOnlyChangesOf(Column column) const {
  absl::string_view before;
  bool any_empty = false;
  for (size_t i = first_; i < sheet_.rows.size(); ++i) {
    const SheetRow& row = sheet_.rows[i];
    if (row.broken || WhyLeftOut(row)) continue;
    const absl::string_view cell = header_.Cell(row, column);
    if (!cell.empty() && cell == before) return false;
    if (cell.empty() && before.empty() && !any_empty) return false;  // the first names none
    any_empty = any_empty || cell.empty();
    before = cell;
  }
  return any_empty;
}

void RosterReader::FillFromAbove(SheetRow* row) {
  filled_.clear();
  for (size_t i = 0; i < kColumns; ++i) {
    const Column column{i};
    if (!header_.Has(column) || column == kName) continue;
    const size_t place = *header_.PlaceOf(column);
    if (place >= above_.size()) continue;
    const absl::string_view cell = header_.Cell(*row, column);
    const bool merged = cell.empty() && merged_[column];
    if (!merged && !IsDitto(cell)) continue;
    if (row->cells.size() <= place) row->cells.resize(place + 1);
    row->cells[place] = above_[place];
    if (!merged) continue;
    filled_.push_back(
        {place, std::string(header_.HeadingOf(column)),
         Say(absl::StrCat("是空的，取了上面的“", Excerpt(above_[place]), "”"),
             absl::StrCat("is empty; \"", Excerpt(above_[place]), "\" above it was taken"))});
  }
  above_ = row->cells;
}

void RosterReader::ReadOne(const SheetRow& cells) {
  for (size_t i = 0; i < std::min(cells.cells.size(), header_.width()); ++i) {
    if (!header_.HasHeading(i) && !Trim(cells.cells[i]).empty()) unheaded_.insert(i);
  }
  Problems problems;
  RosterRow row = ReadRow(header_, cells, context_, &problems);
  seen_.Check(row, &problems);
  if (problems.empty()) {
    row.cells.insert(row.cells.end(), filled_.begin(), filled_.end());
    roster_.rows.push_back(std::move(row));
  } else {
    roster_.bad_rows.push_back({cells.line, problems.words()});
  }
}

void RosterReader::ListUnread() {
  roster_.read_columns = header_.Read();
  std::vector<UnreadColumn>& unread = roster_.unread_columns;
  unread = header_.Unread();
  for (const size_t place : unheaded_) {
    unread.push_back({place, "", Say("没有列名", "it has no heading")});
  }
  if (unread.size() > kUnreadColumnsMax) unread.resize(kUnreadColumnsMax);
  for (UnreadColumn& column : unread) {
    if (column.heading.size() > kHeadingBytesMax) column.heading = "…";
  }
}

Roster RosterReader::Read() {
  roster_.read_as = Say(absl::StrCat(sheet_.read_as.zh(), "，表头在第 ", header_line_, " 行"),
                        absl::StrCat(sheet_.read_as.en(), ", its header in line ", header_line_));
  for (const Words& other : others_) {
    absl::StrAppend(roster_.read_as.mutable_zh(), "；没有读取：", other.zh());
    absl::StrAppend(roster_.read_as.mutable_en(), "; not read: ", other.en());
  }
  for (const Column column : {kBranch, kSuperior, kHostSuperior, kBranchKind}) {
    merged_[column] = WritesOnlyChangesOf(column);
  }
  for (size_t i = first_; i < sheet_.rows.size(); ++i) {
    SheetRow row = std::move(sheet_.rows[i]);
    if (const std::optional<Words> why = WhyLeftOut(row)) {
      LeaveOut(row, *why);
      continue;
    }
    if (!row.broken) FillFromAbove(&row);
    ReadOne(row);
  }
  ListUnread();
  return std::move(roster_);
}

absl::StatusOr<OpenedSheet> OpenRoster(absl::string_view bytes, const SheetLimits& limits) {
  const auto find = [](absl::Span<const SheetRow> rows) -> std::optional<HeaderPlace> {
    const std::optional<FoundHeader> found = FindHeader(rows);
    if (!found) return std::nullopt;
    return HeaderPlace{found->first, found->rows, found->header.known()};
  };
  return OpenSheet(bytes, limits, find, CheckHeader(Header({}), false));
}

}  // namespace

absl::StatusOr<Sheet> SheetOfRoster(absl::string_view bytes, const SheetLimits& limits) {
  ASSIGN_OR_RETURN(OpenedSheet opened, OpenRoster(bytes, limits));
  return std::move(opened.sheet);
}

absl::StatusOr<Roster> ParseRoster(absl::string_view bytes, const SheetLimits& limits,
                                   absl::string_view branch) {
  ASSIGN_OR_RETURN(OpenedSheet opened, OpenRoster(bytes, limits));
  Header header(
      absl::MakeConstSpan(opened.sheet.rows).subspan(opened.header.first, opened.header.rows));
  RETURN_IF_ERROR(CheckHeader(header, !branch.empty()));
  return RosterReader(std::move(opened), std::move(header), branch).Read();
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
