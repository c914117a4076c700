// The judge must be able to condemn: worlds that are made wrong by hand.
#include <gtest/gtest.h>
#include <sqlite3.h>

#include "proto/policies.pb.h"
#include "sync/base/status.h"
#include "tests/sim/bytes.h"
#include "tests/sim/simulation.h"
#include "zhibu/records/v1/catalogue.pb.h"

namespace zhibu::sim {
namespace {

using zhibu::testing::Sampler;

class Judge : public ::testing::Test {
 protected:
  Judge() : universe({.seed = 5, .steps = 0, .devices = 5, .faults = {}}) {
    branch = universe.branches()[0];
    Device& device = *universe.devices()[0];
    universe.Sync(device);
    client::Draft draft = device.store->New<Sampler>();
    draft.message<Sampler>().set_branch_id(branch.str());
    draft.message<Sampler>().set_sum(7);
    universe.Commit(device, {&draft}, {});
    sampler = draft.id();
  }

  void Sql(const Disk& disk, const char* file, const char* sql) {
    sqlite3* database = nullptr;
    ASSERT_EQ(sqlite3_open_v2(file, &database, SQLITE_OPEN_READWRITE, disk.vfs().c_str()),
              SQLITE_OK);
    char* error = nullptr;
    EXPECT_EQ(sqlite3_exec(database, sql, nullptr, nullptr, &error), SQLITE_OK) << error;
    sqlite3_close(database);
  }
  Device& device(int i) { return *universe.devices()[i]; }
  std::string Verdict() {
    return universe.failure() ? universe.failure()->invariant : "all is well";
  }

