// Who may write what: each thing that people with ordinary rights and a phone changed at
// will once got away with, by what it would have given them.
#include "server/authority/authority.h"

#include "sync/base/reason.h"
#include "sync/merge/diff.h"
#include "sync/wire/record.h"
#include "tests/support/migration.h"
#include "tests/support/raw_edits.h"
#include "zhibu/records/v1/access.pb.h"

namespace zhibu::test {
namespace {

using records::v1::Attendance;
using records::v1::Grant;
using records::v1::HeldEdit;
using sync::v1::Change;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class AuthorityTest : public Migration {
 protected:
  AuthorityTest() {
    world.Appoint(zhao, other, COMMITTEE);
    world.SyncAll();
  }

  // What becomes of a record that the phone makes, or of a change that it makes.
  std::string Fate(Phone& phone) {
    const size_t before = phone.SetAside().size();
    EXPECT_EQ(world.Sync(phone), absl::OkStatus());
    const std::vector<std::string> aside = phone.SetAside();
    return aside.size() == before ? "" : aside.back().substr(aside.back().find(' ') + 1);
  }
  template <typename T>
  std::string FateOf(Phone& phone, const T& record) {
    phone.Make<T>([&](T& made) { made = record; });
    return Fate(phone);
  }
  PrivateDetail Detail(const Id& member, const Id& by) {
    PrivateDetail detail;
    detail.set_member_id(member.str());
    detail.set_branch_id(by.str());
    detail.set_phone("000-1");
    return detail;
  }
  Contact ContactOf(const Id& member, const Id& by) {
    Contact contact;
    contact.set_member_id(member.str());
    contact.set_branch_id(by.str());
    contact.set_said("走访");
    return contact;
  }
  CheckIn CheckInOf(const Id& activity, const Id& member, const Id& by) {
    CheckIn check_in;
    check_in.set_activity_id(activity.str());
    check_in.set_member_id(member.str());
    check_in.set_branch_id(by.str());
    check_in.add_ways()->set_how(CheckIn::ROLL_CALL);
    return check_in;
  }
  DuesPayment DuesOf(const Id& member, const Id& by) {
    DuesPayment dues;
    dues.set_member_id(member.str());
    dues.set_branch_id(by.str());
    dues.set_amount_fen(500);
    dues.set_month("2026-11");
    return dues;
  }
  Attendance AttendanceOf(const Id& meeting, const Id& member, const Id& by) {
    Attendance attendance;
    attendance.set_meeting_id(meeting.str());
    attendance.set_member_id(member.str());
    attendance.set_branch_id(by.str());
    attendance.set_state(Attendance::ABSENT);
    return attendance;
  }
  Transfer LetterOf(const Id& member, const Id& from, const Id& to, Transfer::State state) {
    Transfer transfer;
    transfer.set_member_id(member.str());
    transfer.set_from_branch_id(from.str());
    transfer.set_to_branch_id(to.str());
    transfer.set_state(state);
    return transfer;
  }
  Id NewId() { return world.fate().environment().NewId(); }

  const Id other = world.Branch("云溪村党支部");
  const Id zhao = world.Person("赵", other);  // sits on its committee
  Phone& zhaos = world.Enrol(zhao);
};

// ---- Kept together -----------------------------------------------------------------

// Of a meeting that is still on another phone, and of one that there never will be.
TEST_F(AuthorityTest, NobodyTakesARecordOfAMeetingThatTheServerHasNotHeardOf) {
  const Id unheard = NewId();
  EXPECT_EQ(FateOf(zhangs, AttendanceOf(unheard, wang, branch)), "RETURNED BAD_VALUE");
  EXPECT_EQ(FateOf(zhangs, CheckInOf(unheard, wang, branch)), "RETURNED BAD_VALUE");
  Meeting meeting;
  meeting.set_branch_id(host.str());
  const Id elsewhere = NewId();
  world.Write(meeting, elsewhere);
  EXPECT_EQ(FateOf(zhangs, AttendanceOf(elsewhere, wang, branch)), "RETURNED BAD_VALUE")
      << "the same, whether there is one or not";
  const Id own = MakeMeeting(zhangs);
  EXPECT_EQ(FateOf(zhangs, AttendanceOf(own, wang, branch)), "");
}

// ---- Places ------------------------------------------------------------------------

// An ordinary member kept others' details: li filled them in, and wang read them.
TEST_F(AuthorityTest, NobodyKeepsSomebodyElsesRecordInTheirOwnPerson) {
  EXPECT_EQ(FateOf(wangs, Detail(li, wang)), "RETURNED NOT_ENTITLED");
  EXPECT_EQ(FateOf(wangs, ContactOf(li, wang)), "RETURNED NOT_ENTITLED");
  EXPECT_EQ(FateOf(wangs, DuesOf(chen, wang)), "RETURNED NOT_ENTITLED");
  EXPECT_EQ(FateOf(wangs, CheckInOf(NewId(), zhang, wang)), "RETURNED NOT_ENTITLED");
  EXPECT_EQ(FateOf(wangs, LetterOf(chen, wang, host, Transfer::REQUESTED)),
            "RETURNED NOT_ENTITLED");
  EXPECT_EQ(FateOf(zhangs, Detail(li, branch)), "") << "nobody was there first";
}

// A secretary kept the members' details beyond the office.
TEST_F(AuthorityTest, NoSecretaryTakesRecordsAlongIntoTheirOwnPerson) {
  const Id detail =
      zhangs.Make<PrivateDetail>([&](PrivateDetail& made) { made = Detail(wang, branch); });
  world.SyncAll();
  zhangs.Change<PrivateDetail>(detail, [&](PrivateDetail& d) { d.set_branch_id(zhang.str()); });
  EXPECT_EQ(Fate(zhangs), "RETURNED NOT_ENTITLED");
  EXPECT_EQ(world.Get<PrivateDetail>(detail).branch_id(), branch.str());
}

TEST_F(AuthorityTest, ALetterIsToABranchAndNotToAPersonOrNobody) {
  for (const Id& to : {zhang, wang, NewId()}) {
    Transfer letter = LetterOf(wang, branch, to, Transfer::ISSUED);
    letter.set_letter_number("1");
    letter.set_issued("2026-11-18");
    letter.set_valid_until("2026-12-18");
    EXPECT_EQ(FateOf(zhangs, letter), "RETURNED BAD_VALUE");
  }
}

TEST_F(AuthorityTest, AnIdIsAPersonOrAnOrganisationAndNeverBoth) {
  Member member;
  member.set_branch_id(branch.str());
  member.set_name("某");
  Raw raw(world, zhangs);
  EXPECT_EQ(raw.Answer({raw.Create(member, host)}), "RETURNED BAD_VALUE");
  EXPECT_EQ(raw.Answer({raw.Create(member, branch)}), "RETURNED BAD_VALUE");
  EXPECT_EQ(FateOf(zhangs, ContactOf(host, branch)), "RETURNED NOT_OF_BRANCH");
  EXPECT_FALSE(chens.Has<Member>(host));
}

// What a branch's secretary may do about those above it, and what not.
TEST_F(AuthorityTest, NobodyHangsAnOrganisationBelowAnotherWithoutIt) {
  const Id above = world.Branch("镇党委");
  world.SyncAll();
  zhangs.Change<Organisation>(branch, [&](Organisation& o) { o.set_host_parent_id(above.str()); });
  EXPECT_EQ(Fate(zhangs), "RETURNED NOT_ENTITLED");
  zhangs.Change<Organisation>(branch,
                              [&](Organisation& o) { o.set_host_parent_id(NewId().str()); });
  EXPECT_EQ(Fate(zhangs), "RETURNED NOT_ENTITLED");
  world.Appoint(zhang, above, DEPUTY);
  zhangs.Change<Organisation>(branch, [&](Organisation& o) { o.set_host_parent_id(above.str()); });
  EXPECT_EQ(Fate(zhangs), "") << "now both agree";
}

// It was taken away for as long as a member's records were looked at.
TEST_F(AuthorityTest, NobodyTakesAnOrganisationFromBelowAnotherWithoutIt) {
  const Id above = world.Branch("镇党委");
  Organisation below = world.Get<Organisation>(branch);
  below.set_parent_id(above.str());
  world.Write(below, branch);
  world.SyncAll();
  zhangs.Change<Organisation>(branch, [](Organisation& o) { o.clear_parent_id(); });
  EXPECT_EQ(Fate(zhangs), "RETURNED NOT_ENTITLED");
  EXPECT_EQ(world.Get<Organisation>(branch).parent_id(), above.str());
  world.Appoint(zhang, above, SECRETARY);
  world.Wait(1000);
  world.Dismiss(zhang, above, SECRETARY);
  zhangs.Change<Organisation>(branch, [](Organisation& o) { o.clear_parent_id(); });
  EXPECT_EQ(Fate(zhangs), "HELD GRANT_ENDED");
}

TEST_F(AuthorityTest, WhatTheServerMakesNobodyElseMakesOrDeletes) {
  for (const RecordType& type : world.schema()->types()) {
    if (!type.made_by_server) continue;
    Raw raw(world, zhangs);
    for (const Change::Kind kind : {Change::CREATE, Change::DELETE}) {
      if (kind == Change::DELETE && type.permanent) continue;
      Change change;
      change.set_type(type.number);
      change.set_id(NewId().str());
      change.set_kind(kind);
      EXPECT_EQ(raw.Answer({change}), "RETURNED SERVER_ONLY") << type.name;
    }
  }
}

// ---- Belonging -----------------------------------------------------------------------

// A contact of anybody told whoever made it where that one was, and showed it to all there.
TEST_F(AuthorityTest, NobodyLocatesAPersonByWritingOfThem) {
  EXPECT_EQ(FateOf(zhaos, ContactOf(wang, other)), "RETURNED NOT_OF_BRANCH");
  EXPECT_EQ(FateOf(zhaos, CheckInOf(NewId(), wang, other)), "RETURNED NOT_OF_BRANCH");
  EXPECT_EQ(FateOf(zhaos, AttendanceOf(NewId(), wang, other)), "RETURNED NOT_OF_BRANCH");
  world.SyncAll();
  EXPECT_THAT(wangs.All<Contact>(), IsEmpty());
  EXPECT_THAT(zhangs.All<CheckIn>(), IsEmpty());
}

TEST_F(AuthorityTest, OfSomebodyWhoDoesNotExistTheAnswerIsTheSame) {
  EXPECT_EQ(FateOf(zhaos, ContactOf(NewId(), other)), "RETURNED NOT_OF_BRANCH");
  EXPECT_EQ(FateOf(zhaos, ContactOf(branch, other)), "RETURNED NOT_OF_BRANCH");
}

TEST_F(AuthorityTest, AGuestBelongsForWhatTheHostKeepsOfThemAndNoMore) {
  EXPECT_EQ(FateOf(chens, ContactOf(wang, host)), "RETURNED NOT_OF_BRANCH");
  const Id flow = Report(wangs);
  world.SyncAll();
  EXPECT_EQ(FateOf(chens, ContactOf(wang, host)), "RETURNED NOT_OF_BRANCH") << "not accepted yet";
  Step(chens, flow, Flow::ACCEPTED);
  EXPECT_EQ(Fate(chens), "");
  EXPECT_EQ(FateOf(chens, ContactOf(wang, host)), "");
  EXPECT_EQ(FateOf(chens, DuesOf(wang, host)), "");
  EXPECT_EQ(FateOf(chens, Detail(wang, host)), "RETURNED NOT_OF_BRANCH");
  world.SyncAll();
  Step(wangs, flow, Flow::ENDED);
  EXPECT_EQ(Fate(wangs), "");
  EXPECT_EQ(FateOf(chens, ContactOf(wang, host)), "HELD MOVED_AWAY") << "they belonged once";
}

TEST_F(AuthorityTest, WhoIsRegisteredInOneEditBelongsInThatEdit) {
  Raw raw(world, zhangs);
  const Id person = NewId();
  Member member;
  member.set_branch_id(branch.str());
  member.set_name("新");
  Placement placement;
  placement.set_member_id(person.str());
  placement.set_branch_id(branch.str());
  EXPECT_EQ(raw.Answer({raw.Create(Detail(person, branch))}), "RETURNED NOT_OF_BRANCH");
  EXPECT_EQ(raw.Answer({raw.Create(placement)}), "RETURNED NOT_OF_BRANCH");
  EXPECT_EQ(raw.Answer({raw.Create(member, person), raw.Create(placement),
                        raw.Create(Detail(person, branch))}),
            "MERGED");
}

// ---- What is kept together -------------------------------------------------------------

// Whoever came first had the one record that there can be.
TEST_F(AuthorityTest, WhatIsOfAMeetingIsKeptWhereTheMeetingIs) {
  const Id meeting = MakeMeeting(zhangs);
  world.SyncAll();
  Stay();  // wang belongs to both
  EXPECT_EQ(FateOf(chens, AttendanceOf(meeting, wang, host)), "RETURNED BAD_VALUE");
  EXPECT_EQ(FateOf(chens, CheckInOf(meeting, wang, host)), "RETURNED BAD_VALUE");
  EXPECT_EQ(FateOf(wangs, CheckInOf(meeting, li, branch)), "RETURNED NOT_ENTITLED");
  EXPECT_EQ(FateOf(wangs, CheckInOf(meeting, li, wang)), "RETURNED NOT_ENTITLED");
  EXPECT_EQ(FateOf(zhangs, AttendanceOf(meeting, wang, branch)), "");
  EXPECT_EQ(FateOf(zhangs, CheckInOf(meeting, li, branch)), "");
}

TEST_F(AuthorityTest, WhoeverIsPlacedInABranchIsInItsRegister) {
  Placement placement;
  placement.set_member_id(chen.str());
  placement.set_branch_id(branch.str());
  Raw raw(world, zhangs);
  EXPECT_EQ(raw.Answer({raw.Create(placement)}), "RETURNED NOT_OF_BRANCH") << "they are at host";
  world.Appoint(zhang, host, SECRETARY);
  EXPECT_EQ(raw.Answer({raw.Create(placement)}), "RETURNED NOT_OF_BRANCH");
  EXPECT_EQ(world.Get<Member>(chen).branch_id(), host.str());
}

// ---- Steps ---------------------------------------------------------------------------

// A member walked into any branch, and moved others there, by a letter that came received.
TEST_F(AuthorityTest, NobodyMovesAnybodyByALetterThatBeginsReceived) {
  for (const Id& person : {wang, li, zhang}) {
    Transfer letter = LetterOf(person, branch, host, Transfer::RECEIVED);
    letter.set_valid_until("2027-01-01");
    letter.set_issued("2026-11-18");
    Raw raw(world, wangs);
    Change change = raw.Create(letter, NewId());
    EXPECT_THAT(raw.Answer({change}), ::testing::StartsWith("RETURNED"));
    // The state twice, as two kinds of number: the first reader took the one, the next the other.
    change.mutable_set()->append("\x2d\x01\x00\x00\x00", 5);
    change.set_id(NewId().str());
    EXPECT_THAT(raw.Answer({change}), ::testing::StartsWith("RETURNED"));
  }
  world.SyncAll();
  EXPECT_EQ(HomeOfWang(), branch.str());
}

TEST_F(AuthorityTest, WhatComesWithAStepIsWrittenWithItAndByWhoTakesIt) {
  const Id flow = Report(wangs);
  world.SyncAll();
  const auto change = [&](Phone& phone, std::function<void(Flow&)> what) {
    phone.Change<Flow>(flow, what);
    return Fate(phone);
  };
  EXPECT_EQ(change(wangs, [](Flow& f) { f.set_expected_back("2027-01-31"); }), "");
  EXPECT_EQ(change(wangs, [&](Flow& f) { f.set_accepted_by_id(chen.str()); }),
            "RETURNED STEP_NOT_ALLOWED");
  EXPECT_EQ(change(wangs, [](Flow& f) { f.set_host_contact("假"); }), "RETURNED NOT_YOUR_STEP");
  EXPECT_EQ(change(chens,
                   [&](Flow& f) {
                     f.set_state(Flow::ACCEPTED);
                     f.set_accepted_by_id(chen.str());
                     f.set_host_contact("陈");
                   }),
            "");
  world.SyncAll();
  EXPECT_EQ(change(wangs, [](Flow& f) { f.set_expected_back("2099-01-31"); }),
            "RETURNED STEP_NOT_ALLOWED");
  EXPECT_EQ(change(wangs, [&](Flow& f) { f.set_accepted_by_id(wang.str()); }),
            "RETURNED NOT_YOUR_STEP");
  EXPECT_EQ(change(wangs, [](Flow& f) { f.set_ended("2026-12-01"); }), "RETURNED STEP_NOT_ALLOWED");
  EXPECT_EQ(change(wangs,
                   [](Flow& f) {
                     f.set_state(Flow::EXTENSION_ASKED);
                     f.set_asked_back("2027-06-30");
                   }),
            "");
  EXPECT_EQ(change(zhangs,
                   [](Flow& f) {
                     f.set_state(Flow::EXTENDED);
                     f.set_expected_back("2027-06-30");
                   }),
            "");
  world.SyncAll();
  EXPECT_EQ(change(wangs, [](Flow& f) { f.set_expected_back("2099-01-31"); }),
            "RETURNED NOT_YOUR_STEP");
  EXPECT_EQ(change(chens, [](Flow& f) { f.set_host_contact("陈二"); }), "") << "at any time";
}

// The home then could not write its own.
TEST_F(AuthorityTest, AMemberWhoAsksForALetterWritesNothingOfIt) {
  for (const auto& fill : std::vector<std::function<void(Transfer&)>>{
           [](Transfer& t) { t.set_letter_number("假"); },
           [](Transfer& t) { t.set_valid_until("2027-01-01"); },
           [](Transfer& t) { t.set_received("2026-11-18"); },
           [&](Transfer& t) { t.set_received_by_id(chen.str()); }}) {
    Transfer letter = LetterOf(wang, branch, host, Transfer::REQUESTED);
    fill(letter);
    EXPECT_EQ(FateOf(wangs, letter), "RETURNED STEP_NOT_ALLOWED");
  }
  EXPECT_EQ(FateOf(wangs, LetterOf(wang, branch, host, Transfer::REQUESTED)), "");
}

TEST_F(AuthorityTest, ANewStayLetterOrPassBeginsAtAStep) {
  Transfer letter = LetterOf(wang, branch, host, Transfer::STATE_UNSPECIFIED);
  EXPECT_EQ(FateOf(wangs, letter), "RETURNED MISSING_FIELD");
  Flow flow;
  flow.set_member_id(wang.str());
  flow.set_home_branch_id(branch.str());
  flow.set_host_branch_id(host.str());
  EXPECT_EQ(FateOf(wangs, flow), "RETURNED MISSING_FIELD");
  Pass pass;
  pass.set_number("7");
  pass.set_member_id(wang.str());
  pass.set_branch_id(branch.str());
  pass.set_from("2026-11-18");
  pass.set_until("2027-11-17");
  EXPECT_EQ(FateOf(lis, pass), "RETURNED MISSING_FIELD");
  world.SyncAll();
  EXPECT_THAT(chens.All<Flow>(), IsEmpty());
}

TEST_F(AuthorityTest, NoNamesAreFilledInForIdsThatTheAuthorOnlyTries) {
  EXPECT_EQ(FateOf(wangs, LetterOf(chen, host, branch, Transfer::REQUESTED)),
            "RETURNED NOT_ENTITLED");
  EXPECT_EQ(FateOf(zhangs, LetterOf(chen, branch, host, Transfer::REQUESTED)),
            "RETURNED NOT_OF_BRANCH");
  world.SyncAll();
  EXPECT_THAT(wangs.All<Transfer>(), IsEmpty());
  EXPECT_THAT(zhangs.All<Transfer>(), IsEmpty());
}

TEST_F(AuthorityTest, ALetterIsNotReceivedBeforeItWasIssued) {
  const Id letter = Issue(zhangs, host, "1", "2026-12-01");
  world.SyncAll();
  world.Wait(20 * int64_t{86'400'000});
  // The home writes on it, after it has run out; whoever has seen that cannot be earlier.
  zhangs.Change<Transfer>(letter, [](Transfer& t) { t.set_remark("已过期"); });
  world.SyncAll();
  Raw raw(world, chens);
  Transfer received;
  received.set_state(Transfer::RECEIVED);
  raw.stamp_ms = world.now_ms() - 19 * int64_t{86'400'000};
  EXPECT_EQ(raw.Answer({raw.Update(received, letter)}), "RETURNED LETTER_EXPIRED");
}

// ---- What is not there, and what is not yours ------------------------------------------

TEST_F(AuthorityTest, NobodyIsPutOutOfOfficeByBeingTakenOutOfTheRegister) {
  lis.Delete<Member>(zhang);  // the deputy, of the secretary
  EXPECT_THAT(Fate(lis), ::testing::HasSubstr("HOLDS_OFFICE"));
  EXPECT_FALSE(world.Get<Member>(zhang).name().empty());
  MakeMeeting(zhangs);
  EXPECT_EQ(Fate(zhangs), "");
}

TEST_F(AuthorityTest, WhoIsTakenOutOfTheRegisterHoldsNothingOfTheBranchUntilTheyAreThereAgain) {
  const Id meeting = MakeMeeting(zhangs);
  world.SyncAll();
  ASSERT_TRUE(wangs.Has<Meeting>(meeting));
  Member member = world.Get<Member>(wang);
  zhangs.Delete<Member>(wang);
  world.SyncAll();
  world.SyncAll();
  EXPECT_FALSE(wangs.Has<Meeting>(meeting));
  Raw raw(world, zhangs);
  member.clear_registered_name();
  EXPECT_EQ(raw.Answer({raw.Create(member, wang)}), "MERGED");
  world.SyncAll();
  world.SyncAll();
  EXPECT_TRUE(wangs.Has<Meeting>(meeting));
}

TEST_F(AuthorityTest, WhatOneMayNotSeeIsAnsweredAsWhatIsNotThere) {
  const Id meeting = chens.Make<Meeting>([&](Meeting& m) { m.set_branch_id(host.str()); });
  const Id detail =
      chens.Make<PrivateDetail>([&](PrivateDetail& made) { made = Detail(chen, host); });
  world.SyncAll();
  for (Phone* phone : {&wangs, &zhangs}) {
    Raw raw(world, *phone);
    for (const Id& id : {meeting, NewId()}) {
      Meeting set;
      set.set_state(Meeting::CLOSED);
      const auto answer = raw.AnswerOf({raw.Update(set, id)});
      EXPECT_EQ(answer.reason(), sync::v1::NO_SUCH_RECORD);
      EXPECT_EQ(answer.detail(), "Meeting");
      EXPECT_EQ(raw.Answer({raw.Deletion(31, id)}), "RETURNED NO_SUCH_RECORD");
    }
    for (const Id& id : {detail, NewId()}) {
      PrivateDetail set;
      set.set_phone("1");
      EXPECT_EQ(raw.Answer({raw.Update(set, id)}), "RETURNED NO_SUCH_RECORD");
    }
  }
}

// Who came after it was deleted never saw it; who may write there learns it by the merge.
TEST_F(AuthorityTest, WhatWasDeletedIsAnsweredAsWhatIsNotThere) {
  const Id meeting = MakeMeeting(zhangs);
  world.SyncAll();
  zhangs.Delete<Meeting>(meeting);
  world.SyncAll();
  world.Place(chen, branch);
  for (Phone* phone : {&chens, &wangs}) {
    Raw raw(world, *phone);
    for (const Id& id : {meeting, NewId()}) {
      Meeting set;
      set.set_topic("学习");
      EXPECT_EQ(raw.Answer({raw.Update(set, id)}), "RETURNED NO_SUCH_RECORD");
      EXPECT_EQ(raw.Answer({raw.Deletion(31, id)}), "RETURNED NO_SUCH_RECORD");
    }
  }
}

TEST_F(AuthorityTest, TheStageOfAStrangerIsNotToldByTheRefusalOfAStep) {
  Member member = world.Get<Member>(chen);
  member.set_stage(Member::FULL);
  world.Write(member, chen);
  Raw raw(world, wangs);
  Member set;
  set.set_stage(Member::APPLICANT);
  EXPECT_EQ(raw.Answer({raw.Update(set, chen)}), "RETURNED NO_SUCH_RECORD");
  // Nor to somebody who sees the record and may not write it.
  EXPECT_EQ(raw.Answer({raw.Update(set, li)}), "RETURNED NOT_ENTITLED");
}

TEST_F(AuthorityTest, WhereAHeldEditLiesIsNotForItsAuthor) {
  Raw raw(world, wangs);
  world.Revoke(raw.device());
  EXPECT_EQ(raw.Answer({raw.Create(DuesOf(wang, branch), NewId())}), "HELD OF_REVOKED_DEVICE");
  EXPECT_EQ(world.Sync(wangs), absl::OkStatus());
  const auto held = wangs.All<HeldEdit>();
  ASSERT_THAT(held, SizeIs(1));
  EXPECT_THAT(held[0].scopes(), IsEmpty());
}

}  // namespace
}  // namespace zhibu::test
