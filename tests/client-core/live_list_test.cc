// A list on a screen that somebody looks at while records change under it.
#include "client-core/query/live_list.h"

#include <random>

#include "absl/strings/str_cat.h"
#include "client-core/courier.h"
#include "client-core/query/pinyin.h"
#include "sync/base/reason.h"
#include "tests/support/village.h"

namespace zhibu::test {
namespace {

using client::Condition;
using client::Difference;
using client::LiveList;
using client::Order;
using client::Selection;
using client::Store;
using client::Wanted;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// What a screen shows that does nothing but what it is told.
class Screen {
 public:
  Screen(Phone* phone, Wanted wanted, size_t window)
      : phone_(*phone),
        selection_(*Selection::Compile(phone->store().schema(), std::move(wanted))),
        window_(window),
        list_(&phone->store(), selection_, window),
        subscription_(phone->store().Subscribe(
            [this](const client::Changes& changes) { list_.Happened(changes); })) {}

  // What has become otherwise; nothing where nothing has.
  std::optional<Difference> Look() {
    auto next = list_.Next();
    EXPECT_TRUE(next.ok()) << next.status();
    if (!next.ok() || !*next) return std::nullopt;
    Take(**next);
    return *std::move(*next);
  }
  const std::vector<std::string>& shown() const { return shown_; }
  // As a list has it that is read now.
  std::vector<std::string> Read() {
    std::vector<std::string> read;
    const auto page = client::ListRows(phone_.store(), selection_, "", window_);
    EXPECT_TRUE(page.ok()) << page.status();
    for (const client::Row& row : page->rows) read.push_back(LineOf(row));
    return read;
  }

 private:
  static std::string LineOf(const client::Row& row) {
    const auto& meeting = static_cast<const Meeting&>(row.draft.message());
    return absl::StrCat(meeting.topic(), row.marks.pending ? " pending" : "",
                        row.marks.delivered ? " delivered" : "",
                        row.marks.returned ? " returned" : "",
                        row.marks.conflict ? " conflict" : "");
  }
  void Take(const Difference& difference) {
    const std::vector<std::string> was = shown_;
    std::set<size_t> out(difference.removed.begin(), difference.removed.end());
    for (const auto& moved : difference.moved) out.insert(moved.from);
    for (auto at = out.rbegin(); at != out.rend(); ++at) {
      shown_.erase(shown_.begin() + static_cast<ptrdiff_t>(*at));
    }
    std::map<size_t, std::string> in;
    for (const auto& moved : difference.moved) in[moved.to] = was[moved.from];
    for (const auto& inserted : difference.inserted) in[inserted.at] = LineOf(inserted.row);
    for (const auto& [at, line] : in) {
      shown_.insert(shown_.begin() + static_cast<ptrdiff_t>(at), line);
    }
    for (const auto& changed : difference.changed) shown_[changed.at] = LineOf(changed.row);
  }

