// zhibu load against a server of its own, and against one that runs already.
#include <gmock/gmock.h>

#include "tests/e2e/township.h"

namespace zhibu::e2e {
namespace {

using ::testing::Ge;
using ::testing::Gt;
using ::testing::HasSubstr;

Json Load(const Words& words) {
  Words all = {"load"};
  all.insert(all.end(), words.begin(), words.end());
  all.insert(all.end(), {"--json", "--serve", "--devices", "12", "--seconds", "1"});
  return Succeed(all);
}

void ExpectAllMerged(const Json& run) {
  EXPECT_THAT(run["answered"].get<int>(), Gt(0)) << run;
  EXPECT_EQ(run["merged"], run["answered"]) << run;
  EXPECT_EQ(run["unanswered"], 0) << run;
  EXPECT_EQ(run["errors"], Json::object()) << run;
}

TEST(LoadTest, DevicesOnOpenStreamsPushAndTheOthersOfTheBranchHearOfIt) {
  const Json run = Load({"push", "--threads", "2", "--think", "20"});
  ExpectAllMerged(run);
  EXPECT_EQ(run["opened"], 12);
  EXPECT_THAT(run["others"]["count"].get<int>(), Ge(run["answered"].get<int>()))
      << "five others for each edit: " << run;
  EXPECT_THAT(run["answers"]["p99_us"].get<int>(), Ge(run["answers"]["p50_us"].get<int>()));
  EXPECT_THAT(run["server"]["memory_bytes_max"].get<int64_t>(), Gt(0));
}

TEST(LoadTest, AtARateEditsAreDueWhateverHasBecomeOfThoseBefore) {
  const Json run = Load({"push", "--rate", "30", "--edits", "5", "--slow", "50"});
  ExpectAllMerged(run);
}

TEST(LoadTest, ManyCheckInByCodeAndWrongClocksHarmNobody) {
  ExpectAllMerged(Load({"check-in", "--think", "50", "--wrong-clocks", "30"}));
}

TEST(LoadTest, AStormOfDevicesThatComeAndGoIsServedAndServedAgain) {
  const Json run = Load({"storm", "--edits", "5", "--think", "50"});
  ExpectAllMerged(run);
  EXPECT_THAT(run["cycles"]["count"].get<int>(), Ge(12)) << run;
  EXPECT_EQ(run["answered"].get<int>(), 5 * run["cycles"]["count"].get<int>()) << run;
}

TEST(LoadTest, StreamsThatSayNothingAreCountedByWhatTheyTake) {
  const Json run = Load({"idle"});
  EXPECT_EQ(run["opened"], 12);
  EXPECT_EQ(run["answered"], 0);
  EXPECT_THAT(run["server"]["bytes_per_stream"].get<double>(), Gt(0.0));
}

TEST(LoadTest, AServerThatRunsIsLoadedOnlyByWhoeverSaysSo) {
  Township township;
  const Words load = {"load", "push",      "--data", township.data(), "--devices",
                      "3",    "--seconds", "1",      "--lang",        "en"};
  const auto with = [&](const Words& more) {
    Words all = load;
    all.insert(all.end(), more.begin(), more.end());
    return all;
  };
  EXPECT_THAT(Fail(with({"--json"}))["words"].get<std::string>(), HasSubstr("stays"));
  EXPECT_EQ(RunToEnd(load).status, 1) << "nobody is there to be asked";
  ExpectAllMerged(Succeed(with({"--json", "--yes"})));
  const Finished shown = RunToEnd(with({"--yes"}));
  EXPECT_EQ(shown.status, 0) << shown.err;
  EXPECT_THAT(shown.out, HasSubstr("answered: "));
  EXPECT_EQ(township.Stop().status, 0);
}

TEST(LoadTest, AnotherMachineIsLoadedOnlyByWhoeverSaysSo) {
  // An address of a network that is nobody's: it is asked before anything is dialled.
  const Json refused = Fail({"load", "--json", "--lang", "en", "--serve", "--address",
                             "192.0.2.1:7443", "--devices", "3"});
  EXPECT_THAT(refused["words"].get<std::string>(), HasSubstr("another machine"));
}

TEST(LoadTest, WithoutAServerItSaysWhatIsMissing) {
  EXPECT_EQ(RunToEnd({"load", "push"}).status, 2);
  TempFolder empty;
  Fail({"load", "--json", "--data", empty.path(), "--yes"});
}

}  // namespace
}  // namespace zhibu::e2e
