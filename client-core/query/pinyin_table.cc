// Writes the tables of pinyin_data.h out of ICU's. Run when the core is built; no part of it.
#include <unicode/coll.h>
#include <unicode/translit.h>
#include <unicode/unistr.h>

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "client-core/query/pinyin_data.h"

namespace zhibu::client::pinyin {
namespace {

void Check(UErrorCode status, const char* what) {
  if (U_SUCCESS(status)) return;
  std::cerr << what << ": " << u_errorName(status) << "\n";
  std::exit(1);
}

class Readings {
 public:
  explicit Readings(const char* of) {
    UErrorCode status = U_ZERO_ERROR;
    letters_.reset(icu::Transliterator::createInstance(
        icu::UnicodeString(of) + "; Latin-ASCII; Lower", UTRANS_FORWARD, status));
    Check(status, of);
  }
  // Empty where ICU knows none.
  std::string Of(char32_t character) const {
    icu::UnicodeString text(static_cast<UChar32>(character));
    letters_->transliterate(text);
    std::string said;
    text.toUTF8String(said);
    const auto letter = [](unsigned char c) { return c >= 'a' && c <= 'z'; };
    return std::all_of(said.begin(), said.end(), letter) ? said : "";
  }

 private:
  std::unique_ptr<icu::Transliterator> letters_;
};

std::vector<uint16_t> Ranks() {
  UErrorCode status = U_ZERO_ERROR;
  const std::unique_ptr<icu::Collator> order(
      icu::Collator::createInstance(icu::Locale("zh@collation=pinyin"), status));
  Check(status, "collation");
  std::vector<char32_t> characters(kCount);
  for (size_t i = 0; i < kCount; ++i) characters[i] = kFirst + static_cast<char32_t>(i);
  std::stable_sort(characters.begin(), characters.end(), [&](char32_t a, char32_t b) {
    return order->compare(icu::UnicodeString(static_cast<UChar32>(a)),
                          icu::UnicodeString(static_cast<UChar32>(b))) < 0;
  });
  std::vector<uint16_t> ranks(kCount);
  for (size_t i = 0; i < kCount; ++i) ranks[characters[i] - kFirst] = static_cast<uint16_t>(i);
  return ranks;
}

void Write(const char* name, const std::vector<uint16_t>& values) {
  std::cout << "const uint16_t " << name << "[kCount] = {";
  for (const uint16_t value : values) std::cout << value << ",";
  std::cout << "};\n";
}

void WriteAll() {
  const Readings common("Han-Latin");
  const Readings names("Han-Latin/Names");
  std::map<std::string, uint16_t> numbers = {{"", 0}};
  std::vector<std::string> syllables = {""};
  const auto number = [&](const std::string& said) {
    const auto [at, is_new] = numbers.emplace(said, static_cast<uint16_t>(syllables.size()));
    if (is_new) syllables.push_back(said);
    return at->second;
  };
  std::vector<uint16_t> of;
  std::cout << "#include \"client-core/query/pinyin_data.h\"\n\nnamespace zhibu::client::pinyin {\n"
            << "const Surname kSurnames[] = {";
  for (char32_t c = kFirst; c <= kLast; ++c) {
    of.push_back(number(common.Of(c)));
    const uint16_t surname = number(names.Of(c));
    if (surname != of.back())
      std::cout << "{" << static_cast<uint32_t>(c) << "," << surname << "},";
  }
  std::cout << "{0,0}};\nconst char* const kSyllables[] = {";
  for (const std::string& said : syllables) std::cout << "\"" << said << "\",";
  std::cout << "};\n";
  Write("kSyllableOf", of);
  Write("kRankOf", Ranks());
  std::cout << "}  // namespace zhibu::client::pinyin\n";
}

}  // namespace
}  // namespace zhibu::client::pinyin

int main() {
  zhibu::client::pinyin::WriteAll();
  return std::cout.good() ? 0 : 1;
}
