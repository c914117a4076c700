// The command line as a program relies on it: exit statuses, JSON, words.
#include <gmock/gmock.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "tests/e2e/township.h"

namespace zhibu::e2e {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::UnorderedElementsAre;

// A device needs no server to record.
class CliTest : public ::testing::Test {
 protected:
  std::string Refusal(const Words& words, const std::string& code) {
    const Json error = device_.Refused(words);
    EXPECT_EQ(error.value("code", ""), code) << absl::StrJoin(words, " ") << ": " << error;
    return error.value("words", "");
  }
  Json MeetingOf(const std::string& topic) {
    return {{"branchId", branch_}, {"topic", topic}, {"place", "村委会"}};
  }

  const TempFolder folder_;
  const Device device_{folder_ / "device"};
  const std::string branch_ = MadeUpId(1);
};

TEST_F(CliTest, EveryCommandShowsHelpAndEndsWith0) {
  const std::vector<Words> commands = {
      {},
      {"serve"},
      {"admin"},
      {"admin", "init"},
      {"admin", "import"},
      {"admin", "ledger"},
      {"admin", "enrol"},
      {"admin", "grant"},
      {"admin", "revoke"},
      {"admin", "devices"},
      {"admin", "conflicts"},
      {"admin", "duplicates"},
      {"admin", "merge-persons"},
      {"admin", "audit"},
      {"admin", "audit", "verify"},
      {"admin", "backup"},
      {"device"},
      {"device", "enrol"},
      {"device", "devices"},
      {"device", "rename"},
      {"device", "put"},
      {"device", "edit"},
      {"device", "delete"},
      {"device", "get"},
      {"device", "list"},
      {"device", "check-in"},
      {"device", "check-in", "show"},
      {"device", "check-in", "scan"},
      {"device", "check-in", "manual"},
      {"device", "sync"},
      {"device", "status"},
      {"device", "conflicts"},
      {"device", "due"},
      {"device", "checks"},
      {"device", "ledger"},
      {"device", "import"},
      {"device", "rules"},
      {"device", "rules", "list"},
      {"device", "rules", "check"},
      {"device", "set-aside"},
      {"device", "unsent"},
      {"device", "courier"},
      {"device", "courier", "export"},
      {"device", "courier", "carry"},
      {"device", "courier", "deliver"},
      {"device", "courier", "receive"},
  };
  for (Words command : commands) {
    command.push_back("--help");
    const Finished shown = RunToEnd(command);
    EXPECT_EQ(shown.status, 0) << absl::StrJoin(command, " ");
    EXPECT_THAT(shown.out, HasSubstr("Usage")) << absl::StrJoin(command, " ");
    EXPECT_THAT(shown.err, IsEmpty()) << absl::StrJoin(command, " ");
  }
}

TEST_F(CliTest, WrongUsageEndsWith2AndSaysWhatIsWrong) {
  const std::string home = device_.home();
  const std::vector<Words> wrong = {
      {},
      {"frobnicate"},
      {"--frobnicate"},
      {"--lang", "fr", "device", "--home", home, "status"},
      {"serve"},
      {"serve", "--data"},
      {"serve", "--data", home, "--message-bytes-max", "many"},
      {"admin"},
      {"admin", "init"},
      {"admin", "--data", home},
      {"admin", "--data", home, "import"},
      {"admin", "--data", home, "merge-persons", "甲"},
      {"admin", "--data", home, "audit"},
      {"admin", "--data", home, "revoke", "--device", "-1"},
      {"admin", "--data", home, "revoke", "--wipe"},
      {"serve", "--data", home, "--reauthenticate-days", "-1"},
      {"device"},
      {"device", "status"},
      {"device", "--home", home},
      {"device", "--home", home, "rename"},
      {"device", "--home", home, "put"},
      {"device", "--home", home, "put", "Meeting"},
      {"device", "--home", home, "put", "Meeting", "{}", "{}"},
      {"device", "--home", home, "edit", "Meeting"},
      {"device", "--home", home, "get", "Meeting"},
      {"device", "--home", home, "check-in"},
      {"device", "--home", home, "check-in", "show"},
      {"device", "--home", home, "check-in", "scan"},
      {"device", "--home", home, "sync", "--timeout", "soon"},
      {"device", "--home", home, "courier"},
      {"device", "--home", home, "courier", "export"},
      {"device", "courier", "export", "file"},
      {"device", "courier", "receive", "file"},
      {"device", "courier", "deliver"},
  };
  for (const Words& words : wrong) {
    const Finished refused = RunToEnd(words);
    EXPECT_EQ(refused.status, 2) << absl::StrJoin(words, " ");
    EXPECT_THAT(refused.err, Not(IsEmpty())) << absl::StrJoin(words, " ");
    EXPECT_THAT(refused.out, IsEmpty()) << absl::StrJoin(words, " ");
  }
}

TEST_F(CliTest, WithoutJsonARefusalIsWordsOnStderr) {
  const Finished refused = RunToEnd({"device", "--home", device_.home(), "list", "Nonsense"});
  EXPECT_EQ(refused.status, 1);
  EXPECT_THAT(refused.out, IsEmpty());
  EXPECT_THAT(refused.err, HasSubstr("失败"));
  const Finished english =
      RunToEnd({"--lang", "en", "device", "--home", device_.home(), "list", "Nonsense"});
  EXPECT_EQ(english.status, 1);
  EXPECT_THAT(english.err, HasSubstr("failed: no record type Nonsense"));
}

TEST_F(CliTest, UnknownTypesFieldsAndBrokenJsonAreRefusedInWords) {
  const std::string id = device_.Put("Meeting", MeetingOf("七月"));
  const std::string invalid = "INVALID_ARGUMENT";
  for (const char* command : {"list", "put", "get", "edit", "delete"}) {
    Words words = {command, "Nonsense"};
    if (words[0] == "put") words.push_back("{}");
    if (words[0] == "get" || words[0] == "edit" || words[0] == "delete") words.push_back(id);
    EXPECT_THAT(Refusal(words, invalid), HasSubstr("Nonsense"));
  }
  EXPECT_THAT(Refusal({"put", "Meeting", R"({"colour": 1})"}, invalid), HasSubstr("colour"));
  EXPECT_THAT(Refusal({"edit", "Meeting", id, R"({"colour": 1})"}, invalid), HasSubstr("colour"));
  EXPECT_THAT(Refusal({"edit", "Meeting", id, "--add", "colour=1"}, invalid), HasSubstr("colour"));
  EXPECT_THAT(Refusal({"edit", "Meeting", id, "--remove", "colour=1"}, invalid),
              HasSubstr("colour"));
  EXPECT_THAT(Refusal({"edit", "Meeting", id, "--add", "place=村"}, invalid), HasSubstr("place"));
  EXPECT_THAT(Refusal({"list", "Meeting", "--where", "colour=1"}, invalid), HasSubstr("colour"));
  for (const char* json : {"", "{", "[]", "7", R"({"topic": )", R"({"topic": {}})",
                           R"({"kind": "PARTY"})", R"({"present": "no array"})"}) {
    Refusal({"put", "Meeting", json}, invalid);
    if (*json != '\0') Refusal({"edit", "Meeting", id, json}, invalid);
  }
  for (const char* wrong_id : {"", "?", "abc", "AAAA", "AAAAAAAAAAAAAAAAAAAAAAAAAAAA"}) {
    Refusal({"get", "Meeting", wrong_id}, invalid);
  }
  for (const char* command : {"get", "edit", "delete"}) {
    Refusal({command, "Meeting", MadeUpId(77)}, "NOT_FOUND");
  }
  EXPECT_EQ(device_.List("Meeting").size(), 1);
  EXPECT_EQ(device_.Unsent(), 1);
}

TEST_F(CliTest, WhereWithAnUnknownFieldIsRefusedThoughThereIsNothingToList) {
  Refusal({"list", "Meeting", "--where", "colour=1"}, "INVALID_ARGUMENT");
}

TEST_F(CliTest, TheDeviceRefusesAtOnceWhatTheRulesForbid) {
  const auto reason = [&](const std::string& type, const Json& record) {
    return device_.Refused({"put", type, record.dump()}).value("reason", "");
  };
  EXPECT_EQ(reason("Meeting", {{"topic", "哪个支部"}}), "MISSING_FIELD");
  EXPECT_EQ(reason("Meeting", {{"branchId", branch_}, {"state", "CLOSED"}}), "STEP_NOT_ALLOWED");
  Json payment = Dues(MadeUpId(2), branch_, 100);
  payment["month"] = "2026-13";
  EXPECT_EQ(reason("DuesPayment", payment), "BAD_VALUE");
  EXPECT_EQ(reason("ConflictNote", {{"field", "place"}}), "SERVER_ONLY");
  const std::string paid = device_.Put("DuesPayment", Dues(MadeUpId(2), branch_, 100));
  EXPECT_EQ(device_.Refused({"delete", "DuesPayment", paid}).value("reason", ""), "PERMANENT");
  EXPECT_EQ(
      device_.Refused({"edit", "DuesPayment", paid, R"({"amountFen": 1})"}).value("reason", ""),
      "ALREADY_WRITTEN");
  EXPECT_EQ(device_.Unsent(), 1);
}

// Half a per cent of 4,800 yuan, where the band asks for one.
TEST_F(CliTest, WhatTheRuleBookForbidsIsRefusedAndWhatIsEnteredLateIsShown) {
  Json base = {{"memberId", MadeUpId(2)}, {"branchId", branch_},
               {"from", "2099-12"},       {"kind", "WAGE"},
               {"baseFen", 480'000},      {"rateBasisPoints", 50},
               {"monthlyDueFen", 2'400},  {"irregularBecause", "按旧口径"},
               {"state", "PROPOSED"}};
  const Json refused = device_.Refused({"put", "DuesBase", base.dump()});
  EXPECT_EQ(refused.value("reason", ""), "AGAINST_A_RULE");
  EXPECT_THAT(refused.value("words", ""), HasSubstr("dues.rate; DF08"));
  base["from"] = "2026-03";
  device_.Do({"put", "DuesBase", base.dump()});
  const Json found = device_.Do({"checks"});
  ASSERT_EQ(found["checks"].size(), 1u) << found;
  EXPECT_EQ(found["checks"][0].value("key", ""), "dues.rate");
  EXPECT_EQ(found["checks"][0].value("because", ""), "按旧口径");
  EXPECT_THAT(found["faults"], IsEmpty());
  const Json rules = device_.Do({"rules", "list"});
  EXPECT_FALSE(rules["checks"].empty());
  EXPECT_FALSE(rules["calendars"].empty());
}

TEST_F(CliTest, ANoticeIsPutUpOfWhatItSaysOrOfARecord) {
  const Words notice = {"notice", "七月公示", "--branch", branch_, "--until", "2026-12-01"};
  Words about = notice;
  about.insert(about.end(), {"--type", "Meeting", "--id", MadeUpId(3)});
  const Json record = device_.Record("Notice", device_.Do(about).value("id", ""));
  EXPECT_EQ(record.value("title", ""), "七月公示");
  EXPECT_EQ(record.value("until", ""), "2026-12-01");
  EXPECT_EQ(record.value("subjectType", 0), 31);
  device_.Do(notice);
  Words half = notice;
  half.insert(half.end(), {"--type", "Meeting"});
  EXPECT_EQ(device_.Run(half).status, 2);
  Words number = notice;
  number.insert(number.end(), {"--text", "电话 13800138000"});
  EXPECT_EQ(device_.Refused(number).value("reason", ""), "HOLDS_CONTACT");
  EXPECT_EQ(device_.Unsent(), 2);
}

TEST_F(CliTest, ARecordComesBackAsItWasPutChangedAndDeleted) {
  const Json meeting = {{"branchId", branch_},
                        {"kind", "THEME_DAY"},
                        {"topic", "植树"},
                        {"place", "后山"},
                        {"startsAt", "2026-03-12T01:00:00Z"},
                        {"present", {MadeUpId(2)}},
                        {"state", "PLANNED"},
                        {"agenda", {{{"number", 1}, {"topic", "分工"}}}}};
  const std::string id = device_.Put("Meeting", meeting);
  EXPECT_EQ(device_.Record("Meeting", id), meeting);

  device_.Do({"edit", "Meeting", id, R"({"place": "河边", "kind": null})", "--add",
              absl::StrCat("present=", MadeUpId(3)), "--add",
              R"(agenda={"number":2,"topic":"总结"})"});
  Json changed = meeting;
  changed["place"] = "河边";
  changed.erase("kind");
  changed["present"] = {MadeUpId(2), MadeUpId(3)};
  changed["agenda"].push_back({{"number", 2}, {"topic", "总结"}});
  EXPECT_EQ(device_.Record("Meeting", id), changed);

  device_.Do({"edit", "Meeting", id, "--remove", absl::StrCat("present=", MadeUpId(2)), "--remove",
              "agenda=1"});
  changed["present"] = {MadeUpId(3)};
  changed["agenda"] = {{{"number", 2}, {"topic", "总结"}}};
  EXPECT_EQ(device_.Record("Meeting", id), changed);

  const std::string other = device_.Put("Meeting", MeetingOf("另一次"));
  const auto where = [&](const std::string& condition) {
    std::vector<std::string> ids;
    for (const Json& one : device_.Do({"list", "Meeting", "--where", condition})) {
      ids.push_back(one["id"]);
    }
    return ids;
  };
  EXPECT_THAT(where("topic=植树"), ElementsAre(id));
  EXPECT_THAT(where("state=PLANNED"), ElementsAre(id));
  EXPECT_THAT(where(absl::StrCat("present=", MadeUpId(3))), ElementsAre(id));
  EXPECT_THAT(where(absl::StrCat("present=", MadeUpId(2))), IsEmpty());
  EXPECT_THAT(where(absl::StrCat("branchId=", branch_)), UnorderedElementsAre(id, other));

  device_.Do({"delete", "Meeting", id});
  Refusal({"get", "Meeting", id}, "NOT_FOUND");
  EXPECT_THAT(IdsOn(device_, "Meeting"), ElementsAre(other));
}

TEST_F(CliTest, EveryPlainTypeCanBeRecordedReadAndChanged) {
  struct Case {
    const char* type;
    Json record;
    Json change;
  };
  const std::string person = MadeUpId(2);
  const std::vector<Case> cases = {
      {"Flow",
       {{"memberId", person},
        {"homeBranchId", branch_},
        {"left", "2026-02-20"},
        {"state", "REPORTED"}},
       {{"destination", "滨海市"}, {"state", "ENDED"}}},
      {"Contact",
       {{"memberId", person}, {"branchId", branch_}, {"how", "电话"}},
       {{"said", "一切都好"}, {"how", nullptr}}},
      {"Attendance",
       {{"meetingId", MadeUpId(9)},
        {"memberId", person},
        {"branchId", branch_},
        {"state", "LEAVE"}},
       {{"reason", "生病"}}},
      {"Member",
       {{"branchId", branch_}, {"name", "丁"}, {"sex", "FEMALE"}, {"stage", "APPLICANT"}},
       {{"education", "高中"}, {"stage", "ACTIVIST"}}},
      {"PrivateDetail",
       {{"memberId", person}, {"branchId", branch_}, {"phone", "000-1"}},
       {{"incomeBand", "UP_TO_3000"}}},
  };
  for (const Case& one : cases) {
    SCOPED_TRACE(one.type);
    const std::string id = device_.Put(one.type, one.record);
    EXPECT_EQ(device_.Record(one.type, id), one.record);
    EXPECT_EQ(device_.Do({"edit", one.type, id, one.change.dump()}).value("id", ""), id);
    Json changed = one.record;
    changed.merge_patch(one.change);
    EXPECT_EQ(device_.Record(one.type, id), changed);
    EXPECT_EQ(device_.List(one.type).size(), 1);
    if (one.type == std::string("Flow")) {
      EXPECT_EQ(device_.Refused({"delete", one.type, id}).value("reason", ""), "PERMANENT");
      continue;
    }
    device_.Do({"delete", one.type, id});
    EXPECT_EQ(device_.List(one.type).size(), 0);
  }
}

TEST_F(CliTest, ASecondPutOfWhatMakesTheSameIdChangesTheOneRecord) {
  Json check_in = {{"activityId", MadeUpId(9)}, {"memberId", MadeUpId(2)}, {"branchId", branch_}};
  check_in["at"] = "2026-11-21T09:00:00Z";
  const std::string id = device_.Put("CheckIn", check_in);
  check_in["at"] = "2026-11-21T08:00:00Z";
  EXPECT_EQ(device_.Put("CheckIn", check_in), id);
  EXPECT_EQ(device_.Record("CheckIn", id), check_in);
  EXPECT_EQ(device_.List("CheckIn").size(), 1);
}

TEST_F(CliTest, AnEditThatChangesNothingIsNotQueued) {
  const std::string id = device_.Put("Meeting", MeetingOf("七月"));
  const Json done = device_.Do({"edit", "Meeting", id, R"({"topic": "七月"})"});
  EXPECT_EQ(done.value("edit", -1), 0);
  EXPECT_EQ(device_.Unsent(), 1);
}

TEST_F(CliTest, StatusKnowsAfterARestartWhatIsUnsent) {
  for (uint64_t unsent = 1; unsent <= 3; ++unsent) {
    device_.Put("Meeting", MeetingOf(absl::StrCat(unsent)));
    const Json status = device_.Do({"status"});  // each command is a process of its own
    EXPECT_EQ(status.value("unsent", 0), unsent);
    EXPECT_EQ(status.value("setAside", -1), 0);
    EXPECT_EQ(status.value("lastSuccessMs", -1), 0);
    EXPECT_FALSE(status.value("synced", true));
  }
}

TEST_F(CliTest, WhatIsUnsentIsListedAndMarked) {
  const std::string id = device_.Put("Meeting", MeetingOf("七月"));
  const Json unsent = device_.Do({"unsent"});
  ASSERT_EQ(unsent.size(), 1u);
  EXPECT_EQ(unsent[0].value("number", 0), 1);
  EXPECT_FALSE(unsent[0].value("delivered", true));
  EXPECT_EQ(unsent[0]["changes"][0].value("id", ""), id);
  EXPECT_EQ(unsent[0]["changes"][0].value("type", ""), "Meeting");
  EXPECT_TRUE(device_.List("Meeting")[0].value("unsent", false));
  EXPECT_TRUE(device_.Do({"get", "Meeting", id}).value("unsent", false));
  const Words home = {"device", "--home", device_.home()};
  Words list = home;
  list.insert(list.end(), {"list", "Meeting"});
  EXPECT_THAT(RunToEnd(list).out, HasSubstr("【未发送】"));
  Words english = {"--lang", "en"};
  english.insert(english.end(), list.begin(), list.end());
  EXPECT_THAT(RunToEnd(english).out, HasSubstr("[unsent]"));
}

TEST_F(CliTest, ADeviceThatIsNotEnrolledSaysSoAndKeepsItsWork) {
  device_.Put("Meeting", MeetingOf("七月"));
  EXPECT_THAT(Refusal({"sync"}, "NOT_FOUND"), HasSubstr("尚未登记"));
  const Json status = device_.Do({"status"});
  EXPECT_EQ(status.value("unsent", 0), 1);
  EXPECT_THAT(status.value("problemWords", ""), HasSubstr("尚未登记"));
}

TEST_F(CliTest, AHomeThatCannotBeMadeIsRefused) {
  WriteFile(folder_ / "file", "in the way");
  const Device device(folder_ / "file/device");
  EXPECT_EQ(device.Refused({"put", "Meeting", MeetingOf("七月").dump()}).value("code", ""),
            "UNAVAILABLE");
}

}  // namespace
}  // namespace zhibu::e2e
