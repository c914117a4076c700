// What lies on the device's disk tells nobody anything who has not got the key.
#include <gmock/gmock.h>
#include <sqlite3.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "sync/base/reason.h"
#include "sync/crypto/seal.h"
#include "tests/sim/disk.h"
#include "tests/support/village.h"

namespace zhibu::test {
namespace {

using client::Draft;
using client::Store;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::IsSupersetOf;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

const std::string kName = "欧阳慎之";
const std::string kIdentityNumber = "11010519491231002X";
const std::string kPhoneNumber = "13800138000";
const std::string kMinutes = "讨论了困难补助的发放";
const std::string kReturnedMinutes = "无权记录的一次会";
const std::string kDetail = "服务器的某句话";
const std::vector<std::string> kSecrets = {kName,    kIdentityNumber,  kPhoneNumber,
                                           kMinutes, kReturnedMinutes, kDetail};

// Which of the secrets a disk holds.
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

// ---- All that a phone does --------------------------------------------------------

using SealedPhones = Village;

TEST_F(SealedPhones, NothingThatPeopleWroteIsInTheFileItsLogOrAnErrorMessage) {
  std::vector<std::string> told;
  const auto expect_sealed = [&](const char* when) {
    for (const auto& phone : world.phones()) {
      EXPECT_THAT(FoundIn(ImageOf(phone->file())), IsEmpty()) << when;
    }
  };
  const Id member = zhangs.Make<Member>([&](Member& m) {
    m.set_branch_id(branch.str());
    m.set_name(kName);
  });
  zhangs.Make<Placement>([&](Placement& placement) {
    placement.set_member_id(member.str());
    placement.set_branch_id(branch.str());
  });
  zhangs.Make<PrivateDetail>([&](PrivateDetail& detail) {
    detail.set_member_id(member.str());
    detail.set_branch_id(branch.str());
    detail.set_identity_number(kIdentityNumber);
    detail.set_phone(kPhoneNumber);
  });
  const Id meeting = MakeMeeting(zhangs);
  zhangs.Change<Meeting>(meeting, [&](Meeting& m) { m.set_minutes(kMinutes); });
  // Refused at the device.
  Draft draft = zhangs.store().New<PrivateDetail>();
  draft.message<PrivateDetail>().set_member_id(member.str());
  draft.message<PrivateDetail>().set_identity_number(kIdentityNumber);
  draft.message<PrivateDetail>().set_phone(kPhoneNumber + "\xff");
  told.push_back(zhangs.store().Commit({&draft}).status().ToString());
  Draft payment = zhangs.store().New<DuesPayment>();
  payment.message<DuesPayment>().set_month(kIdentityNumber);
  told.push_back(zhangs.store().Commit({&payment}).status().ToString());
  // Not the deputy's to write: it comes back.
  wangs.Make<Meeting>([&](Meeting& m) {
    m.set_branch_id(branch.str());
    m.set_minutes(kReturnedMinutes);
  });
  expect_sealed("committed");
  zhangs.Crash();
  expect_sealed("killed");
  world.SyncAll();
  ASSERT_THAT(wangs.SetAside(), SizeIs(1));
  ASSERT_EQ(lis.Get<Member>(member).name(), kName);
  ASSERT_EQ(lis.Get<Meeting>(meeting).minutes(), kMinutes);
  EXPECT_EQ(zhangs.store().EndAttempt(absl::UnavailableError(kDetail)), absl::OkStatus());
  expect_sealed("synced");
  lis.Change<Meeting>(meeting, [&](Meeting& m) { m.set_minutes(kMinutes + kMinutes); });
  lis.Delete<Meeting>(meeting);
  Phone& copy = world.Clone(lis);
  MakeMeeting(lis, kMinutes);
  MakeMeeting(copy, kMinutes);
  world.SyncAll();  // one of the two is renumbered
  expect_sealed("renumbered");
  for (const std::string& one : told) {
    EXPECT_THAT(one, Not(HasSubstr("OK")));
    for (const std::string& secret : kSecrets) EXPECT_THAT(one, Not(HasSubstr(secret)));
  }
}

// ---- A file by itself --------------------------------------------------------------

class SealedFile : public ::testing::Test {
 protected:
  absl::StatusOr<std::unique_ptr<Store>> Open(const std::string& path, const std::string& key,
                                              const std::string& vfs = "") {
    return Store::Open({.file = path,
                        .schema = WideSchema(),
                        .environment = fate.environment(),
                        .key = key,
                        .vfs = vfs});
  }
  std::unique_ptr<Store> MustOpen(const std::string& path, const std::string& key,
                                  const std::string& vfs = "") {
    auto opened = Open(path, key, vfs);
    EXPECT_TRUE(opened.ok()) << opened.status();
    return *std::move(opened);
  }

