// Working days, by calendars that are data.
#include "sync/rules/book/calendar.h"

#include <gmock/gmock.h>

#include "sync/base/date.h"
#include "sync/rules/book/book.h"

namespace zhibu::rules {
namespace {

using testing::Eq;
using testing::HasSubstr;
using testing::Optional;

absl::CivilDay Day(const char* text) { return *DayFrom(text); }

const Calendars& Shipped() { return ShippedBook().calendars(); }

TEST(WorkingDays, HolidaysAreNotWorkedAndShiftedWeekendsAre) {
  EXPECT_THAT(Shipped().IsWorked(Day("2026-06-18")), Optional(true)) << "a Thursday";
  EXPECT_THAT(Shipped().IsWorked(Day("2026-06-19")), Optional(false)) << "端午";
  EXPECT_THAT(Shipped().IsWorked(Day("2026-06-27")), Optional(false)) << "a Saturday";
  EXPECT_THAT(Shipped().IsWorked(Day("2026-10-10")), Optional(true)) << "worked instead";
  EXPECT_THAT(Shipped().IsWorked(Day("2025-01-26")), Optional(true)) << "a Sunday";
  EXPECT_THAT(Shipped().IsWorked(Day("2025-10-08")), Optional(false)) << "国庆和中秋";
}

// Case 12 of the domain's worked examples.
TEST(WorkingDays, Case12ANoticeOverAHolidayIsOneDayShort) {
  EXPECT_THAT(Shipped().WorkdaysBetween(Day("2026-06-15"), Day("2026-06-19")), Optional(4));
  EXPECT_THAT(Shipped().AddWorkdays(Day("2026-06-14"), 5), Optional(Day("2026-06-22")));
}

TEST(WorkingDays, OverTheNewYearBothYearsCount) {
  EXPECT_THAT(Shipped().WorkdaysBetween(Day("2025-12-31"), Day("2026-01-05")), Optional(3));
  EXPECT_THAT(Shipped().AddWorkdays(Day("2025-12-31"), 1), Optional(Day("2026-01-04")));
}

TEST(WorkingDays, OfAYearWithoutACalendarNothingIsKnown) {
  EXPECT_THAT(Shipped().IsWorked(Day("2099-06-15")), Eq(std::nullopt));
  EXPECT_THAT(Shipped().AddWorkdays(Day("2026-12-30"), 5), Eq(std::nullopt));
  EXPECT_THAT(Shipped().WorkdaysBetween(Day("2024-12-30"), Day("2025-01-03")), Eq(std::nullopt));
}

TEST(WorkingDays, FromADayToAnEarlierOneThereAreNone) {
  EXPECT_THAT(Shipped().WorkdaysBetween(Day("2026-06-19"), Day("2026-06-15")), Optional(0));
}

std::string WrongIn(const std::string& calendar) {
  const std::vector<RuleText> files = {
      {"test.textproto", "calendar { year: 2026 source: 's' certainty: SURE " + calendar + "}"}};
  const auto book = Book::Compile(files, *CatalogueSchema());
  return book.ok() ? "" : std::string(book.status().message());
}

TEST(WorkingDays, WhatIsWrongWithACalendarIsToldWithTheYear) {
  EXPECT_EQ(WrongIn(R"(off { from: "2026-05-01" until: "2026-05-05" } worked: "2026-05-09")"), "");
  EXPECT_THAT(WrongIn(R"(off { from: "2025-12-31" until: "2026-01-03" })"),
              HasSubstr("test.textproto: calendar 2026: no days of that year: 2025-12-31"));
  EXPECT_THAT(WrongIn(R"(off { from: "2026-05-05" until: "2026-05-01" })"), HasSubstr("no days"));
  EXPECT_THAT(WrongIn(R"(worked: "2026-05-08")"), HasSubstr("it is no Saturday or Sunday"));
  EXPECT_THAT(WrongIn(R"(off { from: "2026-05-09" until: "2026-05-10" } worked: "2026-05-09")"),
              HasSubstr("it is off and worked"));
  EXPECT_THAT(WrongIn("} calendar { year: 2026 source: 's' certainty: SURE "),
              HasSubstr("there are two"));
}

}  // namespace
}  // namespace zhibu::rules
