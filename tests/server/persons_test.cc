// The same person, registered by two branches: found, shown to whom it concerns, made one,
// and two again.
#include "server/persons.h"

#include "absl/strings/match.h"
#include "sync/reason.h"
#include "sync/record.h"
#include "tests/support/village.h"
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
  DuplicatePerson Found(const Id& one, const Id& other) {
    return world.Get<DuplicatePerson>(server::DuplicateId(one, other));
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
    zhous.Change<DuplicatePerson>(server::DuplicateId(wang, wang_too), [&](DuplicatePerson& d) {
      d.set_state(state);
      if (state == DuplicatePerson::MERGED) d.set_kept_id(keep.str());
    });
    EXPECT_EQ(world.Sync(zhous), absl::OkStatus());
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
  Phone& phone = world.Enrol(wang);
  Phone& phone_too = world.Enrol(wang_too);
};

TEST_F(Merged, WhoeverIsOneOfThemHasBothHistoriesAndEachStaysWhereItWas) {
  const std::vector<std::string> before = world.ViewOf(qian);
  Decide(DuplicatePerson::MERGED, wang);
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
  Decide(DuplicatePerson::MERGED, wang);
  ExpectInStep();
  EXPECT_FALSE(phone_too.Has<Meeting>(meeting));
  EXPECT_TRUE(phone_too.Has<Organisation>(village));
}

TEST_F(Merged, AnOpenSessionHearsOfItAndOfWhatTheOtherIsGivenLater) {
  world.SyncAll();
  Stream stream(&world, &phone_too);
  stream.Run();
  world.Write(Payment(wang, village, 200), world.fate().environment().NewId());
  stream.Run();
  EXPECT_THAT(AmountsOn(phone_too), ElementsAre(1000));
  Decide(DuplicatePerson::MERGED, wang);
  stream.Run();
  EXPECT_THAT(AmountsOn(phone_too), ElementsAre(100, 200, 1000));
  world.Appoint(wang, village, DEPUTY);
  stream.Run();
  const Id meeting = phone_too.Make<Meeting>([&](Meeting& m) { m.set_branch_id(village.str()); });
  stream.Run();
  EXPECT_THAT(phone_too.SetAside(), IsEmpty());
  EXPECT_TRUE(world.StateOf({31, meeting}).alive());
}

TEST_F(Merged, UndoneEverythingIsAsItWas) {
  world.SyncAll();
  const std::string member = world.StateOf({2, wang_too}).body;
  const auto view = phone.View();
  const auto view_too = phone_too.View();
  Decide(DuplicatePerson::MERGED, wang);
  world.SyncAll();
  ASSERT_NE(phone.View(), view);
  Decide(DuplicatePerson::UNDONE, Id());
  EXPECT_EQ(world.StateOf({2, wang_too}).body, member);
  ExpectInStep();
  EXPECT_EQ(phone.View(), view);
  EXPECT_EQ(phone_too.View(), view_too);
  // And once more, the other way round.
  Decide(DuplicatePerson::MERGED, wang_too);
  EXPECT_EQ(world.Get<Member>(wang).merged_into_id(), wang_too.str());
  ExpectInStep();
  EXPECT_THAT(AmountsOn(phone), ElementsAre(100, 1000));
}

TEST_F(Merged, WhatIsRecordedAfterwardsStaysWithWhomItWasRecordedOf) {
  Decide(DuplicatePerson::MERGED, wang);
  world.Write(Payment(wang_too, factory, 2000), world.fate().environment().NewId());
  world.SyncAll();
  EXPECT_THAT(AmountsOn(phone), ElementsAre(100, 1000, 2000));
  Decide(DuplicatePerson::UNDONE, Id());
  world.SyncAll();
  EXPECT_THAT(AmountsOn(phone), ElementsAre(100));
  EXPECT_THAT(AmountsOn(phone_too), ElementsAre(1000, 2000));
}

TEST_F(Merged, AThirdEntryOfThePersonIsComparedWithTheOneThatIsKept) {
  Decide(DuplicatePerson::MERGED, wang);
  const Id third = world.Person("王", village);
  SetNumber(third, kNumber);
  EXPECT_EQ(CountFound(), 2u);
  EXPECT_EQ(Found(wang, third).state(), DuplicatePerson::OPEN);
}

TEST_F(Merged, OnceUndoneEachIsComparedWithTheThirdEntryForItself) {
  Decide(DuplicatePerson::MERGED, wang);
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

TEST_F(Merged, WhoIsMergedAlreadyIsNotMergedWithSomebodyElse) {
  const Id third = world.Person("王", village);
  SetNumber(third, kNumber);
  ASSERT_EQ(CountFound(), 3u);
  Decide(DuplicatePerson::MERGED, wang);
  world.SyncAll();
  zhous.Change<DuplicatePerson>(server::DuplicateId(third, wang_too), [&](DuplicatePerson& d) {
    d.set_state(DuplicatePerson::MERGED);
    d.set_kept_id(third.str());
  });
  EXPECT_EQ(world.Sync(zhous), absl::OkStatus());
  EXPECT_THAT(zhous.SetAside(), ElementsAre("2 RETURNED STEP_NOT_ALLOWED"));
  EXPECT_EQ(world.Get<Member>(wang_too).merged_into_id(), wang.str());
}

TEST_F(Merged, OneWhoIsNeitherOfTheTwoCannotBeKept) {
  Decide(DuplicatePerson::MERGED, zhou);
  EXPECT_THAT(zhous.SetAside(), ElementsAre("1 RETURNED BAD_VALUE"));
  EXPECT_EQ(Found(wang, wang_too).state(), DuplicatePerson::OPEN);
}

TEST_F(Persons, NobodyDecidesWhetherTheyAreSomebodyElse) {
  SetBorn(zhou, "周", "1980-01-01");
  SetBorn(wang, "周", "1980-01-01");
  ASSERT_THAT(Found(zhou, wang).scopes(), ElementsAre(township.str()));
  world.SyncAll();
  for (const auto state : {DuplicatePerson::MERGED, DuplicatePerson::NOT_SAME}) {
    zhous.Change<DuplicatePerson>(server::DuplicateId(zhou, wang),
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

}  // namespace
}  // namespace zhibu::test
