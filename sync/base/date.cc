#include "sync/base/date.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/time/civil_time.h"
#include "absl/time/time.h"

namespace zhibu {
namespace {

constexpr int kChinaSeconds = 8 * 3600;

std::optional<absl::CivilDay> DayOf(absl::string_view text) {
  absl::CivilDay day;
  // What it takes for a date and would write otherwise is none: blanks, short months.
  if (!absl::ParseCivilTime(text, &day) || absl::FormatCivilTime(day) != text) return std::nullopt;
  return day;
}

}  // namespace

bool IsDate(absl::string_view text) { return text.size() == 10 && DayOf(text).has_value(); }

absl::CivilDay DayAt(int64_t ms) {
  return absl::ToCivilDay(absl::FromUnixMillis(ms), absl::FixedTimeZone(kChinaSeconds));
}

std::string DateAt(int64_t ms) { return absl::FormatCivilTime(DayAt(ms)); }

int64_t BeginningOf(absl::CivilDay day) {
  return absl::ToUnixMillis(
      absl::FromCivil(absl::CivilSecond(day), absl::FixedTimeZone(kChinaSeconds)));
}

std::optional<absl::CivilDay> DayFrom(absl::string_view date_or_month) {
  if (IsDate(date_or_month)) return DayOf(date_or_month);
  if (date_or_month.size() != 7) return std::nullopt;
  return DayOf(absl::StrCat(date_or_month, "-01"));
}

absl::CivilDay AddMonths(absl::CivilDay day, int64_t months) {
  const absl::CivilMonth month = absl::CivilMonth(day) + months;
  const absl::CivilDay last = absl::CivilDay(month + 1) - 1;
  return std::min(absl::CivilDay(month) + (day.day() - 1), last);
}

std::optional<int64_t> EndOf(absl::string_view date) {
  const auto day = IsDate(date) ? DayOf(date) : std::nullopt;
  if (!day) return std::nullopt;
  return BeginningOf(*day + 1);
}

std::optional<int64_t> DaysBetween(absl::string_view from, absl::string_view to) {
  const auto first = DayOf(from);
  const auto last = DayOf(to);
  if (!first || !last) return std::nullopt;
  return *last - *first;
}

}  // namespace zhibu
