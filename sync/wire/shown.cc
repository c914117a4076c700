#include "sync/wire/shown.h"

#include <google/protobuf/text_format.h>
#include <google/protobuf/util/json_util.h>

#include <memory>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "sync/base/reason.h"
#include "sync/base/text.h"
#include "sync/schema/codes.h"

namespace zhibu {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

// By its words, where the field keeps a code of a table that has it.
std::string StringText(const FieldDescriptor& field, const std::string& value, Language language) {
  const Code* code = FindCode(field.options().GetExtension(zhibu::code_table), value);
  if (code != nullptr) return language == Language::kChinese ? code->zh() : code->en();
  return PrintableLine(value);
}

std::string MessageText(const Message& message, Language language);

// Element `index` of a repeated field; -1 for a single one.
std::string ValueText(const Message& message, const FieldDescriptor& field, int index,
                      Language language) {
  const Reflection& reflection = *message.GetReflection();
  const bool repeated = index >= 0;
  switch (field.type()) {
    case FieldDescriptor::TYPE_ENUM:
      return WordsOf(repeated ? *reflection.GetRepeatedEnum(message, &field, index)
                              : *reflection.GetEnum(message, &field),
                     language);
    case FieldDescriptor::TYPE_STRING:
      return StringText(field,
                        repeated ? reflection.GetRepeatedString(message, &field, index)
                                 : reflection.GetString(message, &field),
                        language);
    case FieldDescriptor::TYPE_BYTES:
      return absl::Base64Escape(repeated ? reflection.GetRepeatedString(message, &field, index)
                                         : reflection.GetString(message, &field));
    case FieldDescriptor::TYPE_MESSAGE:
      return MessageText(repeated ? reflection.GetRepeatedMessage(message, &field, index)
                                  : reflection.GetMessage(message, &field),
                         language);
    default: {
      std::string text;
      google::protobuf::TextFormat::PrintFieldValueToString(message, &field, index, &text);
      return text;
    }
  }
}

std::string FieldText(const Message& message, const FieldDescriptor& field, Language language) {
  if (!field.is_repeated()) return ValueText(message, field, -1, language);
  std::string text;
  const int size = message.GetReflection()->FieldSize(message, &field);
  for (int i = 0; i < size; ++i) {
    absl::StrAppend(&text, i == 0 ? "" : ", ", ValueText(message, field, i, language));
  }
  return text;
}

std::string MessageText(const Message& message, Language language) {
  if (message.GetDescriptor()->full_name() == "google.protobuf.Timestamp") {
    const std::string json = ToJson(message);  // "2026-11-21T08:00:00Z", in quotes
    return json.size() > 2 ? json.substr(1, json.size() - 2) : "?";
  }
  std::vector<const FieldDescriptor*> fields;
  message.GetReflection()->ListFields(message, &fields);
  std::string text = "{";
  for (const FieldDescriptor* field : fields) {
    absl::StrAppend(&text, text.size() == 1 ? "" : "; ", WordsOf(*field, language), ": ",
                    FieldText(message, *field, language));
  }
  return text + "}";
}

bool IsTimestamp(const google::protobuf::Descriptor* type) {
  return type != nullptr &&
         type->well_known_type() == google::protobuf::Descriptor::WELLKNOWNTYPE_TIMESTAMP;
}

bool HasName(const Message& timestamp) {
  std::string json;
  return google::protobuf::util::MessageToJsonString(timestamp, &json).ok();
}

void ClearNamelessTimes(Message* message) {
  const Reflection& reflection = *message->GetReflection();
  std::vector<const FieldDescriptor*> fields;
  reflection.ListFields(*message, &fields);
  for (const FieldDescriptor* field : fields) {
    if (field->message_type() == nullptr) continue;
    const int size = field->is_repeated() ? reflection.FieldSize(*message, field) : 1;
    for (int i = 0; i < size; ++i) {
      Message* inner = field->is_repeated() ? reflection.MutableRepeatedMessage(message, field, i)
                                            : reflection.MutableMessage(message, field);
      if (!IsTimestamp(field->message_type())) {
        ClearNamelessTimes(inner);
      } else if (HasName(*inner)) {
        continue;
      } else if (field->is_repeated()) {
        inner->Clear();
      } else {
        reflection.ClearField(message, field);
      }
    }
  }
}

}  // namespace

std::string TextOf(const Id& id) { return absl::Base64Escape(id.bytes()); }

std::optional<Id> IdFromText(absl::string_view text) {
  std::string bytes;
  if (absl::Base64Unescape(text, &bytes) || absl::WebSafeBase64Unescape(text, &bytes)) {
    return Id::FromBytes(bytes);
  }
  return std::nullopt;
}

std::string ToJson(const Message& message) {
  std::string json;
  if (!google::protobuf::util::MessageToJsonString(message, &json).ok()) {
    // What was stored before times were looked at may hold one that has no name.
    const std::unique_ptr<Message> rest(message.New());
    rest->CopyFrom(message);
    ClearNamelessTimes(rest.get());
    json.clear();
    if (!google::protobuf::util::MessageToJsonString(*rest, &json).ok()) return "{}";
  }
  return Printable(json);
}

namespace {

// protobuf's message without what it quotes: a value may be an identity number.
absl::string_view WithoutValue(absl::string_view message) {
  message = message.substr(0, message.find('\n'));
  return message.substr(0, message.find(": invalid value "));
}

}  // namespace

absl::Status FromJson(absl::string_view json, Message* message) {
  const auto status = google::protobuf::util::JsonStringToMessage(
      google::protobuf::StringPiece(json.data(), json.size()), message);
  if (status.ok()) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("not a ", message->GetDescriptor()->name(), ": ",
                                                 WithoutValue(status.message().as_string())));
}

std::string Describe(const RecordType& type, const Id& id, const Message& message,
                     Language language) {
  return absl::StrCat(WordsOf(*type.descriptor, language), " ", TextOf(id), "\n",
                      Lines(message, language));
}

std::string Lines(const Message& message, Language language) {
  std::string text;
  std::vector<const FieldDescriptor*> fields;
  message.GetReflection()->ListFields(message, &fields);
  for (const FieldDescriptor* field : fields) {
    absl::StrAppend(&text, "  ", WordsOf(*field, language), ": ",
                    FieldText(message, *field, language), "\n");
  }
  return text;
}

std::string Told(const absl::Status& status, Language language) {
  const Refused refused = ReasonOf(status);
  return Printable(refused.reason == sync::v1::NO_REASON
                       ? std::string(status.message())
                       : In(language, WordsFor(refused.reason, refused.detail)));
}

}  // namespace zhibu
