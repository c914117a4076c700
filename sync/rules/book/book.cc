#include "sync/rules/book/book.h"

#include <google/protobuf/io/tokenizer.h>
#include <google/protobuf/text_format.h>
#include <google/protobuf/timestamp.pb.h>

#include <cstdio>
#include <cstdlib>
#include <utility>

#include "absl/strings/str_cat.h"
#include "sync/base/date.h"
#include "sync/base/status.h"
#include "sync/rules/book/functions.h"
#include "sync/rules/cel/environment.h"

namespace zhibu::rules {
namespace {

using cel::Type;
using google::protobuf::FieldDescriptor;

// The first thing that is wrong with a file in text form.
class FirstError final : public google::protobuf::io::ErrorCollector {
 public:
  void AddError(int line, int column, const std::string& message) override {
    if (!words.empty()) return;
    words = absl::StrCat(line + 1, ":", column + 1, ": ", message);
  }
  std::string words;
};

absl::StatusOr<rules::v1::RuleFile> Parse(const RuleText& file) {
  rules::v1::RuleFile parsed;
  FirstError error;
  google::protobuf::TextFormat::Parser parser;
  parser.RecordErrorsTo(&error);
  if (parser.ParseFromString(file.text, &parsed)) return parsed;
  return absl::InvalidArgumentError(absl::StrCat(file.name, ":", error.words));
}

// What the expressions of one obligation may name; of one way to meet it `met` as well.
struct Names {
  Names(const Parameters& parameters, const RecordType& each, const RecordType* met_by) {
    AddFunctions(parameters, &environment);
    self = environment.AddVariable("this", Type::Message(*each.descriptor));
    from = environment.AddVariable("from", Type::Timestamp());
    registered = environment.AddVariable("registered", Type::Timestamp());
    if (met_by != nullptr) {
      met = environment.AddVariable("met", Type::Message(*met_by->descriptor));
    }
  }

  cel::Environment environment;
  cel::Variable self;
  cel::Variable from;
  cel::Variable registered;
  cel::Variable met;
};

// One obligation, whose expressions are compiled in turn.
class Compiler {
 public:
  Compiler(const Parameters& parameters, const Schema& schema, Obligation* obligation)
      : parameters_(parameters), schema_(schema), obligation_(*obligation) {}

  absl::Status Run() {
    const rules::v1::Obligation& text = obligation_.text;
    const Names names(parameters_, *obligation_.each, nullptr);
    obligation_.self = names.self;
    obligation_.from = names.from;
    obligation_.registered = names.registered;
    RETURN_IF_ERROR(CheckWords());
    RETURN_IF_ERROR(Compile(names, "where", text.where(), Type::Bool(), &obligation_.where));
    RETURN_IF_ERROR(CompileDay(names, "counts_from", text.counts_from(), &obligation_.counts_from));
    RETURN_IF_ERROR(Compile(names, "times", text.times(), Type::Int(), &obligation_.times));
    RETURN_IF_ERROR(CompileDay(names, "due_on", text.due_on(), &obligation_.due_on));
    RETURN_IF_ERROR(Compile(names, "every_months", text.every_months(), Type::Int(),
                            &obligation_.every_months));
    for (const rules::v1::MetBy& met_by : text.met_by()) RETURN_IF_ERROR(AddMetBy(met_by));
    return CheckShape();
  }

 private:
  absl::Status Wrong(absl::string_view field, absl::string_view what) const {
    return absl::InvalidArgumentError(
        absl::StrCat(obligation_.text.key(), ": ", field, ": ", what));
  }

  absl::Status CheckWords() const {
    const rules::v1::Obligation& text = obligation_.text;
    if (text.words().zh().empty() || text.words().en().empty()) {
      return Wrong("words", "they are to be said in both languages");
    }
    if (text.next().zh().empty() || text.next().en().empty()) {
      return Wrong("next", "it is to be said in both languages");
    }
    if (text.source().empty()) return Wrong("source", "it is to be said");
    if (text.certainty() == rules::v1::CERTAINTY_UNSPECIFIED) {
      return Wrong("certainty", "it is to be said: SURE, LIKELY or LOCAL");
    }
    if (text.who().empty()) return Wrong("who", "somebody is to see to it: SECRETARY, SELF, …");
    if (!text.from().empty() && !DayFrom(text.from())) return Wrong("from", "it is no day");
    return absl::OkStatus();
  }

