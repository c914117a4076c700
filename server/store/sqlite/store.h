// The store in one SQLite file: the default, and the one for a single server.
//
//   ASSIGN_OR_RETURN(std::unique_ptr<Store> store, OpenSqliteStore("/var/lib/zhibu/zhibu.db"));
//
// The file is created if it is not there, and brought up to this program's
// schema if it is older. Write runs one body at a time and returns once it is on
// the disk; Read works on a snapshot and waits for no writer, only for one of
// `readers` connections to be free.
//
// At rest: with a key, what people wrote and every secret is encrypted, in the file, its
// log and its backups; types, ids, scopes, numbers, times and versions are not, nor are
// the devices' public keys and what is left of enrolment codes, a digest. A file without
// a key that is opened with one is encrypted in one transaction, which takes as much
// room again; then every page is written anew and the log emptied, at the next start if
// it cannot be done in this one.
//
// A body of Write must not call Write again, nor one of Read Read. `visit` may
// read on, but must not write.
//
// Besides what Store says:
//   UNAVAILABLE          full, busy, read-only or failing disk; nothing of the
//                        transaction is written, and it may be tried again
//   DATA_LOSS            not a database, or damaged
//   FAILED_PRECONDITION  of Open: another program's database, that of a newer
//                        Zhibu, or one with another key (WRONG_KEY); it has not
//                        been touched
//
// Once a call of a Writer has failed because of the database, the transaction
// is lost: all further calls say the same, and Write rolls back even if the body
// returns OK.
#ifndef ZHIBU_SERVER_STORE_SQLITE_STORE_H_
#define ZHIBU_SERVER_STORE_SQLITE_STORE_H_

#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "server/base/observer.h"
#include "server/store/store.h"
#include "sync/base/environment.h"

namespace zhibu::server {

struct SqliteOptions {
  std::string key;  // 32 bytes; empty: the file is not encrypted (tests, tools)
  std::function<std::string(size_t)> random_bytes = SystemEnvironment().random_bytes;
  std::string vfs;  // a registered SQLite VFS, to inject faults; empty: the default
  int readers = 2;  // connections kept for Read
  Observer* observer = Observer::None();
};

absl::StatusOr<std::unique_ptr<Store>> OpenSqliteStore(const std::string& file,
                                                       const SqliteOptions& options = {});

}  // namespace zhibu::server

#endif  // ZHIBU_SERVER_STORE_SQLITE_STORE_H_
