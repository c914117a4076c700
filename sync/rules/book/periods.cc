#include "sync/rules/book/periods.h"

#include "absl/strings/str_cat.h"

namespace zhibu::rules {
namespace {

int MonthsOf(rules::v1::Period kind) {
  switch (kind) {
    case rules::v1::MONTH:
      return 1;
    case rules::v1::QUARTER:
      return 3;
    default:
      return 12;
  }
}

}  // namespace

PeriodDays PeriodOf(rules::v1::Period kind, absl::CivilDay day) {
  const int months = MonthsOf(kind);
  const absl::CivilMonth first(day.year(), (day.month() - 1) / months * months + 1);
  return {absl::CivilDay(first), absl::CivilDay(first + months) - 1};
}

std::string NameOf(rules::v1::Period kind, const PeriodDays& period) {
  switch (kind) {
    case rules::v1::MONTH:
      return absl::FormatCivilTime(absl::CivilMonth(period.first));
    case rules::v1::QUARTER:
      return absl::StrCat(period.first.year(), "-Q", (period.first.month() + 2) / 3);
    default:
      return absl::StrCat(period.first.year());
  }
}

}  // namespace zhibu::rules
