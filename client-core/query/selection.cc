#include "client-core/query/selection.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "client-core/query/pinyin.h"
#include "client-core/query/sort_key.h"
#include "client-core/store/match.h"
#include "sync/base/reason.h"
#include "sync/base/status.h"
#include "sync/wire/record.h"

namespace zhibu::client {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

namespace {

absl::StatusOr<const FieldDescriptor*> FieldOf(const RecordType& type, const std::string& name) {
  const FieldDescriptor* field = FindField(*type.descriptor, name);
  if (field == nullptr) {
    return Refuse(sync::v1::UNKNOWN_FIELD, absl::StrCat(type.name, ".", name));
  }
  return field;
}

absl::Status NoSuch(const FieldDescriptor& field) {
  return Refuse(sync::v1::BAD_VALUE, field.name());
}

absl::StatusOr<std::optional<std::string>> BoundIn(const FieldDescriptor& field,
                                                   const std::optional<std::string>& text) {
  if (!text) return std::optional<std::string>();
  std::optional<std::string> key = HasOrder(field) ? KeyOfText(field, *text) : std::nullopt;
  if (!key) return NoSuch(field);
  return key;
}

bool IsText(const FieldDescriptor& field) {
  return field.type() == FieldDescriptor::TYPE_STRING && !field.is_repeated();
}

bool Says(const Message& record, const Condition& condition, const FieldDescriptor& field) {
  const auto says = [&](const std::string& value) {
    return FieldMatches(record, field.name(), value).value_or(false);
  };
  if (condition.equals && !says(*condition.equals)) return false;
  if (!condition.any_of.empty() &&
      std::none_of(condition.any_of.begin(), condition.any_of.end(), says)) {
    return false;
  }
  if (!condition.prefix && !condition.contains && !condition.sounds) return true;
  const std::string text = record.GetReflection()->GetString(record, &field);
  return (!condition.prefix || absl::StartsWith(text, *condition.prefix)) &&
         (!condition.contains || absl::StrContains(text, *condition.contains)) &&
         (!condition.sounds || SoundsLike(text, *condition.sounds));
}

}  // namespace

absl::StatusOr<Selection> Selection::Compile(const Schema& schema, Wanted wanted) {
  Selection selection;
  selection.type_ = schema.Find(wanted.type);
  if (selection.type_ == nullptr) return Refuse(sync::v1::UNKNOWN_TYPE, absl::StrCat(wanted.type));
  for (const Condition& condition : wanted.where) {
    ASSIGN_OR_RETURN(const FieldDescriptor* field, FieldOf(*selection.type_, condition.field));
    const bool compares = condition.equals || !condition.any_of.empty();
    const bool reads = condition.prefix || condition.contains || condition.sounds;
    if ((compares && field->message_type() != nullptr) || (reads && !IsText(*field))) {
      return NoSuch(*field);
    }
    ASSIGN_OR_RETURN(auto from, BoundIn(*field, condition.from));
    ASSIGN_OR_RETURN(auto below, BoundIn(*field, condition.below));
    if (from || below) selection.bounds_.push_back({field, std::move(from), std::move(below)});
    selection.fields_.push_back(field);
  }
  for (const Order& order : wanted.order) {
    ASSIGN_OR_RETURN(const FieldDescriptor* field, FieldOf(*selection.type_, order.field));
    if (!HasOrder(*field) || (order.pinyin && !IsText(*field))) return NoSuch(*field);
    selection.order_.push_back(field);
  }
  selection.wanted_ = std::move(wanted);
  return selection;
}

bool Selection::Fits(const Id& id, const Message& record) const {
  for (size_t i = 0; i < fields_.size(); ++i) {
    if (!Says(record, wanted_.where[i], *fields_[i])) return false;
  }
  for (const Bound& bound : bounds_) {
    std::string key;
    AppendKey(record, *bound.field, &key);
    if ((bound.from && key < *bound.from) || (bound.below && key >= *bound.below)) return false;
  }
  if (!wanted_.scope) return true;
  const auto places = PlacesOf(*type_, id, record.SerializePartialAsString());
  return std::any_of(places.begin(), places.end(),
                     [&](const Placed& placed) { return placed.scope == *wanted_.scope; });
}

std::optional<std::string> Selection::KeyOf(const Id& id, const Message& record) const {
  if (!Fits(id, record)) return std::nullopt;
  std::string key;
  for (size_t i = 0; i < order_.size(); ++i) {
    const size_t from = key.size();
    if (wanted_.order[i].pinyin) {
      AppendPinyinKey(record.GetReflection()->GetString(record, order_[i]), &key);
    } else {
      AppendKey(record, *order_[i], &key);
    }
    if (wanted_.order[i].descending) Reverse(from, &key);
  }
  absl::StrAppend(&key, id.bytes());
  return key;
}

}  // namespace zhibu::client
