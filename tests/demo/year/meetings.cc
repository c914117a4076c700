// 三会一课 and the theme day: who came, who had leave, what was settled, what was learnt.
#include <google/protobuf/util/time_util.h>

#include "absl/strings/str_cat.h"
#include "client-core/actions/check_in.h"
#include "sync/wire/record.h"
#include "tests/demo/year/story.h"
#include "zhibu/records/v1/life.pb.h"
#include "zhibu/records/v1/meeting.pb.h"
#include "zhibu/records/v1/study.pb.h"

namespace zhibu::year {
namespace {

using google::protobuf::util::TimeUtil;
using records::v1::Attendance;
using records::v1::FollowUp;
using records::v1::Leave;
using records::v1::Meeting;
using records::v1::StudySession;
using records::v1::StudyYear;

constexpr size_t kCommittee = 5;
constexpr int kThemeDay = 5, kCommitteeDay = 12, kMeetingDay = 15, kLectureDay = 18, kStudyDay = 22;

struct Kind {
  Meeting::Kind kind;
  const char* topic;
  const char* minutes;
};
constexpr Kind kTheme{Meeting::THEME_DAY, "主题党日：环境整治",
                      "集中学习后清理河道，议定下月走访困难户。"};
constexpr Kind kBoard{Meeting::BRANCH_COMMITTEE, "支部委员会", "研究本月工作和发展党员事项。"};
constexpr Kind kMembers{Meeting::MEMBERS, "支部党员大会", "听取工作汇报，表决通过下季度计划。"};
constexpr Kind kLecture{Meeting::LECTURE, "党课：乡村治理", "书记讲课，三名党员发言。"};

class Meetings final : public Story {
 public:
  using Story::Story;

  void OnDay() override {
    const int day = today().day();
    const int month = today().month();
    for (Village& village : town_.villages()) {
      if (day == kThemeDay) Hold(village, kTheme);
      if (day == kCommitteeDay) HoldCommittee(village);
      if (day == kMeetingDay && month % 3 == 2) HoldMembers(village);
      if (day == kLectureDay && month % 3 == 1) HoldLecture(village);
      if (day == kStudyDay && month % 3 == 0) Study(village);
      if (day == kMeetingDay + 10 && month % 3 == 2) MakeUp(village);
    }
    if (year_.days() == kDispute) Plan();
    if (year_.days() == kDispute + 20) Disagree();
  }
  void End() override {
    year_.ending.numbers["meetings"] = meetings_;
    year_.ending.numbers["conflicts"] = conflicts_;
    year_.ending.numbers["attendance"] = attendance_;
  }

 private:
  // On which a meeting is planned about whose place two differ, both offline.
  static constexpr int kDispute = 150;

  // Everybody is called; `on_leave` is told who is.
  Id HoldOne(Village& village, const Kind& kind, Edit* edit, std::vector<Id>* on_leave) {
    ++meetings_;
    std::vector<std::pair<Id, Attendance::State>> roll;
    for (const Person& person : village.members) {
      if (person.away || person.lost) continue;
      const uint32_t luck = town_.dice.Below(100);
      roll.emplace_back(person.id, luck < 88   ? Attendance::PRESENT
                                   : luck < 96 ? Attendance::LEAVE
                                               : Attendance::ABSENT);
    }
    const Id meeting = edit->Make<Meeting>([&](Meeting& made) {
      Describe(village, kind, &made);
      made.set_expected(static_cast<uint32_t>(roll.size()));
      for (const auto& [person, state] : roll) {
        if (state == Attendance::PRESENT) made.add_present(person.str());
      }
    });
    for (const auto& [person, state] : roll) {
      if (state == Attendance::LEAVE) on_leave->push_back(person);
      Call(village, meeting, person, state, edit);
    }
    return meeting;
  }

  void Describe(Village& village, const Kind& kind, Meeting* meeting) {
    meeting->set_branch_id(village.id.str());
    meeting->set_kind(kind.kind);
    meeting->set_topic(absl::StrCat(today().month(), "月", kind.topic));
    meeting->set_place("村党群服务中心");
    *meeting->mutable_starts_at() = TimeUtil::MillisecondsToTimestamp(town_.clock.now_ms());
    *meeting->mutable_ends_at() =
        TimeUtil::MillisecondsToTimestamp(town_.clock.now_ms() + 7'200'000);
    meeting->set_chair_id(village.secretary().id.str());
    meeting->set_recorder_id(village.deputy().id.str());
    meeting->set_minutes(kind.minutes);
    meeting->set_state(Meeting::HELD);
  }

