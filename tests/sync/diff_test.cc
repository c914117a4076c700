// What an app's change to a plain message becomes on the wire.
#include "sync/merge/diff.h"

#include <gmock/gmock.h>

#include "absl/strings/escaping.h"
#include "tests/sync/story.h"

namespace zhibu {
namespace {

using sync::v1::Change;
using testing::Sampler;

Sampler Parsed(absl::string_view text) {
  Sampler sampler;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(std::string(text), &sampler)) << text;
  return sampler;
}

// "set {…} without {…} special […]", empty where nothing changed.
std::string DiffOf(absl::string_view before, absl::string_view after) {
  Change change;
  const bool changed = Diff(SamplerType(), Parsed(before).SerializeAsString(),
                            Parsed(after).SerializeAsString(), &change);
  Sampler set;
  EXPECT_TRUE(set.ParseFromString(change.set()));
  std::string text = absl::StrCat("set {", TextOf(set), "}");
  if (change.has_without()) {
    absl::StrAppend(&text, " without {", TextOf(change.without()), "}");
  }
  if (!change.special().empty()) {
    absl::StrAppend(&text, " special ", absl::StrJoin(change.special(), ","));
  }
  for (const auto& within : change.within()) {
    absl::StrAppend(&text, " within {", TextOf(within), "}");
  }
  EXPECT_EQ(changed, text != "set {}");
  return changed ? text : "";
}

TEST(Diff, OfEqualBodiesIsNothing) {
  EXPECT_EQ(DiffOf("", ""), "");
  EXPECT_EQ(DiffOf(R"(latest: "x" sum: 3 add_wins: "a" by_key { key: "k" votes: 2 })",
                   R"(latest: "x" sum: 3 add_wins: "a" by_key { key: "k" votes: 2 })"),
            "");
}

TEST(Diff, OrderInASetAndAmongElementsIsNoChange) {
  EXPECT_EQ(DiffOf(R"(add_wins: "a" add_wins: "b" by_key { key: "1" } by_key { key: "2" })",
                   R"(add_wins: "b" add_wins: "a" by_key { key: "2" } by_key { key: "1" })"),
            "");
}

TEST(Diff, HasTheNewValuesOfFieldsThatChanged) {
  EXPECT_EQ(DiffOf(R"(latest: "x" ask: "q")", R"(latest: "y" ask: "q" pair { left: "l" })"),
            R"(set {latest: "y" pair { left: "l" }})");
  EXPECT_EQ(DiffOf(R"(ask: "q")", R"(ask: "r" first: "f" forward: OPENED)"),
            R"(set {ask: "r" first: "f" forward: OPENED} special 3,4,12)");
}

TEST(Diff, ClearsWhatIsThereNoMore) {
  EXPECT_EQ(DiffOf(R"(latest: "x" ask: "q" numbers: 1)", ""),
            "set {} without {cleared: 2 cleared: 3 cleared: 17} special 3");
}

TEST(Diff, OfAOneofIsTheNewMemberAlone) {
  EXPECT_EQ(DiffOf(R"(word: "w")", "number: 0"), "set {number: 0} special 15");
  EXPECT_EQ(DiffOf("number: 5", ""), "set {} without {cleared: 14} special 14");
}

TEST(Diff, OfASumIsWhatToAdd) {
  EXPECT_EQ(DiffOf("sum: 10 zigzag_sum: -4", "sum: 7 zigzag_sum: 1"),
            "set {sum: -3 zigzag_sum: 5} special 5,6");
  EXPECT_EQ(DiffOf("sum: 10", ""), "set {sum: -10} special 5");
  EXPECT_EQ(DiffOf("sum: 9223372036854775807", "sum: -9223372036854775808"),
            "set {sum: 1} special 5");
}

TEST(Diff, OfAMinimumThatFallsToZeroSaysSo) {
  Change change;
  ASSERT_TRUE(Diff(SamplerType(), Parsed("min: 5").SerializeAsString(), "", &change));
  EXPECT_EQ(absl::BytesToHexString(change.set()), "4000");
  EXPECT_FALSE(change.has_without());
}

TEST(Diff, OfASetIsWhatCameAndWhatWent) {
  EXPECT_EQ(DiffOf(R"(add_wins: "a" add_wins: "b")", R"(add_wins: "c" add_wins: "b")"),
            R"(set {add_wins: "c"} without {removed { field: 9 elements: "a" }} special 9)");
}

TEST(Diff, OfAnElementNamesItAndSaysWhatChangedInIt) {
  EXPECT_EQ(DiffOf(R"(by_key { key: "k" text: "t" votes: 1 tags: "x" parts { key: "p" } })",
                   R"(by_key { key: "k" votes: 4 parts { key: "p" text: "u" } })"),
            R"(set {by_key { key: "k" votes: 3 parts { key: "p" text: "u" } }} )"
            R"(without {nested { field: 10 key: "k" without )"
            R"({ cleared: 2 removed { field: 4 elements: "x" } } }} special 10 )"
            R"(within {field: 10 special: 3 special: 4 special: 5})");
}

TEST(Diff, SaysWhichElementsWereMadeAndWhichWent) {
  EXPECT_EQ(DiffOf(R"(by_key { key: "old" })", R"(by_key { key: "new" parts { key: "p" } })"),
            R"(set {by_key { key: "new" parts { key: "p" } }} )"
            R"(without {removed { field: 10 elements: "old" } )"
            R"(nested { field: 10 key: "new" created: true without )"
            R"({ nested { field: 5 key: "p" created: true } } }} special 10 )"
            R"(within {field: 10 special: 5})");
}

TEST(Diff, MarksWhatMustBeKnownAtEveryDepth) {
  EXPECT_EQ(DiffOf(R"(by_key { key: "k" parts { key: "p" } })",
                   R"(by_key { key: "k" parts { key: "p" votes: 2 } })"),
            R"(set {by_key { key: "k" parts { key: "p" votes: 2 } }} special 10 )"
            R"(within {field: 10 special: 5 within { field: 5 special: 3 }})");
  EXPECT_EQ(DiffOf(R"(by_key { key: "k" })", R"(by_key { key: "k" text: "t" })"),
            R"(set {by_key { key: "k" text: "t" }} special 10)");
}

TEST(Diff, MarksWhereARecordLies) {
  EXPECT_EQ(DiffOf("", R"(branch_id: "0123456789abcdef")"),
            R"(set {branch_id: "0123456789abcdef"} special 1)");
}

TEST(Diff, OfAMapIsByKey) {
  EXPECT_EQ(DiffOf(R"(map { key: "a" value: 1 } map { key: "b" value: 2 })",
                   R"(map { key: "a" value: 0 })"),
            R"(set {map { key: "a" value: 0 }} )"
            R"(without {removed { field: 11 elements: "b" }} special 11)");
}

TEST(Diff, KeepsFieldsThatItDoesNotKnow) {
  Sampler before;
  before.GetReflection()->MutableUnknownFields(&before)->AddVarint(900, 1);
  Sampler after;
  after.GetReflection()->MutableUnknownFields(&after)->AddVarint(900, 2);
  Change change;
  ASSERT_TRUE(Diff(SamplerType(), before.SerializeAsString(), after.SerializeAsString(), &change));
  EXPECT_EQ(change.set(), after.SerializeAsString());
  change.Clear();
  ASSERT_TRUE(Diff(SamplerType(), before.SerializeAsString(), "", &change));
  EXPECT_EQ(change.without().cleared(0), 900u);
  EXPECT_TRUE(change.special().empty());
}

// Each type of number that MAX and MIN are for has its own zero on the wire.
TEST(Diff, ZeroOfEveryTypeIsWrittenAsTheTypeIs) {
  google::protobuf::DescriptorPool pool(google::protobuf::DescriptorPool::generated_pool());
  google::protobuf::FileDescriptorProto file;
  file.set_name("zeros.proto"), file.set_syntax("proto3");
  file.add_dependency(zhibu::RecordOptions::descriptor()->file()->name());
  auto* message = file.add_message_type();
  message->set_name("Zeros");
  auto* record = message->mutable_options()->MutableExtension(zhibu::record);
  record->set_type(9100), record->set_own_scope(OWNER);
  using google::protobuf::FieldDescriptorProto;
  const std::vector<std::pair<FieldDescriptorProto::Type, std::string>> types = {
      {FieldDescriptorProto::TYPE_SINT64, "0800"},
      {FieldDescriptorProto::TYPE_STRING, "1200"},
      {FieldDescriptorProto::TYPE_FIXED64, "190000000000000000"},
      {FieldDescriptorProto::TYPE_SFIXED32, "2500000000"},
  };
  for (size_t i = 0; i < types.size(); ++i) {
    auto* field = message->add_field();
    field->set_name(absl::StrCat("f", i)), field->set_number(static_cast<int>(i) + 1);
    field->set_type(types[i].first), field->set_label(FieldDescriptorProto::LABEL_OPTIONAL);
    field->mutable_options()->SetExtension(zhibu::merge, MIN);
  }
  const auto schema = Schema::Compile({pool.BuildFile(file)});
  ASSERT_TRUE(schema.ok()) << schema.status();
  const RecordType& type = *(*schema)->Find(9100);
  const std::vector<std::string> ones = {"0802", "120161", "190100000000000000", "2501000000"};
  for (size_t i = 0; i < types.size(); ++i) {
    const std::string one = absl::HexStringToBytes(ones[i]);
    Change change;
    ASSERT_TRUE(Diff(type, one, "", &change));
    EXPECT_EQ(absl::BytesToHexString(change.set()), types[i].second);
    RecordState state;
    state.exists = true, state.touch.version = Version(1), state.body = one;
    Outcome outcome;
    ASSERT_TRUE(
        Apply(&type, change, {DeviceNumber(11), Version(2), Stamp(1)}, &state, &outcome).ok());
    EXPECT_EQ(state.body, "") << i;
    Change back;
    back.set_set(one);
    ASSERT_TRUE(
        Apply(&type, back, {DeviceNumber(11), Version(3), Stamp(2)}, &state, &outcome).ok());
    EXPECT_EQ(state.body, "") << i;
  }
}

TEST(Canonical, SortsFieldsSetsAndElements) {
  const std::string sorted =
      Parsed(R"(latest: "x" add_wins: "a" add_wins: "b" by_key { key: "1" tags: "s" tags: "t" })")
          .SerializeAsString();
  const std::string shuffled =
      Parsed(R"(add_wins: "b" add_wins: "a" add_wins: "a")").SerializeAsString() +
      Parsed(R"(by_key { key: "1" tags: "t" tags: "s" })").SerializeAsString() +
      Parsed(R"(latest: "x")").SerializeAsString();
  EXPECT_EQ(Canonical(SamplerType().fields, shuffled), sorted);
  EXPECT_EQ(Canonical(SamplerType().fields, sorted), sorted);
}

}  // namespace
}  // namespace zhibu
