// Checking in with both phones offline, as an app sees it.
#include "client-core/actions/check_in.h"

#include "sync/base/reason.h"
#include "sync/crypto/check_in_code.h"
#include "tests/support/village.h"

namespace zhibu::test {
namespace {

using client::CheckInByCode;
using client::CheckInByHand;
using client::Draft;
using client::ShowCheckIn;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class CheckInTest : public Village {
 protected:
  std::string Shown(Phone& phone) {
    const auto shown = ShowCheckIn(phone.store(), meeting);
    EXPECT_TRUE(shown.ok()) << shown.status();
    return shown.ok() ? shown->text : "";
  }
  // The record's id.
  Id Commit(Phone& phone, absl::StatusOr<Draft> draft) {
    EXPECT_TRUE(draft.ok()) << draft.status();
    if (!draft.ok()) return Id();
    EXPECT_TRUE(phone.store().Commit({&*draft}).ok());
    return draft->id();
  }
  Id Scan(Phone& phone, const std::string& text) {
    return Commit(phone, CheckInByCode(phone.store(), text));
  }

  const Id meeting = MakeMeeting(zhangs);
};

TEST_F(CheckInTest, AnActivityThatThePhoneHasNeverHeardOfIsCheckedIntoByItsCode) {
  ASSERT_FALSE(wangs.Has<Meeting>(meeting));  // made offline, and not synced since
  const Id id = Scan(wangs, Shown(zhangs));
  const CheckIn check_in = wangs.Get<CheckIn>(id);
  EXPECT_EQ(check_in.activity_id(), meeting.str());
  EXPECT_EQ(check_in.branch_id(), branch.str());
  EXPECT_EQ(check_in.member_id(), wang.str());
  ASSERT_THAT(check_in.ways(), SizeIs(1));
  EXPECT_EQ(check_in.ways(0).how(), CheckIn::QR);
  EXPECT_EQ(check_in.at().seconds(), world.now_ms() / 30'000 * 30);
  EXPECT_EQ(check_in.standing(), CheckIn::STANDING_UNSPECIFIED);  // not for the phone to say
}

TEST_F(CheckInTest, ScannedTwiceItIsOneRecordAndOneEdit) {
  const Id id = Scan(wangs, Shown(zhangs));
  world.Wait(60'000);
  EXPECT_EQ(Scan(wangs, Shown(zhangs)), id);
  EXPECT_EQ(wangs.State().unsent, 1u);
  EXPECT_THAT(wangs.Get<CheckIn>(id).codes(), SizeIs(1));
}

TEST_F(CheckInTest, TextThatIsNoCodeChangesNothing) {
  const auto draft = CheckInByCode(wangs.store(), "https://example.invalid/");
  EXPECT_EQ(ReasonOf(draft.status()).reason, sync::v1::CODE_INVALID);
  EXPECT_EQ(wangs.State().unsent, 0u);
}

TEST_F(CheckInTest, TheCodeChangesEveryHalfMinuteOfTheServersClock) {
  EXPECT_EQ(world.Sync(zhangs), absl::OkStatus());
  world.Wait(30'000 - world.now_ms() % 30'000);
  const auto first = ShowCheckIn(zhangs.store(), meeting);
  ASSERT_TRUE(first.ok());
  EXPECT_EQ(first->next_ms, 30'000);
  world.Wait(10'000);
  const auto same = ShowCheckIn(zhangs.store(), meeting);
  EXPECT_EQ(same->text, first->text);
  EXPECT_EQ(same->next_ms, 20'000);
  world.Wait(20'000);
  EXPECT_NE(Shown(zhangs), first->text);
}

TEST_F(CheckInTest, AClockThatIsKnownToBeYearsOffShowsTheServersTime) {
  zhangs.clock_error_ms() = -6LL * 365 * 86'400'000;
  EXPECT_EQ(world.Sync(zhangs), absl::OkStatus());  // measures it
  EXPECT_EQ(zhangs.store().ServerNow().value(), world.now_ms());
  EXPECT_EQ(ShownAtMs(*CheckInCodeFromText(Shown(zhangs))), world.now_ms() / 30'000 * 30'000);
}

TEST_F(CheckInTest, OnlyAMeetingThatIsHereCanBeShown) {
  EXPECT_TRUE(absl::IsNotFound(ShowCheckIn(wangs.store(), meeting).status()));
}

TEST_F(CheckInTest, ByHandItIsKnownFromTheMemberOrFromTheRollCall) {
  const Id own = Commit(wangs, CheckInByHand(wangs.store(), meeting, wang));
  EXPECT_EQ(wangs.Get<CheckIn>(own).ways(0).how(), CheckIn::BY_SELF);
  const Id called = Commit(zhangs, CheckInByHand(zhangs.store(), meeting, wang));
  EXPECT_EQ(zhangs.Get<CheckIn>(called).ways(0).how(), CheckIn::ROLL_CALL);
  EXPECT_EQ(own, called);
  ExpectConverged();
  const CheckIn check_in = lis.Get<CheckIn>(own);
  EXPECT_THAT(check_in.ways(), SizeIs(2));
  EXPECT_EQ(check_in.standing(), CheckIn::STANDING_UNSPECIFIED);
  EXPECT_THAT(lis.All<ConflictNote>(), IsEmpty());
}

TEST_F(CheckInTest, ACodeARollCallAndAWordOfOnesOwnAreOneVerifiedRecordWithoutAConflict) {
  const Id id = Scan(wangs, Shown(zhangs));
  Commit(wangs, CheckInByHand(wangs.store(), meeting, wang));
  Commit(zhangs, CheckInByHand(zhangs.store(), meeting, wang));
  ExpectConverged();
  const CheckIn check_in = lis.Get<CheckIn>(id);
  EXPECT_THAT(check_in.ways(), SizeIs(3));
  EXPECT_EQ(check_in.standing(), CheckIn::VERIFIED);
  EXPECT_THAT(lis.All<ConflictNote>(), IsEmpty());
  EXPECT_THAT(wangs.SetAside(), IsEmpty());
}

TEST_F(CheckInTest, ALaterRollCallLeavesItVerified) {
  const Id id = Scan(wangs, Shown(zhangs));
  world.SyncAll();
  ASSERT_EQ(lis.Get<CheckIn>(id).standing(), CheckIn::VERIFIED);
  world.Wait(3'600'000);
  Commit(lis, CheckInByHand(lis.store(), meeting, wang));
  ExpectConverged();
  EXPECT_EQ(wangs.Get<CheckIn>(id).standing(), CheckIn::VERIFIED);
  EXPECT_THAT(wangs.Get<CheckIn>(id).ways(), SizeIs(2));
}

TEST_F(CheckInTest, OneThatIsDeletedBeforeItWasEverSyncedStaysWithANoteAndCanBeDeletedThen) {
  const Id id = Scan(wangs, Shown(zhangs));
  wangs.Delete<CheckIn>(id);
  world.SyncAll();
  EXPECT_TRUE(wangs.Has<CheckIn>(id));
  EXPECT_THAT(wangs.All<ConflictNote>(), SizeIs(1));
  wangs.Delete<CheckIn>(id);
  ExpectConverged();
  EXPECT_FALSE(lis.Has<CheckIn>(id));
}

TEST_F(CheckInTest, AMarkedOneIsBetteredByAFreshCode) {
  const std::string forwarded = Shown(zhangs);
  world.Wait(30 * 60'000);
  const Id id = Scan(wangs, forwarded);
  world.SyncAll();
  ASSERT_EQ(wangs.Get<CheckIn>(id).standing(), CheckIn::MARKED);
  Scan(wangs, Shown(zhangs));
  ExpectConverged();
  EXPECT_EQ(wangs.Get<CheckIn>(id).standing(), CheckIn::VERIFIED);
  EXPECT_THAT(wangs.Get<CheckIn>(id).marks(), IsEmpty());
}

}  // namespace
}  // namespace zhibu::test
