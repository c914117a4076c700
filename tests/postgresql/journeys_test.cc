// How often edits go to the database and back, on the way into it.
#include "tests/postgresql/worlds.h"
#include "tests/support/raw_edits.h"

namespace zhibu::test {
namespace {

using ::testing::Each;
using ::testing::Le;
using ::testing::SizeIs;

using JourneysTest = RawEdits;

TEST_F(JourneysTest, AnEditTakesFour) {
  const Id id = NewId();
  TakeJourneys();
  ASSERT_EQ(Answer(Of(&zhang_author, {Create(MeetingIn(branch, "学习"), id)})), "1 MERGED");
  EXPECT_THAT(TakeJourneys(), Each(Le(4u)));
  Meeting set;
  set.set_place("礼堂");
  ASSERT_EQ(Answer(Of(&zhang_author, {Update(set, id, 0)})), "2 MERGED");
  EXPECT_THAT(TakeJourneys(), Each(Le(4u)));
}

TEST_F(JourneysTest, ABatchOfTwentyTakesSix) {
  std::vector<Submitted> batch;
  for (int i = 0; i < 20; ++i) {
    batch.push_back(Of(&zhang_author, {Create(MeetingIn(branch, "学习"), NewId())}));
  }
  TakeJourneys();
  EXPECT_THAT(Answers(batch), SizeIs(20));
  EXPECT_THAT(TakeJourneys(), Each(Le(6u)));
}

}  // namespace
}  // namespace zhibu::test
