// Rosters against what phones have written: whose word counts for who is who, and what a
// row may not do.
#include "server/exchange/import.h"

#include "absl/strings/match.h"
#include "absl/strings/str_join.h"
#include "server/exchange/roster.h"
#include "sync/rules/typed.h"
#include "sync/wire/record.h"
#include "sync/wire/shown.h"
#include "tests/support/village.h"

namespace zhibu::test {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr char kNumber[] = "000000196105221035";
constexpr char kHers[] = "000000197802041042";
constexpr char kHeader[] = "姓名,出生日期,身份证号,住址,所在支部\n";

class Import : public Village {
 protected:
  Import() {
    Run(absl::StrCat("孙,,", kNumber, ",某路一号,驻深圳流动党支部\n"));
    factory = IdOf<Organisation>("驻深圳流动党支部");
    sun = IdOf<Member>("孙");
    world.Appoint(zhang, branch, SECRETARY);
    world.SyncAll();
  }

  admin::v1::ImportReply Run(const std::string& rows) {
    admin::v1::ImportReply reply;
    const auto roster = server::ParseRoster(kHeader + rows);
    EXPECT_TRUE(roster.ok()) << roster.status();
    auto importer =
        server::Importer::Open(&world.store(), &world.ingest(), world.fate().environment());
    EXPECT_TRUE(importer.ok()) << importer.status();
    EXPECT_EQ(importer->Run(
                  *roster,
                  [&](const sync::v1::Edit& part) {
                    return world.ingest().CommitOwn(world.store(), part).status();
                  },
                  &reply),
              absl::OkStatus());
    return reply;
  }
  std::vector<std::string> BadRows(const std::string& rows) {
    std::vector<std::string> bad;
    const admin::v1::ImportReply reply = Run(rows);
    for (const auto& row : reply.bad_rows()) {
      bad.push_back(absl::StrCat(row.line(), " ", row.reason().zh(), " ", row.reason().en()));
    }
    return bad;
  }
  // The one record of the type that is registered so.
  template <typename T>
  Id IdOf(const std::string& name) {
    std::vector<Id> found;
    EXPECT_EQ(world.store().Read([&](server::Reader& reader) {
      return reader.ListRecords(TypeOf<T>().number, std::nullopt,
                                [&](const Id& id, const RecordState& state) {
                                  const T record = Parse<T>(state.body);
                                  if (record.registered_name() == name) found.push_back(id);
                                });
    }),
              absl::OkStatus());
    EXPECT_THAT(found, SizeIs(1)) << name;
    return found.empty() ? Id() : found[0];
  }
  PrivateDetail DetailOf(const Id& person) {
    PrivateDetail detail;
    detail.set_member_id(person.str());
    return world.Get<PrivateDetail>(
        DeriveId(TypeOf<PrivateDetail>(), detail.SerializeAsString()).value());
  }
  void SayNumber(Phone& phone, const Id& person, const std::string& number) {
    phone.Make<PrivateDetail>([&](PrivateDetail& detail) {
      detail.set_member_id(person.str());
      detail.set_branch_id(branch.str());
      detail.set_identity_number(number);
    });
    world.SyncAll();
  }
  std::string BranchOf(const Id& person) { return world.Get<Member>(person).branch_id(); }

  // The one entry of that name which lies in the branch.
  Id EntryIn(const Id& of, const std::string& name) {
    std::vector<Id> found;
    EXPECT_EQ(world.store().Read([&](server::Reader& reader) {
      return reader.ListRecords(TypeOf<Member>().number, of,
                                [&](const Id& id, const RecordState& state) {
                                  const auto member = Parse<Member>(state.body);
                                  if (member.name() == name) found.push_back(id);
                                });
    }),
              absl::OkStatus());
    EXPECT_THAT(found, SizeIs(1)) << name;
    return found.empty() ? Id() : found[0];
  }
  // `other` counts as `kept` from then on, or as itself again.
  void Point(const Id& other, const std::string& kept) {
    Member member = world.Get<Member>(other);
    member.set_merged_into_id(kept);
    world.Write(member, other);
  }

