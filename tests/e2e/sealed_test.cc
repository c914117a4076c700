// What lies on the disks of a device and of a server tells nobody anything who has
// not got the key; nor does what the programs say when something is wrong.
#include <gmock/gmock.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "client-core/store/store.h"
#include "sync/wire/shown.h"
#include "tests/e2e/township.h"

namespace zhibu::e2e {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

const std::string kName = "欧阳慎之";
const std::string kIdentityNumber = "11010519491231002X";
const std::string kPhone = "13800138000";
const std::string kMinutes = "讨论了困难补助的发放";
const std::vector<std::string> kSecrets = {kName, kIdentityNumber, kPhone, kMinutes};

std::vector<std::string> FoundIn(absl::string_view text) {
  std::vector<std::string> found;
  for (const std::string& secret : kSecrets) {
    if (absl::StrContains(text, secret)) found.push_back(secret);
  }
  return found;
}

// "device.db-wal: 13800138000"
std::vector<std::string> FoundInFiles(const std::string& folder) {
  std::vector<std::string> found;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (!entry.is_regular_file()) continue;
    for (const std::string& secret : FoundIn(ReadFile(entry.path()))) {
      found.push_back(absl::StrCat(entry.path().filename().string(), ": ", secret));
    }
  }
  return found;
}

mode_t ModeOf(const std::string& file) {
  struct stat about = {};
  EXPECT_EQ(stat(file.c_str(), &about), 0) << file;
  return about.st_mode & 0777;
}

class SealedDevice : public ::testing::Test {
 protected:
  Json Private() const {
    return {{"memberId", MadeUpId(2)},
            {"branchId", MadeUpId(1)},
            {"identityNumber", kIdentityNumber},
            {"phone", kPhone}};
  }

  const TempFolder folder_;
  const Device device_{folder_ / "device"};
  const std::string key_file_ = folder_ / "device/device.key";
};

TEST_F(SealedDevice, TheKeyIsMadeOnceAndForItsOwnerOnly) {
  device_.Do({"init"});
  device_.Put("PrivateDetail", Private());
  const std::string key = ReadFile(key_file_);
  EXPECT_EQ(ModeOf(key_file_), 0600u);
  EXPECT_EQ(key.size(), 65u);
  EXPECT_EQ(device_.List("PrivateDetail").size(), 1);
  EXPECT_EQ(ReadFile(key_file_), key);
  EXPECT_THAT(FoundInFiles(device_.home()), IsEmpty());
}

TEST_F(SealedDevice, WithoutItsKeyOrWithAnotherItIsRefusedInWordsAndAllIsThereWhenTheKeyIsBack) {
  device_.Do({"init"});
  const std::string id = device_.Put("PrivateDetail", Private());
  const std::string key = ReadFile(key_file_);
  const std::string before = ReadFile(device_.home() + "/device.db");
  for (const std::string& wrong :
       {std::string(), std::string(64, 'a') + "\n", std::string("not a key"), key.substr(2)}) {
    std::filesystem::remove(key_file_);
    if (!wrong.empty()) WriteFile(key_file_, wrong);
    const Json error = device_.Refused({"get", "PrivateDetail", id});
    EXPECT_EQ(error.value("code", ""), "FAILED_PRECONDITION") << error;
    EXPECT_EQ(error.value("reason", ""), "WRONG_KEY") << error;
    EXPECT_THAT(error.value("words", ""), HasSubstr("密钥"));
    EXPECT_EQ(std::filesystem::exists(key_file_), !wrong.empty());
  }
  EXPECT_EQ(ReadFile(device_.home() + "/device.db"), before);
  WriteFile(key_file_, key);
  EXPECT_EQ(device_.Record("PrivateDetail", id), Private());
  EXPECT_EQ(device_.Unsent(), 1);
}

TEST_F(SealedDevice, ManyProcessesThatMakeItAtOnceHaveOneKey) {
  for (int round = 0; round < 5; ++round) {
    const Device device(folder_ / absl::StrCat("device", round));
    std::vector<std::unique_ptr<Process>> processes;
    for (int i = 0; i < 6; ++i) {
      processes.push_back(Process::Start(device.Command({"init"})));
    }
    for (const auto& process : processes) {
      const Finished finished = process->Wait();
      EXPECT_EQ(finished.status, 0) << finished.out << finished.err;
    }
    device.Put("Meeting", {{"branchId", MadeUpId(1)}, {"minutes", kMinutes}});
    EXPECT_EQ(device.List("Meeting").size(), 1u);
    EXPECT_THAT(FoundInFiles(device.home()), IsEmpty());
  }
}

TEST_F(SealedDevice, TheKeyMayLieElsewhere) {
  const std::string elsewhere = folder_ / "elsewhere.key";
  device_.Do({"--key-file", elsewhere, "init"});
  device_.Do({"--key-file", elsewhere, "put", "PrivateDetail", Private().dump()});
  EXPECT_FALSE(std::filesystem::exists(key_file_));
  EXPECT_EQ(device_.Do({"--key-file", elsewhere, "list", "PrivateDetail"}).size(), 1);
  EXPECT_EQ(device_.Refused({"list", "PrivateDetail"}).value("reason", ""), "WRONG_KEY");
}

