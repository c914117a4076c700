// What lies around a record, for expressions that look at others too: of a device what it holds and
// its owner may read, of the server all.
#ifndef ZHIBU_SYNC_RULES_BOOK_SURROUNDINGS_H_
#define ZHIBU_SYNC_RULES_BOOK_SURROUNDINGS_H_

#include <google/protobuf/message.h>

#include <optional>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "sync/base/types.h"
#include "sync/schema/schema.h"

namespace zhibu::rules {

// What is known where it is judged.
class Surroundings {
 public:
  virtual ~Surroundings() = default;

  // The body of a living record; empty: there is none. Nothing: that is not known here.
  virtual absl::StatusOr<std::optional<std::string>> Find(const RecordType& type, const Id& id) = 0;
  // Whether a field of the record may be empty because it may not be read here.
  virtual bool Hides(const RecordType& type, const Id& id, const google::protobuf::Message& of,
                     const google::protobuf::FieldDescriptor& field) const = 0;
};

// What adds up looks at whoever points at a record as well.
class Neighbours : public Surroundings {
 public:
  // Every living record of the type whose field holds the id. What is visited is not kept.
  virtual absl::Status PointingAt(
      const RecordType& type, const google::protobuf::FieldDescriptor& field, const Id& id,
      absl::FunctionRef<void(const Id&, const google::protobuf::Message&)> visit) = 0;
};

}  // namespace zhibu::rules

#endif  // ZHIBU_SYNC_RULES_BOOK_SURROUNDINGS_H_
