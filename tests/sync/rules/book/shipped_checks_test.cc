// What the shipped checks say. The numbered cases are those of the domain's worked examples.
#include <gmock/gmock.h>
#include <google/protobuf/util/time_util.h>

#include "tests/sync/rules/book/around.h"
#include "zhibu/records/v1/catalogue.pb.h"

namespace zhibu::rules {
namespace {

using google::protobuf::Message;
using google::protobuf::util::TimeUtil;
using records::v1::Appraisal;
using records::v1::Attendance;
using records::v1::DevelopmentCase;
using records::v1::DevelopmentStep;
using records::v1::DuesBase;
using records::v1::DuesPayment;
using records::v1::Election;
using records::v1::Flow;
using records::v1::FoundingRequest;
using records::v1::MatterSheet;
using records::v1::Meeting;
using records::v1::Member;
using records::v1::MemberAppraisal;
using records::v1::Organisation;
using records::v1::PrivateDetail;
using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Not;

class ShippedChecks : public testing::Test {
 protected:
  // "BROKEN key", of the checks whose keys begin so; what is unknown is left out.
  std::vector<std::string> Broken(const Message& record, const std::string& keys,
                                  const Id& id = InMemory::IdOf(99), bool words = false) {
    std::vector<std::string> broken;
    for (const std::string& line : Judge(ShippedBook(), record, around, keys, id, words)) {
      EXPECT_NE(line.substr(0, 5), "WRONG") << line;
      if (line.rfind("BROKEN ", 0) == 0) broken.push_back(line.substr(7));
    }
    return broken;
  }

  const Id branch = InMemory::IdOf(50);
  const Id person = InMemory::IdOf(51);
  InMemory around;
};

// ---- 发展党员 ---------------------------------------------------------------------------

class DevelopmentChecks : public ShippedChecks {
 protected:
  DevelopmentChecks() {
    one.set_member_id(person.str());
    one.set_lead_branch_id(branch.str());
    one.set_attempt(1);
    KeepCase();
  }
  void KeepCase() { case_id = around.Put(one); }
  DevelopmentStep Step(DevelopmentStep::Step step, const char* on) const {
    DevelopmentStep made;
    made.set_case_id(case_id.str());
    made.set_attempt(1);
    made.set_step(step);
    made.set_member_id(person.str());
    made.set_branch_id(branch.str());
    made.set_done_on(on);
    made.set_result(DevelopmentStep::PASSED);
    return made;
  }
  void Keep(DevelopmentStep::Step step, const char* on) { around.Put(Step(step, on)); }
  static void Vote(uint32_t entitled, uint32_t present, uint32_t in_favour, uint32_t written,
                   DevelopmentStep* step) {
    auto& vote = *step->mutable_vote();
    vote.set_entitled(entitled);
    vote.set_present(present);
    vote.set_in_favour(in_favour);
    vote.set_written_in_favour(written);
  }

