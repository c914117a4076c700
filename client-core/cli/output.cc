#include "client-core/cli/output.h"

#include <iostream>

#include "absl/strings/str_cat.h"
#include "sync/status.h"

namespace zhibu::client {

std::string Output::Say(absl::string_view zh, absl::string_view en) const {
  return std::string(language == Language::kChinese ? zh : en);
}

void Output::Print(const nlohmann::json& json, const std::string& text) const {
  std::cout << (as_json ? json.dump() : text) << std::endl;
}

absl::Status Output::Committed(const absl::StatusOr<EditNumber>& number, const RecordType& type,
                               const Id& id) const {
  RETURN_IF_ERROR(number.status());
  Print({{"type", type.name}, {"id", TextOf(id)}, {"edit", number->value}},
        number->value == 0 ? Say("没有变化", "nothing changed")
                           : absl::StrCat(Say("已保存 ", "saved "), TextOf(id)));
  return absl::OkStatus();
}

absl::StatusOr<Id> ParseId(const std::string& text) {
  if (const auto id = IdFromText(text)) return *id;
  return absl::InvalidArgumentError(absl::StrCat("not an id: ", text));
}

}  // namespace zhibu::client
