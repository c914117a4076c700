#include "sync/wire/ask.h"

#include <algorithm>
#include <cstdint>
#include <vector>

#include "absl/strings/str_cat.h"
#include "sync/base/reason.h"

namespace zhibu {
namespace {

// Of valid UTF-8, which is what protobuf lets in.
std::vector<uint32_t> CharactersOf(absl::string_view text) {
  std::vector<uint32_t> characters;
  for (const char c : text) {
    const auto byte = static_cast<uint8_t>(c);
    if ((byte & 0xc0) == 0x80 && !characters.empty()) {
      characters.back() = characters.back() << 6 | (byte & 0x3f);
    } else {
      characters.push_back(byte < 0x80   ? byte
                           : byte < 0xe0 ? byte & 0x1f
                           : byte < 0xf0 ? byte & 0x0f
                                         : byte & 0x07);
    }
  }
  return characters;
}

// C0, DEL, C1, and what turns the direction of text round or ends a line.
bool IsControl(uint32_t c) {
  return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x061c || c == 0x200e || c == 0x200f ||
         (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
}

bool IsBlankCharacter(uint32_t c) {
  return c == ' ' || c == 0xa0 || c == 0xad || c == 0x1680 || (c >= 0x2000 && c <= 0x200d) ||
         c == 0x202f || c == 0x205f || c == 0x2060 || c == 0x3000 || c == 0xfeff;
}

}  // namespace

absl::Status CheckReason(absl::string_view reason) {
  const std::vector<uint32_t> characters = CharactersOf(reason);
  if (characters.size() > kReasonCharactersMax) {
    return Refuse(sync::v1::BAD_VALUE,
                  absl::StrCat("reason, ", characters.size(), " > ", kReasonCharactersMax));
  }
  if (std::any_of(characters.begin(), characters.end(), IsControl)) {
    return Refuse(sync::v1::BAD_VALUE, "reason");
  }
  if (std::all_of(characters.begin(), characters.end(), IsBlankCharacter)) {
    return Refuse(sync::v1::ASK_WITHOUT_REASON, "reason");
  }
  return absl::OkStatus();
}

}  // namespace zhibu
