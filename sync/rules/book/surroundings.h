// What lies around a record, for expressions that look at others too: of a device what it holds and
// its owner may read, of the server all.
#ifndef ZHIBU_SYNC_RULES_BOOK_SURROUNDINGS_H_
#define ZHIBU_SYNC_RULES_BOOK_SURROUNDINGS_H_

#include <google/protobuf/message.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/civil_time.h"
#include "sync/base/types.h"
#include "sync/schema/schema.h"
#include "sync/wire/record.h"

namespace zhibu::rules {

// A record as it was found, and parsed.
struct Reading {
  std::unique_ptr<const google::protobuf::Message> record;  // null: it cannot be parsed
  std::vector<Placed> places;
  size_t bytes = 0;  // none: there is no such record
};
using ReadingPtr = std::shared_ptr<const Reading>;

// What is known where it is judged.
class Surroundings {
 public:
  virtual ~Surroundings() = default;

  // The body of a living record; empty: there is none. Nothing: that is not known here.
  virtual absl::StatusOr<std::optional<std::string>> Find(const RecordType& type, const Id& id) = 0;
  // The same, parsed. Whoever is asked for the same ones again and again keeps them. Null: that is
  // not known here.
  virtual absl::StatusOr<ReadingPtr> Read(const RecordType& type, const Id& id);
  // Whether a field of the record may be empty because it may not be read here.
  virtual bool Hides(const RecordType& type, const Id& id, const google::protobuf::Message& of,
                     const google::protobuf::FieldDescriptor& field) const = 0;
};

// One of those of which each ends the one before it (Figure::followed_by): its keeper, day and id.
using Follower = std::tuple<Id, absl::CivilDay, Id>;
// In order; by the figure's number, and by what they have in common.
using Followers = std::map<std::pair<uint32_t, Id>, std::vector<Follower>>;

// What adds up looks at whoever points at a record as well.
class Neighbours : public Surroundings {
 public:
  // Whether to go on to the next.
  using VisitPointing = absl::FunctionRef<bool(const Id&, const google::protobuf::Message&)>;
  // Every living record of the type whose field holds the id. What is visited is not kept.
  virtual absl::Status PointingAt(const RecordType& type,
                                  const google::protobuf::FieldDescriptor& field, const Id& id,
                                  VisitPointing visit) = 0;

  // Worked out once for all of them. Whoever lets records change in between clears it.
  Followers& followers() { return followers_; }

 private:
  Followers followers_;
};

}  // namespace zhibu::rules

#endif  // ZHIBU_SYNC_RULES_BOOK_SURROUNDINGS_H_