  Id Make(Store& store, const std::string& minutes) {
    Draft draft = store.New<Meeting>();
    draft.message<Meeting>().set_branch_id(branch.str());
    draft.message<Meeting>().set_minutes(minutes);
    EXPECT_TRUE(store.Commit({&draft}).ok());
    return draft.id();
  }
  static void Answer(Store& store, uint64_t number, sync::v1::Verdict verdict) {
    sync::v1::Update update;
    auto* answer = update.add_answers();
    answer->set_number(number);
    answer->set_verdict(verdict);
    answer->set_detail(kDetail);
    answer->set_link(LinkTo(store.Pending(EditNumber(number - 1), 1).value().at(0).edit()));
    ASSERT_EQ(store.ApplyUpdate(update), absl::OkStatus());
  }
  // Something in every column: a record that the server has said, with a change of
  // ours over it, one of ours alone, edits that wait, that are in, that came back.
  void Fill(Store& store) {
    ASSERT_EQ(store.SetIdentity({.device = DeviceNumber(5),
                                 .person = branch,
                                 .server_id = "s",
                                 .address = "zhibu.example:7443",
                                 .secret_key = "the secret key of the device"}),
              absl::OkStatus());
    Make(store, kReturnedMinutes);
    Make(store, kReturnedMinutes);
    Answer(store, 1, sync::v1::RETURNED);
    Answer(store, 2, sync::v1::HELD);
    const Id said = fate.environment().NewId();
    Member member;
    member.set_branch_id(branch.str());
    member.set_name(kName);
    sync::v1::Update update;
    auto* group = update.add_groups();
    group->set_type(2);
    group->set_version(3);
    group->set_ids(absl::StrCat(said.str(), branch.str()));
    group->add_bodies(member.SerializeAsString());
    member.set_post(kIdentityNumber);
    group->add_bodies(member.SerializeAsString());
    ASSERT_EQ(store.ApplyUpdate(update), absl::OkStatus());
    auto draft = store.Edit<Member>(said);
    ASSERT_TRUE(draft.ok()) << draft.status();
    draft->message<Member>().set_education(kPhoneNumber);
    ASSERT_TRUE(store.Commit({&*draft}).ok());
    Make(store, kMinutes);
    for (int i = 0; i < 2; ++i) ASSERT_TRUE(store.KeepSketch(0, absl::StrCat(kMinutes, i)).ok());
    ASSERT_EQ(store.EndAttempt(absl::UnavailableError(kDetail)), absl::OkStatus());
  }
  // All that an app can see, and the session.
  static std::vector<std::string> All(Store& store) {
    std::vector<std::string> all;
    for (const RecordType& type : store.schema().types()) {
      EXPECT_EQ(store.List({.type = type.number},
                           [&](const Id& id, const google::protobuf::Message& message) {
                             all.push_back(absl::StrCat(Hex(id.bytes()), " ", TextOf(message)));
                             return true;
                           }),
                absl::OkStatus());
    }
    EXPECT_EQ(store.ListSetAside([&](const client::SetAside& item) {
      all.push_back(absl::StrCat(item.place, " ", TextOf(item.answer), " ", TextOf(item.edit)));
    }),
              absl::OkStatus());
    const auto pending = store.Pending(EditNumber(0), SIZE_MAX);
    EXPECT_TRUE(pending.ok()) << pending.status();
    for (const auto& edit : *pending) all.push_back(TextOf(edit));
    EXPECT_EQ(store.ListSketches([&](int64_t place, const std::string& sketch) {
      all.push_back(absl::StrCat(place, " ", sketch));
    }),
              absl::OkStatus());
    all.push_back(store.GetIdentity()->secret_key);
    all.push_back(store.State()->problem_detail);
    return all;
  }

