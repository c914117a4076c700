// What lies in the file of SqliteStore: its tables, and how a file of an earlier version
// or without a key becomes one of this version with one.
#ifndef ZHIBU_SERVER_STORE_SQLITE_SCHEMA_H_
#define ZHIBU_SERVER_STORE_SQLITE_SCHEMA_H_

#include <SQLiteCpp/SQLiteCpp.h>

#include <string>

#include "absl/status/status.h"
#include "server/store/sqlite/store.h"
#include "sync/crypto/seal.h"

namespace zhibu::server::sqlite {

// Makes the file one of ours, of this schema, durable, and sealed if there is a key; `seal`
// opens what lies in it from then on. Statuses as OpenSqliteStore has them; throws
// SQLite::Exception where the database fails.
absl::Status PrepareFile(SQLite::Database& db, const std::string& file,
                         const SqliteOptions& options, Seal* seal);

}  // namespace zhibu::server::sqlite

#endif  // ZHIBU_SERVER_STORE_SQLITE_SCHEMA_H_
