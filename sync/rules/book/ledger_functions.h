// What the expressions of a ledger may call beside functions.h:
//
//   AttendanceWith('meeting_id', id)     those Attendances whose field holds the id. A function
//                                        bears the name of each type
//   name(this.chair_id)                  what people call the person or organisation
//   distinct(this.present + others)      each once, in order of their first
//   sum(list)                            of whole numbers
//   say('补交', 'made up late')          in the language of whoever asks
//
// Where whoever asks may not read all of a type, the list is unknown: what is not there may only
// not be known here.
#ifndef ZHIBU_SYNC_RULES_BOOK_LEDGER_FUNCTIONS_H_
#define ZHIBU_SYNC_RULES_BOOK_LEDGER_FUNCTIONS_H_

#include <google/protobuf/descriptor.h>

#include "absl/strings/string_view.h"
#include "absl/time/civil_time.h"
#include "sync/base/words.h"
#include "sync/rules/book/functions.h"
#include "sync/rules/cel/environment.h"
#include "sync/rules/cel/value.h"
#include "sync/schema/schema.h"

namespace zhibu::rules {

// Of one evaluation.
class LedgerHost : public JudgedRecord {
 public:
  LedgerHost(absl::CivilDay day, Language language) : JudgedRecord(day), language(language) {}
  const Language language;
  // Messages of the type.
  virtual cel::Value RecordsWith(const RecordType& type,
                                 const google::protobuf::FieldDescriptor& field,
                                 absl::string_view id) const = 0;
  // Of a person or an organisation.
  virtual cel::Value NameOf(absl::string_view id) const = 0;
};

// Every evaluation has a LedgerHost as its host. `schema` outlives the programs.
void AddLedgerFunctions(const Schema& schema, cel::Environment* environment);

}  // namespace zhibu::rules

#endif  // ZHIBU_SYNC_RULES_BOOK_LEDGER_FUNCTIONS_H_
