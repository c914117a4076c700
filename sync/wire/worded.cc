#include "sync/wire/worded.h"

#include <google/protobuf/text_format.h>
#include <google/protobuf/util/time_util.h>

#include <cstdlib>
#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "absl/time/time.h"
#include "sync/base/text.h"
#include "sync/base/words.h"
#include "sync/schema/codes.h"
#include "sync/schema/schema.h"
#include "sync/wire/shown.h"
#include "sync/wire/why.h"

namespace zhibu {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::EnumValueDescriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::MessageFactory;
using google::protobuf::Reflection;

Meaning MeaningOf(const FieldDescriptor& field) {
  return field.options().GetExtension(zhibu::means);
}

bool SaysAType(const FieldDescriptor& field) {
  return field.cpp_type() == FieldDescriptor::CPPTYPE_UINT32 &&
         absl::EndsWith(field.name(), "_type");
}

// The type of record that a message speaks of: the one that its …_type names.
const Descriptor* TypeSpokenOf(const Message& message) {
  const Descriptor& of = *message.GetDescriptor();
  for (int i = 0; i < of.field_count(); ++i) {
    if (of.field(i)->is_repeated() || !SaysAType(*of.field(i))) continue;
    const RecordType* type =
        CatalogueSchema()->Find(message.GetReflection()->GetUInt32(message, of.field(i)));
    if (type != nullptr) return type->descriptor;
  }
  return nullptr;
}

const FieldDescriptor* FieldThatMeans(const Descriptor& of, Meaning meaning) {
  for (int i = 0; i < of.field_count(); ++i) {
    if (MeaningOf(*of.field(i)) == meaning) return of.field(i);
  }
  return nullptr;
}

std::string WordsOfValue(const EnumValueDescriptor& value, Language language) {
  // What a newer build has written, and what nobody has said.
  if (value.type()->FindValueByNumber(value.number()) == nullptr) {
    return Say(language, "本版本不认识的值", "a value that this version does not know");
  }
  const bool said = value.options().HasExtension(zhibu::value_label) || value.number() != 0;
  return said ? WordsOf(value, language) : Say(language, "未填", "not stated");
}

std::string WordsOfType(uint32_t number, Language language) {
  const RecordType* type = CatalogueSchema()->Find(number);
  return type != nullptr
             ? WordsOf(*type->descriptor, language)
             : Say(language, "本版本不认识的记录", "a type that this version does not know");
}

std::string Percent(uint64_t basis_points) {
  std::string text = absl::StrCat(basis_points / 100);
  if (basis_points % 100 != 0) {
    absl::StrAppend(&text, ".", absl::Dec(basis_points % 100, absl::kZeroPad2));
    if (text.back() == '0') text.pop_back();
  }
  return text + "%";
}

// One value of one field of a message.
class Value {
 public:
  // `index`: of an element; -1: of a single field.
  Value(const Message& message, const FieldDescriptor& field, int index, const Wording& wording)
      : message_(message),
        reflection_(*message.GetReflection()),
        field_(field),
        index_(index),
        wording_(wording) {}

  template <typename Single, typename Repeated>
  auto Get(Single single, Repeated repeated) const {
    return index_ < 0 ? (reflection_.*single)(message_, &field_)
                      : (reflection_.*repeated)(message_, &field_, index_);
  }

  std::string InWords() const {
    switch (field_.cpp_type()) {
      case FieldDescriptor::CPPTYPE_ENUM:
        return WordsOfValue(*Get(&Reflection::GetEnum, &Reflection::GetRepeatedEnum),
                            wording_.language);
      case FieldDescriptor::CPPTYPE_STRING: {
        const std::string text = Get(&Reflection::GetString, &Reflection::GetRepeatedString);
        return field_.type() == FieldDescriptor::TYPE_BYTES ? Bytes(text) : Text(text);
      }
      case FieldDescriptor::CPPTYPE_MESSAGE:
        return Inner(index_ < 0 ? reflection_.GetMessage(message_, &field_)
                                : reflection_.GetRepeatedMessage(message_, &field_, index_));
      case FieldDescriptor::CPPTYPE_BOOL:
        return Get(&Reflection::GetBool, &Reflection::GetRepeatedBool)
                   ? Say(wording_.language, "是", "yes")
                   : Say(wording_.language, "否", "no");
      case FieldDescriptor::CPPTYPE_INT64:
        if (absl::EndsWith(field_.name(), "_fen")) {
          return MoneyInWords(Get(&Reflection::GetInt64, &Reflection::GetRepeatedInt64),
                              wording_.language);
        }
        return Plain();
      case FieldDescriptor::CPPTYPE_UINT32:
        return Number(Get(&Reflection::GetUInt32, &Reflection::GetRepeatedUInt32));
      default:
        return Plain();
    }
  }