  // On a file that nobody has open.
  static void Tamper(const std::string& path, const std::string& sql) {
    sqlite3* database = nullptr;
    ASSERT_EQ(sqlite3_open(path.c_str(), &database), SQLITE_OK);
    char* error = nullptr;
    EXPECT_EQ(sqlite3_exec(database, sql.c_str(), nullptr, nullptr, &error), SQLITE_OK) << error;
    EXPECT_EQ(sqlite3_total_changes(database) > 0, true) << sql;
    sqlite3_close(database);
  }
  // Whatever reads it says that it is damaged, and where.
  void ExpectDamage(const std::string& sql, const std::string& where) {
    const std::string copy = directory.NewFile();
    CopyDatabase(file, copy);
    Tamper(copy, sql);
    const auto store = Open(copy, kPhoneKey);
    ASSERT_TRUE(store.ok()) << store.status();
    absl::Status damage;
    for (const RecordType& type : (*store)->schema().types()) {
      damage.Update((*store)->List(
          {.type = type.number}, [](const Id&, const google::protobuf::Message&) { return true; }));
    }
    damage.Update((*store)->ListSetAside([](const client::SetAside&) {}));
    damage.Update((*store)->ListSketches([](int64_t, const std::string&) {}));
    damage.Update((*store)->Pending(EditNumber(0), SIZE_MAX).status());
    damage.Update((*store)->GetIdentity().status());
    damage.Update((*store)->State().status());
    damage.Update((*store)->BeginIncarnation("next"));  // reads what is kept
    EXPECT_TRUE(absl::IsDataLoss(damage)) << sql << ": " << damage;
    EXPECT_THAT(std::string(damage.message()), HasSubstr(where)) << sql;
  }

