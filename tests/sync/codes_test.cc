// The tables of codes that are built in.
#include "sync/schema/codes.h"

#include <gmock/gmock.h>

#include <set>
#include <string>

#include "absl/strings/str_cat.h"
#include "sync/schema/schema.h"
#include "zhibu/records/v1/member.pb.h"

namespace zhibu {
namespace {

using records::v1::Member;

TEST(CodeTables, HaveASourceAYearAndWordsForEachCodeOnce) {
  std::set<std::string> names;
  for (const CodeTable& table : AllCodeTables().tables()) {
    SCOPED_TRACE(table.name());
    EXPECT_TRUE(names.insert(table.name()).second);
    EXPECT_FALSE(table.source().empty() || table.version().empty());
    EXPECT_FALSE(table.words().zh().empty() || table.words().en().empty());
    std::set<std::string> codes;
    for (const Code& code : table.codes()) {
      EXPECT_TRUE(codes.insert(code.code()).second) << code.code();
      EXPECT_FALSE(code.zh().empty() || code.en().empty()) << code.code();
    }
  }
  EXPECT_EQ(names, (std::set<std::string>{"sex", "ethnic_group", "education", "degree",
                                          "political_standing", "place", "organisation_kind"}));
}

TEST(CodeTables, HaveTheFiftySixEthnicGroupsAndTwoMore) {
  EXPECT_EQ(FindCodeTable("ethnic_group")->codes_size(), 58);
  EXPECT_EQ(FindCode("ethnic_group", "15")->zh(), "土家");
  EXPECT_EQ(FindCode("place", "42")->zh(), "湖北");
}

TEST(CodeTables, KnowNoCodeThatIsNotThere) {
  EXPECT_EQ(FindCode("ethnic_group", "77"), nullptr);
  EXPECT_EQ(FindCode("ethnic_group", ""), nullptr);
  EXPECT_EQ(FindCode("no_such_table", "01"), nullptr);
  EXPECT_EQ(FindCodeTable("no_such_table"), nullptr);
}

// Whose standing numbers the enumeration has.
TEST(CodeTables, AgreeWithTheEnumerationOfSexes) {
  const auto* sexes = Member::Sex_descriptor();
  for (int i = 1; i < sexes->value_count(); ++i) {
    const Code* code = FindCode("sex", absl::StrCat(sexes->value(i)->number()));
    ASSERT_NE(code, nullptr) << sexes->value(i)->name();
    EXPECT_EQ(code->zh(), sexes->value(i)->options().GetExtension(zhibu::value_label));
  }
}

}  // namespace
}  // namespace zhibu
