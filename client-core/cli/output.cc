#include "client-core/cli/output.h"

#include <iostream>

#include "absl/strings/str_cat.h"
#include "sync/base/reason.h"
#include "sync/base/status.h"
#include "sync/base/text.h"
#include "sync/wire/shown.h"
#include "zhibu/schema/v1/options.pb.h"

namespace zhibu::client {

using Json = nlohmann::json;

std::string Output::Say(absl::string_view zh, absl::string_view en) const {
  return std::string(language == Language::kChinese ? zh : en);
}

std::string Output::Label(const google::protobuf::EnumDescriptor& type, int value) const {
  const auto* known = type.FindValueByNumber(value);
  if (known == nullptr) return absl::StrCat(value);
  return WordsOf(*known, language);
}

void Output::AddProblem(sync::v1::Reason problem, absl::string_view detail,
                        absl::string_view before, Json* json, std::string* text) const {
  if (problem == sync::v1::NO_REASON) return;
  const std::string why = In(language, WordsFor(problem, detail));
  (*json)["problem"] = sync::v1::Reason_Name(problem);
  (*json)["problemWords"] = why;
  absl::StrAppend(text, "\n", before, why);
}

void Output::Print(const Json& json, const std::string& text, absl::string_view drawn) const {
  if (!as_json) std::cout << drawn;
  std::cout << Printable(as_json ? json.dump() : text) << std::endl;
}

void Output::PrintFound(const Json& found, absl::string_view text, absl::string_view zh,
                        absl::string_view en) const {
  Print(found, absl::StrCat(text, Say("共 ", ""), found.size(), Say(zh, en)));
}

absl::Status Output::Committed(const absl::StatusOr<EditNumber>& number, const Draft& draft) const {
  RETURN_IF_ERROR(number.status());
  const std::string id = TextOf(draft.id());
  Print({{"type", draft.type().name}, {"id", id}, {"edit", number->value}},
        number->value == 0 ? Say("没有变化", "nothing changed")
                           : absl::StrCat(Say("已保存 ", "saved "), id));
  return absl::OkStatus();
}

Json JsonOf(const RecordType& type, const Id& id, const google::protobuf::Message& message) {
  return {{"type", type.name}, {"id", TextOf(id)}, {"record", Json::parse(ToJson(message))}};
}

void AddRecord(const RecordType& type, const Id& id, const google::protobuf::Message& message,
               bool unsent, const Output& output, Json* found, std::string* text) {
  if (!output.as_json) {
    absl::StrAppend(text, unsent ? output.Say("【未发送】", "[unsent] ") : "",
                    Describe(type, id, message, output.language));
    found->push_back(nullptr);  // is only counted
    return;
  }
  found->push_back(JsonOf(type, id, message));
  if (unsent) found->back()["unsent"] = true;
}

absl::StatusOr<Id> ParseId(const std::string& text) {
  if (const auto id = IdFromText(text)) return *id;
  return absl::InvalidArgumentError(absl::StrCat("not an id: ", text));
}

}  // namespace zhibu::client
