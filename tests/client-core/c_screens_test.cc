// What screens ask of the core beside records: words, searches, forms that are not saved yet, what
// would come of an edit, and the steps of what several work on.
#include <set>

#include "sync/base/reason.h"
#include "tests/support/c_phone.h"
#include "tests/support/migration.h"

namespace zhibu::test {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

class CScreens : public ::testing::Test {
 protected:
  Directory directory;
  CPhone phone{directory.NewFile()};
  const std::string branch = std::string(Id::kSize, 'b');

  Id MakeMeeting(const std::string& topic = "七月党员大会") {
    return phone.Record<Meeting>([&](Meeting& meeting) {
      meeting.set_branch_id(branch);
      meeting.set_topic(topic);
      meeting.set_kind(Meeting::LECTURE);
      meeting.set_place("礼堂");
    });
  }
  Id MakeMember(const std::string& name) {
    return phone.Record<Member>([&](Member& member) {
      member.set_branch_id(branch);
      member.set_name(name);
    });
  }
  template <typename Reply, typename Request>
  Reply Ask(int32_t (*function)(zhibu_handle, zhibu_in, zhibu_out*, zhibu_out*),
            const Request& request) {
    return Got<Reply>([&](auto* out, auto* error) {
      return function(phone.store(), In(Bytes(request)), out, error);
    });
  }
  api::v1::Sketches Sketches() {
    return Got<api::v1::Sketches>(
        [&](auto* out, auto* error) { return zhibu_sketches(phone.store(), out, error); });
  }
  std::string New(const std::string& type) {
    return Got(
        [&](auto* out, auto* error) { return zhibu_new(phone.store(), In(type), out, error); });
  }
  std::vector<std::string> Titles(const api::v1::FoundRecords& found) {
    std::vector<std::string> titles;
    for (const auto& one : found.found()) titles.push_back(one.title());
    return titles;
  }
};

std::string ValueOf(const api::v1::Row& row, const std::string& field) {
  for (const auto& line : row.lines()) {
    if (line.field() == field) return line.label() + ": " + line.value();
  }
  return "";
}

TEST_F(CScreens, ARecordIsToldInEitherLanguageWhereWordsAreAskedFor) {
  const Id chair = MakeMember("王秀英");
  const Id id = phone.Record<Meeting>([&](Meeting& meeting) {
    meeting.set_branch_id(branch);
    meeting.set_topic("七月党员大会");
    meeting.set_kind(Meeting::LECTURE);
    meeting.set_chair_id(chair.str());
  });
  api::v1::Query query;
  query.set_type("Meeting");
  EXPECT_THAT(Ask<api::v1::Rows>(&zhibu_list, query).rows(0).lines(), IsEmpty());
  query.set_words(api::v1::CHINESE);
  const auto row = Ask<api::v1::Rows>(&zhibu_list, query).rows(0);
  EXPECT_EQ(row.title(), "七月党员大会");
  EXPECT_EQ(ValueOf(row, "kind"), "类型: 党课");
  EXPECT_EQ(ValueOf(row, "chair_id"), "主持人: 王秀英");
  api::v1::RecordRef ref;
  ref.set_type("Meeting");
  ref.set_id(id.str());
  ref.set_words(api::v1::ENGLISH);
  ref.set_json(true);
  const auto english = Ask<api::v1::Row>(&zhibu_get, ref);
  EXPECT_EQ(ValueOf(english, "kind"), "kind: lecture");
  EXPECT_THAT(english.json(), HasSubstr("LECTURE"));
}

TEST_F(CScreens, WhatAFieldNamesIsToldAndWhatNobodyKnowsIsEmpty) {
  const Id chair = MakeMember("王秀英");
  api::v1::NamesRequest request;
  const auto add = [&](const std::string& field, const std::string& id) {
    auto& named = *request.add_named();
    named.set_type("Meeting");
    named.set_field(field);
    named.set_id(id);
  };
  add("chair_id", chair.str());
  add("speeches.speaker_id", chair.str());
  add("chairId", std::string(Id::kSize, 'x'));
  add("chair_id", "no id");
  EXPECT_THAT(Ask<api::v1::Names>(&zhibu_names, request).names(),
              ElementsAre("王秀英", "王秀英", "", ""));
  add("colour", chair.str());
  EXPECT_EQ(Refused([&](auto* out, auto* error) {
              return zhibu_names(phone.store(), In(Bytes(request)), out, error);
            }).reason(),
            sync::v1::UNKNOWN_FIELD);
}

TEST_F(CScreens, SomebodyIsFoundByCharactersPinyinAndInitials) {
  MakeMember("王秀英");
  MakeMember("李秀兰");
  MakeMeeting("王家湾会议");
  api::v1::SearchRequest request;
  request.add_types("Member");
  for (const char* said : {"wxy", "wang xiu", "秀英", "王"}) {
    request.set_text(said);
    EXPECT_THAT(Titles(Ask<api::v1::FoundRecords>(&zhibu_search, request)), ElementsAre("王秀英"))
        << said;
  }
  request.add_types("Meeting");
  EXPECT_THAT(Titles(Ask<api::v1::FoundRecords>(&zhibu_search, request)), SizeIs(2));
  request.set_limit(1);
  EXPECT_TRUE(Ask<api::v1::FoundRecords>(&zhibu_search, request).more());
}

TEST_F(CScreens, AFieldIsFilledInWithWhatMayStandThere) {
  MakeMember("王秀英");
  MakeMeeting("王家湾会议");
  api::v1::SearchRequest request;
  request.set_text("王");
  request.set_type("Attendance");
  request.set_field("member_id");
  EXPECT_THAT(Titles(Ask<api::v1::FoundRecords>(&zhibu_search, request)), ElementsAre("王秀英"));
  request.set_field("meeting_id");
  EXPECT_THAT(Titles(Ask<api::v1::FoundRecords>(&zhibu_search, request)),
              ElementsAre("王家湾会议"));
}

TEST_F(CScreens, AFormThatWasBegunIsThereWhenTheAppIsStartedAgain) {
  api::v1::Sketch sketch;
  sketch.set_type("Meeting");
  sketch.set_seen(New("Meeting"));
  sketch.set_json(R"({"topic": "没写完的"})");
  const auto first = Ask<api::v1::Place>(&zhibu_sketch_keep, sketch);
  sketch.set_place(first.place());
  sketch.set_json(R"({"topic": "没写完的会"})");
  EXPECT_EQ(Ask<api::v1::Place>(&zhibu_sketch_keep, sketch).place(), first.place());
  EXPECT_EQ(phone.State().unsent(), 0u) << "nothing of it is sent";
  ASSERT_EQ(zhibu_suspend(phone.store(), nullptr), 0);
  ASSERT_EQ(zhibu_resume(phone.store(), nullptr), 0);
  const auto kept = Sketches();
  ASSERT_THAT(kept.sketches(), SizeIs(1));
  EXPECT_EQ(kept.sketches(0).json(), R"({"topic": "没写完的会"})");
  EXPECT_GT(kept.sketches(0).at_ms(), 0);
  // What it saw is good for a commit.
  api::v1::EditRequest edit;
  edit.add_items()->set_seen(kept.sketches(0).seen());
  edit.mutable_items(0)->set_json(R"({"topic": "写完了", "branchId": "YmJiYmJiYmJiYmJiYmJiYg=="})");
  EXPECT_EQ(Ask<api::v1::Committed>(&zhibu_commit, edit).number(), 1u);
  for (int twice = 0; twice < 2; ++twice) {
    EXPECT_EQ(zhibu_sketch_drop(phone.store(), In(Bytes(first)), nullptr), 0);
  }
  EXPECT_THAT(Sketches().sketches(), IsEmpty());
  EXPECT_EQ(Refused([&](auto* out, auto* error) {
              return zhibu_sketch_keep(phone.store(), In(Bytes(sketch)), out, error);
            }).reason(),
            sync::v1::NOT_HERE)
      << "one that was dropped does not come back";
}

TEST_F(CScreens, WhatIsTriedIsNotWritten) {
  api::v1::EditRequest edit;
  edit.add_items()->set_seen(New("Meeting"));
  edit.mutable_items(0)->set_json(R"({"topic": "没有支部的会"})");
  const auto refused = Ask<api::v1::Tried>(&zhibu_try, edit);
  EXPECT_EQ(refused.refusal().reason(), sync::v1::MISSING_FIELD);
  EXPECT_THAT(refused.refusal().words_zh(), Not(IsEmpty()));
  edit.mutable_items(0)->set_json(R"({"topic": "会", "branchId": "YmJiYmJiYmJiYmJiYmJiYg=="})");
  EXPECT_FALSE(Ask<api::v1::Tried>(&zhibu_try, edit).has_refusal());
  EXPECT_THAT(phone.List("Meeting").rows(), IsEmpty());
  EXPECT_EQ(phone.State().unsent(), 0u);
  EXPECT_EQ(Ask<api::v1::Committed>(&zhibu_commit, edit).number(), 1u);
}

TEST_F(CScreens, WhatTheRuleBookFindsOfADraftIsToldWithItsSource) {
  // A preparation meeting's five people cannot have given six votes.
  api::v1::EditRequest edit;
  edit.add_items()->set_seen(New("Meeting"));
  edit.mutable_items(0)->set_json(
      R"({"topic": "会", "branchId": "YmJiYmJiYmJiYmJiYmJiYg==", "kind": "MEMBERS", "state": "HELD",
          "startsAt": "2026-07-01T01:00:00Z",
          "resolutions": [{"number": 1, "text": "接收", "vote": {"entitled": 5, "present": 5, "inFavour": 6}}]})");
  const auto tried = Ask<api::v1::Tried>(&zhibu_try, edit);
  ASSERT_THAT(tried.findings(), Not(IsEmpty()));
  EXPECT_NE(tried.findings(0).source(), "");
  EXPECT_NE(tried.findings(0).words_zh(), "");
  EXPECT_NE(tried.findings(0).key(), "");
}

