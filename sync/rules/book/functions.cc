#include "sync/rules/book/functions.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "sync/base/date.h"

namespace zhibu::rules {
namespace {

using cel::Call;
using cel::Style;
using cel::Type;
using cel::Value;

// As far as anybody counts: a date stays a date.
constexpr int64_t kDaysMax = 400'000;

Value DayOfText(Call& call) {
  if (call[0].text().empty()) return Value::Unknown("a day that was not written down");
  const auto day = DayFrom(call[0].text());
  return day ? ValueOf(*day) : Value::Error(absl::StrCat(call[0].text(), " is no day"));
}

Value Moved(Call& call, absl::CivilDay (*move)(absl::CivilDay, int64_t)) {
  const auto day = DayOf(call[0]);
  const int64_t count = call[1].int_value();
  if (!day || count > kDaysMax || count < -kDaysMax) return Value::Error("too far away");
  return ValueOf(move(*day, count));
}

Value AddDays(Call& call) {
  return Moved(call, [](absl::CivilDay day, int64_t days) { return day + days; });
}

Value DayOfTime(Call& call) { return ValueOf(*DayOf(call[0])); }

Value Later(Call& call) { return call[0].time() < call[1].time() ? call[1] : call[0]; }

Value FirstOfMonth(Call& call) {
  const absl::CivilDay day = *DayOf(call[0]);
  return ValueOf(absl::CivilDay(absl::CivilMonth(day)));
}

Value AddMonthsTo(Call& call) { return Moved(call, &AddMonths); }

absl::StatusOr<cel::Implementation> Named(const Parameters& parameters, const Value* name) {
  if (name == nullptr) return absl::InvalidArgumentError("a parameter is named by text");
  const std::string key(name->text());
  if (!parameters.Knows(key)) {
    return absl::InvalidArgumentError(absl::StrCat("there is no parameter ", key));
  }
  return cel::Implementation([&parameters, key](Call& call) {
    const auto& judged = static_cast<const JudgedDay&>(*call.host());
    const rules::v1::Parameter* found = parameters.InForce(key, judged.day);
    return found == nullptr ? Value::Unknown(key) : Value::Int(found->value());
  });
}

}  // namespace

Value ValueOf(absl::CivilDay day) {
  return Value::Timestamp(absl::FromUnixMillis(BeginningOf(day)));
}

std::optional<absl::CivilDay> DayOf(const Value& value) {
  if (value.kind() == cel::Kind::kTimestamp) return DayAt(absl::ToUnixMillis(value.time()));
  if (value.kind() == cel::Kind::kString) return DayFrom(value.text());
  return std::nullopt;
}

void AddFunctions(const Parameters& parameters, cel::Environment* environment) {
  const Type time = Type::Timestamp();
  const auto add = [&](const char* name, Style style, std::vector<Type> takes,
                       cel::Implementation run) {
    environment->AddFunction({name, style, std::move(takes), time, std::move(run), {}});
  };
  add("day", Style::kGlobal, {Type::String()}, &DayOfText);
  add("day", Style::kGlobal, {time}, &DayOfTime);
  add("later", Style::kGlobal, {time, time}, &Later);
  add("addDays", Style::kReceiver, {time, Type::Int()}, &AddDays);
  add("addMonths", Style::kReceiver, {time, Type::Int()}, &AddMonthsTo);
  add("firstOfMonth", Style::kReceiver, {time}, &FirstOfMonth);
  environment->AddFunction({"param",
                            Style::kGlobal,
                            {Type::String()},
                            Type::Int(),
                            {},
                            [&parameters](absl::Span<const Value* const> constants) {
                              return Named(parameters, constants[0]);
                            }});
}

}  // namespace zhibu::rules
