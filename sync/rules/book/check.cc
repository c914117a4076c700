#include "sync/rules/book/check.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "sync/base/date.h"
#include "sync/base/status.h"
#include "sync/base/text.h"
#include "sync/merge/audience.h"
#include "sync/rules/book/functions.h"
#include "sync/rules/book/judged.h"
#include "sync/wire/record.h"

namespace zhibu::rules {
namespace {

using cel::Program;
using cel::Value;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

// Of what `shows` gives: it may be a field with the minutes of a meeting.
constexpr size_t kShownBytesMax = 180;

std::string ShownText(const Value& value) {
  if (!value.is_proper()) return "…";
  if (const auto day = DayOf(value); day && value.kind() == cel::Kind::kTimestamp) {
    return absl::FormatCivilTime(*day);
  }
  // Not as CEL writes them.
  if (value.kind() == cel::Kind::kString) return std::string(value.text());
  if (value.kind() == cel::Kind::kUint) return absl::StrCat(value.uint_value());
  return value.ToText();
}

class Judgement {
 public:
  Judgement(const Check& check, const Id& id, const Message& record, absl::CivilDay today,
            Surroundings& surroundings, const Bounds& bounds)
      : check_(check),
        id_(id),
        record_(record),
        body_bytes_(record.ByteSizeLong()),
        places_(PlacesOf(*check.of, id, record.SerializePartialAsString())),
        surroundings_(surroundings),
        bounds_(bounds),
        found_{.check = &check, .day = today} {
    activation_.Set(check.self, Value::OfMessage(&record));
    activation_.Set(check.id, Value::Bytes(id.str()));
  }

  absl::StatusOr<Finding> Run() {
    if (bounds_.purse != nullptr) bounds_.purse->Pay(body_bytes_ / kBytesReadPerStep);
    if (MayJudge() && IsConcerned()) Judge();
    RETURN_IF_ERROR(trouble_);
    return std::move(found_);
  }

 private:
  // The day of the act is known, and the rule was in force on it.
  bool MayJudge() {
    if (check_.day) {
      const Value value = Evaluate(*check_.day);
      const std::optional<absl::CivilDay> day =
          value.is_proper() ? DayOf(value) : std::optional<absl::CivilDay>();
      if (!day) return EndWithoutDay(value);
      found_.day = *day;
    }
    const std::optional<absl::CivilDay> from = DayFrom(check_.text.from());
    const std::optional<absl::CivilDay> until = DayFrom(check_.text.until());
    return !(from && found_.day < *from) && !(until && *until < found_.day) &&
           found_.day >= bounds_.since;
  }

  bool EndWithoutDay(const Value& value) {
    if (value.is_error()) return End(value);
    End(Value::Unknown("the day"));
    // One that may not be read here may be there.
    if (!value.is_proper()) return false;
    const Value concerns = check_.when ? Evaluate(*check_.when) : Value::Bool(true);
    found_.no_day = concerns.is_proper() && concerns.is_bool(true);
    return false;
  }

  bool IsConcerned() {
    if (!check_.when) return true;
    const Value value = Evaluate(*check_.when);
    return value.is_proper() ? value.is_bool(true) : End(value);
  }

  void Judge() {
    const Value value = Evaluate(*check_.holds);
    if (!value.is_proper()) {
      End(value);
    } else if (!value.is_bool(true)) {
      found_.outcome = Outcome::kBroken;
      Say();
    }
  }

  void Say() {
    found_.words = check_.text.words();
    if (!check_.shows) return;
    const std::string shown = CutTo(ShownText(Evaluate(*check_.shows)), kShownBytesMax);
    found_.words.set_zh(absl::StrReplaceAll(found_.words.zh(), {{"{}", shown}}));
    found_.words.set_en(absl::StrReplaceAll(found_.words.en(), {{"{}", shown}}));
  }

