// The rule book: what is in force, and whether a file of rules can be read.
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "client-core/actions/books.h"
#include "client-core/actions/known.h"
#include "client-core/cli/commands.h"
#include "client-core/cli/resolve.h"
#include "sync/base/date.h"
#include "sync/base/reason.h"
#include "sync/base/status.h"
#include "sync/rules/book/book.h"
#include "zhibu/records/v1/organisation.pb.h"

namespace zhibu::client {
namespace {

using Json = nlohmann::json;
using records::v1::Grant;
using records::v1::Organisation;
using records::v1::RuleSupplement;
using rules::Book;

struct RulesArguments {
  std::string file;
  std::string title;
  std::string number;
  std::string by;
  std::vector<std::string> to;
  std::string id;
};

absl::StatusOr<std::string> ReadText(const std::string& file) {
  std::ifstream stream(file);
  if (!stream) {
    return Refuse(sync::v1::NOT_HERE, InBoth(absl::StrCat("能读取的文件 ", file),
                                             absl::StrCat("file to be read as ", file)));
  }
  return std::string(std::istreambuf_iterator<char>(stream), {});
}

// The organisation that the owner acts for, where it is one.
absl::StatusOr<Id> MakerFrom(Store& store, const std::string& by) {
  if (!by.empty()) return BranchFrom(store, by);
  ASSIGN_OR_RETURN(const Identity identity, store.GetIdentity());
  ASSIGN_OR_RETURN(const auto only,
                   OnlyOne<Grant>(
                       store,
                       [&](const Id&, const Grant& grant) {
                         return grant.person_id() == identity.person.bytes() &&
                                (grant.office() == SECRETARY || grant.office() == DEPUTY);
                       },
                       "--by"));
  const auto maker =
      only ? Id::FromBytes(store.Edit<Grant>(*only)->message<Grant>().organisation_id())
           : std::nullopt;
  if (maker) return *maker;
  return Refuse(sync::v1::NOT_HERE, InBoth("您任书记或副书记的党组织；请用 --by 写明",
                                           "organisation of which you are secretary or deputy; "
                                           "name it by --by"));
}

absl::StatusOr<Draft> Issue(const RulesArguments& arguments, Store& store) {
  NewSupplement supplement{.title = arguments.title, .number = arguments.number};
  ASSIGN_OR_RETURN(supplement.text, ReadText(arguments.file));
  for (const std::string& to : arguments.to) {
    ASSIGN_OR_RETURN(const Id addressee, BranchFrom(store, to));
    supplement.addressees.push_back(addressee);
  }
  ASSIGN_OR_RETURN(const Id maker, MakerFrom(store, arguments.by));
  return IssueSupplement(store, maker, supplement);
}

absl::StatusOr<Draft> Repeal(const RulesArguments& arguments, Store& store) {
  ASSIGN_OR_RETURN(Draft draft, DraftFrom<RuleSupplement>(store, arguments.id));
  return RepealSupplement(store, std::move(draft));
}

std::string CertaintyOf(rules::v1::Certainty certainty, const Output& output) {
  switch (certainty) {
    case rules::v1::SURE:
      return output.Say("有明文", "by the text");
    case rules::v1::LIKELY:
      return output.Say("据二手资料", "by a secondary source");
    case rules::v1::LOCAL:
      return output.Say("各地不同", "differs from place to place");
    default:
      return "";
  }
}

Json JsonOf(const rules::v1::Parameter& parameter, bool in_force) {
  return {{"key", parameter.key()},   {"value", parameter.value()},   {"unit", parameter.unit()},
          {"from", parameter.from()}, {"source", parameter.source()}, {"inForce", in_force}};
}

Json JsonOf(const rules::Check& check, const Output& output) {
  return {{"key", check.text.key()},       {"words", In(output.language, check.text.words())},
          {"of", check.of->name},          {"hard", check.text.hard()},
          {"source", check.text.source()}, {"from", check.text.from()},
          {"until", check.text.until()}};
}

std::string TextOf(const rules::Check& check, const Output& output) {
  const rules::v1::Check& rule = check.text;
  std::string text =
      absl::StrCat(rule.hard() ? output.Say("  （必须）", "  (hard) ") : "  ", rule.key(),
                   output.Say("：", ": "), In(output.language, rule.words()),
                   output.Say("；自 ", "; from "), rule.from().empty() ? "–" : rule.from());
  if (!rule.until().empty()) {
    absl::StrAppend(&text, output.Say("，至 ", ", until "), rule.until());
  }
  absl::StrAppend(&text, output.Say("；", "; "), rule.source(), output.Say("；", "; "),
                  CertaintyOf(rule.certainty(), output), "\n");
  return text;
}

Json JsonOf(const rules::Figure& figure, const Output& output) {
  Json by = Json::array();
  for (const rules::Breakdown& way : figure.by) by.push_back(way.text.key());
  return {{"key", figure.text.key()},
          {"words", In(output.language, figure.text.words())},
          {"of", figure.of->name},
          {"source", figure.text.source()},
          {"by", by},
          {"outOf", figure.text.out_of()}};
}

std::string TextOf(const rules::Figure& figure, const Output& output) {
  std::string text = absl::StrCat("  ", figure.text.key(), output.Say("：", ": "),
                                  In(output.language, figure.text.words()));
  for (size_t i = 0; i < figure.by.size(); ++i) {
    absl::StrAppend(&text, i == 0 ? output.Say("，分", ", by ") : output.Say("、", ", "),
                    In(output.language, figure.by[i].text.words()));
  }
  absl::StrAppend(&text, output.Say("；", "; "), figure.text.source(), output.Say("；", "; "),
                  CertaintyOf(figure.text.certainty(), output), "\n");
  return text;
}

// What organisations above have added here.
absl::Status AddSupplements(Store& store, const Output& output, Json* json, std::string* text) {
  ASSIGN_OR_RETURN(const std::vector<BookHere> books, BooksHere(store));
  if (books.size() > 1) {
    absl::StrAppend(text, output.Say("上级补充规定\n", "Added by organisations above\n"));
  }
  for (const BookHere& here : books) {
    if (here.shipped()) continue;
    const RuleSupplement& made = here.supplement;
    const auto maker = Id::FromBytes(made.organisation_id());
    const std::string by =
        maker ? NameOfRecord(store, *store.schema().Find(Organisation::descriptor()), *maker) : "";
    absl::StrAppend(text, "  ", made.title(), output.Say("（", " ("), by, " ", made.number(),
                    output.Say("）\n", ")\n"));
    Json rules = Json::array();
    if (here.book == nullptr) {
      absl::StrAppend(text,
                      output.Say("    本版本不能理解：", "    this version does not understand: "),
                      here.unknown, "\n");
    } else {
      for (const rules::Obligation& obligation : here.book->obligations()) {
        rules.push_back(obligation.text.key());
        absl::StrAppend(text, "    ", obligation.text.key(), output.Say("：", ": "),
                        In(output.language, obligation.text.words()), "\n");
      }
      for (const auto& [number, of_type] : here.book->checks()) {
        for (const rules::Check& check : of_type) {
          rules.push_back(check.text.key());
          absl::StrAppend(text, "  ", TextOf(check, output));
        }
      }
    }
    json->push_back({{"title", made.title()},
                     {"number", made.number()},
                     {"by", by},
                     {"rules", rules},
                     {"unknown", here.unknown}});
  }
  return absl::OkStatus();
}

// What was in force before, what will be, and what another source says, stands beside it.
absl::Status ShowRules(const RulesArguments&, Store& store, const Output& output) {
  ASSIGN_OR_RETURN(const absl::CivilDay today, Today(store));
  const Book& book = rules::ShippedBook();
  Json parameters = Json::array();
  Json obligations = Json::array();
  std::string text = output.Say("数值\n", "Numbers\n");
  for (const rules::v1::Parameter& parameter : book.parameters().All()) {
    const rules::v1::Parameter* found = book.parameters().InForce(parameter.key(), today);
    const bool in_force =
        found != nullptr && !parameter.not_in_force() && found->from() == parameter.from();
    parameters.push_back(JsonOf(parameter, in_force));
    absl::StrAppend(&text, in_force ? "  " : output.Say("  （现不适用）", "  (not in force) "),
                    parameter.key(), " = ", parameter.value(), " ", parameter.unit(),
                    output.Say("；自 ", "; from "),
                    parameter.from().empty() ? "–" : parameter.from(), output.Say("；", "; "),
                    parameter.source(), output.Say("；", "; "),
                    CertaintyOf(parameter.certainty(), output), "\n");
  }
  absl::StrAppend(&text, output.Say("应办事项\n", "What is to be done\n"));
  for (const rules::Obligation& obligation : book.obligations()) {
    const rules::v1::Obligation& rule = obligation.text;
    obligations.push_back({{"key", rule.key()},
                           {"words", In(output.language, rule.words())},
                           {"each", rule.each()},
                           {"source", rule.source()},
                           {"from", rule.from()}});
    absl::StrAppend(&text, "  ", rule.key(), output.Say("：", ": "),
                    In(output.language, rule.words()), output.Say("；自 ", "; from "),
                    rule.from().empty() ? "–" : rule.from(), output.Say("；", "; "), rule.source(),
                    output.Say("；", "; "), CertaintyOf(rule.certainty(), output), "\n");
  }
  Json checks = Json::array();
  absl::StrAppend(&text, output.Say("须符合的规定\n", "What must hold\n"));
  for (const auto& [number, of_type] : book.checks()) {
    for (const rules::Check& check : of_type) {
      checks.push_back(JsonOf(check, output));
      absl::StrAppend(&text, TextOf(check, output));
    }
  }
  Json figures = Json::array();
  absl::StrAppend(&text, output.Say("汇总指标\n", "What it adds up to\n"));
  for (const rules::Figure& figure : book.figures()) {
    figures.push_back(JsonOf(figure, output));
    absl::StrAppend(&text, TextOf(figure, output));
  }
  for (const rules::Balance& balance : book.balances()) {
    figures.push_back({{"key", balance.text.key()},
                       {"words", In(output.language, balance.text.words())},
                       {"source", balance.text.source()}});
    absl::StrAppend(&text, "  ", balance.text.key(), output.Say("：", ": "),
                    In(output.language, balance.text.words()), output.Say("；", "; "),
                    balance.text.source(), "\n");
  }
  Json calendars = Json::array();
  absl::StrAppend(&text, output.Say("工作日历\n", "Calendars of working days\n"));
  for (const rules::v1::Calendar& calendar : book.calendars().All()) {
    calendars.push_back({{"year", calendar.year()}, {"source", calendar.source()}});
    absl::StrAppend(&text, "  ", calendar.year(), output.Say("：", ": "), calendar.source(), "\n");
  }
  for (const std::string& key : book.unknown()) {
    absl::StrAppend(&text, output.Say("本版本不能理解：", "This version does not understand: "),
                    key, "\n");
  }
  Json supplements = Json::array();
  RETURN_IF_ERROR(AddSupplements(store, output, &supplements, &text));
  output.Print({{"parameters", parameters},
                {"obligations", obligations},
                {"checks", checks},
                {"figures", figures},
                {"calendars", calendars},
                {"supplements", supplements},
                {"unknown", book.unknown()}},
               text);
  return absl::OkStatus();
}

// As the book would be with that file in it, or in the place of the one of the same name.
absl::Status CheckRules(const RulesArguments& arguments, const Output& output) {
  ASSIGN_OR_RETURN(std::string written, ReadText(arguments.file));
  const std::string name = arguments.file.substr(arguments.file.rfind('/') + 1);
  std::vector<rules::RuleText> files;
  for (const rules::RuleText& shipped : rules::ShippedFiles()) {
    if (shipped.name != name) files.push_back(shipped);
  }
  files.push_back({name, std::move(written)});
  ASSIGN_OR_RETURN(const auto book, Book::Compile(files, *CatalogueSchema()));
  if (!book->unknown().empty()) {
    return absl::InvalidArgumentError(absl::StrCat(name, ": ", book->unknown().front()));
  }
  size_t checks = 0;
  for (const auto& [number, of_type] : book->checks()) checks += of_type.size();
  const size_t figures = book->figures().size();
  output.Print(
      {{"obligations", book->obligations().size()},
       {"checks", checks},
       {"figures", figures},
       {"ledgers", book->ledgers().size()}},
      absl::StrCat(book->obligations().size(), output.Say(" 项应办事项、", " obligations, "),
                   checks, output.Say(" 项规定、", " checks, "), figures,
                   output.Say(" 项指标、", " figures and "), book->ledgers().size(),
                   output.Say(" 种台账可用", " ledgers can be used")));
  return absl::OkStatus();
}

}  // namespace

void AddRulesCommands(const Parent& device) {
  Commands<RulesArguments> commands(device.AddGroup("rules", "The rule book"));
  commands.Add("list", "What it says, by which source and from when", &ShowRules);
  commands.Add("check", "Whether a file of rules can be read, and what is wrong with it",
               &CheckRules,
               {{"FILE", &RulesArguments::file, "As those in proto/rules", kRequired}});
  commands.Add(
      "issue", "Add rules for the organisations below yours (上级补充规定)", Committing(&Issue),
      {{"FILE", &RulesArguments::file,
        "Obligations and checks as in proto/rules, each key beginning with local.", kRequired},
       {"--title", &RulesArguments::title, "What they are called", kRequired},
       {"--number", &RulesArguments::number, "Of the document (文号)"},
       {"--by", &RulesArguments::by, "Name of the organisation; if not given, yours"},
       {"--to", &RulesArguments::to, "Names or ids of those below; default: all of them"}});
  commands.Add("repeal", "End rules that your organisation has added", Committing(&Repeal),
               {{"TITLE", &RulesArguments::id, "As rules list shows it", kRequired}});
}

}  // namespace zhibu::client