  Id factory;
  Id sun;
};

// A4.
TEST_F(Import, ANumberThatAPhoneHasWrittenLeadsNoRowToIts) {
  ASSERT_EQ(DetailOf(sun).identity_number(), kNumber);
  SayNumber(wangs, wang, kNumber);
  ASSERT_EQ(DetailOf(wang).identity_number(), kNumber);
  EXPECT_THAT(BadRows(absl::StrCat("孙,,", kNumber, ",某路二号,驻深圳流动党支部\n")), IsEmpty());
  EXPECT_EQ(DetailOf(sun).address(), "某路二号");
  EXPECT_EQ(DetailOf(wang).address(), "");
  EXPECT_EQ(world.Get<Member>(wang).name(), "王");
  EXPECT_EQ(BranchOf(wang), branch.str());
}

// A4, before the victim has any entry: the row makes one, rather than be the attacker's.
TEST_F(Import, ANumberThatAPhoneHasWrittenFirstIsNoKeyEither) {
  SayNumber(wangs, wang, kHers);
  EXPECT_EQ(Run(absl::StrCat("吴,,", kHers, ",某路三号,驻深圳流动党支部\n")).members(), 1u);
  EXPECT_EQ(DetailOf(wang).address(), "");
  EXPECT_EQ(DetailOf(IdOf<Member>("吴")).address(), "某路三号");
}

// A4, by name.
TEST_F(Import, AnOrganisationIsKnownByTheNameThatIsRegistered) {
  zhangs.Change<Organisation>(branch, [](Organisation& o) { o.set_name("驻深圳流动党支部"); });
  world.SyncAll();
  ASSERT_EQ(world.Get<Organisation>(branch).name(), "驻深圳流动党支部");
  Run("吴,,,,驻深圳流动党支部\n");
  EXPECT_EQ(BranchOf(IdOf<Member>("吴")), factory.str());
  EXPECT_EQ(Run("郑,,,,青石村党支部\n").organisations(), 0u);
  EXPECT_EQ(BranchOf(IdOf<Member>("郑")), branch.str());
}

TEST_F(Import, AMemberIsKnownByTheNameThatIsRegistered) {
  lis.Change<Member>(wang, [](Member& member) { member.set_name("赵"); });
  world.SyncAll();
  EXPECT_EQ(Run("赵,,,某路,青石村党支部\n").members(), 1u);
  EXPECT_EQ(DetailOf(wang).address(), "");
  EXPECT_EQ(Run("王,,,某街,青石村党支部\n").members(), 0u);
  EXPECT_EQ(DetailOf(wang).address(), "某街");
  EXPECT_EQ(world.Get<Member>(wang).name(), "王");
}

TEST_F(Import, ARosterRegistersTheNamesThatItSays) {
  Run(absl::StrCat("孙大,,", kNumber, ",,驻深圳流动党支部\n"));
  EXPECT_EQ(world.Get<Member>(sun).registered_name(), "孙大");
}

TEST_F(Import, ARowWhoseNumberIsOnesAndWhoseNameIsAnothersIsRefusedAndNamesBoth) {
  Member member = world.Get<Member>(wang);
  member.set_born("1961-05-22");
  world.Write(member, wang);
  const auto bad =
      BadRows(absl::StrCat("王,,", kNumber, ",某路,青石村党支部\n", "吴,,,,青石村党支部\n"));
  EXPECT_THAT(
      bad, ElementsAre(AllOf(HasSubstr("2 "), HasSubstr("可能指几个人"),
                             HasSubstr("王 (青石村党支部)"), HasSubstr("孙 (驻深圳流动党支部)"))));
  EXPECT_FALSE(absl::StrContains(absl::StrJoin(bad, ""), kNumber));
  EXPECT_EQ(BranchOf(sun), factory.str());
  EXPECT_EQ(DetailOf(wang).address(), "");
  IdOf<Member>("吴");  // the others go in
}

TEST_F(Import, ANumberOrANameThatTwoBearIsNeverGuessed) {
  for (const Id& person : {sun, wang}) {
    PrivateDetail detail;
    detail.set_member_id(person.str());
    detail.set_branch_id(BranchOf(person));
    detail.set_identity_number(kNumber);
    world.Write(detail, Id());
  }
  EXPECT_THAT(BadRows(absl::StrCat("吴,,", kNumber, ",,青石村党支部\n")),
              ElementsAre(AllOf(HasSubstr("王 ("), HasSubstr("孙 ("))));
  const Id other = world.Branch("青石村党支部");
  EXPECT_THAT(
      BadRows("郑,,,,青石村党支部\n"),
      ElementsAre(AllOf(HasSubstr("有几个党组织登记为“青石村党支部”"),
                        HasSubstr(zhibu::TextOf(branch)), HasSubstr(zhibu::TextOf(other)))));
}

TEST_F(Import, OfTwoOfOneNameTheNumberTells) {
  const Id namesake = world.Person("王", branch);
  PrivateDetail detail;
  detail.set_member_id(namesake.str());
  detail.set_branch_id(branch.str());
  detail.set_identity_number(kHers);
  world.Write(detail, Id());
  EXPECT_THAT(BadRows("王,,,某路,青石村党支部\n"), SizeIs(1));
  // Born follows from the number, and stands in neither entry.
  Member member = world.Get<Member>(namesake);
  member.set_born("1978-02-04");
  world.Write(member, namesake);
  EXPECT_THAT(BadRows(absl::StrCat("王,,", kHers, ",某路,青石村党支部\n")), IsEmpty());
  EXPECT_EQ(DetailOf(namesake).address(), "某路");
}

TEST_F(Import, ANumberThatTheRosterConfirmsIsTheOperatorsWordFromThenOn) {
  Member member = world.Get<Member>(wang);
  member.set_born("1978-02-04");
  world.Write(member, wang);
  world.SyncAll();
  SayNumber(wangs, wang, kHers);
  EXPECT_EQ(Run(absl::StrCat("王,,", kHers, ",,青石村党支部\n")).members(), 0u);
  EXPECT_EQ(Run(absl::StrCat("王小,,", kHers, ",,驻深圳流动党支部\n")).members(), 0u);
  EXPECT_EQ(BranchOf(wang), factory.str());
  EXPECT_EQ(world.Get<Member>(wang).registered_name(), "王小");
}

// A person registered by two branches, each with a roster of its own.
class MergedImport : public Import {
 protected:
  MergedImport() {
    Run(at_factory);
    kept = EntryIn(factory, "周");
    Run(at_village);
    other = EntryIn(branch, "周");
    Point(other, kept.str());
  }

