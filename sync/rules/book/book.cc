#include "sync/rules/book/book.h"

#include <google/protobuf/io/tokenizer.h>
#include <google/protobuf/text_format.h>
#include <google/protobuf/timestamp.pb.h>

#include <cstdio>
#include <cstdlib>
#include <utility>

#include "absl/strings/str_cat.h"
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

// One obligation, whose expressions are compiled in turn.
class Compiler {
 public:
  Compiler(const Parameters& parameters, const RecordType& each, const RecordType* met,
           Obligation* obligation)
      : obligation_(*obligation) {
    AddFunctions(parameters, &environment_);
    obligation_.each = &each;
    obligation_.self = environment_.AddVariable("this", Type::Message(*each.descriptor));
    obligation_.from = environment_.AddVariable("from", Type::Timestamp());
    obligation_.registered = environment_.AddVariable("registered", Type::Timestamp());
    if (met != nullptr) {
      obligation_.met = environment_.AddVariable("met", Type::Message(*met->descriptor));
    }
  }

  absl::Status Run(const RecordType* met) {
    const rules::v1::Obligation& text = obligation_.text;
    RETURN_IF_ERROR(Compile("where", text.where(), Type::Bool(), &obligation_.where));
    RETURN_IF_ERROR(CompileDay("counts_from", text.counts_from(), &obligation_.counts_from));
    RETURN_IF_ERROR(Compile("times", text.times(), Type::Int(), &obligation_.times));
    RETURN_IF_ERROR(CompileDay("due_on", text.due_on(), &obligation_.due_on));
    RETURN_IF_ERROR(
        Compile("every_months", text.every_months(), Type::Int(), &obligation_.every_months));
    return met == nullptr ? CheckShape() : CompileMetBy(*met);
  }

 private:
  absl::Status Wrong(absl::string_view field, absl::string_view what) const {
    return absl::InvalidArgumentError(
        absl::StrCat(obligation_.text.key(), ": ", field, ": ", what));
  }

  absl::Status Compile(absl::string_view field, const std::string& source, const Type& type,
                       std::optional<cel::Program>* program) const {
    if (source.empty()) return absl::OkStatus();
    absl::StatusOr<cel::Program> compiled = environment_.Compile(source, type);
    if (!compiled.ok()) return Wrong(field, compiled.status().message());
    *program = *std::move(compiled);
    return absl::OkStatus();
  }

  // Dates are text in records, and times are times.
  absl::Status CompileDay(absl::string_view field, const std::string& source,
                          std::optional<cel::Program>* program) const {
    RETURN_IF_ERROR(Compile(field, source, Type::Dyn(), program));
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
    if (again && !obligation_.met_by) return Wrong("met_by", "it is to be said");
    return absl::OkStatus();
  }

  absl::Status FindId(absl::string_view what, const RecordType& type, const std::string& name,
                      const FieldDescriptor** found) const {
    *found = type.descriptor->FindFieldByName(name);
    const bool holds_id = *found != nullptr && (*found)->type() == FieldDescriptor::TYPE_BYTES &&
                          !(*found)->is_repeated();
    return holds_id ? absl::OkStatus() : Wrong(what, "it is no field with an id");
  }

  absl::Status CompileMetBy(const RecordType& type) {
    const rules::v1::MetBy& text = obligation_.text.met_by();
    MetBy met_by{.type = &type};
    RETURN_IF_ERROR(FindId("met_by.via", type, text.via(), &met_by.via));
    if (!text.is().empty()) {
      RETURN_IF_ERROR(FindId("met_by.is", *obligation_.each, text.is(), &met_by.is));
    }
    RETURN_IF_ERROR(Compile("met_by.when", text.when(), Type::Bool(), &met_by.when));
    RETURN_IF_ERROR(CompileDay("met_by.on", text.on(), &met_by.on));
    if (!met_by.on) return Wrong("met_by.on", "it is to be said");
    obligation_.met_by = std::move(met_by);
    return CheckShape();
  }

  cel::Environment environment_;
  Obligation& obligation_;
};

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
    const RecordType* each = schema.FindByName(text.each());
    const RecordType* met = text.has_met_by() ? schema.FindByName(text.met_by().type()) : nullptr;
    if (each == nullptr || (text.has_met_by() && met == nullptr)) {
      unknown_.push_back(text.key());
      continue;
    }
    Obligation obligation{.text = text};
    const absl::Status status = Compiler(parameters_, *each, met, &obligation).Run(met);
    if (!status.ok()) {
      return absl::InvalidArgumentError(absl::StrCat(file.name, ": ", status.message()));
    }
    obligations_.push_back(std::move(obligation));
  }
  return absl::OkStatus();
}

const Book& ShippedBook() {
  static const Book& book = [&]() -> const Book& {
    auto compiled = Book::Compile(ShippedFiles(), *CatalogueSchema());
    if (compiled.ok()) return **new std::unique_ptr<const Book>(*std::move(compiled));
    std::fprintf(stderr, "the rule book: %s\n", compiled.status().ToString().c_str());
    std::abort();
  }();
  return book;
}

}  // namespace zhibu::rules
