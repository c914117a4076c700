#include "sync/base/date.h"

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

std::string DateAt(int64_t ms) {
  return absl::FormatCivilTime(
      absl::ToCivilDay(absl::FromUnixMillis(ms), absl::FixedTimeZone(kChinaSeconds)));
}

std::optional<int64_t> EndOf(absl::string_view date) {
  const auto day = IsDate(date) ? DayOf(date) : std::nullopt;
  if (!day) return std::nullopt;
  return absl::ToUnixMillis(
      absl::FromCivil(absl::CivilSecond(*day + 1), absl::FixedTimeZone(kChinaSeconds)));
}

std::optional<int64_t> DaysBetween(absl::string_view from, absl::string_view to) {
  const auto first = DayOf(from);
  const auto last = DayOf(to);
  if (!first || !last) return std::nullopt;
  return *last - *first;
}

}  // namespace zhibu
