#include "sync/rules/cel/utf8.h"

#include <algorithm>

namespace zhibu::cel {
namespace {

bool Continues(char byte) { return (static_cast<uint8_t>(byte) & 0xc0) == 0x80; }

// Bytes of the character that begins with `lead`; 0: none does.
size_t LengthOf(uint8_t lead) {
  if (lead < 0x80) return 1;
  if (lead >= 0xc2 && lead < 0xe0) return 2;
  if (lead >= 0xe0 && lead < 0xf0) return 3;
  return lead >= 0xf0 && lead < 0xf5 ? 4 : 0;
}

// 0: not well-formed.
size_t FirstCharacter(absl::string_view bytes) {
  const size_t length = LengthOf(static_cast<uint8_t>(bytes[0]));
  if (length < 2) return length;
  if (bytes.size() < length || !std::all_of(bytes.begin() + 1, bytes.begin() + length, Continues)) {
    return 0;
  }
  uint32_t code = static_cast<uint8_t>(bytes[0]) & (0xff >> (length + 1));
  for (size_t i = 1; i < length; ++i) code = code << 6 | (static_cast<uint8_t>(bytes[i]) & 0x3f);
  const bool overlong = (length == 3 && code < 0x800) || (length == 4 && code < 0x10000);
  return overlong || !IsCharacter(code) ? 0 : length;
}

}  // namespace

bool IsCharacter(uint32_t code) { return code < 0xd800 || (code > 0xdfff && code <= 0x10ffff); }

bool IsUtf8(absl::string_view bytes) {
  while (!bytes.empty()) {
    const size_t length = FirstCharacter(bytes);
    if (length == 0) return false;
    bytes.remove_prefix(length);
  }
  return true;
}

size_t CountCharacters(absl::string_view text) {
  return static_cast<size_t>(
      std::count_if(text.begin(), text.end(), [](char byte) { return !Continues(byte); }));
}

void AppendCharacter(uint32_t code, std::string* text) {
  const auto put = [text](uint32_t byte) { text->push_back(static_cast<char>(byte)); };
  if (code < 0x80) return put(code);
  if (code < 0x800) {
    put(0xc0 | code >> 6);
  } else if (code < 0x10000) {
    put(0xe0 | code >> 12);
    put(0x80 | (code >> 6 & 0x3f));
  } else {
    put(0xf0 | code >> 18);
    put(0x80 | (code >> 12 & 0x3f));
    put(0x80 | (code >> 6 & 0x3f));
  }
  put(0x80 | (code & 0x3f));
}

}  // namespace zhibu::cel
