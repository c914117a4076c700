// What is declared, in English words: they follow from the names, so that nothing is said twice.
//
//   DevelopmentCase       Development case
//   lead_branch_id        lead branch
//   PROBATIONARY          probationary
//
// The Chinese words are declared (label, value_label): nothing gives them. So a name is a word
// or a few, none of them cut short; a test goes through all.
#ifndef ZHIBU_SYNC_BASE_WORDS_H_
#define ZHIBU_SYNC_BASE_WORDS_H_

#include <google/protobuf/descriptor.h>

#include <string>

#include "absl/strings/string_view.h"

namespace zhibu {

enum class Language { kChinese, kEnglish };

std::string Say(Language language, absl::string_view zh, absl::string_view en);

// Of a type by its name: "CheckIn" is "Check in".
std::string EnglishOf(absl::string_view type);

std::string WordsOf(const google::protobuf::Descriptor& message, Language language);
std::string WordsOf(const google::protobuf::FieldDescriptor& field, Language language);
std::string WordsOf(const google::protobuf::EnumValueDescriptor& value, Language language);

}  // namespace zhibu

#endif  // ZHIBU_SYNC_BASE_WORDS_H_
