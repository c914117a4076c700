#include "sync/rules/book/calendar.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "sync/base/date.h"

namespace zhibu::rules {
namespace {

bool IsWeekend(absl::CivilDay day) {
  const absl::Weekday weekday = absl::GetWeekday(day);
  return weekday == absl::Weekday::saturday || weekday == absl::Weekday::sunday;
}

}  // namespace

absl::Status Calendars::Add(const rules::v1::Calendar& calendar) {
  const auto wrong = [&](absl::string_view what, absl::string_view day) {
    return absl::InvalidArgumentError(
        absl::StrCat("calendar ", calendar.year(), ": ", what, ": ", day));
  };
  if (calendar.source().empty()) return wrong("it is to be said", "source");
  Year year{.text = calendar, .worked = {}};
  const auto parse = [&](const std::string& text) -> std::optional<absl::CivilDay> {
    const std::optional<absl::CivilDay> day = IsDate(text) ? DayFrom(text) : std::nullopt;
    return day && day->year() == calendar.year() ? day : std::nullopt;
  };
  for (const auto& span : calendar.off()) {
    const std::optional<absl::CivilDay> from = parse(span.from());
    const std::optional<absl::CivilDay> until = parse(span.until());
    if (!from || !until || *until < *from) {
      return wrong("no days of that year", absl::StrCat(span.from(), "–", span.until()));
    }
    for (absl::CivilDay day = *from; day <= *until; ++day) year.worked[day] = false;
  }
  for (const std::string& text : calendar.worked()) {
    const std::optional<absl::CivilDay> day = parse(text);
    if (!day) return wrong("no day of that year", text);
    if (!IsWeekend(*day)) return wrong("it is no Saturday or Sunday", text);
    if (!year.worked.emplace(*day, true).second) return wrong("it is off and worked", text);
  }
  if (!years_.emplace(calendar.year(), std::move(year)).second) return wrong("there are two", "");
  return absl::OkStatus();
}

std::optional<bool> Calendars::IsWorked(absl::CivilDay day) const {
  const auto year = years_.find(day.year());
  if (year == years_.end()) return std::nullopt;
  const auto named = year->second.worked.find(day);
  return named == year->second.worked.end() ? !IsWeekend(day) : named->second;
}

std::optional<absl::CivilDay> Calendars::AddWorkdays(absl::CivilDay day, int64_t count) const {
  while (count > 0) {
    const std::optional<bool> worked = IsWorked(++day);
    if (!worked) return std::nullopt;
    count -= *worked ? 1 : 0;
  }
  return day;
}

std::optional<int64_t> Calendars::WorkdaysBetween(absl::CivilDay from, absl::CivilDay until) const {
  int64_t count = 0;
  for (absl::CivilDay day = from; day <= until; ++day) {
    const std::optional<bool> worked = IsWorked(day);
    if (!worked) return std::nullopt;
    count += *worked ? 1 : 0;
  }
  return count;
}

std::vector<rules::v1::Calendar> Calendars::All() const {
  std::vector<rules::v1::Calendar> all;
  for (const auto& [year, calendar] : years_) all.push_back(calendar.text);
  return all;
}

}  // namespace zhibu::rules
