// A ledger (台账) of the rule book, compiled: what docs/rules.md calls "Ledgers". What it says of
// the records that are there is worked out in ledger_table.h.
//
//   ledger {
//     key: "study.training"  words { zh: "培训台账" en: "trainings" }  source: "JG19"  certainty:
//     SURE each: "Training"  day: "this.from"  sorted_by: "this.from" column { head { zh: "姓名"
//     en: "name" }  value: "this.member_id" } column { head { zh: "学时" en: "hours" }  value:
//     "this.hours"  summed: true }
//   }
//
// A column shows what its expression's type is, unless it says otherwise; what nobody could read
// (a message, bytes that are no id) does not compile.
#ifndef ZHIBU_SYNC_RULES_BOOK_LEDGER_H_
#define ZHIBU_SYNC_RULES_BOOK_LEDGER_H_

#include <google/protobuf/descriptor.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "sync/rules/book/calendar.h"
#include "sync/rules/book/parameters.h"
#include "sync/rules/cel/activation.h"
#include "sync/rules/cel/environment.h"
#include "sync/rules/cel/program.h"
#include "sync/schema/schema.h"
#include "zhibu/rules/v1/rules.pb.h"

namespace zhibu::rules {

struct LedgerColumn {
  rules::v1::Ledger::Column text;
  cel::Program value;
  // Of an enum, or a list of its values.
  const google::protobuf::EnumDescriptor* values = nullptr;
};

// Of a ledger that is read: where a cell of a column goes.
struct LedgerInto {
  size_t column = 0;
  const google::protobuf::FieldDescriptor* field = nullptr;
  // Of `meeting_id.topic`: the type of the record that is looked for, and its field.
  const RecordType* of = nullptr;
  const google::protobuf::FieldDescriptor* by = nullptr;
  // Of an enum: the numbers of its values by other words for them.
  std::map<std::string, int> means;
};

struct LedgerIntake {
  const RecordType* type = nullptr;
  std::vector<LedgerInto> into;
  std::vector<const google::protobuf::FieldDescriptor*> same;
  const google::protobuf::FieldDescriptor* keeper = nullptr;  // holds the organisation
  std::vector<const google::protobuf::EnumValueDescriptor*> always;
};

struct Ledger {
  rules::v1::Ledger text;
  const RecordType* each = nullptr;
  uint32_t at = 0;  // bit n for Place n
  std::optional<cel::Program> where;
  std::optional<cel::Program> rows;
  std::optional<cel::Program> day;
  std::optional<cel::Program> person;
  std::vector<cel::Program> sorted_by;
  std::vector<LedgerColumn> columns;
  std::optional<LedgerIntake> intake;
  // What the programs name.
  cel::Variable self;
  cel::Variable id;
  cel::Variable row;
  cel::Variable number;
  cel::Variable organisation;
  cel::Variable today;
  cel::Variable year;
  bool by_year = false;  // it says another thing of another year
};

class LedgerCompiler {
 public:
  // All outlive the ledgers.
  LedgerCompiler(const Parameters& parameters, const Calendars& calendars, const Schema& schema);

  // INVALID_ARGUMENT names the ledger, its column and the place. The type is one of the schema's.
  absl::StatusOr<Ledger> Compile(const rules::v1::Ledger& text) const;

 private:
  const Schema& schema_;
  cel::Environment functions_;  // what every ledger may call
};

}  // namespace zhibu::rules

#endif  // ZHIBU_SYNC_RULES_BOOK_LEDGER_H_
