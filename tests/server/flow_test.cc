// Stays, transfers and passes at the server: whose step it is, who sees what while it
// lasts, and each row of the tables in docs/flow.md.
#include "sync/rules/flow.h"

#include "client-core/actions/check_in.h"
#include "server/identity/marks.h"
#include "sync/base/status.h"
#include "sync/rules/asked.h"
#include "sync/rules/guests.h"
#include "sync/wire/canonical.h"
#include "sync/wire/record.h"
#include "tests/support/raw_edits.h"

namespace zhibu::test {
namespace {

using records::v1::HeldEdit;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class FlowAtServer : public Migration {
 protected:
  // Syncs, and why the last edit did not go in; empty if it did.
  std::string Fate(Phone& phone) {
    const size_t before = phone.SetAside().size();
    EXPECT_EQ(world.Sync(phone), absl::OkStatus());
    const std::vector<std::string> aside = phone.SetAside();
    return aside.size() == before ? "" : aside.back().substr(aside.back().find(' ') + 1);
  }
  Flow::State StateOf(const Id& flow) { return world.Get<Flow>(flow).state(); }
  Transfer::State TransferState(const Id& id) { return world.Get<Transfer>(id).state(); }
};

// ---- Stays -------------------------------------------------------------------------

TEST_F(FlowAtServer, OnlyTheHostAcceptsAStay) {
  const Id flow = Report(wangs);
  world.SyncAll();
  Step(wangs, flow, Flow::ACCEPTED);
  EXPECT_EQ(Fate(wangs), "RETURNED NOT_YOUR_STEP");
  Step(zhangs, flow, Flow::ACCEPTED);
  EXPECT_EQ(Fate(zhangs), "RETURNED NOT_YOUR_STEP");
  EXPECT_EQ(StateOf(flow), Flow::REPORTED);
  Step(chens, flow, Flow::ACCEPTED);
  EXPECT_EQ(Fate(chens), "");
  EXPECT_EQ(StateOf(flow), Flow::ACCEPTED);
}

TEST_F(FlowAtServer, NobodyStaysAtHomeAsAGuest) {
  const auto stay = [&](const Id& at) {
    zhangs.Make<Flow>([&](Flow& f) {
      f.set_member_id(wang.str());
      f.set_home_branch_id(branch.str());
      f.set_host_branch_id(at.str());
      f.set_state(Flow::REPORTED);
    });
  };
  stay(branch);
  EXPECT_EQ(Fate(zhangs), "RETURNED BAD_VALUE");
  stay(host);
  EXPECT_EQ(Fate(zhangs), "");
}

TEST_F(FlowAtServer, OnlyHomeExtendsAStayThatAnybodyMayAskToExtend) {
  const Id flow = Stay();
  Step(wangs, flow, Flow::EXTENSION_ASKED);
  EXPECT_EQ(Fate(wangs), "");
  world.SyncAll();
  Step(chens, flow, Flow::EXTENDED);
  EXPECT_EQ(Fate(chens), "RETURNED NOT_YOUR_STEP");
  Step(lis, flow, Flow::EXTENDED);  // the home's deputy
  EXPECT_EQ(Fate(lis), "");
  world.SyncAll();
  Step(chens, flow, Flow::ENDED);
  EXPECT_EQ(Fate(chens), "");
}

TEST_F(FlowAtServer, AMemberHasAFewOpenStaysHoweverTheyAreReported) {
  std::vector<Id> stays;
  for (int i = 0; i < kOpenStaysMax; ++i) {
    stays.push_back(Report(wangs));
    EXPECT_EQ(Fate(wangs), "");
  }
  Report(wangs);
  EXPECT_EQ(Fate(wangs), "RETURNED TOO_MANY_STAYS");
  Report(zhangs);
  EXPECT_EQ(Fate(zhangs), "RETURNED TOO_MANY_STAYS");
  world.SyncAll();
  Step(wangs, stays[0], Flow::ENDED);
  EXPECT_EQ(Fate(wangs), "");
  world.SyncAll();
  Step(chens, stays[1], Flow::DECLINED);
  EXPECT_EQ(Fate(chens), "");
  for (int i = 0; i < 2; ++i) {
    Report(wangs);
    EXPECT_EQ(Fate(wangs), "");
  }
  Report(wangs);
  EXPECT_EQ(Fate(wangs), "RETURNED TOO_MANY_STAYS");
  // Nor in one edit.
  Raw raw(world, lis);
  Flow stay;
  stay.set_member_id(li.str());
  stay.set_home_branch_id(branch.str());
  stay.set_host_branch_id(host.str());
  stay.set_state(Flow::REPORTED);
  std::vector<Change> reported;
  for (int i = 0; i <= kOpenStaysMax; ++i) {
    reported.push_back(raw.Create(stay, world.fate().environment().NewId()));
  }
  EXPECT_EQ(raw.Answer(reported), "RETURNED TOO_MANY_STAYS");
  reported.pop_back();
  EXPECT_EQ(raw.Answer(reported), "MERGED");
}

TEST_F(FlowAtServer, AnEditMovesFewPeople) {
  Raw raw(world, zhangs);
  const auto ask = [&](int letters, int stays) {
    std::vector<Change> changes;
    Transfer letter;
    letter.set_member_id(li.str());
    letter.set_from_branch_id(branch.str());
    letter.set_to_branch_id(host.str());
    letter.set_state(Transfer::REQUESTED);
    Flow stay;
    stay.set_member_id(wang.str());
    stay.set_home_branch_id(branch.str());
    stay.set_state(Flow::REPORTED);
    for (int i = 0; i < letters + stays; ++i) {
      const Id id = world.fate().environment().NewId();
      changes.push_back(i < letters ? raw.Create(letter, id) : raw.Create(stay, id));
    }
    return raw.Answer(changes);
  };
  EXPECT_EQ(ask(kMovesMax + 1, 0), "RETURNED TOO_LARGE");
  EXPECT_EQ(ask(kMovesMax - 1, 2), "RETURNED TOO_LARGE");
  EXPECT_EQ(ask(kMovesMax - 1, 1), "MERGED");
}

TEST_F(FlowAtServer, AHostSecretaryWhoseOfficeHasEndedIsHeldAndNotTakenForAStranger) {
  const Id flow = Report(wangs);
  world.SyncAll();
  world.Appoint(chen, branch, DEPUTY);  // still a writer of the record, at home
  world.Wait(1000);
  world.Dismiss(chen, host, SECRETARY);
  Step(chens, flow, Flow::ACCEPTED);
  EXPECT_EQ(Fate(chens), "HELD GRANT_ENDED");
}

// The file of a server from before there was an index of stays that last (sync/rules/guests.h).
TEST_F(FlowAtServer, AStayThatIsInNoIndexIsInOneOnceTheServerHasStarted) {
  const Id flow = Report(wangs);
  world.SyncAll();
  Step(chens, flow, Flow::ACCEPTED);
  world.SyncAll();
  EXPECT_EQ(world.store().Write([&](server::Writer& writer) -> absl::Status {
    RETURN_IF_ERROR(server::PutMarks(writer, {.drop = {{StaysMark(wang), flow}}}));
    return writer.PutSetting("joined_indexed", "2");
  }),
            absl::OkStatus());
  EXPECT_EQ(server::EnsureMarks(world.store(), world.ingest(), world.fate().environment()),
            absl::OkStatus());
  const Id during = Talk(zhangs, branch, "电话联系");
  world.SyncAll();
  EXPECT_TRUE(chens.Has<Contact>(during));

  // And one that has ended under a server that knew of no index counts no more.
  Step(zhangs, flow, Flow::ENDED);
  world.SyncAll();
  EXPECT_EQ(world.store().Write([&](server::Writer& writer) {
    return server::PutMarks(writer, {.put = {{StaysMark(wang), flow}}});
  }),
            absl::OkStatus());
  const Id later = Talk(zhangs, branch, "回村谈话");
  world.SyncAll();
  EXPECT_FALSE(chens.Has<Contact>(later));
}

TEST_F(FlowAtServer, TheHostSeesTheMemberAndHomesContactsWhileTheStayLastsAndNoLonger) {
  const Id before = Talk(zhangs, branch, "行前谈话");
  world.SyncAll();
  EXPECT_FALSE(chens.Has<Member>(wang));
  const Id flow = Report(wangs);
  world.SyncAll();
  EXPECT_TRUE(chens.Has<Flow>(flow));
  EXPECT_EQ(chens.Get<Flow>(flow).member_name(), "王") << "whom they are asked to take in";
  EXPECT_FALSE(chens.Has<Member>(wang)) << "the stay alone, until it is accepted";
  EXPECT_FALSE(chens.Has<Contact>(before));
  Step(chens, flow, Flow::ACCEPTED);
  world.SyncAll();
  EXPECT_EQ(chens.Get<Member>(wang).name(), "王");
  EXPECT_TRUE(chens.Has<Contact>(before));
  const Id during = Talk(zhangs, branch, "电话联系");
  const Id own = Talk(chens, host, "到出租屋走访");
  world.SyncAll();
  EXPECT_TRUE(chens.Has<Contact>(during));
  EXPECT_TRUE(zhangs.Has<Contact>(own));
  EXPECT_TRUE(wangs.Has<Contact>(own));
  EXPECT_EQ(chens.Get<Flow>(flow).home_name(), "青石村党支部");
  EXPECT_EQ(zhangs.Get<Flow>(flow).host_name(), "驻滨海市流动党支部");

  Step(zhangs, flow, Flow::ENDED);
  ExpectConverged();
  EXPECT_FALSE(chens.Has<Member>(wang));
  EXPECT_FALSE(chens.Has<Contact>(before));
  EXPECT_FALSE(chens.Has<Contact>(during));
  EXPECT_TRUE(chens.Has<Contact>(own));   // its own work
  EXPECT_TRUE(zhangs.Has<Contact>(own));  // about its member
  EXPECT_TRUE(chens.Has<Flow>(flow));
}

TEST_F(FlowAtServer, AHostThatDeclinesHasSeenTheStayAndNothingElseOfTheMember) {
  Talk(zhangs, branch, "行前谈话");
  const Id flow = Report(zhangs);
  world.SyncAll();
  EXPECT_TRUE(chens.Has<Flow>(flow));
  EXPECT_FALSE(chens.Has<Member>(wang));
  EXPECT_THAT(chens.All<Contact>(), IsEmpty());
  Step(chens, flow, Flow::DECLINED);
  ExpectConverged();
  EXPECT_FALSE(chens.Has<Member>(wang));
  EXPECT_THAT(chens.All<Contact>(), IsEmpty());
  EXPECT_FALSE(chens.Has<Flow>(flow)) << "no more than the member";
  EXPECT_TRUE(zhangs.Has<Flow>(flow));
}

TEST_F(FlowAtServer, AHostIsShownWhatItNeedsToDecideAndNothingThatAStrangerWrote) {
  const Id flow = Report(zhangs);
  zhangs.Change<Flow>(flow, [](Flow& f) {
    f.set_destination("滨海市");
    f.set_remark("广告");
  });
  world.SyncAll();
  const Flow asked = chens.Get<Flow>(flow);
  EXPECT_EQ(asked.member_name(), "王");
  EXPECT_EQ(asked.home_name(), "青石村党支部");
  EXPECT_EQ(asked.left(), "2026-11-20");
  EXPECT_EQ(asked.destination() + asked.remark(), "");
  chens.Change<Flow>(flow, [](Flow& f) { f.set_remark("不明"); });
  EXPECT_EQ(Fate(chens), "RETURNED NOT_ENTITLED");
  chens.Change<Flow>(flow, [](Flow& f) {
    f.set_state(Flow::ACCEPTED);
    f.set_answer("欢迎");
  });
  ExpectConverged();
  EXPECT_EQ(chens.Get<Flow>(flow).remark(), "广告");
  EXPECT_EQ(chens.Get<Flow>(flow).destination(), "滨海市");
  EXPECT_EQ(zhangs.Get<Flow>(flow).answer(), "欢迎");
}

TEST_F(FlowAtServer, NoTypeLetsStrangersWriteToAHostWhatTheyLike) {
  size_t types = 0;
  for (const RecordType& type : CatalogueSchema()->types()) {
    const auto& rules = type.fields.rules();
    const bool by_authors = std::any_of(rules.begin(), rules.end(), [](const FieldRule& rule) {
      return rule.place == GUEST && rule.policy != SERVER;
    });
    if (!by_authors) continue;
    ++types;
    ASSERT_NE(type.at_host, nullptr) << type.name;
    for (const FieldRule& rule : rules) {
      const bool text = rule.descriptor->type() == google::protobuf::FieldDescriptor::TYPE_STRING;
      if (!text || rule.policy == SERVER || rule.format != ANY || !rule.shown_when_asked) continue;
      const bool the_hosts_own = rule.written_at == BitOf(GUEST);
      EXPECT_TRUE(the_hosts_own || rule.bytes_max <= 100) << type.name << rule.descriptor->name();
    }
  }
  EXPECT_EQ(types, 3u);
}

TEST_F(FlowAtServer, AStayThatIsWithdrawnIsTakenFromTheHostAndOneThatItTookIsNot) {
  const Id withdrawn = Report(wangs);
  const Id taken = Report(zhangs);
  world.SyncAll();
  ASSERT_TRUE(chens.Has<Flow>(withdrawn));
  Step(chens, taken, Flow::ACCEPTED);
  world.SyncAll();
  Step(wangs, withdrawn, Flow::ENDED);
  Step(zhangs, taken, Flow::ENDED);
  ExpectConverged();
  EXPECT_FALSE(chens.Has<Flow>(withdrawn));
  EXPECT_TRUE(chens.Has<Flow>(taken));
}

TEST_F(FlowAtServer, TheNewBranchHearsOfATransferWhenThereIsALetter) {
  const Id letter = wangs.Make<Transfer>([&](Transfer& t) {
    t.set_member_id(wang.str());
    t.set_from_branch_id(branch.str());
    t.set_to_branch_id(host.str());
    t.set_reason("广告");
    t.set_state(Transfer::REQUESTED);
  });
  world.SyncAll();
  EXPECT_FALSE(chens.Has<Transfer>(letter));
  zhangs.Change<Transfer>(letter, [](Transfer& t) {
    t.set_letter_number("1");
    t.set_issued("2026-11-18");
    t.set_valid_until("2026-12-18");
    t.set_state(Transfer::ISSUED);
  });
  world.SyncAll();
  EXPECT_EQ(chens.Get<Transfer>(letter).member_name(), "王");
  EXPECT_EQ(chens.Get<Transfer>(letter).reason(), "");
  Step(chens, letter, Transfer::REFUSED);
  ExpectConverged();
  EXPECT_FALSE(chens.Has<Transfer>(letter));
}

TEST_F(FlowAtServer, WhoLeavesAHostKeepsWhatTheySeeAtHomeOfWhatTheHostWasNeverShown) {
  world.Appoint(chen, branch, DEPUTY);
  const Id letter = wangs.Make<Transfer>([&](Transfer& t) {
    t.set_member_id(wang.str());
    t.set_from_branch_id(branch.str());
    t.set_to_branch_id(host.str());
    t.set_state(Transfer::REQUESTED);
  });
  world.SyncAll();
  ASSERT_TRUE(chens.Has<Transfer>(letter));
  world.Dismiss(chen, host, SECRETARY);
  world.Place(chen, branch);
  ExpectConverged();
  EXPECT_TRUE(chens.Has<Transfer>(letter));
}

TEST_F(FlowAtServer, WhatOneBranchAsksOfOneOtherIsLimited) {
  Id last;
  for (size_t i = 0; i < kAskedMax; ++i) {
    Flow stay;
    stay.set_member_id(li.str());
    stay.set_home_branch_id(branch.str());
    stay.set_host_branch_id(host.str());
    stay.set_state(Flow::REPORTED);
    last = world.fate().environment().NewId();
    world.Write(stay, last);
  }
  Report(wangs);
  EXPECT_EQ(Fate(wangs), "RETURNED TOO_MANY_ASKED");
  Issue(zhangs, host);
  EXPECT_EQ(Fate(zhangs), "RETURNED TOO_MANY_ASKED");
  world.SyncAll();
  Step(chens, last, Flow::DECLINED);
  EXPECT_EQ(Fate(chens), "");
  Report(wangs);
  EXPECT_EQ(Fate(wangs), "");
}

TEST_F(FlowAtServer, NobodySaysThatSomethingHappenedInYearsToCome) {
  const Id flow = Stay();
  wangs.Change<Flow>(flow, [](Flow& f) { f.mutable_last_contact()->set_seconds(253'402'300'799); });
  EXPECT_EQ(Fate(wangs), "RETURNED BAD_VALUE");
  wangs.Change<Flow>(flow, [&](Flow& f) {
    f.mutable_last_contact()->set_seconds(world.now_ms() / 1000 + 8 * 3600);
  });
  EXPECT_EQ(Fate(wangs), "") << "a clock in another zone";
}

// A wrong one could never be put right.
TEST_F(FlowAtServer, EveryTimeThatOnlyRisesIsOfSomethingThatHasHappened) {
  const std::function<void(const Fields&)> look = [&](const Fields& fields) {
    for (const FieldRule& rule : fields.rules()) {
      if (rule.element != nullptr) look(*rule.element);
      if (rule.policy != MAX) continue;
      if (rule.descriptor->message_type() == nullptr) continue;
      EXPECT_TRUE(rule.happened) << rule.descriptor->full_name();
    }
  };
  for (const RecordType& type : CatalogueSchema()->types()) look(type.fields);
}

TEST_F(FlowAtServer, AStayThatIsReportedBeforeItsHostIsKnownNamesItLaterAndOnce) {
  const Id flow = wangs.Make<Flow>([&](Flow& f) {
    f.set_member_id(wang.str());
    f.set_home_branch_id(branch.str());
    f.set_state(Flow::REPORTED);
  });
  world.SyncAll();
  EXPECT_FALSE(chens.Has<Flow>(flow));
  wangs.Change<Flow>(flow, [&](Flow& f) { f.set_host_branch_id(host.str()); });
  world.SyncAll();
  EXPECT_TRUE(chens.Has<Flow>(flow));
  EXPECT_FALSE(chens.Has<Member>(wang));
  Step(chens, flow, Flow::ACCEPTED);
  world.SyncAll();
  EXPECT_TRUE(chens.Has<Member>(wang));
  // Another host has not accepted it: that is another stay.
  auto draft = wangs.store().Edit<Flow>(flow);
  draft->message<Flow>().set_host_branch_id(branch.str());
  EXPECT_FALSE(wangs.store().Commit({&*draft}).ok());
}

TEST_F(FlowAtServer, AHostSeesTheRegisterAndDoesNotWriteIt) {
  Stay();
  chens.Change<Member>(wang, [](Member& member) { member.set_education("大学"); });
  EXPECT_EQ(Fate(chens), "RETURNED NOT_ENTITLED");
}

TEST_F(FlowAtServer, BothBranchesAndTheMemberWorkOnOneStayOfflineAndNothingIsLost) {
  const Id flow = Stay();
  // Nobody has a link.
  Step(wangs, flow, Flow::EXTENSION_ASKED);
  wangs.Change<Flow>(flow, [](Flow& f) { f.set_asked_back("2027-06-30"); });
  chens.Change<Flow>(flow, [](Flow& f) { f.set_host_contact("陈 000-1"); });
  const Id visit = Talk(chens, host, "走访");
  zhangs.Change<Flow>(flow, [](Flow& f) { f.mutable_last_contact()->set_seconds(1'795'050'000); });
  chens.Change<Flow>(flow, [](Flow& f) { f.mutable_last_contact()->set_seconds(1'795'000'000); });
  const Id call = Talk(zhangs, branch, "电话");
  const Id word = Talk(wangs, branch, "一切都好");
  ExpectConverged();
  for (Phone* phone : {&zhangs, &chens, &wangs}) {
    const Flow now = phone->Get<Flow>(flow);
    EXPECT_EQ(now.state(), Flow::EXTENSION_ASKED);
    EXPECT_EQ(now.asked_back(), "2027-06-30");
    EXPECT_EQ(now.host_contact(), "陈 000-1");
    EXPECT_EQ(now.last_contact().seconds(), 1'795'050'000);
    for (const Id& id : {visit, call, word}) EXPECT_TRUE(phone->Has<Contact>(id));
    EXPECT_THAT(phone->SetAside(), IsEmpty());
  }
  EXPECT_THAT(zhangs.All<ConflictNote>(), IsEmpty());
}

TEST_F(FlowAtServer, AnExtensionThatMeetsAnEndComesBackToItsAuthor) {
  const Id flow = Stay();
  Step(wangs, flow, Flow::ENDED);
  Step(zhangs, flow, Flow::EXTENDED);
  EXPECT_EQ(Fate(wangs), "");
  EXPECT_EQ(Fate(zhangs), "RETURNED STEP_NOT_ALLOWED");
  EXPECT_EQ(StateOf(flow), Flow::ENDED);
}

TEST_F(FlowAtServer, ACheckInAtTheHostIsSeenAtHome) {
  Stay();
  const Id meeting = chens.Make<Meeting>([&](Meeting& m) { m.set_branch_id(host.str()); });
  auto draft =
      client::CheckInByCode(wangs.store(), client::ShowCheckIn(chens.store(), meeting)->text);
  ASSERT_TRUE(draft.ok()) << draft.status();
  wangs.Commit({&*draft});
  auto called = client::CheckInByHand(chens.store(), meeting, wang);
  ASSERT_TRUE(called.ok()) << called.status();
  chens.Commit({&*called});
  ExpectConverged();
  EXPECT_EQ(zhangs.Get<CheckIn>(draft->id()).standing(), CheckIn::VERIFIED);
  EXPECT_THAT(zhangs.Get<CheckIn>(draft->id()).ways(), SizeIs(2));
  // Seen there, and not written.
  zhangs.Change<CheckIn>(draft->id(), [](CheckIn& c) { c.add_ways()->set_how(CheckIn::BY_SELF); });
  EXPECT_EQ(Fate(zhangs), "RETURNED NOT_ENTITLED");
}

// ---- What once was ------------------------------------------------------------------

// A record of each type whose guests the server fills in, kept of wang by `keeper`.
class KeptOfWang : public FlowAtServer {
 protected:
  static std::vector<const RecordType*> Types() {
    std::vector<const RecordType*> types;
    for (const RecordType& type : CatalogueSchema()->types()) {
      const auto& rules = type.fields.rules();
      const bool guests = std::any_of(rules.begin(), rules.end(), [](const FieldRule& rule) {
        return rule.place == GUEST && rule.policy == SERVER;
      });
      const bool of_a_person = std::any_of(rules.begin(), rules.end(), [](const FieldRule& rule) {
        return rule.place == PERSON && rule.belongs_to != nullptr;
      });
      if (guests && of_a_person) types.push_back(&type);
    }
    return types;
  }
  void SetIdentity(const FieldRule& rule, google::protobuf::Message* record) {
    const auto& reflection = *record->GetReflection();
    const auto* field = rule.descriptor;
    if (field->enum_type() != nullptr) return reflection.SetEnumValue(record, field, 1);
    if (field->type() == field->TYPE_UINT32) return reflection.SetUInt32(record, field, 2026);
    const bool is_day = rule.format == DATE || rule.format == DAY_OR_MONTH;
    reflection.SetString(record, field, is_day ? "2026-11-18" : NewId().str());
  }
  Id Keep(const RecordType& type, const Id& keeper) {
    const auto record = New(type);
    for (const FieldRule& rule : type.fields.rules()) {
      const auto set = [&](const std::string& value) {
        record->GetReflection()->SetString(record.get(), rule.descriptor, value);
      };
      if (rule.place == PERSON) set(wang.str());
      if (rule.place == OWNER) set(keeper.str());
      if (rule.identity && rule.place == NOWHERE) SetIdentity(rule, record.get());
    }
    const std::string body = Canonical(type.fields, record->SerializePartialAsString());
    const Id id = type.id_from.empty() ? NewId() : DeriveId(type, body).value();
    world.Write(*record, id);
    return id;
  }
  // The server writes something in it that has to do with nothing.
  void WriteAgain(const RecordType& type, const Id& id) {
    const auto record = New(type);
    record->ParsePartialFromString(world.StateOf({type.number, id}).body);
    const FieldRule* field = PlainText(type, LATEST);
    if (field == nullptr) field = PlainText(type, FIRST);
    // A pass is written once, and revoked.
    if (type.descriptor == Pass::descriptor()) {
      static_cast<Pass&>(*record).set_state(Pass::ISSUED);
    } else if (type.descriptor == CheckIn::descriptor()) {
      static_cast<CheckIn&>(*record).add_ways()->set_how(CheckIn::ROLL_CALL);
    } else {
      // What is written once is so by now.
      const char* text = field->policy == FIRST ? "一" : "改";
      record->GetReflection()->SetString(record.get(), field->descriptor, text);
    }
    world.Write(*record, id);
  }
  static const FieldRule* PlainText(const RecordType& type, Policy policy) {
    for (const FieldRule& rule : type.fields.rules()) {
      if (rule.policy != policy || rule.place != NOWHERE || rule.identity) continue;
      if (rule.descriptor->is_repeated() || rule.format != ANY) continue;
      if (rule.descriptor->type() == google::protobuf::FieldDescriptor::TYPE_STRING) return &rule;
    }
    return nullptr;
  }
  // The branches that are shown it as guests.
  std::vector<std::string> GuestsOf(const RecordType& type, const Id& id) {
    std::vector<std::string> guests;
    for (const Placed& placed : PlacesOf(type, id, world.StateOf({type.number, id}).body)) {
      if (placed.place == GUEST) guests.push_back(placed.scope.str());
    }
    return guests;
  }
  Id NewId() { return world.fate().environment().NewId(); }

  const Id third = world.Branch("柳河村党支部");
  const Id zhao = world.Person("赵", third);

 private:
  static std::unique_ptr<google::protobuf::Message> New(const RecordType& type) {
    return std::unique_ptr<google::protobuf::Message>(
        google::protobuf::MessageFactory::generated_factory()
            ->GetPrototype(type.descriptor)
            ->New());
  }
};

TEST_F(KeptOfWang, AFormerBranchIsToldNothingOfWhereItsMemberGoesFromThenOn) {
  std::vector<std::pair<const RecordType*, Id>> kept;
  for (const RecordType* type : Types()) kept.emplace_back(type, Keep(*type, branch));
  ASSERT_THAT(kept, SizeIs(9));
  world.Place(wang, third);
  world.Appoint(zhao, third, SECRETARY);
  Phone& zhaos = world.Enrol(zhao);
  world.SyncAll();
  for (const auto& [type, id] : kept) {
    EXPECT_THAT(GuestsOf(*type, id), IsEmpty()) << type->name;
    WriteAgain(*type, id);
    EXPECT_THAT(GuestsOf(*type, id), IsEmpty()) << type->name << " is written again";
  }
  // Nor when they go away from there.
  const Id flow = wangs.Make<Flow>([&](Flow& f) {
    f.set_member_id(wang.str());
    f.set_home_branch_id(third.str());
    f.set_host_branch_id(host.str());
    f.set_state(Flow::REPORTED);
  });
  world.SyncAll();
  Step(chens, flow, Flow::ACCEPTED);
  world.SyncAll();
  ASSERT_TRUE(chens.Has<Member>(wang));
  for (const auto& [type, id] : kept) {
    WriteAgain(*type, id);
    EXPECT_THAT(GuestsOf(*type, id), IsEmpty()) << type->name;
  }
  EXPECT_THAT(zhaos.All<Contact>(), IsEmpty());
}

TEST_F(KeptOfWang, AFormerHostKeepsWhatItWroteAndIsToldNothingMore) {
  const Id flow = Stay();
  const Id visit = Talk(chens, host, "走访");
  world.SyncAll();
  const RecordType& type = *world.schema()->Find(Contact::descriptor());
  EXPECT_THAT(GuestsOf(type, visit), ::testing::ElementsAre(branch.str()));
  Step(wangs, flow, Flow::ENDED);
  world.SyncAll();
  world.Place(wang, third);
  world.SyncAll();
  chens.Change<Contact>(visit, [](Contact& c) { c.set_said("走访，情况好"); });
  world.SyncAll();
  EXPECT_THAT(GuestsOf(type, visit), ::testing::ElementsAre(branch.str())) << "the home of then";
}

// ---- Transfers ---------------------------------------------------------------------

TEST_F(FlowAtServer, HomeStaysResponsibleUntilTheLetterIsReceived) {
  zhangs.Make<PrivateDetail>([&](PrivateDetail& detail) {
    detail.set_member_id(wang.str());
    detail.set_branch_id(branch.str());
    detail.set_phone("000-1");
  });
  const Id letter = Issue(zhangs, host);
  ExpectConverged();
  EXPECT_EQ(HomeOfWang(), branch.str());
  EXPECT_EQ(chens.Get<Transfer>(letter).member_name(), "王");
  EXPECT_FALSE(chens.Has<Member>(wang));

  Step(chens, letter, Transfer::RECEIVED);
  EXPECT_EQ(HomeOfWang(), branch.str());  // nobody has heard of it
  ExpectConverged();
  EXPECT_EQ(HomeOfWang(), host.str());
  EXPECT_EQ(chens.Get<Member>(wang).branch_id(), host.str());
  EXPECT_THAT(chens.All<PrivateDetail>(), SizeIs(1));
  EXPECT_THAT(zhangs.All<PrivateDetail>(), IsEmpty());
  EXPECT_FALSE(zhangs.Has<Member>(wang));
  EXPECT_EQ(world.Get<Member>(wang).branch_id(), host.str());

  Step(zhangs, letter, Transfer::CLOSED);
  EXPECT_EQ(Fate(zhangs), "");
}

TEST_F(FlowAtServer, NobodyButTheNewBranchReceivesALetterAndNobodyButTheOldIssuesOne) {
  const Id letter = Issue(zhangs, host);
  world.SyncAll();
  Step(zhangs, letter, Transfer::RECEIVED);
  EXPECT_EQ(Fate(zhangs), "RETURNED NOT_YOUR_STEP");
  Step(wangs, letter, Transfer::RECEIVED);
  EXPECT_EQ(Fate(wangs), "RETURNED NOT_YOUR_STEP");
  Issue(wangs, host);  // the member's own letter
  EXPECT_EQ(Fate(wangs), "RETURNED NOT_YOUR_STEP");
  Issue(chens, host);
  EXPECT_EQ(Fate(chens), "RETURNED NOT_ENTITLED");
  EXPECT_EQ(TransferState(letter), Transfer::ISSUED);
}

TEST_F(FlowAtServer, ALetterIsReceivedOnItsLastDayHoweverLateThatIsSyncedAndNotOnTheNext) {
  // 2026-11-18 in China, as the world begins.
  const Id letter = Issue(zhangs, host, "1", "2026-11-20");
  const Id other = Issue(zhangs, host, "2", "2026-11-20");
  world.SyncAll();
  world.Wait(2 * kDay);
  Step(chens, letter, Transfer::RECEIVED);
  world.Wait(5 * kDay);
  EXPECT_EQ(Fate(chens), "");
  EXPECT_EQ(TransferState(letter), Transfer::RECEIVED);
  world.SyncAll();
  Step(chens, other, Transfer::RECEIVED);
  EXPECT_EQ(Fate(chens), "RETURNED LETTER_EXPIRED");
}

TEST_F(FlowAtServer, ALetterThatWasChangedUnderAWrongClockOfTheServerIsReceivedInTimeAllTheSame) {
  const Id letter = Issue(zhangs, host, "1", "2026-11-30");
  world.SyncAll();
  world.fate().clock_error_ms = 30 * kDay;
  zhangs.Change<Transfer>(letter, [](Transfer& t) { t.set_reason("随迁"); });
  EXPECT_EQ(Fate(zhangs), "");
  world.SyncAll();
  world.fate().clock_error_ms = 0;
  world.Wait(kDay);
  Step(chens, letter, Transfer::RECEIVED);
  EXPECT_EQ(Fate(chens), "");
  EXPECT_EQ(TransferState(letter), Transfer::RECEIVED);
}

TEST_F(FlowAtServer, ALetterNeedsANumberAndRunsNinetyDaysAtMost) {
  Issue(zhangs, host, "1", "2027-02-17");  // 91 days
  EXPECT_EQ(Fate(zhangs), "RETURNED LETTER_TOO_LONG");
  Issue(zhangs, host, "");
  EXPECT_EQ(Fate(zhangs), "RETURNED LETTER_TOO_LONG");
  Issue(zhangs, host, "1", "2026-11-17");  // before it was issued
  EXPECT_EQ(Fate(zhangs), "RETURNED LETTER_TOO_LONG");
  Issue(zhangs, host, "1", "2027-02-16");
  EXPECT_EQ(Fate(zhangs), "");
}

TEST_F(FlowAtServer, OfTwoLettersToTwoBranchesTheOneThatIsReceivedFirstCounts) {
  const Id third = world.Branch("柳河村党支部");
  const Id zhao = world.Person("赵", third);
  world.Appoint(zhao, third, SECRETARY);
  Phone& zhaos = world.Enrol(zhao);
  const Id here = Issue(zhangs, host, "1");
  const Id there = Issue(zhangs, third, "2");
  world.SyncAll();
  Step(chens, here, Transfer::RECEIVED);
  Step(zhaos, there, Transfer::RECEIVED);
  EXPECT_EQ(Fate(chens), "");
  EXPECT_EQ(Fate(zhaos), "RETURNED NOT_OF_BRANCH");
  world.SyncAll();
  EXPECT_EQ(HomeOfWang(), host.str());
  EXPECT_EQ(TransferState(there), Transfer::ISSUED);
}

TEST_F(FlowAtServer, ALetterThatIsWithdrawnWhileItIsReceivedIsWhatTheServerHeardFirst) {
  const Id letter = Issue(zhangs, host);
  world.SyncAll();
  Step(zhangs, letter, Transfer::CANCELLED);
  Step(chens, letter, Transfer::RECEIVED);
  EXPECT_EQ(Fate(zhangs), "");
  EXPECT_EQ(Fate(chens), "RETURNED NO_SUCH_RECORD") << "it has been taken from them";
  world.SyncAll();
  EXPECT_FALSE(chens.Has<Transfer>(letter));
  EXPECT_EQ(HomeOfWang(), branch.str());
}

// Everybody is offline when the letter is received: what becomes of each device's work.
TEST_F(FlowAtServer, AMemberIsMovedWhileFourDevicesAreOffline) {
  const Id letter = Issue(zhangs, host);
  world.SyncAll();
  Step(chens, letter, Transfer::RECEIVED);
  // 1. The former secretary goes on keeping the member's register.
  zhangs.Change<Member>(wang, [](Member& member) { member.set_education("大学"); });
  // 2. The former deputy calls the roll of a meeting of the former branch.
  const Id meeting = MakeMeeting(lis);
  auto roll = client::CheckInByHand(lis.store(), meeting, wang);
  ASSERT_TRUE(roll.ok());
  lis.Commit({&*roll});
  // 3. The member pays dues to the former branch.
  const Id dues = wangs.Make<DuesPayment>([&](DuesPayment& payment) {
    payment.set_member_id(wang.str());
    payment.set_branch_id(branch.str());
    payment.set_amount_fen(500);
    payment.set_month("2026-11");
  });
  // 4. The new secretary has received the letter, above, and is heard first.
  EXPECT_EQ(Fate(chens), "");
  EXPECT_EQ(Fate(zhangs), "HELD MOVED_AWAY");
  EXPECT_EQ(Fate(lis), "HELD MOVED_AWAY");
  EXPECT_EQ(Fate(wangs), "HELD MOVED_AWAY");
  world.SyncAll();
  EXPECT_EQ(HomeOfWang(), host.str());
  EXPECT_FALSE(zhangs.Has<Member>(wang));

  // Those who act for each now decide; nothing is lost, nothing counts twice.
  const auto take = [&](Phone& phone, size_t many) {  // what others wrote
    std::vector<Id> waiting;
    const uint32_t type = phone.store().schema().Find(HeldEdit::descriptor())->number;
    const auto visit = [&](const Id& id, const google::protobuf::Message& message) {
      const auto& held = static_cast<const HeldEdit&>(message);
      if (held.author_id() != phone.person().bytes()) waiting.push_back(id);
      return true;
    };
    EXPECT_EQ(phone.store().List({.type = type}, visit), absl::OkStatus());
    ASSERT_THAT(waiting, SizeIs(many));
    for (const Id& id : waiting) {
      phone.Change<HeldEdit>(id, [](HeldEdit& h) { h.set_state(HeldEdit::TAKEN); });
    }
  };
  EXPECT_FALSE(world.StateOf({51, dues}).alive());
  take(chens, 1);   // the register's edit: the member is theirs
  take(zhangs, 2);  // the roll of their meeting, and the dues that were paid to them
  ExpectConverged();
  EXPECT_TRUE(world.StateOf({33, roll->id()}).alive());
  EXPECT_EQ(chens.Get<Member>(wang).education(), "大学");
  EXPECT_EQ(zhangs.Get<DuesPayment>(dues).amount_fen(), 500);
  EXPECT_EQ(wangs.Get<DuesPayment>(dues).amount_fen(), 500);
}

TEST_F(FlowAtServer, ATransferToTheHostOfAStayLeavesTheMemberWithItAsItsOwn) {
  const Id flow = Stay();
  const Id letter = Issue(zhangs, host);
  world.SyncAll();
  Step(chens, letter, Transfer::RECEIVED);
  ExpectConverged();
  EXPECT_TRUE(chens.Has<Member>(wang));
  EXPECT_FALSE(zhangs.Has<Member>(wang));
  chens.Change<Member>(wang, [](Member& member) { member.set_education("大学"); });
  EXPECT_EQ(Fate(chens), "");
  Step(zhangs, flow, Flow::ENDED);  // the record is still the former home's
  ExpectConverged();
  EXPECT_TRUE(chens.Has<Member>(wang));
}

// ---- Passes ------------------------------------------------------------------------

TEST_F(FlowAtServer, APassIsIssuedByTheHomeOfTheMemberAndByNobodyElse) {
  const auto issue = [&](Phone& phone, const Id& by) {
    return phone.Make<Pass>([&](Pass& pass) {
      pass.set_number("青石 001");
      pass.set_member_id(wang.str());
      pass.set_branch_id(by.str());
      pass.set_from("2026-11-18");
      pass.set_until("2027-11-17");
      pass.set_state(Pass::ISSUED);
    });
  };
  issue(chens, host);
  EXPECT_EQ(Fate(chens), "RETURNED NOT_OF_BRANCH");
  const Id pass = issue(zhangs, branch);
  EXPECT_EQ(Fate(zhangs), "");
  world.SyncAll();
  EXPECT_FALSE(wangs.Get<Pass>(pass).token().empty());
  EXPECT_FALSE(chens.Has<Pass>(pass));
  const Id flow = Stay();
  EXPECT_TRUE(chens.Has<Pass>(pass));
  chens.Change<Pass>(pass, [](Pass& p) { p.set_state(Pass::REVOKED); });
  EXPECT_EQ(Fate(chens), "RETURNED NOT_ENTITLED");
  Step(wangs, flow, Flow::ENDED);
  ExpectConverged();
  EXPECT_FALSE(chens.Has<Pass>(pass));
}

}  // namespace
}  // namespace zhibu::test
