// The store in one SQLite file: the default, and the one for a single server.
//
//   ASSIGN_OR_RETURN(std::unique_ptr<Store> store, OpenSqliteStore("/var/lib/zhibu/zhibu.db"));
//
// The file is created if it is not there, and brought up to this program's
// schema if it is older. Write runs one body at a time and returns once it is on
// the disk; Read works on a snapshot and waits for no writer, only for one of
// `readers` connections to be free.
//
// A body of Write must not call Write again, nor one of Read Read. `visit` may
// read on, but must not write.
//
// Besides what Store says:
//   UNAVAILABLE          full, busy, read-only or failing disk; nothing of the
//                        transaction is written, and it may be tried again
//   DATA_LOSS            not a database, or damaged
//   FAILED_PRECONDITION  of Open: another program's database, or that of a newer
//                        Zhibu; it has not been touched
//
// Once a call of a Writer has failed because of the database, the transaction
// is lost: all further calls say the same, and Write rolls back even if the body
// returns OK.
#ifndef ZHIBU_SERVER_STORE_SQLITE_STORE_H_
#define ZHIBU_SERVER_STORE_SQLITE_STORE_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "server/store/store.h"

namespace zhibu::server {

struct SqliteOptions {
  std::string vfs;  // a registered SQLite VFS, to inject faults; empty: the default
  int readers = 2;  // connections kept for Read
};

absl::StatusOr<std::unique_ptr<Store>> OpenSqliteStore(const std::string& file,
                                                       const SqliteOptions& options = {});

}  // namespace zhibu::server

#endif  // ZHIBU_SERVER_STORE_SQLITE_STORE_H_
