#include "sync/rules/book/book.h"

#include <google/protobuf/io/tokenizer.h>
#include <google/protobuf/text_format.h>
#include <google/protobuf/timestamp.pb.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <utility>

#include "absl/strings/str_cat.h"
#include "sync/base/environment.h"
#include "sync/base/status.h"
#include "sync/rules/book/check_compiler.h"
#include "sync/rules/book/compiling.h"
#include "sync/rules/book/figure_compiler.h"
#include "sync/rules/book/functions.h"
#include "sync/rules/book/same.h"
#include "sync/rules/cel/environment.h"

namespace zhibu::rules {
namespace {

using cel::Type;
using google::protobuf::FieldDescriptor;

// Nobody is warned, or waited for, longer than a year.
constexpr uint32_t kSpanDaysMax = 366;

// The first thing that is wrong with a file in text form.
class FirstError final : public google::protobuf::io::ErrorCollector {
 public:
  void AddError(int line, int column, const std::string& message) override {
    if (!words.empty()) return;
    words = absl::StrCat(line + 1, ":", column + 1, ": ", message);
  }
  std::string words;
};

}  // namespace

absl::StatusOr<rules::v1::RuleFile> ParseRules(const RuleText& file) {
  rules::v1::RuleFile parsed;
  FirstError error;
  google::protobuf::TextFormat::Parser parser;
  parser.RecordErrorsTo(&error);
  if (parser.ParseFromString(file.text, &parsed)) return parsed;
  return absl::InvalidArgumentError(absl::StrCat(file.name, ":", error.words));
}

namespace {

absl::Status NamedBy(const RuleText& file, const absl::Status& status) {
  if (status.ok()) return status;
  return absl::InvalidArgumentError(absl::StrCat(file.name, ": ", status.message()));
}

// What the expressions of one obligation may name; of one way to meet it `met` as well.
struct Names {
  Names(const Parameters& parameters, const Calendars& calendars, const RecordType& each,
        const RecordType* met_by) {
    AddFunctions(parameters, calendars, &environment);
    self = environment.AddVariable("this", Type::Message(*each.descriptor));
    from = environment.AddVariable("from", Type::Timestamp());
    registered = environment.AddVariable("registered", Type::Timestamp());
    today = environment.AddVariable("today", Type::Timestamp());
    if (met_by != nullptr) {
      met = environment.AddVariable("met", Type::Message(*met_by->descriptor));
    }
  }

  cel::Environment environment;
  cel::Variable self;
  cel::Variable from;
  cel::Variable registered;
  cel::Variable today;
  cel::Variable met;
};

// One obligation, whose expressions are compiled in turn.
class Compiler {
 public:
  Compiler(const Parameters& parameters, const Calendars& calendars, const Schema& schema,
           cel::Patterns* patterns, Obligation* obligation)
      : parameters_(parameters),
        calendars_(calendars),
        schema_(schema),
        obligation_(*obligation),
        compiling_(obligation->text.key(), patterns) {}

  absl::Status Run() {
    const rules::v1::Obligation& text = obligation_.text;
    const Names names(parameters_, calendars_, *obligation_.each, nullptr);
    obligation_.self = names.self;
    obligation_.from = names.from;
    obligation_.registered = names.registered;
    obligation_.today = names.today;
    RETURN_IF_ERROR(CheckWords());
    RETURN_IF_ERROR(Compile(names, "where", text.where(), Type::Bool(), &obligation_.where));
    RETURN_IF_ERROR(CompileDay(names, "counts_from", text.counts_from(), &obligation_.counts_from));
    RETURN_IF_ERROR(Compile(names, "times", text.times(), Type::Int(), &obligation_.times));
    RETURN_IF_ERROR(CompileDay(names, "due_on", text.due_on(), &obligation_.due_on));
    RETURN_IF_ERROR(Compile(names, "every_months", text.every_months(), Type::Int(),
                            &obligation_.every_months));
    for (const rules::v1::MetBy& met_by : text.met_by()) RETURN_IF_ERROR(AddMetBy(met_by));
    for (const std::string& name : text.same()) RETURN_IF_ERROR(AddSame(name));
    if (!text.undone_by().empty()) {
      RETURN_IF_ERROR(
          FindId("undone_by", *obligation_.each, text.undone_by(), &obligation_.undone_by));
    }
    return CheckShape();
  }

