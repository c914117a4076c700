#include "client-core/query/pinyin.h"

#include <unicode/utf8.h>

#include <utility>
#include <vector>

#include "client-core/query/pinyin_data.h"

namespace zhibu::client {
namespace {

// Above every character that is none of the table's.
constexpr uint32_t kAboveAll = 0x110000;

std::vector<char32_t> CharactersOf(absl::string_view text) {
  std::vector<char32_t> characters;
  const auto* bytes = reinterpret_cast<const uint8_t*>(text.data());
  const auto size = static_cast<int32_t>(text.size());
  for (int32_t at = 0; at < size;) {
    UChar32 character = 0;
    U8_NEXT_OR_FFFD(bytes, at, size, character);
    characters.push_back(static_cast<char32_t>(character));
  }
  return characters;
}

bool IsInTable(char32_t character) {
  return character >= pinyin::kFirst && character <= pinyin::kLast;
}

absl::string_view SurnameOf(char32_t character) {
  for (const pinyin::Surname* known = pinyin::kSurnames; known->character != 0; ++known) {
    if (known->character == character) return pinyin::kSyllables[known->syllable];
  }
  return "";
}

// Whether what is left to be said can be said by the characters from `at` on.
class Saying {
 public:
  Saying(std::vector<char32_t> name, std::vector<char32_t> said)
      : name_(std::move(name)), said_(std::move(said)), tried_(name_.size() * said_.size()) {}

  bool From(size_t at, size_t spoken) {
    if (spoken == said_.size()) return true;
    // What has been tried is not tried again: text may be long, and all of one letter.
    if (at == name_.size() || tried_[at * said_.size() + spoken]) return false;
    tried_[at * said_.size() + spoken] = true;
    if (Same(name_[at], said_[spoken]) && From(at + 1, spoken + 1)) return true;
    return BySyllable(PinyinOf(name_[at]), at, spoken) ||
           (at == 0 && BySyllable(SurnameOf(name_[at]), at, spoken));
  }
  size_t characters() const { return name_.size(); }

 private:
  static bool Same(char32_t a, char32_t b) {
    const auto small = [](char32_t c) { return c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c; };
    return small(a) == small(b);
  }
  // By all of it or how it begins.
  bool BySyllable(absl::string_view syllable, size_t at, size_t spoken) {
    for (size_t i = 0; i < syllable.size() && spoken + i < said_.size(); ++i) {
      if (!Same(static_cast<char32_t>(syllable[i]), said_[spoken + i])) return false;
      if (From(at + 1, spoken + i + 1)) return true;
    }
    return false;
  }

  const std::vector<char32_t> name_;
  const std::vector<char32_t> said_;
  std::vector<bool> tried_;
};

std::vector<char32_t> WithoutBlanks(std::vector<char32_t> text) {
  std::erase_if(text, [](char32_t c) { return c == ' ' || c == 0x3000; });
  return text;
}

}  // namespace

absl::string_view PinyinOf(char32_t character) {
  if (!IsInTable(character)) return "";
  return pinyin::kSyllables[pinyin::kSyllableOf[character - pinyin::kFirst]];
}

std::optional<uint16_t> RankOf(char32_t character) {
  if (!IsInTable(character)) return std::nullopt;
  return pinyin::kRankOf[character - pinyin::kFirst];
}

bool SoundsLike(absl::string_view name, absl::string_view said) {
  Saying saying(WithoutBlanks(CharactersOf(name)), WithoutBlanks(CharactersOf(said)));
  for (size_t at = 0; at < saying.characters(); ++at) {
    if (saying.From(at, 0)) return true;
  }
  return WithoutBlanks(CharactersOf(said)).empty();
}

void AppendPinyinKey(absl::string_view text, std::string* key) {
  for (const char32_t character : CharactersOf(text)) {
    const auto rank = RankOf(character);
    const uint32_t place = rank ? kAboveAll + *rank : static_cast<uint32_t>(character);
    for (int shift = 16; shift >= 0; shift -= 8) key->push_back(static_cast<char>(place >> shift));
  }
  key->append(3, '\0');
}

}  // namespace zhibu::client
