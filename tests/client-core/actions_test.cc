// What people do, as an app has it from client-core/actions: each side on its own phone and
// without a link, until everybody syncs. Check-ins and passes that are shown have files of
// their own.
#include "client-core/actions/ask.h"
#include "client-core/actions/check_in.h"
#include "client-core/actions/devices.h"
#include "client-core/actions/flow.h"
#include "client-core/actions/known.h"
#include "client-core/actions/notice.h"
#include "client-core/actions/pass.h"
#include "client-core/actions/persons.h"
#include "client-core/actions/set_aside.h"
#include "client-core/actions/transfer.h"
#include "sync/base/reason.h"
#include "tests/support/migration.h"
#include "zhibu/records/v1/duplicate.pb.h"
#include "zhibu/records/v1/held.pb.h"
#include "zhibu/records/v1/notice.pb.h"

namespace zhibu::test {
namespace {

using client::Draft;
using records::v1::Device;
using records::v1::DuplicatePerson;
using records::v1::HeldEdit;
using records::v1::Notice;
using sync::v1::Reason;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

constexpr absl::CivilDay kFirstDay(2026, 11, 18);  // as the world begins

class Actions : public Migration {
 protected:
  Actions() { world.SyncAll(); }

  // The record as its person sees it now.
  template <typename T>
  static Draft Seen(Phone& phone, const Id& id) {
    auto draft = phone.store().Edit<T>(id);
    EXPECT_TRUE(draft.ok()) << draft.status();
    return draft.ok() ? *std::move(draft) : phone.store().New<T>();
  }
  // The record's id; what is done must be possible.
  static Id Do(Phone& phone, absl::StatusOr<Draft> draft) {
    EXPECT_TRUE(draft.ok()) << draft.status();
    if (!draft.ok()) return Id();
    phone.Commit({&*draft});
    return draft->id();
  }
  // All of it as one edit; the ids, in the order of the drafts.
  static std::vector<Id> DoAll(Phone& phone, absl::StatusOr<std::vector<Draft>> drafts) {
    EXPECT_TRUE(drafts.ok()) << drafts.status();
    if (!drafts.ok()) return {Id(), Id()};
    const uint64_t unsent = phone.State().unsent;
    EXPECT_TRUE(client::CommitTogether(phone.store(), absl::MakeSpan(*drafts)).ok());
    EXPECT_EQ(phone.State().unsent, unsent + 1);
    std::vector<Id> ids;
    for (const Draft& draft : *drafts) ids.push_back(draft.id());
    return ids;
  }
  // Why the phone does not do it, when it is asked or when it is committed.
  static Reason Refused(Phone& phone, absl::StatusOr<Draft> draft) {
    if (!draft.ok()) return ReasonOf(draft.status()).reason;
    const uint64_t unsent = phone.State().unsent;
    const auto number = phone.store().Commit({&*draft});
    EXPECT_EQ(phone.State().unsent, unsent);
    return ReasonOf(number.status()).reason;
  }
  const RecordType& TypeNamed(const char* name) { return *world.schema()->FindByName(name); }
};

// ---- Stays -------------------------------------------------------------------------

TEST_F(Actions, AStayIsReportedAcceptedExtendedAndEndedEachStepOnThePhoneOfWhoseItIs) {
  const Id stay = Do(wangs, ReportStay(wangs.store(), wang,
                                       {.host = host,
                                        .back = absl::CivilDay(2027, 1, 25),
                                        .reason = "务工",
                                        .destination = "滨海市"}));
  world.SyncAll();
  EXPECT_EQ(client::NameOfMember(chens.store(), chens.Get<Flow>(stay)), "王")
      << "whom they are asked to take in, and whose record they do not have yet";
  Do(chens, AcceptStay(chens.store(), Seen<Flow>(chens, stay), "陈书记 000-2"));
  world.SyncAll();
  Do(wangs, AskForExtension(Seen<Flow>(wangs, stay), absl::CivilDay(2027, 6, 30)));
  world.SyncAll();
  Do(zhangs, ExtendStay(Seen<Flow>(zhangs, stay), std::nullopt));
  ExpectConverged();
  const Flow extended = chens.Get<Flow>(stay);
  EXPECT_EQ(extended.state(), Flow::EXTENDED);
  EXPECT_EQ(extended.home_branch_id(), branch.str());
  EXPECT_EQ(extended.left(), "2026-11-18");
  EXPECT_EQ(extended.expected_back(), "2027-06-30");
  EXPECT_EQ(extended.accepted_by_id(), chen.str());
  EXPECT_EQ(extended.host_contact(), "陈书记 000-2");
  EXPECT_EQ(extended.destination(), "滨海市");
  EXPECT_EQ(extended.reason(), "") << "which is home's";
  EXPECT_EQ(zhangs.Get<Flow>(stay).reason(), "务工");
  EXPECT_FALSE(client::IsOver(extended));
  Do(zhangs, EndStay(zhangs.store(), Seen<Flow>(zhangs, stay), Flow::RETURNED,
                     absl::CivilDay(2027, 6, 29)));
  ExpectConverged();
  EXPECT_EQ(wangs.Get<Flow>(stay).ended(), "2027-06-29");
  EXPECT_TRUE(client::IsOver(wangs.Get<Flow>(stay)));
  for (Phone* phone : {&wangs, &chens, &zhangs}) EXPECT_THAT(phone->SetAside(), IsEmpty());
}

TEST_F(Actions, NobodyReportsAStayOfWhomTheirPhoneDoesNotKnow) {
  EXPECT_TRUE(absl::IsNotFound(ReportStay(chens.store(), wang, {}).status()));
  EXPECT_EQ(chens.State().unsent, 0u);
}

TEST_F(Actions, AHostIsNamedOnceItIsKnownAndMayDeclineWhichEndsIt) {
  const Id stay = Do(zhangs, ReportStay(zhangs.store(), wang, {.destination = "滨海市"}));
  world.SyncAll();
  EXPECT_FALSE(chens.Has<Flow>(stay));
  Do(wangs, NameHost(Seen<Flow>(wangs, stay), host));
  world.SyncAll();
  Do(chens, DeclineStay(Seen<Flow>(chens, stay), "查无此人"));
  // What is not declared is refused where it is done.
  EXPECT_EQ(Refused(chens, AcceptStay(chens.store(), Seen<Flow>(chens, stay), "")),
            sync::v1::STEP_NOT_ALLOWED);
  ExpectConverged();
  EXPECT_EQ(zhangs.Get<Flow>(stay).answer(), "查无此人");
  EXPECT_TRUE(client::IsOver(zhangs.Get<Flow>(stay)));
}

TEST_F(Actions, AStepOfTheOtherSideIsTakenOfflineAndComesBack) {
  const Id stay = Do(wangs, ReportStay(wangs.store(), wang, {.host = host}));
  Do(wangs, AcceptStay(wangs.store(), Seen<Flow>(wangs, stay), ""));
  world.SyncAll();
  EXPECT_THAT(wangs.SetAside(), ElementsAre("2 RETURNED NOT_YOUR_STEP"));
  EXPECT_EQ(world.Get<Flow>(stay).state(), Flow::REPORTED);
}

TEST_F(Actions, AnExtensionThatNobodyAskedForNeedsADay) {
  const Id stay = Stay();
  EXPECT_EQ(Refused(zhangs, ExtendStay(Seen<Flow>(zhangs, stay), std::nullopt)),
            sync::v1::MISSING_FIELD);
  Do(zhangs, ExtendStay(Seen<Flow>(zhangs, stay), absl::CivilDay(2027, 3, 1)));
  ExpectConverged();
  EXPECT_EQ(wangs.Get<Flow>(stay).expected_back(), "2027-03-01");
}

TEST_F(Actions, ARefusalWithoutAWordLeavesTheRemarkThatIsThere) {
  const Id stay = Stay();
  zhangs.Change<Flow>(stay, [](Flow& flow) { flow.set_remark("已电话告知"); });
  Do(wangs, AskForExtension(Seen<Flow>(wangs, stay), absl::CivilDay(2027, 6, 30)));
  world.SyncAll();
  Do(zhangs, RefuseExtension(Seen<Flow>(zhangs, stay), ""));
  ExpectConverged();
  EXPECT_EQ(wangs.Get<Flow>(stay).state(), Flow::NOT_EXTENDED);
  EXPECT_EQ(wangs.Get<Flow>(stay).remark(), "已电话告知");
}

TEST_F(Actions, AContactIsOfTheBranchForWhichWhoeverMadeItActs) {
  const Id stay = Stay();
  const Id visit =
      DoAll(chens, RecordContact(chens.store(), Seen<Flow>(chens, stay), {"走访", "表现很好"}))[0];
  const Id call =
      DoAll(zhangs, RecordContact(zhangs.store(), Seen<Flow>(zhangs, stay), {"电话", ""}))[0];
  const Id word =
      DoAll(wangs, RecordContact(wangs.store(), Seen<Flow>(wangs, stay), {"", "一切都好"}))[0];
  ExpectConverged();
  EXPECT_EQ(zhangs.Get<Contact>(visit).branch_id(), host.str());
  EXPECT_EQ(zhangs.Get<Contact>(visit).how(), "走访");
  EXPECT_EQ(zhangs.Get<Contact>(visit).by_id(), chen.str());
  EXPECT_EQ(chens.Get<Contact>(call).branch_id(), branch.str());
  EXPECT_EQ(chens.Get<Contact>(word).branch_id(), branch.str());
  EXPECT_EQ(chens.Get<Flow>(stay).last_contact().seconds(), world.now_ms() / 1000);
  for (Phone* phone : {&wangs, &chens, &zhangs}) EXPECT_THAT(phone->SetAside(), IsEmpty());
}

TEST_F(Actions, AContactByAClockThatIsBehindDoesNotMakeTheLastOneEarlier) {
  const Id stay = Stay();
  const int64_t later = world.now_ms() / 1000 + 3600;
  zhangs.Change<Flow>(stay, [&](Flow& flow) { flow.mutable_last_contact()->set_seconds(later); });
  const Id call =
      DoAll(zhangs, RecordContact(zhangs.store(), Seen<Flow>(zhangs, stay), {"电话", ""}))[0];
  EXPECT_EQ(zhangs.Get<Flow>(stay).last_contact().seconds(), later);
  EXPECT_EQ(zhangs.Get<Contact>(call).at().seconds(), world.now_ms() / 1000);
}

TEST_F(Actions, WhoMovesOnEndsOneStayAndReportsTheNextInOneEdit) {
  const Id first = Do(wangs, ReportStay(wangs.store(), wang, {.host = host, .reason = "务工"}));
  world.SyncAll();
  Do(chens, AcceptStay(chens.store(), Seen<Flow>(chens, first), ""));
  world.SyncAll();
  world.Wait(kDay);
  const Id next =
      DoAll(wangs, MoveOn(wangs.store(), Seen<Flow>(wangs, first), {.destination = "省城"}))[1];
  ExpectConverged();
  EXPECT_EQ(zhangs.Get<Flow>(first).ending(), Flow::MOVED_ON);
  EXPECT_EQ(zhangs.Get<Flow>(first).ended(), "2026-11-19");
  EXPECT_EQ(zhangs.Get<Flow>(next).state(), Flow::REPORTED);
  EXPECT_EQ(zhangs.Get<Flow>(next).follows_id(), first.str());
  EXPECT_EQ(zhangs.Get<Flow>(next).reason(), "务工");
  EXPECT_EQ(zhangs.Get<Flow>(next).destination(), "省城");
  EXPECT_FALSE(chens.Has<Member>(wang));
}

// ---- Transfers ---------------------------------------------------------------------

TEST_F(Actions, AMemberIsTransferredByRequestLetterAndReceipt) {
  const Id transfer = Do(wangs, RequestTransfer(wangs.store(), wang, host, "定居"));
  world.SyncAll();
  Do(zhangs, IssueLetter(zhangs.store(), Seen<Transfer>(zhangs, transfer),
                         {.number = "青组介-17", .days = 30}));
  world.SyncAll();
  const Transfer letter = chens.Get<Transfer>(transfer);
  EXPECT_EQ(letter.issued(), "2026-11-18");
  EXPECT_EQ(letter.valid_until(), "2026-12-18");
  EXPECT_EQ(client::NameOfMember(chens.store(), letter), "王");
  Do(chens, ReceiveLetter(chens.store(), Seen<Transfer>(chens, transfer)));
  EXPECT_EQ(chens.Get<Transfer>(transfer).received_by_id(), chen.str());
  world.SyncAll();
  Do(zhangs, CloseTransfer(Seen<Transfer>(zhangs, transfer)));
  ExpectConverged();
  EXPECT_EQ(HomeOfWang(), host.str());
  EXPECT_TRUE(client::IsOver(wangs.Get<Transfer>(transfer)));
  EXPECT_EQ(client::BranchOfMember(wangs.store(), wang).value(), host);
}

TEST_F(Actions, AHomeBranchIssuesALetterOfItsOwnAccordAndTheNewOneSendsItBack) {
  const Id transfer = Do(
      zhangs, IssueLetterUnasked(zhangs.store(), wang, host, "组织安排", {.number = "青组介-18"}));
  world.SyncAll();
  EXPECT_EQ(chens.Get<Transfer>(transfer).valid_until(), "2027-02-16") << "90 days";
  EXPECT_EQ(zhangs.Get<Transfer>(transfer).reason(), "组织安排");
  Do(chens, RefuseLetter(Seen<Transfer>(chens, transfer), "不在本地"));
  ExpectConverged();
  EXPECT_EQ(zhangs.Get<Transfer>(transfer).answer(), "不在本地");
  EXPECT_TRUE(client::IsOver(zhangs.Get<Transfer>(transfer)));
  EXPECT_EQ(HomeOfWang(), branch.str());
}

TEST_F(Actions, ALetterWithoutANumberOrForLongerThanALetterMayIsRefusedOnThePhone) {
  const Id transfer = Do(zhangs, RequestTransfer(zhangs.store(), wang, host, ""));
  for (const client::Letter& letter :
       {client::Letter{.number = "", .days = 30}, client::Letter{.number = "1", .days = 91},
        client::Letter{.number = "1", .days = -1}}) {
    EXPECT_EQ(
        Refused(zhangs, IssueLetter(zhangs.store(), Seen<Transfer>(zhangs, transfer), letter)),
        sync::v1::LETTER_TOO_LONG);
    EXPECT_EQ(Refused(zhangs, IssueLetterUnasked(zhangs.store(), wang, host, "", letter)),
              sync::v1::LETTER_TOO_LONG);
  }
  EXPECT_EQ(zhangs.State().unsent, 1u);
}

TEST_F(Actions, ALetterIsReceivedOnItsLastDayAndOnTheNextThePhoneSaysThatItHasRunOut) {
  const Id transfer =
      Do(zhangs, IssueLetterUnasked(zhangs.store(), wang, host, "", {.number = "1", .days = 2}));
  world.SyncAll();
  world.Wait(3 * kDay);
  EXPECT_EQ(Refused(chens, ReceiveLetter(chens.store(), Seen<Transfer>(chens, transfer))),
            sync::v1::LETTER_EXPIRED);
  EXPECT_EQ(chens.State().unsent, 0u);
  world.Wait(-kDay);
  Do(chens, ReceiveLetter(chens.store(), Seen<Transfer>(chens, transfer)));
  ExpectConverged();
  EXPECT_EQ(HomeOfWang(), host.str());
}

TEST_F(Actions, ALetterIsWithdrawnAsLongAsNobodyHasReceivedIt) {
  const Id transfer =
      Do(zhangs, IssueLetterUnasked(zhangs.store(), wang, host, "", {.number = "1"}));
  world.SyncAll();
  Do(zhangs, CancelTransfer(Seen<Transfer>(zhangs, transfer), "写错了"));
  EXPECT_EQ(Refused(zhangs, ReceiveLetter(zhangs.store(), Seen<Transfer>(zhangs, transfer))),
            sync::v1::STEP_NOT_ALLOWED);
  ExpectConverged();
  EXPECT_EQ(wangs.Get<Transfer>(transfer).state(), Transfer::CANCELLED);
  EXPECT_EQ(wangs.Get<Transfer>(transfer).remark(), "写错了");
  EXPECT_FALSE(chens.Has<Transfer>(transfer));
}

// ---- Passes ------------------------------------------------------------------------

TEST_F(Actions, APassIsIssuedShownVerifiedAndRevoked) {
  Stay();
  const Id pass =
      Do(zhangs, IssuePass(zhangs.store(), wang,
                           {.number = "青石 001", .until = absl::CivilDay(2027, 11, 17)}));
  ExpectConverged();
  const auto shown = ShowPass(wangs.store(), wang);
  ASSERT_TRUE(shown.ok()) << shown.status();
  EXPECT_EQ(shown->id, pass);
  EXPECT_EQ(shown->pass.branch_id(), branch.str());
  EXPECT_EQ(shown->pass.from(), "2026-11-18");
  EXPECT_EQ(VerifyPass(chens.store(), shown->text)->standing, client::PassStanding::kValid);
  Do(zhangs, RevokePass(Seen<Pass>(zhangs, pass)));
  ExpectConverged();
  EXPECT_EQ(VerifyPass(chens.store(), shown->text)->standing, client::PassStanding::kRevoked);
  EXPECT_TRUE(absl::IsNotFound(
      IssuePass(chens.store(), zhang, {.number = "2", .until = kFirstDay}).status()));
}

// ---- One person who is two members --------------------------------------------------

class OnePerson : public Actions {
 protected:
  OnePerson() {
    for (const Id& below : {branch, host}) {
      Organisation organisation = world.Get<Organisation>(below);
      organisation.set_parent_id(township.str());
      world.Write(organisation, below);
    }
    world.Appoint(zhou, township, SECRETARY);
    for (const Id& person : {wang, chen}) {
      Member member = world.Get<Member>(person);
      member.set_name("王小明");
      member.set_born("1990-03-07");
      world.Write(member, person);
    }
    world.SyncAll();
  }

