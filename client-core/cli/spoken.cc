#include "client-core/cli/spoken.h"

#include <optional>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/time/time.h"
#include "client-core/store/match.h"
#include "sync/base/reason.h"
#include "sync/base/status.h"
#include "sync/base/words.h"
#include "sync/schema/codes.h"
#include "sync/schema/schema.h"
#include "sync/wire/shown.h"

namespace zhibu::client {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::EnumDescriptor;
using google::protobuf::EnumValueDescriptor;
using google::protobuf::FieldDescriptor;
using Json = nlohmann::json;

// `zh` and `en`: what is wrong with that field's value.
absl::Status NotUnderstood(const FieldDescriptor& field, absl::string_view zh,
                           absl::string_view en) {
  return Refuse(sync::v1::NOT_UNDERSTOOD,
                InBoth(absl::StrCat("“", WordsOf(field, Language::kChinese), "”", zh),
                       absl::StrCat(WordsOf(field, Language::kEnglish), " ", en)));
}

std::string ChoicesOf(const EnumDescriptor& of, Language language) {
  std::string choices;
  for (int i = 0; i < of.value_count(); ++i) {
    if (of.value(i)->number() == 0) continue;
    absl::StrAppend(&choices,
                    choices.empty()                  ? ""
                    : language == Language::kChinese ? "、"
                                                     : ", ",
                    WordsOf(*of.value(i), language));
  }
  return choices;
}

absl::StatusOr<Json> EnumFrom(const std::string& text, const FieldDescriptor& field) {
  const EnumDescriptor& of = *field.enum_type();
  if (of.FindValueByName(text) != nullptr) return text;
  for (int i = 0; i < of.value_count(); ++i) {
    const EnumValueDescriptor& value = *of.value(i);
    if (text == WordsOf(value, Language::kChinese) || text == WordsOf(value, Language::kEnglish)) {
      return value.name();
    }
  }
  // What was written may be somebody's number, and is not repeated.
  return NotUnderstood(field,
                       absl::StrCat("没有所填的这一种，可以是 ", ChoicesOf(of, Language::kChinese)),
                       absl::StrCat("is none of these: ", ChoicesOf(of, Language::kEnglish)));
}

// By China's clock; what has a zone of its own stays.
absl::StatusOr<Json> TimeFrom(const std::string& text, const FieldDescriptor& field) {
  constexpr int kChinaSeconds = 8 * 3600;
  absl::Time at;
  if (absl::ParseTime(absl::RFC3339_full, text, &at, nullptr)) return text;
  for (const char* format :
       {"%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d"}) {
    if (absl::ParseTime(format, text, absl::FixedTimeZone(kChinaSeconds), &at, nullptr)) {
      return absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", at, absl::UTCTimeZone());
    }
  }
  return NotUnderstood(field, "是时间，写作 年-月-日 时:分，例如 2026-07-01 09:00",
                       "is a time, written year-month-day hour:minute, as 2026-07-01 09:00 is");
}

// In fen; nothing where it is no amount with at most two decimals.
std::optional<int64_t> FenFrom(absl::string_view yuan) {
  const bool minus = absl::ConsumePrefix(&yuan, "-");
  const size_t point = std::min(yuan.find('.'), yuan.size());
  std::string decimals(yuan.substr(std::min(point + 1, yuan.size())));
  decimals.resize(std::max<size_t>(decimals.size(), 2), '0');
  int64_t whole = 0;
  int64_t rest = 0;
  constexpr int64_t kYuanMax = 1'000'000'000'000;
  const bool is_amount = decimals.size() == 2 && absl::SimpleAtoi(yuan.substr(0, point), &whole) &&
                         absl::SimpleAtoi(decimals, &rest) && whole >= 0 && rest >= 0 &&
                         whole <= kYuanMax;
  if (!is_amount) return std::nullopt;
  return (minus ? -1 : 1) * (whole * 100 + rest);
}

absl::StatusOr<Json> MoneyFrom(const std::string& text, const FieldDescriptor& field) {
  absl::string_view amount = absl::StripAsciiWhitespace(text);
  int64_t fen = 0;
  if (absl::SimpleAtoi(amount, &fen)) return text;  // fen, as a program writes them
  if (absl::ConsumeSuffix(&amount, "分") || absl::ConsumeSuffix(&amount, "fen")) {
    if (absl::SimpleAtoi(absl::StripAsciiWhitespace(amount), &fen)) return absl::StrCat(fen);
  } else if (absl::ConsumeSuffix(&amount, "元") || absl::ConsumeSuffix(&amount, "yuan")) {
    if (const auto in_fen = FenFrom(absl::StripAsciiWhitespace(amount))) {
      return absl::StrCat(*in_fen);
    }
  }
  return NotUnderstood(field, "是金额，写明单位，例如 18.50元",
                       "is an amount, written with its unit, as 18.50 yuan is");
}

absl::StatusOr<Json> TypeNumberFrom(const std::string& text, const FieldDescriptor& field) {
  for (const RecordType& type : CatalogueSchema()->types()) {
    if (text == type.name || text == type.label ||
        text == WordsOf(*type.descriptor, Language::kEnglish)) {
      return type.number;
    }
  }
  uint32_t number = 0;
  if (absl::SimpleAtoi(text, &number)) return number;
  return NotUnderstood(field, "是记录类型，例如 会议", "is a type of record, as Meeting is");
}

absl::StatusOr<Json> ShareFrom(const std::string& text, const FieldDescriptor& field) {
  absl::string_view share = text;
  if (!absl::ConsumeSuffix(&share, "%")) return text;
  // Hundredths of a per cent, as fen are of a yuan.
  const auto basis_points = FenFrom(share);
  if (basis_points && *basis_points >= 0) return *basis_points;
  return NotUnderstood(field, "是比例，例如 0.5%", "is a share, as 0.5% is");
}

// The code of the table whose words these are; else as it is.
std::string CodeFrom(const std::string& text, const FieldDescriptor& field) {
  const CodeTable* table = FindCodeTable(field.options().GetExtension(zhibu::code_table));
  if (table == nullptr) return text;
  for (const Code& code : table->codes()) {
    if (code.zh() == text || code.en() == text) return code.code();
  }
  return text;
}

absl::StatusOr<Json> TextAsProto(const std::string& text, const FieldDescriptor& field,
                                 Names& names) {
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_ENUM:
      return EnumFrom(text, field);
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return field.message_type()->well_known_type() == Descriptor::WELLKNOWNTYPE_TIMESTAMP
                 ? TimeFrom(text, field)
                 : absl::StatusOr<Json>(text);
    case FieldDescriptor::CPPTYPE_BOOL:
      if (text == "是" || text == "yes") return true;
      return text == "否" || text == "no" ? Json(false) : Json(text);
    case FieldDescriptor::CPPTYPE_INT64:
      return absl::EndsWith(field.name(), "_fen") ? MoneyFrom(text, field)
                                                  : absl::StatusOr<Json>(text);
    case FieldDescriptor::CPPTYPE_UINT32:
      if (absl::EndsWith(field.name(), "_type")) return TypeNumberFrom(text, field);
      return ShareFrom(text, field);
    case FieldDescriptor::CPPTYPE_STRING:
      if (field.type() != FieldDescriptor::TYPE_BYTES) return CodeFrom(text, field);
      break;
    default:
      return text;
  }
  if (BytesMaxOf(field) != Id::kSize) return text;
  ASSIGN_OR_RETURN(const Id id, names.FindFor(field, text));
  return TextOf(id);
}

}  // namespace

