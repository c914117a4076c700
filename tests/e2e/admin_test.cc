// What an operator does, on real folders and processes.
#include <gmock/gmock.h>
#include <iconv.h>
#include <signal.h>
#include <sqlite3.h>

#include <filesystem>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "sync/base/date.h"
#include "tests/e2e/township.h"

namespace zhibu::e2e {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr char kTownship[] = "中共云溪镇委员会";

std::string ToGb18030(const std::string& text) {
  const iconv_t converter = iconv_open("GB18030", "UTF-8");
  std::string bytes(text.size() * 2, '\0');
  char* in = const_cast<char*>(text.data());
  size_t in_left = text.size();
  char* out = bytes.data();
  size_t out_left = bytes.size();
  EXPECT_EQ(iconv(converter, &in, &in_left, &out, &out_left), 0);
  iconv_close(converter);
  bytes.resize(bytes.size() - out_left);
  return bytes;
}

TEST(AdminTest, WorksOnTheSameDataWhetherTheServerRunsOrNot) {
  Township township;
  EXPECT_THAT(township.Admin({"devices"}).value("devices", Json::array()), IsEmpty());
  township.Enrol(kSecretary);
  const Json running = township.Admin({"devices"});
  EXPECT_EQ(running["devices"].size(), 1);
  EXPECT_EQ(running["devices"][0].value("personName", ""), kSecretary);
  const Json audit = township.Admin({"audit", "verify"});
  EXPECT_EQ(township.Stop().status, 0);
  EXPECT_EQ(township.Admin({"devices"})["devices"].size(), 1);
  EXPECT_EQ(township.Admin({"audit", "verify"}), audit);
  EXPECT_EQ(township.Admin({"conflicts"}).value("conflicts", Json::array()).size(), 0);
}

TEST(AdminTest, TheOperatorSaysWhatAnOrganisationHangsOn) {
  Township township;
  const Device secretary = township.Enrol(kSecretary);
  const auto parent = [&] {
    secretary.Do({"sync"});
    return secretary.Record("Organisation", secretary.BranchId()).value("parentId", "");
  };
  const std::string before = parent();
  EXPECT_NE(before, "");
  township.Admin({"affiliate", kBranch, "--no-parent"});
  EXPECT_EQ(parent(), "");
  township.Admin({"affiliate", kBranch, "--parent", "中共云溪镇委员会", "--host-parent",
                  "中共滨海市临港街道工作委员会"});
  EXPECT_EQ(parent(), before);
  EXPECT_NE(secretary.Record("Organisation", secretary.BranchId()).value("hostParentId", ""), "");
  // Not in a circle.
  EXPECT_EQ(Fail(township.AdminCommand({"affiliate", "中共云溪镇委员会", "--parent", kBranch}))
                .value("code", ""),
            "FAILED_PRECONDITION");
  EXPECT_EQ(Fail(township.AdminCommand({"affiliate", kBranch, "--parent", "无"})).value("code", ""),
            "NOT_FOUND");
  township.Admin({"audit", "verify"});
}

// Whoever has a code can become that person.
TEST(AdminTest, ACodeIsHandedOutBeforeTheEyesOfWhomeverItIsFor) {
  Township township;
  const Device phone = township.Enrol(kSecretary);
  const Json before = township.Admin({"audit", "verify"});
  township.Admin({"enrol", kSecretary, "--as", "某操作员"});
  township.Admin({"enrol", kDeputy});
  phone.Do({"sync"});
  std::vector<std::string> by;
  for (const Json& act : phone.List("OperatorAct")) {
    const Json record = phone.Record("OperatorAct", act.value("id", ""));
    if (!record.contains("kind")) by.push_back(record.value("by", ""));  // a code: the first kind
  }
  EXPECT_THAT(by, ::testing::SizeIs(2));  // the phone's own code, and that one
  EXPECT_THAT(by, Contains("某操作员"));
  EXPECT_NE(township.Admin({"audit", "verify"}).value("digest", ""), before.value("digest", ""));
}

TEST(AdminTest, WhoeverOperatesTheServerIsNamedAndSeesWhatItRefuses) {
  Township township;
  const Device phone = township.Enrol(kSecretary);
  township.Admin({"--operator", "某操作员", "grant", kDeputy, kTownship});
  const Json acts = township.Admin({"acts", "--limit", "1"})["acts"];
  ASSERT_EQ(acts.size(), 1u);
  EXPECT_EQ(acts[0]["act"].value("by", ""), "某操作员");
  EXPECT_EQ(acts[0]["act"].value("kind", ""), "GRANTED");
  EXPECT_EQ(acts[0]["member"].value("name", ""), kDeputy);

  phone.Put("Meeting", Meeting(phone, "七月"));
  phone.Do({"sync"});
  const Json counts = township.Admin({"counts"})["counts"];
  EXPECT_GE(counts.value("edits", 0), 1);
  EXPECT_GE(counts.value("sessions.opened", 0), 1);

  const Json checked = township.Admin({"check"});
  EXPECT_FALSE(checked.contains("found"));
  EXPECT_NE(checked.value("records", "0"), "0");
}

// What somebody calls themself is for people; the operator's words mean who is registered.
TEST(AdminTest, NoPhoneDecidesWhomTheOperatorMeans) {
  Township township;
  const Device secretary = township.Enrol(kSecretary);
  const Device deputy = township.Enrol(kDeputy);
  const std::string his = deputy.IdOf(kSecretary);
  const std::string hers = deputy.IdOf(kDeputy);
  const auto call = [&](const std::string& id, const std::string& name) {
    deputy.Do({"edit", "Member", id, Json({{"name", name}}).dump()});
  };
  call(his, absl::StrCat(kSecretary, "二"));
  call(hers, kSecretary);
  deputy.Do({"sync"});
  secretary.Do({"edit", "Organisation", secretary.BranchId(), Json({{"name", kTownship}}).dump()});
  secretary.Do({"sync"});
  ASSERT_EQ(secretary.IdOf(kSecretary), hers);

  const Json him = {{"id", his}, {"name", kSecretary}, {"branch", kBranch}};
  const Json granted = township.Admin({"grant", kSecretary, kTownship});
  EXPECT_EQ(granted["person"], him);
  EXPECT_EQ(granted["organisation"].value("name", ""), kTownship);
  const Json revoked = township.Admin({"revoke", kSecretary, kTownship});
  EXPECT_EQ(revoked["person"], him);
  EXPECT_EQ(revoked["organisation"], granted["organisation"]);
  EXPECT_EQ(township.Admin({"enrol", kSecretary})["person"], him);
  EXPECT_EQ(township.Admin({"merge-persons", kSecretary, kMigrant})["keep"], him);
  EXPECT_EQ(township.Admin({"merge-persons", kSecretary, kMigrant, "--undo"})["keep"], him);
  const Json affiliated = township.Admin({"affiliate", kBranch, "--parent", kTownship});
  EXPECT_EQ(affiliated["parent"], granted["organisation"]);
  EXPECT_EQ(affiliated["organisation"].value("name", ""), kBranch);
  std::set<std::string> owners;
  const Json devices = township.Admin({"devices"});
  for (const Json& device : devices["devices"]) {
    owners.insert(device.value("personName", ""));
  }
  EXPECT_EQ(owners, (std::set<std::string>{kSecretary, kDeputy}));

  // A name of their own leads to nobody, and the refusal says who that is.
  call(hers, "自称");
  deputy.Do({"sync"});
  const Json refused = Fail(township.AdminCommand({"grant", "自称", kTownship}));
  EXPECT_EQ(refused.value("code", ""), "NOT_FOUND");
  EXPECT_THAT(refused.value("words", ""), HasSubstr(hers));
  EXPECT_THAT(refused.value("words", ""), HasSubstr(kDeputy));
}

TEST(AdminTest, WhoTakesTheNameOfADeletedEntryIsNotTakenForIt) {
  Township township;
  const Device secretary = township.Enrol(kSecretary);
  const std::string deleted = secretary.IdOf(kMigrant);
  secretary.Do({"delete", "Member", deleted});
  const std::string made =
      secretary.Put("Member", {{"branchId", secretary.BranchId()}, {"name", kMigrant}});
  secretary.Do({"sync"});
  const Json refused = Fail(township.AdminCommand({"grant", kMigrant, kTownship}));
  EXPECT_EQ(refused.value("code", ""), "FAILED_PRECONDITION");
  for (const std::string& id : {deleted, made}) {
    EXPECT_THAT(refused.value("words", ""), HasSubstr(id));
  }
  EXPECT_EQ(township.Admin({"enrol", made})["person"].value("id", ""), made);
}

TEST(AdminTest, AnEntryIsDeletedOnceItsOfficesAreEndedAndIsGivenNoneThen) {
  Township township;
  const Device secretary = township.Enrol(kSecretary);
  const std::string id = secretary.IdOf(kMigrant);
  for (const char* office : {"committee", "group_leader"}) {
    township.Admin({"grant", kMigrant, kBranch, "--office", office});
  }
  const auto delete_it = [&] {
    secretary.Do({"delete", "Member", id});
    secretary.Do({"sync"});
    return secretary.Do({"set-aside"}).size();
  };
  EXPECT_EQ(delete_it(), 1u);
  township.Admin({"revoke", kMigrant, kBranch, "--office", "committee"});
  township.Admin({"revoke", id, kBranch, "--office", "group_leader"});
  secretary.Do({"sync"});
  EXPECT_EQ(delete_it(), 1u);  // the first alone
  const Json again = Fail(township.AdminCommand({"revoke", id, kBranch, "--office", "committee"}));
  EXPECT_THAT(again.value("words", ""), HasSubstr("未作改动"));
  EXPECT_THAT(again.value("words", ""), HasSubstr(id));
  for (const std::string& who : {std::string(kMigrant), id}) {
    for (const Words& words : {Words{"grant", who, kBranch}, Words{"enrol", who}}) {
      const Json refused = Fail(township.AdminCommand(words));
      EXPECT_EQ(refused.value("code", ""), "FAILED_PRECONDITION");
      EXPECT_THAT(refused.value("words", ""), HasSubstr("已删除"));
    }
  }
}

TEST(AdminTest, AGrantLastsToTheEndOfItsLastDayInChina) {
  Township township;
  const Device secretary = township.Enrol(kSecretary);
  const Words grant = {"grant", kMigrant, kBranch, "--office", "committee", "--until"};
  const auto with = [&](const std::string& day) {
    Words words = grant;
    words.push_back(day);
    return words;
  };
  township.Admin(with("2099-01-31"));
  secretary.Do({"sync"});
  const Json grants = secretary.Do({"list", "Grant", "--where", "office=COMMITTEE"});
  ASSERT_EQ(grants.size(), 1);
  EXPECT_EQ(grants[0]["record"].value("until", ""), "2099-01-31T16:00:00Z");
  township.Admin(with(DateAt(absl::ToUnixMillis(absl::Now()))));  // for what is left of today
  EXPECT_EQ(Fail(township.AdminCommand(with("2020-01-31"))).value("code", ""), "INVALID_ARGUMENT");
  for (const char* day : {"2026-02-30", "2026-2-3", "2026-13-01"}) {
    const Finished finished = RunToEnd(township.AdminCommand(with(day)));
    EXPECT_EQ(finished.status, 1) << day;
    EXPECT_THAT(finished.out, HasSubstr(absl::StrCat(day, ": 没有这一天")));
  }
}

TEST(AdminTest, NothingIsSaidToBeDoneWhereNothingHappens) {
  Township township;
  const Device deputy = township.Enrol(kDeputy);
  const Words revoke = {"revoke", kSecretary, kBranch};
  township.Admin(revoke);
  const Device lost = township.Enrol(kMigrant);
  const Json devices = township.Admin({"devices"});
  ASSERT_EQ(devices["devices"].size(), 2);
  const std::string number = devices["devices"][1]["number"].dump();
  EXPECT_EQ(township.Admin({"revoke", "--device", number})["person"].value("name", ""), kMigrant);
  township.Admin({"affiliate", kBranch, "--parent", kTownship});
  const Json audit = township.Admin({"audit", "verify"});
  const auto refused = [&](const Words& words) {
    return Fail(township.AdminCommand(words)).value("code", "");
  };
  const Json ended = Fail(township.AdminCommand(revoke));
  EXPECT_EQ(ended.value("code", ""), "FAILED_PRECONDITION");
  EXPECT_THAT(ended.value("words", ""), HasSubstr("结束"));
  EXPECT_EQ(refused({"revoke", "--device", number}), "FAILED_PRECONDITION");
  EXPECT_EQ(refused({"affiliate", kBranch}), "INVALID_ARGUMENT");
  EXPECT_EQ(refused({"merge-persons", kDeputy, kDeputy}), "INVALID_ARGUMENT");
  EXPECT_EQ(refused({"merge-persons", kDeputy, kMigrant, "--undo"}), "FAILED_PRECONDITION");
  EXPECT_FALSE(
      township.Admin({"affiliate", kBranch, "--parent", kTownship}).value("changed", false));
  EXPECT_FALSE(
      township.Admin({"grant", kDeputy, kBranch, "--office", "deputy"}).value("changed", false));
  EXPECT_EQ(township.Admin({"audit", "verify"}), audit);
}

TEST(AdminTest, AFolderThatIsNotThereIsNotMadeByALookAtIt) {
  const TempFolder folder;
  const std::string typo = folder / "typo";
  const std::string empty = folder / "empty";
  std::filesystem::create_directory(empty);
  for (const std::string& data : {typo, empty}) {
    for (const Words& words :
         {Words{"devices"}, Words{"import", ZHIBU_TEST_DATA "/township.csv"},
          Words{"enrol", kSecretary}, Words{"audit", "verify"}, Words{"backup", folder / "b"}}) {
      Words command = {"--json", "admin", "--data", data};
      command.insert(command.end(), words.begin(), words.end());
      const Json refused = Fail(command);
      EXPECT_EQ(refused.value("code", ""), "NOT_FOUND");
      EXPECT_THAT(refused.value("words", ""), HasSubstr(data));
    }
  }
  EXPECT_FALSE(std::filesystem::exists(typo));
  EXPECT_TRUE(std::filesystem::is_empty(empty));
  Succeed({"--json", "admin", "--data", typo, "init"});
  Succeed({"--json", "admin", "--data", typo, "devices"});
}

TEST(AdminTest, WhoHandsOutACodeIsALineOfTextAndTheCodeIsGoodForAWeekAtMost) {
  Township township;
  for (const std::string& name :
       {std::string("x\x1b[2J"), std::string("甲\n乙"), std::string("甲\u202e"), std::string(" "),
        std::string(201, 'x')}) {
    EXPECT_EQ(Fail(township.AdminCommand({"enrol", kSecretary, "--as", name})).value("code", ""),
              "INVALID_ARGUMENT");
  }
  for (const char* minutes : {"0", "-1", "10081", "99999999999"}) {
    EXPECT_EQ(RunToEnd(township.AdminCommand({"enrol", kSecretary, "--minutes", minutes})).status,
              2)
        << minutes;
  }
  township.Admin({"enrol", kSecretary, "--as", std::string(200, 'x'), "--minutes", "10080"});
}

TEST(AdminTest, CallsAtTheSameTimeWithoutAServerWaitForEachOther) {
  Township township;
  township.Stop();
  std::vector<std::unique_ptr<Process>> calls;
  for (int i = 0; i < 6; ++i) {
    calls.push_back(Process::Start(township.AdminCommand({"enrol", kMigrant})));
  }
  std::set<std::string> codes;
  for (const auto& call : calls) {
    const Finished finished = call->Wait();
    EXPECT_EQ(finished.status, 0) << finished.out << finished.err;
    codes.insert(finished.json().value("code", ""));
  }
  EXPECT_EQ(codes.size(), 6);
}

TEST(AdminTest, RefusalsAreInWords) {
  Township township;
  const auto refused = [&](const Words& words) {
    return Fail(township.AdminCommand(words)).value("code", "");
  };
  EXPECT_EQ(refused({"init"}), "ALREADY_EXISTS");
  EXPECT_EQ(refused({"import", "/there/is/no/file"}), "NOT_FOUND");
  EXPECT_EQ(refused({"enrol", "无名氏"}), "NOT_FOUND");
  EXPECT_EQ(refused({"grant", kSecretary, "无此支部"}), "NOT_FOUND");
  EXPECT_EQ(refused({"grant", kSecretary, kBranch, "--office", "king"}), "INVALID_ARGUMENT");
  EXPECT_EQ(refused({"grant", kSecretary, kBranch, "--until", "soon"}), "INVALID_ARGUMENT");
  EXPECT_EQ(refused({"revoke", kMigrant, kBranch}), "NOT_FOUND");
  EXPECT_EQ(refused({"revoke", "--device", "77"}), "NOT_FOUND");
}

TEST(AdminTest, AGrantGivenAgainWhileItRunsKeepsItsBeginningAndAfterItsEndHasANewOne) {
  Township township;  // in which the secretary has a grant
  const Device secretary = township.Enrol(kSecretary);
  const auto begins = [&] {
    secretary.Do({"sync"});
    const Json grants = secretary.Do({"list", "Grant", "--where", "office=SECRETARY"});
    return grants.size() == 1 ? grants[0]["record"].value("from", "") : grants.dump();
  };
  const std::string first = begins();
  township.Admin({"grant", kSecretary, kBranch, "--until", "2099-01-01"});
  EXPECT_EQ(begins(), first);
  township.Admin({"revoke", kSecretary, kBranch});
  township.Admin({"grant", kSecretary, kBranch});
  EXPECT_NE(begins(), first);
}

TEST(AdminTest, ImportingTwiceMakesNothingTwice) {
  Township township;  // has imported it once
  const Device device = township.Enrol(kSecretary);
  const Json members = device.List("Member");
  const Json again = township.Admin({"import", ZHIBU_TEST_DATA "/township.csv"});
  EXPECT_EQ(again.value("members", 0), 0);
  EXPECT_EQ(again.value("organisations", 0), 0);
  EXPECT_EQ(again.value("changed", 0), 0);
  EXPECT_EQ(again.value("unchanged", 0), 120);
  device.Do({"sync"});
  EXPECT_EQ(device.List("Member"), members);
}

TEST(AdminTest, ACheckedRosterWritesNothing) {
  Township township;
  const TempFolder folder;
  WriteFile(folder / "roster.csv", "姓名\n庚新来\n");
  const Words words = {"import", folder / "roster.csv", "--branch", kBranch};
  Words check = words;
  check.push_back("--check");
  const Json acts = township.Admin({"acts"});
  for (int i = 0; i < 2; ++i) EXPECT_EQ(township.Admin(check).value("members", 0), 1);
  EXPECT_EQ(township.Admin({"acts"}), acts);
  EXPECT_EQ(township.Admin(words).value("members", 0), 1);
  EXPECT_EQ(township.Admin(check).value("unchanged", 0), 1);
  EXPECT_EQ(Fail(township.AdminCommand({"import", folder / "roster.csv", "--branch", "无此支部"}))
                .value("code", ""),
            "NOT_FOUND");
}

TEST(AdminTest, ARosterInGb18030WithBadRowsIsImportedButForThem) {
  Township township;
  const TempFolder folder;
  WriteFile(folder / "roster.csv",
            ToGb18030(absl::StrCat("姓名,性别,出生日期,所在支部\r\n",  //
                                   "丁新来,男,1990-01-02,", kBranch, "\r\n", ",女,1991-02-03,",
                                   kBranch, "\r\n",                           // line 3: no name
                                   "戊新来,女,1992-02-30,", kBranch, "\r\n",  // line 4: no such day
                                   "己新来,女,1993-04-05,", kBranch, "\r\n")));
  const Json reply = township.Admin({"import", folder / "roster.csv"});
  EXPECT_EQ(reply.value("members", 0), 3);
  const Json bad = reply.value("badRows", Json::array());
  ASSERT_EQ(bad.size(), 1) << reply;
  EXPECT_EQ(bad[0].value("line", 0), 3);
  EXPECT_THAT(bad[0]["reason"].value("zh", ""), HasSubstr("姓名"));
  const Json cells = reply.value("cells", Json::array());
  ASSERT_EQ(cells.size(), 1) << reply;
  EXPECT_EQ(cells[0].value("line", 0), 4);
  EXPECT_EQ(cells[0].value("letter", ""), "C");
  EXPECT_THAT(cells[0]["reason"].value("zh", ""), HasSubstr("日历上没有"));
  const Device device = township.Enrol(kSecretary);
  device.IdOf("丁新来");
  device.IdOf("己新来");
}

TEST(AdminTest, ARosterComesBackWithWhatIsDoubtfulMarkedAndNeverOverAFile) {
  Township township;
  const TempFolder folder;
  WriteFile(folder / "roster.csv",
            absl::StrCat("姓名,出生日期,所在支部\n丁新来,1992-02-30,", kBranch, "\n"));
  const Words words = {"import", folder / "roster.csv", "--marked", folder / "核对.xlsx"};
  EXPECT_EQ(township.Admin(words).value("members", 0), 1);
  // Read as the roster that it is, it says the same again.
  const Json again = township.Admin({"import", folder / "核对.xlsx", "--check"});
  EXPECT_EQ(again.value("unchanged", 0), 1) << again;
  ASSERT_EQ(again.value("cells", Json::array()).size(), 1) << again;
  WriteFile(folder / "more.csv", absl::StrCat("姓名,所在支部\n戊新来,", kBranch, "\n"));
  Fail(township.AdminCommand({"import", folder / "more.csv", "--marked", folder / "核对.xlsx"}));
  EXPECT_EQ(township.Admin({"import", folder / "more.csv", "--check"}).value("members", 0), 1)
      << "nothing was imported";
}

TEST(AdminTest, AServerOnARestoredBackupServesTheDevices) {
  Township township;
  const Device secretary = township.Enrol(kSecretary);
  const std::string meeting = secretary.Put("Meeting", Meeting(secretary, "七月"));
  secretary.Do({"sync"});
  const TempFolder folder;
  township.Admin({"backup", folder / "copy.db"});  // while it runs
  const Json twice = Fail(township.AdminCommand({"backup", folder / "copy.db"}));
  EXPECT_FALSE(twice.value("words", "").empty());

  township.Kill();
  for (const char* name : {"/zhibu.db", "/zhibu.db-wal", "/zhibu.db-shm"}) {
    std::filesystem::remove(township.data() + name);
  }
  std::filesystem::copy(folder / "copy.db", township.data() + "/zhibu.db");
  township.Start();
  secretary.Do({"edit", "Meeting", meeting, R"({"place": "礼堂"})"});
  secretary.Do({"sync"});
  EXPECT_EQ(secretary.Unsent(), 0);
  const Device deputy = township.Enrol(kDeputy);
  EXPECT_EQ(deputy.Record("Meeting", meeting).value("place", ""), "礼堂");
  township.Admin({"audit", "verify"});
}

TEST(ServeTest, SigtermEndsItCleanly) {
  Township township;
  const Finished finished = township.Stop();
  EXPECT_EQ(finished.status, 0);
  EXPECT_THAT(finished.err, IsEmpty());
}

TEST(ServeTest, SigtermEndsItCleanlyWhileDevicesAreConnected) {
  Township township;
  const Device secretary = township.Enrol(kSecretary);
  const auto watch = Process::Start(secretary.Command({"sync", "--watch"}));
  ASSERT_TRUE(watch->ReadLine().has_value());
  const auto began = std::chrono::steady_clock::now();
  EXPECT_EQ(township.Stop().status, 0);
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(10));
  watch->Signal(SIGTERM);
  EXPECT_EQ(watch->Wait().status, 0);
}

