// One person in two rosters, from the command line: found, made one, and two again.
#include <gmock/gmock.h>

#include <fstream>

#include "tests/e2e/township.h"

namespace zhibu::e2e {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr char kTownship[] = "中共云溪镇委员会";
constexpr char kElsewhere[] = "驻广州流动党支部";

class PersonsTest : public ::testing::Test {
 protected:
  PersonsTest() {
    township_.Admin({"grant", kSecretary, kTownship});
    const std::string roster = folder_ / "roster.csv";
    // As 丙滨海 stands in the roster of the village.
    std::ofstream(roster) << "姓名,性别,出生日期,党员类别,所在支部,上级组织\n"
                          << kMigrant << ",女,1972-11-22,正式党员," << kElsewhere << ","
                          << kTownship << "\n";
    EXPECT_EQ(township_.Admin({"import", roster, "--found"}).value("members", 0), 1);
  }
  Json Found() { return township_.Admin({"duplicates"}).value("duplicates", Json::array()); }

  const TempFolder folder_;
  Township township_;
};

TEST_F(PersonsTest, TheSecretaryOfTheTownshipFindsItAndBothAgreeWithoutALink) {
  const Device secretary = township_.Enrol(kSecretary);
  const Device deputy = township_.Enrol(kDeputy);
  EXPECT_THAT(deputy.List("DuplicatePerson"), IsEmpty());
  const Json shown = secretary.List("DuplicatePerson");
  ASSERT_THAT(shown, SizeIs(1));
  const std::string id = shown[0].value("id", "");
  const Json record = secretary.Record("DuplicatePerson", id);
  EXPECT_EQ(record.value("by", ""), "NAME_AND_BIRTH");
  EXPECT_THAT(record.value("firstShown", "") + record.value("secondShown", ""),
              HasSubstr(kElsewhere));
  const Device one = township_.Enrol(record.value("firstId", ""));
  const Device other = township_.Enrol(record.value("secondId", ""));
  township_.Stop();
  secretary.Do({"persons", "same", id});
  township_.Start();
  secretary.Do({"sync"});
  EXPECT_EQ(Found()[0]["duplicate"].value("state", ""), "AGREED");
  one.Do({"sync"});
  other.Do({"sync"});
  township_.Stop();
  one.Do({"persons", "agree", id});
  other.Do({"persons", "agree", id});
  township_.Start();
  one.Do({"sync"});
  EXPECT_EQ(Found()[0]["duplicate"].value("state", ""), "AGREED");
  other.Do({"sync"});
  EXPECT_EQ(Found()[0]["duplicate"].value("state", ""), "MERGED");
  one.Do({"sync"});
  one.Do({"persons", "withdraw", id});
  one.Do({"sync"});
  EXPECT_EQ(Found()[0]["duplicate"].value("state", ""), "UNDONE");
  for (const Device& device : {secretary, one, other}) {
    EXPECT_THAT(device.Do({"set-aside"}), IsEmpty());
  }
}

TEST_F(PersonsTest, TheOperatorMergesAndUndoes) {
  const Json found = Found();
  ASSERT_THAT(found, SizeIs(1));
  const std::string first = found[0]["duplicate"].value("firstId", "");
  const std::string second = found[0]["duplicate"].value("secondId", "");
  township_.Admin({"merge-persons", first, second});
  EXPECT_EQ(Fail(township_.AdminCommand({"merge-persons", second, first})).value("code", ""),
            "FAILED_PRECONDITION");
  EXPECT_EQ(Found()[0]["duplicate"].value("state", ""), "MERGED");
  township_.Admin({"merge-persons", first, second, "--undo"});
  EXPECT_EQ(Found()[0]["duplicate"].value("state", ""), "UNDONE");
  // Whom nobody has suspected.
  township_.Admin({"merge-persons", kSecretary, kDeputy});
  EXPECT_THAT(Found(), SizeIs(2));
  township_.Admin({"audit", "verify"});
}

TEST_F(PersonsTest, TheSameRostersAgainMoveNobodyWhoWasMergedAndMakeNobody) {
  const Json found = Found();
  ASSERT_THAT(found, SizeIs(1));
  const bool village_first = found[0]["first"].value("branch", "") == kBranch;
  const std::string kept = found[0][village_first ? "first" : "second"].value("id", "");
  const std::string other = found[0][village_first ? "second" : "first"].value("id", "");
  for (const Words& words :
       {Words{"merge-persons", kept, other}, Words{"merge-persons", kept, other, "--undo"}}) {
    const Json reply = township_.Admin(words);
    EXPECT_EQ(reply["keep"].value("branch", ""), kBranch);
    EXPECT_EQ(reply["other"].value("branch", ""), kElsewhere);
    for (const std::string& roster :
         {folder_ / "roster.csv", std::string(ZHIBU_TEST_DATA "/township.csv"),
          folder_ / "roster.csv"}) {
      const Json imported = township_.Admin({"import", roster});
      EXPECT_EQ(imported.value("members", 0), 0) << imported;
      EXPECT_EQ(imported.value("changed", 0), 0) << imported;
      const Json now = Found();
      ASSERT_THAT(now, SizeIs(1));
      EXPECT_EQ(now[0]["first"], found[0]["first"]);
      EXPECT_EQ(now[0]["second"], found[0]["second"]);
    }
  }
}

}  // namespace
}  // namespace zhibu::e2e
