// What is due, as each person's own phone works it out without a network.
#include "client-core/actions/due.h"

#include <gmock/gmock.h>

#include <map>

#include "absl/strings/str_cat.h"
#include "client-core/actions/distinct.h"
#include "client-core/actions/known.h"
#include "client-core/actions/reversal.h"
#include "server/figures/due.h"
#include "sync/base/date.h"
#include "sync/base/status.h"
#include "sync/rules/above.h"
#include "sync/wire/record.h"
#include "tests/support/village.h"

namespace zhibu::test {
namespace {

using records::v1::DistinctFact;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Not;

class DueHere : public Village {
 protected:
  DueHere() { world.SyncAll(); }

  // "meeting.members: 青石村党支部", of one key.
  std::vector<std::string> DueOn(Phone& phone, const char* day, absl::string_view key) {
    const auto due = client::WhatIsDue(phone.store(), DayFrom(day));
    EXPECT_TRUE(due.ok()) << due.status();
    EXPECT_THAT(due->list.faults, IsEmpty());
    std::vector<std::string> lines;
    for (const rules::DueItem& item : due->list.items) {
      if (item.obligation->text.key() == key) {
        lines.push_back(absl::StrCat(item.period, ": ", NameOfSubject(phone.store(), item)));
      }
    }
    return lines;
  }
};

TEST_F(DueHere, ASecretaryWithoutSignalIsToldWhichMeetingIsMissingAndRecordingItSettlesThat) {
  const auto due = client::WhatIsDue(zhangs.store());
  ASSERT_TRUE(due.ok()) << due.status();
  EXPECT_EQ(absl::FormatCivilTime(due->as_of), DateAt(world.now_ms()));
  world.Wait(31 * kDay);
  const std::string today = DateAt(world.now_ms());
  const std::vector<std::string> before = DueOn(zhangs, today.c_str(), "meeting.theme_day");
  ASSERT_THAT(before, Not(IsEmpty()));
  zhangs.Make<Meeting>([&](Meeting& meeting) {
    meeting.set_branch_id(branch.str());
    meeting.set_kind(Meeting::THEME_DAY);
    meeting.set_state(Meeting::HELD);
    meeting.mutable_starts_at()->set_seconds(world.now_ms() / 1000);
  });
  const std::vector<std::string> after = DueOn(zhangs, today.c_str(), "meeting.theme_day");
  EXPECT_EQ(after.size() + 1, before.size()) << "offline: nothing was synced";
}

TEST_F(DueHere, AMemberIsToldOfTheirOwnDuesAndNothingOfWhatIsTheSecretarysOrOthers) {
  zhangs.Change<Member>(li, [](Member& member) {
    member.set_stage(Member::FULL);
    member.set_status(Member::ACTIVE);
  });
  zhangs.Change<Member>(wang, [](Member& member) {
    member.set_stage(Member::FULL);
    member.set_status(Member::ACTIVE);
  });
  world.SyncAll();
  world.Wait(31 * kDay);
  const std::string today = DateAt(world.now_ms());
  EXPECT_THAT(DueOn(wangs, today.c_str(), "meeting.theme_day"), IsEmpty());
  for (const std::string& line : DueOn(wangs, today.c_str(), "dues.month")) {
    EXPECT_THAT(line, ::testing::EndsWith(": 王"));
  }
  EXPECT_THAT(DueOn(wangs, today.c_str(), "dues.month"), Not(IsEmpty()));
  EXPECT_THAT(DueOn(zhangs, today.c_str(), "dues.month"),
              ::testing::Contains(::testing::EndsWith(": 李")));
}

// They hold what they are asked, and the record of nobody below.
TEST_F(DueHere, ASuperiorIsToldByTheBranchWhatWaitsForThem) {
  using records::v1::DevelopmentCase;
  using records::v1::DevelopmentStep;
  const Id above = world.Branch("云溪镇党委");
  Organisation below = world.Get<Organisation>(branch);
  below.set_parent_id(above.str());
  world.Write(below, branch);
  const Id sun = world.Person("孙", above);
  world.Appoint(sun, above, SECRETARY);
  Phone& suns = world.Enrol(sun);
  world.SyncAll();
  DevelopmentCase made;
  made.set_member_id(wang.str());
  made.set_lead_branch_id(branch.str());
  made.set_attempt(1);
  made.set_stage(DevelopmentCase::ACCEPTED);
  const Id of_wang =
      DeriveId(*world.schema()->Find(DevelopmentCase::descriptor()), made.SerializeAsString())
          .value();
  zhangs.Make<DevelopmentCase>([&](DevelopmentCase& one) { one = made; });
  zhangs.Make<DevelopmentStep>([&](DevelopmentStep& step) {
    step.set_case_id(of_wang.str());
    step.set_attempt(1);
    step.set_step(DevelopmentStep::ACCEPTANCE_MEETING);
    step.set_member_id(wang.str());
    step.set_branch_id(branch.str());
    step.set_done_on("2026-05-20");
    step.set_result(DevelopmentStep::PASSED);
    step.set_state(DevelopmentStep::SUBMITTED);
    step.set_irregular_because("补录");
  });
  world.SyncAll();
  EXPECT_THAT(zhangs.SetAside(), IsEmpty());
  EXPECT_THAT(DueOn(suns, "2026-09-01", "dev.approval"), ElementsAre(": 青石村党支部"));
}

class DueAlike : public DueHere {
 protected:
  using Standing = std::pair<std::string, rules::Standing>;
  using Counts = std::map<Standing, uint32_t>;

