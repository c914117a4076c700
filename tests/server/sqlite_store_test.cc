#include <SQLiteCpp/SQLiteCpp.h>
#include <sqlite3.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>

#include "absl/strings/match.h"
#include "server/store/sqlite/store.h"
#include "tests/server/store_contract.h"

namespace zhibu::server {
namespace {

namespace fs = std::filesystem;

// A directory of one's own, gone at the end.
class TempDir {
 public:
  TempDir() {
    std::string path = (fs::temp_directory_path() / "zhibu-store-XXXXXX").string();
    path_ = ::mkdtemp(path.data());
  }
  ~TempDir() {
    std::error_code error;
    fs::remove_all(path_, error);
  }
  std::string File(absl::string_view name) const { return (path_ / std::string(name)).string(); }

 private:
  fs::path path_;
};

class SqlitePlace : public StorePlace {
 public:
  explicit SqlitePlace(std::string key) : key_(std::move(key)) {}

  std::unique_ptr<Store> Open() override { return OpenFile("store.db"); }
  std::string BackupName() override { return dir_.File("backup.db"); }
  std::unique_ptr<Store> OpenBackup() override { return OpenFile("backup.db"); }

 private:
  std::unique_ptr<Store> OpenFile(absl::string_view name) {
    auto store = OpenSqliteStore(dir_.File(name), {.key = key_});
    EXPECT_TRUE(store.ok()) << store.status();
    return store.ok() ? *std::move(store) : nullptr;
  }
  const std::string key_;
  TempDir dir_;
};

INSTANTIATE_TEST_SUITE_P(
    Store, StoreContract,
    testing::Values(StoreKind{"Sqlite", [] { return std::make_unique<SqlitePlace>(""); }},
                    StoreKind{"SealedSqlite",
                              [] { return std::make_unique<SqlitePlace>(std::string(32, 'k')); }}),
    StoreKindName);

// Watches every connection that is opened while it lives: what statements they
// run, and what that costs.
class Watch {
 public:
  struct Cost {
    int steps = 0;  // of SQLite's machine: grows with every row looked at
    int scanned = 0;
    int sorted = 0;
  };

  Watch() {
    current_ = this;
    sqlite3_auto_extension(reinterpret_cast<void (*)()>(&Watch::Opened));
  }
  ~Watch() {
    sqlite3_cancel_auto_extension(reinterpret_cast<void (*)()>(&Watch::Opened));
    current_ = nullptr;  // connections may live on, traced in vain
  }

  // The first is the one that writes.
  const std::vector<sqlite3*>& connections() const { return connections_; }
  const std::set<std::string>& statements() const { return statements_; }
  Cost TakeCost() { return std::exchange(cost_, Cost()); }

 private:
  static int Opened(sqlite3* connection, const char**, const sqlite3_api_routines*) {
    current_->connections_.push_back(connection);
    sqlite3_trace_v2(connection, SQLITE_TRACE_PROFILE, &Watch::Finished, nullptr);
    return SQLITE_OK;
  }
  static int Finished(unsigned, void*, void* statement, void*) {
    if (current_ != nullptr) current_->Add(static_cast<sqlite3_stmt*>(statement));
    return 0;
  }
  void Add(sqlite3_stmt* statement) {
    statements_.insert(sqlite3_sql(statement));
    cost_.steps += sqlite3_stmt_status(statement, SQLITE_STMTSTATUS_VM_STEP, 1);
    cost_.scanned += sqlite3_stmt_status(statement, SQLITE_STMTSTATUS_FULLSCAN_STEP, 1);
    cost_.sorted += sqlite3_stmt_status(statement, SQLITE_STMTSTATUS_SORT, 1);
  }

  static Watch* current_;
  std::vector<sqlite3*> connections_;
  std::set<std::string> statements_;
  Cost cost_;
};
Watch* Watch::current_ = nullptr;

class SqliteStoreTest : public testing::Test {
 protected:
  void Open(const SqliteOptions& options = {}) {
    store_ = nullptr;
    auto store = OpenSqliteStore(file_, options);
    ASSERT_TRUE(store.ok()) << store.status();
    store_ = *std::move(store);
  }

