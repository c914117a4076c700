// 组织生活会 and 民主评议: once a year, each member's grade, and a third of them excellent at most.
#include <google/protobuf/util/time_util.h>

#include "absl/strings/str_cat.h"
#include "tests/demo/year/story.h"
#include "zhibu/records/v1/appraisal.pb.h"
#include "zhibu/records/v1/meeting.pb.h"

namespace zhibu::year {
namespace {

using google::protobuf::util::TimeUtil;
using records::v1::Appraisal;
using records::v1::Meeting;
using records::v1::MemberAppraisal;

constexpr int kMonth = 12, kDay = 19, kToldDay = 28;

class Appraisals final : public Story {
 public:
  using Story::Story;

  void OnDay() override {
    if (today().month() != kMonth) return;
    for (Village& village : town_.villages()) {
      if (today().day() == kDay - 2) Meet(village, Meeting::ORGANISATIONAL_LIFE, "组织生活会");
      if (today().day() == kDay) Appraise(village);
      if (today().day() == kToldDay) Tell(village);
    }
  }
  void End() override {
    year_.ending.numbers["appraised"] = appraised_;
    year_.ending.numbers["excellent"] = excellent_;
  }

 private:
  static uint32_t YearOf(absl::CivilDay day) { return static_cast<uint32_t>(day.year()); }

  Id Meet(Village& village, Meeting::Kind kind, const std::string& topic) {
    Edit edit(&town_.secretary(village.index));
    const Id meeting = edit.Make<Meeting>([&](Meeting& made) {
      made.set_branch_id(village.id.str());
      made.set_kind(kind);
      made.set_topic(topic);
      made.set_minutes("通报情况，逐一发言，开展批评和自我批评。");
      *made.mutable_starts_at() = TimeUtil::MillisecondsToTimestamp(town_.clock.now_ms());
      made.set_state(Meeting::HELD);
      made.set_expected(static_cast<uint32_t>(village.members.size()));
      for (const Person& person : village.members) made.add_present(person.id.str());
    });
    edit.Commit();
    year_.ending.numbers["yearlyMeetings"] += 1;
    return meeting;
  }

  void Appraise(Village& village) {
    const Id meeting = Meet(village, Meeting::APPRAISAL, "民主评议党员");
    const auto all = static_cast<uint32_t>(village.members.size());
    const uint32_t most = all / 3;
    uint32_t excellent = 0;
    uint32_t barely = 0;
    Edit edit(&town_.secretary(village.index));
    for (const Person& person : village.members) {
      const uint32_t luck = town_.dice.Below(20);
      const bool best = luck < 6 && excellent < most;
      excellent += best ? 1 : 0;
      barely += luck == 19 ? 1 : 0;
      const auto grade = best         ? MemberAppraisal::EXCELLENT
                         : luck == 19 ? MemberAppraisal::BARELY_QUALIFIED
                                      : MemberAppraisal::QUALIFIED;
      edit.Make<MemberAppraisal>([&](MemberAppraisal& one) {
        one.set_member_id(person.id.str());
        one.set_year(YearOf(today()));
        one.set_branch_id(village.id.str());
        one.set_proposed(grade);
        one.set_settled(grade);
        if (luck == 19) one.set_reason("参加组织生活不够经常");
      });
    }
    reported_[village.index] = edit.Make<Appraisal>([&](Appraisal& sum) {
      sum.set_branch_id(village.id.str());
      sum.set_year(YearOf(today()));
      sum.set_meeting_id(meeting.str());
      sum.set_held_on(date());
      sum.set_entitled(all);
      sum.set_present(all);
      AddGrade(MemberAppraisal::EXCELLENT, excellent, &sum);
      AddGrade(MemberAppraisal::QUALIFIED, all - excellent - barely, &sum);
      if (barely > 0) AddGrade(MemberAppraisal::BARELY_QUALIFIED, barely, &sum);
      auto& rating = *sum.add_branch_ratings();
      rating.set_grade(Appraisal::GOOD);
      rating.set_ballots(all);
    });
    edit.Commit();
    appraised_ += all;
    excellent_ += excellent;
  }

  static void AddGrade(MemberAppraisal::Grade grade, uint32_t members, Appraisal* sum) {
    auto& total = *sum->add_grades();
    total.set_grade(grade);
    total.set_ballots(members);
    total.set_members(members);
  }

  void Tell(Village& village) {
    if (reported_.count(village.index) == 0) return;  // the year begins after that day
    Edit edit(&town_.secretary(village.index));
    edit.Change<Appraisal>(reported_[village.index], [&](Appraisal& sum) {
      sum.set_told_on(date());
      sum.set_reported_on(date());
    });
    edit.Commit();
  }

  std::map<size_t, Id> reported_;
  int64_t appraised_ = 0;
  int64_t excellent_ = 0;
};

}  // namespace

std::unique_ptr<Story> AppraisalStory(Year* year) { return std::make_unique<Appraisals>(year); }

}  // namespace zhibu::year
