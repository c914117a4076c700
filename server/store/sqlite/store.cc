#include "server/store/sqlite/store.h"

#include <SQLiteCpp/Backup.h>
#include <SQLiteCpp/SQLiteCpp.h>
#include <sodium.h>
#include <sqlite3.h>

#include <algorithm>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "server/store/published.h"
#include "server/store/sqlite/schema.h"
#include "server/store/sqlite/transaction.h"
#include "sync/base/status.h"
#include "sync/crypto/seal.h"
#include "sync/sqlite/connection.h"

namespace zhibu::server {
namespace {

using sqlite::Catching;
using sqlite::Connection;
using sqlite::Statement;
using sqlite::Transaction;

// BEGIN takes its snapshot only at the first read.
constexpr char kTakeSnapshot[] = "SELECT value FROM setting LIMIT 1";

class SqliteStore final : public Store {
 public:
  SqliteStore(std::string file, SqliteOptions options)
      : file_(std::move(file)), options_(std::move(options)) {}

  absl::Status Open();

  void Watch(Watcher* watcher) override;
  void StopWatching(Watcher* watcher) override;
  absl::Status Read(absl::FunctionRef<absl::Status(Reader&)> body) override;
  absl::Status Write(absl::FunctionRef<absl::Status(Writer&)> body) override;
  absl::Status Backup(const std::string& file) override;

 private:
  absl::Status Run(Connection& connection, const char* begin,
                   absl::FunctionRef<absl::Status(Transaction&)> body);
  std::unique_ptr<Connection> TakeReader();
  void ReturnReader(std::unique_ptr<Connection> reader);
  absl::Status CopyTo(const std::string& file);

  const std::string file_;
  const SqliteOptions options_;
  Seal seal_;  // as Open leaves it

  absl::Mutex write_mutex_;
  // Closed after the readers, so that it is the one to tidy up the log.
  std::unique_ptr<Connection> writer_ ABSL_GUARDED_BY(write_mutex_)
      ABSL_PT_GUARDED_BY(write_mutex_);

  absl::Mutex watchers_mutex_;
  std::vector<Watcher*> watchers_ ABSL_GUARDED_BY(watchers_mutex_);

  absl::Mutex readers_mutex_;
  std::vector<std::unique_ptr<Connection>> idle_readers_ ABSL_GUARDED_BY(readers_mutex_);

  absl::Mutex backup_mutex_;  // one at a time, so that two cannot share a partial file
};

absl::Status SqliteStore::Open() {
  return Catching(file_, [&]() -> absl::Status {
    absl::MutexLock write_lock(&write_mutex_);
    writer_ = std::make_unique<Connection>(file_, SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE,
                                           options_.vfs);
    RETURN_IF_ERROR(zhibu::sqlite::PrepareFile(writer_->db(), file_, sqlite::kFormat, options_.key,
                                               options_.random_bytes, &seal_));
    for (int i = 0; i < std::max(options_.readers, 1); ++i) {
      auto reader = std::make_unique<Connection>(file_, SQLite::OPEN_READWRITE, options_.vfs);
      reader->db().exec("PRAGMA query_only = ON; PRAGMA cache_size = -16384");
      ReturnReader(std::move(reader));
    }
    return absl::OkStatus();
  });
}

absl::Status SqliteStore::Read(absl::FunctionRef<absl::Status(Reader&)> body) {
  std::unique_ptr<Connection> reader = TakeReader();
  absl::Cleanup give_back = [&] { ReturnReader(std::move(reader)); };
  return Run(*reader, "BEGIN", [&](Transaction& transaction) {
    Statement(*reader, kTakeSnapshot).Step();
    return body(transaction);
  });
}

absl::Status SqliteStore::Write(absl::FunctionRef<absl::Status(Writer&)> body) {
  absl::flat_hash_set<Id> moved;
  {
    absl::MutexLock lock(&write_mutex_);
    RETURN_IF_ERROR(Run(*writer_, "BEGIN IMMEDIATE", [&](Transaction& transaction) {
      absl::Status status = body(transaction);
      moved = transaction.Moved();
      return status;
    }));
  }
  if (moved.empty()) return absl::OkStatus();
  absl::MutexLock lock(&watchers_mutex_);
  for (Watcher* watcher : watchers_) watcher->OnMoved(moved);
  return absl::OkStatus();
}

void SqliteStore::Watch(Watcher* watcher) {
  absl::MutexLock lock(&watchers_mutex_);
  watchers_.push_back(watcher);
}

void SqliteStore::StopWatching(Watcher* watcher) {
  absl::MutexLock lock(&watchers_mutex_);
  std::erase(watchers_, watcher);
}

absl::Status SqliteStore::Run(Connection& connection, const char* begin,
                              absl::FunctionRef<absl::Status(Transaction&)> body) {
  absl::Status status = Catching(file_, [&]() -> absl::Status {
    Statement(connection, begin).Run();
    Transaction transaction(connection, file_, seal_, *options_.observer);
    RETURN_IF_ERROR(body(transaction));
    RETURN_IF_ERROR(transaction.broken());
    RETURN_IF_ERROR(transaction.WriteMoves());
    Statement(connection, "COMMIT").Run();
    return absl::OkStatus();
  });
  if (connection.InTransaction()) connection.db().tryExec("ROLLBACK");
  return status;
}

std::unique_ptr<Connection> SqliteStore::TakeReader() {
  auto any = +[](std::vector<std::unique_ptr<Connection>>* idle) { return !idle->empty(); };
  absl::MutexLock lock(&readers_mutex_, absl::Condition(any, &idle_readers_));
  std::unique_ptr<Connection> reader = std::move(idle_readers_.back());
  idle_readers_.pop_back();
  return reader;
}

void SqliteStore::ReturnReader(std::unique_ptr<Connection> reader) {
  absl::MutexLock lock(&readers_mutex_);
  idle_readers_.push_back(std::move(reader));
}

absl::Status SqliteStore::Backup(const std::string& file) {
  absl::MutexLock lock(&backup_mutex_);
  return Publish(file, [&](const std::string& partial) {
    return Catching(partial, [&] { return CopyTo(partial); });
  });
}

absl::Status SqliteStore::CopyTo(const std::string& file) {
  // A connection of its own: in write-ahead mode it holds up neither readers nor
  // the writer, however long it takes.
  Connection source(file_, SQLite::OPEN_READWRITE, options_.vfs);
  Connection target(file, SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE, options_.vfs);
  {
    SQLite::Backup backup(target.db(), source.db());
    int result = backup.executeStep(-1);  // all of it in one read: one snapshot
    if (result != SQLITE_DONE) throw SQLite::Exception(sqlite3_errstr(result), result);
  }
  return Transaction(target, file, seal_, *options_.observer).PutSetting(kCopy, "1");
}

}  // namespace

absl::StatusOr<std::unique_ptr<Store>> OpenSqliteStore(const std::string& file,
                                                       const SqliteOptions& options) {
  if (sodium_init() < 0) return absl::InternalError("libsodium could not be initialised");
  if (!options.key.empty() && options.key.size() != Seal::kKeySize) {
    return absl::InvalidArgumentError(absl::StrCat("a key has ", Seal::kKeySize, " bytes"));
  }
  auto store = std::make_unique<SqliteStore>(file, options);
  RETURN_IF_ERROR(store->Open());
  return store;
}

}  // namespace zhibu::server