  Id Pair() {
    std::vector<Id> pairs;
    EXPECT_EQ(client::Each<DuplicatePerson>(zhous.store(),
                                            [&](const Id& id, const DuplicatePerson&) {
                                              pairs.push_back(id);
                                              return true;
                                            }),
              absl::OkStatus());
    EXPECT_THAT(pairs, SizeIs(1));
    return pairs.empty() ? Id() : pairs[0];
  }

  const Id township = world.Branch("云溪镇委员会");
  const Id zhou = world.Person("周", township);
  Phone& zhous = world.Enrol(zhou);
};

TEST_F(OnePerson, BothAgreeToWhatTheTownshipFindsAndOneOfThemThinksBetterOfIt) {
  const Id pair = Pair();
  Do(zhous, FindOnePerson(Seen<DuplicatePerson>(zhous, pair), chen));
  world.SyncAll();
  Do(wangs, AgreeToBeOne(wangs.store(), Seen<DuplicatePerson>(wangs, pair)));
  world.SyncAll();
  EXPECT_EQ(world.Get<DuplicatePerson>(pair).state(), DuplicatePerson::AGREED);
  Do(chens, AgreeToBeOne(chens.store(), Seen<DuplicatePerson>(chens, pair)));
  world.SyncAll();
  EXPECT_EQ(world.Get<DuplicatePerson>(pair).state(), DuplicatePerson::MERGED);
  EXPECT_EQ(world.Get<Member>(wang).merged_into_id(), chen.str());
  Do(wangs, Separate(Seen<DuplicatePerson>(wangs, pair)));
  ExpectConverged();
  EXPECT_EQ(world.Get<DuplicatePerson>(pair).state(), DuplicatePerson::UNDONE);
  EXPECT_EQ(world.Get<Member>(wang).merged_into_id(), "");
}

TEST_F(OnePerson, WhoHasAgreedHasNothingToAddAndNobodyAgreesForThem) {
  const Id pair = Pair();
  Do(zhous, FindOnePerson(Seen<DuplicatePerson>(zhous, pair), std::nullopt));
  EXPECT_EQ(Refused(zhous, AgreeToBeOne(zhous.store(), Seen<DuplicatePerson>(zhous, pair))),
            sync::v1::NOT_ENTITLED);
  world.SyncAll();
  Do(wangs, AgreeToBeOne(wangs.store(), Seen<DuplicatePerson>(wangs, pair)));
  auto again = AgreeToBeOne(wangs.store(), Seen<DuplicatePerson>(wangs, pair));
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(wangs.store().Commit({&*again}).value(), EditNumber(0));
  EXPECT_FALSE(zhangs.Has<DuplicatePerson>(pair));
}

TEST_F(OnePerson, TheTownshipFindsThatTheyAreTwo) {
  const Id pair = Pair();
  Do(zhous, FindTwoPersons(Seen<DuplicatePerson>(zhous, pair)));
  ExpectConverged();
  EXPECT_EQ(world.Get<DuplicatePerson>(pair).state(), DuplicatePerson::NOT_SAME);
}

// ---- What waits for somebody ---------------------------------------------------------

TEST_F(Actions, OfTwoEditsThatWaitOneIsTakenAndOneReturnedWithoutALink) {
  const Id good = MakeMeeting(lis, "支委会");
  const Id bad = MakeMeeting(lis, "茶话会");
  world.Dismiss(li, branch, DEPUTY);
  ASSERT_EQ(world.Sync(lis), absl::OkStatus());
  ASSERT_EQ(world.Sync(zhangs), absl::OkStatus());
  std::vector<std::string> topics;
  std::vector<std::pair<Id, Id>> waiting;  // the meeting, what waits
  EXPECT_EQ(client::ListWaitingEdits(zhangs.store(),
                                     [&](const client::WaitingEdit& item) {
                                       const sync::v1::Change& change = item.edit.changes(0);
                                       const auto set =
                                           client::WhatIsSet(zhangs.store().schema(), change);
                                       topics.push_back(static_cast<const Meeting&>(*set).topic());
                                       waiting.emplace_back(*Id::FromBytes(change.id()), item.id);
                                     }),
            absl::OkStatus());
  EXPECT_THAT(topics, UnorderedElementsAre("支委会", "茶话会"));
  for (const auto& [meeting, held] : waiting) {
    Do(zhangs, meeting == good ? TakeHeldEdit(Seen<HeldEdit>(zhangs, held))
                               : ReturnHeldEdit(Seen<HeldEdit>(zhangs, held), "请重新开会"));
  }
  ExpectConverged();
  EXPECT_EQ(zhangs.Get<Meeting>(good).topic(), "支委会");
  EXPECT_FALSE(zhangs.Has<Meeting>(bad));
  std::vector<client::SetAside> aside;
  EXPECT_EQ(lis.store().ListSetAside([&](const client::SetAside& s) { aside.push_back(s); }),
            absl::OkStatus());
  ASSERT_THAT(aside, SizeIs(2));
  EXPECT_EQ(client::FindSetAside(lis.store(), aside[1].place)->reply, "请重新开会");
  EXPECT_TRUE(absl::IsNotFound(client::FindSetAside(lis.store(), 99).status()));
  // Decided is decided.
  EXPECT_EQ(Refused(zhangs, TakeHeldEdit(Seen<HeldEdit>(zhangs, waiting[1].second))),
            sync::v1::STEP_NOT_ALLOWED);
}

TEST_F(Actions, WhatAChangeSetsIsNothingWhereItsTypeIsNotKnown) {
  sync::v1::Change change;
  change.set_type(9999);
  EXPECT_EQ(client::WhatIsSet(*world.schema(), change), nullptr);
}

// ---- Notices -------------------------------------------------------------------------

TEST_F(Actions, ANoticeShowsTheMeetingThatItIsAbout) {
  const Id meeting = MakeMeeting(zhangs, "七月党员大会");
  const Id id =
      Do(zhangs, PutUpNotice(zhangs.store(), branch,
                             {.title = "会议公示",
                              .until = kFirstDay + 7,
                              .about = RecordKey{
                                  world.schema()->Find(Meeting::descriptor())->number, meeting}}));
  ExpectConverged();
  const Notice notice = wangs.Get<Notice>(id);
  EXPECT_EQ(notice.from(), "2026-11-18");
  EXPECT_EQ(notice.until(), "2026-11-25");
  EXPECT_THAT(notice.shown(), HasSubstr("七月党员大会"));
}

TEST_F(Actions, ANoticeWithSomebodysNumberIsRefusedOnThePhone) {
  EXPECT_EQ(Refused(zhangs,
                    PutUpNotice(
                        zhangs.store(), branch,
                        {.title = "公示", .text = "联系电话 13800138000", .until = kFirstDay + 7})),
            sync::v1::HOLDS_CONTACT);
  EXPECT_EQ(Refused(zhangs, PutUpNotice(zhangs.store(), branch, {.until = kFirstDay + 7})),
            sync::v1::MISSING_FIELD);
}

// ---- Questions -----------------------------------------------------------------------

TEST_F(OnePerson, TheTownshipAsksForTheMembersBelowItAndHoldsNoneOfThem) {
  const RecordType& type = TypeNamed("Member");
  const auto answer = [&](Phone& phone, const sync::v1::Ask& ask) {
    Stream stream(&world, &phone);
    stream.client().Ask(ask);
    stream.Run();
    return stream.client().TakePage().value_or(sync::v1::Page());
  };
  std::vector<std::string> names;
  const auto read = [&](const Id&, const google::protobuf::Message& record) {
    names.push_back(static_cast<const Member&>(record).name());
  };
  sync::v1::Page page = answer(zhous, client::AskBelow(type, branch));
  EXPECT_EQ(client::ReadPage(type, page, read), absl::OkStatus());
  EXPECT_THAT(names, UnorderedElementsAre("张", "李", "王小明"));
  EXPECT_FALSE(zhous.Has<Member>(zhang));

  // One that is damaged does not hide the others.
  names.clear();
  page.set_bodies(0, "\xff");
  EXPECT_TRUE(absl::IsDataLoss(client::ReadPage(type, page, read)));
  EXPECT_THAT(names, SizeIs(2));

  names.clear();
  const sync::v1::Page refused = answer(zhangs, client::AskBelow(type, host));
  EXPECT_EQ(ReasonOf(client::ReadPage(type, refused, read)).reason, sync::v1::ASK_NOT_BELOW);
  EXPECT_THAT(names, IsEmpty());
}

TEST_F(OnePerson, AReasonThatNoServerWouldTakeIsRefusedBeforeItIsAsked) {
  const RecordType& type = TypeNamed("PrivateDetail");
  EXPECT_EQ(ReasonOf(client::AskAboutMember(type, wang, " ").status()).reason,
            sync::v1::ASK_WITHOUT_REASON);
  EXPECT_EQ(ReasonOf(client::AskAboutMember(type, wang, std::string(501, 'x')).status()).reason,
            sync::v1::BAD_VALUE);
  EXPECT_EQ(client::AskAboutMember(type, wang, "核对信息")->member_id(), wang.str());
  EXPECT_EQ(client::AskAboutMember(type, wang, "")->reason(), "");
}

// ---- Devices, and what is known -------------------------------------------------------

TEST_F(Actions, ADeviceIsRenamedByItsOwnerOnThisOneOrAnother) {
  Phone& second = world.Enrol(wang);
  world.SyncAll();
  const Id first = wangs.store().GetIdentity()->record;
  Do(wangs, RenameDevice(*ThisDevice(wangs.store()), "王的手机"));
  Do(second, RenameDevice(*ThisDevice(second.store()), "王的平板"));
  ExpectConverged();
  EXPECT_EQ(second.Get<Device>(first).name(), "王的手机");
  Do(second, RenameDevice(Seen<Device>(second, first), "旧手机"));
  ExpectConverged();
  EXPECT_EQ(wangs.Get<Device>(first).name(), "旧手机");
}

TEST_F(Actions, WhatCameInAfterItWasSeenIsNotUndoneUnseen) {
  Phone& second = world.Enrol(wang);
  world.SyncAll();
  const Id first = wangs.store().GetIdentity()->record;
  Draft seen = Seen<Device>(wangs, first);
  Do(second, RenameDevice(Seen<Device>(second, first), "旧手机"));
  world.SyncAll();
  EXPECT_EQ(wangs.Get<Device>(first).name(), "旧手机");
  Do(wangs, RenameDevice(std::move(seen), "王的手机"));
  ExpectConverged();
  EXPECT_EQ(second.Get<Device>(first).name(), "王的手机");
  const std::vector<ConflictNote> notes = wangs.All<ConflictNote>();
  ASSERT_THAT(notes, SizeIs(1));
  EXPECT_THAT(TextOf(notes[0]), HasSubstr("旧手机"));
}

TEST_F(Actions, ARecordOfAnotherTypeIsRefused) {
  const Id meeting = MakeMeeting(zhangs);
  for (const auto& refused :
       {AcceptStay(zhangs.store(), Seen<Meeting>(zhangs, meeting), "").status(),
        client::CloseTransfer(Seen<Meeting>(zhangs, meeting)).status(),
        client::TakeHeldEdit(Seen<Meeting>(zhangs, meeting)).status()}) {
    EXPECT_TRUE(absl::IsInvalidArgument(refused)) << refused;
  }
}

TEST_F(Actions, TodayIsChinasByTheServersClockHoweverWrongThePhonesIs) {
  EXPECT_EQ(client::Today(zhangs.store()).value(), kFirstDay);
  zhangs.clock_error_ms() = -6 * 365 * kDay;
  ASSERT_EQ(world.Sync(zhangs), absl::OkStatus());
  EXPECT_EQ(client::Today(zhangs.store()).value(), kFirstDay);
  world.Wait(kDay);
  EXPECT_EQ(client::DateOrToday(zhangs.store(), std::nullopt).value(), "2026-11-19");
  EXPECT_EQ(client::DateOrToday(zhangs.store(), kFirstDay).value(), "2026-11-18");
}

TEST_F(Actions, ADeviceThatNobodyHasEnrolledDoesNothingInAnybodysName) {
  const auto store = client::Store::Open({.file = world.directory().NewFile()});
  ASSERT_TRUE(store.ok()) << store.status();
  const auto why = [](const absl::Status& status) { return ReasonOf(status).reason; };
  EXPECT_EQ(why(client::ThisDevice(**store).status()), sync::v1::NOT_ENROLLED);
  EXPECT_EQ(why(client::CheckInByHand(**store, wang, wang).status()), sync::v1::NOT_ENROLLED);
  EXPECT_EQ(why(client::VerifyPass(**store, "ZP1:").status()), sync::v1::PASS_INVALID);
  EXPECT_TRUE(absl::IsNotFound(ReportStay(**store, wang, {}).status()));
}

}  // namespace
}  // namespace zhibu::test
