// Calendar days as records hold them: "2026-01-31". In the order of days they
// compare as text. What day it is is told by China's time (UTC+8), wherever a
// device is: a letter runs out for everybody at once.
#ifndef ZHIBU_SYNC_BASE_DATE_H_
#define ZHIBU_SYNC_BASE_DATE_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/civil_time.h"

namespace zhibu {

inline constexpr int64_t kDayMs = 86'400'000;

// Records tell of these days: what lies before or after is a slip of whoever typed it, and so there
// is an end to how many days, months and years somebody can have something on.
inline constexpr absl::CivilDay kFirstDay(1900, 1, 1);
inline constexpr absl::CivilDay kLastDay(2199, 12, 31);

bool IsDate(absl::string_view text);

// The day at a time in milliseconds since 1970.
std::string DateAt(int64_t ms);

// The first millisecond that is no longer that day; nothing where that is no date.
std::optional<int64_t> EndOf(absl::string_view date);

// The first millisecond of a day.
int64_t BeginningOf(absl::CivilDay day);
// The day at a time, and the day that a text says: of a month ("2026-01") its first.
absl::CivilDay DayAt(int64_t ms);
std::optional<absl::CivilDay> DayFrom(absl::string_view date_or_month);
// To the same day of another month, or its last where it has no such day.
absl::CivilDay AddMonths(absl::CivilDay day, int64_t months);

// From one day to another; nothing where either is no date.
std::optional<int64_t> DaysBetween(absl::string_view from, absl::string_view to);

}  // namespace zhibu

#endif  // ZHIBU_SYNC_BASE_DATE_H_
