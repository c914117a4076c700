// int(), uint(), double(), string(), bytes(), bool(), timestamp(), duration(), type(), dyn().
#include <re2/re2.h>

#include <cmath>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "sync/rules/cel/standard.h"
#include "sync/rules/cel/text.h"
#include "sync/rules/cel/utf8.h"

namespace zhibu::cel {
namespace {

constexpr double kTwoTo63 = 9223372036854775808.0;

Value Cannot(const Value& from, absl::string_view to) {
  return Value::Error(absl::StrCat(from.ToText(), " is no ", to));
}

Value Same(Call& call) { return call[0]; }

// Neither blanks around it, nor nothing.
bool IsTight(absl::string_view text) {
  return !text.empty() && absl::StripAsciiWhitespace(text).size() == text.size();
}

Value IntOfUint(Call& call) {
  const uint64_t number = call[0].uint_value();
  return number > INT64_MAX ? Cannot(call[0], "int") : Value::Int(static_cast<int64_t>(number));
}
Value IntOfDouble(Call& call) {
  const double number = call[0].double_value();
  if (!(number > -kTwoTo63 && number < kTwoTo63)) return Cannot(call[0], "int");
  return Value::Int(static_cast<int64_t>(number));
}
Value IntOfString(Call& call) {
  int64_t number = 0;
  const bool read = IsTight(call[0].text()) && absl::SimpleAtoi(call[0].text(), &number);
  return read ? Value::Int(number) : Cannot(call[0], "int");
}
Value IntOfTimestamp(Call& call) { return Value::Int(absl::ToUnixSeconds(call[0].time())); }

Value UintOfInt(Call& call) {
  const int64_t number = call[0].int_value();
  return number < 0 ? Cannot(call[0], "uint") : Value::Uint(static_cast<uint64_t>(number));
}
Value UintOfDouble(Call& call) {
  const double number = call[0].double_value();
  if (!(number >= 0 && number < 2 * kTwoTo63)) return Cannot(call[0], "uint");
  return Value::Uint(static_cast<uint64_t>(number));
}
Value UintOfString(Call& call) {
  uint64_t number = 0;
  const bool read = IsTight(call[0].text()) && absl::SimpleAtoi(call[0].text(), &number);
  return read ? Value::Uint(number) : Cannot(call[0], "uint");
}

Value DoubleOfInt(Call& call) { return Value::Double(static_cast<double>(call[0].int_value())); }
Value DoubleOfUint(Call& call) { return Value::Double(static_cast<double>(call[0].uint_value())); }
Value DoubleOfString(Call& call) {
  double number = 0;
  const bool read = IsTight(call[0].text()) && absl::SimpleAtod(call[0].text(), &number);
  return read ? Value::Double(number) : Cannot(call[0], "double");
}

Value StringOfBytes(Call& call) {
  const absl::string_view bytes = call[0].text();
  if (!call.meter().ChargeBytes(bytes.size())) return Value::Error("too long a text");
  return IsUtf8(bytes) ? Value::String(std::string(bytes)) : Cannot(call[0], "UTF-8");
}
Value BytesOfString(Call& call) {
  if (!call.meter().ChargeBytes(call[0].text().size())) return Value::Error("too long a text");
  return Value::Bytes(std::string(call[0].text()));
}

Value BoolOfString(Call& call) {
  for (const absl::string_view yes : {"1", "t", "true", "TRUE", "True"}) {
    if (call[0].text() == yes) return Value::Bool(true);
  }
  for (const absl::string_view no : {"0", "f", "false", "FALSE", "False"}) {
    if (call[0].text() == no) return Value::Bool(false);
  }
  return Cannot(call[0], "bool");
}

// RFC 3339 and nothing else: ParseTime would take more.
Value TimestampOfString(Call& call) {
  static const RE2& form =
      *new RE2(R"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d))");
  const absl::string_view text = call[0].text();
  absl::Time time;
  std::string error;
  if (!RE2::FullMatch(re2::StringPiece(text.data(), text.size()), form) ||
      !absl::ParseTime(absl::RFC3339_full, text, &time, &error)) {
    return Cannot(call[0], "time: 2026-05-18T00:00:00Z, 2026-05-18T08:00:00+08:00");
  }
  return Value::Timestamp(time);
}
Value TimestampOfInt(Call& call) {
  return Value::Timestamp(absl::FromUnixSeconds(call[0].int_value()));
}
Value DurationOfString(Call& call) {
  absl::Duration duration;
  if (!IsTight(call[0].text()) || !absl::ParseDuration(call[0].text(), &duration)) {
    return Cannot(call[0], "duration: 36h, 90m, 1.5s");
  }
  return Value::Duration(duration);
}

Value TypeOf(Call& call) {
  const Value& value = call[0];
  return Value::TypeNamed(value.TypeName());
}

class Adder {
 public:
  explicit Adder(std::vector<Function>* functions) : functions_(*functions) {}

  void To(const char* name, const Type& result) {
    name_ = name;
    result_ = result;
    From(result, Same);
  }
  void From(const Type& type, Implementation run) {
    functions_.push_back({name_, Style::kGlobal, {type}, result_, std::move(run)});
  }

 private:
  std::vector<Function>& functions_;
  std::string name_;
  Type result_ = Type::Dyn();
};

void AddNumbers(Adder* add) {
  add->To("int", Type::Int());
  add->From(Type::Uint(), IntOfUint);
  add->From(Type::Double(), IntOfDouble);
  add->From(Type::String(), IntOfString);
  add->From(Type::Timestamp(), IntOfTimestamp);
  add->To("uint", Type::Uint());
  add->From(Type::Int(), UintOfInt);
  add->From(Type::Double(), UintOfDouble);
  add->From(Type::String(), UintOfString);
  add->To("double", Type::Double());
  add->From(Type::Int(), DoubleOfInt);
  add->From(Type::Uint(), DoubleOfUint);
  add->From(Type::String(), DoubleOfString);
}

void AddTexts(Adder* add) {
  add->To("string", Type::String());
  add->From(Type::Bool(), [](Call& call) { return Value::String(call[0].ToText()); });
  add->From(Type::Int(), [](Call& call) { return Value::String(call[0].ToText()); });
  add->From(Type::Uint(),
            [](Call& call) { return Value::String(absl::StrCat(call[0].uint_value())); });
  add->From(Type::Double(),
            [](Call& call) { return Value::String(TextOf(call[0].double_value())); });
  add->From(Type::Bytes(), StringOfBytes);
  add->From(Type::Timestamp(), [](Call& call) { return Value::String(TextOf(call[0].time())); });
  add->From(Type::Duration(), [](Call& call) { return Value::String(TextOf(call[0].duration())); });
  add->To("bytes", Type::Bytes());
  add->From(Type::String(), BytesOfString);
  add->To("bool", Type::Bool());
  add->From(Type::String(), BoolOfString);
}

}  // namespace

void AddConversions(std::vector<Function>* functions) {
  Adder add(functions);
  AddNumbers(&add);
  AddTexts(&add);
  add.To("timestamp", Type::Timestamp());
  add.From(Type::String(), TimestampOfString);
  add.From(Type::Int(), TimestampOfInt);
  add.To("duration", Type::Duration());
  add.From(Type::String(), DurationOfString);
  const Type any = Type::Parameter(0);
  functions->push_back({"dyn", Style::kGlobal, {any}, Type::Dyn(), Same});
  functions->push_back({"type", Style::kGlobal, {any}, Type::TypeType(), TypeOf});
}

}  // namespace zhibu::cel