 private:
  absl::Status Wrong(absl::string_view field, absl::string_view what) const {
    return compiling_.Wrong(field, what);
  }

  absl::Status CheckWords() const {
    const rules::v1::Obligation& text = obligation_.text;
    RETURN_IF_ERROR(compiling_.CheckInBoth("words", text.words()));
    RETURN_IF_ERROR(compiling_.CheckInBoth("next", text.next()));
    RETURN_IF_ERROR(compiling_.CheckSource(text.source(), text.certainty()));
    if (text.who().empty()) return Wrong("who", "somebody is to see to it: SECRETARY, SELF, …");
    return compiling_.CheckDay("from", text.from());
  }

  absl::Status Compile(const Names& names, absl::string_view field, const std::string& source,
                       const Type& type, std::optional<cel::Program>* program) const {
    return compiling_.Compile(names.environment, field, source, type, program);
  }
  absl::Status CompileDay(const Names& names, absl::string_view field, const std::string& source,
                          std::optional<cel::Program>* program) const {
    return compiling_.CompileDay(names.environment, field, source, program);
  }

  absl::Status CheckSpan(absl::string_view field, uint32_t days) const {
    if (days <= kSpanDaysMax) return absl::OkStatus();
    return Wrong(field, absl::StrCat(days, " days > ", kSpanDaysMax));
  }

  absl::Status CheckShape() const {
    const rules::v1::Obligation& text = obligation_.text;
    RETURN_IF_ERROR(CheckSpan("warn_days", text.warn_days()));
    RETURN_IF_ERROR(CheckSpan("grace_days", text.grace_days()));
    const int ways = (text.every() != rules::v1::PERIOD_UNSPECIFIED) + !text.due_on().empty() +
                     !text.every_months().empty();
    if (ways != 1) return Wrong("every", "one of every, due_on, every_months is to be said");
    const bool counted = text.every() == rules::v1::PERIOD_UNSPECIFIED;
    if (counted && !obligation_.counts_from) return Wrong("counts_from", "it is to be said");
    if (!obligation_.same.empty() && !obligation_.due_on) {
      return Wrong("same", "it is of what is due on a day: due_on");
    }
    if (!obligation_.same.empty() && !CanBeAnswered()) {
      return Wrong("same", absl::StrCat("nothing that meets it is kept with ",
                                        obligation_.each->name, ", as DistinctFact is"));
    }
    const bool again = obligation_.every_months || !counted;
    if (again && obligation_.met_by.empty()) return Wrong("met_by", "it is to be said");
    return absl::OkStatus();
  }

  // Whether somebody can say of one of those that are the same that it is another fact.
  bool CanBeAnswered() const {
    return std::any_of(
        obligation_.met_by.begin(), obligation_.met_by.end(), [&](const MetBy& met_by) {
          const FieldRule* via = met_by.type->fields.Find(met_by.via->number());
          return met_by.is == nullptr && via != nullptr && via->kept_with == obligation_.each;
        });
  }

  absl::Status FindId(absl::string_view what, const RecordType& type, const std::string& name,
                      const FieldDescriptor** found) const {
    *found = type.descriptor->FindFieldByName(name);
    const bool holds_id = *found != nullptr && (*found)->type() == FieldDescriptor::TYPE_BYTES &&
                          !(*found)->is_repeated();
    if (holds_id) return absl::OkStatus();
    return Wrong(what, absl::StrCat(type.name, " has no field \"", name, "\" with an id"));
  }

