// What an operator does, on real folders and processes.
#include <gmock/gmock.h>
#include <iconv.h>
#include <signal.h>
#include <sqlite3.h>

#include <filesystem>

#include "absl/strings/str_cat.h"
#include "tests/e2e/township.h"

namespace zhibu::e2e {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

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
  for (const Json& handed : phone.List("HandedCode")) {
    by.push_back(phone.Record("HandedCode", handed.value("id", "")).value("by", ""));
  }
  EXPECT_THAT(by, ::testing::SizeIs(2));  // the phone's own code, and that one
  EXPECT_THAT(by, Contains("某操作员"));
  EXPECT_NE(township.Admin({"audit", "verify"}).value("digest", ""), before.value("digest", ""));
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
  EXPECT_EQ(reply.value("members", 0), 2);
  const Json bad = reply.value("badRows", Json::array());
  ASSERT_EQ(bad.size(), 2) << reply;
  EXPECT_EQ(bad[0].value("line", 0), 3);
  EXPECT_THAT(bad[0]["reason"].value("zh", ""), HasSubstr("姓名"));
  EXPECT_EQ(bad[1].value("line", 0), 4);
  EXPECT_THAT(bad[1]["reason"].value("zh", ""), HasSubstr("出生日期"));
  const Device device = township.Enrol(kSecretary);
  device.IdOf("丁新来");
  device.IdOf("己新来");
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
