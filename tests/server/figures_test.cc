// Sums are what is counted from nothing, whatever happens to records.
#include <gmock/gmock.h>
#include <google/protobuf/timestamp.pb.h>

#include <iterator>
#include <map>
#include <random>
#include <set>

#include "absl/strings/str_cat.h"
#include "server/figures/making.h"
#include "sync/base/date.h"
#include "sync/merge/own_edit.h"
#include "tests/server/sums.h"

namespace zhibu::test {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using records::v1::Attendance;
using records::v1::DuesBase;
using rules::Months;
using ::testing::IsEmpty;

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

// Any record of a type that a figure counts, whatever the steps of its type allow.
class AnyRecord {
 public:
  AnyRecord(std::vector<Id> organisations, std::vector<Id> people, std::mt19937* dice)
      : organisations_(std::move(organisations)), people_(std::move(people)), dice_(*dice) {}

  size_t Below(size_t n) { return dice_() % n; }

  // `made`: by type, what it may name.
  std::unique_ptr<Message> Make(const RecordType& type, std::map<uint32_t, std::vector<Id>>& made) {
    std::unique_ptr<Message> record(google::protobuf::MessageFactory::generated_factory()
                                        ->GetPrototype(type.descriptor)
                                        ->New());
    for (const FieldRule& rule : type.fields.rules()) {
      const bool place = rule.place == OWNER || rule.place == GUEST;
      if (place && !rule.descriptor->is_repeated()) {
        Set(record.get(), rule.descriptor, organisations_);
      } else if (rule.place == PERSON) {
        Set(record.get(), rule.descriptor, people_);
      } else if (rule.kept_with != nullptr) {
        const std::vector<Id>& known = made[rule.kept_with->number];
        const bool other = rule.kept_with->number != type.number;
        if (!known.empty() && (other || Below(3) == 0)) Set(record.get(), rule.descriptor, known);
      } else {
        Fill(record.get(), rule.descriptor, rule.format);
      }
    }
    return record;
  }

 private:
  void Set(Message* record, const FieldDescriptor* field, const std::vector<Id>& one_of) {
    record->GetReflection()->SetString(record, field, one_of[Below(one_of.size())].str());
  }

