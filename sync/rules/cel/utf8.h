// Text as characters (Unicode code points), which is what CEL counts.
#ifndef ZHIBU_SYNC_RULES_CEL_UTF8_H_
#define ZHIBU_SYNC_RULES_CEL_UTF8_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"

namespace zhibu::cel {

// Well-formed by the standard: no surrogates, nothing overlong.
bool IsUtf8(absl::string_view bytes);

// Of text that IsUtf8.
size_t CountCharacters(absl::string_view text);

bool IsCharacter(uint32_t code);
void AppendCharacter(uint32_t code, std::string* text);

}  // namespace zhibu::cel

#endif  // ZHIBU_SYNC_RULES_CEL_UTF8_H_
