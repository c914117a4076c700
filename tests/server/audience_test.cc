// Who sees and writes what of a record, who was told, and who may look at what they
// do not hold.
#include "sync/merge/audience.h"

#include "server/sessions/ask.h"
#include "sync/base/reason.h"
#include "sync/merge/diff.h"
#include "sync/wire/record.h"
#include "tests/support/specimen.h"
#include "tests/support/village.h"

namespace zhibu::test {
namespace {

using records::v1::AccessLog;
using records::v1::TemporaryAccess;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

constexpr int64_t kDayMs = 24 * 3600 * 1000;

// A host branch in the city, and a committee above the village.
class AudienceTest : public Village {
 protected:
  AudienceTest() {
    world.Appoint(chen, host, SECRETARY);
    world.Appoint(sun, committee, SECRETARY);
    Organisation village = world.Get<Organisation>(branch);
    village.set_parent_id(committee.str());
    world.Write(village, branch);
    world.SyncAll();
  }

  // Wang leaves for the city.
  Id Leave() {
    const Id id = zhangs.Make<Flow>([&](Flow& flow) {
      flow.set_member_id(wang.str());
      flow.set_home_branch_id(branch.str());
      flow.set_host_branch_id(host.str());
      flow.set_destination("滨海市");
      flow.set_reason("家中困难");
      flow.set_state(Flow::REPORTED);
    });
    world.SyncAll();
    return id;
  }
  Id Detail() {
    PrivateDetail detail;
    detail.set_member_id(wang.str());
    detail.set_branch_id(branch.str());
    detail.set_phone("13800000000");
    auto draft = zhangs.store().New<PrivateDetail>();
    draft.message<PrivateDetail>() = detail;
    zhangs.Commit({&draft});
    world.SyncAll();
    return *DeriveId(*world.schema()->Find(PrivateDetail::descriptor()),
                     detail.SerializeAsString());
  }
  template <typename T>
  sync::v1::Ask About(const Id& organisation) {
    sync::v1::Ask ask;
    ask.set_type(world.schema()->Find(T::descriptor())->number);
    ask.set_organisation_id(organisation.str());
    return ask;
  }
  template <typename T>
  sync::v1::Ask Of(const Id& member, const std::string& reason = "") {
    sync::v1::Ask ask;
    ask.set_type(world.schema()->Find(T::descriptor())->number);
    ask.set_member_id(member.str());
    ask.set_reason(reason);
    return ask;
  }
  sync::v1::Page Ask(Phone& phone, const sync::v1::Ask& ask) {
    Stream stream(&world, &phone);
    stream.client().Ask(ask);
    stream.Run();
    return stream.client().TakePage().value_or(sync::v1::Page());
  }
  // What the pages hold, and how many there were.
  template <typename T>
  std::vector<T> AskAll(Phone& phone, sync::v1::Ask ask, int* pages = nullptr) {
    std::vector<T> all;
    while (true) {
      const sync::v1::Page page = Ask(phone, ask);
      EXPECT_EQ(page.refusal().reason(), sync::v1::NO_REASON);
      if (pages != nullptr) ++*pages;
      for (const std::string& body : page.bodies())
        EXPECT_TRUE(all.emplace_back().ParseFromString(body));
      if (page.next().empty()) return all;
      ask.set_after(page.next());
    }
  }
  static std::vector<std::string> NamesOf(const std::vector<Member>& members) {
    std::vector<std::string> names;
    for (const Member& member : members) names.push_back(member.name());
    return names;
  }

