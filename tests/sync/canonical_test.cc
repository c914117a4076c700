// One spelling for each meaning: every field of every type, spelled otherwise.
#include "sync/wire/canonical.h"

#include <gmock/gmock.h>

#include <functional>
#include <random>

#include "sync/base/reason.h"
#include "sync/base/text.h"
#include "tests/support/one_reading.h"
#include "tests/sync/story.h"
#include "zhibu/records/v1/catalogue.pb.h"
#include "zhibu/sync/v1/sync.pb.h"

namespace zhibu {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using sync::v1::Change;

std::string Bytes(char c) { return std::string(16, c); }

// The catalogue and what only the tests declare: a type added tomorrow is among them.
const Schema& Everything() {
  static const auto schema =
      Schema::Compile({records::v1::Catalogue::descriptor()->file(), Sampler::descriptor()->file()})
          .value();
  return *schema;
}

std::string CheckedAs(const RecordType& type, absl::string_view bytes) {
  const absl::Status status = CheckCanonical(type.fields, bytes, type.name);
  return status.ok() ? "OK" : Reason_Name(ReasonOf(status).reason);
}

// ---- Every field of every type, at every depth -----------------------------------

std::string TagOf(uint32_t number, uint32_t type) {
  std::string tag;
  wire::AppendVarint((uint64_t{number} << 3) | type, &tag);
  return tag;
}

// The same number in one byte more.
std::string Overlong(std::string varint) {
  varint.back() = static_cast<char>(varint.back() | 0x80);
  return varint + std::string(1, '\0');
}

std::string Varint(uint64_t value) {
  std::string bytes;
  wire::AppendVarint(value, &bytes);
  return bytes;
}

std::string Raw(wire::Type type, absl::string_view payload) {
  switch (type) {
    case wire::Type::kVarint:
      return Varint(1);
    case wire::Type::kFixed64:
      return std::string("\1\0\0\0\0\0\0\0", 8);
    case wire::Type::kFixed32:
      return std::string("\1\0\0\0", 4);
    default:
      return Varint(payload.size()) + std::string(payload);
  }
}

std::string Good(const FieldDescriptor& field);

// The whole message with `piece` in place of `field`; a map's entry has key and value.
std::string MessageWith(const Descriptor& message, const FieldDescriptor& field,
                        const std::string& piece) {
  if (!message.options().map_entry()) return piece;
  std::string bytes;
  for (int i = 0; i < message.field_count(); ++i) {
    bytes += message.field(i) == &field ? piece : Good(*message.field(i));
  }
  return bytes;
}

// A value of the field as it must be spelled.
std::string Good(const FieldDescriptor& field) {
  const auto number = static_cast<uint32_t>(field.number());
  const wire::Type type = WireTypeOf(field);
  std::string payload = field.type() == FieldDescriptor::TYPE_BYTES ? Bytes('b') : "t";
  if (field.message_type() != nullptr) {
    const Descriptor& inner = *field.message_type();
    payload = MessageWith(inner, *inner.field(0), Good(*inner.field(0)));
  }
  if (field.is_packed()) {
    return TagOf(number, 2) + Raw(wire::Type::kBytes, Raw(type, ""));
  }
  return TagOf(number, static_cast<uint32_t>(type)) + Raw(type, payload);
}

// Spellings that say what Good says, or nothing, and are not it: with what is wrong.
std::vector<std::pair<std::string, std::string>> BadOf(const FieldDescriptor& field,
                                                       const FieldRule* rule) {
  const auto number = static_cast<uint32_t>(field.number());
  const std::string good = Good(field);
  const bool list = field.is_repeated() && !field.is_packed();
  const bool ordered =
      field.is_map() || (rule != nullptr && (rule->policy == ADD_WINS || rule->element != nullptr));
  const bool bytes = field.is_packed() || WireTypeOf(field) == wire::Type::kBytes;
  const uint32_t declared = bytes ? 2 : static_cast<uint32_t>(WireTypeOf(field));
  const std::string value = good.substr(TagOf(number, 0).size());
  std::vector<std::pair<std::string, std::string>> bad;
  if (!list || ordered) bad.emplace_back("twice", good + good);
  for (const uint32_t type : {0u, 1u, 2u, 5u}) {
    if (type == declared) continue;
    const std::string other = TagOf(number, type) + Raw(static_cast<wire::Type>(type), "x");
    bad.emplace_back("wire type", other);
    bad.emplace_back("wire type before", other + good);
    bad.emplace_back("wire type after", good + other);
  }
  bad.emplace_back("a group", TagOf(number, 3) + TagOf(number, 4));
  bad.emplace_back("overlong tag", Overlong(TagOf(number, declared)) + value);
  if (!field.containing_type()->options().map_entry()) {  // of a key, its value is cut off
    bad.emplace_back("cut off", good.substr(0, good.size() - 1));
  }
  const std::string unknown = TagOf(400'000, 0) + Varint(1);
  bad.emplace_back("out of order", unknown + good);
  bad.emplace_back("overlong tag of an unknown", good + Overlong(TagOf(400'000, 0)) + Varint(1));
  bad.emplace_back("overlong unknown", good + TagOf(400'000, 0) + Overlong(Varint(1)));
  if (bytes) {
    const std::string payload = value.substr(Varint(value.size()).size());
    bad.emplace_back("overlong length",
                     TagOf(number, 2) + Overlong(Varint(payload.size())) + payload);
  } else if (declared == 0) {
    bad.emplace_back("overlong number", TagOf(number, 0) + Overlong(Varint(1)));
    bad.emplace_back("bits beyond the last",
                     TagOf(number, 0) + std::string(9, '\xff') + std::string(1, '\x7f'));
  }
  const bool narrow = NumberAs(field, uint64_t{1} << 40) != uint64_t{1} << 40;
  if (declared == 0 && narrow) {
    bad.emplace_back("beyond its type", TagOf(number, 0) + Varint((uint64_t{1} << 40) + 1));
  }
  if (field.is_packed()) {
    bad.emplace_back("empty", TagOf(number, 2) + Varint(0));
    if (WireTypeOf(field) == wire::Type::kVarint) {
      bad.emplace_back("overlong in pack", TagOf(number, 2) + Varint(2) + Overlong(Varint(1)));
    }
  }
  const bool entry = field.containing_type()->options().map_entry();
  const bool zero = rule != nullptr && (rule->policy == MAX || rule->policy == MIN);
  if (!field.is_repeated() && !field.has_presence() && !entry && !zero) {
    const std::string nothing = declared == 0   ? Varint(0)
                                : declared == 2 ? Varint(0)
                                                : std::string(declared == 1 ? 8 : 4, '\0');
    bad.emplace_back("a default written out", TagOf(number, declared) + nothing);
  }
  return bad;
}

using Wrap = std::function<std::string(const std::string& inner)>;

void Spell(const RecordType& type, const Descriptor& message, const Fields* fields,
           const Wrap& wrap, int depth, int* spelled) {
  for (int i = 0; i < message.field_count(); ++i) {
    const FieldDescriptor& field = *message.field(i);
    const FieldRule* rule =
        fields == nullptr ? nullptr : fields->Find(static_cast<uint32_t>(field.number()));
    const std::string good = wrap(MessageWith(message, field, Good(field)));
    EXPECT_EQ(CheckedAs(type, good), "OK") << field.full_name();
    EXPECT_EQ(Canonical(type.fields, good), good) << field.full_name();
    for (const auto& [how, bad] : BadOf(field, rule)) {
      const std::string bytes = wrap(MessageWith(message, field, bad));
      EXPECT_EQ(CheckedAs(type, bytes), "MALFORMED") << field.full_name() << ": " << how;
      const std::string mended = Canonical(type.fields, bytes);
      if (how != "a group" && how != "cut off") {
        EXPECT_NE(CheckedAs(type, mended), "MALFORMED") << field.full_name() << ": " << how;
      }
      ++*spelled;
    }
    if (field.message_type() == nullptr || depth == 0) continue;
    Spell(
        type, *field.message_type(), rule == nullptr ? nullptr : rule->element,
        [&](const std::string& inner) {
          std::string outer = TagOf(static_cast<uint32_t>(field.number()), 2);
          outer += Raw(wire::Type::kBytes, inner);
          return wrap(MessageWith(message, field, outer));
        },
        depth - 1, spelled);
  }
}

TEST(Canonical, EveryFieldOfEveryTypeHasOneSpelling) {
  for (const RecordType& type : Everything().types()) {
    int spelled = 0;
    Spell(
        type, *type.descriptor, &type.fields, [](const std::string& bytes) { return bytes; }, 3,
        &spelled);
    EXPECT_GT(spelled, 0) << type.name;
  }
}

TEST(Canonical, MembersOfAOneofAreOneValueAndStandOnce) {
  const std::string word = TagOf(14, 2) + Raw(wire::Type::kBytes, "w");
  const std::string number = TagOf(15, 0) + Varint(1);
  EXPECT_EQ(CheckedAs(SamplerType(), word), "OK");
  EXPECT_EQ(CheckedAs(SamplerType(), number), "OK");
  EXPECT_EQ(CheckedAs(SamplerType(), word + number), "MALFORMED");
  EXPECT_EQ(Canonical(SamplerType().fields, word + number), number);
}

TEST(Canonical, SetsAndKeyedElementsStandInOrder) {
  Sampler sampler;
  sampler.add_add_wins("b"), sampler.add_add_wins("a");
  EXPECT_EQ(CheckedAs(SamplerType(), sampler.SerializeAsString()), "MALFORMED");
  sampler.Clear();
  sampler.add_by_key()->set_key("b"), sampler.add_by_key()->set_key("a");
  EXPECT_EQ(CheckedAs(SamplerType(), sampler.SerializeAsString()), "MALFORMED");
  sampler.Clear();
  sampler.add_by_key()->set_key("a"), sampler.add_by_key()->set_key("b");
  sampler.mutable_by_key(1)->add_tags("y"), sampler.mutable_by_key(1)->add_tags("z");
  EXPECT_EQ(CheckedAs(SamplerType(), sampler.SerializeAsString()), "OK");
  sampler.mutable_by_key(1)->add_tags("x");
  EXPECT_EQ(CheckedAs(SamplerType(), sampler.SerializeAsString()), "MALFORMED");
}

TEST(Canonical, WhatANewerAppWritesIsKeptAsItIs) {
  std::string bytes = TagOf(2, 2) + Raw(wire::Type::kBytes, "x");
  const std::string known = bytes;
  bytes += TagOf(4000, 0) + Varint(7) + TagOf(4000, 0) + Varint(7);
  bytes += TagOf(4001, 2) + Raw(wire::Type::kBytes, "\xff\x00 anything");
  EXPECT_EQ(CheckedAs(SamplerType(), bytes), "OK");
  EXPECT_EQ(Canonical(SamplerType().fields, bytes), bytes);
  // An app that does not know a field writes it last, in messages that are one value too.
  Sampler::Pair pair;
  pair.set_left("l");
  const std::string newer = TagOf(2, 2) + Raw(wire::Type::kBytes, "r");
  Sampler sampler;
  sampler.mutable_pair()->set_right("r");
  const std::string apart =
      TagOf(16, 2) + Raw(wire::Type::kBytes, newer + pair.SerializeAsString());
  EXPECT_EQ(CheckedAs(SamplerType(), Canonical(SamplerType().fields, apart)), "OK");
}

TEST(Canonical, AMapsEntryIsKeyAndValueAndNothingElse) {
  const auto entry = [](const std::string& bytes) {
    return CheckedAs(SamplerType(), TagOf(11, 2) + Raw(wire::Type::kBytes, bytes));
  };
  const std::string key = TagOf(1, 2) + Raw(wire::Type::kBytes, "k");
  const std::string value = TagOf(2, 0) + Varint(0);
  EXPECT_EQ(entry(key + value), "OK");
  EXPECT_EQ(entry(key), "MALFORMED");
  EXPECT_EQ(entry(value), "MALFORMED");
  EXPECT_EQ(entry(key + value + TagOf(3, 0) + Varint(1)), "MALFORMED");
}

TEST(Canonical, AMinimumOfZeroIsSaidAndASumOfZeroIsNot) {
  EXPECT_EQ(CheckedAs(SamplerType(), TagOf(8, 0) + Varint(0)), "OK");
  EXPECT_EQ(CheckedAs(SamplerType(), TagOf(5, 0) + Varint(0)), "MALFORMED");
}

TEST(Canonical, AnyMessageIsCheckedByItsDescriptor) {
  sync::v1::Hello hello;
  hello.set_app("zhibu");
  const std::string bytes = hello.SerializeAsString();
  const auto check = [](const std::string& form) {
    return CheckCanonicalMessage(*sync::v1::Hello::descriptor(), form).ok();
  };
  EXPECT_TRUE(check(bytes));
  EXPECT_TRUE(check(bytes + TagOf(4000, 0) + Varint(1)));
  EXPECT_FALSE(check(bytes + bytes));
  EXPECT_FALSE(check(TagOf(4000, 0) + Varint(1) + bytes));
  EXPECT_FALSE(check(bytes.substr(1)));
}

// ---- Values ------------------------------------------------------------------------

std::string Judged(const google::protobuf::Message& message) {
  const RecordType& type = *Everything().Find(message.GetDescriptor());
  const absl::Status status =
      CheckCanonical(type.fields, message.SerializePartialAsString(), type.name);
  if (status.ok()) return "OK";
  return absl::StrCat(Reason_Name(ReasonOf(status).reason), " ", ReasonOf(status).detail);
}

// A name that fills a frame would be copied into every log that quotes it.
TEST(Values, ANameIsNoBook) {
  records::v1::Member member;
  member.set_name(std::string(1'000'000, 'x'));
  EXPECT_EQ(Judged(member), "TOO_LARGE name: 1000000 B > 200 B");
  records::v1::Meeting meeting;
  meeting.add_agenda()->set_topic(std::string(601, 'x'));
  EXPECT_EQ(Judged(meeting), "TOO_LARGE agenda.topic: 601 B > 600 B");
}

TEST(Values, ATimeLiesInTheYearsThatHaveAName) {
  records::v1::Contact contact;
  contact.mutable_at()->set_seconds(253'402'300'799);
  contact.mutable_at()->set_nanos(999'999'999);
  EXPECT_EQ(Judged(contact), "OK");
  contact.mutable_at()->set_seconds(-62'135'596'800);
  EXPECT_EQ(Judged(contact), "OK");
  for (const int64_t seconds :
       {int64_t{253'402'300'800}, int64_t{-62'135'596'801}, int64_t{1'000'000'000'000'000}}) {
    contact.mutable_at()->set_seconds(seconds);
    EXPECT_THAT(Judged(contact), ::testing::StartsWith("BAD_VALUE at: ")) << seconds;
  }
  contact.mutable_at()->set_seconds(0);
  for (const int32_t nanos : {-1, 1'000'000'000}) {
    contact.mutable_at()->set_nanos(nanos);
    EXPECT_THAT(Judged(contact), ::testing::StartsWith("BAD_VALUE at: ")) << nanos;
  }
}

TEST(Values, AStateThatNobodyHasDeclaredIsNone) {
  records::v1::Meeting meeting;
  meeting.set_state(static_cast<records::v1::Meeting::State>(99));
  EXPECT_EQ(Judged(meeting), "BAD_VALUE state: 99");
  meeting.clear_state();
  meeting.set_kind(static_cast<records::v1::Meeting::Kind>(99));  // of a newer app
  EXPECT_EQ(Judged(meeting), "OK");
}

TEST(Values, TextCommandsNoTerminalAndTurnsNoLine) {
  for (const absl::string_view hidden :
       {absl::string_view("\0", 1), absl::string_view("\x1b[2J"), absl::string_view("\x07"),
        absl::string_view("a\rb"), absl::string_view("\x7f"), absl::string_view("\xc2\x9b"),
        absl::string_view("\u202e"), absl::string_view("\u2066"), absl::string_view("\u200f"),
        absl::string_view("\u200b"), absl::string_view("\u2060"), absl::string_view("\ufeff"),
        absl::string_view("\u00ad"), absl::string_view("\u2028"), absl::string_view("\u061c")}) {
    records::v1::Meeting meeting;
    meeting.set_minutes(absl::StrCat("前", hidden, "后"));
    EXPECT_THAT(Judged(meeting), ::testing::StartsWith("BAD_VALUE minutes: U+")) << hidden;
  }
  records::v1::Meeting meeting;
  meeting.set_minutes("一、议题\n\t二、决议 – Ünïcödé 😀");
  EXPECT_EQ(Judged(meeting), "OK");
}

TEST(Values, TextThatIsNotUtf8NamesItsField) {
  const RecordType& meeting = *Everything().FindByName("Meeting");
  for (const char* bad : {"\xff", "\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe4\xb8"}) {
    const absl::Status status =
        CheckCanonical(meeting.fields, TagOf(3, 2) + Raw(wire::Type::kBytes, bad), meeting.name);
    EXPECT_EQ(ReasonOf(status).reason, sync::v1::INVALID_TEXT);
    EXPECT_EQ(ReasonOf(status).detail, "topic");
  }
}

// Every text and every id that a phone writes has an end, and what is a line is one line.
TEST(Values, OfEveryTypeAreAsLongAsTheyMayBe) {
  int lines = 0;
  for (const RecordType& type : Everything().types()) {
    for (const FieldRule& rule : type.fields.rules()) {
      const bool text = rule.descriptor->type() == FieldDescriptor::TYPE_STRING;
      if (!text && rule.descriptor->type() != FieldDescriptor::TYPE_BYTES) continue;
      const auto said = [&](const std::string& value) {
        std::string bytes;
        wire::AppendBytesField(rule.number, value, &bytes);
        return CheckedAs(type, bytes);
      };
      const bool server = rule.policy == SERVER;
      EXPECT_GT(rule.bytes_max, 0u) << rule.descriptor->full_name();
      EXPECT_LE(rule.bytes_max, kEditBytesMax) << rule.descriptor->full_name();
      EXPECT_EQ(said(std::string(rule.bytes_max, 'x')), "OK") << rule.descriptor->full_name();
      EXPECT_EQ(said(std::string(rule.bytes_max + 1, 'x')), server ? "OK" : "TOO_LARGE")
          << rule.descriptor->full_name();
      if (!text || server || rule.bytes_max > kLineBytesMax) continue;
      EXPECT_EQ(said("a\nb"), "BAD_VALUE") << rule.descriptor->full_name();
      EXPECT_EQ(said("a\tb"), "BAD_VALUE") << rule.descriptor->full_name();
      ++lines;
    }
  }
  EXPECT_GT(lines, 20);
}

// Of money of every kind there is an end, below zero as well: what is added up stays a sum.
TEST(Values, AnAmountIsNoFortune) {
  records::v1::DuesPayment payment;
  for (const int64_t fen : {int64_t{-1'000'000'000}, int64_t{-1}, int64_t{1'000'000'000}}) {
    payment.set_amount_fen(fen);
    EXPECT_EQ(Judged(payment), "OK") << fen;
  }
  for (const int64_t fen : {int64_t{1'000'000'001}, int64_t{-1'000'000'001},
                            int64_t{-1'000'000'000'000'000}, INT64_MAX, INT64_MIN}) {
    payment.set_amount_fen(fen);
    EXPECT_EQ(Judged(payment), "BAD_VALUE amount_fen: -1000000000 … 1000000000") << fen;
  }
}

TEST(Values, EveryLargeNumberThatAPhoneWritesHasABound) {
  int bounded = 0;
  const auto look = [&](const Fields& fields, const auto& again) -> void {
    for (const FieldRule& rule : fields.rules()) {
      if (rule.element != nullptr) again(*rule.element, again);
      const auto type = rule.descriptor->cpp_type();
      const bool large =
          type == FieldDescriptor::CPPTYPE_INT64 || type == FieldDescriptor::CPPTYPE_UINT64;
      if (!large || rule.policy == SERVER) continue;
      EXPECT_GT(rule.number_max, 0) << rule.descriptor->full_name();
      ++bounded;
    }
  };
  for (const RecordType& type : CatalogueSchema()->types()) look(type.fields, look);
  EXPECT_GT(bounded, 0);
}

// ---- What this build does not know -----------------------------------------------------

// Of every message in every type, at every depth: `wrap` puts it where it stands.
void ForEachDepth(const Descriptor& message, int depth,
                  const std::function<std::string(std::string)>& wrap,
                  const std::function<void(const std::function<std::string(std::string)>&,
                                           const std::string&)>& visit) {
  if (message.options().map_entry()) return;
  visit(wrap, std::string(message.full_name()));
  for (int i = 0; depth > 0 && i < message.field_count(); ++i) {
    const FieldDescriptor& field = *message.field(i);
    if (field.message_type() == nullptr) continue;
    ForEachDepth(
        *field.message_type(), depth - 1,
        [&](std::string inner) {
          return wrap(TagOf(static_cast<uint32_t>(field.number()), 2) +
                      Raw(wire::Type::kBytes, inner));
        },
        visit);
  }
}

// 900 KB stood in a payment for ever, where nobody could see them.
TEST(Unknown, OfEveryTypeThereIsAnEndAtEveryDepth) {
  int asked = 0;
  for (const RecordType& type : Everything().types()) {
    if (type.made_by_server) continue;
    const auto check = [&](const std::string& set) {
      Change change;
      change.set_type(type.number);
      change.set_id(Bytes('x'));
      change.set_kind(Change::CREATE);
      change.set_set(set);
      const absl::Status status = CheckChange(Everything(), change);
      return status.ok() ? "OK" : Reason_Name(ReasonOf(status).reason);
    };
    ForEachDepth(
        *type.descriptor, 2, [](std::string bytes) { return bytes; },
        [&](const auto& wrap, const std::string& where) {
          const std::string tag = TagOf(400'000, 2);
          const std::string most =
              tag + Raw(wire::Type::kBytes, std::string(kUnknownBytesMax - tag.size() - 2, 'x'));
          ASSERT_EQ(most.size(), kUnknownBytesMax);
          EXPECT_EQ(UnknownBytes(type.fields, wrap(most)), kUnknownBytesMax) << where;
          EXPECT_EQ(check(wrap(most)), "OK") << where;
          EXPECT_EQ(check(wrap(most + TagOf(400'001, 0) + Varint(1))), "TOO_LARGE") << where;
          EXPECT_EQ(check(wrap(tag + Raw(wire::Type::kBytes, std::string(900'000, 'x')))),
                    "TOO_LARGE")
              << where;
          ++asked;
        });
  }
  EXPECT_GT(asked, 20);
}

TEST(Unknown, WhatWasThereBeforeRefusesNobodysChange) {
  const RecordType& type = *Everything().FindByName("Meeting");
  const auto with = [](size_t bytes) {
    return TagOf(400'000, 2) + Raw(wire::Type::kBytes, std::string(bytes, 'x'));
  };
  EXPECT_EQ(CheckUnknown(type, with(900'000), with(900'000)), absl::OkStatus());
  EXPECT_EQ(CheckUnknown(type, with(900'000), with(20'000)), absl::OkStatus());
  EXPECT_EQ(CheckUnknown(type, with(100), with(16'000)), absl::OkStatus());
  const absl::Status more = CheckUnknown(type, with(900'000), with(900'001));
  EXPECT_EQ(ReasonOf(more).reason, sync::v1::TOO_LARGE);
  EXPECT_EQ(ReasonOf(more).detail, "会议 Meeting.?: 900008 B > 16384 B");
  records::v1::Meeting long_one;
  long_one.set_minutes(std::string(900'000, 'x'));
  EXPECT_EQ(UnknownBytes(type.fields, long_one.SerializeAsString()), 0u);
}

// ---- One reading ---------------------------------------------------------------------

void Grow(std::mt19937* dice, google::protobuf::Message* message, int depth) {
  const Descriptor& descriptor = *message->GetDescriptor();
  const auto& reflection = *message->GetReflection();
  for (int i = 0; i < descriptor.field_count(); ++i) {
    const FieldDescriptor& field = *descriptor.field(i);
    if ((*dice)() % 3 == 0) continue;
    std::string piece = Good(field);
    google::protobuf::Message* inner = nullptr;
    if (field.message_type() != nullptr && !field.is_map() && depth > 0) {
      inner = field.is_repeated() ? reflection.AddMessage(message, &field)
                                  : reflection.MutableMessage(message, &field);
    }
    if (inner != nullptr) {
      Grow(dice, inner, depth - 1);
    } else {
      message->MergePartialFromCodedStream(
          std::make_unique<google::protobuf::io::CodedInputStream>(
              reinterpret_cast<const uint8_t*>(piece.data()), static_cast<int>(piece.size()))
              .get());
    }
  }
}

void Spoil(std::mt19937* dice, std::string* bytes) {
  const size_t at = bytes->empty() ? 0 : (*dice)() % bytes->size();
  switch ((*dice)() % 4) {
    case 0:
      bytes->insert(at, 1, static_cast<char>((*dice)()));
      return;
    case 1:
      bytes->erase(at, 1 + (*dice)() % 4);
      return;
    case 2:
      if (!bytes->empty()) (*bytes)[at] = static_cast<char>((*bytes)[at] ^ (1 << ((*dice)() % 8)));
      return;
    default:
      *bytes += bytes->substr(at);
  }
}

TEST(OneReading, OfHonestChangesAndOfWhateverIsMadeOfThem) {
  std::mt19937 dice(20261126);
  int taken = 0;
  for (const RecordType& type : Everything().types()) {
    for (int i = 0; i < 400; ++i) {
      const std::unique_ptr<google::protobuf::Message> message(
          google::protobuf::MessageFactory::generated_factory()
              ->GetPrototype(type.descriptor)
              ->New());
      Grow(&dice, message.get(), 2);
      Change change;
      change.set_type(type.number);
      change.set_id(Bytes('x'));
      change.set_kind(Change::CREATE);
      change.set_set(Canonical(type.fields, message->SerializePartialAsString()));
      EXPECT_TRUE(test::ExpectOneReading(Everything(), change))
          << type.name << ": " << CheckChange(Everything(), change);
      for (int n = 0; n < 20; ++n) {
        Change spoilt = change;
        for (auto times = 1 + dice() % 2; times > 0; --times) Spoil(&dice, spoilt.mutable_set());
        taken += test::ExpectOneReading(Everything(), spoilt) ? 1 : 0;
      }
    }
  }
  EXPECT_GT(taken, 100);
}

// What a database of today holds may be spelled in any way: everybody reads the same.
TEST(OneReading, OfWhatWasStoredBeforeAnybodyAsked) {
  records::v1::Pass pass;
  pass.set_member_id(Bytes('w'));
  pass.set_branch_id(Bytes('b'));
  const RecordType& type = *Everything().FindByName("Pass");
  std::string stored = TagOf(2, 2) + Raw(wire::Type::kBytes, Bytes('z'));
  stored += pass.SerializeAsString();
  stored += TagOf(6, 0) + Varint(2) + TagOf(6, 5) + Raw(wire::Type::kFixed32, "");
  records::v1::Pass typed;
  ASSERT_TRUE(typed.ParseFromString(stored));
  EXPECT_EQ(typed.member_id(), Bytes('w'));
  EXPECT_EQ(typed.state(), records::v1::Pass::REVOKED);
  EXPECT_EQ(EnumOf(*type.fields.Find(6), stored), records::v1::Pass::REVOKED);
  const Id id = *Id::FromBytes(Bytes('x'));
  EXPECT_EQ(PlacesOf(type, id, stored), PlacesOf(type, id, Canonical(type.fields, stored)));
  // It does not poison what is written later: who changes another field writes that alone.
  typed.set_number("7");
  Change change;
  ASSERT_TRUE(Diff(type, stored, Canonical(type.fields, typed.SerializeAsString()), &change));
  pass.Clear();
  pass.set_number("7");
  EXPECT_EQ(change.set(), pass.SerializeAsString());
  // And who writes once more what stands writes nothing new.
  RecordState state;
  state.exists = true, state.body = stored;
  change.Clear();
  pass.Clear();
  pass.set_member_id(Bytes('w'));
  change.set_set(pass.SerializeAsString());
  Outcome outcome;
  EXPECT_EQ(Apply(&type, change, {DeviceNumber(11), Version(2), Stamp(1)}, &state, &outcome),
            absl::OkStatus());
}

}  // namespace
}  // namespace zhibu