  Directory directory;
  int64_t now_ms = 1'795'000'000'000;
  Fate fate{7, &now_ms};
  const Id branch = fate.environment().NewId();
  const std::string file = directory.NewFile();
};

TEST_F(SealedFile, WithoutItsKeyOrWithAnotherItIsRefusedInWordsAndNotTouched) {
  auto store = MustOpen(file, kPhoneKey);
  Fill(*store);
  const std::vector<std::string> all = All(*store);
  store = nullptr;
  const sim::Image before = ImageOf(file);
  for (const std::string& key : {std::string(), std::string(Seal::kKeySize, 'x')}) {
    const absl::Status refused = Open(file, key).status();
    EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition);
    EXPECT_EQ(ReasonOf(refused).reason, sync::v1::WRONG_KEY);
    EXPECT_THAT(std::string(refused.message()), HasSubstr("Nothing is lost"));
    EXPECT_EQ(ImageOf(file).at(""), before.at(""));
    EXPECT_EQ(ImageOf(file).at("-wal"), before.at("-wal"));
  }
  store = MustOpen(file, kPhoneKey);
  EXPECT_EQ(All(*store), all);
}

TEST_F(SealedFile, AKeyOfAnotherSizeIsRefused) {
  EXPECT_TRUE(absl::IsInvalidArgument(Open(file, "short").status()));
  EXPECT_FALSE(std::filesystem::exists(file));
}

TEST_F(SealedFile, WithoutAKeyEverythingCanBeRead) {
  auto store = MustOpen(file, "");
  Fill(*store);
  EXPECT_THAT(FoundIn(ImageOf(file)), IsSupersetOf(kSecrets));
}

TEST_F(SealedFile, OneThatWasPlainIsSealedWhenItIsOpenedWithAKeyAndNothingChangesInIt) {
  auto store = MustOpen(file, "");
  Fill(*store);
  const std::vector<std::string> all = All(*store);
  const std::string open = directory.NewFile();
  CopyDatabase(file, open);  // with a log that is full of it
  store = nullptr;
  for (const std::string& path : {file, open}) {
    store = MustOpen(path, kPhoneKey);
    EXPECT_EQ(All(*store), all);
    EXPECT_THAT(FoundIn(ImageOf(path)), IsEmpty());
    store = nullptr;
    EXPECT_EQ(ReasonOf(Open(path, "").status()).reason, sync::v1::WRONG_KEY);
    store = MustOpen(path, kPhoneKey);
    EXPECT_EQ(All(*store), all);
    Make(*store, kMinutes);
    EXPECT_THAT(FoundIn(ImageOf(path)), IsEmpty());
  }
}

TEST_F(SealedFile, OneOfTheVersionBeforeSealsIsBroughtUpAndSealedAtOnce) {
  auto store = MustOpen(file, "");
  Fill(*store);
  // It had none.
  for (const int64_t place : {1, 2}) ASSERT_EQ(store->DropSketch(place), absl::OkStatus());
  const std::vector<std::string> all = All(*store);
  store = nullptr;
  sqlite3* database = nullptr;
  ASSERT_EQ(sqlite3_open(file.c_str(), &database), SQLITE_OK);
  const char* before =
      "ALTER TABLE cursor DROP COLUMN seal;"
      "ALTER TABLE pending DROP COLUMN withdrawn; ALTER TABLE kept DROP COLUMN withdrawn;"
      "DROP TABLE sketch; DROP TABLE seal; PRAGMA user_version=3; PRAGMA wal_checkpoint";
  ASSERT_EQ(sqlite3_exec(database, before, nullptr, nullptr, nullptr), SQLITE_OK);
  sqlite3_close(database);
  store = MustOpen(file, kPhoneKey);
  EXPECT_EQ(All(*store), all);
  EXPECT_THAT(FoundIn(ImageOf(file)), IsEmpty());
}

TEST_F(SealedFile, AnotherProcessReadsWhileItIsSealedWhatIsLeftGoesWhenItIsOpenedNext) {
  auto store = MustOpen(file, "");
  Fill(*store);
  store = nullptr;
  sqlite3* reader = nullptr;
  ASSERT_EQ(sqlite3_open(file.c_str(), &reader), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(reader, "BEGIN; SELECT * FROM record", nullptr, nullptr, nullptr),
            SQLITE_OK);
  store = MustOpen(file, kPhoneKey);
  EXPECT_THAT(FoundIn(ImageOf(file)), Not(IsEmpty()));
  store = nullptr;
  sqlite3_close(reader);
  store = MustOpen(file, kPhoneKey);
  EXPECT_THAT(FoundIn(ImageOf(file)), IsEmpty());
}

TEST_F(SealedFile, ThePowerFailsWithinAnyWriteWhileItIsSealedNothingIsLostAndTheNextTimeItIsDone) {
  sim::Disk disk(5);
  auto store = MustOpen("device.db", "", disk.vfs());
  Fill(*store);
  const std::vector<std::string> all = All(*store);
  store = nullptr;
  const sim::Image plain = disk.Copy();
  ASSERT_THAT(FoundIn(plain), IsSupersetOf(kSecrets));
  int writes = 0;
  for (bool died = true; died; ++writes) {
    disk.Replace(plain);
    disk.DieAtWrite(writes + 1);
    (void)Open("device.db", kPhoneKey, disk.vfs());
    died = disk.dead();
    disk.Restart(/*power_lost=*/true);
    // Whole as it was, or sealed: then it does not open without its key.
    store = MustOpen("device.db", kPhoneKey, disk.vfs());
    ASSERT_EQ(All(*store), all) << "write " << writes;
    store = nullptr;
    EXPECT_THAT(FoundIn(disk.Copy()), IsEmpty()) << "write " << writes;
  }
  EXPECT_GT(writes, 20);
}

TEST_F(SealedFile, AValueThatIsPutElsewhereDoesNotOpen) {
  auto store = MustOpen(file, kPhoneKey);
  Fill(*store);
  store = nullptr;
  // All rows get what one of them has.
  const auto swap = [&](const std::string& table, const std::string& column) {
    ExpectDamage(
        absl::StrCat("UPDATE ", table, " SET ", column, "=(SELECT ", column, " FROM ", table,
                     " WHERE length(", column, ")>0 LIMIT 1) WHERE ", column, " IS NOT NULL"),
        absl::StrCat(table, ".", column, "/"));
  };
  swap("record", "confirmed");
  swap("record", "view");
  swap("pending", "edit");
  swap("kept", "edit");
  swap("set_aside", "answer");
  swap("set_aside", "edit");
  swap("sketch", "sketch");
  swap("setting", "value");
  ExpectDamage("UPDATE record SET confirmed=view WHERE view IS NOT NULL", "record.confirmed/");
  ExpectDamage("UPDATE pending SET number=number+1 WHERE number=4", "pending.edit/5");
}

TEST_F(SealedFile, AChangedBitIsNoticedInEveryValue) {
  auto store = MustOpen(file, kPhoneKey);
  Fill(*store);
  store = nullptr;
  // SQL has no bits of a blob: the last byte, the first, and one that is missing.
  for (const std::string& place : std::vector<std::string>(
           {"record.confirmed", "record.view", "pending.edit", "kept.edit", "set_aside.answer",
            "set_aside.edit", "sketch.sketch", "setting.value"})) {
    const std::vector<std::string> parts = absl::StrSplit(place, '.');
    const std::string& column = parts[1];
    for (const std::string& changed : std::vector<std::string>(
             {absl::StrCat("CAST(substr(", column, ",1,length(", column, ")-1) || CASE hex(substr(",
                           column, ",-1)) WHEN '00' THEN x'01' ELSE x'00' END AS BLOB)"),
              absl::StrCat("CAST(CASE hex(substr(", column,
                           ",1,1)) WHEN '00' THEN x'01' ELSE x'00' END || substr(", column,
                           ",2) AS BLOB)"),
              absl::StrCat("substr(", column, ",2)"), std::string("x'00'")})) {
      ExpectDamage(absl::StrCat("UPDATE ", parts[0], " SET ", column, "=", changed, " WHERE ",
                                column, " IS NOT NULL AND length(", column, ")>0"),
                   absl::StrCat(place, "/"));
    }
  }
}

TEST_F(SealedFile, OneDamagedRecordHidesNoOtherAndIsNamed) {
  auto store = MustOpen(file, kPhoneKey);
  const Id first = Make(*store, "一");
  const Id second = Make(*store, "二");
  Make(*store, "三");
  store = nullptr;
  Tamper(file, absl::StrCat("UPDATE record SET view=x'00' WHERE id=x'", Hex(second.bytes()), "'"));
  store = MustOpen(file, kPhoneKey);
  std::vector<std::string> listed;
  const absl::Status status =
      store->List({.type = 31}, [&](const Id&, const google::protobuf::Message& message) {
        listed.push_back(static_cast<const Meeting&>(message).minutes());
        return true;
      });
  EXPECT_THAT(listed, UnorderedElementsAre("一", "三"));
  EXPECT_TRUE(absl::IsDataLoss(status));
  EXPECT_THAT(std::string(status.message()), HasSubstr(Hex(second.bytes())));
  EXPECT_TRUE(store->Edit<Meeting>(first).ok());
  EXPECT_TRUE(absl::IsDataLoss(store->Edit<Meeting>(second).status()));
}

}  // namespace
}  // namespace zhibu::test
