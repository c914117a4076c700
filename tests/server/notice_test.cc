// What a notice shows of the record that it is about, and what it never does.
#include "absl/strings/match.h"
#include "sync/base/reason.h"
#include "sync/merge/diff.h"
#include "sync/wire/record.h"
#include "tests/support/specimen.h"
#include "tests/support/village.h"
#include "zhibu/records/v1/notice.pb.h"

namespace zhibu::test {
namespace {

using records::v1::Notice;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class NoticeTest : public Village {
 protected:
  NoticeTest() {
    zhangs.Change<Member>(wang, [](Member& member) {
      member.set_born("1990-01-31");
      member.set_post("砖瓦工");
      member.set_stage(Member::CANDIDATE);
    });
    auto draft = zhangs.store().New<PrivateDetail>();
    draft.message<PrivateDetail>().set_member_id(wang.str());
    draft.message<PrivateDetail>().set_branch_id(branch.str());
    draft.message<PrivateDetail>().set_phone("13800000000");
    zhangs.Commit({&draft});
    detail = draft.id();
    world.SyncAll();
  }
  template <typename T>
  Id Publish(Phone& phone, const Id& subject) {
    return Publish(phone, *world.schema()->Find(T::descriptor()), subject);
  }
  Id Publish(Phone& phone, const RecordType& type, const Id& subject) {
    return phone.Make<Notice>([&](Notice& notice) {
      notice.set_branch_id(branch.str());
      notice.set_title("发展对象公示");
      notice.set_from("2026-11-21");
      notice.set_until("2026-11-27");
      notice.set_subject_type(type.number);
      notice.set_subject_id(subject.str());
    });
  }

  Id detail;
};

TEST_F(NoticeTest, EverybodySeesWhatAnOrdinaryMemberElsewhereMaySee) {
  const Id id = Publish<Member>(zhangs, wang);
  world.SyncAll();
  EXPECT_THAT(wangs.Get<Notice>(id).shown(),
              AllOf(HasSubstr("姓名: 王"), HasSubstr("党员类别: 发展对象"), Not(HasSubstr("1990")),
                    Not(HasSubstr("砖瓦工")), Not(HasSubstr("支部"))));
  ExpectConverged();
}

TEST_F(NoticeTest, ItIsWrittenAnewWhenTheNoticeIsChangedAndNotWhenTheRecordIs) {
  const Id id = Publish<Member>(zhangs, wang);
  zhangs.Change<Member>(wang, [](Member& member) { member.set_name("王小明"); });
  world.SyncAll();
  EXPECT_FALSE(absl::StrContains(wangs.Get<Notice>(id).shown(), "王小明"));
  zhangs.Change<Notice>(id, [](Notice& notice) { notice.set_until("2026-11-30"); });
  world.SyncAll();
  EXPECT_THAT(wangs.Get<Notice>(id).shown(), HasSubstr("王小明"));
  ExpectConverged();
}

TEST_F(NoticeTest, ALineThatHoldsANumberIsLeftOut) {
  const Id meeting = zhangs.Make<Meeting>([&](Meeting& m) {
    m.set_branch_id(branch.str());
    m.set_topic("主题党日，联系人电话 138 0013 8000");
    m.set_place("村委会");
  });
  const Id id = Publish<Meeting>(zhangs, meeting);
  world.SyncAll();
  EXPECT_THAT(wangs.Get<Notice>(id).shown(),
              AllOf(HasSubstr("村委会"), Not(HasSubstr("8000")), Not(HasSubstr("主题党日"))));
}

TEST_F(NoticeTest, NothingIsShownThatNoOrdinaryMemberMayReadOrThatAnotherBranchKeeps) {
  const Id elsewhere = world.Branch("别处");
  const Id zhao = world.Person("赵", elsewhere);
  for (const Id& id : {Publish<PrivateDetail>(zhangs, detail), Publish<Member>(zhangs, zhao),
                       Publish<Member>(zhangs, detail)}) {
    world.SyncAll();
    EXPECT_EQ(world.Get<Notice>(id).shown(), "");
  }
  EXPECT_THAT(zhangs.SetAside(), IsEmpty());
}

TEST_F(NoticeTest, HoweverLongTheRecordANoticeShowsWholeLinesAndFew) {
  std::string text;
  for (int line = 0; line < 300; ++line) text += "第" + std::string(line % 7, 'x') + "行的内容\n";
  size_t longest = 0;
  for (const RecordType& type : CatalogueSchema()->types()) {
    SCOPED_TRACE(type.name);
    const auto record = Specimen(type, {.person = wang, .owner = branch, .guest = {}, .above = {}},
                                 world.fate().environment(), text);
    const std::string body = Canonical(type.fields, record->SerializeAsString());
    const Id subject =
        type.id_from.empty() ? world.fate().environment().NewId() : *DeriveId(type, body);
    Plant(world, type, subject, body);
    const Id id = Publish(zhangs, type, subject);
    EXPECT_EQ(world.Sync(zhangs), absl::OkStatus());
    const std::string shown = world.Get<Notice>(id).shown();
    EXPECT_LE(shown.size(), 8000u);
    EXPECT_TRUE(shown.empty() || shown.back() == '\n');
    longest = std::max(longest, shown.size());
  }
  EXPECT_GT(longest, 5000u);
}

// Each of a chain would hold all those before it.
TEST_F(NoticeTest, ANoticeOfANoticeShowsNothingOfIt) {
  const Id first = Publish<Member>(zhangs, wang);
  const Id second = Publish<Notice>(zhangs, first);
  world.SyncAll();
  EXPECT_NE(world.Get<Notice>(first).shown(), "");
  EXPECT_EQ(world.Get<Notice>(second).shown(), "");
}

TEST_F(NoticeTest, ANumberInItsTextIsRefusedWhereItIsWritten) {
  auto draft = zhangs.store().New<Notice>();
  auto& notice = draft.message<Notice>();
  notice.set_branch_id(branch.str());
  notice.set_title("公示");
  notice.set_text("有异议请电 13800138000");
  notice.set_from("2026-11-21");
  notice.set_until("2026-11-27");
  EXPECT_EQ(ReasonOf(zhangs.store().Commit({&draft}).status()).reason, sync::v1::HOLDS_CONTACT);
  notice.set_text("有异议请向党支部反映");
  EXPECT_TRUE(zhangs.store().Commit({&draft}).ok());
}

TEST_F(NoticeTest, AnOrdinaryMemberPublishesNothing) {
  Publish<Member>(wangs, wang);
  world.SyncAll();
  EXPECT_THAT(wangs.SetAside(), ElementsAre("1 RETURNED NOT_ENTITLED"));
}

}  // namespace
}  // namespace zhibu::test
