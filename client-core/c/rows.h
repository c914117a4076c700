// Rows of the core as messages of zhibu.api.v1, and what an app makes of them.
#ifndef ZHIBU_CLIENT_CORE_C_ROWS_H_
#define ZHIBU_CLIENT_CORE_C_ROWS_H_

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "client-core/actions/names.h"
#include "client-core/query/rows.h"
#include "zhibu/api/v1/api.pb.h"

namespace zhibu::client {

api::v1::Row ToApi(const Row& row, bool json = false);
api::v1::Rows ToApi(const std::vector<Row>& rows);

// NO_WORDS as well: where words are needed they are Chinese.
Language LanguageIn(api::v1::Tongue tongue);
// What people call the row, and what it says.
void AddWords(const Row& row, Names& names, api::v1::Row* told);
void AddLines(const google::protobuf::Message& record, Names& names, api::v1::Row* told);
// The field of that name or path ("speeches.speaker_id"). UNKNOWN_FIELD.
absl::StatusOr<const google::protobuf::FieldDescriptor*> FieldIn(const RecordType& type,
                                                                 absl::string_view path);

// How many rows a query asks for.
size_t LimitIn(const api::v1::Query& query);
// UNKNOWN_TYPE, UNKNOWN_FIELD, BAD_VALUE, MALFORMED.
absl::StatusOr<Selection> SelectionIn(const Store& store, const api::v1::Query& query);

// What somebody saw and what they want it to say. MALFORMED, NOT_UNDERSTOOD.
absl::StatusOr<Draft> DraftIn(Store& store, const api::v1::EditItem& item);

}  // namespace zhibu::client

#endif  // ZHIBU_CLIENT_CORE_C_ROWS_H_
