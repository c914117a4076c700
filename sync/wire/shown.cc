#include "sync/wire/shown.h"

#include <google/protobuf/util/json_util.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "sync/base/reason.h"
#include "sync/base/text.h"
#include "sync/wire/why.h"

namespace zhibu {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

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

// In Chinese: which field it is, where protobuf says so in brackets.
std::string NotOf(const Message& message, absl::string_view en) {
  const std::string of = WordsOf(*message.GetDescriptor(), Language::kChinese);
  const size_t from = en.find('(');
  const size_t to = en.find(')', std::min(from, en.size()));
  if (to == absl::string_view::npos) return absl::StrCat(of, "的 JSON 写得不对");
  return absl::StrCat(of, "的“",
                      DetailInWords(en.substr(from + 1, to - from - 1), message.GetDescriptor(),
                                    Language::kChinese),
                      "”填得不对");
}

}  // namespace

absl::Status FromJson(absl::string_view json, Message* message) {
  const auto status = google::protobuf::util::JsonStringToMessage(
      google::protobuf::StringPiece(json.data(), json.size()), message);
  if (status.ok()) return absl::OkStatus();
  const std::string en = absl::StrCat("not a ", message->GetDescriptor()->name(), ": ",
                                      WithoutValue(status.message().as_string()));
  return Refuse(sync::v1::NOT_UNDERSTOOD, InBoth(NotOf(*message, en), en));
}

std::string Told(const absl::Status& status, Language language) {
  const Refused refused = ReasonOf(status);
  if (refused.reason == sync::v1::NO_REASON) return Printable(std::string(status.message()));
  const RecordType* type = CatalogueSchema()->Find(refused.type);
  return Printable(WhyInWords(refused.reason, refused.detail,
                              type == nullptr ? nullptr : type->descriptor, language));
}

}  // namespace zhibu