TEST(ServeTest, ASecondServerOnTheSameFolderIsRefused) {
  Township township;
  const Json error =
      Fail({"--json", "serve", "--data", township.data(), "--listen", "127.0.0.1:0"});
  EXPECT_EQ(error.value("code", ""), "UNAVAILABLE");
  EXPECT_THAT(error.value("words", ""), HasSubstr("in use"));
  township.Enrol(kSecretary);  // the first one goes on
}

TEST(ServeTest, APortThatIsTakenIsRefused) {
  Township township;
  const TempFolder folder;
  const Json error = Fail({"--json", "serve", "--data", folder / "other", "--listen",
                           absl::StrCat("127.0.0.1:", township.port())});
  EXPECT_EQ(error.value("code", ""), "UNAVAILABLE");
  EXPECT_THAT(error.value("words", ""), HasSubstr("cannot listen"));
}

TEST(ServeTest, AnAddressThatCannotBeIsRefusedBeforeAnythingIsMade) {
  const TempFolder folder;
  const auto refused = [&](const std::string& listen, const std::string& address) {
    Words command = {"--json", "serve", "--data", folder / "data", "--listen", listen};
    if (!address.empty()) command.insert(command.end(), {"--address", address});
    EXPECT_EQ(Fail(command).value("code", ""), "INVALID_ARGUMENT") << listen << " " << address;
  };
  for (const char* listen : {"127.0.0.1:99999", "127.0.0.1:65536", "127.0.0.1:-1",
                             "127.0.0.1:", "127.0.0.1:http", "127.0.0.1", "[::1:0", "foo bar:0"}) {
    refused(listen, "");
  }
  for (const char* address : {"foo bar", "foo bar:7443", "zhibu.example", "zhibu.example:0",
                              "zhibu.example:99999", "a/b:7443", "0.0.0.0:7443", ":7443"}) {
    refused("127.0.0.1:0", address);
  }
  EXPECT_FALSE(std::filesystem::exists(folder / "data"));
}

