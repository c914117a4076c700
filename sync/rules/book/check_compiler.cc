#include "sync/rules/book/check_compiler.h"

#include <string>
#include <utility>

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
  return absl::OkStatus();
}

// The type whose records a function gives: "Meeting()" and "MeetingOf()" give Meetings.
const RecordType* TypeGivenBy(absl::string_view root, const Schema& schema) {
  if (!absl::ConsumeSuffix(&root, "()")) return nullptr;
  if (const RecordType* type = schema.FindByName(root); type != nullptr) return type;
  return absl::ConsumeSuffix(&root, "Of") ? schema.FindByName(root) : nullptr;
}

// Whoever is refused learns what made it so: they must be able to read that.
absl::Status CheckReadable(const Compiling& compiling, const Check& check, const Schema& schema) {
  const uint32_t writers = check.of->writers.at_home;
  for (const auto* program : {&check.when, &check.holds, &check.day, &check.shows}) {
    if (!*program) continue;
    for (const cel::FieldUse& use : (*program)->fields()) {
      const RecordType* type = use.root == "this" ? check.of : TypeGivenBy(use.root, schema);
      if (type == nullptr || use.path.empty()) continue;
      const FieldRule& rule = *type->fields.Find(static_cast<uint32_t>(use.path[0]->number()));
      if ((writers & ~rule.readers.at_home) == 0) continue;
      return compiling.Wrong(
          "hard", absl::StrCat("not all who write a ", check.of->name, " may read ", type->name,
                               ".", use.path[0]->name()));
    }
  }
  return absl::OkStatus();
}

absl::Status CheckHard(const Compiling& compiling, const Check& check, const Schema& schema) {
  if (!check.text.hard()) return absl::OkStatus();
  RETURN_IF_ERROR(CheckReadable(compiling, check, schema));
  if (!check.day) return compiling.Wrong("day", "of a hard check it is to be said");
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
  const Compiling compiling(text.key());
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
  RETURN_IF_ERROR(CheckHard(compiling, check, schema_));
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
