// One record and what lies around it, as the expressions of a check or a figure see it on one day.
//
// What another record says counts only where it lies in a scope that this one lies in as well: else
// an answer would tell of what its author may not see.
#ifndef ZHIBU_SYNC_RULES_BOOK_JUDGED_H_
#define ZHIBU_SYNC_RULES_BOOK_JUDGED_H_

#include <google/protobuf/message.h>

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/civil_time.h"
#include "sync/base/types.h"
#include "sync/rules/book/functions.h"
#include "sync/rules/book/surroundings.h"
#include "sync/rules/cel/budget.h"
#include "sync/rules/cel/value.h"
#include "sync/schema/schema.h"
#include "sync/wire/record.h"

namespace zhibu::rules {

// Of one expression.
inline constexpr cel::Budget kExpressionBudget{.steps = 10'000};

// Reading a record costs with its size: the largest that there is less than half of what one
// expression has.
inline constexpr size_t kBytesReadPerStep = 512;

class Judged final : public JudgedRecord {
 public:
  // All outlive it. `trouble`: of the surroundings. `looked_at`: gets the keys of the other records
  // that were asked for, whether they are there or not; null: nobody asks.
  Judged(absl::CivilDay day, const RecordType& type, const Id& id,
         const google::protobuf::Message& record, const std::vector<Placed>& places,
         Surroundings& surroundings, absl::Status* trouble,
         std::vector<RecordKey>* looked_at = nullptr);

  bool Hides(const google::protobuf::Message& of,
             const google::protobuf::FieldDescriptor& field) const override;
  cel::Value RecordWith(const RecordType& type, absl::string_view id,
                        cel::Meter* meter) const override;
  cel::Value RecordMadeBy(const RecordType& type, const std::optional<Id>& id,
                          cel::Meter* meter) const override;

 private:
  ReadingPtr Look(const RecordType& type, const Id& id) const;
  bool IsNear(const Reading& reading) const;
  cel::Value Show(const RecordType& type, const Id& id, const ReadingPtr& reading,
                  cel::Meter* meter) const;

  struct Known {
    const google::protobuf::Message* record;
    const RecordType* type;
    Id id;
    ReadingPtr kept;  // an address means one record as long as this
  };

  const std::vector<Placed>& places_;
  Surroundings& surroundings_;
  absl::Status& trouble_;
  std::vector<RecordKey>* const looked_at_;
  // What this evaluation has read, and paid for. A list: it is short.
  mutable std::vector<Known> known_;
};

}  // namespace zhibu::rules

#endif  // ZHIBU_SYNC_RULES_BOOK_JUDGED_H_