  absl::Status Compile(const Names& names, absl::string_view field, const std::string& source,
                       const Type& type, std::optional<cel::Program>* program) const {
    if (source.empty()) return absl::OkStatus();
    absl::StatusOr<cel::Program> compiled = names.environment.Compile(source, type);
    if (!compiled.ok()) return Wrong(field, compiled.status().message());
    *program = *std::move(compiled);
    return absl::OkStatus();
  }

  // Dates are text in records, and times are times.
  absl::Status CompileDay(const Names& names, absl::string_view field, const std::string& source,
                          std::optional<cel::Program>* program) const {
    RETURN_IF_ERROR(Compile(names, field, source, Type::Dyn(), program));
    if (!*program) return absl::OkStatus();
    const Type& type = (*program)->type();
    const bool day = type.is(cel::Kind::kTimestamp) || type.is(cel::Kind::kString);
    return day ? absl::OkStatus() : Wrong(field, absl::StrCat("it is ", type.ToText(), ", no day"));
  }

  absl::Status CheckShape() const {
    const rules::v1::Obligation& text = obligation_.text;
    const int ways = (text.every() != rules::v1::PERIOD_UNSPECIFIED) + !text.due_on().empty() +
                     !text.every_months().empty();
    if (ways != 1) return Wrong("every", "one of every, due_on, every_months is to be said");
    const bool counted = text.every() == rules::v1::PERIOD_UNSPECIFIED;
    if (counted && !obligation_.counts_from) return Wrong("counts_from", "it is to be said");
    const bool again = obligation_.every_months || !counted;
    if (again && obligation_.met_by.empty()) return Wrong("met_by", "it is to be said");
    return absl::OkStatus();
  }

  absl::Status FindId(absl::string_view what, const RecordType& type, const std::string& name,
                      const FieldDescriptor** found) const {
    *found = type.descriptor->FindFieldByName(name);
    const bool holds_id = *found != nullptr && (*found)->type() == FieldDescriptor::TYPE_BYTES &&
                          !(*found)->is_repeated();
    if (holds_id) return absl::OkStatus();
    return Wrong(what, absl::StrCat(type.name, " has no field \"", name, "\" with an id"));
  }

  absl::Status AddMetBy(const rules::v1::MetBy& text) {
    MetBy met_by{.type = schema_.FindByName(text.type())};
    const Names names(parameters_, *obligation_.each, met_by.type);
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
  const Schema& schema_;
  Obligation& obligation_;
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
  // A parameter may stand in another file.
  for (const RuleText& file : files) {
    ASSIGN_OR_RETURN(const rules::v1::RuleFile parsed, Parse(file));
    for (const auto& parameter : parsed.parameter()) {
      const absl::Status status = book->parameters_.Add(parameter);
      if (!status.ok()) {
        return absl::InvalidArgumentError(absl::StrCat(file.name, ": ", status.message()));
      }
    }
  }
  for (const RuleText& file : files) RETURN_IF_ERROR(book->Read(file, schema));
  return std::unique_ptr<const Book>(std::move(book));
}

absl::Status Book::Read(const RuleText& file, const Schema& schema) {
  ASSIGN_OR_RETURN(const rules::v1::RuleFile parsed, Parse(file));
  for (const auto& text : parsed.obligation()) {
    const auto wrong = [&](absl::string_view what) {
      return absl::InvalidArgumentError(absl::StrCat(file.name, ": ", what));
    };
    if (text.key().empty() || text.each().empty()) return wrong("an obligation has no key or each");
    if (!keys_.insert(text.key()).second) {
      return wrong(absl::StrCat(text.key(), ": there is another with this key"));
    }
    if (const std::string type = UnknownType(text, schema); !type.empty()) {
      unknown_.push_back(absl::StrCat(text.key(), ": no record type ", type));
      continue;
    }
    Obligation obligation{.text = text, .each = schema.FindByName(text.each())};
    const absl::Status status = Compiler(parameters_, schema, &obligation).Run();
    if (!status.ok()) return wrong(status.message());
    obligations_.push_back(std::move(obligation));
  }
  return absl::OkStatus();
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
