#include "sync/rules/book/functions.h"

#include <google/protobuf/message.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/time/time.h"
#include "sync/base/date.h"
#include "sync/base/identity_number.h"
#include "sync/wire/record.h"

namespace zhibu::rules {
namespace {

using cel::Call;
using cel::Style;
using cel::Type;
using cel::Value;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

// As far as anybody counts: a date stays a date.
constexpr int64_t kDaysMax = 400'000;

Value NotWrittenDown() { return Value::Unknown("a day that was not written down"); }

Value DayOfText(Call& call) {
  if (call[0].text().empty()) return NotWrittenDown();
  const auto day = DayFrom(call[0].text());
  return day ? ValueOf(*day) : Value::Error(absl::StrCat(call[0].text(), " is no day"));
}

Value Moved(Call& call, absl::CivilDay (*move)(absl::CivilDay, int64_t)) {
  const auto day = DayOf(call[0]);
  if (!day) return NotWrittenDown();
  const int64_t count = call[1].int_value();
  if (count > kDaysMax || count < -kDaysMax) return Value::Error("too far away");
  return ValueOf(move(*day, count));
}

Value AddDays(Call& call) {
  return Moved(call, [](absl::CivilDay day, int64_t days) { return day + days; });
}

// Far more working days than anything is counted in, and years than anything is counted over.
constexpr int64_t kWorkdaysMax = 1'000;
constexpr int64_t kSpanDaysMax = 2'000;

Value NoCalendar() { return Value::Unknown("the calendar of a year"); }

cel::Implementation AddWorkdaysBy(const Calendars& calendars) {
  return [&calendars](Call& call) {
    const int64_t count = call[1].int_value();
    if (count < 0 || count > kWorkdaysMax) return Value::Error("so many working days");
    if (!call.meter().Charge(static_cast<uint64_t>(count))) return Value::Error("too many steps");
    const auto from = DayOf(call[0]);
    if (!from) return NotWrittenDown();
    const auto day = calendars.AddWorkdays(*from, count);
    return day ? ValueOf(*day) : NoCalendar();
  };
}

cel::Implementation WorkdaysBetweenBy(const Calendars& calendars) {
  return [&calendars](Call& call) {
    const auto from = DayOf(call[0]);
    const auto until = DayOf(call[1]);
    if (!from || !until) return NotWrittenDown();
    if (*until - *from > kSpanDaysMax) return Value::Error("too far away");
    const int64_t days = *until < *from ? 0 : *until - *from;
    if (!call.meter().Charge(static_cast<uint64_t>(days))) return Value::Error("too many steps");
    const auto count = calendars.WorkdaysBetween(*from, *until);
    return count ? Value::Int(*count) : NoCalendar();
  };
}

// As people write it: with spaces, or with a small x at the end.
std::string PlainNumber(const Value& text) {
  return absl::AsciiStrToUpper(absl::StrReplaceAll(text.text(), {{" ", ""}}));
}

Value IsNumber(Call& call) { return Value::Bool(IsIdentityNumber(PlainNumber(call[0]))); }

Value BornByNumber(Call& call) {
  const std::string number = PlainNumber(call[0]);
  if (!IsIdentityNumber(number)) return Value::Unknown("an identity number");
  return Value::String(BornBy(number));
}

Value NotSaid(Call&) { return Value::Unknown("a number that was not written down"); }

// What reads a record costs more than what reads a field.
constexpr uint64_t kStepsOfARecord = 100;

const JudgedRecord& RecordsOf(Call& call) { return static_cast<const JudgedRecord&>(*call.host()); }

cel::Implementation RecordOf(const RecordType& type) {
  return [&type](Call& call) {
    if (!call.meter().Charge(kStepsOfARecord)) return Value::Error("too many steps");
    return RecordsOf(call).RecordWith(type, call[0].text(), &call.meter());
  };
}

void SetFrom(const Value& value, const FieldDescriptor& field, Message* record) {
  const auto& reflection = *record->GetReflection();
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_UINT32:
      return reflection.SetUInt32(record, &field, static_cast<uint32_t>(value.uint_value()));
    case FieldDescriptor::CPPTYPE_ENUM:
      return reflection.SetEnumValue(record, &field, static_cast<int>(value.int_value()));
    default:
      return reflection.SetString(record, &field, std::string(value.text()));
  }
}

// Ids, texts, counts and enums are what ids are made of.
bool MakesIds(const FieldDescriptor& field) {
  return field.cpp_type() == FieldDescriptor::CPPTYPE_UINT32 ||
         field.cpp_type() == FieldDescriptor::CPPTYPE_ENUM ||
         field.cpp_type() == FieldDescriptor::CPPTYPE_STRING;
}

cel::Implementation RecordMadeBy(const RecordType& type, std::vector<const FieldDescriptor*> by) {
  const Message* prototype =
      google::protobuf::MessageFactory::generated_factory()->GetPrototype(type.descriptor);
  return [&type, prototype, by = std::move(by)](Call& call) {
    if (!call.meter().Charge(kStepsOfARecord)) return Value::Error("too many steps");
    const std::unique_ptr<Message> record(prototype->New());
    for (size_t i = 0; i < by.size(); ++i) SetFrom(call[i], *by[i], record.get());
    const auto id = DeriveId(type, record->SerializeAsString());
    return RecordsOf(call).RecordMadeBy(type, id.ok() ? std::optional(*id) : std::nullopt,
                                        &call.meter());
  };
}

Value DayOfTime(Call& call) {
  const auto day = DayOf(call[0]);
  return day ? ValueOf(*day) : NotWrittenDown();
}

Value Later(Call& call) { return call[0].time() < call[1].time() ? call[1] : call[0]; }

Value FirstOfMonth(Call& call) {
  const auto day = DayOf(call[0]);
  return day ? ValueOf(absl::CivilDay(absl::CivilMonth(*day))) : NotWrittenDown();
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
  if (value.kind() == cel::Kind::kTimestamp) {
    // A time that nobody has written down is read as this one.
    if (value.time() == absl::UnixEpoch()) return std::nullopt;
    return DayAt(absl::ToUnixMillis(value.time()));
  }
  if (value.kind() == cel::Kind::kString) return DayFrom(value.text());
  return std::nullopt;
}

void AddFunctions(const Parameters& parameters, const Calendars& calendars,
                  cel::Environment* environment) {
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
  add("addWorkdays", Style::kReceiver, {time, Type::Int()}, AddWorkdaysBy(calendars));
  environment->AddFunction(
      {"isIdentityNumber", Style::kGlobal, {Type::String()}, Type::Bool(), &IsNumber, {}});
  environment->AddFunction(
      {"bornBy", Style::kGlobal, {Type::String()}, Type::String(), &BornByNumber, {}});
  environment->AddFunction({"notSaid", Style::kGlobal, {}, Type::Int(), &NotSaid, {}});
  environment->AddFunction({"workdaysBetween",
                            Style::kGlobal,
                            {time, time},
                            Type::Int(),
                            WorkdaysBetweenBy(calendars),
                            {}});
  environment->AddFunction(
      {"param",
       Style::kGlobal,
       {Type::String()},
       Type::Int(),
       {},
       [&parameters](absl::Span<const Value* const> constants, cel::Patterns*) {
         return Named(parameters, constants[0]);
       }});
}

void AddRecords(const Schema& schema, cel::Environment* environment) {
  for (const RecordType& type : schema.types()) {
    const Type message = Type::Message(*type.descriptor);
    environment->AddFunction(
        {type.name, Style::kGlobal, {Type::Bytes()}, message, RecordOf(type), {}});
    std::vector<Type> takes;
    std::vector<const FieldDescriptor*> by;
    for (const uint32_t number : type.id_from) {
      by.push_back(type.fields.Find(number)->descriptor);
      takes.push_back(cel::TypeOfField(*by.back()));
    }
    if (by.empty() || !std::all_of(by.begin(), by.end(),
                                   [](const FieldDescriptor* field) { return MakesIds(*field); })) {
      continue;
    }
    environment->AddFunction({absl::StrCat(type.name, "Of"),
                              Style::kGlobal,
                              std::move(takes),
                              message,
                              RecordMadeBy(type, std::move(by)),
                              {}});
  }
}

}  // namespace zhibu::rules
