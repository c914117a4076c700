// Sums of a store whose file is damaged, or put back.
#include <gmock/gmock.h>

#include "absl/strings/str_cat.h"
#include "tests/server/sums.h"
#include "tests/support/damage.h"

namespace zhibu::test {
namespace {

using records::v1::DuesBase;
using ::testing::IsEmpty;

// ---- What cannot be read -----------------------------------------------------------------

class SumsOfDamaged : public Sums {
 protected:
  Damaged Flip(const RecordType& type, const Id& id) {
    const auto damaged =
        FlipBit(world.server_file(), "", "record", "body",
                absl::StrCat("type = ", type.number, " AND id = x'", Hex(id.bytes()), "'"));
    EXPECT_TRUE(damaged.has_value());
    return damaged.value_or(Damaged());
  }
  void Mend(const Damaged& damaged) {
    PutBack(world.server_file(), "", damaged);
    world.RestartServer();
  }
  // As an update does that brings other figures.
  void MakeAnew() {
    EXPECT_EQ(world.store().Write([](server::Writer& writer) {
      return server::PutSumsState(writer, stored::v1::SumsState());
    }),
              absl::OkStatus());
    world.RestartServer();
  }
};

TEST_F(SumsOfDamaged, AreWithoutItSayThatAndAreWholeOnceItIsPutBack) {
  const Id broken = Hold(zhangs, "2026-03-31");
  Hold(zhangs, "2026-03-31");
  world.SyncAll();
  const Damaged damaged = Flip(TypeOf<Meeting>(), broken);
  MakeAnew();
  EXPECT_EQ(Kept("meeting.held"), 1);
  EXPECT_TRUE(ReportOf("2026").incomplete());
  world.RestartServer();
  EXPECT_TRUE(ReportOf("2026").incomplete()) << "it is damaged still";
  Mend(damaged);
  EXPECT_EQ(Kept("meeting.held"), 2);
  EXPECT_FALSE(ReportOf("2026").incomplete());
  EXPECT_THAT(Wrong(), IsEmpty());
}

TEST_F(SumsOfDamaged, FollowWhatComesInMeanwhileOnceItIsPutBack) {
  const auto base = [&](const char* from, int64_t fen) {
    return zhangs.Make<DuesBase>([&](DuesBase& one) {
      one.set_branch_id(branch.str());
      one.set_member_id(wang.str());
      one.set_from(from);
      one.set_monthly_due_fen(fen);
      one.set_state(DuesBase::PROPOSED);
    });
  };
  const Id first = base("2026-01", 1000);
  world.SyncAll();
  const Damaged damaged = Flip(TypeOf<DuesBase>(), first);
  base("2026-07", 2000);  // which ends the first
  world.SyncAll();
  EXPECT_TRUE(ReportOf("2026").incomplete());
  Mend(damaged);
  EXPECT_EQ(Kept("dues.due", "2026-Q3"), 6000);
  EXPECT_THAT(Wrong(), IsEmpty());
}

TEST_F(Sums, AreThoseOfARestoredServer) {
  Hold(zhangs, "2026-03-31");
  world.SyncAll();
  const std::string backup = world.BackUp();
  Hold(zhangs, "2026-03-30");
  world.SyncAll();
  world.RestoreServer(backup);
  EXPECT_THAT(Wrong(), IsEmpty());
  EXPECT_EQ(Kept("meeting.held"), 1);
  world.SyncAll();
  EXPECT_EQ(Kept("meeting.held"), 2) << "the phone has offered it again";
}

}  // namespace
}  // namespace zhibu::test