  void Call(Village& village, const Id& meeting, const Id& person, Attendance::State state,
            Edit* edit) {
    ++attendance_;
    edit->Make<Attendance>([&](Attendance& roll) {
      roll.set_meeting_id(meeting.str());
      roll.set_member_id(person.str());
      roll.set_branch_id(village.id.str());
      roll.set_state(state);
      roll.set_known_by("点名");
    });
  }

  Id Hold(Village& village, const Kind& kind) {
    Edit edit(&town_.secretary(village.index));
    std::vector<Id> on_leave;
    const Id meeting = HoldOne(village, kind, &edit, &on_leave);
    edit.Commit();
    return meeting;
  }

  void HoldCommittee(Village& village) {
    Edit edit(&town_.secretary(village.index));
    const Id meeting = edit.Make<Meeting>([&](Meeting& made) {
      made.set_branch_id(village.id.str());
      made.set_kind(kBoard.kind);
      made.set_topic(absl::StrCat(today().month(), "月", kBoard.topic));
      made.set_minutes(kBoard.minutes);
      *made.mutable_starts_at() = TimeUtil::MillisecondsToTimestamp(town_.clock.now_ms());
      made.set_state(Meeting::HELD);
      made.set_expected(kCommittee);
      for (size_t i = 0; i < kCommittee - town_.dice.Below(2); ++i) {
        made.add_present(village.members[i].id.str());
      }
    });
    ++meetings_;
    year_.named[{village.index, "committee"}] = meeting;
    edit.Commit();
  }

  void HoldMembers(Village& village) {
    Edit edit(&town_.secretary(village.index));
    std::vector<Id> on_leave;
    const Id meeting = HoldOne(village, kMembers, &edit, &on_leave);
    for (const Id& person : on_leave) {
      edit.Make<Leave>([&](Leave& leave) {
        leave.set_meeting_id(meeting.str());
        leave.set_member_id(person.str());
        leave.set_branch_id(village.id.str());
        leave.set_kind(town_.dice.OneIn(2) ? Leave::ILLNESS : Leave::PRIVATE);
        leave.set_state(Leave::GRANTED);
        leave.set_granted_by_id(village.secretary().id.str());
      });
    }
    on_leave_[village.index] = {meeting, on_leave};
    left_[village.index] = edit.Make<FollowUp>([&](FollowUp& matter) {
      matter.set_meeting_id(meeting.str());
      matter.set_branch_id(village.id.str());
      matter.set_number(1);
      matter.set_problem("村道路灯损坏");
      matter.set_measure("报镇村建办维修");
      matter.set_responsible_id(village.deputy().id.str());
      matter.set_due(DateOf(today() + 30));
      matter.set_state(FollowUp::OPEN);
    });
    edit.Commit();
    year_.named[{village.index, "members"}] = meeting;
    Resolve(village, meeting);
  }

  void Resolve(Village& village, const Id& meeting) {
    const auto entitled = static_cast<uint32_t>(village.members.size());
    Edit edit(&town_.secretary(village.index));
    edit.Change<Meeting>(meeting, [&](Meeting& held) {
      auto& resolution = *held.add_resolutions();
      resolution.set_number(1);
      resolution.set_text("通过下季度工作计划");
      resolution.mutable_vote()->set_entitled(entitled);
      resolution.mutable_vote()->set_present(entitled * 9 / 10);
      resolution.mutable_vote()->set_in_favour(entitled * 9 / 10 - 1);
      resolution.mutable_vote()->set_abstained(1);
    });
    edit.Commit();
  }

  // Whoever had leave hears afterwards what was said, and what was left to somebody is done.
  void MakeUp(Village& village) {
    if (left_.count(village.index) == 0) return;  // the year begins after that meeting
    const auto& [meeting, people] = on_leave_[village.index];
    Device& device = town_.secretary(village.index);
    Edit edit(&device);
    for (const Id& person : people) {
      Leave key;
      key.set_meeting_id(meeting.str());
      key.set_member_id(person.str());
      const RecordType& type = *device.store().schema().Find(Leave::descriptor());
      edit.Change<Leave>(Must(DeriveId(type, key.SerializeAsString()), "leave"), [&](Leave& leave) {
        leave.set_state(Leave::MADE_UP);
        leave.set_made_up_on(date());
        leave.set_how_made_up("书记送学上门");
      });
    }
    edit.Change<FollowUp>(left_[village.index], [&](FollowUp& matter) {
      matter.set_state(FollowUp::DONE);
      matter.set_done_on(date());
      matter.set_result("路灯已修复");
    });
    edit.Commit();
  }

