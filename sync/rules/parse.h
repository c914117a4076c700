// A record of any type as the message that its type declares.
#ifndef ZHIBU_SYNC_RULES_PARSE_H_
#define ZHIBU_SYNC_RULES_PARSE_H_

#include <google/protobuf/message.h>

#include <memory>

#include "absl/strings/string_view.h"
#include "sync/schema/schema.h"

namespace zhibu {

// What cannot be read is empty.
inline std::unique_ptr<google::protobuf::Message> ParseAs(const RecordType& type,
                                                          absl::string_view body) {
  std::unique_ptr<google::protobuf::Message> record(
      google::protobuf::MessageFactory::generated_factory()->GetPrototype(type.descriptor)->New());
  record->ParseFromArray(body.data(), static_cast<int>(body.size()));
  return record;
}

}  // namespace zhibu

#endif  // ZHIBU_SYNC_RULES_PARSE_H_
