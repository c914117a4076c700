#include "sync/rules/book/due_report.h"

#include <algorithm>
#include <tuple>

#include "absl/strings/str_cat.h"
#include "sync/wire/shown.h"
#include "sync/wire/worded.h"

namespace zhibu::rules {
namespace {

using v1::DueReport;
using Count = DueReport::Count;

// So many organisations of a rule are named to people; the message has all.
constexpr int kPartsShown = 10;
constexpr int kWho = DueReport::Rule::kWhoFieldNumber;

void AddTo(Standing standing, Count* count) {
  switch (standing) {
    case Standing::kOverdue:
      return count->set_overdue(count->overdue() + 1);
    case Standing::kDue:
      return count->set_due(count->due() + 1);
    case Standing::kQuestion:
      return count->set_questions(count->questions() + 1);
    case Standing::kComing:
      return count->set_coming(count->coming() + 1);
  }
}

std::tuple<uint32_t, uint32_t, uint32_t, uint32_t> UrgencyOf(const Count& count) {
  return {count.overdue(), count.due(), count.questions(), count.coming()};
}

std::string TextOf(const Count& count, Language language) {
  std::string text;
  const auto say = [&](uint32_t number, const char* zh, const char* en) {
    if (number == 0) return;
    absl::StrAppend(&text, text.empty() ? "" : Say(language, "，", ", "), Say(language, zh, en),
                    number);
  };
  say(count.overdue(), "已逾期 ", "overdue: ");
  say(count.due(), "应办 ", "due: ");
  say(count.questions(), "待核实 ", "questions: ");
  say(count.coming(), "将到期 ", "coming: ");
  return text;
}

std::string TextOf(const DueReport::Rule& rule, Language language) {
  const auto* field = DueReport::Rule::descriptor()->FindFieldByNumber(kWho);
  const std::string who = zhibu::ValueOf(rule, *field, {.language = language});
  std::string text = absl::StrCat(
      In(language, rule.words()), Say(language, "：", ": "), TextOf(rule.all(), language), "\n  ",
      In(language, rule.next()), Say(language, "（", " ("), who,
      Say(language, "；依据 ", "; source "), rule.source(), Say(language, "）\n", ")\n"));
  const int shown = std::min(rule.parts_size(), kPartsShown);
  for (int i = 0; i < shown; ++i) {
    const DueReport::Part& part = rule.parts(i);
    absl::StrAppend(&text, "    ", part.organisation_name(), Say(language, "：", ": "),
                    TextOf(part.count(), language), Say(language, "，最早 ", ", since "),
                    part.oldest(), "\n");
  }
  if (shown < rule.parts_size()) {
    absl::StrAppend(&text,
                    Say(language, "    另有党组织 ", "    and of so many more organisations: "),
                    rule.parts_size() - shown, "\n");
  }
  return text;
}

}  // namespace

void DueReporter::Add(const Id& organisation, const DueList& list, bool damaged) {
  ++organisations_;
  incomplete_ = incomplete_ || damaged;
  for (const DueItem& item : list.items) {
    const rules::v1::Obligation& text = item.obligation->text;
    Told& told = rules_[absl::StrCat(text.key(), "\n", text.SerializeAsString())];
    if (told.parts.empty()) {
      told.rule.set_key(text.key());
      *told.rule.mutable_words() = text.words();
      *told.rule.mutable_next() = text.next();
      told.rule.set_source(text.source());
      *told.rule.mutable_who() = text.who();
    }
    Part& part = told.parts[organisation];
    AddTo(item.standing, told.rule.mutable_all());
    AddTo(item.standing, &part.count);
    part.oldest = std::min(part.oldest, item.last);
  }
  faults_.insert(list.faults.begin(), list.faults.end());
}

DueReport DueReporter::Tell() const {
  DueReport report;
  report.set_as_of(absl::FormatCivilTime(as_of_));
  report.set_organisations(organisations_);
  report.set_incomplete(incomplete_);
  for (const auto& [key, told] : rules_) {
    DueReport::Rule& rule = *report.add_rules();
    rule = told.rule;
    for (const auto& [organisation, part] : told.parts) {
      DueReport::Part& one = *rule.add_parts();
      one.set_organisation_id(organisation.str());
      *one.mutable_count() = part.count;
      one.set_oldest(absl::FormatCivilTime(part.oldest));
    }
    std::stable_sort(
        rule.mutable_parts()->begin(), rule.mutable_parts()->end(),
        [](const auto& a, const auto& b) { return UrgencyOf(a.count()) > UrgencyOf(b.count()); });
  }
  std::stable_sort(
      report.mutable_rules()->begin(), report.mutable_rules()->end(),
      [](const auto& a, const auto& b) { return UrgencyOf(a.all()) > UrgencyOf(b.all()); });
  for (const std::string& fault : faults_) report.add_faults(fault);
  return report;
}

std::string TextOf(const DueReport& report, Language language) {
  std::string text;
  if (report.incomplete()) {
    absl::StrAppend(&text, Say(language, "服务器上有读不出的记录，以下不全\n",
                               "records that the server cannot read are not in it\n"));
  }
  for (const DueReport::Rule& rule : report.rules()) absl::StrAppend(&text, TextOf(rule, language));
  for (const std::string& fault : report.faults()) {
    absl::StrAppend(&text,
                    Say(language, "规则有误，未作判断：", "A rule is wrong and says nothing: "),
                    fault, "\n");
  }
  return absl::StrCat(text, Say(language, "截至 ", "as of "), report.as_of(),
                      Say(language, "，党组织 ", ", organisations: "), report.organisations(),
                      "\n");
}

}  // namespace zhibu::rules
