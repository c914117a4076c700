#include "sync/rules/book/check_compiler.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "sync/base/status.h"
#include "sync/rules/book/compiling.h"
#include "sync/rules/book/functions.h"

namespace zhibu::rules {
namespace {

using cel::Type;
using google::protobuf::FieldDescriptor;

bool IsText(const FieldDescriptor* field) {
  return field != nullptr && field->type() == FieldDescriptor::TYPE_STRING && !field->is_repeated();
}

// One of its expressions reads these fields of `this`, at whatever depth.
void AddReads(const std::optional<cel::Program>& program, const RecordType& type,
              std::set<const FieldDescriptor*>* reads) {
  if (!program) return;
  for (const cel::FieldUse& use : program->fields()) {
    if (use.root != "this") continue;
    if (!use.path.empty()) {
      reads->insert(use.path.front());
      continue;
    }
    for (const FieldRule& rule : type.fields.rules()) reads->insert(rule.descriptor);
  }
}

absl::Status CheckSaid(const Compiling& compiling, const Check& check) {
  const rules::v1::Check& text = check.text;
  RETURN_IF_ERROR(compiling.CheckInBoth("words", text.words()));
  RETURN_IF_ERROR(compiling.CheckSource(text.source(), text.certainty()));
  RETURN_IF_ERROR(compiling.CheckDay("from", text.from()));
  RETURN_IF_ERROR(compiling.CheckDay("until", text.until()));
  const bool has_place =
      absl::StrContains(text.words().zh(), "{}") && absl::StrContains(text.words().en(), "{}");
  if (has_place != !text.shows().empty()) {
    return compiling.Wrong("shows", "it goes with {} in the words of both languages");
  }
  for (const std::string* words : {&text.words().zh(), &text.words().en()}) {
    if (words->find("{}") == words->rfind("{}")) continue;
    return compiling.Wrong("words", "{} stands in them once");
  }
  return absl::OkStatus();
}

// The type whose records a function gives: "Meeting()" and "MeetingOf()" give Meetings.
const RecordType* TypeGivenBy(absl::string_view root, const Schema& schema) {
  if (!absl::ConsumeSuffix(&root, "()")) return nullptr;
  if (const RecordType* type = schema.FindByName(root); type != nullptr) return type;
  return absl::ConsumeSuffix(&root, "Of") ? schema.FindByName(root) : nullptr;
}

bool LiesAt(const RecordType& type, Place place) {
  const auto& rules = type.fields.rules();
  return std::any_of(rules.begin(), rules.end(),
                     [&](const FieldRule& rule) { return rule.place == place; });
}

// Whom a check may judge: everybody who writes anything in a record of the type, wherever it lies.
class Judges {
 public:
  Judges(const RecordType& of, Author author) : of_(of), author_(author), writers_(of.writers) {
    // What is shipped says in `when` which steps it judges, and whose those are.
    if (author == Author::kProgram) return;
    for (const FieldRule& rule : of.fields.rules()) {
      writers_.at_home |= rule.writers.at_home;
      writers_.as_host |= rule.writers.as_host;
      if (rule.by_code) writers_.at_home |= AudienceOf(MEMBER);
    }
    if (!LiesAt(of, GUEST)) writers_.as_host = 0;
  }

  // Whether each of them may read the field, of `this` or of another record.
  bool MayAllRead(const RecordType& type, const FieldRule& field, bool is_this) const {
    if (author_ == Author::kProgram) return (writers_.at_home & ~field.readers.at_home) == 0;
    return is_this ? MayAllReadOwn(field) : MayAllReadOther(type, field);
  }

 private:
  bool MayAllReadOwn(const FieldRule& field) const {
    if ((writers_.at_home & ~field.readers.at_home) != 0) return false;
    if ((writers_.as_host & ~field.readers.as_host) != 0) return false;
    return writers_.as_host == 0 || of_.at_host == nullptr || field.shown_when_asked;
  }

  // Who writes from above or as a host has in the other's scope no office but that of a superior,
  // and somebody themself is another's fellow member.
  bool MayAllReadOther(const RecordType& type, const FieldRule& field) const {
    if (writers_.as_host != 0) return false;
    uint32_t offices = writers_.at_home;
    if ((offices & AudienceOf(SELF)) != 0) offices |= AudienceOf(MEMBER);
    if (LiesAt(of_, ABOVE)) offices |= AudienceOf(SUPERIOR);
    if ((offices & ~field.readers.at_home) != 0) return false;
    const uint32_t of_hosts = offices & ~(AudienceOf(SELF) | AudienceOf(SUPERIOR));
    return !LiesAt(type, GUEST) || (of_hosts & ~field.readers.as_host) == 0;
  }

