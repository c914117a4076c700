// Text from strangers: UTF-8, read character by character, and the characters that
// command a terminal or turn the order of what stands beside them. No text is taken in
// with one of those, and none is shown as it is.
#ifndef ZHIBU_SYNC_BASE_TEXT_H_
#define ZHIBU_SYNC_BASE_TEXT_H_

#include <cstddef>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"

namespace zhibu {

// Takes the first character off the front of `text`, which is not empty. False where
// that is no UTF-8 (as protobuf has it: shortest, no surrogates); nothing is taken then.
bool TakeCharacter(absl::string_view* text, char32_t* character);

bool IsUtf8(absl::string_view text);

// No more than so many bytes of it: what is longer ends with an ellipsis, behind a whole character.
std::string CutTo(absl::string_view text, size_t bytes_max);

// Controls (C0, DEL, C1), what breaks lines besides \n, Unicode's Bidi_Control, and what has no
// width and joins nothing (zero-width space, word joiner, soft hyphen, byte order mark): two names
// that look alike are one. \n and \t are none.
bool IsHidden(char32_t character);

// Whether there is something in `text`, which is UTF-8, and nothing of it can be read: blanks, of
// any width, and ends of lines.
bool IsBlank(absl::string_view text);

// The first of `text`, which is UTF-8, that is hidden (U+0000 is one); or, in what must be
// one line, \n or \t.
std::optional<char32_t> FirstHidden(absl::string_view text, bool one_line);

// The text with what is hidden written out: "\u001b[2J". JSON stays JSON of the same
// value. Bytes that are no UTF-8 become U+FFFD.
std::string Printable(absl::string_view text);
// The same in one line: "\n" and "\t" are written out as well.
std::string PrintableLine(absl::string_view text);

// How many columns it takes where letters of one width stand in rows: two for each Chinese
// character.
size_t WidthOf(absl::string_view text);

}  // namespace zhibu

#endif  // ZHIBU_SYNC_BASE_TEXT_H_
