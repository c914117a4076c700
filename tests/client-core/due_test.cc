// What is due, as each person's own phone works it out without a network.
#include "client-core/actions/due.h"

#include <gmock/gmock.h>

#include "absl/strings/str_cat.h"
#include "sync/base/date.h"
#include "tests/support/village.h"

namespace zhibu::test {
namespace {

using ::testing::IsEmpty;
using ::testing::Not;

constexpr int64_t kDay = 86'400'000;

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

}  // namespace
}  // namespace zhibu::test
