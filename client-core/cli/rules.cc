// The rule book: what is in force, and whether a file of rules can be read.
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "client-core/actions/known.h"
#include "client-core/cli/commands.h"
#include "sync/base/date.h"
#include "sync/base/status.h"
#include "sync/rules/book/book.h"

namespace zhibu::client {
namespace {

using Json = nlohmann::json;
using rules::Book;

struct Arguments {
  std::string file;
};

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

// What was in force before, what will be, and what another source says, stands beside it.
absl::Status ShowRules(const Arguments&, Store& store, const Output& output) {
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
  output.Print({{"parameters", parameters},
                {"obligations", obligations},
                {"checks", checks},
                {"figures", figures},
                {"calendars", calendars},
                {"unknown", book.unknown()}},
               text);
  return absl::OkStatus();
}

// As the book would be with that file in it, or in the place of the one of the same name.
absl::Status CheckRules(const Arguments& arguments, const Output& output) {
  std::ifstream stream(arguments.file);
  if (!stream) return absl::NotFoundError(absl::StrCat("cannot read ", arguments.file));
  const std::string name = arguments.file.substr(arguments.file.rfind('/') + 1);
  std::vector<rules::RuleText> files;
  for (const rules::RuleText& shipped : rules::ShippedFiles()) {
    if (shipped.name != name) files.push_back(shipped);
  }
  files.push_back({name, {std::istreambuf_iterator<char>(stream), {}}});
  ASSIGN_OR_RETURN(const auto book, Book::Compile(files, *CatalogueSchema()));
  if (!book->unknown().empty()) {
    return absl::InvalidArgumentError(absl::StrCat(name, ": ", book->unknown().front()));
  }
  size_t checks = 0;
  for (const auto& [number, of_type] : book->checks()) checks += of_type.size();
  const size_t figures = book->figures().size();
  output.Print(
      {{"obligations", book->obligations().size()}, {"checks", checks}, {"figures", figures}},
      absl::StrCat(book->obligations().size(), output.Say(" 项应办事项、", " obligations, "),
                   checks, output.Say(" 项规定、", " checks and "), figures,
                   output.Say(" 项指标可用", " figures can be used")));
  return absl::OkStatus();
}

}  // namespace

void AddRulesCommands(const Parent& device) {
  Commands<Arguments> commands(device.AddGroup("rules", "The rule book"));
  commands.Add("list", "What it says, by which source and from when", &ShowRules);
  commands.Add("check", "Whether a file of rules can be read, and what is wrong with it",
               &CheckRules, {{"FILE", &Arguments::file, "As those in proto/rules", kRequired}});
}

}  // namespace zhibu::client
