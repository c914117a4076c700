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

  admin::v1::ImportReply Run(const std::string& rows, const std::string& header = kHeader) {
    admin::v1::ImportReply reply;
    const auto roster = server::ParseRoster(header + rows);
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
    EXPECT_EQ(importer->Remember(), absl::OkStatus());
    return reply;
  }
  std::vector<std::string> BadRows(const std::string& rows, const std::string& header = kHeader) {
    std::vector<std::string> bad;
    const admin::v1::ImportReply reply = Run(rows, header);
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
  EXPECT_EQ(Run("王,,,,青石村党支部\n").unchanged(), 1u);
  EXPECT_EQ(world.Get<Member>(wang).name(), "赵") << "what she calls herself is hers";
}

TEST_F(Import, AnotherNameUnderANumberIsAskedAndTheAnswerRegistersIt) {
  EXPECT_THAT(BadRows(absl::StrCat("孙大,,", kNumber, ",,驻深圳流动党支部\n")),
              ElementsAre(AllOf(HasSubstr("登记的是另一个姓名: 孙 (驻深圳流动党支部)"),
                                HasSubstr(zhibu::TextOf(sun)), HasSubstr("登记编号"))));
  EXPECT_EQ(world.Get<Member>(sun).registered_name(), "孙");
  Run(absl::StrCat("登记编号,姓名,身份证号,所在支部\n", zhibu::TextOf(sun), ",孙大,", kNumber,
                   ",驻深圳流动党支部\n"),
      "");
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
  EXPECT_EQ(Run(absl::StrCat("王,,", kHers, ",,驻深圳流动党支部\n")).members(), 0u);
  EXPECT_EQ(BranchOf(wang), factory.str());
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
      Run(absl::StrCat("周,1978-02-04,", kHers, ",丙路,驻深圳流动党支部\n"));
  EXPECT_EQ(reply.members(), 0u);
  EXPECT_EQ(BranchOf(kept), factory.str());
  EXPECT_EQ(BranchOf(other), branch.str());
  EXPECT_EQ(DetailOf(kept).address(), "丙路");
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
  Member born = world.Get<Member>(wang);
  born.set_born("1970-01-01");
  world.Write(born, wang);
  admin::v1::ImportReply reply = Run(absl::StrCat("王,1970-01-01,,某街,青石村党支部\n",
                                                  "李,,,,青石村党支部\n",  // of 李 nothing changes
                                                  "孙,,", kNumber, ",,青石村党支部\n"));
  ASSERT_THAT(reply.found_rows(), SizeIs(2)) << reply.ShortDebugString();
  const admin::v1::FoundRow& wangs_row = reply.found_rows(0);
  EXPECT_EQ(wangs_row.line(), 2u);
  EXPECT_EQ(wangs_row.member().id(), wang.str());
  EXPECT_EQ(wangs_row.moved_from(), "");
  ASSERT_THAT(wangs_row.changed(), SizeIs(1));
  EXPECT_EQ(wangs_row.changed(0).zh(), "住址");
  const admin::v1::FoundRow& suns_row = reply.found_rows(1);
  EXPECT_EQ(suns_row.line(), 4u);
  EXPECT_EQ(suns_row.member().name(), "孙");
  EXPECT_EQ(suns_row.member().branch(), "青石村党支部");
  EXPECT_EQ(suns_row.moved_from(), "驻深圳流动党支部");
  EXPECT_EQ(BranchOf(sun), branch.str());
}

// ---- An author who has seen the file before, not a ruler ----

std::vector<std::string> CellsOf(const admin::v1::ImportReply& reply) {
  std::vector<std::string> shown;
  for (const auto& cell : reply.cells()) {
    shown.push_back(
        absl::StrCat(cell.line(), cell.letter(), " ", cell.heading(), ": ", cell.reason().zh()));
  }
  return shown;
}

constexpr char kPhones[] = "姓名,出生日期,手机,所在支部\n";

class Township : public Import {
 protected:
  Township() { Run(roster, kPhones); }
  Id IdOfFirst() { return IdOf<Member>("子一"); }