TEST_F(CScreens, ATableOfCodesHasItsWords) {
  const auto codes = Got<api::v1::CodeTable>(
      [](auto* out, auto* error) { return zhibu_codes(In("ethnic_group"), out, error); });
  std::set<std::string> words;
  for (const auto& code : codes.codes()) words.insert(code.zh());
  EXPECT_THAT(words, Contains(HasSubstr("土家")));
  EXPECT_EQ(Refused([](auto* out, auto* error) {
              return zhibu_codes(In("colours"), out, error);
            }).reason(),
            sync::v1::BAD_VALUE);
}

TEST_F(CScreens, WhatSomebodyLikesIsKept) {
  api::v1::Preferences liked;
  liked.set_text_size(3);
  EXPECT_EQ(zhibu_preferences_keep(phone.store(), In(Bytes(liked)), nullptr), 0);
  EXPECT_EQ(Got<api::v1::Preferences>([&](auto* out, auto* error) {
              return zhibu_preferences(phone.store(), out, error);
            }).text_size(),
            3u);
}

class CScreensOfTwoBranches : public Migration {
 protected:
  template <typename Reply, typename Request>
  static Reply Ask(const CPhone& phone,
                   int32_t (*function)(zhibu_handle, zhibu_in, zhibu_out*, zhibu_out*),
                   const Request& request) {
    return Got<Reply>([&](auto* out, auto* error) {
      return function(phone.store(), In(Bytes(request)), out, error);
    });
  }
};

