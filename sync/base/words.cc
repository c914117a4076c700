#include "sync/base/words.h"

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"
#include "zhibu/schema/v1/options.pb.h"

namespace zhibu {

using google::protobuf::Descriptor;
using google::protobuf::EnumValueDescriptor;
using google::protobuf::FieldDescriptor;

namespace {

std::string Spaced(absl::string_view name) {
  return absl::AsciiStrToLower(absl::StrReplaceAll(name, {{"_", " "}}));
}

// Of several; "agreed" are those who have.
std::string Several(absl::string_view noun) {
  if (absl::EndsWith(noun, "ed")) return std::string(noun);
  return absl::StrCat(noun, absl::EndsWith(noun, "ch") ? "es" : "s");
}

// What people are shown has a unit of its own: yuan, and per cent (sync/wire/worded.h).
std::string WithoutUnit(const FieldDescriptor& field, std::string words) {
  const bool is_amount = absl::EndsWith(field.name(), "_fen");
  if (!is_amount && !absl::EndsWith(field.name(), "_basis_points")) return words;
  for (const char* unit : {"(分)", "(万分之一)", " fen", " basis points"}) {
    if (absl::EndsWith(words, unit)) return std::string(absl::StripSuffix(words, unit));
  }
  return words;
}

// "branch_id" names a branch, "superior_ids" superiors.
std::string EnglishOf(const FieldDescriptor& field) {
  const std::string name = WithoutUnit(field, Spaced(field.name()));
  if (absl::EndsWith(name, " ids")) return Several(absl::StripSuffix(name, " ids"));
  return std::string(absl::StripSuffix(name, " id"));
}

const std::string& LabelOf(const Descriptor& message) {
  return message.options().GetExtension(zhibu::record).label();
}

}  // namespace

std::string Say(Language language, absl::string_view zh, absl::string_view en) {
  return std::string(language == Language::kChinese ? zh : en);
}

std::string EnglishOf(absl::string_view type) {
  std::string words;
  for (const char c : type) {
    if (absl::ascii_isupper(c) && !words.empty()) words += ' ';
    words += words.empty() ? c : absl::ascii_tolower(c);
  }
  return words;
}

std::string WordsOf(const Descriptor& message, Language language) {
  const std::string& label = LabelOf(message);
  return language == Language::kChinese && !label.empty() ? label : EnglishOf(message.name());
}

std::string WordsOf(const FieldDescriptor& field, Language language) {
  const std::string& label = field.options().GetExtension(zhibu::label);
  return language == Language::kChinese && !label.empty() ? WithoutUnit(field, label)
                                                          : EnglishOf(field);
}

std::string WordsOf(const EnumValueDescriptor& value, Language language) {
  const std::string& label = value.options().GetExtension(zhibu::value_label);
  return language == Language::kChinese && !label.empty() ? label : Spaced(value.name());
}

}  // namespace zhibu