  Universe universe;
  Id branch;
  Id sampler;
};

TEST_F(Judge, FindsNothingWhereAllIsWell) {
  universe.CheckAll();
  EXPECT_EQ(Verdict(), "all is well");
}

TEST_F(Judge, MissesACommittedEdit) {
  Sql(device(0).disk, "device.db", "DELETE FROM pending");
  universe.CheckAccount(device(0));
  EXPECT_EQ(Verdict(), kCommittedKept);
}

TEST_F(Judge, DoesNotBelieveACheckInThatIsVerifiedWithoutACode) {
  records::v1::CheckIn check_in;
  check_in.set_activity_id(branch.str());
  check_in.set_member_id(device(0).person.str());
  check_in.set_branch_id(branch.str());
  check_in.set_standing(records::v1::CheckIn::VERIFIED);
  universe.OwnWrite(check_in, Id());
  universe.CheckAll();
  EXPECT_EQ(Verdict(), kCodes);
}

TEST_F(Judge, MissesARecordOnADevice) {
  universe.CheckAll();
  Sql(device(0).disk, "device.db", "DELETE FROM record WHERE type = 9001");
  universe.CheckAll();
  EXPECT_EQ(Verdict(), kView);
}

TEST_F(Judge, SeesARecordThatADeviceHasNoRightTo) {
  universe.CheckAll();
  sync::v1::Update update;  // that no server said
  auto* group = update.add_groups();
  group->set_type(9001);
  group->set_version(1);
  group->set_ids("0123456789abcdef");
  group->add_bodies("");
  ASSERT_EQ(device(0).store->ApplyUpdate(update), absl::OkStatus());
  universe.CheckAll();
  EXPECT_EQ(Verdict(), kRight);
}

TEST_F(Judge, SeesWhatLiesInTheClearOnADisk) {
  universe.CheckAll();
  Sql(device(0).disk, "device.db", "INSERT INTO setting VALUES ('note', '青石村党支部')");
  universe.CheckAll();
  EXPECT_EQ(Verdict(), kSealed);
}

TEST_F(Judge, SeesAWrongValueOnTheServer) {
  universe.CheckAll();
  ASSERT_EQ(universe.server().store->Write([&](server::Writer& writer) -> absl::Status {
    ASSIGN_OR_RETURN(RecordState state, writer.GetRecord({9001, sampler}));
    state.body.resize(18);  // the branch alone
    return writer.PutRecord({9001, sampler}, state, {}, {});
  }),
            absl::OkStatus());
  universe.CheckAll();
  EXPECT_EQ(Verdict(), kValue);
}

TEST_F(Judge, SeesAChangedAuditRow) {
  universe.CheckAll();
  Sql(universe.server().disk, "server.db", "UPDATE audit SET received_ms = 1 WHERE device = 2");
  universe.CheckAll();
  EXPECT_EQ(Verdict(), kAudit);
}

TEST_F(Judge, SeesAVanishedAuditRow) {
  universe.CheckAll();
  Sql(universe.server().disk, "server.db", "DELETE FROM audit WHERE device = 1 AND number = 3");
  universe.CheckAll();
  EXPECT_EQ(Verdict(), kAudit);
}

TEST_F(Judge, HearsARemovalOfWhatADeviceNeverHeld) {
  universe.CheckAll();
  Sampler elsewhere;
  elsewhere.set_branch_id(universe.branches()[1].str());
  const Id id = universe.server().environment().NewId();
  universe.OwnWrite(elsewhere, id);
  sync::v1::Update update;
  auto* removal = update.add_removals();
  removal->set_type(9001);
  removal->set_ids(sampler.str());
  universe.CheckUpdate(Universe::HearerOf(device(0)), update);
  EXPECT_EQ(Verdict(), "all is well");
  removal->set_ids(id.str());
  universe.CheckUpdate(Universe::HearerOf(device(0)), update);
  EXPECT_EQ(Verdict(), kTold);
}

TEST_F(Judge, HearsOfAScopeThatNeverWasADevices) {
  sync::v1::Update update;
  auto& cursor = *update.add_cursors();
  cursor.set_scope(universe.branches()[1].str());
  cursor.set_audience(2);
  universe.CheckUpdate(Universe::HearerOf(device(0)), update);
  EXPECT_EQ(Verdict(), kTold);
}

TEST_F(Judge, HearsOfARecordThatADeviceHasNoRightTo) {
  universe.CheckAll();
  Sampler elsewhere;
  elsewhere.set_branch_id(universe.branches()[1].str());
  const Id id = universe.server().environment().NewId();
  universe.OwnWrite(elsewhere, id);
  sync::v1::Update update;
  auto* group = update.add_groups();
  group->set_type(9001);
  group->set_ids(id.str());
  group->add_bodies(elsewhere.SerializeAsString());
  universe.CheckUpdate(Universe::HearerOf(device(0)), update);
  EXPECT_EQ(Verdict(), kRight);
}

TEST(Bytes, HaveOneReadingOrNone) {
  const auto* type = Sampler::descriptor();
  Sampler sampler;
  sampler.set_latest("甲");
  sampler.set_forward(Sampler::OPENED);
  sampler.mutable_max()->set_seconds(7);
  sampler.add_numbers(300);
  const std::string good = sampler.SerializeAsString();
  EXPECT_EQ(Ambiguity(*type, good), "");
  const std::vector<Piece> pieces = *PiecesOf(good);
  EXPECT_EQ(BytesOf(pieces), good);
  for (size_t i = 0; i < pieces.size(); ++i) {
    std::vector<Piece> twice = pieces;
    twice.insert(twice.begin() + static_cast<std::ptrdiff_t>(i), pieces[i]);
    EXPECT_NE(Ambiguity(*type, BytesOf(twice)), "") << pieces[i].number;
    std::vector<Piece> otherwise = pieces;
    otherwise[i].type = kFixed32;
    EXPECT_NE(Ambiguity(*type, BytesOf(otherwise)), "") << pieces[i].number;
    EXPECT_NE(Ambiguity(*type, BytesOf(pieces[i], 1)), "") << pieces[i].number;
  }
  EXPECT_NE(Ambiguity(*type, good.substr(0, good.size() - 1)), "");
}

// A ledger and rows as the server might have written them.
class Rows : public ::testing::Test {
 protected:
  server::AuditRow Row(uint32_t device, uint64_t number, uint64_t version, uint64_t salt,
                       const google::protobuf::Message& message, const Id& id,
                       sync::v1::Change::Kind kind, uint64_t base) {
    sync::v1::Edit edit;
    edit.set_salt(salt);
    auto* change = edit.add_changes();
    change->set_type(message.GetDescriptor()->options().GetExtension(zhibu::record).type());
    change->set_id(id.str());
    change->set_kind(kind);
    change->set_base(base);
    change->set_set(message.SerializeAsString());
    server::AuditRow row;
    row.device = row.author = DeviceNumber(device);
    row.number = EditNumber(number);
    row.version = Version(version);
    row.received_ms = 1'000'000 + static_cast<int64_t>(version);
    row.stamp = StampAt(row.received_ms);
    row.edit = edit.SerializeAsString();
    row.answer.set_verdict(sync::v1::MERGED);
    return row;
  }
  // Something that the server makes, at the versions before kBegun.
  void Make(const google::protobuf::Message& message, const Id& id) {
    ++made;
    ledger.Take(Row(1, made, made, 1'000 + made, message, id, sync::v1::Change::CREATE, 0));
  }
  // A branch, of which the person is a member, and has the office.
  void Appoint(Office office) {
    records::v1::Organisation organisation;
    organisation.set_name("党支部");
    Make(organisation, branch);
    Make(organisation, host);
    records::v1::Member member;
    member.set_branch_id(branch.str());
    Make(member, person);
    Make(member, stranger);
    records::v1::Placement placement;
    placement.set_member_id(person.str());
    placement.set_branch_id(branch.str());
    Make(placement, *Id::FromBytes("placement-------"));
    records::v1::Grant grant;
    grant.set_person_id(person.str());
    grant.set_organisation_id(branch.str());
    grant.set_office(office);
    Make(grant, grant_id);
    for (const uint32_t device : {2, 3}) ledger.SetPerson(DeviceNumber(device), person);
    ledger.SetPerson(DeviceNumber(4), stranger);
  }
  void Take(const google::protobuf::Message& message, sync::v1::Change::Kind kind, uint32_t device,
            const Id& id) {
    const uint64_t version = kBegun + ++taken;
    ledger.Take(Row(device, taken, version, version, message, id, kind, version));
  }
  void Create(const google::protobuf::Message& message, uint32_t device = 2) {
    Take(message, sync::v1::Change::CREATE, device, sampler);
  }
  void Update(const google::protobuf::Message& message, uint32_t device = 2) {
    Take(message, sync::v1::Change::UPDATE, device, sampler);
  }
  records::v1::Flow Stay() {
    records::v1::Flow stay;
    stay.set_member_id(person.str());
    stay.set_home_branch_id(branch.str());
    stay.set_host_branch_id(host.str());
    stay.set_state(records::v1::Flow::REPORTED);
    return stay;
  }
  Sampler Empty() {
    Sampler sampler;
    sampler.set_branch_id(branch.str());
    return sampler;
  }
  std::string Verdict() {
    ledger.JudgeDoubted();
    return ledger.failure() ? ledger.failure()->invariant : "all is well";
  }

  static constexpr uint64_t kBegun = 20;
  uint64_t made = 0;
  uint64_t taken = 0;
  const Id branch = *Id::FromBytes("branch----------");
  const Id host = *Id::FromBytes("host------------");
  const Id person = *Id::FromBytes("person----------");
  const Id stranger = *Id::FromBytes("stranger--------");
  const Id grant_id = *Id::FromBytes("grant-----------");
  const Id sampler = *Id::FromBytes("sampler---------");
  Ledger ledger;
};

TEST_F(Rows, AnEditUnderTwoNumbers) {
  Appoint(SECRETARY);
  ledger.Take(Row(2, 1, 22, 99, Empty(), sampler, sync::v1::Change::CREATE, 0));
  EXPECT_EQ(Verdict(), "all is well");
  ledger.Take(Row(3, 1, 23, 99, Empty(), sampler, sync::v1::Change::CREATE, 0));
  EXPECT_EQ(Verdict(), kOnce);
}

TEST_F(Rows, AnAuthorWithoutAuthority) {
  Appoint(GROUP_LEADER);
  Create(Empty(), 4);
  EXPECT_EQ(Verdict(), kAuthority);
}

TEST_F(Rows, AVersionThatDoesNotGrow) {
  Appoint(SECRETARY);
  ledger.Take(Row(2, 1, 1, 99, Empty(), sampler, sync::v1::Change::CREATE, 0));
  EXPECT_EQ(Verdict(), kVersions);
}

TEST_F(Rows, AStepThatIsNotDeclared) {
  Appoint(SECRETARY);
  Sampler done = Empty();
  done.set_forward(Sampler::DONE);
  Create(done);
  EXPECT_EQ(Verdict(), kSteps);
}

TEST_F(Rows, WhatIsInOrder) {
  Appoint(SECRETARY);
  Create(Stay());
  EXPECT_EQ(Verdict(), "all is well");
}

TEST_F(Rows, ARecordKeptByAPerson) {
  Appoint(SECRETARY);
  Sampler own;
  own.set_branch_id(person.str());
  Create(own);
  EXPECT_EQ(Verdict(), kAuthority);
}

TEST_F(Rows, ARecordKeptByWhatIsNotThere) {
  Appoint(SECRETARY);
  Sampler nowhere;
  nowhere.set_branch_id("no-organisation-");
  Create(nowhere);
  EXPECT_EQ(Verdict(), kAuthority);
}

TEST_F(Rows, ARecordMovedToWhomItDoesNotConcern) {
  Appoint(SECRETARY);
  Create(Empty());
  Sampler moved;
  moved.set_branch_id(host.str());
  Update(moved);
  EXPECT_EQ(Verdict(), kAuthority);
}

TEST_F(Rows, AMemberWithTheIdOfAnOrganisation) {
  Appoint(SECRETARY);
  records::v1::Member member;
  member.set_branch_id(branch.str());
  Take(member, sync::v1::Change::CREATE, 2, host);
  EXPECT_EQ(Verdict(), kAuthority);
}

TEST_F(Rows, WhatOnlyTheServerMakes) {
  Appoint(SECRETARY);
  records::v1::Grant grant;
  grant.set_person_id(stranger.str());
  grant.set_organisation_id(branch.str());
  Create(grant);
  EXPECT_EQ(Verdict(), kAuthority);
}

TEST_F(Rows, SomebodyWhoDoesNotBelong) {
  Appoint(SECRETARY);
  records::v1::DuesPayment payment;
  payment.set_member_id(stranger.str());
  payment.set_branch_id(branch.str());
  Create(payment);
  EXPECT_EQ(Verdict(), kAuthority);
}

TEST_F(Rows, AStepThatIsTheHosts) {
  Appoint(SECRETARY);
  Create(Stay());
  records::v1::Flow accepted;
  accepted.set_state(records::v1::Flow::ACCEPTED);
  Update(accepted);
  EXPECT_EQ(Verdict(), kAuthority);
}

TEST_F(Rows, WhatComesWithAStepWithoutIt) {
  Appoint(SECRETARY);
  records::v1::Flow stay = Stay();
  stay.set_accepted_by_id(person.str());
  Create(stay);
  EXPECT_EQ(Verdict(), kAuthority);
}

TEST_F(Rows, WhatSomebodySaysInTheirOwnName) {
  Appoint(GROUP_LEADER);  // who writes contacts of themselves only
  records::v1::Contact contact;
  contact.set_member_id(person.str());
  contact.set_branch_id(branch.str());
  contact.set_by_id(person.str());
  Create(contact);
  EXPECT_EQ(Verdict(), "all is well");
}

TEST_F(Rows, WhatSomebodySaysInTheNameOfAnother) {
  Appoint(GROUP_LEADER);
  records::v1::Contact contact;
  contact.set_member_id(person.str());
  contact.set_branch_id(branch.str());
  contact.set_by_id(stranger.str());
  Create(contact);
  EXPECT_EQ(Verdict(), kAuthority);
}

TEST_F(Rows, AHostThatIsShownMoreBeforeItAccepts) {
  Appoint(SECRETARY);
  Create(Stay());
  records::v1::Member member;
  member.add_host_branch_ids(host.str());
  Take(member, sync::v1::Change::UPDATE, 1, person);
  EXPECT_EQ(Verdict(), kAuthority);
}

TEST_F(Rows, ASuperiorThatWasNotAsked) {
  Appoint(SECRETARY);
  records::v1::Organisation hung;
  hung.set_parent_id(host.str());
  Take(hung, sync::v1::Change::UPDATE, 2, branch);
  EXPECT_EQ(Verdict(), kAuthority);
}

TEST_F(Rows, AValueThatIsWrittenTwice) {
  Appoint(SECRETARY);
  auto row = Row(2, 1, 22, 99, Empty(), sampler, sync::v1::Change::CREATE, 0);
  sync::v1::Edit edit;
  edit.ParseFromString(row.edit);
  edit.mutable_changes(0)->mutable_set()->append(Empty().SerializeAsString());
  row.edit = edit.SerializeAsString();
  ledger.Take(row);
  EXPECT_EQ(Verdict(), kReading);
}

TEST_F(Rows, ARefusalOfWhatIsTheirs) {
  Appoint(SECRETARY);
  auto row = Row(2, 1, 0, 99, Empty(), sampler, sync::v1::Change::CREATE, 0);
  row.answer.set_verdict(sync::v1::RETURNED);
  row.answer.set_reason(sync::v1::NOT_ENTITLED);
  ledger.Take(row);
  const auto suspicion = ledger.Suspicion(row);
  ASSERT_TRUE(suspicion.has_value());
  EXPECT_EQ(suspicion->invariant, kGranted);
}

// Who made an edit that was held, and who took it.
class TakenRows : public Rows {
 protected:
  TakenRows() {
    Appoint(SECRETARY);
    made_by_stranger = Row(4, 1, 0, 99, Empty(), sampler, sync::v1::Change::CREATE, 0);
    made_by_stranger.answer.set_verdict(sync::v1::HELD);
    ledger.Take(made_by_stranger);
    records::v1::HeldEdit held;
    held.add_scopes(branch.str());
    held.set_device(4);
    held.set_number(1);
    held.set_state(records::v1::HeldEdit::WAITING);
    Make(held, held_id);
    records::v1::HeldEdit decision;
    decision.set_state(records::v1::HeldEdit::TAKEN);
    Take(decision, sync::v1::Change::UPDATE, 2, held_id);
    now_taken = made_by_stranger;
    now_taken.device = kServerDevice;
    now_taken.number = EditNumber(50);
    now_taken.version = Version(50);
    now_taken.answer.set_verdict(sync::v1::MERGED);
    now_taken.decided_by = person;
  }

  const Id held_id = *Id::FromBytes("held------------");
  server::AuditRow made_by_stranger;
  server::AuditRow now_taken;
};

TEST_F(TakenRows, AreTheirAuthors) {
  ledger.Take(now_taken);
  EXPECT_EQ(Verdict(), "all is well");
}

TEST_F(TakenRows, AreNotTheServers) {
  now_taken.author = kServerDevice;
  ledger.Take(now_taken);
  EXPECT_EQ(Verdict(), kAudit);
}

TEST_F(TakenRows, AreNotTakenByNobody) {
  now_taken.decided_by = Id();
  ledger.Take(now_taken);
  EXPECT_EQ(Verdict(), kAudit);
}

class RowsOfEarlierServer : public Rows {
 protected:
  RowsOfEarlierServer() {
    Appoint(SECRETARY);
    ledger.ServerRuns(true);
  }
  void Take(const Sampler& made, sync::v1::Reason reason) {
    auto row = Row(2, 1, 22, 99, made, sampler, sync::v1::Change::CREATE, 0);
    if (reason != sync::v1::NO_REASON) row.answer.set_verdict(sync::v1::RETURNED);
    row.answer.set_reason(reason);
    ledger.Take(row);
  }
};

TEST_F(RowsOfEarlierServer, KeepWhatMergesAsLatest) {
  Sampler made = Empty();
  made.mutable_pair()->set_left("左");
  made.add_by_key()->set_text("文");
  Take(made, sync::v1::NO_REASON);
  EXPECT_EQ(Verdict(), "all is well");
  EXPECT_EQ(ledger.merged_unknown(), 1u);
}

TEST_F(RowsOfEarlierServer, ReturnWhatDoesNot) {
  Sampler made = Empty();
  made.add_add_wins("红");
  Take(made, sync::v1::UNKNOWN_FIELD);
  ledger.CheckVersions();
  EXPECT_EQ(Verdict(), "all is well");
  EXPECT_EQ(ledger.returned_unknown(), 1u);
}

TEST_F(RowsOfEarlierServer, ASetThatItCannotMerge) {
  Sampler made = Empty();
  made.add_add_wins("红");
  Take(made, sync::v1::NO_REASON);
  EXPECT_EQ(Verdict(), kBeyond);
}

TEST_F(RowsOfEarlierServer, ASetWithinAnElementThatItCannotMerge) {
  Sampler made = Empty();
  made.add_by_key()->add_tags("红");
  Take(made, sync::v1::NO_REASON);
  EXPECT_EQ(Verdict(), kBeyond);
}

TEST_F(RowsOfEarlierServer, AReturnWithoutNeed) {
  Take(Empty(), sync::v1::UNKNOWN_FIELD);
  ledger.CheckVersions();
  EXPECT_EQ(Verdict(), kBeyond);
}

TEST(Versions, APathByNumbersIsReadAsTodayNamesIt) {
  const auto* type = Sampler::descriptor();
  EXPECT_EQ(NameToday(type, "16"), "pair");
  EXPECT_EQ(NameToday(type, "by_key[甲].2"), "by_key[甲].text");
  EXPECT_EQ(NameToday(type, "latest"), "latest");
  EXPECT_EQ(NameToday(type, "900"), "900");
}

TEST(Reference, ADeletionThatHadNotSeenAChangeLoses) {
  const Sampler prototype;
  Sampler one;
  one.set_latest("one");
  const auto accepted = [&](uint32_t device, uint64_t version, uint64_t base,
                            sync::v1::Change::Kind kind) {
    Accepted a{{version, device, version, base}, {}};
    a.change.set_kind(kind);
    if (kind != sync::v1::Change::DELETE) a.change.set_set(one.SerializeAsString());
    return a;
  };
  using sync::v1::Change;
  EXPECT_TRUE(
      Evaluate(prototype, {accepted(2, 1, 0, Change::CREATE), accepted(3, 2, 1, Change::UPDATE),
                           accepted(2, 3, 1, Change::DELETE)})
          .alive);
  EXPECT_FALSE(
      Evaluate(prototype, {accepted(2, 1, 0, Change::CREATE), accepted(3, 2, 1, Change::UPDATE),
                           accepted(2, 3, 2, Change::DELETE)})
          .alive);
}

}  // namespace
}  // namespace zhibu::sim
