// A server that gets another address, another certificate, or both.
#include <gmock/gmock.h>

#include "absl/strings/str_cat.h"
#include "server/store/sqlite/store.h"
#include "sync/base/status.h"
#include "sync/cli/key_file.h"
#include "tests/e2e/township.h"

namespace zhibu::e2e {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

class MovingServer : public ::testing::Test {
 protected:
  // A port that is free now.
  int FreePort() {
    Township elsewhere;
    const int port = elsewhere.port();
    elsewhere.Stop();
    return port;
  }
  static void WithStore(const Township& stopped,
                        absl::FunctionRef<absl::Status(server::Writer&)> body) {
    const std::string file = stopped.data() + "/zhibu.db";
    const auto key =
        KeyFor(stopped.data() + "/zhibu.key", file, [] { return absl::DataLossError(""); });
    ASSERT_TRUE(key.ok()) << key.status();
    const auto store = server::OpenSqliteStore(file, {.key = *key});
    ASSERT_TRUE(store.ok()) << store.status();
    EXPECT_EQ((*store)->Write(body), absl::OkStatus());
  }
  std::string Address(int port) { return absl::StrCat("127.0.0.1:", port); }

  Township township;
  const Device secretary = township.Enrol(kSecretary);
  const Device deputy = township.Enrol(kDeputy);
};

TEST_F(MovingServer, DevicesThatWereToldFindItAtItsNewAddressAndByItsNewCertificate) {
  const int port = FreePort();
  const Json announced = township.Admin({"announce", "--address", Address(port), "--certificate"});
  EXPECT_THAT(announced["reachedAt"]["at"], SizeIs(4)) << "each address with each certificate";
  EXPECT_EQ(announced.value("devices", 0), 2);
  EXPECT_EQ(announced.value("know", 0), 0);
  secretary.Do({"sync"});
  const Json told = township.Admin({"announce"});
  EXPECT_EQ(told.value("know", 0), 1);
  ASSERT_THAT(told["untold"], SizeIs(1)) << "and which does not know is named";
  EXPECT_EQ(told["untold"][0].value("name", ""), kDeputy);
  secretary.Put("Meeting", Meeting(secretary, "搬家前"));
  deputy.Put("Meeting", Meeting(deputy, "没有听说"));
  township.Stop();

  township.StartAt(port, {"--new-certificate"});
  EXPECT_EQ(township.Admin({"announce"}).value("announcedMs", "0"), "0");
  secretary.Do({"sync"});
  EXPECT_EQ(secretary.Unsent(), 0u);
  secretary.Do({"sync"});  // and finds it there again
  township.Stop();
  township.Start({"--new-certificate"});  // as it was started before
  secretary.Do({"sync"});
  EXPECT_EQ(township.Admin({"acts"})["acts"][0]["act"].value("kind", ""), "CERTIFICATE_CHANGED");

  EXPECT_EQ(deputy.Refused({"sync"}).value("reason", ""), "OFFLINE") << "it was not told";
  deputy.Do({"enrol", township.Code(kDeputy), "--name", kDeputy});
}

TEST_F(MovingServer, WhoWasNotToldEnrolsAgainAndGoesOnWithWhatItHas) {
  deputy.Put("Meeting", Meeting(deputy, "换证书前"));
  const std::string number = deputy.Do({"status"})["device"].dump();
  township.Admin({"announce", "--certificate"});
  township.Stop();
  township.Start({"--new-certificate"});
  const Json told = deputy.Refused({"sync"});
  EXPECT_EQ(told.value("reason", ""), "OTHER_SERVER");
  EXPECT_THAT(told.value("words", ""), HasSubstr("登记码"));
  deputy.Do({"enrol", township.Code(kDeputy), "--name", kDeputy});
  deputy.Do({"sync"});
  EXPECT_EQ(deputy.Unsent(), 0u);
  EXPECT_EQ(deputy.Do({"status"})["device"].dump(), number);
  EXPECT_EQ(township.Admin({"devices"})["devices"].size(), 2u) << "it is the device that it was";
}

TEST_F(MovingServer, ARevokedPhoneThatWasNotToldHandsOverWhatItHas) {
  deputy.Put("Meeting", Meeting(deputy, "换证书前"));
  const Json devices = township.Admin({"devices"});
  for (const Json& one : devices["devices"]) {
    if (one["number"] != deputy.Do({"status"})["device"]) continue;
    township.Admin({"revoke", "--device", one["number"].dump()});
  }
  township.Admin({"announce", "--certificate"});
  township.Stop();
  township.Start({"--new-certificate"});
  EXPECT_EQ(deputy.Refused({"sync"}).value("reason", ""), "OTHER_SERVER");
  deputy.Do({"enrol", township.Code(kDeputy), "--name", kDeputy});
  EXPECT_EQ(deputy.Refused({"sync"}).value("reason", ""), "DEVICE_REVOKED");
  EXPECT_EQ(deputy.Unsent(), 0u);
  const Json set_aside = deputy.Do({"set-aside"});
  ASSERT_THAT(set_aside, SizeIs(1));
  EXPECT_EQ(set_aside[0].value("verdict", ""), "HELD");
}

TEST_F(MovingServer, WhatWasRecordedForOneServerGoesToNoOther) {
  deputy.Put("Meeting", Meeting(deputy, "自己的"));
  const Township other;
  township.Admin({"announce", "--certificate"});
  township.Stop();
  township.Start({"--new-certificate"});
  EXPECT_EQ(deputy.Refused({"sync"}).value("reason", ""), "OTHER_SERVER");
  EXPECT_EQ(deputy.Refused({"enrol", other.Code(kDeputy), "--name", kDeputy}).value("reason", ""),
            "OTHER_SERVER");
  EXPECT_EQ(deputy.Unsent(), 1u);
}

// Somebody gets a member to scan their code, and says that they are the server.
TEST_F(MovingServer, WhoOnlyCallsThemselvesTheServerGetsNothing) {
  deputy.Put("Meeting", Meeting(deputy, "自己的"));
  Township other;
  other.Stop();
  township.Stop();
  std::string id;
  WithStore(township, [&](server::Writer& writer) -> absl::Status {
    ASSIGN_OR_RETURN(id, writer.GetSetting("server_id"));
    return absl::OkStatus();
  });
  WithStore(other, [&](server::Writer& writer) { return writer.PutSetting("server_id", id); });
  other.Start();
  EXPECT_EQ(deputy.Refused({"sync"}).value("reason", ""), "OFFLINE");
  EXPECT_EQ(deputy.Refused({"enrol", other.Code(kDeputy), "--name", kDeputy}).value("reason", ""),
            "OTHER_SERVER");
  EXPECT_EQ(deputy.Unsent(), 1u);
}

TEST_F(MovingServer, ACertificateThatWasNotAnnouncedIsNotTaken) {
  township.Stop();
  const Finished refused = RunToEnd({"--json", "serve", "--data", township.data(), "--listen",
                                     Address(township.port()), "--new-certificate"});
  EXPECT_EQ(refused.status, 1);
  EXPECT_THAT(refused.out, HasSubstr("announce --certificate"));
  township.Start();
  secretary.Do({"sync"});
}

TEST_F(MovingServer, WhatWasWithdrawnIsForgotten) {
  township.Admin({"announce", "--address", "127.0.0.1:1"});
  secretary.Do({"sync"});
  township.Admin({"announce", "--withdraw"});
  township.Admin({"announce", "--withdraw"});
  std::vector<std::string> kinds;
  const Json acts = township.Admin({"acts", "--limit", "2"});
  for (const Json& one : acts["acts"]) {
    kinds.push_back(one["act"].value("kind", ""));
  }
  EXPECT_THAT(kinds, ElementsAre("MOVE_WITHDRAWN", "MOVE_ANNOUNCED"))
      << "each is told as what it was, and the second withdrawal was none";
  secretary.Do({"sync"});
  township.Stop();
  EXPECT_EQ(secretary.Refused({"sync"}).value("reason", ""), "OFFLINE");
  township.Start();
  secretary.Do({"sync"});
}

}  // namespace
}  // namespace zhibu::e2e