  Phone& phone_;
  const Selection selection_;
  const size_t window_;
  LiveList list_;
  const Store::Subscription subscription_;
  std::vector<std::string> shown_;
};

class LiveListTest : public Village {
 protected:
  Id Record(const std::string& topic, const std::string& place = "") {
    return zhangs.Make<Meeting>([&](Meeting& m) {
      m.set_branch_id(branch.str());
      m.set_topic(topic);
      m.set_place(place);
    });
  }
  void Rename(const Id& id, const std::string& topic) {
    zhangs.Change<Meeting>(id, [&](Meeting& m) { m.set_topic(topic); });
  }
  static Wanted ByTopic() { return {.type = 31, .order = {{.field = "topic"}}}; }
};

TEST_F(LiveListTest, FirstItIsAllAndThenOnlyWhatIsOtherwise) {
  const Id b = Record("b");
  Record("d");
  Screen screen(&zhangs, ByTopic(), 10);
  const auto first = screen.Look();
  ASSERT_TRUE(first.has_value());
  EXPECT_THAT(first->inserted, SizeIs(2));
  EXPECT_EQ(first->selected, 2u);
  EXPECT_FALSE(screen.Look().has_value());

  Record("c");
  const auto more = screen.Look();
  ASSERT_TRUE(more.has_value());
  ASSERT_THAT(more->inserted, SizeIs(1));
  EXPECT_EQ(more->inserted[0].at, 1u);
  EXPECT_THAT(more->changed, IsEmpty());

  Rename(b, "e");
  const auto moved = screen.Look();
  ASSERT_TRUE(moved.has_value());
  EXPECT_THAT(moved->moved, SizeIs(1));
  EXPECT_THAT(moved->removed, IsEmpty());
  EXPECT_THAT(moved->inserted, IsEmpty());
  EXPECT_THAT(screen.shown(), ElementsAre("c pending", "d pending", "e pending"));
}

TEST_F(LiveListTest, AWindowStaysFullWhenARowLeavesIt) {
  std::vector<Id> ids;
  for (const char* topic : {"a", "b", "c", "d", "e"}) ids.push_back(Record(topic));
  Screen screen(&zhangs, ByTopic(), 3);
  screen.Look();
  zhangs.Delete<Meeting>(ids[0]);
  const auto then = screen.Look();
  EXPECT_EQ(then->removed, std::vector<size_t>{0});
  ASSERT_THAT(then->inserted, SizeIs(1));
  EXPECT_EQ(then->inserted[0].at, 2u);
  EXPECT_EQ(then->selected, 4u);
  EXPECT_THAT(screen.shown(), ElementsAre("b pending", "c pending", "d pending"));
}

TEST_F(LiveListTest, WhatWouldComeIntoTheWindowAndIsGoneMeanwhileIsPassedOver) {
  std::vector<Id> ids;
  for (const char* topic : {"a", "b", "c", "d"}) ids.push_back(Record(topic));
  const auto selection = Selection::Compile(zhangs.store().schema(), ByTopic());
  LiveList list(&zhangs.store(), *selection, 2);
  ASSERT_TRUE(list.Next().ok());
  // Two threads: the list has heard of the first deletion, and not yet of the second.
  zhangs.Delete<Meeting>(ids[0]);
  zhangs.Delete<Meeting>(ids[2]);
  list.Happened({.keys = {{31, ids[0]}}});
  const auto then = list.Next();
  ASSERT_TRUE(then.ok() && *then);
  EXPECT_EQ((*then)->removed, std::vector<size_t>{0});
  ASSERT_THAT((*then)->inserted, SizeIs(1));
  EXPECT_EQ((*then)->inserted[0].row.draft.id(), ids[3]);
  EXPECT_EQ((*then)->selected, 2u);
  list.Happened({.keys = {{31, ids[2]}}});
  EXPECT_FALSE((*list.Next()).has_value());
}

TEST_F(LiveListTest, WhatHappensBeyondTheWindowOrElsewhereIsNotTold) {
  for (const char* topic : {"a", "b"}) Record(topic);
  Screen screen(&zhangs, ByTopic(), 2);
  screen.Look();
  Record("z");
  EXPECT_FALSE(screen.Look().has_value());
  MakeSampler(zhangs);
  EXPECT_FALSE(screen.Look().has_value());
}

TEST_F(LiveListTest, AnAnswerAloneChangesMarksAndNamesItsRow) {
  Record("a");
  Screen screen(&zhangs, ByTopic(), 10);
  screen.Look();
  EXPECT_THAT(screen.shown(), ElementsAre("a pending"));
  ASSERT_EQ(world.Sync(zhangs), absl::OkStatus());
  const auto then = screen.Look();
  ASSERT_TRUE(then.has_value());
  ASSERT_THAT(then->changed, SizeIs(1));
  EXPECT_TRUE(then->changed[0].marks_only);
  EXPECT_THAT(screen.shown(), ElementsAre("a"));
}

TEST_F(LiveListTest, WhatACourierHasBroughtIsMarkedSo) {
  Record("a");
  Screen screen(&zhangs, ByTopic(), 10);
  screen.Look();
  const auto exported = client::Export(&zhangs.store());
  ASSERT_TRUE(exported.ok()) << exported.status();
  const auto receipts = world.Deliver(exported->file);
  ASSERT_TRUE(client::Receive(&zhangs.store(), *receipts).ok());
  const auto then = screen.Look();
  ASSERT_TRUE(then.has_value()) << "though the record is as it was";
  EXPECT_TRUE(then->changed[0].marks_only);
  EXPECT_THAT(screen.shown(), ElementsAre("a pending delivered"));
}

TEST_F(LiveListTest, AConflictMarksTheRowThatItIsAbout) {
  const Id id = Record("a", "礼堂");
  world.SyncAll();
  Screen screen(&zhangs, ByTopic(), 10);
  screen.Look();
  zhangs.Change<Meeting>(id, [](Meeting& m) { m.set_place("一"); });
  lis.Change<Meeting>(id, [](Meeting& m) { m.set_place("二"); });
  world.SyncAll();
  screen.Look();
  EXPECT_THAT(screen.shown(), ElementsAre("a conflict"));
  const auto notes = client::OpenConflicts(zhangs.store());
  auto settled =
      client::SettleConflict(*zhangs.store().Edit<ConflictNote>(notes->front().draft.id()));
  zhangs.Commit({&*settled});
  screen.Look();
  EXPECT_THAT(screen.shown(), ElementsAre("a"));
}

TEST_F(LiveListTest, AnEmptyListSaysWhetherThereIsNothingOrNothingIsKnownYet) {
  Phone& phone = world.Enrol(wang);
  Screen screen(&phone, ByTopic(), 10);
  EXPECT_EQ(screen.Look()->known, Difference::Known::kNotYet);
  ASSERT_EQ(phone.store().EndAttempt(absl::OkStatus()), absl::OkStatus());
  const auto then = screen.Look();
  ASSERT_TRUE(then.has_value()) << "though no row is otherwise";
  EXPECT_EQ(then->known, Difference::Known::kWhole);
  EXPECT_EQ(then->as_of_ms, world.now_ms());
}

TEST_F(LiveListTest, AsleepItFailsAndAwakeItTellsAllThatIsOtherwise) {
  Record("a");
  Screen screen(&zhangs, ByTopic(), 10);
  screen.Look();
  Record("b");
  LiveList asleep(&zhangs.store(), *Selection::Compile(zhangs.store().schema(), ByTopic()), 10);
  zhangs.store().Suspend();
  EXPECT_FALSE(asleep.Next().ok());
  ASSERT_EQ(zhangs.store().Resume(), absl::OkStatus());
  EXPECT_THAT((*asleep.Next())->inserted, SizeIs(2));
  screen.Look();
  EXPECT_EQ(screen.shown(), screen.Read());
}

// The law: whatever happens, what is shown is what a list would have that is read now.
TEST_F(LiveListTest, WhateverHappensTheScreenShowsWhatAReadWould) {
  for (uint32_t seed = 1; seed <= 5; ++seed) {
    std::mt19937 random(seed);
    Screen all(&zhangs, ByTopic(), 1000);
    Screen few(&zhangs,
               {.type = 31,
                .where = {{.field = "topic", .from = "c", .below = "x"}},
                .order = {{.field = "place"}, {.field = "topic", .descending = true}}},
               3);
    std::vector<Id> ids;
    for (int step = 0; step < 60; ++step) {
      const std::string topic(1, static_cast<char>('a' + random() % 26));
      const std::string place(1, static_cast<char>('a' + random() % 3));
      const size_t at = ids.empty() ? 0 : random() % ids.size();
      switch (ids.empty() ? 0 : random() % 6) {
        case 0:
        case 1:
          ids.push_back(Record(topic, place));
          break;
        case 2:
          zhangs.Delete<Meeting>(ids[at]);
          ids.erase(ids.begin() + static_cast<ptrdiff_t>(at));
          break;
        case 3:
          ASSERT_EQ(world.Sync(zhangs), absl::OkStatus());
          break;
        default:
          zhangs.Change<Meeting>(ids[at], [&](Meeting& m) {
            m.set_topic(topic);
            m.set_place(place);
          });
      }
      if (random() % 3 == 0) continue;  // several make one difference
      for (Screen* screen : {&all, &few}) {
        screen->Look();
        ASSERT_EQ(screen->shown(), screen->Read()) << "seed " << seed << " step " << step;
      }
    }
  }
}

// ---- What is selected ---------------------------------------------------------------

class SelectionTest : public LiveListTest {
 protected:
  // The topics of what is selected, in order.
  std::vector<std::string> Selected(std::vector<Condition> where, std::vector<Order> order = {}) {
    const auto selection =
        Selection::Compile(zhangs.store().schema(),
                           {.type = 31, .where = std::move(where), .order = std::move(order)});
    EXPECT_TRUE(selection.ok()) << selection.status();
    std::vector<std::string> topics;
    const auto page = client::ListRows(zhangs.store(), *selection, "", 100);
    for (const client::Row& row : page->rows) {
      topics.push_back(static_cast<const Meeting&>(row.draft.message()).topic());
    }
    return topics;
  }
  sync::v1::Reason Refused(Wanted wanted) {
    return ReasonOf(Selection::Compile(zhangs.store().schema(), std::move(wanted)).status()).reason;
  }
  void Record(const std::string& topic, uint32_t expected, int64_t starts_s, Meeting::Kind kind) {
    zhangs.Make<Meeting>([&](Meeting& m) {
      m.set_branch_id(branch.str());
      m.set_topic(topic);
      m.set_expected(expected);
      m.mutable_starts_at()->set_seconds(starts_s);
      m.set_kind(kind);
      m.add_guests("客" + topic);
    });
  }
};

TEST_F(SelectionTest, ByRangePartAndSet) {
  Record("七月大会", 9, 100, Meeting::MEMBERS);
  Record("七月党课", 10, -5, Meeting::LECTURE);
  Record("八月大会", 200, 50, Meeting::MEMBERS);
  EXPECT_THAT(Selected({{.field = "topic", .prefix = "七月"}}),
              ElementsAre("七月大会", "七月党课"));
  EXPECT_THAT(Selected({{.field = "topic", .contains = "大会"}}),
              ElementsAre("七月大会", "八月大会"));
  EXPECT_THAT(Selected({{.field = "expected", .from = "10", .below = "200"}}),
              ElementsAre("七月党课"));
  EXPECT_THAT(Selected({{.field = "startsAt", .from = "1970-01-01T00:00:50Z"}}),
              ElementsAre("七月大会", "八月大会"));
  EXPECT_THAT(Selected({{.field = "kind", .any_of = {"党课", "GROUP"}}}), ElementsAre("七月党课"));
  EXPECT_THAT(Selected({{.field = "guests", .equals = "客八月大会"}}), ElementsAre("八月大会"));
  EXPECT_THAT(
      Selected({{.field = "kind", .equals = "MEMBERS"}, {.field = "topic", .prefix = "八"}}),
      ElementsAre("八月大会"));
}

TEST_F(SelectionTest, InTheOrderOfNumbersAndTimes) {
  Record("九", 9, 100, Meeting::MEMBERS);
  Record("十", 10, -5, Meeting::MEMBERS);
  Record("二百", 200, 50, Meeting::MEMBERS);
  EXPECT_THAT(Selected({}, {{.field = "expected"}}), ElementsAre("九", "十", "二百"));
  EXPECT_THAT(Selected({}, {{.field = "expected", .descending = true}}),
              ElementsAre("二百", "十", "九"));
  EXPECT_THAT(Selected({}, {{.field = "starts_at"}}), ElementsAre("十", "二百", "九"));
  EXPECT_THAT(Selected({}, {{.field = "kind"}, {.field = "starts_at", .descending = true}}),
              ElementsAre("九", "二百", "十"));
}

TEST_F(SelectionTest, NamesStandByPinyinAndAreFoundByHowTheySound) {
  for (const char* topic : {"王秀英", "丁一", "欧阳", "安", "A 组", "曾庆红"}) {
    Record(topic, 1, 0, Meeting::MEMBERS);
  }
  EXPECT_THAT(Selected({}, {{.field = "topic", .pinyin = true}}),
              ElementsAre("A 组", "安", "曾庆红", "丁一", "欧阳", "王秀英"));
  for (const char* said : {"王", "秀英", "wang", "wxy", "wang xy", "WANGXIUYING", "xiuy", "xy"}) {
    EXPECT_THAT(Selected({{.field = "topic", .sounds = said}}), ElementsAre("王秀英")) << said;
  }
  EXPECT_THAT(Selected({{.field = "topic", .sounds = "zengq"}}), ElementsAre("曾庆红"));
  EXPECT_THAT(Selected({{.field = "topic", .sounds = "wxz"}}), IsEmpty());
  EXPECT_THAT(Selected({{.field = "topic", .sounds = ""}}), SizeIs(6));
}

TEST(Pinyin, WhatIsLongAndAllOfOneLetterIsTriedOnce) {
  std::string name;
  for (int i = 0; i < 200; ++i) name += "啊";
  std::string said(400, 'a');
  EXPECT_TRUE(client::SoundsLike(name, said.substr(0, 150)));
  said.push_back('z');
  EXPECT_FALSE(client::SoundsLike(name, said));
}

TEST_F(SelectionTest, WhatCannotBeComparedIsRefusedByItsName) {
  EXPECT_EQ(Refused({.type = 9999}), sync::v1::UNKNOWN_TYPE);
  EXPECT_EQ(Refused({.type = 31, .order = {{.field = "colour"}}}), sync::v1::UNKNOWN_FIELD);
  EXPECT_EQ(Refused({.type = 31, .order = {{.field = "guests"}}}), sync::v1::BAD_VALUE);
  const auto where = [](Condition condition) {
    return Wanted{.type = 31, .where = {std::move(condition)}};
  };
  EXPECT_EQ(Refused(where({.field = "expected", .from = "many"})), sync::v1::BAD_VALUE);
  EXPECT_EQ(Refused(where({.field = "expected", .prefix = "1"})), sync::v1::BAD_VALUE);
  EXPECT_EQ(Refused(where({.field = "starts_at", .equals = "1"})), sync::v1::BAD_VALUE);
  EXPECT_EQ(Refused(where({.field = "kind", .from = "大会"})), sync::v1::BAD_VALUE);
}

}  // namespace
}  // namespace zhibu::test