  const RecordType& of_;
  const Author author_;
  Eyes writers_;
};

// Whoever is refused learns what made it so: they must be able to read that. A record that is read
// otherwise than by its fields would be read whole, and nobody could tell what of it.
absl::Status CheckReadable(const Compiling& compiling, const Check& check, const Schema& schema,
                           Author author) {
  const Judges judged(*check.of, author);
  for (const auto* program : {&check.when, &check.holds, &check.day, &check.shows}) {
    if (!*program) continue;
    for (const cel::FieldUse& use : (*program)->fields()) {
      const bool is_this = use.root == "this";
      const RecordType* type = is_this ? check.of : TypeGivenBy(use.root, schema);
      if (type == nullptr) continue;
      if (use.path.empty()) {
        return compiling.Wrong("hard", absl::StrCat(use.root, " is read by its fields only"));
      }
      const FieldRule& rule = *type->fields.Find(static_cast<uint32_t>(use.path[0]->number()));
      if (judged.MayAllRead(*type, rule, is_this)) continue;
      return compiling.Wrong(
          "hard", absl::StrCat("not all who write a ", check.of->name, " may read ", type->name,
                               ".", use.path[0]->name()));
    }
  }
  return absl::OkStatus();
}

// "this.held_on", "day(this.starts_at)"
bool IsDayOfThis(const cel::Program& day) {
  if (day.fields().size() != 1 || day.fields()[0].root != "this") return false;
  const std::string field = day.fields()[0].ToText();
  const absl::string_view source = absl::StripAsciiWhitespace(day.source());
  return source == field || source == absl::StrCat("day(", field, ")");
}

absl::Status CheckHard(const Compiling& compiling, const Check& check, const Schema& schema,
                       Author author) {
  if (!check.text.hard()) return absl::OkStatus();
  RETURN_IF_ERROR(CheckReadable(compiling, check, schema, author));
  if (!check.day) return compiling.Wrong("day", "of a hard check it is to be said");
  // Else it would not be its author who says when it was.
  if (author == Author::kSuperior && !IsDayOfThis(*check.day)) {
    return compiling.Wrong("day", "of a hard check it is a field: this.held_on");
  }
  if (check.text.certainty() == rules::v1::LOCAL) {
    return compiling.Wrong("hard", "what differs from place to place refuses nothing");
  }
  if (check.because != nullptr) return absl::OkStatus();
  return compiling.Wrong("hard", absl::StrCat(check.of->name, " has no field \"", kIrregularBecause,
                                              "\" for late entries"));
}

}  // namespace

absl::StatusOr<Check> CheckCompiler::Compile(const rules::v1::Check& text) {
  Check check{.text = text, .of = schema_.FindByName(text.of())};
  const Names& names = NamesFor(*check.of);
  const cel::Environment& environment = names.environment;
  const Compiling compiling(text.key(), &patterns_);
  check.self = names.self;
  check.id = names.id;
  RETURN_IF_ERROR(compiling.Compile(environment, "when", text.when(), Type::Bool(), &check.when));
  RETURN_IF_ERROR(
      compiling.Compile(environment, "holds", text.holds(), Type::Bool(), &check.holds));
  RETURN_IF_ERROR(compiling.CompileDay(environment, "day", text.day(), &check.day));
  RETURN_IF_ERROR(compiling.Compile(environment, "shows", text.shows(), Type::Dyn(), &check.shows));
  if (!check.holds) return compiling.Wrong("holds", "it is to be said");
  if (!text.field().empty()) {
    check.field = check.of->descriptor->FindFieldByName(text.field());
    if (check.field == nullptr) {
      return compiling.Wrong("field",
                             absl::StrCat(check.of->name, " has no field \"", text.field(), "\""));
    }
  }
  const FieldDescriptor* because = check.of->descriptor->FindFieldByName(kIrregularBecause);
  if (text.hard() && IsText(because)) check.because = because;
  RETURN_IF_ERROR(CheckSaid(compiling, check));
  RETURN_IF_ERROR(CheckHard(compiling, check, schema_, author_));
  for (const auto* program : {&check.when, &check.holds, &check.day}) {
    AddReads(*program, *check.of, &check.reads);
  }
  return check;
}

const CheckCompiler::Names& CheckCompiler::NamesFor(const RecordType& type) {
  const auto [it, fresh] = names_.try_emplace(type.number);
  if (!fresh) return it->second;
  Names& names = it->second;
  AddFunctions(parameters_, calendars_, &names.environment);
  AddRecords(schema_, &names.environment);
  names.self = names.environment.AddVariable("this", Type::Message(*type.descriptor));
  names.id = names.environment.AddVariable("id", Type::Bytes());
  return names;
}

}  // namespace zhibu::rules
