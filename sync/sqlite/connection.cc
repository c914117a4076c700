#include "sync/sqlite/connection.h"

#include <sqlite3.h>

#include "absl/strings/str_cat.h"

namespace zhibu::sqlite {

absl::Status StatusOf(const SQLite::Exception& error, absl::string_view file) {
  std::string why = absl::StrCat(" (", file, ": ", error.what(), ")");
  constexpr absl::string_view kSafe =
      "Nothing of this was written, and what was there before is safe";
  switch (error.getErrorCode() & 0xff) {
    case SQLITE_FULL:
      return absl::UnavailableError(
          absl::StrCat("The disk is full. ", kSafe, ". Make room and try again", why));
    case SQLITE_IOERR:
      return absl::UnavailableError(absl::StrCat("The disk reported an error. ", kSafe,
                                                 ". Check the disk and try again", why));
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return absl::UnavailableError(absl::StrCat("Another program is using the database. ", kSafe,
                                                 ". Try again when it has ended", why));
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
    case SQLITE_AUTH:
    case SQLITE_READONLY:
      return absl::UnavailableError(
          absl::StrCat("The database cannot be opened for writing. ", kSafe,
                       ". Check that the directory exists and its permissions", why));
    case SQLITE_NOMEM:
      return absl::UnavailableError(absl::StrCat("Memory ran out. ", kSafe, ". Try again", why));
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return absl::DataLossError(
          absl::StrCat("The database is damaged, or the file is not one. Nothing was changed. "
                       "Keep the file and restore a backup",
                       why));
    case SQLITE_TOOBIG:
      return absl::InvalidArgumentError(absl::StrCat("Too large to be stored. ", kSafe, why));
    default:
      return absl::InternalError(absl::StrCat("The database refused. ", kSafe, why));
  }
}

absl::Status Catching(absl::string_view file, absl::FunctionRef<absl::Status()> body) {
  absl::Status thrown;
  return Catching(file, &thrown, [&] { return body(); });
}

void ThrowDamage(absl::string_view place) {
  throw SQLite::Exception(
      absl::StrCat(place, " is damaged and cannot be read; the rest of the file can"),
      SQLITE_CORRUPT);
}

bool Connection::InTransaction() const { return sqlite3_get_autocommit(db_.getHandle()) == 0; }

}  // namespace zhibu::sqlite