  const std::string at_factory = "周,1978-02-04,,甲路,驻深圳流动党支部\n";
  const std::string at_village = absl::StrCat("周,1978-02-04,", kHers, ",乙路,青石村党支部\n");
  Id kept;
  Id other;
};

TEST_F(MergedImport, TheSameRostersAgainMoveNobodyAndMakeNobody) {
  for (const bool merged : {true, false}) {
    for (const std::string& rows : {at_factory, at_village, at_factory, at_village}) {
      const admin::v1::ImportReply reply = Run(rows);
      EXPECT_EQ(reply.members(), 0u);
      EXPECT_EQ(reply.changed(), 0u);
      EXPECT_EQ(reply.unchanged(), 1u) << reply.ShortDebugString();
      EXPECT_EQ(BranchOf(kept), factory.str());
      EXPECT_EQ(BranchOf(other), branch.str());
      EXPECT_EQ(DetailOf(kept).address(), "甲路");
      EXPECT_EQ(DetailOf(other).address(), "乙路");
      const bool of_other = merged && rows == at_village;
      ASSERT_THAT(reply.found_rows(), SizeIs(of_other ? 1 : 0));
      if (of_other) {
        EXPECT_EQ(reply.found_rows(0).counts_as().branch(), "驻深圳流动党支部");
      }
    }
    Point(other, "");
  }
}

TEST_F(MergedImport, ARowOfTheOtherEntryMovesThatOneAndNobodyElse) {
  const admin::v1::ImportReply reply =
      Run(absl::StrCat("周,1978-02-04,", kHers, ",,海港流动党支部\n"));
  EXPECT_EQ(reply.members(), 0u);
  EXPECT_EQ(BranchOf(kept), factory.str());
  EXPECT_EQ(BranchOf(other), IdOf<Organisation>("海港流动党支部").str());
  ASSERT_THAT(reply.found_rows(), SizeIs(1));
  EXPECT_EQ(reply.found_rows(0).moved_from(), "青石村党支部");
  EXPECT_EQ(reply.found_rows(0).counts_as().id(), kept.str());
}

TEST_F(MergedImport, ANumberOfTheOneInTheBranchOfTheOtherMovesNobodyEither) {
  const admin::v1::ImportReply reply =
      Run(absl::StrCat("周大,1978-02-04,", kHers, ",,驻深圳流动党支部\n"));
  EXPECT_EQ(reply.members(), 0u);
  EXPECT_EQ(BranchOf(kept), factory.str());
  EXPECT_EQ(BranchOf(other), branch.str());
  EXPECT_EQ(world.Get<Member>(kept).registered_name(), "周大");
  EXPECT_EQ(Run(at_village).changed(), 0u);
}

TEST_F(MergedImport, WhereWhoItCountsAsWasDeletedAnEntryIsFoundAllTheSame) {
  Point(other, "");
  Point(kept, other.str());
  world.SyncAll();
  zhangs.Delete<Member>(other);
  world.SyncAll();
  EXPECT_EQ(Run(at_factory).unchanged(), 1u);
  EXPECT_EQ(EntryIn(factory, "周"), kept);
}

TEST_F(Import, WhatARosterChangesIsNamed) {
  admin::v1::ImportReply reply =
      Run(absl::StrCat("王,,,某街,青石村党支部\n", "李,,,,青石村党支部\n",  // of 李 nothing changes
                       "孙大,,", kNumber, ",,青石村党支部\n"));
  ASSERT_THAT(reply.found_rows(), SizeIs(2)) << reply.ShortDebugString();
  const admin::v1::FoundRow& wangs_row = reply.found_rows(0);
  EXPECT_EQ(wangs_row.line(), 2u);
  EXPECT_EQ(wangs_row.member().id(), wang.str());
  EXPECT_EQ(wangs_row.moved_from(), "");
  ASSERT_THAT(wangs_row.changed(), SizeIs(1));
  EXPECT_EQ(wangs_row.changed(0).zh(), "住址");
  const admin::v1::FoundRow& suns_row = reply.found_rows(1);
  EXPECT_EQ(suns_row.line(), 4u);
  EXPECT_EQ(suns_row.member().name(), "孙大");
  EXPECT_EQ(suns_row.member().branch(), "青石村党支部");
  EXPECT_EQ(suns_row.moved_from(), "驻深圳流动党支部");
  EXPECT_EQ(suns_row.registered_before(), "孙");
  EXPECT_EQ(BranchOf(sun), branch.str());
}

}  // namespace
}  // namespace zhibu::test
