// Nobody is told of what they may not see: no frame, id, version, count or removal. Frame
// by frame, for every type of the catalogue and everybody who stands beside it.
#include <google/protobuf/message.h>

#include <functional>
#include <memory>
#include <set>

#include "server/authority/authority.h"
#include "server/feed/cursor.h"
#include "server/feed/incarnation.h"
#include "server/feed/sight.h"
#include "server/sessions/access.h"
#include "server/sessions/courier.h"
#include "sync/base/reason.h"
#include "sync/base/status.h"
#include "sync/crypto/courier.h"
#include "sync/merge/audience.h"
#include "sync/merge/diff.h"
#include "sync/merge/merge.h"
#include "tests/support/migration.h"
#include "tests/support/specimen.h"

namespace zhibu::test {
namespace {

using google::protobuf::Message;
using server::Showing;
using sync::v1::ClientFrame;
using sync::v1::ServerFrame;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

class SilenceTest : public Migration {
 protected:
  SilenceTest() {
    world.Appoint(zhao, other, SECRETARY);
    world.Place(sun, branch);
    world.SyncAll();
    world.Place(sun, other);
    world.SyncAll();
  }

  static RecordState Given(const Message& message) {
    RecordState given;
    given.exists = true;
    given.body = message.SerializeAsString();
    return given;
  }

  // A record of the type that the branch keeps of somebody.
  std::unique_ptr<Message> SpecimenOf(const RecordType& type) {
    return Specimen(type, {somebody, branch, host, committee}, world.fate().environment());
  }
  Id NewId() { return world.fate().environment().NewId(); }

  void Put(const RecordType& type, const Id& id, const std::string& body, bool deleted) {
    Plant(world, type, id, body, deleted);
  }
  bool Sees(const Id& person, const RecordType& type, const Id& id, const std::string& body) {
    bool sees = false;
    EXPECT_EQ(world.store().Read([&](server::Reader& reader) -> absl::Status {
      ASSIGN_OR_RETURN(const auto offices, OfficesOf(reader, person, world.now_ms()));
      sees = EyesOn(PlacesOf(type, id, body), [&](const Id& scope) {
               return offices.In(scope);
             }).Meet(ReadersOf(*world.schema(), type, body));
      return absl::OkStatus();
    }),
              absl::OkStatus());
    return sees;
  }
  uint64_t Hidden(const Id& person, const RecordType& type, const Id& id, const std::string& body) {
    uint64_t hidden = 0;
    EXPECT_EQ(world.store().Read([&](server::Reader& reader) -> absl::Status {
      ASSIGN_OR_RETURN(const auto offices, OfficesOf(reader, person, world.now_ms()));
      const Eyes eyes =
          EyesOn(PlacesOf(type, id, body), [&](const Id& scope) { return offices.In(scope); });
      hidden = HiddenFrom(type, eyes, HostSightOf(type, body));
      return absl::OkStatus();
    }),
              absl::OkStatus());
    return hidden;
  }
  // One field of a record, past all rules, as the server merges what it composes. False where
  // the field takes no second value.
  bool Change(const RecordType& type, const Id& id, const FieldRule& rule) {
    std::unique_ptr<Message> other_value(SpecimenOf(type)->New());
    SetSpecimenField(rule, {somebody, branch, host, committee}, world.fate().environment(), "别的",
                     other_value.get());
    sync::v1::Change change;
    change.set_kind(sync::v1::Change::UPDATE);
    change.set_base(kPendingVersion.value);
    change.set_set(Canonical(type.fields, other_value->SerializeAsString()));
    bool changed = false;
    EXPECT_EQ(world.store().Write([&](server::Writer& writer) -> absl::Status {
      const RecordKey key{type.number, id};
      ASSIGN_OR_RETURN(const RecordState was, writer.GetRecord(key));
      std::vector<Id> scopes;
      for (const Placed& placed : PlacesOf(type, id, was.body)) scopes.push_back(placed.scope);
      std::sort(scopes.begin(), scopes.end());
      scopes.erase(std::unique(scopes.begin(), scopes.end()), scopes.end());
      Origin origin;
      origin.device = kServerDevice;
      origin.stamp = StampAt(world.now_ms());
      ASSIGN_OR_RETURN(origin.version, writer.NextVersion(scopes, Version()));
      RecordState state = was;
      Outcome outcome;
      if (!Apply(&type, change, origin, &state, &outcome).ok()) {
        return absl::OkStatus();
      }
      changed = true;
      return writer.PutRecord(key, state, scopes,
                              server::ShowingsOf(*world.schema(), type, id, was, state));
    }),
              absl::OkStatus());
    return changed;
  }
  // All that the server says in a session in which there is nothing to do.
  std::string Reconnect(Phone& phone) {
    Stream stream(&world, &phone);
    std::string said;
    stream.watch = [&](const ServerFrame& frame) {
      if (!frame.has_challenge()) said += frame.ShortDebugString() + "\n";
    };
    stream.Run();
    return said;
  }