  absl::Status Put(int number, absl::string_view scope, size_t size = 10) {
    return store_->Write([&](Writer& writer) -> absl::Status {
      std::vector<Id> scopes = {Named(scope)};
      ASSIGN_OR_RETURN(Version version, writer.NextVersion(scopes, Version()));
      return writer.PutRecord({kMeeting, Named(absl::StrCat("r", number))},
                              Written(version, std::string(size, 'x')), scopes, Shown(scopes));
    });
  }
  void PutMany(int from, int to, absl::string_view scope) {
    ASSERT_EQ(store_->Write([&](Writer& writer) -> absl::Status {
      std::vector<Id> scopes = {Named(scope)};
      for (int i = from; i < to; ++i) {
        ASSIGN_OR_RETURN(Version version, writer.NextVersion(scopes, Version()));
        RETURN_IF_ERROR(writer.PutRecord({kMeeting, Named(absl::StrCat("r", i))},
                                         Written(version, "x"), scopes, Shown(scopes)));
      }
      return absl::OkStatus();
    }),
              absl::OkStatus());
  }
  uint64_t VersionOf(absl::string_view scope) {
    uint64_t version = 0;
    EXPECT_EQ(store_->Read([&](Reader& reader) -> absl::Status {
      ASSIGN_OR_RETURN(Version got, reader.ScopeVersion(Named(scope)));
      version = got.value;
      return absl::OkStatus();
    }),
              absl::OkStatus());
    return version;
  }