TEST_F(CScreensOfTwoBranches, EachSideTakesItsStepsAndIsToldWhoTheyAre) {
  CPhone home(&world, zhang);
  CPhone there(&world, chen);
  CPhone member(&world, wang);
  for (CPhone* phone : {&home, &there, &member}) ASSERT_EQ(phone->Sync(), api::v1::Advice::DONE);
  const auto offices = Got<api::v1::Offices>(
      [&](auto* out, auto* error) { return zhibu_offices(home.store(), out, error); });
  ASSERT_THAT(offices.held(), Not(IsEmpty()));
  EXPECT_EQ(offices.held(0).office(), SECRETARY);
  EXPECT_EQ(offices.held(0).organisation_id(), branch.str());
  EXPECT_EQ(offices.person_id(), zhang.str());

  using api::v1::StayStep;
  StayStep report;
  report.set_step(StayStep::REPORT);
  report.set_member_id(wang.str());
  report.set_host_branch_id(host.str());
  report.set_until("2027-01-25");
  const auto made = Ask<api::v1::Committed>(member, &zhibu_stay_step, report);
  ASSERT_THAT(made.ids(), SizeIs(1));
  const Id stay = *Id::FromBytes(made.ids(0));
  member.Sync();
  there.Sync();
  StayStep accept;
  accept.set_step(StayStep::ACCEPT);
  accept.set_seen(there.Get("Flow", stay).seen());
  accept.set_words("陈书记 000-2");
  Ask<api::v1::Committed>(there, &zhibu_stay_step, accept);
  there.Sync();
  member.Sync();
  EXPECT_EQ(member.As<Flow>(stay).state(), Flow::ACCEPTED);
  EXPECT_EQ(member.As<Flow>(stay).host_contact(), "陈书记 000-2");
  StayStep longer;
  longer.set_step(StayStep::ASK_FOR_EXTENSION);
  longer.set_seen(member.Get("Flow", stay).seen());
  EXPECT_EQ(Refused([&](auto* out, auto* error) {
              return zhibu_stay_step(member.store(), In(Bytes(longer)), out, error);
            }).reason(),
            sync::v1::MISSING_FIELD)
      << "until when is not said";
  longer.set_until("2027-03-01");
  Ask<api::v1::Committed>(member, &zhibu_stay_step, longer);
  member.Sync();
  home.Sync();
  StayStep extend;
  extend.set_step(StayStep::EXTEND);
  extend.set_seen(home.Get("Flow", stay).seen());
  Ask<api::v1::Committed>(home, &zhibu_stay_step, extend);
  home.Sync();
  member.Sync();
  EXPECT_EQ(member.As<Flow>(stay).expected_back(), "2027-03-01");

  using api::v1::TransferStep;
  TransferStep request;
  request.set_step(TransferStep::REQUEST);
  request.set_member_id(wang.str());
  request.set_to_branch_id(host.str());
  const Id letter =
      *Id::FromBytes(Ask<api::v1::Committed>(member, &zhibu_transfer_step, request).ids(0));
  member.Sync();
  home.Sync();
  TransferStep issue;
  issue.set_step(TransferStep::ISSUE);
  issue.set_seen(home.Get("Transfer", letter).seen());
  issue.set_number("鄂组介 2026-17");
  Ask<api::v1::Committed>(home, &zhibu_transfer_step, issue);
  home.Sync();
  there.Sync();
  EXPECT_EQ(there.As<Transfer>(letter).state(), Transfer::ISSUED);
}

