// Who made an edit, who decided on it and what the server composed because of it are three
// things; and what is refused leaves nothing.
#include "client-core/actions/check_in.h"
#include "server/authority/authority.h"
#include "server/authority/held.h"
#include "server/ingest/chains.h"
#include "sync/crypto/check_in_code.h"
#include "sync/wire/wire.h"
#include "tests/support/raw_edits.h"
#include "zhibu/records/v1/held.pb.h"

namespace zhibu::test {
namespace {

using records::v1::HeldEdit;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class Roles : public RawEdits {
 protected:
  std::vector<Id> Waiting() {
    std::vector<Id> ids;
    EXPECT_EQ(world.store().Read([&](server::Reader& reader) {
      return reader.ListRecords(world.schema()->Find(HeldEdit::descriptor())->number, std::nullopt,
                                [&](const Id& id, const RecordState& state) {
                                  HeldEdit held;
                                  held.ParseFromString(state.body);
                                  if (held.state() == HeldEdit::WAITING) ids.push_back(id);
                                });
    }),
              absl::OkStatus());
    return ids;
  }
  std::string TakeAs(Author* decider, const Id& id) {
    HeldEdit taken;
    taken.set_state(HeldEdit::TAKEN);
    return Answer(Of(decider, {Update(taken, id)}));
  }
  // Of zhang's second phone, which is revoked, to be decided on with his first.
  Author Lost() {
    Phone& second = world.Enrol(zhang);
    world.Revoke(second.number());
    return {second.number()};
  }
  // Those that are in service.
  void SyncLive() {
    for (int round = 0; round < 2; ++round) {
      for (Phone* phone : {&zhangs, &lis, &wangs, &chens}) {
        EXPECT_EQ(world.Sync(*phone), absl::OkStatus());
      }
    }
  }
  Version ScopeVersion(const Id& scope) {
    Version version;
    EXPECT_EQ(world.store().Read([&](server::Reader& reader) -> absl::Status {
      auto found = reader.ScopeVersion(scope);
      version = found.value();
      return absl::OkStatus();
    }),
              absl::OkStatus());
    return version;
  }
  Meeting Long(size_t bytes) {
    Meeting meeting = MeetingIn(branch);
    meeting.set_minutes(std::string(bytes, 'x'));
    return meeting;
  }
  Meeting At(const std::string& place) {
    Meeting meeting;
    meeting.set_place(place);
    return meeting;
  }
};

// ---- A held edit is its author's, taken under every rule (D1) ---------------------------

TEST_F(Roles, TakingAHeldEditLetsNobodyWriteWhatOnlyTheServerWrites) {
  Author lost = Lost();
  CheckIn check_in;
  check_in.set_activity_id(NewId().str());
  check_in.set_member_id(zhang.str());
  check_in.set_branch_id(branch.str());
  check_in.set_standing(CheckIn::VERIFIED);
  const RecordType& type = *world.schema()->Find(CheckIn::descriptor());
  const Id id = DeriveId(type, Canonical(type.fields, check_in.SerializeAsString())).value();
  EXPECT_EQ(Answer(Of(&lost, {Create(check_in, id)})), "1 HELD OF_REVOKED_DEVICE");
  ASSERT_THAT(Waiting(), SizeIs(1));
  EXPECT_EQ(TakeAs(&zhang_author, Waiting()[0]), "1 RETURNED SERVER_ONLY");
  EXPECT_FALSE(world.StateOf({type.number, id}).exists);
}

TEST_F(Roles, NobodyBecomesSomebodyElseByTakingAnEditOfTheirOwn) {
  const Id elsewhere = chens.Make<Meeting>([&](Meeting& m) { m.set_branch_id(host.str()); });
  world.SyncAll();
  Author lost = Lost();
  Member pointed;
  pointed.set_merged_into_id(chen.str());
  Answer(Of(&lost, {Update(pointed, wang)}));
  for (const Id& waiting : Waiting()) TakeAs(&zhang_author, waiting);
  EXPECT_EQ(world.Get<Member>(wang).merged_into_id(), "");
  EXPECT_EQ(world.Sync(wangs), absl::OkStatus());
  EXPECT_FALSE(wangs.Has<Meeting>(elsewhere));
}

TEST_F(Roles, AHeldLetterIsUnderTheRulesOfLetters) {
  Author lost = Lost();
  Transfer letter;
  letter.set_member_id(wang.str());
  letter.set_from_branch_id(branch.str());
  letter.set_to_branch_id(host.str());
  letter.set_letter_number("2");
  letter.set_issued("2026-11-18");
  letter.set_valid_until("2036-11-18");
  letter.set_state(Transfer::ISSUED);
  const Id id = NewId();
  EXPECT_EQ(Answer(Of(&lost, {Create(letter, id)})), "1 HELD OF_REVOKED_DEVICE");
  ASSERT_THAT(Waiting(), SizeIs(1));
  EXPECT_EQ(TakeAs(&zhang_author, Waiting()[0]), "1 RETURNED LETTER_TOO_LONG");
  EXPECT_FALSE(world.StateOf({44, id}).exists);
}

TEST_F(Roles, OfTwoHeldEditsOfOneFieldTheLoserIsKeptInANoteThatNamesItsAuthor) {
  const Id meeting = MakeMeeting(lis);
  world.SyncAll();
  const uint64_t seen = world.StateOf({31, meeting}).version().value;
  world.Appoint(wang, branch, SECRETARY);
  Phone& first = world.Enrol(zhang);
  Phone& second = world.Enrol(wang);
  world.Revoke(first.number());
  world.Revoke(second.number());
  Author one{first.number()};
  Author other{second.number()};
  EXPECT_EQ(Answer(Of(&one, {Update(At("礼堂"), meeting, seen)})), "1 HELD OF_REVOKED_DEVICE");
  world.Wait(1000);
  EXPECT_EQ(Answer(Of(&other, {Update(At("会议室"), meeting, seen)})), "1 HELD OF_REVOKED_DEVICE");
  for (const Id& waiting : Waiting()) TakeAs(&zhang_author, waiting);
  EXPECT_EQ(world.Get<Meeting>(meeting).place(), "会议室");
  EXPECT_EQ(world.Sync(lis), absl::OkStatus());
  const auto notes = lis.All<ConflictNote>();
  ASSERT_THAT(notes, SizeIs(1));
  EXPECT_EQ(notes[0].kept_by_id(), wang.str());
  EXPECT_EQ(notes[0].lost_by_id(), zhang.str());
  EXPECT_EQ(notes[0].lost(), "\"礼堂\"");
}

TEST_F(Roles, WhatIsTakenLateDoesNotUndoWhatItsAuthorDidSince) {
  world.Dismiss(zhang, branch, SECRETARY);
  world.Appoint(li, branch, SECRETARY);
  const Id meeting = NewId();
  EXPECT_EQ(Answer(Of(&li_author, {Create(MeetingIn(branch), meeting)})), "1 MERGED");
  const uint64_t seen = world.StateOf({31, meeting}).version().value;
  EXPECT_EQ(Answer(Of(&zhang_author, {Update(At("礼堂"), meeting, seen)})), "1 HELD GRANT_ENDED");
  world.Appoint(zhang, branch, DEPUTY);
  world.Wait(1000);
  EXPECT_EQ(Answer(Of(&zhang_author, {Update(At("会议室"), meeting, seen)})), "2 MERGED");
  EXPECT_EQ(TakeAs(&li_author, Waiting().at(0)), "2 MERGED");
  EXPECT_EQ(world.Get<Meeting>(meeting).place(), "会议室");
}

TEST_F(Roles, OfTwoHeldEditsOfOneAuthorTheLaterStandsInWhateverOrderTheyAreTaken) {
  world.Dismiss(zhang, branch, SECRETARY);
  world.Appoint(li, branch, SECRETARY);
  for (const bool later_first : {false, true}) {
    const Id meeting = NewId();
    EXPECT_THAT(Answer(Of(&li_author, {Create(MeetingIn(branch), meeting)})), HasSubstr("MERGED"));
    const uint64_t seen = world.StateOf({31, meeting}).version().value;
    EXPECT_THAT(Answer(Of(&zhang_author, {Update(At("礼堂"), meeting, seen)})),
                HasSubstr("HELD GRANT_ENDED"));
    const std::vector<Id> before = Waiting();
    ASSERT_THAT(before, SizeIs(1));
    world.Wait(1000);
    EXPECT_THAT(Answer(Of(&zhang_author, {Update(At("会议室"), meeting, seen)})),
                HasSubstr("HELD GRANT_ENDED"));
    std::vector<Id> waiting = Waiting();
    ASSERT_THAT(waiting, SizeIs(2));
    if ((waiting[0] == before[0]) == later_first) std::swap(waiting[0], waiting[1]);
    for (const Id& one : waiting) {
      EXPECT_THAT(TakeAs(&li_author, one), HasSubstr("MERGED"));
    }
    EXPECT_EQ(world.Get<Meeting>(meeting).place(), "会议室") << later_first;
  }
}

TEST_F(Roles, TheAuditSaysWhoMadeAnEditAndWhoTookIt) {
  Author lost = Lost();
  const Id meeting = NewId();
  Answer(Of(&lost, {Create(MeetingIn(branch, "学习"), meeting)}));
  EXPECT_EQ(TakeAs(&zhang_author, Waiting().at(0)), "1 MERGED");
  EXPECT_EQ(world.StateOf({31, meeting}).touch.writer, lost.device);
  int taken = 0;
  for (const auto& row : world.AuditOf(kServerDevice)) {
    if (row.author == kServerDevice) continue;
    ++taken;
    EXPECT_EQ(row.author, lost.device);
    EXPECT_EQ(row.decided_by, zhang);
  }
  EXPECT_EQ(taken, 1);
}

TEST_F(Roles, WhatAnEditBuildsOnAndThatItWasLetGoOfIsInTheAuditsChain) {
  Answer(Of(&zhang_author, {Create(MeetingIn(branch), NewId())}));
  Submitted building = Of(&zhang_author, {Create(MeetingIn(branch), NewId())});
  building.edit.add_builds_on(1);
  Answer(building);
  const auto rows = world.AuditOf(zhang_author.device);
  ASSERT_THAT(rows, SizeIs(2));
  EXPECT_THAT(rows[1].builds_on, ElementsAre(1u));
  server::AuditRow altered = rows[1];
  altered.builds_on.clear();
  EXPECT_NE(server::ChainAfter(rows[0].chain, altered), rows[1].chain);
  altered = rows[1];
  altered.withdrawn = true;
  EXPECT_NE(server::ChainAfter(rows[0].chain, altered), rows[1].chain);
}

// ---- What waits ---------------------------------------------------------------------------

// A stamp from next month is one from now when it comes, and not from next month once that is
// here.
TEST_F(Roles, TheTimeOfAHeldEditIsThatOfItsReceiptWhateverItSays) {
  constexpr int64_t kDayMs = int64_t{24} * 3600 * 1000;
  const Id id = NewId();
  EXPECT_EQ(Answer(Of(&zhang_author, {Create(MeetingIn(branch), id)})), "1 MERGED");
  const RecordKey key{world.schema()->Find(Meeting::descriptor())->number, id};
  const uint64_t base = world.StateOf(key).version().value;
  world.SyncAll();
  world.Dismiss(li, branch, DEPUTY);
  stamp_ms = world.now_ms() + 30 * kDayMs;
  EXPECT_EQ(Answer(Of(&li_author, {Update(At("李"), id, base)})), "1 HELD GRANT_ENDED");
  stamp_ms = 0;
  world.Wait(10 * kDayMs);
  EXPECT_EQ(Answer(Of(&zhang_author, {Update(At("张"), id)})), "2 MERGED");
  world.Wait(21 * kDayMs);
  ASSERT_THAT(Waiting(), SizeIs(1));
  EXPECT_EQ(TakeAs(&zhang_author, Waiting()[0]), "3 MERGED");
  EXPECT_EQ(world.Get<Meeting>(id).place(), "张");
}

TEST_F(Roles, WhoNeverHadARightIsNotHeldAndLearnsNothing) {
  const Id elsewhere = chens.Make<Meeting>([&](Meeting& m) { m.set_branch_id(host.str()); });
  world.SyncAll();
  world.Revoke(wang_author.device);
  EXPECT_EQ(Answer(Of(&wang_author, {Update(At("礼堂"), elsewhere)})), "1 RETURNED NO_SUCH_RECORD");
  // As of one that is not there.
  EXPECT_EQ(Answer(Of(&wang_author, {Update(At("礼堂"), NewId())})), "2 RETURNED NO_SUCH_RECORD");
  EXPECT_EQ(Answer(Of(&wang_author, {Create(MeetingIn(host), NewId())})),
            "3 RETURNED NOT_ENTITLED");
  Member name;
  name.set_name("王二");
  EXPECT_EQ(Answer(Of(&wang_author, {Update(name, chen)})), "4 RETURNED NO_SUCH_RECORD");
  EXPECT_THAT(Waiting(), IsEmpty());
}

TEST_F(Roles, NamingAHeldEditOfOnesOwnDoesNotMakeAnEditWaitUnread) {
  // Wang's own contact is held, because wang has moved; what is of others is not.
  const Id elsewhere = lis.Make<Meeting>([&](Meeting& m) { m.set_branch_id(branch.str()); });
  world.SyncAll();
  world.Dismiss(zhang, branch, SECRETARY);
  EXPECT_EQ(Answer(Of(&zhang_author, {Update(At("礼堂"), elsewhere)})), "1 HELD GRANT_ENDED");
  const Id of_host = chens.Make<Meeting>([&](Meeting& m) { m.set_branch_id(host.str()); });
  world.SyncAll();
  Submitted oracle = Of(&zhang_author, {Update(At("礼堂"), of_host)});
  oracle.edit.add_builds_on(1);
  EXPECT_EQ(Answer(oracle), "2 RETURNED NO_SUCH_RECORD");
  Submitted made_up = Of(&zhang_author, {Update(At("礼堂"), NewId())});
  made_up.edit.add_builds_on(1);
  EXPECT_EQ(Answer(made_up), "3 RETURNED NO_SUCH_RECORD");
}

// Home's step waits for home, the host's for the host, and neither returns the other's.
TEST_F(Roles, WhatWaitsForOneSideTheOtherDoesNotDecide) {
  const Id flow = Stay();
  Flow extended;
  extended.set_state(Flow::EXTENDED);
  extended.set_expected_back("2027-06-30");
  Flow contact;
  contact.set_host_contact("陈 000-1");
  const auto scopes_of = [&](const Id& id) {
    const auto scopes = world.Get<HeldEdit>(id).scopes();
    return std::vector<std::string>(scopes.begin(), scopes.end());
  };
  Author chens_office{world.Enrol(chen).number()};
  world.Appoint(li, branch, SECRETARY);
  world.Dismiss(zhang, branch, SECRETARY);
  EXPECT_EQ(Answer(Of(&zhang_author, {Update(extended, flow)})), "1 HELD GRANT_ENDED");
  ASSERT_THAT(Waiting(), SizeIs(1));
  const Id homes = Waiting()[0];
  EXPECT_THAT(scopes_of(homes), ElementsAre(branch.str()));
  HeldEdit returned;
  returned.set_state(HeldEdit::RETURNED);
  EXPECT_EQ(Answer(Of(&chens_office, {Update(returned, homes)})), "1 RETURNED NO_SUCH_RECORD");
  EXPECT_EQ(TakeAs(&li_author, homes), "1 MERGED");
  Author lost{world.Enrol(chen).number()};
  world.Revoke(lost.device);
  EXPECT_EQ(Answer(Of(&lost, {Update(contact, flow)})), "1 HELD OF_REVOKED_DEVICE");
  ASSERT_THAT(Waiting(), SizeIs(1));
  const Id hosts = Waiting()[0];
  EXPECT_THAT(scopes_of(hosts), ElementsAre(host.str()));
  EXPECT_EQ(Answer(Of(&li_author, {Update(returned, hosts)})), "2 RETURNED NO_SUCH_RECORD");
  EXPECT_EQ(TakeAs(&chens_office, hosts), "2 MERGED");
}

TEST_F(Roles, AStepIsDecidedWhereItIsTaken) {
  RecordState there;
  there.exists = true;
  const Id scope = NewId();
  int steps = 0;
  for (const RecordType& type : CatalogueSchema()->types()) {
    for (const FieldRule& rule : type.fields.rules()) {
      for (const auto& [state, takers] : rule.taken_by) {
        Change change;
        change.set_kind(Change::UPDATE);
        wire::AppendVarintField(rule.number, static_cast<uint64_t>(state), change.mutable_set());
        for (const Place place : {OWNER, GUEST}) {
          ++steps;
          if ((takers & BitOf(place)) != 0) continue;
          EXPECT_FALSE(server::SecretaryMight(type, change, there, {scope, place}))
              << type.name << " " << state << " " << Place_Name(place);
        }
      }
    }
  }
  EXPECT_GE(steps, 20);
}

TEST_F(Roles, ALostPhoneFillsNobodysPhone) {
  Author lost = Lost();
  std::vector<std::string> answers;
  for (int i = 0; i < 6; ++i) {
    answers.push_back(Answer(Of(&lost, {Create(Long(900'000), NewId())})));
  }
  EXPECT_EQ(answers.front(), "1 HELD OF_REVOKED_DEVICE");
  EXPECT_EQ(answers.back(), "6 RETURNED HELD_FULL");
  // Once some have been decided there is room again.
  EXPECT_EQ(TakeAs(&zhang_author, Waiting()[0]), "1 MERGED");
  EXPECT_EQ(Answer(Of(&lost, {Create(Long(900'000), NewId())})), "7 HELD OF_REVOKED_DEVICE");
}

TEST_F(Roles, ALostPhoneIsToldNothingOfOthersCheckInsByACode) {
  const Id elsewhere = chens.Make<Meeting>([&](Meeting& m) { m.set_branch_id(host.str()); });
  world.SyncAll();
  auto called = client::CheckInByHand(chens.store(), elsewhere, chen);
  ASSERT_TRUE(called.ok()) << called.status();
  chens.Commit({&*called});
  world.SyncAll();
  const auto own = wangs.store().GetIdentity();
  const auto scanned = [&](const Id& activity, const Id& member, const Id& by) {
    CheckIn check_in;
    check_in.set_activity_id(activity.str());
    check_in.set_member_id(member.str());
    check_in.set_branch_id(by.str());
    check_in.add_codes(MakeCheckInCode(activity, by, own->device, world.now_ms(), own->secret_key)
                           .SerializeAsString());
    return check_in;
  };
  Author lost{world.Enrol(wang).number()};
  world.Revoke(lost.device);
  Author in_service{world.Enrol(wang).number()};
  for (Author* author : {&lost, &in_service}) {
    const auto verdict = [&](const Change& change) {
      const std::string answer = Answer(Of(author, {change}));
      return answer.substr(answer.find(' ') + 1);
    };
    CheckIn code;
    code.add_codes(scanned(elsewhere, chen, host).codes(0));
    EXPECT_EQ(verdict(Update(code, called->id())), verdict(Update(code, NewId())));
    EXPECT_EQ(verdict(Create(scanned(elsewhere, chen, host))),
              verdict(Create(scanned(NewId(), chen, host))));
    // Nor where a meeting is kept.
    EXPECT_EQ(verdict(Create(scanned(elsewhere, wang, branch))),
              verdict(Create(scanned(NewId(), wang, branch))));
  }
}

TEST_F(Roles, WhatIsHeldLiesWithOrganisationsWhateverItNamesAsItsKeeper) {
  world.Dismiss(zhang, branch, SECRETARY);
  world.Appoint(li, branch, SECRETARY);
  const Id meeting = NewId();
  const Submitted first = Of(&zhang_author, {Create(MeetingIn(branch), meeting)});
  Submitted second = Of(&zhang_author, {Update(MeetingIn(zhang), meeting)});
  second.edit.add_builds_on(1);
  EXPECT_THAT(Answers({first, second}), ElementsAre("1 HELD GRANT_ENDED", "2 HELD BUILDS_ON_HELD"));
  for (const Id& waiting : Waiting()) {
    EXPECT_THAT(world.Get<HeldEdit>(waiting).scopes(), ElementsAre(branch.str()));
  }
  Phone& again = world.Enrol(zhang);
  EXPECT_EQ(world.Sync(again), absl::OkStatus());
  EXPECT_THAT(again.All<HeldEdit>(), SizeIs(2)) << "their author";
  EXPECT_EQ(world.Sync(lis), absl::OkStatus());
  EXPECT_THAT(lis.All<HeldEdit>(), SizeIs(2)) << "who decides";
}

// What is taken moves the record, and with it all that waits about it.
TEST_F(Roles, ADecisionOnAnEditThatMovesItsRecordStands) {
  world.Appoint(zhang, host, SECRETARY);
  world.Appoint(li, host, SECRETARY);
  world.Appoint(li, branch, SECRETARY);
  const Id meeting = NewId();
  EXPECT_EQ(Answer(Of(&li_author, {Create(MeetingIn(branch), meeting)})), "1 MERGED");
  Author lost = Lost();
  EXPECT_EQ(Answer(Of(&lost, {Update(MeetingIn(host), meeting)})), "1 HELD OF_REVOKED_DEVICE");
  EXPECT_EQ(Answer(Of(&lost, {Update(At("礼堂"), meeting)})), "2 HELD OF_REVOKED_DEVICE");
  Phone& office = world.Enrol(li);
  EXPECT_EQ(world.Sync(office), absl::OkStatus());
  ASSERT_THAT(Waiting(), SizeIs(2));
  Id moves;
  for (const Id& waiting : Waiting()) {
    if (world.Get<HeldEdit>(waiting).number() == 1) moves = waiting;
  }
  const auto lay = world.Get<HeldEdit>(moves).scopes();
  EXPECT_EQ(TakeAs(&li_author, moves), "2 MERGED");
  EXPECT_EQ(world.Get<Meeting>(meeting).branch_id(), host.str());
  EXPECT_EQ(world.Get<HeldEdit>(moves).state(), HeldEdit::TAKEN);
  EXPECT_THAT(world.Get<HeldEdit>(moves).scopes(), ::testing::ElementsAreArray(lay))
      << "as when it was decided";
  // Nothing has been written of it that does not stand.
  for (const auto& row : world.AuditOf(kServerDevice)) {
    Edit edit;
    edit.ParseFromString(row.edit);
    for (const Change& change : edit.changes()) {
      if (change.id() == moves.bytes()) {
        EXPECT_LE(row.version, world.StateOf({92, moves}).version());
      }
    }
  }
  ASSERT_THAT(Waiting(), SizeIs(1));
  EXPECT_THAT(world.Get<HeldEdit>(Waiting()[0]).scopes(), ElementsAre(host.str()));
  EXPECT_EQ(world.Sync(office), absl::OkStatus());
  EXPECT_THAT(world.Differences(office), IsEmpty());
}

// ---- What is refused leaves nothing (D3, D6, A7) ---------------------------------------

TEST_F(Roles, ARefusedEditMovesNoScopeAndHasNoVersion) {
  const Version before = ScopeVersion(host);
  const Id made_up = NewId();
  EXPECT_EQ(Answer(Of(&wang_author,
                      {Create(MeetingIn(host), NewId()), Create(MeetingIn(made_up), NewId())})),
            "1 RETURNED NOT_ENTITLED");
  EXPECT_EQ(ScopeVersion(host), before);
  EXPECT_EQ(ScopeVersion(made_up), Version());
  const server::AuditRow row = world.AuditOf(wang_author.device).at(0);
  EXPECT_EQ(row.version, Version());
  EXPECT_THAT(world.Commit({Of(&wang_author, {Create(MeetingIn(host), NewId())})}), SizeIs(1));
}

TEST_F(Roles, AnOldRecordThatTodayWouldBeRefusedLeavesNothingByHalves) {
  // A contact as an older declaration let it stand, without its branch.
  RecordState state;
  state.exists = true;
  Contact contact;
  contact.set_member_id(wang.str());
  contact.set_said("很好");
  state.body = contact.SerializeAsString();
  const RecordKey key{42, NewId()};
  ASSERT_EQ(world.store().Write([&](server::Writer& writer) -> absl::Status {
    auto version = writer.NextVersion({wang}, Version());
    state.touch = {*version, kServerDevice, StampAt(world.now_ms())};
    return writer.PutRecord(key, state, {}, {{wang, server::kAllOffices}});
  }),
            absl::OkStatus());
  const Id stay = Report(wangs);
  world.SyncAll();
  Step(chens, stay, Flow::ACCEPTED);
  world.SyncAll();
  EXPECT_EQ(world.Get<Flow>(stay).state(), Flow::ACCEPTED);
  EXPECT_THAT(chens.SetAside(), IsEmpty());
  Contact after;
  after.ParsePartialFromString(world.StateOf(key).body);
  EXPECT_THAT(after.other_branch_ids(), ElementsAre(branch.str(), host.str()));
}

TEST_F(Roles, WhatFollowsFromOneEditTravelsInParts) {
  for (int i = 0; i < 40; ++i) Talk(wangs, branch, std::string(60'000, 'x'));
  world.SyncAll();
  Stay();
  size_t parts = 0;
  for (const auto& row : world.AuditOf(kServerDevice)) {
    Edit edit;
    edit.ParseFromString(row.edit);
    size_t bytes = 0;
    for (const Change& change : edit.changes()) {
      bytes += world.StateOf({change.type(), *Id::FromBytes(change.id())}).body.size();
    }
    if (bytes > 50'000) ++parts;
    EXPECT_LT(bytes, 400'000u);
  }
  EXPECT_GE(parts, 6u);
  ExpectConverged();
}

// ---- What is cheap to send is cheap to judge (A5) -----------------------------------------

TEST_F(Roles, NamingALargeEditAThousandTimesIsRefusedUnread) {
  Answer(Of(&zhang_author, {Create(Long(1'000'000), NewId())}));
  Submitted heavy = Of(&zhang_author, {Create(MeetingIn(branch), NewId())});
  for (int i = 0; i < 1000; ++i) heavy.edit.add_builds_on(1);
  const Result result = world.Commit({heavy}).at(0);
  EXPECT_EQ(Text(result), "2 RETURNED MALFORMED");
  EXPECT_LT(result.work, 600u);  // the device's last row is looked at, once for a batch
}

TEST_F(Roles, NamingManyLargeEditsCostsNoMoreThanNamingSmallOnes) {
  std::vector<Submitted> large;
  for (int i = 0; i < 20; ++i) {
    large.push_back(Of(&zhang_author, {Create(Long(200'000), NewId())}));
  }
  world.Commit(large);
  Submitted building = Of(&zhang_author, {Create(MeetingIn(branch), NewId())});
  for (uint64_t number = 1; number <= 20; ++number) building.edit.add_builds_on(number);
  const Result result = world.Commit({building}).at(0);
  EXPECT_EQ(Text(result), "21 MERGED");
  EXPECT_LT(result.work, 200u);
}

TEST_F(Roles, AHeldEditIsOpenedOnceForAllThatBuildsOnIt) {
  Author lost = Lost();
  std::vector<Change> made;
  for (int i = 0; i < 100; ++i) made.push_back(Create(MeetingIn(branch), NewId()));
  made.push_back(Create(Long(900'000), NewId()));
  EXPECT_EQ(Answer(Of(&lost, made)), "1 HELD OF_REVOKED_DEVICE");
  const auto build_on = [&](size_t many) {
    std::vector<Change> changes;
    for (size_t i = 0; i < many; ++i) {
      changes.push_back(Update(At("礼堂"), *Id::FromBytes(made[i].id())));
    }
    Submitted building = Of(&lost, changes);
    building.edit.add_builds_on(1);
    const Result result = world.Commit({building}).at(0);
    EXPECT_EQ(result.answer.reason(), sync::v1::BUILDS_ON_HELD);
    return result.work;
  };
  const uint64_t one = build_on(1);
  EXPECT_LT(build_on(100), one + 2000);
}

TEST_F(Roles, WhatSaysItselfWhereItLiesOpensNoneOfWhatItBuildsOn) {
  Author lost = Lost();
  for (int i = 0; i < 4; ++i) {
    EXPECT_THAT(Answer(Of(&lost, {Create(Long(900'000), NewId())})),
                ::testing::EndsWith("HELD OF_REVOKED_DEVICE"));
  }
  const auto work = [&](const std::vector<uint64_t>& below) {
    Submitted building = Of(&lost, {Create(MeetingIn(branch), NewId())});
    for (const uint64_t number : below) building.edit.add_builds_on(number);
    const Result result = world.Commit({building}).at(0);
    EXPECT_EQ(result.answer.verdict(), sync::v1::HELD);
    return result.work;
  };
  const uint64_t on_one = work({1});
  EXPECT_LT(work({1, 2, 3, 4}), on_one + 200);
}

TEST_F(Roles, TakingWhatWaitedCostsNoMoreForWhatItsAuthorHasWrittenSince) {
  world.Dismiss(zhang, branch, SECRETARY);
  world.Appoint(li, branch, SECRETARY);
  EXPECT_EQ(Answer(Of(&zhang_author, {Create(MeetingIn(branch), NewId())})), "1 HELD GRANT_ENDED");
  const Id waiting = Waiting().at(0);
  world.Appoint(zhang, branch, DEPUTY);
  std::vector<Submitted> since;
  for (int i = 0; i < 20; ++i) since.push_back(Of(&zhang_author, {Create(Long(200'000), NewId())}));
  world.Commit(since);
  HeldEdit taken;
  taken.set_state(HeldEdit::TAKEN);
  const Result result = world.Commit({Of(&li_author, {Update(taken, waiting)})}).at(0);
  EXPECT_EQ(Text(result), "1 MERGED");
  EXPECT_LT(result.work, 300u);
}

TEST_F(Roles, WhatCannotBeTakenIsNotTriedWithoutEnd) {
  Author lost = Lost();
  Transfer letter;
  letter.set_member_id(wang.str());
  letter.set_from_branch_id(branch.str());
  letter.set_to_branch_id(host.str());
  letter.set_state(Transfer::ISSUED);
  Answer(Of(&lost, {Create(letter, NewId())}));
  const Id waiting = Waiting().at(0);
  std::string last;
  for (int i = 0; i <= server::kTriesMax; ++i) last = TakeAs(&zhang_author, waiting);
  EXPECT_EQ(last, "21 RETURNED STEP_NOT_ALLOWED");
  HeldEdit returned;
  returned.set_state(HeldEdit::RETURNED);
  EXPECT_EQ(Answer(Of(&zhang_author, {Update(returned, waiting)})), "22 MERGED");
}

TEST_F(Roles, AMadeUpRepeatIsAForkUnreadAndSoIsAllThatFollows) {
  Answer(Of(&zhang_author, {Create(Long(1'000'000), NewId())}));
  std::vector<Submitted> made_up;
  for (int i = 0; i < 100; ++i) {
    Author copy{zhang_author.device};
    made_up.push_back(Of(&copy, {Create(MeetingIn(branch), NewId())}));
  }
  uint64_t work = 0;
  for (const Result& result : world.Commit(made_up)) {
    EXPECT_TRUE(result.forked);
    work += result.work;
  }
  EXPECT_LT(work, 600u);
}

// ---- Notes stay with what they quote (A17) ---------------------------------------------

TEST_F(Roles, ANoteGoesWhereTheRecordGoesThatItQuotes) {
  const RecordType& type = *world.schema()->Find(PrivateDetail::descriptor());
  PrivateDetail detail;
  detail.set_member_id(wang.str());
  detail.set_branch_id(branch.str());
  detail.set_address("青石村一组");
  const Id id = DeriveId(type, Canonical(type.fields, detail.SerializeAsString())).value();
  EXPECT_EQ(Answer(Of(&zhang_author, {Create(detail, id)})), "1 MERGED");
  PrivateDetail other;
  other.set_address("青石村二组");
  EXPECT_EQ(Answer(Of(&wang_author, {Update(other, id, 0)})), "1 MERGED");
  SyncLive();
  ASSERT_THAT(zhangs.All<ConflictNote>(), SizeIs(1));
  Phone& office = world.Enrol(zhang);
  EXPECT_EQ(world.Sync(office), absl::OkStatus());
  const Id letter = Issue(office, host);
  EXPECT_EQ(world.Sync(office), absl::OkStatus());
  SyncLive();
  Step(chens, letter, Transfer::RECEIVED);
  SyncLive();
  EXPECT_THAT(zhangs.All<ConflictNote>(), IsEmpty());
  EXPECT_THAT(chens.All<ConflictNote>(), SizeIs(1));
}

}  // namespace
}  // namespace zhibu::test