  // With the store closed.
  void Execute(const std::string& sql) {
    store_ = nullptr;
    SQLite::Database db(file_, SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
    db.exec(sql);
  }
  int64_t Ask(const std::string& sql) {
    SQLite::Database db(file_, SQLite::OPEN_READWRITE);
    return db.execAndGet(sql).getInt64();
  }
  absl::Status OpenStatus(const SqliteOptions& options = {}) {
    return OpenSqliteStore(file_, options).status();
  }

  TempDir dir_;
  std::string file_ = dir_.File("store.db");
  std::unique_ptr<Store> store_;
};

// --- What a file may be -------------------------------------------------------

TEST_F(SqliteStoreTest, AFileOfANewerProgramIsRefusedUntouched) {
  Open();
  ASSERT_EQ(Put(1, "east"), absl::OkStatus());
  int64_t version = Ask("PRAGMA user_version");
  Execute(absl::StrCat("PRAGMA user_version = ", version + 1));
  absl::Status status = OpenStatus();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(status.message()), testing::HasSubstr("newer version of Zhibu"));
  EXPECT_EQ(Ask("PRAGMA user_version"), version + 1);
  Execute(absl::StrCat("PRAGMA user_version = ", version));
  Open();
  EXPECT_EQ(VersionOf("east"), 1);
}

TEST_F(SqliteStoreTest, AnotherProgramsDatabaseIsRefusedUntouched) {
  Execute("CREATE TABLE theirs (x)");
  EXPECT_EQ(OpenStatus().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(Ask("SELECT count(*) FROM sqlite_schema"), 1);
  SQLite::Database theirs(file_);
  EXPECT_EQ(theirs.execAndGet("PRAGMA journal_mode").getString(), "delete");
  EXPECT_FALSE(fs::exists(file_ + "-wal"));
}

TEST_F(SqliteStoreTest, AMigrationThatFailedBeforeItsEndIsDoneAgain) {
  Execute("PRAGMA journal_mode = WAL");  // as far as one may have come
  Open();
  EXPECT_EQ(Put(1, "east"), absl::OkStatus());
}

// Its rows say who could ever see a record, not who may: that is worked out when the server has
// no key for cursors (server/feed/incarnation.h).
TEST_F(SqliteStoreTest, AFileWhoseFeedsAreOfTheFormBeforeHasNoKeyForCursorsAnyMore) {
  Open();
  ASSERT_EQ(Put(1, "east"), absl::OkStatus());
  ASSERT_EQ(store_->Write([](Writer& writer) { return writer.PutSetting("cursor_key", "key"); }),
            absl::OkStatus());
  store_.reset();
  Execute(
      "CREATE TABLE before (scope_no INTEGER NOT NULL, type INTEGER NOT NULL, id BLOB NOT NULL,"
      " record_no INTEGER NOT NULL, version INTEGER NOT NULL, present INTEGER NOT NULL,"
      " seen INTEGER NOT NULL, since INTEGER NOT NULL, PRIMARY KEY (scope_no, type, id)) STRICT,"
      " WITHOUT ROWID;"
      "INSERT INTO before SELECT scope_no, type, id, record_no, version, present, 6, since FROM "
      "feed;"
      "DROP TABLE feed; ALTER TABLE before RENAME TO feed;"
      "DROP INDEX device_key; DROP INDEX device_record; DROP TABLE sums; DROP TABLE hanging;"
      "PRAGMA user_version = 8");
  Open();
  EXPECT_EQ(store_->Read([](Reader& reader) -> absl::Status {
    ASSIGN_OR_RETURN(const std::string key, reader.GetSetting("cursor_key"));
    EXPECT_EQ(key, "");
    ASSIGN_OR_RETURN(const std::string rows, FeedOf(reader, "east", 0, 2));
    EXPECT_NE(rows, "");
    ASSIGN_OR_RETURN(const std::string others, FeedOf(reader, "east", 0, 8));
    EXPECT_EQ(others, "");
    return absl::OkStatus();
  }),
            absl::OkStatus());
}

TEST_F(SqliteStoreTest, AFileThatIsNotADatabaseIsDataLoss) {
  std::string before(20000, 'z');
  std::ofstream(file_) << before;
  EXPECT_EQ(OpenStatus().code(), absl::StatusCode::kDataLoss);
  std::ifstream in(file_);
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(in), {}), before);
}

TEST_F(SqliteStoreTest, ADirectoryThatIsNotThereIsUnavailable) {
  file_ = dir_.File("missing/store.db");
  EXPECT_EQ(OpenStatus().code(), absl::StatusCode::kUnavailable);
}

TEST_F(SqliteStoreTest, AVfsThatIsNotRegisteredIsRefused) {
  EXPECT_FALSE(OpenStatus({.vfs = "no such"}).ok());
}

// --- Damage -------------------------------------------------------------------

TEST_F(SqliteStoreTest, ADamagedIdIsDataLossAndOtherRecordsCanBeReadAndWritten) {
  Open();
  ASSERT_EQ(Put(1, "east"), absl::OkStatus());
  ASSERT_EQ(Put(2, "west"), absl::OkStatus());
  Execute("UPDATE feed SET id = x'0102' WHERE scope_no = (SELECT min(no) FROM scope)");
  Open();
  absl::Status east;
  EXPECT_EQ(store_->Write([&](Writer& writer) -> absl::Status {
    east = FeedOf(writer, "east").status();
    EXPECT_EQ(*FeedOf(writer, "west"), "1 31/r2=xxxxxxxxxx");
    return writer.PutSetting("goes", "on");
  }),
            absl::OkStatus());
  EXPECT_EQ(east.code(), absl::StatusCode::kDataLoss);
}

TEST_F(SqliteStoreTest, AFeedRowWithoutItsRecordIsToldAndPassedOver) {
  Open();
  ASSERT_EQ(Put(1, "east"), absl::OkStatus());
  ASSERT_EQ(Put(2, "east"), absl::OkStatus());
  Execute("DELETE FROM record WHERE id = (SELECT min(id) FROM record)");
  Open();
  std::vector<bool> damaged;
  EXPECT_EQ(store_->Read([&](Reader& reader) {
    return reader.ReadFeed(Named("east"), Version(), kAllOffices, [&](const FeedRow& row) {
      damaged.push_back(row.damaged);
      EXPECT_EQ(row.state.exists, !row.damaged);
      return true;
    });
  }),
            absl::OkStatus());
  EXPECT_THAT(damaged, testing::ElementsAre(true, false));
  EXPECT_EQ(store_->Read([&](Reader& reader) -> absl::Status {
    EXPECT_EQ(reader.FindLost(10)->size(), 1u);
    return absl::OkStatus();
  }),
            absl::OkStatus());
  EXPECT_EQ(store_->Read([&](Reader& reader) { return ListOf(reader, kMeeting, "east").status(); })
                .code(),
            absl::StatusCode::kDataLoss);
}

TEST_F(SqliteStoreTest, AnAnswerThatCannotBeReadIsDataLoss) {
  Open();
  ASSERT_EQ(store_->Write([](Writer& writer) { return writer.AppendAudit(Edit(2, 1, "x")); }),
            absl::OkStatus());
  Execute("UPDATE audit SET answer = x'ff'");
  Open();
  EXPECT_EQ(store_
                ->Read([](Reader& reader) {
                  return reader.GetAudit(DeviceNumber(2), EditNumber(1)).status();
                })
                .code(),
            absl::StatusCode::kDataLoss);
}

// --- Failing disks ------------------------------------------------------------

TEST_F(SqliteStoreTest, AFullDiskIsUnavailableAndNothingIsLost) {
  Watch watch;
  Open();
  ASSERT_EQ(Put(1, "east"), absl::OkStatus());
  sqlite3* writer = watch.connections().front();
  ASSERT_EQ(sqlite3_exec(writer, "PRAGMA max_page_count = 20", nullptr, nullptr, nullptr), 0);
  absl::Status status = Put(2, "east", 1'000'000);
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(status.message()), testing::HasSubstr("disk is full"));
  EXPECT_EQ(VersionOf("east"), 1);

