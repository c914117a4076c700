// Which records a list has, and in which order: compiled once for a type, asked of each record.
//
//   ASSIGN_OR_RETURN(const Selection meetings, Selection::Compile(store->schema(), {
//       .type = 31, .where = {{.field = "place", .prefix = "礼"}},
//       .order = {{.field = "starts_at", .descending = true}}}));
//   const std::optional<std::string> key = meetings.KeyOf(id, record);   // nothing: it is not of
//   them
//
//   a stands before b  ⇔  KeyOf(a) < KeyOf(b), as bytes;  no two records have the same key
//
// Immutable: any thread may ask.
#ifndef ZHIBU_CLIENT_CORE_QUERY_SELECTION_H_
#define ZHIBU_CLIENT_CORE_QUERY_SELECTION_H_

#include <google/protobuf/message.h>

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "client-core/store/store.h"
#include "sync/schema/schema.h"

namespace zhibu::client {

// What a field must say; each of these that is given. Values are in protobuf's JSON form without
// quotes; an enum's label will do. Of a repeated field one element must, for `equals` and `any_of`;
// the others are for single ones.
struct Condition {
  std::string field;
  std::optional<std::string> equals;
  std::vector<std::string> any_of;
  std::optional<std::string> from;   // it and what comes after
  std::optional<std::string> below;  // what comes before it
  std::optional<std::string> prefix;
  std::optional<std::string> contains;
  std::optional<std::string> sounds;  // SoundsLike: 王, wang xy, wxy
};

struct Order {
  std::string field;
  bool descending = false;
  bool pinyin = false;  // text as a Chinese register sorts it; else by its characters' numbers
};

struct Wanted {
  uint32_t type = 0;
  std::optional<Id> scope;
  std::vector<Condition> where;
  std::vector<Order> order;  // then by id, which is by when they were made
};

class Selection {
 public:
  // UNKNOWN_TYPE, UNKNOWN_FIELD; BAD_VALUE: the field cannot be compared with that.
  static absl::StatusOr<Selection> Compile(const Schema& schema, Wanted wanted);

  const RecordType& type() const { return *type_; }
  // What the store can leave out by itself.
  Query InStore() const { return {.type = type_->number, .scope = wanted_.scope}; }
  std::optional<std::string> KeyOf(const Id& id, const google::protobuf::Message& record) const;

 private:
  using Field = google::protobuf::FieldDescriptor;
  struct Bound {
    const Field* field;
    std::optional<std::string> from;  // as AppendKey spells values
    std::optional<std::string> below;
  };

  bool Fits(const Id& id, const google::protobuf::Message& record) const;

  Wanted wanted_;
  const RecordType* type_ = nullptr;
  std::vector<const Field*> fields_;  // of wanted_.where
  std::vector<Bound> bounds_;         // of wanted_.where, too
  std::vector<const Field*> order_;
};

}  // namespace zhibu::client

#endif  // ZHIBU_CLIENT_CORE_QUERY_SELECTION_H_
