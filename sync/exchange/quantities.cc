#include "sync/exchange/quantities.h"

#include <re2/re2.h>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "sync/base/date.h"
#include "sync/exchange/text.h"
#include "sync/exchange/values.h"

namespace zhibu {
namespace {

constexpr int64_t kFirstYear = 1900;
constexpr int64_t kLastYear = 2100;

std::string Tidy(absl::string_view text) {
  return absl::StrReplaceAll(Narrow(TidyText(text)), {{" ", ""}, {"'", ""}});
}

// 上午9:30, 15点, 9时05分.
bool ReadHour(const std::string& text, int* hour, int* minute, std::string* clock) {
  static const RE2 kClock(
      R"(((上午|下午|晚上)?(\d{1,2})(?::(\d{1,2})(?::\d{1,2})?|[点时](?:(\d{1,2})分?|(半))?)))");
  std::string half_day, colon_minute, word_minute, half;
  *minute = 0;
  if (!RE2::PartialMatch(text, kClock, clock, &half_day, hour, &colon_minute, &word_minute,
                         &half)) {
    return false;
  }
  const std::string& said = colon_minute.empty() ? word_minute : colon_minute;
  if (!said.empty() && !absl::SimpleAtoi(said, minute)) return false;
  if (!half.empty()) *minute = 30;
  const bool later = half_day == "下午" || half_day == "晚上";
  if (later && *hour < 12) *hour += 12;
  return *hour < 24 && *minute < 60;
}

}  // namespace

std::optional<int64_t> FenFrom(absl::string_view text) {
  static const RE2 kAmount(R"((-?)(\d{1,12})(?:\.(\d{1,2})0*)?)");
  const std::string tidy =
      absl::StrReplaceAll(Tidy(text), {{"¥", ""}, {"￥", ""}, {"元", ""}, {",", ""}});
  std::string minus, fraction;
  int64_t yuan = 0;
  if (!RE2::FullMatch(tidy, kAmount, &minus, &yuan, &fraction)) return std::nullopt;
  fraction.resize(2, '0');
  int64_t fen = 0;
  if (!absl::SimpleAtoi(fraction, &fen)) return std::nullopt;
  const int64_t all = yuan * 100 + fen;
  return minus.empty() ? all : -all;
}

std::optional<int64_t> CountFrom(absl::string_view text) {
  static const RE2 kCount(R"((\d{1,9})(?:\.0+)?(?:人|次|天|学时|小时|课时|个)?)");
  int64_t count = 0;
  return RE2::FullMatch(Tidy(text), kCount, &count) ? std::optional(count) : std::nullopt;
}

std::optional<ReadTime> MinuteFrom(absl::string_view text, bool from_1904) {
  const std::string narrow = absl::StrReplaceAll(Narrow(TidyText(text)), {{"T", " "}});
  // The hour stands behind the day, and must not be taken for a part of it.
  const std::string spaced = absl::StrReplaceAll(narrow, {{"日", "日 "}, {"号", "号 "}});
  const size_t end = spaced.find(' ');
  const std::string day_part = spaced.substr(0, end);
  const std::string rest = end == std::string::npos ? "" : Tidy(spaced.substr(end));
  const Tidied day = TidyDate(day_part, from_1904);
  if (day.flaw != Flaw::kNone || !IsDate(day.value)) return std::nullopt;
  ReadTime read;
  const absl::CivilDay civil = *DayFrom(day.value);
  int hour = 0, minute = 0;
  std::string clock;
  read.has_hour = ReadHour(rest, &hour, &minute, &clock);
  read.minute = absl::CivilMinute(civil.year(), civil.month(), civil.day(), hour, minute);
  return read;
}

std::optional<std::string> MonthFrom(const std::vector<std::string>& cells,
                                     std::optional<int64_t> year, bool from_1904) {
  static const RE2 kNumber(R"((\d{1,4})(?:\.0+)?[年月]?份?度?)");
  std::optional<int64_t> month;
  for (const std::string& cell : cells) {
    if (TidyText(cell).empty()) continue;
    int64_t number = 0;
    if (RE2::FullMatch(Tidy(cell), kNumber, &number)) {
      if (number >= kFirstYear && number <= kLastYear) {
        year = number;
      } else if (number >= 1 && number <= 12) {
        month = number;
      } else {
        return std::nullopt;
      }
      continue;
    }
    const Tidied whole = TidyDate(cell, from_1904);
    if (whole.value.size() < 7) return std::nullopt;
    return whole.value.substr(0, 7);
  }
  if (!year || !month) return std::nullopt;
  return absl::StrFormat("%04d-%02d", *year, *month);
}

}  // namespace zhibu
