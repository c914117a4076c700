#include "client-core/cli/output.h"

#include <iostream>

#include "absl/strings/str_cat.h"
#include "sync/base/status.h"
#include "sync/base/text.h"
#include "sync/wire/why.h"
#include "sync/wire/worded.h"
#include "zhibu/schema/v1/options.pb.h"

namespace zhibu::client {

using Json = nlohmann::json;

std::string Output::Say(absl::string_view zh, absl::string_view en) const {
  return std::string(language == Language::kChinese ? zh : en);
}

std::string Output::Label(const google::protobuf::EnumDescriptor& type, int value) const {
  const auto* known = type.FindValueByNumber(value);
  if (known == nullptr) return Say("本版本不认识的值", "a value that this version does not know");
  return WordsOf(*known, language);
}

void Output::AddProblem(sync::v1::Reason problem, absl::string_view detail,
                        absl::string_view before, Json* json, std::string* text) const {
  if (problem == sync::v1::NO_REASON) return;
  const std::string why = WhyInWords(problem, detail, nullptr, language);
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

std::string Output::IdIfShown(const Id& id) const {
  return show_ids ? absl::StrCat("  [", TextOf(id), "]") : "";
}

std::string Output::TitleOf(Names& names, const RecordType& type, const Id& id) const {
  const std::string title = names.TitleOf(type, id);
  return absl::StrCat(WordsOf(*type.descriptor, language), " ",
                      title.empty() ? Say("（名称不详）", "(name not known)") : title,
                      IdIfShown(id));
}

std::string Output::TitleOf(Names& names, const RecordType& type, const Id& id,
                            const google::protobuf::Message& record) const {
  return absl::StrCat(WordsOf(*type.descriptor, language), " ", names.TitleOf(type, id, record),
                      IdIfShown(id));
}

std::string Output::Time(int64_t ms) const {
  return ms == 0 ? Say("从未", "never") : TimeInWords(ms);
}

absl::Status Output::Committed(Store& store, const absl::StatusOr<EditNumber>& number,
                               const Draft& draft, const std::string& told) const {
  RETURN_IF_ERROR(number.status());
  Json json = {{"type", draft.type().name}, {"id", TextOf(draft.id())}, {"edit", number->value}};
  if (!told.empty()) json["told"] = told;
  Names names(store, language);
  const std::string title =
      PrintableLine(TitleOf(names, draft.type(), draft.id(), draft.message()));
  std::string text =
      number->value == 0
          ? absl::StrCat(Say("没有变化：", "nothing changed: "), title)
          : absl::StrCat(Say("已保存：", "saved: "), title, Say("（尚未发送）", " (not sent yet)"));
  if (!told.empty()) absl::StrAppend(&text, "\n", told);
  Print(json, text);
  return absl::OkStatus();
}

Json JsonOf(const RecordType& type, const Id& id, const google::protobuf::Message& message) {
  return {{"type", type.name}, {"id", TextOf(id)}, {"record", Json::parse(ToJson(message))}};
}

std::string Describe(const RecordType& type, const Id& id, const google::protobuf::Message& message,
                     Names& names, const Output& output) {
  return absl::StrCat(PrintableLine(output.TitleOf(names, type, id, message)), "\n",
                      Lines(message, names.wording()));
}

void AddRecord(const RecordType& type, const Id& id, const google::protobuf::Message& message,
               bool unsent, Names& names, const Output& output, Json* found, std::string* text) {
  if (!output.as_json) {
    absl::StrAppend(text, unsent ? output.Say("【未发送】", "[unsent] ") : "",
                    Describe(type, id, message, names, output));
    found->push_back(nullptr);  // is only counted
    return;
  }
  found->push_back(JsonOf(type, id, message));
  if (unsent) found->back()["unsent"] = true;
}

}  // namespace zhibu::client