  DevelopmentCase one;
  Id case_id;
};

TEST_F(DevelopmentChecks, AStageWithoutItsStepsIsToBeLookedAt) {
  one.set_attempt(1);
  one.set_stage(DevelopmentCase::CONFIRMED);
  KeepCase();
  EXPECT_THAT(Broken(one, "dev.stage", case_id), ElementsAre("dev.stage_confirmed"));
  Keep(DevelopmentStep::CONFIRMATION_MEETING, "2026-05-20");
  EXPECT_THAT(Broken(one, "dev.stage", case_id), ElementsAre("dev.stage_confirmed"));
  Keep(DevelopmentStep::CONFIRMATION_APPROVAL, "2026-06-20");
  EXPECT_THAT(Broken(one, "dev.stage", case_id), IsEmpty());
  one.set_stage(DevelopmentCase::ACTIVIST);
  EXPECT_THAT(Broken(one, "dev.stage", case_id), ElementsAre("dev.stage_activist"));
}

TEST_F(DevelopmentChecks, WhoeverAppliesIsEighteen) {
  Member member;
  member.set_branch_id(branch.str());
  member.set_born("2008-03-02");
  around.Put(person, member);
  EXPECT_THAT(Broken(Step(DevelopmentStep::APPLICATION, "2026-03-01"), "dev.age"),
              ElementsAre("dev.age"));
  EXPECT_THAT(Broken(Step(DevelopmentStep::APPLICATION, "2026-03-02"), "dev.age"), IsEmpty());
}

TEST_F(DevelopmentChecks, Case9ATalkIsLateAMonthAfterTheApplication) {
  Keep(DevelopmentStep::APPLICATION, "2025-01-10");
  EXPECT_THAT(
      Broken(Step(DevelopmentStep::FIRST_TALK, "2025-02-12"), "dev.talk", InMemory::IdOf(99), true),
      ElementsAre("dev.talk_in_time: 收到申请后一个月内派人谈话（2025-02-10前）"));
  EXPECT_THAT(Broken(Step(DevelopmentStep::FIRST_TALK, "2025-02-10"), "dev.talk"), IsEmpty());
}

TEST_F(DevelopmentChecks, Case10ACandidateHasBeenAnActivistForAYear) {
  one.set_activist_since("2025-03-01");
  KeepCase();
  EXPECT_THAT(Broken(Step(DevelopmentStep::CANDIDATE_CHOSEN, "2026-02-20"), "dev.observed",
                     InMemory::IdOf(99), true),
              ElementsAre("dev.observed: 确定为积极分子满一年（2026-03-01起）才能列为发展对象"));
  EXPECT_THAT(Broken(Step(DevelopmentStep::CANDIDATE_CHOSEN, "2026-03-01"), "dev.observed"),
              IsEmpty());
}

TEST_F(DevelopmentChecks, Case12ANoticeStandsForFiveWorkingDays) {
  DevelopmentStep chosen = Step(DevelopmentStep::CANDIDATE_CHOSEN, "2026-06-23");
  chosen.set_notice_from("2026-06-15");
  chosen.set_notice_until("2026-06-19");
  EXPECT_THAT(Broken(chosen, "dev.notice", InMemory::IdOf(99), true),
              ElementsAre("dev.notice: 公示不少于五个工作日（最早2026-06-22结束）"));
  chosen.set_notice_until("2026-06-22");
  EXPECT_THAT(Broken(chosen, "dev.notice"), IsEmpty());
}

TEST_F(DevelopmentChecks, Case12WithoutACalendarNobodyCanTell) {
  DevelopmentStep chosen = Step(DevelopmentStep::CANDIDATE_CHOSEN, "2099-06-23");
  chosen.set_notice_from("2099-06-15");
  chosen.set_notice_until("2099-06-16");
  EXPECT_THAT(Judge(ShippedBook(), chosen, around, "dev.notice"),
              ElementsAre("UNKNOWN dev.notice"));
}

TEST_F(DevelopmentChecks, Case13TheRulesOf2014AskForNoNotice) {
  DevelopmentStep chosen = Step(DevelopmentStep::CANDIDATE_CHOSEN, "2025-06-23");
  chosen.set_notice_from("2025-06-18");
  chosen.set_notice_until("2025-06-22");
  EXPECT_THAT(Broken(chosen, "dev.notice"), IsEmpty());
}

TEST_F(DevelopmentChecks, ACandidateIsChosenOnceTheNoticeHasEnded) {
  DevelopmentStep chosen = Step(DevelopmentStep::CANDIDATE_CHOSEN, "2026-06-20");
  chosen.set_notice_from("2026-06-01");
  chosen.set_notice_until("2026-06-22");
  EXPECT_THAT(Broken(chosen, "dev.notice"), ElementsAre("dev.notice_first"));
}

// The table that was in force on the day of a step judges that step.
TEST_F(DevelopmentChecks, Case14TheRulesOf2014AndOfMay2026SideBySide) {
  Keep(DevelopmentStep::PRE_EXAMINATION, "2026-06-30");
  EXPECT_THAT(Broken(Step(DevelopmentStep::ACCEPTANCE_MEETING, "2026-08-03"), "dev.meeting",
                     InMemory::IdOf(99), true),
              ElementsAre("dev.meeting_in_time: 预审合格后一个月内召开支部大会（2026-07-30前）"));
  EXPECT_THAT(Broken(Step(DevelopmentStep::ACCEPTANCE_MEETING, "2026-07-30"), "dev.meeting"),
              IsEmpty());
  Keep(DevelopmentStep::PRE_EXAMINATION, "2025-06-30");
  EXPECT_THAT(Broken(Step(DevelopmentStep::ACCEPTANCE_MEETING, "2025-08-03"), "dev.meeting"),
              IsEmpty());
  // Begun under the one and done under the other: the day of the step decides.
  Keep(DevelopmentStep::PRE_EXAMINATION, "2026-04-10");
  EXPECT_THAT(Broken(Step(DevelopmentStep::ACCEPTANCE_MEETING, "2026-05-17"), "dev.meeting"),
              IsEmpty());
  EXPECT_THAT(Broken(Step(DevelopmentStep::ACCEPTANCE_MEETING, "2026-05-18"), "dev.meeting"),
              ElementsAre("dev.meeting_in_time"));
}

TEST_F(DevelopmentChecks, Case15MoreThanHalfOfThoseEntitledArePresentAndInFavour) {
  DevelopmentStep meeting = Step(DevelopmentStep::ACCEPTANCE_MEETING, "2026-07-28");
  Vote(31, 16, 16, 0, &meeting);
  EXPECT_THAT(Broken(meeting, "dev.vote"), IsEmpty());
  Vote(31, 15, 15, 0, &meeting);
  EXPECT_THAT(Broken(meeting, "dev.vote"), ElementsAre("dev.vote_quorum", "dev.vote_majority"));
}

TEST_F(DevelopmentChecks, Case16WrittenViewsCountAndHalfIsNotMoreThanHalf) {
  DevelopmentStep meeting = Step(DevelopmentStep::ACCEPTANCE_MEETING, "2026-07-28");
  Vote(30, 20, 14, 1, &meeting);
  EXPECT_THAT(Broken(meeting, "dev.vote"), ElementsAre("dev.vote_majority"));
  Vote(30, 20, 14, 2, &meeting);
  EXPECT_THAT(Broken(meeting, "dev.vote"), IsEmpty());
  meeting.set_result(DevelopmentStep::NOT_PASSED);
  Vote(30, 20, 14, 1, &meeting);
  EXPECT_THAT(Broken(meeting, "dev.vote"), IsEmpty()) << "nobody was admitted";
}

TEST_F(DevelopmentChecks, TheTotalsOfAVoteAddUp) {
  DevelopmentStep meeting = Step(DevelopmentStep::ACCEPTANCE_MEETING, "2026-07-28");
  Vote(30, 20, 19, 0, &meeting);
  meeting.mutable_vote()->set_against(2);
  EXPECT_THAT(Broken(meeting, "dev.vote"), ElementsAre("dev.vote_adds_up"));
}

TEST_F(DevelopmentChecks, Case17AnApprovalTakesThreeMonthsAndSixAtMost) {
  Keep(DevelopmentStep::ACCEPTANCE_MEETING, "2026-07-28");
  const auto approved = [&](const char* on) {
    return Broken(Step(DevelopmentStep::APPROVAL, on), "dev.approved", InMemory::IdOf(99), true);
  };
  EXPECT_THAT(approved("2026-10-28"), IsEmpty());
  EXPECT_THAT(
      approved("2026-11-02"),
      ElementsAre("dev.approved_in_time: 审批应在三个月内（2026-10-28前）完成，超过须说明原因"));
  EXPECT_THAT(approved("2027-02-01"),
              Contains("dev.approved_at_most: 审批最迟不得超过六个月（2027-01-28）"));
}

TEST_F(DevelopmentChecks, Case18ConfirmationCountsFromTheEndOfProbation) {
  one.set_accepted_on("2026-07-28");
  KeepCase();
  EXPECT_THAT(Broken(Step(DevelopmentStep::CONFIRMATION_MEETING, "2027-07-27"), "dev.probation"),
              ElementsAre("dev.probation_over"));
  EXPECT_THAT(Broken(Step(DevelopmentStep::CONFIRMATION_MEETING, "2027-08-20"), "dev.probation"),
              IsEmpty());
  one.set_confirmed_on("2027-08-20");
  EXPECT_THAT(Broken(one, "dev.confirmed", case_id, true),
              ElementsAre("dev.confirmed_from: 转正日期从预备期满之日（2027-07-28）算起，"
                          "党龄也从这一天算起"));
  one.set_confirmed_on("2027-07-28");
  EXPECT_THAT(Broken(one, "dev.confirmed", case_id), IsEmpty());
}

TEST_F(DevelopmentChecks, Case19AnExtensionIsOfSixMonthsToAYear) {
  one.set_accepted_on("2026-07-28");
  KeepCase();
  DevelopmentStep meeting = Step(DevelopmentStep::CONFIRMATION_MEETING, "2027-08-20");
  meeting.set_result(DevelopmentStep::PROBATION_EXTENDED);
  around.Put(meeting);
  const auto until = [&](const char* day) {
    one.set_extended_until(day);
    return Broken(one, "dev.extension", case_id);
  };
  EXPECT_THAT(until("2027-10-28"), ElementsAre("dev.extension")) << "three months";
  EXPECT_THAT(until("2028-01-28"), IsEmpty()) << "six";
  EXPECT_THAT(until("2028-07-28"), IsEmpty()) << "a year";
  EXPECT_THAT(until("2029-01-28"), ElementsAre("dev.extension")) << "and another half";
}

TEST_F(DevelopmentChecks, NobodyGoesOnBeforeTheReviewHasBeenPassed) {
  const DevelopmentStep meeting = Step(DevelopmentStep::ACCEPTANCE_MEETING, "2026-07-28");
  EXPECT_THAT(Broken(meeting, "dev.review"), ElementsAre("dev.review"));
  DevelopmentStep review = Step(DevelopmentStep::POLITICAL_REVIEW, "2026-05-20");
  review.set_result(DevelopmentStep::NOT_PASSED);
  around.Put(review);
  EXPECT_THAT(Broken(meeting, "dev.review"), ElementsAre("dev.review"));
  Keep(DevelopmentStep::POLITICAL_REVIEW, "2026-06-20");
  EXPECT_THAT(Broken(meeting, "dev.review"), IsEmpty());
}

TEST_F(DevelopmentChecks, TwoFullMembersAreTheSponsors) {
  const DevelopmentStep meeting = Step(DevelopmentStep::ACCEPTANCE_MEETING, "2026-07-28");
  Member full;
  full.set_branch_id(branch.str());
  full.set_stage(Member::FULL);
  Member probationary = full;
  probationary.set_stage(Member::PROBATIONARY);
  one.add_sponsors(around.Put(full).str());
  KeepCase();
  EXPECT_THAT(Broken(meeting, "dev.sponsors"), ElementsAre("dev.sponsors"));
  one.add_sponsors(around.Put(probationary).str());
  KeepCase();
  EXPECT_THAT(Broken(meeting, "dev.sponsors"), ElementsAre("dev.sponsors"));
  one.set_sponsors(1, around.Put(full).str());
  KeepCase();
  EXPECT_THAT(Broken(meeting, "dev.sponsors"), IsEmpty());
}

TEST_F(DevelopmentChecks, ThereAreTwoMentorsAtMost) {
  for (int i = 0; i < 3; ++i) one.add_mentors(InMemory::IdOf(70 + i).str());
  KeepCase();
  EXPECT_THAT(Broken(Step(DevelopmentStep::MENTORS_NAMED, "2026-01-05"), "dev.mentors"),
              ElementsAre("dev.mentors"));
  EXPECT_THAT(Broken(one, "dev.few", case_id), ElementsAre("dev.few_mentors_and_sponsors"));
}

TEST_F(DevelopmentChecks, TrainingTakesTwentyFourHoursAndTheOathIsSworn) {
  DevelopmentStep training = Step(DevelopmentStep::TRAINING, "2026-05-20");
  training.set_training_hours(23);
  EXPECT_THAT(Broken(training, "dev.training"), ElementsAre("dev.training"));
  training.set_training_hours(24);
  EXPECT_THAT(Broken(training, "dev.training"), IsEmpty());
  Keep(DevelopmentStep::APPROVAL, "2026-09-01");
  EXPECT_THAT(Broken(Step(DevelopmentStep::OATH, "2026-10-02"), "dev.oath"),
              ElementsAre("dev.oath_in_time"));
  Keep(DevelopmentStep::APPROVAL, "2025-09-01");
  EXPECT_THAT(Broken(Step(DevelopmentStep::OATH, "2025-12-02"), "dev.oath"), IsEmpty())
      << "the rules of 2014 say no time";
}

TEST_F(DevelopmentChecks, AStepIsNotDatedBeforeTheOneThatGoesBeforeIt) {
  const DevelopmentStep meeting = Step(DevelopmentStep::ACCEPTANCE_MEETING, "2026-07-28");
  EXPECT_THAT(Broken(meeting, "dev.order"), IsEmpty()) << "nobody has recorded the one before";
  Keep(DevelopmentStep::PRE_EXAMINATION, "2026-07-29");
  EXPECT_THAT(Broken(meeting, "dev.order"), ElementsAre("dev.order"));
  Keep(DevelopmentStep::PRE_EXAMINATION, "2026-07-28");
  EXPECT_THAT(Broken(meeting, "dev.order"), IsEmpty());
  Keep(DevelopmentStep::APPROVAL, "2026-09-01");
  EXPECT_THAT(Broken(Step(DevelopmentStep::OATH, "2026-08-31"), "dev.order"),
              ElementsAre("dev.order"));
}

// ---- 换届选举 ---------------------------------------------------------------------------

class ElectionChecks : public ShippedChecks {
 protected:
  // 42 members, of whom 3 are probationary and 1 is on watch.
  ElectionChecks() {
    election.set_branch_id(branch.str());
    election.set_kind(Election::GENERAL);
    election.set_method(Election::BY_COMMITTEE);
    election.set_state(Election::HELD);
    election.set_held_on("2026-05-20");
    election.set_entitled(38);
    election.set_present(31);
    election.set_seats(5);
    for (const uint32_t votes : {28u, 27u, 25u, 24u, 20u, 14u}) Stand(votes, votes > 15);
    Ballots(31, 31, 29, 2);
  }
  void Stand(uint32_t votes, bool elected) {
    auto& candidate = *election.add_candidates();
    candidate.set_member_id(InMemory::IdOf(10 + election.candidates_size()).str());
    candidate.set_office(Election::COMMITTEE_MEMBER);
    candidate.mutable_count()->set_in_favour(votes);
    candidate.set_elected(elected);
  }
  void Ballots(uint32_t issued, uint32_t returned, uint32_t valid, uint32_t invalid) {
    auto& ballots = *election.mutable_ballots();
    ballots.set_issued(issued);
    ballots.set_returned(returned);
    ballots.set_valid(valid);
    ballots.set_invalid(invalid);
  }
  std::vector<std::string> Broken() { return ShippedChecks::Broken(election, "election."); }

