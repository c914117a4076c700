// The PostgreSQL store, on a real server: what the contract of all stores says, and what only a
// store has that others write to as well.
#include "server/store/postgresql/store.h"

#include <gmock/gmock.h>

#include <atomic>
#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <mutex>
#include <thread>

#include "absl/strings/match.h"
#include "absl/synchronization/notification.h"
#include "sync/base/reason.h"
#include "tests/postgresql/server.h"
#include "tests/server/store_contract.h"

namespace zhibu::server {
namespace {

namespace fs = std::filesystem;
using test::DatabaseServer;
using ::testing::HasSubstr;

class TempDir {
 public:
  TempDir() {
    std::string path = (fs::temp_directory_path() / "zhibu-pg-test-XXXXXX").string();
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

std::unique_ptr<Store> MustOpen(const std::string& where, const PostgresOptions& options = {}) {
  auto store = OpenPostgresStore(where, options);
  EXPECT_TRUE(store.ok()) << store.status();
  return store.ok() ? *std::move(store) : nullptr;
}

class PostgresPlace : public StorePlace {
 public:
  explicit PostgresPlace(std::string key) { options_.key = std::move(key); }

  std::unique_ptr<Store> Open() override { return MustOpen(where_, options_); }
  std::string BackupName() override { return dir_.File("backup"); }
  std::unique_ptr<Store> OpenBackup() override {
    const std::string restored = DatabaseServer::Shared().NewSchema();
    EXPECT_EQ(RestorePostgresBackup(BackupName(), restored, options_), absl::OkStatus());
    return MustOpen(restored, options_);
  }

 private:
  const std::string where_ = DatabaseServer::Shared().NewSchema();
  PostgresOptions options_;
  TempDir dir_;
};

INSTANTIATE_TEST_SUITE_P(
    Store, StoreContract,
    testing::Values(StoreKind{"Postgres", [] { return std::make_unique<PostgresPlace>(""); }},
                    StoreKind{
                        "SealedPostgres",
                        [] { return std::make_unique<PostgresPlace>(std::string(32, 'k')); }}),
    StoreKindName);

class PostgresStoreTest : public testing::Test {
 protected:
  static DatabaseServer& server() { return DatabaseServer::Shared(); }

  static absl::StatusOr<Version> PutIn(Writer& writer, absl::string_view name,
                                       absl::string_view scope) {
    const std::vector<Id> scopes = {Named(scope)};
    ASSIGN_OR_RETURN(const Version version, writer.NextVersion(scopes, Version()));
    RETURN_IF_ERROR(
        writer.PutRecord({kMeeting, Named(name)}, Written(version, name), scopes, Shown(scopes)));
    return version;
  }
  static absl::Status Put(Store& store, absl::string_view name, absl::string_view scope) {
    return store.Write([&](Writer& writer) { return PutIn(writer, name, scope).status(); });
  }
  static std::string Feed(Store& store, absl::string_view scope) {
    std::string feed;
    EXPECT_EQ(store.Read([&](Reader& reader) -> absl::Status {
      ASSIGN_OR_RETURN(feed, FeedOf(reader, scope));
      return absl::OkStatus();
    }),
              absl::OkStatus());
    return feed;
  }
  static int64_t Count(Store& store, absl::string_view name) {
    int64_t count = -1;
    EXPECT_EQ(store.Read([&](Reader& reader) -> absl::Status {
      ASSIGN_OR_RETURN(count, reader.GetCount(name));
      return absl::OkStatus();
    }),
              absl::OkStatus());
    return count;
  }

  // To the same month of each, one after the other.
  static absl::Status AddOne(Store& store, const std::vector<std::string>& organisations,
                             std::atomic<int>* runs = nullptr) {
    return store.Write([&](Writer& writer) -> absl::Status {
      if (runs != nullptr) ++*runs;
      for (const std::string& organisation : organisations) {
        RETURN_IF_ERROR(writer.AddToSums(Named(organisation), {{{1, 0, 24312, 0}, {1, 1}}}));
      }
      return absl::OkStatus();
    });
  }
  static std::string Sums(Store& store, const std::vector<std::string>& organisations) {
    std::vector<Id> ids;
    for (const std::string& organisation : organisations) ids.push_back(Named(organisation));
    std::string sums;
    EXPECT_EQ(store.Read([&](Reader& reader) -> absl::Status {
      ASSIGN_OR_RETURN(sums, SumsOf(reader, ids, 0));
      return absl::OkStatus();
    }),
              absl::OkStatus());
    return sums;
  }

  const std::string where_ = server().NewSchema();
};

// --- What a database may be -----------------------------------------------------

TEST_F(PostgresStoreTest, ADatabaseOfANewerProgramIsRefusedUntouched) {
  ASSERT_EQ(Put(*MustOpen(where_), "ann", "east"), absl::OkStatus());
  server().Ask(where_, "UPDATE zhibu SET version = version + 1");
  const absl::Status refused = OpenPostgresStore(where_).status();
  EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(refused.message()), HasSubstr("newer version of Zhibu"));
  server().Ask(where_, "UPDATE zhibu SET version = version - 1");
  EXPECT_EQ(Feed(*MustOpen(where_), "east"), "1 31/ann=ann");
}

TEST_F(PostgresStoreTest, AnotherProgramsDatabaseIsRefusedUntouched) {
  server().Ask(where_, "CREATE TABLE theirs (x bigint)");
  EXPECT_EQ(OpenPostgresStore(where_).status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(
      server().Ask(where_, "SELECT count(*) FROM pg_tables WHERE schemaname = current_schema()"),
      "1");
}

TEST_F(PostgresStoreTest, ItsKeyOrNone) {
  const PostgresOptions sealed{.key = std::string(32, 'k')};
  ASSERT_EQ(Put(*MustOpen(where_, sealed), "ann", "east"), absl::OkStatus());
  for (const std::string& key : {std::string(), std::string(32, 'x')}) {
    const absl::Status refused = OpenPostgresStore(where_, {.key = key}).status();
    EXPECT_EQ(ReasonOf(refused).reason, sync::v1::WRONG_KEY) << refused;
  }
  EXPECT_EQ(server().Ask(where_, "SELECT count(*) FROM record WHERE body LIKE '%ann%'"), "0");
  EXPECT_EQ(Feed(*MustOpen(where_, sealed), "east"), "1 31/ann=ann");
}

TEST_F(PostgresStoreTest, WhatCannotBeReachedIsToldWithoutItsPassword) {
  for (const char* where : {"postgresql://zhibu:secret@127.0.0.1:1/zhibu", "postgresql://secret@[",
                            "host=/nowhere password=secret"}) {
    const absl::Status refused = OpenPostgresStore(where).status();
    EXPECT_FALSE(refused.ok());
    EXPECT_FALSE(absl::StrContains(refused.message(), "secret")) << refused;
  }
}

TEST_F(PostgresStoreTest, SeveralThatStartAtOnceMakeOneSchema) {
  std::vector<std::thread> starts;
  std::atomic<int> good = 0;
  for (int i = 0; i < 6; ++i) {
    starts.emplace_back(
        [&] { good += OpenPostgresStore(where_, {.key = std::string(32, 'k')}).ok() ? 1 : 0; });
  }
  for (std::thread& start : starts) start.join();
  EXPECT_EQ(good, 6);
  EXPECT_EQ(server().Ask(where_, "SELECT count(*) FROM seal"), "1");
}

TEST_F(PostgresStoreTest, ADatabaseOfTheFirstVersionKeepsWhatItHasAndGetsSums) {
  ASSERT_EQ(Put(*MustOpen(where_), "ann", "east"), absl::OkStatus());
  for (const char* undo : {"DROP TABLE sums", "DROP TABLE hanging", "UPDATE zhibu SET version = 1"})
    server().Ask(where_, undo);
  const auto store = MustOpen(where_);
  EXPECT_EQ(Feed(*store, "east"), "1 31/ann=ann");
  EXPECT_EQ(AddOne(*store, {"east"}), absl::OkStatus());
  EXPECT_EQ(Sums(*store, {"east"}), "east 1/0 in 24312 of 0: 1/1");
}

// As the head of schema.cc has them: a row's place in a sharded database follows from that column,
// so whatever must be there once only is found on one shard.
TEST_F(PostgresStoreTest, EveryUniqueKeyHasItsTablesDistributionKey) {
  const std::map<std::string, std::string> distributed = {
      {"scope", "id"},      {"feed", "scope"},   {"record", "id"},   {"audit", "device"},
      {"device", "number"}, {"mark", "mark"},    {"code", "digest"}, {"counter", "name"},
      {"moves", "type"},    {"setting", "name"}, {"sums", "scope"},  {"hanging", "on_id"}};
  ASSERT_NE(MustOpen(where_), nullptr);
  for (const auto& [table, column] : distributed) {
    const std::string keys = absl::StrCat("FROM pg_index i WHERE i.indisunique AND i.indrelid = '",
                                          table, "'::regclass");
    EXPECT_NE(server().Ask(where_, absl::StrCat("SELECT count(*) ", keys)), "0") << table;
    EXPECT_EQ(server().Ask(where_, absl::StrCat("SELECT count(*) ", keys,
                                                " AND NOT EXISTS (SELECT 1 FROM pg_attribute a"
                                                " WHERE a.attrelid = i.indrelid AND a.attname = '",
                                                column, "' AND a.attnum = ANY (i.indkey))")),
              "0")
        << table;
  }
  EXPECT_EQ(server().Ask(where_,
                         "SELECT count(*) FROM pg_tables WHERE schemaname = current_schema()"
                         " AND tablename NOT IN ('seal', 'zhibu')"),
            std::to_string(distributed.size()))
      << "a table that is not in the list";
  EXPECT_EQ(
      server().Ask(where_, "SELECT count(*) FROM pg_sequences WHERE schemaname = current_schema()"),
      "0");
}

// --- Several at once ------------------------------------------------------------

// Each process has a store of its own. Every write puts one more record into both scopes at one
// version, so that in any snapshot the scopes have as many rows as their version says.
TEST_F(PostgresStoreTest, TwoProcessesOnOneScopeEachGetVersionsOfTheirOwn) {
  constexpr int kEach = 40;
  std::vector<std::thread> writers;
  for (int p = 0; p < 2; ++p) {
    writers.emplace_back([&, p] {
      const auto store = MustOpen(where_);
      for (int i = 0; i < kEach; ++i) {
        EXPECT_EQ(Put(*store, absl::StrCat("r", p, ".", i), "east"), absl::OkStatus());
      }
    });
  }
  for (std::thread& writer : writers) writer.join();
  const auto store = MustOpen(where_);
  uint64_t expected = 0;
  EXPECT_EQ(store->Read([&](Reader& reader) {
    return reader.ReadFeed(Named("east"), Version(), kAllOffices, [&](const FeedRow& row) {
      EXPECT_EQ(row.version.value, ++expected);
      return true;
    });
  }),
            absl::OkStatus());
  EXPECT_EQ(expected, 2 * kEach);
}

// Nobody waits for anybody there, but for chance: an index page of a small table has both.
TEST_F(PostgresStoreTest, TwoProcessesOnScopesOfTheirOwnBothGetOn) {
  constexpr int kEach = 100;
  std::atomic<int> runs = 0;
  std::vector<std::thread> writers;
  for (int p = 0; p < 2; ++p) {
    writers.emplace_back([&, p] {
      const auto store = MustOpen(where_);
      for (int i = 0; i < kEach; ++i) {
        EXPECT_EQ(store->Write([&](Writer& writer) {
          ++runs;
          return PutIn(writer, absl::StrCat("r", p, ".", i), absl::StrCat("scope ", p)).status();
        }),
                  absl::OkStatus());
      }
    });
  }
  for (std::thread& writer : writers) writer.join();
  std::cout << runs << " runs of " << 2 * kEach << " transactions" << std::endl;
  const auto store = MustOpen(where_);
  for (const char* scope : {"scope 0", "scope 1"}) {
    EXPECT_EQ(store->Read([&](Reader& reader) -> absl::Status {
      EXPECT_EQ(*reader.CountFeed(Named(scope), Version(), kAllOffices), uint64_t{kEach});
      EXPECT_EQ(*reader.ScopeVersion(Named(scope)), Version(kEach));
      return absl::OkStatus();
    }),
              absl::OkStatus());
  }
}

// Neither moves a scope, which would make one of them wait for the other before it has read a sum;
// and each names the organisations in another order.
TEST_F(PostgresStoreTest, TwoProcessesThatAddToOneSumBothCount) {
  constexpr int kEach = 60;
  const std::vector<std::vector<std::string>> orders = {{"east", "north", "west"},
                                                        {"west", "north", "east"}};
  const auto deadlocks = [] {
    return server().Ask(server().Whole(), "SELECT sum(deadlocks) FROM pg_stat_database");
  };
  const std::string before = deadlocks();
  std::atomic<int> runs = 0;
  std::vector<std::thread> writers;
  for (const std::vector<std::string>& order : orders) {
    writers.emplace_back([&] {
      const auto store = MustOpen(where_);
      for (int i = 0; i < kEach; ++i) EXPECT_EQ(AddOne(*store, order, &runs), absl::OkStatus());
    });
  }
  for (std::thread& writer : writers) writer.join();
  std::cout << runs << " runs of " << 2 * kEach << " transactions" << std::endl;
  EXPECT_EQ(Sums(*MustOpen(where_), orders[0]),
            "east 1/0 in 24312 of 0: 120/120, north 1/0 in 24312 of 0: 120/120, "
            "west 1/0 in 24312 of 0: 120/120");
  EXPECT_EQ(deadlocks(), before) << "all write them in one order";
}

// Each looks whether the other has put something, and puts its own where it has not: one after the
// other, one of them sees it. Neither writes what the other does.
TEST_F(PostgresStoreTest, WhatATransactionHasDecidedByStillHoldsWhenItIsCommitted) {
  const auto first = MustOpen(where_);
  const auto second = MustOpen(where_);
  ASSERT_EQ(first->Write([](Writer& writer) { return writer.PutSetting("any", "x"); }),
            absl::OkStatus());
  absl::Notification looked;
  std::atomic<int> runs = 0;
  std::thread other([&] {
    EXPECT_EQ(first->Write([&](Writer& writer) -> absl::Status {
      ++runs;
      ASSIGN_OR_RETURN(const std::string there, writer.GetSetting("second"));
      if (!looked.HasBeenNotified()) {
        EXPECT_EQ(second->Write([&](Writer& theirs) -> absl::Status {
          ASSIGN_OR_RETURN(const std::string mine, theirs.GetSetting("first"));
          EXPECT_EQ(mine, "");
          return theirs.PutSetting("second", "there");
        }),
                  absl::OkStatus());
        looked.Notify();
      }
      return there.empty() ? writer.PutSetting("first", "there") : absl::OkStatus();
    }),
              absl::OkStatus());
  });
  other.join();
  EXPECT_EQ(runs, 2) << "it was run again, and saw it";
  EXPECT_EQ(server().Ask(where_, "SELECT count(*) FROM setting WHERE name IN ('first', 'second')"),
            "1");
}

class Heard : public Watcher {
 public:
  explicit Heard(std::vector<Id> followed = {}) : followed_(std::move(followed)) {}
  void OnMoved(const absl::flat_hash_set<Id>& scopes) override {
    absl::MutexLock lock(&mutex_);
    for (const Id& scope : scopes) names_.insert(NameOf(scope));
  }
  std::vector<Id> Followed() override { return followed_; }
  bool WaitFor(const std::string& name, absl::Duration patience = absl::Seconds(20)) {
    absl::MutexLock lock(&mutex_);
    const auto heard = [&] {
      mutex_.AssertReaderHeld();
      return names_.contains(name);
    };
    return mutex_.AwaitWithTimeout(absl::Condition(&heard), patience);
  }

 private:
  const std::vector<Id> followed_;
  absl::Mutex mutex_;
  std::set<std::string> names_ ABSL_GUARDED_BY(mutex_);
};

TEST_F(PostgresStoreTest, WhatOneProcessMovesTheOthersHearOf) {
  const auto writes = MustOpen(where_);
  const auto listens = MustOpen(where_, {.look_every = absl::Hours(1)});
  Heard heard;
  listens->Watch(&heard);
  // Until it listens, nothing is heard.
  for (int i = 0; !heard.WaitFor("east", absl::Milliseconds(100)) && i < 200; ++i) {
    ASSERT_EQ(Put(*writes, absl::StrCat("r", i), "east"), absl::OkStatus());
  }
  ASSERT_EQ(Put(*writes, "many", "west"), absl::OkStatus());
  EXPECT_TRUE(heard.WaitFor("west"));
  listens->StopWatching(&heard);
}

// As where a process dies after its commit and before it has told.
TEST_F(PostgresStoreTest, WhatNobodyTellsIsFoundByLooking) {
  const auto listens = MustOpen(where_, {.look_every = absl::Milliseconds(50)});
  ASSERT_EQ(Put(*listens, "ann", "east"), absl::OkStatus());
  Heard heard({Named("east"), Named("west")});
  listens->Watch(&heard);
  ASSERT_TRUE(heard.WaitFor("east"));
  server().Ask(where_,
               absl::StrCat("INSERT INTO scope VALUES ('\\x", Hex(Named("west").bytes()), "', 7)"));
  EXPECT_TRUE(heard.WaitFor("west"));
  listens->StopWatching(&heard);
}

// --- A database that goes, and comes back ------------------------------------------

TEST_F(PostgresStoreTest, ConnectionsThatWereEndedMeanwhileAreMadeAnew) {
  const auto store = MustOpen(where_);
  ASSERT_EQ(Put(*store, "ann", "east"), absl::OkStatus());
  EXPECT_EQ(Feed(*store, "east"), "1 31/ann=ann");
  server().Ask(server().Whole(),
               "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
               " WHERE application_name = 'zhibu'");
  EXPECT_EQ(Feed(*store, "east"), "1 31/ann=ann");
  EXPECT_EQ(Put(*store, "bob", "east"), absl::OkStatus());
  Heard heard({Named("east")});
  store->Watch(&heard);
  EXPECT_TRUE(heard.WaitFor("east")) << "the listener is there again";
  store->StopWatching(&heard);
}

TEST_F(PostgresStoreTest, AConnectionThatBreaksWithinAWriteIsRunAgainOnAnother) {
  const auto store = MustOpen(where_);
  int runs = 0;
  EXPECT_EQ(store->Write([&](Writer& writer) -> absl::Status {
    RETURN_IF_ERROR(PutIn(writer, "ann", "east").status());
    if (++runs == 1) {
      server().Ask(server().Whole(),
                   "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
                   " WHERE application_name = 'zhibu'");
    }
    return writer.HasCode("any", 0).status();
  }),
            absl::OkStatus());
  EXPECT_EQ(runs, 2);
  EXPECT_EQ(Feed(*store, "east"), "1 31/ann=ann");
}

// The database dies again and again while two processes count. What was acknowledged is there; what
// was told as not known may be.
TEST(PostgresStoreCrash, ADatabaseThatIsKilledLosesNothingThatWasAcknowledged) {
  DatabaseServer server;
  const std::string where = server.NewSchema();
  const std::vector<std::string> counters = {"first", "second"};
  std::vector<std::unique_ptr<Store>> stores;
  for (size_t i = 0; i < counters.size(); ++i) stores.push_back(MustOpen(where));
  std::atomic<bool> done = false;
  std::vector<std::atomic<int64_t>> acknowledged(counters.size());
  std::vector<std::atomic<int64_t>> tried(counters.size());
  std::vector<std::thread> writers;
  for (size_t i = 0; i < counters.size(); ++i) {
    writers.emplace_back([&, i] {
      while (!done) {
        ++tried[i];
        const absl::Status status = stores[i]->Write([&](Writer& writer) -> absl::Status {
          RETURN_IF_ERROR(writer.AddToCount(counters[i], 1));
          return writer.AddToCount("both", 1);
        });
        if (status.ok()) ++acknowledged[i];
      }
    });
  }
  for (int kills = 0; kills < 4; ++kills) {
    const int64_t before = acknowledged[0] + acknowledged[1];
    while (acknowledged[0] + acknowledged[1] < before + 50) std::this_thread::yield();
    server.Kill();
    server.Start();
  }
  done = true;
  for (std::thread& writer : writers) writer.join();
  int64_t both = -1;
  std::vector<int64_t> counts(counters.size());
  EXPECT_EQ(stores[0]->Read([&](Reader& reader) -> absl::Status {
    ASSIGN_OR_RETURN(both, reader.GetCount("both"));
    for (size_t i = 0; i < counters.size(); ++i) {
      ASSIGN_OR_RETURN(counts[i], reader.GetCount(counters[i]));
    }
    return absl::OkStatus();
  }),
            absl::OkStatus());
  EXPECT_EQ(both, counts[0] + counts[1]) << "whole transactions";
  for (size_t i = 0; i < counters.size(); ++i) {
    EXPECT_GE(counts[i], acknowledged[i]);
    EXPECT_LE(counts[i], tried[i]);
  }
}

// --- Round trips ------------------------------------------------------------------

TEST_F(PostgresStoreTest, WhatIsWrittenTravelsWithTheCommit) {
  std::vector<uint64_t> trips;
  const auto store =
      MustOpen(where_, {.on_committed = [&](uint64_t taken) { trips.push_back(taken); }});
  ASSERT_EQ(store->Write([](Writer& writer) -> absl::Status {
    for (const char* name : {"a", "b", "c"}) RETURN_IF_ERROR(writer.PutSetting(name, name));
    return writer.Attempt([&] { return writer.PutMark("mark", Named("ann")); });
  }),
            absl::OkStatus());
  EXPECT_THAT(trips, testing::ElementsAre(1));
}

// --- Damage, and backups -------------------------------------------------------------

TEST_F(PostgresStoreTest, ADamagedRecordSpoilsNeitherItsNeighboursNorTheTransaction) {
  const auto store = MustOpen(where_, {.key = std::string(32, 'k')});
  ASSERT_EQ(Put(*store, "ann", "east"), absl::OkStatus());
  ASSERT_EQ(Put(*store, "bob", "east"), absl::OkStatus());
  server().Ask(where_, absl::StrCat("UPDATE record SET body = '\\x00' WHERE id = '\\x",
                                    Hex(Named("ann").bytes()), "'"));
  EXPECT_EQ(store->Write([&](Writer& writer) -> absl::Status {
    EXPECT_EQ(writer.GetRecord({kMeeting, Named("ann")}).status().code(),
              absl::StatusCode::kDataLoss);
    EXPECT_EQ(writer.GetRecord({kMeeting, Named("bob")})->body, "bob");
    EXPECT_EQ(ListOf(writer, kMeeting, "east").status().code(), absl::StatusCode::kDataLoss);
    return writer.PutSetting("goes", "on");
  }),
            absl::OkStatus());
}

TEST_F(PostgresStoreTest, SumsThatCannotBeReadAreToldAndSpoilNoOthers) {
  const auto store = MustOpen(where_, {.key = std::string(32, 'k')});
  ASSERT_EQ(AddOne(*store, {"east", "west"}), absl::OkStatus());
  server().Ask(where_, absl::StrCat("UPDATE sums SET entries = '\\x00' WHERE scope = '\\x",
                                    Hex(Named("east").bytes()), "'"));
  EXPECT_EQ(store->Write([&](Writer& writer) -> absl::Status {
    const SumChanges one = {{{1, 0, 24312, 0}, {1, 1}}};
    EXPECT_EQ(writer.AddToSums(Named("east"), one).code(), absl::StatusCode::kDataLoss);
    return writer.AddToSums(Named("west"), one);
  }),
            absl::OkStatus());
  std::string read;
  EXPECT_EQ(store
                ->Read([&](Reader& reader) {
                  return reader.ReadSums({Named("east"), Named("west")}, 0,
                                         [&](const Id& id, const SumKey&, const Sum& sum) {
                                           absl::StrAppend(&read, NameOf(id), " ", sum.amount);
                                         });
                })
                .code(),
            absl::StatusCode::kDataLoss);
  EXPECT_EQ(read, "west 2");
}

TEST_F(PostgresStoreTest, ABackupIsRestoredIntoAnEmptyDatabaseOnlyAndWhole) {
  TempDir dir;
  const auto store = MustOpen(where_, {.key = std::string(32, 'k')});
  ASSERT_EQ(Put(*store, "ann", "east"), absl::OkStatus());
  ASSERT_EQ(store->Backup(dir.File("backup")), absl::OkStatus());
  EXPECT_EQ(RestorePostgresBackup(dir.File("backup"), where_, {.key = std::string(32, 'k')}).code(),
            absl::StatusCode::kFailedPrecondition);
  // Half of it.
  std::ifstream in(dir.File("backup"), std::ios::binary);
  const std::string whole{std::istreambuf_iterator<char>(in), {}};
  std::ofstream(dir.File("half"), std::ios::binary) << whole.substr(0, whole.size() / 2);
  const std::string restored = server().NewSchema();
  EXPECT_EQ(RestorePostgresBackup(dir.File("half"), restored, {.key = std::string(32, 'k')}).code(),
            absl::StatusCode::kDataLoss);
  EXPECT_EQ(
      server().Ask(restored, "SELECT count(*) FROM pg_tables WHERE schemaname = current_schema()"),
      "0");
  EXPECT_EQ(
      ReasonOf(RestorePostgresBackup(dir.File("backup"), restored, {.key = std::string(32, 'x')}))
          .reason,
      sync::v1::WRONG_KEY);
  ASSERT_EQ(RestorePostgresBackup(dir.File("backup"), restored, {.key = std::string(32, 'k')}),
            absl::OkStatus());
  const auto copy = MustOpen(restored, {.key = std::string(32, 'k')});
  EXPECT_EQ(Feed(*copy, "east"), "1 31/ann=ann");
  EXPECT_EQ(copy->Read([](Reader& reader) -> absl::Status {
    EXPECT_EQ(*reader.GetSetting(kCopy), "1");
    return absl::OkStatus();
  }),
            absl::OkStatus());
}

}  // namespace
}  // namespace zhibu::server
