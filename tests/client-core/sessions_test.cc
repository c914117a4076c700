// What whoever moves frames is told to do, by the clock of the test.
#include "client-core/sessions.h"

#include <set>

#include "sync/base/reason.h"
#include "tests/support/village.h"

namespace zhibu::test {
namespace {

using client::Advice;
using client::Sessions;
using What = client::Advice::What;
using ::testing::AllOf;
using ::testing::Ge;
using ::testing::Le;

// What chance makes of a pause.
auto About(int64_t ms) { return AllOf(Ge(ms / 2), Le(ms / 2 + ms)); }

class SessionsTest : public Village {
 protected:
  // How long it waits once a stream could not be opened at any address.
  int64_t FailOnce(Sessions& sessions) {
    EXPECT_EQ(sessions.Advise().what, What::kConnect);
    sessions.Ended(Refuse(sync::v1::OFFLINE, ""));
    const Advice advice = sessions.Advise();
    EXPECT_EQ(advice.what, What::kWait);
    return advice.ms;
  }

  // How long it waits once the server has turned its stream away.
  int64_t TurnAway(Sessions& sessions, uint32_t come_back_ms) {
    EXPECT_EQ(sessions.Advise().what, What::kConnect);
    sessions.Connected();
    sync::v1::ServerFrame frame;
    frame.mutable_refusal()->set_reason(sync::v1::LIMIT_REACHED);
    frame.mutable_refusal()->set_come_back_ms(come_back_ms);
    sessions.Receive(frame);
    const Advice advice = sessions.Advise();
    EXPECT_EQ(advice.what, What::kWait);
    EXPECT_EQ(ReasonOf(advice.why).reason, sync::v1::LIMIT_REACHED);
    return advice.ms;
  }
};

TEST_F(SessionsTest, EachFailureDoublesTheWaitUpToAMinute) {
  Sessions sessions(&zhangs.store(), {});
  std::vector<int64_t> waits;
  for (int i = 0; i < 9; ++i) {
    waits.push_back(FailOnce(sessions));
    world.Wait(waits.back());
  }
  EXPECT_THAT(waits, ::testing::ElementsAre(About(500), About(1'000), About(2'000), About(4'000),
                                            About(8'000), About(16'000), About(32'000),
                                            About(60'000), About(60'000)));
  sessions.Hurry();
  EXPECT_THAT(FailOnce(sessions), About(500));
}

TEST_F(SessionsTest, DevicesThatWereCutOffTogetherComeBackApart) {
  std::set<int64_t> moments;
  for (int i = 0; i < 100; ++i) {
    Sessions sessions(&zhangs.store(), {});
    moments.insert(FailOnce(sessions) / 50);
  }
  EXPECT_THAT(moments, ::testing::SizeIs(Ge(8u))) << "of ten parts of the second";
}

TEST_F(SessionsTest, AServerThatTurnsAStreamAwaySaysWhenToComeBack) {
  Sessions sessions(&zhangs.store(), {});
  const int64_t wait_ms = TurnAway(sessions, 30'000);
  EXPECT_THAT(wait_ms, AllOf(Ge(30'000), Le(60'000)));
  world.Wait(wait_ms);
  EXPECT_THAT(TurnAway(sessions, 1), About(1'000)) << "never sooner than it would by itself";
}

TEST_F(SessionsTest, NoServerPutsADeviceOffForLongNorWhoeverIsInAHurry) {
  Sessions sessions(&zhangs.store(), {});
  EXPECT_THAT(TurnAway(sessions, 86'400'000), AllOf(Ge(600'000), Le(1'200'000)));
  sessions.Hurry();
  EXPECT_EQ(sessions.Advise().what, What::kConnect);
}

TEST_F(SessionsTest, ALinkThatHeldForAMinuteIsTriedAgainAtOnce) {
  Sessions sessions(&zhangs.store(), {});
  for (int i = 0; i < 5; ++i) world.Wait(FailOnce(sessions));
  EXPECT_EQ(sessions.Advise().what, What::kConnect);
  sessions.Connected();
  world.Wait(61'000);
  sessions.Ended(absl::OkStatus());
  EXPECT_THAT(sessions.Advise().ms, About(500));
}

TEST_F(SessionsTest, AConnectionThatHungForAMinuteWasNoLinkThatHeld) {
  Sessions sessions(&zhangs.store(), {});
  for (int i = 0; i < 5; ++i) world.Wait(FailOnce(sessions));
  EXPECT_EQ(sessions.Advise().what, What::kConnect);
  world.Wait(61'000);
  sessions.Ended(Refuse(sync::v1::OFFLINE, ""));
  EXPECT_THAT(sessions.Advise().ms, About(16'000));
}

TEST_F(SessionsTest, ASessionThatMayNotTakeLongerGivesUpInTime) {
  Sessions sessions(&zhangs.store(), {.mode = Sessions::Options::Mode::kOnce, .within_ms = 30'000});
  EXPECT_EQ(sessions.Advise().what, What::kConnect);
  sessions.Connected();
  EXPECT_EQ(sessions.Advise().what, What::kSend);
  sync::v1::ClientFrame hello;
  EXPECT_TRUE(sessions.Next(&hello));
  EXPECT_EQ(sessions.Advise().what, What::kIdle);
  EXPECT_EQ(sessions.Advise().ms, 30'000);
  world.Wait(30'000);
  const Advice end = sessions.Advise();
  EXPECT_EQ(end.what, What::kStop);
  EXPECT_EQ(ReasonOf(end.why).reason, sync::v1::OFFLINE);
  EXPECT_EQ(zhangs.State().problem, sync::v1::OFFLINE);
  EXPECT_EQ(sessions.Advise().what, What::kStop);  // and stays so
}

TEST_F(SessionsTest, WhatNobodyAskedForChangesNothing) {
  Sessions sessions(&zhangs.store(), {});
  sync::v1::ClientFrame frame;
  sessions.Connected();
  sessions.Receive(sync::v1::ServerFrame());
  sessions.Ended(absl::OkStatus());
  EXPECT_FALSE(sessions.Next(&frame));
  EXPECT_FALSE(sessions.TakePage().has_value());
  EXPECT_EQ(sessions.Advise().what, What::kConnect);
  EXPECT_EQ(zhangs.State().problem, sync::v1::NO_REASON);
}

TEST_F(SessionsTest, WhyAStreamEndedIsARefusalIfTheServerSaidOne) {
  sync::v1::Refusal refusal;
  refusal.set_reason(sync::v1::SERVER_TROUBLE);
  const auto why = [](absl::StatusCode code, absl::string_view details) {
    return ReasonOf(client::WhyEnded(code, "text", details)).reason;
  };
  EXPECT_EQ(why(absl::StatusCode::kInternal, refusal.SerializeAsString()),
            sync::v1::SERVER_TROUBLE);
  EXPECT_EQ(why(absl::StatusCode::kInternal, "\xff"), sync::v1::SERVER_TROUBLE);
  EXPECT_EQ(why(absl::StatusCode::kUnavailable, ""), sync::v1::OFFLINE);
  EXPECT_EQ(why(absl::StatusCode::kResourceExhausted, ""), sync::v1::LIMIT_REACHED);
}

}  // namespace
}  // namespace zhibu::test