  const std::string roster =
      "子一,1970-01-01,13800009901,枫林村党支部\n子二,1971-01-01,13800009902,枫林村党支部\n"
      "子三,1972-01-01,13800009903,枫林村党支部\n张伟,,13800013001,枫林村党支部\n";
};

TEST_F(Township, TheSameFileAgainChangesNothing) {
  for (int i = 0; i < 2; ++i) {
    const admin::v1::ImportReply reply = Run(roster, kPhones);
    EXPECT_EQ(reply.unchanged(), 4u) << reply.ShortDebugString();
    EXPECT_EQ(reply.members() + reply.changed() + reply.organisations(), 0u);
    EXPECT_EQ(reply.bad_rows_size() + reply.cells_size(), 0);
  }
}

TEST_F(Township, AListOfTelephonesIsAskedAndMakesNobody) {
  const auto bad = BadRows("子一,枫林村党支部,13900009901\n张伟,枫林村党支部,13900013002\n",
                           "姓名,所在支部,手机\n");
  EXPECT_THAT(
      bad, ElementsAre(HasSubstr("本支部已有同名的人"), HasSubstr("只有姓名，分不清是不是 张伟")));
  EXPECT_EQ(DetailOf(IdOfFirst()).phone(), "13800009901");
  EXPECT_EQ(DetailOf(IdOf<Member>("张伟")).phone(), "13800013001");
  // What it says anyway is no question.
  EXPECT_EQ(Run("子一,枫林村党支部,13800009901\n", "姓名,所在支部,手机\n").unchanged(), 1u);
}

TEST_F(Township, ACorrectedBirthDateIsAskedAndTheAnswerTaken) {
  const std::string row = "子三,1972-01-11,,枫林村党支部\n";
  EXPECT_THAT(BadRows(row, kPhones), ElementsAre(HasSubstr("出生日期不同或缺少: 子三")));
  const Id third = IdOf<Member>("子三");
  Run(absl::StrCat(zhibu::TextOf(third), ",", row), absl::StrCat("登记编号,", kPhones));
  EXPECT_EQ(world.Get<Member>(third).born(), "1972-01-11");
  const std::string another = "新,子三,1972-02-22,,枫林村党支部\n";
  EXPECT_EQ(Run(another, absl::StrCat("登记编号,", kPhones)).members(), 1u);
  // The answer stays in the file, which comes again.
  const admin::v1::ImportReply again = Run(another, absl::StrCat("登记编号,", kPhones));
  EXPECT_EQ(again.members(), 0u);
  EXPECT_EQ(again.unchanged(), 1u) << again.ShortDebugString();
}

TEST_F(Township, AMonthIsTheDayThatIsKnown) {
  EXPECT_EQ(Run("子一,1970-01,,枫林村党支部\n", kPhones).unchanged(), 1u);
  EXPECT_EQ(world.Get<Member>(IdOfFirst()).born(), "1970-01-01");
}

TEST_F(Township, NamesakesInOneFileAreDifferentPeople) {
  const std::string both = "子一,1970-01-01,,枫林村党支部\n子一,1981-05-05,,枫林村党支部\n";
  EXPECT_EQ(Run(both, kPhones).members(), 1u);
  EXPECT_EQ(Run(both, kPhones).unchanged(), 2u);
}

TEST_F(Township, WhoIsInAnotherBranchByBirthAndNameIsAskedByTheServerAndNotMoved) {
  EXPECT_EQ(Run("子一,1970-01-01,,竹溪村党支部\n", kPhones).members(), 1u);
}

TEST_F(Township, ABranchThatIsSpelledLikeAnotherIsAsked) {
  const admin::v1::ImportReply reply =
      Run("壬一,1980-01-02,,枫林村 党支部\n壬二,1980-01-03,,中共枫林村支部委员会\n"
          "壬三,1980-01-04,,枫林村党支部（流动）\n壬四,1980-01-05,,枫林村党支部(流动)\n",
          kPhones);
  EXPECT_EQ(reply.members(), 3u);
  EXPECT_EQ(reply.organisations(), 1u);
  ASSERT_EQ(reply.bad_rows_size(), 1);
  EXPECT_THAT(reply.bad_rows(0).reason().zh(), HasSubstr("与已登记的“枫林村党支部”写法相近"));
}