 private:
  std::string Plain() const {
    std::string text;
    google::protobuf::TextFormat::PrintFieldValueToString(message_, &field_, index_, &text);
    return text;
  }

  std::string Number(uint32_t number) const {
    if (SaysAType(field_)) return WordsOfType(number, wording_.language);
    if (MeaningOf(field_) == REASON) {
      return WhyInWords(static_cast<sync::v1::Reason>(number), Detail(), nullptr,
                        wording_.language);
    }
    return absl::EndsWith(field_.name(), "_basis_points") ? Percent(number) : absl::StrCat(number);
  }

  // Of the reason that stands beside it.
  std::string Detail() const {
    const FieldDescriptor* detail = FieldThatMeans(*message_.GetDescriptor(), DETAIL);
    return detail == nullptr ? "" : reflection_.GetString(message_, detail);
  }

  std::string Bytes(const std::string& bytes) const {
    const auto id = Id::FromBytes(bytes);
    if (!id) {
      return absl::StrCat(Say(wording_.language, "（", "("), bytes.size(),
                          Say(wording_.language, " 字节）", " bytes)"));
    }
    const std::string name = wording_.name_of ? wording_.name_of(field_, *id) : "";
    return name.empty() ? Say(wording_.language, "（名称不详）", "(name not known)")
                        : PrintableLine(name);
  }

  // By its words, where the field keeps a code of a table that has it.
  std::string Text(const std::string& text) const {
    const Code* code = FindCode(field_.options().GetExtension(zhibu::code_table), text);
    if (code != nullptr) return wording_.language == Language::kChinese ? code->zh() : code->en();
    switch (MeaningOf(field_)) {
      case FIELD:
        return PrintableLine(PathInWords(TypeSpokenOf(message_), text, wording_.language));
      case VALUE:
        return PrintableLine(JsonInWords(TypeSpokenOf(message_), Path(), text, wording_));
      case DETAIL:
        return PrintableLine(DetailInWords(text, nullptr, wording_.language));
      default:
        return PrintableLine(text);
    }
  }

  std::string Path() const {
    const FieldDescriptor* path = FieldThatMeans(*message_.GetDescriptor(), FIELD);
    return path == nullptr ? "" : reflection_.GetString(message_, path);
  }

  std::string Inner(const Message& inner) const {
    const Descriptor& of = *inner.GetDescriptor();
    if (of.well_known_type() == Descriptor::WELLKNOWNTYPE_TIMESTAMP) {
      // One beyond the year 9999 has no name.
      const std::string json = ToJson(inner);
      if (json.size() < 3) return "?";
      google::protobuf::Timestamp at;
      return FromJson(json, &at).ok()
                 ? TimeInWords(google::protobuf::util::TimeUtil::TimestampToMilliseconds(at))
                 : "?";
    }
    if (field_.is_map()) {
      return absl::StrCat(ValueOf(inner, *of.field(0), wording_), ": ",
                          ValueOf(inner, *of.field(1), wording_));
    }
    std::vector<const FieldDescriptor*> fields;
    inner.GetReflection()->ListFields(inner, &fields);
    std::string text = "{";
    for (const FieldDescriptor* field : fields) {
      absl::StrAppend(&text, text.size() == 1 ? "" : "; ", WordsOf(*field, wording_.language), ": ",
                      ValueOf(inner, *field, wording_));
    }
    return text + "}";
  }

