// The rule book: what is in force, and whether a file of rules can be read.
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
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
    absl::StrAppend(&text, in_force ? "  " : output.Say("  （未生效）", "  (not in force) "),
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
  for (const std::string& key : book.unknown()) {
    absl::StrAppend(&text, output.Say("本版本不能理解：", "This version does not understand: "),
                    key, "\n");
  }
  output.Print(
      {{"parameters", parameters}, {"obligations", obligations}, {"unknown", book.unknown()}},
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
  std::string text = absl::StrCat(book->obligations().size(),
                                  output.Say(" 项应办事项可用", " obligations can be used"));
  output.Print({{"obligations", book->obligations().size()}}, text);
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
