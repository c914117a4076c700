// What a command prints: text in the person's language, or one line of JSON.
#ifndef ZHIBU_CLIENT_CORE_CLI_OUTPUT_H_
#define ZHIBU_CLIENT_CORE_CLI_OUTPUT_H_

#include <nlohmann/json.hpp>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "sync/schema.h"
#include "sync/shown.h"
#include "sync/types.h"

namespace zhibu::client {

struct Output {
  bool as_json = false;
  Language language = Language::kChinese;

  std::string Say(absl::string_view zh, absl::string_view en) const;
  void Print(const nlohmann::json& json, const std::string& text) const;
  // What became of Store::Commit.
  absl::Status Committed(const absl::StatusOr<EditNumber>& number, const RecordType& type,
                         const Id& id) const;
};

// INVALID_ARGUMENT: the text is no id.
absl::StatusOr<Id> ParseId(const std::string& text);

}  // namespace zhibu::client

#endif  // ZHIBU_CLIENT_CORE_CLI_OUTPUT_H_
