// What a year comes to, as each person's own phone works it out without a network, and as the
// server sums it up for who stands above.
#include "client-core/actions/report.h"

#include <gmock/gmock.h>

#include "client-core/actions/held_here.h"
#include "server/sessions/ask.h"
#include "sync/base/date.h"
#include "sync/base/reason.h"
#include "tests/support/village.h"

namespace zhibu::test {
namespace {

using records::v1::MemberAppraisal;
using rules::Months;
using rules::v1::Line;
using rules::v1::Report;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class ReportHere : public Village {
 protected:
  ReportHere() { world.SyncAll(); }

  Report Here(Phone& phone, const Id& organisation, const char* period = "2026") {
    auto report = client::ReportHere(phone.store(), organisation, *Months::From(period));
    EXPECT_TRUE(report.ok()) << report.status();
    return *report;
  }
  // As the server answers their phone.
  absl::StatusOr<Report> Asked(const Id& asker, const Id& organisation,
                               const char* period = "2026") {
    sync::v1::Page page;
    server::KnownTree tree;
    server::Disclosures disclosures;
    const absl::Status status = world.store().Read([&](server::Reader& reader) {
      return server::AnswerAsk(reader, world.ingest(), asker, world.now_ms(),
                               client::AskToSumUp(organisation, period), &tree, &page,
                               &disclosures);
    });
    if (!status.ok()) return status;
    return client::ReadReport(page);
  }
  static Line LineOf(const Report& report, const std::string& key) {
    for (const Line& line : report.lines()) {
      if (line.key() == key) return line;
    }
    ADD_FAILURE() << "no " << key;
    return {};
  }
  void BeMember(Phone& phone, const Id& person, const char* joined) {
    phone.Change<Member>(person, [&](Member& member) {
      member.set_stage(Member::FULL);
      member.set_joined(joined);
    });
  }
  void Hold(Phone& phone, const char* day) {
    phone.Make<Meeting>([&](Meeting& meeting) {
      meeting.set_branch_id(branch.str());
      meeting.set_kind(Meeting::MEMBERS);
      meeting.set_state(Meeting::HELD);
      meeting.set_expected(3);
      meeting.add_present(zhang.str());
      meeting.add_present(wang.str());
      meeting.mutable_starts_at()->set_seconds(BeginningOf(*DayFrom(day)) / 1000 + 3600);
    });
  }
  void Grade(Phone& phone, const Id& member, MemberAppraisal::Grade grade) {
    phone.Make<MemberAppraisal>([&](MemberAppraisal& one) {
      one.set_branch_id(branch.str());
      one.set_member_id(member.str());
      one.set_year(2026);
      one.set_settled(grade);
    });
  }
  Id Above(const Id& below) {
    Organisation town;
    town.set_name("石桥镇党委");
    town.set_kind(Organisation::COMMITTEE);
    const Id id = world.Branch("石桥镇党委");
    Organisation branch_record = world.Get<Organisation>(below);
    branch_record.set_parent_id(id.str());
    world.Write(branch_record, below);
    return id;
  }
};

TEST_F(ReportHere, ASecretaryWithoutSignalSumsUpWhatIsRecordedEvenWhatIsUnsent) {
  Hold(zhangs, "2026-03-31");
  const Report report = Here(zhangs, branch, "2026-Q1");
  EXPECT_EQ(LineOf(report, "meeting.held").amount(), 1);
  EXPECT_EQ(LineOf(report, "meeting.present").amount(), 2);
  EXPECT_EQ(LineOf(report, "meeting.present").out_of_amount(), 3);
  EXPECT_EQ(LineOf(Here(zhangs, branch, "2026-Q2"), "meeting.held").amount(), 0);
}

TEST_F(ReportHere, DeviceAndServerComeToTheSame) {
  BeMember(zhangs, wang, "2020-01-01");
  BeMember(zhangs, li, "2026-05-01");
  Hold(zhangs, "2026-03-31");
  Grade(lis, wang, MemberAppraisal::QUALIFIED);
  zhangs.Make<DuesPayment>([&](DuesPayment& paid) {
    paid.set_branch_id(branch.str());
    paid.set_member_id(wang.str());
    paid.set_amount_fen(4800);
    paid.set_month("2026-03");
  });
  world.SyncAll();
  const Report here = Here(zhangs, branch);
  const auto there = Asked(zhang, branch);
  ASSERT_TRUE(there.ok()) << there.status();
  ASSERT_EQ(here.lines_size(), there->lines_size());
  for (int i = 0; i < here.lines_size(); ++i) {
    Line mine = here.lines(i), theirs = there->lines(i);
    // Whether there was a grade in the year before, a phone that holds none does not know.
    if (mine.key() == "appraisal.graded") mine.mutable_ways()->RemoveLast();
    if (mine.key() == "appraisal.graded") theirs.mutable_ways()->RemoveLast();
    EXPECT_EQ(mine.ShortDebugString(), theirs.ShortDebugString());
  }
  EXPECT_EQ(here.balances(0).difference(), there->balances(0).difference());
  EXPECT_GT(LineOf(here, "member.count").amount(), 0);
}

TEST_F(ReportHere, WhoMayNotReadWhatIsCountedIsToldNoNumber) {
  BeMember(zhangs, wang, "2020-01-01");
  Grade(lis, wang, MemberAppraisal::UNQUALIFIED);
  zhangs.Make<DuesPayment>([&](DuesPayment& paid) {
    paid.set_branch_id(branch.str());
    paid.set_member_id(li.str());
    paid.set_amount_fen(4800);
    paid.set_month("2026-03");
  });
  world.SyncAll();
  // An ordinary member holds their own grade, and no payment of others.
  const Report report = Here(wangs, branch);
  EXPECT_EQ(LineOf(report, "appraisal.graded").telling(), rules::v1::NOT_KNOWN_HERE);
  EXPECT_EQ(LineOf(report, "dues.paid").telling(), rules::v1::NOT_KNOWN_HERE);
  EXPECT_EQ(LineOf(report, "member.count").telling(), rules::v1::NOT_KNOWN_HERE)
      << "whether somebody is out of the Party is hidden from them";
  EXPECT_TRUE(report.balances(0).not_known());
  EXPECT_EQ(LineOf(report, "meeting.held").telling(), rules::v1::TOLD);
  EXPECT_EQ(LineOf(Here(zhangs, branch), "dues.paid").amount(), 4800);
  EXPECT_EQ(ReasonOf(Asked(wang, branch).status()).reason, sync::v1::ASK_NOT_BELOW);
}

TEST_F(ReportHere, ABalanceThatIsOpenNamesThePeople) {
  BeMember(zhangs, wang, "2020-01-01");
  BeMember(zhangs, li, "2026-05-01");
  const Report report = Here(zhangs, branch);
  ASSERT_EQ(report.balances(0).open_size(), 1);
  EXPECT_THAT(report.balances(0).open(0).persons(), ElementsAre("李"));
  EXPECT_EQ(report.balances(0).difference(), -1);
  EXPECT_THAT(Here(zhangs, branch, "2025").balances(0).open(), IsEmpty());
}

TEST_F(ReportHere, ThePeopleBehindANumberAreNamedToWhoMayReadTheRecords) {
  Hold(zhangs, "2026-03-31");
  Hold(zhangs, "2026-04-30");
  const rules::Figure& figure = *rules::ShippedBook().FindFigure("meeting.present");
  client::HeldHere records(zhangs.store());
  const auto people =
      client::PeopleBehind(zhangs.store(), figure, *Months::From("2026"), records, branch);
  ASSERT_TRUE(people.ok()) << people.status();
  EXPECT_EQ(*people, (std::map<Id, int64_t>{{zhang, 2}, {wang, 2}}));
  EXPECT_FALSE(
      client::MayReadHere(wangs.store(), *rules::ShippedBook().FindFigure("dues.paid"), branch));
}

TEST_F(ReportHere, WhoStandsAboveAsksTheServerAndIsToldOfGroupsOnlyWhatTheyMayNotRead) {
  const Id town = Above(branch);
  const Id chen = world.Person("陈", town);
  world.Appoint(chen, town, SECRETARY);
  BeMember(zhangs, wang, "2020-01-01");
  Grade(lis, wang, MemberAppraisal::UNQUALIFIED);
  Hold(zhangs, "2026-03-31");
  world.SyncAll();
  const auto report = Asked(chen, town);
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_EQ(report->organisations(), 2u);
  EXPECT_EQ(LineOf(*report, "meeting.held").amount(), 1);
  EXPECT_EQ(LineOf(*report, "member.count").amount(), 1);
  const Line grades = LineOf(*report, "appraisal.graded");
  EXPECT_EQ(grades.telling(), rules::v1::FEW) << "one of one is a person";
  EXPECT_EQ(grades.amount(), 0);
  EXPECT_THAT(grades.ways(), IsEmpty());
  EXPECT_EQ(ReasonOf(Asked(wang, town).status()).reason, sync::v1::ASK_NOT_BELOW);
  EXPECT_EQ(ReasonOf(Asked(zhang, town).status()).reason, sync::v1::ASK_NOT_BELOW);
  EXPECT_EQ(ReasonOf(Asked(chen, town, "yesterday").status()).reason, sync::v1::MALFORMED);
}

}  // namespace
}  // namespace zhibu::test
