// A ledger out of a phone into a file, a sheet into a phone, and who is told.
#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "absl/strings/str_cat.h"
#include "tests/e2e/township.h"

namespace zhibu::e2e {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::string TextIn(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST(LedgerTest, ASecretaryReadsTheDuesSheetWritesTheRegisterOutAndAMemberSeesThatTheyAreInIt) {
  Township township;
  township.Start();
  const Device secretary = township.Enrol(kSecretary);
  const Device member = township.Enrol(kMigrant);
  const TempFolder folder;

  const std::string sheet = folder / "党费.csv";
  std::ofstream(sheet) << "姓名,月份,金额,交纳方式\n"
                       << kMigrant << ",2026-03,15.00,微信\n无此人,2026-03,15,现金\n";
  const Json tried = secretary.Do({"import", sheet, "--ledger", "党费台账", "--check"});
  EXPECT_EQ(tried["counts"].value("MADE", 0), 1) << tried;
  EXPECT_TRUE(secretary.List("DuesPayment").empty());
  const Json taken = secretary.Do({"import", sheet, "--ledger", "党费台账"});
  EXPECT_EQ(taken["counts"].value("WRONG", 0), 1) << taken;
  EXPECT_EQ(secretary.List("DuesPayment").size(), 1u);
  EXPECT_EQ(secretary.Do({"import", sheet, "--ledger", "党费台账"})["counts"].value("SAME", 0), 1);

  const std::string csv = folder / "名册.csv";
  secretary.Do({"ledger", "党员名册", "--out", csv});
  EXPECT_THAT(TextIn(csv), HasSubstr(kMigrant));
  EXPECT_THAT(TextIn(csv), HasSubstr("000-0000-0003"));
  const Json again = secretary.Refused({"ledger", "党员名册", "--out", csv});
  EXPECT_EQ(again.value("code", ""), "INVALID_ARGUMENT") << again;
  secretary.Do({"ledger", "--dossier", "--year", "2026", "--out", folder / "档案.xlsx"});
  EXPECT_EQ(TextIn(folder / "档案.xlsx").substr(0, 2), "PK");

  secretary.Do({"sync"});
  member.Do({"sync"});
  int exports = 0;
  for (const Json& one : member.Do({"accesses"})) exports += one["record"].value("exports", 0);
  EXPECT_GE(exports, 2);

  const std::string out = folder / "经办.csv";
  const Json organisations = secretary.List("Organisation");
  township.Admin({"ledger", out, "--organisation", organisations[0]["record"].value("name", ""),
                  "--ledger", "member.roster"});
  EXPECT_THAT(TextIn(out), HasSubstr("姓名"));
  EXPECT_THAT(TextIn(out), Not(HasSubstr("000-0000-0003")));
}

}  // namespace
}  // namespace zhibu::e2e
