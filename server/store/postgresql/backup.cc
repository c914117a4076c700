#include "server/store/postgresql/backup.h"

#include <endian.h>

#include <algorithm>
#include <fstream>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "server/store/layout.h"
#include "server/store/postgresql/schema.h"
#include "server/store/published.h"
#include "server/store/store.h"
#include "sync/base/status.h"

namespace zhibu::server::postgresql {
namespace {

constexpr char kHead[] = "zhibu postgresql backup 1";
constexpr char kEnd[] = "end";
// Of a line that names a table and its columns.
constexpr char kNames[] = "abcdefghijklmnopqrstuvwxyz_, ()";
// No piece that COPY gives is longer than a row.
constexpr uint32_t kPieceBytesMax = 64 << 20;

absl::Status NoBackup(const std::string& file) {
  return absl::DataLossError(absl::StrCat(
      file, " is no whole backup of a PostgreSQL store. Nothing was written. Give another"));
}

absl::Status CannotWrite(const std::string& file) {
  return absl::UnavailableError(
      absl::StrCat("The backup could not be written. The store is safe. "
                   "Make room and try again (",
                   file, ")"));
}

// "record (type, id, …)": what is worked out from others is not copied.
absl::StatusOr<std::string> ColumnsOf(Connection& connection, const char* table) {
  ASSIGN_OR_RETURN(const Rows rows,
                   connection.AskPlain(absl::StrCat(
                       "SELECT string_agg(quote_ident(column_name), ', ' ORDER BY ordinal_position)"
                       " FROM information_schema.columns WHERE table_schema = current_schema()"
                       " AND is_generated = 'NEVER' AND table_name = '",
                       table, "'")));
  return absl::StrCat(table, " (", rows.View(0, 0), ")");
}

void WritePiece(absl::string_view piece, std::ofstream& out) {
  const uint32_t size = htobe32(static_cast<uint32_t>(piece.size()));
  out.write(reinterpret_cast<const char*>(&size), sizeof(size));
  out.write(piece.data(), static_cast<std::streamsize>(piece.size()));
}

absl::Status WriteTable(Connection& connection, const char* table, std::ofstream& out) {
  ASSIGN_OR_RETURN(const std::string columns, ColumnsOf(connection, table));
  out << columns << "\n";
  RETURN_IF_ERROR(
      connection.AskPlain(absl::StrCat("COPY ", columns, " TO STDOUT (FORMAT binary)")).status());
  char* piece = nullptr;
  int size = 0;
  while ((size = PQgetCopyData(connection.raw(), &piece, 0)) > 0) {
    WritePiece({piece, static_cast<size_t>(size)}, out);
    PQfreemem(piece);
  }
  WritePiece("", out);
  return connection.EndCopy();
}

absl::Status WriteAll(Connection& connection, std::ofstream& out) {
  ASSIGN_OR_RETURN(const Rows version, connection.AskPlain("SELECT version FROM zhibu"));
  out << kHead << "\n" << version.View(0, 0) << "\n";
  for (const char* table : Tables()) RETURN_IF_ERROR(WriteTable(connection, table, out));
  out << kEnd << "\n";
  return absl::OkStatus();
}

absl::Status ReadTable(Connection& connection, const std::string& columns, std::ifstream& in,
                       const std::string& file) {
  RETURN_IF_ERROR(
      connection.AskPlain(absl::StrCat("COPY ", columns, " FROM STDIN (FORMAT binary)")).status());
  std::string piece;
  while (true) {
    uint32_t size = 0;
    in.read(reinterpret_cast<char*>(&size), sizeof(size));
    size = be32toh(size);
    if (!in || size > kPieceBytesMax) return NoBackup(file);
    if (size == 0) break;
    piece.resize(size);
    if (!in.read(piece.data(), size)) return NoBackup(file);
    if (PQputCopyData(connection.raw(), piece.data(), static_cast<int>(size)) != 1) break;
  }
  PQputCopyEnd(connection.raw(), nullptr);
  return connection.EndCopy();
}

absl::Status ReadAll(Connection& connection, const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  std::string line;
  if (!std::getline(in, line) || line != kHead) return NoBackup(file);
  int64_t version = 0;
  if (!std::getline(in, line) || !absl::SimpleAtoi(line, &version)) return NoBackup(file);
  RETURN_IF_ERROR(MakeSchema(connection, version));
  while (std::getline(in, line) && line != kEnd) {
    const absl::string_view name = absl::string_view(line).substr(0, line.find(' '));
    const bool ours = std::any_of(Tables().begin(), Tables().end(),
                                  [&](const char* table) { return name == table; });
    if (!ours || line.find_first_not_of(kNames) != std::string::npos) return NoBackup(file);
    RETURN_IF_ERROR(ReadTable(connection, line, in, file));
  }
  return in ? absl::OkStatus() : NoBackup(file);
}

}  // namespace

absl::Status WriteBackup(Connection& connection, const std::string& file) {
  return Publish(file, [&](const std::string& partial) -> absl::Status {
    std::ofstream out(partial, std::ios::binary | std::ios::trunc);
    RETURN_IF_ERROR(connection.RunPlain("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY",
                                        [&] { return WriteAll(connection, out); }));
    return out.flush() ? absl::OkStatus() : CannotWrite(partial);
  });
}

absl::Status ReadBackup(Connection& connection, const std::string& file, const std::string& key,
                        const std::function<std::string(size_t)>& random_bytes) {
  return connection.RunPlain("BEGIN", [&]() -> absl::Status {
    RETURN_IF_ERROR(ReadAll(connection, file));
    ASSIGN_OR_RETURN(const Seal seal, SealOf(connection, key, random_bytes));
    const std::string sealed = seal.Close(layout::Setting(kCopy), "1");
    return connection
        .AskPlain(absl::StrCat("INSERT INTO setting (name, value) VALUES ('", kCopy, "', '\\x",
                               absl::BytesToHexString(sealed),
                               "') ON CONFLICT (name) DO UPDATE SET value = excluded.value"))
        .status();
  });
}

}  // namespace zhibu::server::postgresql
