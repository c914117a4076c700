// Lists and maps: size, in, [ ], +.
#include <cmath>
#include <optional>

#include "sync/rules/cel/collections.h"
#include "sync/rules/cel/compare.h"
#include "sync/rules/cel/operators.h"
#include "sync/rules/cel/standard.h"
#include "sync/rules/cel/utf8.h"

namespace zhibu::cel {
namespace {

Value Size(size_t size) { return Value::Int(static_cast<int64_t>(size)); }

Value SizeOfString(Call& call) {
  call.meter().ChargeBytes(call[0].text().size());
  return Size(CountCharacters(call[0].text()));
}

Value IsInList(Call& call) {
  const List& list = call[1].list();
  for (size_t i = 0; i < list.size() && !call.meter().exhausted(); ++i) {
    if (AreEqual(call[0], list.At(i), &call.meter())) return Value::Bool(true);
  }
  return Value::Bool(false);
}

Value IsInMap(Call& call) { return Value::Bool(call[1].map().Find(call[0]) != nullptr); }

// Nothing for what is no place in any list.
std::optional<uint64_t> PlaceIn(const Value& index) {
  const std::optional<MapKey> key = KeyOf(index);
  if (!key.has_value()) return std::nullopt;
  if (const auto* number = absl::get_if<int64_t>(&*key)) {
    return *number < 0 ? std::nullopt : std::make_optional(static_cast<uint64_t>(*number));
  }
  const auto* large = absl::get_if<uint64_t>(&*key);
  return large == nullptr ? std::nullopt : std::make_optional(*large);
}

Value ElementOfList(Call& call) {
  const std::optional<uint64_t> place = PlaceIn(call[1]);
  const List& list = call[0].list();
  if (!place.has_value() || *place >= list.size()) {
    return Value::Error("no element " + call[1].ToText() + " in a list of " +
                        std::to_string(list.size()));
  }
  return list.At(*place);
}

Value ElementOfMap(Call& call) {
  const Value* found = call[0].map().Find(call[1]);
  return found != nullptr ? *found : Value::Error("no such key: " + call[1].ToText());
}

Value JoinLists(Call& call) {
  const List& a = call[0].list();
  const List& b = call[1].list();
  if (!call.meter().Charge(a.size() + b.size())) return Value::Error("too long a list");
  std::vector<Value> all;
  all.reserve(a.size() + b.size());
  for (size_t i = 0; i < a.size(); ++i) all.push_back(a.At(i));
  for (size_t i = 0; i < b.size(); ++i) all.push_back(b.At(i));
  return Value::ListOf(std::move(all));
}

void AddSize(const Type& type, const Implementation& run, std::vector<Function>* functions) {
  functions->push_back({"size", Style::kGlobal, {type}, Type::Int(), run});
  functions->push_back({"size", Style::kReceiver, {type}, Type::Int(), run});
}

}  // namespace

void AddCollections(std::vector<Function>* functions) {
  const Type a = Type::Parameter(0);
  const Type list = Type::List(a);
  const Type map = Type::Map(a, Type::Parameter(1));
  AddSize(Type::String(), SizeOfString, functions);
  AddSize(
      Type::Bytes(), [](Call& call) { return Size(call[0].text().size()); }, functions);
  AddSize(
      list, [](Call& call) { return Size(call[0].list().size()); }, functions);
  AddSize(
      map, [](Call& call) { return Size(call[0].map().size()); }, functions);
  functions->push_back({kIn, Style::kGlobal, {a, list}, Type::Bool(), IsInList});
  functions->push_back({kIn, Style::kGlobal, {a, map}, Type::Bool(), IsInMap});
  for (const Type& index : {Type::Int(), Type::Uint(), Type::Double()}) {
    functions->push_back({kIndex, Style::kGlobal, {list, index}, a, ElementOfList});
  }
  functions->push_back({kIndex, Style::kGlobal, {map, a}, Type::Parameter(1), ElementOfMap});
  functions->push_back({"_+_", Style::kGlobal, {list, list}, list, JoinLists});
}

}  // namespace zhibu::cel
