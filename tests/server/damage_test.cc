// Bits flip on the server's disk: what cannot be read is reported and passed over, and stops
// nobody else; once it is put back, everybody has it.
#include "tests/support/damage.h"

#include "absl/strings/str_cat.h"
#include "server/admin/check.h"
#include "server/identity/enrolment.h"
#include "server/sessions/ask.h"
#include "sync/base/status.h"
#include "sync/rules/typed.h"
#include "tests/support/village.h"

namespace zhibu::test {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

class DamagedRows : public Village {
 protected:
  Damaged Flip(const std::string& table, const std::string& column, const std::string& where) {
    const auto damaged = FlipBit(world.server_file(), "", table, column, where);
    EXPECT_TRUE(damaged.has_value()) << table << " where " << where;
    return damaged.value_or(Damaged());
  }
  template <typename T>
  Damaged FlipRecord(const Id& id, const std::string& column = "body") {
    return Flip("record", column,
                absl::StrCat("type = ", TypeOf<T>().number, " AND id = x'", Hex(id.bytes()), "'"));
  }
  void Mend(const Damaged& damaged) {
    PutBack(world.server_file(), "", damaged);
    world.RestartServer();
  }
  // What `zhibu admin check` finds, in English.
  std::vector<std::string> Found() {
    admin::v1::CheckReply reply;
    EXPECT_EQ(server::CheckStore(world.store(), *world.schema(), &reply), absl::OkStatus());
    std::vector<std::string> found;
    for (const auto& finding : reply.findings()) {
      EXPECT_FALSE(finding.what().zh().empty());
      EXPECT_FALSE(finding.advice().en().empty());
      found.push_back(finding.what().en());
    }
    return found;
  }
};

TEST_F(DamagedRows, ARecordThatCannotBeReadStopsNobodyWhoReadsItsBranch) {
  const Id broken = MakeMeeting(zhangs);
  ASSERT_EQ(world.Sync(zhangs), absl::OkStatus());
  FlipRecord<Meeting>(broken);
  const Id whole = MakeMeeting(lis);
  ASSERT_EQ(world.Sync(lis), absl::OkStatus());
  EXPECT_EQ(world.Sync(wangs), absl::OkStatus());
  EXPECT_EQ(world.Sync(zhangs), absl::OkStatus());
  EXPECT_TRUE(wangs.Has<Meeting>(whole));
  EXPECT_FALSE(wangs.Has<Meeting>(broken));
  EXPECT_THAT(world.heard().damaged(), Contains(HasSubstr(Hex(broken.bytes()))));
}

TEST_F(DamagedRows, WhatWasPassedOverIsSentOnceItIsMended) {
  const Id broken = MakeMeeting(zhangs);
  ASSERT_EQ(world.Sync(zhangs), absl::OkStatus());
  const Damaged damaged = FlipRecord<Meeting>(broken);
  MakeMeeting(lis);
  ASSERT_EQ(world.Sync(lis), absl::OkStatus());
  ASSERT_EQ(world.Sync(wangs), absl::OkStatus());
  world.RestartServer();  // still damaged: nothing is read anew
  ASSERT_EQ(world.Sync(wangs), absl::OkStatus());
  EXPECT_FALSE(wangs.Has<Meeting>(broken));
  Mend(damaged);
  ASSERT_EQ(world.Sync(wangs), absl::OkStatus());
  EXPECT_TRUE(wangs.Has<Meeting>(broken));
  ExpectConverged();
}

TEST_F(DamagedRows, AnEditOfADamagedRecordGoesBackAndThoseBehindItGoIn) {
  const Id broken = MakeMeeting(zhangs);
  ASSERT_EQ(world.Sync(zhangs), absl::OkStatus());
  const Damaged damaged = FlipRecord<Meeting>(broken);
  zhangs.Change<Meeting>(broken, [](Meeting& meeting) { meeting.set_place("礼堂"); });
  const Id behind = MakeMeeting(zhangs);
  ASSERT_EQ(world.Sync(zhangs), absl::OkStatus());
  EXPECT_EQ(zhangs.State().unsent, 0u);
  EXPECT_THAT(zhangs.SetAside(), ElementsAre(HasSubstr("RETURNED SERVER_FAULT")));
  EXPECT_EQ(world.Get<Meeting>(behind).topic(), "七月党员大会");
  EXPECT_THAT(world.heard().troubles(), Not(IsEmpty()));
  Mend(damaged);
  world.SyncAll();
  // Made again, it goes in.
  std::vector<uint64_t> places;
  ASSERT_EQ(zhangs.store().ListSetAside(
                [&](const client::SetAside& item) { places.push_back(item.place); }),
            absl::OkStatus());
  auto drafts = zhangs.store().Amend(places.at(0));
  ASSERT_TRUE(drafts.ok()) << drafts.status();
  zhangs.Commit({&drafts->at(0)});
  world.SyncAll();
  EXPECT_EQ(world.Get<Meeting>(broken).place(), "礼堂");
}

TEST_F(DamagedRows, ADamagedAnswerIsToldByItsVerdict) {
  MakeMeeting(zhangs);
  const EditNumber before = world.RowOf(zhangs.number()).last_number;
  {  // it is in, and the answer is lost on the way
    Stream stream(&world, &zhangs);
    while (world.RowOf(zhangs.number()).last_number == before) ASSERT_TRUE(stream.Step());
  }
  Flip("audit", "answer",
       absl::StrCat("device = ", zhangs.number().value, " AND number = ", before.value + 1));
  EXPECT_EQ(world.Sync(zhangs), absl::OkStatus());
  EXPECT_EQ(zhangs.State().unsent, 0u);
  EXPECT_THAT(zhangs.SetAside(), IsEmpty());
}

TEST_F(DamagedRows, ADamagedNameStopsNoDevice) {
  MakeMeeting(zhangs);
  Flip("device", "name", absl::StrCat("number = ", zhangs.number().value));
  EXPECT_THAT(Found(), Contains(HasSubstr(absl::StrCat("device ", zhangs.number().value))));
  Flip("device", "name", "number = 1");  // the server's own
  EXPECT_EQ(world.Sync(zhangs), absl::OkStatus());
  EXPECT_EQ(zhangs.State().unsent, 0u);
}

TEST_F(DamagedRows, DamageAtTheHeadOfAChainStopsNoEdit) {
  MakeMeeting(zhangs);
  world.SyncAll();
  for (const uint32_t device : {kServerDevice.value, zhangs.number().value}) {
    Flip("audit", "edit",
         absl::StrCat("device = ", device, " AND number = (SELECT last_number FROM device WHERE ",
                      "number = ", device, ")"));
  }
  MakeMeeting(zhangs);
  world.Person("新来的", branch);  // the server's own edits
  EXPECT_EQ(world.Sync(zhangs), absl::OkStatus());
  EXPECT_EQ(zhangs.State().unsent, 0u);
  EXPECT_THAT(Found(), SizeIs(2));
}

TEST_F(DamagedRows, WhoseDeviceWasSeenIsNotedBesideADamagedDeviceRecord) {
  FlipRecord<records::v1::Device>(world.RowOf(zhangs.number()).record);
  world.Wait(int64_t{2} * 86'400'000);
  EXPECT_EQ(world.store().Write([&](server::Writer& writer) {
    return server::NoteSeen(writer, world.ingest(),
                            {{zhangs.number(), world.now_ms()}, {lis.number(), world.now_ms()}});
  }),
            absl::OkStatus());
  EXPECT_EQ(world.RowOf(lis.number()).last_seen_ms, world.now_ms());
}

TEST_F(DamagedRows, WhoHasADamagedGrantKeepsWhatTheyHoldAndIsToldToComeAgain) {
  MakeMeeting(zhangs);
  world.SyncAll();
  const std::vector<std::string> before = zhangs.View();
  const Damaged damaged =
      Flip("record", "body",
           absl::StrCat(
               "type = ", TypeOf<records::v1::Grant>().number, " AND no = (SELECT record_no",
               " FROM feed WHERE type = ", TypeOf<records::v1::Grant>().number,
               " AND scope_no = (SELECT no FROM scope WHERE id = x'", Hex(zhang.bytes()), "'))"));
  EXPECT_FALSE(world.Sync(zhangs).ok());
  EXPECT_EQ(zhangs.View(), before);
  EXPECT_EQ(world.Sync(wangs), absl::OkStatus());
  Mend(damaged);
  ExpectConverged();
}

TEST_F(DamagedRows, AQuestionLeavesItOut) {
  const Id broken = MakeMeeting(zhangs);
  const Id whole = MakeMeeting(zhangs);
  world.SyncAll();
  FlipRecord<Meeting>(broken);
  sync::v1::Ask ask;
  ask.set_type(TypeOf<Meeting>().number);
  ask.set_organisation_id(branch.str());
  sync::v1::Page page;
  server::KnownTree tree;
  server::Disclosures disclosures;
  EXPECT_EQ(world.store().Read([&](server::Reader& reader) {
    return server::AnswerAsk(reader, world.ingest(), zhang, world.now_ms(), ask, &tree, &page,
                             &disclosures);
  }),
            absl::OkStatus());
  EXPECT_THAT(page.ids(), ElementsAre(whole.str()));
}

TEST_F(DamagedRows, CheckTellsWhatIsDamagedAndWhomItConcerns) {
  const Id meeting = MakeMeeting(zhangs);
  world.SyncAll();
  EXPECT_THAT(Found(), IsEmpty());
  FlipRecord<Meeting>(meeting);
  admin::v1::CheckReply reply;
  EXPECT_EQ(server::CheckStore(world.store(), *world.schema(), &reply), absl::OkStatus());
  ASSERT_THAT(reply.findings(), SizeIs(1));
  EXPECT_EQ(reply.findings(0).what().en(),
            absl::StrCat("damaged record: Meeting ", Hex(meeting.bytes())));
  ASSERT_THAT(reply.findings(0).whom(), SizeIs(1));
  EXPECT_EQ(reply.findings(0).whom(0).name(), "青石村党支部");
  EXPECT_THAT(reply.findings(0).advice().en(), HasSubstr("restore"));
}

TEST_F(DamagedRows, CheckFindsAnAlteredChainALostRecordAndOneThatNobodyIsSent) {
  const Id meeting = MakeMeeting(zhangs);
  const Id other = MakeMeeting(zhangs);
  world.SyncAll();
  Flip("audit", "chain", absl::StrCat("device = ", zhangs.number().value, " AND number = 1"));
  EXPECT_THAT(Found(), Contains(HasSubstr("chain in the audit is broken at edit 1")));
  Execute(world.server_file(),
          absl::StrCat("DELETE FROM record WHERE id = x'", Hex(meeting.bytes()), "'"));
  EXPECT_THAT(Found(), Contains(absl::StrCat("lost record: Meeting ", Hex(meeting.bytes()))));
  Execute(world.server_file(),
          absl::StrCat("DELETE FROM feed WHERE id = x'", Hex(other.bytes()), "'"));
  EXPECT_THAT(Found(),
              Contains(absl::StrCat("it is not sent to devices: Meeting ", Hex(other.bytes()))));
}

}  // namespace
}  // namespace zhibu::test
