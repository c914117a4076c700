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
#include "sync/wire/record.h"

namespace zhibu::rules {
namespace {

using cel::Program;
using cel::Value;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

constexpr cel::Budget kBudget{.steps = 10'000};

bool ShareAScope(const std::vector<Placed>& some, const std::vector<Placed>& others) {
  return std::any_of(some.begin(), some.end(), [&](const Placed& one) {
    return std::any_of(others.begin(), others.end(),
                       [&](const Placed& other) { return one.scope == other.scope; });
  });
}

// One record and what lies around it, as its expressions see it on one day.
class Judged final : public JudgedRecord {
 public:
  Judged(absl::CivilDay day, const RecordType& type, const Id& id, const Message& record,
         const std::vector<Placed>& places, Surroundings& surroundings, absl::Status* trouble)
      : JudgedRecord(day), places_(places), surroundings_(surroundings), trouble_(*trouble) {
    known_.push_back({&record, &type, id});
  }

  bool Hides(const Message& of, const FieldDescriptor& field) const override {
    // What lies within a record is seen with it.
    return std::any_of(known_.begin(), known_.end(), [&](const Known& one) {
      return one.record == &of && surroundings_.Hides(*one.type, one.id, of, field);
    });
  }

  Value RecordWith(const RecordType& type, absl::string_view id) const override {
    const auto known = Id::FromBytes(id);
    if (!known) return Value::Unknown(absl::StrCat("which ", type.name));
    const std::optional<std::string> body = Look(type, *known);
    return body && !body->empty() ? Read(type, *known, *body) : Value::Unknown(type.name);
  }

  Value RecordMadeBy(const RecordType& type, const std::optional<Id>& id) const override {
    if (!id) return Value::Unknown(absl::StrCat("which ", type.name));
    const std::optional<std::string> body = Look(type, *id);
    return body ? Read(type, *id, *body) : Value::Unknown(type.name);
  }

 private:
  // Empty: there is none that this one has to do with.
  std::optional<std::string> Look(const RecordType& type, const Id& id) const {
    absl::StatusOr<std::optional<std::string>> found = surroundings_.Find(type, id);
    trouble_.Update(found.status());
    if (!found.ok() || !*found) return std::nullopt;
    const bool near = ShareAScope(places_, PlacesOf(type, id, **found));
    return near ? *std::move(found) : std::make_optional<std::string>();
  }

  Value Read(const RecordType& type, const Id& id, const std::string& body) const {
    const std::shared_ptr<Message> record(google::protobuf::MessageFactory::generated_factory()
                                              ->GetPrototype(type.descriptor)
                                              ->New());
    if (!record->ParsePartialFromString(body)) return Value::Unknown(type.name);
    // Nothing is hidden in what is not there.
    if (!body.empty()) known_.push_back({record.get(), &type, id});
    return Value::OfMessage(record.get(), record);
  }

  struct Known {
    const Message* record;
    const RecordType* type;
    Id id;
  };

  const std::vector<Placed>& places_;
  Surroundings& surroundings_;
  absl::Status& trouble_;
  // What this evaluation has read. A list: it is short.
  mutable std::vector<Known> known_;
};

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
      if (!day) return End(value.is_error() ? value : Value::Unknown("the day"));
      found_.day = *day;
    }
    const std::optional<absl::CivilDay> from = DayFrom(check_.text.from());
    const std::optional<absl::CivilDay> until = DayFrom(check_.text.until());
    return !(from && found_.day < *from) && !(until && *until < found_.day);
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
    Value value = program.Evaluate(activation_, kBudget);
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