  ASSERT_EQ(sqlite3_exec(writer, "PRAGMA max_page_count = 1000000", nullptr, nullptr, nullptr), 0);
  EXPECT_EQ(Put(2, "east", 1'000'000), absl::OkStatus());
  EXPECT_EQ(VersionOf("east"), 2);
}

TEST_F(SqliteStoreTest, ABodyThatDoesNotMindAFailedWriteStillCommitsNothing) {
  Watch watch;
  Open();
  sqlite3_exec(watch.connections().front(), "PRAGMA max_page_count = 20", nullptr, nullptr,
               nullptr);
  absl::Status status = store_->Write([&](Writer& writer) -> absl::Status {
    std::vector<Id> scopes = {Named("east")};
    RecordState huge = Written(*writer.NextVersion(scopes, Version()), std::string(1'000'000, 'x'));
    EXPECT_FALSE(writer.PutRecord({kMeeting, Named("ann")}, huge, {}, Shown(scopes)).ok());
    // SQLite may have ended the transaction: this must not be written by itself.
    EXPECT_EQ(writer.PutSetting("half", "written").code(), absl::StatusCode::kUnavailable);
    EXPECT_EQ(writer.GetSetting("half").status().code(), absl::StatusCode::kUnavailable);
    return absl::OkStatus();
  });
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(store_->Read([](Reader& reader) -> absl::Status {
    EXPECT_EQ(*reader.GetSetting("half"), "");
    EXPECT_EQ(reader.ScopeVersion(Named("east"))->value, 0);
    return absl::OkStatus();
  }),
            absl::OkStatus());
}

// The default VFS, but that syncing fails while it is told to.
class FailingSync {
 public:
  static constexpr char kName[] = "zhibu-failing-sync";
  static bool failing;

  static void Register() {
    if (real_ != nullptr) return;
    real_ = sqlite3_vfs_find(nullptr);
    vfs_ = *real_;
    vfs_.zName = kName;
    vfs_.xOpen = &FailingSync::Open;
    sqlite3_vfs_register(&vfs_, 0);
  }

 private:
  static int Open(sqlite3_vfs*, sqlite3_filename name, sqlite3_file* file, int flags, int* out) {
    int result = real_->xOpen(real_, name, file, flags, out);
    if (result != SQLITE_OK || file->pMethods == nullptr) return result;
    real_sync_ = file->pMethods->xSync;
    sqlite3_io_methods& methods = methods_[file->pMethods];
    methods = *file->pMethods;
    methods.xSync = &FailingSync::Sync;
    file->pMethods = &methods;
    return result;
  }
  static int Sync(sqlite3_file* file, int flags) {
    return failing ? SQLITE_IOERR_FSYNC : real_sync_(file, flags);
  }