  absl::Status AddSame(const std::string& name) {
    const RecordType& type = *obligation_.each;
    const FieldDescriptor* field = type.descriptor->FindFieldByName(name);
    if (field == nullptr) {
      return Wrong("same", absl::StrCat(type.name, " has no field \"", name, "\""));
    }
    if (!CanBeSaid(*field)) return Wrong("same", absl::StrCat(name, " is no single value"));
    obligation_.same.push_back(field);
    return absl::OkStatus();
  }

  absl::Status AddMetBy(const rules::v1::MetBy& text) {
    MetBy met_by{.type = schema_.FindByName(text.type())};
    const Names names(parameters_, calendars_, *obligation_.each, met_by.type);
    met_by.met = names.met;
    RETURN_IF_ERROR(FindId("met_by.via", *met_by.type, text.via(), &met_by.via));
    if (!text.is().empty()) {
      RETURN_IF_ERROR(FindId("met_by.is", *obligation_.each, text.is(), &met_by.is));
    }
    if (!text.undone_by().empty()) {
      RETURN_IF_ERROR(
          FindId("met_by.undone_by", *met_by.type, text.undone_by(), &met_by.undone_by));
    }
    RETURN_IF_ERROR(Compile(names, "met_by.when", text.when(), Type::Bool(), &met_by.when));
    RETURN_IF_ERROR(CompileDay(names, "met_by.on", text.on(), &met_by.on));
    RETURN_IF_ERROR(CompileDay(names, "met_by.until", text.until(), &met_by.until));
    if (!met_by.on) return Wrong("met_by.on", "it is to be said");
    obligation_.met_by.push_back(std::move(met_by));
    return absl::OkStatus();
  }

  const Parameters& parameters_;
  const Calendars& calendars_;
  const Schema& schema_;
  Obligation& obligation_;
  const Compiling compiling_;
};

// The first type that an obligation names and this build does not know; empty: it knows all.
std::string UnknownType(const rules::v1::Obligation& text, const Schema& schema) {
  if (schema.FindByName(text.each()) == nullptr) return text.each();
  for (const rules::v1::MetBy& met_by : text.met_by()) {
    if (schema.FindByName(met_by.type()) == nullptr) return met_by.type();
  }
  return "";
}

}  // namespace

absl::StatusOr<std::unique_ptr<const Book>> Book::Compile(absl::Span<const RuleText> files,
                                                          const Schema& schema) {
  std::unique_ptr<Book> book(new Book());
  RETURN_IF_ERROR(book->Read(files, schema, Author::kProgram));
  return std::unique_ptr<const Book>(std::move(book));
}

absl::StatusOr<std::unique_ptr<const Book>> Book::CompileBeside(const Book& other,
                                                                const RuleText& file,
                                                                const Schema& schema) {
  std::unique_ptr<Book> book(new Book());
  book->parameters_ = other.parameters_;
  book->calendars_ = other.calendars_;
  RETURN_IF_ERROR(book->Read({file}, schema, Author::kSuperior));
  return std::unique_ptr<const Book>(std::move(book));
}

absl::Status Book::Read(absl::Span<const RuleText> files, const Schema& schema, Author author) {
  std::vector<rules::v1::RuleFile> parsed;
  // A parameter may stand in another file.
  for (const RuleText& file : files) {
    ASSIGN_OR_RETURN(parsed.emplace_back(), ParseRules(file));
    RETURN_IF_ERROR(NamedBy(file, ReadNumbers(parsed.back())));
  }
  cel::Patterns patterns;
  CheckCompiler checks(parameters_, calendars_, schema, author, &patterns);
  FigureCompiler figures(parameters_, calendars_, schema);
  const LedgerCompiler ledgers(parameters_, calendars_, schema);
  for (size_t i = 0; i < files.size(); ++i) {
    RETURN_IF_ERROR(NamedBy(files[i], ReadObligations(parsed[i], schema, &patterns)));
    RETURN_IF_ERROR(NamedBy(files[i], ReadChecks(parsed[i], checks, schema)));
    RETURN_IF_ERROR(NamedBy(files[i], ReadFigures(parsed[i], figures, schema)));
    RETURN_IF_ERROR(NamedBy(files[i], ReadLedgers(parsed[i], ledgers, schema)));
  }
  RETURN_IF_ERROR(FigureCompiler::CheckParts(figures_));
  // Figures stay where they are from here on.
  for (size_t i = 0; i < files.size(); ++i) {
    RETURN_IF_ERROR(NamedBy(files[i], ReadBalances(parsed[i])));
  }
  IndexFigures(schema);
  return absl::OkStatus();
}

absl::Status Book::ReadNumbers(const rules::v1::RuleFile& file) {
  for (const auto& parameter : file.parameter()) RETURN_IF_ERROR(parameters_.Add(parameter));
  for (const auto& calendar : file.calendar()) RETURN_IF_ERROR(calendars_.Add(calendar));
  return absl::OkStatus();
}

absl::Status Book::TakeKey(const std::string& key, const std::string& type) {
  if (key.empty() || type.empty()) return absl::InvalidArgumentError("a rule has no key or type");
  if (keys_.insert(key).second) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(key, ": there is another with this key"));
}

