#include "sync/rules/book/ledger_table.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "sync/base/date.h"
#include "sync/base/status.h"
#include "sync/base/text.h"
#include "sync/base/words.h"
#include "sync/rules/book/functions.h"
#include "sync/rules/book/ledger_cells.h"
#include "sync/rules/book/ledger_sight.h"
#include "sync/rules/cel/collections.h"
#include "sync/rules/cel/compare.h"
#include "sync/wire/record.h"

namespace zhibu::rules {
namespace {

using cel::Activation;
using cel::Program;
using cel::Value;
using Entry = Shelved;

// A row may look through what a branch has recorded in years.
constexpr cel::Budget kBudget{.steps = 200'000};

struct Row {
  const Entry* entry = nullptr;
  Value row;
  std::vector<Value> keys;
};

// Those without an order, and what is not known, come last.
bool ComesBefore(const Row& a, const Row& b) {
  for (size_t i = 0; i < a.keys.size(); ++i) {
    const bool a_known = a.keys[i].is_proper(), b_known = b.keys[i].is_proper();
    if (a_known != b_known) return a_known;
    if (!a_known) continue;
    const auto order = cel::Compare(a.keys[i], b.keys[i]);
    if (order && *order != 0) return *order < 0;
  }
  return false;
}

class WritingUp {
 public:
  WritingUp(const Ledger& ledger, const LedgerQuery& query, LedgerShelf& shelf)
      : ledger_(ledger), query_(query), shelf_(shelf), sight_(query, shelf, &trouble_) {
    activation_.set_host(&sight_);
    activation_.Set(ledger.organisation, Value::Bytes(query.organisation.str()));
    activation_.Set(ledger.today, ValueOf(query.today));
    activation_.Set(ledger.year, Value::Int(query.year.value_or(query.today.year())));
    table_.ledger = &ledger;
  }

  absl::StatusOr<LedgerTable> Run() {
    ASSIGN_OR_RETURN(const Shelf::All* all, shelf_.AllOf(*ledger_.each));
    for (const Entry& entry : *all) {
      if (LiesHere(entry)) Take(entry);
    }
    std::stable_sort(rows_.begin(), rows_.end(), &ComesBefore);
    for (const Row& row : rows_) Fill(row);
    Finish();
    RETURN_IF_ERROR(trouble_);
    return std::move(table_);
  }

 private:
  bool LiesHere(const Entry& entry) const {
    const std::vector<Placed> places =
        PlacesOf(*ledger_.each, entry.id, entry.record->SerializePartialAsString());
    return std::any_of(places.begin(), places.end(), [&](const Placed& placed) {
      return placed.scope == query_.organisation && (ledger_.at & BitOf(placed.place)) != 0;
    });
  }

  // The rows of a record, if it belongs to the ledger.
  void Take(const Entry& entry) {
    sight_.Show(*ledger_.each, entry);
    activation_.Set(ledger_.self, Value::OfMessage(entry.record.get()));
    activation_.Set(ledger_.id, Value::Bytes(entry.id.str()));
    if (!Belongs() || !IsOfTheYear()) return;
    if (!ledger_.rows) return AddRow({&entry, Value::Null(), {}});
    const Value list = Evaluate("rows", *ledger_.rows);
    if (!list.is_proper()) {
      ++table_.unknown_rows;
      return;
    }
    for (size_t i = 0; i < list.list().size(); ++i) AddRow({&entry, list.list().At(i), {}});
  }

  bool Belongs() {
    if (!ledger_.where) return true;
    const Value value = Evaluate("where", *ledger_.where);
    if (!value.is_proper()) ++table_.unknown_rows;
    return value.is_bool(true);
  }

  bool IsOfTheYear() {
    if (!ledger_.day || !query_.year) return true;
    const Value value = Evaluate("day", *ledger_.day);
    const auto day = value.is_proper() ? DayOf(value) : std::nullopt;
    const bool dated = day && *day != absl::CivilDay(1970, 1, 1);
    if (!dated) ++table_.undated_rows;
    return dated && day->year() == *query_.year;
  }

  void AddRow(Row row) {
    if (ledger_.rows) activation_.Set(ledger_.row, row.row);
    if (query_.person && !IsOf(*query_.person)) return;
    for (const Program& key : ledger_.sorted_by) row.keys.push_back(Evaluate("sorted_by", key));
    rows_.push_back(std::move(row));
  }

  bool IsOf(const Id& person) {
    if (!ledger_.person) return false;
    const Value value = Evaluate("person", *ledger_.person);
    return value.is_proper() && value.text() == person.bytes();
  }

  void Fill(const Row& row) {
    activation_.Set(ledger_.self, Value::OfMessage(row.entry->record.get()));
    activation_.Set(ledger_.id, Value::Bytes(row.entry->id.str()));
    if (ledger_.rows) activation_.Set(ledger_.row, row.row);
    activation_.Set(ledger_.number, Value::Int(static_cast<int64_t>(table_.rows.size()) + 1));
    std::vector<Cell> cells;
    for (const LedgerColumn& column : ledger_.columns) cells.push_back(CellIn(column));
    sight_.EndColumns();
    table_.rows.push_back(std::move(cells));
  }

  Cell CellIn(const LedgerColumn& column) {
    sight_.BeginColumn(column.text.masked());
    const Value value = Evaluate(absl::StrCat("column ", column.text.head().zh()), column.value);
    Cell cell = CellOf(column, value, query_.language,
                       [&](absl::string_view id) { return sight_.NameOf(id); });
    if (cell.kind == Cell::Kind::kUnknown) ++table_.unknown_cells;
    const bool masked = column.text.masked() && (query_.mask || sight_.kept_back());
    if (!masked) {
      sight_.AddTo(&table_.given);
    } else if (cell.kind != Cell::Kind::kEmpty && cell.kind != Cell::Kind::kUnknown) {
      cell = {Cell::Kind::kText, Masked(cell.text)};
    }
    return cell;
  }

  Value Evaluate(const std::string& what, const Program& program) {
    Value value = program.Evaluate(activation_, kBudget);
    if (value.is_error()) Fault(what, value.ToText());
    return value;
  }

  void Fault(const std::string& what, const std::string& words) {
    std::string fault = absl::StrCat(ledger_.text.key(), ": ", what, ": ", words);
    auto& faults = table_.faults;
    if (std::find(faults.begin(), faults.end(), fault) == faults.end()) {
      faults.push_back(std::move(fault));
    }
  }

  void Finish() {
    const auto say = [&](absl::string_view zh, absl::string_view en) {
      return Say(query_.language, zh, en);
    };
    const auto& words = ledger_.text.words();
    table_.name = say(words.zh(), words.en());
    const Value name = sight_.NameOf(query_.organisation.bytes());
    table_.title = absl::StrCat(name.is_proper() ? absl::StrCat(std::string(name.text()), " ") : "",
                                table_.name);
    if (query_.year && ledger_.by_year) {
      absl::StrAppend(&table_.title, say("（", " ("), *query_.year, say(" 年）", ")"));
    }
    for (const LedgerColumn& column : ledger_.columns) {
      table_.heads.push_back(say(column.text.head().zh(), column.text.head().en()));
    }
    AddSums();
    table_.feet = {say("填报人：", "Filled in by:"), say("负责人：", "Responsible:"),
                   say("日期：", "Date:"), say("盖章：", "Seal:")};
    AddNotes();
  }

  void AddSums() {
    const auto& columns = ledger_.columns;
    const bool any = std::any_of(columns.begin(), columns.end(),
                                 [](const LedgerColumn& column) { return column.text.summed(); });
    if (!any || table_.rows.empty()) return;
    table_.sums.resize(columns.size());
    for (size_t i = 0; i < columns.size(); ++i) {
      if (columns[i].text.summed()) table_.sums[i] = SumOf(table_.rows, i);
    }
    if (!columns.front().text.summed()) {
      table_.sums.front() = {Cell::Kind::kText, Say(query_.language, "合计", "total")};
    }
  }

  void AddNote(size_t count, absl::string_view zh, absl::string_view en) {
    if (count == 0) return;
    const bool chinese = query_.language == Language::kChinese;
    table_.notes.push_back(chinese ? absl::StrCat("说明：", count, " ", zh)
                                   : absl::StrCat("Note: ", count, " ", en));
  }
  void AddNotes() {
    if (!shelf_.source().ReadsAll(*ledger_.each)) {
      table_.notes.push_back(Say(query_.language, "说明：此处只掌握一部分记录，本台账不完整",
                                 "Note: only some of its records are known here"));
    }
    AddNote(table_.unknown_cells, "格为“—”：此处没有掌握，或无权查看",
            "cells are \"—\": that is not known here, or may not be read");
    AddNote(table_.unknown_rows, "行未列入：此处不知道是否属于本台账",
            "rows are left out: whether they belong to it is not known here");
    AddNote(table_.undated_rows, "行未列入：没有日期，不知属于哪一年",
            "rows are left out: they bear no day, and so are of no year");
  }

  const Ledger& ledger_;
  const LedgerQuery& query_;
  LedgerShelf& shelf_;
  absl::Status trouble_;
  const LedgerSight sight_;
  Activation activation_;
  std::vector<Row> rows_;
  LedgerTable table_;
};

// Its characters, each by itself.
std::vector<absl::string_view> CharactersOf(absl::string_view text) {
  std::vector<absl::string_view> characters;
  while (!text.empty()) {
    absl::string_view rest = text;
    char32_t character = 0;
    if (!TakeCharacter(&rest, &character)) rest.remove_prefix(1);
    characters.push_back(text.substr(0, text.size() - rest.size()));
    text = rest;
  }
  return characters;
}

std::string MaskedOne(absl::string_view text) {
  constexpr size_t kFirst = 3;
  constexpr size_t kLast = 4;
  const std::vector<absl::string_view> characters = CharactersOf(text);
  const bool short_one = characters.size() < kFirst + kLast + 4;
  std::string masked;
  for (size_t i = 0; i < characters.size(); ++i) {
    const bool shown = !short_one && (i < kFirst || i + kLast >= characters.size());
    absl::StrAppend(&masked, shown ? characters[i] : "*");
  }
  return masked;
}

}  // namespace

absl::StatusOr<LedgerTable> WriteUp(const Ledger& ledger, const LedgerQuery& query,
                                    LedgerShelf* shelf) {
  return WritingUp(ledger, query, *shelf).Run();
}

std::string Masked(absl::string_view text) {
  std::string masked;
  for (const absl::string_view one : absl::StrSplit(text, " / ")) {
    absl::StrAppend(&masked, masked.empty() ? "" : " / ", MaskedOne(one));
  }
  return masked;
}

}  // namespace zhibu::rules
