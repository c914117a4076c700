// What is not as the rule book has it.
#include "client-core/actions/checks.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "client-core/actions/known.h"
#include "client-core/cli/commands.h"
#include "sync/base/status.h"
#include "sync/base/words.h"

namespace zhibu::client {
namespace {

using Json = nlohmann::json;

struct ChecksArguments {};

Json JsonOf(const Irregular& one, const std::string& name, const Output& output) {
  const rules::Check& check = *one.finding.check;
  Json json = {{"key", check.text.key()},
               {"words", In(output.language, one.finding.words)},
               {"hard", check.text.hard()},
               {"type", check.of->name},
               {"id", TextOf(one.id)},
               {"name", name},
               {"day", absl::FormatCivilTime(one.finding.day)},
               {"source", check.text.source()}};
  if (check.field != nullptr) json["field"] = check.field->name();
  if (!one.because.empty()) json["because"] = one.because;
  return json;
}

std::string TextOf(const Irregular& one, const std::string& name, const Output& output) {
  const rules::Check& check = *one.finding.check;
  std::string text = absl::StrCat(
      "  ", absl::FormatCivilTime(one.finding.day), "  ",
      WordsOf(*check.of->descriptor, output.language), output.Say("：", ": "), name,
      "\n              ", In(output.language, one.finding.words), output.Say("（", " ("),
      check.text.key(), output.Say("；依据 ", "; source "), check.text.source());
  if (check.field != nullptr) {
    absl::StrAppend(&text, output.Say("；请核对 ", "; look at "),
                    WordsOf(*check.field, output.language));
  }
  absl::StrAppend(&text, output.Say("）\n", ")\n"));
  if (!one.because.empty()) {
    absl::StrAppend(&text, output.Say("              说明：", "              because: "),
                    one.because, "\n");
  }
  return text;
}

absl::Status ShowChecks(const ChecksArguments&, Store& store, const Output& output) {
  ASSIGN_OR_RETURN(const IrregularHere found, WhatIsIrregular(store));
  Names names(store, output.language);
  Json records = Json::array();
  std::string irregular, noted;
  for (const Irregular& one : found.records) {
    const std::string name = NameOfRecord(store, *one.finding.check->of, one.id);
    records.push_back(JsonOf(one, name, output));
    absl::StrAppend(one.finding.check->text.hard() ? &irregular : &noted,
                    TextOf(one, names.TitleOf(*one.finding.check->of, one.id), output));
  }
  std::string text;
  if (!irregular.empty()) absl::StrAppend(&text, output.Say("不合规\n", "Irregular\n"), irregular);
  if (!noted.empty()) absl::StrAppend(&text, output.Say("请核对\n", "To be looked at\n"), noted);
  Json undated = Json::array();
  std::string unjudged;
  for (const Undated& one : found.undated) {
    undated.push_back({{"type", one.type->name}, {"id", TextOf(one.id)}});
    absl::StrAppend(&unjudged, "  ", output.TitleOf(names, *one.type, one.id), "\n");
  }
  if (!unjudged.empty()) {
    absl::StrAppend(
        &text,
        output.Say("未作判断：没有写日期，补上后才能核对\n",
                   "Not judged: no day is written down; fill it in to have them looked at\n"),
        unjudged);
  }
  for (const std::string& fault : found.faults) {
    absl::StrAppend(&text, output.Say("规则有误，未作判断：", "A rule is wrong and says nothing: "),
                    fault, "\n");
  }
  absl::StrAppend(&text, output.Say("共 ", "found: "), records.size(), output.Say(" 项", ""));
  output.Print({{"checks", records}, {"undated", undated}, {"faults", found.faults}}, text);
  return absl::OkStatus();
}

}  // namespace

void AddChecksCommand(const Parent& device) {
  Commands<ChecksArguments> commands(device);
  commands.Add("checks", "What of the records here is not as the rule book has it", &ShowChecks);
}

}  // namespace zhibu::client
