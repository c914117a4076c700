// 发展党员: somebody in each branch is on the way, each at another stage, by the customary 25
// steps, with the township's own word where it has one. Four ways have a story of their own:
//
//   by the table of 2014    a meeting more than a month after the pre-examination, which it allowed
//   by that of May 2026     the same, after 18 May: noted as late
//   late paper              a candidate chosen after less than a year; refused as a new act, and
//                           entered later from the paper with its reason
//   waiting                 the township does not approve what the meeting decided
#include <algorithm>
#include <set>

#include "absl/strings/str_cat.h"
#include "sync/base/reason.h"
#include "sync/wire/record.h"
#include "tests/demo/year/story.h"
#include "zhibu/records/v1/catalogue.pb.h"

namespace zhibu::year {
namespace {

using records::v1::DevelopmentCase;
using records::v1::DevelopmentStep;
using records::v1::Member;
using records::v1::ObservationNote;
using records::v1::Placement;
using records::v1::PoliticalReview;
using records::v1::PrivateDetail;

enum class Way { kCustomary, kOldTable, kNewTable, kLatePaper, kWaiting };

// Which day of the way each step is customarily on, counted from the application.
constexpr int kCustomary[] = {0,   0,   20,  200, 210, 215, 390, 600, 607, 610,  625,  640,  650,
                              665, 672, 685, 700, 720, 730, 732, 740, 865, 1045, 1055, 1085, 1095};
constexpr int kSteps = 25;
// The township is asked for its word on what these decide, and gives it before the next.
const std::set<int> kAsked = {DevelopmentStep::COMMITTEE_REVIEW,
                              DevelopmentStep::ACCEPTANCE_MEETING,
                              DevelopmentStep::CONFIRMATION_MEETING};

struct Journey {
  Way way = Way::kCustomary;
  size_t village = 0;
  absl::CivilDay days[kSteps + 1];
  int done = 0;  // steps
  Id id;         // of the case
  absl::CivilDay accepted;
  bool waits = false;  // for the township's word on the last step
  int notes = 0;
};

absl::CivilDay Day(int year, int month, int day) { return absl::CivilDay(year, month, day); }

class Development final : public Story {
 public:
  explicit Development(Year* year) : Story(year) {
    for (const Village& village : town_.villages()) journeys_.push_back(Plan(village));
  }

  void OnDay() override {
    if (year_.days() < 2) return;
    if (year_.days() == 2) {
      for (Journey& journey : journeys_) EnterHistory(&journey);
    }
    for (Journey& journey : journeys_) {
      if (journey.way == Way::kLatePaper && journey.days[7] == today()) RefuseNewAct(journey);
      GoOn(&journey);
    }
    Agree();
  }

  void End() override;

 private:
  static Journey Plan(const Village& village, absl::CivilDay first, absl::CivilDay last);
  Journey Plan(const Village& village) { return Plan(village, year_.first, year_.last); }

  Device& device(const Journey& journey) { return town_.secretary(journey.village); }
  Person& person(const Journey& journey) { return town_.village(journey.village).applicant; }
  Id StepId(const Journey& journey, int step);
  bool IsAgreed(const Journey& journey);

  void EnterHistory(Journey* journey);
  void Register(Journey* journey);
  void Open(Journey* journey, Edit* edit);
  void GoOn(Journey* journey);
  void Take(Journey* journey, absl::CivilDay on, Edit* edit);
  void Fill(const Journey& journey, int step, absl::CivilDay on, DevelopmentStep* made);
  void Count(const Journey& journey, DevelopmentStep* step);
  void MoveCase(Journey* journey, int step, absl::CivilDay on, Edit* edit);
  void MoveMember(const Journey& journey, int step, Edit* edit);
  void Place(const Journey& journey, absl::CivilDay on, Edit* edit);
  void Note(Journey* journey, absl::CivilDay on, Edit* edit);
  void Review(const Journey& journey, absl::CivilDay on, Edit* edit);
  void RefuseNewAct(const Journey& journey);
  void Agree();
  void TellTable(const std::string& way, const Journey& journey);