  void HoldLecture(Village& village) {
    const Id lecture = Hold(village, kLecture);
    if (village.index != 0) return;
    // Somebody scans the code on the secretary's phone, both without signal.
    const auto shown = Must(client::ShowCheckIn(town_.secretary(0).store(), lecture), "code");
    Edit edit(&town_.member());
    edit.Add(Must(client::CheckInByCode(town_.member().store(), shown.text), "scan"), true);
    edit.Commit();
    year_.ending.numbers["scanned"] += 1;
  }

  // Three months' study, and what of it counts for each.
  void Study(Village& village) {
    Edit edit(&town_.secretary(village.index));
    edit.Make<StudySession>([&](StudySession& session) {
      session.set_branch_id(village.id.str());
      session.set_topic("集中学习新修订的发展党员工作细则");
      session.set_way(StudySession::TOGETHER);
      session.set_held_on(date());
      session.set_minutes(kStudyMinutes);
      session.set_expected(static_cast<uint32_t>(village.members.size()));
      for (const Person& person : village.members) session.add_present(person.id.str());
    });
    for (const Person& person : village.members) AddHours(village, person, &edit);
    edit.Commit();
  }

  void AddHours(Village& village, const Person& person, Edit* edit) {
    Device& device = town_.secretary(village.index);
    StudyYear fresh;
    fresh.set_member_id(person.id.str());
    fresh.set_year(static_cast<uint32_t>(today().year()));
    fresh.set_branch_id(village.id.str());
    const RecordType& type = *device.store().schema().Find(StudyYear::descriptor());
    const Id id = Must(DeriveId(type, fresh.SerializeAsString()), "study year");
    const auto add = [](StudyYear& hours) {
      if (hours.parts().empty()) hours.add_parts()->set_way(StudySession::TOGETHER);
      auto& part = *hours.mutable_parts(0);
      part.set_minutes(part.minutes() + kStudyMinutes);
    };
    if (device.Has(type, id)) return edit->Change<StudyYear>(id, add);
    edit->Make<StudyYear>([&](StudyYear& hours) {
      hours = fresh;
      add(hours);
    });
  }

  void Plan() {
    for (Village& village : town_.villages()) {
      if (town_.deputy(village.index) == nullptr) continue;
      Edit edit(&town_.secretary(village.index));
      disputed_[village.index] = edit.Make<Meeting>([&](Meeting& meeting) {
        meeting.set_branch_id(village.id.str());
        meeting.set_kind(Meeting::GROUP);
        meeting.set_topic("党小组会");
        meeting.set_place("村委会");
        *meeting.mutable_starts_at() =
            TimeUtil::MillisecondsToTimestamp(BeginningOf(today() + 20) + 36'000'000);
        meeting.set_state(Meeting::PLANNED);
      });
      ++meetings_;
      edit.Commit();
    }
  }
  void Disagree() {
    for (const auto& [village, meeting] : disputed_) {
      for (Device* device : {&town_.secretary(village), town_.deputy(village)}) {
        const bool first = device != town_.deputy(village);
        Edit edit(device);
        edit.Change<Meeting>(meeting, [&](Meeting& held) {
          held.set_place(first ? "村文化礼堂" : "村小学二楼");
          if (first) held.set_state(Meeting::HELD);
          if (!first) held.set_minutes("传达学习，讨论环境整治分工。");
        });
        edit.Commit();
      }
      ++conflicts_;
    }
  }

  static constexpr uint32_t kStudyMinutes = 480;
  int64_t meetings_ = 0;
  int64_t attendance_ = 0;
  int64_t conflicts_ = 0;
  std::map<size_t, std::pair<Id, std::vector<Id>>> on_leave_;
  std::map<size_t, Id> left_;
  std::map<size_t, Id> disputed_;
};

}  // namespace

std::unique_ptr<Story> MeetingStory(Year* year) { return std::make_unique<Meetings>(year); }

}  // namespace zhibu::year
