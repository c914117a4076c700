#include "client-core/exchange/row.h"

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_join.h"
#include "client-core/exchange/field.h"
#include "sync/exchange/headings.h"
#include "sync/exchange/quantities.h"
#include "sync/exchange/text.h"
#include "sync/rules/book/same.h"

namespace zhibu::client {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using rules::LedgerInto;

std::unique_ptr<Message> NewRecord(const RecordType& type) {
  return std::unique_ptr<Message>(
      google::protobuf::MessageFactory::generated_factory()->GetPrototype(type.descriptor)->New());
}

// One row, as the record that it says. What is wrong with it is in `row`.
class RowReading {
 public:
  RowReading(const RowContext& context, const SheetRow& cells, IntakeRow* row)
      : asked_(context.asked),
        intake_(*asked_.ledger->intake),
        columns_(context.columns),
        people_(context.people),
        known_(context.known),
        cells_(cells),
        days_from_1904_(context.days_from_1904),
        row_(*row),
        record_(NewRecord(*intake_.type)) {}

  // Null: nobody can tell what it means.
  std::unique_ptr<Message> Read() {
    record_->GetReflection()->SetString(record_.get(), intake_.keeper, asked_.organisation.str());
    ReadMonths();
    ReadReferred();
    for (const LedgerInto& into : intake_.into) {
      if (into.of == nullptr && !IsMonth(into)) ReadOne(into);
    }
    row_.says = absl::StrJoin(says_, "；");
    CheckSaid();
    return lost_ ? nullptr : std::move(record_);
  }

 private:
  const FieldRule& RuleOf(const FieldDescriptor& field) const {
    return *intake_.type->fields.Find(static_cast<uint32_t>(field.number()));
  }
  bool IsMonth(const LedgerInto& into) const { return RuleOf(*into.field).format == MONTH; }
  bool IsNeeded(const FieldDescriptor& field) const { return client::IsNeeded(intake_, field); }

  absl::string_view Cell(const LedgerInto& into) {
    const absl::string_view cell = columns_.Cell(cells_, into.column);
    if (cell.empty() || IsBlankWord(cell)) return "";
    const std::string excerpt = Excerpt(cell);
    if (std::find(says_.begin(), says_.end(), excerpt) == says_.end()) says_.push_back(excerpt);
    return cell;
  }

  void Note(const LedgerInto& into, Words words) {
    const std::optional<size_t> place = columns_.PlaceOf(into.column);
    row_.notes.push_back({place ? LetterOf(*place) : "",
                          place ? std::string(columns_.HeadingAt(*place))
                                : asked_.ledger->columns[into.column].text.head().zh(),
                          std::move(words)});
  }
  void Lose(const LedgerInto& into, Words words) {
    lost_ = true;
    Note(into, std::move(words));
  }

  void ReadOne(const LedgerInto& into) {
    const absl::string_view cell = Cell(into);
    if (cell.empty()) return;
    if (into.field->type() == FieldDescriptor::TYPE_BYTES) return ReadPerson(into, cell);
    TakenCell taken =
        TakeCell(RuleOf(*into.field), into, asked_.ledger->columns[into.column].text.shown(), cell,
                 days_from_1904_, record_.get());
    if (!taken.note.zh().empty()) Note(into, std::move(taken.note));
    if (taken.flaw.zh().empty()) return;
    lost_ = lost_ || IsNeeded(*into.field);
    Note(into, std::move(taken.flaw));
  }

  void ReadPerson(const LedgerInto& into, absl::string_view cell) {
    const absl::StatusOr<Id> person = people_.Find(cell, columns_.NumberIn(cells_));
    if (person.ok()) {
      return record_->GetReflection()->SetString(record_.get(), into.field, person->str());
    }
    lost_ = lost_ || IsNeeded(*into.field);
    Note(into, WordsOf(person.status()));
  }

  // A month may take two cells, of year and of month.
  void ReadMonths() {
    std::vector<std::string> cells;
    const LedgerInto* last = nullptr;
    for (const LedgerInto& into : intake_.into) {
      if (into.of != nullptr || !IsMonth(into)) continue;
      last = &into;
      cells.emplace_back(Cell(into));
    }
    if (last == nullptr) return;
    const auto month = MonthFrom(cells, asked_.year, days_from_1904_);
    if (month) return record_->GetReflection()->SetString(record_.get(), last->field, *month);
    Lose(*last, Say("不知是哪一年哪一月，请写成 2026-03，或用 --year 指明年份",
                    "tells no year and month; write 2026-03, or name the year by --year"));
  }

  // The record that several columns point at together: a meeting by its day and its topic.
  void ReadReferred() {
    std::map<const FieldDescriptor*, std::vector<const LedgerInto*>> pointing;
    for (const LedgerInto& into : intake_.into) {
      if (into.of != nullptr) pointing[into.field].push_back(&into);
    }
    for (const auto& [field, all] : pointing) ReadReferred(*field, all);
  }
  void ReadReferred(const FieldDescriptor& field, const std::vector<const LedgerInto*>& all) {
    const RecordType& type = *all.front()->of;
    const std::unique_ptr<Message> sought = NewRecord(type);
    std::vector<const FieldDescriptor*> by;
    for (const LedgerInto* into : all) {
      const absl::string_view cell = Cell(*into);
      if (cell.empty()) continue;
      const FieldRule& rule = *type.fields.Find(static_cast<uint32_t>(into->by->number()));
      TakenCell taken = TakeCell(rule, *into, asked_.ledger->columns[into->column].text.shown(),
                                 cell, days_from_1904_, sought.get());
      if (!taken.flaw.zh().empty()) return Lose(*into, std::move(taken.flaw));
      by.push_back(into->by);
    }
    if (by.empty()) return;
    const absl::StatusOr<Id> found = known_.FindReferred(type, *sought, by);
    if (!found.ok()) return Lose(*all.front(), WordsOf(found.status()));
    record_->GetReflection()->SetString(record_.get(), &field, found->str());
  }

  void CheckSaid() {
    if (lost_) return;
    for (const LedgerInto& into : intake_.into) {
      if (!IsNeeded(*into.field) || IsSaid(*into.field, *record_)) continue;
      return Lose(into, Say("是空的", "is empty"));
    }
  }

  const IntakeAsked& asked_;
  const rules::LedgerIntake& intake_;
  const LedgerColumns& columns_;
  const People& people_;
  const KnownRecords& known_;
  const SheetRow& cells_;
  const bool days_from_1904_;
  IntakeRow& row_;
  std::unique_ptr<Message> record_;
  std::vector<std::string> says_;
  bool lost_ = false;
};

}  // namespace

bool IsNeeded(const rules::LedgerIntake& intake, const FieldDescriptor& field) {
  const FieldRule& rule = *intake.type->fields.Find(static_cast<uint32_t>(field.number()));
  const auto& same = intake.same;
  return rule.required || rule.identity || std::count(same.begin(), same.end(), &field) > 0;
}

bool IsSaid(const FieldDescriptor& field, const Message& record) {
  const auto& reflection = *record.GetReflection();
  if (field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
    return reflection.HasField(record, &field);
  }
  const std::string value = rules::SaidIn(field, record);
  return !value.empty() && value != "0";
}

std::unique_ptr<Message> ReadRow(const RowContext& context, const SheetRow& cells, IntakeRow* row) {
  return RowReading(context, cells, row).Read();
}

}  // namespace zhibu::client