  void Fill(Message* record, const FieldDescriptor* field, Format format) {
    const auto& reflection = *record->GetReflection();
    if (field->is_repeated()) {
      if (field->name() == "present") reflection.AddString(record, field, people_[0].str());
      if (field->message_type() == nullptr || field->is_map()) return;
      Message* element = reflection.AddMessage(record, field);
      for (int i = 0; i < element->GetDescriptor()->field_count(); ++i) {
        Fill(element, element->GetDescriptor()->field(i), ANY);
      }
      return;
    }
    if (Below(5) == 0) return;
    switch (field->cpp_type()) {
      case FieldDescriptor::CPPTYPE_ENUM: {
        const auto& type = *field->enum_type();
        const int numbers = type.value_count();
        // Of the steps of development those that count come often.
        const bool step = field->name() == "step" && Below(2) == 0;
        const int number =
            step ? (Below(2) == 0 ? 17 : 24)
                 : type.value(static_cast<int>(Below(static_cast<size_t>(numbers))))->number();
        return reflection.SetEnumValue(record, field, number);
      }
      case FieldDescriptor::CPPTYPE_UINT32:
        return reflection.SetUInt32(
            record, field,
            static_cast<uint32_t>(field->name() == "year" ? 2024 + Below(3) : Below(30)));
      case FieldDescriptor::CPPTYPE_INT64:
        return reflection.SetInt64(record, field, static_cast<int64_t>(Below(9000)) - 2000);
      case FieldDescriptor::CPPTYPE_BOOL:
        return reflection.SetBool(record, field, Below(2) == 0);
      case FieldDescriptor::CPPTYPE_MESSAGE:
        if (auto* time = dynamic_cast<google::protobuf::Timestamp*>(
                reflection.MutableMessage(record, field))) {
          time->set_seconds(1'706'000'000 + static_cast<int64_t>(Below(90'000'000)));
        }
        return;
      default:
        return FillText(record, field, format);
    }
  }

  void FillText(Message* record, const FieldDescriptor* field, Format format) {
    const std::string month =
        absl::StrCat(field->name() == "confirmed" ? 1974 : 2024 + Below(3), "-0", 1 + Below(9));
    const bool dated = format == DATE || format == DAY_OR_MONTH;
    if (!dated && format != MONTH) return;
    record->GetReflection()->SetString(record, field,
                                       dated ? absl::StrCat(month, "-1", Below(9)) : month);
  }

  const std::vector<Id> organisations_;
  const std::vector<Id> people_;
  std::mt19937& dice_;
};

// Records of every type that a figure counts are made, changed, moved, deleted and made again; no
// sum differs after any of it.
TEST_F(Sums, OfEveryShippedFigureStayWhatIsCountedFromNothing) {
  const Id other = world.Branch("白水村党支部");
  std::mt19937 dice(7);
  AnyRecord any({branch, branch, other}, {zhang, li, wang}, &dice);
  std::set<uint32_t> types;
  for (const rules::Figure& figure : rules::ShippedBook().figures()) {
    types.insert(figure.of->number);
    for (const auto& [number, fields] : figure.others) types.insert(number);
  }
  std::map<uint32_t, std::vector<Id>> made;
  std::set<std::string> summed;
  for (int round = 0; round < 5000; ++round) {
    const RecordType& type = *world.schema()->Find(
        *std::next(types.begin(), static_cast<long>(any.Below(types.size()))));
    std::vector<Id>& known = made[type.number];
    if (known.size() > 8 && any.Below(3) == 0) {
      Put(type, known[any.Below(known.size())], nullptr);
    } else {
      const std::unique_ptr<Message> record = any.Make(type, made);
      absl::StatusOr<Id> id = world.fate().environment().NewId();
      if (type.own_scope == PERSON) id = any.Below(2) == 0 ? wang : li;
      if (!type.id_from.empty()) id = DeriveId(type, record->SerializeAsString());
      if (!known.empty() && type.id_from.empty() && any.Below(3) == 0) id = known.back();
      // None is without all that is required of it.
      if (!id.ok() || record->ByteSizeLong() == 0) continue;
      Put(type, *id, record.get());
      known.push_back(*id);
    }
    NoteSummed({branch, other}, &summed);
    if (round % 100 != 0) continue;
    ASSERT_THAT(Wrong(), IsEmpty()) << "after round " << round;
  }
  EXPECT_THAT(Wrong(), IsEmpty());
  for (const rules::Figure& figure : rules::ShippedBook().figures()) {
    EXPECT_EQ(summed.count(figure.text.key()), 1u) << figure.text.key();
  }
}

// ---- Made anew --------------------------------------------------------------------------

std::unique_ptr<const rules::Book> OtherBook() {
  const std::vector<rules::RuleText> files = {{"test.textproto", R"(
    figure { key: "of_type" words { zh: "a" en: "a" } source: "s" certainty: SURE of: "Meeting"
      day: "this.starts_at" unit { zh: "次" en: "n" } }
    figure { key: "fen" words { zh: "b" en: "b" } source: "s" certainty: SURE of: "DuesPayment"
      day: "this.month" counts: "this.amount_fen" undone_by: "reverses_id"
      unit { zh: "分" en: "fen" } })"}};
  auto book = rules::Book::Compile(files, *CatalogueSchema());
  EXPECT_TRUE(book.ok()) << book.status();
  return *std::move(book);
}

TEST_F(Sums, AreMadeAnewInStepsBetweenEditsWhereTheFiguresAreOthers) {
  for (const char* day : {"2026-03-31", "2026-04-30", "2026-05-31", "2026-06-30"}) {
    Hold(zhangs, day);
    Pay(zhangs, wang, 4800, "2026-03");
  }
  world.SyncAll();
  const auto book = OtherBook();
  const server::Ingest later(world.schema(), world.fate().environment(), server::Observer::None(),
                             *book);
  const auto is_being_made = [&] {
    bool made = false;
    EXPECT_EQ(world.store().Read([&](server::Reader& reader) -> absl::Status {
      ASSIGN_OR_RETURN(const auto report,
                       server::SummaryOf(reader, *book, {&branch, 1}, *Months::From("2026"), 0,
                                         [](const rules::Figure&) { return rules::Sight::kAll; }));
      made = report.being_made();
      return absl::OkStatus();
    }),
              absl::OkStatus());
    return made;
  };
  ASSERT_EQ(server::BeginSums(world.store(), *book), absl::OkStatus());
  int steps = 0;
  int64_t payments = 0;
  for (bool made = false; !made; ++steps) {
    EXPECT_TRUE(is_being_made());
    const auto step = server::MakeSums(world.store(), *world.schema(), *book, 2);
    ASSERT_TRUE(step.ok()) << step.status();
    made = *step;
    // In between somebody pays.
    DuesPayment paid;
    paid.set_branch_id(branch.str());
    paid.set_member_id(wang.str());
    paid.set_amount_fen(100);
    paid.set_month("2026-03");
    sync::v1::Edit edit;
    AddChange(*world.schema()->Find(DuesPayment::descriptor()), world.fate().environment().NewId(),
              RecordState(), paid, &edit);
    ASSERT_TRUE(later.CommitOwn(world.store(), edit).ok());
    ++payments;
    ASSERT_LT(steps, 100);
  }
  EXPECT_GT(steps, 4);
  EXPECT_FALSE(is_being_made());
  EXPECT_THAT(Wrong(*book), IsEmpty());
}

// As while servers on one database are updated one after the other.
TEST_F(Sums, ThatAServerBesideThisOneMadeByItsOwnBookSayThatTheyLackWhatComesInHere) {
  const auto book = OtherBook();
  const auto make = [&] {
    ASSERT_EQ(server::BeginSums(world.store(), *book), absl::OkStatus());
    absl::StatusOr<bool> made = false;
    while (made.ok() && !*made) {
      made = server::MakeSums(world.store(), *world.schema(), *book, server::kSumsAtOnce);
    }
    ASSERT_TRUE(made.ok()) << made.status();
  };
  const auto are_incomplete = [&] {
    bool incomplete = false;
    EXPECT_EQ(world.store().Read([&](server::Reader& reader) -> absl::Status {
      ASSIGN_OR_RETURN(const auto state, server::SumsStateOf(reader, *book));
      incomplete = state.incomplete();
      return absl::OkStatus();
    }),
              absl::OkStatus());
    return incomplete;
  };
  Hold(zhangs, "2026-03-31");
  world.SyncAll();
  make();
  EXPECT_THAT(Wrong(*book), IsEmpty());
  const auto here = server::MakeSums(world.store(), *world.schema(), rules::ShippedBook(), 100);
  EXPECT_TRUE(here.ok() && *here) << "it is left to the other";
  EXPECT_THAT(Wrong(*book), IsEmpty());
  EXPECT_FALSE(are_incomplete());
  Hold(zhangs, "2026-04-30");
  world.SyncAll();
  EXPECT_TRUE(are_incomplete());
  make();
  EXPECT_FALSE(are_incomplete());
  EXPECT_THAT(Wrong(*book), IsEmpty());
}

}  // namespace
}  // namespace zhibu::test
