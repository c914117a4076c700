#include "client-core/exchange/field.h"

#include <google/protobuf/timestamp.pb.h>

#include <cstdint>
#include <limits>
#include <optional>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/time/time.h"
#include "sync/base/date.h"
#include "sync/base/words.h"
#include "sync/exchange/flaw_words.h"
#include "sync/exchange/headings.h"
#include "sync/exchange/quantities.h"
#include "sync/exchange/text.h"
#include "sync/exchange/values.h"
#include "sync/rules/book/same.h"

namespace zhibu::client {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Timestamp;

TakenCell Flawed(absl::string_view text, absl::string_view zh, absl::string_view en) {
  return {
      Say(absl::StrCat("“", Excerpt(text), "”", zh), absl::StrCat("\"", Excerpt(text), "\" ", en)),
      {}};
}

bool IsTime(const FieldDescriptor& field) {
  return field.message_type() == Timestamp::descriptor();
}

Timestamp TimeIn(const FieldDescriptor& field, const Message& record) {
  return static_cast<const Timestamp&>(record.GetReflection()->GetMessage(record, &field));
}

// By its Chinese or English words, its name, or another word for it.
std::optional<int> ValueOf(const FieldDescriptor& field, const rules::LedgerInto& into,
                           absl::string_view text) {
  const std::string folded = FoldWord(text);
  for (const auto& [word, number] : into.means) {
    if (FoldWord(word) == folded) return number;
  }
  const auto& values = *field.enum_type();
  for (int i = 0; i < values.value_count(); ++i) {
    const auto& value = *values.value(i);
    for (const std::string& word :
         {WordsOf(value, Language::kChinese), WordsOf(value, Language::kEnglish), value.name()}) {
      if (!word.empty() && FoldWord(word) == folded) return value.number();
    }
  }
  return std::nullopt;
}

std::string WordsOfValues(const FieldDescriptor& field, Language language) {
  std::string all;
  for (int i = 0; i < field.enum_type()->value_count(); ++i) {
    const auto& value = *field.enum_type()->value(i);
    if (value.options().GetExtension(zhibu::value_label).empty()) continue;
    absl::StrAppend(&all, all.empty() ? "" : (language == Language::kChinese ? "、" : ", "),
                    WordsOf(value, language));
  }
  return all;
}

TakenCell TakeEnum(const FieldDescriptor& field, const rules::LedgerInto& into,
                   absl::string_view text, Message* record) {
  const std::optional<int> value = ValueOf(field, into, text);
  if (!value) {
    return Flawed(
        text, absl::StrCat("无法识别，可写：", WordsOfValues(field, Language::kChinese)),
        absl::StrCat("is not understood; write one of ", WordsOfValues(field, Language::kEnglish)));
  }
  record->GetReflection()->SetEnumValue(record, &field, *value);
  return {};
}

TakenCell TakeDate(const FieldRule& rule, absl::string_view text, bool from_1904, Message* record) {
  const Tidied date = TidyDate(text, from_1904);
  if (date.flaw != Flaw::kNone) return {Describe(date.flaw, text), {}};
  if (rule.format == DATE && !IsDate(date.value)) {
    return Flawed(text, "没有写到日，请写成 2026-01-31", "says no day; write 2026-01-31");
  }
  record->GetReflection()->SetString(record, rule.descriptor, date.value);
  return {};
}

TakenCell TakeText(const FieldRule& rule, absl::string_view text, Message* record) {
  std::string tidy = TidyText(text);
  if (BytesMaxOf(*rule.descriptor) <= kLineBytesMax) {
    tidy = absl::StrReplaceAll(tidy, {{"\r\n", " "}, {"\n", " "}, {"\r", " "}, {"\t", " "}});
  }
  if (tidy.size() > BytesMaxOf(*rule.descriptor)) {
    return Flawed(text, "太长", "is too long");
  }
  record->GetReflection()->SetString(record, rule.descriptor, tidy);
  return {};
}

TakenCell TakeTime(const FieldDescriptor& field, absl::string_view text, bool from_1904,
                   Message* record) {
  const std::optional<ReadTime> time = MinuteFrom(text, from_1904);
  if (!time) {
    return Flawed(text, "不是日期和时间，请写成 2026-01-31 09:00",
                  "is no day and time; write 2026-01-31 09:00");
  }
  auto& value = static_cast<Timestamp&>(*record->GetReflection()->MutableMessage(record, &field));
  value.set_seconds(absl::ToUnixSeconds(
      absl::FromCivil(absl::CivilSecond(time->minute), absl::FixedTimeZone(8 * 60 * 60))));
  if (time->has_hour) return {};
  return {{}, Say("没有写时刻，记为 00:00", "says no hour; 00:00 is taken")};
}

TakenCell TakeAmount(const FieldRule& rule, rules::v1::Ledger::Shown shown, absl::string_view text,
                     Message* record) {
  const bool yuan = shown == rules::v1::Ledger::YUAN;
  const std::optional<int64_t> number = yuan ? FenFrom(text) : CountFrom(text);
  const bool fits = number && (rule.number_max == 0 ||
                               (*number <= rule.number_max && *number >= -rule.number_max));
  if (!fits) {
    return yuan ? Flawed(text, "不是金额，请写成 15.00", "is no amount; write 15.00")
                : Flawed(text, "不是整数", "is no whole number");
  }
  if (rule.descriptor->cpp_type() == FieldDescriptor::CPPTYPE_UINT32) {
    record->GetReflection()->SetUInt32(record, rule.descriptor, static_cast<uint32_t>(*number));
  } else {
    record->GetReflection()->SetInt64(record, rule.descriptor, *number);
  }
  return {};
}

TakenCell TakeBool(const FieldDescriptor& field, absl::string_view text, Message* record) {
  const std::string folded = FoldWord(text);
  const bool yes = folded == "是" || folded == "yes" || folded == "true" || folded == "√";
  if (!yes && folded != "否" && folded != "no" && folded != "false") {
    return Flawed(text, "应写是或否", "is to be yes or no");
  }
  record->GetReflection()->SetBool(record, &field, yes);
  return {};
}

}  // namespace

TakenCell TakeCell(const FieldRule& rule, const rules::LedgerInto& into,
                   rules::v1::Ledger::Shown shown, absl::string_view text, bool days_from_1904,
                   Message* record) {
  const FieldDescriptor& field = *rule.descriptor;
  if (IsErrorWord(text)) return Flawed(text, "是表格软件的错误值", "is a spreadsheet's error");
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_ENUM:
      return TakeEnum(field, into, text, record);
    case FieldDescriptor::CPPTYPE_UINT32:
    case FieldDescriptor::CPPTYPE_INT64:
      return TakeAmount(rule, shown, text, record);
    case FieldDescriptor::CPPTYPE_BOOL:
      return TakeBool(field, text, record);
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return TakeTime(field, text, days_from_1904, record);
    default:
      break;
  }
  const bool date = rule.format == DATE || rule.format == DAY_OR_MONTH;
  return date ? TakeDate(rule, text, days_from_1904, record) : TakeText(rule, text, record);
}

bool SayTheSame(const FieldDescriptor& field, const Message& sheet, const Message& known) {
  if (rules::SaidIn(field, sheet) != rules::SaidIn(field, known)) return false;
  if (!IsTime(field)) return true;
  const int64_t wanted = TimeIn(field, sheet).seconds();
  const bool whole_day = wanted * 1000 == BeginningOf(DayAt(wanted * 1000));
  return whole_day || wanted / 60 == TimeIn(field, known).seconds() / 60;
}

}  // namespace zhibu::client