const FieldDescriptor* FieldMeant(const Descriptor& type, const std::string& text) {
  if (const FieldDescriptor* field = FindField(type, text)) return field;
  for (int i = 0; i < type.field_count(); ++i) {
    const FieldDescriptor& field = *type.field(i);
    if (text == WordsOf(field, Language::kChinese) || text == WordsOf(field, Language::kEnglish)) {
      return &field;
    }
  }
  return nullptr;
}

absl::StatusOr<const FieldDescriptor*> FieldFrom(const Descriptor& type, const std::string& text) {
  if (const FieldDescriptor* field = FieldMeant(type, text)) return field;
  const auto fields = [&](Language language) {
    std::string all;
    for (int i = 0; i < type.field_count(); ++i) {
      absl::StrAppend(&all,
                      i == 0                           ? ""
                      : language == Language::kChinese ? "、"
                                                       : ", ",
                      WordsOf(*type.field(i), language));
    }
    return all;
  };
  return Refuse(sync::v1::NOT_UNDERSTOOD,
                InBoth(absl::StrCat(WordsOf(type, Language::kChinese), "没有“", text,
                                    "”这一项，有 ", fields(Language::kChinese)),
                       absl::StrCat(WordsOf(type, Language::kEnglish), " has no field ", text,
                                    "; it has ", fields(Language::kEnglish))));
}

absl::StatusOr<Json> ValueAsProto(const Json& value, const FieldDescriptor& field, Names& names) {
  if (field.is_map()) return value;
  if (value.is_array()) {
    Json all = Json::array();
    for (const Json& one : value) {
      ASSIGN_OR_RETURN(Json said, ValueAsProto(one, field, names));
      all.push_back(std::move(said));
    }
    return all;
  }
  if (value.is_object() && field.message_type() != nullptr) {
    return AsProto(value, *field.message_type(), names);
  }
  if (!value.is_string()) return value;
  return TextAsProto(value.get<std::string>(), field, names);
}

// Under a label nobody can tell yuan from fen.
absl::Status CheckUnit(const Descriptor& type, const std::string& name,
                       const FieldDescriptor& field, const Json& value) {
  if (!absl::EndsWith(field.name(), "_fen") || FindField(type, name) != nullptr) {
    return absl::OkStatus();
  }
  int64_t bare = 0;
  const bool unit_unsaid =
      value.is_number() || (value.is_string() && absl::SimpleAtoi(value.get<std::string>(), &bare));
  return unit_unsaid ? NotUnderstood(field, "是金额，写明单位，例如 18.50元",
                                     "is an amount, written with its unit, as 18.50 yuan is")
                     : absl::OkStatus();
}

absl::StatusOr<Json> AsProto(const Json& object, const Descriptor& type, Names& names) {
  Json said = Json::object();
  for (const auto& [name, value] : object.items()) {
    ASSIGN_OR_RETURN(const FieldDescriptor* field, FieldFrom(type, name));
    RETURN_IF_ERROR(CheckUnit(type, name, *field, value));
    if (field->is_repeated() && !value.is_array() && !value.is_object() && !value.is_null()) {
      return NotUnderstood(*field, "是几项，写作 [\"…\", \"…\"]，或多次用 --set、--add",
                           "is a list, written [\"…\", \"…\"], or by several --set or --add");
    }
    // A program that names the field writes the code itself.
    const bool is_code = !field->options().GetExtension(zhibu::code_table).empty() &&
                         FindField(type, name) != nullptr;
    if (is_code) {
      said[field->name()] = value;
      continue;
    }
    ASSIGN_OR_RETURN(said[field->name()], ValueAsProto(value, *field, names));
  }
  return said;
}

}  // namespace zhibu::client
