// What is due on a day. The numbered cases are those of the domain's worked examples.
#include "sync/rules/book/due.h"

#include <gmock/gmock.h>
#include <google/protobuf/util/time_util.h>

#include <map>
#include <memory>

#include "absl/strings/str_cat.h"
#include "sync/base/date.h"
#include "sync/base/environment.h"
#include "zhibu/records/v1/catalogue.pb.h"

namespace zhibu::rules {
namespace {

using google::protobuf::Message;
using google::protobuf::util::TimeUtil;
using records::v1::Contact;
using records::v1::DevelopmentCase;
using records::v1::DevelopmentStep;
using records::v1::DistinctFact;
using records::v1::DuesPayment;
using records::v1::Election;
using records::v1::Flow;
using records::v1::Meeting;
using records::v1::Member;
using records::v1::ObservationNote;
using records::v1::Organisation;
using records::v1::Transfer;
using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Not;
using testing::Pair;
using testing::SizeIs;

absl::CivilDay Day(const char* text) { return *DayFrom(text); }

std::unique_ptr<const Book> BookOf(const std::string& text) {
  const std::vector<RuleText> files = {{"test.textproto", text}};
  auto book = Book::Compile(files, *CatalogueSchema());
  EXPECT_TRUE(book.ok()) << book.status();
  return book.ok() ? *std::move(book) : nullptr;
}

class InMemory final : public Records {
 public:
  // Made on that day.
  template <typename T>
  Id Add(const T& record, const char* on = "2026-01-01") {
    Environment environment;
    environment.now_ms = [&] { return BeginningOf(Day(on)); };
    environment.random_bytes = [&](size_t size) {
      return std::string(size - 1, 'x') + static_cast<char>(records_.size());
    };
    const Id id = environment.NewId();
    records_.emplace(id, std::make_unique<T>(record));
    return id;
  }
  absl::Status List(const RecordType& type,
                    absl::FunctionRef<void(const Id&, const Message&)> visit) override {
    ++lists_;
    for (const auto& [id, record] : records_) {
      if (record->GetDescriptor() == type.descriptor) visit(id, *record);
    }
    return absl::OkStatus();
  }
  int lists() const { return lists_; }

 private:
  std::map<Id, std::unique_ptr<Message>> records_;
  int lists_ = 0;
};

class Due : public testing::Test {
 protected:
  // "OVERDUE 2026-03-31 meeting.members 2026-Q1", the most urgent first; of one key only.
  std::vector<std::string> On(const char* day, const Book& book, absl::string_view key) {
    const auto list = WorkOutDue(book, records, Day(day),
                                 [](const Obligation&, const Id&, const Message&) { return true; });
    EXPECT_TRUE(list.ok()) << list.status();
    std::vector<std::string> lines;
    for (const DueItem& item : list->items) {
      if (item.obligation->text.key() != key) continue;
      static const char* const kNames[] = {"OVERDUE", "DUE", "QUESTION", "COMING"};
      lines.push_back(absl::StrCat(kNames[static_cast<int>(item.standing)], " ",
                                   absl::FormatCivilTime(item.last), item.period.empty() ? "" : " ",
                                   item.period));
    }
    faults = list->faults;
    return lines;
  }
  std::vector<std::string> On(const char* day, absl::string_view key) {
    return On(day, ShippedBook(), key);
  }

  Id Branch(const char* registered = "2025-12-01") {
    Organisation branch;
    branch.set_kind(Organisation::BRANCH);
    branch.set_status(Organisation::ACTIVE);
    return records.Add(branch, registered);
  }
  void Meet(const Id& branch, const char* at, Meeting::Kind kind = Meeting::MEMBERS,
            Meeting::State state = Meeting::HELD) {
    Meeting meeting;
    meeting.set_branch_id(branch.str());
    meeting.set_kind(kind);
    meeting.set_state(state);
    ASSERT_TRUE(TimeUtil::FromString(at, meeting.mutable_starts_at()));
    records.Add(meeting);
  }

