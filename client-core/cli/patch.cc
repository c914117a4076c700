#include "client-core/cli/patch.h"

#include <fstream>
#include <iostream>
#include <iterator>
#include <memory>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "client-core/cli/spoken.h"
#include "client-core/store/match.h"
#include "sync/base/reason.h"
#include "sync/base/status.h"
#include "sync/wire/shown.h"
#include "zhibu/schema/v1/options.pb.h"

namespace zhibu::client {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using Json = nlohmann::json;

absl::Status NotUnderstood(absl::string_view zh, absl::string_view en) {
  return Refuse(sync::v1::NOT_UNDERSTOOD, InBoth(zh, en));
}

using Parts = std::pair<const FieldDescriptor*, std::string>;

absl::StatusOr<Parts> Assignment(const std::string& text, const Descriptor& type) {
  const std::pair<std::string, std::string> parts = absl::StrSplit(text, absl::MaxSplits('=', 1));
  if (!absl::StrContains(text, '=')) {
    return NotUnderstood(absl::StrCat("“", text, "”应写作 项目=内容，例如 地点=村委会"),
                         absl::StrCat(text, " is to be written FIELD=VALUE, as place=hall is"));
  }
  ASSIGN_OR_RETURN(const FieldDescriptor* field, FieldFrom(type, parts.first));
  RETURN_IF_ERROR(CheckUnit(type, parts.first, *field, parts.second));
  return Parts(field, parts.second);
}

absl::StatusOr<Parts> ListAssignment(const std::string& text, const Descriptor& type) {
  ASSIGN_OR_RETURN(const Parts parts, Assignment(text, type));
  if (parts.first->is_repeated()) return parts;
  return NotUnderstood(
      absl::StrCat("“", WordsOf(*parts.first, Language::kChinese),
                   "”只有一个值，请用 --set 或 JSON 修改"),
      absl::StrCat(parts.first->name(), " (", WordsOf(*parts.first, Language::kEnglish),
                   ") holds one value: change it by --set or JSON"));
}

// A terminal may send text that is not UTF-8, which JSON cannot hold.
absl::Status Fill(const Json& object, Message* message) {
  try {
    return FromJson(object.dump(), message);
  } catch (const Json::type_error&) {
    return NotUnderstood("文字不是 UTF-8 编码", "the text is not UTF-8");
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

absl::StatusOr<std::string> ContentFrom(const std::string& argument) {
  if (argument == "-") return std::string(std::istreambuf_iterator<char>(std::cin), {});
  if (argument.empty() || argument[0] != '@') return argument;
  std::ifstream file(argument.substr(1));
  if (!file) {
    return Refuse(sync::v1::NOT_HERE,
                  InBoth(absl::StrCat("能读取的文件 ", argument.substr(1)),
                         absl::StrCat("file to be read as ", argument.substr(1))));
  }
  return std::string(std::istreambuf_iterator<char>(file), {});
}

absl::StatusOr<Json> Spoken(const std::string& argument, const std::vector<std::string>& set,
                            const Descriptor& type, Names& names) {
  Json object = Json::object();
  if (!argument.empty()) {
    ASSIGN_OR_RETURN(const std::string json, ContentFrom(argument));
    object = Json::parse(json, nullptr, false);
    if (!object.is_object()) {
      return NotUnderstood(
          "内容应是 JSON，例如 {\"主题\": \"七月党员大会\"}；也可以用 --set 主题=七月党员大会",
          "the content is JSON, as {\"topic\": \"July\"} is; or use --set topic=July");
    }
  }
  for (const std::string& assignment : set) {
    ASSIGN_OR_RETURN(const Parts parts, Assignment(assignment, type));
    // Several for one list are its elements.
    Json& value = object[parts.first->name()];
    if (parts.first->is_repeated()) {
      ASSIGN_OR_RETURN(Json element, ValueAsProto(parts.second, *parts.first, names));
      value.push_back(std::move(element));
    } else if (parts.second.empty()) {
      value = nullptr;
    } else {
      ASSIGN_OR_RETURN(value, ValueAsProto(parts.second, *parts.first, names));
    }
  }
  try {
    return AsProto(object, type, names);
  } catch (const Json::type_error&) {
    return NotUnderstood("文字不是 UTF-8 编码", "the text is not UTF-8");
  }
}

absl::Status Patch(const Json& object, Message* message) {
  Json set = Json::object();
  for (const auto& [name, value] : object.items()) {
    ASSIGN_OR_RETURN(const FieldDescriptor* field, FieldFrom(*message->GetDescriptor(), name));
    message->GetReflection()->ClearField(message, field);
    if (!value.is_null()) set[field->name()] = value;
  }
  const std::unique_ptr<Message> values(message->New());
  RETURN_IF_ERROR(Fill(set, values.get()));
  message->MergeFrom(*values);
  return absl::OkStatus();
}

absl::Status AddElement(const std::string& assignment, Names& names, Message* message) {
  ASSIGN_OR_RETURN(const Parts parts, ListAssignment(assignment, *message->GetDescriptor()));
  Json element = Json::parse(parts.second, nullptr, false);
  // A plain word, or a text that only looks like a number.
  if (element.is_discarded() || parts.first->cpp_type() == FieldDescriptor::CPPTYPE_STRING) {
    element = parts.second;
  }
  ASSIGN_OR_RETURN(element, ValueAsProto(element, *parts.first, names));
  const std::unique_ptr<Message> values(message->New());
  const Json object = {{parts.first->name(), Json::array({element})}};
  RETURN_IF_ERROR(Fill(object, values.get()));
  message->MergeFrom(*values);
  return absl::OkStatus();
}

absl::Status RemoveElement(const std::string& assignment, Names& names, Message* message) {
  ASSIGN_OR_RETURN(const Parts parts, ListAssignment(assignment, *message->GetDescriptor()));
  const FieldDescriptor* field = parts.first;
  std::string value = parts.second;
  if (field->message_type() == nullptr) {
    ASSIGN_OR_RETURN(const Json said, ValueAsProto(value, *field, names));
    if (said.is_string()) value = said.get<std::string>();
  }
  const auto& reflection = *message->GetReflection();
  for (int i = reflection.FieldSize(*message, field) - 1; i >= 0; --i) {
    ASSIGN_OR_RETURN(const bool is, ElementIs(*message, field, i, value));
    if (!is) continue;
    for (int j = i; j + 1 < reflection.FieldSize(*message, field); ++j) {
      reflection.SwapElements(message, field, j, j + 1);
    }
    reflection.RemoveLast(message, field);
  }
  return absl::OkStatus();
}

}  // namespace zhibu::client
