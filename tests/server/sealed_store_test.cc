// What lies on the server's disk, and in its backups, tells nobody anything who has
// not got the key.
#include <SQLiteCpp/SQLiteCpp.h>
#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "server/store/sqlite/store.h"
#include "sync/base/reason.h"
#include "sync/base/status.h"
#include "tests/sim/disk.h"
#include "tests/support/world.h"

namespace zhibu::server {
namespace {

using test::kServerKey;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::IsSupersetOf;
using ::testing::Not;
using ::testing::SizeIs;

const std::vector<std::string> kSecrets = {"讨论了困难补助的发放", "有人另写的一段",
                                           "11010519491231002X", "欧阳慎之的手机",
                                           "-----BEGIN PRIVATE KEY-----"};

std::vector<std::string> FoundIn(const sim::Image& image) {
  std::vector<std::string> found;
  for (const auto& [name, content] : image) {
    for (const std::string& secret : kSecrets) {
      if (absl::StrContains(content, secret)) found.push_back(secret);
    }
  }
  return found;
}

sim::Image ImageOf(const std::string& file) {
  sim::Image image;
  for (const char* part : {"", "-wal", "-shm"}) {
    std::ifstream stream(file + part, std::ios::binary);
    if (stream) image[part] = {std::istreambuf_iterator<char>(stream), {}};
  }
  return image;
}

Id Named(absl::string_view name) {
  std::string bytes(name);
  bytes.resize(Id::kSize, '-');
  return *Id::FromBytes(bytes);
}

class SealedStore : public ::testing::Test {
 protected:
  absl::StatusOr<std::unique_ptr<Store>> Open(const std::string& path, const std::string& key,
                                              const std::string& vfs = "") {
    return OpenSqliteStore(path, {.key = key, .vfs = vfs});
  }
  std::unique_ptr<Store> MustOpen(const std::string& path, const std::string& key,
                                  const std::string& vfs = "") {
    auto opened = Open(path, key, vfs);
    EXPECT_TRUE(opened.ok()) << opened.status();
    return *std::move(opened);
  }

  // Two of everything, so that there is something to swap.
  static void Fill(Store& store) {
    ASSERT_EQ(store.Write([&](Writer& writer) -> absl::Status {
      const std::vector<Id> scopes = {Named("branch")};
      for (const char* name : {"first", "second"}) {
        RecordState state;
        state.exists = true;
        ASSIGN_OR_RETURN(state.touch.version, writer.NextVersion(scopes, Version()));
        state.body = absl::StrCat(kSecrets[0], name);
        state.trace = absl::StrCat(kSecrets[1], name);
        RETURN_IF_ERROR(writer.PutRecord({31, Named(name)}, state, {}, {{scopes[0], kAllOffices}}));
        DeviceRow device;
        ASSIGN_OR_RETURN(device.number, writer.NextDevice());
        device.name = absl::StrCat(kSecrets[3], name);
        RETURN_IF_ERROR(writer.PutDevice(device));
        AuditRow row;
        row.device = device.number;
        row.number = EditNumber(1);
        row.edit = absl::StrCat(kSecrets[2], name);
        row.answer.set_detail(absl::StrCat(kSecrets[3], name));
        RETURN_IF_ERROR(writer.AppendAudit(row));
        RETURN_IF_ERROR(writer.PutSetting(name, absl::StrCat(kSecrets[4], name)));
      }
      return absl::OkStatus();
    }),
              absl::OkStatus());
  }
  // All that can be read, or the first thing that is wrong.
  static absl::StatusOr<std::vector<std::string>> All(Store& store) {
    std::vector<std::string> all;
    RETURN_IF_ERROR(store.Read([&](Reader& reader) -> absl::Status {
      absl::Status damage;
      RETURN_IF_ERROR(
          reader.ReadFeed(Named("branch"), Version(), kAllOffices, [&](const FeedRow& row) {
            all.push_back(absl::StrCat(row.key.id.str(), row.state.body, row.state.trace));
            damage.Update(reader.GetRecord(row.key).status());
            return true;
          }));
      ASSIGN_OR_RETURN(const auto devices, reader.ListDevices());
      for (const DeviceRow& device : devices) {
        all.push_back(device.name);
        if (device.name.empty()) damage.Update(DamagedRow("name"));
        RETURN_IF_ERROR(reader.ReadAudit(device.number, EditNumber(), [&](const AuditRow& row) {
          all.push_back(absl::StrCat(row.edit, row.answer.detail()));
          damage.Update(reader.GetAudit(row.device, row.number).status());
          return true;
        }));
      }
      RETURN_IF_ERROR(damage);
      for (const char* name : {"first", "second"}) {
        ASSIGN_OR_RETURN(const std::string value, reader.GetSetting(name));
        all.push_back(value);
      }
      return absl::OkStatus();
    }));
    return all;
  }
  void ExpectDamage(const std::string& sql, const std::string& where) {
    const std::string copy = directory.NewFile();
    test::CopyDatabase(file, copy);
    {
      SQLite::Database database(copy, SQLite::OPEN_READWRITE);
      EXPECT_GT(database.exec(sql), 0) << sql;
    }
    const auto store = Open(copy, kServerKey);
    ASSERT_TRUE(store.ok()) << store.status();
    const absl::Status damage = All(**store).status();
    EXPECT_TRUE(absl::IsDataLoss(damage)) << sql << ": " << damage;
    EXPECT_THAT(std::string(damage.message()), HasSubstr(where)) << sql;
  }