  const Id host = world.Branch("滨海市流动党员党支部");
  const Id committee = world.Branch("云溪镇党委");
  const Id chen = world.Person("陈", host);      // secretary of the host branch
  const Id sun = world.Person("孙", committee);  // of the committee
  Phone& chens = world.Enrol(chen);
  Phone& suns = world.Enrol(sun);
};

// ---- On devices ------------------------------------------------------------------

TEST_F(AudienceTest, TheHostBranchGetsARecordWithoutWhatStaysAtHome) {
  const Id flow = Leave();
  EXPECT_EQ(zhangs.Get<Flow>(flow).reason(), "家中困难");
  EXPECT_EQ(wangs.Get<Flow>(flow).reason(), "家中困难");
  chens.Change<Flow>(flow, [](Flow& f) { f.set_state(Flow::ACCEPTED); });
  world.SyncAll();
  EXPECT_EQ(chens.Get<Flow>(flow).destination(), "滨海市");
  EXPECT_EQ(chens.Get<Flow>(flow).reason(), "");
  ExpectConverged();
}

TEST_F(AudienceTest, TheHostKnowsTheMemberByNameWhileTheStayLastsAndNoMore) {
  zhangs.Change<Member>(wang, [](Member& member) {
    member.set_born("1990-01-31");
    member.set_post("砖瓦工");
    member.set_sex(Member::MALE);
    member.set_joined("2015-07-01");
    member.set_confirmed("2016-07-01");
    member.set_stage(Member::FULL);
  });
  const Id flow = Leave();
  EXPECT_FALSE(chens.Has<Member>(wang)) << "they have not accepted it yet";
  chens.Change<Flow>(flow, [](Flow& f) { f.set_state(Flow::ACCEPTED); });
  world.SyncAll();
  EXPECT_EQ(chens.Get<Member>(wang).name(), "王");
  EXPECT_EQ(chens.Get<Member>(wang).born(), "");
  EXPECT_EQ(chens.Get<Member>(wang).post(), "");
  EXPECT_EQ(chens.Get<Member>(wang).sex(), Member::SEX_UNSPECIFIED);
  EXPECT_EQ(chens.Get<Member>(wang).joined(), "");
  EXPECT_EQ(chens.Get<Member>(wang).confirmed(), "");
  EXPECT_EQ(chens.Get<Member>(wang).stage(), Member::FULL) << "what they may take part in";
  ExpectConverged();
  zhangs.Change<Flow>(flow, [](Flow& f) { f.set_state(Flow::ENDED); });
  ExpectConverged();
  EXPECT_FALSE(chens.Has<Member>(wang));
}

TEST_F(AudienceTest, WhatTheHostWritesLeavesAloneWhatItDoesNotSee) {
  const Id flow = Leave();
  chens.Change<Flow>(flow, [](Flow& f) { f.set_state(Flow::ACCEPTED); });
  ExpectConverged();
  EXPECT_EQ(zhangs.Get<Flow>(flow).reason(), "家中困难");
  EXPECT_EQ(zhangs.Get<Flow>(flow).state(), Flow::ACCEPTED);
}

TEST_F(AudienceTest, NobodyWritesAFieldThatTheyMayNotRead) {
  const Id flow = Leave();
  chens.Change<Flow>(flow, [](Flow& f) { f.set_reason("不明"); });
  world.SyncAll();
  EXPECT_THAT(chens.SetAside(), ElementsAre("1 RETURNED NOT_ENTITLED"));
  EXPECT_EQ(zhangs.Get<Flow>(flow).reason(), "家中困难");
  ExpectConverged();
}

TEST_F(AudienceTest, WhenThePlaceBecomesHomeWhatWasHiddenArrivesAndGoesAgainAfterwards) {
  const Id flow = Leave();
  world.Appoint(chen, branch, COMMITTEE);
  ExpectConverged();
  EXPECT_EQ(chens.Get<Flow>(flow).reason(), "家中困难");
  world.Dismiss(chen, branch, COMMITTEE);
  ExpectConverged();
  EXPECT_TRUE(chens.Has<Flow>(flow));
  EXPECT_EQ(chens.Get<Flow>(flow).reason(), "");
}

TEST_F(AudienceTest, AReadingAgainThatIsBrokenOffAnywhereLeavesNothingBehind) {
  const Id flow = Leave();
  world.limits.update_bytes = 1;
  for (int frames = 4; frames < 12; ++frames) {
    world.Appoint(chen, branch, COMMITTEE);
    world.SyncCutAfter(chens, frames);
    world.Dismiss(chen, branch, COMMITTEE);
    world.SyncCutAfter(chens, frames);
    ExpectConverged();
    EXPECT_EQ(chens.Get<Flow>(flow).reason(), "") << frames;
  }
}

TEST_F(AudienceTest, AFieldHasReadersOfItsOwnWithinTheBranch) {
  zhangs.Change<Member>(li, [](Member& member) { member.set_born("1960-01-31"); });
  world.SyncAll();
  EXPECT_EQ(lis.Get<Member>(li).born(), "1960-01-31");
  EXPECT_EQ(wangs.Get<Member>(li).born(), "");
  EXPECT_EQ(wangs.Get<Member>(li).name(), "李");
  world.Appoint(wang, branch, COMMITTEE);
  ExpectConverged();
  EXPECT_EQ(wangs.Get<Member>(li).born(), "1960-01-31");
}

TEST_F(AudienceTest, ANoteTellsOnlyThoseOfAFieldWhoMayReadIt) {
  const Id flow = Leave();
  chens.Change<Flow>(flow, [](Flow& f) { f.set_state(Flow::ACCEPTED); });
  world.SyncAll();
  zhangs.Change<Flow>(flow, [](Flow& f) { f.set_reason("求医"); });
  lis.Change<Flow>(flow, [](Flow& f) { f.set_reason("务工"); });
  zhangs.Change<Flow>(flow, [](Flow& f) { f.set_destination("外省"); });
  lis.Change<Flow>(flow, [](Flow& f) { f.set_destination("外市"); });
  ExpectConverged();
  EXPECT_THAT(zhangs.All<ConflictNote>(), SizeIs(2));
  const auto notes = chens.All<ConflictNote>();
  ASSERT_THAT(notes, SizeIs(1));
  EXPECT_EQ(notes[0].field(), "destination");
}

TEST_F(AudienceTest, WhatAHostIsNotShownYetNoNoteTellsItUntilItIs) {
  const Id flow = Leave();
  zhangs.Change<Flow>(flow, [](Flow& f) { f.set_destination("外省"); });
  lis.Change<Flow>(flow, [](Flow& f) { f.set_destination("外市"); });
  ExpectConverged();
  EXPECT_THAT(zhangs.All<ConflictNote>(), SizeIs(1));
  EXPECT_THAT(chens.All<ConflictNote>(), IsEmpty());
  chens.Change<Flow>(flow, [](Flow& f) { f.set_state(Flow::ACCEPTED); });
  ExpectConverged();
  EXPECT_THAT(chens.All<ConflictNote>(), SizeIs(1));
}

TEST_F(AudienceTest, WhatIsHeldIsNotShownWhereItMayNotBeRead) {
  const Id flow = Leave();
  chens.Change<Flow>(flow, [](Flow& f) { f.set_state(Flow::ACCEPTED); });
  world.SyncAll();
  lis.Change<Flow>(flow, [](Flow& f) { f.set_reason("求医"); });
  lis.Change<Flow>(flow, [](Flow& f) { f.set_destination("外省"); });
  world.Dismiss(li, branch, DEPUTY);
  world.SyncAll();
  EXPECT_THAT(zhangs.All<records::v1::HeldEdit>(), SizeIs(2));
  EXPECT_THAT(chens.All<records::v1::HeldEdit>(), SizeIs(1));
}

TEST_F(AudienceTest, WhatIsHiddenIsInNoPartOfWhatIsSent) {
  const Id flow = Leave();
  chens.Change<Flow>(flow, [](Flow& f) { f.set_state(Flow::ACCEPTED); });
  world.SyncAll();
  zhangs.Change<Flow>(flow, [](Flow& f) { f.set_reason("求医"); });
  lis.Change<Flow>(flow, [](Flow& f) { f.set_reason("务工"); });
  world.SyncAll();
  Phone& again = world.Enrol(chen);
  Stream stream(&world, &again);
  std::string sent;
  stream.watch = [&](const sync::v1::ServerFrame& frame) { sent += frame.SerializeAsString(); };
  stream.Run();
  EXPECT_NE(sent.find("滨海市"), std::string::npos);
  for (const char* hidden : {"家中困难", "求医", "务工"})
    EXPECT_EQ(sent.find(hidden), std::string::npos);
}

// ---- Who was told ------------------------------------------------------------------

TEST_F(AudienceTest, WhoeverIsGivenSensitiveFieldsIsWrittenDownOnceADayWhereThePersonSeesIt) {
  const Id detail = Detail();
  const auto logs = wangs.All<AccessLog>();
  ASSERT_THAT(logs, SizeIs(1));
  EXPECT_EQ(logs[0].reader_name(), "张");
  EXPECT_THAT(logs[0].fields(), ElementsAre("手机"));
  zhangs.Change<PrivateDetail>(detail, [](PrivateDetail& d) { d.set_phone("13900000000"); });
  world.SyncAll();
  EXPECT_EQ(wangs.All<AccessLog>()[0].times(), 1u);
  zhangs.Change<PrivateDetail>(detail, [](PrivateDetail& d) { d.set_address("青石村"); });
  world.SyncAll();
  EXPECT_THAT(wangs.All<AccessLog>()[0].fields(), ElementsAre("手机", "住址"));
  world.Wait(kDayMs);
  zhangs.Change<PrivateDetail>(detail, [](PrivateDetail& d) { d.set_phone("13700000000"); });
  ExpectConverged();
  EXPECT_THAT(wangs.All<AccessLog>(), SizeIs(2));
  EXPECT_THAT(zhangs.All<AccessLog>(), IsEmpty());
}

TEST_F(AudienceTest, ItIsWrittenDownBeforeItIsTold) {
  Detail();
  world.Wait(kDayMs);
  Phone& again = world.Enrol(zhang);
  Stream stream(&world, &again);
  const size_t before = world.AuditOf(kServerDevice).size();
  bool told = false;
  stream.watch = [&](const sync::v1::ServerFrame& frame) {
    if (frame.SerializeAsString().find("13800000000") == std::string::npos) return;
    EXPECT_GT(world.AuditOf(kServerDevice).size(), before);
    told = true;
  };
  stream.Run();
  EXPECT_TRUE(told);
}

// ---- Looking at what one does not hold ------------------------------------------------

TEST_F(AudienceTest, ASuperiorLooksAtWhatLiesBelowPageByPageAndHoldsNoneOfIt) {
  sync::v1::Ask ask = About<Member>(committee);
  EXPECT_THAT(NamesOf(AskAll<Member>(suns, ask)), UnorderedElementsAre("孙", "张", "李", "王"));
  ask.set_limit(1);
  int pages = 0;
  EXPECT_THAT(NamesOf(AskAll<Member>(suns, ask, &pages)),
              UnorderedElementsAre("孙", "张", "李", "王"));
  EXPECT_GE(pages, 4);
  EXPECT_THAT(suns.All<Member>(), SizeIs(1));
  EXPECT_TRUE(suns.Has<Organisation>(branch)) << "what hangs on one's own is seen";
}

TEST_F(AudienceTest, ASuperiorSeesNothingThatIsNotForSuperiors) {
  Detail();
  zhangs.Change<Member>(wang, [](Member& member) { member.set_born("1990-01-31"); });
  world.SyncAll();
  for (const Member& member : AskAll<Member>(suns, About<Member>(committee))) {
    EXPECT_EQ(member.born(), "");
  }
  EXPECT_THAT(AskAll<PrivateDetail>(suns, About<PrivateDetail>(committee)), IsEmpty());
}

TEST_F(AudienceTest, NobodyLooksUpOrAside) {
  for (const Id& other : {committee, host}) {
    EXPECT_EQ(Ask(zhangs, About<Member>(other)).refusal().reason(), sync::v1::ASK_NOT_BELOW);
  }
  EXPECT_EQ(Ask(zhangs, About<Member>(host)).refusal().detail(), "党组织");
  EXPECT_EQ(Ask(wangs, Of<PrivateDetail>(zhang, "好奇")).refusal().detail(), "党员");
  EXPECT_EQ(Ask(chens, Of<PrivateDetail>(wang, "好奇")).refusal().reason(),
            sync::v1::ASK_NOT_BELOW);
  EXPECT_THAT(wangs.All<TemporaryAccess>(), IsEmpty());
}

TEST_F(AudienceTest, AnOrganisationWithTwoSuperiorsIsSeenByBoth) {
  const Id city = world.Branch("滨海市委");
  const Id wu = world.Person("吴", city);
  world.Appoint(wu, city, SECRETARY);
  Organisation village = world.Get<Organisation>(branch);
  village.set_host_parent_id(city.str());
  world.Write(village, branch);
  Phone& wus = world.Enrol(wu);
  world.SyncAll();
  EXPECT_THAT(NamesOf(AskAll<Member>(wus, About<Member>(branch))),
              UnorderedElementsAre("张", "李", "王"));
  EXPECT_THAT(NamesOf(AskAll<Member>(suns, About<Member>(branch))),
              UnorderedElementsAre("张", "李", "王"));
}

TEST_F(AudienceTest, OrganisationsThatHangOnEachOtherInACircleEnd) {
  Organisation above = world.Get<Organisation>(committee);
  above.set_parent_id(branch.str());
  world.Write(above, committee);
  world.SyncAll();
  EXPECT_THAT(AskAll<Member>(suns, About<Member>(committee)), SizeIs(4));
  EXPECT_EQ(Ask(chens, About<Member>(committee)).refusal().reason(), sync::v1::ASK_NOT_BELOW);
}

// What was deleted is remembered for late changes, and goes out with the record.
TEST_F(AudienceTest, ANumberThatItsOwnerDeletedIsLoggedAsLongAsItIsDelivered) {
  PrivateDetail detail;
  detail.set_member_id(wang.str());
  detail.set_branch_id(branch.str());
  const Id id =
      *DeriveId(*world.schema()->Find(PrivateDetail::descriptor()), detail.SerializeAsString());
  const auto make = [&](const std::string& phone) {
    wangs.Make<PrivateDetail>([&](PrivateDetail& d) {
      d = detail;
      d.set_phone(phone);
    });
  };
  make("13800000000");
  EXPECT_EQ(world.Sync(wangs), absl::OkStatus());
  wangs.Delete<PrivateDetail>(id);
  EXPECT_EQ(world.Sync(wangs), absl::OkStatus());
  make("");
  EXPECT_EQ(world.Sync(wangs), absl::OkStatus());
  ASSERT_THAT(world.StateOf({3, id}).body, ::testing::Not(::testing::HasSubstr("138")));
  ASSERT_THAT(world.StateOf({3, id}).trace, ::testing::HasSubstr("138"));
  world.SyncAll();
  const auto logs = wangs.All<AccessLog>();
  ASSERT_THAT(logs, SizeIs(1));
  EXPECT_EQ(logs[0].reader_name(), "张");
  EXPECT_THAT(logs[0].fields(), ElementsAre("手机"));
}

TEST_F(AudienceTest, AMembersRecordsAreOpenedForATimeForAReasonThatTheySee) {
  Detail();
  EXPECT_EQ(Ask(suns, Of<PrivateDetail>(wang)).refusal().reason(), sync::v1::ASK_WITHOUT_REASON);
  const auto opened = AskAll<PrivateDetail>(suns, Of<PrivateDetail>(wang, "核对困难补助"));
  ASSERT_THAT(opened, SizeIs(1));
  EXPECT_EQ(opened[0].phone(), "13800000000");
  world.SyncAll();
  const auto seen = wangs.All<TemporaryAccess>();
  ASSERT_THAT(seen, SizeIs(1));
  EXPECT_EQ(seen[0].reason(), "核对困难补助");
  EXPECT_EQ(seen[0].reader_name(), "孙");
  EXPECT_THAT(suns.All<TemporaryAccess>(), SizeIs(1));
  std::vector<std::string> readers;
  for (const AccessLog& log : wangs.All<AccessLog>()) readers.push_back(log.reader_name());
  EXPECT_THAT(readers, UnorderedElementsAre("张", "孙"));
  EXPECT_THAT(AskAll<PrivateDetail>(suns, Of<PrivateDetail>(wang)), SizeIs(1));
  world.Wait(5 * 3600 * 1000);
  EXPECT_EQ(Ask(suns, Of<PrivateDetail>(wang)).refusal().reason(), sync::v1::ASK_WITHOUT_REASON);
  ExpectConverged();
}

TEST_F(AudienceTest, AReasonOpensWhatTheMembersBranchKeepsOfThemAndNothingElse) {
  struct Kept {
    const RecordType* type;
    Id by;
    Id id;
    std::string body;
  };
  std::vector<Kept> records;
  for (const RecordType& type : CatalogueSchema()->types()) {
    if (type.own_scope != NOWHERE) continue;
    for (const Id& by : {branch, host}) {
      const auto record = Specimen(type, {.person = wang, .owner = by, .guest = {}, .above = {}},
                                   world.fate().environment());
      const std::string body = Canonical(type.fields, record->SerializeAsString());
      const Id id =
          type.id_from.empty() ? world.fate().environment().NewId() : *DeriveId(type, body);
      records.push_back({&type, by, id, body});
    }
  }
  const auto shown = [&](const Kept& record) {
    Plant(world, *record.type, record.id, record.body);
    sync::v1::Ask ask;
    ask.set_type(record.type->number);
    ask.set_member_id(wang.str());
    const sync::v1::Page page = Ask(suns, ask);
    Plant(world, *record.type, record.id, record.body, /*deleted=*/true);
    for (int i = 0; i < page.ids_size(); ++i) {
      if (page.ids(i) == record.id.bytes()) return page.bodies(i);
    }
    return std::string();
  };
  std::vector<std::string> without;
  for (const Kept& record : records) without.push_back(shown(record));
  Ask(suns, Of<PrivateDetail>(wang, "核对困难补助"));
  int opened = 0;
  for (size_t i = 0; i < records.size(); ++i) {
    const auto& [type, by, id, body] = records[i];
    SCOPED_TRACE(absl::StrCat(type->name, by == branch ? "" : " of the host"));
    const Eyes secretary{.at_home = AudienceOf(SECRETARY) | AudienceOf(SUPERIOR), .as_host = 0};
    const bool kept = std::any_of(type->fields.rules().begin(), type->fields.rules().end(),
                                  [](const FieldRule& rule) { return rule.place == OWNER; });
    if (by != branch || !kept || type->made_by_server || !secretary.Meet(type->readers)) {
      EXPECT_EQ(shown(records[i]), without[i]);
      continue;
    }
    RecordState state;
    state.body = body;
    Redact(*type, HiddenFrom(*type, secretary, HostSightOf(*type, body)), &state);
    EXPECT_EQ(shown(records[i]), PlacesOf(*type, id, body).size() > 1 ? state.body : without[i]);
    opened += without[i] != state.body;
  }
  EXPECT_GT(opened, 1);
}

TEST_F(AudienceTest, WhoAsksAgainWhileItIsOpenOpensNothingMore) {
  Detail();
  for (const char* reason : {"核对困难补助", "核对困难补助", "再看一次"}) {
    EXPECT_THAT(AskAll<PrivateDetail>(suns, Of<PrivateDetail>(wang, reason)), SizeIs(1));
  }
  world.SyncAll();
  EXPECT_THAT(wangs.All<TemporaryAccess>(), SizeIs(1));
  world.Wait(5 * 3600 * 1000);
  EXPECT_THAT(AskAll<PrivateDetail>(suns, Of<PrivateDetail>(wang, "再看一次")), SizeIs(1));
  world.SyncAll();
  EXPECT_THAT(wangs.All<TemporaryAccess>(), SizeIs(2));
}

// It is kept for good, and shown to the member and those above.
TEST_F(AudienceTest, AReasonIsOneLineThatCanBeRead) {
  Detail();
  const auto refused = [&](const std::string& reason) {
    // Past the device, which refuses it as well.
    const auto at_device = Ask(suns, Of<PrivateDetail>(wang, reason)).refusal().reason();
    absl::Status status = world.store().Write([&](server::Writer& writer) {
      return server::OpenAccess(writer, world.ingest(), world.fate().environment(), sun,
                                Of<PrivateDetail>(wang, reason));
    });
    EXPECT_EQ(ReasonOf(status).reason, at_device);
    return sync::v1::Reason_Name(at_device);
  };
  EXPECT_EQ(refused(" "), "ASK_WITHOUT_REASON");
  EXPECT_EQ(refused("\u3000\u200b"), "ASK_WITHOUT_REASON");
  EXPECT_EQ(refused("核对\n困难补助"), "BAD_VALUE");
  EXPECT_EQ(refused("核对\u202e助补难困"), "BAD_VALUE");
  std::string long_one;
  for (int i = 0; i < 501; ++i) long_one += "核";
  EXPECT_EQ(refused(long_one), "BAD_VALUE");
  EXPECT_THAT(wangs.All<TemporaryAccess>(), IsEmpty());
  EXPECT_THAT(AskAll<PrivateDetail>(suns, Of<PrivateDetail>(wang, long_one.substr(3))), SizeIs(1));
}

TEST_F(AudienceTest, AQuestionThatIsTooLongIsRefused) {
  sync::v1::Ask ask = About<Member>(committee);
  ask.set_after(std::string(100'000, 'x'));
  EXPECT_EQ(Ask(suns, ask).refusal().reason(), sync::v1::TOO_LARGE);
}

// Wang's second stay is kept by a branch that is not below the committee.
TEST_F(AudienceTest, APageWithNothingLeftToShowIsTheLastAndNotARefusal) {
  Leave();
  Flow elsewhere;
  elsewhere.set_member_id(wang.str());
  elsewhere.set_home_branch_id(host.str());
  elsewhere.set_state(Flow::REPORTED);
  world.Write(elsewhere, world.fate().environment().NewId());
  EXPECT_THAT(AskAll<Flow>(suns, Of<Flow>(wang)), SizeIs(1));
  sync::v1::Ask one_by_one = Of<Flow>(wang);
  one_by_one.set_limit(1);
  EXPECT_THAT(AskAll<Flow>(suns, one_by_one), SizeIs(1));
}

TEST_F(AudienceTest, AQuestionThatCannotBeAnsweredDoesNotEndTheStream) {
  Stream stream(&world, &zhangs);
  sync::v1::Ask ask;
  ask.set_id(7);
  ask.set_type(4000);
  ask.set_organisation_id(branch.str());
  stream.client().Ask(ask);
  ask.set_type(2);
  ask.set_organisation_id("short");
  stream.client().Ask(ask);
  ask.set_organisation_id(branch.str());
  ask.set_after("forged");
  stream.client().Ask(ask);
  stream.Run();
  const auto unknown = stream.client().TakePage();
  ASSERT_TRUE(unknown.has_value());
  EXPECT_EQ(unknown->id(), 7u);
  EXPECT_EQ(unknown->refusal().reason(), sync::v1::UNKNOWN_TYPE);
  EXPECT_EQ(stream.client().TakePage()->refusal().reason(), sync::v1::MALFORMED);
  EXPECT_THAT(stream.client().TakePage()->ids(), SizeIs(3)) << "from the beginning";
  EXPECT_FALSE(stream.client().closed());
}

}  // namespace
}  // namespace zhibu::test
