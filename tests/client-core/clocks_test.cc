// Clocks that were wrong and have been put right, of a phone or of the server: what was
// derived from them is gone with the next session.
#include "absl/strings/str_cat.h"
#include "client-core/actions/check_in.h"
#include "tests/support/village.h"

namespace zhibu::test {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr int64_t kYear = 365 * kDay;

class Clocks : public Village {
 protected:
  Clocks() { world.SyncAll(); }

  void Write(Phone& phone, const std::string& place) {
    phone.Change<Meeting>(meeting, [&](Meeting& m) { m.set_place(place); });
  }
  // The deputy writes, then the secretary, who syncs first: whose word stands?
  std::string Race(const std::string& name) {
    Write(lis, "先写" + name);
    world.Wait(2'000);
    Write(zhangs, "后写" + name);
    for (Phone* phone : {&zhangs, &lis, &zhangs}) EXPECT_EQ(world.Sync(*phone), absl::OkStatus());
    return world.Get<Meeting>(meeting).place();
  }
  CheckIn::Standing CheckInNow() {
    const auto shown = client::ShowCheckIn(zhangs.store(), meeting);
    EXPECT_TRUE(shown.ok()) << shown.status();
    auto draft = client::CheckInByCode(wangs.store(), shown->text);
    EXPECT_TRUE(draft.ok()) << draft.status();
    wangs.Commit({&*draft});
    EXPECT_EQ(world.Sync(wangs), absl::OkStatus());
    return world.Get<CheckIn>(draft->id()).standing();
  }
  // When the server believes the phone's last edit to have been made.
  int64_t LastStampMs(Phone& phone) { return MillisOf(world.AuditOf(phone.number()).back().stamp); }

  const Id meeting = MakeMeeting(zhangs);
};

TEST_F(Clocks, APhonesClockThatWasWrongForOneEditDecidesNoLaterRace) {
  for (const int64_t error : {2 * kYear, -20 * kYear, 30 * 60'000L}) {
    EXPECT_EQ(Race("甲"), "后写甲");
    lis.Crash();  // the app was started anew: it cannot have noticed that the clock was set
    lis.clock_error_ms() = error;
    lis.Change<Meeting>(meeting, [](Meeting& m) { m.set_topic(m.topic() + "题目"); });
    lis.clock_error_ms() = 0;
    world.Wait(5'000);
    world.SyncAll();
    EXPECT_LE(LastStampMs(lis), world.now_ms());
    EXPECT_EQ(Race("乙"), "后写乙") << error;
    EXPECT_EQ(Race("丙"), "后写丙") << error;
  }
}

TEST_F(Clocks, AClockThatIsSetWhileTheAppRunsDoesNotMatterToIt) {
  for (const int64_t error : {2 * kYear, -20 * kYear, 0L}) {
    lis.clock_error_ms() = error;
    Write(lis, absl::StrCat(error));
    EXPECT_EQ(lis.store().ServerNow().value(), world.now_ms());
    const auto pending = lis.store().Pending(EditNumber(0), 1).value();
    EXPECT_EQ(MillisOf(Stamp(pending[0].stamp())), world.now_ms());
    world.Wait(60'000);
    EXPECT_EQ(world.Sync(lis), absl::OkStatus());
  }
}

TEST_F(Clocks, TheEditAfterTheClockWasPutRightIsStampedByItThoughTheWrongOneWaitsBeforeIt) {
  lis.Crash();
  lis.clock_error_ms() = 2 * kYear;
  Write(lis, "快");
  lis.clock_error_ms() = 0;
  world.Wait(60'000);
  const int64_t made_ms = world.now_ms();
  Write(lis, "准");
  world.Wait(3'600'000);
  world.SyncAll();
  EXPECT_EQ(LastStampMs(lis), made_ms);
}

TEST_F(Clocks, TheServersClockThatWasWrongForADayDecidesNoLaterRace) {
  for (const int64_t error : {100 * kDay, -100 * kDay}) {
    for (Phone* phone : {&zhangs, &lis}) phone->Crash();
    world.fate().clock_error_ms = error;
    Write(zhangs, "当时");
    world.SyncAll();
    world.fate().clock_error_ms = 0;
    world.Wait(60'000);
    EXPECT_EQ(Race("甲"), "后写甲") << error;
    EXPECT_EQ(Race("乙"), "后写乙") << error;
    EXPECT_EQ(LastStampMs(zhangs), world.now_ms()) << error;
  }
}

TEST_F(Clocks, WhatWasWrittenUnderTheServersWrongClockLosesToWhatWasWrittenUnseenSince) {
  world.fate().clock_error_ms = 100 * kDay;
  Write(zhangs, "当时");
  EXPECT_EQ(world.Sync(zhangs), absl::OkStatus());
  world.fate().clock_error_ms = 0;
  world.Wait(60'000);
  Write(lis, "后写");  // has not seen it
  world.SyncAll();
  EXPECT_EQ(lis.Get<Meeting>(meeting).place(), "后写");
  ASSERT_EQ(lis.All<ConflictNote>().size(), 1u);
  EXPECT_EQ(lis.All<ConflictNote>()[0].lost(), "\"当时\"");
}

TEST_F(Clocks, ACheckInIsVerifiedAsSoonAsTheServersClockIsRight) {
  world.SyncAll();
  world.fate().clock_error_ms = 100 * kDay;
  Write(zhangs, "当时");
  world.SyncAll();
  world.fate().clock_error_ms = 0;
  world.Wait(60'000);
  world.SyncAll();
  EXPECT_EQ(CheckInNow(), CheckIn::VERIFIED);
}

TEST_F(Clocks, WhatWasStampedByAMeasuredClockKeepsItsTimeThoughTheClockIsPutRightMeanwhile) {
  for (const int64_t error : {-2 * kYear, 2 * kYear}) {
    lis.Crash();
    lis.clock_error_ms() = error;
    Write(lis, absl::StrCat(error));
    const int64_t made_ms = world.now_ms();
    world.Wait(60'000);
    EXPECT_TRUE(world.SyncCutAfter(lis, 3));  // the clocks are compared, and nothing is sent
    lis.clock_error_ms() = 0;
    lis.Crash();
    world.Wait(60'000);
    EXPECT_EQ(world.Sync(lis), absl::OkStatus());
    EXPECT_EQ(LastStampMs(lis), made_ms) << error;
    world.SyncAll();
  }
}

TEST_F(Clocks, OwnEditsStayInTheirOrderWhateverTheClockSaid) {
  const int64_t before_ms = world.now_ms();
  lis.Crash();
  for (const int64_t error : {0L, 2 * kYear, 3 * kDay, -20 * kYear, 0L, -20 * kYear, kYear}) {
    lis.clock_error_ms() = error;
    Write(lis, absl::StrCat(error, "/", world.now_ms()));
    world.Wait(10'000);
  }
  const std::string last = lis.Get<Meeting>(meeting).place();
  lis.clock_error_ms() = 0;
  EXPECT_EQ(world.Sync(lis), absl::OkStatus());
  EXPECT_EQ(world.Get<Meeting>(meeting).place(), last);
  Stamp stamp = StampAt(before_ms - 1'000);
  for (const auto& row : world.AuditOf(lis.number())) {
    if (row.received_ms < world.now_ms()) continue;
    EXPECT_LT(stamp, row.stamp);
    stamp = row.stamp;
  }
  EXPECT_LE(MillisOf(stamp), world.now_ms());
}

TEST_F(Clocks, ASessionBeginsAgainBeforeItSendsWhatAClockThatWasSetHasStamped) {
  lis.clock_error_ms() = -2 * kYear;
  Stream stream(&world, &lis);
  stream.Run();
  ASSERT_TRUE(stream.client().caught_up());
  lis.clock_error_ms() = 0;
  Write(lis, "准");
  stream.Run();
  EXPECT_TRUE(stream.client().closed());
  EXPECT_TRUE(stream.client().again());
  EXPECT_EQ(lis.State().unsent, 1u);
  const int64_t made_ms = world.now_ms();
  world.Wait(60'000);
  EXPECT_EQ(world.Sync(lis), absl::OkStatus());
  EXPECT_EQ(LastStampMs(lis), made_ms);
}

TEST_F(Clocks, AServerTakesNothingThatAClockOfItsOwnHasStampedThatWasSetSince) {
  world.fate().clock_error_ms = 100 * kDay;
  Stream stream(&world, &lis);
  stream.Run();
  ASSERT_TRUE(stream.client().caught_up());
  world.fate().clock_error_ms = 0;
  Write(lis, "准");
  stream.Run();
  EXPECT_TRUE(stream.server().closed());
  EXPECT_EQ(lis.State().unsent, 1u);
  EXPECT_EQ(world.Sync(lis), absl::OkStatus());
  EXPECT_EQ(LastStampMs(lis), world.now_ms());
}

}  // namespace
}  // namespace zhibu::test
