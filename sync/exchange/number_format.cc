#include "sync/exchange/number_format.h"

#include <cmath>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/civil_time.h"

namespace zhibu {

// ECMA-376 part 1, 18.8.30; 27 to 36 and 50 to 58 as Chinese spreadsheets have them.
Shown ShownByNumber(int format) {
  switch (format) {
    case 17:  // mmm-yy
    case 27:  // yyyy"年"m"月"
    case 36:
    case 50:
    case 52:
    case 57:
      return Shown::kMonth;
    case 14:
    case 15:
    case 30:
    case 31:
    case 16:  // the day and month are shown, the year is there
    case 28:
    case 29:
    case 51:
    case 53:
    case 54:
    case 58:
      return Shown::kDay;
    case 22:  // m/d/yy h:mm
      return Shown::kTime;
    default:
      return Shown::kNumber;
  }
}

Shown ShownByCode(absl::string_view code) {
  bool year = false;
  bool month = false;
  bool day = false;
  bool hour = false;
  for (size_t i = 0; i < code.size() && code[i] != ';'; ++i) {
    switch (absl::ascii_tolower(static_cast<unsigned char>(code[i]))) {
      case '"':
      case '[': {  // words, colours and languages
        const size_t end = code.find(code[i] == '[' ? ']' : '"', i + 1);
        i = end == absl::string_view::npos ? code.size() : end;
        break;
      }
      case '\\':
      case '_':
      case '*':
        ++i;
        break;
      case 'y':
      case 'e':  // a year in East Asian formats, an exponent in those of numbers
        year = year || code[i] == 'y' || code[i] == 'Y' || absl::StrContains(code, 'm');
        break;
      case 'm':
        month = true;
        break;
      case 'd':
        day = true;
        break;
      case 'h':
        hour = true;
        break;
      default:
        break;
    }
  }
  if (day) return hour ? Shown::kTime : Shown::kDay;
  return year && month ? Shown::kMonth : Shown::kNumber;
}

std::string DayOfNumber(double number, Shown shown, bool from_1904) {
  constexpr double kDaysMax = 73415;  // 2101-01-01
  if (!(number >= 1) || number >= kDaysMax) return "";
  auto days = static_cast<int64_t>(number);
  absl::CivilDay first(1904, 1, 1);
  if (!from_1904) {
    // Spreadsheets have a 29th of February 1900, the day 60.
    first = absl::CivilDay(1899, 12, 30);
    if (days < 60) ++days;
  }
  const std::string day = absl::FormatCivilTime(first + days);
  if (shown == Shown::kMonth) return day.substr(0, 7);
  if (shown != Shown::kTime) return day;
  constexpr int kMinutesToADay = 24 * 60;
  const int minute = static_cast<int>(std::lround((number - std::floor(number)) * kMinutesToADay)) %
                     kMinutesToADay;
  return absl::StrFormat("%s %02d:%02d", day, minute / 60, minute % 60);
}

std::string TextOfNumber(double number) {
  constexpr double kWholeMax = 1e15;
  if (!std::isfinite(number)) return "";
  if (std::fabs(number) >= kWholeMax) return absl::StrFormat("%.14E", number);
  if (number == std::floor(number)) return absl::StrCat(static_cast<int64_t>(number));
  return absl::StrFormat("%.15g", number);
}

}  // namespace zhibu
