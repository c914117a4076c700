// Records of whatever type, as the messages they are; sync/rules/typed.h has those that are named.
#ifndef ZHIBU_SYNC_RULES_PARSE_H_
#define ZHIBU_SYNC_RULES_PARSE_H_

#include <google/protobuf/message.h>

#include <memory>
#include <optional>
#include <vector>

#include "absl/strings/string_view.h"
#include "sync/base/types.h"
#include "sync/schema/schema.h"
#include "sync/wire/value.h"

namespace zhibu {

// What cannot be read is empty.
inline std::unique_ptr<google::protobuf::Message> ParseAs(const RecordType& type,
                                                          absl::string_view body) {
  std::unique_ptr<google::protobuf::Message> record(
      google::protobuf::MessageFactory::generated_factory()->GetPrototype(type.descriptor)->New());
  record->ParsePartialFromArray(body.data(), static_cast<int>(body.size()));
  return record;
}

// The organisation that keeps a record with this body. Nothing: none, or more than one.
inline std::optional<Id> KeeperOf(const RecordType& type, absl::string_view body) {
  if (type.Keeper() == nullptr) return std::nullopt;
  const std::vector<Id> keepers = IdsIn(*type.Keeper(), body);
  return keepers.size() == 1 ? std::optional(keepers[0]) : std::nullopt;
}

}  // namespace zhibu

#endif  // ZHIBU_SYNC_RULES_PARSE_H_
