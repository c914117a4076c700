// Each act of an operator says whose it was.
#include "server/admin/acts.h"

#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "absl/strings/str_cat.h"
#include "server/admin/admin.h"
#include "server/sessions/hub.h"
#include "sync/wire/shown.h"
#include "tests/support/village.h"

namespace zhibu::test {
namespace {

using records::v1::OperatorAct;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class ActsTest : public Village {
 protected:
  // Of many threads, and no two things happen at once.
  Environment ForThreads() {
    return {.now_ms = [this] { return world.now_ms() + ++ticks; },
            .random_bytes = SystemEnvironment().random_bytes};
  }
  // "GRANTED 王操作员", the first first.
  std::vector<std::string> Acts() {
    const auto reply = admin.Acts({});
    EXPECT_TRUE(reply.ok()) << reply.status();
    std::vector<std::string> acts;
    for (const auto& one : reply->acts()) {
      acts.insert(acts.begin(),
                  absl::StrCat(OperatorAct::Kind_Name(one.act().kind()), " ", one.act().by()));
    }
    return acts;
  }
  admin::v1::GrantRequest Grant(const std::string& by) {
    admin::v1::GrantRequest request;
    request.mutable_who()->set_member("王");
    request.set_organisation("青石村党支部");
    request.set_office(COMMITTEE);
    request.set_operator_name(by);
    return request;
  }

  std::atomic<int64_t> ticks = 0;
  server::Ingest ingest{world.schema(), ForThreads()};
  server::Hub hub{&world.store(), &ingest, ForThreads()};
  server::Admin admin{&hub};
};

TEST_F(ActsTest, ALedgerThatIsWrittenOutIsOneOfThemAndHoldsNothingSensitive) {
  zhangs.Change<Member>(wang, [](Member& member) { member.set_stage(Member::FULL); });
  zhangs.Make<PrivateDetail>([&](PrivateDetail& detail) {
    detail.set_member_id(wang.str());
    detail.set_branch_id(branch.str());
    detail.set_identity_number("11010519491231002X");
    detail.set_phone("13800002206");
  });
  world.SyncAll();
  const auto path =
      std::filesystem::temp_directory_path() / absl::StrCat("zhibu_acts_", getpid(), ".csv");
  admin::v1::LedgerRequest request;
  request.set_file(path.string());
  request.set_ledger("党员名册");
  request.set_organisation("青石村党支部");
  request.set_operator_name("甲操作员");
  const auto reply = admin.Ledger(request);
  ASSERT_TRUE(reply.ok()) << reply.status();
  EXPECT_EQ(reply->rows(), 1u);
  EXPECT_THAT(reply->faults(), IsEmpty());
  std::ifstream stream(path);
  const std::string csv{std::istreambuf_iterator<char>(stream), {}};
  EXPECT_THAT(csv, ::testing::HasSubstr("王"));
  EXPECT_THAT(csv, ::testing::HasSubstr("110***********002X"));
  EXPECT_THAT(csv, ::testing::HasSubstr("138****2206"));
  EXPECT_THAT(Acts(), ElementsAre("LEDGER_EXPORTED 甲操作员"));
  EXPECT_FALSE(admin.Ledger(request).ok()) << "never over another";
  std::filesystem::remove(path);
  request.set_operator_name("");
  EXPECT_FALSE(admin.Ledger(request).ok()) << "whoever takes something out says who they are";
}

TEST_F(ActsTest, EachNamesItsOperatorAndIsInTheAudit) {
  const EditNumber before = world.RowOf(kServerDevice).last_number;
  ASSERT_TRUE(admin.Grant(Grant("甲操作员")).ok());
  admin::v1::RevokeRequest end;
  *end.mutable_grant() = Grant("");
  end.set_operator_name("乙操作员");
  ASSERT_TRUE(admin.Revoke(end).ok());
  admin::v1::RevokeRequest stop;
  stop.set_device(wangs.number().value);
  stop.set_operator_name("丙操作员");
  ASSERT_TRUE(admin.Revoke(stop).ok());
  admin::v1::ImportRequest roster;
  roster.set_file("姓名,所在支部\n赵,青石村党支部\n");
  roster.set_operator_name("丁操作员");
  ASSERT_TRUE(admin.Import(roster).ok());
  admin::v1::AffiliateRequest affiliate;
  affiliate.set_organisation("青石村党支部");
  affiliate.set_parent(zhibu::TextOf(world.Branch("云溪镇党委")));
  affiliate.set_operator_name("戊操作员");
  const auto affiliated = admin.Affiliate(affiliate);
  ASSERT_TRUE(affiliated.ok()) << affiliated.status();
  admin::v1::MergePersonsRequest merge;
  merge.mutable_keep()->set_member("王");
  merge.mutable_other()->set_member("赵");
  merge.set_operator_name("己操作员");
  ASSERT_TRUE(admin.MergePersons(merge).ok());
  merge.set_undo(true);
  ASSERT_TRUE(admin.MergePersons(merge).ok());
  admin::v1::BackupRequest backup;
  backup.set_file(world.directory().NewFile());
  backup.set_operator_name("庚操作员");
  ASSERT_TRUE(admin.Backup(backup).ok());
  EXPECT_THAT(Acts(),
              ElementsAre("GRANTED 甲操作员", "GRANT_ENDED 乙操作员", "DEVICE_REVOKED 丙操作员",
                          "IMPORTED 丁操作员", "AFFILIATED 戊操作员", "PERSONS_MERGED 己操作员",
                          "PERSONS_PARTED 己操作员", "BACKED_UP 庚操作员"));
  EXPECT_GT(world.RowOf(kServerDevice).last_number, before);
  world.CheckAudit();
}

TEST_F(ActsTest, NothingIsDoneForSomebodyWithoutAName) {
  for (const std::string& by : {std::string(), std::string("两\n行"), std::string(201, 'x')}) {
    EXPECT_EQ(admin.Grant(Grant(by)).status().code(), absl::StatusCode::kInvalidArgument);
    admin::v1::RevokeRequest revoke;
    revoke.set_device(wangs.number().value);
    revoke.set_operator_name(by);
    EXPECT_EQ(admin.Revoke(revoke).status().code(), absl::StatusCode::kInvalidArgument);
    admin::v1::ImportRequest roster;
    roster.set_operator_name(by);
    EXPECT_EQ(admin.Import(roster).status().code(), absl::StatusCode::kInvalidArgument);
    admin::v1::AffiliateRequest affiliate;
    affiliate.set_operator_name(by);
    EXPECT_EQ(admin.Affiliate(affiliate).status().code(), absl::StatusCode::kInvalidArgument);
    admin::v1::BackupRequest backup;
    backup.set_file(world.directory().NewFile());
    backup.set_operator_name(by);
    EXPECT_EQ(admin.Backup(backup).status().code(), absl::StatusCode::kInvalidArgument);
  }
  EXPECT_THAT(Acts(), IsEmpty());
  EXPECT_FALSE(world.RowOf(wangs.number()).revoked());
}

TEST_F(ActsTest, WhatChangesNothingIsNoAct) {
  ASSERT_TRUE(admin.Grant(Grant("甲操作员")).ok());
  const auto again = admin.Grant(Grant("乙操作员"));
  ASSERT_TRUE(again.ok());
  EXPECT_FALSE(again->changed());
  EXPECT_THAT(Acts(), ElementsAre("GRANTED 甲操作员"));
}

TEST_F(ActsTest, ARosterThatChangesNothingIsNoAct) {
  admin::v1::ImportRequest roster;
  roster.set_file("姓名,所在支部\n赵,青石村党支部\n");
  roster.set_operator_name("甲操作员");
  ASSERT_TRUE(admin.Import(roster).ok());
  roster.set_operator_name("乙操作员");
  const auto again = admin.Import(roster);
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(again->unchanged(), 1u);
  EXPECT_THAT(Acts(), ElementsAre("IMPORTED 甲操作员"));
}

TEST_F(ActsTest, ABranchThatIsMistypedIsNotFoundedUnlessThatIsAskedFor) {
  admin::v1::ImportRequest roster;
  roster.set_file("姓名,所在支部\n赵,青百村党支部\n");
  roster.set_operator_name("甲操作员");
  const auto refused = admin.Import(roster);
  ASSERT_TRUE(refused.ok());
  EXPECT_EQ(refused->organisations(), 0u);
  ASSERT_EQ(refused->bad_rows_size(), 1);
  EXPECT_THAT(
      refused->bad_rows(0).reason().zh(),
      ::testing::AllOf(::testing::HasSubstr("“青石村党支部”"), ::testing::HasSubstr("--found")));
  roster.set_check(true);
  roster.set_found(true);
  const auto tried = admin.Import(roster);
  ASSERT_TRUE(tried.ok());
  ASSERT_EQ(tried->new_organisations_size(), 1);
  EXPECT_EQ(tried->new_organisations(0).name(), "青百村党支部");
  EXPECT_THAT(tried->new_organisations(0).alike(), ElementsAre("青石村党支部"));
  roster.set_check(false);
  EXPECT_EQ(admin.Import(roster)->organisations(), 1u);
}

TEST_F(ActsTest, WhomeverItIsAboutSeesItOnTheirPhone) {
  ASSERT_TRUE(admin.Grant(Grant("甲操作员")).ok());
  world.SyncAll();
  EXPECT_EQ(wangs.All<OperatorAct>().size(), 1u);
  EXPECT_THAT(lis.All<OperatorAct>(), IsEmpty());
}

}  // namespace
}  // namespace zhibu::test
