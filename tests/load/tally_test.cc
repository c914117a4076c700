#include "tests/load/tally.h"

#include <gmock/gmock.h>

namespace zhibu::load {
namespace {

using ::testing::AllOf;
using ::testing::Ge;
using ::testing::Le;

TEST(Histogram, APercentileIsTrueToThreePercentHoweverLongThingsTook) {
  for (const int64_t scale : {1, 1000, 1'000'000}) {
    Histogram histogram;
    for (int64_t i = 1; i <= 1000; ++i) histogram.Add(i * scale);
    for (const int64_t part : {10, 500, 990, 999}) {
      EXPECT_THAT(histogram.Percentile(static_cast<double>(part) / 1000),
                  AllOf(Ge(part * scale), Le(part * scale * 103 / 100 + 1)));
    }
    EXPECT_EQ(histogram.Percentile(1), 1000 * scale);
  }
}

TEST(Histogram, NothingTookNoTimeAndWhatIsBeyondMeasureIsTheLongest) {
  Histogram histogram;
  EXPECT_EQ(histogram.Percentile(0.99), 0);
  histogram.Add(-5);
  EXPECT_EQ(histogram.Percentile(0.5), 0);
  histogram.Add(int64_t{1} << 60);
  EXPECT_EQ(histogram.max(), int64_t{1} << 60);
  EXPECT_LE(histogram.Percentile(0.999), histogram.max());
}

TEST(Tally, TwoThreadsCountedApartAreOneTogether) {
  Tally one;
  one.answers.Add(10);
  one.AnsweredIn(0);
  one.Error("ended");
  Tally other;
  other.answers.Add(30);
  other.AnsweredIn(2);
  other.Error("ended");
  one.Merge(other);
  EXPECT_EQ(one.answers.count(), 2u);
  EXPECT_EQ(one.answers.max(), 30);
  EXPECT_THAT(one.answered_by_second, ::testing::ElementsAre(1, 0, 1));
  EXPECT_EQ(one.errors.at("ended"), 2u);
}

}  // namespace
}  // namespace zhibu::load
