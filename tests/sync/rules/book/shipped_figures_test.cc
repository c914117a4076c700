// Every shipped figure, with a known answer. The numbered cases are those of the domain's worked
// examples.
#include <functional>
#include <ostream>
#include <set>

#include "tests/sync/rules/book/summed.h"
#include "zhibu/records/v1/catalogue.pb.h"

namespace zhibu::rules {
namespace {

using records::v1::Attendance;
using records::v1::Commendation;
using records::v1::Coverage;
using records::v1::DevelopmentCase;
using records::v1::DevelopmentStep;
using records::v1::Disciplinary;
using records::v1::Disposal;
using records::v1::DuesBase;
using records::v1::DuesHandedUp;
using records::v1::DuesPayment;
using records::v1::Election;
using records::v1::Flow;
using records::v1::Grading;
using records::v1::LostContact;
using records::v1::Meeting;
using records::v1::Member;
using records::v1::MemberAppraisal;
using records::v1::Organisation;
using records::v1::Pass;
using records::v1::Placement;
using records::v1::StudySession;
using records::v1::StudyYear;
using records::v1::Training;
using records::v1::Transfer;
using testing::ElementsAre;
using testing::IsEmpty;

void SetDay(Meeting* meeting, const char* day) {
  meeting->mutable_starts_at()->set_seconds(BeginningOf(*DayFrom(day)) / 1000 + 36'000);
}

// ---- Records as a branch has them ---------------------------------------------------------

class Branch {
 public:
  Branch(InMemory& around, const Id& id) : around_(around), id_(id) {}

  template <typename T>
  Id Put(std::function<void(T&)> fill) {
    T record;
    Keep(&record);
    fill(record);
    return around_.Put(record);
  }
  Id Person(
      int number, std::function<void(Member&)> fill = [](Member&) {},
      const char* since = "2020-05-01",
      Placement::Arrival arrival = Placement::ARRIVAL_UNSPECIFIED) {
    const Id id = InMemory::IdOf(number);
    Member member;
    member.set_branch_id(id_.str());
    member.set_stage(Member::FULL);
    fill(member);
    around_.Put(id, member);
    Placement placement;
    placement.set_member_id(id.str());
    placement.set_branch_id(id_.str());
    placement.set_since(since);
    placement.set_arrival(arrival);
    around_.Put(placement);
    return id;
  }
  const Id& id() const { return id_; }

 private:
  template <typename T>
  void Keep(T* record) {
    const RecordType& type = *CatalogueSchema()->Find(T::descriptor());
    if (const FieldRule* keeper = type.Keeper(); keeper != nullptr) {
      record->GetReflection()->SetString(record, keeper->descriptor, id_.str());
    }
  }

  InMemory& around_;
  const Id id_;
};

struct Known {
  const char* key;
  const char* period;
  int64_t whole;
  std::function<void(Branch&)> records;
};

void PrintTo(const Known& known, std::ostream* out) { *out << known.key << " " << known.period; }

Id Held(Branch& branch, const char* day, Meeting::Kind kind = Meeting::MEMBERS) {
  return branch.Put<Meeting>([&](Meeting& meeting) {
    meeting.set_state(Meeting::CLOSED);
    meeting.set_kind(kind);
    meeting.set_expected(20);
    for (int i = 0; i < 17; ++i) meeting.add_present(InMemory::IdOf(60 + i).str());
    SetDay(&meeting, day);
  });
}
void TwoMeetings(Branch& branch) {
  Held(branch, "2026-03-31");
  Held(branch, "2025-12-31");
  branch.Put<Meeting>([](Meeting& meeting) {
    meeting.set_state(Meeting::PLANNED);
    SetDay(&meeting, "2026-04-01");
  });
}

void Case(Branch& branch, std::function<void(DevelopmentCase&)> fill) {
  branch.Put<DevelopmentCase>([&](DevelopmentCase& one) {
    one.set_member_id(InMemory::IdOf(50).str());
    one.set_applied_on("2025-01-10");
    fill(one);
  });
}
void Step(Branch& branch, DevelopmentStep::Step step, DevelopmentStep::Result result,
          const char* done_on, const char* decided_on) {
  branch.Person(50);
  branch.Put<DevelopmentStep>([&](DevelopmentStep& one) {
    one.set_case_id(InMemory::IdOf(70).str());
    one.set_attempt(1);
    one.set_member_id(InMemory::IdOf(50).str());
    one.set_step(step);
    one.set_result(result);
    one.set_done_on(done_on);
    one.set_decided_on(decided_on);
    one.set_state(decided_on[0] == 0 ? DevelopmentStep::RECORDED : DevelopmentStep::AGREED);
  });
}

void Stay(Branch& branch, const char* left, const char* ended, bool in = false) {
  branch.Put<Flow>([&](Flow& flow) {
    flow.set_member_id(InMemory::IdOf(50).str());
    if (in) {
      flow.set_home_branch_id(InMemory::IdOf(2).str());
      flow.set_host_branch_id(branch.id().str());
      flow.set_came_on(left);
    }
    flow.set_left(left);
    flow.set_ended(ended);
    flow.set_state(ended[0] == 0 ? Flow::ACCEPTED : Flow::ENDED);
  });
}
void Letter(Branch& branch, const char* received, const char* here_since = "2020-05-01") {
  branch.Put<Transfer>([&](Transfer& transfer) {
    transfer.set_member_id(InMemory::IdOf(55).str());
    transfer.set_to_branch_id(InMemory::IdOf(2).str());
    transfer.set_state(Transfer::CLOSED);
    transfer.set_received(received);
    transfer.set_here_since(here_since);
    transfer.set_here_by(Placement::TRANSFERRED_IN);
  });
}
void Gone(Branch& branch, Member::Membership how) {
  branch.Person(50, [&](Member& member) {
    member.set_membership(how);
    member.set_left_on("2026-05-05");
    member.set_suspended_on("2026-05-05");
    member.set_departure(Member::REMOVED);
  });
}

const std::vector<Known>& All() {
  static const auto& all = *new std::vector<Known>{
      {"meeting.held", "2026", 1, TwoMeetings},
      {"meeting.due", "2026-Q1", 20, TwoMeetings},
      {"meeting.present", "2026-Q1", 17, TwoMeetings},
      {"meeting.roll", "2026", 1,
       [](Branch& branch) {
         branch.Put<Attendance>([&](Attendance& one) {
           one.set_meeting_id(Held(branch, "2026-03-31").str());
           one.set_member_id(InMemory::IdOf(50).str());
           one.set_state(Attendance::LEAVE);
         });
       }},
      {"study.held", "2026-02", 1,
       [](Branch& branch) {
         branch.Put<StudySession>([](StudySession& one) { one.set_held_on("2026-02-28"); });
       }},
      {"study.minutes", "2026", 150,
       [](Branch& branch) {
         branch.Put<StudyYear>([](StudyYear& one) {
           one.set_member_id(InMemory::IdOf(50).str());
           one.set_year(2026);
           one.add_parts()->set_minutes(90);
           one.add_parts()->set_minutes(60);
           one.mutable_parts(1)->set_way(StudySession::ALONE);
         });
       }},
      {"training.class_times", "2026", 1,
       [](Branch& branch) {
         branch.Put<Training>([](Training& one) { one.set_from("2026-06-01"); });
       }},
      {"training.hours", "2026", 24,
       [](Branch& branch) {
         branch.Put<Training>([](Training& one) {
           one.set_until("2026-06-03");
           one.set_hours(24);
         });
       }},
      {"dev.applicants", "2025", 1,
       [](Branch& branch) {
         Case(branch, [](DevelopmentCase& one) { one.set_activist_since("2026-02-01"); });
       }},
      {"dev.activists", "2026-02", 1,
       [](Branch& branch) {
         Case(branch, [](DevelopmentCase& one) { one.set_activist_since("2026-02-28"); });
       }},
      {"dev.candidates", "2026", 0,
       [](Branch& branch) {
         Case(branch, [](DevelopmentCase& one) {
           one.set_activist_since("2024-02-28");
           one.set_candidate_since("2026-02-28");
           one.set_stage(DevelopmentCase::ENDED);
           one.set_ended_on("2026-09-01");
         });
       }},
      // By the decision of the superior, not by the meeting or the letter's arrival.
      {"dev.admitted", "2026", 1,
       [](Branch& branch) {
         Step(branch, DevelopmentStep::APPROVAL, DevelopmentStep::PASSED, "2025-12-31",
              "2026-01-04");
       }},
      {"dev.decided", "2026", 1,
       [](Branch& branch) {
         Step(branch, DevelopmentStep::CONFIRMATION_APPROVAL, DevelopmentStep::PROBATION_EXTENDED,
              "2026-07-28", "");
       }},
      {"flow.away", "2026-02", 1, [](Branch& branch) { Stay(branch, "2026-01-05", ""); }},
      // Case 28: left on 5 January, a migrant from 5 July.
      {"flow.migrants", "2026-07", 1, [](Branch& branch) { Stay(branch, "2026-01-05", ""); }},
      {"flow.guests", "2026-01", 1, [](Branch& branch) { Stay(branch, "2026-01-05", "", true); }},
      {"flow.passes", "2026-06", 1,
       [](Branch& branch) {
         branch.Put<Pass>([](Pass& one) {
           one.set_state(Pass::ISSUED);
           one.set_from("2026-01-01");
           one.set_until("2026-06-30");
         });
       }},
      {"flow.lost", "2026", 1,
       [](Branch& branch) {
         branch.Put<LostContact>([](LostContact& one) { one.set_state(LostContact::LOST); });
         branch.Put<LostContact>([](LostContact& one) { one.set_state(LostContact::FOUND); });
       }},
      {"transfer.out", "2026-05", 1, [](Branch& branch) { Letter(branch, "2026-05-31"); }},
      {"dues.due", "2026-Q1", 3 * 4800,
       [](Branch& branch) {
         branch.Person(50);
         branch.Put<DuesBase>([](DuesBase& one) {
           one.set_member_id(InMemory::IdOf(50).str());
           one.set_from("2025-07");
           one.set_monthly_due_fen(4800);
         });
       }},
      {"dues.paid", "2026-03", 4800,
       [](Branch& branch) {
         branch.Put<DuesPayment>([](DuesPayment& one) {
           one.set_month("2026-03");
           one.set_amount_fen(4800);
         });
       }},
      {"dues.payments", "2026", 1,
       [](Branch& branch) {
         branch.Put<DuesPayment>([](DuesPayment& one) { one.set_month("2026-03"); });
       }},
      {"dues.handed_up", "2026", 144000,
       [](Branch& branch) {
         branch.Put<DuesHandedUp>([](DuesHandedUp& one) {
           one.set_handed_up_on("2026-04-02");
           one.set_amount_fen(144000);
         });
       }},
      {"appraisal.graded", "2026", 1,
       [](Branch& branch) {
         branch.Put<MemberAppraisal>([](MemberAppraisal& one) {
           one.set_member_id(InMemory::IdOf(50).str());
           one.set_year(2026);
           one.set_settled(MemberAppraisal::QUALIFIED);
         });
       }},
      {"grading.graded", "2026", 1,
       [](Branch& branch) {
         branch.Put<Grading>([](Grading& one) {
           one.set_year(2026);
           one.set_state(Grading::GRADED);
           one.set_grade(Grading::FINE);
         });
       }},
      {"honour.awarded", "2026", 1,
       [](Branch& branch) {
         branch.Put<Commendation>([](Commendation& one) {
           one.set_state(Commendation::AWARDED);
           one.set_awarded_on("2026-07-01");
         });
       }},
      // Case 34.
      {"honour.fifty", "2026", 1,
       [](Branch& branch) {
         branch.Person(50, [](Member& member) { member.set_confirmed("1976-07-01"); });
         branch.Person(51, [](Member& member) { member.set_confirmed("1976-07-02"); });
         branch.Person(52, [](Member& member) { member.set_confirmed("1975-07-01"); });
       }},
      {"discipline.decided", "2026", 1,
       [](Branch& branch) {
         branch.Put<Disciplinary>([](Disciplinary& one) {
           one.set_state(Disciplinary::APPROVED);
           one.set_from("2026-02-02");
         });
       }},
      {"disposal.decided", "2026", 1,
       [](Branch& branch) {
         branch.Put<Disposal>([](Disposal& one) {
           one.set_state(Disposal::APPROVED);
           one.set_approved_on("2026-02-02");
         });
       }},
      {"org.units", "2026", 1,
       [](Branch& branch) {
         branch.Put<Coverage>([](Coverage& one) { one.set_status(Coverage::COVERED); });
       }},
      // Case 33: elected on 20 May 2023 for three years.
      {"election.due", "2026-05", 1,
       [](Branch& branch) {
         branch.Put<Election>([](Election& one) {
           one.set_kind(Election::GENERAL);
           one.set_state(Election::APPROVED);
           one.set_held_on("2023-05-20");
         });
       }},
      {"election.held", "2023", 1,
       [](Branch& branch) {
         branch.Put<Election>([](Election& one) {
           one.set_state(Election::HELD);
           one.set_held_on("2023-05-20");
         });
       }},
      {"member.count", "2026", 1,
       [](Branch& branch) {
         branch.Person(50);
         branch.Person(51, [](Member& member) { member.set_stage(Member::ACTIVIST); });
         branch.Person(52, [](Member& member) { member.set_merged_into_id("x"); });
       }},
      {"member.former", "2025", 1, [](Branch& branch) { Letter(branch, "2026-05-31"); }},
      {"member.transferred_in", "2026", 1,
       [](Branch& branch) {
         branch.Person(
             50, [](Member&) {}, "2026-03-02", Placement::TRANSFERRED_IN);
       }},
      {"member.restored", "2026", 1,
       [](Branch& branch) {
         branch.Person(
             50, [](Member&) {}, "2026-03-02", Placement::RESTORED);
       }},
      {"member.moved_in", "2026", 1,
       [](Branch& branch) {
         branch.Person(
             50, [](Member&) {}, "2026-03-02", Placement::MOVED_TOGETHER);
       }},
      {"member.passed_through", "2026", 1,
       [](Branch& branch) { Letter(branch, "2026-05-31", "2026-01-31"); }},
      {"member.moved_out", "2026", 1, [](Branch& branch) { Gone(branch, Member::MOVED); }},
      {"member.expelled", "2026", 1, [](Branch& branch) { Gone(branch, Member::OUT_OF_PARTY); }},
      {"member.suspended", "2026", 1, [](Branch& branch) { Gone(branch, Member::SUSPENDED); }},
      {"member.died", "2026", 1, [](Branch& branch) { Gone(branch, Member::DIED); }},
  };
  return all;
}

class ShippedFigure : public Summed, public testing::WithParamInterface<Known> {};

TEST_P(ShippedFigure, ComesToWhatIsKnown) {
  Branch here(around, branch);
  GetParam().records(here);
  EXPECT_EQ(Whole(GetParam().key, GetParam().period), GetParam().whole);
  EXPECT_EQ(NotKnown(GetParam().key, GetParam().period), 0);
  EXPECT_THAT(faults, IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(All, ShippedFigure, testing::ValuesIn(All()),
                         [](const testing::TestParamInfo<Known>& info) {
                           std::string name = info.param.key;
                           std::replace(name.begin(), name.end(), '.', '_');
                           return name;
                         });

TEST(ShippedFigures, EachHasACaseWithAKnownAnswer) {
  std::set<std::string> known = {"org.count"};  // AnOrganisationCountsForItself…
  for (const Known& one : All()) known.insert(one.key);
  for (const Figure& figure : ShippedBook().figures()) {
    EXPECT_EQ(known.count(figure.text.key()), 1u) << figure.text.key();
  }
}

// ---- Situations ------------------------------------------------------------------------------

struct BalanceSheetOf {
  int64_t start = 0;
  int64_t end = 0;
  int64_t difference = 0;
  friend bool operator==(const BalanceSheetOf&, const BalanceSheetOf&) = default;
};
void PrintTo(const BalanceSheetOf& sheet, std::ostream* out) {
  *out << sheet.start << " to " << sheet.end << ", open by " << sheet.difference;
}

class SummedUp : public Summed {
 protected:
  BalanceSheetOf Sheet(const std::string& period) {
    const v1::Report report = ReportOf(period, Sight::kAll);
    return {report.balances(0).start(), report.balances(0).end(), report.balances(0).difference()};
  }
  std::vector<int> OpenPersons(const std::string& period) {
    TallyOf(period);
    std::vector<int> persons;
    for (const auto& [person, by] : open) {
      if (by != 0) persons.push_back(person.bytes().back());
    }
    return persons;
  }

  Branch here{around, branch};
};

TEST_F(SummedUp, AnOrganisationCountsForItselfFromTheDayOfItsFoundingOn) {
  Organisation one;
  one.set_kind(Organisation::BRANCH);
  one.set_founded("2026-03-01");
  const Id id = around.Put(one);
  EXPECT_EQ(At(id, "org.count", "2026-02"), 0);
  EXPECT_EQ(At(id, "org.count", "2026-03"), 1);
}

TEST_F(SummedUp, Case28WhoComesBackInBetweenBeginsToCountAnew) {
  Stay(here, "2026-01-05", "2026-05-05");
  Stay(here, "2026-05-20", "");
  EXPECT_EQ(Whole("flow.migrants", "2026-07"), 0);
  EXPECT_EQ(Whole("flow.migrants", "2026-11"), 1);
  EXPECT_EQ(Whole("flow.away", "2026-05"), 1);
}

TEST_F(SummedUp, Case31HoursOfAYearAreAddedByWay) {
  here.Put<StudyYear>([](StudyYear& one) {
    one.set_member_id(IdOf(50).str());
    one.set_year(2026);
    auto& part = *one.add_parts();
    part.set_way(StudySession::TOGETHER);
    part.set_minutes(28 * 60);
  });
  EXPECT_EQ(Whole("study.minutes", "2026"), 28 * 60);
  EXPECT_THAT(Parts("study.minutes", "way", "2026"), ElementsAre("together 1680"));
  EXPECT_EQ(Whole("study.minutes", "2025"), 0);
}

TEST_F(SummedUp, AMeetingWithoutANumberOfThoseDueIsNotKnownInBothOfTheRate) {
  here.Put<Meeting>([](Meeting& meeting) {
    meeting.set_state(Meeting::HELD);
    meeting.add_present(IdOf(50).str());
    SetDay(&meeting, "2026-03-31");
  });
  EXPECT_EQ(Whole("meeting.present", "2026"), 0);
  EXPECT_EQ(NotKnown("meeting.present", "2026"), 1);
  EXPECT_EQ(NotKnown("meeting.due", "2026"), 1);
  EXPECT_EQ(Whole("meeting.held", "2026"), 1);
}

TEST_F(SummedUp, ARollCallOfAMeetingThatIsNotHereIsNotKnown) {
  here.Put<Attendance>([&](Attendance& one) {
    one.set_meeting_id(Held(here, "2026-03-31").str());
    one.set_member_id(IdOf(50).str());
    one.set_state(Attendance::PRESENT);
  });
  EXPECT_THAT(Parts("meeting.roll", "state", "2026"), ElementsAre("present 1"));
  around.Lacks("Meeting");
  EXPECT_EQ(Whole("meeting.roll", "2026"), 0);
  EXPECT_EQ(NotKnown("meeting.roll", "2026"), 1);
}

TEST_F(SummedUp, AnAgeIsThatOnTheLastDayOfThePeriod) {
  here.Person(50, [](Member& member) { member.set_born("1995-06-30"); });
  here.Person(51, [](Member& member) { member.set_born("1940-01"); });
  here.Person(52);
  EXPECT_THAT(Parts("member.count", "age", "2025"),
              ElementsAre("to 30 1", "61 and above 1", "not said 1"));
  EXPECT_THAT(Parts("member.count", "age", "2026-05"),
              ElementsAre("to 30 1", "61 and above 1", "not said 1"));
  EXPECT_THAT(Parts("member.count", "age", "2026-06"),
              ElementsAre("31–35 1", "61 and above 1", "not said 1"));
}

TEST_F(SummedUp, MembersAreByCodesOfTheTableAndWhenTheyJoined) {
  here.Person(50, [](Member& member) {
    member.set_ethnic_group("01");
    member.set_joined("1949-09");
    member.set_sex(Member::FEMALE);
  });
  here.Person(51, [](Member& member) {
    member.set_ethnic_group("某族");
    member.set_joined("2012-12-01");
  });
  EXPECT_THAT(Parts("member.count", "ethnic_group", "2026"), ElementsAre("Han 1", "other 1"));
  EXPECT_THAT(Parts("member.count", "joined", "2026"),
              ElementsAre("before October 1949 1", "since December 2012 1"));
  EXPECT_THAT(Parts("member.count", "sex", "2026"), ElementsAre("female 1", "not said 1"));
}

TEST_F(SummedUp, AGradeIsComparedWithThatOfTheYearBefore) {
  const auto grade = [&](int person, uint32_t year, MemberAppraisal::Grade settled) {
    here.Put<MemberAppraisal>([&](MemberAppraisal& one) {
      one.set_member_id(IdOf(person).str());
      one.set_year(year);
      one.set_settled(settled);
    });
  };
  grade(50, 2025, MemberAppraisal::QUALIFIED);
  grade(50, 2026, MemberAppraisal::EXCELLENT);
  grade(51, 2025, MemberAppraisal::QUALIFIED);
  grade(51, 2026, MemberAppraisal::UNQUALIFIED);
  grade(52, 2026, MemberAppraisal::QUALIFIED);
  EXPECT_THAT(Parts("appraisal.graded", "grade", "2026"),
              ElementsAre("excellent 1", "qualified 1", "unqualified 1"));
  EXPECT_THAT(Parts("appraisal.graded", "change", "2026"),
              ElementsAre("better 1", "worse 1", "not appraised then 1"));
}

TEST_F(SummedUp, WhoHasLeftOwesNoMoreDuesToTheBranchThatTheyLeft) {
  here.Person(50);
  here.Put<DuesBase>([](DuesBase& one) {
    one.set_member_id(IdOf(50).str());
    one.set_from("2026-01");
    one.set_monthly_due_fen(1000);
  });
  EXPECT_EQ(Whole("dues.due", "2026-Q1"), 3000);
  // Received elsewhere in March: what they owe at the end of March they owe there.
  Branch(around, IdOf(2))
      .Person(
          50, [](Member&) {}, "2026-03-10", Placement::TRANSFERRED_IN);
  EXPECT_EQ(Whole("dues.due", "2026-Q1"), 2000);
}

// ---- The year's balance ------------------------------------------------------------------

TEST_F(SummedUp, AYearClosesWhenEverybodyWhoCameAndWentIsWrittenDown) {
  here.Person(50);  // all the time
  Step(here, DevelopmentStep::APPROVAL, DevelopmentStep::PASSED, "", "2020-04-30");
  here.Person(
      51, [](Member&) {}, "2026-02-02", Placement::TRANSFERRED_IN);
  Gone(here, Member::DIED);    // 50, on 5 May
  Letter(here, "2026-05-31");  // 55, who was here since 2020
  EXPECT_EQ(Sheet("2026"), (BalanceSheetOf{2, 1, 0}));
  EXPECT_EQ(Sheet("2025"), (BalanceSheetOf{2, 2, 0}));
  EXPECT_THAT(OpenPersons("2026"), IsEmpty());
}

TEST_F(SummedUp, WhoCameByNothingThatIsWrittenDownIsNamed) {
  here.Person(50);
  here.Person(
      51, [](Member&) {}, "2026-02-02");
  EXPECT_EQ(Sheet("2026"), (BalanceSheetOf{1, 2, -1}));
  EXPECT_THAT(OpenPersons("2026"), ElementsAre(51));
}

TEST_F(SummedUp, AnAdmissionAcceptedInDecemberAndApprovedInJanuaryCountsInTheNewYear) {
  Step(here, DevelopmentStep::APPROVAL, DevelopmentStep::PASSED, "2026-01-15", "2026-01-12");
  here.Person(
      50, [](Member& member) { member.set_joined("2025-12-20"); }, "2026-01-20",
      Placement::ADMITTED);
  EXPECT_EQ(Sheet("2025"), (BalanceSheetOf{0, 0, 0}));
  EXPECT_EQ(Sheet("2026"), (BalanceSheetOf{0, 1, 0}));
}

TEST_F(SummedUp, WhoPassedThroughCameAndWentAndOneWhoDiedOnNoDayIsNotKnown) {
  Letter(here, "2026-05-31", "2026-01-31");
  EXPECT_EQ(Sheet("2026"), (BalanceSheetOf{0, 0, 0}));
  here.Person(50, [](Member& member) { member.set_membership(Member::DIED); });
  const v1::Report report = ReportOf("2026", Sight::kAll);
  EXPECT_GT(report.balances(0).uncertain(), 0);
  EXPECT_EQ(NotKnown("member.died", "2026"), 1);
}

TEST_F(SummedUp, OutOfThePartyIsByKind) {
  Gone(here, Member::OUT_OF_PARTY);
  EXPECT_THAT(Parts("member.expelled", "departure", "2026"), ElementsAre("removed 1"));
  EXPECT_EQ(Sheet("2026"), (BalanceSheetOf{1, 0, 0}));
}

}  // namespace
}  // namespace zhibu::rules