TEST_F(Township, WhatPeopleWroteStandsAndTheCellIsTold) {
  const Id village = IdOf<Organisation>("枫林村党支部");
  world.Appoint(zhang, village, SECRETARY);
  world.SyncAll();
  PrivateDetail detail;
  detail.set_member_id(IdOfFirst().str());
  const Id id = DeriveId(TypeOf<PrivateDetail>(), detail.SerializeAsString()).value();
  zhangs.Change<PrivateDetail>(id, [](PrivateDetail& d) { d.set_phone("13700000000"); });
  zhangs.Change<Member>(IdOfFirst(), [](Member& member) { member.set_name("子壹"); });
  world.SyncAll();
  const admin::v1::ImportReply same = Run(roster, kPhones);
  EXPECT_EQ(same.changed() + same.cells_size(), 0u) << same.ShortDebugString();
  const admin::v1::ImportReply reply = Run("子一,1970-01-01,13800000000,枫林村党支部\n", kPhones);
  EXPECT_EQ(reply.changed(), 0u) << reply.ShortDebugString();
  EXPECT_EQ(DetailOf(IdOfFirst()).phone(), "13700000000");
  EXPECT_EQ(world.Get<Member>(IdOfFirst()).name(), "子壹");
  EXPECT_THAT(CellsOf(reply),
              ElementsAre("2C 手机: 与现有的不同，现有的是在设备上填写的，没有改动"));
}

TEST_F(Township, AnOldFileSetsNothingBackAndIsTold) {
  const std::string header = absl::StrCat("登记编号,", kPhones);
  const Id first = IdOfFirst();
  const auto row = [&](const char* rest) { return absl::StrCat(zhibu::TextOf(first), ",", rest); };
  Run(row("子一,1970-01-01,13800009999,竹溪村党支部\n"), header);
  EXPECT_EQ(DetailOf(first).phone(), "13800009999");
  const Id moved_to = IdOf<Organisation>("竹溪村党支部");
  EXPECT_EQ(BranchOf(first), moved_to.str());
  const admin::v1::ImportReply reply =
      Run(row("子一,1970-01-01,13800009901,枫林村党支部\n"), header);
  EXPECT_EQ(reply.changed(), 0u) << reply.ShortDebugString();
  EXPECT_EQ(DetailOf(first).phone(), "13800009999");
  EXPECT_EQ(BranchOf(first), moved_to.str());
  EXPECT_THAT(CellsOf(reply), ElementsAre(HasSubstr("没有移回"), HasSubstr("没有改回")));
}

TEST_F(Township, WhatTheFileSaidTheLastTimeIsNoQuestionAnyMore) {
  const Id village = IdOf<Organisation>("枫林村党支部");
  world.Appoint(zhang, village, SECRETARY);
  world.SyncAll();
  PrivateDetail detail;
  detail.set_member_id(IdOfFirst().str());
  const Id id = DeriveId(TypeOf<PrivateDetail>(), detail.SerializeAsString()).value();
  zhangs.Change<PrivateDetail>(id, [](PrivateDetail& d) { d.clear_phone(); });
  world.SyncAll();
  const admin::v1::ImportReply same = Run(roster, kPhones);
  EXPECT_EQ(same.changed() + same.cells_size(), 0u) << same.ShortDebugString();
  EXPECT_EQ(DetailOf(IdOfFirst()).phone(), "") << "it was taken out";
  Run("子一,1970-01-01,13800009999,枫林村党支部\n", kPhones);
  EXPECT_EQ(DetailOf(IdOfFirst()).phone(), "13800009999") << "that is new";
}

