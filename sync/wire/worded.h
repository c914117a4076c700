// Records as people read them, in one language: no id, no number of a type or of an enum's value,
// no name out of a .proto. Whatever shows a record to people shows it by this; what programs read
// is protobuf's JSON form (sync/wire/shown.h).
//
//   Lines(meeting, {Language::kChinese, name_of})
//     党支部: 云溪镇青石村党支部
//     时间: 2026-07-01 09:00
//     到会人员: 甲青石、乙青石
//
// What a value is follows from its field, so that a type that is added is shown rightly as it is:
//
//   bytes, 16 of them       whom or what it names, by Wording::name_of
//   other bytes             how many they are
//   an enum, a code         its label; its words
//   a time                  2026-07-01 09:00, in China (UTC+8), wherever the device is
//   …_fen                   18.50 元
//   …_basis_points          0.5%
//   …_type                  which type of record, by its label
//   (zhibu.means)           a path, a value or a reason in words
#ifndef ZHIBU_SYNC_WIRE_WORDED_H_
#define ZHIBU_SYNC_WIRE_WORDED_H_

#include <google/protobuf/message.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "sync/base/types.h"
#include "sync/base/words.h"

namespace zhibu {

struct Wording {
  Language language = Language::kChinese;
  // What people call what that field names; empty where nobody here knows. Unset: nobody does.
  std::function<std::string(const google::protobuf::FieldDescriptor& field, const Id& id)> name_of;
};

// A field that is set, in words.
struct WordedField {
  const google::protobuf::FieldDescriptor* field = nullptr;
  std::string label;
  std::string value;
};
std::vector<WordedField> WordedFields(const google::protobuf::Message& message,
                                      const Wording& wording);

// "  地点: 礼堂", a line for each field that is set.
std::string Lines(const google::protobuf::Message& message, const Wording& wording);

// What one field says, of a repeated one all elements; empty where it says nothing.
std::string ValueOf(const google::protobuf::Message& message,
                    const google::protobuf::FieldDescriptor& field, const Wording& wording);

// "决议（2）的决议内容" for "resolutions[2].text" of a Meeting; the path as it is where the type
// has no such field, or there is no type.
std::string PathInWords(const google::protobuf::Descriptor* type, absl::string_view path,
                        Language language);

// What `json`, protobuf's form of a value of the field at that path, says; as it is where it is no
// such value.
std::string JsonInWords(const google::protobuf::Descriptor* type, absl::string_view path,
                        const std::string& json, const Wording& wording);

// "2026-07-01 09:00", or to the second where it is not whole minutes, in China.
std::string TimeInWords(int64_t ms);
// "18.50 元", "18.50 yuan".
std::string MoneyInWords(int64_t fen, Language language);

}  // namespace zhibu

#endif  // ZHIBU_SYNC_WIRE_WORDED_H_
