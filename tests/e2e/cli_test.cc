// The command line as a program relies on it: exit statuses, JSON, words.
#include <gmock/gmock.h>

#include <filesystem>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "tests/e2e/township.h"

namespace zhibu::e2e {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::UnorderedElementsAre;

// A device needs no server to record.
class CliTest : public ::testing::Test {
 protected:
  CliTest() { device_.Do({"init"}); }
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
      {"device", "init"},
      {"device", "devices"},
      {"device", "rename"},
      {"device", "put"},
      {"device", "edit"},
      {"device", "delete"},
      {"device", "get"},
      {"device", "list"},
      {"device", "register"},
      {"device", "check-in"},
      {"device", "check-in", "show"},
      {"device", "check-in", "scan"},
      {"device", "check-in", "manual"},
      {"device", "sync"},
      {"device", "status"},
      {"device", "conflicts"},
      {"device", "screen"},
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
  EXPECT_THAT(english.err, HasSubstr("failed: Not understood: no record type Nonsense"));
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
  EXPECT_THAT(Refusal({"edit", "Meeting", id, "--add", "place=村"}, invalid), HasSubstr("地点"));
  EXPECT_THAT(Refusal({"list", "Meeting", "--where", "colour=1"}, invalid), HasSubstr("colour"));
  for (const char* json : {"{", "[]", "7", R"({"topic": )", R"({"topic": {}})",
                           R"({"kind": "PARTY"})", R"({"present": "no array"})"}) {
    Refusal({"put", "Meeting", json}, invalid);
    Refusal({"edit", "Meeting", id, json}, invalid);
  }
  for (const char* wrong_id : {"", "?", "abc", "AAAA", "AAAAAAAAAAAAAAAAAAAAAAAAAAAA"}) {
    Refusal({"get", "Meeting", wrong_id}, "NOT_FOUND");
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

TEST_F(CliTest, ASecondPutOfWhatThereCanBeOnlyOneOfIsRefusedUnlessItIsAskedFor) {
  Json check_in = {{"activityId", MadeUpId(9)}, {"memberId", MadeUpId(2)}, {"branchId", branch_}};
  check_in["at"] = "2026-11-21T09:00:00Z";
  const std::string id = device_.Put("CheckIn", check_in);
  check_in["at"] = "2026-11-21T08:00:00Z";
  const Json refused = device_.Refused({"put", "CheckIn", check_in.dump()});
  EXPECT_EQ(refused.value("code", ""), "ALREADY_EXISTS");
  EXPECT_THAT(refused.value("words", ""), AllOf(HasSubstr("edit"), HasSubstr("--over")));
  EXPECT_EQ(device_.Record("CheckIn", id).value("at", ""), "2026-11-21T09:00:00Z");
  const Json over = device_.Do({"put", "CheckIn", check_in.dump(), "--over"});
  EXPECT_EQ(over.value("id", ""), id);
  EXPECT_THAT(over.value("told", ""), HasSubstr("已经有了"));
  EXPECT_EQ(device_.Record("CheckIn", id), check_in);
  EXPECT_EQ(device_.List("CheckIn").size(), 1);
}

// ---- As a secretary writes and reads -----------------------------------------------

TEST_F(CliTest, AMeetingIsWrittenAndFoundByLabelsNamesAndChinasClock) {
  device_.Put("Member", {{"branchId", branch_}, {"name", "周枫林"}});
  const Json put = device_.Do({"put", "会议", "--set", absl::StrCat("党支部=", branch_), "--set",
                               "主题=七月党员大会", "--set", "类型=支部党员大会", "--set",
                               "时间=2026-07-01 09:00", "--set", "到会人员=周枫林"});
  const Json record = device_.Record("会议", "七月党员大会");
  EXPECT_EQ(record.value("kind", ""), "MEMBERS");
  EXPECT_EQ(record.value("startsAt", ""), "2026-07-01T01:00:00Z");
  EXPECT_THAT(record["present"], ElementsAre(device_.IdOf("周枫林")));
  EXPECT_EQ(device_.Do({"list", "会议", "--where", "类型=支部党员大会"}).size(), 1u);
  EXPECT_EQ(device_.Do({"list", "会议", "--where", "到会人员=周枫林"}).size(), 1u);
  EXPECT_EQ(device_.Do({"list", "党员", "--with", "枫林"}).size(), 1u);
  EXPECT_EQ(device_.Do({"list", "党员", "--with", "竹溪"}).size(), 0u);
  EXPECT_THAT(Refusal({"list", "党员", "--where", "姓名"}, "INVALID_ARGUMENT"),
              AllOf(HasSubstr("项目=内容"), HasSubstr("--with")));
  EXPECT_THAT(Refusal({"edit", "会议", "七月", "--set", "地点=村委会"}, "NOT_FOUND"),
              HasSubstr("七月党员大会"));
}

TEST_F(CliTest, OfSeveralThatBearOneNameTheNumberSaysWhich) {
  device_.Put("Meeting", {{"branchId", branch_}, {"topic", "党课"}, {"place", "一楼"}});
  device_.Put("Meeting", {{"branchId", branch_}, {"topic", "党课"}, {"place", "二楼"}});
  EXPECT_THAT(Refusal({"get", "Meeting", "党课"}, "FAILED_PRECONDITION"),
              AllOf(HasSubstr("党课#1"), HasSubstr("党课#2")));
  EXPECT_EQ(device_.Record("Meeting", "党课#2").value("place", ""), "二楼");
  Refusal({"get", "Meeting", "党课#3"}, "NOT_FOUND");
}

TEST_F(CliTest, MoneyIsWrittenWithItsUnitAndSummedUp) {
  device_.Put("Member", {{"branchId", branch_}, {"name", "周枫林"}});
  for (const char* amount : {"金额=18.50元", "金额=150分"}) {
    device_.Do({"put", "党费", "--set", "党员=周枫林", "--set", absl::StrCat("党支部=", branch_),
                "--set", amount, "--set", "月份=2026-07"});
  }
  EXPECT_THAT(Refusal({"put", "党费", R"({"党员": "周枫林", "金额": 20})"}, "INVALID_ARGUMENT"),
              HasSubstr("写明单位"));
  EXPECT_THAT(
      Refusal({"put", "党费", "--set", "党员=周枫林", "--set", "金额=20"}, "INVALID_ARGUMENT"),
      HasSubstr("写明单位"));
  const Finished list = RunToEnd({"device", "--home", device_.home(), "list", "党费"});
  EXPECT_THAT(list.out, AllOf(HasSubstr("党费 周枫林 2026-07"), HasSubstr("金额: 18.50 元"),
                              HasSubstr("合计 金额 20.00 元"), HasSubstr("共 2 条")));
}

TEST_F(CliTest, AListThatIsGivenWholeSaysWhatItWas) {
  const std::string id = device_.Put("Meeting", MeetingOf("七月"));
  device_.Do({"edit", "Meeting", id, "--add", "guests=王镇长", "--add", "guests=李所长"});
  const Json told = device_.Do({"edit", "Meeting", id, R"({"guests": ["赵站长"]})"});
  EXPECT_THAT(told.value("told", ""), AllOf(HasSubstr("列席人员"), HasSubstr("王镇长"),
                                            HasSubstr("李所长"), HasSubstr("--add")));
  EXPECT_THAT(device_.Do({"edit", "Meeting", id, "--add", "guests=钱所长"}).contains("told"),
              false);
}

TEST_F(CliTest, AMemberWhoIsInNoBranchIsSaidToBeAndRegisterPlacesThem) {
  const Json alone =
      device_.Do({"put", "Member", Json({{"branchId", branch_}, {"name", "丁"}}).dump()});
  EXPECT_THAT(alone.value("told", ""), AllOf(HasSubstr("没有编入"), HasSubstr("register")));
  const Json placed = device_.Do({"register", "周枫林", "--branch", branch_, "--set", "性别=男"});
  const Json placements = device_.List("Placement");
  ASSERT_EQ(placements.size(), 1u);
  EXPECT_EQ(placements[0]["record"].value("memberId", ""), placed.value("id", "?"));
  EXPECT_EQ(device_.Record("Member", "周枫林").value("sex", ""), "MALE");
  EXPECT_EQ(device_.Unsent(), 2);  // register is one edit
}

TEST_F(CliTest, WhatHasNoDayIsSaidNotToBeJudged) {
  device_.Put("DuesPayment", Dues(MadeUpId(2), branch_, 100));
  const Json checks = device_.Do({"checks"});
  ASSERT_EQ(checks["undated"].size(), 1u) << checks;
  EXPECT_EQ(checks["undated"][0].value("type", ""), "DuesPayment");
  EXPECT_THAT(RunToEnd({"device", "--home", device_.home(), "checks"}).out, HasSubstr("未作判断"));
}

TEST_F(CliTest, ContentComesFromAFileToo) {
  WriteFile(folder_ / "meeting.json", MeetingOf("七月").dump());
  device_.Do({"put", "Meeting", absl::StrCat("@", folder_ / "meeting.json")});
  EXPECT_EQ(device_.Record("Meeting", "七月").value("place", ""), "村委会");
  Refusal({"put", "Meeting", "@nowhere"}, "NOT_FOUND");
}

// Base64, a name out of a .proto, a time of another zone: what no person should have to read.
TEST_F(CliTest, NothingThatIsShownInChineseHasMachineryInIt) {
  const std::string id = device_.Put("Meeting", {{"branchId", branch_},
                                                 {"topic", "七月党员大会"},
                                                 {"kind", "MEMBERS"},
                                                 {"startsAt", "2026-07-01T01:00:00Z"},
                                                 {"chairId", MadeUpId(5)},
                                                 {"present", {MadeUpId(6)}}});
  device_.Put("DuesPayment", Dues(MadeUpId(2), branch_, 1850));
  device_.Put("Flow", {{"memberId", MadeUpId(2)},
                       {"homeBranchId", branch_},
                       {"left", "2026-02-20"},
                       {"state", "REPORTED"}});
  const std::vector<Words> commands = {{"list", "Meeting"},
                                       {"get", "Meeting", id},
                                       {"list", "DuesPayment"},
                                       {"unsent"},
                                       {"flow", "list"},
                                       {"transfer", "list"},
                                       {"checks"},
                                       {"set-aside"},
                                       {"held"},
                                       {"conflicts"},
                                       {"devices"},
                                       {"accesses"}};
  for (const Words& command : commands) {
    Words words = {"device", "--home", device_.home()};
    words.insert(words.end(), command.begin(), command.end());
    const Finished shown = RunToEnd(words);
    EXPECT_EQ(shown.status, 0) << shown.err;
    EXPECT_THAT(shown.out, ::testing::Not(::testing::ContainsRegex("[A-Za-z]"))) << command[0];
    EXPECT_THAT(shown.out, Not(HasSubstr("01:00"))) << command[0];
  }
  const Finished with_ids =
      RunToEnd({"device", "--home", device_.home(), "--ids", "list", "Meeting"});
  EXPECT_THAT(with_ids.out, HasSubstr(id));
}

TEST_F(CliTest, EveryRefusalIsInTheLanguageAskedFor) {
  const std::string id = device_.Put("Meeting", MeetingOf("七月"));
  const std::vector<Words> refused = {
      {"list", "别的"},
      {"get", "Meeting", "没有的"},
      {"put", "Meeting", "{"},
      {"put", "Meeting", R"({"主题": "七月"})"},
      {"put", "Meeting", R"({"类型": "茶话会"})"},
      {"put", "Meeting", R"({"时间": "上午九点"})"},
      {"put", "Member", R"({"姓名": "丁", "所在支部": "没有的支部"})"},
      {"edit", "Meeting", id, R"({"told_on": "七月一日"})"},
      {"discard", "9"},
      {"due", "--on", "明天"},
      {"transfer", "receive", "没有的信"},
      {"flow", "accept", "没有的人"},
      {"pass", "revoke", "没有的证"},
      {"check-in", "show", "--activity", "没有的会"},
      {"screen"},
      {"sync"}};
  for (const Words& command : refused) {
    Words zh = {"device", "--home", device_.home()};
    zh.insert(zh.end(), command.begin(), command.end());
    Words en = {"--lang", "en"};
    en.insert(en.end(), zh.begin(), zh.end());
    const std::string in_chinese = RunToEnd(zh).err;
    const std::string in_english = RunToEnd(en).err;
    EXPECT_THAT(in_chinese,
                AllOf(HasSubstr("失败: "), Not(::testing::ContainsRegex("[a-z]{3,} [a-z]{2,}"))))
        << absl::StrJoin(command, " ");
    EXPECT_THAT(in_english, HasSubstr("failed: ")) << absl::StrJoin(command, " ");
    EXPECT_NE(in_chinese, in_english);
  }
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
  EXPECT_EQ(device.Refused({"init"}).value("code", ""), "UNAVAILABLE");
}

TEST_F(CliTest, AMistypedHomeIsNoEmptyDevice) {
  const Device mistyped(folder_ / "devcie");
  for (const Words& words : {Words{"list", "Meeting"}, Words{"status"},
                             Words{"put", "Meeting", MeetingOf("七月").dump()}}) {
    const Json refused = mistyped.Refused(words);
    EXPECT_EQ(refused.value("code", ""), "NOT_FOUND");
    EXPECT_THAT(refused.value("words", ""), AllOf(HasSubstr("devcie"), HasSubstr("enrol")));
  }
  EXPECT_FALSE(std::filesystem::exists(mistyped.home()));
}

TEST_F(CliTest, WhatCannotBeUndoneIsAskedForOrSaidWithYes) {
  const std::string id = device_.Put("Meeting", MeetingOf("七月"));
  const Words home = {"device", "--home", device_.home()};
  Words words = home;
  words.insert(words.end(), {"delete", "Meeting", id});
  const Finished unasked = RunToEnd(words);
  EXPECT_EQ(unasked.status, 1);
  EXPECT_THAT(unasked.err, HasSubstr("--yes"));
  EXPECT_EQ(device_.List("Meeting").size(), 1u);
  words.push_back("--yes");
  EXPECT_EQ(RunToEnd(words).status, 0);
  EXPECT_EQ(device_.List("Meeting").size(), 0u);
}

TEST_F(CliTest, AMemberWithRecordsIsNotDeletedButHasLeft) {
  const std::string id = device_.Put("Member", {{"branchId", branch_}, {"name", "周枫林"}});
  device_.Put("DuesPayment", Dues(id, branch_, 1850));
  const Json refused = device_.Refused({"delete", "Member", "周枫林"});
  EXPECT_EQ(refused.value("reason", ""), "STEP_NOT_ALLOWED");
  EXPECT_THAT(refused.value("words", ""), AllOf(HasSubstr("党费 1"), HasSubstr("已转出")));
  device_.Do({"delete", "Member", "周枫林", "--yes"});
  EXPECT_EQ(device_.List("Member").size(), 0u);
}

}  // namespace
}  // namespace zhibu::e2e
