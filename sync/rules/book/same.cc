#include "sync/rules/book/same.h"

#include <google/protobuf/timestamp.pb.h>

#include "absl/strings/str_cat.h"
#include "absl/time/civil_time.h"
#include "sync/base/date.h"

namespace zhibu::rules {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Timestamp;

bool CanBeSaid(const FieldDescriptor& field) {
  if (field.is_repeated()) return false;
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_ENUM:
    case FieldDescriptor::CPPTYPE_UINT32:
    case FieldDescriptor::CPPTYPE_UINT64:
    case FieldDescriptor::CPPTYPE_INT32:
    case FieldDescriptor::CPPTYPE_INT64:
    case FieldDescriptor::CPPTYPE_BOOL:
    case FieldDescriptor::CPPTYPE_STRING:
      return true;
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return field.message_type() == Timestamp::descriptor();
    default:
      return false;
  }
}

std::string SaidIn(const FieldDescriptor& field, const Message& record) {
  const auto& reflection = *record.GetReflection();
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_ENUM:
      return absl::StrCat(reflection.GetEnumValue(record, &field));
    case FieldDescriptor::CPPTYPE_UINT32:
      return absl::StrCat(reflection.GetUInt32(record, &field));
    case FieldDescriptor::CPPTYPE_UINT64:
      return absl::StrCat(reflection.GetUInt64(record, &field));
    case FieldDescriptor::CPPTYPE_INT32:
      return absl::StrCat(reflection.GetInt32(record, &field));
    case FieldDescriptor::CPPTYPE_INT64:
      return absl::StrCat(reflection.GetInt64(record, &field));
    case FieldDescriptor::CPPTYPE_BOOL:
      return absl::StrCat(reflection.GetBool(record, &field));
    case FieldDescriptor::CPPTYPE_MESSAGE: {
      if (!reflection.HasField(record, &field)) return "";
      const auto& at = static_cast<const Timestamp&>(reflection.GetMessage(record, &field));
      return absl::FormatCivilTime(DayAt(at.seconds() * 1000));
    }
    default:
      return reflection.GetString(record, &field);
  }
}

std::string SaidIn(const std::vector<const FieldDescriptor*>& fields, const Message& record) {
  std::string all;
  for (const FieldDescriptor* field : fields) {
    const std::string said = SaidIn(*field, record);
    absl::StrAppend(&all, said.size(), ":", said, ";");
  }
  return all;
}

}  // namespace zhibu::rules
