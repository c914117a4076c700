// One row of a sheet, as the record that it says.
#ifndef ZHIBU_CLIENT_CORE_EXCHANGE_ROW_H_
#define ZHIBU_CLIENT_CORE_EXCHANGE_ROW_H_

#include <google/protobuf/message.h>

#include <memory>

#include "client-core/exchange/columns.h"
#include "client-core/exchange/intake.h"
#include "client-core/exchange/known_records.h"
#include "client-core/exchange/people.h"
#include "sync/exchange/sheet.h"

namespace zhibu::client {

// Without this field a row means nothing: it is required, makes the id, or tells records apart.
bool IsNeeded(const rules::LedgerIntake& intake, const google::protobuf::FieldDescriptor& field);

// Whether there is something in it.
bool IsSaid(const google::protobuf::FieldDescriptor& field,
            const google::protobuf::Message& record);

// What all rows of a sheet have in common.
struct RowContext {
  const IntakeAsked& asked;
  const LedgerColumns& columns;
  const People& people;
  const KnownRecords& known;
  bool days_from_1904 = false;
};

// Null: nobody can tell what it means. What is wrong with its cells is added to `row`.
std::unique_ptr<google::protobuf::Message> ReadRow(const RowContext& context, const SheetRow& cells,
                                                   IntakeRow* row);

}  // namespace zhibu::client

#endif  // ZHIBU_CLIENT_CORE_EXCHANGE_ROW_H_
