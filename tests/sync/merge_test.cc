// What comes of two people's writing, policy by policy. Devices A (11), B (12)
// and C (13) have all seen the record as it was before; what they do after that
// they do offline, and the server takes it in the order of `server.Take`.
#include "sync/merge/merge.h"

#include <gmock/gmock.h>

#include "sync/base/reason.h"
#include "sync/wire/wire.h"
#include "tests/sync/story.h"
#include "zhibu/sync/v1/trace.pb.h"

namespace zhibu {
namespace {

using sync::v1::Change;
using testing::Sampler;

class Merge : public ::testing::Test {
 protected:
  // The record as everybody has seen it.
  void Before(const Device::Change& change) {
    Device secretary("secretary", 10);
    secretary.Edit(change);
    ASSERT_TRUE(server.Take(secretary).ok());
    EverybodySees();
  }
  void EverybodySees() {
    for (Device* device : {&a, &b, &c}) device->See(server);
  }
  void Take(std::initializer_list<Device*> order) {
    for (Device* device : order) {
      const absl::Status status = server.Take(*device);
      EXPECT_TRUE(status.ok()) << status;
    }
  }
  Sampler Body() {
    Sampler sampler;
    sampler.ParseFromString(server.state().body);
    return sampler;
  }

  Server server;
  Device a{"A", 11};
  Device b{"B", 12};
  Device c{"C", 13};
};

Device::Change Latest(const std::string& value) {
  return [=](Sampler& s) { s.set_latest(value); };
}
Device::Change Ask(const std::string& value) {
  return [=](Sampler& s) { s.set_ask(value); };
}
void Nothing(Sampler&) {}

Sampler::Item* ItemOf(Sampler& s, const std::string& key) {
  for (auto& item : *s.mutable_by_key()) {
    if (item.key() == key) return &item;
  }
  auto* item = s.add_by_key();
  item->set_key(key);
  return item;
}
void RemoveItem(Sampler& s, const std::string& key) {
  auto& items = *s.mutable_by_key();
  items.erase(std::remove_if(items.begin(), items.end(),
                             [&](const Sampler::Item& item) { return item.key() == key; }),
              items.end());
}
Device::Change ItemText(const std::string& key, const std::string& text) {
  return [=](Sampler& s) { ItemOf(s, key)->set_text(text); };
}
Device::Change WithoutItem(const std::string& key) {
  return [=](Sampler& s) { RemoveItem(s, key); };
}
void AddMember(Sampler& s, const std::string& member) { s.add_add_wins(member); }
void RemoveMember(Sampler& s, const std::string& member) {
  auto& members = *s.mutable_add_wins();
  members.erase(std::remove(members.begin(), members.end(), member), members.end());
}

// --- LATEST ---

TEST_F(Merge, LatestTakesTheLaterOfTwoWrites) {
  Before(Latest("hall"));
  a.At(10).Edit(Latest("yard"));
  b.At(20).Edit(Latest("school"));
  Take({&b, &a});
  EXPECT_EQ(server.Text(), R"(latest: "school")");
  EXPECT_EQ(server.Conflicts(), "overwritten latest: 12 over 11");
  const Conflict& conflict = server.outcome().conflicts[0];
  EXPECT_EQ(conflict.kept, "\x12\x06school");
  EXPECT_EQ(conflict.lost, "\x12\x04yard");
  EXPECT_EQ(conflict.rule->number, 2u);
}

TEST_F(Merge, LatestOverwritesInSilenceWhatItsAuthorHadSeen) {
  Before(Latest("hall"));
  a.At(100).Edit(Latest("yard"));
  Take({&a});
  b.See(server);
  b.Edit(Latest("school"));
  Take({&b});
  EXPECT_EQ(server.Text(), R"(latest: "school")");
  EXPECT_EQ(server.Conflicts(), "");
}

TEST_F(Merge, LatestHasNoConflictOverEqualValuesAndTheLaterStampCounts) {
  Before(Latest("hall"));
  a.At(10).Edit(Latest("yard"));
  b.At(30).Edit(Latest("yard"));
  c.At(20).Edit(Latest("school"));
  Take({&a, &b});
  EXPECT_EQ(server.Conflicts(), "");
  Take({&c});
  EXPECT_EQ(server.Text(), R"(latest: "yard")");
}

TEST_F(Merge, LatestClearedAndSetMergeAsAnyTwoWrites) {
  Before(Latest("hall"));
  a.At(20).Edit([](Sampler& s) { s.clear_latest(); });
  b.At(10).Edit(Latest("school"));
  Take({&a, &b});
  EXPECT_EQ(server.Text(), "");
  EXPECT_EQ(server.Conflicts(), "overwritten latest: 11 over 12");
  c.At(30).Edit(Latest("yard"));
  Take({&c});
  EXPECT_EQ(server.Text(), R"(latest: "yard")");
}

TEST_F(Merge, LatestWritesToTwoFieldsDoNotMeet) {
  Before(Latest("hall"));
  a.Edit(Latest("yard"));
  b.Edit([](Sampler& s) { s.mutable_pair()->set_left("l"); });
  Take({&a, &b});
  EXPECT_EQ(server.Text(), R"(latest: "yard" pair { left: "l" })");
  EXPECT_EQ(server.Conflicts(), "");
}

TEST_F(Merge, AMessageAndARepeatedScalarAreOneValueEach) {
  Before(Nothing);
  a.At(10).Edit([](Sampler& s) { s.mutable_pair()->set_left("l"), s.add_numbers(1); });
  b.At(20).Edit([](Sampler& s) { s.mutable_pair()->set_right("r"), s.add_numbers(2); });
  Take({&a, &b});
  EXPECT_EQ(server.Text(), R"(pair { right: "r" } numbers: 2)");
  EXPECT_EQ(server.Conflicts(), "overwritten pair: 12 over 11; overwritten numbers: 12 over 11");
}

TEST_F(Merge, MembersOfAOneofAreOneValue) {
  Before([](Sampler& s) { s.set_word("w"); });
  a.At(10).Edit([](Sampler& s) { s.set_number(7); });
  b.At(20).Edit([](Sampler& s) { s.set_word("v"); });
  Take({&a, &b});
  EXPECT_EQ(server.Text(), R"(word: "v")");
  c.See(server);
  c.Edit([](Sampler& s) { s.set_number(8); });
  Take({&c});
  EXPECT_EQ(server.Text(), "number: 8");
  Change clear;  // by the number of either member
  clear.set_base(server.version().value);
  clear.mutable_without()->add_cleared(15);
  EXPECT_TRUE(server.Take({clear, a.number(), Stamp(99)}).ok());
  EXPECT_EQ(server.Text(), "");
}

TEST_F(Merge, FieldsThatNoBuildHereKnowsMergeAsLatestAndStay) {
  const auto unknown = [](uint32_t number, const std::string& value) {
    return [=](Sampler& s) {
      s.GetReflection()->MutableUnknownFields(&s)->AddLengthDelimited(static_cast<int>(number),
                                                                      value);
    };
  };
  Before(unknown(900, "old"));
  a.At(20).Edit([](Sampler& s) {
    s.GetReflection()->MutableUnknownFields(&s)->Clear();
    s.GetReflection()->MutableUnknownFields(&s)->AddLengthDelimited(900, "new");
  });
  b.At(10).Edit([&](Sampler& s) { unknown(901, "more")(s), s.set_latest("x"); });
  Take({&b, &a});
  EXPECT_EQ(server.Text(), R"(latest: "x" 900: "new" 901: "more")");
  // A build that knows nothing of the type at all.
  RecordState state = server.state();
  Change change;
  change.set_base(server.version().value);
  wire::AppendBytesField(2, "y", change.mutable_set());
  Outcome outcome;
  ASSERT_TRUE(Apply(nullptr, change, {b.number(), Version(9), Stamp(99)}, &state, &outcome).ok());
  EXPECT_EQ(TextOf(state), R"(latest: "y" 900: "new" 901: "more")");
  change.mutable_without()->add_removed()->set_field(9);
  EXPECT_EQ(ReasonOf(Apply(nullptr, change, {b.number(), Version(9), Stamp(99)}, &state, &outcome))
                .reason,
            sync::v1::UNKNOWN_FIELD);
}

// --- ASK ---

TEST_F(Merge, AskKeepsTheEarlierAndLeavesTheQuestionOpen) {
  Before(Ask("draft"));
  a.At(20).Edit(Ask("by A"));
  b.At(10).Edit(Ask("by B"));
  Take({&a, &b});
  EXPECT_EQ(server.Text(), R"(ask: "by B")");
  EXPECT_EQ(server.Conflicts(), "open ask: 12 over 11");
  EXPECT_TRUE(server.outcome().settled.empty());
}

TEST_F(Merge, AskIsSettledBySomeoneWhoSawAllOfThem) {
  Before(Ask("draft"));
  a.At(20).Edit(Ask("by A"));
  b.At(10).Edit(Ask("by B"));
  Take({&a, &b});
  c.See(server);
  c.Edit(Ask("agreed"));
  Take({&c});
  EXPECT_EQ(server.Text(), R"(ask: "agreed")");
  ASSERT_EQ(server.outcome().settled.size(), 2u);
  EXPECT_EQ(server.outcome().settled[0].path, "ask");
  EXPECT_EQ(server.outcome().settled[0].touch.writer, b.number());
  EXPECT_EQ(server.outcome().settled[1].touch.writer, a.number());
}

TEST_F(Merge, AskStaysOpenBetweenThoseNobodyHasSeenTogether) {
  Before(Ask("draft"));
  a.At(10).Edit(Ask("by A"));
  Take({&a});
  c.See(server);
  c.At(30).Edit(Ask("by C, instead of A"));
  b.At(20).Edit(Ask("by B"));
  Take({&b, &c});
  EXPECT_EQ(server.Text(), R"(ask: "by B")");
  EXPECT_EQ(server.Conflicts(), "open ask: 11 over 12; open ask: 12 over 13");
}

TEST_F(Merge, AskHasNoQuestionWhereBothSayTheSame) {
  Before(Ask("draft"));
  a.Edit(Ask("same"));
  b.Edit(Ask("same"));
  Take({&a, &b});
  EXPECT_EQ(server.Text(), R"(ask: "same")");
  EXPECT_EQ(server.Conflicts(), "");
}

TEST_F(Merge, AskTreatsClearingAsAWrite) {
  Before(Ask("draft"));
  a.At(10).Edit([](Sampler& s) { s.clear_ask(); });
  b.At(20).Edit(Ask("by B"));
  Take({&b, &a});
  EXPECT_EQ(server.Text(), "");
  EXPECT_EQ(server.Conflicts(), "open ask: 11 over 12");
}

// --- FIRST, FORWARD, SERVER: the server's order decides ---

TEST_F(Merge, FirstIsWrittenOnceAndTheSecondAuthorIsTold) {
  Before(Nothing);
  a.Edit([](Sampler& s) { s.set_first("by A"); });
  b.Edit([](Sampler& s) { s.set_first("by B"), s.set_latest("with it"); });
  c.Edit([](Sampler& s) { s.set_first("by A"); });
  Take({&a, &c});
  a.Edit(Latest("first to arrive"));
  Take({&a});
  const RecordState before = server.state();
  const absl::Status status = server.Take(b);
  EXPECT_EQ(ReasonOf(status).reason, sync::v1::ALREADY_WRITTEN);
  EXPECT_EQ(server.Conflicts(), "");
  EXPECT_EQ(ReasonOf(status).detail, "first");
  EXPECT_EQ(server.Text(), R"(latest: "first to arrive" first: "by A")");
  EXPECT_EQ(server.state().trace, before.trace);
  EXPECT_EQ(server.state().touch, before.touch);
}

TEST_F(Merge, FirstIsRefusedAtTheDeviceThatCanKnow) {
  Before([](Sampler& s) { s.set_first("once"); });
  a.Edit([](Sampler& s) { s.set_first("twice"); });
  EXPECT_EQ(ReasonOf(a.status()).reason, sync::v1::ALREADY_WRITTEN);
  a.Edit([](Sampler& s) { s.clear_first(); });
  EXPECT_EQ(ReasonOf(a.status()).reason, sync::v1::ALREADY_WRITTEN);
  EXPECT_EQ(TextOf(a.view()), R"(first: "once")");
}

TEST_F(Merge, ForwardTakesTheSecondStepOnlyWhereItStillIsOne) {
  Before([](Sampler& s) { s.set_forward(Sampler::OPENED); });
  a.Edit([](Sampler& s) { s.set_forward(Sampler::TAKEN); });
  b.Edit([](Sampler& s) { s.set_forward(Sampler::DROPPED); });
  c.Edit([](Sampler& s) { s.set_forward(Sampler::TAKEN); });
  Take({&a, &c});
  const absl::Status status = server.Take(b);
  EXPECT_EQ(ReasonOf(status).reason, sync::v1::STEP_NOT_ALLOWED);
  EXPECT_EQ(ReasonOf(status).detail, "forward: TAKEN → DROPPED");
  EXPECT_EQ(server.Text(), "forward: TAKEN");
  a.See(server);
  a.Edit([](Sampler& s) { s.clear_forward(); });
  EXPECT_EQ(ReasonOf(a.status()).reason, sync::v1::STEP_NOT_ALLOWED);
  a.Edit([](Sampler& s) { s.set_forward(static_cast<Sampler::Step>(77)); });
  EXPECT_EQ(ReasonOf(a.status()).detail, "forward: TAKEN → 77");
}

TEST_F(Merge, ForwardStartsWithADeclaredFirstStep) {
  a.Edit([](Sampler& s) { s.set_forward(Sampler::TAKEN); });
  EXPECT_EQ(ReasonOf(a.status()).reason, sync::v1::STEP_NOT_ALLOWED);
  a.Edit([](Sampler& s) { s.set_forward(Sampler::OPENED); });
  EXPECT_TRUE(a.status().ok());
}

TEST_F(Merge, OnlyTheServerWritesAServerField) {
  Before(Nothing);
  a.Edit([](Sampler& s) { s.set_server("forged"); });
  EXPECT_EQ(ReasonOf(a.status()).reason, sync::v1::SERVER_ONLY);
  Device registry("registry", kServerDevice.value);
  registry.See(server);
  registry.Edit([](Sampler& s) { s.set_server("no. 7"); });
  Take({&registry});
  EXPECT_EQ(server.Text(), R"(server: "no. 7")");
  a.See(server);
  a.Edit([](Sampler& s) { s.clear_server(); });
  EXPECT_EQ(ReasonOf(a.status()).reason, sync::v1::SERVER_ONLY);
  registry.See(server);
  registry.Edit([](Sampler& s) { s.clear_server(); });
  Take({&registry});
  EXPECT_EQ(server.Text(), "");
}

// --- SUM, MAX, MIN ---

TEST_F(Merge, SumCountsEveryAddition) {
  Before([](Sampler& s) { s.set_sum(10), s.set_zigzag_sum(1); });
  a.Edit([](Sampler& s) { s.set_sum(s.sum() + 5), s.set_zigzag_sum(s.zigzag_sum() - 3); });
  b.Edit([](Sampler& s) { s.set_sum(s.sum() - 12); });
  b.Edit([](Sampler& s) { s.set_sum(s.sum() - 12), s.set_zigzag_sum(0); });
  Take({&b, &a});
  EXPECT_EQ(server.Text(), "sum: -9 zigzag_sum: -3");
  EXPECT_EQ(server.Conflicts(), "");
}

TEST_F(Merge, SumOfNothingIsNoField) {
  Before([](Sampler& s) { s.set_sum(10); });
  a.Edit([](Sampler& s) { s.set_sum(0); });
  Take({&a});
  EXPECT_EQ(server.state().body, "");
}

TEST_F(Merge, MaxOnlyRisesAndMinOnlyFalls) {
  Before([](Sampler& s) { s.mutable_max()->set_seconds(100), s.set_min(5); });
  a.Edit([](Sampler& s) {
    s.mutable_max()->set_seconds(200), s.mutable_max()->set_nanos(5), s.set_min(3);
  });
  b.Edit([](Sampler& s) { s.mutable_max()->set_seconds(200), s.set_min(-4); });
  c.Edit([](Sampler& s) { s.mutable_max()->set_seconds(50), s.set_min(9); });
  Take({&a, &b, &c});
  EXPECT_EQ(server.Text(), "max { seconds: 200 nanos: 5 } min: -4");
  EXPECT_EQ(server.Conflicts(), "");
}

TEST_F(Merge, MaxAndMinStartFromTheFirstValueEvenBelowZero) {
  Before(Nothing);
  a.Edit([](Sampler& s) { s.mutable_max()->set_seconds(-100); });
  b.Edit([](Sampler& s) { s.set_min(7); });
  Take({&a, &b});
  EXPECT_EQ(server.Text(), "max { seconds: -100 } min: 7");
}

TEST_F(Merge, MinFallsToZeroWhichProtobufDoesNotWrite) {
  Before([](Sampler& s) { s.set_min(5); });
  a.Edit([](Sampler& s) { s.set_min(0); });
  EXPECT_TRUE(a.status().ok()) << a.status();
  b.Edit([](Sampler& s) { s.set_min(3); });
  Take({&a, &b});
  EXPECT_EQ(server.Text(), "");
  c.Edit([](Sampler& s) { s.set_min(-1); });
  Take({&c});
  EXPECT_EQ(server.Text(), "min: -1");
}

TEST_F(Merge, AMaxWithPresenceCannotBeTakenBack) {
  Before([](Sampler& s) { s.mutable_max()->set_seconds(1); });
  a.Edit([](Sampler& s) { s.clear_max(); });
  EXPECT_EQ(ReasonOf(a.status()).reason, sync::v1::BAD_VALUE);
  EXPECT_EQ(ReasonOf(a.status()).detail, "max");
}

// --- ADD_WINS ---

TEST_F(Merge, AnElementRemovedByOneAndConcurrentlyAddedByAnotherStays) {
  Before([](Sampler& s) { AddMember(s, "Li"), AddMember(s, "Wang"); });
  a.Edit([](Sampler& s) { RemoveMember(s, "Li"), RemoveMember(s, "Wang"); });
  b.Edit([](Sampler& s) { RemoveMember(s, "Li"); });
  b.Edit([](Sampler& s) { AddMember(s, "Li"); });
  Take({&a, &b});
  EXPECT_EQ(server.Text(), R"(add_wins: "Li")");

  Server other;
  Device s("secretary", 10);
  s.Edit([](Sampler& m) { AddMember(m, "Li"), AddMember(m, "Wang"); });
  ASSERT_TRUE(other.Take(s).ok());
  Device a2("A", 11), b2("B", 12);
  a2.See(other), b2.See(other);
  a2.Edit([](Sampler& m) { m.clear_add_wins(); });
  b2.Edit([](Sampler& m) { RemoveMember(m, "Li"); });
  b2.Edit([](Sampler& m) { AddMember(m, "Li"); });
  EXPECT_TRUE(other.Take(b2).ok());
  EXPECT_TRUE(other.Take(a2).ok());
  EXPECT_EQ(other.Text(), R"(add_wins: "Li")");
}

TEST_F(Merge, ASetIsKeptInByteOrderAndEachElementOnce) {
  Before([](Sampler& s) { AddMember(s, "m"); });
  a.Edit([](Sampler& s) { AddMember(s, "z"), AddMember(s, "b"), AddMember(s, ""); });
  b.Edit([](Sampler& s) { AddMember(s, "a"), AddMember(s, "b"); });
  Take({&a, &b});
  EXPECT_EQ(server.Text(),
            R"(add_wins: "" add_wins: "a" add_wins: "b" add_wins: "m" add_wins: "z")");
  EXPECT_EQ(server.Conflicts(), "");
}

TEST_F(Merge, ARemovalTakesOnlyTheAdditionsThatItsAuthorHadSeen) {
  Before(Nothing);
  a.Edit([](Sampler& s) { AddMember(s, "Li"); });
  Take({&a});
  c.See(server);
  b.Edit([](Sampler& s) { AddMember(s, "Li"); });
  Take({&b});
  c.Edit([](Sampler& s) { RemoveMember(s, "Li"); });
  Take({&c});
  EXPECT_EQ(server.Text(), R"(add_wins: "Li")");
  c.See(server);
  c.Edit([](Sampler& s) { RemoveMember(s, "Li"); });
  Take({&c});
  EXPECT_EQ(server.Text(), "");
}

TEST_F(Merge, RemovingWhatIsGoneAlreadyIsNothing) {
  Before([](Sampler& s) { AddMember(s, "Li"), ItemText("1", "x")(s); });
  a.Edit([](Sampler& s) { s.clear_add_wins(), s.clear_by_key(); });
  b.Edit([](Sampler& s) { s.clear_add_wins(), s.clear_by_key(); });
  Take({&a, &b});
  EXPECT_EQ(server.Text(), "");
  EXPECT_EQ(server.Conflicts(), "");
}

// --- BY_KEY ---

TEST_F(Merge, ElementsMergeOneByOneAndFieldByField) {
  Before([](Sampler& s) { ItemText("1", "budget")(s), ItemText("2", "flood")(s); });
  a.Edit([](Sampler& s) { ItemOf(s, "1")->set_votes(3), ItemText("3", "new")(s); });
  b.Edit([](Sampler& s) { ItemOf(s, "1")->set_votes(2), ItemText("1", "budget 2027")(s); });
  Take({&a, &b});
  EXPECT_EQ(server.Text(), R"(by_key { key: "1" text: "budget 2027" votes: 5 } )"
                           R"(by_key { key: "2" text: "flood" } by_key { key: "3" text: "new" })");
  EXPECT_EQ(server.Conflicts(), "");
}

TEST_F(Merge, ElementsNestToAnyDepth) {
  Before([](Sampler& s) { ItemOf(s, "1")->add_parts()->set_key("1.1"); });
  a.At(10).Edit([](Sampler& s) {
    ItemOf(s, "1")->mutable_parts(0)->set_text("by A");
    ItemOf(s, "1")->mutable_parts(0)->add_tags("urgent");
  });
  b.At(20).Edit([](Sampler& s) {
    ItemOf(s, "1")->mutable_parts(0)->set_text("by B");
    ItemOf(s, "1")->add_parts()->set_key("1.2");
  });
  Take({&a, &b});
  EXPECT_EQ(server.Text(), R"(by_key { key: "1" parts { key: "1.1" text: "by B" tags: "urgent" } )"
                           R"(parts { key: "1.2" } })");
  EXPECT_EQ(server.Conflicts(), "overwritten by_key[1].parts[1.1].text: 12 over 11");
}

TEST_F(Merge, AMapMergesKeyByKey) {
  Before([](Sampler& s) { (*s.mutable_map())["study"] = 1, (*s.mutable_map())["dues"] = 1; });
  a.At(10).Edit(
      [](Sampler& s) { (*s.mutable_map())["study"] = 0, (*s.mutable_map())["work"] = 4; });
  b.At(20).Edit(
      [](Sampler& s) { (*s.mutable_map())["study"] = 3, s.mutable_map()->erase("dues"); });
  Take({&b, &a});
  const Sampler merged = Body();
  EXPECT_EQ(merged.map().size(), 2u);
  EXPECT_EQ(merged.map().at("study"), 3);
  EXPECT_EQ(merged.map().at("work"), 4);
  EXPECT_EQ(server.Conflicts(), "overwritten map[study].value: 12 over 11");
}

TEST_F(Merge, AChangedElementOutlivesARemovalThatHadNotSeenTheChange) {
  Before([](Sampler& s) { ItemText("1", "budget")(s), ItemOf(s, "1")->set_votes(4); });
  a.Edit(WithoutItem("1"));
  b.Edit(ItemText("1", "budget 2027"));
  const auto expected = R"(by_key { key: "1" text: "budget 2027" votes: 4 })";
  Server first = server;
  ASSERT_TRUE(first.Take(a.pending()[0]).ok());
  ASSERT_TRUE(first.Take(b.pending()[0]).ok());
  EXPECT_EQ(first.Text(), expected);
  EXPECT_EQ(first.Conflicts(), "kept from deletion by_key[1]: 12 over 11");
  Take({&b, &a});
  EXPECT_EQ(server.Text(), expected);
  EXPECT_EQ(server.Conflicts(), "kept from deletion by_key[1]: 12 over 11");
}

TEST_F(Merge, ALateChangeFindsARemovedElementsFieldsWithTheirOldTouches) {
  Before(ItemText("1", "old"));
  c.At(30).Edit(ItemText("1", "by C"));
  Take({&c});
  a.See(server);
  a.Edit(WithoutItem("1"));
  b.At(20).Edit(ItemText("1", "by B"));  // before C's change and the removal
  Take({&a, &b});
  EXPECT_EQ(server.Text(), R"(by_key { key: "1" text: "by C" })");
  EXPECT_EQ(server.Conflicts(),
            "kept from deletion by_key[1]: 12 over 11; overwritten by_key[1].text: 13 over 12");
}

TEST_F(Merge, AnElementMadeAnewAfterASeenRemovalStartsEmpty) {
  Before([](Sampler& s) { ItemText("1", "budget")(s), ItemOf(s, "1")->set_votes(4); });
  a.Edit(WithoutItem("1"));
  a.Edit([](Sampler& s) { ItemOf(s, "1")->set_votes(1); });
  Take({&a});
  EXPECT_EQ(server.Text(), R"(by_key { key: "1" votes: 1 })");
  EXPECT_EQ(server.Conflicts(), "");
}

TEST_F(Merge, AnElementMadeAnewIsOneWithWhatSomebodyWroteIntoTheOld) {
  Before([](Sampler& s) { ItemText("1", "budget")(s), ItemOf(s, "1")->set_votes(4); });
  a.Edit(WithoutItem("1"));
  a.Edit([](Sampler& s) { ItemOf(s, "1")->set_votes(1); });
  b.Edit([](Sampler& s) { ItemOf(s, "1")->set_votes(ItemOf(s, "1")->votes() + 2); });
  const auto expected = R"(by_key { key: "1" text: "budget" votes: 7 })";
  Server first = server;
  for (Device* device : {&a, &b}) {
    for (const Sent& sent : device->pending()) ASSERT_TRUE(first.Take(sent).ok());
  }
  EXPECT_EQ(first.Text(), expected);
  Take({&b, &a});
  EXPECT_EQ(server.Text(), expected);
}

TEST_F(Merge, TwoWhoMakeTheSameElementMakeOne) {
  Before(Nothing);
  a.At(10).Edit([](Sampler& s) { ItemText("1", "by A")(s), ItemOf(s, "1")->set_votes(1); });
  b.At(20).Edit([](Sampler& s) { ItemText("1", "by B")(s), ItemOf(s, "1")->set_votes(1); });
  Take({&b, &a});
  EXPECT_EQ(server.Text(), R"(by_key { key: "1" text: "by B" votes: 2 })");
  EXPECT_EQ(server.Conflicts(), "overwritten by_key[1].text: 12 over 11");
}

// --- Records made, deleted, made anew ---

TEST_F(Merge, ADeletedRecordIsGone) {
  Before(Latest("hall"));
  a.Delete();
  Take({&a});
  EXPECT_EQ(server.Text(), "(deleted)");
  EXPECT_EQ(server.state().deletion->writer, a.number());
  EXPECT_EQ(server.state().version(), server.version());
  EXPECT_EQ(server.state().trace, "");
  b.Delete();
  Take({&b});
  EXPECT_EQ(server.state().deletion->writer, a.number());
}

TEST_F(Merge, ADeletionLosesToAChangeThatItHadNotSeen) {
  Before([](Sampler& s) { s.set_latest("hall"), s.set_sum(1); });
  a.Delete();
  b.Edit(Latest("yard"));
  Server first = server;
  ASSERT_TRUE(first.Take(a.pending()[0]).ok());
  ASSERT_TRUE(first.Take(b.pending()[0]).ok());
  EXPECT_EQ(first.Text(), R"(latest: "yard" sum: 1)");
  EXPECT_EQ(first.Conflicts(), "kept from deletion: 12 over 11");
  Take({&b, &a});
  EXPECT_EQ(server.Text(), R"(latest: "yard" sum: 1)");
  EXPECT_EQ(server.Conflicts(), "kept from deletion: 12 over 11");
}

TEST_F(Merge, ADeletionThatHasSeenEverythingWins) {
  Before(Latest("hall"));
  b.Edit(Latest("yard"));
  Take({&b});
  a.See(server);
  a.Delete();
  Take({&a});
  EXPECT_EQ(server.Text(), "(deleted)");
}

TEST_F(Merge, ARecordMadeAnewAfterASeenDeletionStartsEmpty) {
  Before([](Sampler& s) { s.set_latest("hall"), s.set_sum(5), AddMember(s, "Li"); });
  a.Delete();
  Take({&a});
  b.See(server);
  b.Edit([](Sampler& s) { s.set_sum(1), s.set_first("new"); });
  Take({&b});
  EXPECT_EQ(server.Text(), R"(first: "new" sum: 1)");
  EXPECT_EQ(server.Conflicts(), "");
}

TEST_F(Merge, ARecordMadeAnewIsOneWithWhatSomebodyWroteIntoTheOld) {
  Before([](Sampler& s) {
    s.set_latest("hall"), s.set_sum(5), s.mutable_max()->set_seconds(9), s.set_first("old");
  });
  a.Delete();
  a.Edit([](Sampler& s) {
    s.set_sum(1), s.mutable_max()->set_seconds(3), s.set_first("new"), s.set_ask("q");
  });
  b.Edit([](Sampler& s) { s.set_sum(s.sum() + 2), ItemText("1", "b")(s); });
  Take({&a});
  EXPECT_EQ(server.Text(), R"(ask: "q" first: "new" sum: 1 max { seconds: 3 })");
  Take({&b});
  EXPECT_EQ(server.Text(), R"(latest: "hall" ask: "q" first: "new" sum: 8 max { seconds: 9 } )"
                           R"(by_key { key: "1" text: "b" })");
  EXPECT_EQ(server.Conflicts(), "kept from deletion: 12 over 11");
}

TEST_F(Merge, TwoWhoBothDeletedARecordAndMadeItAnewDoNotBringTheOldBack) {
  Before([](Sampler& s) { s.set_latest("hall"), s.set_sum(5); });
  a.Delete().Edit([](Sampler& s) { s.set_sum(1); });
  b.Delete().Edit([](Sampler& s) { s.set_sum(2); });
  b.Edit([](Sampler& s) { s.set_ask("q"); });
  const auto take = [&](std::initializer_list<std::pair<Device*, int>> order) {
    Server copy = server;
    for (const auto& [device, n] : order) EXPECT_TRUE(copy.Take(device->pending()[n]).ok());
    return copy.Text();
  };
  EXPECT_EQ(take({{&a, 0}, {&a, 1}, {&b, 0}, {&b, 1}, {&b, 2}}), R"(ask: "q" sum: 3)");
  EXPECT_EQ(take({{&b, 0}, {&a, 0}, {&b, 1}, {&b, 2}, {&a, 1}}), R"(ask: "q" sum: 3)");
}

TEST_F(Merge, TwoWhoMakeTheSameRecordMakeOne) {
  a.At(10).Edit([](Sampler& s) { s.set_branch_id("b"), s.set_sum(1), AddMember(s, "Li"); });
  b.At(20).Edit([](Sampler& s) { s.set_branch_id("b"), s.set_latest("x"), AddMember(s, "Wu"); });
  b.Edit([](Sampler& s) { s.set_sum(7); });
  Take({&b, &a});
  EXPECT_EQ(server.Text(), R"(branch_id: "b" latest: "x" sum: 8 add_wins: "Li" add_wins: "Wu")");
  EXPECT_EQ(server.Conflicts(), "");
}

TEST_F(Merge, ARecordThatNeverWasCannotBeChanged) {
  Change change;
  const absl::Status status = server.Take({change, a.number(), Stamp(1)});
  EXPECT_EQ(ReasonOf(status).reason, sync::v1::NO_SUCH_RECORD);
  change.set_kind(Change::DELETE);
  EXPECT_EQ(ReasonOf(server.Take({change, a.number(), Stamp(1)})).reason, sync::v1::NO_SUCH_RECORD);
}

// --- What is remembered ---

TEST_F(Merge, ARecordChangedByOneEditRemembersNothingMore) {
  Before([](Sampler& s) {
    s.set_latest("x"), s.set_ask("a"), s.set_sum(1), s.set_min(2), AddMember(s, "Li");
    ItemText("1", "t")(s), ItemOf(s, "1")->add_parts()->set_key("1.1");
    (*s.mutable_map())["k"] = 1;
  });
  EXPECT_EQ(server.state().trace, "");
  a.Delete();
  a.Edit(Latest("anew"));
  Take({&a});
  sync::v1::Trace trace;
  ASSERT_TRUE(trace.ParseFromString(server.state().trace));
  EXPECT_EQ(trace.former_lives_size(), 1);
  EXPECT_EQ(trace.fields_size(), 0);
  EXPECT_FALSE(trace.has_rest());
}

TEST_F(Merge, WhatOneEditTouchedIsRememberedByOneEntry) {
  Before([](Sampler& s) { s.set_latest("x"), s.set_ask("a"), s.set_sum(1); });
  a.Edit(Latest("y"));
  Take({&a});
  sync::v1::Trace trace;
  ASSERT_TRUE(trace.ParseFromString(server.state().trace));
  EXPECT_EQ(trace.fields_size(), 1);
  EXPECT_EQ(trace.rest().writer(), 10u);
  EXPECT_FALSE(trace.fields(0).has_touch());
  EXPECT_EQ(trace.frontier_size(), 0);
}

// --- Bytes that no Diff makes ---

TEST_F(Merge, DamagedBytesAreRefusedAndChangeNothing) {
  Before(Latest("x"));
  const std::string before = server.state().body;
  const auto refuse = [&](const Change& change) {
    return ReasonOf(server.Take({change, a.number(), Stamp(5)})).reason;
  };
  Change cut;
  cut.set_set("\x12\x05x");
  EXPECT_EQ(refuse(cut), sync::v1::MALFORMED);
  Change cut_element;
  wire::AppendBytesField(10, "\x12\x05x", cut_element.mutable_set());
  EXPECT_EQ(refuse(cut_element), sync::v1::MALFORMED);
  Change cleared_sum;
  cleared_sum.mutable_without()->add_cleared(5);
  EXPECT_EQ(refuse(cleared_sum), sync::v1::MALFORMED);
  Change removed_latest;
  removed_latest.mutable_without()->add_removed()->set_field(2);
  EXPECT_EQ(refuse(removed_latest), sync::v1::MALFORMED);
  EXPECT_EQ(server.state().body, before);
}

TEST_F(Merge, ADamagedTraceIsNoReasonToGuess) {
  RecordState state;
  state.exists = true;
  state.trace = "\xff";
  Outcome outcome;
  EXPECT_EQ(Apply(nullptr, Change(), {a.number(), Version(2), Stamp(1)}, &state, &outcome).code(),
            absl::StatusCode::kDataLoss);
}

}  // namespace
}  // namespace zhibu
