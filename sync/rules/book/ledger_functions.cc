#include "sync/rules/book/ledger_functions.h"

#include <cstdint>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "sync/rules/cel/collections.h"
#include "sync/rules/cel/function.h"

namespace zhibu::rules {
namespace {

using cel::Call;
using cel::Style;
using cel::Type;
using cel::Value;
using google::protobuf::FieldDescriptor;

constexpr uint64_t kStepsOfAList = 20;

const LedgerHost& HostOf(Call& call) { return static_cast<const LedgerHost&>(*call.host()); }

absl::StatusOr<cel::Implementation> Having(const RecordType& type, const Value* name) {
  if (name == nullptr) return absl::InvalidArgumentError("a field is named by text");
  const FieldDescriptor* field = type.descriptor->FindFieldByName(std::string(name->text()));
  if (field == nullptr || field->is_repeated() || field->type() != FieldDescriptor::TYPE_BYTES) {
    return absl::InvalidArgumentError(
        absl::StrCat(type.name, " has no field '", std::string(name->text()), "' with an id"));
  }
  return cel::Implementation([&type, field](Call& call) {
    if (!call.meter().Charge(kStepsOfAList)) return Value::Error("too many steps");
    return HostOf(call).RecordsWith(type, *field, call[1].text());
  });
}

Value NameIn(Call& call) {
  return call[0].text().empty() ? Value::String(std::string())
                                : HostOf(call).NameOf(call[0].text());
}

Value SayIn(Call& call) { return HostOf(call).language == Language::kChinese ? call[0] : call[1]; }

// The first element that is unknown or an error is the result; null: there is none.
Value Improper(const cel::List& list) {
  for (size_t i = 0; i < list.size(); ++i) {
    Value element = list.At(i);
    if (!element.is_proper()) return element;
  }
  return Value::Null();
}

Value Sum(Call& call) {
  const cel::List& list = call[0].list();
  if (!call.meter().Charge(list.size())) return Value::Error("too many steps");
  if (Value wrong = Improper(list); !wrong.is_proper()) return wrong;
  int64_t sum = 0;
  for (size_t i = 0; i < list.size(); ++i) {
    if (__builtin_add_overflow(sum, list.At(i).int_value(), &sum)) return Value::Error("too much");
  }
  return Value::Int(sum);
}

Value Distinct(Call& call) {
  const cel::List& list = call[0].list();
  if (!call.meter().Charge(list.size())) return Value::Error("too many steps");
  if (Value wrong = Improper(list); !wrong.is_proper()) return wrong;
  std::set<std::string> seen;
  std::vector<Value> left;
  for (size_t i = 0; i < list.size(); ++i) {
    if (seen.insert(std::string(list.At(i).text())).second) left.push_back(list.At(i));
  }
  return Value::ListOf(std::move(left));
}

}  // namespace

void AddLedgerFunctions(const Schema& schema, cel::Environment* environment) {
  for (const RecordType& type : schema.types()) {
    environment->AddFunction({absl::StrCat(type.name, "With"),
                              Style::kGlobal,
                              {Type::String(), Type::Bytes()},
                              Type::List(Type::Message(*type.descriptor)),
                              {},
                              [&type](absl::Span<const Value* const> constants, cel::Patterns*) {
                                return Having(type, constants[0]);
                              }});
  }
  const Type ids = Type::List(Type::Bytes());
  environment->AddFunction({"name", Style::kGlobal, {Type::Bytes()}, Type::String(), &NameIn, {}});
  environment->AddFunction(
      {"sum", Style::kGlobal, {Type::List(Type::Int())}, Type::Int(), &Sum, {}});
  environment->AddFunction(
      {"say", Style::kGlobal, {Type::String(), Type::String()}, Type::String(), &SayIn, {}});
  environment->AddFunction({"distinct", Style::kGlobal, {ids}, ids, &Distinct, {}});
}

}  // namespace zhibu::rules
