// SQLite as the stores of both sides use it: a connection that keeps its statements, one run of
// one, and its exceptions as statuses.
//
//   absl::Status status = Catching(file, [&]() -> absl::Status {
//     Statement row(connection, kGetSetting, Text{"id"});
//     if (!row.Step()) return absl::NotFoundError("…");
//     …row.Bytes(0)…
//   });
//
// One thread at a time may use a connection and its queries. Whatever of this is called
// outside Catching throws SQLite::Exception where the database fails.
#ifndef ZHIBU_SYNC_SQLITE_CONNECTION_H_
#define ZHIBU_SYNC_SQLITE_CONNECTION_H_

#include <SQLiteCpp/SQLiteCpp.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "sync/base/types.h"
#include "sync/crypto/seal.h"

namespace zhibu::sqlite {

// Of what is unsigned in the program, the highest that keeps its order in SQLite.
inline constexpr uint64_t kHighest = std::numeric_limits<int64_t>::max();

// Past the highest that is stored there is nothing, whatever the bits of `after`.
template <typename T>
T Bounded(T after) {
  return T(std::min(after.value, kHighest));
}

// What went wrong, what is safe, and what to do.
absl::Status StatusOf(const SQLite::Exception& error, absl::string_view file);

// Every call into SQLite goes through here: its exceptions become statuses, and
// `thrown` tells them from what `body` itself returned.
template <typename Body>
auto Catching(absl::string_view file, absl::Status* thrown, Body body) -> decltype(body()) {
  try {
    return body();
  } catch (const SQLite::Exception& error) {
    *thrown = StatusOf(error, file);
    return *thrown;
  }
}

absl::Status Catching(absl::string_view file, absl::FunctionRef<absl::Status()> body);

// `place` names what cannot be read.
[[noreturn]] void ThrowDamage(absl::string_view place);

// One open database and the statements prepared on it, each kept for the next
// use. Not copied: statements hold its address.
class Connection {
 public:
  // Waits `busy_ms_max` for other processes that use the file.
  Connection(const std::string& file, int flags, const std::string& vfs, int busy_ms_max = 5000)
      : db_(file, flags | SQLite::OPEN_NOMUTEX, busy_ms_max, vfs) {}
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  SQLite::Database& db() { return db_; }

  // SQLite ends a transaction by itself after some errors.
  bool InTransaction() const;

  // See Reader::Work. Never goes back.
  uint64_t work() const { return work_; }
  void Count(uint64_t rows, size_t bytes = 0) { work_ += rows + bytes / kBytesPerWork; }

  // `sql` is a constant, known by its address.
  std::unique_ptr<SQLite::Statement> Take(const char* sql) {
    auto& idle = idle_[sql];
    if (idle == nullptr) return std::make_unique<SQLite::Statement>(db_, sql);
    return std::move(idle);
  }
  void Return(const char* sql, std::unique_ptr<SQLite::Statement> statement) {
    idle_[sql] = std::move(statement);
  }

 private:
  static constexpr size_t kBytesPerWork = 4096;

  SQLite::Database db_;
  absl::flat_hash_map<const char*, std::unique_ptr<SQLite::Statement>> idle_;
  uint64_t work_ = 0;
};

struct Text {
  absl::string_view value;
};

// One run of a statement. Nested runs of the same one get a statement each.
// What is bound is not copied and must live as long as the query.
class Statement {
 public:
  template <typename... Args>
  explicit Statement(Connection& connection, const char* sql, const Args&... args)
      : connection_(connection), sql_(sql), statement_(connection.Take(sql)) {
    int column = 0;
    (Bind(++column, args), ...);
  }
  ~Statement() {
    statement_->tryReset();
    statement_->clearBindings();
    connection_.Return(sql_, std::move(statement_));
  }
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  // Where how many there are is not known beforehand; counted from 1.
  template <typename T>
  void BindAt(int column, const T& value) {
    Bind(column, value);
  }

  bool Step() {
    connection_.Count(1);
    return statement_->executeStep();
  }
  void Run() {
    while (Step()) continue;
  }

  bool IsNull(int column) const { return statement_->isColumnNull(column); }
  int64_t Int(int column) const { return statement_->getColumn(column).getInt64(); }
  uint64_t Unsigned(int column) const { return static_cast<uint64_t>(Int(column)); }
  std::string Bytes(int column) const { return statement_->getColumn(column).getString(); }
  // Nothing where it is not what was sealed.
  std::optional<std::string> TryOpen(int column, const Seal& seal, const std::string& place) const {
    SQLite::Column value = statement_->getColumn(column);
    const char* bytes = static_cast<const char*>(value.getBlob());
    size_t size = value.getBytes();
    connection_.Count(0, size);
    return seal.Open(place, {bytes, size});
  }
  std::string Opened(int column, const Seal& seal, const std::string& place) const {
    std::optional<std::string> plain = TryOpen(column, seal, place);
    if (!plain.has_value()) ThrowDamage(place);
    return *std::move(plain);
  }
  template <typename T>
  T Number(int column) const {
    return T(static_cast<decltype(T::value)>(Int(column)));
  }
  Id IdAt(int column) const {
    SQLite::Column value = statement_->getColumn(column);
    const char* bytes = static_cast<const char*>(value.getBlob());
    size_t size = value.getBytes();
    std::optional<Id> id = Id::FromBytes({bytes, size});
    if (!id.has_value()) ThrowDamage("an id");
    return *id;
  }

 private:
  void Bind(int column, int64_t value) { statement_->bind(column, value); }
  void Bind(int column, uint64_t value) { Bind(column, static_cast<int64_t>(value)); }
  void Bind(int column, uint32_t value) { statement_->bind(column, value); }
  void Bind(int column, bool value) { statement_->bind(column, static_cast<int32_t>(value)); }
  void Bind(int column, const char*) = delete;
  template <typename Tag, typename T>
  void Bind(int column, Strong<Tag, T> value) {
    statement_->bind(column, static_cast<int64_t>(value.value));
  }
  void Bind(int column, const Id& id) { Bind(column, id.bytes()); }
  void Bind(int column, const std::string& blob) { Bind(column, absl::string_view(blob)); }
  void Bind(int column, absl::string_view blob) {
    // A null pointer would be bound as NULL.
    const char* data = blob.data() == nullptr ? "" : blob.data();
    connection_.Count(0, blob.size());
    statement_->bindNoCopy(column, static_cast<const void*>(data), static_cast<int>(blob.size()));
  }
  void Bind(int column, Text text) { statement_->bind(column, std::string(text.value)); }
  template <typename T>
  void Bind(int column, const std::optional<T>& value) {
    if (value.has_value()) {
      Bind(column, *value);
    } else {
      statement_->bind(column);
    }
  }

  Connection& connection_;
  const char* sql_;
  std::unique_ptr<SQLite::Statement> statement_;
};

}  // namespace zhibu::sqlite

#endif  // ZHIBU_SYNC_SQLITE_CONNECTION_H_