absl::Status Book::ReadObligations(const rules::v1::RuleFile& file, const Schema& schema,
                                   cel::Patterns* patterns) {
  for (const auto& text : file.obligation()) {
    RETURN_IF_ERROR(TakeKey(text.key(), text.each()));
    if (const std::string type = UnknownType(text, schema); !type.empty()) {
      unknown_.push_back(absl::StrCat(text.key(), ": no record type ", type));
      continue;
    }
    Obligation obligation{.text = text, .each = schema.FindByName(text.each())};
    RETURN_IF_ERROR(Compiler(parameters_, calendars_, schema, patterns, &obligation).Run());
    obligations_.push_back(std::move(obligation));
  }
  return absl::OkStatus();
}

absl::Status Book::ReadChecks(const rules::v1::RuleFile& file, CheckCompiler& compiler,
                              const Schema& schema) {
  for (const auto& text : file.check()) {
    RETURN_IF_ERROR(TakeKey(text.key(), text.of()));
    if (schema.FindByName(text.of()) == nullptr) {
      unknown_.push_back(absl::StrCat(text.key(), ": no record type ", text.of()));
      continue;
    }
    ASSIGN_OR_RETURN(Check check, compiler.Compile(text));
    checks_[check.of->number].push_back(std::move(check));
  }
  return absl::OkStatus();
}

absl::Status Book::ReadLedgers(const rules::v1::RuleFile& file, const LedgerCompiler& compiler,
                               const Schema& schema) {
  for (const auto& text : file.ledger()) {
    RETURN_IF_ERROR(TakeKey(absl::StrCat("ledger ", text.key()), text.each()));
    if (schema.FindByName(text.each()) == nullptr) {
      unknown_.push_back(absl::StrCat(text.key(), ": no record type ", text.each()));
      continue;
    }
    ASSIGN_OR_RETURN(Ledger ledger, compiler.Compile(text));
    ledgers_.push_back(std::move(ledger));
  }
  return absl::OkStatus();
}

const Ledger* Book::FindLedger(absl::string_view name) const {
  for (const Ledger& ledger : ledgers_) {
    const rules::v1::Ledger& text = ledger.text;
    if (name == text.key() || name == text.words().zh() || name == text.words().en()) {
      return &ledger;
    }
  }
  return nullptr;
}

absl::Span<const Check> Book::ChecksOf(const RecordType& type) const {
  const auto found = checks_.find(type.number);
  if (found == checks_.end()) return {};
  // Of a schema of tests another type may bear the number.
  const bool same = found->second.front().of->descriptor == type.descriptor;
  return same ? absl::MakeConstSpan(found->second) : absl::Span<const Check>();
}