  InMemory records;
  std::vector<std::string> faults;
};

// ---- In each period -----------------------------------------------------------------

TEST_F(Due, AQuarterWithoutAMembersMeetingIsOverdueWhenItHasEnded) {
  Branch("2026-01-01");
  EXPECT_THAT(On("2026-03-31", "meeting.members"), ElementsAre("COMING 2026-03-31 2026-Q1"));
  EXPECT_THAT(On("2026-04-01", "meeting.members"),
              ElementsAre("OVERDUE 2026-03-31 2026-Q1", "COMING 2026-06-30 2026-Q2"));
}

TEST_F(Due, AMeetingThatWasHeldMeetsItsQuarterAndOneThatWasPlannedDoesNot) {
  const Id branch = Branch("2026-01-01");
  Meet(branch, "2026-02-10T06:00:00Z");
  Meet(branch, "2026-05-10T06:00:00Z", Meeting::MEMBERS, Meeting::PLANNED);
  EXPECT_THAT(On("2026-05-20", "meeting.members"), ElementsAre("COMING 2026-06-30 2026-Q2"));
}

TEST_F(Due, TheDayOfAMeetingIsChinas) {
  const Id branch = Branch("2026-01-01");
  Meet(branch, "2026-03-31T15:59:00Z");  // a minute before midnight there
  EXPECT_THAT(On("2026-03-31", "meeting.members"), IsEmpty());
  Meet(branch, "2026-03-31T16:00:00Z");  // the first of April
  EXPECT_THAT(On("2026-04-01", "meeting.members"), IsEmpty());
}

TEST_F(Due, AnotherBranchsMeetingMeetsNothing) {
  Branch("2026-01-01");
  Meet(*Id::FromBytes("another branch 1"), "2026-02-10T06:00:00Z");
  EXPECT_THAT(On("2026-02-20", "meeting.members"), ElementsAre("COMING 2026-03-31 2026-Q1"));
}

TEST_F(Due, NothingIsAskedOfABranchBeforeItsFirstWholePeriod) {
  Branch("2026-02-10");
  EXPECT_THAT(On("2026-04-20", "meeting.members"), ElementsAre("COMING 2026-06-30 2026-Q2"));
}

TEST_F(Due, WithinItsGraceAThemeDayIsDueAndThenOverdue) {
  Branch("2026-03-01");
  EXPECT_THAT(On("2026-04-05", "meeting.theme_day"),
              ElementsAre("DUE 2026-03-31 2026-03", "COMING 2026-04-30 2026-04"));
  EXPECT_THAT(On("2026-04-06", "meeting.theme_day"),
              ElementsAre("OVERDUE 2026-03-31 2026-03", "COMING 2026-04-30 2026-04"));
}

TEST_F(Due, ABranchThatWasDissolvedOwesNothing) {
  Organisation branch;
  branch.set_kind(Organisation::BRANCH);
  branch.set_status(Organisation::DISSOLVED);
  branch.set_founded("2020-01-01");
  records.Add(branch, "2020-01-01");
  EXPECT_THAT(On("2026-05-20", "meeting.members"), IsEmpty());
}

TEST_F(Due, Case6DuesAreOwedForEachMonthFromThatOfTheMeetingThatAdmittedThem) {
  Member member;
  member.set_stage(Member::FULL);
  member.set_status(Member::ACTIVE);
  member.set_joined("2026-01-18");
  const Id wang = records.Add(member);
  DuesPayment paid;
  paid.set_member_id(wang.str());
  paid.set_amount_fen(4800);
  paid.set_month("2026-02");
  records.Add(paid);
  EXPECT_THAT(On("2026-04-05", "dues.month"),
              ElementsAre("OVERDUE 2026-01-31 2026-01", "DUE 2026-03-31 2026-03",
                          "COMING 2026-04-30 2026-04"));
}

TEST_F(Due, APaymentThatWasTakenBackMeetsNothing) {
  Member member;
  member.set_stage(Member::FULL);
  member.set_status(Member::ACTIVE);
  const Id wang = records.Add(member, "2026-02-01");
  DuesPayment paid;
  paid.set_member_id(wang.str());
  paid.set_amount_fen(4800);
  paid.set_month("2026-02");
  const Id payment = records.Add(paid);
  EXPECT_THAT(On("2026-02-20", "dues.month"), IsEmpty());
  paid.set_amount_fen(-4800);
  paid.set_reverses_id(payment.str());
  records.Add(paid);
  EXPECT_THAT(On("2026-02-20", "dues.month"), ElementsAre("COMING 2026-02-28 2026-02"));
}

TEST_F(Due, WhoIsLetOffAllOfTheDuesOwesNoneForAsLong) {
  Member member;
  member.set_stage(Member::FULL);
  member.set_status(Member::ACTIVE);
  const Id wang = records.Add(member, "2026-02-01");
  records::v1::DuesReduction reduction;
  reduction.set_member_id(wang.str());
  reduction.set_state(records::v1::DuesReduction::APPROVED);
  reduction.set_from("2026-02");
  reduction.set_until("2026-03");
  records.Add(reduction);
  EXPECT_THAT(On("2026-04-20", "dues.month"), ElementsAre("COMING 2026-04-30 2026-04"));
}

TEST_F(Due, APromiseOfWhichNobodyHasSaidHowItStandsIsDue) {
  records::v1::Visit visit;
  visit.set_due("2026-11-20");
  records.Add(visit);
  EXPECT_THAT(On("2026-11-21", "visit.promise"), ElementsAre("OVERDUE 2026-11-20"));
}

// ---- By a day -----------------------------------------------------------------------

TEST_F(Due, Case27TheReceiptOfALetterIsDueAMonthAfterItWasReceived) {
  Transfer letter;
  letter.set_state(Transfer::RECEIVED);
  letter.set_issued("2026-03-01");
  letter.set_valid_until("2026-03-31");
  letter.set_received("2026-04-05");
  records.Add(letter);
  EXPECT_THAT(On("2026-04-10", "transfer.receipt"), ElementsAre("COMING 2026-05-05"));
  EXPECT_THAT(On("2026-05-06", "transfer.receipt"), ElementsAre("OVERDUE 2026-05-05"));
  EXPECT_THAT(On("2026-05-06", "transfer.hand_in"), IsEmpty());
}

TEST_F(Due, Case29SixMonthsWithoutContactAreAQuestionAndNeverMore) {
  Flow stay;
  stay.set_state(Flow::ACCEPTED);
  stay.set_left("2025-06-01");
  ASSERT_TRUE(TimeUtil::FromString("2026-02-01T02:00:00Z", stay.mutable_last_contact()));
  records.Add(stay);
  EXPECT_THAT(On("2026-07-31", "flow.lost_question"), IsEmpty());
  EXPECT_THAT(On("2026-08-01", "flow.lost_question"), ElementsAre("QUESTION 2026-08-01"));
  EXPECT_THAT(On("2027-08-01", "flow.lost_question"), ElementsAre("QUESTION 2026-08-01"));
}

TEST_F(Due, AStayOfWhichNoContactIsKnownIsCountedFromTheDayOfLeaving) {
  Flow stay;
  stay.set_state(Flow::REPORTED);
  stay.set_left("2026-01-05");
  records.Add(stay);
  EXPECT_THAT(On("2026-04-06", "flow.home_contact"), ElementsAre("DUE 2026-04-05"));
}

// It was overdue since 1970.
TEST_F(Due, AMeetingWithoutATimeMakesNothingDue) {
  Meeting meeting;
  meeting.set_branch_id(Branch().str());
  meeting.set_kind(Meeting::MEMBERS);
  meeting.set_state(Meeting::HELD);
  records.Add(meeting);
  const auto list = WorkOutDue(ShippedBook(), records, Day("2026-06-01"),
                               [](const Obligation&, const Id&, const Message&) { return true; });
  ASSERT_TRUE(list.ok()) << list.status();
  for (const DueItem& item : list->items) {
    EXPECT_GT(item.last, absl::CivilDay(2025, 1, 1)) << item.obligation->text.key();
  }
}

TEST_F(Due, ADayThatWasNotWrittenDownMakesNothingDue) {
  Flow stay;
  stay.set_state(Flow::ACCEPTED);
  stay.set_left("2026-01-05");  // and no day of return
  records.Add(stay);
  EXPECT_THAT(On("2030-01-01", "flow.back"), IsEmpty());
  EXPECT_THAT(faults, IsEmpty());
}

TEST_F(Due, ARuleAsksForNothingBeforeItWasInForce) {
  Flow stay;
  stay.set_state(Flow::ACCEPTED);
  stay.set_left("2018-01-05");
  records.Add(stay);
  EXPECT_THAT(On("2018-12-01", "flow.lost_question"), IsEmpty());
}

// ---- Again and again ----------------------------------------------------------------

class Notes : public Due {
 protected:
  Notes() {
    stay_.set_state(Flow::ACCEPTED);
    stay_.set_left("2025-03-01");
    id_ = records.Add(stay_);
  }
  void Note(const char* at) {
    Contact contact;
    contact.set_flow_id(id_.str());
    ASSERT_TRUE(TimeUtil::FromString(at, contact.mutable_at()));
    records.Add(contact);
  }
  std::vector<std::string> On(const char* day) { return Due::On(day, *book_, "note"); }

