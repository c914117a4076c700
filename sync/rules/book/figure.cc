#include "sync/rules/book/figure.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "sync/base/words.h"
#include "sync/rules/book/functions.h"

namespace zhibu::rules {
namespace {

using cel::Kind;
using cel::Value;

int64_t EnumBucket(const google::protobuf::EnumDescriptor& type, int64_t number) {
  const auto* known = number == static_cast<int>(number)
                          ? type.FindValueByNumber(static_cast<int>(number))
                          : nullptr;
  if (known == nullptr) return kOther;
  return number == 0 && absl::EndsWith(known->name(), "_UNSPECIFIED") ? kNotSaid : number;
}

int64_t CodeBucket(const CodeTable& table, absl::string_view code) {
  if (code.empty()) return kNotSaid;
  const auto& codes = table.codes();
  const auto found =
      std::find_if(codes.begin(), codes.end(), [&](const Code& one) { return one.code() == code; });
  return found == codes.end() ? kOther : found - codes.begin();
}

int64_t NumberOf(const Value& value) {
  return value.kind() == Kind::kUint ? static_cast<int64_t>(value.uint_value()) : value.int_value();
}

// A band without an end takes all that is left.
int64_t BandBucket(const rules::v1::Breakdown& by, int64_t number) {
  for (int i = 0; i < by.band_size(); ++i) {
    const bool last = i + 1 == by.band_size() && by.band(i).up_to() == 0;
    if (last || number <= by.band(i).up_to()) return i;
  }
  return kOther;
}

}  // namespace

bool Figure::MayBeReadBy(const Eyes& eyes, const Schema& schema) const {
  const auto all = [&](const RecordType& type, const Fields& fields) {
    return eyes.Meet(type.readers) &&
           std::all_of(fields.begin(), fields.end(), [&](const auto* field) {
             return eyes.Meet(type.fields.Find(static_cast<uint32_t>(field->number()))->readers);
           });
  };
  return all(*of, reads) && std::all_of(others.begin(), others.end(), [&](const auto& other) {
           return all(*schema.Find(other.first), other.second);
         });
}

int64_t Breakdown::BucketOf(const Value& value) const {
  if (!value.is_proper()) return kNotSaid;
  switch (kind) {
    case Kind::kEnum:
      return EnumBucket(*enumeration, value.int_value());
    case Kind::kBool:
      return value.bool_value() ? 1 : 0;
    case Kind::kCode:
      return CodeBucket(*codes, value.text());
    case Kind::kBands:
      return BandBucket(text, NumberOf(value));
    case Kind::kYears: {
      const auto day = DayOf(value);
      return day && day->year() >= 1900 && day->year() < 2200 ? MonthOf(*day) : kNotSaid;
    }
  }
  return kNotSaid;
}

int64_t Breakdown::BandOf(int64_t bucket, int32_t in_month) const {
  if (kind != Kind::kYears || bucket < 0) return bucket;
  return BandBucket(text, std::max<int64_t>(in_month - bucket, 0) / 12);
}

std::string Breakdown::NameOf(int64_t bucket, Language language) const {
  if (bucket == kNotSaid) return Say(language, "未填写", "not said");
  if (kind == Kind::kBool) {
    return bucket != 0 ? Say(language, "是", "yes") : Say(language, "否", "no");
  }
  if (kind == Kind::kEnum) {
    const auto* value = enumeration->FindValueByNumber(static_cast<int>(bucket));
    if (value != nullptr) return WordsOf(*value, language);
  }
  if (kind == Kind::kCode && bucket >= 0 && bucket < codes->codes_size()) {
    const Code& code = codes->codes(static_cast<int>(bucket));
    return language == Language::kChinese ? code.zh() : code.en();
  }
  if (bucket >= 0 && bucket < text.band_size()) {
    const zhibu::Words& words = text.band(static_cast<int>(bucket)).words();
    return language == Language::kChinese ? words.zh() : words.en();
  }
  return Say(language, "其他", "other");
}

}  // namespace zhibu::rules