TEST(ServeTest, WhereCodesWouldCarryNoAddressTheOperatorIsWarned) {
  const TempFolder folder;
  for (const bool addressed : {false, true}) {
    Words command = {"--json", "serve", "--data", folder / "data", "--listen", "0.0.0.0:0"};
    if (addressed) command.insert(command.end(), {"--address", "zhibu.example:7443"});
    const auto server = Process::Start(command);
    ASSERT_TRUE(server->ReadLine().has_value());
    server->Signal(SIGTERM);
    const Finished finished = server->Wait();
    EXPECT_EQ(finished.status, 0);
    EXPECT_THAT(finished.err, ::testing::ContainsRegex(addressed ? "^$" : "--address"));
  }
}

class EnrolTest : public ::testing::Test {
 protected:
  std::string Reason(const Device& device, const std::string& code) {
    return device.Refused({"enrol", code}).value("reason", "");
  }
  Device NewDevice(const std::string& name) { return Device(folder_ / name); }

  TempFolder folder_;
  Township township_;
};

TEST_F(EnrolTest, ACodeIsGoodOnce) {
  const std::string code = township_.Code(kSecretary);
  NewDevice("first").Do({"enrol", code});
  EXPECT_EQ(Reason(NewDevice("second"), code), "BAD_CODE");
  EXPECT_EQ(township_.Admin({"devices"})["devices"].size(), 1);
}