  bool End(const Value& value) {
    found_.outcome = value.is_error() ? Outcome::kWrong : Outcome::kUnknown;
    if (value.is_error()) found_.fault = absl::StrCat(check_.text.key(), ": ", value.ToText());
    return false;
  }

  Value Evaluate(const Program& program) {
    const Judged host(found_.day, *check_.of, id_, record_, places_, surroundings_, &trouble_);
    activation_.set_host(&host);
    Value value = EvaluateWithin(program);
    activation_.set_host(nullptr);
    return value;
  }
  Value EvaluateWithin(const Program& program) {
    cel::Meter meter(bounds_.purse == nullptr ? kExpressionBudget
                                              : bounds_.purse->ForOne(kExpressionBudget));
    Value value = program.Evaluate(activation_, &meter);
    found_.too_long |= meter.exhausted();
    if (bounds_.purse == nullptr) return value;
    bounds_.purse->Pay(meter.spent());
    if (!bounds_.purse->empty()) return value;
    return Value::Error(absl::StrCat("more than the ", bounds_.purse->steps(),
                                     " steps that all added rules have together"));
  }

  const Check& check_;
  const Id& id_;
  const Message& record_;
  const size_t body_bytes_;
  const std::vector<Placed> places_;
  Surroundings& surroundings_;
  const Bounds& bounds_;
  Finding found_;
  absl::Status trouble_;
  cel::Activation activation_;
};

}  // namespace

absl::StatusOr<Finding> JudgeBy(const Check& check, const Id& id, const Message& record,
                                absl::CivilDay today, Surroundings* surroundings,
                                const Bounds& bounds) {
  return Judgement(check, id, record, today, *surroundings, bounds).Run();
}

absl::StatusOr<std::vector<Finding>> JudgeByAll(const Book& book, const RecordType& type,
                                                const Id& id, const Message& record,
                                                absl::CivilDay today, Surroundings* surroundings,
                                                const Bounds& bounds) {
  std::vector<Finding> findings;
  for (const Check& check : book.ChecksOf(type)) {
    ASSIGN_OR_RETURN(Finding found, JudgeBy(check, id, record, today, surroundings, bounds));
    if (found.outcome != Outcome::kHolds) findings.push_back(std::move(found));
  }
  return findings;
}

uint64_t HiddenIn(const RecordType& type, const Id& id, const Message& of,
                  absl::FunctionRef<uint32_t(const Id&)> offices_in) {
  const std::string body = of.SerializePartialAsString();
  const Eyes eyes = EyesOn(PlacesOf(type, id, body), offices_in);
  return HiddenFrom(type, eyes, HostSightOf(type, body));
}

bool IsAmong(uint64_t hidden, const RecordType& type, const FieldDescriptor& field) {
  const FieldRule* rule = type.fields.Find(static_cast<uint32_t>(field.number()));
  const auto restricted = std::find(type.restricted.begin(), type.restricted.end(), rule);
  if (restricted == type.restricted.end()) return false;
  return (hidden >> (restricted - type.restricted.begin()) & 1) != 0;
}

bool IsHiddenFrom(const RecordType& type, const Id& id, const Message& of,
                  const FieldDescriptor& field, absl::FunctionRef<uint32_t(const Id&)> offices_in) {
  const bool restricted = IsAmong(~uint64_t{0}, type, field);
  return restricted && IsAmong(HiddenIn(type, id, of, offices_in), type, field);
}

bool MayBeHidden(const RecordType& type, const Id& id, const Message& of,
                 const FieldDescriptor& field, absl::FunctionRef<uint32_t(const Id&)> offices_in) {
  return IsEmpty(of, field) && IsHiddenFrom(type, id, of, field, offices_in);
}

bool IsEmpty(const Message& of, const FieldDescriptor& field) {
  const auto& reflection = *of.GetReflection();
  return field.is_repeated() ? reflection.FieldSize(of, &field) == 0
                             : !reflection.HasField(of, &field);
}

}  // namespace zhibu::rules
