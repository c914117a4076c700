#include "sync/wire/contact.h"

#include <re2/re2.h>
#include <unicode/uchar.h>

#include <string>

#include "sync/base/text.h"

namespace zhibu {
namespace {

constexpr char32_t kYao = 0x5e7a;  // 幺, a spoken one
// So much may stand between two digits of one number.
constexpr int kBetweenMax = 4;

// The digit that a character stands for, in any script: 8, ８, 八, ⑧, ⁸; -1: none.
int DigitOf(char32_t character) {
  if (character == kYao) return 1;
  const double value = u_getNumericValue(static_cast<UChar32>(character));
  for (int digit = 0; digit < 10; ++digit) {
    if (value == digit) return digit;
  }
  return -1;
}

// Blanks, dots, dashes, brackets, and what cannot be seen.
bool StandsBetween(char32_t character) {
  switch (u_charType(static_cast<UChar32>(character))) {
    case U_SPACE_SEPARATOR:
    case U_CONTROL_CHAR:
    case U_FORMAT_CHAR:
    case U_NON_SPACING_MARK:
    case U_ENCLOSING_MARK:
    case U_DASH_PUNCTUATION:
    case U_START_PUNCTUATION:
    case U_END_PUNCTUATION:
    case U_CONNECTOR_PUNCTUATION:
      return true;
    default:
      return character == '.' || character == '+' || character == '*' || character == 0xb7 ||
             character == 0xff0e || character == 0xff0b || character == 0x30fb;
  }
}

// Each digit as 0-9, with nothing between those of one number but, in `spaced`, a '-'.
struct Numbers {
  std::string joined;
  std::string spaced;
};

Numbers NumbersIn(absl::string_view text) {
  Numbers numbers;
  int between = 0;
  const auto put = [&](char c) {
    numbers.joined.push_back(c);
    const bool follows = !numbers.spaced.empty() && numbers.spaced.back() != ' ';
    if (between > 0 && follows) numbers.spaced.push_back('-');
    numbers.spaced.push_back(c);
    between = 0;
  };
  while (!text.empty()) {
    char32_t character = 0;
    if (!TakeCharacter(&text, &character)) return numbers;
    const bool x = character == 'X' || character == 'x' || character == 0xff38 ||
                   character == 0xff58 || character == 0x2169 || character == 0x2179;
    if (const int digit = x ? -1 : DigitOf(character); digit >= 0) {
      put(static_cast<char>('0' + digit));
    } else if (x) {
      put('X');
    } else if (!StandsBetween(character) || ++between > kBetweenMax) {
      numbers.joined.push_back(' ');
      numbers.spaced.push_back(' ');
      between = 0;
    }
  }
  return numbers;
}

}  // namespace

bool HoldsContact(absl::string_view text) {
  static const RE2 mobile_or_identity(R"((?:^|\D)(?:)"
                                      R"(\d{17}[\dX]|)"
                                      R"((?:(?:00)?86)?1[3-9]\d{9})"
                                      R"()(?:\D|$))");
  static const RE2 with_area_code(R"((?:^|\D)(?:(?:00)?86-?0?|0)\d{2,3}-?)"
                                  R"((?:\d{7,8}|\d{3,4}-\d{4})(?:\D|$))");
  const Numbers numbers = NumbersIn(text);
  return RE2::PartialMatch(numbers.joined, mobile_or_identity) ||
         RE2::PartialMatch(numbers.spaced, with_area_code);
}

}  // namespace zhibu
