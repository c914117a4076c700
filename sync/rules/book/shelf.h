// The records that something is worked out of, each type read once, and found again by its id or
// by an id that it holds.
//
//   Shelf shelf(records);
//   ASSIGN_OR_RETURN(const Shelf::Index* paid, shelf.By(payment, member_id));
//   for (const Shelf::Entry* entry : (*paid)[member.str()]) …
//
// What is on it stays where it is as long as the shelf does.
#ifndef ZHIBU_SYNC_RULES_BOOK_SHELF_H_
#define ZHIBU_SYNC_RULES_BOOK_SHELF_H_

#include <google/protobuf/message.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "sync/base/types.h"
#include "sync/schema/schema.h"

namespace zhibu::rules {

// Where the records come from.
class Records {
 public:
  virtual ~Records() = default;
  // Every living one of the type. What is visited is not kept.
  virtual absl::Status List(
      const RecordType& type,
      absl::FunctionRef<void(const Id&, const google::protobuf::Message&)> visit) = 0;
};

class Shelf {
 public:
  struct Entry {
    Id id;
    std::unique_ptr<google::protobuf::Message> record;
  };
  using All = std::vector<Entry>;
  using Index = std::map<std::string, std::vector<const Entry*>>;

  explicit Shelf(Records& records) : records_(records) {}

  absl::StatusOr<const All*> AllOf(const RecordType& type);
  // Those of the type by the id that they hold in the field.
  absl::StatusOr<const Index*> By(const RecordType& type,
                                  const google::protobuf::FieldDescriptor* field);
  // Null: it is not there.
  absl::StatusOr<const Entry*> Find(const RecordType& type, const Id& id);

 private:
  Records& records_;
  std::map<uint32_t, All> all_;
  std::map<const google::protobuf::FieldDescriptor*, Index> by_;
  std::map<uint32_t, absl::flat_hash_map<Id, const Entry*>> by_id_;
};

}  // namespace zhibu::rules

#endif  // ZHIBU_SYNC_RULES_BOOK_SHELF_H_
