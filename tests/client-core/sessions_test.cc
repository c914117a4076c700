// What whoever moves frames is told to do, by the clock of the test.
#include "client-core/sessions.h"

#include "sync/base/reason.h"
#include "tests/support/village.h"

namespace zhibu::test {
namespace {

using client::Advice;
using client::Sessions;
using What = client::Advice::What;

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
};

TEST_F(SessionsTest, EachFailureDoublesTheWaitUpToAMinute) {
  Sessions sessions(&zhangs.store(), {});
  std::vector<int64_t> waits;
  for (int i = 0; i < 9; ++i) {
    waits.push_back(FailOnce(sessions));
    world.Wait(waits.back());
  }
  EXPECT_THAT(waits, ::testing::ElementsAre(500, 1'000, 2'000, 4'000, 8'000, 16'000, 32'000, 60'000,
                                            60'000));
  sessions.Hurry();
  EXPECT_EQ(FailOnce(sessions), 500);
}

TEST_F(SessionsTest, ALinkThatHeldForAMinuteIsTriedAgainAtOnce) {
  Sessions sessions(&zhangs.store(), {});
  for (int i = 0; i < 5; ++i) world.Wait(FailOnce(sessions));
  EXPECT_EQ(sessions.Advise().what, What::kConnect);
  sessions.Connected();
  world.Wait(61'000);
  sessions.Ended(absl::OkStatus());
  EXPECT_EQ(sessions.Advise().ms, 500);
}

TEST_F(SessionsTest, AConnectionThatHungForAMinuteWasNoLinkThatHeld) {
  Sessions sessions(&zhangs.store(), {});
  for (int i = 0; i < 5; ++i) world.Wait(FailOnce(sessions));
  EXPECT_EQ(sessions.Advise().what, What::kConnect);
  world.Wait(61'000);
  sessions.Ended(Refuse(sync::v1::OFFLINE, ""));
  EXPECT_EQ(sessions.Advise().ms, 16'000);
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
