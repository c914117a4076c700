// Times and durations: + -, and what a calendar says of a time, in UTC or in a time zone.
#include <re2/re2.h>

#include <optional>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/time/civil_time.h"
#include "absl/time/time.h"
#include "sync/rules/cel/standard.h"

namespace zhibu::cel {
namespace {

using CivilInfo = absl::TimeZone::CivilInfo;

// "+08:00", "-02:30", "08:00"
std::optional<absl::TimeZone> FixedZone(absl::string_view name) {
  static const RE2& form = *new RE2(R"(([+-]?)(\d\d):(\d\d))");
  std::string sign;
  int hours = 0, minutes = 0;
  if (!RE2::FullMatch(re2::StringPiece(name.data(), name.size()), form, &sign, &hours, &minutes)) {
    return std::nullopt;
  }
  const int seconds = (hours * 60 + minutes) * 60;
  return absl::FixedTimeZone(sign == "-" ? -seconds : seconds);
}

// Only names as IANA gives them: what looks like a path of a file is none.
std::optional<absl::TimeZone> NamedZone(absl::string_view name) {
  static const RE2& form = *new RE2(R"([A-Za-z][A-Za-z0-9_+-]{0,30}(/[A-Za-z0-9_+-]{1,30}){0,2})");
  absl::TimeZone zone;
  if (!RE2::FullMatch(re2::StringPiece(name.data(), name.size()), form) ||
      !absl::LoadTimeZone(name, &zone)) {
    return std::nullopt;
  }
  return zone;
}

std::optional<absl::TimeZone> ZoneOf(absl::string_view name) {
  const std::optional<absl::TimeZone> fixed = FixedZone(name);
  return fixed.has_value() ? fixed : NamedZone(name);
}

using Reading = int64_t (*)(const CivilInfo&);

int64_t DayOfWeek(const CivilInfo& info) {
  return (static_cast<int64_t>(absl::GetWeekday(info.cs)) + 1) % 7;
}

constexpr std::pair<const char*, Reading> kReadings[] = {
    {"getFullYear", [](const CivilInfo& info) { return info.cs.year(); }},
    {"getMonth", [](const CivilInfo& info) { return int64_t{info.cs.month() - 1}; }},
    {"getDate", [](const CivilInfo& info) { return int64_t{info.cs.day()}; }},
    {"getDayOfMonth", [](const CivilInfo& info) { return int64_t{info.cs.day() - 1}; }},
    {"getDayOfWeek", DayOfWeek},
    {"getDayOfYear",
     [](const CivilInfo& info) { return int64_t{absl::GetYearDay(absl::CivilDay(info.cs)) - 1}; }},
    {"getHours", [](const CivilInfo& info) { return int64_t{info.cs.hour()}; }},
    {"getMinutes", [](const CivilInfo& info) { return int64_t{info.cs.minute()}; }},
    {"getSeconds", [](const CivilInfo& info) { return int64_t{info.cs.second()}; }},
    {"getMilliseconds",
     [](const CivilInfo& info) { return absl::ToInt64Milliseconds(info.subsecond); }},
};

void AddReading(const char* name, Reading reading, std::vector<Function>* functions) {
  functions->push_back(
      {name, Style::kReceiver, {Type::Timestamp()}, Type::Int(), [reading](Call& call) {
         return Value::Int(reading(absl::UTCTimeZone().At(call[0].time())));
       }});
  functions->push_back({name,
                        Style::kReceiver,
                        {Type::Timestamp(), Type::String()},
                        Type::Int(),
                        [reading](Call& call) {
                          // To find one is dearer than to read it.
                          constexpr uint64_t kToFind = 20;
                          if (!call.meter().Charge(kToFind)) return Value::Error("too many zones");
                          const auto zone = ZoneOf(call[1].text());
                          if (!zone.has_value()) {
                            return Value::Error("no time zone: " + call[1].ToText());
                          }
                          return Value::Int(reading(zone->At(call[0].time())));
                        }});
}

using DurationReading = int64_t (*)(absl::Duration);

// Of a duration each is the whole of it, in that unit; but for milliseconds, which are its rest.
constexpr std::pair<const char*, DurationReading> kDurationReadings[] = {
    {"getHours", [](absl::Duration duration) { return absl::ToInt64Hours(duration); }},
    {"getMinutes", [](absl::Duration duration) { return absl::ToInt64Minutes(duration); }},
    {"getSeconds", [](absl::Duration duration) { return absl::ToInt64Seconds(duration); }},
    {"getMilliseconds",
     [](absl::Duration duration) { return absl::ToInt64Milliseconds(duration) % 1000; }},
};

void AddSums(std::vector<Function>* functions) {
  const Type time = Type::Timestamp(), duration = Type::Duration();
  const auto add = [&](const char* name, const Type& a, const Type& b, const Type& result,
                       Implementation run) {
    functions->push_back({name, Style::kGlobal, {a, b}, result, std::move(run)});
  };
  add("_+_", time, duration, time,
      [](Call& call) { return Value::Timestamp(call[0].time() + call[1].duration()); });
  add("_+_", duration, time, time,
      [](Call& call) { return Value::Timestamp(call[1].time() + call[0].duration()); });
  add("_+_", duration, duration, duration,
      [](Call& call) { return Value::Duration(call[0].duration() + call[1].duration()); });
  add("_-_", time, duration, time,
      [](Call& call) { return Value::Timestamp(call[0].time() - call[1].duration()); });
  add("_-_", time, time, duration,
      [](Call& call) { return Value::Duration(call[0].time() - call[1].time()); });
  add("_-_", duration, duration, duration,
      [](Call& call) { return Value::Duration(call[0].duration() - call[1].duration()); });
}

}  // namespace

void AddTime(std::vector<Function>* functions) {
  AddSums(functions);
  for (const auto& [name, reading] : kReadings) AddReading(name, reading, functions);
  for (const auto& [name, reading] : kDurationReadings) {
    const DurationReading read = reading;
    functions->push_back(
        {name, Style::kReceiver, {Type::Duration()}, Type::Int(), [read](Call& call) {
           return Value::Int(read(call[0].duration()));
         }});
  }
}

}  // namespace zhibu::cel
