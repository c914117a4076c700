#include "sync/rules/book/ledger.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "sync/base/status.h"
#include "sync/rules/book/compiling.h"
#include "sync/rules/book/functions.h"
#include "sync/rules/book/ledger_functions.h"
#include "sync/schema/codes.h"

namespace zhibu::rules {
namespace {

using cel::Kind;
using cel::Type;
using google::protobuf::FieldDescriptor;
using Column = rules::v1::Ledger::Column;

bool IsWhole(const Type& type) { return type.is(Kind::kInt) || type.is(Kind::kUint); }
bool IsDayLike(const Type& type) { return type.is(Kind::kTimestamp) || type.is(Kind::kString); }

// What is printed as it is.
bool IsReadable(const Type& type) {
  return IsWhole(type) || IsDayLike(type) || type.is(Kind::kDouble) || type.is(Kind::kBool) ||
         type.is(Kind::kBytes);
}

bool Fits(rules::v1::Ledger::Shown shown, const Type& type) {
  using rules::v1::Ledger;
  switch (shown) {
    case Ledger::YUAN:
    case Ledger::HOURS:
      return IsWhole(type);
    case Ledger::PERCENT:
      return type.is(Kind::kDouble);
    case Ledger::DAY:
      return IsDayLike(type);
    case Ledger::TIME:
      return type.is(Kind::kTimestamp);
    default:
      return IsReadable(type);
  }
}

// One ledger, whose expressions are compiled in turn.
class Compilation {
 public:
  Compilation(const Schema& schema, cel::Environment environment, Ledger* ledger)
      : schema_(schema),
        environment_(std::move(environment)),
        ledger_(*ledger),
        compiling_(ledger->text.key()) {}

  absl::Status Run() {
    const rules::v1::Ledger& text = ledger_.text;
    RETURN_IF_ERROR(compiling_.CheckInBoth("words", text.words()));
    RETURN_IF_ERROR(compiling_.CheckSource(text.source(), text.certainty()));
    for (const int place : text.at()) ledger_.at |= BitOf(static_cast<Place>(place));
    if (text.at().empty()) ledger_.at = BitOf(OWNER);
    RETURN_IF_ERROR(CompileRecord());
    RETURN_IF_ERROR(CompileRows());
    for (const std::string& source : text.sorted_by()) RETURN_IF_ERROR(AddSort(source));
    for (const Column& column : text.column()) RETURN_IF_ERROR(AddColumn(column));
    if (ledger_.columns.empty()) return compiling_.Wrong("column", "there is to be one");
    return text.has_intake() ? AddIntake() : absl::OkStatus();
  }

 private:
  absl::Status Compile(absl::string_view field, const std::string& source, const Type& type,
                       std::optional<cel::Program>* program) const {
    RETURN_IF_ERROR(compiling_.Compile(environment_, field, source, type, program));
    if (!*program) return absl::OkStatus();
    for (const cel::FieldUse& use : (*program)->fields()) ledger_.by_year |= use.root == "year";
    return absl::OkStatus();
  }

  // What does not hang on the row.
  absl::Status CompileRecord() {
    const rules::v1::Ledger& text = ledger_.text;
    ledger_.self = environment_.AddVariable("this", Type::Message(*ledger_.each->descriptor));
    ledger_.id = environment_.AddVariable("id", Type::Bytes());
    ledger_.organisation = environment_.AddVariable("organisation", Type::Bytes());
    ledger_.today = environment_.AddVariable("today", Type::Timestamp());
    ledger_.year = environment_.AddVariable("year", Type::Int());
    RETURN_IF_ERROR(Compile("where", text.where(), Type::Bool(), &ledger_.where));
    ledger_.by_year |= !text.day().empty();
    return compiling_.CompileDay(environment_, "day", text.day(), &ledger_.day);
  }

  absl::Status CompileRows() {
    const rules::v1::Ledger& text = ledger_.text;
    RETURN_IF_ERROR(Compile("rows", text.rows(), Type::Dyn(), &ledger_.rows));
    if (ledger_.rows) {
      const Type& type = ledger_.rows->type();
      if (!type.is(Kind::kList)) {
        return compiling_.Wrong("rows", absl::StrCat("it is ", type.ToText(), ", no list"));
      }
      ledger_.row = environment_.AddVariable("row", type.element());
    }
    RETURN_IF_ERROR(Compile("person", text.person(), Type::Bytes(), &ledger_.person));
    ledger_.number = environment_.AddVariable("number", Type::Int());
    return absl::OkStatus();
  }

  absl::Status AddSort(const std::string& source) {
    std::optional<cel::Program> program;
    RETURN_IF_ERROR(Compile("sorted_by", source, Type::Dyn(), &program));
    if (!program || !IsReadable(program->type())) {
      return compiling_.Wrong("sorted_by", "such values have no order");
    }
    ledger_.sorted_by.push_back(*std::move(program));
    return absl::OkStatus();
  }

