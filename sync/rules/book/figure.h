// A figure of the rule book, compiled: what the records of a type add up to, and how that is broken
// down. What a record counts for is worked out in sync/rules/book/count.h.
//
// What is broken down has few buckets, whatever people write: the declared values of an enum, the
// codes of a table, the bands that the figure names. All else is "another" (kOther), nothing
// "not said" (kNotSaid). A day that becomes an age is kept as its month.
#ifndef ZHIBU_SYNC_RULES_BOOK_FIGURE_H_
#define ZHIBU_SYNC_RULES_BOOK_FIGURE_H_

#include <google/protobuf/descriptor.h>

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "sync/base/sum.h"
#include "sync/base/words.h"
#include "sync/rules/cel/activation.h"
#include "sync/rules/cel/program.h"
#include "sync/schema/codes.h"
#include "sync/schema/schema.h"
#include "zhibu/rules/v1/rules.pb.h"

namespace zhibu::rules {

// One way in which a figure is broken down.
struct Breakdown {
  enum class Kind { kEnum, kBool, kCode, kBands, kYears };

  // Of a value that `is` gave; kNotSaid where it gave none.
  int64_t BucketOf(const cel::Value& value) const;
  // For people: of kYears the band of those who are so many years old in that month, else the
  // bucket itself.
  int64_t BandOf(int64_t bucket, int32_t in_month) const;
  std::string NameOf(int64_t bucket, Language language) const;

  rules::v1::Breakdown text;
  Kind kind = Kind::kEnum;
  std::optional<cel::Program> is;
  const google::protobuf::EnumDescriptor* enumeration = nullptr;
  const CodeTable* codes = nullptr;
};

struct Figure {
  using Fields = std::set<const google::protobuf::FieldDescriptor*>;

  bool stands() const { return text.counting() != rules::v1::Figure::ON_ITS_DAY; }
  // Whether whoever has these offices where a record lies, at home or as its host, may read all
  // that it counts by.
  bool MayBeReadBy(const Eyes& eyes, const Schema& schema) const;
  bool LooksAtOthers() const { return !others.empty(); }
  // Whether others of its type decide whether, or how long, a record counts.
  bool HangsOnOthers() const { return undone_by != nullptr || followed_by != nullptr; }

  rules::v1::Figure text;
  uint32_t number = 0;  // SumKey::figure
  const RecordType* of = nullptr;
  std::optional<cel::Program> when;
  std::optional<cel::Program> day;
  std::optional<cel::Program> until;
  std::optional<cel::Program> counts;
  std::vector<Breakdown> by;
  const google::protobuf::FieldDescriptor* organisation = nullptr;  // null: its own id
  const google::protobuf::FieldDescriptor* whose = nullptr;         // null: see whose_id
  bool whose_id = false;
  const google::protobuf::FieldDescriptor* undone_by = nullptr;
  const google::protobuf::FieldDescriptor* followed_by = nullptr;
  const google::protobuf::FieldDescriptor* each = nullptr;
  // What the programs name.
  cel::Variable self;
  cel::Variable id;
  cel::Variable element;
  bool asks_parameters = false;  // in `when`, which the day decides then
  // The fields of `this` that it counts by. Where none of them changes nothing does.
  Fields reads;
  // And those of other types, by the number of the type.
  std::map<uint32_t, Fields> others;
};

struct Balance {
  rules::v1::Balance text;
  std::vector<const Figure*> stock;
  std::vector<const Figure*> plus;
  std::vector<const Figure*> minus;
};

}  // namespace zhibu::rules

#endif  // ZHIBU_SYNC_RULES_BOOK_FIGURE_H_
