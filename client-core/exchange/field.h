// What a cell says, written into a field of a record: by the field's type and its format.
#ifndef ZHIBU_CLIENT_CORE_EXCHANGE_FIELD_H_
#define ZHIBU_CLIENT_CORE_EXCHANGE_FIELD_H_

#include <google/protobuf/message.h>

#include <string>

#include "absl/strings/string_view.h"
#include "sync/exchange/sheet.h"
#include "sync/rules/book/ledger.h"
#include "sync/schema/schema.h"

namespace zhibu::client {

// What became of a cell. `flaw`, in words: the cell is not understood, and the field stays empty.
// `note`: it is, though not as it stands there.
struct TakenCell {
  Words flaw;
  Words note;
};

// `text` is not empty; no field is an id. `shown`: what the ledger's column shows.
TakenCell TakeCell(const FieldRule& rule, const rules::LedgerInto& into,
                   rules::v1::Ledger::Shown shown, absl::string_view text, bool days_from_1904,
                   google::protobuf::Message* record);

// Whether both say the same in the field; a time without an hour is the day.
bool SayTheSame(const google::protobuf::FieldDescriptor& field,
                const google::protobuf::Message& sheet, const google::protobuf::Message& known);

}  // namespace zhibu::client

#endif  // ZHIBU_CLIENT_CORE_EXCHANGE_FIELD_H_
