// Edits that travel by hand: both sides, without a stream between them.
#include "client-core/courier.h"

#include <gmock/gmock.h>

#include "server/sessions/courier.h"
#include "sync/base/reason.h"
#include "sync/base/status.h"
#include "sync/crypto/courier.h"
#include "tests/support/village.h"

namespace zhibu::test {
namespace {

using client::Received;
using sync::v1::Reason;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class Courier : public Village {
 protected:
  std::string Export(Phone& phone) {
    auto exported = client::Export(&phone.store());
    EXPECT_TRUE(exported.ok()) << exported.status();
    return exported.ok() ? exported->file : "";
  }
  std::string Deliver(const std::string& bundles) {
    const auto receipts = world.Deliver(bundles);
    EXPECT_TRUE(receipts.ok()) << receipts.status();
    return receipts.value_or("");
  }
  Received Receive(Phone& phone, const std::string& receipts) {
    const auto received = client::Receive(&phone.store(), receipts);
    EXPECT_TRUE(received.ok()) << received.status();
    return received.value_or(Received());
  }
  Reason WhyNotExported(Phone& phone) {
    return ReasonOf(client::Export(&phone.store()).status()).reason;
  }
  // "3 in, 1 set aside, COURIER_GAP"
  static std::string Text(const Received& received) {
    return absl::StrCat(received.delivered, " in, ", received.set_aside, " set aside",
                        received.nothing_new ? ", nothing new" : "",
                        received.refusal.reason() == sync::v1::NO_REASON ? "" : ", ",
                        received.refusal.reason() == sync::v1::NO_REASON
                            ? ""
                            : sync::v1::Reason_Name(received.refusal.reason()));
  }
  int64_t SumOn(Phone& phone, const Id& sampler) { return phone.Get<Sampler>(sampler).sum(); }
  // Ordinary members may not.
  Id MakeWithoutRight(Phone& phone) { return MakeMeeting(phone, "无权"); }
};

TEST_F(Courier, WhatWasCarriedIsMergedAndOthersSeeItThoughTheAuthorNeverHasALink) {
  const Id meeting = MakeMeeting(zhangs);
  const Received received = Receive(zhangs, Deliver(Export(zhangs)));
  EXPECT_EQ(Text(received), "1 in, 0 set aside");
  ASSERT_EQ(world.Sync(lis), absl::OkStatus());
  EXPECT_TRUE(lis.Has<Meeting>(meeting));
  world.CheckAudit();
}

// Its effect is not yet in what is confirmed: without the edit it would be gone.
TEST_F(Courier, AnEditThatIsInIsStillShownOnceAndLeavesTheQueueWithTheNextSession) {
  const Id sampler = MakeSampler(zhangs);
  world.SyncAll();
  AddTo(zhangs, sampler, 5);
  Receive(zhangs, Deliver(Export(zhangs)));
  EXPECT_EQ(SumOn(zhangs, sampler), 5);
  EXPECT_EQ(zhangs.State().unsent, 1u);
  EXPECT_EQ(zhangs.State().delivered, 1u);
  zhangs.Crash();
  EXPECT_EQ(zhangs.State().delivered, 1u);
  AddTo(zhangs, sampler, 10);
  EXPECT_EQ(SumOn(zhangs, sampler), 15);
  Stream stream(&world, &zhangs);
  while (stream.Step()) EXPECT_EQ(SumOn(zhangs, sampler), 15);
  EXPECT_EQ(zhangs.State().unsent, 0u);
  EXPECT_EQ(zhangs.State().delivered, 0u);
  EXPECT_EQ(world.Get<Sampler>(sampler).sum(), 15);
}

TEST_F(Courier, ABundleThatComesTwiceCountsOnceAndIsAnsweredTheSame) {
  const Id sampler = MakeSampler(zhangs);
  AddTo(zhangs, sampler, 5);
  const std::string bundles = Export(zhangs);
  const std::string first = Deliver(bundles);
  const std::string second = Deliver(bundles);
  EXPECT_EQ(world.Get<Sampler>(sampler).sum(), 5);
  EXPECT_EQ(Text(Receive(zhangs, second)), "2 in, 0 set aside");
  EXPECT_EQ(Text(Receive(zhangs, first)), "0 in, 0 set aside, nothing new");
  ExpectConverged();
  EXPECT_EQ(SumOn(lis, sampler), 5);
}

TEST_F(Courier, ALaterBundleHoldsTheEarlierSoTheirOrderDoesNotMatter) {
  const Id sampler = MakeSampler(zhangs);
  AddTo(zhangs, sampler, 1);
  const std::string earlier = Export(zhangs);
  AddTo(zhangs, sampler, 10);
  const std::string later = Export(zhangs);
  const std::string answers_to_later = Deliver(later);
  const std::string answers_to_earlier = Deliver(earlier);
  EXPECT_EQ(world.Get<Sampler>(sampler).sum(), 11);
  EXPECT_EQ(Text(Receive(zhangs, answers_to_earlier)), "2 in, 0 set aside");
  EXPECT_EQ(Text(Receive(zhangs, answers_to_later)), "1 in, 0 set aside");
  ExpectConverged();
  EXPECT_EQ(SumOn(zhangs, sampler), 11);
}

TEST_F(Courier, WhatIsKnownToBeThereIsNotCarriedAgain) {
  MakeMeeting(zhangs);
  Receive(zhangs, Deliver(Export(zhangs)));
  EXPECT_EQ(WhyNotExported(zhangs), sync::v1::COURIER_NOTHING);
  MakeMeeting(zhangs);
  const auto exported = client::Export(&zhangs.store());
  ASSERT_TRUE(exported.ok());
  EXPECT_EQ(exported->edits, 1u);
  EXPECT_EQ(exported->left, 0u);
  EXPECT_EQ(Text(Receive(zhangs, Deliver(exported->file))), "1 in, 0 set aside");
  ExpectConverged();
}

TEST_F(Courier, ABundleBeforeOneThatIsMissingIsNotTakenAndSaysSo) {
  MakeMeeting(zhangs);
  Receive(zhangs, Deliver(Export(zhangs)));
  MakeMeeting(zhangs);
  const std::string second = Export(zhangs);
  // As though the first had never come: the server's disk was put back behind its back.
  EXPECT_EQ(world.store().Write([&](server::Writer& writer) -> absl::Status {
    ASSIGN_OR_RETURN(auto row, writer.GetDevice(zhangs.number()));
    row->last_number = EditNumber(row->last_number.value - 1);
    return writer.PutDevice(*row);
  }),
            absl::OkStatus());
  const size_t rows = world.AuditOf(zhangs.number()).size();
  EXPECT_EQ(Text(Receive(zhangs, Deliver(second))), "0 in, 0 set aside, COURIER_GAP");
  EXPECT_EQ(world.AuditOf(zhangs.number()).size(), rows);
  EXPECT_EQ(zhangs.State().unsent, 2u);
}

// ---- Beside direct syncs -------------------------------------------------------------

TEST_F(Courier, ABundleThatComesAfterItsAuthorChangesNothing) {
  const Id sampler = MakeSampler(zhangs);
  AddTo(zhangs, sampler, 5);
  const std::string bundles = Export(zhangs);
  ASSERT_EQ(world.Sync(zhangs), absl::OkStatus());
  const std::string receipts = Deliver(bundles);
  EXPECT_EQ(world.Get<Sampler>(sampler).sum(), 5);
  EXPECT_EQ(Text(Receive(zhangs, receipts)), "0 in, 0 set aside, nothing new");
  ExpectConverged();
}

TEST_F(Courier, ABundleThatComesInTheMiddleOfItsAuthorsSessionCountsOnce) {
  for (int frames = 0; frames < 12; ++frames) {
    const Id sampler = MakeSampler(zhangs);
    world.SyncAll();
    AddTo(zhangs, sampler, 1);
    AddTo(zhangs, sampler, 10);
    const std::string bundles = Export(zhangs);
    std::string receipts;
    {
      Stream stream(&world, &zhangs);
      while (stream.frames() < frames && stream.Step()) continue;
      receipts = Deliver(bundles);
      if (frames % 2 == 0) Receive(zhangs, receipts);
      EXPECT_EQ(SumOn(zhangs, sampler), 11) << frames;
      stream.Run();
      EXPECT_TRUE(stream.client().caught_up()) << frames;
    }
    Receive(zhangs, receipts);
    EXPECT_EQ(SumOn(zhangs, sampler), 11) << frames;
    ExpectConverged();
    EXPECT_EQ(SumOn(lis, sampler), 11) << frames;
  }
}

TEST_F(Courier, ASessionAfterADeliveryIsAnsweredFromTheAudit) {
  const Id sampler = MakeSampler(zhangs);
  AddTo(zhangs, sampler, 5);
  Deliver(Export(zhangs));  // and the receipts are lost
  AddTo(zhangs, sampler, 10);
  ExpectConverged();
  EXPECT_EQ(SumOn(zhangs, sampler), 15);
}

// ---- What is not merged -----------------------------------------------------------------

TEST_F(Courier, AnEditThatIsReturnedIsSetAsideByItsReceiptAndOnce) {
  const Id meeting = MakeWithoutRight(wangs);
  wangs.Change<Meeting>(meeting, [](Meeting& m) { m.set_place("礼堂"); });
  const std::string receipts = Deliver(Export(wangs));
  EXPECT_EQ(Text(Receive(wangs, receipts)), "0 in, 2 set aside");
  const std::vector<std::string> set_aside = wangs.SetAside();
  EXPECT_THAT(set_aside, ElementsAre("1 RETURNED NOT_ENTITLED", "2 RETURNED BUILDS_ON_RETURNED"));
  EXPECT_FALSE(wangs.Has<Meeting>(meeting));
  EXPECT_EQ(wangs.State().unsent, 0u);
  EXPECT_EQ(Text(Receive(wangs, receipts)), "0 in, 0 set aside, nothing new");
  ExpectConverged();
  EXPECT_EQ(wangs.SetAside(), set_aside);
}

TEST_F(Courier, OneThatIsReturnedBetweenTwoThatAreInDisturbsNeither) {
  const Id sampler = MakeSampler(zhangs);
  world.SyncAll();
  AddTo(zhangs, sampler, 1);
  zhangs.Make<DuesPayment>([&](DuesPayment& payment) {  // of nobody's branch
    payment.set_member_id(wang.str());
    payment.set_branch_id(world.Branch("别处").str());
    payment.set_amount_fen(100);
    payment.set_month("2026-07");
  });
  AddTo(zhangs, sampler, 10);
  EXPECT_EQ(Text(Receive(zhangs, Deliver(Export(zhangs)))), "2 in, 1 set aside");
  EXPECT_EQ(SumOn(zhangs, sampler), 11);
  EXPECT_EQ(zhangs.State().unsent, 2u);
  AddTo(zhangs, sampler, 100);
  EXPECT_EQ(Text(Receive(zhangs, Deliver(Export(zhangs)))), "1 in, 0 set aside");
  ExpectConverged();
  EXPECT_EQ(SumOn(zhangs, sampler), 111);
}

TEST_F(Courier, EditsOfARevokedDeviceAreHeldAndItsOwnerIsTold) {
  const Id meeting = MakeMeeting(zhangs);
  const std::string bundles = Export(zhangs);
  world.Revoke(zhangs.number());
  const std::string receipts = Deliver(bundles);
  EXPECT_FALSE(world.StateOf({31, meeting}).exists);
  EXPECT_EQ(Text(Receive(zhangs, receipts)), "0 in, 1 set aside");
  EXPECT_THAT(zhangs.SetAside(), ElementsAre("1 HELD OF_REVOKED_DEVICE"));
}

// ---- Wrong hands ----------------------------------------------------------------------

// Else a phone that was found somewhere would write on by couriers for ever.
TEST_F(Courier, OfADeviceThatWasNotSeenForLongNothingIsTakenAndItKeepsAll) {
  constexpr int64_t kDayMs = 86'400'000;
  world.limits.unseen_ms_max = 180 * kDayMs;
  world.Wait(100 * kDayMs);
  const Id early = MakeMeeting(zhangs);
  Receive(zhangs, Deliver(Export(zhangs)));
  EXPECT_TRUE(world.StateOf({31, early}).alive());
  world.Wait(81 * kDayMs);  // being brought is not being seen
  const Id late = MakeMeeting(zhangs);
  const std::string bundles = Export(zhangs);
  EXPECT_EQ(Text(Receive(zhangs, Deliver(bundles))), "0 in, 0 set aside, REAUTHENTICATE");
  EXPECT_FALSE(world.StateOf({31, late}).exists);
  EXPECT_TRUE(zhangs.Has<Meeting>(late));
  EXPECT_EQ(zhangs.State().unsent, 2u);

  ASSERT_EQ(ReasonOf(world.Sync(zhangs)).reason, sync::v1::REAUTHENTICATE);
  world.EnrolAgain(zhangs);
  EXPECT_EQ(Text(Receive(zhangs, Deliver(bundles))), "1 in, 0 set aside");
  EXPECT_TRUE(world.StateOf({31, late}).alive());
}

TEST_F(Courier, AFileThatWasAlteredIsRefusedOrIsAsItWas) {
  const Id meeting = MakeMeeting(zhangs);
  const std::string bundles = Export(zhangs);
  for (size_t at = 0; at < bundles.size(); ++at) {
    std::string altered = bundles;
    altered[at] ^= 1;
    const auto receipts = world.Deliver(altered);
    if (!receipts.ok()) {
      EXPECT_EQ(ReasonOf(receipts.status()).reason, sync::v1::COURIER_DAMAGED) << at;
      continue;
    }
    // Of where it goes, which is for the carrier.
    EXPECT_EQ(FromFile(Cargo::kBundle, altered)->sealed(0),
              FromFile(Cargo::kBundle, bundles)->sealed(0))
        << at;
  }
  EXPECT_LE(world.AuditOf(zhangs.number()).size(), 1u);
  const std::string receipts = Deliver(bundles);
  for (size_t at = 0; at < receipts.size(); ++at) {
    std::string altered = receipts;
    altered[at] ^= 1;
    EXPECT_EQ(ReasonOf(client::Receive(&zhangs.store(), altered).status()).reason,
              sync::v1::COURIER_DAMAGED)
        << at;
  }
  EXPECT_EQ(zhangs.State().delivered, 0u);
  EXPECT_TRUE(zhangs.Has<Meeting>(meeting));
}

TEST_F(Courier, ABundleForAnotherServerCannotBeOpenedHere) {
  World elsewhere(7);
  const Id branch_there = elsewhere.Branch("柳河村党支部");
  Phone& stranger = elsewhere.Enrol(elsewhere.Person("赵", branch_there));
  MakeMeeting(stranger);
  EXPECT_EQ(ReasonOf(world.Deliver(Export(stranger)).status()).reason, sync::v1::COURIER_DAMAGED);
}

TEST_F(Courier, ABundleInTheNameOfAnotherDeviceIsRefused) {
  MakeMeeting(wangs);
  sync::v1::Bundle bundle = wangs.store().Bundles(1)->front();
  bundle.set_device(zhangs.number().value);
  const client::Identity identity = wangs.store().GetIdentity().value();
  const auto deliver = [&] {
    sync::v1::Parcel parcel;
    *parcel.add_sealed() = SealCargo(Cargo::kBundle, bundle.SerializeAsString(),
                                     identity.secret_key, identity.courier_key)
                               .value();
    return ReasonOf(world.Deliver(ToFile(Cargo::kBundle, parcel)).status()).reason;
  };
  EXPECT_EQ(deliver(), sync::v1::UNKNOWN_DEVICE);
  bundle.set_device(4711);
  EXPECT_EQ(deliver(), sync::v1::UNKNOWN_DEVICE);
  bundle.set_device(kServerDevice.value);
  EXPECT_EQ(deliver(), sync::v1::UNKNOWN_DEVICE);
  bundle.set_device(wangs.number().value);
  while (bundle.edits_size() <= kBundleEditsMax) *bundle.add_edits() = bundle.edits(0);
  EXPECT_EQ(deliver(), sync::v1::TOO_LARGE);
  EXPECT_THAT(world.AuditOf(wangs.number()), IsEmpty());
}

TEST_F(Courier, ReceiptsForAnotherDeviceCannotBeOpened) {
  MakeMeeting(zhangs);
  const std::string receipts = Deliver(Export(zhangs));
  EXPECT_EQ(ReasonOf(client::Receive(&lis.store(), receipts).status()).reason,
            sync::v1::COURIER_DAMAGED);
}

// The device's public key is no secret.
TEST_F(Courier, ReceiptsThatTheServerDidNotSignAreRefused) {
  MakeMeeting(zhangs);
  const client::Identity identity = zhangs.store().GetIdentity().value();
  sync::v1::Receipt receipt;
  receipt.set_device(identity.device.value);
  receipt.set_incarnation(identity.incarnation);
  const auto edits = zhangs.store().Pending(EditNumber(0), 1000);
  auto& answer = *receipt.add_answers();
  answer.set_number(1);
  answer.set_verdict(sync::v1::RETURNED);
  answer.set_link(LinkTo(edits->front().edit()));
  sync::v1::Parcel parcel;
  *parcel.add_sealed() = SealCargo(Cargo::kReceipt, receipt.SerializeAsString(),
                                   identity.secret_key, PublicKeyOf(identity.secret_key))
                             .value();
  EXPECT_EQ(
      ReasonOf(client::Receive(&zhangs.store(), ToFile(Cargo::kReceipt, parcel)).status()).reason,
      sync::v1::COURIER_DAMAGED);
  EXPECT_EQ(zhangs.State().unsent, 1u);
}

TEST_F(Courier, ADeviceThatHasNotMetTheServerHasNoKeyAndAnOldFileGetsOneAtItsNextSync) {
  client::Identity identity = zhangs.store().GetIdentity().value();
  Directory directory;
  auto store = client::Store::Open({.file = directory.NewFile(), .schema = world.schema()});
  ASSERT_TRUE(store.ok()) << store.status();
  EXPECT_EQ(ReasonOf(client::Export(store->get()).status()).reason, sync::v1::NOT_ENROLLED);
  identity.courier_key.clear();  // enrolled before there was one
  ASSERT_EQ((*store)->SetIdentity(identity), absl::OkStatus());
  EXPECT_EQ(ReasonOf(client::Export(store->get()).status()).reason, sync::v1::COURIER_NO_KEY);
  Stream stream(&world, &zhangs);
  stream.watch = [&](const sync::v1::ServerFrame& frame) {
    if (!frame.has_welcome()) return;
    EXPECT_EQ((*store)->BeginDownload(frame.welcome()), absl::OkStatus());
  };
  stream.Run();
  EXPECT_EQ(ReasonOf(client::Export(store->get()).status()).reason, sync::v1::COURIER_NOTHING);
}

// ---- Copies -----------------------------------------------------------------------------

TEST_F(Courier, ABundleOfACopyWhoseNumberIsTakenIsNotTakenAndTheCopyGoesOnByASession) {
  const Id sampler = MakeSampler(zhangs);
  world.SyncAll();
  Phone& copy = world.Clone(zhangs);
  AddTo(zhangs, sampler, 1);
  AddTo(copy, sampler, 10);
  const std::string bundles = Export(copy);
  ASSERT_EQ(world.Sync(zhangs), absl::OkStatus());
  const std::string receipts = Deliver(bundles);
  EXPECT_EQ(Text(Receive(copy, receipts)), "0 in, 0 set aside, COURIER_COPY");
  EXPECT_EQ(SumOn(copy, sampler), 10);
  // To the other copy it says nothing that would harm.
  EXPECT_EQ(Text(Receive(zhangs, receipts)), "0 in, 0 set aside, COURIER_COPY");
  ExpectConverged();
  ASSERT_NE(copy.number(), zhangs.number());
  Deliver(bundles);  // once more, after the copy was renumbered
  EXPECT_EQ(Text(Receive(copy, receipts)), "0 in, 0 set aside, nothing new");
  ExpectConverged();
  EXPECT_EQ(SumOn(lis, sampler), 11);
}

TEST_F(Courier, AnswersForACopySayNothingOfTheOthersEdits) {
  world.SyncAll();
  Phone& copy = world.Clone(wangs);
  MakeWithoutRight(wangs);
  MakeMeeting(copy, "另一份");
  const std::string receipts = Deliver(Export(wangs));
  EXPECT_EQ(Text(Receive(copy, receipts)), "0 in, 0 set aside, nothing new");
  EXPECT_THAT(copy.SetAside(), IsEmpty());
  EXPECT_EQ(copy.State().unsent, 1u);
  EXPECT_EQ(copy.State().delivered, 0u);
}

// Number 1 of the new number may be the very same bytes as number 1 of the old.
TEST_F(Courier, AnswersFromBeforeTheDeviceWasRenumberedSayNothing) {
  Phone& copy = world.Clone(wangs);
  MakeWithoutRight(copy);
  const std::string receipts = Deliver(Export(copy));
  Phone& third = world.Clone(copy);
  ASSERT_EQ(third.store().Renumber(world.Enrol(wang).number()), absl::OkStatus());
  EXPECT_EQ(Text(Receive(third, receipts)), "0 in, 0 set aside, nothing new");
  EXPECT_EQ(third.State().unsent, 1u);
}

// ---- A restored server --------------------------------------------------------------------

TEST_F(Courier, ARestoredServerTakesNothingAndItsReceiptMakesTheDeviceOfferAll) {
  const Id sampler = MakeSampler(zhangs);
  world.SyncAll();
  const std::string backup = world.BackUp();
  AddTo(zhangs, sampler, 1);
  world.SyncAll();  // answered, and soon forgotten
  AddTo(zhangs, sampler, 10);
  Receive(zhangs, Deliver(Export(zhangs)));
  AddTo(zhangs, sampler, 100);
  const std::string bundles = Export(zhangs);
  world.RestoreServer(backup);
  const std::string receipts = Deliver(bundles);
  EXPECT_EQ(world.Get<Sampler>(sampler).sum(), 0);
  EXPECT_EQ(Text(Receive(zhangs, receipts)), "0 in, 0 set aside, COURIER_RESTORED");
  EXPECT_EQ(zhangs.State().unsent, 3u);
  EXPECT_EQ(zhangs.State().delivered, 0u);
  EXPECT_EQ(SumOn(zhangs, sampler), 111);
  EXPECT_EQ(Text(Receive(zhangs, receipts)), "0 in, 0 set aside, nothing new");
  const std::string again = Deliver(Export(zhangs));
  EXPECT_EQ(world.Get<Sampler>(sampler).sum(), 111);
  EXPECT_EQ(Text(Receive(zhangs, again)), "3 in, 0 set aside");
  ExpectConverged();
  EXPECT_EQ(SumOn(zhangs, sampler), 111);
  EXPECT_EQ(SumOn(lis, sampler), 111);
}

TEST_F(Courier, WhatWasLetGoOfIsCarriedAsThatAndIsNotSetAsideAgain) {
  const std::string backup = world.BackUp();
  MakeWithoutRight(wangs);
  world.SyncAll();
  ASSERT_EQ(wangs.store().Discard(1), absl::OkStatus());
  world.RestoreServer(backup);
  world.Appoint(wang, branch, DEPUTY);  // who may by now
  {
    Stream stream(&world, &wangs);
    stream.Run();
    ASSERT_TRUE(stream.client().again());
  }
  ASSERT_EQ(wangs.State().unsent, 1u);
  EXPECT_EQ(Text(Receive(wangs, Deliver(Export(wangs)))), "0 in, 0 set aside, nothing new");
  EXPECT_EQ(wangs.State().unsent, 0u);
  EXPECT_TRUE(wangs.SetAside().empty());
  EXPECT_TRUE(wangs.All<Meeting>().empty());
  ExpectConverged();
}

TEST_F(Courier, ReceiptsFromBeforeARestorationSayNothing) {
  const std::string backup = world.BackUp();
  MakeWithoutRight(wangs);
  const std::string receipts = Deliver(Export(wangs));
  world.RestoreServer(backup);
  {
    Stream stream(&world, &wangs);
    stream.Run();
    ASSERT_TRUE(stream.client().again());
  }
  EXPECT_EQ(Text(Receive(wangs, receipts)), "0 in, 0 set aside, nothing new");
  EXPECT_EQ(wangs.State().unsent, 1u);
  ExpectConverged();
}

// ---- Size -------------------------------------------------------------------------------

TEST_F(Courier, MoreThanOneBundleHoldsGoesIntoSeveralOfOneFile) {
  const Id meeting = MakeMeeting(zhangs);
  for (int i = 0; i < 5; ++i) {
    zhangs.Change<Meeting>(meeting, [&](Meeting& m) {
      m.set_minutes(std::string(400'000, static_cast<char>('a' + i)));
    });
  }
  const std::string bundles = Export(zhangs);
  EXPECT_EQ(FromFile(Cargo::kBundle, bundles)->sealed_size(), 3);
  EXPECT_EQ(Text(Receive(zhangs, Deliver(bundles))), "6 in, 0 set aside");
  EXPECT_EQ(zhangs.State().delivered, 6u);
  ExpectConverged();
}

TEST_F(Courier, WhatHasNoRoomInAFileIsCountedAndGoesWithTheNext) {
  for (int i = 0; i < 3; ++i) MakeMeeting(zhangs);
  ASSERT_EQ(zhangs.store().Bundles(1)->size(), 1u);
  EXPECT_EQ(zhangs.store().Bundles(1)->front().edits_size(), 3);
  EXPECT_THAT(*zhangs.store().Bundles(0), IsEmpty());
}

}  // namespace
}  // namespace zhibu::test