TEST_F(EnrolTest, ADeviceEnrolsOnce) {
  const Device device = NewDevice("device");
  device.Do({"enrol", township_.Code(kSecretary)});
  const std::string second = township_.Code(kSecretary);
  EXPECT_EQ(device.Refused({"enrol", second}).value("code", ""), "ALREADY_EXISTS");
  NewDevice("other").Do({"enrol", second});  // which was not used up
}

TEST_F(EnrolTest, AnExpiredCodeIsRefused) {
  const std::string code = township_.Code(kSecretary);
  township_.Stop();
  sqlite3* store = nullptr;
  ASSERT_EQ(sqlite3_open((township_.data() + "/zhibu.db").c_str(), &store), SQLITE_OK);
  // A day passes.
  EXPECT_EQ(sqlite3_exec(store, "UPDATE code SET expires_ms = expires_ms - 86400001", nullptr,
                         nullptr, nullptr),
            SQLITE_OK);
  sqlite3_close(store);
  township_.Start();
  EXPECT_EQ(Reason(NewDevice("device"), code), "BAD_CODE");
}

TEST_F(EnrolTest, GarbageIsRefused) {
  const std::string code = township_.Code(kSecretary);
  const std::string fingerprint = code.substr(code.find('/', 7) + 1, 64);
  for (const std::string& garbage :
       {std::string("?"), std::string("zhibu1"), std::string("zhibu1///"), code.substr(0, 40),
        "zhibu2" + code.substr(6), code + "/x", code.substr(0, code.size() - 1), code + "0",
        absl::StrCat("zhibu1/127.0.0.1:", township_.port(), "/", fingerprint,
                     "/00112233445566778899")}) {
    EXPECT_EQ(Reason(NewDevice("device"), garbage), "BAD_CODE") << garbage;
  }
  NewDevice("device").Do({"enrol", code});
}

