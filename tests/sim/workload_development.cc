// What people do about those who are to become members: cases and their steps, mostly as the rule
// book has them, so that what it forbids is met as often as what it does not.
#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "sync/wire/record.h"
#include "tests/sim/author.h"
#include "zhibu/records/v1/development.pb.h"
#include "zhibu/records/v1/flow.pb.h"

namespace zhibu::sim {

using records::v1::DevelopmentCase;
using records::v1::DevelopmentStep;
using records::v1::Flow;

void Author::Develop() {
  auto draft = dice_.OneIn(4) ? std::nullopt : Any<DevelopmentCase>();
  if (!draft) return NewCase();
  if (dice_.OneIn(4)) {
    ChangeCase(&draft->message<DevelopmentCase>());
    return Commit(&*draft);
  }
  const auto one = draft->message<DevelopmentCase>();
  client::Draft made = store().New<DevelopmentStep>();
  auto& step = made.message<DevelopmentStep>();
  step.set_case_id(draft->id().str());
  step.set_attempt(std::max(one.attempt(), 1u));
  step.set_member_id(one.member_id());
  step.set_branch_id(one.lead_branch_id());
  step.set_state(DevelopmentStep::RECORDED);
  step.set_step(dice_.Of(std::vector<DevelopmentStep::Step>{
      DevelopmentStep::APPLICATION, DevelopmentStep::CANDIDATE_CHOSEN,
      DevelopmentStep::POLITICAL_REVIEW, DevelopmentStep::TRAINING,
      DevelopmentStep::PRE_EXAMINATION, DevelopmentStep::ACCEPTANCE_MEETING,
      DevelopmentStep::APPROVAL, DevelopmentStep::CONFIRMATION_MEETING}));
  TakeStep(&step);
  // Somebody has recorded it already: then they go on with that.
  if (store().Edit<DevelopmentStep>(IdOfStep(step)).ok() || dice_.OneIn(5)) {
    auto known = Any<DevelopmentStep>();
    if (!known) return;
    TakeStep(&known->message<DevelopmentStep>());
    return Commit(&*known);
  }
  Commit(&made);
}

Id Author::IdOfStep(const DevelopmentStep& step) const {
  const RecordType& type = *device_.store->schema().Find(DevelopmentStep::descriptor());
  return DeriveId(type, step.SerializeAsString()).value_or(Id());
}

void Author::NewCase() {
  client::Draft draft = store().New<DevelopmentCase>();
  auto& one = draft.message<DevelopmentCase>();
  Belonging somebody = Somebody();
  // Rather of one who is away: two branches have to do with them, and one sees less.
  if (auto stay = dice_.OneIn(3) ? std::nullopt : Any<Flow>()) {
    const auto& flow = stay->message<Flow>();
    somebody = {flow.member_id(), flow.home_branch_id()};
  }
  one.set_member_id(somebody.member);
  one.set_lead_branch_id(somebody.branch);
  one.set_attempt(1);
  one.set_stage(DevelopmentCase::ACTIVIST);
  one.set_activist_since(absl::StrCat("202", 4 + dice_.Below(2), "-0", 1 + dice_.Below(9), "-01"));
  for (int i = 0; i < 2; ++i) one.add_sponsors(Person());
  Commit(&draft);
}

void Author::ChangeCase(DevelopmentCase* one) {
  switch (dice_.Below(4)) {
    case 0:
      return one->add_mentors(Person());
    case 1:
      return one->set_accepted_on(Day());
    case 2:
      return one->set_extended_until(absl::StrCat("2027-0", 1 + dice_.Below(9), "-10"));
    default:
      return one->set_activist_since(Day());
  }
}

void Author::TakeStep(DevelopmentStep* step) {
  if (step->done_on().empty() && !dice_.OneIn(5)) step->set_done_on(Day());
  if (!dice_.OneIn(4)) step->set_result(DevelopmentStep::PASSED);
  if (dice_.OneIn(2)) {
    auto& vote = *step->mutable_vote();
    vote.set_entitled(20 + dice_.Below(11));
    vote.set_present(10 + dice_.Below(11));
    vote.set_in_favour(8 + dice_.Below(11));
  }
  if (dice_.OneIn(3)) step->set_notice_from("2026-06-15");
  if (dice_.OneIn(3)) step->set_notice_until(dice_.OneIn(2) ? "2026-06-19" : "2026-06-22");
  if (dice_.OneIn(2)) step->set_irregular_because("补录");
}

}  // namespace zhibu::sim
