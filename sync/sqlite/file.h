// A database file of ours: of the program's schema, durable, and sealed if there is a key.
//
//   const Format format{.application_id = …, .migrations = kMigrations, .seal_all = kSealAll};
//   RETURN_IF_ERROR(PrepareFile(db, file, format, key, random_bytes, &seal));
//   …seal.Open(place, value)…
//
// The file's own key lies in its table `seal` (key, plain_remains), sealed with the app's or the
// operator's: so that one can be changed, and a file that was not sealed becomes so in one
// transaction. A file of another program, or of a newer version, is not touched.
#ifndef ZHIBU_SYNC_SQLITE_FILE_H_
#define ZHIBU_SYNC_SQLITE_FILE_H_

#include <SQLiteCpp/SQLiteCpp.h>

#include <cstdint>
#include <functional>
#include <string>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "sync/crypto/seal.h"

namespace zhibu::sqlite {

struct Format {
  int64_t application_id = 0;
  // Numbered from 1; a file is taken through those it has not seen. One of them makes `seal`.
  absl::Span<const char* const> migrations;
  // Seals whatever is sealed, by the SQL function seal(place, value); NULL stays NULL.
  const char* seal_all = nullptr;
  const char* pragmas = "";       // of every connection that writes
  bool sweeps_in_memory = false;  // else the copy of a sweep lies in a temporary file
};

// Makes the file so, and `seal` opens what lies in it from then on. `key`: of the app or the
// operator; empty: none. WRONG_KEY where it is sealed with another. FAILED_PRECONDITION: another
// program's, or a newer version's. UNAVAILABLE: the disk cannot keep a log beside it. Throws
// SQLite::Exception where the database fails.
absl::Status PrepareFile(SQLite::Database& db, const std::string& file, const Format& format,
                         const std::string& key,
                         const std::function<std::string(size_t)>& random_bytes, Seal* seal);

// From now on the file opens with `new_key` and no longer with `key`; what lies in it is not
// written anew, being sealed with the file's own. WRONG_KEY. FAILED_PRECONDITION: it is not sealed.
absl::Status Rekey(SQLite::Database& db, const std::string& file, const Format& format,
                   const std::string& key, const std::string& new_key,
                   const std::function<std::string(size_t)>& random_bytes);

// Writes every page anew and empties the log, so that nothing that was removed or was plain is
// left in the file. Where that cannot be done now, because the disk is full or another process
// reads, PrepareFile does it the next time.
void Sweep(SQLite::Database& db, const Format& format);

}  // namespace zhibu::sqlite

#endif  // ZHIBU_SYNC_SQLITE_FILE_H_
