// Ledgers: which there are, on the screen, and into a file.
#include "client-core/actions/ledger.h"

#include <optional>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "client-core/cli/commands.h"
#include "client-core/cli/resolve.h"
#include "sync/base/status.h"
#include "sync/exchange/new_file.h"
#include "sync/exchange/sheet.h"
#include "sync/exchange/write_csv.h"
#include "sync/exchange/write_workbook.h"
#include "sync/rules/book/book.h"

namespace zhibu::client {
namespace {

using Json = nlohmann::json;
using rules::Cell;
using rules::Ledger;
using rules::LedgerTable;

struct LedgerArguments {
  std::string key;
  std::string organisation;
  std::string member;
  std::string out;
  int year = 0;
  bool dossier = false;
  bool masked = false;
};

absl::Status ListLedgers(const Output& output) {
  Json found = Json::array();
  std::string text;
  for (const Ledger& ledger : rules::ShippedBook().ledgers()) {
    const rules::v1::Ledger& rule = ledger.text;
    found.push_back({{"key", rule.key()},
                     {"words", In(output.language, rule.words())},
                     {"each", rule.each()},
                     {"source", rule.source()},
                     {"read", ledger.intake.has_value()}});
    absl::StrAppend(&text, "  ", rule.key(), output.Say("：", ": "),
                    In(output.language, rule.words()), output.Say("；依据 ", "; source "),
                    rule.source(), ledger.intake ? output.Say("；可导入", "; import reads it") : "",
                    "\n");
  }
  output.PrintFound(found, text, " 种台账", " ledgers");
  return absl::OkStatus();
}

absl::StatusOr<std::vector<const Ledger*>> Chosen(const LedgerArguments& arguments,
                                                  const Output& output) {
  std::vector<const Ledger*> chosen;
  if (!arguments.dossier) {
    chosen.push_back(rules::ShippedBook().FindLedger(arguments.key));
    if (chosen.front() != nullptr) return chosen;
    return absl::NotFoundError(
        absl::StrCat(output.Say("没有这种台账：", "there is no such ledger: "), arguments.key));
  }
  for (const Ledger& ledger : rules::ShippedBook().ledgers()) {
    if (arguments.member.empty() || ledger.person) chosen.push_back(&ledger);
  }
  return chosen;
}

absl::StatusOr<LedgerAsked> Asked(const LedgerArguments& arguments, Store& store,
                                  const Output& output) {
  LedgerAsked asked;
  ASSIGN_OR_RETURN(asked.ledgers, Chosen(arguments, output));
  if (arguments.organisation.empty()) {
    ASSIGN_OR_RETURN(asked.query.organisation, OwnOrganisation(store));
  } else {
    ASSIGN_OR_RETURN(asked.query.organisation, BranchFrom(store, arguments.organisation));
  }
  if (!arguments.member.empty()) {
    ASSIGN_OR_RETURN(asked.query.person, MemberFrom(store, arguments.member));
  }
  if (arguments.year != 0) asked.query.year = arguments.year;
  asked.query.language = output.language;
  asked.query.mask = arguments.masked;
  return asked;
}

// Numbers stay numbers; what is not known here is null.
Json JsonOf(const Cell& cell) {
  switch (cell.kind) {
    case Cell::Kind::kUnknown:
      return nullptr;
    case Cell::Kind::kNumber:
    case Cell::Kind::kYuan:
    case Cell::Kind::kHours:
    case Cell::Kind::kPercent:
      return cell.number;
    default:
      return cell.text;
  }
}

Json JsonOf(const LedgerTable& table) {
  Json rows = Json::array();
  for (const std::vector<Cell>& cells : table.rows) {
    Json row = Json::array();
    for (const Cell& cell : cells) row.push_back(JsonOf(cell));
    rows.push_back(std::move(row));
  }
  return {{"key", table.ledger->text.key()},
          {"title", table.title},
          {"heads", table.heads},
          {"rows", rows},
          {"notes", table.notes},
          {"unknownCells", table.unknown_cells},
          {"unknownRows", table.unknown_rows},
          {"undatedRows", table.undated_rows},
          {"faults", table.faults}};
}

std::string FaultsOf(const std::vector<LedgerTable>& tables, const Output& output) {
  std::string text;
  for (const LedgerTable& table : tables) {
    for (const std::string& fault : table.faults) {
      absl::StrAppend(&text,
                      output.Say("台账有误，未作填写：", "A ledger is wrong and says nothing: "),
                      fault, "\n");
    }
  }
  return text;
}

absl::Status Show(const std::vector<LedgerTable>& tables, const Output& output) {
  Json found = Json::array();
  std::string text;
  for (const LedgerTable& table : tables) {
    found.push_back(JsonOf(table));
    absl::StrAppend(&text, TextOf(table), output.Say("共 ", ""), table.rows.size(),
                    output.Say(" 行\n", " rows\n"));
  }
  output.Print(tables.size() == 1 ? found[0] : found, text + FaultsOf(tables, output));
  return absl::OkStatus();
}

absl::Status WriteInto(const NewFile& file, const std::string& name,
                       const std::vector<LedgerTable>& tables, const Output& output) {
  const std::string lower = absl::AsciiStrToLower(name);
  if (absl::EndsWith(lower, ".xlsx")) return WriteWorkbook(tables, file);
  if (absl::EndsWith(lower, ".csv") && tables.size() == 1) return file.Write(CsvOf(tables[0]));
  return absl::InvalidArgumentError(
      output.Say("文件名须以 .xlsx 或 .csv 结尾；多张台账只能写入 .xlsx",
                 "the file's name ends with .xlsx or .csv; several ledgers go into .xlsx only"));
}

absl::Status WriteOut(const LedgerArguments& arguments, const LedgerAsked& asked,
                      const std::vector<LedgerTable>& tables, Store& store, const Output& output) {
  ASSIGN_OR_RETURN(NewFile file, NewFile::Begin(arguments.out));
  RETURN_IF_ERROR(WriteInto(file, arguments.out, tables, output));
  RETURN_IF_ERROR(file.Finish());
  RETURN_IF_ERROR(NoteExport(store, asked, tables, file.digest()));
  RETURN_IF_ERROR(file.Keep());
  size_t rows = 0;
  std::string notes;
  for (const LedgerTable& table : tables) {
    rows += table.rows.size();
    for (const std::string& note : table.notes) {
      absl::StrAppend(&notes, table.name, output.Say("：", ": "), note, "\n");
    }
  }
  output.Print({{"file", arguments.out}, {"ledgers", tables.size()}, {"rows", rows}},
               absl::StrCat(notes, FaultsOf(tables, output), output.Say("已写出 ", "written: "),
                            arguments.out, output.Say("，", ", "), tables.size(),
                            output.Say(" 张台账、", " ledgers, "), rows,
                            output.Say(" 行；已留下导出记录", " rows; the export is on record")));
  return absl::OkStatus();
}

absl::Status RunLedger(const LedgerArguments& arguments, Store& store, const Output& output) {
  if (arguments.key.empty() && !arguments.dossier) return ListLedgers(output);
  ASSIGN_OR_RETURN(const LedgerAsked asked, Asked(arguments, store, output));
  ASSIGN_OR_RETURN(const std::vector<LedgerTable> tables, WriteUpLedgers(store, asked));
  if (arguments.out.empty()) return Show(tables, output);
  return InWords(WriteOut(arguments, asked, tables, store, output), output.language);
}

}  // namespace

void AddLedgerCommand(const Parent& device) {
  Commands<LedgerArguments> commands(device);
  commands.Add(
      "ledger", "A ledger (台账) of what is held here; which there are, if none is named",
      &RunLedger,
      {{"KEY", &LedgerArguments::key, "The ledger, by key or title: dues.payments, 党费台账"},
       {"--organisation", &LedgerArguments::organisation,
        "Whose it is, by name or id; default: the one that you act for"},
       {"--year", &LedgerArguments::year, "Of this year only, 2026; default: all of them"},
       {"--member", &LedgerArguments::member, "What is about this member only, by name or id"},
       {"--dossier", &LedgerArguments::dossier, "All ledgers, a sheet each; with --member, theirs"},
       {"--out", &LedgerArguments::out,
        "Into this file, .xlsx or .csv, which must not be there; the export is put on record"},
       {"--masked", &LedgerArguments::masked,
        "Identity numbers, phones and addresses are masked for everybody"}});
}

}  // namespace zhibu::client
