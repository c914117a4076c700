#include "sync/rules/book/figure_compiler.h"

#include <algorithm>
#include <optional>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "sync/base/status.h"
#include "sync/rules/book/functions.h"

namespace zhibu::rules {
namespace {

using cel::Kind;
using cel::Type;
using google::protobuf::FieldDescriptor;

absl::StatusOr<const FieldDescriptor*> FindId(const Compiling& compiling, absl::string_view what,
                                              const RecordType& type, const std::string& name,
                                              bool repeated_too = false) {
  const FieldDescriptor* field = type.descriptor->FindFieldByName(name);
  const bool holds_id = field != nullptr && field->type() == FieldDescriptor::TYPE_BYTES &&
                        (repeated_too || !field->is_repeated());
  if (holds_id) return field;
  return compiling.Wrong(what, absl::StrCat(type.name, " has no field \"", name, "\" with an id"));
}

absl::Status CheckSaid(const Compiling& compiling, const rules::v1::Figure& text) {
  RETURN_IF_ERROR(compiling.CheckInBoth("words", text.words()));
  RETURN_IF_ERROR(compiling.CheckInBoth("unit", text.unit()));
  RETURN_IF_ERROR(compiling.CheckSource(text.source(), text.certainty()));
  RETURN_IF_ERROR(compiling.CheckDay("from", text.from()));
  const bool stands = text.counting() != rules::v1::Figure::ON_ITS_DAY;
  if (!stands && text.day().empty()) return compiling.Wrong("day", "it is to be said");
  if (!stands && !text.until().empty()) return compiling.Wrong("until", "it is of what stands");
  if (stands && !text.from().empty()) return compiling.Wrong("from", "it is not of what stands");
  if (!text.followed_by().empty() && (!stands || text.day().empty())) {
    return compiling.Wrong("followed_by", "it is of what stands from a day on");
  }
  return absl::OkStatus();
}

absl::Status CheckBands(const Compiling& compiling, const rules::v1::Breakdown& text) {
  for (int i = 0; i < text.band_size(); ++i) {
    RETURN_IF_ERROR(compiling.CheckInBoth("by.band", text.band(i).words()));
    const bool endless = i + 1 == text.band_size() && text.band(i).up_to() == 0;
    if (i > 0 && !endless && text.band(i).up_to() <= text.band(i - 1).up_to()) {
      return compiling.Wrong("by.band", "each is to be above the one before it");
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<Breakdown::Kind> KindOf(const Compiling& compiling, const rules::v1::Breakdown& text,
                                       const Type& type) {
  const bool day = type.is(Kind::kTimestamp) || type.is(Kind::kString);
  if (text.years()) {
    if (day && text.band_size() > 0) return Breakdown::Kind::kYears;
    return compiling.Wrong("by.is", absl::StrCat("it is ", type.ToText(), ", no day with bands"));
  }
  if (!text.code_table().empty()) {
    if (type.is(Kind::kString)) return Breakdown::Kind::kCode;
    return compiling.Wrong("by.is", absl::StrCat("it is ", type.ToText(), ", no code"));
  }
  if (type.is(Kind::kInt) && type.enumeration() != nullptr) return Breakdown::Kind::kEnum;
  if (type.is(Kind::kBool)) return Breakdown::Kind::kBool;
  const bool number = type.is(Kind::kInt) || type.is(Kind::kUint);
  if (number && text.band_size() > 0) return Breakdown::Kind::kBands;
  return compiling.Wrong("by.is", absl::StrCat("it is ", type.ToText(),
                                               ": of that there is no end; name an enum, a bool, "
                                               "a code_table or bands"));
}

void AddPlaces(const RecordType& type, Figure::Fields* fields) {
  for (const FieldRule& rule : type.fields.rules()) {
    if (rule.place != NOWHERE) fields->insert(rule.descriptor);
  }
}

const Figure* FindFigure(const std::vector<Figure>& figures, const std::string& key) {
  const auto found = std::find_if(figures.begin(), figures.end(),
                                  [&](const Figure& one) { return one.text.key() == key; });
  return found == figures.end() ? nullptr : &*found;
}

}  // namespace

absl::StatusOr<Figure> FigureCompiler::Compile(const rules::v1::Figure& text) {
  const Compiling compiling(text.key());
  Figure figure{.text = text, .of = schema_.FindByName(text.of())};
  RETURN_IF_ERROR(CheckSaid(compiling, text));
  RETURN_IF_ERROR(FindFields(compiling, &figure));
  RETURN_IF_ERROR(CompileExpressions(compiling, &figure));
  RETURN_IF_ERROR(CheckToldTo(compiling, figure));
  return figure;
}

absl::Status FigureCompiler::FindFields(const Compiling& compiling, Figure* figure) const {
  const rules::v1::Figure& text = figure->text;
  const RecordType& type = *figure->of;
  RETURN_IF_ERROR(FindOrganisation(compiling, figure));
  figure->whose_id = text.whose() == "id";
  if (!text.whose().empty() && !figure->whose_id) {
    ASSIGN_OR_RETURN(figure->whose, FindId(compiling, "whose", type, text.whose(), true));
  }
  if (!text.undone_by().empty()) {
    ASSIGN_OR_RETURN(figure->undone_by, FindId(compiling, "undone_by", type, text.undone_by()));
  }
  if (!text.followed_by().empty()) {
    ASSIGN_OR_RETURN(figure->followed_by,
                     FindId(compiling, "followed_by", type, text.followed_by()));
  }
  if (!text.each().empty()) {
    figure->each = type.descriptor->FindFieldByName(text.each());
    const bool listed = figure->each != nullptr && figure->each->is_repeated() &&
                        figure->each->message_type() != nullptr && !figure->each->is_map();
    if (!listed) {
      return compiling.Wrong(
          "each", absl::StrCat(type.name, " has no list \"", text.each(), "\" of messages"));
    }
  }
  for (const FieldDescriptor* field :
       {figure->organisation, figure->undone_by, figure->followed_by, figure->each}) {
    if (field != nullptr) figure->reads.insert(field);
  }
  return absl::OkStatus();
}

absl::Status FigureCompiler::FindOrganisation(const Compiling& compiling, Figure* figure) const {
  const RecordType& type = *figure->of;
  if (!figure->text.organisation().empty()) {
    ASSIGN_OR_RETURN(figure->organisation,
                     FindId(compiling, "organisation", type, figure->text.organisation()));
    return absl::OkStatus();
  }
  if (type.own_scope == OWNER) return absl::OkStatus();  // it is one itself
  if (const FieldRule* keeper = type.Keeper(); keeper != nullptr) {
    figure->organisation = keeper->descriptor;
    return absl::OkStatus();
  }
  return compiling.Wrong("organisation", "it is to be said: nobody, or several, keep the record");
}

absl::Status FigureCompiler::CompileExpressions(const Compiling& compiling, Figure* figure) {
  const rules::v1::Figure& text = figure->text;
  const Names& names = NamesFor(*figure->of, figure->each);
  const cel::Environment& environment = names.environment;
  figure->self = names.self;
  figure->id = names.id;
  figure->element = names.element;
  RETURN_IF_ERROR(compiling.Compile(environment, "when", text.when(), Type::Bool(), &figure->when));
  RETURN_IF_ERROR(compiling.CompileDay(environment, "day", text.day(), &figure->day));
  RETURN_IF_ERROR(compiling.CompileDay(environment, "until", text.until(), &figure->until));
  RETURN_IF_ERROR(
      compiling.Compile(environment, "counts", text.counts(), Type::Int(), &figure->counts));
  for (const rules::v1::Breakdown& by : text.by()) {
    RETURN_IF_ERROR(AddWay(compiling, names, by, figure));
    AddReads(*figure->by.back().is, figure);
  }
  for (const auto* program : {&figure->when, &figure->day, &figure->until, &figure->counts}) {
    if (*program) AddReads(**program, figure);
  }
  // Where they lie decides what of each other they see.
  if (figure->LooksAtOthers()) AddPlaces(*figure->of, &figure->reads);
  for (auto& [number, fields] : figure->others) AddPlaces(*schema_.Find(number), &fields);
  if (figure->when) {
    const auto functions = figure->when->functions();
    figure->asks_parameters =
        std::any_of(functions.begin(), functions.end(),
                    [](const cel::FunctionUse& use) { return use.name == "param"; });
  }
  return absl::OkStatus();
}

absl::Status FigureCompiler::AddWay(const Compiling& compiling, const Names& names,
                                    const rules::v1::Breakdown& text, Figure* figure) const {
  constexpr size_t kWaysMax = 50;  // kNotKnown is none of them
  if (text.key().empty()) return compiling.Wrong("by.key", "it is to be said");
  if (figure->by.size() == kWaysMax) return compiling.Wrong("by", "so many ways");
  for (const Breakdown& other : figure->by) {
    if (other.text.key() == text.key()) {
      return compiling.Wrong("by.key", absl::StrCat("there is another ", text.key()));
    }
  }
  RETURN_IF_ERROR(compiling.CheckInBoth("by.words", text.words()));
  RETURN_IF_ERROR(CheckBands(compiling, text));
  Breakdown by{.text = text};
  RETURN_IF_ERROR(compiling.Compile(names.environment, "by.is", text.is(), Type::Dyn(), &by.is));
  if (!by.is) return compiling.Wrong("by.is", "it is to be said");
  ASSIGN_OR_RETURN(by.kind, KindOf(compiling, text, by.is->type()));
  if (by.kind == Breakdown::Kind::kEnum) by.enumeration = by.is->type().enumeration();
  if (by.kind == Breakdown::Kind::kCode) {
    by.codes = FindCodeTable(text.code_table());
    if (by.codes == nullptr) {
      return compiling.Wrong("by.code_table", absl::StrCat("there is no ", text.code_table()));
    }
  }
  figure->by.push_back(std::move(by));
  return absl::OkStatus();
}

// Whoever stands above is told sums of what they may not read.
absl::Status FigureCompiler::CheckToldTo(const Compiling& compiling, const Figure& figure) const {
  if (figure.text.smallest_group() > 0) return absl::OkStatus();
  if (figure.MayBeReadBy({.at_home = AudienceOf(SUPERIOR)}, schema_)) return absl::OkStatus();
  return compiling.Wrong("smallest_group", "it is to be said: a superior may not read all of it");
}

void FigureCompiler::AddReads(const cel::Program& program, Figure* figure) const {
  for (const cel::FieldUse& use : program.fields()) {
    absl::string_view root = use.root;
    Figure::Fields* fields = nullptr;
    const RecordType* type = figure->of;
    if (root == "this") {
      fields = &figure->reads;
    } else if (absl::ConsumeSuffix(&root, "()")) {
      type = schema_.FindByName(root);
      if (type == nullptr && absl::ConsumeSuffix(&root, "Of")) type = schema_.FindByName(root);
      if (type != nullptr) fields = &figure->others[type->number];
    }
    if (fields == nullptr) continue;
    if (!use.path.empty()) {
      fields->insert(use.path.front());
      continue;
    }
    for (const FieldRule& rule : type->fields.rules()) fields->insert(rule.descriptor);
  }
}

const FigureCompiler::Names& FigureCompiler::NamesFor(const RecordType& type,
                                                      const FieldDescriptor* each) {
  const auto [it, fresh] = names_.try_emplace({type.number, each});
  if (!fresh) return it->second;
  Names& names = it->second;
  AddFunctions(parameters_, calendars_, &names.environment);
  AddRecords(schema_, &names.environment);
  names.self = names.environment.AddVariable("this", Type::Message(*type.descriptor));
  names.id = names.environment.AddVariable("id", Type::Bytes());
  if (each != nullptr) {
    names.element = names.environment.AddVariable("each", Type::Message(*each->message_type()));
  }
  return names;
}

absl::StatusOr<Balance> FigureCompiler::Compile(const rules::v1::Balance& text,
                                                const std::vector<Figure>& figures) {
  const Compiling compiling(text.key());
  RETURN_IF_ERROR(compiling.CheckInBoth("words", text.words()));
  RETURN_IF_ERROR(compiling.CheckSource(text.source(), text.certainty()));
  Balance balance{.text = text};
  const auto add = [&](const char* field, const auto& keys, bool stands,
                       std::vector<const Figure*>* to) -> absl::Status {
    for (const std::string& key : keys) {
      const Figure* figure = FindFigure(figures, key);
      if (figure == nullptr) return compiling.Wrong(field, absl::StrCat("there is no ", key));
      if (figure->stands() != stands) {
        return compiling.Wrong(field, absl::StrCat(key, stands ? " does not stand" : " stands"));
      }
      to->push_back(figure);
    }
    return absl::OkStatus();
  };
  RETURN_IF_ERROR(add("stock", text.stock(), true, &balance.stock));
  RETURN_IF_ERROR(add("plus", text.plus(), false, &balance.plus));
  RETURN_IF_ERROR(add("minus", text.minus(), false, &balance.minus));
  if (balance.stock.empty()) return compiling.Wrong("stock", "it is to be said");
  return balance;
}

absl::Status FigureCompiler::CheckParts(const std::vector<Figure>& figures) {
  for (const Figure& figure : figures) {
    const std::string& whole = figure.text.out_of();
    if (whole.empty() || FindFigure(figures, whole) != nullptr) continue;
    return Compiling(figure.text.key()).Wrong("out_of", absl::StrCat("there is no ", whole));
  }
  return absl::OkStatus();
}

}  // namespace zhibu::rules
