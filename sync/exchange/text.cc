#include "sync/exchange/text.h"

#include <iconv.h>
#include <unicode/translit.h>
#include <unicode/unistr.h>
#include <unicode/utf8.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "sync/base/status.h"

namespace zhibu {
namespace {

constexpr char kByteOrderMark[] = "\xEF\xBB\xBF";

// Into UTF-8. INVALID_ARGUMENT where `bytes` are no text in the encoding `from`.
absl::StatusOr<std::string> Recode(const char* from, absl::string_view bytes) {
  const iconv_t converter = iconv_open("UTF-8", from);
  if (converter == reinterpret_cast<iconv_t>(-1)) {
    return absl::InternalError(absl::StrCat("this system's iconv does not know ", from));
  }
  std::string text(bytes.size() * 3, '\0');  // two bytes make at most two characters of three
  char* in = const_cast<char*>(bytes.data());
  size_t in_left = bytes.size();
  char* out = text.data();
  size_t out_left = text.size();
  const size_t result = iconv(converter, &in, &in_left, &out, &out_left);
  iconv_close(converter);
  if (result == static_cast<size_t>(-1)) return absl::InvalidArgumentError(from);
  text.resize(text.size() - out_left);
  if (!IsText(text)) return absl::InvalidArgumentError(from);
  return text;
}

// Calls `each` with the code points of UTF-8.
template <typename Each>
void ForEachCodePoint(absl::string_view text, Each each) {
  const auto size = static_cast<int32_t>(text.size());
  for (int32_t at = 0; at < size;) {
    UChar32 c = 0;
    U8_NEXT_OR_FFFD(text.data(), at, size, c);
    each(c);
  }
}

void Append(UChar32 c, std::string* text) {
  char bytes[U8_MAX_LENGTH];
  int32_t size = 0;
  U8_APPEND_UNSAFE(bytes, size, c);
  text->append(bytes, size);
}

bool TakesNoRoom(UChar32 c) {
  return c == 0xAD || c == 0xFEFF || (c >= 0x200B && c <= 0x200F) || (c >= 0x202A && c <= 0x202E) ||
         (c >= 0x2060 && c <= 0x2064);
}

bool IsSpace(UChar32 c) {
  return c == ' ' || (c >= '\t' && c <= '\r') || c == 0xA0 || c == 0x1680 ||
         (c >= 0x2000 && c <= 0x200A) || c == 0x202F || c == 0x205F || c == 0x3000;
}

// Text in which there is a character of Chinese or one of its signs. No line of GB18030 is that by
// chance: it would take three characters that stand just so.
bool IsChineseUtf8(absl::string_view line) {
  if (!IsText(line)) return false;
  bool found = false;
  ForEachCodePoint(line, [&](UChar32 c) { found = found || c >= 0x2E80; });
  return found;
}

bool IsAscii(absl::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return absl::ascii_isascii(c); });
}

// No second byte of GB18030 is a line's end.
absl::StatusOr<DecodedText> RecodeLines(absl::string_view bytes) {
  std::string gb18030;  // runs of lines are converted together
  DecodedText decoded{"", "GB18030"};
  const auto flush = [&]() -> absl::Status {
    ASSIGN_OR_RETURN(const std::string text, Recode("GB18030", gb18030));
    decoded.text += text;
    gb18030.clear();
    return absl::OkStatus();
  };
  while (!bytes.empty()) {
    const absl::string_view line = bytes.substr(0, bytes.find('\n'));
    const absl::string_view whole = bytes.substr(0, std::min(line.size() + 1, bytes.size()));
    bytes.remove_prefix(whole.size());
    if (!IsAscii(line) && IsChineseUtf8(line)) {
      RETURN_IF_ERROR(flush());
      decoded.text.append(whole.data(), whole.size());
      decoded.encoding = "GB18030 + UTF-8";
    } else {
      gb18030.append(whole.data(), whole.size());
    }
  }
  RETURN_IF_ERROR(flush());
  return decoded;
}

// Which half of the pairs the NULs of ASCII stand in.
const char* OrderOf(absl::string_view bytes) {
  if (absl::StartsWith(bytes, "\xFF\xFE")) return "UTF-16LE";
  if (absl::StartsWith(bytes, "\xFE\xFF")) return "UTF-16BE";
  size_t first = 0;
  size_t second = 0;
  for (size_t i = 0; i < bytes.size(); ++i) {
    if (bytes[i] == '\0') ++(i % 2 == 0 ? first : second);
  }
  return first > second ? "UTF-16BE" : "UTF-16LE";
}

}  // namespace

