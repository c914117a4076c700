#include "sync/base/text.h"

#include <unicode/uchar.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace zhibu {
namespace {

// How many bytes the character takes whose first is `lead`; 0: it begins none.
size_t SizeOf(unsigned char lead) {
  if (lead < 0x80) return 1;
  if (lead < 0xc2) return 0;
  return lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf5 ? 4 : 0;
}

// What is hidden begins with one of these.
bool MayBeHidden(char byte) {
  const auto lead = static_cast<unsigned char>(byte);
  return lead < 0x20 || lead == 0x7f || lead == 0xc2 || lead == 0xd8 || lead == 0xe2 ||
         lead == 0xef;
}

std::string Escaped(absl::string_view text, bool one_line) {
  std::string shown;
  shown.reserve(text.size());
  while (!text.empty()) {
    const absl::string_view before = text;
    char32_t character = 0;
    if (!TakeCharacter(&text, &character)) {
      text.remove_prefix(1);
      shown += "\xef\xbf\xbd";
    } else if (IsHidden(character)) {
      absl::StrAppendFormat(&shown, "\\u%04x", static_cast<unsigned>(character));
    } else if (one_line && (character == '\n' || character == '\t')) {
      shown += character == '\n' ? "\\n" : "\\t";
    } else {
      shown.append(before.data(), before.size() - text.size());
    }
  }
  return shown;
}

}  // namespace

bool TakeCharacter(absl::string_view* text, char32_t* character) {
  constexpr char32_t kLeast[] = {0, 0, 0x80, 0x800, 0x10000};
  constexpr unsigned char kBits[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
  const auto lead = static_cast<unsigned char>(text->front());
  const size_t size = SizeOf(lead);
  if (size == 0 || size > text->size()) return false;
  char32_t code = lead & kBits[size];
  for (size_t i = 1; i < size; ++i) {
    const auto byte = static_cast<unsigned char>((*text)[i]);
    if ((byte & 0xc0) != 0x80) return false;
    code = (code << 6) | (byte & 0x3f);
  }
  if (code < kLeast[size] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) return false;
  text->remove_prefix(size);
  *character = code;
  return true;
}

bool IsUtf8(absl::string_view text) {
  char32_t character = 0;
  while (!text.empty()) {
    if (!TakeCharacter(&text, &character)) return false;
  }
  return true;
}

std::string CutTo(absl::string_view text, size_t bytes_max) {
  constexpr absl::string_view kEllipsis = "…";
  if (text.size() <= bytes_max) return std::string(text);
  size_t size = bytes_max < kEllipsis.size() ? 0 : bytes_max - kEllipsis.size();
  while (size > 0 && (static_cast<unsigned char>(text[size]) & 0xc0) == 0x80) --size;
  return absl::StrCat(text.substr(0, size), kEllipsis);
}

bool IsHidden(char32_t character) {
  if (character < 0x20) return character != '\n' && character != '\t';
  if (character >= 0x7f && character < 0xa0) return true;
  if (character == 0x00ad || character == 0x200b || character == 0xfeff) return true;
  return character == 0x061c || (character >= 0x2060 && character <= 0x2064) ||
         character == 0x200e || character == 0x200f ||
         (character >= 0x2028 && character <= 0x202e) ||
         (character >= 0x2066 && character <= 0x2069);
}

bool IsBlank(absl::string_view text) {
  if (text.empty()) return false;
  char32_t character = 0;
  while (!text.empty() && TakeCharacter(&text, &character)) {
    const bool blank = character == U' ' || character == U'\t' || character == U'\n' ||
                       character == 0x00a0 || character == 0x1680 ||
                       (character >= 0x2000 && character <= 0x200a) || character == 0x202f ||
                       character == 0x205f || character == 0x3000;
    if (!blank) return false;
  }
  return true;
}

std::optional<char32_t> FirstHidden(absl::string_view text, bool one_line) {
  while (true) {
    const auto it = std::find_if(text.begin(), text.end(), MayBeHidden);
    text.remove_prefix(static_cast<size_t>(it - text.begin()));
    char32_t character = 0;
    if (text.empty() || !TakeCharacter(&text, &character)) return std::nullopt;
    const bool breaks = character == '\n' || character == '\t';
    if (IsHidden(character) || (one_line && breaks)) return character;
  }
}

std::string Printable(absl::string_view text) { return Escaped(text, false); }

std::string PrintableLine(absl::string_view text) { return Escaped(text, true); }

size_t WidthOf(absl::string_view text) {
  size_t width = 0;
  while (!text.empty()) {
    char32_t character = 0;
    if (!TakeCharacter(&text, &character)) {
      text.remove_prefix(1);
      continue;
    }
    const auto code = static_cast<UChar32>(character);
    const auto kind = u_charType(code);
    // What stands on the letter before it.
    if (kind == U_NON_SPACING_MARK || kind == U_ENCLOSING_MARK || kind == U_FORMAT_CHAR) continue;
    const auto east =
        static_cast<UEastAsianWidth>(u_getIntPropertyValue(code, UCHAR_EAST_ASIAN_WIDTH));
    width += east == U_EA_WIDE || east == U_EA_FULLWIDTH ? 2 : 1;
  }
  return width;
}

}  // namespace zhibu
