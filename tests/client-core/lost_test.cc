// A phone is revoked, lost, found again, replaced, or not seen for long: what it had not
// sent, what it still holds, and how it comes back.
#include <gmock/gmock.h>
#include <sqlite3.h>

#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "client-core/courier.h"
#include "sync/base/reason.h"
#include "tests/support/village.h"
#include "zhibu/records/v1/held.pb.h"

namespace zhibu::test {
namespace {

using records::v1::HeldEdit;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using Standing = server::DeviceRow::Standing;

class OutOfService : public Village {
 protected:
  sync::v1::Reason Contact(Phone& phone) { return ReasonOf(world.Sync(phone)).reason; }
  void Lose(Phone& phone) { world.Revoke(phone.number(), Standing::kLost); }
  // With a key of its own, as an app makes one.
  void EnrolAnew(Phone& phone) {
    world.EnrolWith(phone, NewKeyPair(world.PhoneFate(phone).environment()).secret_key, "found");
  }
  int64_t SumOn(Phone& phone, const Id& sampler) { return phone.Get<Sampler>(sampler).sum(); }
  // The secretary takes all that waits.
  void TakeAll(Phone& secretary) {
    EXPECT_EQ(world.Sync(secretary), absl::OkStatus());
    std::map<std::pair<uint32_t, uint64_t>, Id> waiting;  // in the order in which they were made
    const uint32_t type = world.schema()->Find(HeldEdit::descriptor())->number;
    EXPECT_EQ(secretary.store().List({.type = type},
                                     [&](const Id& id, const google::protobuf::Message& message) {
                                       const auto& held = static_cast<const HeldEdit&>(message);
                                       if (held.state() == HeldEdit::WAITING) {
                                         waiting[{held.device(), held.number()}] = id;
                                       }
                                       return true;
                                     }),
              absl::OkStatus());
    for (const auto& [number, id] : waiting) {
      secretary.Change<HeldEdit>(id, [](HeldEdit& held) { held.set_state(HeldEdit::TAKEN); });
    }
    EXPECT_EQ(world.Sync(secretary), absl::OkStatus());
    EXPECT_THAT(secretary.SetAside(), IsEmpty());
  }
};

// What the file holds, but for the seal: "setting 2".
std::vector<std::string> RowsIn(Phone& phone) {
  std::vector<std::string> rows;
  sqlite3* database = nullptr;
  EXPECT_EQ(sqlite3_open(phone.file().c_str(), &database), SQLITE_OK);
  for (const char* table :
       {"record", "pending", "touched", "set_aside", "kept", "stale", "cursor", "setting"}) {
    const std::string sql = absl::StrCat("SELECT count(*) FROM ", table);
    sqlite3_stmt* statement = nullptr;
    EXPECT_EQ(sqlite3_prepare_v2(database, sql.c_str(), -1, &statement, nullptr), SQLITE_OK);
    EXPECT_EQ(sqlite3_step(statement), SQLITE_ROW);
    const int count = sqlite3_column_int(statement, 0);
    if (count > 0) rows.push_back(absl::StrCat(table, " ", count));
    sqlite3_finalize(statement);
  }
  sqlite3_close(database);
  return rows;
}

// ---- Revoked -------------------------------------------------------------------------

TEST_F(OutOfService, WhatARevokedPhoneHadNotSentIsHeldAndWhatItHeldIsTakenAway) {
  const Id sampler = MakeSampler(zhangs);
  world.SyncAll();
  AddTo(lis, sampler, 10);
  world.Revoke(lis.number());
  EXPECT_EQ(Contact(lis), sync::v1::DEVICE_REVOKED);
  EXPECT_THAT(lis.View(), IsEmpty());
  EXPECT_THAT(lis.SetAside(), ElementsAre("1 HELD OF_REVOKED_DEVICE"));
  EXPECT_EQ(lis.State().unsent, 0u);
  EXPECT_EQ(lis.State().problem, sync::v1::DEVICE_REVOKED);
  TakeAll(zhangs);
  EXPECT_EQ(SumOn(zhangs, sampler), 10);
  // Its next contact brings it nothing.
  EXPECT_EQ(Contact(lis), sync::v1::DEVICE_REVOKED);
  EXPECT_THAT(lis.View(), IsEmpty());
  world.CheckAudit();
}

TEST_F(OutOfService, ARevokedPhoneIsEnrolledAgainAndIsANewOneOnTheOldFile) {
  const Id sampler = MakeSampler(zhangs);
  world.SyncAll();
  AddTo(lis, sampler, 1);
  EXPECT_EQ(world.Sync(lis), absl::OkStatus());
  const DeviceNumber before = lis.number();
  world.Revoke(before);
  EXPECT_EQ(Contact(lis), sync::v1::DEVICE_REVOKED);
  EnrolAnew(lis);
  EXPECT_NE(lis.number(), before);
  EXPECT_EQ(world.Sync(lis), absl::OkStatus());
  AddTo(lis, sampler, 10);
  ExpectConverged();
  EXPECT_EQ(SumOn(lis, sampler), 11);
}

// Else what may be a thief's would be merged in the owner's name.
TEST_F(OutOfService, ARevokedPhoneIsNotEnrolledAgainWhileSomethingIsUnsent) {
  world.Revoke(lis.number());
  EXPECT_EQ(Contact(lis), sync::v1::DEVICE_REVOKED);
  MakeMeeting(lis);
  client::Identity identity = lis.store().GetIdentity().value();
  identity.device = DeviceNumber(99);
  EXPECT_TRUE(absl::IsAlreadyExists(lis.store().SetIdentity(identity)));
  EXPECT_EQ(Contact(lis), sync::v1::DEVICE_REVOKED);
  EXPECT_EQ(lis.store().SetIdentity(identity), absl::OkStatus());
}

// ---- Lost ----------------------------------------------------------------------------

TEST_F(OutOfService, ALostPhoneHandsOverWhatItHadNotSentAndRemovesEverything) {
  const Id sampler = MakeSampler(zhangs);
  world.SyncAll();
  AddTo(lis, sampler, 10);
  MakeMeeting(lis);
  const DeviceNumber number = lis.number();
  Lose(lis);
  EXPECT_EQ(Contact(lis), sync::v1::DEVICE_WIPED);
  EXPECT_THAT(RowsIn(lis), ElementsAre("setting 2"));  // that it was wiped, and its name
  EXPECT_EQ(lis.State().problem, sync::v1::DEVICE_WIPED);
  EXPECT_EQ(ReasonOf(lis.store().GetIdentity().status()).reason, sync::v1::DEVICE_WIPED);
  EXPECT_EQ(world.RowOf(number).standing, Standing::kWiped);
  TakeAll(zhangs);
  EXPECT_EQ(SumOn(zhangs, sampler), 10);
  EXPECT_THAT(zhangs.All<Meeting>(), SizeIs(1));
  world.CheckAudit();
}

TEST_F(OutOfService, AThiefWhoCutsTheLinkAtOnceHasNothingButWhatTheServerHasNot) {
  const Id sampler = MakeSampler(zhangs);
  world.SyncAll();
  AddTo(lis, sampler, 10);
  Lose(lis);
  // Hello, challenge, proof, welcome.
  ASSERT_TRUE(world.SyncCutAfter(lis, 4));
  EXPECT_THAT(lis.View(), IsEmpty());
  EXPECT_EQ(lis.State().unsent, 1u);
  EXPECT_EQ(Contact(lis), sync::v1::DEVICE_WIPED);
  TakeAll(zhangs);
  EXPECT_EQ(SumOn(zhangs, sampler), 10);
}

TEST_F(OutOfService, BrokenOffAnywhereWipingGoesOnAndWhatWasUnsentIsHeldOnce) {
  const Id sampler = MakeSampler(zhangs);
  world.SyncAll();
  int64_t sum = 0;
  for (const bool server_first : {false, true}) {
    for (int frames = 1;; ++frames) {
      Phone& phone = world.Enrol(li);
      EXPECT_EQ(world.Sync(phone), absl::OkStatus());
      AddTo(phone, sampler, 1);
      AddTo(phone, sampler, 10);
      Lose(phone);
      const bool cut = world.SyncCutAfter(phone, frames, server_first);
      phone.Crash();
      if (phone.State().problem != sync::v1::DEVICE_WIPED) {
        EXPECT_EQ(Contact(phone), sync::v1::DEVICE_WIPED) << frames;
      }
      EXPECT_THAT(RowsIn(phone), ElementsAre("setting 2")) << frames;
      TakeAll(zhangs);
      EXPECT_EQ(SumOn(zhangs, sampler), sum += 11) << frames;
      if (!cut) break;
      ASSERT_LT(frames, 50);
    }
  }
  world.CheckAudit();
}

TEST_F(OutOfService, WhatIsRecordedWhileItLeavesIsHandedOverToo) {
  Lose(lis);
  Stream stream(&world, &lis);
  // Until the phone has said that it has nothing left.
  while (world.RowOf(lis.number()).standing != Standing::kWiped) ASSERT_TRUE(stream.Step());
  MakeMeeting(lis);
  stream.Run();
  EXPECT_TRUE(stream.client().again());
  EXPECT_EQ(lis.State().unsent, 1u);
  EXPECT_EQ(Contact(lis), sync::v1::DEVICE_WIPED);
  TakeAll(zhangs);
  EXPECT_THAT(zhangs.All<Meeting>(), SizeIs(1));
}

TEST_F(OutOfService, WhatWasSetAsideWithoutHavingBeenSentIsSentBeforeItGoes) {
  const Id meeting = MakeMeeting(wangs);  // a member's: returned
  wangs.Change<Meeting>(meeting, [](Meeting& m) { m.set_place("礼堂"); });
  const auto pending = wangs.store().Pending(EditNumber(0), 1 << 20).value();
  ASSERT_THAT(pending, SizeIs(2));
  sync::v1::Update update;
  auto* answer = update.add_answers();
  answer->set_number(1);
  answer->set_verdict(sync::v1::RETURNED);
  answer->set_reason(sync::v1::NOT_ENTITLED);
  answer->set_link(LinkTo(pending[0].edit()));
  ASSERT_EQ(wangs.store().ApplyUpdate(update), absl::OkStatus());
  ASSERT_EQ(wangs.store().Renumber(DeviceNumber(77)), absl::OkStatus());
  ASSERT_THAT(wangs.SetAside(),
              ElementsAre("1 RETURNED NOT_ENTITLED", "2 RETURNED BUILDS_ON_RETURNED"));
  ASSERT_EQ(wangs.State().unsent, 0u);
  sync::v1::Welcome welcome;
  welcome.set_service(sync::v1::Welcome::LOST);
  ASSERT_EQ(wangs.store().BeginDownload(welcome), absl::OkStatus());
  const auto again = wangs.store().Pending(EditNumber(0), 1 << 20).value();
  ASSERT_THAT(again, SizeIs(1));
  EXPECT_EQ(again[0].edit(), pending[1].edit());
  EXPECT_FALSE(wangs.store().Wipe("手机").value());
}

TEST_F(OutOfService, ACopyOfALostPhoneIsWipedToo) {
  const Id sampler = MakeSampler(zhangs);
  world.SyncAll();
  Phone& copy = world.Clone(lis);
  AddTo(lis, sampler, 1);
  AddTo(copy, sampler, 10);
  Lose(lis);
  EXPECT_EQ(Contact(lis), sync::v1::DEVICE_WIPED);
  EXPECT_EQ(Contact(copy), sync::v1::DEVICE_WIPED);
  EXPECT_THAT(RowsIn(copy), ElementsAre("setting 2"));
  TakeAll(zhangs);
  EXPECT_EQ(SumOn(zhangs, sampler), 11);
}

TEST_F(OutOfService, ALostPhoneThatIsFoundIsEnrolledAnewAndHoldsWhatItMay) {
  MakeMeeting(zhangs);
  world.SyncAll();
  Lose(lis);
  EXPECT_EQ(Contact(lis), sync::v1::DEVICE_WIPED);
  EnrolAnew(lis);
  EXPECT_EQ(lis.State().problem, sync::v1::NO_REASON);
  ExpectConverged();
  EXPECT_THAT(lis.All<Meeting>(), SizeIs(1));
}

TEST_F(OutOfService, WhatIsRecordedOnItBeforeItIsEnrolledAnewIsItsOwnAndCanBeDeletedAfterwards) {
  Lose(lis);
  EXPECT_EQ(Contact(lis), sync::v1::DEVICE_WIPED);
  const Id meeting = MakeMeeting(lis);
  EnrolAnew(lis);
  lis.Delete<Meeting>(meeting);
  EXPECT_FALSE(lis.Has<Meeting>(meeting));
  ExpectConverged();
  EXPECT_FALSE(zhangs.Has<Meeting>(meeting));
}

// ---- Replaced ------------------------------------------------------------------------

TEST_F(OutOfService, ANewPhoneTakesThePlaceOfALostOneAndNothingCountsTwice) {
  const Id sampler = MakeSampler(zhangs);
  world.SyncAll();
  AddTo(zhangs, sampler, 1);
  const std::string bundles = client::Export(&zhangs.store()).value().file;
  AddTo(zhangs, sampler, 10);
  Lose(zhangs);
  Phone& anew = world.Enrol(zhang);
  EXPECT_EQ(world.Sync(anew), absl::OkStatus());
  // Some of the old one's work comes by courier, all of it by its own last contact.
  ASSERT_TRUE(world.Deliver(bundles).ok());
  EXPECT_EQ(Contact(zhangs), sync::v1::DEVICE_WIPED);
  ASSERT_TRUE(world.Deliver(bundles).ok());
  EXPECT_EQ(SumOn(anew, sampler), 0);
  TakeAll(anew);
  EXPECT_EQ(SumOn(anew, sampler), 11);
  AddTo(anew, sampler, 100);
  EXPECT_EQ(world.Sync(anew), absl::OkStatus());
  EXPECT_EQ(world.Sync(lis), absl::OkStatus());
  EXPECT_EQ(SumOn(lis, sampler), 111);
  world.CheckAudit();
}

// ---- Not seen for long -----------------------------------------------------------------

class NotSeen : public OutOfService {
 protected:
  static constexpr int64_t kDayMs = 86'400'000;
  NotSeen() { world.limits.unseen_ms_max = 180 * kDayMs; }
};

TEST_F(NotSeen, AfterThatManyDaysAPhoneMustBeAuthenticatedAndGoesOnWithAllThatItHad) {
  const Id sampler = MakeSampler(zhangs);
  world.SyncAll();
  AddTo(lis, sampler, 10);
  const DeviceNumber number = lis.number();
  world.Wait(181 * kDayMs);
  EXPECT_EQ(Contact(lis), sync::v1::REAUTHENTICATE);
  EXPECT_EQ(lis.State().problem_detail, "181");
  EXPECT_EQ(lis.State().unsent, 1u);
  EXPECT_EQ(SumOn(lis, sampler), 10);  // and can be read
  world.EnrolAgain(lis);
  EXPECT_EQ(lis.number(), number);
  EXPECT_EQ(lis.State().problem, sync::v1::NO_REASON);
  EXPECT_EQ(world.Sync(lis), absl::OkStatus());
  EXPECT_THAT(lis.SetAside(), IsEmpty());
  EXPECT_EQ(world.Get<Sampler>(sampler).sum(), 10);
  world.CheckAudit();
}

TEST_F(NotSeen, WhatTheServerForgotMeanwhileIsOfferedAgain) {
  const std::string backup = world.BackUp();
  const Id meeting = MakeMeeting(lis);
  world.SyncAll();
  world.RestoreServer(backup);
  ASSERT_FALSE(world.StateOf({31, meeting}).exists);
  world.Wait(181 * kDayMs);
  EXPECT_EQ(Contact(lis), sync::v1::REAUTHENTICATE);
  world.EnrolAgain(lis);
  EXPECT_EQ(world.Sync(lis), absl::OkStatus());
  EXPECT_TRUE(world.StateOf({31, meeting}).alive());
}

TEST_F(NotSeen, ACopyUnderANumberOfItsOwnIsAuthenticatedUnderThatNumber) {
  Phone& copy = world.Clone(lis);
  MakeMeeting(lis);
  MakeMeeting(copy);
  world.SyncAll();
  const DeviceNumber number = copy.number();
  ASSERT_NE(number, lis.number());
  world.Wait(181 * kDayMs);
  EXPECT_EQ(Contact(copy), sync::v1::REAUTHENTICATE);
  world.EnrolAgain(copy);
  EXPECT_EQ(copy.number(), number);
  EXPECT_EQ(world.Sync(copy), absl::OkStatus());
  EXPECT_EQ(Contact(lis), sync::v1::REAUTHENTICATE);
}

TEST_F(NotSeen, SomebodyElsesCodeDoesNotAuthenticateIt) {
  world.Wait(181 * kDayMs);
  EXPECT_EQ(Contact(lis), sync::v1::REAUTHENTICATE);
  client::Identity identity = lis.store().GetIdentity().value();
  identity.person = wang;
  EXPECT_TRUE(absl::IsAlreadyExists(lis.store().SetIdentity(identity)));
  identity = lis.store().GetIdentity().value();
  identity.device = DeviceNumber(99);
  EXPECT_TRUE(absl::IsAlreadyExists(lis.store().SetIdentity(identity)));
}

TEST_F(NotSeen, ANewPhoneNeedsNoOtherCode) {
  world.Wait(181 * kDayMs);
  Phone& anew = world.Enrol(li);
  EXPECT_EQ(world.Sync(anew), absl::OkStatus());
}

}  // namespace
}  // namespace zhibu::test