absl::Status Book::ReadFigures(const rules::v1::RuleFile& file, FigureCompiler& compiler,
                               const Schema& schema) {
  for (const auto& text : file.figure()) {
    RETURN_IF_ERROR(TakeKey(text.key(), text.of()));
    if (schema.FindByName(text.of()) == nullptr) {
      unknown_.push_back(absl::StrCat(text.key(), ": no record type ", text.of()));
      continue;
    }
    ASSIGN_OR_RETURN(Figure figure, compiler.Compile(text));
    figure.number = static_cast<uint32_t>(figures_.size());
    figures_.push_back(std::move(figure));
  }
  return absl::OkStatus();
}

absl::Status Book::ReadBalances(const rules::v1::RuleFile& file) {
  for (const auto& text : file.balance()) {
    RETURN_IF_ERROR(TakeKey(text.key(), "balance"));
    ASSIGN_OR_RETURN(Balance balance, FigureCompiler::Compile(text, figures_));
    balances_.push_back(std::move(balance));
  }
  return absl::OkStatus();
}

void Book::IndexFigures(const Schema& schema) {
  std::map<uint32_t, const RecordType*> types;
  std::string all;
  const auto add = [&](const google::protobuf::Message& message) {
    absl::StrAppend(&all, message.ByteSizeLong(), "/", message.SerializeAsString());
  };
  for (const Figure& figure : figures_) {
    add(figure.text);
    types.emplace(figure.of->number, figure.of);
    figures_of_[figure.of->number].push_back(&figure);
    for (const auto& [number, fields] : figure.others) {
      types.emplace(number, schema.Find(number));
      figures_looking_at_[number].push_back(&figure);
    }
  }
  if (figures_.empty()) return;
  for (const rules::v1::Parameter& parameter : parameters_.All()) add(parameter);
  for (const rules::v1::Calendar& calendar : calendars_.All()) add(calendar);
  add(AllCodeTables());
  std::set<const google::protobuf::FileDescriptor*> files;
  for (const auto& [number, type] : types) {
    absl::StrAppend(&all, number, " ", type->name, "/");
    if (!files.insert(type->descriptor->file()).second) continue;
    google::protobuf::FileDescriptorProto declared;
    type->descriptor->file()->CopyTo(&declared);
    add(declared);
  }
  figures_digest_ = Digest(all);
}

const Figure* Book::FindFigure(absl::string_view key) const {
  for (const Figure& figure : figures_) {
    if (figure.text.key() == key) return &figure;
  }
  return nullptr;
}

namespace {

absl::Span<const Figure* const> FiguresIn(const std::map<uint32_t, std::vector<const Figure*>>& all,
                                          const RecordType& type) {
  const auto found = all.find(type.number);
  return found == all.end() ? absl::Span<const Figure* const>() : found->second;
}

}  // namespace

absl::Span<const Figure* const> Book::FiguresOf(const RecordType& type) const {
  const auto figures = FiguresIn(figures_of_, type);
  // Of a schema of tests another type may bear the number.
  const bool same = !figures.empty() && figures[0]->of->descriptor == type.descriptor;
  return same ? figures : absl::Span<const Figure* const>();
}

absl::Span<const Figure* const> Book::FiguresThatLookAt(const RecordType& type) const {
  const auto figures = FiguresIn(figures_looking_at_, type);
  if (figures.empty()) return figures;
  const auto& fields = figures[0]->others.at(type.number);
  const bool same = !fields.empty() && (*fields.begin())->containing_type() == type.descriptor;
  return same ? figures : absl::Span<const Figure* const>();
}

const Book& ShippedBook() {
  static const Book* const book = [] {
    auto compiled = Book::Compile(ShippedFiles(), *CatalogueSchema());
    if (compiled.ok()) return compiled->release();
    std::fprintf(stderr, "the rule book: %s\n", compiled.status().ToString().c_str());
    std::abort();
  }();
  return *book;
}

}  // namespace zhibu::rules
