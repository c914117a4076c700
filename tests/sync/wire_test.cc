#include "sync/wire/wire.h"

#include <gmock/gmock.h>

#include "absl/strings/str_cat.h"
#include "proto/policies.pb.h"
#include "sync/wire/slots.h"
#include "tests/sync/story.h"

namespace zhibu {
namespace {

using ::testing::ElementsAre;
using wire::Field;
using wire::Reader;

// "1:5 2:\"ab\" …", and " bad" where the reader gave up.
std::string TextOfWire(absl::string_view bytes) {
  std::string text;
  Reader reader(bytes);
  Field field;
  while (reader.Next(&field)) {
    absl::StrAppend(&text, text.empty() ? "" : " ", field.number, ":");
    if (field.type == wire::Type::kBytes) {
      absl::StrAppend(&text, "\"", field.payload, "\"");
    } else {
      absl::StrAppend(&text, field.scalar);
    }
  }
  return reader.ok() ? text : text + " bad";
}

std::string Sample() {
  std::string bytes;
  wire::AppendVarintField(1, 300, &bytes);
  wire::AppendFixed64Field(2, 1ull << 40, &bytes);
  wire::AppendBytesField(3, "abc", &bytes);
  wire::AppendFixed32Field(4, 7, &bytes);
  wire::AppendVarintField((1u << 29) - 1, ~0ull, &bytes);
  return bytes;
}

TEST(Wire, ReadsWhatItWrites) {
  EXPECT_EQ(TextOfWire(Sample()),
            R"(1:300 2:1099511627776 3:"abc" 4:7 536870911:18446744073709551615)");
}

TEST(Wire, ReadsWhatProtobufWrites) {
  testing::Sampler sampler;
  sampler.set_latest("x");
  sampler.set_sum(-1);
  sampler.set_zigzag_sum(-2);
  EXPECT_EQ(TextOfWire(sampler.SerializeAsString()), R"(2:"x" 5:18446744073709551615 6:3)");
  EXPECT_EQ(wire::UnZigZag(3), -2);
  EXPECT_EQ(wire::ZigZag(-2), 3u);
  EXPECT_EQ(wire::UnZigZag(wire::ZigZag(INT64_MIN)), INT64_MIN);
}

TEST(Wire, GivesEachFieldWithItsTag) {
  const std::string bytes = Sample();
  Reader reader(bytes);
  Field field;
  std::string whole;
  while (reader.Next(&field)) whole.append(field.whole.data(), field.whole.size());
  EXPECT_EQ(whole, bytes);
}

TEST(Wire, GivesUpOnAMessageCutAnywhereInsideAField) {
  const std::string bytes = Sample();
  std::vector<size_t> ends = {0};
  Reader reader(bytes);
  Field field;
  while (reader.Next(&field)) ends.push_back(ends.back() + field.whole.size());
  for (size_t length = 0; length <= bytes.size(); ++length) {
    Reader cut(absl::string_view(bytes).substr(0, length));
    while (cut.Next(&field)) continue;
    const bool between = std::find(ends.begin(), ends.end(), length) != ends.end();
    EXPECT_EQ(cut.ok(), between) << length;
    EXPECT_FALSE(cut.Next(&field)) << length;
  }
}

TEST(Wire, GivesUpOnTagsThatNoMessageHas) {
  EXPECT_EQ(TextOfWire(std::string("\x00\x01", 2)), " bad");        // field 0
  EXPECT_EQ(TextOfWire("\x0b\x0c"), " bad");                        // a group
  EXPECT_EQ(TextOfWire("\x0e\x01"), " bad");                        // type 6
  EXPECT_EQ(TextOfWire("\x0f\x01"), " bad");                        // type 7
  EXPECT_EQ(TextOfWire("\x80\x80\x80\x80\x10\x01"), " bad");        // field 2^29
  EXPECT_EQ(TextOfWire("\x88\x80\x80\x80\x80\x01\x01"), " bad");    // field 2^32 + 1
  EXPECT_EQ(TextOfWire(std::string(11, '\xff') + "\x01"), " bad");  // endless
  EXPECT_EQ(TextOfWire("\x08" + std::string(10, '\xff') + "\x01"), " bad");
}

TEST(Wire, GivesUpOnLengthsPastTheEnd) {
  EXPECT_EQ(TextOfWire("\x1a\x04"
                       "abc"),
            " bad");
  EXPECT_EQ(TextOfWire("\x1a\xff\xff\xff\xff\x07"
                       "abc"),
            " bad");  // 2 GiB - 1
  EXPECT_EQ(TextOfWire("\x1a\xff\xff\xff\xff\x0f"
                       "abc"),
            " bad");  // 4 GiB - 1
  EXPECT_EQ(TextOfWire("\x1a\x83\x80\x80\x80\x10"
                       "abc"),
            " bad");  // 4 GiB + 3 is not 3
  EXPECT_EQ(TextOfWire("\x1a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"
                       "abc"),
            " bad");
}

// --- Slots ---

std::vector<std::string> SlotsOf(absl::string_view bytes) {
  Slots slots;
  EXPECT_TRUE(slots.Parse(SamplerType().fields, bytes));
  std::vector<std::string> text;
  for (const auto& [slot, raw] : slots) {
    text.push_back(absl::StrCat(slot, " = ", TextOfWire(raw)));
  }
  return text;
}

TEST(Slots, GatherWhatLiesApartInTheOrderItStood) {
  std::string bytes;
  wire::AppendBytesField(9, "b", &bytes);
  wire::AppendBytesField(2, "x", &bytes);
  wire::AppendBytesField(9, "a", &bytes);
  wire::AppendBytesField(9, "c", &bytes);
  wire::AppendBytesField(2, "y", &bytes);
  EXPECT_THAT(SlotsOf(bytes), ElementsAre(R"(2 = 2:"x" 2:"y")", R"(9 = 9:"b" 9:"a" 9:"c")"));
}

TEST(Slots, KeepMembersOfAOneofTogether) {
  std::string bytes;
  wire::AppendVarintField(15, 3, &bytes);
  EXPECT_THAT(SlotsOf(bytes), ElementsAre("14 = 15:3"));
}

TEST(Slots, SetTakeAndJoin) {
  Slots slots;
  std::string two, five;
  wire::AppendBytesField(2, "x", &two);
  wire::AppendVarintField(5, 1, &five);
  EXPECT_TRUE(slots.empty());
  slots.Set(5, five);
  slots.Set(2, two);
  slots.Set(7, "");
  EXPECT_EQ(slots.Join(), two + five);
  slots.Set(5, "");
  EXPECT_EQ(slots.Join(), two);
  EXPECT_EQ(slots.Get(5), "");
  EXPECT_FALSE(Slots().Parse(SamplerType().fields, "\x12\x05x"));
}

// A message of a hundred thousand fields that take turns is read in no time: it
// comes from outside.
TEST(Slots, ReadFieldsThatTakeTurnsInTimeThatGrowsWithTheirNumber) {
  std::string bytes;
  for (int i = 0; i < 100000; ++i) wire::AppendVarintField(i % 2 == 0 ? 200 : 100, 1, &bytes);
  Slots slots;
  ASSERT_TRUE(slots.Parse(SamplerType().fields, bytes));
  EXPECT_EQ(slots.Join().size(), bytes.size());
}

TEST(Slots, OfElementsWithOneKeyTheLastStands) {
  testing::Sampler sampler;
  for (const char* text : {"first", "last"}) {
    auto* item = sampler.add_by_key();
    item->set_key("k"), item->set_text(text);
  }
  sampler.add_by_key()->set_key("a");
  const FieldRule& rule = *SamplerType().fields.Find(10);
  const std::string bytes = sampler.SerializeAsString();
  const auto elements = ElementsOf(rule, bytes);
  ASSERT_EQ(elements.size(), 2u);
  EXPECT_EQ(elements[0].key, "a");
  EXPECT_EQ(TextOfWire(elements[1].body), R"(1:"k" 2:"last")");
}

TEST(Slots, KeysOfNumbersSortAsTheNumbersDo) {
  const auto schema = CatalogueSchema();
  const FieldRule& agenda = *schema->FindByName("Meeting")->fields.Find(11);
  const auto key = [&](uint64_t number) {
    std::string element;
    wire::AppendVarintField(1, number, &element);
    return CanonicalKey(agenda, element);
  };
  EXPECT_LT(key(2), key(10));
  EXPECT_LT(key(255), key(256));
  EXPECT_EQ(key(0), CanonicalKey(agenda, ""));
}

}  // namespace
}  // namespace zhibu
