// Ledgers on each person's own phone: what it shows to whom, and who is told that it was written
// into a file.
#include "client-core/actions/ledger.h"

#include <gmock/gmock.h>

#include "absl/strings/str_join.h"
#include "sync/base/reason.h"
#include "sync/rules/book/book.h"
#include "sync/rules/exports.h"
#include "tests/support/village.h"

namespace zhibu::test {
namespace {

using client::LedgerAsked;
using client::NoteExport;
using client::OwnOrganisation;
using client::WriteUpLedgers;
using records::v1::AccessLog;
using records::v1::LedgerExport;
using rules::LedgerTable;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class LedgerHere : public Village {
 protected:
  LedgerHere() {
    for (const Id& person : {zhang, li, wang}) {
      zhangs.Change<Member>(person, [](Member& member) { member.set_stage(Member::FULL); });
    }
    for (const Id& person : {zhang, wang}) {
      zhangs.Make<PrivateDetail>([&](PrivateDetail& detail) {
        detail.set_member_id(person.str());
        detail.set_branch_id(branch.str());
        detail.set_identity_number("11010519491231002X");
        detail.set_phone("13800002206");
      });
    }
    world.SyncAll();
  }

  LedgerAsked Asked(const std::string& key) const {
    return {.ledgers = {rules::ShippedBook().FindLedger(key)}, .query = {.organisation = branch}};
  }
  LedgerTable On(Phone& phone, const LedgerAsked& asked) {
    auto tables = WriteUpLedgers(phone.store(), asked);
    EXPECT_TRUE(tables.ok()) << tables.status();
    EXPECT_THAT(tables->at(0).faults, IsEmpty());
    return std::move(tables->at(0));
  }
  // "王: 11010519491231002X 13800002206"
  std::vector<std::string> NumbersOn(Phone& phone) {
    const LedgerTable table = On(phone, Asked("member.roster"));
    const auto column = [&](const std::string& head) {
      return std::find(table.heads.begin(), table.heads.end(), head) - table.heads.begin();
    };
    std::vector<std::string> lines;
    for (const auto& row : table.rows) {
      lines.push_back(absl::StrCat(row[column("姓名")].text, ": ", row[column("身份证号")].text,
                                   " ", row[column("手机")].text));
    }
    std::sort(lines.begin(), lines.end());
    return lines;
  }
  void Export(Phone& phone, const LedgerAsked& asked) {
    const auto tables = WriteUpLedgers(phone.store(), asked);
    ASSERT_TRUE(tables.ok());
    ASSERT_EQ(NoteExport(phone.store(), asked, *tables, "0123"), absl::OkStatus());
  }
  // "张 导出 2: 手机、身份证号"
  std::vector<std::string> ToldTo(Phone& phone) {
    std::vector<std::string> told;
    for (const AccessLog& log : phone.All<AccessLog>()) {
      if (log.exports() == 0) continue;
      told.push_back(absl::StrCat(log.reader_name(), " 导出 ", log.exports(), ": ",
                                  absl::StrJoin(log.fields(), "、")));
    }
    return told;
  }
};

TEST_F(LedgerHere, TheSecretaryHasTheNumbersTheDeputyAndAMemberHaveNotAndEverybodyTheirOwn) {
  EXPECT_THAT(NumbersOn(zhangs), ElementsAre("张: 11010519491231002X 13800002206",
                                             "李:  ", "王: 11010519491231002X 13800002206"));
  EXPECT_THAT(NumbersOn(lis), ElementsAre("张: — —", "李: — —", "王: — —"));
  EXPECT_THAT(NumbersOn(wangs),
              ElementsAre("张: — —", "李: — —", "王: 11010519491231002X 13800002206"));
}

TEST_F(LedgerHere, TheOrganisationIsTheOneThatSomebodyActsForOrBelongsTo) {
  EXPECT_EQ(OwnOrganisation(zhangs.store()).value(), branch);
  EXPECT_EQ(OwnOrganisation(wangs.store()).value(), branch);
  world.Appoint(zhang, world.Branch("竹溪村党支部"), SECRETARY);
  world.SyncAll();
  EXPECT_TRUE(absl::IsFailedPrecondition(OwnOrganisation(zhangs.store()).status()));
}

TEST_F(LedgerHere, WhoeverStandsInAFileWithTheirNumbersIsToldByWhomAndHowOften) {
  Export(zhangs, Asked("member.roster"));
  EXPECT_THAT(ToldTo(wangs), IsEmpty()) << "nothing was synced";
  world.SyncAll();
  EXPECT_THAT(ToldTo(wangs), ElementsAre("张 导出 1: 身份证号、手机"));
  EXPECT_THAT(ToldTo(zhangs), IsEmpty()) << "one's own";
  Export(zhangs, Asked("member.roster"));
  world.SyncAll();
  EXPECT_THAT(ToldTo(wangs), ElementsAre("张 导出 2: 身份证号、手机"));
  ExpectConverged();
}

TEST_F(LedgerHere, WhatIsMaskedIsGivenToNobody) {
  LedgerAsked asked = Asked("member.roster");
  asked.query.mask = true;
  Export(zhangs, asked);
  world.SyncAll();
  EXPECT_THAT(ToldTo(wangs), IsEmpty());
  ASSERT_THAT(lis.All<LedgerExport>(), SizeIs(1)) << "the export itself is on record";
  EXPECT_THAT(lis.All<LedgerExport>()[0].ledgers(), ElementsAre("member.roster"));
  EXPECT_EQ(lis.All<LedgerExport>()[0].file(), "0123");
}

TEST_F(LedgerHere, AMembersOwnExportIsOnRecordToo) {
  Export(wangs, Asked("member.roster"));
  world.SyncAll();
  ASSERT_THAT(zhangs.All<LedgerExport>(), SizeIs(1));
  EXPECT_EQ(zhangs.All<LedgerExport>()[0].by_id(), wang.bytes());
  EXPECT_EQ(wangs.State().set_aside, 0u);
}

TEST_F(LedgerHere, NothingIsWrittenOutOfAnOrganisationWithWhichSomebodyHasNothingToDo) {
  LedgerAsked asked = Asked("member.roster");
  asked.query.organisation = world.Branch("竹溪村党支部");
  const auto tables = WriteUpLedgers(zhangs.store(), asked);
  ASSERT_TRUE(tables.ok());
  EXPECT_EQ(ReasonOf(NoteExport(zhangs.store(), asked, *tables, "0123")).reason,
            sync::v1::NOT_ENTITLED);
}

TEST_F(LedgerHere, NobodyIsToldOfAnExportOfABranchWithWhichTheyHaveNothingToDo) {
  const Id elsewhere = world.Branch("竹溪村党支部");
  const Id zhao = world.Person("赵", elsewhere);
  Phone& zhaos = world.Enrol(zhao);
  world.SyncAll();
  zhangs.Make<LedgerExport>([&](LedgerExport& told) {
    told.set_branch_id(branch.str());
    told.set_by_id(zhang.str());
    told.add_ledgers("member.roster");
    auto* given = told.add_given();
    given->set_record_type(3);
    given->add_fields(PrivateDetail::kPhoneFieldNumber);
    given->add_member_ids(zhao.str());
    given->add_member_ids(wang.str());
  });
  world.SyncAll();
  EXPECT_THAT(ToldTo(zhaos), IsEmpty());
  EXPECT_THAT(ToldTo(wangs), SizeIs(1));
}

TEST_F(LedgerHere, AnExportThatWouldTellTooManyAtOnceIsRefused) {
  auto draft = zhangs.store().New<LedgerExport>();
  auto& told = draft.message<LedgerExport>();
  told.set_branch_id(branch.str());
  told.set_by_id(zhang.str());
  told.add_ledgers("member.roster");
  auto* given = told.add_given();
  for (int i = 0; i <= kGivenMax; ++i) given->add_member_ids(wang.str());
  zhangs.Commit({&draft});
  world.SyncAll();
  EXPECT_EQ(zhangs.State().returned, 1u);
  EXPECT_THAT(lis.All<LedgerExport>(), IsEmpty());
}

TEST_F(LedgerHere, AYearsDossierHasASheetForEachLedgerAndNoRuleOfItGoesWrong) {
  MakeMeeting(zhangs);
  LedgerAsked asked{.query = {.organisation = branch, .year = 2026}};
  for (const auto& ledger : rules::ShippedBook().ledgers()) asked.ledgers.push_back(&ledger);
  for (Phone* phone : {&zhangs, &lis, &wangs}) {
    const auto tables = WriteUpLedgers(phone->store(), asked);
    ASSERT_TRUE(tables.ok()) << tables.status();
    for (const LedgerTable& table : *tables) EXPECT_THAT(table.faults, IsEmpty());
  }
}

}  // namespace
}  // namespace zhibu::test