TEST_F(Township, WhoWasTransferredStaysWhereTheyAre) {
  Run("丑一,1970-01-01,,竹溪村党支部\n", kPhones);
  const Id from = IdOf<Organisation>("枫林村党支部");
  const Id to = IdOf<Organisation>("竹溪村党支部");
  const Id first = IdOfFirst();
  Transfer transfer;
  transfer.set_member_id(first.str());
  transfer.set_from_branch_id(from.str());
  transfer.set_to_branch_id(to.str());
  const Id letter = world.fate().environment().NewId();
  for (const auto state : {Transfer::ISSUED, Transfer::RECEIVED}) {
    transfer.set_state(state);
    world.Write(transfer, letter);
  }
  Member member = world.Get<Member>(first);
  member.set_branch_id(to.str());
  world.Write(member, first);
  const admin::v1::ImportReply reply = Run(roster, kPhones);
  EXPECT_EQ(reply.members(), 0u);
  EXPECT_EQ(BranchOf(first), to.str());
  EXPECT_THAT(CellsOf(reply),
              ElementsAre("2D 所在支部: 现在在“竹溪村党支部”，没有移回“枫林村党支部”"));
}

TEST_F(Township, WhoWasDeletedIsNotMadeAgain) {
  const Id village = IdOf<Organisation>("枫林村党支部");
  world.Appoint(zhang, village, SECRETARY);
  world.SyncAll();
  zhangs.Delete<Member>(IdOfFirst());
  world.SyncAll();
  const admin::v1::ImportReply reply = Run(roster, kPhones);
  EXPECT_EQ(reply.members(), 0u);
  ASSERT_EQ(reply.bad_rows_size(), 1);
  EXPECT_THAT(reply.bad_rows(0).reason().zh(), HasSubstr("条目已被删除"));
}

TEST_F(Township, ABranchThatWasDeletedIsNotMadeAgain) {
  sync::v1::Edit edit;
  auto* change = edit.add_changes();
  change->set_type(TypeOf<Organisation>().number);
  change->set_id(IdOf<Organisation>("枫林村党支部").str());
  change->set_kind(sync::v1::Change::DELETE);
  ASSERT_TRUE(world.ingest().CommitOwn(world.store(), edit).ok());
  const admin::v1::ImportReply reply = Run(roster, kPhones);
  EXPECT_EQ(reply.organisations() + reply.members() + reply.changed(), 0u);
  ASSERT_EQ(reply.bad_rows_size(), 4);
  EXPECT_THAT(reply.bad_rows(0).reason().zh(), HasSubstr("“枫林村党支部”的条目已被删除"));
}

TEST_F(Township, ANameWithAnotherNumberIsAsked) {
  const std::string header = "姓名,出生日期,身份证号,所在支部\n";
  const auto row = [](const char* number) {
    return absl::StrCat("卯一,1978-02-04,", number, ",枫林村党支部\n");
  };
  EXPECT_EQ(Run(row(kHers), header).members(), 1u);
  // Of the same day, another woman.
  EXPECT_THAT(BadRows(row("000000197802042045"), header),
              ElementsAre(HasSubstr("登记的却是另一个身份证号: 卯一")));
}

// ---- What is taken and may not be meant ------------------------------------------

TEST_F(Import, ADayToComeIsNotTakenAndACodeThatNobodyKnowsIsTold) {
  const admin::v1::ImportReply reply =
      Run("赵,2090-01-01,99,青石村党支部\n", "姓名,入党日期,民族,所在支部\n");
  ASSERT_THAT(reply.cells(), SizeIs(2));
  EXPECT_THAT(reply.cells(0).reason().zh(), HasSubstr("99"));
  EXPECT_THAT(reply.cells(1).reason().zh(), HasSubstr("2090-01-01 还没有到"));
  const Member member = world.Get<Member>(IdOf<Member>("赵"));
  EXPECT_EQ(member.joined(), "");
  EXPECT_EQ(member.ethnic_group(), "99");
}

TEST_F(Import, AnotherSuperiorThanIsRegisteredIsToldOnceAndChangesNothing) {
  const admin::v1::ImportReply reply =
      Run("赵,青石村党支部,竹溪镇党委\n钱,青石村党支部,竹溪镇党委\n", "姓名,所在支部,上级组织\n");
  ASSERT_THAT(reply.cells(), SizeIs(1));
  EXPECT_THAT(reply.cells(0).reason().zh(),
              AllOf(HasSubstr("青石村党支部"), HasSubstr("affiliate")));
  EXPECT_EQ(reply.organisations(), 0u);
}

}  // namespace
}  // namespace zhibu::test