  const Message& message_;
  const Reflection& reflection_;
  const FieldDescriptor& field_;
  const int index_;
  const Wording& wording_;
};

// A step of a path: the field, and the key of its element.
struct PathStep {
  const FieldDescriptor* field;
  absl::string_view key;
};

// Empty where the type has no such field.
std::vector<PathStep> StepsOf(const Descriptor* type, absl::string_view path) {
  std::vector<PathStep> steps;
  for (const absl::string_view part : absl::StrSplit(path, '.')) {
    const size_t bracket = part.find('[');
    const FieldDescriptor* field =
        type == nullptr ? nullptr : type->FindFieldByName(std::string(part.substr(0, bracket)));
    if (field == nullptr) return {};
    absl::string_view key = bracket == absl::string_view::npos ? "" : part.substr(bracket + 1);
    if (absl::EndsWith(key, "]")) key.remove_suffix(1);
    steps.push_back({field, key});
    type = field->message_type();
  }
  return steps;
}

}  // namespace

std::string TimeInWords(int64_t ms) {
  constexpr int kChinaSeconds = 8 * 3600;
  const absl::Time at = absl::FromUnixMillis(ms);
  return absl::FormatTime(ms % 60'000 == 0 ? "%Y-%m-%d %H:%M" : "%Y-%m-%d %H:%M:%S", at,
                          absl::FixedTimeZone(kChinaSeconds));
}

std::string MoneyInWords(int64_t fen, Language language) {
  const uint64_t all = fen < 0 ? 0 - static_cast<uint64_t>(fen) : static_cast<uint64_t>(fen);
  return absl::StrCat(fen < 0 ? "-" : "", all / 100, ".", absl::Dec(all % 100, absl::kZeroPad2),
                      Say(language, " 元", " yuan"));
}

std::string ValueOf(const Message& message, const FieldDescriptor& field, const Wording& wording) {
  if (!field.is_repeated()) return Value(message, field, -1, wording).InWords();
  const std::string between = Say(wording.language, "、", ", ");
  std::string text;
  const int size = message.GetReflection()->FieldSize(message, &field);
  for (int i = 0; i < size; ++i) {
    absl::StrAppend(&text, i == 0 ? "" : between, Value(message, field, i, wording).InWords());
  }
  return text;
}

std::vector<WordedField> WordedFields(const Message& message, const Wording& wording) {
  std::vector<WordedField> worded;
  std::vector<const FieldDescriptor*> fields;
  message.GetReflection()->ListFields(message, &fields);
  for (const FieldDescriptor* field : fields) {
    // A detail stands in the words of its reason.
    const bool said =
        MeaningOf(*field) == DETAIL && FieldThatMeans(*message.GetDescriptor(), REASON) != nullptr;
    if (said) continue;
    worded.push_back({field, WordsOf(*field, wording.language), ValueOf(message, *field, wording)});
  }
  return worded;
}

std::string Lines(const Message& message, const Wording& wording) {
  std::string text;
  for (const WordedField& line : WordedFields(message, wording)) {
    absl::StrAppend(&text, "  ", line.label, ": ", line.value, "\n");
  }
  return text;
}

std::string PathInWords(const Descriptor* type, absl::string_view path, Language language) {
  std::string text;
  for (const PathStep& step : StepsOf(type, path)) {
    absl::StrAppend(&text, text.empty() ? "" : Say(language, "的", ", "),
                    WordsOf(*step.field, language));
    if (!step.key.empty() && !IdFromText(step.key)) {
      absl::StrAppend(&text, Say(language, "（", " ("), step.key, Say(language, "）", ")"));
    }
  }
  return text.empty() ? std::string(path) : text;
}

std::string JsonInWords(const Descriptor* type, absl::string_view path, const std::string& json,
                        const Wording& wording) {
  const std::vector<PathStep> steps = StepsOf(type, path);
  if (steps.empty() || json.empty()) return json;
  const FieldDescriptor& field = *steps.back().field;
  const std::unique_ptr<Message> holder(
      MessageFactory::generated_factory()->GetPrototype(field.containing_type())->New());
  // An element of a repeated field stands by itself.
  for (const auto& [before, after] : {std::pair(":", ""), std::pair(":[", "]")}) {
    holder->Clear();
    const std::string object =
        absl::StrCat("{\"", std::string(field.name()), "\"", before, json, after, "}");
    if (FromJson(object, holder.get()).ok()) return ValueOf(*holder, field, wording);
  }
  return json;
}

}  // namespace zhibu
