// The records that are there, each type read once and found again by what points at what.
#ifndef ZHIBU_SYNC_RULES_BOOK_SHELF_H_
#define ZHIBU_SYNC_RULES_BOOK_SHELF_H_

#include <google/protobuf/message.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
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

struct Shelved {
  Id id;
  std::unique_ptr<google::protobuf::Message> record;
};

class Shelf {
 public:
  // `records` outlives it, and is not changed meanwhile.
  explicit Shelf(Records& records) : records_(records) {}

  // What they give stays as long as this.
  using All = std::vector<Shelved>;
  absl::StatusOr<const All*> AllOf(const RecordType& type);
  // Those of the type by the id that they hold in the field.
  using Index = std::map<std::string, std::vector<const Shelved*>>;
  absl::StatusOr<const Index*> By(const RecordType& type,
                                  const google::protobuf::FieldDescriptor& field);
  // Null: there is none.
  absl::StatusOr<const Shelved*> Find(const RecordType& type, const Id& id);

 private:
  Records& records_;
  std::map<uint32_t, All> all_;
  std::map<const google::protobuf::FieldDescriptor*, Index> by_;
  std::map<uint32_t, absl::flat_hash_map<Id, const Shelved*>> by_id_;
};

}  // namespace zhibu::rules

#endif  // ZHIBU_SYNC_RULES_BOOK_SHELF_H_