  test::Directory directory;
  const std::string file = directory.NewFile();
};

TEST_F(SealedStore, NothingThatPeopleWroteIsInTheFileItsLogOrABackup) {
  auto store = MustOpen(file, kServerKey);
  Fill(*store);
  EXPECT_THAT(FoundIn(ImageOf(file)), IsEmpty());
  const auto all = All(*store);
  const std::string backup = directory.NewFile();
  ASSERT_EQ(store->Backup(backup), absl::OkStatus());
  store = nullptr;
  EXPECT_THAT(FoundIn(ImageOf(file)), IsEmpty());
  EXPECT_THAT(FoundIn(ImageOf(backup)), IsEmpty());
  EXPECT_EQ(ReasonOf(Open(backup, "").status()).reason, sync::v1::WRONG_KEY);
  store = MustOpen(backup, kServerKey);
  EXPECT_EQ(*All(*store), *all);
  EXPECT_EQ(store->Read([](Reader& reader) -> absl::Status {
    EXPECT_EQ(*reader.GetSetting(kCopy), "1");  // it is known for what it is
    return absl::OkStatus();
  }),
            absl::OkStatus());
}

TEST_F(SealedStore, WithoutAKeyEverythingCanBeRead) {
  const auto store = MustOpen(file, "");
  Fill(*store);
  EXPECT_THAT(FoundIn(ImageOf(file)), IsSupersetOf(kSecrets));
}

TEST_F(SealedStore, WithoutItsKeyOrWithAnotherItIsRefusedInWordsAndNotTouched) {
  auto store = MustOpen(file, kServerKey);
  Fill(*store);
  store = nullptr;
  const sim::Image before = ImageOf(file);
  for (const std::string& key : {std::string(), std::string(32, 'x')}) {
    const absl::Status refused = Open(file, key).status();
    EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition);
    EXPECT_EQ(ReasonOf(refused).reason, sync::v1::WRONG_KEY);
    EXPECT_EQ(ImageOf(file).at(""), before.at(""));
  }
  EXPECT_TRUE(absl::IsInvalidArgument(Open(file, "short").status()));
  store = MustOpen(file, kServerKey);
  EXPECT_THAT(*All(*store), SizeIs(8));
}

TEST_F(SealedStore, OneThatWasPlainIsSealedAtTheNextStartAndNothingChangesInIt) {
  auto store = MustOpen(file, "");
  Fill(*store);
  const auto all = *All(*store);
  const std::string killed = directory.NewFile();
  test::CopyDatabase(file, killed);  // with a log that is full of it
  store = nullptr;
  for (const std::string& path : {file, killed}) {
    store = MustOpen(path, kServerKey);
    EXPECT_EQ(*All(*store), all);
    EXPECT_THAT(FoundIn(ImageOf(path)), IsEmpty());
    store = nullptr;
    EXPECT_EQ(ReasonOf(Open(path, "").status()).reason, sync::v1::WRONG_KEY);
  }
}

TEST_F(SealedStore, OneOfTheSchemaBeforeSealsIsBroughtUpAndSealedAtOnce) {
  auto store = MustOpen(file, "");
  Fill(*store);
  const auto all = *All(*store);
  store = nullptr;
  SQLite::Database(file, SQLite::OPEN_READWRITE)
      .exec(
          "CREATE TABLE feed_before (scope_no INTEGER NOT NULL, type INTEGER NOT NULL,"
          " id BLOB NOT NULL, record_no INTEGER NOT NULL, version INTEGER NOT NULL,"
          " present INTEGER NOT NULL, PRIMARY KEY (scope_no, type, id)) STRICT, WITHOUT ROWID;"
          "INSERT INTO feed_before SELECT scope_no, type, id, record_no, version, present FROM "
          "feed;"
          "DROP TABLE feed; ALTER TABLE feed_before RENAME TO feed;"
          "DROP INDEX audit_verdict; ALTER TABLE audit DROP COLUMN verdict;"
          "ALTER TABLE audit DROP COLUMN beside;"
          "CREATE UNIQUE INDEX audit_key ON audit (device, number);"
          "CREATE INDEX feed_version ON feed (scope_no, version, type, id, present, record_no);"
          "DROP INDEX device_key; DROP INDEX device_record;"
          "DROP TABLE sums; DROP TABLE hanging; DROP TABLE mark; DROP TABLE seal; ALTER TABLE "
          "device ADD COLUMN text "
          "TEXT NOT NULL "
          "DEFAULT '';"
          "UPDATE device SET text = CAST(name AS TEXT); ALTER TABLE device DROP COLUMN name;"
          "ALTER TABLE device RENAME COLUMN text TO name; PRAGMA user_version = 3");
  store = MustOpen(file, kServerKey);
  EXPECT_EQ(*All(*store), all);
  EXPECT_THAT(FoundIn(ImageOf(file)), IsEmpty());
}

TEST_F(SealedStore, ThePowerFailsWithinAnyWriteWhileItIsSealedNothingIsLostAndTheNextTimeItIsDone) {
  sim::Disk disk(5);
  auto store = MustOpen("zhibu.db", "", disk.vfs());
  Fill(*store);
  const auto all = *All(*store);
  store = nullptr;
  const sim::Image plain = disk.Copy();
  ASSERT_THAT(FoundIn(plain), IsSupersetOf(kSecrets));
  int writes = 0;
  for (bool died = true; died; ++writes) {
    disk.Replace(plain);
    disk.DieAtWrite(writes + 1);
    (void)Open("zhibu.db", kServerKey, disk.vfs());
    died = disk.dead();
    disk.Restart(/*power_lost=*/true);
    store = MustOpen("zhibu.db", kServerKey, disk.vfs());
    ASSERT_EQ(*All(*store), all) << "write " << writes;
    store = nullptr;
    EXPECT_THAT(FoundIn(disk.Copy()), IsEmpty()) << "write " << writes;
  }
  EXPECT_GT(writes, 20);
}

TEST_F(SealedStore, AValueThatIsPutElsewhereOrChangedDoesNotOpen) {
  auto store = MustOpen(file, kServerKey);
  Fill(*store);
  ASSERT_TRUE(All(*store).ok());
  store = nullptr;
  const auto spoil = [&](const std::string& table, const std::string& column) {
    static const std::map<std::string, std::string> kWhere = {{"record", "record 31"},
                                                              {"audit", "edit 1 of device"},
                                                              {"device", "name"},
                                                              {"setting", "setting.value/"}};
    const std::string& where = kWhere.at(table);
    const std::string set = absl::StrCat("UPDATE ", table, " SET ", column, "=");
    const std::string which =
        table == "setting" ? " WHERE name IN ('first', 'second')" : std::string(" WHERE true");
    ExpectDamage(absl::StrCat(set, "(SELECT ", column, " FROM ", table, which, " LIMIT 1)", which),
                 where);
    ExpectDamage(absl::StrCat(set, "CAST(substr(", column, ", 1, length(", column,
                              ") - 1) || CASE hex(substr(", column,
                              ", -1)) WHEN '00' THEN x'01' ELSE x'00' END AS BLOB)", which),
                 where);
    ExpectDamage(absl::StrCat(set, "x'00'", which), where);
  };
  spoil("record", "body");
  spoil("record", "trace");
  spoil("audit", "edit");
  spoil("audit", "answer");
  spoil("device", "name");
  spoil("setting", "value");
  ExpectDamage("UPDATE record SET trace = body", "record 31");
}

}  // namespace
}  // namespace zhibu::server
