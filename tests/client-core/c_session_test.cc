// In step with the server by frames that somebody else moves: what two phones see of each other.
#include "client-core/actions/check_in.h"
#include "sync/crypto/handshake.h"
#include "tests/support/c_phone.h"
#include "tests/support/village.h"

namespace zhibu::test {
namespace {

using api::v1::Advice;
using records::v1::HeldEdit;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class CSession : public Village {
 protected:
  ~CSession() override {
    secretary.reset();
    member.reset();
    EXPECT_EQ(zhibu_live(), before_);
  }
  Id MakeMeetingInC() {
    return secretary->Record<Meeting>([&](Meeting& meeting) {
      meeting.set_branch_id(branch.str());
      meeting.set_topic("七月党员大会");
    });
  }
  // By a whole body on what `seen` saw.
  template <typename T>
  void Change(CPhone& phone, const api::v1::Row& row, std::function<void(T&)> change) {
    T body;
    ASSERT_TRUE(body.ParseFromString(row.body()));
    change(body);
    phone.Save(row.seen(), body);
  }

 private:
  const uint64_t before_ = zhibu_live();

 protected:
  std::unique_ptr<CPhone> secretary = std::make_unique<CPhone>(&world, zhang);
  std::unique_ptr<CPhone> member = std::make_unique<CPhone>(&world, wang);
};

TEST_F(CSession, WhatOneRecordsTheOtherSeesAndBothKnowWhenTheyWereInStep) {
  const Id id = MakeMeetingInC();
  EXPECT_EQ(secretary->State().last_success_ms(), 0);
  EXPECT_EQ(secretary->Sync(), Advice::DONE);
  EXPECT_EQ(member->Sync(), Advice::DONE);
  EXPECT_EQ(member->As<Meeting>(id).topic(), "七月党员大会");
  for (const CPhone* phone : {secretary.get(), member.get()}) {
    EXPECT_TRUE(phone->State().synced());
    EXPECT_NE(phone->State().last_success_ms(), 0);
  }
  EXPECT_FALSE(secretary->Get("Meeting", id).marks().pending());
}

TEST_F(CSession, WhatOthersChangedSinceItWasSeenIsNotUndone) {
  const Id id = MakeMeetingInC();
  secretary->Sync();
  const api::v1::Row seen = secretary->Get("Meeting", id);
  world.SyncAll();
  lis.Change<Meeting>(id, [](Meeting& m) { m.set_place("村委会"); });
  world.SyncAll();
  secretary->Sync();
  ASSERT_EQ(secretary->As<Meeting>(id).place(), "村委会");
  // The form was open all the while.
  Change<Meeting>(*secretary, seen, [](Meeting& m) { m.set_topic("八月党员大会"); });
  EXPECT_EQ(secretary->As<Meeting>(id).place(), "村委会");
  EXPECT_EQ(secretary->As<Meeting>(id).topic(), "八月党员大会");
}

TEST_F(CSession, TwoWhoWroteTheSameLeaveAConflictThatIsSettled) {
  const Id id = MakeMeetingInC();
  secretary->Sync();
  world.SyncAll();
  lis.Change<Meeting>(id, [](Meeting& m) { m.set_place("村委会"); });
  Change<Meeting>(*secretary, secretary->Get("Meeting", id),
                  [](Meeting& m) { m.set_place("礼堂"); });
  secretary->Sync();
  world.SyncAll();
  secretary->Sync();
  const auto conflicts = [&] {
    return Got<api::v1::Rows>(
        [&](auto* out, auto* error) { return zhibu_conflicts(secretary->store(), out, error); });
  };
  const auto open = conflicts();
  ASSERT_THAT(open.rows(), SizeIs(1));
  EXPECT_TRUE(secretary->Get("Meeting", id).marks().conflict());
  Got([&](auto* out, auto* error) {
    return zhibu_conflict_settle(secretary->store(), In(open.rows(0).seen()), out, error);
  });
  EXPECT_THAT(conflicts().rows(), IsEmpty());
  EXPECT_FALSE(secretary->Get("Meeting", id).marks().conflict());
}

TEST_F(CSession, AStreamThatIsCutAHundredTimesLosesAndDoublesNothing) {
  std::set<std::string> made;
  for (int i = 0; i < 100; ++i) {
    made.insert(MakeMeetingInC().str());
    const int frames = i % 6;  // one more, and it would be through
    EXPECT_TRUE(secretary->SyncCutAfter(frames)) << "after " << frames << " frames";
    EXPECT_NE(secretary->State().problem().reason(), sync::v1::NO_REASON);
  }
  EXPECT_EQ(secretary->Sync(), Advice::DONE);
  EXPECT_EQ(member->Sync(), Advice::DONE);
  std::set<std::string> listed;
  const auto rows = member->List("Meeting");
  for (const auto& row : rows.rows()) listed.insert(row.id());
  EXPECT_EQ(listed, made);
  EXPECT_EQ(secretary->State().unsent(), 0u);
  world.CheckAudit();
}

TEST_F(CSession, PutToSleepInTheMiddleItConnectsAnewAndGoesOn) {
  const Id id = MakeMeetingInC();
  Line line(&world, secretary->store(), false);
  line.Follow(2);  // Hello and Challenge
  ASSERT_EQ(zhibu_suspend(secretary->store(), nullptr), 0);
  EXPECT_EQ(line.Follow(), Advice::WAIT);
  const int before = line.connects();
  ASSERT_EQ(zhibu_resume(secretary->store(), nullptr), 0);
  ASSERT_EQ(zhibu_session_hurry(line.session(), nullptr), 0);
  EXPECT_EQ(line.Follow(), Advice::IDLE);
  EXPECT_EQ(line.connects(), before + 1);
  EXPECT_EQ(world.Get<Meeting>(id).topic(), "七月党员大会");
}

TEST_F(CSession, WhatIsCommittedWhileAStreamIsOpenGoesOutOnIt) {
  Line line(&world, secretary->store(), false);
  EXPECT_EQ(line.Follow(), Advice::IDLE);
  const Id id = MakeMeetingInC();
  EXPECT_EQ(line.Follow(), Advice::IDLE);
  EXPECT_EQ(line.connects(), 1);
  EXPECT_EQ(world.Get<Meeting>(id).topic(), "七月党员大会");
}

TEST_F(CSession, WithoutANetworkItWaitsAndSaysWhyUntilItIsHurried) {
  Line line(&world, secretary->store(), false);
  line.offline = true;
  EXPECT_EQ(line.Follow(), Advice::WAIT);
  EXPECT_EQ(line.advice().why().reason(), sync::v1::OFFLINE);
  EXPECT_GT(line.advice().ms(), 0);
  EXPECT_LE(line.advice().ms(), 750);
  EXPECT_EQ(secretary->State().problem().reason(), sync::v1::OFFLINE);
  line.offline = false;
  EXPECT_EQ(line.Follow(), Advice::WAIT);
  ASSERT_EQ(zhibu_session_hurry(line.session(), nullptr), 0);
  EXPECT_EQ(line.Follow(), Advice::IDLE);
  EXPECT_TRUE(secretary->State().synced());
}

TEST_F(CSession, BytesThatAreNoFrameEndTheStreamAndNothingElse) {
  MakeMeetingInC();
  for (const std::string& garbage : {std::string("\xff\xff"), std::string(1000, '\x0a'),
                                     std::string("\x12\x02\x08\x01", 4), std::string()}) {
    Line line(&world, secretary->store(), false);
    line.Follow(3);
    EXPECT_EQ(zhibu_session_connected(line.session(), nullptr), 0);
    EXPECT_EQ(zhibu_session_receive(line.session(), In(garbage), nullptr), 0);
    EXPECT_EQ(zhibu_session_ended(line.session(), In(""), nullptr), 0);
    line.Follow();
  }
  EXPECT_EQ(secretary->State().unsent(), 1u);
  EXPECT_EQ(secretary->Sync(), Advice::DONE);
}

TEST_F(CSession, ACheckInByCodeIsVerifiedOnceBothHaveSynced) {
  const Id meeting = MakeMeetingInC();
  secretary->Sync();
  const auto shown = Got<api::v1::ShownCheckIn>([&](auto* out, auto* error) {
    return zhibu_check_in_show(secretary->store(), In(meeting.bytes()), out, error);
  });
  EXPECT_GT(shown.next_ms(), 0);
  const auto done = Got<api::v1::Committed>([&](auto* out, auto* error) {
    return zhibu_check_in_scan(member->store(), In(shown.text()), out, error);
  });
  ASSERT_THAT(done.ids(), SizeIs(1));
  const Id id = *Id::FromBytes(done.ids(0));
  EXPECT_EQ(member->As<CheckIn>(id).standing(), CheckIn::STANDING_UNSPECIFIED);
  member->Sync();
  EXPECT_EQ(member->As<CheckIn>(id).standing(), CheckIn::VERIFIED);
  api::v1::CheckInByHand roll_call;
  roll_call.set_activity_id(meeting.str());
  roll_call.set_member_id(wang.str());
  Got([&](auto* out, auto* error) {
    return zhibu_check_in_by_hand(secretary->store(), In(Bytes(roll_call)), out, error);
  });
  secretary->Sync();
  EXPECT_EQ(secretary->As<CheckIn>(id).ways_size(), 2);  // one record
}

TEST_F(CSession, APassIsIssuedShownAndVerified) {
  api::v1::NewPass pass;
  pass.set_member_id(wang.str());
  pass.set_number("1");
  pass.set_until("2199-12-31");
  secretary->Sync();
  Got([&](auto* out, auto* error) {
    return zhibu_pass_issue(secretary->store(), In(Bytes(pass)), out, error);
  });
  secretary->Sync();
  member->Sync();
  const auto shown = Got<api::v1::ShownPass>([&](auto* out, auto* error) {
    return zhibu_pass_show(member->store(), In(wang.bytes()), out, error);
  });
  const auto checked = [&] {
    return Got<api::v1::CheckedPass>([&](auto* out, auto* error) {
      return zhibu_pass_verify(secretary->store(), In(shown.text()), out, error);
    });
  };
  EXPECT_EQ(checked().standing(), api::v1::CheckedPass::VALID);
  Got([&](auto* out, auto* error) {
    return zhibu_pass_revoke(secretary->store(), In(secretary->List("Pass").rows(0).seen()), out,
                             error);
  });
  EXPECT_EQ(checked().standing(), api::v1::CheckedPass::REVOKED);
}

TEST_F(CSession, AnEditThatCameBackIsAmendedAndWhatIsLetGoOfIsGone) {
  member->Sync();
  for (int twice = 0; twice < 2; ++twice) {
    member->Record<Meeting>([&](Meeting& m) {
      m.set_branch_id(branch.str());
      m.set_topic("七月党员大会");
    });
  }
  member->Sync();  // a member records no meetings
  const auto set_aside = [&] {
    return Got<api::v1::SetAsideEdits>(
        [&](auto* out, auto* error) { return zhibu_set_aside(member->store(), out, error); });
  };
  const auto came_back = set_aside();
  ASSERT_THAT(came_back.edits(), SizeIs(2));
  EXPECT_EQ(came_back.edits(0).why().reason(), sync::v1::NOT_ENTITLED);
  EXPECT_EQ(came_back.edits(0).standing(), api::v1::SetAsideEdit::RETURNED);

  api::v1::Place place;
  place.set_place(came_back.edits(0).place());
  const auto again = Got<api::v1::Rows>([&](auto* out, auto* error) {
    return zhibu_amend(member->store(), In(Bytes(place)), out, error);
  });
  ASSERT_THAT(again.rows(), SizeIs(1));
  // One field of it is amended, and what else it said is said again.
  api::v1::EditRequest edit;
  auto& item = *edit.add_items();
  item.set_seen(again.rows(0).seen());
  item.set_json(R"({"place": "礼堂"})");
  item.add_fields("place");
  const auto done = Got<api::v1::Committed>([&](auto* out, auto* error) {
    return zhibu_commit(member->store(), In(Bytes(edit)), out, error);
  });
  const auto amended = member->As<Meeting>(*Id::FromBytes(done.ids(0)));
  EXPECT_EQ(amended.place(), "礼堂");
  EXPECT_EQ(amended.topic(), "七月党员大会");
  place.set_place(came_back.edits(1).place());
  Got([&](auto*, auto* error) { return zhibu_discard(member->store(), In(Bytes(place)), error); });
  EXPECT_THAT(set_aside().edits(), IsEmpty());
  EXPECT_EQ(member->State().unsent(), 1u);
}

TEST_F(CSession, ADeletionThatCameBackIsMadeAgainAsADeletionOnly) {
  const Id id = MakeMeetingInC();
  secretary->Sync();
  member->Sync();
  const auto commit = [&](const api::v1::EditRequest& edit) {
    return [this, edit](auto* out, auto* error) {
      return zhibu_commit(member->store(), In(Bytes(edit)), out, error);
    };
  };
  api::v1::EditRequest edit;
  edit.add_items()->set_seen(member->Get("Meeting", id).seen());
  edit.mutable_items(0)->set_deleted(true);
  Got(commit(edit));
  member->Sync();  // a member deletes no meetings
  const auto came_back = Got<api::v1::SetAsideEdits>(
      [&](auto* out, auto* error) { return zhibu_set_aside(member->store(), out, error); });
  ASSERT_THAT(came_back.edits(), SizeIs(1));
  api::v1::Place place;
  place.set_place(came_back.edits(0).place());
  const auto again = Got<api::v1::Rows>([&](auto* out, auto* error) {
    return zhibu_amend(member->store(), In(Bytes(place)), out, error);
  });
  ASSERT_THAT(again.rows(), SizeIs(1));
  EXPECT_TRUE(again.rows(0).deleted());
  edit.mutable_items(0)->set_seen(again.rows(0).seen());
  edit.mutable_items(0)->set_json(R"({"place": "礼堂"})");
  EXPECT_EQ(Refused(commit(edit)).reason(), sync::v1::BAD_VALUE);
  edit.mutable_items(0)->set_deleted(true);
  Got(commit(edit));
  EXPECT_EQ(member->State().unsent(), 1u);
}

TEST_F(CSession, AHeldEditIsTakenByWhoeverActsForTheBranchNow) {
  CPhone deputy(&world, li);
  deputy.Sync();
  const Id meeting = deputy.Record<Meeting>([&](Meeting& m) { m.set_branch_id(branch.str()); });
  world.Wait(60'000);
  world.Dismiss(li, branch, DEPUTY);
  deputy.Sync();
  EXPECT_EQ(deputy.State().held(), 1u);
  secretary->Sync();
  const auto held = Got<api::v1::HeldEdits>(
      [&](auto* out, auto* error) { return zhibu_held(secretary->store(), out, error); });
  ASSERT_THAT(held.edits(), SizeIs(1));
  Got([&](auto* out, auto* error) {
    return zhibu_held_take(secretary->store(), In(held.edits(0).row().seen()), out, error);
  });
  secretary->Sync();
  EXPECT_EQ(world.Get<Meeting>(meeting).branch_id(), branch.str());
}

TEST_F(CSession, UnsentEditsTravelByHandAndTheReceiptSaysSo) {
  MakeMeetingInC();
  secretary->Sync();
  MakeMeetingInC();
  const auto parcel = Got<api::v1::Parcel>(
      [&](auto* out, auto* error) { return zhibu_parcel_export(secretary->store(), out, error); });
  EXPECT_EQ(parcel.edits(), 1u);
  const auto receipts = world.Deliver(parcel.file());
  ASSERT_TRUE(receipts.ok()) << receipts.status();
  const auto received = Got<api::v1::Receipts>([&](auto* out, auto* error) {
    return zhibu_parcel_receive(secretary->store(), In(*receipts), out, error);
  });
  EXPECT_EQ(received.delivered(), 1u);
  const auto unsent = Got<api::v1::UnsentEdits>(
      [&](auto* out, auto* error) { return zhibu_unsent(secretary->store(), out, error); });
  ASSERT_THAT(unsent.edits(), SizeIs(1));
  EXPECT_TRUE(unsent.edits(0).delivered());
}

TEST_F(CSession, ADeviceThatIsNotEnrolledIsToldSoAndWaits) {
  const CPhone stranger(world.directory().NewFile());
  Line once(&world, stranger.store());
  EXPECT_EQ(once.Follow(), Advice::STOP);
  EXPECT_EQ(once.advice().why().reason(), sync::v1::NOT_ENROLLED);
  EXPECT_EQ(once.connects(), 0);
}

TEST_F(CSession, AQuestionIsAnsweredThoughTheStreamIsCutBeforeTheAnswer) {
  sync::v1::Ask ask;
  ask.set_id(7);
  ask.set_type(31);
  ask.set_organisation_id(branch.str());
  MakeMeetingInC();
  secretary->Sync();
  Line line(&world, secretary->store(), false);
  ASSERT_EQ(zhibu_session_ask(line.session(), In(Bytes(ask)), nullptr), 0);
  for (int frames = 1; frames < 6; ++frames) {
    line.Follow(frames);
    zhibu_session_hurry(line.session(), nullptr);
  }
  EXPECT_EQ(line.Follow(), Advice::IDLE);
  const auto page = Got<sync::v1::Page>(
      [&](auto* out, auto* error) { return zhibu_session_page(line.session(), out, error); });
  EXPECT_EQ(page.id(), 7u);
  EXPECT_THAT(page.ids(), SizeIs(1));
}

TEST_F(CSession, AQuestionThatIsRefusedHereTakesNoOthersAnswer) {
  sync::v1::Ask good;
  good.set_id(7);
  good.set_type(31);
  good.set_organisation_id(branch.str());
  sync::v1::Ask bad = good;
  bad.set_id(8);
  bad.set_reason(std::string(1 << 20, 'x'));
  MakeMeetingInC();
  secretary->Sync();
  Line line(&world, secretary->store(), false);
  line.Follow();
  for (const auto& ask : {good, bad}) {
    ASSERT_EQ(zhibu_session_ask(line.session(), In(Bytes(ask)), nullptr), 0);
  }
  const auto page = [&] {
    return Got<sync::v1::Page>(
        [&](auto* out, auto* error) { return zhibu_session_page(line.session(), out, error); });
  };
  EXPECT_EQ(page().id(), 8u);  // answered here, and at once
  line.Follow(1);              // the stream is cut before the other's answer
  zhibu_session_hurry(line.session(), nullptr);
  EXPECT_EQ(line.Follow(), Advice::IDLE);
  EXPECT_EQ(page().id(), 7u);
}

TEST_F(CSession, TheEndOfAStreamThatWasGivenUpEndsNoOther) {
  Line line(&world, secretary->store(), false);
  line.Follow(2);  // cut
  api::v1::StreamEnd late;
  late.set_stream(line.advice().stream());
  zhibu_session_hurry(line.session(), nullptr);
  const auto first = Got<api::v1::Advice>(
      [&](auto* out, auto* error) { return zhibu_session_advice(line.session(), out, error); });
  ASSERT_EQ(first.what(), Advice::CONNECT);
  ASSERT_GT(first.stream(), 1u);
  EXPECT_EQ(line.Follow(), Advice::IDLE);
  late.set_stream(1);
  ASSERT_EQ(zhibu_session_ended(line.session(), In(Bytes(late)), nullptr), 0);
  EXPECT_EQ(line.Follow(), Advice::IDLE) << "the stream that there is goes on";
  EXPECT_TRUE(secretary->State().synced());
}

TEST_F(CSession, AnEnrolmentThatIsRefusedSaysWhyInWords) {
  const CPhone stranger(world.directory().NewFile());
  api::v1::EnrolOptions options;
  options.set_code(EnrolmentTicket{"server:7443", kServerFingerprint, "code"}.ToText());
  zhibu_handle enrolment = 0;
  Got([&](auto* out, auto* error) {
    return zhibu_enrol_open(stranger.store(), In(Bytes(options)), &enrolment, out, error);
  });
  const auto refused = [&](const api::v1::StreamEnd& end) {
    return Refused([&](auto*, auto* error) {
             return zhibu_enrol_refused(enrolment, In(Bytes(end)), error);
           })
        .reason();
  };
  sync::v1::Refusal said;
  said.set_reason(sync::v1::BAD_CODE);
  api::v1::StreamEnd end;
  end.set_code(static_cast<int>(absl::StatusCode::kPermissionDenied));
  end.set_details(said.SerializeAsString());
  EXPECT_EQ(refused(end), sync::v1::BAD_CODE);
  end.set_other_server(true);
  EXPECT_EQ(refused(end), sync::v1::OTHER_SERVER);
  EXPECT_EQ(refused(api::v1::StreamEnd()), sync::v1::OFFLINE);
  EXPECT_EQ(zhibu_enrol_close(enrolment, nullptr), 0);
}

}  // namespace
}  // namespace zhibu::test
