// Ledgers (台账) of what this device holds and its owner may read, offline.
//
//   ASSIGN_OR_RETURN(const Id branch, OwnOrganisation(*store));
//   const LedgerAsked asked{.ledgers = {ledger}, .query = {.organisation = branch}};
//   ASSIGN_OR_RETURN(const auto tables, WriteUpLedgers(*store, asked));
//   … written into a file …
//   RETURN_IF_ERROR(NoteExport(*store, asked, tables, digest));   // before anybody has the file
//
// What leaves the device in a file is told of by a record of its own (LedgerExport), and to each
// person of whom something sensitive stands in it, at the next sync (sync/rules/exports.h).
#ifndef ZHIBU_CLIENT_CORE_ACTIONS_LEDGER_H_
#define ZHIBU_CLIENT_CORE_ACTIONS_LEDGER_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "client-core/store/store.h"
#include "sync/rules/book/ledger_table.h"

namespace zhibu::client {

struct LedgerAsked {
  std::vector<const rules::Ledger*> ledgers;
  rules::LedgerQuery query;  // `today` is the store's to say
};

// A table for each, in their order. NOT_ENROLLED.
absl::StatusOr<std::vector<rules::LedgerTable>> WriteUpLedgers(Store& store, LedgerAsked asked);

// The one that the owner acts for, else that they belong to. FAILED_PRECONDITION: they act for
// several, or for none.
absl::StatusOr<Id> OwnOrganisation(Store& store);

// NOT_ENTITLED: the owner neither acts for the organisation nor belongs to it. Errors: as
// Store::Commit.
absl::Status NoteExport(Store& store, const LedgerAsked& asked,
                        absl::Span<const rules::LedgerTable> tables, const std::string& digest);

}  // namespace zhibu::client

#endif  // ZHIBU_CLIENT_CORE_ACTIONS_LEDGER_H_
