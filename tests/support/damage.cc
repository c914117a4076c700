#include "tests/support/damage.h"

#include <SQLiteCpp/SQLiteCpp.h>

#include "absl/strings/str_cat.h"

namespace zhibu::test {
namespace {

constexpr int kBusyMs = 5000;

SQLite::Database Open(const std::string& file, const std::string& vfs) {
  return {file, SQLite::OPEN_READWRITE, kBusyMs, vfs};
}

void Put(SQLite::Database& db, const Damaged& at, const std::string& value,
         const std::string& instead_of) {
  SQLite::Statement put(db, absl::StrCat("UPDATE ", at.table, " SET ", at.column,
                                         " = ? WHERE rowid = ? AND ", at.column, " = ?"));
  put.bindNoCopy(1, static_cast<const void*>(value.data()), static_cast<int>(value.size()));
  put.bind(2, at.row);
  put.bindNoCopy(3, static_cast<const void*>(instead_of.data()),
                 static_cast<int>(instead_of.size()));
  put.exec();
}

}  // namespace

std::optional<Damaged> FlipBit(const std::string& file, const std::string& vfs,
                               const std::string& table, const std::string& column,
                               const std::string& where, uint64_t bit) {
  SQLite::Database db = Open(file, vfs);
  Damaged damaged{.table = table, .column = column};
  {
    SQLite::Statement row(db, absl::StrCat("SELECT rowid, ", column, " FROM ", table, " WHERE (",
                                           where, ") AND length(", column, ") > 0 LIMIT 1"));
    if (!row.executeStep()) return std::nullopt;
    damaged.row = row.getColumn(0).getInt64();
    damaged.was = row.getColumn(1).getString();
  }
  damaged.is = damaged.was;
  const uint64_t at = bit % (8 * damaged.is.size());
  damaged.is[at / 8] = static_cast<char>(damaged.is[at / 8] ^ (1 << (at % 8)));
  Put(db, damaged, damaged.is, damaged.was);
  return damaged;
}

void PutBack(const std::string& file, const std::string& vfs, const Damaged& damaged) {
  SQLite::Database db = Open(file, vfs);
  Put(db, damaged, damaged.was, damaged.is);
}

void Execute(const std::string& file, const std::string& sql) { Open(file, "").exec(sql); }

}  // namespace zhibu::test
