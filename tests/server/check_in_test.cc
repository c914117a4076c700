// What the server makes of a scanned code: each row of docs/check-in.md.
#include "sync/rules/check_in.h"

#include "absl/strings/str_cat.h"
#include "client-core/actions/check_in.h"
#include "sync/check_in_code.h"
#include "tests/support/village.h"

namespace zhibu::test {
namespace {

using client::CheckInByCode;
using client::Draft;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr int64_t kMinute = 60'000;
constexpr int64_t kYear = 365LL * 86'400'000;

class CheckInOutcome : public Village {
 protected:
  CheckInOutcome() { world.SyncAll(); }

  std::string Shown(Phone& phone, const Id& activity) {
    const auto shown = client::ShowCheckIn(phone.store(), activity);
    EXPECT_TRUE(shown.ok()) << shown.status();
    return shown.ok() ? shown->text : "";
  }
  std::string Shown(Phone& phone) { return Shown(phone, meeting); }

  Draft Drafted(Phone& phone, const std::string& text) {
    auto draft = CheckInByCode(phone.store(), text);
    EXPECT_TRUE(draft.ok()) << draft.status();
    return *std::move(draft);
  }
  // "VERIFIED", "MARKED LATE_CODE", or why it came back.
  std::string Outcome(Phone& phone, Draft draft) {
    phone.Commit({&draft});
    return OutcomeOf(phone, draft.id());
  }
  std::string OutcomeOf(Phone& phone, const Id& id) {
    const size_t before = phone.SetAside().size();
    EXPECT_EQ(world.Sync(phone), absl::OkStatus());
    const std::vector<std::string> aside = phone.SetAside();
    if (aside.size() > before) return aside.back().substr(aside.back().find(' ') + 1);
    const CheckIn check_in = phone.Get<CheckIn>(id);
    std::string outcome = CheckIn::Standing_Name(check_in.standing());
    for (const int mark : check_in.marks()) {
      absl::StrAppend(&outcome, " ", CheckIn::Mark_Name(static_cast<CheckIn::Mark>(mark)));
    }
    return outcome;
  }
  std::string Scanned(Phone& phone, const std::string& text) {
    return Outcome(phone, Drafted(phone, text));
  }
  // Signed with the phone's key, whatever it says.
  std::string Signed(Phone& by, const Id& activity, const Id& of) {
    const auto identity = by.store().GetIdentity();
    return ToText(
        MakeCheckInCode(activity, of, identity->device, world.now_ms(), identity->secret_key));
  }

