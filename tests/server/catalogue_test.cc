// The record types of the catalogue where it is subtle who says what, who sees what, and what
// becomes of it when several do it offline.
#include <gmock/gmock.h>

#include <functional>
#include <map>
#include <set>

#include "sync/base/reason.h"
#include "sync/wire/record.h"
#include "tests/support/migration.h"
#include "tests/support/raw_edits.h"

namespace zhibu::test {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using records::v1::AffiliationChange;
using records::v1::Aid;
using records::v1::Attachment;
using records::v1::DevelopmentCase;
using records::v1::DevelopmentStep;
using records::v1::Directive;
using records::v1::Disciplinary;
using records::v1::Election;
using records::v1::FoundingRequest;
using records::v1::FundEntry;
using records::v1::Grading;
using records::v1::HeartTalk;
using records::v1::Leave;
using records::v1::Matter;
using records::v1::MatterSheet;
using records::v1::ObservationNote;
using records::v1::PoliticalReview;
using records::v1::Progress;
using records::v1::SelfAnalysis;
using records::v1::StudySession;
using records::v1::StudyYear;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// The home branch stands below a committee; the host has nothing to do with that.
class CatalogueTest : public Migration {
 protected:
  CatalogueTest() {
    world.Appoint(sun, above, SECRETARY);
    Hang(branch, above);
    world.SyncAll();
    world.Wait(60'000);
  }
  void Hang(const Id& organisation, const Id& parent) {
    Organisation below = world.Get<Organisation>(organisation);
    below.set_parent_id(parent.str());
    world.Write(below, organisation);
  }
  Id NewId() { return world.fate().environment().NewId(); }
  // What has come back of what the phone wrote; empty: nothing.
  std::string Fate(Phone& phone) {
    world.SyncAll();
    const std::vector<std::string> all = phone.SetAside();
    if (all.size() == told_[&phone]) return "";
    told_[&phone] = all.size();
    return all.back().substr(all.back().find(' ') + 1);
  }
  Id MakeMatter() {
    const Id matter = zhangs.Make<Matter>([&](Matter& m) {
      m.set_branch_id(branch.str());
      m.set_title("修路");
      m.set_state(Matter::PROPOSED);
    });
    world.SyncAll();
    return matter;
  }
  Id Review(Phone& phone, const Id& matter, const std::function<void(MatterSheet&)>& fill) {
    return phone.Make<MatterSheet>([&](MatterSheet& sheet) {
      sheet.set_matter_id(matter.str());
      sheet.set_branch_id(branch.str());
      sheet.set_sheet(MatterSheet::REVIEW);
      fill(sheet);
    });
  }
  Id Request() {
    return zhangs.Make<FoundingRequest>([&](FoundingRequest& f) {
      f.set_branch_id(branch.str());
      f.set_name("青石茶厂党支部");
      f.set_headcount(40);
      f.set_full_members(4);
      f.set_state(FoundingRequest::REQUESTED);
    });
  }
  Id MakeCase() {
    return zhangs.Make<DevelopmentCase>([&](DevelopmentCase& c) {
      c.set_member_id(wang.str());
      c.set_lead_branch_id(branch.str());
      c.set_stage(DevelopmentCase::ACTIVIST);
      c.set_form_number("0017");
    });
  }
  Id MakeStep(Phone& phone, const Id& of, const std::function<void(DevelopmentStep&)>& fill) {
    return phone.Make<DevelopmentStep>([&](DevelopmentStep& step) {
      step.set_case_id(of.str());
      step.set_attempt(1);
      step.set_member_id(wang.str());
      step.set_branch_id(branch.str());
      step.set_state(DevelopmentStep::RECORDED);
      fill(step);
    });
  }

  const Id above = world.Branch("云溪镇党委");
  const Id other = world.Branch("柳河镇党委");
  const Id sun = world.Person("孙", above);  // secretary of the committee
  Phone& suns = world.Enrol(sun);

 private:
  std::map<Phone*, size_t> told_;
};

// ---- Votes ---------------------------------------------------------------------------

TEST_F(CatalogueTest, TwoWhoFillInTheSameSheetOfAMatterMakeOneRecord) {
  const Id matter = MakeMatter();
  const Id by_zhang = Review(zhangs, matter, [](MatterSheet& sheet) { sheet.set_place("村委会"); });
  const Id by_li = Review(lis, matter, [](MatterSheet& sheet) { sheet.add_township("镇长"); });
  EXPECT_EQ(by_zhang, by_li);
  ExpectConverged();
  EXPECT_THAT(zhangs.All<MatterSheet>(), SizeIs(1));
  EXPECT_EQ(lis.Get<MatterSheet>(by_li).place(), "村委会");
  EXPECT_THAT(zhangs.Get<MatterSheet>(by_li).township(), ElementsAre("镇长"));
}

TEST_F(CatalogueTest, TwoWhoCountAVoteDifferentlyAreBothKeptUntilSomebodySettlesIt) {
  const Id matter = MakeMatter();
  const auto count = [](uint32_t in_favour) {
    return [=](MatterSheet& sheet) {
      sheet.mutable_vote()->set_entitled(60);
      sheet.mutable_vote()->set_present(40);
      sheet.mutable_vote()->set_in_favour(in_favour);
    };
  };
  const Id sheet = Review(zhangs, matter, count(31));
  world.Wait(1000);
  Review(lis, matter, count(30));
  ExpectConverged();
  EXPECT_EQ(lis.Get<MatterSheet>(sheet).vote().in_favour(), 31u) << "the earlier one stands";
  const std::vector<ConflictNote> notes = lis.All<ConflictNote>();
  ASSERT_THAT(notes, SizeIs(1));
  EXPECT_EQ(notes[0].kind(), ConflictNote::OPEN_QUESTION);
  EXPECT_EQ(notes[0].field(), "vote");
}

TEST_F(CatalogueTest, WhatIsCountedInAVoteIsNumbersAndNamesNobody) {
  static const std::set<std::string> kCounted = {"in_favour", "ballots", "returned", "votes"};
  std::set<const Descriptor*> seen;
  int counts = 0;
  const std::function<void(const Descriptor&)> look = [&](const Descriptor& message) {
    if (!seen.insert(&message).second) return;
    bool counts_votes = false, is_record = message.options().HasExtension(zhibu::record);
    for (int i = 0; i < message.field_count(); ++i) {
      const FieldDescriptor& field = *message.field(i);
      counts_votes = counts_votes || kCounted.count(std::string(field.name())) > 0;
      if (field.message_type() != nullptr) look(*field.message_type());
    }
    // A name that voters wrote in is of somebody who is voted for.
    if (!counts_votes || is_record || message.name() == "WriteIn") return;
    ++counts;
    for (int i = 0; i < message.field_count(); ++i) {
      EXPECT_NE(message.field(i)->cpp_type(), FieldDescriptor::CPPTYPE_STRING)
          << message.field(i)->full_name();
    }
  };
  for (const RecordType& type : CatalogueSchema()->types()) look(*type.descriptor);
  EXPECT_GE(counts, 6);
}

// ---- What a superior says ----------------------------------------------------------------

TEST_F(CatalogueTest, ASuperiorApprovesAFoundingAndWhoAsksForItDoesNot) {
  const Id request = Request();
  world.SyncAll();
  ASSERT_TRUE(suns.Has<FoundingRequest>(request));
  EXPECT_THAT(suns.Get<FoundingRequest>(request).superior_ids(), ElementsAre(above.str()));
  const auto approve = [&](FoundingRequest& f) {
    f.set_state(FoundingRequest::APPROVED);
    f.set_approval_number("云发〔2026〕9号");
  };
  zhangs.Change<FoundingRequest>(request, approve);
  EXPECT_EQ(Fate(zhangs), "RETURNED NOT_YOUR_STEP");
  suns.Change<FoundingRequest>(request, [](FoundingRequest& f) { f.set_full_members(2); });
  EXPECT_EQ(Fate(suns), "RETURNED NOT_YOUR_STEP") << "nor does a superior alter what is asked";
  suns.Change<FoundingRequest>(request, approve);
  EXPECT_EQ(Fate(suns), "");
  EXPECT_EQ(zhangs.Get<FoundingRequest>(request).state(), FoundingRequest::APPROVED);
  zhangs.Change<FoundingRequest>(request, [](FoundingRequest& f) { f.set_full_members(2); });
  EXPECT_EQ(Fate(zhangs), "RETURNED STEP_NOT_ALLOWED") << "what was approved stays as it was";
  ExpectConverged();
}

TEST_F(CatalogueTest, WhatWaitsForASuperiorGoesToTheOneThatTheBranchHangsOnNow) {
  const Id request = Request();
  world.SyncAll();
  ASSERT_TRUE(suns.Has<FoundingRequest>(request));
  Hang(branch, other);
  ExpectConverged();
  EXPECT_FALSE(suns.Has<FoundingRequest>(request));
  EXPECT_THAT(zhangs.Get<FoundingRequest>(request).superior_ids(), ElementsAre(other.str()));
}

TEST_F(CatalogueTest, NobodyPutsARecordBeforeASuperiorOfTheirChoice) {
  Raw raw(world, zhang);
  FoundingRequest request;
  request.set_branch_id(branch.str());
  request.set_name("某");
  request.set_state(FoundingRequest::REQUESTED);
  request.add_superior_ids(other.str());
  EXPECT_EQ(raw.Answer({raw.Create(request, NewId())}), "RETURNED SERVER_ONLY");
}

TEST_F(CatalogueTest, ASuperiorTakesItsStepsInAnElectionAndDeletesNone) {
  const Id election = zhangs.Make<Election>([&](Election& e) {
    e.set_branch_id(branch.str());
    e.set_state(Election::REQUESTED);
  });
  world.SyncAll();
  suns.Delete<Election>(election);
  EXPECT_EQ(Fate(suns), "RETURNED NOT_ENTITLED");
  EXPECT_TRUE(zhangs.Has<Election>(election));
  suns.Change<Election>(election, [](Election& e) { e.set_state(Election::AGREED); });
  EXPECT_EQ(Fate(suns), "");
  zhangs.Change<Election>(election, [](Election& e) {
    e.set_state(Election::HELD);
    e.set_held_on("2026-11-20");
    auto* candidate = e.add_candidates();
    candidate->set_member_id(std::string(16, 'w'));
    candidate->mutable_count()->set_in_favour(16);
  });
  EXPECT_EQ(Fate(zhangs), "");
  ExpectConverged();
}

TEST_F(CatalogueTest, ADirectiveGoesToThoseBelowAndTheirAnswerComesUp) {
  const Id directive = suns.Make<Directive>([&](Directive& d) {
    d.set_organisation_id(above.str());
    d.set_title("防汛值班");
    d.set_state(Directive::ISSUED);
    d.add_addressee_ids(branch.str());
    d.add_addressee_ids(host.str());  // which stands below nobody
  });
  world.SyncAll();
  ASSERT_TRUE(zhangs.Has<Directive>(directive));
  EXPECT_FALSE(chens.Has<Directive>(directive));
  EXPECT_THAT(suns.Get<Directive>(directive).receiver_ids(), ElementsAre(branch.str()));
  zhangs.Change<Directive>(directive, [](Directive& d) { d.set_title("改"); });
  EXPECT_EQ(Fate(zhangs), "RETURNED NOT_ENTITLED");
  const Id progress = zhangs.Make<Progress>([&](Progress& p) {
    p.set_branch_id(branch.str());
    p.set_directive_id(directive.str());
    p.set_done("已安排");
    p.set_state(Progress::RECEIVED);
  });
  zhangs.Change<Progress>(progress, [](Progress& p) { p.set_state(Progress::DONE); });
  world.SyncAll();
  suns.Change<Progress>(progress, [](Progress& p) { p.set_done("没有安排"); });
  EXPECT_EQ(Fate(suns), "RETURNED NOT_YOUR_STEP") << "what was done the branch says";
  suns.Change<Progress>(progress, [](Progress& p) {
    p.set_state(Progress::ACCEPTED);
    p.set_answer("好");
  });
  EXPECT_EQ(Fate(suns), "");
  ExpectConverged();
  EXPECT_EQ(zhangs.Get<Progress>(progress).answer(), "好");
}

TEST_F(CatalogueTest, BothSuperiorsTakePartWhenABranchMovesFromOneToTheOther) {
  const Id zhao = world.Person("赵", other);
  world.Appoint(zhao, other, SECRETARY);
  Phone& zhaos = world.Enrol(zhao);
  const Id change = zhangs.Make<AffiliationChange>([&](AffiliationChange& c) {
    c.set_organisation_id(branch.str());
    c.set_new_parent_id(other.str());
    c.set_reason("行政区划调整");
    c.set_state(AffiliationChange::REQUESTED);
  });
  world.SyncAll();
  EXPECT_FALSE(zhaos.Has<AffiliationChange>(change)) << "it has not been let go";
  suns.Change<AffiliationChange>(change, [](AffiliationChange& c) {
    c.set_state(AffiliationChange::RELEASED);
    c.set_released_on("2026-11-18");
  });
  EXPECT_EQ(Fate(suns), "");
  EXPECT_EQ(zhaos.Get<AffiliationChange>(change).reason(), "") << "it is asked";
  suns.Change<AffiliationChange>(
      change, [](AffiliationChange& c) { c.set_state(AffiliationChange::ACCEPTED); });
  EXPECT_EQ(Fate(suns), "RETURNED NOT_YOUR_STEP");
  zhaos.Change<AffiliationChange>(change, [](AffiliationChange& c) {
    c.set_state(AffiliationChange::ACCEPTED);
    c.set_accepted_on("2026-11-19");
  });
  EXPECT_EQ(Fate(zhaos), "");
  ExpectConverged();
  EXPECT_EQ(zhaos.Get<AffiliationChange>(change).reason(), "行政区划调整");
}

TEST_F(CatalogueTest, APunishmentIsProposedByTheBranchApprovedAboveAndAppealedByTheMember) {
  const Id punishment = zhangs.Make<Disciplinary>([&](Disciplinary& d) {
    d.set_member_id(wang.str());
    d.set_branch_id(branch.str());
    d.set_kind(Disciplinary::WARNING);
    d.set_facts("事实");
    d.set_state(Disciplinary::PROPOSED);
  });
  world.SyncAll();
  const auto step = [&](Phone& phone, Disciplinary::State state) {
    phone.Change<Disciplinary>(punishment, [&](Disciplinary& d) { d.set_state(state); });
    return Fate(phone);
  };
  EXPECT_EQ(step(zhangs, Disciplinary::APPROVED), "RETURNED NOT_YOUR_STEP");
  EXPECT_EQ(step(suns, Disciplinary::APPROVED), "");
  EXPECT_EQ(step(suns, Disciplinary::APPEALED), "RETURNED NOT_YOUR_STEP");
  EXPECT_EQ(step(wangs, Disciplinary::APPEALED), "");
  ExpectConverged();
}

// ---- Who sees what of a person ---------------------------------------------------------

TEST_F(CatalogueTest, ASelfAnalysisIsReadByItsAuthorAndTheSecretaryAlone) {
  const Id analysis = wangs.Make<SelfAnalysis>([&](SelfAnalysis& s) {
    s.set_member_id(wang.str());
    s.set_branch_id(branch.str());
    s.set_year(2026);
    s.set_analysis("学习不够");
  });
  Stay();
  ExpectConverged();
  EXPECT_TRUE(zhangs.Has<SelfAnalysis>(analysis));
  for (Phone* phone : {&lis, &chens, &suns}) EXPECT_FALSE(phone->Has<SelfAnalysis>(analysis));
  zhangs.Change<SelfAnalysis>(analysis, [](SelfAnalysis& s) { s.set_analysis("改"); });
  EXPECT_EQ(Fate(zhangs), "RETURNED NOT_ENTITLED");
}

TEST_F(CatalogueTest, WhatProvesARecordIsReadByThoseWhoMayReadThatInIt) {
  const auto photograph = [](Attachment* attachment) {
    attachment->set_content_hash(std::string(32, 'h'));
    attachment->set_name("照片");
    attachment->set_size(1000);
  };
  const Id meeting = zhangs.Make<Meeting>([&](Meeting& m) {
    m.set_branch_id(branch.str());
    photograph(m.add_attachments());
  });
  const Id talk = zhangs.Make<HeartTalk>([&](HeartTalk& t) {
    t.set_first_member_id(zhang.str());
    t.set_second_member_id(wang.str());
    t.set_branch_id(branch.str());
    t.set_held_on("2026-03-01");
    photograph(t.add_attachments());
  });
  ExpectConverged();
  EXPECT_EQ(lis.Get<Meeting>(meeting).attachments_size(), 1);
  EXPECT_EQ(wangs.Get<Meeting>(meeting).attachments_size(), 1);
  EXPECT_EQ(wangs.Get<HeartTalk>(talk).attachments_size(), 1);
  EXPECT_EQ(lis.Get<HeartTalk>(talk).attachments_size(), 0) << "as little as what was said";
}

TEST_F(CatalogueTest, AHostSeesTheCaseOfItsGuestAndNeitherOpinionsNorThePoliticalReview) {
  Stay();
  const Id dossier = MakeCase();
  const Id step = MakeStep(zhangs, dossier, [](DevelopmentStep& s) {
    s.set_step(DevelopmentStep::ACTIVIST_CHOSEN);
    s.set_done_on("2026-03-01");
    s.set_opinion("同意");
  });
  const Id review = zhangs.Make<PoliticalReview>([&](PoliticalReview& r) {
    r.set_member_id(wang.str());
    r.set_branch_id(branch.str());
    r.set_attempt(1);
    r.set_relatives("略");
  });
  ExpectConverged();
  EXPECT_EQ(chens.Get<DevelopmentCase>(dossier).stage(), DevelopmentCase::ACTIVIST);
  EXPECT_EQ(chens.Get<DevelopmentCase>(dossier).form_number(), "");
  EXPECT_EQ(chens.Get<DevelopmentStep>(step).done_on(), "2026-03-01");
  EXPECT_EQ(chens.Get<DevelopmentStep>(step).opinion(), "");
  EXPECT_FALSE(chens.Has<PoliticalReview>(review));
  chens.Change<DevelopmentCase>(dossier,
                                [](DevelopmentCase& c) { c.set_applied_on("2020-01-01"); });
  EXPECT_EQ(Fate(chens), "RETURNED NOT_ENTITLED");
  const Id note = chens.Make<ObservationNote>([&](ObservationNote& n) {
    n.set_member_id(wang.str());
    n.set_branch_id(host.str());
    n.set_text("按时参加活动");
  });
  EXPECT_EQ(Fate(chens), "");
  EXPECT_EQ(zhangs.Get<ObservationNote>(note).text(), "按时参加活动")
      << "both see what either notes";
}

TEST_F(CatalogueTest, AStepIsOneRecordThatASuperiorAgreesToAndDoesNotRewrite) {
  const Id dossier = MakeCase();
  const auto chosen = [](DevelopmentStep& s) { s.set_step(DevelopmentStep::PRE_EXAMINATION); };
  const Id by_zhang = MakeStep(zhangs, dossier, chosen);
  ASSERT_EQ(world.Sync(zhangs), absl::OkStatus());
  EXPECT_EQ(MakeStep(lis, dossier, chosen), by_zhang);
  world.SyncAll();
  zhangs.Change<DevelopmentStep>(
      by_zhang, [](DevelopmentStep& s) { s.set_state(DevelopmentStep::SUBMITTED); });
  world.SyncAll();
  suns.Change<DevelopmentStep>(by_zhang, [](DevelopmentStep& s) { s.set_done_on("2026-01-01"); });
  EXPECT_EQ(Fate(suns), "RETURNED NOT_YOUR_STEP");
  suns.Change<DevelopmentStep>(by_zhang, [](DevelopmentStep& s) {
    s.set_state(DevelopmentStep::AGREED);
    s.set_decided_on("2026-11-18");
  });
  EXPECT_EQ(Fate(suns), "");
  ExpectConverged();
}

TEST_F(CatalogueTest, WhatIsGivenToSomebodyInNeedTheHostNeverSees) {
  Stay();
  const Id aid = zhangs.Make<Aid>([&](Aid& a) {
    a.set_member_id(wang.str());
    a.set_branch_id(branch.str());
    a.set_given_on("2026-11-18");
    a.set_amount_fen(50'000);
  });
  ExpectConverged();
  EXPECT_FALSE(chens.Has<Aid>(aid));
  EXPECT_EQ(wangs.Get<Aid>(aid).amount_fen(), 50'000);
}

TEST_F(CatalogueTest, WhySomebodyIsOnLeaveIsReadByThoseWhoGrantIt) {
  const Id wu = world.Person("吴", branch);
  world.Appoint(wu, branch, COMMITTEE);
  Phone& wus = world.Enrol(wu);
  const Id meeting = MakeMeeting(zhangs);
  world.SyncAll();
  const Id leave = wangs.Make<Leave>([&](Leave& l) {
    l.set_meeting_id(meeting.str());
    l.set_member_id(wang.str());
    l.set_branch_id(branch.str());
    l.set_reason("住院");
    l.set_state(Leave::ASKED);
  });
  ExpectConverged();
  EXPECT_EQ(zhangs.Get<Leave>(leave).reason(), "住院");
  EXPECT_TRUE(wus.Has<Leave>(leave));
  EXPECT_EQ(wus.Get<Leave>(leave).reason(), "");
  wangs.Change<Leave>(leave, [](Leave& l) { l.set_state(Leave::GRANTED); });
  EXPECT_EQ(Fate(wangs), "RETURNED NOT_YOUR_STEP");
}

// ---- What adds up, what is never merged, what is kept ------------------------------------

TEST_F(CatalogueTest, TwoWhoMarkDifferentGoodsAreBothHeard) {
  const auto mark = [&](Phone& phone, Grading::Good good, uint32_t points) {
    return phone.Make<Grading>([&](Grading& g) {
      g.set_branch_id(branch.str());
      g.set_year(2026);
      g.set_state(Grading::MARKED);
      auto* one = g.add_own_marks();
      one->set_good(good);
      one->set_points(points);
    });
  };
  const Id grading = mark(zhangs, Grading::LEADERSHIP, 18);
  EXPECT_EQ(mark(lis, Grading::MEMBERS, 17), grading);
  ExpectConverged();
  EXPECT_THAT(suns.Get<Grading>(grading).own_marks(), SizeIs(2));
}

TEST_F(CatalogueTest, HoursThatSeveralAddCountOnceEach) {
  const auto add = [&](Phone& phone, int64_t minutes) {
    auto draft = phone.store().New<StudyYear>();
    auto& year = draft.message<StudyYear>();
    year.set_member_id(wang.str());
    year.set_branch_id(branch.str());
    year.set_year(2026);
    auto* part = year.add_parts();
    part->set_way(StudySession::TOGETHER);
    part->set_minutes(minutes);
    phone.Commit({&draft});
    return draft.id();
  };
  const Id year = add(zhangs, 90);
  EXPECT_EQ(add(lis, 120), year);
  ExpectConverged();
  ASSERT_THAT(wangs.Get<StudyYear>(year).parts(), SizeIs(1));
  EXPECT_EQ(wangs.Get<StudyYear>(year).parts(0).minutes(), 210);
}

TEST_F(CatalogueTest, MoneyIsTakenBackByAnEntryThatReversesItAndInNoOtherWay) {
  const auto entry = [&](int64_t fen, const Id& reverses) {
    FundEntry made;
    made.set_branch_id(branch.str());
    made.set_booked_on("2026-11-18");
    made.set_amount_fen(fen);
    if (!reverses.empty()) made.set_reverses_id(reverses.str());
    return made;
  };
  Raw raw(world, zhang);
  const Id wrong = NewId();
  EXPECT_EQ(raw.Answer({raw.Create(entry(500'000, Id()), wrong)}), "MERGED");
  FundEntry less;
  less.set_amount_fen(50'000);
  EXPECT_EQ(raw.Answer({raw.Update(less, wrong)}), "RETURNED ALREADY_WRITTEN");
  const uint32_t type = world.schema()->Find(FundEntry::descriptor())->number;
  EXPECT_EQ(raw.Answer({raw.Deletion(type, wrong)}), "RETURNED PERMANENT");
  EXPECT_EQ(raw.Answer({raw.Create(entry(-500'000, wrong), NewId())}), "MERGED");
  EXPECT_EQ(world.Get<FundEntry>(wrong).amount_fen(), 500'000);
}

TEST_F(CatalogueTest, EveryAmountOfMoneyIsWrittenOnceInARecordThatStays) {
  int amounts = 0;
  for (const RecordType& type : CatalogueSchema()->types()) {
    for (const FieldRule& rule : type.fields.rules()) {
      if (rule.descriptor->name() != "amount_fen") continue;
      ++amounts;
      EXPECT_TRUE(type.permanent) << type.name;
      EXPECT_EQ(rule.policy, FIRST) << type.name;
      EXPECT_NE(type.descriptor->FindFieldByName("reverses_id"), nullptr) << type.name;
    }
  }
  EXPECT_EQ(amounts, 4);
}

TEST_F(CatalogueTest, ACodeThatNobodyKnowsYetIsKept) {
  zhangs.Change<Member>(wang, [](Member& m) { m.set_ethnic_group("77"); });
  EXPECT_EQ(Fate(zhangs), "");
  ExpectConverged();
  EXPECT_EQ(lis.Get<Member>(wang).ethnic_group(), "77");
}

}  // namespace
}  // namespace zhibu::test
