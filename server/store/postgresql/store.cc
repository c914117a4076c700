#include "server/store/postgresql/store.h"

#include <sodium.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/random/random.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "server/store/postgresql/backup.h"
#include "server/store/postgresql/connection.h"
#include "server/store/postgresql/listener.h"
#include "server/store/postgresql/pool.h"
#include "server/store/postgresql/schema.h"
#include "server/store/postgresql/transaction.h"
#include "sync/base/status.h"
#include "sync/crypto/seal.h"

namespace zhibu::server {
namespace {

using postgresql::Connection;
using postgresql::Failure;
using postgresql::Listener;
using postgresql::Moves;
using postgresql::Pool;
using postgresql::Rows;
using postgresql::Transaction;

constexpr char kBeginRead[] = "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY";
constexpr char kBeginWrite[] = "BEGIN ISOLATION LEVEL SERIALIZABLE, READ WRITE";
// A commit that waits for a standby is not given up: it would be told as done.
constexpr char kNoTimeout[] = "SET LOCAL statement_timeout = 0";
constexpr char kCommit[] = "COMMIT";
constexpr char kOthers[] =
    "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    " AND application_name = current_setting('application_name') LIMIT 1";

// One of those that are in each other's way always commits, so few ever need as many.
constexpr int kRunsMax = 30;
constexpr int kConnectionsMax = 3;
constexpr absl::Duration kPauseMax = absl::Milliseconds(100);
constexpr size_t kSelfBytes = 8;
constexpr uint32_t kLanes = 1024;

absl::Duration PauseAfter(int runs) {
  thread_local absl::BitGen random;
  const absl::Duration most =
      std::min(absl::Milliseconds(1) * (1 << std::min(runs, 10)), kPauseMax);
  return most * absl::Uniform(random, 0.0, 1.0);
}

absl::Status NotKnownWhether(const absl::Status& status) {
  return absl::UnavailableError(
      absl::StrCat("The connection broke while it was committed, and whether it was is not known. "
                   "Look, or send it again: what is in counts once (",
                   status.message(), ")"));
}

}  // namespace

class PostgresStore final : public Store {
 public:
  PostgresStore(std::string where, PostgresOptions options)
      : where_(std::move(where)),
        options_(std::move(options)),
        readers_(where_, std::max(options_.readers, 1)),
        writer_(where_, 1) {}

  absl::Status Open();

  void Watch(Watcher* watcher) override;
  void StopWatching(Watcher* watcher) override;
  absl::Status Read(absl::FunctionRef<absl::Status(Reader&)> body) override;
  absl::Status Write(absl::FunctionRef<absl::Status(Writer&)> body) override;
  absl::Status Backup(const std::string& file) override;

 private:
  // What became of one run of a body.
  enum class Outcome { kDone, kRunAgain, kConnectAgain };

  absl::StatusOr<Pool::Lease> Snapshot(std::optional<Transaction>* transaction);
  Outcome RunOnce(absl::FunctionRef<absl::Status(Writer&)> body, absl::Status* status);
  absl::Status Commit(Connection& connection, Transaction& transaction);
  void TellOfMoves(const Moves& moves);
  void TellOfMoved(const absl::flat_hash_set<Id>& scopes);
  std::vector<Id> Followed();

  const std::string where_;
  const PostgresOptions options_;
  Seal seal_;  // as Open leaves it

