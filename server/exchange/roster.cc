#include "server/exchange/roster.h"

#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/cord.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "server/exchange/columns.h"
#include "server/exchange/csv.h"
#include "server/exchange/row.h"
#include "server/exchange/text.h"

namespace zhibu::server {
namespace {

using records::v1::Organisation;

constexpr char kWordsUrl[] = "zhibu/words";
constexpr size_t kUnreadColumnsMax = 20;
constexpr size_t kHeadingBytesMax = 100;

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

absl::Status CheckHeader(const Header& header) {
  std::vector<std::string> zh, en;
  for (const Column column : {kName, kBranch}) {
    if (header.Has(column)) continue;
    const ColumnRule& rule = RuleOf(column);
    zh.push_back(absl::StrCat("“", rule.zh, "”"));
    en.push_back(absl::StrCat(rule.zh, " (", rule.en, ")"));
  }
  if (zh.empty()) return absl::OkStatus();
  return Unusable(
      absl::StrCat("表头缺少", absl::StrJoin(zh, "、"), "列，没有导入任何内容"),
      absl::StrCat("the header lacks the column ", absl::StrJoin(en, " and the column "),
                   ", and nothing was imported"));
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
  if (absl::IsInvalidArgument(text.status())) {
    return Unusable(
        "文件既不是 UTF-8 也不是 GB18030 文本，没有导入任何内容。请在表格软件中另存为 CSV 后再试",
        "the file is text neither in UTF-8 nor in GB18030, and nothing was imported; save it as "
        "CSV in the spreadsheet program and try again");
  }
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
  for (const std::string& heading : header.unread()) {
    if (roster.unread_columns.size() == kUnreadColumnsMax) break;
    roster.unread_columns.push_back(heading.size() <= kHeadingBytesMax ? heading : "…");
  }
  Seen seen;
  while (reader.Next(&cells)) {
    if (roster.rows.size() + roster.bad_rows.size() == limits.rows_max) {
      return Unusable(
          absl::StrCat("文件超过 ", limits.rows_max, " 行，没有导入任何内容。请分成几个文件"),
          absl::StrCat("the file has more than ", limits.rows_max,
                       " rows, and nothing was imported; divide it into several"));
    }
    Problems problems;
    RosterRow row = ReadRow(header, cells, &problems);
    seen.Check(row, &problems);
    if (problems.empty()) {
      roster.rows.push_back(std::move(row));
    } else {
      roster.bad_rows.push_back({cells.line, problems.words()});
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
