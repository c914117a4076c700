// The server's side of a conversation, frame by frame: who is let in, and what
// is said to whom.
#include "server/sessions/session.h"

#include "server/feed/sight.h"
#include "sync/base/reason.h"
#include "sync/base/status.h"
#include "tests/support/village.h"

namespace zhibu::test {
namespace {

using server::Session;
using sync::v1::ClientFrame;
using sync::v1::ServerFrame;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class SessionTest : public Village {
 protected:
  using Standing = server::DeviceRow::Standing;

  SessionTest() : session(NewSession()) { identity = zhangs.store().GetIdentity().value(); }

  std::unique_ptr<Session> NewSession() {
    return std::make_unique<Session>(&world.store(), &world.ingest(), world.fate().environment(),
                                     world.limits, &world.heard());
  }

  sync::v1::Hello Hello() {
    sync::v1::Hello hello;
    hello.set_protocol(kProtocolVersion);
    hello.set_device(identity.device.value);
    hello.set_server_id(identity.server_id);
    hello.set_incarnation(identity.incarnation);
    const auto cursors = zhangs.store().Cursors();
    for (const auto& cursor : *cursors) *hello.add_cursors() = cursor;
    return hello;
  }
  ServerFrame Say(const ClientFrame& frame) {
    session->OnFrame(frame);
    return Heard();
  }
  ServerFrame Heard() {
    ServerFrame heard;
    session->Next(&heard);
    return heard;
  }
  ServerFrame SayHello(const sync::v1::Hello& hello) {
    ClientFrame frame;
    frame.set_hello(hello.SerializeAsString());
    return Say(frame);
  }
  ServerFrame SayProof(const std::string& signature) {
    ClientFrame frame;
    frame.mutable_proof()->set_signature(signature);
    return Say(frame);
  }
  ServerFrame SayLeave() {
    ClientFrame frame;
    frame.mutable_leave();
    return Say(frame);
  }
  std::string Sign(const ServerFrame& challenge, const sync::v1::Hello& hello) {
    return SignProof(identity.secret_key, challenge.challenge().nonce(), identity.fingerprint,
                     hello.SerializeAsString());
  }
  // Through the handshake and the first update.
  void Open() {
    const ServerFrame challenge = SayHello(Hello());
    ASSERT_TRUE(SayProof(Sign(challenge, Hello())).has_welcome());
    ASSERT_TRUE(Heard().has_update());
  }
  ClientFrame PushOf(const std::vector<sync::v1::NumberedEdit>& edits) {
    ClientFrame frame;
    for (const auto& edit : edits) *frame.mutable_push()->add_edits() = edit;
    return frame;
  }
  // As Open, with a device that takes compressed frames.
  void OpenCompressing() {
    sync::v1::Hello hello = Hello();
    hello.set_dictionary(DictionaryNumber());
    ASSERT_EQ(SayProof(Sign(SayHello(hello), hello)).welcome().dictionary(), DictionaryNumber());
    ASSERT_TRUE(Unpacked(Heard()).has_update());
  }
  // What the device is told, having pushed these in a session of its own.
  sync::v1::Update AnswerTo(const std::vector<sync::v1::NumberedEdit>& edits,
                            bool own_as_made = true) {
    session = NewSession();
    sync::v1::Hello hello = Hello();
    if (!edits.empty()) hello.set_unanswered(edits[0].number());
    hello.set_own_as_made(own_as_made);
    EXPECT_TRUE(SayProof(Sign(SayHello(hello), hello)).has_welcome());
    EXPECT_TRUE(Heard().has_update());
    session->OnFrame(PushOf(edits));
    session->OnResults(world.Commit(session->TakeSubmitted()));
    return Heard().update();
  }
  sync::v1::Update AnswerToPending(bool own_as_made = true) {
    return AnswerTo(zhangs.store().Pending(EditNumber(0), 1 << 20).value(), own_as_made);
  }
  void ExpectRefused(const ServerFrame& heard, sync::v1::Reason reason) {
    EXPECT_EQ(sync::v1::Reason_Name(heard.refusal().reason()), sync::v1::Reason_Name(reason));
    EXPECT_TRUE(session->closed());
    EXPECT_FALSE(Heard().has_update());
  }

  std::unique_ptr<Session> session;
  client::Identity identity;
  Compressor compressor;
};

// ---- Who is let in ---------------------------------------------------------------

TEST_F(SessionTest, ADeviceThatProvesItselfIsWelcomedAndHearsThatThereIsNoMore) {
  const ServerFrame challenge = SayHello(Hello());
  EXPECT_EQ(challenge.challenge().nonce().size(), 32u);
  EXPECT_EQ(challenge.challenge().server_time_ms(), world.now_ms());
  EXPECT_TRUE(SayProof(Sign(challenge, Hello())).has_welcome());
  const ServerFrame first = Heard();
  EXPECT_TRUE(first.has_update());
  EXPECT_FALSE(first.update().catching_up());
  EXPECT_EQ(Heard().frame_case(), ServerFrame::FRAME_NOT_SET);
}

// As is one that is known and has not signed: else strangers count devices.
TEST_F(SessionTest, AnUnknownDeviceIsRefusedOnceItHasSigned) {
  for (const uint32_t nobody : {0u, kServerDevice.value, 999u}) {
    session = NewSession();
    sync::v1::Hello hello = Hello();
    hello.set_device(nobody);
    ExpectRefused(SayProof(Sign(SayHello(hello), hello)), sync::v1::UNKNOWN_DEVICE);
  }
}

// Its enrolment code was swapped, so that it knows the server by the certificate of somebody in
// between, who hands every frame on.
TEST_F(SessionTest, ADeviceThatIsRelayedUnderAnotherCertificateIsRefused) {
  identity.fingerprint = std::string(64, 'b');
  ExpectRefused(SayProof(Sign(SayHello(Hello()), Hello())), sync::v1::UNKNOWN_DEVICE);
}

TEST_F(SessionTest, ARevokedDeviceMustProveItselfLikeAnyOther) {
  world.Revoke(identity.device);
  SayHello(Hello());
  ExpectRefused(SayProof(std::string(64, 's')), sync::v1::UNKNOWN_DEVICE);
}

TEST_F(SessionTest, ARevokedDeviceIsToldToLetGoOfEverythingAndIsHeardOut) {
  world.Revoke(identity.device);
  MakeMeeting(zhangs);
  EXPECT_EQ(SayProof(Sign(SayHello(Hello()), Hello())).welcome().service(),
            sync::v1::Welcome::REVOKED);
  const ServerFrame first = Heard();
  EXPECT_EQ(first.update().groups_size(), 0);
  EXPECT_THAT(first.update().dropped(), ::testing::UnorderedElementsAre(branch.str(), zhang.str()));
  EXPECT_EQ(first.update().removals_size(), 0) << "no ids of what is there by now";
  EXPECT_FALSE(first.update().catching_up());
  Say(PushOf(zhangs.store().Pending(EditNumber(0), 1 << 20).value()));
  session->OnResults(world.Commit(session->TakeSubmitted()));
  const ServerFrame answer = Heard();
  ASSERT_EQ(answer.update().answers_size(), 1);
  EXPECT_EQ(answer.update().answers(0).verdict(), sync::v1::HELD);
  EXPECT_EQ(answer.update().groups_size(), 0);
  ExpectRefused(SayLeave(), sync::v1::DEVICE_REVOKED);
}

TEST_F(SessionTest, ALostDeviceIsToldSoAndNothingElseAndItsWordThatItIsWipedIsNoted) {
  world.Revoke(identity.device, Standing::kLost);
  EXPECT_EQ(SayProof(Sign(SayHello(Hello()), Hello())).welcome().service(),
            sync::v1::Welcome::LOST);
  EXPECT_EQ(Heard().update().ShortDebugString(), "");
  EXPECT_EQ(world.RowOf(identity.device).standing, Standing::kLost);
  ExpectRefused(SayLeave(), sync::v1::DEVICE_WIPED);
  EXPECT_EQ(world.RowOf(identity.device).standing, Standing::kWiped);
}

// A copy of it may still be out there, and it may not have come to its last step.
TEST_F(SessionTest, AWipedDeviceThatComesAgainIsToldAgain) {
  world.Revoke(identity.device, Standing::kLost);
  SayProof(Sign(SayHello(Hello()), Hello()));
  Heard();
  SayLeave();
  session = NewSession();
  EXPECT_EQ(SayProof(Sign(SayHello(Hello()), Hello())).welcome().service(),
            sync::v1::Welcome::LOST);
}

TEST_F(SessionTest, RevokedInTheMiddleTheStreamEndsAndNothingMoreIsSent) {
  Open();
  world.Revoke(identity.device);
  session->OnMoved();
  ExpectRefused(Heard(), sync::v1::DEVICE_REVOKED);
}

TEST_F(SessionTest, OnlyADeviceThatIsOutOfServiceLeaves) {
  Open();
  ExpectRefused(SayLeave(), sync::v1::PROTOCOL_ERROR);
}

TEST_F(SessionTest, AGrantThatEndsIsLookedAtOnceItsTimeHasComeThoughNothingMoves) {
  const Id other = world.Branch("柳湾村党支部");
  world.Appoint(zhang, other, COMMITTEE, world.now_ms() + 5000);
  world.SyncAll();
  Stream stream(&world, &zhangs);
  stream.Run();
  ASSERT_TRUE(zhangs.Has<Organisation>(other));
  EXPECT_EQ(stream.server().wakes_at_ms(), world.now_ms() + 5000);
  world.Wait(4999);
  stream.Run();
  EXPECT_TRUE(zhangs.Has<Organisation>(other));
  world.Wait(1);
  stream.Run();
  EXPECT_FALSE(zhangs.Has<Organisation>(other));
  EXPECT_GT(stream.server().wakes_at_ms(), world.now_ms());
}

TEST_F(SessionTest, ADeviceThatWasNotSeenForTooLongMustBeAuthenticatedAgain) {
  constexpr int64_t kDayMs = 86'400'000;
  world.limits.unseen_ms_max = 180 * kDayMs;
  world.Wait(world.RowOf(identity.device).last_seen_ms + 180 * kDayMs - world.now_ms());
  session = NewSession();
  Open();
  world.Wait(1);
  session = NewSession();
  const ServerFrame heard = SayProof(Sign(SayHello(Hello()), Hello()));
  EXPECT_EQ(heard.refusal().detail(), "180");
  ExpectRefused(heard, sync::v1::REAUTHENTICATE);
}

TEST_F(SessionTest, WhoDoesNotProveItselfIsNotToldThatItWasNotSeen) {
  world.limits.unseen_ms_max = 1;
  world.Wait(1000);
  session = NewSession();
  SayHello(Hello());
  ExpectRefused(SayProof(std::string(64, 's')), sync::v1::UNKNOWN_DEVICE);
}

// Else what it has not sent would never be heard of.
TEST_F(SessionTest, ALostDeviceNeedNotBeAuthenticatedAgainToBeWiped) {
  world.limits.unseen_ms_max = 1;
  world.Revoke(identity.device, Standing::kLost);
  world.Wait(1000);
  session = NewSession();
  EXPECT_TRUE(SayProof(Sign(SayHello(Hello()), Hello())).has_welcome());
}

TEST_F(SessionTest, ADeviceOfAnotherServerIsRefused) {
  sync::v1::Hello hello = Hello();
  hello.set_server_id("another");
  ExpectRefused(SayHello(hello), sync::v1::OTHER_SERVER);
}

TEST_F(SessionTest, AProtocolFromTheFutureIsRefused) {
  sync::v1::Hello hello = Hello();
  hello.set_protocol(kProtocolVersion + 1);
  ExpectRefused(SayHello(hello), sync::v1::UNSUPPORTED_VERSION);
}

TEST_F(SessionTest, AWrongSignatureIsRefused) {
  std::string signature = Sign(SayHello(Hello()), Hello());
  signature[7] ^= 1;
  ExpectRefused(SayProof(signature), sync::v1::UNKNOWN_DEVICE);
}

TEST_F(SessionTest, ASignatureOfTheWrongLengthIsRefused) {
  SayHello(Hello());
  ExpectRefused(SayProof(""), sync::v1::UNKNOWN_DEVICE);
}

TEST_F(SessionTest, ASignatureByAnotherDevicesKeyIsRefused) {
  const ServerFrame challenge = SayHello(Hello());
  identity = lis.store().GetIdentity().value();
  ExpectRefused(SayProof(Sign(challenge, Hello())), sync::v1::UNKNOWN_DEVICE);
}

TEST_F(SessionTest, AProofOfAnEarlierSessionIsRefused) {
  const std::string signature = Sign(SayHello(Hello()), Hello());
  EXPECT_TRUE(SayProof(signature).has_welcome());
  session = NewSession();
  SayHello(Hello());
  ExpectRefused(SayProof(signature), sync::v1::UNKNOWN_DEVICE);
}

TEST_F(SessionTest, AProofForAnotherHelloIsRefused) {
  sync::v1::Hello altered = Hello();
  altered.clear_cursors();
  ExpectRefused(SayProof(Sign(SayHello(altered), Hello())), sync::v1::UNKNOWN_DEVICE);
}

TEST_F(SessionTest, ASecondHelloOrProofEndsTheStream) {
  SayHello(Hello());
  ExpectRefused(SayHello(Hello()), sync::v1::PROTOCOL_ERROR);
  session = NewSession();
  Open();
  ExpectRefused(SayProof("again"), sync::v1::PROTOCOL_ERROR);
}

TEST_F(SessionTest, APushBeforeTheProofIsRefusedAndNotTaken) {
  MakeMeeting(zhangs);
  const auto edits = zhangs.store().Pending(EditNumber(0), 1 << 20).value();
  SayHello(Hello());
  ExpectRefused(Say(PushOf(edits)), sync::v1::PROTOCOL_ERROR);
  EXPECT_THAT(session->TakeSubmitted(), IsEmpty());
}

TEST_F(SessionTest, AFrameFromANewerAppIsPassedOver) {
  Open();
  EXPECT_EQ(Say(ClientFrame()).frame_case(), ServerFrame::FRAME_NOT_SET);
  EXPECT_FALSE(session->closed());
}

TEST_F(SessionTest, AFrameThatIsNoMessageEndsTheStream) {
  Open();
  session->OnGarbage("frame");
  ExpectRefused(Heard(), sync::v1::MALFORMED);
  session->OnGarbage("frame");
  EXPECT_FALSE(Heard().has_refusal()) << "it has been said";
}

// ---- Compressed frames --------------------------------------------------------------

TEST_F(SessionTest, WhoTakesCompressedFramesIsSentThemOnceWelcomed) {
  for (int i = 0; i < 20; ++i) MakeMeeting(zhangs);
  ASSERT_EQ(world.Sync(zhangs), absl::OkStatus());
  sync::v1::Hello hello = Hello();
  hello.clear_cursors();
  hello.set_dictionary(DictionaryNumber());
  const ServerFrame welcome = SayProof(Sign(SayHello(hello), hello));
  EXPECT_EQ(welcome.welcome().dictionary(), DictionaryNumber());
  const ServerFrame heard = Heard();
  ASSERT_TRUE(heard.has_compressed());
  EXPECT_GT(Unpacked(heard).update().groups_size(), 0);
}

TEST_F(SessionTest, WhoTakesNoneIsSentNoneWhateverTheServerHas) {
  for (const uint32_t dictionary : {0u, DictionaryNumber() + 1}) {
    session = NewSession();
    sync::v1::Hello hello = Hello();
    hello.clear_cursors();
    hello.set_dictionary(dictionary);
    EXPECT_EQ(SayProof(Sign(SayHello(hello), hello)).welcome().dictionary(), 0u);
    EXPECT_GT(Heard().update().groups_size(), 0);
    ClientFrame frame;
    frame.set_compressed(compressor.Compress(PushOf({}).SerializeAsString()));
    ExpectRefused(Say(frame), sync::v1::MALFORMED);
  }
}

TEST_F(SessionTest, AServerThatIsToldNotToCompressDoesNot) {
  world.limits.compress = false;
  session = NewSession();
  sync::v1::Hello hello = Hello();
  hello.clear_cursors();
  hello.set_dictionary(DictionaryNumber());
  EXPECT_EQ(SayProof(Sign(SayHello(hello), hello)).welcome().dictionary(), 0u);
  EXPECT_TRUE(Heard().has_update());
}

TEST_F(SessionTest, ACompressedFrameFromAStrangerIsNotUnpacked) {
  ClientFrame frame;
  sync::v1::Hello hello = Hello();
  hello.set_dictionary(DictionaryNumber());
  frame.set_hello(hello.SerializeAsString());
  ClientFrame compressed;
  compressed.set_compressed(compressor.Compress(frame.SerializeAsString()));
  ExpectRefused(Say(compressed), sync::v1::PROTOCOL_ERROR);
  session = NewSession();
  SayHello(hello);
  ExpectRefused(Say(compressed), sync::v1::PROTOCOL_ERROR);
}

TEST_F(SessionTest, ACompressedPushIsTaken) {
  for (int i = 0; i < 5; ++i) MakeMeeting(zhangs);
  const auto edits = zhangs.store().Pending(EditNumber(0), 1 << 20).value();
  OpenCompressing();
  ClientFrame frame = PushOf(edits);
  CompressFrame(compressor, &frame);
  ASSERT_TRUE(frame.has_compressed());
  session->OnFrame(frame);
  EXPECT_THAT(session->TakeSubmitted(), SizeIs(edits.size()));
}

TEST_F(SessionTest, ACompressedFrameThatCannotBeUsedEndsTheStream) {
  const auto say = [&](const std::string& compressed) {
    session = NewSession();
    OpenCompressing();
    ClientFrame frame;
    frame.set_compressed(compressed);
    return Unpacked(Say(frame));
  };
  ExpectRefused(say("no frame"), sync::v1::MALFORMED);
  ExpectRefused(say(compressor.Compress("no message")), sync::v1::MALFORMED);
  ExpectRefused(say(compressor.Compress(std::string((4 << 20) + 1, '\0'))), sync::v1::TOO_LARGE);
  ExpectRefused(say(compressor.Compress(std::string((64 << 10) + 1, '\0'))), sync::v1::TOO_LARGE);
  world.limits.message_bytes_max = 1000;
  ExpectRefused(say(compressor.Compress(std::string(1001, '\0'))), sync::v1::TOO_LARGE);
}

// Each takes many times as much when it is read as its two bytes say.
TEST_F(SessionTest, ACompressedFrameOfManyFieldsEndsTheStreamBeforeTheyAreRead) {
  const auto say = [&](int fields) {
    ClientFrame frame;
    auto* unknown = frame.mutable_push()->add_edits()->GetReflection()->MutableUnknownFields(
        frame.mutable_push()->mutable_edits(0));
    for (int i = 0; i < fields; ++i) unknown->AddVarint(15, 0);
    session = NewSession();
    OpenCompressing();
    ClientFrame sent;
    sent.set_compressed(compressor.Compress(frame.SerializeAsString()));
    session->OnFrame(sent);
    return session->TakeSubmitted();
  };
  const std::vector<server::Submitted> taken = say(15'000);
  ASSERT_THAT(taken, SizeIs(1));
  EXPECT_EQ(taken[0].edit.ByteSizeLong(), 0u) << "what is not known is not kept";
  EXPECT_FALSE(session->closed());
  EXPECT_THAT(say(16'000), IsEmpty());
  ExpectRefused(Unpacked(Heard()), sync::v1::TOO_LARGE);
}

// ---- What stands as it was made -------------------------------------------------------

TEST_F(SessionTest, WhatStandsAsItsAuthorMadeItIsNotSentBack) {
  const Id meeting = MakeMeeting(zhangs);
  const sync::v1::Update update = AnswerToPending();
  ASSERT_EQ(update.answers_size(), 1);
  EXPECT_GT(update.answers(0).as_made_at(), 0u);
  EXPECT_EQ(update.groups_size(), 0);
  // The device has it all the same.
  EXPECT_EQ(world.Sync(zhangs), absl::OkStatus());
  EXPECT_EQ(world.Differences(zhangs), std::vector<std::string>());
  EXPECT_EQ(zhangs.Get<Meeting>(meeting).topic(), "七月党员大会");
}

TEST_F(SessionTest, OfAnEditOfSeveralRecordsAllStandOrAllAreSent) {
  const auto make = [&] {
    client::Draft meeting = zhangs.store().New<Meeting>();
    meeting.message<Meeting>().set_branch_id(branch.str());
    client::Draft other = zhangs.store().New<Meeting>();
    other.message<Meeting>().set_branch_id(branch.str());
    client::Draft sampler = zhangs.store().New<Sampler>();
    sampler.message<Sampler>().set_branch_id(branch.str());
    zhangs.Commit({&meeting, &other, &sampler});
    return meeting.id();
  };
  make();
  const sync::v1::Update all = AnswerToPending();
  EXPECT_GT(all.answers(0).as_made_at(), 0u);
  EXPECT_EQ(all.groups_size(), 0);
  ASSERT_EQ(world.Sync(zhangs), absl::OkStatus());
  // Of the next one is changed by the edit behind it.
  zhangs.Change<Meeting>(make(), [](Meeting& record) { record.set_place("祠堂"); });
  const sync::v1::Update some = AnswerToPending();
  ASSERT_EQ(some.answers_size(), 2);
  EXPECT_EQ(some.answers(0).as_made_at(), 0u);
  EXPECT_EQ(some.answers(1).as_made_at(), 0u);
  int records = 0;
  for (const auto& group : some.groups()) records += group.bodies_size();
  EXPECT_EQ(records, 3);
  ASSERT_EQ(world.Sync(zhangs), absl::OkStatus());
  EXPECT_EQ(world.Differences(zhangs), std::vector<std::string>());
}

TEST_F(SessionTest, WhatIsGoneBeforeItIsAnsweredIsNotSaidToStand) {
  const Id meeting = MakeMeeting(zhangs);
  zhangs.Delete<Meeting>(meeting);
  const sync::v1::Update update = AnswerToPending();
  for (const auto& answer : update.answers()) EXPECT_EQ(answer.as_made_at(), 0u);
  ASSERT_EQ(world.Sync(zhangs), absl::OkStatus());
  EXPECT_FALSE(zhangs.Has<Meeting>(meeting));
}

// It has had the answer, and kept nothing to make the record of.
TEST_F(SessionTest, WhatIsPushedAgainAndTakenAwayMeanwhileIsSentAgain) {
  MakeMeeting(zhangs);
  const auto edits = zhangs.store().Pending(EditNumber(0), 1 << 20).value();
  ASSERT_GT(AnswerTo(edits).answers(0).as_made_at(), 0u);
  session->OnFrame(PushOf(edits));
  session->OnResults(world.Commit(session->TakeSubmitted()));
  world.Dismiss(zhang, branch, SECRETARY);
  session->OnMoved();
  const sync::v1::Update update = Heard().update();
  EXPECT_EQ(update.dropped_size(), 1);
  ASSERT_EQ(update.answers_size(), 1);
  EXPECT_EQ(update.answers(0).as_made_at(), 0u);
  const auto meetings = std::count_if(
      update.groups().begin(), update.groups().end(), [&](const sync::v1::Group& group) {
        return group.type() == world.schema()->Find(Meeting::descriptor())->number;
      });
  EXPECT_EQ(meetings, 1);
}

TEST_F(SessionTest, ADeviceThatDoesNotAskForThatIsSentWhatItMade) {
  MakeMeeting(zhangs);
  const sync::v1::Update update = AnswerToPending(false);
  EXPECT_EQ(update.answers(0).as_made_at(), 0u);
  EXPECT_EQ(update.groups_size(), 1);
}

TEST_F(SessionTest, WhatItsAuthorHasChangedIsSent) {
  const Id meeting = MakeMeeting(zhangs);
  ASSERT_EQ(world.Sync(zhangs), absl::OkStatus());
  zhangs.Change<Meeting>(meeting, [](auto& record) { record.set_place("祠堂"); });
  const sync::v1::Update update = AnswerToPending();
  EXPECT_EQ(update.answers(0).as_made_at(), 0u);
  EXPECT_EQ(update.groups_size(), 1);
}

// Two note the same person offline: what stands is not what either has made.
TEST_F(SessionTest, WhatAnotherHasMadeBeforeIsSent) {
  const Id meeting = MakeMeeting(zhangs);
  ASSERT_EQ(world.Sync(zhangs), absl::OkStatus());
  ASSERT_EQ(world.Sync(lis), absl::OkStatus());
  const auto note = [&](Phone& phone, const std::string& known_by) {
    world.Wait(1000);
    phone.Make<records::v1::Attendance>([&](records::v1::Attendance& attendance) {
      attendance.set_branch_id(branch.str());
      attendance.set_meeting_id(meeting.str());
      attendance.set_member_id(li.str());
      attendance.set_state(records::v1::Attendance::PRESENT);
      attendance.set_known_by(known_by);
    });
  };
  note(lis, "点名");
  note(zhangs, "签到表");
  ASSERT_EQ(world.Sync(lis), absl::OkStatus());
  const sync::v1::Update update = AnswerToPending();
  ASSERT_EQ(update.answers_size(), 1);
  EXPECT_EQ(update.answers(0).verdict(), sync::v1::MERGED);
  EXPECT_EQ(update.answers(0).as_made_at(), 0u);
}

// Each field stands as the later one has made it; that the other has made it, too, is remembered.
TEST_F(SessionTest, WhatAnotherHasMadeAlikeIsSentWithWhatIsRememberedOfIt) {
  const Id meeting = MakeMeeting(zhangs);
  ASSERT_EQ(world.Sync(zhangs), absl::OkStatus());
  ASSERT_EQ(world.Sync(lis), absl::OkStatus());
  for (Phone* phone : {&lis, &zhangs}) {
    world.Wait(1000);
    phone->Make<records::v1::Attendance>([&](records::v1::Attendance& attendance) {
      attendance.set_branch_id(branch.str());
      attendance.set_meeting_id(meeting.str());
      attendance.set_member_id(li.str());
      attendance.set_state(records::v1::Attendance::PRESENT);
    });
  }
  ASSERT_EQ(world.Sync(lis), absl::OkStatus());
  const sync::v1::Update update = AnswerToPending();
  EXPECT_EQ(update.answers(0).as_made_at(), 0u);
  ASSERT_EQ(update.groups_size(), 1);
  EXPECT_EQ(update.groups(0).traces_size(), 1);
}

TEST_F(SessionTest, WhatAnotherCopyOfTheDeviceHasMadeUnderTheNumberIsNotTakenForThis) {
  Phone& copy = world.Clone(zhangs);
  MakeMeeting(zhangs);
  MakeMeeting(copy);
  // Both are connected; the first is heard first.
  sync::v1::Hello hello = Hello();
  hello.set_own_as_made(true);
  ASSERT_TRUE(SayProof(Sign(SayHello(hello), hello)).has_welcome());
  ASSERT_TRUE(Heard().has_update());
  ASSERT_EQ(world.Sync(zhangs), absl::OkStatus());
  session->OnFrame(PushOf(copy.store().Pending(EditNumber(0), 1 << 20).value()));
  session->OnResults(world.Commit(session->TakeSubmitted()));
  session->OnMoved();
  const sync::v1::Update update = Heard().update();
  ASSERT_EQ(update.answers_size(), 1);  // to what the first has made
  EXPECT_EQ(update.answers(0).as_made_at(), 0u);
  EXPECT_EQ(update.groups_size(), 1);
}

TEST_F(SessionTest, MoreEditsThanAFrameMayHoldAreRefused) {
  world.limits.push_edits_max = 2;
  session = NewSession();
  Open();
  ExpectRefused(Say(PushOf(std::vector<sync::v1::NumberedEdit>(3))), sync::v1::TOO_LARGE);
}

TEST_F(SessionTest, ACursorThatNamesNoScopeIsRefused) {
  sync::v1::Hello hello = Hello();
  hello.add_cursors()->set_scope("short");
  ExpectRefused(SayProof(Sign(SayHello(hello), hello)), sync::v1::MALFORMED);
}

TEST_F(SessionTest, ACursorThatWasAlteredBeginsAgain) {
  sync::v1::Hello hello = Hello();
  for (auto& cursor : *hello.mutable_cursors()) cursor.set_version(cursor.version() + 1'000'000);
  EXPECT_GT(SayProof(Sign(SayHello(hello), hello)).welcome().to_pass(), 0u);
  EXPECT_GT(Heard().update().groups_size(), 0);
}

// Nothing is known of what it holds: it drops what it has named, and begins anew.
TEST_F(SessionTest, ACursorForAScopeThatTheDeviceNeverHadShowsNothingOfIt) {
  const Id other = world.Branch("云溪村党支部");
  world.Person("赵", other);
  sync::v1::Hello hello = Hello();
  hello.clear_cursors();
  const uint64_t all = SayProof(Sign(SayHello(hello), hello)).welcome().to_pass();
  const sync::v1::Update as_new = Heard().update();
  ASSERT_GT(as_new.groups_size(), 0);
  session = NewSession();
  auto* cursor = hello.add_cursors();
  cursor->set_scope(other.str());
  cursor->set_audience(~0u);
  EXPECT_EQ(SayProof(Sign(SayHello(hello), hello)).welcome().to_pass(), all);
  sync::v1::Update heard = Heard().update();
  ASSERT_EQ(heard.dropped_size(), 1);
  EXPECT_EQ(heard.dropped(0), other.str());
  heard.clear_dropped();
  auto& cursors = *heard.mutable_cursors();
  const auto forgotten = std::find_if(cursors.begin(), cursors.end(),
                                      [&](const auto& one) { return one.scope() == other.str(); });
  ASSERT_NE(forgotten, cursors.end());
  EXPECT_EQ(forgotten->audience(), 0u);
  cursors.erase(forgotten);
  EXPECT_EQ(heard.ShortDebugString(), as_new.ShortDebugString());
}

// What is signed has one reading: else a signature would hold for a Hello that says
// something else.
TEST_F(SessionTest, AHelloThatIsNotCanonicalIsRefused) {
  const std::string plain = Hello().SerializeAsString();
  const std::string device_again = std::string("\x10\x07", 2);
  const std::string default_written_out = std::string("\x30\x00", 2);  // unanswered: 0
  for (const std::string& bytes :
       {plain + device_again, device_again + plain, plain + default_written_out,
        std::string("\x08\x82\x00", 3) + plain.substr(2), std::string("no message")}) {
    session = NewSession();
    ClientFrame frame;
    frame.set_hello(bytes);
    ExpectRefused(Say(frame), sync::v1::MALFORMED);
  }
}

TEST_F(SessionTest, AFieldFromANewerAppInTheHelloIsLetThroughAndSigned) {
  const std::string bytes = Hello().SerializeAsString() + std::string("\xa0\x06\x01", 3);  // 100: 1
  ClientFrame frame;
  frame.set_hello(bytes);
  const ServerFrame challenge = Say(frame);
  EXPECT_TRUE(SayProof(SignProof(identity.secret_key, challenge.challenge().nonce(),
                                 identity.fingerprint, bytes))
                  .has_welcome());
}

TEST_F(SessionTest, AHelloThatIsTooLargeIsRefused) {
  sync::v1::Hello hello = Hello();
  hello.set_app(std::string(300 << 10, 'x'));
  ExpectRefused(SayHello(hello), sync::v1::TOO_LARGE);
}

TEST_F(SessionTest, AFrameThatIsNoHelloIsRefused) {
  ExpectRefused(Say(ClientFrame()), sync::v1::PROTOCOL_ERROR);
}

// ---- What is said ------------------------------------------------------------------

TEST_F(SessionTest, AnEditIsCommittedAndOthersNewsComeFirstItsAnswerComesWithWhatItChanged) {
  Open();
  MakeMeeting(zhangs);
  Say(PushOf(zhangs.store().Pending(EditNumber(0), 1 << 20).value()));
  const auto results = world.Commit(session->TakeSubmitted());
  session->OnMoved();
  const ServerFrame heard = Heard();
  EXPECT_EQ(heard.update().groups_size(), 1);
  EXPECT_EQ(heard.update().answers_size(), 1);
  session->OnResults(results);
  EXPECT_EQ(Heard().frame_case(), ServerFrame::FRAME_NOT_SET) << "it is told once";
}

TEST_F(SessionTest, NothingHasMovedNothingIsSaid) {
  Open();
  session->OnMoved();
  EXPECT_EQ(Heard().frame_case(), ServerFrame::FRAME_NOT_SET);
}

TEST_F(SessionTest, TheBatchCouldNotBeCommittedTheDeviceIsToldToTryAgain) {
  Open();
  MakeMeeting(zhangs);
  Say(PushOf(zhangs.store().Pending(EditNumber(0), 1 << 20).value()));
  session->TakeSubmitted();
  session->OnTrouble(absl::UnavailableError("disk"));
  ExpectRefused(Heard(), sync::v1::SERVER_TROUBLE);
}

// Nothing need happen on the stream for it to be told.
TEST_F(SessionTest, AForkIsToldAtOnce) {
  Open();
  sync::v1::NumberedEdit guessed;
  guessed.set_number(7);
  Say(PushOf({guessed}));
  session->OnResults(world.Commit(session->TakeSubmitted()));
  const ServerFrame heard = Heard();
  ASSERT_TRUE(heard.has_renumber());
  const uint64_t last = world.RowOf(identity.device).last_number.value;
  EXPECT_EQ(heard.renumber().expected_number(), last + 1);
  EXPECT_EQ(heard.renumber().came_number(), 7u);
}

TEST_F(SessionTest, ADeviceThatForksOverAndOverIsSentAwayForAnHour) {
  world.limits.renumbered_max = 2;
  const auto fork = [&] {
    session = NewSession();
    Open();
    sync::v1::NumberedEdit guessed;
    guessed.set_number(7);
    Say(PushOf({guessed}));
    session->OnResults(world.Commit(session->TakeSubmitted()));
    return Heard();
  };
  EXPECT_TRUE(fork().has_renumber());
  EXPECT_TRUE(fork().has_renumber());
  const ServerFrame refused = fork();
  ExpectRefused(refused, sync::v1::LIMIT_REACHED);
  EXPECT_EQ(refused.refusal().come_back_ms(), 600'000u);
  world.Wait(3'600'000);
  EXPECT_TRUE(fork().has_renumber());
}

// By a device that has lost the answer, and says nothing of it in its Hello.
TEST_F(SessionTest, APushOfWhatWasAnsweredIsAnsweredAgain) {
  MakeMeeting(zhangs);
  const auto edits = zhangs.store().Pending(EditNumber(0), 1 << 20).value();
  ASSERT_THAT(edits, SizeIs(1));
  world.SyncAll();
  const auto answers = [&](const ServerFrame& heard) {
    std::vector<uint64_t> numbers;
    for (const auto& answer : heard.update().answers()) {
      EXPECT_EQ(answer.link(), LinkTo(edits[0].edit()));
      numbers.push_back(answer.number());
    }
    return numbers;
  };
  session = NewSession();
  Open();
  for (int time = 0; time < 2; ++time) {
    Say(PushOf(edits));
    session->OnResults(world.Commit(session->TakeSubmitted()));
    EXPECT_THAT(answers(Heard()), ElementsAre(edits[0].number()));
    EXPECT_EQ(Heard().frame_case(), ServerFrame::FRAME_NOT_SET) << "once";
  }
}

TEST_F(SessionTest, APushCarriesWhatTheDeviceHasBeenSent) {
  Open();
  const Id meeting = MakeMeeting(lis);
  EXPECT_EQ(world.Sync(lis), absl::OkStatus());
  const Version version = world.StateOf({31, meeting}).version();
  MakeMeeting(zhangs);
  const auto edits = zhangs.store().Pending(EditNumber(0), 1 << 20).value();
  Say(PushOf(edits));
  EXPECT_LT(session->TakeSubmitted()[0].sent->cursors.at(branch), version);
  session->OnMoved();
  Heard();
  Say(PushOf(edits));
  EXPECT_EQ(session->TakeSubmitted()[0].sent->cursors.at(branch), version);
}

// ---- By time -----------------------------------------------------------------------

TEST_F(SessionTest, AnOfficeThatBeginsOrEndsByTimeTakesEffectOnAnOpenStream) {
  const int64_t end_ms = world.now_ms() + 3'600'000;
  world.Appoint(wang, branch, COMMITTEE, end_ms);
  world.SyncAll();
  Stream stream(&world, &wangs);
  stream.Run();
  EXPECT_EQ(stream.server().wakes_at_ms(), end_ms);
  world.Wait(3'600'000 - 1);
  EXPECT_FALSE(stream.Step());
  world.Wait(1);
  stream.Run();
  EXPECT_GT(stream.server().wakes_at_ms(), end_ms);
  EXPECT_THAT(world.Differences(wangs), IsEmpty());
}

TEST_F(SessionTest, AnOfficeThatIsTheLastInItsScopeEndsByTimeAndTheScopeIsGone) {
  const Id other = world.Branch("云溪村党支部");
  world.Appoint(wang, other, SECRETARY, world.now_ms() + 3'600'000);
  world.SyncAll();
  ASSERT_TRUE(wangs.Has<Organisation>(other));
  Stream stream(&world, &wangs);
  stream.Run();
  world.Wait(3'600'000);
  stream.Run();
  EXPECT_FALSE(wangs.Has<Organisation>(other));
  EXPECT_THAT(world.Differences(wangs), IsEmpty());
}

// ---- What is larger than a frame ----------------------------------------------------

class LargeUnit : public SessionTest {
 protected:
  // Twenty records of a megabyte, changed by one edit: as a server's own edit could be
  // before it was limited, and stands in its store.
  void PutTwenty() {
    const RecordType& type = *world.schema()->Find(Contact::descriptor());
    EXPECT_EQ(world.store().Write([&](server::Writer& writer) -> absl::Status {
      ASSIGN_OR_RETURN(const Version version, writer.NextVersion({branch}, Version()));
      for (int i = 0; i < 20; ++i) {
        Contact contact;
        contact.set_branch_id(branch.str());
        contact.set_said(std::string(1'000'000, 'x'));
        RecordState state;
        state.exists = true;
        state.touch = {version, kServerDevice, StampAt(world.now_ms())};
        state.body = contact.SerializeAsString();
        const Id id = world.fate().environment().NewId();
        RETURN_IF_ERROR(writer.PutRecord({type.number, id}, state, {},
                                         server::ShowingsOf(*world.schema(), type, id, {}, state)));
      }
      return absl::OkStatus();
    }),
              absl::OkStatus());
  }
};

TEST_F(LargeUnit, GoesInSeveralFramesAndIsShownAsOne) {
  PutTwenty();
  Stream stream(&world, &zhangs);
  std::vector<size_t> shown;
  int parts = 0;
  stream.watch = [&](const ServerFrame& frame) {
    EXPECT_LE(frame.ByteSizeLong(), world.limits.frame_bytes + 1'100'000);
    if (!frame.has_update()) return;
    parts += frame.update().continues() ? 1 : 0;
    shown.push_back(zhangs.All<Contact>().size());
  };
  stream.Run();
  EXPECT_GE(parts, 9);
  EXPECT_THAT(shown, ::testing::Each(0u)) << "until the last part has come";
  EXPECT_THAT(zhangs.All<Contact>(), SizeIs(20));
  EXPECT_THAT(world.Differences(zhangs), IsEmpty());
}

TEST_F(LargeUnit, CutInTheMiddleItBeginsAgain) {
  PutTwenty();
  for (const int frames : {5, 8, 11}) {
    EXPECT_TRUE(world.SyncCutAfter(zhangs, frames));
    EXPECT_THAT(zhangs.All<Contact>(), IsEmpty());
  }
  EXPECT_EQ(world.Sync(zhangs), absl::OkStatus());
  EXPECT_THAT(zhangs.All<Contact>(), SizeIs(20));
}

TEST_F(SessionTest, ScopesAreThoseOfTheOwnersOffices) {
  Open();
  EXPECT_THAT(session->Scopes(), ::testing::UnorderedElementsAre(branch, zhang));
}

TEST_F(SessionTest, RecordsOfOneEditAndTypeStandInOneGroup) {
  Open();
  auto first = lis.store().New<Meeting>();
  auto second = lis.store().New<Meeting>();
  first.message<Meeting>().set_branch_id(branch.str());
  second.message<Meeting>().set_branch_id(branch.str());
  lis.Commit({&first, &second});
  EXPECT_EQ(world.Sync(lis), absl::OkStatus());
  session->OnMoved();
  const ServerFrame heard = Heard();
  ASSERT_EQ(heard.update().groups_size(), 1);
  EXPECT_EQ(heard.update().groups(0).bodies_size(), 2);
  EXPECT_EQ(heard.update().groups(0).writer(), lis.number().value);
}

}  // namespace
}  // namespace zhibu::test
