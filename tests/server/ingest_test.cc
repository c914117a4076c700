// Edits in, answers out: what is taken, held and returned, and what stands in
// the store and the audit afterwards.
#include "server/ingest/chains.h"
#include "sync/wire/canonical.h"
#include "sync/wire/wire.h"
#include "tests/support/raw_edits.h"

namespace zhibu::test {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

using IngestTest = RawEdits;

// ---- What is taken --------------------------------------------------------------

TEST_F(IngestTest, AnEditIsTakenAnsweredAndAudited) {
  const Id id = NewId();
  const Submitted edit = Of(&zhang_author, {Create(MeetingIn(branch, "学习"), id)});
  EXPECT_EQ(Answer(edit), "1 MERGED");
  EXPECT_EQ(world.Get<Meeting>(id).topic(), "学习");
  const auto rows = world.AuditOf(zhang_author.device);
  ASSERT_THAT(rows, SizeIs(1));
  EXPECT_EQ(rows[0].edit, edit.edit.edit());
  EXPECT_EQ(rows[0].received_ms, world.now_ms());
  EXPECT_EQ(rows[0].version, world.StateOf({31, id}).version());
}

TEST_F(IngestTest, ARepeatIsAnsweredAsBeforeAndChangesNothing) {
  const Id id = NewId();
  Sampler sampler;
  sampler.set_branch_id(branch.str());
  sampler.set_sum(5);
  const Submitted edit = Of(&zhang_author, {Create(sampler, id)});
  const auto first = world.Commit({edit});
  const auto second = world.Commit({edit, edit});
  ASSERT_THAT(second, SizeIs(2));
  for (const Result& again : second) {
    EXPECT_EQ(Text(again), Text(first[0]));
    EXPECT_EQ(again.version, first[0].version);
  }
  EXPECT_EQ(world.Get<Sampler>(id).sum(), 5);
  EXPECT_THAT(world.AuditOf(zhang_author.device), SizeIs(1));
}

TEST_F(IngestTest, AnEditWithinOneBatchMayBuildOnTheOneBefore) {
  const Id id = NewId();
  Meeting set;
  set.set_place("礼堂");
  const Submitted first = Of(&zhang_author, {Create(MeetingIn(branch), id)});
  Submitted second = Of(&zhang_author, {Update(set, id, 0)});
  second.edit.add_builds_on(1);
  EXPECT_THAT(Answers({first, second}), ElementsAre("1 MERGED", "2 MERGED"));
  EXPECT_EQ(world.Get<Meeting>(id).place(), "礼堂");
}

TEST_F(IngestTest, AStampFromTheFarFutureCountsAsNow) {
  const Id id = NewId();
  Answer(Of(&zhang_author, {Create(MeetingIn(branch), id)}));
  Meeting set;
  set.set_place("将来");
  Submitted future = Of(&zhang_author, {Update(set, id)});
  future.edit.set_stamp(StampAt(world.now_ms() + 86'400'000).value);
  EXPECT_EQ(Answer(future), "2 MERGED");
  world.Wait(1);
  set.set_place("现在");
  EXPECT_EQ(Answer(Of(&li_author, {Update(set, id, world.StateOf({31, id}).version().value - 1)})),
            "1 MERGED");
  EXPECT_EQ(world.Get<Meeting>(id).place(), "现在");
  EXPECT_EQ(world.AuditOf(zhang_author.device)[1].stamp.value, future.edit.stamp());
}

// ---- What is returned, and does not disturb the rest ---------------------------------

TEST_F(IngestTest, AnEditThatIsNoMessageIsReturnedAndTheRestGoesOn) {
  const Id before = NewId();
  const Id after = NewId();
  EXPECT_THAT(Answers({Of(&zhang_author, {Create(MeetingIn(branch), before)}),
                       Numbered(&zhang_author, "\xff\xff\xff"), Numbered(&zhang_author, ""),
                       Of(&zhang_author, {Create(MeetingIn(branch), after)})}),
              ElementsAre("1 MERGED", "2 RETURNED MALFORMED", "3 RETURNED MALFORMED", "4 MERGED"));
  EXPECT_TRUE(world.StateOf({31, before}).alive());
  EXPECT_TRUE(world.StateOf({31, after}).alive());
}

TEST_F(IngestTest, AnIdOrAKindThatIsNoneIsReturned) {
  Change change = Create(MeetingIn(branch), NewId());
  change.set_id("short");
  EXPECT_EQ(Answer(Of(&zhang_author, {change})), "1 RETURNED MALFORMED");
  change = Create(MeetingIn(branch), NewId());
  change.set_kind(static_cast<Change::Kind>(77));
  EXPECT_EQ(Answer(Of(&zhang_author, {change})), "2 RETURNED MALFORMED");
}

TEST_F(IngestTest, ATypeThatTheServerDoesNotKnowIsReturned) {
  Change change = Create(MeetingIn(branch), NewId());
  change.set_type(123'456);
  EXPECT_EQ(Answer(Of(&zhang_author, {change})), "1 RETURNED UNKNOWN_TYPE");
}

TEST_F(IngestTest, ASpecialFieldThatTheServerDoesNotKnowIsReturnedRatherThanGuessed) {
  Change change = Create(MeetingIn(branch), NewId());
  change.mutable_set()->append("\xa0\x06\x05");  // 100: 5
  EXPECT_EQ(Answer(Of(&zhang_author, {change})), "1 MERGED");
  Change special = Create(MeetingIn(branch), NewId());
  special.mutable_set()->append("\xa0\x06\x05");
  special.add_special(100);
  EXPECT_EQ(Answer(Of(&zhang_author, {special})), "2 RETURNED UNKNOWN_FIELD");
}

TEST_F(IngestTest, AnEditIsTakenWholeOrNotAtAll) {
  const Id good = NewId();
  Meeting empty;
  empty.set_topic("没有支部");
  EXPECT_EQ(Answer(Of(&zhang_author, {Create(MeetingIn(branch), good), Create(empty, NewId())})),
            "1 RETURNED MISSING_FIELD");
  EXPECT_FALSE(world.StateOf({31, good}).exists);
}

TEST_F(IngestTest, WhatTheServerWritesIsReturnedToADevice) {
  Sampler sampler;
  sampler.set_branch_id(branch.str());
  sampler.set_server("编号");
  EXPECT_EQ(Answer(Of(&zhang_author, {Create(sampler, NewId())})), "1 RETURNED SERVER_ONLY");
}

TEST_F(IngestTest, AFieldThatIsWrittenOnceIsReturnedToTheSecondWriter) {
  DuesPayment payment;
  payment.set_member_id(wang.str());
  payment.set_branch_id(branch.str());
  payment.set_amount_fen(500);
  payment.set_month("2026-11");
  const Id id = NewId();
  EXPECT_EQ(Answer(Of(&wang_author, {Create(payment, id)})), "1 MERGED");
  DuesPayment more;
  more.set_amount_fen(600);
  EXPECT_EQ(Answer(Of(&zhang_author, {Update(more, id)})), "1 RETURNED ALREADY_WRITTEN");
  EXPECT_EQ(Answer(Of(&zhang_author, {Deletion(51, id)})), "2 RETURNED PERMANENT");
}

TEST_F(IngestTest, ARecordWhoseIdItsFieldsDoNotMakeIsReturned) {
  CheckIn check_in;
  check_in.set_activity_id(branch.str());
  check_in.set_member_id(wang.str());
  check_in.set_branch_id(branch.str());
  EXPECT_EQ(Answer(Of(&wang_author, {Create(check_in, NewId())})), "1 RETURNED WRONG_ID");
}

TEST_F(IngestTest, TextThatIsNotUtf8IsReturned) {
  Change change = Create(MeetingIn(branch), NewId());
  change.mutable_set()->append("\x1a\x02\xff\xfe");
  EXPECT_EQ(Answer(Of(&zhang_author, {change})), "1 RETURNED INVALID_TEXT");
}

TEST_F(IngestTest, AnEditThatIsTooLargeIsReturned) {
  EXPECT_EQ(Answer(Of(&zhang_author,
                      {Create(MeetingIn(branch, std::string(kEditBytesMax, 'x')), NewId())})),
            "1 RETURNED TOO_LARGE");
}

// It was merged, could not be seen, and could never be taken out of a payment again.
TEST_F(IngestTest, WhatNobodyKnowsDoesNotFillARecord) {
  DuesPayment payment;
  payment.set_member_id(wang.str());
  payment.set_branch_id(branch.str());
  payment.set_amount_fen(500);
  payment.set_month("2026-11");
  Change change = Create(payment, NewId());
  wire::AppendBytesField(99, std::string(900'000, 'z'), change.mutable_set());
  EXPECT_EQ(Answer(Of(&wang_author, {change})), "1 RETURNED TOO_LARGE");
  // Nor bit by bit.
  Meeting meeting = MeetingIn(branch);
  change = Create(meeting, NewId());
  const RecordKey key{change.type(), *Id::FromBytes(change.id())};
  wire::AppendBytesField(99, std::string(12'000, 'z'), change.mutable_set());
  EXPECT_EQ(Answer(Of(&zhang_author, {change})), "1 MERGED");
  change = Update(meeting, key.id);
  change.clear_set(), change.clear_special();
  wire::AppendBytesField(100, std::string(12'000, 'z'), change.mutable_set());
  EXPECT_EQ(Answer(Of(&zhang_author, {change})), "2 RETURNED TOO_LARGE");
  change.clear_set();
  wire::AppendBytesField(99, "kept", change.mutable_set());
  EXPECT_EQ(Answer(Of(&zhang_author, {change})), "3 MERGED");
  EXPECT_EQ(UnknownBytes(world.schema()->Find(31)->fields, world.StateOf(key).body), 7u);
}

TEST_F(IngestTest, AnAmountThatNobodyPaysIsReturned) {
  DuesPayment payment;
  payment.set_member_id(wang.str());
  payment.set_branch_id(branch.str());
  payment.set_amount_fen(-1'000'000'000'000'000);
  payment.set_month("2026-11");
  EXPECT_EQ(Answer(Of(&wang_author, {Create(payment, NewId())})), "1 RETURNED BAD_VALUE");
}

TEST_F(IngestTest, AChangeOfARecordThatIsNotThereIsReturned) {
  Meeting set;
  set.set_place("礼堂");
  EXPECT_EQ(Answer(Of(&zhang_author, {Update(set, NewId())})), "1 RETURNED NO_SUCH_RECORD");
  EXPECT_EQ(Answer(Of(&zhang_author, {Deletion(31, NewId())})), "2 RETURNED NO_SUCH_RECORD");
}

// ---- Who may -------------------------------------------------------------------------

TEST_F(IngestTest, SomebodyWhoNeverHadTheOfficeGetsItReturned) {
  EXPECT_EQ(Answer(Of(&wang_author, {Create(MeetingIn(branch), NewId())})),
            "1 RETURNED NOT_ENTITLED");
}

TEST_F(IngestTest, SomebodyWhoseGrantHasEndedIsHeldAndWhatBuildsOnItWaitsWithIt) {
  world.Dismiss(zhang, branch, SECRETARY);
  const Id id = NewId();
  Meeting set;
  set.set_place("礼堂");
  const Submitted first = Of(&zhang_author, {Create(MeetingIn(branch), id)});
  Submitted building = Of(&zhang_author, {Update(set, id)});
  building.edit.add_builds_on(1);
  EXPECT_THAT(Answers({first, building}),
              ElementsAre("1 HELD GRANT_ENDED", "2 HELD BUILDS_ON_HELD"));
  EXPECT_FALSE(world.StateOf({31, id}).exists);
}

// Zhang's grant has ended; wang is the secretary now.
class HeldTest : public IngestTest {
 protected:
  HeldTest() {
    world.Dismiss(zhang, branch, SECRETARY);
    world.Appoint(wang, branch, SECRETARY);
    const Submitted first = Of(&zhang_author, {Create(MeetingIn(branch), meeting)});
    Meeting set;
    set.set_place("礼堂");
    Submitted building = Of(&zhang_author, {Update(set, meeting)});
    building.edit.add_builds_on(1);
    EXPECT_THAT(Answers({first, building}),
                ElementsAre("1 HELD GRANT_ENDED", "2 HELD BUILDS_ON_HELD"));
    for (const auto& row : world.AuditOf(zhang_author.device)) edits.push_back(row.edit);
  }

  records::v1::HeldEdit Held(int i) { return world.Get<records::v1::HeldEdit>(HeldId(edits[i])); }
  std::string Decide(Author* author, int i, records::v1::HeldEdit::State state) {
    records::v1::HeldEdit set;
    set.set_state(state);
    return Answer(Of(author, {Update(set, HeldId(edits[i]))}));
  }

  const Id meeting = NewId();
  std::vector<std::string> edits;
};

TEST_F(HeldTest, WhatIsHeldIsARecordOfTheBranchAndOfItsAuthor) {
  EXPECT_EQ(Held(0).state(), records::v1::HeldEdit::WAITING);
  EXPECT_THAT(Held(0).scopes(), ElementsAre(branch.str()));
  EXPECT_EQ(Held(0).author_id(), zhang.str());
  EXPECT_EQ(Held(0).edit(), edits[0]);
  EXPECT_EQ(Held(1).reason(), static_cast<uint32_t>(sync::v1::BUILDS_ON_HELD));
  EXPECT_FALSE(world.StateOf({31, meeting}).exists);
}

TEST_F(HeldTest, ASecretaryTakesItAndThenWhatBuildsOnIt) {
  EXPECT_EQ(Decide(&wang_author, 1, records::v1::HeldEdit::TAKEN), "1 RETURNED STEP_NOT_ALLOWED");
  EXPECT_EQ(Decide(&wang_author, 0, records::v1::HeldEdit::TAKEN), "2 MERGED");
  EXPECT_EQ(world.Get<Meeting>(meeting).branch_id(), branch.str());
  EXPECT_EQ(Decide(&wang_author, 1, records::v1::HeldEdit::TAKEN), "3 MERGED");
  EXPECT_EQ(world.Get<Meeting>(meeting).place(), "礼堂");
  EXPECT_EQ(Held(0).state(), records::v1::HeldEdit::TAKEN);
  // Once.
  EXPECT_EQ(Decide(&wang_author, 0, records::v1::HeldEdit::TAKEN), "4 MERGED");
  EXPECT_EQ(Decide(&wang_author, 0, records::v1::HeldEdit::RETURNED),
            "5 RETURNED STEP_NOT_ALLOWED");
}

TEST_F(HeldTest, WhatItsAuthorBuildsOnAnEditThatWasTakenStandsOnItsOwn) {
  Decide(&wang_author, 0, records::v1::HeldEdit::TAKEN);
  world.Appoint(zhang, branch, DEPUTY);
  Meeting set;
  set.set_topic("学习");
  Submitted next = Of(&zhang_author, {Update(set, meeting)});
  next.edit.add_builds_on(1);
  EXPECT_EQ(Answer(next), "3 MERGED");
}

TEST_F(HeldTest, OneThatIsReturnedIsNotMergedAndNeitherIsWhatBuildsOnIt) {
  EXPECT_EQ(Decide(&wang_author, 0, records::v1::HeldEdit::RETURNED), "1 MERGED");
  EXPECT_EQ(Decide(&wang_author, 1, records::v1::HeldEdit::TAKEN), "2 RETURNED BUILDS_ON_RETURNED");
  EXPECT_FALSE(world.StateOf({31, meeting}).exists);
  EXPECT_EQ(Held(1).state(), records::v1::HeldEdit::WAITING);
}

TEST_F(HeldTest, OnlyWhoMayMakeTheChangeThemselvesTakesIt) {
  EXPECT_EQ(Decide(&zhang_author, 0, records::v1::HeldEdit::TAKEN), "3 HELD GRANT_ENDED");
  EXPECT_EQ(Decide(&li_author, 0, records::v1::HeldEdit::TAKEN), "1 RETURNED NO_SUCH_RECORD");
  EXPECT_EQ(Held(0).state(), records::v1::HeldEdit::WAITING);
  EXPECT_FALSE(world.StateOf({31, meeting}).exists);
}

TEST_F(HeldTest, ASecretaryOfOneBranchDoesNotTakeForAnother) {
  const Id other = world.Branch("云溪村党支部");
  world.Appoint(li, branch, SECRETARY);
  world.Appoint(li, other, SECRETARY);
  world.Wait(1);
  world.Dismiss(li, branch, SECRETARY);
  world.Dismiss(li, branch, DEPUTY);
  world.Dismiss(li, other, SECRETARY);
  const Id here = NewId();
  const Id there = NewId();
  const Submitted both =
      Of(&li_author, {Create(MeetingIn(branch), here), Create(MeetingIn(other), there)});
  EXPECT_EQ(Answer(both), "1 HELD GRANT_ENDED");
  edits.push_back(both.edit.edit());
  // Nor do they see what is the other's.
  EXPECT_EQ(Held(2).scopes_size(), 2);
  EXPECT_EQ(Held(2).edit(), "");
  EXPECT_EQ(Decide(&wang_author, 2, records::v1::HeldEdit::TAKEN), "1 RETURNED NOT_ENTITLED");
  EXPECT_EQ(Held(2).state(), records::v1::HeldEdit::WAITING);
  EXPECT_FALSE(world.StateOf({31, here}).exists);
  EXPECT_FALSE(world.StateOf({31, there}).exists);
}

TEST_F(HeldTest, NobodyDeletesWhatWaits) {
  EXPECT_EQ(Answer(Of(&wang_author, {Deletion(92, HeldId(edits[0]))})), "1 RETURNED PERMANENT");
  EXPECT_EQ(Held(0).state(), records::v1::HeldEdit::WAITING);
}

TEST_F(HeldTest, ADecisionStandsAlone) {
  records::v1::HeldEdit set;
  set.set_state(records::v1::HeldEdit::TAKEN);
  const Change decision = Update(set, HeldId(edits[0]));
  EXPECT_EQ(Answer(Of(&wang_author, {decision, Create(MeetingIn(branch), NewId())})),
            "1 RETURNED MALFORMED");
  EXPECT_EQ(Held(0).state(), records::v1::HeldEdit::WAITING);
  EXPECT_FALSE(world.StateOf({31, meeting}).exists);
}

TEST_F(IngestTest, AGrantThatBeginsTomorrowCountsTomorrow) {
  world.Dismiss(li, branch, DEPUTY);
  world.Wait(1);
  const Id other = world.Branch("云溪村党支部");
  records::v1::Grant grant;
  grant.set_person_id(li.str());
  grant.set_organisation_id(other.str());
  grant.set_office(SECRETARY);
  grant.mutable_from()->set_seconds(world.now_ms() / 1000 + 86'400);
  world.Write(grant, Id());
  EXPECT_EQ(Answer(Of(&li_author, {Create(MeetingIn(other), NewId())})), "1 RETURNED NOT_ENTITLED");
  world.Wait(2 * 86'400'000);
  EXPECT_EQ(Answer(Of(&li_author, {Create(MeetingIn(other), NewId())})), "2 MERGED");
}

TEST_F(IngestTest, WhatAMemberRecordsWhoWasMovedMeanwhileWaitsAtTheirFormerBranch) {
  const Id other = world.Branch("云溪村党支部");
  const auto dues_in = [&](const Id& where) {
    DuesPayment payment;
    payment.set_member_id(wang.str());
    payment.set_branch_id(where.str());
    payment.set_amount_fen(500);
    payment.set_month("2026-07");
    return Create(payment, NewId());
  };
  EXPECT_EQ(Answer(Of(&wang_author, {dues_in(other)})), "1 RETURNED NOT_ENTITLED");
  world.Place(wang, other);
  EXPECT_EQ(Answer(Of(&wang_author, {dues_in(branch)})), "2 HELD MOVED_AWAY");
  EXPECT_EQ(Answer(Of(&wang_author, {dues_in(other)})), "3 MERGED");
}

TEST_F(IngestTest, ARecordMayNotBeMovedToABranchThatItsAuthorDoesNotBelongTo) {
  const Id other = world.Branch("云溪村党支部");
  const Id id = NewId();
  Answer(Of(&zhang_author, {Create(MeetingIn(branch), id)}));
  EXPECT_EQ(Answer(Of(&zhang_author, {Update(MeetingIn(other), id)})), "2 RETURNED NOT_ENTITLED");
  EXPECT_EQ(world.Get<Meeting>(id).branch_id(), branch.str());
}

TEST_F(IngestTest, NobodyGivesThemselvesAGrant) {
  records::v1::Grant grant;
  grant.set_person_id(wang.str());
  grant.set_organisation_id(branch.str());
  grant.set_office(SECRETARY);
  const RecordType& type = *world.schema()->FindByName("Grant");
  const Id id = DeriveId(type, Canonical(type.fields, grant.SerializeAsString())).value();
  EXPECT_EQ(Answer(Of(&wang_author, {Create(grant, id)})), "1 RETURNED SERVER_ONLY");
  EXPECT_EQ(Answer(Of(&zhang_author, {Create(grant, id)})), "1 RETURNED SERVER_ONLY");
}

TEST_F(IngestTest, NobodyChangesTheirOwnGrant) {
  records::v1::Grant grant;
  grant.set_person_id(zhang.str());
  grant.set_organisation_id(branch.str());
  grant.set_office(SECRETARY);
  const RecordType& type = *world.schema()->FindByName("Grant");
  const Id id = DeriveId(type, Canonical(type.fields, grant.SerializeAsString())).value();
  records::v1::Grant longer;
  longer.mutable_until()->set_seconds(9'999'999'999);
  EXPECT_EQ(Answer(Of(&zhang_author, {Update(longer, id)})), "1 RETURNED NOT_ENTITLED");
  EXPECT_EQ(Answer(Of(&zhang_author, {Deletion(type.number, id)})), "2 RETURNED SERVER_ONLY");
}

TEST_F(IngestTest, WhatARevokedDeviceStillSendsIsHeld) {
  world.Revoke(zhang_author.device);
  EXPECT_EQ(Answer(Of(&zhang_author, {Create(MeetingIn(branch), NewId())})),
            "1 HELD OF_REVOKED_DEVICE");
}

TEST_F(IngestTest, AGrantThatEndsWithinABatchEndsForTheEditsAfterIt) {
  world.Appoint(wang, branch, COMMITTEE, world.now_ms() + 1000);
  EXPECT_EQ(Answer(Of(&wang_author, {Create(MeetingIn(branch), NewId())})), "1 MERGED");
  world.Wait(1000);
  EXPECT_EQ(Answer(Of(&wang_author, {Create(MeetingIn(branch), NewId())})), "2 HELD GRANT_ENDED");
}

// ---- Forks -----------------------------------------------------------------------------

TEST_F(IngestTest, ANumberThatWasUsedForAnotherEditIsAFork) {
  Author copy = zhang_author;
  Answer(Of(&zhang_author, {Create(MeetingIn(branch), NewId())}));
  EXPECT_THAT(Answers({Of(&copy, {Create(MeetingIn(branch), NewId())}),
                       Of(&copy, {Create(MeetingIn(branch), NewId())})}),
              ElementsAre("forked", "forked"));
  EXPECT_THAT(world.AuditOf(zhang_author.device), SizeIs(1));
}

TEST_F(IngestTest, TheNextNumberAfterADifferentPastIsAFork) {
  Author copy = zhang_author;
  Answer(Of(&zhang_author, {Create(MeetingIn(branch), NewId())}));
  Of(&copy, {Create(MeetingIn(branch), NewId())});  // lost
  EXPECT_EQ(Answer(Of(&copy, {Create(MeetingIn(branch), NewId())})), "forked");
}

TEST_F(IngestTest, AnEditThatComesUnderAnotherNumberOfItsAuthorCountsOnceAndIsAnsweredAlike) {
  const Id id = NewId();
  const Submitted merged = Of(&zhang_author, {Create(MeetingIn(branch), id)});
  const Submitted returned = Of(&zhang_author, {Deletion(31, NewId())});
  EXPECT_THAT(Answers({merged, returned}), ElementsAre("1 MERGED", "2 RETURNED NO_SUCH_RECORD"));
  const uint64_t version = world.StateOf({31, id}).version().value;
  Author again{world.Enrol(zhang).number()};
  EXPECT_THAT(
      Answers({Numbered(&again, returned.edit.edit()), Numbered(&again, merged.edit.edit())}),
      ElementsAre("1 RETURNED NO_SUCH_RECORD", "2 MERGED ANSWERED_BEFORE"));
  EXPECT_EQ(world.StateOf({31, id}).version().value, version);
  // What builds on it is judged by what became of it.
  Submitted building = Of(&again, {Deletion(31, NewId())});
  building.edit.add_builds_on(1);
  EXPECT_EQ(Answer(building), "3 RETURNED BUILDS_ON_RETURNED");
}

TEST_F(IngestTest, AnotherPersonsEditWithTheSameBytesIsAnEditOfItsOwn) {
  const Submitted zhangs_edit = Of(&zhang_author, {Create(MeetingIn(branch), NewId())});
  EXPECT_EQ(Answer(zhangs_edit), "1 MERGED");
  EXPECT_EQ(Answer(Numbered(&wang_author, zhangs_edit.edit.edit())), "1 RETURNED NOT_ENTITLED");
}

TEST_F(IngestTest, ANumberAfterAGapIsAFork) {
  Of(&zhang_author, {Create(MeetingIn(branch), NewId())});
  EXPECT_EQ(Answer(Of(&zhang_author, {Create(MeetingIn(branch), NewId())})), "forked");
}

// ---- What else is written ---------------------------------------------------------------

TEST_F(IngestTest, AConflictIsNotedOnceAndAPersonMayMarkItAsSettled) {
  const Id id = NewId();
  Answer(Of(&zhang_author, {Create(MeetingIn(branch), id)}));
  const uint64_t base = world.StateOf({31, id}).version().value;
  Meeting set;
  set.set_place("礼堂");
  Answer(Of(&zhang_author, {Update(set, id, base)}));
  world.Wait(1);
  set.set_place("村委会");
  EXPECT_EQ(Answer(Of(&li_author, {Update(set, id, base)})), "1 MERGED");

  std::vector<std::pair<Id, RecordState>> notes;
  const auto list = [&] {
    notes.clear();
    EXPECT_EQ(world.store().Read([&](server::Reader& reader) {
      return reader.ListRecords(91, branch, [&](const Id& note, const RecordState& state) {
        notes.emplace_back(note, state);
      });
    }),
              absl::OkStatus());
  };
  list();
  ASSERT_THAT(notes, SizeIs(1));
  ConflictNote settled;
  settled.set_state(ConflictNote::SETTLED);
  EXPECT_EQ(Answer(Of(&li_author, {Update(settled, notes[0].first)})), "2 MERGED");
  EXPECT_EQ(Answer(Of(&wang_author, {Update(settled, notes[0].first)})),
            "1 RETURNED NO_SUCH_RECORD");
  ConflictNote forged;
  forged.set_lost("\"别的\"");
  EXPECT_EQ(Answer(Of(&li_author, {Update(forged, notes[0].first)})), "3 RETURNED SERVER_ONLY");
  list();
  EXPECT_EQ(world.Get<ConflictNote>(notes[0].first).state(), ConflictNote::SETTLED);
}

TEST_F(IngestTest, AnEditThatIsReturnedWritesNoneOfItsRecordsNorNotes) {
  // Two values that together are larger than an edit may be.
  const Id id = NewId();
  Answer(Of(&zhang_author, {Create(MeetingIn(branch), id)}));
  const uint64_t base = world.StateOf({31, id}).version().value;
  Meeting set;
  set.set_minutes(std::string(700'000, 'a'));
  EXPECT_EQ(Answer(Of(&zhang_author, {Update(set, id, base)})), "2 MERGED");
  world.Wait(1);
  set.set_minutes(std::string(700'000, 'b'));
  EXPECT_EQ(Answer(Of(&li_author, {Update(set, id, base)})), "1 MERGED");
  EXPECT_EQ(world.Get<Meeting>(id).minutes()[0], 'b');
}

// Else who adds a little costs everybody what stands there, again and again.
TEST_F(IngestTest, ANoteHoldsWhatWasLostAndOfWhatStandsInTheRecordTheBeginning) {
  const Id id = NewId();
  Answer(Of(&zhang_author, {Create(MeetingIn(branch), id)}));
  const uint64_t base = world.StateOf({31, id}).version().value;
  std::string minutes;
  while (minutes.size() < 600'000) minutes += "会";
  Meeting set;
  set.set_minutes("短");
  Answer(Of(&zhang_author, {Update(set, id, base)}));
  world.Wait(1);
  set.set_minutes(minutes);
  EXPECT_EQ(Answer(Of(&li_author, {Update(set, id, base)})), "1 MERGED");
  std::vector<ConflictNote> notes;
  EXPECT_EQ(world.store().Read([&](server::Reader& reader) {
    return reader.ListRecords(91, branch, [&](const Id&, const RecordState& state) {
      EXPECT_TRUE(notes.emplace_back().ParseFromString(state.body));  // whole characters, too
    });
  }),
            absl::OkStatus());
  ASSERT_THAT(notes, SizeIs(1));
  EXPECT_EQ(notes[0].lost(), "\"短\"");
  EXPECT_LT(notes[0].kept().size(), 2100u);
  EXPECT_THAT(notes[0].kept(), ::testing::StartsWith("\"会会会"));
  EXPECT_THAT(notes[0].kept(), ::testing::EndsWith("会…\""));
}

// All of it travels in one update; devices that hold the scope could take no other.
TEST_F(IngestTest, AnEditMayNotTouchMoreThanAnUpdateCarries) {
  std::vector<Change> touches;
  uint64_t number = 0;
  Meeting small;
  small.set_place("礼堂");
  for (int i = 0; i < 12; ++i) {
    Meeting large = MeetingIn(branch);
    large.set_minutes(std::string(900'000, 'x'));
    touches.push_back(Update(small, NewId()));
    const Submitted made = Of(&zhang_author, {Create(large, *Id::FromBytes(touches.back().id()))});
    EXPECT_EQ(Answer(made), absl::StrCat(++number, " MERGED"));
  }
  EXPECT_EQ(Answer(Of(&zhang_author, touches)), "13 RETURNED TOO_LARGE");
  touches.resize(8);
  EXPECT_EQ(Answer(Of(&zhang_author, touches)), "14 MERGED");
}

// Else one edit could delete it and make it anew five hundred times, and each of
// those lives would be kept.
TEST_F(IngestTest, AnEditMayChangeARecordOnce) {
  const Id id = NewId();
  EXPECT_EQ(Answer(Of(&zhang_author, {Create(MeetingIn(branch), id), Deletion(31, id)})),
            "1 RETURNED MALFORMED");
  EXPECT_FALSE(world.StateOf({31, id}).exists);
}

TEST_F(IngestTest, AllChainsOfTheAuditCanBeWorkedOutAgain) {
  const Id id = NewId();
  Answer(Of(&zhang_author, {Create(MeetingIn(branch), id)}));
  Answer(Of(&wang_author, {Create(MeetingIn(branch), NewId())}));
  world.CheckAudit();
  auto rows = world.AuditOf(zhang_author.device);
  rows[0].edit[3] ^= 1;
  EXPECT_NE(server::ChainAfter("", rows[0]), rows[0].chain);
}

}  // namespace
}  // namespace zhibu::test
