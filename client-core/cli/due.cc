// What is due, from the rule book, and what is said to what may be recorded twice.
#include "client-core/actions/due.h"

#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "client-core/actions/distinct.h"
#include "client-core/actions/reversal.h"
#include "client-core/cli/commands.h"
#include "client-core/cli/resolve.h"
#include "sync/base/status.h"
#include "zhibu/schema/v1/options.pb.h"

namespace zhibu::client {
namespace {

using Json = nlohmann::json;

struct DueArguments {
  std::string on;
};

// Of a record that may be recorded twice, or was recorded wrongly.
struct RecordArguments {
  std::string type;
  std::string record;
  std::string why;
};

struct Heading {
  const char* name;
  const char* zh;
  const char* en;
};

Heading HeadingOf(rules::Standing standing) {
  switch (standing) {
    case rules::Standing::kOverdue:
      return {"OVERDUE", "已逾期", "Overdue"};
    case rules::Standing::kDue:
      return {"DUE", "应办", "Due"};
    case rules::Standing::kQuestion:
      return {"QUESTION", "待核实（由人决定）", "Questions, for people to decide"};
    case rules::Standing::kComing:
      return {"COMING", "将到期", "Coming"};
  }
  return {"", "", ""};
}

std::string WhoOf(const rules::v1::Obligation& text, const Output& output) {
  std::string who;
  for (const int office : text.who()) {
    absl::StrAppend(&who, who.empty() ? "" : output.Say("、", ", "),
                    output.Label(*Office_descriptor(), office));
  }
  return who;
}

Json JsonOf(const rules::DueItem& item, const std::string& name, const Output& output) {
  const rules::v1::Obligation& text = item.obligation->text;
  Json json = {{"key", text.key()},
               {"words", In(output.language, text.words())},
               {"standing", HeadingOf(item.standing).name},
               {"last", absl::FormatCivilTime(item.last)},
               {"missing", item.missing},
               {"type", item.obligation->each->name},
               {"id", TextOf(item.subject)},
               {"name", name},
               {"source", text.source()},
               {"next", In(output.language, text.next())}};
  if (!item.period.empty()) json["period"] = item.period;
  if (item.same_as) json["sameAs"] = TextOf(*item.same_as);
  json["who"] = Json::array();
  for (const int office : text.who()) {
    json["who"].push_back(Office_Name(static_cast<Office>(office)));
  }
  return json;
}

std::string ManyOf(const rules::DueItem& item, const Output& output) {
  if (item.same_as) {
    return output.Say(absl::StrCat("（后登记的共 ", item.missing, " 条）"),
                      absl::StrCat(" (", item.missing, " recorded later)"));
  }
  return output.Say(absl::StrCat("（缺 ", item.missing, " 次）"),
                    absl::StrCat(" (", item.missing, " missing)"));
}

std::string TextOf(const rules::DueItem& item, Names& names, const Output& output) {
  const rules::v1::Obligation& text = item.obligation->text;
  std::string line =
      absl::StrCat("  ", absl::FormatCivilTime(item.last), "  ", In(output.language, text.words()));
  if (!item.period.empty()) absl::StrAppend(&line, " ", item.period);
  if (item.missing > 1) absl::StrAppend(&line, ManyOf(item, output));
  absl::StrAppend(&line, output.Say("：", ": "),
                  names.TitleOf(*item.obligation->each, item.subject));
  if (item.same_as) {
    absl::StrAppend(&line, output.Say("，与 ", ", as "),
                    names.TitleOf(*item.obligation->each, *item.same_as));
  }
  constexpr absl::string_view kBelow = "\n              ";
  absl::StrAppend(&line, kBelow, In(output.language, text.next()), output.Say("（", " ("),
                  WhoOf(text, output), output.Say("；依据 ", "; source "), text.source(),
                  output.Say("）", ")"));
  if (item.same_as) {
    // Both may bear the same title.
    absl::StrAppend(&line, kBelow, output.Say("较早的一条：", "the earlier: "),
                    TextOf(*item.same_as), kBelow, output.Say("本条：", "this one: "),
                    TextOf(item.subject), kBelow, output.Say("确是另一件：", "it is another: "),
                    "device distinct ", item.obligation->each->name, " ", TextOf(item.subject));
    if (IsReversible(*item.obligation->each)) {
      absl::StrAppend(&line, kBelow, output.Say("记重了：", "it is the same: "), "device reverse ",
                      item.obligation->each->name, " ", TextOf(item.subject));
    }
  }
  return line + "\n";
}

absl::Status ShowDue(const DueArguments& arguments, Store& store, const Output& output) {
  ASSIGN_OR_RETURN(const std::optional<absl::CivilDay> day, DayIfGiven(arguments.on));
  ASSIGN_OR_RETURN(const DueHere due, WhatIsDue(store, day));
  Names names(store, output.language);
  Json items = Json::array();
  std::string text;
  std::optional<rules::Standing> under;
  for (const rules::DueItem& item : due.list.items) {
    const std::string name = NameOfSubject(store, item);
    items.push_back(JsonOf(item, name, output));
    const Heading heading = HeadingOf(item.standing);
    if (under != item.standing) absl::StrAppend(&text, output.Say(heading.zh, heading.en), "\n");
    under = item.standing;
    absl::StrAppend(&text, TextOf(item, names, output));
  }
  for (const std::string& fault : due.list.faults) {
    absl::StrAppend(&text, output.Say("规则有误，未作判断：", "A rule is wrong and says nothing: "),
                    fault, "\n");
  }
  const std::string as_of = absl::FormatCivilTime(due.as_of);
  absl::StrAppend(&text, output.Say("截至 ", "as of "), as_of, output.Say("，共 ", ": "),
                  items.size(), output.Say(" 项", " found"));
  output.Print({{"asOf", as_of}, {"due", items}, {"faults", due.list.faults}}, text);
  return absl::OkStatus();
}

absl::StatusOr<Draft> Distinct(const RecordArguments& arguments, Store& store) {
  ASSIGN_OR_RETURN(const RecordType* type, TypeFrom(store, arguments.type));
  ASSIGN_OR_RETURN(const Id id, RecordFrom(store, *type, arguments.record));
  return SayDistinct(store, *type, id, arguments.why);
}

absl::StatusOr<Draft> TakeBack(const RecordArguments& arguments, Store& store) {
  ASSIGN_OR_RETURN(const RecordType* type, TypeFrom(store, arguments.type));
  ASSIGN_OR_RETURN(const Id id, RecordFrom(store, *type, arguments.record));
  return Reverse(store, *type, id, arguments.why);
}

}  // namespace

void AddDueCommand(const Parent& device) {
  Commands<DueArguments> commands(device);
  commands.Add("due", "What is to be done, from the rule book and what is recorded here", &ShowDue,
               {{"--on", &DueArguments::on, "As of this day, 2026-01-31; today by default"}});
  const auto record = [](const char* why) -> std::vector<Option<RecordArguments>> {
    return {{"TYPE", &RecordArguments::type, "Its type, as DuesPayment or 党费", kRequired},
            {"RECORD", &RecordArguments::record, "Its title or id, as due shows it", kRequired},
            {"--why", &RecordArguments::why, why}};
  };
  Commands<RecordArguments> of_a_record(device);
  of_a_record.Add("distinct",
                  "What may be recorded twice is two facts: due asks no more of this one",
                  Committing(&Distinct), record("Why there are two"));
  of_a_record.Add("reverse",
                  "Take back (冲正) a payment, dues handed up, an entry of the funds or aid",
                  Committing(&TakeBack),
                  record("Why; a payment and an entry of the funds have a place for it"));
}

}  // namespace zhibu::client