  const std::unique_ptr<const Book> book_ = BookOf(R"t(
    parameter { key: "note_every" value: 6 }
    obligation {
      key: "note" each: "Flow" counts_from: "this.left" every_months: "param('note_every')"
      met_by { type: "Contact" via: "flow_id" on: "met.at" } grace_days: 14 warn_days: 7
      source: "s" certainty: SURE who: SECRETARY words { zh: "甲" en: "a" } next { zh: "乙" en: "b" }
    })t");
  Flow stay_;
  Id id_;
};

// As of an activist's half-yearly note.
TEST_F(Notes, Case11ANoteInItsGraceCountsAndTheNextIsOverdueWhenItsGraceHasEnded) {
  Note("2025-09-05T02:00:00Z");
  EXPECT_THAT(On("2025-10-01"), IsEmpty());
  EXPECT_THAT(On("2026-02-22"), ElementsAre("COMING 2026-03-01"));
  EXPECT_THAT(On("2026-03-15"), ElementsAre("DUE 2026-03-01"));
  EXPECT_THAT(On("2026-03-16"), ElementsAre("OVERDUE 2026-03-01"));
}

TEST_F(Notes, OfSeveralThatAreMissingEachIsTold) {
  EXPECT_THAT(On("2026-03-20"), ElementsAre("OVERDUE 2025-09-01", "OVERDUE 2026-03-01"));
}

// ---- Development of members ---------------------------------------------------------

class Development : public Due {
 protected:
  Id Begin(DevelopmentCase::Stage stage, const char* applied, const char* activist = "",
           const char* accepted = "") {
    DevelopmentCase begun;
    begun.set_member_id(std::string(16, 'm'));
    begun.set_stage(stage);
    begun.set_applied_on(applied);
    begun.set_activist_since(activist);
    begun.set_accepted_on(accepted);
    return records.Add(begun);
  }
  void Take(const Id& of, DevelopmentStep::Step which, const char* on) {
    DevelopmentStep step;
    step.set_case_id(of.str());
    step.set_step(which);
    step.set_result(DevelopmentStep::PASSED);
    step.set_done_on(on);
    records.Add(step);
  }
};

TEST_F(Development, Case9ATalkIsDueAMonthAfterTheApplication) {
  const Id begun = Begin(DevelopmentCase::APPLIED, "2025-01-10");
  EXPECT_THAT(On("2025-02-11", "dev.talk"), ElementsAre("OVERDUE 2025-02-10"));
  Take(begun, DevelopmentStep::FIRST_TALK, "2025-02-12");
  EXPECT_THAT(On("2025-02-12", "dev.talk"), IsEmpty());
}

TEST_F(Development, Case11AHalfYearlyNoteIsMissedWhenItsGraceHasEnded) {
  Begin(DevelopmentCase::ACTIVIST, "2025-01-10", "2025-03-01");
  ObservationNote note;
  note.set_member_id(std::string(16, 'm'));
  note.set_noted_on("2025-09-05");
  records.Add(note);
  EXPECT_THAT(On("2026-03-15", "dev.note"), ElementsAre("DUE 2026-03-01"));
  EXPECT_THAT(On("2026-06-10", "dev.note"), ElementsAre("OVERDUE 2026-03-01"));
}

TEST_F(Development, Case14TheMeetingHasALimitByTheRulesOf2026AndNoneBefore) {
  Take(Begin(DevelopmentCase::CANDIDATE, "2024-01-10"), DevelopmentStep::PRE_EXAMINATION,
       "2026-06-30");
  Take(Begin(DevelopmentCase::CANDIDATE, "2023-01-10"), DevelopmentStep::PRE_EXAMINATION,
       "2025-06-30");
  EXPECT_THAT(On("2026-08-03", "dev.acceptance_meeting"), ElementsAre("OVERDUE 2026-07-30"));
}

TEST_F(Development, Case17AnApprovalIsDueThreeMonthsAfterTheMeeting) {
  const Id begun = Begin(DevelopmentCase::ACCEPTED, "2024-01-10");
  Take(begun, DevelopmentStep::ACCEPTANCE_MEETING, "2026-07-28");
  EXPECT_THAT(On("2026-10-28", "dev.approval"), ElementsAre("COMING 2026-10-28"));
  EXPECT_THAT(On("2026-11-02", "dev.approval"), ElementsAre("OVERDUE 2026-10-28"));
  Take(begun, DevelopmentStep::APPROVAL, "2026-11-02");
  EXPECT_THAT(On("2026-11-02", "dev.approval"), IsEmpty());
}

TEST_F(Development, Case18ProbationEndsAYearAfterTheMeeting) {
  Begin(DevelopmentCase::PROBATIONARY, "2024-01-10", "2024-06-01", "2026-07-28");
  EXPECT_THAT(On("2027-07-28", "dev.confirmation"), ElementsAre("COMING 2027-07-28"));
  EXPECT_THAT(On("2027-08-20", "dev.confirmation"), ElementsAre("DUE 2027-07-28"));
}

// ---- Terms --------------------------------------------------------------------------

class Terms : public Due {
 protected:
  // By an election that was approved.
  void Begin(const char* from, uint32_t years = 0) {
    Election election;
    election.set_branch_id(std::string(16, 'b'));
    election.set_kind(Election::GENERAL);
    election.set_state(Election::APPROVED);
    election.set_from(from);
    election.set_years(years);
    records.Add(election);
  }
};

TEST_F(Terms, Case33ABranchElectsAnewThreeYearsAfterItsLastElection) {
  Begin("2023-05-20");
  EXPECT_THAT(On("2025-11-01", "election.term"), IsEmpty());
  EXPECT_THAT(On("2026-03-01", "election.term"), ElementsAre("COMING 2026-05-20"));
  EXPECT_THAT(On("2026-05-21", "election.term"), ElementsAre("OVERDUE 2026-05-20"));
  Begin("2026-05-20");
  EXPECT_THAT(On("2026-05-21", "election.term"), IsEmpty());
}

TEST_F(Terms, IsAsLongAsItsElectionSays) {
  Begin("2021-05-20", 5);
  EXPECT_THAT(On("2025-05-21", "election.term"), IsEmpty());
  EXPECT_THAT(On("2026-05-21", "election.term"), ElementsAre("OVERDUE 2026-05-20"));
}

// ---- Rules that are wrong -----------------------------------------------------------

TEST_F(Due, ARuleThatGoesWrongIsToldOnceAndSaysNothingOfAnybody) {
  Flow stay;
  stay.set_left("2026-01-05");
  records.Add(stay);
  records.Add(stay);
  const auto book = BookOf(R"t(
    obligation { key: "o" each: "Flow" where: "1 / 0 == 1" counts_from: "this.left"
                 due_on: "this.left" source: "s" certainty: SURE who: SECRETARY words { zh: "甲" en: "a" } next { zh: "乙" en: "b" } })t");
  EXPECT_THAT(On("2026-05-01", *book, "o"), IsEmpty());
  EXPECT_THAT(faults, ElementsAre(testing::StartsWith("o: ")));
}

TEST_F(Due, EachTypeIsReadOnceHoweverManyRulesAskForIt) {
  Branch();
  (void)On("2026-05-01", "meeting.members");
  std::set<const RecordType*> types;
  for (const Obligation& obligation : ShippedBook().obligations()) {
    types.insert(obligation.each);
    for (const MetBy& met_by : obligation.met_by) types.insert(met_by.type);
  }
  EXPECT_GT(records.lists(), 5);
  EXPECT_LE(static_cast<size_t>(records.lists()), types.size());
}

// ---- Recorded twice (field case K5) -------------------------------------------------

class Twice : public Due {
 protected:
  Id Pay(const char* month, const char* on, int64_t fen = 2000, const Id* reverses = nullptr) {
    DuesPayment payment;
    payment.set_member_id(std::string(Id::kSize, 'm'));
    payment.set_branch_id(std::string(Id::kSize, 'b'));
    payment.set_month(month);
    payment.set_amount_fen(fen);
    if (reverses != nullptr) payment.set_reverses_id(reverses->str());
    return records.Add(payment, on);
  }
  Id SayDistinct(const Id& payment, const char* on) {
    DistinctFact fact;
    fact.set_payment_id(payment.str());
    return records.Add(fact, on);
  }
  // Of what the later one is asked, by which it may be the same.
  std::map<Id, Id> Asked(const char* day, absl::string_view key) {
    const auto list = WorkOutDue(ShippedBook(), records, Day(day),
                                 [](const Obligation&, const Id&, const Message&) { return true; });
    EXPECT_TRUE(list.ok()) << list.status();
    std::map<Id, Id> asked;
    for (const DueItem& item : list->items) {
      if (item.obligation->text.key() != key) continue;
      EXPECT_EQ(item.standing, Standing::kQuestion);
      EXPECT_TRUE(asked.emplace(item.subject, *item.same_as).second) << "asked of it twice";
      many = item.missing;
    }
    return asked;
  }
  int64_t many = 0;
};

TEST_F(Twice, APaymentOfTheSameMonthIsAskedOfAndNamesTheOneThatWasMadeFirst) {
  const Id later = Pay("2026-03", "2026-03-20");
  const Id first = Pay("2026-03", "2026-03-10");
  Pay("2026-04", "2026-04-10");
  EXPECT_THAT(Asked("2026-05-01", "twice.dues"), ElementsAre(Pair(later, first)));
}

TEST_F(Twice, OfManyThatSayTheSameOneQuestionTellsHowMany) {
  const Id first = Pay("2026-03", "2026-03-10");
  const Id second = Pay("2026-03", "2026-03-11");
  Pay("2026-03", "2026-03-12", 3000);
  EXPECT_THAT(Asked("2026-05-01", "twice.dues"), ElementsAre(Pair(second, first)));
  EXPECT_EQ(many, 2);
}

// A clock that was wrong when it was tapped twice hides nothing.
TEST_F(Twice, WhateverTheClockSaidOfWhoMadeThem) {
  for (const char* one : {"1970-01-02", "2002-05-01", "2026-03-10", "2028-11-27"}) {
    for (const char* other : {"1970-01-02", "2002-05-01", "2026-03-10", "2028-11-27"}) {
      records = InMemory();
      Pay("2026-03", one);
      Pay("2026-03", other);
      EXPECT_THAT(Asked("2026-05-01", "twice.dues"), SizeIs(1)) << one << " " << other;
    }
  }
}

TEST_F(Twice, DuesThatArePaidInAdvanceAreAskedOfToday) {
  Pay("2026-12", "2026-03-10");
  Pay("2026-12", "2026-03-11");
  EXPECT_THAT(Asked("2026-05-01", "twice.dues"), SizeIs(1));
}

TEST_F(Twice, OnceOneOfTheTwoIsTakenBackNothingIsAsked) {
  const Id first = Pay("2026-03", "2026-03-10");
  Pay("2026-03", "2026-03-20");
  Pay("2026-03", "2026-03-21", -2000, &first);
  EXPECT_THAT(Asked("2026-05-01", "twice.dues"), IsEmpty());
}

TEST_F(Twice, OnceTheLaterIsSaidToBeAnotherFactNothingIsAskedOfItAndOfAThirdAsBefore) {
  const Id first = Pay("2026-03", "2026-03-10");
  const Id second = Pay("2026-03", "2026-03-20");
  SayDistinct(second, "2026-03-22");
  EXPECT_THAT(Asked("2026-05-01", "twice.dues"), IsEmpty());
  const Id third = Pay("2026-03", "2026-03-23");
  EXPECT_THAT(Asked("2026-05-01", "twice.dues"), ElementsAre(Pair(third, first)));
  Pay("2026-03", "2026-03-24", -2000, &first);
  EXPECT_THAT(Asked("2026-05-01", "twice.dues"), ElementsAre(Pair(third, second)))
      << "what was said of the second was not said of what came after it";
  SayDistinct(third, "2026-03-25");
  EXPECT_THAT(Asked("2026-05-01", "twice.dues"), IsEmpty());
}

TEST_F(Twice, TwoReversalsOfOnePaymentAreAskedOf) {
  const Id payment = Pay("2026-03", "2026-03-10");
  const Id first = Pay("2026-03", "2026-03-11", -2000, &payment);
  const Id second = Pay("2026-03", "2026-03-12", -2000, &payment);
  EXPECT_THAT(Asked("2026-05-01", "twice.dues_reversal"), ElementsAre(Pair(second, first)));
  EXPECT_THAT(Asked("2026-05-01", "twice.dues"), IsEmpty());
}

TEST_F(Twice, WhatIsOfMoreThanAYearAgoIsNoLongerAskedOf) {
  Pay("2026-03", "2026-03-10");
  Pay("2026-03", "2026-03-20");
  EXPECT_THAT(Asked("2027-03-01", "twice.dues"), SizeIs(1));
  EXPECT_THAT(Asked("2027-03-02", "twice.dues"), IsEmpty());
}

TEST_F(Twice, WhatCostsTooMuchIsAFaultAndSaidWheneverItIsAsked) {
  const auto book = BookOf(R"t(obligation {
    key: "local.twice" words { zh: "x" en: "x" } source: "s" certainty: LOCAL each: "DuesPayment"
    where: "this.remark.matches('(a|b)*c') || this.amount_fen > 5000" same: "month"
    counts_from: "today" due_on: "from" question: true who: SECRETARY next { zh: "x" en: "x" }
    met_by { type: "DistinctFact" via: "payment_id" on: "from" } })t");
  ASSERT_NE(book, nullptr);
  for (int i = 0; i < 50; ++i) Pay("2026-03", "2026-03-10");
  cel::Purse purse(5'100);
  const auto list = WorkOutDue(
      *book, records, Day("2026-05-01"),
      [](const Obligation&, const Id&, const Message&) { return true; }, &purse);
  ASSERT_TRUE(list.ok()) << list.status();
  EXPECT_THAT(list->faults, SizeIs(1));
}

TEST_F(Twice, MeetingsOfOneKindOnOneDayInChinaAreAskedOfAndThoseOfGroupsOnlyWithinAGroup) {
  const Id branch = Branch();
  Meet(branch, "2026-03-09T16:00:00Z");
  Meet(branch, "2026-03-10T15:59:00Z");
  Meet(branch, "2026-03-10T16:00:00Z");
  Meet(branch, "2026-03-10T06:00:00Z", Meeting::THEME_DAY);
  Meet(branch, "2026-03-10T06:00:00Z", Meeting::MEMBERS, Meeting::CANCELLED);
  Meet(branch, "2026-03-10T06:00:00Z", Meeting::GROUP);
  Meet(branch, "2026-03-10T06:00:00Z", Meeting::GROUP);
  EXPECT_THAT(Asked("2026-05-01", "twice.meeting"), SizeIs(1));
  EXPECT_THAT(Asked("2026-05-01", "twice.group_meeting"), IsEmpty()) << "nobody wrote down which";
}

TEST_F(Twice, TwoStaysOfOneMemberThatHaveNotEndedAreAskedOf) {
  Flow stay;
  stay.set_member_id(std::string(Id::kSize, 'm'));
  stay.set_left("2026-02-01");
  stay.set_state(Flow::ENDED);
  records.Add(stay, "2026-02-01");
  stay.set_state(Flow::ACCEPTED);
  const Id first = records.Add(stay, "2026-02-02");
  EXPECT_THAT(Asked("2026-05-01", "twice.stay"), IsEmpty());
  stay.set_state(Flow::REPORTED);
  const Id second = records.Add(stay, "2026-02-20");
  EXPECT_THAT(Asked("2026-05-01", "twice.stay"), ElementsAre(Pair(second, first)));
}

}  // namespace
}  // namespace zhibu::rules
