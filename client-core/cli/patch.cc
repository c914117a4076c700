#include "client-core/cli/patch.h"

#include <memory>
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "client-core/store/match.h"
#include "sync/base/status.h"
#include "sync/wire/shown.h"
#include "zhibu/schema/v1/options.pb.h"

namespace zhibu::client {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using Json = nlohmann::json;

absl::StatusOr<std::pair<const FieldDescriptor*, std::string>> Assignment(const std::string& text,
                                                                          const Message& message) {
  const std::pair<std::string, std::string> parts = absl::StrSplit(text, absl::MaxSplits('=', 1));
  const FieldDescriptor* field = FindField(*message.GetDescriptor(), parts.first);
  if (field == nullptr || !field->is_repeated()) {
    return absl::InvalidArgumentError(
        absl::StrCat(message.GetDescriptor()->name(), " has no repeated field ", parts.first));
  }
  return std::pair(field, parts.second);
}

// A terminal may send text that is not UTF-8, which JSON cannot hold.
absl::Status Fill(const Json& object, Message* message) {
  try {
    return FromJson(object.dump(), message);
  } catch (const Json::type_error&) {
    return absl::InvalidArgumentError("not UTF-8 text");
  }
}

// Does element `index` have this value, or this key?
absl::StatusOr<bool> ElementIs(const Message& message, const FieldDescriptor* field, int index,
                               const std::string& value) {
  const auto& reflection = *message.GetReflection();
  if (field->message_type() != nullptr) {
    const std::string key = field->is_map() ? "key" : field->options().GetExtension(zhibu::key);
    return FieldMatches(reflection.GetRepeatedMessage(message, field, index), key, value);
  }
  // Alone in a copy, so that only this element can match.
  std::unique_ptr<Message> copy(message.New());
  copy->CopyFrom(message);
  reflection.SwapElements(copy.get(), field, 0, index);
  while (reflection.FieldSize(*copy, field) > 1) reflection.RemoveLast(copy.get(), field);
  return FieldMatches(*copy, field->name(), value);
}

}  // namespace

absl::Status Patch(const std::string& json, Message* message) {
  Json object = Json::parse(json, nullptr, false);
  if (!object.is_object())
    return absl::InvalidArgumentError("expected a JSON object: {\"field\": value}");
  Json set = Json::object();
  for (const auto& [name, value] : object.items()) {
    const FieldDescriptor* field = FindField(*message->GetDescriptor(), name);
    if (field == nullptr) {
      return absl::InvalidArgumentError(
          absl::StrCat(message->GetDescriptor()->name(), " has no field ", name));
    }
    message->GetReflection()->ClearField(message, field);
    if (!value.is_null()) set[name] = value;
  }
  const std::unique_ptr<Message> values(message->New());
  RETURN_IF_ERROR(Fill(set, values.get()));
  message->MergeFrom(*values);
  return absl::OkStatus();
}

absl::Status AddElement(const std::string& assignment, Message* message) {
  ASSIGN_OR_RETURN(const auto parts, Assignment(assignment, *message));
  Json element = Json::parse(parts.second, nullptr, false);
  // A plain word, or a text that only looks like a number.
  if (element.is_discarded() || parts.first->cpp_type() == FieldDescriptor::CPPTYPE_STRING) {
    element = parts.second;
  }
  const std::unique_ptr<Message> values(message->New());
  const Json object = {{parts.first->name(), Json::array({element})}};
  RETURN_IF_ERROR(Fill(object, values.get()));
  message->MergeFrom(*values);
  return absl::OkStatus();
}

absl::Status RemoveElement(const std::string& assignment, Message* message) {
  ASSIGN_OR_RETURN(const auto parts, Assignment(assignment, *message));
  const FieldDescriptor* field = parts.first;
  const auto& reflection = *message->GetReflection();
  for (int i = reflection.FieldSize(*message, field) - 1; i >= 0; --i) {
    ASSIGN_OR_RETURN(const bool is, ElementIs(*message, field, i, parts.second));
    if (!is) continue;
    for (int j = i; j + 1 < reflection.FieldSize(*message, field); ++j) {
      reflection.SwapElements(message, field, j, j + 1);
    }
    reflection.RemoveLast(message, field);
  }
  return absl::OkStatus();
}

}  // namespace zhibu::client
