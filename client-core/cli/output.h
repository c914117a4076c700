// What a command prints: text in the person's language, or one line of JSON.
#ifndef ZHIBU_CLIENT_CORE_CLI_OUTPUT_H_
#define ZHIBU_CLIENT_CORE_CLI_OUTPUT_H_

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <nlohmann/json.hpp>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "client-core/store/store.h"
#include "sync/base/types.h"
#include "sync/schema/schema.h"
#include "sync/wire/shown.h"
#include "zhibu/sync/v1/answer.pb.h"

namespace zhibu::client {

struct Output {
  bool as_json = false;
  Language language = Language::kChinese;

  std::string Say(absl::string_view zh, absl::string_view en) const;
  // What people call a value of an enum; the number where this build does not know it.
  std::string Label(const google::protobuf::EnumDescriptor& type, int value) const;
  // Why something is not as it should be, at the end of both; nothing where it is.
  void AddProblem(sync::v1::Reason problem, absl::string_view detail, absl::string_view before,
                  nlohmann::json* json, std::string* text) const;
  // Text is shown as it may be (sync/base/text.h); `drawn`, before it, is the program's own.
  void Print(const nlohmann::json& json, const std::string& text,
             absl::string_view drawn = "") const;
  // All that was found, and how much that is.
  void PrintFound(const nlohmann::json& found, absl::string_view text, absl::string_view zh = " 条",
                  absl::string_view en = " found") const;
  // What became of Store::Commit.
  absl::Status Committed(const absl::StatusOr<EditNumber>& number, const Draft& draft) const;
};

// {"type": …, "id": …, "record": …}
nlohmann::json JsonOf(const RecordType& type, const Id& id,
                      const google::protobuf::Message& message);

// A record of this device, added to both: where an own edit of it has no answer yet, both say
// so ("unsent": true).
void AddRecord(const RecordType& type, const Id& id, const google::protobuf::Message& message,
               bool unsent, const Output& output, nlohmann::json* found, std::string* text);

// INVALID_ARGUMENT: the text is no id.
absl::StatusOr<Id> ParseId(const std::string& text);

}  // namespace zhibu::client

#endif  // ZHIBU_CLIENT_CORE_CLI_OUTPUT_H_
