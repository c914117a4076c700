// What is due, as each person's own phone works it out without a network.
#include "client-core/actions/due.h"

#include <gmock/gmock.h>

#include "absl/strings/str_cat.h"
#include "sync/base/date.h"
#include "sync/wire/record.h"
#include "tests/support/village.h"

namespace zhibu::test {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Not;

class DueHere : public Village {
 protected:
  DueHere() { world.SyncAll(); }

  // "meeting.members: 青石村党支部", of one key.
  std::vector<std::string> DueOn(Phone& phone, const char* day, absl::string_view key) {
    const auto due = client::WhatIsDue(phone.store(), DayFrom(day));
    EXPECT_TRUE(due.ok()) << due.status();
    EXPECT_THAT(due->list.faults, IsEmpty());
    std::vector<std::string> lines;
    for (const rules::DueItem& item : due->list.items) {
      if (item.obligation->text.key() == key) {
        lines.push_back(absl::StrCat(item.period, ": ", NameOfSubject(phone.store(), item)));
      }
    }
    return lines;
  }
};

TEST_F(DueHere, ASecretaryWithoutSignalIsToldWhichMeetingIsMissingAndRecordingItSettlesThat) {
  const auto due = client::WhatIsDue(zhangs.store());
  ASSERT_TRUE(due.ok()) << due.status();
  EXPECT_EQ(absl::FormatCivilTime(due->as_of), DateAt(world.now_ms()));
  world.Wait(31 * kDay);
  const std::string today = DateAt(world.now_ms());
  const std::vector<std::string> before = DueOn(zhangs, today.c_str(), "meeting.theme_day");
  ASSERT_THAT(before, Not(IsEmpty()));
  zhangs.Make<Meeting>([&](Meeting& meeting) {
    meeting.set_branch_id(branch.str());
    meeting.set_kind(Meeting::THEME_DAY);
    meeting.set_state(Meeting::HELD);
    meeting.mutable_starts_at()->set_seconds(world.now_ms() / 1000);
  });
  const std::vector<std::string> after = DueOn(zhangs, today.c_str(), "meeting.theme_day");
  EXPECT_EQ(after.size() + 1, before.size()) << "offline: nothing was synced";
}

TEST_F(DueHere, AMemberIsToldOfTheirOwnDuesAndNothingOfWhatIsTheSecretarysOrOthers) {
  zhangs.Change<Member>(li, [](Member& member) {
    member.set_stage(Member::FULL);
    member.set_status(Member::ACTIVE);
  });
  zhangs.Change<Member>(wang, [](Member& member) {
    member.set_stage(Member::FULL);
    member.set_status(Member::ACTIVE);
  });
  world.SyncAll();
  world.Wait(31 * kDay);
  const std::string today = DateAt(world.now_ms());
  EXPECT_THAT(DueOn(wangs, today.c_str(), "meeting.theme_day"), IsEmpty());
  for (const std::string& line : DueOn(wangs, today.c_str(), "dues.month")) {
    EXPECT_THAT(line, ::testing::EndsWith(": 王"));
  }
  EXPECT_THAT(DueOn(wangs, today.c_str(), "dues.month"), Not(IsEmpty()));
  EXPECT_THAT(DueOn(zhangs, today.c_str(), "dues.month"),
              ::testing::Contains(::testing::EndsWith(": 李")));
}

// They hold what they are asked, and the record of nobody below.
TEST_F(DueHere, ASuperiorIsToldByTheBranchWhatWaitsForThem) {
  using records::v1::DevelopmentCase;
  using records::v1::DevelopmentStep;
  const Id above = world.Branch("云溪镇党委");
  Organisation below = world.Get<Organisation>(branch);
  below.set_parent_id(above.str());
  world.Write(below, branch);
  const Id sun = world.Person("孙", above);
  world.Appoint(sun, above, SECRETARY);
  Phone& suns = world.Enrol(sun);
  world.SyncAll();
  DevelopmentCase made;
  made.set_member_id(wang.str());
  made.set_lead_branch_id(branch.str());
  made.set_attempt(1);
  made.set_stage(DevelopmentCase::ACCEPTED);
  const Id of_wang =
      DeriveId(*world.schema()->Find(DevelopmentCase::descriptor()), made.SerializeAsString())
          .value();
  zhangs.Make<DevelopmentCase>([&](DevelopmentCase& one) { one = made; });
  zhangs.Make<DevelopmentStep>([&](DevelopmentStep& step) {
    step.set_case_id(of_wang.str());
    step.set_attempt(1);
    step.set_step(DevelopmentStep::ACCEPTANCE_MEETING);
    step.set_member_id(wang.str());
    step.set_branch_id(branch.str());
    step.set_done_on("2026-05-20");
    step.set_result(DevelopmentStep::PASSED);
    step.set_state(DevelopmentStep::SUBMITTED);
    step.set_irregular_because("补录");
  });
  world.SyncAll();
  EXPECT_THAT(zhangs.SetAside(), IsEmpty());
  EXPECT_THAT(DueOn(suns, "2026-09-01", "dev.approval"), ElementsAre(": 青石村党支部"));
}

}  // namespace
}  // namespace zhibu::test
