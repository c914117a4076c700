#include "sync/rules/book/check.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "sync/base/date.h"
#include "sync/base/status.h"
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
            Surroundings& surroundings)
      : check_(check),
        id_(id),
        record_(record),
        places_(PlacesOf(*check.of, id, record.SerializePartialAsString())),
        surroundings_(surroundings),
        found_{.check = &check, .day = today} {
    activation_.Set(check.self, Value::OfMessage(&record));
    activation_.Set(check.id, Value::Bytes(id.str()));
  }

  absl::StatusOr<Finding> Run() {
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
    return !(from && found_.day < *from) && !(until && *until < found_.day);
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
    const std::string shown = ShownText(Evaluate(*check_.shows));
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
    Value value = program.Evaluate(activation_, kExpressionBudget);
    activation_.set_host(nullptr);
    return value;
  }

  const Check& check_;
  const Id& id_;
  const Message& record_;
  const std::vector<Placed> places_;
  Surroundings& surroundings_;
  Finding found_;
  absl::Status trouble_;
  cel::Activation activation_;
};

}  // namespace

absl::StatusOr<Finding> JudgeBy(const Check& check, const Id& id, const Message& record,
                                absl::CivilDay today, Surroundings* surroundings) {
  return Judgement(check, id, record, today, *surroundings).Run();
}

absl::StatusOr<std::vector<Finding>> JudgeByAll(const Book& book, const RecordType& type,
                                                const Id& id, const Message& record,
                                                absl::CivilDay today, Surroundings* surroundings) {
  std::vector<Finding> findings;
  for (const Check& check : book.ChecksOf(type)) {
    ASSIGN_OR_RETURN(Finding found, JudgeBy(check, id, record, today, surroundings));
    if (found.outcome != Outcome::kHolds) findings.push_back(std::move(found));
  }
  return findings;
}

bool IsHiddenFrom(const RecordType& type, const Id& id, const Message& of,
                  const FieldDescriptor& field, absl::FunctionRef<uint32_t(const Id&)> offices_in) {
  const FieldRule* rule = type.fields.Find(static_cast<uint32_t>(field.number()));
  const auto restricted = std::find(type.restricted.begin(), type.restricted.end(), rule);
  if (restricted == type.restricted.end()) return false;
  const std::string body = of.SerializePartialAsString();
  const Eyes eyes = EyesOn(PlacesOf(type, id, body), offices_in);
  const uint64_t hidden = HiddenFrom(type, eyes, HostSightOf(type, body));
  return (hidden >> (restricted - type.restricted.begin()) & 1) != 0;
}

bool MayBeHidden(const RecordType& type, const Id& id, const Message& of,
                 const FieldDescriptor& field, absl::FunctionRef<uint32_t(const Id&)> offices_in) {
  const auto& reflection = *of.GetReflection();
  const bool said =
      field.is_repeated() ? reflection.FieldSize(of, &field) > 0 : reflection.HasField(of, &field);
  return !said && IsHiddenFrom(type, id, of, field, offices_in);
}

}  // namespace zhibu::rules
