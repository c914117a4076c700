// What a command prints: text in the person's language, or one line of JSON. Text calls people,
// branches and records by name, values by their words and times by China's clock (Names,
// sync/wire/worded.h); ids stand in it only where they are asked for (--ids). JSON has ids and the
// names of fields, and is for programs.
#ifndef ZHIBU_CLIENT_CORE_CLI_OUTPUT_H_
#define ZHIBU_CLIENT_CORE_CLI_OUTPUT_H_

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <nlohmann/json.hpp>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "client-core/actions/names.h"
#include "client-core/store/store.h"
#include "sync/base/types.h"
#include "sync/schema/schema.h"
#include "sync/wire/shown.h"
#include "zhibu/sync/v1/answer.pb.h"

namespace zhibu::client {

struct Output {
  bool as_json = false;
  Language language = Language::kChinese;
  bool show_ids = false;

  std::string Say(absl::string_view zh, absl::string_view en) const;
  // What people call a value of an enum.
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
  // What became of Store::Commit. `told`: what else is to be said of it, a line or more.
  absl::Status Committed(Store& store, const absl::StatusOr<EditNumber>& number, const Draft& draft,
                         const std::string& told = "") const;
  // "会议 七月党员大会", with the id where ids are shown.
  std::string TitleOf(Names& names, const RecordType& type, const Id& id) const;
  std::string TitleOf(Names& names, const RecordType& type, const Id& id,
                      const google::protobuf::Message& record) const;
  // "  [id]" where ids are shown.
  std::string IdIfShown(const Id& id) const;
  // "2026-07-01 09:00", "从未" for 0.
  std::string Time(int64_t ms) const;
};

// {"type": …, "id": …, "record": …}
nlohmann::json JsonOf(const RecordType& type, const Id& id,
                      const google::protobuf::Message& message);

// A record of this device, added to both: where an own edit of it has no answer yet, both say
// so ("unsent": true).
void AddRecord(const RecordType& type, const Id& id, const google::protobuf::Message& message,
               bool unsent, Names& names, const Output& output, nlohmann::json* found,
               std::string* text);

// As people read it: its type and title, and a line for each field.
std::string Describe(const RecordType& type, const Id& id, const google::protobuf::Message& message,
                     Names& names, const Output& output);

}  // namespace zhibu::client

#endif  // ZHIBU_CLIENT_CORE_CLI_OUTPUT_H_
