// The same person, registered by two branches: found, shown to whom it concerns, asked, made
// one, and two again.
#include "absl/strings/match.h"
#include "server/identity/marks.h"
#include "server/identity/registration.h"
#include "sync/base/reason.h"
#include "sync/crypto/handshake.h"
#include "sync/merge/diff.h"
#include "sync/rules/duplicates.h"
#include "sync/rules/registration.h"
#include "sync/wire/record.h"
#include "sync/wire/wire.h"
#include "tests/support/raw_edits.h"
#include "zhibu/records/v1/duplicate.pb.h"

namespace zhibu::test {
namespace {

using records::v1::DuplicatePerson;
using records::v1::Grant;
using records::v1::Placement;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const std::string kNumber = "11010519491231002X";

class Persons : public ::testing::Test {
 protected:
  Persons() {
    SetParent(village, township);
    SetParent(factory, township);
    world.Appoint(zhou, township, SECRETARY);
    world.Appoint(qian, village, SECRETARY);
    world.Appoint(sun, factory, SECRETARY);
  }

  void SetParent(const Id& branch, const Id& parent, const std::string& host = "") {
    Organisation organisation = world.Get<Organisation>(branch);
    organisation.set_parent_id(parent.str());
    organisation.set_host_parent_id(host);
    world.Write(organisation, branch);
  }
  void SetNumber(const Id& person, const std::string& number) {
    PrivateDetail detail;
    detail.set_member_id(person.str());
    detail.set_branch_id(world.Get<Member>(person).branch_id());
    detail.set_identity_number(number);
    world.Write(detail, Id());
  }
  void SetBorn(const Id& person, const std::string& name, const std::string& born) {
    Member member = world.Get<Member>(person);
    member.set_name(name);
    member.set_born(born);
    world.Write(member, person);
  }
  Id DetailOf(const Id& person) {
    PrivateDetail detail;
    detail.set_member_id(person.str());
    return DeriveId(*world.schema()->Find(PrivateDetail::descriptor()), detail.SerializeAsString())
        .value();
  }
  DuplicatePerson Found(const Id& one, const Id& other) {
    return world.Get<DuplicatePerson>(DuplicateId(one, other));
  }
  size_t CountFound() {
    size_t count = 0;
    EXPECT_EQ(world.store().Read([&](server::Reader& reader) {
      return reader.ListRecords(94, std::nullopt, [&](const Id&, const RecordState&) { ++count; });
    }),
              absl::OkStatus());
    return count;
  }
  // The township's secretary decides, without a link.
  void Decide(DuplicatePerson::State state, const Id& keep) {
    EXPECT_EQ(world.Sync(zhous), absl::OkStatus());
    zhous.Change<DuplicatePerson>(DuplicateId(wang, wang_too), [&](DuplicatePerson& d) {
      d.set_state(state);
      if (state == DuplicatePerson::AGREED) d.set_kept_id(keep.str());
    });
    EXPECT_EQ(world.Sync(zhous), absl::OkStatus());
  }
  // As a phone says it whose software was changed; what the server answers.
  std::string Submit(Phone& phone, const std::vector<sync::v1::Change>& changes) {
    sync::v1::Edit edit;
    for (const auto& change : changes) *edit.add_changes() = change;
    edit.set_salt(++salt_);
    const std::vector<server::AuditRow> before = world.AuditOf(phone.number());
    server::Submitted submitted{phone.number(), {}};
    submitted.edit.set_number(before.size() + 1);
    submitted.edit.set_stamp(StampAt(world.now_ms()).value);
    submitted.edit.set_edit(edit.SerializeAsString());
    submitted.edit.set_previous(before.empty() ? 0 : LinkTo(before.back().edit));
    const auto answer = world.Commit({submitted})[0].answer;
    return absl::StrCat(sync::v1::Verdict_Name(answer.verdict()), " ",
                        sync::v1::Reason_Name(answer.reason()));
  }
  sync::v1::Change Making(const google::protobuf::Message& message, const Id& id) {
    const RecordType& type = *world.schema()->Find(message.GetDescriptor());
    sync::v1::Change change;
    change.set_type(type.number);
    change.set_id(id.str());
    change.set_kind(sync::v1::Change::CREATE);
    Diff(type, "", Canonical(type.fields, message.SerializeAsString()), &change);
    return change;
  }
  Id NewId() { return world.fate().environment().NewId(); }
  Member Named(const std::string& name, const std::string& born = "1990-03-07") {
    Member member;
    member.set_branch_id(village.str());
    member.set_name(name);
    member.set_born(born);
    return member;
  }
  // Of the server's own device since then.
  size_t Composed(size_t rows_before) {
    size_t changes = 0;
    for (const auto& row : world.AuditOf(kServerDevice)) {
      sync::v1::Edit edit;
      if (row.number.value > rows_before && edit.ParseFromString(row.edit)) {
        changes += static_cast<size_t>(edit.changes_size());
      }
    }
    return changes;
  }
  DuesPayment Payment(const Id& member, const Id& branch, int64_t fen) {
    DuesPayment payment;
    payment.set_member_id(member.str());
    payment.set_branch_id(branch.str());
    payment.set_amount_fen(fen);
    payment.set_month("2026-07");
    return payment;
  }
  std::vector<int64_t> AmountsOn(Phone& phone) {
    std::vector<int64_t> amounts;
    for (const DuesPayment& payment : phone.All<DuesPayment>()) {
      amounts.push_back(payment.amount_fen());
    }
    std::sort(amounts.begin(), amounts.end());
    return amounts;
  }
  void ExpectInStep() {
    world.SyncAll();
    for (const auto& phone : world.phones()) {
      EXPECT_THAT(world.Differences(*phone), IsEmpty())
          << "phone of " << world.Get<Member>(phone->person()).name();
    }
    world.CheckAudit();
  }