bool IsText(absl::string_view bytes) {
  const auto size = static_cast<int32_t>(bytes.size());
  for (int32_t at = 0; at < size;) {
    UChar32 c = 0;
    U8_NEXT(bytes.data(), at, size, c);
    if (c < 0) return false;
  }
  return true;
}

absl::StatusOr<std::vector<DecodedText>> Decode(absl::string_view bytes) {
  std::vector<DecodedText> readings;
  const auto add = [&](absl::StatusOr<DecodedText> reading) {
    if (!reading.ok())
      return absl::IsInvalidArgument(reading.status()) ? absl::OkStatus() : reading.status();
    reading->text = std::string(absl::StripPrefix(reading->text, kByteOrderMark));
    // No text has a NUL in it, but the spreadsheet programs' own files have.
    if (!absl::StrContains(reading->text, '\0')) readings.push_back(*std::move(reading));
    return absl::OkStatus();
  };
  const auto recode = [&](const char* encoding) -> absl::StatusOr<DecodedText> {
    ASSIGN_OR_RETURN(std::string text, Recode(encoding, bytes));
    return DecodedText{std::move(text), encoding};
  };
  const bool marked = absl::StartsWith(bytes, "\xFF\xFE") || absl::StartsWith(bytes, "\xFE\xFF");
  if (marked || absl::StrContains(bytes, '\0')) {
    RETURN_IF_ERROR(add(recode(OrderOf(bytes))));
  } else if (absl::StartsWith(bytes, kByteOrderMark) || IsText(bytes)) {
    RETURN_IF_ERROR(add(recode("UTF-8")));
  } else {
    RETURN_IF_ERROR(add(RecodeLines(bytes)));
    RETURN_IF_ERROR(add(recode("BIG5-HKSCS")));
  }
  return readings;
}

absl::string_view Trim(absl::string_view text) {
  const auto size = static_cast<int32_t>(text.size());
  int32_t begin = 0;
  while (begin < size) {
    int32_t next = begin;
    UChar32 c = 0;
    U8_NEXT_OR_FFFD(text.data(), next, size, c);
    if (!IsSpace(c) && !TakesNoRoom(c)) break;
    begin = next;
  }
  int32_t end = size;
  while (end > begin) {
    int32_t before = end;
    UChar32 c = 0;
    U8_PREV_OR_FFFD(text.data(), begin, before, c);
    if (!IsSpace(c) && !TakesNoRoom(c)) break;
    end = before;
  }
  return text.substr(begin, end - begin);
}

std::string Narrow(absl::string_view text) {
  std::string narrow;
  ForEachCodePoint(text, [&](UChar32 c) {
    if (TakesNoRoom(c)) return;
    if (c >= 0xFF01 && c <= 0xFF5E) c -= 0xFF00 - 0x20;
    Append(IsSpace(c) && c != '\n' && c != '\r' ? ' ' : c, &narrow);
  });
  return narrow;
}

std::string FoldWord(absl::string_view text) {
  std::string folded = Narrow(text);
  absl::AsciiStrToLower(&folded);
  folded.erase(
      std::remove_if(folded.begin(), folded.end(),
                     [](char c) { return c == ' ' || c == '_' || c == '\r' || c == '\n'; }),
      folded.end());
  return folded;
}

std::string FoldHeading(absl::string_view text) {
  static const icu::Transliterator* const simplify = [] {
    UErrorCode error = U_ZERO_ERROR;
    return icu::Transliterator::createInstance("Hant-Hans", UTRANS_FORWARD, error);
  }();
  const std::string folded = FoldWord(text);
  if (simplify == nullptr || IsAscii(folded)) return folded;
  auto wide = icu::UnicodeString::fromUTF8(
      icu::StringPiece(folded.data(), static_cast<int32_t>(folded.size())));
  simplify->transliterate(wide);
  std::string simplified;
  wide.toUTF8String(simplified);
  return simplified;
}

std::string Excerpt(absl::string_view text) {
  constexpr size_t kBytesMax = 40;
  const std::string narrow = Narrow(text);
  if (std::count_if(narrow.begin(), narrow.end(), absl::ascii_isdigit) > 8) return "…";
  if (text.size() <= kBytesMax) return std::string(text);
  size_t end = kBytesMax;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return absl::StrCat(text.substr(0, end), "…");
}

}  // namespace zhibu
