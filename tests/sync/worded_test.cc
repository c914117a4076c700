// What people read of records and refusals: every type and every field of the catalogue, in both
// languages, whatever is added to it tomorrow.
#include "sync/wire/worded.h"

#include <gmock/gmock.h>
#include <google/protobuf/timestamp.pb.h>

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "sync/schema/schema.h"
#include "sync/wire/shown.h"
#include "sync/wire/why.h"
#include "tests/sync/story.h"
#include "zhibu/records/v1/catalogue.pb.h"

namespace zhibu {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::MessageFactory;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

const Id kId = *Id::FromBytes("\xfb\xff 4567890abcdef");
constexpr int64_t kFen = 1850;
constexpr int64_t kSecond = 1'795'000'000;  // 2026-11-18 11:06:40 by London's clock

Wording WordingIn(Language language) {
  return {language, [=](const FieldDescriptor&, const Id&) {
            return std::string(language == Language::kChinese ? "周枫林" : "Zhou");
          }};
}

// ---- Every type ------------------------------------------------------------------

// Says something in every field; of an enum the value at `turn`, round and round.
class Filler {
 public:
  Filler(Language language, int turn) : language_(language), turn_(turn) {}

  void Fill(Message* message, int depth = 0) const {
    const Descriptor& type = *message->GetDescriptor();
    for (int i = 0; i < type.field_count(); ++i) {
      const FieldDescriptor& field = *type.field(i);
      if (field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE && depth > 3) continue;
      FillField(field, depth, message);
    }
  }

 private:
  void FillField(const FieldDescriptor& field, int depth, Message* message) const {
    const auto& r = *message->GetReflection();
    const bool many = field.is_repeated();
    switch (field.cpp_type()) {
      case FieldDescriptor::CPPTYPE_STRING:
        many ? r.AddString(message, &field, TextOf(field))
             : r.SetString(message, &field, TextOf(field));
        return;
      case FieldDescriptor::CPPTYPE_ENUM: {
        const auto* value = field.enum_type()->value(turn_ % field.enum_type()->value_count());
        many ? r.AddEnum(message, &field, value) : r.SetEnum(message, &field, value);
        return;
      }
      case FieldDescriptor::CPPTYPE_MESSAGE: {
        Message* inner = many ? r.AddMessage(message, &field) : r.MutableMessage(message, &field);
        if (auto* at = dynamic_cast<google::protobuf::Timestamp*>(inner)) {
          at->set_seconds(kSecond);
        } else {
          Fill(inner, depth + 1);
        }
        return;
      }
      case FieldDescriptor::CPPTYPE_BOOL:
        return r.SetBool(message, &field, true);
      case FieldDescriptor::CPPTYPE_INT64:
        return r.SetInt64(message, &field, absl::EndsWith(field.name(), "_fen") ? kFen : 7);
      case FieldDescriptor::CPPTYPE_UINT64:
        return many ? r.AddUInt64(message, &field, 7) : r.SetUInt64(message, &field, 7);
      case FieldDescriptor::CPPTYPE_UINT32: {
        const uint32_t number = field.options().GetExtension(zhibu::means) == REASON ? 8
                                : absl::EndsWith(field.name(), "_type") ? 31  // Meeting
                                                                        : 50;
        return many ? r.AddUInt32(message, &field, number) : r.SetUInt32(message, &field, number);
      }
      default:
        FAIL() << field.full_name() << " is of a kind that people are not shown in words yet";
    }
  }

  std::string TextOf(const FieldDescriptor& field) const {
    const std::string text = language_ == Language::kChinese ? "礼堂" : "hall";
    if (field.type() == FieldDescriptor::TYPE_BYTES) {
      return BytesMaxOf(field) == Id::kSize ? kId.str() : std::string(32, 'x');
    }
    switch (field.options().GetExtension(zhibu::means)) {
      case FIELD:
      case DETAIL:
        return "place";
      case VALUE:
        return absl::StrCat("\"", text, "\"");
      default:
        return text;
    }
  }