TEST_F(CScreensOfTwoBranches, WhatWaitsToBeSentIsToldInWords) {
  CPhone home(&world, zhang);
  ASSERT_EQ(home.Sync(), api::v1::Advice::DONE);
  home.Record<Meeting>([&](Meeting& meeting) {
    meeting.set_branch_id(branch.str());
    meeting.set_topic("七月党员大会");
    meeting.set_place("礼堂");
  });
  const auto unsent = Got<api::v1::UnsentEdits>(
      [&](auto* out, auto* error) { return zhibu_unsent(home.store(), out, error); });
  ASSERT_THAT(unsent.edits(), SizeIs(1));
  api::v1::EditWords request;
  request.set_edit(unsent.edits(0).edit());
  const auto rows = Ask<api::v1::Rows>(home, &zhibu_edit_words, request);
  ASSERT_THAT(rows.rows(), SizeIs(1));
  EXPECT_EQ(rows.rows(0).title(), "七月党员大会");
  EXPECT_EQ(ValueOf(rows.rows(0), "place"), "地点: 礼堂");
}

TEST_F(CScreensOfTwoBranches, WhatIsDueIsToldToWhomItIsForWithItsSource) {
  CPhone home(&world, zhang);
  ASSERT_EQ(home.Sync(), api::v1::Advice::DONE);
  const Id visit = home.Record<records::v1::Visit>([&](records::v1::Visit& said) {
    said.set_branch_id(branch.str());
    said.set_visited_on("2026-01-10");
    said.set_state(records::v1::Visit::OPEN);
    said.set_due("2026-01-31");
  });
  api::v1::DueRequest request;
  const auto due = Ask<api::v1::DueList>(home, &zhibu_due, request);
  EXPECT_THAT(due.as_of(), SizeIs(10));
  ASSERT_THAT(due.items(), SizeIs(1));
  const auto& item = due.items(0);
  EXPECT_EQ(item.standing(), api::v1::DueList::OVERDUE);
  EXPECT_EQ(item.key(), "visit.promise");
  EXPECT_EQ(item.words(), "走访时承诺事项");
  EXPECT_NE(item.source(), "");
  EXPECT_EQ(item.of().id(), visit.str());
  EXPECT_EQ(item.last(), "2026-01-31");
  request.set_words(api::v1::ENGLISH);
  request.set_on("2026-01-30");
  const auto before = Ask<api::v1::DueList>(home, &zhibu_due, request);
  ASSERT_THAT(before.items(), SizeIs(1));
  EXPECT_EQ(before.items(0).standing(), api::v1::DueList::COMING);
  EXPECT_EQ(before.items(0).words(), "what was promised on a visit");
  request.set_on("someday");
  EXPECT_EQ(Refused([&](auto* out, auto* error) {
              return zhibu_due(home.store(), In(Bytes(request)), out, error);
            }).reason(),
            sync::v1::BAD_VALUE);
}

}  // namespace
}  // namespace zhibu::test