TEST_F(SealedDevice, OneThatWasNotEncryptedIsWhenItIsUsedNext) {
  std::filesystem::create_directories(device_.home());
  {
    const auto store = client::Store::Open({.file = device_.home() + "/device.db"});
    ASSERT_TRUE(store.ok()) << store.status();
    const RecordType& type = *(*store)->schema().FindByName("PrivateDetail");
    client::Draft draft = (*store)->New(type);
    ASSERT_EQ(FromJson(Private().dump(), &draft.message()), absl::OkStatus());
    ASSERT_TRUE((*store)->Commit({&draft}).ok());
  }
  EXPECT_THAT(FoundInFiles(device_.home()), Not(IsEmpty()));
  EXPECT_EQ(device_.Unsent(), 1);
  EXPECT_THAT(FoundInFiles(device_.home()), IsEmpty());
  EXPECT_EQ(device_.List("PrivateDetail").size(), 1);
}

TEST_F(SealedDevice, NoRefusalRepeatsWhatWasWritten) {
  device_.Do({"init"});
  Json wrong = Private();
  wrong.erase("branchId");
  const std::vector<Words> commands = {
      {"put", "PrivateDetail", wrong.dump()},
      {"put", "PrivateDetail", absl::StrCat("{\"phone\": \"", kPhone, "\" \"identityNumber\"")},
      {"put", "PrivateDetail", absl::StrCat("{\"incomeBand\": \"", kPhone, "\"}")},
      {"put", "Member", absl::StrCat("{\"name\": \"", kName, "\"}")},
      {"edit", "Member", MadeUpId(3), absl::StrCat("{\"name\": \"", kName, "\"}")},
  };
  for (const Words& words : commands) {
    for (const char* language : {"zh", "en"}) {
      Words command = device_.Command(words);
      command[0] = absl::StrCat("--lang=", language);
      const Finished refused = RunToEnd(command);
      EXPECT_EQ(refused.status, 1);
      EXPECT_THAT(refused.err, Not(IsEmpty()));
      EXPECT_THAT(FoundIn(refused.out + refused.err), IsEmpty()) << refused.err;
    }
  }
}

// ---- The server ---------------------------------------------------------------------

const std::string kRoster = absl::StrCat("姓名,所在支部,手机,身份证号\n", kName, ",", kBranch, ",",
                                         kPhone, ",", kIdentityNumber, "\n");

class SealedServer : public ::testing::Test {
 protected:
  SealedServer() {
    WriteFile(folder_ / "more.csv", kRoster);
    township_.Admin({"import", folder_ / "more.csv"});
    const Device secretary = township_.Enrol(kSecretary);
    Json meeting = Meeting(secretary, "七月");
    meeting["minutes"] = kMinutes;
    meeting_ = secretary.Put("Meeting", meeting);
    secretary.Do({"sync"});
  }
  Finished Serve(const Words& more = {}) {
    Words command = {"--json", "serve", "--data", township_.data(), "--listen", "127.0.0.1:0"};
    command.insert(command.end(), more.begin(), more.end());
    return RunToEnd(command);
  }

  const TempFolder folder_;
  Township township_;
  const std::string key_file_ = township_.data() + "/zhibu.key";
  std::string meeting_;
};

TEST_F(SealedServer, NothingThatPeopleWroteIsInTheFolderABackupOrWhatItPrints) {
  EXPECT_EQ(ModeOf(key_file_), 0600u);
  EXPECT_THAT(FoundInFiles(township_.data()), IsEmpty());
  township_.Admin({"backup", folder_ / "copy.db"});
  EXPECT_THAT(FoundIn(ReadFile(folder_ / "copy.db")), IsEmpty());
  const Finished stopped = township_.Stop();
  EXPECT_THAT(FoundIn(stopped.out + stopped.err), IsEmpty());
  EXPECT_THAT(FoundInFiles(township_.data()), IsEmpty());
}

TEST_F(SealedServer, KilledItLeavesNothingToRead) {
  township_.Kill();
  EXPECT_THAT(FoundInFiles(township_.data()), IsEmpty());
}

TEST_F(SealedServer, WithoutItsKeyOrWithAnotherItDoesNotStartAndWithItAllIsThere) {
  township_.Stop();
  const std::string key = ReadFile(key_file_);
  for (const std::string& wrong : {std::string(), std::string(64, 'a')}) {
    std::filesystem::remove(key_file_);
    if (!wrong.empty()) WriteFile(key_file_, wrong);
    const Finished refused = Serve();
    EXPECT_EQ(refused.status, 1);
    EXPECT_EQ(refused.json()["error"].value("reason", ""), "WRONG_KEY") << refused.out;
    EXPECT_EQ(Fail(township_.AdminCommand({"devices"})).value("reason", ""), "WRONG_KEY");
    EXPECT_EQ(std::filesystem::exists(key_file_), !wrong.empty());
  }
  WriteFile(folder_ / "elsewhere.key", key);
  Words elsewhere = township_.AdminCommand({"devices"});
  elsewhere.insert(elsewhere.begin() + 4, {"--key-file", folder_ / "elsewhere.key"});
  EXPECT_EQ(Succeed(elsewhere)["devices"].size(), 1);
  WriteFile(key_file_, key);
  township_.Start();
  EXPECT_EQ(township_.Enrol(kDeputy).Record("Meeting", meeting_).value("minutes", ""), kMinutes);
}

TEST_F(SealedServer, ABackupIsReadOnAnotherMachineWithACopyOfTheKeyAndOnlyWithIt) {
  township_.Admin({"backup", folder_ / "copy.db"});
  township_.Stop();
  const std::string other = folder_ / "other";
  std::filesystem::create_directory(other);
  std::filesystem::copy(folder_ / "copy.db", other + "/zhibu.db");
  const Words verify = {"--json", "admin", "--data", other, "audit", "verify"};
  EXPECT_EQ(Fail(verify).value("reason", ""), "WRONG_KEY");
  std::filesystem::copy(key_file_, other + "/zhibu.key");
  Succeed(verify);
}

}  // namespace
}  // namespace zhibu::e2e