  const Language language_;
  const int turn_;
};

std::string Shown(const RecordType& type, Language language, int turn) {
  const std::unique_ptr<Message> message(
      MessageFactory::generated_factory()->GetPrototype(type.descriptor)->New());
  Filler(language, turn).Fill(message.get());
  return Lines(*message, WordingIn(language));
}

bool IsLatin(char c) { return absl::ascii_isalpha(static_cast<unsigned char>(c)); }
// Of a Chinese character or mark the first byte, in UTF-8.
bool IsChinese(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte >= 0xe3 && byte < 0xf0;
}

template <typename Is>
std::string LinesWith(const std::string& text, Is is) {
  std::string found;
  for (const absl::string_view line : absl::StrSplit(text, '\n')) {
    if (std::any_of(line.begin(), line.end(), is)) absl::StrAppend(&found, line, "\n");
  }
  return found;
}

constexpr int kTurns = 24;  // more than any enum has values

TEST(EveryType, IsShownInChineseWithoutALetterOutOfAProtoAndInEnglishWithoutACharacter) {
  ASSERT_GT(CatalogueSchema()->types().size(), 80u);
  for (const RecordType& type : CatalogueSchema()->types()) {
    for (int turn = 0; turn < kTurns; ++turn) {
      EXPECT_EQ(LinesWith(Shown(type, Language::kChinese, turn), &IsLatin), "") << type.name;
      EXPECT_EQ(LinesWith(Shown(type, Language::kEnglish, turn), &IsChinese), "") << type.name;
    }
  }
}

TEST(EveryType, ShowsMoneyInYuanTimesInChinaAndNoIdAndNoNumberOfAType) {
  for (const RecordType& type : CatalogueSchema()->types()) {
    const std::string shown = Shown(type, Language::kChinese, 1);
    const std::string debug = type.descriptor->DebugString();
    if (absl::StrContains(debug, "_fen =")) {
      EXPECT_THAT(shown, HasSubstr("18.50 元")) << type.name;
    }
    if (absl::StrContains(debug, ".Timestamp")) {
      EXPECT_THAT(shown, HasSubstr("2026-11-18 19:06:40")) << type.name;
    }
    EXPECT_THAT(shown, AllOf(Not(HasSubstr(TextOf(kId))), Not(HasSubstr("11:06:40")),
                             Not(HasSubstr(absl::StrCat(kFen)))))
        << type.name;
    for (int i = 0; i < type.descriptor->field_count(); ++i) {
      const FieldDescriptor& field = *type.descriptor->field(i);
      if (field.cpp_type() != FieldDescriptor::CPPTYPE_UINT32) continue;
      if (!absl::EndsWith(field.name(), "_type")) continue;
      EXPECT_THAT(shown, HasSubstr(WordsOf(field, Language::kChinese) + ": 会议\n")) << type.name;
    }
  }
}

TEST(EveryField, ThatIsRefusedIsNamedInTheLanguageAskedFor) {
  for (const RecordType& type : CatalogueSchema()->types()) {
    for (int i = 0; i < type.descriptor->field_count(); ++i) {
      const std::string name(type.descriptor->field(i)->name());
      for (const std::string& detail :
           {name, name + ": 2026-01-31", name + ": 16 bytes", absl::StrCat(type.name, ".", name)}) {
        EXPECT_EQ(LinesWith(DetailInWords(detail, type.descriptor, Language::kChinese), &IsLatin),
                  "");
        EXPECT_EQ(LinesWith(DetailInWords(detail, nullptr, Language::kChinese), &IsLatin), "");
        EXPECT_EQ(LinesWith(DetailInWords(detail, type.descriptor, Language::kEnglish), &IsChinese),
                  "");
      }
    }
  }
}

// ---- One record ------------------------------------------------------------------

TEST(Lines, CallWhoeverIsNamedByNameAndWhomNobodyKnowsByNoId) {
  records::v1::Meeting meeting;
  meeting.set_chair_id(kId.str());
  meeting.add_present(kId.str());
  meeting.add_present(kId.str());
  EXPECT_EQ(Lines(meeting, WordingIn(Language::kChinese)),
            "  主持人: 周枫林\n  到会人员: 周枫林、周枫林\n");
  EXPECT_EQ(Lines(meeting, {Language::kEnglish, nullptr}),
            "  chair: (name not known)\n  present: (name not known), (name not known)\n");
}

TEST(Lines, OfAConflictSayTheFieldAndBothValuesInWords) {
  records::v1::ConflictNote note;
  note.set_record_type(31);
  note.set_field("agenda[2].speaker_id");
  note.set_kept(absl::StrCat("\"", TextOf(kId), "\""));
  note.set_lost("\"\"");
  EXPECT_THAT(Lines(note, WordingIn(Language::kChinese)),
              AllOf(HasSubstr("记录类型: 会议\n"), HasSubstr("字段: 议程（2）的汇报人\n"),
                    HasSubstr("保留的值: 周枫林\n")));
  note.set_field("state");
  note.set_kept("\"HELD\"");
  note.set_lost("\"CANCELLED\"");
  EXPECT_THAT(Lines(note, WordingIn(Language::kChinese)),
              AllOf(HasSubstr("保留的值: 已召开\n"), HasSubstr("另一个值: 已取消\n")));
  note.set_field("starts_at");
  note.set_kept("\"2026-07-01T01:00:00Z\"");
  EXPECT_THAT(Lines(note, WordingIn(Language::kEnglish)), HasSubstr("kept: 2026-07-01 09:00\n"));
  note.set_field("of_a_newer_version");
  EXPECT_THAT(Lines(note, WordingIn(Language::kChinese)), HasSubstr("of_a_newer_version"));
}

TEST(Lines, OfAHeldEditSayWhyWithItsDetailInIt) {
  records::v1::HeldEdit held;
  held.set_reason(sync::v1::MISSING_FIELD);
  held.set_detail("starts_at");
  EXPECT_EQ(Lines(held, WordingIn(Language::kChinese)),
            "  原因: 必填项为空：时间。请补充后重新提交。\n");
}

TEST(Lines, GiveTheWordsOfACodeAndTheCodeWhereThereAreNone) {
  records::v1::Member member;
  member.set_ethnic_group("15");
  EXPECT_EQ(Lines(member, {Language::kChinese, nullptr}), "  民族: 土家\n");
  EXPECT_EQ(Lines(member, {Language::kEnglish, nullptr}), "  ethnic group: Tujia\n");
  for (const char* kept : {"77", "土家族"}) {
    member.set_ethnic_group(kept);
    EXPECT_EQ(Lines(member, {Language::kChinese, nullptr}), absl::StrCat("  民族: ", kept, "\n"));
  }
}

TEST(Lines, GiveEveryKindOfValue) {
  Sampler sampler;
  sampler.set_branch_id("id");
  sampler.set_sum(-3);
  sampler.set_forward(Sampler::TAKEN);
  sampler.add_add_wins("a");
  sampler.add_add_wins("b");
  auto* item = sampler.add_by_key();
  item->set_key("k");
  item->add_parts()->set_votes(2);
  sampler.add_numbers(1);
  sampler.add_numbers(2);
  EXPECT_EQ(Lines(sampler, {Language::kEnglish, nullptr}),
            "  branch: (2 bytes)\n  sum: -3\n  add wins: a, b\n"
            "  by key: {key: k; parts: {votes: 2}}\n  forward: taken\n  numbers: 1, 2\n");
}

TEST(Money, HasTwoDecimalsAndItsSign) {
  EXPECT_EQ(MoneyInWords(5, Language::kChinese), "0.05 元");
  EXPECT_EQ(MoneyInWords(-18500, Language::kChinese), "-185.00 元");
  EXPECT_EQ(MoneyInWords(std::numeric_limits<int64_t>::min(), Language::kEnglish),
            "-92233720368547758.08 yuan");
}

TEST(Time, IsChinasWhateverTheHourAtTheServer) {
  EXPECT_EQ(TimeInWords(1'782'864'000'000), "2026-07-01 08:00");
  EXPECT_EQ(TimeInWords(1'782'864'001'000), "2026-07-01 08:00:01");
}

TEST(Why, ATypeThatIsNamedForPeopleAndForProgramsIsSaidOnceInTheLanguageAskedFor) {
  EXPECT_EQ(DetailInWords("会议 Meeting", nullptr, Language::kChinese), "会议");
  EXPECT_EQ(DetailInWords("id ∈ 会议 Meeting", nullptr, Language::kChinese),
            absl::StrCat(DetailInWords("id", nullptr, Language::kChinese), " ∈ 会议"));
  EXPECT_EQ(LinesWith(DetailInWords("会议 Meeting", nullptr, Language::kEnglish), &IsChinese), "");
}

TEST(Why, AStepIsToldByTheWordsOfItsStates) {
  EXPECT_EQ(DetailInWords("state: HELD → PLANNED", records::v1::Meeting::descriptor(),
                          Language::kChinese),
            "状态: 已召开 → 计划");
  EXPECT_EQ(DetailInWords("born: 2026-01-31 / 2026-01", records::v1::Member::descriptor(),
                          Language::kChinese),
            "出生日期（写作年-月-日或年-月（1900 至 2199 年），例如 2026-01-31 或 2026-01）");
}

}  // namespace
}  // namespace zhibu