  Pool readers_;
  absl::Mutex write_mutex_;
  Pool writer_;
  postgresql::Lane lane_ ABSL_GUARDED_BY(write_mutex_);
  absl::Mutex watchers_mutex_;
  std::vector<Watcher*> watchers_ ABSL_GUARDED_BY(watchers_mutex_);
  absl::Mutex backup_mutex_;
  std::unique_ptr<Listener> listener_;  // the first to go: it calls the watchers
};

absl::Status PostgresStore::Open() {
  {
    ASSIGN_OR_RETURN(const auto connection, Connection::Open(where_));
    ASSIGN_OR_RETURN(seal_,
                     postgresql::PrepareSchema(*connection, options_.key, options_.random_bytes));
  }
  absl::BitGen random;
  absl::MutexLock lock(&write_mutex_);
  lane_ = {absl::Uniform<uint32_t>(random, 0, kLanes), absl::GetCurrentTimeNanos() / 1000};
  listener_ = std::make_unique<Listener>(Listener::Options{
      .where = where_,
      .self = Hex(options_.random_bytes(kSelfBytes)),
      .look_every = options_.look_every,
      .on_moved = [this](const absl::flat_hash_set<Id>& scopes) { TellOfMoved(scopes); },
      .followed = [this] { return Followed(); }});
  return absl::OkStatus();
}

// A connection that has broken while nobody used it is no reason to fail.
absl::StatusOr<Pool::Lease> PostgresStore::Snapshot(std::optional<Transaction>* transaction) {
  for (int tried = 1;; ++tried) {
    ASSIGN_OR_RETURN(Pool::Lease reader, readers_.Take());
    reader->Queue(kBeginRead);
    transaction->emplace(*reader, seal_, *options_.observer, nullptr);
    const absl::Status status = (*transaction)->TakeSnapshot();
    if (status.ok()) return reader;
    if (reader->failure() != Failure::kLost || tried == kConnectionsMax) return status;
  }
}

absl::Status PostgresStore::Read(absl::FunctionRef<absl::Status(Reader&)> body) {
  std::optional<Transaction> transaction;
  ASSIGN_OR_RETURN(const Pool::Lease reader, Snapshot(&transaction));
  absl::Status status = body(*transaction);
  status.Update(transaction->broken());
  return status;
}

absl::Status PostgresStore::Write(absl::FunctionRef<absl::Status(Writer&)> body) {
  absl::MutexLock lock(&write_mutex_);
  int connections = 1;
  for (int runs = 1;; ++runs) {
    absl::Status status;
    const Outcome outcome = RunOnce(body, &status);
    const bool enough =
        runs == kRunsMax || (outcome == Outcome::kConnectAgain && connections++ == kConnectionsMax);
    if (outcome == Outcome::kDone || enough) return status;
    if (outcome == Outcome::kRunAgain) absl::SleepFor(PauseAfter(runs));
  }
}

PostgresStore::Outcome PostgresStore::RunOnce(absl::FunctionRef<absl::Status(Writer&)> body,
                                              absl::Status* status) {
  absl::StatusOr<Pool::Lease> taken = writer_.Take();
  *status = taken.status();
  if (!taken.ok()) return Outcome::kDone;
  Connection& connection = **taken;
  const uint64_t trips = connection.round_trips();
  connection.Queue(kBeginWrite);
  write_mutex_.AssertHeld();
  Transaction transaction(connection, seal_, *options_.observer, &lane_);
  *status = body(transaction);
  if (transaction.broken().ok()) {
    if (!status->ok()) return Outcome::kDone;
    *status = Commit(connection, transaction);
    if (!status->ok()) {
      return connection.failure() == Failure::kAgain ? Outcome::kRunAgain : Outcome::kDone;
    }
    if (options_.on_committed) options_.on_committed(connection.round_trips() - trips);
    TellOfMoves(transaction.Moves());
    return Outcome::kDone;
  }
  *status = transaction.broken();
  if (connection.failure() == Failure::kAgain) return Outcome::kRunAgain;
  return connection.failure() == Failure::kLost ? Outcome::kConnectAgain : Outcome::kDone;
}

absl::Status PostgresStore::Commit(Connection& connection, Transaction& transaction) {
  transaction.QueueLast();
  // Neither read nor written.
  if (connection.queued() == 1 && !transaction.asked()) return absl::OkStatus();
  connection.Queue(kNoTimeout);
  const absl::StatusOr<Rows> committed = connection.Ask(kCommit);
  if (!committed.ok()) {
    return connection.failure() == Failure::kLost ? NotKnownWhether(committed.status())
                                                  : committed.status();
  }
  if (connection.warned()) return NotKnownWhether(absl::AbortedError("a standby has not said so"));
  if (committed->Tag() != kCommit) return absl::InternalError("The database committed nothing");
  return absl::OkStatus();
}

void PostgresStore::Watch(Watcher* watcher) {
  absl::MutexLock lock(&watchers_mutex_);
  watchers_.push_back(watcher);
}

void PostgresStore::StopWatching(Watcher* watcher) {
  absl::MutexLock lock(&watchers_mutex_);
  std::erase(watchers_, watcher);
}

void PostgresStore::TellOfMoved(const absl::flat_hash_set<Id>& scopes) {
  absl::MutexLock lock(&watchers_mutex_);
  for (Watcher* watcher : watchers_) watcher->OnMoved(scopes);
}

// Those here, and through the listener those elsewhere.
void PostgresStore::TellOfMoves(const Moves& moves) {
  if (moves.empty()) return;
  absl::flat_hash_set<Id> scopes;
  for (const auto& [scope, version] : moves) scopes.insert(scope);
  TellOfMoved(scopes);
  listener_->Told(moves);
}

std::vector<Id> PostgresStore::Followed() {
  absl::MutexLock lock(&watchers_mutex_);
  std::vector<Id> followed;
  for (Watcher* watcher : watchers_) {
    const std::vector<Id> more = watcher->Followed();
    followed.insert(followed.end(), more.begin(), more.end());
  }
  return followed;
}

absl::Status PostgresStore::Backup(const std::string& file) {
  absl::MutexLock lock(&backup_mutex_);
  ASSIGN_OR_RETURN(const auto connection, Connection::Open(where_));
  return postgresql::WriteBackup(*connection, file);
}

absl::StatusOr<std::unique_ptr<Store>> OpenPostgresStore(const std::string& where,
                                                         const PostgresOptions& options) {
  if (sodium_init() < 0) return absl::InternalError("libsodium could not be initialised");
  if (!options.key.empty() && options.key.size() != Seal::kKeySize) {
    return absl::InvalidArgumentError(absl::StrCat("a key has ", Seal::kKeySize, " bytes"));
  }
  auto store = std::make_unique<PostgresStore>(where, options);
  RETURN_IF_ERROR(store->Open());
  return store;
}

absl::StatusOr<FoundPostgres> LookAtPostgres(const std::string& where) {
  ASSIGN_OR_RETURN(const auto connection, Connection::Open(where));
  FoundPostgres found;
  ASSIGN_OR_RETURN(const Rows others, connection->AskPlain(kOthers));
  found.in_use = !others.empty();
  ASSIGN_OR_RETURN(const int64_t version, postgresql::VersionOf(*connection));
  found.filled = version > 0;
  if (!found.filled) return found;
  ASSIGN_OR_RETURN(const Rows seal, connection->AskPlain("SELECT 1 FROM seal"));
  found.sealed = !seal.empty();
  return found;
}

absl::Status RestorePostgresBackup(const std::string& file, const std::string& where,
                                   const PostgresOptions& options) {
  ASSIGN_OR_RETURN(const auto connection, Connection::Open(where));
  return postgresql::ReadBackup(*connection, file, options.key, options.random_bytes);
}

bool NamesPostgres(absl::string_view where) {
  return absl::StartsWith(where, "postgresql://") || absl::StartsWith(where, "postgres://");
}

}  // namespace zhibu::server