TEST_F(EnrolTest, ACodeOfAnotherServerIsRefused) {
  Township other;
  EXPECT_EQ(Reason(NewDevice("device"), WithPort(other.Code(kSecretary), township_.port())),
            "OTHER_SERVER");
}

TEST_F(EnrolTest, WithoutAServerTheCodeStaysGood) {
  const std::string code = township_.Code(kSecretary);
  township_.Stop();
  EXPECT_EQ(NewDevice("device").Refused({"enrol", code}).value("code", ""), "UNAVAILABLE");
  township_.Start();
  NewDevice("device").Do({"enrol", code});
}

TEST_F(EnrolTest, ARevokedDeviceIsToldAndItsUnsentWorkWaitsForReview) {
  const Device device = township_.Enrol(kSecretary);
  device.Put("Meeting", Meeting(device, "七月"));
  const Json devices = township_.Admin({"devices"});
  township_.Admin({"revoke", "--device", devices["devices"][0]["number"].dump()});
  EXPECT_EQ(device.Refused({"sync"}).value("reason", ""), "DEVICE_REVOKED");
  EXPECT_EQ(device.Unsent(), 0);
  const Json set_aside = device.Do({"set-aside"});
  ASSERT_EQ(set_aside.size(), 1u);
  EXPECT_EQ(set_aside[0].value("verdict", ""), "HELD");
}

TEST_F(EnrolTest, AServerWithAnotherCertificateOnTheSamePortIsRefused) {
  const Device device = township_.Enrol(kSecretary);
  device.Put("Meeting", Meeting(device, "七月"));
  township_.Stop();
  const auto impostor = Process::Start({"--json", "serve", "--data", folder_ / "impostor",
                                        "--listen", absl::StrCat("127.0.0.1:", township_.port())});
  ASSERT_TRUE(impostor->ReadLine().has_value());
  EXPECT_EQ(device.Refused({"sync"}).value("reason", ""), "OTHER_SERVER");
  EXPECT_EQ(device.Unsent(), 1);
  impostor->Signal(SIGTERM);
  impostor->Wait();
  township_.Start();
  device.Do({"sync"});
  EXPECT_EQ(device.Unsent(), 0);
}

}  // namespace
}  // namespace zhibu::e2e