  uint64_t salt_ = 0;
  World world;
  const Id township = world.Branch("云溪镇党委");
  const Id village = world.Branch("青石村党支部");
  const Id factory = world.Branch("驻深圳流动党支部");
  const Id zhou = world.Person("周", township);
  const Id qian = world.Person("钱", village);
  const Id sun = world.Person("孙", factory);
  const Id wang = world.Person("王", village);
  const Id wang_too = world.Person("王", factory);
  Phone& zhous = world.Enrol(zhou);
  Phone& qians = world.Enrol(qian);
  Phone& suns = world.Enrol(sun);
};

// ---- Found -------------------------------------------------------------------------

TEST_F(Persons, TwoWithOneIdentityNumberAreShownToTheOrganisationAboveBothAndToNobodyElse) {
  SetNumber(wang, kNumber);
  SetNumber(wang_too, "110105 19491231 002x");  // as somebody else types it
  const DuplicatePerson found = Found(wang, wang_too);
  EXPECT_EQ(found.by(), DuplicatePerson::IDENTITY_NUMBER);
  EXPECT_EQ(found.state(), DuplicatePerson::OPEN);
  EXPECT_THAT(found.scopes(), ElementsAre(township.str()));
  EXPECT_FALSE(absl::StrContains(found.SerializeAsString(), "1949"));
  world.SyncAll();
  EXPECT_THAT(zhous.All<DuplicatePerson>(), SizeIs(1));
  EXPECT_THAT(qians.All<DuplicatePerson>(), IsEmpty());
  EXPECT_THAT(suns.All<DuplicatePerson>(), IsEmpty());
  EXPECT_THAT(world.Enrol(wang).All<DuplicatePerson>(), IsEmpty());
  ExpectInStep();
}

TEST_F(Persons, WhatASecretaryRecordsOfflineIsFoundWhenItComesIn) {
  SetNumber(wang, kNumber);
  world.SyncAll();
  suns.Make<PrivateDetail>([&](PrivateDetail& detail) {
    detail.set_member_id(wang_too.str());
    detail.set_branch_id(factory.str());
    detail.set_identity_number(kNumber);
  });
  EXPECT_EQ(CountFound(), 0u);
  world.SyncAll();
  EXPECT_EQ(CountFound(), 1u);
  EXPECT_THAT(suns.SetAside(), IsEmpty());
}

TEST_F(Persons, TwoWithOneNameAndBirthDateAreFoundUnlessTheirNumbersSayOtherwise) {
  SetBorn(wang, "王", "1980-01-01");
  SetBorn(wang_too, "王", "1980-01-02");
  EXPECT_EQ(CountFound(), 0u);
  SetBorn(wang_too, "王", "1980-01-01");
  EXPECT_EQ(Found(wang, wang_too).by(), DuplicatePerson::NAME_AND_BIRTH);
  const Id another = world.Person("王", factory);
  SetNumber(wang, "1");
  SetNumber(wang_too, "2");
  SetNumber(another, "3");
  SetBorn(another, "王", "1980-01-01");
  EXPECT_EQ(CountFound(), 1u);
}

TEST_F(Persons, TheyAreFoundOnceHoweverOften) {
  SetNumber(wang, kNumber);
  SetNumber(wang_too, kNumber);
  Decide(DuplicatePerson::NOT_SAME, wang);
  SetNumber(wang_too, "2");
  SetNumber(wang_too, kNumber);
  SetBorn(wang, "王", "1980-01-01");
  SetBorn(wang_too, "王", "1980-01-01");
  EXPECT_EQ(CountFound(), 1u);
  EXPECT_EQ(Found(wang, wang_too).state(), DuplicatePerson::NOT_SAME);
}

TEST_F(Persons, ANumberThatWasCorrectedIsForgotten) {
  SetNumber(wang, kNumber);
  SetNumber(wang, "2");
  SetNumber(wang_too, kNumber);
  EXPECT_EQ(CountFound(), 0u);
}

TEST_F(Persons, ANumberThatWasTakenBackNoLongerSaysOtherwise) {
  SetNumber(wang, kNumber);
  SetNumber(wang_too, "2");
  SetBorn(wang, "王", "1980-01-01");
  SetBorn(wang_too, "王", "1980-01-01");
  EXPECT_EQ(CountFound(), 0u);
  SetNumber(wang_too, "");
  EXPECT_EQ(Found(wang, wang_too).by(), DuplicatePerson::NAME_AND_BIRTH);
}

// After a restoration the devices come in any order.
TEST_F(Persons, ANumberThatIsThereBeforeItsMemberCountsOnceTheMemberIsThere) {
  SetNumber(wang, kNumber);
  const Id late = world.fate().environment().NewId();
  PrivateDetail detail;
  detail.set_member_id(late.str());
  detail.set_branch_id(factory.str());
  detail.set_identity_number(kNumber);
  world.Write(detail, Id());
  EXPECT_EQ(CountFound(), 0u);
  Member member;
  member.set_branch_id(factory.str());
  member.set_name("王");
  world.Write(member, late);
  EXPECT_EQ(Found(wang, late).by(), DuplicatePerson::IDENTITY_NUMBER);
}

TEST_F(Persons, BothParentsOfAMigrantBranchCount) {
  const Id city = world.Branch("深圳市委");
  const Id plant = world.Branch("深圳某厂党支部");
  SetParent(plant, city);
  SetParent(factory, township, city.str());
  const Id there = world.Person("王", plant);
  SetNumber(wang_too, kNumber);
  SetNumber(there, kNumber);
  EXPECT_THAT(Found(wang_too, there).scopes(), ElementsAre(city.str()));
}

TEST_F(Persons, WithNothingAboveBothOnlyTheOperatorSeesIt) {
  const Id elsewhere = world.Branch("别处");
  const Id there = world.Person("王", elsewhere);
  SetNumber(wang, kNumber);
  SetNumber(there, kNumber);
  EXPECT_EQ(CountFound(), 1u);
  EXPECT_THAT(Found(wang, there).scopes(), IsEmpty());
  ExpectInStep();
}

TEST_F(Persons, AStoreOfAnEarlierVersionIsLookedThroughOnce) {
  ASSERT_EQ(
      world.store().Write([](server::Writer& writer) { return writer.PutSetting("mark_key", ""); }),
      absl::OkStatus());
  world.Wait(1000);
  SetNumber(wang, kNumber);
  SetNumber(wang_too, kNumber);
  EXPECT_EQ(CountFound(), 0u);
  for (int start = 0; start < 2; ++start) {
    EXPECT_EQ(server::EnsureMarks(world.store(), world.ingest(), world.fate().environment()),
              absl::OkStatus());
    EXPECT_EQ(CountFound(), 1u);
  }
}

// ---- Merged, and undone ----------------------------------------------------------------

class Merged : public Persons {
 protected:
  Merged() {
    SetNumber(wang, kNumber);
    SetNumber(wang_too, kNumber);
    world.Write(Payment(wang, village, 100), world.fate().environment().NewId());
    world.Write(Payment(wang_too, factory, 1000), world.fate().environment().NewId());
    world.SyncAll();
  }
  void Agree(Phone& phone, const Id& person) {
    EXPECT_EQ(world.Sync(phone), absl::OkStatus());
    phone.Change<DuplicatePerson>(DuplicateId(wang, wang_too),
                                  [&](DuplicatePerson& d) { d.add_agreed_ids(person.str()); });
    EXPECT_EQ(world.Sync(phone), absl::OkStatus());
  }
  void Merge(const Id& keep) {
    Decide(DuplicatePerson::AGREED, keep);
    Agree(phone, wang);
    Agree(phone_too, wang_too);
  }
  // Without the pair itself, which stays with whoever was asked.
  std::vector<std::string> ViewWithoutPair(Phone& phone) {
    std::vector<std::string> view = phone.View();
    view.erase(std::remove_if(view.begin(), view.end(),
                              [](const std::string& line) {
                                return absl::StartsWith(line, "DuplicatePerson");
                              }),
               view.end());
    return view;
  }
  Phone& phone = world.Enrol(wang);
  Phone& phone_too = world.Enrol(wang_too);
};

TEST_F(Merged, WhoeverIsOneOfThemHasBothHistoriesAndEachStaysWhereItWas) {
  const std::vector<std::string> before = world.ViewOf(qian);
  Merge(wang);
  EXPECT_EQ(world.Get<Member>(wang_too).merged_into_id(), wang.str());
  EXPECT_EQ(world.Get<Member>(wang).merged_into_id(), "");
  ExpectInStep();
  EXPECT_THAT(AmountsOn(phone), ElementsAre(100, 1000));
  EXPECT_THAT(AmountsOn(phone_too), ElementsAre(100, 1000));
  EXPECT_THAT(AmountsOn(qians), ElementsAre(100));
  EXPECT_THAT(AmountsOn(suns), ElementsAre(1000));
  EXPECT_EQ(world.ViewOf(qian), before);
}

TEST_F(Merged, ThePersonBelongsToTheBranchOfTheOneThatIsKept) {
  const Id meeting = suns.Make<Meeting>([&](Meeting& m) { m.set_branch_id(factory.str()); });
  world.SyncAll();
  ASSERT_TRUE(phone_too.Has<Meeting>(meeting));
  Merge(wang);
  ExpectInStep();
  EXPECT_FALSE(phone_too.Has<Meeting>(meeting));
  EXPECT_TRUE(phone_too.Has<Organisation>(village));
}

TEST_F(Merged, AnOpenSessionHearsOfItAndOfWhatTheOtherIsGivenLater) {
  world.SyncAll();
  Decide(DuplicatePerson::AGREED, wang);
  Agree(phone, wang);
  Agree(phone_too, zhou);  // whose opinion nobody asked
  Stream stream(&world, &phone_too);
  stream.Run();
  world.Write(Payment(wang, village, 200), world.fate().environment().NewId());
  stream.Run();
  EXPECT_THAT(AmountsOn(phone_too), ElementsAre(1000));
  phone_too.Change<DuplicatePerson>(DuplicateId(wang, wang_too),
                                    [&](DuplicatePerson& d) { d.add_agreed_ids(wang_too.str()); });
  stream.Run();
  EXPECT_THAT(AmountsOn(phone_too), ElementsAre(100, 200, 1000));
  world.Write(Payment(wang, village, 300), world.fate().environment().NewId());
  stream.Run();
  EXPECT_THAT(AmountsOn(phone_too), ElementsAre(100, 200, 300, 1000));
}

TEST_F(Merged, UndoneEverythingIsAsItWas) {
  world.SyncAll();
  const std::string member = world.StateOf({2, wang_too}).body;
  const auto view = ViewWithoutPair(phone);
  const auto view_too = ViewWithoutPair(phone_too);
  Merge(wang);
  world.SyncAll();
  ASSERT_NE(ViewWithoutPair(phone), view);
  Decide(DuplicatePerson::UNDONE, Id());
  EXPECT_EQ(world.StateOf({2, wang_too}).body, member);
  ExpectInStep();
  EXPECT_EQ(ViewWithoutPair(phone), view);
  EXPECT_EQ(ViewWithoutPair(phone_too), view_too);
  // And once more, the other way round.
  Merge(wang_too);
  EXPECT_EQ(world.Get<Member>(wang).merged_into_id(), wang_too.str());
  ExpectInStep();
  EXPECT_THAT(AmountsOn(phone), ElementsAre(100, 1000));
}

TEST_F(Merged, WhatIsRecordedAfterwardsStaysWithWhomItWasRecordedOf) {
  Merge(wang);
  world.Write(Payment(wang_too, factory, 2000), world.fate().environment().NewId());
  world.SyncAll();
  EXPECT_THAT(AmountsOn(phone), ElementsAre(100, 1000, 2000));
  Decide(DuplicatePerson::UNDONE, Id());
  world.SyncAll();
  EXPECT_THAT(AmountsOn(phone), ElementsAre(100));
  EXPECT_THAT(AmountsOn(phone_too), ElementsAre(1000, 2000));
}

TEST_F(Merged, AThirdEntryOfThePersonIsComparedWithTheOneThatIsKept) {
  Merge(wang);
  const Id third = world.Person("王", village);
  SetNumber(third, kNumber);
  EXPECT_EQ(CountFound(), 2u);
  EXPECT_EQ(Found(wang, third).state(), DuplicatePerson::OPEN);
}

TEST_F(Merged, OnceUndoneEachIsComparedWithTheThirdEntryForItself) {
  Merge(wang);
  const Id third = world.Person("王", village);
  SetNumber(third, kNumber);
  ASSERT_EQ(CountFound(), 2u);
  Decide(DuplicatePerson::UNDONE, Id());
  EXPECT_EQ(Found(wang_too, third).state(), DuplicatePerson::OPEN);
  ExpectInStep();
}

// One that has no number itself stands for another that has.
TEST_F(Merged, OnceUndoneAnEntryIsComparedByAllThatStayJoinedToIt) {
  const Id middle = world.Person("王", village);
  const Id elder = world.Person("王", village);
  const auto set = [&](const Id& kept, const Id& other, DuplicatePerson::State state) {
    DuplicatePerson same;
    same.set_first_id(std::min(kept, other).str());
    same.set_second_id(std::max(kept, other).str());
    same.set_kept_id(kept.str());
    same.set_state(state);
    world.Write(same, Id());
  };
  for (const auto state : {DuplicatePerson::OPEN, DuplicatePerson::MERGED}) {
    set(middle, wang_too, state);
    set(elder, middle, state);
  }
  const Id fourth = world.Person("王", village);
  SetNumber(fourth, kNumber);
  EXPECT_EQ(Found(elder, fourth).state(), DuplicatePerson::OPEN);
  EXPECT_EQ(Found(middle, fourth).state(), DuplicatePerson::STATE_UNSPECIFIED);
  set(elder, middle, DuplicatePerson::UNDONE);
  EXPECT_EQ(Found(middle, fourth).state(), DuplicatePerson::OPEN);
}

TEST_F(Merged, WhoHasAgreedHasAgreedToWhoIsKept) {
  const auto keep = [&](const Id& kept) {
    zhous.Change<DuplicatePerson>(DuplicateId(wang, wang_too),
                                  [&](DuplicatePerson& d) { d.set_kept_id(kept.str()); });
    EXPECT_EQ(world.Sync(zhous), absl::OkStatus());
  };
  Decide(DuplicatePerson::AGREED, wang);
  keep(wang_too);  // nobody has agreed yet
  keep(wang);
  Agree(phone, wang);
  EXPECT_EQ(world.Sync(zhous), absl::OkStatus());
  keep(wang_too);
  EXPECT_THAT(zhous.SetAside(), ElementsAre(::testing::EndsWith("RETURNED STEP_NOT_ALLOWED")));
  Agree(phone_too, wang_too);
  EXPECT_EQ(world.Get<Member>(wang_too).merged_into_id(), wang.str());
  EXPECT_EQ(world.Get<Member>(wang).merged_into_id(), "");
}

// Without a link, while the other was put in their place.
TEST_F(Merged, WhoAgreesHasSeenWhoIsKept) {
  const auto agree = [&](Phone& by) {
    by.Change<DuplicatePerson>(DuplicateId(wang, wang_too),
                               [&](DuplicatePerson& d) { d.add_agreed_ids(by.person().str()); });
  };
  Decide(DuplicatePerson::AGREED, wang);
  for (Phone* one : {&phone, &phone_too}) {
    EXPECT_EQ(world.Sync(*one), absl::OkStatus());
    agree(*one);
  }
  EXPECT_EQ(world.Sync(zhous), absl::OkStatus());
  zhous.Change<DuplicatePerson>(DuplicateId(wang, wang_too),
                                [&](DuplicatePerson& d) { d.set_kept_id(wang_too.str()); });
  EXPECT_EQ(world.Sync(zhous), absl::OkStatus());
  EXPECT_EQ(world.Sync(phone), absl::OkStatus());
  EXPECT_THAT(phone.SetAside(), ElementsAre("1 RETURNED STEP_NOT_ALLOWED"));
  // Nor is it enough that it was so in an earlier round.
  Decide(DuplicatePerson::UNDONE, Id());
  Decide(DuplicatePerson::AGREED, wang_too);
  EXPECT_EQ(world.Sync(phone_too), absl::OkStatus());
  EXPECT_THAT(phone_too.SetAside(), ElementsAre("1 RETURNED STEP_NOT_ALLOWED"));
  EXPECT_THAT(Found(wang, wang_too).agreed_ids(), IsEmpty());
  Agree(phone, wang);
  Agree(phone_too, wang_too);  // the one after the other, who need not have heard of it
  EXPECT_EQ(world.Get<Member>(wang).merged_into_id(), wang_too.str());
}

TEST_F(Merged, PairsThatAreTwoAgainHideNoneHoweverManyThereAre) {
  Merge(wang);
  for (int i = 0; i < 100; ++i) {
    const Id other = world.fate().environment().NewId();
    DuplicatePerson same;
    same.set_first_id(std::min(wang, other).str());
    same.set_second_id(std::max(wang, other).str());
    for (const auto state :
         {DuplicatePerson::OPEN, DuplicatePerson::AGREED, DuplicatePerson::UNDONE}) {
      same.set_state(state);
      world.Write(same, Id());
    }
  }
  world.SyncAll();
  EXPECT_THAT(AmountsOn(phone), ElementsAre(100, 1000));
}

TEST_F(Merged, WhoIsMergedAlreadyIsNotMergedWithSomebodyElse) {
  const Id third = world.Person("王", village);
  Phone& phone_third = world.Enrol(third);
  SetNumber(third, kNumber);
  ASSERT_EQ(CountFound(), 3u);
  Merge(wang);
  world.SyncAll();
  const Id pair = DuplicateId(third, wang_too);
  zhous.Change<DuplicatePerson>(pair, [&](DuplicatePerson& d) {
    d.set_state(DuplicatePerson::AGREED);
    d.set_kept_id(third.str());
  });
  world.SyncAll();
  const auto agree = [&](Phone& by) {
    by.Change<DuplicatePerson>(pair,
                               [&](DuplicatePerson& d) { d.add_agreed_ids(by.person().str()); });
    EXPECT_EQ(world.Sync(by), absl::OkStatus());
  };
  agree(phone_third);
  agree(phone_too);
  EXPECT_THAT(phone_too.SetAside(), ElementsAre("2 RETURNED STEP_NOT_ALLOWED"));
  EXPECT_EQ(world.Get<DuplicatePerson>(pair).state(), DuplicatePerson::AGREED);
  EXPECT_EQ(world.Get<Member>(wang_too).merged_into_id(), wang.str());
}

TEST_F(Merged, OneWhoIsNeitherOfTheTwoCannotBeKept) {
  Decide(DuplicatePerson::AGREED, zhou);
  EXPECT_THAT(zhous.SetAside(), ElementsAre("1 RETURNED BAD_VALUE"));
  EXPECT_EQ(Found(wang, wang_too).state(), DuplicatePerson::OPEN);
}

TEST_F(Persons, NobodyDecidesWhetherTheyAreSomebodyElse) {
  SetBorn(zhou, "周", "1980-01-01");
  SetBorn(wang, "周", "1980-01-01");
  ASSERT_THAT(Found(zhou, wang).scopes(), ElementsAre(township.str()));
  world.SyncAll();
  for (const auto state : {DuplicatePerson::AGREED, DuplicatePerson::NOT_SAME}) {
    zhous.Change<DuplicatePerson>(DuplicateId(zhou, wang),
                                  [&](DuplicatePerson& d) { d.set_state(state); });
    world.SyncAll();
  }
  EXPECT_THAT(zhous.SetAside(), ElementsAre("1 RETURNED NOT_ENTITLED", "2 RETURNED NOT_ENTITLED"));
  EXPECT_EQ(Found(zhou, wang).state(), DuplicatePerson::OPEN);
  EXPECT_EQ(world.Get<Member>(wang).merged_into_id(), "");
}

TEST_F(Merged, ASuspectedDuplicateGivesNobodyAnything) {
  ExpectInStep();
  EXPECT_THAT(AmountsOn(phone), ElementsAre(100));
  EXPECT_THAT(AmountsOn(phone_too), ElementsAre(1000));
}

// ---- Nobody becomes somebody else unasked --------------------------------------------

TEST_F(Merged, TheSecretaryAboveBothMergesNobodyAlone) {
  Decide(DuplicatePerson::MERGED, wang);
  EXPECT_THAT(zhous.SetAside(), ElementsAre("1 RETURNED NOT_YOUR_STEP"));
  Decide(DuplicatePerson::AGREED, wang);
  EXPECT_EQ(Found(wang, wang_too).state(), DuplicatePerson::AGREED);
  Agree(phone, wang);
  EXPECT_EQ(Found(wang, wang_too).state(), DuplicatePerson::AGREED);
  ExpectInStep();
  EXPECT_THAT(AmountsOn(phone), ElementsAre(100));
  EXPECT_THAT(AmountsOn(phone_too), ElementsAre(1000));
  Agree(phone_too, wang_too);
  EXPECT_EQ(Found(wang, wang_too).state(), DuplicatePerson::MERGED);
}

TEST_F(Merged, NobodyAgreesForTheOther) {
  Decide(DuplicatePerson::AGREED, wang);
  Agree(phone, wang);
  Agree(phone, wang_too);
  EXPECT_THAT(phone.SetAside(), ElementsAre("2 RETURNED NOT_ENTITLED"));
  Agree(zhous, wang_too);
  EXPECT_THAT(zhous.SetAside(), ElementsAre("2 RETURNED NOT_ENTITLED"));
  EXPECT_THAT(Found(wang, wang_too).agreed_ids(), ElementsAre(wang.str()));
  EXPECT_EQ(Found(wang, wang_too).state(), DuplicatePerson::AGREED);
}

TEST_F(Merged, NobodyIsAskedBeforeSomebodyHasFoundThatTheyAreOne) {
  sync::v1::Change change;
  change.set_type(94);
  change.set_id(DuplicateId(wang, wang_too).str());
  change.set_kind(sync::v1::Change::UPDATE);
  DuplicatePerson agreed;
  agreed.add_agreed_ids(wang.str());
  change.set_set(agreed.SerializeAsString());
  EXPECT_EQ(Submit(phone, {change}), "RETURNED NO_SUCH_RECORD");
  EXPECT_THAT(Found(wang, wang_too).agreed_ids(), IsEmpty());
}

TEST_F(Merged, WhoIsAskedIsToldANameAndABranchAndNoMore) {
  SetBorn(wang_too, "王", "1949-12-31");
  Decide(DuplicatePerson::AGREED, wang);
  world.SyncAll();
  const DuplicatePerson shown = phone.Get<DuplicatePerson>(DuplicateId(wang, wang_too));
  EXPECT_THAT((std::vector<std::string>{shown.first_named(), shown.second_named()}),
              ::testing::UnorderedElementsAre("王 青石村党支部", "王 驻深圳流动党支部"));
  EXPECT_EQ(shown.first_shown() + shown.second_shown(), "");
  EXPECT_EQ(shown.by(), DuplicatePerson::BY_UNSPECIFIED);
  EXPECT_FALSE(absl::StrContains(shown.SerializeAsString(), "1949"));
}

TEST_F(Merged, EitherOfThemWithdrawsAndIsAskedAnew) {
  const auto withdraw = [&](Phone& by) {
    world.SyncAll();
    by.Change<DuplicatePerson>(DuplicateId(wang, wang_too),
                               [](DuplicatePerson& d) { d.set_state(DuplicatePerson::UNDONE); });
    world.SyncAll();
    EXPECT_EQ(Found(wang, wang_too).state(), DuplicatePerson::UNDONE);
    EXPECT_THAT(Found(wang, wang_too).agreed_ids(), IsEmpty());
    EXPECT_EQ(world.Get<Member>(wang_too).merged_into_id(), "");
  };
  Decide(DuplicatePerson::AGREED, wang);
  Agree(phone, wang);
  withdraw(phone_too);
  Agree(phone_too, wang_too);  // too late
  EXPECT_THAT(phone_too.SetAside(), ElementsAre("2 RETURNED STEP_NOT_ALLOWED"));
  Merge(wang);
  EXPECT_EQ(world.Get<Member>(wang_too).merged_into_id(), wang.str());
  withdraw(phone);
  EXPECT_THAT(AmountsOn(phone_too), ElementsAre(1000));
  ExpectInStep();
}

TEST_F(Merged, WhoeverIsMergedDoesNotComeIntoTheOthersOffices) {
  world.Appoint(wang, village, DEPUTY);
  Merge(wang);
  ExpectInStep();
  const Id meeting = phone_too.Make<Meeting>([&](Meeting& m) { m.set_branch_id(village.str()); });
  EXPECT_EQ(world.Sync(phone_too), absl::OkStatus());
  EXPECT_THAT(phone_too.SetAside(), ElementsAre("2 RETURNED NOT_ENTITLED"));
  EXPECT_FALSE(world.StateOf({31, meeting}).exists);
  world.Appoint(wang_too, village, DEPUTY);  // the operator says so
  phone_too.Make<Meeting>([&](Meeting& m) { m.set_branch_id(village.str()); });
  EXPECT_EQ(world.Sync(phone_too), absl::OkStatus());
  EXPECT_THAT(phone_too.SetAside(), SizeIs(1));
}

// A1: with a field twice, so that its two readers disagree whom it is about; and plainly.
TEST_F(Merged, APhoneMakesNoPairsWhateverItSays) {
  sync::v1::Change doubled;
  wire::AppendBytesField(2, zhou.bytes(), doubled.mutable_set());
  wire::AppendBytesField(2, wang.bytes(), doubled.mutable_set());
  wire::AppendBytesField(3, qian.bytes(), doubled.mutable_set());
  wire::AppendVarintField(8, DuplicatePerson::OPEN, doubled.mutable_set());
  doubled.set_type(94);
  doubled.set_kind(sync::v1::Change::CREATE);
  doubled.set_id(DeriveId(*world.schema()->Find(94), doubled.set()).value().str());
  DuplicatePerson plain;
  plain.set_first_id(std::min(wang, qian).str());
  plain.set_second_id(std::max(wang, qian).str());
  plain.set_state(DuplicatePerson::OPEN);
  for (Phone* by : {&zhous, &phone}) {
    for (const auto& change : {doubled, Making(plain, DuplicateId(wang, qian))}) {
      EXPECT_TRUE(absl::StartsWith(Submit(*by, {change}), "RETURNED"));
    }
  }
  EXPECT_EQ(CountFound(), 1u);
}

// ---- What the finding costs, and tells ------------------------------------------------

// A9: whether a number that one guesses is a member's.
TEST_F(Merged, ANumberThatIsGuessedChangesNothingThatOneCanSee) {
  SetNumber(wang_too, "");
  world.SyncAll();
  ASSERT_EQ(CountFound(), 1u);
  const Id third = world.Person("赵", factory);
  Phone& guesser = world.Enrol(third);
  world.SyncAll();
  Stream stream(&world, &guesser);
  stream.Run();
  int removals = 0;
  uint64_t highest = 0;
  stream.watch = [&](const sync::v1::ServerFrame& frame) {
    removals += frame.update().removals_size();
    for (const auto& cursor : frame.update().cursors()) {
      if (cursor.scope() == third.bytes()) highest = std::max(highest, cursor.version());
    }
  };
  guesser.Make<PrivateDetail>([&](PrivateDetail& detail) {
    detail.set_member_id(third.str());
    detail.set_branch_id(factory.str());
  });
  stream.Run();
  std::vector<uint64_t> steps;
  const Id detail = DetailOf(third);
  for (const std::string& guess : std::vector<std::string>{"1", "2", kNumber, "3"}) {
    const uint64_t before = highest;
    guesser.Change<PrivateDetail>(detail, [&](PrivateDetail& d) { d.set_identity_number(guess); });
    stream.Run();
    steps.push_back(highest - before);
  }
  EXPECT_EQ(CountFound(), 2u);
  EXPECT_EQ(removals, 0);
  EXPECT_THAT(steps, ElementsAre(steps[0], steps[0], steps[0], steps[0]));
}

// A6: what is composed grows with the edit, not with its square.
TEST_F(Persons, SoManyOfOneNameMakeNoPairsAndTheOperatorIsTold) {
  std::vector<sync::v1::Change> changes;
  for (int i = 0; i < 300; ++i) changes.push_back(Making(Named("同名"), NewId()));
  const size_t rows = world.AuditOf(kServerDevice).size();
  EXPECT_EQ(Submit(qians, changes), "MERGED NO_REASON");
  EXPECT_EQ(CountFound(), 0u);
  EXPECT_LE(Composed(rows), changes.size());  // their registered names
  EXPECT_EQ(world.store().Read([&](server::Reader& reader) -> absl::Status {
    EXPECT_THAT(reader.FindCommonMarks(kBearersMax).value(), SizeIs(1));
    return absl::OkStatus();
  }),
            absl::OkStatus());
  EXPECT_EQ(Submit(qians, {Making(Named("同名"), NewId())}), "MERGED NO_REASON");
  EXPECT_EQ(CountFound(), 0u);
}

TEST_F(Persons, OneEditMakesNoMoreThanSoManyPairs) {
  std::vector<sync::v1::Change> changes;
  for (int i = 0; i < 200; ++i) {
    changes.push_back(Making(Named(absl::StrCat("甲", i / 20)), NewId()));
  }
  EXPECT_EQ(Submit(qians, changes), "MERGED NO_REASON");
  EXPECT_EQ(CountFound(), static_cast<size_t>(kPairsMax));
}

TEST_F(Persons, WhoAreLeftOfACrowdAreComparedOnceTheyAreNone) {
  std::vector<sync::v1::Change> changes;
  std::vector<Id> crowd;
  for (size_t i = 0; i <= kBearersMax; ++i) {
    crowd.push_back(NewId());
    changes.push_back(Making(Named("甲"), crowd.back()));
  }
  EXPECT_EQ(Submit(qians, changes), "MERGED NO_REASON");
  EXPECT_EQ(CountFound(), 0u);
  world.SyncAll();
  qians.Change<Member>(crowd[0], [](Member& member) { member.set_name("乙"); });
  world.SyncAll();
  EXPECT_EQ(CountFound(), kBearersMax * (kBearersMax - 1) / 2);
}

// ---- Registered names --------------------------------------------------------------------

TEST_F(Persons, WhoHasLookedIsNamedAsRegisteredWhateverTheyCallThemselves) {
  world.SyncAll();
  qians.Change<Member>(qian, [](Member& member) { member.set_name("系统维护"); });
  world.SyncAll();
  ASSERT_EQ(world.Get<Member>(qian).name(), "系统维护");
  SetNumber(wang, kNumber);
  world.SyncAll();
  Phone& phone = world.Enrol(wang);
  world.SyncAll();
  const auto logs = phone.All<records::v1::AccessLog>();
  ASSERT_THAT(logs, SizeIs(1));
  EXPECT_EQ(logs[0].reader_name(), "钱");
}

// A24: else it would be copied into a log for each member, each day.
TEST_F(Persons, ALongNameIsRegisteredShort) {
  // Stored when names were as long as anybody liked.
  const Id id = NewId();
  Member member = Named(std::string(200, 'x'));
  EXPECT_EQ(Submit(qians, {Making(member, id)}), "MERGED NO_REASON");
  EXPECT_EQ(world.Get<Member>(id).registered_name(), member.name());
  member.clear_registered_name();
  member.set_name(std::string(100'000, 'x'));
  EXPECT_EQ(RegisteredName(member), std::string(kRegisteredNameBytesMax, 'x'));
  std::string wide;
  for (int i = 0; i < 100; ++i) wide += "王";
  EXPECT_EQ(ShortName(wide), wide.substr(0, 198));
}

TEST_F(Persons, WhoIsDeletedAndMadeAnewUnderOneIdGoesByTheNameOfOld) {
  const Id id = NewId();
  Raw raw(world, qian);
  EXPECT_EQ(raw.Answer({raw.Create(Named("王"), id)}), "MERGED");
  for (const char* name : {"系统维护", "县委组织部"}) {
    EXPECT_EQ(raw.Answer({raw.Deletion(2, id)}), "MERGED");
    EXPECT_FALSE(world.StateOf({2, id}).alive());
    sync::v1::Change anew = raw.Create(Named(name), id);
    anew.set_base(1'000'000);  // by somebody who has seen it go
    EXPECT_EQ(raw.Answer({anew}), "MERGED");
    EXPECT_EQ(world.Get<Member>(id).name(), name);
    EXPECT_EQ(world.Get<Member>(id).registered_name(), "王");
  }
}

TEST_F(Persons, WhatIsDeletedAndMadeAnewIsRegisteredAsOfOldWhateverTypeItIs) {
  for (const RecordType& type : CatalogueSchema()->types()) {
    const auto* name = type.descriptor->FindFieldByName("name");
    const auto* registered = type.descriptor->FindFieldByName("registered_name");
    if (registered == nullptr) continue;
    SCOPED_TRACE(type.name);
    const Id id = NewId();
    for (const char* called : {"甲", "乙"}) {
      std::unique_ptr<google::protobuf::Message> record(
          google::protobuf::MessageFactory::generated_factory()
              ->GetPrototype(type.descriptor)
              ->New());
      record->GetReflection()->SetString(record.get(), name, called);
      if (const auto* branch = type.descriptor->FindFieldByName("branch_id")) {
        record->GetReflection()->SetString(record.get(), branch, village.str());
      }
      world.Write(*record, id);
      ASSERT_TRUE(record->ParsePartialFromString(world.StateOf({type.number, id}).body));
      EXPECT_EQ(record->GetReflection()->GetString(*record, name), called);
      EXPECT_EQ(record->GetReflection()->GetString(*record, registered), "甲");
      sync::v1::Edit deletion;
      deletion.add_changes()->set_type(type.number);
      deletion.mutable_changes(0)->set_id(id.str());
      deletion.mutable_changes(0)->set_kind(sync::v1::Change::DELETE);
      deletion.mutable_changes(0)->set_base(kPendingVersion.value);
      const auto gone = world.ingest().CommitOwn(world.store(), deletion);
      ASSERT_TRUE(gone.ok()) << gone.status();
    }
  }
}

TEST_F(Persons, AStoreOfAnEarlierVersionRegistersTheNamesThatAreThereOnce) {
  Member member = world.Get<Member>(wang);
  member.set_registered_name("旧");
  world.Write(member, wang);
  for (int start = 0; start < 2; ++start) {
    EXPECT_EQ(server::EnsureRegistration(world.store(), world.ingest()), absl::OkStatus());
  }
  EXPECT_EQ(world.Get<Member>(wang).registered_name(), "旧");
  EXPECT_EQ(world.Get<Member>(zhou).registered_name(), "周");
  EXPECT_EQ(world.Get<Organisation>(township).registered_name(), "云溪镇党委");
}

}  // namespace
}  // namespace zhibu::test
