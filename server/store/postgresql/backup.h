// A copy of the database in one file, made while it is in use.
//
//   "zhibu postgresql backup 1\n"
//   line: the schema's version
//   for each table   line: its name and columns; pieces of what COPY (FORMAT binary) gives, each
//                    after its length in four bytes (big-endian); a length of 0
//   line: "end"
//
// What is sealed stays sealed. A file without its end is no backup.
#ifndef ZHIBU_SERVER_STORE_POSTGRESQL_BACKUP_H_
#define ZHIBU_SERVER_STORE_POSTGRESQL_BACKUP_H_

#include <functional>
#include <string>

#include "absl/status/status.h"
#include "server/store/postgresql/connection.h"

namespace zhibu::server::postgresql {

// One snapshot. ALREADY_EXISTS: `file` is there. UNAVAILABLE: the database or the disk.
absl::Status WriteBackup(Connection& connection, const std::string& file);

// Into an empty schema, in one transaction; in it the setting kCopy says what it is. `key`: of the
// operator, as it was when the copy was made.
absl::Status ReadBackup(Connection& connection, const std::string& file, const std::string& key,
                        const std::function<std::string(size_t)>& random_bytes);

}  // namespace zhibu::server::postgresql

#endif  // ZHIBU_SERVER_STORE_POSTGRESQL_BACKUP_H_
