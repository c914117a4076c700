// How Chinese names sound, and how a Chinese register sorts them.
//
//   PinyinOf(U'王') == "wang"                 none of what is no such character
//   SoundsLike("王秀英", "wxy"), "wang xy", "秀英", "xiuy"
//   RankOf(U'丁') < RankOf(U'王')             by pinyin, then by strokes, as dictionaries have it
//
// The tables are ICU's, made when this is built (pinyin_table.cc): 84 kB instead of a library of 30
// MB. A character has one reading, the commonest; one that begins a name has its surname's, too (单
// shan, 仇 qiu, 曾 zeng).
#ifndef ZHIBU_CLIENT_CORE_QUERY_PINYIN_H_
#define ZHIBU_CLIENT_CORE_QUERY_PINYIN_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"

namespace zhibu::client {

// Without tones, in small letters.
absl::string_view PinyinOf(char32_t character);
std::optional<uint16_t> RankOf(char32_t character);

// Whether some part of `name`, from a character on, is said by `said`: each character by itself, by
// its pinyin, or by how that begins; blanks between them do not matter, nor do capitals.
bool SoundsLike(absl::string_view name, absl::string_view said);

// In the order of pinyin; what is no Chinese character stands before, in its own.
void AppendPinyinKey(absl::string_view text, std::string* key);

}  // namespace zhibu::client

#endif  // ZHIBU_CLIENT_CORE_QUERY_PINYIN_H_
