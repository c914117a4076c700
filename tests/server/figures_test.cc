// Sums are what is counted from nothing, whatever happens to records.
#include "server/figures/sums.h"

#include <gmock/gmock.h>

#include <iterator>
#include <map>
#include <random>
#include <set>

#include "absl/strings/str_cat.h"
#include "server/figures/making.h"
#include "server/figures/summary.h"
#include "sync/base/date.h"
#include "tests/support/recounted.h"
#include "tests/support/village.h"

namespace zhibu::test {
namespace {

using records::v1::Attendance;
using records::v1::DevelopmentStep;
using records::v1::DuesBase;
using records::v1::Grading;
using records::v1::MemberAppraisal;
using records::v1::StudySession;
using records::v1::StudyYear;
using rules::Months;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr int64_t kDay = 86'400'000;

class Sums : public Village {
 protected:
  // What is kept of a figure, of the branch or of one and all below it.
  int64_t Kept(const std::string& key, const std::string& period = "2026",
               const std::vector<Id>& of = {}) {
    return LineOf(key, period, of).amount();
  }
  rules::v1::Line LineOf(const std::string& key, const std::string& period,
                         const std::vector<Id>& of = {}) {
    const rules::v1::Report report = ReportOf(period, of);
    EXPECT_FALSE(report.being_made());
    for (const auto& line : report.lines()) {
      if (line.key() == key) return line;
    }
    ADD_FAILURE() << "no " << key;
    return {};
  }
  rules::v1::Report ReportOf(const std::string& period, const std::vector<Id>& of = {}) {
    rules::v1::Report report;
    EXPECT_EQ(world.store().Read([&](server::Reader& reader) -> absl::Status {
      ASSIGN_OR_RETURN(report,
                       server::SummaryOf(reader, world.ingest().book(),
                                         of.empty() ? std::vector<Id>{branch} : of,
                                         *Months::From(period), MonthOf(DayAt(world.now_ms())),
                                         [](const rules::Figure&) { return rules::Sight::kAll; }));
      return absl::OkStatus();
    }),
              absl::OkStatus());
    return report;
  }
  std::vector<std::string> Wrong(const rules::Book& book = rules::ShippedBook()) {
    std::vector<std::string> wrong;
    EXPECT_EQ(world.store().Read([&](server::Reader& reader) -> absl::Status {
      ASSIGN_OR_RETURN(wrong, WrongSums(reader, book));
      return absl::OkStatus();
    }),
              absl::OkStatus());
    return wrong;
  }

