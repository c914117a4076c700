// What a spreadsheet shows where a cell holds a number.
#ifndef ZHIBU_SYNC_EXCHANGE_NUMBER_FORMAT_H_
#define ZHIBU_SYNC_EXCHANGE_NUMBER_FORMAT_H_

#include <string>

#include "absl/strings/string_view.h"

namespace zhibu {

enum class Shown { kNumber, kDay, kMonth, kTime };

// By the number of a format that is built in, or by its code: yyyy"年"m"月" is a month.
Shown ShownByNumber(int format);
Shown ShownByCode(absl::string_view code);

// "2008-07-01"; of a month "2008-07"; of a time of a day "2008-07-01 09:30"; empty where the number
// is no day between 1900 and 2100.
std::string DayOfNumber(double number, Shown shown, bool from_1904);

// As it was typed: 13800002206, 1990.01. A spreadsheet keeps 15 digits, so a longer number is
// "3.30102198503120E+17".
std::string TextOfNumber(double number);

}  // namespace zhibu

#endif  // ZHIBU_SYNC_EXCHANGE_NUMBER_FORMAT_H_
