// A sheet of an office, read by a ledger of the rule book.
#include <fstream>
#include <iterator>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "client-core/actions/ledger.h"
#include "client-core/cli/commands.h"
#include "client-core/cli/resolve.h"
#include "client-core/exchange/intake.h"
#include "sync/base/status.h"
#include "sync/exchange/new_file.h"
#include "sync/exchange/sheet.h"
#include "sync/exchange/write_marked.h"
#include "sync/rules/book/book.h"

namespace zhibu::client {
namespace {

using Json = nlohmann::json;
using Fate = IntakeRow::Fate;

struct ImportArguments {
  std::string file;
  std::string ledger;
  std::string organisation;
  std::string because;
  std::vector<std::string> take;
  int year = 0;
  bool check = false;
  std::string marked;
};

struct FateWords {
  const char* name;
  const char* zh;
  const char* en;
};

FateWords FateInWords(Fate fate) {
  switch (fate) {
    case Fate::kMade:
      return {"MADE", "新建", "new"};
    case Fate::kFilled:
      return {"FILLED", "补充", "filled in"};
    case Fate::kSame:
      return {"SAME", "已有", "there already"};
    case Fate::kAsked:
      return {"ASKED", "待核对", "to be decided"};
    case Fate::kWrong:
      return {"WRONG", "没有导入", "not imported"};
    case Fate::kLeftOut:
      return {"LEFT_OUT", "不读", "left out"};
  }
  return {"", "", ""};
}

absl::StatusOr<std::string> BytesOf(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return absl::NotFoundError(absl::StrCat("cannot read ", path));
  return std::string(std::istreambuf_iterator<char>(file), {});
}

absl::StatusOr<const rules::Ledger*> ReadLedger(const std::string& name, const Output& output) {
  const rules::Ledger* ledger = rules::ShippedBook().FindLedger(name);
  if (ledger != nullptr && ledger->intake) return ledger;
  std::string known;
  for (const rules::Ledger& one : rules::ShippedBook().ledgers()) {
    if (one.intake) absl::StrAppend(&known, " ", one.text.key());
  }
  return absl::NotFoundError(
      absl::StrCat(output.Say("没有可导入的台账 ", "no ledger that is read is called "), name,
                   output.Say("；可导入的有：", "; there are"), known));
}

absl::StatusOr<IntakeAsked> Asked(const ImportArguments& arguments, Store& store,
                                  const Output& output) {
  IntakeAsked asked{.because = arguments.because, .check = arguments.check};
  ASSIGN_OR_RETURN(asked.ledger, ReadLedger(arguments.ledger, output));
  if (arguments.organisation.empty()) {
    ASSIGN_OR_RETURN(asked.organisation, OwnOrganisation(store));
  } else {
    ASSIGN_OR_RETURN(asked.organisation, BranchFrom(store, arguments.organisation));
  }
  if (arguments.year != 0) asked.year = arguments.year;
  for (const std::string& text : arguments.take) {
    uint32_t line = 0;
    if (!absl::SimpleAtoi(text, &line)) {
      return absl::InvalidArgumentError(
          absl::StrCat(output.Say("不是行号：", "no number of a line: "), text));
    }
    asked.take.insert(line);
  }
  return asked;
}

Json JsonOfRow(const IntakeRow& row, const Output& output) {
  Json notes = Json::array();
  for (const IntakeNote& note : row.notes) {
    notes.push_back({{"column", note.letter},
                     {"heading", note.heading},
                     {"words", In(output.language, note.words)}});
  }
  return {{"line", row.line},
          {"fate", FateInWords(row.fate).name},
          {"says", row.says},
          {"notes", notes}};
}

std::string TextOfRow(const IntakeRow& row, const Output& output) {
  const FateWords words = FateInWords(row.fate);
  std::string text = absl::StrCat(output.Say("第 ", "line "), row.line, output.Say(" 行 ", ", "),
                                  output.Say(words.zh, words.en),
                                  row.says.empty() ? "" : output.Say("：", ": "), row.says, "\n");
  for (const IntakeNote& note : row.notes) {
    absl::StrAppend(&text, "    ");
    if (!note.letter.empty()) {
      absl::StrAppend(&text, note.letter, output.Say(" 列“", " \""), note.heading,
                      output.Say("”：", "\": "));
    }
    absl::StrAppend(&text, In(output.language, note.words), "\n");
  }
  return text;
}

void Print(const Intake& taken, bool check, const Output& output) {
  Json rows = Json::array(), unread = Json::array(), counts;
  std::string text = absl::StrCat(
      check ? output.Say("试读，什么也没有写入。", "tried only, nothing was written. ") : "",
      output.Say("读作 ", "read as "), In(output.language, taken.read_as), "\n");
  for (const UnreadColumn& column : taken.unread) {
    unread.push_back({{"column", LetterOf(column.place)}, {"heading", column.heading}});
    absl::StrAppend(&text, LetterOf(column.place), output.Say(" 列“", " \""), column.heading,
                    output.Say("”没有读取\n", "\" is not read\n"));
  }
  for (const IntakeRow& row : taken.rows) {
    rows.push_back(JsonOfRow(row, output));
    if (row.fate != Fate::kLeftOut) absl::StrAppend(&text, TextOfRow(row, output));
  }
  std::string sum;
  for (const Fate fate :
       {Fate::kMade, Fate::kFilled, Fate::kSame, Fate::kAsked, Fate::kWrong, Fate::kLeftOut}) {
    const FateWords words = FateInWords(fate);
    counts[words.name] = taken.Count(fate);
    absl::StrAppend(&sum, sum.empty() ? "" : output.Say("，", ", "), output.Say(words.zh, words.en),
                    " ", taken.Count(fate));
  }
  output.Print({{"readAs", In(output.language, taken.read_as)},
                {"written", !check},
                {"counts", counts},
                {"unread", unread},
                {"rows", rows}},
               text + sum);
}

std::vector<Mark> MarksOf(const Intake& taken, const Output& output) {
  std::vector<Mark> marks;
  for (const IntakeRow& row : taken.rows) {
    const Mark::Kind kind = row.fate == Fate::kWrong     ? Mark::Kind::kRefused
                            : row.fate == Fate::kLeftOut ? Mark::Kind::kNotRead
                                                         : Mark::Kind::kDoubtful;
    for (const IntakeNote& note : row.notes) {
      marks.push_back({kind, row.line, ColumnOf(note.letter), In(output.language, note.words)});
    }
    if (kind != Mark::Kind::kDoubtful) {
      const FateWords words = FateInWords(row.fate);
      marks.push_back({kind, row.line, std::nullopt, output.Say(words.zh, words.en)});
    }
  }
  return marks;
}

absl::StatusOr<std::optional<NewFile>> BeginMarked(const std::string& path) {
  if (path.empty()) return std::nullopt;
  ASSIGN_OR_RETURN(NewFile file, NewFile::Begin(path));
  return std::optional<NewFile>(std::move(file));
}

absl::Status WriteMarkedCopy(const rules::Ledger& ledger, const std::string& bytes,
                             const Intake& taken, const Output& output, NewFile& file) {
  ASSIGN_OR_RETURN(const Sheet sheet, SheetFor(ledger, bytes));
  RETURN_IF_ERROR(WriteMarked(sheet, MarksOf(taken, output), output.language, file));
  RETURN_IF_ERROR(file.Finish());
  return file.Keep();
}

absl::Status Import(const ImportArguments& arguments, Store& store, const Output& output) {
  ASSIGN_OR_RETURN(const IntakeAsked asked, Asked(arguments, store, output));
  ASSIGN_OR_RETURN(const std::string bytes, BytesOf(arguments.file));
  // Where it cannot be made nothing is imported.
  absl::StatusOr<std::optional<NewFile>> marked = BeginMarked(arguments.marked);
  if (!marked.ok()) return InWords(marked.status(), output.language);
  const absl::StatusOr<Intake> taken = TakeIn(store, asked, bytes);
  if (!taken.ok()) return InWords(taken.status(), output.language);
  Print(*taken, arguments.check, output);
  if (!*marked) return absl::OkStatus();
  return InWords(WriteMarkedCopy(*asked.ledger, bytes, *taken, output, **marked), output.language);
}

}  // namespace

void AddImportCommand(const Parent& device) {
  Commands<ImportArguments> commands(device);
  commands.Add(
      "import",
      "A sheet of an office, XLSX or CSV, into records: dues, meetings, attendance, hours", &Import,
      {{"FILE", &ImportArguments::file, "The sheet", kRequired},
       {"--ledger", &ImportArguments::ledger,
        "The ledger that it is, by key or title: dues.payments, 党费台账", kRequired},
       {"--organisation", &ImportArguments::organisation,
        "Whose it is, by name or id; default: the one that you act for"},
       {"--year", &ImportArguments::year, "Of months that are written without a year"},
       {"--check", &ImportArguments::check,
        "Tell what it would do, line by line, and write nothing"},
       {"--marked", &ImportArguments::marked,
        "Write the sheet to this file, XLSX, with what is doubtful or did not go in marked"},
       {"--take", &ImportArguments::take, "Line whose values are taken over what is recorded"},
       {"--because", &ImportArguments::because,
        "Of what was done on paper and is not as the rules have it: why"}});
}

}  // namespace zhibu::client