  static sqlite3_vfs* real_;
  static sqlite3_vfs vfs_;
  static int (*real_sync_)(sqlite3_file*, int);
  // The database and its log have different ones.
  static std::map<const sqlite3_io_methods*, sqlite3_io_methods> methods_;
};
bool FailingSync::failing = false;
sqlite3_vfs* FailingSync::real_ = nullptr;
sqlite3_vfs FailingSync::vfs_;
int (*FailingSync::real_sync_)(sqlite3_file*, int) = nullptr;
std::map<const sqlite3_io_methods*, sqlite3_io_methods> FailingSync::methods_;

TEST_F(SqliteStoreTest, ACommitThatCannotReachTheDiskIsUnavailableAndCanBeTriedAgain) {
  FailingSync::Register();
  Open({.vfs = FailingSync::kName});
  ASSERT_EQ(Put(1, "east"), absl::OkStatus());
  FailingSync::failing = true;
  EXPECT_EQ(Put(2, "east").code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(VersionOf("east"), 1);
  EXPECT_EQ(store_->Backup(dir_.File("backup.db")).code(), absl::StatusCode::kUnavailable);
  EXPECT_FALSE(fs::exists(dir_.File("backup.db")));
  EXPECT_FALSE(fs::exists(dir_.File("backup.db.partial")));
  FailingSync::failing = false;
  EXPECT_EQ(Put(2, "east"), absl::OkStatus());
  EXPECT_EQ(VersionOf("east"), 2);
}

TEST_F(SqliteStoreTest, ABackupReplacesAPartialOneThatACrashLeft) {
  Open();
  ASSERT_EQ(Put(1, "east"), absl::OkStatus());
  std::ofstream(dir_.File("backup.db.partial")) << "torn";
  ASSERT_EQ(store_->Backup(dir_.File("backup.db")), absl::OkStatus());
  file_ = dir_.File("backup.db");
  Open();
  EXPECT_EQ(VersionOf("east"), 1);
  EXPECT_EQ(store_->Backup(dir_.File("missing/backup.db")).code(), absl::StatusCode::kUnavailable);
}

// --- What is kept, and what it costs ------------------------------------------

TEST_F(SqliteStoreTest, ACodeIsNotInTheFile) {
  Open();
  ASSERT_EQ(store_->Write([](Writer& writer) {
    return writer.PutCode({"7F3K-22QX-SECRET", Named("ann"), 1});
  }),
            absl::OkStatus());
  for (const std::string& name : {file_, file_ + "-wal"}) {
    std::ifstream in(name);
    std::string bytes(std::istreambuf_iterator<char>(in), {});
    EXPECT_FALSE(absl::StrContains(bytes, "7F3K-22QX")) << name;
  }
}

TEST_F(SqliteStoreTest, WhatIsPastACursorCostsTheSameHoweverMuchIsStored) {
  Watch watch;
  Open();
  PutMany(0, 10, "north");
  PutMany(0, 200, "east");
  PutMany(0, 10, "west");
  auto cost = [&](uint64_t after) {
    watch.TakeCost();
    EXPECT_EQ(store_->Read([&](Reader& reader) -> absl::Status {
      EXPECT_EQ(*reader.CountFeed(Named("east"), Version(after), kAllOffices), 5);
      return FeedOf(reader, "east", after).status();
    }),
              absl::OkStatus());
    return watch.TakeCost();
  };
  Watch::Cost small = cost(195);
  PutMany(200, 3000, "east");
  PutMany(3000, 6000, "west");
  Watch::Cost large = cost(2995);
  EXPECT_EQ(small.steps, large.steps);
  EXPECT_EQ(large.scanned, 0);
  EXPECT_EQ(large.sorted, 0);
}

TEST_F(SqliteStoreTest, APutCostsTheSameHoweverMuchIsStored) {
  Watch watch;
  Open();
  PutMany(0, 100, "east");
  watch.TakeCost();
  ASSERT_EQ(Put(50, "east"), absl::OkStatus());
  Watch::Cost small = watch.TakeCost();
  PutMany(100, 3000, "east");
  watch.TakeCost();
  ASSERT_EQ(Put(60, "east"), absl::OkStatus());
  Watch::Cost large = watch.TakeCost();
  EXPECT_EQ(small.steps, large.steps);
  EXPECT_EQ(large.scanned, 0);
}

// Runs everything once and asks SQLite how it goes about each statement.
TEST_F(SqliteStoreTest, EveryStatementGoesByAnIndex) {
  Watch watch;
  Open();
  PutMany(0, 10, "east");
  ASSERT_EQ(store_->Write([](Writer& writer) -> absl::Status {
    RETURN_IF_ERROR(FeedOf(writer, "east", 5).status());
    RETURN_IF_ERROR(writer.CountFeed(Named("east"), Version(5), kAllOffices).status());
    RETURN_IF_ERROR(writer.GetRecord({kMeeting, Named("r1")}).status());
    RETURN_IF_ERROR(ListOf(writer, kMeeting, "east").status());
    RETURN_IF_ERROR(ListOf(writer, kMeeting, std::nullopt).status());
    RETURN_IF_ERROR(writer.NextDevice().status());
    RETURN_IF_ERROR(writer.PutDevice(Phone(2, "phone")));
    RETURN_IF_ERROR(writer.GetDevice(DeviceNumber(2)).status());
    RETURN_IF_ERROR(writer.AppendAudit(Edit(2, 1, "x")));
    RETURN_IF_ERROR(writer.GetAudit(DeviceNumber(2), EditNumber(1)).status());
    RETURN_IF_ERROR(writer.GetVerdict(DeviceNumber(2), EditNumber(1)).status());
    RETURN_IF_ERROR(
        writer.ReadAudit(DeviceNumber(2), EditNumber(0), [](const AuditRow&) { return true; }));
    RETURN_IF_ERROR(writer.GetChain(DeviceNumber(2), EditNumber(1)).status());
    RETURN_IF_ERROR(writer.GetAnswered(DeviceNumber(2), EditNumber(1)).status());
    RETURN_IF_ERROR(writer.DevicesWithKey("key").status());
    RETURN_IF_ERROR(writer.DevicesWithRecord(Named("r1")).status());
    RETURN_IF_ERROR(writer.MovesOf(kMeeting).status());
    RETURN_IF_ERROR(writer.ReadRecords({kMeeting, Named("r1")},
                                       [](const RecordKey&, const RecordState*) { return true; }));
    RETURN_IF_ERROR(writer.PutCode({"1234", Named("ann"), 1}));
    RETURN_IF_ERROR(writer.TakeCode("1234").status());
    RETURN_IF_ERROR(writer.PutSetting("server", "x"));
    return writer.GetSetting("server").status();
  }),
            absl::OkStatus());

  SQLite::Database db(file_, SQLite::OPEN_READWRITE);
  int asked = 0;
  std::set<std::string> statements = watch.statements();  // asking adds to them
  for (const std::string& sql : statements) {
    if (!absl::StrContains(sql, '?')) continue;
    if (absl::StrContains(sql, "sqlite_master")) continue;  // of the file, when it is opened
    SQLite::Statement plan(db, absl::StrCat("EXPLAIN QUERY PLAN ", sql));
    while (plan.executeStep()) {
      std::string step = plan.getColumn(3).getString();
      EXPECT_FALSE(absl::StrContains(step, "TEMP B-TREE")) << sql << "\n" << step;
      const bool scans = absl::StartsWith(step, "SCAN") && step != "SCAN CONSTANT ROW";
      EXPECT_FALSE(scans) << sql << "\n" << step;
    }
    ++asked;
  }
  EXPECT_GE(asked, 23);
}

}  // namespace
}  // namespace zhibu::server
