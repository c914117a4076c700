// The store in a PostgreSQL database: for several servers beside each other, and for more than one
// disk holds.
//
//   ASSIGN_OR_RETURN(std::unique_ptr<Store> store,
//                    OpenPostgresStore("postgresql://zhibu@db/zhibu?sslmode=verify-full",
//                    options));
//
// The schema that the connection looks at (search_path) is filled if it is empty, and brought up to
// this program's if it is older. Any number of processes may have it open.
//
// What the interface promises, and what keeps it:
//
//   one transaction        SERIALIZABLE. What `body` has read and decided by still holds when it
//   at a time per scope    commits, whether or not it lies in a scope that is locked: authority and
//                          rules read far and wide. NextVersion locks the scopes' rows in one
//                          order, so that who comes second waits instead of working in vain
//   one snapshot           REPEATABLE READ, READ ONLY. Scopes are locked to the end of who moves
//                          them, so what is seen of a scope is all up to its version
//   versions grow          under that lock; no row is shared by all scopes
//   durable                COMMIT has come back, from a standby too where the database waits for
//   one
//
// So `body` may be run again, from its beginning: when another transaction was in its way, and when
// the connection broke before anything was to be committed. It must not add to what a former run
// has left. Where the connection breaks at COMMIT, nobody knows whether it was written: UNAVAILABLE
// is told, and not more. A device sends again then, and what was in is found by its number.
//
// At rest the same values are sealed as in the SQLite store, with a key of the database's own that
// lies in it sealed with the operator's; all processes need that.
//
// Writes of one process take turns, on one connection; reads have `readers` of them, one more
// listens, and a backup has one of its own while it runs. A connection that breaks is made anew.
#ifndef ZHIBU_SERVER_STORE_POSTGRESQL_STORE_H_
#define ZHIBU_SERVER_STORE_POSTGRESQL_STORE_H_

#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "server/base/observer.h"
#include "server/store/store.h"
#include "sync/base/environment.h"

namespace zhibu::server {

struct PostgresOptions {
  std::string key;  // 32 bytes; empty: what is made is not encrypted (tests, tools)
  std::function<std::string(size_t)> random_bytes = SystemEnvironment().random_bytes;
  int readers = 2;  // connections kept for Read
  Observer* observer = Observer::None();
  // How often scopes that somebody follows are looked at, should others' word of them be lost.
  absl::Duration look_every = absl::Seconds(3);
  // For tests: told of each transaction that has been committed, how often it went to and fro.
  std::function<void(uint64_t)> on_committed = nullptr;
};

// FAILED_PRECONDITION: another program's database, a newer Zhibu's, or one with another key
// (WRONG_KEY); it has not been touched.
absl::StatusOr<std::unique_ptr<Store>> OpenPostgresStore(const std::string& where,
                                                         const PostgresOptions& options = {});

// What lies at `where` now, which is not touched.
struct FoundPostgres {
  bool filled = false;
  bool sealed = false;
  bool in_use = false;  // other processes of ours are connected to the database
};
absl::StatusOr<FoundPostgres> LookAtPostgres(const std::string& where);

// Fills an empty database with what Store::Backup has written. Whoever opens it next knows it for
// a copy (kCopy). One transaction: it is whole, or nothing.
absl::Status RestorePostgresBackup(const std::string& file, const std::string& where,
                                   const PostgresOptions& options = {});

// Whether this is the name of a database, and not of a folder.
bool NamesPostgres(absl::string_view where);

}  // namespace zhibu::server

#endif  // ZHIBU_SERVER_STORE_POSTGRESQL_STORE_H_
