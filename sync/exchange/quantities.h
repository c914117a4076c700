// What a cell says that is an amount, a count, a time or a month, as values.h has it for the other
// kinds.
//
//   FenFrom("￥1,048.50元")          104850
//   CountFrom("12人")                12
//   MinuteFrom("2026年3月1日 下午3点半")   2026-03-01 15:30
//   MonthFrom({"2026年", "3月"}, 2026)   "2026-03": a month may take two cells
#ifndef ZHIBU_SYNC_EXCHANGE_QUANTITIES_H_
#define ZHIBU_SYNC_EXCHANGE_QUANTITIES_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/civil_time.h"

namespace zhibu {

// Of an amount in yuan; nothing where it is none, or has parts of a fen.
std::optional<int64_t> FenFrom(absl::string_view text);
std::optional<int64_t> CountFrom(absl::string_view text);

struct ReadTime {
  absl::CivilMinute minute;  // the first of the day where no hour is written
  bool has_hour = false;
};
std::optional<ReadTime> MinuteFrom(absl::string_view text, bool from_1904 = false);

// "2026-03", of cells that say a month, or a year and a number of a month. `year`: of those that
// say none.
std::optional<std::string> MonthFrom(const std::vector<std::string>& cells,
                                     std::optional<int64_t> year, bool from_1904 = false);

}  // namespace zhibu

#endif  // ZHIBU_SYNC_EXCHANGE_QUANTITIES_H_
