// Ledgers (台账) of what the server keeps for one organisation, for its operator: who runs the
// program, and is nobody of whom it tells. So nothing that is sensitive is in them: numbers are
// masked, and what cannot be is a dash.
#ifndef ZHIBU_SERVER_EXCHANGE_LEDGER_H_
#define ZHIBU_SERVER_EXCHANGE_LEDGER_H_

#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "server/store/store.h"
#include "sync/rules/book/ledger_table.h"

namespace zhibu::server {

absl::StatusOr<std::vector<rules::LedgerTable>> WriteUpForOperator(
    Reader& reader, absl::Span<const rules::Ledger* const> ledgers,
    const rules::LedgerQuery& query);

}  // namespace zhibu::server

#endif  // ZHIBU_SERVER_EXCHANGE_LEDGER_H_
