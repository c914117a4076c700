// Records as other programs read them, protobuf's JSON form with ids in base64, and what people
// are told of a refusal. What people read of a record is in sync/wire/worded.h. Characters that
// would command a terminal or turn a line are written out (sync/base/text.h), also where they were
// stored before anybody refused them.
#ifndef ZHIBU_SYNC_WIRE_SHOWN_H_
#define ZHIBU_SYNC_WIRE_SHOWN_H_

#include <google/protobuf/message.h>

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "sync/base/types.h"
#include "sync/base/words.h"
#include "sync/schema/schema.h"

namespace zhibu {

inline const std::string& In(Language language, const Words& words) {
  return language == Language::kChinese ? words.zh() : words.en();
}

// Base64, as ids stand in the JSON of a record.
std::string TextOf(const Id& id);
// Base64 or its web-safe form.
std::optional<Id> IdFromText(absl::string_view text);

// A time that has no name, beyond the year 9999, is left out.
std::string ToJson(const google::protobuf::Message& message);
// NOT_UNDERSTOOD: not JSON, or not of this message; says where.
absl::Status FromJson(absl::string_view json, google::protobuf::Message* message);

// What a person is told of a status: the words of a refusal, else its message.
std::string Told(const absl::Status& status, Language language);

}  // namespace zhibu

#endif  // ZHIBU_SYNC_WIRE_SHOWN_H_