  Election election;
};

TEST_F(ElectionChecks, Case20FourFifthsArePresent) {
  EXPECT_THAT(Broken(), IsEmpty()) << "31 of 38";
  election.set_present(30);
  Ballots(30, 30, 29, 1);
  EXPECT_THAT(Broken(), ElementsAre("election.turnout"));
  election.set_held_on("2020-07-12");
  EXPECT_THAT(Broken(), Not(Contains("election.turnout"))) << "before XJ20";
}

TEST_F(ElectionChecks, Case21SixCandidatesForFiveSeatsAndHalfOfThosePresent) {
  election.mutable_candidates()->RemoveLast();
  EXPECT_THAT(Broken(), ElementsAre("election.more_candidates_than_seats"));
  Stand(15, false);
  EXPECT_THAT(Broken(), IsEmpty());
  election.mutable_candidates(4)->mutable_count()->set_in_favour(16);
  EXPECT_THAT(Broken(), IsEmpty()) << "more than 15.5";
  election.mutable_candidates(4)->mutable_count()->set_in_favour(15);
  election.mutable_candidates(5)->mutable_count()->set_in_favour(14);
  EXPECT_THAT(Broken(), ElementsAre("election.majority"));
}

TEST_F(ElectionChecks, Case21InvalidBallotsAreThoseThatAreNotValid) {
  Ballots(31, 31, 31, 2);
  EXPECT_THAT(Broken(), ElementsAre("election.ballots_add_up"));
}

TEST_F(ElectionChecks, Case22MoreBallotsBackThanWereGivenOutIsVoid) {
  Ballots(31, 32, 30, 2);
  EXPECT_THAT(Broken(), ElementsAre("election.ballots"));
  election.set_state(Election::VOID);
  EXPECT_THAT(Broken(), IsEmpty()) << "that is what is to be recorded of it";
}

TEST_F(ElectionChecks, Case23BetweenEqualsAtTheEdgeThereIsAnotherVote) {
  election.mutable_candidates(5)->mutable_count()->set_in_favour(20);
  EXPECT_THAT(Broken(), ElementsAre("election.by_votes")) << "28 27 25 24 20, and 20 not elected";
  election.mutable_candidates(4)->set_elected(false);
  EXPECT_THAT(Broken(), IsEmpty()) << "four are in";
  election.mutable_candidates(4)->set_elected(true);
  election.mutable_candidates(5)->set_elected(true);
  EXPECT_THAT(Broken(), ElementsAre("election.not_more_than_seats"));
}

TEST_F(ElectionChecks, NobodyHasMoreVotesThanThereAreBallots) {
  election.mutable_candidates(0)->mutable_count()->set_against(2);
  EXPECT_THAT(Broken(), ElementsAre("election.counts_add_up"));
}

// Case 33: a firm's branch has three years, a village five, a base committee five.
TEST_F(ElectionChecks, Case33ATermIsOfThreeYearsOrOfFive) {
  Organisation organisation;
  organisation.set_kind(Organisation::BRANCH);
  around.Put(branch, organisation);
  const auto term = [&](const char* from, const char* until) {
    election.set_from(from);
    election.set_until(until);
    return ShippedChecks::Broken(election, "election.term");
  };
  EXPECT_THAT(term("2023-05-20", "2026-05-20"), IsEmpty());
  EXPECT_THAT(term("2023-05-20", "2026-05-19"), IsEmpty()) << "its last day";
  EXPECT_THAT(term("2021-03-01", "2026-03-01"), IsEmpty());
  EXPECT_THAT(term("2023-05-20", "2025-05-20"), ElementsAre("election.term_length"));
  EXPECT_THAT(term("2016-05-20", "2018-05-20"), IsEmpty()) << "before RQ18";
  organisation.set_kind(Organisation::COMMITTEE);
  around.Put(branch, organisation);
  EXPECT_THAT(term("2023-05-20", "2026-05-20"), ElementsAre("election.term_length"));
}

// ---- 党组织 -----------------------------------------------------------------------------

TEST_F(ShippedChecks, Case32ABranchOfEightHasACommitteeAndOneOfTwoJoinsItsNeighbours) {
  FoundingRequest request;
  request.set_branch_id(branch.str());
  request.set_kind(Organisation::BRANCH);
  request.set_state(FoundingRequest::REQUESTED);
  request.set_requested_on("2026-03-01");
  request.set_full_members(8);
  EXPECT_THAT(Broken(request, "org."), ElementsAre("org.committee_expected"));
  request.set_committee_seats(3);
  EXPECT_THAT(Broken(request, "org."), IsEmpty());
  request.set_full_members(2);
  EXPECT_THAT(Broken(request, "org."), ElementsAre("org.branch_min"));
  request.set_full_members(49);
  request.set_probationary_members(2);
  EXPECT_THAT(Broken(request, "org."), ElementsAre("org.branch_max"));
}

// ---- 会议 -------------------------------------------------------------------------------

class MeetingChecks : public ShippedChecks {
 protected:
  MeetingChecks() {
    meeting.set_branch_id(branch.str());
    meeting.set_kind(Meeting::BRANCH_COMMITTEE);
    meeting.set_state(Meeting::HELD);
    EXPECT_TRUE(TimeUtil::FromString("2026-03-05T01:00:00Z", meeting.mutable_starts_at()));
  }
  Meeting meeting;
};

TEST_F(MeetingChecks, Case25ACommitteeMeetsWithHalfOfItsMembers) {
  meeting.set_expected(5);
  meeting.add_present("1");
  meeting.add_present("2");
  EXPECT_THAT(Broken(meeting, "meeting."), ElementsAre("meeting.committee_quorum"));
  meeting.add_present("3");
  EXPECT_THAT(Broken(meeting, "meeting."), IsEmpty());
}

TEST_F(MeetingChecks, AMembersMeetingVotesWithMoreThanHalfPresentAndItsTotalsAddUp) {
  meeting.set_kind(Meeting::MEMBERS);
  auto& vote = *meeting.add_resolutions()->mutable_vote();
  vote.set_entitled(30);
  vote.set_present(15);
  vote.set_in_favour(15);
  EXPECT_THAT(Broken(meeting, "meeting."), ElementsAre("meeting.vote_quorum"));
  vote.set_present(16);
  EXPECT_THAT(Broken(meeting, "meeting."), IsEmpty());
  vote.set_against(2);
  EXPECT_THAT(Broken(meeting, "meeting."), ElementsAre("meeting.vote_adds_up"));
  meeting.set_state(Meeting::PLANNED);
  EXPECT_THAT(Broken(meeting, "meeting."), IsEmpty()) << "it has not been held";
}

TEST_F(MeetingChecks, ABranchHoldsNoDemocraticLifeMeetingAndAGroupDoesNotVote) {
  Organisation organisation;
  organisation.set_kind(Organisation::BRANCH);
  around.Put(branch, organisation);
  meeting.set_kind(Meeting::DEMOCRATIC_LIFE);
  EXPECT_THAT(Broken(meeting, "meeting."), ElementsAre("meeting.democratic_life"));
  organisation.set_kind(Organisation::COMMITTEE);
  around.Put(branch, organisation);
  EXPECT_THAT(Broken(meeting, "meeting."), IsEmpty());
  meeting.set_kind(Meeting::GROUP);
  meeting.add_resolutions()->mutable_vote()->set_in_favour(3);
  EXPECT_THAT(Broken(meeting, "meeting."), ElementsAre("meeting.not_in_the_group"));
}

// ---- 四议两公开、民主评议 ----------------------------------------------------------------

TEST_F(ShippedChecks, Case24WhatAVillageDecides) {
  MatterSheet sheet;
  sheet.set_branch_id(branch.str());
  sheet.set_held_on("2026-03-01");
  const auto broken = [&](MatterSheet::Sheet which, MatterSheet::Body body, uint32_t entitled,
                          uint32_t present, uint32_t in_favour) {
    sheet.set_sheet(which);
    sheet.set_body(body);
    sheet.mutable_vote()->set_entitled(entitled);
    sheet.mutable_vote()->set_present(present);
    sheet.mutable_vote()->set_in_favour(in_favour);
    return Broken(sheet, "decide.");
  };
  const auto members = [&](uint32_t present, uint32_t in_favour) {
    return broken(MatterSheet::REVIEW, MatterSheet::MEMBERS_MEETING, 60, present, in_favour);
  };
  EXPECT_THAT(members(40, 31), IsEmpty());
  EXPECT_THAT(members(40, 30), ElementsAre("decide.members_for")) << "half";
  EXPECT_THAT(members(39, 31), ElementsAre("decide.members_present"));
  const auto representatives = [&](uint32_t present, uint32_t in_favour) {
    return broken(MatterSheet::RESOLUTION, MatterSheet::REPRESENTATIVES_MEETING, 45, present,
                  in_favour);
  };
  EXPECT_THAT(representatives(30, 16), IsEmpty());
  EXPECT_THAT(representatives(30, 15), ElementsAre("decide.reps"));
  EXPECT_THAT(representatives(29, 16), ElementsAre("decide.reps"));
}

TEST_F(ShippedChecks, Case26AThirdOfTheMembersAtMostAreExcellent) {
  Appraisal appraisal;
  appraisal.set_branch_id(branch.str());
  appraisal.set_year(2026);
  appraisal.set_held_on("2026-12-20");
  appraisal.set_entitled(31);
  auto& excellent = *appraisal.add_grades();
  excellent.set_grade(MemberAppraisal::EXCELLENT);
  excellent.set_members(11);
  EXPECT_THAT(Broken(appraisal, "appraisal.", InMemory::IdOf(99), true),
              ElementsAre("appraisal.excellent: 优秀等次一般不超过党员总数的三分之一（至多10名）"));
  excellent.set_members(10);
  EXPECT_THAT(Broken(appraisal, "appraisal."), IsEmpty());
}

// ---- 党费 -------------------------------------------------------------------------------

class DuesChecks : public ShippedChecks {
 protected:
  std::vector<std::string> Broken(DuesBase::Kind kind, int64_t base_fen, uint32_t rate,
                                  int64_t due_fen, const char* from = "2026-11") {
    DuesBase base;
    base.set_member_id(person.str());
    base.set_branch_id(branch.str());
    base.set_from(from);
    base.set_kind(kind);
    base.set_base_fen(base_fen);
    base.set_rate_basis_points(rate);
    base.set_monthly_due_fen(due_fen);
    return ShippedChecks::Broken(base, "dues.");
  }
};

TEST_F(DuesChecks, Case1TheRateIsOfTheWholeBase) {
  EXPECT_THAT(Broken(DuesBase::WAGE, 480'000, 100, 4'800), IsEmpty());
  EXPECT_THAT(Broken(DuesBase::WAGE, 480'000, 100, 3'300), ElementsAre("dues.amount"))
      << "as though only what is above a band bore its rate";
}

TEST_F(DuesChecks, Case2AndCase3ABandEndsWithItsLastFen) {
  EXPECT_THAT(Broken(DuesBase::WAGE, 300'000, 50, 1'500), IsEmpty());
  EXPECT_THAT(Broken(DuesBase::WAGE, 300'001, 100, 3'000), IsEmpty());
  EXPECT_THAT(Broken(DuesBase::WAGE, 300'001, 50, 1'500), ElementsAre("dues.rate"));
  EXPECT_THAT(Broken(DuesBase::WAGE, 1'000'000, 150, 15'000), IsEmpty());
  EXPECT_THAT(Broken(DuesBase::WAGE, 1'000'001, 200, 20'000), IsEmpty());
  EXPECT_THAT(Broken(DuesBase::WAGE, 1'000'001, 150, 15'000), ElementsAre("dues.rate"));
}

TEST_F(DuesChecks, Case4AThousandYuanAtMostButByOnesOwnWill) {
  EXPECT_THAT(Broken(DuesBase::WAGE, 6'200'000, 200, 100'000), IsEmpty());
  EXPECT_THAT(Broken(DuesBase::WAGE, 6'200'000, 200, 124'000), ElementsAre("dues.cap"));
  EXPECT_THAT(Broken(DuesBase::WAGE, 6'200'000, 200, 50'000), ElementsAre("dues.amount"));
}

TEST_F(DuesChecks, Case5TheRetiredHaveBandsOfTheirOwn) {
  EXPECT_THAT(Broken(DuesBase::RETIRED, 500'000, 50, 2'500), IsEmpty());
  EXPECT_THAT(Broken(DuesBase::RETIRED, 520'000, 100, 5'200), IsEmpty());
  EXPECT_THAT(Broken(DuesBase::RETIRED, 500'000, 100, 5'000), ElementsAre("dues.rate"));
  EXPECT_THAT(Broken(DuesBase::RETIRED, 520'000, 150, 7'800), ElementsAre("dues.rate"));
}

TEST_F(DuesChecks, AFenOrAYuanOfRoundingIsNobodysMistake) {
  EXPECT_THAT(Broken(DuesBase::WAGE, 481'234, 100, 4'812), IsEmpty());
  EXPECT_THAT(Broken(DuesBase::WAGE, 481'234, 100, 4'800), IsEmpty());
  EXPECT_THAT(Broken(DuesBase::WAGE, 481'234, 100, 4'700), ElementsAre("dues.amount"));
}

TEST_F(DuesChecks, FarmersPayTwoTenthsToOneYuan) {
  EXPECT_THAT(Broken(DuesBase::FARMER, 0, 0, 50), IsEmpty());
  EXPECT_THAT(Broken(DuesBase::FARMER, 0, 0, 200), ElementsAre("dues.flat"));
  EXPECT_THAT(Broken(DuesBase::STUDENT, 0, 0, 50), ElementsAre("dues.flat"));
}

DuesPayment Paid(const Id& person, const Id& branch, const char* month, const char* on) {
  DuesPayment paid;
  paid.set_member_id(person.str());
  paid.set_branch_id(branch.str());
  paid.set_amount_fen(2'000);
  paid.set_month(month);
  paid.set_paid_on(on);
  return paid;
}

TEST_F(DuesChecks, Case8WhatIsPaidAfterSixMonthsIsTold) {
  const auto broken = [&](const char* month) {
    return ShippedChecks::Broken(Paid(person, branch, month, "2026-09-10"), "dues.");
  };
  EXPECT_THAT(broken("2026-01"), ElementsAre("dues.made_up_in_time"));
  EXPECT_THAT(broken("2026-02"), ElementsAre("dues.made_up_in_time"));
  EXPECT_THAT(broken("2026-03"), IsEmpty());
}

// K6 of the field cases.
TEST_F(DuesChecks, AReversalSaysTheOppositeOfWhatItTakesBack) {
  const DuesPayment paid = Paid(person, branch, "2026-03", "2026-03-05");
  DuesPayment back = paid;
  back.set_amount_fen(-2'000);
  EXPECT_THAT(ShippedChecks::Broken(back, "dues."), ElementsAre("dues.negative"));
  back.set_reverses_id(around.Put(paid).str());
  EXPECT_THAT(ShippedChecks::Broken(back, "dues."), IsEmpty());
  back.set_amount_fen(-1'900);
  EXPECT_THAT(ShippedChecks::Broken(back, "dues."), ElementsAre("dues.reversal"));
}

// ---- 党员信息 ---------------------------------------------------------------------------

TEST_F(ShippedChecks, Case30AnIdentityNumberBearsItsCheckCharacter) {
  PrivateDetail detail;
  detail.set_member_id(person.str());
  detail.set_branch_id(branch.str());
  for (const char* good : {"11010519491231002X", "11010519491231002x", "110105 19491231 002X"}) {
    detail.set_identity_number(good);
    EXPECT_THAT(Broken(detail, "member."), IsEmpty()) << good;
  }
  for (const char* bad : {"110105194912310021", "123", "11010519491331002X"}) {
    detail.set_identity_number(bad);
    EXPECT_THAT(Broken(detail, "member."), ElementsAre("member.identity_number")) << bad;
  }
}

TEST_F(ShippedChecks, AnotherDayOfBirthThanTheNumberSaysIsShownAndNotCorrected) {
  Member member;
  member.set_branch_id(branch.str());
  member.set_born("1949-12-30");
  around.Put(person, member);
  PrivateDetail detail;
  detail.set_member_id(person.str());
  detail.set_branch_id(branch.str());
  detail.set_identity_number("11010519491231002X");
  EXPECT_THAT(Broken(detail, "member.", InMemory::IdOf(99), true),
              ElementsAre("member.born: 身份证号中的出生日期（1949-12-31）与登记的不同，"
                          "请核对档案"));
}

// ---- 日期的先后 --------------------------------------------------------------------------

// K6 of the field cases.
TEST_F(ShippedChecks, DatesAreInOrder) {
  Flow stay;
  stay.set_member_id(person.str());
  stay.set_home_branch_id(branch.str());
  stay.set_left("2028-11-25");
  stay.set_expected_back("2027-01-20");
  EXPECT_THAT(Broken(stay, "order."), ElementsAre("order.stay"));
  Member member;
  member.set_branch_id(branch.str());
  member.set_joined("2010-05-01");
  member.set_confirmed("2009-05-01");
  EXPECT_THAT(Broken(member, "order."), ElementsAre("order.member_confirmed"));
  DevelopmentCase one;
  one.set_member_id(person.str());
  one.set_lead_branch_id(branch.str());
  one.set_applied_on("2025-03-01");
  one.set_activist_since("2025-02-01");
  EXPECT_THAT(Broken(one, "order."), ElementsAre("order.development"));
}

TEST_F(ShippedChecks, WhoHasLeftIsNamedWhereWorkOfTheirsIsRecorded) {
  Member member;
  member.set_branch_id(branch.str());
  member.set_status(Member::LEFT);
  around.Put(person, member);
  Attendance attendance;
  attendance.set_member_id(person.str());
  attendance.set_branch_id(branch.str());
  EXPECT_THAT(Broken(attendance, "order."), ElementsAre("order.attendance_of_one_who_left"));
  EXPECT_THAT(Broken(Paid(person, branch, "2026-03", "2026-03-05"), "order."),
              ElementsAre("order.dues_of_one_who_left"));
}

}  // namespace
}  // namespace zhibu::rules
