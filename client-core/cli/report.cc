// What the figures of the rule book come to.
#include "client-core/actions/report.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "client-core/actions/ask.h"
#include "client-core/actions/held_here.h"
#include "client-core/actions/known.h"
#include "client-core/cli/commands.h"
#include "client-core/cli/resolve.h"
#include "client-core/transport/syncer.h"
#include "sync/base/status.h"
#include "zhibu/records/v1/member.pb.h"

namespace zhibu::client {
namespace {

using Json = nlohmann::json;
using google::protobuf::Message;
using rules::Figure;
using rules::Months;

struct ReportArguments {
  std::string organisation;
  std::string year;
  std::string quarter;
  std::string month;
  std::string people;
  bool below = false;
  int timeout_s = 30;
};

// The records of an organisation and those below it, as the server shows them.
class AskedBelow final : public rules::Records {
 public:
  AskedBelow(Store& store, const Id& organisation, absl::Duration timeout)
      : syncer_(&store), organisation_(organisation), timeout_(timeout) {}

  absl::Status List(const RecordType& type,
                    absl::FunctionRef<void(const Id&, const Message&)> visit) override {
    absl::Status read;
    RETURN_IF_ERROR(syncer_.Ask(
        AskBelow(type, organisation_),
        [&](const sync::v1::Page& page) {
          read.Update(ReadPage(type, page, visit));
          return read.ok() || absl::IsDataLoss(read);
        },
        timeout_));
    return absl::IsDataLoss(read) ? absl::OkStatus() : read;
  }

 private:
  Syncer syncer_;
  const Id organisation_;
  const absl::Duration timeout_;
};

struct Asked {
  Id organisation;
  std::string period;
  Months months;
  bool below = false;
};

absl::StatusOr<Asked> WhatIsAsked(const ReportArguments& arguments, Store& store,
                                  const Output& output) {
  Asked asked{.below = arguments.below};
  if (arguments.organisation.empty()) {
    ASSIGN_OR_RETURN(const Identity identity, store.GetIdentity());
    ASSIGN_OR_RETURN(asked.organisation, BranchOfMember(store, identity.person));
  } else {
    ASSIGN_OR_RETURN(asked.organisation, BranchFrom(store, arguments.organisation));
  }
  asked.period = absl::StrCat(arguments.year, arguments.quarter, arguments.month);
  if (asked.period.empty()) {
    ASSIGN_OR_RETURN(const absl::CivilDay today, Today(store));
    asked.period = absl::StrCat(today.year());
  }
  const auto months = Months::From(asked.period);
  if (!months) {
    return absl::InvalidArgumentError(
        output.Say("时期应写作 2026、2026-Q1 或 2026-03", "a period is 2026, 2026-Q1 or 2026-03"));
  }
  asked.months = *months;
  return asked;
}

absl::StatusOr<rules::v1::Report> SummedUp(const ReportArguments& arguments, Store& store,
                                           const Asked& asked) {
  if (!asked.below) return ReportHere(store, asked.organisation, asked.months);
  absl::StatusOr<rules::v1::Report> report = absl::UnknownError("no answer");
  Syncer syncer(&store);
  RETURN_IF_ERROR(syncer.Ask(
      AskToSumUp(asked.organisation, asked.period),
      [&](const sync::v1::Page& page) {
        report = ReadReport(page);
        return false;
      },
      absl::Seconds(arguments.timeout_s)));
  return report;
}

absl::StatusOr<const Figure*> FigureFrom(const std::string& key, const Output& output) {
  const Figure* figure = rules::ShippedBook().FindFigure(key);
  if (figure != nullptr) return figure;
  std::string known;
  for (const Figure& one : rules::ShippedBook().figures()) {
    absl::StrAppend(&known, " ", one.text.key());
  }
  return absl::InvalidArgumentError(absl::StrCat(output.Say("没有指标 ", "no figure "), key,
                                                 output.Say("；有", "; there are"), known));
}

// Names and no more: what else is known of somebody is not what was asked.
absl::StatusOr<std::map<Id, std::string>> NamesBelow(Store& store, rules::Records& records) {
  std::map<Id, std::string> names;
  RETURN_IF_ERROR(records.List(*store.schema().Find(records::v1::Member::descriptor()),
                               [&](const Id& id, const Message& member) {
                                 names[id] = static_cast<const records::v1::Member&>(member).name();
                               }));
  return names;
}

absl::Status ShowPeople(const ReportArguments& arguments, Store& store, const Asked& asked,
                        const Output& output) {
  ASSIGN_OR_RETURN(const Figure* figure, FigureFrom(arguments.people, output));
  std::unique_ptr<rules::Records> records = std::make_unique<HeldHere>(store);
  std::map<Id, std::string> names;
  if (asked.below) {
    records =
        std::make_unique<AskedBelow>(store, asked.organisation, absl::Seconds(arguments.timeout_s));
    ASSIGN_OR_RETURN(names, NamesBelow(store, *records));
  } else if (!MayReadHere(store, *figure, asked.organisation)) {
    return absl::PermissionDeniedError(
        output.Say("本机不掌握该指标的记录", "the records behind this figure are not known here"));
  }
  ASSIGN_OR_RETURN(
      const auto people,
      PeopleBehind(store, *figure, asked.months, *records,
                   asked.below ? std::nullopt : std::optional<Id>(asked.organisation)));
  std::vector<std::pair<std::string, int64_t>> lines;
  for (const auto& [person, amount] : people) {
    const auto known = names.find(person);
    lines.emplace_back(known == names.end() ? NameOfMember(store, person.bytes()) : known->second,
                       amount);
  }
  std::sort(lines.begin(), lines.end());
  Json found = Json::array();
  std::string text = absl::StrCat(In(output.language, figure->text.words()), "\n");
  for (const auto& [name, amount] : lines) {
    found.push_back({{"name", name}, {"amount", amount}});
    absl::StrAppend(&text, "  ", name, amount == 1 ? "" : absl::StrCat("  ", amount), "\n");
  }
  output.PrintFound(found, text, " 人", " people");
  return absl::OkStatus();
}

absl::Status ShowReport(const ReportArguments& arguments, Store& store, const Output& output) {
  ASSIGN_OR_RETURN(const Asked asked, WhatIsAsked(arguments, store, output));
  if (!arguments.people.empty()) return ShowPeople(arguments, store, asked, output);
  ASSIGN_OR_RETURN(const rules::v1::Report report, SummedUp(arguments, store, asked));
  output.Print(Json::parse(ToJson(report)), rules::TextOf(report, output.language));
  return absl::OkStatus();
}

}  // namespace

void AddReportCommand(const Parent& device) {
  Commands<ReportArguments> commands(device);
  CLI::App* report = commands.Add(
      "report", "What an organisation's year comes to, from the rule book and what is recorded",
      &ShowReport,
      {{"--organisation", &ReportArguments::organisation,
        "Organisation, by id or name; one's own branch by default"},
       {"--below", &ReportArguments::below,
        "With all below it, as the server sums it up; needs a link"},
       {"--people", &ReportArguments::people,
        "Who is behind this figure, by its key: meeting.present"},
       {"--timeout", &ReportArguments::timeout_s, "Seconds until it gives up on the server"}});
  auto* period = report->add_option_group("period", "Of which time; this year by default");
  period->add_option("--year", commands.arguments().year, "2026");
  period->add_option("--quarter", commands.arguments().quarter, "2026-Q1");
  period->add_option("--month", commands.arguments().month, "2026-03");
  period->require_option(0, 1);
}

}  // namespace zhibu::client
