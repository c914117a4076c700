// Looking at what one does not hold, and who has looked, as people do it.
#include <gmock/gmock.h>

#include "absl/strings/str_cat.h"
#include "tests/e2e/township.h"

namespace zhibu::e2e {
namespace {

using ::testing::SizeIs;

constexpr char kCommittee[] = "中共云溪镇委员会";
constexpr char kSuperior[] = "机关党员09";

TEST(QueryTest, ASuperiorLooksBelowAndOpensAMembersRecordsForAReasonThatTheySee) {
  Township township;
  township.Start();
  const Device secretary = township.Enrol(kSecretary);
  const Device member = township.Enrol(kMigrant);
  township.Admin({"grant", kSuperior, kCommittee, "--office", "secretary"});
  const Device superior = township.Enrol(kSuperior);

  const Json members = superior.Do({"query", "Member", "--under", kCommittee});
  EXPECT_GT(members.size(), superior.List("Member").size());
  for (const Json& one : members) {
    const Json& record = one["record"];
    EXPECT_EQ(record.contains("born"), record.value("name", "") == kSuperior) << one;
  }
  EXPECT_THAT(superior.Do({"query", "PrivateDetail", "--under", kCommittee}), SizeIs(1))
      << "but their own";

  const std::string id = member.IdOf(kMigrant);
  const Json without = superior.Refused({"query", "PrivateDetail", "--member", id});
  EXPECT_EQ(without.value("code", ""), "PERMISSION_DENIED") << without;
  const Json opened =
      superior.Do({"query", "PrivateDetail", "--member", id, "--reason", "核对困难补助"});
  ASSERT_THAT(opened, SizeIs(1));
  EXPECT_EQ(opened[0]["record"].value("phone", ""), "000-0000-0003");

  member.Do({"sync"});
  bool told = false;
  bool read = false;
  for (const Json& one : member.Do({"accesses"})) {
    const Json& record = one["record"];
    if (record.value("readerName", "") != kSuperior) continue;
    told = told || record.value("reason", "") == "核对困难补助";
    read = read || record.value("times", 0) == 1;
  }
  EXPECT_TRUE(told);
  EXPECT_TRUE(read);

  const Json above =
      superior.Do({"list", "Organisation", "--where", absl::StrCat("name=", kCommittee)});
  const Json aside = secretary.Refused({"query", "Member", "--under", above[0].value("id", "")});
  EXPECT_EQ(aside.value("code", ""), "PERMISSION_DENIED") << aside;
}

TEST(QueryTest, AnAnswerOfSeveralPagesIsReadToItsEnd) {
  Township township;
  township.Start();
  const Device secretary = township.Enrol(kSecretary);
  township.Admin({"grant", kSuperior, kCommittee, "--office", "secretary"});
  const Device superior = township.Enrol(kSuperior);
  const Json branch =
      secretary.Do({"list", "Organisation", "--where", absl::StrCat("name=", kBranch)});
  const Json meeting = {{"branchId", branch[0].value("id", "")},
                        {"minutes", std::string(100'000, 'm')}};
  constexpr size_t kMeetings = 12;  // more than two pages of half a megabyte
  for (size_t i = 0; i < kMeetings; ++i) secretary.Put("Meeting", meeting);
  secretary.Do({"sync"});
  EXPECT_THAT(superior.Do({"query", "Meeting", "--under", kCommittee}), SizeIs(kMeetings));
}

}  // namespace
}  // namespace zhibu::e2e