  absl::Status AddColumn(const Column& text) {
    const std::string place = absl::StrCat("column ", text.head().zh());
    RETURN_IF_ERROR(compiling_.CheckInBoth(absl::StrCat(place, ": head"), text.head()));
    std::optional<cel::Program> program;
    RETURN_IF_ERROR(Compile(place, text.value(), Type::Dyn(), &program));
    if (!program) return compiling_.Wrong(place, "value is to be said");
    const Type& type =
        program->type().is(Kind::kList) ? program->type().element() : program->type();
    if (!Fits(text.shown(), type)) {
      return compiling_.Wrong(place, absl::StrCat("it is ", program->type().ToText(), ": shown ",
                                                  rules::v1::Ledger::Shown_Name(text.shown()),
                                                  " it is nothing to read"));
    }
    if (!text.codes().empty() && (!type.is(Kind::kString) || !FindCodeTable(text.codes()))) {
      return compiling_.Wrong(place, absl::StrCat("no codes of a table \"", text.codes(), "\""));
    }
    if (text.summed() && !IsWhole(type)) return compiling_.Wrong(place, "it is no whole number");
    ledger_.columns.push_back({text, *std::move(program), type.enumeration()});
    return absl::OkStatus();
  }

  // ---- Of one that is read, too.

  absl::Status WrongIntake(absl::string_view field, absl::string_view what) const {
    return compiling_.Wrong(absl::StrCat("intake: ", field), what);
  }

  absl::StatusOr<const FieldDescriptor*> FieldOf(const RecordType& type,
                                                 const std::string& name) const {
    const FieldDescriptor* field = type.descriptor->FindFieldByName(name);
    if (field != nullptr && !field->is_repeated()) return field;
    return WrongIntake(name, absl::StrCat(type.name, " has no such single field"));
  }

  absl::StatusOr<const google::protobuf::EnumValueDescriptor*> ValueOf(
      const FieldDescriptor& field, const std::string& name) const {
    const auto* values = field.enum_type();
    const auto* value = values == nullptr ? nullptr : values->FindValueByName(name);
    if (value != nullptr) return value;
    return WrongIntake(field.name(), absl::StrCat("it has no value ", name));
  }

  absl::Status AddIntake() {
    const rules::v1::Ledger::Intake& text = ledger_.text.intake();
    LedgerIntake& intake = ledger_.intake.emplace();
    intake.type = text.type().empty() ? ledger_.each : schema_.FindByName(text.type());
    if (intake.type == nullptr) return WrongIntake("type", absl::StrCat("no type ", text.type()));
    if (intake.type->Keeper() == nullptr)
      return WrongIntake("type", "no one organisation keeps it");
    intake.keeper = intake.type->Keeper()->descriptor;
    for (const std::string& name : text.same()) {
      ASSIGN_OR_RETURN(intake.same.emplace_back(), FieldOf(*intake.type, name));
    }
    if (intake.same.empty() == intake.type->id_from.empty()) {
      return WrongIntake("same", "it is said of a type whose ids follow from nothing");
    }
    for (const std::string& said : text.always()) {
      const std::pair<std::string, std::string> parts =
          absl::StrSplit(said, absl::MaxSplits('=', 1));
      ASSIGN_OR_RETURN(const FieldDescriptor* field, FieldOf(*intake.type, parts.first));
      ASSIGN_OR_RETURN(intake.always.emplace_back(), ValueOf(*field, parts.second));
    }
    for (size_t i = 0; i < ledger_.columns.size(); ++i) {
      if (ledger_.columns[i].text.into().empty()) continue;
      RETURN_IF_ERROR(AddInto(i, ledger_.columns[i].text));
    }
    return intake.into.empty() ? WrongIntake("into", "no column says it") : absl::OkStatus();
  }

  absl::Status AddInto(size_t column, const Column& text) {
    LedgerIntake& intake = *ledger_.intake;
    const std::string& path = text.into();
    const std::pair<std::string, std::string> parts = absl::StrSplit(path, absl::MaxSplits('.', 1));
    LedgerInto into{.column = column};
    ASSIGN_OR_RETURN(into.field, FieldOf(*intake.type, parts.first));
    if (!parts.second.empty()) {
      const FieldRule& rule =
          *intake.type->fields.Find(static_cast<uint32_t>(into.field->number()));
      into.of = rule.kept_with != nullptr ? rule.kept_with : rule.refers_to;
      if (into.of == nullptr) return WrongIntake(path, "it points at no record");
      ASSIGN_OR_RETURN(into.by, FieldOf(*into.of, parts.second));
    }
    for (const std::string& word : text.means()) {
      const std::pair<std::string, std::string> said =
          absl::StrSplit(word, absl::MaxSplits('=', 1));
      ASSIGN_OR_RETURN(const auto* value, ValueOf(*into.field, said.second));
      into.means[said.first] = value->number();
    }
    intake.into.push_back(std::move(into));
    return absl::OkStatus();
  }

  const Schema& schema_;
  cel::Environment environment_;
  Ledger& ledger_;
  const Compiling compiling_;
};

}  // namespace

LedgerCompiler::LedgerCompiler(const Parameters& parameters, const Calendars& calendars,
                               const Schema& schema)
    : schema_(schema) {
  AddFunctions(parameters, calendars, &functions_);
  AddRecords(schema, &functions_);
  AddLedgerFunctions(schema, &functions_);
}

absl::StatusOr<Ledger> LedgerCompiler::Compile(const rules::v1::Ledger& text) const {
  Ledger ledger{.text = text, .each = schema_.FindByName(text.each())};
  RETURN_IF_ERROR(Compilation(schema_, functions_, &ledger).Run());
  return ledger;
}

}  // namespace zhibu::rules