  Id Hold(Phone& phone, const char* day, Meeting::Kind kind = Meeting::MEMBERS) {
    return phone.Make<Meeting>([&](Meeting& meeting) {
      meeting.set_branch_id(branch.str());
      meeting.set_kind(kind);
      meeting.set_state(Meeting::HELD);
      meeting.set_expected(3);
      meeting.add_present(zhang.str());
      meeting.mutable_starts_at()->set_seconds(BeginningOf(*DayFrom(day)) / 1000 + 36'000);
    });
  }
  Id Pay(Phone& phone, const Id& member, int64_t fen, const char* month,
         const Id* reverses = nullptr) {
    return phone.Make<DuesPayment>([&](DuesPayment& paid) {
      paid.set_branch_id(branch.str());
      paid.set_member_id(member.str());
      paid.set_amount_fen(fen);
      paid.set_month(month);
      if (reverses != nullptr) paid.set_reverses_id(reverses->str());
    });
  }
};

TEST_F(Sums, AreThereOnceAnEditIsInAndFollowEachOfItsChanges) {
  const Id meeting = Hold(zhangs, "2026-03-31");
  EXPECT_EQ(Kept("meeting.held"), 0) << "it is on the phone";
  world.SyncAll();
  EXPECT_EQ(Kept("meeting.held", "2026-03"), 1);
  EXPECT_EQ(Kept("meeting.present", "2026-03"), 1);
  lis.Change<Meeting>(meeting, [&](Meeting& one) {
    one.add_present(li.str());
    one.set_kind(Meeting::LECTURE);
    one.mutable_starts_at()->set_seconds(BeginningOf(*DayFrom("2025-12-31")) / 1000);
  });
  world.SyncAll();
  EXPECT_EQ(Kept("meeting.held"), 0);
  EXPECT_EQ(Kept("meeting.present", "2025-12"), 2);
  EXPECT_THAT(Wrong(), IsEmpty());
  zhangs.Delete<Meeting>(meeting);
  world.SyncAll();
  EXPECT_EQ(Kept("meeting.held", "2025"), 0);
  EXPECT_THAT(Wrong(), IsEmpty());
}

TEST_F(Sums, ArePutRightByWhatTakesAPaymentBackBeforeOrAfter) {
  const Id paid = Pay(zhangs, wang, 4800, "2026-03");
  world.SyncAll();
  EXPECT_EQ(Kept("dues.paid"), 4800);
  Pay(zhangs, wang, -4800, "2026-03", &paid);
  world.SyncAll();
  EXPECT_EQ(Kept("dues.paid"), 0);
  EXPECT_EQ(Kept("dues.payments"), 0);
  EXPECT_THAT(Wrong(), IsEmpty());
}

TEST_F(Sums, OfARollCallFollowTheMeetingThatItIsOf) {
  const Id meeting = Hold(zhangs, "2026-03-31");
  for (const Id& member : {zhang, li, wang}) {
    zhangs.Make<Attendance>([&](Attendance& one) {
      one.set_meeting_id(meeting.str());
      one.set_member_id(member.str());
      one.set_branch_id(branch.str());
      one.set_state(Attendance::PRESENT);
    });
  }
  world.SyncAll();
  EXPECT_EQ(Kept("meeting.roll", "2026-03"), 3);
  lis.Change<Meeting>(meeting, [&](Meeting& one) {
    one.mutable_starts_at()->set_seconds(BeginningOf(*DayFrom("2026-04-01")) / 1000);
  });
  world.SyncAll();
  EXPECT_EQ(Kept("meeting.roll", "2026-03"), 0);
  EXPECT_EQ(Kept("meeting.roll", "2026-04"), 3);
  EXPECT_THAT(Wrong(), IsEmpty());
  zhangs.Delete<Meeting>(meeting);
  world.SyncAll();
  EXPECT_EQ(Kept("meeting.roll"), 0);
  EXPECT_EQ(LineOf("meeting.roll", "2026").not_known(), 3);
  EXPECT_THAT(Wrong(), IsEmpty());
}

TEST_F(Sums, OfDuesFollowTheNextBaseAndItsEnd) {
  const auto base = [&](const char* from, int64_t fen) {
    return zhangs.Make<DuesBase>([&](DuesBase& one) {
      one.set_branch_id(branch.str());
      one.set_member_id(wang.str());
      one.set_from(from);
      one.set_monthly_due_fen(fen);
      one.set_state(DuesBase::PROPOSED);
    });
  };
  base("2026-01", 1000);
  const Id later = base("2026-07", 2000);
  world.SyncAll();
  EXPECT_EQ(Kept("dues.due", "2026-Q2"), 3000);
  EXPECT_EQ(Kept("dues.due", "2026-Q3"), 6000);
  EXPECT_THAT(Wrong(), IsEmpty());
  zhangs.Delete<DuesBase>(later);
  world.SyncAll();
  EXPECT_EQ(Kept("dues.due", "2026-Q3"), 3000);
  EXPECT_THAT(Wrong(), IsEmpty());
}

TEST_F(Sums, OfATransferGoWithTheMemberAndTheOldBranchKeepsTheirPast) {
  const Id other = world.Branch("白水村党支部");
  const Id zhao = world.Person("赵", other);
  world.Appoint(zhao, other, SECRETARY);
  Phone& zhaos = world.Enrol(zhao);
  zhangs.Change<Member>(wang, [](Member& member) { member.set_stage(Member::FULL); });
  world.SyncAll();
  EXPECT_EQ(Kept("member.count"), 1);
  const Id letter = zhangs.Make<Transfer>([&](Transfer& transfer) {
    transfer.set_member_id(wang.str());
    transfer.set_from_branch_id(branch.str());
    transfer.set_to_branch_id(other.str());
    transfer.set_state(Transfer::ISSUED);
    transfer.set_letter_number("青 1");
    transfer.set_issued(DateAt(world.now_ms()));
    transfer.set_valid_until(DateAt(world.now_ms() + 30 * kDay));
  });
  world.SyncAll();
  EXPECT_EQ(Kept("member.count"), 1) << "on the way it counts at home";
  zhaos.Change<Transfer>(letter, [&](Transfer& transfer) {
    transfer.set_state(Transfer::RECEIVED);
    transfer.set_received(DateAt(world.now_ms()));
    transfer.set_received_by_id(zhao.str());
  });
  world.SyncAll();
  ASSERT_EQ(world.Get<Member>(wang).branch_id(), other.bytes());
  EXPECT_EQ(Kept("member.count", "2026", {other}), 1);
  EXPECT_EQ(Kept("member.transferred_in", "2026", {other}), 1);
  EXPECT_EQ(Kept("transfer.out"), 1);
  EXPECT_EQ(Kept("member.former", "2025"), 1);
  EXPECT_THAT(Wrong(), IsEmpty());
  for (const auto& of : {std::vector<Id>{branch}, {other}, {branch, other}}) {
    EXPECT_EQ(ReportOf("2026", of).balances(0).difference(), 0);
  }
}

TEST_F(Sums, WithABalanceThatIsOpenNameTheOrganisation) {
  zhangs.Change<Member>(wang, [](Member& member) {
    member.set_stage(Member::FULL);
    member.set_joined("2026-05-01");
  });
  world.SyncAll();
  const auto sheet = ReportOf("2026").balances(0);
  EXPECT_EQ(sheet.difference(), -1);
  ASSERT_EQ(sheet.open_size(), 1);
  EXPECT_EQ(sheet.open(0).organisation_id(), branch.bytes());
}

// ---- Every shipped figure ----------------------------------------------------------------

// Records of every type that a figure counts, filled, changed, moved, deleted and made again, by the
// server's own device: no sum differs after any of it.
TEST_F(Sums, OfEveryShippedFigureStayWhatIsCountedFromNothing) {
  const Id other = world.Branch("白水村党支部");
  std::mt19937 dice(7);
  const auto below = [&](int n) { return static_cast<int>(dice() % static_cast<unsigned>(n)); };
  const auto fill = [&](const RecordType& type, google::protobuf::Message* record) {
    for (const FieldRule& rule : type.fields.rules()) {
      const auto* field = rule.descriptor;
      const auto& reflection = *record->GetReflection();
      if (rule.place == OWNER) {
        reflection.SetString(record, field, (below(4) != 0 ? branch : other).str());
      } else if (rule.place == PERSON) {
        const Id* const people[] = {&zhang, &li, &wang};
        reflection.SetString(record, field, people[below(3)]->str());
      } else if (field->is_repeated() || below(4) == 0) {
        continue;
      } else if (field->cpp_type() == google::protobuf::FieldDescriptor::CPPTYPE_ENUM) {
        reflection.SetEnumValue(record, field,
                                field->enum_type()->value(below(field->enum_type()->value_count()))->number());
      } else if (rule.format == DATE || rule.format == DAY_OR_MONTH) {
        reflection.SetString(record, field,
                             absl::StrCat(2024 + below(3), "-0", 1 + below(9), "-1", below(9)));
      } else if (rule.format == MONTH) {
        reflection.SetString(record, field, absl::StrCat("2026-0", 1 + below(9)));
      } else if (field->cpp_type() == google::protobuf::FieldDescriptor::CPPTYPE_UINT32) {
        reflection.SetUInt32(record, field, field->name() == "year" ? 2025 + static_cast<uint32_t>(below(2)) : static_cast<uint32_t>(below(9)));
      } else if (field->cpp_type() == google::protobuf::FieldDescriptor::CPPTYPE_INT64) {
        reflection.SetInt64(record, field, below(1000) - 200);
      }
    }
  };
  std::set<uint32_t> types;
  for (const rules::Figure& figure : rules::ShippedBook().figures()) types.insert(figure.of->number);
  types.insert(31);
  std::map<uint32_t, std::vector<Id>> made;
  for (int round = 0; round < 400; ++round) {
    auto it = types.begin();
    std::advance(it, below(static_cast<int>(types.size())));
    const RecordType& type = *world.schema()->Find(*it);
    std::vector<Id>& known = made[type.number];
    sync::v1::Edit edit;
    auto& change = *edit.add_changes();
    change.set_type(type.number);
    if (known.size() > 5 && below(3) == 0) {
      change.set_id(known[static_cast<size_t>(below(static_cast<int>(known.size())))].str());
      change.set_delete_(true);
    } else {
      const std::unique_ptr<google::protobuf::Message> record(
          google::protobuf::MessageFactory::generated_factory()
              ->GetPrototype(type.descriptor)
              ->New());
      fill(type, record.get());
      if (auto* payment = dynamic_cast<DuesPayment*>(record.get());
          payment != nullptr && !known.empty() && below(3) == 0) {
        payment->set_reverses_id(known.front().str());
      }
      if (auto* one = dynamic_cast<Attendance*>(record.get()); one != nullptr && !made[31].empty()) {
        one->set_meeting_id(made[31].front().str());
      }
      if (auto* one = dynamic_cast<Meeting*>(record.get()); one != nullptr && below(4) != 0) {
        one->mutable_starts_at()->set_seconds(1'767'000'000 + below(40'000'000));
      }
      const auto id = type.id_from.empty() ? absl::StatusOr<Id>(world.fate().environment().NewId())
                                           : DeriveId(type, record->SerializeAsString());
      if (!id.ok()) continue;
      change.set_id(id->str());
      change.set_set(record->SerializeAsString());
      known.push_back(*id);
    }
    world.Wait(1000);
    // What cannot be is refused, and changes nothing.
    (void)world.ingest().CommitOwn(world.store(), edit);
    if (round % 20 != 0) continue;
    ASSERT_THAT(Wrong(), IsEmpty()) << "after round " << round;
  }
  EXPECT_THAT(Wrong(), IsEmpty());
  EXPECT_THAT(ReportOf("2026").lines(), Not(IsEmpty()));
}

// ---- Made anew --------------------------------------------------------------------------

TEST_F(Sums, AreThoseOfARestoredServer) {
  Hold(zhangs, "2026-03-31");
  world.SyncAll();
  const std::string backup = world.BackUp();
  Hold(zhangs, "2026-03-30");
  world.SyncAll();
  world.RestoreServer(backup);
  EXPECT_THAT(Wrong(), IsEmpty());
  EXPECT_EQ(Kept("meeting.held"), 1);
  world.SyncAll();
  EXPECT_EQ(Kept("meeting.held"), 2) << "the phone has offered it again";
}

TEST_F(Sums, AreMadeAnewInStepsBetweenEditsWhereTheFiguresAreOthers) {
  for (const char* day : {"2026-03-31", "2026-04-30", "2026-05-31", "2026-06-30"}) {
    Hold(zhangs, day);
    Pay(zhangs, wang, 4800, "2026-03");
  }
  world.SyncAll();
  const std::vector<rules::RuleText> files = {{"test.textproto", R"(
    figure { key: "of_type" words { zh: "a" en: "a" } source: "s" certainty: SURE of: "Meeting"
      day: "this.starts_at" unit { zh: "次" en: "n" } }
    figure { key: "fen" words { zh: "b" en: "b" } source: "s" certainty: SURE of: "DuesPayment"
      day: "this.month" counts: "this.amount_fen" undone_by: "reverses_id"
      unit { zh: "分" en: "fen" } })"}};
  const auto book = rules::Book::Compile(files, *CatalogueSchema());
  ASSERT_TRUE(book.ok()) << book.status();
  const server::Ingest later(world.schema(), world.fate().environment(), server::Observer::None(),
                             **book);
  const auto is_being_made = [&] {
    bool made = false;
    EXPECT_EQ(world.store().Read([&](server::Reader& reader) -> absl::Status {
      ASSIGN_OR_RETURN(const auto report,
                       server::SummaryOf(reader, **book, {&branch, 1}, *Months::From("2026"), 0,
                                         [](const rules::Figure&) { return rules::Sight::kAll; }));
      made = report.being_made();
      return absl::OkStatus();
    }),
              absl::OkStatus());
    return made;
  };
  int steps = 0;
  int64_t payments = 0;
  for (bool made = false; !made; ++steps) {
    EXPECT_TRUE(is_being_made());
    const auto step = server::MakeSums(world.store(), *world.schema(), **book, 2);
    ASSERT_TRUE(step.ok()) << step.status();
    made = *step;
    // In between somebody pays.
    DuesPayment paid;
    paid.set_branch_id(branch.str());
    paid.set_member_id(wang.str());
    paid.set_amount_fen(100);
    paid.set_month("2026-03");
    sync::v1::Edit edit;
    auto& change = *edit.add_changes();
    change.set_type(51);
    change.set_id(world.fate().environment().NewId().str());
    change.set_set(paid.SerializeAsString());
    ASSERT_TRUE(later.CommitOwn(world.store(), edit).ok());
    ++payments;
    ASSERT_LT(steps, 100);
  }
  EXPECT_GT(steps, 4);
  EXPECT_FALSE(is_being_made());
  EXPECT_THAT(Wrong(**book), IsEmpty());
}

}  // namespace
}  // namespace zhibu::test