  const Id other = world.Branch("云溪村党支部");
  const Id committee = world.Branch("云溪镇党委");
  const Id somebody = world.fate().environment().NewId();
  const Id zhao = world.Person("赵", other);  // secretary of the other branch
  const Id sun = world.Person("孙", other);   // was of the branch once
  Phone& zhaos = world.Enrol(zhao);
  Phone& suns = world.Enrol(sun);
};

// ---- On the wire -------------------------------------------------------------------

TEST_F(SilenceTest, OfWhatSomebodyMayNotSeeNoByteReachesThemWhateverBecomesOfIt) {
  int unseen = 0;
  for (const RecordType& type : world.schema()->types()) {
    const std::string body = Canonical(type.fields, SpecimenOf(type)->SerializeAsString());
    const Id id = type.id_from.empty() ? NewId() : DeriveId(type, body).value();
    for (Phone* phone : {&wangs, &chens, &zhaos, &suns}) {
      if (Sees(phone->person(), type, id, body)) continue;
      SCOPED_TRACE(absl::StrCat(type.name, " and ", world.Get<Member>(phone->person()).name()));
      ++unseen;
      ASSERT_EQ(world.Sync(*phone), absl::OkStatus());
      const std::string before = Reconnect(*phone);
      {
        Stream stream(&world, phone);
        stream.Run();
        const int frames = stream.frames();
        for (const bool deleted : {false, false, true}) {
          Put(type, id, body, deleted);
          stream.server().OnMoved();
          stream.Run();
        }
        EXPECT_EQ(stream.frames(), frames) << "on an open stream";
      }
      Put(type, id, body, false);
      EXPECT_EQ(Reconnect(*phone), before) << "in the next session";
      Put(type, id, body, true);
      EXPECT_EQ(Reconnect(*phone), before) << "in the next session, deleted";
    }
  }
  EXPECT_GT(unseen, 40);
}

TEST_F(SilenceTest, WhatIsWrittenBesideWhatOneSeesDoesNotCountAsProgress) {
  Phone& again = world.Enrol(wang);
  uint64_t to_pass = 0;
  uint64_t passed = 0;
  size_t records = 0;
  Stream stream(&world, &again);
  stream.watch = [&](const ServerFrame& frame) {
    to_pass += frame.welcome().to_pass();
    passed += frame.update().passed();
    for (const auto& group : frame.update().groups()) records += group.bodies().size();
  };
  PrivateDetail detail;
  detail.set_member_id(li.str());
  detail.set_branch_id(branch.str());
  world.Write(detail, Id());
  stream.Run();
  EXPECT_EQ(passed, to_pass);
  EXPECT_GT(records, 0u);
}

// ---- Cursors -------------------------------------------------------------------------

// A version tells when an edit was merged. Were it a count, it would rise by one more where a
// number that somebody guesses is another's, and with each meeting of a branch that a stay
// is reported to.
TEST_F(SilenceTest, VersionsOfOnesOwnEditsTellWhenTheyWereMergedAndNotWhatElseWas) {
  const auto versions_of_two = [&](const std::function<void()>& meanwhile) {
    Phone& phone = world.Enrol(wang);
    std::vector<uint64_t> versions;
    for (int i = 0; i < 2; ++i) {
      world.Wait(1000);
      const Id contact = phone.Make<Contact>([&](Contact& c) {
        c.set_branch_id(branch.str());
        c.set_member_id(wang.str());
      });
      EXPECT_EQ(world.Sync(phone), absl::OkStatus());
      versions.push_back(
          world.StateOf({world.schema()->Find(Contact::descriptor())->number, contact})
              .version()
              .value);
      if (i == 0) meanwhile();
    }
    return versions[1] - versions[0];
  };
  const uint64_t quiet = versions_of_two([] {});
  EXPECT_EQ(versions_of_two([&] {
              for (int i = 0; i < 5; ++i) MakeMeeting(zhangs);
              EXPECT_EQ(world.Sync(zhangs), absl::OkStatus());
            }),
            quiet);
}

TEST_F(SilenceTest, ACursorThatTheServerDidNotGiveIsNotHeld) {
  const auto cursors = wangs.store().Cursors().value();
  ASSERT_THAT(cursors, SizeIs(2));
  EXPECT_EQ(world.store().Read([&](server::Reader& reader) -> absl::Status {
    ASSIGN_OR_RETURN(const auto seal,
                     server::CursorSeal::Of(reader, world.RowOf(wangs.number()).person));
    ASSIGN_OR_RETURN(const auto others,
                     server::CursorSeal::Of(reader, world.RowOf(lis.number()).person));
    for (const auto& cursor : cursors) {
      EXPECT_TRUE(seal.Good(cursor));
      EXPECT_FALSE(others.Good(cursor)) << "of another device";
      const std::vector<std::function<void(sync::v1::Cursor&)>> changes = {
          [](auto& c) { c.set_version(c.version() + 1); },
          [](auto& c) { c.set_version(0); },
          [](auto& c) { c.set_audience(c.audience() | 2); },
          [&](auto& c) { c.set_scope(host.str()); },
          [](auto& c) { c.clear_seal(); },
          [](auto& c) { c.mutable_seal()->pop_back(); },
          [](auto& c) { c.mutable_seal()->append(24, '\0'); }};
      for (const auto& change : changes) {
        sync::v1::Cursor forged = cursor;
        change(forged);
        EXPECT_FALSE(seal.Good(forged)) << forged.ShortDebugString();
      }
    }
    return absl::OkStatus();
  }),
            absl::OkStatus());
}

// Known of the rules of old: version 0 and an audience made up gave every id there ever was.
TEST_F(SilenceTest, SomebodyWhoHasLeftIsToldNothingByCursorsMadeUp) {
  MakeMeeting(zhangs);
  world.SyncAll();
  const client::Identity identity = suns.store().GetIdentity().value();
  server::Session session(&world.store(), &world.ingest(), world.fate().environment());
  sync::v1::Hello hello;
  hello.set_protocol(kProtocolVersion);
  hello.set_device(identity.device.value);
  hello.set_server_id(identity.server_id);
  hello.set_incarnation(identity.incarnation);
  auto& cursor = *hello.add_cursors();
  cursor.set_scope(branch.str());
  cursor.set_audience(AudienceOf(MEMBER));
  ClientFrame frame;
  frame.set_hello(hello.SerializeAsString());
  session.OnFrame(frame);
  ServerFrame heard;
  ASSERT_TRUE(session.Next(&heard));
  frame.mutable_proof()->set_signature(SignProof(identity.secret_key, heard.challenge().nonce(),
                                                 identity.fingerprint, hello.SerializeAsString()));
  session.OnFrame(frame);
  while (session.Next(&heard)) {
    // To drop what it has named, be there such a scope or not, and not a word of what lies there.
    EXPECT_THAT(heard.update().removals(), IsEmpty());
    for (const std::string& scope : heard.update().dropped()) EXPECT_EQ(scope, branch.str());
    for (const auto& one : heard.update().cursors()) {
      if (one.scope() != branch.str()) continue;
      EXPECT_EQ(one.audience(), 0u);
    }
  }
}

TEST_F(SilenceTest, AServerWithoutAKeyForCursorsBeginsANewLifeAndWorksOutWhoHasSeenWhat) {
  PrivateDetail detail;
  detail.set_member_id(li.str());
  detail.set_branch_id(branch.str());
  world.Write(detail, Id());
  world.SyncAll();
  // As a file is that an earlier version has written.
  const RecordType& type = *world.schema()->Find(PrivateDetail::descriptor());
  const Id id = DeriveId(type, detail.SerializeAsString()).value();
  EXPECT_EQ(world.store().Write([&](server::Writer& writer) -> absl::Status {
    RETURN_IF_ERROR(writer.PutSetting(server::kCursorKey, ""));
    return writer.PutSeen({type.number, id}, {{branch, server::kAllOffices}});
  }),
            absl::OkStatus());
  const std::string before = wangs.store().GetIdentity()->incarnation;
  EXPECT_EQ(server::EnsureIncarnation(world.store(), *world.schema(), world.fate().environment()),
            absl::OkStatus());
  ExpectConverged();
  EXPECT_NE(wangs.store().GetIdentity()->incarnation, before);
  Stream stream(&world, &wangs);
  stream.Run();
  const int frames = stream.frames();
  Put(type, id, detail.SerializeAsString(), true);
  stream.server().OnMoved();
  stream.Run();
  EXPECT_EQ(stream.frames(), frames);
}

// ---- What is lost ---------------------------------------------------------------------

TEST_F(SilenceTest, WhoLeavesIsToldToDropTheScopeAndNotWhatLiesThere) {
  MakeMeeting(zhangs);
  world.SyncAll();
  world.Place(wang, other);
  const Id later = MakeMeeting(zhangs, "以后的会");
  EXPECT_EQ(world.Sync(zhangs), absl::OkStatus());
  Stream stream(&world, &wangs);
  std::vector<std::string> dropped;
  stream.watch = [&](const ServerFrame& frame) {
    EXPECT_THAT(frame.update().removals(), IsEmpty());
    EXPECT_EQ(frame.SerializeAsString().find(later.str()), std::string::npos);
    for (const auto& scope : frame.update().dropped()) dropped.push_back(scope);
  };
  stream.Run();
  EXPECT_THAT(dropped, ElementsAre(branch.str()));
  EXPECT_THAT(wangs.All<Meeting>(), IsEmpty());
  EXPECT_THAT(world.Differences(wangs), IsEmpty());
}

TEST_F(SilenceTest, WhoGivesUpAnOfficeAndStaysIsToldNothingOfWhatCameAfterIt) {
  const auto pays = [&](const std::string& month) {
    return lis.Make<DuesPayment>([&](DuesPayment& payment) {
      payment.set_member_id(wang.str());
      payment.set_branch_id(branch.str());
      payment.set_amount_fen(300);
      payment.set_month(month);
    });
  };
  const Id before = pays("2026-10");
  world.SyncAll();
  ASSERT_TRUE(zhangs.Has<DuesPayment>(before));
  world.Dismiss(zhang, branch, SECRETARY);  // and is a member still
  const Id after = pays("2026-11");
  EXPECT_EQ(world.Sync(lis), absl::OkStatus());
  std::string removed;
  std::string dropped;
  Stream stream(&world, &zhangs);
  stream.watch = [&](const ServerFrame& frame) {
    for (const auto& removal : frame.update().removals()) removed += removal.ids();
    for (const std::string& scope : frame.update().dropped()) dropped += scope;
  };
  stream.Run();
  EXPECT_EQ(dropped, branch.str()) << "it is sent again what a member sees of it";
  EXPECT_EQ(removed, "");
  EXPECT_FALSE(zhangs.Has<DuesPayment>(before));
  EXPECT_THAT(world.Differences(zhangs), IsEmpty());
  // Nor on the stream, as it happens.
  const Id later = pays("2026-12");
  EXPECT_EQ(world.Sync(lis), absl::OkStatus());
  stream.Run();
  EXPECT_EQ(removed.find(later.str()), std::string::npos);
  EXPECT_EQ(removed.find(after.str()), std::string::npos);
}

// The hidden field is not in what they are sent; that it changed would be in the moment, and
// in whose device it was.
TEST_F(SilenceTest, WhoIsShownNothingOfAFieldIsSentNothingWhenItChanges) {
  int unseen = 0;
  for (const RecordType& type : world.schema()->types()) {
    const std::string body = Canonical(type.fields, SpecimenOf(type)->SerializeAsString());
    const Id id = type.id_from.empty() ? NewId() : DeriveId(type, body).value();
    Put(type, id, body, false);
    for (size_t i = 0; i < type.restricted.size(); ++i) {
      const FieldRule& rule = *type.restricted[i];
      if (rule.place != NOWHERE) continue;
      for (Phone* phone : {&wangs, &chens, &zhaos, &lis}) {
        const Id& person = phone->person();
        if (!Sees(person, type, id, body) || (Hidden(person, type, id, body) >> i & 1) == 0)
          continue;
        SCOPED_TRACE(absl::StrCat(type.name, ".", rule.descriptor->name(), " and ",
                                  world.Get<Member>(person).name()));
        ASSERT_EQ(world.Sync(*phone), absl::OkStatus());
        const std::string before = Reconnect(*phone);
        {
          Stream stream(&world, phone);
          stream.Run();
          const int frames = stream.frames();
          if (!Change(type, id, rule)) continue;
          ++unseen;
          stream.Run();
          EXPECT_EQ(stream.frames(), frames);
        }
        EXPECT_EQ(Reconnect(*phone), before);
        EXPECT_THAT(world.Differences(*phone), IsEmpty());
      }
    }
    Put(type, id, body, true);
  }
  EXPECT_GE(unseen, 8);
}

// A scope is read again when somebody is given an office: nothing of it is told twice.
TEST_F(SilenceTest, WhatHadGoneWhenSomebodyCameTheyAreNotToldOfWhenTheyAreGivenAnOffice) {
  const Id meeting = MakeMeeting(zhangs);
  world.SyncAll();
  zhangs.Delete<Meeting>(meeting);
  const Id moved = MakeMeeting(zhangs);
  world.SyncAll();
  world.Place(zhao, branch);
  world.SyncAll();
  world.Appoint(zhao, branch, DEPUTY);
  Stream stream(&world, &zhaos);
  stream.watch = [&](const ServerFrame& frame) {
    EXPECT_EQ(frame.SerializeAsString().find(meeting.str()), std::string::npos);
  };
  stream.Run();
  EXPECT_TRUE(zhaos.Has<Meeting>(moved));
  EXPECT_THAT(world.Differences(zhaos), IsEmpty());
}

// A cursor in the middle of a reading stands past where the record came, and before where it
// went, and yet the device never had it.
TEST_F(SilenceTest, WhatHadGoneWhenAReadingWasBegunIsNotToldOfThoughTheReadingIsBrokenOff) {
  const Id meeting = MakeMeeting(zhangs);
  for (int i = 0; i < 3; ++i) MakeMeeting(zhangs);
  world.SyncAll();
  zhangs.Delete<Meeting>(meeting);
  world.SyncAll();
  world.limits.update_bytes = 1;
  for (int frames = 2; frames < 14; ++frames) {
    Phone& fresh = world.Enrol(li);
    world.SyncCutAfter(fresh, frames);
    Stream stream(&world, &fresh);
    stream.watch = [&](const ServerFrame& frame) {
      EXPECT_EQ(frame.SerializeAsString().find(meeting.str()), std::string::npos) << frames;
    };
    stream.Run();
    EXPECT_THAT(world.Differences(fresh), IsEmpty()) << frames;
  }
}

// It came and went while they were away; their cursor passes where it came as they read on.
TEST_F(SilenceTest, WhatCameAndWentWhileSomebodyWasAwayIsNotToldOfThoughTheyReadInParts) {
  MakeMeeting(zhangs);
  world.SyncAll();
  for (int i = 0; i < 3; ++i) MakeMeeting(zhangs);
  const Id meeting = MakeMeeting(zhangs);
  for (int i = 0; i < 3; ++i) MakeMeeting(zhangs);
  EXPECT_EQ(world.Sync(zhangs), absl::OkStatus());
  zhangs.Delete<Meeting>(meeting);
  EXPECT_EQ(world.Sync(zhangs), absl::OkStatus());
  world.limits.update_bytes = 1;
  for (int i = 0; i < 20; ++i) {
    Stream stream(&world, &wangs);
    stream.watch = [&](const ServerFrame& frame) {
      EXPECT_EQ(frame.SerializeAsString().find(meeting.str()), std::string::npos);
    };
    if (i == 0) world.SyncCutAfter(wangs, 6);
    stream.Run();
  }
  EXPECT_THAT(world.Differences(wangs), IsEmpty());
}

// They see nothing there any longer but as themselves, and their link carries little at a time.
TEST_F(SilenceTest, WhatIsSentAgainGetsOnThoughEachSessionIsCut) {
  std::vector<Id> own;
  for (int month = 1; month <= 12; ++month) {
    own.push_back(lis.Make<DuesPayment>([&](DuesPayment& payment) {
      payment.set_member_id(wang.str());
      payment.set_branch_id(branch.str());
      payment.set_amount_fen(300);
      payment.set_month(absl::StrCat("2026-", month < 10 ? "0" : "", month));
    }));
  }
  world.SyncAll();
  world.limits.update_bytes = 1;
  world.Place(wang, other);
  int sessions = 0;
  while (sessions < 20 && world.SyncCutAfter(wangs, 14)) ++sessions;
  EXPECT_LT(sessions, 20);
  for (const Id& id : own) EXPECT_TRUE(wangs.Has<DuesPayment>(id));
  EXPECT_THAT(world.Differences(wangs), IsEmpty());
}

TEST_F(SilenceTest, ADropThatIsBrokenOffAfterAnyFrameLeavesNothingBehindAndTakesNothingAway) {
  for (int i = 0; i < 5; ++i) MakeMeeting(zhangs);
  Stay();
  world.limits.update_bytes = 1;
  for (int frames = 3; frames < 12; ++frames) {
    world.Appoint(wang, host, COMMITTEE);
    world.SyncAll();
    world.Dismiss(wang, host, COMMITTEE);
    world.SyncCutAfter(wangs, frames);
    if (frames % 2 == 0) world.Appoint(wang, host, DEPUTY);
    world.SyncCutAfter(wangs, frames - 1);
    world.SyncAll();
    EXPECT_THAT(world.Differences(wangs), IsEmpty()) << frames;
    if (frames % 2 == 0) world.Dismiss(wang, host, DEPUTY);
  }
  ExpectConverged();
}

// What was removed with the scope was not sent again: the other scope's cursor was past it.
TEST_F(SilenceTest, WhatOneSeesAsOneselfStaysThoughTheOfficeComesBackAmidTheDrop) {
  for (int i = 0; i < 5; ++i) MakeMeeting(zhangs);
  std::vector<Id> own;
  for (const char* month : {"2026-08", "2026-09", "2026-10"}) {
    DuesPayment payment;  // the branch's, which its ordinary members do not see
    payment.set_member_id(wang.str());
    payment.set_branch_id(branch.str());
    payment.set_amount_fen(300);
    payment.set_month(month);
    own.push_back(NewId());
    world.Write(payment, own.back());
  }
  world.SyncAll();
  world.limits.update_bytes = 1;
  for (const bool reconnects : {false, true}) {
    for (int frames = 3; frames < 20; ++frames) {
      world.Place(wang, other);
      if (reconnects) {
        world.SyncCutAfter(wangs, frames);
        world.Place(wang, branch);
      } else {
        Stream stream(&world, &wangs);
        for (int i = 0; i < frames && stream.Step(); ++i) continue;
        world.Place(wang, branch);
        stream.Run();
      }
      world.SyncAll();
      ASSERT_THAT(world.Differences(wangs), IsEmpty()) << frames << " " << reconnects;
      for (const Id& id : own) ASSERT_TRUE(wangs.Has<DuesPayment>(id));
    }
  }
}

TEST_F(SilenceTest, WhatIsUnsentStaysThoughItsScopeIsDropped) {
  const Id meeting = MakeMeeting(zhangs);
  world.SyncAll();
  zhangs.Change<Meeting>(meeting, [](Meeting& m) { m.set_place("礼堂"); });
  world.Dismiss(zhang, branch, SECRETARY);
  world.Place(zhang, other);
  EXPECT_EQ(zhangs.State().unsent, 1u);
  ExpectConverged();
  EXPECT_THAT(zhangs.SetAside(), SizeIs(1)) << "it was sent, and judged";
  EXPECT_FALSE(zhangs.Has<Meeting>(meeting));
}

// Of its own person it goes on seeing what also lay in the branch, as itself.
TEST_F(SilenceTest, WhatLiesInAScopeThatIsLeftComesAgainWithoutWhatItsOfficeShowed) {
  const Id flow = Stay();
  zhangs.Change<Flow>(flow, [](Flow& f) { f.set_reason("家中困难"); });
  world.Appoint(chen, branch, DEPUTY);
  world.SyncAll();
  ASSERT_EQ(chens.Get<Flow>(flow).reason(), "家中困难");
  world.Dismiss(chen, branch, DEPUTY);
  ExpectConverged();
  EXPECT_TRUE(chens.Has<Flow>(flow));
  EXPECT_EQ(chens.Get<Flow>(flow).reason(), "");
}

// ---- Base -----------------------------------------------------------------------------

TEST_F(SilenceTest, AnEditCarriesWhatItsDeviceIsKnownToHaveBeenSent) {
  const Id meeting = MakeMeeting(zhangs);
  world.SyncAll();
  uint64_t branch_cursor = 0;
  const auto cursors = zhangs.store().Cursors().value();
  for (const auto& cursor : cursors) {
    if (cursor.scope() == branch.str()) branch_cursor = cursor.version();
  }
  EXPECT_EQ(branch_cursor, world.StateOf({31, meeting}).version().value);
  // The bundle of a courier, whose cursors are sealed as well.
  zhangs.Change<Meeting>(meeting, [](Meeting& m) { m.set_place("操场"); });
  const auto bundles = zhangs.store().Bundles(1).value();
  ASSERT_THAT(bundles, SizeIs(1));
  const client::Identity identity = zhangs.store().GetIdentity().value();
  const auto sealed = SealCargo(Cargo::kBundle, bundles[0].SerializeAsString(), identity.secret_key,
                                identity.courier_key);
  const auto delivery = server::OpenBundle(world.store(), *sealed);
  ASSERT_TRUE(delivery.ok()) << delivery.status();
  ASSERT_THAT(delivery->edits, SizeIs(1));
  ASSERT_NE(delivery->edits[0].sent, nullptr);
  EXPECT_EQ(delivery->edits[0].sent->cursors.at(branch), world.StateOf({31, meeting}).version());
  sync::v1::Bundle forged = bundles[0];
  for (auto& cursor : *forged.mutable_cursors()) cursor.set_version(~uint64_t{0});
  const auto again = SealCargo(Cargo::kBundle, forged.SerializeAsString(), identity.secret_key,
                               identity.courier_key);
  EXPECT_THAT(server::OpenBundle(world.store(), *again)->edits[0].sent->cursors, IsEmpty());
}

// ---- Who is told what is quoted ---------------------------------------------------------

TEST_F(SilenceTest, WhatIsQuotedOfAPersonIsWrittenDownAsGiven) {
  PrivateDetail detail;
  detail.set_member_id(wang.str());
  detail.set_branch_id(branch.str());
  world.Write(detail, Id());
  const RecordType& type = *world.schema()->Find(PrivateDetail::descriptor());
  const Id id = DeriveId(type, detail.SerializeAsString()).value();
  const auto told = [&](const Message& message) {
    server::Disclosures disclosures;
    EXPECT_EQ(world.store().Read([&](server::Reader& reader) {
      return server::AddDisclosures(reader, *world.schema(),
                                    *world.schema()->Find(message.GetDescriptor()), NewId(),
                                    Given(message), {zhang}, &disclosures);
    }),
              absl::OkStatus());
    std::vector<std::string> told;
    for (const auto& [of, fields] : disclosures) {
      EXPECT_NE(fields, 0u);
      told.push_back(absl::StrCat(world.Get<Member>(of.first).name(), " ", of.second->name));
    }
    return told;
  };
  ConflictNote note;
  note.set_record_type(type.number);
  note.set_record_id(id.str());
  note.set_field("phone");
  EXPECT_THAT(told(note), ElementsAre("王 PrivateDetail"));
  note.set_field("branch_id");
  EXPECT_THAT(told(note), IsEmpty());
  records::v1::HeldEdit held;
  sync::v1::Edit edit;
  auto& change = *edit.add_changes();
  change.set_type(type.number);
  change.set_id(id.str());
  PrivateDetail quoted;
  quoted.set_phone("13800000000");
  change.set_set(quoted.SerializeAsString());
  held.set_edit(edit.SerializeAsString());
  EXPECT_THAT(told(held), ElementsAre("王 PrivateDetail"));
  quoted.set_member_id(li.str());
  change.set_set(quoted.SerializeAsString());
  change.set_id(NewId().str());
  held.set_edit(edit.SerializeAsString());
  EXPECT_THAT(told(held), ElementsAre("李 PrivateDetail")) << "of a record that is not there";
}

}  // namespace
}  // namespace zhibu::test
