// What somebody else than the keeper has said or decided in a record stands: neither deletion
// nor a later change takes it back, and who is above writes what is theirs.
#include <gmock/gmock.h>

#include "sync/base/reason.h"
#include "sync/rules/typed.h"
#include "sync/wire/record.h"
#include "tests/support/migration.h"
#include "tests/support/raw_edits.h"

namespace zhibu::test {
namespace {

using records::v1::AnnualReview;
using records::v1::Disciplinary;
using records::v1::DuesHandedUp;
using records::v1::Election;
using records::v1::FoundingRequest;
using records::v1::FundEntry;
using records::v1::Grading;
using records::v1::MemberAppraisal;
using records::v1::NoticeFeedback;
using records::v1::Progress;
using ::testing::IsEmpty;
using ::testing::StartsWith;

// The home branch stands below a committee whose secretary has a phone with other software; so
// have the branch's secretary, a member, and the secretary of the host.
class LastWord : public Migration {
 protected:
  LastWord() {
    world.Appoint(sun, above, SECRETARY);
    Organisation below = world.Get<Organisation>(branch);
    below.set_parent_id(above.str());
    world.Write(below, branch);
    world.SyncAll();
    world.Wait(60'000);
  }
  NoticeFeedback Said(NoticeFeedback::Kind kind, const std::string& text) const {
    NoticeFeedback said;
    said.set_member_id(wang.str());
    said.set_branch_id(branch.str());
    said.set_kind(kind);
    said.set_text(text);
    said.set_state(NoticeFeedback::SAID);
    return said;
  }
  template <typename T>
  uint32_t NumberOf(const T&) {
    return world.schema()->Find(T::descriptor())->number;
  }
  template <typename T>
  Id IdFrom(const T& record) {
    const RecordType& type = *world.schema()->Find(T::descriptor());
    return *DeriveId(type, Canonical(type.fields, record.SerializeAsString()));
  }
  Id NewId() { return world.fate().environment().NewId(); }

  Id HeldElection() {
    Election election;
    election.set_branch_id(branch.str());
    election.set_state(Election::HELD);
    election.set_entitled(38);
    const Id id = NewId();
    EXPECT_EQ(keeper.Answer({keeper.Create(election, id)}), "MERGED");
    return id;
  }
  Grading Marked() {
    Grading grading;
    grading.set_branch_id(branch.str());
    grading.set_year(2026);
    grading.set_state(Grading::MARKED);
    grading.set_own_grade(Grading::FINE);
    return grading;
  }

  const Id above = world.Branch("云溪镇党委");
  const Id sun = world.Person("孙", above);
  Raw keeper{world, zhang};
  Raw superior{world, sun};
  Raw member{world, wang};
  Raw neighbour{world, chen};
};

TEST_F(LastWord, WhoWasGradedAboveDoesNotDeleteTheGradeAndMarkThemselvesAnew) {
  const Grading marked = Marked();
  const Id id = IdFrom(marked);
  ASSERT_EQ(keeper.Answer({keeper.Create(marked)}), "MERGED");
  Grading graded;
  graded.set_state(Grading::GRADED);
  graded.set_grade(Grading::FAIRLY_WEAK);
  graded.set_graded_by_id(sun.str());
  graded.set_graded_on("2026-11-01");
  ASSERT_EQ(superior.Answer({superior.Update(graded, id)}), "MERGED");
  EXPECT_THAT(keeper.Answer({keeper.Deletion(NumberOf(marked), id)}),
              StartsWith("RETURNED NOT_YOUR_STEP"));
  EXPECT_EQ(world.Get<Grading>(id).grade(), Grading::FAIRLY_WEAK);
}

TEST_F(LastWord, WhatOneHasWrittenAndNobodyHasDecidedOnOneMayDelete) {
  const Grading marked = Marked();
  ASSERT_EQ(keeper.Answer({keeper.Create(marked)}), "MERGED");
  EXPECT_EQ(keeper.Answer({keeper.Deletion(NumberOf(marked), IdFrom(marked))}), "MERGED");
}

TEST_F(LastWord, AnElectionThatWasApprovedKeepsItsCount) {
  const Id id = HeldElection();
  Election reported;
  reported.set_state(Election::REPORTED);
  ASSERT_EQ(keeper.Answer({keeper.Update(reported, id)}), "MERGED");
  Election approved;
  approved.set_state(Election::APPROVED);
  ASSERT_EQ(superior.Answer({superior.Update(approved, id)}), "MERGED");
  Election changed;
  changed.set_entitled(40);
  EXPECT_THAT(keeper.Answer({keeper.Update(changed, id)}), StartsWith("RETURNED STEP_NOT_ALLOWED"));
  EXPECT_THAT(keeper.Answer({keeper.Deletion(NumberOf(changed), id)}),
              StartsWith("RETURNED NOT_YOUR_STEP"));
}

TEST_F(LastWord, WhatASuperiorSentBackTheBranchMayPutRight) {
  const Id id = HeldElection();
  Election step;
  step.set_state(Election::REPORTED);
  ASSERT_EQ(keeper.Answer({keeper.Update(step, id)}), "MERGED");
  step.set_state(Election::SENT_BACK);
  ASSERT_EQ(superior.Answer({superior.Update(step, id)}), "MERGED");
  Election right;
  right.set_entitled(37);
  EXPECT_EQ(keeper.Answer({keeper.Update(right, id)}), "MERGED");
}

TEST_F(LastWord, ASuperiorDecidesAndDoesNotRewriteWhatTheBranchCounted) {
  const Id id = HeldElection();
  Election rewritten;
  rewritten.set_entitled(7);
  EXPECT_THAT(superior.Answer({superior.Update(rewritten, id)}),
              StartsWith("RETURNED NOT_YOUR_STEP"));
  Progress progress;
  progress.set_branch_id(branch.str());
  progress.set_state(Progress::RECEIVED);
  const Id answer = NewId();
  ASSERT_EQ(keeper.Answer({keeper.Create(progress, answer)}), "MERGED");
  Progress about;
  about.set_directive_id(NewId().str());
  EXPECT_THAT(superior.Answer({superior.Update(about, answer)}),
              StartsWith("RETURNED NOT_YOUR_STEP"));
}

TEST_F(LastWord, OverAllTypesWhoIsAskedAboveWritesOnlyWhatIsDeclaredTheirs) {
  int types = 0;
  for (const RecordType& type : CatalogueSchema()->types()) {
    const auto& rules = type.fields.rules();
    const bool asks = std::any_of(rules.begin(), rules.end(), [](const FieldRule& rule) {
      return rule.place == ABOVE && rule.policy == zhibu::SERVER;
    });
    if (!asks) continue;
    ++types;
    for (const FieldRule& rule : rules) {
      const bool guarded = rule.written_at != 0 || !rule.written_with.empty() ||
                           !rule.taken_by.empty() || rule.policy == zhibu::SERVER;
      EXPECT_TRUE(guarded) << rule.descriptor->full_name();
    }
  }
  EXPECT_GT(types, 5);
}

TEST_F(LastWord, ADraftIsShownAboveOnceItIsAskedFor) {
  Election election;
  election.set_branch_id(branch.str());
  election.set_state(Election::PLANNED);
  const Id id = NewId();
  ASSERT_EQ(keeper.Answer({keeper.Create(election, id)}), "MERGED");
  EXPECT_EQ(world.Get<Election>(id).superior_ids_size(), 0);
  Election asked;
  asked.set_state(Election::REQUESTED);
  ASSERT_EQ(keeper.Answer({keeper.Update(asked, id)}), "MERGED");
  EXPECT_EQ(world.Get<Election>(id).superior_ids(0), above.str());
}

TEST_F(LastWord, OfTwoSuperiorsTheOneAtHomeDecides) {
  const Id there = world.Branch("柳河镇党委");
  const Id tan = world.Person("谭", there);
  world.Appoint(tan, there, SECRETARY);
  Organisation between = world.Get<Organisation>(branch);
  between.set_host_parent_id(there.str());
  world.Write(between, branch);
  world.Wait(60'000);
  Disciplinary proposed;
  proposed.set_member_id(wang.str());
  proposed.set_branch_id(branch.str());
  proposed.set_state(Disciplinary::PROPOSED);
  const Id id = NewId();
  ASSERT_EQ(keeper.Answer({keeper.Create(proposed, id)}), "MERGED");
  Disciplinary approved;
  approved.set_state(Disciplinary::APPROVED);
  Raw at_the_host_place(world, tan);
  EXPECT_THAT(at_the_host_place.Answer({at_the_host_place.Update(approved, id)}),
              StartsWith("RETURNED NO_SUCH_RECORD"));
  EXPECT_EQ(superior.Answer({superior.Update(approved, id)}), "MERGED");
}

TEST_F(LastWord, WhoDecidesNamesThemselvesAndNobodyChangesWhatTheySaid) {
  const Id gao = world.Person("高", above);
  world.Appoint(gao, above, DEPUTY);
  world.Appoint(gao, branch, DEPUTY);
  world.Wait(60'000);
  FoundingRequest request;
  request.set_branch_id(branch.str());
  request.set_name("某");
  request.set_state(FoundingRequest::REQUESTED);
  const Id id = NewId();
  ASSERT_EQ(keeper.Answer({keeper.Create(request, id)}), "MERGED");
  FoundingRequest approved;
  approved.set_state(FoundingRequest::APPROVED);
  approved.set_answer("同意");
  approved.set_decided_by_id(zhang.str());
  EXPECT_THAT(superior.Answer({superior.Update(approved, id)}),
              StartsWith("RETURNED OTHERS_TO_SAY"));
  Raw of_both(world, gao);
  EXPECT_THAT(of_both.Answer({of_both.Update(approved, id)}), StartsWith("RETURNED OTHERS_TO_SAY"))
      << "who acts for the branch too notes what it does, not what is done above";
  approved.set_decided_by_id(sun.str());
  ASSERT_EQ(superior.Answer({superior.Update(approved, id)}), "MERGED");
  FoundingRequest otherwise;
  otherwise.set_answer("不同意");
  EXPECT_THAT(of_both.Answer({of_both.Update(otherwise, id)}), StartsWith("RETURNED"));
  EXPECT_EQ(world.Get<FoundingRequest>(id).answer(), "同意");
}

TEST_F(LastWord, AMemberDoesNotDeleteWhatWasFoundOfThem) {
  MemberAppraisal appraisal;
  appraisal.set_member_id(wang.str());
  appraisal.set_year(2026);
  appraisal.set_branch_id(branch.str());
  appraisal.set_settled(MemberAppraisal::UNQUALIFIED);
  const Id id = IdFrom(appraisal);
  ASSERT_EQ(keeper.Answer({keeper.Create(appraisal)}), "MERGED");
  EXPECT_THAT(member.Answer({member.Deletion(NumberOf(appraisal), id)}), StartsWith("RETURNED"));
  EXPECT_EQ(world.Get<MemberAppraisal>(id).settled(), MemberAppraisal::UNQUALIFIED);
}

TEST_F(LastWord, AHostThatAppraisesItsGuestTakesNoYearFromTheHomeBranch) {
  Stay();
  MemberAppraisal appraisal;
  appraisal.set_member_id(wang.str());
  appraisal.set_year(2026);
  appraisal.set_branch_id(host.str());
  appraisal.set_settled(MemberAppraisal::EXCELLENT);
  ASSERT_EQ(neighbour.Answer({neighbour.Create(appraisal)}), "MERGED");
  appraisal.set_branch_id(branch.str());
  EXPECT_EQ(keeper.Answer({keeper.Create(appraisal)}), "MERGED");
}

// Else whoever is first locks the others out, and whoever writes its OWNER moves it away.
TEST_F(LastWord, OverAllTypesWhatThereIsOneOfForEachPersonAndTimeIsOneForEachBranch) {
  int types = 0;
  for (const RecordType& type : CatalogueSchema()->types()) {
    if (type.id_from.size() < 2 || type.made_by_server || type.Keeper() == nullptr) continue;
    const auto& rules = type.fields.rules();
    const auto makes_id = [](const FieldRule& rule) { return rule.identity; };
    const bool of_person = std::any_of(rules.begin(), rules.end(), [&](const FieldRule& rule) {
      return makes_id(rule) && rule.place == PERSON;
    });
    const bool of_another = std::any_of(rules.begin(), rules.end(), [&](const FieldRule& rule) {
      return makes_id(rule) && rule.kept_with != nullptr;  // which one organisation keeps
    });
    if (!of_person || of_another) continue;
    ++types;
    EXPECT_TRUE(type.Keeper()->identity) << type.name;
  }
  EXPECT_GT(types, 4);
}

TEST_F(LastWord, WhoMakesARecordThatStaysTakesItsFirstStep) {
  Disciplinary shell;
  shell.set_member_id(wang.str());
  shell.set_branch_id(branch.str());
  EXPECT_THAT(member.Answer({member.Create(shell, NewId())}), StartsWith("RETURNED"));
  int types = 0;
  for (const RecordType& type : CatalogueSchema()->types()) {
    if (!type.permanent || type.made_by_server) continue;
    for (const FieldRule& rule : type.fields.rules()) {
      if (rule.taken_by.empty()) continue;
      ++types;
      // Flow, Transfer and Pass have it as a rule (sync/rules/flow.cc).
      const bool of_flow = type.number >= 41 && type.number <= 44;
      EXPECT_TRUE(rule.required || of_flow) << rule.descriptor->full_name();
    }
  }
  EXPECT_GT(types, 5);
}

TEST_F(LastWord, AnObjectionIsItsAuthorsAndNobodyElseSaysOrWithdrawsIt) {
  const NoticeFeedback said = Said(NoticeFeedback::OBJECTION, "公示名单有误");
  EXPECT_THAT(keeper.Answer({keeper.Create(said, NewId())}), StartsWith("RETURNED"));
  const Id id = NewId();
  ASSERT_EQ(member.Answer({member.Create(said, id)}), "MERGED");
  NoticeFeedback consent;
  consent.set_text("同意");
  EXPECT_THAT(keeper.Answer({keeper.Update(consent, id)}), StartsWith("RETURNED NOT_YOUR_STEP"));
  NoticeFeedback withdrawn;
  withdrawn.set_state(NoticeFeedback::WITHDRAWN);
  EXPECT_THAT(keeper.Answer({keeper.Update(withdrawn, id)}), StartsWith("RETURNED NOT_YOUR_STEP"));
  EXPECT_THAT(keeper.Answer({keeper.Deletion(NumberOf(said), id)}),
              StartsWith("RETURNED NOT_YOUR_STEP"));
}

TEST_F(LastWord, WhatIsAnsweredIsNotChangedUnderTheAnswer) {
  const NoticeFeedback said = Said(NoticeFeedback::OPINION, "建议多植树");
  const Id id = NewId();
  ASSERT_EQ(member.Answer({member.Create(said, id)}), "MERGED");
  NoticeFeedback answered;
  answered.set_answer("属实，同意");
  answered.set_state(NoticeFeedback::ANSWERED);
  ASSERT_EQ(keeper.Answer({keeper.Update(answered, id)}), "MERGED");
  NoticeFeedback other;
  other.set_text("书记贪污集体款");
  EXPECT_THAT(member.Answer({member.Update(other, id)}), StartsWith("RETURNED STEP_NOT_ALLOWED"));
  EXPECT_EQ(world.Get<NoticeFeedback>(id).text(), "建议多植树");
}

// What the branch, or a host, decides on is what it read: of each type whose steps only they take,
// what the person writes is written with a step, or stands here with why not.
TEST(Decided, WhatAPersonHasSaidIsWrittenWithAStepWhereOthersDecideOnIt) {
  const std::map<std::string, std::string> why = {
      {"account", "their own account, which they may add to as long as it lasts"},
      {"own_scores", "their own opinion of themselves"},
      {"attachments", "proof, each under its own hash"},
      {"asked_at", "falls only"},
      {"done", "what they have done for a pledge, told once it is shown"},
      {"campaign_id", "which campaign it counts for"},
      {"remark", "both sides' margin"},
  };
  std::vector<std::string> free;
  int guarded = 0;
  for (const RecordType& type : CatalogueSchema()->types()) {
    if (type.made_by_server || type.steps == nullptr) continue;
    // A stay is told of by both sides as long as it lasts.
    if (type.number == TypeOf<records::v1::Flow>().number) continue;
    const auto& takers = type.steps->taken_by;
    const bool decided = std::any_of(takers.begin(), takers.end(), [](const auto& state) {
      return state.second == (1u << OWNER) || state.second == (1u << GUEST);
    });
    if (!decided) continue;
    for (const FieldRule& rule : type.fields.rules()) {
      const bool once = rule.policy == FIRST || rule.policy == FORWARD || rule.policy == SERVER;
      if (once || rule.identity || rule.place != NOWHERE) continue;
      const uint32_t self = AudienceOf(SELF);
      const bool theirs = (type.writers.at_home & self) != 0 &&
                          (rule.writers == Eyes() || (rule.writers.at_home & self) != 0) &&
                          (rule.written_at == 0 || (rule.written_at & (1u << PERSON)) != 0);
      if (!theirs) continue;
      if (!rule.written_with.empty()) {
        ++guarded;
      } else if (why.count(std::string(rule.descriptor->name())) == 0) {
        free.push_back(std::string(rule.descriptor->full_name()));
      }
    }
  }
  EXPECT_THAT(free, IsEmpty());
  EXPECT_GT(guarded, 10);
}

TEST_F(LastWord, MoneyIsTakenBackByWhoKeepsItAlone) {
  FundEntry spent;
  spent.set_branch_id(branch.str());
  spent.set_booked_on("2026-01-01");
  spent.set_amount_fen(500);
  const Id id = NewId();
  ASSERT_EQ(keeper.Answer({keeper.Create(spent, id)}), "MERGED");
  FundEntry taken_back;
  taken_back.set_branch_id(host.str());
  taken_back.set_booked_on("2026-01-02");
  taken_back.set_amount_fen(-500);
  taken_back.set_reverses_id(id.str());
  EXPECT_THAT(neighbour.Answer({neighbour.Create(taken_back, NewId())}),
              StartsWith("RETURNED BAD_VALUE"));
  taken_back.set_branch_id(branch.str());
  EXPECT_EQ(keeper.Answer({keeper.Create(taken_back, NewId())}), "MERGED");
}

}  // namespace
}  // namespace zhibu::test