  static Counts OnThePhone(Phone& phone) {
    const auto due = client::WhatIsDue(phone.store());
    EXPECT_TRUE(due.ok()) << due.status();
    Counts counts;
    for (const rules::DueItem& item : due->list.items) {
      ++counts[{item.obligation->text.key(), item.standing}];
    }
    return counts;
  }
  rules::v1::DueReport Below(const Id& organisation) {
    rules::v1::DueReport report;
    EXPECT_EQ(world.store().Read([&](server::Reader& reader) -> absl::Status {
      ASSIGN_OR_RETURN(const std::vector<Id> tree, zhibu::Below(reader, organisation));
      ASSIGN_OR_RETURN(report,
                       server::DueIn(reader, world.ingest().book(), tree, DayAt(world.now_ms())));
      return absl::OkStatus();
    }),
              absl::OkStatus());
    return report;
  }
  static void Add(const std::string& key, const rules::v1::DueReport::Count& count, Counts* to) {
    const auto add = [&](rules::Standing standing, uint32_t number) {
      if (number > 0) (*to)[{key, standing}] += number;
    };
    add(rules::Standing::kOverdue, count.overdue());
    add(rules::Standing::kDue, count.due());
    add(rules::Standing::kQuestion, count.questions());
    add(rules::Standing::kComing, count.coming());
  }
  static Counts Told(const rules::v1::DueReport& report) {
    Counts counts;
    for (const auto& rule : report.rules()) Add(rule.key(), rule.all(), &counts);
    return counts;
  }
};

TEST_F(DueAlike, TheServerFindsOfABranchWhatItsSecretarysPhoneFindsAndOfAllBelowTheSumOfThem) {
  const Id above = world.Branch("云溪镇党委");
  const Id other = world.Branch("白水村党支部");
  for (const Id& one : {branch, other}) {
    Organisation below = world.Get<Organisation>(one);
    below.set_parent_id(above.str());
    world.Write(below, one);
  }
  for (const Id& member : {li, wang}) {
    zhangs.Change<Member>(member, [](Member& one) {
      one.set_stage(Member::FULL);
      one.set_status(Member::ACTIVE);
    });
  }
  world.SyncAll();
  world.Wait(95 * kDay);
  zhangs.Make<Meeting>([&](Meeting& meeting) {
    meeting.set_branch_id(branch.str());
    meeting.set_kind(Meeting::THEME_DAY);
    meeting.set_state(Meeting::HELD);
    meeting.mutable_starts_at()->set_seconds(world.now_ms() / 1000);
  });
  world.SyncAll();

  const rules::v1::DueReport ours = Below(branch);
  ASSERT_THAT(ours.rules(), Not(IsEmpty()));
  EXPECT_EQ(Told(ours), OnThePhone(zhangs));

  const rules::v1::DueReport all = Below(above);
  EXPECT_EQ(all.organisations(), 3u);
  Counts sum = Told(ours);
  for (const auto& more : {Told(Below(other)), Told(all)}) EXPECT_FALSE(more.empty());
  for (const auto& [standing, number] : Told(Below(other))) sum[standing] += number;
  for (const auto& rule : all.rules()) {
    for (const auto& part : rule.parts()) {
      if (part.organisation_id() == above.str()) Add(rule.key(), part.count(), &sum);
    }
  }
  EXPECT_EQ(Told(all), sum);
}

// Field case K5: recorded twice, by two who did not know of each other.
class RecordedTwice : public DueHere {
 protected:
  Id Paid(Phone& phone) {
    return phone.Make<DuesPayment>([&](DuesPayment& payment) {
      payment.set_member_id(wang.str());
      payment.set_branch_id(branch.str());
      payment.set_month("2026-01");
      payment.set_amount_fen(2000);
    });
  }
  static std::vector<std::pair<Id, Id>> Twice(Phone& phone) {
    const auto due = client::WhatIsDue(phone.store());
    EXPECT_TRUE(due.ok()) << due.status();
    std::vector<std::pair<Id, Id>> asked;
    for (const rules::DueItem& item : due->list.items) {
      if (item.obligation->text.key() == "twice.dues") {
        asked.emplace_back(item.subject, *item.same_as);
      }
    }
    return asked;
  }
  static const RecordType& TypeOf(Phone& phone, const google::protobuf::Descriptor& type) {
    return *phone.store().schema().Find(&type);
  }
  static void SayDistinct(Phone& phone, const Id& payment) {
    auto fact = client::SayDistinct(phone.store(), TypeOf(phone, *DuesPayment::descriptor()),
                                    payment, "补交一笔");
    ASSERT_TRUE(fact.ok()) << fact.status();
    EXPECT_EQ(phone.store().Commit({&*fact}).status(), absl::OkStatus());
  }
};

TEST_F(RecordedTwice, AfterTheyMetBothKeepersAreAskedAndWhatOneSaysSettlesItForBoth) {
  const Id first = Paid(zhangs);
  world.Wait(1000);
  const Id second = Paid(lis);
  EXPECT_THAT(Twice(zhangs), IsEmpty()) << "each knows of their own";
  world.SyncAll();
  const std::vector<std::pair<Id, Id>> asked = {{second, first}};
  EXPECT_EQ(Twice(zhangs), asked);
  EXPECT_EQ(Twice(lis), asked);

  SayDistinct(zhangs, second);
  EXPECT_THAT(Twice(zhangs), IsEmpty()) << "offline: nothing was synced";
  world.SyncAll();
  EXPECT_THAT(zhangs.SetAside(), IsEmpty());
  EXPECT_THAT(Twice(lis), IsEmpty());
}

TEST_F(RecordedTwice, WhatWasSaidIsUndoneByDeletingIt) {
  Paid(zhangs);
  Paid(zhangs);
  world.SyncAll();
  SayDistinct(zhangs, Twice(zhangs).front().first);
  world.SyncAll();
  EXPECT_THAT(Twice(zhangs), IsEmpty());
  std::vector<Id> said;
  ASSERT_EQ(client::Each<DistinctFact>(zhangs.store(),
                                       [&](const Id& id, const DistinctFact& /*fact*/) {
                                         said.push_back(id);
                                         return true;
                                       }),
            absl::OkStatus());
  ASSERT_EQ(said.size(), 1u);
  zhangs.Delete<DistinctFact>(said.front());
  world.SyncAll();
  EXPECT_EQ(Twice(zhangs).size(), 1u);
}

TEST_F(RecordedTwice, TakingTheLaterOneBackSettlesItToo) {
  Paid(zhangs);
  world.Wait(1000);
  const Id second = Paid(zhangs);
  ASSERT_EQ(Twice(zhangs).size(), 1u);
  auto reversal =
      client::Reverse(zhangs.store(), TypeOf(zhangs, *DuesPayment::descriptor()), second, "记重");
  ASSERT_TRUE(reversal.ok()) << reversal.status();
  const DuesPayment made = reversal->message<DuesPayment>();
  const DuesPayment was = zhangs.Get<DuesPayment>(second);
  EXPECT_EQ(made.amount_fen(), -was.amount_fen());
  EXPECT_EQ(made.month(), was.month());
  EXPECT_EQ(made.member_id(), was.member_id());
  EXPECT_EQ(made.reverses_id(), second.bytes());
  EXPECT_EQ(made.paid_on(), DateAt(world.now_ms()));
  EXPECT_EQ(made.remark(), "记重");
  ASSERT_TRUE(zhangs.store().Commit({&*reversal}).ok());
  EXPECT_THAT(Twice(zhangs), IsEmpty()) << "offline: nothing was synced";
  world.SyncAll();
  EXPECT_THAT(zhangs.SetAside(), IsEmpty());
  EXPECT_THAT(Twice(lis), IsEmpty());
}

// Whatever types of money there will be: each has its case here.
TEST_F(RecordedTwice, EveryRecordOfMoneyIsTakenBackOnceByAnotherAndTheServerTakesIt) {
  std::map<std::string, Id> made;
  made["DuesPayment"] = Paid(zhangs);
  made["DuesHandedUp"] =
      zhangs.Make<records::v1::DuesHandedUp>([&](records::v1::DuesHandedUp& record) {
        record.set_branch_id(branch.str());
        record.set_from("2026-01");
        record.set_until("2026-03");
        record.set_amount_fen(12'000);
        record.set_handed_up_on("2026-04-02");
        record.set_state(records::v1::DuesHandedUp::HANDED_UP);
      });
  made["FundEntry"] = zhangs.Make<records::v1::FundEntry>([&](records::v1::FundEntry& record) {
    record.set_branch_id(branch.str());
    record.set_booked_on("2026-04-02");
    record.set_use(records::v1::FundEntry::TRAINING);
    record.set_amount_fen(-5000);
    record.set_what("培训资料");
  });
  made["Aid"] = zhangs.Make<records::v1::Aid>([&](records::v1::Aid& record) {
    record.set_branch_id(branch.str());
    record.set_member_id(wang.str());
    record.set_kind(records::v1::Aid::HARDSHIP);
    record.set_amount_fen(30'000);
    record.set_given_on("2026-04-02");
  });
  world.SyncAll();
  ASSERT_THAT(zhangs.SetAside(), IsEmpty());
  const auto why_not = [&](const RecordType& type, const Id& id) {
    return ReasonOf(client::Reverse(zhangs.store(), type, id, "").status()).reason;
  };
  for (const RecordType& type : zhangs.store().schema().types()) {
    const auto known = made.find(type.name);
    ASSERT_EQ(client::IsReversible(type), known != made.end()) << type.name;
    if (known == made.end()) continue;
    for (const FieldRule& rule : type.fields.rules()) {
      const auto firsts = std::count_if(rule.steps.begin(), rule.steps.end(),
                                        [](const auto& step) { return step.first == 0; });
      EXPECT_LE(firsts, 1) << type.name << ": how would a reversal begin?";
    }
    auto reversal = client::Reverse(zhangs.store(), type, known->second, "");
    ASSERT_TRUE(reversal.ok()) << type.name << ": " << reversal.status();
    const Id id = reversal->id();
    ASSERT_TRUE(zhangs.store().Commit({&*reversal}).ok()) << type.name;
    world.SyncAll();
    EXPECT_THAT(zhangs.SetAside(), IsEmpty()) << type.name;
    EXPECT_EQ(why_not(type, known->second), sync::v1::NOT_UNDERSTOOD) << type.name << " twice";
    EXPECT_EQ(why_not(type, id), sync::v1::NOT_UNDERSTOOD) << type.name << " of a reversal";
  }
  EXPECT_EQ(why_not(TypeOf(zhangs, *Member::descriptor()), li), sync::v1::NOT_UNDERSTOOD);
}

TEST_F(RecordedTwice, AMemberIsNotAskedOfWhatTheirSecretaryKeepsAndSaysNothingToIt) {
  const Id first = Paid(zhangs);
  Paid(zhangs);
  world.SyncAll();
  EXPECT_THAT(Twice(wangs), IsEmpty());
  client::Draft fact = wangs.store().New<DistinctFact>();
  fact.message<DistinctFact>().set_organisation_id(branch.str());
  fact.message<DistinctFact>().set_payment_id(first.str());
  ASSERT_TRUE(wangs.store().Commit({&fact}).ok());
  world.SyncAll();
  EXPECT_THAT(wangs.SetAside(), Not(IsEmpty()));
  EXPECT_EQ(Twice(zhangs).size(), 1u);
}

TEST_F(RecordedTwice, OfWhatLooksLikeNoEarlierOneNothingCanBeSaid) {
  const auto say = [&](const google::protobuf::Descriptor& type, const Id& id) {
    const auto fact = client::SayDistinct(zhangs.store(), TypeOf(zhangs, type), id, "");
    return ReasonOf(fact.status()).reason;
  };
  EXPECT_EQ(say(*Member::descriptor(), li), sync::v1::NOT_UNDERSTOOD);
  const Id first = Paid(zhangs);
  EXPECT_EQ(say(*DuesPayment::descriptor(), first), sync::v1::NOT_UNDERSTOOD);
  world.Wait(1000);
  const Id second = Paid(zhangs);
  EXPECT_EQ(say(*DuesPayment::descriptor(), first), sync::v1::NOT_UNDERSTOOD);
  SayDistinct(zhangs, second);
  EXPECT_EQ(say(*DuesPayment::descriptor(), second), sync::v1::NOT_UNDERSTOOD) << "it is said";
}

// Who decides may record it too, and not only their own.
TEST_F(RecordedTwice, WhoSaysThatARecordIsAnotherFactMayWriteSuchRecordsOfOthers) {
  const RecordType& fact = TypeOf(zhangs, *DistinctFact::descriptor());
  int named = 0;
  for (const FieldRule& rule : fact.fields.rules()) {
    if (rule.kept_with == nullptr) continue;
    ++named;
    EXPECT_EQ(fact.writers.at_home & ~rule.kept_with->writers.at_home, 0u)
        << rule.descriptor->full_name();
    EXPECT_EQ(fact.readers.at_home & ~rule.kept_with->readers.at_home, 0u)
        << rule.descriptor->full_name();
  }
  EXPECT_GT(named, 4);
}

// What takes money back can be recorded twice as well.
TEST_F(RecordedTwice, OfWhateverCanBeTakenBackItIsAskedWhetherItWasRecordedOrTakenBackTwice) {
  for (const RecordType& type : zhangs.store().schema().types()) {
    if (type.descriptor->file()->package() != "zhibu.records.v1" ||
        type.descriptor->FindFieldByName("reverses_id") == nullptr) {
      continue;
    }
    int facts = 0;
    int reversals = 0;
    for (const rules::Obligation& obligation : rules::ShippedBook().obligations()) {
      if (obligation.each != &type && obligation.each->name != type.name) continue;
      if (obligation.same.empty()) continue;
      const bool of_reversals = obligation.same.front()->name() == "reverses_id";
      ++(of_reversals ? reversals : facts);
    }
    EXPECT_EQ(facts, 1) << type.name;
    EXPECT_EQ(reversals, 1) << type.name;
  }
}

}  // namespace
}  // namespace zhibu::test
