// What pinyin_table.cc writes, for pinyin.cc.
#ifndef ZHIBU_CLIENT_CORE_QUERY_PINYIN_DATA_H_
#define ZHIBU_CLIENT_CORE_QUERY_PINYIN_DATA_H_

#include <cstddef>
#include <cstdint>

namespace zhibu::client::pinyin {

// The characters that have been in Unicode from the beginning, and those that came to their block.
inline constexpr char32_t kFirst = 0x4E00;
inline constexpr char32_t kLast = 0x9FFF;
inline constexpr size_t kCount = kLast - kFirst + 1;

extern const char* const kSyllables[];  // the first is none
extern const uint16_t kSyllableOf[kCount];
extern const uint16_t kRankOf[kCount];

struct Surname {
  char32_t character;
  uint16_t syllable;
};
extern const Surname kSurnames[];  // those that are said otherwise; the last has no character

}  // namespace zhibu::client::pinyin

#endif  // ZHIBU_CLIENT_CORE_QUERY_PINYIN_DATA_H_