  const Id meeting = MakeMeeting(zhangs);
};

// ---- Taken -------------------------------------------------------------------------

TEST_F(CheckInOutcome, AFreshCodeIsVerifiedHoweverLateThePhonesSync) {
  const std::string text = Shown(zhangs);
  world.Wait(kMinute);
  Draft draft = Drafted(wangs, text);
  wangs.Commit({&draft});
  const int64_t scanned_ms = world.now_ms();
  world.Wait(30 * 86'400'000LL);
  EXPECT_EQ(OutcomeOf(wangs, draft.id()), "VERIFIED");
  EXPECT_EQ(wangs.Get<CheckIn>(draft.id()).scanned_at().seconds(), scanned_ms / 1000);
}

TEST_F(CheckInOutcome, AnActivityThatTheServerHasNotHeardOfIsTakenAtTheCodesWord) {
  const Id unheard = MakeMeeting(zhangs);
  EXPECT_EQ(Scanned(wangs, Shown(zhangs, unheard)), "VERIFIED");
}

TEST_F(CheckInOutcome, EverybodyScansTheSameCode) {
  const std::string text = Shown(zhangs);
  EXPECT_EQ(Scanned(wangs, text), "VERIFIED");
  EXPECT_EQ(Scanned(lis, text), "VERIFIED");
  EXPECT_EQ(Scanned(zhangs, text), "VERIFIED");
}

TEST_F(CheckInOutcome, AScreenshotForwardedHalfAnHourLaterIsMarked) {
  const std::string text = Shown(zhangs);
  world.Wait(30 * kMinute);
  EXPECT_EQ(Scanned(wangs, text), "MARKED LATE_CODE");
}

TEST_F(CheckInOutcome, AMembersClockThatIsYearsOffIsPutRightAtTheHandshake) {
  wangs.clock_error_ms() = -8 * kYear;  // and nobody knows yet
  EXPECT_EQ(Scanned(wangs, Shown(zhangs)), "VERIFIED");
  lis.clock_error_ms() = 8 * kYear;
  EXPECT_EQ(Scanned(lis, Shown(zhangs)), "VERIFIED");
}

TEST_F(CheckInOutcome, AMembersClockThatWasYearsBehindAndIsRightAgainIsMarked) {
  world.Wait(10 * 86'400'000LL);  // what the phone has last seen is old
  wangs.Crash();
  wangs.clock_error_ms() = -8 * kYear;
  Draft draft = Drafted(wangs, Shown(zhangs));
  wangs.Commit({&draft});
  wangs.clock_error_ms() = 0;  // before anybody could measure it
  EXPECT_EQ(OutcomeOf(wangs, draft.id()), "MARKED CLOCK_OFF");
}

TEST_F(CheckInOutcome, AMembersClockThatWasYearsAheadAndIsRightAgainIsJudgedByWhenItIsSynced) {
  for (const int64_t later : {int64_t{0}, 60 * kMinute}) {
    Phone& phone = later == 0 ? wangs : lis;
    phone.Crash();
    phone.clock_error_ms() = 8 * kYear;
    Draft draft = Drafted(phone, Shown(zhangs));
    phone.Commit({&draft});
    phone.clock_error_ms() = 0;
    world.Wait(later);
    EXPECT_EQ(OutcomeOf(phone, draft.id()), later == 0 ? "VERIFIED" : "MARKED LATE_CODE");
  }
}

TEST_F(CheckInOutcome, ClocksThatAreSetWhileTheAppsRunDoNotMatter) {
  zhangs.clock_error_ms() = -8 * kYear;
  wangs.clock_error_ms() = 8 * kYear;
  Draft draft = Drafted(wangs, Shown(zhangs));
  wangs.Commit({&draft});
  wangs.clock_error_ms() = 0;
  EXPECT_EQ(OutcomeOf(wangs, draft.id()), "VERIFIED");
}

TEST_F(CheckInOutcome, ADisplaysClockThatIsYearsOffIsMarked) {
  zhangs.Crash();  // since then nobody has measured it
  zhangs.clock_error_ms() = -8 * kYear;
  EXPECT_EQ(Scanned(wangs, Shown(zhangs)), "MARKED CLOCK_OFF");
  zhangs.clock_error_ms() = 8 * kYear;
  EXPECT_EQ(Scanned(lis, Shown(zhangs)), "MARKED CLOCK_OFF");
}

TEST_F(CheckInOutcome, ACodeShownBeforeTheDeviceWasRevokedIsMarked) {
  Draft draft = Drafted(wangs, Shown(zhangs));
  wangs.Commit({&draft});
  world.Wait(kMinute);
  world.Revoke(zhangs.number());
  EXPECT_EQ(OutcomeOf(wangs, draft.id()), "MARKED DISPLAY_REVOKED");
}

TEST_F(CheckInOutcome, WhatIsVerifiedStaysSoWhenTheDeviceIsRevoked) {
  Draft draft = Drafted(wangs, Shown(zhangs));
  wangs.Commit({&draft});
  EXPECT_EQ(OutcomeOf(wangs, draft.id()), "VERIFIED");
  world.Revoke(zhangs.number());
  EXPECT_EQ(OutcomeOf(wangs, draft.id()), "VERIFIED");
}

TEST_F(CheckInOutcome, AnOfficeThatEndedLaterWasAnOfficeThen) {
  Draft draft = Drafted(wangs, Shown(zhangs));
  wangs.Commit({&draft});
  world.Wait(kMinute);
  world.Dismiss(zhang, branch, SECRETARY);
  EXPECT_EQ(OutcomeOf(wangs, draft.id()), "VERIFIED");
}

TEST_F(CheckInOutcome, AMemberOfAnotherBranchIsAGuestByTheCodeOfThisOne) {
  const Id home = world.Branch("柳河村党支部");
  Phone& guest = world.Enrol(world.Person("赵", home));
  world.SyncAll();
  EXPECT_EQ(Scanned(guest, Shown(zhangs)), "VERIFIED");
  // Without the code the branch's records are closed to them.
  const Id other = MakeMeeting(zhangs);
  auto draft = guest.store().New<CheckIn>();
  draft.message<CheckIn>().set_activity_id(other.str());
  draft.message<CheckIn>().set_member_id(guest.person().str());
  draft.message<CheckIn>().set_branch_id(branch.str());
  EXPECT_EQ(Outcome(guest, std::move(draft)), "RETURNED NOT_ENTITLED");
}

TEST_F(CheckInOutcome, APictureScannedByASecondPhoneOfTheMemberLeavesItVerified) {
  Phone& tablet = world.Enrol(wang);
  world.SyncAll();
  const std::string text = Shown(zhangs);
  Draft fresh = Drafted(wangs, text);
  wangs.Commit({&fresh});
  world.Wait(30 * kMinute);
  Draft late = Drafted(tablet, text);
  tablet.Commit({&late});
  EXPECT_EQ(OutcomeOf(wangs, fresh.id()), "VERIFIED");
  EXPECT_EQ(OutcomeOf(tablet, late.id()), "VERIFIED");
  EXPECT_EQ(tablet.SetAside(), std::vector<std::string>());
}

// ---- Returned ----------------------------------------------------------------------

TEST_F(CheckInOutcome, ACodeOfAnotherActivityOrBranchIsReturned) {
  const Id other = MakeMeeting(zhangs);
  Draft draft = Drafted(wangs, Shown(zhangs, other));
  draft.message<CheckIn>().set_activity_id(meeting.str());
  EXPECT_EQ(Outcome(wangs, std::move(draft)), "RETURNED CODE_OF_OTHER_ACTIVITY");

  const Id elsewhere = world.Branch("柳河村党支部");
  world.Place(wang, elsewhere);
  Draft moved = Drafted(wangs, Shown(zhangs));
  moved.message<CheckIn>().set_branch_id(elsewhere.str());
  EXPECT_EQ(Outcome(wangs, std::move(moved)), "RETURNED CODE_OF_OTHER_ACTIVITY");
}

TEST_F(CheckInOutcome, ACodeForAMeetingOfAnotherBranchIsReturned) {
  // The secretary of another branch says that the meeting is theirs.
  const Id elsewhere = world.Branch("柳河村党支部");
  const Id zhao = world.Person("赵", elsewhere);
  world.Appoint(zhao, elsewhere, SECRETARY);
  Phone& zhaos = world.Enrol(zhao);
  world.SyncAll();
  EXPECT_EQ(Scanned(zhaos, Signed(zhaos, meeting, elsewhere)), "RETURNED CODE_OF_OTHER_ACTIVITY");
}

TEST_F(CheckInOutcome, AForgedSignatureIsReturned) {
  auto code = *CheckInCodeFromText(Shown(zhangs));
  code.set_step(code.step() + 1);
  EXPECT_EQ(Scanned(wangs, ToText(code)), "RETURNED CODE_INVALID");
  // In the name of the secretary's device, with one's own key.
  const auto own = wangs.store().GetIdentity();
  const auto forged =
      MakeCheckInCode(meeting, branch, zhangs.number(), world.now_ms(), own->secret_key);
  EXPECT_EQ(Scanned(wangs, ToText(forged)), "RETURNED CODE_INVALID");
}

TEST_F(CheckInOutcome, ADeviceThatTheServerDoesNotKnowIsReturned) {
  const auto own = zhangs.store().GetIdentity();
  for (const uint32_t device : {1u, 4000u}) {  // the server's own has no key
    const auto code =
        MakeCheckInCode(meeting, branch, DeviceNumber(device), world.now_ms(), own->secret_key);
    EXPECT_EQ(Scanned(wangs, ToText(code)), "RETURNED CODE_INVALID");
  }
}

TEST_F(CheckInOutcome, BytesThatAreNoCodeAreReturned) {
  Draft draft = Drafted(wangs, Shown(zhangs));
  draft.message<CheckIn>().set_codes(0, "none");
  EXPECT_EQ(Outcome(wangs, std::move(draft)), "RETURNED CODE_INVALID");
}

TEST_F(CheckInOutcome, SeveralCodesAtOnceAreReturned) {
  Draft draft = Drafted(wangs, Shown(zhangs));
  draft.message<CheckIn>().add_codes(CheckInCodeFromText(Shown(lis))->SerializeAsString());
  EXPECT_EQ(Outcome(wangs, std::move(draft)), "RETURNED CODE_INVALID");
}

TEST_F(CheckInOutcome, ACodeShownAfterTheDeviceWasRevokedIsReturned) {
  world.Revoke(zhangs.number());
  world.Wait(kMinute);
  EXPECT_EQ(Scanned(wangs, Shown(zhangs)), "RETURNED CODE_OF_REVOKED_DEVICE");
}

TEST_F(CheckInOutcome, ACodeShownByWhoHadNoOfficeThenIsReturned) {
  EXPECT_EQ(Scanned(lis, Shown(wangs)), "RETURNED CODE_WITHOUT_OFFICE");  // a member's phone
  const std::string text = Shown(wangs);
  world.Wait(kMinute);
  world.Appoint(wang, branch, COMMITTEE);  // too late for the one above
  EXPECT_EQ(Scanned(lis, text), "RETURNED CODE_WITHOUT_OFFICE");
  EXPECT_EQ(Scanned(lis, Shown(wangs)), "VERIFIED");
}

TEST_F(CheckInOutcome, ACodeThatSomebodyElseScannedForTheMemberIsReturned) {
  Draft scanned = Drafted(zhangs, Shown(zhangs));
  scanned.message<CheckIn>().set_member_id(wang.str());
  EXPECT_EQ(Outcome(zhangs, std::move(scanned)), "RETURNED OTHERS_TO_SAY");
  Draft roll_call = Drafted(zhangs, Shown(zhangs));
  roll_call.message<CheckIn>().set_member_id(wang.str());
  roll_call.message<CheckIn>().clear_ways();
  EXPECT_EQ(Outcome(zhangs, std::move(roll_call)), "RETURNED CODE_OF_OTHER_MEMBER");
  EXPECT_THAT(world.Get<CheckIn>(roll_call.id()).codes(), IsEmpty());
}

TEST_F(CheckInOutcome, AfterOneThatWasReturnedThereStillIsAManualWay) {
  EXPECT_EQ(Scanned(wangs, Signed(wangs, meeting, branch)), "RETURNED CODE_WITHOUT_OFFICE");
  auto by_hand = client::CheckInByHand(wangs.store(), meeting, wang);
  ASSERT_TRUE(by_hand.ok()) << by_hand.status();
  EXPECT_EQ(Outcome(wangs, *std::move(by_hand)), "STANDING_UNSPECIFIED");
  ExpectConverged();
}

TEST_F(CheckInOutcome, OnlyTheServerSaysWhatIsVerified) {
  Draft draft = Drafted(wangs, Shown(zhangs));
  draft.message<CheckIn>().set_standing(CheckIn::VERIFIED);
  EXPECT_FALSE(wangs.store().Commit({&draft}).ok());
}

}  // namespace
}  // namespace zhibu::test
