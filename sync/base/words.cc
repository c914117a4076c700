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

// "branch_id" names a branch, "superior_ids" superiors.
std::string EnglishOf(const FieldDescriptor& field) {
  const std::string name = Spaced(field.name());
  if (absl::EndsWith(name, " ids")) return Several(absl::StripSuffix(name, " ids"));
  return std::string(absl::StripSuffix(name, " id"));
}

const std::string& LabelOf(const Descriptor& message) {
  return message.options().GetExtension(zhibu::record).label();
}

}  // namespace

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
  return language == Language::kChinese && !label.empty() ? label : EnglishOf(field);
}

std::string WordsOf(const EnumValueDescriptor& value, Language language) {
  const std::string& label = value.options().GetExtension(zhibu::value_label);
  return language == Language::kChinese && !label.empty() ? label : Spaced(value.name());
}

}  // namespace zhibu
