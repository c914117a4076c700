// Rows of the core as messages of zhibu.api.v1, and what an app makes of them.
#ifndef ZHIBU_CLIENT_CORE_C_ROWS_H_
#define ZHIBU_CLIENT_CORE_C_ROWS_H_

#include <vector>

#include "absl/status/statusor.h"
#include "client-core/query/rows.h"
#include "zhibu/api/v1/api.pb.h"

namespace zhibu::client {

api::v1::Row ToApi(const Row& row, bool json = false);
api::v1::Rows ToApi(const std::vector<Row>& rows);

// How many rows a query asks for.
size_t LimitIn(const api::v1::Query& query);
// UNKNOWN_TYPE, UNKNOWN_FIELD, BAD_VALUE, MALFORMED.
absl::StatusOr<Selection> SelectionIn(const Store& store, const api::v1::Query& query);

// What somebody saw and what they want it to say. MALFORMED, NOT_UNDERSTOOD.
absl::StatusOr<Draft> DraftIn(Store& store, const api::v1::EditItem& item);

}  // namespace zhibu::client

#endif  // ZHIBU_CLIENT_CORE_C_ROWS_H_