  std::vector<Journey> journeys_;
  int decisions_ = 0;
  int64_t agreed_ = 0;
  bool refused_ = false;
};

Journey Development::Plan(const Village& village, absl::CivilDay first, absl::CivilDay last) {
  Journey journey;
  journey.village = village.index;
  absl::CivilDay* days = journey.days;
  for (int step = 1; step <= kSteps; ++step) {
    days[step] = first - village.applied_before + kCustomary[step];
  }
  const auto shift_to = [&](int step, absl::CivilDay day) {
    const auto by = day - days[step];
    for (int later = step; later <= kSteps; ++later) days[later] += by;
  };
  switch (village.index) {
    case 1:
    case 2: {
      const bool old = village.index == 1;
      journey.way = old ? Way::kOldTable : Way::kNewTable;
      shift_to(1, old ? Day(2024, 7, 1) : Day(2024, 9, 20));
      shift_to(7, old ? Day(2026, 2, 2) : Day(2026, 5, 26));
      shift_to(13, old ? Day(2026, 4, 9) : Day(2026, 7, 30));
      shift_to(15, old ? Day(2026, 5, 14) : Day(2026, 9, 5));
      break;
    }
    case 3:
      journey.way = Way::kLatePaper;
      shift_to(1, last - 700);
      shift_to(3, last - 385);
      shift_to(7, last - 60);
      break;
    case 4:
      journey.way = Way::kWaiting;
      shift_to(15, last - 130);
      break;
    default:
      break;
  }
  return journey;
}

Id Development::StepId(const Journey& journey, int step) {
  DevelopmentStep key;
  key.set_case_id(journey.id.str());
  key.set_attempt(1);
  key.set_step(static_cast<DevelopmentStep::Step>(step));
  const RecordType& type = *device(journey).store().schema().Find(DevelopmentStep::descriptor());
  return Must(DeriveId(type, key.SerializeAsString()), "step");
}

// What was done before the branch began with the program, as its paper says.
void Development::EnterHistory(Journey* journey) {
  if (journey->days[1] >= year_.first) return;
  Edit opening(&device(*journey));
  Open(journey, &opening);
  opening.Commit();
  while (journey->done < kSteps && journey->days[journey->done + 1] < year_.first) {
    Edit edit(&device(*journey));
    Take(journey, journey->days[journey->done + 1], &edit);
    edit.Commit();
    journey->waits = false;
  }
}

void Development::Register(Journey* journey) {
  Village& village = town_.village(journey->village);
  Person& person = village.applicant;
  Edit edit(&device(*journey));
  person.id = edit.Make<Member>([&](Member& member) {
    member.set_branch_id(village.id.str());
    member.set_name(person.name);
    member.set_sex(person.woman ? Member::FEMALE : Member::MALE);
    member.set_born(DateOf(person.born));
    member.set_stage(Member::APPLICANT);
    member.set_status(Member::ACTIVE);
  });
  edit.Make<Placement>([&](Placement& placement) {
    placement.set_member_id(person.id.str());
    placement.set_branch_id(village.id.str());
    placement.set_since(date());
  });
  edit.Make<PrivateDetail>([&](PrivateDetail& detail) {
    detail.set_member_id(person.id.str());
    detail.set_branch_id(village.id.str());
    detail.set_identity_number(person.identity_number);
    detail.set_phone("000-0000-9999");
  });
  edit.Commit();
}

void Development::Open(Journey* journey, Edit* edit) {
  const Village& village = town_.village(journey->village);
  journey->id = edit->Make<DevelopmentCase>([&](DevelopmentCase& one) {
    one.set_member_id(village.applicant.id.str());
    one.set_lead_branch_id(village.id.str());
    one.set_attempt(1);
    one.set_stage(DevelopmentCase::APPLIED);
    one.set_applied_on(DateOf(journey->days[1]));
    for (size_t i : {1, 2}) one.add_mentors(village.members[i].id.str());
    for (size_t i : {3, 4}) one.add_sponsors(village.members[i].id.str());
  });
}

bool Development::IsAgreed(const Journey& journey) {
  return device(journey).Get<DevelopmentStep>(StepId(journey, journey.done)).state() ==
         DevelopmentStep::AGREED;
}

void Development::GoOn(Journey* journey) {
  if (journey->done >= kSteps) return;
  const int step = journey->done + 1;
  // The late paper comes to the secretary's hands five weeks after it was written.
  const int late = journey->way == Way::kLatePaper && step == 7 ? 35 : 0;
  if (today() < journey->days[step] + late) return;
  if (journey->waits && !IsAgreed(*journey)) return;
  journey->waits = false;
  if (step == 1) {
    Register(journey);
    Edit opening(&device(*journey));
    Open(journey, &opening);
    opening.Commit();
  }
  Edit edit(&device(*journey));
  const absl::CivilDay on = late > 0 ? journey->days[step] : today();
  Take(journey, on, &edit);
  edit.Commit();
  // What was put off puts off what comes after it.
  const auto by = today() - journey->days[step];
  for (int later = step + 1; by > 0 && later <= kSteps; ++later) journey->days[later] += by;
}

void Development::Take(Journey* journey, absl::CivilDay on, Edit* edit) {
  const int step = ++journey->done;
  edit->Make<DevelopmentStep>([&](DevelopmentStep& made) { Fill(*journey, step, on, &made); });
  journey->waits = kAsked.count(step) > 0;
  MoveCase(journey, step, on, edit);
  MoveMember(*journey, step, edit);
  if (step == DevelopmentStep::APPROVAL) Place(*journey, on, edit);
  if (step == DevelopmentStep::OBSERVATION || step == DevelopmentStep::CANDIDATE_CHOSEN ||
      step == DevelopmentStep::PROBATION_OBSERVATION) {
    Note(journey, on, edit);
  }
  if (step == DevelopmentStep::POLITICAL_REVIEW) Review(*journey, on, edit);
}

void Development::Fill(const Journey& journey, int step, absl::CivilDay on, DevelopmentStep* made) {
  const Village& village = town_.village(journey.village);
  made->set_case_id(journey.id.str());
  made->set_attempt(1);
  made->set_step(static_cast<DevelopmentStep::Step>(step));
  made->set_member_id(village.applicant.id.str());
  made->set_branch_id(village.id.str());
  made->set_done_on(DateOf(on));
  made->set_result(DevelopmentStep::PASSED);
  made->add_done_by(village.secretary().name);
  const bool asked = kAsked.count(step) > 0 && on >= year_.first;
  made->set_state(asked ? DevelopmentStep::SUBMITTED : DevelopmentStep::RECORDED);
  if (step == DevelopmentStep::CANDIDATE_CHOSEN) {
    // Three days were enough while the rules asked for none.
    const int days = journey.way == Way::kOldTable ? 4 : 15;
    made->set_notice_from(DateOf(on - days));
    made->set_notice_until(DateOf(on - 1));
  }
  if (step == DevelopmentStep::TRAINING) made->set_training_hours(24);
  if (step == DevelopmentStep::ACCEPTANCE_MEETING || step == DevelopmentStep::CONFIRMATION_MEETING)
    Count(journey, made);
  if (journey.way == Way::kLatePaper && step == DevelopmentStep::CANDIDATE_CHOSEN) {
    made->set_irregular_because("纸质材料补录：当时按满十一个月掌握，已向镇党委说明");
  }
}

void Development::Count(const Journey& journey, DevelopmentStep* step) {
  const auto entitled = static_cast<uint32_t>(town_.village(journey.village).members.size());
  auto& vote = *step->mutable_vote();
  vote.set_entitled(entitled);
  vote.set_present(entitled * 9 / 10);
  vote.set_in_favour(entitled * 9 / 10 - 1);
  vote.set_abstained(1);
}

void Development::MoveCase(Journey* journey, int step, absl::CivilDay on, Edit* edit) {
  const auto change = [&](const std::function<void(DevelopmentCase&)>& how) {
    edit->Change<DevelopmentCase>(journey->id, how);
  };
  const std::string day = DateOf(on);
  switch (step) {
    case DevelopmentStep::ACTIVIST_CHOSEN:
      return change([&](DevelopmentCase& one) {
        one.set_stage(DevelopmentCase::ACTIVIST);
        one.set_activist_since(day);
      });
    case DevelopmentStep::CANDIDATE_CHOSEN:
      return change([&](DevelopmentCase& one) {
        one.set_stage(DevelopmentCase::CANDIDATE);
        one.set_candidate_since(day);
      });
    case DevelopmentStep::FORM_FILLED_IN:
      return change([&](DevelopmentCase& one) {
        one.set_form_number(absl::StrCat("云志愿书", 1000 + journey->village));
      });
    case DevelopmentStep::ACCEPTANCE_MEETING:
      journey->accepted = on;
      person(*journey).joined = on;
      return change([&](DevelopmentCase& one) {
        one.set_stage(DevelopmentCase::ACCEPTED);
        one.set_accepted_on(day);
        one.set_probation_end(DateOf(AddMonths(on, 12)));
      });
    case DevelopmentStep::APPROVAL:
      return change([&](DevelopmentCase& one) { one.set_stage(DevelopmentCase::PROBATIONARY); });
    case DevelopmentStep::CONFIRMATION_APPROVAL:
      return change([&](DevelopmentCase& one) {
        one.set_stage(DevelopmentCase::CONFIRMED);
        one.set_confirmed_on(DateOf(AddMonths(journey->accepted, 12)));
      });
    default:
      return;
  }
}

// In the register, too, from where it stands when the year begins.
void Development::MoveMember(const Journey& journey, int step, Edit* edit) {
  static const std::map<int, Member::Stage> kStages = {
      {DevelopmentStep::ACTIVIST_CHOSEN, Member::ACTIVIST},
      {DevelopmentStep::CANDIDATE_CHOSEN, Member::CANDIDATE},
      {DevelopmentStep::APPROVAL, Member::PROBATIONARY},
      {DevelopmentStep::CONFIRMATION_APPROVAL, Member::FULL}};
  const auto found = kStages.find(step);
  if (found == kStages.end()) return;
  if (device(journey).Get<Member>(person(journey).id).stage() >= found->second) return;
  edit->Change<Member>(person(journey).id, [&](Member& member) {
    member.set_stage(found->second);
    if (found->second == Member::PROBATIONARY) member.set_joined(DateOf(journey.accepted));
    if (found->second == Member::FULL) {
      member.set_confirmed(DateOf(AddMonths(journey.accepted, 12)));
    }
  });
}

// Among the members of the branch, from the day on which the township approved.
void Development::Place(const Journey& journey, absl::CivilDay on, Edit* edit) {
  Placement key;
  key.set_member_id(person(journey).id.str());
  const RecordType& type = *device(journey).store().schema().Find(Placement::descriptor());
  const Id placement = Must(DeriveId(type, key.SerializeAsString()), "placement");
  edit->Change<Placement>(placement, [&](Placement& placed) {
    placed.set_since(DateOf(on));
    placed.set_arrival(Placement::ADMITTED);
  });
}

void Development::Note(Journey* journey, absl::CivilDay on, Edit* edit) {
  const Village& village = town_.village(journey->village);
  ++journey->notes;
  edit->Make<ObservationNote>([&](ObservationNote& note) {
    note.set_member_id(village.applicant.id.str());
    note.set_branch_id(village.id.str());
    note.set_from(DateOf(on - 180));
    note.set_until(DateOf(on));
    note.set_noted_on(DateOf(on));
    note.set_text("按时参加学习和主题党日，带头参加环境整治。");
    note.set_view(ObservationNote::GOOD);
    note.add_mentors(village.deputy().id.str());
  });
}

void Development::Review(const Journey& journey, absl::CivilDay on, Edit* edit) {
  const Village& village = town_.village(journey.village);
  edit->Make<PoliticalReview>([&](PoliticalReview& review) {
    review.set_member_id(village.applicant.id.str());
    review.set_attempt(1);
    review.set_branch_id(village.id.str());
    review.set_attitude("拥护党的路线方针政策。");
    review.set_method("谈话、函调");
    review.set_finding(PoliticalReview::PASSED);
    review.set_reviewed_on(DateOf(on));
  });
}

// On the day itself the phone says no: whoever is chosen too early is not chosen.
void Development::RefuseNewAct(const Journey& journey) {
  Edit edit(&device(journey));
  edit.Make<DevelopmentStep>([&](DevelopmentStep& made) {
    Fill(journey, DevelopmentStep::CANDIDATE_CHOSEN, today(), &made);
    made.clear_irregular_because();
  });
  const absl::Status status = edit.TryCommit();
  Check(ReasonOf(status).reason == sync::v1::AGAINST_A_RULE,
        "a candidate who is chosen too early is refused on the phone");
  year_.ending.words["refused"] = WordsFor(ReasonOf(status).reason, ReasonOf(status).detail).zh();
  refused_ = true;
}

// The township decides on what it has been asked, once it has heard of it; all but one.
void Development::Agree() {
  Device& leader = town_.leader();
  const RecordType& type = *leader.store().schema().Find(DevelopmentStep::descriptor());
  for (const Journey& journey : journeys_) {
    if (!journey.waits || journey.done == 0) continue;
    if (journey.way == Way::kWaiting && journey.done == DevelopmentStep::ACCEPTANCE_MEETING)
      continue;
    const Id step = StepId(journey, journey.done);
    if (!leader.Has(type, step)) continue;
    if (leader.Get<DevelopmentStep>(step).state() != DevelopmentStep::SUBMITTED) continue;
    Edit edit(&leader);
    edit.Change<DevelopmentStep>(step, [&](DevelopmentStep& asked) {
      asked.set_state(DevelopmentStep::AGREED);
      asked.set_decided_by_id(leader.me().str());
      asked.set_decided_on(date());
      asked.set_decision_number(absl::StrCat("云委批", ++decisions_));
      asked.set_answer("同意");
    });
    edit.Commit();
    ++agreed_;
  }
}

void Development::End() {
  Check(refused_, "the year has the day on which a candidate was chosen too early");
  for (const Journey& journey : journeys_) {
    if (journey.id.empty()) continue;
    const auto one = device(journey).Get<DevelopmentCase>(journey.id);
    ++year_.ending.numbers[absl::StrCat("stage.", DevelopmentCase::Stage_Name(one.stage()))];
  }
  year_.ending.numbers["agreed"] = agreed_;
  for (const auto& [way, index] : {std::pair("oldTable", 1), std::pair("newTable", 2),
                                   std::pair("latePaper", 3), std::pair("waiting", 4)}) {
    const auto place = static_cast<size_t>(index);
    year_.ending.words[way] = town_.village(place).applicant.name;
    year_.ending.words[absl::StrCat(way, ".branch")] = town_.village(place).name;
  }
  TellTable("oldTable", journeys_[1]);
  TellTable("newTable", journeys_[2]);
}

// When the township had looked at the papers, and when the meeting was held.
void Development::TellTable(const std::string& way, const Journey& journey) {
  for (const auto& [what, step] : {std::pair("examined", DevelopmentStep::PRE_EXAMINATION),
                                   std::pair("met", DevelopmentStep::ACCEPTANCE_MEETING)}) {
    const auto done = device(journey).Get<DevelopmentStep>(StepId(journey, step));
    year_.ending.words[absl::StrCat(way, ".", what)] = done.done_on();
  }
}

}  // namespace

std::unique_ptr<Story> DevelopmentStory(Year* year) { return std::make_unique<Development>(year); }

}  // namespace zhibu::year
