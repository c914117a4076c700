// What lies in the database of the PostgreSQL store: its tables, numbered as they came to be.
//
// Nothing of it needs more than the rights of the owner of a schema, and an extension nothing.
#ifndef ZHIBU_SERVER_STORE_POSTGRESQL_SCHEMA_H_
#define ZHIBU_SERVER_STORE_POSTGRESQL_SCHEMA_H_

#include <cstdint>
#include <functional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "server/store/postgresql/connection.h"
#include "sync/crypto/seal.h"

namespace zhibu::server::postgresql {

// Of the scopes whose ids are $1.
inline constexpr char kVersionsOfScopes[] = "SELECT id, version FROM scope WHERE id = ANY ($1)";

// Brings the schema that the connection looks at up to this program's, in one transaction; of
// several processes that start at once one does it and the others wait. Gives what the values are
// sealed with. FAILED_PRECONDITION: another program's, a newer Zhibu's, or one with another key
// (WRONG_KEY); nothing has been touched.
absl::StatusOr<Seal> PrepareSchema(Connection& connection, const std::string& key,
                                   const std::function<std::string(size_t)>& random_bytes);

// Of the schema that the connection looks at; 0: it is empty. FAILED_PRECONDITION: another
// program's, or a newer version's.
absl::StatusOr<int64_t> VersionOf(Connection& connection);
// Within a transaction: an empty schema becomes one of that version. FAILED_PRECONDITION: it is not
// empty, or the version is a newer one's.
absl::Status MakeSchema(Connection& connection, int64_t version);
// What the values of a schema that is filled are sealed with. WRONG_KEY.
absl::StatusOr<Seal> SealOf(Connection& connection, const std::string& key,
                            const std::function<std::string(size_t)>& random_bytes);

// The tables that hold what is kept, in an order in which they can be filled.
absl::Span<const char* const> Tables();

}  // namespace zhibu::server::postgresql

#endif  // ZHIBU_SERVER_STORE_POSTGRESQL_SCHEMA_H_
